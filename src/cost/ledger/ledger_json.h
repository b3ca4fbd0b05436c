/* ledger_json.h - reads and writes a ledger as JSON, the form in which runs, traces and
 * bills exchange usage.
 *
 * Room:     src/cost, the money.
 * Callers:  jobqcost, sim, live, sim/mock.
 * Knows nothing of: files, prices.
 *
 * Schema "jobq.ledger/2"; members that are zero may be left out:
 *   {"schema": "jobq.ledger/2", "attempts": 1004, "span_ns",
 *    "jobs": {"done": 1000, "dead", "cancelled", "expired", "given_up"},
 *    "actions": {"SendMessage": {"requests", "entries", "empty", "failed", "throttled",
 *                "bytes_out", "bytes_in", "box_usage_e10h"}, ...},
 *    "send_kib": {"1": 900, "65": 100}, "receive_kib": {...},    requests by whole KiB
 *    "store_byte_hours", "table_byte_hours", "volume_gib_hours", "ipv4_hours", "internet_out_bytes",
 *    "internet_in_bytes", "write_units", "read_units",
 *    "instances": [{"type", "id", "spot": false, "ended_by": "us" or "aws",
 *      "launched_at_ns", "running_at_ns", "ready_at_ns", "ended_at_ns", "busy_slot_ns",
 *      "cpu_ns", "slots"}, ...]} */
#ifndef JOBQ_COST_LEDGER_LEDGER_JSON_H
#define JOBQ_COST_LEDGER_LEDGER_JSON_H

#include "jobq/error.h"
#include "jobq/ledger.h"

#include <jansson.h>
#include <stddef.h>

/* Returns a new reference, for use in a larger object. Never NULL. */
json_t *ledger_to_json(const struct jobq_ledger *ledger);
/* Reads a whole file. A "jobq.run/1" or any object that has a member "ledger" is read by
 * that member, a "jobq.trace/1" (JSON lines, what --record writes) by its lines that
 * have it. name stands for the file: "NAME:LINE: ...". */
int ledger_parse(const char *text, size_t len, const char *name,
                 struct jobq_ledger *ledger, struct jobq_error *err);

#endif
