/* check.c - is everything as it should be when a run has ended?
 *
 * Room:     sim.
 *
 * Read from the models' rows and queues, not from what the drainers said. */
#include "sim/torture/internal.h"

/* ---- rows and queues ------------------------------------------------------------------ */

/* All rows by id, as a consistent reader sees them. */
static void read_rows(struct torture *t, struct jobrec_table *rows)
{
    struct world_rows at = {0};
    struct jobq_item item;
    struct arena arena;
    arena_init(&arena, 0);
    while (world_rows_next(t->world, STR(REPLICATION_QUEUE), &at, &arena, &item)) {
        struct job_row row;
        struct jobq_error err;
        if (job_row_read(&item, &row, &err) < 0) {
            torture_find(t, "row unreadable", "row '%.*s': %.100s", (int)item.name.len,
                         item.name.ptr, err.text);
            continue;
        }
        struct jobrec *rec = jobrec_of(rows, item.name);
        rec->state = row.state == JOB_DONE        ? JOBREC_DONE
                     : row.state == JOB_DEAD      ? JOBREC_DEAD
                     : row.state == JOB_CANCELLED ? JOBREC_CANCELLED
                                                  : JOBREC_OPEN;
        rec->work_ns = row.wall_ns;
        rec->attempts = (int16_t)row.attempt;
        if (rec->state == JOBREC_OPEN && !monitor_claim(t, item.name)->garbage)
            torture_find(t, "row stuck", "job %.*s has ended nowhere: its row says '%s'",
                         (int)item.name.len, item.name.ptr, job_state_name(row.state));
    }
    arena_release(&arena);
}

static bool note_letter(void *ctx, const struct sqs_message *message)
{
    struct job_body body;
    struct jobq_error err;
    if (job_body_read(message->body, message->phantom_bytes, &body, &err) == JOBQ_OK)
        monitor_claim(ctx, body.id)->letter = true;
    return true;
}

/* A job that its own last attempt left dead is among the dead letters, unless somebody looked
 * after those or there was no such queue. */
static void check_letters(struct torture *t, int dead_queue)
{
    if (t->redrove || torture_on(t, TORTURE_PURGE) || torture_on(t, TORTURE_QUEUE_GONE))
        return;
    if (dead_queue >= 0)
        sqs_visit(world_sqs(t->world), world_now(t->world), dead_queue, note_letter, t);
    for (int64_t i = 0; i < t->rows.count; i++)
        if (t->claim[i].dead_last && !t->claim[i].letter)
            torture_find(t, "no dead letter",
                         "job %s is dead, and there is no letter of it", t->rows.id[i]);
}

struct seen {
    struct torture *t;
    struct jobrec_table *rows;
    int64_t messages;
};

static bool see_message(void *ctx, const struct sqs_message *message)
{
    struct seen *s = ctx;
    (void)message;
    s->messages++;
    return true;
}

/* What is no job, and a job without a row, belong there, and so does a job that is dead. The
 * letter of a job that was sent again may stay behind, where its delete failed. */
static bool see_letter(void *ctx, const struct sqs_message *message)
{
    struct seen *s = ctx;
    struct job_body body;
    struct jobq_error err;
    const struct jobrec *row = NULL;
    if (job_body_read(message->body, message->phantom_bytes, &body, &err) == JOBQ_OK)
        row = jobrec_find(s->rows, body.id);
    if (!row || row->state == JOBREC_DEAD)
        return true;
    const struct torture_claim *claim = monitor_claim(s->t, body.id);
    if (!claim->redriven && !claim->garbage)
        torture_find(s->t, "dead letters",
                     "a message of job %.*s, which is %s, is a dead letter",
                     (int)body.id.len, body.id.ptr,
                     jobrec_state_name((enum jobrec_state)row->state));
    return true;
}

/* SQS moved a message to the dead letters by itself, after too many receives: then a look at
 * those marks its row as dead, whatever attempts it had left. */
static bool is_moved(struct torture *t)
{
    struct sqs_stats stats;
    int queue = sqs_find(world_sqs(t->world), STR(REPLICATION_QUEUE));
    return queue >= 0 &&
           sqs_stats(world_sqs(t->world), world_now(t->world), queue, &stats) == SQS_OK &&
           stats.redriven > 0;
}

