/* test_kernel.c - facts about virtual time: order, cancel, deadlines, reuse, threads. */
#include "sim/kernel/kernel.h"

#include "base/arena.h"
#include "base/dice.h"
#include "sim/kernel/agenda.h"
#include "tests/seed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { LOG_MAX = 4096 };

struct log {
    struct kernel *k;
    uint64_t entry[LOG_MAX];
    int64_t at[LOG_MAX];
    int count;
};

static void log_event(void *ctx, uint64_t arg)
{
    struct log *log = ctx;
    assert_true(log->count < LOG_MAX);
    log->at[log->count] = kernel_now(log->k);
    log->entry[log->count++] = arg;
}

static void ties_happen_in_the_order_of_scheduling(void **state)
{
    (void)state;
    struct kernel *k = kernel_new(NULL);
    static struct log log;
    log = (struct log){.k = k};
    /* Two far apart, so that they come from different heaps, at one instant. */
    int64_t far = 5 * JOBQ_NS_PER_S;
    kernel_at(k, far, log_event, &log, 1);
    kernel_at(k, far - JOBQ_NS_PER_MS, log_event, &log, 0);
    kernel_at(k, far, log_event, &log, 2);
    assert_int_equal(kernel_run(k, far - JOBQ_NS_PER_MS), KERNEL_UNTIL);
    assert_int_equal(kernel_now(k), far - JOBQ_NS_PER_MS);
    kernel_at(k, far, log_event, &log, 3); /* near now; still after 1 and 2 */
    kernel_at(k, far - 1, log_event, &log, 9);
    assert_int_equal(kernel_next_at_ns(k), far - 1);
    assert_int_equal(kernel_pending(k), 4);
    assert_int_equal(kernel_run(k, JOBQ_FOREVER), KERNEL_DRY);
    static const uint64_t want[] = {0, 9, 1, 2, 3};
    assert_int_equal(log.count, 5);
    assert_memory_equal(log.entry, want, sizeof want);
    assert_int_equal(kernel_now(k), far);
    assert_int_equal(kernel_events(k), 5);
    assert_int_equal(kernel_next_at_ns(k), JOBQ_FOREVER);
    kernel_free(k);
}

static void stop_event(void *ctx, uint64_t arg)
{
    (void)arg;
    kernel_stop(ctx);
}

static void runs_end_when_told(void **state)
{
    (void)state;
    struct kernel *k = kernel_new(NULL);
    static struct log log;
    log = (struct log){.k = k};
    assert_int_equal(kernel_run(k, 0), KERNEL_DRY);
    assert_int_equal(kernel_run(k, 100), KERNEL_DRY);
    kernel_at(k, 0, log_event, &log, 1);
    kernel_at(k, 10, log_event, &log, 2);
    kernel_at(k, 10, stop_event, k, 0);
    kernel_at(k, 10, log_event, &log, 3);
    kernel_at(k, 11, log_event, &log, 4);
    assert_int_equal(kernel_run(k, 9), KERNEL_UNTIL);
    assert_int_equal(log.count, 1);
    assert_int_equal(kernel_run(k, 10), KERNEL_STOPPED);
    assert_int_equal(log.count, 2);
    assert_int_equal(kernel_run(k, 10), KERNEL_UNTIL);
    assert_int_equal(log.count, 3);
    assert_true(kernel_step(k));
    assert_int_equal(log.count, 4);
    assert_false(kernel_step(k));
    kernel_free(k);
}

/* ---- the heap alone ------------------------------------------------------------------- */

static bool is_odd(void *ctx, wide_u128 key)
{
    (void)ctx;
    return (uint64_t)key & 1;
}

