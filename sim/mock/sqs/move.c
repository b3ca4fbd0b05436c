/* move.c - message-move tasks: messages of a dead-letter queue sent back.
 *
 * Room:     sim/mock.
 * Callers:  sim/mock/sqs/actions.c's table.
 * Knows nothing of: how the model moves them. */
#include "models/sqs/admin.h"
#include "sim/mock/sqs/names.h"
#include "sim/mock/sqs/actions.h"
#include "sim/mock/state/state.h"
#include "wire/text/base64.h"

#include <string.h>

enum { TASKS_MAX = 10, TASKS_KEPT = 64 };

static const char no_source[] =
    "The resource that you specified for the SourceArn parameter doesn't exist.";

/* A task's id as AWS forms it; its number is the model's. */
static void task_uuid(const struct call *call, uint64_t id, char out[MOCK_UUID_BYTES])
{
    enum { TASK_TAG = 1 << 20 }; /* beyond those of messages */
    mock_uuid_of(call->mock, (uint64_t)call->region->index + TASK_TAG, id, out);
}

/* As AWS's: base64 of {"taskId":"UUID","sourceArn":"..."}. */
static struct jobq_str write_handle(struct call *call, uint64_t id, int source)
{
    char uuid[MOCK_UUID_BYTES];
    struct text json = {0};
    task_uuid(call, id, uuid);
    text_puts(&json, "{\"taskId\":\"");
    text_puts(&json, uuid);
    text_puts(&json, "\",\"sourceArn\":\"");
    mock_names_arn(call->mock, call->region, sqs_name(call->region->sqs, source), &json);
    text_puts(&json, "\"}");
    struct jobq_str handle = base64_encode(text_str(&json), &call->mock->arena);
    text_release(&json);
    return handle;
}

/* SQS_OK, BAD_PARAMETER (no handle at all), or NO_RESOURCE with text: no such source or no
 * such task of it. */
static enum sqs_fault read_handle(struct call *call, struct jobq_str handle,
                                  uint64_t *out, const char **text)
{
    struct jobq_str bytes;
    struct jobq_error err;
    struct tree *json;
    struct sqs_move *task = arena_alloc(&call->mock->arena, TASKS_KEPT * sizeof *task);
    *text = "Value for parameter TaskHandle is invalid.";
    if (!base64_decode(handle, &call->mock->arena, &bytes) ||
        tree_from_json(bytes, &call->mock->arena, &json, &err) < 0)
        return SQS_BAD_PARAMETER;
    struct jobq_str id = tree_text(json, "taskId"), arn = tree_text(json, "sourceArn");
    if (!id.ptr || !arn.ptr)
        return SQS_BAD_PARAMETER;
    int source = mock_names_from_arn(call, arn, NULL);
    *text = no_source;
    if (source < 0)
        return SQS_NO_RESOURCE;
    int count = sqs_move_list(call->region->sqs, call->now_ns, source, task, TASKS_KEPT);
    for (int i = 0; i < count; i++) {
        char uuid[MOCK_UUID_BYTES];
        task_uuid(call, task[i].id, uuid);
        *out = task[i].id;
        if (str_is(id, uuid))
            return SQS_OK;
    }
    *text = "Task does not exist.";
    return SQS_NO_RESOURCE;
}

enum call_end mock_start_move(struct call *call)
{
    struct jobq_error err = {0};
    struct jobq_str source_arn = call_text(call, "SourceArn");
    struct jobq_str target_arn = call_text(call, "DestinationArn");
    int64_t per_s = 0;
    uint64_t id;
    if (source_arn.len == 0)
        return mock_sqs_missing(call, "SourceArn");
    if (mock_sqs_int(call, call->params, "MaxNumberOfMessagesPerSecond", 1, 500, &per_s) <
        0)
        return CALL_FAILED;
    int source = mock_names_from_arn(call, source_arn, NULL), target = -1;
    if (source < 0)
        return mock_sqs_fault(call, SQS_NO_RESOURCE, no_source);
    if (target_arn.len > 0 && (target = mock_names_from_arn(call, target_arn, NULL)) < 0)
        return mock_sqs_fault(call, SQS_NO_RESOURCE,
                              "The resource that you specified for the DestinationArn "
                              "parameter doesn't exist.");
    enum sqs_fault fault = sqs_move_start(call->region->sqs, call->now_ns, source, target,
                                          (double)per_s, &id, &err);
    if (fault != SQS_OK)
        return mock_sqs_fault(call, fault, err.text);
    state_moves(call->mock->state, call->region);
    emit_text(&call->out, "TaskHandle", write_handle(call, id, source));
    return CALL_DONE;
}

