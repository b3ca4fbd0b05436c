/* receive.c - which messages a receive gets, what it does to them, and how it waits.
 *
 * Room:     models, facts; of the SQS model alone.
 * Callers:  those of sqs.h.
 * Knows nothing of: protocols, clocks.
 *
 * Sources. A short poll asks a weighted random subset of the servers and may miss what is
 * there when a queue holds few messages; a long poll asks all (SQS developer guide, short
 * and long polling; the weights are not known and are left out). At least once: a server
 * that was down keeps its copy visible (guide, standard queues). Redrive: a message whose
 * receive count exceeds maxReceiveCount moves at the receive that finds it (guide,
 * dead-letter queues). In flight: about 120,000, then OverLimit; FIFO queues say nothing
 * and give nothing (ReceiveMessage reference). A FIFO receive takes as many messages of a
 * group as it can (guide, FIFO delivery logic).
 * A long poll of 1 to 20 s ends as soon as a message is there (guide, long polling); a
 * message whose delay ends wakes it (elasticmq#80). Which of several waiters is
 * served is a parameter: AWS says nothing about it. */
#include "models/sqs/impl.h"

#include "base/arena.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

enum { SCAN_MAX = 256 }; /* messages that a poll may pass over */

/* Splits of a receive's u, one use each. */
enum {
    SPLIT_LEAK = 1,
    SPLIT_LEAK_EACH = 100,
    SPLIT_WAITER = 999,
    SPLIT_SERVER = 1000,
    SPLIT_REORDER = 2000
};

double sqs_split(double u, uint32_t k)
{
    assert(u > 0 && u < 1);
    uint64_t bits = (uint64_t)(u * 0x1p53);
    uint64_t x = bits + (k + UINT64_C(1)) * UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    x ^= x >> 31;
    return ((double)(x >> 12) + 0.5) * 0x1p-52;
}

/* ---- choosing --------------------------------------------------------------------------- */

/* The servers that a short poll asks, as a mask; all ones when nothing can be missed. */
static uint64_t servers_asked(const struct sqs *s, const struct sqs_queue *q, double u)
{
    const struct sqs_params *p = &s->params;
    if (p->short_poll_servers == 0 || q->visible >= p->short_poll_full_at)
        return UINT64_MAX;
    uint64_t mask = 0;
    for (int64_t i = 0; i < p->short_poll_servers; i++)
        if (sqs_split(u, SPLIT_SERVER + (uint32_t)i) < p->short_poll_sample)
            mask |= UINT64_C(1) << i;
    return mask;
}

static bool on_servers(const struct sqs *s, uint32_t slot, uint64_t mask)
{
    if (mask == UINT64_MAX)
        return true;
    uint32_t spread = (slot * UINT32_C(0x9e3779b1)) >> 16;
    return mask >> (spread % (uint32_t)s->params.short_poll_servers) & 1;
}

/* Moves a message that was received too often to the dead-letter queue. */
static bool receive_redrive(struct sqs *s, struct sqs_queue *q, uint32_t slot)
{
    if (q->settings.redrive_queue < 0 ||
        s->slot[slot].receive_count < q->settings.redrive_receives)
        return false;
    struct sqs_queue *dead = sqs_queue_at(s, q->settings.redrive_queue);
    if (!dead)
        return false;
    sqs_move_to(s, q, dead, slot, false);
    q->stats.redriven++;
    return true;
}

/* Where messages have groups. What is looked at is taken out of its list for the
 * while, so that the next one is always the first of all that are left. */
static int pick_fair(struct sqs *s, struct sqs_queue *q, int max, uint64_t mask,
                     double reorder, double u, uint32_t *out)
{
    uint32_t seen[SCAN_MAX + 1 + SQS_BATCH_MAX], seen_count = 0, passed = 0, slot;
    int count = 0;
    while (count < max && passed <= SCAN_MAX && (slot = sqs_fair_first(s, q)) != 0) {
        bool skip = !on_servers(s, slot, mask);
        if (!skip && reorder > 0.0) {
            skip = sqs_split(u, SPLIT_REORDER + passed + (uint32_t)count) < reorder;
            q->stats.passed_over += skip;
        }
        if (!skip && receive_redrive(s, q, slot))
            continue;
        sqs_fair_pass(s, q, slot);
        seen[seen_count++] = slot;
        if (skip)
            passed++;
        else
            out[count++] = slot;
    }
    while (seen_count > 0)
        sqs_fair_return(s, q, seen[--seen_count]);
    return count;
}