static void check_job(struct torture *t, const struct jobrec *job,
                      struct jobrec_table *rows, const char *id)
{
    struct jobrec *row = jobrec_find(rows, str_of(id));
    struct torture_result *out = t->out;
    bool fails = torture_job_is(job->work_ns, JOB_FAILS_NS);
    out->enqueued++;
    if (!row) {
        torture_find(t, "row missing", "job %s is enqueued and has no row", id);
        return;
    }
    switch ((enum jobrec_state)row->state) {
    case JOBREC_DONE:
        out->done++;
        if (row->work_ns < job->work_ns)
            torture_find(t, "ran too short", "job %s is done after %lld ns of its %lld",
                         id, (long long)row->work_ns, (long long)job->work_ns);
        if (fails)
            torture_find(t, "done wrongly", "job %s is done, and fails each time", id);
        break;
    case JOBREC_DEAD:
        out->dead++;
        if (row->attempts < t->attempts_max && !is_moved(t) &&
            t->run->rows != SCENARIO_ROWS_END)
            torture_find(t, "dead", "job %s is dead after %d of %lld attempts", id,
                         row->attempts, (long long)t->attempts_max);
        break;
    case JOBREC_CANCELLED:
        out->cancelled++;
        break;
    case JOBREC_EXPIRED:
    case JOBREC_OPEN:
        out->queued++;
        break;
    }
    if (job->results > 1 && !monitor_claim(t, str_of(id))->redriven)
        torture_find(t, "results", "job %s has %d results", id, job->results);
    if (t->run->faults == 0 && job->attempts != 1)
        torture_find(t, "attempts", "job %s took %d attempts, and nothing had gone wrong",
                     id, job->attempts);
}

static void check_boxes(struct torture *t)
{
    int64_t alive = 0;
    struct ec2 *ec2 = world_ec2(t->world);
    for (int32_t i = 0; i < ec2_instance_count(ec2); i++)
        alive += ec2_instance_at(ec2, i)->state <= EC2_RUNNING;
    if (t->idle_exit_ns == JOBQ_FOREVER)
        return;
    if (alive > 0)
        torture_find(t, "boxes left", "the queue is empty, and %lld boxes are left",
                     (long long)alive);
    else
        torture_branch(t, TORTURE_BRANCH_EMPTIED);
}

void check_end(struct torture *t, int queue)
{
    struct sqs *sqs = world_sqs(t->world);
    struct jobrec_table rows = {0};
    char name[JOBQ_QUEUE_NAME_MAX + 1];
    jobrec_reset(&rows, t->run->jobs, true);
    read_rows(t, &rows);
    struct seen dead = {t, &rows, 0}, left = {t, &rows, 0};
    job_dead_queue_name(REPLICATION_QUEUE, name);
    int dead_queue = sqs_find(sqs, str_of(name));
    if (dead_queue >= 0)
        sqs_visit(sqs, world_now(t->world), dead_queue, see_letter, &dead);
    const struct jobrec_table *jobs = t->jobs;
    for (int64_t i = 0; i < jobs->count; i++)
        if (jobs->rec[i].index >= 0)
            check_job(t, &jobs->rec[i], &rows, jobs->id[i]);
    sqs_visit(sqs, world_now(t->world), queue, see_message, &left);
    if (left.messages > 0)
        torture_find(t, "queue not empty", "%lld messages are left on the queue",
                     (long long)left.messages);
    keyed_check_end(t, &rows);
    check_letters(t, dead_queue);
    check_boxes(t);
    jobrec_release(&rows);
}

/* ---- meters --------------------------------------------------------------------------- */

static const char *const KINDS[WORLD_LATENCY_COUNT] = {
    "sends",       "receives", "deletes", "other calls of SQS",
    "puts",        "gets",     "selects", "other calls of the store",
    "writes",      "reads",    "scans",   "other calls of DynamoDB",
    "calls of EC2"};

static int64_t entries_of(const struct torture *t, const struct jobq_ledger *ledger,
                          enum jobq_action action)
{
    return ledger->action[action].entries + t->ledger.action[action].entries;
}

/* Whether every call of the kind came back to a meter, and was made once. */
static bool is_plain(const struct torture *t, enum world_latency_kind kind)
{
    const struct world_calls *calls = world_calls(t->world);
    return calls->asked[kind] == calls->answered[kind] && calls->gave_up[kind] == 0 &&
           t->held[kind] == 0 && t->out->fired[TORTURE_TWICE] == 0 &&
           t->out->fired[TORTURE_LATE] == 0;
}

