/* test_drain_late.c - what a drainer may still do when its calls are answered late.
 *
 * Room:     tests/unit. The product on the simulated ports; stage.h. */
#include "stage.h"

#include "base/text.h"
#include "fiber/fiber.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

/* The n-th call of an action is held, or each if n is 0, before it is made or before its
 * reply comes. */
struct stall {
    enum jobq_action action;
    enum jobq_fault_phase phase;
    int nth;
    int64_t for_ns;
    int seen;
};
struct stalls {
    struct stage_drainer *sd;
    struct stall stall[2];
    int now; /* calls that are held */
};

static int stalled(void *ctx, enum jobq_action action, enum jobq_fault_phase phase)
{
    struct stalls *stalls = ctx;
    struct jobq_backend *b = stalls->sd->b;
    for (int i = 0; i < 2; i++) {
        struct stall *stall = &stalls->stall[i];
        if (stall->action != action || stall->phase != phase)
            continue;
        stall->seen++;
        if (stall->nth > 0 && stall->seen != stall->nth)
            continue;
        stalls->now++;
        fiber_sleep_until(b->sched, jobq_now(b) + stall->for_ns);
        stalls->now--;
    }
    return 0;
}

static struct stage_drainer *stall_drainer(struct stage *st, struct stalls *stalls)
{
    stalls->sd = stage_drain(st, 1);
    stalls->sd->b->fault = stalled;
    stalls->sd->b->fault_ctx = stalls;
    return stalls->sd;
}

static void run_until_stalled(struct stage *st, const struct stalls *stalls)
{
    for (int i = 0; i < 1000 && stalls->now == 0; i++)
        stage_run_for(st, S / 10);
    assert_int_equal(stalls->now, 1);
}

static int children(const struct stage_drainer *sd)
{
    int count = 0;
    for (int i = 0; i < 64; i++)
        count += sd->ids[i][0] != '\0';
    return count;
}

/* A poll of 2 s whose reply came after 15 s: by then its message has been visible for a while,
 * and may be another's. It is not even claimed. */
static void a_reply_that_comes_after_its_poll_says_little(void **state)
{
    (void)state;
    struct stage *st = stage_new("aws-2026", 10 * S);
    struct stalls stalls = {
        .stall = {{JOBQ_ACT_SQS_RECEIVE, JOBQ_FAULT_AFTER, 1, 15 * S, 0}}};
    stage_enqueue(st, 1, "1");
    struct stage_drainer *sd = stall_drainer(st, &stalls);
    sd->options.wait_ns = 2 * S;
    stage_run_for(st, 60 * S);
    assert_int_equal(sd->skipped, 1);
    assert_int_equal(sd->started, 1);
    struct job_row row = stage_row(st, st->id[0]);
    assert_int_equal(row.state, JOB_DONE);
    assert_int_equal(row.attempt, 1);
    stage_free(st);
}

/* SQS says success to the receipt of a message that was received again. So an extension that
 * is confirmed when its message may have been visible does not make a start safe. */
static void an_extension_that_is_confirmed_late_proves_nothing(void **state)
{
    (void)state;
    struct stage *st = stage_new("aws-2026", 10 * S);
    struct stalls stalls = {
        .stall = {{JOBQ_ACT_SDB_PUT, JOBQ_FAULT_AFTER, 1, 13 * S, 0},
                  {JOBQ_ACT_SQS_VISIBILITY, JOBQ_FAULT_AFTER, 0, 7 * S, 0}}};
    stage_enqueue(st, 1, "1");
    struct stage_drainer *sd = stall_drainer(st, &stalls);
    stage_run_for(st, 60 * S);
    assert_true(stalls.stall[1].seen > 0);
    assert_int_equal(sd->lost, 1);
    assert_int_equal(children(sd), 1);
    struct job_row row = stage_row(st, st->id[0]);
    assert_int_equal(row.state, JOB_DONE);
    assert_int_equal(row.attempt, 2);
    stage_free(st);
}

static void make_enqueuer(void *ctx)
{
    struct stage *st = ctx;
    struct jobq_error err;
    assert_int_equal(enqueuer_new(st->b, &st->enqueue, &st->e, &err), JOBQ_OK);
}

/* What reads a row for its payload sees whose claim stands there. */
static void a_claim_that_is_gone_when_the_payload_is_read_starts_nothing(void **state)
{
    (void)state;
    static const char *const claims[] = {"running 2/other", "cancelled 1/other"};
    for (int i = 0; i < 2; i++) {
        struct stage *st = stage_new("aws-2026", 30 * S);
        struct stalls stalls = {
            .stall = {{JOBQ_ACT_SDB_PUT, JOBQ_FAULT_AFTER, 1, 3 * S, 0}}};
        st->enqueue.payload_in = ENQUEUER_IN_STORE;
        stage_do(st, make_enqueuer, st);
        stage_enqueue(st, 1, "1");
        struct stage_drainer *sd = stall_drainer(st, &stalls);
        run_until_stalled(st, &stalls);
        stage_damage(st, st->id[0], "claim", claims[i]);
        stage_run_for(st, 10 * S);
        assert_int_equal(sd->lost, 1);
        assert_int_equal(children(sd), 0);
        assert_int_equal(sd->last.state, i ? JOB_CANCELLED : JOB_RUNNING);
        stage_free(st);
    }
}

static void ask_stop(void *ctx)
{
    struct stage_drainer *sd = ctx;
    drainer_stop(sd->d, jobq_now(sd->b) + 20 * S);
}

/* A repair queues a job again under the claim's own token, and counts its attempt: that is not
 * what giving back writes. */
static void a_job_that_others_queued_is_not_given_back(void **state)
{
    (void)state;
    struct stage *st = stage_new("aws-2026", 30 * S);
    struct stalls stalls = {
        .stall = {{JOBQ_ACT_SDB_PUT, JOBQ_FAULT_BEFORE, 2, 3 * S, 0}}};
    stage_enqueue(st, 1, "100");
    struct stage_drainer *sd = stall_drainer(st, &stalls);
    stage_run_for(st, 5 * S);
    assert_int_equal(children(sd), 1);
    stage_do_in(st, sd->proc, ask_stop, sd);
    run_until_stalled(st, &stalls);
    struct job_row row = stage_row(st, st->id[0]);
    char claim[JOB_CLAIM_MAX + 1];
    snprintf(claim, sizeof claim, "queued 1/%.*s", (int)row.token.len, row.token.ptr);
    stage_damage(st, st->id[0], "claim", claim);
    stage_run_for(st, 20 * S);
    assert_true(sd->returned);
    assert_int_equal(sd->gave_back, 0);
    assert_int_equal(sd->lost, 1);
    stage_free(st);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_reply_that_comes_after_its_poll_says_little),
        cmocka_unit_test(an_extension_that_is_confirmed_late_proves_nothing),
        cmocka_unit_test(a_claim_that_is_gone_when_the_payload_is_read_starts_nothing),
        cmocka_unit_test(a_job_that_others_queued_is_not_given_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
