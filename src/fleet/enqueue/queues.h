/* queues.h - a queue and its dead-letter queue, found or made.
 *
 * Room:     src/fleet, the product.
 * Callers:  the enqueuer, the drainer.
 * Blocks:   at port calls, which it tries again until deadline_ns. */
#ifndef JOBQ_FLEET_ENQUEUE_QUEUES_H
#define JOBQ_FLEET_ENQUEUE_QUEUES_H

#include "jobq/ports.h"
#include "jobq/units.h"

#include <stdbool.h>

/* Redrives by SQS itself come after so many receives: far above any attempt limit, because
 * duplicates, give-backs and lost prefetches count as receives too. */
#define QUEUES_RECEIVES_DEFAULT 50

/* Of a queue that we make: the longest that SQS knows. Its own default, 4 days, loses a long
 * weekend's backlog. */
#define QUEUES_RETENTION_NS (14 * JOBQ_NS_PER_DAY)
#define QUEUES_RETENTION_TEXT "14d"

struct queues_options {
    const char *name;
    int64_t visibility_ns; /* < 0: leave what is there; 30 s for a new queue */
    int64_t retention_ns;  /* of a new queue; 0: QUEUES_RETENTION_NS */
    int max_receive_count; /* < 0: no dead-letter queue */
    bool create;           /* else NOT_FOUND */
};

/* *out_dead is -1 when it was not looked at (an existing queue left as it is). One request
 * for an existing queue, two or four when the visibility is to be set or it is new. */
int queues_open(struct jobq_backend *b, const struct queues_options *options,
                int64_t deadline_ns, int *out_queue, int *out_dead,
                struct jobq_error *err);
/* The dead-letter queue of `name`: *out_dead, or NOT_FOUND unless create. */
int queues_open_dead(struct jobq_backend *b, const char *name, bool create, int *out_dead,
                     struct jobq_error *err);

/* Of a caller's counters; added to. */
struct queues_calls {
    int64_t calls, retries;
};
/* Sends count (1..10) messages, each until it is sent, refused or out of time: code[i] says
 * which. deadline_ns: as retry_init. calls may be NULL. Returns: JOBQ_OK if all were sent,
 * else the first one's code that was not, with a reason of it or another in err. */
int queues_send(struct jobq_backend *b, int queue, const struct jobq_outgoing *message,
                int count, const int64_t *deadline_ns, int *code,
                struct queues_calls *calls, struct jobq_error *err);

#endif
