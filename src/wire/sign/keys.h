/* keys.h - the keys that sign a request.
 *
 * Room:     src/wire, a tool.
 * Callers:  src/wire, live/, sim/mock/.
 * Knows nothing of: where keys come from, when they expire. */
#ifndef JOBQ_WIRE_SIGN_KEYS_H
#define JOBQ_WIRE_SIGN_KEYS_H

#include "jobq/ports.h"

/* Views. Only `access` may be printed. */
struct wire_keys {
    struct jobq_str access; /* "AKIA..." */
    struct jobq_str secret;
    struct jobq_str token; /* of temporary keys; len 0: none */
};

#endif
