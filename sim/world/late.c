/* late.c - calls that are applied late, or twice. See late.h.
 *
 * Room:     sim; see world.h.
 *
 * A late call must outlive its caller, so its arguments are copied into the arena of a process
 * of its own. That process sleeps, makes the call on ports of its own, and is gone. */
#include "sim/world/late.h"

#include "sim/world/internal.h"

#include <string.h>

struct late_call {
    struct world_proc *proc; /* its own */
    int64_t at_ns;
    enum jobq_action action;
    enum jobq_store_call store_call;
    int handle; /* of the queue or the table */
    int count;
    bool twice; /* its caller makes the call too */
    const struct jobq_outgoing *message;
    const struct jobq_str *text; /* receipts or ids of boxes */
    const struct jobq_visibility_change *change;
    const struct jobq_item *item;
    const struct jobq_expect *expect; /* NULL: none */
    struct jobq_launch launch;
};

/* ---- copies ------------------------------------------------------------------------------ */

static struct jobq_str copy_str(struct arena *arena, struct jobq_str from)
{
    return from.ptr ? arena_str(arena, from) : from; /* phantom bytes have no text */
}

static const struct jobq_str *copy_strs(struct arena *arena, const struct jobq_str *from,
                                        int count)
{
    struct jobq_str *to = arena_alloc(arena, (size_t)count * sizeof *to);
    for (int i = 0; i < count; i++)
        to[i] = copy_str(arena, from[i]);
    return to;
}

static const struct jobq_outgoing *
copy_messages(struct arena *arena, const struct jobq_outgoing *from, int count)
{
    struct jobq_outgoing *to = arena_alloc(arena, (size_t)count * sizeof *to);
    for (int i = 0; i < count; i++) {
        to[i] = from[i];
        to[i].body = copy_str(arena, from[i].body);
    }
    return to;
}

static const struct jobq_visibility_change *
copy_changes(struct arena *arena, const struct jobq_visibility_change *from, int count)
{
    struct jobq_visibility_change *to = arena_alloc(arena, (size_t)count * sizeof *to);
    for (int i = 0; i < count; i++)
        to[i] = (struct jobq_visibility_change){copy_str(arena, from[i].receipt),
                                                from[i].visibility_ns};
    return to;
}

static const struct jobq_item *copy_items(struct arena *arena,
                                          const struct jobq_item *from, int count)
{
    struct jobq_item *to = arena_alloc(arena, (size_t)count * sizeof *to);
    for (int i = 0; i < count; i++) {
        int attrs = from[i].attr_count;
        struct jobq_attr *attr = arena_alloc(arena, (size_t)attrs * sizeof *attr + 1);
        for (int a = 0; a < attrs; a++)
            attr[a] = (struct jobq_attr){copy_str(arena, from[i].attr[a].name),
                                         copy_str(arena, from[i].attr[a].value),
                                         from[i].attr[a].replace};
        to[i] = (struct jobq_item){copy_str(arena, from[i].name), attr, attrs};
    }
    return to;
}

static const struct jobq_expect *copy_expect(struct arena *arena,
                                             const struct jobq_expect *from)
{
    if (!from)
        return NULL;
    struct jobq_expect *to = arena_alloc(arena, sizeof *to);
    *to = (struct jobq_expect){copy_str(arena, from->name), copy_str(arena, from->value),
                               from->exists};
    return to;
}

static struct jobq_launch copy_launch(struct arena *arena, const struct jobq_launch *from)
{
    struct jobq_launch to = *from;
    struct jobq_tag *tag = arena_alloc(arena, (size_t)from->tag_count * sizeof *tag + 1);
    for (int i = 0; i < from->tag_count; i++)
        tag[i] = (struct jobq_tag){copy_str(arena, from->tag[i].key),
                                   copy_str(arena, from->tag[i].value)};
    to.tag = tag;
    to.type = arena_cstr(arena, from->type);
    to.image = arena_cstr(arena, from->image);
    to.user_data = copy_str(arena, from->user_data);
    if (from->client_token)
        to.client_token = arena_cstr(arena, from->client_token);
    return to;
}

/* ---- the late side ------------------------------------------------------------------------ */

