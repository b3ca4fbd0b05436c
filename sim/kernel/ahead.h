/* ahead.h - asks for the memory of the events to come while others happen.
 *
 * Room:     sim, low-level; private to the kernel.
 * Callers:  kernel.c.
 * Knows nothing of: what the events do, but through the hints that their owners give.
 *
 * Why. Among hundreds of fibers, what an event touches (its record, its fiber's stack, the row
 * that it writes) has left the processor's caches since that fiber parked. The next keys are
 * known, so their memory is asked for AHEAD_EVENTS events before they are taken. Without it a
 * job of the whole fleet costs a sixth to a third more CPU time (tests/bench/README.md); in
 * small worlds it would cost more than it gains, and is left out.
 *
 * In a header, and always inlined, because gcc takes a function that does nothing but prefetch
 * for one without effect and drops its calls. */
#ifndef JOBQ_SIM_KERNEL_AHEAD_H
#define JOBQ_SIM_KERNEL_AHEAD_H

#include "fiber/inside.h"
#include "sim/kernel/event.h"

enum {
    AHEAD_CROWD = 256, /* fibers, from which on it pays */
    AHEAD_EVENTS =
        1, /* other events between the request and the use: more gains nothing */
    AHEAD_LINE = 64,  /* bytes of a cache line */
    AHEAD_LINES = 12, /* of a stack */
    AHEAD_HINTS_MAX = 4
};

/* Before a call of fn: prefetch(ctx, the call's arg). */
struct ahead_hint {
    kernel_event_fn *fn, *prefetch;
    void *ctx;
};

struct ahead {
    struct ahead_hint hint[AHEAD_HINTS_MAX];
    int count;
};

static inline __attribute__((always_inline)) void ahead_lines(const void *from, int lines)
{
#pragma GCC unroll 16
    for (int i = 0; i < lines; i++)
        __builtin_prefetch((const char *)from + AHEAD_LINE * i, 1);
}

/* The one after the next: what is read to find its memory. */
static inline __attribute__((always_inline)) void
ahead_first_step(wide_u128 key, const struct event *event,
                 const struct fiber_sched *fibers)
{
    uint32_t slot = (uint32_t)((uint64_t)key & SLOT_MASK);
    if (kind_of((uint64_t)key) == KEY_RECORD) {
        __builtin_prefetch(&event[slot], 1);
        return;
    }
    const struct fiber *f = fiber_at(fibers, slot);
    __builtin_prefetch(f, 1);
    __builtin_prefetch(&f->works_on);
}

/* The next: the memory itself. */
static inline __attribute__((always_inline)) void
ahead_second_step(const struct ahead *a, wide_u128 key, const struct event *event,
                  const struct fiber_sched *fibers)
{
    uint32_t slot = (uint32_t)((uint64_t)key & SLOT_MASK);
    if (kind_of((uint64_t)key) != KEY_RECORD) {
        const struct fiber *f = fiber_at(fibers, slot);
        ahead_lines(f->works_on, 4);
        ahead_lines(fiber_context_stack(&f->context), AHEAD_LINES);
        return;
    }
    const struct event *e = &event[slot];
    __builtin_prefetch(fiber_at(fibers, e->asker), 1);
    for (int i = 0; i < a->count; i++)
        if (a->hint[i].fn == e->fn)
            a->hint[i].prefetch(a->hint[i].ctx, e->arg);
    ahead_lines(e->target, AHEAD_LINES); /* most often a call on its fiber's stack */
}

/* After an event was taken from the agenda, before it happens. */
static inline __attribute__((always_inline)) void
ahead_prefetch(const struct ahead *a, const struct agenda *agenda,
               const struct event *event, const struct fiber_sched *fibers)
{
    wide_u128 key = agenda_ahead(agenda, AHEAD_EVENTS + 1);
    if (key != HEAP_KEY_MAX)
        ahead_first_step(key, event, fibers);
    key = agenda_ahead(agenda, AHEAD_EVENTS);
    if (key != HEAP_KEY_MAX)
        ahead_second_step(a, key, event, fibers);
}

#endif
