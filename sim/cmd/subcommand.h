/* subcommand.h - the subcommands of jobqsim, one file each.
 *
 * Room:     sim, the command line.
 * Callers:  jobqsim_main.c.
 *
 * Each gets the arguments behind its name, prints, and returns the exit code: 0 ok, 1
 * failure, 2 usage, 130 interrupted. */
#ifndef JOBQ_SIM_CMD_SUBCOMMAND_H
#define JOBQ_SIM_CMD_SUBCOMMAND_H

#include "scenario/commandline.h"

#include "jobq/error.h"

#define CMD_OK 0
#define CMD_FAILURE 1
#define CMD_USAGE 2

int cmd_run(int argc, char **argv);
int cmd_sweep(int argc, char **argv);
int cmd_merge(int argc, char **argv);
int cmd_torture(int argc, char **argv);
int cmd_calibrate(int argc, char **argv);

/* One subcommand's reading of its words. */
struct subcommand {
    const char *name;
    const char *head, *tail;      /* of its help, before and behind the options */
    const struct option_def *own; /* ends with a NULL name */
    uint32_t takers;
    bool arguments; /* it takes words that are no options */
    bool file;      /* it takes one, a scenario file */
};
extern const struct subcommand sub_run, sub_sweep, sub_merge, sub_torture, sub_calibrate;
/* Reads the words; the settings too, unless `scenario` is NULL. Returns -1 to go on, else the
 * exit code (help was printed, or one line about what is wrong). Release both in any case. */
int cmd_read(const struct subcommand *sub, int argc, char **argv,
             struct commandline *command, struct options *read,
             struct scenario *scenario);
/* "--name: text" of an option's value that will not do; returns err's code. */
int cmd_count(const struct options *read, int option, int64_t low, int64_t high,
              int64_t *out, struct jobq_error *err);
/* --shard I/N, or auto: of an array job of AWS Batch or Slurm. *shard is 0..N-1. */
int cmd_shard(const char *text, int64_t *shard, int64_t *shards, struct jobq_error *err);

/* "jobqsim COMMAND: text" on stderr, one line, unprintable bytes escaped; returns the exit
 * code of the error: bad input is 2, the rest 1. */
int cmd_fail(const char *command, const struct jobq_error *err);
/* On SIGINT and SIGTERM: take unfinished output files away, say so, end with 130. */
void cmd_catch_signals(void);

#endif
