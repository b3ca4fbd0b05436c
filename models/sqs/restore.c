/* restore.c - looking at all messages of a queue, and putting them back.
 *
 * Room:     models, facts; of the SQS model.
 * Callers:  those of sqs.h.
 * Knows nothing of: where a driver keeps them. */
#include "models/sqs/impl.h"

#include "base/arena.h"

#include <string.h>

/* Room for ids and receipts that a restored model never saw: those of messages that were
 * deleted before the store was read. */
enum { UNSEEN = 1 << 24 };

void sqs_visit(struct sqs *s, int64_t now_ns, int queue, sqs_visit_fn *fn, void *ctx)
{
    struct jobq_error err;
    struct sqs_queue *q = sqs_begin_queue(s, &now_ns, queue, &err);
    struct sqs_message message;
    for (uint32_t slot = q ? q->oldest : 0; slot; slot = s->slot[slot].newer) {
        sqs_fill(s, slot, &message);
        if (!fn(ctx, &message))
            return;
    }
}

bool sqs_lookup(const struct sqs *s, int queue, struct sqs_receipt receipt,
                struct sqs_message *out)
{
    const struct sqs_queue *q = sqs_queue_at(s, queue);
    uint32_t slot = q ? sqs_slot_of(s, q, receipt) : 0;
    if (slot)
        sqs_fill(s, slot, out);
    return slot != 0;
}

/* The slot that the receipt names, or the next one behind all others if it is taken. */
static uint32_t claim_slot(struct sqs *s, uint32_t want)
{
    if (want == 0 || (want < s->slot_used && s->slot[want].place != SQS_PLACE_NONE))
        want = s->slot_used;
    while (want >= s->slot_cap)
        sqs_slot_grow(s);
    while (s->slot_used <= want)
        s->slot[s->slot_used++] = (struct sqs_slot){.place = SQS_PLACE_NONE};
    s->message_count++;
    return want;
}

static struct sqs_block *copy_block(struct sqs *s, struct sqs_block *left,
                                    const struct sqs_message *message)
{
    size_t body = (size_t)message->body.len, extra = (size_t)message->extra.len;
    struct sqs_block *block = sqs_block_new(s, left, body + extra);
    block->id = message->id;
    block->body_bytes = (uint32_t)body;
    block->phantom_bytes = (uint32_t)message->phantom_bytes;
    block->extra_bytes = (uint32_t)extra;
    block->first_ms =
        message->receive_count > 0
            ? (uint32_t)((message->first_received_at_ns - message->sent_at_ns) /
                         JOBQ_NS_PER_MS)
            : 0;
    block->earlier_receives = 0;
    block->sent_serial =
        0; /* any earlier receipt for its slot passes as one of its own */
    block->source = (uint16_t)(message->source_queue + 1);
    block->mark = 0;
    if (body)
        memcpy(block->data, message->body.ptr, body);
    if (extra)
        memcpy(block->data + body, message->extra.ptr, extra);
    return block;
}

static void restore_dedup(struct sqs *s, const struct sqs_queue *q,
                          const struct sqs_message *message)
{
    struct sqs_extra extra;
    sqs_extra_read(message->extra, &extra);
    if (q->settings.fifo && extra.dedup.len &&
        !sqs_dedup_find(s, q, extra.group, extra.dedup, INT64_MIN / 2))
        sqs_dedup_add(s, q, extra.group, extra.dedup, message->id, message->sent_at_ns);
}

void sqs_restore(struct sqs *s, int queue, const struct sqs_message *message)
{
    struct sqs_queue *q = sqs_queue_at(s, queue);
    if (!q)
        return;
    uint32_t serial = (uint32_t)(message->receipt.bits >> 32);
    uint32_t slot = claim_slot(s, (uint32_t)message->receipt.bits);
    struct sqs_slot *m = &s->slot[slot];
    struct sqs_block *block = copy_block(s, m->block, message);
    *m = (struct sqs_slot){.sent_at = message->sent_at_ns,
                           .due_at = message->due_at_ns,
                           .received_at = message->received_at_ns,
                           .block = block,
                           .large = sqs_block_is_large(block),
                           .serial = serial,
                           .receive_count = message->receive_count,
                           .queue = q->index,
                           .flags = message->leaked ? SQS_LEAKED : 0};
    sqs_enter(s, q, slot);
    if (message->state == SQS_VISIBLE)
        sqs_show(s, q, slot, SQS_REJOIN_END);
    else
        sqs_hide(s, q, slot, message->state, message->due_at_ns, -1);
    q->stats.sent++;
    if (message->id >= s->next_id)
        s->next_id = message->id + 1;
    if (serial > s->serial)
        s->serial = serial;
    restore_dedup(s, q, message);
}

void sqs_restore_gone(struct sqs *s, int queue, const struct sqs_message *message)
{
    struct sqs_queue *q = sqs_queue_at(s, queue);
    if (q)
        restore_dedup(s, q, message);
}

void sqs_restore_end(struct sqs *s, int64_t now_ns)
{
    s->slot_free = 0;
    for (uint32_t slot = s->slot_used - 1; slot > 0; slot--)
        if (s->slot[slot].place == SQS_PLACE_NONE) {
            s->slot[slot].next = s->slot_free;
            s->slot_free = slot;
        }
    sqs_dedup_sort(s);
    s->next_id += UNSEEN;
    s->serial += UNSEEN;
    if (now_ns > s->now)
        s->now = now_ns;
}

void sqs_restore_changed(struct sqs *s, int queue, int64_t changed_at_ns,
                         bool dedup_made_by_group)
{
    s->queue[queue]->changed_at = changed_at_ns;
    s->queue[queue]->dedup_by_group = dedup_made_by_group;
}
