/* fault.c - the table of models/sqs/fault.h.
 *
 * Room:     models, facts.
 * Callers:  those of models/sqs/fault.h.
 * Knows nothing of: protocols. */
#include "models/sqs/fault.h"

#include <assert.h>

#define PREFIX "AWS.SimpleQueueService."

static const struct sqs_fault_info info[SQS_FAULT_COUNT] = {
    [SQS_OK] = {"", "", 200, JOBQ_OK, ""},
    [SQS_NO_QUEUE] = {PREFIX "NonExistentQueue", "QueueDoesNotExist", 400, JOBQ_NOT_FOUND,
                      "The specified queue does not exist."},
    [SQS_QUEUE_EXISTS] =
        {"QueueAlreadyExists", "QueueNameExists", 400, JOBQ_CONFLICT,
         "A queue already exists with the same name and a different value "
         "for attribute"},
    [SQS_DELETED_RECENTLY] =
        {PREFIX "QueueDeletedRecently", "QueueDeletedRecently", 400, JOBQ_UNAVAILABLE,
         "You must wait 60 seconds after deleting a queue before you "
         "can create another with the same name."},
    [SQS_BAD_NAME] =
        {"InvalidParameterValue", "InvalidParameterValueException", 400, JOBQ_INVALID,
         "Can only include alphanumeric characters, hyphens, or underscores. 1 "
         "to 80 in length"},
    [SQS_BAD_PARAMETER] = {"InvalidParameterValue", "InvalidParameterValueException", 400,
                           JOBQ_INVALID, "A parameter is out of its range."},
    [SQS_BAD_ATTRIBUTE_NAME] = {"InvalidAttributeName", "InvalidAttributeName", 400,
                                JOBQ_INVALID, "Unknown Attribute."},
    [SQS_BAD_ATTRIBUTE_VALUE] = {"InvalidAttributeValue", "InvalidAttributeValue", 400,
                                 JOBQ_INVALID, "Invalid value for an attribute."},
    [SQS_MISSING_PARAMETER] = {"MissingParameter", "MissingRequiredParameterException",
                               400, JOBQ_INVALID,
                               "The request must contain the parameter MessageBody."},
    [SQS_BAD_CONTENTS] =
        {"InvalidMessageContents", "InvalidMessageContents", 400, JOBQ_INVALID,
         "Invalid characters found. Valid unicode characters are #x9 | #xA "
         "| #xD | #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to "
         "#x10FFFF"},
    [SQS_TOO_LONG] = {"InvalidParameterValue", "InvalidParameterValueException", 400,
                      JOBQ_LIMIT,
                      "One or more parameters are invalid. Reason: Message is too long."},
    [SQS_BATCH_TOO_LONG] = {PREFIX "BatchRequestTooLong", "BatchRequestTooLong", 400,
                            JOBQ_LIMIT, "The batch request is too long."},
    [SQS_BATCH_EMPTY] = {PREFIX "EmptyBatchRequest", "EmptyBatchRequest", 400,
                         JOBQ_INVALID,
                         "There should be at least one entry in the request."},
    [SQS_BATCH_TOO_MANY] = {PREFIX "TooManyEntriesInBatchRequest",
                            "TooManyEntriesInBatchRequest", 400, JOBQ_LIMIT,
                            "Maximum number of entries per request are 10."},
    [SQS_BATCH_ID] =
        {PREFIX "InvalidBatchEntryId", "InvalidBatchEntryId", 400, JOBQ_INVALID,
         "A batch entry id can only contain alphanumeric characters, hyphens "
         "and underscores. It can be at most 80 letters long."},
    [SQS_BATCH_ID_TWICE] = {PREFIX "BatchEntryIdsNotDistinct", "BatchEntryIdsNotDistinct",
                            400, JOBQ_INVALID,
                            "Two or more batch entries have the same Id."},
    [SQS_BAD_RECEIPT] = {"ReceiptHandleIsInvalid", "ReceiptHandleIsInvalid", 400,
                         JOBQ_INVALID, "The input receipt handle is invalid."},
    [SQS_NOT_AVAILABLE] =
        {"InvalidParameterValue", "InvalidParameterValueException", 400, JOBQ_NOT_FOUND,
         "The value for parameter ReceiptHandle is invalid. Reason: Message "
         "does not exist or is not available for visibility timeout "
         "change."},
    [SQS_NOT_IN_FLIGHT] = {PREFIX "MessageNotInflight", "MessageNotInflight", 400,
                           JOBQ_NOT_FOUND, "The specified message isn't in flight."},
    [SQS_RECEIPT_EXPIRED] =
        {"InvalidParameterValue", "InvalidParameterValueException", 400, JOBQ_NOT_FOUND,
         "The value for parameter ReceiptHandle is invalid. Reason: The "
         "receipt handle has expired."},
    [SQS_VISIBILITY_TOTAL] =
        {"InvalidParameterValue", "InvalidParameterValueException", 400, JOBQ_LIMIT,
         "Total VisibilityTimeout for the message is beyond the limit "
         "[43200 seconds]"},
    [SQS_OVER_LIMIT] = {"OverLimit", "OverLimit", 403, JOBQ_LIMIT,
                        "Too many messages in flight."},
    [SQS_PURGE_IN_PROGRESS] =
        {PREFIX "PurgeQueueInProgress", "PurgeQueueInProgress", 403, JOBQ_UNAVAILABLE,
         "Only one PurgeQueue operation is allowed every 60 seconds."},
    [SQS_THROTTLED] = {"RequestThrottled", "RequestThrottled", 403, JOBQ_THROTTLED,
                       "Request is throttled."},
    [SQS_NO_RESOURCE] = {"ResourceNotFoundException", "ResourceNotFoundException", 404,
                         JOBQ_NOT_FOUND,
                         "The resource that you specified doesn't exist."},
};

const struct sqs_fault_info *sqs_fault_info(enum sqs_fault fault)
{
    assert(fault >= 0 && fault < SQS_FAULT_COUNT);
    return &info[fault];
}