static void the_heap_sorts(void **state)
{
    (void)state;
    struct heap heap;
    heap_init(&heap);
    struct dice dice;
    dice_init(&dice, 7, "heap", 0);
    for (int size = 0; size < 200; size++) {
        wide_u128 last = 0;
        int64_t left = size;
        for (int i = 0; i < size; i++)
            heap_push(&heap, (wide_u128)dice_below(&dice, 16) << 64 | (unsigned)i);
        if (size % 3 == 2) {
            heap_filter(&heap, is_odd, NULL);
            left = size / 2;
        }
        for (; left > 0; left--) {
            wide_u128 top = heap_top(&heap);
            assert_true(top >= last && top != HEAP_KEY_MAX);
            last = top;
            heap_take(&heap);
        }
        assert_true(heap_top(&heap) == HEAP_KEY_MAX);
        assert_int_equal(heap.count, 0);
    }
    heap_release(&heap);
}

/* ---- the agenda beside the heap ---------------------------------------------------------- */

/* From ties to months: into the front, the wheel, around its end, and beyond it. */
static int64_t some_delay_ns(struct dice *dice, uint64_t scales)
{
    uint64_t bits = dice_below(dice, scales);
    return (int64_t)(dice_bits(dice) & (((uint64_t)1 << bits) - 1));
}

static void the_agenda_agrees_with_the_heap(void **state)
{
    (void)state;
    struct heap heap;
    struct agenda agenda;
    heap_init(&heap);
    agenda_init(&agenda);
    struct dice dice;
    dice_init(&dice, 5, "agenda", 0);
    static const uint64_t scales[] = {52, 31, 22, 10, 1};
    for (int round = 0; round < 40; round++) {
        int64_t now_ns = 0;
        uint64_t low = 0, scale = scales[round % 5];
        for (int step = 0; step < 6000; step++) {
            /* Bursts of pushes and of takes, so that it is small, large, and empty. */
            bool grows = (step >> (8 + round % 3)) % 2 == 0;
            if (dice_below(&dice, 16) < (grows ? 11 : 5)) {
                wide_u128 key =
                    (wide_u128)(uint64_t)(now_ns + some_delay_ns(&dice, scale)) << 64 |
                    (low + 1) << AGENDA_SEQUENCE_SHIFT | (low & 1);
                low++;
                heap_push(&heap, key);
                agenda_push(&agenda, now_ns, key);
            } else {
                wide_u128 want = heap_top(&heap);
                assert_true(agenda_top(&agenda, now_ns) == want);
                if (want == HEAP_KEY_MAX)
                    continue;
                heap_take(&heap);
                agenda_take(&agenda, want);
                now_ns = (int64_t)(want >> 64);
            }
            if (dice_below(&dice, 1000) == 0) {
                heap_filter(&heap, is_odd, NULL);
                agenda_filter(&agenda, is_odd, NULL);
            }
            assert_int_equal(agenda_count(&agenda), heap.count - heap.hole);
        }
        heap_clear(&heap);
        agenda_clear(&agenda);
        assert_true(agenda_top(&agenda, 0) == HEAP_KEY_MAX);
    }
    assert_in_range(agenda_bytes(&agenda), 1, 512 << 10);
    agenda_release(&agenda);
    heap_release(&heap);
}

static wide_u128 agenda_key(int64_t at_ns, int number)
{
    return (wide_u128)(uint64_t)at_ns << 64 | (uint64_t)number << AGENDA_SEQUENCE_SHIFT;
}

static int number_of(wide_u128 key)
{
    return (int)((uint64_t)key >> AGENDA_SEQUENCE_SHIFT);
}

/* A bucket's keys are sorted, however many they are, and looked ahead at in order. */
static void a_crowded_instant_is_in_order(void **state)
{
    (void)state;
    struct agenda agenda;
    agenda_init(&agenda);
    for (int count = 1; count < 3000; count += 1 + count / 4) {
        /* The first ones go into the heap, at a later time. */
        for (int i = 0; i <= AGENDA_FEW; i++)
            agenda_push(&agenda, 0, agenda_key(JOBQ_NS_PER_S, i));
        for (int i = 0; i < count; i++) /* 7919 is prime: a permutation */
            agenda_push(
                &agenda, 0,
                agenda_key(JOBQ_NS_PER_MS + i * 7919 % count / 8, i * 7919 % count));
        for (int i = 0; i < count; i++) {
            wide_u128 key = agenda_top(&agenda, 0);
            assert_int_equal(number_of(key), i);
            agenda_take(&agenda, key);
            for (uint32_t j = 0; j + 1 < AGENDA_AHEAD && i + 1 + (int)j < count; j++)
                assert_int_equal(number_of(agenda_ahead(&agenda, j)), i + 1 + (int)j);
        }
        assert_int_equal(agenda_count(&agenda), AGENDA_FEW + 1);
        agenda_clear(&agenda);
    }
    agenda_release(&agenda);
}

