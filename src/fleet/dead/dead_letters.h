/* dead_letters.h - the dead-letter queue: what is in it, and how it gets another chance.
 *
 * Room:     src/fleet, the product.
 * Callers:  jobq dlq, the sim's end of a run.
 * Blocks:   at port calls. */
#ifndef JOBQ_FLEET_DEAD_DEAD_LETTERS_H
#define JOBQ_FLEET_DEAD_DEAD_LETTERS_H

#include "fleet/job/job.h"
#include "jobq/ports.h"

struct dead_letter {
    struct jobq_str job_id; /* "-": the message is no job */
    enum jobq_work_kind kind;
    int64_t sent_wall_ns; /* to the dead-letter queue */
    struct jobq_str message_id;
    int64_t body_bytes;
    enum job_state state; /* of the row; JOB_DEAD without a store */
    bool row_exists;
    bool row_unreadable; /* then state says nothing; a redrive leaves the letter */
    bool sent;           /* by a redrive, to the queue again */
};
/* Strings die with the call. Non-zero ends the scan. */
typedef int dead_letter_fn(void *ctx, const struct dead_letter *letter);

/* Shows each letter once and leaves all where they are (hidden for a minute, then made
 * visible again). Rows of messages that SQS moved there by itself, after too many receives,
 * are marked dead on the way. each may be NULL: only mark. Requests: one receive and one
 * visibility change per 10 letters, with a store one read a letter (1.3 micro-dollars), one
 * put for each that is marked. Returns how many letters were seen; NOT_FOUND: no such
 * queue. */
int64_t dead_scan(struct jobq_backend *b, const char *queue, dead_letter_fn *each,
                  void *ctx, struct jobq_error *err);

/* How many letters are hidden just now, by another look or by a redrive under way: a scan
 * cannot see them. Approximate, as the service's counts are. One request, and one to open. */
int64_t dead_hidden(struct jobq_backend *b, const char *queue, struct jobq_error *err);

/* Sends up to max letters (JOBQ_FOREVER: all) to the queue again: the row becomes queued with
 * its attempts forgotten, the message is sent, the letter deleted; in this order, so that a
 * crash repeats a step and loses none. Letters whose job has ended well or was cancelled are
 * deleted only; those that are no job, or whose row cannot be read, stay, and so do those of
 * jobs that this call has sent and that are dead again. each (may be NULL)
 * is called for every letter when it is finished: sent, or not, and then why by its
 * state, job_id and row_unreadable. Returns how many were sent. */
int64_t dead_redrive(struct jobq_backend *b, const char *queue, int64_t max,
                     dead_letter_fn *each, void *ctx, struct jobq_error *err);

/* One job by its id: a failed one is sent again now, a dead one is queued with its attempts
 * forgotten and sent; its letter is left for a redrive to delete. Requests: a read, a write
 * for a dead one, a send, and one to open the queue. NOT_FOUND; CONFLICT: it is in another
 * state; INVALID: no id of this queue. */
int dead_retry(struct jobq_backend *b, const char *queue, struct jobq_str id,
               struct jobq_error *err);

#endif
