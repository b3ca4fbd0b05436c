/* order.c - where each message of a queue stands, and what time does to it.
 *
 * Room:     models, facts; of the SQS model alone.
 * Callers:  sqs_*.c.
 * Knows nothing of: calls, replies, waiting.
 *
 * Sources. Visibility and delay: SQS developer guide. Order: best effort in standard queues
 * (guide); a message received three times or more goes to the back of the queue
 * (CloudWatch metrics for SQS, ApproximateAgeOfOldestMessage). FIFO: no message of a group
 * is given while an earlier one of it is in flight (guide, FIFO delivery logic; that a later
 * one does not hold it back, and that a group which was received from goes behind the others
 * though nothing was hidden, was recorded from AWS: localstack's tests of FIFO group
 * visibility, 2024 to 2026). Retention
 * counts from sending; a redriven message keeps its time in standard queues and starts anew
 * in FIFO queues (guide, dead-letter queue retention). */
#include "models/sqs/impl.h"

#include <assert.h>

/* In a world that reorders anyway, a returning message looks no further than this for its
 * place by age. */
enum { REJOIN_STEPS = 64 };

static bool order_younger(const struct sqs *s, uint32_t a, uint32_t b)
{
    const struct sqs_slot *x = &s->slot[a], *y = &s->slot[b];
    if (x->sent_at != y->sent_at)
        return x->sent_at > y->sent_at;
    return x->block->id > y->block->id;
}

void sqs_link(struct sqs *s, uint32_t *head, uint32_t *tail, uint32_t slot, uint32_t prev)
{
    uint32_t next = prev ? s->slot[prev].next : *head;
    s->slot[slot].prev = prev;
    s->slot[slot].next = next;
    *(prev ? &s->slot[prev].next : head) = slot;
    *(next ? &s->slot[next].prev : tail) = slot;
}

void sqs_unlink(struct sqs *s, uint32_t *head, uint32_t *tail, uint32_t slot)
{
    uint32_t prev = s->slot[slot].prev, next = s->slot[slot].next;
    *(prev ? &s->slot[prev].next : head) = next;
    *(next ? &s->slot[next].prev : tail) = prev;
}

/* ---- visible ---------------------------------------------------------------------------- */

/* Links it where `rejoin` says, passing over at most `steps`. */
static void sqs_join(struct sqs *s, uint32_t *head, uint32_t *tail, uint32_t slot,
                     enum sqs_rejoin rejoin, int steps)
{
    uint32_t prev = *tail;
    if (rejoin == SQS_REJOIN_BACK) {
        uint32_t next = *head;
        prev = 0;
        while (next && steps-- > 0 && order_younger(s, slot, next)) {
            prev = next;
            next = s->slot[next].next;
        }
    } else if (rejoin == SQS_REJOIN_LATE) {
        while (prev && steps-- > 0 && order_younger(s, prev, slot))
            prev = s->slot[prev].prev;
    }
    sqs_link(s, head, tail, slot, prev);
}

static struct sqs_group *order_group_at(const struct sqs *s, uint32_t index)
{
    return sqs_keys_at(&s->groups, index);
}

static bool is_before_flying(const struct sqs *s, const struct sqs_group *group,
                             uint32_t slot)
{
    for (uint32_t i = 0; i < group->in_flight; i++)
        if (order_younger(s, slot, group->flying[i]))
            return false;
    return true;
}

bool sqs_is_blocked(const struct sqs *s, uint32_t slot)
{
    uint32_t index = s->slot[slot].group;
    return index && !is_before_flying(s, order_group_at(s, index), slot);
}

static void unlist_group(struct sqs *s, struct sqs_queue *q, struct sqs_group *group)
{
    group->listed = false;
    *(group->prev ? &order_group_at(s, group->prev)->next : &q->group_head) = group->next;
    *(group->next ? &order_group_at(s, group->next)->prev : &q->group_tail) = group->prev;
}

