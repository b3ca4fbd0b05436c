#include "scenario/scenario.h"

#include "scenario/settings.h"

#include "base/arena.h"
#include "base/ini.h"
#include "base/options.h"
#include "jobq/flow.h"
#include "jobq/units.h"

#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- life ------------------------------------------------------------------------- */

void scenario_init(struct scenario *s)
{
    struct jobq_error err;
    *s = (struct scenario){0};
    for (int i = 0; i < setting_count(); i++) {
        int code = scenario_set(s, setting_at(i)->name, setting_at(i)->value, &err);
        assert(code == JOBQ_OK);
        (void)code;
    }
    memset(s->given, 0, sizeof s->given);
}

void scenario_release(struct scenario *s)
{
    distribution_release(&s->job_time);
    arrivals_release(&s->arrivals);
    if (s->trace_owned)
        trace_release(&s->trace);
    free(s->trace_path);
    free(s->sets);
    *s = (struct scenario){0};
}

static char *copy_text(const char *text)
{
    return text ? xstrdup(text) : NULL;
}

void scenario_copy(struct scenario *out, const struct scenario *from)
{
    *out = *from;
    distribution_copy(&out->job_time, &from->job_time);
    arrivals_copy(&out->arrivals, &from->arrivals);
    out->trace_owned = false;
    out->trace_path = copy_text(from->trace_path);
    out->sets = copy_text(from->sets);
}

bool scenario_given(const struct scenario *s, const char *name)
{
    int index = setting_find(name);
    assert(index >= 0);
    return s->given[index];
}

/* ---- reading ---------------------------------------------------------------------- */

static int set_out_of_range(const struct setting *st, const char *text,
                            struct jobq_error *err)
{
    char safe[60], word[24] = "";
    text_escape(text, (int64_t)strlen(text), safe, sizeof safe);
    if (st->words) {
        size_t len = 0;
        for (const char *p = st->words; *p && len < sizeof word - 8; p++)
            if (*p == '|')
                len = (memcpy(word + len, ", ", 2), len + 2);
            else
                word[len++] = *p;
        memcpy(word + len, " or ", 5);
    }
    return jobq_fail(err, JOBQ_LIMIT, "'%s' is out of range, want %s%s to %s", safe, word,
                     st->low, st->high);
}

/* The index of text among "a|b|c", or -1. */
static int set_word_index(const char *words, const char *text)
{
    size_t len = strlen(text);
    for (int i = 0; words && *words; i++) {
        size_t word = strcspn(words, "|");
        if (word == len && memcmp(words, text, len) == 0)
            return i;
        words += word + (words[word] == '|');
    }
    return -1;
}

/* "never" also goes by 0 where a zero would be out of range. */
static int set_word_value(const struct setting *st, const char *value)
{
    int word = set_word_index(st->words, value);
    if (word < 0 && strcmp(value, "0") == 0 && st->low && st->low[0] != '0')
        word = set_word_index(st->words, "never");
    return word;
}

static int set_parse_whole(enum setting_kind kind, const char *text, int64_t *out,
                           struct jobq_error *err)
{
    return kind == SETTING_DURATION ? jobq_parse_duration(text, out, err)
           : kind == SETTING_SIZE   ? jobq_parse_size(text, out, err)
                                    : jobq_parse_count(text, out, err);
}

static int set_integer(const struct setting *st, int64_t *to, const char *value,
                       struct jobq_error *err)
{
    int64_t got = 0, low = 0, high = 0;
    int word = set_word_value(st, value);
    if (word >= 0) {
        *to = -1 - word;
        return JOBQ_OK;
    }
    int code = set_parse_whole(st->kind, value, &got, err);
    if (code == JOBQ_LIMIT)
        return set_out_of_range(st, value, err);
    if (code != JOBQ_OK)
        return code;
    set_parse_whole(st->kind, st->low, &low, err);
    set_parse_whole(st->kind, st->high, &high, err);
    if (got < low || got > high)
        return set_out_of_range(st, value, err);
    *to = got;
    return JOBQ_OK;
}

static int set_number(const struct setting *st, double *to, const char *value,
                      struct jobq_error *err)
{
    double got, low = 0, high = 0;
    int word = set_word_value(st, value);
    if (word >= 0) {
        *to = -1 - word;
        return JOBQ_OK;
    }
    int code = jobq_parse_number(value, &got, err);
    if (code != JOBQ_OK)
        return code;
    jobq_parse_number(st->low, &low, err);
    jobq_parse_number(st->high, &high, err);
    if (!(got >= low && got <= high))
        return set_out_of_range(st, value, err);
    *to = got;
    return JOBQ_OK;
}

