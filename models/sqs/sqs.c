/* sqs.c - the model's life, and the calls that send, delete and hide messages.
 *
 * Room:     models, facts.
 * Callers:  those of sqs.h.
 * Knows nothing of: where messages stand (models/sqs/order.c), who waits (models/sqs/receive.c).
 *
 * Sources. SendMessage, DeleteMessage and ChangeMessageVisibility references. An old receipt
 * deletes nothing and says success (DeleteMessage reference: "might not be deleted";
 * JustSaying#1584, wolverine#4023); in FIFO queues it is refused once expired. The newest
 * receipt changes visibility after its own has run out (recorded from AWS on 2024-04-30:
 * localstack's tests); one that a later receive has superseded says success in standard
 * queues (recorded), and that it changes nothing is assumed. 12 hours in all from the receive (ChangeMessageVisibility reference). The first message's id answers
 * for what deduplication swallows within 5 minutes (guide, exactly-once processing). */
#include "models/sqs/sqs.h"

#include "base/arena.h"
#include "base/hash.h"
#include "base/text.h"
#include "models/sqs/impl.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

/* ---- life --------------------------------------------------------------------------------- */

struct sqs *sqs_new(const struct sqs_params *params)
{
    assert(params);
    struct sqs *s = xcalloc(1, sizeof *s);
    s->params = *params;
    sqs_keys_init(&s->groups, sizeof(struct sqs_group));
    sqs_keys_init(&s->dedups, sizeof(struct sqs_dedup));
    sqs_reset(s);
    return s;
}

void sqs_reset(struct sqs *s)
{
    sqs_watch_fn *watch = s->watch;
    s->watch = NULL;
    for (uint32_t i = 0; i < s->queue_count; i++)
        if (s->queue[i]->exists)
            sqs_queue_clear(s, s->queue[i]);
    s->watch = watch;
    for (uint32_t i = 0; i < s->queue_count; i++)
        s->queue[i]->exists = false;
    s->name_count = s->buried_count = 0;
    s->next_uid = 1;
    s->next_id = 1;
    s->serial = 0;
    s->now = 0;
    s->waiter_used = s->waiter_free = s->done_head = s->done_tail = 0;
    s->alarms.count = s->patience.count = 0;
    s->dedup_head = s->dedup_tail = 0;
    s->move_count = 0;
    sqs_keys_clear(&s->groups);
    sqs_keys_clear(&s->dedups);
    sqs_memory_reset(s);
}

void sqs_free(struct sqs *s)
{
    if (!s)
        return;
    sqs_reset(s);
    for (uint32_t i = 0; i < s->queue_count; i++)
        sqs_queue_release(s, s->queue[i]);
    free(s->queue);
    free(s->by_name);
    free(s->buried);
    free(s->alarm_place);
    free(s->waiter);
    free(s->move);
    sqs_heap_release(&s->alarms);
    sqs_heap_release(&s->patience);
    sqs_keys_release(&s->groups);
    sqs_keys_release(&s->dedups);
    sqs_memory_release(s);
    free(s);
}

void sqs_params_change(struct sqs *s, const struct sqs_params *params)
{
    s->params = *params;
}

void sqs_watch(struct sqs *s, sqs_watch_fn *fn, void *ctx)
{
    s->watch = fn;
    s->watch_ctx = ctx;
}

void sqs_tell(struct sqs *s, uint32_t slot)
{
    if (!s->watch)
        return;
    struct sqs_message message;
    sqs_fill(s, slot, &message);
    s->watch(s->watch_ctx, SQS_EVENT_PUT, s->slot[slot].queue, &message);
}

enum sqs_fault sqs_fail(struct jobq_error *err, enum sqs_fault fault, const char *text)
{
    const struct sqs_fault_info *info = sqs_fault_info(fault);
    jobq_fail(err, info->code, "%s", text ? text : info->text);
    return fault;
}

uint32_t sqs_slot_of(const struct sqs *s, const struct sqs_queue *q,
                     struct sqs_receipt receipt)
{
    uint32_t slot = (uint32_t)receipt.bits, serial = (uint32_t)(receipt.bits >> 32);
    if (slot == 0 || slot >= s->slot_used)
        return 0;
    const struct sqs_slot *m = &s->slot[slot];
    bool is = m->place != SQS_PLACE_NONE && m->queue == q->index && serial != 0 &&
              m->serial == serial;
    return is ? slot : 0;
}

