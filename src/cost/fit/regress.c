#include "cost/fit/regress.h"

#include "base/arena.h"

#include <assert.h>
#include <gsl/gsl_multifit.h>
#include <gsl/gsl_sort.h>
#include <gsl/gsl_statistics.h>
#include <math.h>
#include <stdlib.h>

static int regress_check(const struct regress_data *data, struct jobq_error *err)
{
    if (data->terms < 1 || data->terms > REGRESS_TERMS_MAX)
        return jobq_fail(err, JOBQ_LIMIT, "%d terms; 1 to %d can be fitted", data->terms,
                         REGRESS_TERMS_MAX);
    if (data->points < (size_t)data->terms + 1)
        return jobq_fail(err, JOBQ_INVALID, "%zu points cannot determine %d terms",
                         data->points, data->terms);
    for (size_t i = 0; i < data->points * (size_t)data->terms; i++)
        if (!isfinite(data->x[i]))
            return jobq_fail(err, JOBQ_INVALID, "term %zu of point %zu is not finite",
                             i % (size_t)data->terms, i / (size_t)data->terms);
    for (size_t i = 0; i < data->points; i++)
        if (!isfinite(data->y[i]) || (data->weight && !(data->weight[i] > 0)))
            return jobq_fail(err, JOBQ_INVALID, "point %zu is not finite", i);
    return JOBQ_OK;
}

static double regress_predicted(const struct regress_data *data, size_t point,
                                const double *b)
{
    double sum = 0;
    for (int t = 0; t < data->terms; t++)
        sum += data->x[point * (size_t)data->terms + (size_t)t] * b[t];
    return sum;
}

/* Rows are scaled by the root of their weight and columns to unit length, so that the
 * rank does not depend on the terms' units. */
struct scaled {
    gsl_matrix *x;
    gsl_vector *y;
    double column[REGRESS_TERMS_MAX];
};

static struct scaled regress_scale(const struct regress_data *data)
{
    struct scaled s = {.x = gsl_matrix_alloc(data->points, (size_t)data->terms),
                       .y = gsl_vector_alloc(data->points)};
    for (int t = 0; t < data->terms; t++) {
        double sum = 0;
        for (size_t i = 0; i < data->points; i++) {
            double w = data->weight ? sqrt(data->weight[i]) : 1;
            double v = w * data->x[i * (size_t)data->terms + (size_t)t];
            gsl_matrix_set(s.x, i, (size_t)t, v);
            sum += v * v;
        }
        s.column[t] = sum > 0 ? sqrt(sum) : 1;
        for (size_t i = 0; i < data->points; i++)
            gsl_matrix_set(s.x, i, (size_t)t,
                           gsl_matrix_get(s.x, i, (size_t)t) / s.column[t]);
    }
    for (size_t i = 0; i < data->points; i++)
        gsl_vector_set(s.y, i, (data->weight ? sqrt(data->weight[i]) : 1) * data->y[i]);
    return s;
}

static int count_outliers(const struct regress_data *data, const double *b)
{
    double *residual = xmalloc(data->points * sizeof *residual);
    for (size_t i = 0; i < data->points; i++)
        residual[i] = fabs((data->weight ? sqrt(data->weight[i]) : 1) *
                           (data->y[i] - regress_predicted(data, i, b)));
    double *sorted = xmalloc(data->points * sizeof *sorted);
    for (size_t i = 0; i < data->points; i++)
        sorted[i] = residual[i];
    gsl_sort(sorted, 1, data->points);
    /* The median absolute residual of a normal distribution is 0.6745 sigma. */
    double sigma = gsl_stats_median_from_sorted_data(sorted, 1, data->points) / 0.6745;
    int outliers = 0;
    for (size_t i = 0; i < data->points && sigma > 0; i++)
        outliers += residual[i] > 6 * sigma;
    free(residual);
    free(sorted);
    return outliers;
}

