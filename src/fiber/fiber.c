/* fiber.c - the scheduler: ready fibers, waits, conditions, processes. See fiber.h.
 *
 * Room:     src/fiber, a tool. */
#include "fiber/fiber.h"

#include "base/arena.h"
#include "fiber/inside.h"
#include "fiber/sanitize.h"
#include "jobq/units.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    STACK_BYTES = FIBER_ASAN ? 64 << 10 : 16 << 10, /* red zones fatten frames */
    STACK_BYTES_MIN = 8 << 10,
    /* Kept from a stack for its record: then both are an odd number of lines, and 256 of the
     * usual size fill two huge pages. */
    LESS_BYTES = 192,
    PROC_NAME_MAX = 32
};

struct fiber_proc {
    struct fiber_sched *sched;
    struct fiber_proc *next, *prev; /* all of the scheduler; next alone while free */
    struct fiber *first;            /* its fibers, newest first; also the killed ones */
    int64_t fibers;                 /* alive */
    int64_t pins;
    bool alive;
    struct arena arena;
    void *slot;
    char name[PROC_NAME_MAX];
};

/* ---- switching ------------------------------------------------------------------ */

static _Noreturn void leave_for_ever(struct fiber_sched *sched, struct fiber *f)
{
    sanitize_leave(NULL, sched->main_low, sched->main_bytes, sched->main_fake_frames);
    fiber_context_switch(&f->context, &sched->main);
    abort(); /* a dead fiber was resumed */
}

static void fiber_begin(struct fiber_context *self)
{
    struct fiber *f = (struct fiber *)(void *)self;
    struct fiber_sched *sched = f->sched;
    sanitize_enter(NULL, &sched->main_low, &sched->main_bytes);
    f->fn(f->arg);
    sched->ended = f;
    leave_for_ever(sched, f);
}

_Noreturn void fiber_too_deep(const struct fiber_sched *sched)
{
    fprintf(stderr, "jobq: a fiber of process '%s' has used up its stack of %zu bytes\n",
            sched->running->proc->name, sched->stacks.stack_bytes);
    abort();
}

/* ---- scheduler ------------------------------------------------------------------ */

struct fiber_sched *fiber_sched_new(const struct fiber_timer_ops *timer, void *world,
                                    const struct fiber_options *options)
{
    static const struct fiber_options defaults = {0};
    if (!options)
        options = &defaults;
    size_t stack_bytes = options->stack_bytes ? options->stack_bytes : STACK_BYTES;
    stack_bytes *= FIBER_STACK_TIMES;
    assert(stack_bytes >= STACK_BYTES_MIN && (stack_bytes & (stack_bytes - 1)) == 0);
    struct fiber_sched *sched = xcalloc(1, sizeof *sched);
    sched->timer = timer;
    sched->world = world;
    stack_pool_init(&sched->stacks, stack_bytes - LESS_BYTES, sizeof(struct fiber),
                    options->guard_each, options->paint, options->huge);
    return sched;
}

void fiber_sched_clock(struct fiber_sched *sched, const int64_t *now_ns)
{
    sched->now_ns = now_ns;
}

static int64_t now(const struct fiber_sched *sched)
{
    return sched->now_ns ? *sched->now_ns : sched->timer->now(sched->world);
}

/* Take a fiber out of everything that could wake it. Its generation moves on. */
static void detach(struct fiber_sched *sched, struct fiber *f, bool from_cond);

static void fiber_free(struct fiber_sched *sched, struct fiber *f)
{
    f->state = FIBER_FREE;
    sanitize_dead(f->fake_frames);
    stack_pool_put(&sched->stacks, f);
}

static void proc_free(struct fiber_sched *sched, struct fiber_proc *proc)
{
    for (struct fiber *f = proc->first; f;) {
        struct fiber *next = f->proc_next;
        fiber_free(sched, f);
        f = next;
    }
    arena_reset(&proc->arena);
    if (proc->next)
        proc->next->prev = proc->prev;
    if (proc->prev)
        proc->prev->next = proc->next;
    else
        sched->procs = proc->next;
    proc->next = sched->free_procs;
    sched->free_procs = proc;
}

void fiber_sched_reset(struct fiber_sched *sched)
{
    assert(!sched->running);
    while (sched->procs) {
        struct fiber_proc *proc = sched->procs;
        /* Conditions may lie in memory that its owner has already dropped. */
        for (struct fiber *f = proc->first; f; f = f->proc_next)
            if (f->state != FIBER_KILLED)
                detach(sched, f, false);
        proc->alive = false;
        proc_free(sched, proc);
    }
    sched->ready_first = NULL;
    sched->switches = 0;
    assert(sched->fibers == 0);
}

void fiber_sched_free(struct fiber_sched *sched)
{
    if (!sched)
        return;
    fiber_sched_reset(sched);
    for (struct fiber_proc *proc = sched->free_procs; proc;) {
        struct fiber_proc *next = proc->next;
        arena_release(&proc->arena);
        free(proc);
        proc = next;
    }
    stack_pool_release(&sched->stacks);
    free(sched);
}

