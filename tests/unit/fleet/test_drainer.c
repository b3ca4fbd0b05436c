/* test_drainer.c - facts about the drainer: the rules of a good one, under faults too. */
#include "stage.h"

#include "base/arena.h"
#include "base/text.h"
#include "fleet/dead/dead_letters.h"
#include "wire/simpledb/sdb_rows.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

static void assert_queue_empty(struct stage *st)
{
    struct jobq_queue_depth depth = stage_depth(st, STAGE_QUEUE);
    assert_int_equal(depth.visible, 0);
    assert_int_equal(depth.in_flight, 0);
    assert_int_equal(depth.delayed, 0);
}

static void purge(void *ctx)
{
    struct stage *st = ctx;
    struct jobq_error err;
    assert_int_equal(jobq_queue_purge(st->b, enqueuer_queue(st->e), &err), JOBQ_OK);
}

/* A second message of the first job, which sleeps for 5 s. */
static void send_second(void *ctx)
{
    struct stage *st = ctx;
    struct jobq_entry_result result;
    struct jobq_error err;
    char body[JOB_ID_MAX + 40];
    snprintf(body, sizeof body, "%s sleep 5000000000", st->id[0]);
    struct jobq_outgoing message = {.body = str_of(body)};
    assert_int_equal(
        jobq_queue_send(st->b, enqueuer_queue(st->e), &message, 1, &result, &err),
        JOBQ_OK);
}

/* ---- the plain way ------------------------------------------------------------------- */

static void unbatched_is_three_requests_and_three_puts(void **state)
{
    (void)state;
    struct stage *st = stage_new("aws-2026", 30 * S);
    struct stage_drainer *sd = stage_drain(st, 1);
    sd->options.batch = 1;
    sd->options.prefetch = 0;
    stage_run_for(st, S);
    for (int i = 0; i < 2; i++)
        stage_enqueue(st, 1, "0"); /* makes the domains */
    stage_run_for(st, 5 * S);
    int64_t sqs = stage_sqs_requests(st);
    int64_t gets = stage_requests(st, JOBQ_ACT_SDB_GET);
    int64_t puts = stage_requests(st, JOBQ_ACT_SDB_PUT);
    for (int i = 0; i < 20; i++)
        stage_enqueue(st, 1, "0.1");
    stage_run_for(st, 60 * S);
    assert_int_equal(stage_count(st, JOB_DONE), 22);
    assert_int_equal(stage_requests(st, JOBQ_ACT_SQS_SEND), 22);
    assert_int_equal(stage_requests(st, JOBQ_ACT_SQS_DELETE), 22);
    assert_int_equal(stage_requests(st, JOBQ_ACT_SDB_PUT) - puts, 60);
    assert_int_equal(stage_requests(st, JOBQ_ACT_SDB_PUT_BATCH), 0);
    assert_int_equal(stage_requests(st, JOBQ_ACT_SDB_GET), gets);
    const struct jobq_usage *receive = &sd->ledger.action[JOBQ_ACT_SQS_RECEIVE];
    assert_int_equal(receive->entries, 22);
    /* A receive that brought a job is one; the idle polls are apart. */
    assert_int_equal(stage_sqs_requests(st) - sqs - receive->empty, 60);
    stage_free(st);
}

static void prefetch_makes_a_job_cheap(void **state)
{
    (void)state;
    double per_job[2];
    for (int on = 0; on < 2; on++) {
        struct stage *st = stage_new("aws-2026", 30 * S);
        stage_enqueue(st, 2000, "0.5");
        int64_t before = stage_requests(st, JOBQ_ACT_SQS_CREATE_QUEUE);
        struct stage_drainer *sd = stage_drain(st, 10);
        sd->options.prefetch = on ? DRAINER_AUTO : 0;
        sd->options.idle_exit_ns = 0;
        while (!sd->returned)
            stage_run_for(st, 10 * S);
        assert_int_equal(sd->code, JOBQ_OK);
        assert_int_equal(sd->ended, 2000);
        assert_queue_empty(st);
        per_job[on] = (double)(stage_sqs_requests(st) - before) / 2000;
        stage_free(st);
    }
    print_message("SQS requests a job: %.3f prefetched, %.3f without\n", per_job[1],
                  per_job[0]);
    assert_true(per_job[1] <= 0.35);
    assert_true(per_job[0] > 0.9);
}

static void rows_tell_the_whole_story(void **state)
{
    (void)state;
    struct stage *st = stage_new("aws-2026", 30 * S);
    stage_enqueue(st, 1, "2.5");
    struct stage_drainer *sd = stage_drain(st, 1);
    sd->options.box = "i-test 1";
    stage_run_for(st, 20 * S);
    struct job_row row = stage_row(st, st->id[0]);
    assert_int_equal(row.state, JOB_DONE);
    assert_int_equal(row.attempt, 1);
    assert_true(str_is(row.box, "i-test_1"));
    assert_int_equal(row.exit_code, 0);
    assert_int_equal(row.wall_ns, 2500000000);
    assert_true(row.message_id.len > 0);
    assert_true(row.enqueued_ms > 0 && row.started_ms > row.enqueued_ms);
    assert_in_range(row.finished_ms - row.started_ms, 2500, 3000);
    assert_int_equal(
        jobq_ledger_finished(&st->ledger) + jobq_ledger_finished(&sd->ledger), 1);
    assert_int_equal(sd->ledger.attempts, 1);
    stage_free(st);
}

static void without_a_store_there_are_three_requests(void **state)
{
    (void)state;
    struct stage *st = stage_new("aws-2026", 30 * S);
    st->b->store = NULL;
    struct stage_drainer *sd = stage_drain(st, 4);
    sd->b->store = NULL;
    stage_enqueue(st, 40, "0.1");
    stage_run_for(st, 30 * S);
    assert_int_equal(sd->ended, 40);
    for (int i = 0; i < JOBQ_ACTION_COUNT; i++)
        if (jobq_action_service((enum jobq_action)i) == JOBQ_SIMPLEDB)
            assert_int_equal(stage_requests(st, (enum jobq_action)i), 0);
    assert_queue_empty(st);
    stage_free(st);
}

/* Work that ends when the gate opens, all of it in one moment. */
struct gate {
    struct jobq_child port; /* first */
    struct fiber_sched *sched;
    struct fiber_cond opened;
    bool open;
};

static int gate_start(struct jobq_child *port, const struct jobq_work *work,
                      struct jobq_error *err)
{
    (void)port;
    (void)work;
    (void)err;
    return 0;
}

static int gate_wait(struct jobq_child *port, int handle, int64_t until_ns,
                     struct jobq_work_result *out, struct jobq_error *err)
{
    struct gate *g = (struct gate *)port;
    (void)handle;
    (void)err;
    while (!g->open)
        fiber_cond_wait(g->sched, &g->opened, until_ns);
    *out = (struct jobq_work_result){.progress_percent = -1};
    return JOBQ_OK;
}

static const struct jobq_child_ops GATE = {
    .name = "gate", .start = gate_start, .wait = gate_wait};

static void open_gate(void *ctx)
{
    struct gate *g = ctx;
    g->open = true;
    fiber_cond_broadcast(&g->opened);
}

/* However many jobs end before a delete gets going, it is ten a call, and what is over waits
 * for company. */
