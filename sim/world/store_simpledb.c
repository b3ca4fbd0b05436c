/* store_simpledb.c - the store port over the SimpleDB model: a table is a domain.
 *
 * Room:     sim; see world.h. */
#include "sim/world/internal.h"

#include "sim/world/bytes.h"
#include "wire/simpledb/sdb_rows.h"

#include <string.h>

static struct world_proc *proc_of(struct jobq_store *port)
{
    return ((struct world_port_store *)port)->proc;
}

static int64_t now_of(const struct world_call *call)
{
    return kernel_now(call->proc->world->kernel);
}

static void answered(struct world_call *call, int code,
                     const struct simpledb_reply *reply, struct size_call bytes)
{
    call->code = code;
    *call->cost = (struct jobq_call_cost){.requests = 1,
                                          .http_status = reply->http_status,
                                          .box_usage_e10h = reply->box_usage_e10h,
                                          .bytes_out = bytes.out,
                                          .bytes_in = bytes.in};
}

/* ---- domains ---------------------------------------------------------------------- */

static int store_open(struct jobq_store *port, const struct jobq_table *table,
                      int *out_table, struct jobq_error *err)
{
    char name[SDB_DOMAIN_MAX + 1];
    int len = sdb_domain_write(table, name);
    int id =
        simpledb_domain(proc_of(port)->world->simpledb, (struct jobq_str){name, len});
    if (id < 0)
        return jobq_fail(err, JOBQ_INVALID, "'%s' is no domain name", name);
    *out_table = id;
    return JOBQ_OK;
}

enum admin { ADMIN_CREATE, ADMIN_DELETE, ADMIN_LIST, ADMIN_STATS };

struct admin_call {
    struct world_call call;
    enum admin what;
    int domain;
    /* of a list */
    struct jobq_str queue, *token;
    struct arena *arena;
    struct jobq_table *out;
    int cap, *out_all;
    int64_t *out_rows; /* of the statistics */
};

/* The queue's of a page of names. */
static int list_apply(struct admin_call *a, struct simpledb_reply *reply,
                      struct size_call *bytes)
{
    struct world *w = a->call.proc->world;
    struct jobq_str name[SDB_LIST_PAGE], token = {NULL, 0};
    int64_t asked = a->token->len, got_bytes = 0;
    int found = 0,
        count = simpledb_list_domains(w->simpledb, now_of(&a->call), *a->token,
                                      SDB_LIST_PAGE, name, &token, reply, a->call.err);
    for (int i = 0; i < count; i++) {
        got_bytes += name[i].len;
        if (found < a->cap && sdb_domain_read(name[i], a->queue, &a->out[found]))
            a->out[found++].queue = arena_str(a->arena, a->queue);
    }
    *bytes = size_list_domains(&w->params->client, asked, SDB_LIST_PAGE,
                               count > 0 ? count : 0, got_bytes, 0);
    if (count < 0)
        return count;
    *a->token = arena_str(a->arena, token);
    *a->out_all = count;
    return found;
}

static void admin_apply(void *ctx, uint64_t arg)
{
    (void)arg;
    struct admin_call *a = ctx;
    struct world *w = a->call.proc->world;
    const struct size_client *c = &w->params->client;
    struct simpledb_reply reply = {0};
    struct size_call bytes = {0, 0};
    struct simpledb_stats stats = {0};
    int code = JOBQ_OK;
    int64_t now_ns = now_of(&a->call);
    int64_t len =
        a->what == ADMIN_LIST ? 0 : simpledb_domain_name(w->simpledb, a->domain).len;
    switch (a->what) {
    case ADMIN_CREATE:
        code =
            simpledb_create_domain(w->simpledb, now_ns, a->domain, &reply, a->call.err);
        bytes = size_create_domain(c, len);
        break;
    case ADMIN_DELETE:
        code =
            simpledb_delete_domain(w->simpledb, now_ns, a->domain, &reply, a->call.err);
        bytes = size_delete_domain(c, len);
        break;
    case ADMIN_LIST:
        code = list_apply(a, &reply, &bytes);
        break;
    case ADMIN_STATS:
        code = simpledb_metadata(w->simpledb, now_ns, a->domain, &stats, &reply,
                                 a->call.err);
        *a->out_rows = stats.items;
        bytes = size_domain_stats(c, len);
        break;
    }
    answered(&a->call, code, &reply, bytes);
    world_reply(&a->call);
}

