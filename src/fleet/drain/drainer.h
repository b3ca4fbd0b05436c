/* drainer.h - takes jobs from a queue and runs n of them at a time.
 *
 * Room:     src/fleet, the product; the same object runs in sim and live.
 * Callers:  the sim's actor starter and jobq drain.
 * Knows nothing of: AWS, virtual time, what anything costs.
 * Blocks:   at port calls only.
 *
 * Of one process: receives (receive.c), one fiber a running job (attempt.c: claim, child,
 * final put), one beat (fleet/drain/heartbeat.c), lingering deletes (deleter.c), stop (stop.c). They share
 * struct drainer and nothing else.
 *
 * A slot is taken when an attempt starts and free when its final put returns; the delete
 * follows. Without prefetch a receive asks for min(10, free slots) as soon as one is
 * free. With it the process holds up to P messages beyond its slots, covered by the same
 * beat.
 *
 * A message is deleted only after a final state was stored (or the store is not used),
 * and only with the newest handle. A refused heartbeat means that ownership is lost: its
 * child is stopped, nothing is stored, nothing deleted.
 *
 * Tests that need a drainer that misbehaves (deletes before it stores, sends no
 * heartbeat, deletes with an old handle, claims without condition) put a decorator before
 * the port tables in struct jobq_backend: every effect of a drainer passes there.
 * Examples: a queue table whose set_visibility answers success without a call; a store
 * table whose put drops `expect`; a queue table that remembers each message's first
 * receipt and removes with that; a store table whose put of a final state first removes
 * the message whose receipt the queue table noted. */
#ifndef JOBQ_FLEET_DRAIN_DRAINER_H
#define JOBQ_FLEET_DRAIN_DRAINER_H

#include "fleet/job/job.h"
#include "fleet/port/health.h"
#include "jobq/ports.h"

#include <stdbool.h>

struct drainer;

/* The slots of a process that drains several queues. Each queue has a drainer, with a weight:
 * while all have work, they have slot time in proportion to their weights; what a queue does
 * not need goes to the others. None starves. A message that comes while all slots are busy
 * waits here for the next that is free: one a queue, or what it fetches ahead. */
struct drainer_share;
/* slots: 1..DRAINER_SLOTS_MAX. Owner: the process b->proc. */
struct drainer_share *drainer_share_new(struct jobq_backend *b, int slots);

#define DRAINER_SLOTS_MAX 100000
#define DRAINER_WEIGHT_MAX 1000
#define DRAINER_PREFETCH_MAX 1000
#define DRAINER_AUTO (-1)

enum drainer_event_kind {
    DRAINER_STARTED, /* the claim is stored, the child is about to start */
    DRAINER_ENDED, /* an attempt has ended and its outcome is stored: state says which */
    DRAINER_GAVE_BACK, /* stopped; the row is queued again */
    DRAINER_LOST,      /* ownership lost, or a final put refused: nothing is reported */
    DRAINER_NOTICE, /* of no one job: what an operator should know; text says it. Calls that
                       fail and recover (fleet/port/health.h), jobs that cannot be run here */
    DRAINER_SKIPPED /* a duplicate, a finished or a cancelled job, an unreadable message
                     */
};

/* Strings die with the call; job_id is "-" where no job is meant. Instants are on jobq_now's clock. */
struct drainer_event {
    enum drainer_event_kind kind;
    struct jobq_str job_id;
    enum job_state state; /* ENDED: done, failed, dead; SKIPPED: as found */
    int32_t attempt;
    int64_t enqueued_wall_ns; /* when the message was sent */
    int64_t started_at_ns, ended_at_ns;
    int64_t payload_bytes;                 /* as encoded */
    const struct jobq_work_result *result; /* ENDED only; else NULL */
    const char *text; /* why, for SKIPPED and LOST; the notice itself; else "" */
};
typedef void drainer_event_fn(void *ctx, const struct drainer_event *event);

