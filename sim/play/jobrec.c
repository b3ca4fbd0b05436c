/* jobrec.c - the table of jobs, by id. See jobrec.h.
 *
 * Room:     sim. */
#include "sim/play/jobrec.h"

#include "base/arena.h"

#include <stdlib.h>
#include <string.h>

/* The last 24 characters of an id (fleet/job.h): 13 of time and counter, 5 of day and shard,
 * 6 of the process, base 32. The counter ends up in the low bits; above them the process is
 * spread over the time, for many clients of a run may name a job in the same millisecond. */
static uint64_t key_of(struct jobq_str id)
{
    if (id.len < 24)
        return 0;
    const char *p = id.ptr + id.len - 24;
    uint64_t key = 0, process;
    for (int i = 0; i < 13; i++) /* any 24 characters are some key */
        key = key << 5 | ((uint64_t)(p[i] <= '9' ? p[i] - '0' : p[i] - 'a' + 10) & 31);
    memcpy(&process, p + 16, sizeof process);
    return key ^ (process * UINT64_C(0x9e3779b97f4a7c15) & ~UINT64_C(0xfffff));
}

void jobrec_reset(struct jobrec_table *t, int64_t expected, bool keep_ids)
{
    int64_t slots = 1024;
    while (slots < 2 * expected)
        slots *= 2;
    if (slots > t->slot_cap) {
        free(t->slot);
        t->slot = xmalloc_huge((size_t)slots * sizeof *t->slot);
        t->slot_cap = slots;
    }
    memset(t->slot, 0xff, (size_t)t->slot_cap * sizeof *t->slot);
    t->count = 0;
    t->keep_ids = keep_ids;
}

void jobrec_release(struct jobrec_table *t)
{
    free(t->rec);
    free(t->slot);
    free(t->id);
    *t = (struct jobrec_table){0};
}

static int32_t *slot_of(const struct jobrec_table *t, uint64_t key)
{
    uint64_t mask = (uint64_t)t->slot_cap - 1;
    for (uint64_t at = key & mask;; at = (at + 1) & mask)
        if (t->slot[at] < 0 || t->rec[t->slot[at]].key == key)
            return &t->slot[at];
}

static void grow(struct jobrec_table *t)
{
    t->slot_cap *= 2;
    t->slot = xrealloc(t->slot, (size_t)t->slot_cap * sizeof *t->slot);
    memset(t->slot, 0xff, (size_t)t->slot_cap * sizeof *t->slot);
    for (int64_t i = 0; i < t->count; i++)
        *slot_of(t, t->rec[i].key) = (int32_t)i;
}

struct jobrec *jobrec_find(struct jobrec_table *t, struct jobq_str id)
{
    int32_t at = *slot_of(t, key_of(id));
    return at < 0 ? NULL : &t->rec[at];
}

/* Of the newest record. */
static void keep_id(struct jobrec_table *t, struct jobq_str id)
{
    if (t->count > t->id_cap) {
        t->id_cap = t->cap;
        t->id = xrealloc(t->id, (size_t)t->id_cap * sizeof *t->id);
    }
    char *to = t->id[t->count - 1];
    size_t len = id.len < JOBREC_ID_BYTES ? (size_t)id.len : JOBREC_ID_BYTES - 1;
    memcpy(to, id.ptr, len);
    to[len] = '\0';
}

/* Adds a record; *slot is where its key belongs. */
static struct jobrec *add(struct jobrec_table *t, uint64_t key, int32_t *slot)
{
    if (2 * (t->count + 1) > t->slot_cap) {
        grow(t);
        slot = slot_of(t, key);
    }
    if (t->count == t->cap) {
        int64_t cap = t->cap ? 2 * t->cap : 1024;
        t->rec = xgrow_huge(t->rec, (size_t)t->cap * sizeof *t->rec,
                            (size_t)cap * sizeof *t->rec);
        t->cap = cap;
    }
    *slot = (int32_t)t->count;
    struct jobrec *rec = &t->rec[t->count++];
    *rec = (struct jobrec){.key = key,
                           .enqueued_at_ns = -1,
                           .started_at_ns = -1,
                           .ended_at_ns = -1,
                           .index = -1,
                           .box = -1};
    return rec;
}

struct jobrec *jobrec_of(struct jobrec_table *t, struct jobq_str id)
{
    uint64_t key = key_of(id);
    int32_t *slot = slot_of(t, key);
    if (*slot >= 0)
        return &t->rec[*slot];
    struct jobrec *rec = add(t, key, slot);
    if (t->keep_ids)
        keep_id(t, id);
    return rec;
}

const char *jobrec_state_name(enum jobrec_state state)
{
    static const char *const names[] = {"queued", "done", "dead", "cancelled", "expired"};
    return names[state];
}
