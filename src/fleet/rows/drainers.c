/* drainers.c - what do drainers say of themselves, and whose turn is it? See rows.h.
 *
 * Room:     src/fleet, the product.
 *
 * One table a queue. Item = the drainer's id, attribute s = its line. The item TURN, with the
 * attribute `turn`, is no drainer's. */
#include "fleet/rows/tables.h"

#include <assert.h>

#define TURN STR("turn")

static int drainers_open(const struct rows *rows, struct jobq_str queue, int *table,
                         struct jobq_error *err)
{
    struct jobq_table at = {queue, JOBQ_DAY_DRAINERS, 0};
    return jobq_store_open(rows->b, &at, table, err);
}

static int drainers_put(const struct rows *rows, struct jobq_str queue,
                        const struct jobq_item *item, const struct jobq_expect *expect,
                        struct jobq_error *err)
{
    int table, code = drainers_open(rows, queue, &table, err);
    if (code == JOBQ_OK)
        code = jobq_store_put(rows->b, table, item, expect, NULL, err);
    if (code != JOBQ_NOT_FOUND)
        return code;
    code = jobq_store_make(rows->b, table, err);
    return code < 0 ? code : jobq_store_put(rows->b, table, item, expect, NULL, err);
}

int rows_drainer_put(const struct rows *rows, struct jobq_str queue,
                     struct jobq_str drainer, struct jobq_str line,
                     struct jobq_error *err)
{
    struct jobq_attr attr = {STR("s"), line, true};
    return drainers_put(rows, queue, &(struct jobq_item){drainer, &attr, 1}, NULL, err);
}

/* Calls each for the lines that `filter` lets through; not tried again. */
static int drainers_page(const struct rows *rows, struct jobq_str queue,
                         const struct jobq_filter *filter, struct arena *arena,
                         rows_drainer_fn *each, void *ctx, struct jobq_error *err)
{
    struct jobq_item *item = arena_alloc(arena, ROWS_PAGE * sizeof *item);
    struct jobq_str token = {0}, line = STR("s");
    int table, code = drainers_open(rows, queue, &table, err);
    if (code < 0)
        return code;
    do {
        int count = jobq_store_page(rows->b, table, filter, &line, 1, false, &token,
                                    arena, item, ROWS_PAGE, err);
        if (count == JOBQ_NOT_FOUND)
            return JOBQ_OK; /* no drainer has written yet */
        if (count < 0)
            return count;
        for (int i = 0; i < count; i++)
            if (item[i].attr_count == 1 && item[i].attr[0].value.ptr)
                each(ctx, item[i].name, item[i].attr[0].value);
    } while (token.len > 0);
    return JOBQ_OK;
}

int rows_drainers(const struct rows *rows, struct jobq_str queue, struct jobq_str after,
                  struct arena *arena, rows_drainer_fn *each, void *ctx,
                  struct jobq_error *err)
{
    assert(rows && rows->b && arena && each && err);
    struct jobq_filter filter = {.name = STR("s"), .above = after};
    return drainers_page(rows, queue, &filter, arena, each, ctx, err);
}

struct forget {
    struct arena *arena;
    struct forgotten {
        struct forgotten *next;
        struct jobq_str drainer, line;
    } * first;
};

static void note_forgotten(void *ctx, struct jobq_str drainer, struct jobq_str line)
{
    struct forget *f = ctx;
    struct forgotten *one = arena_alloc(f->arena, sizeof *one);
    *one = (struct forgotten){f->first, arena_str(f->arena, drainer),
                              arena_str(f->arena, line)};
    f->first = one;
}

int64_t rows_drainers_forget(const struct rows *rows, struct jobq_str queue,
                             struct jobq_str before, struct arena *arena,
                             struct jobq_error *err)
{
    struct forget f = {.arena = arena};
    struct jobq_filter filter = {.name = STR("s"), .below = before};
    int64_t count = 0;
    int table, code = drainers_open(rows, queue, &table, err);
    if (code == JOBQ_OK)
        code = drainers_page(rows, queue, &filter, arena, note_forgotten, &f, err);
    for (struct forgotten *one = f.first; one && code >= 0; one = one->next) {
        /* Unless the drainer has written again meanwhile. */
        struct jobq_expect expect = {STR("s"), one->line, true};
        code = jobq_store_remove(rows->b, table, one->drainer, &expect, err);
        count += code == JOBQ_OK;
        code = code == JOBQ_CONFLICT ? JOBQ_OK : code;
    }
    return code < 0 ? code : count;
}

/* ---- the turn -------------------------------------------------------------------------- */

int rows_turn_read(const struct rows *rows, struct jobq_str queue, struct arena *arena,
                   struct jobq_str *out, struct jobq_error *err)
{
    assert(rows && rows->b && arena && out && err);
    struct jobq_item item = {.name = TURN};
    struct jobq_str turn = TURN;
    int table, code = drainers_open(rows, queue, &table, err);
    *out = STR("");
    if (code == JOBQ_OK)
        code = jobq_store_get(rows->b, table, TURN, &turn, 1, true, arena, &item, err);
    if (code == JOBQ_NOT_FOUND)
        return JOBQ_OK;
    if (code == JOBQ_OK && item.attr_count == 1 && item.attr[0].value.ptr)
        *out = item.attr[0].value;
    return code;
}

int rows_turn_take(const struct rows *rows, struct jobq_str queue, struct jobq_str before,
                   struct jobq_str after, struct jobq_error *err)
{
    struct jobq_attr attr = {TURN, after, true};
    struct jobq_expect expect = {TURN, before, before.len > 0};
    return drainers_put(rows, queue, &(struct jobq_item){TURN, &attr, 1}, &expect, err);
}

int rows_may_write(struct jobq_backend *b, struct jobq_str queue, struct jobq_error *err)
{
    struct jobq_attr attr = {STR("s"), STR("never"), true};
    struct jobq_expect never = {STR("never"), STR("never"), true};
    struct rows rows = {.b = b};
    int table, code = drainers_open(&rows, queue, &table, err);
    if (code == JOBQ_OK)
        code = jobq_store_put(b, table, &(struct jobq_item){STR("never"), &attr, 1},
                              &never, NULL, err);
    return code == JOBQ_CONFLICT || code == JOBQ_NOT_FOUND ? JOBQ_OK : code;
}