static void late_queue_call(struct late_call *l, struct jobq_call_cost *cost,
                            struct jobq_error *err)
{
    struct jobq_queue *port = &l->proc->queue.port;
    struct jobq_entry_result result[JOBQ_BATCH_MAX];
    if (l->message)
        world_queue_ops.send(port, l->handle, l->message, l->count, result, cost, err);
    else if (l->change)
        world_queue_ops.set_visibility(port, l->handle, l->change, l->count, result, cost,
                                       err);
    else
        world_queue_ops.remove(port, l->handle, l->text, l->count, result, cost, err);
}

static void late_store_call(struct late_call *l, struct jobq_call_cost *cost,
                            struct jobq_error *err)
{
    struct jobq_store *port = &l->proc->store.port;
    const struct jobq_store_ops *ops = l->proc->world->store_ops;
    switch (l->store_call) {
    case JOBQ_STORE_MAKE:
        ops->make(port, l->handle, cost, err);
        /* The caller was billed for one request. */
        l->proc->calls->asked[world_kind_of(l->action)] -= cost->requests - 1;
        l->proc->calls->answered[world_kind_of(l->action)] -= cost->requests - 1;
        break;
    case JOBQ_STORE_DROP:
        ops->drop(port, l->handle, cost, err);
        break;
    case JOBQ_STORE_PUT:
        ops->put(port, l->handle, l->item, l->expect, NULL, cost, err);
        break;
    case JOBQ_STORE_PUT_BATCH:
        ops->put_batch(port, l->handle, l->item, l->count, cost, err);
        break;
    case JOBQ_STORE_REMOVE:
        ops->remove(port, l->handle, l->item->name, l->expect, cost, err);
        break;
    case JOBQ_STORE_LIST:
    case JOBQ_STORE_COUNT:
    case JOBQ_STORE_GET:
    case JOBQ_STORE_PAGE:
    case JOBQ_STORE_CALLS:
        break; /* what reads is never late */
    }
}

static void late_fleet_call(struct late_call *l, struct jobq_call_cost *cost,
                            struct jobq_error *err)
{
    struct jobq_fleet *port = &l->proc->fleet.port;
    struct arena *arena = fiber_proc_arena(l->proc->fibers);
    if (l->action == JOBQ_ACT_EC2_TERMINATE) {
        world_fleet_ops.terminate(port, l->text, l->count, cost, err);
        return;
    }
    struct jobq_str *id = arena_alloc(arena, (size_t)l->launch.count * sizeof *id);
    world_fleet_ops.launch(port, &l->launch, arena, id, l->launch.count, cost, err);
}

static void late_main(void *arg)
{
    struct late_call *l = arg;
    struct world *w = l->proc->world;
    struct jobq_call_cost cost;
    struct jobq_error err;
    kernel_sleep_until(w->kernel, l->at_ns);
    enum jobq_service service = jobq_action_service(l->action);
    if (service == JOBQ_SQS)
        late_queue_call(l, &cost, &err);
    else if (service == JOBQ_EC2)
        late_fleet_call(l, &cost, &err);
    else
        late_store_call(l, &cost, &err);
    w->late_pending--;
    fiber_proc_kill(l->proc->fibers); /* does not return */
}

/* ---- the caller's side ---------------------------------------------------------------------- */

/* The call, if it is to be late: fill it in with copies in *arena, then late_send. */
static struct late_call *late_begin(struct world_proc *caller, enum jobq_action action,
                                    int handle, struct arena **arena)
{
    struct world *w = caller->world;
    bool twice = false;
    int64_t after_ns = caller->late->draw(caller->late->ctx, action, &twice);
    if (after_ns < 0)
        return NULL;
    struct world_proc *p = world_proc_new(w, "late", w->late_made++, NULL, NULL, 0);
    *arena = fiber_proc_arena(p->fibers);
    struct late_call *l = arena_zalloc(*arena, sizeof *l);
    l->proc = p;
    l->at_ns = kernel_now(w->kernel) + after_ns;
    l->action = action;
    l->handle = handle;
    l->twice = twice;
    return l;
}

/* Starts it. True: its caller has waited in vain, and *err says so; false: the caller makes
 * the call now. */
static bool late_send(struct late_call *l, struct world_proc *caller,
                      struct jobq_call_cost *cost, struct jobq_error *err)
{
    struct world *w = caller->world;
    int64_t timeout_ns = caller->late->timeout_ns;
    w->late_pending++;
    fiber_spawn(l->proc->fibers, late_main, l);
    if (l->twice)
        return false;
    enum world_latency_kind kind = world_kind_of(l->action);
    kernel_sleep_until(w->kernel, kernel_now(w->kernel) + timeout_ns);
    caller->calls->gave_up[kind]++;
    *cost = (struct jobq_call_cost){.requests = 1};
    jobq_fail(err, JOBQ_TIMEOUT, "no reply within %lld s",
              (long long)(timeout_ns / JOBQ_NS_PER_S));
    return true;
}

