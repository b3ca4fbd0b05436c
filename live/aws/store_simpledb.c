/* store_simpledb.c - the store port by SimpleDB's Query protocol: a table is a domain.
 *
 * Room:     live. Callers: live/world/live.c.
 * Knows nothing of: the product's rows.
 * Blocks:   each call but open, on the calling fiber. */
#include "live/aws/aws.h"

#include "base/arena.h"
#include "wire/simpledb/sdb_rows.h"
#include "wire/simpledb/simpledb_calls.h"

#include <stdlib.h>

struct aws_store {
    struct jobq_store port; /* first */
    struct aws *aws;
    char **domain;
    int count;
};

static struct aws_store *self(struct jobq_store *s)
{
    return (struct aws_store *)s;
}

struct sdb_args {
    const char *action;
    struct jobq_str domain, row, expression, token;
    const struct jobq_attr *attr;
    const struct jobq_item *item;
    const struct jobq_expect *expect;
    const struct jobq_str *name;
    int attr_count, item_count, name_count;
    bool consistent;
    /* results */
    struct arena *arena;
    struct jobq_item *out;
    struct jobq_str *names, *next_token;
    struct sdb_stats *stats;
    int cap;
};

static int run(struct jobq_store *s, const char *action, struct sdb_args *args,
               void (*write)(const void *, struct text *, struct query *),
               int (*read)(void *, struct jobq_str, struct jobq_call_cost *,
                           struct jobq_error *),
               struct jobq_call_cost *cost, struct jobq_error *err)
{
    args->action = action;
    struct aws_call call = {.service = JOBQ_SIMPLEDB,
                            .action = action,
                            .write = write,
                            .args = args,
                            .read = read,
                            .out = args,
                            .wait_ns = -1};
    return aws_run(self(s)->aws, &call, cost, err);
}

static int name_domain(struct jobq_store *s, int domain, struct sdb_args *args,
                       struct jobq_error *err)
{
    if (domain < 0 || domain >= self(s)->count)
        return jobq_fail(err, JOBQ_INVALID, "no domain has the handle '%d'", domain);
    args->domain = str_of(self(s)->domain[domain]);
    return JOBQ_OK;
}

static int store_open(struct jobq_store *s, const struct jobq_table *table,
                      int *out_table, struct jobq_error *err)
{
    struct aws_store *a = self(s);
    char name[SDB_DOMAIN_MAX + 1];
    (void)err;
    sdb_domain_write(table, name);
    for (int i = 0; i < a->count; i++)
        if (strcmp(a->domain[i], name) == 0) {
            *out_table = i;
            return JOBQ_OK;
        }
    a->domain = xrealloc(a->domain, (size_t)(a->count + 1) * sizeof *a->domain);
    a->domain[a->count] = xstrdup(name);
    *out_table = a->count++;
    return JOBQ_OK;
}

static int read_done(void *out, struct jobq_str body, struct jobq_call_cost *cost,
                     struct jobq_error *err)
{
    (void)out;
    return sdb_wire_read_done(body, &cost->box_usage_e10h, err);
}

/* ---- domains --------------------------------------------------------------------------- */

static void write_domain(const void *args, struct text *body, struct query *query)
{
    const struct sdb_args *a = args;
    (void)body;
    sdb_wire_domain(query, a->action, a->domain);
}

static int store_make(struct jobq_store *s, int table, struct jobq_call_cost *cost,
                      struct jobq_error *err)
{
    struct sdb_args args = {0};
    int rc = name_domain(s, table, &args, err);
    return rc < 0 ? rc
                  : run(s, "CreateDomain", &args, write_domain, read_done, cost, err);
}

static int store_drop(struct jobq_store *s, int table, struct jobq_call_cost *cost,
                      struct jobq_error *err)
{
    struct sdb_args args = {0};
    int rc = name_domain(s, table, &args, err);
    return rc < 0 ? rc
                  : run(s, "DeleteDomain", &args, write_domain, read_done, cost, err);
}

