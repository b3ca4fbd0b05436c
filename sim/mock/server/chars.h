/* chars.h - whether XML 1.0 can carry a text.
 *
 * Room:     sim/mock.
 * Callers:  sim/mock/sqs/send.c and sim/mock/sqs/attribute.c (SQS refuses what it cannot), sim/mock/simpledb/actions.c
 *           (SimpleDB sends it in base64); actions that keep
 *           what they are given; what quotes a request in an error.
 * Knows nothing of: services. */
#ifndef JOBQ_SIM_MOCK_SERVER_CHARS_H
#define JOBQ_SIM_MOCK_SERVER_CHARS_H

#include "wire/text/params.h"

#include <stdbool.h>

/* True: UTF-8 of #x9 | #xA | #xD | #x20-#xD7FF | #xE000-#xFFFD | #x10000-#x10FFFF alone
 * (XML 1.0, 2.2; the same list as in SQS's SendMessage). */
bool mock_chars_ok(struct jobq_str s);
/* Of all texts and names of a request. */
bool mock_chars_all_ok(const struct tree *params);
/* A '?' for every byte that keeps it from that: of messages that quote what was sent, and
 * may have cut it within a character. */
void mock_chars_mend(char *text);

#endif
