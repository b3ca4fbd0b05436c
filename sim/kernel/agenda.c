/* agenda.c - see agenda.h.
 *
 * Room:     sim, low-level. */
#include "sim/kernel/agenda.h"

#include "base/arena.h"

#include <stdlib.h>
#include <string.h>

/* A bucket of so many ticks from now is emptied before the front is empty. More would only
 * send calls of this length into the front instead of the wheel. */
enum {
    SOON_TICKS = 8,
    FIRST_NODES = 64,
    FIRST_FRONT = 2 * AGENDA_FRONT_MAX,
    MERGE_MIN = 16,
    FEW_BITS = 3,
    FEW = 1 << FEW_BITS
};
#define WORD_MAX (~(uint64_t)0)

static void grow_front(struct agenda *a, uint32_t keys)
{
    while (a->front_cap < keys)
        a->front_cap = a->front_cap ? 2 * a->front_cap : FIRST_FRONT;
    a->front = xrealloc(a->front, a->front_cap * sizeof *a->front);
}

/* Room for keys more behind the end, and as many once more, for the merge. */
static inline void want_front(struct agenda *a, uint32_t keys)
{
    uint32_t want = a->end + 2 * keys + AGENDA_AHEAD;
    if (want > a->front_cap)
        grow_front(a, want);
}

static inline void end_front(struct agenda *a)
{
    wide_u128 *end = a->front + a->end;
#pragma GCC unroll 8
    for (int i = 0; i < AGENDA_AHEAD; i++)
        end[i] = HEAP_KEY_MAX;
}

void agenda_init(struct agenda *a)
{
    memset(a, 0, sizeof *a);
    heap_init(&a->heap);
    want_front(a, 1);
    end_front(a);
    a->nodes = 1;
}

void agenda_release(struct agenda *a)
{
    heap_release(&a->heap);
    free(a->front);
    free(a->key);
    free(a->next);
}

void agenda_clear(struct agenda *a)
{
    heap_clear(&a->heap);
    a->crowd = false;
    a->first = a->end = 0;
    end_front(a);
    a->tick = 0;
    a->free_node = 0;
    a->nodes = 1;
    if (a->wheel_count > 0) {
        a->wheel_count = 0;
        memset(a->some, 0, sizeof a->some);
        memset(a->bucket, 0, sizeof a->bucket);
    }
}

size_t agenda_bytes(const struct agenda *a)
{
    return a->heap.cap * sizeof *a->heap.key + a->front_cap * sizeof *a->front +
           a->node_cap * (sizeof *a->key + sizeof *a->next);
}

static void grow_nodes(struct agenda *a)
{
    if (a->nodes == a->node_cap || a->node_cap == 0) {
        a->node_cap = a->node_cap ? 2 * a->node_cap : FIRST_NODES;
        a->key = xrealloc(a->key, a->node_cap * sizeof *a->key);
        a->next = xrealloc(a->next, a->node_cap * sizeof *a->next);
    }
    a->free_node = a->nodes++;
    a->key[a->free_node] = 0; /* as of one that was emptied: it may stay free */
    a->next[a->free_node] = 0;
}

/* ---- the front ------------------------------------------------------------------- */

/* Networks, for which of a few is the least cannot be predicted: no branches. */
#define ORDER(a, b)                                                                      \
    do {                                                                                 \
        uint64_t lesser = a < b ? a : b, greater = a < b ? b : a;                        \
        a = lesser;                                                                      \
        b = greater;                                                                     \
    } while (0)

static inline void sort_four(uint64_t *w)
{
    uint64_t a = w[0], b = w[1], c = w[2], d = w[3];
    ORDER(a, b);
    ORDER(c, d);
    ORDER(a, c);
    ORDER(b, d);
    ORDER(b, c);
    w[0] = a, w[1] = b, w[2] = c, w[3] = d;
}

static inline void sort_eight(uint64_t *w)
{
    sort_four(w);
    sort_four(w + 4);
    uint64_t a = w[0], b = w[1], c = w[2], d = w[3];
    uint64_t e = w[4], f = w[5], g = w[6], h = w[7];
    ORDER(a, e);
    ORDER(b, f);
    ORDER(c, g);
    ORDER(d, h);
    ORDER(c, e);
    ORDER(d, f);
    ORDER(b, c);
    ORDER(d, e);
    ORDER(f, g);
    w[0] = a, w[1] = b, w[2] = c, w[3] = d;
    w[4] = e, w[5] = f, w[6] = g, w[7] = h;
}

static inline void insert(wide_u128 *k, size_t i, wide_u128 key)
{
    for (; i > 0 && key < k[i - 1]; i--)
        heap_move(&k[i], &k[i - 1]);
    k[i] = key;
}

/* spare: room for half as many. */
static void sort_many(wide_u128 *k, size_t count, wide_u128 *spare)
{
    if (count <= MERGE_MIN) {
        for (size_t i = 1; i < count; i++)
            insert(k, i, k[i]);
        return;
    }
    size_t half = count / 2;
    sort_many(k, half, spare);
    sort_many(k + half, count - half, spare);
    memcpy(spare, k, half * sizeof *k);
    for (size_t i = 0, j = half, to = 0; i < half; to++) {
        bool right = j < count && k[j] < spare[i];
        heap_move(&k[to], right ? &k[j] : &spare[i]);
        i += !right;
        j += right;
    }
}

/* Appends the keys of a list to the front; returns its last node and *out_count. */
static uint32_t append_many(struct agenda *a, uint32_t i, uint32_t *out_count)
{
    uint32_t count = 0, last = i;
    for (; i; i = a->next[i]) {
        want_front(a, count + 1);
        a->front[a->end + count++] = a->key[i];
        last = i;
    }
    sort_many(a->front + a->end, count, a->front + a->end + count);
    *out_count = count;
    return last;
}

