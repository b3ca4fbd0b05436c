/* distribution_text.c - distributions as people write them. See distribution.h.
 *
 * Room:     src/base, a tool. */
#include "base/arena.h"
#include "base/distribution.h"
#include "jobq/units.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SAMPLE_MAX 100000000
#define PAIRS_MAX 1000

static const struct {
    const char *name;
    enum distribution_kind kind;
} KINDS[] = {{"const", DISTRIBUTION_CONSTANT},     {"uniform", DISTRIBUTION_UNIFORM},
             {"exp", DISTRIBUTION_EXPONENTIAL},    {"lognormal", DISTRIBUTION_LOGNORMAL},
             {"gamma", DISTRIBUTION_GAMMA},        {"weibull", DISTRIBUTION_WEIBULL},
             {"pareto", DISTRIBUTION_PARETO},      {"table", DISTRIBUTION_TABLE},
             {"empirical", DISTRIBUTION_EMPIRICAL}};
#define KIND_COUNT ((int)(sizeof KINDS / sizeof KINDS[0]))

/* ---- reading -------------------------------------------------------------------------- */

/* < 0: not given. */
struct given {
    double mean_ns, cv, median_ns, p99_ns, sigma, shape, scale_ns, min_ns, alpha;
    int count; /* of those that are, and the first two, as written */
    const char *name[2];
    double value[2];
};

static int distribution_malformed(struct jobq_error *err, const char *text,
                                  const char *why)
{
    char safe[80];
    text_escape(text, (int64_t)strlen(text), safe, sizeof safe);
    return jobq_fail(err, JOBQ_INVALID, "malformed distribution '%s': %s", safe, why);
}

static int read_duration(const char *text, double *out_ns, struct jobq_error *err)
{
    int64_t ns = 0;
    int code = jobq_parse_duration(text, &ns, err);
    if (code == JOBQ_OK)
        *out_ns = (double)ns;
    return code;
}

static int read_given(const char *key, const char *value, struct given *g,
                      struct jobq_error *err)
{
    const struct {
        const char *name;
        double *to;
        bool duration;
    } table[] = {{"mean", &g->mean_ns, true},     {"cv", &g->cv, false},
                 {"median", &g->median_ns, true}, {"sigma", &g->sigma, false},
                 {"p99", &g->p99_ns, true},       {"shape", &g->shape, false},
                 {"scale", &g->scale_ns, true},   {"min", &g->min_ns, true},
                 {"alpha", &g->alpha, false}};
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        if (strcmp(table[i].name, key) != 0)
            continue;
        int code = table[i].duration ? read_duration(value, table[i].to, err)
                                     : jobq_parse_number(value, table[i].to, err);
        if (code != JOBQ_OK)
            return code;
        if (!(*table[i].to > 0) || (!table[i].duration && *table[i].to > 1e6))
            return jobq_fail(err, JOBQ_INVALID, "'%s' must be above 0%s", key,
                             table[i].duration ? "" : " and at most 1e6");
        if (g->count < 2) {
            g->name[g->count] = table[i].name;
            g->value[g->count] = *table[i].to;
        }
        g->count++;
        return JOBQ_OK;
    }
    return jobq_fail(err, JOBQ_INVALID, "unknown parameter");
}

/* Cuts "name=value,name=value" in place: each(ctx, name, value) until one fails. */
static int each_pair(const char *text, const char *list,
                     int (*each)(void *ctx, const char *name, const char *value,
                                 struct jobq_error *err),
                     void *ctx, struct jobq_error *err)
{
    char copy[PAIRS_MAX], *save;
    if (strlen(list) >= sizeof copy)
        return distribution_malformed(err, text, "too long");
    memcpy(copy, list, strlen(list) + 1);
    for (char *part = strtok_r(copy, ",", &save); part;
         part = strtok_r(NULL, ",", &save)) {
        char *value = strchr(part, '=');
        if (!value)
            return distribution_malformed(err, text, "want name=value,name=value");
        *value++ = '\0';
        struct jobq_error why = {0};
        if (each(ctx, part, value, &why) != JOBQ_OK) {
            char reason[300], name[40];
            text_escape(part, (int64_t)strlen(part), name, sizeof name);
            snprintf(reason, sizeof reason, "%s: %.200s", name, why.text);
            return distribution_malformed(err, text, reason);
        }
    }
    return JOBQ_OK;
}