static void regress_goodness(const struct regress_data *data, struct regress_result *out)
{
    double weights = 0, mean = 0, total = 0, rest = 0;
    for (size_t i = 0; i < data->points; i++) {
        double w = data->weight ? data->weight[i] : 1;
        weights += w;
        mean += w * data->y[i];
    }
    mean /= weights;
    for (size_t i = 0; i < data->points; i++) {
        double w = data->weight ? data->weight[i] : 1;
        double off = data->y[i] - regress_predicted(data, i, out->coefficient);
        total += w * (data->y[i] - mean) * (data->y[i] - mean);
        rest += w * off * off;
    }
    out->r2 = total > 0 ? 1 - rest / total : 1;
    out->sigma2 = rest / out->dof;
}

int regress_fit(const struct regress_data *data, bool robust, struct regress_result *out,
                struct jobq_error *err)
{
    assert(data->terms > 0 && data->terms <= REGRESS_TERMS_MAX && out && err);
    int code = regress_check(data, err);
    if (code != JOBQ_OK)
        return code;
    size_t terms = (size_t)data->terms;
    struct scaled s = regress_scale(data);
    gsl_vector *b = gsl_vector_alloc(terms);
    gsl_matrix *cov = gsl_matrix_alloc(terms, terms);
    size_t rank = terms;
    double chisq = 0;
    gsl_multifit_linear_workspace *work = gsl_multifit_linear_alloc(data->points, terms);
    int status = gsl_multifit_linear_tsvd(s.x, s.y, 1e-10, b, cov, &chisq, &rank, work);
    gsl_multifit_linear_free(work);
    if (status == 0 && robust && rank == terms) {
        gsl_multifit_robust_workspace *irls =
            gsl_multifit_robust_alloc(gsl_multifit_robust_bisquare, data->points, terms);
        /* If it does not converge, the last iteration is used. */
        gsl_multifit_robust(s.x, s.y, b, cov, irls);
        gsl_multifit_robust_free(irls);
    }
    *out = (struct regress_result){
        .terms = data->terms, .dof = (double)(data->points - terms), .rank = (int)rank};
    for (size_t i = 0; i < terms; i++) {
        out->coefficient[i] = gsl_vector_get(b, i) / s.column[i];
        for (size_t j = 0; j < terms; j++)
            out->covariance[i][j] =
                gsl_matrix_get(cov, i, j) / (s.column[i] * s.column[j]);
        /* Bisquare divides by the spread of the residuals. If most of them are exactly
         * 0, the fit is exact. */
        for (size_t j = 0; j < terms; j++)
            if (!isfinite(out->covariance[i][j]))
                out->covariance[i][j] = 0;
    }
    regress_goodness(data, out);
    out->outliers = count_outliers(data, out->coefficient);
    gsl_vector_free(b);
    gsl_matrix_free(cov);
    gsl_matrix_free(s.x);
    gsl_vector_free(s.y);
    if (status != 0)
        return jobq_fail(err, JOBQ_INVALID, "least squares failed: %s",
                         gsl_strerror(status));
    return JOBQ_OK;
}

/* The weighted mean squared error of predicting points that were left out, over `folds`
 * parts (point i belongs to part i mod folds); *out_error its standard error over parts. */
