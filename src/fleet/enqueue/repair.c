/* repair.c - which jobs were begun and not sent, and how are they sent now?
 *
 * Room:     src/fleet, the product; private to the enqueuer.
 *
 * The journal knows by itself what was begun and not sent. Without one, a row that is
 * still queued although the queue has shown empty for a whole visibility timeout has no
 * message: every message that existed would have been visible, in flight or delayed in
 * that time. */
#include "base/text.h"

#include "base/hash.h"
#include "fleet/enqueue/parts.h"
#include "jobq/units.h"

#include <assert.h>
#include <string.h>

enum { SELECT_ROWS = 100, BUCKETS = 4096, NOTES = 32 };

/* ---- sending a row's message again --------------------------------------------------- */

/* The message that the row's enqueuer would have sent. */
static int make_message(struct enqueuer *e, struct enqueue_lane *lane,
                        const struct jobq_item *row, struct jobq_outgoing *out,
                        struct jobq_error *err)
{
    int64_t phantom = 0;
    struct jobq_str encoded = job_row_encoded(row, &lane->scratch, &phantom);
    struct job_body body;
    if (job_encoded_read(encoded, phantom, &body, err) < 0)
        return jobq_fail(err, JOBQ_CORRUPT, "the row's payload is no job");
    char *text = arena_alloc(&lane->scratch, (size_t)(row->name.len + encoded.len) + 8);
    memcpy(text, row->name.ptr, (size_t)row->name.len);
    text[row->name.len] = ' ';
    *out = (struct jobq_outgoing){.phantom_bytes = phantom};
    char *rest = text + row->name.len + 1;
    int64_t bytes = row->name.len + 1 + encoded.len + phantom;
    int64_t rest_bytes = encoded.len;
    if (e->options.payload_in == ENQUEUER_IN_STORE ||
        bytes > e->options.message_max_bytes) {
        struct job_spec head = {.kind = body.kind, .number = body.number};
        rest_bytes = job_encode_stored(&head, rest);
        out->phantom_bytes = 0;
    } else {
        memcpy(rest, encoded.ptr, (size_t)encoded.len);
    }
    out->body = (struct jobq_str){text, row->name.len + 1 + rest_bytes};
    return JOBQ_OK;
}

static int send_again(struct enqueuer *e, struct enqueue_lane *lane,
                      struct jobq_outgoing *message, struct jobq_error *err)
{
    int code;
    lane->deadline_ns = jobq_now(e->b) + e->options.retry_for_ns;
    enqueue_send(e, message, 1, &lane->deadline_ns, &code, err);
    if (code == JOBQ_OK)
        e->counters.repaired++;
    return code;
}

/* ---- from the journal ---------------------------------------------------------------- */

struct begun {
    struct begun *next; /* of its bucket */
    struct jobq_str id;
    int64_t tag;
};

struct recovery {
    struct enqueuer *e;
    struct enqueue_lane *lane;
    struct begun *bucket[BUCKETS];
    struct begun *unused;
    void (*done)(void *ctx, int64_t tag);
    void *ctx;
    /* Ends that are yet to be noted: a note that is lost costs another look, and making
     * each last by itself would cost more than the looks. */
    char note[NOTES][JOB_ID_MAX + 32];
    struct jobq_str record[NOTES];
    int notes;
};

static struct begun **find(struct recovery *rec, struct jobq_str id)
{
    uint64_t h = hash_add(HASH_START, id.ptr, (size_t)id.len);
    struct begun **at = &rec->bucket[h % BUCKETS];
    while (*at && !str_eq((*at)->id, id))
        at = &(*at)->next;
    return at;
}

static int read_record(void *ctx, struct jobq_str text)
{
    struct recovery *rec = ctx;
    struct enqueuer_record record;
    if (!enqueuer_record_read(text, &record))
        return 0; /* a torn last line: it was never made to last */
    struct begun **at = find(rec, record.id);
    if (record.what == 'b' && !*at) {
        struct begun *begun = rec->unused;
        if (begun)
            rec->unused = begun->next;
        else
            begun = arena_alloc(rec->e->memory, sizeof *begun);
        *begun = (struct begun){.id = arena_str(&rec->lane->scratch, record.id),
                                .tag = record.tag};
        *at = begun;
    } else if (record.what != 'b' && *at) {
        struct begun *begun = *at;
        *at = begun->next;
        begun->next = rec->unused;
        rec->unused = begun;
        if (record.what == 's')
            rec->done(rec->ctx, record.tag);
    }
    return 0;
}

static int flush_notes(struct recovery *rec, struct jobq_error *err)
{
    const struct enqueuer_journal *journal = rec->e->options.journal;
    int count = rec->notes;
    rec->notes = 0;
    return count ? journal->append(journal->ctx, rec->record, count, err) : JOBQ_OK;
}

