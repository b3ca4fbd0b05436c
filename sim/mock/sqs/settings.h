/* settings.h - a queue's attributes: from their names and texts to the model's
 * settings, and back.
 *
 * Room:     sim/mock.
 * Callers:  sim/mock/sqs/queue.c, state.c.
 * Knows nothing of: sockets. */
#ifndef JOBQ_SIM_MOCK_SQS_SETTINGS_H
#define JOBQ_SIM_MOCK_SQS_SETTINGS_H

#include "models/sqs/sqs.h"
#include "sim/mock/server/mock.h"

/* What a call's Attributes say. Views into the call's arena. */
struct mock_given {
    struct sqs_settings settings;
    struct jobq_str redrive; /* the policy as it came */
    struct jobq_str allow[SQS_ALLOW_MAX];
    struct jobq_str verbatim_name[8], verbatim_value[8];
    int verbatim_count;
};

/* Reads the map; -1 with call->error filled. */
int mock_settings_read(struct call *call, const struct tree *map, struct mock_given *out);
/* What the model has against them: its fault, the policy put into the text. CALL_FAILED. */
enum call_end mock_settings_fault(struct call *call, const struct mock_given *given,
                                  enum sqs_fault fault, const char *text);
/* Keep the verbatim ones as the queue's notes. */
void mock_settings_keep(struct mock_region *region, int queue,
                        const struct mock_given *given);

/* Calls put for each attribute that GetQueueAttributes(All) shows, in AWS's order. */
typedef void mock_settings_fn(void *ctx, const char *name, struct jobq_str value);
void mock_settings_show(struct mock *mock, struct mock_region *region, int queue,
                        const struct sqs_queue_info *info, mock_settings_fn *put,
                        void *ctx);
/* True: an attribute that GetQueueAttributes can be asked for. */
bool mock_settings_knows(struct jobq_str name);

#endif