static void write_list(const void *args, struct text *body, struct query *query)
{
    const struct sdb_args *a = args;
    (void)body;
    sdb_wire_list(query, a->cap, a->token);
}

static int read_list(void *out, struct jobq_str body, struct jobq_call_cost *cost,
                     struct jobq_error *err)
{
    struct sdb_args *a = out;
    return sdb_wire_read_list(body, a->arena, a->names, a->cap, a->next_token,
                              &cost->box_usage_e10h, err);
}

static int store_list(struct jobq_store *s, struct jobq_str queue,
                      struct jobq_str *next_token, struct arena *arena,
                      struct jobq_table *out, int cap, int *out_all,
                      struct jobq_call_cost *cost, struct jobq_error *err)
{
    struct jobq_str name[SDB_LIST_PAGE];
    struct sdb_args args = {.token = *next_token,
                            .arena = arena,
                            .names = name,
                            .next_token = next_token,
                            .cap = SDB_LIST_PAGE};
    int found = 0, got = run(s, "ListDomains", &args, write_list, read_list, cost, err);
    if (got < 0)
        return got;
    for (int i = 0; i < got && found < cap; i++)
        found += sdb_domain_read(name[i], queue, &out[found]);
    for (int i = 0; i < found; i++)
        out[i].queue = arena_str(arena, queue);
    *out_all = got;
    return found;
}

static int read_stats(void *out, struct jobq_str body, struct jobq_call_cost *cost,
                      struct jobq_error *err)
{
    struct sdb_args *a = out;
    return sdb_wire_read_stats(body, a->stats, &cost->box_usage_e10h, err);
}

static int store_count(struct jobq_store *s, int table, int64_t *out_rows,
                       struct jobq_call_cost *cost, struct jobq_error *err)
{
    struct sdb_stats stats = {0};
    struct sdb_args args = {.stats = &stats};
    int rc = name_domain(s, table, &args, err);
    if (rc < 0)
        return rc;
    rc = run(s, "DomainMetadata", &args, write_domain, read_stats, cost, err);
    *out_rows = stats.items;
    return rc;
}

/* ---- rows ------------------------------------------------------------------------------ */

static void write_put(const void *args, struct text *body, struct query *query)
{
    const struct sdb_args *a = args;
    (void)body;
    sdb_wire_put(query, a->domain, a->row, a->attr, a->attr_count, a->expect);
}

static int store_put(struct jobq_store *s, int domain, const struct jobq_item *item,
                     const struct jobq_expect *expect, struct jobq_met *met,
                     struct jobq_call_cost *cost, struct jobq_error *err)
{
    (void)met; /* SimpleDB does not show what a condition met */
    struct sdb_args args = {.row = item->name,
                            .attr = item->attr,
                            .attr_count = item->attr_count,
                            .expect = expect};
    int rc = name_domain(s, domain, &args, err);
    if (rc < 0)
        return rc;
    return run(s, "PutAttributes", &args, write_put, read_done, cost, err);
}

static void write_put_batch(const void *args, struct text *body, struct query *query)
{
    const struct sdb_args *a = args;
    (void)body;
    sdb_wire_put_batch(query, a->domain, a->item, a->item_count);
}

static int store_put_batch(struct jobq_store *s, int domain, const struct jobq_item *item,
                           int item_count, struct jobq_call_cost *cost,
                           struct jobq_error *err)
{
    struct sdb_args args = {.item = item, .item_count = item_count};
    int rc = name_domain(s, domain, &args, err);
    if (rc < 0)
        return rc;
    if (item_count < 1 || item_count > JOBQ_STORE_BATCH_MAX)
        return jobq_fail(err, JOBQ_LIMIT, "batch of '%d' rows is not 1 to 25",
                         item_count);
    return run(s, "BatchPutAttributes", &args, write_put_batch, read_done, cost, err);
}