static int note_end(struct recovery *rec, const struct begun *begun, char what,
                    struct jobq_error *err)
{
    char *line = rec->note[rec->notes];
    int len = enqueue_record_write(what, begun->id, begun->tag, line);
    rec->record[rec->notes++] = (struct jobq_str){line, len};
    return rec->notes == NOTES ? flush_notes(rec, err) : JOBQ_OK;
}

static int read_row(struct enqueuer *e, struct enqueue_lane *lane, struct jobq_str id,
                    struct jobq_item *item, struct job_row *row, struct jobq_error *err)
{
    struct job_id_parts parts;
    if (job_id_parse(id, &parts, err) < 0)
        return err->code;
    int domain = enqueue_domain(e, parts.day, parts.shard, err);
    if (domain < 0)
        return domain;
    lane->deadline_ns = jobq_now(e->b) + e->options.retry_for_ns;
    struct retry r;
    retry_init(&r, e->b, &RETRY_CALLS, &lane->deadline_ns);
    int code;
    *item = (struct jobq_item){.name = id};
    do
        code = jobq_store_get(e->b, domain, id, NULL, 0, true, &lane->scratch, item, err);
    while (code < 0 && retry_again(&r, code));
    if (code == JOBQ_NOT_FOUND) { /* no domain: no row */
        item->attr_count = 0;
        code = JOBQ_OK;
    }
    item->name = id;
    return code < 0 ? code : job_row_read(item, row, err);
}

/* Returns 1 if the message was sent now, 0 if there was nothing to send, or an error:
 * CORRUPT if the row cannot be read. */
static int recover_one(struct recovery *rec, const struct begun *begun,
                       struct jobq_error *err)
{
    struct enqueuer *e = rec->e;
    struct enqueue_lane *lane = enqueue_lane_take(e);
    struct jobq_item item;
    struct job_row row = {0};
    struct jobq_outgoing message;
    int code = e->b->store ? read_row(e, lane, begun->id, &item, &row, err) : JOBQ_OK;
    bool unsent = code == JOBQ_OK && row.exists && row.claim.len == 0;
    if (unsent)
        code = make_message(e, lane, &item, &message, err);
    if (unsent && code == JOBQ_OK)
        code = send_again(e, lane, &message, err);
    enqueue_lane_give(e, lane);
    if (code == JOBQ_CORRUPT)
        e->counters.unreadable++;
    if (code < 0)
        return code;
    if (row.exists)
        rec->done(rec->ctx, begun->tag);
    code = note_end(rec, begun, row.exists ? 's' : 'x', err);
    return code < 0 ? code : unsent;
}

int64_t enqueuer_recover(struct enqueuer *e, void (*done)(void *ctx, int64_t tag),
                         void *ctx, struct jobq_error *err)
{
    const struct enqueuer_journal *journal = e->options.journal;
    assert(journal);
    struct recovery *rec = arena_zalloc(e->memory, sizeof *rec);
    rec->e = e;
    rec->lane = enqueue_lane_take(e);
    rec->done = done;
    rec->ctx = ctx;
    int64_t sent = 0;
    struct jobq_error unread = {0}; /* of the first row that cannot be read */
    int code = journal->load(journal->ctx, read_record, rec, err);
    for (int i = 0; i < BUCKETS && code >= 0; i++)
        for (struct begun *begun = rec->bucket[i]; begun && code >= 0;
             begun = begun->next) {
            code = recover_one(rec, begun, err);
            sent += code > 0;
            if (code != JOBQ_CORRUPT)
                continue;
            if (!unread.code) {
                jobq_wrap(err, "job '%.*s'", (int)begun->id.len, begun->id.ptr);
                unread = *err;
            }
            code = JOBQ_OK;
        }
    struct jobq_error ignored;
    int noted = flush_notes(rec, code < 0 ? &ignored : err);
    code = code < 0 ? code : noted;
    enqueue_lane_give(e, rec->lane);
    if (code >= 0 && unread.code) {
        *err = unread;
        code = unread.code;
    }
    return code < 0 ? code : sent;
}

/* ---- from the rows ------------------------------------------------------------------- */

/* Waits until the queue has been empty for a whole visibility timeout. */
static int wait_empty(struct enqueuer *e, int64_t until_ns, struct jobq_error *err)
{
    int64_t since_ns = -1;
    struct jobq_queue_depth depth;
    for (;;) {
        int code = jobq_queue_depth(e->b, e->queue, &depth, err);
        if (code < 0 && !jobq_code_is_retryable(code))
            return code;
        int64_t now_ns = jobq_now(e->b);
        bool empty = code == JOBQ_OK && depth.visible == 0 && depth.in_flight == 0 &&
                     depth.delayed == 0;
        if (!empty)
            since_ns = -1;
        else if (since_ns < 0)
            since_ns = now_ns;
        else if (now_ns - since_ns >= depth.visibility_ns)
            return JOBQ_OK;
        int64_t step_ns = code == JOBQ_OK ? depth.visibility_ns / 4 : 0;
        if (step_ns < JOBQ_NS_PER_S)
            step_ns = JOBQ_NS_PER_S;
        if (now_ns + step_ns > until_ns)
            return jobq_fail(err, JOBQ_TIMEOUT, "queue '%s' is not empty",
                             e->options.queue);
        fiber_sleep_until(e->b->sched, now_ns + step_ns);
    }
}

