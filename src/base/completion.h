/* completion.h - what a shell needs to complete a program's words.
 *
 * Room:     src/base, a tool.
 * Callers:  the command lines of all programs.
 * Knows nothing of: what the words mean. Written from the same tables of options as the
 *           parsers and the help, so that they cannot disagree. */
#ifndef JOBQ_BASE_COMPLETION_H
#define JOBQ_BASE_COMPLETION_H

#include "base/options.h"

/* A subcommand; of a program without any, the only one, with a NULL name. */
struct completion_command {
    const char *name, *summary;
    const char *first; /* what may stand behind its name, "ls|redrive QUEUE": words of its
                          first argument; "" or anything else: none */
    const struct option_def *def;
    int count;
};

/* Writes the script of "bash", "zsh" or "fish". INVALID: another shell. */
int completion_write(const char *shell, const char *program,
                     const struct completion_command *command, int count, FILE *out,
                     struct jobq_error *err);

#endif
