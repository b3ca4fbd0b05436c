/* test_keys.c - facts about clients' keys: enqueued twice, run once. */
#include "stage.h"

#include "base/arena.h"
#include "base/text.h"
#include "fleet/enqueue/queues.h"
#include "fleet/housekeeping/housekeeping.h"
#include "fleet/rows/rows.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DAY JOBQ_NS_PER_DAY

/* ---- a client -------------------------------------------------------------------------- */

struct client {
    struct stage *st;
    struct world_proc *proc;
    struct jobq_backend *b;
    struct jobq_ledger ledger;
    struct enqueuer_options options;
    struct enqueuer *e;
    const char *key, *payload;
    int64_t count; /* of the same job */
    struct enqueuer_job job[20];
    int64_t good;
    bool done;
    struct jobq_error err;
};

static void client_open(void *ctx)
{
    struct client *c = ctx;
    if (enqueuer_new(c->b, &c->options, &c->e, &c->err) != JOBQ_OK)
        fail_msg("%s", c->err.text);
}

static void client_init(struct client *c, struct stage *st, int number)
{
    *c = (struct client){.st = st, .count = 1, .payload = "x"};
    c->proc = world_proc_new(st->w, "another", (uint64_t)number, NULL, &c->ledger, 0);
    c->b = world_backend(c->proc);
    c->options = st->enqueue;
    stage_do_in(st, c->proc, client_open, c);
}

static void client_add(void *ctx)
{
    struct client *c = ctx;
    const struct job_pair pair[] = {{STR("kind"), STR("sleep")},
                                    {STR("seconds"), STR("1")},
                                    {STR("payload"), str_of(c->payload)}};
    for (int64_t i = 0; i < c->count; i++)
        c->job[i] =
            (struct enqueuer_job){.pair = pair, .pair_count = 3, .key = str_of(c->key)};
    c->good = enqueuer_add_many(c->e, c->job, c->count, &c->err);
    c->done = true;
}

static const char *key_add(struct client *c, const char *key)
{
    c->key = key;
    stage_do_in(c->st, c->proc, client_add, c);
    if (c->good != c->count)
        fail_msg("%s", c->err.text);
    return c->job[0].id;
}

static int64_t requests(const struct client *c, enum jobq_action action)
{
    return c->ledger.action[action].requests;
}

static void client_release(struct client *c)
{
    jobq_ledger_release(&c->ledger);
}

/* ---- facts ------------------------------------------------------------------------------ */

static void a_job_keyed_twice_runs_once(void **state)
{
    (void)state;
    struct stage *st = stage_new("aws-2026", 30 * S);
    struct client one, two;
    client_init(&one, st, 1);
    client_init(&two, st, 2);
    char id[JOB_ID_MAX + 1];
    strcpy(id, key_add(&one, "invoice=4711 <\xc3\xa4>\n"));
    assert_string_equal(key_add(&two, "invoice=4711 <\xc3\xa4>\n"), id);
    assert_string_not_equal(key_add(&two, "invoice=4712"), id);
    struct stage_drainer *sd = stage_drain(st, 2);
    stage_run_for(st, 60 * S);
    assert_int_equal(sd->started, 2);
    assert_string_equal(key_add(&two, "invoice=4711 <\xc3\xa4>\n"), id);
    assert_string_equal(key_add(&one, "invoice=4712"),
                        two.job[0].id[0] ? one.job[0].id : "");
    stage_run_for(st, 60 * S);
    assert_int_equal(sd->started, 2);
    assert_true(stage_row(st, id).state == JOB_DONE);
    assert_int_equal(stage_depth(st, STAGE_QUEUE).visible, 0);
    client_release(&one);
    client_release(&two);
    stage_free(st);
}

/* What a key costs: one write and, of the row, one by itself; who finds it taken a refused write
 * and two reads, and a message if the job has not begun. */
