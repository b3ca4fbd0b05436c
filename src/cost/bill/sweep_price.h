/* sweep_price.h - prices a point of a sweep by any sheet.
 *
 * Room:     src/cost, the money.
 * Callers:  jobqcost bill and fit, the report.
 * Knows nothing of: files. No I/O. */
#ifndef JOBQ_COST_BILL_SWEEP_PRICE_H
#define JOBQ_COST_BILL_SWEEP_PRICE_H

#include "cost/bill/bill.h"
#include "cost/fit/table.h"

/* Prices the usage of one row; bill (initialised, empty) is per million jobs afterwards.
 * no_instances: leave instance time out. ledger: scratch space, initialised. INVALID: a
 * cell, named by its line; NOT_FOUND: a price. */
int sweep_price(const struct table *sweep, size_t row, bool no_instances,
                const struct sheet *sheet, const struct bill_options *options,
                struct jobq_ledger *ledger, struct bill *bill, struct jobq_error *err);

#endif
