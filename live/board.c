#include "live/board.h"

#include "base/arena.h"
#include "base/text.h"
#include "jobq/units.h"
#include "net/http_server.h"

#include <stdio.h>
#include <stdlib.h>

enum { PAGES_MAX = 16 };

struct page {
    char *path, *content_type;
    struct text bytes;
    int64_t posted_ns;
};

struct board {
    struct jobq_board port; /* first */
    struct loop *loop;
    struct http_server *server;
    struct page page[PAGES_MAX];
    int count;
    int64_t health_ns;
};

static struct board *self(struct jobq_board *b)
{
    return (struct board *)b;
}

static struct page *find(struct board *b, struct jobq_str path)
{
    for (int i = 0; i < b->count; i++)
        if (str_is(path, b->page[i].path))
            return &b->page[i];
    return NULL;
}

static void post(struct jobq_board *board, const char *path, const char *content_type,
                 struct jobq_str bytes)
{
    struct board *b = self(board);
    struct page *page = find(b, str_of(path));
    if (!page) {
        if (b->count == PAGES_MAX)
            return;
        page = &b->page[b->count++];
        *page = (struct page){.path = xstrdup(path)};
    }
    free(page->content_type);
    page->content_type = xstrdup(content_type);
    text_clear(&page->bytes);
    text_put_str(&page->bytes, bytes);
    page->posted_ns = loop_now_ns();
}

/* "/healthz" is posted when the services answered, so it is as old as that. */
static bool healthy(const struct board *b, const struct page *page)
{
    return page && loop_now_ns() - page->posted_ns < b->health_ns;
}

/* A page may not be framed, may run no script and load nothing from elsewhere. */
#define GUARD                                                                            \
    "Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n"                     \
    "Referrer-Policy: no-referrer\r\n"                                                   \
    "Content-Security-Policy: default-src 'none'; style-src 'unsafe-inline'; "           \
    "img-src data:; form-action 'self'; frame-ancestors 'none'\r\n"

static void on_request(void *ctx, struct http_exchange *x,
                       const struct http_request *request)
{
    struct board *b = ctx;
    bool head = str_is(request->method, "HEAD");
    struct http_reply reply = {.content_type = STR("text/plain; charset=utf-8"),
                               .headers = STR(GUARD),
                               .no_body = head};
    struct page *page = find(b, request->path);
    if (!head && !str_is(request->method, "GET")) {
        reply.status = 405;
        reply.headers = STR(GUARD "Allow: GET, HEAD\r\n");
        reply.body = STR("only GET and HEAD\n");
    } else if (str_is(request->path, "/healthz")) {
        reply.status = healthy(b, page) ? 200 : 503;
        reply.body = healthy(b, page) ? text_str(&page->bytes) : STR("stale\n");
    } else if (page) {
        reply.status = 200;
        reply.content_type = str_of(page->content_type);
        reply.body = text_str(&page->bytes);
    } else {
        bool soon = str_is(request->path, "/") || str_is(request->path, "/status.json");
        reply.status = soon ? 503 : 404;
        reply.body = soon ? STR("not read yet\n") : STR("no such page\n");
    }
    http_reply(x, &reply);
}

static const struct jobq_board_ops ops = {.name = "board", .post = post};

struct jobq_board *board_new(struct loop *loop)
{
    struct board *b = xcalloc(1, sizeof *b);
    b->port.ops = &ops;
    b->loop = loop;
    return &b->port;
}

int board_listen(struct jobq_board *board, const char *address_port, int64_t health_ns,
                 struct jobq_error *err)
{
    struct board *b = self(board);
    char host[64], shown[80];
    const char *colon = strrchr(address_port, ':');
    int64_t port;
    text_escape(address_port, (int64_t)strlen(address_port), shown, sizeof shown);
    size_t len = colon ? (size_t)(colon - address_port) : 0;
    if (!colon || len == 0 || len >= sizeof host ||
        !str_to_int(str_of(colon + 1), &port) || port < 0 || port > 65535)
        return jobq_fail(err, JOBQ_INVALID, "'%s' is not ADDRESS:PORT", shown);
    bool bracket = address_port[0] == '[' && address_port[len - 1] == ']';
    snprintf(host, sizeof host, "%.*s", (int)(bracket ? len - 2 : len),
             address_port + bracket);
    b->health_ns = health_ns;
    struct http_limits limits = {0};
    if (!b->server)
        b->server = http_server_new(b->loop, &limits, on_request, b);
    return http_server_listen(b->server, host, (int)port, err);
}

bool board_is_local(const char *address_port)
{
    return strncmp(address_port, "127.", 4) == 0 ||
           strncmp(address_port, "[::1]:", 6) == 0 ||
           strncmp(address_port, "::1:", 4) == 0;
}

void board_free(struct jobq_board *board)
{
    struct board *b = self(board);
    if (b->server)
        http_server_free(b->server);
    for (int i = 0; i < b->count; i++) {
        free(b->page[i].path);
        free(b->page[i].content_type);
        text_release(&b->page[i].bytes);
    }
    free(b);
}
