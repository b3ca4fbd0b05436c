/* peers.h - how the drainers of one box find each other.
 *
 * Room:     live, the network world.
 * Callers:  jobq drain, jobq serve.
 * Knows nothing of: AWS, pages.
 * Blocks:   never.
 *
 * A drainer answers on a datagram socket whose abstract name (unix(7)) holds its queue and pid:
 * one that is killed leaves no file, and the kernel lists those that live. A process that
 * serves a page asks all drainers of its queue every few seconds. "Box" is what shares a network
 * name space. Anybody on the box may ask; an answer counts only if root or the asker's own user gave
 * it (SCM_CREDENTIALS), so that no other user can put a drainer on the page. A drainer of
 * another user is shown by its statistics row. */
#ifndef JOBQ_LIVE_PAGE_PEERS_H
#define JOBQ_LIVE_PAGE_PEERS_H

#include "fleet/status/status.h"
#include "net/loop.h"

enum { PEERS_LISTED_MAX = 32 };

struct peers;

/* box: the id of this box, where it has one: processes that share the network name space with
 * another box are not of it. "": none. */
struct peers *peers_new(struct loop *loop, const char *queue, const char *box);
void peers_free(struct peers *peers); /* NULL: nothing */
/* Answers questions from here on with what fill(ctx, out) fills in. Without a socket to be had
 * other processes do not find this one, and nothing else happens. */
void peers_answer(struct peers *peers,
                  void (*fill)(void *ctx, struct status_drainer *out), void *ctx);
/* Does what another process of root's or of our own user tells this one to: word and number
 * are an operator's (fleet/operate/operate.h), job_id may be "". Before peers_answer. */
typedef void peers_told_fn(void *ctx, int word, int64_t number, const char *job_id);
void peers_obey(struct peers *peers, peers_told_fn *told, void *ctx);
/* Tells the others of this box; returns how many were told. */
int peers_tell(struct peers *peers, int word, int64_t number, struct jobq_str job_id);
/* How many others live, without asking them. */
int peers_left(struct peers *peers);
/* Asks now and every few seconds. */
void peers_ask(struct peers *peers);
/* page_options.peers: those that answered lately, without this process. where: the place of a
 * struct peers *, which holds NULL once it is freed. */
int peers_list(void *where, struct status_drainer *out, int cap, bool *waiting);

#endif
