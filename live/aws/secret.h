/* secret.h - memory for keys: in no core dump, and wiped when it is given up.
 *
 * Room:     live, the network world.
 * Callers:  settings.c, credentials.c, aws.c.
 * Knows nothing of: what the keys are.
 *
 * jobq forbids core dumps of itself (live_guard_secrets); libjobq may not do so to its host, and
 * keeps what would tell a key on pages that the kernel, and gdb's gcore, leave out of a dump.
 * Each secret takes a page or more and two system calls, so it is for keys and not for texts.
 * What this cannot reach: the environment that keys came in, a session token in requests that
 * are being sent, and the buffers of libcurl that a role's keys came through. */
#ifndef JOBQ_LIVE_AWS_SECRET_H
#define JOBQ_LIVE_AWS_SECRET_H

#include "jobq/ports.h"

#include <stddef.h>

/* Zeroed, aligned for anything. Out of memory aborts. Owner: the caller: secret_free. */
void *secret_alloc(size_t bytes);
/* A terminated copy. */
char *secret_copy(struct jobq_str value);
/* NULL: nothing. */
void secret_free(void *secret);

#endif
