/* recover.c - which jobs were begun and not sent, by the journal, and how are they sent now?
 *
 * Room:     src/fleet, the product; private to the enqueuer. */
#include "base/hash.h"
#include "base/text.h"
#include "fleet/enqueue/parts.h"
#include "jobq/units.h"

#include <assert.h>
#include <string.h>

enum { BUCKETS = 4096, NOTES = 32 };

static int recover_send_again(struct enqueuer *e, struct enqueue_batch *batch,
                              const struct jobq_item *row, struct jobq_error *err)
{
    struct jobq_outgoing message;
    int code = enqueue_row_message(e, batch, row, &message, err);
    if (code < 0)
        return code;
    batch->deadline_ns = jobq_now(e->b) + e->options.retry_for_ns;
    return queues_send(e->b, e->queue, &message, 1, &batch->deadline_ns, &code, &e->sends,
                       err);
}

/* ---- from the journal ---------------------------------------------------------------- */

struct begun {
    struct begun *next; /* of its bucket */
    struct jobq_str id;
    int64_t tag;
};

struct recovery {
    struct enqueuer *e;
    struct enqueue_batch *batch;
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

static struct begun **recover_find(struct recovery *rec, struct jobq_str id)
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
    struct begun **at = recover_find(rec, record.id);
    if (record.what == 'b' && !*at) {
        struct begun *begun = rec->unused;
        if (begun)
            rec->unused = begun->next;
        else
            begun = arena_alloc(rec->e->memory, sizeof *begun);
        *begun = (struct begun){.id = arena_str(&rec->batch->scratch, record.id),
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

static int recover_read_row(struct enqueuer *e, struct enqueue_batch *batch,
                            struct jobq_str id, struct jobq_item *item,
                            struct job_row *row, struct jobq_error *err)
{
    struct job_id_parts parts;
    if (job_id_parse(id, &parts, err) < 0)
        return err->code;
    int table = rows_table(e->b, &parts, err);
    if (table < 0)
        return table;
    batch->deadline_ns = jobq_now(e->b) + e->options.retry_for_ns;
    struct rows rows = {e->b, &batch->deadline_ns, NULL};
    int code = rows_read(&rows, table, id, ROWS_WHOLE, &batch->scratch, item, row, err);
    return code == JOBQ_NOT_FOUND ? JOBQ_OK : code; /* no table: no row */
}

/* Returns 1 if the message was sent now, 0 if there was nothing to send, or an error:
 * CORRUPT if the row cannot be read. */
static int recover_one(struct recovery *rec, const struct begun *begun,
                       struct jobq_error *err)
{
    struct enqueuer *e = rec->e;
    struct enqueue_batch *batch = enqueue_batch_take(e);
    struct jobq_item item;
    struct job_row row = {0};
    int code = e->writes_rows ? recover_read_row(e, batch, begun->id, &item, &row, err)
                              : JOBQ_OK;
    bool unsent = code == JOBQ_OK && row.exists && row.claim.len == 0;
    if (unsent)
        code = recover_send_again(e, batch, &item, err);
    enqueue_batch_give(e, batch);
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
    assert(e && done && err);
    const struct enqueuer_journal *journal = e->options.journal;
    assert(journal);
    struct recovery *rec = arena_zalloc(e->memory, sizeof *rec);
    rec->e = e;
    rec->batch = enqueue_batch_take(e);
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
    enqueue_batch_give(e, rec->batch);
    if (code >= 0 && unread.code) {
        *err = unread;
        code = unread.code;
    }
    return code < 0 ? code : sent;
}
