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
    enum jobq_action action;
    int entries;                            /* messages or rows in it; ENTRIES_OF_REPLY */
    const struct jobq_entry_result *result; /* of a batch's entries; NULL: not a batch */
    struct jobq_call_cost cost;
    int answer;         /* the world's code or count, before the fault hook's */
    int64_t started_ns; /* only when traced */
};

/* As many as the world's answer says. */
enum { ENTRIES_OF_REPLY = -1 };

/* The form of every wrapper. Makes one call through fault hook and meter and leaves its
 * outcome in `code`; `made` is the call of the world's table, which finds room for its cost
 * in call.cost. */
#define CALL(action_, entries_, made) CALL_BATCH(action_, entries_, NULL, made)
#define CALL_BATCH(action_, entries_, result_, made)                                     \
    struct call call = {                                                                 \
        .action = (action_), .entries = (entries_), .result = (result_)};                \
    int code = ports_begin(b, &call, err);                                               \
    if (code == JOBQ_OK) {                                                               \
        call.answer = (made);                                                            \
        code = ports_end(b, &call, err);                                                 \
    }

static int injected(struct jobq_error *err, int code, enum jobq_action action)
{
    return jobq_fail(err, (enum jobq_code)code, "fault injected in '%s'",
                     jobq_action_name(action));
}

/* ---- what a call leaves behind -------------------------------------------------------- */

static void meter(struct jobq_backend *b, const struct call *call, int code)
{
    struct jobq_usage *use = &b->ledger->action[call->action];
    const struct jobq_call_cost *cost = &call->cost;
    use->requests += cost->requests;
    use->bytes_out += cost->bytes_out;
    use->bytes_in += cost->bytes_in;
    use->box_usage_e10h += cost->box_usage_e10h;
    b->ledger->write_units += cost->write_units;
    b->ledger->read_units += cost->read_units;
    if (cost->requests > 0) {
        use->entries += call->entries;
        if (code < 0 && code != JOBQ_CANCELLED) {
            use->failed++;
            if (code == JOBQ_THROTTLED)
                use->throttled++;
        }
    }
}

static void trace(struct jobq_backend *b, const struct call *call, int code)
{
    struct jobq_trace_call record = {
        .action = call->action,
        .started_ns = call->started_ns,
        .ended_ns = b->clock->ops->now(b->clock),
        .entries = call->entries,
        .code = code,
        .cost = call->cost,
    };
    b->trace(b->trace_ctx, &record);
}

/* A batch and a single call need the same permission and fail together. */
static enum jobq_action without_batch(const struct jobq_backend *b,
                                      enum jobq_action action)
{
    bool batch = action == JOBQ_ACT_SQS_SEND_BATCH ||
                 action == JOBQ_ACT_SQS_DELETE_BATCH ||
                 action == JOBQ_ACT_SQS_VISIBILITY_BATCH;
    const enum jobq_action *store = b->store ? b->store->ops->action : NULL;
    if (store && action == store[JOBQ_STORE_PUT_BATCH])
        return store[JOBQ_STORE_PUT];
    return (enum jobq_action)(action - batch);
}

/* "Look again" is an answer, and part of the product's protocols. */
static bool is_failure(int code)
{
    return code < 0 && code != JOBQ_NOT_FOUND && code != JOBQ_CONFLICT;
}

/* Tells the outcome hook of a failure, also of a batch's entry, and of the first call that
 * is answered after one. */
static void tell_outcome(struct jobq_backend *b, const struct call *call, int code,
                         const struct jobq_error *err)
{
    enum jobq_action action = without_batch(b, call->action);
    uint64_t bit = UINT64_C(1) << action;
    const char *text = err->text;
    if (code == JOBQ_CANCELLED)
        return;
    for (int i = 0; code == JOBQ_OK && call->result && i < call->entries; i++)
        if (is_failure(call->result[i].code)) {
            code = call->result[i].code;
            text = call->result[i].text;
        }
    bool failed = is_failure(code);
    if (!failed && !(b->failing & bit))
        return;
    b->failing = failed ? b->failing | bit : b->failing & ~bit;
    b->outcome(b->outcome_ctx, action, failed ? code : JOBQ_OK, failed ? text : "");
}

/* ---- before and after ----------------------------------------------------------------- */

/* Returns JOBQ_OK, or the code by which the fault hook forbids the call. */
static int ports_begin(struct jobq_backend *b, struct call *call, struct jobq_error *err)
{
    if (b->trace)
        call->started_ns = b->clock->ops->now(b->clock);
    int code = b->fault ? b->fault(b->fault_ctx, call->action, JOBQ_FAULT_BEFORE) : 0;
    if (code == 0)
        return JOBQ_OK;
    injected(err, code, call->action);
    if (b->outcome)
        tell_outcome(b, call, code, err);
    return code;
}

