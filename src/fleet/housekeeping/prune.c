/* prune.c - which days are past their keep? See housekeeping.h.
 *
 * Room:     src/fleet, the product. */
#include "fleet/housekeeping/housekeeping.h"

#include "fleet/enqueue/queues.h"
#include "fleet/port/scratch.h"
#include "fleet/rows/rows.h"
#include "jobq/units.h"

#include <assert.h>
#include <stdio.h>

/* How long a call is tried again. */
static int64_t prune_deadline(const struct housekeeping *h)
{
    return jobq_now(h->b) + (h->brief ? 10 * JOBQ_NS_PER_S : 2 * JOBQ_NS_PER_MIN);
}

int housekeeping_check_keep(int64_t keep_ns, int64_t retention_ns, struct jobq_error *err)
{
    char keep[32], least[32];
    int64_t least_ns = retention_ns + HOUSEKEEPING_HELD_NS;
    if (retention_ns == 0 || keep_ns > least_ns)
        return JOBQ_OK;
    return jobq_fail(err, JOBQ_INVALID,
                     "to keep rows for '%s' is not longer than '%s', the queue's "
                     "retention and the 12h that a message can be held",
                     jobq_format_duration(keep_ns, keep, sizeof keep),
                     jobq_format_duration(least_ns, least, sizeof least));
}

void housekeeping_keep_rows(struct jobq_backend *b, int64_t keep_ns)
{
    int64_t least_ns = QUEUES_RETENTION_NS + HOUSEKEEPING_HELD_NS;
    jobq_store_keep(b, keep_ns > least_ns ? keep_ns : keep_ns + least_ns);
}

static bool has_live_row(const struct rows *rows, const struct jobq_table *table,
                         struct arena *arena, int *code, struct jobq_error *err)
{
    struct rows_pages pages;
    struct jobq_item item[1];
    rows_pages_init(&pages, table, 1, ROWS_LIVE, ROWS_CLAIM, 1);
    int count = 0;
    while (count == 0 && !rows_pages_done(&pages)) {
        count = rows_pages_next(rows, &pages, arena, item, err);
        if (count < 0) {
            *code = count;
            return true;
        }
    }
    return count > 0;
}

static int prune_table(const struct housekeeping *h, const struct rows *rows,
                       const struct jobq_table *table, struct arena *arena,
                       struct housekeeping_done *done, struct jobq_error *err)
{
    int64_t age_ns = jobq_wall(h->b) - (table->day + 1) * JOBQ_NS_PER_DAY;
    int64_t last_ns = h->keep_ns + h->retention_ns + HOUSEKEEPING_HELD_NS;
    bool gone = h->retention_ns > 0 && age_ns >= last_ns;
    int code = JOBQ_OK;
    if (table->day <= 0 || age_ns < h->keep_ns)
        return JOBQ_OK;
    if (!gone && has_live_row(rows, table, arena, &code, err)) {
        done->kept += code == JOBQ_OK;
        return code;
    }
    if (!h->dry_run)
        code = rows_drop_table(rows, table, err);
    done->dropped += code == JOBQ_OK;
    return code;
}

/* Of drainers that were not seen for `keep`. */
static int prune_lines(const struct housekeeping *h, const struct rows *rows,
                       struct arena *arena, struct housekeeping_done *done,
                       struct jobq_error *err)
{
    char before[24];
    int64_t ms = (jobq_wall(h->b) - h->keep_ns) / JOBQ_NS_PER_MS;
    int len = snprintf(before, sizeof before, "%013lld", (long long)ms);
    int64_t forgotten = rows_drainers_forget(rows, h->queue_name,
                                             (struct jobq_str){before, len}, arena, err);
    done->forgotten = forgotten < 0 ? 0 : forgotten;
    return forgotten < 0 ? (int)forgotten : JOBQ_OK;
}

static int prune_keys(const struct housekeeping *h, const struct rows *rows,
                      struct arena *arena, struct housekeeping_done *done,
                      struct jobq_error *err)
{
    bool short_keep = h->retention_ns == 0 || h->keep_ns < h->retention_ns;
    int64_t before_ns = jobq_wall(h->b) - (short_keep ? h->keep_ns : h->retention_ns);
    int64_t freed = rows_keys_forget(rows, h->queue_name, before_ns,
                                     HOUSEKEEPING_KEYS_MAX, arena, err);
    done->freed = freed < 0 ? 0 : freed;
    return freed < 0 ? (int)freed : JOBQ_OK;
}

int housekeeping_prune(const struct housekeeping *h, struct housekeeping_done *done,
                       struct jobq_error *err)
{
    assert(h && h->b && h->b->store && done && err);
    struct jobq_table *table;
    struct scratch *scratch = scratch_take(h->b);
    int64_t deadline_ns = prune_deadline(h);
    struct rows rows = {h->b, &deadline_ns, NULL};
    int count = rows_list_tables(&rows, h->queue_name, &scratch->arena, &table,
                                 &done->all_tables, err);
    int code = count < 0 ? count : JOBQ_OK;
    done->tables = count < 0 ? 0 : count;
    for (int i = 0; i < count && code == JOBQ_OK && !(h->stop && *h->stop); i++) {
        deadline_ns = prune_deadline(h);
        code = prune_table(h, &rows, &table[i], &scratch->arena, done, err);
    }
    bool by_days = count <= 0 || table[0].day != JOBQ_DAY_ALL;
    deadline_ns = prune_deadline(h);
    if (code == JOBQ_OK && !h->dry_run)
        code = prune_lines(h, &rows, &scratch->arena, done, err);
    /* A store that keeps all days in one place drops each key by itself, as it does rows. */
    if (code == JOBQ_OK && !h->dry_run && by_days)
        code = prune_keys(h, &rows, &scratch->arena, done, err);
    scratch_give(h->b, scratch);
    return code;
}