static int admin(struct jobq_store *port, struct admin_call *a)
{
    world_ask(proc_of(port), &a->call, admin_apply, WORLD_SDB_OTHER);
    return a->call.code;
}

static int store_make(struct jobq_store *port, int table, struct jobq_call_cost *cost,
                      struct jobq_error *err)
{
    struct admin_call a = {
        .call = {.cost = cost, .err = err}, .what = ADMIN_CREATE, .domain = table};
    return admin(port, &a);
}

static int store_drop(struct jobq_store *port, int table, struct jobq_call_cost *cost,
                      struct jobq_error *err)
{
    struct admin_call a = {
        .call = {.cost = cost, .err = err}, .what = ADMIN_DELETE, .domain = table};
    return admin(port, &a);
}

static int store_list(struct jobq_store *port, struct jobq_str queue,
                      struct jobq_str *next_token, struct arena *arena,
                      struct jobq_table *out, int cap, int *out_all,
                      struct jobq_call_cost *cost, struct jobq_error *err)
{
    struct admin_call a = {.call = {.cost = cost, .err = err},
                           .what = ADMIN_LIST,
                           .queue = queue,
                           .token = next_token,
                           .arena = arena,
                           .out = out,
                           .cap = cap,
                           .out_all = out_all};
    return admin(port, &a);
}

static int store_count(struct jobq_store *port, int table, int64_t *out_rows,
                       struct jobq_call_cost *cost, struct jobq_error *err)
{
    struct admin_call a = {.call = {.cost = cost, .err = err},
                           .what = ADMIN_STATS,
                           .domain = table,
                           .out_rows = out_rows};
    return admin(port, &a);
}

/* ---- without a call ----------------------------------------------------------------- */

bool world_rows_next(struct world *w, struct jobq_str queue, struct world_rows *at,
                     struct arena *arena, struct jobq_item *out)
{
    struct simpledb *db = w->simpledb;
    struct jobq_table table;
    if (w->options.dynamodb)
        return world_dynamodb_rows_next(w, queue, at, arena, out);
    for (; at->domain < simpledb_domain_count(db); at->domain++) {
        if (simpledb_domain_exists(db, at->domain) &&
            sdb_domain_read(simpledb_domain_name(db, at->domain), queue, &table) &&
            simpledb_next_row(db, at->domain, &at->cursor, arena, out))
            return true;
        at->cursor = (struct simpledb_cursor){0};
    }
    return false;
}

bool world_row(struct world *w, const struct jobq_table *table, struct jobq_str id,
               struct arena *arena, struct jobq_item *out)
{
    char name[SDB_DOMAIN_MAX + 1];
    struct simpledb_reply reply;
    struct jobq_error err;
    if (w->options.dynamodb)
        return world_dynamodb_row(w, table, id, arena, out);
    sdb_domain_write(table, name);
    int domain = simpledb_domain_find(w->simpledb, str_of(name));
    return domain >= 0 &&
           simpledb_get(w->simpledb, kernel_now(w->kernel), 0.5, domain, id, NULL, 0,
                        true, arena, out, &reply, &err) >= 0 &&
           out->attr_count > 0;
}

/* ---- writing ---------------------------------------------------------------------- */

struct write_call {
    struct world_call call;
    struct simpledb_put put; /* or a delete, which says the same */
};

static void put_apply(void *ctx, uint64_t arg)
{
    (void)arg;
    struct write_call *p = ctx;
    struct world *w = p->call.proc->world;
    struct simpledb_reply reply = {0};
    int code =
        simpledb_put_at(w->simpledb, now_of(&p->call), &p->put, &reply, p->call.err);
    world_watch_rows(w, code, &p->put.item, 1);
    answered(&p->call, code, &reply, world_bytes_put(w, &p->put));
    world_reply(&p->call);
}

