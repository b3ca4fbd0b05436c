/* repair.c - which rows wait for a message that cannot exist? See housekeeping.h.
 *
 * Room:     src/fleet, the product. */
#include "fleet/enqueue/queues.h"
#include "fleet/housekeeping/housekeeping.h"
#include "fleet/port/scratch.h"
#include "fleet/rows/rows.h"

#include "fiber/fiber.h"
#include "jobq/units.h"

#include <assert.h>

/* How long a call is tried again. */
static int64_t repair_deadline(const struct housekeeping *h)
{
    return jobq_now(h->b) + (h->brief ? 10 * JOBQ_NS_PER_S : 2 * JOBQ_NS_PER_MIN);
}
/* A row holds less than a message may, in any year; one that is refused goes without its
 * payload, which the drainer then reads from the row. */
#define MESSAGE_MAX_BYTES JOBQ_MIB

static bool is_stopped(const struct housekeeping *h)
{
    return h->stop && *h->stop;
}

/* Waits until the queue has been empty for a whole visibility timeout, which must begin by
 * until_ns. *since_wall_ns: rows of before then can have no message. */
static int wait_empty(const struct housekeeping *h, int64_t until_ns,
                      int64_t *since_wall_ns, struct jobq_error *err)
{
    int64_t since_ns = -1;
    struct jobq_queue_depth depth;
    if (h->empty_for_ns >= h->visibility_ns) {
        *since_wall_ns = jobq_wall(h->b) - h->empty_for_ns;
        return JOBQ_OK;
    }
    while (!is_stopped(h)) {
        int code = jobq_queue_depth(h->b, h->queue, &depth, err);
        if (code < 0 && !jobq_code_is_retryable(code))
            return code;
        int64_t now_ns = jobq_now(h->b);
        bool empty = code == JOBQ_OK && depth.visible == 0 && depth.in_flight == 0 &&
                     depth.delayed == 0;
        if (empty && h->brief) {
            *since_wall_ns = jobq_wall(h->b) - HOUSEKEEPING_HELD_NS;
            return JOBQ_OK;
        }
        if (!empty)
            since_ns = -1;
        else if (since_ns < 0) {
            since_ns = now_ns;
            *since_wall_ns = jobq_wall(h->b);
        } else if (now_ns - since_ns >= h->visibility_ns)
            return JOBQ_OK;
        int64_t step_ns = h->visibility_ns / 4;
        if (step_ns < JOBQ_NS_PER_S)
            step_ns = JOBQ_NS_PER_S;
        if (h->brief || (since_ns < 0 && now_ns + step_ns > until_ns))
            break;
        fiber_sleep_until(h->b->sched, now_ns + step_ns);
    }
    return jobq_fail(err, JOBQ_TIMEOUT, "queue '%.*s' is not empty",
                     (int)h->queue_name.len, h->queue_name.ptr);
}

static int send_for(const struct housekeeping *h, const struct jobq_item *item,
                    struct arena *arena, struct jobq_error *err)
{
    int64_t deadline_ns = repair_deadline(h);
    int64_t most[] = {MESSAGE_MAX_BYTES, 0};
    int code = JOBQ_OK;
    for (int i = 0; i < 2 && (i == 0 || code == JOBQ_LIMIT); i++) {
        struct jobq_outgoing message;
        code = job_row_message(item, most[i], arena, &message, err);
        if (code == JOBQ_OK)
            code =
                queues_send(h->b, h->queue, &message, 1, &deadline_ns, &code, NULL, err);
    }
    return code;
}

/* A running row without a message: nobody can take it over when its attempt is lost, and that
 * attempt, if it is alive, has been refused its heartbeat. Its claim is replaced, so that it
 * cannot report any more; it counts. CONFLICT: the row has changed. */
static int end_attempt(const struct housekeeping *h, const struct rows *rows,
                       struct jobq_str id, const struct job_row *row,
                       struct jobq_error *err)
{
    struct job_id_parts parts;
    int code = job_id_parse(id, &parts, err);
    int table = code < 0 ? code : rows_table(h->b, &parts, err);
    const struct rows_claim claim = {.over = row->claim,
                                     .state = JOB_QUEUED,
                                     .attempt = row->attempt,
                                     .token = row->token};
    return table < 0 ? table : rows_claim(rows, table, id, &claim, err);
}

