/* formula.h - a fitted formula: JSON in, usage a job and its prediction interval out.
 *
 * Room:     src/cost, the money.
 * Callers:  jobqcost (eval, solve, ... read it; fit writes it), the report.
 * Knows nothing of: prices, regions, how it was fitted. No I/O: text in, text out.
 *
 * Usage is fitted, never dollars. Each line of the usage (usage.h) that the sweep fitted
 * has its terms (cost/fit/basis.h by name), coefficients b, their covariance C and the residual
 * variance. For a scenario with term values x the line is x'b; the mean of a run of n
 * jobs has variance
 *
 *     x'Cx + sigma2_between + sigma2_job / n
 *
 * (the coefficients' doubt, the scatter of points about the surface, the scatter of one
 * job over n), and the 95 % interval is t(dof) times its root. Residuals may be shares
 * of something (enum formula_scale): then the two sigma2 multiply its square. A line that is absent takes its closed form.
 *
 * JSON, schema "jobq.formula/1":
 *   {"schema", "era", "name", "source": {"sweep", "points", "jobs_per_point", "seed",
 *    "model_hash", "version"},
 *    "domain": {"payload": [64, 65536], ...},          inputs by option name; null: no
 *                                                      end on that side
 *    "fixed": {"store": "simpledb", ...},              options every point had
 *    "params": {"put_s": 0.041, ...},                  of predict_params, if estimated
 *    "lines": [{"line": "sqs_receive", "unit": "requests", "scale": "value",
 *      "terms": [{"term": "receives", "coefficient": 1.002, "closed": 1.0}, ...],
 *      "covariance": [[...], ...], "sigma2": 1e-8, "sigma2_job": 1e-4,
 *      "dof": 512, "r2": 0.9998}, ...]} */
#ifndef JOBQ_COST_FIT_FORMULA_H
#define JOBQ_COST_FIT_FORMULA_H

#include "cost/predict/predict.h"
#include "cost/fit/basis.h"
#include "jobq/error.h"

#include <stdbool.h>
#include <stddef.h>

enum formula_scale {
    FORMULA_ABSOLUTE,    /* absolute: in the line's unit */
    FORMULA_OF_VALUE,    /* of the line's value */
    FORMULA_OF_INSTANCE, /* of all instance time, because idle time is a small
                          * difference of large values */
    FORMULA_SCALE_COUNT
};

struct formula_line {
    enum usage_line line;
    enum formula_scale scale; /* what its residuals are relative to */
    int term_count;
    int term[TERMS_LINE_MAX]; /* index in cost/fit/basis.h */
    double coefficient[TERMS_LINE_MAX];
    double closed[TERMS_LINE_MAX]; /* the closed form's coefficient; NAN: it has none */
    double covariance[TERMS_LINE_MAX][TERMS_LINE_MAX];
    double sigma2;     /* between points: lack of fit */
    double sigma2_job; /* of single jobs around their point's mean */
    double dof;
    double r2;
};

struct formula {
    char name[64], era[12];
    char sweep[96], model_hash[40], version[24];
    double points, jobs_per_point, seed;
    double low[PREDICT_INPUT_COUNT],
        high[PREDICT_INPUT_COUNT]; /* domain; an input that no
 point varied and none fixed has low -INFINITY, high INFINITY */
    struct predict_params params;
    int line_count;
    struct formula_line line[USAGE_LINE_COUNT];
    enum predict_store store; /* of every point, unless */
    bool any_store;           /* with rows and without: any store, then */
};

/* Reads JSON. name stands for the file in errors ("NAME:LINE: ..."; an error of meaning
 * names its path). Returns JOBQ_OK and a formula for free(); INVALID. */
int formula_parse(const char *text, size_t len, const char *name, struct formula **out,
                  struct jobq_error *err);
/* Writes it. The caller frees *out. Reading it back gives an equal formula. */
void formula_write(const struct formula *formula, char **out, size_t *out_len);

struct formula_value {
    struct usage usage;                /* a job */
    double variance[USAGE_LINE_COUNT]; /* of the mean over `jobs` jobs */
    double dof;                        /* the smallest of the lines used */
    struct predict_state state;
    double outside;      /* 0: inside the domain; else the distance, in widths of the
                     * domain, summed over inputs */
    char outside_of[64]; /* the inputs that are outside, named */
    bool fitted;         /* false: closed form alone */
};

/* Usage a job, with its variance. Of a job more, that of the mean over `jobs` jobs (0: the
 * variance is not needed); of a run, that of the mean over many such runs: one run scatters by
 * when its last job ends. formula NULL: the closed form, with
 * the uncertainty of each term (cost/fit/basis.h) and of instance time (predict_state's doubt),
 * over the domain in which it was validated. Outside the domain the
 * standard deviation is multiplied by 1 + outside, and is at least outside x
 * FORMULA_CLOSED_DOUBT of the value. */
#define FORMULA_CLOSED_DOUBT 0.05
int formula_eval(const struct formula *formula, const struct predict_scenario *scenario,
                 double jobs, struct formula_value *out, struct jobq_error *err);

/* Student's t for a two-sided 95 % interval; dof >= 1. */
double formula_t95(double dof);

/* The formulas that are compiled in (src/cost/fit/formulas/), by model; text is their
 * JSON. */
struct formula_file {
    const char *name; /* "aws-2026.json" */
    const unsigned char *bytes;
    size_t len;
};
extern const struct formula_file formula_files[];
extern const int formula_file_count;

#endif
