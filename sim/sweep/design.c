/* design.c - which points a sweep plays. See design.h.
 *
 * Room:     sim. */
#include "sim/sweep/design.h"

#include "base/arena.h"
#include "base/dice.h"
#include "base/text.h"
#include "jobq/units.h"

#include <assert.h>
#include <gsl/gsl_qrng.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct axis {
    char *option, *text;
    enum design_kind kind;
    char **value; /* a list, or what a range was cut into; NULL: a bare range */
    int count;
    bool range, log;
    double low, high; /* in ns, bytes or plain */
    double *unit;     /* the coordinate of each point in (0,1); not in a grid */
    design_make_fn *make;
    const void *make_ctx;
    int made_first; /* the first axis that `make` sees */
};

struct design {
    struct axis axis[DESIGN_AXES_MAX];
    int axes;
    int64_t filled; /* points; 0: the full grid */
};

struct design *design_new(void)
{
    return xcalloc(1, sizeof(struct design));
}

void design_free(struct design *design)
{
    if (!design)
        return;
    for (int i = 0; i < design->axes; i++) {
        struct axis *a = &design->axis[i];
        for (int v = 0; v < a->count; v++)
            free(a->value[v]);
        free(a->value);
        free(a->option);
        free(a->text);
        free(a->unit);
    }
    free(design);
}

static int parse_plain(enum design_kind kind, const char *text, double *out,
                       struct jobq_error *err)
{
    int64_t whole = 0;
    int code = JOBQ_OK;
    switch (kind) {
    case DESIGN_SIZE:
        code = jobq_parse_size(text, &whole, err);
        break;
    case DESIGN_DURATION:
        code = jobq_parse_duration(text, &whole, err);
        break;
    case DESIGN_COUNT:
        code = jobq_parse_count(text, &whole, err);
        break;
    case DESIGN_NUMBER:
        return jobq_parse_number(text, out, err);
    case DESIGN_TEXT:
        return jobq_fail(err, JOBQ_INVALID, "a range needs numbers");
    }
    *out = (double)whole;
    return code;
}

/* Durations are rounded to the nanosecond, sizes and counts to one, so that the text says
 * exactly what is run. */
static void format_plain(enum design_kind kind, double value, char out[DESIGN_VALUE_CAP])
{
    int64_t whole = (int64_t)llround(value);
    struct text text = {0};
    switch (kind) {
    case DESIGN_SIZE:
    case DESIGN_COUNT:
        out[text_write_int(out, whole)] = '\0';
        return;
    case DESIGN_DURATION:
        jobq_format_duration(whole, out, DESIGN_VALUE_CAP);
        return;
    case DESIGN_NUMBER:
    case DESIGN_TEXT:
        text_put_double(&text, value);
        memcpy(out, text.ptr, text.len + 1);
        text_release(&text);
        return;
    }
}

static double along(const struct axis *a, double part)
{
    if (a->log)
        return exp(log(a->low) + part * (log(a->high) - log(a->low)));
    return a->low + part * (a->high - a->low);
}

static int add_value(struct axis *a, const char *text, size_t len, struct jobq_error *err)
{
    if (len == 0)
        return jobq_fail(err, JOBQ_INVALID, "an empty value in '%s'", a->text);
    if (len >= DESIGN_VALUE_CAP)
        return jobq_fail(err, JOBQ_LIMIT, "a value is longer than %d bytes",
                         DESIGN_VALUE_CAP - 1);
    if (a->count == DESIGN_VALUES_MAX)
        return jobq_fail(err, JOBQ_LIMIT, "more than %d values", DESIGN_VALUES_MAX);
    a->value = xrealloc(a->value, (size_t)(a->count + 1) * sizeof *a->value);
    char *copy = xmalloc(len + 1);
    memcpy(copy, text, len);
    copy[len] = '\0';
    a->value[a->count++] = copy;
    return JOBQ_OK;
}

