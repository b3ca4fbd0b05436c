/* peers.h - how the drainers of one box find each other.
 *
 * Room:     live, the network world.
 * Callers:  jobq drain, jobq serve.
 * Knows nothing of: AWS, pages.
 * Blocks:   never.
 *
 * A drainer answers on a datagram socket whose name, in the abstract name space, holds its
 * queue and pid: no file is left by one that is killed, and the kernel lists who is there. Who
 * shows a page asks all of its queue every few seconds. "Box" is what shares a network name
 * space. Anybody on the box may ask; an answer counts only if root or the asker's own user gave
 * it (SCM_CREDENTIALS), so that no other user can put a drainer on the page. A drainer of
 * another user is shown by its statistics row. */
#ifndef JOBQ_LIVE_PAGE_PEERS_H
#define JOBQ_LIVE_PAGE_PEERS_H

#include "fleet/status/status.h"
#include "net/loop.h"

enum { PEERS_HEARD_MAX = 32 };

struct peers;

struct peers *peers_new(struct loop *loop, const char *queue);
void peers_free(struct peers *peers); /* NULL: nothing */
/* Answer who asks from here on with what fill(ctx, out) fills in. Without a socket to be had
 * nobody finds us, and that is all. */
void peers_answer(struct peers *peers,
                  void (*fill)(void *ctx, struct status_drainer *out), void *ctx);
/* Ask now and every few seconds. */
void peers_ask(struct peers *peers);
/* page_options.peers: those heard of lately, without this process. where: the place of a
 * struct peers *, NULL in it when it is no more. */
int peers_heard(void *where, struct status_drainer *out, int cap, bool *waiting);

#endif
