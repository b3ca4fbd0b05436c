/* enqueue_batch.c - how do some jobs become rows and messages?
 *
 * Room:     src/fleet, the product; private to the enqueuer.
 *
 * Rows first: a message without a row would be run with nowhere to claim it, a row
 * without a message is found by its state. A batch of rows is all or nothing and its
 * repetition writes the same again, so a lost reply is harmless; a message sent twice is
 * claimed once. */
#include "base/text.h"
#include "fleet/enqueue_parts.h"
#include "jobq/units.h"

#include <assert.h>
#include <string.h>

/* A call of BatchPutAttributes may carry 1 MB; what the encoding of the wire adds is left
 * room for. */
#define ROWS_BYTES_MAX (768 * JOBQ_KIB)
#define DELAY_MAX_NS (15 * JOBQ_NS_PER_MIN)

/* ---- one job's bytes ----------------------------------------------------------------- */

static int refuse(struct enqueue_entry *entry, const struct jobq_error *why)
{
    entry->job->code = why->code;
    if (entry->request->err->code == JOBQ_OK)
        *entry->request->err = *why;
    return why->code;
}

static int check_sizes(const struct enqueuer *e, int64_t message_bytes,
                       int64_t encoded_bytes, struct jobq_error *err)
{
    const struct enqueuer_options *o = &e->options;
    bool must_fit = !e->b->store || o->payload_in == ENQUEUER_IN_MESSAGE;
    if (e->b->store && encoded_bytes > JOB_ROW_BYTES_MAX)
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

/* Checks and encodes a job; its id is given later. */
static int encode(struct enqueuer *e, struct enqueue_lane *lane,
                  struct enqueue_entry *entry, struct jobq_error *err)
{
    const struct enqueuer_job *job = entry->job;
    if (job->delay_ns < 0 || job->delay_ns > DELAY_MAX_NS)
        return jobq_fail(err, JOBQ_LIMIT, "delay is not in '0'..'15min'");
    struct job_pair *payload =
        arena_alloc(&lane->scratch, (size_t)job->pair_count * sizeof *payload);
    if (job_spec_read(job->pair, job->pair_count, payload, &entry->spec, err) < 0)
        return err->code;
    int64_t bytes = job_encoded_bytes(&entry->spec, &entry->phantom_bytes);
    int64_t id_bytes = e->queue_name.len + JOB_ID_SUFFIX + 1;
    if (check_sizes(e, id_bytes + bytes, bytes, err) < 0)
        return err->code;
    /* The id and a blank go before the encoded job: one buffer serves row and message. */
    char *text =
        arena_alloc(&lane->scratch, (size_t)(id_bytes + bytes - entry->phantom_bytes));
    entry->text = text;
    entry->encoded.ptr = text + id_bytes;
    entry->encoded.len = job_encode(&entry->spec, text + id_bytes);
    entry->message = (struct jobq_outgoing){.body = {text, id_bytes + entry->encoded.len},
                                            .phantom_bytes = entry->phantom_bytes,
                                            .delay_ns = job->delay_ns};
    bool store_only = e->b->store && (e->options.payload_in == ENQUEUER_IN_STORE ||
                                      id_bytes + bytes > e->options.message_max_bytes);
    if (store_only) {
        char *head = arena_alloc(&lane->scratch, (size_t)id_bytes + 64);
        int len = job_encode_stored(&entry->spec, head + id_bytes);
        entry->text = head;
        entry->message.body = (struct jobq_str){head, id_bytes + len};
        entry->message.phantom_bytes = 0;
    }
    entry->row_bytes = bytes;
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

static void build_row(struct enqueue_lane *lane, struct enqueue_entry *entry,
                      struct jobq_str enqueued_ms)
{
    int cap = 2 + (int)(entry->encoded.len / (JOB_PIECE_BYTES - 3)) + 1 +
              job_pieces(entry->phantom_bytes);
    struct jobq_attr *attr = arena_alloc(&lane->scratch, (size_t)cap * sizeof *attr);
    int count = 0;
    attr[count++] = (struct jobq_attr){STR("state"), STR("queued"), true};
    attr[count++] = (struct jobq_attr){STR("t"), enqueued_ms, true};
    struct jobq_str rest = entry->encoded;
    int64_t phantom = entry->phantom_bytes;
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
        attr[count++] = (struct jobq_attr){piece_name(&lane->scratch, i), piece, true};
    }
    entry->row.name = (struct jobq_str){entry->job->id, entry->job->id_bytes};
    entry->row.attr = attr;
    entry->row.attr_count = count;
}

/* ---- gathering ----------------------------------------------------------------------- */

static void next_job(struct enqueuer *e, struct enqueue_entry *entry)
{
    struct enqueue_request *request = e->first;
    *entry = (struct enqueue_entry){.request = request,
                                    .job = &request->job[request->taken++]};
    entry->job->code = JOBQ_OK;
    entry->job->id[0] = '\0';
    entry->job->id_bytes = 0;
    e->untaken--;
    if (request->taken == request->count) {
        e->first = request->next;
        if (!e->first)
            e->last = NULL;
    }
}

/* Takes and encodes; refused jobs keep their place in the lane and their code. */
static void gather(struct enqueuer *e, struct enqueue_lane *lane)
{
    int most = e->options.batch == JOBQ_BATCH_MAX ? ENQUEUE_LANE_MAX : e->options.batch;
    int64_t bytes = 0;
    while (lane->count < most && e->untaken > 0 && bytes < ROWS_BYTES_MAX) {
        struct enqueue_entry *entry = &lane->entry[lane->count++];
        struct jobq_error why;
        next_job(e, entry);
        if (encode(e, lane, entry, &why) < 0)
            refuse(entry, &why);
        else
            bytes += entry->row_bytes;
    }
}

/* The end of the call of rows that begins at `from`: as many as one call carries. */
static int rows_end(const struct enqueuer *e, const struct enqueue_lane *lane, int from)
{
    int most =
        e->options.batch == JOBQ_BATCH_MAX ? JOBQ_STORE_BATCH_MAX : e->options.batch;
    int64_t bytes = 0;
    int end = from, count = 0;
    for (; end < lane->count && count < most; end++) {
        if (lane->entry[end].job->code < 0)
            continue;
        bytes += lane->entry[end].row_bytes;
        if (count > 0 && bytes > ROWS_BYTES_MAX)
            break;
        count++;
    }
    return end;
}

/* Gives ids, and finishes rows and messages with them. Rows of one call go to one domain, the
 * next call's to the next. */
static void name_jobs(struct enqueuer *e, struct enqueue_lane *lane, int day)
{
    int64_t wall_ns = jobq_wall(e->b);
    char *ms = arena_alloc(&lane->scratch, 24);
    struct jobq_str enqueued_ms = {ms, text_write_int(ms, wall_ns / JOBQ_NS_PER_MS)};
    int shard = 0;
    lane->calls = 0;
    for (int i = 0; i < lane->count; i++) {
        struct enqueue_entry *entry = &lane->entry[i];
        if (e->b->store && (lane->calls == 0 || i == lane->call_end[lane->calls - 1])) {
            lane->call_end[lane->calls++] = rows_end(e, lane, i);
            shard = e->next_shard;
            e->next_shard = (e->next_shard + 1) % e->options.domains;
        }
        entry->shard = shard;
        if (entry->job->code < 0)
            continue;
        entry->job->id_bytes = job_ids_next(&e->ids, wall_ns, day, shard, entry->job->id);
        memcpy(entry->text, entry->job->id, (size_t)entry->job->id_bytes);
        entry->text[entry->job->id_bytes] = ' ';
        if (e->b->store)
            build_row(lane, entry, enqueued_ms);
    }
}

/* ---- rows ---------------------------------------------------------------------------- */

/* One call's rows: entries from..end - 1. */
static void rows(struct enqueuer *e, struct enqueue_lane *lane, int day, int from,
                 int end)
{
    struct enqueue_entry *of[JOBQ_STORE_BATCH_MAX];
    int count = 0, shard = lane->entry[from].shard;
    for (int i = from; i < end; i++)
        if (lane->entry[i].job->code == JOBQ_OK) {
            lane->item[count] = lane->entry[i].row;
            of[count++] = &lane->entry[i];
        }
    struct jobq_error why = {0};
    if (count == 0 || enqueue_store(e, day, shard, lane->item, count, &lane->deadline_ns,
                                    &why) == JOBQ_OK)
        return;
    /* One row that the service refuses refuses them all: find it. */
    bool alone = count == 1 || jobq_code_is_retryable(why.code);
    for (int i = 0; i < count; i++)
        if (alone ||
            enqueue_store(e, day, shard, &lane->item[i], 1, &lane->deadline_ns, &why) < 0)
            refuse(of[i], &why);
}

/* ---- messages ------------------------------------------------------------------------ */

void enqueue_send(struct enqueuer *e, const struct jobq_outgoing *message, int count,
                  const int64_t *deadline_ns, int *code, struct jobq_error *err)
{
    struct jobq_outgoing out[JOBQ_BATCH_MAX];
    struct jobq_entry_result result[JOBQ_BATCH_MAX];
    int of[JOBQ_BATCH_MAX];
    for (int i = 0; i < count; i++)
        code[i] = JOBQ_UNAVAILABLE; /* not sent yet */
    struct retry r;
    retry_init(&r, e->b, &RETRY_CALLS, deadline_ns);
    int worst;
    do {
        int left = 0;
        for (int i = 0; i < count; i++)
            if (jobq_code_is_retryable(code[i])) {
                out[left] = message[i];
                of[left++] = i;
            }
        e->counters.send_calls++;
        worst = jobq_queue_send(e->b, e->queue, out, left, result, err);
        for (int i = 0; i < left; i++) {
            code[of[i]] = worst < 0 ? worst : result[i].code;
        }
        for (int i = 0; worst == JOBQ_OK && i < left; i++)
            if (jobq_code_is_retryable(result[i].code))
                worst = jobq_fail(err, (enum jobq_code)result[i].code,
                                  "an entry of the batch failed");
            else if (result[i].code < 0)
                jobq_fail(err, (enum jobq_code)result[i].code,
                          "the queue refused a message");
    } while (worst < 0 && retry_again(&r, worst));
    e->counters.retries += r.tries;
}

/* A refused message must not leave its row; one that may have been sent keeps it. */
static void remove_row(struct enqueuer *e, const struct enqueue_entry *entry, int day)
{
    struct jobq_error err;
    struct jobq_expect unclaimed = {.name = STR("claim"), .exists = false};
    int domain = enqueue_domain(e, day, entry->shard, &err);
    int64_t deadline_ns = jobq_now(e->b) + e->options.retry_for_ns;
    struct retry r;
    retry_init(&r, e->b, &RETRY_CALLS, &deadline_ns);
    int code;
    do
        code =
            jobq_store_remove(e->b, domain, entry->row.name, NULL, 0, &unclaimed, &err);
    while (code < 0 && retry_again(&r, code));
}

static void send_group(struct enqueuer *e, struct enqueue_lane *lane,
                       struct enqueue_entry **of, int count, int day)
{
    int code[JOBQ_BATCH_MAX];
    struct jobq_error why = {0};
    for (int i = 0; i < count; i++)
        lane->out[i] = of[i]->message;
    enqueue_send(e, lane->out, count, &lane->deadline_ns, code, &why);
    for (int i = 0; i < count; i++) {
        if (code[i] == JOBQ_OK)
            continue;
        why.code = (enum jobq_code)code[i];
        refuse(of[i], &why);
        if (e->b->store && (code[i] == JOBQ_LIMIT || code[i] == JOBQ_INVALID))
            remove_row(e, of[i], day);
    }
}

static void messages(struct enqueuer *e, struct enqueue_lane *lane, int day)
{
    struct enqueue_entry *group[JOBQ_BATCH_MAX];
    int count = 0;
    int64_t bytes = 0;
    for (int i = 0; i < lane->count; i++) {
        struct enqueue_entry *entry = &lane->entry[i];
        if (entry->job->code < 0)
            continue;
        int64_t more = entry->message.body.len + entry->message.phantom_bytes;
        if (count == e->options.batch ||
            (count > 0 && bytes + more > e->options.message_max_bytes)) {
            send_group(e, lane, group, count, day);
            count = 0;
            bytes = 0;
        }
        group[count++] = entry;
        bytes += more;
    }
    if (count > 0)
        send_group(e, lane, group, count, day);
}

/* ---- the whole ----------------------------------------------------------------------- */

/* Notes every job of the lane that has come so far with an id. Returns the journal's
 * code. */
static int note(struct enqueuer *e, struct enqueue_lane *lane, char what,
                struct jobq_error *err)
{
    struct jobq_str record[ENQUEUE_LANE_MAX];
    int count = 0;
    if (!e->options.journal)
        return JOBQ_OK;
    for (int i = 0; i < lane->count; i++) {
        const struct enqueuer_job *job = lane->entry[i].job;
        if (job->code < 0)
            continue;
        char *line = arena_alloc(&lane->scratch, (size_t)job->id_bytes + 32);
        struct jobq_str id = {job->id, job->id_bytes};
        int len = enqueue_record_write(what, id, job->tag, line);
        record[count++] = (struct jobq_str){line, len};
    }
    return count ? e->options.journal->append(e->options.journal->ctx, record, count, err)
                 : JOBQ_OK;
}

void enqueue_batch(struct enqueuer *e, struct enqueue_lane *lane)
{
    gather(e, lane);
    int day = e->b->store ? job_day(jobq_wall(e->b), e->options.rotate_days) : 0;
    name_jobs(e, lane, day);
    lane->deadline_ns = jobq_now(e->b) + e->options.retry_for_ns;
    struct jobq_error why = {0};
    if (note(e, lane, 'b', &why) < 0) {
        /* Without its note a job could be lost in a crash: do not begin it. */
        for (int i = 0; i < lane->count; i++)
            if (lane->entry[i].job->code == JOBQ_OK)
                refuse(&lane->entry[i], &why);
        return;
    }
    for (int i = 0, from = 0; i < lane->calls; from = lane->call_end[i++])
        rows(e, lane, day, from, lane->call_end[i]);
    messages(e, lane, day);
    /* A lost 's' is harmless: recovery finds the row claimed or sends again. */
    note(e, lane, 's', &why);
}
