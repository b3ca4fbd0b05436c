/* batch.c - how do some jobs become rows and messages?
 *
 * Room:     src/fleet, the product; private to the enqueuer.
 *
 * Rows first: a message without a row would be run with nowhere to claim it, a row
 * without a message is found by its state. A batch of rows is all or nothing and its
 * repetition writes the same again, so a lost reply is harmless; a message sent twice is
 * claimed once. */
#include "base/text.h"
#include "fleet/enqueue/parts.h"
#include "fleet/enqueue/queues.h"
#include "jobq/units.h"

#include <assert.h>
#include <string.h>

/* A call of rows may carry 1 MB; what the encoding of the wire adds is left
 * room for. */
#define ROWS_BYTES_MAX (768 * JOBQ_KIB)
#define DELAY_MAX_NS (15 * JOBQ_NS_PER_MIN)

/* ---- one job's bytes ----------------------------------------------------------------- */

static void refuse(struct enqueue_batch *batch, int i, const struct jobq_error *why)
{
    struct jobq_error *err = batch->request[i]->err;
    batch->code[i] = why->code;
    if (err->code == JOBQ_OK)
        *err = *why;
}

static int check_sizes(const struct enqueuer *e, int64_t message_bytes,
                       int64_t encoded_bytes, struct jobq_error *err)
{
    const struct enqueuer_options *o = &e->options;
    bool must_fit = !e->writes_rows || o->payload_in == ENQUEUER_IN_MESSAGE;
    if (e->writes_rows && encoded_bytes > JOB_ROW_BYTES_MAX)
        return jobq_fail(
            err, JOBQ_LIMIT,
            "job of %lld bytes exceeds the store's limit of %lld bytes a row",
            (long long)encoded_bytes, (long long)JOB_ROW_BYTES_MAX);
    if (must_fit && message_bytes > o->message_max_bytes)
        return jobq_fail(
            err, JOBQ_LIMIT,
            "job of %lld bytes exceeds the queue's limit of %lld bytes a message",
            (long long)message_bytes, (long long)o->message_max_bytes);
    return JOBQ_OK;
}

int enqueue_row_message(struct enqueuer *e, struct enqueue_batch *batch,
                        const struct jobq_item *row, struct jobq_outgoing *out,
                        struct jobq_error *err)
{
    int64_t most =
        e->options.payload_in == ENQUEUER_IN_STORE ? 0 : e->options.message_max_bytes;
    return job_row_message(row, most, &batch->scratch, out, err);
}

static struct job_pair *payload_room(struct enqueuer *e, int pairs)
{
    if (pairs > e->payload_cap && pairs <= JOB_PAIRS_MAX) {
        e->payload_cap = pairs > JOB_PAIRS_MAX / 16 ? JOB_PAIRS_MAX : JOB_PAIRS_MAX / 16;
        e->payload = arena_alloc(e->memory, (size_t)e->payload_cap * sizeof *e->payload);
    }
    return e->payload;
}

/* Checks and encodes a job; its id is given later. */
static int encode(struct enqueuer *e, struct arena *scratch,
                  const struct enqueuer_job *job, struct enqueue_draft *draft,
                  struct jobq_outgoing *message, struct jobq_error *err)
{
    struct job_spec spec;
    if (job->delay_ns < 0 || job->delay_ns > DELAY_MAX_NS)
        return jobq_fail(err, JOBQ_LIMIT, "delay is not in '0'..'15min'");
    if (keyed_check(e, job, err) < 0)
        return err->code;
    if (job_spec_read(job->pair, job->pair_count, payload_room(e, job->pair_count), &spec,
                      err) < 0 ||
        job_limits_check(&job->limits, err) < 0)
        return err->code;
    spec.limits = job->limits;
    if (spec.kind == JOBQ_WORK_SLEEP && spec.number >= e->options.longest_ns)
        return jobq_fail(
            err, JOBQ_LIMIT,
            "a job of '%lld' seconds cannot end: a queue hides a message for "
            "12 h at most",
            (long long)(spec.number / JOBQ_NS_PER_S));
    int64_t phantom_bytes, bytes = job_encoded_bytes(&spec, &phantom_bytes);
    int64_t id_bytes = e->queue_name.len + JOB_ID_SUFFIX + 1;
    if (check_sizes(e, id_bytes + bytes, bytes, err) < 0)
        return err->code;
    /* The id and a blank go before the encoded job: one buffer serves row and message. */
    char *text = arena_alloc(scratch, (size_t)(id_bytes + bytes - phantom_bytes));
    draft->text = text;
    draft->encoded.ptr = text + id_bytes;
    draft->encoded.len = job_encode(&spec, text + id_bytes);
    draft->phantom_bytes = phantom_bytes;
    draft->row_bytes = bytes;
    message->body = (struct jobq_str){text, id_bytes + draft->encoded.len};
    message->phantom_bytes = phantom_bytes;
    message->delay_ns = job->delay_ns;
    bool store_only = e->writes_rows && (e->options.payload_in == ENQUEUER_IN_STORE ||
                                         id_bytes + bytes > e->options.message_max_bytes);
    if (store_only) {
        char *head = arena_alloc(scratch, (size_t)id_bytes + JOB_HEAD_MAX);
        int len = job_encode_stored(&spec, head + id_bytes);
        draft->text = head;
        message->body = (struct jobq_str){head, id_bytes + len};
        message->phantom_bytes = 0;
    }
    e->counters.payload_bytes += bytes;
    return JOBQ_OK;
}

