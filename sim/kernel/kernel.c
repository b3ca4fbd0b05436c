/* kernel.c - the event loop of a simulated world. See kernel.h.
 *
 * Room:     sim, low-level. */
#include "sim/kernel/kernel.h"

#include "base/arena.h"
#include "fiber/inside.h"
#include "sim/kernel/agenda.h"
#include "sim/kernel/ahead.h"
#include "sim/kernel/event.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Cancelled keys are swept when they are more than this and half of all keys. */
enum { SWEEP_MIN = 64, FIRST_SLOTS = 64 };

struct kernel {
    int64_t now;
    uint64_t sequence;
    struct event *event; /* by slot; slot 0 is never used */
    uint32_t free_slot;  /* list through arg; 0: none */
    uint32_t slots;      /* ever used since the reset, slot 0 included */
    uint32_t slots_cap;
    size_t cancelled; /* keys that no longer count */
    struct ahead ahead;
    int64_t events;
    int64_t until;
    enum kernel_end end;
    bool running, stopped;
    struct fiber_sched *fibers;
    struct agenda agenda;
};

static _Noreturn void past_limit(const char *what)
{
    fprintf(stderr, "jobq: the simulated world has more than %s\n", what);
    abort();
}

/* ---- slots ---------------------------------------------------------------------- */

static void grow_slots(struct kernel *k)
{
    uint32_t cap = k->slots_cap ? k->slots_cap * 2 : FIRST_SLOTS;
    if (cap > (uint32_t)SLOT_MASK + 1)
        past_limit("2^24 - 1 pending events");
    k->event = xrealloc(k->event, cap * sizeof *k->event);
    memset(k->event + k->slots_cap, 0, (cap - k->slots_cap) * sizeof *k->event);
    k->slots_cap = cap;
}

static __attribute__((noinline, cold)) uint32_t fresh_slot(struct kernel *k)
{
    if (k->slots == k->slots_cap)
        grow_slots(k);
    return k->slots++;
}

static void free_slot(struct kernel *k, uint32_t slot)
{
    struct event *e = &k->event[slot];
    e->kind = EVENT_FREE;
    e->arg = k->free_slot;
    k->free_slot = slot;
}

/* ---- schedule and cancel -------------------------------------------------------- */

/* Returns passed: what the caller has to keep over this call, so that it can leave by it and
 * needs no registers saved for its own fast way. */
static __attribute__((noinline)) uint64_t push_aside(struct kernel *k, wide_u128 key,
                                                     uint64_t passed)
{
    agenda_push(&k->agenda, k->now, key);
    return passed;
}

static inline wide_u128 new_key(struct kernel *k, int64_t at_ns, enum key_kind kind,
                                uint32_t slot)
{
    assert(at_ns >= k->now && at_ns < JOBQ_FOREVER);
    uint64_t sequence = ++k->sequence;
    if (sequence == SEQUENCE_END)
        past_limit("2^38 events");
    uint64_t low = sequence << SEQUENCE_SHIFT | (uint64_t)kind << SLOT_BITS | slot;
    return (wide_u128)(uint64_t)at_ns << 64 | low;
}

static struct kernel_event_id id_of(uint64_t passed)
{
    return (struct kernel_event_id){(uint32_t)passed, (uint32_t)(passed >> 32)};
}

static struct kernel_event_id schedule(struct kernel *k, int64_t at_ns,
                                       enum event_kind kind, kernel_event_fn *fn,
                                       void *target, uint64_t arg)
{
    if (!k->free_slot)
        free_slot(k, fresh_slot(k));
    uint32_t slot = k->free_slot;
    struct event *e = &k->event[slot];
    k->free_slot = (uint32_t)e->arg;
    e->fn = fn;
    e->target = target;
    e->arg = arg;
    e->kind = (uint8_t)kind;
    const struct fiber *asker = k->fibers->running;
    e->asker = asker ? asker->index & SLOT_MASK : 0;
    uint64_t passed = slot | (uint64_t)e->generation << 32;
    wide_u128 key = new_key(k, at_ns, KEY_RECORD, slot);
    if (agenda_push_fast(&k->agenda, key))
        return id_of(passed);
    return id_of(push_aside(k, key, passed));
}

struct kernel_event_id kernel_at(struct kernel *k, int64_t at_ns, kernel_event_fn *fn,
                                 void *ctx, uint64_t arg)
{
    return schedule(k, at_ns, EVENT_CALL, fn, ctx, arg);
}

void kernel_wake_at(struct kernel *k, int64_t at_ns, struct fiber_ticket ticket)
{
    struct fiber *f = ticket.fiber;
    /* The wake of an earlier wait may still be pending: then this one takes a record. */
    if (f->world_wake) {
        schedule(k, at_ns, EVENT_WAKE, NULL, f, ticket.generation);
        return;
    }
    f->world_wake = ticket.generation;
    wide_u128 key = new_key(k, at_ns, KEY_WAKE, f->index);
    if (!agenda_push_fast(&k->agenda, key))
        push_aside(k, key, 0);
}

/* A cancelled key stays where it is until it is taken or swept. Does the key still count? f:
 * its fiber, of one that has no record. */
