#include "live/page/board.h"

#include "base/arena.h"
#include "base/text.h"
#include "jobq/units.h"
#include "net/http_server.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

enum { PAGES_MAX = 128 };

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
    struct page_token token;
    const char *allowed; /* names by comma; NULL: none */
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

/* A browser takes the second: any name, and the token as the password. */
#define ASK                                                                              \
    "WWW-Authenticate: Bearer realm=\"jobq\"\r\n"                                        \
    "WWW-Authenticate: Basic realm=\"jobq\", charset=\"UTF-8\"\r\n"

/* The host of "HOST", "HOST:PORT", "[HOST]" or "[HOST]:PORT". */
static struct jobq_str host_of(struct jobq_str value)
{
    const char *end = value.ptr + value.len;
    if (value.len > 0 && value.ptr[0] == '[') {
        const char *close = memchr(value.ptr, ']', (size_t)value.len);
        return close ? (struct jobq_str){value.ptr + 1, close - value.ptr - 1} : value;
    }
    const char *colon = value.len ? memchr(value.ptr, ':', (size_t)value.len) : NULL;
    return (struct jobq_str){value.ptr, (colon ? colon : end) - value.ptr};
}

static bool host_is(struct jobq_str host, const char *name, size_t len)
{
    return host.len == (int64_t)len && strncasecmp(host.ptr, name, len) == 0;
}

/* Decimal with dots and all of it, since "127.example.org" is a name. */
static bool host_is_loopback(struct jobq_str host)
{
    char text[48];
    struct in_addr v4;
    struct in6_addr v6;
    if (host_is(host, "localhost", 9))
        return true;
    if (host.len == 0 || host.len >= (int64_t)sizeof text)
        return false;
    memcpy(text, host.ptr, (size_t)host.len);
    text[host.len] = '\0';
    if (inet_pton(AF_INET, text, &v4) == 1)
        return ntohl(v4.s_addr) >> 24 == 127;
    return inet_pton(AF_INET6, text, &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
}

static bool host_is_ours(const struct board *b, struct jobq_str value)
{
    struct jobq_str host = host_of(value);
    if (host_is_loopback(host))
        return true;
    for (const char *name = b->allowed; name && *name; name += strspn(name, ", ")) {
        size_t len = strcspn(name, ", ");
        if (len && host_is(host, name, len))
            return true;
        name += len;
    }
    return false;
}

static void on_request(void *ctx, struct http_exchange *x,
                       const struct http_request *request)
{
    struct board *b = ctx;
    bool head = str_is(request->method, "HEAD");
    struct http_reply reply = {.content_type = STR("text/plain; charset=utf-8"),
                               .headers = STR(GUARD),
                               .no_body = head};
    struct page *page = find(b, request->path);
    bool health = str_is(request->path, "/healthz");
    if (!health && !b->token.needed && !host_is_ours(b, http_header(request, "host"))) {
        reply.status = 421;
        reply.body = STR("this page is not known by that name; see --allow-host\n");
    } else if (!health &&
               !page_token_accepts(&b->token, http_header(request, "authorization"))) {
        reply.status = 401;
        reply.headers = STR(GUARD ASK);
        reply.body = STR("this page wants its token\n");
    } else if (!head && !str_is(request->method, "GET")) {
        reply.status = 405;
        reply.headers = STR(GUARD "Allow: GET, HEAD\r\n");
        reply.body = STR("only GET and HEAD\n");
    } else if (health) {
        reply.status = healthy(b, page) ? 200 : 503;
        reply.body = healthy(b, page) ? text_str(&page->bytes) : STR("stale\n");
    } else if (page) {
        reply.status = 200;
        reply.content_type = str_of(page->content_type);
        reply.body = text_str(&page->bytes);
    } else {
        bool soon = str_is(request->path, "/") || str_is(request->path, "/status.json") ||
                    str_is(request->path, "/metrics");
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

int board_listen(struct jobq_board *board, const char *address_port, int64_t health_ns,
                 struct jobq_error *err)
{
    struct board *b = self(board);
    /* A monitor must get through to "/healthz" past any number of clients that never finish. */
    struct http_limits limits = {.connections = 256,
                                 .newest_first = true,
                                 .request_ns = 3 * JOBQ_NS_PER_S,
                                 .idle_ns = 20 * JOBQ_NS_PER_S};
    char host[64];
    int port;
    if (split(address_port, host, &port, err) < 0)
        return err->code;
    b->health_ns = health_ns;
    if (!b->server)
        b->server = http_server_new(b->loop, &limits, on_request, b);
    return http_server_listen(b->server, host, port, err);
}

void board_guard(struct jobq_board *board, const struct page_token *token)
{
    self(board)->token = *token;
}

void board_allow(struct jobq_board *board, const char *names)
{
    self(board)->allowed = names;
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
