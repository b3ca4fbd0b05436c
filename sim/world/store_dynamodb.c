/* store_dynamodb.c - the store port over the DynamoDB model: one table for all of a queue's
 * jobs, one for its drainers' lines.
 *
 * Room:     sim; see world.h.
 *
 * What a call says is in wire/dynamodb/ddb_bodies.h; here the same expressions are built as
 * the model reads them, and only the lengths of the bodies are taken. The model's clock is
 * the wall clock, because time to live is. */
#include "sim/world/internal.h"

#include "wire/dynamodb/ddb_bodies.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* The port's tables. */
struct world_dynamodb {
    struct {
        char name[DDB_TABLE_MAX + 1];
        int name_bytes;
        int table; /* the model's when it was last asked; -1: none */
    } * at;
    int count, cap;
    struct arena scratch; /* of one call */
    int64_t ttl_s;        /* what ttl_text says: it changes once a second */
    struct jobq_str ttl;
    char ttl_text[24];
};

struct world_dynamodb *world_dynamodb_tables_new(void)
{
    struct world_dynamodb *t = xcalloc(1, sizeof *t);
    arena_init(&t->scratch, 0);
    return t;
}

void world_dynamodb_tables_reset(struct world_dynamodb *t)
{
    t->count = 0;
}

void world_dynamodb_tables_free(struct world_dynamodb *t)
{
    arena_release(&t->scratch);
    free(t->at);
    free(t);
}

static struct world_proc *proc_of(struct jobq_store *port)
{
    return ((struct world_port_store *)port)->proc;
}

static int64_t wall_of(const struct world *w)
{
    return WORLD_EPOCH_NS + kernel_now(w->kernel);
}

static struct jobq_str name_of(const struct world *w, int handle)
{
    return (struct jobq_str){w->tables->at[handle].name,
                             w->tables->at[handle].name_bytes};
}

/* The model's id of a table; -1: it does not exist. */
static int table_of(const struct world *w, int handle)
{
    struct world_dynamodb *t = w->tables;
    const struct dynamodb_table *known = dynamodb_table(w->dynamodb, t->at[handle].table);
    if (!known || strcmp(known->name, t->at[handle].name) != 0)
        t->at[handle].table = dynamodb_find_table(w->dynamodb, name_of(w, handle));
    return t->at[handle].table;
}

static int handle_of(struct world *w, const struct jobq_table *table)
{
    struct world_dynamodb *t = w->tables;
    char name[DDB_TABLE_MAX + 1];
    int len = ddb_table_write(table, name);
    for (int i = 0; i < t->count; i++)
        if (t->at[i].name_bytes == len && memcmp(t->at[i].name, name, (size_t)len) == 0)
            return i;
    if (t->count == t->cap) {
        t->cap = t->cap ? 2 * t->cap : 4;
        t->at = xrealloc(t->at, (size_t)t->cap * sizeof *t->at);
    }
    memcpy(t->at[t->count].name, name, (size_t)len + 1);
    t->at[t->count].name_bytes = len;
    t->at[t->count].table = -1;
    return t->count++;
}

static int store_open(struct jobq_store *port, const struct jobq_table *table,
                      int *out_table, struct jobq_error *err)
{
    (void)err;
    *out_table = handle_of(proc_of(port)->world, table);
    return JOBQ_OK;
}

/* ---- items ---------------------------------------------------------------------------- */

static struct dynamodb_value string_of(struct jobq_str text)
{
    return (struct dynamodb_value){.type = DYNAMODB_S, .of.text = text};
}