enum call_end mock_cancel_move(struct call *call)
{
    struct jobq_error err = {0};
    struct jobq_str handle = call_text(call, "TaskHandle");
    const char *text;
    int64_t moved = 0;
    uint64_t id;
    if (handle.len == 0)
        return mock_sqs_missing(call, "TaskHandle");
    enum sqs_fault fault = read_handle(call, handle, &id, &text);
    if (fault != SQS_OK)
        return mock_sqs_fault(call, fault, text);
    fault = sqs_move_cancel(call->region->sqs, call->now_ns, id, &moved, &err);
    if (fault != SQS_OK)
        return mock_sqs_fault(call, fault, err.text);
    state_moves(call->mock->state, call->region);
    emit_int(&call->out, "ApproximateNumberOfMessagesMoved", moved);
    return CALL_DONE;
}

static void write_task(struct call *call, const struct sqs_move *task)
{
    static const char element[] = "ListMessageMoveTasksResultEntry";
    static const char *const names[] = {[SQS_MOVE_RUNNING] = "RUNNING",
                                        [SQS_MOVE_COMPLETED] = "COMPLETED",
                                        [SQS_MOVE_CANCELLED] = "CANCELLED",
                                        [SQS_MOVE_FAILED] = "FAILED"};
    struct emit *e = &call->out;
    struct text arn = {0};
    emit_object(e, NULL, element);
    if (task->status == SQS_MOVE_RUNNING)
        emit_text(e, "TaskHandle", write_handle(call, task->id, task->source));
    emit_text(e, "Status", str_of(names[task->status]));
    mock_names_arn(call->mock, call->region, sqs_name(call->region->sqs, task->source),
                   &arn);
    emit_text(e, "SourceArn", text_str(&arn));
    if (task->destination >= 0) {
        text_clear(&arn);
        mock_names_arn(call->mock, call->region, str_of(task->destination_name), &arn);
        emit_text(e, "DestinationArn", text_str(&arn));
    }
    if (task->asked_per_s > 0)
        emit_int(e, "MaxNumberOfMessagesPerSecond", (int64_t)task->asked_per_s);
    if (task->status == SQS_MOVE_FAILED)
        emit_text(e, "FailureReason", str_of(sqs_fault_info(SQS_NO_QUEUE)->query_code));
    emit_int(e, "ApproximateNumberOfMessagesMoved", task->moved);
    emit_int(e, "ApproximateNumberOfMessagesToMove", task->to_move);
    emit_int(e, "StartedTimestamp", task->started_at_ns / JOBQ_NS_PER_MS);
    emit_object_end(e, element);
    text_release(&arn);
}

enum call_end mock_list_moves(struct call *call)
{
    struct sqs_move task[TASKS_MAX];
    struct jobq_str source_arn = call_text(call, "SourceArn");
    int64_t max = 1;
    if (source_arn.len == 0)
        return mock_sqs_missing(call, "SourceArn");
    if (mock_sqs_int(call, call->params, "MaxResults", 1, TASKS_MAX, &max) < 0)
        return CALL_FAILED;
    int source = mock_names_from_arn(call, source_arn, NULL);
    if (source < 0)
        return mock_sqs_fault(call, SQS_NO_RESOURCE, no_source);
    int count = sqs_move_list(call->region->sqs, call->now_ns, source, task, (int)max);
    emit_list(&call->out, "Results");
    for (int i = 0; i < count; i++)
        write_task(call, &task[i]);
    emit_list_end(&call->out);
    return CALL_DONE;
}
