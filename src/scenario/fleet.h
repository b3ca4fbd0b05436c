/* fleet.h - a scenario as the options of the drainer and the enqueuer.
 *
 * Room:     src/scenario, the product.
 * Callers:  jobq drain and enqueue, the simulator's boxes and client.
 * Knows nothing of: which world they run in. */
#ifndef JOBQ_SCENARIO_FLEET_H
#define JOBQ_SCENARIO_FLEET_H

#include "fleet/drain/drainer.h"
#include "fleet/enqueue/enqueuer.h"
#include "scenario/scenario.h"

/* Set all that the scenario says; the rest (names, callbacks, what only a world knows) stays
 * as it is. The visibility timeout and the retention are set whether they were given or not. */
void scenario_drainer_options(const struct scenario *scenario,
                              struct drainer_options *out);
void scenario_enqueuer_options(const struct scenario *scenario,
                               struct enqueuer_options *out);
/* What a job says of itself: the settings that a job takes (TAKER_JOB), its limits where they
 * were given. Its pairs, key and tag stay. */
void scenario_job_options(const struct scenario *scenario, struct enqueuer_job *out);

#endif
