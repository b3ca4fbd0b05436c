/* run_report.h - how a run is reported: as text, as JSON, as CSV with a line a job.
 *
 * Room:     sim, the command line.
 * Callers:  cmd_run; tests.
 * Knows nothing of: worlds. No I/O: bytes into a struct text or an open file. */
#ifndef JOBQ_SIM_CMD_RUN_REPORT_H
#define JOBQ_SIM_CMD_RUN_REPORT_H

#include "base/text.h"
#include "pricing/sheet.h"
#include "sim/play/run.h"

#include <stdio.h>

/* At most 80 columns. Says which resource binds and what it costs by sheet; timing: also wall
 * time and events. */
void run_report_text(const struct scenario *scenario, const struct world_params *params,
                     const struct run_result *result, const struct sheet *sheet,
                     bool timing, struct text *out);
/* One object and a newline, schema jobq.run/1. With one replication a statistic is a
 * number, with more an object {mean, low, high}: the mean and its 95 % interval (Student's
 * t). Its member "ledger" is that of run_report_ledger. */
void run_report_json(const struct scenario *scenario, const struct run_result *result,
                     const struct sheet *sheet, bool timing, struct text *out);
/* The ledger of all replications together, schema jobq.ledger/2. */
void run_report_ledger(const struct run_result *result, FILE *out);
/* A header and a line a job, in the order of the workload. Instants count from the replication's
 * origin; empty: never. Returns 0, or -1 if the file could not be written. */
int run_report_jobs(const struct replication *replication, FILE *out);

#endif