static void jobs_that_end_together_fill_their_deletes(void **state)
{
    (void)state;
    struct stage *st = stage_new("aws-2026", 60 * S);
    struct gate g = {.port.ops = &GATE, .sched = st->b->sched};
    st->b->store = NULL;
    struct stage_drainer *sd = stage_drain(st, 25);
    sd->b->store = NULL;
    sd->b->child = &g.port;
    stage_enqueue(st, 25, "0");
    stage_run_for(st, 5 * S);
    assert_int_equal(sd->started, 25);
    stage_do(st, open_gate, &g);
    stage_run_for(st, 3 * S);
    assert_int_equal(sd->ended, 25);
    assert_int_equal(stage_requests(st, JOBQ_ACT_SQS_DELETE_BATCH), 2);
    stage_run_for(st, 5 * S);
    assert_int_equal(stage_requests(st, JOBQ_ACT_SQS_DELETE_BATCH), 3);
    assert_queue_empty(st);
    stage_free(st);
}

/* ---- the claim ----------------------------------------------------------------------- */

static void a_lost_claim_reply_is_read_back(void **state)
{
    (void)state;
    struct stage *st = stage_new("aws-2026", 30 * S);
    stage_enqueue(st, 1, "1");
    struct stage_drainer *sd = stage_drain(st, 1);
    stage_fail(sd, JOBQ_ACT_SDB_PUT, JOBQ_FAULT_AFTER, 1, 1, JOBQ_TIMEOUT);
    stage_run_for(st, 25 * S);
    assert_int_equal(stage_state(st, 0), JOB_DONE);
    assert_int_equal(sd->started, 1);
    assert_int_equal(stage_row(st, st->id[0]).attempt, 1);
    assert_queue_empty(st);
    stage_free(st);
}

static void a_lost_final_reply_is_read_back(void **state)
{
    (void)state;
    struct stage *st = stage_new("aws-2026", 30 * S);
    stage_enqueue(st, 1, "1");
    struct stage_drainer *sd = stage_drain(st, 1);
    stage_fail(sd, JOBQ_ACT_SDB_PUT, JOBQ_FAULT_AFTER, 2, 3, JOBQ_UNAVAILABLE);
    stage_run_for(st, 40 * S);
    assert_int_equal(stage_state(st, 0), JOB_DONE);
    assert_int_equal(sd->started, 1);
    assert_int_equal(sd->ended, 1);
    struct drainer_view view;
    drainer_view(sd->d, &view);
    assert_int_equal(view.counters.stale_writes, 0);
    assert_queue_empty(st);
    stage_free(st);
}

static int fails_once(void *ctx, struct jobq_str id, int attempt)
{
    (void)ctx;
    (void)id;
    return attempt == 1 ? 1 : 0;
}

struct cancel {
    struct stage *st;
    const char *id;
    int code;
    enum job_state state;
};

static void cancel_it(void *ctx)
{
    struct cancel *cancel = ctx;
    struct jobq_error err;
    cancel->code = status_cancel(cancel->st->b, str_of(cancel->id), &cancel->state, &err);
}

/* A decorator: the n-th put is copied, and with `lost` not made but answered TIMEOUT; the
 * network delivers it again whenever the test says. */
struct late {
    struct jobq_store port;
    struct jobq_store *real;
    int n, seen;
    bool lost;
    struct arena arena;
    int domain;
    struct jobq_item item;
    struct jobq_expect expect;
    bool has_expect;
    int code;
};

static void late_copy(struct late *l, int domain, const struct jobq_item *item,
                      const struct jobq_expect *expect)
{
    struct jobq_attr *attr =
        arena_alloc(&l->arena, (size_t)item->attr_count * sizeof *attr);
    for (int i = 0; i < item->attr_count; i++) {
        attr[i] = item->attr[i];
        attr[i].name = arena_str(&l->arena, attr[i].name);
        if (attr[i].value.ptr)
            attr[i].value = arena_str(&l->arena, attr[i].value);
    }
    l->domain = domain;
    l->item =
        (struct jobq_item){arena_str(&l->arena, item->name), attr, item->attr_count};
    l->has_expect = expect != NULL;
    if (expect) {
        l->expect = *expect;
        l->expect.name = arena_str(&l->arena, expect->name);
        if (expect->exists)
            l->expect.value = arena_str(&l->arena, expect->value);
    }
}

static int late_put(struct jobq_store *s, int domain, const struct jobq_item *item,
                    const struct jobq_expect *expect, struct jobq_met *met,
                    struct jobq_call_cost *cost, struct jobq_error *err)
{
    struct late *l = (struct late *)s;
    if (++l->seen == l->n) {
        late_copy(l, domain, item, expect);
        if (l->lost)
            return jobq_fail(err, JOBQ_TIMEOUT, "held back");
    }
    return l->real->ops->put(l->real, domain, item, expect, met, cost, err);
}

static int late_open(struct jobq_store *s, const struct jobq_table *table, int *out,
                     struct jobq_error *err)
{
    struct late *l = (struct late *)s;
    return l->real->ops->open(l->real, table, out, err);
}

static int late_get(struct jobq_store *s, int domain, struct jobq_str item,
                    const struct jobq_str *name, int name_count, bool consistent,
                    struct arena *arena, struct jobq_item *out,
                    struct jobq_call_cost *cost, struct jobq_error *err)
{
    struct late *l = (struct late *)s;
    return l->real->ops->get(l->real, domain, item, name, name_count, consistent, arena,
                             out, cost, err);
}

static int late_make(struct jobq_store *s, int table, struct jobq_call_cost *cost,
                     struct jobq_error *err)
{
    struct late *l = (struct late *)s;
    return l->real->ops->make(l->real, table, cost, err);
}

static const struct jobq_store_ops LATE = {.name = "late",
                                           .action = SDB_STORE_ACTIONS,
                                           .batch_max = 1,
                                           .open = late_open,
                                           .make = late_make,
                                           .get = late_get,
                                           .put = late_put};

static void late_init(struct late *l, struct jobq_backend *b, int n, bool lost)
{
    *l = (struct late){.port.ops = &LATE, .real = b->store, .n = n, .lost = lost};
    arena_init(&l->arena, 0);
    b->store = &l->port;
}

/* The network delivers it. */
static void late_arrive(void *ctx)
{
    struct late *l = ctx;
    struct jobq_call_cost cost;
    struct jobq_error err;
    assert_true(l->seen >= l->n);
    l->code = l->real->ops->put(l->real, l->domain, &l->item,
                                l->has_expect ? &l->expect : NULL, NULL, &cost, &err);
}

/* SQS's duplicate of a job's message, as a send. */
static void send_twin(void *ctx)
{
    struct stage *st = ctx;
    char body[JOB_ID_MAX + 40];
    struct jobq_entry_result result = {0};
    struct jobq_error err;
    int len = snprintf(body, sizeof body, "%s sleep 1000000000", st->id[0]);
    struct jobq_outgoing message = {.body = {body, len}};
    int code = jobq_queue_send(st->b, enqueuer_queue(st->e), &message, 1, &result, &err);
    assert_int_equal(code, JOBQ_OK);
    assert_int_equal(result.code, JOBQ_OK);
}

