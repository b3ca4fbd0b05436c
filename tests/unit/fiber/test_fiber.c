/* test_fiber.c - facts about fibers, in a toy world whose clock is a list of timers. */
#include "base/arena.h"
#include "base/dice.h"
#include "fiber/fiber.h"
#include "jobq/units.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Set by the build where a fiber costs much more than elsewhere. */
#if defined(__has_include)
#if __has_include(<valgrind/valgrind.h>)
#include <valgrind/valgrind.h>
#endif
#endif
#ifndef RUNNING_ON_VALGRIND
#define RUNNING_ON_VALGRIND 0
#endif

enum { TIMERS = 64 };

struct world {
    struct fiber_sched *sched;
    int64_t now;
    struct {
        int64_t until;
        struct fiber *fiber;
        uint32_t generation;
        bool armed;
    } timer[TIMERS];
    int timers, disarmed;
    bool deaf; /* ignores disarm, as a world may */
    char log[256];
};

static int64_t world_now(void *w)
{
    return ((struct world *)w)->now;
}

static uint64_t world_arm(void *world, int64_t until, struct fiber *f,
                          uint32_t generation)
{
    struct world *w = world;
    assert_true(w->timers < TIMERS);
    assert_true(until > w->now);
    w->timer[w->timers].until = until;
    w->timer[w->timers].fiber = f;
    w->timer[w->timers].generation = generation;
    w->timer[w->timers].armed = true;
    return (uint64_t)w->timers++;
}

static void world_disarm(void *world, uint64_t key)
{
    struct world *w = world;
    assert_true(key < (uint64_t)w->timers && w->timer[key].armed);
    w->disarmed++;
    if (!w->deaf)
        w->timer[key].armed = false;
}

static void world_start(struct world *w, const struct fiber_options *options)
{
    static const struct fiber_timer_ops ops = {world_now, world_arm, world_disarm};
    memset(w, 0, sizeof *w);
    w->sched = fiber_sched_new(&ops, w, options);
}

/* Runs what is ready, then the earliest timer, and so on. */
static void world_run(struct world *w)
{
    for (;;) {
        fiber_run_ready(w->sched);
        int next = -1;
        for (int i = 0; i < w->timers; i++)
            if (w->timer[i].armed &&
                (next < 0 || w->timer[i].until < w->timer[next].until))
                next = i;
        if (next < 0)
            return;
        w->now = w->timer[next].until;
        w->timer[next].armed = false;
        fiber_timer_fired(w->timer[next].fiber, w->timer[next].generation);
    }
}

static void note(struct world *w, const char *text)
{
    assert_true(strlen(w->log) + strlen(text) < sizeof w->log);
    strcat(w->log, text);
}

/* One actor of a test: what it shall do is its function. */
struct actor {
    struct world *w;
    const char *name;
    struct fiber_ticket ticket;
    int64_t until;
    struct fiber_cond *cond;
    struct fiber_proc *victim;
    enum fiber_woken woken;
    bool done;
};

static void yields_twice(void *arg)
{
    struct actor *a = arg;
    for (int i = 0; i < 3; i++) {
        note(a->w, a->name);
        if (i < 2)
            fiber_yield(a->w->sched);
    }
    a->done = true;
}

static void ready_fibers_run_in_order(void **state)
{
    (void)state;
    struct world w;
    world_start(&w, NULL);
    struct fiber_proc *p = fiber_proc_new(w.sched, "p");
    struct actor a = {.w = &w, .name = "a"}, b = {.w = &w, .name = "b"},
                 c = {.w = &w, .name = "c"};
    fiber_spawn(p, yields_twice, &a);
    fiber_spawn(p, yields_twice, &b);
    fiber_spawn(p, yields_twice, &c);
    assert_true(fiber_any_ready(w.sched));
    assert_int_equal(fiber_run_ready(w.sched), 9);
    assert_string_equal(w.log, "abcabcabc");
    assert_false(fiber_any_ready(w.sched));
    assert_int_equal(fiber_switches(w.sched), 9);
    assert_int_equal(fiber_count(w.sched), 0);
    assert_int_equal(fiber_proc_fibers(p), 0);
    assert_true(fiber_proc_alive(p));
    fiber_proc_kill(p);
    fiber_sched_free(w.sched);
}

