/* test_engine.c - the same jobs on Fargate and Lambda: published figures, limits, minima.
 *
 * Room: tests. */
#include "cost/bill/engine.h"

#include "base/arena.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MIB 1048576.0

static struct sheet *today(void)
{
    const char **name = xcalloc((size_t)sheet_file_count, sizeof *name);
    struct jobq_error err;
    struct sheet *sheet = NULL;
    for (int i = 0; i < sheet_file_count; i++)
        name[i] = sheet_files[i].name;
    int at = sheet_pick(name, sheet_file_count, "us-east-1", "2026", &err);
    free(name);
    assert_true(at >= 0);
    assert_int_equal(sheet_parse((const char *)sheet_files[at].bytes, sheet_files[at].len,
                                 "sheet", &sheet, &err),
                     JOBQ_OK);
    return sheet;
}

/* Dollars of a service in a million jobs; the error's text in `why` if there is no price. */
static double part(enum engine engine, double mib, const char *service,
                   const struct predict_scenario *sc, struct jobq_error *err)
{
    struct sheet *sheet = today();
    struct bill_options bill = {0};
    struct evaluate_context context = {sheet, &bill, NULL};
    struct evaluation e;
    double usd = 0;
    int code = engine_evaluate(&context, sc, engine, mib * MIB, 10000, &e, err);
    for (int i = 0; !code && i < e.bill.count; i++)
        if (strcmp(e.bill.item[i].service, service) == 0)
            usd += e.bill.item[i].usd * 1e6 / e.jobs;
    if (!code) {
        double sum = 0;
        for (int i = 0; i < BILL_COMPONENT_COUNT; i++)
            sum += e.bill.component_usd[i];
        assert_true(fabs(sum / e.bill.usd - 1) < 1e-9);
        assert_true(fabs(e.bill.usd / e.jobs * 1e6 / e.usd_per_million - 1) < 1e-9);
        assert_true(e.low_per_million <= e.usd_per_million &&
                    e.usd_per_million <= e.high_per_million);
        evaluation_release(&e);
    }
    sheet_free(sheet);
    return code ? (double)NAN : usd;
}

static struct predict_scenario jobs(double job_s)
{
    struct predict_scenario sc;
    predict_defaults(&sc);
    strcpy(sc.instance, "c5.large");
    sc.store = PREDICT_NO_STORE;
    sc.batch = 1;
    sc.job_s = job_s;
    return sc;
}

static void near(double got, double want, double within)
{
    if (!(fabs(got - want) <= within))
        fail_msg("%.10g, not %.10g", got, want);
}

/* A million invocations, as published: $0.20 and the GB-seconds. */
static void lambda_costs_what_is_published(void **state)
{
    (void)state;
    struct jobq_error err;
    struct predict_scenario sc = jobs(0.2), longer = jobs(1);
    near(part(ENGINE_LAMBDA, 512, "lambda", &sc, &err), 1.8667, 1e-4);
    near(part(ENGINE_LAMBDA, 1024, "lambda", &sc, &err), 3.5333, 1e-4);
    near(part(ENGINE_LAMBDA, 1024, "lambda", &longer, &err), 16.8667, 1e-4);
    /* Send, receive and delete of each message. */
    near(part(ENGINE_LAMBDA, 512, "sqs", &sc, &err), 1.2, 1e-3);
    sc.batch = 10; /* ten jobs an invocation */
    near(part(ENGINE_LAMBDA, 512, "lambda", &sc, &err), 1.6667 + 0.02, 1e-4);
    /* Processor time is as slow as the function is small. */
    sc = jobs(0.2);
    sc.cpu_share = 1;
    near(part(ENGINE_LAMBDA, 512, "lambda", &sc, &err),
         0.2 + 0.5 * ceil(200 * 1769.0 / 512) / 1000 * 16.6667, 1e-3);
}

static void lambda_ends_after_fifteen_minutes(void **state)
{
    (void)state;
    struct jobq_error err = {0};
    struct predict_scenario sc = jobs(899), longer = jobs(901);
    sc.batch = 10; /* one at a time, then */
    near(part(ENGINE_LAMBDA, 1024, "lambda", &sc, &err), 0.2 + 899 * 16.6667, 0.1);
    assert_true(isnan(part(ENGINE_LAMBDA, 1024, "lambda", &longer, &err)));
    assert_int_equal(err.code, JOBQ_LIMIT);
    assert_non_null(strstr(err.text, "15 minutes"));
    assert_true(isnan(part(ENGINE_LAMBDA, 20000, "lambda", &sc, &err)));
    assert_non_null(strstr(err.text, "10240 MB"));
}

static void fargate_pays_for_its_task(void **state)
{
    (void)state;
    struct jobq_error err = {0};
    struct predict_scenario sc = jobs(3600);
    sc.visibility_s = 12 * 3600;
    sc.slots = 1;
    sc.prefetch = 9;
    /* The smallest task: a quarter of a vCPU and half a GB. */
    near(part(ENGINE_FARGATE, 512, "fargate", &sc, &err) / 1e6,
         0.25 * 0.04048 + 0.5 * 0.004445, 1e-6);
    sc.slots = 4; /* four share a task of 4 GB: half a vCPU */
    near(part(ENGINE_FARGATE, 1024, "fargate", &sc, &err) / 1e6,
         (0.5 * 0.04048 + 4 * 0.004445) / 4, 1e-6);
    assert_true(isnan(part(ENGINE_FARGATE, 40960, "fargate", &sc, &err)));
    assert_non_null(strstr(err.text, "160 GB"));
}

static void a_task_pays_a_minute(void **state)
{
    (void)state;
    struct jobq_error err;
    struct predict_scenario sc = jobs(0.001);
    sc.jobs = 10;
    sc.boxes = 1;
    near(part(ENGINE_FARGATE, 128, "fargate", &sc, &err) * 10 / 1e6,
         (0.25 * 0.04048 + 2 * 0.004445) / 60, 1e-9);
}

/* Seldom, polls that find nothing are what is paid for. */
static void lambda_polls_when_idle(void **state)
{
    (void)state;
    struct jobq_error err;
    struct predict_scenario sc = jobs(0.1);
    sc.arrivals_per_s = 0.001;
    near(part(ENGINE_LAMBDA, 128, "sqs", &sc, &err), 1.2 + 0.4 * 250, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lambda_costs_what_is_published),
        cmocka_unit_test(lambda_ends_after_fifteen_minutes),
        cmocka_unit_test(fargate_pays_for_its_task),
        cmocka_unit_test(a_task_pays_a_minute),
        cmocka_unit_test(lambda_polls_when_idle),
    };
    return cmocka_run_group_tests_name("engine", tests, NULL, NULL);
}