static void a_late_put_of_the_enqueuer_undoes_nothing(void **state)
{
    (void)state;
    for (int cancelled = 0; cancelled < 2; cancelled++) {
        struct stage *st = stage_new("aws-2026", 30 * S);
        struct late late;
        stage_enqueue(st, 1, "1"); /* makes the domains */
        stage_enqueue(st, 1, "1");
        st->jobs = 0;
        late_init(&late, st->b, 1, false);
        stage_enqueue(st, 1, "1");
        st->b->store = late.real;
        struct cancel cancel = {.st = st, .id = st->id[0]};
        if (cancelled)
            stage_do(st, cancel_it, &cancel);
        struct stage_drainer *sd = stage_drain(st, 1);
        stage_run_for(st, 30 * S);
        stage_do(st, late_arrive, &late);
        assert_int_equal(late.code, JOBQ_OK);
        assert_int_equal(stage_state(st, 0), cancelled ? JOB_CANCELLED : JOB_DONE);
        stage_do(st, send_twin, st);
        int started = sd->started;
        stage_run_for(st, 60 * S);
        assert_int_equal(sd->started, started);
        assert_int_equal(stage_state(st, 0), cancelled ? JOB_CANCELLED : JOB_DONE);
        assert_queue_empty(st);
        arena_release(&late.arena);
        stage_free(st);
    }
}

/* The first attempt's claim and end, the second's claim and end; each held back, made again
 * by the drainer, and delivered a minute after. */
static void a_late_put_of_a_drainer_is_refused(void **state)
{
    (void)state;
    for (int n = 1; n <= 4; n++)
        for (int lost = 0; lost < 2; lost++) {
            struct stage *st = stage_new("aws-2026", 30 * S);
            struct late late;
            st->script = fails_once;
            stage_enqueue(st, 1, "1");
            struct stage_drainer *sd = stage_drain(st, 1);
            late_init(&late, sd->b, n, lost);
            sd->options.retry_base_ns = S;
            stage_run_for(st, 90 * S);
            assert_int_equal(stage_state(st, 0), JOB_DONE);
            struct job_row row = stage_row(st, st->id[0]);
            assert_int_equal(row.attempt, 2);
            assert_int_equal(sd->started, 2);
            stage_do(st, late_arrive, &late);
            assert_int_equal(late.code, JOBQ_CONFLICT);
            assert_queue_empty(st);
            arena_release(&late.arena);
            stage_free(st);
        }
}

static void a_dead_drainers_job_is_taken_over(void **state)
{
    (void)state;
    struct stage *st = stage_new("aws-2026", 30 * S);
    stage_enqueue(st, 1, "10");
    struct stage_drainer *first = stage_drain(st, 1);
    stage_run_for(st, 5 * S);
    assert_int_equal(first->started, 1);
    stage_kill(first);
    struct stage_drainer *second = stage_drain(st, 1);
    stage_run_for(st, 60 * S);
    assert_int_equal(second->ended, 1);
    struct job_row row = stage_row(st, st->id[0]);
    assert_int_equal(row.state, JOB_DONE);
    assert_int_equal(row.attempt, 2);
    struct drainer_view view;
    drainer_view(second->d, &view);
    assert_int_equal(view.counters.takeovers, 1);
    assert_queue_empty(st);
    stage_free(st);
}

/* A decorator: heartbeats that say success and do nothing. */
static int no_visibility(struct jobq_queue *q, int queue,
                         const struct jobq_visibility_change *change, int count,
                         struct jobq_entry_result *result, struct jobq_call_cost *cost,
                         struct jobq_error *err)
{
    (void)q;
    (void)queue;
    (void)change;
    (void)cost;
    (void)err;
    for (int i = 0; i < count; i++)
        result[i].code = JOBQ_OK;
    return JOBQ_OK;
}

static void a_late_attempt_does_not_overwrite(void **state)
{
    (void)state;
    struct stage *st = stage_new("aws-2026", 10 * S);
    stage_enqueue(st, 1, "15");
    struct stage_drainer *slow = stage_drain(st, 1);
    struct jobq_queue_ops ops = *slow->b->queue->ops;
    ops.set_visibility = no_visibility;
    slow->b->queue->ops = &ops;
    stage_run_for(st, 5 * S);
    struct stage_drainer *other = stage_drain(st, 1);
    stage_run_for(st, 60 * S);
    struct drainer_view view;
    drainer_view(slow->d, &view);
    assert_int_equal(slow->started, 1);
    assert_int_equal(slow->ended, 0); /* refused */
    assert_int_equal(view.counters.stale_writes, 1);
    assert_int_equal(other->ended, 1);
    struct job_row row = stage_row(st, st->id[0]);
    assert_int_equal(row.state, JOB_DONE);
    assert_int_equal(row.attempt, 2);
    assert_queue_empty(st);
    stage_free(st);
}

static int silent_visibility(struct jobq_queue *q, int queue,
                             const struct jobq_visibility_change *change, int count,
                             struct jobq_entry_result *result,
                             struct jobq_call_cost *cost, struct jobq_error *err)
{
    (void)q;
    (void)queue;
    (void)change;
    (void)count;
    (void)result;
    (void)cost;
    return jobq_fail(err, JOBQ_UNAVAILABLE, "no answer");
}

/* The process that is stopped while its claim is under way, and what it calls then. */
static struct stage_drainer *stopped;
static const struct jobq_store_ops *running_ops;

static int put_then_stop(struct jobq_store *store, int domain,
                         const struct jobq_item *item, const struct jobq_expect *expect,
                         struct jobq_met *met, struct jobq_call_cost *cost,
                         struct jobq_error *err)
{
    int code = running_ops->put(store, domain, item, expect, met, cost, err);
    fiber_sleep_until(stopped->b->sched, jobq_now(stopped->b) + 15 * S);
    return code;
}

/* A process that was stopped past its visibility timeout, after its claim and before its
 * work, does not begin what another has done meanwhile. */
static void a_claim_that_is_too_old_starts_nothing(void **state)
{
    (void)state;
    struct stage *st = stage_new("aws-2026", 10 * S);
    stage_enqueue(st, 1, "1");
    stopped = stage_drain(st, 1);
    struct jobq_queue_ops queue_ops = *stopped->b->queue->ops;
    struct jobq_store_ops store_ops = *stopped->b->store->ops;
    running_ops = stopped->b->store->ops;
    queue_ops.set_visibility = silent_visibility;
    store_ops.put = put_then_stop;
    stopped->b->queue->ops = &queue_ops;
    stopped->b->store->ops = &store_ops;
    stage_run_for(st, 5 * S);
    struct stage_drainer *other = stage_drain(st, 1);
    stage_run_for(st, 60 * S);
    for (int i = 0; i < 64; i++)
        assert_string_equal(stopped->ids[i], ""); /* no child was started */
    assert_int_equal(stopped->lost, 1);
    assert_int_equal(other->ended, 1);
    struct job_row row = stage_row(st, st->id[0]);
    assert_int_equal(row.state, JOB_DONE);
    assert_int_equal(row.attempt, 2);
    assert_queue_empty(st);
    stage_free(st);
}

struct copies {
    struct stage *st;
    const char *body;
    char text[200];
};

static void send_copy(void *ctx)
{
    struct copies *copies = ctx;
    struct jobq_outgoing out = {.body = str_of(copies->text)};
    struct jobq_entry_result result;
    struct jobq_error err;
    assert_int_equal(jobq_queue_send(copies->st->b, enqueuer_queue(copies->st->e), &out,
                                     1, &result, &err),
                     JOBQ_OK);
}

