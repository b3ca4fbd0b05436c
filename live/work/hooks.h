/* hooks.h - the operator's commands that run beside a job: when it starts, when it ends.
 *
 * Room:     live, the network world.
 * Callers:  live/cmd/drain.c.
 * Knows nothing of: queues, rows, what jobs do.
 * Blocks:   hooks_settle; nothing else.
 *
 * A hook is told of what has happened and decides nothing: the job goes on beside it, whatever
 * becomes of the hook. It runs as a job's command does (live/work/command.h) with nothing on its
 * standard input, JOBQ_STATE and, when the job has ended by itself, JOBQ_EXIT beside a command's variables. At most
 * HOOKS_AT_ONCE of a kind run at a time; HOOKS_WAITING_MAX wait, and those that come then are
 * dropped. What goes wrong with a kind of hook is said once. */
#ifndef JOBQ_LIVE_WORK_HOOKS_H
#define JOBQ_LIVE_WORK_HOOKS_H

#include "fiber/fiber.h"
#include "jobq/ports.h"
#include "live/work/command.h"

enum hook_kind { HOOK_START, HOOK_END, HOOK_KINDS };
enum { HOOKS_AT_ONCE = 16, HOOKS_WAITING_MAX = 10000 };

struct hooks_options {
    const char *command[HOOK_KINDS]; /* NULL: none */
    const char *pass_env;            /* as a command's */
    int64_t limit_ns;                /* TERM after so long, KILL 1 s later */
    void (*say)(void *ctx, const char *text);
    void *say_ctx;
};

struct hooks;
/* Copies the options. */
struct hooks *hooks_new(struct loop *loop, struct fiber_sched *sched,
                        const struct hooks_options *options);
/* Kills those that run. NULL: nothing. */
void hooks_free(struct hooks *hooks);

struct hook_call {
    enum hook_kind kind;
    struct jobq_str job_id, queue_name;
    int32_t attempt;
    const char *state; /* a constant: "running", "done", ... */
    bool has_exit;     /* its command has ended with exit_code */
    int32_t exit_code;
};
/* Runs the hook of that kind, if there is one, or has it wait. Copies the call. */
void hooks_run(struct hooks *hooks, const struct hook_call *call);
/* Waits until none runs or waits, at most until until_ns (loop_now_ns). */
void hooks_settle(struct hooks *hooks, int64_t until_ns);

#endif