/* ---- throttle: token buckets -------------------------------------------------------------- */

static bool sqs_take(struct sqs_bucket *bucket, double per_s, double burst, int64_t now)
{
    double tokens = bucket->tokens + jobq_seconds_from_ns(now - bucket->at) * per_s;
    bucket->tokens = tokens < burst ? tokens : burst;
    bucket->at = now;
    if (bucket->tokens < 1.0)
        return false;
    bucket->tokens -= 1.0;
    return true;
}

bool sqs_admit(struct sqs *s, struct sqs_queue *q, int64_t now, int bucket)
{
    const struct sqs_params *p = &s->params;
    bool admitted = true;
    if (p->throttle_per_s > 0.0)
        admitted = sqs_take(&q->bucket[SQS_BUCKET_ALL], p->throttle_per_s,
                            p->throttle_burst, now);
    if (admitted && q->settings.fifo && !q->settings.throughput_by_group &&
        p->fifo_throttle_per_s > 0.0)
        admitted = sqs_take(&q->bucket[bucket], p->fifo_throttle_per_s,
                            p->fifo_throttle_per_s, now);
    if (!admitted)
        q->stats.throttled++;
    return admitted;
}

/* ---- send ----------------------------------------------------------------------------------- */

static enum sqs_fault sqs_check_count(int count, struct jobq_error *err)
{
    if (count < 1)
        return sqs_fail(err, SQS_BATCH_EMPTY, NULL);
    if (count > SQS_BATCH_MAX) {
        char text[96];
        snprintf(text, sizeof text,
                 "Maximum number of entries per request are 10. You have sent %d.",
                 count);
        return sqs_fail(err, SQS_BATCH_TOO_MANY, text);
    }
    return SQS_OK;
}

static int64_t counted_bytes(const struct sqs_outgoing *in)
{
    int64_t bytes = in->body.len + in->phantom_bytes;
    for (int i = 0; i < in->attribute_count; i++)
        if (!in->attribute[i].system)
            bytes += in->attribute[i].name.len + in->attribute[i].type.len +
                     in->attribute[i].value.len;
    return bytes;
}

/* Alphanumeric characters and punctuation, at most 128 (SendMessage reference). */
static bool is_id(struct jobq_str id)
{
    if (id.len > SQS_ID_MAX)
        return false;
    for (int64_t i = 0; i < id.len; i++)
        if (id.ptr[i] <= ' ' || id.ptr[i] > '~')
            return false;
    return true;
}

static enum sqs_fault sqs_blame(struct sqs_sent *out, enum sqs_fault fault,
                                const char *reason)
{
    out->reason = reason;
    return fault;
}

/* What a FIFO queue needs; a batch with an entry that lacks it is refused as a whole, by
 * InvalidParameterValue (recorded from AWS). */
static enum sqs_fault lacks_id(const struct sqs_queue *q, const struct sqs_outgoing *in,
                               struct sqs_sent *out)
{
    if (!in->group.len)
        return sqs_blame(out, SQS_MISSING_PARAMETER,
                         "The request must contain the parameter MessageGroupId.");
    if (!in->dedup.len && !q->settings.content_dedup)
        return sqs_blame(
            out, SQS_BAD_PARAMETER,
            "The queue should either have ContentBasedDeduplication enabled or "
            "MessageDeduplicationId provided explicitly");
    return SQS_OK;
}

static enum sqs_fault check_fifo(const struct sqs_queue *q, const struct sqs_outgoing *in,
                                 struct sqs_sent *out)
{
    if (!is_id(in->group))
        return sqs_blame(
            out, SQS_BAD_PARAMETER,
            "Value for parameter MessageGroupId is invalid. Reason: MessageGroupId "
            "can only include alphanumeric and punctuation characters. 1 to 128 in "
            "length.");
    if (!is_id(in->dedup))
        return sqs_blame(
            out, SQS_BAD_PARAMETER,
            "Value for parameter MessageDeduplicationId is invalid. Reason: "
            "MessageDeduplicationId can only include alphanumeric and punctuation "
            "characters. 1 to 128 in length.");
    if (!q->settings.fifo) {
        if (in->dedup.len)
            return sqs_blame(
                out, SQS_BAD_PARAMETER,
                "Value for parameter MessageDeduplicationId is invalid. Reason: The "
                "request include parameter that is not valid for this queue type.");
        return SQS_OK;
    }
    enum sqs_fault lack = lacks_id(q, in, out);
    if (lack != SQS_OK)
        return lack;
    if (in->delay_ns != SQS_DEFAULT && in->delay_ns != 0)
        return sqs_blame(
            out, SQS_BAD_PARAMETER,
            "Value for parameter DelaySeconds is invalid. Reason: The request "
            "include parameter that is not valid for this queue type.");
    return SQS_OK;
}

