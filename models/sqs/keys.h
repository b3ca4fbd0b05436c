/* keys.h - a table of short strings: message groups and deduplication ids.
 *
 * Room:     models, facts; of the SQS model alone.
 * Callers:  sqs_*.c.
 * Knows nothing of: what is kept with a key.
 *
 * Nodes live in one array and are named by index, 1 and up; a node begins with a
 * struct sqs_key and may be larger. Chained hashing, grown at one node a bucket. */
#ifndef JOBQ_MODELS_SQS_KEYS_H
#define JOBQ_MODELS_SQS_KEYS_H

#include "jobq/ports.h"

#include <stddef.h>
#include <stdint.h>

struct sqs_key {
    uint64_t hash;
    uint32_t next; /* in its bucket, or in the free list */
    uint32_t scope;
    char *text; /* owned */
    uint32_t len;
};
struct sqs_keys {
    char *node;
    size_t node_bytes;
    uint32_t *bucket; /* bucket_count of them, a power of two */
    uint32_t bucket_count, used, cap, free, count;
};

void sqs_keys_init(struct sqs_keys *keys, size_t node_bytes);
void sqs_keys_release(struct sqs_keys *keys);
/* Removes all, keeps the arrays. */
void sqs_keys_clear(struct sqs_keys *keys);
/* The key made of a scope and of two strings, the second may be empty; 0: not there. */
uint32_t sqs_keys_find(const struct sqs_keys *keys, uint32_t scope, struct jobq_str a,
                       struct jobq_str b);
/* Adds it (it must not be there); the rest of its node is zero. Nodes may move. */
uint32_t sqs_keys_add(struct sqs_keys *keys, uint32_t scope, struct jobq_str a,
                      struct jobq_str b);
void sqs_keys_remove(struct sqs_keys *keys, uint32_t index);
void *sqs_keys_at(const struct sqs_keys *keys, uint32_t index);

#endif