static void the_wheel_does_not_overlap_itself(void **state)
{
    (void)state;
    struct agenda agenda;
    agenda_init(&agenda);
    for (int from = 0; from < 3 * AGENDA_TICKS; from += AGENDA_TICKS / 2 + 7) {
        int64_t now_ns = (int64_t)from << AGENDA_TICK_BITS;
        for (int i = 0; i <= AGENDA_FEW; i++)
            agenda_push(&agenda, now_ns, agenda_key(JOBQ_NS_PER_DAY, i));
        int ticks[16], count = 0;
        for (int i = 0; i < 8; i++) {
            ticks[count++] = from + i;
            ticks[count++] = from + AGENDA_TICKS - 4 + i;
        }
        for (int i = 0; i < count; i++)
            agenda_push(&agenda, now_ns,
                        agenda_key((int64_t)ticks[i] << AGENDA_TICK_BITS, i));
        for (int i = 0; i < count; i++) {
            wide_u128 key = agenda_top(&agenda, now_ns);
            assert_int_equal(number_of(key), i < 8 ? 2 * i : 2 * (i - 8) + 1);
            agenda_take(&agenda, key);
            now_ns = (int64_t)(key >> 64);
        }
        agenda_clear(&agenda);
    }
    agenda_release(&agenda);
}

/* ---- a brute-force oracle --------------------------------------------------------------- */

enum { ORACLE_MAX = 600 };

struct oracle {
    struct log log;
    struct dice dice;
    struct {
        int64_t at;
        uint64_t number; /* order of scheduling */
        struct kernel_event_id id;
        bool pending;
    } event[ORACLE_MAX];
    int used;
    uint64_t scheduled;
    int64_t pending;
};

static void oracle_event(void *ctx, uint64_t arg);

static void oracle_schedule(struct oracle *o)
{
    int i = 0;
    while (i < o->used && o->event[i].pending)
        i++;
    if (i == ORACLE_MAX)
        return;
    o->used += i == o->used;
    /* Many ties; some beyond the border between the heaps. */
    int64_t at = kernel_now(o->log.k);
    if (dice_below(&o->dice, 2))
        at += (int64_t)dice_below(&o->dice, 20);
    else
        at += (int64_t)dice_below(&o->dice, 6) * JOBQ_NS_PER_S / 2;
    o->event[i].at = at;
    o->event[i].number = o->scheduled++;
    o->event[i].pending = true;
    o->event[i].id = kernel_at(o->log.k, at, oracle_event, o, o->event[i].number);
    o->pending++;
}

static int oracle_least(const struct oracle *o)
{
    int least = -1;
    for (int i = 0; i < o->used; i++)
        if (o->event[i].pending && (least < 0 || o->event[i].at < o->event[least].at ||
                                    (o->event[i].at == o->event[least].at &&
                                     o->event[i].number < o->event[least].number)))
            least = i;
    return least;
}

static void oracle_event(void *ctx, uint64_t arg)
{
    struct oracle *o = ctx;
    int i = oracle_least(o);
    assert_true(i >= 0);
    assert_int_equal(arg, o->event[i].number);
    assert_int_equal(kernel_now(o->log.k), o->event[i].at);
    o->event[i].pending = false;
    o->pending--;
    if (dice_below(&o->dice, 3) == 0)
        oracle_schedule(o);
}

