/* design.c - which points a sweep plays. See design.h.
 *
 * Room:     sim. */
#include "sim/sweep/design.h"

#include "base/arena.h"
#include "base/dice.h"
#include "base/text.h"
#include "jobq/units.h"

#include <assert.h>
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
    int64_t *stratum; /* of each point, in a Latin hypercube */
    uint64_t jitter_seed;
};

struct design {
    struct axis axis[DESIGN_AXES_MAX];
    int axes;
    int64_t lhs_points; /* 0: the full grid */
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
        free(a->stratum);
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

int design_lhs(struct design *design, int64_t points, uint64_t seed,
               struct jobq_error *err)
{
    if (points < 1 || points > DESIGN_POINTS_MAX)
        return jobq_fail(err, JOBQ_LIMIT, "lhs wants 1 to %d points", DESIGN_POINTS_MAX);
    design->lhs_points = points;
    for (int i = 0; i < design->axes; i++) {
        struct axis *a = &design->axis[i];
        struct dice dice;
        dice_init(&dice, seed, a->option, 0);
        a->jitter_seed = dice_bits(&dice);
        free(a->stratum);
        a->stratum = xmalloc((size_t)points * sizeof *a->stratum);
        for (int64_t p = 0; p < points; p++)
            a->stratum[p] = p;
        for (int64_t p = points - 1; p > 0; p--) {
            int64_t q = (int64_t)dice_below(&dice, (uint64_t)p + 1);
            int64_t kept = a->stratum[p];
            a->stratum[p] = a->stratum[q];
            a->stratum[q] = kept;
        }
    }
    return JOBQ_OK;
}

int64_t design_points(const struct design *design)
{
    if (design->lhs_points)
        return design->lhs_points;
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
    if (!design->lhs_points) {
        for (int i = design->axes - 1; i > axis; i--)
            point /= design->axis[i].count;
        strcpy(out, a->value[point % a->count]);
        return;
    }
    int64_t stratum = a->stratum[point];
    if (!a->range) {
        strcpy(out, a->value[stratum * a->count / design->lhs_points]);
        return;
    }
    struct dice dice;
    dice_init(&dice, a->jitter_seed, "stratum", (uint64_t)stratum);
    double part = ((double)stratum + dice_u(&dice)) / (double)design->lhs_points;
    format_plain(a->kind, along(a, part), out);
}
