#include "sim/mock/sqs/actions.h"

#include "sim/mock/server/respond.h"
#include "sim/mock/server/chars.h"
#include "sim/mock/sqs/names.h"
#include "sim/mock/sqs/receive.h"
#include "sim/mock/state/state.h"

#include <string.h>

static const struct action {
    const char *name;
    mock_action_fn *fn;
    bool has_result;
    bool sets; /* changes a queue or what is noted of it */
} actions[] = {
#define ACTION_ROW(name, fn, has_result, sets) {#name, fn, has_result, sets},
    MOCK_SQS_ACTIONS(ACTION_ROW)
#undef ACTION_ROW
};

static const struct action *sqs_find_action(struct jobq_str name)
{
    for (size_t i = 0; i < sizeof actions / sizeof actions[0]; i++)
        if (str_is(name, actions[i].name))
            return &actions[i];
    return NULL;
}

bool mock_sqs_knows(struct jobq_str action)
{
    return sqs_find_action(action) != NULL;
}

/* The name of the queue that the call is about, whether it exists or not. */
static struct jobq_str queue_name(const struct call *call)
{
    struct jobq_str name = call_text(call, "QueueName");
    struct jobq_str url = call_text(call, "QueueUrl");
    if (!name.ptr) {
        if (!url.ptr)
            url = call->path;
        const char *slash = url.len > 0 ? memrchr(url.ptr, '/', (size_t)url.len) : NULL;
        name =
            slash ? (struct jobq_str){slash + 1, url.len - (slash + 1 - url.ptr)} : url;
    }
    return name;
}

static void keep_queue(struct call *call)
{
    struct jobq_str name = queue_name(call);
    state_queue(call->mock->state, call->region, name);
}

bool mock_sqs_is_fifo(struct jobq_str name)
{
    return name.len > 5 && memcmp(name.ptr + name.len - 5, ".fifo", 5) == 0;
}

void mock_sqs(struct call *call)
{
    const struct action *action = sqs_find_action(str_of(call->action));
    /* A queue's own URL serves only what is about that queue. */
    if (action && !call->json && mock_names_is_queue_path(call->path) &&
        (action->fn == mock_create_queue || action->fn == mock_list_queues))
        action = NULL;
    if (!action) {
        if (call->json)
            mock_fail(call, 400, "InvalidAction",
                      "com.amazon.coral.service#UnknownOperationException",
                      "The operation %s is not known.", call->action);
        else
            mock_fail(call, 400, "InvalidAction", NULL,
                      "The action %s is not valid for this endpoint.", call->action);
        answer_end(call, CALL_FAILED, false);
        return;
    }
    call->action = action->name;
    call->fifo = mock_sqs_is_fifo(queue_name(call));
    answer_open(call, action->has_result);
    enum call_end end;
    if (action->sets && !mock_chars_all_ok(call->params))
        end = mock_sqs_fault(call, SQS_BAD_PARAMETER,
                             "A parameter holds a character that XML cannot carry.");
    else
        end = action->fn(call);
    if (action->sets && end == CALL_DONE)
        keep_queue(call);
    answer_end(call, end, action->has_result);
    mock_wait_drain(call->mock, call->region);
}

enum call_end mock_sqs_fault(struct call *call, enum sqs_fault fault, const char *text)
{
    const struct sqs_fault_info *info = sqs_fault_info(fault);
    const char *said = text && text[0] ? text : info->text;
    if (fault == SQS_NO_QUEUE && !call->json)
        said = "The specified queue does not exist for this wsdl version.";
    else if (fault == SQS_NO_QUEUE)
        said = "The specified queue does not exist.";
    mock_fail(call, info->http_status, info->query_code, info->json_shape, "%s",
              said ? said : "");
    return CALL_FAILED;
}

enum call_end mock_sqs_missing(struct call *call, const char *name)
{
    return mock_sqs_fault(
        call, SQS_MISSING_PARAMETER,
        mock_format(call, "The request must contain the parameter %s.", name));
}

int mock_sqs_queue(struct call *call)
{
    struct jobq_str url = call_text(call, "QueueUrl");
    if (!url.ptr && !call->json && call->path.len > 1)
        url = call->path; /* old clients post to the queue's own URL */
    if (!url.ptr) {
        mock_sqs_missing(call, "QueueUrl");
        return -1;
    }
    int queue = mock_names_find(call, url);
    if (queue == MOCK_NAMES_NO_ADDRESS)
        mock_fail(call, 404, "InvalidAddress", NULL,
                  "The address %s is not valid for this endpoint.",
                  mock_quote(call, url));
    else if (queue < 0)
        mock_sqs_fault(call, SQS_NO_QUEUE, NULL);
    return queue < 0 ? -1 : queue;
}

int mock_sqs_int(struct call *call, const struct tree *in, const char *name, int64_t low,
                 int64_t high, int64_t *out)
{
    const struct tree *node = tree_get(in, name);
    if (!node || node->kind == TREE_NULL)
        return JOBQ_OK;
    if (str_to_int(node->text, out) && *out >= low && *out <= high)
        return JOBQ_OK;
    /* As recorded from AWS: WaitTimeSeconds and VisibilityTimeout, MaxNumberOfMessages. */
    bool from_zero = low == 0;
    mock_sqs_invalid(call, node->text, name,
                     mock_format(call, "Must be %s%lld and %s%lld, if provided.",
                                 from_zero ? ">= " : "between ", (long long)low,
                                 from_zero ? "<= " : "", (long long)high));
    return -1;
}

char *mock_sqs_invalid_text(const struct call *call, struct jobq_str value,
                            const char *name, const char *reason)
{
    return mock_format(call, "Value %s for parameter %s is invalid. Reason: %s",
                       mock_quote(call, value), name, reason);
}

enum call_end mock_sqs_invalid(struct call *call, struct jobq_str value, const char *name,
                               const char *reason)
{
    return mock_sqs_fault(call, SQS_BAD_PARAMETER,
                          mock_sqs_invalid_text(call, value, name, reason));
}

enum call_end mock_sqs_unknown_attribute(struct call *call, struct jobq_str name)
{
    return mock_fail(call, 400, "InvalidAttributeName", NULL, "Unknown Attribute %s.",
                     mock_quote(call, name));
}

struct jobq_str mock_sqs_key(const struct call *call, const struct tree *entry)
{
    if (call->json)
        return entry->name;
    struct jobq_str key = tree_text(entry, "Name");
    return key.ptr ? key : tree_text(entry, "Key");
}

const struct tree *mock_sqs_value(const struct call *call, const struct tree *entry)
{
    return call->json ? entry : tree_get(entry, "Value");
}

const struct tree *mock_sqs_list(const struct call *call, const char *json,
                                 const char *query)
{
    return call_list(call, call->params, call->json ? json : query);
}
