/* store_dynamodb.c - the store port by DynamoDB's JSON protocol.
 *
 * Room:     live. Callers: live/world/live.c.
 * Knows nothing of: the product's rows.
 * Blocks:   each call but open, on the calling fiber. */
#include "live/aws/aws.h"

#include "base/arena.h"
#include "jobq/units.h"
#include "wire/dynamodb/ddb_bodies.h"

#include <assert.h>
#include <stdlib.h>

struct aws_store {
    struct jobq_store port; /* first */
    struct aws *aws;
    char **table;
    int count;
};

static struct aws_store *self(struct jobq_store *s)
{
    return (struct aws_store *)s;
}

/* Arguments and results of all calls; each uses what it needs. */
struct ddb_args {
    const char *action;
    struct jobq_str table, row, after;
    const struct jobq_item *item;
    const struct jobq_expect *expect;
    const struct jobq_filter *filter;
    const struct jobq_str *name;
    int64_t ttl_s;
    int name_count, cap;
    bool consistent;
    /* results */
    struct jobq_met *met;
    int64_t met_bytes; /* of the item that a condition met; -1: it was not shown */
    struct arena *arena;
    struct jobq_item *out;
    struct jobq_str next;
    int64_t rows;
};

typedef void ddb_write_fn(const void *args, struct text *body, struct query *query);
typedef int ddb_read_fn(void *out, struct jobq_str body, struct jobq_call_cost *cost,
                        struct jobq_error *err);

/* The item that a condition met: whose it is, and what the refused write cost. */
static void read_met(void *out, struct jobq_str body)
{
    struct ddb_args *a = out;
    struct arena own;
    struct jobq_item item = {.attr_count = 0};
    arena_init(&own, 0);
    struct arena *arena = a->met ? a->met->arena : &own;
    bool shown = ddb_wire_read_met(body, arena, &item);
    if (a->met && shown)
        *a->met = (struct jobq_met){arena, true, item};
    a->met_bytes = shown ? 0 : -1;
    for (int i = 0; shown && i < item.attr_count; i++)
        a->met_bytes += item.attr[i].name.len + item.attr[i].value.len;
    arena_release(&own);
}

static int run(struct jobq_store *s, const char *action, struct ddb_args *args,
               ddb_write_fn *write, ddb_read_fn *read, struct aws_call *call,
               struct jobq_call_cost *cost, struct jobq_error *err)
{
    struct aws_call own;
    call = call ? call : &own;
    *call = (struct aws_call){.service = JOBQ_DYNAMODB,
                              .action = action,
                              .write = write,
                              .args = args,
                              .read = read,
                              .read_refused = read_met,
                              .out = args,
                              .wait_ns = -1};
    args->met_bytes = -1;
    int rc = aws_run(self(s)->aws, call, cost, err);
    /* A refused condition consumes the write of what it met, and does not say so. */
    if (rc == JOBQ_CONFLICT && args->item) {
        int64_t bytes = args->met_bytes > 0 ? args->met_bytes + args->item->name.len : 1;
        cost->write_units = (double)((bytes + JOBQ_KIB - 1) / JOBQ_KIB);
    }
    return rc;
}

static int name_table(struct jobq_store *s, int table, struct ddb_args *args,
                      struct jobq_error *err)
{
    if (table < 0 || table >= self(s)->count)
        return jobq_fail(err, JOBQ_INVALID, "no table has the handle '%d'", table);
    args->table = str_of(self(s)->table[table]);
    return JOBQ_OK;
}

static int store_open(struct jobq_store *s, const struct jobq_table *table,
                      int *out_table, struct jobq_error *err)
{
    struct aws_store *a = self(s);
    char name[DDB_TABLE_MAX + 1];
    (void)err;
    ddb_table_write(table, name);
    for (int i = 0; i < a->count; i++)
        if (strcmp(a->table[i], name) == 0) {
            *out_table = i;
            return JOBQ_OK;
        }
    a->table = xrealloc(a->table, (size_t)(a->count + 1) * sizeof *a->table);
    a->table[a->count] = xstrdup(name);
    *out_table = a->count++;
    return JOBQ_OK;
}

/* ---- tables ---------------------------------------------------------------------------- */

static void write_create(const void *args, struct text *body, struct query *query)
{
    (void)query;
    ddb_wire_create(body, ((const struct ddb_args *)args)->table);
}

static void write_ttl(const void *args, struct text *body, struct query *query)
{
    (void)query;
    ddb_wire_set_ttl(body, ((const struct ddb_args *)args)->table);
}