/* The hint of a put is its row's place. */
static void put_prefetch(void *simpledb, uint64_t hint)
{
    simpledb_prefetch(simpledb, (int)(hint >> 32), (uint32_t)hint);
}

void world_store_prefetch(struct world *w)
{
    kernel_prefetch_for(w->kernel, put_apply, put_prefetch, w->simpledb);
    world_dynamodb_prefetch(w);
}

static void remove_apply(void *ctx, uint64_t arg)
{
    (void)arg;
    struct write_call *p = ctx;
    struct world *w = p->call.proc->world;
    const struct jobq_item *item = &p->put.item;
    struct simpledb_reply reply = {0};
    int code =
        simpledb_delete(w->simpledb, now_of(&p->call), p->put.domain, item->name,
                        item->attr, item->attr_count, p->put.expect, &reply, p->call.err);
    if (item->attr_count == 0)
        world_watch_rows(w, code, item, 1);
    answered(&p->call, code, &reply, world_bytes_delete(w, &p->put));
    world_reply(&p->call);
}

/* Field by field: gcc zeroes a struct of this size by `rep stos`, which takes longer to start
 * than the rest of the call. */
static int store_put(struct jobq_store *port, int domain, const struct jobq_item *item,
                     const struct jobq_expect *expect, struct jobq_met *met,
                     struct jobq_call_cost *cost, struct jobq_error *err)
{
    (void)met; /* SimpleDB does not show what a condition met */
    struct world_proc *proc = proc_of(port);
    struct write_call p;
    p.put.domain = domain;
    p.put.place = simpledb_place(proc->world->simpledb, domain, item->name);
    p.put.item = *item;
    p.put.expect = expect;
    p.call.cost = cost;
    p.call.err = err;
    uint64_t hint = p.put.place.tail < 0
                        ? UINT64_C(0xffffffff) << 32 /* no domain */
                        : (uint64_t)(uint32_t)domain << 32 | p.put.place.hash;
    world_ask_hinted(proc, &p.call, put_apply, WORLD_SDB_PUT, hint);
    return p.call.code;
}

static int store_remove(struct jobq_store *port, int domain, struct jobq_str item,
                        const struct jobq_expect *expect, struct jobq_call_cost *cost,
                        struct jobq_error *err)
{
    struct write_call p = {
        .call = {.cost = cost, .err = err},
        .put = {.domain = domain, .item = {.name = item}, .expect = expect}};
    world_ask(proc_of(port), &p.call, remove_apply, WORLD_SDB_PUT);
    return p.call.code;
}

struct batch_call {
    struct world_call call;
    int domain;
    const struct jobq_item *item;
    int item_count;
};

static void batch_apply(void *ctx, uint64_t arg)
{
    (void)arg;
    struct batch_call *b = ctx;
    struct world *w = b->call.proc->world;
    struct simpledb_reply reply = {0};
    int code = simpledb_put_batch(w->simpledb, now_of(&b->call), b->domain, b->item,
                                  b->item_count, &reply, b->call.err);
    world_watch_rows(w, code, b->item, b->item_count);
    answered(&b->call, code, &reply,
             world_bytes_put_batch(w, b->domain, b->item, b->item_count));
    world_reply(&b->call);
}

static int store_put_batch(struct jobq_store *port, int domain,
                           const struct jobq_item *item, int item_count,
                           struct jobq_call_cost *cost, struct jobq_error *err)
{
    struct batch_call b = {.call = {.cost = cost, .err = err},
                           .domain = domain,
                           .item = item,
                           .item_count = item_count};
    world_ask(proc_of(port), &b.call, batch_apply, WORLD_SDB_PUT);
    return b.call.code;
}

/* ---- reading ---------------------------------------------------------------------- */

struct get_call {
    struct world_call call;
    int domain;
    struct jobq_str item;
    const struct jobq_str *name;
    int name_count;
    bool consistent;
    struct arena *arena;
    struct jobq_item *out;
};

