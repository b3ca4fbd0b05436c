/* reconcile.h - compares predicted and observed usage, line by line.
 *
 * Room:     src/cost, the money.
 * Callers:  jobqcost reconcile, tests of the simulator and the live client.
 * Knows nothing of: where either came from. No I/O. */
#ifndef JOBQ_COST_LEDGER_RECONCILE_H
#define JOBQ_COST_LEDGER_RECONCILE_H

#include "cost/bill/bill.h"
#include "cost/ledger/usage.h"

#include <stdbool.h>

struct reconcile_line {
    enum usage_line line;
    double predicted, observed; /* a job */
    double low, high;           /* half width of the prediction's interval, a job */
    bool inside;
    bool priced; /* the line costs money; others are shown but not counted */
};

struct reconcile {
    struct reconcile_line line[USAGE_LINE_COUNT];
    int count;   /* lines that either one has */
    int outside; /* of the priced ones */
    double
        mape; /* mean of |observed - predicted| / observed over priced lines, observed > 0 */
};

/* Compares averages a job. half[i] is half the width of the 95 % interval of the
 * predicted line for the mean of `jobs` jobs; a difference below one request in the
 * whole run (1 / jobs) is never outside. */
void reconcile_lines(const struct usage *predicted, const double half[USAGE_LINE_COUNT],
                     const struct usage *observed, double jobs, struct reconcile *out);

#endif
