#include "sim/play/dist.h"

#include "base/arena.h"
#include "jobq/units.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Parameters by kind:
 *   EXP        a mean
 *   LOGNORMAL  a median, b sigma
 *   GAMMA      a scale, b shape
 *   WEIBULL    a scale, b shape
 *   PARETO     a minimum, b alpha */

#define SAMPLE_MAX 100000000

static const struct {
    const char *name;
    enum dist_kind kind;
} KINDS[] = {{"uniform", DIST_UNIFORM},     {"exp", DIST_EXP},
             {"lognormal", DIST_LOGNORMAL}, {"gamma", DIST_GAMMA},
             {"weibull", DIST_WEIBULL},     {"pareto", DIST_PARETO},
             {"empirical", DIST_EMPIRICAL}};
#define KIND_COUNT ((int)(sizeof KINDS / sizeof KINDS[0]))

static double log_gamma(double x)
{
    int sign;
    return lgamma_r(x, &sign);
}

/* ---- moments ---------------------------------------------------------------------- */

static double weibull_cv(double shape)
{
    double ratio = log_gamma(1 + 2 / shape) - 2 * log_gamma(1 + 1 / shape);
    return sqrt(fmax(0, expm1(ratio)));
}

/* The cv falls as the shape grows; bisection on the logarithm of the shape. */
static double weibull_shape(double cv)
{
    double low = log(0.02), high = log(1000);
    for (int i = 0; i < 200; i++) {
        double middle = 0.5 * (low + high);
        if (weibull_cv(exp(middle)) > cv)
            low = middle;
        else
            high = middle;
    }
    return exp(0.5 * (low + high));
}

double dist_mean_s(const struct dist *d)
{
    double mean = 0;
    switch (d->kind) {
    case DIST_CONSTANT:
        mean = (double)d->low_ns;
        break;
    case DIST_UNIFORM:
        mean = 0.5 * ((double)d->low_ns + (double)d->high_ns);
        break;
    case DIST_EXP:
        mean = d->a;
        break;
    case DIST_LOGNORMAL:
        mean = d->a * exp(0.5 * d->b * d->b);
        break;
    case DIST_GAMMA:
        mean = d->a * d->b;
        break;
    case DIST_WEIBULL:
        mean = d->a * exp(log_gamma(1 + 1 / d->b));
        break;
    case DIST_PARETO:
        mean = d->b > 1 ? d->a * d->b / (d->b - 1) : HUGE_VAL;
        break;
    case DIST_EMPIRICAL:
        for (int64_t i = 0; i < d->count; i++)
            mean += (double)d->sample_ns[i] / (double)d->count;
        break;
    }
    return mean / 1e9;
}

static double empirical_cv(const struct dist *d)
{
    double mean = dist_mean_s(d) * 1e9, square = 0;
    for (int64_t i = 0; i < d->count; i++) {
        double off = (double)d->sample_ns[i] - mean;
        square += off * off / (double)d->count;
    }
    return mean > 0 ? sqrt(square) / mean : 0;
}

double dist_cv(const struct dist *d)
{
    double width = (double)d->high_ns - (double)d->low_ns;
    switch (d->kind) {
    case DIST_CONSTANT:
        return 0;
    case DIST_UNIFORM:
        return width > 0 ? width / sqrt(12) / (dist_mean_s(d) * 1e9) : 0;
    case DIST_EXP:
        return 1;
    case DIST_LOGNORMAL:
        return sqrt(expm1(d->b * d->b));
    case DIST_GAMMA:
        return 1 / sqrt(d->b);
    case DIST_WEIBULL:
        return weibull_cv(d->b);
    case DIST_PARETO:
        return d->b > 2 ? 1 / sqrt(d->b * (d->b - 2)) : HUGE_VAL;
    case DIST_EMPIRICAL:
        return empirical_cv(d);
    }
    return 0;
}

