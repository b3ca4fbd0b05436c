/* fit.h - from a sweep to a formula.
 *
 * Room:     src/cost, the money.
 * Callers:  jobqcost fit, tests.
 * Knows nothing of: prices, dollars, how the sweep was run. No I/O.
 *
 * Usage is fitted, line by line, never dollars. In two steps:
 *
 * 1. What is not linear: the closed form's times (params_estimated below), which decide how
 *    full batches are, how long slots are held and what idles, are found by nonlinear least
 *    squares (GSL multifit_nlinear, Levenberg-Marquardt with geodesic acceleration) on the
 *    lines that depend on them.
 * 2. Each line is regressed on the closed form's terms (cost/fit/basis.h), with weights where values
 *    span more than a factor of 3 (then residuals are relative), by bisquare where outliers
 *    ask for it; further terms of the library are taken in when they lower the ten-fold
 *    cross-validated error by more than min_gain. A term that the sweep cannot tell from
 *    the others keeps the closed form's coefficient.
 *
 * Each coefficient stands beside the closed form's, and is named when its interval leaves
 * that: then either the model or the algebra is wrong, and someone should look. */
#ifndef JOBQ_COST_FIT_FIT_H
#define JOBQ_COST_FIT_FIT_H

#include "cost/fit/formula.h"
#include "cost/fit/table.h"

struct fit_options {
    int folds;              /* 0: 10 */
    double min_gain;        /* 0: 0.02 */
    const char *name;       /* of the formula, "" for the sweep's */
    const char *sweep_name; /* the file's, for the provenance */
};

struct fit_line_note {
    enum usage_line line;
    bool robust;
    int outliers;
    int fixed;                     /* terms that the sweep cannot tell apart */
    double error_p50, error_p95;   /* relative errors of the fit on its own points */
    double closed_p50, closed_p95; /* the closed form's, on the same points */
};

struct fit_param_note {
    const char *name;
    double value, low, high; /* 95 % */
    double before;           /* the model's */
};

#define FIT_PARAMS_MAX 8

struct fit_report {
    size_t points;
    int line_count;
    struct fit_line_note line[USAGE_LINE_COUNT];
    int param_count;
    struct fit_param_note param[FIT_PARAMS_MAX];
};

/* Returns JOBQ_OK with a formula for free(); INVALID: the table lacks a column, mixes
 * models or has too few points; the text names the line. */
int fit_run(const struct table *table, const struct fit_options *options,
            struct formula **out, struct fit_report *report, struct jobq_error *err);

/* The scenario of a row of a sweep: what fit_run regresses on. */
int fit_scenario(const struct table *table, size_t row, struct predict_scenario *out,
                 struct jobq_error *err);

/* True if the interval of a line's term excludes the closed form's coefficient. */
bool fit_strays(const struct formula_line *line, int term);

#endif
