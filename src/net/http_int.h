/* http_int.h - what the parts of the HTTP server share.
 *
 * Room:     src/net.
 * Callers:  http_server.c, http_reply.c, http_budget.c. */
#ifndef JOBQ_NET_HTTP_INT_H
#define JOBQ_NET_HTTP_INT_H

#include "base/text.h"
#include "net/http_server.h"

#define LISTENERS_MAX 4

struct event;

struct http_exchange {
    struct connection *connection;
    http_gone_fn *gone;
    void *gone_ctx;
    bool open, close_after, head; /* head: a HEAD request, whose reply has no body */
};

struct connection {
    struct http_server *server;
    struct connection *next, *previous; /* of the server's list */
    struct connection *next_dirty;
    struct event *read_event, *write_event, *closed_event;
    int fd;
    char *in;
    int64_t in_len, in_cap;
    int64_t need;    /* do not parse `in` again before it has so many bytes */
    int64_t scanned; /* bytes of `in` already searched for the end of the head */
    struct http_chunks chunks;
    struct text out;
    int64_t sent;     /* of out */
    int64_t counted;  /* of in_cap and out.cap, in server->held */
    int64_t since_ns; /* when the current wait began: for a request, or for the client
                       * to read */
    int64_t lingered;
    struct http_exchange x;
    bool dirty, dead, eof, closing, continued, reading, writing, lingering, starved,
        sized; /* need is the full length of the request */
    char peer[64];
};

struct listener {
    struct event *event;
    int fd;
};

struct http_server {
    struct loop *loop;
    struct http_limits limits;
    http_handler_fn *handler;
    void *ctx;
    loop_fn *commit;
    void *commit_ctx;
    struct listener listener[LISTENERS_MAX];
    int listener_count;
    struct connection *first;
    struct connection *dirty_first, *dirty_last;
    int connections; /* includes closed ones not yet freed */
    int dead;
    int64_t held; /* bytes of all connections' buffers */
    int64_t evicted;
    bool starved; /* at least one connection waits for memory */
    bool paused, flushing, sweeping;
    struct loop_timer *sweeper;
    struct http_request request;
};

/* ---- http_server.c ------------------------------------------------------------------ */

/* Queue the connection for the end of the turn: it has bytes to write, or must be
 * freed. */
void http_mark_dirty(struct connection *c);
void http_sweep_soon(struct http_server *server);
/* Closes the socket at once and frees the connection at the end of the turn, because a
 * caller up the stack may still use it. While a reply is still due, the memory stays
 * until it was given. */
void http_kill(struct connection *c);
/* The client closed its side, or the whole connection. */
void http_client_gone(struct connection *c);
/* Replies with an error status and ends the connection. Further input is read and
 * discarded for a while: closing at once would send a reset, and the client would lose
 * the reply. */
void http_refuse(struct connection *c, int status);

/* ---- http_budget.c: total_bytes of the limits ---------------------------------------- */

/* The connection's buffers may have changed in size. */
static inline void http_recount(struct connection *c)
{
    int64_t now = c->in_cap + (int64_t)c->out.cap;
    c->server->held += now - c->counted;
    c->counted = now;
}
static inline bool http_is_over(const struct http_server *server)
{
    return server->held > server->limits.total_bytes;
}
/* Makes room for c to hold `more` bytes by closing connections that hold more than c
 * then would. False: c itself is the largest. */
bool http_make_room(struct connection *c, int64_t more);
/* Closes the largest connections until the rest fit. */
void http_trim(struct http_server *server);
/* Closes this one because of its size, with a 503 if its request is not complete. */
void http_evict(struct connection *c);

#endif
