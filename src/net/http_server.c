#include "net/http_server.h"

#include "base/arena.h"
#include "jobq/units.h"
#include "net/http_int.h"

#include <event2/event.h>
#include <event2/util.h>

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define READ_BYTES (16 * JOBQ_KIB)
#define STEP_BYTES (256 * JOBQ_KIB) /* a long request's buffer grows in such steps */
#define KEEP_BYTES (64 * JOBQ_KIB)  /* a larger buffer is freed when it is empty */
#define OUT_PAUSE_BYTES                                                                  \
    (4 * JOBQ_MIB) /* with more unsent replies, no further request is served */
#define LINGER_BYTES (16 * JOBQ_MIB)

static int64_t or_default(int64_t value, int64_t fallback)
{
    return value > 0 ? value : fallback;
}

void http_mark_dirty(struct connection *c)
{
    struct http_server *server = c->server;
    if (c->dirty)
        return;
    c->dirty = true;
    c->next_dirty = NULL;
    if (server->dirty_last)
        server->dirty_last->next_dirty = c;
    else
        server->dirty_first = c;
    server->dirty_last = c;
    if (!server->flushing && loop_is_after_turn(server->loop))
        loop_hurry(server->loop);
}

/* Timeouts are checked once a second, but only while one can expire: connections that
 * wait for a reply (idle long polls) cost nothing. */
void http_sweep_soon(struct http_server *server)
{
    if (server->sweeping)
        return;
    server->sweeping = true;
    loop_timer_set(server->sweeper, loop_now_ns() + JOBQ_NS_PER_S);
}

static void pause_listening(struct http_server *server)
{
    server->paused = true;
    for (int i = 0; i < server->listener_count; i++)
        event_del(server->listener[i].event);
    http_sweep_soon(server);
}

static void resume_listening(struct http_server *server)
{
    if (!server->paused)
        return;
    server->paused = false;
    for (int i = 0; i < server->listener_count; i++)
        event_add(server->listener[i].event, NULL);
}

void http_kill(struct connection *c)
{
    if (!c->dead) {
        c->dead = true;
        c->server->dead++;
        event_free(c->read_event);
        event_free(c->write_event);
        if (c->closed_event)
            event_free(c->closed_event);
        close(c->fd);
        text_release(&c->out);
        c->sent = 0;
        http_recount(c);
    }
    http_mark_dirty(c);
}

static void free_connection(struct connection *c)
{
    struct http_server *server = c->server;
    if (c->previous)
        c->previous->next = c->next;
    else
        server->first = c->next;
    if (c->next)
        c->next->previous = c->previous;
    free(c->in);
    text_release(&c->out);
    server->held -= c->counted;
    server->dead -= c->dead;
    free(c);
    server->connections--;
    resume_listening(server);
}

static void set_reading(struct connection *c, bool on)
{
    if (c->reading == on)
        return;
    c->reading = on;
    if (on)
        event_add(c->read_event, NULL);
    else
        event_del(c->read_event);
}

void http_client_gone(struct connection *c)
{
    struct http_exchange *x = &c->x;
    c->eof = true;
    set_reading(c, false);
    if (!x->open) {
        c->closing = true;
        http_mark_dirty(c);
        return;
    }
    http_gone_fn *gone = x->gone;
    x->gone = NULL;
    bool answer_comes = gone && gone(x->gone_ctx);
    if (!gone)
        answer_comes = true; /* no callback: the reply may still be given */
    if (c->dead || answer_comes)
        return;
    x->open = false;
    http_kill(c);
}

/* ---- requests --------------------------------------------------------------------- */

void http_refuse(struct connection *c, int status)
{
    assert(status >= 400 && status < 600 && !c->x.open);
    const char *text = http_status_text(status);
    struct http_reply reply = {.status = status,
                               .content_type = STR("text/plain"),
                               .body = {text, (int64_t)strlen(text)},
                               .close = true};
    c->x.open = true;
    c->x.head = false;
    c->lingering = true;
    c->in_len = 0;
    http_reply(&c->x, &reply);
}

static void http_resize(struct connection *c, int64_t cap)
{
    if (cap > 0) {
        c->in = xrealloc(c->in, (size_t)cap);
    } else {
        free(c->in);
        c->in = NULL;
    }
    c->in_cap = cap;
    http_recount(c);
}

