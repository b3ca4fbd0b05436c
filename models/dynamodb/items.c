#include "models/dynamodb/items.h"

#include "base/text.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { ITEMS_BITS_FIRST = 4, ITEMS_BITS_MAX = 28 };

void items_init(struct items *items, struct blocks *memory,
                struct jobq_str partition_name, struct jobq_str sort_name)
{
    *items = (struct items){.memory = memory,
                            .bits = ITEMS_BITS_FIRST,
                            .partition_name = partition_name,
                            .sort_name = sort_name};
    items->bucket = xcalloc((size_t)1 << items->bits, sizeof *items->bucket);
}

static void row_free(struct items *items, struct partition *p, struct row *row)
{
    blocks_give(items->memory, row->now);
    blocks_give(items->memory, row->old);
    if (row != &p->first)
        blocks_give(items->memory, row);
}

static void partition_free(struct items *items, struct partition *p)
{
    for (int32_t i = 0; i < p->count; i++)
        row_free(items, p, p->row[i]);
    if (p->row != &p->only)
        free(p->row);
    blocks_give(items->memory, p);
}

void items_release(struct items *items)
{
    for (size_t i = 0; items->bucket && i < (size_t)1 << items->bits; i++)
        for (struct partition *p = items->bucket[i], *next; p; p = next) {
            next = p->next;
            partition_free(items, p);
        }
    free(items->bucket);
    *items = (struct items){0};
}

static uint64_t hash_mix(uint64_t hash)
{
    hash = (hash ^ (hash >> 30)) * 0xbf58476d1ce4e5b9u;
    hash = (hash ^ (hash >> 27)) * 0x94d049bb133111ebu;
    return hash ^ (hash >> 31);
}

/* SplitMix64 over words of eight bytes: the highest bits choose the bucket. */
uint64_t items_hash(const struct dynamodb_value *key)
{
    uint64_t hash = (uint64_t)key->type << 56 ^ (uint64_t)key->of.text.len;
    const char *p = key->of.text.ptr;
    int64_t left = key->of.text.len;
    for (; left > 0; p += 8, left -= 8) {
        uint64_t word = 0;
        if (left >= 8)
            memcpy(&word, p, 8);
        else
            memcpy(&word, p, (size_t)left);
        hash = (hash ^ word) * 0x9e3779b97f4a7c15u;
        hash ^= hash >> 29;
    }
    return hash_mix(hash);
}

struct items_key items_key(const struct items *items, const struct dynamodb_item *item)
{
    struct items_key key = {.partition = dynamodb_find(item, items->partition_name)};
    if (items->sort_name.len > 0)
        key.sort = dynamodb_find(item, items->sort_name);
    key.hash = items_hash(key.partition);
    return key;
}

static const struct dynamodb_item *row_item(const struct row *row)
{
    return row->now ? &row->now->item : &row->old->item;
}

static const struct dynamodb_value *partition_key(const struct items *items,
                                                  const struct partition *p)
{
    return dynamodb_find(row_item(p->row[0]), items->partition_name);
}

static struct partition **items_bucket(const struct items *items, uint64_t hash)
{
    return &items->bucket[hash >> (64 - items->bits)];
}

/* Where the partition of a key is or would be linked. */
static struct partition **items_place(const struct items *items, uint64_t hash,
                                      const struct dynamodb_value *key)
{
    struct partition **at = items_bucket(items, hash);
    while (*at && ((*at)->hash < hash ||
                   ((*at)->hash == hash &&
                    str_cmp(partition_key(items, *at)->of.text, key->of.text) < 0)))
        at = &(*at)->next;
    return at;
}

static struct partition *items_partition_of(const struct items *items, uint64_t hash,
                                            const struct dynamodb_value *key)
{
    struct partition *p = *items_place(items, hash, key);
    return p && p->hash == hash && dynamodb_equal(partition_key(items, p), key) ? p
                                                                                : NULL;
}

void items_prefetch(const struct items *items, uint64_t hash)
{
    const struct partition *p = *items_bucket(items, hash);
    if (p) {
        __builtin_prefetch(p, 1);
        __builtin_prefetch((const char *)p + sizeof *p, 1);
    }
}

/* The index of the first row whose sort key is not below `want` (NULL: there are no sort
 * keys); *same: it is that key. */
