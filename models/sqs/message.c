/* message.c - where the SQS model keeps messages, and what is packed into one beside its
 * body.
 *
 * Room:     models, facts; of the SQS model alone.
 * Callers:  those of sqs.h; models/sqs.
 * Knows nothing of: queues, protocols.
 *
 * Blocks come in classes of size: steps of 16 bytes up to 512, then four steps a doubling
 * up to 64 KiB; larger ones are malloc's own. They are carved from chunks in turn and stay
 * with their slot, or in a free list a class if its next message is of another size. A
 * reset starts carving from the first chunk again, so that replications touch memory that
 * is already there.
 *
 * Packed beside the body: lengths of group and deduplication id (one byte each), number of
 * attributes (one byte), the two ids, then for each attribute: flags (1 binary, 2 system),
 * lengths of name, type (two bytes each) and value (four), little-endian, and their bytes.
 * Nothing at all when there is neither id nor attribute. */
#include "models/sqs/impl.h"

#include "base/arena.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum {
    FINE_STEP = 16,
    FINE_CLASSES = 32,                     /* up to 512 bytes */
    CARVED_CLASSES = FINE_CLASSES + 4 * 7, /* up to 64 KiB */
    LARGE = 255,
    SMALL_CHUNKS = 8
};

void sqs_slot_grow(struct sqs *s)
{
    size_t bytes = s->slot_cap * sizeof *s->slot;
    s->slot = xgrow_huge(s->slot, bytes, 2 * bytes);
    s->slot_cap *= 2;
}

uint32_t sqs_slot_new(struct sqs *s)
{
    uint32_t slot = s->slot_free;
    s->message_count++;
    if (slot) {
        s->slot_free = s->slot[slot].next;
        return slot;
    }
    if (s->slot_used == s->slot_cap) {
        sqs_slot_grow(s);
    }
    s->slot[s->slot_used].block = NULL;
    return s->slot_used++;
}

/* The class of a size, and the bytes that its blocks have. */
static int class_of(size_t bytes, size_t *out_bytes)
{
    if (bytes <= FINE_CLASSES * FINE_STEP) {
        size_t steps = (bytes + FINE_STEP - 1) / FINE_STEP;
        *out_bytes = steps * FINE_STEP;
        return (int)steps - 1;
    }
    int index = FINE_CLASSES;
    for (size_t base = FINE_CLASSES * FINE_STEP; index < CARVED_CLASSES; base *= 2)
        for (size_t quarter = 1; quarter <= 4; quarter++, index++)
            if (bytes <= base + quarter * (base / 4)) {
                *out_bytes = base + quarter * (base / 4);
                return index;
            }
    *out_bytes = bytes;
    return LARGE;
}

/* Small at first, so that a small queue takes little memory. */
static size_t chunk_bytes(uint32_t index)
{
    return index < SMALL_CHUNKS ? SQS_CHUNK_BYTES : 8 * SQS_CHUNK_BYTES;
}

static void *message_carve(struct sqs *s, size_t bytes)
{
    if (s->chunk_at == s->chunk_count ||
        s->chunk_used + bytes > chunk_bytes(s->chunk_at)) {
        if (s->chunk_at < s->chunk_count)
            s->chunk_at++;
        if (s->chunk_at == s->chunk_count) {
            if (s->chunk_count == s->chunk_cap) {
                s->chunk_cap = s->chunk_cap ? s->chunk_cap * 2 : 16;
                s->chunk = xrealloc(s->chunk, s->chunk_cap * sizeof *s->chunk);
            }
            s->chunk[s->chunk_count] = xmalloc_huge(chunk_bytes(s->chunk_count));
            s->chunk_count++;
        }
        s->chunk_used = 0;
    }
    void *at = s->chunk[s->chunk_at] + s->chunk_used;
    s->chunk_used += bytes;
    return at;
}

static void list_block(struct sqs *s, struct sqs_block *block)
{
    int class = block->size_class;
    memcpy(block, &s->block_free[class], sizeof(void *));
    s->block_free[class] = block;
}

struct sqs_block *sqs_block_new(struct sqs *s, struct sqs_block *left, size_t data_bytes)
{
    size_t bytes;
    int class = class_of(offsetof(struct sqs_block, data) + data_bytes, &bytes);
    if (left && left->size_class == class)
        return left;
    if (left)
        list_block(s, left);
    struct sqs_block *block;
    if (class == LARGE) {
        block = xmalloc(bytes);
        s->large_bytes += (int64_t)bytes;
    } else if (s->block_free[class]) {
        block = s->block_free[class];
        memcpy(&s->block_free[class], block, sizeof(void *));
    } else {
        block = message_carve(s, bytes);
    }
    block->size_class = (uint8_t) class;
    return block;
}

bool sqs_block_is_large(const struct sqs_block *block)
{
    return block->size_class == LARGE;
}

static void free_large(struct sqs *s, struct sqs_block *block)
{
    s->large_bytes -= (int64_t)(offsetof(struct sqs_block, data) + block->body_bytes +
                                block->extra_bytes);
    free(block);
}

void sqs_slot_free(struct sqs *s, uint32_t slot)
{
    struct sqs_slot *m = &s->slot[slot];
    if (m->large) {
        free_large(s, m->block);
        m->block = NULL;
    }
    m->place = SQS_PLACE_NONE;
    m->next = s->slot_free;
    s->slot_free = slot;
    s->message_count--;
}

void sqs_memory_reset(struct sqs *s)
{
    memset(s->block_free, 0, sizeof s->block_free);
    s->chunk_at = 0;
    s->chunk_used = 0;
    s->slot_used = 1;
    s->slot_free = 0;
    s->message_count = 0;
    if (!s->slot) {
        s->slot_cap = 256;
        s->slot = xmalloc(s->slot_cap * sizeof *s->slot);
        memset(&s->slot[0], 0, sizeof s->slot[0]);
    }
}

void sqs_memory_release(struct sqs *s)
{
    for (uint32_t i = 0; i < s->chunk_count; i++)
        free(s->chunk[i]);
    free(s->chunk);
    free(s->slot);
}

int64_t sqs_memory_bytes(const struct sqs *s)
{
    int64_t chunks = 0;
    for (uint32_t i = 0; i < s->chunk_count; i++)
        chunks += (int64_t)chunk_bytes(i);
    return (int64_t)sizeof *s + s->large_bytes + chunks +
           (int64_t)s->slot_cap * (int64_t)sizeof *s->slot +
           (int64_t)s->queue_count * (int64_t)sizeof(struct sqs_queue) +
           (int64_t)s->waiter_cap * (int64_t)sizeof *s->waiter +
           (int64_t)(s->groups.cap * s->groups.node_bytes) +
           (int64_t)(s->dedups.cap * s->dedups.node_bytes);
}

int64_t sqs_message_count(const struct sqs *s)
{
    return s->message_count;
}

/* ---- group, deduplication id and attributes, packed ------------------------------------ */

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

static char *message_put_number(char *out, int64_t value, int bytes)
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
    out = message_put_number(out, in->group.len, 1);
    out = message_put_number(out, in->dedup.len, 1);
    out = message_put_number(out, in->attribute_count, 1);
    out = put_bytes(put_bytes(out, in->group), in->dedup);
    for (int i = 0; i < in->attribute_count; i++) {
        const struct sqs_attribute *a = &in->attribute[i];
        out = message_put_number(out, (a->binary ? BINARY : 0) | (a->system ? SYSTEM : 0),
                                 1);
        out = message_put_number(out, a->name.len, 2);
        out = message_put_number(out, a->type.len, 2);
        out = message_put_number(out, a->value.len, 4);
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
