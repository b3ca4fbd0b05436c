/* test_enqueuer.c - facts about the enqueuer: batches, refusals, crashes and repair. */
#include "stage.h"

#include "base/arena.h"
#include "base/text.h"
#include "fiber/fiber.h"
#include "fleet/enqueue/queues.h"
#include "fleet/housekeeping/housekeeping.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

/* ---- a journal in memory ------------------------------------------------------------- */

enum { RECORDS_MAX = 20000, RECORD_BYTES = JOB_ID_MAX + 40 };
struct journal {
    struct enqueuer_journal port;
    char record[RECORDS_MAX][RECORD_BYTES];
    int count;
    bool broken;
};

static int append(void *ctx, const struct jobq_str *record, int count,
                  struct jobq_error *err)
{
    struct journal *j = ctx;
    if (j->broken)
        return jobq_fail(err, JOBQ_DENIED, "the disk is full");
    for (int i = 0; i < count; i++) {
        assert_true(j->count < RECORDS_MAX && record[i].len < RECORD_BYTES);
        memcpy(j->record[j->count], record[i].ptr, (size_t)record[i].len);
        j->record[j->count++][record[i].len] = '\0';
    }
    return JOBQ_OK;
}

static int load(void *ctx, int (*each)(void *each_ctx, struct jobq_str record),
                void *each_ctx, struct jobq_error *err)
{
    struct journal *j = ctx;
    (void)err;
    for (int i = 0; i < j->count; i++)
        if (each(each_ctx, str_of(j->record[i])))
            break;
    return JOBQ_OK;
}

static struct journal *journal_new(void)
{
    struct journal *j = xcalloc(1, sizeof *j);
    j->port = (struct enqueuer_journal){.ctx = j, .append = append, .load = load};
    return j;
}

/* ---- helpers --------------------------------------------------------------------------- */

struct task {
    struct stage *st;
    struct enqueuer *e;
    const struct job_pair *pair;
    int pair_count;
    int64_t count, good;
    char id[JOB_ID_MAX + 1];
    int code;
    struct jobq_error err;
    bool done[1000]; /* tags */
    int order;       /* in which it finished */
    int *finished;
};

static void add_one(void *ctx)
{
    struct task *t = ctx;
    t->code = enqueuer_add(t->st->e, t->pair, t->pair_count, t->id, &t->err);
    if (t->finished)
        t->order = (*t->finished)++;
}

static int add(struct stage *st, const struct job_pair *pair, int count, struct task *t)
{
    *t = (struct task){.st = st, .pair = pair, .pair_count = count};
    stage_do(st, add_one, t);
    return t->code;
}

static void remake(void *ctx)
{
    struct stage *st = ctx;
    struct jobq_error err;
    if (enqueuer_new(st->b, &st->enqueue, &st->e, &err) != JOBQ_OK)
        fail_msg("%s", err.text);
}

/* ---- batches ------------------------------------------------------------------------------ */

static void a_list_fills_its_calls(void **state)
{
    (void)state;
    struct stage *st = stage_new("aws-2026", 30 * S);
    st->enqueue.pipeline = 8;
    stage_do(st, remake, st);
    stage_enqueue(st, 1000, "0");
    assert_int_equal(stage_requests(st, JOBQ_ACT_SQS_SEND_BATCH), 100);
    assert_int_equal(stage_requests(st, JOBQ_ACT_SQS_SEND), 0);
    /* 40, and one more for each of the domains, which were not there. */
    assert_int_equal(stage_requests(st, JOBQ_ACT_SDB_PUT_BATCH), 42);
    assert_int_equal(stage_requests(st, JOBQ_ACT_SDB_CREATE_DOMAIN), 2);
    assert_int_equal(stage_count(st, JOB_QUEUED), 1000);
    assert_int_equal(stage_depth(st, STAGE_QUEUE).visible, 1000);
    for (int i = 1; i < 1000; i++)
        assert_string_not_equal(st->id[i - 1], st->id[i]);
    stage_free(st);
}

/* Many batches find their domains missing in the same moment: each is made once, the first put
 * into each is refused, every other is sent once. */
