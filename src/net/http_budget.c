/* http_budget.c - the limit on what all connections hold together.
 *
 * Room:     src/net, a tool.
 * Callers:  http_server.c.
 * Knows nothing of: requests.
 *
 * Each connection's buffers are bounded; that many times their number is more than a machine
 * has. Past the budget the largest connection ends, and so on: who holds little (a waiting
 * long poll, a small request) is never asked. The search is linear, and only made
 * then. */
#include "net/http_int.h"

#include "base/arena.h"

#include <stdlib.h>

/* Of equals the oldest: new connections are at the front of the list. */
static struct connection *http_largest(const struct http_server *server)
{
    struct connection *most = NULL;
    for (struct connection *c = server->first; c; c = c->next)
        if (!c->dead && c->counted > 0 && (!most || c->counted >= most->counted))
            most = c;
    return most;
}

static void drop_request(struct connection *c)
{
    free(c->in);
    c->in = NULL;
    c->in_len = c->in_cap = 0;
}

void http_evict(struct connection *c)
{
    bool half =
        c->in_len > 0 && !c->x.open && !c->closing && c->sent == (int64_t)c->out.len;
    c->server->evicted++;
    if (half) {
        http_refuse(c, 503);
    } else {
        if (c->x.open)
            http_client_gone(c);
        http_kill(c);
    }
    drop_request(c);
    http_recount(c);
}

bool http_make_room(struct connection *c, int64_t more)
{
    struct http_server *server = c->server;
    while (server->held + more > server->limits.total_bytes) {
        struct connection *most = http_largest(server);
        if (!most || most == c || most->counted < c->counted + more)
            return false;
        http_evict(most);
    }
    return true;
}

void http_trim(struct http_server *server)
{
    while (http_is_over(server)) {
        struct connection *most = http_largest(server);
        if (!most)
            return;
        http_evict(most);
    }
}
