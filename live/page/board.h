/* board.h - the board port: the last bytes posted under each path, and their server.
 *
 * Room:     live, the network world.
 * Callers:  live/world/live.c, jobq serve and drain --serve, libjobq.
 * Knows nothing of: what the pages show, what actions do.
 * Blocks:   never: a handler answers from what was last posted. What was not posted is asked
 *           of the product's fibers (take), and meanwhile the reader waits.
 *
 * Who is let in: live/page/guard.h. "/healthz" tells no more than its status and is for
 * everybody (a load balancer has no token); it answers 200 while its own post, which the page
 * makes when the queue has answered, is younger than health_ns. Readers that follow "/events"
 * get each post of it as a server-sent event. Actions are few: a burst of ACTIONS_BURST, then
 * one each ACTION_EVERY_NS, else 429. */
#ifndef JOBQ_LIVE_PAGE_BOARD_H
#define JOBQ_LIVE_PAGE_BOARD_H

#include "jobq/ports.h"
#include "live/page/guard.h"
#include "net/loop.h"

enum {
    BOARD_STREAMS_MAX = 600,
    BOARD_ASKED_MAX = 64,
    BOARD_ACTIONS_BURST = 20,
    BOARD_ACTION_EVERY_S = 3
};

/* sched: of the fibers that take requests. */
struct jobq_board *board_new(struct loop *loop, struct fiber_sched *sched);
void board_free(struct jobq_board *board);
/* Serve at "ADDRESS:PORT" (port 0: a free one). Returns the port; INVALID: not such a text,
 * or no address; CONFLICT: in use; DENIED. */
int board_listen(struct jobq_board *board, const char *address_port, int64_t health_ns,
                 struct jobq_error *err);
/* Serve a connected socket, whose other end is this process's own: what is asked there may say
 * in the header X-Jobq-From for whom. Takes fd. */
void board_adopt(struct jobq_board *board, int fd, int64_t health_ns);
/* From now on these rules hold; guard is copied, its names live on. refused (NULL:
 * nobody) is called for each action that was refused: who asked, for which path, and
 * why. */
typedef void board_refused_fn(void *ctx, const char *from, struct jobq_str path,
                              const char *why);
void board_guard(struct jobq_board *board, const struct guard *guard,
                 board_refused_fn *refused, void *ctx);
/* Whether only this machine reaches "ADDRESS:PORT". INVALID: it is none. */
int board_check(const char *address_port, bool *local, struct jobq_error *err);

#endif
