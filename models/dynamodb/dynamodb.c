#include "models/dynamodb/dynamodb.h"

#include "base/text.h"
#include "jobq/units.h"
#include "models/dynamodb/capacity.h"
#include "models/dynamodb/index.h"
#include "models/dynamodb/items.h"
#include "models/dynamodb/number.h"
#include "models/dynamodb/packed.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    ITEM_OVERHEAD = 100, /* billed beside an item's own bytes */
    WRITE_UNIT = 1024,
    READ_UNIT = 4096,
    TRANSACTION_MAX = 100,
    SORT_KEY_TEXT = 64
};

struct table {
    struct dynamodb_table public; /* name "": deleted */
    struct dynamodb_index *index; /* what public.index points to */
    struct items items;
    struct capacity capacity;
    int64_t swept_at_ns;
};

struct dynamodb {
    struct dynamodb_params params;
    struct table **table;
    int count, cap, existing;
    struct blocks memory; /* of all tables' items */
    int64_t billed_bytes, counted_at_ns;
    double byte_ns; /* the integral so far */
    /* Deleted rows stay until no eventual read may see them: oldest first. */
    struct tombstone {
        struct dynamodb_packed *key;
        int table;
        int64_t at_ns;
    } * tombstone;
    int tombstone_first, tombstone_count, tombstone_cap;
};

/* ---- life ------------------------------------------------------------------------- */

struct dynamodb *dynamodb_new(const struct dynamodb_params *params)
{
    struct dynamodb *m = xcalloc(1, sizeof *m);
    m->params = *params;
    return m;
}

void dynamodb_reset(struct dynamodb *m, const struct dynamodb_params *params)
{
    for (int i = 0; i < m->count; i++) {
        items_release(&m->table[i]->items);
        capacity_release(&m->table[i]->capacity);
        free(m->table[i]->index);
        free(m->table[i]);
    }
    for (int i = 0; i < m->tombstone_count; i++)
        blocks_give(&m->memory, m->tombstone[m->tombstone_first + i].key);
    free(m->table);
    free(m->tombstone);
    struct dynamodb_params kept = params ? *params : m->params;
    struct blocks memory = m->memory;
    blocks_reset(&memory);
    *m = (struct dynamodb){.params = kept, .memory = memory};
}

void dynamodb_free(struct dynamodb *m)
{
    if (!m)
        return;
    dynamodb_reset(m, NULL);
    blocks_release(&m->memory);
    free(m);
}

int64_t dynamodb_memory(const struct dynamodb *m)
{
    int64_t bytes = blocks_memory(&m->memory);
    for (int i = 0; i < m->count; i++)
        if (m->table[i]->items.bucket)
            bytes += (int64_t)sizeof(void *) << m->table[i]->items.bits;
    return bytes;
}

/* ---- refusals ----------------------------------------------------------------------- */

static int fault_code(enum dynamodb_fault fault)
{
    static const int code[DYNAMODB_FAULT_COUNT] = {
#define FAULT_CODE(id, name, status, code) [DYNAMODB_FAULT_##id] = code,
        DYNAMODB_FAULTS(FAULT_CODE)
#undef FAULT_CODE
    };
    return code[fault];
}

__attribute__((format(printf, 4, 5))) static int
dynamodb_refuse(struct dynamodb_reply *reply, struct jobq_error *err,
                enum dynamodb_fault fault, const char *format, ...)
{
    char text[sizeof err->text];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    reply->fault = fault;
    return jobq_fail(err, (enum jobq_code)fault_code(fault), "%s", text);
}

static int dynamodb_no_table(struct dynamodb_reply *reply, struct jobq_error *err)
{
    return dynamodb_refuse(reply, err, DYNAMODB_FAULT_NO_TABLE,
                           "Requested resource not found");
}

static struct table *dynamodb_live(const struct dynamodb *m, int64_t now_ns, int table)
{
    if (table < 0 || table >= m->count || !m->table[table]->public.name[0])
        return NULL;
    return now_ns >= m->table[table]->public.active_at_ns ? m->table[table] : NULL;
}

/* ---- accounts ----------------------------------------------------------------------- */

static void dynamodb_count(struct dynamodb *m, int64_t now_ns)
{
    if (now_ns > m->counted_at_ns) {
        m->byte_ns += (double)m->billed_bytes * (double)(now_ns - m->counted_at_ns);
        m->counted_at_ns = now_ns;
    }
}

double dynamodb_byte_hours(struct dynamodb *m, int64_t now_ns)
{
    dynamodb_count(m, now_ns);
    return m->byte_ns / (3600.0 * 1e9);
}

static void table_add(struct dynamodb *m, struct table *t, int64_t items, int64_t bytes)
{
    t->public.items += items;
    t->public.bytes += bytes;
    t->public.billed_bytes += bytes + ITEM_OVERHEAD * items;
    m->billed_bytes += bytes + ITEM_OVERHEAD * items;
}

/* ---- tables ------------------------------------------------------------------------- */

int dynamodb_find_table(const struct dynamodb *m, struct jobq_str name)
{
    for (int i = 0; i < m->count && name.len > 0; i++)
        if (str_is(name, m->table[i]->public.name))
            return i;
    return -1;
}

