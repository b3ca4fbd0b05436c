#include "cost/fit/fit.h"

#include "base/arena.h"
#include "base/text.h"
#include "cost/fit/regress.h"

#include <assert.h>
#include <gsl/gsl_blas.h>
#include <gsl/gsl_multifit_nlinear.h>
#include <gsl/gsl_sort.h>
#include <gsl/gsl_statistics.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FOLDS = 10, POINTS_MIN = 20, ITERATIONS = 40 };
#define MIN_GAIN 0.02
/* Counts that agree within this share are equal: the file has nine digits, and an estimated
 * time changes what follows from it by a few millionths. */
#define SAME 1e-5
/* Uncertain terms below this share of the exact ones are negligible. */
#define CLEAN 1e-3
/* An estimate this close to an exact count confirms it. */
#define AGREES 0.02

struct point {
    struct predict_scenario scenario;
    struct predict_state state;
    double y[USAGE_LINE_COUNT];
    double error2[USAGE_LINE_COUNT]; /* variance of the mean over replications */
    double runs_jobs;                /* jobs times replications */
};

struct fit {
    struct point *point;
    size_t points;
    bool present[USAGE_LINE_COUNT];
    struct predict_params params;
    const struct fit_options *options;
};

/* ---- reading ------------------------------------------------------------------------ */

static const char *const WORDS[] = {"era",    "instance",   "store", "rows",
                                    "client", "payload-in", "spot",  "public-ip"};

/* The family of job times is in the distribution's text, whose commas a sweep writes as ';'.
 * Sweeps of before that have none. */
static int fit_job_time(const struct table *table, size_t row,
                        struct predict_scenario *out, struct jobq_error *err)
{
    int column = table_find(table, "axis.job-time");
    const char *word = table_key(table, "predict.job-time");
    struct jobq_str text = word ? str_of(word) : (struct jobq_str){NULL, 0};
    char value[160];
    if (column >= 0)
        text = table_text(table, row, column);
    if (text.len <= 0 || text.len >= (int64_t)sizeof value)
        return JOBQ_OK;
    for (int64_t i = 0; i <= text.len; i++)
        value[i] = i == text.len ? '\0' : text.ptr[i] == ';' ? ',' : text.ptr[i];
    if (strncmp(value, "empirical:", 10) == 0)
        return JOBQ_OK;
    return predict_set(out, "job-time", value, err);
}

int fit_scenario(const struct table *table, size_t row, struct predict_scenario *out,
                 struct jobq_error *err)
{
    assert(row < table_rows(table) && out && err);
    predict_defaults(out);
    for (size_t i = 0; i < sizeof WORDS / sizeof *WORDS; i++) {
        char key[32], value[64];
        snprintf(key, sizeof key, "predict.%s", WORDS[i]);
        const char *word = table_key(table, key);
        /* An axis of the sweep overrides a fixed option. */
        snprintf(key, sizeof key, "axis.%s",
                 strcmp(WORDS[i], "era") == 0 ? "model" : WORDS[i]);
        int column = table_find(table, key);
        if (column >= 0) {
            struct jobq_str text = table_text(table, row, column);
            snprintf(value, sizeof value, "%.*s", (int)(text.len < 60 ? text.len : 60),
                     text.ptr);
            word = value;
        }
        if (word && predict_set(out, WORDS[i], word, err) != JOBQ_OK)
            return jobq_wrap(err, "line %zu", table_line(table, row));
    }
    if (fit_job_time(table, row, out, err) != JOBQ_OK)
        return jobq_wrap(err, "line %zu", table_line(table, row));
    for (int i = 0; i < PREDICT_INPUT_COUNT; i++) {
        char name[48];
        snprintf(name, sizeof name, "in.%s", predict_input_name((enum predict_input)i));
        int column = table_find(table, name);
        /* Inputs that came later have their default in older sweeps. */
        if (column < 0 && i == PREDICT_JOBS)
            return jobq_fail(err, JOBQ_INVALID, "no column '%s': not a sweep", name);
        if (column < 0)
            continue;
        double value = table_number(table, row, column);
        if (!isfinite(value))
            return jobq_fail(err, JOBQ_INVALID, "line %zu: '%s' is not a number",
                             table_line(table, row), name);
        predict_put(out, (enum predict_input)i, value);
    }
    return JOBQ_OK;
}