static void proc_unlink(struct fiber *f)
{
    struct fiber_proc *proc = f->proc;
    if (f->proc_next)
        f->proc_next->proc_prev = f->proc_prev;
    if (f->proc_prev)
        f->proc_prev->proc_next = f->proc_next;
    else
        proc->first = f->proc_next;
}

/* On the main stack, because a fiber cannot free the stack that it runs on. */
void fiber_bury(struct fiber_sched *sched)
{
    struct fiber *f = sched->ended;
    if (f) {
        sched->ended = NULL;
        f->generation = (f->generation + 1) & ~UINT32_C(1);
        f->proc->fibers--;
        sched->fibers--;
        proc_unlink(f);
        fiber_free(sched, f);
    }
    if (sched->ended_proc) {
        struct fiber_proc *proc = sched->ended_proc;
        sched->ended_proc = NULL;
        proc_free(sched, proc);
    }
}

int64_t fiber_run_ready(struct fiber_sched *sched)
{
    assert(!sched->running);
    int64_t before = sched->switches;
    fiber_run_ready_here(sched);
    return sched->switches - before;
}

bool fiber_any_ready(const struct fiber_sched *sched)
{
    return sched->ready_first != NULL;
}

int64_t fiber_switches(const struct fiber_sched *sched)
{
    return sched->switches;
}

int64_t fiber_count(const struct fiber_sched *sched)
{
    return sched->fibers;
}

size_t fiber_stack_used_max(const struct fiber_sched *sched)
{
    return stack_pool_used_max(&sched->stacks);
}

/* ---- processes ------------------------------------------------------------------ */

struct fiber_proc *fiber_proc_new(struct fiber_sched *sched, const char *name)
{
    struct fiber_proc *proc = sched->free_procs;
    if (proc) {
        sched->free_procs = proc->next;
    } else {
        proc = xcalloc(1, sizeof *proc);
        proc->sched = sched;
        arena_init(&proc->arena, 0);
    }
    proc->slot = NULL;
    proc->prev = NULL;
    proc->next = sched->procs;
    if (proc->next)
        proc->next->prev = proc;
    sched->procs = proc;
    proc->first = NULL;
    proc->fibers = proc->pins = 0;
    proc->alive = true;
    snprintf(proc->name, sizeof proc->name, "%s", name);
    return proc;
}

void fiber_proc_kill(struct fiber_proc *proc)
{
    struct fiber_sched *sched = proc->sched;
    struct fiber *self = sched->running;
    assert(proc->alive);
    proc->alive = false;
    for (struct fiber *f = proc->first; f; f = f->proc_next)
        detach(sched, f, true);
    bool suicide = self && self->proc == proc;
    if (proc->pins == 0) {
        if (suicide)
            sched->ended_proc = proc;
        else
            proc_free(sched, proc);
    }
    if (suicide)
        leave_for_ever(sched, self);
}

bool fiber_proc_alive(const struct fiber_proc *proc)
{
    return proc->alive;
}

struct arena *fiber_proc_arena(struct fiber_proc *proc)
{
    return &proc->arena;
}

void **fiber_proc_slot(struct fiber_proc *proc)
{
    return &proc->slot;
}

void fiber_proc_pin(struct fiber_proc *proc)
{
    proc->pins++;
}

void fiber_proc_unpin(struct fiber_proc *proc)
{
    assert(proc->pins > 0);
    if (--proc->pins == 0 && !proc->alive)
        proc_free(proc->sched, proc);
}

int64_t fiber_proc_fibers(const struct fiber_proc *proc)
{
    return proc->fibers;
}

/* ---- fibers --------------------------------------------------------------------- */

static _Noreturn void too_many(void)
{
    fprintf(stderr, "jobq: more than 2^24 fibers\n");
    abort();
}

struct fiber *fiber_spawn(struct fiber_proc *proc, fiber_fn *fn, void *arg)
{
    struct fiber_sched *sched = proc->sched;
    assert(proc->alive);
    struct fiber *f = stack_pool_take(&sched->stacks);
    assert(f->state == FIBER_FREE);
    if (!f->has_index) {
        f->has_index = true;
        if (sched->records == FIBER_MAX)
            too_many();
        f->index = sched->records++;
    }
    f->sched = sched;
    f->proc = proc;
    f->fn = fn;
    f->arg = arg;
    f->works_on = arg;
    f->waiter = NULL;
    f->armed = false;
    f->outcome = OUTCOME_TAKEN;
    sanitize_born(&f->fake_frames);
    f->proc_prev = NULL;
    f->proc_next = proc->first;
    if (f->proc_next)
        f->proc_next->proc_prev = f;
    proc->first = f;
    proc->fibers++;
    sched->fibers++;
    fiber_context_init(&f->context, stack_pool_low(&sched->stacks, f),
                       sched->stacks.stack_bytes, fiber_begin);
    fiber_ready_append(sched, f);
    return f;
}

