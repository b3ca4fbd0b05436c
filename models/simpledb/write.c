/* write.c - put and delete, single and batched.
 *
 * Room:     models, the facts.
 *
 * A write is planned, then committed. The plan drafts each row and checks every limit; nothing
 * changes until all rows of the call have a plan, so that a call is all or nothing. */
#include "models/simpledb/simpledb.h"

#include "base/text.h"
#include "models/simpledb/call.h"
#include "models/simpledb/draft.h"
#include "models/simpledb/box_usage.h"

#include <assert.h>

enum { BATCH_MAX = 25, CALL_BYTES_MAX = 16 << 20 };

struct plan {
    uint32_t hash;
    int64_t slot; /* -1: no such row yet */
    struct row_draft draft;
};

/* ---- checks -------------------------------------------------------------------------- */

/* What is wrong with a put or delete of a row; JOBQ_OK: nothing. */
static __attribute__((noinline)) int
refuse_pairs(const struct simpledb *model, const struct jobq_item *item, bool needs_pairs,
             struct simpledb_reply *reply, struct jobq_error *err)
{
    int code = call_string(model, item->name, "ItemName", reply, err);
    if (code < 0)
        return code;
    if (item->attr_count == 0 && needs_pairs)
        return call_fail(model, SIMPLEDB_FAULT_MISSING, reply, err,
                         "No attributes for item ='%.*s'.", CALL_STR(item->name));
    if (item->attr_count > model->params.put_pairs_max)
        return call_fail(model, SIMPLEDB_FAULT_SUBMITTED_ATTRIBUTES, reply, err,
                         "Too many attributes for item %.*s in a single call. Up to %lld "
                         "attributes per call allowed.",
                         CALL_STR(item->name), (long long)model->params.put_pairs_max);
    for (int i = 0; i < item->attr_count; i++) {
        const struct jobq_attr *attr = &item->attr[i];
        if ((code = call_string(model, attr->name, "Name", reply, err)) < 0 ||
            (code = call_string(model, attr->value, "Value", reply, err)) < 0)
            return code;
    }
    return JOBQ_OK;
}

/* The answer is nearly always that nothing is wrong, which is found without a branch a pair:
 * the lengths of all names together have no bit that the limit does not allow. */
static inline int check_pairs(const struct simpledb *model, const struct jobq_item *item,
                              bool needs_pairs, struct simpledb_reply *reply,
                              struct jobq_error *err)
{
    uint64_t names = (uint64_t)item->name.len - 1;
    int64_t longest = 0;
    int32_t count = item->attr_count;
    bool bad = !item->name.ptr || (count == 0 && needs_pairs) ||
               count > model->params.put_pairs_max;
    for (const struct jobq_attr *attr = item->attr, *end = attr + count; attr < end;
         attr++) {
        names |= (uint64_t)attr->name.len - 1;
        longest = attr->value.len > longest ? attr->value.len : longest;
        bad |= !attr->name.ptr;
    }
    bad |= names >= model->plain_bytes || longest > model->params.name_bytes_max;
    return bad ? refuse_pairs(model, item, needs_pairs, reply, err) : JOBQ_OK;
}

static inline int refuse_expect(const struct simpledb *model,
                                const struct jobq_expect *expect,
                                struct simpledb_reply *reply, struct jobq_error *err)
{
    if ((uint64_t)expect->name.len - 1 < model->plain_bytes && expect->name.ptr &&
        expect->value.len <= model->params.name_bytes_max)
        return JOBQ_OK;
    int code = call_string(model, expect->name, "Name", reply, err);
    return code < 0 ? code : call_string(model, expect->value, "Value", reply, err);
}

