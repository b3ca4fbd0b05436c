/* ports.c - what did each call cost, and was it allowed to happen?
 *
 * Room:     src/fleet, the product.
 * Callers:  the product alone calls worlds, and only through here.
 * Knows nothing of: which world answers.
 *
 * Each wrapper asserts its contract, asks the fault hook, makes the call and adds what it
 * cost to the ledger. */
#include "jobq/ports.h"

#include <assert.h>
#include <stddef.h>

struct call {
    struct jobq_call_cost cost;
    enum jobq_action action;
    int64_t started_ns; /* only when traced */
};

static int refused(struct jobq_error *err, int code, enum jobq_action action)
{
    return jobq_fail(err, (enum jobq_code)code, "fault injected in '%s'",
                     jobq_action_name(action));
}

static bool is_watched(const struct jobq_backend *b)
{
    return b->trace || b->fault;
}

static int begin_watched(struct jobq_backend *b, struct call *call,
                         struct jobq_error *err)
{
    if (b->trace)
        call->started_ns = b->clock->ops->now(b->clock);
    if (b->fault) {
        int code = b->fault(b->fault_ctx, call->action, JOBQ_FAULT_BEFORE);
        if (code != 0)
            return refused(err, code, call->action);
    }
    return 0;
}

/* Returns 0, or the code by which the fault hook forbids the call. */
static inline int begin(struct jobq_backend *b, struct call *call,
                        enum jobq_action action, struct jobq_error *err)
{
    call->cost = (struct jobq_call_cost){0};
    call->action = action;
    return is_watched(b) ? begin_watched(b, call, err) : 0;
}

static void trace(struct jobq_backend *b, const struct call *call, int entries, int code)
{
    struct jobq_trace_call record = {
        .action = call->action,
        .started_ns = call->started_ns,
        .ended_ns = b->clock->ops->now(b->clock),
        .entries = entries,
        .code = code,
        .cost = call->cost,
    };
    b->trace(b->trace_ctx, &record);
}

static inline void meter(struct jobq_backend *b, const struct call *call, int entries,
                         int code)
{
    struct jobq_usage *use = &b->ledger->action[call->action];
    const struct jobq_call_cost *cost = &call->cost;
    use->requests += cost->requests;
    use->bytes_out += cost->bytes_out;
    use->bytes_in += cost->bytes_in;
    use->box_usage_e10h += cost->box_usage_e10h;
    if (cost->requests > 0) {
        use->entries += entries;
        if (code < 0 && code != JOBQ_CANCELLED) {
            use->failed++;
            if (code == JOBQ_THROTTLED)
                use->throttled++;
        }
    }
}

static int end_watched(struct jobq_backend *b, const struct call *call, int entries,
                       int code, struct jobq_error *err)
{
    if (b->fault) {
        int lost = b->fault(b->fault_ctx, call->action, JOBQ_FAULT_AFTER);
        if (lost != 0)
            code = refused(err, lost, call->action);
    }
    meter(b, call, entries, code);
    if (b->trace)
        trace(b, call, entries, code);
    return code;
}

/* Meters the call; returns its code, or the one that the fault hook puts in its place. */
static int end(struct jobq_backend *b, const struct call *call, int entries, int code,
               struct jobq_error *err)
{
    if (is_watched(b))
        return end_watched(b, call, entries, code, err);
    meter(b, call, entries, code);
    return code;
}

/* ---- clock and dice ------------------------------------------------------------------ ---- */

int64_t jobq_now(struct jobq_backend *b)
{
    return b->clock->ops->now(b->clock);
}

int64_t jobq_wall(struct jobq_backend *b)
{
    return b->clock->ops->wall(b->clock);
}

uint64_t jobq_bits(struct jobq_backend *b)
{
    return b->dice->ops->bits(b->dice);
}

double jobq_uniform(struct jobq_backend *b)
{
    return ((double)(jobq_bits(b) >> 12) + 0.5) * 0x1p-52;
}

/* ---- queue --------------------------------------------------------------------------- */

int jobq_queue_create(struct jobq_backend *b, const char *name,
                      const struct jobq_queue_options *options, int *out_queue,
                      struct jobq_error *err)
{
    assert(name && options && out_queue && err);
    struct call call;
    int code = begin(b, &call, JOBQ_ACT_SQS_CREATE_QUEUE, err);
    if (code)
        return code;
    code = b->queue->ops->create(b->queue, name, options, out_queue, &call.cost, err);
    return end(b, &call, 1, code, err);
}

