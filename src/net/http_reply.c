/* http_reply.c - writes replies. See http_server.h.
 *
 * Room:     src/net, a tool.
 * Callers:  handlers, through http_server.h.
 * Knows nothing of: sockets' events. */
#include "net/http_int.h"

#include "jobq/units.h"

#include <assert.h>
#include <netdb.h>
#include <sys/socket.h>

static void put_head(struct text *out, const struct http_reply *reply, int64_t length,
                     bool close)
{
    if (reply->status == 200) {
        text_put(out, "HTTP/1.1 200 OK\r\n", 17);
    } else {
        text_puts(out, "HTTP/1.1 ");
        text_put_int(out, reply->status);
        text_putc(out, ' ');
        text_puts(out, http_status_text(reply->status));
        text_puts(out, "\r\n");
    }
    if (reply->content_type.len > 0) {
        text_put(out, "Content-Type: ", 14);
        text_put_str(out, reply->content_type);
        text_put(out, "\r\n", 2);
    }
    text_put(out, "Content-Length: ", 16);
    text_put_int(out, length);
    text_put(out, "\r\n", 2);
    if (reply->headers.len > 0)
        text_put_str(out, reply->headers);
    if (close)
        text_puts(out, "Connection: close\r\n");
    else if (reply->say_keep_alive)
        text_puts(out, "connection: keep-alive\r\n");
    text_put(out, "\r\n", 2);
}

static void end_exchange(struct http_exchange *x)
{
    struct connection *c = x->connection;
    x->open = false;
    x->gone = NULL;
    http_recount(c);
    c->since_ns = loop_now_ns();
    if (x->close_after || c->eof)
        c->closing = true;
    http_mark_dirty(c);
    http_sweep_soon(c->server);
}

int64_t http_reply(struct http_exchange *x, const struct http_reply *reply)
{
    struct connection *c = x->connection;
    assert(x->open);
    x->close_after = x->close_after || reply->close;
    size_t before = c->out.len;
    put_head(&c->out, reply, reply->body.len, x->close_after);
    if (!reply->no_body && !x->head && reply->body.len > 0)
        text_put_str(&c->out, reply->body);
    int64_t bytes = (int64_t)(c->out.len - before);
    end_exchange(x);
    return bytes;
}

int64_t http_reply_bytes(const struct http_reply *reply)
{
    assert(reply && reply->status >= 100 && reply->status < 600);
    struct text head = {0};
    put_head(&head, reply, reply->body.len, reply->close);
    int64_t bytes = (int64_t)head.len + (reply->no_body ? 0 : reply->body.len);
    text_release(&head);
    return bytes;
}

void http_stream(struct http_exchange *x, struct jobq_str content_type,
                 struct jobq_str headers)
{
    struct connection *c = x->connection;
    assert(x->open && content_type.len > 0);
    x->close_after = true;
    text_puts(&c->out, "HTTP/1.1 200 OK\r\nContent-Type: ");
    text_put_str(&c->out, content_type);
    text_puts(&c->out, "\r\n");
    text_put_str(&c->out, headers);
    text_puts(&c->out, "Connection: close\r\n\r\n");
    http_recount(c);
    http_mark_dirty(c);
}

bool http_stream_put(struct http_exchange *x, struct jobq_str bytes, int64_t unsent_max)
{
    struct connection *c = x->connection;
    assert(x->open && x->close_after);
    if ((int64_t)c->out.len - c->sent + bytes.len > unsent_max)
        return false;
    text_put_str(&c->out, bytes);
    http_recount(c);
    http_mark_dirty(c);
    return true;
}

void http_drop(struct http_exchange *x)
{
    assert(x->open);
    x->open = false;
    x->gone = NULL;
    http_kill(x->connection);
}

void http_on_gone(struct http_exchange *x, http_gone_fn *gone, void *ctx)
{
    assert(x->open);
    x->gone = gone;
    x->gone_ctx = ctx;
}

const char *http_peer(const struct http_exchange *x)
{
    struct connection *c = x->connection;
    struct sockaddr_storage address;
    socklen_t len = sizeof address;
    if (c->peer[0] == '\0' && !c->dead &&
        getpeername(c->fd, (struct sockaddr *)&address, &len) == 0) {
        if (address.ss_family == AF_UNIX)
            return "unix";
        getnameinfo((struct sockaddr *)&address, len, c->peer, sizeof c->peer, NULL, 0,
                    NI_NUMERICHOST);
    }
    return c->peer;
}

bool http_is_local(const struct http_exchange *x)
{
    const char *peer = http_peer(x);
    return strncmp(peer, "127.", 4) == 0 || strcmp(peer, "::1") == 0 ||
           strcmp(peer, "unix") == 0;
}