/* As the port shows it: the key is the name, ttl is nobody's business. */
static struct jobq_item item_shown(const struct dynamodb_item *item, struct arena *arena)
{
    struct jobq_item out = {.attr_count = 0};
    struct jobq_attr *attr = arena_alloc(arena, (size_t)item->count * sizeof *attr + 1);
    for (int i = 0; i < item->count; i++) {
        struct jobq_str text = item->attr[i].value.of.text;
        if (item->attr[i].value.type != DYNAMODB_S)
            continue;
        if (text.ptr)
            text = arena_str(arena, text);
        if (str_is(item->attr[i].name, DDB_KEY))
            out.name = text;
        else
            attr[out.attr_count++] =
                (struct jobq_attr){arena_str(arena, item->attr[i].name), text, true};
    }
    out.attr = attr;
    return out;
}

/* Only the attributes that were asked for. */
static void pick_names(struct jobq_item *item, const struct jobq_str *name, int count)
{
    struct jobq_attr *attr = (struct jobq_attr *)(uintptr_t)item->attr;
    int kept = 0;
    for (int i = 0; i < item->attr_count && count > 0; i++)
        for (int k = 0; k < count; k++)
            if (str_eq(attr[i].name, name[k])) {
                attr[kept++] = attr[i];
                break;
            }
    if (count > 0)
        item->attr_count = kept;
}

/* ---- calls ------------------------------------------------------------------------------ */

static void answered(struct world_call *call, int code,
                     const struct dynamodb_reply *reply, struct size_call bytes)
{
    call->code = code;
    *call->cost =
        (struct jobq_call_cost){.requests = 1,
                                .http_status = dynamodb_fault_status(reply->fault),
                                .write_units = reply->write_units,
                                .read_units = reply->read_units,
                                .bytes_out = bytes.out,
                                .bytes_in = bytes.in};
}

#define NAME_BYTES(action) ((int64_t)sizeof(action) - 1)

static struct size_call call_bytes(const struct world *w, int64_t action, int64_t body,
                                   int64_t reply)
{
    return size_ddb(&w->params->client, action, body, reply);
}

/* The expression of a condition, or of a name alone. */
struct condition {
    struct expression_step step;
    struct expression_node name, value, node;
    struct expression_node *arg[2];
    struct dynamodb_value expected;
};

static const struct expression_node *condition_build(struct condition *c,
                                                     const struct jobq_expect *expect)
{
    if (!expect)
        return NULL;
    c->step = (struct expression_step){expect->name, -1};
    c->name = (struct expression_node){.kind = EXPRESSION_PATH, .path = {&c->step, 1}};
    c->expected = string_of(expect->value);
    c->value = (struct expression_node){.kind = EXPRESSION_VALUE, .value = &c->expected};
    c->arg[0] = &c->name;
    c->arg[1] = &c->value;
    c->node = (struct expression_node){.kind = expect->exists ? EXPRESSION_EQUAL
                                                              : EXPRESSION_NOT_EXISTS,
                                       .count = expect->exists ? 2 : 1,
                                       .arg = c->arg};
    return &c->node;
}

/* ---- writing ------------------------------------------------------------------------------ */

struct write_call {
    struct world_call call;
    int handle;
    struct jobq_item item; /* attr_count 0: it is deleted */
    const struct jobq_expect *expect;
    struct jobq_met *met;
    int64_t ttl_s;
};

/* Lives until ttl_s is another. */
static struct dynamodb_value ttl_value(struct world_dynamodb *t, int64_t ttl_s)
{
    if (t->ttl_s != ttl_s) {
        t->ttl_s = ttl_s;
        t->ttl = (struct jobq_str){t->ttl_text, text_write_int(t->ttl_text, ttl_s)};
    }
    return (struct dynamodb_value){.type = DYNAMODB_N, .of.text = t->ttl};
}

/* Every attribute as the model has it, in the scratch arena. */
static const struct dynamodb_attr *set_build(struct world_dynamodb *t,
                                             const struct jobq_item *item, int64_t ttl_s)
{
    struct dynamodb_attr *set =
        arena_alloc(&t->scratch, (size_t)(item->attr_count + 1) * sizeof *set);
    for (int i = 0; i < item->attr_count; i++) {
        set[i].name = item->attr[i].name;
        set[i].value = string_of(item->attr[i].value);
    }
    set[item->attr_count].name = STR(DDB_TTL);
    set[item->attr_count].value = ttl_value(t, ttl_s);
    return set;
}

