/* heap.h - deadlines in any order, each of which can be removed.
 *
 * Room:     models, facts; of the SQS model alone.
 * Callers:  sqs_*.c.
 * Knows nothing of: what the ids stand for.
 *
 * A 4-ary heap of (key, sequence): ties leave in the order in which they came. The owner
 * of the ids keeps each one's position, so that removal is O(log n). */
#ifndef JOBQ_MODELS_SQS_HEAP_H
#define JOBQ_MODELS_SQS_HEAP_H

#include <stddef.h>
#include <stdint.h>

struct sqs_heap_node {
    int64_t key;
    uint32_t sequence, id;
};
struct sqs_heap { /* zero it to init */
    struct sqs_heap_node *node;
    uint32_t count, cap, sequence;
};

/* Where ids keep their positions: that of id i is the uint32_t at base + i * stride. */
struct sqs_heap_places {
    char *base;
    size_t stride;
};

void sqs_heap_release(struct sqs_heap *heap);
void sqs_heap_put(struct sqs_heap *heap, struct sqs_heap_places places, int64_t key,
                  uint32_t id);
/* Removes the node at a position. */
void sqs_heap_remove(struct sqs_heap *heap, struct sqs_heap_places places, uint32_t at);
/* INT64_MAX when empty. */
int64_t sqs_heap_key(const struct sqs_heap *heap);

#endif
