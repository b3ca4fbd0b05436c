/* wide.c - settings from coordinates. See wide.h.
 *
 * Room:     sim.
 *
 * Ranges are those that are promised (payload 0 to 256 KiB, coefficient of variation 0 to 4,
 * 1 to 1,000 boxes of 1 to 1,000 slots, wait 0 to 20 s, arrivals from 0.001/s to what the fleet
 * serves, or at once), mostly even on a log scale, with the words and the ends that people
 * use (batch 10, prefetch auto, wait 20 s, constant and exponential jobs) more often than
 * chance would. Two are cut so that a point can be simulated: jobs (JOBS_MAX), and the wait of
 * a fleet whose empty receives would be more than POLLS_MAX. */
#include "sim/sweep/wide.h"

#include "base/distribution.h"
#include "cost/predict/predict.h"
#include "jobq/units.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define JOBS_MIN 100
#define JOBS_MAX 4000.0
#define POLLS_MAX 4e4
#define LOAD_MAX 0.95 /* of what the fleet serves */
#define JOB_MAX_S 1000
#define DOMAINS_MAX 25 /* a day: an account has 250 */
#define LIMIT_S 43200  /* no message is held longer */

#define WIDE_AXES(X)                                                                     \
    X(STORE, "store")                                                                    \
    X(INSTANCE, "instance")                                                              \
    X(CONCURRENCY, "concurrency")                                                        \
    X(BOXES, "boxes")                                                                    \
    X(BATCH, "batch")                                                                    \
    X(PREFETCH, "prefetch")                                                              \
    X(PAYLOAD, "payload")                                                                \
    X(DOMAINS, "domains")                                                                \
    X(VISIBILITY, "visibility")                                                          \
    X(CPU_SHARE, "cpu-share")                                                            \
    X(JOB_TIME, "job-time")                                                              \
    X(ARRIVALS, "arrivals")                                                              \
    X(JOBS, "jobs")                                                                      \
    X(WAIT, "wait")

enum wide_axis {
#define WIDE_ENUM(id, option) WIDE_##id,
    WIDE_AXES(WIDE_ENUM)
#undef WIDE_ENUM
        WIDE_COUNT
};

static const char *const OPTIONS[WIDE_COUNT] = {
#define WIDE_NAME(id, option) option,
    WIDE_AXES(WIDE_NAME)
#undef WIDE_NAME
};

static double log_range(double u, double low, double high)
{
    return low * pow(high / low, u);
}

/* u within its part of (0,1), stretched to (0,1). */
static double part(double u, double low, double high)
{
    return fmin(1, fmax(0, (u - low) / (high - low)));
}

static const char *pick(double u, const char *const *word, int count)
{
    return word[(int)(u * count)];
}

static void instance_of(double u, bool now, struct predict_scenario *sc)
{
    static const char *const types[2][5] = {
        {"m1.small", "m1.medium", "m1.large", "m1.xlarge", "c1.xlarge"},
        {"t4g.small", "c7g.medium", "c7g.large", "c7g.xlarge", "c7g.4xlarge"}};
    strcpy(sc->instance, pick(u, types[now], 5));
}

/* A fifth constant, a fifth exponential, the rest of any spread; mean and family by two more
 * digits of the coordinate, so that one axis holds the distribution. */
static void job_time_of(double u, struct predict_scenario *sc, char *out, int cap)
{
    double spread = fmod(u * 64, 1), family = fmod(u * 4096, 1);
    double mean_s, cv;
    struct jobq_error err;
    char text[64], mean[40];
    const char *name = family < 0.6 ? "lognormal" : family < 0.75 ? "gamma" : "weibull";
    cv = spread < 0.2 ? 0 : spread < 0.4 ? 1 : 0.1 + 3.9 * part(spread, 0.4, 1);
    /* All slots of a box at work stretch a job so; hardly any may pass the services' limit. */
    double stretch = fmax(1, sc->slots * sc->cpu_share / predict_vcpus(sc)), longest = 1;
    struct distribution one = distribution_exponential(1e9);
    snprintf(text, sizeof text, "%s:mean=1s,cv=%.3f", name, cv);
    if (spread >= 0.4 && distribution_parse(text, &one, &err) != JOBQ_OK)
        one = distribution_exponential(1e9);
    if (spread >= 0.2)
        longest = distribution_value(&one, 1 - 1e-6) / 1e9;
    double longest_s = fmin(JOB_MAX_S, LIMIT_S / stretch / longest);
    mean_s = log_range(floor(u * 64) / 63, 0.01, longest_s);
    jobq_format_duration(jobq_ns_from_seconds(floor(mean_s * 1e6) / 1e6), mean,
                         sizeof mean);
    if (spread < 0.2)
        snprintf(out, (size_t)cap, "%s", mean);
    else if (spread < 0.4)
        snprintf(out, (size_t)cap, "exp:%s", mean);
    else
        snprintf(out, (size_t)cap, "%s:mean=%s,cv=%.3f", name, mean, cv);
    sc->job_s = mean_s;
    sc->job_cv = cv;
}

static double served_per_s(const struct predict_scenario *sc)
{
    struct predict_scenario marginal = *sc;
    struct predict_params params;
    struct predict_state state;
    struct jobq_error err;
    marginal.jobs = 0;
    marginal.arrivals_per_s = 1e-3; /* rows are then put one by one */
    if (predict_params_for(sc->era, &params, &err) != JOBQ_OK)
        return 1;
    predict_state(&marginal, &params, &state);
    return state.ceiling_per_s[state.binding];
}

