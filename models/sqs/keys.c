/* keys.c - the string table of models/sqs/keys.h.
 *
 * Room:     models, facts.
 * Callers:  those of models/sqs/keys.h.
 * Knows nothing of: what is kept with a key. */
#include "models/sqs/keys.h"

#include "base/arena.h"
#include "base/hash.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

void sqs_keys_init(struct sqs_keys *keys, size_t node_bytes)
{
    assert(node_bytes >= sizeof(struct sqs_key));
    *keys = (struct sqs_keys){.node_bytes = node_bytes, .used = 1};
}

void *sqs_keys_at(const struct sqs_keys *keys, uint32_t index)
{
    return keys->node + (size_t)index * keys->node_bytes;
}

void sqs_keys_clear(struct sqs_keys *keys)
{
    for (uint32_t i = 1; i < keys->used; i++)
        free(((struct sqs_key *)sqs_keys_at(keys, i))->text);
    if (keys->bucket)
        memset(keys->bucket, 0, keys->bucket_count * sizeof *keys->bucket);
    keys->used = 1;
    keys->free = keys->count = 0;
}

void sqs_keys_release(struct sqs_keys *keys)
{
    sqs_keys_clear(keys);
    free(keys->node);
    free(keys->bucket);
    sqs_keys_init(keys, keys->node_bytes);
}

/* FNV-1a, with a final mix because the low bits choose the bucket. The first string's
 * length goes in, so that ("ab", "c") and ("a", "bc") differ. */
static uint64_t keys_hash_of(uint32_t scope, struct jobq_str a, struct jobq_str b)
{
    uint64_t hash = HASH_START ^ scope ^ ((uint64_t)a.len << 32);
    hash = hash_add(hash_add(hash, a.ptr, (size_t)a.len), b.ptr, (size_t)b.len);
    return hash ^ (hash >> 29);
}

uint32_t sqs_keys_find(const struct sqs_keys *keys, uint32_t scope, struct jobq_str a,
                       struct jobq_str b)
{
    if (!keys->bucket)
        return 0;
    uint64_t hash = keys_hash_of(scope, a, b);
    uint32_t at = keys->bucket[hash & (keys->bucket_count - 1)];
    while (at) {
        const struct sqs_key *key = sqs_keys_at(keys, at);
        if (key->hash == hash && key->scope == scope && key->len == a.len + b.len &&
            (!a.len || memcmp(key->text, a.ptr, (size_t)a.len) == 0) &&
            (!b.len || memcmp(key->text + a.len, b.ptr, (size_t)b.len) == 0))
            return at;
        at = key->next;
    }
    return 0;
}

static void grow_buckets(struct sqs_keys *keys)
{
    uint32_t count = keys->bucket_count ? keys->bucket_count * 2 : 64;
    uint32_t *bucket = xcalloc(count, sizeof *bucket);
    for (uint32_t b = 0; b < keys->bucket_count; b++) {
        uint32_t at = keys->bucket[b];
        while (at) {
            struct sqs_key *key = sqs_keys_at(keys, at);
            uint32_t next = key->next;
            key->next = bucket[key->hash & (count - 1)];
            bucket[key->hash & (count - 1)] = at;
            at = next;
        }
    }
    free(keys->bucket);
    keys->bucket = bucket;
    keys->bucket_count = count;
}

static uint32_t new_node(struct sqs_keys *keys)
{
    if (keys->free) {
        uint32_t at = keys->free;
        keys->free = ((struct sqs_key *)sqs_keys_at(keys, at))->next;
        return at;
    }
    if (keys->used >= keys->cap) {
        keys->cap = keys->cap ? keys->cap * 2 : 64;
        keys->node = xrealloc(keys->node, keys->cap * keys->node_bytes);
    }
    return keys->used++;
}

uint32_t sqs_keys_add(struct sqs_keys *keys, uint32_t scope, struct jobq_str a,
                      struct jobq_str b)
{
    if (keys->count >= keys->bucket_count)
        grow_buckets(keys);
    uint32_t at = new_node(keys);
    struct sqs_key *key = sqs_keys_at(keys, at);
    memset(key, 0, keys->node_bytes);
    key->hash = keys_hash_of(scope, a, b);
    key->scope = scope;
    key->len = (uint32_t)(a.len + b.len);
    key->text = xmalloc(key->len);
    if (a.len)
        memcpy(key->text, a.ptr, (size_t)a.len);
    if (b.len)
        memcpy(key->text + a.len, b.ptr, (size_t)b.len);
    uint32_t *bucket = &keys->bucket[key->hash & (keys->bucket_count - 1)];
    key->next = *bucket;
    *bucket = at;
    keys->count++;
    return at;
}

void sqs_keys_remove(struct sqs_keys *keys, uint32_t index)
{
    struct sqs_key *key = sqs_keys_at(keys, index);
    uint32_t *link = &keys->bucket[key->hash & (keys->bucket_count - 1)];
    while (*link != index)
        link = &((struct sqs_key *)sqs_keys_at(keys, *link))->next;
    *link = key->next;
    free(key->text);
    key->text = NULL;
    key->next = keys->free;
    keys->free = index;
    keys->count--;
}
