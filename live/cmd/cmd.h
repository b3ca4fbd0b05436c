/* cmd.h - jobq's subcommands, in the order of its help.
 *
 * Room:     live, jobq's program.
 * Callers:  jobq_main.c, live/cmd/completion.c, live/cmd/explain.c. */
#ifndef JOBQ_LIVE_CMD_CMD_H
#define JOBQ_LIVE_CMD_CMD_H

#include "live/cmd/cli.h"

#define CMD_ALL(X)                                                                       \
    X(enqueue)                                                                           \
    X(status)                                                                            \
    X(wait)                                                                              \
    X(result)                                                                            \
    X(cancel)                                                                            \
    X(list)                                                                              \
    X(drain)                                                                             \
    X(run)                                                                               \
    X(dlq)                                                                               \
    X(purge)                                                                             \
    X(prune)                                                                             \
    X(repair)                                                                            \
    X(serve)                                                                             \
    X(top)                                                                               \
    X(spawn)                                                                             \
    X(autoscale)                                                                         \
    X(quiet)                                                                             \
    X(resume)                                                                            \
    X(slots)                                                                             \
    X(seppuku)                                                                           \
    X(retry)                                                                             \
    X(doctor)                                                                            \
    X(explain)                                                                           \
    X(completion)

#define CMD_DECLARE(id) extern const struct cli_command cmd_##id;
CMD_ALL(CMD_DECLARE)
#undef CMD_DECLARE

/* All of them, NULL behind the last. */
extern const struct cli_command *const cmd_table[];

/* What reading so many rows by pages costs, about: for a word of warning only, the bill is
 * made elsewhere. */
double cmd_pages_usd(struct jobq_backend *b, int64_t rows);

#endif