/* What a refused condition met, for the caller and for the reply's length. */
static int64_t show_met(struct write_call *c, const struct dynamodb_item *key, int table)
{
    struct world *w = c->call.proc->world;
    const struct dynamodb_item *stands = dynamodb_peek(w->dynamodb, table, key);
    struct arena *arena = c->met ? c->met->arena : &w->tables->scratch;
    struct jobq_item shown = {.attr_count = 0};
    if (stands)
        shown = item_shown(stands, arena);
    if (c->met)
        *c->met = (struct jobq_met){c->met->arena, true, shown};
    return ddb_reply_met(c->item.name, &shown, c->ttl_s);
}

static void write_apply(void *ctx, uint64_t arg)
{
    (void)arg;
    struct write_call *c = ctx;
    struct world *w = c->call.proc->world;
    struct arena *scratch = &w->tables->scratch;
    struct condition condition;
    struct dynamodb_reply reply;
    bool deletes = c->item.attr_count == 0;
    int table = table_of(w, c->handle);
    arena_reset(scratch);
    struct dynamodb_attr key = {STR(DDB_KEY), string_of(c->item.name)};
    const struct dynamodb_write write = {
        .verb = deletes ? DYNAMODB_DELETE : DYNAMODB_UPDATE,
        .table = table,
        .item = {&key, 1},
        .condition = condition_build(&condition, c->expect),
        .set = deletes ? NULL : set_build(w->tables, &c->item, c->ttl_s),
        .set_count = deletes ? 0 : c->item.attr_count + (c->ttl_s > 0)};
    int code = dynamodb_write(w->dynamodb, wall_of(w), &write, scratch, NULL, NULL,
                              &reply, c->call.err);
    world_watch_rows(w, code, &c->item, 1);
    struct jobq_str name = name_of(w, c->handle);
    int64_t body = deletes ? ddb_wire_delete(NULL, name, c->item.name, c->expect)
                           : ddb_wire_update(NULL, name, &c->item, c->ttl_s, c->expect);
    int64_t back = code == JOBQ_CONFLICT ? show_met(c, &write.item, table)
                                         : ddb_reply_write(name, reply.write_units);
    answered(&c->call, code, &reply,
             call_bytes(w, deletes ? NAME_BYTES("DeleteItem") : NAME_BYTES("UpdateItem"),
                        body, back));
    world_reply(&c->call);
}

static void write_prefetch(void *dynamodb, uint64_t hint)
{
    dynamodb_prefetch(dynamodb, hint);
}

void world_dynamodb_prefetch(struct world *w)
{
    kernel_prefetch_for(w->kernel, write_apply, write_prefetch, w->dynamodb);
}

static int store_put(struct jobq_store *port, int table, const struct jobq_item *item,
                     const struct jobq_expect *expect, struct jobq_met *met,
                     struct jobq_call_cost *cost, struct jobq_error *err)
{
    struct world_proc *proc = proc_of(port);
    struct write_call c = {
        .call = {.cost = cost, .err = err},
        .handle = table,
        .item = *item,
        .expect = expect,
        .met = met,
        .ttl_s =
            port->keep_ns ? (wall_of(proc->world) + port->keep_ns) / JOBQ_NS_PER_S : 0};
    world_ask_hinted(proc, &c.call, write_apply, WORLD_DDB_WRITE,
                     dynamodb_place(table_of(proc->world, table), item->name));
    return c.call.code;
}

static int store_put_batch(struct jobq_store *port, int table,
                           const struct jobq_item *item, int item_count,
                           struct jobq_call_cost *cost, struct jobq_error *err)
{
    assert(item_count == 1);
    (void)item_count;
    return store_put(port, table, item, NULL, NULL, cost, err);
}

