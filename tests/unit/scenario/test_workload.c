/* test_workload.c - distributions have the moments they name, arrivals come when they
 * say, and recorded traces are read as their README counts them. */
#include "scenario/workload.h"

#include "jobq/units.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

static void arrivals(void **state)
{
    (void)state;
    static const char *const texts[] = {"at-once", "every:100ms", "poisson:10/s",
                                        "gamma:mean=100ms,cv=3"};
    for (int i = 0; i < 4; i++) {
        struct jobq_error err = {0};
        struct arrivals a;
        assert_int_equal(arrivals_parse(texts[i], &a, &err), JOBQ_OK);
        struct distribution one;
        one = distribution_constant((double)JOBQ_NS_PER_S);
        struct workload w;
        workload_init(&w, &a, &one, NULL, 10000, 3);
        struct workload_job job = {0};
        int64_t count = 0, last_ns = 0;
        while (workload_next(&w, &job)) {
            assert_true(job.arrival_ns >= last_ns);
            assert_int_equal(job.job_ns, JOBQ_NS_PER_S);
            last_ns = job.arrival_ns;
            if (i == 1)
                assert_int_equal(last_ns, count * 100 * JOBQ_NS_PER_MS);
            count++;
        }
        assert_int_equal(count, 10000);
        if (i == 0)
            assert_int_equal(last_ns, 0);
        if (i == 2)
            assert_true(fabs((double)last_ns / 1e12 - 1) < 0.05);
        arrivals_release(&a);
    }
    struct jobq_error err;
    struct arrivals a;
    assert_true(arrivals_parse("poisson:0/s", &a, &err) < 0);
    assert_true(arrivals_parse("poisson:1/y", &a, &err) < 0);
    assert_true(arrivals_parse("sometimes", &a, &err) < 0);
}

/* ---- traces ----------------------------------------------------------------------- */

static const struct trace_options PLAIN = {
    .time_scale = 1, .context_token_ns = 100000, .token_ns = 20000000};

static int read_text(const char *body, size_t len, struct trace *out,
                     struct jobq_error *err)
{
    char path[] = "/tmp/test_workload_XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_true(write(fd, body, len) == (ssize_t)len);
    close(fd);
    int code = trace_read(path, &PLAIN, out, err);
    unlink(path);
    return code;
}

static void swf(void **state)
{
    (void)state;
    static const char body[] =
        "; a comment\n\n"
        "1 5 -1 10 1 -1 -1 -1 -1 -1 -1 1 1 -1 -1 -1 -1 -1\n"
        "2 3 -1 2.5 1 -1 -1 -1 -1 -1 -1 1 1 -1 -1 -1 -1 -1 77 78\r\n"
        "3 5 -1 7 1 -1 -1 -1 -1 -1 -1 1 1 -1 -1 -1 -1 -1 ; tail\n"
        "4 6 -1 0 1 -1 -1 -1 -1 -1 -1 1 1 -1 -1 -1 -1 -1\n"
        "5 6 -1 -1 1 -1 -1 -1 -1 -1 -1 1 1 -1 -1 -1 -1 -1\n"
        "6 -1 -1 9 1 -1 -1 -1 -1 -1 -1 1 1 -1 -1 -1 -1 -1";
    struct trace t;
    struct jobq_error err = {0};
    if (read_text(body, sizeof body - 1, &t, &err) != JOBQ_OK)
        fail_msg("%s", err.text);
    assert_int_equal(t.count, 3);
    assert_int_equal(t.skipped_runtime, 2);
    assert_int_equal(t.skipped_arrival, 1);
    assert_int_equal(t.arrival_ns[0], 3 * JOBQ_NS_PER_S);
    assert_int_equal(t.job_ns[0], 2500 * JOBQ_NS_PER_MS);
    assert_int_equal(t.job_ns[1], 10 * JOBQ_NS_PER_S); /* ties keep the file's order */
    assert_int_equal(t.job_ns[2], 7 * JOBQ_NS_PER_S);
    trace_release(&t);
}