static int32_t partition_index(const struct items *items, const struct partition *p,
                               const struct dynamodb_value *want, bool *same)
{
    *same = false;
    if (!want) {
        *same = p->count > 0;
        return 0;
    }
    int32_t low = 0, high = p->count;
    while (low < high) {
        int32_t mid = low + (high - low) / 2;
        int order = 0;
        dynamodb_compare(dynamodb_find(row_item(p->row[mid]), items->sort_name), want,
                         &order);
        if (order == 0)
            *same = true;
        if (order < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

struct row *items_find(const struct items *items, const struct items_key *key)
{
    bool same;
    struct partition *p = items_partition_of(items, key->hash, key->partition);
    int32_t i = p ? partition_index(items, p, key->sort, &same) : 0;
    return p && same ? p->row[i] : NULL;
}

/* Twice the buckets: each one's chain, in order already, is cut in two. */
static void items_grow(struct items *items)
{
    size_t old_count = (size_t)1 << items->bits;
    struct partition **old = items->bucket;
    items->bits++;
    items->bucket = xcalloc(2 * old_count, sizeof *items->bucket);
    for (size_t i = 0; i < old_count; i++) {
        struct partition **tail[2] = {&items->bucket[2 * i], &items->bucket[2 * i + 1]};
        for (struct partition *p = old[i]; p; p = p->next) {
            int half = (int)(p->hash >> (64 - items->bits)) & 1;
            *tail[half] = p;
            tail[half] = &p->next;
        }
        *tail[0] = *tail[1] = NULL;
    }
    free(old);
}

static void partition_insert(struct partition *p, int32_t at, struct row *row)
{
    if (p->count == 0) {
        p->row = &p->only;
        p->cap = 1;
    } else if (p->count == p->cap) {
        bool inside = p->row == &p->only;
        p->cap *= 4;
        p->row = xrealloc(inside ? NULL : p->row, (size_t)p->cap * sizeof *p->row);
        if (inside)
            p->row[0] = p->only;
    }
    memmove(p->row + at + 1, p->row + at, (size_t)(p->count - at) * sizeof *p->row);
    p->row[at] = row;
    p->count++;
}

struct row *items_make(struct items *items, const struct items_key *key)
{
    bool same = false;
    struct partition *p = items_partition_of(items, key->hash, key->partition);
    int32_t at = p ? partition_index(items, p, key->sort, &same) : 0;
    if (p && same)
        return p->row[at];
    if (!p) {
        if (items->partitions >> items->bits && items->bits < ITEMS_BITS_MAX)
            items_grow(items);
        struct partition **place = items_place(items, key->hash, key->partition);
        p = blocks_take(items->memory, sizeof *p);
        *p = (struct partition){.next = *place, .hash = key->hash};
        *place = p;
        items->partitions++;
    }
    struct row *row = &p->first;
    if (p->count > 0)
        row = blocks_take(items->memory, sizeof *row);
    *row = (struct row){.now = NULL};
    partition_insert(p, at, row);
    items->rows++;
    return row;
}

void items_remove(struct items *items, const struct items_key *key)
{
    bool same;
    struct partition **place = items_place(items, key->hash, key->partition), *p = *place;
    assert(p && p->hash == key->hash);
    int32_t at = partition_index(items, p, key->sort, &same);
    assert(same);
    row_free(items, p, p->row[at]);
    p->count--;
    memmove(p->row + at, p->row + at + 1, (size_t)(p->count - at) * sizeof *p->row);
    items->rows--;
    if (p->count == 0) {
        *place = p->next;
        items->partitions--;
        partition_free(items, p);
    }
}

/* The first partition of a bucket at or behind `from`. */
static struct partition *items_from_bucket(const struct items *items, uint64_t bucket)
{
    for (; bucket < (uint64_t)1 << items->bits; bucket++)
        if (items->bucket[bucket])
            return items->bucket[bucket];
    return NULL;
}

static struct partition *items_after(const struct items *items, const struct partition *p)
{
    return p->next ? p->next
                   : items_from_bucket(items, (p->hash >> (64 - items->bits)) + 1);
}

static struct row *cursor_row(const struct items *items, struct items_cursor *cursor)
{
    while (cursor->at && cursor->index >= cursor->at->count) {
        cursor->at = items_after(items, cursor->at);
        cursor->index = 0;
    }
    if (!cursor->at)
        return NULL;
    cursor->hash = cursor->at->hash;
    return cursor->at->row[cursor->index];
}

struct row *items_first(const struct items *items, uint64_t from_hash,
                        const struct dynamodb_item *after, struct items_cursor *cursor)
{
    bool same = false;
    cursor->index = 0;
    if (!after) {
        struct partition *p = *items_bucket(items, from_hash);
        while (p && p->hash < from_hash)
            p = p->next;
        cursor->at =
            p ? p : items_from_bucket(items, (from_hash >> (64 - items->bits)) + 1);
        return cursor_row(items, cursor);
    }
    struct items_key key = items_key(items, after);
    struct partition *p = *items_place(items, key.hash, key.partition);
    if (!p)
        p = items_from_bucket(items, (key.hash >> (64 - items->bits)) + 1);
    cursor->at = p;
    if (p && p->hash == key.hash &&
        dynamodb_equal(partition_key(items, p), key.partition)) {
        cursor->index = partition_index(items, p, key.sort, &same);
        cursor->index += same;
    }
    return cursor_row(items, cursor);
}

struct row *items_next(const struct items *items, struct items_cursor *cursor)
{
    cursor->index++;
    return cursor_row(items, cursor);
}

struct row *const *items_partition(const struct items *items,
                                   const struct dynamodb_value *key, int32_t *count)
{
    struct partition *p = items_partition_of(items, items_hash(key), key);
    *count = p ? p->count : 0;
    return p ? p->row : NULL;
}