/* Lists the group among those that can be received from, or takes it off. */
static void list_group(struct sqs *s, struct sqs_queue *q, uint32_t index)
{
    struct sqs_group *group = order_group_at(s, index);
    bool want = group->head && is_before_flying(s, group, group->head);
    if (want == group->listed)
        return;
    if (!want) {
        unlist_group(s, q, group);
        return;
    }
    group->listed = true;
    group->prev = q->group_tail;
    group->next = 0;
    *(q->group_tail ? &order_group_at(s, q->group_tail)->next : &q->group_head) = index;
    q->group_tail = index;
}

void sqs_rotate(struct sqs *s, struct sqs_queue *q, uint32_t slot)
{
    uint32_t index = s->slot[slot].group;
    if (!q->settings.fifo || !index || !order_group_at(s, index)->listed)
        return;
    unlist_group(s, q, order_group_at(s, index));
    list_group(s, q, index);
}

static void order_fly(struct sqs *s, struct sqs_queue *q, uint32_t slot)
{
    if (!q->settings.fifo) {
        sqs_fair_fly(s, q, slot);
        return;
    }
    uint32_t index = s->slot[slot].group;
    struct sqs_group *group = order_group_at(s, index);
    assert(group->in_flight < SQS_BATCH_MAX);
    group->flying[group->in_flight++] = slot;
    list_group(s, q, index);
}

static void order_land(struct sqs *s, struct sqs_queue *q, uint32_t slot)
{
    if (!q->settings.fifo) {
        sqs_fair_land(s, q, slot);
        return;
    }
    uint32_t index = s->slot[slot].group, i = 0;
    struct sqs_group *group = order_group_at(s, index);
    while (group->flying[i] != slot)
        i++;
    group->flying[i] = group->flying[--group->in_flight];
    list_group(s, q, index);
}

void sqs_ready_list(struct sqs *s, struct sqs_queue *q, uint32_t slot, uint32_t **head,
                    uint32_t **tail)
{
    struct sqs_group *group =
        s->slot[slot].group ? order_group_at(s, s->slot[slot].group) : NULL;
    *head = group ? &group->head : &q->ready.head;
    *tail = group ? &group->tail : &q->ready.tail;
}

void sqs_show(struct sqs *s, struct sqs_queue *q, uint32_t slot, enum sqs_rejoin rejoin)
{
    struct sqs_slot *m = &s->slot[slot];
    m->place = SQS_PLACE_READY;
    m->flags = (uint8_t)((m->flags & SQS_LEAKED) | SQS_VISIBLE);
    q->visible++;
    if (q->settings.fifo) {
        struct sqs_group *group = order_group_at(s, m->group);
        sqs_join(s, &group->head, &group->tail, slot,
                 rejoin == SQS_REJOIN_END ? SQS_REJOIN_LATE : rejoin, INT32_MAX);
        list_group(s, q, m->group);
        return;
    }
    int64_t back = s->params.back_of_queue_receives;
    if (back > 0 && m->receive_count >= back)
        rejoin = SQS_REJOIN_END;
    bool strict = s->params.reorder_rate <= 0.0;
    uint32_t *head, *tail;
    sqs_ready_list(s, q, slot, &head, &tail);
    sqs_join(s, head, tail, slot, rejoin, strict ? INT32_MAX : REJOIN_STEPS);
    if (m->group)
        sqs_fair_shown(s, q, m->group);
}

/* ---- hidden ------------------------------------------------------------------------------- */

static struct sqs_heap_places heap_places(struct sqs *s)
{
    return (struct sqs_heap_places){(char *)s->slot + offsetof(struct sqs_slot, prev),
                                    sizeof *s->slot};
}

static void append_due(struct sqs *s, struct sqs_list *list, uint32_t slot, int64_t due)
{
    if (!list->head)
        list->head_due = due;
    sqs_link(s, &list->head, &list->tail, slot, list->tail);
    list->tail_due = due;
}

static void remove_due(struct sqs *s, struct sqs_list *list, uint32_t slot)
{
    sqs_unlink(s, &list->head, &list->tail, slot);
    list->head_due = list->head ? s->slot[list->head].due_at : JOBQ_FOREVER;
    list->tail_due = list->tail ? s->slot[list->tail].due_at : INT64_MIN;
}

