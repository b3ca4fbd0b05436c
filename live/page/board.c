#include "live/page/board.h"

#include "base/arena.h"
#include "base/text.h"
#include "fiber/fiber.h"
#include "jobq/units.h"
#include "net/http_server.h"

#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>

enum { PAGES_MAX = 160, FROM_MAX = 64 };
/* A reader that does not take its events is dropped at so many. */
#define STREAM_UNSENT_MAX (64 * JOBQ_KIB)
#define ACTION_EVERY_NS (BOARD_ACTION_EVERY_S * JOBQ_NS_PER_S)

struct page {
    char *path, *content_type;
    int status;
    struct text bytes;
    int64_t posted_ns;
};

/* A request that the product is to answer. */
struct asked {
    struct asked *next;
    struct board *board;
    struct http_exchange *x; /* NULL: the reader has gone */
    int64_t handle;
    bool taken, action;
    char from[FROM_MAX];
    char *path, *form;
};

struct stream {
    struct stream *next;
    struct board *board;
    struct http_exchange *x;
};

struct board {
    struct jobq_board port; /* first */
    struct loop *loop;
    struct fiber_sched *sched;
    struct http_server *server;
    struct page page[PAGES_MAX];
    int count;
    int64_t health_ns;
    struct guard guard;
    board_refused_fn *refused;
    void *refused_ctx;
    struct asked *asked; /* oldest first */
    int asked_count;
    int64_t handles;
    bool takes; /* somebody does */
    struct fiber_cond asks;
    struct stream *stream;
    int stream_count;
    int64_t actions_from_ns; /* the bucket: full at this time or before */
};

static struct board *self(struct jobq_board *b)
{
    return (struct board *)b;
}

/* A page may not be framed, and loads, runs and asks for nothing but what is ours. */
#define GUARD                                                                            \
    "Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n"                     \
    "Referrer-Policy: no-referrer\r\n"                                                   \
    "Content-Security-Policy: default-src 'none'; style-src 'self'; "                    \
    "script-src 'self'; connect-src 'self'; img-src data:; form-action 'self'; "         \
    "base-uri 'none'; frame-ancestors 'none'\r\n"

/* A browser takes the second: any name, and the token as the password. */
#define ASK                                                                              \
    "WWW-Authenticate: Bearer realm=\"jobq\"\r\n"                                        \
    "WWW-Authenticate: Basic realm=\"jobq\", charset=\"UTF-8\"\r\n"

/* ---- what was posted ----------------------------------------------------------------- */

static struct page *find(struct board *b, struct jobq_str path)
{
    for (int i = 0; i < b->count; i++)
        if (str_is(path, b->page[i].path))
            return &b->page[i];
    return NULL;
}

static void stream_end(struct board *b, struct stream *stream)
{
    struct stream **at = &b->stream;
    while (*at != stream)
        at = &(*at)->next;
    *at = stream->next;
    b->stream_count--;
    free(stream);
}

static bool stream_gone(void *ctx)
{
    struct stream *stream = ctx;
    stream_end(stream->board, stream);
    return false;
}

/* Also how a reader begins, with the last one. */
static bool stream_send(struct stream *stream, const struct page *page)
{
    struct text event = {0};
    text_puts(&event, "data: ");
    text_put_str(&event, text_str(&page->bytes));
    text_puts(&event, "\n\n");
    bool taken = http_stream_put(stream->x, text_str(&event), STREAM_UNSENT_MAX);
    text_release(&event);
    return taken;
}

static void stream_all(struct board *b, const struct page *page)
{
    for (struct stream *next, *stream = b->stream; stream; stream = next) {
        next = stream->next;
        if (stream_send(stream, page))
            continue;
        http_drop(stream->x);
        stream_end(b, stream);
    }
}