static enum sqs_fault check_entry(const struct sqs *s, const struct sqs_queue *q,
                                  const struct sqs_outgoing *in, int64_t bytes,
                                  struct sqs_sent *out)
{
    const struct sqs_params *p = &s->params;
    if (in->body.len == 0 && in->phantom_bytes == 0)
        return SQS_MISSING_PARAMETER;
    if (q->settings.message_bytes_max && bytes > q->settings.message_bytes_max)
        return SQS_TOO_LONG;
    if (in->delay_ns != SQS_DEFAULT &&
        (in->delay_ns < 0 ||
         in->delay_ns > (p->delay_max_ns ? p->delay_max_ns : SQS_LONGEST_NS)))
        return sqs_blame(
            out, SQS_BAD_PARAMETER,
            "Value for parameter DelaySeconds is invalid. Reason: DelaySeconds must "
            "be >= 0 and <= 900.");
    int attributes = 0;
    for (int i = 0; i < in->attribute_count; i++)
        attributes += !in->attribute[i].system;
    if (attributes > p->attributes_max)
        return sqs_blame(
            out, SQS_BAD_PARAMETER,
            "Number of message attributes exceeds the allowed maximum [10].");
    if (q->settings.fifo || in->group.len || in->dedup.len)
        return check_fifo(q, in, out);
    return SQS_OK;
}

/* Stands in for the hash of the body where the driver gives none: 128 bits, FNV-1a
 * and a mix of its steps. */
static struct jobq_str body_key(const struct sqs_outgoing *in, char out[33])
{
    uint64_t a = HASH_START, b = ~a;
    for (int64_t i = 0; i < in->body.len; i++) {
        a = hash_add(a, in->body.ptr + i, 1);
        b = (b ^ (a >> 32)) * UINT64_C(0x9e3779b97f4a7c15);
    }
    a ^= (uint64_t)in->phantom_bytes * UINT64_C(0x94d049bb133111eb);
    out[0] = '\x01'; /* which no client's id begins with */
    text_write_hex64(out + 1, a);
    text_write_hex64(out + 17, b);
    return (struct jobq_str){out, 33};
}

static uint64_t sqs_store(struct sqs *s, struct sqs_queue *q, int64_t now,
                          const struct sqs_outgoing *in)
{
    size_t extra = sqs_extra_bytes(in);
    uint32_t slot = sqs_slot_new(s);
    struct sqs_slot *m = &s->slot[slot];
    struct sqs_block *block = sqs_block_new(s, m->block, (size_t)in->body.len + extra);
    uint64_t id = s->next_id++;
    block->id = id;
    block->body_bytes = (uint32_t)in->body.len;
    block->phantom_bytes = (uint32_t)in->phantom_bytes;
    block->extra_bytes = (uint32_t)extra;
    block->first_ms = block->earlier_receives = 0;
    block->sent_serial = s->serial;
    block->source = 0;
    block->mark = in->mark;
    if (in->body.len)
        memcpy(block->data, in->body.ptr, (size_t)in->body.len);
    if (extra)
        sqs_extra_write(in, block->data + in->body.len);
    *m = (struct sqs_slot){.sent_at = now,
                           .block = block,
                           .large = sqs_block_is_large(block),
                           .queue = q->index};
    sqs_enter(s, q, slot);
    int64_t delay = in->delay_ns == SQS_DEFAULT || q->settings.fifo ? q->settings.delay_ns
                                                                    : in->delay_ns;
    if (delay > 0)
        sqs_hide(s, q, slot, SQS_DELAYED, now + delay, delay);
    else
        sqs_show(s, q, slot, SQS_REJOIN_END);
    q->stats.sent++;
    if (s->watch)
        sqs_tell(s, slot);
    return id;
}

