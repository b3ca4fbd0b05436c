/* basis.h - the physical terms of which each line of the usage is a sum.
 *
 * Room:     src/cost, the money.
 * Callers:  predict (closed form), formula (evaluation), fit (regressors).
 * Knows nothing of: prices, files.
 *
 * A term is a named pure function of scenario and state ("receives": 1/batch / fill). The
 * closed form is the table of (line, term, coefficient) of terms_closed; a fit keeps the
 * terms and finds its own coefficients, so that the two stand side by side. */
#ifndef JOBQ_COST_FIT_BASIS_H
#define JOBQ_COST_FIT_BASIS_H

#include "cost/predict/predict.h"

#define TERMS_MAX 64     /* in the library */
#define TERMS_LINE_MAX 8 /* in one line */

struct term {
    const char *name; /* in JSON: "one", "sends", "put_cubes" */
    const char *text; /* as a person writes it: "1 / send batch" */
    double doubt; /* of the closed form's value, as a share (one standard deviation) */
    double (*value)(const struct predict_scenario *scenario,
                    const struct predict_state *state,
                    const struct predict_params *params);
};

const struct term *terms_at(int index);
/* The index of the term of that name, or -1. */
int terms_find(const char *name);

/* The closed form's doubt of a term here: batches and polls of one message are counts that
 * follow from the settings, and have none. */
double terms_doubt(int index, const struct predict_scenario *scenario,
                   const struct predict_state *state);

/* The closed form of one line: up to TERMS_LINE_MAX terms (by index) and coefficients.
 * Returns how many; 0: the line is always zero. */
int terms_closed(enum usage_line line, int term[TERMS_LINE_MAX],
                 double coefficient[TERMS_LINE_MAX]);

/* Terms beyond the closed form's that a fit may try for this line. Returns how many. */
int terms_candidates(enum usage_line line, int term[TERMS_LINE_MAX]);

#endif
