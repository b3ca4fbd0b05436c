/* params.c - reads parameter sets and holds every line to its provenance.
 *
 * Room:     models, facts.
 * Callers:  those of params.h.
 * Knows nothing of: what the numbers mean. */
#include "models/params/params.h"

#include "base/ini.h"
#include "jobq/units.h"
#include "base/distribution.h"

#include <assert.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* models/params/ini.S */
extern const char params_ini_aws_2026[], params_ini_aws_2012[], params_ini_ideal[];

enum { SET_COUNT = 3, FIELDS_MAX = 128, LINE_MAX_BYTES = 256 };

const char *params_name(int index)
{
    static const char *const name[SET_COUNT] = {"aws-2026", "aws-2012", "ideal"};
    return index >= 0 && index < SET_COUNT ? name[index] : NULL;
}

const char *params_text(const char *model)
{
    assert(model);
    if (strcmp(model, "aws-2026") == 0)
        return params_ini_aws_2026;
    if (strcmp(model, "aws-2012") == 0)
        return params_ini_aws_2012;
    return strcmp(model, "ideal") == 0 ? params_ini_ideal : NULL;
}

static int no_such_set(const char *model, struct jobq_error *err)
{
    return jobq_fail(
        err, JOBQ_NOT_FOUND,
        "no model called '%.60s', there are 'aws-2026', 'aws-2012' and 'ideal'", model);
}

static const char *param_status_name(enum param_status status)
{
    static const char *const name[] = {"measured", "documented", "derived", "assumed",
                                       "defined"};
    return name[status];
}

/* ---- one line ---- */

static char *params_trim(char *text)
{
    while (*text == ' ' || *text == '\t')
        text++;
    size_t len = strlen(text);
    while (len > 0 && (text[len - 1] == ' ' || text[len - 1] == '\t'))
        text[--len] = '\0';
    return text;
}

/* YYYY or YYYY-MM. */
static bool params_is_date(const char *text)
{
    size_t len = strlen(text);
    if (len != 4 && len != 7)
        return false;
    for (size_t i = 0; i < len; i++)
        if (i == 4 ? text[i] != '-' : text[i] < '0' || text[i] > '9')
            return false;
    return len == 4 || (text[5] == '0' && text[6] >= '1') ||
           (text[5] == '1' && text[6] <= '2');
}

struct reading {
    param_note_fn *fn;
    void *ctx;
};

static int params_read_line(void *ctx, const char *section, const char *key,
                            const char *value, int line, struct jobq_error *err)
{
    const struct reading *reading = ctx;
    char copy[LINE_MAX_BYTES];
    size_t len = strlen(value);
    if (len >= sizeof copy)
        return jobq_fail(err, JOBQ_INVALID, "line is too long");
    memcpy(copy, value, len + 1);
    char *part[4] = {copy, NULL, NULL, NULL};
    for (int i = 1; i < 4; i++) {
        char *bar = strchr(part[i - 1], '|');
        if (!bar)
            return jobq_fail(err, JOBQ_INVALID,
                             "'%s' lacks its provenance, want 'value | status | date | "
                             "source'",
                             key);
        *bar = '\0';
        part[i] = bar + 1;
    }
    struct param_note note = {.section = section, .key = key, .line = line};
    note.value = params_trim(part[0]);
    note.date = params_trim(part[2]);
    note.source = params_trim(part[3]);
    const char *status = params_trim(part[1]);
    int s = 0;
    while (s <= (int)PARAM_DEFINED &&
           strcmp(status, param_status_name((enum param_status)s)))
        s++;
    if (s > (int)PARAM_DEFINED)
        return jobq_fail(err, JOBQ_INVALID, "'%s' has the unknown status '%s'", key,
                         status);
    note.status = (enum param_status)s;
    if (!params_is_date(note.date))
        return jobq_fail(err, JOBQ_INVALID, "'%s' has the malformed date '%s'", key,
                         note.date);
    if (!*note.value || !*note.source || !*section)
        return jobq_fail(err, JOBQ_INVALID, "'%s' lacks its %s", key,
                         !*note.value ? "value" : (!*note.source ? "source" : "section"));
    return reading->fn(reading->ctx, &note, err);
}

int params_each(const char *model, param_note_fn *fn, void *ctx, struct jobq_error *err)
{
    const char *text = params_text(model);
    if (!text)
        return no_such_set(model, err);
    struct reading reading = {fn, ctx};
    return ini_read_text(text, model, params_read_line, &reading, err);
}

/* ---- fields ---- */

static int params_check_range(const struct param_field *field, double value,
                              const char *text, struct jobq_error *err)
{
    double min = field->min, max = field->max;
    if (fabs(min) + fabs(max) <= 0.0)
        max = HUGE_VAL;
    if (!(value >= min && value <= max))
        return jobq_fail(err, JOBQ_LIMIT, "'%s' is out of range: '%.60s'", field->key,
                         text);
    return JOBQ_OK;
}