static int read_point(struct fit *fit, const struct table *table, size_t row,
                      const int column[USAGE_LINE_COUNT],
                      const int error_column[USAGE_LINE_COUNT], int reps_column,
                      struct jobq_error *err)
{
    struct point *p = &fit->point[row];
    int code = fit_scenario(table, row, &p->scenario, err);
    if (code == JOBQ_OK && strcmp(p->scenario.era, fit->point[0].scenario.era) != 0)
        code = jobq_fail(
            err, JOBQ_INVALID, "line %zu: model '%s' after '%s': fit one model at a time",
            table_line(table, row), p->scenario.era, fit->point[0].scenario.era);
    if (code == JOBQ_OK && row == 0)
        code = predict_params_for(p->scenario.era, &fit->params, err);
    if (code == JOBQ_OK)
        code = predict_check(&p->scenario, &fit->params, err);
    for (int l = 0; l < USAGE_LINE_COUNT && code == JOBQ_OK; l++) {
        if (column[l] < 0)
            continue;
        p->y[l] = table_number(table, row, column[l]);
        double error =
            error_column[l] < 0 ? 0 : table_number(table, row, error_column[l]);
        p->error2[l] = error * error;
        if (!isfinite(p->y[l]) || !isfinite(error))
            code = jobq_fail(err, JOBQ_INVALID, "line %zu: '%s' is not a number",
                             table_line(table, row), usage_line_name((enum usage_line)l));
    }
    double reps = reps_column < 0 ? 1 : table_number(table, row, reps_column);
    p->runs_jobs = fmax(1, p->scenario.jobs) * (reps >= 1 ? reps : 1);
    return code;
}

static int read_points(struct fit *fit, const struct table *table, struct jobq_error *err)
{
    fit->points = table_rows(table);
    if (fit->points < POINTS_MIN)
        return jobq_fail(err, JOBQ_INVALID, "%zu points; a fit needs at least %d",
                         fit->points, POINTS_MIN);
    const char *schema = table_key(table, "schema");
    if (!schema || strcmp(schema, "jobq.sweep/1") != 0)
        return jobq_fail(err, JOBQ_INVALID, "schema '%.40s' is not 'jobq.sweep/1'",
                         schema ? schema : "");
    int column[USAGE_LINE_COUNT], error_column[USAGE_LINE_COUNT];
    for (int l = 0; l < USAGE_LINE_COUNT; l++) {
        char name[64];
        column[l] = table_find(table, usage_line_name((enum usage_line)l));
        snprintf(name, sizeof name, "se.%s", usage_line_name((enum usage_line)l));
        error_column[l] = table_find(table, name);
        fit->present[l] = column[l] >= 0;
    }
    fit->point = xcalloc(fit->points, sizeof *fit->point);
    int reps = table_find(table, "reps"), code = JOBQ_OK;
    for (size_t i = 0; i < fit->points && code == JOBQ_OK; i++)
        code = read_point(fit, table, i, column, error_column, reps, err);
    return code;
}

static double closed_value(enum usage_line line, const struct predict_scenario *scenario,
                           const struct predict_state *state,
                           const struct predict_params *params)
{
    int term[TERMS_LINE_MAX];
    double coefficient[TERMS_LINE_MAX], value = 0;
    int count = terms_closed(line, term, coefficient);
    for (int i = 0; i < count; i++)
        value += coefficient[i] * terms_at(term[i])->value(scenario, state, params);
    return value;
}

/* ---- what is not linear --------------------------------------------------------------- */

/* The times that the sweep can estimate, and the lines to estimate them from. */
static const size_t PARAM_AT[] = {offsetof(struct predict_params, put_s),
                                  offsetof(struct predict_params, linger_s),
                                  offsetof(struct predict_params, boot_s)};
static const char *const PARAM_NAME[] = {"put_s", "linger_s", "boot_s"};
enum { PARAMS = sizeof PARAM_AT / sizeof *PARAM_AT };
static const enum usage_line TELLING[] = {USAGE_BUSY, USAGE_DELETE, USAGE_BOOT};
enum { LINES = sizeof TELLING / sizeof *TELLING };

static double *param_at(struct predict_params *params, int index)
{
    return (double *)(void *)((char *)params + PARAM_AT[index]);
}

struct nonlinear {
    struct fit *fit;
    double scale[LINES]; /* floor of the relative residual */
};

static int fit_residuals(const gsl_vector *x, void *ctx, gsl_vector *f)
{
    struct nonlinear *n = ctx;
    struct predict_params params = n->fit->params;
    for (int k = 0; k < PARAMS; k++)
        *param_at(&params, k) = exp(gsl_vector_get(x, (size_t)k));
    for (size_t i = 0; i < n->fit->points; i++) {
        const struct point *p = &n->fit->point[i];
        struct predict_state state;
        predict_state(&p->scenario, &params, &state);
        for (size_t l = 0; l < LINES; l++) {
            double y = p->y[TELLING[l]];
            double off = closed_value(TELLING[l], &p->scenario, &state, &params) - y;
            double r = n->scale[l] > 0 ? off / fmax(fabs(y), n->scale[l]) : 0;
            /* Outliers mean that the form does not hold there; they say nothing of the
             * time. */
            gsl_vector_set(f, i * LINES + l, r / sqrt(1 + r * r));
        }
    }
    return GSL_SUCCESS;
}

static double fit_median(double *value, size_t count)
{
    gsl_sort(value, 1, count);
    return gsl_stats_median_from_sorted_data(value, 1, count);
}

