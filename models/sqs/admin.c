/* admin.c - lists, notes and message-move tasks of models/sqs/admin.h.
 *
 * Room:     models, facts; of the SQS model.
 * Callers:  those of models/sqs/admin.h.
 * Knows nothing of: ARNs, URLs, JSON policies.
 *
 * Sources: ListQueues, ListDeadLetterSourceQueues, TagQueue, StartMessageMoveTask,
 * CancelMessageMoveTask, ListMessageMoveTasks references, faults and what a deleted queue
 * does to a task as recorded from AWS (localstack's tests, 2024-04-30); redriven messages are new ones
 * with a new id and time (guide, dead-letter queue redrive). */
#include "models/sqs/admin.h"

#include "base/arena.h"
#include "base/text.h"
#include "models/sqs/impl.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { TAGS_MAX = 50, MOVES_KEPT = 64 };

static bool admin_has_prefix(struct jobq_str text, struct jobq_str prefix)
{
    return text.len >= prefix.len &&
           (prefix.len == 0 || memcmp(text.ptr, prefix.ptr, (size_t)prefix.len) == 0);
}

/* Position in by_name behind `after`, or of the first that may begin with prefix. */
static uint32_t start_of(const struct sqs *s, struct jobq_str prefix,
                         struct jobq_str after)
{
    uint32_t at = sqs_name_lower(s, prefix);
    if (after.len == 0)
        return at;
    uint32_t behind = sqs_name_lower(s, after);
    if (behind < s->name_count &&
        str_eq(sqs_name_of(s->queue[s->by_name[behind]]), after))
        behind++;
    return behind > at ? behind : at;
}

int sqs_list(const struct sqs *s, struct jobq_str prefix, struct jobq_str after, int *out,
             int cap)
{
    assert(out && cap >= 0);
    int count = 0;
    for (uint32_t at = start_of(s, prefix, after); at < s->name_count && count < cap;
         at++) {
        const struct sqs_queue *q = s->queue[s->by_name[at]];
        if (!admin_has_prefix(sqs_name_of(q), prefix))
            break;
        out[count++] = q->index;
    }
    return count;
}

int sqs_dead_letter_sources(const struct sqs *s, int queue, struct jobq_str after,
                            int *out, int cap)
{
    int count = 0;
    struct jobq_str all = {"", 0};
    for (uint32_t at = start_of(s, all, after); at < s->name_count && count < cap; at++) {
        const struct sqs_queue *q = s->queue[s->by_name[at]];
        if (q->settings.redrive_queue == queue)
            out[count++] = q->index;
    }
    return count;
}

/* ---- notes --------------------------------------------------------------------------------- */

/* Position of the first note of (kind, name) or behind it; *found says which. */
static int find_note(const struct sqs_queue *q, enum sqs_note_kind kind,
                     struct jobq_str name, bool *found)
{
    int at = 0;
    *found = false;
    for (; at < q->note_count; at++) {
        const struct sqs_note *note = &q->note[at];
        if (note->kind < kind)
            continue;
        int order = note->kind > kind ? 1 : str_cmp(note->name, name);
        *found = order == 0;
        if (order >= 0)
            break;
    }
    return at;
}

static void free_note(struct sqs_note *note)
{
    union {
        const char *read;
        char *owned;
    } name = {note->name.ptr};
    free(name.owned); /* the value lies behind it */
}

static struct sqs_note make_note(enum sqs_note_kind kind, struct jobq_str name,
                                 struct jobq_str value)
{
    char *copy = xmalloc((size_t)(name.len + value.len) + 2);
    if (name.len)
        memcpy(copy, name.ptr, (size_t)name.len);
    copy[name.len] = '\0';
    char *behind = copy + name.len + 1;
    if (value.len)
        memcpy(behind, value.ptr, (size_t)value.len);
    behind[value.len] = '\0';
    return (struct sqs_note){kind, {copy, name.len}, {behind, value.len}};
}

static int count_notes(const struct sqs_queue *q, enum sqs_note_kind kind)
{
    int count = 0;
    for (int i = 0; i < q->note_count; i++)
        count += q->note[i].kind == kind;
    return count;
}