static void post(struct jobq_board *board, const char *path, int status,
                 const char *content_type, struct jobq_str bytes)
{
    struct board *b = self(board);
    struct page *page = find(b, str_of(path));
    if (!page) {
        if (b->count == PAGES_MAX)
            return;
        page = &b->page[b->count++];
        *page = (struct page){.path = xstrdup(path)};
    }
    if (!page->content_type || strcmp(page->content_type, content_type) != 0) {
        free(page->content_type);
        page->content_type = xstrdup(content_type);
    }
    page->status = status;
    text_clear(&page->bytes);
    text_put_str(&page->bytes, bytes);
    page->posted_ns = loop_now_ns();
    if (strcmp(path, "/events") == 0)
        stream_all(b, page);
}

/* "/healthz" is posted when the services answered, so it is as old as that. */
static bool healthy(const struct board *b, const struct page *page)
{
    return page && loop_now_ns() - page->posted_ns < b->health_ns;
}

static void follow(struct board *b, struct http_exchange *x, const struct page *page)
{
    struct stream *stream = xcalloc(1, sizeof *stream);
    *stream = (struct stream){.next = b->stream, .board = b, .x = x};
    b->stream = stream;
    b->stream_count++;
    http_stream(x, STR("text/event-stream"), STR(GUARD));
    http_on_gone(x, stream_gone, stream);
    if (page)
        stream_send(stream, page);
}

/* ---- what the product answers ---------------------------------------------------------- */

static void asked_free(struct asked *asked)
{
    free(asked->path);
    free(asked->form);
    free(asked);
}

static bool asked_gone(void *ctx)
{
    struct asked *asked = ctx;
    asked->x = NULL; /* the answer then goes nowhere */
    return false;
}

static char *copied(struct jobq_str s)
{
    char *out = xcalloc(1, (size_t)s.len + 1);
    if (s.len)
        memcpy(out, s.ptr, (size_t)s.len);
    return out;
}

/* The form without its token, which no log may get to see. */
static char *form_of(struct jobq_str form)
{
    char *out = copied(form);
    struct jobq_str token = guard_field((struct jobq_str){out, form.len}, "token");
    if (token.ptr)
        memset(out + (token.ptr - out), 'x', (size_t)token.len);
    return out;
}

/* Who asks. Only this process itself connects by a local socket (board_adopt). */
static void name_peer(char out[FROM_MAX], const struct http_exchange *x,
                      const struct http_request *request)
{
    struct jobq_str from = http_header(request, "x-jobq-from");
    if (from.ptr && strcmp(http_peer(x), "unix") == 0)
        text_escape(from.ptr, from.len, out, FROM_MAX);
    else
        snprintf(out, FROM_MAX, "%s", http_peer(x));
}

static void ask(struct board *b, struct http_exchange *x,
                const struct http_request *request)
{
    struct asked *asked = xcalloc(1, sizeof *asked), **at = &b->asked;
    asked->board = b;
    asked->x = x;
    asked->handle = b->handles++;
    asked->action = str_is(request->method, "POST");
    asked->path = copied(request->path);
    asked->form = form_of(asked->action ? request->body : request->query);
    name_peer(asked->from, x, request);
    while (*at)
        at = &(*at)->next;
    *at = asked;
    b->asked_count++;
    http_on_gone(x, asked_gone, asked);
    fiber_cond_signal(&b->asks);
    loop_hurry(b->loop);
}

static int take(struct jobq_board *board, struct arena *arena, struct jobq_question *out,
                struct jobq_error *err)
{
    struct board *b = self(board);
    struct asked *asked;
    (void)err;
    b->takes = true;
    do {
        for (asked = b->asked; asked && asked->taken; asked = asked->next)
            ;
        if (!asked)
            fiber_cond_wait(b->sched, &b->asks, JOBQ_FOREVER);
    } while (!asked);
    asked->taken = true;
    *out = (struct jobq_question){.handle = asked->handle,
                                  .action = asked->action,
                                  .path = str_of(arena_cstr(arena, asked->path)),
                                  .form = str_of(arena_cstr(arena, asked->form)),
                                  .from = str_of(arena_cstr(arena, asked->from))};
    return JOBQ_OK;
}