/* What orders keys of one tick, and room below it for an index of FEW. */
static inline uint64_t word_of(wide_u128 key)
{
    return (uint64_t)(key >> 64) << (64 - AGENDA_TICK_BITS) |
           (uint64_t)key >> AGENDA_SEQUENCE_SHIFT << FEW_BITS;
}

/* Appends a bucket, all of whose keys are later than the front's. */
static inline void open_bucket(struct agenda *a, uint32_t b)
{
    uint32_t first = a->bucket[b], last = 0, count = 0, node[FEW];
    uint64_t word[FEW] = {WORD_MAX, WORD_MAX, WORD_MAX, WORD_MAX,
                          WORD_MAX, WORD_MAX, WORD_MAX, WORD_MAX};
    a->bucket[b] = 0;
    a->some[b / 64] &= ~((uint64_t)1 << b % 64);
    want_front(a, FEW);
    uint32_t i = first;
    for (; i && count < FEW; i = a->next[i]) {
        word[count] = word_of(a->key[i]) | count;
        node[count++] = last = i;
    }
    if (i) {
        last = append_many(a, first, &count);
    } else {
        if (count <= 4)
            sort_four(word);
        else
            sort_eight(word);
        for (uint32_t j = 0; j < count; j++)
            heap_move(&a->front[a->end + j], &a->key[node[word[j] % FEW]]);
    }
    a->next[last] = a->free_node;
    a->free_node = first;
    a->wheel_count -= count;
    a->end += count;
    end_front(a);
}

/* The first tick after a->tick whose bucket is not empty; there is one. */
static inline int64_t next_tick(const struct agenda *a)
{
    uint32_t from = (uint32_t)(a->tick + 1) & (AGENDA_TICKS - 1), word = from / 64;
    /* This word's bits from there on, the words behind, from the first on, its other bits. */
    uint64_t bits = a->some[word] & ~(uint64_t)0 << from % 64;
    while (bits == 0) {
        word = (word + 1) % (AGENDA_TICKS / 64);
        bits = a->some[word];
    }
    uint32_t b = word * 64 + (uint32_t)__builtin_ctzll(bits);
    return a->tick + 1 + ((b - from) & (AGENDA_TICKS - 1));
}

void agenda_refill(struct agenda *a, int64_t now_ns, wide_u128 heap_key)
{
    const wide_u128 *left = a->front + a->first;
#pragma GCC unroll 8
    for (int i = 0; i + 1 < AGENDA_AHEAD; i++)
        heap_move(&a->front[i], &left[i]);
    a->end -= a->first;
    a->first = 0;
    end_front(a);
    int64_t now_tick = now_ns >> AGENDA_TICK_BITS;
    do {
        int64_t tick = next_tick(a);
        /* Later ones wait for their time, or until nothing else comes before them: were
         * they in the front, most new keys would have to be sorted in. */
        if (tick > now_tick + SOON_TICKS &&
            (a->end > 0 || tick > agenda_tick_of(heap_key))) {
            if (a->tick < now_tick)
                a->tick = now_tick;
            break;
        }
        a->tick = tick;
        open_bucket(a, (uint32_t)tick & (AGENDA_TICKS - 1));
    } while (a->end < AGENDA_AHEAD && a->wheel_count > 0);
}

void agenda_push_aside(struct agenda *a, int64_t now_ns, wide_u128 key)
{
    int64_t now_tick = now_ns >> AGENDA_TICK_BITS, tick = agenda_tick_of(key);
    if (!a->free_node)
        grow_nodes(a);
    if (a->wheel_count == 0 && a->tick < now_tick && tick > now_tick)
        a->tick = now_tick; /* while the wheel was empty, time has passed */
    if (agenda_push_fast(a, key))
        return;
    if (tick > a->tick || a->end - a->first >= AGENDA_FRONT_MAX) {
        heap_push(&a->heap, key);
        return;
    }
    if (a->end + 1 + AGENDA_AHEAD > a->front_cap) {
        a->end -= a->first;
        memmove(a->front, a->front + a->first, a->end * sizeof *a->front);
        a->first = 0;
        end_front(a);
    }
    insert(a->front + a->first, a->end - a->first, key);
    a->end++;
    a->front[a->end + AGENDA_AHEAD - 1] = HEAP_KEY_MAX;
}

/* In the order of the nodes, for the buckets' lists lead all over the memory. */
static void filter_wheel(struct agenda *a, bool (*stays)(void *ctx, wide_u128 key),
                         void *ctx)
{
    memset(a->some, 0, sizeof a->some);
    memset(a->bucket, 0, sizeof a->bucket);
    a->wheel_count = a->free_node = 0;
    for (uint32_t i = a->nodes; i-- > 1;) {
        /* Those that are free were emptied, so that their tick is over. */
        if (agenda_tick_of(a->key[i]) > a->tick && stays(ctx, a->key[i])) {
            agenda_link(a, i);
        } else {
            a->key[i] = 0;
            a->next[i] = a->free_node;
            a->free_node = i;
        }
    }
}

void agenda_filter(struct agenda *a, bool (*stays)(void *ctx, wide_u128 key), void *ctx)
{
    heap_filter(&a->heap, stays, ctx);
    uint32_t end = a->first;
    for (uint32_t i = a->first; i < a->end; i++)
        if (stays(ctx, a->front[i]))
            a->front[end++] = a->front[i];
    a->end = end;
    end_front(a);
    if (a->wheel_count > 0)
        filter_wheel(a, stays, ctx);
}
