/* internal.h - a run of torture, for the files that play it.
 *
 * Room:     sim; sim/torture only. */
#ifndef JOBQ_SIM_TORTURE_INTERNAL_H
#define JOBQ_SIM_TORTURE_INTERNAL_H

#include "sim/torture/torture.h"

#include "base/arena.h"
#include "base/dice.h"
#include "fleet/enqueue/enqueuer.h"
#include "fleet/job/job.h"
#include "jobq/units.h"
#include "sim/play/run.h"

/* A box, or the place of a client or operator, with the faults of its surroundings. Outlives
 * the processes on it. */
struct torture_place {
    struct torture *t;
    struct world_box *box; /* NULL: off AWS */
    bool used;             /* a process was there */
    int64_t paused_until_ns, half_dead_until_ns;
    bool half_dead_hears; /* its requests arrive, and their replies do not */
    bool denied;          /* its process was denied a call that its work needs */
    int64_t rtt_ns, wall_offset_ns;
};

/* A process: what its fault hook and its child port need. Lives in its arena. */
struct torture_process {
    struct torture *t;
    struct torture_place *place;
    struct jobq_child child, *real_child;
    uint64_t failing[16]; /* by handle: its work fails */
};

/* The last claim that was stored of each job, beside a jobrec of `rows`. */
struct torture_claim {
    enum job_state state;
    bool exists, redriven;
    bool garbage; /* a message without a row was sent for it */
    int32_t attempt;
    int32_t claims, starts;   /* of running */
    int32_t backs, told_back; /* given back: as stored, as reported */
    bool dead_last;           /* dead by its own last attempt */
    bool letter;              /* found among the dead letters */
    bool misled;      /* the reply that brought a message of it was long under way */
    uint64_t token;   /* a hash */
    uint64_t message; /* under which it runs; a hash */
    int64_t at_ns;    /* when it was written */
};

struct torture {
    const struct torture_run *run;
    const struct torture_hooks *hooks; /* NULL: none */
    struct torture_result *out;
    struct replication *replication;
    struct scenario scenario;
    struct world_params *params, *calm; /* calm: outside the time of faults */
    struct world_params *model;         /* as the model has them; read once */
    struct dice fault_dice[TORTURE_FAULT_COUNT];
    struct world *world;
    struct arena arena; /* of one run */
    int64_t origin_ns, from_ns, until_ns;
    int64_t visibility_ns;
    bool started, ended; /* the origin has come */

    /* Faults. */
    double p[TORTURE_FAULT_COUNT]; /* of a call or a job, where the class strikes those */
    uint64_t windows;              /* classes whose window is open now */
    uint64_t denied;               /* actions that are denied while its window is open */
    int64_t late_timeout_ns;       /* what the caller of a late call waits */
    struct torture_place **place;  /* by box, grown; */
    int64_t place_cap;
    struct torture_place client;
    struct jobq_child_ops child_ops;
    int64_t attempts_max, idle_exit_ns, housekeeping_ns;
    int64_t injected_launches; /* RunInstances that the hook made fail */
    /* Calls that were answered while a hook held the answer: not metered if killed there. */
    int64_t held[WORLD_LATENCY_COUNT];

    /* The client's journal: records as lines. */
    struct enqueuer_journal journal;
    struct text lines;

    /* Operators. */
    struct world_proc *operators;
    struct torture_place operators_place;
    struct jobq_ledger ledger; /* theirs */
    int acting;                /* of them, now */

    /* Keys. */
    struct torture_twin *twins; /* the other clients */
    int64_t keyed_jobs;         /* that the client has begun with */

    /* What is stored. */
    struct world_watch watch;
    struct jobrec_table rows; /* by id; its index says the claim */
    struct torture_claim *claim;
    int64_t claim_cap;
    /* The jobs that the last receive brought, by index of claim. */
    struct torture_brought {
        int64_t job[JOBQ_BATCH_MAX];
        int count;
    } brought;
    int64_t open_rows;               /* that hold no final state */
    bool redrove;                    /* dead letters were sent again */
    const struct jobrec_table *jobs; /* what the client and the drainers reported */
};