int jobq_queue_open(struct jobq_backend *b, const char *name, int *out_queue,
                    struct jobq_error *err)
{
    assert(name && out_queue && err);
    struct call call;
    int code = begin(b, &call, JOBQ_ACT_SQS_GET_URL, err);
    if (code)
        return code;
    code = b->queue->ops->open(b->queue, name, out_queue, &call.cost, err);
    return end(b, &call, 1, code, err);
}

int jobq_queue_set_options(struct jobq_backend *b, int queue,
                           const struct jobq_queue_options *options,
                           struct jobq_error *err)
{
    assert(queue >= 0 && options && err);
    struct call call;
    int code = begin(b, &call, JOBQ_ACT_SQS_SET_ATTRIBUTES, err);
    if (code)
        return code;
    code = b->queue->ops->set_options(b->queue, queue, options, &call.cost, err);
    return end(b, &call, 1, code, err);
}

int jobq_queue_depth(struct jobq_backend *b, int queue, struct jobq_queue_depth *out,
                     struct jobq_error *err)
{
    assert(queue >= 0 && out && err);
    struct call call;
    int code = begin(b, &call, JOBQ_ACT_SQS_GET_ATTRIBUTES, err);
    if (code)
        return code;
    code = b->queue->ops->depth(b->queue, queue, out, &call.cost, err);
    return end(b, &call, 1, code, err);
}

int jobq_queue_send(struct jobq_backend *b, int queue, const struct jobq_outgoing *in,
                    int count, struct jobq_entry_result *result, struct jobq_error *err)
{
    assert(queue >= 0 && in && result && err && count >= 1 && count <= JOBQ_BATCH_MAX);
    struct call call;
    int code =
        begin(b, &call, count == 1 ? JOBQ_ACT_SQS_SEND : JOBQ_ACT_SQS_SEND_BATCH, err);
    if (code)
        return code;
    code = b->queue->ops->send(b->queue, queue, in, count, result, &call.cost, err);
    if (call.cost.requests > 0) {
        int64_t payload_bytes = 0;
        for (int i = 0; i < count; i++)
            payload_bytes += in[i].body.len + in[i].phantom_bytes;
        b->ledger->send_kib[jobq_payload_bucket(payload_bytes)] += call.cost.requests;
    }
    return end(b, &call, count, code, err);
}

int jobq_queue_receive(struct jobq_backend *b, int queue,
                       const struct jobq_receive *options, struct arena *arena,
                       struct jobq_message *out, struct jobq_error *err)
{
    assert(queue >= 0 && arena && out && err);
    assert(options->max >= 1 && options->max <= JOBQ_BATCH_MAX && options->wait_ns >= 0);
    struct call call;
    int code = begin(b, &call, JOBQ_ACT_SQS_RECEIVE, err);
    if (code)
        return code;
    code = b->queue->ops->receive(b->queue, queue, options, arena, out, &call.cost, err);
    int count = code > 0 ? code : 0;
    if (call.cost.requests > 0) {
        int64_t payload_bytes = 0;
        for (int i = 0; i < count; i++)
            payload_bytes += out[i].body.len + out[i].phantom_bytes;
        b->ledger->receive_kib[jobq_payload_bucket(payload_bytes)] += call.cost.requests;
        if (code == 0)
            b->ledger->action[JOBQ_ACT_SQS_RECEIVE].empty++;
    }
    return end(b, &call, count, code, err);
}

int jobq_queue_remove(struct jobq_backend *b, int queue, const struct jobq_str *receipt,
                      int count, struct jobq_entry_result *result, struct jobq_error *err)
{
    assert(queue >= 0 && receipt && result && err && count >= 1 &&
           count <= JOBQ_BATCH_MAX);
    struct call call;
    int code = begin(b, &call,
                     count == 1 ? JOBQ_ACT_SQS_DELETE : JOBQ_ACT_SQS_DELETE_BATCH, err);
    if (code)
        return code;
    code =
        b->queue->ops->remove(b->queue, queue, receipt, count, result, &call.cost, err);
    return end(b, &call, count, code, err);
}

int jobq_queue_set_visibility(struct jobq_backend *b, int queue,
                              const struct jobq_visibility_change *change, int count,
                              struct jobq_entry_result *result, struct jobq_error *err)
{
    assert(queue >= 0 && change && result && err && count >= 1 &&
           count <= JOBQ_BATCH_MAX);
    struct call call;
    int code =
        begin(b, &call,
              count == 1 ? JOBQ_ACT_SQS_VISIBILITY : JOBQ_ACT_SQS_VISIBILITY_BATCH, err);
    if (code)
        return code;
    code = b->queue->ops->set_visibility(b->queue, queue, change, count, result,
                                         &call.cost, err);
    return end(b, &call, count, code, err);
}

