/* mm1.h - the yardstick of the benches: an M/M/1 queue at a load of 0.9, played by a loop over a
 * 4-ary heap that was written by hand and does nothing else. What a machine and a compiler
 * make of it is what the simulator's figures are divided by, in the same run.
 *
 * Room:     tests/bench. Call mm1_init once. */
#ifndef JOBQ_TESTS_BENCH_MM1_H
#define JOBQ_TESTS_BENCH_MM1_H

#include "base/dice.h"
#include "zigexp.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

enum { CUSTOMERS = 1000000, RING = 1 << 14 };
static const double MEAN_GAP_NS = 1e9, MEAN_SERVICE_NS = 0.9e9;

static struct zigexp mm1_table;

static void mm1_init(void)
{
    zigexp_init(&mm1_table);
}

static int64_t mm1_draw_ns(struct dice *dice, double mean_ns)
{
    return (int64_t)(mean_ns * zigexp(&mm1_table, dice));
}

struct entry {
    int64_t at;
    uint64_t order_and_kind;
};

struct small_heap {
    struct entry e[64];
    int count;
};

static bool entry_before(struct entry a, struct entry b)
{
    return a.at < b.at || (a.at == b.at && a.order_and_kind < b.order_and_kind);
}

static void small_push(struct small_heap *h, struct entry x)
{
    int i = h->count++;
    while (i > 0 && entry_before(x, h->e[(i - 1) / 4])) {
        h->e[i] = h->e[(i - 1) / 4];
        i = (i - 1) / 4;
    }
    h->e[i] = x;
}

static struct entry small_pop(struct small_heap *h)
{
    struct entry top = h->e[0], last = h->e[--h->count];
    int i = 0;
    for (int child = 1; child < h->count; child = 4 * i + 1) {
        int end = child + 4 < h->count ? child + 4 : h->count;
        for (int j = child + 1; j < end; j++)
            if (entry_before(h->e[j], h->e[child]))
                child = j;
        if (!entry_before(h->e[child], last))
            break;
        h->e[i] = h->e[child];
        i = child;
    }
    h->e[i] = last;
    return top;
}

enum { ARRIVAL, DEPARTURE };

/* Waiting customers' arrival times; the same ring on both sides. */
struct ring {
    int64_t at[RING];
    unsigned first, count;
};

static void ring_put(struct ring *r, int64_t at)
{
    if (r->count == RING)
        abort();
    r->at[(r->first + r->count++) % RING] = at;
}

static int64_t ring_get(struct ring *r)
{
    int64_t at = r->at[r->first];
    r->first = (r->first + 1) % RING;
    r->count--;
    return at;
}

static struct ring ring;

/* CUSTOMERS customers; their mean wait in ns. */
static double mm1_loop(uint64_t seed)
{
    struct small_heap heap = {.count = 0};
    struct dice gaps, services;
    dice_init(&gaps, seed, "gap", 0);
    dice_init(&services, seed, "service", 0);
    ring.first = ring.count = 0;
    uint64_t order = 0;
    int64_t wait = 0;
    int arrived = 0, begun = 0;
    bool busy = false;
    small_push(&heap,
               (struct entry){mm1_draw_ns(&gaps, MEAN_GAP_NS), order++ << 1 | ARRIVAL});
    while (heap.count > 0) {
        struct entry now = small_pop(&heap);
        if ((now.order_and_kind & 1) == ARRIVAL) {
            ring_put(&ring, now.at);
            if (++arrived < CUSTOMERS)
                small_push(&heap, (struct entry){now.at + mm1_draw_ns(&gaps, MEAN_GAP_NS),
                                                 order++ << 1 | ARRIVAL});
            if (busy)
                continue;
        }
        busy = ring.count > 0;
        if (busy) {
            wait += now.at - ring_get(&ring);
            begun++;
            small_push(&heap,
                       (struct entry){now.at + mm1_draw_ns(&services, MEAN_SERVICE_NS),
                                      order++ << 1 | DEPARTURE});
        }
    }
    return (double)wait / begun;
}

#endif
