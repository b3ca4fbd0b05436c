#include "cost/fit/formula.h"

#include "base/arena.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

double formula_t95(double dof)
{
    assert(dof > 0);
    /* Cornish-Fisher expansion of Student's quantile about the normal one (Abramowitz and
     * Stegun 26.7.5), z = 1.959964; within 0.1 % from 5 degrees on. Below, a table. */
    static const double small[] = {12.706, 4.303, 3.182, 2.776};
    if (!(dof >= 1))
        dof = 1;
    if (dof < 4.5)
        return small[(int)(dof + 0.5) - 1];
    const double z = 1.959963985, z2 = z * z;
    double g1 = z * (z2 + 1) / 4;
    double g2 = z * ((5 * z2 + 16) * z2 + 3) / 96;
    double g3 = z * (((3 * z2 + 19) * z2 + 17) * z2 - 15) / 384;
    double g4 = z * ((((79 * z2 + 776) * z2 + 1482) * z2 - 1920) * z2 - 945) / 92160;
    return z + (g1 + (g2 + (g3 + g4 / dof) / dof) / dof) / dof;
}

/* ---- evaluation ---------------------------------------------------------------------- */

/* Where the closed form was compared with the simulator (make fit-check). Inputs that are not
 * here follow exactly, such as keep, or were not varied: utilisation of a job more. */
static const struct {
    enum predict_input input;
    double low, high;
} VALIDATED[] = {{PREDICT_PAYLOAD, 0, 262144}, {PREDICT_JOB_TIME, 0, 1800},
                 {PREDICT_JOB_CV, 0, 4},       {PREDICT_CONCURRENCY, 1, 1000},
                 {PREDICT_BOXES, 1, 1000},     {PREDICT_VCPUS, 0, 32},
                 {PREDICT_WAIT, 0, 20},        {PREDICT_VISIBILITY, 30, 43200},
                 {PREDICT_DOMAINS, 1, 250},    {PREDICT_PREFETCH, -1, 100},
                 {PREDICT_FAILURE, 0, 0.2},    {PREDICT_CANCEL_CHECKS, 0, 10},
                 {PREDICT_STATUS, 0, 10}};

static void outside_in(struct formula_value *out, double by, const char *what)
{
    out->outside += by;
    size_t len = strlen(out->outside_of);
    snprintf(out->outside_of + len, sizeof out->outside_of - len, "%s%s", len ? ", " : "",
             what);
}

static void measure_input(const struct predict_scenario *sc, enum predict_input input,
                          double low, double high, struct formula_value *out)
{
    /* The marginal job of a running fleet is the limit of ever longer runs: inside. */
    if (!(sc->jobs > 0) && (input == PREDICT_JOBS || input == PREDICT_BOXES))
        return;
    double value = input == PREDICT_VCPUS ? predict_vcpus(sc) : predict_get(sc, input);
    double beyond = value < low ? low - value : value > high ? value - high : 0;
    if (!(beyond > 0) || !isfinite(beyond))
        return;
    double width = high - low;
    if (!(width > 0))
        width = fabs(high) > 0 ? fabs(high) : 1;
    outside_in(out, beyond / width, predict_input_name(input));
}

/* How far the scenario is outside the domain: the sum over inputs, each relative to the width of
 * its range (for a constant, its value or 1). */
static void measure_outside(const struct formula *f, const struct predict_scenario *sc,
                            struct formula_value *out)
{
    const struct predict_state *s = &out->state;
    for (int i = 0; f && i < PREDICT_INPUT_COUNT; i++)
        measure_input(sc, (enum predict_input)i, f->low[i], f->high[i], out);
    for (size_t i = 0; !f && i < sizeof VALIDATED / sizeof *VALIDATED; i++)
        measure_input(sc, VALIDATED[i].input, VALIDATED[i].low, VALIDATED[i].high, out);
    /* What differs by store are the row's own lines: where they are not fitted, they follow
     * from the settings. */
    if (f && !f->any_store && sc->store != f->store)
        outside_in(out, 1, "store");
    /* How often drainers make the domains that no enqueuer made is not known. */
    if (sc->jobs > 0 && sc->store == PREDICT_SIMPLEDB && sc->rows != PREDICT_ROWS_ALL)
        outside_in(out, 1, "rows");
    if (sc->jobs > 0 && sc->arrivals_per_s > s->ceiling_per_s[s->binding])
        outside_in(out, 1, "arrivals beyond what the fleet serves");
    if (s->too_long > 1e-6)
        outside_in(out, fmin(5, 100 * s->too_long), "jobs of more than 12 h");
}

