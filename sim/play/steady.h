/* steady.h - what a run's output says about the steady state, and when to stop.
 *
 * Room:     sim/, the virtual-time world.
 * Callers:  run, the sweep, tests.
 * Knows nothing of: what the numbers are. Pure.
 *
 * Warm-up deletion is MSER-5 (White, Cobb and Spratt, "A comparison of five steady-state
 * truncation heuristics for simulation", WSC 2000): average the series in fives, and cut
 * where the standard error of what is left is least, looking at cuts in the first half
 * only. The interval of the mean of one correlated series is by non-overlapping batch
 * means (20 batches, Student's t). */
#ifndef JOBQ_SIM_PLAY_STEADY_H
#define JOBQ_SIM_PLAY_STEADY_H

#include <stdbool.h>
#include <stddef.h>

/* How many leading values to drop: a multiple of 5, at most half. Below 20 values: 0. */
size_t steady_warm_up(const double *value, size_t count);

struct steady_mean {
    double mean;
    double half_width; /* 95 %; INFINITY when it cannot be computed */
    size_t dropped;
};
/* The mean of a stationary series after its warm-up. count >= 1. */
struct steady_mean steady_mean(const double *value, size_t count);

/* Mean and 95 % half width of independent replications. */
struct steady_mean steady_replications(const double *value, size_t count);

/* Sequential stopping on the relative half width (Law, "Simulation Modeling and Analysis",
 * 5th ed., 9.4.1): true when `count` >= 10 replications have half_width <= precision x
 * |mean|, or when the mean and all values are 0. */
bool steady_is_precise(const double *value, size_t count, double precision);

/* Student's t, two-sided 95 %, dof >= 1 (GSL). Known answers: t(10) = 2.2281, t(1) =
 * 12.7062. */
double steady_t95(double dof);

#endif
