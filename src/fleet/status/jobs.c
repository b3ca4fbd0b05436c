/* jobs.c - what is the status of single jobs? See status.h.
 *
 * Room:     src/fleet, the product. */
#include "base/arena.h"
#include "base/text.h"
#include "fiber/fiber.h"
#include "fleet/port/retry.h"
#include "fleet/port/scratch.h"
#include "fleet/status/status.h"
#include "jobq/units.h"

#include <assert.h>
#include <string.h>

enum { LOOKS_MAX = 8 };
#define RETRY_FOR_NS (30 * JOBQ_NS_PER_S)
#define RESULT_PAUSE_MAX_NS (10 * JOBQ_NS_PER_S) /* grows by half: 15 s at most */

/* A row that its first claim or end made does not say it; the id does. */
static int64_t enqueued_ms(struct jobq_str id, const struct job_row *row)
{
    struct job_id_parts parts;
    struct jobq_error err;
    return row->enqueued_ms == 0 && job_id_parse(id, &parts, &err) == JOBQ_OK
               ? parts.created_ms
               : row->enqueued_ms;
}

static void fill(struct jobq_str id, const struct job_row *row, struct status_job *out)
{
    int64_t id_bytes = id.len <= JOB_ID_MAX ? id.len : JOB_ID_MAX;
    int64_t box_bytes = row->box.len < 24 ? row->box.len : 23;
    *out = (struct status_job){.state = row->state,
                               .attempt = row->attempt,
                               .enqueued_ms = enqueued_ms(id, row),
                               .started_ms = row->started_ms,
                               .finished_ms = row->finished_ms,
                               .exit_code = row->exit_code,
                               .wall_ns = row->wall_ns,
                               .cpu_ns = row->cpu_ns,
                               .progress = (int)row->progress};
    memcpy(out->id, id.ptr, (size_t)id_bytes);
    memcpy(out->box, row->box.ptr, (size_t)box_bytes);
    for (int i = 0; i < row->tail_count; i++) {
        /* A piece is at most 1,024 bytes: four fit. */
        struct jobq_str piece = row->tail[i];
        if (piece.len > JOB_PIECE_BYTES)
            piece.len = JOB_PIECE_BYTES;
        memcpy(out->tail + out->tail_bytes, piece.ptr, (size_t)piece.len);
        out->tail_bytes += (int)piece.len;
    }
    /* Where a piece ends an escape may be parted. Decoding never grows, so it may be done in
     * place. */
    out->tail_bytes =
        (int)job_unescape((struct jobq_str){out->tail, out->tail_bytes}, out->tail);
    out->tail[out->tail_bytes] = '\0';
    out->printed_bytes =
        row->printed_bytes > out->tail_bytes ? row->printed_bytes : out->tail_bytes;
}

/* A name that is no id of the queue's may hold any bytes, up to 1,024. */
static void fill_fault(struct jobq_str name, const struct jobq_error *why,
                       struct status_job *out)
{
    *out = (struct status_job){.progress = -1};
    text_escape(name.ptr, name.len, out->id, sizeof out->id);
    text_escape(why->text, (int64_t)strlen(why->text), out->fault, sizeof out->fault);
}

int64_t status_message_until_ms(const struct status_job *job, int64_t retention_ns)
{
    if (retention_ns <= 0 || job->fault[0] || job_state_is_final(job->state))
        return 0;
    return job->enqueued_ms + retention_ns / JOBQ_NS_PER_MS;
}

int64_t status_row_until_ms(const struct status_job *job, int64_t keep_ns)
{
    struct job_id_parts id;
    struct jobq_error ignored;
    if (job->fault[0] || !job_state_is_final(job->state) ||
        job_id_parse(str_of(job->id), &id, &ignored) < 0)
        return 0;
    return ((id.day + 1) * JOBQ_NS_PER_DAY + keep_ns) / JOBQ_NS_PER_MS;
}

static int jobs_table_of(struct jobq_backend *b, struct jobq_str id,
                         struct jobq_error *err)
{
    struct job_id_parts parts;
    return job_id_parse(id, &parts, err) < 0 ? err->code : rows_table(b, &parts, err);
}

/* Reads the row; strings live in arena. */
static int jobs_read_row(const struct rows *rows, int table, struct jobq_str id,
                         enum rows_what what, struct arena *arena, struct job_row *row,
                         struct jobq_error *err)
{
    struct jobq_item item;
    int code = rows_read(rows, table, id, what, arena, &item, row, err);
    if (code == JOBQ_NOT_FOUND || (code == JOBQ_OK && !row->exists)) {
        char shown[120];
        text_escape(id.ptr, id.len, shown, sizeof shown);
        return jobq_fail(err, JOBQ_NOT_FOUND, "job '%s' is not started or unknown",
                         shown);
    }
    return code;
}

