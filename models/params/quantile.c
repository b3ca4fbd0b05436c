/* quantile.c - u in (0,1) to a value of a distribution. See quantile.h.
 *
 * Room:     models, facts.
 * Callers:  those of quantile.h.
 * Knows nothing of: where u comes from. */
#include "models/params/quantile.h"

#include "base/dice.h"
#include "jobq/units.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#define Z99 2.3263478740408408 /* quantile of the standard normal at 0.99 */

struct quantile quantile_constant(double value)
{
    return (struct quantile){.kind = QUANTILE_CONSTANT, .a = value};
}

struct quantile quantile_uniform(double low, double high)
{
    return (struct quantile){.kind = QUANTILE_UNIFORM, .a = low, .b = high};
}

struct quantile quantile_exponential(double mean)
{
    return (struct quantile){.kind = QUANTILE_EXPONENTIAL, .a = mean};
}

struct quantile quantile_lognormal_p99(double median, double p99)
{
    return (struct quantile){
        .kind = QUANTILE_LOGNORMAL, .a = log(median), .b = log(p99 / median) / Z99};
}

struct quantile quantile_lognormal_cv(double mean, double cv)
{
    double variance = log1p(cv * cv);
    return (struct quantile){
        .kind = QUANTILE_LOGNORMAL, .a = log(mean) - variance / 2.0, .b = sqrt(variance)};
}

static double table_value(const struct quantile *q, double u)
{
    int i = 1;
    while (i < q->count - 1 && u > q->p[i])
        i++;
    double share = (u - q->p[i - 1]) / (q->p[i] - q->p[i - 1]);
    return q->v[i - 1] + share * (q->v[i] - q->v[i - 1]);
}

double quantile_value(const struct quantile *q, double u)
{
    switch (q->kind) {
    case QUANTILE_CONSTANT:
        return q->a;
    case QUANTILE_UNIFORM:
        return q->a + u * (q->b - q->a);
    case QUANTILE_EXPONENTIAL:
        return -q->a * log1p(-u);
    case QUANTILE_LOGNORMAL:
        return exp(q->a + q->b * dice_normal_quantile(u));
    case QUANTILE_WEIBULL:
        return q->a * pow(-log1p(-u), 1.0 / q->b);
    case QUANTILE_PARETO:
        return q->a * pow(1.0 - u, -1.0 / q->b);
    case QUANTILE_TABLE:
        return table_value(q, u);
    }
    return 0.0;
}

static int64_t to_ns(double value)
{
    /* 2^63 ns are 292 years; a tail that long is cut. */
    if (value >= 9.2e18)
        return INT64_C(9200000000000000000);
    return (int64_t)(value + 0.5);
}

int64_t quantile_ns(const struct quantile *q, double u)
{
    return to_ns(quantile_value(q, u));
}

double quantile_mean(const struct quantile *q)
{
    double sum = 0.0;
    switch (q->kind) {
    case QUANTILE_CONSTANT:
    case QUANTILE_EXPONENTIAL:
        return q->a;
    case QUANTILE_UNIFORM:
        return (q->a + q->b) / 2.0;
    case QUANTILE_LOGNORMAL:
        return exp(q->a + q->b * q->b / 2.0);
    case QUANTILE_WEIBULL:
        return q->a * tgamma(1.0 + 1.0 / q->b);
    case QUANTILE_PARETO:
        return q->b > 1.0 ? q->a * q->b / (q->b - 1.0) : HUGE_VAL;
    case QUANTILE_TABLE:
        for (int i = 1; i < q->count; i++)
            sum += (q->p[i] - q->p[i - 1]) * (q->v[i] + q->v[i - 1]) / 2.0;
        return sum;
    }
    return 0.0;
}

/* ---- the table for inner loops
 * --------------------------------------------------------- */

#define FAST_LOW (1.0 / 64.0)
#define FAST_HIGH (63.0 / 64.0)

