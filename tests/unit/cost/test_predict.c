/* test_predict.c - the closed form: requests, chunks, BoxUsage, ceilings, rounding. */
#include "cost/fit/formula.h"
#include "cost/ledger/ledger_json.h"
#include "cost/predict/predict.h"
#include "pricing/sheet.h"
#include "cost/fit/basis.h"
#include "cost/ledger/usage.h"
#include "fleet/job/job.h"
#include "jobq/flow.h"

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

/* Options as "name=value" separated by blanks, over the defaults, one slot and no
 * instance. */
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

static struct usage usage_of(const char *options, struct predict_state *state)
{
    struct predict_scenario sc = scenario(options);
    struct jobq_error err;
    struct usage usage;
    if (predict_usage(&sc, NULL, &usage, state, &err))
        fail_msg("%s", err.text);
    return usage;
}

static double sqs_requests(const struct usage *u)
{
    const double *l = u->line;
    return l[USAGE_SEND] + l[USAGE_RECEIVE] + l[USAGE_DELETE] + l[USAGE_VISIBILITY] +
           l[USAGE_QUEUE_OTHER];
}

static void the_flow_has_the_shapes_of_the_product(void **state)
{
    (void)state;
    assert_int_equal(JOBQ_FLOW_ROW_N(3), JOB_ROW_N(3));
    assert_int_equal(JOBQ_FLOW_CLAIM_N, JOB_CLAIM_N);
    assert_int_equal(JOBQ_FLOW_FINAL_N, JOB_FINAL_N(0));
    assert_int_equal(JOBQ_FLOW_GET_N(2), JOB_GET_N(2, 0));
    assert_int_equal(JOBQ_FLOW_PIECE_BYTES, JOB_PIECE_BYTES);
    assert_int_equal(JOBQ_FLOW_PIECES_MAX, JOB_PIECES_MAX);
    assert_int_equal(JOBQ_FLOW_ID_SUFFIX, JOB_ID_SUFFIX);
}

static void unbatched_is_three_requests_and_three_puts(void **state)
{
    (void)state;
    struct usage u =
        usage_of("payload=100 job-time=0s concurrency=1 batch=1 instance=none", NULL);
    near(sqs_requests(&u), 3, 0);
    near(u.line[USAGE_PUT], 3, 0);
    near(u.line[USAGE_PUT_BATCH], 0, 0);
    /* Three puts of 2 values: 0.0000219907 h each and 24 x 2e-10 h. */
    near(u.line[USAGE_BOX_PUT], 3 * 0.0000219907 + 24 * 2e-10, 1e-15);
    near(u.line[USAGE_BUSY], 0, 0);
}

static void batches_of_ten_are_a_third_of_a_request(void **state)
{
    (void)state;
    struct usage u = usage_of(
        "payload=100 job-time=100ms concurrency=10 batch=10 prefetch=10 instance=none",
        NULL);
    near(u.line[USAGE_SEND], 0.1, 1e-12);
    near(u.line[USAGE_RECEIVE], 0.1, 1e-12);
    near(u.line[USAGE_DELETE], 0.1, 1e-12);
    near(u.line[USAGE_PUT], 2, 0);
    near(u.line[USAGE_PUT_BATCH], 0.04, 1e-12);
    near(u.line[USAGE_BOX_PUT_BATCH], 0.7 * (0.0000219907 + 8 * 2e-10), 1e-15);
    assert_true(sqs_requests(&u) <= 0.35);
    /* Without prefetch a free slot takes what is there at once. */
    u = usage_of("payload=100 job-time=10s concurrency=10 batch=10 prefetch=0", NULL);
    near(u.line[USAGE_RECEIVE], 1, 1e-12);
}

