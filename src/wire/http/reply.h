/* reply.h - reads a reply's head, and turns an error reply into an error.
 *
 * Room:     src/wire, a tool; pure.
 * Callers:  live/aws/transport.c, live/aws/aws.c, tests, fuzzers.
 * Knows nothing of: sockets, the clock. */
#ifndef JOBQ_WIRE_HTTP_REPLY_H
#define JOBQ_WIRE_HTTP_REPLY_H

#include "jobq/error.h"
#include "jobq/ports.h"
#include "wire/http/aws_error.h"

/* Zero it before the first line. */
struct reply_head {
    int64_t date_wall_ns; /* from Date; 0: missing or malformed */
    char request_id[64]; /* x-amzn-requestid or x-amz-request-id, escaped; may be empty */
    bool ended;          /* the empty line that ends a head has come */
};

/* Reads one header line, with or without its line end. A status line begins a new head:
 * that of a proxy or a "100 Continue" before it is discarded. The continuation of a
 * folded line is skipped. */
void reply_head_line(struct reply_head *head, struct jobq_str line);

struct reply_refusal {
    const char *action; /* "SendMessage" */
    int status;         /* HTTP, not 200 */
    const struct reply_head *head;
    struct jobq_str body;
    int64_t now_wall_ns; /* this machine's clock */
};

/* A larger difference is not a clock skew. */
#define REPLY_SKEW_MAX_NS (INT64_C(100) * 365 * 86400 * 1000000000)

/* Fills err and out from an error reply and returns the error's code. If the error is
 * about the time or the signature and the reply's Date differs from now + *skew_ns by
 * more than a minute, *skew_ns is corrected and the code is UNAVAILABLE, so that the
 * call is tried again. Every text ends with the HTTP status and the request id (the
 * body's if it has one, else the head's). */
int reply_refused(const struct reply_refusal *refusal, int64_t *skew_ns,
                  struct aws_error *out, struct jobq_error *err);

#endif
