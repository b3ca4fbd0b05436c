/* test_replication.c - when a simulated run ends, and with what: drainers that are refused,
 * boxes that die at the end, jobs and gaps of months, runs past the clock's range. */
#include "played.h"

#include "jobq/units.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static double days(const struct played *r)
{
    return (double)world_now(replication_world(r->replication)) / (double)JOBQ_NS_PER_DAY;
}

/* ---- refused drainers ------------------------------------------------------------------ */

/* The drainer takes at most 1,000; a box whose drainer is refused was replaced for ever. The
 * table of settings refuses as much, so it is passed by. */
static void a_refused_drainer_ends_the_run(void **state)
{
    (void)state;
    static const char *const models[] = {"aws-2026", "ideal"};
    for (int i = 0; i < 2; i++) {
        char options[100];
        snprintf(options, sizeof options, "jobs=10 model=%s", models[i]);
        struct played r;
        played_set_up(&r, options);
        r.scenario.prefetch = 5000;
        played_play(&r, NULL);
        assert_int_equal(r.code, JOBQ_LIMIT);
        assert_non_null(strstr(r.err.text, "5000 prefetched messages"));
        played_end(&r);
    }
}

/* ---- the end of a run ------------------------------------------------------------------- */

struct killer {
    struct world *w;
    int64_t ended, jobs;
};

static void kill_all(void *ctx, uint64_t arg)
{
    (void)arg;
    struct killer *k = ctx;
    for (int64_t i = 0; i < world_box_count(k->w); i++)
        if (world_box_up(world_box_at(k->w, i)))
            world_box_die(world_box_at(k->w, i));
}

static void see_origin(void *ctx, struct world *w)
{
    ((struct killer *)ctx)->w = w;
}

static void see_event(void *ctx, const struct drainer_event *event)
{
    struct killer *k = ctx;
    if (event->kind != DRAINER_ENDED || ++k->ended < k->jobs)
        return;
    struct kernel *kernel = world_kernel(k->w);
    kernel_at(kernel, kernel_now(kernel) + JOBQ_NS_PER_MS / 100, kill_all, k, 0);
}

/* Every job has ended, the drainers flush their deletes, and the boxes die under them: the run
 * is over, instead of going on until the clock is at its end. */
static void boxes_that_die_at_the_end_end_it(void **state)
{
    (void)state;
    struct played r;
    struct killer killer = {.jobs = 20};
    struct replication_hooks hooks = {
        .ctx = &killer, .origin = see_origin, .event = see_event};
    played_set_up(&r, "jobs=20 job-time=2s boxes=2 concurrency=4");
    played_play(&r, &hooks);
    assert_int_equal(r.code, JOBQ_OK);
    assert_int_equal(r.result.done, 20);
    assert_true(days(&r) < 1);
    played_end(&r);
}

/* Without a second drainer that runs it, a job dies when its visibility has run out for the
 * last time: its end is that second drainer's word, not an attempt's. */
static void a_job_that_dies_by_takeover_is_seen_to_end(void **state)
{
    (void)state;
    struct played r = played("jobs=1 boxes=2 concurrency=1 visibility=12h job-time=13h "
                             "attempts=1");
    assert_int_equal(r.code, JOBQ_OK);
    assert_int_equal(r.result.dead, 1);
    assert_true(days(&r) < 2);
    played_end(&r);
}

/* ---- months and years ------------------------------------------------------------------- */

static void jobs_and_gaps_of_months_are_played(void **state)
{
    (void)state;
    struct played r = played("jobs=8 job-time=62d concurrency=1 model=ideal");
    assert_int_equal(r.code, JOBQ_OK);
    assert_int_equal(r.result.done, 8);
    played_end(&r);
    r = played("jobs=3 job-time=1s arrivals=every:40d");
    assert_int_equal(r.code, JOBQ_OK);
    assert_int_equal(r.result.done, 3);
    played_end(&r);
    /* AWS keeps neither its message nor its row for so long. */
    r = played("jobs=1 job-time=62d");
    assert_int_equal(r.code, JOBQ_OK);
    assert_int_equal(r.result.done + r.result.dead + r.result.expired + r.result.lost, 1);
    played_end(&r);
}

static void a_run_of_centuries_is_refused(void **state)
{
    (void)state;
    struct played r = played("jobs=8000 job-time=14.9d concurrency=1 model=ideal");
    assert_int_equal(r.code, JOBQ_LIMIT);
    assert_string_equal(r.err.text, "8000 jobs take 327 years on 1 slots: a run is at "
                                    "most 100 years long");
    played_end(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_refused_drainer_ends_the_run),
        cmocka_unit_test(boxes_that_die_at_the_end_end_it),
        cmocka_unit_test(a_job_that_dies_by_takeover_is_seen_to_end),
        cmocka_unit_test(jobs_and_gaps_of_months_are_played),
        cmocka_unit_test(a_run_of_centuries_is_refused)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