static void another_message_for_a_running_job_is_left_alone(void **state)
{
    (void)state;
    struct stage *st = stage_new("aws-2026", 10 * S);
    stage_enqueue(st, 1, "25");
    struct stage_drainer *sd = stage_drain(st, 2);
    stage_run_for(st, 3 * S);
    struct copies copies = {.st = st};
    snprintf(copies.text, sizeof copies.text, "%s sleep 1000000000", st->id[0]);
    stage_do(st, send_copy, &copies);
    stage_run_for(st, 3 * S);
    assert_int_equal(sd->started, 1);
    assert_int_equal(sd->skipped, 1);
    assert_int_equal(stage_depth(st, STAGE_QUEUE).in_flight, 2); /* it was not deleted */
    stage_run_for(st, 60 * S); /* and finds the job done, and only deletes */
    assert_int_equal(sd->started, 1);
    assert_int_equal(stage_row(st, st->id[0]).attempt, 1);
    assert_queue_empty(st);
    stage_free(st);
}

/* A job of 20 minutes with a visibility of 6 s whose message was sent twice, as a lost reply
 * makes a client do: looked at once a visibility timeout, the second message would be at the
 * queue's maxReceiveCount (50) after five minutes, and be taken for dead. */
static void a_second_message_is_not_worn_out(void **state)
{
    (void)state;
    struct stage *st = stage_new("aws-2026", 6 * S);
    stage_enqueue(st, 1, "1200");
    struct stage_drainer *sd = stage_drain(st, 2);
    stage_run_for(st, 3 * S);
    struct copies copies = {.st = st};
    snprintf(copies.text, sizeof copies.text, "%s sleep 1200000000000", st->id[0]);
    stage_do(st, send_copy, &copies);
    stage_run_for(st, 1180 * S);
    assert_in_range(sd->skipped, 5, 12);
    stage_run_for(st, 2400 * S);
    assert_int_equal(sd->started, 1);
    assert_int_equal(stage_state(st, 0), JOB_DONE);
    assert_queue_empty(st);
    char dead[JOBQ_QUEUE_NAME_MAX + 1];
    job_dead_queue_name(STAGE_QUEUE, dead);
    struct jobq_queue_depth depth = stage_depth(st, dead);
    assert_int_equal(depth.visible + depth.in_flight, 0);
    stage_free(st);
}

static void send_dead_copy(void *ctx)
{
    struct copies *copies = ctx;
    struct jobq_outgoing out = {.body = str_of(copies->text)};
    struct jobq_entry_result result;
    struct jobq_error err;
    int dead;
    assert_int_equal(jobq_queue_open(copies->st->b, STAGE_QUEUE "-dead", &dead, &err),
                     JOBQ_OK);
    assert_int_equal(jobq_queue_send(copies->st->b, dead, &out, 1, &result, &err),
                     JOBQ_OK);
}

static void list_letters(void *ctx)
{
    struct jobq_error err;
    assert_int_equal(
        dead_scan(((struct copies *)ctx)->st->b, STAGE_QUEUE, NULL, NULL, &err), 1);
}

/* Its second message has gone to the dead letters: a look at them must not end the job. */
static void a_dead_letter_does_not_end_a_running_job(void **state)
{
    (void)state;
    struct stage *st = stage_new("aws-2026", 10 * S);
    stage_enqueue(st, 1, "60");
    struct stage_drainer *sd = stage_drain(st, 2);
    stage_run_for(st, 3 * S);
    struct copies copies = {.st = st};
    snprintf(copies.text, sizeof copies.text, "%s sleep 60000000000", st->id[0]);
    stage_do(st, send_dead_copy, &copies);
    stage_do(st, list_letters, &copies);
    assert_int_equal(stage_state(st, 0), JOB_RUNNING);
    stage_run_for(st, 90 * S);
    assert_int_equal(sd->started, 1);
    assert_int_equal(sd->lost, 0);
    assert_int_equal(stage_state(st, 0), JOB_DONE);
    stage_free(st);
}

static void a_message_of_a_finished_job_is_only_deleted(void **state)
{
    (void)state;
    struct stage *st = stage_new("aws-2026", 10 * S);
    stage_enqueue(st, 1, "1");
    struct stage_drainer *sd = stage_drain(st, 2);
    stage_run_for(st, 5 * S);
    struct copies copies = {.st = st};
    snprintf(copies.text, sizeof copies.text, "%s sleep 1000000000", st->id[0]);
    stage_do(st, send_copy, &copies);
    stage_run_for(st, 20 * S);
    assert_int_equal(sd->started, 1);
    assert_int_equal(sd->skipped, 1);
    assert_queue_empty(st);
    stage_free(st);
}

/* ---- heartbeats ---------------------------------------------------------------------- */

static void short_jobs_send_no_heartbeat(void **state)
{
    (void)state;
    struct stage *st = stage_new("aws-2026", 30 * S);
    stage_enqueue(st, 200, "1");
    struct stage_drainer *sd = stage_drain(st, 10);
    stage_run_for(st, 60 * S);
    assert_int_equal(sd->ended, 200);
    assert_int_equal(stage_requests(st, JOBQ_ACT_SQS_VISIBILITY_BATCH), 0);
    assert_int_equal(stage_requests(st, JOBQ_ACT_SQS_VISIBILITY), 0);
    stage_free(st);
}

static void long_jobs_are_covered_ten_a_call(void **state)
{
    (void)state;
    struct stage *st = stage_new("aws-2026", 10 * S);
    stage_enqueue(st, 30, "100");
    struct stage_drainer *sd = stage_drain(st, 30);
    stage_run_for(st, 130 * S);
    assert_int_equal(sd->ended, 30);
    assert_int_equal(stage_count(st, JOB_DONE), 30);
    const struct jobq_usage *beat = &sd->ledger.action[JOBQ_ACT_SQS_VISIBILITY_BATCH];
    struct drainer_view view;
    drainer_view(sd->d, &view);
    assert_int_equal(view.counters.duplicates, 0);
    assert_int_equal(view.counters.attempts, 30);
    /* 100 s at 4.5 to 5 s: 20 to 22 times three calls, some not full at the start. */
    assert_in_range(beat->requests, 57, 80);
    assert_true(beat->entries >= 8 * beat->requests);
    assert_queue_empty(st);
    stage_free(st);
}

/* ---- progress ------------------------------------------------------------------------ */

/* Work that tells of one percent more each `step`, and runs for `whole`. */
struct teller {
    struct jobq_child port; /* first */
    struct stage_drainer *sd;
    int64_t began_ns, step_ns, whole_ns;
};

static int teller_start(struct jobq_child *port, const struct jobq_work *work,
                        struct jobq_error *err)
{
    struct teller *t = (struct teller *)port;
    (void)work;
    (void)err;
    t->began_ns = jobq_now(t->sd->b);
    return 0;
}

static int teller_wait(struct jobq_child *port, int handle, int64_t until_ns,
                       struct jobq_work_result *out, struct jobq_error *err)
{
    struct teller *t = (struct teller *)port;
    int64_t end_ns = t->began_ns + t->whole_ns;
    (void)handle;
    fiber_sleep_until(t->sd->b->sched, until_ns < end_ns ? until_ns : end_ns);
    int64_t now_ns = jobq_now(t->sd->b);
    int64_t percent = t->step_ns ? (now_ns - t->began_ns) / t->step_ns : -1;
    out->progress_percent = percent < 100 ? (int)percent : 100;
    if (now_ns < end_ns)
        return jobq_fail(err, JOBQ_TIMEOUT, "still running");
    out->exit_code = 0;
    return JOBQ_OK;
}

static const struct jobq_child_ops TELLER = {
    .name = "teller", .start = teller_start, .wait = teller_wait};

