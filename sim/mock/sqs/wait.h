/* wait.h - receives that wait for their messages.
 *
 * Room:     sim/mock.
 * Callers:  sim/mock/sqs/receive.c parks, sim/mock/sqs/actions.c and mock.c wake.
 * Knows nothing of: what a reply looks like (sim/mock/sqs/receive.c writes it).
 *
 * A client that goes away takes its waiter out of the model before anything is granted to
 * it, so that no message is hidden for a dead connection. */
#ifndef JOBQ_SIM_MOCK_SQS_WAIT_H
#define JOBQ_SIM_MOCK_SQS_WAIT_H

#include "models/sqs/sqs.h"
#include "sim/mock/server/mock.h"

/* Which system attributes a receive asked for, one bit each, in the order of
 * sim/mock/sqs/receive.c's table. */
struct mock_wanted {
    unsigned system;
    struct jobq_str
        *name; /* of message attributes; "All", ".*" and "prefix.*" as given */
    int name_count;
};

struct mock_waits *mock_wait_new(void);
/* The exchanges are not answered: free the server first. */
void mock_wait_free(struct mock_waits *waits);

/* A free cookie, to be given to sqs_receive. */
uint64_t mock_wait_cookie(struct mock_waits *waits);
/* The model said "waiting": keep what is needed to answer later. */
void mock_wait_park(struct call *call, uint64_t cookie, int queue,
                    const struct mock_wanted *wanted);
/* Answer what the region's model has granted. */
void mock_wait_drain(struct mock *mock, struct mock_region *region);
/* How many wait. */
int mock_wait_count(const struct mock_waits *waits);

#endif
