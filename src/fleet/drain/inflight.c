/* inflight.c - which messages does this process hold, and what keeps them?
 *
 * Room:     src/fleet, private to the drainer.
 * Blocks:   never.
 *
 * A steady drainer takes no new memory: batches and held messages are used again, last in,
 * first out, from the process's arena. */
#include "base/text.h"
#include "fleet/drain/parts.h"

#include <assert.h>
#include <string.h>

enum { TABLE_FIRST = 64, BATCH_BYTES = 2048, HELD_AT_ONCE = 16 };

struct drain_batch *batch_take(struct drainer *d)
{
    struct drain_batch *batch = d->unused_batch;
    if (batch) {
        d->unused_batch = batch->next;
        arena_reset(&batch->strings);
    } else {
        batch = arena_alloc(d->memory, sizeof *batch);
        arena_init_within(&batch->strings, d->memory, BATCH_BYTES);
    }
    batch->next = NULL;
    batch->users = 1;
    return batch;
}

void batch_put(struct drainer *d, struct drain_batch *batch)
{
    assert(batch->users > 0);
    if (--batch->users == 0) {
        batch->next = d->unused_batch;
        d->unused_batch = batch;
    }
}

/* ---- the table by message id --------------------------------------------------------- */

static uint64_t with_word(uint64_t h, const char *eight)
{
    uint64_t word;
    memcpy(&word, eight, 8);
    h = (h ^ word) * UINT64_C(0xff51afd7ed558ccd);
    return h ^ (h >> 32);
}

static uint64_t hash_of(struct jobq_str id)
{
    uint64_t h = (uint64_t)id.len * UINT64_C(0x9e3779b97f4a7c15);
    int64_t i = 0;
    if (id.len < 8) {
        for (; i < id.len; i++)
            h = (h ^ (unsigned char)id.ptr[i]) * UINT64_C(0x100000001b3);
        return h ^ (h >> 29);
    }
    for (; i + 8 < id.len; i += 8)
        h = with_word(h, id.ptr + i);
    h = with_word(h, id.ptr + id.len - 8); /* may overlap the one before */
    return h ^ (h >> 29);
}

static void grow_table(struct drainer *d)
{
    size_t size = d->table_size ? 2 * d->table_size : TABLE_FIRST;
    struct held **table = arena_zalloc(d->memory, size * sizeof(struct held *));
    for (size_t i = 0; i < d->table_size; i++)
        for (struct held *h = d->table[i], *next; h; h = next) {
            next = h->hash_next;
            h->hash_next = table[h->hash & (size - 1)];
            table[h->hash & (size - 1)] = h;
        }
    d->table = table;
    d->table_size = size;
}

static struct held *inflight_find(const struct drainer *d, struct jobq_str id,
                                  uint64_t hash)
{
    struct held *h = d->table_size ? d->table[hash & (d->table_size - 1)] : NULL;
    while (h && !(h->hash == hash && str_eq(h->message.id, id)))
        h = h->hash_next;
    return h;
}

static void unlink_from_table(struct held *h)
{
    struct drainer *d = h->d;
    struct held **at = &d->table[h->hash & (d->table_size - 1)];
    while (*at != h)
        at = &(*at)->hash_next;
    *at = h->hash_next;
}

/* ---- lists --------------------------------------------------------------------------- */

void held_push(struct held_list *list, struct held *h)
{
    h->next = NULL;
    if (list->last)
        list->last->next = h;
    else
        list->first = h;
    list->last = h;
    list->count++;
}

struct held *held_pop(struct held_list *list)
{
    struct held *h = list->first;
    if (!h)
        return NULL;
    list->first = h->next;
    if (!list->first)
        list->last = NULL;
    list->count--;
    h->next = NULL;
    return h;
}

void run_append(struct held *h)
{
    struct drainer *d = h->d;
    h->run_next = NULL;
    h->run_prev = d->run_last;
    if (d->run_last)
        d->run_last->run_next = h;
    else
        d->run_first = h;
    d->run_last = h;
}

void run_remove(struct held *h)
{
    struct drainer *d = h->d;
    if (h->run_prev)
        h->run_prev->run_next = h->run_next;
    else
        d->run_first = h->run_next;
    if (h->run_next)
        h->run_next->run_prev = h->run_prev;
    else
        d->run_last = h->run_prev;
}