static void enqueue_exec(void *ctx)
{
    struct stage *st = ctx;
    struct jobq_error err;
    const struct job_pair pair = {STR("kind"), STR("exec")};
    if (enqueuer_add(st->e, &pair, 1, st->id[st->jobs++], &err) != JOBQ_OK)
        fail_msg("%s", err.text);
}

/* Runs one job of `whole` and returns how many puts its progress took. */
static int64_t puts_of_progress(int64_t visibility_ns, int64_t option_ns, int64_t step_ns,
                                int64_t whole_ns, int64_t look_at_ns, int64_t *progress)
{
    struct stage *st = stage_new("aws-2026", visibility_ns);
    stage_do(st, enqueue_exec, st);
    struct stage_drainer *sd = stage_drain(st, 4);
    struct teller t = {
        .port.ops = &TELLER, .sd = sd, .step_ns = step_ns, .whole_ns = whole_ns};
    sd->options.progress_ns = option_ns;
    sd->b->child = &t.port;
    stage_run_for(st, look_at_ns);
    *progress = stage_row(st, st->id[0]).progress;
    stage_run_for(st, whole_ns + 10 * S);
    assert_int_equal(stage_state(st, 0), JOB_DONE);
    assert_int_equal(stage_row(st, st->id[0]).progress, -1);
    int64_t puts = sd->ledger.action[JOBQ_ACT_SDB_PUT].requests - 2;
    stage_free(st);
    return puts;
}

/* What a job says of its progress comes into its row, for a bounded number of puts. */
static void progress_goes_to_the_row(void **state)
{
    (void)state;
    int64_t seen;
    /* By default each half visibility; 95 s of 1 % a second. */
    int64_t puts = puts_of_progress(30 * S, DRAINER_AUTO, S, 95 * S, 60 * S, &seen);
    assert_in_range(seen, 35, 60);
    assert_in_range(puts, 5, 6);
    /* At most once a minute, however long the visibility. */
    puts = puts_of_progress(1000 * S, DRAINER_AUTO, S, 95 * S, 90 * S, &seen);
    assert_int_equal(puts, 1);
    assert_in_range(seen, 55, 90);
    /* Only when it has changed; not for work that ends before, tells nothing, or when it
     * is switched off. */
    assert_int_equal(
        puts_of_progress(30 * S, DRAINER_AUTO, 1000 * S, 95 * S, 50 * S, &seen), 1);
    assert_int_equal(seen, 0);
    assert_int_equal(puts_of_progress(30 * S, DRAINER_AUTO, S, 14 * S, 10 * S, &seen), 0);
    assert_int_equal(puts_of_progress(30 * S, DRAINER_AUTO, 0, 95 * S, 50 * S, &seen), 0);
    assert_int_equal(puts_of_progress(30 * S, JOBQ_FOREVER, S, 95 * S, 50 * S, &seen), 0);
    assert_int_equal(seen, -1);
}

static void buffered_messages_are_covered_too(void **state)
{
    (void)state;
    struct stage *st = stage_new("aws-2026", 4 * S);
    stage_enqueue(st, 20, "3");
    struct stage_drainer *sd = stage_drain(st, 1);
    sd->options.prefetch = 19; /* the last waits 57 s in the buffer */
    stage_run_for(st, 70 * S);
    assert_int_equal(sd->ended, 20);
    struct drainer_view view;
    drainer_view(sd->d, &view);
    assert_int_equal(view.counters.duplicates, 0);
    assert_int_equal(view.counters.takeovers, 0);
    assert_queue_empty(st);
    stage_free(st);
}

static void a_visibility_of_a_second_is_beaten_each_second(void **state)
{
    (void)state;
    struct stage *st = stage_new("ideal", 2 * S);
    stage_enqueue(st, 1, "10");
    struct stage_drainer *sd = stage_drain(st, 1);
    stage_run_for(st, 15 * S);
    assert_int_equal(sd->ended, 1);
    assert_int_equal(stage_row(st, st->id[0]).attempt, 1);
    assert_in_range(sd->ledger.action[JOBQ_ACT_SQS_VISIBILITY].requests, 9, 12);
    stage_free(st);
}

static int refuse_visibility(struct jobq_queue *q, int queue,
                             const struct jobq_visibility_change *change, int count,
                             struct jobq_entry_result *result,
                             struct jobq_call_cost *cost, struct jobq_error *err)
{
    no_visibility(q, queue, change, count, result, cost, err);
    for (int i = 0; i < count; i++)
        result[i].code = JOBQ_NOT_FOUND;
    return JOBQ_OK;
}

static void a_refused_heartbeat_is_ownership_lost(void **state)
{
    (void)state;
    struct stage *st = stage_new("aws-2026", 10 * S);
    stage_enqueue(st, 1, "100");
    struct stage_drainer *sd = stage_drain(st, 1);
    struct jobq_queue_ops ops = *sd->b->queue->ops;
    ops.set_visibility = refuse_visibility;
    sd->b->queue->ops = &ops;
    stage_run_for(st, 8 * S);
    assert_int_equal(sd->lost, 1);
    assert_int_equal(sd->ended, 0);
    assert_int_equal(stage_state(st, 0), JOB_RUNNING); /* not reported */
    assert_int_equal(stage_requests(st, JOBQ_ACT_SQS_DELETE), 0);
    assert_int_equal(stage_depth(st, STAGE_QUEUE).in_flight, 1);
    stage_free(st);
}

/* Delivered again to the process that holds it, a message is not run twice, and is deleted
 * with the newest handle: the old one would delete nothing and say success. */
static void the_newest_handle_deletes(void **state)
{
    (void)state;
    struct stage *st = stage_new("ideal", 10 * S);
    stage_enqueue(st, 1, "25");
    struct stage_drainer *sd = stage_drain(st, 2);
    struct jobq_queue_ops ops = *sd->b->queue->ops;
    ops.set_visibility = no_visibility;
    sd->b->queue->ops = &ops;
    stage_run_for(st, 40 * S);
    assert_int_equal(sd->started, 1);
    assert_int_equal(sd->ended, 1);
    struct drainer_view view;
    drainer_view(sd->d, &view);
    assert_int_equal(view.counters.duplicates, 2);
    assert_queue_empty(st);
    struct sqs_stats stats;
    int queue = sqs_find(world_sqs(st->w), STR(STAGE_QUEUE));
    sqs_stats(world_sqs(st->w), world_now(st->w), queue, &stats);
    assert_int_equal(stats.silent_deletes, 0);
    assert_int_equal(stats.deleted, 1);
    stage_free(st);
}

/* ---- failures ------------------------------------------------------------------------ */

static int always_fails(void *ctx, struct jobq_str id, int attempt)
{
    (void)ctx;
    (void)id;
    (void)attempt;
    return 3;
}

static void a_failed_job_is_tried_again_later(void **state)
{
    (void)state;
    struct stage *st = stage_new("aws-2026", 30 * S);
    st->script = fails_once;
    stage_enqueue(st, 20, "0.1");
    struct stage_drainer *sd = stage_drain(st, 20);
    stage_run_for(st, 3 * S);
    /* Looking takes time too. Up to 10 s of back-off, spread: */
    assert_true(stage_count(st, JOB_FAILED) > 5);
    assert_true(stage_count(st, JOB_DONE) > 2);
    stage_run_for(st, 40 * S);
    assert_int_equal(stage_count(st, JOB_DONE), 20);
    assert_int_equal(stage_row(st, st->id[7]).attempt, 2);
    assert_int_equal(jobq_ledger_finished(&sd->ledger), 20);
    assert_int_equal(sd->ledger.attempts, 40);
    assert_queue_empty(st);
    stage_free(st);
}