/* LOW..HIGH[:log|lin[:COUNT]]; found is the "..". */
static int parse_range(struct axis *a, const char *found, struct jobq_error *err)
{
    char low[DESIGN_VALUE_CAP] = "", high[DESIGN_VALUE_CAP] = "";
    size_t low_len = (size_t)(found - a->text);
    const char *rest = found + 2;
    size_t high_len = strcspn(rest, ":");
    if (low_len == 0 || high_len == 0 || low_len >= sizeof low || high_len >= sizeof high)
        return jobq_fail(err, JOBQ_INVALID, "malformed range '%.100s'", a->text);
    memcpy(low, a->text, low_len);
    memcpy(high, rest, high_len);
    int code = parse_plain(a->kind, low, &a->low, err);
    if (code == JOBQ_OK)
        code = parse_plain(a->kind, high, &a->high, err);
    if (code != JOBQ_OK)
        return code;
    rest += high_len;
    int64_t count = 0;
    if (*rest == ':') {
        rest++;
        size_t word = strcspn(rest, ":");
        a->log = word == 3 && memcmp(rest, "log", 3) == 0;
        if (!a->log && !(word == 3 && memcmp(rest, "lin", 3) == 0))
            return jobq_fail(err, JOBQ_INVALID, "'%.100s' wants 'log' or 'lin'", a->text);
        rest += word;
        if (*rest == ':' && jobq_parse_count(rest + 1, &count, err) != JOBQ_OK)
            return err->code;
        if (*rest == ':' && (count < 2 || count > DESIGN_VALUES_MAX))
            return jobq_fail(err, JOBQ_LIMIT, "'%.100s' wants 2 to %d values", a->text,
                             DESIGN_VALUES_MAX);
    }
    if (a->low >= a->high)
        return jobq_fail(err, JOBQ_INVALID, "'%.100s' does not ascend", a->text);
    if (a->log && a->low <= 0)
        return jobq_fail(err, JOBQ_INVALID, "'%.100s': a log range starts above 0",
                         a->text);
    a->range = count == 0;
    int64_t cut = count ? count : 2;
    for (int64_t i = 0; i < cut; i++) {
        char value[DESIGN_VALUE_CAP];
        format_plain(a->kind,
                     i == cut - 1 ? a->high : along(a, (double)i / (double)(cut - 1)),
                     value);
        code = add_value(a, value, strlen(value), err);
        if (code != JOBQ_OK)
            return code;
    }
    return JOBQ_OK;
}

static int parse_list(struct axis *a, struct jobq_error *err)
{
    const char *start = a->text;
    for (const char *p = start;; p++) {
        if (*p != ',' && *p != '\0')
            continue;
        bool more = false; /* "cv=1.5" goes on with the value before it */
        if (*p == ',') {
            const char *q = p + 1;
            while ((*q >= 'a' && *q <= 'z') || *q == '_' ||
                   (q > p + 1 && *q >= '0' && *q <= '9'))
                q++;
            more = q > p + 1 && *q == '=';
        }
        if (more)
            continue;
        int code = add_value(a, start, (size_t)(p - start), err);
        if (code != JOBQ_OK || *p == '\0')
            return code;
        start = p + 1;
    }
}

int design_axis(struct design *design, const char *option, enum design_kind kind,
                const char *text, struct jobq_error *err)
{
    if (design->axes == DESIGN_AXES_MAX)
        return jobq_fail(err, JOBQ_LIMIT, "more than %d options vary", DESIGN_AXES_MAX);
    struct axis *a = &design->axis[design->axes++];
    *a = (struct axis){.option = xstrdup(option), .text = xstrdup(text), .kind = kind};
    const char *dots = kind == DESIGN_TEXT ? NULL : strstr(a->text, "..");
    /* "uniform:1s..3s" is one value: a distribution, not a range. */
    bool is_range = dots && *text >= '0' && *text <= '9';
    int code = is_range ? parse_range(a, dots, err) : parse_list(a, err);
    if (code == JOBQ_OK && design_points(design) > DESIGN_POINTS_MAX)
        code = jobq_fail(err, JOBQ_LIMIT, "more than %d points", DESIGN_POINTS_MAX);
    return code == JOBQ_OK ? code : jobq_wrap(err, "--%s", option);
}

