/* replication.h - plays one replication of a scenario: a client, a queue, boxes, drainers.
 *
 * Room:     sim, the virtual-time world.
 * Callers:  run, the sweep, torture, benches, tests.
 * Knows nothing of: how results are printed, replications, threads.
 * Units:    nanoseconds; instants of a result count from the replication's origin, when queue and
 *           domains were there and the first job could come.
 *
 * The cast. A client process: opens the queue, makes the domains of the day, enqueues the
 * workload (as many calls at once as scenario.clients) and drops old domains once a day.
 * An operator in it keeps scenario.boxes boxes running, or is fleet/scale/scale.h. A drainer process on each box.
 * The run ends when every job has come to an end; the drainers are then stopped, flush what
 * they hold, and their boxes shut down. */
#ifndef JOBQ_SIM_PLAY_REPLICATION_H
#define JOBQ_SIM_PLAY_REPLICATION_H

#include "cost/bill/bill.h"
#include "fleet/drain/drainer.h"
#include "sim/play/jobrec.h"
#include "scenario/scenario.h"
#include "sim/world/world.h"

#include <stdatomic.h>

/* Statistics of a set of durations, in seconds; percentiles by nearest rank. */
struct replication_times {
    int64_t count;
    double mean, p50, p95, p99, max;
};

enum replication_resource {
    RESOURCE_ARRIVALS, /* nothing binds: the fleet waits for jobs */
    RESOURCE_SLOTS,
    RESOURCE_VCPU,
    RESOURCE_DOMAINS,
    RESOURCE_IN_FLIGHT,
    RESOURCE_LAUNCH,
    RESOURCE_COUNT
};
/* "SimpleDB domains", ... and as JSON says it: "domains", ... Static storage. */
const char *replication_resource_name(enum replication_resource resource);
const char *replication_resource_key(enum replication_resource resource);

struct replication_capacity {
    double ceiling_per_s[RESOURCE_COUNT]; /* jobs a second; HUGE_VAL: no limit */
    double used[RESOURCE_COUNT];          /* share of it, 0..1 and a little more */
    enum replication_resource binding;
};

struct replication_result {
    /* Jobs. enqueued: those that the client knows to be on the queue. */
    int64_t enqueued, refused, done, dead, cancelled, expired, queued;
    int64_t lost;       /* that have neither an end nor a message that could bring it */
    int64_t failed;     /* attempts that failed and were to be tried again */
    int64_t duplicates; /* deliveries that were not run */
    int64_t attempts;
    struct replication_times wait_s;    /* enqueue to the first start */
    struct replication_times sojourn_s; /* enqueue to the final state */
    double makespan_s;                  /* first enqueue to the last end */
    double throughput_per_s;            /* jobs that ended over the makespan */
    double utilisation; /* slot time in attempts over slot time of ready boxes */
    struct replication_capacity capacity;
    struct jobq_ledger *ledger;                   /* heap; owner: the result */
    int64_t requests_per_job[JOBQ_SERVICE_COUNT]; /* numerators: what comes with jobs, not
                                                     with queues, domains and boxes */
    double usd; /* set by run_price; NAN: a price is missing */
    double usd_service[BILL_SERVICE_COUNT];
    int64_t events, switches;
    int64_t peak_bytes; /* models and event pools at the end, when all rows are there */
};

void replication_result_init(struct replication_result *result);
void replication_result_release(struct replication_result *result);

/* What a caller may change while a replication is played. All may be NULL; called on the world's
 * own thread, outside fibers. */
