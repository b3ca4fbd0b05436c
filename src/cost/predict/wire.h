/* wire.h - bytes on the wire a job, both ways, of all its calls.
 *
 * Room:     src/cost, the money.
 * Callers:  predict.c.
 * Knows nothing of: prices, sockets. Sizes of calls are src/wire/http/wire_bytes.h's. */
#ifndef JOBQ_COST_PREDICT_WIRE_H
#define JOBQ_COST_PREDICT_WIRE_H

#include "cost/predict/predict.h"

/* Fills wire_* and client_* of state from the rest of it. */
void predict_wire(const struct predict_scenario *scenario,
                  const struct predict_params *params, struct predict_state *state);

#endif