int design_made(struct design *design, const char *const *option, int count,
                design_make_fn *make, const void *ctx, struct jobq_error *err)
{
    int first = design->axes;
    if (first + count > DESIGN_AXES_MAX)
        return jobq_fail(err, JOBQ_LIMIT, "more than %d options vary", DESIGN_AXES_MAX);
    for (int i = 0; i < count; i++)
        design->axis[design->axes++] = (struct axis){.option = xstrdup(option[i]),
                                                     .text = xstrdup("wide"),
                                                     .kind = DESIGN_TEXT,
                                                     .make = make,
                                                     .make_ctx = ctx,
                                                     .made_first = first};
    return JOBQ_OK;
}

/* ---- filling ------------------------------------------------------------------------ */

static void fill_lhs(struct axis *a, int64_t points, struct dice *dice)
{
    uint64_t jitter_seed = dice_bits(dice);
    int64_t *stratum = xmalloc((size_t)points * sizeof *stratum);
    for (int64_t p = 0; p < points; p++)
        stratum[p] = p;
    for (int64_t p = points - 1; p > 0; p--) {
        int64_t q = (int64_t)dice_below(dice, (uint64_t)p + 1);
        int64_t kept = stratum[p];
        stratum[p] = stratum[q];
        stratum[q] = kept;
    }
    for (int64_t p = 0; p < points; p++) {
        struct dice jitter;
        dice_init(&jitter, jitter_seed, "stratum", (uint64_t)stratum[p]);
        a->unit[p] = ((double)stratum[p] + dice_u(&jitter)) / (double)points;
    }
    free(stratum);
}

static uint32_t reversed(uint32_t x)
{
    x = x >> 16 | x << 16;
    x = (x & 0xff00ff00u) >> 8 | (x & 0x00ff00ffu) << 8;
    x = (x & 0xf0f0f0f0u) >> 4 | (x & 0x0f0f0f0fu) << 4;
    x = (x & 0xccccccccu) >> 2 | (x & 0x33333333u) << 2;
    return (x & 0xaaaaaaaau) >> 1 | (x & 0x55555555u) << 1;
}

/* Each bit is flipped by a hash of the bits above it: Laine and Karras's permutation of the
 * reversed number, with the constants of Burley's paper. */
static double owen_scrambled(double u, uint32_t seed)
{
    uint32_t x = reversed((uint32_t)(u * 0x1p32));
    x ^= x * 0x3d20adeau;
    x += seed;
    x *= (seed >> 16) | 1;
    x ^= x * 0x05526c56u;
    x ^= x * 0x53a22864u;
    return ((double)reversed(x) + 0.5) * 0x1p-32;
}

static int fill_sobol(struct design *design, int64_t points, uint64_t seed,
                      struct jobq_error *err)
{
    if (design->axes < 1)
        return JOBQ_OK;
    gsl_qrng *sobol = gsl_qrng_alloc(gsl_qrng_sobol, (unsigned)design->axes);
    if (!sobol)
        return jobq_fail(err, JOBQ_LIMIT, "sobol takes at most 40 options that vary");
    uint32_t scramble[DESIGN_AXES_MAX];
    double unit[DESIGN_AXES_MAX];
    for (int i = 0; i < design->axes; i++) {
        struct dice dice;
        dice_init(&dice, seed, design->axis[i].option, 2);
        scramble[i] = (uint32_t)dice_bits(&dice);
    }
    for (int64_t p = 0; p < points; p++) {
        /* The library leaves out the sequence's first point, the origin. */
        if (p == 0)
            memset(unit, 0, sizeof unit);
        else
            gsl_qrng_get(sobol, unit);
        for (int i = 0; i < design->axes; i++)
            design->axis[i].unit[p] = owen_scrambled(unit[i], scramble[i]);
    }
    gsl_qrng_free(sobol);
    return JOBQ_OK;
}

