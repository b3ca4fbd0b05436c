/* process.h - jobqmock as one process, from its options to its end.
 *
 * Room:     sim/mock.
 * Callers:  jobqmock_main.c; fuzzers, which bring their own connections. */
#ifndef JOBQ_SIM_MOCK_SERVER_PROCESS_H
#define JOBQ_SIM_MOCK_SERVER_PROCESS_H

#include "sim/mock/server/options.h"

struct mock;

/* Serve until SIGTERM or SIGINT. Prints one line with the URL when it is ready. Returns
 * JOBQ_OK, or a code with err filled: CONFLICT: the port is in use. */
int process_run(const struct mock_options *options, struct jobq_error *err);

/* The same in parts: everything but the signals, the port and the turning of mock->loop.
 * NULL with err filled. options must stay. */
struct mock *process_new(const struct mock_options *options, struct jobq_error *err);
void process_free(struct mock *mock); /* NULL: nothing */

#endif