/* Meters the call; returns its code, or the one that the fault hook puts in its place. */
static int ports_end(struct jobq_backend *b, struct call *call, struct jobq_error *err)
{
    int code = call->answer;
    if (call->entries == ENTRIES_OF_REPLY)
        call->entries = code > 0 ? code : 0;
    int lost = b->fault ? b->fault(b->fault_ctx, call->action, JOBQ_FAULT_AFTER) : 0;
    if (lost != 0)
        code = injected(err, lost, call->action);
    meter(b, call, code);
    if (b->trace)
        trace(b, call, code);
    if (b->outcome)
        tell_outcome(b, call, code, err);
    return code;
}

/* ---- clock and dice -------------------------------------------------------------------- */

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

/* A world may set no more than the codes. */
static void clear_texts(struct jobq_entry_result *result, int count)
{
    for (int i = 0; i < count; i++)
        result[i].text[0] = '\0';
}

int jobq_queue_create(struct jobq_backend *b, const char *name,
                      const struct jobq_queue_options *options, int *out_queue,
                      struct jobq_error *err)
{
    assert(name && options && out_queue && err);
    CALL(JOBQ_ACT_SQS_CREATE_QUEUE, 1,
         b->queue->ops->create(b->queue, name, options, out_queue, &call.cost, err));
    return code;
}

int jobq_queue_open(struct jobq_backend *b, const char *name, int *out_queue,
                    struct jobq_error *err)
{
    assert(name && out_queue && err);
    CALL(JOBQ_ACT_SQS_GET_URL, 1,
         b->queue->ops->open(b->queue, name, out_queue, &call.cost, err));
    return code;
}

int jobq_queue_set_options(struct jobq_backend *b, int queue,
                           const struct jobq_queue_options *options,
                           struct jobq_error *err)
{
    assert(queue >= 0 && options && err);
    CALL(JOBQ_ACT_SQS_SET_ATTRIBUTES, 1,
         b->queue->ops->set_options(b->queue, queue, options, &call.cost, err));
    return code;
}

int jobq_queue_depth(struct jobq_backend *b, int queue, struct jobq_queue_depth *out,
                     struct jobq_error *err)
{
    assert(queue >= 0 && out && err);
    CALL(JOBQ_ACT_SQS_GET_ATTRIBUTES, 1,
         b->queue->ops->depth(b->queue, queue, out, &call.cost, err));
    return code;
}

int jobq_queue_send(struct jobq_backend *b, int queue, const struct jobq_outgoing *in,
                    int count, struct jobq_entry_result *result, struct jobq_error *err)
{
    assert(queue >= 0 && in && result && err && count >= 1 && count <= JOBQ_BATCH_MAX);
    clear_texts(result, count);
    CALL_BATCH(count == 1 ? JOBQ_ACT_SQS_SEND : JOBQ_ACT_SQS_SEND_BATCH, count, result,
               b->queue->ops->send(b->queue, queue, in, count, result, &call.cost, err));
    if (call.cost.requests > 0) {
        int64_t payload_bytes = 0;
        for (int i = 0; i < count; i++)
            payload_bytes += in[i].body.len + in[i].phantom_bytes;
        b->ledger->send_kib[jobq_payload_bucket(payload_bytes)] += call.cost.requests;
    }
    return code;
}

int jobq_queue_receive(struct jobq_backend *b, int queue,
                       const struct jobq_receive *options, struct arena *arena,
                       struct jobq_message *out, struct jobq_error *err)
{
    assert(queue >= 0 && arena && out && err);
    assert(options->max >= 1 && options->max <= JOBQ_BATCH_MAX && options->wait_ns >= 0);
    CALL(JOBQ_ACT_SQS_RECEIVE, ENTRIES_OF_REPLY,
         b->queue->ops->receive(b->queue, queue, options, arena, out, &call.cost, err));
    if (call.cost.requests > 0) {
        int64_t payload_bytes = 0;
        for (int i = 0; i < call.answer; i++)
            payload_bytes += out[i].body.len + out[i].phantom_bytes;
        b->ledger->receive_kib[jobq_payload_bucket(payload_bytes)] += call.cost.requests;
        if (call.answer == 0)
            b->ledger->action[JOBQ_ACT_SQS_RECEIVE].empty++;
    }
    return code;
}