static int check_batch(const struct simpledb *model, const struct jobq_item *item,
                       int item_count, bool needs_pairs, struct simpledb_reply *reply,
                       struct jobq_error *err)
{
    const struct simpledb_params *params = &model->params;
    if (item_count <= 0)
        return call_fail(model, SIMPLEDB_FAULT_MISSING, reply, err, "No items provided");
    if (item_count > BATCH_MAX ||
        (params->batch_items_max && item_count > params->batch_items_max))
        return call_fail(model, SIMPLEDB_FAULT_SUBMITTED_ITEMS, reply, err,
                         "Too many items in a single call. Up to %lld items per call "
                         "allowed.",
                         (long long)params->batch_items_max);
    int64_t bytes = 0;
    for (int i = 0; i < item_count; i++) {
        int code = check_pairs(model, &item[i], needs_pairs, reply, err);
        if (code < 0)
            return code;
        bytes += item[i].name.len;
        for (int k = 0; k < item[i].attr_count; k++)
            bytes += item[i].attr[k].name.len + item[i].attr[k].value.len;
    }
    /* AWS documents the limit of 1 MB, not the code: assumed. */
    if (params->batch_bytes_max && bytes > params->batch_bytes_max)
        return call_fail(
            model, SIMPLEDB_FAULT_PARAMETER, reply, err,
            "Value (%lld bytes) for parameter Item is invalid. Request exceeds "
            "maximum size of %lld bytes.",
            (long long)bytes, (long long)params->batch_bytes_max);
    return JOBQ_OK;
}

/* A bucket a domain; a batch larger than the bucket waits for a full one and overdraws. */
static bool take_writes(const struct simpledb *model, struct row_domain *domain,
                        int64_t now_ns, double writes)
{
    const struct simpledb_params *params = &model->params;
    if (params->writes_per_s <= 0)
        return true;
    double depth = params->write_burst > 1 ? params->write_burst : 1;
    double since_s = (double)(now_ns - domain->tokens_at_ns) / 1e9;
    double tokens = domain->tokens + since_s * params->writes_per_s;
    domain->tokens = tokens < depth ? tokens : depth;
    domain->tokens_at_ns = now_ns;
    if (domain->tokens + 1e-9 < (writes < depth ? writes : depth))
        return false;
    domain->tokens -= writes;
    return true;
}

static int refuse_writes(const struct simpledb *model, struct simpledb_reply *reply,
                         struct jobq_error *err)
{
    return simpledb_refuse(model, SIMPLEDB_FAULT_UNAVAILABLE,
                           "Service AmazonSimpleDB is currently unavailable. Please try "
                           "again later",
                           reply, err);
}

/* The one expected attribute: absent, or there once with this value. */
static int check_expect(const struct simpledb *model, const struct row_held *held,
                        const struct jobq_expect *expect, struct simpledb_reply *reply,
                        struct jobq_error *err)
{
    int values = held->values;
    struct row_pair found = held->first;
    if (expect->exists && values == 1 && draft_same_value(&found, expect->value))
        return JOBQ_OK;
    if (!expect->exists) {
        if (values == 0)
            return JOBQ_OK;
        return call_fail(model, SIMPLEDB_FAULT_CONDITION, reply, err,
                         "Conditional check failed. Attribute (%.*s) value exists",
                         CALL_STR(expect->name));
    }
    if (values == 0)
        return call_fail(model, SIMPLEDB_FAULT_NO_ATTRIBUTE, reply, err,
                         "Attribute (%.*s) does not exist", CALL_STR(expect->name));
    if (values > 1)
        return call_fail(
            model, SIMPLEDB_FAULT_MULTI_VALUED, reply, err,
            "Attribute (%.*s) is multi-valued. Conditional check can only be "
            "performed on a single-valued attribute",
            CALL_STR(expect->name));
    struct jobq_str is = {found.phantom ? row_phantom_bytes() : found.bytes, found.len};
    return call_fail(model, SIMPLEDB_FAULT_CONDITION, reply, err,
                     "Conditional check failed. Attribute (%.*s) value is (%.*s) but was "
                     "expected (%.*s)",
                     CALL_STR(expect->name), CALL_STR(is), CALL_STR(expect->value));
}

/* ---- plans --------------------------------------------------------------------------- */

static int64_t domain_bytes(const struct row_domain *domain)
{
    const struct simpledb_stats *stats = &domain->stats;
    return stats->item_bytes + stats->name_bytes + stats->value_bytes;
}

/* Room for `more` rows' bytes and pairs in the domain. Exact but for attribute names new to
 * the domain, which count from the next call on. */
