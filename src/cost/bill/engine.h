/* engine.h - the same jobs on EC2, on Fargate or on Lambda: what they cost there.
 *
 * Room:     src/cost, the money.
 * Callers:  jobqcost compare.
 * Knows nothing of: files, how results are printed. No I/O, no clock.
 *
 * Queue and rows are the same everywhere; what runs the jobs differs:
 * - EC2: the scenario as it is.
 * - Fargate: a task runs the drainer in place of a box, with as many slots, on the size that
 *   holds their memory and costs least; vCPU-hours and GB-hours, a minute at least. It starts
 *   as a box does (assumed).
 * - Lambda: SQS invokes a function with up to `batch` messages, which it runs one after the
 *   other (one at a time where jobs come by themselves): GB-seconds rounded up to a
 *   millisecond, requests, and SQS's receives and deletes, which Lambda makes and the account
 *   pays. Five pollers wait 20 s each when there is nothing (15 empty receives a minute, as
 *   seen by others). A function with less than 1,769 MB has less than one vCPU, in
 *   proportion (AWS Lambda's documentation), and ends after 15 minutes. */
#ifndef JOBQ_COST_BILL_ENGINE_H
#define JOBQ_COST_BILL_ENGINE_H

#include "cost/bill/evaluate.h"

enum engine { ENGINE_EC2, ENGINE_FARGATE, ENGINE_LAMBDA, ENGINE_COUNT };
const char *engine_name(enum engine engine); /* "ec2" */
/* Or -1. */
int engine_find(const char *name);

/* As evaluate, by engine. memory_bytes: of one job, at least 1. LIMIT also: the jobs are too
 * long for Lambda, or too large for a task. */
int engine_evaluate(const struct evaluate_context *context,
                    const struct predict_scenario *scenario, enum engine engine,
                    double memory_bytes, double interval_jobs, struct evaluation *out,
                    struct jobq_error *err);

#endif