static int params_set_integer(const struct param_field *field, const char *value,
                              void *at, struct jobq_error *err)
{
    int64_t number = 0;
    int code;
    if (field->kind == PARAM_NS)
        code = jobq_parse_duration(value, &number, err);
    else if (field->kind == PARAM_BYTES)
        code = jobq_parse_size(value, &number, err);
    else
        code = jobq_parse_count(value, &number, err);
    if (code != JOBQ_OK)
        return code;
    if ((code = params_check_range(field, (double)number, value, err)) != JOBQ_OK)
        return code;
    if (field->kind == PARAM_COUNT32) {
        if (number > INT32_MAX || number < INT32_MIN)
            return jobq_fail(err, JOBQ_LIMIT, "'%s' does not fit", value);
        *(int32_t *)at = (int32_t)number;
    } else {
        *(int64_t *)at = number;
    }
    return JOBQ_OK;
}

static int params_set_flag(const char *value, bool *at, struct jobq_error *err)
{
    bool yes = strcmp(value, "yes") == 0;
    if (!yes && strcmp(value, "no") != 0)
        return jobq_fail(err, JOBQ_INVALID, "want 'yes' or 'no', not '%.60s'", value);
    *at = yes;
    return JOBQ_OK;
}

static int params_set_number(const struct param_field *field, const char *value,
                             double *at, struct jobq_error *err)
{
    double number = 0;
    int code = jobq_parse_number(value, &number, err);
    if (code == JOBQ_OK)
        code = params_check_range(field, number, value, err);
    if (code == JOBQ_OK)
        *at = number;
    return code;
}

static int set_field(const struct param_field *field, void *out, const char *value,
                     struct jobq_error *err)
{
    void *at = (char *)out + field->offset;
    int code = JOBQ_OK;
    switch (field->kind) {
    case PARAM_COUNT:
    case PARAM_COUNT32:
    case PARAM_BYTES:
    case PARAM_NS:
        code = params_set_integer(field, value, at, err);
        break;
    case PARAM_NUMBER:
        code = params_set_number(field, value, at, err);
        break;
    case PARAM_FLAG:
        code = params_set_flag(value, at, err);
        break;
    case PARAM_DISTRIBUTION:
        code = distribution_parse(value, at, err);
        break;
    case PARAM_CUSTOM:
        code = field->parse(value, at, err);
        break;
    }
    return code == JOBQ_OK ? code : jobq_wrap(err, "parameter '%s'", field->key);
}

static int find_field(const struct param_field *field, int count, const char *key)
{
    for (int i = 0; i < count; i++)
        if (strcmp(field[i].key, key) == 0)
            return i;
    return -1;
}

int params_set(const struct param_field *field, int count, void *out, const char *key,
               const char *value, struct jobq_error *err)
{
    assert(field && out && key && value && err);
    int i = find_field(field, count, key);
    if (i < 0)
        return jobq_fail(err, JOBQ_INVALID, "unknown parameter '%.60s'", key);
    return set_field(&field[i], out, value, err);
}

struct loading {
    const char *section;
    const struct param_field *field;
    int count;
    void *out;
    bool seen[FIELDS_MAX];
};

static int load_line(void *ctx, const struct param_note *note, struct jobq_error *err)
{
    struct loading *loading = ctx;
    if (strcmp(note->section, loading->section) != 0)
        return JOBQ_OK;
    int i = find_field(loading->field, loading->count, note->key);
    if (i < 0)
        return jobq_fail(err, JOBQ_INVALID, "unknown parameter '%.60s'", note->key);
    if (loading->seen[i])
        return jobq_fail(err, JOBQ_INVALID, "parameter '%s' is there twice", note->key);
    loading->seen[i] = true;
    return set_field(&loading->field[i], loading->out, note->value, err);
}

int params_load_text(const char *text, const char *name, const char *section,
                     const struct param_field *field, int count, void *out,
                     struct jobq_error *err)
{
    assert(text && name && section && field && out && err);
    if (count > FIELDS_MAX)
        return jobq_fail(err, JOBQ_LIMIT, "more than '%d' parameters in '[%s]'",
                         (int)FIELDS_MAX, section);
    struct loading loading = {
        .section = section, .field = field, .count = count, .out = out};
    struct reading reading = {load_line, &loading};
    int code = ini_read_text(text, name, params_read_line, &reading, err);
    if (code != JOBQ_OK)
        return code;
    for (int i = 0; i < count; i++)
        if (!loading.seen[i])
            return jobq_fail(err, JOBQ_INVALID, "%s: '%s' is missing in '[%s]'", name,
                             field[i].key, section);
    return JOBQ_OK;
}

int params_load(const char *model, const char *section, const struct param_field *field,
                int count, void *out, struct jobq_error *err)
{
    const char *text = params_text(model);
    if (!text)
        return no_such_set(model, err);
    return params_load_text(text, model, section, field, count, out, err);
}
