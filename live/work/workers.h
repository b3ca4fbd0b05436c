/* workers.h - the child port: sleeps by deadline, primes on threads, commands as processes.
 *
 * Room:     live, the network world.
 * Callers:  live/world/live.c.
 * Knows nothing of: queues, the store. */
#ifndef JOBQ_LIVE_WORK_WORKERS_H
#define JOBQ_LIVE_WORK_WORKERS_H

#include "fiber/fiber.h"
#include "jobq/ports.h"
#include "live/work/command.h"

/* cpu_share: of the time of a sleep that is spent computing, 0..1, at a random place of it. */
struct jobq_child *workers_new(struct loop *loop, struct fiber_sched *sched,
                               const struct command_options *options, double cpu_share);
/* Ends what is still running, the hard way. No fiber may run afterwards. */
void workers_free(struct jobq_child *child);
/* How many are under way. */
int workers_running(const struct jobq_child *child);

#endif