static void cancel_agrees_with_brute_force(void **state)
{
    (void)state;
    static struct oracle o;
    struct kernel *k = kernel_new(NULL);
    struct seeds seeds = seeds_of(0, 6);
    for (uint64_t seed = seeds.from; seed < seeds.to; seed++) {
        kernel_reset(k);
        memset(&o, 0, sizeof o);
        o.log.k = k;
        dice_init(&o.dice, seed, "oracle", 0);
        uint64_t cancels = 1 + seed % 6 * 2; /* of 16 steps; the rest schedule or run */
        for (int step = 0; step < 6000; step++) {
            uint64_t roll = dice_below(&o.dice, 16);
            if (roll < cancels && o.used > 0) {
                int i = (int)dice_below(&o.dice, (uint64_t)o.used);
                bool was = o.event[i].pending;
                assert_int_equal(kernel_cancel(k, o.event[i].id), was);
                assert_false(kernel_cancel(k, o.event[i].id));
                o.event[i].pending = false;
                o.pending -= was;
            } else if (roll < 13) {
                oracle_schedule(&o);
            } else {
                bool some = o.pending > 0;
                assert_int_equal(kernel_step(k), some);
            }
            assert_int_equal(kernel_pending(k), o.pending);
        }
        kernel_run(k, JOBQ_FOREVER);
        assert_int_equal(o.pending, 0);
        assert_int_equal(kernel_pending(k), 0);
    }
    kernel_free(k);
}

static void a_stale_cancel_is_harmless(void **state)
{
    (void)state;
    struct kernel *k = kernel_new(NULL);
    static struct log log;
    log = (struct log){.k = k};
    struct kernel_event_id none = {0, 0};
    assert_false(kernel_cancel(k, none));
    struct kernel_event_id a = kernel_at(k, 1, log_event, &log, 1);
    kernel_run(k, JOBQ_FOREVER);
    struct kernel_event_id b = kernel_at(k, 2, log_event, &log, 2);
    assert_int_equal(a.slot, b.slot); /* the slot is reused, the id is not */
    assert_false(kernel_cancel(k, a));
    kernel_reset(k);
    struct kernel_event_id c = kernel_at(k, 3, log_event, &log, 3);
    assert_false(kernel_cancel(k, b));
    assert_true(kernel_cancel(k, c));
    assert_int_equal(kernel_run(k, JOBQ_FOREVER), KERNEL_DRY);
    assert_int_equal(log.count, 1);
    kernel_free(k);
}

/* Most long timers never fire: gravestones must not pile up. */
static void cancelled_events_take_no_room(void **state)
{
    (void)state;
    struct kernel *k = kernel_new(NULL);
    static struct log log;
    log = (struct log){.k = k};
    for (int i = 0; i < 200000; i++) {
        struct kernel_event_id id =
            kernel_at(k, 12 * JOBQ_NS_PER_HOUR + i, log_event, &log, 0);
        assert_true(kernel_cancel(k, id));
    }
    assert_in_range(kernel_pool_bytes(k), 1, 32 << 10);
    assert_int_equal(kernel_run(k, JOBQ_FOREVER), KERNEL_DRY);
    assert_int_equal(kernel_now(k), 0);
    kernel_free(k);
}

/* ---- fibers --------------------------------------------------------------------------- */

struct waiter {
    struct kernel *k;
    struct fiber_ticket ticket;
    int64_t until;
    enum fiber_woken woken;
    int64_t woken_at;
    int rounds;
};

static void waits(void *arg)
{
    struct waiter *w = arg;
    struct fiber_sched *s = kernel_fibers(w->k);
    w->ticket = fiber_ticket(s);
    w->woken = fiber_park(s, w->until);
    w->woken_at = kernel_now(w->k);
    w->rounds++;
}

static void grant(void *ctx, uint64_t arg)
{
    (void)arg;
    struct waiter *w = ctx;
    fiber_wake(w->ticket);
}

static void a_tie_goes_to_who_was_scheduled_first(void **state)
{
    (void)state;
    struct kernel *k = kernel_new(NULL);
    /* The deadline is armed when the fiber parks; a grant before that wins, one after it
     * loses. */
    for (int early = 0; early < 2; early++) {
        struct waiter w = {.k = k, .until = kernel_now(k) + 10};
        if (early)
            kernel_at(k, w.until, grant, &w, 0);
        fiber_spawn(fiber_proc_new(kernel_fibers(k), "p"), waits, &w);
        kernel_run(k, kernel_now(k));
        if (!early)
            kernel_wake_at(k, w.until, w.ticket);
        kernel_run(k, JOBQ_FOREVER);
        assert_int_equal(w.rounds, 1);
        assert_int_equal(w.woken, early ? FIBER_WOKEN : FIBER_TIMED_OUT);
        assert_int_equal(w.woken_at, w.until);
    }
    kernel_free(k);
}

