/* process.h - jobqmock as one process, from its options to its end.
 *
 * Room:     sim/mock.
 * Callers:  jobqmock_main.c. */
#ifndef JOBQ_MOCK_PROCESS_H
#define JOBQ_MOCK_PROCESS_H

#include "sim/mock/options.h"

/* Serve until SIGTERM or SIGINT. Prints one line with the URL when it is ready. Returns
 * JOBQ_OK, or a code with err filled: CONFLICT: the port is in use. */
int process_run(const struct options *options, struct jobq_error *err);

#endif