/* Messages sent and delivered, as the model of SQS counts them. */
static void check_messages(struct torture *t, const struct jobq_ledger *ledger)
{
    struct sqs *sqs = world_sqs(t->world);
    char dead[JOBQ_QUEUE_NAME_MAX + 1];
    job_dead_queue_name(REPLICATION_QUEUE, dead);
    const char *const names[] = {REPLICATION_QUEUE, dead};
    int64_t sent = 0, received = 0;
    for (int i = 0; i < 2; i++) {
        struct sqs_stats stats;
        int queue = sqs_find(sqs, str_of(names[i]));
        if (queue < 0 || sqs_stats(sqs, world_now(t->world), queue, &stats) != SQS_OK)
            continue;
        sent += stats.sent;
        received += stats.received;
    }
    int64_t sends = entries_of(t, ledger, JOBQ_ACT_SQS_SEND) +
                    entries_of(t, ledger, JOBQ_ACT_SQS_SEND_BATCH);
    int64_t receives = entries_of(t, ledger, JOBQ_ACT_SQS_RECEIVE);
    if (is_plain(t, WORLD_SQS_SEND) && sends != sent)
        torture_find(t, "ledger", "the ledger has %lld messages sent, the queues %lld",
                     (long long)sends, (long long)sent);
    if (is_plain(t, WORLD_SQS_RECEIVE) && receives != received)
        torture_find(t, "ledger",
                     "the ledger has %lld messages received, the queues %lld",
                     (long long)receives, (long long)received);
}

/* Bytes and BoxUsage, of all calls together. */
static void check_sizes(struct torture *t, const struct jobq_ledger *ledger)
{
    const struct world_calls *calls = world_calls(t->world);
    struct jobq_call_cost sum = {0};
    for (int i = 0; i < JOBQ_ACTION_COUNT; i++) {
        const struct jobq_usage *use = &ledger->action[i], *ours = &t->ledger.action[i];
        sum.bytes_out += use->bytes_out + ours->bytes_out;
        sum.bytes_in += use->bytes_in + ours->bytes_in;
        sum.box_usage_e10h += use->box_usage_e10h + ours->box_usage_e10h;
    }
    if (sum.bytes_out != calls->sum.bytes_out || sum.bytes_in != calls->sum.bytes_in)
        torture_find(
            t, "ledger",
            "the ledger has %lld bytes out and %lld in, and %lld and %lld were sent",
            (long long)sum.bytes_out, (long long)sum.bytes_in,
            (long long)calls->sum.bytes_out, (long long)calls->sum.bytes_in);
    if (sum.box_usage_e10h != calls->sum.box_usage_e10h)
        torture_find(t, "ledger", "the ledger has a BoxUsage of %lld, and it was %lld",
                     (long long)sum.box_usage_e10h, (long long)calls->sum.box_usage_e10h);
}

void check_calls(struct torture *t, const struct jobq_ledger *ledger)
{
    const struct world_calls *calls = world_calls(t->world);
    int64_t metered[WORLD_LATENCY_COUNT] = {0};
    for (int i = 0; i < JOBQ_ACTION_COUNT; i++)
        metered[world_kind_of((enum jobq_action)i)] +=
            ledger->action[i].requests + t->ledger.action[i].requests;
    metered[WORLD_SQS_RECEIVE] += calls->receives_dropped;
    for (int k = 0; k < WORLD_LATENCY_COUNT; k++) {
        int64_t want = calls->answered[k] + calls->gave_up[k] - t->held[k];
        /* A receive that was dropped, of a process that was killed while a hook held that. */
        int64_t doubt = k == WORLD_SQS_RECEIVE ? t->held[k] : 0;
        doubt = doubt < calls->receives_dropped ? doubt : calls->receives_dropped;
        /* Making a table of DynamoDB is two requests, and is held as one. */
        int64_t second = k == WORLD_DDB_OTHER ? t->held[k] : 0;
        if (metered[k] < want - second || metered[k] > want + doubt)
            torture_find(t, "ledger", "the ledger has %lld %s, and %lld were answered",
                         (long long)metered[k], KINDS[k], (long long)want);
    }
    check_messages(t, ledger);
    int64_t held = 0;
    for (int k = 0; k < WORLD_LATENCY_COUNT; k++)
        held += t->held[k];
    if (held == 0)
        check_sizes(t, ledger);
}
