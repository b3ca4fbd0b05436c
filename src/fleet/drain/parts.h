/* parts.h - what the drainer's files share: one process's struct and its messages.
 *
 * Room:     src/fleet, private to drainer.c, receive.c, share.c, fleet/drain/inflight.c, claim.c, attempt.c, fleet/drain/heartbeat.c,
 *           deleter.c, stop.c and fleet/drain/monitor.c.
 *
 * A message is held from the receive that brought it until it is deleted, given back or
 * lost. Held messages are in a table by message id, so that a second delivery of one that is
 * here only brings its newest handle; those that still need cover are in the beat's list,
 * oldest cover first. */
#ifndef JOBQ_FLEET_DRAIN_PARTS_H
#define JOBQ_FLEET_DRAIN_PARTS_H

#include "base/arena.h"
#include "fiber/fiber.h"
#include "fleet/drain/drainer.h"
#include "fleet/port/retry.h"
#include "fleet/rows/rows.h"

/* The strings of one receive, kept while one of its messages needs them. */
struct drain_batch {
    struct drain_batch *next;
    struct arena strings;
    int users;
};

/* SQS hides a message for 12 h in all from its receive (developer guide, visibility timeout);
 * the service's clock started a little before ours. */
#define DRAIN_HIDDEN_MAX_NS (12 * JOBQ_NS_PER_HOUR - 5 * JOBQ_NS_PER_S)

/* An exec job without a command is hidden for longer from look to look, at most for an hour:
 * after 1 s, doubled each time, from this look on. */
#define EXEC_LOOKS_MAX 13

enum held_place { HELD_BUFFERED, HELD_RUNNING, HELD_AFTER, HELD_DELETING };

/* One message that this process holds. */
struct held {
    struct drainer *d;
    struct held *beat_prev, *beat_next; /* of those that need cover */
    struct held *run_prev, *run_next;   /* of the running attempts */
    struct held *next; /* of the buffer, of the deletes, or of the free ones */
    struct held *hash_next;
    uint64_t hash;
    struct jobq_message message;
    struct drain_batch *batch;         /* of everything but the receipt */
    struct drain_batch *receipt_batch; /* of the newest receipt */
    int64_t received_at_ns;            /* with the newest receipt */
    int64_t covered_at_ns;             /* when its visibility last began */
    int64_t sure_until_ns; /* for all that is known nobody else receives it before */
    int64_t delete_by_ns;
    enum held_place place;
    int calls;     /* in flight that read this */
    bool in_beat;  /* in the beat's list */
    bool released; /* waits only for its last call */

    /* Why an attempt does not come to its own end. */
    const char
        *lost;      /* why it is ours no longer: neither store nor delete; NULL: it is */
    bool give_back; /* stopping: end the child and return the message */
    bool cancelled; /* the row says so */
    bool timed_out;
    bool
        at_limit; /* its queue says that it cannot be hidden for a whole visibility more */
    bool too_long; /* of timed_out: by the queue's limit, not by an option */

    /* The attempt. */
    struct job_body body;
    int64_t started_at_ns;
    int64_t deadline_ns; /* of calls being tried again */
    int64_t charged_ns;  /* for its slot, at its start (share.c) */
    int32_t attempt;
    int token_bytes; /* 0: no claim made yet */
    char token[JOB_TOKEN_MAX];
    int table;              /* of its row */
    int child;              /* -1: none running */
    int progress;           /* percent; -1: none reported */
    int progress_stored;    /* percent; -1: none */
    int64_t progress_at_ns; /* when it was stored */
};

struct held_list { /* first in, first out, by next */
    struct held *first, *last;
    int count;
};

/* The slots of a process, and who shares them. */
struct drainer_share {
    int slots, busy;
    int64_t turn_ns;       /* of the drainer that started the last attempt, before it */
    struct drainer *first; /* of its drainers, by share_next */
};

struct drainer {
    struct jobq_backend *b;
    struct drainer_options options;
    struct jobq_str queue_name, box;
    struct arena *memory; /* the process's */
    int queue, dead_queue;
    char id[24];
    char token[9];
    int64_t claims; /* made by this process, for unique tokens */
    int64_t visibility_ns;
    int64_t retention_ns; /* of the queue */
    int64_t linger_ns;
    int64_t progress_ns; /* <= 0: never */

    enum drainer_mode mode;
    bool ended, idle, stopping, giving_back, stop_again;
    bool house_asked;        /* whether it is our turn to keep house */
    bool exec_told;          /* that there is no command for exec jobs */
    bool limits_watched;     /* a fiber ends attempts that reach the 12 h */
    bool progress_told;      /* a job has, and a fiber watches */
    int64_t stop_at_ns;      /* the deadline of a stop */
    int64_t give_up_at_ns;   /* no call is tried again beyond; JOBQ_FOREVER */
    struct jobq_error fatal; /* why it cannot go on; JOBQ_OK: it can */
    struct health health;
    /* Exec jobs that are hidden, for there is no command: by how often each was received. */
    struct drain_hidden {
        int64_t until_ns, count;
    } exec_hidden[EXEC_LOOKS_MAX];
    int64_t not_returned; /* messages whose giving back failed */
    int64_t notice_wall_ns;