static void a_key_costs_what_is_said(void **state)
{
    (void)state;
    struct stage *st = stage_new("aws-2026", 30 * S);
    struct client c;
    st->enqueue.shards = 1;
    client_init(&c, st, 1);
    key_add(&c, "first"); /* makes the tables */
    int64_t puts = requests(&c, JOBQ_ACT_SDB_PUT);
    key_add(&c, "k");
    assert_int_equal(requests(&c, JOBQ_ACT_SDB_PUT) - puts, 2);
    assert_int_equal(requests(&c, JOBQ_ACT_SDB_GET), 0);
    assert_int_equal(requests(&c, JOBQ_ACT_SQS_SEND), 2);
    key_add(&c, "k");
    assert_int_equal(requests(&c, JOBQ_ACT_SDB_PUT) - puts, 3);
    assert_int_equal(requests(&c, JOBQ_ACT_SDB_GET), 2);
    assert_int_equal(requests(&c, JOBQ_ACT_SQS_SEND), 3);
    stage_drain(st, 2);
    stage_run_for(st, 60 * S);
    key_add(&c, "k");
    assert_int_equal(requests(&c, JOBQ_ACT_SDB_PUT) - puts, 4);
    assert_int_equal(requests(&c, JOBQ_ACT_SDB_GET), 4);
    assert_int_equal(requests(&c, JOBQ_ACT_SQS_SEND), 3);
    client_release(&c);
    stage_free(st);
}

static void a_batch_of_one_key_is_one_job(void **state)
{
    (void)state;
    struct stage *st = stage_new("aws-2026", 30 * S);
    struct client c;
    client_init(&c, st, 1);
    c.count = 20;
    key_add(&c, "same");
    for (int i = 1; i < 20; i++)
        assert_string_equal(c.job[i].id, c.job[0].id);
    struct stage_drainer *sd = stage_drain(st, 10);
    stage_run_for(st, 120 * S);
    assert_int_equal(sd->started, 1);
    client_release(&c);
    stage_free(st);
}

/* Two clients that begin in the same moment. */
static void clients_at_once_have_one_job(void **state)
{
    (void)state;
    struct stage *st = stage_new("aws-2026", 30 * S);
    struct client c[6];
    for (int i = 0; i < 6; i++) {
        client_init(&c[i], st, i);
        c[i].key = "same";
        c[i].payload = i % 2 ? "a longer payload than that of the others" : "x";
        fiber_spawn(world_fibers(c[i].proc), client_add, &c[i]);
    }
    stage_run_for(st, 20 * S);
    for (int i = 0; i < 6; i++) {
        assert_true(c[i].done && c[i].good == 1);
        assert_string_equal(c[i].job[0].id, c[0].job[0].id);
    }
    struct job_row row = stage_row(st, c[0].job[0].id);
    assert_int_equal(row.piece_count, 1);
    struct stage_drainer *sd = stage_drain(st, 10);
    stage_run_for(st, 120 * S);
    assert_int_equal(sd->started, 1);
    for (int i = 0; i < 6; i++) {
        assert_int_equal(sd->last.payload_bytes > 0, 1);
        client_release(&c[i]);
    }
    stage_free(st);
}

/* A client dies behind any of its calls; the next one with the key completes what it began. */
static void a_crash_in_between_is_completed(void **state)
{
    (void)state;
    for (int after_ms = 0; after_ms < 120; after_ms += 3) {
        struct stage *st = stage_new("aws-2026", 30 * S);
        struct client one, two;
        client_init(&one, st, 1);
        client_init(&two, st, 2);
        one.key = "k";
        one.payload = "of the first";
        fiber_spawn(world_fibers(one.proc), client_add, &one);
        stage_run_for(st, after_ms * JOBQ_NS_PER_MS);
        world_proc_kill(one.proc);
        key_add(&two, "k");
        struct stage_drainer *sd = stage_drain(st, 2);
        stage_run_for(st, 120 * S);
        assert_int_equal(sd->started, 1);
        assert_true(stage_row(st, two.job[0].id).state == JOB_DONE);
        if (one.done)
            assert_string_equal(one.job[0].id, two.job[0].id);
        client_release(&one);
        client_release(&two);
        stage_free(st);
    }
}

/* Lost replies of each kind of call: one's own key is no other's. */
static void lost_replies_do_not_make_a_second_job(void **state)
{
    (void)state;
    struct stage *st = stage_new("aws-2026", 30 * S);
    struct stage_drainer *sd = stage_drain(st, 2); /* for its fault hook */
    struct client c;
    client_init(&c, st, 1);
    stage_fail(sd, JOBQ_ACT_SDB_PUT, JOBQ_FAULT_AFTER, 1, 6, JOBQ_TIMEOUT);
    stage_fail(sd, JOBQ_ACT_SDB_GET, JOBQ_FAULT_AFTER, 1, 2, JOBQ_UNAVAILABLE);
    c.b->fault = sd->b->fault;
    c.b->fault_ctx = sd;
    char id[JOB_ID_MAX + 1];
    strcpy(id, key_add(&c, "k"));
    assert_string_equal(key_add(&c, "k"), id);
    stage_run_for(st, 60 * S);
    assert_int_equal(sd->started, 1);
    client_release(&c);
    stage_free(st);
}

