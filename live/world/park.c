#include "live/world/park.h"

#include "base/arena.h"
#include "jobq/units.h"

#include <assert.h>
#include <stdlib.h>

struct deadline {
    int64_t until_ns;
    struct fiber *fiber;
    uint32_t generation;
    int heap_at;   /* -1: free */
    int next_free; /* in the list of free ones; -1: the last */
};

struct park {
    struct loop *loop;
    struct loop_timer *timer;
    int64_t set_for_ns; /* what the loop's timer waits for */
    struct deadline *deadline;
    int *heap; /* indexes of deadlines, least until_ns first */
    int count, cap, free_first;
};

static void timer_came(void *ctx)
{
    /* park_fire runs behind the turn and looks at the clock; nothing to do but note that
     * the timer is spent. */
    ((struct park *)ctx)->set_for_ns = JOBQ_FOREVER;
}

struct park *park_new(struct loop *loop)
{
    struct park *park = xcalloc(1, sizeof *park);
    park->loop = loop;
    park->timer = loop_timer_new(loop, timer_came, park);
    park->set_for_ns = JOBQ_FOREVER;
    park->free_first = -1;
    return park;
}

void park_free(struct park *park)
{
    loop_timer_free(park->timer);
    free(park->deadline);
    free(park->heap);
    free(park);
}

static void place(struct park *park, int at, int index)
{
    park->heap[at] = index;
    park->deadline[index].heap_at = at;
}

static int64_t key(const struct park *park, int at)
{
    return park->deadline[park->heap[at]].until_ns;
}

static void sift_up(struct park *park, int at)
{
    int index = park->heap[at];
    int64_t until = park->deadline[index].until_ns;
    while (at > 0 && key(park, (at - 1) / 4) > until) {
        place(park, at, park->heap[(at - 1) / 4]);
        at = (at - 1) / 4;
    }
    place(park, at, index);
}

static void sift_down(struct park *park, int at)
{
    int index = park->heap[at];
    int64_t until = park->deadline[index].until_ns;
    for (;;) {
        int least = -1, first = 4 * at + 1;
        for (int c = first; c < first + 4 && c < park->count; c++)
            if (key(park, c) < (least < 0 ? until : key(park, least)))
                least = c;
        if (least < 0)
            break;
        place(park, at, park->heap[least]);
        at = least;
    }
    place(park, at, index);
}

static void grow(struct park *park)
{
    int cap = park->cap ? park->cap * 2 : 64;
    park->deadline = xrealloc(park->deadline, (size_t)cap * sizeof *park->deadline);
    park->heap = xrealloc(park->heap, (size_t)cap * sizeof *park->heap);
    for (int i = cap - 1; i >= park->cap; i--) {
        park->deadline[i] =
            (struct deadline){.heap_at = -1, .next_free = park->free_first};
        park->free_first = i;
    }
    park->cap = cap;
}

static int64_t now(void *world)
{
    (void)world;
    return loop_now_ns();
}

static uint64_t arm(void *world, int64_t until_ns, struct fiber *fiber,
                    uint32_t generation)
{
    struct park *park = world;
    if (park->free_first < 0)
        grow(park);
    int index = park->free_first;
    struct deadline *d = &park->deadline[index];
    park->free_first = d->next_free;
    d->until_ns = until_ns;
    d->fiber = fiber;
    d->generation = generation;
    place(park, park->count++, index);
    sift_up(park, park->count - 1);
    return (uint64_t)index;
}

static void take_out(struct park *park, int index)
{
    struct deadline *d = &park->deadline[index];
    int at = d->heap_at;
    assert(at >= 0);
    int last = park->heap[--park->count];
    d->heap_at = -1;
    d->next_free = park->free_first;
    park->free_first = index;
    if (last == index)
        return;
    place(park, at, last);
    sift_up(park, at);
    sift_down(park, park->deadline[last].heap_at);
}

static void disarm(void *world, uint64_t key_)
{
    struct park *park = world;
    int index = (int)key_;
    /* A key whose deadline fired is already free; fiber.c disarms it no second time, but a
     * free one is harmless. */
    if (index < park->cap && park->deadline[index].heap_at >= 0)
        take_out(park, index);
}

const struct fiber_timer_ops PARK_TIMERS = {.now = now, .arm = arm, .disarm = disarm};

void park_fire(struct park *park)
{
    if (!park->count)
        return;
    int64_t at_ns = loop_now_ns();
    while (park->count && key(park, 0) <= at_ns) {
        struct deadline *d = &park->deadline[park->heap[0]];
        struct fiber *fiber = d->fiber;
        uint32_t generation = d->generation;
        take_out(park, park->heap[0]);
        fiber_timer_fired(fiber, generation);
    }
}

void park_rearm(struct park *park)
{
    int64_t next = park->count ? key(park, 0) : JOBQ_FOREVER;
    /* An earlier timer than needed only costs a turn; a later one would be late. */
    if (next >= park->set_for_ns && park->set_for_ns > loop_now_ns())
        return;
    if (next == park->set_for_ns)
        return;
    loop_timer_set(park->timer, next);
    park->set_for_ns = next;
}