int jobq_queue_purge(struct jobq_backend *b, int queue, struct jobq_error *err)
{
    assert(queue >= 0 && err);
    struct call call;
    int code = begin(b, &call, JOBQ_ACT_SQS_PURGE, err);
    if (code)
        return code;
    code = b->queue->ops->purge(b->queue, queue, &call.cost, err);
    return end(b, &call, 1, code, err);
}

void jobq_queue_abort_receives(struct jobq_backend *b)
{
    b->queue->ops->abort_receives(b->queue);
}

/* ---- store --------------------------------------------------------------------------- */

int jobq_store_open(struct jobq_backend *b, const char *domain, int *out_domain,
                    struct jobq_error *err)
{
    assert(domain && out_domain && err);
    return b->store->ops->open(b->store, domain, out_domain, err);
}

int jobq_store_create_domain(struct jobq_backend *b, const char *domain,
                             struct jobq_error *err)
{
    assert(domain && err);
    struct call call;
    int code = begin(b, &call, JOBQ_ACT_SDB_CREATE_DOMAIN, err);
    if (code)
        return code;
    code = b->store->ops->create_domain(b->store, domain, &call.cost, err);
    return end(b, &call, 1, code, err);
}

int jobq_store_delete_domain(struct jobq_backend *b, const char *domain,
                             struct jobq_error *err)
{
    assert(domain && err);
    struct call call;
    int code = begin(b, &call, JOBQ_ACT_SDB_DELETE_DOMAIN, err);
    if (code)
        return code;
    code = b->store->ops->delete_domain(b->store, domain, &call.cost, err);
    return end(b, &call, 1, code, err);
}

int jobq_store_list_domains(struct jobq_backend *b, const char *after,
                            struct arena *arena, struct jobq_str *out, int cap,
                            struct jobq_error *err)
{
    assert(arena && out && cap >= 1 && err);
    struct call call;
    int code = begin(b, &call, JOBQ_ACT_SDB_LIST_DOMAINS, err);
    if (code)
        return code;
    code = b->store->ops->list_domains(b->store, after, arena, out, cap, &call.cost, err);
    return end(b, &call, code > 0 ? code : 0, code, err);
}

int jobq_store_domain_stats(struct jobq_backend *b, int domain,
                            struct jobq_domain_stats *out, struct jobq_error *err)
{
    assert(domain >= 0 && out && err);
    struct call call;
    int code = begin(b, &call, JOBQ_ACT_SDB_METADATA, err);
    if (code)
        return code;
    code = b->store->ops->domain_stats(b->store, domain, out, &call.cost, err);
    return end(b, &call, 1, code, err);
}

int jobq_store_put(struct jobq_backend *b, int domain, const struct jobq_item *item,
                   const struct jobq_expect *expect, struct jobq_error *err)
{
    assert(domain >= 0 && item->name.ptr && item->attr && item->attr_count >= 1 && err);
    struct call call;
    int code = begin(b, &call, JOBQ_ACT_SDB_PUT, err);
    if (code)
        return code;
    code = b->store->ops->put(b->store, domain, item, expect, &call.cost, err);
    return end(b, &call, 1, code, err);
}

int jobq_store_put_batch(struct jobq_backend *b, int domain, const struct jobq_item *item,
                         int item_count, struct jobq_error *err)
{
    assert(domain >= 0 && item && item_count >= 1 && item_count <= JOBQ_STORE_BATCH_MAX);
    struct call call;
    int code = begin(b, &call, JOBQ_ACT_SDB_PUT_BATCH, err);
    if (code)
        return code;
    code = b->store->ops->put_batch(b->store, domain, item, item_count, &call.cost, err);
    return end(b, &call, item_count, code, err);
}

int jobq_store_get(struct jobq_backend *b, int domain, struct jobq_str item,
                   const struct jobq_str *name, int name_count, bool consistent,
                   struct arena *arena, struct jobq_item *out, struct jobq_error *err)
{
    assert(domain >= 0 && item.ptr && arena && out && err);
    struct call call;
    int code = begin(b, &call, JOBQ_ACT_SDB_GET, err);
    if (code)
        return code;
    code = b->store->ops->get(b->store, domain, item, name, name_count, consistent, arena,
                              out, &call.cost, err);
    return end(b, &call, 1, code, err);
}

