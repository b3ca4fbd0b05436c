/* tail.c - survival functions on a grid. See tail.h.
 *
 * Room:     src/cost, the money. */
#include "cost/predict/tail.h"

#include <assert.h>
#include <gsl/gsl_cdf.h>
#include <math.h>

/* ---- families ----------------------------------------------------------------------- */

/* Of a family by its mean and coefficient of variation: a and b are scale and shape (of a
 * lognormal, median and sigma). */
struct shape {
    enum predict_family family;
    double a, b;
};

/* The shape b of a Weibull distribution: cv^2 = G(1+2/b)/G(1+1/b)^2 - 1 falls with b. */
static double weibull_shape(double cv)
{
    double low = 0.1, high = 100;
    for (int i = 0; i < 50; i++) {
        double b = sqrt(low * high);
        double ratio = exp(lgamma(1 + 2 / b) - 2 * lgamma(1 + 1 / b)) - 1;
        *(ratio > cv * cv ? &low : &high) = b;
    }
    return low;
}

static struct shape shape_of(enum predict_family family, double mean, double cv)
{
    double sigma2 = log1p(cv * cv);
    struct shape s = {family, mean * exp(-sigma2 / 2), sqrt(sigma2)};
    switch (family) {
    case PREDICT_EXPONENTIAL:
    case PREDICT_GAMMA:
        s = (struct shape){PREDICT_GAMMA, mean * cv * cv, 1 / (cv * cv)};
        break;
    case PREDICT_WEIBULL:
        s.b = weibull_shape(cv);
        s.a = mean / exp(lgamma(1 + 1 / s.b));
        break;
    case PREDICT_UNIFORM:
        s.a = mean;
        s.b = fmin(1, sqrt(3) * cv); /* half the width, as a share of the mean */
        break;
    case PREDICT_PARETO:
        s.b = 1 + sqrt(1 + 1 / (cv * cv));
        s.a = mean * (s.b - 1) / s.b;
        break;
    case PREDICT_TWO_MOMENTS:
    case PREDICT_CONSTANT:
    case PREDICT_LOGNORMAL:
        s.family = PREDICT_LOGNORMAL; /* what recorded run times look like most */
        break;
    }
    return s;
}

static double shape_survival(const struct shape *s, double x)
{
    if (x <= 0)
        return 1;
    switch (s->family) {
    case PREDICT_GAMMA:
        return s->b > 0.999 && s->b < 1.001 ? exp(-x / s->a)
                                            : gsl_cdf_gamma_Q(x, s->b, s->a);
    case PREDICT_WEIBULL:
        return exp(-pow(x / s->a, s->b));
    case PREDICT_UNIFORM:
        return fmin(1, fmax(0, (1 + s->b - x / s->a) / (2 * s->b)));
    case PREDICT_PARETO:
        return x <= s->a ? 1 : pow(s->a / x, s->b);
    case PREDICT_LOGNORMAL:
    case PREDICT_TWO_MOMENTS:
    case PREDICT_CONSTANT:
    case PREDICT_EXPONENTIAL:
        break;
    }
    return erfc(log(x / s->a) / s->b / sqrt(2)) / 2;
}

/* Beyond which no sum of a million survivals counts. */
static double shape_end(const struct shape *s, double mean, double cv)
{
    switch (s->family) {
    case PREDICT_GAMMA:
        return mean * (1 + 9 * cv) + 30 * s->a;
    case PREDICT_WEIBULL:
        return s->a * pow(40, 1 / s->b);
    case PREDICT_UNIFORM:
        return mean * (1 + s->b) * 1.000001;
    case PREDICT_PARETO:
        return s->a * pow(1e12, 1 / s->b);
    case PREDICT_LOGNORMAL:
    case PREDICT_TWO_MOMENTS:
    case PREDICT_CONSTANT:
    case PREDICT_EXPONENTIAL:
        break;
    }
    return s->a * exp(s->b * (8 + s->b));
}

/* ---- grids ---------------------------------------------------------------------------- */

static void tail_integrate(struct tail *t)
{
    const int last = TAIL_POINTS - 1;
    t->rest[last] = 0;
    for (int i = last - 1; i >= 0; i--)
        t->rest[i] =
            t->rest[i + 1] + (t->s[i] + t->s[i + 1]) / 2 * (t->x[i + 1] - t->x[i]);
}

/* The points of a grid from 0 to end: even for little spread, else even in the logarithm. */
static void tail_spread(struct tail *t, double low, double end, bool even)
{
    t->x[0] = 0;
    for (int i = 1; i < TAIL_POINTS; i++) {
        double share = (double)(i - 1) / (TAIL_POINTS - 2);
        t->x[i] = even ? low + share * (end - low) : low * pow(end / low, share);
    }
}

