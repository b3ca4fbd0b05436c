/* world.h - the simulated ports: the product's calls, over the models, in virtual time.
 *
 * A world is one kernel, one SQS, one SimpleDB and one DynamoDB, one EC2, and the processes that run against
 * them. Every call of a process is a request leg, the model's answer at the instant the
 * request arrives, and a reply leg; each leg is half of a latency drawn from the model's
 * distribution by the caller's own stream. A call in flight survives its caller: it takes
 * effect although nobody gets the reply. Without latency (the ideal model) a call
 * is applied at once, in the caller's instant, and the fiber does not park.
 *
 * Room:     sim, the virtual-time world.
 * Callers:  replication, torture, the contract suite, benches and tests.
 * Knows nothing of: scenarios, workloads, what the product does with the ports.
 * Blocks:   the port calls park the calling fiber; everything here does not.
 * Units:    nanoseconds since the start of the replication. The wall clock of processes
 *           starts at WORLD_EPOCH_NS.
 *
 * Threads: a world belongs to one thread; struct world_params may be shared by many. */
#ifndef JOBQ_SIM_WORLD_WORLD_H
#define JOBQ_SIM_WORLD_WORLD_H

#include "base/dice.h"
#include "base/text.h"
#include "jobq/ports.h"
#include "models/dynamodb/dynamodb.h"
#include "models/ec2/vcpu.h"
#include "models/ec2/ec2.h"
#include "models/simpledb/simpledb.h"
#include "models/sqs/sqs.h"
#include "sim/kernel/kernel.h"
#include "sim/world/latency.h"
#include "wire/http/wire_bytes.h"

/* 2026-01-01T00:00:00Z, a Thursday; any fixed date would do. */
#define WORLD_EPOCH_NS (INT64_C(1767225600) * JOBQ_NS_PER_S)

/* ---- parameters ------------------------------------------------------------------- */

enum world_latency_kind {
    WORLD_SQS_SEND,
    WORLD_SQS_RECEIVE,
    WORLD_SQS_DELETE,
    WORLD_SQS_OTHER,
    WORLD_SDB_PUT,
    WORLD_SDB_GET,
    WORLD_SDB_SELECT,
    WORLD_SDB_OTHER,
    WORLD_DDB_WRITE,
    WORLD_DDB_READ,
    WORLD_DDB_SCAN,
    WORLD_DDB_OTHER,
    WORLD_EC2,
    WORLD_LATENCY_COUNT
};

struct world_params {
    char model[64];
    struct sqs_params sqs;
    struct simpledb_params simpledb;
    struct dynamodb_params dynamodb;
    struct ec2_params ec2;
    struct latency latency[WORLD_LATENCY_COUNT];
    struct size_client client; /* us-east-1, no session token */
};

/* The parameter set called model. NOT_FOUND names the known ones. Some 40 KiB: never on a
 * fiber's stack. */
int world_params_load(const char *model, struct world_params *out,
                      struct jobq_error *err);
/* One parameter by SECTION.KEY=VALUE of the model's file: "sqs.duplicate_rate=0.01". */
int world_params_set(struct world_params *params, const char *assignment,
                     struct jobq_error *err);

/* ---- worlds ----------------------------------------------------------------------- */

struct world;

struct world_options {
    uint64_t seed;
    double cpu_share;  /* of a job's time: what it computes on its box */
    bool paint_stacks; /* for world_stack_used_max */
    bool dynamodb;     /* the store port is over DynamoDB, not SimpleDB */
};

/* params is borrowed. Owner: the caller frees. */
struct world *world_new(const struct world_params *params,
                        const struct world_options *options);
void world_free(struct world *w);
/* Begin again with other parameters or options, in the memory of the last run. */
void world_reset(struct world *w, const struct world_params *params,
                 const struct world_options *options);

struct kernel *world_kernel(struct world *w);
struct sqs *world_sqs(struct world *w);
struct simpledb *world_simpledb(struct world *w);
struct dynamodb *world_dynamodb(struct world *w);
struct ec2 *world_ec2(struct world *w);
int64_t world_now(const struct world *w);
/* Bytes that the models and the event pools hold. */
int64_t world_memory(const struct world *w);
size_t world_stack_used_max(const struct world *w);

/* ---- what the store holds ---------------------------------------------------------- */

/* The rows of a queue's jobs, as a consistent reader sees them and without a call; begin with
 * a zeroed one. False: no more. Owner: strings live in arena. */
struct world_rows {
    int domain; /* SimpleDB */
    struct simpledb_cursor cursor;
    struct jobq_str after; /* DynamoDB: the id last given */
};
bool world_rows_next(struct world *w, struct jobq_str queue, struct world_rows *at,
                     struct arena *arena, struct jobq_item *out);
/* One row of a table. False: it is not there. */
bool world_row(struct world *w, const struct jobq_table *table, struct jobq_str id,
               struct arena *arena, struct jobq_item *out);