const struct dynamodb_table *dynamodb_table(const struct dynamodb *m, int table)
{
    if (table < 0 || table >= m->count || !m->table[table]->public.name[0])
        return NULL;
    return &m->table[table]->public;
}

int dynamodb_table_count(const struct dynamodb *m)
{
    return m->count;
}

static void table_rates(const struct dynamodb *m, struct table *t, int64_t now_ns)
{
    const struct dynamodb_table *p = &t->public;
    struct capacity_rates rates = {
        .writes_per_s =
            p->on_demand ? m->params.new_table_writes_per_s : (double)p->write_capacity,
        .reads_per_s =
            p->on_demand ? m->params.new_table_reads_per_s : (double)p->read_capacity,
        .partition_writes_per_s = m->params.partition_writes_per_s,
        .partition_reads_per_s = m->params.partition_reads_per_s,
        .burst_ns = p->on_demand ? JOBQ_NS_PER_S : m->params.burst_ns,
        .growth_ns = p->on_demand ? m->params.growth_ns : 0};
    if (!m->params.throttle)
        rates = (struct capacity_rates){0};
    capacity_set(&t->capacity, &rates, now_ns);
}

void dynamodb_set_params(struct dynamodb *m, const struct dynamodb_params *params)
{
    const struct dynamodb_params old = m->params;
    m->params = *params;
    if (old.throttle == params->throttle &&
        old.partition_writes_per_s == params->partition_writes_per_s &&
        old.partition_reads_per_s == params->partition_reads_per_s &&
        old.new_table_writes_per_s == params->new_table_writes_per_s &&
        old.new_table_reads_per_s == params->new_table_reads_per_s)
        return;
    for (int i = 0; i < m->count; i++)
        if (m->table[i]->public.name[0])
            table_rates(m, m->table[i], m->counted_at_ns);
}

int dynamodb_create_table(struct dynamodb *m, int64_t now_ns,
                          const struct dynamodb_table *options, int *out_table,
                          struct dynamodb_reply *reply, struct jobq_error *err)
{
    *reply = (struct dynamodb_reply){0};
    assert(options->partition.name[0]);
    dynamodb_count(m, now_ns);
    if (dynamodb_find_table(m, str_of(options->name)) >= 0)
        return dynamodb_refuse(reply, err, DYNAMODB_FAULT_IN_USE,
                               "Table already exists: %s", options->name);
    if (m->existing >= m->params.tables_max)
        return dynamodb_refuse(
            reply, err, DYNAMODB_FAULT_LIMIT,
            "Subscriber limit exceeded: There is a limit of %lld tables "
            "per subscriber",
            (long long)m->params.tables_max);
    if (m->count == m->cap) {
        m->cap = m->cap ? 2 * m->cap : 8;
        m->table = xrealloc(m->table, (size_t)m->cap * sizeof *m->table);
    }
    struct table *t = xcalloc(1, sizeof *t);
    t->public = *options;
    t->public.created_at_ns = now_ns;
    t->public.active_at_ns = now_ns + m->params.create_ns;
    t->public.items = t->public.bytes = t->public.billed_bytes = 0;
    t->index = index_copy(options->index, options->index_count);
    t->public.index = t->index;
    t->swept_at_ns = now_ns;
    items_init(&t->items, &m->memory, str_of(t->public.partition.name),
               str_of(t->public.sort.name));
    table_rates(m, t, now_ns);
    m->existing++;
    *out_table = m->count;
    m->table[m->count++] = t;
    return JOBQ_OK;
}

int dynamodb_delete_table(struct dynamodb *m, int64_t now_ns, int table,
                          struct dynamodb_reply *reply, struct jobq_error *err)
{
    *reply = (struct dynamodb_reply){0};
    dynamodb_count(m, now_ns);
    if (!dynamodb_table(m, table))
        return dynamodb_no_table(reply, err);
    struct table *t = m->table[table];
    m->billed_bytes -= t->public.billed_bytes;
    items_release(&t->items);
    capacity_release(&t->capacity);
    free(t->index);
    t->index = NULL;
    memset(&t->public, 0, sizeof t->public);
    m->existing--;
    return JOBQ_OK;
}

int dynamodb_set_ttl(struct dynamodb *m, int64_t now_ns, int table, const char *name,
                     struct dynamodb_reply *reply, struct jobq_error *err)
{
    *reply = (struct dynamodb_reply){0};
    struct table *t = dynamodb_live(m, now_ns, table);
    if (!t)
        return dynamodb_no_table(reply, err);
    if ((name[0] != '\0') == (t->public.ttl_name[0] != '\0'))
        return dynamodb_refuse(reply, err, DYNAMODB_FAULT_VALIDATION,
                               "TimeToLive is already %s",
                               name[0] ? "enabled" : "disabled");
    snprintf(t->public.ttl_name, sizeof t->public.ttl_name, "%s", name);
    t->swept_at_ns = now_ns;
    return JOBQ_OK;
}

int dynamodb_set_capacity(struct dynamodb *m, int64_t now_ns, int table,
                          const struct dynamodb_table *options,
                          struct dynamodb_reply *reply, struct jobq_error *err)
{
    *reply = (struct dynamodb_reply){0};
    struct table *t = dynamodb_live(m, now_ns, table);
    if (!t)
        return dynamodb_no_table(reply, err);
    t->public.on_demand = options->on_demand;
    t->public.write_capacity = options->on_demand ? 0 : options->write_capacity;
    t->public.read_capacity = options->on_demand ? 0 : options->read_capacity;
    table_rates(m, t, now_ns);
    return JOBQ_OK;
}