int status_job(struct jobq_backend *b, struct jobq_str id, struct status_job *out,
               struct jobq_error *err)
{
    assert(b && b->store && out && err);
    struct job_row row;
    int64_t deadline_ns = jobq_now(b) + RETRY_FOR_NS;
    struct rows rows = {b, &deadline_ns, NULL};
    int table = jobs_table_of(b, id, err);
    if (table < 0)
        return table;
    struct scratch *scratch = scratch_take(b);
    int code = jobs_read_row(&rows, table, id, ROWS_SHOWN, &scratch->arena, &row, err);
    if (code == JOBQ_OK)
        fill(id, &row, out);
    scratch_give(b, scratch);
    return code;
}

int status_job_until(struct jobq_backend *b, struct jobq_str id, int64_t until_ns,
                     struct status_job *out, struct jobq_error *err)
{
    struct retry retry;
    int code;
    retry_init(&retry, b, &RETRY_CALLS, &until_ns);
    do
        code = status_job(b, id, out, err);
    while (code < 0 && retry_again(&retry, code));
    return code;
}

int status_result(struct jobq_backend *b, struct jobq_str id, int64_t wait_ns,
                  bool rows_late, struct status_job *out, struct jobq_error *err)
{
    assert(wait_ns >= 0);
    int64_t now_ns = jobq_now(b), pause_ns = JOBQ_NS_PER_S;
    int64_t until_ns = wait_ns < JOBQ_FOREVER - now_ns ? now_ns + wait_ns : JOBQ_FOREVER;
    for (;;) {
        int code = status_job_until(b, id, jobq_now(b) + RETRY_FOR_NS, out, err);
        if (code < 0 && !(rows_late && code == JOBQ_NOT_FOUND))
            return code;
        if (code == JOBQ_OK && job_state_is_final(out->state))
            return JOBQ_OK;
        now_ns = jobq_now(b);
        if (now_ns >= until_ns)
            return code < 0 ? code
                            : jobq_fail(err, JOBQ_TIMEOUT, "job has not ended: it is %s",
                                        job_state_name(out->state));
        fiber_sleep_until(b->sched,
                          pause_ns < until_ns - now_ns ? now_ns + pause_ns : until_ns);
        if (pause_ns < RESULT_PAUSE_MAX_NS)
            pause_ns += pause_ns / 2;
    }
}

int status_job_whole(struct jobq_backend *b, struct jobq_str id, struct arena *arena,
                     struct status_job *out, struct jobq_str *payload,
                     struct jobq_error *err)
{
    assert(b && b->store && arena && out && payload && err);
    struct job_row row;
    struct jobq_item item;
    struct job_id_parts parts;
    int64_t phantom = 0, deadline_ns = jobq_now(b) + RETRY_FOR_NS;
    struct rows rows = {b, &deadline_ns, NULL};
    if (job_id_parse(id, &parts, err) < 0)
        return err->code;
    int table = rows_table(b, &parts, err);
    if (table < 0)
        return table;
    int code = rows_read(&rows, table, id, ROWS_WHOLE, arena, &item, &row, err);
    if (code == JOBQ_NOT_FOUND || (code == JOBQ_OK && !row.exists))
        return jobq_fail(err, JOBQ_NOT_FOUND, "job '%.*s' is not started or unknown",
                         (int)id.len, id.ptr);
    if (code < 0)
        return code;
    fill(id, &row, out);
    *payload = row.piece_count ? job_row_encoded(&item, arena, &phantom) : STR("");
    return JOBQ_OK;
}

static int put_cancelled(const struct rows *rows, int table, struct jobq_str id,
                         const struct job_row *row, struct jobq_error *err)
{
    struct rows_claim claim = {.over = row->claim,
                               .state = JOB_CANCELLED,
                               .attempt = row->attempt,
                               .token = row->token.len > 0 ? row->token : STR("-")};
    if (claim.token.len > JOB_TOKEN_MAX) /* no claim of ours */
        claim.token.len = JOB_TOKEN_MAX;
    return rows_claim(rows, table, id, &claim, err);
}

