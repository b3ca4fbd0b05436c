/* regress.h - least squares on a few terms, with the uncertainty of the result.
 *
 * Room:     src/cost, the money.
 * Callers:  fit, tests.
 * Knows nothing of: what the terms and the values are.
 *
 * Weighted linear least squares by singular value decomposition (GSL multifit), or, when
 * asked, Tukey's bisquare by iteratively reweighted least squares (GSL multifit_robust;
 * Beaton and Tukey, Technometrics 16(2), 1974), which resists outliers. Known answer:
 * Longley's data (NIST StRD, certified to 15 digits).
 *
 * GSL's default error handler aborts: a program calls gsl_set_error_handler_off first. */
#ifndef JOBQ_COST_FIT_REGRESS_H
#define JOBQ_COST_FIT_REGRESS_H

#include "jobq/error.h"

#include <stdbool.h>
#include <stddef.h>

#define REGRESS_TERMS_MAX 12

struct regress_data {
    size_t points;
    int terms;
    const double *x;      /* points x terms, row by row */
    const double *y;      /* points */
    const double *weight; /* points, > 0; NULL: all 1 */
};

struct regress_result {
    int terms;
    double coefficient[REGRESS_TERMS_MAX];
    double covariance[REGRESS_TERMS_MAX][REGRESS_TERMS_MAX];
    double sigma2; /* weighted residual sum of squares over dof */
    double dof;    /* points - terms */
    double r2;     /* about the weighted mean of y */
    int rank;      /* < terms: some terms cannot be told apart; their coefficients are the
                      least ones that fit */
    int outliers;  /* points beyond 6 robust standard deviations of the residuals */
};

/* Returns JOBQ_OK; INVALID: fewer points than terms + 1, or a value that is not finite. */
int regress_fit(const struct regress_data *data, bool robust, struct regress_result *out,
                struct jobq_error *err);

/* Chooses the columns to keep: starts with the first `forced` ones, adds the column that
 * lowers the cross-validated error most while the gain exceeds min_gain (a share of the
 * error; 0.01 is usual), then drops unforced columns that no longer help. Sets keep[i].
 * Returns how many are kept, or as regress_fit. */
int regress_select(const struct regress_data *data, int forced, int folds,
                   double min_gain, bool keep[REGRESS_TERMS_MAX], struct jobq_error *err);

#endif