static int store_remove(struct jobq_store *port, int table, struct jobq_str row,
                        const struct jobq_expect *expect, struct jobq_call_cost *cost,
                        struct jobq_error *err)
{
    struct write_call c = {.call = {.cost = cost, .err = err},
                           .handle = table,
                           .item = {.name = row},
                           .expect = expect};
    struct world *w = proc_of(port)->world;
    world_ask_hinted(proc_of(port), &c.call, write_apply, WORLD_DDB_WRITE,
                     dynamodb_place(table_of(w, table), row));
    return c.call.code;
}

/* ---- reading ------------------------------------------------------------------------------ */

struct read_call {
    struct world_call call;
    int handle;
    struct jobq_str row; /* of a get */
    const struct jobq_filter *filter;
    const struct jobq_str *name;
    int name_count;
    bool consistent;
    struct jobq_str *next_token;
    struct arena *arena;
    struct jobq_item *out;
    int cap;
};

static void get_apply(void *ctx, uint64_t arg)
{
    (void)arg;
    struct read_call *c = ctx;
    struct world *w = c->call.proc->world;
    struct dynamodb_reply reply;
    struct dynamodb_item item = {NULL, 0};
    struct dynamodb_attr key = {STR(DDB_KEY), string_of(c->row)};
    struct jobq_str name = name_of(w, c->handle);
    arena_reset(&w->tables->scratch);
    int code =
        dynamodb_get(w->dynamodb, wall_of(w), dice_u(&c->call.proc->call),
                     table_of(w, c->handle), &(struct dynamodb_item){&key, 1},
                     c->consistent, &w->tables->scratch, &item, &reply, c->call.err);
    if (code == JOBQ_OK) {
        *c->out = item_shown(&item, c->arena);
        pick_names(c->out, c->name, c->name_count);
        c->out->name = c->row;
    }
    answered(
        &c->call, code, &reply,
        call_bytes(
            w, NAME_BYTES("GetItem"),
            ddb_wire_get(NULL, name, c->row, c->name, c->name_count, c->consistent),
            code < 0 ? 0 : ddb_reply_get(name, reply.read_units, c->row, c->out, 0)));
    world_reply(&c->call);
}

static int store_get(struct jobq_store *port, int table, struct jobq_str row,
                     const struct jobq_str *name, int name_count, bool consistent,
                     struct arena *arena, struct jobq_item *out,
                     struct jobq_call_cost *cost, struct jobq_error *err)
{
    struct read_call c = {.call = {.cost = cost, .err = err},
                          .handle = table,
                          .row = row,
                          .name = name,
                          .name_count = name_count,
                          .consistent = consistent,
                          .arena = arena,
                          .out = out};
    world_ask(proc_of(port), &c.call, get_apply, WORLD_DDB_READ);
    return c.call.code;
}

static struct expression_node *filter_node(struct arena *arena, enum expression_kind kind,
                                           struct expression_node *a,
                                           struct expression_node *b)
{
    struct expression_node *node = arena_zalloc(arena, sizeof *node);
    node->kind = kind;
    node->count = b ? 2 : 1;
    node->arg = arena_alloc(arena, 2 * sizeof *node->arg);
    node->arg[0] = a;
    node->arg[1] = b;
    return node;
}

static struct expression_node *filter_value(struct arena *arena, struct jobq_str text)
{
    struct dynamodb_value *value = arena_alloc(arena, sizeof *value);
    struct expression_node *node = arena_zalloc(arena, sizeof *node);
    *value = string_of(text);
    node->kind = EXPRESSION_VALUE;
    node->value = value;
    return node;
}

static struct expression_node *filter_or(struct arena *arena, struct expression_node *all,
                                         struct expression_node *one)
{
    return all ? filter_node(arena, EXPRESSION_OR, all, one) : one;
}

