/* test_evaluate.c - dollars a job: intervals, searches, reconciliation. */
#include "cost/bill/evaluate.h"
#include "cost/ledger/reconcile.h"
#include "cost/search/search.h"

#include "base/arena.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void near(double value, double expect, double tolerance)
{
    if (!(fabs(value - expect) <= tolerance))
        fail_msg("%.12g is not %.12g", value, expect);
}

static struct sheet *open_sheet(const char *date)
{
    const char *name[64];
    struct jobq_error err;
    struct sheet *sheet;
    for (int i = 0; i < sheet_file_count; i++)
        name[i] = sheet_files[i].name;
    int at = sheet_pick(name, sheet_file_count, "us-east-1", date, &err);
    assert_true(at >= 0);
    assert_int_equal(sheet_parse((const char *)sheet_files[at].bytes, sheet_files[at].len,
                                 name[at], &sheet, &err),
                     JOBQ_OK);
    return sheet;
}

static struct predict_scenario scenario(const char *options)
{
    struct predict_scenario sc;
    struct jobq_error err;
    char text[400], *save = NULL;
    predict_defaults(&sc);
    sc.slots = 1;
    strcpy(sc.instance, "none");
    strcpy(text, options);
    for (char *p = strtok_r(text, " ", &save); p; p = strtok_r(NULL, " ", &save)) {
        char *equals = strchr(p, '=');
        *equals = '\0';
        if (predict_set(&sc, p, equals + 1, &err))
            fail_msg("%s", err.text);
    }
    return sc;
}

static double usd(const char *date, const char *options, struct evaluation *out)
{
    struct bill_options bill = {0};
    struct sheet *sheet = open_sheet(date);
    struct evaluate_context context = {sheet, &bill, NULL};
    struct predict_scenario sc = scenario(options);
    struct evaluation e;
    struct jobq_error err;
    if (evaluate(&context, &sc, 10000, &e, &err))
        fail_msg("%s", err.text);
    double value = e.usd_per_million;
    evaluation_release(&e);
    if (out)
        *out = e;
    sheet_free(sheet);
    return value;
}

static void the_seeds_flow(void **state)
{
    (void)state;
    const char *flow = "payload=100 job-time=0 concurrency=1 batch=1 wait=0 "
                       "keep=0";
    struct evaluation e;
    near(usd("2012-10", flow, &e), 12.24, 0.005);
    near(e.high_per_million - e.low_per_million, 0,
         1e-6); /* exact counts have no doubt */
    near(usd("2026", flow, NULL), 10.44, 0.005);
}

static void box_time_is_job_time_over_slots(void **state)
{
    (void)state;
    /* m1.small at $0.080: a million job-seconds one at a time are $22.22. */
    const char *base = "payload=100 batch=1 store=none prefetch=9 job-time=1s wait=0 ";
    char options[200];
    static const char *const more[] = {"concurrency=1 instance=none",
                                       "concurrency=1 instance=m1.small",
                                       "concurrency=10 instance=m1.small"};
    double value[3];
    for (int i = 0; i < 3; i++) {
        strcpy(options, base);
        strcat(options, more[i]);
        value[i] = usd("2012-10", options, NULL);
    }
    near(value[1] - value[0], 1e6 / 3600 * .08, 0.01);
    near(value[2] - value[0], 1e5 / 3600 * .08, 0.01);
}

static void a_run_pays_for_whole_hours_of_its_year(void **state)
{
    (void)state;
    /* 100 jobs of a second on two boxes: two hours in 2012. */
    struct evaluation e;
    double value = usd("2012-12",
                       "jobs=100 boxes=2 job-time=1s store=none payload=10 "
                       "instance=m1.small concurrency=1",
                       &e);
    near(value * 100 / 1e6, 2 * .065 + 1e-6 * (10 + 100 + 5 + 15), 2e-3);
    near(e.jobs, 100, 0);
}

static void burstable_boxes_pay_for_what_is_above_their_baseline(void **state)
{
    (void)state;
    /* t3.micro: 2 vCPUs, baseline 10 %. One slot of all CPU uses 1 of 2 vCPUs: 0.8 above. */
    const char *options = "payload=10 store=none prefetch=9 job-time=3600 concurrency=1 "
                          "visibility=12h instance=t3.micro cpu-share=";
    char busy[200], idle[200];
    strcpy(busy, options);
    strcat(busy, "1");
    strcpy(idle, options);
    strcat(idle, "0.2");
    near((usd("2026", busy, NULL) - usd("2026", idle, NULL)) / 1e6, 0.8 * 0.05, 1e-4);
}