static void write_table(const void *args, struct text *body, struct query *query)
{
    (void)query;
    ddb_wire_table(body, ((const struct ddb_args *)args)->table);
}

/* Time to live can only be turned on when the table is there, which takes seconds. */
static int store_make(struct jobq_store *s, int table, struct jobq_call_cost *cost,
                      struct jobq_error *err)
{
    struct ddb_args args = {0};
    struct aws_call call;
    struct jobq_call_cost first;
    int rc = name_table(s, table, &args, err);
    if (rc < 0)
        return rc;
    rc = run(s, "CreateTable", &args, write_create, NULL, &call, cost, err);
    first = *cost;
    if (rc < 0 && strcmp(call.error_code, "ResourceInUseException") != 0)
        return rc;
    rc = run(s, "UpdateTimeToLive", &args, write_ttl, NULL, &call, cost, err);
    cost->requests += first.requests;
    cost->bytes_out += first.bytes_out;
    cost->bytes_in += first.bytes_in;
    if (rc < 0 && strstr(call.error_message, "already enabled"))
        return JOBQ_OK;
    if (rc == JOBQ_NOT_FOUND || strcmp(call.error_code, "ResourceInUseException") == 0)
        return jobq_fail(err, JOBQ_UNAVAILABLE, "table '%s' is being made",
                         args.table.ptr);
    return rc;
}

static int store_drop(struct jobq_store *s, int table, struct jobq_call_cost *cost,
                      struct jobq_error *err)
{
    struct ddb_args args = {0};
    int rc = name_table(s, table, &args, err);
    if (rc < 0)
        return rc;
    rc = run(s, "DeleteTable", &args, write_table, NULL, NULL, cost, err);
    return rc == JOBQ_NOT_FOUND ? JOBQ_OK : rc;
}

static int read_count(void *out, struct jobq_str body, struct jobq_call_cost *cost,
                      struct jobq_error *err)
{
    (void)cost;
    return ddb_wire_read_count(body, &((struct ddb_args *)out)->rows, err);
}

static int store_count(struct jobq_store *s, int table, int64_t *out_rows,
                       struct jobq_call_cost *cost, struct jobq_error *err)
{
    struct ddb_args args = {0};
    int rc = name_table(s, table, &args, err);
    if (rc < 0)
        return rc;
    rc = run(s, "DescribeTable", &args, write_table, read_count, NULL, cost, err);
    *out_rows = args.rows;
    return rc;
}

static int store_list(struct jobq_store *s, struct jobq_str queue,
                      struct jobq_str *next_token, struct arena *arena,
                      struct jobq_table *out, int cap, int *out_all,
                      struct jobq_call_cost *cost, struct jobq_error *err)
{
    struct jobq_table jobs = {queue, JOBQ_DAY_ALL, 0};
    int table;
    int64_t rows;
    assert(cap >= 1);
    (void)cap;
    store_open(s, &jobs, &table, err);
    int rc = store_count(s, table, &rows, cost, err);
    *next_token = STR("");
    *out_all = rc == JOBQ_OK;
    if (rc < 0)
        return rc == JOBQ_NOT_FOUND ? 0 : rc;
    out[0] = jobs;
    out[0].queue = arena_str(arena, queue);
    return 1;
}

/* ---- rows ------------------------------------------------------------------------------ */

static int read_write(void *out, struct jobq_str body, struct jobq_call_cost *cost,
                      struct jobq_error *err)
{
    (void)out;
    return ddb_wire_read_write(body, cost, err);
}

static void write_update(const void *args, struct text *body, struct query *query)
{
    const struct ddb_args *a = args;
    (void)query;
    ddb_wire_update(body, a->table, a->item, a->ttl_s, a->expect);
}

static int store_put(struct jobq_store *s, int table, const struct jobq_item *item,
                     const struct jobq_expect *expect, struct jobq_met *met,
                     struct jobq_call_cost *cost, struct jobq_error *err)
{
    struct ddb_args args = {
        .item = item,
        .expect = expect,
        .met = met,
        .ttl_s = s->keep_ns ? (loop_wall_ns() + s->keep_ns) / JOBQ_NS_PER_S : 0};
    int rc = name_table(s, table, &args, err);
    if (rc < 0)
        return rc;
    return run(s, "UpdateItem", &args, write_update, read_write, NULL, cost, err);
}