static int check_domain_room(const struct simpledb *model,
                             const struct row_domain *domain, int64_t more_bytes,
                             int64_t more_pairs, struct simpledb_reply *reply,
                             struct jobq_error *err)
{
    const struct simpledb_params *params = &model->params;
    if (params->domain_bytes_max && more_bytes > 0 &&
        domain_bytes(domain) + more_bytes > params->domain_bytes_max)
        return call_fail(model, SIMPLEDB_FAULT_DOMAIN_BYTES, reply, err,
                         "Too many bytes in this domain.");
    if (params->domain_pairs_max && more_pairs > 0 &&
        domain->stats.values + more_pairs > params->domain_pairs_max)
        return call_fail(model, SIMPLEDB_FAULT_DOMAIN_ATTRIBUTES, reply, err,
                         "Too many attributes in this domain.");
    return JOBQ_OK;
}

static void commit_plans(struct simpledb *model, struct row_domain *domain,
                         int64_t now_ns, const struct plan *plan, int count)
{
    for (int i = 0; i < count; i++) {
        if (plan[i].draft.nothing)
            continue;
        /* Found again in a batch, since rows before it may have moved it. */
        int64_t slot = plan[i].slot;
        if (i > 0 && slot >= 0)
            slot = row_find(model, domain, plan[i].draft.name, plan[i].hash);
        row_commit(model, domain, now_ns, slot, plan[i].hash, &plan[i].draft);
    }
}

/* Adds to *more_bytes and *more_pairs what a put takes of the domain's room. */
static inline int count_put(struct simpledb *model, const struct jobq_item *item,
                            struct row_draft *d, int64_t *more_bytes, int64_t *more_pairs,
                            struct simpledb_reply *reply, struct jobq_error *err)
{
    if (d->pairs > model->params.item_pairs_max)
        return call_fail(model, SIMPLEDB_FAULT_ITEM_ATTRIBUTES, reply, err,
                         "Too many attributes in this item.");
    *more_pairs += d->pairs - (d->old ? row_head(d->old).pairs & ROW_PAIRS : 0);
    *more_bytes += d->value_bytes + (d->old ? 0 : item->name.len);
    return JOBQ_OK;
}

static int plan_puts(struct simpledb *model, struct row_domain *domain,
                     const struct jobq_item *item, int count, struct plan *plan,
                     struct simpledb_reply *reply, struct jobq_error *err)
{
    int64_t more_bytes = 0, more_pairs = 0;
    struct row_held held = {.name = -1};
    draft_begin(model, item, count);
    for (int i = 0; i < count; i++) {
        struct row_draft *d = &plan[i].draft;
        draft_put(model, d->old, &item[i], &held, d);
        if (count_put(model, &item[i], d, &more_bytes, &more_pairs, reply, err) < 0)
            return err->code;
    }
    return check_domain_room(model, domain, more_bytes, more_pairs, reply, err);
}

static void plan_deletes(struct simpledb *model, const struct jobq_item *item, int count,
                         struct plan *plan)
{
    draft_begin(model, item, count);
    for (int i = 0; i < count; i++)
        draft_delete(model, plan[i].draft.old, &item[i], &plan[i].draft);
}

/* The first two names of a domain show which character counts up. */
static inline void write_learn(struct simpledb *model, struct row_domain *domain,
                               const struct jobq_item *item, int count)
{
    if (domain->used > 1)
        return;
    if (domain->used == 0 && count > 1) {
        row_learn(model, domain, item[0].name, item[1].name);
    } else if (domain->used == 1 && count == 1) {
        const char *row =
            blobs_at(&model->blobs, domain->slot[row_next(domain, -1)].blob);
        struct jobq_str first = {row_name(row), row_head(row).name_len};
        row_learn(model, domain, first, item[0].name);
    }
}

static inline void find_row(const struct simpledb *model, const struct row_domain *domain,
                            struct jobq_str name, struct plan *plan)
{
    int64_t slot = row_find(model, domain, name, plan->hash);
    plan->slot = slot;
    plan->draft.old = slot < 0 ? NULL : row_newest(model, domain->slot[slot].blob);
}

/* Hash and find the rows of a batch; none may be there twice. All are hashed first, so that
 * their slots are near when they are looked at. */
