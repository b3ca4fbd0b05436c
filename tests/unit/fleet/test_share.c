/* test_share.c - several queues in one drain: shares by weight, idle queues, ends. */
#include "stage.h"

#include "base/arena.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { QUEUES_MAX = 3 };

/* One process with a drainer for each of its queues. */
struct shared {
    struct stage *st;
    struct world_proc *proc;
    struct jobq_ledger ledger;
    struct drainer_share *share;
    int slots, count;
    struct shared_queue {
        struct shared *shared;
        const char *name;
        int weight;
        struct enqueuer *enqueuer;
        struct jobq_backend b;
        struct drainer_options options;
        struct drainer *d;
        bool returned;
        int code;
        struct jobq_error err;
        int done;
        int64_t waited_ns; /* the longest, from send to start */
    } queue[QUEUES_MAX];
};

static void on_event(void *ctx, const struct drainer_event *event)
{
    struct shared_queue *q = ctx;
    q->done += event->kind == DRAINER_ENDED && event->state == JOB_DONE;
    if (event->kind == DRAINER_STARTED) {
        int64_t waited_ns = jobq_wall(&q->b) - event->enqueued_wall_ns;
        q->waited_ns = waited_ns > q->waited_ns ? waited_ns : q->waited_ns;
    }
}

static void run_queue(void *arg)
{
    struct shared_queue *q = arg;
    q->code = drainer_run(q->d, &q->err);
    q->returned = true;
}

static void begin(void *ctx)
{
    struct shared *sh = ctx;
    sh->share = drainer_share_new(world_backend(sh->proc), sh->slots);
    for (int i = 0; i < sh->count; i++) {
        struct shared_queue *q = &sh->queue[i];
        q->b = *world_backend(sh->proc);
        q->options.share = sh->share;
        if (drainer_new(&q->b, &q->options, &q->d, &q->err) < 0)
            fail_msg("%s", q->err.text);
    }
    for (int i = 0; i < sh->count; i++)
        fiber_spawn(world_fibers(sh->proc), run_queue, &sh->queue[i]);
}

static void open_queue(void *ctx)
{
    struct shared_queue *q = ctx;
    struct stage *st = q->shared->st;
    struct enqueuer_options options = st->enqueue;
    struct jobq_error err;
    options.queue = q->name;
    if (enqueuer_new(st->b, &options, &q->enqueuer, &err) < 0)
        fail_msg("%s", err.text);
}

static struct shared *shared_new(int slots, const int *weight, int count)
{
    static const char *const names[QUEUES_MAX] = {"first", "second", "third"};
    struct shared *sh = xcalloc(1, sizeof *sh);
    sh->st = stage_new("aws-2026", 30 * S);
    sh->proc = world_proc_new(sh->st->w, "drainer", 0, NULL, &sh->ledger, 0);
    sh->slots = slots;
    sh->count = count;
    for (int i = 0; i < count; i++) {
        struct shared_queue *q = &sh->queue[i];
        q->shared = sh;
        q->name = names[i];
        q->weight = weight[i];
        q->options = drainer_defaults(q->name, slots);
        q->options.weight = weight[i];
        q->options.stats_ns = JOBQ_FOREVER;
        q->options.housekeeping_ns = JOBQ_FOREVER;
        q->options.on_event = on_event;
        q->options.event_ctx = q;
        stage_do(sh->st, open_queue, q);
    }
    return sh;
}

static void shared_start(struct shared *sh)
{
    stage_do_in(sh->st, sh->proc, begin, sh);
}

static void shared_free(struct shared *sh)
{
    stage_free(sh->st);
    jobq_ledger_release(&sh->ledger);
    free(sh);
}

static void put(struct shared *sh, int queue, int count, const char *seconds)
{
    struct enqueuer *own = sh->st->e;
    sh->st->e = sh->queue[queue].enqueuer;
    stage_enqueue(sh->st, count, seconds);
    sh->st->e = own;
}

/* Slot time of each queue's attempts that ended between two looks. */
static void busy(const struct shared *sh, int64_t out_ns[QUEUES_MAX])
{
    for (int i = 0; i < sh->count; i++) {
        struct drainer_view view;
        drainer_view(sh->queue[i].d, &view);
        out_ns[i] = view.counters.busy_slot_ns;
    }
}

