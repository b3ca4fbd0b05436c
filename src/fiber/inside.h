/* inside.h - what a fiber is made of, for those who wake it in their inner loop.
 *
 * Room:     src/fiber, low-level.
 * Callers:  fiber.c; sim/kernel/kernel.c, the other half of a park in virtual time. Nobody else.
 * Knows nothing of: what an event is; it keeps world_wake and timer_key here, so that a
 *           wake and a deadline need no record beside the fiber's. */
#ifndef JOBQ_FIBER_INSIDE_H
#define JOBQ_FIBER_INSIDE_H

#include "fiber/context.h"
#include "fiber/fiber.h"
#include "fiber/sanitize.h"
#include "fiber/stack_pool.h"

enum fiber_state {
    FIBER_FREE,    /* its record waits for reuse */
    FIBER_READY,   /* in the ready list */
    FIBER_RUNNING, /* at most one */
    FIBER_PARKED,
    FIBER_KILLED /* never runs again; kept while its process is pinned */
};

enum fiber_outcome {
    OUTCOME_NONE, /* a ticket is out, nobody has used it */
    OUTCOME_WOKEN,
    OUTCOME_TIMED_OUT,
    OUTCOME_TAKEN /* the park has returned: no ticket is out */
};

/* Lives above its own stack (stack_pool.h). All that a park, a wake and a switch touch is in
 * the first cache line, on 64-bit processors without ucontext. */
struct fiber {
    union {
        struct fiber_context context; /* while not running */
        struct stack_slice slice;     /* while free */
    };
    struct fiber_sched *sched;
    struct fiber *next;  /* in the ready list */
    uint64_t timer_key;  /* of the deadline, as arm returned it, while armed */
    uint32_t generation; /* odd while a wait is open, and then its name */
    uint32_t index;      /* 0, 1, ... in the order in which records were first used */
    uint32_t world_wake; /* the world's: of the wait that a pending wake is for, or 0 */
    uint8_t state;       /* enum fiber_state */
    uint8_t outcome;     /* enum fiber_outcome, of the wait that is over */
    bool armed, has_index;
    const void *works_on; /* its arg: what a world may ask memory for ahead of its wake */

    struct fiber_proc *proc;
    struct fiber *proc_next, *proc_prev;
    struct fiber_cond_waiter *waiter; /* NULL: in no condition's list */
    fiber_fn *fn;
    void *arg;
    void *fake_frames; /* the sanitizer's: its fake frames, or its name of the fiber */
};

struct fiber_sched {
    struct fiber *ready_first, *ready_last;
    struct fiber *running;
    struct fiber_context main; /* of fiber_run, while a fiber runs */
    const struct fiber_timer_ops *timer;
    void *world;
    const int64_t *now_ns; /* the world's clock, or NULL: ask timer->now */
    int64_t switches, fibers;
    uint32_t records;              /* ever used; the next index */
    struct fiber *ended;           /* has just returned from its function */
    struct fiber_proc *ended_proc; /* has just been killed by its own fiber */
    struct fiber_proc *procs, *free_procs;
    struct stack_pool stacks;
    void *main_fake_frames;
    const void *main_low; /* the thread's own stack, for the sanitizer */
    size_t main_bytes;
};

#define FIBER_MAX (1 << 24)

/* The fiber whose index it is, also when its record is free. */
static inline struct fiber *fiber_at(const struct fiber_sched *sched, uint32_t index)
{
    return stack_pool_at(&sched->stacks, index);
}

/* What must be left of a stack at every park. */
#define FIBER_SPARE_BYTES 1024

/* Says which process it was, and aborts. */
_Noreturn void fiber_too_deep(const struct fiber_sched *sched);
/* Frees what sched->ended and ended_proc name; on the main stack, for a stack cannot be
 * given back by who stands on it. */
void fiber_bury(struct fiber_sched *sched);

static inline void fiber_ready_append(struct fiber_sched *sched, struct fiber *f)
{
    f->state = FIBER_READY;
    f->next = NULL;
    if (sched->ready_first)
        sched->ready_last->next = f;
    else
        sched->ready_first = f;
    sched->ready_last = f;
}

/* The one place where a wait ends: its ticket is spent from here on. True: f is parked, and
 * the caller makes it ready or runs it. */
static inline bool fiber_wait_ends(struct fiber *f, enum fiber_outcome outcome)
{
    f->generation++;
    f->outcome = (uint8_t)outcome;
    return f->state == FIBER_PARKED;
}

static inline void fiber_end_wait(struct fiber_sched *sched, struct fiber *f,
                                  enum fiber_outcome outcome)
{
    if (fiber_wait_ends(f, outcome))
        fiber_ready_append(sched, f);
}

/* Returns the new wait's generation; older ones of this fiber are spent. */
static inline uint32_t fiber_open_wait(struct fiber *self)
{
    self->outcome = OUTCOME_NONE;
    return self->generation = (self->generation + 1) | 1;
}

static inline void fiber_enter(struct fiber_sched *sched, struct fiber *f)
{
    sanitize_leave(&sched->main_fake_frames, (char *)f - sched->stacks.stack_bytes,
                   sched->stacks.stack_bytes, f->fake_frames);
    fiber_context_switch(&sched->main, &f->context);
    sanitize_enter(sched->main_fake_frames, NULL, NULL);
}

/* Back to the world's loop; returns when the fiber is resumed. A stack that ran over has
 * damaged another; this sees the depth at parks only. */
static inline void fiber_leave(struct fiber_sched *sched, struct fiber *self)
{
    const char *low = (const char *)self - sched->stacks.stack_bytes;
    if ((const char *)__builtin_frame_address(0) < low + FIBER_SPARE_BYTES)
        fiber_too_deep(sched);
    sanitize_leave(&self->fake_frames, sched->main_low, sched->main_bytes,
                   sched->main_fake_frames);
    fiber_context_switch(&self->context, &sched->main);
    sanitize_enter(self->fake_frames, &sched->main_low, &sched->main_bytes);
}

/* Until f parks or ends. In the frame of the world's loop: between two switches, calls and
 * returns are then in pairs, which is all that the processor's return predictor asks for. A
 * mispredicted return at each switch costs more than the switch. */
static inline void fiber_run_here(struct fiber_sched *sched, struct fiber *f)
{
    f->state = FIBER_RUNNING;
    sched->running = f;
    sched->switches++;
    fiber_enter(sched, f);
    sched->running = NULL;
    if (sched->ended || sched->ended_proc)
        fiber_bury(sched);
}

/* fiber_run_ready, in the frame of the world's loop. */
static inline void fiber_run_ready_here(struct fiber_sched *sched)
{
    while (sched->ready_first) {
        struct fiber *f = sched->ready_first;
        sched->ready_first = f->next;
        if (f->state == FIBER_KILLED)
            fiber_proc_unpin(f->proc);
        else
            fiber_run_here(sched, f);
    }
}

#endif
