/* run.h - runs the replications of a scenario on several threads, and sums up.
 *
 * Room:     sim, the virtual-time world.
 * Callers:  cmd_run, the sweep, tests, benches.
 * Knows nothing of: how anything is printed.
 * Blocks:   until all replications are played.
 *
 * Each replication has streams of its own, and results are gathered in their order: they do
 * not depend on the number of threads. A thread keeps its world from one replication to the
 * next. */
#ifndef JOBQ_SIM_PLAY_RUN_H
#define JOBQ_SIM_PLAY_RUN_H

#include "scenario/scenario.h"
#include "sim/play/replication.h"

struct run_result {
    struct replication_result *rep; /* reps long; owner: the result */
    int64_t reps;
    double wall_s; /* real time, all threads together in parallel */
};

struct run_options {
    int64_t threads;           /* >= 1; 0: as many as there are cores */
    bool keep_ids, page;       /* of the first replication */
    _Atomic int64_t *progress; /* jobs that have ended, over all; NULL: none */
    const struct replication_hooks *hooks; /* of every replication; on its thread */
    const struct sheet *sheet;             /* what each is priced by; NULL: not at all */
    /* The first replication was played: its replication is good until this returns. On a worker's
     * thread. NULL: not wanted. */
    int (*first)(void *ctx, const struct replication *replication,
                 struct jobq_error *err);
    void *ctx;
};

/* The parameters of a finished scenario: its model, its --set changes, checked against what
 * the scenario asks for (instance type, payload). Heap; free() it. NULL: err says why
 * (a usage error). */
struct world_params *run_params(const struct scenario *scenario, struct jobq_error *err);

/* Returns JOBQ_OK, or the error of the first replication that failed; out is filled for
 * those that did not. Release it in either case. */
int run_scenario(const struct scenario *scenario, const struct world_params *params,
                 const struct run_options *options, struct run_result *out,
                 struct jobq_error *err);
/* What an autoscaled scenario asks of its replications: the price of a box, and an end without
 * boxes. sheet NULL: no price is known. */
void run_autoscaled(const struct scenario *scenario, const struct sheet *sheet,
                    struct replication_options *options);
/* Prices a replication's ledger: usd and usd_service of result. Returns JOBQ_OK; NOT_FOUND: a
 * price is missing, and usd is NAN. */
int run_price(const struct sheet *sheet, struct replication_result *result,
              struct jobq_error *err);
void run_result_release(struct run_result *result);

/* Every number of a result under a name, in a fixed order: "jobs" "done", "wait_s" "p95",
 * "requests" "SendMessageBatch", ... group NULL: the name stands alone. Both static. */
struct run_metric {
    const char *group, *name;
    double value;
    bool whole; /* a count */
};
#define RUN_METRICS_MAX 128
/* Writes them at out (RUN_METRICS_MAX long); returns how many: the same for every result. */
int run_metrics(const struct replication_result *result, struct run_metric *out);

#endif
