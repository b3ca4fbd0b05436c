/* shrink.h - the smallest run that fails as a given one does.
 *
 * Room:     sim, the virtual-time world.
 * Callers:  jobqsim torture, tests.
 * Knows nothing of: what the checks are, how a run is shown.
 *
 * Takes away classes of faults, jobs, boxes, slots and the time in which faults happen, one
 * after the other and again, as long as the run fails by the same check. Last it looks for a
 * seed that needs still fewer jobs. What it finds depends on the run alone: the limit is a
 * number of plays, each of a few milliseconds, not a time. */
#ifndef JOBQ_SIM_TORTURE_SHRINK_H
#define JOBQ_SIM_TORTURE_SHRINK_H

#include "sim/torture/torture.h"

struct shrink_options {
    int64_t plays_max;                 /* 0: 3,000 */
    const struct torture_hooks *hooks; /* of every run; may be NULL */
    /* Told of every smaller run that fails too; may be NULL. */
    void (*progress)(void *ctx, const struct torture_run *smaller, int64_t plays);
    void *ctx;
};

/* run must fail. *out is the smallest that was found, *result what it does when it is played.
 * Returns how many runs were played; INVALID: `run` does not fail; or as torture_play. */
int64_t shrink(struct torture *torture, const struct torture_run *run,
               const struct shrink_options *options, struct torture_run *out,
               struct torture_result *result, struct jobq_error *err);

#endif