/* Who wants to see what is stored and deleted, at the instant when a model has done it, whoever
 * asked for it and whether or not its reply arrives. Called inside calls of the models: it must
 * not call them. Borrowed; world_reset forgets it. */
struct world_watch {
    void *ctx;
    /* A row was written (item: what was written of it) or, with item->attr_count 0, removed. */
    void (*row)(void *ctx, const struct jobq_item *item);
    /* A message is about to be deleted by its newest receipt. */
    void (*deleted)(void *ctx, int queue, const struct sqs_message *message);
    /* A receive has brought these; next comes its caller's fault hook, in the same instant and
     * on the same fiber. */
    void (*received)(void *ctx, const struct jobq_message *message, int count);
};
void world_watch(struct world *w, const struct world_watch *watch);

/* Calls of all processes that have a ledger, by kind: what their meters should have counted. A
 * caller that was killed is asked and never answered; one that gives up a late call (late.h) is
 * neither. */
struct world_calls {
    int64_t asked[WORLD_LATENCY_COUNT], answered[WORLD_LATENCY_COUNT];
    int64_t gave_up[WORLD_LATENCY_COUNT];
    struct jobq_call_cost sum; /* bytes and BoxUsage of those that were answered */
    int64_t
        receives_dropped; /* of answered: aborted before they arrived, and not billed */
};
const struct world_calls *world_calls(const struct world *w);
enum world_latency_kind world_kind_of(enum jobq_action action);

/* ---- processes -------------------------------------------------------------------- */

struct world_proc;
struct world_box;

/* A process of the product with ports of its own. name is its random stream; index
 * distinguishes many of one name. box: where it runs, NULL: off AWS (a client). ledger:
 * where its calls are counted. rtt_ns: what its distance adds to each call. */
struct world_proc *world_proc_new(struct world *w, const char *name, uint64_t index,
                                  struct world_box *box, struct jobq_ledger *ledger,
                                  int64_t rtt_ns);
/* Its ports; change fault, trace or the tables' pointers at will (decorators). */
struct jobq_backend *world_backend(struct world_proc *proc);
struct fiber_proc *world_fibers(struct world_proc *proc);
/* Kill -9: its fibers end here; its calls in flight happen all the same. */
void world_proc_kill(struct world_proc *proc);
/* The faults of one process's surroundings; they last until they are set again. How far its
 * wall clock is wrong; what its distance adds to each call; no instance metadata. */
void world_set_wall(struct jobq_backend *b, int64_t offset_ns);
void world_set_rtt(struct jobq_backend *b, int64_t rtt_ns);
void world_set_metadata_down(struct jobq_backend *b, bool down);
/* What was last posted under a path; NULL bytes: nothing. Lives until the next post. */
struct jobq_str world_board(struct world_proc *proc, const char *path);
int world_board_status(struct world_proc *proc, const char *path); /* 0: nothing */

/* A request to its board, as a reader's browser makes it. The caller fills the first four and
 * keeps it and its strings until it is answered. */
struct world_question {
    const char *path, *form;
    bool action;
    const char *from;
    bool taken, answered;
    int status;         /* of the answer */
    struct text body;   /* of the answer; the caller releases it */
    char location[200]; /* "": none */
    int64_t number;     /* the world's, as is next */
    struct world_question *next;
};
void world_board_ask(struct world_proc *proc, struct world_question *question);

/* ---- boxes ------------------------------------------------------------------------ */

/* `up` is called when a box is up and its program starts, `down` when it is going, also for
 * one that never came up; its processes are killed right after. Both on the kernel's stack. */
typedef void world_boot_fn(void *ctx, struct world_box *box);
void world_on_boot(struct world *w, world_boot_fn *up, world_boot_fn *down, void *ctx);

/* count boxes that run already: no request, no boot; `up` is called for each, in order,
 * from here. INVALID: no such instance type. */
int world_boxes_running(struct world *w, const char *type, int64_t count, bool spot,
                        struct jobq_error *err);
/* The box dies now: its processes are killed, EC2 ends it as shut down by itself. */
void world_box_die(struct world_box *box);
/* The box's program has ended and shuts it down; as world_box_die, but nothing runs. */
void world_box_shutdown(struct world_box *box);

int64_t world_box_count(const struct world *w); /* ended ones included */
struct world_box *world_box_at(struct world *w, int64_t index);
const struct ec2_instance *world_box_instance(const struct world_box *box);
int64_t world_box_index(const struct world_box *box);
bool world_box_up(const struct world_box *box); /* its program may run */
int32_t world_box_vcpus(const struct world_box *box);
/* vCPU-nanoseconds computed so far. */
int64_t world_box_cpu_ns(const struct world_box *box);
/* When its first receive was asked for; -1: not yet. */
int64_t world_box_ready_at(const struct world_box *box);

#endif
