/* simpledb_write.c - put and delete, single and batched.
 *
 * Room:     models, the facts.
 *
 * A write is planned, then committed. The plan builds the new image of each row in scratch
 * memory and checks every limit; nothing changes until all rows of the call have a plan,
 * so that a call is all or nothing. */
#include "models/simpledb.h"

#include "base/text.h"
#include "models/simpledb_call.h"
#include "models/simpledb_usage.h"

#include <assert.h>

enum { BATCH_MAX = 25, PAIR_HEAD_MAX = 6, CALL_BYTES_MAX = 16 << 20 };

struct plan {
    uint32_t image_at; /* in scratch */
    uint32_t change_at, change_count;
    uint32_t hash;
    struct jobq_str name;
    int64_t slot;    /* -1: no such row yet */
    const char *old; /* its newest version; NULL: none, or gone */
    bool commit;     /* false: nothing to change */
};

/* ---- checks -------------------------------------------------------------------------- */

static int check_pairs(const struct simpledb *model, const struct jobq_item *item,
                       bool needs_pairs, struct simpledb_reply *reply,
                       struct jobq_error *err)
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
    int64_t most = model->params.name_bytes_max;
    for (int i = 0; i < item->attr_count; i++) {
        const struct jobq_attr *attr = &item->attr[i];
        if (attr->name.len > 0 && attr->name.ptr && attr->name.len <= most &&
            attr->value.len <= most)
            continue;
        if ((code = call_string(model, attr->name, "Name", reply, err)) < 0 ||
            (code = call_string(model, attr->value, "Value", reply, err)) < 0)
            return code;
    }
    return JOBQ_OK;
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

static bool same_value(const struct row_pair *pair, struct jobq_str value)
{
    const char *a = pair->phantom ? row_phantom_bytes() : pair->bytes;
    const char *b = value.ptr ? value.ptr : row_phantom_bytes();
    return pair->len == value.len && memcmp(a, b, pair->len) == 0;
}

/* The one expected attribute: absent, or there once with this value. */
static int check_expect(const struct simpledb *model, const char *row,
                        const struct jobq_expect *expect, struct simpledb_reply *reply,
                        struct jobq_error *err)
{
    struct row_pair found = {0};
    int values = 0;
    int32_t name = names_find(&model->names, expect->name);
    if (row && name >= 0) {
        const char *at = row_name(row) + row_head(row).name_len;
        for (int i = row_head(row).pairs & ROW_PAIRS; i > 0; i--) {
            struct row_pair pair = row_pair(at);
            at = pair.next;
            if (pair.name == name && values++ == 0)
                found = pair;
        }
    }
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
    if (same_value(&found, expect->value))
        return JOBQ_OK;
    struct jobq_str is = {found.phantom ? row_phantom_bytes() : found.bytes, found.len};
    return call_fail(model, SIMPLEDB_FAULT_CONDITION, reply, err,
                     "Conditional check failed. Attribute (%.*s) value is (%.*s) but was "
                     "expected (%.*s)",
                     CALL_STR(expect->name), CALL_STR(is), CALL_STR(expect->value));
}

/* ---- images -------------------------------------------------------------------------- */

static char *scratch_at(struct simpledb *model, uint32_t at, uint64_t bytes)
{
    uint64_t need = at + bytes;
    assert(need < UINT32_MAX / 2);
    if (need > model->scratch_bytes) {
        uint32_t grown = model->scratch_bytes ? model->scratch_bytes : 4096;
        while (grown < need)
            grown *= 2;
        model->scratch = xrealloc(model->scratch, grown);
        model->scratch_bytes = grown;
    }
    return model->scratch + at;
}

/* Room for the changes of one more row: each of its old pairs may go, each new one come. */
static void reserve_changes(struct simpledb *model)
{
    uint32_t need = model->change_count + 2 * ROW_PAIRS_MAX;
    if (need <= model->change_cap)
        return;
    model->change_cap = 2 * need;
    model->change = xrealloc(model->change, model->change_cap * sizeof *model->change);
}

static inline void note_change(struct simpledb *model, int32_t name, int sign,
                               int64_t value_bytes)
{
    model->change[model->change_count++] =
        (struct row_change){name, (int16_t)sign, (int16_t)value_bytes};
}

/* As memcpy; what rows are made of is mostly too short to be worth the call. */
static inline void copy(char *to, const char *from, size_t len)
{
    if (len > 16) {
        memcpy(to, from, len);
    } else if (len >= 8) {
        uint64_t first, last;
        memcpy(&first, from, 8);
        memcpy(&last, from + len - 8, 8);
        memcpy(to, &first, 8);
        memcpy(to + len - 8, &last, 8);
    } else if (len >= 4) {
        uint32_t first, last;
        memcpy(&first, from, 4);
        memcpy(&last, from + len - 4, 4);
        memcpy(to, &first, 4);
        memcpy(to + len - 4, &last, 4);
    } else {
        for (size_t i = 0; i < len; i++)
            to[i] = from[i];
    }
}