/* ---- the past ----------------------------------------------------------------------- */

/* Deleted rows that no read can see any more go. */
static void dynamodb_bury(struct dynamodb *m, int64_t now_ns)
{
    while (m->tombstone_count > 0) {
        struct tombstone *stone = &m->tombstone[m->tombstone_first];
        if (stone->at_ns + m->params.stale_ns > now_ns)
            return;
        struct table *t = m->table[stone->table];
        if (t->public.name[0]) {
            struct items_key key = items_key(&t->items, &stone->key->item);
            struct row *row = items_find(&t->items, &key);
            if (row && !row->now && row->changed_at_ns == stone->at_ns)
                items_remove(&t->items, &key);
        }
        blocks_give(&m->memory, stone->key);
        m->tombstone_first++;
        if (--m->tombstone_count == 0)
            m->tombstone_first = 0;
    }
}

static struct dynamodb_item table_key_of(const struct table *t,
                                         const struct dynamodb_item *item,
                                         struct dynamodb_attr room[2])
{
    int count = 0;
    room[count].name = t->items.partition_name;
    room[count++].value = *dynamodb_find(item, t->items.partition_name);
    if (t->items.sort_name.len > 0) {
        room[count].name = t->items.sort_name;
        room[count++].value = *dynamodb_find(item, t->items.sort_name);
    }
    return (struct dynamodb_item){room, count};
}

static void dynamodb_mark(struct dynamodb *m, int table, const struct dynamodb_item *item,
                          int64_t now_ns)
{
    struct dynamodb_attr room[2];
    struct dynamodb_item key = table_key_of(m->table[table], item, room);
    if (m->tombstone_first + m->tombstone_count == m->tombstone_cap) {
        if (m->tombstone_first > m->tombstone_cap / 2) {
            memmove(m->tombstone, m->tombstone + m->tombstone_first,
                    (size_t)m->tombstone_count * sizeof *m->tombstone);
            m->tombstone_first = 0;
        } else {
            m->tombstone_cap = m->tombstone_cap ? 2 * m->tombstone_cap : 64;
            m->tombstone =
                xrealloc(m->tombstone, (size_t)m->tombstone_cap * sizeof *m->tombstone);
        }
    }
    m->tombstone[m->tombstone_first + m->tombstone_count++] = (struct tombstone){
        dynamodb_pack(&key, dynamodb_item_bytes(&key), &m->memory), table, now_ns};
}

/* The row's item becomes `packed` (NULL: none), which is the row's from now on. */
static void row_set(struct dynamodb *m, int table, struct row *row,
                    struct dynamodb_packed *packed, int64_t now_ns)
{
    struct table *t = m->table[table];
    table_add(m, t, (packed != NULL) - (row->now != NULL),
              (packed ? packed->bytes : 0) - (row->now ? row->now->bytes : 0));
    blocks_give(&m->memory, row->old);
    row->old = row->now;
    row->now = packed;
    row->changed_at_ns = now_ns;
    if (!packed)
        dynamodb_mark(m, table, &row->old->item, now_ns);
    else if (m->params.stale_ns == 0 && row->old) {
        blocks_give(&m->memory, row->old);
        row->old = NULL;
    }
}

/* What a read sees; NULL: nothing. */
static const struct dynamodb_packed *row_seen(const struct dynamodb *m,
                                              const struct row *row, int64_t now_ns,
                                              double u, bool consistent)
{
    bool young = now_ns - row->changed_at_ns < m->params.stale_ns;
    return !consistent && young && u < m->params.stale_p ? row->old : row->now;
}

/* ---- time to live ------------------------------------------------------------------- */

static bool row_expired(const struct table *t, const struct row *row, int64_t now_ns)
{
    struct number number, now;
    char text[24];
    const struct dynamodb_value *ttl =
        row->now ? dynamodb_find(&row->now->item, str_of(t->public.ttl_name)) : NULL;
    if (!ttl || ttl->type != DYNAMODB_N)
        return false;
    number_read(ttl->of.text, &number);
    int len = text_write_int(text, now_ns / JOBQ_NS_PER_S);
    number_read((struct jobq_str){text, len}, &now);
    return number_compare(&number, &now) < 0;
}

static void dynamodb_sweep(struct dynamodb *m, int table, int64_t now_ns)
{
    struct table *t = m->table[table];
    struct items_cursor cursor;
    for (struct row *row = items_first(&t->items, 0, NULL, &cursor); row;
         row = items_next(&t->items, &cursor))
        if (row_expired(t, row, now_ns))
            row_set(m, table, row, NULL, now_ns);
    t->swept_at_ns = now_ns;
}

void dynamodb_advance(struct dynamodb *m, int64_t now_ns)
{
    dynamodb_count(m, now_ns);
    for (int i = 0; i < m->count; i++)
        if (m->table[i]->public.ttl_name[0] &&
            now_ns - m->table[i]->swept_at_ns >= m->params.ttl_sweep_ns)
            dynamodb_sweep(m, i, now_ns);
    dynamodb_bury(m, now_ns);
}