enum sqs_fault sqs_note_set(struct sqs *s, int queue, enum sqs_note_kind kind,
                            struct jobq_str name, struct jobq_str value,
                            struct jobq_error *err)
{
    struct sqs_queue *q = sqs_queue_at(s, queue);
    if (!q)
        return sqs_fail(err, SQS_NO_QUEUE, NULL);
    bool found;
    int at = find_note(q, kind, name, &found);
    if (kind == SQS_NOTE_TAG) {
        if (name.len < 1 || name.len > 128 || value.len > 256)
            return sqs_fail(
                err, SQS_BAD_PARAMETER,
                "Tag keys must be between 1 and 128 characters in length, tag "
                "values at most 256.");
        if (!found && count_notes(q, kind) >= TAGS_MAX)
            return sqs_fail(err, SQS_BAD_PARAMETER, "Too many tags added for queue.");
    }
    struct sqs_note note = make_note(kind, name, value);
    if (found) {
        free_note(&q->note[at]);
        q->note[at] = note;
        return SQS_OK;
    }
    if (q->note_count == q->note_cap) {
        q->note_cap = q->note_cap ? q->note_cap * 2 : 8;
        q->note = xrealloc(q->note, (size_t)q->note_cap * sizeof *q->note);
    }
    memmove(&q->note[at + 1], &q->note[at],
            (size_t)(q->note_count - at) * sizeof *q->note);
    q->note[at] = note;
    q->note_count++;
    return SQS_OK;
}

bool sqs_note_remove(struct sqs *s, int queue, enum sqs_note_kind kind,
                     struct jobq_str name)
{
    struct sqs_queue *q = sqs_queue_at(s, queue);
    bool found = false;
    int at = q ? find_note(q, kind, name, &found) : 0;
    if (!found)
        return false;
    free_note(&q->note[at]);
    q->note_count--;
    memmove(&q->note[at], &q->note[at + 1],
            (size_t)(q->note_count - at) * sizeof *q->note);
    return true;
}

const struct sqs_note *sqs_note_find(const struct sqs *s, int queue,
                                     enum sqs_note_kind kind, struct jobq_str name)
{
    const struct sqs_queue *q = sqs_queue_at(s, queue);
    bool found = false;
    int at = q ? find_note(q, kind, name, &found) : 0;
    return found ? &q->note[at] : NULL;
}

const struct sqs_note *sqs_note_at(const struct sqs *s, int queue,
                                   enum sqs_note_kind kind, int index)
{
    const struct sqs_queue *q = sqs_queue_at(s, queue);
    for (int i = 0; q && i < q->note_count; i++)
        if (q->note[i].kind == kind && index-- == 0)
            return &q->note[i];
    return NULL;
}

/* ---- message-move tasks ------------------------------------------------------------------------ */

/* When the task moves its next message: the n-th one n / rate after the start. */
static int64_t move_at(const struct sqs_move *move)
{
    if (move->status != SQS_MOVE_RUNNING)
        return JOBQ_FOREVER;
    if (move->per_s <= 0.0)
        return move->started_at_ns;
    return move->started_at_ns +
           jobq_ns_from_seconds((double)(move->moved + 1) / move->per_s);
}

int64_t sqs_move_next_at(const struct sqs *s)
{
    int64_t at = JOBQ_FOREVER;
    for (int i = 0; i < s->move_count; i++) {
        int64_t next = move_at(&s->move[i]);
        at = next < at ? next : at;
    }
    return at;
}

static uint32_t first_visible(struct sqs *s, struct sqs_queue *q)
{
    if (!q->settings.fifo)
        return q->grouped ? sqs_fair_first(s, q) : q->ready.head;
    return q->group_head
               ? ((struct sqs_group *)sqs_keys_at(&s->groups, q->group_head))->head
               : 0;
}

/* Moves one message; false: there is none that can be moved. */
static bool move_one(struct sqs *s, struct sqs_move *move, int64_t now)
{
    struct sqs_queue *from = sqs_queue_at(s, move->source);
    if (!from || move->moved >= move->to_move)
        return false;
    sqs_settle(s, from, now);
    uint32_t slot = first_visible(s, from);
    if (!slot)
        return false;
    int to = move->destination < 0 ? s->slot[slot].block->source - 1 : move->destination;
    struct sqs_queue *target = sqs_queue_at(s, to);
    if (!target || target == from || target->settings.fifo != from->settings.fifo)
        return false;
    sqs_move_to(s, from, target, slot, true);
    move->moved++;
    sqs_settle(s, target, now);
    sqs_wake(s, target, now);
    return true;
}

void sqs_move_step(struct sqs *s, int64_t now)
{
    for (int i = 0; i < s->move_count; i++)
        while (move_at(&s->move[i]) <= now)
            if (!move_one(s, &s->move[i], now))
                s->move[i].status = SQS_MOVE_COMPLETED;
}

void sqs_move_orphan(struct sqs *s, const struct sqs_queue *q)
{
    for (int i = 0; i < s->move_count; i++) {
        struct sqs_move *move = &s->move[i];
        if (move->status == SQS_MOVE_RUNNING &&
            (move->source == q->index || move->destination == q->index))
            move->status = SQS_MOVE_FAILED;
    }
}

