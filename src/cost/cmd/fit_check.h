/* fit_check.h - how far are predicted dollars from simulated ones, and where?
 *
 * Room:     src/cost, jobqcost's command line; does I/O.
 * Callers:  jobqcost fit --check. */
#ifndef JOBQ_COST_CMD_FIT_CHECK_H
#define JOBQ_COST_CMD_FIT_CHECK_H

#include "cost/cmd/shared.h"

struct table;

/* Compares the formula (or the closed form) of `cli` with each point of a sweep, and prints
 * errors, coverage and width of the 95 % intervals, and the worst points with what they have
 * in common; as JSON (jobq.check/1) if that was asked for. */
int fit_check(struct cost *cli, const struct table *sweep, const char *path,
              struct jobq_error *err);

#endif
