/* workload.h - which jobs come, when, and how long each takes.
 *
 * Room:     src/scenario, the product: what is asked of a fleet.
 * Callers:  scenario.h, the simulator, tests.
 * Knows nothing of: queues, drainers, the clock.
 * Units:    nanoseconds from the start of the run.
 *
 * Generated workloads are drawn as they are asked for and cost no memory; a recorded one
 * reads its trace. The draws come from the streams ("arrivals", "job-time") of the
 * replication's seed, so that they do not depend on anything else in the scenario. */
#ifndef JOBQ_SCENARIO_WORKLOAD_H
#define JOBQ_SCENARIO_WORKLOAD_H

#include "base/dice.h"
#include "base/distribution.h"
#include "scenario/trace.h"

enum arrivals_kind { ARRIVALS_AT_ONCE, ARRIVALS_EVERY, ARRIVALS_RENEWAL };

/* "at-once"; "every:100ms" (the first at 0); "10/s", "poisson:10/s" (also /min, /h, /day;
 * "5M/day"): Poisson; "renewal:DIST" or a distribution by itself: independent gaps, the first
 * job after the first gap. */
struct arrivals {
    enum arrivals_kind kind;
    int64_t every_ns;
    struct distribution gap; /* RENEWAL */
    double rate_per_s;       /* of poisson, for printing; 0 otherwise */
};

/* As distribution_read. */
int arrivals_parse(const char *text, struct arrivals *out, struct jobq_error *err);
void arrivals_release(struct arrivals *arrivals);
void arrivals_copy(struct arrivals *out, const struct arrivals *from);
void arrivals_format(const struct arrivals *arrivals, struct text *out);
/* Jobs a second in the long run; HUGE_VAL for at-once. */
double arrivals_rate_per_s(const struct arrivals *arrivals);

/* A reader of one workload. Borrows what it was made from. */
struct workload {
    const struct arrivals *arrivals;
    const struct distribution *job_time;
    const struct trace *trace; /* NULL: generated */
    int64_t count, next;
    int64_t at_ns; /* of the last arrival */
    struct dice arrival_dice, time_dice;
};

struct workload_job {
    int64_t arrival_ns; /* never before the one before */
    int64_t job_ns;
};

void workload_init(struct workload *workload, const struct arrivals *arrivals,
                   const struct distribution *job_time, const struct trace *trace,
                   int64_t count, uint64_t seed);
/* False after the last. */
bool workload_next(struct workload *workload, struct workload_job *out);

#endif