/* ---- keys --------------------------------------------------------------------------- */

static int table_check_key(const struct dynamodb *m, const struct dynamodb_key *key,
                           const struct dynamodb_item *item, bool whole,
                           int64_t bytes_max, struct dynamodb_reply *reply,
                           struct jobq_error *err)
{
    const struct dynamodb_value *v = dynamodb_find(item, str_of(key->name));
    (void)m;
    if (!v)
        return whole
                   ? dynamodb_refuse(reply, err, DYNAMODB_FAULT_VALIDATION,
                                     "One or more parameter values were invalid: Missing "
                                     "the key %s in the item",
                                     key->name)
                   : dynamodb_refuse(
                         reply, err, DYNAMODB_FAULT_VALIDATION,
                         "The provided key element does not match the schema");
    if (v->type != key->type)
        return whole ? dynamodb_refuse(reply, err, DYNAMODB_FAULT_VALIDATION,
                                       "One or more parameter values were invalid: Type "
                                       "mismatch for key %s expected: %s actual: %s",
                                       key->name, dynamodb_type_name(key->type),
                                       dynamodb_type_name(v->type))
                     : dynamodb_refuse(
                           reply, err, DYNAMODB_FAULT_VALIDATION,
                           "The provided key element does not match the schema");
    if (v->type != DYNAMODB_N && v->of.text.len == 0)
        return dynamodb_refuse(
            reply, err, DYNAMODB_FAULT_VALIDATION,
            "One or more parameter values are not valid. The "
            "AttributeValue for a key attribute cannot contain an empty "
            "%s value. Key: %s",
            v->type == DYNAMODB_S ? "string" : "binary", key->name);
    if (v->of.text.len > bytes_max)
        return dynamodb_refuse(
            reply, err, DYNAMODB_FAULT_VALIDATION,
            "One or more parameter values were invalid: Size of %s has "
            "exceeded the maximum size limit of%s bytes",
            bytes_max > 1024 ? "hashkey" : "rangekey",
            bytes_max > 1024 ? "2048" : " 1024");
    return JOBQ_OK;
}

/* Does the item have the table's key (whole), or is it the key and nothing else? */
static int table_check_item(const struct dynamodb *m, const struct table *t,
                            const struct dynamodb_item *item, bool whole,
                            struct dynamodb_reply *reply, struct jobq_error *err)
{
    const struct dynamodb_table *p = &t->public;
    int keys = 1 + (p->sort.name[0] != '\0');
    if (!whole && item->count != keys)
        return dynamodb_refuse(reply, err, DYNAMODB_FAULT_VALIDATION,
                               "The provided key element does not match the schema");
    int code = table_check_key(m, &p->partition, item, whole,
                               m->params.partition_key_bytes_max, reply, err);
    if (code == JOBQ_OK && keys == 2)
        code = table_check_key(m, &p->sort, item, whole, m->params.sort_key_bytes_max,
                               reply, err);
    return code;
}

/* An index's key may be absent, but not of another type. */
static int table_check_indexes(const struct table *t, const struct dynamodb_item *item,
                               struct dynamodb_reply *reply, struct jobq_error *err)
{
    for (int i = 0; i < t->public.index_count; i++) {
        const struct dynamodb_index *index = &t->public.index[i];
        const struct dynamodb_key *key[2] = {&index->partition, &index->sort};
        for (int k = 0; k < 2; k++) {
            const struct dynamodb_value *v =
                key[k]->name[0] ? dynamodb_find(item, str_of(key[k]->name)) : NULL;
            if (v && v->type != key[k]->type)
                return dynamodb_refuse(reply, err, DYNAMODB_FAULT_VALIDATION,
                                       "One or more parameter values were invalid: Type "
                                       "mismatch for Index Key "
                                       "%s Expected: %s Actual: %s IndexName: %s",
                                       key[k]->name, dynamodb_type_name(key[k]->type),
                                       dynamodb_type_name(v->type), index->name);
        }
    }
    return JOBQ_OK;
}

/* ---- capacity ----------------------------------------------------------------------- */

static double units_of(int64_t bytes, int64_t unit)
{
    return bytes <= unit ? 1 : (double)((bytes + unit - 1) / unit);
}

static double read_units(int64_t bytes, bool consistent)
{
    return units_of(bytes, READ_UNIT) * (consistent ? 1 : 0.5);
}

/* JOBQ_OK and the units are taken, or THROUGHPUT. */
static int table_take(struct table *t, int64_t now_ns, uint64_t hash, double writes,
                      double reads, struct dynamodb_reply *reply, struct jobq_error *err)
{
    enum capacity_refusal refusal =
        capacity_take(&t->capacity, now_ns, hash, writes, reads);
    if (refusal == CAPACITY_TAKEN) {
        reply->write_units += writes;
        reply->read_units += reads;
        return JOBQ_OK;
    }
    reply->throttle = capacity_reason(refusal);
    if (refusal == CAPACITY_PARTITION_WRITES || refusal == CAPACITY_PARTITION_READS ||
        t->public.on_demand)
        return dynamodb_refuse(reply, err, DYNAMODB_FAULT_THROUGHPUT,
                               "Throughput exceeds the current throughput limit for your "
                               "table or index.");
    return dynamodb_refuse(
        reply, err, DYNAMODB_FAULT_THROUGHPUT,
        "The level of configured provisioned throughput for the table was "
        "exceeded. Consider increasing your provisioning level with the "
        "UpdateTable API.");
}

