/* evaluate.h - dollars a job with their prediction interval, from formula, ledger and
 * bill.
 *
 * Room:     src/cost, the money.
 * Callers:  jobqcost's subcommands, solve, optimise, the report.
 * Knows nothing of: files, how results are printed. No I/O, no clock.
 * Units:    dollars. */
#ifndef JOBQ_COST_BILL_EVALUATE_H
#define JOBQ_COST_BILL_EVALUATE_H

#include "cost/bill/bill.h"
#include "cost/fit/formula.h"
#include "cost/predict/predict.h"

/* What prices a scenario; all owned by the caller. */
struct evaluate_context {
    const struct sheet *sheet;
    const struct bill_options *bill;
    const struct formula *formula; /* NULL: closed form */
};

struct evaluation {
    double usd_per_job, usd_per_million;
    double low_per_million, high_per_million; /* 95 % prediction interval of the usage, at
                                               * the sheet's prices */
    double price_half_per_million; /* what the prices' confidence adds, either way */
    struct bill
        bill;    /* for a million jobs, or for the run's jobs: see `jobs`; release it */
    double jobs; /* jobs the bill is for */
    struct formula_value value;
};

/* Prices one scenario. A scenario with jobs > 0 is priced as that run, with instance
 * time rounded as the sheet says; otherwise this is the marginal cost. interval_jobs:
 * how many jobs the interval's run has (the run's own, or 10,000 by default). Returns
 * JOBQ_OK; LIMIT, INVALID: the scenario; NOT_FOUND: a price. */
int evaluate(const struct evaluate_context *context,
             const struct predict_scenario *scenario, double interval_jobs,
             struct evaluation *out, struct jobq_error *err);
void evaluation_release(struct evaluation *evaluation);
/* The 95 % interval of the dollars a million jobs: of the usage and of the prices, which are
 * independent. */
void evaluation_interval(const struct evaluation *evaluation, double *out_low,
                         double *out_high);
/* How far off 95 % of a bill's dollars may be for its prices' confidence: H 0, M 10 %, L 30 %
 * of each (assumed: SimpleDB's two known prices differ by 10 %, and a type's price by at most
 * 30 % between the regions that are shipped), a price borrowed from another region at least
 * 20 %. Prices of one service are wrong together, services independently. */
double evaluate_price_half(const struct bill *bill);

/* Dollars a million jobs only, without the interval: for searches, which call it
 * thousands of times. `scratch` is a ledger of the caller's, any contents. out_bill (or
 * NULL): the components, per million. */
int evaluate_point(const struct evaluate_context *context,
                   const struct predict_scenario *scenario, struct jobq_ledger *scratch,
                   double *out_per_million, double out_component[BILL_COMPONENT_COUNT],
                   struct predict_state *out_state, struct jobq_error *err);

#endif
