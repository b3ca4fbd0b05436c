/* scaled.h - a scenario as the options of the autoscaler.
 *
 * Room:     src/scenario, the product.
 * Callers:  jobq autoscale, the simulator's operator and boxes.
 * Knows nothing of: which world it runs in, where the price comes from. */
#ifndef JOBQ_SCENARIO_SCALED_H
#define JOBQ_SCENARIO_SCALED_H

#include "fleet/scale/scale.h"
#include "scenario/scenario.h"

/* box_hour_usd: NAN or 0: not known. INVALID: a cap in dollars without a price, or --min-boxes
 * above --max-boxes. */
int scenario_scale_options(const struct scenario *scenario, double box_hour_usd,
                           struct scale_options *out, struct jobq_error *err);
/* Of boxes that an autoscaler starts: as given, else as long as another launch bills at least
 * (fleet/scale/scale.h). JOBQ_FOREVER: never. */
int64_t scenario_idle_exit_ns(const struct scenario *scenario);

#endif
