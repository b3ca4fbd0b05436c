/* actions.h - SQS as jobqmock serves it: its actions by name, in both protocols.
 *
 * Room:     sim/mock.
 * Callers:  route.c; mock_*.c use the helpers.
 * Knows nothing of: sockets, signatures. */
#ifndef JOBQ_SIM_MOCK_SQS_ACTIONS_H
#define JOBQ_SIM_MOCK_SQS_ACTIONS_H

#include "models/sqs/sqs.h"
#include "sim/mock/server/mock.h"

/* Serve one call and answer it, now or (a long poll) later. */
void mock_sqs(struct call *call);
/* True: SQS has an action of this name. */
bool mock_sqs_knows(struct jobq_str action);
/* A FIFO queue's name, which ends in ".fifo". */
bool mock_sqs_is_fifo(struct jobq_str name);

/* call->error from the model's fault; text: the model's, or NULL for the usual one. */
enum call_end mock_sqs_fault(struct call *call, enum sqs_fault fault, const char *text);
/* "The request must contain the parameter NAME." */
enum call_end mock_sqs_missing(struct call *call, const char *name);
/* The queue that the call is for, or -1 with call->error filled. */
int mock_sqs_queue(struct call *call);

/* "Value VALUE for parameter NAME is invalid. Reason: REASON", in the call's arena; and as
 * the call's error. */
char *mock_sqs_invalid_text(const struct call *call, struct jobq_str value,
                            const char *name, const char *reason);
enum call_end mock_sqs_invalid(struct call *call, struct jobq_str value, const char *name,
                               const char *reason);
/* "Unknown Attribute NAME." */
enum call_end mock_sqs_unknown_attribute(struct call *call, struct jobq_str name);
/* A whole number in [low, high]; absent: *out is left and JOBQ_OK returned. Otherwise
 * call->error is filled and -1 returned. */
int mock_sqs_int(struct call *call, const struct tree *in, const char *name, int64_t low,
                 int64_t high, int64_t *out);
/* Step through a map: JSON {key: value}, Query NAME.n.Name, NAME.n.Value (or Key,
 * Value). */
struct jobq_str mock_sqs_key(const struct call *call, const struct tree *entry);
const struct tree *mock_sqs_value(const struct call *call, const struct tree *entry);
/* The list or map called json (JSON) or query (Query); NULL: absent. */
const struct tree *mock_sqs_list(const struct call *call, const char *json,
                                 const char *query);

/* Every action: a row here, and its function in one of the files of this folder. The columns:
 * whether it has a result (an element that an empty reply carries too), and whether it changes
 * a queue or what is noted of it, which --state then keeps. */
#define MOCK_SQS_ACTIONS(X)                                                              \
    X(SendMessage, mock_send_message, true, false)                                       \
    X(ReceiveMessage, mock_receive_message, true, false)                                 \
    X(DeleteMessage, mock_delete_message, false, false)                                  \
    X(SendMessageBatch, mock_send_batch, true, false)                                    \
    X(DeleteMessageBatch, mock_delete_batch, true, false)                                \
    X(ChangeMessageVisibility, mock_change_one, false, false)                            \
    X(ChangeMessageVisibilityBatch, mock_change_batch, true, false)                      \
    X(GetQueueAttributes, mock_get_attributes, true, false)                              \
    X(SetQueueAttributes, mock_set_attributes, false, true)                              \
    X(GetQueueUrl, mock_get_queue_url, true, false)                                      \
    X(CreateQueue, mock_create_queue, true, true)                                        \
    X(DeleteQueue, mock_delete_queue, false, true)                                       \
    X(ListQueues, mock_list_queues, true, false)                                         \
    X(PurgeQueue, mock_purge_queue, false, false)                                        \
    X(ListDeadLetterSourceQueues, mock_list_sources, true, false)                        \
    X(TagQueue, mock_tag_queue, false, true)                                             \
    X(UntagQueue, mock_untag_queue, false, true)                                         \
    X(ListQueueTags, mock_list_tags, true, false)                                        \
    X(AddPermission, mock_add_permission, false, true)                                   \
    X(RemovePermission, mock_remove_permission, false, true)                             \
    X(StartMessageMoveTask, mock_start_move, true, false)                                \
    X(CancelMessageMoveTask, mock_cancel_move, true, false)                              \
    X(ListMessageMoveTasks, mock_list_moves, true, false)

typedef enum call_end mock_action_fn(struct call *call);
#define MOCK_SQS_DECLARE(name, fn, has_result, sets) mock_action_fn fn;
MOCK_SQS_ACTIONS(MOCK_SQS_DECLARE)
#undef MOCK_SQS_DECLARE

#endif
