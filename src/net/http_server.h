/* http_server.h - a bounded HTTP/1.1 server on the loop.
 *
 * Room:     src/net, a tool.
 * Callers:  live/ (status page) and sim/mock/ (jobqmock).
 * Knows nothing of: AWS, what is served.
 * Blocks:   never: handlers run in the loop's turn and must be short, or answer later.
 *
 * A request's answer may be given in its handler or in any later turn; meanwhile the
 * connection waits, its further (pipelined) requests kept in its buffer up to
 * pipeline_bytes. Answers of one turn are written behind the turn, each connection's in
 * one write; a `commit` hook runs before the first of them, so that what must be on disk
 * before the client hears of it can be put there once a turn.
 *
 * Everything is bounded: head, headers (HTTP_HEADERS_MAX), body, connections, the time in
 * which a request must have come, a reply be taken and an idle connection stay.
 * TCP_NODELAY is set. Past the limit of connections the listener pauses until one
 * ends, or the one that has waited longest does (newest_first). Past
 * total_bytes the connection ends that holds the most, with a 503 if its request has not come
 * whole, without an answer if it does not take the one it has.
 *
 * Why not evhttp: it does not notice that a client hung up while its request waits for
 * the answer (a long poll), does not bound what a client pipelines, and took 2 to 3 times
 * the processor time a request. */
#ifndef JOBQ_NET_HTTP_SERVER_H
#define JOBQ_NET_HTTP_SERVER_H

#include "net/http_parse.h"
#include "net/loop.h"

struct http_server;
struct http_exchange; /* one request and its answer to be */

/* 0 takes the default in brackets. */
struct http_limits {
    int64_t head_bytes;     /* request line and headers [8 KiB] */
    int64_t body_bytes;     /* [4 KiB] */
    int64_t pipeline_bytes; /* kept while an answer is awaited [head_bytes] */
    int64_t request_ns;     /* from a request's first byte to its last [10 s] */
    int64_t idle_ns;        /* without a request [60 s] */
    int64_t write_ns;       /* for a reply's bytes to be taken [10 s] */
    int connections;        /* [64] */
    /* At the limit of connections a new one takes the place of the one that has waited longest
     * for its client (else new ones wait): for who gives short answers to anybody. */
    bool newest_first;
    int64_t total_bytes; /* of all connections' buffers; must hold one request [64 MiB] */
};

/* A request came. Its views die when the handler returns. The handler, or somebody later,
 * must end the exchange with http_reply or http_drop. */
typedef void http_handler_fn(void *ctx, struct http_exchange *x,
                             const struct http_request *request);
/* The client closed (or half-closed) while its answer is awaited. Return true: an answer
 * is already on its way, keep the connection for it. False: none will come; the
 * exchange is gone when this returns. Called at most once. */
typedef bool http_gone_fn(void *ctx);

/* Make a server. limits is copied. */
struct http_server *http_server_new(struct loop *loop, const struct http_limits *limits,
                                    http_handler_fn *handler, void *ctx);
/* Closes all connections; pending exchanges are told (http_gone_fn, answer ignored). The
 * loop must not run again behind it. */
void http_server_free(struct http_server *server);

/* Listen on host (an address, not a name; "127.0.0.1", "::1") and port (0: a free one).
 * May be called several times (at most 4). Returns the port; CONFLICT: in use; DENIED;
 * INVALID: no such address. */
int http_server_listen(struct http_server *server, const char *host, int port,
                       struct jobq_error *err);
/* Serve a stream socket that is connected already (of a socketpair, inherited). The server
 * owns fd from here on, makes it non-blocking, and counts it as a connection, also past the
 * limit. */
void http_server_adopt(struct http_server *server, int fd);
/* Called behind each turn that made answers, before they are written. */
void http_server_on_commit(struct http_server *server, loop_fn *commit, void *ctx);
/* Open connections. */
int http_server_connections(const struct http_server *server);
/* What their buffers hold now; how many connections ended for it. */
int64_t http_server_buffer_bytes(const struct http_server *server);
int64_t http_server_evicted(const struct http_server *server);

struct http_reply {
    int status;
    struct jobq_str content_type; /* empty: no such header */
    struct jobq_str headers;      /* further lines, each ended with \r\n; may be empty */
    struct jobq_str body;
    bool no_body; /* length sent, body not; so it is for every HEAD */
    bool close;   /* end the connection behind it */
};
/* Give the answer; everything is copied; x is gone. Returns its bytes on the wire. */
int64_t http_reply(struct http_exchange *x, const struct http_reply *reply);
/* What http_reply would return, of a connection that stays open. */
int64_t http_reply_bytes(const struct http_reply *reply);
/* End the connection without an answer; x is gone. */
void http_drop(struct http_exchange *x);
/* What to call when the client goes away while x is open. */
void http_on_gone(struct http_exchange *x, http_gone_fn *gone, void *ctx);

/* Whether the client is on this machine: of a loopback address, or of a socket pair. */
bool http_is_local(const struct http_exchange *x);

#endif
