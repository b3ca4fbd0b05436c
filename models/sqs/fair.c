/* fair.c - fair queues: which group's message of a standard queue is next.
 *
 * Room:     models, facts; of the SQS model alone.
 * Callers:  sqs_*.c.
 * Knows nothing of: FIFO queues, receives.
 *
 * Source: SQS developer guide, "How Amazon SQS fair queues work". A group is noisy when it
 * has more than 10 % of the messages in flight and at least 30 of them, or more than 10 %
 * of the recent processing time; the guide calls these approximate. Messages of quiet
 * groups, and those without a group, each of which counts as a tenant of its own, come
 * first; among the noisy the one with the fewest in flight. A group is quiet again when it
 * has no backlog, when it has sent nothing for 5 minutes, and when both its shares have come
 * down to those of the others.
 * Not published, and chosen here: what "recent" is (fair_recent); processing time is
 * that from a receive to its end, counted at the end; shares have come down when neither is
 * over its limit. All at once where AWS's servers notice by and by.
 *
 * A group keeps its visible messages in a list; quiet groups stand in a heap by the age of
 * their first message, noisy ones in a heap by what they have in flight: O(log groups) a
 * message. A queue that never saw a group has neither, and asks here nothing. */
#include "models/sqs/impl.h"

static struct sqs_group *fair_group_at(const struct sqs *s, uint32_t index)
{
    return sqs_keys_at(&s->groups, index);
}

static struct sqs_heap_places fair_places(struct sqs *s)
{
    return (struct sqs_heap_places){s->groups.node + offsetof(struct sqs_group, tenant) +
                                        offsetof(struct sqs_tenant, heap_at),
                                    s->groups.node_bytes};
}

/* ---- processing time ---------------------------------------------------------------------- */

static void fair_roll(const struct sqs *s, struct sqs_busy *busy)
{
    int64_t length = s->params.fair_recent_ns;
    int64_t stretch = length > 0 ? s->now / length : 0;
    if (stretch == busy->stretch)
        return;
    busy->before_ns = stretch == busy->stretch + 1 ? busy->now_ns : 0;
    busy->now_ns = 0;
    busy->stretch = stretch;
}

static void add_busy(const struct sqs *s, struct sqs_busy *busy, int64_t ns)
{
    fair_roll(s, busy);
    busy->now_ns += ns;
    if (busy->now_ns < 0)
        busy->now_ns = 0;
}

static double fair_recent(const struct sqs *s, struct sqs_busy *busy)
{
    fair_roll(s, busy);
    return (double)busy->now_ns + (double)busy->before_ns;
}

/* ---- noisy and quiet ------------------------------------------------------------------------ */

/* Above one of the shares. */
static bool is_loud(struct sqs *s, struct sqs_queue *q, struct sqs_group *group,
                    int64_t least)
{
    const struct sqs_params *p = &s->params;
    if (group->in_flight >= least &&
        (double)group->in_flight > p->fair_share * (double)q->in_flight)
        return true;
    return fair_recent(s, &group->tenant.busy) >
           p->fair_time_share * fair_recent(s, &q->busy);
}

/* The age by which a visible message has its turn: one that went to the back of the queue
 * counts from there. */
static int64_t turn_at(const struct sqs *s, uint32_t slot)
{
    const struct sqs_slot *m = &s->slot[slot];
    int64_t back = s->params.back_of_queue_receives;
    return back > 0 && m->receive_count >= back ? m->received_at : m->sent_at;
}

/* Puts the group where it belongs among those with a visible message. */
static void fair_rank(struct sqs *s, struct sqs_queue *q, uint32_t index)
{
    struct sqs_group *group = fair_group_at(s, index);
    struct sqs_heap *heap = group->tenant.noisy ? &q->noisy : &q->quiet;
    int64_t key = group->in_flight;
    if (group->head && !group->tenant.noisy)
        key = turn_at(s, group->head);
    if (group->listed && group->head && heap->node[group->tenant.heap_at].key == key)
        return;
    if (group->listed)
        sqs_heap_remove(heap, fair_places(s), group->tenant.heap_at);
    group->listed = group->head != 0;
    if (group->listed)
        sqs_heap_put(heap, fair_places(s), key, index);
}

static void fair_unchain(struct sqs *s, struct sqs_group *group, uint32_t *head,
                         uint32_t *tail)
{
    *(group->prev ? &fair_group_at(s, group->prev)->next : head) = group->next;
    *(group->next ? &fair_group_at(s, group->next)->prev : tail) = group->prev;
}

static void fair_chain(struct sqs *s, uint32_t index, uint32_t *head, uint32_t *tail)
{
    struct sqs_group *group = fair_group_at(s, index);
    group->prev = *tail;
    group->next = 0;
    *(*tail ? &fair_group_at(s, *tail)->next : head) = index;
    *tail = index;
}

static void fair_mark(struct sqs *s, struct sqs_queue *q, uint32_t index, bool noisy)
{
    struct sqs_group *group = fair_group_at(s, index);
    if (group->listed)
        sqs_heap_remove(group->tenant.noisy ? &q->noisy : &q->quiet, fair_places(s),
                        group->tenant.heap_at);
    group->listed = false;
    group->tenant.noisy = noisy;
    if (noisy)
        fair_chain(s, index, &q->group_head, &q->group_tail);
    else
        fair_unchain(s, group, &q->group_head, &q->group_tail);
    fair_rank(s, q, index);
}

static bool fair_is_silent(const struct sqs *s, const struct sqs_group *group)
{
    return group->tenant.sent_at <= s->now - s->params.fair_quiet_after_ns;
}