void beat_soon(struct held *h)
{
    struct drainer *d = h->d;
    assert(!h->in_beat);
    h->in_beat = true;
    h->covered_at_ns = 0;
    h->beat_prev = NULL;
    h->beat_next = d->beat_first;
    if (d->beat_first)
        d->beat_first->beat_prev = h;
    else
        d->beat_last = h;
    d->beat_first = h;
    tick_by(d, 0);
}

void beat_append(struct held *h, int64_t covered_at_ns)
{
    struct drainer *d = h->d;
    assert(!h->in_beat);
    h->in_beat = true;
    h->covered_at_ns = covered_at_ns;
    h->beat_next = NULL;
    h->beat_prev = d->beat_last;
    if (d->beat_last) {
        d->beat_last->beat_next = h;
    } else {
        d->beat_first = h;
        tick_by(d, covered_at_ns + d->beat_interval_ns);
    }
    d->beat_last = h;
}

void beat_remove(struct held *h)
{
    struct drainer *d = h->d;
    if (!h->in_beat)
        return;
    h->in_beat = false;
    if (h->beat_prev)
        h->beat_prev->beat_next = h->beat_next;
    else
        d->beat_first = h->beat_next;
    if (h->beat_next)
        h->beat_next->beat_prev = h->beat_prev;
    else
        d->beat_last = h->beat_prev;
}

/* ---- taking in and letting go -------------------------------------------------------- */

static void adopt_receipt(struct held *h, struct drain_batch *batch,
                          const struct jobq_message *message, int64_t now_ns,
                          int64_t hidden_at_ns)
{
    batch_put(h->d, h->receipt_batch);
    batch->users++;
    h->receipt_batch = batch;
    h->message.receipt = message->receipt;
    h->message.receive_count = message->receive_count;
    h->received_at_ns = now_ns;
    h->at_limit = false;
    h->sure_until_ns = hidden_at_ns + h->d->visibility_ns;
    if (h->in_beat) {
        beat_remove(h);
        beat_append(h, now_ns);
    } else {
        h->covered_at_ns = now_ns;
    }
}

static void refill(struct drainer *d)
{
    struct held *first = arena_alloc(d->memory, HELD_AT_ONCE * sizeof(struct held));
    for (int i = HELD_AT_ONCE - 1; i >= 0; i--) {
        first[i].next = d->unused_held;
        d->unused_held = &first[i];
    }
}

static struct held *take(struct drainer *d)
{
    if (!d->unused_held)
        refill(d);
    struct held *h = d->unused_held;
    d->unused_held = h->next;
    return h;
}

void held_receive(struct drainer *d, struct drain_batch *batch,
                  const struct jobq_message *message, int64_t hidden_at_ns)
{
    int64_t now_ns = jobq_now(d->b);
    uint64_t hash = hash_of(message->id);
    struct held *h = inflight_find(d, message->id, hash);
    d->counters.received++;
    if (h) {
        d->counters.duplicates++;
        adopt_receipt(h, batch, message, now_ns, hidden_at_ns);
        return;
    }
    if ((size_t)d->held_count >= d->table_size)
        grow_table(d);
    h = take(d);
    *h = (struct held){
        .d = d,
        .place = HELD_BUFFERED,
        .hash = hash,
        .message = *message,
        .batch = batch,
        .receipt_batch = batch,
        .received_at_ns = now_ns,
        .sure_until_ns = hidden_at_ns + d->visibility_ns,
        .child = -1,
        .progress = -1,
        .progress_stored = -1,
        .hash_next = d->table[hash & (d->table_size - 1)],
    };
    batch->users += 2;
    d->table[hash & (d->table_size - 1)] = h;
    d->held_count++;
    beat_append(h, now_ns);
    held_push(&d->buffer, h);
}

static void reuse(struct held *h)
{
    struct drainer *d = h->d;
    batch_put(d, h->batch);
    batch_put(d, h->receipt_batch);
    h->next = d->unused_held;
    d->unused_held = h;
}

void held_release(struct held *h)
{
    assert(!h->released);
    beat_remove(h);
    unlink_from_table(h);
    h->d->held_count--;
    h->released = true;
    if (h->calls == 0)
        reuse(h);
}

void held_unpin(struct held *h)
{
    assert(h->calls > 0);
    if (--h->calls == 0 && h->released)
        reuse(h);
}

bool held_is_hidden(struct held *h)
{
    if (!h->lost && jobq_now(h->d->b) >= h->sure_until_ns)
        h->lost = "its visibility ran out before it could start";
    return !h->lost;
}