int design_fill(struct design *design, enum design_fill how, int64_t points,
                uint64_t seed, struct jobq_error *err)
{
    if (how == DESIGN_GRID)
        return JOBQ_OK;
    if (points < 1 || points > DESIGN_FILL_MAX)
        return jobq_fail(err, JOBQ_LIMIT, "a design wants 1 to %d points",
                         DESIGN_FILL_MAX);
    design->filled = points;
    for (int i = 0; i < design->axes; i++) {
        struct axis *a = &design->axis[i];
        struct dice dice;
        dice_init(&dice, seed, a->option, how == DESIGN_RANDOM);
        free(a->unit);
        a->unit = xmalloc((size_t)points * sizeof *a->unit);
        if (how == DESIGN_LHS)
            fill_lhs(a, points, &dice);
        for (int64_t p = 0; p < points && how == DESIGN_RANDOM; p++)
            a->unit[p] = dice_u(&dice);
    }
    return how == DESIGN_SOBOL ? fill_sobol(design, points, seed, err) : JOBQ_OK;
}

int design_fill_parse(const char *text, enum design_fill *out, int64_t *points,
                      struct jobq_error *err)
{
    static const char *const names[] = {"grid", "lhs:", "sobol:", "random:"};
    *points = 0;
    *out = DESIGN_GRID;
    if (strcmp(text, names[DESIGN_GRID]) == 0)
        return JOBQ_OK;
    for (int how = DESIGN_LHS; how <= DESIGN_RANDOM; how++) {
        size_t len = strlen(names[how]);
        if (strncmp(text, names[how], len) != 0)
            continue;
        *out = (enum design_fill)how;
        int code = jobq_parse_count(text + len, points, err);
        if (code == JOBQ_OK && (*points < 1 || *points > DESIGN_FILL_MAX))
            code = jobq_fail(err, JOBQ_LIMIT, "'%.30s' wants 1 to %d points", text,
                             DESIGN_FILL_MAX);
        return code;
    }
    char shown[40];
    text_escape(text, (int64_t)strlen(text), shown, sizeof shown);
    return jobq_fail(err, JOBQ_INVALID, "'%s' is not grid, lhs:N, sobol:N or random:N",
                     shown);
}

int64_t design_points(const struct design *design)
{
    if (design->filled)
        return design->filled;
    int64_t points = 1;
    for (int i = 0; i < design->axes; i++) {
        points *= design->axis[i].count ? design->axis[i].count : 1;
        if (points > DESIGN_POINTS_MAX)
            return points;
    }
    return points;
}

int design_axes(const struct design *design)
{
    return design->axes;
}

const char *design_option(const struct design *design, int axis)
{
    return design->axis[axis].option;
}

const char *design_text(const struct design *design, int axis)
{
    return design->axis[axis].text;
}

void design_value(const struct design *design, int64_t point, int axis,
                  char out[DESIGN_VALUE_CAP])
{
    const struct axis *a = &design->axis[axis];
    assert(point >= 0 && point < design_points(design));
    if (!design->filled) {
        for (int i = design->axes - 1; i > axis; i--)
            point /= design->axis[i].count;
        strcpy(out, a->value[point % a->count]);
        return;
    }
    if (a->make) {
        double unit[DESIGN_AXES_MAX];
        for (int i = 0; i < design->axes; i++)
            unit[i] = design->axis[i].unit[point];
        a->make(a->make_ctx, unit + a->made_first, axis - a->made_first, out,
                DESIGN_VALUE_CAP);
    } else if (a->range) {
        format_plain(a->kind, along(a, a->unit[point]), out);
    } else {
        strcpy(out, a->value[(int64_t)(a->unit[point] * a->count)]);
    }
}
