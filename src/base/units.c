/* units.c - time, sizes and counts as people write them. See jobq/units.h. */
#include "jobq/units.h"

#include "base/text.h"
#include "base/wide.h"

#include <assert.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

int64_t jobq_ns_from_seconds(double seconds)
{
    double ns = seconds * 1e9;
    if (ns >= 9.2233720368547e18)
        return INT64_MAX;
    if (ns <= -9.2233720368547e18)
        return INT64_MIN;
    return (int64_t)(ns < 0 ? ns - 0.5 : ns + 0.5);
}

double jobq_seconds_from_ns(int64_t ns)
{
    return (double)ns / 1e9;
}

struct unit {
    const char *name;
    int64_t scale;
};

static const struct unit DURATIONS[] = {{"", JOBQ_NS_PER_S},      {"ns", 1},
                                        {"us", JOBQ_NS_PER_US},   {"ms", JOBQ_NS_PER_MS},
                                        {"s", JOBQ_NS_PER_S},     {"m", JOBQ_NS_PER_MIN},
                                        {"min", JOBQ_NS_PER_MIN}, {"h", JOBQ_NS_PER_HOUR},
                                        {"d", JOBQ_NS_PER_DAY},   {NULL, 0}};

static const struct unit SIZES[] = {{"", 1},
                                    {"B", 1},
                                    {"k", JOBQ_KIB},
                                    {"K", JOBQ_KIB},
                                    {"KiB", JOBQ_KIB},
                                    {"M", JOBQ_MIB},
                                    {"MiB", JOBQ_MIB},
                                    {"G", JOBQ_GIB},
                                    {"GiB", JOBQ_GIB},
                                    {"KB", 1000},
                                    {"kB", 1000},
                                    {"MB", 1000000},
                                    {"GB", 1000000000},
                                    {NULL, 0}};

static const struct unit COUNTS[] = {{"", 1},        {"k", 1000},       {"K", 1000},
                                     {"M", 1000000}, {"G", 1000000000}, {NULL, 0}};

/* How each is written, for the error of one written otherwise. */
#define HOW_DURATION "want such as 250ms, 90s, 5min, 1.5h or 2d"
#define HOW_SIZE "want such as 512, 64KiB, 1.5MiB or 2KB"
#define HOW_COUNT "want such as 250, 1,000,000 or 2.5M"
#define HOW_NUMBER "want such as 0.25 or 25%"
#define HOW_RATE "want such as 100/s, 300/h or 5M/day"

static int units_malformed(const char *what, const char *text, const char *how,
                           struct jobq_error *err)
{
    char shown[80];
    text_escape(text, (int64_t)strlen(text), shown, sizeof shown);
    return jobq_fail(err, JOBQ_INVALID, "malformed %s '%s', %s", what, shown, how);
}

static int too_large(const char *what, const char *text, struct jobq_error *err)
{
    char shown[80];
    text_escape(text, (int64_t)strlen(text), shown, sizeof shown);
    return jobq_fail(err, JOBQ_LIMIT, "%s '%s' is too large", what, shown);
}

#define UNITS_TEXT_MAX 64

/* The text itself, or a copy in `plain` without the commas between groups of three digits;
 * NULL where a comma stands elsewhere. */
static const char *without_commas(const char *text, char plain[UNITS_TEXT_MAX])
{
    size_t digits = strspn(text, "0123456789"), len = digits;
    if (text[digits] != ',')
        return text;
    if (digits == 0 || digits > 3 || strlen(text) >= UNITS_TEXT_MAX)
        return NULL;
    memcpy(plain, text, digits);
    for (text += digits; *text == ','; text += 4) {
        if (strspn(text + 1, "0123456789") != 3)
            return NULL;
        memcpy(plain + len, text + 1, 3);
        len += 3;
    }
    strcpy(plain + len, text);
    return plain;
}

/* digits[.digits][e[+]digits]unit, exact: the digits are gathered as an integer and a
 * power of ten, and only what falls below one is rounded. */
static int parse_scaled(const char *what, const char *text, const struct unit *units,
                        bool whole, const char *how, int64_t *out, struct jobq_error *err)
{
    char plain[UNITS_TEXT_MAX];
    const char *p = without_commas(text, plain);
    if (!p)
        return units_malformed(what, text, how, err);
    wide_u128 digits = 0;
    int power = 0, seen = 0;
    bool point = false;
    for (; (*p >= '0' && *p <= '9') || (*p == '.' && !point); p++) {
        if (*p == '.') {
            point = true;
            continue;
        }
        seen++;
        if (digits > ((wide_u128)1 << 80)) {
            if (!point)
                return too_large(what, text, err);
            continue;
        }
        digits = digits * 10 + (unsigned)(*p - '0');
        power -= point;
    }
    if (seen == 0)
        return units_malformed(what, text, how, err);
    if ((*p == 'e' || *p == 'E') &&
        (p[1] == '+' || p[1] == '-' || (p[1] >= '0' && p[1] <= '9'))) {
        char *end;
        long exponent = strtol(p + 1, &end, 10);
        if (end == p + 1)
            return units_malformed(what, text, how, err);
        if (exponent > 30)
            return too_large(what, text, err);
        power += exponent < -40 ? -40 : (int)exponent;
        p = end;
    }
    const struct unit *unit = units;
    while (unit->name && strcmp(unit->name, p) != 0)
        unit++;
    /* A size has no other meaning in small letters; a count's m is not M. */
    if (!unit->name && units == SIZES)
        for (unit = units; unit->name && strcasecmp(unit->name, p) != 0; unit++)
            ;
    if (!unit->name)
        return units_malformed(what, text, how, err);
    if (digits > ((wide_u128)INT64_MAX << 30))
        return too_large(what, text, err);
    wide_u128 value = digits * (uint64_t)unit->scale;
    for (; power > 0; power--) {
        if (value > (wide_u128)INT64_MAX)
            return too_large(what, text, err);
        value *= 10;
    }
    wide_u128 divisor = 1;
    for (; power < 0 && divisor < ((wide_u128)1 << 120) / 10; power++)
        divisor *= 10;
    if (whole && value % divisor != 0) {
        char shown[80];
        text_escape(text, (int64_t)strlen(text), shown, sizeof shown);
        return jobq_fail(err, JOBQ_INVALID, "%s '%s' is not whole", what, shown);
    }
    value = (value + divisor / 2) / divisor;
    if (value > (wide_u128)INT64_MAX)
        return too_large(what, text, err);
    *out = (int64_t)value;
    return JOBQ_OK;
}