static void doubt_shows_in_the_interval(void **state)
{
    (void)state;
    struct evaluation sure, unsure, few;
    usd("2026", "job-time=1s instance=c7g.large job-cv=0", &sure);
    usd("2026", "job-time=1s instance=c7g.large utilisation=0.3 job-cv=0", &unsure);
    double a = sure.high_per_million - sure.low_per_million;
    double b = unsure.high_per_million - unsure.low_per_million;
    assert_true(a > 0 && b > 2 * a);
    usd("2026", "job-time=1s instance=c7g.large job-cv=3", &few);
    double c = few.high_per_million - few.low_per_million;
    /* Job times of cv 3 scatter a mean of 10,000 by 3 %. */
    assert_true(c > a);
}

static void doubtful_prices_widen_the_interval(void **state)
{
    (void)state;
    struct bill_item item[] = {
        {.service = "sqs", .item = "standard", .usd = 5, .confidence = 'H'},
        {.service = "simpledb", .item = "box", .usd = 8, .confidence = 'M'},
        {.service = "simpledb", .item = "storage", .usd = 2, .confidence = 'M'},
        {.service = "ebs", .item = "gp3", .usd = 10, .confidence = 'L'},
        {.service = "ec2", .item = "x", .usd = 20, .confidence = 'H', .assumed = true}};
    struct bill bill = {.item = item, .count = 1};
    near(evaluate_price_half(&bill), 0, 0);
    bill.count = 3; /* of one service: together */
    near(evaluate_price_half(&bill), 1, 1e-12);
    bill.count = 5; /* of three: as the root of squares */
    near(evaluate_price_half(&bill), sqrt(1 + 9 + 16), 1e-12);
    struct evaluation e = {.usd_per_million = 10,
                           .low_per_million = 9,
                           .high_per_million = 13,
                           .price_half_per_million = 4};
    double low, high;
    evaluation_interval(&e, &low, &high);
    near(low, 10 - sqrt(17), 1e-12);
    near(high, 15, 1e-12);
}

static void searches_find_what_going_through_all_finds(void **state)
{
    (void)state;
    struct sheet *sheet = open_sheet("2026");
    struct bill_options bill = {0};
    struct evaluate_context context = {sheet, &bill, NULL};
    struct predict_scenario base = scenario("job-time=1s instance=c7g.large"), best;
    struct search_axis axis[3];
    struct search_limits limits = {(double)INFINITY, (double)INFINITY};
    struct search_result result[5];
    struct search_summary summary;
    struct jobq_error err;
    assert_int_equal(search_axis_parse("batch", &base, sheet, &axis[0], &err), JOBQ_OK);
    assert_int_equal(
        search_axis_parse("concurrency=1,4,16", &base, sheet, &axis[1], &err), JOBQ_OK);
    assert_int_equal(search_axis_parse("store", &base, sheet, &axis[2], &err), JOBQ_OK);
    int count = search_run(&context, &base, axis, 3, &limits, result, 5, &summary, &err);
    assert_int_equal(count, 5);
    near(summary.combinations, 4 * 3 * 3, 0);
    assert_true(summary.whole);
    for (int i = 1; i < count; i++)
        assert_true(result[i].per_million > result[i - 1].per_million);
    search_apply(&base, axis, 3, result[0].choice, &best);
    assert_int_equal(best.store, PREDICT_NO_STORE);
    near(best.batch, 10, 0);
    near(best.slots, 16, 0);
    for (int i = 0; i < 3; i++)
        search_axis_release(&axis[i]);
    assert_int_equal(search_axis_parse("bach", &base, sheet, &axis[0], &err),
                     JOBQ_INVALID);
    assert_int_equal(search_axis_parse("batch=0", &base, sheet, &axis[0], &err),
                     JOBQ_LIMIT);
    assert_int_equal(search_axis_parse("batch=5..2", &base, sheet, &axis[0], &err),
                     JOBQ_INVALID);
    sheet_free(sheet);
}

