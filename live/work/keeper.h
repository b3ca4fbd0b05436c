/* keeper.h - the process that runs the commands, and ends them when nobody else can.
 *
 * Room:     live, the network world.
 * Callers:  live/work/command.c.
 * Knows nothing of: the loop, output, queues.
 * Blocks:   keeper_new (a fork), keeper_start (until the command is executed), keeper_free.
 *
 * A drainer that is killed outright cannot end its commands, and their messages come back to
 * others: attempt 2 would run beside attempt 1. So commands are children of a small process of
 * their own, the keeper, whose socket closes when the drainer dies, however it dies. It is a
 * subreaper (prctl(2)): whatever a command leaves behind, in its process group or out of it
 * (setsid, a double fork), becomes the keeper's child, and is killed. It outlives every signal
 * but KILL; killed itself, it takes each command's own process along (PDEATHSIG), and what
 * those leave behind comes to the drainer, a subreaper too.
 *
 * Each command's own process is a subreaper as well, so that the orphans of a command that runs
 * stay with it: a child of the keeper's that is no command is left over from one that has
 * ended. */
#ifndef JOBQ_LIVE_WORK_KEEPER_H
#define JOBQ_LIVE_WORK_KEEPER_H

#include "jobq/error.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct keeper_rules {
    char *const *word; /* the command, ends with NULL */
    const char
        *pass_env; /* names, by comma, that are passed although they are kept back */
    int64_t memory_bytes; /* RLIMIT_AS; 0: none */
    int64_t cpu_ns;       /* RLIMIT_CPU; 0: none */
};

struct keeper {
    int fd; /* of replies to be read; -1: there is no keeper */
    pid_t pid;
};

/* Starts one. What rules point to, and the environment, are as they are now for its life.
 * UNAVAILABLE: no process or descriptor to be had. */
int keeper_new(struct keeper *keeper, const struct keeper_rules *rules,
               struct jobq_error *err);
/* Has it end everything and itself, and reaps it; then reaps what is left of this process's
 * children. */
void keeper_free(struct keeper *keeper);

enum { KEEPER_ID_MAX = 128, KEEPER_QUEUE_MAX = 88 };
struct keeper_start {
    uint64_t key; /* what its replies are called by */
    int in, out;  /* its standard input; its output and errors */
    int64_t attempt;
    char job_id[KEEPER_ID_MAX], queue[KEEPER_QUEUE_MAX]; /* terminated */
    char state[16];                                      /* JOBQ_STATE; "": none */
    bool has_exit;                                       /* JOBQ_EXIT is exit_code */
    int32_t exit_code;
};
enum keeper_what { KEEPER_STARTED, KEEPER_ENDED };
struct keeper_reply {
    enum keeper_what what;
    uint64_t key;
    int error; /* STARTED: 0, or errno of the exec; the command then ends with 127 */
    bool no_process; /* STARTED: there was none to be had, and no end will follow */
    int status;      /* ENDED: as waitpid has it */
    int64_t cpu_ns;  /* ENDED */
};
/* Asks for a command; a STARTED follows, perhaps behind ENDED of others. UNAVAILABLE: the keeper
 * is gone. */
int keeper_start(struct keeper *keeper, const struct keeper_start *start,
                 struct jobq_error *err);
/* A signal to a command's process group, and CONT so that a stopped one sees it; nothing if it
 * has ended. */
void keeper_signal(struct keeper *keeper, uint64_t key, int signal_number);
/* The next reply. 1: *out is filled; 0: there is none now (wait false); UNAVAILABLE: the
 * keeper is gone. */
int keeper_next(struct keeper *keeper, bool wait, struct keeper_reply *out,
                struct jobq_error *err);

#endif
