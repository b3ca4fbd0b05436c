/* drainers.c - what do drainers say of themselves, and whose turn is it? See rows.h.
 *
 * Room:     src/fleet, the product.
 *
 * One table a queue. Item = the drainer's id, attribute s = its line. The item TURN, with the
 * attribute `turn`, is no drainer's. */
#include "fleet/rows/tables.h"

#include <assert.h>

#define TURN STR("turn")

int rows_drainer_put(const struct rows *rows, struct jobq_str queue,
                     struct jobq_str drainer, struct jobq_str line,
                     struct jobq_error *err)
{
    struct jobq_attr attr = {STR("s"), line, true};
    return rows_side_put(rows, queue, JOBQ_DAY_DRAINERS,
                         &(struct jobq_item){drainer, &attr, 1}, NULL, err);
}

int rows_drainers(const struct rows *rows, struct jobq_str queue, struct jobq_str after,
                  struct arena *arena, rows_side_fn *each, void *ctx,
                  struct jobq_error *err)
{
    assert(rows && rows->b && arena && each && err);
    struct jobq_filter filter = {.name = STR("s"), .above = after};
    return rows_side_pages(rows, queue, JOBQ_DAY_DRAINERS, &filter, JOBQ_FOREVER, arena,
                           each, ctx, err);
}

int64_t rows_drainers_forget(const struct rows *rows, struct jobq_str queue,
                             struct jobq_str before, struct arena *arena,
                             struct jobq_error *err)
{
    struct jobq_filter filter = {.name = STR("s"), .below = before};
    return rows_side_forget(rows, queue, JOBQ_DAY_DRAINERS, &filter, JOBQ_FOREVER, arena,
                            err);
}

/* ---- the turn -------------------------------------------------------------------------- */

int rows_turn_read(const struct rows *rows, struct jobq_str queue, struct arena *arena,
                   struct jobq_str *out, struct jobq_error *err)
{
    assert(rows && rows->b && arena && out && err);
    return rows_side_get(rows, queue, JOBQ_DAY_DRAINERS, TURN, TURN, arena, out, err);
}

int rows_turn_take(const struct rows *rows, struct jobq_str queue, struct jobq_str before,
                   struct jobq_str after, struct jobq_error *err)
{
    struct jobq_attr attr = {TURN, after, true};
    struct jobq_expect expect = {TURN, before, before.len > 0};
    return rows_side_put(rows, queue, JOBQ_DAY_DRAINERS,
                         &(struct jobq_item){TURN, &attr, 1}, &expect, err);
}

int rows_may_write(struct jobq_backend *b, struct jobq_str queue, struct jobq_error *err)
{
    struct jobq_attr attr = {STR("s"), STR("never"), true};
    struct jobq_expect never = {STR("never"), STR("never"), true};
    struct rows rows = {.b = b};
    int table, code = rows_side_open(&rows, queue, JOBQ_DAY_DRAINERS, &table, err);
    if (code == JOBQ_OK)
        code = jobq_store_put(b, table, &(struct jobq_item){STR("never"), &attr, 1},
                              &never, NULL, err);
    return code == JOBQ_CONFLICT || code == JOBQ_NOT_FOUND ? JOBQ_OK : code;
}