static int take_given(void *ctx, const char *name, const char *value,
                      struct jobq_error *err)
{
    return read_given(name, value, ctx, err);
}

/* The cv falls as the shape grows; bisection on the logarithm of the shape. */
static double weibull_shape(double cv)
{
    double low = log(0.02), high = log(1000);
    for (int i = 0; i < 200; i++) {
        struct distribution d = {
            .kind = DISTRIBUTION_WEIBULL, .a = 1, .b = exp(0.5 * (low + high))};
        if (distribution_cv(&d) > cv)
            low = log(d.b);
        else
            high = log(d.b);
    }
    return exp(0.5 * (low + high));
}

/* By two parameters of which none may be missing. */
static int by_two(const char *text, struct distribution *d, double a, double b,
                  const char *want, struct jobq_error *err)
{
    d->a = a;
    d->b = b;
    return a > 0 && b > 0 ? JOBQ_OK : distribution_malformed(err, text, want);
}

static int set_lognormal(const char *text, struct distribution *d, const struct given *g,
                         struct jobq_error *err)
{
    if (g->mean_ns > 0 && g->cv > 0) {
        *d = distribution_lognormal_cv(g->mean_ns, g->cv);
        return JOBQ_OK;
    }
    if (g->median_ns > 0 && g->p99_ns > 0) {
        *d = distribution_lognormal_p99(g->median_ns, g->p99_ns);
        return g->p99_ns >= g->median_ns
                   ? JOBQ_OK
                   : distribution_malformed(err, text, "the p99 is below the median");
    }
    return by_two(text, d, g->median_ns, g->sigma,
                  "want mean=,cv= or median=,sigma= or median=,p99=", err);
}

static int set_shape(const char *text, struct distribution *d, const struct given *g,
                     struct jobq_error *err)
{
    bool moments = g->mean_ns > 0 && g->cv > 0;
    if (d->kind == DISTRIBUTION_LOGNORMAL)
        return set_lognormal(text, d, g, err);
    if (d->kind == DISTRIBUTION_PARETO) {
        if (moments) {
            d->b = 1 + sqrt(1 + 1 / (g->cv * g->cv));
            d->a = g->mean_ns * (d->b - 1) / d->b;
            return JOBQ_OK;
        }
        double alpha = g->alpha > 0 ? g->alpha : g->shape;
        return by_two(text, d, g->min_ns, alpha > 1 ? alpha : -1,
                      "want mean=,cv= or min=,alpha= > 1", err);
    }
    if (moments && g->cv > 100)
        return distribution_malformed(err, text, "a cv above 100 is out of range");
    if (!moments)
        return by_two(text, d, g->scale_ns, g->shape,
                      "want mean=,cv= or shape=,scale=", err);
    d->b = d->kind == DISTRIBUTION_GAMMA ? 1 / (g->cv * g->cv) : weibull_shape(g->cv);
    d->a = 1;
    d->a = g->mean_ns / distribution_mean(d);
    return JOBQ_OK;
}

static int take_point(void *ctx, const char *name, const char *value,
                      struct jobq_error *err)
{
    struct distribution *d = ctx;
    int64_t i = d->count;
    if (i == DISTRIBUTION_POINTS)
        return jobq_fail(err, JOBQ_INVALID, "more than %d points", DISTRIBUTION_POINTS);
    int code = jobq_parse_number(name, &d->p[i], err);
    if (code == JOBQ_OK)
        code = read_duration(value, &d->v[i], err);
    if (code != JOBQ_OK)
        return code;
    if (i > 0 && !(d->p[i] > d->p[i - 1] && d->v[i] >= d->v[i - 1]))
        return jobq_fail(err, JOBQ_INVALID, "points must rise");
    d->count++;
    return JOBQ_OK;
}