static void many_batches_make_each_domain_once(void **state)
{
    (void)state;
    struct stage *st = stage_new("aws-2026", 30 * S);
    st->enqueue.pipeline = 64;
    st->enqueue.shards = 8;
    stage_do(st, remake, st);
    stage_enqueue(st, 2000, "0");
    assert_int_equal(stage_requests(st, JOBQ_ACT_SDB_CREATE_DOMAIN), 8);
    assert_int_equal(stage_requests(st, JOBQ_ACT_SDB_PUT_BATCH), 80 + 8);
    assert_int_equal(stage_count(st, JOB_QUEUED), 2000);
    /* Another process of the same day asks by its first puts, and makes none. */
    stage_do(st, remake, st);
    stage_enqueue(st, 1000, "0");
    assert_int_equal(stage_requests(st, JOBQ_ACT_SDB_CREATE_DOMAIN), 8);
    assert_int_equal(stage_requests(st, JOBQ_ACT_SDB_PUT_BATCH), 80 + 8 + 40);
    stage_free(st);
}

/* A making that the store turns away is tried again by the batch that began it alone. */
static void a_throttled_making_holds_the_others(void **state)
{
    (void)state;
    struct stage *st = stage_new("aws-2026", 30 * S);
    struct stage_drainer *sd = stage_drain(st, 1); /* for its fault hook */
    sd->options.queue = "no-such";
    stage_fail(sd, JOBQ_ACT_SDB_CREATE_DOMAIN, JOBQ_FAULT_BEFORE, 1, 3, JOBQ_THROTTLED);
    st->enqueue.pipeline = 16;
    stage_do(st, remake, st);
    st->b->fault = sd->b->fault;
    st->b->fault_ctx = sd;
    stage_enqueue(st, 1000, "0");
    assert_int_equal(sd->fault[0].seen, 2 + 3);
    assert_int_equal(stage_requests(st, JOBQ_ACT_SDB_PUT_BATCH), 40 + 2);
    stage_free(st);
}

static void drop_domains(void *ctx)
{
    struct stage *st = ctx;
    struct jobq_error err;
    struct jobq_table table[100];
    struct jobq_str token = STR("");
    int all, handle;
    struct arena *arena = fiber_proc_arena(st->b->proc);
    int count =
        jobq_store_list(st->b, STR(STAGE_QUEUE), &token, arena, table, 100, &all, &err);
    assert_int_equal(count, 2);
    for (int i = 0; i < count; i++) {
        assert_int_equal(jobq_store_open(st->b, &table[i], &handle, &err), JOBQ_OK);
        assert_int_equal(jobq_store_drop(st->b, handle, &err), JOBQ_OK);
    }
}

/* Domains that are dropped under a running process come back, each made once. */
static void a_dropped_domain_is_made_again_once(void **state)
{
    (void)state;
    struct stage *st = stage_new("aws-2026", 30 * S);
    st->enqueue.pipeline = 16;
    stage_do(st, remake, st);
    stage_enqueue(st, 1000, "0");
    stage_do(st, drop_domains, st);
    stage_enqueue(st, 1000, "0");
    assert_int_equal(stage_requests(st, JOBQ_ACT_SDB_CREATE_DOMAIN), 2 + 2);
    for (int i = 1000; i < 2000; i += 37)
        assert_int_equal(stage_state(st, i), JOB_QUEUED);
    stage_free(st);
}

static void callers_share_calls_without_waiting(void **state)
{
    (void)state;
    struct stage *st = stage_new("aws-2026", 30 * S);
    static struct task task[40];
    int finished = 0;
    const struct job_pair pair = {STR("seconds"), STR("0")};
    add(st, &pair, 1, &task[0]); /* alone: one put, one send, at once */
    assert_int_equal(stage_requests(st, JOBQ_ACT_SQS_SEND), 1);
    for (int i = 0; i < 40; i++) {
        task[i] = (struct task){
            .st = st, .pair = &pair, .pair_count = 1, .finished = &finished};
        fiber_spawn(world_fibers(st->client), add_one, &task[i]);
    }
    stage_run_for(st, 10 * S);
    assert_int_equal(finished, 40);
    for (int i = 0; i < 40; i++) {
        assert_int_equal(task[i].code, JOBQ_OK);
        assert_int_equal(task[i].order, i); /* a pipeline of one keeps the order */
    }
    /* The first goes alone, the 39 that came meanwhile together. */
    assert_int_equal(stage_requests(st, JOBQ_ACT_SQS_SEND), 2);
    assert_int_equal(stage_requests(st, JOBQ_ACT_SQS_SEND_BATCH), 4);
    stage_free(st);
}

