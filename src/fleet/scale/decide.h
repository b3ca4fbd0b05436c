/* decide.h - how many boxes should drain a queue? The rule, and what it is told.
 *
 * Room:     src/fleet, the product. Pure: no port, no clock.
 * Callers:  fleet/scale/scale.c, tests.
 * Knows nothing of: how boxes are started, services, prices but for one number.
 *
 * The rule. Of L jobs in the system (waiting and running), each of which holds a slot for S
 * seconds, n slots finish n/S a second. For all of them to be gone within the target T, n = L
 * S/T slots are needed, and never more than L. Under a steady load that is Little's law: the
 * fleet settles where L = (arrival rate) x T, so that T is the mean time in the system.
 *
 * Boxes that boot count as if they were up: what was launched for a backlog is not launched
 * for it again, so no cool-down is needed. A new box works only for what is left of T once it
 * is up, and is sized by that. A launch waits until the backlog would take a tenth longer than
 * T, or the noise of each arrival would start boxes that bill a minute at least (or an hour,
 * before October 2017). Boxes are never told to end: they leave by themselves when idle. */
#ifndef JOBQ_FLEET_SCALE_DECIDE_H
#define JOBQ_FLEET_SCALE_DECIDE_H

#include <stdint.h>

struct scale_policy {
    double target_s; /* T, > 0 */
    double boot_s;   /* from the launch to a box's first job; >= 0 */
    int64_t slots;   /* of a box, >= 1 */
    int64_t boxes_min, boxes_max;
    double hour_usd_max; /* of all boxes together; INFINITY: no cap */
    double box_hour_usd; /* of one; read only under a cap, and then > 0 */
};

struct scale_seen {
    int64_t waiting, running; /* jobs; delayed ones are neither */
    double job_s;             /* S, > 0 */
    int64_t boxes;            /* that boot or run: what is paid */
    int64_t deaf;             /* of them, long up and never heard of: no capacity */
};

enum scale_bound { /* what the number of boxes wanted is bound by */
                   SCALE_BACKLOG,
                   SCALE_MIN,
                   SCALE_MAX,
                   SCALE_DOLLARS
};

struct scale_decision {
    int64_t wanted; /* boxes in all, never fewer than there are */
    int64_t launch; /* now; 0 and more */
    enum scale_bound bound;
};
void scale_decide(const struct scale_policy *policy, const struct scale_seen *seen,
                  struct scale_decision *out);

/* How long a job holds a slot, from the sums that drainers report: those of the last half_life_s
 * count for half. Until jobs have ended, a guess; it counts as one job at first. While nothing
 * ends, what was learnt stays. */
struct scale_job_time {
    double guess_s, half_life_s;
    double held_s, ended; /* weighted */
    int64_t held_ns_before, ended_before;
};
/* held_ns: slot time of all attempts that have ended, ended: how many; both only grow, but for
 * reports that are dropped. dt_s: since the last look. Returns S. */
double scale_job_time(struct scale_job_time *time, double dt_s, int64_t held_ns,
                      int64_t ended);

#endif