static const struct expression_node *filter_build(struct arena *arena,
                                                  const struct jobq_filter *f)
{
    struct expression_step *step = arena_alloc(arena, sizeof *step);
    struct expression_node *name = arena_zalloc(arena, sizeof *name), *all = NULL;
    if (f->name.len == 0)
        return NULL;
    *step = (struct expression_step){f->name, -1};
    name->kind = EXPRESSION_PATH;
    name->path = (struct expression_path){step, 1};
    if (f->absent)
        all = filter_node(arena, EXPRESSION_NOT_EXISTS, name, NULL);
    for (int i = 0; i < f->prefix_count; i++)
        all = filter_or(arena, all,
                        filter_node(arena, EXPRESSION_BEGINS_WITH, name,
                                    filter_value(arena, f->prefix[i])));
    if (f->above.len)
        all = filter_or(
            arena, all,
            filter_node(arena, EXPRESSION_MORE, name, filter_value(arena, f->above)));
    if (f->below.len)
        all = filter_or(
            arena, all,
            filter_node(arena, EXPRESSION_LESS, name, filter_value(arena, f->below)));
    return all;
}

static void page_apply(void *ctx, uint64_t arg)
{
    (void)arg;
    struct read_call *c = ctx;
    struct world *w = c->call.proc->world;
    struct arena *scratch = &w->tables->scratch;
    struct dynamodb_reply reply;
    struct dynamodb_page page;
    struct jobq_str name = name_of(w, c->handle), after = *c->next_token;
    struct dynamodb_attr start = {STR(DDB_KEY), string_of(after)};
    struct dynamodb_item start_key = {&start, 1};
    bool filtered = c->filter->name.len > 0;
    arena_reset(scratch);
    const struct dynamodb_page_options options = {
        .filter = filter_build(scratch, c->filter),
        .after = after.len ? &start_key : NULL,
        .limit = filtered ? DDB_SCAN_ROWS : c->cap,
        .consistent = c->consistent};
    int64_t body = ddb_wire_scan(NULL, name, c->filter, c->name, c->name_count,
                                 c->consistent, after, c->cap);
    int code = dynamodb_page(w->dynamodb, wall_of(w), dice_u(&c->call.proc->call),
                             table_of(w, c->handle), &options, scratch, &page, &reply,
                             c->call.err);
    int64_t back = 0;
    if (code == JOBQ_OK) {
        struct jobq_str next = {NULL, 0};
        if (page.last.count > 0)
            next = dynamodb_find(&page.last, STR(DDB_KEY))->of.text;
        struct jobq_item *all =
            arena_alloc(scratch, (size_t)page.count * sizeof *all + 1);
        for (int i = 0; i < page.count; i++) {
            all[i] = item_shown(&page.item[i], i < c->cap ? c->arena : scratch);
            pick_names(&all[i], c->name, c->name_count);
        }
        back =
            ddb_reply_scan(name, reply.read_units, all, page.count, page.scanned, next);
        code = page.count < c->cap ? page.count : c->cap;
        if (code > 0)
            memcpy(c->out, all, (size_t)code * sizeof *all);
        if (page.count > c->cap) /* the rest is for the next page */
            next = all[c->cap - 1].name;
        *c->next_token = next.len ? arena_str(c->arena, next) : (struct jobq_str){"", 0};
    }
    answered(&c->call, code, &reply, call_bytes(w, NAME_BYTES("Scan"), body, back));
    world_reply(&c->call);
}

static int store_page(struct jobq_store *port, int table,
                      const struct jobq_filter *filter, const struct jobq_str *name,
                      int name_count, bool consistent, struct jobq_str *next_token,
                      struct arena *arena, struct jobq_item *out, int cap,
                      struct jobq_call_cost *cost, struct jobq_error *err)
{
    struct read_call c = {.call = {.cost = cost, .err = err},
                          .handle = table,
                          .filter = filter,
                          .name = name,
                          .name_count = name_count,
                          .consistent = consistent,
                          .next_token = next_token,
                          .arena = arena,
                          .out = out,
                          .cap = cap};
    world_ask(proc_of(port), &c.call, page_apply, WORLD_DDB_SCAN);
    return c.call.code;
}

