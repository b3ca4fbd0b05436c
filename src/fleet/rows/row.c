/* row.c - how is one row found, read and claimed? See rows.h.
 *
 * Room:     src/fleet, the product. */
#include "fleet/rows/tables.h"

#include <assert.h>
#include <string.h>

static const struct jobq_expect NO_CLAIM = {.name = {"claim", 5}, .value = {"", 0}};

static struct jobq_expect claim_is(struct jobq_str claim)
{
    return claim.len > 0 ? (struct jobq_expect){.name = STR("claim"),
                                                .value = claim,
                                                .exists = true}
                         : NO_CLAIM;
}

void rows_retry(const struct rows *rows, struct retry *r)
{
    retry_init(r, rows->b, &RETRY_CALLS, rows->deadline_at_ns);
}

void rows_retried(const struct rows *rows, const struct retry *r)
{
    if (rows->retries)
        *rows->retries += r->tries;
}

int rows_table(struct jobq_backend *b, const struct job_id_parts *id,
               struct jobq_error *err)
{
    assert(b && id && err);
    int table = -1;
    struct jobq_table at = {id->queue, id->day, id->shard};
    int code = jobq_store_open(b, &at, &table, err);
    return code < 0 ? code : table;
}

int rows_make_table(struct jobq_backend *b, const struct job_id_parts *id,
                    struct jobq_error *err)
{
    assert(b && id && err);
    int table = rows_table(b, id, err);
    return table < 0 ? table : jobq_store_make(b, table, err);
}

void rows_tables_init(struct rows_tables *tables, struct jobq_str queue)
{
    tables->queue = queue;
    tables->next = 0;
    for (int i = 0; i < ROWS_DAYS; i++)
        tables->of[i].day = -1;
}

int rows_tables_find(struct rows_tables *tables, struct jobq_backend *b,
                     const struct job_id_parts *id, struct jobq_error *err)
{
    /* An id may be another queue's, or name a shard that no enqueuer of ours writes to. */
    if (id->shard >= JOB_SHARDS_MAX || !str_eq(id->queue, tables->queue))
        return rows_table(b, id, err);
    int at = 0;
    while (at < ROWS_DAYS && tables->of[at].day != id->day)
        at++;
    if (at == ROWS_DAYS) {
        at = tables->next;
        tables->next = (tables->next + 1) % ROWS_DAYS;
        tables->of[at].day = id->day;
        for (int i = 0; i < JOB_SHARDS_MAX; i++)
            tables->of[at].table[i] = -1;
    }
    int *table = &tables->of[at].table[id->shard];
    if (*table < 0) {
        int found = rows_table(b, id, err);
        if (found < 0)
            return found;
        *table = found;
    }
    return *table;
}

static const struct jobq_str NAMES[] = {{"t", 1},     {"claim", 5},    {"run", 3},
                                        {"end", 3},   {"progress", 8}, {"tail0", 5},
                                        {"tail1", 5}, {"tail2", 5},    {"tail3", 5}};

int rows_names(enum rows_what what, const struct jobq_str **out)
{
    *out = NAMES;
    return what == ROWS_WHOLE   ? 0
           : what == ROWS_CLAIM ? 2
                                : (int)(sizeof NAMES / sizeof NAMES[0]);
}

int rows_read(const struct rows *rows, int table, struct jobq_str id, enum rows_what what,
              struct arena *arena, struct jobq_item *item, struct job_row *row,
              struct jobq_error *err)
{
    assert(rows && rows->b && item && row && err);
    const struct jobq_str *name;
    int names = rows_names(what, &name);
    struct retry r;
    int code;
    rows_retry(rows, &r);
    do {
        *item = (struct jobq_item){.name = id};
        code = jobq_store_get(rows->b, table, id, name, names, true, arena, item, err);
    } while (code < 0 && retry_again(&r, code));
    rows_retried(rows, &r);
    item->name = id;
    if (code < 0) {
        *row = (struct job_row){0};
        return code;
    }
    return job_row_read(item, row, err);
}

int rows_claim(const struct rows *rows, int table, struct jobq_str id,
               const struct rows_claim *claim, struct jobq_error *err)
{
    assert(rows && rows->b && claim && err);
    char value[JOB_CLAIM_MAX];
    struct jobq_attr attr[1 + ROWS_CLAIM_ATTRS];
    assert(claim->attr_count >= 0 && claim->attr_count <= ROWS_CLAIM_ATTRS);
    int len = job_claim_write(claim->state, claim->attempt, claim->token, value);
    attr[0] = (struct jobq_attr){STR("claim"), {value, len}, true};
    for (int i = 0; i < claim->attr_count; i++)
        attr[1 + i] = claim->attr[i];
    struct jobq_expect expect = claim_is(claim->over);
    const struct jobq_item item = {id, attr, 1 + claim->attr_count};
    return jobq_store_put(rows->b, table, &item, &expect, claim->met, err);
}

int rows_note(const struct rows *rows, int table, struct jobq_str id,
              struct jobq_str claim, const struct jobq_attr *attr, struct jobq_error *err)
{
    assert(rows && rows->b && attr && err);
    struct jobq_expect expect = claim_is(claim);
    return jobq_store_put(rows->b, table, &(struct jobq_item){id, attr, 1}, &expect, NULL,
                          err);
}

int rows_remove_unclaimed(const struct rows *rows, int table, struct jobq_str id,
                          struct jobq_error *err)
{
    assert(rows && rows->b && err);
    struct retry r;
    int code;
    rows_retry(rows, &r);
    do
        code = jobq_store_remove(rows->b, table, id, &NO_CLAIM, err);
    while (code < 0 && retry_again(&r, code));
    rows_retried(rows, &r);
    return code;
}