struct many {
    struct stage *st;
    struct enqueuer_job job[12];
    int64_t good;
};

static void add_all(void *ctx)
{
    struct many *m = ctx;
    struct jobq_error err;
    m->good = enqueuer_add_many(m->st->e, m->job, 12, &err);
}

/* 12 of 200 KiB: a call of rows holds 768 KiB, a call of messages 1 MiB. */
static void big_jobs_go_in_smaller_calls(void **state)
{
    (void)state;
    struct stage *st = stage_new("aws-2026", 30 * S);
    const struct job_pair pair = {STR("payload"), {NULL, 200 * 1024}};
    struct many m = {.st = st};
    for (int i = 0; i < 12; i++)
        m.job[i] = (struct enqueuer_job){.pair = &pair, .pair_count = 1};
    stage_do(st, add_all, &m);
    assert_int_equal(m.good, 12);
    for (int i = 0; i < 12; i++)
        assert_int_equal(stage_row(st, m.job[i].id).piece_count, 201);
    assert_int_equal(stage_depth(st, STAGE_QUEUE).visible, 12);
    assert_int_equal(st->ledger.send_kib[1024], 0); /* none at the limit or beyond */
    assert_true(st->ledger.send_kib[802] + st->ledger.send_kib[801] >= 1);
    stage_free(st);
}

/* ---- refusals ------------------------------------------------------------------------------ */

static void a_refusal_names_its_limit_and_leaves_nothing(void **state)
{
    (void)state;
    struct stage *st = stage_new("aws-2026", 30 * S);
    const struct {
        struct job_pair pair;
        int code;
        const char *names;
    } bad[] = {{{STR("payload"), {NULL, JOB_ROW_BYTES_MAX}}, JOBQ_LIMIT, "249856"},
               {{STR("kind"), STR("dance")}, JOBQ_INVALID, "dance"},
               {{STR(""), STR("x")}, JOBQ_INVALID, "name"}};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct task t;
        assert_int_equal(add(st, &bad[i].pair, 1, &t), bad[i].code);
        if (!strstr(t.err.text, bad[i].names))
            fail_msg("%s", t.err.text);
        assert_string_equal(t.id, "");
    }
    assert_int_equal(stage_requests(st, JOBQ_ACT_SDB_PUT), 0);
    assert_int_equal(stage_requests(st, JOBQ_ACT_SQS_SEND), 0);
    assert_int_equal(enqueuer_counters(st->e).refused, 3);
    stage_free(st);
}

/* A message that the queue refuses takes its row with it. */
static void a_refused_message_leaves_no_row(void **state)
{
    (void)state;
    struct stage *st = stage_new("aws-2026", 30 * S);
    struct stage_drainer *sd = stage_drain(st, 1); /* for its fault hook */
    sd->options.queue = "no-such";
    stage_fail(sd, JOBQ_ACT_SQS_SEND, JOBQ_FAULT_BEFORE, 1, 1, JOBQ_LIMIT);
    st->b->fault = sd->b->fault;
    st->b->fault_ctx = sd;
    const struct job_pair pair = {STR("seconds"), STR("0")};
    struct task t;
    assert_int_equal(add(st, &pair, 1, &t), JOBQ_LIMIT);
    assert_int_equal(stage_requests(st, JOBQ_ACT_SDB_PUT),
                     2); /* the first made the domain */
    assert_int_equal(stage_requests(st, JOBQ_ACT_SDB_DELETE), 1);
    stage_free(st);
}

static void a_payload_past_the_message_goes_by_the_row(void **state)
{
    (void)state;
    struct stage *st = stage_new("aws-2026", 30 * S);
    st->enqueue.message_max_bytes = 1000;
    stage_do(st, remake, st);
    const struct job_pair pair = {STR("payload"), {NULL, 3000}};
    struct task t;
    assert_int_equal(add(st, &pair, 1, &t), JOBQ_OK);
    assert_int_equal(st->ledger.send_kib[1], 1); /* small */
    struct stage_drainer *sd = stage_drain(st, 1);
    stage_run_for(st, 10 * S);
    assert_int_equal(sd->ended, 1);
    assert_int_equal(sd->ledger.action[JOBQ_ACT_SDB_GET].requests, 1);
    assert_int_equal(stage_row(st, t.id).state, JOB_DONE);

    st->enqueue.payload_in = ENQUEUER_IN_MESSAGE;
    stage_do(st, remake, st);
    assert_int_equal(add(st, &pair, 1, &t), JOBQ_LIMIT);
    assert_non_null(strstr(t.err.text, "1000"));
    stage_free(st);
}

