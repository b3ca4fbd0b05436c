/* tables.c - which tables has a queue, and how are they counted and dropped? See rows.h.
 *
 * Room:     src/fleet, the product. */
#include "fleet/rows/tables.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* ---- names ----------------------------------------------------------------------------- */

int rows_table_write(struct jobq_str queue, int day, int shard, char *out)
{
    assert(queue.len <= JOBQ_QUEUE_NAME_MAX && shard >= 0 && shard < 1024 && day >= 0);
    memcpy(out, queue.ptr, (size_t)queue.len);
    char *p = out + queue.len;
    *p++ = '.';
    job_digits_write(p, (uint64_t)day, 3);
    job_digits_write(p + 3, (uint64_t)shard, 2);
    p[5] = '\0';
    return (int)queue.len + 6;
}

int rows_drainers_write(struct jobq_str queue, char *out)
{
    memcpy(out, queue.ptr, (size_t)queue.len);
    memcpy(out + queue.len, ".drainers", 10);
    return (int)queue.len + 9;
}

bool rows_table_read(struct jobq_str name, struct jobq_str queue, int *day, int *shard)
{
    uint64_t d, s;
    if (name.len != queue.len + 6 ||
        memcmp(name.ptr, queue.ptr, (size_t)queue.len) != 0 || name.ptr[queue.len] != '.')
        return false;
    const char *p = name.ptr + queue.len + 1;
    if (!job_digits_read(p, 3, &d) || !job_digits_read(p + 3, 2, &s))
        return false;
    *day = (int)d;
    *shard = (int)s;
    return true;
}

/* ---- the list -------------------------------------------------------------------------- */

static int by_day(const void *a, const void *b)
{
    const struct rows_table_name *x = a, *y = b;
    return x->day != y->day ? (x->day > y->day) - (x->day < y->day)
                            : (x->shard > y->shard) - (x->shard < y->shard);
}

static int list_page(const struct rows *rows, const char *after, struct arena *arena,
                     struct jobq_str *name, struct jobq_error *err)
{
    struct retry r;
    int count;
    rows_retry(rows, &r);
    do
        count = jobq_store_list_domains(rows->b, after, arena, name, ROWS_PAGE, err);
    while (count < 0 && retry_again(&r, count));
    rows_retried(rows, &r);
    return count;
}

int rows_list_tables(const struct rows *rows, struct jobq_str queue, struct arena *arena,
                     struct rows_table_name **out, int64_t *all_tables,
                     struct jobq_error *err)
{
    assert(rows && rows->b && arena && out && err);
    struct jobq_str *page = arena_alloc(arena, ROWS_PAGE * sizeof *page);
    struct rows_table_name *table = arena_alloc(arena, ROWS_TABLES_MAX * sizeof *table);
    const char *after = NULL;
    int count, found = 0;
    int64_t all = 0;
    do {
        count = list_page(rows, after, arena, page, err);
        if (count < 0)
            return count;
        all += count;
        for (int i = 0; i < count; i++) {
            struct rows_table_name t = {.name = page[i]};
            if (!rows_table_read(page[i], queue, &t.day, &t.shard))
                continue;
            if (found == ROWS_TABLES_MAX)
                return jobq_fail(err, JOBQ_LIMIT, "more than %d domains",
                                 ROWS_TABLES_MAX);
            table[found++] = t;
        }
        after = count > 0 ? page[count - 1].ptr : NULL;
    } while (count == ROWS_PAGE);
    qsort(table, (size_t)found, sizeof *table, by_day);
    *out = table;
    if (all_tables)
        *all_tables = all;
    return found;
}

int rows_count(const struct rows *rows, const struct rows_table_name *table,
               int64_t *out_rows, struct jobq_error *err)
{
    assert(rows && table && out_rows && err);
    struct jobq_domain_stats stats = {0};
    int handle, code = jobq_store_open(rows->b, table->name.ptr, &handle, err);
    struct retry r;
    if (code < 0)
        return code;
    rows_retry(rows, &r);
    do
        code = jobq_store_domain_stats(rows->b, handle, &stats, err);
    while (code < 0 && retry_again(&r, code));
    rows_retried(rows, &r);
    *out_rows = stats.items;
    return code;
}

int rows_drop_table(const struct rows *rows, const struct rows_table_name *table,
                    struct jobq_error *err)
{
    assert(rows && table && err);
    struct retry r;
    int code;
    rows_retry(rows, &r);
    do
        code = jobq_store_delete_domain(rows->b, table->name.ptr, err);
    while (code < 0 && retry_again(&r, code));
    rows_retried(rows, &r);
    return code;
}