static int set_choice(const struct setting *st, int64_t *to, const char *value,
                      struct jobq_error *err)
{
    char safe[60];
    int word = set_word_index(st->words, value);
    if (word >= 0) {
        *to = word;
        return JOBQ_OK;
    }
    text_escape(value, (int64_t)strlen(value), safe, sizeof safe);
    return jobq_fail(err, JOBQ_INVALID, "unknown value '%s', want %s", safe, st->words);
}

static int set_name(const struct setting *st, char *to, const char *value,
                    struct jobq_error *err)
{
    size_t len = strlen(value);
    if (len == 0 || len >= st->cap ||
        strspn(value, "abcdefghijklmnopqrstuvwxyz0123456789.-") != len) {
        char safe[60];
        text_escape(value, (int64_t)len, safe, sizeof safe);
        return jobq_fail(err, JOBQ_INVALID,
                         "malformed name '%s', want 1 to %d of a-z, 0-9, '.' and '-'",
                         safe, (int)st->cap - 1);
    }
    memcpy(to, value, len + 1);
    return JOBQ_OK;
}

static int set_seed(uint64_t *to, const char *value, struct jobq_error *err)
{
    char *end;
    size_t digits = strspn(value, "0123456789");
    errno = 0;
    if (digits > 0 && value[digits] == '\0') {
        uint64_t seed = strtoull(value, &end, 10);
        if (errno == 0) {
            *to = seed;
            return JOBQ_OK;
        }
    }
    if (value[0] == '0' && value[1] == 'x' && strlen(value) <= 18 && strlen(value) > 2 &&
        strspn(value + 2, "0123456789abcdefABCDEF") == strlen(value) - 2) {
        *to = strtoull(value + 2, &end, 16);
        return JOBQ_OK;
    }
    char safe[60];
    text_escape(value, (int64_t)strlen(value), safe, sizeof safe);
    return jobq_fail(err, JOBQ_INVALID, "malformed seed '%s', want a number", safe);
}

static int set_path(char **to, const char *value, struct jobq_error *err)
{
    if (!*value)
        return jobq_fail(err, JOBQ_INVALID, "the file name is empty");
    free(*to);
    *to = strcmp(value, "none") == 0 ? NULL : xstrdup(value);
    return JOBQ_OK;
}

/* Each "SECTION.KEY=VALUE", several behind each other as "a.b=1;c.d=2"; "none" of them. */
static int set_model(char **to, const char *value, struct jobq_error *err)
{
    if (strcmp(value, "none") == 0) {
        free(*to);
        *to = NULL;
        return JOBQ_OK;
    }
    for (const char *p = value; *p;) {
        size_t len = strcspn(p, ";");
        const char *equals = memchr(p, '=', len), *dot = memchr(p, '.', len);
        if (!equals || !dot || dot > equals)
            return jobq_fail(err, JOBQ_INVALID, "want SECTION.KEY=VALUE");
        p += len + (p[len] == ';');
    }
    if (!*value)
        return jobq_fail(err, JOBQ_INVALID, "want SECTION.KEY=VALUE");
    struct text all = {0};
    if (*to) {
        text_puts(&all, *to);
        text_putc(&all, ';');
    }
    text_puts(&all, value);
    free(*to);
    *to = all.ptr;
    return JOBQ_OK;
}

static int set_dist(const struct setting *st, struct distribution *to, const char *value,
                    struct jobq_error *err)
{
    struct distribution read;
    int64_t high_ns = 0;
    int code = distribution_read(value, &read, err);
    if (code != JOBQ_OK)
        return code;
    jobq_parse_duration(st->high, &high_ns, err);
    if (!(distribution_mean(&read) <= (double)high_ns)) {
        distribution_release(&read);
        return set_out_of_range(st, value, err);
    }
    distribution_release(to);
    *to = read;
    return JOBQ_OK;
}

static int set_arrivals(const struct setting *st, struct arrivals *to, const char *value,
                        struct jobq_error *err)
{
    struct arrivals read;
    double low = 0, high = 0;
    int code = arrivals_parse(value, &read, err);
    if (code != JOBQ_OK)
        return code;
    jobq_parse_rate(st->low, &low, err);
    jobq_parse_rate(st->high, &high, err);
    double rate = arrivals_rate_per_s(&read);
    if (read.kind != ARRIVALS_AT_ONCE && isfinite(rate) &&
        !(rate >= low && rate <= high)) {
        arrivals_release(&read);
        return set_out_of_range(st, value, err);
    }
    arrivals_release(to);
    *to = read;
    return JOBQ_OK;
}