/* The typical residual of these lines: a median, which is robust to a few points. */
static double typical_error(struct nonlinear *n, const double *position)
{
    size_t count = n->fit->points * LINES, used = 0;
    gsl_vector *x = gsl_vector_alloc(PARAMS), *f = gsl_vector_alloc(count);
    for (size_t k = 0; k < PARAMS; k++)
        gsl_vector_set(x, k, position[k]);
    fit_residuals(x, n, f);
    double sum = 0, *line = xmalloc(n->fit->points * sizeof *line);
    for (size_t l = 0; l < LINES; l++) {
        for (size_t i = 0; i < n->fit->points; i++)
            line[i] = fabs(gsl_vector_get(f, i * LINES + l));
        sum += n->scale[l] > 0 ? fit_median(line, n->fit->points) : 0;
        used++;
    }
    free(line);
    gsl_vector_free(x);
    gsl_vector_free(f);
    return sum / (double)used;
}

static void estimate_params(struct fit *fit, struct fit_report *report)
{
    struct nonlinear n = {.fit = fit};
    double *size = xmalloc(fit->points * sizeof *size);
    for (size_t l = 0; l < LINES; l++) {
        for (size_t i = 0; i < fit->points; i++)
            size[i] = fabs(fit->point[i].y[TELLING[l]]);
        n.scale[l] = fit->present[TELLING[l]] ? 0.1 * fit_median(size, fit->points) : 0;
    }
    free(size);
    gsl_multifit_nlinear_parameters how = gsl_multifit_nlinear_default_parameters();
    how.trs = gsl_multifit_nlinear_trs_lmaccel;
    gsl_multifit_nlinear_workspace *w = gsl_multifit_nlinear_alloc(
        gsl_multifit_nlinear_trust, &how, fit->points * LINES, PARAMS);
    gsl_multifit_nlinear_fdf fdf = {
        .f = fit_residuals, .n = fit->points * LINES, .p = PARAMS, .params = &n};
    gsl_vector *start = gsl_vector_alloc(PARAMS);
    struct predict_params before = fit->params;
    for (int k = 0; k < PARAMS; k++)
        gsl_vector_set(start, (size_t)k, log(fmax(1e-6, *param_at(&before, k))));
    int info = 0;
    gsl_multifit_nlinear_init(start, &fdf, w);
    gsl_multifit_nlinear_driver(ITERATIONS, 1e-6, 1e-6, 1e-9, NULL, NULL, &info, w);
    gsl_matrix *cov = gsl_matrix_alloc(PARAMS, PARAMS);
    int status = gsl_multifit_nlinear_covar(gsl_multifit_nlinear_jac(w), 1e-8, cov);
    const gsl_vector *f = gsl_multifit_nlinear_residual(w);
    double square = 0;
    gsl_blas_ddot(f, f, &square);
    double sigma2 = square / (double)(fit->points * LINES - PARAMS);
    double from[PARAMS], to[PARAMS];
    for (size_t k = 0; k < PARAMS; k++) {
        from[k] = gsl_vector_get(start, k);
        to[k] = gsl_vector_get(gsl_multifit_nlinear_position(w), k);
    }
    /* Least squares are distorted by points where the form does not hold: such an answer
     * is rejected. */
    bool better = typical_error(&n, to) < typical_error(&n, from);
    for (int k = 0; k < PARAMS; k++) {
        double at = gsl_vector_get(gsl_multifit_nlinear_position(w), (size_t)k);
        double spread =
            status ? 0
                   : sqrt(fmax(0, gsl_matrix_get(cov, (size_t)k, (size_t)k) * sigma2));
        /* A time that no line depends on keeps its value. */
        if (!better || !isfinite(at) || fabs(at) > 20 || spread > 2)
            continue;
        *param_at(&fit->params, k) = exp(at);
        report->param[report->param_count++] =
            (struct fit_param_note){.name = PARAM_NAME[k],
                                    .value = exp(at),
                                    .low = exp(at - 1.96 * spread),
                                    .high = exp(at + 1.96 * spread),
                                    .before = *param_at(&before, k)};
    }
    gsl_matrix_free(cov);
    gsl_vector_free(start);
    gsl_multifit_nlinear_free(w);
}

/* ---- one line ------------------------------------------------------------------------- */

/* Finds the columns that are independent of those before them, by Gram-Schmidt on
 * weighted columns. */