void quantile_compile(const struct quantile *q, struct quantile_table *out)
{
    out->exact = *q;
    for (int i = 0; i <= QUANTILE_KNOTS; i++) {
        /* The outermost knots lie outside what is looked up; u must not be 0 or 1. */
        double u = i == 0                ? 0.5 / QUANTILE_KNOTS
                   : i == QUANTILE_KNOTS ? 1.0 - 0.5 / QUANTILE_KNOTS
                                         : (double)i / QUANTILE_KNOTS;
        out->knot[i] = (float)quantile_value(q, u);
    }
}

int64_t quantile_fast_ns(const struct quantile_table *table, double u)
{
    if (!(u >= FAST_LOW && u <= FAST_HIGH))
        return quantile_ns(&table->exact, u);
    double at = u * QUANTILE_KNOTS;
    int i = (int)at;
    double low = (double)table->knot[i], high = (double)table->knot[i + 1];
    return to_ns(low + (at - i) * (high - low));
}

/* ---- reading
 * ------------------------------------------------------------------------------ */

enum { ARGS_MAX = QUANTILE_POINTS, ARG_BYTES = 64 };

static int bad(const char *text, const char *why, struct jobq_error *err)
{
    return jobq_fail(err, JOBQ_INVALID, "malformed distribution '%.80s': %s", text, why);
}

static int duration(const char *text, double *out, struct jobq_error *err)
{
    int64_t ns = 0;
    int code = jobq_parse_duration(text, &ns, err);
    if (code == JOBQ_OK)
        *out = (double)ns;
    return code;
}

/* Copies the piece of text up to stop (or its end) into out; returns what is behind it,
 * or NULL when it does not fit. */
static const char *piece(const char *text, char stop, char *out)
{
    const char *end = strchr(text, stop);
    size_t len = end ? (size_t)(end - text) : strlen(text);
    if (len == 0 || len >= ARG_BYTES)
        return NULL;
    memcpy(out, text, len);
    out[len] = '\0';
    return end ? end + 1 : text + len;
}

/* "name=value,name=value" with exactly the names first and second. */
static int two_args(const char *whole, const char *args, const char *first,
                    const char *second, char value[2][ARG_BYTES], struct jobq_error *err)
{
    const char *want[2] = {first, second};
    for (int i = 0; i < 2; i++) {
        char name[ARG_BYTES];
        if (!strchr(args, '=') || !(args = piece(args, '=', name)) ||
            strcmp(name, want[i]) != 0 || !(args = piece(args, ',', value[i])))
            return bad(whole, "wrong arguments", err);
    }
    return *args ? bad(whole, "too many arguments", err) : JOBQ_OK;
}

static int parse_lognormal(const char *whole, const char *args, struct quantile *out,
                           struct jobq_error *err)
{
    char value[2][ARG_BYTES];
    double first = 0, second = 0;
    bool by_mean = strncmp(args, "mean=", 5) == 0;
    int code = by_mean ? two_args(whole, args, "mean", "cv", value, err)
                       : two_args(whole, args, "median", "p99", value, err);
    if (code == JOBQ_OK)
        code = duration(value[0], &first, err);
    if (code == JOBQ_OK)
        code = by_mean ? jobq_parse_number(value[1], &second, err)
                       : duration(value[1], &second, err);
    if (code != JOBQ_OK)
        return code;
    if (!(first > 0) || (by_mean ? second < 0 : second < first))
        return bad(whole, "out of range", err);
    *out = by_mean ? quantile_lognormal_cv(first, second)
                   : quantile_lognormal_p99(first, second);
    return JOBQ_OK;
}

