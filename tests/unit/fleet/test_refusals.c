/* test_refusals.c - a drainer whose calls are refused or fail for long: it says so, gives back
 * what it holds and ends, or goes on when it may.
 *
 * Room:     tests/unit. The product on the simulated ports; stage.h. */
#include "stage.h"

#include "base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#define ALWAYS 1000000

static void must_say(const struct stage_drainer *sd, const char *what)
{
    if (!strstr(sd->notice, what))
        fail_msg("'%s' is not in the notices:\n%s", what, sd->notice);
}

/* A drainer whose calls of an action are refused from the start must end as DENIED and name
 * the call, in its notice and in its error. */
static struct stage_drainer *refuse(struct stage *st, enum jobq_action action)
{
    struct stage_drainer *sd = stage_drain(st, 2);
    stage_fail(sd, action, JOBQ_FAULT_BEFORE, 1, ALWAYS, JOBQ_DENIED);
    return sd;
}

static void must_have_ended(const struct stage_drainer *sd, const char *call)
{
    assert_true(sd->returned);
    assert_int_equal(sd->code, JOBQ_DENIED);
    assert_non_null(strstr(sd->err.text, call));
    must_say(sd, call);
    must_say(sd, "refused");
}

/* Two drainers, and a job that is longer than its message is hidden: without heartbeats both
 * would run it at once, again and again, until the row says dead. */
static void a_refused_heartbeat_ends_the_drainer_before_others_take_its_job(void **state)
{
    (void)state;
    struct stage *st = stage_new("aws-2026", 10 * S);
    stage_enqueue(st, 1, "40");
    struct stage_drainer *a = refuse(st, JOBQ_ACT_SQS_VISIBILITY);
    stage_run_for(st, 9 * S);
    must_have_ended(a, "ChangeMessageVisibility");
    assert_int_equal(a->gave_back, 1);
    assert_int_equal(stage_state(st, 0), JOB_QUEUED);
    must_say(a, "1 message could not be given back");
    /* One that may extend it then runs it as the first attempt. */
    struct stage_drainer *b = stage_drain(st, 1);
    stage_run_for(st, 120 * S);
    assert_int_equal(stage_state(st, 0), JOB_DONE);
    assert_int_equal(stage_row(st, st->id[0]).attempt, 1);
    assert_int_equal(b->ended, 1);
    stage_free(st);
}

static void a_refused_delete_ends_the_drainer(void **state)
{
    (void)state;
    struct stage *st = stage_new("aws-2026", 30 * S);
    stage_enqueue(st, 3, "1");
    struct stage_drainer *sd = refuse(st, JOBQ_ACT_SQS_DELETE_BATCH);
    stage_run_for(st, 60 * S);
    must_have_ended(sd, "DeleteMessage");
    assert_int_equal(stage_count(st, JOB_DONE), 3);
    assert_int_equal(sd->notices, 1); /* said once */
    stage_free(st);
}

static void a_refused_claim_ends_the_drainer_and_costs_no_attempt(void **state)
{
    (void)state;
    struct stage *st = stage_new("aws-2026", 30 * S);
    stage_enqueue(st, 3, "1");
    struct stage_drainer *sd = refuse(st, JOBQ_ACT_SDB_PUT);
    stage_run_for(st, 60 * S);
    must_have_ended(sd, "PutAttributes");
    assert_int_equal(stage_count(st, JOB_QUEUED), 3);
    assert_int_equal(sd->started, 0);
    stage_free(st);
}

static void a_refused_final_put_loses_no_job(void **state)
{
    (void)state;
    struct stage *st = stage_new("aws-2026", 30 * S);
    stage_enqueue(st, 2, "3");
    struct stage_drainer *sd = stage_drain(st, 2);
    stage_fail(sd, JOBQ_ACT_SDB_PUT, JOBQ_FAULT_BEFORE, 3, ALWAYS, JOBQ_DENIED);
    stage_run_for(st, 60 * S);
    must_have_ended(sd, "PutAttributes");
    assert_int_equal(sd->started, 2);
    stage_drain(st, 2);
    stage_run_for(st, 60 * S);
    assert_int_equal(stage_count(st, JOB_DONE), 2);
    stage_free(st);
}