static void parks(void *arg)
{
    struct actor *a = arg;
    assert_ptr_equal(fiber_self(a->w->sched), fiber_self(a->w->sched));
    a->ticket = fiber_ticket(a->w->sched);
    a->woken = fiber_park(a->w->sched, a->until);
    note(a->w, a->name);
    a->done = true;
}

static void a_wake_is_good_for_one_wait(void **state)
{
    (void)state;
    struct world w;
    world_start(&w, NULL);
    struct fiber_proc *p = fiber_proc_new(w.sched, "p");
    struct actor a = {.w = &w, .name = "a", .until = JOBQ_FOREVER};
    fiber_spawn(p, parks, &a);
    fiber_run_ready(w.sched);
    assert_false(a.done);
    assert_true(fiber_wake(a.ticket));
    assert_false(fiber_wake(a.ticket));
    fiber_run_ready(w.sched);
    assert_true(a.done);
    assert_int_equal(a.woken, FIBER_WOKEN);
    assert_false(fiber_wake(a.ticket));
    /* The record is used again; the old ticket still names nothing. */
    struct actor b = {.w = &w, .name = "b", .until = JOBQ_FOREVER};
    assert_ptr_equal(fiber_spawn(p, parks, &b), a.ticket.fiber);
    fiber_run_ready(w.sched);
    assert_false(fiber_wake(a.ticket));
    assert_false(b.done);
    fiber_sched_free(w.sched);
}

static void wakes_itself_before_it_parks(void *arg)
{
    struct actor *a = arg;
    struct fiber_ticket old = fiber_ticket(a->w->sched);
    struct fiber_ticket now = fiber_ticket(a->w->sched);
    assert_false(fiber_wake(old));
    assert_true(fiber_wake(now));
    assert_false(fiber_wake(now));
    assert_int_equal(fiber_park(a->w->sched, JOBQ_FOREVER), FIBER_WOKEN);
    /* And over a yield: woken while it is in the ready list. */
    now = fiber_ticket(a->w->sched);
    a->ticket = now;
    fiber_yield(a->w->sched);
    assert_int_equal(fiber_park(a->w->sched, JOBQ_FOREVER), FIBER_WOKEN);
    a->done = true;
}

static void wakes_ticket(void *arg)
{
    struct actor *a = arg;
    assert_true(fiber_wake(a[-1].ticket));
}

static void an_early_wake_is_kept(void **state)
{
    (void)state;
    struct world w;
    world_start(&w, NULL);
    struct fiber_proc *p = fiber_proc_new(w.sched, "p");
    struct actor a[2] = {{.w = &w}, {.w = &w}};
    fiber_spawn(p, wakes_itself_before_it_parks, &a[0]);
    fiber_spawn(p, wakes_ticket, &a[1]);
    fiber_run_ready(w.sched);
    assert_true(a[0].done);
    fiber_sched_free(w.sched);
}

static void a_deadline_ends_a_wait(void **state)
{
    (void)state;
    struct world w;
    world_start(&w, NULL);
    struct fiber_proc *p = fiber_proc_new(w.sched, "p");
    struct actor a = {.w = &w, .name = "a", .until = 20},
                 b = {.w = &w, .name = "b", .until = 10},
                 passed = {.w = &w, .name = "p", .until = 0};
    fiber_spawn(p, parks, &a);
    fiber_spawn(p, parks, &b);
    fiber_spawn(p, parks, &passed);
    fiber_run_ready(w.sched);
    /* A deadline that has passed does not even switch. */
    assert_string_equal(w.log, "p");
    assert_int_equal(passed.woken, FIBER_TIMED_OUT);
    assert_int_equal(w.timers, 2);
    world_run(&w);
    assert_string_equal(w.log, "pba");
    assert_int_equal(a.woken, FIBER_TIMED_OUT);
    assert_int_equal(w.now, 20);
    assert_int_equal(w.disarmed, 0);
    fiber_sched_free(w.sched);
}