#define REPLICATION_KEY_MAX 32
struct replication_hooks {
    void *ctx;
    /* A process was made and its fibers have not run: decorate its ports. box NULL: the
     * client. */
    void (*process)(void *ctx, struct world *w, struct jobq_backend *b,
                    struct world_box *box);
    /* The origin: schedule faults on the world's kernel. */
    void (*origin)(void *ctx, struct world *w);
    /* Every job has ended and the drainers have flushed; rows and queue are as they are. */
    void (*end)(void *ctx, struct world *w, int queue);
    void (*event)(void *ctx, const struct drainer_event *event);
    /* Is there a pending event that the end must wait for? */
    bool (*pending)(void *ctx);
    /* A drainer is about to be made with these options. */
    void (*drainer)(void *ctx, struct world_box *box, struct drainer_options *options);
    /* It has ended: what drainer_new or drainer_run returned. */
    void (*drained)(void *ctx, struct world_box *box, int code);
    /* A job is about to be enqueued for the first time: its own time may be changed. */
    void (*job)(void *ctx, int64_t *job_ns);
    /* The key of the client's job of this number, at out (REPLICATION_KEY_MAX bytes). Returns its
     * length; 0: it has none. */
    int (*key)(void *ctx, int64_t index, char *out);
    /* Of the client; read once it is made. NULL: none. */
    const struct enqueuer_journal *journal;
};

struct replication;

struct replication *replication_new(void);
void replication_free(struct replication *replication);

struct replication_options {
    uint64_t replication; /* 0..: its own streams of the scenario's seed */
    bool keep_ids;        /* for --jobs-csv */
    bool page;            /* publish the status page when half of the jobs have ended */
    bool paint_stacks;
    const struct replication_hooks *hooks; /* NULL: none */
    _Atomic int64_t *progress; /* ended jobs are added, some at a time; NULL: none */
    bool until_empty;          /* end only when nothing is left on the queue either */
    /* End only when the drainers have ended by themselves, being idle, and no box is left. */
    bool until_no_box;
    /* As a service manager does: a drainer or client that has ended with an error is started
     * again after so long, and jobs that were refused are enqueued again. 0: a permanent
     * refusal ends the run. */
    int64_t restart_ns;
    double box_hour_usd; /* for the autoscaler's cap; 0, NAN: not known */
    int64_t give_up_ns;  /* fail when nothing has arrived, run or ended for so long;
                                  0: 15 days */
};

/* Plays it. params are those of scenario->model. Returns: JOBQ_OK; TIMEOUT: jobs did not
 * end, and what waits (the result is filled as far as it went); else the error of the
 * client's set-up, or the one that a drainer was permanently refused with. The memory of
 * the last play is used again. */
int replication_play(struct replication *replication, const struct scenario *scenario,
                     const struct world_params *params,
                     const struct replication_options *options,
                     struct replication_result *out, struct jobq_error *err);

/* ---- for who plays the operator, or fate; between events or from a fiber of its own --------- */

/* The drainer of a box; NULL: none runs. Until time moves. */
struct drainer *replication_drainer(struct replication *replication,
                                    struct world_box *box);
/* The ports of the drainer's process of a box, or (box NULL) of the client's; NULL: there is none. */
struct jobq_backend *replication_backend(struct replication *replication,
                                         struct world_box *box);
/* Kill -9 of a box's drainer, if one runs, or of the client; it is started again after
 * after_ns. Not from a fiber of that process. */
void replication_kill_drainer(struct replication *replication, struct world_box *box,
                              int64_t after_ns);
void replication_kill_client(struct replication *replication, int64_t after_ns);
/* Stops a box's drainer in good order within within_ns. after_ns < 0: then its box shuts down;
 * else it is started again after that time. */
void replication_stop_drainer(struct replication *replication, struct world_box *box,
                              int64_t within_ns, int64_t after_ns);
/* So many boxes are wanted from now on. */
void replication_want_boxes(struct replication *replication, int64_t boxes);

/* Of the last play, until the next. */
const struct jobrec_table *replication_jobs(const struct replication *replication);
int64_t replication_origin_ns(const struct replication *replication);
struct world *replication_world(struct replication *replication);
/* The page as published; NULL bytes without one. */
struct jobq_str replication_page(const struct replication *replication);

/* The seed of a replication's streams. */
uint64_t replication_seed(uint64_t seed, uint64_t replication);

#define REPLICATION_QUEUE "jobs"
/* The longest run: a job of as long and the 56 years of the wall clock's start still fit the
 * 292 years of an int64 of nanoseconds. */
#define REPLICATION_MAX_NS (INT64_C(100) * 365 * JOBQ_NS_PER_DAY)

#endif