/* What an option says of itself is what is done: 0 is none, JOBQ_FOREVER is never, and
 * DRAINER_AUTO, where it is allowed, leaves the choice to the drainer. drainer_defaults
 * gives the values in brackets. */
struct drainer_options {
    const char *queue;
    int slots;       /* n, 1..DRAINER_SLOTS_MAX */
    int prefetch;    /* P messages beyond the slots, or DRAINER_AUTO [auto] */
    int batch;       /* entries a receive and a delete, 1..10 [10] */
    int receives;    /* receives under way at once while there is a backlog [4] */
    int deletes;     /* deletes under way at once [4] */
    int64_t wait_ns; /* long poll, 0..20 s [20 s] */
    int64_t
        visibility_ns; /* 1 s..12 h, sent with each receive; DRAINER_AUTO: the queue's own, read
                              once from its attributes (one request) [auto] */
    /* Of jobs that do not say their own (job_limits): */
    int max_attempts;                    /* dead after so many [5] */
    int64_t retry_base_ns, retry_cap_ns; /* before attempt k + 1: up to base * 2^(k-1),
                                            capped, jittered [10 s and 15 min] */
    int64_t time_limit_ns;               /* of one attempt [JOBQ_FOREVER] */
    int64_t kill_grace_ns;               /* TERM to KILL [5 s] */
    int64_t linger_ns; /* a delete waits at most so long for others to go with. Bounded by
                          a quarter of the visibility [5 s] */
    int64_t cancel_check_ns; /* look at running rows for a cancel every so often: one
                                GetAttributes (about 1.3 micro-dollars) a running job each
                                time. JOBQ_FOREVER: only when a claim finds one, or a final
                                put [JOBQ_FOREVER] */
    int64_t
        progress_ns;   /* a running job's "progress N%" goes to its row at most so often,
                            and only when it has changed: one put (about 3 micro-dollars)
                            each, none for a job that ends before. DRAINER_AUTO: half the
                            visibility, at most a minute [auto] */
    int64_t notice_ns; /* poll for a spot notice so often; 5 s is usual [JOBQ_FOREVER] */
    int64_t notice_margin_ns; /* be done so long before the box goes [5 s] */
    int64_t stats_ns; /* statistics row at most so often (>= 1 min advised; one put of one
                         attribute) [1 min] */
    int64_t housekeeping_ns; /* one drainer of the queue keeps house about so often
                                (fleet/housekeeping/housekeeping.h); JOBQ_FOREVER: never
                                [1 h] */
    int64_t keep_ns;      /* of rows, from the end of their day; longer than the queue's
                             retention and 12 h [21 d] */
    int64_t idle_exit_ns; /* return when nothing was visible, delayed, in flight or held
                             for so long; 0: at the first time [JOBQ_FOREVER] */
    bool
        idle_alone; /* idle is who holds nothing and finds nothing visible, whatever others
                        hold: a scaler starts boxes when that comes back [false] */
    int64_t
        retry_for_ns; /* how long a call is tried again while a job is held [10 min] */
    const char
        *box;  /* how rows name this box; NULL: the fleet port's self, or "-" [NULL] */
    bool exec; /* the world has a command for exec jobs. Without one they are left for
                        other drainers, which is said once [true] */
    enum job_rows rows; /* [JOB_ROWS_ALL] */
    bool create; /* make queue, dead-letter queue and tables that are missing [false] */
    /* NULL: the slots are this drainer's alone. Else `slots` is not read, and the drainers need
     * a struct jobq_backend each, for its outcome hook; copies of one will do. All end idle
     * together, once each has been quiet for its idle_exit_ns [NULL] */
    struct drainer_share *share;
    int weight;                 /* in share, 1..DRAINER_WEIGHT_MAX [1] */
    drainer_event_fn *on_event; /* NULL: none [NULL] */
    void *event_ctx;
};
struct drainer_options drainer_defaults(const char *queue, int slots);