static struct world_proc *queue_caller(struct jobq_queue *port)
{
    return ((struct world_port_queue *)port)->proc;
}

static int queue_send(struct jobq_queue *port, int queue, const struct jobq_outgoing *in,
                      int count, struct jobq_entry_result *result,
                      struct jobq_call_cost *cost, struct jobq_error *err)
{
    struct world_proc *p = queue_caller(port);
    struct arena *arena;
    struct late_call *l = late_begin(
        p, count > 1 ? JOBQ_ACT_SQS_SEND_BATCH : JOBQ_ACT_SQS_SEND, queue, &arena);
    if (l) {
        l->message = copy_messages(arena, in, count);
        l->count = count;
        if (late_send(l, p, cost, err))
            return JOBQ_TIMEOUT;
    }
    return world_queue_ops.send(port, queue, in, count, result, cost, err);
}

static int queue_remove(struct jobq_queue *port, int queue,
                        const struct jobq_str *receipt, int count,
                        struct jobq_entry_result *result, struct jobq_call_cost *cost,
                        struct jobq_error *err)
{
    struct world_proc *p = queue_caller(port);
    struct arena *arena;
    struct late_call *l = late_begin(
        p, count > 1 ? JOBQ_ACT_SQS_DELETE_BATCH : JOBQ_ACT_SQS_DELETE, queue, &arena);
    if (l) {
        l->text = copy_strs(arena, receipt, count);
        l->count = count;
        if (late_send(l, p, cost, err))
            return JOBQ_TIMEOUT;
    }
    return world_queue_ops.remove(port, queue, receipt, count, result, cost, err);
}

static int queue_set_visibility(struct jobq_queue *port, int queue,
                                const struct jobq_visibility_change *change, int count,
                                struct jobq_entry_result *result,
                                struct jobq_call_cost *cost, struct jobq_error *err)
{
    struct world_proc *p = queue_caller(port);
    struct arena *arena;
    struct late_call *l =
        late_begin(p, count > 1 ? JOBQ_ACT_SQS_VISIBILITY_BATCH : JOBQ_ACT_SQS_VISIBILITY,
                   queue, &arena);
    if (l) {
        l->change = copy_changes(arena, change, count);
        l->count = count;
        if (late_send(l, p, cost, err))
            return JOBQ_TIMEOUT;
    }
    return world_queue_ops.set_visibility(port, queue, change, count, result, cost, err);
}

static struct world_proc *store_caller(struct jobq_store *port)
{
    return ((struct world_port_store *)port)->proc;
}

static const struct jobq_store_ops *store_ops_of(const struct world_proc *p)
{
    return p->world->store_ops;
}

static struct late_call *late_store_begin(struct world_proc *p, enum jobq_store_call call,
                                          int table, struct arena **arena)
{
    struct late_call *l = late_begin(p, store_ops_of(p)->action[call], table, arena);
    if (l)
        l->store_call = call;
    return l;
}

static int store_make(struct jobq_store *port, int table, struct jobq_call_cost *cost,
                      struct jobq_error *err)
{
    struct world_proc *p = store_caller(port);
    struct arena *arena;
    struct late_call *l = late_store_begin(p, JOBQ_STORE_MAKE, table, &arena);
    if (l) {
        if (late_send(l, p, cost, err))
            return JOBQ_TIMEOUT;
    }
    return store_ops_of(p)->make(port, table, cost, err);
}

static int store_drop(struct jobq_store *port, int table, struct jobq_call_cost *cost,
                      struct jobq_error *err)
{
    struct world_proc *p = store_caller(port);
    struct arena *arena;
    struct late_call *l = late_store_begin(p, JOBQ_STORE_DROP, table, &arena);
    if (l) {
        if (late_send(l, p, cost, err))
            return JOBQ_TIMEOUT;
    }
    return store_ops_of(p)->drop(port, table, cost, err);
}

