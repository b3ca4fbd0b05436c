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

/* A change of visibility, or a delete, which is its receipt alone. */
static enum sqs_fault read_change(const struct call *call, int queue, bool deletes,
                                  const struct tree *in, struct sqs_change *out,
                                  const char **text)
{
    enum sqs_fault fault = read_receipt(call, queue, in, &out->receipt, text);
    return fault != SQS_OK || deletes
               ? fault
               : read_visibility(call, in, &out->visibility_ns, text);
}

static enum sqs_fault apply_changes(struct call *call, int queue, bool deletes,
                                    const struct sqs_change *change, int count,
                                    enum sqs_fault *result, struct jobq_error *err)
{
    struct sqs_receipt receipt[SQS_BATCH_MAX];
    call->entries = count;
    if (!deletes)
        return sqs_change_visibility(call->region->sqs, call->now_ns, queue, change,
                                     count, result, err);
    for (int i = 0; i < count; i++)
        receipt[i] = change[i].receipt;
    return sqs_delete(call->region->sqs, call->now_ns, mock_u(call->mock), queue, receipt,
                      count, result, err);
}

static enum call_end change_one(struct call *call, bool deletes)
{
    struct sqs_change change;
    struct jobq_error err = {0};
    enum sqs_fault result = SQS_OK;
    const char *text = NULL;
    int queue = mock_sqs_queue(call);
    if (queue < 0)
        return CALL_FAILED;
    enum sqs_fault fault =
        read_change(call, queue, deletes, call->params, &change, &text);
    if (fault != SQS_OK)
        return mock_sqs_fault(call, fault, text);
    fault = apply_changes(call, queue, deletes, &change, 1, &result, &err);
    if (fault != SQS_OK)
        return mock_sqs_fault(call, fault, err.text);
    if (result == SQS_OK)
        return CALL_DONE;
    return mock_sqs_fault(call, result, explain(call, call->params, result));
}

static enum call_end change_batch(struct call *call, bool deletes, const char *request,
                                  const char *reply)
{
    struct sqs_change change[SQS_BATCH_MAX];
    struct mock_entry entry[SQS_BATCH_MAX];
    enum sqs_fault result[SQS_BATCH_MAX] = {SQS_OK}, fault = SQS_OK;
    struct jobq_error err = {0};
    int queue = mock_sqs_queue(call), good = 0, which[SQS_BATCH_MAX];
    if (queue < 0)
        return CALL_FAILED;
    int count = mock_entry_read(call, request, entry);
    if (count < 0)
        return CALL_FAILED;
    for (int i = 0; i < count; i++) {
        entry[i].fault =
            read_change(call, queue, deletes, entry[i].in, &change[good], &entry[i].text);
        if (entry[i].fault == SQS_OK)
            which[good++] = i;
    }
    if (good > 0)
        fault = apply_changes(call, queue, deletes, change, good, result, &err);
    if (fault != SQS_OK)
        return mock_sqs_fault(call, fault, err.text);
    for (int i = 0; i < good; i++) {
        entry[which[i]].fault = result[i];
        entry[which[i]].text = explain(call, entry[which[i]].in, result[i]);
    }
    mock_entry_write_ids(call, reply, entry, count);
    mock_entry_write_failed(call, queue, entry, count);
    return CALL_DONE;
}

enum call_end mock_delete_message(struct call *call)
{
    return change_one(call, true);
}

enum call_end mock_change_one(struct call *call)
{
    return change_one(call, false);
}

enum call_end mock_delete_batch(struct call *call)
{
    return change_batch(call, true, "DeleteMessageBatchRequestEntry",
                        "DeleteMessageBatchResultEntry");
}

enum call_end mock_change_batch(struct call *call)
{
    return change_batch(call, false, "ChangeMessageVisibilityBatchRequestEntry",
                        "ChangeMessageVisibilityBatchResultEntry");
}