/* Sends for a row. CONFLICT: it has changed, and needs nothing. */
static int repair_row(const struct housekeeping *h, const struct rows *rows,
                      const struct jobq_item *item, const struct job_row *row,
                      struct arena *arena, struct jobq_error *err)
{
    int code =
        row->state == JOB_RUNNING ? end_attempt(h, rows, item->name, row, err) : JOBQ_OK;
    return code < 0 ? code : send_for(h, item, arena, err);
}

/* Sends for the rows of a table that have not ended, and that were enqueued, or claimed if they
 * run, before before_wall_ns. */
static int repair_table(const struct housekeeping *h, const struct jobq_table *table,
                        int64_t before_wall_ns, struct housekeeping_done *done,
                        struct jobq_error *err)
{
    struct scratch *scratch = scratch_take(h->b);
    struct jobq_item *item = arena_alloc(&scratch->arena, ROWS_PAGE * sizeof *item);
    struct rows_pages pages;
    int code = JOBQ_OK;
    rows_pages_init(&pages, table, 1, ROWS_LIVE, ROWS_WHOLE, ROWS_PAGE);
    while (code == JOBQ_OK && !rows_pages_done(&pages) && !is_stopped(h)) {
        struct scratch *page = scratch_take(h->b);
        int64_t deadline_ns = repair_deadline(h);
        struct rows rows = {h->b, &deadline_ns, NULL};
        int count = rows_pages_next(&rows, &pages, &page->arena, item, err);
        code = count < 0 ? count : JOBQ_OK;
        for (int i = 0; i < count && code == JOBQ_OK; i++) {
            struct job_row row = {0};
            struct jobq_error why;
            int read = job_row_read(&item[i], &row, &why);
            int64_t since_ms =
                row.state == JOB_RUNNING ? row.started_ms : row.enqueued_ms;
            if (read == JOBQ_OK && since_ms >= before_wall_ns / JOBQ_NS_PER_MS)
                continue; /* its message may be about to come */
            done->waiting++;
            if (read == JOBQ_OK && !h->dry_run)
                code = repair_row(h, &rows, &item[i], &row, &page->arena, err);
            if (code == JOBQ_CONFLICT) {
                code = JOBQ_OK;
                continue;
            }
            if (read < 0 || code == JOBQ_CORRUPT) {
                done->unreadable++;
                code = JOBQ_OK;
            } else {
                done->sent += code == JOBQ_OK;
            }
        }
        scratch_give(h->b, page);
    }
    scratch_give(h->b, scratch);
    return code;
}

int housekeeping_repair(const struct housekeeping *h, int from_day, int64_t until_ns,
                        struct housekeeping_done *done, struct jobq_error *err)
{
    assert(h && h->b && h->b->store && from_day >= 0 && done && err);
    struct jobq_table *table;
    struct scratch *scratch = scratch_take(h->b);
    int64_t deadline_ns = repair_deadline(h), since_wall_ns = 0;
    struct rows rows = {h->b, &deadline_ns, NULL};
    int count =
        rows_list_tables(&rows, h->queue_name, &scratch->arena, &table, NULL, err);
    int code = count < 0 ? count : JOBQ_OK;
    int empty = code == JOBQ_OK ? wait_empty(h, until_ns, &since_wall_ns, err) : code;
    for (int i = 0; i < count && code == JOBQ_OK && !is_stopped(h); i++) {
        int64_t age_ns = jobq_wall(h->b) - (table[i].day + 1) * JOBQ_NS_PER_DAY;
        /* Where all days are in one place they are read together, when old ones are due. */
        bool all_days = table[i].day == JOBQ_DAY_ALL;
        bool no_message = !all_days && h->retention_ns > 0 &&
                          age_ns >= h->retention_ns + HOUSEKEEPING_HELD_NS;
        int day = all_days ? 0 : table[i].day;
        if (day < from_day || (day > 0 && age_ns >= h->keep_ns))
            continue;
        if (empty == JOBQ_OK || no_message)
            code = repair_table(h, &table[i],
                                empty == JOBQ_OK ? since_wall_ns : jobq_wall(h->b), done,
                                err);
    }
    scratch_give(h->b, scratch);
    return code < 0 ? code : empty;
}