static void write_get(const void *args, struct text *body, struct query *query)
{
    const struct sdb_args *a = args;
    (void)body;
    sdb_wire_get(query, a->domain, a->row, a->name, a->name_count, a->consistent);
}

static int read_get(void *out, struct jobq_str body, struct jobq_call_cost *cost,
                    struct jobq_error *err)
{
    struct sdb_args *a = out;
    return sdb_wire_read_get(body, a->row, a->arena, a->out, &cost->box_usage_e10h, err);
}

static int store_get(struct jobq_store *s, int domain, struct jobq_str item,
                     const struct jobq_str *name, int name_count, bool consistent,
                     struct arena *arena, struct jobq_item *out,
                     struct jobq_call_cost *cost, struct jobq_error *err)
{
    struct sdb_args args = {.row = item,
                            .name = name,
                            .name_count = name_count,
                            .consistent = consistent,
                            .arena = arena,
                            .out = out};
    int rc = name_domain(s, domain, &args, err);
    if (rc < 0)
        return rc;
    return run(s, "GetAttributes", &args, write_get, read_get, cost, err);
}

static void write_remove(const void *args, struct text *body, struct query *query)
{
    const struct sdb_args *a = args;
    (void)body;
    sdb_wire_remove(query, a->domain, a->row, a->attr, a->attr_count, a->expect);
}

static int store_remove(struct jobq_store *s, int domain, struct jobq_str item,
                        const struct jobq_expect *expect, struct jobq_call_cost *cost,
                        struct jobq_error *err)
{
    struct sdb_args args = {.row = item, .expect = expect};
    int rc = name_domain(s, domain, &args, err);
    if (rc < 0)
        return rc;
    return run(s, "DeleteAttributes", &args, write_remove, read_done, cost, err);
}

static void write_select(const void *args, struct text *body, struct query *query)
{
    const struct sdb_args *a = args;
    (void)body;
    sdb_wire_select(query, a->expression, a->consistent, a->token);
}

static int read_select(void *out, struct jobq_str body, struct jobq_call_cost *cost,
                       struct jobq_error *err)
{
    struct sdb_args *a = out;
    return sdb_wire_read_select(body, a->arena, a->out, a->cap, a->next_token,
                                &cost->box_usage_e10h, err);
}

static int store_page(struct jobq_store *s, int table, const struct jobq_filter *filter,
                      const struct jobq_str *name, int name_count, bool consistent,
                      struct jobq_str *next_token, struct arena *arena,
                      struct jobq_item *out, int cap, struct jobq_call_cost *cost,
                      struct jobq_error *err)
{
    struct sdb_args args = {.consistent = consistent,
                            .token = *next_token,
                            .next_token = next_token,
                            .arena = arena,
                            .out = out,
                            .cap = cap};
    int rc = name_domain(s, table, &args, err);
    if (rc < 0)
        return rc;
    char *text = arena_alloc(arena, SDB_SELECT_MAX);
    args.expression = sdb_select_write(args.domain, filter, name, name_count, cap, text);
    return run(s, "Select", &args, write_select, read_select, cost, err);
}

static void store_page_cost(struct jobq_store *s, int64_t rows,
                            struct jobq_call_cost *out)
{
    (void)s;
    sdb_page_cost(rows, out);
}

static const struct jobq_store_ops ops = {.name = "simpledb",
                                          .action = SDB_STORE_ACTIONS,
                                          .batch_max = JOBQ_STORE_BATCH_MAX,
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

struct jobq_store *aws_simpledb_new(struct aws *aws)
{
    struct aws_store *s = xcalloc(1, sizeof *s);
    s->port.ops = &ops;
    s->aws = aws;
    return &s->port;
}

void aws_simpledb_free(struct jobq_store *store)
{
    struct aws_store *s = self(store);
    for (int i = 0; i < s->count; i++)
        free(s->domain[i]);
    free(s->domain);
    free(s);
}