static char *put_pair(char *out, int32_t name, struct jobq_str value)
{
    uint16_t id = (uint16_t)name;
    uint16_t len = (uint16_t)(value.len | (value.ptr || !value.len ? 0 : ROW_PHANTOM));
    if (name >= ROW_LONG_ID) {
        uint16_t high = (uint16_t)(name >> 16 | ROW_LONG_ID);
        memcpy(out, &high, 2);
        out += 2;
    }
    memcpy(out, &id, 2);
    memcpy(out + 2, &len, 2);
    out += 4;
    if (value.ptr && value.len) {
        copy(out, value.ptr, (size_t)value.len);
        out += value.len;
    }
    return out;
}

static bool has_pair(const char *at, const char *end, int32_t name, struct jobq_str value)
{
    while (at < end) {
        struct row_pair pair = row_pair(at);
        if (pair.name == name && same_value(&pair, value))
            return true;
        at = pair.next;
    }
    return false;
}

static void close_image(char *image, const char *end, struct jobq_str name, int pairs)
{
    struct row_head head = {(uint32_t)(end - image), (uint16_t)name.len, (uint16_t)pairs};
    memcpy(image, &head, sizeof head);
}

static uint64_t image_bound(const char *old, const struct jobq_item *item)
{
    uint64_t bytes = ROW_HEAD_BYTES + (uint64_t)item->name.len;
    if (old)
        bytes += row_head(old).bytes;
    for (int i = 0; i < item->attr_count; i++)
        bytes += PAIR_HEAD_MAX + (uint64_t)item->attr[i].value.len;
    return bytes;
}

/* The pairs of old that stay, behind `out`: those whose name is not marked for replacement.
 * Marks the names that stay as seen. Neighbours are copied in one piece. */
static char *keep_pairs(struct simpledb *model, uint32_t serial, const char *old,
                        char *out, int *pairs)
{
    const char *at = row_name(old) + row_head(old).name_len;
    const char *run = at;
    for (int i = row_head(old).pairs & ROW_PAIRS; i > 0; i--) {
        struct row_pair pair = row_pair(at);
        struct name_mark *mark = &model->mark[pair.name];
        if (mark->replace == serial) {
            copy(out, run, (size_t)(at - run));
            out += at - run;
            run = pair.next;
            note_change(model, pair.name, -1, pair.len);
        } else {
            mark->seen = serial;
            ++*pairs;
        }
        at = pair.next;
    }
    copy(out, run, (size_t)(at - run));
    return out + (at - run);
}

/* The row after this put. Returns its number of pairs; the image is at scratch + at. */
static int image_put(struct simpledb *model, const char *old,
                     const struct jobq_item *item, uint32_t at)
{
    int32_t name[ROW_PAIRS_MAX];
    uint64_t bound = image_bound(old, item);
    for (int i = 0; i < item->attr_count; i++)
        name[i] = names_intern(&model->names, item->attr[i].name);
    uint32_t serial = call_serial(model);
    reserve_changes(model);
    struct name_mark *marks = model->mark;
    for (int i = 0; i < item->attr_count; i++) {
        if (item->attr[i].replace)
            marks[name[i]].replace = serial;
    }
    char *image = scratch_at(model, at, bound);
    char *first = image + ROW_HEAD_BYTES + item->name.len;
    memcpy(image + ROW_HEAD_BYTES, item->name.ptr, (size_t)item->name.len);
    int pairs = 0;
    char *out = old ? keep_pairs(model, serial, old, first, &pairs) : first;
    for (int i = 0; i < item->attr_count; i++) {
        struct name_mark *mark = &marks[name[i]];
        /* A row is a set of pairs: one that is there is not added again. */
        if (mark->seen == serial && has_pair(first, out, name[i], item->attr[i].value))
            continue;
        mark->seen = serial;
        out = put_pair(out, name[i], item->attr[i].value);
        note_change(model, name[i], 1, item->attr[i].value.len);
        pairs++;
    }
    if (pairs <= ROW_PAIRS_MAX)
        close_image(image, out, item->name, pairs);
    return pairs;
}