static void fair_assess(struct sqs *s, struct sqs_queue *q, uint32_t index)
{
    struct sqs_group *group = fair_group_at(s, index);
    if (!group->tenant.noisy && group->head && !fair_is_silent(s, group) &&
        is_loud(s, q, group, s->params.fair_in_flight))
        fair_mark(s, q, index, true);
    else
        fair_rank(s, q, index);
}

void sqs_fair_calm(struct sqs *s, struct sqs_queue *q)
{
    while (q->group_head && fair_is_silent(s, fair_group_at(s, q->group_head)))
        fair_mark(s, q, q->group_head, false);
    while (q->noisy.count > 0 && !is_loud(s, q, fair_group_at(s, q->noisy.node[0].id), 0))
        fair_mark(s, q, q->noisy.node[0].id, false);
}

/* ---- what happens to messages ------------------------------------------------------------------ */

static void forget_idle(struct sqs *s, struct sqs_queue *q, int64_t until)
{
    while (q->idle_head && fair_group_at(s, q->idle_head)->tenant.idle_at <= until) {
        uint32_t index = q->idle_head;
        fair_unchain(s, fair_group_at(s, index), &q->idle_head, &q->idle_tail);
        sqs_keys_remove(&s->groups, index);
    }
}

void sqs_fair_enter(struct sqs *s, struct sqs_queue *q, uint32_t group, int64_t sent_at)
{
    struct sqs_group *g = fair_group_at(s, group);
    q->grouped = true;
    if (g->tenant.idle)
        fair_unchain(s, g, &q->idle_head, &q->idle_tail);
    g->tenant.idle = false;
    /* Older than now when it is restored, or moved from another queue, which is sending. */
    g->tenant.sent_at = s->now > sent_at ? s->now : sent_at;
    if (g->tenant.noisy) {
        fair_unchain(s, g, &q->group_head, &q->group_tail);
        fair_chain(s, group, &q->group_head, &q->group_tail);
    }
    /* After two stretches nothing of them counts. */
    forget_idle(s, q, s->now - 2 * s->params.fair_recent_ns);
}

void sqs_fair_idle(struct sqs *s, struct sqs_queue *q, uint32_t group)
{
    struct sqs_group *g = fair_group_at(s, group);
    g->tenant.idle = true;
    g->tenant.idle_at = s->now;
    fair_chain(s, group, &q->idle_head, &q->idle_tail);
}

void sqs_fair_clear(struct sqs *s, struct sqs_queue *q)
{
    forget_idle(s, q, INT64_MAX);
}

void sqs_fair_shown(struct sqs *s, struct sqs_queue *q, uint32_t group)
{
    fair_assess(s, q, group);
}

void sqs_fair_lifted(struct sqs *s, struct sqs_queue *q, uint32_t group)
{
    if (!fair_group_at(s, group)->head && fair_group_at(s, group)->tenant.noisy)
        fair_mark(s, q, group, false); /* no backlog */
    else
        fair_rank(s, q, group);
}

/* From the receive to now, or to the deadline if that has passed. */
static int64_t fair_held(const struct sqs *s, const struct sqs_slot *m)
{
    int64_t end = m->due_at < s->now ? m->due_at : s->now;
    return end > m->received_at ? end - m->received_at : 0;
}

void sqs_fair_fly(struct sqs *s, struct sqs_queue *q, uint32_t slot)
{
    const struct sqs_slot *m = &s->slot[slot];
    /* Hidden again by its own receipt: its count goes on. */
    int64_t before = -fair_held(s, m);
    add_busy(s, &q->busy, before);
    if (!m->group)
        return;
    add_busy(s, &fair_group_at(s, m->group)->tenant.busy, before);
    fair_group_at(s, m->group)->in_flight++;
    fair_assess(s, q, m->group);
}

void sqs_fair_land(struct sqs *s, struct sqs_queue *q, uint32_t slot)
{
    const struct sqs_slot *m = &s->slot[slot];
    int64_t ns = fair_held(s, m);
    add_busy(s, &q->busy, ns);
    if (!m->group)
        return;
    add_busy(s, &fair_group_at(s, m->group)->tenant.busy, ns);
    /* None had come before the first of a group: those then in flight have none. */
    fair_group_at(s, m->group)->in_flight--;
    fair_assess(s, q, m->group);
}

/* ---- whose turn ----------------------------------------------------------------------------------- */

uint32_t sqs_fair_first(struct sqs *s, struct sqs_queue *q)
{
    uint32_t slot = q->ready.head;
    if (q->quiet.count > 0) {
        uint32_t other = fair_group_at(s, q->quiet.node[0].id)->head;
        int64_t later = slot ? turn_at(s, slot) - q->quiet.node[0].key : 1;
        if (later > 0 ||
            (later == 0 && s->slot[slot].block->id > s->slot[other].block->id))
            slot = other;
    }
    if (!slot && q->noisy.count > 0)
        slot = fair_group_at(s, q->noisy.node[0].id)->head;
    return slot;
}

void sqs_fair_pass(struct sqs *s, struct sqs_queue *q, uint32_t slot)
{
    uint32_t *head, *tail;
    sqs_ready_list(s, q, slot, &head, &tail);
    sqs_unlink(s, head, tail, slot);
    if (s->slot[slot].group)
        fair_rank(s, q, s->slot[slot].group);
}

void sqs_fair_return(struct sqs *s, struct sqs_queue *q, uint32_t slot)
{
    uint32_t *head, *tail;
    sqs_ready_list(s, q, slot, &head, &tail);
    sqs_link(s, head, tail, slot, 0);
    if (s->slot[slot].group)
        fair_rank(s, q, s->slot[slot].group);
}
