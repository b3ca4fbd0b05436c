/* basis.h - the physical terms that add up to each line of the usage.
 *
 * Room:     src/cost, the money.
 * Callers:  predict (closed form), formula (evaluation), fit (regressors).
 * Knows nothing of: prices, files.
 *
 * A term is a named pure function of scenario and state ("receives": 1/batch / fill).
 * The closed form is the table of (line, term, coefficient) of terms_closed; a fit uses
 * the same terms with coefficients of its own, so that the two can be compared. */
#ifndef JOBQ_COST_FIT_BASIS_H
#define JOBQ_COST_FIT_BASIS_H

#include "cost/predict/predict.h"

#define TERMS_MAX 64     /* in the library */
#define TERMS_LINE_MAX 8 /* in one line */

struct term {
    const char *name; /* in JSON: "one", "sends", "put_cubes" */
    const char *text; /* for people: "1 / send batch" */
    double doubt;     /* relative standard deviation of the closed form's value */
    double (*value)(const struct predict_scenario *scenario,
                    const struct predict_state *state,
                    const struct predict_params *params);
};

const struct term *terms_at(int index);
/* The index of the term of that name, or -1. */
int terms_find(const char *name);

/* The closed form's uncertainty of a term for this scenario: batches and polls of one
 * message follow from the settings and have none. */
double terms_doubt(int index, const struct predict_scenario *scenario,
                   const struct predict_state *state);

/* The closed form of one line: up to TERMS_LINE_MAX terms (by index) and coefficients.
 * Returns how many; 0: the line is always zero. */
int terms_closed(enum usage_line line, int term[TERMS_LINE_MAX],
                 double coefficient[TERMS_LINE_MAX]);

/* Further terms that a fit may try for this line. Returns how many. */
int terms_candidates(enum usage_line line, int term[TERMS_LINE_MAX]);

#endif