static void crossings_are_where_the_cost_is_the_target(void **state)
{
    (void)state;
    struct sheet *sheet = open_sheet("2026");
    struct bill_options bill = {0};
    struct evaluate_context context = {sheet, &bill, NULL};
    struct predict_scenario base =
        scenario("store=none instance=t4g.nano payload=100 prefetch=9 visibility=12h");
    struct jobq_ledger *scratch = xcalloc(1, sizeof *scratch);
    struct jobq_error err;
    double at, below, above;
    assert_true(search_cross(&context, &base, PREDICT_JOB_TIME, 0.001, 100, 1, &at));
    base.job_s = at * 0.999;
    assert_int_equal(evaluate_point(&context, &base, scratch, &below, NULL, NULL, &err),
                     0);
    base.job_s = at * 1.001;
    assert_int_equal(evaluate_point(&context, &base, scratch, &above, NULL, NULL, &err),
                     0);
    assert_true(below <= 1 && above > 1);
    assert_false(search_cross(&context, &base, PREDICT_JOB_TIME, 10, 100, 1, &at));
    jobq_ledger_release(scratch);
    free(scratch);
    sheet_free(sheet);
}

static void waits_follow_erlang(void **state)
{
    (void)state;
    /* Erlang's C, textbook: 2 servers at load 0.75 wait with probability 9/14. */
    near(predict_erlang_c(1, 0.6), 0.6, 1e-12);
    near(predict_erlang_c(2, 0.75), 9 / 14., 1e-12);
    near(predict_erlang_c(5, 1.2), 1, 0);
    /* M/M/1 at load 0.9, mean 1 s: the 95th percentile of the wait is 10 ln(0.9 / 0.05). */
    struct predict_scenario sc = scenario("arrivals=0.9/s job-time=exp:1s store=none "
                                          "prefetch=0 concurrency=1");
    struct predict_params params;
    struct predict_state s;
    struct jobq_error err;
    assert_int_equal(predict_params_for("aws-2026", &params, &err), JOBQ_OK);
    params.receive_s = 1e-9;
    predict_state(&sc, &params, &s);
    near(search_p95_wait_s(&sc, &s, &params), 10 * log(0.9 / 0.05), 0.01);
    sc.arrivals_per_s = 1.1;
    predict_state(&sc, &params, &s);
    assert_true(isinf(search_p95_wait_s(&sc, &s, &params)));
    sc.arrivals_per_s = 0;
    assert_true(isnan(search_p95_wait_s(&sc, &s, &params)));
}

static void reconciling_counts_what_is_outside(void **state)
{
    (void)state;
    struct usage p = {{0}}, o = {{0}};
    double half[USAGE_LINE_COUNT] = {0};
    struct reconcile r;
    p.line[USAGE_SEND] = o.line[USAGE_SEND] = 1;
    p.line[USAGE_RECEIVE] = 1;
    o.line[USAGE_RECEIVE] = 1.04;
    half[USAGE_RECEIVE] = 0.05;
    o.line[USAGE_WIRE_OUT] = 5000; /* not priced */
    reconcile_lines(&p, half, &o, 1e6, &r);
    assert_int_equal(r.count, 3);
    assert_int_equal(r.outside, 0);
    near(r.mape, 0.04 / 1.04 / 2, 1e-12);
    o.line[USAGE_RECEIVE] = 1.06;
    o.line[USAGE_VISIBILITY] = 1e-7; /* a tenth of a request in the whole run */
    reconcile_lines(&p, half, &o, 1e6, &r);
    assert_int_equal(r.outside, 1);
    o.line[USAGE_VISIBILITY] = 1e-3;
    reconcile_lines(&p, half, &o, 1e6, &r);
    assert_int_equal(r.outside, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_seeds_flow),
        cmocka_unit_test(box_time_is_job_time_over_slots),
        cmocka_unit_test(a_run_pays_for_whole_hours_of_its_year),
        cmocka_unit_test(burstable_boxes_pay_for_what_is_above_their_baseline),
        cmocka_unit_test(doubt_shows_in_the_interval),
        cmocka_unit_test(doubtful_prices_widen_the_interval),
        cmocka_unit_test(searches_find_what_going_through_all_finds),
        cmocka_unit_test(crossings_are_where_the_cost_is_the_target),
        cmocka_unit_test(waits_follow_erlang),
        cmocka_unit_test(reconciling_counts_what_is_outside),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