void sqs_hide(struct sqs *s, struct sqs_queue *q, uint32_t slot, enum sqs_state state,
              int64_t due, int64_t duration)
{
    struct sqs_slot *m = &s->slot[slot];
    m->due_at = due;
    m->flags = (uint8_t)state;
    if (state == SQS_DELAYED) {
        q->delayed++;
        m->place = due >= q->late.tail_due ? SQS_PLACE_LATE : SQS_PLACE_HEAP;
    } else {
        q->in_flight++;
        if (q->grouped)
            order_fly(s, q, slot);
        if (duration == q->settings.visibility_ns && due >= q->steady.tail_due)
            m->place = SQS_PLACE_STEADY;
        else
            m->place = due >= q->odd.tail_due ? SQS_PLACE_ODD : SQS_PLACE_HEAP;
    }
    if (m->place == SQS_PLACE_STEADY)
        append_due(s, &q->steady, slot, due);
    else if (m->place == SQS_PLACE_ODD)
        append_due(s, &q->odd, slot, due);
    else if (m->place == SQS_PLACE_LATE)
        append_due(s, &q->late, slot, due);
    else
        sqs_heap_put(&q->heap, heap_places(s), due, slot);
}

void sqs_lift(struct sqs *s, struct sqs_queue *q, uint32_t slot)
{
    struct sqs_slot *m = &s->slot[slot];
    enum sqs_state state = (enum sqs_state)(m->flags & SQS_STATE_MASK);
    switch (m->place) {
    case SQS_PLACE_READY:
        if (m->group) {
            struct sqs_group *group = order_group_at(s, m->group);
            sqs_unlink(s, &group->head, &group->tail, slot);
            if (q->settings.fifo)
                list_group(s, q, m->group);
            else
                sqs_fair_lifted(s, q, m->group);
        } else {
            sqs_unlink(s, &q->ready.head, &q->ready.tail, slot);
        }
        break;
    case SQS_PLACE_STEADY:
        remove_due(s, &q->steady, slot);
        break;
    case SQS_PLACE_ODD:
        remove_due(s, &q->odd, slot);
        break;
    case SQS_PLACE_LATE:
        remove_due(s, &q->late, slot);
        break;
    default:
        sqs_heap_remove(&q->heap, heap_places(s), m->prev);
        break;
    }
    m->place = SQS_PLACE_NONE;
    if (state == SQS_VISIBLE) {
        q->visible--;
    } else if (state == SQS_DELAYED) {
        q->delayed--;
    } else {
        q->in_flight--;
        if (q->grouped)
            order_land(s, q, slot);
    }
}

/* ---- in the queue and out of it ------------------------------------------------------------- */

void sqs_enter(struct sqs *s, struct sqs_queue *q, uint32_t slot)
{
    struct sqs_slot *m = &s->slot[slot];
    /* Moved messages may be older than what is there; others never are. */
    uint32_t older = q->newest;
    while (older && s->slot[older].sent_at > m->sent_at)
        older = s->slot[older].older;
    uint32_t newer = older ? s->slot[older].newer : q->oldest;
    m->older = older;
    m->newer = newer;
    *(older ? &s->slot[older].newer : &q->oldest) = slot;
    *(newer ? &s->slot[newer].older : &q->newest) = slot;
    if (!older)
        q->oldest_sent = m->sent_at;
    m->group = 0;
    bool fair = !q->settings.fifo;
    if (fair && (m->block->extra_bytes == 0 || s->params.fair_share <= 0.0))
        return;
    struct sqs_extra extra;
    sqs_extra_read(
        (struct jobq_str){m->block->data + m->block->body_bytes, m->block->extra_bytes},
        &extra);
    if (fair && extra.group.len == 0)
        return;
    m->group = sqs_keys_find(&s->groups, q->uid, extra.group, (struct jobq_str){0});
    if (!m->group)
        m->group = sqs_keys_add(&s->groups, q->uid, extra.group, (struct jobq_str){0});
    order_group_at(s, m->group)->total++;
    if (fair)
        sqs_fair_enter(s, q, m->group, m->sent_at);
}