static int parse_shape(const char *whole, const char *args, const char *size,
                       enum quantile_kind kind, struct quantile *out,
                       struct jobq_error *err)
{
    char value[2][ARG_BYTES];
    double first = 0, second = 0;
    int code = two_args(whole, args, size, "shape", value, err);
    if (code == JOBQ_OK)
        code = duration(value[0], &first, err);
    if (code == JOBQ_OK)
        code = jobq_parse_number(value[1], &second, err);
    if (code != JOBQ_OK)
        return code;
    if (!(first > 0 && second > 0))
        return bad(whole, "out of range", err);
    *out = (struct quantile){.kind = kind, .a = first, .b = second};
    return JOBQ_OK;
}

static int parse_table(const char *whole, const char *args, struct quantile *out,
                       struct jobq_error *err)
{
    struct quantile q = {.kind = QUANTILE_TABLE};
    while (*args) {
        char p[ARG_BYTES], v[ARG_BYTES];
        if (q.count == QUANTILE_POINTS)
            return bad(whole, "more than 16 points", err);
        if (!strchr(args, '=') || !(args = piece(args, '=', p)) ||
            !(args = piece(args, ',', v)))
            return bad(whole, "want P=VALUE,P=VALUE", err);
        int code = jobq_parse_number(p, &q.p[q.count], err);
        if (code == JOBQ_OK)
            code = duration(v, &q.v[q.count], err);
        if (code != JOBQ_OK)
            return code;
        if (q.count > 0 &&
            !(q.p[q.count] > q.p[q.count - 1] && q.v[q.count] >= q.v[q.count - 1]))
            return bad(whole, "points must rise", err);
        q.count++;
    }
    if (q.count < 2 || fabs(q.p[0]) > 0.0 || fabs(q.p[q.count - 1] - 1.0) > 0.0)
        return bad(whole, "points must go from 0 to 1", err);
    *out = q;
    return JOBQ_OK;
}

static int parse_uniform(const char *whole, const char *args, struct quantile *out,
                         struct jobq_error *err)
{
    char low[ARG_BYTES];
    const char *dots = strstr(args, "..");
    double a = 0, b = 0;
    if (!dots || dots == args || dots - args >= ARG_BYTES)
        return bad(whole, "want LOW..HIGH", err);
    memcpy(low, args, (size_t)(dots - args));
    low[dots - args] = '\0';
    int code = duration(low, &a, err);
    if (code == JOBQ_OK)
        code = duration(dots + 2, &b, err);
    if (code != JOBQ_OK)
        return code;
    if (b < a)
        return bad(whole, "out of range", err);
    *out = quantile_uniform(a, b);
    return JOBQ_OK;
}

static int parse_plain(const char *args, enum quantile_kind kind, struct quantile *out,
                       struct jobq_error *err)
{
    double a = 0;
    int code = duration(args, &a, err);
    if (code == JOBQ_OK)
        *out = (struct quantile){.kind = kind, .a = a};
    return code;
}

int quantile_parse(const char *text, struct quantile *out, struct jobq_error *err)
{
    char name[ARG_BYTES];
    const char *args = strchr(text, ':') ? piece(text, ':', name) : NULL;
    if (!args && strchr(text, ':'))
        return bad(text, "no such kind", err);
    if (!args)
        return parse_plain(text, QUANTILE_CONSTANT, out, err);
    if (strcmp(name, "const") == 0)
        return parse_plain(args, QUANTILE_CONSTANT, out, err);
    if (strcmp(name, "exp") == 0)
        return parse_plain(args, QUANTILE_EXPONENTIAL, out, err);
    if (strcmp(name, "uniform") == 0)
        return parse_uniform(text, args, out, err);
    if (strcmp(name, "lognormal") == 0)
        return parse_lognormal(text, args, out, err);
    if (strcmp(name, "weibull") == 0)
        return parse_shape(text, args, "scale", QUANTILE_WEIBULL, out, err);
    if (strcmp(name, "pareto") == 0)
        return parse_shape(text, args, "min", QUANTILE_PARETO, out, err);
    if (strcmp(name, "table") == 0)
        return parse_table(text, args, out, err);
    return bad(text, "no such kind", err);
}
