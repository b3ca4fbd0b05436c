/* test_limits.c - facts about what a job asks in place of its drainer's own settings: attempts,
 * time limit, back-off. */
#include "stage.h"

#include "base/arena.h"
#include "base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <string.h>

/* ---- in the message ---------------------------------------------------------------------- */

static void limits_travel_with_the_job(void **state)
{
    (void)state;
    static const struct {
        struct job_limits limits;
        const char *line, *stored;
    } cases[] = {
        {{0}, "exec 0\na=1", "exec 0 store"},
        {{.attempts = 1000}, "exec 0 attempts=1000\na=1", "exec 0 attempts=1000 store"},
        {{.has_backoff = true}, "exec 0 backoff=0\na=1", "exec 0 backoff=0 store"},
        {{.attempts = 3,
          .time_limit_ns = 12 * JOBQ_NS_PER_HOUR,
          .backoff_ns = 15 * JOBQ_NS_PER_MIN,
          .has_backoff = true},
         "exec 0 attempts=3 limit=43200000000000 backoff=900000000000\na=1",
         "exec 0 attempts=3 limit=43200000000000 backoff=900000000000 store"},
    };
    const struct job_pair pair = {STR("a"), STR("1")};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct job_spec spec = {.kind = JOBQ_WORK_EXEC,
                                .pair = &pair,
                                .pair_count = 1,
                                .limits = cases[i].limits};
        char out[200];
        int64_t phantom;
        struct job_body body;
        struct jobq_error err;
        int64_t len = job_encode(&spec, out);
        assert_int_equal(len, strlen(cases[i].line));
        assert_memory_equal(out, cases[i].line, (size_t)len);
        assert_int_equal(job_encoded_bytes(&spec, &phantom), len);
        assert_int_equal(job_encoded_read((struct jobq_str){out, len}, 0, &body, &err),
                         JOBQ_OK);
        assert_memory_equal(&body.limits, &spec.limits, sizeof body.limits);
        assert_false(body.stored);
        len = job_encode_stored(&spec, out);
        assert_true(len <= JOB_HEAD_MAX);
        assert_int_equal(len, strlen(cases[i].stored));
        assert_memory_equal(out, cases[i].stored, (size_t)len);
        assert_int_equal(job_encoded_read((struct jobq_str){out, len}, 0, &body, &err),
                         JOBQ_OK);
        assert_true(body.stored);
        assert_memory_equal(&body.limits, &spec.limits, sizeof body.limits);
    }
}

static void what_no_limit_may_be_is_no_job(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "exec 0 attempts=",    "exec 0 attempts=1001", "exec 0 attempts=-1",
        "exec 0 limit=999999", "exec 0 limit=x",       "exec 0 limit=43200000000001",
        "exec 0 backoff=-1",   "exec 0 speed=3",       "exec 0 backoff=900000000001",
        "exec 0 stores"};
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        struct job_body body;
        struct jobq_error err;
        assert_int_equal(job_encoded_read(str_of(lines[i]), 0, &body, &err),
                         JOBQ_CORRUPT);
    }
}

/* ---- in the drainer ------------------------------------------------------------------------ */

struct ask {
    struct stage *st;
    struct job_limits limits;
    const char *seconds;
    struct enqueuer_job job;
    struct jobq_error err;
};

static void ask_add(void *ctx)
{
    struct ask *a = ctx;
    const struct job_pair pair[] = {{STR("kind"), STR("sleep")},
                                    {STR("seconds"), str_of(a->seconds)},
                                    {STR("payload"), {NULL, 5000}}};
    a->job = (struct enqueuer_job){.pair = pair, .pair_count = 3, .limits = a->limits};
    enqueuer_add_many(a->st->e, &a->job, 1, &a->err);
}

static const char *ask(struct ask *a)
{
    stage_do(a->st, ask_add, a);
    if (a->job.code != JOBQ_OK)
        fail_msg("%s", a->err.text);
    return a->job.id;
}

static void remake(void *ctx)
{
    struct stage *st = ctx;
    struct jobq_error err;
    if (enqueuer_new(st->b, &st->enqueue, &st->e, &err) != JOBQ_OK)
        fail_msg("%s", err.text);
}

static int fails(void *ctx, struct jobq_str job_id, int attempt)
{
    (void)ctx;
    (void)job_id;
    (void)attempt;
    return 1;
}

/* Also of a job whose pairs are in its row alone, and with rows and without. */
static void a_job_has_its_own_attempts(void **state)
{
    (void)state;
    for (int way = 0; way < 4; way++) {
        struct stage *st = stage_new("aws-2026", 30 * S);
        struct stage_drainer *sd = stage_drain(st, 2);
        st->script = fails;
        st->enqueue.payload_in = way == 1 ? ENQUEUER_IN_STORE : ENQUEUER_AUTO;
        st->enqueue.rows = way == 2 ? JOB_ROWS_END : JOB_ROWS_ALL;
        sd->options.rows = st->enqueue.rows;
        if (way == 3)
            st->b->store = sd->b->store = NULL;
        stage_do(st, remake, st);
        struct ask own = {st, .limits.attempts = 2, .seconds = "1"};
        ask(&own);
        stage_run_for(st, 300 * S);
        assert_int_equal(sd->started, 2);
        assert_int_equal(stage_depth(st, STAGE_QUEUE "-dead").visible, 1);
        if (way < 3) {
            assert_true(stage_row(st, own.job.id).state == JOB_DEAD);
            /* Its drainer's own are not changed by it. */
            struct ask other = {st, .seconds = "1"};
            ask(&other);
            stage_run_for(st, 600 * S);
            assert_int_equal(sd->started, 2 + 5);
        }
        stage_free(st);
    }
}