/* The bug to be designed out: the grant and the deadline come together. */
static void parks_twice(void *arg)
{
    struct actor *a = arg;
    a->ticket = fiber_ticket(a->w->sched);
    a->woken = fiber_park(a->w->sched, a->until);
    note(a->w, a->woken == FIBER_WOKEN ? "W" : "T");
    fiber_ticket(a->w->sched);
    enum fiber_woken again = fiber_park(a->w->sched, a->until + 10);
    note(a->w, again == FIBER_WOKEN ? "W" : "T");
    a->done = true;
}

static void a_tie_of_grant_and_deadline(void **state)
{
    (void)state;
    struct world w;
    struct actor a = {.w = &w, .until = 10};
    /* Deadline first, then the old grant, before the fiber has run: it stays timed
     * out. */
    world_start(&w, NULL);
    fiber_spawn(fiber_proc_new(w.sched, "p"), parks_twice, &a);
    fiber_run_ready(w.sched);
    w.now = 10;
    w.timer[0].armed = false;
    fiber_timer_fired(a.ticket.fiber, a.ticket.generation);
    assert_false(fiber_wake(a.ticket));
    fiber_run_ready(w.sched);
    /* Nor does the grant end its next wait. */
    assert_false(fiber_wake(a.ticket));
    fiber_run_ready(w.sched);
    assert_string_equal(w.log, "T");
    world_run(&w);
    assert_string_equal(w.log, "TT");
    fiber_sched_free(w.sched);

    /* Grant first: the deadline is disarmed, and does nothing where disarm is ignored. */
    for (int deaf = 0; deaf < 2; deaf++) {
        world_start(&w, NULL);
        w.deaf = deaf;
        fiber_spawn(fiber_proc_new(w.sched, "p"), parks_twice, &a);
        fiber_run_ready(w.sched);
        assert_true(fiber_wake(a.ticket));
        assert_int_equal(w.disarmed, 1);
        w.now = 10;
        fiber_timer_fired(a.ticket.fiber, a.ticket.generation);
        fiber_run_ready(w.sched);
        assert_string_equal(w.log, "W");
        fiber_timer_fired(a.ticket.fiber, a.ticket.generation);
        fiber_run_ready(w.sched);
        assert_string_equal(w.log, "W");
        world_run(&w);
        assert_string_equal(w.log, "WT");
        fiber_sched_free(w.sched);
    }
}

static void sleeps(void *arg)
{
    struct actor *a = arg;
    fiber_sleep_until(a->w->sched, a->until);
    note(a->w, a->name);
}

static void sleepers_wake_in_time_order(void **state)
{
    (void)state;
    struct world w;
    world_start(&w, NULL);
    struct fiber_proc *p = fiber_proc_new(w.sched, "p");
    struct actor a = {.w = &w, .name = "a", .until = 30},
                 b = {.w = &w, .name = "b", .until = 10},
                 c = {.w = &w, .name = "c", .until = 20};
    fiber_spawn(p, sleeps, &a);
    fiber_spawn(p, sleeps, &b);
    fiber_spawn(p, sleeps, &c);
    world_run(&w);
    assert_string_equal(w.log, "bca");
    fiber_sched_free(w.sched);
}

static void waits_cond(void *arg)
{
    struct actor *a = arg;
    a->woken = fiber_cond_wait(a->w->sched, a->cond, a->until);
    note(a->w, a->name);
    a->done = true;
}

