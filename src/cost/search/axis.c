/* axis.c - the values that a free variable may take.
 *
 * Room:     src/cost, the money. */
#include "cost/search/search.h"

#include "base/arena.h"
#include "base/text.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void add_text(struct search_axis *axis, const char *text)
{
    if (axis->count == SEARCH_VALUES_MAX || strlen(text) >= SEARCH_TEXT)
        return;
    if (axis->count % 64 == 0)
        axis->text =
            xrealloc(axis->text, (size_t)(axis->count + 64) * sizeof *axis->text);
    strcpy(axis->text[axis->count++], text);
}

void search_axis_release(struct search_axis *axis)
{
    free(axis->text);
    axis->text = NULL;
    axis->count = 0;
}

static const struct {
    const char *option, *values;
} USUAL[] = {
    {"batch", "1,2,5,10"},
    {"prefetch", "0,9,auto"},
    {"concurrency", "1,2,4,8,16,32,64,128,256"},
    {"boxes", "1,2,3,4,6,8,12,16,24,32,48,64,96,128,192,256"},
    {"wait", "0,5s,20s"},
    {"visibility", "30s,2min,10min,1h,12h"},
    {"domains", "1,4,16,64,250"},
    {"keep", "15d,21d,30d,90d"},
    {"spot", "no,yes"},
    {"store", "simpledb,dynamodb,none"},
    {"rows", "all,claim,end,none"},
    {"client", "in-region,internet"},
    {"utilisation", "0.25,0.5,0.75,0.9,1"},
    {"cpu-share", "0,0.25,0.5,0.75,1"},
    {"payload", "0,64,256,1KiB,4KiB,16KiB,64KiB"},
    {"job-time", "0,1ms,10ms,100ms,1s,10s,100s"},
    {"status", "0,1,10"},
};

struct priced_type {
    const char *type;
    int vcpus;
    double usd;
};

static int by_usd(const void *a, const void *b)
{
    const struct priced_type *x = a, *y = b;
    if (x->usd != y->usd)
        return x->usd < y->usd ? -1 : 1;
    return strcmp(x->type, y->type);
}

static void axis_add_instances(const struct sheet *sheet, bool all,
                               struct search_axis *axis)
{
    struct priced_type *type = xcalloc((size_t)sheet_row_count(sheet) + 1, sizeof *type);
    int count = 0, taken[17] = {0};
    for (int i = 0; i < sheet_row_count(sheet); i++) {
        const struct sheet_row *row = sheet_row_at(sheet, i);
        int vcpus = sheet_instance_vcpus(row->item);
        if (strcmp(row->service, "ec2") == 0 && vcpus > 0)
            type[count++] = (struct priced_type){row->item, vcpus, row->usd};
    }
    qsort(type, (size_t)count, sizeof *type, by_usd);
    for (int i = 0; i < count; i++)
        if (all || (type[i].vcpus <= 16 && taken[type[i].vcpus]++ < 4))
            add_text(axis, type[i].type);
    free(type);
}

/* LOW..HIGH of a numeric input: 16 values evenly on a log scale, rounded to whole
 * numbers for whole inputs; zero is one more value. */
static int add_range(const char *low_text, const char *high_text,
                     const struct predict_scenario *base, struct search_axis *axis,
                     struct jobq_error *err)
{
    struct predict_scenario sc = *base;
    int input = predict_input_find(axis->option);
    if (input < 0)
        return jobq_fail(err, JOBQ_INVALID, "'%s' has no range", axis->option);
    int code = predict_set(&sc, axis->option, low_text, err);
    double low = predict_get(&sc, (enum predict_input)input);
    if (!code)
        code = predict_set(&sc, axis->option, high_text, err);
    double high = predict_get(&sc, (enum predict_input)input);
    if (code)
        return code;
    if (!(low < high) || low < 0)
        return jobq_fail(err, JOBQ_INVALID, "%s: '%s..%s' is not a range", axis->option,
                         low_text, high_text);
    double start = low > 0 ? low : high * 1e-4, before = -1;
    if (low <= 0)
        add_text(axis, "0");
    for (int i = 0; i < 16; i++) {
        double value = start * pow(high / start, i / 15.0);
        char text[SEARCH_TEXT];
        if (i == 15)
            value = high;
        if (predict_input_whole((enum predict_input)input))
            value = floor(value + 0.5);
        if (value == before)
            continue;
        before = value;
        add_text(axis, predict_input_text((enum predict_input)input, value, text,
                                          (int)sizeof text));
    }
    return JOBQ_OK;
}

static int add_list(struct search_axis *axis, const char *list,
                    const struct predict_scenario *base, struct jobq_error *err)
{
    for (const char *p = list;; p++) {
        struct predict_scenario scratch = *base;
        char text[SEARCH_TEXT];
        size_t len = strcspn(p, ",");
        if (len == 0 || len >= sizeof text)
            return jobq_fail(err, JOBQ_INVALID,
                             "%s: an empty or overlong value in '%.60s'", axis->option,
                             list);
        memcpy(text, p, len);
        text[len] = '\0';
        int code = predict_set(&scratch, axis->option, text, err);
        if (code)
            return code;
        add_text(axis, text);
        p += len;
        if (!*p)
            return JOBQ_OK;
    }
}

int search_axis_parse(const char *text, const struct predict_scenario *base,
                      const struct sheet *sheet, struct search_axis *out,
                      struct jobq_error *err)
{
    assert(text && base && sheet && out && err);
    const char *equals = strchr(text, '=');
    size_t len = equals ? (size_t)(equals - text) : strlen(text);
    memset(out, 0, sizeof *out);
    if (len == 0 || len >= sizeof out->option)
        return jobq_fail(err, JOBQ_INVALID, "malformed variable '%.60s'", text);
    memcpy(out->option, text, len);
    int code = JOBQ_OK;
    const char *list = equals ? equals + 1 : NULL;
    if (strcmp(out->option, "instance") == 0 && (!list || strcmp(list, "all") == 0)) {
        axis_add_instances(sheet, list != NULL, out);
    } else if (list && strstr(list, "..")) {
        char low[40], high[40];
        const char *dots = strstr(list, "..");
        if ((size_t)(dots - list) >= sizeof low || strlen(dots + 2) >= sizeof high)
            return jobq_fail(err, JOBQ_INVALID, "malformed range '%.60s'", list);
        memcpy(low, list, (size_t)(dots - list));
        low[dots - list] = '\0';
        strcpy(high, dots + 2);
        code = add_range(low, high, base, out, err);
    } else {
        for (size_t i = 0; !list && i < sizeof USUAL / sizeof *USUAL; i++)
            if (strcmp(USUAL[i].option, out->option) == 0)
                list = USUAL[i].values;
        code = list ? add_list(out, list, base, err)
                    : jobq_fail(err, JOBQ_INVALID,
                                "'%.40s': no such variable, or give "
                                "values: %.40s=V1,V2",
                                out->option, out->option);
    }
    if (code && code == JOBQ_NOT_FOUND)
        err->code = JOBQ_INVALID;
    if (!code && out->count == 0)
        code = jobq_fail(err, JOBQ_NOT_FOUND, "'%s' has no values to choose from",
                         out->option);
    if (code)
        search_axis_release(out);
    return code;
}
