/* retry_one.c - another chance for one job, by its id. See dead_letters.h.
 *
 * Room:     src/fleet, the product.
 *
 * The row first, then a message: a crash between them leaves a queued row without one, which
 * housekeeping finds. The job's dead letter stays; a redrive finds that the job needs no
 * chance, and deletes it. */
#include "fleet/dead/dead_letters.h"

#include "base/arena.h"
#include "base/text.h"
#include "fleet/enqueue/queues.h"
#include "fleet/port/retry.h"
#include "fleet/port/scratch.h"
#include "fleet/rows/rows.h"
#include "jobq/units.h"

#include <assert.h>

enum { LOOKS_MAX = 8, MESSAGE_BYTES_MAX = 256 * 1024 };
#define RETRY_FOR_NS (30 * JOBQ_NS_PER_S)

/* A claim of nobody's, so that no attempt of before can report. */
static int put_queued(const struct rows *rows, int table, struct jobq_str id,
                      const struct job_row *row, struct jobq_error *err)
{
    char token[17];
    text_write_hex64(token, jobq_bits(rows->b));
    const struct rows_claim claim = {
        .over = row->claim, .state = JOB_QUEUED, .attempt = 0, .token = {token, 16}};
    return rows_claim(rows, table, id, &claim, err);
}

static int send_row(struct jobq_backend *b, const char *queue,
                    const struct jobq_item *item, struct arena *arena,
                    const int64_t *deadline_ns, struct jobq_error *err)
{
    const int64_t most[] = {MESSAGE_BYTES_MAX, 0};
    int handle, code = jobq_queue_open(b, queue, &handle, err);
    for (int i = 0; code >= 0 && i < 2; i++) {
        struct jobq_outgoing message;
        code = job_row_message(item, most[i], arena, &message, err);
        if (code == JOBQ_OK)
            code = queues_send(b, handle, &message, 1, deadline_ns, &code, NULL, err);
        if (code != JOBQ_LIMIT)
            break;
    }
    return code;
}

static int retry_one(const struct rows *rows, const char *queue, int table,
                     struct jobq_str id, struct arena *arena, struct jobq_error *err)
{
    for (int looks = 0; looks < LOOKS_MAX; looks++) {
        struct jobq_item item;
        struct job_row row;
        int code = rows_read(rows, table, id, ROWS_WHOLE, arena, &item, &row, err);
        if (code == JOBQ_NOT_FOUND || (code == JOBQ_OK && !row.exists))
            return jobq_fail(err, JOBQ_NOT_FOUND, "no job '%.*s'", (int)id.len, id.ptr);
        if (code < 0)
            return code;
        if (row.state != JOB_DEAD && row.state != JOB_FAILED)
            return jobq_fail(err, JOBQ_CONFLICT,
                             "the job is '%s', neither failed nor dead",
                             job_state_name(row.state));
        if (row.state == JOB_DEAD)
            code = put_queued(rows, table, id, &row, err);
        if (code == JOBQ_OK)
            return send_row(rows->b, queue, &item, arena, rows->deadline_at_ns, err);
        if (code != JOBQ_CONFLICT)
            return code;
    }
    return jobq_fail(err, JOBQ_CONFLICT, "the job changes too fast");
}

int dead_retry(struct jobq_backend *b, const char *queue, struct jobq_str id,
               struct jobq_error *err)
{
    assert(b && b->store && queue && err);
    struct job_id_parts parts;
    int64_t deadline_ns = jobq_now(b) + RETRY_FOR_NS;
    struct rows rows = {.b = b, .deadline_at_ns = &deadline_ns};
    int table = job_id_parse(id, &parts, err);
    if (table == JOBQ_OK && !str_is(parts.queue, queue))
        return jobq_fail(err, JOBQ_INVALID, "that job is of another queue");
    table = table < 0 ? table : rows_table(b, &parts, err);
    if (table < 0)
        return table;
    struct scratch *scratch = scratch_take(b);
    int code = retry_one(&rows, queue, table, id, &scratch->arena, err);
    scratch_give(b, scratch);
    return code;
}