static void a_refused_read_is_not_the_jobs_failure(void **state)
{
    (void)state;
    struct stage *st = stage_new("aws-2026", 10 * S);
    stage_enqueue(st, 1, "1");
    struct stage_drainer *killed = stage_drain(st, 1);
    stage_run_for(st, 700 * JOBQ_NS_PER_MS);
    assert_int_equal(killed->started, 1);
    stage_kill(killed);
    struct stage_drainer *sd = refuse(st, JOBQ_ACT_SDB_GET);
    stage_run_for(st, 60 * S);
    must_have_ended(sd, "GetAttributes");
    assert_int_equal(stage_state(st, 0), JOB_RUNNING);
    stage_drain(st, 1);
    stage_run_for(st, 60 * S);
    assert_int_equal(stage_state(st, 0), JOB_DONE);
    stage_free(st);
}

static int fails(void *ctx, struct jobq_str job_id, int attempt)
{
    (void)ctx;
    (void)job_id;
    (void)attempt;
    return 1;
}

static void a_refused_copy_to_the_dead_letters_ends_the_drainer(void **state)
{
    (void)state;
    struct stage *st = stage_new("aws-2026", 30 * S);
    st->script = fails;
    stage_enqueue(st, 1, "1");
    struct stage_drainer *sd = refuse(st, JOBQ_ACT_SQS_SEND);
    sd->options.max_attempts = 1;
    stage_run_for(st, 60 * S);
    must_have_ended(sd, "SendMessage");
    assert_int_equal(stage_state(st, 0), JOB_DEAD);
    assert_int_equal(stage_requests(st, JOBQ_ACT_SQS_DELETE), 0);
    stage_free(st);
}

static void
a_refused_look_at_the_queue_ends_a_drainer_that_waits_for_idleness(void **state)
{
    (void)state;
    struct stage *st = stage_new("aws-2026", 30 * S);
    struct stage_drainer *sd = stage_drain(st, 2);
    sd->options.visibility_ns = 30 * S;
    sd->options.idle_exit_ns = 5 * S;
    stage_fail(sd, JOBQ_ACT_SQS_GET_ATTRIBUTES, JOBQ_FAULT_BEFORE, 1, ALWAYS,
               JOBQ_DENIED);
    stage_run_for(st, 60 * S);
    must_have_ended(sd, "GetQueueAttributes");
    stage_free(st);
}

static void refused_statistics_are_said_and_nothing_ends(void **state)
{
    (void)state;
    struct stage *st = stage_new("aws-2026", 30 * S);
    stage_enqueue(st, 1, "1");
    struct stage_drainer *sd = stage_drain(st, 1);
    sd->options.stats_ns = 60 * S;
    /* Claim, end, and then only the statistics row. */
    stage_fail(sd, JOBQ_ACT_SDB_PUT, JOBQ_FAULT_BEFORE, 3, ALWAYS, JOBQ_DENIED);
    stage_run_for(st, 200 * S);
    assert_false(sd->returned);
    must_say(sd, "PutAttributes");
    assert_int_equal(stage_state(st, 0), JOB_DONE);
    stage_free(st);
}

static void a_service_that_fails_is_said_each_minute_and_its_recovery_once(void **state)
{
    (void)state;
    struct stage *st = stage_new("aws-2026", 30 * S);
    struct stage_drainer *sd = stage_drain(st, 1);
    stage_fail(sd, JOBQ_ACT_SQS_RECEIVE, JOBQ_FAULT_BEFORE, 2, ALWAYS, JOBQ_UNAVAILABLE);
    stage_run_for(st, 30 * S);
    assert_int_equal(sd->notices, 1);
    must_say(sd, "failing for");
    must_say(sd, "ReceiveMessage");
    struct drainer_view view;
    drainer_view(sd->d, &view);
    assert_non_null(strstr(view.trouble, "ReceiveMessage"));
    stage_run_for(st, 75 * S);
    assert_int_equal(sd->notices, 2);
    sd->fault_count = 0;
    stage_run_for(st, 30 * S);
    assert_int_equal(sd->notices, 3);
    must_say(sd, "ReceiveMessage succeeds again");
    drainer_view(sd->d, &view);
    assert_string_equal(view.trouble, "");
    stage_free(st);
}