/* Bytes of the next piece: at most 1,024, cut between characters. */
static int64_t piece_bytes(struct jobq_str rest)
{
    if (rest.len <= JOB_PIECE_BYTES)
        return rest.len;
    int64_t bytes = JOB_PIECE_BYTES;
    while (bytes > 1 && ((unsigned char)rest.ptr[bytes] & 0xc0) == 0x80)
        bytes--;
    return bytes;
}

static struct jobq_str piece_name(struct arena *scratch, int index)
{
    static const char few[10][2] = {"p0", "p1", "p2", "p3", "p4",
                                    "p5", "p6", "p7", "p8", "p9"};
    if (index < 10)
        return (struct jobq_str){few[index], 2};
    char *name = arena_alloc(scratch, 8);
    name[0] = 'p';
    return (struct jobq_str){name, 1 + text_write_int(name + 1, index)};
}

/* All of a row but its name. */
static void build_row(struct arena *scratch, const struct enqueue_draft *draft,
                      struct jobq_str enqueued_ms, struct jobq_item *row)
{
    int cap = 1 + (int)(draft->encoded.len / (JOB_PIECE_BYTES - 3)) + 1 +
              job_pieces(draft->phantom_bytes);
    struct jobq_attr *attr = arena_alloc(scratch, (size_t)cap * sizeof *attr);
    int count = 0;
    attr[count++] = (struct jobq_attr){STR("t"), enqueued_ms, true};
    struct jobq_str rest = draft->encoded;
    int64_t phantom = draft->phantom_bytes;
    for (int i = 0; rest.len > 0 || phantom > 0; i++) {
        struct jobq_str piece = {NULL,
                                 phantom < JOB_PIECE_BYTES ? phantom : JOB_PIECE_BYTES};
        if (rest.len > 0) {
            piece = (struct jobq_str){rest.ptr, piece_bytes(rest)};
            rest.ptr += piece.len;
            rest.len -= piece.len;
        } else {
            phantom -= piece.len;
        }
        assert(count < cap);
        attr[count++] = (struct jobq_attr){piece_name(scratch, i), piece, true};
    }
    row->attr = attr;
    row->attr_count = count;
}

/* ---- gathering ----------------------------------------------------------------------- */

static void next_job(struct enqueuer *e, struct enqueue_batch *batch, int i)
{
    struct enqueue_request *request = e->first;
    struct enqueuer_job *job = &request->job[request->taken++];
    job->id[0] = '\0';
    job->id_bytes = 0;
    batch->request[i] = request;
    batch->job[i] = job;
    batch->code[i] = JOBQ_OK;
    batch->keyed[i] = KEYED_NOT;
    batch->silent[i] = false;
    e->untaken--;
    if (request->taken == request->count) {
        e->first = request->next;
        if (!e->first)
            e->last = NULL;
    }
}

/* Takes and encodes; refused jobs keep their place in the batch and their code. */
static void batch_gather(struct enqueuer *e, struct enqueue_batch *batch)
{
    int most = e->options.batch == JOBQ_BATCH_MAX ? ENQUEUE_BATCH_MAX : e->options.batch;
    int64_t bytes = 0;
    struct jobq_error why;
    while (batch->count < most && e->untaken > 0 && bytes < ROWS_BYTES_MAX) {
        int i = batch->count++;
        next_job(e, batch, i);
        if (encode(e, &batch->scratch, batch->job[i], &e->draft[i], &batch->message[i],
                   &why) < 0)
            refuse(batch, i, &why);
        else
            bytes += e->draft[i].row_bytes;
    }
}

