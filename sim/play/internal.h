/* internal.h - what the files of the scene share.
 *
 * Room:     sim; sim/play/replication.c and scene_*.c only. */
#ifndef JOBQ_SIM_PLAY_INTERNAL_H
#define JOBQ_SIM_PLAY_INTERNAL_H

#include "base/arena.h"
#include "fleet/enqueue/enqueuer.h"
#include "sim/play/replication.h"

struct scene_box {
    struct scene *scene;
    struct world_box *box;
    int32_t index; /* the box's */
    struct world_proc *proc;
    struct drainer *drainer; /* NULL until its fiber has made it */
    bool running;            /* drainer_run has not returned */
    int64_t busy_slot_ns;    /* filled when the box goes down */
    int64_t taken, cpu_ns;
    struct drainer_counters counters;
};

enum { SCENE_NEWS = 32 };
enum scene_news_kind {
    SCENE_STARTED, /* an attempt */
    SCENE_STORED,  /* a final state, by the one who tells */
    SCENE_FOUND    /* a final state, by another */
};
struct scene_news {
    int64_t at_ns;
    int32_t box;   /* STARTED */
    uint8_t kind;  /* enum scene_news_kind */
    uint8_t state; /* enum jobrec_state, if final */
};

struct scene {
    const struct scenario *scenario;
    const struct world_params *params;
    struct scene_options options;
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
    int feeders;     /* that have not ended */
    bool fed;        /* all jobs were handed over and answered */
    int64_t refused; /* jobs that the client could not enqueue */
    int64_t next_index;
    struct fiber_cond wanted; /* the operator waits: a box is missing */
    int setup_code;
    struct jobq_error setup_error;
    /* The drainers. */
    struct scene_box **boxes; /* in arena, by index of the world's box */
    int64_t boxes_cap;
    int64_t drainers;    /* running */
    int64_t acked, open; /* known to be on the queue; of them not ended */
    int64_t ended, failed_attempts, attempts;
    int64_t cancelled;
    int64_t last_end_ns, last_progress_ns, reconcile_at_ns;
    int64_t last_activity_ns;    /* the last look at which a job was to come or ran */
    int64_t lost;                /* jobs that have neither an end nor a message */
    int64_t drainers_at_give_up; /* that ran when the run was given up */
    /* What jobs, ended, open and the last two instants do not know of yet. */
    struct scene_news news[SCENE_NEWS];
    uint64_t news_key[SCENE_NEWS]; /* of the job's record */
    int news_count;
    bool finishing, gave_up, stopped;
    char *page; /* heap; what was published */
    int64_t page_len, page_cap;
};

/* Makes the client and starts its fibers; when it is set up it calls scene_origin. */
void scene_client_start(struct scene *s);
/* From the client: queue and domains are there. */
void scene_origin(struct scene *s);
/* One box fewer: the operator asks for another. */
void scene_client_want_box(struct scene *s);
/* Every job may have ended: see, and stop the drainers if so. */
void scene_see_end(struct scene *s);
/* A drainer's on_event; ctx is its scene_box. */
void scene_on_event(void *ctx, const struct drainer_event *event);
/* Writes down what news there is. */
void scene_hear(struct scene *s);
void scene_end_job(struct scene *s, struct jobrec *rec, enum jobrec_state state,
                   int64_t at_ns);
struct scene_box *scene_box_of(struct scene *s, struct world_box *box);
/* Counters of a box as of now, into the scene's sums. */
void scene_close_box(struct scene *s, struct scene_box *b);
/* Publish the status page once, from one of the boxes. */
void scene_page_start(struct scene *s);
void scene_fill_result(struct scene *s, struct scene_result *out);

#endif