/* ---- writes ------------------------------------------------------------------------- */

/* A write that was looked at: what it would store, and what for. */
struct draft {
    struct table *table;
    struct items_key key;
    struct row *row; /* NULL: no item of this key, alive or not */
    const struct dynamodb_packed *before;
    struct dynamodb_item after; /* count 0: none */
    int64_t after_bytes;
    struct dynamodb_packed *packed; /* NULL, or what after is in: stored or dropped */
    enum dynamodb_fault fault;      /* CONDITION or VALIDATION, of the write itself */
};

static bool table_has_key(const struct table *t, struct jobq_str name)
{
    return str_eq(name, t->items.partition_name) ||
           (t->items.sort_name.len > 0 && str_eq(name, t->items.sort_name));
}

static bool update_touches_key(const struct table *t, const struct dynamodb_write *w,
                               struct jobq_str *name)
{
    for (int i = 0; i < w->set_count; i++)
        if (table_has_key(t, *name = w->set[i].name))
            return true;
    for (int i = 0; w->update && i < w->update->count; i++)
        if (table_has_key(t, *name = w->update->action[i].path.step[0].name))
            return true;
    return false;
}

static void draft_drop(struct dynamodb *m, struct draft *d)
{
    blocks_give(&m->memory, d->packed);
    d->packed = NULL;
}

static int draft_after(struct dynamodb *m, const struct dynamodb_write *w,
                       struct draft *d, struct arena *arena, struct dynamodb_reply *reply,
                       struct jobq_error *err)
{
    struct jobq_str name;
    if (w->verb == DYNAMODB_DELETE)
        return JOBQ_OK;
    if (w->verb == DYNAMODB_CHECK) {
        if (d->before) {
            d->after = d->before->item;
            d->after_bytes = d->before->bytes;
        }
        return JOBQ_OK;
    }
    d->after = w->item;
    if (w->verb == DYNAMODB_UPDATE) {
        if (update_touches_key(d->table, w, &name))
            return dynamodb_refuse(
                reply, err, DYNAMODB_FAULT_VALIDATION,
                "One or more parameter values were invalid: Cannot update "
                "attribute %.*s. This attribute is part of the key",
                (int)name.len, name.ptr);
        struct dynamodb_item base = d->before ? d->before->item : w->item;
        d->after = base;
        if (w->update && expression_apply(w->update, &base, arena, &d->after, err) < 0) {
            reply->fault = DYNAMODB_FAULT_VALIDATION;
            return JOBQ_INVALID;
        }
        if (w->set_count > 0) {
            d->packed = dynamodb_pack_set(d->before, &w->item, w->set, w->set_count,
                                          arena, &m->memory);
            d->after = d->packed->item;
        }
    }
    int code = table_check_indexes(d->table, &d->after, reply, err);
    if (code)
        return code;
    d->after_bytes = d->packed ? d->packed->bytes : dynamodb_item_bytes(&d->after);
    if (d->after_bytes <= m->params.item_bytes_max)
        return JOBQ_OK;
    return dynamodb_refuse(
        reply, err, DYNAMODB_FAULT_VALIDATION, "%s",
        w->verb == DYNAMODB_PUT
            ? "Item size has exceeded the maximum allowed size"
            : "Item size to update has exceeded the maximum allowed size");
}

/* Looks at a write without making it. A failed condition is d->fault, not an error. */
static int draft_make(struct dynamodb *m, int64_t now_ns, const struct dynamodb_write *w,
                      struct draft *d, struct arena *arena, struct dynamodb_reply *reply,
                      struct jobq_error *err)
{
    static const struct dynamodb_item none = {NULL, 0};
    *d = (struct draft){.table = dynamodb_live(m, now_ns, w->table)};
    if (!d->table)
        return dynamodb_no_table(reply, err);
    int code =
        table_check_item(m, d->table, &w->item, w->verb == DYNAMODB_PUT, reply, err);
    if (code)
        return code;
    d->key = items_key(&d->table->items, &w->item);
    d->row = items_find(&d->table->items, &d->key);
    d->before = d->row ? d->row->now : NULL;
    if (w->condition &&
        !expression_holds(w->condition, d->before ? &d->before->item : &none))
        d->fault = DYNAMODB_FAULT_CONDITION;
    code = d->fault ? JOBQ_OK : draft_after(m, w, d, arena, reply, err);
    if (code)
        draft_drop(m, d);
    return code;
}

static double draft_units(const struct dynamodb_write *w, const struct draft *d,
                          struct arena *arena)
{
    static const struct dynamodb_item none = {NULL, 0};
    const struct dynamodb_table *t = &d->table->public;
    int64_t before = d->before ? d->before->bytes : 0;
    double units =
        units_of(before > d->after_bytes ? before : d->after_bytes, WRITE_UNIT);
    for (int i = 0; i < t->index_count && !d->fault && w->verb != DYNAMODB_CHECK; i++)
        units += index_units(t, &t->index[i], d->before ? &d->before->item : &none,
                             &d->after, arena);
    return units;
}