static void payloads_split_into_values_and_chunks(void **state)
{
    (void)state;
    struct predict_state s;
    usage_of("payload=100", &s);
    near(s.payload_attrs, 1, 0);
    usage_of("payload=10KiB", &s);
    near(s.payload_attrs, 11, 0); /* the head of the encoded job is a few bytes more */
    near(s.row_attrs, 12, 0);
    /* A chunk is 64 KiB of message bodies: id, head and payload. */
    struct usage u = usage_of("payload=65000 batch=1", &s);
    near(u.line[USAGE_SEND_CHUNKS], 1, 0);
    u = usage_of("payload=65500 batch=1", &s);
    assert_true(s.body_bytes > 65536);
    near(u.line[USAGE_SEND_CHUNKS], 2, 0);
    near(u.line[USAGE_SEND], 1, 0);
    u = usage_of("payload=12800 batch=10", &s); /* 128.5 KB: 2 chunks for ten */
    near(u.line[USAGE_SEND], 0.1, 1e-12);
    near(u.line[USAGE_SEND_CHUNKS], 0.2, 1e-12);
    /* A batch is bounded as a whole: 64 KiB in 2012, so ten of 12.8 KB are two sends. */
    u = usage_of("payload=12800 batch=10 era=aws-2012", &s);
    near(u.line[USAGE_SEND], 0.2, 1e-12);
    /* What does not fit into a message stands in the row and is read from it. */
    u = usage_of("payload=100000 batch=1 era=aws-2012", &s);
    near(u.line[USAGE_GET], 1, 0);
    near(u.line[USAGE_SEND_CHUNKS], 1, 0);
}

static void limits_are_named(void **state)
{
    (void)state;
    struct predict_scenario sc = scenario("payload=300KiB");
    struct jobq_error err;
    struct usage u;
    assert_int_equal(predict_usage(&sc, NULL, &u, NULL, &err), JOBQ_LIMIT);
    assert_non_null(strstr(err.text, "SimpleDB row"));
    assert_int_equal(predict_set(&sc, "payload", "2MiB", &err), JOBQ_LIMIT);
    sc.payload_bytes = 2 << 20;
    assert_int_equal(predict_usage(&sc, NULL, &u, NULL, &err), JOBQ_LIMIT);
    assert_int_equal(predict_set(&sc, "batch", "11", &err), JOBQ_LIMIT);
    assert_non_null(strstr(err.text, "1 to 10"));
    assert_int_equal(predict_set(&sc, "visibility", "13h", &err), JOBQ_LIMIT);
    assert_int_equal(predict_set(&sc, "visiblity", "1h", &err), JOBQ_NOT_FOUND);
    assert_int_equal(predict_set(&sc, "concurrency", "0", &err), JOBQ_LIMIT);
    assert_int_equal(predict_set(&sc, "store", "s3", &err), JOBQ_INVALID);
}

static void processors_are_shared(void **state)
{
    (void)state;
    struct predict_state s;
    /* All CPU and no store: n jobs on v processors take n / v times as long. */
    usage_of(
        "job-time=2s cpu-share=1 concurrency=8 vcpus=2 store=none instance=c7g.large "
        "prefetch=8",
        &s);
    near(s.stretch, 4, 1e-9);
    assert_int_equal(s.binding, PREDICT_BOUND_VCPU);
    usage_of("job-time=2s cpu-share=1 concurrency=2 vcpus=2 store=none", &s);
    near(s.stretch, 1, 1e-9);
    usage_of("job-time=2s cpu-share=0 concurrency=64 vcpus=1", &s);
    near(s.stretch, 1, 1e-9);
    /* One processor, two jobs, half of each CPU (1 s) and half waiting: the machine-repair
     * model gives utilisation 4/5, so a round takes 2 / 0.8 = 2.5 s. */
    usage_of("job-time=2s cpu-share=0.5 concurrency=2 vcpus=1 store=none", &s);
    near(s.hold_s, 2.5, 1e-9);
    near(s.stretch, 1.25, 1e-9);
}

/* The same limit by two ways: the equation of a fleet in operation, and a long run that is
 * integrated step by step. */