static void a_job_that_always_fails_is_dead(void **state)
{
    (void)state;
    struct stage *st = stage_new("aws-2026", 30 * S);
    st->script = always_fails;
    stage_enqueue(st, 3, "0.1");
    struct stage_drainer *sd = stage_drain(st, 3);
    stage_run_for(st, 400 * S);
    assert_int_equal(stage_count(st, JOB_DEAD), 3);
    assert_int_equal(sd->started, 15);
    struct job_row row = stage_row(st, st->id[0]);
    assert_int_equal(row.exit_code, 3);
    assert_int_equal(row.attempt, 5);
    assert_queue_empty(st);
    assert_int_equal(stage_depth(st, STAGE_QUEUE "-dead").visible, 3);
    stage_free(st);
}

/* Attempts that die with their drainer count too. */
static void a_job_that_kills_its_drainer_is_dead(void **state)
{
    (void)state;
    struct stage *st = stage_new("aws-2026", 5 * S);
    stage_enqueue(st, 1, "100");
    for (int i = 0; i < 5; i++) {
        struct stage_drainer *sd = stage_drain(st, 1);
        for (int waited = 0; sd->started == 0; waited++) {
            assert_true(waited < 60);
            stage_run_for(st, S);
        }
        stage_kill(sd);
    }
    struct stage_drainer *sd = stage_drain(st, 1);
    stage_run_for(st, 30 * S);
    assert_int_equal(sd->started, 0);
    assert_int_equal(stage_state(st, 0), JOB_DEAD);
    assert_queue_empty(st);
    assert_int_equal(stage_depth(st, STAGE_QUEUE "-dead").visible, 1);
    stage_free(st);
}

static void a_message_that_is_no_job_is_buried(void **state)
{
    (void)state;
    struct stage *st = stage_new("aws-2026", 30 * S);
    struct copies copies = {.st = st, .text = "hello, world"};
    stage_do(st, send_copy, &copies);
    snprintf(copies.text, sizeof copies.text, "q-000000000000000000000000 sleep 0");
    stage_do(st, send_copy, &copies); /* well made, but without a row */
    struct stage_drainer *sd = stage_drain(st, 1);
    stage_run_for(st, 30 * S);
    assert_int_equal(sd->started, 0);
    assert_int_equal(sd->skipped, 2);
    assert_queue_empty(st);
    assert_int_equal(stage_depth(st, STAGE_QUEUE "-dead").visible, 2);
    stage_free(st);
}

/* Its memory was a job's before. */
static void what_is_no_job_has_no_payload(void **state)
{
    (void)state;
    struct stage *st = stage_new("aws-2026", 30 * S);
    stage_enqueue(st, 1, "1");
    struct stage_drainer *sd = stage_drain(st, 1);
    stage_run_for(st, 30 * S);
    assert_int_equal(sd->ended, 1);
    assert_true(sd->last.payload_bytes > 0);
    struct copies copies = {.st = st, .text = "hello, world"};
    stage_do(st, send_copy, &copies);
    stage_run_for(st, 30 * S);
    assert_int_equal(sd->skipped, 1);
    assert_int_equal(sd->last.payload_bytes, 0);
    stage_free(st);
}

static void a_time_limit_ends_an_attempt(void **state)
{
    (void)state;
    struct stage *st = stage_new("aws-2026", 30 * S);
    stage_enqueue(st, 1, "1000");
    struct stage_drainer *sd = stage_drain(st, 1);
    sd->options.time_limit_ns = 5 * S;
    sd->options.max_attempts = 1;
    stage_run_for(st, 20 * S);
    assert_int_equal(stage_state(st, 0), JOB_DEAD);
    assert_true(stage_row(st, st->id[0]).wall_ns < 11 * S);
    stage_free(st);
}

/* ---- cancelling ---------------------------------------------------------------------- */

static void a_cancelled_job_does_not_run(void **state)
{
    (void)state;
    struct stage *st = stage_new("aws-2026", 30 * S);
    stage_enqueue(st, 2, "1");
    struct cancel cancel = {.st = st, .id = st->id[0]};
    stage_do(st, cancel_it, &cancel);
    assert_int_equal(cancel.code, JOBQ_OK);
    assert_int_equal(cancel.state, JOB_CANCELLED);
    struct stage_drainer *sd = stage_drain(st, 2);
    stage_run_for(st, 30 * S);
    assert_int_equal(sd->started, 1);
    assert_int_equal(stage_state(st, 0), JOB_CANCELLED);
    assert_int_equal(stage_state(st, 1), JOB_DONE);
    assert_queue_empty(st);
    cancel.id = st->id[1]; /* too late */
    stage_do(st, cancel_it, &cancel);
    assert_int_equal(cancel.code, JOBQ_CONFLICT);
    assert_int_equal(cancel.state, JOB_DONE);
    cancel.id = "q-000000000000000000000000";
    stage_do(st, cancel_it, &cancel);
    assert_int_equal(cancel.code, JOBQ_NOT_FOUND);
    stage_free(st);
}

static void a_cancelled_running_job_is_not_stored(void **state)
{
    (void)state;
    for (int checked = 0; checked < 2; checked++) {
        struct stage *st = stage_new("aws-2026", 30 * S);
        stage_enqueue(st, 1, "60");
        struct stage_drainer *sd = stage_drain(st, 1);
        sd->options.cancel_check_ns = checked ? 5 * S : JOBQ_FOREVER;
        stage_run_for(st, 10 * S);
        assert_int_equal(sd->started, 1);
        struct cancel cancel = {.st = st, .id = st->id[0]};
        stage_do(st, cancel_it, &cancel);
        assert_int_equal(cancel.code, JOBQ_OK);
        stage_run_for(st, 15 * S);
        struct drainer_view view;
        drainer_view(sd->d, &view);
        assert_int_equal(view.busy,
                         checked ? 0 : 1); /* seen at once only if looked for */
        stage_run_for(st, 60 * S);
        drainer_view(sd->d, &view);
        assert_int_equal(view.counters.cancelled, 1);
        assert_int_equal(view.counters.done, 0);
        assert_int_equal(stage_state(st, 0), JOB_CANCELLED);
        assert_queue_empty(st);
        stage_free(st);
    }
}

/* ---- stopping ------------------------------------------------------------------------ */

static void a_stop_finishes_what_can_finish(void **state)
{
    (void)state;
    struct stage *st = stage_new("aws-2026", 30 * S);
    stage_enqueue(st, 30, "4");
    struct stage_drainer *sd = stage_drain(st, 10);
    sd->options.prefetch = 10;
    stage_run_for(st, 2 * S);
    drainer_stop(sd->d, kernel_now(st->k) + 30 * S);
    stage_run_for(st, 10 * S);
    assert_true(sd->returned);
    assert_int_equal(sd->code, JOBQ_OK);
    assert_int_equal(sd->ended, 10);
    assert_int_equal(stage_count(st, JOB_DONE), 10);
    assert_int_equal(stage_count(st, JOB_QUEUED), 20);
    assert_int_equal(stage_depth(st, STAGE_QUEUE).in_flight, 0);
    assert_int_equal(stage_depth(st, STAGE_QUEUE).visible, 20);
    stage_free(st);
}