static void check_shares(int slots, const int *weight, const int *jobs,
                         const char *const *seconds, int count, int64_t for_ns)
{
    struct shared *sh = shared_new(slots, weight, count);
    int64_t before_ns[QUEUES_MAX], after_ns[QUEUES_MAX], all_ns = 0, weights = 0;
    for (int i = 0; i < count; i++)
        put(sh, i, jobs[i], seconds[i]);
    shared_start(sh);
    stage_run_for(sh->st, 20 * S);
    busy(sh, before_ns);
    stage_run_for(sh->st, for_ns);
    busy(sh, after_ns);
    for (int i = 0; i < count; i++) {
        assert_true(sh->queue[i].done < jobs[i]); /* each had work all the time */
        all_ns += after_ns[i] - before_ns[i];
        weights += weight[i];
    }
    for (int i = 0; i < count; i++) {
        double share = (double)(after_ns[i] - before_ns[i]) / (double)all_ns;
        double due = (double)weight[i] / (double)weights;
        print_message("weight %d of %d slots, jobs of %s s: %.4f of the time, due %.4f\n",
                      weight[i], slots, seconds[i], share, due);
        assert_true(fabs(share / due - 1) <= 0.02);
    }
    /* Few slots stay idle. */
    assert_true((double)all_ns > 0.9 * (double)slots * (double)for_ns);
    shared_free(sh);
}

static void shares_are_as_the_weights_say(void **state)
{
    (void)state;
    check_shares(8, (const int[]){3, 1}, (const int[]){2500, 1500},
                 (const char *const[]){"1", "1"}, 2, 300 * S);
}

static void jobs_of_any_length_share_by_time(void **state)
{
    (void)state;
    check_shares(10, (const int[]){2, 1}, (const int[]){3000, 300},
                 (const char *const[]){"0.5", "7"}, 2, 200 * S);
}

static void more_queues_than_slots_starve_none(void **state)
{
    (void)state;
    check_shares(2, (const int[]){7, 2, 1}, (const int[]){1000, 500, 500},
                 (const char *const[]){"2", "2", "2"}, 3, 800 * S);
}

static void an_idle_queues_share_goes_to_the_others(void **state)
{
    (void)state;
    struct shared *sh = shared_new(10, (const int[]){1, 9}, 2);
    put(sh, 0, 2000, "2");
    shared_start(sh);
    stage_run_for(sh->st, 20 * S);
    int64_t before_ns[QUEUES_MAX], after_ns[QUEUES_MAX];
    busy(sh, before_ns);
    stage_run_for(sh->st, 100 * S);
    busy(sh, after_ns);
    assert_true((double)(after_ns[0] - before_ns[0]) > 0.95 * 10 * 100 * (double)S);
    shared_free(sh);
}

/* One that has been idle claims no more than its share, and waits for a slot only. */
static void a_light_queue_waits_for_one_slot(void **state)
{
    (void)state;
    struct shared *sh = shared_new(4, (const int[]){1, 1}, 2);
    put(sh, 0, 3000, "1");
    shared_start(sh);
    stage_run_for(sh->st, 60 * S);
    for (int i = 0; i < 20; i++) {
        put(sh, 1, 1, "1");
        stage_run_for(sh->st, 7 * S);
    }
    assert_int_equal(sh->queue[1].done, 20);
    print_message("a light queue's jobs waited %.3f s at most, behind jobs of 1 s\n",
                  (double)sh->queue[1].waited_ns / S);
    assert_true(sh->queue[1].waited_ns < 3 * S / 2);
    int64_t before_ns[QUEUES_MAX], after_ns[QUEUES_MAX];
    put(sh, 1, 600, "1");
    busy(sh, before_ns);
    stage_run_for(sh->st, 30 * S);
    busy(sh, after_ns);
    double second = (double)(after_ns[1] - before_ns[1]);
    assert_true(second < 0.55 * (second + (double)(after_ns[0] - before_ns[0])));
    shared_free(sh);
}

