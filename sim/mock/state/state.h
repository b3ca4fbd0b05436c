/* state.h - --state FILE: what was acknowledged survives kill -9.
 *
 * Room:     sim/mock.
 * Callers:  mock.c (opens, closes, new regions), the services behind an action that wrote,
 *           boxes.c behind what EC2 did by itself.
 * Knows nothing of: protocols, sockets.
 * Blocks:   on the disk, once a turn at most.
 *
 * The file is a SQLite database in WAL mode that holds an image of each queue, message,
 * domain, row, table, item and box, written where it changes. One transaction a turn of the loop, which
 * ends before the turn's replies leave (http_server_on_commit): a client that has an
 * answer has it on file. What a crash of the machine may cost is what the kernel had not
 * written yet (synchronous=NORMAL). A file that cannot be written ends the process before
 * the replies of that turn.
 *
 * Not kept: the bill, faults, processes of --boxes. */
#ifndef JOBQ_SIM_MOCK_STATE_STATE_H
#define JOBQ_SIM_MOCK_STATE_STATE_H

#include "sim/mock/server/mock.h"

struct mock_state;

/* Opens or makes the file, restores what it holds into mock and moves mock's clock to
 * where it stood, if that is later than the present. NULL with err filled: CONFLICT: in
 * use by another process; INVALID: not such a file (which is left as it is), or
 * of another version, --seed or --account. */
struct mock_state *state_open(struct mock *mock, const char *file,
                              struct jobq_error *err);
/* Commits and closes; NULL: nothing. */
void state_close(struct mock_state *state);
/* What http_server_on_commit calls; ctx: a struct mock_state. */
void state_commit(void *ctx);

/* Each of these notes a change; state NULL: nothing. */
void state_clock(struct mock_state *state);
void state_region(struct mock_state *state, const struct mock_region *region);
/* A queue of this name was made, changed or deleted. Its messages need no call. */
void state_queue(struct mock_state *state, const struct mock_region *region,
                 struct jobq_str name);
/* The queue was purged or deleted: nothing of its messages is remembered. */
void state_forget(struct mock_state *state, const struct mock_region *region, int queue);
/* A message-move task was started or cancelled. What tasks move needs no call. */
void state_moves(struct mock_state *state, const struct mock_region *region);
/* A domain was made or deleted. */
void state_domain(struct mock_state *state, const struct mock_region *region,
                  struct jobq_str name);
void state_row(struct mock_state *state, const struct mock_region *region, int domain,
               struct jobq_str item);
/* A table of DynamoDB was made, changed or deleted. */
void state_table(struct mock_state *state, const struct mock_region *region,
                 struct jobq_str name);
/* An item of DynamoDB was written or deleted; `key` may have more attributes. */
void state_item(struct mock_state *state, const struct mock_region *region, int table,
                const struct dynamodb_item *key);
void state_box(struct mock_state *state, struct mock_region *region, int32_t instance);
/* Boxes that are not on file yet. */
/* A launch template or the like has this query string now; {NULL, 0}: is gone. */
void state_resource(struct mock_state *state, const struct mock_region *region, int kind,
                    const char *id, struct jobq_str query);
void state_new_boxes(struct mock_state *state, struct mock_region *region);
/* All is forgotten but the regions. */
void state_reset(struct mock_state *state);

#endif
