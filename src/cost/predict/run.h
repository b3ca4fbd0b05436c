/* run.h - a run over time: refused puts (run.c), and when boxes come and the last job ends
 * (instances.c).
 *
 * Room:     src/cost, private to predict.
 * Knows nothing of: requests, bytes, prices. */
#ifndef JOBQ_COST_PREDICT_RUN_H
#define JOBQ_COST_PREDICT_RUN_H

#include "cost/predict/predict.h"

/* Sets state's row_tries, put_tries and refused_s (added to hold_s) for the domains' limit,
 * and, of a run, end_s; needs the batches' shape, attempts, hold_s without refusals, and the
 * resolved prefetch. */
void predict_run(const struct predict_scenario *scenario,
                 const struct predict_params *params, struct predict_state *state);

/* Spread of one row put and of one send, as shares of their means: lognormals of median 35 and
 * 9 ms, 99th percentile 150 and 90 ms (models/params/aws-2026.ini). */
#define PUT_CV 0.69
#define SEND_CV 1.29

/* One row write in the scenario's store, in seconds; and how many an attempt makes: claim and
 * final state, the last alone, or none. */
double predict_put_s(const struct predict_scenario *scenario,
                     const struct predict_params *params);
double predict_slot_puts(const struct predict_scenario *scenario);

/* The share of attempts that last longer than a message is held, 12 h; needs hold_s. */
double predict_too_long(const struct predict_scenario *scenario,
                        const struct predict_state *state);

/* Boxes of a run are taken together beyond so many. */
enum { RUN_BOXES_MAX = 64 };

/* When box `index` of `boxes` makes its first receive, and how long its boot has taken by
 * then, in seconds from the start of the run: the mean of that order statistic. */
double predict_ready_s(const struct predict_params *params, double index, double boxes,
                       double *boot_s);

/* Of a run: sets makespan_s, idle_s, boot_s, polls and, where the scenario does not give it,
 * queued_s; needs busy_s and what predict_run has set. */
void predict_boxes(const struct predict_scenario *scenario,
                   const struct predict_params *params, struct predict_state *state);

#endif
