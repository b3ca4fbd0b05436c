/* test_autoscale.c - an autoscaled fleet, simulated: it comes from nothing and goes to nothing,
 * loses nothing, keeps its bounds, and two autoscalers start no more than one. */
#include "played.h"

#include "jobq/units.h"
#include "scenario/scaled.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* What a run is watched for, and a second autoscaler beside its own. */
struct watched {
    struct played run;
    struct world *w;
    int64_t most_alive;
    void (*job)(void *ctx, int64_t *job_ns); /* NULL: jobs are as the scenario says */
    /* The second one. */
    bool second;
    int64_t skew_ns, looks, wanted_first, launched;
    struct jobq_ledger ledger;
};

static int64_t alive(struct world *w)
{
    int64_t count = 0;
    for (int32_t i = 0; i < ec2_instance_count(world_ec2(w)); i++)
        count += ec2_instance_at(world_ec2(w), i)->state <= EC2_RUNNING;
    return count;
}

static void see_event(void *ctx, const struct drainer_event *event)
{
    struct watched *t = ctx;
    int64_t now = alive(t->w);
    (void)event;
    if (now > t->most_alive)
        t->most_alive = now;
}

static int no_user_data(void *ctx, bool stays, struct text *out, struct jobq_error *err)
{
    (void)ctx;
    (void)stays;
    (void)err;
    text_puts(out, "leaves");
    return JOBQ_OK;
}

static void see_second(void *ctx, const struct scale_report *report)
{
    struct watched *t = ctx;
    if (t->looks++ == 0)
        t->wanted_first = report->decision.wanted;
    t->launched += report->said[0] ? report->decision.launch : 0;
}

static void run_second(void *arg)
{
    struct watched *t = arg;
    struct world_proc *proc = world_proc_new(t->w, "second", 0, NULL, &t->ledger, 0);
    struct jobq_backend *b = world_backend(proc);
    const struct operate_options how = {.queue = REPLICATION_QUEUE,
                                        .type = t->run.scenario.instance,
                                        .image = "ami-0123456789abcdef0",
                                        .boxes_max = (int)t->run.scenario.boxes_max,
                                        .user_data = no_user_data};
    struct scale_options o = {
        .queue = REPLICATION_QUEUE, .decided = see_second, .ctx = t};
    struct scale *scale;
    struct jobq_error err;
    world_set_wall(b, t->skew_ns);
    assert_int_equal(scenario_scale_options(&t->run.scenario, 0, &o, &err), JOBQ_OK);
    o.operate = operate_new(b, &how);
    assert_int_equal(scale_new(b, &o, &scale, &err), JOBQ_OK);
    scale_run(scale, &err);
}

static void see_origin(void *ctx, struct world *w)
{
    struct watched *t = ctx;
    t->w = w;
    if (t->second)
        fiber_spawn(world_fibers(world_proc_new(w, "starter", 0, NULL, &t->ledger, 0)),
                    run_second, t);
}

static void watch(struct watched *t, const char *options)
{
    const struct replication_hooks hooks = {
        .ctx = t, .origin = see_origin, .event = see_event, .job = t->job};
    double box_hour_usd = t->run.box_hour_usd;
    played_set_up(&t->run, options);
    t->run.box_hour_usd = box_hour_usd;
    jobq_ledger_init(&t->ledger);
    played_play(&t->run, &hooks);
}

static void end_watch(struct watched *t)
{
    jobq_ledger_release(&t->ledger);
    played_end(&t->run);
}

static void assert_nothing_lost(const struct watched *t, int64_t jobs)
{
    const struct replication_result *r = &t->run.result;
    if (t->run.code != JOBQ_OK)
        fail_msg("%s", t->run.err.text);
    assert_int_equal(r->done, jobs);
    /* A box that left with a job would have it run twice. */
    assert_int_equal(r->attempts, jobs);
    assert_int_equal(r->failed, 0);
}

/* Jobs with a heavy tail: while the last ones run, boxes that have none leave, by themselves. */
static void an_empty_queue_drains_to_an_empty_fleet(void **state)
{
    (void)state;
    static const char *const stores[] = {"simpledb", "dynamodb", "none"};
    for (int i = 0; i < 3; i++) {
        struct watched t = {0};
        char options[200];
        snprintf(options, sizeof options,
                 "jobs=1500 arrivals=poisson:2/s job-time=lognormal:mean=20s,cv=3 "
                 "concurrency=4 target-time=1min autoscale=yes store=%s seed=3",
                 stores[i]);
        watch(&t, options);
        assert_nothing_lost(&t, 1500);
        assert_int_equal(alive(t.w), 0);
        /* 2 a second of 20 s are 40 slots: 10 boxes. */
        assert_true(t.most_alive >= 10 && t.most_alive <= 20);
        int64_t last_ns = 0, left_before = 0;
        const struct jobrec_table *jobs = replication_jobs(t.run.replication);
        for (int64_t k = 0; k < jobs->count; k++)
            if (jobs->rec[k].ended_at_ns > last_ns)
                last_ns = jobs->rec[k].ended_at_ns;
        for (int32_t k = 0; k < ec2_instance_count(world_ec2(t.w)); k++) {
            const struct ec2_instance *e = ec2_instance_at(world_ec2(t.w), k);
            assert_int_equal(e->reason, EC2_REASON_GUEST);
            left_before += e->ended_at_ns < last_ns;
        }
        assert_true(left_before > 0);
        end_watch(&t);
    }
}