/* The buffer size for the next read. A long request starts with STEP_BYTES and doubles
 * as data arrives, so that memory follows what was sent, not what Content-Length
 * promises. */
static int64_t next_cap(const struct connection *c)
{
    int64_t cap = c->in_cap, least = c->in_len + READ_BYTES / 4;
    if (c->sized && cap >= c->need)
        return cap;
    if (cap < least)
        cap = least > 2 * cap ? least : 2 * cap;
    if (!c->sized)
        return cap;
    if (cap < STEP_BYTES)
        cap = STEP_BYTES;
    return cap < c->need ? cap : c->need;
}

static void http_consume(struct connection *c, int64_t used)
{
    c->in_len -= used;
    if (c->in_len > 0)
        memmove(c->in, c->in + used, (size_t)c->in_len);
    if (c->in_cap > KEEP_BYTES && c->in_len <= KEEP_BYTES)
        http_resize(c, c->in_len > 0 ? KEEP_BYTES : 0);
    c->need = c->scanned = 0;
    c->chunks = (struct http_chunks){0};
    c->continued = c->sized = false;
}

/* Looks for a whole request at the start of the buffer. Returns 1 with server->request
 * filled and *used set, 0 for more bytes, else a status to refuse with. */
static int next_request(struct connection *c, int64_t *used)
{
    struct http_server *server = c->server;
    struct http_request *request = &server->request;
    const struct http_limits *limits = &server->limits;
    if (c->in_len == 0 || c->in_len < c->need)
        return 0;
    int64_t from = c->scanned > 3 ? c->scanned - 3 : 0;
    char *end = memmem(c->in + from, (size_t)(c->in_len - from), "\r\n\r\n", 4);
    if (!end) {
        c->scanned = c->in_len;
        return c->in_len > limits->head_bytes ? 431 : 0;
    }
    int64_t head = end + 4 - c->in;
    if (head > limits->head_bytes)
        return 431;
    int status = http_parse_head(c->in, head, request);
    if (status)
        return status;
    int64_t body = request->content_length, framed = body;
    if (body > limits->body_bytes)
        return 413;
    int whole = c->in_len - head >= body;
    if (request->chunked) {
        whole = http_parse_chunked(c->in + head, c->in_len - head, limits->body_bytes,
                                   &c->chunks, &body, &framed);
        if (whole > 1)
            return whole;
        if (!whole && c->in_len - head > 2 * limits->body_bytes + limits->head_bytes)
            return 413;
    }
    if (!whole) {
        c->need = request->chunked ? c->in_len + 1 : head + body;
        c->sized = !request->chunked;
        c->scanned = head - 4;
        if (request->expects_continue && !c->continued) {
            c->continued = true;
            text_puts(&c->out, "HTTP/1.1 100 Continue\r\n\r\n");
            http_mark_dirty(c);
        }
        return 0;
    }
    request->body = (struct jobq_str){c->in + head, body};
    request->wire_bytes = *used = head + framed;
    return 1;
}

/* Serves the buffered requests one after the other until one has to wait. */
static void http_serve(struct connection *c)
{
    struct http_server *server = c->server;
    while (!c->dead && !c->x.open && !c->closing &&
           (int64_t)c->out.len - c->sent < OUT_PAUSE_BYTES) {
        if (c->in_len > 0 &&
            http_is_over(server)) { /* wait until other clients have read their
                                     * replies, or are dropped */
            c->starved = server->starved = true;
            break;
        }
        int64_t used = 0;
        int status = next_request(c, &used);
        if (status == 0)
            break;
        if (status != 1) {
            http_refuse(c, status);
            break;
        }
        c->x = (struct http_exchange){.connection = c,
                                      .open = true,
                                      .close_after = !server->request.keep_alive,
                                      .head = str_is(server->request.method, "HEAD")};
        server->handler(server->ctx, &c->x, &server->request);
        if (!c->dead)
            http_consume(c, used);
    }
    if (c->dead)
        return;
    if (c->eof && !c->x.open) {
        c->closing = true;
        http_mark_dirty(c);
    }
    bool full = c->x.open ? c->in_len >= server->limits.pipeline_bytes
                          : (int64_t)c->out.len - c->sent >= OUT_PAUSE_BYTES;
    set_reading(c, !c->eof && (!c->closing || c->lingering) && !full);
    if (full && !c->closed_event) {
        /* Reading has stopped, so a close by the client would go unnoticed. */
        c->closed_event =
            event_new(loop_base(server->loop), c->fd, EV_CLOSED | EV_PERSIST,
                      event_get_callback(c->read_event), c);
    }
    if (c->closed_event) {
        if (full)
            event_add(c->closed_event, NULL);
        else
            event_del(c->closed_event);
    }
}