static void refused_puts_settle_at_the_equation(void **state)
{
    (void)state;
    struct predict_state steady, run;
    static const char *const fleets[] = {"concurrency=512", "concurrency=64",
                                         "concurrency=32 boxes=4"};
    for (int i = 0; i < 3; i++) {
        char text[200];
        /* The fleet's rows come at the same time; a run's were there before. */
        snprintf(text, sizeof text,
                 "job-time=20ms domains=4 batch=10 prefetch=19 instance=c7g.large %s",
                 fleets[i]);
        usage_of(text, &steady);
        strcat(text, " jobs=400000");
        struct usage u = usage_of(text, &run);
        assert_true(steady.put_tries > 1.2);
        near(run.put_tries, steady.put_tries, 0.03 * steady.put_tries);
        near(u.line[USAGE_PUT], 2 * run.put_tries + run.house_rounds, 1e-9);
    }
}

static void ceilings_raise_instance_time(void **state)
{
    (void)state;
    struct predict_state s;
    struct usage u = usage_of("job-time=10ms concurrency=100 boxes=4 domains=4 batch=10 "
                              "instance=c7g.large prefetch=19",
                              &s);
    assert_int_equal(s.binding, PREDICT_BOUND_DOMAINS);
    near(s.rate_per_s, 4 * 35, 1e-9);
    near(u.line[USAGE_BUSY] + u.line[USAGE_IDLE], 4. / 140, 1e-12);
    /* Slots are not idle then: they wait to put again. */
    assert_true(s.put_tries > 1.5);
    struct usage wide = usage_of("job-time=10ms concurrency=100 boxes=4 domains=250 "
                                 "batch=10 instance=c7g.large prefetch=19",
                                 &s);
    assert_int_equal(s.binding, PREDICT_BOUND_SLOTS);
    near(s.put_tries, 1, 0);
    assert_true(wide.line[USAGE_BUSY] < u.line[USAGE_BUSY] / 10);
    usage_of("job-time=1h concurrency=1000 boxes=200 visibility=12h store=none", &s);
    assert_int_equal(s.binding, PREDICT_BOUND_IN_FLIGHT);
    near(s.rate_per_s * s.hold_s, 120000, 3000);
}

static void a_run_has_boot_tail_and_set_up(void **state)
{
    (void)state;
    struct predict_state s;
    struct usage u = usage_of("jobs=1000 boxes=1 concurrency=32 job-time=1s store=none "
                              "prefetch=10 instance=c7g.large",
                              &s);
    near(u.line[USAGE_BOOT], 10.8 / 1000., 1e-12);
    near(s.makespan_s, 32, 1e-6); /* ceil(1000 / 32) rounds of a second */
    near(u.line[USAGE_BUSY], 1 / 32., 1e-12);
    near(u.line[USAGE_BUSY] + u.line[USAGE_IDLE], 32 / 1000., 1e-9);
    near(s.queued_s, 29.3 + 31 / 2.,
         0.5); /* starts at 0, 1, .. 31 s, once the box is up */
    /* Boxes that come one by one: the first works until the last is done. */
    u = usage_of("jobs=1000 boxes=4 concurrency=8 job-time=1s store=none "
                 "prefetch=0 instance=c7g.large",
                 &s);
    near(u.line[USAGE_BOOT], 4 * 10.8 / 1000., 0.02 * 4 * 10.8 / 1000);
    near(u.line[USAGE_BUSY], 1 / 8., 1e-12);
    double up_s = (u.line[USAGE_BUSY] + u.line[USAGE_IDLE]) * 1000;
    assert_true(up_s > 4 * 31.25 && up_s < 4 * 33);
    /* Client and each box ask for the queue's URL and its attributes. */
    near(u.line[USAGE_QUEUE_OTHER], (2 + 2 * 4) / 1000., 1e-12);
    /* Its ledger has four instances, whose times add up. */
    struct predict_scenario sc = scenario("jobs=1000 boxes=4 concurrency=8 job-time=1s "
                                          "store=none instance=c7g.large");
    struct jobq_ledger *l = xcalloc(1, sizeof *l);
    predict_ledger(&sc, &u, 1000, l);
    assert_int_equal(l->instance_count, 4);
    near((double)l->instance[3].ended_at_ns, (up_s + u.line[USAGE_BOOT] * 1000) / 4 * 1e9,
         2);
    struct usage back;
    usage_from_ledger(l, &back);
    for (int i = 0; i < USAGE_LINE_COUNT; i++)
        near(back.line[i], u.line[i], 2e-3 * u.line[i] + 1e-3);
    jobq_ledger_release(l);
    free(l);
}

