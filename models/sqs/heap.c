/* heap.c - the 4-ary heap of models/sqs/heap.h.
 *
 * Room:     models, facts.
 * Callers:  those of models/sqs/heap.h.
 * Knows nothing of: what the ids stand for. */
#include "models/sqs/heap.h"

#include "base/arena.h"

#include <stdbool.h>
#include <stdlib.h>

enum { WAYS = 4 };

void sqs_heap_release(struct sqs_heap *heap)
{
    free(heap->node);
    *heap = (struct sqs_heap){0};
}

int64_t sqs_heap_key(const struct sqs_heap *heap)
{
    return heap->count ? heap->node[0].key : INT64_MAX;
}

static bool heap_before(const struct sqs_heap_node *a, const struct sqs_heap_node *b)
{
    if (a->key != b->key)
        return a->key < b->key;
    /* The sequence may wrap; what is pending at once is far less than half of it. */
    return (int32_t)(a->sequence - b->sequence) < 0;
}

static void settle_at(struct sqs_heap *heap, struct sqs_heap_places places, uint32_t at,
                      struct sqs_heap_node node)
{
    heap->node[at] = node;
    *(uint32_t *)(void *)(places.base + (size_t)node.id * places.stride) = at;
}

static void heap_sift_up(struct sqs_heap *heap, struct sqs_heap_places places,
                         uint32_t at, struct sqs_heap_node node)
{
    while (at > 0) {
        uint32_t up = (at - 1) / WAYS;
        if (!heap_before(&node, &heap->node[up]))
            break;
        settle_at(heap, places, at, heap->node[up]);
        at = up;
    }
    settle_at(heap, places, at, node);
}

static void heap_sift_down(struct sqs_heap *heap, struct sqs_heap_places places,
                           uint32_t at, struct sqs_heap_node node)
{
    for (;;) {
        uint32_t first = at * WAYS + 1, best = first;
        if (first >= heap->count)
            break;
        uint32_t end = first + WAYS < heap->count ? first + WAYS : heap->count;
        for (uint32_t i = first + 1; i < end; i++)
            if (heap_before(&heap->node[i], &heap->node[best]))
                best = i;
        if (!heap_before(&heap->node[best], &node))
            break;
        settle_at(heap, places, at, heap->node[best]);
        at = best;
    }
    settle_at(heap, places, at, node);
}

void sqs_heap_put(struct sqs_heap *heap, struct sqs_heap_places places, int64_t key,
                  uint32_t id)
{
    if (heap->count == heap->cap) {
        heap->cap = heap->cap ? heap->cap * 2 : 64;
        heap->node = xrealloc(heap->node, heap->cap * sizeof *heap->node);
    }
    struct sqs_heap_node node = {key, heap->sequence++, id};
    heap_sift_up(heap, places, heap->count++, node);
}

void sqs_heap_remove(struct sqs_heap *heap, struct sqs_heap_places places, uint32_t at)
{
    struct sqs_heap_node last = heap->node[--heap->count];
    if (at == heap->count)
        return;
    if (at > 0 && heap_before(&last, &heap->node[(at - 1) / WAYS]))
        heap_sift_up(heap, places, at, last);
    else
        heap_sift_down(heap, places, at, last);
}