static void draft_commit(struct dynamodb *m, int64_t now_ns,
                         const struct dynamodb_write *w, struct draft *d)
{
    if (w->verb == DYNAMODB_CHECK || (d->after.count == 0 && !d->before))
        return;
    struct dynamodb_packed *packed = d->packed;
    if (!packed && d->after.count > 0)
        packed = dynamodb_pack(&d->after, d->after_bytes, &m->memory);
    d->packed = NULL;
    struct row *row = d->row ? d->row : items_make(&d->table->items, &d->key);
    row_set(m, w->table, row, packed, now_ns);
}

static void draft_show(const struct dynamodb_packed *packed, struct arena *arena,
                       struct dynamodb_item *out)
{
    if (out)
        *out = packed ? dynamodb_copy_item(&packed->item, arena)
                      : (struct dynamodb_item){NULL, 0};
}

int dynamodb_write(struct dynamodb *m, int64_t now_ns, const struct dynamodb_write *w,
                   struct arena *arena, struct dynamodb_item *before,
                   struct dynamodb_item *after, struct dynamodb_reply *reply,
                   struct jobq_error *err)
{
    struct draft d;
    assert(!w->update || w->set_count == 0);
    *reply = (struct dynamodb_reply){0};
    dynamodb_advance(m, now_ns);
    int code = draft_make(m, now_ns, w, &d, arena, reply, err);
    if (code == JOBQ_OK)
        code = table_take(d.table, now_ns, d.key.hash, draft_units(w, &d, arena), 0,
                          reply, err);
    if (code) {
        draft_drop(m, &d);
        return code;
    }
    draft_show(d.before, arena, before);
    if (d.fault)
        return dynamodb_refuse(reply, err, d.fault, "The conditional request failed");
    if (after)
        *after = dynamodb_copy_item(&d.after, arena);
    draft_commit(m, now_ns, w, &d);
    return JOBQ_OK;
}

/* The highest bits of the hash, which choose the bucket, and the table below them. */
enum { PLACE_TABLE_BITS = 12, PLACE_TABLES = 1 << PLACE_TABLE_BITS };

uint64_t dynamodb_place(int table, struct jobq_str partition_key)
{
    struct dynamodb_value key = dynamodb_string(partition_key);
    uint64_t low =
        table < 0 || table >= PLACE_TABLES ? PLACE_TABLES - 1 : (uint64_t)table;
    return (items_hash(&key) & ~(uint64_t)(PLACE_TABLES - 1)) | low;
}

void dynamodb_prefetch(const struct dynamodb *m, uint64_t place)
{
    int table = (int)(place & (PLACE_TABLES - 1));
    if (dynamodb_table(m, table))
        items_prefetch(&m->table[table]->items, place);
}

static bool transaction_meets_twice(const struct dynamodb *m,
                                    const struct dynamodb_write *write, int count)
{
    for (int i = 0; i < count; i++)
        for (int j = 0; j < i; j++) {
            if (write[i].table != write[j].table || !dynamodb_table(m, write[i].table))
                continue;
            struct dynamodb_attr a[2], b[2];
            const struct table *t = m->table[write[i].table];
            struct dynamodb_item x = table_key_of(t, &write[i].item, a);
            struct dynamodb_item y = table_key_of(t, &write[j].item, b);
            bool same = true;
            for (int k = 0; k < x.count; k++)
                same &= dynamodb_equal(&x.attr[k].value, &y.attr[k].value);
            if (same)
                return true;
        }
    return false;
}

int dynamodb_transact(struct dynamodb *m, int64_t now_ns,
                      const struct dynamodb_write *write, int count, struct arena *arena,
                      struct dynamodb_item *before, enum dynamodb_fault *cancel,
                      struct dynamodb_reply *reply, struct jobq_error *err)
{
    struct draft *draft = arena_zalloc(arena, (size_t)count * sizeof *draft);
    bool failed = false;
    assert(count >= 1 && count <= TRANSACTION_MAX);
    *reply = (struct dynamodb_reply){0};
    dynamodb_advance(m, now_ns);
    for (int i = 0; i < count; i++) {
        assert(write[i].set_count == 0);
        struct dynamodb_reply own = {0};
        int code = draft_make(m, now_ns, &write[i], &draft[i], arena, &own, err);
        if (code && own.fault == DYNAMODB_FAULT_NO_TABLE) {
            *reply = own;
            return code;
        }
        cancel[i] = code ? own.fault : draft[i].fault;
        failed |= cancel[i] != DYNAMODB_FAULT_NONE;
        draft_show(cancel[i] == DYNAMODB_FAULT_CONDITION ? draft[i].before : NULL, arena,
                   &before[i]);
    }
    if (transaction_meets_twice(m, write, count))
        return dynamodb_refuse(
            reply, err, DYNAMODB_FAULT_VALIDATION,
            "Transaction request cannot include multiple operations on "
            "one item");
    for (int i = 0; i < count; i++) {
        int code =
            table_take(draft[i].table, now_ns, draft[i].key.hash,
                       2 * draft_units(&write[i], &draft[i], arena), 0, reply, err);
        if (code)
            return code;
    }
    if (failed)
        return dynamodb_refuse(reply, err, DYNAMODB_FAULT_CANCELED,
                               "Transaction cancelled");
    for (int i = 0; i < count; i++)
        draft_commit(m, now_ns, &write[i], &draft[i]);
    return JOBQ_OK;
}