static void a_job_is_stopped_at_its_own_limit(void **state)
{
    (void)state;
    struct stage *st = stage_new("aws-2026", 30 * S);
    struct stage_drainer *sd = stage_drain(st, 2);
    sd->options.time_limit_ns = 50 * S;
    struct ask own = {st, .limits = {.attempts = 1, .time_limit_ns = 3 * S},
                      .seconds = "100"};
    struct ask longer = {st, .limits = {.attempts = 1, .time_limit_ns = 90 * S},
                         .seconds = "80"};
    struct ask none = {st, .limits.attempts = 1, .seconds = "60"};
    ask(&own);
    ask(&longer);
    stage_run_for(st, 200 * S);
    ask(&none);
    stage_run_for(st, 200 * S);
    struct job_row row = stage_row(st, own.job.id);
    assert_true(row.state == JOB_DEAD);
    int64_t took_ms = row.finished_ms - row.started_ms;
    assert_true(took_ms >= 3000 && took_ms < 9000);
    assert_true(stage_row(st, longer.job.id).state == JOB_DONE);
    assert_true(stage_row(st, none.job.id).state == JOB_DEAD);
    stage_free(st);
}

struct starts {
    struct stage *st;
    int64_t at_ns[20];
    int count;
};

static int notes_and_fails(void *ctx, struct jobq_str job_id, int attempt)
{
    struct starts *s = ctx;
    (void)job_id;
    (void)attempt;
    s->at_ns[s->count++] = kernel_now(s->st->k);
    return 1;
}

/* Doubled by each attempt, drawn from one to all of it; capped at 15 minutes. */
static void a_job_backs_off_as_it_says(void **state)
{
    (void)state;
    struct stage *st = stage_new("aws-2026", 30 * S);
    struct starts starts = {.st = st};
    struct stage_drainer *sd = stage_drain(st, 2);
    st->script = notes_and_fails;
    st->script_ctx = &starts;
    sd->options.retry_base_ns = 1;
    struct ask own = {
        st, .limits = {.attempts = 12, .backoff_ns = 60 * S, .has_backoff = true},
        .seconds = "0"};
    ask(&own);
    stage_run_for(st, 4 * 3600 * S);
    assert_int_equal(starts.count, 12);
    int64_t longest_ns = 0, sum_ns = 0;
    for (int k = 1; k < 12; k++) {
        int64_t gap_ns = starts.at_ns[k] - starts.at_ns[k - 1];
        int64_t top_ns = k < 5 ? (60 * S) << (k - 1) : 15 * JOBQ_NS_PER_MIN;
        assert_true(gap_ns <= top_ns + 25 * S); /* and a poll */
        longest_ns = gap_ns > longest_ns ? gap_ns : longest_ns;
        sum_ns += gap_ns;
    }
    assert_true(longest_ns > 5 * 60 * S && sum_ns > 30 * 60 * S);
    stage_free(st);
}

/* A queue hides a message for 12 h in all: a back-off takes what is left of them. */
static void a_back_off_ends_with_the_queues_patience(void **state)
{
    (void)state;
    struct stage *st = stage_new("aws-2026", 30 * S);
    struct starts starts = {.st = st};
    struct stage_drainer *sd = stage_drain(st, 1);
    st->script = notes_and_fails;
    st->script_ctx = &starts;
    sd->options.retry_base_ns = 1;
    struct ask own = {st,
                      .limits = {.attempts = 2,
                                 .backoff_ns = 15 * JOBQ_NS_PER_MIN,
                                 .has_backoff = true},
                      .seconds = "42960"}; /* 4 minutes less than 12 h */
    ask(&own);
    stage_run_for(st, 25 * JOBQ_NS_PER_HOUR);
    assert_int_equal(starts.count, 2);
    assert_true(stage_row(st, own.job.id).state == JOB_DEAD);
    stage_free(st);
}

static void a_limit_out_of_range_is_refused(void **state)
{
    (void)state;
    static const struct {
        struct job_limits limits;
        const char *text;
    } cases[] = {
        {{.attempts = 1001}, "1..1000"},
        {{.attempts = -1}, "1..1000"},
        {{.time_limit_ns = 1}, "'1ms'..'12h'"},
        {{.time_limit_ns = 12 * JOBQ_NS_PER_HOUR + 1}, "'1ms'..'12h'"},
        {{.backoff_ns = 15 * JOBQ_NS_PER_MIN + 1, .has_backoff = true}, "'0s'..'15min'"}};
    struct stage *st = stage_new("ideal", 30 * S);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct ask a = {st, .limits = cases[i].limits, .seconds = "0"};
        stage_do(st, ask_add, &a);
        assert_int_equal(a.job.code, JOBQ_LIMIT);
        assert_non_null(strstr(a.err.text, cases[i].text));
    }
    assert_int_equal(stage_depth(st, STAGE_QUEUE).visible, 0);
    stage_free(st);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(limits_travel_with_the_job),
        cmocka_unit_test(what_no_limit_may_be_is_no_job),
        cmocka_unit_test(a_job_has_its_own_attempts),
        cmocka_unit_test(a_job_is_stopped_at_its_own_limit),
        cmocka_unit_test(a_job_backs_off_as_it_says),
        cmocka_unit_test(a_back_off_ends_with_the_queues_patience),
        cmocka_unit_test(a_limit_out_of_range_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
