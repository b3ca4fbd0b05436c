/* internal.h - a replication, for the files that play it.
 *
 * Room:     sim; sim/play/{replication,client,records,result,page}.c only. */
#ifndef JOBQ_SIM_PLAY_INTERNAL_H
#define JOBQ_SIM_PLAY_INTERNAL_H

#include "base/arena.h"
#include "fleet/enqueue/enqueuer.h"
#include "sim/play/replication.h"

struct feeder;
struct scale;

/* A job that is to be enqueued again. */
struct client_job {
    struct workload_job work;
    int64_t index;
};

struct replication_box {
    struct replication *rep;
    struct world_box *box;
    int32_t index; /* the box's */
    struct world_proc *proc;
    struct drainer *drainer; /* NULL until its fiber has made it */
    bool running;            /* from its start until it ends */
    uint64_t starts;         /* of drainers on it */
    int64_t restart_ns;      /* after it was stopped; < 0: the box shuts down */
    int64_t busy_slot_ns;    /* filled when the box goes down */
    int64_t taken, cpu_ns;
    struct drainer_counters counters;
};

struct replication {
    const struct scenario *scenario;
    const struct world_params *params;
    struct replication_options options;
    struct world *world;
    struct jobrec_table jobs;
    struct jobq_ledger *ledger;
    struct arena arena; /* of one play */
    int64_t origin_ns;
    /* The client. */
    struct world_proc *client;
    struct enqueuer *enqueuer;
    struct workload workload;
    struct workload_job ahead; /* the next job, if has_ahead */
    bool has_ahead;
    bool taking; /* a feeder waits for the next arrival; the others wait for it */
    struct fiber_cond turn;
    int feeders;              /* that have not ended */
    struct feeder **feeder;   /* that there are, for what they hold; in arena */
    struct client_job *again; /* were refused, or lost with a client; heap, kept */
    int64_t again_count, again_cap;
    uint64_t client_starts;
    bool client_ready; /* it was set up once */
    int64_t wanted_boxes;
    bool fed;        /* all jobs were handed over and answered */
    int64_t refused; /* jobs that the client could not enqueue */
    int64_t next_index;
    struct fiber_cond wanted; /* the operator waits: a box is missing */
    struct scale *scale;      /* the operator, autoscaled; NULL: none yet, or ended */
    int failure; /* JOBQ_OK, or why the run cannot go on: the client's set-up, a refused drainer */
    struct jobq_error failure_error;
    /* The drainers. */
    struct replication_box **boxes; /* in arena, by index of the world's box */
    int64_t boxes_cap;
    int64_t drainers;    /* running */
    int64_t acked, open; /* known to be on the queue; of them not ended */
    int64_t ended, failed_attempts, attempts;
    int64_t cancelled;
    int64_t last_end_ns, last_progress_ns, reconcile_at_ns;
    int64_t last_activity_ns;    /* the last look at which a job was to come or ran */
    int64_t lost;                /* jobs that have neither an end nor a message */
    int64_t drainers_at_give_up; /* that ran when the run was given up */
    bool finishing, gave_up, stopped;
    bool not_empty; /* boxes are left, long after the last job */
    char *page;     /* heap; what was published */
    int64_t page_len, page_cap;
};

/* Makes the client and starts its fibers; when it is set up it calls replication_origin. An
 * event: rep, 0. */
void client_start(void *replication, uint64_t arg);
/* From the client: queue and domains are there. */
void replication_origin(struct replication *rep);
/* One box fewer: the operator asks for another. */
void client_want_box(struct replication *rep);
/* Whether the autoscaler started a box to stay. */
bool client_box_stays(const struct world_box *box);
/* The client was killed: takes back what its feeders held. */
void client_lost(struct replication *rep);
/* Whether a job has a row; true without a store. */
bool replication_row_exists(struct replication *rep, struct jobq_str id);
/* The boxes that there are, as EC2 counts them. */
int64_t client_boxes_alive(struct replication *rep);
/* Every job may have ended: if so, stop the drainers. */
void replication_check_end(struct replication *rep);
/* A drainer's on_event; ctx is its replication_box. */
void records_on_event(void *ctx, const struct drainer_event *event);
void records_end_job(struct replication *rep, struct jobrec *rec, enum jobrec_state state,
                     int64_t at_ns);
struct replication_box *replication_box_of(struct replication *rep,
                                           struct world_box *box);
/* Counters of a box as of now, into the sums of the run. */
void replication_close_box(struct replication *rep, struct replication_box *b);
/* Publish the status page once, from one of the boxes. */
void replication_publish_page(struct replication *rep);
void result_fill(struct replication *rep, struct replication_result *out);

#endif
