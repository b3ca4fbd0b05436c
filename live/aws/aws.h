/* aws.h - one signed call to a service of AWS, and the ports made of such calls.
 *
 * Room:     live, the network world.
 * Callers:  live/world/live.c; the ports beside it.
 * Knows nothing of: the product, retries (src/fleet/port/retry.c has them).
 * Blocks:   aws_run and what calls it, on the calling fiber.
 *
 * Every error names the action, the service's code and message, the HTTP status and the
 * request id; never a key, a token or a signature.
 *
 * Clock skew: where the service complains of the time or the signature and its Date is off
 * by more than a minute, the difference is remembered, later signatures use it, and the call
 * fails with UNAVAILABLE so that it is tried again. */
#ifndef JOBQ_LIVE_AWS_AWS_H
#define JOBQ_LIVE_AWS_AWS_H

#include "jobq/ports.h"
#include "live/aws/credentials.h"
#include "live/aws/transport.h"
#include "wire/sign/digest.h"
#include "wire/sign/sigv4.h"

#define AWS_REPLY_MAX (INT64_C(16) << 20)
#define AWS_CALL_NS (30 * INT64_C(1000000000))
/* How much longer than its wait a long poll may take. */
#define AWS_POLL_SLACK_NS (10 * INT64_C(1000000000))

struct aws_place {
    char *url; /* with a path; what libcurl gets */
    struct request_place place;
    struct sigv4_day *day; /* of aws.days */
};

struct aws {
    struct transport *transport;
    struct credentials *credentials;
    const struct settings *settings;
    struct digest digest;
    char region[33]; /* "": aws_find_region has still to ask */
    struct aws_place at[SETTINGS_SERVICES];
    /* One a service, in pages of no dump (live/aws/secret.h): they hold signing keys. */
    struct sigv4_day *days;
    int64_t skew_ns;      /* what AWS's clock is ahead of ours */
    int64_t skew_seen_ns; /* of the last reply, for doctor; 0: none or no Date */
};

/* region and endpoints as settings say. INVALID: no region and no endpoint, and no metadata
 * service to be asked. settings live on. */
int aws_init(struct aws *aws, const struct settings *settings,
             struct transport *transport, struct credentials *credentials,
             struct jobq_error *err);
void aws_release(struct aws *aws);
/* Off the settings, a box knows its own region: asks once, which aws_run does by itself.
 * INVALID: there is none. Blocks: while it asks. */
int aws_find_region(struct aws *aws, struct jobq_error *err);

struct aws_call {
    enum jobq_service service;
    const char *action;
    /* Write the JSON body (SQS, DynamoDB) or add the parameters (SimpleDB, EC2). On the loop's stack. */
    void (*write)(const void *args, struct text *body, struct query *query);
    const void *args;
    /* Read the body of a 200. On the loop's stack. NULL: nothing in it matters. Returns a
     * code or a count. */
    int (*read)(void *out, struct jobq_str body, struct jobq_call_cost *cost,
                struct jobq_error *err);
    /* Look at the body of a refusal, on the loop's stack, before aws_run returns. NULL: no. */
    void (*read_refused)(void *out, struct jobq_str body);
    void *out;
    int64_t wait_ns; /* a long poll's wait; < 0: no poll */
    /* Set when the service answered with an error: its code and message, for ports that
     * look closer (views of own). */
    char error_code[80], error_message[320];
};
int aws_run(struct aws *aws, struct aws_call *call, struct jobq_call_cost *cost,
            struct jobq_error *err);

/* The ports. Owner: the caller, who frees what new gave. */
struct jobq_queue *aws_queue_new(struct aws *aws);
void aws_queue_free(struct jobq_queue *queue);
struct jobq_store *aws_simpledb_new(struct aws *aws);
void aws_simpledb_free(struct jobq_store *store);
struct jobq_store *aws_dynamodb_new(struct aws *aws);
void aws_dynamodb_free(struct jobq_store *store);
struct jobq_fleet *aws_fleet_new(struct aws *aws, struct imds *imds);
void aws_fleet_free(struct jobq_fleet *fleet);

#endif
