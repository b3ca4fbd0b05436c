/* torture.h - a small fleet, everything that can go wrong, and a checker.
 *
 * Room:     sim, the virtual-time world.
 * Callers:  cmd_torture, tests.
 * Knows nothing of: how its findings are printed.
 *
 * One seed is one scenario: its sizes, rates and moments of failure are drawn from the seed
 * alone, so that a seed and a version replay a run.
 *
 * Faults, until the quiet phase: calls that are refused, throttled or time out before they
 * are made; replies that are lost after the call was applied; calls that time out and take
 * effect 30 to 120 s after they were asked for, when they may have been made again;
 * deliveries that leave the
 * message visible, deletes that are lost, reordering; stale reads; a tight write throttle;
 * visibility timeouts shorter than most jobs; boxes that die with all that they hold, and
 * others that come; RunInstances without capacity, spot boxes taken with and without notice;
 * jobs that are cancelled. From the quiet phase on all is well, and everything must come to
 * an end.
 *
 * Checked at the end, from the rows and the queue, not from what the drainers said:
 *   every job that the client was told is enqueued has a row;
 *   enqueued = done + dead + expired + cancelled + still queued, and nothing is still queued
 *   (liveness), left on the queue or moved by it to the dead letters;
 *   no job is dead: the attempts would have sufficed;
 *   at most one final state was stored of each job;
 *   every job that is done ran at least once for its whole time;
 *   without faults, every job took one attempt. */
#ifndef JOBQ_SIM_TORTURE_TORTURE_H
#define JOBQ_SIM_TORTURE_TORTURE_H

#include "jobq/ports.h"
#include "sim/world/world.h"

struct torture_options {
    uint64_t seed;
    int64_t jobs; /* 0: 20..200, by the seed */
    bool gentle;  /* no faults at all: what a checker must find good */
    /* Between a process and its ports: tests break the drainer here. box NULL: the client.
     * NULL: none. */
    void (*decorate)(void *ctx, struct world *w, struct jobq_backend *b,
                     struct world_box *box);
    void *ctx;
};

struct torture_result {
    int64_t enqueued, done, dead, cancelled, expired, queued;
    int64_t attempts, duplicates;
    int64_t faults;     /* calls refused and replies lost by the hook */
    int64_t late;       /* calls that timed out and took effect later */
    int64_t boxes_lost; /* killed or taken */
    double virtual_s;
    char finding[384]; /* "" when all is well; else what is wrong, first found */
};

/* Returns JOBQ_OK, also with a finding; else the run could not be set up. */
int torture_play(const struct torture_options *options, struct torture_result *out,
                 struct jobq_error *err);

#endif
