/* command.h - an operator's command, run for one job.
 *
 * Room:     live, the network world.
 * Callers:  live/work/workers.c, live/work/hooks.c.
 * Knows nothing of: queues, fibers.
 * Blocks:   never.
 *
 * A command runs in a session and process group of its own (setsid). Its standard input is
 * the payload, whole, in a memory file, so that a command that does not read it holds up
 * nobody. Standard output and error come back through a pipe, of which the last
 * JOBQ_OUTPUT_TAIL bytes are kept; lines "progress N%" are noted. The environment is ours
 * without the ways to our credentials and what belongs to the drainer alone (kept_back in
 * keeper.c), with JOBQ_JOB_ID, JOBQ_ATTEMPT and JOBQ_QUEUE. No other descriptor is passed
 * on.
 *
 * Commands are children of a keeper (live/work/keeper.h), so that none outlives this process,
 * however it ends, and none leaves anything behind when its own process ends. */
#ifndef JOBQ_LIVE_WORK_COMMAND_H
#define JOBQ_LIVE_WORK_COMMAND_H

#include "jobq/ports.h"
#include "net/loop.h"

#include <sys/types.h>

struct command_options {
    const char *command; /* words, or a shell's line if it holds shell characters */
    const char
        *pass_env; /* names, by comma, that a command inherits although they are kept
                             back; NULL: none */
    int64_t memory_bytes; /* RLIMIT_AS; 0: none */
    int64_t cpu_ns;       /* RLIMIT_CPU; 0: none */
};

struct command_host; /* all commands of this process */
struct command;

/* options is copied. The keeper starts with the first command, which inherits what the environment
 * is then. */
struct command_host *command_host_new(struct loop *loop,
                                      const struct command_options *options);
/* Kills and reaps every child that is left. */
void command_host_free(struct command_host *host);

struct command_end {
    int32_t exit_code; /* 128 + n for a signal; 127: could not be executed */
    int64_t cpu_ns, wall_ns;
};

/* ended(ctx) is called on the loop's thread, once; then command_end and command_tail may
 * be asked, until command_free. UNAVAILABLE: no process to be had. */
int command_start(struct command_host *host, const struct jobq_work *work, loop_fn *ended,
                  void *ctx, struct command **out, struct jobq_error *err);
/* The same of a hook (live/work/hooks.h). */
struct command_state {
    const char *state;
    bool has_exit;
    int32_t exit_code;
};
int command_start_hook(struct command_host *host, const struct jobq_work *work,
                       const struct command_state *state, loop_fn *ended, void *ctx,
                       struct command **out, struct jobq_error *err);
/* TERM to its group now, KILL after grace_ns. Again: KILL at the earlier of both. */
void command_stop(struct command *command, int64_t grace_ns);
void command_result(const struct command *command, struct command_end *out);
int command_percent(const struct command *command); /* -1: none was said */
/* Copies the last bytes of output; returns how many (<= JOBQ_OUTPUT_TAIL). */
int command_tail(const struct command *command, char *out);
/* How many bytes it printed in all. */
int64_t command_printed(const struct command *command);
/* After it has ended. */
void command_free(struct command *command);
/* Commands that are running. */
int command_running(const struct command_host *host);

/* What of the output is a progress report: feeds bytes, returns the newest percent or -1.
 * For tests and fuzzers; state is zeroed by the caller. */
struct command_lines {
    char line[16];
    int len;
    bool skip;   /* the present line is longer than any report */
    int percent; /* + 1; 0: none yet */
};
int command_lines_feed(struct command_lines *state, const char *bytes, size_t len);

#endif