static void conditions_wake_the_longest_waiting(void **state)
{
    (void)state;
    struct world w;
    world_start(&w, NULL);
    struct fiber_cond cond = {0};
    struct fiber_proc *p = fiber_proc_new(w.sched, "p"),
                      *q = fiber_proc_new(w.sched, "q");
    struct actor a[6];
    for (int i = 0; i < 6; i++) {
        static const char *const name[] = {"0", "1", "2", "3", "4", "5"};
        a[i] = (struct actor){
            .w = &w, .name = name[i], .cond = &cond, .until = JOBQ_FOREVER};
    }
    a[1].until = 5;
    for (int i = 0; i < 6; i++)
        fiber_spawn(i == 2 ? q : p, waits_cond, &a[i]);
    fiber_run_ready(w.sched);
    assert_true(fiber_cond_signal(&cond)); /* 0 */
    world_run(&w);                         /* and the deadline of 1 */
    assert_string_equal(w.log, "01");
    assert_int_equal(a[1].woken, FIBER_TIMED_OUT);
    fiber_proc_kill(q); /* 2 leaves */
    assert_true(fiber_cond_signal(&cond));
    fiber_run_ready(w.sched);
    assert_string_equal(w.log, "013");
    fiber_cond_broadcast(&cond);
    assert_null(cond.first);
    assert_null(cond.last);
    assert_false(fiber_cond_signal(&cond));
    fiber_run_ready(w.sched);
    assert_string_equal(w.log, "01345");
    fiber_sched_free(w.sched);
}

/* A waiter whose deadline came but which has not run yet must not swallow the signal. */
static void a_signal_passes_the_timed_out_by(void **state)
{
    (void)state;
    struct world w;
    world_start(&w, NULL);
    struct fiber_cond cond = {0};
    struct fiber_proc *p = fiber_proc_new(w.sched, "p");
    struct actor a = {.w = &w, .name = "a", .cond = &cond, .until = 5},
                 b = {.w = &w, .name = "b", .cond = &cond, .until = JOBQ_FOREVER};
    fiber_spawn(p, waits_cond, &a);
    fiber_spawn(p, waits_cond, &b);
    fiber_run_ready(w.sched);
    w.now = 5;
    fiber_timer_fired(w.timer[0].fiber, w.timer[0].generation);
    assert_true(fiber_cond_signal(&cond));
    fiber_run_ready(w.sched);
    assert_int_equal(a.woken, FIBER_TIMED_OUT);
    assert_int_equal(b.woken, FIBER_WOKEN);
    assert_string_equal(w.log, "ab");
    fiber_sched_free(w.sched);
}

static void kills_victim(void *arg)
{
    struct actor *a = arg;
    fiber_proc_kill(a->victim);
    note(a->w, a->name);
}

static void kills_own(void *arg)
{
    struct actor *a = arg;
    note(a->w, a->name);
    fiber_proc_kill(fiber_self_proc(a->w->sched));
    note(a->w, "!");
}

static void takes_ticket_and_yields(void *arg)
{
    struct actor *a = arg;
    a->ticket = fiber_ticket(a->w->sched);
    fiber_yield(a->w->sched);
    note(a->w, "!");
}

