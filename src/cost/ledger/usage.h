/* usage.h - what one job uses, line by line: the vector that is predicted, fitted and
 * priced.
 *
 * Room:     src/cost, the money.
 * Callers:  predict, formula, fit, the sweep's reader, reports.
 * Knows nothing of: prices.
 * Units:    each line is an amount a job (doubles, since a batch of ten is 0.1 request).
 *
 * A ledger counts a run in integers; a usage is its average a job. usage_from_ledger and
 * usage_to_ledger go between them, so that a closed form, a fitted formula, a simulated
 * run and a live run are all priced by the one function in bill.h. */
#ifndef JOBQ_COST_LEDGER_USAGE_H
#define JOBQ_COST_LEDGER_USAGE_H

#include "jobq/ledger.h"

/* X(enumerator, name in JSON and CSV, unit). Chunks are of 64 KiB, the only grain SQS
 * has had so far; a ledger keeps whole KiB and can be priced at any grain. */
#define USAGE_LINES(X)                                                                   \
    X(SEND, "sqs_send", "requests")             /* SendMessage and its batch */          \
    X(SEND_CHUNKS, "sqs_send_chunks", "chunks") /* >= SEND */                            \
    X(RECEIVE, "sqs_receive", "requests")       /* includes empty ones */                \
    X(RECEIVE_CHUNKS, "sqs_receive_chunks", "chunks")                                    \
    X(EMPTY, "sqs_empty", "requests") /* of RECEIVE */                                   \
    X(DELETE, "sqs_delete", "requests")                                                  \
    X(VISIBILITY, "sqs_visibility", "requests") /* heartbeats, give-backs */             \
    X(QUEUE_OTHER, "sqs_other", "requests")     /* attributes, create, ... */            \
    X(PUT, "sdb_put", "requests")                                                        \
    X(PUT_BATCH, "sdb_put_batch", "requests")                                            \
    X(GET, "sdb_get", "requests")                                                        \
    X(SELECT, "sdb_select", "requests")                                                  \
    X(STORE_OTHER, "sdb_other", "requests") /* deletes, domains, metadata */             \
    X(BOX_PUT, "box_put", "machine hours")                                               \
    X(BOX_PUT_BATCH, "box_put_batch", "machine hours")                                   \
    X(BOX_GET, "box_get", "machine hours")                                               \
    X(BOX_SELECT, "box_select", "machine hours")                                         \
    X(BOX_OTHER, "box_other", "machine hours")                                           \
    X(WRITE_UNITS, "ddb_write", "units")                                                 \
    X(READ_UNITS, "ddb_read", "units")                                                   \
    X(WIRE_OUT, "wire_out", "bytes") /* sent by all clients, headers too */              \
    X(WIRE_IN, "wire_in", "bytes")                                                       \
    X(CLIENT_OUT, "client_out", "bytes") /* into AWS from the internet */                \
    X(CLIENT_IN, "client_in", "bytes")   /* out of AWS to the internet */                \
    X(STORE_BYTE_HOURS, "store", "byte hours")                                           \
    X(BUSY, "instance_busy", "instance seconds") /* slot time over slots */              \
    X(IDLE, "instance_idle", "instance seconds") /* ready, slots empty */                \
    X(BOOT, "instance_boot", "instance seconds") /* running, not yet ready */            \
    X(VOLUME, "volume", "GiB hours")                                                     \
    X(IPV4, "ipv4", "hours")                                                             \
    X(ATTEMPTS, "job_attempts", "attempts")                                              \
    X(CPU, "instance_cpu", "vCPU seconds") /* used by jobs; BUSY is slot time */

enum usage_line {
#define USAGE_ENUM(id, name, unit) USAGE_##id,
    USAGE_LINES(USAGE_ENUM)
#undef USAGE_ENUM
        USAGE_LINE_COUNT
};

struct usage {
    double line[USAGE_LINE_COUNT];
};

const char *usage_line_name(enum usage_line line); /* never NULL */
const char *usage_line_unit(enum usage_line line);
/* The line of that name, or -1. */
int usage_line_find(const char *name);

/* Averages a ledger over its finished jobs (none: all lines are 0). Chunks are
 * counted at 64 KiB from the ledger's KiB. Internet bytes become CLIENT_*. */
void usage_from_ledger(const struct jobq_ledger *ledger, struct usage *out);

/* How usage_to_ledger spreads the lines over actions and instances. */
struct usage_shape {
    int batch_sends; /* 1: SendMessageBatch, 0: SendMessage; likewise below */
    int batch_deletes;
    int batch_beats;
    int table;            /* rows are kept in DynamoDB */
    const char *instance; /* type; NULL or "none": no instance time */
    int spot;
    int64_t slots;     /* a box; >= 1 */
    int64_t instances; /* the time is split over so many equal boxes; >= 1 */
};
/* Adds jobs times usage to an initialised ledger, rounding counts to whole ones: jobs of
 * a million or more keep the error under 1e-6 request a job. */
void usage_to_ledger(const struct usage *usage, double jobs,
                     const struct usage_shape *shape, struct jobq_ledger *ledger);

#endif