static int store_put_batch(struct jobq_store *s, int table, const struct jobq_item *item,
                           int item_count, struct jobq_call_cost *cost,
                           struct jobq_error *err)
{
    assert(item_count == 1);
    (void)item_count;
    return store_put(s, table, item, NULL, NULL, cost, err);
}

static void write_get(const void *args, struct text *body, struct query *query)
{
    const struct ddb_args *a = args;
    (void)query;
    ddb_wire_get(body, a->table, a->row, a->name, a->name_count, a->consistent);
}

static int read_get(void *out, struct jobq_str body, struct jobq_call_cost *cost,
                    struct jobq_error *err)
{
    struct ddb_args *a = out;
    return ddb_wire_read_get(body, a->row, a->arena, a->out, cost, err);
}

static int store_get(struct jobq_store *s, int table, struct jobq_str row,
                     const struct jobq_str *name, int name_count, bool consistent,
                     struct arena *arena, struct jobq_item *out,
                     struct jobq_call_cost *cost, struct jobq_error *err)
{
    struct ddb_args args = {.row = row,
                            .name = name,
                            .name_count = name_count,
                            .consistent = consistent,
                            .arena = arena,
                            .out = out};
    int rc = name_table(s, table, &args, err);
    if (rc < 0)
        return rc;
    return run(s, "GetItem", &args, write_get, read_get, NULL, cost, err);
}

static void write_delete(const void *args, struct text *body, struct query *query)
{
    const struct ddb_args *a = args;
    (void)query;
    ddb_wire_delete(body, a->table, a->row, a->expect);
}

static int store_remove(struct jobq_store *s, int table, struct jobq_str row,
                        const struct jobq_expect *expect, struct jobq_call_cost *cost,
                        struct jobq_error *err)
{
    struct ddb_args args = {.row = row, .expect = expect};
    int rc = name_table(s, table, &args, err);
    if (rc < 0)
        return rc;
    return run(s, "DeleteItem", &args, write_delete, read_write, NULL, cost, err);
}

static void write_scan(const void *args, struct text *body, struct query *query)
{
    const struct ddb_args *a = args;
    (void)query;
    ddb_wire_scan(body, a->table, a->filter, a->name, a->name_count, a->consistent,
                  a->after, a->cap);
}

static int read_scan(void *out, struct jobq_str body, struct jobq_call_cost *cost,
                     struct jobq_error *err)
{
    struct ddb_args *a = out;
    return ddb_wire_read_scan(body, a->arena, a->out, a->cap, &a->next, cost, err);
}

static int store_page(struct jobq_store *s, int table, const struct jobq_filter *filter,
                      const struct jobq_str *name, int name_count, bool consistent,
                      struct jobq_str *next_token, struct arena *arena,
                      struct jobq_item *out, int cap, struct jobq_call_cost *cost,
                      struct jobq_error *err)
{
    struct ddb_args args = {.filter = filter,
                            .name = name,
                            .name_count = name_count,
                            .consistent = consistent,
                            .after = *next_token,
                            .next = STR(""),
                            .arena = arena,
                            .out = out,
                            .cap = cap};
    int rc = name_table(s, table, &args, err);
    if (rc < 0)
        return rc;
    rc = run(s, "Scan", &args, write_scan, read_scan, NULL, cost, err);
    if (rc >= 0)
        *next_token = args.next;
    return rc;
}

static void store_page_cost(struct jobq_store *s, int64_t rows,
                            struct jobq_call_cost *out)
{
    (void)s;
    ddb_page_cost(rows, out);
}

static const struct jobq_store_ops ops = {.name = "dynamodb",
                                          .action = DDB_STORE_ACTIONS,
                                          .batch_max = 1,
                                          .open = store_open,
                                          .make = store_make,
                                          .drop = store_drop,
                                          .list = store_list,
                                          .count = store_count,
                                          .put = store_put,
                                          .put_batch = store_put_batch,
                                          .get = store_get,
                                          .remove = store_remove,
                                          .page = store_page,
                                          .page_cost = store_page_cost};

struct jobq_store *aws_dynamodb_new(struct aws *aws)
{
    struct aws_store *s = xcalloc(1, sizeof *s);
    s->port.ops = &ops;
    s->aws = aws;
    return &s->port;
}

void aws_dynamodb_free(struct jobq_store *store)
{
    struct aws_store *s = self(store);
    for (int i = 0; i < s->count; i++)
        free(s->table[i]);
    free(s->table);
    free(s);
}
