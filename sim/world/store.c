/* store.c - the store port over the SimpleDB model.
 *
 * Room:     sim; see world.h. */
#include "sim/world/internal.h"

#include "sim/world/bytes.h"

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

static int store_open(struct jobq_store *port, const char *domain, int *out_domain,
                      struct jobq_error *err)
{
    int id = simpledb_domain(proc_of(port)->world->simpledb, str_of(domain));
    if (id < 0)
        return jobq_fail(err, JOBQ_INVALID, "'%s' is no domain name", domain);
    *out_domain = id;
    return JOBQ_OK;
}

enum admin { ADMIN_CREATE, ADMIN_DELETE, ADMIN_LIST, ADMIN_STATS };

struct admin_call {
    struct world_call call;
    enum admin what;
    int domain, cap;
    const char *name; /* or the name to list after; NULL: none */
    struct arena *arena;
    struct jobq_str *out_names;
    struct jobq_domain_stats *out_stats;
};

static int list_apply(struct admin_call *a, struct simpledb_reply *reply)
{
    struct world *w = a->call.proc->world;
    struct jobq_str after = a->name ? str_of(a->name) : (struct jobq_str){NULL, 0}, token;
    int count = simpledb_list_domains(w->simpledb, now_of(&a->call), after,
                                      a->cap < 100 ? a->cap : 100, a->out_names, &token,
                                      reply, a->call.err);
    for (int i = 0; i < count; i++)
        a->out_names[i] = arena_str(a->arena, a->out_names[i]);
    return count;
}

static struct size_call admin_bytes(const struct admin_call *a, int domain, int code)
{
    const struct world *w = a->call.proc->world;
    const struct size_client *c = &w->params->client;
    int64_t name = domain >= 0 ? simpledb_domain_name(w->simpledb, domain).len : 1;
    int64_t got_bytes = 0;
    switch (a->what) {
    case ADMIN_CREATE:
        return size_create_domain(c, name);
    case ADMIN_DELETE:
        return size_delete_domain(c, name);
    case ADMIN_LIST:
        for (int i = 0; i < code; i++)
            got_bytes += a->out_names[i].len;
        return size_list_domains(c, a->name ? str_of(a->name).len : 0, a->cap,
                                 code > 0 ? code : 0, got_bytes, 0);
    case ADMIN_STATS:
        return size_domain_stats(c, name);
    }
    return (struct size_call){0, 0};
}

static void admin_apply(void *ctx, uint64_t arg)
{
    (void)arg;
    struct admin_call *a = ctx;
    struct world *w = a->call.proc->world;
    struct simpledb_reply reply = {0};
    int code = JOBQ_OK;
    int domain = a->what == ADMIN_CREATE || a->what == ADMIN_DELETE
                     ? simpledb_domain(w->simpledb, str_of(a->name))
                 : a->what == ADMIN_STATS ? a->domain
                                          : -1;
    switch (a->what) {
    case ADMIN_CREATE:
        code = simpledb_create_domain(w->simpledb, now_of(&a->call), domain, &reply,
                                      a->call.err);
        break;
    case ADMIN_DELETE:
        code = simpledb_delete_domain(w->simpledb, now_of(&a->call), domain, &reply,
                                      a->call.err);
        break;
    case ADMIN_LIST:
        code = list_apply(a, &reply);
        break;
    case ADMIN_STATS:
        code = simpledb_metadata(w->simpledb, now_of(&a->call), domain, a->out_stats,
                                 &reply, a->call.err);
        break;
    }
    answered(&a->call, code, &reply, admin_bytes(a, domain, code));
    world_reply(&a->call);
}

static int admin(struct jobq_store *port, struct admin_call *a)
{
    world_ask(proc_of(port), &a->call, admin_apply, WORLD_SDB_OTHER);
    return a->call.code;
}

static int store_create_domain(struct jobq_store *port, const char *domain,
                               struct jobq_call_cost *cost, struct jobq_error *err)
{
    struct admin_call a = {
        .call = {.cost = cost, .err = err}, .what = ADMIN_CREATE, .name = domain};
    return admin(port, &a);
}

static int store_delete_domain(struct jobq_store *port, const char *domain,
                               struct jobq_call_cost *cost, struct jobq_error *err)
{
    struct admin_call a = {
        .call = {.cost = cost, .err = err}, .what = ADMIN_DELETE, .name = domain};
    return admin(port, &a);
}

static int store_list_domains(struct jobq_store *port, const char *after,
                              struct arena *arena, struct jobq_str *out, int cap,
                              struct jobq_call_cost *cost, struct jobq_error *err)
{
    struct admin_call a = {.call = {.cost = cost, .err = err},
                           .what = ADMIN_LIST,
                           .name = after,
                           .arena = arena,
                           .out_names = out,
                           .cap = cap};
    return admin(port, &a);
}

static int store_domain_stats(struct jobq_store *port, int domain,
                              struct jobq_domain_stats *out, struct jobq_call_cost *cost,
                              struct jobq_error *err)
{
    struct admin_call a = {.call = {.cost = cost, .err = err},
                           .what = ADMIN_STATS,
                           .domain = domain,
                           .out_stats = out};
    return admin(port, &a);
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
    answered(&p->call, code, &reply, world_bytes_delete(w, &p->put));
    world_reply(&p->call);
}

/* Field by field: gcc zeroes a struct of this size by `rep stos`, which takes longer to start
 * than the rest of the call. */
static int store_put(struct jobq_store *port, int domain, const struct jobq_item *item,
                     const struct jobq_expect *expect, struct jobq_call_cost *cost,
                     struct jobq_error *err)
{
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
                        const struct jobq_attr *attr, int attr_count,
                        const struct jobq_expect *expect, struct jobq_call_cost *cost,
                        struct jobq_error *err)
{
    struct write_call p = {
        .call = {.cost = cost, .err = err},
        .put = {.domain = domain, .item = {item, attr, attr_count}, .expect = expect}};
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

static int store_select(struct jobq_store *port, struct jobq_str expression,
                        bool consistent, struct jobq_str *next_token, struct arena *arena,
                        struct jobq_item *out, int cap, struct jobq_call_cost *cost,
                        struct jobq_error *err)
{
    struct select_call s = {.call = {.cost = cost, .err = err},
                            .expression = expression,
                            .consistent = consistent,
                            .next_token = next_token,
                            .arena = arena,
                            .out = out,
                            .cap = cap};
    world_ask(proc_of(port), &s.call, select_apply, WORLD_SDB_SELECT);
    return s.call.code;
}

const struct jobq_store_ops world_store_ops = {
    .name = "sim",
    .open = store_open,
    .create_domain = store_create_domain,
    .delete_domain = store_delete_domain,
    .list_domains = store_list_domains,
    .domain_stats = store_domain_stats,
    .put = store_put,
    .put_batch = store_put_batch,
    .get = store_get,
    .remove = store_remove,
    .select = store_select,
};