static int pick_standard(struct sqs *s, struct sqs_queue *q, int max, uint64_t mask,
                         double reorder, double u, uint32_t *out)
{
    if (q->grouped)
        return pick_fair(s, q, max, mask, reorder, u, out);
    int count = 0;
    uint32_t passed = 0, next;
    for (uint32_t slot = q->ready.head; slot && count < max; slot = next) {
        next = s->slot[slot].next;
        bool skip = !on_servers(s, slot, mask);
        if (!skip && reorder > 0.0) {
            skip = sqs_split(u, SPLIT_REORDER + passed + (uint32_t)count) < reorder;
            q->stats.passed_over += skip;
        }
        if (skip) {
            if (++passed > SCAN_MAX)
                break;
            continue;
        }
        if (receive_redrive(s, q, slot))
            continue;
        out[count++] = slot;
        /* Far away in a long queue, and wanted in a moment: fetch all of a batch at once. */
        __builtin_prefetch(s->slot[slot].block);
        __builtin_prefetch(s->slot[slot].block->data + 48);
    }
    return count;
}

static int pick_fifo(struct sqs *s, struct sqs_queue *q, int max, uint32_t *out)
{
    int count = 0;
    uint32_t next_group;
    for (uint32_t index = q->group_head; index && count < max; index = next_group) {
        const struct sqs_group *group = sqs_keys_at(&s->groups, index);
        next_group = group->next;
        uint32_t next;
        for (uint32_t slot = group->head; slot && count < max && !sqs_is_blocked(s, slot);
             slot = next) {
            next = s->slot[slot].next;
            /* The group may be gone with its last message. */
            if (!receive_redrive(s, q, slot))
                out[count++] = slot;
        }
    }
    return count;
}

/* The slots, at most max (1..10), that a receive of a settled queue finds. They stay where
 * they are; what was received too often moves to its dead-letter queue. */
static int pick_messages(struct sqs *s, struct sqs_queue *q, int max, bool long_poll,
                         double u, uint32_t *out)
{
    if (q->visible == 0)
        return 0;
    int64_t cap =
        q->settings.fifo ? s->params.fifo_in_flight_max : s->params.in_flight_max;
    if (cap > 0 && cap - q->in_flight < max)
        max = (int)(cap - q->in_flight);
    if (q->settings.fifo)
        return pick_fifo(s, q, max, out);
    if (q->grouped)
        sqs_fair_calm(s, q);
    uint64_t mask = long_poll ? UINT64_MAX : servers_asked(s, q, u);
    int count = pick_standard(s, q, max, mask, s->params.reorder_rate, u, out);
    /* Order is what a reordering poll loses, not messages. */
    if (count == 0 && s->params.reorder_rate > 0.0)
        count = pick_standard(s, q, max, mask, 0.0, u, out);
    return count;
}

/* ---- giving ------------------------------------------------------------------------------- */

/* Which of count deliveries leave their message visible, as a mask. One draw for all while
 * that is as good as one each. */
static uint32_t receive_leaks(const struct sqs *s, int count, double u)
{
    double rate = s->params.duplicate_rate;
    if (rate <= 0.0)
        return 0;
    if (rate * count < 0.01) {
        double at = sqs_split(u, SPLIT_LEAK) / rate;
        return at < count ? UINT32_C(1) << (int)at : 0;
    }
    uint32_t mask = 0;
    for (int i = 0; i < count; i++)
        if (sqs_split(u, SPLIT_LEAK_EACH + (uint32_t)i) < rate)
            mask |= UINT32_C(1) << i;
    return mask;
}

static void give_one(struct sqs *s, struct sqs_queue *q, uint32_t slot,
                     int64_t visibility_ns, bool leak, int64_t now)
{
    struct sqs_slot *m = &s->slot[slot];
    if ((m->flags & SQS_LEAKED) && m->due_at > now)
        q->stats.duplicates++;
    sqs_lift(s, q, slot);
    if (++s->serial == 0)
        s->serial = 1;
    m->serial = s->serial;
    m->received_at = now;
    if (m->receive_count++ == 0 && m->block->earlier_receives == 0) {
        int64_t ms = (now - m->sent_at) / JOBQ_NS_PER_MS;
        m->block->first_ms = ms < UINT32_MAX ? (uint32_t)ms : UINT32_MAX;
    }
    int64_t due = visibility_ns < JOBQ_FOREVER - now ? now + visibility_ns : JOBQ_FOREVER;
    if (leak || visibility_ns == 0) {
        m->due_at = due;
        m->flags = leak ? SQS_LEAKED : 0;
        sqs_show(s, q, slot, SQS_REJOIN_BACK);
        sqs_rotate(s, q, slot);
    } else {
        sqs_hide(s, q, slot, SQS_IN_FLIGHT, due, visibility_ns);
    }
    if (s->watch)
        sqs_tell(s, slot);
}