void tail_init(struct tail *t, enum predict_family family, double shift, double mean,
               double cv)
{
    assert(mean > 0 && cv > 0 && shift >= 0);
    struct shape s = shape_of(family, mean, cv);
    double end = shape_end(&s, mean, cv);
    bool even = cv < 0.5 && s.family != PREDICT_PARETO;
    double low =
        even ? fmax(1e-3 * mean, mean * (1 - 7 * cv)) : 2e-3 * mean * pow(cv, -5);
    tail_spread(t, low, end, even);
    for (int i = 0; i < TAIL_POINTS; i++) {
        t->s[i] = shape_survival(&s, t->x[i]);
        t->x[i] += i > 0 ? shift : 0;
    }
    t->shift = shift;
    t->cv = cv * mean / (mean + shift);
    tail_integrate(t);
    t->mean = t->rest[0];
}

/* The last point at or below x. */
static int tail_find(const struct tail *t, double x)
{
    int low = 0, high = TAIL_POINTS - 1;
    while (high - low > 1) {
        int middle = (low + high) / 2;
        *(t->x[middle] <= x ? &low : &high) = middle;
    }
    return low;
}

double tail_survival(const struct tail *t, double x)
{
    if (x <= 0)
        return 1;
    if (x >= t->x[TAIL_POINTS - 1])
        return 0;
    int i = tail_find(t, x);
    double share = (x - t->x[i]) / (t->x[i + 1] - t->x[i]);
    return t->s[i] + share * (t->s[i + 1] - t->s[i]);
}

double tail_rest(const struct tail *t, double x)
{
    if (x <= 0)
        return t->rest[0] - x;
    if (x >= t->x[TAIL_POINTS - 1])
        return 0;
    int i = tail_find(t, x);
    double s = tail_survival(t, x);
    return t->rest[i + 1] + (s + t->s[i + 1]) / 2 * (t->x[i + 1] - x);
}

double tail_sd(const struct tail *t)
{
    double square = 0; /* twice the integral of x s(x) */
    for (int i = 1; i < TAIL_POINTS; i++)
        square +=
            (t->x[i] * t->s[i] + t->x[i - 1] * t->s[i - 1]) * (t->x[i] - t->x[i - 1]);
    return sqrt(fmax(0, square - t->rest[0] * t->rest[0]));
}

/* ---- renewals ----------------------------------------------------------------------- */

/* M(t) = F(t) + integral of M(t - u) dF(u), by the trapezium rule. */
void renewal_init(struct renewal *r, const struct tail *tail, double until_s)
{
    double fall[TAIL_STEPS + 1] = {0};
    r->tail = tail;
    r->steps = until_s > 0 ? TAIL_STEPS : 0;
    r->step_s = until_s > 0 ? until_s / TAIL_STEPS : 1;
    r->count[0] = 0;
    double before = 1;
    for (int i = 1; i <= r->steps; i++) {
        double s = tail_survival(tail, i * r->step_s);
        fall[i] = before - s;
        before = s;
        double sum = 1 - s + r->count[i - 1] / 2 * fall[1];
        for (int k = 2; k <= i; k++)
            sum += (r->count[i - k] + r->count[i - k + 1]) / 2 * fall[k];
        r->count[i] = sum / (1 - fall[1] / 2);
    }
}

double renewal_count(const struct renewal *r, double t)
{
    if (t <= 0)
        return 0;
    double at = t / r->step_s, mean = r->tail->mean;
    if (at >= r->steps) {
        double end = r->steps * r->step_s;
        double last = r->steps ? r->count[r->steps] : (r->tail->cv * r->tail->cv - 1) / 2;
        return fmax(0, last + (t - end) / mean);
    }
    int i = (int)at;
    return r->count[i] + (at - i) * (r->count[i + 1] - r->count[i]);
}

void renewal_residual(const struct renewal *r, double t, struct tail *out)
{
    const struct tail *tail = r->tail;
    double end = tail->x[TAIL_POINTS - 1];
    int steps = (int)fmin(r->steps, t / r->step_s);
    bool limit = t > 0 && r->steps == 0;
    if (t <= 0) {
        *out = *tail;
        return;
    }
    tail_spread(out, fmin(1e-3 * tail->mean, end / 10), end, false);
    out->s[0] = 1;
    for (int i = 1; i < TAIL_POINTS; i++) {
        double y = out->x[i];
        if (limit) {
            out->s[i] = tail_rest(tail, y) / tail->mean;
            continue;
        }
        /* Every fourth point, exponentials between: the sum is the dear part. */
        if (i % 4 != 0 && i != TAIL_POINTS - 1)
            continue;
        double s = tail_survival(tail, t + y);
        for (int k = 0; k < steps; k++)
            s += tail_survival(tail, t - (k + 0.5) * r->step_s + y) *
                 (r->count[k + 1] - r->count[k]);
        out->s[i] = fmin(1, s);
    }
    for (int i = 1, low = 0; i < TAIL_POINTS && !limit; i++) {
        if (i % 4 != 0 && i != TAIL_POINTS - 1)
            continue;
        double fall = out->s[i] > 0 ? log(out->s[i] / out->s[low]) : 0;
        for (int k = low + 1; k < i; k++) {
            double share = (out->x[k] - out->x[low]) / (out->x[i] - out->x[low]);
            out->s[k] = out->s[i] > 0 ? out->s[low] * exp(share * fall)
                                      : out->s[low] * (1 - share);
        }
        low = i;
    }
    tail_integrate(out);
    out->mean = out->rest[0];
    out->cv = tail->cv;
    out->shift = 0;
}
