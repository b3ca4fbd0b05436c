/* agenda.h - the pending (time, sequence) keys of a world, least first.
 *
 * Room:     sim, low-level.
 * Callers:  kernel.c and the agenda's unit test.
 * Knows nothing of: events; what the low bits of a key say.
 *
 * Three places, one order; where a key is has no influence on when it is taken.
 *   heap:  all keys of a small world; of a crowded one those that the wheel cannot hold.
 *   wheel: a bucket a tick of half a millisecond, a second ahead: keys go in and come out in
 *          a few instructions, however many there are. Its keys are later than `tick`.
 *   front: the next keys, sorted: buckets are emptied into it while it has fewer than
 *          AGENDA_AHEAD, so that there is something to look ahead at.
 * A world is crowded from its first AGENDA_FEW pending keys on until it is cleared: then the
 * least key is the front's first or the heap's top.
 *
 * A key's high 64 bits are its time in ns, below 2^63, and never before the last one taken.
 * Keys differ above their low AGENDA_SEQUENCE_SHIFT bits. In a header because it stands in
 * the kernel's inner loop. */
#ifndef JOBQ_SIM_KERNEL_AGENDA_H
#define JOBQ_SIM_KERNEL_AGENDA_H

#include "sim/kernel/heap.h"

enum {
    AGENDA_SEQUENCE_SHIFT = 26,
    AGENDA_TICK_BITS = 19, /* 0.52 ms */
    AGENDA_TICKS = 2048,   /* 1.07 s */
    AGENDA_FEW = 32,
    AGENDA_AHEAD = 4,
    AGENDA_FRONT_MAX = 32 /* a longer front takes no key between its own: the heap does */
};

struct agenda {
    struct heap heap;
    bool crowd;
    uint32_t first, end; /* of front; AGENDA_AHEAD times HEAP_KEY_MAX stand behind end */
    uint32_t front_cap;
    wide_u128 *front;
    int64_t tick;
    uint32_t wheel_count;
    /* Nodes of the wheel. A list is followed in next, which is small, and its keys are then
     * independent loads. Node 0 is never used: 0 ends a list. */
    wide_u128 *key;
    uint32_t *next;
    uint32_t free_node, nodes, node_cap;
    uint64_t some[AGENDA_TICKS / 64]; /* a bit a bucket that is not empty */
    uint32_t bucket[AGENDA_TICKS];    /* lists of nodes, by tick modulo AGENDA_TICKS */
};

void agenda_init(struct agenda *a);
void agenda_release(struct agenda *a);
/* Empties it and keeps the memory. */
void agenda_clear(struct agenda *a);
/* Keep the keys that stays accepts: O(count). */
void agenda_filter(struct agenda *a, bool (*stays)(void *ctx, wide_u128 key), void *ctx);
size_t agenda_bytes(const struct agenda *a);

/* What follows is private to the inline functions below. */
void agenda_refill(struct agenda *a, int64_t now_ns, wide_u128 heap_key);
void agenda_push_aside(struct agenda *a, int64_t now_ns, wide_u128 key);

static inline size_t agenda_count(const struct agenda *a)
{
    return a->heap.count - a->heap.hole + (a->end - a->first) + a->wheel_count;
}

static inline int64_t agenda_tick_of(wide_u128 key)
{
    return (int64_t)(key >> (64 + AGENDA_TICK_BITS));
}

/* Node i, whose key is set, into the wheel. */
static inline void agenda_link(struct agenda *a, uint32_t i)
{
    uint32_t b = (uint32_t)agenda_tick_of(a->key[i]) & (AGENDA_TICKS - 1);
    a->next[i] = a->bucket[b];
    a->bucket[b] = i;
    a->some[b / 64] |= (uint64_t)1 << b % 64;
    a->wheel_count++;
}

/* What most pushes in a crowd are, a key into the wheel, without a call; false: it is another,
 * for agenda_push, which takes all. */
static inline bool agenda_push_fast(struct agenda *a, wide_u128 key)
{
    /* Before tick + 1 the difference is negative, and far too large. */
    uint64_t ahead = (uint64_t)(agenda_tick_of(key) - a->tick - 1);
    if (!a->crowd || ahead >= AGENDA_TICKS - 1 || !a->free_node)
        return false;
    uint32_t i = a->free_node;
    a->free_node = a->next[i];
    a->key[i] = key;
    agenda_link(a, i);
    return true;
}

static inline void agenda_push(struct agenda *a, int64_t now_ns, wide_u128 key)
{
    if (a->crowd) {
        if (!agenda_push_fast(a, key))
            agenda_push_aside(a, now_ns, key);
        return;
    }
    heap_push(&a->heap, key);
    a->crowd = a->heap.count > AGENDA_FEW;
}

/* The least key, or HEAP_KEY_MAX. */
static inline wide_u128 agenda_top(struct agenda *a, int64_t now_ns)
{
    wide_u128 heap_key = heap_top(&a->heap);
    if (!a->crowd)
        return heap_key;
    if (a->end - a->first < AGENDA_AHEAD && a->wheel_count > 0)
        agenda_refill(a, now_ns, heap_key);
    wide_u128 front_key = a->front[a->first];
    return front_key < heap_key ? front_key : heap_key;
}

/* Takes what agenda_top returned; nothing may have been pushed since. */
static inline void agenda_take(struct agenda *a, wide_u128 key)
{
    if (a->crowd && a->front[a->first] == key)
        a->first++;
    else
        heap_take(&a->heap);
}

/* One of the next keys, most likely: i of 0..AGENDA_AHEAD - 1; HEAP_KEY_MAX: not known. */
static inline wide_u128 agenda_ahead(const struct agenda *a, uint32_t i)
{
    return a->front[a->first + i];
}

#endif
