/* torture.h - a small fleet, everything that can go wrong, and a checker.
 *
 * Room:     sim, the virtual-time world.
 * Callers:  the campaign, jobqsim torture, tests.
 * Knows nothing of: how its findings are printed, other runs.
 *
 * A run is described completely by a struct torture_run: what two equal descriptions do is
 * equal, call by call. torture_draw gives the run of a seed; to make a failing one smaller,
 * change a field and play it again. Sizes, and the rate and moments of each class of faults,
 * come from streams of their own, so that a class that is taken away changes nothing about
 * when the others strike.
 *
 * Faults happen from from_ns to until_ns. After that comes the quiet phase: all is well, and
 * everything must come to an end.
 *
 * Checked at the end, from the rows and the queue, not from what the drainers said:
 *   every job that the client was told is enqueued has a row;
 *   enqueued = done + dead + expired + cancelled + still queued, and nothing is still queued
 *   (liveness), left on the queue or moved by it to the dead letters;
 *   no job is dead: the attempts would have sufficed;
 *   at most one final state was stored of each job;
 *   every job that is done ran at least once for its whole time;
 *   without faults, every job took one attempt.
 * With rows from the claim on the same holds, but nobody purges the queue, cancels or
 * redrives, because what has no row cannot be sent again. With a row at the end alone a job may run twice at once, and
 * receives count as attempts: one result is stored all the same, and no message is deleted
 * before it. */
#ifndef JOBQ_SIM_TORTURE_TORTURE_H
#define JOBQ_SIM_TORTURE_TORTURE_H

#include "base/text.h"
#include "fleet/drain/drainer.h"
#include "jobq/ports.h"
#include "scenario/scenario.h"
#include "sim/torture/faults.h"
#include "sim/world/world.h"

struct torture_run {
    uint64_t seed;             /* of everything that is not said below */
    uint64_t faults;           /* classes that are on: bits of enum torture_fault */
    int64_t jobs;              /* 1..100,000 */
    int64_t boxes, slots;      /* slots a box */
    int64_t store;             /* enum scenario_store: SimpleDB or DynamoDB */
    enum scenario_rows rows;   /* ALL, CLAIM or END */
    int64_t from_ns, until_ns; /* when faults happen, from the first job's time on */
};

/* The run of a seed: what it draws, and which classes of `among`. */
void torture_draw(uint64_t seed, uint64_t among, struct torture_run *out);
/* The command that plays it: "jobqsim torture --seed 4711 --jobs 12 ...". Only what differs
 * from what the seed draws is named. */
void torture_command(const struct torture_run *run, struct text *out);

/* Who wants to see or change a run while it is played. All may be NULL; called on its thread,
 * and must not change what it sees. */
struct torture_hooks {
    void *ctx;
    /* Between a process and its ports: tests break the drainer here. box NULL: a client or an
     * operator. */
    void (*decorate)(void *ctx, struct world *w, struct jobq_backend *b,
                     struct world_box *box);
    /* A fault strikes. action: the call that it hits, or -1. */
    void (*fault)(void *ctx, int64_t now_ns, enum torture_fault fault, int action);
    /* What a drainer reports. */
    void (*event)(void *ctx, int64_t now_ns, const struct drainer_event *event);
};

struct torture_result {
    int64_t enqueued, done, dead, cancelled, expired, queued;
    int64_t attempts, duplicates;
    int64_t fired[TORTURE_FAULT_COUNT];   /* how often each class struck */
    int64_t branch[TORTURE_BRANCH_COUNT]; /* how often each branch was taken */
    double virtual_s;
    const char
        *check; /* which check failed first, in a word or two; NULL: none. Static */
    char finding[384]; /* "" when all is well; else what is wrong */
};

struct torture;

/* Keeps its memory from run to run. One thread. */
struct torture *torture_new(void);
void torture_free(struct torture *torture);
/* Plays the run to its end. hooks may be NULL. Returns JOBQ_OK, also with a finding; else the
 * run could not be set up. */
int torture_play(struct torture *torture, const struct torture_run *run,
                 const struct torture_hooks *hooks, struct torture_result *out,
                 struct jobq_error *err);

#endif