/* ---- reads -------------------------------------------------------------------------- */

int dynamodb_get(struct dynamodb *m, int64_t now_ns, double u, int table,
                 const struct dynamodb_item *key, bool consistent, struct arena *arena,
                 struct dynamodb_item *out, struct dynamodb_reply *reply,
                 struct jobq_error *err)
{
    *reply = (struct dynamodb_reply){0};
    dynamodb_advance(m, now_ns);
    struct table *t = dynamodb_live(m, now_ns, table);
    if (!t)
        return dynamodb_no_table(reply, err);
    int code = table_check_item(m, t, key, false, reply, err);
    if (code)
        return code;
    struct items_key place = items_key(&t->items, key);
    const struct row *row = items_find(&t->items, &place);
    const struct dynamodb_packed *seen =
        row ? row_seen(m, row, now_ns, u, consistent) : NULL;
    code = table_take(t, now_ns, place.hash, 0,
                      read_units(seen ? seen->bytes : 0, consistent), reply, err);
    if (code == JOBQ_OK)
        draft_show(seen, arena, out);
    return code;
}

const struct dynamodb_item *dynamodb_peek(const struct dynamodb *m, int table,
                                          const struct dynamodb_item *key)
{
    assert(dynamodb_table(m, table));
    const struct items *items = &m->table[table]->items;
    struct items_key place = items_key(items, key);
    const struct row *row = items_find(items, &place);
    return row && row->now ? &row->now->item : NULL;
}

int dynamodb_restore_table(struct dynamodb *m, int64_t now_ns,
                           const struct dynamodb_table *saved)
{
    struct dynamodb_reply reply;
    struct jobq_error err;
    int table;
    int code = dynamodb_create_table(m, now_ns, saved, &table, &reply, &err);
    assert(code == JOBQ_OK);
    (void)code;
    m->table[table]->public.created_at_ns = saved->created_at_ns;
    m->table[table]->public.active_at_ns = saved->active_at_ns;
    return table;
}

void dynamodb_restore_item(struct dynamodb *m, int64_t now_ns, int table,
                           const struct dynamodb_item *item)
{
    assert(dynamodb_table(m, table));
    dynamodb_count(m, now_ns);
    struct items *items = &m->table[table]->items;
    struct items_key place = items_key(items, item);
    struct row *row = items_make(items, &place);
    row_set(m, table, row, dynamodb_pack(item, dynamodb_item_bytes(item), &m->memory),
            now_ns);
}

/* A page being filled. */
struct paging {
    struct dynamodb *model;
    struct table *table;
    const struct dynamodb_page_options *options;
    struct arena *arena;
    struct dynamodb_page *out;
    int64_t now_ns, bytes;
    double u;
    int cap;
};

/* The key of an item: the table's, and in an index its own too. */
static struct dynamodb_item page_key(const struct paging *p,
                                     const struct dynamodb_item *item)
{
    const struct dynamodb_table *t = &p->table->public;
    const struct dynamodb_index *index = p->options->index;
    const char *name[4] = {t->partition.name, t->sort.name,
                           index ? index->partition.name : "",
                           index ? index->sort.name : ""};
    struct dynamodb_attr *attr = arena_alloc(p->arena, 4 * sizeof *attr);
    int count = 0;
    for (int i = 0; i < 4; i++) {
        bool twice = !name[i][0];
        for (int k = 0; k < count && !twice; k++)
            twice = str_is(attr[k].name, name[i]);
        if (!twice)
            attr[count++] = (struct dynamodb_attr){str_of(name[i]),
                                                   *dynamodb_find(item, str_of(name[i]))};
    }
    struct dynamodb_item key = {attr, count};
    return dynamodb_copy_item(&key, p->arena);
}

/* One item that is looked at; false: the page ends with it. */
static bool page_take_item(struct paging *p, const struct dynamodb_item *item,
                           int64_t bytes)
{
    struct dynamodb_page *out = p->out;
    struct dynamodb_item shown = *item;
    if (p->options->sort_condition && !expression_holds(p->options->sort_condition, item))
        return true;
    if (p->options->index) {
        shown = index_project(&p->table->public, p->options->index, item, p->arena);
        bytes = dynamodb_item_bytes(&shown);
    }
    p->bytes += bytes;
    out->scanned++;
    if (!p->options->filter || expression_holds(p->options->filter, &shown)) {
        if (out->count == p->cap) {
            p->cap = p->cap ? 2 * p->cap : 16;
            struct dynamodb_item *more =
                arena_alloc(p->arena, (size_t)p->cap * sizeof *more);
            if (out->count > 0)
                memcpy(more, out->item, (size_t)out->count * sizeof *more);
            out->item = more;
        }
        out->item[out->count++] = dynamodb_copy_item(&shown, p->arena);
    }
    if (out->scanned != p->options->limit && p->bytes < p->model->params.page_bytes_max)
        return true;
    out->last = page_key(p, item);
    return false;
}

