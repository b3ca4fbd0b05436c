/* heap.h - the least of many (time, sequence) keys, without mispredicted branches.
 *
 * Room:     sim, low-level.
 * Callers:  agenda.h and the unit test.
 * Knows nothing of: events; what the low bits of a key say.
 *
 * A 4-ary implicit heap of 128-bit keys, 16 bytes each, so that four siblings are one
 * cache line. Mispredicted comparisons, not depth, are the cost of a heap, so the least
 * of four is found by conditional moves. Taking the top leaves a
 * hole there: a key pushed before the next look fills it (replace-top, one pass down),
 * else the last key does. Keys are distinct.
 *
 * In a header because it stands in the kernel's inner loop, as dice.h does. */
#ifndef JOBQ_SIM_KERNEL_HEAP_H
#define JOBQ_SIM_KERNEL_HEAP_H

#include "base/wide.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HEAP_KEY_MAX (~(wide_u128)0) /* above every key; never pushed */

struct heap {
    wide_u128 *key; /* key[0] is the top; siblings 4i+1..4i+4 share a cache line; all
                       behind count are HEAP_KEY_MAX, so that a last group needs no care */
    size_t count;   /* the hole included */
    size_t cap;
    bool hole;   /* key[0] was taken */
    void *block; /* what key lies in; owner: the heap */
};

void heap_init(struct heap *heap);
void heap_release(struct heap *heap);
/* Empties it and keeps the memory. */
void heap_clear(struct heap *heap);
/* Makes room for one more; aborts when out of memory. */
void heap_grow(struct heap *heap);
/* Keep the keys that stays accepts, in any order, then put them in order: O(count). */
void heap_filter(struct heap *heap, bool (*stays)(void *ctx, wide_u128 key), void *ctx);

/* Copies a key as two words. The compiler would load both at once, and a load that is wider
 * than the stores just before it waits until they have left the store buffer. */
static inline void heap_move(wide_u128 *to, const wide_u128 *from)
{
    uint64_t low = (uint64_t)*from, high = (uint64_t)(*from >> 64);
    __asm__("" : "+r"(low), "+r"(high));
    *to = (wide_u128)high << 64 | low;
}

struct heap_pick {
    uint64_t low, high; /* words of the key */
    size_t index;
};

static inline struct heap_pick heap_load(const wide_u128 *k, size_t index)
{
    return (struct heap_pick){(uint64_t)k[index], (uint64_t)(k[index] >> 64), index};
}

/* The lesser of two. Which it is cannot be predicted, so it must be found without a branch;
 * gcc turns every way to say so in C into one, or into twice the instructions. */
static inline struct heap_pick heap_lesser(struct heap_pick a, struct heap_pick b)
{
#ifdef __x86_64__
    uint64_t high = b.high;
    __asm__(
        "cmpq %[al], %[bl]\n\t"
        "sbbq %[ah], %[high]\n\t"
        "cmovcq %[bl], %[al]\n\t"
        "cmovcq %[bh], %[ah]\n\t"
        "cmovcq %[bi], %[ai]"
        : [al] "+&r"(a.low), [ah] "+&r"(a.high), [ai] "+&r"(a.index), [high] "+&r"(high)
        : [bl] "r"(b.low), [bh] "r"(b.high), [bi] "r"(b.index)
        : "cc");
#else
    bool less = b.high < a.high || (b.high == a.high && b.low < a.low);
    a.low = less ? b.low : a.low;
    a.high = less ? b.high : a.high;
    a.index = less ? b.index : a.index;
#endif
    return a;
}

/* Puts key where it belongs on the path from the hole at i up to the top. */
static inline void heap_up(struct heap *heap, size_t i, wide_u128 key)
{
    wide_u128 *k = heap->key;
    while (i > 0) {
        size_t parent = (i - 1) / 4;
        if (k[parent] < key)
            break;
        heap_move(&k[i], &k[parent]);
        i = parent;
    }
    k[i] = key;
}

/* Fills the hole at the top with key: the hole goes down along the least children to a leaf,
 * a pass whose length is the same nearly every time, and key goes up from there. */
static inline void heap_fill_top(struct heap *heap, wide_u128 key)
{
    wide_u128 *k = heap->key;
    size_t i = 0;
    for (size_t child = 1; child < heap->count; child = 4 * i + 1) {
        struct heap_pick least =
            heap_lesser(heap_lesser(heap_load(k, child), heap_load(k, child + 1)),
                        heap_lesser(heap_load(k, child + 2), heap_load(k, child + 3)));
        k[i] = (wide_u128)least.high << 64 | least.low;
        i = least.index;
    }
    heap_up(heap, i, key);
}

/* The same where there is one other key: a small world has often just two. */
static inline void heap_pair(struct heap *heap, wide_u128 key)
{
    wide_u128 *k = heap->key;
    struct heap_pick other = heap_load(k, 1);
    struct heap_pick mine = {(uint64_t)key, (uint64_t)(key >> 64), 0};
    struct heap_pick least = heap_lesser(mine, other);
    k[0] = (wide_u128)least.high << 64 | least.low;
    uint64_t keep = 0 - (uint64_t)least.index; /* all ones: mine goes behind */
    k[1] = (wide_u128)(other.high ^ ((other.high ^ mine.high) & keep)) << 64 |
           (other.low ^ ((other.low ^ mine.low) & keep));
}

static inline void heap_push(struct heap *heap, wide_u128 key)
{
    if (heap->hole) {
        heap->hole = false;
        if (heap->count == 2)
            heap_pair(heap, key);
        else
            heap_fill_top(heap, key);
        return;
    }
    if (heap->count == heap->cap)
        heap_grow(heap);
    heap_up(heap, heap->count++, key);
}

/* The least key, or HEAP_KEY_MAX. */
static inline wide_u128 heap_top(struct heap *heap)
{
    if (heap->hole) {
        heap->hole = false;
        wide_u128 last = heap->key[--heap->count];
        heap->key[heap->count] = HEAP_KEY_MAX;
        if (heap->count > 0)
            heap_fill_top(heap, last);
    }
    return heap->key[0];
}

/* Takes what heap_top returned; nothing may have been pushed since. */
static inline void heap_take(struct heap *heap)
{
    heap->hole = true;
}

#endif
