/* scenario.c - a scenario's options: names, texts, limits, defaults.
 *
 * Room:     src/cost, the money.
 * Knows nothing of: what follows from a scenario (predict.c). */
#include "cost/predict/predict.h"

#include "base/text.h"
#include "jobq/flow.h"
#include "jobq/units.h"

#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

enum kind { KIND_S, KIND_B, KIND_N, KIND_F };

/* What each input may be; the limit is what the error names. */
static const struct {
    const char *name;
    size_t offset;
    enum kind kind;
    double low, high;
} INPUTS[PREDICT_INPUT_COUNT] = {
#define INPUT_ROW(id, field, option, kind)                                               \
    [PREDICT_##id] = {option, offsetof(struct predict_scenario, field), KIND_##kind,     \
                      LIMITS_##id},
#define LIMITS_PAYLOAD 0, 1e12
#define LIMITS_JOB_TIME 0, 3.2e8
#define LIMITS_JOB_CV 0, 1000
#define LIMITS_CPU_SHARE 0, 1
#define LIMITS_CONCURRENCY 1, 100000
#define LIMITS_BOXES 1, 1e6
#define LIMITS_VCPUS 0, 4096
#define LIMITS_UTILISATION 1e-9, 1
#define LIMITS_ARRIVALS 0, 1e9
#define LIMITS_JOBS 0, 1e15
#define LIMITS_BATCH 1, 10
#define LIMITS_PREFETCH -1, 1000
#define LIMITS_WAIT 0, 20
#define LIMITS_VISIBILITY 0, 43200
#define LIMITS_DOMAINS 1, 250
#define LIMITS_KEEP 0, 3.2e9
#define LIMITS_QUEUED 0, 3.2e8
#define LIMITS_STATUS 0, 1e9
#define LIMITS_CANCEL_CHECKS 0, 1e9
#define LIMITS_EXPANSION 1, 6
#define LIMITS_FAILURE 0, 0.99
#define LIMITS_VOLUME_GIB 0, 65536
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

void predict_defaults(struct predict_scenario *out)
{
    *out = (struct predict_scenario){.payload_bytes = 1024,
                                     .job_s = 1,
                                     .slots = 1,
                                     .boxes = 1,
                                     .utilisation = 1,
                                     .batch = 10,
                                     .prefetch = -1,
                                     .wait_s = 20,
                                     .visibility_s = 30,
                                     .domains = 4,
                                     .expansion = 1,
                                     .volume_gib = 0,
                                     .instance = "none",
                                     .store = PREDICT_SIMPLEDB,
                                     .payload_in = PREDICT_PAYLOAD_AUTO,
                                     .era = "aws-2026"};
}

/* ---- texts ------------------------------------------------------------------------ */

static int out_of_range(enum predict_input input, const char *text,
                        struct jobq_error *err)
{
    char shown[60], low[40], high[40];
    text_escape(text, (int64_t)strlen(text), shown, sizeof shown);
    return jobq_fail(err, JOBQ_LIMIT, "%s '%s' is not in %s..%s", INPUTS[input].name,
                     shown, predict_input_text(input, INPUTS[input].low, low, sizeof low),
                     predict_input_text(input, INPUTS[input].high, high, sizeof high));
}

/* A job time may be a distribution, of which mean and coefficient of variation matter:
 * exp:MEAN, uniform:LOW..HIGH, lognormal:mean=M,cv=C, gamma:mean=M,cv=C. */
static int set_job_time(struct predict_scenario *s, const char *text,
                        struct jobq_error *err)
{
    char part[64];
    int64_t a, b;
    double cv;
    const char *colon = strchr(text, ':');
    size_t kind = (size_t)(colon - text);
    int code = JOBQ_OK;
    if (strlen(colon + 1) >= sizeof part)
        return jobq_fail(err, JOBQ_INVALID, "job-time is too long");
    strcpy(part, colon + 1);
    if (kind == 3 && memcmp(text, "exp", 3) == 0) {
        code = jobq_parse_duration(part, &a, err);
        if (!code) {
            s->job_s = jobq_seconds_from_ns(a);
            s->job_cv = 1;
        }
        return code;
    }
    if (kind == 7 && memcmp(text, "uniform", 7) == 0 && strstr(part, "..")) {
        char *dots = strstr(part, "..");
        *dots = '\0';
        code = jobq_parse_duration(part, &a, err);
        if (!code)
            code = jobq_parse_duration(dots + 2, &b, err);
        if (code)
            return code;
        double low = jobq_seconds_from_ns(a), high = jobq_seconds_from_ns(b);
        s->job_s = (low + high) / 2;
        s->job_cv = s->job_s > 0 ? fabs(high - low) / sqrt(12) / s->job_s : 0;
        return JOBQ_OK;
    }
    char *comma = strstr(part, ",cv=");
    if (((kind == 9 && memcmp(text, "lognormal", 9) == 0) ||
         (kind == 5 && memcmp(text, "gamma", 5) == 0)) &&
        strncmp(part, "mean=", 5) == 0 && comma) {
        *comma = '\0';
        code = jobq_parse_duration(part + 5, &a, err);
        if (!code)
            code = jobq_parse_number(comma + 4, &cv, err);
        if (code)
            return code;
        s->job_s = jobq_seconds_from_ns(a);
        s->job_cv = cv;
        return JOBQ_OK;
    }
    char shown[60];
    text_escape(text, (int64_t)strlen(text), shown, sizeof shown);
    return jobq_fail(err, JOBQ_INVALID,
                     "job-time '%s': give the mean, and --job-cv for its spread", shown);
}

/* "poisson:10/s", "every:100ms", "at-once" or a rate a second. */
static int set_arrivals(struct predict_scenario *s, const char *text,
                        struct jobq_error *err)
{
    char part[64];
    int64_t ns;
    int code;
    if (strcmp(text, "at-once") == 0) {
        s->arrivals_per_s = 0;
        return JOBQ_OK;
    }
    if (strncmp(text, "every:", 6) == 0) {
        code = jobq_parse_duration(text + 6, &ns, err);
        if (code || ns == 0)
            return code ? code : out_of_range(PREDICT_ARRIVALS, text, err);
        s->arrivals_per_s = 1e9 / (double)ns;
        return JOBQ_OK;
    }
    if (strncmp(text, "poisson:", 8) == 0)
        text += 8;
    size_t len = strlen(text);
    if (len > 2 && strcmp(text + len - 2, "/s") == 0)
        len -= 2;
    if (len >= sizeof part)
        return jobq_fail(err, JOBQ_INVALID, "arrivals are too long");
    memcpy(part, text, len);
    part[len] = '\0';
    code = jobq_parse_number(part, &s->arrivals_per_s, err);
    if (!code && !(s->arrivals_per_s >= 0 && s->arrivals_per_s <= 1e9))
        return out_of_range(PREDICT_ARRIVALS, part, err);
    return code;
}

static int set_number(struct predict_scenario *s, enum predict_input input,
                      const char *text, struct jobq_error *err)
{
    int64_t whole = 0;
    double value = 0;
    int code = JOBQ_OK;
    if (input == PREDICT_JOB_TIME && strchr(text, ':'))
        return set_job_time(s, text, err);
    if (input == PREDICT_ARRIVALS)
        return set_arrivals(s, text, err);
    if (input == PREDICT_PREFETCH && strcmp(text, "auto") == 0) {
        s->prefetch = -1;
        return JOBQ_OK;
    }
    switch (INPUTS[input].kind) {
    case KIND_S:
        code = jobq_parse_duration(text, &whole, err);
        value = jobq_seconds_from_ns(whole);
        break;
    case KIND_B:
        code = jobq_parse_size(text, &whole, err);
        value = (double)whole;
        break;
    case KIND_N:
        code = jobq_parse_count(text, &whole, err);
        value = (double)whole;
        break;
    case KIND_F:
        code = jobq_parse_number(text, &value, err);
        break;
    }
    if (code)
        return jobq_wrap(err, "%s", INPUTS[input].name);
    if (!(value >= INPUTS[input].low && value <= INPUTS[input].high))
        return out_of_range(input, text, err);
    *field(s, input) = value;
    return JOBQ_OK;
}

static int set_word(const char *option, const char *text, const char *const *word,
                    int count, int *out, struct jobq_error *err)
{
    for (int i = 0; i < count; i++)
        if (strcmp(word[i], text) == 0) {
            *out = i;
            return JOBQ_OK;
        }
    char shown[60];
    text_escape(text, (int64_t)strlen(text), shown, sizeof shown);
    return jobq_fail(err, JOBQ_INVALID, "%s '%s' is none of %s, %s%s%s", option, shown,
                     word[0], word[1], count > 2 ? ", " : "", count > 2 ? word[2] : "");
}

static const char *const YES_NO[] = {"no", "yes"};
static const char *const CLIENTS[] = {"in-region", "internet"};
static const char *const STORES[] = {"simpledb", "dynamodb", "none"};
static const char *const PLACES[] = {"auto", "message", "store"};

const char *predict_store_name(enum predict_store store)
{
    return STORES[store];
}

int predict_set(struct predict_scenario *s, const char *option, const char *text,
                struct jobq_error *err)
{
    int input = predict_input_find(option), value = 0, code;
    if (input >= 0)
        return set_number(s, (enum predict_input)input, text, err);
    if (strcmp(option, "instance") == 0 || strcmp(option, "era") == 0) {
        bool era = option[0] == 'e';
        size_t len = strlen(text), cap = era ? sizeof s->era : sizeof s->instance;
        if (len == 0 || len >= cap ||
            strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789.-") != len) {
            char shown[60];
            text_escape(text, (int64_t)len, shown, sizeof shown);
            return jobq_fail(err, JOBQ_INVALID, "malformed %s '%s'", option, shown);
        }
        memcpy(era ? s->era : s->instance, text, len + 1);
        return JOBQ_OK;
    }
    if (strcmp(option, "client") == 0) {
        code = set_word(option, text, CLIENTS, 2, &value, err);
        s->client_internet = code ? s->client_internet : value;
    } else if (strcmp(option, "store") == 0) {
        code = set_word(option, text, STORES, 3, &value, err);
        s->store = code ? s->store : (enum predict_store)value;
    } else if (strcmp(option, "payload-in") == 0) {
        code = set_word(option, text, PLACES, 3, &value, err);
        s->payload_in = code ? s->payload_in : (enum predict_payload_in)value;
    } else if (strcmp(option, "spot") == 0) {
        code = set_word(option, text, YES_NO, 2, &value, err);
        s->spot = code ? s->spot : value;
    } else if (strcmp(option, "public-ip") == 0) {
        code = set_word(option, text, YES_NO, 2, &value, err);
        s->public_ip = code ? s->public_ip : value;
    } else if (strcmp(option, "session-token") == 0) {
        code = set_word(option, text, YES_NO, 2, &value, err);
        s->session_token = code ? s->session_token : value;
    } else {
        char shown[60];
        text_escape(option, (int64_t)strlen(option), shown, sizeof shown);
        return jobq_fail(err, JOBQ_NOT_FOUND, "unknown option '%s'", shown);
    }
    return code;
}

int predict_check(const struct predict_scenario *s, const struct predict_params *params,
                  struct jobq_error *err)
{
    double encoded = s->payload_bytes + JOBQ_FLOW_MESSAGE_BYTES;
    double row_max = (double)JOBQ_FLOW_PIECES_MAX * JOBQ_FLOW_PIECE_BYTES;
    for (int i = 0; i < PREDICT_INPUT_COUNT; i++) {
        double value = predict_get(s, (enum predict_input)i);
        if (!(value >= INPUTS[i].low && value <= INPUTS[i].high)) {
            char text[40];
            return out_of_range(
                (enum predict_input)i,
                predict_input_text((enum predict_input)i, value, text, 40), err);
        }
    }
    if (s->store == PREDICT_SIMPLEDB && encoded > row_max)
        return jobq_fail(err, JOBQ_LIMIT,
                         "payload of %.0f bytes exceeds what a SimpleDB row holds, %.0f",
                         s->payload_bytes, row_max - JOBQ_FLOW_MESSAGE_BYTES);
    double body = encoded + params->queue_bytes + JOBQ_FLOW_ID_SUFFIX;
    bool must_fit = s->store == PREDICT_NO_STORE || s->payload_in == PREDICT_IN_MESSAGE;
    if (must_fit && body > params->message_max_bytes)
        return jobq_fail(
            err, JOBQ_LIMIT,
            "payload of %.0f bytes makes a message of %.0f, the limit is %.0f",
            s->payload_bytes, body, params->message_max_bytes);
    if (s->store == PREDICT_NO_STORE && s->payload_in == PREDICT_IN_STORE)
        return jobq_fail(err, JOBQ_INVALID, "payload-in 'store' needs a store");
    return JOBQ_OK;
}
