/* heap.c - see heap.h.
 *
 * Room:     sim, low-level. */
#include "sim/kernel/heap.h"

#include "base/arena.h"

#include <stdlib.h>
#include <string.h>

enum { LINE = 64, FIRST_CAP = 64, SIBLINGS = 4 };

void heap_init(struct heap *heap)
{
    *heap = (struct heap){0};
    heap_grow(heap);
}

void heap_release(struct heap *heap)
{
    free(heap->block);
    *heap = (struct heap){0};
}

void heap_clear(struct heap *heap)
{
    for (size_t i = 0; i < heap->count; i++)
        heap->key[i] = HEAP_KEY_MAX;
    heap->count = 0;
    heap->hole = false;
}

/* key[1] starts a cache line, and with it every group of siblings. */
void heap_grow(struct heap *heap)
{
    size_t cap = heap->cap ? heap->cap * 2 : FIRST_CAP, keys = cap + SIBLINGS;
    char *block = xmalloc((3 + keys) * sizeof(wide_u128) + LINE);
    uintptr_t line = ((uintptr_t)block + LINE - 1) & ~(uintptr_t)(LINE - 1);
    wide_u128 *key = (wide_u128 *)line + 3;
    if (heap->count > 0)
        memcpy(key, heap->key, heap->count * sizeof *key);
    for (size_t i = heap->count; i < keys; i++)
        key[i] = HEAP_KEY_MAX;
    free(heap->block);
    heap->block = block;
    heap->key = key;
    heap->cap = cap;
}

static void sink(wide_u128 *k, size_t count, size_t i)
{
    wide_u128 key = k[i];
    for (size_t child; (child = 4 * i + 1) < count; i = child) {
        size_t end = child + 4 < count ? child + 4 : count;
        for (size_t j = child + 1; j < end; j++)
            if (k[j] < k[child])
                child = j;
        if (key < k[child])
            break;
        k[i] = k[child];
    }
    k[i] = key;
}

void heap_filter(struct heap *heap, bool (*stays)(void *ctx, wide_u128 key), void *ctx)
{
    size_t kept = 0;
    for (size_t i = heap->hole; i < heap->count; i++)
        if (stays(ctx, heap->key[i]))
            heap->key[kept++] = heap->key[i];
    for (size_t i = kept; i < heap->count; i++)
        heap->key[i] = HEAP_KEY_MAX;
    heap->count = kept;
    heap->hole = false;
    for (size_t i = kept / 4 + 1; i-- > 0;)
        if (i < kept)
            sink(heap->key, kept, i);
}
