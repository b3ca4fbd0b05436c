/* http_server.h - a bounded HTTP/1.1 server on the loop.
 *
 * Room:     src/net, a tool.
 * Callers:  live/ (status page) and sim/mock/ (jobqmock).
 * Knows nothing of: AWS, what is served.
 * Blocks:   never: handlers run in the loop's turn and must be short, or answer later.
 *
 * The reply may be given in the handler or in any later turn. Meanwhile the connection
 * waits, and up to pipeline_bytes of further (pipelined) requests stay in its buffer.
 * All replies of a turn are written at its end, one write a connection. A `commit` hook
 * runs before the first of them, so that what must be on disk before the client gets its
 * reply is saved once a turn.
 *
 * Everything is bounded: head, headers (HTTP_HEADERS_MAX), body, connections, and the
 * time to send a request, to read a reply and to stay idle. TCP_NODELAY is set. At the
 * limit of connections the listener pauses until one ends, or closes the one that has
 * waited longest (newest_first). Past total_bytes the largest connection is closed: with
 * a 503 if its request is not complete, without a reply if it does not read the one it
 * has.
 *
 * Why not evhttp: it does not notice that a client hung up while its request waits for
 * the answer (a long poll), does not bound what a client pipelines, and took 2 to 3 times
 * the processor time a request. */
#ifndef JOBQ_NET_HTTP_SERVER_H
#define JOBQ_NET_HTTP_SERVER_H

#include "net/http_parse.h"
#include "net/loop.h"

struct http_server;
struct http_exchange; /* one request and its pending reply */

/* 0 takes the default in brackets. */
struct http_limits {
    int64_t head_bytes;     /* request line and headers [8 KiB] */
    int64_t body_bytes;     /* [4 KiB] */
    int64_t pipeline_bytes; /* of further requests, while a reply is pending
                             * [head_bytes] */
    int64_t request_ns;     /* from a request's first byte to its last [10 s] */
    int64_t idle_ns;        /* between requests [60 s] */
    int64_t write_ns;       /* for the client to read a reply [10 s] */
    int connections;        /* [64] */
    /* At the limit of connections a new one takes the place of the one that has waited
     * longest for its client (else new ones wait): for servers whose replies are short
     * and open to anybody. */
    bool newest_first;
    int64_t total_bytes; /* of all connections' buffers; must hold one request [64 MiB] */
};

/* Called for each request. Its views are valid until the handler returns. The handler,
 * or code run later, must end the exchange with http_reply or http_drop. */
typedef void http_handler_fn(void *ctx, struct http_exchange *x,
                             const struct http_request *request);
/* Called when the client closed (or half-closed) the connection while its reply is
 * pending, at most once. Return true if a reply is on its way: the connection is kept
 * for it. False: there will be none, and the exchange is gone. */
typedef bool http_gone_fn(void *ctx);

/* Makes a server. limits is copied. */
struct http_server *http_server_new(struct loop *loop, const struct http_limits *limits,
                                    http_handler_fn *handler, void *ctx);
/* Closes all connections; pending exchanges get http_gone_fn (its result is ignored).
 * The loop must not run again afterwards. */
void http_server_free(struct http_server *server);

/* Listen on host (an address, not a name; "127.0.0.1", "::1") and port (0: a free one).
 * May be called several times (at most 4). Returns the port; CONFLICT: in use; DENIED;
 * INVALID: no such address. */
int http_server_listen(struct http_server *server, const char *host, int port,
                       struct jobq_error *err);
/* Serves a connected stream socket (inherited, or of a socketpair). The server takes
 * ownership of fd, makes it non-blocking and counts it as a connection, even past the
 * limit. */
void http_server_adopt(struct http_server *server, int fd);
/* Sets a function to call at the end of each turn that made replies, before they are
 * written. */
void http_server_on_commit(struct http_server *server, loop_fn *commit, void *ctx);
/* Open connections. */
int http_server_connections(const struct http_server *server);
/* Bytes in all connections' buffers; how many connections were closed to save memory. */
int64_t http_server_buffer_bytes(const struct http_server *server);
int64_t http_server_evicted(const struct http_server *server);

struct http_reply {
    int status;
    struct jobq_str content_type; /* empty: no such header */
    struct jobq_str headers;      /* further lines, each ended with \r\n; may be empty */
    struct jobq_str body;
    bool no_body;        /* send the length but not the body; so does every HEAD */
    bool close;          /* close the connection afterwards */
    bool say_keep_alive; /* or else say that it stays open */
};
/* Sends the reply, which is copied, and ends x. Returns its size on the wire. */
int64_t http_reply(struct http_exchange *x, const struct http_reply *reply);
/* What http_reply would return for a connection that stays open. */
int64_t http_reply_bytes(const struct http_reply *reply);
/* Closes the connection without a reply and ends x. */
void http_drop(struct http_exchange *x);
/* Starts a reply that has no end of its own: its head goes out now, what http_stream_put adds
 * follows, until http_drop or until the client goes (http_on_gone). x stays open. */
void http_stream(struct http_exchange *x, struct jobq_str content_type,
                 struct jobq_str headers);
/* False: so much is unsent already that unsent_max would be passed; nothing was added. */
bool http_stream_put(struct http_exchange *x, struct jobq_str bytes, int64_t unsent_max);
/* The client's address as text, "unix" for a local socket; good as long as the connection. */
const char *http_peer(const struct http_exchange *x);
/* Sets what to call if the client goes away while x is open. */
void http_on_gone(struct http_exchange *x, http_gone_fn *gone, void *ctx);

/* True if the client is on this machine: a loopback address or a local socket. */
bool http_is_local(const struct http_exchange *x);

#endif
