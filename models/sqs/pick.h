/* pick.h - choosing the messages of a receive, and giving them.
 *
 * Room:     models, facts; of the SQS model alone.
 * Callers:  models/sqs/wait.c.
 * Knows nothing of: how long a receive waits. */
#ifndef JOBQ_MODELS_SQS_PICK_H
#define JOBQ_MODELS_SQS_PICK_H

#include "models/sqs/impl.h"

/* The slots, at most max (1..10), that a receive of a settled queue finds. They stay where
 * they are; what was received too often moves to its dead-letter queue. */
int sqs_pick(struct sqs *s, struct sqs_queue *q, int max, bool long_poll, double u,
             uint32_t *out);
/* Delivers what was picked: new receipts, hidden for visibility_ns. */
void sqs_give(struct sqs *s, struct sqs_queue *q, const uint32_t *slot, int count,
              int64_t visibility_ns, double u, int64_t now);

#endif
