/* reply.h - what a reply's head says, and what a refusal comes to.
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
    int64_t date_wall_ns; /* Date; 0: none that could be read */
    char request_id[64]; /* x-amzn-requestid or x-amz-request-id, escaped; may be empty */
};

/* Take one line as it came, with or without its end. A status line begins a new head: what
 * a proxy or a "100 Continue" said before is forgotten. A folded line's second half belongs
 * to no header that counts, and is passed over. */
void reply_head_line(struct reply_head *head, struct jobq_str line);

struct reply_refusal {
    const char *action; /* "SendMessage" */
    int status;         /* HTTP, not 200 */
    const struct reply_head *head;
    struct jobq_str body;
    int64_t now_wall_ns; /* this machine's clock */
};

/* What is off by more than that was no clock. */
#define REPLY_SKEW_MAX_NS (INT64_C(100) * 365 * 86400 * 1000000000)

/* Fill err and out with what was refused, and return its code. Where the service complains of
 * the time or the signature and its Date differs from now + *skew_ns by more than a minute,
 * *skew_ns is corrected and the code is UNAVAILABLE, so that the call is tried again. Every
 * text ends with the HTTP status and the request id (the body's before the head's). */
int reply_refused(const struct reply_refusal *refusal, int64_t *skew_ns,
                  struct aws_error *out, struct jobq_error *err);

#endif
