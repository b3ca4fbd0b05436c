/* store.c - the store port by SimpleDB's Query protocol.
 *
 * Room:     live. Callers: live/world/live.c.
 * Knows nothing of: the product's rows.
 * Blocks:   each call but open, on the calling fiber. */
#include "live/aws/aws.h"

#include "base/arena.h"
#include "wire/simpledb/simpledb_calls.h"

#include <stdio.h>
#include <stdlib.h>

enum { LIST_PAGE = 100 };

struct aws_store {
    struct jobq_store port; /* first */
    struct aws *aws;
    char **domain;
    int count;
    /* SimpleDB's tokens are opaque, the port's paging is by name: the token of the page
     * that ended in `listed` is kept for the call that goes on from there. */
    char *listed, *list_token;
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
    struct jobq_domain_stats *stats;
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

static int store_open(struct jobq_store *s, const char *domain, int *out_domain,
                      struct jobq_error *err)
{
    struct aws_store *a = self(s);
    (void)err;
    for (int i = 0; i < a->count; i++)
        if (strcmp(a->domain[i], domain) == 0) {
            *out_domain = i;
            return JOBQ_OK;
        }
    a->domain = xrealloc(a->domain, (size_t)(a->count + 1) * sizeof *a->domain);
    a->domain[a->count] = xstrdup(domain);
    *out_domain = a->count++;
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

static int store_create_domain(struct jobq_store *s, const char *domain,
                               struct jobq_call_cost *cost, struct jobq_error *err)
{
    struct sdb_args args = {.domain = str_of(domain)};
    return run(s, "CreateDomain", &args, write_domain, read_done, cost, err);
}

static int store_delete_domain(struct jobq_store *s, const char *domain,
                               struct jobq_call_cost *cost, struct jobq_error *err)
{
    struct sdb_args args = {.domain = str_of(domain)};
    return run(s, "DeleteDomain", &args, write_domain, read_done, cost, err);
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

static void remember(struct aws_store *a, const char *last, struct jobq_str token)
{
    free(a->listed);
    free(a->list_token);
    a->listed = token.len ? xstrdup(last) : NULL;
    a->list_token = token.len ? xstrdup(token.ptr) : NULL;
}

static int store_list_domains(struct jobq_store *s, const char *after,
                              struct arena *arena, struct jobq_str *out, int cap,
                              struct jobq_call_cost *cost, struct jobq_error *err)
{
    struct aws_store *a = self(s);
    struct jobq_str next = {0}, token = STR("");
    bool resumes = after && a->listed && strcmp(a->listed, after) == 0;
    if (resumes)
        token = arena_str(arena, str_of(a->list_token));
    struct jobq_call_cost sum = {0};
    int page = cap < LIST_PAGE ? cap : LIST_PAGE, kept = 0;
    do {
        struct sdb_args args = {.token = token,
                                .arena = arena,
                                .names = out + kept,
                                .next_token = &next,
                                .cap = page};
        int got = run(s, "ListDomains", &args, write_list, read_list, cost, err);
        sum.bytes_in += cost->bytes_in;
        sum.bytes_out += cost->bytes_out;
        sum.requests += cost->requests;
        sum.box_usage_e10h += cost->box_usage_e10h;
        sum.http_status = cost->http_status;
        *cost = sum;
        if (got < 0)
            return got;
        int from = kept;
        for (int i = 0; i < got; i++)
            if (resumes || !after || str_cmp(out[from + i], str_of(after)) > 0)
                out[kept++] = out[from + i];
        token = next;
        /* A page that ends before `after` leads to the next one. */
    } while (kept == 0 && next.len);
    if (kept)
        remember(a, out[kept - 1].ptr, next);
    return kept;
}

static int read_stats(void *out, struct jobq_str body, struct jobq_call_cost *cost,
                      struct jobq_error *err)
{
    struct sdb_args *a = out;
    return sdb_wire_read_stats(body, a->stats, &cost->box_usage_e10h, err);
}

static int store_domain_stats(struct jobq_store *s, int domain,
                              struct jobq_domain_stats *out, struct jobq_call_cost *cost,
                              struct jobq_error *err)
{
    struct sdb_args args = {.stats = out};
    int rc = name_domain(s, domain, &args, err);
    if (rc < 0)
        return rc;
    return run(s, "DomainMetadata", &args, write_domain, read_stats, cost, err);
}

/* ---- rows ------------------------------------------------------------------------------ */

static void write_put(const void *args, struct text *body, struct query *query)
{
    const struct sdb_args *a = args;
    (void)body;
    sdb_wire_put(query, a->domain, a->row, a->attr, a->attr_count, a->expect);
}

static int store_put(struct jobq_store *s, int domain, const struct jobq_item *item,
                     const struct jobq_expect *expect, struct jobq_call_cost *cost,
                     struct jobq_error *err)
{
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
                        const struct jobq_attr *attr, int attr_count,
                        const struct jobq_expect *expect, struct jobq_call_cost *cost,
                        struct jobq_error *err)
{
    struct sdb_args args = {
        .row = item, .attr = attr, .attr_count = attr_count, .expect = expect};
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

static int store_select(struct jobq_store *s, struct jobq_str expression, bool consistent,
                        struct jobq_str *next_token, struct arena *arena,
                        struct jobq_item *out, int cap, struct jobq_call_cost *cost,
                        struct jobq_error *err)
{
    struct sdb_args args = {.expression = expression,
                            .consistent = consistent,
                            .token = *next_token,
                            .next_token = next_token,
                            .arena = arena,
                            .out = out,
                            .cap = cap};
    return run(s, "Select", &args, write_select, read_select, cost, err);
}

static const struct jobq_store_ops ops = {.name = "simpledb",
                                          .open = store_open,
                                          .create_domain = store_create_domain,
                                          .delete_domain = store_delete_domain,
                                          .list_domains = store_list_domains,
                                          .domain_stats = store_domain_stats,
                                          .put = store_put,
                                          .put_batch = store_put_batch,
                                          .get = store_get,
                                          .remove = store_remove,
                                          .select = store_select};

struct jobq_store *aws_store_new(struct aws *aws)
{
    struct aws_store *s = xcalloc(1, sizeof *s);
    s->port.ops = &ops;
    s->aws = aws;
    return &s->port;
}

void aws_store_free(struct jobq_store *store)
{
    struct aws_store *s = self(store);
    for (int i = 0; i < s->count; i++)
        free(s->domain[i]);
    free(s->domain);
    free(s->listed);
    free(s->list_token);
    free(s);
}
