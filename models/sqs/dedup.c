/* dedup.c - the deduplication ids that FIFO queues remember.
 *
 * Room:     models, facts; of the SQS model alone.
 * Callers:  models/sqs.
 * Knows nothing of: messages beyond their ids.
 *
 * Source: SQS developer guide, exactly-once processing (5 minutes). The scope is the one that
 * the queue was made with: a DeduplicationScope that is changed later is shown and has no
 * effect (recorded from AWS: localstack's tests). */
#include "models/sqs/impl.h"

#include "base/arena.h"

#include <stdlib.h>
#include <string.h>

static struct sqs_dedup *dedup_at(const struct sqs *s, uint32_t index)
{
    return sqs_keys_at(&s->dedups, index);
}

static void dedup_forget(struct sqs *s, int64_t now)
{
    while (s->dedup_head &&
           dedup_at(s, s->dedup_head)->at <= now - s->params.dedup_window_ns) {
        uint32_t next = dedup_at(s, s->dedup_head)->newer;
        sqs_keys_remove(&s->dedups, s->dedup_head);
        s->dedup_head = next;
    }
    if (!s->dedup_head)
        s->dedup_tail = 0;
}

static struct jobq_str scope_of(const struct sqs_queue *q, struct jobq_str group)
{
    return q->dedup_by_group ? group : (struct jobq_str){"", 0};
}

uint64_t sqs_dedup_find(struct sqs *s, const struct sqs_queue *q, struct jobq_str group,
                        struct jobq_str dedup, int64_t now)
{
    dedup_forget(s, now);
    uint32_t at = sqs_keys_find(&s->dedups, q->uid, scope_of(q, group), dedup);
    return at ? dedup_at(s, at)->id : 0;
}

void sqs_dedup_purge(struct sqs *s, const struct sqs_queue *q)
{
    uint32_t *link = &s->dedup_head, last = 0;
    while (*link) {
        uint32_t at = *link;
        if (dedup_at(s, at)->key.scope == q->uid) {
            *link = dedup_at(s, at)->newer;
            sqs_keys_remove(&s->dedups, at);
        } else {
            last = at;
            link = &dedup_at(s, at)->newer;
        }
    }
    s->dedup_tail = last;
}

void sqs_dedup_add(struct sqs *s, const struct sqs_queue *q, struct jobq_str group,
                   struct jobq_str dedup, uint64_t id, int64_t at)
{
    uint32_t index = sqs_keys_add(&s->dedups, q->uid, scope_of(q, group), dedup);
    struct sqs_dedup *entry = dedup_at(s, index);
    entry->id = id;
    entry->at = at;
    *(s->dedup_tail ? &dedup_at(s, s->dedup_tail)->newer : &s->dedup_head) = index;
    s->dedup_tail = index;
}

struct dedup_order {
    int64_t at;
    uint32_t index;
};

static int by_time(const void *a, const void *b)
{
    const struct dedup_order *x = a, *y = b;
    if (x->at != y->at)
        return x->at < y->at ? -1 : 1;
    return (x->index > y->index) - (x->index < y->index);
}

void sqs_dedup_sort(struct sqs *s)
{
    struct dedup_order *order = xmalloc(((size_t)s->dedups.count + 1) * sizeof *order);
    size_t count = 0;
    for (uint32_t at = s->dedup_head; at; at = dedup_at(s, at)->newer)
        order[count++] = (struct dedup_order){dedup_at(s, at)->at, at};
    qsort(order, count, sizeof *order, by_time);
    s->dedup_head = s->dedup_tail = 0;
    for (size_t i = 0; i < count; i++) {
        uint32_t index = order[i].index;
        dedup_at(s, index)->newer = 0;
        *(s->dedup_tail ? &dedup_at(s, s->dedup_tail)->newer : &s->dedup_head) = index;
        s->dedup_tail = index;
    }
    free(order);
}
