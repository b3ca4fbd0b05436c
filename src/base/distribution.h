/* distribution.h - distributions of job times, arrival gaps and latencies.
 *
 * Room:     src/base, a tool.
 * Callers:  the models' parameters, scenarios, the simulator; tests.
 * Knows nothing of: where u comes from, jobs, queues.
 * Units:    values are nanoseconds where they are durations.
 * Blocks:   distribution_read reads the file of an empirical distribution.
 * Links:    GSL (gsl_cdf_*_Pinv). Programs turn its error handler off first.
 *
 * A value is a pure function of u in (0,1), the quantile, so that a draw takes one number of
 * its stream whatever the distribution, and scenarios that differ in a distribution stay on
 * common random numbers. Formulas: Law, "Simulation Modeling and Analysis", 5th ed.,
 * section 8.3 (inverse transforms), section 6.2 (moments).
 *
 * Texts (a duration without a unit is seconds):
 *   2s  or  const:2s            always that long
 *   exp:2s                      exponential, mean 2 s
 *   uniform:1s..3s              uniform
 *   lognormal:mean=2s,cv=1.5    cv is the standard deviation over the mean; or
 *   lognormal:median=2s,sigma=1 (sigma of the logarithm), or median=9ms,p99=90ms
 *   gamma:mean=2s,cv=1.5        or shape=0.44,scale=4.5s
 *   weibull:mean=2s,cv=1.5      or shape=0.7,scale=1.6s
 *   pareto:mean=2s,cv=1.5       or min=1s,alpha=2.5 (classic Pareto, alpha > 1)
 *   table:0=0s,0.5=9ms,1=1s     straight lines between points of the quantile function
 *   empirical:FILE              one duration a line, each with equal chance */
#ifndef JOBQ_BASE_DISTRIBUTION_H
#define JOBQ_BASE_DISTRIBUTION_H

#include "base/text.h"
#include "jobq/error.h"

#include <stdbool.h>
#include <stdint.h>

enum distribution_kind {
    DISTRIBUTION_CONSTANT,    /* a */
    DISTRIBUTION_UNIFORM,     /* a..b */
    DISTRIBUTION_EXPONENTIAL, /* mean a */
    DISTRIBUTION_LOGNORMAL,   /* median a, sigma of the logarithm b */
    DISTRIBUTION_GAMMA,       /* scale a, shape b */
    DISTRIBUTION_WEIBULL,     /* scale a, shape b */
    DISTRIBUTION_PARETO,      /* least value a, exponent b > 1 */
    DISTRIBUTION_TABLE,       /* points (p[i], v[i]), straight lines between them */
    DISTRIBUTION_EMPIRICAL    /* one of sample_ns */
};

enum { DISTRIBUTION_POINTS = 16 };

/* May be copied by assignment unless it is EMPIRICAL (distribution_copy). */
struct distribution {
    enum distribution_kind kind;
    double a, b;
    /* Of a LOGNORMAL, GAMMA, WEIBULL or PARETO that was read: its two parameters as they were
     * written ("mean", "cv"), so that they are written so again. NULL: it was not read. */
    const char *given_name[2];
    double given[2];
    /* TABLE: 2..DISTRIBUTION_POINTS; p rises from 0 to 1, v does not fall. EMPIRICAL: of
     * sample_ns. */
    int64_t count;
    double p[DISTRIBUTION_POINTS], v[DISTRIBUTION_POINTS];
    int64_t *sample_ns; /* EMPIRICAL, in the order of the file; owner: the distribution */
    char *path;         /* EMPIRICAL, as given; owner: the distribution */
};

struct distribution distribution_constant(double value);
struct distribution distribution_uniform(double low, double high);
struct distribution distribution_exponential(double mean);
/* By its median and 99th percentile (both > 0, p99 >= median). */
struct distribution distribution_lognormal_p99(double median, double p99);
/* By its mean (> 0) and coefficient of variation (> 0): sigma^2 = log(1 + cv^2). */
struct distribution distribution_lognormal_cv(double mean, double cv);
void distribution_release(struct distribution *d);
void distribution_copy(struct distribution *out, const struct distribution *from);

/* The value below which a share u of the distribution lies. u in (0,1), ends excluded. */
double distribution_value(const struct distribution *d, double u);
/* The same in whole nanoseconds, 0 to 292 years: a longer tail is cut. */
int64_t distribution_ns(const struct distribution *d, double u);
/* Exact, not of draws. cv is the standard deviation over the mean; HUGE_VAL where there is no
 * variance. */
double distribution_mean(const struct distribution *d);
double distribution_cv(const struct distribution *d);

/* Fills out, which need not be initialised. INVALID: malformed or out of range; *out is then
 * untouched. parse refuses empirical:FILE, so that a copy by assignment is safe;
 * read takes it too, and what it filled is released. */
int distribution_parse(const char *text, struct distribution *out,
                       struct jobq_error *err);
int distribution_read(const char *text, struct distribution *out, struct jobq_error *err);
/* The normal form: reading it gives the same distribution, to the last bit if it was read
 * itself. */
void distribution_format(const struct distribution *d, struct text *out);

#endif