int jobq_queue_remove(struct jobq_backend *b, int queue, const struct jobq_str *receipt,
                      int count, struct jobq_entry_result *result, struct jobq_error *err)
{
    assert(queue >= 0 && receipt && result && err && count >= 1 &&
           count <= JOBQ_BATCH_MAX);
    clear_texts(result, count);
    CALL_BATCH(
        count == 1 ? JOBQ_ACT_SQS_DELETE : JOBQ_ACT_SQS_DELETE_BATCH, count, result,
        b->queue->ops->remove(b->queue, queue, receipt, count, result, &call.cost, err));
    return code;
}

int jobq_queue_set_visibility(struct jobq_backend *b, int queue,
                              const struct jobq_visibility_change *change, int count,
                              struct jobq_entry_result *result, struct jobq_error *err)
{
    assert(queue >= 0 && change && result && err && count >= 1 &&
           count <= JOBQ_BATCH_MAX);
    clear_texts(result, count);
    CALL_BATCH(count == 1 ? JOBQ_ACT_SQS_VISIBILITY : JOBQ_ACT_SQS_VISIBILITY_BATCH,
               count, result,
               b->queue->ops->set_visibility(b->queue, queue, change, count, result,
                                             &call.cost, err));
    return code;
}

int jobq_queue_purge(struct jobq_backend *b, int queue, struct jobq_error *err)
{
    assert(queue >= 0 && err);
    CALL(JOBQ_ACT_SQS_PURGE, 1, b->queue->ops->purge(b->queue, queue, &call.cost, err));
    return code;
}

void jobq_queue_abort_receives(struct jobq_backend *b)
{
    b->queue->ops->abort_receives(b->queue);
}

/* ---- store --------------------------------------------------------------------------- */

/* The store's own action behind a call. */
static enum jobq_action store_action(const struct jobq_backend *b,
                                     enum jobq_store_call call)
{
    return b->store->ops->action[call];
}

int jobq_store_open(struct jobq_backend *b, const struct jobq_table *table,
                    int *out_table, struct jobq_error *err)
{
    assert(table && table->day >= JOBQ_DAY_FIRST && table->shard >= 0 && out_table &&
           err);
    return b->store->ops->open(b->store, table, out_table, err);
}

int jobq_store_make(struct jobq_backend *b, int table, struct jobq_error *err)
{
    assert(table >= 0 && err);
    CALL(store_action(b, JOBQ_STORE_MAKE), 1,
         b->store->ops->make(b->store, table, &call.cost, err));
    return code;
}

int jobq_store_drop(struct jobq_backend *b, int table, struct jobq_error *err)
{
    assert(table >= 0 && err);
    CALL(store_action(b, JOBQ_STORE_DROP), 1,
         b->store->ops->drop(b->store, table, &call.cost, err));
    return code;
}

int jobq_store_list(struct jobq_backend *b, struct jobq_str queue,
                    struct jobq_str *next_token, struct arena *arena,
                    struct jobq_table *out, int cap, int *out_all, struct jobq_error *err)
{
    assert(queue.len > 0 && next_token && arena && out && cap >= 1 && out_all && err);
    CALL(store_action(b, JOBQ_STORE_LIST), ENTRIES_OF_REPLY,
         b->store->ops->list(b->store, queue, next_token, arena, out, cap, out_all,
                             &call.cost, err));
    return code;
}

int jobq_store_count(struct jobq_backend *b, int table, int64_t *out_rows,
                     struct jobq_error *err)
{
    assert(table >= 0 && out_rows && err);
    CALL(store_action(b, JOBQ_STORE_COUNT), 1,
         b->store->ops->count(b->store, table, out_rows, &call.cost, err));
    return code;
}

int jobq_store_put(struct jobq_backend *b, int table, const struct jobq_item *item,
                   const struct jobq_expect *expect, struct jobq_met *met,
                   struct jobq_error *err)
{
    assert(table >= 0 && item->name.ptr && item->attr && item->attr_count >= 1 && err);
    if (met)
        met->known = false;
    CALL(store_action(b, JOBQ_STORE_PUT), 1,
         b->store->ops->put(b->store, table, item, expect, met, &call.cost, err));
    return code;
}

int jobq_store_put_batch(struct jobq_backend *b, int table, const struct jobq_item *item,
                         int item_count, struct jobq_error *err)
{
    assert(table >= 0 && item && item_count >= 1 &&
           item_count <= b->store->ops->batch_max);
    CALL(store_action(b, JOBQ_STORE_PUT_BATCH), item_count,
         b->store->ops->put_batch(b->store, table, item, item_count, &call.cost, err));
    return code;
}

