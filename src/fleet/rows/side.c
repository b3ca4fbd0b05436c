/* side.c - how are the rows of a queue read and written that are of no day? See rows.h.
 *
 * Room:     src/fleet, the product.
 *
 * One table a queue and kind (jobq/ports.h). Such a table is made by who first misses it, and
 * is never dropped: what is old in it goes row by row. */
#include "fleet/rows/tables.h"

#include <assert.h>

int rows_side_open(const struct rows *rows, struct jobq_str queue, int day, int *table,
                   struct jobq_error *err)
{
    struct jobq_table at = {queue, day, 0};
    return jobq_store_open(rows->b, &at, table, err);
}

int rows_side_put(const struct rows *rows, struct jobq_str queue, int day,
                  const struct jobq_item *item, const struct jobq_expect *expect,
                  struct jobq_error *err)
{
    int table, code = rows_side_open(rows, queue, day, &table, err);
    if (code == JOBQ_OK)
        code = jobq_store_put(rows->b, table, item, expect, NULL, err);
    if (code != JOBQ_NOT_FOUND)
        return code;
    code = jobq_store_make(rows->b, table, err);
    return code < 0 ? code : jobq_store_put(rows->b, table, item, expect, NULL, err);
}

int rows_side_get(const struct rows *rows, struct jobq_str queue, int day,
                  struct jobq_str row, struct jobq_str name, struct arena *arena,
                  struct jobq_str *out, struct jobq_error *err)
{
    struct jobq_item item = {.name = row};
    int table, code = rows_side_open(rows, queue, day, &table, err);
    *out = STR("");
    if (code == JOBQ_OK)
        code = jobq_store_get(rows->b, table, row, &name, 1, true, arena, &item, err);
    if (code == JOBQ_NOT_FOUND)
        return JOBQ_OK;
    if (code == JOBQ_OK && item.attr_count == 1 && item.attr[0].value.ptr)
        *out = item.attr[0].value;
    return code;
}

int rows_side_pages(const struct rows *rows, struct jobq_str queue, int day,
                    const struct jobq_filter *filter, int64_t most, struct arena *arena,
                    rows_side_fn *each, void *ctx, struct jobq_error *err)
{
    struct jobq_item *item = arena_alloc(arena, ROWS_PAGE * sizeof *item);
    struct jobq_str token = {0};
    int table, code = rows_side_open(rows, queue, day, &table, err);
    if (code < 0)
        return code;
    do {
        int count = jobq_store_page(rows->b, table, filter, &filter->name, 1, false,
                                    &token, arena, item, ROWS_PAGE, err);
        if (count == JOBQ_NOT_FOUND)
            return JOBQ_OK; /* nobody has written yet */
        if (count < 0)
            return count;
        for (int i = 0; i < count; i++)
            if (item[i].attr_count == 1 && item[i].attr[0].value.ptr)
                each(ctx, item[i].name, item[i].attr[0].value);
        most -= count;
    } while (token.len > 0 && most > 0);
    return JOBQ_OK;
}

struct forget {
    struct arena *arena;
    struct forgotten {
        struct forgotten *next;
        struct jobq_str row, value;
    } * first;
};

static void note_forgotten(void *ctx, struct jobq_str row, struct jobq_str value)
{
    struct forget *f = ctx;
    struct forgotten *one = arena_alloc(f->arena, sizeof *one);
    *one = (struct forgotten){f->first, arena_str(f->arena, row),
                              arena_str(f->arena, value)};
    f->first = one;
}

int64_t rows_side_forget(const struct rows *rows, struct jobq_str queue, int day,
                         const struct jobq_filter *filter, int64_t most,
                         struct arena *arena, struct jobq_error *err)
{
    struct forget f = {.arena = arena};
    int64_t count = 0;
    int table, code = rows_side_open(rows, queue, day, &table, err);
    if (code == JOBQ_OK)
        code = rows_side_pages(rows, queue, day, filter, most, arena, note_forgotten, &f,
                               err);
    for (struct forgotten *one = f.first; one && code >= 0; one = one->next) {
        /* Unless its owner has written again meanwhile. */
        struct jobq_expect expect = {filter->name, one->value, true};
        code = jobq_store_remove(rows->b, table, one->row, &expect, err);
        count += code == JOBQ_OK;
        code = code == JOBQ_CONFLICT ? JOBQ_OK : code;
    }
    return code < 0 ? code : count;
}