static void a_stop_gives_back_what_cannot(void **state)
{
    (void)state;
    for (int twice = 0; twice < 2; twice++) {
        struct stage *st = stage_new("aws-2026", 30 * S);
        stage_enqueue(st, 10, "1000");
        struct stage_drainer *sd = stage_drain(st, 10);
        stage_run_for(st, 5 * S);
        assert_int_equal(sd->started, 10);
        drainer_stop(sd->d, kernel_now(st->k) + (twice ? 600 : 30) * S);
        if (twice) {
            stage_run_for(st, 2 * S);
            assert_false(sd->returned);
            drainer_stop(sd->d, kernel_now(st->k) + 600 * S);
            stage_run_for(st, 3 * S);
        } else {
            stage_run_for(st, 30 * S);
        }
        assert_true(sd->returned);
        assert_int_equal(sd->code, JOBQ_OK);
        assert_int_equal(sd->gave_back, 10);
        assert_int_equal(stage_count(st, JOB_QUEUED), 10);
        assert_int_equal(stage_row(st, st->id[0]).attempt, 0);
        assert_int_equal(stage_depth(st, STAGE_QUEUE).visible, 10);
        /* The next drainer begins at once, and it is its first attempt. */
        struct stage_drainer *next = stage_drain(st, 10);
        stage_run_for(st, 2 * S);
        assert_int_equal(next->started, 10);
        assert_int_equal(stage_row(st, st->id[0]).attempt, 1);
        stage_free(st);
    }
}

static void an_idle_poll_is_aborted_at_once(void **state)
{
    (void)state;
    struct stage *st = stage_new("aws-2026", 30 * S);
    struct stage_drainer *sd = stage_drain(st, 10);
    stage_run_for(st, 5 * S);
    drainer_stop(sd->d, kernel_now(st->k) + 30 * S);
    stage_run_for(st, S / 2);
    assert_true(sd->returned);
    assert_int_equal(sd->code, JOBQ_OK);
    stage_free(st);
}

/* 100 random moments: nothing lost, no row stuck, nothing left invisible. */
static void stopped_at_any_moment_nothing_is_stuck(void **state)
{
    (void)state;
    struct dice dice;
    dice_init(&dice, 7, "stops", 0);
    for (int round = 0; round < 100; round++) {
        struct stage *st = stage_new("aws-2026", 20 * S);
        stage_enqueue(st, 40, round % 2 ? "0.7" : "20");
        struct stage_drainer *sd = stage_drain(st, 8);
        sd->options.prefetch = round % 3 ? 10 : 0;
        stage_run_for(st, (int64_t)(dice_u(&dice) * 6 * (double)S));
        int64_t stop_at_ns = kernel_now(st->k);
        if (sd->d)
            drainer_stop(sd->d, stop_at_ns + 12 * S);
        stage_run_for(st, 12 * S + S / 100);
        if (sd->d) {
            assert_true(sd->returned);
            assert_int_equal(sd->code, JOBQ_OK);
        }
        assert_int_equal(stage_count(st, JOB_RUNNING), 0);
        int done = stage_count(st, JOB_DONE);
        assert_int_equal(done + stage_count(st, JOB_QUEUED), 40);
        struct jobq_queue_depth depth = stage_depth(st, STAGE_QUEUE);
        assert_int_equal(depth.in_flight, 0);
        assert_int_equal(depth.visible, 40 - done);
        stage_free(st);
    }
}

struct sees_notice {
    struct jobq_fleet port;
    struct kernel *k;
    int64_t at_ns;
    int polls;
};

static int notice_later(struct jobq_fleet *f, struct jobq_notice *out,
                        struct jobq_error *err)
{
    (void)err;
    struct sees_notice *see = (struct sees_notice *)f;
    see->polls++;
    *out = (struct jobq_notice){.due = kernel_now(see->k) >= see->at_ns,
                                .at_wall_ns = WORLD_EPOCH_NS + see->at_ns + 120 * S};
    return JOBQ_OK;
}

static int self_is(struct jobq_fleet *f, struct jobq_self *out, struct jobq_error *err)
{
    (void)f;
    (void)err;
    *out = (struct jobq_self){.id = "i-0spot", .spot = true};
    return JOBQ_OK;
}

/* The whole notice is used for jobs that can finish, the others are back before the end. */
static void a_spot_notice_is_used_to_the_full(void **state)
{
    (void)state;
    static const struct jobq_fleet_ops ops = {
        .name = "spot", .self = self_is, .notice = notice_later};
    struct stage *st = stage_new("aws-2026", 30 * S);
    struct sees_notice see = {.port = {&ops}, .k = st->k, .at_ns = 20 * S};
    stage_enqueue(st, 5, "100"); /* end at about 100 s */
    stage_enqueue(st, 5, "500");
    struct stage_drainer *sd = stage_drain(st, 10);
    sd->b->fleet = &see.port;
    sd->options.notice_ns = 5 * S;
    stage_run_for(st, 141 * S);
    assert_true(sd->returned);
    assert_int_equal(sd->code, JOBQ_OK);
    assert_int_equal(see.polls, 5);
    assert_int_equal(sd->ended, 5);
    assert_int_equal(sd->gave_back, 5);
    assert_true(str_is(stage_row(st, st->id[0]).box, "i-0spot"));
    assert_int_equal(stage_count(st, JOB_QUEUED), 5);
    assert_int_equal(stage_depth(st, STAGE_QUEUE).in_flight, 0);
    stage_free(st);
}

/* ---- idling -------------------------------------------------------------------------- */

static void an_idle_drainer_polls_every_twenty_seconds(void **state)
{
    (void)state;
    struct stage *st = stage_new("aws-2026", 30 * S);
    struct stage_drainer *sd = stage_drain(st, 100);
    stage_run_for(st, 2000 * S);
    assert_in_range(sd->ledger.action[JOBQ_ACT_SQS_RECEIVE].requests, 99, 101);
    /* No back-off: what comes is taken at once. */
    stage_enqueue(st, 1, "0");
    stage_run_for(st, S);
    assert_int_equal(sd->ended, 1);
    stage_free(st);
}

static void empty_receives_take_no_memory(void **state)
{
    (void)state;
    struct stage *st = stage_new("ideal", 30 * S);
    struct stage_drainer *sd = stage_drain(st, 1);
    sd->options.wait_ns = S / 100;
    stage_run_for(st, 100 * S);
    size_t before = arena_used(fiber_proc_arena(world_fibers(sd->proc)));
    stage_run_for(st, 1000 * S);
    assert_true(sd->ledger.action[JOBQ_ACT_SQS_RECEIVE].empty > 100000);
    assert_int_equal(arena_used(fiber_proc_arena(world_fibers(sd->proc))), before);
    stage_free(st);
}

static void idle_exit_waits_for_others(void **state)
{
    (void)state;
    struct stage *st = stage_new("aws-2026", 30 * S);
    stage_enqueue(st, 1, "40");
    struct stage_drainer *busy = stage_drain(st, 1);
    stage_run_for(st, 2 * S);
    struct stage_drainer *idle = stage_drain(st, 1);
    idle->options.idle_exit_ns = 10 * S;
    stage_run_for(st, 38 * S);
    assert_false(idle->returned); /* a message is in flight elsewhere */
    stage_run_for(st, 30 * S);
    assert_true(idle->returned);
    assert_int_equal(idle->code, JOBQ_OK);
    assert_int_equal(busy->ended, 1);
    stage_free(st);
}

/* Told to take what is there and end, it does not ask in a loop while jobs run and deletes
 * wait for company. */