static void http_discard(struct connection *c)
{
    char waste[4096];
    ssize_t got = read(c->fd, waste, sizeof waste);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    c->lingered += got;
    if (got <= 0 || c->lingered > LINGER_BYTES)
        http_kill(c);
}

static void http_on_readable(evutil_socket_t fd, short what, void *arg)
{
    struct connection *c = arg;
    struct http_server *server = c->server;
    if (what & EV_CLOSED) {
        event_del(c->closed_event);
        http_client_gone(c);
        return;
    }
    if (c->lingering) {
        http_discard(c);
        return;
    }
    if (c->in_len == 0 && !c->x.open)
        c->since_ns = loop_now_ns();
    int64_t cap = next_cap(c);
    if (cap > c->in_cap) {
        if (!http_make_room(c, cap - c->in_cap)) {
            http_evict(c);
            return;
        }
        http_resize(c, cap);
    }
    ssize_t got = read(fd, c->in + c->in_len, (size_t)(c->in_cap - c->in_len));
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (got <= 0) {
        http_client_gone(c);
        return;
    }
    c->in_len += got;
    http_sweep_soon(server);
    http_serve(c);
}

/* ---- writing ---------------------------------------------------------------------- */

static void finish_connection(struct connection *c)
{
    if (!c->lingering) {
        http_kill(c);
        return;
    }
    shutdown(c->fd, SHUT_WR);
    c->since_ns = loop_now_ns();
    http_sweep_soon(c->server);
}

static void write_out(struct connection *c)
{
    while (c->sent < (int64_t)c->out.len) {
        ssize_t put =
            send(c->fd, c->out.ptr + c->sent, c->out.len - (size_t)c->sent, MSG_NOSIGNAL);
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
            if (!c->writing) {
                c->writing = true;
                c->since_ns = loop_now_ns();
                event_add(c->write_event, NULL);
                http_sweep_soon(c->server);
            }
            return;
        }
        if (put < 0) {
            c->out.len = 0;
            c->sent = 0;
            c->lingering = false;
            http_client_gone(c);
            http_kill(c);
            return;
        }
        c->sent += put;
        c->since_ns = c->writing ? loop_now_ns() : c->since_ns;
    }
    if (c->writing) {
        c->writing = false;
        event_del(c->write_event);
    }
    c->sent = 0;
    if (c->out.cap > (size_t)KEEP_BYTES) {
        text_release(&c->out);
        http_recount(c);
    } else {
        text_clear(&c->out);
    }
    if (c->closing)
        finish_connection(c);
}

static void on_writable(evutil_socket_t fd, short what, void *arg)
{
    struct connection *c = arg;
    (void)fd;
    (void)what;
    /* By the dirty list, so that the commit hook runs before every write. */
    http_mark_dirty(c);
}

/* One pass over the connections that have something to write or must be freed. */
static void flush_round(struct http_server *server)
{
    for (struct connection *c = server->dirty_first; c; c = c->next_dirty)
        if (!c->dead && c->in_len > 0 && !c->x.open)
            http_serve(c);
    if (server->commit)
        server->commit(server->commit_ctx);
    struct connection *next, *c = server->dirty_first;
    server->dirty_first = server->dirty_last = NULL;
    for (; c; c = next) {
        next = c->next_dirty;
        c->dirty = false;
        if (c->dead) {
            if (!c->x.open)
                free_connection(c);
            continue;
        }
        write_out(c);
        if (!c->dead && !c->reading && !c->eof && !c->closing)
            http_serve(c); /* it had been paused until the client read its replies */
    }
}