static int regress_cross_validate(const struct regress_data *data, int folds,
                                  double *out_mean, double *out_error,
                                  struct jobq_error *err)
{
    int code = regress_check(data, err);
    if (code != JOBQ_OK)
        return code;
    size_t terms = (size_t)data->terms;
    double *x = xmalloc(data->points * terms * sizeof *x);
    double *y = xmalloc(data->points * sizeof *y);
    double *w = xmalloc(data->points * sizeof *w);
    double sum = 0, squares = 0;
    int parts = 0;
    for (int fold = 0; fold < folds && code == JOBQ_OK; fold++) {
        size_t kept = 0;
        for (size_t i = 0; i < data->points; i++) {
            if (i % (size_t)folds == (size_t)fold)
                continue;
            for (size_t t = 0; t < terms; t++)
                x[kept * terms + t] = data->x[i * terms + t];
            y[kept] = data->y[i];
            w[kept] = data->weight ? data->weight[i] : 1;
            kept++;
        }
        struct regress_result fit;
        code = regress_fit(&(struct regress_data){kept, data->terms, x, y, w}, false,
                           &fit, err);
        double error = 0, weights = 0;
        for (size_t i = (size_t)fold; i < data->points && code == JOBQ_OK;
             i += (size_t)folds) {
            double weight = data->weight ? data->weight[i] : 1;
            double off = data->y[i] - regress_predicted(data, i, fit.coefficient);
            error += weight * off * off;
            weights += 1;
        }
        if (weights > 0) {
            sum += error / weights;
            squares += error / weights * (error / weights);
            parts++;
        }
    }
    free(x);
    free(y);
    free(w);
    if (code != JOBQ_OK)
        return code;
    double mean = sum / parts;
    double variance = parts > 1 ? (squares - parts * mean * mean) / (parts - 1) : 0;
    *out_mean = mean;
    *out_error = sqrt(variance > 0 ? variance / parts : 0);
    return JOBQ_OK;
}

/* Cross-validated error of the kept columns alone. */
static int regress_score(const struct regress_data *data,
                         const bool keep[REGRESS_TERMS_MAX], int folds, double *out,
                         struct jobq_error *err)
{
    size_t terms = 0;
    for (int t = 0; t < data->terms; t++)
        terms += keep[t];
    if (terms == 0) {
        double sum = 0;
        for (size_t i = 0; i < data->points; i++)
            sum += (data->weight ? data->weight[i] : 1) * data->y[i] * data->y[i];
        *out = sum / (double)data->points;
        return JOBQ_OK;
    }
    double *x = xmalloc(data->points * terms * sizeof *x);
    for (size_t i = 0; i < data->points; i++) {
        size_t at = 0;
        for (int t = 0; t < data->terms; t++)
            if (keep[t])
                x[i * terms + at++] = data->x[i * (size_t)data->terms + (size_t)t];
    }
    double error;
    int code = regress_cross_validate(
        &(struct regress_data){data->points, (int)terms, x, data->y, data->weight}, folds,
        out, &error, err);
    free(x);
    return code;
}

int regress_select(const struct regress_data *data, int forced, int folds,
                   double min_gain, bool keep[REGRESS_TERMS_MAX], struct jobq_error *err)
{
    assert(data->terms > 0 && data->terms <= REGRESS_TERMS_MAX && forced >= 0 &&
           forced <= data->terms && folds > 1);
    int code = regress_check(data, err);
    if (code != JOBQ_OK)
        return code;
    for (int t = 0; t < REGRESS_TERMS_MAX; t++)
        keep[t] = t < forced;
    double best;
    code = regress_score(data, keep, folds, &best, err);
    for (bool better = true; better && code == JOBQ_OK;) {
        int chosen = -1;
        double chosen_score = best * (1 - min_gain);
        for (int t = forced; t < data->terms && code == JOBQ_OK; t++) {
            if (keep[t])
                continue;
            double tried;
            keep[t] = true;
            code = regress_score(data, keep, folds, &tried, err);
            keep[t] = false;
            if (code == JOBQ_OK && tried < chosen_score) {
                chosen = t;
                chosen_score = tried;
            }
        }
        better = chosen >= 0;
        if (better) {
            keep[chosen] = true;
            best = chosen_score;
        }
    }
    for (int t = forced; t < data->terms && code == JOBQ_OK; t++) {
        if (!keep[t])
            continue;
        double without;
        keep[t] = false;
        code = regress_score(data, keep, folds, &without, err);
        if (code == JOBQ_OK && without * (1 - min_gain) <= best)
            best = without < best ? without : best;
        else
            keep[t] = true;
    }
    if (code != JOBQ_OK)
        return code;
    int kept = 0;
    for (int t = 0; t < data->terms; t++)
        kept += keep[t];
    return kept;
}