/* Delivers what was picked: new receipts, hidden for visibility_ns. */
static void give_messages(struct sqs *s, struct sqs_queue *q, const uint32_t *slot,
                          int count, int64_t visibility_ns, double u, int64_t now)
{
    uint32_t leak = q->settings.fifo ? 0 : receive_leaks(s, count, u);
    for (int i = 0; i < count; i++)
        give_one(s, q, slot[i], visibility_ns, leak >> i & 1, now);
    q->stats.received += count;
}

void sqs_fill(const struct sqs *s, uint32_t slot, struct sqs_message *out)
{
    const struct sqs_slot *m = &s->slot[slot];
    const struct sqs_block *block = m->block;
    int32_t receives = m->receive_count + (int32_t)block->earlier_receives;
    out->id = block->id;
    out->receipt.bits = (uint64_t)m->serial << 32 | slot;
    out->body = (struct jobq_str){block->data, block->body_bytes};
    out->phantom_bytes = block->phantom_bytes;
    out->extra = (struct jobq_str){block->data + block->body_bytes, block->extra_bytes};
    out->sent_at_ns = m->sent_at;
    out->first_received_at_ns =
        receives > 0 ? m->sent_at + (int64_t)block->first_ms * JOBQ_NS_PER_MS : 0;
    out->received_at_ns = m->received_at;
    out->due_at_ns = m->due_at;
    out->receive_count = receives;
    out->source_queue = block->source - 1;
    out->mark = block->mark;
    out->state = (enum sqs_state)(m->flags & SQS_STATE_MASK);
    out->leaked = (m->flags & SQS_LEAKED) != 0;
}

/* ---- alarms: of queues that somebody waits for ------------------------------------------- */

static struct sqs_heap_places alarm_places(struct sqs *s)
{
    return (struct sqs_heap_places){(char *)s->alarm_place, sizeof *s->alarm_place};
}

/* When time alone may give a waiter of the queue something: a message becomes visible, or
 * the end of one that is in flight frees its FIFO group. */
static int64_t alarm_due(const struct sqs *s, const struct sqs_queue *q)
{
    int64_t at = sqs_next_due(q);
    if (q->settings.fifo && q->visible > 0 && s->params.retention &&
        q->oldest_sent + q->settings.retention_ns < at)
        at = q->oldest_sent + q->settings.retention_ns;
    return at;
}

static void set_alarm(struct sqs *s, struct sqs_queue *q)
{
    int64_t at = q->waiter_head ? alarm_due(s, q) : JOBQ_FOREVER;
    if (at == q->alarm_at)
        return;
    if (q->alarm_at != JOBQ_FOREVER)
        sqs_heap_remove(&s->alarms, alarm_places(s), s->alarm_place[q->index]);
    if (at != JOBQ_FOREVER) {
        if (q->index >= s->alarm_cap) {
            s->alarm_cap = s->queue_cap;
            s->alarm_place = xrealloc(s->alarm_place, s->alarm_cap * sizeof(uint32_t));
        }
        sqs_heap_put(&s->alarms, alarm_places(s), at, q->index);
    }
    q->alarm_at = at;
}

/* ---- waiters -------------------------------------------------------------------------------- */

static struct sqs_heap_places patience_places(struct sqs *s)
{
    return (struct sqs_heap_places){
        (char *)s->waiter + offsetof(struct sqs_waiter, patience_at), sizeof *s->waiter};
}

static uint32_t waiter_new(struct sqs *s)
{
    uint32_t w = s->waiter_free;
    if (w) {
        s->waiter_free = s->waiter[w].next;
        return w;
    }
    if (s->waiter_used >= s->waiter_cap) {
        s->waiter_cap = s->waiter_cap ? s->waiter_cap * 2 : 32;
        s->waiter = xrealloc(s->waiter, s->waiter_cap * sizeof *s->waiter);
    }
    if (s->waiter_used == 0)
        s->waiter_used = 1;
    return s->waiter_used++;
}