/* ---- crashes ------------------------------------------------------------------------------- */

struct list {
    struct stage *st;
    struct enqueuer *e;
    struct journal *journal;
    struct jobq_backend *b;
    struct enqueuer_job job[120];
    bool done[120];
    int64_t good;
    int64_t recovered;
};

static const struct job_pair SHORT_PAIR = {{"seconds", 7}, {"0.2", 3}};

static void start_list(void *ctx)
{
    struct list *l = ctx;
    struct jobq_error err;
    struct enqueuer_options o = l->st->enqueue;
    o.journal = &l->journal->port;
    o.pipeline = 3;
    if (enqueuer_new(l->b, &o, &l->e, &err) < 0)
        fail_msg("%s", err.text);
    for (int i = 0; i < 120; i++)
        l->job[i] = (struct enqueuer_job){.pair = &SHORT_PAIR, .pair_count = 1, .tag = i};
    l->good = enqueuer_add_many(l->e, l->job, 120, &err);
}

static void done_tag(void *ctx, int64_t tag)
{
    struct list *l = ctx;
    assert_false(l->done[tag]); /* once */
    l->done[tag] = true;
}

static void resume_list(void *ctx)
{
    struct list *l = ctx;
    struct jobq_error err;
    struct enqueuer_options o = l->st->enqueue;
    o.journal = &l->journal->port;
    if (enqueuer_new(l->b, &o, &l->e, &err) < 0)
        fail_msg("%s", err.text);
    l->recovered = enqueuer_recover(l->e, done_tag, l, &err);
    if (l->recovered < 0)
        fail_msg("%s", err.text);
    int count = 0;
    for (int i = 0; i < 120; i++)
        if (!l->done[i])
            l->job[count++] =
                (struct enqueuer_job){.pair = &SHORT_PAIR, .pair_count = 1, .tag = i};
    assert_int_equal(enqueuer_add_many(l->e, l->job, count, &err), count);
}

/* Killed at random moments and resumed from the journal, every line of the list is one job,
 * and every job ends once. */
static void a_killed_client_resumes_from_its_journal(void **state)
{
    (void)state;
    struct dice dice;
    int64_t repaired = 0;
    dice_init(&dice, 3, "kills", 0);
    for (int round = 0; round < 30; round++) {
        struct stage *st = stage_new("aws-2026", 30 * S);
        struct list *l = xcalloc(1, sizeof *l);
        l->st = st;
        l->journal = journal_new();
        struct world_proc *first =
            world_proc_new(st->w, "first", 0, NULL, &st->ledger, 0);
        l->b = world_backend(first);
        fiber_spawn(world_fibers(first), start_list, l);
        stage_run_for(st, (int64_t)(dice_u(&dice) * 0.7 * (double)S));
        world_proc_kill(first);
        struct world_proc *second =
            world_proc_new(st->w, "second", 0, NULL, &st->ledger, 0);
        l->b = world_backend(second);
        stage_do_in(st, second, resume_list, l);
        repaired += l->recovered;
        struct stage_drainer *sd = stage_drain(st, 40);
        stage_run_for(st, 90 * S);
        assert_int_equal(sd->ended, 120);
        assert_int_equal(stage_depth(st, STAGE_QUEUE).visible, 0);
        assert_int_equal(stage_depth(st, STAGE_QUEUE).in_flight, 0);
        free(l->journal);
        free(l);
        stage_free(st);
    }
    assert_true(repaired > 0); /* else the kills missed the gap */
}

static void a_journal_that_fails_begins_nothing(void **state)
{
    (void)state;
    struct stage *st = stage_new("aws-2026", 30 * S);
    struct journal *journal = journal_new();
    st->enqueue.journal = &journal->port;
    stage_do(st, remake, st);
    journal->broken = true;
    struct task t;
    assert_int_equal(add(st, &SHORT_PAIR, 1, &t), JOBQ_DENIED);
    assert_int_equal(stage_requests(st, JOBQ_ACT_SDB_PUT), 0);
    free(journal);
    stage_free(st);
}

struct repair {
    struct stage *st;
    struct housekeeping_done done;
    struct list *list;
    int64_t sent;
    int64_t until_ns;
    struct jobq_error err;
};