static int distribution_read_table(const char *text, const char *rest,
                                   struct distribution *d, struct jobq_error *err)
{
    int code = each_pair(text, rest, take_point, d, err);
    if (code != JOBQ_OK)
        return code;
    if (d->count < 2 || fabs(d->p[0]) > 0 || fabs(d->p[d->count - 1] - 1) > 0)
        return distribution_malformed(err, text, "points must go from 0 to 1");
    return JOBQ_OK;
}

static int read_sample(const char *path, struct distribution *d, struct jobq_error *err)
{
    char safe[100];
    text_escape(path, (int64_t)strlen(path), safe, sizeof safe);
    FILE *file = fopen(path, "r");
    if (!file)
        return jobq_fail(err, JOBQ_NOT_FOUND, "cannot open '%s'", safe);
    char line[128];
    int64_t number = 0, cap = 0;
    int code = JOBQ_OK;
    while (code == JOBQ_OK && fgets(line, sizeof line, file)) {
        number++;
        size_t len = strcspn(line, "\r\n");
        if (line[len] == '\0' && len + 1 == sizeof line)
            code = jobq_fail(err, JOBQ_INVALID, "line is too long");
        line[len] = '\0';
        char *start = line + strspn(line, " \t");
        start[strcspn(start, " \t,;#")] = '\0';
        if (code != JOBQ_OK || *start == '\0')
            continue;
        if (d->count == cap) {
            cap = cap ? 2 * cap : 256;
            d->sample_ns = xrealloc(d->sample_ns, (size_t)cap * sizeof *d->sample_ns);
        }
        code = jobq_parse_duration(start, &d->sample_ns[d->count], err);
        d->count++;
        if (code == JOBQ_OK && d->count > SAMPLE_MAX)
            code = jobq_fail(err, JOBQ_LIMIT, "more than %d values", SAMPLE_MAX);
    }
    fclose(file);
    if (code != JOBQ_OK)
        return jobq_wrap(err, "%s:%lld", safe, (long long)number);
    if (d->count == 0)
        return jobq_fail(err, JOBQ_INVALID, "'%s' holds no duration", safe);
    return JOBQ_OK;
}

static int read_uniform(const char *text, const char *rest, struct distribution *d,
                        struct jobq_error *err)
{
    const char *dots = strstr(rest, "..");
    char low[64];
    if (!dots || dots == rest || (size_t)(dots - rest) >= sizeof low)
        return distribution_malformed(err, text, "want uniform:LOW..HIGH");
    memcpy(low, rest, (size_t)(dots - rest));
    low[dots - rest] = '\0';
    int code = read_duration(low, &d->a, err);
    if (code == JOBQ_OK)
        code = read_duration(dots + 2, &d->b, err);
    if (code == JOBQ_OK && d->a > d->b)
        return distribution_malformed(err, text, "the low end is above the high end");
    return code;
}

static int read_kind(const char *text, const char *rest, struct distribution *d,
                     struct jobq_error *err)
{
    if (d->kind == DISTRIBUTION_UNIFORM)
        return read_uniform(text, rest, d, err);
    if (d->kind == DISTRIBUTION_TABLE)
        return distribution_read_table(text, rest, d, err);
    if (d->kind == DISTRIBUTION_CONSTANT ||
        (d->kind == DISTRIBUTION_EXPONENTIAL && !strchr(rest, '=')))
        return read_duration(rest, &d->a, err);
    if (d->kind == DISTRIBUTION_EMPIRICAL) {
        if (!*rest)
            return distribution_malformed(err, text, "want empirical:FILE");
        d->path = xstrdup(rest);
        return read_sample(rest, d, err);
    }
    struct given g = {-1, -1, -1, -1, -1, -1, -1, -1, -1, 0, {NULL, NULL}, {0, 0}};
    int code = each_pair(text, rest, take_given, &g, err);
    if (code != JOBQ_OK)
        return code;
    if (d->kind == DISTRIBUTION_EXPONENTIAL) {
        d->a = g.mean_ns;
        return d->a > 0 ? JOBQ_OK : distribution_malformed(err, text, "want exp:MEAN");
    }
    if (g.count > 2)
        return distribution_malformed(err, text, "want two parameters");
    code = set_shape(text, d, &g, err);
    for (int i = 0; i < 2; i++) {
        d->given_name[i] = g.name[i];
        d->given[i] = g.value[i];
    }
    return code;
}

