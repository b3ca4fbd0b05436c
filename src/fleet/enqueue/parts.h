/* parts.h - what the enqueuer's files share.
 *
 * Room:     src/fleet, private to enqueuer.c, batch.c, keyed.c, recover.c and record.c. */
#ifndef JOBQ_FLEET_ENQUEUE_PARTS_H
#define JOBQ_FLEET_ENQUEUE_PARTS_H

#include "base/arena.h"
#include "fiber/fiber.h"
#include "fleet/enqueue/enqueuer.h"
#include "fleet/enqueue/queues.h"
#include "fleet/port/retry.h"
#include "fleet/rows/rows.h"

/* A caller's jobs, on its stack, in the order of arrival. */
struct enqueue_request {
    struct enqueue_request *next;
    struct enqueuer_job *job;
    int64_t count, taken, finished, good;
    struct jobq_error *err; /* the first failure's */
    struct fiber_ticket ticket;
    bool waiting;
};

/* Jobs of a batch under way: two calls of rows (25) and five of messages (10), all full. */
#define ENQUEUE_BATCH_MAX 50

/* A job between its encoding and its name. Nothing blocks in between, so that one array of them
 * serves all batches. */
struct enqueue_draft {
    char *text;              /* the message: room for the id and a blank, then the rest */
    struct jobq_str encoded; /* real bytes of the row's pieces */
    int64_t phantom_bytes;
    int64_t row_bytes;
};

/* A batch under way: memory that the next one uses again; what it points to lives in its arena
 * or is the caller's. Each array holds what one call takes, where it can be passed as it is. */
struct enqueue_batch {
    struct enqueue_batch *next;
    struct arena scratch;
    int count;
    int code[ENQUEUE_BATCH_MAX]; /* each job's so far; its own is set at the end */
    struct enqueue_request *request[ENQUEUE_BATCH_MAX];
    struct enqueuer_job *job[ENQUEUE_BATCH_MAX];
    struct jobq_item row[ENQUEUE_BATCH_MAX];
    struct jobq_outgoing message[ENQUEUE_BATCH_MAX];
    struct enqueue_call {
        int end; /* one behind its last job */
        int shard;
    } call[ENQUEUE_BATCH_MAX]; /* of rows */
    int calls;
    enum enqueue_keyed {
        KEYED_NOT,
        KEYED_NEW,  /* the key is the job's, which is new */
        KEYED_FOUND /* the job is another client's, or an earlier try's */
    } keyed[ENQUEUE_BATCH_MAX];
    bool silent[ENQUEUE_BATCH_MAX];              /* needs no message */
    struct jobq_item some[JOBQ_STORE_BATCH_MAX]; /* rows of a call that lacks some */
    int64_t deadline_ns;
};

struct enqueuer {
    struct jobq_backend *b;
    struct enqueuer_options options;
    struct jobq_str queue_name;
    struct arena *memory; /* the process's */
    int queue, dead_queue;
    struct job_ids ids;
    struct rows_adder adder;
    int next_shard;
    bool writes_rows;
    int rows_a_call;                      /* at most */
    struct enqueue_request *first, *last; /* with jobs not yet taken */
    int64_t untaken;
    int active; /* batches under way, or about to be */
    struct enqueue_batch *idle;
    struct enqueue_draft draft[ENQUEUE_BATCH_MAX]; /* of the batch that is being begun */
    struct job_pair *payload;                      /* of the job that is being encoded */
    int payload_cap;
    struct queues_calls sends;
    struct enqueuer_counters counters;
    /* Making room in a full account: once an hour, by one fiber; the others wait. */
    struct {
        bool under_way, tried;
        int64_t at_ns;
        int64_t left; /* tables dropped, less the calls tried again for them */
        struct fiber_cond ended;
    } room;
};

/* Takes what is there, as much as one batch carries, and brings it to an end: batch->code[] is
 * what became of each. */
void enqueue_batch_run(struct enqueuer *e, struct enqueue_batch *batch);
struct enqueue_batch *enqueue_batch_take(struct enqueuer *e);
void enqueue_batch_give(struct enqueuer *e, struct enqueue_batch *batch);
/* The message of a row, as its enqueuer would have sent it; in the batch's scratch. */
int enqueue_row_message(struct enqueuer *e, struct enqueue_batch *batch,
                        const struct jobq_item *row, struct jobq_outgoing *out,
                        struct jobq_error *err);

/* ---- keyed.c --------------------------------------------------------------------------- */
/* INVALID, LIMIT: the job's key cannot be used. */
int keyed_check(const struct enqueuer *e, const struct enqueuer_job *job,
                struct jobq_error *err);
/* Takes the key of the batch's job i, or finds the job that has it, whose id is then i's. */
int keyed_take(struct enqueuer *e, struct enqueue_batch *batch, int i,
               struct jobq_error *err);
/* Writes the row of a job whose key was taken, or finds it, and then makes the message anew. */
int keyed_row(struct enqueuer *e, struct enqueue_batch *batch, int i,
              struct jobq_error *err);

/* Writes a journal's record at out (id.len + 24 bytes). Returns its length. */
int enqueue_record_write(char what, struct jobq_str id, int64_t tag, char *out);
#endif