/* The row after this delete; old is not NULL. */
static int image_delete(struct simpledb *model, const char *old,
                        const struct jobq_item *item, uint32_t at)
{
    uint32_t serial = call_serial(model);
    reserve_changes(model);
    char *image = scratch_at(model, at, image_bound(old, item));
    char *out = image + ROW_HEAD_BYTES + item->name.len;
    memcpy(image + ROW_HEAD_BYTES, item->name.ptr, (size_t)item->name.len);
    int pairs = 0;
    for (int i = 0; i < item->attr_count; i++) {
        int32_t name = names_find(&model->names, item->attr[i].name);
        if (name >= 0 && item->attr[i].value.len == 0)
            model->mark[name].replace = serial;
        else if (name >= 0)
            model->mark[name].seen = serial;
    }
    const char *from = row_name(old) + row_head(old).name_len;
    for (int i = row_head(old).pairs & ROW_PAIRS; i > 0; i--) {
        struct row_pair pair = row_pair(from);
        struct name_mark mark = model->mark[pair.name];
        bool goes = item->attr_count == 0 || mark.replace == serial;
        for (int k = 0; k < item->attr_count && mark.seen == serial && !goes; k++)
            goes = item->attr[k].value.len > 0 &&
                   str_eq(item->attr[k].name, model->names.str[pair.name]) &&
                   same_value(&pair, item->attr[k].value);
        if (!goes) {
            memcpy(out, from, (size_t)(pair.next - from));
            out += pair.next - from;
            pairs++;
        } else {
            note_change(model, pair.name, -1, pair.len);
        }
        from = pair.next;
    }
    close_image(image, out, item->name, pairs);
    return pairs;
}

/* ---- plans --------------------------------------------------------------------------- */

/* What a row, its name excepted, weighs: raw bytes of name and values. */
static int64_t raw_bytes(const char *row)
{
    struct row_head head = row_head(row);
    int64_t bytes = head.name_len;
    const char *at = row_name(row) + head.name_len;
    for (int i = head.pairs & ROW_PAIRS; i > 0; i--) {
        struct row_pair pair = row_pair(at);
        bytes += pair.len;
        at = pair.next;
    }
    return bytes;
}

