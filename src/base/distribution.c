/* distribution.c - quantiles and moments, over GSL. See distribution.h.
 *
 * Room:     src/base, a tool. */
#include "base/distribution.h"

#include "base/arena.h"

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_sf_gamma.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct distribution distribution_constant(double value)
{
    return (struct distribution){.kind = DISTRIBUTION_CONSTANT, .a = value};
}

struct distribution distribution_uniform(double low, double high)
{
    return (struct distribution){.kind = DISTRIBUTION_UNIFORM, .a = low, .b = high};
}

struct distribution distribution_exponential(double mean)
{
    return (struct distribution){.kind = DISTRIBUTION_EXPONENTIAL, .a = mean};
}

struct distribution distribution_lognormal_p99(double median, double p99)
{
    return (struct distribution){.kind = DISTRIBUTION_LOGNORMAL,
                                 .a = median,
                                 .b = log(p99 / median) / gsl_cdf_ugaussian_Pinv(0.99)};
}

struct distribution distribution_lognormal_cv(double mean, double cv)
{
    double sigma = sqrt(log1p(cv * cv));
    return (struct distribution){.kind = DISTRIBUTION_LOGNORMAL,
                                 .a = mean * exp(-0.5 * sigma * sigma),
                                 .b = sigma};
}

void distribution_release(struct distribution *d)
{
    free(d->sample_ns);
    free(d->path);
    *d = distribution_constant(0);
}

void distribution_copy(struct distribution *out, const struct distribution *from)
{
    *out = *from;
    if (from->path)
        out->path = xstrdup(from->path);
    if (from->sample_ns) {
        size_t bytes = (size_t)from->count * sizeof *from->sample_ns;
        out->sample_ns = xmalloc(bytes);
        memcpy(out->sample_ns, from->sample_ns, bytes);
    }
}

/* ---- quantiles ------------------------------------------------------------------------ */

static double table_value(const struct distribution *d, double u)
{
    int i = 1;
    while (i < d->count - 1 && u > d->p[i])
        i++;
    double share = (u - d->p[i - 1]) / (d->p[i] - d->p[i - 1]);
    return d->v[i - 1] + share * (d->v[i] - d->v[i - 1]);
}

/* By bisection, for where GSL's Newton iteration does not converge: u below 1e-10 at a shape
 * of 10,000, for instance. */
static double gamma_bisect(const struct distribution *d, double u)
{
    double low = 0, high = d->a * d->b;
    while (gsl_cdf_gamma_P(high, d->b, d->a) < u)
        high *= 2;
    for (int i = 0; i < 100 && high - low > 1e-13 * high; i++) {
        double middle = 0.5 * (low + high);
        if (gsl_cdf_gamma_P(middle, d->b, d->a) < u)
            low = middle;
        else
            high = middle;
    }
    return 0.5 * (low + high);
}

/* GSL's inverse also gives up in the lower tail of a shape far below 1. There the
 * distribution function is (x/scale)^shape / Gamma(shape + 1), to a relative x/scale. */
static double gamma_value(const struct distribution *d, double u)
{
    double tail = d->a * exp((log(u) + gsl_sf_lngamma(d->b + 1)) / d->b);
    if (tail < 1e-8 * d->a)
        return tail;
    double value = gsl_cdf_gamma_Pinv(u, d->b, d->a);
    return isfinite(value) ? value : gamma_bisect(d, u);
}

static double empirical_value(const struct distribution *d, double u)
{
    int64_t i = (int64_t)(u * (double)d->count);
    return (double)d->sample_ns[i < d->count ? i : d->count - 1];
}