    struct drainer_share *share;
    struct drainer *share_next;
    int64_t turn_ns;     /* slot time by weight; the least is next */
    int64_t asked_at_ns; /* when the last receive began */
    bool begun;          /* drainer_run was called */
    bool found_nothing;  /* the last receive brought nothing */
    int busy;
    int prefetch;        /* as it is now */
    int receiving;       /* receives in flight */
    int receivers;       /* fibers */
    int promised;        /* messages that they may bring */
    int full_receives;   /* in a row: there is a backlog */
    int64_t mean_job_ns; /* claim to final put, moving average */
    int64_t mean_receive_ns;
    int64_t quiet_since_ns; /* nothing anywhere since; -1 */
    bool elsewhere;         /* the last look found messages that others hold */

    struct held_list buffer, deletes;
    int deletes_held;     /* waiting or in flight */
    int deletes_starting; /* calls that have not yet taken theirs */
    int delete_calls, beat_calls;
    int after; /* attempts that have left their slot and not yet ended */
    int held_count;
    struct held *run_first, *run_last;
    struct held *beat_first, *beat_last;
    int64_t beat_interval_ns;
    int64_t tick_until_ns; /* until when the ticker sleeps */

    struct held **table; /* table_size buckets, a power of two */
    size_t table_size;
    struct held *unused_held;
    struct drain_batch *unused_batch;
    struct rows_tables tables;
    /* Making a table that no enqueuer makes. */
    bool makes_table;
    int64_t tables_made;
    struct fiber_cond table_made;

    struct fiber_cond room;    /* receivers wait for something to receive into */
    struct fiber_cond tick;    /* the ticker waits for its next due time */
    struct fiber_cond changed; /* drainer_run waits for the end */
    struct fiber_cond beaten;  /* giving back waits for heartbeats that are under way */
    struct fiber_cond watch;   /* the slow watchers wait for their next look */

    int64_t started_wall_ns, last_receive_at_ns, last_poll_at_ns;
    int64_t waited_ns; /* from send to first receive, the longest of the last messages */
    int64_t stats_written; /* what the statistics row last summed to */
    struct drainer_counters counters;
};

/* ---- fleet/drain/inflight.c -------------------------------------------------------------------------- */
struct drain_batch *batch_take(struct drainer *d);
void batch_put(struct drainer *d, struct drain_batch *batch); /* one user less */
/* Takes a received message in: a new one, which goes to the buffer, or the newest handle of
 * one that is here already. By hidden_at_ns the queue had hidden it. */
void held_receive(struct drainer *d, struct drain_batch *batch,
                  const struct jobq_message *message, int64_t hidden_at_ns);
/* Lets go of it, here and in every list but buffer and deletes. */
void held_release(struct held *h);
void held_unpin(struct held *h); /* the end of a call that read it */
/* A process that was stopped, or was answered late, may find that another has the job by now,
 * or has ended it. Asked before each claim, which must not be made for a message that is
 * another's, and before the work. False: h->lost says why. */
bool held_is_hidden(struct held *h);
void held_push(struct held_list *list, struct held *h);
struct held *held_pop(struct held_list *list);
/* Asks for the memory of the first, in two steps: itself, and when that is there its text. */
void run_append(struct held *h);
void run_remove(struct held *h);
void beat_soon(struct held *h); /* due at once */
void beat_append(struct held *h, int64_t covered_at_ns);
void beat_remove(struct held *h);

/* ---- receive.c ----------------------------------------------------------------------- */
/* Starts attempts for what is buffered and receives for what there is room. */
void drain_pump(struct drainer *d);
int receive_want(const struct drainer *d);

/* ---- share.c --------------------------------------------------------------------------- */
void share_join(struct drainer *d, struct drainer_share *share);
void share_leave(struct drainer *d);
/* d's part of the slots, by weight, rounded up. */
int share_slots(const struct drainer *d);
/* How many messages d may hold for slots, running ones left out: what is free of its part, but
 * one at least while it runs less than that; < 0: it runs more. */
int share_room(const struct drainer *d);
/* When the room may be more although nothing happens; JOBQ_FOREVER: never. */
int64_t share_look_at_ns(const struct drainer *d);
/* Whose message starts next; NULL: no slot is free, or nobody has one. */
struct drainer *share_next(const struct drainer_share *share);
/* h has a slot from now on; had it for so long. */
void share_take(struct held *h);
void share_give(struct held *h, int64_t took_ns);
void share_note_receive(struct drainer *d, int count, int64_t asked_at_ns);
/* Whether each of its queues has been quiet for its idle exit. */
bool share_is_quiet(const struct drainer_share *share);
/* If so, ends them all. */
void share_end_if_quiet(struct drainer *d);

