/* attribute.h - message attributes: read, checked, hashed, written.
 *
 * Room:     sim/mock.
 * Callers:  sim/mock/sqs/send.c, sim/mock/sqs/receive.c.
 * Knows nothing of: queues.
 *
 * Sources: SQS API reference, "MessageAttributeValue", and "Amazon SQS message metadata"
 * of the Developer Guide (the MD5), read 2026-11. */
#ifndef JOBQ_SIM_MOCK_SQS_ATTRIBUTE_H
#define JOBQ_SIM_MOCK_SQS_ATTRIBUTE_H

#include "models/sqs/sqs.h"
#include "sim/mock/server/mock.h"

enum { MOCK_ATTRIBUTES_MAX = 10 };

/* Read the attributes of one message: entry's MessageAttributes and
 * MessageSystemAttributes. out: room for MOCK_ATTRIBUTES_MAX + 1; views into the call's
 * arena. Returns how many, or -1 with *text saying what AWS would say
 * (InvalidParameterValue). */
int mock_attribute_read(const struct call *call, const struct tree *entry,
                        struct sqs_attribute *out, const char **text);

/* The MD5 that AWS's clients check, over those whose `system` is as asked; 33 bytes.
 * False: there is none of them. */
bool mock_attribute_md5(struct mock *mock, const struct sqs_attribute *attribute,
                        int count, bool system, char out[33]);

/* Write one attribute of a received message. */
void mock_attribute_write(struct emit *e, struct arena *arena,
                          const struct sqs_attribute *attribute);

#endif