double distribution_value(const struct distribution *d, double u)
{
    switch (d->kind) {
    case DISTRIBUTION_CONSTANT:
        return d->a;
    case DISTRIBUTION_UNIFORM:
        return gsl_cdf_flat_Pinv(u, d->a, d->b);
    case DISTRIBUTION_EXPONENTIAL:
        return gsl_cdf_exponential_Pinv(u, d->a);
    case DISTRIBUTION_LOGNORMAL:
        return d->a * gsl_cdf_lognormal_Pinv(u, 0, d->b);
    case DISTRIBUTION_GAMMA:
        return gamma_value(d, u);
    case DISTRIBUTION_WEIBULL:
        return gsl_cdf_weibull_Pinv(u, d->a, d->b);
    case DISTRIBUTION_PARETO:
        return gsl_cdf_pareto_Pinv(u, d->b, d->a);
    case DISTRIBUTION_TABLE:
        return table_value(d, u);
    case DISTRIBUTION_EMPIRICAL:
        return empirical_value(d, u);
    }
    return 0.0;
}

int64_t distribution_ns(const struct distribution *d, double u)
{
    double ns = distribution_value(d, u);
    /* 2^63 ns are 292 years. */
    return ns >= 9.2233720368547e18 ? INT64_MAX : (int64_t)(ns + 0.5);
}

/* ---- moments -------------------------------------------------------------------------- */

double distribution_mean(const struct distribution *d)
{
    double sum = 0;
    switch (d->kind) {
    case DISTRIBUTION_CONSTANT:
    case DISTRIBUTION_EXPONENTIAL:
        return d->a;
    case DISTRIBUTION_UNIFORM:
        return 0.5 * (d->a + d->b);
    case DISTRIBUTION_LOGNORMAL:
        return d->a * exp(0.5 * d->b * d->b);
    case DISTRIBUTION_GAMMA:
        return d->a * d->b;
    case DISTRIBUTION_WEIBULL:
        return d->a * tgamma(1 + 1 / d->b);
    case DISTRIBUTION_PARETO:
        return d->a * d->b / (d->b - 1);
    case DISTRIBUTION_TABLE:
        for (int64_t i = 1; i < d->count; i++)
            sum += (d->p[i] - d->p[i - 1]) * (d->v[i] + d->v[i - 1]) / 2;
        return sum;
    case DISTRIBUTION_EMPIRICAL:
        for (int64_t i = 0; i < d->count; i++)
            sum += (double)d->sample_ns[i] / (double)d->count;
        return sum;
    }
    return 0;
}

/* The mean of the square of a line from x to y is (x^2 + xy + y^2) / 3. */
static double table_square(const struct distribution *d)
{
    double sum = 0;
    for (int64_t i = 1; i < d->count; i++) {
        double x = d->v[i - 1], y = d->v[i];
        sum += (d->p[i] - d->p[i - 1]) * (x * x + x * y + y * y) / 3;
    }
    return sum;
}

static double empirical_variance(const struct distribution *d, double mean)
{
    double sum = 0;
    for (int64_t i = 0; i < d->count; i++) {
        double off = (double)d->sample_ns[i] - mean;
        sum += off * off / (double)d->count;
    }
    return sum;
}

double distribution_cv(const struct distribution *d)
{
    double mean = distribution_mean(d), variance = 0;
    switch (d->kind) {
    case DISTRIBUTION_CONSTANT:
        return 0;
    case DISTRIBUTION_EXPONENTIAL:
        return 1;
    case DISTRIBUTION_LOGNORMAL:
        return sqrt(expm1(d->b * d->b));
    case DISTRIBUTION_GAMMA:
        return 1 / sqrt(d->b);
    case DISTRIBUTION_WEIBULL:
        return sqrt(fmax(
            0, expm1(gsl_sf_lngamma(1 + 2 / d->b) - 2 * gsl_sf_lngamma(1 + 1 / d->b))));
    case DISTRIBUTION_PARETO:
        return d->b > 2 ? 1 / sqrt(d->b * (d->b - 2)) : HUGE_VAL;
    case DISTRIBUTION_UNIFORM:
        variance = (d->b - d->a) * (d->b - d->a) / 12;
        break;
    case DISTRIBUTION_TABLE:
        variance = table_square(d) - mean * mean;
        break;
    case DISTRIBUTION_EMPIRICAL:
        variance = empirical_variance(d, mean);
        break;
    }
    return mean > 0 ? sqrt(fmax(0, variance)) / mean : 0;
}
