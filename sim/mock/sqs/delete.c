/* delete.c - DeleteMessage and ChangeMessageVisibility, single and in batches.
 *
 * Room:     sim/mock.
 * Callers:  sim/mock/sqs/actions.c's table.
 * Knows nothing of: sockets, protocols beyond call->json. */
#include "sim/mock/sqs/actions.h"
#include "sim/mock/sqs/entry.h"
#include "sim/mock/sqs/names.h"

#include <string.h>

static enum sqs_fault read_receipt(const struct call *call, int queue,
                                   const struct tree *in, struct sqs_receipt *out,
                                   const char **text)
{
    struct jobq_str handle = tree_text(in, "ReceiptHandle");
    if (handle.len == 0) {
        *text = "The request must contain the parameter ReceiptHandle.";
        return SQS_MISSING_PARAMETER;
    }
    if (mock_names_receipt(call->mock, call->region, queue, handle, out))
        return SQS_OK;
    *text = mock_format(call,
                        "The input receipt handle \"%s\" is not a valid receipt handle.",
                        mock_quote(call, handle));
    return SQS_BAD_RECEIPT;
}

/* What the model has against a receipt, in AWS's words, which quote it; NULL: the usual. */
static const char *explain(const struct call *call, const struct tree *in,
                           enum sqs_fault fault)
{
    const char *reason =
        fault == SQS_NOT_AVAILABLE     ? "Message does not exist or is not available for "
                                         "visibility timeout change."
        : fault == SQS_RECEIPT_EXPIRED ? "The receipt handle has expired."
                                       : NULL;
    if (!reason)
        return NULL;
    return mock_sqs_invalid_text(call, tree_text(in, "ReceiptHandle"), "ReceiptHandle",
                                 reason);
}

static enum sqs_fault read_visibility(const struct call *call, const struct tree *in,
                                      int64_t *out_ns, const char **text)
{
    struct jobq_str value = tree_text(in, "VisibilityTimeout");
    int64_t seconds = 0;
    if (!value.ptr) {
        *text = "The request must contain the parameter VisibilityTimeout.";
        return SQS_MISSING_PARAMETER;
    }
    if (str_to_int(value, &seconds) && seconds >= 0 && seconds <= 43200) {
        *out_ns = seconds * JOBQ_NS_PER_S;
        return SQS_OK;
    }
    *text = mock_sqs_invalid_text(call, value, "VisibilityTimeout",
                                  "Must be between 0 and 43200.");
    return SQS_BAD_PARAMETER;
}

enum call_end mock_delete_message(struct call *call)
{
    struct sqs_receipt receipt;
    struct jobq_error err = {0};
    enum sqs_fault result = SQS_OK;
    const char *text = NULL;
    int queue = mock_sqs_queue(call);
    if (queue < 0)
        return CALL_FAILED;
    enum sqs_fault fault = read_receipt(call, queue, call->params, &receipt, &text);
    if (fault != SQS_OK)
        return mock_sqs_fault(call, fault, text);
    call->entries = 1;
    fault = sqs_delete(call->region->sqs, call->now_ns, mock_u(call->mock), queue,
                       &receipt, 1, &result, &err);
    if (fault != SQS_OK)
        return mock_sqs_fault(call, fault, err.text);
    if (result == SQS_OK)
        return CALL_DONE;
    return mock_sqs_fault(call, result, explain(call, call->params, result));
}

enum call_end mock_change_one(struct call *call)
{
    struct sqs_change change;
    struct jobq_error err = {0};
    enum sqs_fault result = SQS_OK;
    const char *text = NULL;
    int queue = mock_sqs_queue(call);
    if (queue < 0)
        return CALL_FAILED;
    enum sqs_fault fault =
        read_receipt(call, queue, call->params, &change.receipt, &text);
    if (fault == SQS_OK)
        fault = read_visibility(call, call->params, &change.visibility_ns, &text);
    if (fault != SQS_OK)
        return mock_sqs_fault(call, fault, text);
    call->entries = 1;
    fault = sqs_change_visibility(call->region->sqs, call->now_ns, queue, &change, 1,
                                  &result, &err);
    if (fault != SQS_OK)
        return mock_sqs_fault(call, fault, err.text);
    if (result == SQS_OK)
        return CALL_DONE;
    return mock_sqs_fault(call, result, explain(call, call->params, result));
}

static void take_result(const struct call *call, struct mock_entry *entry,
                        enum sqs_fault result)
{
    entry->fault = result;
    entry->text = explain(call, entry->in, result);
}

enum call_end mock_delete_batch(struct call *call)
{
    struct sqs_receipt receipt[SQS_BATCH_MAX];
    struct mock_entry entry[SQS_BATCH_MAX];
    enum sqs_fault result[SQS_BATCH_MAX] = {SQS_OK};
    struct jobq_error err = {0};
    int queue = mock_sqs_queue(call), good = 0, which[SQS_BATCH_MAX];
    if (queue < 0)
        return CALL_FAILED;
    int count = mock_entry_read(call, "DeleteMessageBatchRequestEntry", entry);
    if (count < 0)
        return CALL_FAILED;
    for (int i = 0; i < count; i++) {
        entry[i].fault =
            read_receipt(call, queue, entry[i].in, &receipt[good], &entry[i].text);
        if (entry[i].fault == SQS_OK)
            which[good++] = i;
    }
    enum sqs_fault fault = SQS_OK;
    if (good > 0)
        fault = sqs_delete(call->region->sqs, call->now_ns, mock_u(call->mock), queue,
                           receipt, good, result, &err);
    if (fault != SQS_OK)
        return mock_sqs_fault(call, fault, err.text);
    call->entries = good;
    for (int i = 0; i < good; i++)
        take_result(call, &entry[which[i]], result[i]);
    mock_entry_write_ids(call, "DeleteMessageBatchResultEntry", entry, count);
    mock_entry_write_failed(call, queue, entry, count);
    return CALL_DONE;
}

enum call_end mock_change_batch(struct call *call)
{
    struct sqs_change change[SQS_BATCH_MAX];
    struct mock_entry entry[SQS_BATCH_MAX];
    enum sqs_fault result[SQS_BATCH_MAX] = {SQS_OK};
    struct jobq_error err = {0};
    int queue = mock_sqs_queue(call), good = 0, which[SQS_BATCH_MAX];
    if (queue < 0)
        return CALL_FAILED;
    int count = mock_entry_read(call, "ChangeMessageVisibilityBatchRequestEntry", entry);
    if (count < 0)
        return CALL_FAILED;
    for (int i = 0; i < count; i++) {
        entry[i].fault =
            read_receipt(call, queue, entry[i].in, &change[good].receipt, &entry[i].text);
        if (entry[i].fault == SQS_OK)
            entry[i].fault = read_visibility(call, entry[i].in,
                                             &change[good].visibility_ns, &entry[i].text);
        if (entry[i].fault == SQS_OK)
            which[good++] = i;
    }
    enum sqs_fault fault = SQS_OK;
    if (good > 0)
        fault = sqs_change_visibility(call->region->sqs, call->now_ns, queue, change,
                                      good, result, &err);
    if (fault != SQS_OK)
        return mock_sqs_fault(call, fault, err.text);
    call->entries = good;
    for (int i = 0; i < good; i++)
        take_result(call, &entry[which[i]], result[i]);
    mock_entry_write_ids(call, "ChangeMessageVisibilityBatchResultEntry", entry, count);
    mock_entry_write_failed(call, queue, entry, count);
    return CALL_DONE;
}