static int64_t domain_bytes(const struct row_domain *domain)
{
    const struct jobq_domain_stats *stats = &domain->stats;
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

/* Find the rows that the plans are for. */
static void find_rows(const struct simpledb *model, const struct row_domain *domain,
                      struct plan *plan, int count)
{
    for (int i = 0; i < count; i++) {
        int64_t slot = row_find(model, domain, plan[i].name, plan[i].hash);
        plan[i].slot = slot;
        plan[i].old =
            slot < 0 ? NULL : row_visible(model, domain->slot[slot].blob, 0, -1);
    }
}

static void commit_plans(struct simpledb *model, struct row_domain *domain,
                         int64_t now_ns, const struct plan *plan, int count)
{
    for (int i = 0; i < count; i++) {
        if (!plan[i].commit)
            continue;
        /* Found again in a batch, since rows before it may have moved it. */
        int64_t slot = plan[i].slot;
        if (i > 0 && slot >= 0)
            slot = row_find(model, domain, plan[i].name, plan[i].hash);
        row_commit(model, domain, now_ns, slot, plan[i].hash,
                   model->scratch + plan[i].image_at, model->change + plan[i].change_at,
                   plan[i].change_count);
    }
}

/* Plan puts of count rows from scratch 0 on. */
static int plan_puts(struct simpledb *model, struct row_domain *domain,
                     const struct jobq_item *item, int count, struct plan *plan,
                     struct simpledb_reply *reply, struct jobq_error *err)
{
    uint32_t at = 0;
    int64_t more_bytes = 0, more_pairs = 0;
    model->change_count = 0;
    /* No call adds more than this; above it bytes need not be counted twice. */
    bool near_full =
        model->params.domain_bytes_max &&
        domain_bytes(domain) + CALL_BYTES_MAX > model->params.domain_bytes_max;
    for (int i = 0; i < count; i++) {
        const char *old = plan[i].old;
        plan[i].change_at = model->change_count;
        int pairs = image_put(model, old, &item[i], at);
        if (pairs > model->params.item_pairs_max)
            return call_fail(model, SIMPLEDB_FAULT_ITEM_ATTRIBUTES, reply, err,
                             "Too many attributes in this item.");
        const char *image = model->scratch + at;
        more_pairs += pairs - (old ? row_head(old).pairs & ROW_PAIRS : 0);
        if (near_full)
            more_bytes += raw_bytes(image) - (old ? raw_bytes(old) : 0);
        plan[i].change_count = model->change_count - plan[i].change_at;
        plan[i].image_at = at;
        plan[i].commit = true;
        at += (row_head(image).bytes + 7) & ~7u;
    }
    return check_domain_room(model, domain, more_bytes, more_pairs, reply, err);
}

static void plan_deletes(struct simpledb *model, const struct jobq_item *item, int count,
                         struct plan *plan)
{
    uint32_t at = 0;
    model->change_count = 0;
    for (int i = 0; i < count; i++) {
        const char *old = plan[i].old;
        plan[i].commit = false;
        if (!old)
            continue;
        plan[i].change_at = model->change_count;
        int pairs = image_delete(model, old, &item[i], at);
        plan[i].change_count = model->change_count - plan[i].change_at;
        plan[i].commit = pairs != (row_head(old).pairs & ROW_PAIRS);
        plan[i].image_at = at;
        at += (row_head(model->scratch + at).bytes + 7) & ~7u;
    }
}

/* Hash and find the rows of a call; none may be there twice. */
static int plan_rows(struct simpledb *model, struct row_domain *domain,
                     const struct jobq_item *item, int count, struct plan *plan,
                     struct simpledb_reply *reply, struct jobq_error *err)
{
    if (domain->used == 0 && count > 1) {
        row_learn(model, domain, item[0].name, item[1].name);
    } else if (domain->used == 1 && count == 1) {
        const char *row =
            blobs_at(&model->blobs, domain->slot[row_next(domain, -1)].blob);
        struct jobq_str first = {row_name(row), row_head(row).name_len};
        row_learn(model, domain, first, item[0].name);
    }
    for (int i = 0; i < count; i++) {
        plan[i].name = item[i].name;
        plan[i].hash = row_hash(domain, item[i].name);
        for (int k = 0; k < i; k++) {
            if (plan[k].hash == plan[i].hash && str_eq(plan[k].name, plan[i].name))
                return call_fail(model, SIMPLEDB_FAULT_DUPLICATE_ITEM, reply, err,
                                 "Item %.*s was specified more than once.",
                                 CALL_STR(item[i].name));
        }
    }
    find_rows(model, domain, plan, count);
    return JOBQ_OK;
}

/* ---- calls --------------------------------------------------------------------------- */

/* What put and delete of one row have in common: everything but their plans. */
static struct row_domain *begin_single(struct simpledb *model, int64_t now_ns, int domain,
                                       const struct jobq_item *item, bool needs_pairs,
                                       const struct jobq_expect *expect,
                                       struct plan *plan, struct simpledb_reply *reply,
                                       struct jobq_error *err)
{
    if (check_pairs(model, item, needs_pairs, reply, err) < 0)
        return NULL;
    if (expect && (call_string(model, expect->name, "Name", reply, err) < 0 ||
                   call_string(model, expect->value, "Value", reply, err) < 0))
        return NULL;
    struct row_domain *d = call_domain(model, domain, reply, err);
    if (!d)
        return NULL;
    if (!take_writes(model, d, now_ns, 1)) {
        refuse_writes(model, reply, err);
        return NULL;
    }
    if (d->past_count)
        row_forget(model, d, now_ns);
    if (plan_rows(model, d, item, 1, plan, reply, err) < 0 ||
        (expect && check_expect(model, plan->old, expect, reply, err) < 0))
        return NULL;
    return d;
}

int simpledb_put(struct simpledb *model, int64_t now_ns, int domain, struct jobq_str item,
                 const struct jobq_attr *attr, int attr_count,
                 const struct jobq_expect *expect, struct simpledb_reply *reply,
                 struct jobq_error *err)
{
    struct jobq_item row = {item, attr, attr_count};
    struct plan plan;
    struct row_domain *d =
        begin_single(model, now_ns, domain, &row, true, expect, &plan, reply, err);
    if (!d)
        return err->code;
    int code = plan_puts(model, d, &row, 1, &plan, reply, err);
    if (code < 0)
        return code;
    commit_plans(model, d, now_ns, &plan, 1);
    return call_ok(reply, simpledb_usage_write(&model->params, attr_count));
}

int simpledb_delete(struct simpledb *model, int64_t now_ns, int domain,
                    struct jobq_str item, const struct jobq_attr *attr, int attr_count,
                    const struct jobq_expect *expect, struct simpledb_reply *reply,
                    struct jobq_error *err)
{
    struct jobq_item row = {item, attr, attr_count};
    struct plan plan;
    struct row_domain *d =
        begin_single(model, now_ns, domain, &row, false, expect, &plan, reply, err);
    if (!d)
        return err->code;
    plan_deletes(model, &row, 1, &plan);
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
    int64_t slot = row_find(model, d, item->name, hash);
    assert(slot < 0);
    model->change_count = 0;
    image_put(model, NULL, item, 0);
    row_restore(model, d, now_ns, slot, hash, model->scratch, model->change,
                model->change_count);
}
