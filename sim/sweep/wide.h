/* wide.h - the domain over which the closed form and the shipped formulas are validated.
 *
 * Room:     sim/, the virtual-time world.
 * Callers:  jobqsim sweep --domain wide, tests.
 * Knows nothing of: how points are run, what they cost.
 *
 * Each setting follows from a coordinate in (0,1), some from several: no more arrivals than
 * the fleet serves, enough jobs for its slots. What the caller gave stays fixed. */
#ifndef JOBQ_SIM_SWEEP_WIDE_H
#define JOBQ_SIM_SWEEP_WIDE_H

#include "scenario/scenario.h"
#include "sim/sweep/design.h"

/* Adds an axis for each setting of the domain that `base` was not given. base must outlive
 * the design. */
int wide_design(const struct scenario *base, struct design *design,
                struct jobq_error *err);

#endif
