/* dist.h - how long jobs take and how far apart they come, as people write it.
 *
 * Room:     sim, the virtual-time world.
 * Callers:  workload and scenario of this room, the sweep, tests.
 * Knows nothing of: jobs, queues, the clock.
 * Units:    parameters and draws are durations in nanoseconds unless said otherwise.
 *
 * Texts (a duration without a unit is seconds):
 *   2s                          always that long
 *   exp:2s                      exponential, mean 2 s
 *   uniform:1s..3s              uniform, both ends included
 *   lognormal:mean=2s,cv=1.5    cv is the standard deviation over the mean; or
 *   lognormal:median=2s,sigma=1 (sigma of the logarithm)
 *   gamma:mean=2s,cv=1.5        or shape=0.44,scale=4.5s
 *   weibull:mean=2s,cv=1.5      or shape=0.7,scale=1.6s
 *   pareto:mean=2s,cv=1.5       or min=1s,alpha=2.5 (classic Pareto, alpha > 1)
 *   empirical:FILE              one duration a line, drawn with equal chance
 *
 * A draw takes one number of its stream whatever the distribution, so that two scenarios
 * that differ in a distribution stay on common random numbers. Formulas: Law, "Simulation
 * Modeling and Analysis", 5th ed., section 8.3 (inverse transforms); gamma by rejection
 * after Marsaglia and Tsang, "A Simple Method for Generating Gamma Variables", ACM TOMS
 * 26(3), 2000, on a stream of its own that the one number seeds. */
#ifndef JOBQ_SIM_PLAY_DIST_H
#define JOBQ_SIM_PLAY_DIST_H

#include "base/dice.h"
#include "base/text.h"
#include "jobq/error.h"

#include <stdbool.h>
#include <stdint.h>

enum dist_kind {
    DIST_CONSTANT,
    DIST_UNIFORM,
    DIST_EXP,
    DIST_LOGNORMAL,
    DIST_GAMMA,
    DIST_WEIBULL,
    DIST_PARETO,
    DIST_EMPIRICAL
};

struct dist {
    enum dist_kind kind;
    double a, b;             /* scale-like in ns, shape-like; see dist.c */
    int64_t low_ns, high_ns; /* CONSTANT (low), UNIFORM */
    int64_t *sample_ns;      /* EMPIRICAL: count values in file order; owner: the dist */
    int64_t count;
    char *path; /* EMPIRICAL: as given; owner: the dist */
};

/* Fills out, which need not be initialised; release it afterwards. Blocks: reads the file
 * of an empirical one. INVALID, LIMIT: out is untouched; the text names what is wrong,
 * for a file with its line. */
int dist_parse(const char *text, struct dist *out, struct jobq_error *err);
void dist_release(struct dist *dist);
void dist_constant(struct dist *out, int64_t ns);
void dist_copy(struct dist *out, const struct dist *from);

/* >= 0, saturating at 292 years. */
int64_t dist_draw_ns(const struct dist *dist, struct dice *dice);
/* Exact for the distribution, not for its draws; HUGE_VAL where it has no variance. */
double dist_mean_s(const struct dist *dist);
double dist_cv(const struct dist *dist);
bool dist_is_constant(const struct dist *dist, int64_t ns);
/* The normal form: parsing it gives the same distribution to the last bit that a person
 * can tell (parameters as mean and cv become shape and scale only inside). */
void dist_format(const struct dist *dist, struct text *out);

#endif