static void send_fifo(struct sqs *s, struct sqs_queue *q, int64_t now,
                      const struct sqs_outgoing *in, struct sqs_sent *out)
{
    char buffer[33];
    struct jobq_str key = in->dedup.len ? in->dedup : body_key(in, buffer);
    out->id = sqs_dedup_find(s, q, in->group, key, now);
    if (out->id) {
        out->duplicate = true;
        q->stats.swallowed++;
        return;
    }
    out->id = sqs_store(s, q, now, in);
    sqs_dedup_add(s, q, in->group, key, out->id, now);
}

enum sqs_fault sqs_send(struct sqs *s, int64_t now_ns, int queue, bool batch,
                        const struct sqs_outgoing *in, int count, struct sqs_sent *out,
                        struct jobq_error *err)
{
    assert(in && out && err && count >= 0);
    struct sqs_queue *q = sqs_begin_queue(s, &now_ns, queue, err);
    if (!q)
        return SQS_NO_QUEUE;
    enum sqs_fault fault = sqs_check_count(count, err);
    if (fault != SQS_OK)
        return fault;
    int64_t bytes[SQS_BATCH_MAX], total = 0;
    for (int i = 0; i < count; i++)
        total += bytes[i] = counted_bytes(&in[i]);
    if (batch && s->params.batch_bytes_max && total > s->params.batch_bytes_max) {
        char text[128];
        snprintf(
            text, sizeof text,
            "Batch requests cannot be longer than %lld bytes. You have sent %lld bytes.",
            (long long)s->params.batch_bytes_max, (long long)total);
        return sqs_fail(err, SQS_BATCH_TOO_LONG, text);
    }
    if (!sqs_admit(s, q, now_ns, SQS_BUCKET_SEND))
        return sqs_fail(err, SQS_THROTTLED, NULL);
    for (int i = 0; batch && q->settings.fifo && i < count; i++)
        if (lacks_id(q, &in[i], &out[i]) != SQS_OK)
            return sqs_fail(err, SQS_BAD_PARAMETER, out[i].reason);
    for (int i = 0; i < count; i++) {
        out[i] = (struct sqs_sent){0};
        out[i].fault = check_entry(s, q, &in[i], bytes[i], &out[i]);
        if (out[i].fault != SQS_OK)
            continue;
        if (q->settings.fifo)
            send_fifo(s, q, now_ns, &in[i], &out[i]);
        else
            out[i].id = sqs_store(s, q, now_ns, &in[i]);
    }
    if (q->waiter_head)
        sqs_wake(s, q, now_ns);
    if (!batch && out[0].fault != SQS_OK) {
        char text[200];
        return sqs_fail(err, out[0].fault,
                        out[0].reason
                            ? out[0].reason
                            : sqs_entry_text(s, queue, out[0].fault, text, sizeof text));
    }
    return SQS_OK;
}

char *sqs_entry_text(const struct sqs *s, int queue, enum sqs_fault fault, char *out,
                     int cap)
{
    assert(out && cap > 0);
    const struct sqs_queue *q = sqs_queue_at(s, queue);
    if (fault == SQS_TOO_LONG && q)
        snprintf(
            out, (size_t)cap,
            "One or more parameters are invalid. Reason: Message must be shorter than "
            "%lld bytes.",
            (long long)q->settings.message_bytes_max);
    else
        snprintf(out, (size_t)cap, "%s", sqs_fault_info(fault)->text);
    return out;
}

/* ---- delete --------------------------------------------------------------------------------- */

static enum sqs_fault delete_one(struct sqs *s, struct sqs_queue *q,
                                 struct sqs_receipt receipt, double u, int index)
{
    uint32_t slot = sqs_slot_of(s, q, receipt);
    if (!slot) {
        q->stats.silent_deletes++;
        return SQS_OK;
    }
    if (q->settings.fifo && (s->slot[slot].flags & SQS_STATE_MASK) != SQS_IN_FLIGHT)
        return SQS_RECEIPT_EXPIRED;
    if (s->params.undelete_rate > 0.0 &&
        sqs_split(u, (uint32_t)index) < s->params.undelete_rate) {
        q->stats.undeleted++;
        return SQS_OK;
    }
    sqs_drop(s, q, slot);
    q->stats.deleted++;
    return SQS_OK;
}