static int set_field(const struct setting *st, void *field, const char *value,
                     struct jobq_error *err)
{
    switch (st->kind) {
    case SETTING_COUNT:
    case SETTING_SIZE:
    case SETTING_DURATION:
        return set_integer(st, field, value, err);
    case SETTING_NUMBER:
        return set_number(st, field, value, err);
    case SETTING_DIST:
        return set_dist(st, field, value, err);
    case SETTING_ARRIVALS:
        return set_arrivals(st, field, value, err);
    case SETTING_NAME:
        return set_name(st, field, value, err);
    case SETTING_PATH:
        return set_path(field, value, err);
    case SETTING_MODEL:
        return set_model(field, value, err);
    case SETTING_FLAG:
        return options_yes(value, field, err);
    case SETTING_CHOICE:
        return set_choice(st, field, value, err);
    case SETTING_SEED:
        return set_seed(field, value, err);
    }
    return JOBQ_INVALID;
}

int scenario_set(struct scenario *s, const char *name, const char *value,
                 struct jobq_error *err)
{
    int index = setting_find(name);
    if (index < 0)
        return setting_unknown(name, err);
    const struct setting *st = setting_at(index);
    int code = set_field(st, (char *)s + st->offset, value, err);
    if (code == JOBQ_OK)
        s->given[index] = true;
    return code;
}

static int on_key(void *ctx, const char *section, const char *key, const char *value,
                  int line, struct jobq_error *err)
{
    (void)line;
    if (*section && strcmp(section, "scenario") != 0) {
        char safe[60];
        text_escape(section, (int64_t)strlen(section), safe, sizeof safe);
        return jobq_fail(err, JOBQ_INVALID,
                         "unknown section '%s', want [scenario] or none", safe);
    }
    int code = scenario_set(ctx, key, value, err);
    if (code == JOBQ_NOT_FOUND)
        return err->code = JOBQ_INVALID;
    return code == JOBQ_OK ? code : jobq_wrap(err, "%s", key);
}

int scenario_read_file(struct scenario *s, const char *path, struct jobq_error *err)
{
    return ini_read_file(path, on_key, s, err);
}

/* ---- the whole -------------------------------------------------------------------- */

/* Settings of a generated workload, and of a recorded one. */
static const char *const GENERATED[] = {"jobs", "arrivals", "job-time"};
static const char *const RECORDED[] = {"time-scale", "limit", "context-token-time",
                                       "token-time"};

static int conflict(const struct scenario *s, struct jobq_error *err)
{
    for (int i = 0; s->trace_path && i < 3; i++)
        if (scenario_given(s, GENERATED[i]))
            return jobq_fail(err, JOBQ_INVALID, "'%s' does not go with 'trace'%s",
                             GENERATED[i], i == 0 ? ", use 'limit'" : "");
    for (int i = 0; !s->trace_path && i < 4; i++)
        if (scenario_given(s, RECORDED[i]))
            return jobq_fail(err, JOBQ_INVALID, "'%s' needs 'trace'", RECORDED[i]);
    return JOBQ_OK;
}

int scenario_check_keep(const struct scenario *s, struct jobq_error *err)
{
    char keep[32], least[32];
    int64_t least_ns = s->retention_ns + JOBQ_FLOW_HELD_S * JOBQ_NS_PER_S;
    if (s->store == SCENARIO_STORE_NONE || s->housekeeping_ns == SCENARIO_NEVER ||
        s->keep_ns > least_ns)
        return JOBQ_OK;
    return jobq_fail(err, JOBQ_INVALID,
                     "--keep '%s' is not longer than '%s', the queue's retention and the "
                     "12h that a message can be held",
                     jobq_format_duration(s->keep_ns, keep, sizeof keep),
                     jobq_format_duration(least_ns, least, sizeof least));
}

const char *scenario_default_instance(const char *model)
{
    return strcmp(model, "aws-2012") == 0 ? "m1.small" : "t4g.small";
}