static void a_wake_in_time_cancels_the_deadline(void **state)
{
    (void)state;
    struct kernel *k = kernel_new(NULL);
    struct waiter w = {.k = k, .until = 12 * JOBQ_NS_PER_HOUR};
    fiber_spawn(fiber_proc_new(kernel_fibers(k), "p"), waits, &w);
    kernel_run(k, 5);
    kernel_wake_at(k, 7, w.ticket);
    assert_int_equal(kernel_pending(k), 2);
    assert_int_equal(kernel_run(k, JOBQ_FOREVER), KERNEL_DRY);
    assert_int_equal(kernel_now(k), 7);
    assert_int_equal(w.woken, FIBER_WOKEN);
    assert_int_equal(kernel_events(k), 1);
    assert_int_equal(kernel_switches(k), 2);
    kernel_free(k);
}

static void waits_again(void *arg)
{
    struct waiter *w = arg;
    waits(w);
    w->until += 10;
    waits(w);
}

/* The first wait's deadline lies cancelled in the heap while the second has its own. */
static void an_old_deadline_does_not_end_a_new_wait(void **state)
{
    (void)state;
    struct kernel *k = kernel_new(NULL);
    struct waiter w = {.k = k, .until = 10};
    fiber_spawn(fiber_proc_new(kernel_fibers(k), "p"), waits_again, &w);
    kernel_run(k, 5);
    fiber_wake(w.ticket);
    assert_int_equal(kernel_run(k, 10), KERNEL_UNTIL);
    assert_int_equal(w.rounds, 1);
    assert_int_equal(kernel_pending(k), 1);
    kernel_run(k, JOBQ_FOREVER);
    assert_int_equal(w.rounds, 2);
    assert_int_equal(w.woken, FIBER_TIMED_OUT);
    assert_int_equal(w.woken_at, 20);
    kernel_free(k);
}

static void killed_fibers_are_not_woken(void **state)
{
    (void)state;
    struct kernel *k = kernel_new(NULL);
    struct waiter w = {.k = k, .until = 100};
    struct fiber_proc *p = fiber_proc_new(kernel_fibers(k), "p");
    fiber_spawn(p, waits, &w);
    kernel_run(k, 5);
    kernel_wake_at(k, 50, w.ticket);
    fiber_proc_kill(p);
    assert_int_equal(kernel_pending(k), 1); /* the wake, which will find nobody */
    kernel_run(k, JOBQ_FOREVER);
    assert_int_equal(kernel_now(k), 50);
    assert_int_equal(w.rounds, 0);
    kernel_free(k);
}

static void notes_its_turn(void *arg)
{
    struct log *log = arg;
    log_event(log, 100);
}

static void spawn_event(void *ctx, uint64_t arg)
{
    struct log *log = ctx;
    log_event(log, arg);
    fiber_spawn(fiber_proc_new(kernel_fibers(log->k), "p"), notes_its_turn, log);
}

static void ready_fibers_run_before_the_next_event(void **state)
{
    (void)state;
    struct kernel *k = kernel_new(NULL);
    static struct log log;
    log = (struct log){.k = k};
    kernel_at(k, 5, spawn_event, &log, 1);
    kernel_at(k, 5, log_event, &log, 2);
    kernel_run(k, JOBQ_FOREVER);
    static const uint64_t want[] = {1, 100, 2};
    assert_int_equal(log.count, 3);
    assert_memory_equal(log.entry, want, sizeof want);
    kernel_free(k);
}

/* ---- looking ahead ---------------------------------------------------------------------- */

enum { CROWD = 300 }; /* a world of fewer fibers does not look ahead */

static void sleeps_long(void *arg)
{
    kernel_sleep_until(arg, JOBQ_NS_PER_DAY);
}

