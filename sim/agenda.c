#include "sim/agenda.h"

#include "base/arena.h"

#include <stdlib.h>
#include <string.h>

/* A bucket of so many ticks from now is emptied before the front is empty. More would only
 * send calls of this length into the front instead of the wheel. */
enum {
    SOON_TICKS = 8,
    FIRST_NODES = 64,
    FIRST_FRONT = 2 * AGENDA_FRONT_MAX,
    MERGE_MIN = 16
};

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
    for (uint32_t i = 0; i < AGENDA_AHEAD; i++)
        a->front[a->end + i] = HEAP_KEY_MAX;
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
        a->some_words = 0;
        memset(a->some, 0, sizeof a->some);
        memset(a->bucket, 0, sizeof a->bucket);
    }
}

size_t agenda_bytes(const struct agenda *a)
{
    return a->heap.cap * sizeof *a->heap.key + a->front_cap * sizeof *a->front +
           a->node_cap * (sizeof *a->key + sizeof *a->next);
}

void agenda_grow_nodes(struct agenda *a)
{
    if (a->nodes == a->node_cap || a->node_cap == 0) {
        a->node_cap = a->node_cap ? 2 * a->node_cap : FIRST_NODES;
        a->key = xrealloc(a->key, a->node_cap * sizeof *a->key);
        a->next = xrealloc(a->next, a->node_cap * sizeof *a->next);
    }
    a->free_node = a->nodes++;
    a->next[a->free_node] = 0;
}

/* ---- the front ------------------------------------------------------------------- */

static inline void order(wide_u128 *a, wide_u128 *b)
{
    struct heap_pick x = heap_load(a, 0), y = heap_load(b, 0);
    struct heap_pick least = heap_lesser(x, y);
    *a = (wide_u128)least.high << 64 | least.low;
    /* The other one, without asking again which it is. */
    *b = (wide_u128)(x.high ^ y.high ^ least.high) << 64 | (x.low ^ y.low ^ least.low);
}

/* Branch-free: which of a few keys is the least cannot be predicted. */
static inline void sort_four(wide_u128 *k)
{
    order(&k[0], &k[1]);
    order(&k[2], &k[3]);
    order(&k[0], &k[2]);
    order(&k[1], &k[3]);
    order(&k[1], &k[2]);
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
        sort_four(k);
        for (size_t i = 4; i < count; i++)
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

/* Appends a bucket, all of whose keys are later than the front's. */
static void open_bucket(struct agenda *a, uint32_t b)
{
    uint32_t i = a->bucket[b], last = i, count = 0;
    a->bucket[b] = 0;
    a->some[b / 64] &= ~((uint64_t)1 << b % 64);
    if (a->some[b / 64] == 0)
        a->some_words &= ~((uint64_t)1 << b / 64);
    want_front(a, 4);
    wide_u128 *to = a->front + a->end;
    uint32_t free_node = a->free_node;
    a->free_node = i;
    for (; i; i = a->next[i]) {
        heap_move(&to[count++], &a->key[i]);
        last = i;
        if (a->end + 2 * count + 4 > a->front_cap) {
            grow_front(a, a->end + 2 * count + 4);
            to = a->front + a->end;
        }
    }
    a->next[last] = free_node;
    a->wheel_count -= count;
    a->end += count;
    if (count > 4)
        sort_many(to, count, a->front + a->end);
    end_front(a);
    if (count <= 4)
        sort_four(to); /* filled up with HEAP_KEY_MAX, which stay behind */
}

/* The first tick after a->tick whose bucket is not empty; there is one. */
static int64_t next_tick(const struct agenda *a)
{
    uint32_t from = (uint32_t)(a->tick + 1) & (AGENDA_TICKS - 1), word = from / 64;
    uint64_t bits = a->some[word] >> from % 64;
    uint32_t b = from + (uint32_t)__builtin_ctzll(bits | (uint64_t)1 << 63);
    if (bits == 0) {
        /* The words behind this one, else from the first on, this one's low bits last. */
        uint64_t behind = word == 63 ? 0 : a->some_words >> (word + 1) << (word + 1);
        word = (uint32_t)__builtin_ctzll(behind ? behind : a->some_words);
        b = word * 64 + (uint32_t)__builtin_ctzll(a->some[word]);
    }
    return a->tick + 1 + ((b - from) & (AGENDA_TICKS - 1));
}

void agenda_refill(struct agenda *a, int64_t now_ns, wide_u128 heap_key)
{
    for (uint32_t i = 0; i + 1 < AGENDA_AHEAD; i++)
        heap_move(&a->front[i], &a->front[a->first + i]);
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

/* A key too early or too late for the wheel. */
void agenda_push_aside(struct agenda *a, int64_t now_ns, wide_u128 key)
{
    int64_t now_tick = now_ns >> AGENDA_TICK_BITS, tick = agenda_tick_of(key);
    if (a->wheel_count == 0 && a->tick < now_tick && tick > now_tick) {
        a->tick = now_tick; /* while the wheel was empty, time has passed */
        if (tick - now_tick < AGENDA_TICKS) {
            agenda_push(a, now_ns, key);
            return;
        }
    }
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
    a->some_words = 0;
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