struct fiber *fiber_self(struct fiber_sched *sched)
{
    return sched->running;
}

struct fiber_proc *fiber_self_proc(struct fiber_sched *sched)
{
    return sched->running ? sched->running->proc : NULL;
}

void fiber_yield(struct fiber_sched *sched)
{
    struct fiber *self = sched->running;
    assert(self);
    fiber_ready_append(sched, self);
    fiber_leave(sched, self);
}

struct fiber_ticket fiber_ticket(struct fiber_sched *sched)
{
    struct fiber *self = sched->running;
    assert(self);
    return (struct fiber_ticket){self, fiber_open_wait(self)};
}

static void disarm(struct fiber_sched *sched, struct fiber *f)
{
    if (f->armed) {
        f->armed = false;
        sched->timer->disarm(sched->world, f->timer_key);
    }
}

enum fiber_woken fiber_park(struct fiber_sched *sched, int64_t until_ns)
{
    struct fiber *self = sched->running;
    assert(self && self->outcome != OUTCOME_TAKEN);
    if (self->outcome == OUTCOME_NONE) {
        if (until_ns != JOBQ_FOREVER) {
            if (until_ns <= now(sched)) {
                fiber_end_wait(sched, self, OUTCOME_TIMED_OUT);
                self->outcome = OUTCOME_TAKEN;
                return FIBER_TIMED_OUT;
            }
            self->timer_key =
                sched->timer->arm(sched->world, until_ns, self, self->generation);
            self->armed = true;
        }
        self->state = FIBER_PARKED;
        fiber_leave(sched, self);
    }
    enum fiber_outcome outcome = (enum fiber_outcome)self->outcome;
    self->outcome = OUTCOME_TAKEN;
    return outcome == OUTCOME_WOKEN ? FIBER_WOKEN : FIBER_TIMED_OUT;
}

bool fiber_wake(struct fiber_ticket ticket)
{
    struct fiber *f = ticket.fiber;
    if (f->generation != ticket.generation)
        return false;
    disarm(f->sched, f);
    fiber_end_wait(f->sched, f, OUTCOME_WOKEN);
    return true;
}

void fiber_timer_fired(struct fiber *f, uint32_t generation)
{
    if (f->generation != generation)
        return;
    f->armed = false;
    fiber_end_wait(f->sched, f, OUTCOME_TIMED_OUT);
}

void fiber_sleep_until(struct fiber_sched *sched, int64_t until_ns)
{
    fiber_ticket(sched);
    fiber_park(sched, until_ns);
}

/* ---- waiting for a condition ---------------------------------------------------- */

/* On the waiting fiber's stack. */
struct fiber_cond_waiter {
    struct fiber_cond_waiter *next, *prev;
    struct fiber_cond *cond; /* NULL: not in a list any more */
    struct fiber_ticket ticket;
};

static void waiter_unlink(struct fiber_cond_waiter *w)
{
    struct fiber_cond *cond = w->cond;
    if (!cond)
        return;
    w->cond = NULL;
    if (w->next)
        w->next->prev = w->prev;
    else
        cond->last = w->prev;
    if (w->prev)
        w->prev->next = w->next;
    else
        cond->first = w->next;
}

static void detach(struct fiber_sched *sched, struct fiber *f, bool from_cond)
{
    disarm(sched, f);
    /* It stays in the ready list, and its record with it, until its turn comes. */
    if (f->state == FIBER_READY)
        f->proc->pins++;
    if (from_cond && f->waiter)
        waiter_unlink(f->waiter);
    f->waiter = NULL;
    f->generation = (f->generation + 1) & ~UINT32_C(1);
    f->state = FIBER_KILLED;
    f->proc->fibers--;
    sched->fibers--;
}

enum fiber_woken fiber_cond_wait(struct fiber_sched *sched, struct fiber_cond *cond,
                                 int64_t until_ns)
{
    struct fiber *self = sched->running;
    struct fiber_cond_waiter w = {
        .prev = cond->last, .cond = cond, .ticket = fiber_ticket(sched)};
    if (cond->last)
        cond->last->next = &w;
    else
        cond->first = &w;
    cond->last = &w;
    self->waiter = &w;
    enum fiber_woken woken = fiber_park(sched, until_ns);
    waiter_unlink(&w);
    self->waiter = NULL;
    return woken;
}

bool fiber_cond_signal(struct fiber_cond *cond)
{
    while (cond->first) {
        struct fiber_cond_waiter *w = cond->first;
        waiter_unlink(w);
        /* False for one whose deadline has passed and which has not run since. */
        if (fiber_wake(w->ticket))
            return true;
    }
    return false;
}

void fiber_cond_broadcast(struct fiber_cond *cond)
{
    /* A woken fiber runs later, so none can come back into the list meanwhile. */
    while (fiber_cond_signal(cond))
        ;
}
