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

/* ---- reading ---------------------------------------------------------------------- */

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
        return setting_out_of_range(st, value, err);
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
        return setting_out_of_range(st, value, err);
    }
    arrivals_release(to);
    *to = read;
    return JOBQ_OK;
}

static int set_field(const struct setting *st, void *field, const char *value,
                     struct jobq_error *err)
{
    switch ((int)st->kind) {
    case SETTING_DIST:
        return set_dist(st, field, value, err);
    case SETTING_ARRIVALS:
        return set_arrivals(st, field, value, err);
    case SETTING_PATH:
        return set_path(field, value, err);
    case SETTING_MODEL:
        return set_model(field, value, err);
    default:
        return setting_read(st, field, value, err);
    }
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
    if (scenario_store(s) == SCENARIO_STORE_NONE ||
        s->housekeeping_ns == SCENARIO_NEVER || s->keep_ns > least_ns)
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
    if (s->autoscale && s->boxes_min > s->boxes_max)
        return jobq_fail(err, JOBQ_INVALID, "--min-boxes %lld is above --max-boxes %lld",
                         (long long)s->boxes_min, (long long)s->boxes_max);
    if (s->autoscale)
        s->boxes = s->boxes_max;
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
        s->boot = ideal && !s->autoscale ? SCENARIO_BOOT_NONE : SCENARIO_BOOT_MODEL;
    if (s->autoscale && s->boot == SCENARIO_BOOT_NONE)
        return jobq_fail(err, JOBQ_INVALID,
                         "'boot' none does not go with 'autoscale': its boxes boot");
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