static int fit_independent(double *x, const double *weight, size_t points, int terms,
                           bool keep[REGRESS_TERMS_MAX])
{
    double *q = xmalloc(points * (size_t)terms * sizeof *q);
    int kept = 0;
    for (int t = 0; t < terms; t++) {
        double *column = q + points * (size_t)kept, before = 0, after = 0;
        for (size_t i = 0; i < points; i++) {
            column[i] = sqrt(weight[i]) * x[i * (size_t)terms + (size_t)t];
            before += column[i] * column[i];
        }
        for (int k = 0; k < kept; k++) {
            double dot = 0;
            for (size_t i = 0; i < points; i++)
                dot += column[i] * q[points * (size_t)k + i];
            for (size_t i = 0; i < points; i++)
                column[i] -= dot * q[points * (size_t)k + i];
        }
        for (size_t i = 0; i < points; i++)
            after += column[i] * column[i];
        keep[t] = before > 0 && after > 1e-6 * before;
        if (keep[t]) {
            for (size_t i = 0; i < points; i++)
                column[i] /= sqrt(after);
            kept++;
        }
    }
    free(q);
    return kept;
}

/* The terms of one line as columns, fitted ones first. */
struct work {
    size_t points;
    int forced, terms; /* fitted: closed ones, then candidates */
    int term[REGRESS_TERMS_MAX];
    double closed[REGRESS_TERMS_MAX];
    int fixed; /* fixed: confirmed counts (fit_settle), and terms that cannot be told
                * apart, which keep the closed form's coefficient */
    int fixed_term[TERMS_LINE_MAX];
    double fixed_closed[TERMS_LINE_MAX];
    double fixed_coefficient[TERMS_LINE_MAX];
    double fixed_covariance[TERMS_LINE_MAX][TERMS_LINE_MAX];
    int settled;            /* how many of the fixed ones, the first, are confirmed
                             * counts */
    double *x, *y, *weight; /* y without the fixed part */
};

static double term_value(const struct fit *fit, int term, const struct point *p)
{
    return terms_at(term)->value(&p->scenario, &p->state, &fit->params);
}

static void fit_fill(const struct fit *fit, const int *term, int terms, double *x)
{
    for (size_t i = 0; i < fit->points; i++)
        for (int t = 0; t < terms; t++)
            x[i * (size_t)terms + (size_t)t] = term_value(fit, term[t], &fit->point[i]);
}

/* Exact counts (terms that follow from the settings alone) are estimated on the points
 * where the line's uncertain terms are negligible; elsewhere the errors of those terms
 * would be blamed on the counts. An estimate that agrees confirms the count, which is
 * then used as it is: a put is one put. */
static int fit_settle(const struct fit *fit, enum usage_line line, struct work *w,
                      struct jobq_error *err)
{
    int term[TERMS_LINE_MAX], count, exact = 0;
    double closed[TERMS_LINE_MAX];
    count = terms_closed(line, term, closed);
    for (int t = 0; t < count; t++)
        if (terms_at(term[t])->doubt <= 0) {
            int kept = term[exact];
            double kept_closed = closed[exact];
            term[exact] = term[t], closed[exact] = closed[t];
            term[t] = kept, closed[t] = kept_closed;
            exact++;
        }
    if (exact == 0 || exact == count)
        return JOBQ_OK;
    size_t clean = 0;
    double *x = xmalloc(fit->points * (size_t)exact * sizeof *x);
    double *y = xmalloc(fit->points * sizeof *y),
           *weight = xmalloc(fit->points * sizeof *y);
    for (size_t i = 0; i < fit->points; i++) {
        const struct point *p = &fit->point[i];
        double sure = 0, doubtful = 0;
        for (int t = 0; t < count; t++)
            *(t < exact ? &sure : &doubtful) +=
                fabs(closed[t] * term_value(fit, term[t], p));
        if (doubtful > CLEAN * sure)
            continue;
        for (int t = 0; t < exact; t++)
            x[clean * (size_t)exact + (size_t)t] = term_value(fit, term[t], p);
        y[clean] = p->y[line];
        weight[clean++] = w->weight[i];
    }
    int code = JOBQ_OK;
    bool keep[REGRESS_TERMS_MAX] = {false};
    struct regress_result result;
    int kept = clean < POINTS_MIN ? 0 : fit_independent(x, weight, clean, exact, keep);
    if (kept > 0) {
        size_t at = 0;
        for (size_t i = 0; i < clean; i++)
            for (int t = 0; t < exact; t++)
                if (keep[t])
                    x[at++] = x[i * (size_t)exact + (size_t)t];
        code = regress_fit(&(struct regress_data){clean, kept, x, y, weight}, false,
                           &result, err);
    }
    for (int t = 0, at = 0; t < exact && code == JOBQ_OK; t++) {
        double estimate = closed[t], variance = 0;
        if (kept > 0 && keep[t]) {
            estimate = result.coefficient[at];
            variance = result.covariance[at][at];
            at++;
        }
        double half = kept > 0 ? formula_t95(result.dof) * sqrt(variance) : 0;
        bool agrees =
            fabs(estimate - closed[t]) <= fmax(3 * half, AGREES * fabs(closed[t]));
        w->fixed_term[t] = term[t];
        w->fixed_closed[t] = closed[t];
        w->fixed_coefficient[t] = agrees ? closed[t] : estimate;
        w->fixed_covariance[t][t] = agrees ? 0 : variance;
        w->fixed = w->settled = t + 1;
    }
    free(x);
    free(y);
    free(weight);
    return code;
}

