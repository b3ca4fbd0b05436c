/* add.c - how do rows come into a table that may not be there? See rows.h.
 *
 * Room:     src/fleet, the product.
 * Blocks:   at store calls, and behind another fiber that asks about the same table.
 *
 * Nobody pays for a table that is there: the first write of a process into each is the
 * question, and the others wait for its answer. If the table is missing, the fiber that
 * asked makes it and tells the rest. So many that begin on a new queue together make each
 * table once, and only one write a table is refused. A table that is dropped later, under a
 * running process, is made again once, too. */
#include "fleet/rows/tables.h"

#include <assert.h>

void rows_adder_init(struct rows_adder *adder, struct jobq_backend *b,
                     struct jobq_str queue, bool create)
{
    *adder = (struct rows_adder){.b = b, .queue = queue, .create = create, .day = -1};
}

static struct rows_made *of_day(struct rows_adder *a, int day, int shard)
{
    assert(shard >= 0 && shard < JOB_SHARDS_MAX);
    if (day != a->day) {
        a->day = day;
        for (int i = 0; i < JOB_SHARDS_MAX; i++)
            a->made[i] = (struct rows_made){.table = -1};
    }
    return &a->made[shard];
}

static int add_table_of(struct rows_adder *a, int day, int shard, struct jobq_error *err)
{
    struct rows_made *made = of_day(a, day, shard);
    if (made->table < 0) {
        struct job_id_parts id = {.queue = a->queue, .day = day, .shard = shard};
        int table = rows_table(a->b, &id, err);
        if (table < 0)
            return table;
        made->table = table;
    }
    return made->table;
}

/* Waits while another fiber asks or makes. True: the caller is the one who asks. */
static bool enter(struct rows_adder *a, int day, int shard, int64_t deadline_ns)
{
    struct rows_made *d;
    while ((d = of_day(a, day, shard))->asked_now)
        if (fiber_cond_wait(a->b->sched, &a->answered, deadline_ns) == FIBER_TIMED_OUT)
            return false;
    if (d->answered)
        return false;
    d->asked_now = true;
    return true;
}

/* Any answer but NOT_FOUND lets the others go on: a throttle must not queue them up. */
static void leave(struct rows_adder *a, int day, int shard)
{
    if (day == a->day) {
        a->made[shard].asked_now = false;
        a->made[shard].answered = true;
    }
    fiber_cond_broadcast(&a->answered);
}

static int add_make(struct rows_adder *a, int day, int shard, const int64_t *deadline_ns,
                    struct jobq_error *err)
{
    struct retry r;
    struct jobq_error why;
    int code, room = 0, table = add_table_of(a, day, shard, err);
    if (table < 0)
        return table;
    do {
        retry_init(&r, a->b, &RETRY_CALLS, deadline_ns);
        do
            code = jobq_store_make(a->b, table, err);
        while (code < 0 && retry_again(&r, code));
        a->retries += r.tries;
    } while (code == JOBQ_LIMIT && room == 0 && a->make_room &&
             (room = a->make_room(a->room_ctx, &why)) > 0);
    if (code == JOBQ_OK && day == a->day)
        a->made[shard].makings++;
    if (code == JOBQ_LIMIT && room < 0)
        return jobq_wrap(err,
                         "no room for rows of today, and dropping old days failed "
                         "(%s): try jobq prune",
                         why.text);
    if (code == JOBQ_LIMIT)
        return jobq_wrap(err, "no room for rows of today: drainers drop days past their "
                              "keep, as does jobq prune");
    return code;
}

/* What is put: count rows, or one on a condition. */
struct addition {
    const struct jobq_item *item;
    int count;
    const struct jobq_expect *expect;
};

static int put(struct rows_adder *a, int table, const struct addition *what,
               struct jobq_error *err)
{
    a->calls++;
    return what->count == 1
               ? jobq_store_put(a->b, table, what->item, what->expect, NULL, err)
               : jobq_store_put_batch(a->b, table, what->item, what->count, err);
}

/* One put, and if the table is not there another behind its making. */
static int put_or_make(struct rows_adder *a, int day, int shard,
                       const struct addition *what, const int64_t *deadline_ns,
                       struct jobq_error *err)
{
    bool asks = enter(a, day, shard, *deadline_ns);
    int table = add_table_of(a, day, shard, err);
    int makings = of_day(a, day, shard)->makings;
    int code = table < 0 ? table : put(a, table, what, err);
    if (code == JOBQ_NOT_FOUND && table >= 0 && a->create) {
        if (!asks) {
            /* It was there, and was dropped: the first to see that makes it. */
            of_day(a, day, shard)->answered = false;
            asks = enter(a, day, shard, *deadline_ns);
        }
        code = makings == of_day(a, day, shard)->makings
                   ? add_make(a, day, shard, deadline_ns, err)
                   : JOBQ_OK;
        if (asks)
            leave(a, day, shard);
        return code < 0 ? code : put(a, table, what, err);
    }
    if (asks)
        leave(a, day, shard);
    return code;
}

static int add_until(struct rows_adder *a, int day, int shard,
                     const struct addition *what, const int64_t *deadline_ns,
                     struct jobq_error *err)
{
    struct retry r;
    retry_init(&r, a->b, &RETRY_CALLS, deadline_ns);
    int code;
    do
        code = put_or_make(a, day, shard, what, deadline_ns, err);
    while (code < 0 && retry_again(&r, code));
    a->retries += r.tries;
    return code;
}

int rows_add(struct rows_adder *a, int day, int shard, const struct jobq_item *item,
             int count, const int64_t *deadline_ns, struct jobq_error *err)
{
    assert(a && item && count >= 1 && count <= JOBQ_STORE_BATCH_MAX && deadline_ns &&
           err);
    return add_until(a, day, shard, &(struct addition){item, count, NULL}, deadline_ns,
                     err);
}

int rows_add_new(struct rows_adder *a, int day, int shard, const struct jobq_item *item,
                 const int64_t *deadline_ns, struct jobq_error *err)
{
    assert(a && item && deadline_ns && err);
    static const struct jobq_expect none = {.name = {"t", 1}, .value = {"", 0}};
    return add_until(a, day, shard, &(struct addition){item, 1, &none}, deadline_ns, err);
}

int rows_make_day(struct rows_adder *a, int day, int shards, struct jobq_error *err)
{
    assert(a && shards >= 1 && shards <= JOB_SHARDS_MAX && err);
    int code = JOBQ_OK;
    for (int shard = 0; shard < shards && code >= 0; shard++) {
        of_day(a, day, shard)->asked_now = true;
        code = add_make(a, day, shard, NULL, err);
        leave(a, day, shard);
    }
    return code;
}