static void other_event(void *ctx, uint64_t arg)
{
    log_event(ctx, arg);
}

static void look_at(void *ctx, uint64_t arg)
{
    struct log *looked = ctx;
    assert_true(arg < 16);
    looked[1].entry[arg]++;
    assert_int_equal(looked[1].at[arg], 0); /* it has not happened yet */
}

static void looked_event(void *ctx, uint64_t arg)
{
    struct log *log = ctx;
    log[1].at[arg] = 1;
    log_event(log, arg);
}

static void calls_are_looked_at_before_they_happen(void **state)
{
    (void)state;
    struct kernel *k = kernel_new(NULL);
    static struct log log[2]; /* events; by arg, looks and whether it happened */
    kernel_prefetch_for(k, looked_event, look_at, log);
    for (int round = 0; round < 2; round++) {
        kernel_reset(k);
        memset(log, 0, sizeof log);
        log->k = k;
        struct fiber_proc *p = fiber_proc_new(kernel_fibers(k), "crowd");
        for (int i = 0; i < CROWD; i++)
            fiber_spawn(p, sleeps_long, k);
        kernel_run(k, 0);
        struct kernel_event_id id[10];
        for (int i = 0; i < 10; i++)
            id[i] =
                kernel_at(k, i, i == 7 ? other_event : looked_event, log, (uint64_t)i);
        kernel_cancel(k, id[5]);
        kernel_run(k, 10);
        static const uint64_t want[] = {0, 1, 2, 3, 4, 6, 7, 8, 9};
        assert_int_equal(log->count, 9);
        assert_memory_equal(log->entry, want, sizeof want);
        /* There is no look before the first event, and one is skipped with a cancelled call. */
        for (int i = 3; i < 10; i += 1 + (i == 7))
            assert_int_equal(log[1].entry[i] > 0, i != 5 && i != 7);
        assert_int_equal(kernel_run(k, JOBQ_FOREVER), KERNEL_DRY);
        assert_int_equal(kernel_events(k), 9 + CROWD);
    }
    kernel_free(k);
}

/* ---- whole worlds ---------------------------------------------------------------------- */

enum { ACTORS = 40, TURNS = 200 };

struct world {
    struct kernel *k;
    struct fiber_cond cond;
    uint64_t hash;
    uint64_t seed;
};

struct actor {
    struct world *world;
    struct dice dice;
};

static void lives(void *arg)
{
    struct actor *a = arg;
    struct world *w = a->world;
    struct fiber_sched *s = kernel_fibers(w->k);
    for (int i = 0; i < TURNS; i++) {
        int64_t wait_ns = (int64_t)dice_below(&a->dice, 3 * JOBQ_NS_PER_S);
        enum fiber_woken woken = FIBER_TIMED_OUT;
        switch (dice_below(&a->dice, 4)) {
        case 0:
            fiber_sleep_until(s, kernel_now(w->k) + wait_ns);
            break;
        case 1: {
            struct fiber_ticket ticket = fiber_ticket(s);
            kernel_wake_at(w->k, kernel_now(w->k) + wait_ns, ticket);
            woken = fiber_park(s, kernel_now(w->k) + JOBQ_NS_PER_S);
            break;
        }
        case 2:
            woken = fiber_cond_wait(s, &w->cond, kernel_now(w->k) + wait_ns);
            break;
        default:
            fiber_cond_signal(&w->cond);
        }
        w->hash = w->hash * 0x100000001b3u ^ (uint64_t)kernel_now(w->k) ^ (uint64_t)woken;
    }
}

static void world_run(struct world *w)
{
    kernel_reset(w->k);
    w->hash = 0;
    w->cond = (struct fiber_cond){0};
    for (uint64_t i = 0; i < ACTORS; i++) {
        struct fiber_proc *p = fiber_proc_new(kernel_fibers(w->k), "actor");
        struct actor *a = arena_alloc(fiber_proc_arena(p), sizeof *a);
        a->world = w;
        dice_init(&a->dice, w->seed, "actor", i);
        fiber_spawn(p, lives, a);
        if (i % 8 == 0)
            fiber_proc_pin(p);
    }
    kernel_run(w->k, JOBQ_FOREVER);
}