static void fit_gather(const struct fit *fit, enum usage_line line, struct work *w)
{
    int all[2 * TERMS_LINE_MAX], closed = terms_closed(line, all, w->closed), open = 0;
    for (int t = 0; t < closed; t++) {
        bool settled = false;
        for (int k = 0; k < w->settled; k++)
            settled |= w->fixed_term[k] == all[t];
        if (!settled) {
            w->closed[open] = w->closed[t];
            all[open++] = all[t];
        }
    }
    closed = open;
    int candidates = terms_candidates(line, all + closed), count = closed;
    for (int c = 0; c < candidates && count < REGRESS_TERMS_MAX; c++) {
        bool there = false;
        for (int t = 0; t < closed; t++)
            there |= all[t] == all[closed + c];
        if (!there)
            all[count++] = all[closed + c];
    }
    bool keep[REGRESS_TERMS_MAX];
    double coefficient[TERMS_LINE_MAX];
    memcpy(coefficient, w->closed, sizeof coefficient);
    w->x = xmalloc(fit->points * (size_t)(count > 0 ? count : 1) * sizeof *w->x);
    fit_fill(fit, all, count, w->x);
    fit_independent(w->x, w->weight, fit->points, count, keep);
    for (int t = 0; t < count; t++) {
        if (keep[t]) {
            w->closed[w->terms] = t < closed ? coefficient[t] : (double)NAN;
            w->term[w->terms++] = all[t];
            w->forced += t < closed;
        } else if (t < closed) {
            w->fixed_term[w->fixed] = all[t];
            w->fixed_coefficient[w->fixed] = coefficient[t];
            w->fixed_closed[w->fixed++] = coefficient[t];
        }
    }
    fit_fill(fit, w->term, w->terms, w->x);
    for (size_t i = 0; i < fit->points; i++)
        for (int t = 0; t < w->fixed; t++)
            w->y[i] -= w->fixed_coefficient[t] *
                       term_value(fit, w->fixed_term[t], &fit->point[i]);
}

/* Keep only the chosen columns. */
static void fit_choose(struct work *w, const bool keep[REGRESS_TERMS_MAX])
{
    int kept = 0;
    for (int t = 0; t < w->terms; t++)
        if (keep[t]) {
            w->term[kept] = w->term[t];
            w->closed[kept++] = w->closed[t];
        }
    for (size_t i = 0; i < w->points; i++) {
        int at = 0;
        for (int t = 0; t < w->terms; t++)
            if (keep[t])
                w->x[i * (size_t)kept + (size_t)at++] =
                    w->x[i * (size_t)w->terms + (size_t)t];
    }
    w->terms = kept;
}

static enum formula_scale scale_of(const struct fit *fit, enum usage_line line,
                                   double *out_floor)
{
    double *size = xmalloc(fit->points * sizeof *size);
    size_t count = 0;
    for (size_t i = 0; i < fit->points; i++)
        if (fit->point[i].y[line] != 0)
            size[count++] = fabs(fit->point[i].y[line]);
    gsl_sort(size, 1, count);
    double low = gsl_stats_quantile_from_sorted_data(size, 1, count, 0.1);
    double high = gsl_stats_quantile_from_sorted_data(size, 1, count, 0.9);
    *out_floor = 0.01 * gsl_stats_median_from_sorted_data(size, 1, count);
    free(size);
    if (line == USAGE_IDLE || line == USAGE_BOOT)
        return FORMULA_OF_INSTANCE;
    return high > 3 * low ? FORMULA_OF_VALUE : FORMULA_ABSOLUTE;
}

static void error_quantiles(double *error, size_t count, double *p50, double *p95)
{
    gsl_sort(error, 1, count);
    *p50 = gsl_stats_quantile_from_sorted_data(error, 1, count, 0.5);
    *p95 = gsl_stats_quantile_from_sorted_data(error, 1, count, 0.95);
}

/* The value that a point's residual is relative to. */
static double size_at(const struct fit *fit, enum usage_line line,
                      enum formula_scale scale, double floor_value, const struct point *p)
{
    double whole = 0;
    switch (scale) {
    case FORMULA_OF_INSTANCE:
        for (int l = USAGE_BUSY; l <= USAGE_BOOT; l++)
            whole +=
                closed_value((enum usage_line)l, &p->scenario, &p->state, &fit->params);
        break;
    case FORMULA_OF_VALUE:
        whole = fabs(closed_value(line, &p->scenario, &p->state, &fit->params));
        break;
    case FORMULA_ABSOLUTE:
    case FORMULA_SCALE_COUNT:
        return 1;
    }
    return fmax(whole, floor_value);
}