/* Exponential jobs: n jobs on c slots end after (n / c - 1 + H_c) means, exactly. */
static void the_last_job_ends_when_theory_says(void **state)
{
    (void)state;
    struct predict_state s;
    static const struct {
        const char *text;
        double jobs, slots;
    } runs[] = {{"jobs=200 concurrency=8", 200, 8},
                {"jobs=5000 concurrency=100", 5000, 100},
                {"jobs=1000 concurrency=1000", 1000, 1000}};
    for (int i = 0; i < 3; i++) {
        char text[200];
        double harmonic = 0;
        for (int k = 1; k <= (int)runs[i].slots; k++)
            harmonic += 1. / k;
        snprintf(text, sizeof text,
                 "%s boxes=1 job-time=exp:100s prefetch=0 store=none instance=c7g.large",
                 runs[i].text);
        usage_of(text, &s);
        double want = 100 * (runs[i].jobs / runs[i].slots - 1 + harmonic);
        near(s.makespan_s, want, 0.01 * want);
    }
    /* Once the first is at work, the longest of those that came in a day is the last: a rate of
     * 0.1/s of jobs of 100 s leaves ten at work when the last one comes. */
    usage_of(
        "jobs=8640 concurrency=100 boxes=1 job-time=exp:100s arrivals=0.1/s prefetch=0 "
        "store=none instance=c7g.large",
        &s);
    double tail_s = s.makespan_s + 29.3 - 86400; /* less than 11 of them, more than 9 */
    assert_true(tail_s > 100 * (1 + 1 / 2. + 1 / 3. + 1 / 4.) && tail_s < 320);
    /* The same moments, other families: a lognormal's longest is longer than a gamma's. */
    usage_of("jobs=1000 concurrency=1000 boxes=1 job-time=gamma:mean=10s,cv=2 prefetch=0 "
             "store=none",
             &s);
    double gamma_s = s.makespan_s;
    usage_of(
        "jobs=1000 concurrency=1000 boxes=1 job-time=lognormal:mean=10s,cv=2 prefetch=0 "
        "store=none",
        &s);
    assert_true(s.makespan_s > 1.2 * gamma_s);
}

static void refused(const char *options,
                    int (*check)(const struct predict_scenario *, struct jobq_error *),
                    const char *text)
{
    struct jobq_error err = {0};
    struct predict_scenario sc = scenario(options);
    assert_int_equal(check(&sc, &err), JOBQ_LIMIT);
    if (!strstr(err.text, text))
        fail_msg("'%s' does not say '%s'", err.text, text);
}

static int of_usage(const struct predict_scenario *sc, struct jobq_error *err)
{
    struct usage usage;
    return predict_usage(sc, NULL, &usage, NULL, err);
}

static void what_does_not_fit_is_named(void **state)
{
    (void)state;
    struct jobq_error err;
    /* Arrivals without an end. */
    refused("arrivals=58/s concurrency=10 job-time=1s store=none", of_usage, "slots");
    refused("arrivals=58/s concurrency=200 job-time=1s cpu-share=1 instance=c7g.large",
            of_usage, "needs 58 vCPUs");
    refused("arrivals=500/s concurrency=1000 boxes=2 job-time=1s", of_usage,
            "needs 22 domains");
    /* A run of as many ends some time. */
    struct predict_scenario run =
        scenario("arrivals=58/s concurrency=10 job-time=1s store=none jobs=1000");
    assert_int_equal(of_usage(&run, &err), JOBQ_OK);
    /* Slots beyond the box's memory, or its processors. */
    refused("memory=256MiB concurrency=20 instance=t4g.small", predict_fits,
            "7 slots fit");
    refused("cpu-share=0.5 concurrency=5 instance=c7g.large", predict_fits, "4 slots");
    struct predict_scenario fits =
        scenario("memory=1GiB cpu-share=0.5 concurrency=3 instance=c7g.large");
    assert_int_equal(predict_fits(&fits, &err), JOBQ_OK);
    near(sheet_instance_gib("r7g.2xlarge"), 64, 0);
    near(sheet_instance_gib("c5n.large"), 5.25, 0);
    near(sheet_instance_gib("unheard.of"), 0, 0);
}