static void answer(struct jobq_board *board, int64_t handle, const struct jobq_answer *a)
{
    struct board *b = self(board);
    struct asked **at = &b->asked;
    while (*at && (*at)->handle != handle)
        at = &(*at)->next;
    struct asked *asked = *at;
    if (!asked)
        return;
    *at = asked->next;
    b->asked_count--;
    if (asked->x) {
        struct text headers = {0};
        text_puts(&headers, GUARD);
        if (a->location)
            text_printf(&headers, "Location: %s\r\n", a->location);
        struct http_reply reply = {.status = a->status,
                                   .content_type = str_of(a->content_type),
                                   .headers = text_str(&headers),
                                   .body = a->bytes};
        http_reply(asked->x, &reply);
        text_release(&headers);
    }
    asked_free(asked);
}

/* A bucket of BOARD_ACTIONS_BURST, filled by one each ACTION_EVERY_NS. */
static bool may_act(struct board *b)
{
    int64_t now_ns = loop_now_ns(),
            full_ns = now_ns - (BOARD_ACTIONS_BURST - 1) * ACTION_EVERY_NS;
    if (b->actions_from_ns > now_ns)
        return false;
    if (b->actions_from_ns < full_ns)
        b->actions_from_ns = full_ns;
    b->actions_from_ns += ACTION_EVERY_NS;
    return true;
}

/* ---- requests ---------------------------------------------------------------------------- */

static void refuse(struct board *b, struct http_exchange *x,
                   const struct http_request *request,
                   const struct guard_refusal *refusal)
{
    struct http_reply reply = {.status = refusal->status,
                               .content_type = STR("text/plain; charset=utf-8"),
                               .headers = refusal->ask ? STR(GUARD ASK)
                                          : refusal->allow
                                              ? STR(GUARD "Allow: GET, HEAD, POST\r\n")
                                              : STR(GUARD),
                               .body = str_of(refusal->text)};
    if (b->refused && str_is(request->method, "POST")) {
        char from[FROM_MAX];
        name_peer(from, x, request);
        b->refused(b->refused_ctx, from, request->path, refusal->text);
    }
    http_reply(x, &reply);
}

static void on_request(void *ctx, struct http_exchange *x,
                       const struct http_request *request)
{
    struct board *b = ctx;
    struct http_reply reply = {.content_type = STR("text/plain; charset=utf-8"),
                               .headers = STR(GUARD)};
    struct page *page = find(b, request->path);
    bool action = str_is(request->method, "POST");
    if (str_is(request->path, "/healthz") && !action) {
        reply.status = healthy(b, page) ? 200 : 503;
        reply.body = healthy(b, page) ? text_str(&page->bytes) : STR("stale\n");
        http_reply(x, &reply);
        return;
    }
    struct guard_refusal refusal = guard_check(&b->guard, request);
    if (!refusal.status && action && !may_act(b))
        refusal =
            (struct guard_refusal){.status = 429, .text = "too many actions: wait\n"};
    if (refusal.status) {
        refuse(b, x, request, &refusal);
        return;
    }
    bool soon = !action &&
                (str_is(request->path, "/") || str_is(request->path, "/status.json") ||
                 str_is(request->path, "/status.txt") ||
                 str_is(request->path, "/metrics") || str_is(request->path, "/readyz"));
    if (!action && str_is(request->path, "/events") && str_is(request->method, "GET") &&
        b->stream_count < BOARD_STREAMS_MAX) {
        follow(b, x, page);
        return;
    }
    if (!action && str_is(request->path, "/events")) {
        reply.status = 503;
        reply.body = STR("as many readers as can be follow the events: ask again\n");
    } else if (!action && page) {
        reply.status = page->status;
        reply.content_type = str_of(page->content_type);
        reply.body = text_str(&page->bytes);
    } else if (b->takes && !soon && b->asked_count < BOARD_ASKED_MAX) {
        ask(b, x, request);
        return;
    } else if (b->takes && !soon) {
        reply.status = 503;
        reply.body = STR("too many questions at once: ask again\n");
    } else {
        reply.status = soon ? 503 : 404;
        reply.body = soon ? STR("not read yet\n") : STR("no such page\n");
    }
    http_reply(x, &reply);
}

