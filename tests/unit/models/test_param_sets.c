/* test_param_sets.c - parameter sets: every number has its provenance, or the set is
 * refused. */
#include "models/params/params.h"
#include "models/sqs/sqs.h"

#include "jobq/units.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

struct numbers {
    int64_t count, wait_ns, bytes;
    int32_t small;
    double rate;
    bool on;
    struct distribution latency;
};
#define FIELD(name, kind, member)                                                        \
    {                                                                                    \
        name, kind, offsetof(struct numbers, member), 0, 0, NULL                         \
    }
static const struct param_field field[] = {
    FIELD("count", PARAM_COUNT, count),
    FIELD("wait", PARAM_NS, wait_ns),
    FIELD("bytes", PARAM_BYTES, bytes),
    {"small", PARAM_COUNT32, offsetof(struct numbers, small), 1, 10, NULL},
    FIELD("rate", PARAM_NUMBER, rate),
    FIELD("on", PARAM_FLAG, on),
    FIELD("latency", PARAM_DISTRIBUTION, latency),
};
enum { FIELDS = sizeof field / sizeof *field };

#define GOOD                                                                             \
    "[other]\nx = 1 | assumed | 2026 | nobody\n[svc]\n"                                  \
    "count = 12k | documented | 2026-11 | the guide\nwait = 30s | derived | 2012 | "     \
    "sums\n"                                                                             \
    "bytes = 64KiB | measured | 2012-07 | a study\nsmall = 7 | defined | 2026 | us\n"    \
    "rate = 5% | assumed | 2026 | a guess\non = yes | defined | 2026 | us\n"
#define LATENCY "latency = exp:9ms | assumed | 2026 | a guess\n"

static int load(const char *text, struct numbers *out, struct jobq_error *err)
{
    return params_load_text(text, "set", "svc", field, FIELDS, out, err);
}

static void a_section_fills_its_struct(void **state)
{
    (void)state;
    struct jobq_error err;
    struct numbers n = {0};
    assert_int_equal(load(GOOD LATENCY, &n, &err), JOBQ_OK);
    assert_int_equal(n.count, 12000);
    assert_int_equal(n.wait_ns, 30 * JOBQ_NS_PER_S);
    assert_int_equal(n.bytes, 65536);
    assert_int_equal(n.small, 7);
    assert_true(n.rate > 0.0499 && n.rate < 0.0501 && n.on);
    assert_int_equal(n.latency.kind, DISTRIBUTION_EXPONENTIAL);
    assert_int_equal(params_set(field, FIELDS, &n, "wait", "1min", &err), JOBQ_OK);
    assert_int_equal(n.wait_ns, 60 * JOBQ_NS_PER_S);
    assert_int_equal(params_set(field, FIELDS, &n, "small", "11", &err), JOBQ_LIMIT);
    assert_int_equal(params_set(field, FIELDS, &n, "nil", "1", &err), JOBQ_INVALID);
    assert_int_equal(n.small, 7);
}

static void a_line_without_provenance_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *line, *says;
    } bad[] = {
        {"latency = exp:9ms\n", "set:10: 'latency' lacks its provenance"},
        {"latency = exp:9ms | assumed | 2026\n", "lacks its provenance"},
        {"latency = exp:9ms | assumed | 2026 | \n", "lacks its source"},
        {"latency = exp:9ms | guessed | 2026 | x\n", "unknown status 'guessed'"},
        {"latency = exp:9ms | assumed | 2026-13 | x\n", "malformed date '2026-13'"},
        {"latency = exp:9ms | assumed | yesterday | x\n", "malformed date"},
        {"latency = | assumed | 2026 | x\n", "lacks its value"},
        {"latency = exp:nine | assumed | 2026 | x\n", "parameter 'latency'"},
        {"count = 1 | assumed | 2026 | x\n", "'count' is there twice"},
        {"other = 1 | assumed | 2026 | x\n", "unknown parameter 'other'"},
        {"", "set: 'latency' is missing in '[svc]'"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char text[1024];
        struct jobq_error err = {0};
        struct numbers n = {0};
        snprintf(text, sizeof text, "%s%s", GOOD, bad[i].line);
        assert_int_not_equal(load(text, &n, &err), JOBQ_OK);
        if (!strstr(err.text, bad[i].says))
            fail_msg("'%s' gave '%s'", bad[i].line, err.text);
    }
}

struct tally {
    int lines, assumed;
};

static int count_note(void *ctx, const struct param_note *note, struct jobq_error *err)
{
    (void)err;
    struct tally *tally = ctx;
    tally->lines++;
    /* BoxUsage is billed in the ideal world too, and has its guesses. */
    if (note->status == PARAM_ASSUMED && strcmp(note->section, "sqs") == 0)
        tally->assumed++;
    assert_true(note->source[0] && note->line > 0);
    return JOBQ_OK;
}

static void built_in_sets_are_whole(void **state)
{
    (void)state;
    struct jobq_error err = {0};
    for (int i = 0; params_name(i); i++) {
        struct sqs_params params;
        struct tally tally = {0};
        int code = params_each(params_name(i), count_note, &tally, &err);
        if (code == JOBQ_OK)
            code = sqs_params_load(params_name(i), &params, &err);
        if (code != JOBQ_OK)
            fail_msg("%s", err.text);
        /* A report on what was assumed has something to say but for the ideal world. */
        assert_true((tally.assumed == 0) == (strcmp(params_name(i), "ideal") == 0));
        assert_true(tally.lines >= 34);
        assert_int_equal(params.long_poll_max_ns, 20 * JOBQ_NS_PER_S);
    }
    struct sqs_params params;
    assert_int_equal(sqs_params_load("aws-1999", &params, &err), JOBQ_NOT_FOUND);
    assert_non_null(strstr(err.text, "'aws-2026', 'aws-2012' and 'ideal'"));
    assert_null(params_text("nothing"));
    assert_int_equal(sqs_params_load("aws-2012", &params, &err), JOBQ_OK);
    assert_int_equal(params.message_bytes_max, 65536);
    assert_int_equal(sqs_params_load("aws-2026", &params, &err), JOBQ_OK);
    assert_int_equal(params.message_bytes_max, 1048576);
    assert_int_equal(params.in_flight_max, 120000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_section_fills_its_struct),
        cmocka_unit_test(a_line_without_provenance_is_refused),
        cmocka_unit_test(built_in_sets_are_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
