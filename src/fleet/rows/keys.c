/* keys.c - which job has a client's key? See rows.h.
 *
 * Room:     src/fleet, the product.
 *
 * One table a queue. Item = the key, attribute `job` = the id. It is no table of a day, because
 * a key must be found by who does not know the day. Ids begin with their time, so that old keys
 * are found by comparing. */
#include "fleet/rows/tables.h"

#include <assert.h>

#define JOB STR("job")

int rows_key_take(const struct rows *rows, struct jobq_str queue, struct jobq_str key,
                  struct jobq_str over, struct jobq_str id, struct jobq_error *err)
{
    assert(rows && rows->b && key.len > 0 && id.len > 0 && err);
    struct jobq_attr attr = {JOB, id, true};
    struct jobq_expect expect = {JOB, over, over.len > 0};
    return rows_side_put(rows, queue, JOBQ_DAY_KEYS, &(struct jobq_item){key, &attr, 1},
                         &expect, err);
}

int rows_key_read(const struct rows *rows, struct jobq_str queue, struct jobq_str key,
                  struct arena *arena, struct jobq_str *out_id, struct jobq_error *err)
{
    assert(rows && rows->b && arena && out_id && err);
    return rows_side_get(rows, queue, JOBQ_DAY_KEYS, key, JOB, arena, out_id, err);
}

int64_t rows_keys_forget(const struct rows *rows, struct jobq_str queue,
                         int64_t before_wall_ns, int64_t most, struct arena *arena,
                         struct jobq_error *err)
{
    char before[JOB_ID_MAX + 1];
    struct jobq_filter filter = {
        .name = JOB, .below = {before, job_id_floor(queue, before_wall_ns, before)}};
    return rows_side_forget(rows, queue, JOBQ_DAY_KEYS, &filter, most, arena, err);
}