/* Serves the connections that were held back for lack of memory, now that there is some:
 * at the end of the next turn, so that others get their turn. */
static void feed_starved(struct http_server *server)
{
    if (!server->starved || http_is_over(server))
        return;
    server->starved = false;
    for (struct connection *c = server->first; c; c = c->next) {
        if (c->starved)
            http_mark_dirty(c);
        c->starved = false;
    }
}

/* At the end of a turn: serve what waited for the replies just given, let the commit
 * hook save them, then write them. This ends because each connection's buffer is
 * finite. */
static void http_flush(void *ctx)
{
    struct http_server *server = ctx;
    server->flushing = true;
    while (server->dirty_first) {
        flush_round(server);
        http_trim(server);
    }
    server->flushing = false;
    feed_starved(server);
}

static void http_sweep(void *ctx)
{
    struct http_server *server = ctx;
    const struct http_limits *limits = &server->limits;
    int64_t now_ns = loop_now_ns();
    bool any = false;
    server->sweeping = false;
    for (struct connection *c = server->first; c; c = c->next) {
        if (c->dead)
            continue;
        bool taking = c->sent < (int64_t)c->out.len;
        if (c->x.open && !taking)
            continue;
        any = true;
        int64_t limit_ns = taking || c->lingering ? limits->write_ns
                           : c->in_len > 0        ? limits->request_ns
                                                  : limits->idle_ns;
        if (now_ns - c->since_ns < limit_ns)
            continue;
        c->lingering = false;
        if (c->x.open)
            http_client_gone(c);
        http_kill(c);
    }
    resume_listening(server);
    if (any)
        http_sweep_soon(server);
}

/* ---- the server ------------------------------------------------------------------- */

static void add_connection(struct http_server *server, int fd)
{
    int one = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    struct connection *c = xcalloc(1, sizeof *c);
    c->server = server;
    c->fd = fd;
    c->x.connection = c;
    c->since_ns = loop_now_ns();
    struct event_base *base = loop_base(server->loop);
    c->read_event = event_new(base, fd, EV_READ | EV_PERSIST, http_on_readable, c);
    c->write_event = event_new(base, fd, EV_WRITE | EV_PERSIST, on_writable, c);
    c->next = server->first;
    if (c->next)
        c->next->previous = c;
    server->first = c;
    server->connections++;
    set_reading(c, true);
    http_sweep_soon(server);
}

void http_server_adopt(struct http_server *server, int fd)
{
    evutil_make_socket_nonblocking(fd);
    add_connection(server, fd);
}

/* Ends the connection that has waited longest: to complete its request, to send another,
 * or to read its reply. False: each is still waiting for our reply. */
static bool end_oldest_waiting(struct http_server *server)
{
    struct connection *oldest = NULL;
    for (struct connection *c = server->first; c; c = c->next)
        if (!c->dead && !c->x.open && (!oldest || c->since_ns < oldest->since_ns))
            oldest = c;
    if (oldest)
        http_kill(oldest);
    return oldest != NULL;
}

static bool has_place(struct http_server *server)
{
    return server->connections - server->dead < server->limits.connections ||
           (server->limits.newest_first && end_oldest_waiting(server));
}

static void on_acceptable(evutil_socket_t fd, short what, void *arg)
{
    struct http_server *server = arg;
    (void)what;
    for (int i = 0; i < 64; i++) {
        if (server->connections - server->dead >= server->limits.connections &&
            !server->limits.newest_first) {
            pause_listening(server);
            return;
        }
        int client = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (client >= 0 && !has_place(server)) {
            close(client); /* all are waiting for our reply */
            continue;
        }
        if (client < 0) {
            if (errno == EMFILE || errno == ENFILE || errno == ENOMEM)
                pause_listening(server);
            return;
        }
        add_connection(server, client);
    }
}