static void a_call_that_fails_now_and_then_is_not_worth_a_word(void **state)
{
    (void)state;
    struct stage *st = stage_new("aws-2026", 30 * S);
    stage_enqueue(st, 20, "1");
    struct stage_drainer *sd = stage_drain(st, 2);
    stage_fail(sd, JOBQ_ACT_SDB_PUT, JOBQ_FAULT_BEFORE, 3, 2, JOBQ_THROTTLED);
    stage_run_for(st, 60 * S);
    assert_int_equal(stage_count(st, JOB_DONE), 20);
    assert_int_equal(sd->notices, 0);
    stage_free(st);
}

static void a_receive_that_makes_no_sense_is_made_again(void **state)
{
    (void)state;
    struct stage *st = stage_new("aws-2026", 30 * S);
    stage_enqueue(st, 3, "1");
    struct stage_drainer *sd = stage_drain(st, 1);
    stage_fail(sd, JOBQ_ACT_SQS_RECEIVE, JOBQ_FAULT_BEFORE, 1, 2, JOBQ_CORRUPT);
    stage_run_for(st, 60 * S);
    assert_false(sd->returned);
    assert_int_equal(stage_count(st, JOB_DONE), 3);
    stage_free(st);
}

/* ---- rows whose domain is gone -------------------------------------------------------- */

static void wipe_store(void *ctx)
{
    struct stage *st = ctx;
    struct jobq_table table[100];
    struct jobq_str token = STR("");
    int all, handle;
    struct jobq_error err;
    struct jobq_backend *b = world_backend(st->reader);
    struct arena *memory = fiber_proc_arena(world_fibers(st->reader));
    int count =
        jobq_store_list(b, STR(STAGE_QUEUE), &token, memory, table, 100, &all, &err);
    for (int i = 0; i < count; i++) {
        assert_int_equal(jobq_store_open(b, &table[i], &handle, &err), JOBQ_OK);
        assert_int_equal(jobq_store_drop(b, handle, &err), JOBQ_OK);
    }
    assert_true(count > 0);
}

static void a_missing_domain_ends_the_drainer_and_kills_no_job(void **state)
{
    (void)state;
    struct stage *st = stage_new("aws-2026", 30 * S);
    stage_enqueue(st, 5, "1");
    stage_do_in(st, st->reader, wipe_store, st);
    struct stage_drainer *sd = stage_drain(st, 2);
    stage_run_for(st, 180 * S);
    assert_true(sd->returned);
    assert_int_equal(sd->code, JOBQ_NOT_FOUND);
    assert_non_null(strstr(sd->err.text, "does not exist"));
    assert_int_equal(stage_depth(st, STAGE_QUEUE "-dead").visible, 0);
    assert_int_equal(stage_depth(st, STAGE_QUEUE).visible, 5);
    stage_free(st);
}

/* A service manager starts the drainer again and again while the store is away. Were each
 * message returned at once, its receives would be used up in minutes, and the queue would move
 * it to the dead letters. */
static void a_missing_domain_does_not_wear_messages_out(void **state)
{
    (void)state;
    struct stage *st = stage_new("aws-2026", 30 * S);
    stage_enqueue(st, 2, "1");
    stage_do_in(st, st->reader, wipe_store, st);
    for (int i = 0; i < 3; i++) {
        struct stage_drainer *sd = stage_drain(st, 2);
        for (int n = 0; n < 200 && !sd->returned; n++)
            stage_run_for(st, S);
        assert_int_equal(sd->code, JOBQ_NOT_FOUND);
        int64_t hidden_ns = (30 * S << i) - 5 * S;
        stage_run_for(st, hidden_ns);
        assert_int_equal(stage_depth(st, STAGE_QUEUE).visible, 0);
        assert_int_equal(stage_depth(st, STAGE_QUEUE).in_flight, 2);
        stage_run_for(st, 10 * S);
        assert_int_equal(stage_depth(st, STAGE_QUEUE).visible, 2);
    }
    stage_free(st);
}