int jobq_parse_duration(const char *text, int64_t *out_ns, struct jobq_error *err)
{
    assert(text && out_ns && err);
    return parse_scaled("duration", text, DURATIONS, false, HOW_DURATION, out_ns, err);
}

int jobq_parse_size(const char *text, int64_t *out_bytes, struct jobq_error *err)
{
    assert(text && out_bytes && err);
    return parse_scaled("size", text, SIZES, true, HOW_SIZE, out_bytes, err);
}

int jobq_parse_count(const char *text, int64_t *out, struct jobq_error *err)
{
    return parse_scaled("count", text, COUNTS, true, HOW_COUNT, out, err);
}

int jobq_parse_number(const char *text, double *out, struct jobq_error *err)
{
    char plain[UNITS_TEXT_MAX], *end;
    const char *p = without_commas(text, plain);
    if (!p || !((*p >= '0' && *p <= '9') || *p == '-' || *p == '+' || *p == '.'))
        return units_malformed("number", text, HOW_NUMBER, err);
    double value = strtod(p, &end);
    if (end != p && strcmp(end, "%") == 0) {
        value /= 100;
        end++;
    }
    if (end == p || *end || !isfinite(value))
        return units_malformed("number", text, HOW_NUMBER, err);
    *out = value;
    return JOBQ_OK;
}

int jobq_parse_rate(const char *text, double *out_per_s, struct jobq_error *err)
{
    static const struct {
        const char *name;
        double seconds;
    } per[] = {{"", 1},      {"/s", 1},       {"/sec", 1},   {"/m", 60},     {"/min", 60},
               {"/h", 3600}, {"/hour", 3600}, {"/d", 86400}, {"/day", 86400}};
    char number[UNITS_TEXT_MAX], plain[UNITS_TEXT_MAX], *end;
    size_t len = strcspn(text, "/"), unit = 0;
    while (unit < sizeof per / sizeof *per && strcmp(per[unit].name, text + len) != 0)
        unit++;
    if (unit == sizeof per / sizeof *per || len == 0 || len >= sizeof number)
        return units_malformed("rate", text, HOW_RATE, err);
    memcpy(number, text, len);
    number[len] = '\0';
    const char *p = without_commas(number, plain);
    if (!p || !((*p >= '0' && *p <= '9') || *p == '.'))
        return units_malformed("rate", text, HOW_RATE, err);
    double value = strtod(p, &end);
    const struct unit *scale = COUNTS;
    while (scale->name && strcmp(scale->name, end) != 0)
        scale++;
    if (!scale->name || !isfinite(value))
        return units_malformed("rate", text, HOW_RATE, err);
    *out_per_s = value * (double)scale->scale / per[unit].seconds;
    return JOBQ_OK;
}

/* value / scale with up to three decimals and no trailing zeros, if that is exact. */
static bool write_scaled(int64_t value, int64_t scale, const char *unit, char *out,
                         int cap)
{
    if (value % scale != 0 && (value % scale) * 1000 % scale != 0)
        return false;
    char buffer[40];
    int len = text_write_int(buffer, value / scale);
    int64_t thousandths = value % scale * 1000 / scale;
    if (thousandths) {
        buffer[len++] = '.';
        buffer[len++] = (char)('0' + thousandths / 100);
        buffer[len++] = (char)('0' + thousandths / 10 % 10);
        buffer[len++] = (char)('0' + thousandths % 10);
        while (buffer[len - 1] == '0')
            len--;
    }
    for (; *unit; unit++)
        buffer[len++] = *unit;
    if (len > cap - 1)
        len = cap - 1;
    memcpy(out, buffer, (size_t)len);
    out[len] = '\0';
    return true;
}

static char *format_scaled(int64_t value, const struct unit *units, char *out, int cap)
{
    for (; units->name; units++)
        if ((value >= units->scale || units->scale == 1) &&
            write_scaled(value, units->scale, units->name, out, cap))
            break;
    return out;
}

char *jobq_format_duration(int64_t ns, char *out, int cap)
{
    assert(out && cap > 0);
    static const struct unit units[] = {{"d", JOBQ_NS_PER_DAY},
                                        {"h", JOBQ_NS_PER_HOUR},
                                        {"min", JOBQ_NS_PER_MIN},
                                        {"s", JOBQ_NS_PER_S},
                                        {"ms", JOBQ_NS_PER_MS},
                                        {"us", JOBQ_NS_PER_US},
                                        {"ns", 1},
                                        {NULL, 0}};
    if (ns == 0)
        return write_scaled(0, 1, "s", out, cap), out;
    return format_scaled(ns, units, out, cap);
}

char *jobq_format_size(int64_t bytes, char *out, int cap)
{
    assert(out && cap > 0);
    static const struct unit units[] = {
        {"GiB", JOBQ_GIB}, {"MiB", JOBQ_MIB}, {"KiB", JOBQ_KIB}, {"B", 1}, {NULL, 0}};
    return format_scaled(bytes, units, out, cap);
}