/* Box time is paid for as long as boxes stay idle, and not from before they were needed. */
static void a_fleet_that_waits_costs_nothing(void **state)
{
    (void)state;
    struct watched t = {0};
    watch(&t, "jobs=3 arrivals=every:2h job-time=10s autoscale=yes");
    assert_nothing_lost(&t, 3);
    const struct jobq_ledger *ledger = t.run.result.ledger;
    assert_int_equal(ledger->instance_count, 3);
    for (int64_t i = 0; i < 3; i++) {
        const struct jobq_instance_use *use = &ledger->instance[i];
        double ran_s = (double)(use->ended_at_ns - use->running_at_ns) / 1e9;
        assert_true(ran_s > 70 && ran_s < 150); /* boot, 10 s, 60 s idle, a poll */
    }
    end_watch(&t);
}

static void bounds_are_kept(void **state)
{
    (void)state;
    static const char base[] = "jobs=2000 job-time=5s concurrency=2 autoscale=yes ";
    static const struct {
        const char *more;
        double box_hour_usd;
        int64_t most;
    } cases[] = {{"target-time=1min max-boxes=3", 0, 3},
                 {"target-time=1min max-dollars-hour=0.05", 0.0168, 2},
                 {"target-time=1h max-boxes=50", 0, 2}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct watched t = {.run.box_hour_usd = cases[i].box_hour_usd};
        char options[200];
        snprintf(options, sizeof options, "%s%s", base, cases[i].more);
        watch(&t, options);
        assert_nothing_lost(&t, 2000);
        assert_int_equal(t.most_alive, cases[i].most);
        end_watch(&t);
    }
}

static void the_least_boxes_stay(void **state)
{
    (void)state;
    struct watched t = {0};
    watch(&t, "jobs=3 arrivals=every:1h job-time=10s autoscale=yes min-boxes=2");
    assert_nothing_lost(&t, 3);
    assert_int_equal(t.run.result.ledger->instance_count, 2);
    end_watch(&t);
}

static void a_cap_in_dollars_wants_a_price(void **state)
{
    (void)state;
    struct watched t = {0};
    watch(&t, "jobs=3 autoscale=yes max-dollars-hour=1");
    assert_int_equal(t.run.code, JOBQ_INVALID);
    assert_non_null(strstr(t.run.err.text, "price of a 't4g.small' is not known"));
    end_watch(&t);
}

static void takes_a_minute(void *ctx, int64_t *job_ns)
{
    (void)ctx;
    *job_ns = JOBQ_NS_PER_MIN;
}

/* A guess of 1 s, and jobs of 60: once the first have ended, more boxes come. Without rows
 * nothing can be learnt. */
static void a_wrong_guess_is_learnt_from(void **state)
{
    (void)state;
    static const char *const stores[] = {"none", "simpledb"};
    int64_t most[2];
    for (int i = 0; i < 2; i++) {
        struct watched t = {.job = takes_a_minute};
        char options[200];
        snprintf(options, sizeof options,
                 "jobs=400 job-time=1s concurrency=4 target-time=10min autoscale=yes "
                 "store=%s",
                 stores[i]);
        watch(&t, options);
        assert_nothing_lost(&t, 400);
        most[i] = t.most_alive;
        end_watch(&t);
    }
    assert_int_equal(most[0], 1);
    assert_true(most[1] >=
                8); /* 400 minutes within 10 are 10 boxes; the guess counts a little */
}

static void two_start_no_more_than_one(void **state)
{
    (void)state;
    static const char options[] = "jobs=4000 job-time=5s concurrency=4 autoscale=yes "
                                  "target-time=5min max-boxes=100";
    int64_t boxes[4];
    for (int i = 0; i < 4; i++) {
        struct watched t = {.second = i > 0,
                            .skew_ns = i == 2   ? 5 * JOBQ_NS_PER_S
                                       : i == 3 ? -5 * JOBQ_NS_PER_S
                                                : 0};
        watch(&t, options);
        assert_nothing_lost(&t, 4000);
        boxes[i] = ec2_instance_count(world_ec2(t.w));
        assert_true(i == 0 || t.looks > 2);
        end_watch(&t);
    }
    /* 20,000 s of work in the 270 s that the boot leaves: 19 boxes. */
    assert_int_equal(boxes[0], 19);
    for (int i = 1; i < 4; i++)
        assert_int_equal(boxes[i], 19);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_queue_drains_to_an_empty_fleet),
        cmocka_unit_test(a_fleet_that_waits_costs_nothing),
        cmocka_unit_test(bounds_are_kept),
        cmocka_unit_test(the_least_boxes_stay),
        cmocka_unit_test(a_cap_in_dollars_wants_a_price),
        cmocka_unit_test(a_wrong_guess_is_learnt_from),
        cmocka_unit_test(two_start_no_more_than_one)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
