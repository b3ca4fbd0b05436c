/* enqueuer.h - puts jobs on a queue: rows first, messages second.
 *
 * Room:     src/fleet, the product.
 * Callers:  the worlds' client processes (sim's arrivals, jobq enqueue, libjobq).
 * Knows nothing of: what runs the jobs.
 * Blocks:   at port calls.
 *
 * Any number of fibers may call one enqueuer. What they bring is taken in order of
 * arrival, as many together as one call carries and no more than are there: nobody waits
 * for a batch to fill. Up to `pipeline` such batches are under way at once; with 1 the
 * order of calls is the order of sends. A calling fiber does the work itself; only a list
 * longer than a batch starts helpers.
 *
 * A job is acknowledged when its message is sent. After a crash between row and message
 * the journal (enqueuer_recover) or, without one, the drainers' housekeeping sends what is
 * missing; a message sent twice is harmless, because a row is claimed once. A job with a key may
 * simply be enqueued again (keyed.c). */
#ifndef JOBQ_FLEET_ENQUEUE_ENQUEUER_H
#define JOBQ_FLEET_ENQUEUE_ENQUEUER_H

#include "fleet/job/job.h"
#include "jobq/ports.h"

#include <stdbool.h>

struct enqueuer;

enum enqueuer_payload_in {
    ENQUEUER_AUTO,       /* in the message when it fits, always in the row */
    ENQUEUER_IN_MESSAGE, /* refused when it does not fit */
    ENQUEUER_IN_STORE    /* in the row only: the drainer pays a read a job */
};

/* Where a client notes what it began, to be whole after a crash. Records are lines
 * without newline: "b ID TAG" (row may be written), "s ID TAG" (message sent), "x ID TAG"
 * (given up, no row, no message). */
struct enqueuer_journal {
    void *ctx;
    /* Append count records and make them last; one call (one fsync) a batch.
     * Blocks: as the world's files do. */
    int (*append)(void *ctx, const struct jobq_str *record, int count,
                  struct jobq_error *err);
    /* Call each(each_ctx, record) for every record in order, until it returns
     * non-zero. */
    int (*load)(void *ctx, int (*each)(void *each_ctx, struct jobq_str record),
                void *each_ctx, struct jobq_error *err);
};

/* One record of a journal, read. */
struct enqueuer_record {
    char what; /* 'b', 's' or 'x' */
    struct jobq_str id;
    int64_t tag;
};
/* False: no record, or one that a crash has torn. Owner: out->id lies in the record. */
bool enqueuer_record_read(struct jobq_str record, struct enqueuer_record *out);

struct enqueuer_options {
    const char *queue;     /* name, checked by job_queue_name_check */
    int64_t visibility_ns; /* 1 s..12 h, set as the queue's attribute; < 0: leave the
                              queue's own (30 s for a new queue) */
    int shards;            /* a day, 1..250; 0: 4. Not used with a NULL backend->store */
    enum job_rows rows;
    enum enqueuer_payload_in payload_in;
    int64_t message_max_bytes; /* the era's limit of a message and of a batch; 0: 1 MiB */
    int batch;    /* 1: one put and one send a job; 10 (0): rows by 25, messages by 10;
                     between: both at most so many */
    int pipeline; /* batches under way at once, 1..1024; 0: 1 */
    int max_receive_count; /* redrive by SQS itself, above the drainers' attempt limit;
                              0: 50; -1: no dead-letter queue */
    int64_t retention_ns;  /* of a new queue, 60 s..14 d; 0: 14 d */
    int64_t keep_ns;       /* of rows, from the end of their day; 0: 21 d */
    int64_t retry_for_ns;  /* how long a call is tried again; 0: 2 min */
    int64_t longest_ns;    /* sleeps of so long are refused, for no drainer can end them;
                              0: 12 h; JOBQ_FOREVER: none is */
    bool create;           /* make queue, dead-letter queue and tables when missing; else
                              NOT_FOUND */
    const struct enqueuer_journal *journal; /* NULL: none; outlives the enqueuer */
};
/* All defaults, create set. */
struct enqueuer_options enqueuer_defaults(const char *queue);

/* Opens or creates queue and dead-letter queue (one to four requests). Tables are
 * made when a row is first refused for want of one, once a process: one that adds to
 * an existing day pays nothing for it, but a process's first put into each table goes
 * alone. When the account has no room for a table, days past keep_ns are dropped
 * first, once an hour at most and only where no drainer has kept house for a day.
 * Returns: JOBQ_OK; INVALID, LIMIT: an option; or the port's
 * error. Owner: the process b->proc; nothing to free. */
int enqueuer_new(struct jobq_backend *b, const struct enqueuer_options *options,
                 struct enqueuer **out, struct jobq_error *err);

/* Makes the day's tables now (a request each), tried again without end, for who knows that
 * they are missing. */
int enqueuer_make_tables(struct enqueuer *e, struct jobq_error *err);

/* One job of a list, in and out. */
struct enqueuer_job {
    const struct job_pair *pair; /* kind, seconds, n and payload */
    struct jobq_str key; /* {NULL, 0}: none; else 1..JOB_KEY_BYTES_MAX of any bytes: of
                                    the jobs of a queue that have it, one is enqueued, and
                                    all get its id, for the queue's retention. Needs rows at
                                    the claim. Bill: one write, and one more because its row
                                    travels alone; for who finds it taken one refused write
                                    and two reads */
    struct job_limits limits; /* in place of its drainer's */
    int64_t delay_ns;         /* 0..15 min before it may be received */
    int64_t tag;              /* the caller's, kept in the journal (a line number) */
    int pair_count;
    int code; /* out: JOBQ_OK; INVALID, LIMIT: refused, nothing written;
                 otherwise: not acknowledged, and may have been written */
    int id_bytes;
    char id[JOB_ID_MAX + 1]; /* out: its id, or "" when refused before one was given */
};

/* One job; its id at id_out (JOB_ID_MAX + 1 bytes). Returns: JOBQ_OK; INVALID, LIMIT:
 * refused, the text names the limit, no row; else not acknowledged: enqueuing it again
 * may run it twice, enqueuer_recover does not. */
int enqueuer_add(struct enqueuer *e, const struct job_pair *pair, int pair_count,
                 char *id_out, struct jobq_error *err);
/* Many jobs, which stay the caller's. Returns: how many were acknowledged; each job's
 * code says which, err the first failure's text (if the return is less than count). */
int64_t enqueuer_add_many(struct enqueuer *e, struct enqueuer_job *job, int64_t count,
                          struct jobq_error *err);

/* Reads the journal and sends what was begun and not sent, if its row is there and still
 * queued. done(ctx, tag) is called for each tag whose job need not be enqueued again.
 * Returns: how many messages were sent; CORRUPT: a row cannot be read, which err names, and
 * stays in the journal; all others were recovered. */
int64_t enqueuer_recover(struct enqueuer *e, void (*done)(void *ctx, int64_t tag),
                         void *ctx, struct jobq_error *err);

struct enqueuer_counters {
    int64_t added, refused, failed; /* jobs */
    int64_t row_calls, send_calls;
    int64_t retries;
    int64_t unreadable;    /* rows that no recovery could read */
    int64_t payload_bytes; /* encoded, phantom ones included */
};
struct enqueuer_counters enqueuer_counters(const struct enqueuer *e);
/* Handles of the port, for who wants depth or depth of the dead: -1 if there is none. */
int enqueuer_queue(const struct enqueuer *e);
int enqueuer_dead_queue(const struct enqueuer *e);

#endif
