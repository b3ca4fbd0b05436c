/* cur.h - an AWS Cost and Usage Report as a ledger.
 *
 * Room:     src/cost, the money.
 * Callers:  jobqcost reconcile.
 * Knows nothing of: files, prices: the report has its own dollars.
 *
 * The report is CSV whose header names its columns; used are lineItem/LineItemType,
 * lineItem/ProductCode, lineItem/UsageType, lineItem/Operation, lineItem/UsageAmount and
 * lineItem/UnblendedCost. It bills SQS by chunks of 64 KiB, so a request of three chunks is
 * three requests there, and it does not know jobs. */
#ifndef JOBQ_COST_LEDGER_CUR_H
#define JOBQ_COST_LEDGER_CUR_H

#include "jobq/error.h"
#include "jobq/ledger.h"

#include <stdbool.h>
#include <stddef.h>

/* Does the text begin like one? */
bool cur_is(const char *text, size_t len);

/* Adds the report's lines of usage to an initialised ledger, and their dollars to *out_usd. Lines
 * that a ledger has no place for add dollars only, and *out_other counts those dollars. text is
 * changed. INVALID: a column is missing, or a number is none: "NAME:LINE: ...". */
int cur_parse(char *text, size_t len, const char *name, struct jobq_ledger *ledger,
              double *out_usd, double *out_other, struct jobq_error *err);

#endif
