/* receive.c - which messages a receive gets, and what it does to them.
 *
 * Room:     models, facts; of the SQS model alone.
 * Callers:  those of sqs.h; models/sqs/wait.c.
 * Knows nothing of: how long a receive waits.
 *
 * Sources. A short poll asks a weighted random subset of the servers and may miss what is
 * there when a queue holds few messages; a long poll asks all (SQS developer guide, short
 * and long polling; the weights are not known and are left out). At least once: a server
 * that was down keeps its copy visible (guide, standard queues). Redrive: a message whose
 * receive count exceeds maxReceiveCount moves at the receive that finds it (guide,
 * dead-letter queues). In flight: about 120,000, then OverLimit; FIFO queues say nothing
 * and give nothing (ReceiveMessage reference). A FIFO receive takes as many messages of a
 * group as it can (guide, FIFO delivery logic). */
#include "models/sqs/impl.h"

#include "models/sqs/pick.h"

#include <string.h>

enum { SCAN_MAX = 256 }; /* messages that a poll may pass over */

/* Splits of a receive's u, one use each. */
enum { SPLIT_LEAK = 1, SPLIT_LEAK_EACH = 100, SPLIT_SERVER = 1000, SPLIT_REORDER = 2000 };

double sqs_split(double u, uint32_t k)
{
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
static bool redrive(struct sqs *s, struct sqs_queue *q, uint32_t slot)
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
        if (!skip && reorder > 0.0)
            skip = sqs_split(u, SPLIT_REORDER + passed + (uint32_t)count) < reorder;
        if (!skip && redrive(s, q, slot))
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
        if (!skip && reorder > 0.0)
            skip = sqs_split(u, SPLIT_REORDER + passed + (uint32_t)count) < reorder;
        if (skip) {
            if (++passed > SCAN_MAX)
                break;
            continue;
        }
        if (redrive(s, q, slot))
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
            if (!redrive(s, q, slot))
                out[count++] = slot;
        }
    }
    return count;
}

int sqs_pick(struct sqs *s, struct sqs_queue *q, int max, bool long_poll, double u,
             uint32_t *out)
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
static uint32_t leaks(const struct sqs *s, int count, double u)
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

void sqs_give(struct sqs *s, struct sqs_queue *q, const uint32_t *slot, int count,
              int64_t visibility_ns, double u, int64_t now)
{
    uint32_t leak = q->settings.fifo ? 0 : leaks(s, count, u);
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