static int plan_rows(struct simpledb *model, struct row_domain *domain,
                     const struct jobq_item *item, int count, struct plan *plan,
                     struct simpledb_reply *reply, struct jobq_error *err)
{
    uint32_t hash[BATCH_MAX];
    write_learn(model, domain, item, count);
    for (int i = 0; i < count; i++) {
        hash[i] = plan[i].hash = row_hash(domain, item[i].name);
        row_prefetch_slot(domain, hash[i]);
        for (int k = 0; k < i; k++) {
            if (hash[k] == hash[i] && str_eq(item[k].name, item[i].name))
                return call_fail(model, SIMPLEDB_FAULT_DUPLICATE_ITEM, reply, err,
                                 "Item %.*s was specified more than once.",
                                 CALL_STR(item[i].name));
        }
    }
    for (int i = 0; i < count; i++)
        find_row(model, domain, item[i].name, &plan[i]);
    return JOBQ_OK;
}

/* ---- calls --------------------------------------------------------------------------- */

/* What put and delete of one row have in common: everything but their plans. */
static inline struct row_domain *begin_single(struct simpledb *model, int64_t now_ns,
                                              const struct simpledb_put *call,
                                              bool needs_pairs, struct plan *plan,
                                              struct simpledb_reply *reply,
                                              struct jobq_error *err)
{
    const struct jobq_item *item = &call->item;
    if (check_pairs(model, item, needs_pairs, reply, err) < 0)
        return NULL;
    if (call->expect && refuse_expect(model, call->expect, reply, err) < 0)
        return NULL;
    struct row_domain *d = call_domain(model, call->domain, reply, err);
    if (!d)
        return NULL;
    if (!take_writes(model, d, now_ns, 1)) {
        refuse_writes(model, reply, err);
        return NULL;
    }
    if (d->past_count)
        row_forget(model, d, now_ns);
    write_learn(model, d, item, 1);
    struct simpledb_place place = call->place;
    plan->hash = place.tail == d->tail ? place.hash : row_hash(d, item->name);
    find_row(model, d, item->name, plan);
    return d;
}

static const struct simpledb_place no_place = {.tail = -1};

struct simpledb_place simpledb_place(const struct simpledb *model, int domain,
                                     struct jobq_str item)
{
    if (!call_domain_exists(model, domain) || item.len <= 0 || !item.ptr)
        return no_place;
    const struct row_domain *d = &model->domain[domain];
    return (struct simpledb_place){row_hash(d, item), d->tail};
}

void simpledb_prefetch(const struct simpledb *model, int domain, uint32_t hash)
{
    if (call_domain_exists(model, domain))
        row_prefetch(model, &model->domain[domain], hash);
}

int simpledb_put_at(struct simpledb *model, int64_t now_ns,
                    const struct simpledb_put *put, struct simpledb_reply *reply,
                    struct jobq_error *err)
{
    struct plan plan;
    struct row_domain *d = begin_single(model, now_ns, put, true, &plan, reply, err);
    if (!d)
        return err->code;
    struct row_draft *draft = &plan.draft;
    const struct jobq_expect *expect = put->expect;
    struct row_held held = {.name = -1};
    int64_t more_bytes = 0, more_pairs = 0;
    draft_begin(model, &put->item, 1);
    if (expect)
        held.name = names_find(&model->names, expect->name);
    draft_put(model, draft->old, &put->item, &held, draft);
    if ((expect && check_expect(model, &held, expect, reply, err) < 0) ||
        count_put(model, &put->item, draft, &more_bytes, &more_pairs, reply, err) < 0 ||
        check_domain_room(model, d, more_bytes, more_pairs, reply, err) < 0)
        return err->code;
    row_commit(model, d, now_ns, plan.slot, plan.hash, draft);
    return call_ok(reply, simpledb_usage_write(&model->params, put->item.attr_count));
}

int simpledb_put(struct simpledb *model, int64_t now_ns, int domain, struct jobq_str item,
                 const struct jobq_attr *attr, int attr_count,
                 const struct jobq_expect *expect, struct simpledb_reply *reply,
                 struct jobq_error *err)
{
    struct simpledb_put put = {no_place, domain, {item, attr, attr_count}, expect};
    return simpledb_put_at(model, now_ns, &put, reply, err);
}

