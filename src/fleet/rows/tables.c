/* tables.c - which tables has a queue, and how are they counted and dropped? See rows.h.
 *
 * Room:     src/fleet, the product. */
#include "fleet/rows/tables.h"

#include <assert.h>
#include <stdlib.h>

/* ---- the list -------------------------------------------------------------------------- */

static int by_day(const void *a, const void *b)
{
    const struct jobq_table *x = a, *y = b;
    return x->day != y->day ? (x->day > y->day) - (x->day < y->day)
                            : (x->shard > y->shard) - (x->shard < y->shard);
}

static int list_page(const struct rows *rows, struct jobq_str queue,
                     struct jobq_str *token, struct arena *arena, struct jobq_table *out,
                     int *all, struct jobq_error *err)
{
    struct retry r;
    struct jobq_str next;
    int count;
    rows_retry(rows, &r);
    do {
        next = *token;
        count = jobq_store_list(rows->b, queue, &next, arena, out, ROWS_PAGE, all, err);
    } while (count < 0 && retry_again(&r, count));
    rows_retried(rows, &r);
    *token = next;
    return count;
}

int rows_list_tables(const struct rows *rows, struct jobq_str queue, struct arena *arena,
                     struct jobq_table **out, int64_t *all_tables, struct jobq_error *err)
{
    assert(rows && rows->b && arena && out && err);
    /* A page may be asked for when one less than the most is there. */
    struct jobq_table *table =
        arena_alloc(arena, (ROWS_TABLES_MAX + ROWS_PAGE) * sizeof *table);
    struct jobq_str token = STR("");
    int found = 0, on_page = 0;
    int64_t all = 0;
    do {
        int count = list_page(rows, queue, &token, arena, table + found, &on_page, err);
        if (count < 0)
            return count;
        all += on_page;
        found += count;
        if (found > ROWS_TABLES_MAX)
            return jobq_fail(err, JOBQ_LIMIT, "more than %d tables", ROWS_TABLES_MAX);
    } while (token.len > 0);
    qsort(table, (size_t)found, sizeof *table, by_day);
    *out = table;
    if (all_tables)
        *all_tables = all;
    return found;
}

int rows_count(const struct rows *rows, const struct jobq_table *table, int64_t *out_rows,
               struct jobq_error *err)
{
    assert(rows && table && out_rows && err);
    int handle, code = jobq_store_open(rows->b, table, &handle, err);
    struct retry r;
    if (code < 0)
        return code;
    rows_retry(rows, &r);
    do
        code = jobq_store_count(rows->b, handle, out_rows, err);
    while (code < 0 && retry_again(&r, code));
    rows_retried(rows, &r);
    return code;
}

int rows_drop_table(const struct rows *rows, const struct jobq_table *table,
                    struct jobq_error *err)
{
    assert(rows && table && err);
    struct retry r;
    int handle, code = jobq_store_open(rows->b, table, &handle, err);
    if (code < 0)
        return code;
    rows_retry(rows, &r);
    do
        code = jobq_store_drop(rows->b, handle, err);
    while (code < 0 && retry_again(&r, code));
    rows_retried(rows, &r);
    return code;
}