int scenario_finish(struct scenario *s, struct jobq_error *err)
{
    int code = conflict(s, err);
    if (code != JOBQ_OK)
        return code;
    if (s->boxes * s->concurrency > 1000000)
        return jobq_fail(
            err, JOBQ_LIMIT,
            "'%lld' boxes of '%lld' slots exceed the limit of 1M slots in all",
            (long long)s->boxes, (long long)s->concurrency);
    bool ideal = strcmp(s->model, "ideal") == 0;
    if (ideal && !scenario_given(s, "prefetch"))
        s->prefetch = 0;
    if (!scenario_given(s, "instance"))
        strcpy(s->instance, scenario_default_instance(s->model));
    if (s->boot == SCENARIO_BOOT_AUTO)
        s->boot = ideal ? SCENARIO_BOOT_NONE : SCENARIO_BOOT_MODEL;
    if (s->trace_path && !s->trace.arrival_ns) {
        code = trace_read(s->trace_path, &s->trace_options, &s->trace, err);
        if (code != JOBQ_OK)
            return code;
        s->trace_owned = true;
        s->jobs = s->trace.count;
    }
    return JOBQ_OK;
}

uint64_t scenario_files_hash(const struct scenario *s)
{
    uint64_t hash = 0xcbf29ce484222325u;
    const struct {
        const int64_t *value;
        int64_t count;
    } held[] = {{s->trace.arrival_ns, s->trace.count},
                {s->trace.job_ns, s->trace.count},
                {s->job_time.sample_ns, s->job_time.count},
                {s->arrivals.gap.sample_ns, s->arrivals.gap.count}};
    for (int k = 0; k < 4; k++)
        for (int64_t i = 0; held[k].value && i < held[k].count; i++)
            hash = (hash ^ (uint64_t)held[k].value[i]) * 0x100000001b3u;
    return hash;
}

/* ---- the normal form -------------------------------------------------------------- */

static void put_word(const char *words, int64_t index, struct text *out)
{
    for (; index > 0; index--)
        words += strcspn(words, "|") + 1;
    text_put(out, words, strcspn(words, "|"));
}

void scenario_put_value(const struct scenario *s, int index, struct text *out)
{
    const struct setting *st = setting_at(index);
    const void *field = (const char *)s + st->offset;
    char shown[48];
    const char *text;
    switch (st->kind) {
    case SETTING_COUNT:
    case SETTING_SIZE:
    case SETTING_DURATION: {
        int64_t value = *(const int64_t *)field;
        if (value < 0)
            put_word(st->words, -1 - value, out);
        else if (st->kind == SETTING_DURATION)
            text_puts(out, jobq_format_duration(value, shown, sizeof shown));
        else
            text_put_int(out, value);
        return;
    }
    case SETTING_NUMBER: {
        double value = *(const double *)field;
        if (value < 0)
            put_word(st->words, (int64_t)(-1 - value), out);
        else
            text_put_double(out, value);
        return;
    }
    case SETTING_DIST:
        distribution_format(field, out);
        return;
    case SETTING_ARRIVALS:
        arrivals_format(field, out);
        return;
    case SETTING_NAME:
        text_puts(out, field);
        return;
    case SETTING_PATH:
    case SETTING_MODEL:
        text = *(char *const *)field;
        text_puts(out, text ? text : "none");
        return;
    case SETTING_FLAG:
        text_puts(out, *(const bool *)field ? "yes" : "no");
        return;
    case SETTING_CHOICE:
        put_word(st->words, *(const int64_t *)field, out);
        return;
    case SETTING_SEED:
        text_printf(out, "%llu", (unsigned long long)s->seed);
        return;
    }
}

/* A generated workload's settings have no place beside a trace, nor the other way round. */
static bool put_is_shown(const struct scenario *s, const struct setting *st,
                         uint32_t takers)
{
    for (int i = 0; s->trace_path && i < 3; i++)
        if (strcmp(st->name, GENERATED[i]) == 0)
            return false;
    for (int i = 0; !s->trace_path && i < 4; i++)
        if (strcmp(st->name, RECORDED[i]) == 0)
            return false;
    return st->takers & takers && !st->same;
}

void scenario_put_normal(const struct scenario *s, uint32_t takers, struct text *out)
{
    const char *between = "";
    for (int i = 0; i < setting_count(); i++) {
        if (!put_is_shown(s, setting_at(i), takers))
            continue;
        text_printf(out, "%s%s=", between, setting_at(i)->name);
        scenario_put_value(s, i, out);
        between = " ";
    }
}

void scenario_put_file(const struct scenario *s, uint32_t takers, struct text *out)
{
    text_puts(out, "[scenario]\n");
    for (int i = 0; i < setting_count(); i++) {
        if (!put_is_shown(s, setting_at(i), takers))
            continue;
        text_printf(out, "%s = ", setting_at(i)->name);
        scenario_put_value(s, i, out);
        text_putc(out, '\n');
    }
}