static void all_end_idle_together(void **state)
{
    (void)state;
    struct shared *sh = shared_new(4, (const int[]){1, 1}, 2);
    for (int i = 0; i < 2; i++)
        sh->queue[i].options.idle_exit_ns = 10 * S;
    put(sh, 0, 40, "10"); /* 100 s */
    put(sh, 1, 1, "1");
    shared_start(sh);
    stage_run_for(sh->st, 60 * S);
    int64_t receives = sh->ledger.action[JOBQ_ACT_SQS_RECEIVE].requests;
    assert_false(sh->queue[1].returned);
    stage_run_for(sh->st, 20 * S);
    /* The quiet one waits by long polls. */
    assert_in_range(sh->ledger.action[JOBQ_ACT_SQS_RECEIVE].requests - receives, 0, 16);
    put(sh, 1, 1, "1"); /* it still takes work */
    stage_run_for(sh->st, 10 * S);
    assert_int_equal(sh->queue[1].done, 2);
    stage_run_for(sh->st, 100 * S);
    for (int i = 0; i < 2; i++) {
        assert_true(sh->queue[i].returned);
        assert_int_equal(sh->queue[i].code, JOBQ_OK);
    }
    assert_int_equal(sh->queue[0].done, 40);
    shared_free(sh);
}

/* No long poll comes before an end that waits for nothing. */
static void no_idle_time_ends_at_once(void **state)
{
    (void)state;
    struct stage *st = stage_new("aws-2026", 30 * S);
    struct stage_drainer *sd = stage_drain(st, 2);
    sd->options.idle_exit_ns = 0;
    sd->options.housekeeping_ns = JOBQ_FOREVER;
    stage_run_for(st, 2 * S);
    assert_true(sd->returned);
    assert_int_equal(sd->code, JOBQ_OK);
    stage_free(st);
}

static void a_stopped_queue_leaves_its_share(void **state)
{
    (void)state;
    struct shared *sh = shared_new(4, (const int[]){1, 1}, 2);
    sh->queue[0].options.idle_exit_ns = 5 * S;
    put(sh, 0, 400, "1");
    put(sh, 1, 400, "1");
    shared_start(sh);
    stage_run_for(sh->st, 20 * S);
    drainer_stop(sh->queue[1].d, kernel_now(sh->st->k) + 10 * S);
    stage_run_for(sh->st, 20 * S);
    assert_true(sh->queue[1].returned);
    assert_int_equal(sh->queue[1].code, JOBQ_OK);
    int done = sh->queue[0].done;
    stage_run_for(sh->st, 20 * S);
    assert_in_range(sh->queue[0].done - done, 65, 81);
    stage_run_for(sh->st, 120 * S);
    assert_int_equal(sh->queue[0].done, 400);
    assert_true(sh->queue[0].returned); /* the end is its own affair */
    shared_free(sh);
}

/* A part that is full has nothing to ask for: no watchdog may take that for a hung poll. */
static void a_full_part_does_not_poll(void **state)
{
    (void)state;
    struct drainer_view view;
    struct shared *sh = shared_new(2, (const int[]){1, 1}, 2);
    for (int i = 0; i < 2; i++)
        put(sh, i, 5, "600");
    shared_start(sh);
    stage_run_for(sh->st, 300 * S);
    for (int i = 0; i < 2; i++) {
        drainer_view(sh->queue[i].d, &view);
        assert_int_equal(view.busy, 1);
        assert_false(view.polls);
        assert_true(kernel_now(sh->st->k) - view.last_poll_at_ns > 200 * S);
    }
    stage_run_for(sh->st, 3000 * S);
    drainer_view(sh->queue[0].d, &view);
    assert_true(view.polls); /* the queue is empty: a poll waits */
    shared_free(sh);
}

static void weights_have_a_range(void **state)
{
    (void)state;
    struct stage *st = stage_new("aws-2026", 30 * S);
    struct stage_drainer *sd = stage_drain(st, 1);
    sd->options.weight = 0;
    stage_run_for(st, S);
    assert_true(sd->returned);
    assert_int_equal(sd->code, JOBQ_LIMIT);
    assert_non_null(strstr(sd->err.text, "weight"));
    stage_free(st);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shares_are_as_the_weights_say),
        cmocka_unit_test(jobs_of_any_length_share_by_time),
        cmocka_unit_test(more_queues_than_slots_starve_none),
        cmocka_unit_test(an_idle_queues_share_goes_to_the_others),
        cmocka_unit_test(a_light_queue_waits_for_one_slot),
        cmocka_unit_test(all_end_idle_together),
        cmocka_unit_test(no_idle_time_ends_at_once),
        cmocka_unit_test(a_stopped_queue_leaves_its_share),
        cmocka_unit_test(a_full_part_does_not_poll),
        cmocka_unit_test(weights_have_a_range),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