/* The end of the call of rows that begins at `from`: as many as one call carries. */
static int rows_end(const struct enqueuer *e, const struct enqueue_batch *batch, int from)
{
    int most = e->rows_a_call;
    int64_t bytes = 0;
    int end = from, count = 0;
    for (; end < batch->count && count < most; end++) {
        if (batch->code[end] < 0)
            continue;
        bytes += e->draft[end].row_bytes;
        if (count > 0 && bytes > ROWS_BYTES_MAX)
            break;
        count++;
    }
    return end;
}

/* Gives an id, and finishes message and row with it. */
static void name_job(struct enqueuer *e, struct enqueue_batch *batch, int i,
                     int64_t wall_ns, int day, int shard)
{
    struct enqueuer_job *job = batch->job[i];
    char *text = e->draft[i].text;
    job->id_bytes = job_ids_next(&e->ids, wall_ns, day, shard, job->id);
    memcpy(text, job->id, (size_t)job->id_bytes);
    text[job->id_bytes] = ' ';
    batch->row[i].name = (struct jobq_str){job->id, job->id_bytes};
}

/* Rows of one call go to one shard, the next call's to the next. */
static void name_jobs(struct enqueuer *e, struct enqueue_batch *batch, int day)
{
    int64_t wall_ns = jobq_wall(e->b);
    char *ms = arena_alloc(&batch->scratch, 24);
    struct jobq_str enqueued_ms = {ms, text_write_int(ms, wall_ns / JOBQ_NS_PER_MS)};
    int shard = 0;
    batch->calls = 0;
    for (int i = 0; i < batch->count; i++) {
        if (e->b->store &&
            (batch->calls == 0 || i == batch->call[batch->calls - 1].end)) {
            shard = e->next_shard;
            e->next_shard = (e->next_shard + 1) % e->options.shards;
            batch->call[batch->calls].shard = shard;
            batch->call[batch->calls++].end = rows_end(e, batch, i);
        }
        if (batch->code[i] < 0)
            continue;
        name_job(e, batch, i, wall_ns, day, shard);
        if (e->writes_rows)
            build_row(&batch->scratch, &e->draft[i], enqueued_ms, &batch->row[i]);
    }
}

/* ---- rows ---------------------------------------------------------------------------- */

/* One call's rows, from..end - 1. */
static void rows(struct enqueuer *e, struct enqueue_batch *batch, int day, int from,
                 const struct enqueue_call *call)
{
    const struct jobq_item *item = &batch->row[from];
    int of[JOBQ_STORE_BATCH_MAX], count = 0, end = call->end, shard = call->shard;
    for (int i = from; i < end; i++)
        if (batch->code[i] == JOBQ_OK && batch->keyed[i] == KEYED_NOT)
            of[count++] = i;
    if (count < end - from) { /* what is left of them, moved together */
        for (int i = 0; i < count; i++)
            batch->some[i] = batch->row[of[i]];
        item = batch->some;
    }
    struct jobq_error why;
    why.code = JOBQ_OK;
    if (count == 0 || rows_add(&e->adder, day, shard, item, count, &batch->deadline_ns,
                               &why) == JOBQ_OK)
        return;
    /* One row that the service refuses refuses them all: find it. A caller that may not
     * write batches is told so, and does not pay for single writes unawares. */
    bool alone =
        count == 1 || why.code == JOBQ_DENIED || jobq_code_is_retryable(why.code);
    for (int i = 0; i < count; i++)
        if (alone ||
            rows_add(&e->adder, day, shard, &item[i], 1, &batch->deadline_ns, &why) < 0)
            refuse(batch, of[i], &why);
}

/* ---- keys ---------------------------------------------------------------------------- */

/* Does a step of every job that has a key. */
static void keys(struct enqueuer *e, struct enqueue_batch *batch,
                 int (*step)(struct enqueuer *e, struct enqueue_batch *batch, int i,
                             struct jobq_error *err))
{
    struct jobq_error why;
    for (int i = 0; i < batch->count; i++)
        if (batch->code[i] == JOBQ_OK && batch->job[i]->key.ptr &&
            step(e, batch, i, &why) < 0)
            refuse(batch, i, &why);
}