static void note_errors(const struct fit *fit, const struct formula_line *line,
                        double floor_value, struct fit_line_note *note)
{
    double *fitted = xmalloc(fit->points * sizeof *fitted);
    double *closed = xmalloc(fit->points * sizeof *closed);
    for (size_t i = 0; i < fit->points; i++) {
        const struct point *p = &fit->point[i];
        double value = 0, y = p->y[line->line], scale = fmax(fabs(y), floor_value);
        if (line->scale == FORMULA_OF_INSTANCE)
            scale = size_at(fit, line->line, line->scale, floor_value, p);
        for (int t = 0; t < line->term_count; t++)
            value += line->coefficient[t] * term_value(fit, line->term[t], p);
        fitted[i] = fabs(value - y) / scale;
        closed[i] =
            fabs(closed_value(line->line, &p->scenario, &p->state, &fit->params) - y) /
            scale;
    }
    error_quantiles(fitted, fit->points, &note->error_p50, &note->error_p95);
    error_quantiles(closed, fit->points, &note->closed_p50, &note->closed_p95);
    free(fitted);
    free(closed);
}

/* Splits the residual variance into that of single jobs, estimated from replications,
 * and the rest. */
static void split_variance(const struct fit *fit, enum usage_line line,
                           const struct work *w, double sigma2, struct formula_line *out)
{
    double per_job = 0, inside = 0;
    for (size_t i = 0; i < fit->points; i++) {
        const struct point *p = &fit->point[i];
        per_job += w->weight[i] * p->error2[line] * p->runs_jobs / (double)fit->points;
        inside += w->weight[i] * p->error2[line] / (double)fit->points;
    }
    out->sigma2_job = per_job;
    out->sigma2 = sigma2 > inside ? sigma2 - inside : 0;
}

/* The 95th percentile of the weighted residuals. */
static double residual_p95(const struct regress_data *data,
                           const struct regress_result *result)
{
    double *residual = xmalloc(data->points * sizeof *residual);
    for (size_t i = 0; i < data->points; i++) {
        double value = 0;
        for (int t = 0; t < data->terms; t++)
            value +=
                result->coefficient[t] * data->x[i * (size_t)data->terms + (size_t)t];
        residual[i] = sqrt(data->weight[i]) * fabs(value - data->y[i]);
    }
    gsl_sort(residual, 1, data->points);
    double p95 = gsl_stats_quantile_from_sorted_data(residual, 1, data->points, 0.95);
    free(residual);
    return p95;
}

/* Uses the robust fit, unless its outliers are a region of the sweep that needs a term
 * of its own: the residuals then have a long tail. */
static int try_robust(const struct regress_data *data, struct regress_result *result,
                      bool *out_robust, struct jobq_error *err)
{
    struct regress_result robust;
    int code = regress_fit(data, true, &robust, err);
    *out_robust =
        code == JOBQ_OK && residual_p95(data, &robust) <= 2 * residual_p95(data, result);
    if (*out_robust)
        *result = robust;
    return code;
}

/* The share of the weighted variance that the line explains, confirmed counts
 * included. */
static double fit_explained(const struct fit *fit, const struct formula_line *line,
                            const double *weight)
{
    double weights = 0, mean = 0, total = 0, rest = 0;
    for (size_t i = 0; i < fit->points; i++) {
        weights += weight[i];
        mean += weight[i] * fit->point[i].y[line->line];
    }
    mean /= weights;
    for (size_t i = 0; i < fit->points; i++) {
        double y = fit->point[i].y[line->line], value = 0;
        for (int t = 0; t < line->term_count; t++)
            value +=
                line->coefficient[t] * term_value(fit, line->term[t], &fit->point[i]);
        total += weight[i] * (y - mean) * (y - mean);
        rest += weight[i] * (y - value) * (y - value);
    }
    return total > 0 ? 1 - rest / total : 1;
}

