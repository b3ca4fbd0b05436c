/* feed.h - enqueues a workload whose jobs come at times of their own, by many calls at once.
 *
 * Room:     src/fleet, the product.
 * Callers:  the simulator's client, jobq run.
 * Knows nothing of: where the jobs come from, how long the drainers take.
 *
 * So many feeders share one list of jobs: each takes those that have come by now, at most what
 * fills whole calls (50: two of 25 rows, five of ten messages; fewer if `batch` says so),
 * enqueues them and takes the next. A feeder that finds no job waits for it. */
#ifndef JOBQ_FLEET_ENQUEUE_FEED_H
#define JOBQ_FLEET_ENQUEUE_FEED_H

#include "fleet/enqueue/enqueuer.h"

/* A job that sleeps. */
struct feed_job {
    int64_t arrival_ns; /* after the origin; never before the one before */
    int64_t job_ns;
};

struct feed_options {
    int feeders;           /* >= 1: calls under way at once */
    int batch;             /* 1..10 */
    int64_t origin_ns;     /* on jobq_now */
    int64_t payload_bytes; /* of each job */
    /* The next job, in order; false: there is none, and it is not asked again. */
    bool (*next)(void *ctx, struct feed_job *out);
    /* A job was answered for: its code and id. tag counts jobs from 0. */
    void (*answered)(void *ctx, const struct enqueuer_job *job,
                     const struct feed_job *what);
    void (*fed)(void *ctx); /* all were; called once */
    void *ctx;
};

struct feed;

/* Starts the feeders on fibers of b->proc. Owner: the process. Blocks: no. */
struct feed *feed_start(struct jobq_backend *b, struct enqueuer *enqueuer,
                        const struct feed_options *options);

#endif