static void get_apply(void *ctx, uint64_t arg)
{
    (void)arg;
    struct get_call *g = ctx;
    struct world *w = g->call.proc->world;
    struct simpledb_reply reply = {0};
    int code = simpledb_get(w->simpledb, now_of(&g->call), dice_u(&g->call.proc->call),
                            g->domain, g->item, g->name, g->name_count, g->consistent,
                            g->arena, g->out, &reply, g->call.err);
    answered(&g->call, code, &reply,
             world_bytes_get(w, g->domain, g->item, g->name, g->name_count, g->consistent,
                             code < 0 ? NULL : g->out));
    world_reply(&g->call);
}

static int store_get(struct jobq_store *port, int domain, struct jobq_str item,
                     const struct jobq_str *name, int name_count, bool consistent,
                     struct arena *arena, struct jobq_item *out,
                     struct jobq_call_cost *cost, struct jobq_error *err)
{
    struct get_call g = {.call = {.cost = cost, .err = err},
                         .domain = domain,
                         .item = item,
                         .name = name,
                         .name_count = name_count,
                         .consistent = consistent,
                         .arena = arena,
                         .out = out};
    world_ask(proc_of(port), &g.call, get_apply, WORLD_SDB_GET);
    return g.call.code;
}

struct select_call {
    struct world_call call;
    struct jobq_str expression;
    bool consistent;
    struct jobq_str *next_token;
    struct arena *arena;
    struct jobq_item *out;
    int cap;
};

static void select_apply(void *ctx, uint64_t arg)
{
    (void)arg;
    struct select_call *s = ctx;
    struct world *w = s->call.proc->world;
    struct simpledb_reply reply = {0};
    struct simpledb_page page = {0};
    int64_t token = s->next_token->len;
    int code = simpledb_select(w->simpledb, now_of(&s->call), dice_u(&s->call.proc->call),
                               s->expression, *s->next_token, s->consistent, s->arena,
                               &page, &reply, s->call.err);
    if (code >= 0 && page.item_count > s->cap)
        code = jobq_fail(s->call.err, JOBQ_LIMIT,
                         "a page of %d rows exceeds the caller's '%d'", page.item_count,
                         s->cap);
    if (code >= 0) {
        if (page.item_count > 0)
            memcpy(s->out, page.item, (size_t)page.item_count * sizeof *s->out);
        *s->next_token = arena_str(s->arena, page.next_token);
        code = page.item_count;
    }
    answered(&s->call, code, &reply,
             world_bytes_select(w, s->expression, s->consistent, token, s->out,
                                code < 0 ? 0 : code, code < 0 ? 0 : page.next_token.len));
    world_reply(&s->call);
}

static int store_page(struct jobq_store *port, int table,
                      const struct jobq_filter *filter, const struct jobq_str *name,
                      int name_count, bool consistent, struct jobq_str *next_token,
                      struct arena *arena, struct jobq_item *out, int cap,
                      struct jobq_call_cost *cost, struct jobq_error *err)
{
    /* Not on the stack: the call may outlive its caller. */
    char *text = arena_alloc(arena, SDB_SELECT_MAX);
    struct jobq_str domain = simpledb_domain_name(proc_of(port)->world->simpledb, table);
    struct select_call s = {
        .call = {.cost = cost, .err = err},
        .expression = sdb_select_write(domain, filter, name, name_count, cap, text),
        .consistent = consistent,
        .next_token = next_token,
        .arena = arena,
        .out = out,
        .cap = cap};
    world_ask(proc_of(port), &s.call, select_apply, WORLD_SDB_SELECT);
    return s.call.code;
}

static void store_page_cost(struct jobq_store *port, int64_t rows,
                            struct jobq_call_cost *out)
{
    (void)port;
    sdb_page_cost(rows, out);
}

const struct jobq_store_ops world_simpledb_ops = {
    .name = "simpledb",
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
    .page_cost = store_page_cost,
};
