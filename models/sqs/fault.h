/* fault.h - which error SQS gives, exactly.
 *
 * Room:     models, facts.
 * Callers:  the SQS model and its drivers.
 * Knows nothing of: protocols; it holds only the strings that they need.
 *
 * Source of codes, shapes and statuses: botocore 1.29 data/sqs/2012-11-05/service-2.json
 * and the pairs recorded on AWS (guides/wire.md section 1); texts as AWS clients have
 * logged them. */
#ifndef JOBQ_MODELS_SQS_FAULT_H
#define JOBQ_MODELS_SQS_FAULT_H

#include "jobq/error.h"

enum sqs_fault {
    SQS_OK = 0,
    SQS_NO_QUEUE,            /* no queue of this name or handle */
    SQS_QUEUE_EXISTS,        /* CreateQueue with another value of an attribute */
    SQS_DELETED_RECENTLY,    /* CreateQueue within 60 s of DeleteQueue */
    SQS_BAD_NAME,            /* a queue's name */
    SQS_BAD_PARAMETER,       /* any other argument out of range; the text says which */
    SQS_BAD_ATTRIBUTE_NAME,  /* of a queue */
    SQS_BAD_ATTRIBUTE_VALUE, /* of a queue */
    SQS_MISSING_PARAMETER,
    SQS_BAD_CONTENTS,   /* a character that a body may not hold */
    SQS_TOO_LONG,       /* one message past the queue's limit */
    SQS_BATCH_TOO_LONG, /* the batch together past the service's limit */
    SQS_BATCH_EMPTY,
    SQS_BATCH_TOO_MANY,    /* more than 10 entries */
    SQS_BATCH_ID,          /* malformed entry id (checked by the driver) */
    SQS_BATCH_ID_TWICE,    /* the same (checked by the driver) */
    SQS_BAD_RECEIPT,       /* not a receipt handle at all */
    SQS_NOT_AVAILABLE,     /* ChangeMessageVisibility with a receipt that no longer owns
                              its message */
    SQS_NOT_IN_FLIGHT,     /* part of the API; AWS is not known to give it today */
    SQS_RECEIPT_EXPIRED,   /* FIFO DeleteMessage after the visibility timeout */
    SQS_VISIBILITY_TOTAL,  /* past 12 h in all since the receive */
    SQS_OVER_LIMIT,        /* too many in flight */
    SQS_PURGE_IN_PROGRESS, /* a second PurgeQueue within 60 s */
    SQS_THROTTLED,
    SQS_NO_RESOURCE, /* message-move tasks: no such queue or task */
    SQS_FAULT_COUNT
};

struct sqs_fault_info {
    const char *query_code; /* <Code> and x-amzn-query-error */
    const char *json_shape; /* behind "com.amazonaws.sqs#" */
    int http_status;
    enum jobq_code code; /* what the caller should do */
    const char *text;    /* the usual text, where it holds no value */
};

/* Static storage; never NULL. fault is below SQS_FAULT_COUNT; SQS_OK gives status 200. */
const struct sqs_fault_info *sqs_fault_info(enum sqs_fault fault);

#endif