static double payload_of(double u, const struct predict_scenario *sc)
{
    bool small = sc->store == PREDICT_NO_STORE && strcmp(sc->era, "aws-2012") == 0;
    double most =
        small ? 60 * 1024.0 : 243 * 1024.0; /* what a message, and a row, hold */
    return u < 0.05 ? 0 : floor(log_range(part(u, 0.05, 1), 1, most));
}

/* Long enough that the run's empty receives can be simulated. */
static double wait_of(double u, const struct predict_scenario *sc)
{
    double wait_s = u < 0.2 ? 0 : u < 0.6 ? 20 : floor(1 + 20 * part(u, 0.6, 1));
    wait_s = fmin(20, wait_s);
    double stretch = fmax(1, sc->slots * sc->cpu_share / predict_vcpus(sc));
    double run_s = sc->job_s * stretch * (1 + 5 * sc->job_cv);
    if (sc->arrivals_per_s > 0)
        run_s += sc->jobs / sc->arrivals_per_s;
    double polls = sc->boxes * run_s / fmax(wait_s, 0.01);
    return polls <= POLLS_MAX ? wait_s
                              : fmin(20, ceil(fmax(wait_s, 0.01) * polls / POLLS_MAX));
}

static double jobs_of(double u, const struct predict_scenario *sc)
{
    if (sc->arrivals_per_s <= 0)
        return fmin(JOBS_MAX,
                    ceil(fmax(JOBS_MIN, sc->boxes * sc->slots * log_range(u, 0.5, 20))));
    double jobs = ceil(log_range(u, JOBS_MIN, JOBS_MAX));
    double most = fmin(sc->arrivals_per_s * POLLS_MAX * 20 / sc->boxes,
                       5 * 86400 * sc->arrivals_per_s);
    return fmax(10, fmin(jobs, floor(most)));
}

/* All settings of a point, in order, since later ones depend on earlier ones: `text` is that
 * of `wanted`. */
static void wide_make(const void *ctx, const double *unit, int wanted, char *text,
                      int cap)
{
    const struct scenario *base = ctx;
    struct predict_scenario sc;
    predict_from_scenario(base, &sc);
    bool now = strcmp(sc.era, "aws-2012") != 0;
    static const char *const batches[] = {"1", "2", "5", "10", "10", "10", "10", "10"};
    static const char *const prefetches[] = {"auto", "auto", "0", "0", "1", "10"};
    int index = 0;
    for (int axis = 0; axis < WIDE_COUNT; axis++) {
        if (scenario_given(base, OPTIONS[axis]))
            continue;
        double u = unit[index];
        char value[DESIGN_VALUE_CAP] = "";
        struct jobq_error err;
        switch ((enum wide_axis)axis) {
        case WIDE_STORE:
            strcpy(value, u < 0.5 ? "none" : "simpledb");
            break;
        case WIDE_INSTANCE:
            instance_of(u, now, &sc);
            strcpy(value, sc.instance);
            break;
        case WIDE_CONCURRENCY:
        case WIDE_BOXES:
            snprintf(value, sizeof value, "%.0f", round(log_range(u, 1, 1000)));
            break;
        case WIDE_BATCH:
            strcpy(value, pick(u, batches, 8));
            break;
        case WIDE_PREFETCH:
            strcpy(value, pick(u, prefetches, 6));
            break;
        case WIDE_PAYLOAD:
            snprintf(value, sizeof value, "%.0f", payload_of(u, &sc));
            break;
        case WIDE_DOMAINS:
            snprintf(value, sizeof value, "%.0f", round(log_range(u, 1, DOMAINS_MAX)));
            break;
        case WIDE_VISIBILITY:
            snprintf(value, sizeof value, "%.0fs", round(log_range(u, 30, LIMIT_S)));
            break;
        case WIDE_CPU_SHARE:
            snprintf(value, sizeof value, "%.3f", u < 0.5 ? 0 : part(u, 0.5, 1));
            break;
        case WIDE_JOB_TIME:
            job_time_of(u, &sc, value, sizeof value);
            break;
        case WIDE_ARRIVALS:
            if (u < 0.5)
                strcpy(value, "at-once");
            else
                snprintf(value, sizeof value, "%.5g/s",
                         log_range(part(u, 0.5, 1), 0.001, LOAD_MAX * served_per_s(&sc)));
            break;
        case WIDE_JOBS:
            snprintf(value, sizeof value, "%.0f", jobs_of(u, &sc));
            break;
        case WIDE_WAIT:
            snprintf(value, sizeof value, "%.0fs", wait_of(u, &sc));
            break;
        case WIDE_COUNT:
            break;
        }
        if (axis != WIDE_JOB_TIME)
            predict_set(&sc, OPTIONS[axis], value, &err);
        if (index++ == wanted)
            snprintf(text, (size_t)cap, "%s", value);
    }
}

int wide_design(const struct scenario *base, struct design *design,
                struct jobq_error *err)
{
    const char *option[WIDE_COUNT];
    int count = 0;
    for (int axis = 0; axis < WIDE_COUNT; axis++)
        if (!scenario_given(base, OPTIONS[axis]))
            option[count++] = OPTIONS[axis];
    return design_made(design, option, count, wide_make, base, err);
}
