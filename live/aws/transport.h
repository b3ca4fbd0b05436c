/* transport.h - HTTP requests of fibers, by curl_multi on the event loop.
 *
 * Room:     live, the network world.
 * Callers:  live/aws/aws.c, live/aws/imds.c, live/aws/credentials.c.
 * Knows nothing of: AWS, retries.
 * Blocks:   transport_run parks the calling fiber; everything else never.
 *
 * libcurl, OpenSSL and the parsers of replies want deep stacks, fibers have small ones. So a
 * fiber only queues its call and parks; build, the transfer and read happen on the loop's
 * own stack.
 *
 * Bounds: CALLS_MAX transfers at once (long polls are apart, each has its own connection
 * anyway), a reply of reply_max bytes, a call of timeout_ns from its start. Redirects are
 * not followed. TLS is verified. A kept-alive connection that the server has closed is
 * replaced once, without a word, by libcurl; `tries` counts it, and so does the bill. */
#ifndef JOBQ_LIVE_AWS_TRANSPORT_H
#define JOBQ_LIVE_AWS_TRANSPORT_H

#include "base/text.h"
#include "fiber/fiber.h"
#include "net/loop.h"
#include "wire/text/query.h"
#include "wire/http/reply.h"
#include "wire/http/request.h"

enum { TRANSPORT_CALLS_MAX = 64 };

struct transport;

struct transport_call {
    /* in */
    const char *method; /* "GET", "PUT", "POST" */
    const char *url;    /* scheme, host, port, path; lives until the call ends */
    int64_t timeout_ns;
    int64_t reply_max; /* bytes of body */
    bool poll;         /* a long poll: apart from CALLS_MAX, ended by abort_polls */
    bool local;        /* metadata service: no proxy, a short connect timeout */
    /* Fill request->head and request->body (both empty; query is scratch). */
    int (*build)(void *ctx, struct request *request, struct query *query,
                 struct jobq_error *err);
    /* Read the reply: status, body. Not called when none came. */
    int (*read)(void *ctx, const struct transport_call *call, struct jobq_str body,
                struct jobq_error *err);
    void *ctx;
    /* out */
    int status; /* HTTP; 0: no reply */
    int tries;  /* requests that were sent */
    int64_t bytes_out, bytes_in;
    struct reply_head head;
    /* own */
    struct transport_call *next;
    struct fiber_ticket ticket;
    struct jobq_error *err;
    struct fiber_proc *proc;
    int code;
};

struct transport *transport_new(struct loop *loop, struct fiber_sched *sched);
/* Trust the certificates in that file instead of the system's; path lives on. */
void transport_trust(struct transport *transport, const char *path);
/* No call may be under way. */
void transport_free(struct transport *transport);

/* Make the call. Returns: what build or read returned, or TIMEOUT, UNAVAILABLE (network),
 * DENIED (TLS), CORRUPT (a reply past reply_max), CANCELLED (aborted poll). Blocks: yes. */
int transport_run(struct transport *transport, struct transport_call *call,
                  struct jobq_error *err);
/* Start what fibers have queued since. Called behind each turn, on the loop's stack.
 * Returns true if that made fibers ready. */
bool transport_submit(struct transport *transport);
/* End polls: half-close their connections, so that the server sees that nobody waits; a
 * reply that is already granted still comes through. Those without one within a second
 * end with CANCELLED. */
void transport_abort_polls(struct transport *transport);
/* End every call at once, for a process that was killed: no caller is told. */
void transport_drop(struct transport *transport);
/* Call fn(ctx) on the loop's stack, with the calling fiber parked: for library calls that
 * need a deep stack. Blocks: yes. */
void transport_on_loop(struct transport *transport, loop_fn *fn, void *ctx);
/* Wait until no call is under way, at most wait_ns: so that what a process still had in
 * flight when its work was over is in its ledger. Blocks: yes. */
void transport_settle(struct transport *transport, int64_t wait_ns);
/* Connections open now, for tests of leaks. */
int transport_sockets(const struct transport *transport);

#endif