static void waiter_free(struct sqs *s, uint32_t w)
{
    s->waiter[w].waiting = SQS_WAITER_FREE;
    s->waiter[w].next = s->waiter_free;
    s->waiter_free = w;
}

/* The waiter after which a new one takes its place; 0: first. The head is served first. A
 * place drawn evenly keeps the order of all that wait a random permutation, at any moment,
 * so that each of them is as likely to be the head. */
static uint32_t place_of_waiter(const struct sqs *s, const struct sqs_queue *q, double u)
{
    if (!s->params.any_waiter)
        return q->waiter_tail;
    uint32_t behind =
        (uint32_t)(sqs_split(u, SPLIT_WAITER) * (double)(q->waiter_count + 1));
    uint32_t at = q->waiter_tail;
    for (; behind > 0; behind--)
        at = s->waiter[at].prev;
    return at;
}

static void enqueue_waiter(struct sqs *s, struct sqs_queue *q, int max, int64_t until,
                           int64_t visibility_ns, double u, uint64_t cookie)
{
    uint32_t index = waiter_new(s);
    struct sqs_waiter *w = &s->waiter[index];
    uint32_t after = place_of_waiter(s, q, u);
    uint32_t before = after ? s->waiter[after].next : q->waiter_head;
    *w = (struct sqs_waiter){.cookie = cookie,
                             .until = until,
                             .visibility_ns = visibility_ns,
                             .u = u,
                             .prev = after,
                             .next = before,
                             .waiting = SQS_WAITER_WAITS,
                             .max = (uint8_t)max,
                             .queue = q->index};
    *(after ? &s->waiter[after].next : &q->waiter_head) = index;
    *(before ? &s->waiter[before].prev : &q->waiter_tail) = index;
    q->waiter_count++;
    sqs_heap_put(&s->patience, patience_places(s), until, index);
    set_alarm(s, q);
}

/* Takes a waiter off its queue. */
static void dequeue_waiter(struct sqs *s, struct sqs_queue *q, uint32_t index)
{
    struct sqs_waiter *w = &s->waiter[index];
    *(w->prev ? &s->waiter[w->prev].next : &q->waiter_head) = w->next;
    *(w->next ? &s->waiter[w->next].prev : &q->waiter_tail) = w->prev;
    q->waiter_count--;
    sqs_heap_remove(&s->patience, patience_places(s), w->patience_at);
    if (!q->waiter_head)
        set_alarm(s, q);
}

static void receive_finish(struct sqs *s, struct sqs_queue *q, uint32_t index,
                           enum sqs_fault fault)
{
    dequeue_waiter(s, q, index);
    struct sqs_waiter *w = &s->waiter[index];
    w->waiting = SQS_WAITER_DONE;
    w->fault = fault;
    w->next = 0;
    *(s->done_tail ? &s->waiter[s->done_tail].next : &s->done_head) = index;
    s->done_tail = index;
    q->stats.receives++;
    if (w->count == 0)
        q->stats.empty_receives++;
}

void sqs_dismiss(struct sqs *s, struct sqs_queue *q, enum sqs_fault fault)
{
    while (q->waiter_head)
        receive_finish(s, q, q->waiter_head, fault);
}

static void wake_dead_queue(struct sqs *s, const struct sqs_queue *q, int64_t now)
{
    struct sqs_queue *dead = sqs_queue_at(s, q->settings.redrive_queue);
    if (!dead)
        return;
    sqs_settle(s, dead, now); /* what came may be too old for its retention */
    sqs_wake(s, dead, now);
}

static void keep_granted(const struct sqs *s, struct sqs_waiter *w, int count,
                         int64_t now)
{
    for (int i = 0; i < count; i++) {
        const struct sqs_slot *m = &s->slot[w->slot[i]];
        w->serial[i] = m->serial;
        w->id[i] = m->block->id;
        w->receive_count[i] = m->receive_count + (int32_t)m->block->earlier_receives;
        if (m->flags & SQS_LEAKED)
            w->leaked |= UINT32_C(1) << i;
    }
    w->count = (uint8_t)count;
    w->granted_at = now;
}

