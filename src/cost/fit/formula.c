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

/* How far the scenario is outside the domain of the fit: the sum over inputs, each
 * relative to the width of its range (for a constant, its value or 1). */
static void measure_outside(const struct formula *f, const struct predict_scenario *sc,
                            struct formula_value *out)
{
    for (int i = 0; i < PREDICT_INPUT_COUNT; i++) {
        /* The marginal job of a running fleet is the limit of ever longer runs:
         * inside. */
        if (!(sc->jobs > 0) && (i == PREDICT_JOBS || i == PREDICT_BOXES))
            continue;
        double value = predict_get(sc, (enum predict_input)i), low = f->low[i];
        if (i == PREDICT_VCPUS)
            value = predict_vcpus(sc);
        if (i == PREDICT_JOBS && value <= 0)
            value = HUGE_VAL; /* marginal cost: what a run costs once is spread over
                               * all jobs */
        double high = f->high[i];
        double beyond = value < low ? low - value : value > high ? value - high : 0;
        if (!(beyond > 0) || !isfinite(beyond))
            continue;
        double width = high - low;
        if (!(width > 0))
            width = fabs(high) > 0 ? fabs(high) : 1;
        out->outside += beyond / width;
        size_t len = strlen(out->outside_of);
        snprintf(out->outside_of + len, sizeof out->outside_of - len, "%s%s",
                 len ? ", " : "", predict_input_name((enum predict_input)i));
    }
    if (sc->store != f->store) {
        out->outside += 1;
        size_t len = strlen(out->outside_of);
        snprintf(out->outside_of + len, sizeof out->outside_of - len, "%sstore",
                 len ? ", " : "");
    }
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
    code = predict_serves(sc, &params, &out->state, err);
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
    if (f)
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