/* False: the page ends with this row. */
static bool page_take(struct paging *p, const struct row *row)
{
    const struct dynamodb_packed *seen =
        row_seen(p->model, row, p->now_ns, p->u, p->options->consistent);
    return !seen || page_take_item(p, &seen->item, seen->bytes);
}

static void page_query(struct paging *p)
{
    int32_t count;
    struct row *const *row =
        items_partition(&p->table->items, p->options->partition, &count);
    const struct dynamodb_item *after = p->options->after;
    struct jobq_str sort = p->table->items.sort_name;
    for (int32_t i = 0; i < count; i++) {
        const struct row *at = row[p->options->backward ? count - 1 - i : i];
        if (after) {
            int order = 0;
            if (sort.len == 0)
                return;
            dynamodb_compare(
                dynamodb_find(at->now ? &at->now->item : &at->old->item, sort),
                dynamodb_find(after, sort), &order);
            if (p->options->backward ? order >= 0 : order <= 0)
                continue;
        }
        if (!page_take(p, at))
            return;
    }
}

static void page_scan(struct paging *p)
{
    const struct dynamodb_page_options *o = p->options;
    int segments = o->segments > 0 ? o->segments : 1;
    uint64_t width = segments > 1 ? UINT64_MAX / (uint64_t)segments + 1 : 0;
    uint64_t from = width * (uint64_t)o->segment;
    struct items_cursor cursor;
    for (struct row *row = items_first(&p->table->items, from, o->after, &cursor); row;
         row = items_next(&p->table->items, &cursor)) {
        if (width && cursor.hash / width != (uint64_t)o->segment)
            return;
        if (!page_take(p, row))
            return;
    }
}

/* qsort has no context: the order travels beside each item. */
struct page_sorted {
    const struct dynamodb_item *item;
    const struct paging *paging;
};

static int page_order(const void *a, const void *b)
{
    const struct page_sorted *x = a, *y = b;
    return index_order(&x->paging->table->public, x->paging->options->index, x->item,
                       y->item);
}

static void page_index(struct paging *p)
{
    const struct dynamodb_page_options *o = p->options;
    struct page_sorted *sorted =
        arena_alloc(p->arena, (size_t)p->table->items.rows * sizeof *sorted + 1);
    int segments = o->segments > 0 ? o->segments : 1;
    uint64_t width = segments > 1 ? UINT64_MAX / (uint64_t)segments + 1 : 0;
    struct jobq_str key = str_of(o->index->partition.name);
    size_t count = 0;
    struct items_cursor cursor;
    for (struct row *row = items_first(&p->table->items, 0, NULL, &cursor); row;
         row = items_next(&p->table->items, &cursor)) {
        const struct dynamodb_packed *seen =
            row_seen(p->model, row, p->now_ns, p->u, o->consistent);
        if (!seen || !index_has(o->index, &seen->item))
            continue;
        const struct dynamodb_value *v = dynamodb_find(&seen->item, key);
        if ((o->partition && !dynamodb_equal(v, o->partition)) ||
            (width && items_hash(v) / width != (uint64_t)o->segment))
            continue;
        sorted[count++] = (struct page_sorted){&seen->item, p};
    }
    qsort(sorted, count, sizeof *sorted, page_order);
    for (size_t i = 0; i < count; i++) {
        const struct dynamodb_item *item = sorted[o->backward ? count - 1 - i : i].item;
        if (o->after) {
            int order = index_order(&p->table->public, o->index, item, o->after);
            if (o->backward ? order >= 0 : order <= 0)
                continue;
        }
        if (!page_take_item(p, item, 0))
            return;
    }
}

/* ExclusiveStartKey has the keys of table and index, and nothing else. */
static bool page_start_good(const struct dynamodb *m, const struct table *t,
                            const struct dynamodb_page_options *o)
{
    struct dynamodb_reply reply;
    struct jobq_error err;
    if (!o->index)
        return table_check_item(m, t, o->after, false, &reply, &err) == JOBQ_OK;
    return index_has(o->index, o->after) &&
           table_check_item(m, t, o->after, true, &reply, &err) == JOBQ_OK;
}

int dynamodb_page(struct dynamodb *m, int64_t now_ns, double u, int table,
                  const struct dynamodb_page_options *options, struct arena *arena,
                  struct dynamodb_page *out, struct dynamodb_reply *reply,
                  struct jobq_error *err)
{
    *reply = (struct dynamodb_reply){0};
    *out = (struct dynamodb_page){0};
    dynamodb_advance(m, now_ns);
    struct table *t = dynamodb_live(m, now_ns, table);
    if (!t)
        return dynamodb_no_table(reply, err);
    if (options->after && !page_start_good(m, t, options))
        return dynamodb_refuse(reply, err, DYNAMODB_FAULT_VALIDATION,
                               "The provided starting key is invalid");
    struct paging p = {.model = m,
                       .table = t,
                       .options = options,
                       .arena = arena,
                       .out = out,
                       .now_ns = now_ns,
                       .u = u};
    if (options->index)
        page_index(&p);
    else if (options->partition)
        page_query(&p);
    else
        page_scan(&p);
    reply->read_units = read_units(p.bytes, options->consistent);
    capacity_use(&t->capacity, now_ns, reply->read_units);
    return JOBQ_OK;
}