/* ---- tables ------------------------------------------------------------------------------ */

enum admin { ADMIN_MAKE, ADMIN_DROP, ADMIN_DESCRIBE };
/* A description of a table of ours, its ARN and dates included: about so many bytes. */
enum { DESCRIPTION_BYTES = 560 };

struct admin_call {
    struct world_call call;
    enum admin what;
    int handle;
    int64_t items; /* of a description */
};

/* Made, and time to live turned on, which has to wait until it is there. */
static int make_apply(struct world *w, struct admin_call *a, struct size_call *bytes,
                      struct dynamodb_reply *reply)
{
    struct dynamodb_table options = {.partition = {DDB_KEY, DYNAMODB_S},
                                     .on_demand = true};
    struct jobq_str name = name_of(w, a->handle);
    int table;
    memcpy(options.name, name.ptr, (size_t)name.len + 1);
    int code = dynamodb_create_table(w->dynamodb, wall_of(w), &options, &table, reply,
                                     a->call.err);
    *bytes = call_bytes(w, NAME_BYTES("CreateTable"), ddb_wire_create(NULL, name),
                        DESCRIPTION_BYTES);
    if (code < 0 && reply->fault != DYNAMODB_FAULT_IN_USE)
        return code;
    code = dynamodb_set_ttl(w->dynamodb, wall_of(w), table_of(w, a->handle), DDB_TTL,
                            reply, a->call.err);
    struct size_call more =
        call_bytes(w, NAME_BYTES("UpdateTimeToLive"), ddb_wire_set_ttl(NULL, name), 90);
    bytes->out += more.out;
    bytes->in += more.in;
    if (reply->fault == DYNAMODB_FAULT_NO_TABLE)
        return jobq_fail(a->call.err, JOBQ_UNAVAILABLE, "table '%s' is being made",
                         name.ptr);
    reply->fault = DYNAMODB_FAULT_NONE; /* on already */
    return JOBQ_OK;
}

static void admin_apply(void *ctx, uint64_t arg)
{
    (void)arg;
    struct admin_call *a = ctx;
    struct world *w = a->call.proc->world;
    struct dynamodb_reply reply = {0};
    struct size_call bytes;
    int code, table = table_of(w, a->handle);
    struct jobq_str name = name_of(w, a->handle);
    if (a->what == ADMIN_MAKE) {
        code = make_apply(w, a, &bytes, &reply);
        answered(&a->call, code, &reply, bytes);
        a->call.cost->requests = 2;
        world_reply(&a->call);
        return;
    }
    if (a->what == ADMIN_DROP) {
        code = dynamodb_delete_table(w->dynamodb, wall_of(w), table, &reply, a->call.err);
        if (reply.fault == DYNAMODB_FAULT_NO_TABLE)
            code = JOBQ_OK; /* it is gone */
        bytes = call_bytes(w, NAME_BYTES("DeleteTable"), ddb_wire_table(NULL, name),
                           DESCRIPTION_BYTES);
    } else {
        const struct dynamodb_table *t = dynamodb_table(w->dynamodb, table);
        a->items = t ? t->items : 0;
        code = t ? JOBQ_OK
                 : jobq_fail(a->call.err, JOBQ_NOT_FOUND, "no table '%s'", name.ptr);
        bytes = call_bytes(w, NAME_BYTES("DescribeTable"), ddb_wire_table(NULL, name),
                           DESCRIPTION_BYTES);
    }
    answered(&a->call, code, &reply, bytes);
    world_reply(&a->call);
}

static int admin(struct jobq_store *port, struct admin_call *a)
{
    world_ask(proc_of(port), &a->call, admin_apply, WORLD_DDB_OTHER);
    return a->call.code;
}