static void prune(void *ctx)
{
    struct client *c = ctx;
    struct housekeeping h = {.b = c->b,
                             .queue_name = STR(STAGE_QUEUE),
                             .queue = enqueuer_queue(c->e),
                             .keep_ns = HOUSEKEEPING_KEEP_NS,
                             .retention_ns = QUEUES_RETENTION_NS,
                             .visibility_ns = 30 * S};
    struct housekeeping_done done = {0};
    if (housekeeping_prune(&h, &done, &c->err) != JOBQ_OK)
        fail_msg("%s", c->err.text);
    c->good = done.freed;
}

/* With and without housekeeping a key is free when its job's message cannot be left. */
static void a_key_is_free_after_the_retention(void **state)
{
    (void)state;
    for (int housekeeping = 0; housekeeping < 2; housekeeping++) {
        struct stage *st = stage_new("aws-2026", 30 * S);
        struct client c;
        client_init(&c, st, 1);
        char id[JOB_ID_MAX + 1];
        strcpy(id, key_add(&c, "k"));
        stage_run_for(st, 14 * DAY - 60 * S);
        stage_do_in(st, c.proc, prune, &c);
        assert_int_equal(c.good, 0);
        assert_string_equal(key_add(&c, "k"), id);
        stage_run_for(st, 120 * S);
        if (housekeeping) {
            stage_do_in(st, c.proc, prune, &c);
            assert_int_equal(c.good, 1);
        }
        char again[JOB_ID_MAX + 1];
        strcpy(again, key_add(&c, "k"));
        assert_string_not_equal(again, id);
        assert_string_equal(key_add(&c, "k"), again);
        stage_do_in(st, c.proc, prune, &c);
        assert_int_equal(c.good, 0);
        client_release(&c);
        stage_free(st);
    }
}

static void a_key_without_a_guard_is_refused(void **state)
{
    (void)state;
    struct stage *st = stage_new("ideal", 30 * S);
    struct client c;
    char longest[JOB_KEY_BYTES_MAX + 2];
    memset(longest, '=', sizeof longest);
    longest[JOB_KEY_BYTES_MAX + 1] = '\0';
    st->enqueue.rows = JOB_ROWS_END;
    client_init(&c, st, 1);
    c.key = "k";
    stage_do_in(st, c.proc, client_add, &c);
    assert_int_equal(c.job[0].code, JOBQ_INVALID);
    assert_non_null(strstr(c.err.text, "rows"));
    client_release(&c);
    st->enqueue.rows = JOB_ROWS_CLAIM;
    client_init(&c, st, 2);
    c.key = longest;
    stage_do_in(st, c.proc, client_add, &c);
    assert_int_equal(c.job[0].code, JOBQ_LIMIT);
    assert_non_null(strstr(c.err.text, "255"));
    c.key = "";
    stage_do_in(st, c.proc, client_add, &c);
    assert_int_equal(c.job[0].code, JOBQ_INVALID);
    longest[JOB_KEY_BYTES_MAX] = '\0';
    char id[JOB_ID_MAX + 1];
    strcpy(id, key_add(&c, longest));
    assert_string_equal(key_add(&c, longest), id);
    struct stage_drainer *sd = stage_drain(st, 2);
    sd->options.rows = JOB_ROWS_CLAIM;
    stage_run_for(st, 60 * S);
    assert_string_equal(key_add(&c, longest), id);
    stage_run_for(st, 60 * S);
    assert_int_equal(sd->started, 1);
    client_release(&c);
    stage_free(st);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_job_keyed_twice_runs_once),
        cmocka_unit_test(a_key_costs_what_is_said),
        cmocka_unit_test(a_batch_of_one_key_is_one_job),
        cmocka_unit_test(clients_at_once_have_one_job),
        cmocka_unit_test(a_crash_in_between_is_completed),
        cmocka_unit_test(lost_replies_do_not_make_a_second_job),
        cmocka_unit_test(a_key_is_free_after_the_retention),
        cmocka_unit_test(a_key_without_a_guard_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