int jobq_store_get(struct jobq_backend *b, int table, struct jobq_str row,
                   const struct jobq_str *name, int name_count, bool consistent,
                   struct arena *arena, struct jobq_item *out, struct jobq_error *err)
{
    assert(table >= 0 && row.ptr && arena && out && err);
    CALL(store_action(b, JOBQ_STORE_GET), 1,
         b->store->ops->get(b->store, table, row, name, name_count, consistent, arena,
                            out, &call.cost, err));
    return code;
}

int jobq_store_remove(struct jobq_backend *b, int table, struct jobq_str row,
                      const struct jobq_expect *expect, struct jobq_error *err)
{
    assert(table >= 0 && row.ptr && err);
    CALL(store_action(b, JOBQ_STORE_REMOVE), 1,
         b->store->ops->remove(b->store, table, row, expect, &call.cost, err));
    return code;
}

int jobq_store_page(struct jobq_backend *b, int table, const struct jobq_filter *filter,
                    const struct jobq_str *name, int name_count, bool consistent,
                    struct jobq_str *next_token, struct arena *arena,
                    struct jobq_item *out, int cap, struct jobq_error *err)
{
    assert(table >= 0 && filter && next_token && arena && out && cap >= 1 && err);
    CALL(store_action(b, JOBQ_STORE_PAGE), ENTRIES_OF_REPLY,
         b->store->ops->page(b->store, table, filter, name, name_count, consistent,
                             next_token, arena, out, cap, &call.cost, err));
    return code;
}

void jobq_store_keep(struct jobq_backend *b, int64_t keep_ns)
{
    assert(keep_ns >= 0);
    if (b->store)
        b->store->keep_ns = keep_ns;
}

void jobq_store_page_cost(struct jobq_backend *b, int64_t rows,
                          struct jobq_call_cost *out)
{
    assert(rows >= 0 && out);
    *out = (struct jobq_call_cost){0};
    b->store->ops->page_cost(b->store, rows, out);
}

/* ---- fleet --------------------------------------------------------------------------- */

int jobq_fleet_launch(struct jobq_backend *b, const struct jobq_launch *launch,
                      struct arena *arena, struct jobq_str *out, int cap,
                      struct jobq_error *err)
{
    assert(launch && launch->count >= 1 && arena && out && cap >= launch->count && err);
    CALL(JOBQ_ACT_EC2_RUN, ENTRIES_OF_REPLY,
         b->fleet->ops->launch(b->fleet, launch, arena, out, cap, &call.cost, err));
    return code;
}

int jobq_fleet_terminate(struct jobq_backend *b, const struct jobq_str *id, int count,
                         struct jobq_error *err)
{
    assert(id && count >= 1 && err);
    CALL(JOBQ_ACT_EC2_TERMINATE, count,
         b->fleet->ops->terminate(b->fleet, id, count, &call.cost, err));
    return code;
}

int jobq_fleet_describe(struct jobq_backend *b, struct jobq_tag tag,
                        struct jobq_str *next_token, struct arena *arena,
                        struct jobq_box *out, struct jobq_error *err)
{
    assert(next_token && arena && out && err);
    CALL(JOBQ_ACT_EC2_DESCRIBE, ENTRIES_OF_REPLY,
         b->fleet->ops->describe(b->fleet, tag, next_token, arena, out, &call.cost, err));
    return code;
}

int jobq_fleet_tag(struct jobq_backend *b, const struct jobq_str *id, int id_count,
                   const struct jobq_tag *tag, int tag_count, struct jobq_error *err)
{
    assert(id && id_count >= 1 && tag && tag_count >= 1 && err);
    CALL(JOBQ_ACT_EC2_TAG, id_count,
         b->fleet->ops->tag(b->fleet, id, id_count, tag, tag_count, &call.cost, err));
    return code;
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

void jobq_board_post(struct jobq_backend *b, const char *path, int status,
                     const char *content_type, struct jobq_str bytes)
{
    assert(path && status >= 200 && content_type && bytes.ptr);
    b->board->ops->post(b->board, path, status, content_type, bytes);
}

int jobq_board_take(struct jobq_backend *b, struct arena *arena,
                    struct jobq_question *out, struct jobq_error *err)
{
    assert(arena && out && err);
    return b->board->ops->take(b->board, arena, out, err);
}

void jobq_board_answer(struct jobq_backend *b, int64_t handle,
                       const struct jobq_answer *answer)
{
    assert(handle >= 0 && answer && answer->status >= 200 && answer->content_type);
    b->board->ops->answer(b->board, handle, answer);
}
