/* stage.h - a small stage for tests of the product: a world, a client, drainers.
 *
 * Room:     tests/unit, a helper.
 * Callers:  test_enqueuer, test_drainer, test_status and their kin.
 *
 * The product runs on the simulated ports. What a job's work does is scripted (its exit
 * code and time), calls can be made to fail or to lose their reply, and rows and queue are
 * read by a process of its own whose calls nobody counts. */
#ifndef JOBQ_TESTS_UNIT_FLEET_STAGE_H
#define JOBQ_TESTS_UNIT_FLEET_STAGE_H

#include "fleet/drain/drainer.h"
#include "fleet/enqueue/enqueuer.h"
#include "fleet/status/status.h"
#include "jobq/units.h"
#include "sim/world/world.h"

#define STAGE_QUEUE "q"
#define STAGE_JOBS_MAX 4096
#define S JOBQ_NS_PER_S

struct stage;

/* What the work of an attempt does: sets exit_code; < 0 leaves it to the world. */
typedef int stage_script_fn(void *ctx, struct jobq_str job_id, int attempt);

struct stage_fault { /* the n-th call of this action from now (1: the next) is hit */
    enum jobq_action action;
    enum jobq_fault_phase phase;
    int64_t at, count; /* from the at-th on, count of them */
    int code;
    int64_t seen;
};

struct stage_drainer {
    struct stage *stage;
    struct world_proc *proc;
    struct jobq_backend *b;
    struct drainer *d;
    struct drainer_options options;
    struct jobq_ledger ledger;
    struct stage_fault fault[4];
    int fault_count;
    bool returned;
    int code;
    struct jobq_error err;
    int started, ended, lost, skipped, gave_back;
    struct drainer_event last;
    int notices;
    char notice[4 * HEALTH_LINE_MAX]; /* all of them, as far as they fit, in lines */
    struct jobq_child child;          /* the script's, before the world's */
    struct jobq_child *real_child;
    char ids[64][JOB_ID_MAX + 1]; /* of children by handle, for the script */
    int attempts[64];
};

struct stage {
    struct world_params *params;
    struct world *w;
    struct kernel *k;
    struct world_proc *client, *reader;
    struct jobq_backend *b; /* the client's */
    struct jobq_ledger ledger, reader_ledger;
    struct enqueuer_options enqueue;
    struct enqueuer *e;
    struct stage_drainer drainer[8];
    int drainer_count;
    stage_script_fn *script;
    void *script_ctx;
    char id[STAGE_JOBS_MAX][JOB_ID_MAX + 1]; /* of what stage_enqueue acknowledged */
    int jobs;
};

/* A world of that model, with the queue made (visibility 30 s). */
struct stage *stage_new(const char *model, int64_t visibility_ns);
void stage_free(struct stage *st);
/* fn(ctx) on a fiber of the client (or another process), until it returns. */
void stage_do(struct stage *st, void (*fn)(void *ctx), void *ctx);
void stage_do_in(struct stage *st, struct world_proc *proc, void (*fn)(void *ctx),
                 void *ctx);
/* count jobs of `seconds`, one call each if one_by_one. Asserts that all are acknowledged. */
void stage_enqueue(struct stage *st, int count, const char *seconds);
/* A drainer process: change ->options before the world runs on. */
struct stage_drainer *stage_drain(struct stage *st, int slots);
void stage_kill(struct stage_drainer *sd);
void stage_run_for(struct stage *st, int64_t ns);
/* Makes calls of that drainer fail. */
void stage_fail(struct stage_drainer *sd, enum jobq_action action,
                enum jobq_fault_phase phase, int64_t at, int64_t count, int code);

/* The row of job i; strings live until the next. */
/* Writes one attribute of a job's row as nobody of the product does: damage. */
void stage_damage(struct stage *st, const char *id, const char *name, const char *value);
struct job_row stage_row(struct stage *st, const char *id);
enum job_state stage_state(struct stage *st, int job);
int stage_count(struct stage *st, enum job_state state);
struct jobq_queue_depth stage_depth(struct stage *st, const char *queue);
/* Requests of an action, client and drainers together. */
int64_t stage_requests(const struct stage *st, enum jobq_action action);
int64_t stage_sqs_requests(const struct stage *st);

#endif
