/* mock_side.h - what a queue has beside its model: tags, permissions, and attributes that
 * change nothing here (encryption, a policy as it was given).
 *
 * Room:     sim/mock.
 * Callers:  the SQS actions, state.c.
 * Knows nothing of: protocols. */
#ifndef JOBQ_MOCK_MOCK_SIDE_H
#define JOBQ_MOCK_MOCK_SIDE_H

#include "sim/mock/mock.h"

/* A list of (key, value) in order of their setting; heap strings. Zero it to init. */
struct pairs {
    struct pair_entry {
        char *key, *value;
    } * at;
    int count, cap;
};
void pairs_release(struct pairs *pairs);
void pairs_set(struct pairs *pairs, struct jobq_str key, struct jobq_str value);
const char *pairs_get(const struct pairs *pairs, struct jobq_str key); /* or NULL */
void pairs_remove(struct pairs *pairs, struct jobq_str key);

struct mock_queue {
    struct pairs tags;
    struct pairs attributes;  /* Policy, KmsMasterKeyId, ... as given */
    struct pairs permissions; /* label: its statement, JSON */
};

struct mock_queues *mock_side_new(void);
void mock_side_free(struct mock_queues *queues);
/* The side of a queue's handle, made if need be. */
struct mock_queue *mock_side(struct mock_queues *queues, int queue);
/* Forget it: the queue was deleted or is new. */
void mock_side_clear(struct mock_queues *queues, int queue);
void mock_side_reset(struct mock_queues *queues);

#endif
