/* campaign.h - many runs of torture, on several threads, and what they have covered.
 *
 * Room:     sim, the virtual-time world.
 * Callers:  jobqsim torture, tests.
 * Knows nothing of: how its findings are printed.
 * Blocks:   until all runs are played, the time is over, or it is told to stop; runs that have
 *           begun are played to their end. */
#ifndef JOBQ_SIM_TORTURE_CAMPAIGN_H
#define JOBQ_SIM_TORTURE_CAMPAIGN_H

#include "sim/torture/torture.h"

#include <signal.h>

/* Sums over the runs that were played. */
struct campaign {
    int64_t runs, jobs, findings;
    int64_t fired[TORTURE_FAULT_COUNT], branch[TORTURE_BRANCH_COUNT];
    double virtual_s, real_s;
};

struct campaign_options {
    int64_t first, seeds;  /* seeds first..first + seeds - 1; of them this shard's */
    int64_t shard, shards; /* 0..shards-1; shards >= 1 */
    double seconds;        /* no run begins later; 0: no limit */
    int64_t threads;       /* >= 1 */
    /* What replaces what each seed draws; negative fields, and faults unless faults_given,
     * replace nothing. */
    struct torture_run given;
    bool faults_given;
    const volatile sig_atomic_t *stop; /* no run begins once it is not 0; NULL: never */
    /* Both are called by one thread at a time. NULL: not wanted. progress: about twice a
     * second. */
    void (*finding)(void *ctx, const struct torture_run *run, const char *check,
                    const char *what);
    void (*progress)(void *ctx, const struct campaign *so_far);
    void *ctx;
};

void campaign_run(const struct campaign_options *options, struct campaign *out);

/* Runs of this shard, if time does not end it before. */
int64_t campaign_size(const struct campaign_options *options);
/* A campaign of so many runs is long enough that whatever never happened in it is not
 * tested. */
#define CAMPAIGN_COVERS 2500
/* How many classes of `faults` struck, and how many branches were taken. */
int campaign_faults_seen(const struct campaign *campaign, uint64_t faults);
int campaign_branches_seen(const struct campaign *campaign);
/* The names of the others, separated by commas. */
void campaign_put_missing(const struct campaign *campaign, uint64_t faults,
                          struct text *out);

#endif
