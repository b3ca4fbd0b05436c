/* live.h - the network world: an event loop, fibers on it, and the ports.
 *
 * Room:     live, the network world.
 * Callers:  jobq's subcommands, libjobq.c, tests.
 * Knows nothing of: what the fibers do.
 * Blocks:   live_run, until live_end.
 *
 * One turn: events come (replies, timers, children, signals) and make fibers ready; behind
 * it due deadlines fire, fibers run until none is ready, the calls that they made are
 * started; again, until nothing is left to do at once. */
#ifndef JOBQ_LIVE_WORLD_LIVE_H
#define JOBQ_LIVE_WORLD_LIVE_H

#include "jobq/ports.h"
#include "live/aws/aws.h"
#include "live/work/command.h"
#include "scenario/scenario.h"

struct live_options {
    enum scenario_store store;   /* NONE: backend.store is NULL */
    struct command_options exec; /* of exec jobs */
    double cpu_share;            /* of the time of sleep jobs: what they compute */
    size_t stack_bytes;          /* of a fiber; 0: 32 KiB */
};

struct live {
    struct loop *loop;
    struct park *park;
    struct fiber_sched *sched;
    struct transport *transport;
    struct settings settings;
    struct imds imds;
    struct credentials credentials;
    struct aws aws;
    struct jobq_clock clock;
    struct jobq_dice dice;
    struct jobq_ledger ledger;
    enum scenario_store store;
    struct jobq_backend backend;
};

/* Reads the environment and ~/.aws. INVALID and so on: as settings_read, aws_init. Makes no
 * call. A struct live may not move in memory. */
int live_open(struct live *live, const struct live_options *options,
              struct jobq_error *err);
/* Call fn(arg) on a fiber of the world's process, and run turns until live_end. Returns
 * JOBQ_OK, or what the loop said. */
int live_run(struct live *live, fiber_fn *fn, void *arg, struct jobq_error *err);
/* From a fiber or a callback: live_run returns behind this turn. */
void live_end(struct live *live);
/* Who this box is; empty off a box. Blocks: a call to the instance metadata, if there is one. */
void live_self(struct live *live, struct jobq_self *out);
/* Drops what still runs: fibers, children, connections. */
void live_close(struct live *live);

/* No core dump and no ptrace by others: secrets are in this process's memory. */
void live_guard_secrets(void);

#endif