static void bad_traces(void **state)
{
    (void)state;
#define REST " 1 -1 -1 -1 -1 -1 -1 1 1 -1 -1 -1 -1 -1\n"
    static const struct {
        const char *body, *says;
    } cases[] = {{"", "is empty"},
                 {"; only\n", "is empty"},
                 {"1 0 -1 0" REST, "no usable job"},
                 {"2 1 -1\n", "1 lines skipped (line 1: 3 of 18 fields)"},
                 {"1 0 -1 x" REST, "line 1: malformed run time 'x'"},
                 {"2 \x01 -1 5" REST, "line 1: malformed submit time '\\x01'"},
                 {"1 99999999999999 -1 5" REST, "line 1: submit time"},
                 {"1 0 -1 -7" REST, "line 1: a run time of 0 or less"},
                 {"a,b,c\n1,2,3\n", "2 lines skipped (line 1: 1 of 18 fields)"},
                 {"app,func,end_timestamp,duration\na,b,1\n", "line 2: 3 of 4 fields"},
                 {"app,func,end_timestamp,duration\na,b,1,zz\n", "line 2: malformed"},
                 {"TIMESTAMP,ContextTokens,GeneratedTokens\n2023-13-01 00:00:00.0,1,1\n",
                  "line 2: malformed TIMESTAMP"},
                 {"TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-01 00:00:00.0,1,-1\n",
                  "line 2: GeneratedTokens '-1' is out of range"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct trace t;
        struct jobq_error err = {0};
        if (read_text(cases[i].body, strlen(cases[i].body), &t, &err) >= 0)
            fail_msg("case %zu was taken", i);
        if (!strstr(err.text, cases[i].says))
            fail_msg("case %zu: %s", i, err.text);
    }
}

/* What a real archive holds among its jobs is skipped and counted, and the first of it named. */
static void unusable_lines_are_skipped(void **state)
{
    (void)state;
    static char body[9000];
    int len = snprintf(body, sizeof body,
                       "\xef\xbb\xbf"
                       "1 0 -1 5" REST "2 1 -1\n"
                       "3 7 -1 -6.5" REST "4 8 -1 9" REST "5 -7 -1 9" REST
                       "6 9 -1 1e99" REST "7 10 -1 4" REST "%5000d\n"
                       "8 11 -1 3" REST,
                       0);
    struct trace t;
    struct jobq_error err = {0};
    if (read_text(body, (size_t)len, &t, &err) != JOBQ_OK)
        fail_msg("%s", err.text);
    assert_int_equal(t.count, 4);
    assert_int_equal(t.skipped_runtime, 1);
    assert_int_equal(t.skipped_arrival, 1);
    assert_int_equal(t.skipped_malformed, 3);
    assert_int_equal(trace_skipped(&t), 5);
    assert_string_equal(t.note[0], "line 2: 3 of 18 fields");
    assert_string_equal(t.note[1], "line 3: a run time of 0 or less");
    assert_string_equal(t.note[2], "line 5: no arrival");
    assert_int_equal(t.job_ns[3], 3 * JOBQ_NS_PER_S);
    trace_release(&t);
}

static void headers_may_be_odd(void **state)
{
    (void)state;
    static const char *const bodies[] = {
        "app,func,end_timestamp,duration\na,b,10,4\n",
        "Duration , \"End_Timestamp\", app\r\n4,10,a\r\n",
        "\"region\",\"duration\",\"end_timestamp\"\n\"x\",\"4\",\"10\"\n"};
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
        struct trace t;
        struct jobq_error err = {0};
        if (read_text(bodies[i], strlen(bodies[i]), &t, &err) != JOBQ_OK)
            fail_msg("%s", err.text);
        assert_int_equal(t.format, TRACE_AZURE_FUNCTIONS);
        assert_int_equal(t.arrival_ns[0], 6 * JOBQ_NS_PER_S);
        assert_int_equal(t.job_ns[0], 4 * JOBQ_NS_PER_S);
        trace_release(&t);
    }
}

static void a_scale_past_the_clock_is_refused(void **state)
{
    (void)state;
    char path[] = "/tmp/test_workload_XXXXXX";
    static const char body[] = "1 0 -1 86400" REST;
    struct trace_options options = PLAIN;
    struct trace t;
    struct jobq_error err = {0};
    int fd = mkstemp(path);
    assert_true(write(fd, body, sizeof body - 1) == (ssize_t)sizeof body - 1);
    close(fd);
    options.time_scale = 1e6;
    assert_int_equal(trace_read(path, &options, &t, &err), JOBQ_LIMIT);
    assert_non_null(strstr(err.text, "pass 100 years"));
    unlink(path);
}

/* The counts and means of ../shared/traces/README.md. */
static void recorded(void **state)
{
    (void)state;
    static const struct {
        const char *path;
        int64_t count, skipped;
        double mean_gap_s, mean_job_s;
    } traces[] = {
        {"../shared/traces/NASA-iPSC-1993-3.1-cln.swf", 18066, 173, 440, 772},
        {"../shared/traces/Azure2021_200.invitro-sample.csv", 199, 0, 6.06, 53.3},
        {"../shared/traces/AzureLLMInferenceTrace_code.csv", 8819, 0, 0.390, 0.763}};
    for (int i = 0; i < 3; i++) {
        struct trace t;
        struct jobq_error err = {0};
        int code = trace_read(traces[i].path, &PLAIN, &t, &err);
        if (code == JOBQ_NOT_FOUND) {
            print_message("SKIPPED: no %s\n", traces[i].path);
            continue;
        }
        if (code != JOBQ_OK)
            fail_msg("%s", err.text);
        assert_int_equal(t.count, traces[i].count);
        assert_int_equal(t.skipped_runtime, traces[i].skipped);
        double gap = (double)(t.arrival_ns[t.count - 1] - t.arrival_ns[0]) / 1e9 /
                     (double)(t.count - 1);
        double mean = 0;
        for (int64_t j = 0; j < t.count; j++)
            mean += (double)t.job_ns[j] / 1e9 / (double)t.count;
        if (fabs(gap / traces[i].mean_gap_s - 1) > 0.01 ||
            fabs(mean / traces[i].mean_job_s - 1) > 0.01)
            fail_msg("%s: gap %g, job %g", traces[i].path, gap, mean);
        trace_release(&t);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arrivals),
        cmocka_unit_test(swf),
        cmocka_unit_test(bad_traces),
        cmocka_unit_test(unusable_lines_are_skipped),
        cmocka_unit_test(headers_may_be_odd),
        cmocka_unit_test(a_scale_past_the_clock_is_refused),
        cmocka_unit_test(recorded)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