/* ---- torture.c ----------------------------------------------------------------------- */
static inline bool torture_on(const struct torture *t, enum torture_fault fault)
{
    return t->run->faults & torture_bit(fault);
}
static inline struct dice *torture_dice(struct torture *t, enum torture_fault fault)
{
    return &t->fault_dice[fault];
}
static inline int64_t torture_between(struct dice *dice, int64_t low, int64_t high)
{
    return low + (int64_t)dice_below(dice, (uint64_t)(high - low + 1));
}
/* low_s..high_s in nanoseconds. */
static inline int64_t torture_seconds(struct dice *dice, double low_s, double high_s)
{
    return (int64_t)((low_s + dice_u(dice) * (high_s - low_s)) * 1e9);
}
/* Now is the time of faults. */
bool torture_time(const struct torture *t);
/* Counts a fault, and tells who wants to know. action: -1: of no call. */
void torture_strike(struct torture *t, enum torture_fault fault, int action);
/* Draws whether a fault of the class strikes now; then counts it. */
bool torture_draws(struct torture *t, enum torture_fault fault, int action);
void torture_branch(struct torture *t, enum torture_branch branch);
/* Notes the first thing that is wrong: which check, and what it saw. */
void torture_find(struct torture *t, const char *check, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* ---- plan.c -------------------------------------------------------------------------- */
int plan_make(struct torture *t, struct jobq_error *err);
/* Jobs that fail, and those that kill their drainer, are known by the last digits of their own
 * time in nanoseconds. */
enum { JOB_FAILS_NS = 666, JOB_CRASHES_NS = 667 };
static inline bool torture_job_is(int64_t job_ns, int kind)
{
    return job_ns % 1000 == kind;
}

/* ---- inject.c ------------------------------------------------------------------------ */
/* Puts the faults of a place between a process and its ports. */
void inject_process(struct torture *t, struct torture_place *place,
                    struct jobq_backend *b);
struct torture_place *inject_place(struct torture *t, struct world_box *box);
/* At the origin: plans what strikes by itself. */
void inject_start(struct torture *t);
/* One of the boxes that are up, by a draw; NULL: none is. */
struct world_box *inject_a_box(struct torture *t, uint64_t draw);

/* ---- operate.c ----------------------------------------------------------------------- */
/* At the origin: starts the operators of the classes that are on, and the one who ends the run
 * in the quiet phase. */
void operate_start(struct torture *t);

/* ---- keyed.c ------------------------------------------------------------------------- */
enum { KEYED_BYTES = 32 };
/* Whether jobs have keys in this run. */
bool keyed_on(const struct torture *t);
/* The key of a job, at out (KEYED_BYTES). Returns its length. */
int keyed_write(int64_t index, char *out);
/* The client begins with its next job, of so much work. */
void keyed_job(struct torture *t, int64_t work_ns);
/* Each key has one job, whoever asked. rows: all that are stored; marked in passing. */
void keyed_check_end(struct torture *t, struct jobrec_table *rows);

/* ---- monitor.c ----------------------------------------------------------------------- */
void monitor_start(struct torture *t);
/* The last claim of a job, made when it is not there. */
struct torture_claim *monitor_claim(struct torture *t, struct jobq_str id);
/* A drainer starts a job's work. */
void monitor_child(struct torture *t, const struct jobq_work *work);
void monitor_event(struct torture *t, const struct drainer_event *event);
void monitor_exit(struct torture *t, int code);

/* ---- check.c ------------------------------------------------------------------------- */
/* Of rows and queues, at the end. */
void check_end(struct torture *t, int queue);
/* Of the meters. */
void check_calls(struct torture *t, const struct jobq_ledger *ledger);

#endif
