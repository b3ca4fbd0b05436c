/* admin.h - the part of SQS that operators use: lists, tags, permissions, opaque
 * attributes, dead-letter sources, message-move tasks.
 *
 * Room:     models, facts; the same pure state machine as sqs.h.
 * Callers:  jobqmock, tests.
 * Knows nothing of: ARNs, URLs, JSON policies; those are the driver's. */
#ifndef JOBQ_MODELS_SQS_ADMIN_H
#define JOBQ_MODELS_SQS_ADMIN_H

#include "models/sqs/sqs.h"

/* The names that begin with prefix, in bytewise order, from the one after `after` (empty:
 * from the start). Returns how many handles were written to out, at most cap. */
int sqs_list(const struct sqs *s, struct jobq_str prefix, struct jobq_str after, int *out,
             int cap);
/* The queues whose redrive policy names this one, in order of name from the one after
 * `after`. */
int sqs_dead_letter_sources(const struct sqs *s, int queue, struct jobq_str after,
                            int *out, int cap);

/* ---- notes: named texts of a queue that the model only keeps ------------------------------ */

enum sqs_note_kind {
    SQS_NOTE_ATTRIBUTE, /* Policy, KmsMasterKeyId, SqsManagedSseEnabled and the like */
    SQS_NOTE_TAG        /* at most 50; key 1..128 bytes, value 0..256 */
};
struct sqs_note {
    enum sqs_note_kind kind;
    struct jobq_str name, value; /* the model's */
};
/* Sets or replaces one. Faults: NO_QUEUE, BAD_PARAMETER (a tag's limits). */
enum sqs_fault sqs_note_set(struct sqs *s, int queue, enum sqs_note_kind kind,
                            struct jobq_str name, struct jobq_str value,
                            struct jobq_error *err);
/* False: there was none. */
bool sqs_note_remove(struct sqs *s, int queue, enum sqs_note_kind kind,
                     struct jobq_str name);
/* NULL: there is none. Good until the queue's notes change. */
const struct sqs_note *sqs_note_find(const struct sqs *s, int queue,
                                     enum sqs_note_kind kind, struct jobq_str name);
/* The index-th of its kind, in order of name; NULL after the last. */
const struct sqs_note *sqs_note_at(const struct sqs *s, int queue,
                                   enum sqs_note_kind kind, int index);

/* ---- message-move tasks --------------------------------------------------------------------- */

/* FAILED: a queue of the task was deleted while it ran. */
enum sqs_move_status {
    SQS_MOVE_RUNNING,
    SQS_MOVE_COMPLETED,
    SQS_MOVE_CANCELLED,
    SQS_MOVE_FAILED
};

struct sqs_move {
    uint64_t id; /* 1 and up; the driver makes the task handle of it */
    int source;
    uint32_t source_uid;
    int destination; /* -1: back to where each message came from */
    char destination_name[SQS_NAME_MAX + 1]; /* stays when the queue goes; "" for -1 */
    double asked_per_s;                      /* 0: the caller named no rate */
    double per_s;                            /* 0: at once */
    enum sqs_move_status status;
    int64_t started_at_ns;
    int64_t moved, to_move; /* so far; visible when it was started */
};
/* For a driver that keeps them: the index-th task whose source is still there, oldest first;
 * NULL after the last. */
const struct sqs_move *sqs_move_at(const struct sqs *s, int index);
/* Puts a task back as sqs_move_at showed it, behind those that are there; its queues were
 * made anew. */
void sqs_move_restore(struct sqs *s, const struct sqs_move *saved);
/* Begins to move the visible messages of a dead-letter queue. per_s: 0 for the service's
 * own rate, else 1..500. Moved messages are new ones: id, time and receive count begin again.
 * Faults: NO_RESOURCE (no source or destination), BAD_PARAMETER (the source is no
 * dead-letter queue; a task is already running on it; the rate). */
enum sqs_fault sqs_move_start(struct sqs *s, int64_t now_ns, int source, int destination,
                              double per_s, uint64_t *out_id, struct jobq_error *err);
/* Faults: NO_RESOURCE: no such task, or not running. */
enum sqs_fault sqs_move_cancel(struct sqs *s, int64_t now_ns, uint64_t id,
                               int64_t *out_moved, struct jobq_error *err);
/* The tasks of a source, newest first, at most cap (AWS keeps 10). Brought up to now_ns. */
int sqs_move_list(struct sqs *s, int64_t now_ns, int source, struct sqs_move *out,
                  int cap);

#endif
