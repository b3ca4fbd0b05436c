/* receive.h - ReceiveMessage: what a client asks for, its reply, and those that wait.
 *
 * Room:     sim/mock.
 * Callers:  sim/mock/sqs, mock.c, process.c, control.c.
 * Knows nothing of: which messages a receive gets.
 *
 * A client that goes away takes its waiter out of the model before anything is granted to
 * it, so that no message is hidden for a dead connection. */
#ifndef JOBQ_SIM_MOCK_SQS_RECEIVE_H
#define JOBQ_SIM_MOCK_SQS_RECEIVE_H

#include "models/sqs/sqs.h"
#include "sim/mock/server/mock.h"

struct mock_waits *mock_wait_new(void);
/* The exchanges are not answered: free the server first. */
void mock_wait_free(struct mock_waits *waits);
/* Answer what the region's model has granted. */
void mock_wait_drain(struct mock *mock, struct mock_region *region);
/* How many wait. */
int mock_wait_count(const struct mock_waits *waits);

/* FIFO's SequenceNumber of a message; out: 24 bytes. 20 digits that grow with the id;
 * AWS's begin with 188 too. */
void mock_receive_sequence(uint64_t id, char out[24]);

#endif
