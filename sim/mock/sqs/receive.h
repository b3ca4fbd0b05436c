/* receive.h - ReceiveMessage's reply.
 *
 * Room:     sim/mock.
 * Callers:  sim/mock/sqs/wait.c, when a wait is over. */
#ifndef JOBQ_SIM_MOCK_SQS_RECEIVE_H
#define JOBQ_SIM_MOCK_SQS_RECEIVE_H

#include "models/sqs/sqs.h"
#include "sim/mock/sqs/wait.h"

/* Writes the messages into call->out and counts them for the meter. */
void mock_receive_write(struct call *call, int queue, const struct mock_wanted *wanted,
                        const struct sqs_received *received);
/* FIFO's SequenceNumber of a message; out: 24 bytes. 20 digits that grow with the id;
 * AWS's begin with 188 too. */
void mock_receive_sequence(uint64_t id, char out[24]);

#endif