static int cancel(const struct rows *rows, int table, struct jobq_str id,
                  struct arena *arena, enum job_state *out, struct jobq_error *err)
{
    struct job_row row;
    struct retry r;
    retry_init(&r, rows->b, &RETRY_CALLS, rows->deadline_at_ns);
    for (int looks = 0; looks < LOOKS_MAX; looks++) {
        int code = jobs_read_row(rows, table, id, ROWS_CLAIM, arena, &row, err);
        if (code < 0)
            return code;
        *out = row.state;
        if (row.state == JOB_CANCELLED)
            return JOBQ_OK; /* perhaps by a put of ours whose reply was lost */
        if (job_state_is_final(row.state))
            return jobq_fail(err, JOBQ_CONFLICT, "the job is '%s' already",
                             job_state_name(row.state));
        code = put_cancelled(rows, table, id, &row, err);
        if (code == JOBQ_OK) {
            *out = JOB_CANCELLED;
            rows->b->ledger->jobs[JOBQ_JOBS_CANCELLED]++;
            return JOBQ_OK;
        }
        if (code != JOBQ_CONFLICT && !retry_again(&r, code))
            return code;
    }
    return jobq_fail(err, JOBQ_CONFLICT, "the job changes too fast");
}

int status_cancel(struct jobq_backend *b, struct jobq_str id, enum job_state *out,
                  struct jobq_error *err)
{
    assert(b && b->store && out && err);
    int64_t deadline_ns = jobq_now(b) + RETRY_FOR_NS;
    struct rows rows = {b, &deadline_ns, NULL};
    int table = jobs_table_of(b, id, err);
    if (table < 0)
        return table;
    struct scratch *scratch = scratch_take(b);
    int code = cancel(&rows, table, id, &scratch->arena, out, err);
    scratch_give(b, scratch);
    return code;
}

/* ---- lists --------------------------------------------------------------------------- */

int status_list_start(struct jobq_backend *b, const char *queue, int state, int64_t limit,
                      struct arena *arena, struct status_list *list,
                      struct jobq_error *err)
{
    assert(b && b->store && queue && limit >= 0 && arena && list && err);
    if (job_queue_name_check(queue, err) < 0)
        return err->code;
    int64_t deadline_ns = jobq_now(b) + RETRY_FOR_NS;
    struct rows rows = {b, &deadline_ns, NULL};
    struct jobq_table *table;
    int count = rows_list_tables(&rows, str_of(arena_cstr(arena, queue)), arena, &table,
                                 NULL, err);
    if (count < 0)
        return count;
    *list = (struct status_list){.b = b, .left = limit, .state = state};
    rows_pages_init(&list->pages, table, count, state, ROWS_SHOWN, ROWS_PAGE);
    return JOBQ_OK;
}

int status_list_next(struct status_list *list, struct arena *arena,
                     struct status_job *out, int cap, struct jobq_error *err)
{
    assert(list && list->b && arena && out && cap >= 1 && cap <= ROWS_PAGE && err);
    struct jobq_item item[ROWS_PAGE];
    struct rows_pages *pages = &list->pages;
    if (cap > ROWS_PAGE)
        cap = ROWS_PAGE;
    if (!list->started)
        pages->page = cap < list->left ? cap : (int)list->left;
    list->started = true;
    assert(cap >= pages->page);
    int written = 0;
    while (written == 0 && list->left > 0 && !rows_pages_done(pages)) {
        int64_t deadline_ns = jobq_now(list->b) + RETRY_FOR_NS;
        struct rows rows = {list->b, &deadline_ns, NULL};
        int count = rows_pages_next(&rows, pages, arena, item, err);
        if (count < 0)
            return count;
        /* The last page may have more rows than asked for; drop them. */
        for (int i = 0; i < count && i < list->left; i++) {
            struct job_row row;
            struct job_id_parts parts;
            struct jobq_error why;
            int code = job_id_parse(item[i].name, &parts, &why);
            if (code == JOBQ_OK)
                code = job_row_read(&item[i], &row, &why);
            /* An item without any of the attributes that were asked for. */
            if (code == JOBQ_OK && !row.exists)
                code = jobq_fail(&why, JOBQ_CORRUPT, JOB_ROW_IS_NONE);
            if (code < 0)
                fill_fault(item[i].name, &why, &out[written++]);
            else
                fill(item[i].name, &row, &out[written++]);
        }
    }
    list->left -= written;
    return written;
}

int status_list_count(const struct status_list *list, int64_t *out_rows,
                      struct jobq_error *err)
{
    assert(list && list->b && out_rows && err);
    int64_t deadline_ns = jobq_now(list->b) + RETRY_FOR_NS;
    struct rows rows = {list->b, &deadline_ns, NULL};
    *out_rows = 0;
    for (int i = 0; i < list->pages.table_count; i++) {
        int64_t count;
        int code = rows_count(&rows, &list->pages.table[i], &count, err);
        if (code < 0 && code != JOBQ_NOT_FOUND)
            return code;
        *out_rows += code < 0 ? 0 : count;
    }
    return JOBQ_OK;
}
