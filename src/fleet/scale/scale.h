/* scale.h - keeps as many boxes as a queue's backlog needs: looks, decides (decide.h), starts.
 *
 * Room:     src/fleet, the product; the same object runs in sim and live.
 * Callers:  jobq autoscale, the simulator's operator, torture, tests.
 * Knows nothing of: services, prices (the policy holds the one that it needs).
 * Blocks:   scale_run, until it is stopped.
 *
 * It only starts boxes. Those end by themselves: a drainer that has held nothing for its
 * idle_exit_ns ends (drainer.h: idle_alone), and its box with it, so that nobody needs a right
 * to terminate and no busy box ever goes. The first boxes_min are started to stay.
 *
 * Several may run for one queue. All decide at the same instants, the multiples of every_ns of
 * the wall clock, and a launch carries a token of queue and instant, which EC2 takes once: of two
 * at one instant the second is answered with the boxes of the first, or refused when it wants
 * another number. At the next instant the boxes are seen. That holds while every_ns is the same
 * for all, and longer than the difference of their clocks and the time that a listing takes
 * to show a new box (seconds).
 *
 * Bill: each look is a status_read: 2 requests to the queue, 1 to the store, 1 to EC2. */
#ifndef JOBQ_FLEET_SCALE_SCALE_H
#define JOBQ_FLEET_SCALE_SCALE_H

#include "fleet/operate/operate.h"
#include "fleet/scale/decide.h"
#include "jobq/ports.h"
#include "jobq/units.h"

#include <stdbool.h>

/* A box that has run for so long, while its drainer has never written a row, does not count as
 * capacity: the image is broken, or it cannot reach the services. */
#define SCALE_DEAF_NS (10 * JOBQ_NS_PER_MIN)
/* From a launch to the first receive: 16.5 s until it runs and 10 s until its program starts,
 * the medians of models/params/aws-2026.ini. */
#define SCALE_BOOT_S 30.0
/* How long an idle box stays. It costs as much as the least that another launch bills (60 s;
 * one hour before October 2017): so no order of arrivals makes it pay more than twice what one
 * pays who knows them beforehand (the ski rental problem). */
#define SCALE_IDLE_NS (60 * JOBQ_NS_PER_S)
#define SCALE_IDLE_HOURLY_NS JOBQ_NS_PER_HOUR

struct scale_report {
    int64_t wall_ns;
    struct scale_seen seen;
    struct scale_decision decision;
    const char *said;    /* what was started, as a sentence; "": nothing */
    const char *problem; /* why not, or what could not be read; "": nothing */
};

struct scale_options {
    const char *queue;
    struct scale_policy policy;
    double job_s;            /* S until jobs have ended; > 0 */
    int64_t every_ns;        /* > 0 */
    bool spot, once;         /* once: one decision */
    struct operate *operate; /* starts the boxes; NULL: nobody does */
    /* After each decision, and after a look that failed (decision is of before). May be NULL.
     * Must not block; strings die with the call. */
    void (*decided)(void *ctx, const struct scale_report *report);
    void *ctx;
};

struct scale;

/* Opens the queue. Returns: NOT_FOUND, or the port's error. Owner: the process b->proc. */
int scale_new(struct jobq_backend *b, const struct scale_options *options,
              struct scale **out, struct jobq_error *err);
/* Returns: JOBQ_OK, stopped, or decided once; else what will not pass by itself: DENIED, ... */
int scale_run(struct scale *s, struct jobq_error *err);
/* Blocks: no. */
void scale_stop(struct scale *s);

#endif