/* Takes it out of the queue altogether; its bytes are kept. */
static void sqs_leave(struct sqs *s, struct sqs_queue *q, uint32_t slot)
{
    struct sqs_slot *m = &s->slot[slot];
    if (m->place != SQS_PLACE_NONE)
        sqs_lift(s, q, slot);
    *(m->older ? &s->slot[m->older].newer : &q->oldest) = m->newer;
    *(m->newer ? &s->slot[m->newer].older : &q->newest) = m->older;
    if (!m->older)
        q->oldest_sent = m->newer ? s->slot[m->newer].sent_at : JOBQ_FOREVER;
    if (!m->group || --order_group_at(s, m->group)->total > 0)
        return;
    if (q->settings.fifo)
        sqs_keys_remove(&s->groups, m->group);
    else
        sqs_fair_idle(s, q, m->group);
}

void sqs_drop(struct sqs *s, struct sqs_queue *q, uint32_t slot)
{
    struct sqs_slot *m = &s->slot[slot];
    sqs_leave(s, q, slot);
    if (s->watch) {
        struct sqs_message gone = {.id = m->block->id,
                                   .receipt = {(uint64_t)m->serial << 32 | slot}};
        s->watch(s->watch_ctx, SQS_EVENT_GONE, q->index, &gone);
    }
    sqs_slot_free(s, slot);
}

void sqs_move_to(struct sqs *s, struct sqs_queue *from, struct sqs_queue *to,
                 uint32_t slot, bool as_new)
{
    struct sqs_slot *m = &s->slot[slot];
    sqs_leave(s, from, slot);
    from->stats.moved_out++;
    to->stats.moved_in++;
    if (as_new) {
        /* The observer's store is keyed by id. */
        if (s->watch) {
            struct sqs_message gone = {.id = m->block->id,
                                       .receipt = {(uint64_t)m->serial << 32 | slot}};
            s->watch(s->watch_ctx, SQS_EVENT_GONE, from->index, &gone);
        }
        m->block->id = s->next_id++;
        m->block->earlier_receives = 0;
        m->block->source = 0;
        m->receive_count = 0;
    } else {
        m->block->earlier_receives += (uint32_t)m->receive_count;
        m->block->source = (uint16_t)(from->index + 1);
        m->receive_count = 0;
    }
    if (as_new || to->settings.fifo)
        m->sent_at = s->now;
    m->block->sent_serial = s->serial; /* receipts of the other queue mean nothing here */
    m->serial = 0;
    m->flags = 0;
    m->queue = to->index;
    sqs_enter(s, to, slot);
    sqs_show(s, to, slot, SQS_REJOIN_LATE);
    sqs_tell(s, slot);
}

/* ---- time ------------------------------------------------------------------------------------- */

static int64_t order_least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

int64_t sqs_next_due(const struct sqs_queue *q)
{
    return order_least(order_least(q->steady.head_due, q->odd.head_due),
                       order_least(q->late.head_due, sqs_heap_key(&q->heap)));
}

static uint32_t first_due(const struct sqs_queue *q, int64_t due)
{
    if (q->steady.head_due == due)
        return q->steady.head;
    if (q->odd.head_due == due)
        return q->odd.head;
    return q->late.head_due == due ? q->late.head : q->heap.node[0].id;
}

void sqs_settle(struct sqs *s, struct sqs_queue *q, int64_t now)
{
    int64_t due;
    while ((due = sqs_next_due(q)) <= now) {
        uint32_t slot = first_due(q, due);
        bool delayed = (s->slot[slot].flags & SQS_STATE_MASK) == SQS_DELAYED;
        sqs_lift(s, q, slot);
        s->slot[slot].flags = 0;
        sqs_show(s, q, slot, delayed ? SQS_REJOIN_LATE : SQS_REJOIN_BACK);
    }
    if (!s->params.retention)
        return;
    while (q->oldest && q->oldest_sent <= now - q->settings.retention_ns) {
        q->stats.expired++;
        sqs_drop(s, q, q->oldest);
    }
}