static int store_put(struct jobq_store *port, int table, const struct jobq_item *item,
                     const struct jobq_expect *expect, struct jobq_met *met,
                     struct jobq_call_cost *cost, struct jobq_error *err)
{
    struct world_proc *p = store_caller(port);
    struct arena *arena;
    struct late_call *l = late_store_begin(p, JOBQ_STORE_PUT, table, &arena);
    if (l) {
        l->item = copy_items(arena, item, 1);
        l->expect = copy_expect(arena, expect);
        if (late_send(l, p, cost, err))
            return JOBQ_TIMEOUT;
    }
    return store_ops_of(p)->put(port, table, item, expect, met, cost, err);
}

static int store_put_batch(struct jobq_store *port, int table,
                           const struct jobq_item *item, int count,
                           struct jobq_call_cost *cost, struct jobq_error *err)
{
    struct world_proc *p = store_caller(port);
    struct arena *arena;
    struct late_call *l = late_store_begin(p, JOBQ_STORE_PUT_BATCH, table, &arena);
    if (l) {
        l->item = copy_items(arena, item, count);
        l->count = count;
        if (late_send(l, p, cost, err))
            return JOBQ_TIMEOUT;
    }
    return store_ops_of(p)->put_batch(port, table, item, count, cost, err);
}

static int store_remove(struct jobq_store *port, int table, struct jobq_str row,
                        const struct jobq_expect *expect, struct jobq_call_cost *cost,
                        struct jobq_error *err)
{
    struct world_proc *p = store_caller(port);
    struct arena *arena;
    struct late_call *l = late_store_begin(p, JOBQ_STORE_REMOVE, table, &arena);
    if (l) {
        l->item = copy_items(arena, &(struct jobq_item){.name = row}, 1);
        l->expect = copy_expect(arena, expect);
        if (late_send(l, p, cost, err))
            return JOBQ_TIMEOUT;
    }
    return store_ops_of(p)->remove(port, table, row, expect, cost, err);
}

static struct world_proc *fleet_caller(struct jobq_fleet *port)
{
    return ((struct world_port_fleet *)port)->proc;
}

static int fleet_launch(struct jobq_fleet *port, const struct jobq_launch *launch,
                        struct arena *out_arena, struct jobq_str *out, int cap,
                        struct jobq_call_cost *cost, struct jobq_error *err)
{
    struct world_proc *p = fleet_caller(port);
    struct arena *arena;
    struct late_call *l = late_begin(p, JOBQ_ACT_EC2_RUN, -1, &arena);
    if (l) {
        l->launch = copy_launch(arena, launch);
        if (late_send(l, p, cost, err))
            return JOBQ_TIMEOUT;
    }
    return world_fleet_ops.launch(port, launch, out_arena, out, cap, cost, err);
}

static int fleet_terminate(struct jobq_fleet *port, const struct jobq_str *id, int count,
                           struct jobq_call_cost *cost, struct jobq_error *err)
{
    struct world_proc *p = fleet_caller(port);
    struct arena *arena;
    struct late_call *l = late_begin(p, JOBQ_ACT_EC2_TERMINATE, -1, &arena);
    if (l) {
        l->text = copy_strs(arena, id, count);
        l->count = count;
        if (late_send(l, p, cost, err))
            return JOBQ_TIMEOUT;
    }
    return world_fleet_ops.terminate(port, id, count, cost, err);
}

/* ---- installing --------------------------------------------------------------------------- */

struct late_tables {
    struct late_options options;
    struct jobq_queue_ops queue;
    struct jobq_store_ops store;
    struct jobq_fleet_ops fleet;
};

void late_install(struct jobq_backend *b, const struct late_options *options)
{
    struct world_proc *p = ((struct world_port_clock *)b->clock)->proc;
    struct late_tables *t = arena_alloc(fiber_proc_arena(p->fibers), sizeof *t);
    t->options = *options;
    t->queue = world_queue_ops;
    t->queue.send = queue_send;
    t->queue.remove = queue_remove;
    t->queue.set_visibility = queue_set_visibility;
    t->store = *store_ops_of(p);
    t->store.make = store_make;
    t->store.drop = store_drop;
    t->store.put = store_put;
    t->store.put_batch = store_put_batch;
    t->store.remove = store_remove;
    t->fleet = world_fleet_ops;
    t->fleet.launch = fleet_launch;
    t->fleet.terminate = fleet_terminate;
    p->queue.port.ops = &t->queue;
    p->store.port.ops = &t->store;
    p->fleet.port.ops = &t->fleet;
    p->late = &t->options;
}

int64_t late_pending(const struct world *w)
{
    return w->late_pending;
}
