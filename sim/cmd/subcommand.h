/* subcommand.h - the subcommands of jobqsim, one file each.
 *
 * Room:     sim, the command line.
 * Callers:  jobqsim_main.c.
 *
 * Each gets the arguments behind its name, prints, and returns the exit code: 0 ok, 1
 * failure, 2 usage, 130 interrupted. */
#ifndef JOBQ_SIM_CMD_SUBCOMMAND_H
#define JOBQ_SIM_CMD_SUBCOMMAND_H

#include "jobq/error.h"

#define CMD_OK 0
#define CMD_FAILURE 1
#define CMD_USAGE 2

int cmd_run(int argc, char **argv);
int cmd_sweep(int argc, char **argv);
int cmd_merge(int argc, char **argv);
int cmd_torture(int argc, char **argv);

/* "jobqsim COMMAND: text" on stderr, one line, unprintable bytes escaped; returns the exit
 * code of the error: bad input is 2, the rest 1. */
int cmd_fail(const char *command, const struct jobq_error *err);
/* On SIGINT and SIGTERM: take unfinished output files away, say so, end with 130. */
void cmd_catch_signals(void);

#endif