static void the_same_seed_gives_the_same_trace(void **state)
{
    (void)state;
    struct world a = {.k = kernel_new(NULL), .seed = 1};
    world_run(&a);
    uint64_t first = a.hash;
    assert_in_range(kernel_now(a.k), JOBQ_NS_PER_S, 1000 * JOBQ_NS_PER_S);
    int64_t events = kernel_events(a.k);
    /* In a kernel that has been used, and in a new one that allocated differently. */
    a.seed = 2;
    world_run(&a);
    assert_int_not_equal(a.hash, first);
    a.seed = 1;
    world_run(&a);
    assert_int_equal(a.hash, first);
    assert_int_equal(kernel_events(a.k), events);
    struct world b = {.k = kernel_new(&(struct fiber_options){.guard_each = true}),
                      .seed = 1};
    world_run(&b);
    assert_int_equal(b.hash, first);
    kernel_free(a.k);
    kernel_free(b.k);
}

static void reset_reuses_memory(void **state)
{
    (void)state;
    struct world w = {.k = kernel_new(NULL)};
    world_run(&w);
    int64_t bytes = kernel_pool_bytes(w.k);
    for (int i = 0; i < 50; i++) {
        world_run(&w);
        assert_int_equal(kernel_pool_bytes(w.k), bytes);
    }
    /* Dropped in mid-run, with fibers in every state. */
    for (uint64_t i = 0; i < 10; i++) {
        kernel_reset(w.k);
        struct log *log = xcalloc(1, sizeof *log);
        log->k = w.k;
        struct fiber_proc *p = fiber_proc_new(kernel_fibers(w.k), "p");
        for (int j = 0; j < 10; j++)
            fiber_spawn(p, notes_its_turn, log);
        kernel_at(w.k, 5, log_event, log, 1);
        kernel_reset(w.k);
        free(log);
        assert_int_equal(kernel_run(w.k, JOBQ_FOREVER), KERNEL_DRY);
    }
    kernel_free(w.k);
}

static void *thread_runs_world(void *arg)
{
    struct world *w = arg;
    w->k = kernel_new(NULL);
    for (int i = 0; i < 5; i++)
        world_run(w);
    kernel_free(w->k);
    return NULL;
}

static void two_worlds_on_two_threads(void **state)
{
    (void)state;
    struct world alone = {.seed = 3}, w[2] = {{.seed = 3}, {.seed = 3}};
    thread_runs_world(&alone);
    pthread_t thread[2];
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&thread[i], NULL, thread_runs_world, &w[i]), 0);
    for (int i = 0; i < 2; i++)
        pthread_join(thread[i], NULL);
    assert_int_equal(w[0].hash, alone.hash);
    assert_int_equal(w[1].hash, alone.hash);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ties_happen_in_the_order_of_scheduling),
        cmocka_unit_test(runs_end_when_told),
        cmocka_unit_test(the_heap_sorts),
        cmocka_unit_test(the_agenda_agrees_with_the_heap),
        cmocka_unit_test(a_crowded_instant_is_in_order),
        cmocka_unit_test(the_wheel_does_not_overlap_itself),
        cmocka_unit_test(cancel_agrees_with_brute_force),
        cmocka_unit_test(a_stale_cancel_is_harmless),
        cmocka_unit_test(cancelled_events_take_no_room),
        cmocka_unit_test(a_tie_goes_to_who_was_scheduled_first),
        cmocka_unit_test(a_wake_in_time_cancels_the_deadline),
        cmocka_unit_test(an_old_deadline_does_not_end_a_new_wait),
        cmocka_unit_test(killed_fibers_are_not_woken),
        cmocka_unit_test(ready_fibers_run_before_the_next_event),
        cmocka_unit_test(calls_are_looked_at_before_they_happen),
        cmocka_unit_test(the_same_seed_gives_the_same_trace),
        cmocka_unit_test(reset_reuses_memory),
        cmocka_unit_test(two_worlds_on_two_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
