/* extra.c - what a message carries beside its body, packed; and the ids that a FIFO
 * queue remembers.
 *
 * Room:     models, facts; of the SQS model.
 * Callers:  those of sqs.h.
 * Knows nothing of: protocols.
 *
 * Packed: lengths of group and deduplication id (one byte each), number of attributes (one
 * byte), the two ids, then for each attribute: flags (1 binary, 2 system), lengths of name,
 * type (two bytes each) and value (four), little-endian, and their bytes. Nothing at all
 * when there is neither id nor attribute. */
#include "models/sqs/impl.h"

#include "base/arena.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { HEAD_BYTES = 3, ATTRIBUTE_BYTES = 9, BINARY = 1, SYSTEM = 2 };

size_t sqs_extra_bytes(const struct sqs_outgoing *in)
{
    if (!in->group.len && !in->dedup.len && !in->attribute_count)
        return 0;
    int64_t bytes = HEAD_BYTES + in->group.len + in->dedup.len;
    for (int i = 0; i < in->attribute_count; i++)
        bytes += ATTRIBUTE_BYTES + in->attribute[i].name.len + in->attribute[i].type.len +
                 in->attribute[i].value.len;
    return (size_t)bytes;
}

static char *put_number(char *out, int64_t value, int bytes)
{
    for (int i = 0; i < bytes; i++)
        *out++ = (char)(unsigned char)((uint64_t)value >> (8 * i));
    return out;
}

static char *put_bytes(char *out, struct jobq_str s)
{
    if (s.len)
        memcpy(out, s.ptr, (size_t)s.len);
    return out + s.len;
}

void sqs_extra_write(const struct sqs_outgoing *in, char *out)
{
    assert(in->group.len <= SQS_ID_MAX && in->dedup.len <= SQS_ID_MAX);
    out = put_number(out, in->group.len, 1);
    out = put_number(out, in->dedup.len, 1);
    out = put_number(out, in->attribute_count, 1);
    out = put_bytes(put_bytes(out, in->group), in->dedup);
    for (int i = 0; i < in->attribute_count; i++) {
        const struct sqs_attribute *a = &in->attribute[i];
        out = put_number(out, (a->binary ? BINARY : 0) | (a->system ? SYSTEM : 0), 1);
        out = put_number(out, a->name.len, 2);
        out = put_number(out, a->type.len, 2);
        out = put_number(out, a->value.len, 4);
        out = put_bytes(put_bytes(put_bytes(out, a->name), a->type), a->value);
    }
}

static int64_t get_number(const char *in, int bytes)
{
    uint64_t value = 0;
    for (int i = 0; i < bytes; i++)
        value |= (uint64_t)(unsigned char)in[i] << (8 * i);
    return (int64_t)value;
}

void sqs_extra_read(struct jobq_str extra, struct sqs_extra *out)
{
    *out = (struct sqs_extra){{"", 0}, {"", 0}, 0};
    if (extra.len < HEAD_BYTES)
        return;
    const char *at = extra.ptr + HEAD_BYTES;
    out->group = (struct jobq_str){at, get_number(extra.ptr, 1)};
    out->dedup = (struct jobq_str){at + out->group.len, get_number(extra.ptr + 1, 1)};
    out->attribute_count = (int)get_number(extra.ptr + 2, 1);
}

void sqs_extra_attribute(struct jobq_str extra, int index, struct sqs_attribute *out)
{
    struct sqs_extra head;
    sqs_extra_read(extra, &head);
    assert(index >= 0 && index < head.attribute_count);
    const char *at = head.dedup.ptr + head.dedup.len;
    for (int i = 0;; i++) {
        int64_t flags = get_number(at, 1), name = get_number(at + 1, 2);
        int64_t type = get_number(at + 3, 2), value = get_number(at + 5, 4);
        at += ATTRIBUTE_BYTES;
        if (i == index) {
            out->binary = (flags & BINARY) != 0;
            out->system = (flags & SYSTEM) != 0;
            out->name = (struct jobq_str){at, name};
            out->type = (struct jobq_str){at + name, type};
            out->value = (struct jobq_str){at + name + type, value};
            return;
        }
        at += name + type + value;
    }
}

/* ---- deduplication ------------------------------------------------------------------------ */

static struct sqs_dedup *dedup_at(const struct sqs *s, uint32_t index)
{
    return sqs_keys_at(&s->dedups, index);
}

static void forget(struct sqs *s, int64_t now)
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
    return q->settings.dedup_by_group ? group : (struct jobq_str){"", 0};
}

uint64_t sqs_dedup_find(struct sqs *s, const struct sqs_queue *q, struct jobq_str group,
                        struct jobq_str dedup, int64_t now)
{
    forget(s, now);
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