static void kill_in_every_state(void **state)
{
    (void)state;
    struct world w;
    world_start(&w, NULL);
    struct fiber_proc *bystander = fiber_proc_new(w.sched, "bystander");
    struct fiber_cond cond = {0};
    struct actor ok = {.w = &w, .name = "k"};
    for (int round = 0; round < 3; round++) { /* the records are reused */
        struct fiber_proc *p = fiber_proc_new(w.sched, "p");
        memset(arena_alloc(fiber_proc_arena(p), 10000), 1, 10000);
        struct actor parked = {.w = &w, .name = "!", .until = JOBQ_FOREVER},
                     dated = {.w = &w, .name = "!", .until = w.now + 100},
                     in_cond = {.w = &w,
                                .name = "!",
                                .cond = &cond,
                                .until = w.now + 100},
                     between = {.w = &w}, fresh = {.w = &w, .name = "!"};
        fiber_spawn(p, parks, &parked);
        fiber_spawn(p, parks, &dated);
        fiber_spawn(p, waits_cond, &in_cond);
        fiber_run_ready(w.sched);
        /* Ready behind the killer: one that is new, one just woken, one that yielded. */
        struct actor woken = {.w = &w, .name = "!", .until = JOBQ_FOREVER};
        fiber_spawn(p, parks, &woken);
        fiber_run_ready(w.sched);
        fiber_spawn(p, takes_ticket_and_yields, &between);
        struct actor killer = {.w = &w, .name = "k", .victim = p};
        fiber_spawn(bystander, kills_victim, &killer);
        fiber_spawn(p, yields_twice, &fresh);
        assert_true(fiber_wake(woken.ticket));
        w.disarmed = 0;
        assert_int_equal(fiber_proc_fibers(p), 6);
        fiber_run_ready(w.sched);
        assert_int_equal(w.disarmed, 2);
        assert_null(cond.first);
        assert_false(fiber_wake(parked.ticket));
        assert_false(fiber_wake(dated.ticket));
        assert_false(fiber_wake(between.ticket));
        assert_int_equal(fiber_count(w.sched), 0);
    }
    world_run(&w);
    assert_string_equal(w.log, "kkk");
    fiber_spawn(bystander, yields_twice, &ok);
    world_run(&w);
    assert_true(ok.done);
    fiber_sched_free(w.sched);
}

static void a_process_may_kill_itself(void **state)
{
    (void)state;
    struct world w;
    world_start(&w, NULL);
    for (int round = 0; round < 3; round++) {
        struct fiber_proc *p = fiber_proc_new(w.sched, "p");
        struct actor other = {.w = &w, .name = "!", .until = JOBQ_FOREVER},
                     self = {.w = &w, .name = "s"}, behind = {.w = &w, .name = "!"};
        bool pinned = round == 1;
        if (pinned)
            fiber_proc_pin(p);
        fiber_spawn(p, parks, &other);
        fiber_spawn(p, kills_own, &self);
        fiber_spawn(p, yields_twice, &behind);
        assert_int_equal(fiber_run_ready(w.sched), 2);
        assert_false(fiber_wake(other.ticket));
        assert_int_equal(fiber_count(w.sched), 0);
        if (pinned) {
            assert_false(fiber_proc_alive(p));
            fiber_proc_unpin(p);
        }
    }
    assert_string_equal(w.log, "sss");
    fiber_sched_free(w.sched);
}

struct call {
    struct world *w;
    const int *argument; /* on the caller's stack */
};

static void makes_a_call(void *arg)
{
    struct call *call = arg;
    int argument = 4711;
    call->argument = &argument;
    fiber_ticket(call->w->sched);
    fiber_park(call->w->sched, JOBQ_FOREVER);
    note(call->w, "!");
}

static void uses_much_stack(void *arg)
{
    volatile char filler[4096];
    for (size_t i = 0; i < sizeof filler; i++)
        filler[i] = 1;
    (void)arg;
}