void sqs_wake(struct sqs *s, struct sqs_queue *q, int64_t now)
{
    int64_t moved = q->stats.moved_out;
    while (q->waiter_head && q->visible > 0) {
        uint32_t index = q->waiter_head;
        struct sqs_waiter *w = &s->waiter[index];
        int count = pick_messages(s, q, w->max, true, w->u, w->slot);
        if (count == 0)
            break;
        give_messages(s, q, w->slot, count, w->visibility_ns, w->u, now);
        keep_granted(s, w, count, now);
        receive_finish(s, q, index, SQS_OK);
    }
    if (q->waiter_head || q->alarm_at != JOBQ_FOREVER)
        set_alarm(s, q);
    if (q->stats.moved_out != moved)
        wake_dead_queue(s, q, now);
}

bool sqs_take_grant(struct sqs *s, struct sqs_grant *out)
{
    uint32_t index = s->done_head;
    if (!index)
        return false;
    struct sqs_waiter *w = &s->waiter[index];
    s->done_head = w->next;
    if (!s->done_head)
        s->done_tail = 0;
    out->cookie = w->cookie;
    out->queue = w->queue;
    out->fault = w->fault;
    out->received.waiting = false;
    out->received.count = 0;
    for (int i = 0; i < w->count; i++) {
        const struct sqs_slot *m = &s->slot[w->slot[i]];
        if (m->place == SQS_PLACE_NONE || m->block->id != w->id[i])
            continue;
        struct sqs_message *message = &out->received.message[out->received.count++];
        sqs_fill(s, w->slot[i], message);
        if (m->serial == w->serial[i])
            continue;
        message->receipt.bits = (uint64_t)w->serial[i] << 32 | w->slot[i];
        message->receive_count = w->receive_count[i];
        message->received_at_ns = w->granted_at;
        message->due_at_ns = w->granted_at + w->visibility_ns;
        message->leaked = w->leaked >> i & 1;
    }
    waiter_free(s, index);
    return true;
}

enum sqs_cancel sqs_cancel(struct sqs *s, uint64_t cookie)
{
    for (uint32_t i = 1; i < s->waiter_used; i++) {
        struct sqs_waiter *w = &s->waiter[i];
        if (w->cookie != cookie || w->waiting == SQS_WAITER_FREE)
            continue;
        if (w->waiting == SQS_WAITER_DONE)
            return SQS_GRANTED;
        dequeue_waiter(s, s->queue[w->queue], i);
        waiter_free(s, i);
        return SQS_CANCELLED;
    }
    return SQS_UNKNOWN;
}

/* ---- time ------------------------------------------------------------------------------------- */

int64_t sqs_next_at(const struct sqs *s)
{
    int64_t at = sqs_heap_key(&s->alarms), patience = sqs_heap_key(&s->patience);
    if (patience < at)
        at = patience;
    if (s->move_count > 0) {
        int64_t move = sqs_move_next_at(s);
        if (move < at)
            at = move;
    }
    return at;
}

void sqs_advance(struct sqs *s, int64_t now_ns)
{
    int64_t at;
    while ((at = sqs_next_at(s)) <= now_ns) {
        if (at > s->now)
            s->now = at;
        /* What arrives at an instant comes before what ends at it. */
        if (sqs_heap_key(&s->alarms) == at) {
            struct sqs_queue *q = s->queue[s->alarms.node[0].id];
            sqs_settle(s, q, at);
            sqs_wake(s, q, at);
        } else if (sqs_heap_key(&s->patience) == at) {
            uint32_t index = s->patience.node[0].id;
            receive_finish(s, s->queue[s->waiter[index].queue], index, SQS_OK);
        } else {
            sqs_move_step(s, at);
        }
    }
    if (now_ns > s->now)
        s->now = now_ns;
}

int64_t sqs_begin(struct sqs *s, int64_t now_ns)
{
    if (now_ns < s->now)
        now_ns = s->now;
    if (sqs_next_at(s) <= now_ns)
        sqs_advance(s, now_ns);
    s->now = now_ns;
    return now_ns;
}

struct sqs_queue *sqs_begin_queue(struct sqs *s, int64_t *now_ns, int queue,
                                  struct jobq_error *err)
{
    *now_ns = sqs_begin(s, *now_ns);
    struct sqs_queue *q = sqs_queue_at(s, queue);
    if (!q) {
        sqs_fail(err, SQS_NO_QUEUE, NULL);
        return NULL;
    }
    sqs_settle(s, q, *now_ns);
    if (q->alarm_at != JOBQ_FOREVER)
        set_alarm(s, q);
    return q;
}