/* A million jobs at one in a quarter of an hour keep 1,000 boxes for 31,700 years: more
 * nanoseconds than 64 bits hold on one instance. */
static void long_bills_do_not_wrap(void **state)
{
    (void)state;
    struct predict_scenario sc =
        scenario("arrivals=0.001/s boxes=1000 store=none instance=c7g.large");
    struct jobq_error err;
    struct usage u;
    assert_int_equal(predict_usage(&sc, NULL, &u, NULL, &err), JOBQ_OK);
    struct jobq_ledger *l = xcalloc(1, sizeof *l);
    predict_ledger(&sc, &u, 1e6, l);
    double sum_s = 0;
    for (int64_t i = 0; i < l->instance_count; i++)
        sum_s +=
            (double)(l->instance[i].ended_at_ns - l->instance[i].running_at_ns) / 1e9;
    near(sum_s, 1e12, 1e9);
    jobq_ledger_release(l);
    free(l);
}

static void polls_and_beats(void **state)
{
    (void)state;
    struct predict_state s;
    usage_of("job-time=1s utilisation=1", &s);
    near(s.empty, 0, 0);
    /* One slot, a job each 100 s, polls of 20 s: about four of five come back empty. */
    usage_of("job-time=1ms arrivals=0.01/s wait=20s store=none concurrency=1", &s);
    near(s.empty, 1 / expm1(0.2), 0.01);
    usage_of("job-time=100s visibility=30s batch=1 concurrency=1 prefetch=0", &s);
    near(s.beats, 7, 0);
    usage_of("job-time=1s visibility=30s batch=1 concurrency=1 prefetch=0", &s);
    near(s.beats, 0, 0);
}

static void rows_cost_by_their_bytes_and_hours(void **state)
{
    (void)state;
    struct predict_state s;
    struct usage u = usage_of("payload=1000 keep=730h job-time=0", &s);
    near(u.line[USAGE_STORE_BYTE_HOURS], s.row_bytes * 730, s.row_bytes);
    assert_true(s.row_bytes > 1000 + 45 * 7 && s.row_bytes < 1700);
    u = usage_of("payload=1000 keep=730h store=none", &s);
    near(u.line[USAGE_STORE_BYTE_HOURS], 0, 0);
}

/* DynamoDB bills each write by the whole row, in started KiB; a row that the enqueuer does not
 * begin has no payload. */
static void units_follow_rows_and_their_kib(void **state)
{
    (void)state;
    static const struct {
        const char *scenario;
        double write, read;
    } want[] = {
        {"rows=all payload=100", 3, 0},
        {"rows=claim payload=100", 2, 0},
        {"rows=end payload=100", 1, 0},
        {"rows=none payload=100", 0, 0},
        {"rows=all payload=3000", 12, 0},
        {"rows=claim payload=3000", 2, 0},
        /* The row passes a whole KiB with its claim. */
        {"rows=all payload=900", 1 + 2 + 2, 0},
        {"rows=all payload=100 status=2", 3, 2},
        {"rows=all payload=5000 status=1", 5 + 6 + 6, 2},
        {"rows=end payload=5000 status=1", 1, 1},
        /* Two attempts a job: both claim and say how they ended, and the second one reads. */
        {"rows=all payload=100 failures=0.5", 5, 1},
        {"rows=end payload=100 failures=0.5", 1, 1},
    };
    for (size_t i = 0; i < sizeof want / sizeof *want; i++) {
        char text[120];
        struct predict_state s;
        snprintf(text, sizeof text, "store=dynamodb %s", want[i].scenario);
        struct usage u = usage_of(text, &s);
        near(u.line[USAGE_WRITE_UNITS], want[i].write, 1e-12);
        near(u.line[USAGE_READ_UNITS], want[i].read, 1e-12);
        near(u.line[USAGE_PUT] + u.line[USAGE_PUT_BATCH] + u.line[USAGE_GET], 0, 0);
    }
}

