/* guard.h - may this request be answered?
 *
 * Room:     live, the network world.
 * Callers:  live/page/board.c, tests, the fuzzer.
 * Knows nothing of: pages, actions, sockets.
 * Blocks:   never.
 *
 * Reading. With a token, a request without it gets 401 and nothing else. Without one a
 * request must name this machine in its Host header (127.*, ::1, localhost) or a name that is
 * allowed, or it gets 421: a page of elsewhere could else have a browser read ours under a
 * name of its own (DNS rebinding). Who bears a token is not asked for a name: a browser has
 * none for it.
 *
 * Acting. A POST needs the token, on loopback too, in its Authorization header or as the
 * form's field "token" (for curl), and must come from the page itself or from no page at
 * all: Sec-Fetch-Site same-origin or none, or where a browser sends none, an Origin that is
 * the Host. So no page of elsewhere can act with what a browser knows. */
#ifndef JOBQ_LIVE_PAGE_GUARD_H
#define JOBQ_LIVE_PAGE_GUARD_H

#include "live/page/token.h"
#include "net/http_parse.h"

struct guard {
    struct page_token token;
    const char *allowed; /* names by comma; NULL: none */
    bool read_only;      /* no actions for anybody */
};

struct guard_refusal {
    int status; /* 0: let in */
    bool ask;   /* for the token */
    bool allow; /* say which methods there are */
    const char *text;
};
/* For any path but "/healthz", which is for everybody. */
struct guard_refusal guard_check(const struct guard *guard,
                                 const struct http_request *request);

/* The value of a form's field as it was sent, still encoded; {NULL, 0}: not there. */
struct jobq_str guard_field(struct jobq_str form, const char *name);

#endif