int simpledb_delete(struct simpledb *model, int64_t now_ns, int domain,
                    struct jobq_str item, const struct jobq_attr *attr, int attr_count,
                    const struct jobq_expect *expect, struct simpledb_reply *reply,
                    struct jobq_error *err)
{
    struct simpledb_put call = {no_place, domain, {item, attr, attr_count}, expect};
    struct plan plan;
    struct row_domain *d = begin_single(model, now_ns, &call, false, &plan, reply, err);
    if (!d)
        return err->code;
    if (expect) {
        struct row_held held = {.name = names_find(&model->names, expect->name)};
        draft_look(plan.draft.old, &held);
        if (check_expect(model, &held, expect, reply, err) < 0)
            return err->code;
    }
    plan_deletes(model, &call.item, 1, &plan);
    commit_plans(model, d, now_ns, &plan, 1);
    return call_ok(reply, simpledb_usage_write(&model->params, attr_count));
}

/* The same for batches. */
static struct row_domain *begin_batch(struct simpledb *model, int64_t now_ns, int domain,
                                      const struct jobq_item *item, int item_count,
                                      bool needs_pairs, struct plan *plan,
                                      struct simpledb_reply *reply,
                                      struct jobq_error *err)
{
    if (check_batch(model, item, item_count, needs_pairs, reply, err) < 0)
        return NULL;
    struct row_domain *d = call_domain(model, domain, reply, err);
    if (!d)
        return NULL;
    double writes = item_count * model->params.batch_row_writes;
    if (!take_writes(model, d, now_ns, writes > 1 ? writes : 1)) {
        refuse_writes(model, reply, err);
        return NULL;
    }
    if (d->past_count)
        row_forget(model, d, now_ns);
    return plan_rows(model, d, item, item_count, plan, reply, err) < 0 ? NULL : d;
}

static int64_t batch_sum(const struct simpledb *model, const struct jobq_item *item,
                         int item_count)
{
    int64_t sum = 0;
    for (int i = 0; i < item_count; i++)
        sum += simpledb_usage_batch_term(&model->params, item[i].attr_count);
    return sum;
}

int simpledb_put_batch(struct simpledb *model, int64_t now_ns, int domain,
                       const struct jobq_item *item, int item_count,
                       struct simpledb_reply *reply, struct jobq_error *err)
{
    assert(item_count >= 0 && reply && err);
    struct plan plan[BATCH_MAX];
    struct row_domain *d =
        begin_batch(model, now_ns, domain, item, item_count, true, plan, reply, err);
    if (!d)
        return err->code;
    int code = plan_puts(model, d, item, item_count, plan, reply, err);
    if (code < 0)
        return code;
    commit_plans(model, d, now_ns, plan, item_count);
    return call_ok(reply, simpledb_usage_batch_put(&model->params,
                                                   batch_sum(model, item, item_count)));
}

int simpledb_delete_batch(struct simpledb *model, int64_t now_ns, int domain,
                          const struct jobq_item *item, int item_count,
                          struct simpledb_reply *reply, struct jobq_error *err)
{
    assert(item_count >= 0 && reply && err);
    struct plan plan[BATCH_MAX];
    struct row_domain *d =
        begin_batch(model, now_ns, domain, item, item_count, false, plan, reply, err);
    if (!d)
        return err->code;
    plan_deletes(model, item, item_count, plan);
    commit_plans(model, d, now_ns, plan, item_count);
    return call_ok(reply, simpledb_usage_batch_delete(
                              &model->params, batch_sum(model, item, item_count)));
}

void simpledb_restore_row(struct simpledb *model, int64_t now_ns, int domain,
                          const struct jobq_item *item)
{
    assert(simpledb_domain_exists(model, domain));
    assert(item->attr_count > 0 && item->attr_count <= ROW_PAIRS_MAX);
    struct row_domain *d = &model->domain[domain];
    uint32_t hash = row_hash(d, item->name);
    assert(row_find(model, d, item->name, hash) < 0);
    struct row_draft draft;
    struct row_held held = {.name = -1};
    draft_begin(model, item, 1);
    draft_put(model, NULL, item, &held, &draft);
    row_restore(model, d, now_ns, hash, &draft);
}