static inline bool counts_of(const struct kernel *k, uint64_t low, const struct fiber *f)
{
    enum key_kind kind = kind_of(low);
    if (kind == KEY_RECORD)
        return k->event[low & SLOT_MASK].kind != EVENT_CANCELLED;
    return kind == KEY_WAKE || (f->armed && f->timer_key == low);
}

static inline struct fiber *fiber_of(const struct kernel *k, uint64_t low)
{
    return kind_of(low) == KEY_RECORD ? NULL
                                      : fiber_at(k->fibers, (uint32_t)(low & SLOT_MASK));
}

static inline void forget(struct kernel *k, uint64_t low)
{
    if (kind_of(low) == KEY_RECORD)
        free_slot(k, (uint32_t)(low & SLOT_MASK));
}

static bool keep_or_forget(void *ctx, wide_u128 key)
{
    struct kernel *k = ctx;
    if (counts_of(k, (uint64_t)key, fiber_of(k, (uint64_t)key)))
        return true;
    forget(k, (uint64_t)key);
    return false;
}

static void count_cancelled(struct kernel *k)
{
    size_t cancelled = ++k->cancelled;
    if (cancelled > SWEEP_MIN && cancelled > agenda_count(&k->agenda) / 2) {
        k->cancelled = 0;
        agenda_filter(&k->agenda, keep_or_forget, k);
    }
}

bool kernel_cancel(struct kernel *k, struct kernel_event_id id)
{
    if (id.slot == 0 || id.slot >= k->slots)
        return false;
    struct event *e = &k->event[id.slot];
    if (e->generation != id.generation || e->kind == EVENT_FREE)
        return false;
    e->generation++;
    e->kind = EVENT_CANCELLED;
    e->fn = NULL; /* ctx may be gone: nobody may look */
    count_cancelled(k);
    return true;
}

/* ---- the fibers' deadlines ------------------------------------------------------ */

static int64_t timer_now(void *world)
{
    return ((struct kernel *)world)->now;
}

static inline uint64_t timer_arm(void *world, int64_t until_ns, struct fiber *fiber,
                                 uint32_t generation)
{
    (void)generation;
    struct kernel *k = world;
    wide_u128 key = new_key(k, until_ns, KEY_DEADLINE, fiber->index);
    agenda_push(&k->agenda, k->now, key);
    return (uint64_t)key;
}

static void timer_disarm(void *world, uint64_t key)
{
    (void)key;
    count_cancelled(world);
}

void kernel_sleep_until(struct kernel *k, int64_t at_ns)
{
    struct fiber_sched *fibers = k->fibers;
    struct fiber *self = fibers->running;
    assert(self);
    fiber_open_wait(self);
    if (at_ns > k->now) {
        self->timer_key = timer_arm(k, at_ns, self, 0);
        self->armed = true;
        self->state = FIBER_PARKED;
        fiber_leave(fibers, self);
    } else {
        self->generation++;
    }
    self->outcome = OUTCOME_TAKEN;
}

static const struct fiber_timer_ops timer_ops = {timer_now, timer_arm, timer_disarm};

/* ---- life ----------------------------------------------------------------------- */

struct kernel *kernel_new(const struct fiber_options *options)
{
    struct kernel *k = xcalloc(1, sizeof *k);
    k->slots = 1;
    grow_slots(k);
    agenda_init(&k->agenda);
    struct fiber_options wanted = options ? *options : (struct fiber_options){0};
    wanted.huge = true;
    k->fibers = fiber_sched_new(&timer_ops, k, &wanted);
    fiber_sched_clock(k->fibers, &k->now);
    return k;
}

void kernel_free(struct kernel *k)
{
    if (!k)
        return;
    fiber_sched_free(k->fibers);
    agenda_release(&k->agenda);
    free(k->event);
    free(k);
}

void kernel_reset(struct kernel *k)
{
    assert(!k->running);
    fiber_sched_reset(k->fibers);
    for (uint32_t slot = 1; slot < k->slots; slot++) {
        k->event[slot].generation++;
        k->event[slot].kind = EVENT_FREE;
    }
    for (uint32_t i = 0; i < k->fibers->records; i++)
        fiber_at(k->fibers, i)->world_wake = 0;
    k->slots = 1;
    k->free_slot = 0;
    agenda_clear(&k->agenda);
    k->cancelled = 0;
    k->now = 0;
    k->sequence = 0;
    k->events = 0;
    k->stopped = false;
}

void kernel_prefetch_for(struct kernel *k, kernel_event_fn *fn, kernel_event_fn *prefetch,
                         void *ctx)
{
    assert(k->ahead.count < AHEAD_HINTS_MAX);
    k->ahead.hint[k->ahead.count++] = (struct ahead_hint){fn, prefetch, ctx};
}

/* ---- running -------------------------------------------------------------------- */

struct next {
    wide_u128 key;   /* or HEAP_KEY_MAX */
    struct fiber *f; /* whose wake or deadline it is; NULL: it has a record */
};