static void a_pin_keeps_stack_and_arena(void **state)
{
    (void)state;
    struct world w;
    world_start(&w, NULL);
    struct fiber_proc *p = fiber_proc_new(w.sched, "p"),
                      *q = fiber_proc_new(w.sched, "q");
    struct call call = {.w = &w};
    char *kept = arena_cstr(fiber_proc_arena(p), "kept");
    fiber_proc_pin(p);
    fiber_proc_pin(p);
    fiber_spawn(p, makes_a_call, &call);
    fiber_run_ready(w.sched);
    fiber_proc_kill(p);
    assert_false(fiber_proc_alive(p));
    fiber_proc_unpin(p);
    for (int i = 0; i < 50; i++) /* stacks that may be reused are overwritten */
        fiber_spawn(q, uses_much_stack, NULL);
    fiber_run_ready(w.sched);
    assert_int_equal(*call.argument, 4711);
    assert_string_equal(kept, "kept");
    struct fiber *pinned = NULL;
    fiber_proc_unpin(p);
    /* Now the stack is free, and the first to be taken: the warmest. */
    pinned = fiber_spawn(q, uses_much_stack, NULL);
    assert_true((const char *)call.argument < (const char *)pinned);
    assert_true((const char *)call.argument > (const char *)pinned - (64 << 10));
    fiber_run_ready(w.sched);
    assert_string_equal(w.log, "");
    fiber_sched_free(w.sched);
}

static void free_ends_what_is_left(void **state)
{
    (void)state;
    struct world w;
    world_start(&w, NULL);
    struct actor a = {.w = &w, .name = "!", .until = 100}, b = a;
    struct fiber_proc *p = fiber_proc_new(w.sched, "p"),
                      *q = fiber_proc_new(w.sched, "q");
    arena_alloc(fiber_proc_arena(p), 100);
    fiber_proc_pin(q);
    fiber_spawn(p, parks, &a);
    fiber_spawn(q, parks, &b);
    fiber_run_ready(w.sched);
    fiber_proc_kill(q);
    fiber_sched_reset(w.sched);
    assert_int_equal(w.disarmed, 2);
    assert_int_equal(fiber_count(w.sched), 0);
    assert_int_equal(fiber_switches(w.sched), 0);
    assert_false(fiber_wake(a.ticket));
    /* And all over again. */
    struct actor c = {.w = &w, .name = "c", .until = 300};
    fiber_spawn(fiber_proc_new(w.sched, "p"), parks, &c);
    world_run(&w);
    assert_string_equal(w.log, "c");
    fiber_spawn(fiber_proc_new(w.sched, "p"), parks, &c);
    fiber_run_ready(w.sched);
    fiber_sched_free(w.sched);
}

struct crowd {
    struct world *w;
    int64_t sum;
};

static void joins_the_crowd(void *arg)
{
    struct crowd *crowd = arg;
    fiber_ticket(crowd->w->sched);
    fiber_yield(crowd->w->sched);
    crowd->sum++;
    fiber_park(crowd->w->sched, JOBQ_FOREVER);
}

static int64_t mappings(void)
{
    FILE *f = fopen("/proc/self/maps", "r");
    if (!f)
        return 0;
    int64_t lines = 0;
    for (int c; (c = getc(f)) != EOF;)
        lines += c == '\n';
    fclose(f);
    return lines;
}

static void a_hundred_thousand_at_once(void **state)
{
    (void)state;
    struct world w;
    int64_t many = RUNNING_ON_VALGRIND ? 2000 : 100000;
    int64_t before = mappings();
    world_start(&w, NULL);
    struct fiber_proc *p = fiber_proc_new(w.sched, "p");
    struct crowd crowd = {.w = &w};
    for (int round = 0; round < 2; round++) {
        crowd.sum = 0;
        for (int64_t i = 0; i < many; i++)
            fiber_spawn(p, joins_the_crowd, &crowd);
        assert_int_equal(fiber_run_ready(w.sched), 2 * many);
        assert_int_equal(crowd.sum, many);
        assert_int_equal(fiber_count(w.sched), many);
        /* vm.max_map_count is 65,530 on a stock kernel. */
        assert_true(mappings() - before < 1000);
        fiber_proc_kill(p);
        p = fiber_proc_new(w.sched, "p");
    }
    fiber_sched_free(w.sched);
}

static int depth_of(volatile char *above, int levels)
{
    volatile char here[1024];
    here[0] = (char)levels;
    here[1023] = above ? above[0] : 0;
    return levels > 0 ? depth_of(here, levels - 1) + here[0] : here[1023];
}