/* Opens the queue (and its dead-letter queue). Returns: JOBQ_OK; INVALID, LIMIT: an
 * option; NOT_FOUND: no such queue; or the port's error. Owner: the process b->proc. */
int drainer_new(struct jobq_backend *b, const struct drainer_options *options,
                struct drainer **out, struct jobq_error *err);

/* Drains on the calling fiber and others that it starts, until stopped or idle. Returns:
 * JOBQ_OK, everything was finished or given back; TIMEOUT: the stop's deadline came first
 * and what was held comes back by its visibility; DENIED, a call that it needs is refused,
 * NOT_FOUND, the queue or the rows are gone, and the like: it could not go on, and has
 * given back what it held as far as that was allowed. */
int drainer_run(struct drainer *d, struct jobq_error *err);

/* Take no more work, run what is held and finish or give back by deadline_at_ns (on
 * jobq_now). A second call gives back at once. Blocks: no. */
void drainer_stop(struct drainer *d, int64_t deadline_at_ns);
/* Take no more work, or take it again; what runs goes on. */
void drainer_quiet(struct drainer *d, bool quiet);
/* n becomes slots (1..DRAINER_SLOTS_MAX), of the whole share; running attempts above it
 * finish. */
void drainer_resize(struct drainer *d, int slots);

/* If the job runs here, its attempt is ended and its result dropped: its row says cancelled
 * already. Blocks: no. */
bool drainer_cancel(struct drainer *d, struct jobq_str job_id);

struct drainer_counters {
    int64_t received, receives, empty_receives; /* messages, calls, calls without one */
    int64_t duplicates; /* deliveries that were not run: held here, running elsewhere,
                           ended */
    int64_t attempts, takeovers;
    int64_t done, failed, dead, cancelled, gave_back, lost, corrupt;
    int64_t deletes, delete_calls, beats, beat_calls;
    int64_t retries;      /* of calls */
    int64_t stale_writes; /* final puts refused because the attempt was no longer ours */
    int64_t busy_slot_ns; /* sum over ended attempts, claim to final put */
    int64_t work_ns;      /* of that, the child's own */
    int64_t cpu_ns;       /* CPU time of the commands of ended attempts */
};

enum drainer_mode { DRAINER_RUNNING, DRAINER_QUIET, DRAINER_STOPPING, DRAINER_STOPPED };

/* What the page shows of a process. */
struct drainer_view {
    enum drainer_mode mode;
    bool idle;  /* STOPPED: by its queue's quiet, nobody stopped it */
    bool polls; /* it receives, or should: it has room */
    int slots, busy, held, deletes_waiting; /* held: received and not yet running */
    int prefetch;                           /* as it is now, if automatic */
    int64_t visibility_ns;
    int64_t started_wall_ns, last_receive_at_ns; /* 0: none yet */
    int64_t waited_ns; /* how long jobs wait: the longest of the last receive that brought
                          new ones; 0: none yet */
    int64_t last_poll_at_ns; /* a receive ended then, well or not; 0: none yet */
    int64_t notice_wall_ns;  /* the box goes then; 0: no notice */
    char id[24];             /* of this drainer: what its statistics row is called */
    char box[24];
    char trouble[HEALTH_LINE_MAX]; /* the call that has failed for longest; "": none */
    struct drainer_counters counters;
};
void drainer_view(const struct drainer *d, struct drainer_view *out);

/* A running attempt, for the page's list of slots. */
struct drainer_slot {
    struct jobq_str job_id; /* good until the caller parks */
    enum jobq_work_kind kind;
    int32_t attempt;
    int64_t started_at_ns;
    int64_t visible_at_ns; /* when its message would come back without a beat */
    int progress_percent;  /* -1: none */
};
/* Returns how many were written, at most cap, oldest first. */
int drainer_slots(const struct drainer *d, struct drainer_slot *out, int cap);

#endif