struct http_server *http_server_new(struct loop *loop, const struct http_limits *limits,
                                    http_handler_fn *handler, void *ctx)
{
    assert(loop && limits && handler);
    struct http_server *server = xcalloc(1, sizeof *server);
    struct http_limits *l = &server->limits;
    *l = *limits;
    l->head_bytes = or_default(l->head_bytes, 8 * JOBQ_KIB);
    l->body_bytes = or_default(l->body_bytes, 4 * JOBQ_KIB);
    l->pipeline_bytes = or_default(l->pipeline_bytes, l->head_bytes);
    l->request_ns = or_default(l->request_ns, 10 * JOBQ_NS_PER_S);
    l->idle_ns = or_default(l->idle_ns, 60 * JOBQ_NS_PER_S);
    l->write_ns = or_default(l->write_ns, 10 * JOBQ_NS_PER_S);
    l->connections = (int)or_default(l->connections, 64);
    l->total_bytes = or_default(l->total_bytes, 64 * JOBQ_MIB);
    server->loop = loop;
    server->handler = handler;
    server->ctx = ctx;
    server->sweeper = loop_timer_new(loop, http_sweep, server);
    loop_after_turn(loop, http_flush, server);
    return server;
}

static void http_stop_listening(struct http_server *server)
{
    for (int i = 0; i < server->listener_count; i++) {
        event_free(server->listener[i].event);
        close(server->listener[i].fd);
    }
    server->listener_count = 0;
    server->paused = false;
}

void http_server_free(struct http_server *server)
{
    if (!server)
        return;
    http_stop_listening(server);
    /* Closes all before freeing the first: closing links connections into the dirty
     * list. */
    for (struct connection *c = server->first; c; c = c->next) {
        if (!c->dead)
            http_client_gone(c);
        http_kill(c);
    }
    while (server->first)
        free_connection(server->first);
    loop_timer_free(server->sweeper);
    free(server);
}

static int bound_port(int fd)
{
    struct sockaddr_storage address;
    socklen_t len = sizeof address;
    if (getsockname(fd, (struct sockaddr *)&address, &len) != 0)
        return 0;
    if (address.ss_family == AF_INET6)
        return ntohs(((struct sockaddr_in6 *)&address)->sin6_port);
    return ntohs(((struct sockaddr_in *)&address)->sin_port);
}

static int listen_failed(const char *host, int port, struct jobq_error *err)
{
    int saved = errno;
    if (saved == EADDRINUSE)
        return jobq_fail(err, JOBQ_CONFLICT, "port '%d' of '%s' is in use", port, host);
    if (saved == EACCES)
        return jobq_fail(err, JOBQ_DENIED, "may not listen on port '%d'", port);
    return jobq_fail(err, JOBQ_INVALID, "cannot listen on '%s' port '%d': %s", host, port,
                     strerror(saved));
}

int http_server_listen(struct http_server *server, const char *host, int port,
                       struct jobq_error *err)
{
    assert(server && host && err);
    struct addrinfo hints = {.ai_flags = AI_NUMERICHOST | AI_PASSIVE,
                             .ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    char service[16];
    if (server->listener_count == LISTENERS_MAX)
        return jobq_fail(err, JOBQ_LIMIT, "more than '%d' listeners", LISTENERS_MAX);
    snprintf(service, sizeof service, "%d", port);
    if (port < 0 || port > 65535 || getaddrinfo(host, service, &hints, &found) != 0)
        return jobq_fail(err, JOBQ_INVALID, "'%s' port '%d' is not an address", host,
                         port);
    int one = 1;
    int fd = socket(found->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) != 0 ||
        bind(fd, found->ai_addr, found->ai_addrlen) != 0 || listen(fd, 1024) != 0) {
        int code = listen_failed(host, port, err);
        if (fd >= 0)
            close(fd);
        freeaddrinfo(found);
        return code;
    }
    freeaddrinfo(found);
    struct listener *listener = &server->listener[server->listener_count++];
    listener->fd = fd;
    listener->event = event_new(loop_base(server->loop), fd, EV_READ | EV_PERSIST,
                                on_acceptable, server);
    event_add(listener->event, NULL);
    return bound_port(fd);
}

void http_server_on_commit(struct http_server *server, loop_fn *commit, void *ctx)
{
    server->commit = commit;
    server->commit_ctx = ctx;
}

int http_server_connections(const struct http_server *server)
{
    return server->connections;
}

int64_t http_server_buffer_bytes(const struct http_server *server)
{
    return server->held;
}

int64_t http_server_evicted(const struct http_server *server)
{
    return server->evicted;
}
