/* scenario.c - what the closed form takes from a scenario: the one conversion, and its inputs
 * by name.
 *
 * Room:     src/cost, the money.
 * Knows nothing of: what follows from a scenario (predict.c). Names, texts, ranges and
 *           defaults are the table's (scenario/settings.h). */
#include "cost/predict/predict.h"

#include "base/text.h"
#include "jobq/flow.h"
#include "jobq/units.h"
#include "scenario/settings.h"

#include <assert.h>
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum kind { KIND_S, KIND_B, KIND_N, KIND_F };

static const struct {
    const char *name;
    size_t offset;
    enum kind kind;
} INPUTS[PREDICT_INPUT_COUNT] = {
#define INPUT_ROW(id, field, option, kind)                                               \
    [PREDICT_##id] = {option, offsetof(struct predict_scenario, field), KIND_##kind},
    PREDICT_INPUTS(INPUT_ROW)
#undef INPUT_ROW
};

static double *field(struct predict_scenario *scenario, enum predict_input input)
{
    return (double *)(void *)((char *)scenario + INPUTS[input].offset);
}

double predict_get(const struct predict_scenario *scenario, enum predict_input input)
{
    double value;
    memcpy(&value, (const char *)scenario + INPUTS[input].offset, sizeof value);
    return value;
}

void predict_put(struct predict_scenario *scenario, enum predict_input input,
                 double value)
{
    *field(scenario, input) = value;
}

const char *predict_input_name(enum predict_input input)
{
    return INPUTS[input].name;
}

int predict_input_find(const char *option)
{
    for (int i = 0; i < PREDICT_INPUT_COUNT; i++)
        if (strcmp(INPUTS[i].name, option) == 0)
            return i;
    return -1;
}

bool predict_input_whole(enum predict_input input)
{
    return INPUTS[input].kind == KIND_N || INPUTS[input].kind == KIND_B;
}

char *predict_input_text(enum predict_input input, double value, char *out, int cap)
{
    if (input == PREDICT_PREFETCH && value < 0)
        return text_escape("auto", 4, out, cap);
    if (input == PREDICT_HOUSEKEEPING && !(value > 0))
        return text_escape("never", 5, out, cap);
    if (INPUTS[input].kind == KIND_S && value < 9e9)
        return jobq_format_duration(jobq_ns_from_seconds(value), out, cap);
    if (INPUTS[input].kind == KIND_B && value < 9e18 && value == floor(value))
        return jobq_format_size((int64_t)value, out, cap);
    struct text text = {0};
    text_put_double(&text, value);
    text_escape(text.ptr, (int64_t)text.len, out, cap);
    text_release(&text);
    return out;
}

/* ---- from a scenario --------------------------------------------------------------------- */

static enum predict_family predict_family_of(const struct scenario *s)
{
    if (s->trace.count > 0)
        return PREDICT_TWO_MOMENTS;
    switch (s->job_time.kind) {
    case DISTRIBUTION_CONSTANT:
        return PREDICT_CONSTANT;
    case DISTRIBUTION_UNIFORM:
        return PREDICT_UNIFORM;
    case DISTRIBUTION_EXPONENTIAL:
        return PREDICT_EXPONENTIAL;
    case DISTRIBUTION_LOGNORMAL:
        return PREDICT_LOGNORMAL;
    case DISTRIBUTION_GAMMA:
        return PREDICT_GAMMA;
    case DISTRIBUTION_WEIBULL:
        return PREDICT_WEIBULL;
    case DISTRIBUTION_PARETO:
        return PREDICT_PARETO;
    case DISTRIBUTION_TABLE:
    case DISTRIBUTION_EMPIRICAL:
        break;
    }
    return PREDICT_TWO_MOMENTS;
}

static void predict_take_job_time(struct predict_scenario *out, const struct scenario *s)
{
    double mean_s = distribution_mean(&s->job_time) / 1e9,
           cv = distribution_cv(&s->job_time);
    if (s->trace.count > 0) {
        double sum = 0, squares = 0;
        for (int64_t i = 0; i < s->trace.count; i++) {
            double x = (double)s->trace.job_ns[i] / 1e9;
            sum += x;
            squares += x * x;
        }
        mean_s = sum / (double)s->trace.count;
        double variance = squares / (double)s->trace.count - mean_s * mean_s;
        cv = mean_s > 0 && variance > 0 ? sqrt(variance) / mean_s : 0;
    }
    out->job_s = mean_s;
    out->job_cv = isfinite(cv) ? cv : 100;
    out->family = predict_family_of(s);
}

/* What is no number. False: not one of these. */
static bool predict_take_word(struct predict_scenario *out, const struct scenario *s,
                              const char *name)
{
    static const enum predict_store stores[] = {
        [SCENARIO_STORE_SIMPLEDB] = PREDICT_SIMPLEDB,
        [SCENARIO_STORE_NONE] = PREDICT_NO_STORE,
        [SCENARIO_STORE_DYNAMODB] = PREDICT_DYNAMODB};
    if (strcmp(name, "instance") == 0)
        strcpy(out->instance, s->instance);
    else if (strcmp(name, "model") == 0)
        snprintf(out->era, sizeof out->era, "%.11s", s->model);
    else if (strcmp(name, "client") == 0)
        out->client_internet = s->client == SCENARIO_CLIENT_INTERNET;
    else if (strcmp(name, "store") == 0)
        out->asked_store = stores[s->store];
    else if (strcmp(name, "rows") == 0)
        out->rows = (enum predict_rows)s->rows;
    else if (strcmp(name, "payload-in") == 0)
        out->payload_in = (enum predict_payload_in)s->payload_in;
    else if (strcmp(name, "spot") == 0)
        out->spot = s->spot;
    else if (strcmp(name, "public-ip") == 0)
        out->public_ip = s->public_ip;
    else if (strcmp(name, "boot") == 0)
        out->no_boot = s->boot == SCENARIO_BOOT_NONE;
    else if (strcmp(name, "session-token") == 0)
        out->session_token = s->session_token;
    else
        return false;
    out->store = out->rows == PREDICT_ROWS_NONE ? PREDICT_NO_STORE : out->asked_store;
    return true;
}

static void predict_take(struct predict_scenario *out, const struct scenario *s,
                         const struct setting *st)
{
    int input = predict_input_find(st->name);
    const void *at = (const char *)s + st->offset;
    double value = 0;
    if (predict_take_word(out, s, st->name) || input < 0)
        return;
    switch (st->kind) {
    case SETTING_COUNT:
    case SETTING_SIZE:
        value = (double)*(const int64_t *)at;
        break;
    case SETTING_DURATION:
        value = fmax(0, jobq_seconds_from_ns(*(const int64_t *)at)); /* 0: never */
        break;
    case SETTING_NUMBER:
        value = *(const double *)at;
        if (value < 0 && input == PREDICT_JOB_CV)
            return; /* the job time's own */
        value = fmax(value, 0);
        break;
    case SETTING_ARRIVALS:
        value = s->trace_path ? 0 : arrivals_rate_per_s(at);
        value = isfinite(value) ? value : 0;
        break;
    case SETTING_DIST:
        predict_take_job_time(out, s);
        return;
    case SETTING_NAME:
    case SETTING_PATH:
    case SETTING_MODEL:
    case SETTING_FLAG:
    case SETTING_CHOICE:
    case SETTING_SEED:
        return;
    }
    *field(out, (enum predict_input)input) = value;
}

void predict_from_scenario(const struct scenario *s, struct predict_scenario *out)
{
    memset(out, 0, sizeof *out);
    for (int i = 0; i < setting_count(); i++)
        if (setting_at(i)->takers & TAKER_COST)
            predict_take(out, s, setting_at(i));
}

void predict_defaults(struct predict_scenario *out)
{
    struct scenario defaults;
    scenario_init(&defaults);
    predict_from_scenario(&defaults, out);
    out->jobs = 0;
    scenario_release(&defaults);
}

/* ---- texts ------------------------------------------------------------------------ */

static int out_of_range(enum predict_input input, const char *text,
                        struct jobq_error *err)
{
    char shown[60];
    const struct setting *st = setting_at(setting_find(INPUTS[input].name));
    text_escape(text, (int64_t)strlen(text), shown, sizeof shown);
    return jobq_fail(err, JOBQ_LIMIT, "%s: '%s' is out of range, want %s to %s", st->name,
                     shown, st->low, st->high);
}

const char *predict_store_name(enum predict_store store)
{
    static const char *const stores[] = {"simpledb", "dynamodb", "none"};
    return stores[store];
}

const char *predict_rows_name(enum predict_rows rows)
{
    static const char *const names[] = {"all", "claim", "end", "none"};
    return names[rows];
}

const char *predict_gives_up(enum predict_store store, enum predict_rows rows)
{
    static const char *const texts[] = {
        "", "waiting jobs have no row", "no row before a job ends, it may run twice",
        "no rows: no status or results, a job may run twice"};
    return texts[store == PREDICT_NO_STORE ? PREDICT_ROWS_NONE : rows];
}

int predict_set(struct predict_scenario *out, const char *option, const char *text,
                struct jobq_error *err)
{
    /* Sweeps and predictions that were stored call the model so. */
    const char *name = strcmp(option, "era") == 0 ? "model" : option;
    int index = setting_find(name);
    if (index < 0 || !(setting_at(index)->takers & TAKER_COST))
        return setting_unknown(name, err);
    struct scenario one = {0};
    int code = scenario_set(&one, name, text, err);
    if (code == JOBQ_OK)
        predict_take(out, &one, setting_at(index));
    else
        jobq_wrap(err, "%s", option);
    scenario_release(&one);
    return code;
}

/* The range of the table; 0 where it stands for what is not given. */
static bool predict_in_range(enum predict_input input, double value)
{
    const struct setting *st = setting_at(setting_find(INPUTS[input].name));
    struct jobq_error ignored;
    int64_t low_whole = 0, high_whole = 0;
    double low = 0, high = 0;
    if (input == PREDICT_JOBS || input == PREDICT_ARRIVALS || input == PREDICT_VCPUS ||
        input == PREDICT_VISIBILITY || input == PREDICT_HOUSEKEEPING)
        if (!(value > 0))
            return value >= 0;
    if (input == PREDICT_PREFETCH && value < 0)
        return value >= SCENARIO_AUTO;
    switch (st->kind) {
    case SETTING_DURATION:
    case SETTING_DIST:
        jobq_parse_duration(st->low, &low_whole, &ignored);
        jobq_parse_duration(st->high, &high_whole, &ignored);
        low = jobq_seconds_from_ns(low_whole);
        high = jobq_seconds_from_ns(high_whole);
        break;
    case SETTING_SIZE:
        jobq_parse_size(st->high, &high_whole, &ignored);
        high = (double)high_whole;
        break;
    case SETTING_COUNT:
        jobq_parse_count(st->low, &low_whole, &ignored);
        jobq_parse_count(st->high, &high_whole, &ignored);
        low = (double)low_whole;
        high = (double)high_whole;
        break;
    case SETTING_ARRIVALS:
        jobq_parse_rate(st->low, &low, &ignored);
        jobq_parse_rate(st->high, &high, &ignored);
        break;
    case SETTING_NUMBER:
        jobq_parse_number(st->low, &low, &ignored);
        jobq_parse_number(st->high, &high, &ignored);
        break;
    case SETTING_NAME:
    case SETTING_PATH:
    case SETTING_MODEL:
    case SETTING_FLAG:
    case SETTING_CHOICE:
    case SETTING_SEED:
        assert(false); /* a number of the closed form is a number of the table */
    }
    return value >= low && value <= high;
}

int predict_check(const struct predict_scenario *s, const struct predict_params *params,
                  struct jobq_error *err)
{
    double encoded = s->payload_bytes + JOBQ_FLOW_MESSAGE_BYTES;
    double row_max = (double)JOBQ_FLOW_PIECES_MAX * JOBQ_FLOW_PIECE_BYTES;
    for (int i = 0; i < PREDICT_INPUT_COUNT; i++) {
        double value = predict_get(s, (enum predict_input)i);
        if (!predict_in_range((enum predict_input)i, value)) {
            char text[40];
            return out_of_range(
                (enum predict_input)i,
                predict_input_text((enum predict_input)i, value, text, 40), err);
        }
    }
    bool in_row = s->store != PREDICT_NO_STORE && s->rows == PREDICT_ROWS_ALL;
    if (in_row && encoded > row_max)
        return jobq_fail(
            err, JOBQ_LIMIT, "payload of %.0f bytes exceeds what a %s row holds, %.0f",
            s->payload_bytes, s->store == PREDICT_DYNAMODB ? "DynamoDB" : "SimpleDB",
            row_max - JOBQ_FLOW_MESSAGE_BYTES);
    double body = encoded + params->queue_bytes + JOBQ_FLOW_ID_SUFFIX;
    bool must_fit = !in_row || s->payload_in == PREDICT_IN_MESSAGE;
    if (must_fit && body > params->message_max_bytes)
        return jobq_fail(
            err, JOBQ_LIMIT,
            "payload of %.0f bytes makes a message of %.0f, the limit is %.0f",
            s->payload_bytes, body, params->message_max_bytes);
    if (s->store == PREDICT_NO_STORE && s->payload_in == PREDICT_IN_STORE)
        return jobq_fail(err, JOBQ_INVALID, "payload-in 'store' needs a store");
    return JOBQ_OK;
}