static void rows_that_are_not_written_cost_nothing_in_simpledb_either(void **state)
{
    (void)state;
    struct usage all = usage_of("payload=100 batch=1", NULL);
    struct usage claim = usage_of("payload=100 batch=1 rows=claim", NULL);
    struct usage end = usage_of("payload=100 batch=1 rows=end", NULL);
    near(all.line[USAGE_PUT], 3, 0);
    near(claim.line[USAGE_PUT], 2, 0);
    near(end.line[USAGE_PUT], 1, 0);
    near(end.line[USAGE_BOX_PUT], 0.0000219907 + 8 * 2e-10, 1e-15);
    assert_true(claim.line[USAGE_STORE_BYTE_HOURS] < all.line[USAGE_STORE_BYTE_HOURS]);
    assert_true(end.line[USAGE_STORE_BYTE_HOURS] < claim.line[USAGE_STORE_BYTE_HOURS]);
    /* The order of the two settings does not matter. */
    near(usage_of("rows=none store=dynamodb", NULL).line[USAGE_WRITE_UNITS], 0, 0);
    near(usage_of("rows=none rows=end store=dynamodb", NULL).line[USAGE_WRITE_UNITS], 1,
         0);
}

static void a_new_table_takes_so_many_jobs_a_second(void **state)
{
    (void)state;
    struct predict_state s;
    usage_of("store=dynamodb payload=100 job-time=1s boxes=1000 concurrency=100", &s);
    assert_int_equal(s.binding, PREDICT_BOUND_TABLE);
    near(s.rate_per_s, 4000.0 / 3, 1e-9);
    usage_of("store=dynamodb rows=end payload=100 job-time=1s boxes=1000 concurrency=100",
             &s);
    near(s.rate_per_s, 4000, 1e-9);
}

static void wire_bytes_follow_the_payload(void **state)
{
    (void)state;
    struct predict_state a, b, c;
    usage_of("payload=1000 batch=1 client=internet", &a);
    usage_of("payload=3000 batch=1 client=internet", &b);
    usage_of("payload=3000 batch=1 client=internet session-token=yes", &c);
    /* The payload goes out twice (message and row) and comes in once (receive); two more
     * values in the row and their names. */
    assert_true(b.client_out - a.client_out >= 4000 &&
                b.client_out - a.client_out < 4300);
    near(b.wire_in - a.wire_in, 2000, 4);
    assert_true(c.wire_out > b.wire_out + 6 * 900);
    usage_of("payload=1000 batch=1", &a);
    near(a.client_out, 0, 0);
}

