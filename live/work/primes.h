/* primes.h - counts primes on threads of their own.
 *
 * Room:     live, the network world.
 * Callers:  live/work/workers.c.
 * Knows nothing of: jobs, fibers.
 * Blocks:   never the caller's thread.
 *
 * A pool of at most as many threads as there are processors, started when first needed. A
 * finished count is told on the loop's thread. */
#ifndef JOBQ_LIVE_WORK_PRIMES_H
#define JOBQ_LIVE_WORK_PRIMES_H

#include "jobq/error.h"
#include "net/loop.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct primes_pool;

/* One count. The caller keeps it until done was called. */
struct primes_task {
    int64_t below;
    int64_t burn_ns; /* > 0: no count, but so much CPU time is used */
    void (*done)(struct primes_task *task); /* on the loop's thread */
    atomic_bool cancel; /* set it to have done called soon, with count < 0 */
    int64_t count;      /* primes p < below; -1: cancelled */
    int64_t cpu_ns;     /* of the thread */
    atomic_int percent; /* how far it is, 0..100 */
    struct primes_task *next;
};

struct primes_pool *primes_pool_new(struct loop *loop);
/* No task may be under way. Ends the threads. */
void primes_pool_free(struct primes_pool *pool);
/* UNAVAILABLE: no thread to be had. */
int primes_start(struct primes_pool *pool, struct primes_task *task,
                 struct jobq_error *err);

/* The count itself, by a sieve over segments that fit the cache: O(n log log n) time,
 * O(sqrt n) memory. Known answers: 25 below 100, 168 below 1,000, 78,498 below 10^6,
 * 5,761,455 below 10^8. cancel and percent may be NULL. */
int64_t primes_count(int64_t below, const atomic_bool *cancel, atomic_int *percent);

#endif
