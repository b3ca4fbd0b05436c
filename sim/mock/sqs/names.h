/* names.h - queue URLs, ARNs and receipt handles as jobqmock forms them.
 *
 * Room:     sim/mock.
 * Callers:  sim/mock's SQS actions, state.c.
 * Knows nothing of: protocols. */
#ifndef JOBQ_SIM_MOCK_SQS_NAMES_H
#define JOBQ_SIM_MOCK_SQS_NAMES_H

#include "models/sqs/sqs.h"
#include "sim/mock/server/mock.h"
#include "wire/http/wire_bytes.h"

enum { MOCK_NAMES_HANDLE = SIZE_RECEIPT + 1 }; /* a receipt handle and its NUL */

/* "http://HOST/ACCOUNT/NAME" and "arn:aws:sqs:REGION:ACCOUNT:NAME"; appended. */
void mock_names_url(const struct call *call, int queue, struct text *out);
void mock_names_arn(const struct mock *mock, const struct mock_region *region,
                    struct jobq_str name, struct text *out);

enum { MOCK_NAMES_NO_ADDRESS = -2 };

/* The queue that a URL, a path or a bare name names in the call's region; -1: there is none;
 * MOCK_NAMES_NO_ADDRESS: no queue's URL looks like that. */
int mock_names_find(const struct call *call, struct jobq_str url);
/* True: "/ACCOUNT/NAME", whether there is such a queue or not. */
bool mock_names_is_queue_path(struct jobq_str path);
/* The queue of an ARN of this region and account; -1: none. name may be NULL, else gets
 * the name that the ARN holds, whether it exists or not. */
int mock_names_from_arn(const struct call *call, struct jobq_str arn,
                        struct jobq_str *name);

/* A receipt handle: opaque, but bound to its queue and to this mock, so that a foreign or
 * garbled one is told from an old one. */
void mock_names_handle(const struct mock *mock, const struct mock_region *region,
                       int queue, struct sqs_receipt receipt,
                       char out[MOCK_NAMES_HANDLE]);
/* False: not one of this queue. */
bool mock_names_receipt(const struct mock *mock, const struct mock_region *region,
                        int queue, struct jobq_str handle, struct sqs_receipt *out);

#endif