static void ledgers_survive_json(void **state)
{
    (void)state;
    struct jobq_error err = {0};
    struct jobq_ledger *l = xcalloc(1, sizeof *l), *again = xcalloc(1, sizeof *l);
    struct predict_scenario sc = scenario("instance=c7g.large batch=10 payload=20000");
    struct usage u;
    assert_int_equal(predict_usage(&sc, NULL, &u, NULL, &err), JOBQ_OK);
    predict_ledger(&sc, &u, 1e6, l);
    l->jobs[JOBQ_JOBS_EXPIRED] = 3;
    l->instance[0].ended_by = JOBQ_ENDED_BY_AWS;
    l->instance[0].cpu_ns = 5;
    json_t *json = ledger_to_json(l);
    char *text = json_dumps(json, 0);
    assert_int_equal(ledger_parse(text, strlen(text), "l.json", again, &err), JOBQ_OK);
    assert_memory_equal(l, again, offsetof(struct jobq_ledger, instance));
    assert_int_equal(again->instance_count, 1);
    assert_memory_equal(l->instance, again->instance, sizeof *l->instance);
    json_decref(json);
    free(text);
    static const struct {
        const char *text, *expect;
    } bad[] = {
        {"{\n\"schema\": 1,\n]", "l.json:3:"},
        {"{}", "schema"},
        {"{\"schema\":\"jobq.ledger/2\",\"jobs\":{\"done\":-1}}",
         "'done' is not a count"},
        {"{\"schema\":\"jobq.ledger/2\",\"jobs\":7}", "'jobs' is not an object"},
        {"{\"schema\":\"jobq.ledger/2\",\"jobs\":{\"lost\":1}}", "'lost' is not an end"},
        {"{\"schema\":\"jobq.ledger/1\",\"jobs\":7}", "'schema' is not jobq.ledger/2"},
        {"{\"schema\":\"jobq.ledger/2\",\"jobs\":{\"dead\":1.5}}",
         "'dead' is not a count"},
        {"{\"schema\":\"jobq.ledger/2\",\"actions\":{\"Fly\":{}}}",
         "'Fly' is not an action"},
        {"{\"schema\":\"jobq.ledger/2\",\"send_kib\":{\"1025\":1}}",
         "'1025' is not a size"},
        {"{\"schema\":\"jobq.ledger/2\",\"instances\":[{\"id\":\"i\"}]}", "'type'"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(
            ledger_parse(bad[i].text, strlen(bad[i].text), "l.json", again, &err),
            JOBQ_INVALID);
        if (!strstr(err.text, bad[i].expect))
            fail_msg("'%s' has no '%s'", err.text, bad[i].expect);
    }
    jobq_ledger_release(l);
    jobq_ledger_release(again);
    free(l);
    free(again);
}

/* ---- formulas ------------------------------------------------------------------------- */

static const char FORMULA[] =
    "{\"schema\":\"jobq.formula/1\",\"name\":\"test\",\"era\":\"aws-2026\",\n"
    "\"domain\":{\"payload\":[100,1000],\"batch\":[1,10]},\"fixed\":{\"store\":"
    "\"simpledb\"},\n"
    "\"params\":{\"put_s\":0.05},\n"
    "\"lines\":[{\"line\":\"sqs_receive\",\"terms\":[{\"term\":\"receives\",\n"
    "\"coefficient\":1.25,\"closed\":1},{\"term\":\"one\",\"coefficient\":0.5}],\n"
    "\"covariance\":[[0.01,0],[0,0.04]],\"sigma2\":0.0009,\"sigma2_job\":4,\"dof\":10}]}";

static void a_fitted_line_replaces_the_closed_one(void **state)
{
    (void)state;
    struct jobq_error err = {0};
    struct formula *f;
    struct formula_value v;
    if (formula_parse(FORMULA, strlen(FORMULA), "f.json", &f, &err))
        fail_msg("%s", err.text);
    struct predict_scenario sc = scenario("payload=500 batch=1 job-time=0");
    assert_int_equal(formula_eval(f, &sc, 1000, &v, &err), JOBQ_OK);
    near(v.usage.line[USAGE_RECEIVE], 1.75, 1e-12);
    near(v.variance[USAGE_RECEIVE], 0.01 + 0.04 + 0.0009 + 4 / 1000., 1e-12);
    near(v.usage.line[USAGE_PUT], 3, 0); /* not fitted: closed */
    near(v.state.hold_s, 0.1, 1e-12);    /* its own put_s */
    near(v.outside, 0, 0);
    near(v.dof, 10, 0);
    /* Outside the domain it says so and widens. */
    sc = scenario("payload=10000 batch=1 job-time=0");
    assert_int_equal(formula_eval(f, &sc, 1000, &v, &err), JOBQ_OK);
    near(v.outside, 10, 1e-12);
    assert_string_equal(v.outside_of, "payload");
    near(v.variance[USAGE_RECEIVE], 0.0549 * 121, 1e-9);
    assert_true(v.variance[USAGE_PUT] >= 2.25);
    /* Written and read back it is the same. */
    char *text;
    size_t len;
    struct formula *again;
    formula_write(f, &text, &len);
    if (formula_parse(text, len, "again", &again, &err))
        fail_msg("%s", err.text);
    assert_int_equal(again->line_count, 1);
    near(again->line[0].coefficient[0], 1.25, 0);
    assert_true(isnan(again->line[0].closed[1]));
    near(again->params.put_s, 0.05, 0);
    near(again->high[PREDICT_PAYLOAD], 1000, 0);
    free(text);
    free(f);
    free(again);
}

static void malformed_formulas_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *from, *to, *expect;
    } bad[] = {
        {"formula/1", "formula/2", "schema"},
        {"[100,1000]", "[1000,100]", "payload: not [low, high]"},
        {"put_s", "put_z", "params"},
        {"sqs_receive", "sqs_fly", "lines"},
        {"\"receives\"", "\"flies\"", "sqs_receive: an unknown term"},
        {"[[0.01,0],", "[[0.01],", "covariance"},
        {"[0,0.04]]", "[0,-0.04]]", "negative variance"},
        {"\"dof\":10", "\"dof\":0", "sigma2 and dof"},
        {"aws-2026", "aws-1999", "era"},
        {"1.25,", "1.25", "f.json:5:"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char text[1200];
        struct jobq_error err = {0};
        struct formula *f;
        const char *at = strstr(FORMULA, bad[i].from);
        assert_non_null(at);
        size_t before = (size_t)(at - FORMULA);
        memcpy(text, FORMULA, before);
        strcpy(text + before, bad[i].to);
        strcat(text, at + strlen(bad[i].from));
        assert_int_equal(formula_parse(text, strlen(text), "f.json", &f, &err),
                         JOBQ_INVALID);
        if (!strstr(err.text, bad[i].expect))
            fail_msg("'%s' has no '%s'", err.text, bad[i].expect);
    }
}

