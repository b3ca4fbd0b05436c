/* board.h - the board port: the last bytes posted under each path, and their server.
 *
 * Room:     live, the network world.
 * Callers:  live/world/live.c, jobq serve and drain --serve.
 * Knows nothing of: what the pages show.
 * Blocks:   never: a handler answers from what was last posted.
 *
 * GET and HEAD only. With a token, whoever does not bear it gets 401 and nothing else; but
 * "/healthz", which tells no more than its status, is for everybody (a load balancer has no
 * token). Without a token a request must name this machine in its Host header (127.*, ::1,
 * localhost) or a name that board_allow was given, or it gets 421: a page of elsewhere could
 * else have a browser read ours under a name of its own (DNS rebinding). Who bears a token is not
 * asked for a name: a browser has none for it. "/healthz" answers 200 while its own post, which the page makes when the
 * queue has answered, is younger than health_ns. */
#ifndef JOBQ_LIVE_PAGE_BOARD_H
#define JOBQ_LIVE_PAGE_BOARD_H

#include "jobq/ports.h"
#include "live/page/token.h"
#include "net/loop.h"

struct jobq_board *board_new(struct loop *loop);
void board_free(struct jobq_board *board);
/* Serve at "ADDRESS:PORT" (port 0: a free one). Returns the port; INVALID: not such a text,
 * or no address; CONFLICT: in use; DENIED. */
int board_listen(struct jobq_board *board, const char *address_port, int64_t health_ns,
                 struct jobq_error *err);
/* From now on readers need the token; it is copied. */
void board_guard(struct jobq_board *board, const struct page_token *token);
/* Names, by comma, under which a page without a token may be asked for; names live on. */
void board_allow(struct jobq_board *board, const char *names);
/* Whether only this machine reaches "ADDRESS:PORT". INVALID: it is none. */
int board_check(const char *address_port, bool *local, struct jobq_error *err);

#endif
