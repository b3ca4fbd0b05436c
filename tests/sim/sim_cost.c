/* sim_cost.c - what draining costs in requests, and what holds a fleet back. */
#include "sim/play/run.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Plays "name=value name=value ..."; the caller releases. */
static void play(const char *options, struct run_result *out)
{
    struct scenario s;
    struct jobq_error err = {0};
    char copy[400], *save;
    scenario_init(&s);
    strncpy(copy, options, sizeof copy - 1);
    copy[sizeof copy - 1] = '\0';
    for (char *word = strtok_r(copy, " ", &save); word;
         word = strtok_r(NULL, " ", &save)) {
        char *value = strchr(word, '=');
        *value++ = '\0';
        if (scenario_set(&s, word, value, &err) != JOBQ_OK)
            fail_msg("%s", err.text);
    }
    if (scenario_finish(&s, &err) != JOBQ_OK)
        fail_msg("%s", err.text);
    struct world_params *params = run_params(&s, &err);
    if (!params)
        fail_msg("%s", err.text);
    struct run_options run = {.threads = 1};
    if (run_scenario(&s, params, &run, out, &err) != JOBQ_OK)
        fail_msg("%s: %s", options, err.text);
    free(params);
    scenario_release(&s);
}

static int64_t requests(const struct run_result *r, enum jobq_action action)
{
    return r->rep[0].ledger->action[action].requests;
}

static double per_job(const struct run_result *r, enum jobq_service service)
{
    return (double)r->rep[0].requests_per_job[service] /
           (double)jobq_ledger_finished(r->rep[0].ledger);
}

/* Four clients keep below the domains' 70 writes a second: a put that is turned away and
 * tried again is a request too. */
static void unbatched_is_three_and_three(void **state)
{
    (void)state;
    static const char *const models[] = {"aws-2026", "aws-2012", "ideal"};
    for (int i = 0; i < 3; i++) {
        char options[200];
        struct run_result r;
        snprintf(
            options, sizeof options,
            "jobs=500 clients=4 concurrency=1 batch=1 prefetch=0 job-time=1s model=%s",
            models[i]);
        play(options, &r);
        assert_int_equal(requests(&r, JOBQ_ACT_SQS_SEND), 500);
        assert_int_equal(requests(&r, JOBQ_ACT_SQS_RECEIVE), 500);
        assert_int_equal(requests(&r, JOBQ_ACT_SQS_DELETE), 500);
        assert_int_equal(r.rep[0].requests_per_job[JOBQ_SQS], 3 * 500);
        assert_int_equal(requests(&r, JOBQ_ACT_SDB_PUT), 3 * 500);
        assert_int_equal(r.rep[0].requests_per_job[JOBQ_SIMPLEDB], 3 * 500);
        run_result_release(&r);
    }
}

static void batches_make_a_job_cheap(void **state)
{
    (void)state;
    static const char *const fleets[] = {"boxes=1 concurrency=10 job-time=1s",
                                         "boxes=1 concurrency=16 job-time=exp:1s",
                                         "boxes=2 concurrency=64 job-time=exp:2s"};
    for (int i = 0; i < 3; i++) {
        char options[200];
        struct run_result with, without;
        snprintf(options, sizeof options, "jobs=20000 domains=8 %s", fleets[i]);
        play(options, &with);
        strcat(options, " prefetch=0");
        play(options, &without);
        double rate = with.rep[0].throughput_per_s / (i == 2 ? 2 : 1);
        print_message(
            "  %s: %.4f SQS requests a job at %.3g jobs/s a drainer; without prefetch "
            "%.4f\n",
            fleets[i], per_job(&with, JOBQ_SQS), rate, per_job(&without, JOBQ_SQS));
        assert_true(rate >= 9.0);
        if (per_job(&with, JOBQ_SQS) > 0.35)
            fail_msg("%s: %.4f SQS requests a job", fleets[i], per_job(&with, JOBQ_SQS));
        run_result_release(&with);
        run_result_release(&without);
    }
}

static void expect_binding(const char *options, enum replication_resource want,
                           double low, double high)
{
    struct run_result r;
    play(options, &r);
    const struct replication_capacity *c = &r.rep[0].capacity;
    print_message("  %s: bound by %s, %.4g jobs/s\n", options,
                  replication_resource_name(c->binding), r.rep[0].throughput_per_s);
    if (c->binding != want)
        fail_msg("%s: bound by %s, want %s", options,
                 replication_resource_name(c->binding), replication_resource_name(want));
    if (r.rep[0].throughput_per_s < low || r.rep[0].throughput_per_s > high)
        fail_msg("%s: %g jobs/s is not in %g..%g", options, r.rep[0].throughput_per_s,
                 low, high);
    run_result_release(&r);
}

static void the_binding_resource_is_named(void **state)
{
    (void)state;
    /* 35 jobs a second a domain, and a little less while rows are still being written. */
    expect_binding("jobs=6000 boxes=8 concurrency=32 job-time=1s domains=1 boot=none",
                   RESOURCE_DOMAINS, 30, 35.5);
    expect_binding("jobs=12000 boxes=8 concurrency=64 job-time=1s domains=2 boot=none",
                   RESOURCE_DOMAINS, 60, 71);
    expect_binding("jobs=2000 boxes=1 concurrency=10 job-time=1s boot=none",
                   RESOURCE_SLOTS, 9, 10);
    expect_binding(
        "jobs=1000 boxes=1 concurrency=40 job-time=500ms cpu-share=1 boot=none",
        RESOURCE_VCPU, 3.8, 4.01);
    expect_binding(
        "jobs=400 boxes=4 concurrency=4 arrivals=poisson:2/s job-time=1s boot=none",
        RESOURCE_ARRIVALS, 1.5, 2.5);
    expect_binding("jobs=200 boxes=50 concurrency=4 job-time=1s", RESOURCE_LAUNCH, 0, 20);
    expect_binding("jobs=5000 boxes=4 concurrency=200 job-time=20s domains=20 boot=none "
                   "set=sqs.in_flight_max=300",
                   RESOURCE_IN_FLIGHT, 5, 16);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(unbatched_is_three_and_three),
                                       cmocka_unit_test(batches_make_a_job_cheap),
                                       cmocka_unit_test(the_binding_resource_is_named)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