static struct housekeeping house_of(struct stage *st)
{
    return (struct housekeeping){.b = st->b,
                                 .queue_name = STR(STAGE_QUEUE),
                                 .queue = enqueuer_queue(st->e),
                                 .keep_ns = HOUSEKEEPING_KEEP_NS,
                                 .retention_ns = QUEUES_RETENTION_NS,
                                 .visibility_ns = 10 * S};
}

static void repair_it(void *ctx)
{
    struct repair *r = ctx;
    struct housekeeping h = house_of(r->st);
    int code = housekeeping_repair(&h, 0, r->until_ns, &r->done, &r->err);
    r->sent = code < 0 ? code : r->done.sent;
}

/* Without a journal: rows that stayed queued over an empty queue. */
static void rows_without_messages_are_repaired(void **state)
{
    (void)state;
    struct stage *st = stage_new("aws-2026", 10 * S);
    struct stage_drainer *sd = stage_drain(st, 10);
    stage_enqueue(st, 60, "0.1");
    stage_run_for(st, 30 * S);
    assert_int_equal(sd->ended, 60);
    /* A client that dies between rows and messages. */
    struct list *l = xcalloc(1, sizeof *l);
    struct journal *journal = journal_new();
    struct world_proc *client = world_proc_new(st->w, "dies", 0, NULL, &st->ledger, 0);
    l->st = st;
    l->journal = journal;
    l->b = world_backend(client);
    int64_t puts = stage_requests(st, JOBQ_ACT_SDB_PUT_BATCH);
    fiber_spawn(world_fibers(client), start_list, l);
    while (stage_requests(st, JOBQ_ACT_SDB_PUT_BATCH) == puts)
        kernel_step(st->k);
    world_proc_kill(client);
    stage_run_for(st, S);
    /* Two rows that nobody can read do not keep the others waiting. */
    stage_damage(st, l->job[3].id, "p0", "no job");
    stage_damage(st, l->job[4].id, "t", "soon");
    struct repair r = {.st = st, .until_ns = kernel_now(st->k) + 100 * S};
    int64_t before_ns = kernel_now(st->k);
    stage_do(st, repair_it, &r);
    assert_true(r.sent >= 23);
    assert_int_equal(r.done.unreadable, 2);
    assert_true(kernel_now(st->k) - before_ns >=
                10 * S); /* empty for a whole visibility */
    stage_run_for(st, 60 * S);
    assert_int_equal(sd->ended - 60, r.sent);
    /* And again: nothing is left to repair. */
    r.until_ns = kernel_now(st->k) + 100 * S;
    r.done = (struct housekeeping_done){0};
    stage_do(st, repair_it, &r);
    assert_int_equal(r.sent, 0);
    free(journal);
    free(l);
    stage_free(st);
}

static void recover_list(void *ctx)
{
    struct repair *r = ctx;
    struct list *l = r->list;
    struct enqueuer_options o = l->st->enqueue;
    o.journal = &l->journal->port;
    if (enqueuer_new(l->b, &o, &l->e, &r->err) < 0)
        fail_msg("%s", r->err.text);
    r->sent = enqueuer_recover(l->e, done_tag, l, &r->err);
}

/* The first of the rows that cannot be read is named; the others are recovered, once. */
static void a_row_that_cannot_be_read_does_not_stop_a_recovery(void **state)
{
    (void)state;
    struct stage *st = stage_new("aws-2026", 10 * S);
    struct list *l = xcalloc(1, sizeof *l);
    struct world_proc *client = world_proc_new(st->w, "dies", 0, NULL, &st->ledger, 0);
    l->st = st;
    l->journal = journal_new();
    l->b = world_backend(client);
    fiber_spawn(world_fibers(client), start_list, l);
    /* Rows are written; their messages are not yet known to be sent. */
    while (stage_requests(st, JOBQ_ACT_SQS_SEND_BATCH) == 0)
        kernel_step(st->k);
    world_proc_kill(client);
    stage_run_for(st, S);
    for (int i = 0; i < 8; i++)
        stage_damage(st, l->job[i].id, "p0", "no job");
    struct repair r = {.st = st, .list = l};
    for (int round = 0; round < 2; round++) {
        struct world_proc *again =
            world_proc_new(st->w, "again", 0, NULL, &st->ledger, 0);
        l->b = world_backend(again);
        int64_t before = stage_depth(st, STAGE_QUEUE).visible;
        memset(l->done, 0, sizeof l->done);
        stage_do_in(st, again, recover_list, &r);
        assert_int_equal(r.sent, JOBQ_CORRUPT);
        assert_non_null(strstr(r.err.text, "job 'q-"));
        assert_int_equal(enqueuer_counters(l->e).unreadable, 8);
        assert_true(round || stage_depth(st, STAGE_QUEUE).visible >= before + 15);
        assert_true(!round || stage_depth(st, STAGE_QUEUE).visible == before);
    }
    free(l->journal);
    free(l);
    stage_free(st);
}