int distribution_read(const char *text, struct distribution *out, struct jobq_error *err)
{
    struct distribution d = {.kind = DISTRIBUTION_CONSTANT};
    const char *colon = strchr(text, ':');
    int code;
    if (!colon) {
        code = read_duration(text, &d.a, err);
    } else {
        int k = 0;
        while (k < KIND_COUNT &&
               !(strlen(KINDS[k].name) == (size_t)(colon - text) &&
                 memcmp(KINDS[k].name, text, (size_t)(colon - text)) == 0))
            k++;
        if (k == KIND_COUNT)
            return distribution_malformed(
                err, text,
                "unknown; want a duration, exp, uniform, lognormal, gamma, weibull, "
                "pareto, table or empirical");
        d.kind = KINDS[k].kind;
        code = read_kind(text, colon + 1, &d, err);
    }
    if (code != JOBQ_OK) {
        distribution_release(&d);
        return code;
    }
    *out = d;
    return JOBQ_OK;
}

int distribution_parse(const char *text, struct distribution *out, struct jobq_error *err)
{
    if (strncmp(text, "empirical:", 10) == 0)
        return distribution_malformed(err, text, "a file is not taken here");
    return distribution_read(text, out, err);
}

/* ---- writing -------------------------------------------------------------------------- */

static void put_duration(struct text *out, const char *name, double ns)
{
    char shown_ns[40];
    text_puts(out, name);
    text_puts(out, jobq_format_duration((int64_t)(ns + 0.5), shown_ns, sizeof shown_ns));
}

/* Parameters that are no durations. */
static const char *const NUMBERS[] = {"cv", "sigma", "shape", "alpha"};

static bool put_given(const struct distribution *d, struct text *out)
{
    if (!d->given_name[0])
        return false;
    for (int k = 0; k < KIND_COUNT; k++)
        if (KINDS[k].kind == d->kind)
            text_puts(out, KINDS[k].name);
    for (int i = 0; i < 2; i++) {
        bool number = false;
        for (int k = 0; k < 4; k++)
            number = number || strcmp(d->given_name[i], NUMBERS[k]) == 0;
        text_printf(out, "%s%s=", i ? "," : ":", d->given_name[i]);
        if (number)
            text_put_double(out, d->given[i]);
        else
            put_duration(out, "", d->given[i]);
    }
    return true;
}

void distribution_format(const struct distribution *d, struct text *out)
{
    if (put_given(d, out))
        return;
    switch (d->kind) {
    case DISTRIBUTION_CONSTANT:
        put_duration(out, "", d->a);
        return;
    case DISTRIBUTION_UNIFORM:
        put_duration(out, "uniform:", d->a);
        put_duration(out, "..", d->b);
        return;
    case DISTRIBUTION_EXPONENTIAL:
        put_duration(out, "exp:", d->a);
        return;
    case DISTRIBUTION_LOGNORMAL:
        put_duration(out, "lognormal:median=", d->a);
        text_puts(out, ",sigma=");
        break;
    case DISTRIBUTION_GAMMA:
        /* Its scale may be less than a nanosecond where the cv is large. */
        put_duration(out, "gamma:mean=", distribution_mean(d));
        text_puts(out, ",cv=");
        text_put_double(out, distribution_cv(d));
        return;
    case DISTRIBUTION_WEIBULL:
        put_duration(out, "weibull:scale=", d->a);
        text_puts(out, ",shape=");
        break;
    case DISTRIBUTION_PARETO:
        put_duration(out, "pareto:min=", d->a);
        text_puts(out, ",alpha=");
        break;
    case DISTRIBUTION_TABLE:
        for (int64_t i = 0; i < d->count; i++) {
            text_puts(out, i ? "," : "table:");
            text_put_double(out, d->p[i]);
            put_duration(out, "=", d->v[i]);
        }
        return;
    case DISTRIBUTION_EMPIRICAL:
        text_puts(out, "empirical:");
        text_puts(out, d->path);
        return;
    }
    text_put_double(out, d->b);
}