/* ---- claim.c ------------------------------------------------------------------------- */
enum claim_outcome {
    CLAIM_OURS,
    CLAIM_ENDED,     /* the job has ended: delete the message */
    CLAIM_DEAD,      /* it is dead: its message belongs in the dead-letter queue */
    CLAIM_ELSEWHERE, /* it runs, under another message: look again later */
    CLAIM_LEAVE,     /* the store does not answer, or refuses: *err says why */
    CLAIM_ORPHAN,    /* there is no such row */
    CLAIM_NO_TABLE   /* nor a table that it could be in */
};
/* *out_state: the state of a row that was not claimed. */
enum claim_outcome claim_take(struct held *h, enum job_state *out_state,
                              struct jobq_error *err);
/* Stores an attempt's end, or with JOB_QUEUED gives it back, on condition that the claim is
 * ours. */
enum final_outcome {
    FINAL_STORED,
    FINAL_ENDED, /* somebody else's end, or a cancel, stands there: delete the message */
    FINAL_LOST,  /* a newer attempt has it */
    FINAL_FAILED /* the store does not answer, or refuses: *err says why */
};
enum final_outcome final_put(struct held *h, enum job_state state,
                             const struct jobq_work_result *result,
                             struct jobq_error *err);
/* Stores h->progress, once, on condition that the claim is ours. */
/* Any claim is a drainer's first: rows are not made by the enqueuer. */
bool claim_makes_rows(const struct drainer *d);
/* Before a job runs without a claim: has it ended? CLAIM_OURS: not that anyone knows. */
enum claim_outcome claim_look(struct held *h, enum job_state *out_state,
                              struct jobq_error *err);
int progress_put(const struct held *h, struct jobq_error *err);
/* The row that was read says that h's attempt runs. */
bool claim_is_ours(const struct held *h, const struct job_row *row);
/* Reads the held job's whole row into the batch's strings. */
int claim_read_row(struct held *h, struct jobq_item *item, struct job_row *row,
                   struct jobq_error *err);

/* ---- attempt.c ----------------------------------------------------------------------- */
void attempt_main(void *held);
void drain_event(struct held *h, enum drainer_event_kind kind, enum job_state state,
                 const struct jobq_work_result *result, const char *text);
/* After so many its job is dead: its own, or the drainer's. */
int64_t attempts_max(const struct held *h);
/* Ends a running child, for a reason already noted in h. */
void attempt_end_child(struct held *h, int64_t grace_ns);

/* ---- fleet/drain/heartbeat.c -------------------------------------------------------------------------- */
void beat_start(struct drainer *d);
/* Tells the ticker of something due at at_ns. */
void tick_by(struct drainer *d, int64_t at_ns);

/* ---- deleter.c ----------------------------------------------------------------------- */
void deleter_add(struct held *h);
bool deleter_due(const struct drainer *d, int64_t now_ns);
void deleter_start(struct drainer *d);
/* Gives messages back at once, or after delay_ns: visibility of count (<= 10) of them. */
void deleter_give_back(struct drainer *d, struct held **h, int count, int64_t delay_ns);

/* ---- refusal.c ----------------------------------------------------------------------- */
/* A notice about no one job. */
void drain_notice(struct drainer *d, const char *text);
void refusal_watch(
    struct drainer *d); /* before the first call: notices report calls that fail */
/* An exec job came and there is no command for it: its message is hidden for wait_ns. */
void refusal_no_command(struct drainer *d, int32_t receive_count, int64_t wait_ns);
/* How many such jobs are hidden now: at most as many as there are. */
int64_t refusal_exec_hidden(const struct drainer *d);
/* The drainer cannot go on: it gives back what it holds and drainer_run returns err. */
void refusal_end(struct drainer *d, const struct jobq_error *err);
/* The same if code says that a permission is missing; else nothing. */
void refusal_check(struct drainer *d, int code, const struct jobq_error *err);
void refusal_check_entries(struct drainer *d, const struct jobq_entry_result *result,
                           int count);

/* ---- stop.c -------------------------------------------------------------------------- */
int stop_run(struct drainer *d, struct jobq_error *err);

/* ---- house.c --------------------------------------------------------------------------- */
void house_start(struct drainer *d);
/* Of an idle drainer. True: messages were sent, there is work again. Blocks: for a round. */
bool house_before_end(struct drainer *d);

/* ---- fleet/drain/monitor.c ------------------------------------------------------------------------- */
/* False: the drainer has ended. */
bool watch_rest(struct drainer *d, int64_t ns);
void watch_start(struct drainer *d);
void watch_write_stats(struct drainer *d);
/* h's message cannot be hidden for longer than 12 h: ends its attempt before that. */
void watch_limit(struct held *h);
/* A running job's work reports how far it is (percent; -1: it does not), and its row says so. */
void watch_progress(struct held *h, int percent);

#endif
