/* record.h - a trace of what a process did: each call, each job, its ledger.
 *
 * Room:     live, jobq's program.
 * Callers:  live/cmd/enqueue.c, live/cmd/drain.c.
 * Knows nothing of: prices.
 *
 * JSON lines, schema "jobq.trace/1". The first line says so:
 *   {"schema":"jobq.trace/1","started_wall_ns":N,"pid":N}
 * then, in order of their ends, with times in ns since the first line:
 *   {"call":"SendMessageBatch","start":N,"ns":N,"entries":N,"code":"ok","status":200,
 *    "out":N,"in":N,"requests":N,"box_usage_e10h":N}
 *   {"job":"ID","state":"done","attempt":1,"enqueued_wall_ns":N,"start":N,"ns":N,
 *    "cpu_ns":N,"exit":0}
 * and last {"ledger":{"schema":"jobq.ledger/2",...}}. A process that is killed leaves no
 * ledger line; then the calls add up to it. Each line is whole or absent: lines are written
 * by one write(2) of whole lines, at 64 KiB or each second, and memory is bounded by that
 * buffer. A disk that is full stops the trace, not the work. */
#ifndef JOBQ_LIVE_CMD_RECORD_H
#define JOBQ_LIVE_CMD_RECORD_H

#include "fleet/drain/drainer.h"
#include "jobq/ports.h"
#include "live/aws/transport.h"

struct record;

/* Hangs itself into b->trace. NULL with err filled if the file cannot be made. */
struct record *record_open(const char *path, struct jobq_backend *b,
                           struct jobq_error *err);
void record_job(struct record *record, const struct drainer_event *event);
/* A job that was sent, or not acknowledged (code); bytes: of its names and values. */
void record_enqueued(struct record *record, struct jobq_str id, int code, int64_t bytes);
/* Writes what is buffered; called once a second by who has a timer. */
void record_flush(struct record *record);
/* Adds the ledger and closes. On a fiber: the JSON is built on transport's loop. */
void record_close(struct record *record, struct transport *transport);

#endif