/* ---- drawing ---------------------------------------------------------------------- */

static double draw_gamma(double shape, uint64_t seed)
{
    struct dice dice;
    dice_init(&dice, seed, "gamma", 0);
    /* Below shape 1: draw for shape + 1 and multiply by u^(1/shape). */
    double boost = shape < 1 ? pow(dice_u(&dice), 1 / shape) : 1;
    double d = (shape < 1 ? shape + 1 : shape) - 1.0 / 3, c = 1 / sqrt(9 * d);
    for (;;) {
        double x = dice_normal(&dice), v = 1 + c * x;
        if (v <= 0)
            continue;
        v = v * v * v;
        if (log(dice_u(&dice)) < 0.5 * x * x + d - d * v + d * log(v))
            return boost * d * v;
    }
}

static int64_t ns_of(double ns)
{
    return ns >= 9.2233720368547e18 ? INT64_MAX : (int64_t)(ns + 0.5);
}

int64_t dist_draw_ns(const struct dist *d, struct dice *dice)
{
    uint64_t bits = dice_bits(dice);
    double u = ((double)(bits >> 12) + 0.5) * 0x1p-52;
    switch (d->kind) {
    case DIST_CONSTANT:
        return d->low_ns;
    case DIST_UNIFORM: {
        int64_t at = (int64_t)(u * ((double)(d->high_ns - d->low_ns) + 1));
        return at > d->high_ns - d->low_ns ? d->high_ns : d->low_ns + at;
    }
    case DIST_EXP:
        return ns_of(-d->a * log(u));
    case DIST_LOGNORMAL:
        return ns_of(d->a * exp(d->b * dice_normal_quantile(u)));
    case DIST_GAMMA:
        return ns_of(d->a * draw_gamma(d->b, bits));
    case DIST_WEIBULL:
        return ns_of(d->a * pow(-log(u), 1 / d->b));
    case DIST_PARETO:
        return ns_of(d->a * pow(u, -1 / d->b));
    case DIST_EMPIRICAL: {
        int64_t i = (int64_t)(u * (double)d->count);
        return d->sample_ns[i < d->count ? i : d->count - 1];
    }
    }
    return 0;
}

/* ---- reading ---------------------------------------------------------------------- */

struct params {
    double mean_ns, cv, median_ns, sigma, shape, scale_ns, min_ns,
        alpha; /* < 0: not given */
};

static int shown(struct jobq_error *err, const char *text, const char *why)
{
    char safe[80];
    text_escape(text, (int64_t)strlen(text), safe, sizeof safe);
    return jobq_fail(err, JOBQ_INVALID, "malformed distribution '%s': %s", safe, why);
}

static int read_param(const char *key, const char *value, struct params *p,
                      struct jobq_error *err)
{
    const struct {
        const char *name;
        double *to;
        bool duration;
    } table[] = {{"mean", &p->mean_ns, true},     {"cv", &p->cv, false},
                 {"median", &p->median_ns, true}, {"sigma", &p->sigma, false},
                 {"shape", &p->shape, false},     {"scale", &p->scale_ns, true},
                 {"min", &p->min_ns, true},       {"alpha", &p->alpha, false}};
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        if (strcmp(table[i].name, key) != 0)
            continue;
        if (table[i].duration) {
            int64_t ns;
            int code = jobq_parse_duration(value, &ns, err);
            *table[i].to = code == JOBQ_OK ? (double)ns : -1;
            return code;
        }
        int code = jobq_parse_number(value, table[i].to, err);
        if (code == JOBQ_OK && !(*table[i].to > 0 && *table[i].to <= 1e6))
            return jobq_fail(err, JOBQ_INVALID, "'%s' must be above 0 and at most 1e6",
                             key);
        return code;
    }
    return jobq_fail(err, JOBQ_INVALID, "unknown parameter");
}