static void students_t(void **state)
{
    (void)state;
    /* Textbook quantiles, two-sided 95 %. */
    near(formula_t95(1), 12.706, 1e-3);
    near(formula_t95(5), 2.571, 3e-3);
    near(formula_t95(10), 2.228, 1e-3);
    near(formula_t95(30), 2.042, 1e-3);
    near(formula_t95(1e9), 1.960, 1e-3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_flow_has_the_shapes_of_the_product),
        cmocka_unit_test(unbatched_is_three_requests_and_three_puts),
        cmocka_unit_test(batches_of_ten_are_a_third_of_a_request),
        cmocka_unit_test(payloads_split_into_values_and_chunks),
        cmocka_unit_test(limits_are_named),
        cmocka_unit_test(processors_are_shared),
        cmocka_unit_test(refused_puts_settle_at_the_equation),
        cmocka_unit_test(ceilings_raise_instance_time),
        cmocka_unit_test(a_run_has_boot_tail_and_set_up),
        cmocka_unit_test(the_last_job_ends_when_theory_says),
        cmocka_unit_test(what_does_not_fit_is_named),
        cmocka_unit_test(long_bills_do_not_wrap),
        cmocka_unit_test(polls_and_beats),
        cmocka_unit_test(rows_cost_by_their_bytes_and_hours),
        cmocka_unit_test(units_follow_rows_and_their_kib),
        cmocka_unit_test(rows_that_are_not_written_cost_nothing_in_simpledb_either),
        cmocka_unit_test(a_new_table_takes_so_many_jobs_a_second),
        cmocka_unit_test(wire_bytes_follow_the_payload),
        cmocka_unit_test(ledgers_survive_json),
        cmocka_unit_test(a_fitted_line_replaces_the_closed_one),
        cmocka_unit_test(malformed_formulas_are_refused),
        cmocka_unit_test(students_t),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
