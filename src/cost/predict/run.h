/* run.h - a run over time: boxes that start one by one, and refused puts.
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

/* Of a run whose jobs are there at once: sets makespan_s, idle_s, boot_s and, where the
 * scenario does not give it, queued_s; needs busy_s and what predict_run has set. */
void predict_boxes(const struct predict_scenario *scenario,
                   const struct predict_params *params, struct predict_state *state);

#endif