static const struct jobq_board_ops ops = {
    .name = "board", .post = post, .take = take, .answer = answer};

struct jobq_board *board_new(struct loop *loop, struct fiber_sched *sched)
{
    struct board *b = xcalloc(1, sizeof *b);
    b->port.ops = &ops;
    b->loop = loop;
    b->sched = sched;
    return &b->port;
}

/* Cuts "ADDRESS:PORT", an IPv6 address with or without brackets. */
static int split(const char *address_port, char host[64], int *port,
                 struct jobq_error *err)
{
    char shown[80];
    const char *colon = strrchr(address_port, ':');
    int64_t number;
    text_escape(address_port, (int64_t)strlen(address_port), shown, sizeof shown);
    size_t len = colon ? (size_t)(colon - address_port) : 0;
    if (!colon || len == 0 || len >= 64 || !str_to_int(str_of(colon + 1), &number) ||
        number < 0 || number > 65535)
        return jobq_fail(err, JOBQ_INVALID, "'%s' is not ADDRESS:PORT", shown);
    bool bracket = address_port[0] == '[' && address_port[len - 1] == ']';
    snprintf(host, 64, "%.*s", (int)(bracket ? len - 2 : len), address_port + bracket);
    *port = (int)number;
    return JOBQ_OK;
}

int board_check(const char *address_port, bool *local, struct jobq_error *err)
{
    const struct addrinfo hints = {.ai_flags = AI_NUMERICHOST,
                                   .ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    char host[64], shown[80];
    int port;
    if (split(address_port, host, &port, err) < 0)
        return err->code;
    if (getaddrinfo(host, NULL, &hints, &found) != 0)
        return jobq_fail(err, JOBQ_INVALID, "'%s' is no address",
                         text_escape(host, (int64_t)strlen(host), shown, sizeof shown));
    const void *address = found->ai_addr;
    if (found->ai_family == AF_INET)
        *local =
            ntohl(((const struct sockaddr_in *)address)->sin_addr.s_addr) >> 24 == 127;
    else
        *local = found->ai_family == AF_INET6 &&
                 IN6_IS_ADDR_LOOPBACK(&((const struct sockaddr_in6 *)address)->sin6_addr);
    freeaddrinfo(found);
    return JOBQ_OK;
}

static struct http_server *server_of(struct board *b, int64_t health_ns)
{
    /* A monitor must get through to "/healthz" past any number of clients that never finish. */
    struct http_limits limits = {.connections = 256 + BOARD_STREAMS_MAX + BOARD_ASKED_MAX,
                                 .newest_first = true,
                                 .request_ns = 3 * JOBQ_NS_PER_S,
                                 .idle_ns = 20 * JOBQ_NS_PER_S};
    b->health_ns = health_ns;
    if (!b->server)
        b->server = http_server_new(b->loop, &limits, on_request, b);
    return b->server;
}

int board_listen(struct jobq_board *board, const char *address_port, int64_t health_ns,
                 struct jobq_error *err)
{
    char host[64];
    int port;
    if (split(address_port, host, &port, err) < 0)
        return err->code;
    return http_server_listen(server_of(self(board), health_ns), host, port, err);
}

void board_adopt(struct jobq_board *board, int fd, int64_t health_ns)
{
    http_server_adopt(server_of(self(board), health_ns), fd);
}

void board_guard(struct jobq_board *board, const struct guard *guard,
                 board_refused_fn *refused, void *ctx)
{
    struct board *b = self(board);
    b->guard = *guard;
    b->refused = refused;
    b->refused_ctx = ctx;
}

void board_free(struct jobq_board *board)
{
    struct board *b = self(board);
    if (b->server)
        http_server_free(b->server);
    while (b->asked) {
        struct asked *next = b->asked->next;
        asked_free(b->asked);
        b->asked = next;
    }
    for (int i = 0; i < b->count; i++) {
        free(b->page[i].path);
        free(b->page[i].content_type);
        text_release(&b->page[i].bytes);
    }
    free(b);
}
