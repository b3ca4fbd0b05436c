/* items.h - how a table keeps its items: in the order of a hash, each with its past.
 *
 * Room:     models, the facts.
 * Callers:  the DynamoDB model alone.
 * Knows nothing of: conditions, capacity, names of tables.
 *
 * A hash table whose buckets are ranges of the hash, so that going through it bucket by
 * bucket is going through the items in the order of their hash, from wherever one likes:
 * Scan, its segments and its pages need no second index. Items of one partition key stand in
 * the order of their sort keys. */
#ifndef JOBQ_MODELS_DYNAMODB_ITEMS_H
#define JOBQ_MODELS_DYNAMODB_ITEMS_H

#include "models/dynamodb/packed.h"

/* One key's item. */
struct row {
    struct dynamodb_packed *now; /* NULL: deleted */
    struct dynamodb_packed *old; /* before the last write; NULL: none */
    int64_t changed_at_ns;
};

struct partition {
    struct partition *next; /* in the bucket, by hash, then by key */
    uint64_t hash;
    struct row **row; /* by sort key */
    int32_t count, cap;
    struct row *only; /* what row points to while there is one */
    struct row first; /* the row that the partition was made for */
};

struct items {
    struct blocks *memory;
    struct partition **bucket;
    int bits; /* 2^bits buckets, by the highest bits of the hash */
    int64_t partitions, rows;
    struct jobq_str partition_name, sort_name; /* of the keys; sort_name.len 0: none */
};

/* memory: of partitions, rows and what they hold. It outlives the items. */
void items_init(struct items *items, struct blocks *memory,
                struct jobq_str partition_name, struct jobq_str sort_name);
void items_release(struct items *items);

uint64_t items_hash(const struct dynamodb_value *partition_key);
/* Where an item belongs: views of its key, and the hash of the partition's. */
struct items_key {
    const struct dynamodb_value *partition, *sort; /* sort NULL: the table has none */
    uint64_t hash;
};
/* `item` has at least the key's attributes. */
struct items_key items_key(const struct items *items, const struct dynamodb_item *item);
/* Asks the processor for the first partition of a hash's bucket. */
void items_prefetch(const struct items *items, uint64_t hash);
/* The row of a key, or NULL. */
struct row *items_find(const struct items *items, const struct items_key *key);
/* The same, made (empty, not counted as an item by anyone) if it is not there. */
struct row *items_make(struct items *items, const struct items_key *key);
/* Takes a row out; frees it and what it holds. */
void items_remove(struct items *items, const struct items_key *key);

/* The position of an iteration over the rows, in order. */
struct items_cursor {
    uint64_t hash;        /* of the partition of the row last given */
    struct partition *at; /* NULL: to be found anew */
    int32_t index;
};
/* The first row at or behind (from_hash, after): after NULL: the first of that hash or more;
 * else the first behind that key. NULL: no more. Writes end an iteration. */
struct row *items_first(const struct items *items, uint64_t from_hash,
                        const struct dynamodb_item *after, struct items_cursor *cursor);
struct row *items_next(const struct items *items, struct items_cursor *cursor);
/* All rows of one partition key, in order; *count 0: none. */
struct row *const *items_partition(const struct items *items,
                                   const struct dynamodb_value *partition_key,
                                   int32_t *count);

#endif
