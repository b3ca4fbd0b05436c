/* sweep.h - runs a scenario at every point of a design and writes the usage per job.
 *
 * Room:     sim/, the virtual-time world.
 * Callers:  jobqsim sweep, tests.
 * Knows nothing of: prices, fits.
 * Blocks:   until the sweep is done; runs threads of its own.
 *
 * The CSV (rowfile.h: survives a kill, sorted, the same bytes whatever the threads) has
 *
 *     # schema=jobq.sweep/1, version, seed, model, model_hash, points, reps or precision,
 *     # axis=OPTION TEXT (one a varied option), fixed=the normal form of all others,
 *     # predict.NAME=TEXT (the options of the closed form that are not numbers)
 *     point,axis.OPTION...,reps,in.NAME[unit]...,LINE[unit/job]...,se.LINE...,outputs
 *
 * in.NAME are the closed form's inputs (cost/predict.h) at that point; LINE the usage lines
 * (cost/usage.h), means over the replications; se.LINE their standard errors (0 with one
 * replication). Replication r of every point uses the streams of (seed, r): common random
 * numbers, so that differences between points are sharper than the points. */
#ifndef JOBQ_SIM_SWEEP_SWEEP_H
#define JOBQ_SIM_SWEEP_SWEEP_H

#include "sim/sweep/design.h"
#include "scenario/scenario.h"

#include "cost/predict/predict.h"
#include "jobq/error.h"

#include <signal.h>
#include <stdint.h>

#define SWEEP_REPS_MAX 1000 /* of a point with a precision */

struct sweep_options {
    const char *out_path;
    int64_t shard, shards; /* this is shard 0..shards-1; shards 1: all */
    double
        precision; /* > 0: replicate until requests a job, makespan and mean sojourn are
                         known to this relative half width; else scenario.reps times */
    bool control;  /* take off what job times and arrivals alone explain (control.h); the
                   * precision is then that of instance time and requests a job */
    double *jobs, *jobs_plain; /* out, or NULL: jobs that were simulated, and how many the
                                * same precision of instance time takes without control */
    int threads;               /* 0: as many as there are cores */
    /* Called now and then from one thread: points done of total, those found on resuming
     * (first) included. NULL: none. */
    void (*progress)(void *ctx, int64_t done, int64_t first, int64_t total);
    void *progress_ctx;
    const volatile sig_atomic_t *stop; /* set: finish the points at hand and return */
};

/* Which kind of axis an option makes. INVALID: no such option, or one that only says how
 * results are shown. */
int sweep_axis_kind(const char *option, enum design_kind *out, struct jobq_error *err);

/* base is not finished (scenario_finish): each point finishes a copy. Every point is
 * checked before anything is written.
 * Returns: JOBQ_OK; CANCELLED: stopped, to be resumed by the same call; else an error that
 * names the point. */
int sweep_run(const struct scenario *base, const struct design *design,
              const struct sweep_options *options, struct jobq_error *err);

/* The closed form's view of a finished scenario. */
void sweep_predict(const struct scenario *scenario, struct predict_scenario *out);

#endif