/* mean=2s,cv=1.5 */
static int read_params(const char *text, const char *list, struct params *p,
                       struct jobq_error *err)
{
    *p = (struct params){-1, -1, -1, -1, -1, -1, -1, -1};
    char copy[200];
    if (strlen(list) >= sizeof copy)
        return shown(err, text, "too long");
    memcpy(copy, list, strlen(list) + 1);
    char *save;
    for (char *part = strtok_r(copy, ",", &save); part;
         part = strtok_r(NULL, ",", &save)) {
        char *value = strchr(part, '=');
        if (!value)
            return shown(err, text, "want name=value,name=value");
        *value++ = '\0';
        struct jobq_error why = {0};
        if (read_param(part, value, p, &why) != JOBQ_OK) {
            char reason[300], name[40];
            text_escape(part, (int64_t)strlen(part), name, sizeof name);
            snprintf(reason, sizeof reason, "%s: %.200s", name, why.text);
            return shown(err, text, reason);
        }
    }
    return JOBQ_OK;
}

static int set_shape(const char *text, struct dist *d, const struct params *p,
                     struct jobq_error *err)
{
    bool moments = p->mean_ns >= 0 && p->cv > 0;
    switch ((int)d->kind) {
    case DIST_LOGNORMAL:
        if (moments) {
            d->b = sqrt(log1p(p->cv * p->cv));
            d->a = p->mean_ns * exp(-0.5 * d->b * d->b);
            return JOBQ_OK;
        }
        d->a = p->median_ns;
        d->b = p->sigma;
        return d->a >= 0 && d->b > 0
                   ? JOBQ_OK
                   : shown(err, text, "want mean=,cv= or median=,sigma=");
    case DIST_GAMMA:
    case DIST_WEIBULL:
        if (moments && p->cv > 100)
            return shown(err, text, "a cv above 100 is out of range");
        if (moments && d->kind == DIST_GAMMA) {
            d->b = 1 / (p->cv * p->cv);
            d->a = p->mean_ns / d->b;
            return JOBQ_OK;
        }
        if (moments) {
            d->b = weibull_shape(p->cv);
            d->a = p->mean_ns / exp(log_gamma(1 + 1 / d->b));
            return JOBQ_OK;
        }
        d->a = p->scale_ns;
        d->b = p->shape;
        return d->a >= 0 && d->b > 0
                   ? JOBQ_OK
                   : shown(err, text, "want mean=,cv= or shape=,scale=");
    case DIST_PARETO:
        if (moments) {
            d->b = 1 + sqrt(1 + 1 / (p->cv * p->cv));
            d->a = p->mean_ns * (d->b - 1) / d->b;
            return JOBQ_OK;
        }
        d->a = p->min_ns;
        d->b = p->alpha;
        return d->a >= 0 && d->b > 1
                   ? JOBQ_OK
                   : shown(err, text, "want mean=,cv= or min=,alpha= > 1");
    default:
        return shown(err, text, "unknown");
    }
}

static int read_sample(const char *path, struct dist *d, struct jobq_error *err)
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

static int parse_uniform(const char *text, const char *rest, struct dist *d,
                         struct jobq_error *err)
{
    const char *dots = strstr(rest, "..");
    char low[64];
    if (!dots || dots == rest || (size_t)(dots - rest) >= sizeof low)
        return shown(err, text, "want uniform:LOW..HIGH");
    memcpy(low, rest, (size_t)(dots - rest));
    low[dots - rest] = '\0';
    int code = jobq_parse_duration(low, &d->low_ns, err);
    if (code == JOBQ_OK)
        code = jobq_parse_duration(dots + 2, &d->high_ns, err);
    if (code == JOBQ_OK && d->low_ns > d->high_ns)
        return shown(err, text, "the low end is above the high end");
    return code;
}

