/* internal.h - what the files of the world share.
 *
 * Room:     sim; world.c and world_*.c only. */
#ifndef JOBQ_SIM_WORLD_INTERNAL_H
#define JOBQ_SIM_WORLD_INTERNAL_H

#include "sim/world/world.h"

#include "base/arena.h"

struct late_options;
struct world_receive;
struct world_child;

/* One port of one process. */
struct world_port_clock {
    struct jobq_clock port;
    struct world_proc *proc;
};
struct world_port_dice {
    struct jobq_dice port;
    struct world_proc *proc;
};
struct world_port_queue {
    struct jobq_queue port;
    struct world_proc *proc;
};
struct world_port_store {
    struct jobq_store port;
    struct world_proc *proc;
};
struct world_port_fleet {
    struct jobq_fleet port;
    struct world_proc *proc;
};
struct world_port_child {
    struct jobq_child port;
    struct world_proc *proc;
};
struct world_port_board {
    struct jobq_board port;
    struct world_proc *proc;
};

#define WORLD_BOARD_PATHS 16

struct world_page {
    const char *path;
    char *bytes;
    int64_t len, cap;
    int status;
};

/* Lives in its fiber_proc's arena: as long as a call of it is in flight. */
struct world_proc {
    struct jobq_backend backend;
    struct world_port_clock clock;
    struct world_port_dice dice;
    struct world_port_queue queue;
    struct world_port_store store;
    struct world_port_fleet fleet;
    struct world_port_child child;
    struct world_port_board board;
    struct world *world;
    struct fiber_proc *fibers;
    struct world_box *box; /* NULL: off AWS */
    struct dice own;       /* the dice port */
    struct dice call;      /* latencies, and what the models ask for */
    int64_t rtt_ns;
    struct world_receive *receives; /* those that may be aborted */
    struct world_child **children;  /* by handle */
    int children_count, children_cap;
    struct world_child *free_children;
    struct world_page page[WORLD_BOARD_PATHS];
    struct world_question *asked; /* not yet taken, first in first out */
    int64_t questions;
    struct fiber_cond asks;
    struct world_proc *next_on_box;
    const struct late_options *late; /* NULL: no call of it is late */
    int64_t wall_offset_ns;
    bool metadata_down;
    struct world_calls *calls; /* where its calls are counted */
};

struct world_box {
    struct world *world;
    int64_t index; /* EC2's */
    bool up, gone;
    int64_t ready_at_ns; /* first receive; -1: not yet */
    struct box cpu;
    bool cpu_live;       /* cpu is initialised */
    int64_t cpu_used_ns; /* of a box that is down */
    int64_t armed_at_ns;
    struct kernel_event_id armed;
    struct world_proc *procs;
};

struct world {
    const struct world_params *params;
    struct world_options options;
    struct kernel *kernel;
    struct fiber_sched *sched;
    struct sqs *sqs;
    struct simpledb *simpledb;
    struct dynamodb *dynamodb;
    struct world_dynamodb *tables; /* by the port's handles */
    const struct jobq_store_ops
        *store_ops; /* of every process: the store of this world */
    struct ec2 *ec2;
    /* SQS: waiting receives by cookie, and the event at sqs_next_at. */
    struct world_receive **waiter;
    uint32_t waiter_count, waiter_cap, waiter_free;
    int64_t sqs_armed_at_ns;
    struct kernel_event_id sqs_armed;
    struct sqs_received received; /* scratch: too large for a fiber's stack */
    struct sqs_grant grant;
    /* EC2. */
    int64_t ec2_armed_at_ns;
    struct kernel_event_id ec2_armed;
    struct world_box **box;
    int64_t box_count, box_cap;
    uint64_t late_made; /* calls that were late */
    int64_t late_pending;
    const struct world_watch *watch; /* NULL: nobody */
    struct world_calls calls, unmetered;
    world_boot_fn *on_up, *on_down;
    void *boot_ctx;
};

/* A call on its way. The caller's fiber holds it on its stack, which stays until the call
 * was applied, also when the fiber is killed meanwhile. */
struct world_call {
    struct world_proc *proc;
    struct fiber_ticket ticket;
    int64_t reply_ns; /* the leg back; < 0: applied at once */
    int code;
    struct jobq_error *err;
    struct jobq_call_cost *cost;
};

/* Send the call to the server: apply(call, hint) runs there, now or after the request
 * leg, and ends with world_reply. Returns when the reply is there. The hint is for
 * kernel_prefetch_for. */
void world_ask_hinted(struct world_proc *proc, struct world_call *call,
                      kernel_event_fn *apply, enum world_latency_kind kind,
                      uint64_t hint);
static inline void world_ask(struct world_proc *proc, struct world_call *call,
                             kernel_event_fn *apply, enum world_latency_kind kind)
{
    world_ask_hinted(proc, call, apply, kind, 0);
}
/* From apply: send the answer back. May end the caller's memory: the last thing done. */
void world_reply(struct world_call *call);

extern const struct jobq_queue_ops world_queue_ops;
extern const struct jobq_store_ops world_simpledb_ops;
extern const struct jobq_store_ops world_dynamodb_ops;
struct world_dynamodb *world_dynamodb_tables_new(void);
void world_dynamodb_tables_reset(struct world_dynamodb *tables);
void world_dynamodb_tables_free(struct world_dynamodb *tables);
/* As world_rows_next and world_row. */
bool world_dynamodb_rows_next(struct world *w, struct jobq_str queue,
                              struct world_rows *at, struct arena *arena,
                              struct jobq_item *out);
bool world_dynamodb_row(struct world *w, const struct jobq_table *table,
                        struct jobq_str id, struct arena *arena, struct jobq_item *out);
extern const struct jobq_fleet_ops world_fleet_ops;
extern const struct jobq_child_ops world_child_ops;

/* Has the kernel ask for the rows of puts ahead. */
void world_store_prefetch(struct world *w);
void world_dynamodb_prefetch(struct world *w);

/* After every write of rows by a model, with its code: tells who watches. */
void world_watch_rows(const struct world *w, int code, const struct jobq_item *item,
                      int count);

/* After every call of a model: wake who was granted, arm the event of its next change. */
void world_sqs_pump(struct world *w);
void world_ec2_pump(struct world *w);
void world_queue_reset(struct world *w);
void world_fleet_reset(struct world *w);
/* The box has ended: forget the jobs that computed on it. */
void world_box_stop_cpu(struct world_box *box);
/* The process is gone: its jobs no longer compute. */
void world_child_kill_all(struct world_proc *proc);

#endif