static void goes_deep(void *arg)
{
    volatile int *sum = arg;
    *sum += depth_of(NULL, 4);
}

static void paint_tells_the_depth(void **state)
{
    (void)state;
    for (int guard = 0; guard < 2; guard++) {
        struct world w;
        const struct fiber_options options = {
            .stack_bytes = 32 << 10, .paint = true, .guard_each = guard};
        world_start(&w, &options);
        struct fiber_proc *p = fiber_proc_new(w.sched, "p");
        volatile int sum = 0;
        assert_int_equal(fiber_stack_used_max(w.sched), 0);
        for (int i = 0; i < 40; i++)
            fiber_spawn(p, goes_deep, (void *)(uintptr_t)&sum);
        fiber_run_ready(w.sched);
        assert_in_range(fiber_stack_used_max(w.sched), 5 * 1024, 16 << 10);
        fiber_sched_free(w.sched);
    }
}

struct tracer {
    struct world *w;
    struct dice dice;
    uint64_t *hash;
    struct fiber_cond *cond;
};

static void acts_at_random(void *arg)
{
    struct tracer *t = arg;
    struct fiber_sched *s = t->w->sched;
    /* Doubles and integers over the switches: callee-saved registers are kept. */
    double x = 1;
    uint64_t a = 1, b = 2, c = 3, d = 4, e = 5, f = 6;
    for (int i = 0; i < 200; i++) {
        uint64_t roll = dice_below(&t->dice, 4);
        if (roll == 0)
            fiber_yield(s);
        else if (roll == 1)
            fiber_cond_signal(t->cond);
        else
            fiber_cond_wait(s, t->cond, t->w->now);
        *t->hash = *t->hash * 31 + roll;
        x *= 1.25, a += 1, b += 2, c += 3, d += 4, e += 5, f += 6;
    }
    assert_true(x > 0x1p64 && x < 0x1p65);
    assert_int_equal(a + b + c + d + e + f, 21 + 21 * 200);
}

static uint64_t random_trace(uint64_t seed)
{
    struct world w;
    world_start(&w, NULL);
    struct fiber_cond cond = {0};
    uint64_t hash = 0;
    struct tracer t[20];
    struct fiber_proc *p = fiber_proc_new(w.sched, "p");
    for (uint64_t i = 0; i < 20; i++) {
        t[i] = (struct tracer){.w = &w, .hash = &hash, .cond = &cond};
        dice_init(&t[i].dice, seed, "tracer", i);
        fiber_spawn(p, acts_at_random, &t[i]);
    }
    fiber_run_ready(w.sched);
    fiber_sched_free(w.sched);
    return hash;
}

static void the_same_seed_gives_the_same_trace(void **state)
{
    (void)state;
    assert_int_equal(random_trace(1), random_trace(1));
    assert_int_not_equal(random_trace(1), random_trace(2));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ready_fibers_run_in_order),
        cmocka_unit_test(a_wake_is_good_for_one_wait),
        cmocka_unit_test(an_early_wake_is_kept),
        cmocka_unit_test(a_deadline_ends_a_wait),
        cmocka_unit_test(a_tie_of_grant_and_deadline),
        cmocka_unit_test(sleepers_wake_in_time_order),
        cmocka_unit_test(conditions_wake_the_longest_waiting),
        cmocka_unit_test(a_signal_passes_the_timed_out_by),
        cmocka_unit_test(kill_in_every_state),
        cmocka_unit_test(a_process_may_kill_itself),
        cmocka_unit_test(a_pin_keeps_stack_and_arena),
        cmocka_unit_test(free_ends_what_is_left),
        cmocka_unit_test(a_hundred_thousand_at_once),
        cmocka_unit_test(paint_tells_the_depth),
        cmocka_unit_test(the_same_seed_gives_the_same_trace),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