/* The next event; cancelled keys before it are removed. */
static inline __attribute__((always_inline)) struct next next_of(struct kernel *k)
{
    for (;;) {
        struct next next = {.key = agenda_top(&k->agenda, k->now)};
        uint64_t low = (uint64_t)next.key;
        if (next.key == HEAP_KEY_MAX)
            return next;
        next.f = fiber_of(k, low);
        if (counts_of(k, low, next.f))
            return next;
        agenda_take(&k->agenda, next.key);
        k->cancelled--;
        forget(k, low);
    }
}

/* The record is free before its event happens: it may schedule into it. */
static inline void happen_record(struct kernel *k, uint32_t slot)
{
    struct event *e = &k->event[slot];
    enum event_kind kind = (enum event_kind)e->kind;
    kernel_event_fn *fn = e->fn;
    void *target = e->target;
    uint64_t arg = e->arg;
    e->generation++;
    free_slot(k, slot);
    if (kind == EVENT_CALL)
        fn(target, arg);
    else
        fiber_wake((struct fiber_ticket){target, (uint32_t)arg});
}

/* The wake or the deadline of a fiber. Returns it if it is to run now. */
static inline struct fiber *happen_fiber(struct kernel *k, struct fiber *f, bool wakes)
{
    if (!wakes) {
        f->armed = false;
        return fiber_wait_ends(f, OUTCOME_TIMED_OUT) ? f : NULL;
    }
    uint32_t generation = f->world_wake;
    f->world_wake = 0;
    if (f->generation != generation)
        return NULL;
    if (f->armed) {
        f->armed = false;
        count_cancelled(k);
    }
    return fiber_wait_ends(f, OUTCOME_WOKEN) ? f : NULL;
}

/* Takes the next event; no fiber is ready. Returns the fiber that it leaves to run, as if it
 * were ready alone. */
static inline __attribute__((always_inline)) struct fiber *happen(struct kernel *k,
                                                                  struct next next)
{
    agenda_take(&k->agenda, next.key);
    if (__builtin_expect(k->fibers->records >= AHEAD_CROWD, 0))
        ahead_prefetch(&k->ahead, &k->agenda, k->event, k->fibers);
    k->now = (int64_t)(next.key >> 64);
    k->events++;
    if (next.f)
        return happen_fiber(k, next.f, kind_of((uint64_t)next.key) == KEY_WAKE);
    happen_record(k, (uint32_t)((uint64_t)next.key & SLOT_MASK));
    return NULL;
}

/* The next event of this run, or HEAP_KEY_MAX and k->end. */
static inline __attribute__((always_inline)) struct next next_within(struct kernel *k)
{
    static const struct next none = {HEAP_KEY_MAX, NULL};
    if (k->stopped) {
        k->end = KERNEL_STOPPED;
        return none;
    }
    struct next next = next_of(k);
    /* The time of HEAP_KEY_MAX is the latest. */
    if ((uint64_t)(next.key >> 64) <= (uint64_t)k->until)
        return next;
    k->end = KERNEL_DRY;
    if (next.key != HEAP_KEY_MAX) {
        k->end = KERNEL_UNTIL;
        k->now = k->until;
    }
    return none;
}

enum kernel_end kernel_run(struct kernel *k, int64_t until_ns)
{
    assert(!k->running && until_ns >= k->now);
    k->running = true;
    k->stopped = false;
    k->until = until_ns;
    for (;;) {
        fiber_run_ready_here(k->fibers);
        struct next next = next_within(k);
        if (next.key == HEAP_KEY_MAX)
            break;
        struct fiber *f = happen(k, next);
        if (f)
            fiber_run_here(k->fibers, f);
    }
    k->running = false;
    return k->end;
}

void kernel_stop(struct kernel *k)
{
    k->stopped = true;
}

bool kernel_step(struct kernel *k)
{
    assert(!k->running);
    k->running = true;
    fiber_run_ready(k->fibers);
    struct next next = next_of(k);
    bool some = next.key != HEAP_KEY_MAX;
    if (some) {
        struct fiber *f = happen(k, next);
        if (f)
            fiber_ready_append(k->fibers, f);
        fiber_run_ready(k->fibers);
    }
    k->running = false;
    return some;
}

/* ---- what there is to see ------------------------------------------------------- */

int64_t kernel_now(const struct kernel *k)
{
    return k->now;
}

struct fiber_sched *kernel_fibers(struct kernel *k)
{
    return k->fibers;
}

int64_t kernel_next_at_ns(struct kernel *k)
{
    wide_u128 key = next_of(k).key;
    return key == HEAP_KEY_MAX ? JOBQ_FOREVER : (int64_t)(key >> 64);
}

int64_t kernel_pending(const struct kernel *k)
{
    return (int64_t)(agenda_count(&k->agenda) - k->cancelled);
}

int64_t kernel_events(const struct kernel *k)
{
    return k->events;
}

int64_t kernel_switches(const struct kernel *k)
{
    return fiber_switches(k->fibers);
}

int64_t kernel_pool_bytes(const struct kernel *k)
{
    size_t bytes = k->slots_cap * sizeof *k->event;
    bytes += agenda_bytes(&k->agenda);
    return (int64_t)bytes;
}
