/* quantile.h - u in (0,1) to a value of a distribution.
 *
 * Room:     models, facts; pure functions.
 * Callers:  the models, their parameter sets, drivers that want a latency.
 * Knows nothing of: where u comes from.
 * Units:    whatever the parameters were given in; latencies are nanoseconds. */
#ifndef JOBQ_MODELS_PARAMS_QUANTILE_H
#define JOBQ_MODELS_PARAMS_QUANTILE_H

#include "jobq/error.h"

#include <stdint.h>

enum quantile_kind {
    QUANTILE_CONSTANT,    /* a */
    QUANTILE_UNIFORM,     /* a..b */
    QUANTILE_EXPONENTIAL, /* mean a: -a log(1-u) */
    QUANTILE_LOGNORMAL,   /* exp(a + b z(u)): a is the log of the median, b the sigma */
    QUANTILE_WEIBULL,     /* scale a, shape b: a (-log(1-u))^(1/b) */
    QUANTILE_PARETO,      /* least value a, shape b: a (1-u)^(-1/b) */
    QUANTILE_TABLE        /* points (p[i], v[i]), straight lines between them */
};

enum { QUANTILE_POINTS = 16 };

struct quantile {
    enum quantile_kind kind;
    double a, b;
    int count; /* TABLE: 2..QUANTILE_POINTS; p rises from 0 to 1, v does not fall */
    double p[QUANTILE_POINTS], v[QUANTILE_POINTS];
};

struct quantile quantile_constant(double value);
struct quantile quantile_uniform(double low, double high);
struct quantile quantile_exponential(double mean);
/* By its median and 99th percentile (both > 0, p99 >= median): sigma is
 * log(p99 / median) / 2.3263478740408408. */
struct quantile quantile_lognormal_p99(double median, double p99);
/* By its mean (> 0) and coefficient of variation (>= 0): sigma^2 = log(1 + cv^2). */
struct quantile quantile_lognormal_cv(double mean, double cv);

/* The value below which a share u of the distribution lies. u in (0,1), ends excluded. */
double quantile_value(const struct quantile *q, double u);
/* The same, rounded to whole nanoseconds; for distributions of durations. */
int64_t quantile_ns(const struct quantile *q, double u);
double quantile_mean(const struct quantile *q);

/* A table for inner loops: straight lines between 1,024 exact points for u in
 * [1/64, 63/64], the exact function outside. For a lognormal with p99 = 10 medians the
 * relative error is below 3e-4. 4 KiB; build once, share. */
enum { QUANTILE_KNOTS = 1024 };
struct quantile_table {
    struct quantile exact;
    float knot[QUANTILE_KNOTS + 1];
};
void quantile_compile(const struct quantile *q, struct quantile_table *out);
int64_t quantile_fast_ns(const struct quantile_table *table, double u);

/* Reads "10ms", "const:10ms", "exp:10ms", "uniform:5ms..9ms",
 * "lognormal:median=9ms,p99=90ms", "lognormal:mean=9ms,cv=1.5",
 * "weibull:scale=9ms,shape=2", "pareto:min=9ms,shape=2", "table:0=0ms,0.5=9ms,1=1s".
 * Durations as jobq_parse_duration reads them; the values are nanoseconds. INVALID:
 * malformed, or out of its range; *out is then untouched. */
int quantile_parse(const char *text, struct quantile *out, struct jobq_error *err);

#endif