static struct sqs_move *new_move(struct sqs *s)
{
    if (s->move_count == MOVES_KEPT) {
        /* The oldest that has ended; there is one, as a source has at most one running. */
        int at = 0;
        while (at < s->move_count - 1 && s->move[at].status == SQS_MOVE_RUNNING)
            at++;
        s->move_count--;
        memmove(&s->move[at], &s->move[at + 1],
                (size_t)(s->move_count - at) * sizeof *s->move);
    }
    if (s->move_count == s->move_cap) {
        s->move_cap = s->move_cap ? s->move_cap * 2 : 4;
        s->move = xrealloc(s->move, (size_t)s->move_cap * sizeof *s->move);
    }
    return &s->move[s->move_count++];
}

enum sqs_fault sqs_move_start(struct sqs *s, int64_t now_ns, int source, int destination,
                              double per_s, uint64_t *out_id, struct jobq_error *err)
{
    assert(out_id && err);
    now_ns = sqs_begin(s, now_ns);
    struct sqs_queue *from = sqs_queue_at(s, source);
    if (!from || (destination >= 0 && !sqs_queue_at(s, destination)))
        return sqs_fail(err, SQS_NO_RESOURCE, NULL);
    sqs_settle(s, from, now_ns);
    int any;
    if (sqs_dead_letter_sources(s, source, (struct jobq_str){"", 0}, &any, 1) == 0)
        return sqs_fail(err, SQS_BAD_PARAMETER,
                        "Source queue must be configured as a Dead Letter Queue.");
    if (destination == source)
        return sqs_fail(err, SQS_BAD_PARAMETER,
                        "Source and destination queue cannot be the same.");
    if (!(per_s >= 0.0 && per_s <= 500.0))
        return sqs_fail(err, SQS_BAD_PARAMETER,
                        "Value for parameter MaxNumberOfMessagesPerSecond is invalid. "
                        "Reason: Must be between 1 and 500, if provided.");
    uint64_t id = 1;
    for (int i = 0; i < s->move_count; i++) {
        id = s->move[i].id + 1;
        if (s->move[i].source == source && s->move[i].status == SQS_MOVE_RUNNING)
            return sqs_fail(err, SQS_BAD_PARAMETER,
                            "There is already a task running. Only one active task is "
                            "allowed for a source queue arn at a given time.");
    }
    struct sqs_move *move = new_move(s);
    *move = (struct sqs_move){.id = id,
                              .source = source,
                              .source_uid = from->uid,
                              .destination = destination < 0 ? -1 : destination,
                              .asked_per_s = per_s,
                              .per_s = per_s > 0.0 ? per_s : s->params.move_per_s,
                              .status = SQS_MOVE_RUNNING,
                              .started_at_ns = now_ns,
                              .to_move = from->visible};
    if (destination >= 0)
        strcpy(move->destination_name, sqs_queue_at(s, destination)->name);
    *out_id = id;
    sqs_move_step(s, now_ns);
    return SQS_OK;
}

enum sqs_fault sqs_move_cancel(struct sqs *s, int64_t now_ns, uint64_t id,
                               int64_t *out_moved, struct jobq_error *err)
{
    sqs_begin(s, now_ns);
    for (int i = 0; i < s->move_count; i++) {
        struct sqs_move *move = &s->move[i];
        if (move->id != id || move->status != SQS_MOVE_RUNNING)
            continue;
        move->status = SQS_MOVE_CANCELLED;
        *out_moved = move->moved;
        return SQS_OK;
    }
    return sqs_fail(err, SQS_NO_RESOURCE, "Task does not exist.");
}

int sqs_move_list(struct sqs *s, int64_t now_ns, int source, struct sqs_move *out,
                  int cap)
{
    assert(out && cap >= 0);
    sqs_begin(s, now_ns);
    const struct sqs_queue *q = sqs_queue_at(s, source);
    int count = 0;
    for (int i = s->move_count - 1; q && i >= 0 && count < cap; i--)
        if (s->move[i].source == source && s->move[i].source_uid == q->uid)
            out[count++] = s->move[i];
    return count;
}

const struct sqs_move *sqs_move_at(const struct sqs *s, int index)
{
    for (int i = 0; i < s->move_count; i++) {
        const struct sqs_queue *q = sqs_queue_at(s, s->move[i].source);
        if (q && q->uid == s->move[i].source_uid && index-- == 0)
            return &s->move[i];
    }
    return NULL;
}

void sqs_move_restore(struct sqs *s, const struct sqs_move *saved)
{
    const struct sqs_queue *q = sqs_queue_at(s, saved->source);
    if (!q)
        return;
    struct sqs_move *move = new_move(s);
    *move = *saved;
    move->source_uid = q->uid;
}