static int store_make(struct jobq_store *port, int table, struct jobq_call_cost *cost,
                      struct jobq_error *err)
{
    struct admin_call a = {
        .call = {.cost = cost, .err = err}, .what = ADMIN_MAKE, .handle = table};
    int code = admin(port, &a);
    struct world_calls *calls = proc_of(port)->calls;
    calls->asked[WORLD_DDB_OTHER]++; /* two are made */
    calls->answered[WORLD_DDB_OTHER]++;
    return code;
}

static int store_drop(struct jobq_store *port, int table, struct jobq_call_cost *cost,
                      struct jobq_error *err)
{
    struct admin_call a = {
        .call = {.cost = cost, .err = err}, .what = ADMIN_DROP, .handle = table};
    return admin(port, &a);
}

static int store_list(struct jobq_store *port, struct jobq_str queue,
                      struct jobq_str *next_token, struct arena *arena,
                      struct jobq_table *out, int cap, int *out_all,
                      struct jobq_call_cost *cost, struct jobq_error *err)
{
    struct jobq_table jobs = {queue, JOBQ_DAY_ALL, 0};
    struct admin_call a = {.call = {.cost = cost, .err = err},
                           .what = ADMIN_DESCRIBE,
                           .handle = handle_of(proc_of(port)->world, &jobs)};
    assert(cap >= 1);
    (void)cap;
    int code = admin(port, &a);
    *next_token = (struct jobq_str){"", 0};
    *out_all = code == JOBQ_OK;
    if (code < 0)
        return code == JOBQ_NOT_FOUND ? 0 : code;
    out[0] = jobs;
    out[0].queue = arena_str(arena, queue);
    return 1;
}

static int store_count(struct jobq_store *port, int table, int64_t *out_rows,
                       struct jobq_call_cost *cost, struct jobq_error *err)
{
    struct admin_call a = {
        .call = {.cost = cost, .err = err}, .what = ADMIN_DESCRIBE, .handle = table};
    int code = admin(port, &a);
    *out_rows = a.items;
    return code;
}

static void store_page_cost(struct jobq_store *port, int64_t rows,
                            struct jobq_call_cost *out)
{
    (void)port;
    ddb_page_cost(rows, out);
}

const struct jobq_store_ops world_dynamodb_ops = {
    .name = "dynamodb",
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
    .page_cost = store_page_cost,
};

/* ---- without a call ---------------------------------------------------------------------- */

bool world_dynamodb_rows_next(struct world *w, struct jobq_str queue,
                              struct world_rows *at, struct arena *arena,
                              struct jobq_item *out)
{
    struct jobq_table jobs = {queue, JOBQ_DAY_ALL, 0};
    struct dynamodb_reply reply;
    struct dynamodb_page page;
    struct jobq_error err;
    struct dynamodb_attr start = {STR(DDB_KEY), string_of(at->after)};
    struct dynamodb_item start_key = {&start, 1};
    const struct dynamodb_page_options options = {
        .after = at->after.len ? &start_key : NULL, .limit = 1, .consistent = true};
    int table = table_of(w, handle_of(w, &jobs));
    if (dynamodb_page(w->dynamodb, wall_of(w), 0.5, table, &options, arena, &page, &reply,
                      &err) < 0 ||
        page.count == 0)
        return false;
    *out = item_shown(&page.item[0], arena);
    at->after = out->name;
    return true;
}

bool world_dynamodb_row(struct world *w, const struct jobq_table *table,
                        struct jobq_str id, struct arena *arena, struct jobq_item *out)
{
    struct dynamodb_attr key = {STR(DDB_KEY), string_of(id)};
    int model = table_of(w, handle_of(w, table));
    const struct dynamodb_item *item =
        model < 0 ? NULL
                  : dynamodb_peek(w->dynamodb, model, &(struct dynamodb_item){&key, 1});
    if (!item)
        return false;
    *out = item_shown(item, arena);
    return true;
}