static void taking_what_is_there_costs_few_receives(void **state)
{
    (void)state;
    struct stage *st = stage_new("aws-2026", 30 * S);
    stage_enqueue(st, 3, "4");
    struct stage_drainer *sd = stage_drain(st, 10);
    sd->options.idle_exit_ns = 0;
    stage_run_for(st, 60 * S);
    assert_true(sd->returned);
    assert_int_equal(sd->ended, 3);
    /* 4 s of jobs and 5 s of lingering, a second each, and some at the end. */
    assert_in_range(sd->ledger.action[JOBQ_ACT_SQS_RECEIVE].requests, 2, 20);
    assert_queue_empty(st);
    stage_free(st);
}

static void quiet_takes_no_more_until_resumed(void **state)
{
    (void)state;
    struct stage *st = stage_new("aws-2026", 30 * S);
    struct stage_drainer *sd = stage_drain(st, 2);
    stage_run_for(st, S);
    drainer_quiet(sd->d, true);
    stage_enqueue(st, 4, "1");
    stage_run_for(st, 60 * S);
    assert_int_equal(sd->started, 0);
    drainer_quiet(sd->d, false);
    drainer_resize(sd->d, 4);
    stage_run_for(st, S);
    assert_int_equal(sd->started, 4);
    stage_free(st);
}

static void a_vanished_queue_ends_the_drainer(void **state)
{
    (void)state;
    struct stage *st = stage_new("aws-2026", 30 * S);
    struct stage_drainer *sd = stage_drain(st, 2);
    sd->options.queue = "other";
    stage_run_for(st, 300 * S);
    assert_true(sd->returned);
    assert_int_equal(sd->code, JOBQ_NOT_FOUND);
    assert_non_null(strstr(sd->err.text, "other"));
    sd = stage_drain(st, 2);
    stage_fail(sd, JOBQ_ACT_SQS_RECEIVE, JOBQ_FAULT_BEFORE, 1, 1000, JOBQ_DENIED);
    stage_run_for(st, 60 * S);
    assert_true(sd->returned);
    assert_int_equal(sd->code, JOBQ_DENIED);
    stage_free(st);
}

/* ---- trouble ------------------------------------------------------------------------- */

static void throttles_and_lost_replies_lose_nothing(void **state)
{
    (void)state;
    struct stage *st = stage_new("aws-2026", 20 * S);
    stage_enqueue(st, 200, "0.5");
    struct stage_drainer *sd = stage_drain(st, 16);
    stage_fail(sd, JOBQ_ACT_SDB_PUT, JOBQ_FAULT_BEFORE, 20, 30, JOBQ_THROTTLED);
    stage_fail(sd, JOBQ_ACT_SDB_PUT, JOBQ_FAULT_AFTER, 60, 40, JOBQ_TIMEOUT);
    stage_fail(sd, JOBQ_ACT_SQS_RECEIVE, JOBQ_FAULT_AFTER, 3, 3, JOBQ_UNAVAILABLE);
    stage_fail(sd, JOBQ_ACT_SQS_DELETE_BATCH, JOBQ_FAULT_AFTER, 2, 3, JOBQ_TIMEOUT);
    stage_run_for(st, 300 * S);
    assert_int_equal(stage_count(st, JOB_DONE), 200);
    assert_queue_empty(st);
    stage_free(st);
}

/* The message that a job was claimed under is purged and its box fails: the row says running, and
 * only another message of the job is left. It waits as long as that claim could be alive. */
static void a_claim_that_lost_its_message_is_taken_over(void **state)
{
    (void)state;
    struct stage *st = stage_new("aws-2026", 30 * S);
    stage_enqueue(st, 1, "5");
    struct stage_drainer *sd = stage_drain(st, 1);
    while (sd->started == 0)
        stage_run_for(st, S);
    stage_kill(sd);
    stage_do(st, purge, st);
    stage_run_for(st, 61 * S);
    stage_do(st, send_second, st);
    sd = stage_drain(st, 1);
    sd->options.housekeeping_ns = JOBQ_FOREVER;
    stage_run_for(st, 12 * JOBQ_NS_PER_HOUR);
    assert_int_equal(sd->started, 0);
    assert_int_equal(stage_state(st, 0), JOB_RUNNING);
    stage_run_for(st, 3 * JOBQ_NS_PER_HOUR);
    assert_int_equal(stage_state(st, 0), JOB_DONE);
    assert_int_equal(stage_row(st, st->id[0]).attempt, 2);
    stage_free(st);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unbatched_is_three_requests_and_three_puts),
        cmocka_unit_test(a_claim_that_lost_its_message_is_taken_over),
        cmocka_unit_test(prefetch_makes_a_job_cheap),
        cmocka_unit_test(rows_tell_the_whole_story),
        cmocka_unit_test(without_a_store_there_are_three_requests),
        cmocka_unit_test(jobs_that_end_together_fill_their_deletes),
        cmocka_unit_test(a_lost_claim_reply_is_read_back),
        cmocka_unit_test(a_lost_final_reply_is_read_back),
        cmocka_unit_test(a_late_put_of_the_enqueuer_undoes_nothing),
        cmocka_unit_test(a_late_put_of_a_drainer_is_refused),
        cmocka_unit_test(a_dead_drainers_job_is_taken_over),
        cmocka_unit_test(a_late_attempt_does_not_overwrite),
        cmocka_unit_test(a_claim_that_is_too_old_starts_nothing),
        cmocka_unit_test(another_message_for_a_running_job_is_left_alone),
        cmocka_unit_test(a_second_message_is_not_worn_out),
        cmocka_unit_test(a_dead_letter_does_not_end_a_running_job),
        cmocka_unit_test(a_message_of_a_finished_job_is_only_deleted),
        cmocka_unit_test(short_jobs_send_no_heartbeat),
        cmocka_unit_test(long_jobs_are_covered_ten_a_call),
        cmocka_unit_test(progress_goes_to_the_row),
        cmocka_unit_test(buffered_messages_are_covered_too),
        cmocka_unit_test(a_visibility_of_a_second_is_beaten_each_second),
        cmocka_unit_test(a_refused_heartbeat_is_ownership_lost),
        cmocka_unit_test(the_newest_handle_deletes),
        cmocka_unit_test(a_failed_job_is_tried_again_later),
        cmocka_unit_test(a_job_that_always_fails_is_dead),
        cmocka_unit_test(a_job_that_kills_its_drainer_is_dead),
        cmocka_unit_test(a_message_that_is_no_job_is_buried),
        cmocka_unit_test(what_is_no_job_has_no_payload),
        cmocka_unit_test(a_time_limit_ends_an_attempt),
        cmocka_unit_test(a_cancelled_job_does_not_run),
        cmocka_unit_test(a_cancelled_running_job_is_not_stored),
        cmocka_unit_test(a_stop_finishes_what_can_finish),
        cmocka_unit_test(a_stop_gives_back_what_cannot),
        cmocka_unit_test(an_idle_poll_is_aborted_at_once),
        cmocka_unit_test(stopped_at_any_moment_nothing_is_stuck),
        cmocka_unit_test(a_spot_notice_is_used_to_the_full),
        cmocka_unit_test(an_idle_drainer_polls_every_twenty_seconds),
        cmocka_unit_test(empty_receives_take_no_memory),
        cmocka_unit_test(idle_exit_waits_for_others),
        cmocka_unit_test(taking_what_is_there_costs_few_receives),
        cmocka_unit_test(quiet_takes_no_more_until_resumed),
        cmocka_unit_test(a_vanished_queue_ends_the_drainer),
        cmocka_unit_test(throttles_and_lost_replies_lose_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
