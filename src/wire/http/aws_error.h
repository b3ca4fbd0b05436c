/* aws_error.h - what an error reply of AWS asks the caller to do.
 *
 * Room:     src/wire, a tool.
 * Callers:  live/, src/wire, tests.
 * Knows nothing of: sockets.
 *
 * Codes are from the API references of SQS, SimpleDB and EC2 and the common errors of
 * AWS, surveyed 2026-11 (guides/wire.md); a code that is not in the table is judged by
 * its HTTP status. */
#ifndef JOBQ_WIRE_HTTP_AWS_ERROR_H
#define JOBQ_WIRE_HTTP_AWS_ERROR_H

#include "jobq/error.h"
#include "jobq/ports.h"

struct aws_error {
    char code[80];     /* "QueueDoesNotExist", without its namespace; may be empty */
    char message[320]; /* the first line that the service wrote, escaped */
    char request_id[64];
    int64_t box_usage_e10h;
};

/* What the pair (code, HTTP status) means for the caller: a negative jobq_code. */
int aws_error_code(const char *code, int http_status);
/* Reads the body of an error reply: JSON if it begins with '{', XML if with '<';
 * otherwise only the status is known. Never fails; missing parts stay empty. */
void aws_error_read(struct jobq_str body, struct aws_error *out);
/* True if the error is about the client's clock. */
bool aws_error_is_skew(const char *code);
/* "0.0000219907" -> 219907 (1e-10 hours), exact; 0 if it is not such a number. */
int64_t aws_error_box_usage(struct jobq_str text);

#endif