/* ---- the call --------------------------------------------------------------------------------- */

static enum sqs_fault check_receive(const struct sqs *s,
                                    const struct sqs_receive *options,
                                    struct jobq_error *err)
{
    const struct sqs_params *p = &s->params;
    char text[160];
    if (options->max < 1 || options->max > SQS_BATCH_MAX) {
        snprintf(text, sizeof text,
                 "Value %d for parameter MaxNumberOfMessages is invalid. Reason: Must be "
                 "between 1 and 10, if provided.",
                 options->max);
        return sqs_fail(err, SQS_BAD_PARAMETER, text);
    }
    int64_t wait_max = p->long_poll_max_ns ? p->long_poll_max_ns : 20 * JOBQ_NS_PER_S;
    if (options->wait_ns != SQS_DEFAULT &&
        (options->wait_ns < 0 || options->wait_ns > wait_max)) {
        snprintf(
            text, sizeof text,
            "Value %lld for parameter WaitTimeSeconds is invalid. Reason: Must be >= 0 "
            "and <= %lld, if provided.",
            (long long)(options->wait_ns / JOBQ_NS_PER_S),
            (long long)(wait_max / JOBQ_NS_PER_S));
        return sqs_fail(err, SQS_BAD_PARAMETER, text);
    }
    int64_t hide = options->visibility_ns;
    if (hide != SQS_DEFAULT &&
        (hide < 0 ||
         hide > (p->visibility_max_ns ? p->visibility_max_ns : SQS_LONGEST_NS))) {
        snprintf(
            text, sizeof text,
            "Value %lld for parameter VisibilityTimeout is invalid. Reason: Must be "
            "between 0 and %lld.",
            (long long)(hide / JOBQ_NS_PER_S),
            (long long)((p->visibility_max_ns ? p->visibility_max_ns : SQS_LONGEST_NS) /
                        JOBQ_NS_PER_S));
        return sqs_fail(err, SQS_BAD_PARAMETER, text);
    }
    return SQS_OK;
}

enum sqs_fault sqs_receive(struct sqs *s, int64_t now_ns, double u, int queue,
                           const struct sqs_receive *options, struct sqs_received *out,
                           struct jobq_error *err)
{
    assert(u > 0 && u < 1 && options && out && err);
    out->waiting = false;
    out->count = 0;
    struct sqs_queue *q = sqs_begin_queue(s, &now_ns, queue, err);
    if (!q)
        return SQS_NO_QUEUE;
    enum sqs_fault fault = check_receive(s, options, err);
    if (fault != SQS_OK)
        return fault;
    if (!sqs_admit(s, q, now_ns, SQS_BUCKET_RECEIVE))
        return sqs_fail(err, SQS_THROTTLED, NULL);
    if (!q->settings.fifo && s->params.in_flight_max > 0 &&
        q->in_flight >= s->params.in_flight_max)
        return sqs_fail(err, SQS_OVER_LIMIT, NULL);
    int64_t wait =
        options->wait_ns == SQS_DEFAULT ? q->settings.wait_ns : options->wait_ns;
    int64_t hide = options->visibility_ns == SQS_DEFAULT ? q->settings.visibility_ns
                                                         : options->visibility_ns;
    if (s->params.long_poll_max_ns == 0)
        wait = 0;
    uint32_t slot[SQS_BATCH_MAX];
    int64_t moved = q->stats.moved_out;
    int count = pick_messages(s, q, options->max, wait > 0, u, slot);
    if (count > 0) {
        give_messages(s, q, slot, count, hide, u, now_ns);
        for (int i = 0; i < count; i++)
            sqs_fill(s, slot[i], &out->message[i]);
        out->count = count;
    }
    if (count == 0 && wait > 0) {
        enqueue_waiter(s, q, options->max, now_ns + wait, hide, u, options->cookie);
        out->waiting = true;
    } else {
        q->stats.receives++;
        if (count == 0)
            q->stats.empty_receives++;
    }
    if (q->alarm_at != JOBQ_FOREVER || q->waiter_head)
        sqs_wake(s, q, now_ns);
    if (q->stats.moved_out != moved)
        wake_dead_queue(s, q, now_ns);
    return SQS_OK;
}