static int fit_line(const struct fit *fit, enum usage_line line, struct formula_line *out,
                    struct fit_line_note *note, struct jobq_error *err)
{
    double floor_value;
    *out = (struct formula_line){.line = line};
    out->scale = scale_of(fit, line, &floor_value);
    struct work w = {.points = fit->points,
                     .y = xmalloc(fit->points * sizeof(double)),
                     .weight = xmalloc(fit->points * sizeof(double))};
    for (size_t i = 0; i < fit->points; i++) {
        const struct point *p = &fit->point[i];
        double size = size_at(fit, line, out->scale, floor_value, p);
        w.y[i] = p->y[line];
        w.weight[i] = 1 / (size * size);
    }
    int code = fit_settle(fit, line, &w, err);
    if (code == JOBQ_OK)
        fit_gather(fit, line, &w);
    struct regress_result result = {.dof = (double)fit->points, .r2 = 1};
    if (w.terms > 0) {
        bool keep[REGRESS_TERMS_MAX];
        struct regress_data data = {w.points, w.terms, w.x, w.y, w.weight};
        code = regress_select(
            &data, w.forced, fit->options->folds ? fit->options->folds : FOLDS,
            fit->options->min_gain > 0 ? fit->options->min_gain : MIN_GAIN, keep, err);
        int room = TERMS_LINE_MAX - w.fixed, kept = 0;
        for (int t = 0; t < w.terms && code >= 0; t++)
            kept += keep[t] = keep[t] && kept < room;
        if (code >= 0) {
            fit_choose(&w, keep);
            code = JOBQ_OK;
        }
        if (code == JOBQ_OK && w.terms > 0) {
            data = (struct regress_data){w.points, w.terms, w.x, w.y, w.weight};
            code = regress_fit(&data, false, &result, err);
        }
        note->outliers = result.outliers;
        /* More than one point in 200 beyond six sigma does not fit a normal
         * distribution. */
        if (code == JOBQ_OK && result.outliers * 200 > (int)fit->points)
            code = try_robust(&data, &result, &note->robust, err);
    }
    for (int t = 0; t < w.terms && code == JOBQ_OK; t++) {
        out->term[t] = w.term[t];
        out->closed[t] = w.closed[t];
        out->coefficient[t] = result.coefficient[t];
        for (int u = 0; u < w.terms; u++)
            out->covariance[t][u] = result.covariance[t][u];
    }
    out->term_count = w.terms;
    for (int t = 0; t < w.fixed && out->term_count < TERMS_LINE_MAX; t++) {
        int at = out->term_count++;
        out->term[at] = w.fixed_term[t];
        out->closed[at] = w.fixed_closed[t];
        out->coefficient[at] = w.fixed_coefficient[t];
        for (int u = 0; u < w.settled && t < w.settled; u++)
            out->covariance[at][at - t + u] = w.fixed_covariance[t][u];
    }
    out->dof = result.dof;
    note->line = line;
    note->fixed = w.fixed - w.settled;
    if (code == JOBQ_OK) {
        /* The scatter is chosen so that the 95 % interval holds 95 % of the sweep's own
         * points; a root mean square would be widened for all by a few outliers. */
        struct regress_data data = {w.points, w.terms, w.x, w.y, w.weight};
        double sigma = residual_p95(&data, &result) / formula_t95(result.dof);
        split_variance(fit, line, &w, sigma * sigma, out);
        out->r2 = fit_explained(fit, out, w.weight);
        note_errors(fit, out, floor_value, note);
    }
    free(w.x);
    free(w.y);
    free(w.weight);
    return code == JOBQ_OK ? code : jobq_wrap(err, "%s", usage_line_name(line));
}

/* ---- all -------------------------------------------------------------------------------- */

/* Arrivals and runs at once in one sweep: no single time explains both. */
static bool fit_is_wide(const struct fit *fit)
{
    bool arrivals = false, at_once = false;
    for (size_t i = 0; i < fit->points; i++) {
        arrivals |= fit->point[i].scenario.arrivals_per_s > 0;
        at_once |= fit->point[i].scenario.arrivals_per_s <= 0;
    }
    return arrivals && at_once;
}

static void fit_describe(const struct fit *fit, const struct table *table,
                         struct formula *f)
{
    const struct fit_options *o = fit->options;
    const char *version = table_key(table, "version"), *seed = table_key(table, "seed");
    const char *hash = table_key(table, "model_hash");
    snprintf(f->era, sizeof f->era, "%s", fit->point[0].scenario.era);
    snprintf(f->name, sizeof f->name, "%s", o->name && *o->name ? o->name : f->era);
    snprintf(f->sweep, sizeof f->sweep, "%s", o->sweep_name ? o->sweep_name : "");
    snprintf(f->model_hash, sizeof f->model_hash, "%s", hash ? hash : "");
    snprintf(f->version, sizeof f->version, "%s", version ? version : "");
    f->seed = seed ? strtod(seed, NULL) : 0;
    f->points = (double)fit->points;
    f->store = fit->point[0].scenario.store;
    f->params = fit->params;
    for (size_t i = 0; i < fit->points; i++)
        f->jobs_per_point += fit->point[i].runs_jobs / (double)fit->points;
    for (int k = 0; k < PREDICT_INPUT_COUNT; k++) {
        f->low[k] = HUGE_VAL;
        f->high[k] = -HUGE_VAL;
        for (size_t i = 0; i < fit->points; i++) {
            double v = k == PREDICT_VCPUS
                           ? predict_vcpus(&fit->point[i].scenario)
                           : predict_get(&fit->point[i].scenario, (enum predict_input)k);
            f->low[k] = fmin(f->low[k], v);
            f->high[k] = fmax(f->high[k], v);
        }
    }
    /* The domain is that of the strata, not of the points drawn in them. */
    for (int k = 0; k < PREDICT_INPUT_COUNT; k++) {
        double stratum = (f->high[k] - f->low[k]) / f->points;
        f->high[k] += stratum;
        f->low[k] = f->low[k] >= 0 ? fmax(0, f->low[k] - stratum) : f->low[k];
    }
    for (size_t i = 1; i < fit->points; i++)
        f->any_store |= fit->point[i].scenario.store != fit->point[0].scenario.store;
    /* Ranges that are even on a log scale: the last point is a few percent from the end. */
    for (int k = 0; k < PREDICT_INPUT_COUNT && fit_is_wide(fit); k++)
        if (f->high[k] > f->low[k])
            f->high[k] *= 1.1;
    if (fit_is_wide(fit)) /* more of them only lift a limit that is then exact */
        f->high[PREDICT_DOMAINS] = fmax(f->high[PREDICT_DOMAINS], 250);
    /* With more jobs, only what belongs to the run as a whole (1 / jobs) gets less per
     * job; volumes follow from instance time; time in the queue, the days that rows are kept
     * and the rounds of housekeeping from the caller's settings. */
    f->high[PREDICT_JOBS] = HUGE_VAL;
    static const enum predict_input free[] = {PREDICT_VOLUME_GIB, PREDICT_QUEUED,
                                              PREDICT_RETENTION, PREDICT_KEEP,
                                              PREDICT_HOUSEKEEPING};
    for (size_t i = 0; i < sizeof free / sizeof *free; i++) {
        f->low[free[i]] = -HUGE_VAL;
        f->high[free[i]] = HUGE_VAL;
    }
}