static void a_drainer_that_may_create_makes_a_missing_domain(void **state)
{
    (void)state;
    struct stage *st = stage_new("aws-2026", 30 * S);
    stage_enqueue(st, 5, "1");
    stage_do_in(st, st->reader, wipe_store, st);
    struct stage_drainer *sd = stage_drain(st, 2);
    sd->options.create = true;
    stage_run_for(st, 180 * S);
    assert_false(sd->returned);
    assert_int_equal(stage_count(st, JOB_DONE), 5);
    assert_int_equal(stage_depth(st, STAGE_QUEUE "-dead").visible, 0);
    stage_free(st);
}

/* A message whose job is 20 days old. */
static void send_old(void *ctx)
{
    struct stage *st = ctx;
    char body[JOB_ID_MAX + 40], id[JOB_ID_MAX + 1];
    struct jobq_entry_result result;
    struct jobq_error err;
    struct job_ids ids;
    int64_t then_ns = jobq_wall(st->b) - 20 * JOBQ_NS_PER_DAY;
    job_ids_init(&ids, STR(STAGE_QUEUE), 1);
    job_ids_next(&ids, then_ns, job_day(then_ns), 0, id);
    int len = snprintf(body, sizeof body, "%s sleep 1000000000", id);
    struct jobq_outgoing message = {.body = {body, len}};
    assert_int_equal(
        jobq_queue_send(st->b, enqueuer_queue(st->e), &message, 1, &result, &err),
        JOBQ_OK);
    assert_int_equal(result.code, JOBQ_OK);
}

static void a_job_of_a_day_that_was_dropped_stops_nobody(void **state)
{
    (void)state;
    struct stage *st = stage_new("aws-2026", 30 * S);
    stage_do(st, send_old, st);
    stage_enqueue(st, 5, "1");
    struct stage_drainer *sd = stage_drain(st, 2);
    stage_run_for(st, 120 * S);
    assert_false(sd->returned);
    assert_int_equal(stage_count(st, JOB_DONE), 5);
    assert_true(sd->skipped >= 1);
    assert_int_equal(stage_depth(st, STAGE_QUEUE "-dead").visible, 1);
    stage_free(st);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_refused_heartbeat_ends_the_drainer_before_others_take_its_job),
        cmocka_unit_test(a_refused_delete_ends_the_drainer),
        cmocka_unit_test(a_refused_claim_ends_the_drainer_and_costs_no_attempt),
        cmocka_unit_test(a_refused_final_put_loses_no_job),
        cmocka_unit_test(a_refused_read_is_not_the_jobs_failure),
        cmocka_unit_test(a_refused_copy_to_the_dead_letters_ends_the_drainer),
        cmocka_unit_test(
            a_refused_look_at_the_queue_ends_a_drainer_that_waits_for_idleness),
        cmocka_unit_test(refused_statistics_are_said_and_nothing_ends),
        cmocka_unit_test(a_service_that_fails_is_said_each_minute_and_its_recovery_once),
        cmocka_unit_test(a_call_that_fails_now_and_then_is_not_worth_a_word),
        cmocka_unit_test(a_receive_that_makes_no_sense_is_made_again),
        cmocka_unit_test(a_missing_domain_ends_the_drainer_and_kills_no_job),
        cmocka_unit_test(a_missing_domain_does_not_wear_messages_out),
        cmocka_unit_test(a_drainer_that_may_create_makes_a_missing_domain),
        cmocka_unit_test(a_job_of_a_day_that_was_dropped_stops_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