/* ---- messages ------------------------------------------------------------------------ */

/* A refused message must not leave its row; one that may have been sent keeps it. */
static void remove_row(struct enqueuer *e, const struct enqueue_batch *batch, int i)
{
    struct jobq_error err;
    struct job_id_parts id;
    int64_t deadline_ns = jobq_now(e->b) + e->options.retry_for_ns;
    struct rows rows = {e->b, &deadline_ns, NULL};
    job_id_parse(batch->row[i].name, &id, &err);
    int table = rows_table(e->b, &id, &err);
    if (table >= 0)
        rows_remove_unclaimed(&rows, table, batch->row[i].name, &err);
}

/* Sends `count` messages, of the jobs of[]. */
static void send_group(struct enqueuer *e, struct enqueue_batch *batch,
                       const struct jobq_outgoing *message, const int *of, int count)
{
    int code[JOBQ_BATCH_MAX];
    struct jobq_error why;
    why.code = JOBQ_OK;
    queues_send(e->b, e->queue, message, count, &batch->deadline_ns, code, &e->sends,
                &why);
    for (int i = 0; i < count; i++) {
        if (code[i] == JOBQ_OK)
            continue;
        why.code = (enum jobq_code)code[i];
        refuse(batch, of[i], &why);
        bool gone = code[i] == JOBQ_LIMIT || code[i] == JOBQ_INVALID;
        if (e->writes_rows && gone && batch->keyed[of[i]] != KEYED_FOUND)
            remove_row(e, batch, of[i]);
    }
}

static void messages(struct enqueuer *e, struct enqueue_batch *batch)
{
    int of[ENQUEUE_BATCH_MAX], count = 0;
    for (int i = 0; i < batch->count; i++) {
        if (batch->code[i] < 0 || batch->silent[i])
            continue;
        if (count < i)
            batch->message[count] = batch->message[i];
        of[count++] = i;
    }
    for (int from = 0, end; from < count; from = end) {
        int64_t bytes = 0;
        for (end = from; end < count && end - from < e->options.batch; end++) {
            const struct jobq_outgoing *m = &batch->message[end];
            bytes += m->body.len + m->phantom_bytes;
            if (end > from && bytes > e->options.message_max_bytes)
                break;
        }
        send_group(e, batch, &batch->message[from], &of[from], end - from);
    }
}

/* ---- the whole ----------------------------------------------------------------------- */

/* Notes every job of the batch that has come so far with an id. Returns the journal's
 * code. */
static int note(struct enqueuer *e, struct enqueue_batch *batch, char what,
                struct jobq_error *err)
{
    struct jobq_str record[ENQUEUE_BATCH_MAX];
    int count = 0;
    if (!e->options.journal)
        return JOBQ_OK;
    for (int i = 0; i < batch->count; i++) {
        const struct enqueuer_job *job = batch->job[i];
        if (batch->code[i] < 0)
            continue;
        char *line = arena_alloc(&batch->scratch, (size_t)job->id_bytes + 32);
        struct jobq_str id = {job->id, job->id_bytes};
        int len = enqueue_record_write(what, id, job->tag, line);
        record[count++] = (struct jobq_str){line, len};
    }
    return count ? e->options.journal->append(e->options.journal->ctx, record, count, err)
                 : JOBQ_OK;
}

void enqueue_batch_run(struct enqueuer *e, struct enqueue_batch *batch)
{
    batch_gather(e, batch);
    int day = e->b->store ? job_day(jobq_wall(e->b)) : 0;
    name_jobs(e, batch, day);
    batch->deadline_ns = jobq_now(e->b) + e->options.retry_for_ns;
    struct jobq_error why;
    why.code = JOBQ_OK;
    keys(e, batch, keyed_take);
    if (note(e, batch, 'b', &why) < 0) {
        /* Without its note a job could be lost in a crash: do not begin it. */
        for (int i = 0; i < batch->count; i++)
            if (batch->code[i] == JOBQ_OK)
                refuse(batch, i, &why);
        return;
    }
    for (int i = 0, from = 0; e->writes_rows && i < batch->calls;
         from = batch->call[i++].end)
        rows(e, batch, day, from, &batch->call[i]);
    keys(e, batch, keyed_row);
    messages(e, batch);
    /* A lost 's' is harmless: recovery finds the row claimed or sends again. */
    note(e, batch, 's', &why);
}