static void a_busy_queue_is_not_repaired(void **state)
{
    (void)state;
    struct stage *st = stage_new("aws-2026", 10 * S);
    stage_enqueue(st, 1, "0");
    struct repair r = {.st = st, .until_ns = kernel_now(st->k) + 60 * S};
    stage_do(st, repair_it, &r);
    assert_int_equal(r.sent, JOBQ_TIMEOUT);
    stage_free(st);
}

struct refused {
    struct stage *st;
    int64_t good;
    struct jobq_error err;
};

static void add_refused(void *ctx)
{
    struct refused *r = ctx;
    struct job_pair pair = {STR("seconds"), STR("soon")};
    struct enqueuer_job job = {.pair = &pair, .pair_count = 1};
    r->good = enqueuer_add_many(r->st->e, &job, 1, &r->err);
}

/* An error that holds an earlier call's text, since mended, is told the new one's. */
static void a_refusal_replaces_an_old_error(void **state)
{
    (void)state;
    struct stage *st = stage_new("ideal", 30 * S);
    struct refused r = {.st = st};
    jobq_fail(&r.err, JOBQ_NOT_FOUND, "the queue does not exist");
    stage_do(st, add_refused, &r);
    assert_int_equal(r.good, 0);
    assert_int_equal(r.err.code, JOBQ_INVALID);
    assert_non_null(strstr(r.err.text, "seconds"));
    stage_free(st);
}

/* ---- trouble ------------------------------------------------------------------------ */

static void throttles_and_lost_replies_are_tried_again(void **state)
{
    (void)state;
    struct stage *st = stage_new("aws-2026", 30 * S);
    struct stage_drainer *sd = stage_drain(st, 20);
    stage_fail(sd, JOBQ_ACT_SDB_PUT_BATCH, JOBQ_FAULT_BEFORE, 1, 2, JOBQ_THROTTLED);
    stage_fail(sd, JOBQ_ACT_SQS_SEND_BATCH, JOBQ_FAULT_AFTER, 1, 2, JOBQ_TIMEOUT);
    st->b->fault = sd->b->fault;
    st->b->fault_ctx = sd;
    stage_enqueue(st, 50, "0.1");
    stage_run_for(st, 60 * S);
    /* Sent twice, run once. */
    assert_int_equal(stage_count(st, JOB_DONE), 50);
    assert_int_equal(sd->started, 50);
    assert_true(sd->skipped >= 10);
    assert_true(enqueuer_counters(st->e).retries >= 3);
    assert_int_equal(stage_depth(st, STAGE_QUEUE).visible, 0);
    stage_free(st);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_list_fills_its_calls),
        cmocka_unit_test(many_batches_make_each_domain_once),
        cmocka_unit_test(a_throttled_making_holds_the_others),
        cmocka_unit_test(a_dropped_domain_is_made_again_once),
        cmocka_unit_test(callers_share_calls_without_waiting),
        cmocka_unit_test(big_jobs_go_in_smaller_calls),
        cmocka_unit_test(a_refusal_names_its_limit_and_leaves_nothing),
        cmocka_unit_test(a_refused_message_leaves_no_row),
        cmocka_unit_test(a_payload_past_the_message_goes_by_the_row),
        cmocka_unit_test(a_killed_client_resumes_from_its_journal),
        cmocka_unit_test(a_journal_that_fails_begins_nothing),
        cmocka_unit_test(rows_without_messages_are_repaired),
        cmocka_unit_test(a_row_that_cannot_be_read_does_not_stop_a_recovery),
        cmocka_unit_test(a_busy_queue_is_not_repaired),
        cmocka_unit_test(a_refusal_replaces_an_old_error),
        cmocka_unit_test(throttles_and_lost_replies_are_tried_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
