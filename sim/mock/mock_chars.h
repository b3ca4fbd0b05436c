/* mock_chars.h - whether XML 1.0 can carry a text.
 *
 * Room:     sim/mock.
 * Callers:  mock_send.c and mock_attribute.c (SQS refuses what it cannot), mock_sdb.c
 *           (SimpleDB sends it in base64).
 * Knows nothing of: services. */
#ifndef JOBQ_MOCK_CHARS_H
#define JOBQ_MOCK_CHARS_H

#include "jobq/ports.h"

#include <stdbool.h>

/* True: UTF-8 of #x9 | #xA | #xD | #x20-#xD7FF | #xE000-#xFFFD | #x10000-#x10FFFF alone
 * (XML 1.0, 2.2; the same list as in SQS's SendMessage). */
bool mock_chars_ok(struct jobq_str s);

#endif