static double fitted_line(const struct formula_line *line, const double *x,
                          double instance_s, double jobs, double *variance)
{
    double value = 0, v = 0;
    for (int i = 0; i < line->term_count; i++)
        value += line->coefficient[i] * x[i];
    for (int i = 0; i < line->term_count; i++)
        for (int j = 0; j < line->term_count; j++)
            v += x[i] * line->covariance[i][j] * x[j];
    double whole = line->scale == FORMULA_ABSOLUTE      ? 1
                   : line->scale == FORMULA_OF_INSTANCE ? instance_s
                                                        : value;
    double scale = whole * whole;
    v += scale * (line->sigma2 + (jobs > 0 ? line->sigma2_job / jobs : 0));
    *variance = v > 0 ? v : 0;
    return value;
}

/* The closed form of one line, with the uncertainties of its terms taken as
 * independent. */
static double closed_line(enum usage_line line, const struct predict_scenario *sc,
                          const struct predict_state *state,
                          const struct predict_params *params, double *variance)
{
    int term[TERMS_LINE_MAX];
    double coefficient[TERMS_LINE_MAX], value = 0;
    int count = terms_closed(line, term, coefficient);
    *variance = 0;
    for (int i = 0; i < count; i++) {
        double part = coefficient[i] * terms_at(term[i])->value(sc, state, params);
        double doubt = terms_doubt(term[i], sc, state);
        value += part;
        *variance += part * doubt * part * doubt;
    }
    /* Instance time is off as a whole: what is not busy is idle. */
    if (line == USAGE_BUSY || line == USAGE_BOOT)
        *variance = 0;
    return value;
}

/* Lines that only a store causes. */
static bool formula_line_of_store(int line)
{
    return (line >= USAGE_PUT && line <= USAGE_READ_UNITS) ||
           line == USAGE_STORE_BYTE_HOURS;
}

int formula_eval(const struct formula *f, const struct predict_scenario *sc, double jobs,
                 struct formula_value *out, struct jobq_error *err)
{
    assert(sc && out && err && jobs >= 0);
    struct predict_params params;
    memset(out, 0, sizeof *out);
    int code = predict_params_for(sc->era, &params, err);
    if (code)
        return code;
    if (f)
        params = f->params;
    predict_params_of(sc, &params);
    code = predict_check(sc, &params, err);
    if (code)
        return code;
    predict_state(sc, &params, &out->state);
    code = predict_serves(sc, &out->state, err);
    if (code)
        return code;
    out->dof = 1e9;
    out->fitted = f != NULL;
    for (int i = 0; i < USAGE_LINE_COUNT; i++)
        out->usage.line[i] =
            closed_line((enum usage_line)i, sc, &out->state, &params, &out->variance[i]);
    double doubt =
        out->state.doubt * (out->usage.line[USAGE_BUSY] + out->usage.line[USAGE_IDLE] +
                            out->usage.line[USAGE_BOOT]);
    out->variance[USAGE_IDLE] = doubt * doubt;
    if (jobs > 0 && !(sc->jobs > 0)) {
        /* The mean of n job times varies by itself. */
        double one = out->usage.line[USAGE_BUSY] * sc->job_cv;
        out->variance[USAGE_BUSY] = one * one / jobs;
    }
    /* From the closed form; the fitted lines replace its values below. */
    double instance_s = out->usage.line[USAGE_BUSY] + out->usage.line[USAGE_IDLE] +
                        out->usage.line[USAGE_BOOT];
    for (int i = 0; f && i < f->line_count; i++) {
        const struct formula_line *line = &f->line[i];
        double x[TERMS_LINE_MAX];
        for (int j = 0; j < line->term_count; j++)
            x[j] = terms_at(line->term[j])->value(sc, &out->state, &params);
        double value = fitted_line(line, x, instance_s, jobs, &out->variance[line->line]);
        out->usage.line[line->line] = value > 0 ? value : 0; /* a count cannot be
                                                              * negative */
        if (line->dof < out->dof)
            out->dof = line->dof;
    }
    measure_outside(f, sc, out);
    predict_derived(sc, &out->usage);
    for (int i = 0; i < USAGE_LINE_COUNT && out->outside > 0; i++) {
        double wider = 1 + out->outside;
        double least = out->outside * FORMULA_CLOSED_DOUBT * out->usage.line[i];
        out->variance[i] *= wider * wider;
        if (out->variance[i] < least * least)
            out->variance[i] = least * least;
    }
    /* A fit to fleets with a store says nothing about one without; and a region may have
     * no price for what is not used. */
    for (int i = 0; i < USAGE_LINE_COUNT && sc->store == PREDICT_NO_STORE; i++)
        if (formula_line_of_store(i))
            out->variance[i] = 0;
    return JOBQ_OK;
}