/* Sends for the queued rows of one domain. Returns how many. */
static int64_t repair_domain(struct enqueuer *e, struct jobq_str domain,
                             struct jobq_error *err)
{
    char expression[JOB_DOMAIN_MAX + 80];
    struct text query = {0};
    text_puts(&query, "select * from `");
    text_put_str(&query, domain);
    text_puts(&query, "` where claim is null limit 100");
    assert(query.len < sizeof expression);
    memcpy(expression, query.ptr, query.len);
    struct jobq_str select = {expression, (int64_t)query.len};
    text_release(&query);

    int64_t sent = 0;
    struct jobq_str token = {0};
    struct jobq_item *item = arena_alloc(e->memory, SELECT_ROWS * sizeof *item);
    for (;;) {
        struct enqueue_lane *lane = enqueue_lane_take(e);
        struct retry r;
        lane->deadline_ns = jobq_now(e->b) + e->options.retry_for_ns;
        retry_init(&r, e->b, &RETRY_CALLS, &lane->deadline_ns);
        int code;
        do
            code = jobq_store_select(e->b, select, true, &token, &lane->scratch, item,
                                     SELECT_ROWS, err);
        while (code < 0 && retry_again(&r, code));
        for (int i = 0, rows = code; code >= 0 && i < rows; i++) {
            struct job_row row;
            struct jobq_outgoing message;
            struct jobq_error why;
            if (job_row_read(&item[i], &row, &why) < 0 ||
                (!row.claim.len && make_message(e, lane, &item[i], &message, &why) < 0)) {
                e->counters.unreadable++;
                continue;
            }
            /* A row given back by a drainer is queued with a claim: its message exists.
             */
            if (row.claim.len > 0)
                continue;
            code = send_again(e, lane, &message, err);
            sent += code == JOBQ_OK;
        }
        token = arena_str(e->memory, token);
        enqueue_lane_give(e, lane);
        if (code < 0)
            return code;
        if (token.len == 0)
            return sent;
    }
}

/* Calls each(e, name, ctx) for every domain of the queue, until it returns negative. */
static int64_t each_domain(struct enqueuer *e,
                           int64_t (*each)(struct enqueuer *e, struct jobq_str domain,
                                           int day, int64_t ctx, struct jobq_error *err),
                           int64_t ctx, struct jobq_error *err)
{
    struct jobq_str name[SELECT_ROWS];
    const char *after = NULL;
    int64_t total = 0;
    for (;;) {
        int count =
            jobq_store_list_domains(e->b, after, e->memory, name, SELECT_ROWS, err);
        if (count < 0)
            return count;
        for (int i = 0; i < count; i++) {
            int day, shard;
            if (!job_domain_parse(name[i], e->queue_name, &day, &shard))
                continue;
            int64_t n = each(e, name[i], day, ctx, err);
            if (n < 0)
                return n;
            total += n;
        }
        if (count < SELECT_ROWS)
            return total;
        after = name[count - 1].ptr;
    }
}

static int64_t repair_each(struct enqueuer *e, struct jobq_str domain, int day,
                           int64_t ctx, struct jobq_error *err)
{
    (void)day;
    (void)ctx;
    return repair_domain(e, domain, err);
}

int64_t enqueuer_repair(struct enqueuer *e, int64_t until_ns, struct jobq_error *err)
{
    if (!e->b->store)
        return 0;
    int code = wait_empty(e, until_ns, err);
    return code < 0 ? code : each_domain(e, repair_each, 0, err);
}

static int64_t drop_each(struct enqueuer *e, struct jobq_str domain, int day,
                         int64_t before, struct jobq_error *err)
{
    if (day == 0 || day >= before)
        return 0;
    int code = jobq_store_delete_domain(e->b, domain.ptr, err);
    return code < 0 ? code : 1;
}

int64_t enqueuer_drop_old(struct enqueuer *e, int64_t keep_ns, struct jobq_error *err)
{
    if (!e->b->store)
        return 0;
    int rotate = e->options.rotate_days;
    /* Rows were added until rotate days after the day in the name. */
    int64_t before =
        (jobq_wall(e->b) - keep_ns) / JOBQ_NS_PER_DAY - (rotate > 1 ? rotate : 1);
    return each_domain(e, drop_each, before + 1, err);
}