/* The residuals choose: a line is fitted if that lowers the errors of the closed form, and only
 * adds to it: coefficients that leave the closed form's would be wrong where that is exact. */
static bool fit_is_better(const struct formula_line *line,
                          const struct fit_line_note *note)
{
    for (int i = 0; i < line->term_count; i++)
        if (isfinite(line->closed[i]) &&
            fabs(line->coefficient[i] - line->closed[i]) > 0.003 * fabs(line->closed[i]))
            return false;
    return note->error_p95 < 0.9 * note->closed_p95 &&
           note->error_p50 <= note->closed_p50 + 0.002;
}

/* Points of many regimes: a few scatter far more than the rest, in the fit and from one
 * replication to the next. What 95 % of them keep to is the uncertainty. */
static void fit_calm(struct formula_line *line, const struct fit_line_note *note)
{
    double sigma = note->error_p95 / 1.96;
    line->sigma2_job = 0;
    if (line->scale == FORMULA_OF_VALUE)
        line->sigma2 = fmin(line->sigma2, sigma * sigma);
}

int fit_run(const struct table *table, const struct fit_options *options,
            struct formula **out, struct fit_report *report, struct jobq_error *err)
{
    assert(table && options && out && report && err);
    struct fit fit = {.options = options};
    *report = (struct fit_report){0};
    int code = read_points(&fit, table, err);
    if (code != JOBQ_OK) {
        free(fit.point);
        return code;
    }
    report->points = fit.points;
    bool wide = fit_is_wide(&fit);
    if (!wide)
        estimate_params(&fit, report);
    for (size_t i = 0; i < fit.points; i++)
        predict_state(&fit.point[i].scenario, &fit.params, &fit.point[i].state);
    struct formula *f = xcalloc(1, sizeof *f);
    fit_describe(&fit, table, f);
    for (int l = 0; l < USAGE_LINE_COUNT && code == JOBQ_OK; l++) {
        bool used = false;
        for (size_t i = 0; i < fit.points && !used; i++)
            used = fit.point[i].y[l] != 0;
        /* Volumes, addresses and CPU time follow from others (predict_derived). */
        if (!fit.present[l] || !used || l == USAGE_VOLUME || l == USAGE_IPV4 ||
            l == USAGE_CPU)
            continue;
        /* Over many regimes the closed form's instance time is better than one set of
         * coefficients, and so is its uncertainty, which knows the regime. */
        if (wide && (l == USAGE_BUSY || l == USAGE_IDLE || l == USAGE_BOOT))
            continue;
        struct fit_line_note *note = &report->line[f->line_count];
        code = fit_line(&fit, (enum usage_line)l, &f->line[f->line_count], note, err);
        if (code == JOBQ_OK && wide && !fit_is_better(&f->line[f->line_count], note))
            continue;
        if (code == JOBQ_OK && wide)
            fit_calm(&f->line[f->line_count], note);
        f->line_count++;
        report->line_count = f->line_count;
    }
    free(fit.point);
    if (code != JOBQ_OK) {
        free(f);
        return code;
    }
    *out = f;
    return JOBQ_OK;
}

bool fit_strays(const struct formula_line *line, int term)
{
    double closed = line->closed[term], value = line->coefficient[term];
    if (!isfinite(closed))
        return false;
    double half = formula_t95(line->dof) * sqrt(line->covariance[term][term]);
    return fabs(value - closed) > half && fabs(value - closed) > SAME * fabs(closed);
}
