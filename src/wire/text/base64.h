/* base64.h - encodes and decodes base64.
 *
 * Room:     src/wire, a tool.
 * Callers:  sim/mock/, tests. (digest.h writes base64.)
 * Knows nothing of: what is encoded. */
#ifndef JOBQ_WIRE_TEXT_BASE64_H
#define JOBQ_WIRE_TEXT_BASE64_H

#include "jobq/ports.h"

#include <stdbool.h>

/* RFC 4648, section 4: the standard alphabet with padding; line ends are skipped. False for
 * anything else. The bytes live in arena. */
bool base64_decode(struct jobq_str text, struct arena *arena, struct jobq_str *out);
/* Appended with padding, in arena. */
struct jobq_str base64_encode(struct jobq_str bytes, struct arena *arena);

#endif
