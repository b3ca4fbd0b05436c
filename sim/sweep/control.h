/* control.h - control variates: what a run would use if only its job times and arrivals were
 * random.
 *
 * Room:     sim/, the virtual-time world.
 * Callers:  sweep.
 * Knows nothing of: requests, latencies, the simulator's kernel. Pure.
 *
 * A point needs many jobs mostly because job times and arrivals scatter, and how they do can be
 * had without the simulator: slots that take the next job as soon as they are free (the
 * recursion of Kiefer and Wolfowitz), on the workload's own random numbers, costs a hundredth
 * of a simulated job. Its mean is known from many more such runs. So a replication's scatter
 * about that mean is taken off what was simulated (Law, "Simulation Modeling and Analysis", 5th
 * ed., section 11.4), and what is left are latencies and boots. */
#ifndef JOBQ_SIM_SWEEP_CONTROL_H
#define JOBQ_SIM_SWEEP_CONTROL_H

#include "scenario/scenario.h"

enum control_line { CONTROL_BUSY, CONTROL_IDLE, CONTROL_POLLS, CONTROL_LINES };

/* A job: slot seconds over slots, instance seconds without a job, empty polls at the end. */
struct control {
    double line[CONTROL_LINES];
};

struct control_plan; /* of one finished scenario */
/* stretch: a slot's time over the job's own, attempt_s: what else an attempt takes. */
struct control_plan *control_new(const struct scenario *scenario, double stretch,
                                 double attempt_s);
void control_free(struct control_plan *plan);
/* Of the replication of that seed (replication_seed). */
void control_run(struct control_plan *plan, uint64_t seed, struct control *out);
/* The mean over runs of other seeds, as many as `jobs` jobs make, at least 20, and its standard
 * error. */
void control_mean(struct control_plan *plan, double jobs, struct control *out,
                  struct control *out_error);

#endif