enum sqs_fault sqs_delete(struct sqs *s, int64_t now_ns, double u, int queue,
                          const struct sqs_receipt *receipt, int count,
                          enum sqs_fault *result, struct jobq_error *err)
{
    assert(u > 0 && u < 1 && result && err && count >= 0);
    struct sqs_queue *q = sqs_begin_queue(s, &now_ns, queue, err);
    if (!q)
        return SQS_NO_QUEUE;
    enum sqs_fault fault = sqs_check_count(count, err);
    if (fault != SQS_OK)
        return fault;
    if (!sqs_admit(s, q, now_ns, SQS_BUCKET_DELETE))
        return sqs_fail(err, SQS_THROTTLED, NULL);
    for (int i = 0; i < count; i++)
        result[i] = delete_one(s, q, receipt[i], u, i);
    if (q->waiter_head) /* a FIFO group may be free again */
        sqs_wake(s, q, now_ns);
    return SQS_OK;
}

/* True: a receipt of an earlier receive of a message that is still there and has been
 * received again. Serials grow over all messages (and wrap), so those of a slot's earlier
 * message are not above the one at which this message was sent. */
static bool is_superseded(const struct sqs *s, const struct sqs_queue *q,
                          struct sqs_receipt receipt)
{
    uint32_t slot = (uint32_t)receipt.bits, serial = (uint32_t)(receipt.bits >> 32);
    if (slot == 0 || slot >= s->slot_used || serial == 0)
        return false;
    const struct sqs_slot *m = &s->slot[slot];
    return m->place != SQS_PLACE_NONE && m->queue == q->index &&
           (int32_t)(serial - m->block->sent_serial) > 0 &&
           (int32_t)(m->serial - serial) > 0;
}

/* ---- visibility ------------------------------------------------------------------------------- */

static enum sqs_fault change_one(struct sqs *s, struct sqs_queue *q,
                                 const struct sqs_change *change, int64_t now)
{
    const struct sqs_params *p = &s->params;
    int64_t hide = change->visibility_ns;
    if (hide < 0 || hide > (p->visibility_max_ns ? p->visibility_max_ns : SQS_LONGEST_NS))
        return SQS_BAD_PARAMETER;
    uint32_t slot = sqs_slot_of(s, q, change->receipt);
    struct sqs_slot *m = &s->slot[slot];
    /* The newest receipt of a message of a standard queue hides it again even when its
     * time had run out, as long as nobody else has received it. */
    bool owns =
        slot && (!q->settings.fifo || (m->flags & SQS_STATE_MASK) == SQS_IN_FLIGHT);
    if (!owns && !q->settings.fifo && !p->stale_change_fails &&
        is_superseded(s, q, change->receipt)) {
        q->stats.silent_changes++;
        return SQS_OK;
    }
    if (!owns)
        return SQS_NOT_AVAILABLE;
    if (p->visibility_total_max_ns &&
        now + hide - m->received_at > p->visibility_total_max_ns)
        return SQS_VISIBILITY_TOTAL;
    sqs_lift(s, q, slot);
    m->flags = 0;
    m->due_at = now;
    if (hide == 0)
        sqs_show(s, q, slot, SQS_REJOIN_BACK);
    else
        sqs_hide(s, q, slot, SQS_IN_FLIGHT, now + hide, hide);
    if (s->watch)
        sqs_tell(s, slot);
    return SQS_OK;
}

enum sqs_fault sqs_change_visibility(struct sqs *s, int64_t now_ns, int queue,
                                     const struct sqs_change *change, int count,
                                     enum sqs_fault *result, struct jobq_error *err)
{
    assert(change && result && err && count >= 0);
    struct sqs_queue *q = sqs_begin_queue(s, &now_ns, queue, err);
    if (!q)
        return SQS_NO_QUEUE;
    enum sqs_fault fault = sqs_check_count(count, err);
    if (fault != SQS_OK)
        return fault;
    if (!sqs_admit(s, q, now_ns, SQS_BUCKET_DELETE))
        return sqs_fail(err, SQS_THROTTLED, NULL);
    for (int i = 0; i < count; i++)
        result[i] = change_one(s, q, &change[i], now_ns);
    if (q->waiter_head)
        sqs_wake(s, q, now_ns);
    return SQS_OK;
}