int jobq_store_remove(struct jobq_backend *b, int domain, struct jobq_str item,
                      const struct jobq_attr *attr, int attr_count,
                      const struct jobq_expect *expect, struct jobq_error *err)
{
    assert(domain >= 0 && item.ptr && err);
    struct call call;
    int code = begin(b, &call, JOBQ_ACT_SDB_DELETE, err);
    if (code)
        return code;
    code = b->store->ops->remove(b->store, domain, item, attr, attr_count, expect,
                                 &call.cost, err);
    return end(b, &call, 1, code, err);
}

int jobq_store_select(struct jobq_backend *b, struct jobq_str expression, bool consistent,
                      struct jobq_str *next_token, struct arena *arena,
                      struct jobq_item *out, int cap, struct jobq_error *err)
{
    assert(expression.ptr && next_token && arena && out && cap >= 1 && err);
    struct call call;
    int code = begin(b, &call, JOBQ_ACT_SDB_SELECT, err);
    if (code)
        return code;
    code = b->store->ops->select(b->store, expression, consistent, next_token, arena, out,
                                 cap, &call.cost, err);
    return end(b, &call, code > 0 ? code : 0, code, err);
}

/* ---- fleet --------------------------------------------------------------------------- */

int jobq_fleet_launch(struct jobq_backend *b, const struct jobq_launch *launch,
                      struct arena *arena, struct jobq_str *out, int cap,
                      struct jobq_error *err)
{
    assert(launch && launch->count >= 1 && arena && out && cap >= launch->count && err);
    struct call call;
    int code = begin(b, &call, JOBQ_ACT_EC2_RUN, err);
    if (code)
        return code;
    code = b->fleet->ops->launch(b->fleet, launch, arena, out, cap, &call.cost, err);
    return end(b, &call, code > 0 ? code : 0, code, err);
}

int jobq_fleet_terminate(struct jobq_backend *b, const struct jobq_str *id, int count,
                         struct jobq_error *err)
{
    assert(id && count >= 1 && err);
    struct call call;
    int code = begin(b, &call, JOBQ_ACT_EC2_TERMINATE, err);
    if (code)
        return code;
    code = b->fleet->ops->terminate(b->fleet, id, count, &call.cost, err);
    return end(b, &call, count, code, err);
}

int jobq_fleet_describe(struct jobq_backend *b, struct jobq_tag tag, struct arena *arena,
                        struct jobq_box *out, int cap, struct jobq_error *err)
{
    assert(arena && out && cap >= 1 && err);
    struct call call;
    int code = begin(b, &call, JOBQ_ACT_EC2_DESCRIBE, err);
    if (code)
        return code;
    code = b->fleet->ops->describe(b->fleet, tag, arena, out, cap, &call.cost, err);
    return end(b, &call, code > 0 ? code : 0, code, err);
}

int jobq_fleet_tag(struct jobq_backend *b, const struct jobq_str *id, int id_count,
                   const struct jobq_tag *tag, int tag_count, struct jobq_error *err)
{
    assert(id && id_count >= 1 && tag && tag_count >= 1 && err);
    struct call call;
    int code = begin(b, &call, JOBQ_ACT_EC2_TAG, err);
    if (code)
        return code;
    code = b->fleet->ops->tag(b->fleet, id, id_count, tag, tag_count, &call.cost, err);
    return end(b, &call, id_count, code, err);
}

int jobq_fleet_self(struct jobq_backend *b, struct jobq_self *out, struct jobq_error *err)
{
    assert(out && err);
    return b->fleet->ops->self(b->fleet, out, err);
}

int jobq_fleet_notice(struct jobq_backend *b, struct jobq_notice *out,
                      struct jobq_error *err)
{
    assert(out && err);
    return b->fleet->ops->notice(b->fleet, out, err);
}

/* ---- child and board ----------------------------------------------------------------- */

int jobq_child_start(struct jobq_backend *b, const struct jobq_work *work,
                     struct jobq_error *err)
{
    assert(work && err);
    return b->child->ops->start(b->child, work, err);
}

int jobq_child_wait(struct jobq_backend *b, int handle, int64_t until_ns,
                    struct jobq_work_result *out, struct jobq_error *err)
{
    assert(handle >= 0 && out && err);
    return b->child->ops->wait(b->child, handle, until_ns, out, err);
}

void jobq_child_stop(struct jobq_backend *b, int handle, int64_t grace_ns)
{
    assert(handle >= 0 && grace_ns >= 0);
    b->child->ops->stop(b->child, handle, grace_ns);
}

void jobq_board_post(struct jobq_backend *b, const char *path, const char *content_type,
                     struct jobq_str bytes)
{
    assert(path && content_type && bytes.ptr);
    b->board->ops->post(b->board, path, content_type, bytes);
}