static int parse_kind(const char *text, const char *rest, struct dist *d,
                      struct jobq_error *err)
{
    if (d->kind == DIST_UNIFORM)
        return parse_uniform(text, rest, d, err);
    if (d->kind == DIST_EMPIRICAL) {
        if (!*rest)
            return shown(err, text, "want empirical:FILE");
        d->path = xstrdup(rest);
        return read_sample(rest, d, err);
    }
    struct params p;
    if (d->kind == DIST_EXP && !strchr(rest, '=')) {
        int64_t ns;
        int code = jobq_parse_duration(rest, &ns, err);
        d->a = code == JOBQ_OK ? (double)ns : 0;
        return code;
    }
    int code = read_params(text, rest, &p, err);
    if (code != JOBQ_OK)
        return code;
    if (d->kind == DIST_EXP) {
        d->a = p.mean_ns;
        return p.mean_ns >= 0 ? JOBQ_OK : shown(err, text, "want exp:MEAN");
    }
    return set_shape(text, d, &p, err);
}

int dist_parse(const char *text, struct dist *out, struct jobq_error *err)
{
    struct dist d = {.kind = DIST_CONSTANT};
    const char *colon = strchr(text, ':');
    int code;
    if (!colon) {
        code = jobq_parse_duration(text, &d.low_ns, err);
        d.high_ns = d.low_ns;
    } else {
        int k = 0;
        while (k < KIND_COUNT &&
               !(strlen(KINDS[k].name) == (size_t)(colon - text) &&
                 memcmp(KINDS[k].name, text, (size_t)(colon - text)) == 0))
            k++;
        if (k == KIND_COUNT)
            return shown(
                err, text,
                "unknown; want a duration, exp, uniform, lognormal, gamma, weibull, "
                "pareto or empirical");
        d.kind = KINDS[k].kind;
        code = parse_kind(text, colon + 1, &d, err);
    }
    if (code != JOBQ_OK) {
        dist_release(&d);
        return code;
    }
    *out = d;
    return JOBQ_OK;
}

void dist_release(struct dist *d)
{
    free(d->sample_ns);
    free(d->path);
    *d = (struct dist){.kind = DIST_CONSTANT};
}

void dist_constant(struct dist *out, int64_t ns)
{
    *out = (struct dist){.kind = DIST_CONSTANT, .low_ns = ns, .high_ns = ns};
}

void dist_copy(struct dist *out, const struct dist *from)
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

bool dist_is_constant(const struct dist *d, int64_t ns)
{
    return d->kind == DIST_CONSTANT && d->low_ns == ns;
}

/* ---- writing ---------------------------------------------------------------------- */

static void put_duration(struct text *out, const char *name, double ns)
{
    char shown_ns[40];
    text_puts(out, name);
    text_puts(out, jobq_format_duration((int64_t)(ns + 0.5), shown_ns, sizeof shown_ns));
}

void dist_format(const struct dist *d, struct text *out)
{
    switch (d->kind) {
    case DIST_CONSTANT:
        put_duration(out, "", (double)d->low_ns);
        return;
    case DIST_UNIFORM:
        put_duration(out, "uniform:", (double)d->low_ns);
        put_duration(out, "..", (double)d->high_ns);
        return;
    case DIST_EXP:
        put_duration(out, "exp:", d->a);
        return;
    case DIST_LOGNORMAL:
        put_duration(out, "lognormal:median=", d->a);
        text_puts(out, ",sigma=");
        break;
    case DIST_GAMMA:
        put_duration(out, "gamma:scale=", d->a);
        text_puts(out, ",shape=");
        break;
    case DIST_WEIBULL:
        put_duration(out, "weibull:scale=", d->a);
        text_puts(out, ",shape=");
        break;
    case DIST_PARETO:
        put_duration(out, "pareto:min=", d->a);
        text_puts(out, ",alpha=");
        break;
    case DIST_EMPIRICAL:
        text_puts(out, "empirical:");
        text_puts(out, d->path);
        return;
    }
    text_put_double(out, d->b);
}
