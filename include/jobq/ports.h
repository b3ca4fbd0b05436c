/* ports.h - everything the product asks of the world. Read this first.
 *
 * src/fleet/ is plain blocking code on fibers against these tables. Linked with sim/ it
 * runs in virtual time over models/; linked with live/ it runs on the network. Nothing
 * here answers which world it is, and nothing may.
 *
 * A port is a struct whose first member is a const table of functions; a world embeds
 * it first in a struct of its own. The product never calls a table: it calls the
 * wrappers below (src/fleet/port/ports.c), which assert, meter every call into the ledger,
 * trace it and host the fault hook, so that both worlds are billed by the same lines.
 *
 * "Blocks: yes" means that the calling fiber yields, not that the process stops. While
 * it is parked, everything that its arguments point to must stay as it is; a world may
 * read it until the call returns, and also after the death of a fiber that was killed in
 * a call (its stack and arena are kept until the call has taken effect: fiber.h).
 *
 * Errors (jobq/error.h), common to all: THROTTLED, UNAVAILABLE, TIMEOUT: later, and the
 * last two may have been applied; DENIED, INVALID, LIMIT: stop; CORRUPT: what was read
 * makes no sense; CANCELLED: the process is stopping. Each table lists what it adds. No port
 * retries: src/fleet/port/retry.c does, in both worlds.
 *
 * Bill: every call fills a struct jobq_call_cost, also when it fails. */
#ifndef JOBQ_PORTS_H
#define JOBQ_PORTS_H

#include "jobq/error.h"
#include "jobq/ledger.h"

#include <stdbool.h>
#include <stdint.h>

struct arena;       /* src/base/arena.h */
struct fiber_sched; /* src/fiber/fiber.h */

/* Bytes that somebody else owns. {NULL, len > 0} is a phantom: len bytes that nobody
 * looks at. A simulated world keeps only their number; a live one sends that many 'x'. */
struct jobq_str {
    const char *ptr;
    int64_t len;
};

/* What one call cost its caller, filled by the world. requests is 0 when nothing reached
 * the service (refused before sending). */
struct jobq_call_cost {
    int64_t bytes_out;
    int64_t bytes_in;
    int64_t box_usage_e10h;
    double write_units, read_units; /* DynamoDB's; reads may be halves */
    int32_t requests;
    int32_t http_status; /* 0 when no reply came */
};

/* ---- clock and dice ------------------------------------------------------------- */

struct jobq_clock;
struct jobq_clock_ops {
    const char *name;
    /* Never steps back; deadlines and durations are taken on it. Blocks: no. */
    int64_t (*now)(struct jobq_clock *clock);
    /* Nanoseconds since 1970-01-01T00:00Z, for what people and other boxes read. May
     * step. Blocks: no. */
    int64_t (*wall)(struct jobq_clock *clock);
};
struct jobq_clock {
    const struct jobq_clock_ops *ops;
};

struct jobq_dice;
struct jobq_dice_ops {
    const char *name;
    /* 64 random bits; unguessable in a live world, the actor's own stream in a simulated
     * one. Blocks: no. */
    uint64_t (*bits)(struct jobq_dice *dice);
};
struct jobq_dice {
    const struct jobq_dice_ops *ops;
};

/* ---- queue ---------------------------------------------------------------------- */

/* Limits of the port, which every world honours: 10 entries a batch. Sizes and rates
 * belong to the service's era and come back as LIMIT. */
#define JOBQ_BATCH_MAX 10
#define JOBQ_QUEUE_NAME_MAX 80

struct jobq_queue_options {
    int64_t visibility_ns;     /* 0..12 h; default of the service: 30 s */
    int64_t retention_ns;      /* 60 s..14 d; 0: the service's default, 4 d */
    int64_t delay_ns;          /* 0..15 min */
    int64_t receive_wait_ns;   /* 0..20 s: default wait of a receive */
    int32_t max_receive_count; /* redrive to dead_queue after so many; 0: none */
    int32_t dead_queue;        /* a handle of this port; used if max_receive_count > 0 */
};

/* Approximate, as the service says. */
struct jobq_queue_depth {
    int64_t visible, in_flight, delayed;
    int64_t visibility_ns; /* the queue's attribute, read by the same call */
    int64_t retention_ns;  /* as well; 0: messages do not expire */
    int32_t max_receive_count;
};

struct jobq_outgoing {
    struct jobq_str body;  /* never phantom as a whole; may be empty only with phantom */
    int64_t phantom_bytes; /* further bytes behind body that nobody looks at */
    int64_t delay_ns;      /* 0: the queue's own */
};

/* One entry's outcome in a batch; the batch itself may succeed while entries fail. */
struct jobq_entry_result {
    int code;       /* JOBQ_OK or as the call's own error */
    char text[240]; /* the service's code and message, when code is an error; may be "" */
};

struct jobq_message {
    struct jobq_str id;      /* the same for each delivery of one message */
    struct jobq_str receipt; /* of this delivery; opaque */
    struct jobq_str body;    /* real bytes; the phantom ones are only counted */
    int64_t phantom_bytes;
    int64_t sent_wall_ns;
    int32_t receive_count; /* 1 on the first delivery; approximate */
};

struct jobq_receive {
    int max;               /* 1..10 */
    int64_t wait_ns;       /* 0: short poll; up to 20 s */
    int64_t visibility_ns; /* < 0: the queue's own */
};

struct jobq_visibility_change {
    struct jobq_str receipt;
    int64_t visibility_ns; /* from now; 0 gives the message back */
};

struct jobq_queue;
struct jobq_queue_ops {
    const char *name;

    /* Make a queue, or find the one that has this name and these options.
     * Blocks: yes. Returns: JOBQ_OK and a handle >= 0 good for this port's life;
     * CONFLICT: exists with other options (open it, then set_options).
     * Bill: one request. */
    int (*create)(struct jobq_queue *q, const char *name,
                  const struct jobq_queue_options *options, int *out_queue,
                  struct jobq_call_cost *cost, struct jobq_error *err);
    /* Find a queue by name. Blocks: yes. Returns: as create; NOT_FOUND. Bill: one. */
    int (*open)(struct jobq_queue *q, const char *name, int *out_queue,
                struct jobq_call_cost *cost, struct jobq_error *err);
    int (*set_options)(struct jobq_queue *q, int queue,
                       const struct jobq_queue_options *options,
                       struct jobq_call_cost *cost, struct jobq_error *err);
    int (*depth)(struct jobq_queue *q, int queue, struct jobq_queue_depth *out,
                 struct jobq_call_cost *cost, struct jobq_error *err);

    /* Put 1..10 messages on the queue: one as a single send, more as a batch.
     * Blocks: yes. Returns: JOBQ_OK with result[i] for each; or an error, nothing known
     * to be sent. Owner: in and result are yours. Order: kept in an ideal world only.
     * Bill: one request (by chunks of payload, at the sheet's grain). */
    int (*send)(struct jobq_queue *q, int queue, const struct jobq_outgoing *in,
                int count, struct jobq_entry_result *result, struct jobq_call_cost *cost,
                struct jobq_error *err);

    /* Take up to options->max messages, waiting at most wait_ns for the first.
     * Blocks: yes. Returns: 0..max; LIMIT: too many in flight, later; CANCELLED:
     * abort_receives was called and nothing had been granted.
     * Owner: out is yours, its strings live in arena until you reset it.
     * Order: none; the same message may come twice. Bill: one request, also for 0. */
    int (*receive)(struct jobq_queue *q, int queue, const struct jobq_receive *options,
                   struct arena *arena, struct jobq_message *out,
                   struct jobq_call_cost *cost, struct jobq_error *err);

    /* Delete 1..10 messages by the newest receipt of each. An old receipt deletes
     * nothing and says success.
     * Blocks: yes. Returns: JOBQ_OK with result[i]. Bill: one request. */
    int (*remove)(struct jobq_queue *q, int queue, const struct jobq_str *receipt,
                  int count, struct jobq_entry_result *result,
                  struct jobq_call_cost *cost, struct jobq_error *err);

    /* Hide 1..10 messages for visibility_ns from now. result[i] NOT_FOUND: the message was
     * deleted, or (not on every service) received again since; a success with an old receipt
     * may have changed nothing. LIMIT: past 12 h in all since its receive. Blocks: yes.
     * Bill: one request. */
    int (*set_visibility)(struct jobq_queue *q, int queue,
                          const struct jobq_visibility_change *change, int count,
                          struct jobq_entry_result *result, struct jobq_call_cost *cost,
                          struct jobq_error *err);
    int (*purge)(struct jobq_queue *q, int queue, struct jobq_call_cost *cost,
                 struct jobq_error *err);

    /* Ask every waiting receive of this port to end now. Those that were granted
     * messages return them, the others CANCELLED. Blocks: no. Bill: none. */
    void (*abort_receives)(struct jobq_queue *q);
};
struct jobq_queue {
    const struct jobq_queue_ops *ops;
};

/* ---- store ---------------------------------------------------------------------- */

/* Rows a put_batch takes at most; a store may take fewer (jobq_store_ops.batch_max). */
#define JOBQ_STORE_BATCH_MAX 25

/* Which rows belong together: a queue's jobs of one day and shard, as their ids say, what
 * its drainers say of themselves, or which job has a key. A store may keep all days and
 * shards in one place. */
struct jobq_table {
    struct jobq_str queue;
    int day;   /* since 1970, or one of the below */
    int shard; /* 0.. */
};
enum {
    JOBQ_DAY_DRAINERS = -1, /* the drainers' lines; shard 0 */
    JOBQ_DAY_ALL = -2,      /* in a list only: every day of the queue is in it */
    JOBQ_DAY_KEYS = -3,     /* the clients' keys; shard 0 */
    JOBQ_DAY_FIRST = JOBQ_DAY_KEYS
};

struct jobq_attr {
    struct jobq_str name;
    struct jobq_str value; /* may be phantom */
    bool
        replace; /* an earlier value goes; false: the row is known to have none of this name */
};

/* The one condition a conditional write may carry. */
struct jobq_expect {
    struct jobq_str name;
    struct jobq_str value; /* compared when exists is true */
    bool exists;           /* false: the attribute must be absent */
};

struct jobq_item {
    struct jobq_str name;
    const struct jobq_attr *attr; /* read: owned by the arena of the call */
    int attr_count;
};

/* Where a put leaves the row that its condition met. known: the store showed it, item is
 * what stands there and lives in arena; a store that cannot leaves known false, and
 * the row must be read. */
struct jobq_met {
    struct arena *arena;
    bool known;
    struct jobq_item item;
};

/* Which rows a page shows: those of which the attribute is absent, begins with one of
 * prefix[], or compares bytewise as above or below. Zeroed: every row. */
struct jobq_filter {
    struct jobq_str name; /* of the attribute; len 0: every row */
    bool absent;
    const struct jobq_str *prefix;
    int prefix_count;
    struct jobq_str above, below; /* len 0: not asked */
};

/* The calls of a store, for callers that must know which of its actions each is. */
enum jobq_store_call {
    JOBQ_STORE_MAKE,
    JOBQ_STORE_DROP,
    JOBQ_STORE_LIST,
    JOBQ_STORE_COUNT,
    JOBQ_STORE_PUT,
    JOBQ_STORE_PUT_BATCH,
    JOBQ_STORE_GET,
    JOBQ_STORE_REMOVE,
    JOBQ_STORE_PAGE,
    JOBQ_STORE_CALLS
};

struct jobq_store;
struct jobq_store_ops {
    const char *name;
    enum jobq_action action[JOBQ_STORE_CALLS];
    int batch_max; /* rows of a put_batch, 1..JOBQ_STORE_BATCH_MAX */

    /* A table's handle, good for this port's life. Costs nothing and does not look: a table
     * that is missing shows as NOT_FOUND when it is used. Blocks: no. */
    int (*open)(struct jobq_store *s, const struct jobq_table *table, int *out_table,
                struct jobq_error *err);
    /* Make a table, or find it made. Blocks: yes. Returns: JOBQ_OK; UNAVAILABLE: it is being
     * made, ask again; LIMIT: the account has no room. Bill: one request or two. */
    int (*make)(struct jobq_store *s, int table, struct jobq_call_cost *cost,
                struct jobq_error *err);
    /* Drop a table with its rows. Bill: one request. */
    int (*drop)(struct jobq_store *s, int table, struct jobq_call_cost *cost,
                struct jobq_error *err);
    /* The queue's tables of jobs, a page at a time: next_token is in/out, empty to start and
     * empty again when there is no more. *out_all: how many tables the page saw, other
     * queues' too. cap is at least 100. Returns: 0..cap. Owner: strings live in arena.
     * Bill: one request. */
    int (*list)(struct jobq_store *s, struct jobq_str queue, struct jobq_str *next_token,
                struct arena *arena, struct jobq_table *out, int cap, int *out_all,
                struct jobq_call_cost *cost, struct jobq_error *err);
    /* The store's own count of a table's rows, which may be hours old. Bill: one request. */
    int (*count)(struct jobq_store *s, int table, int64_t *out_rows,
                 struct jobq_call_cost *cost, struct jobq_error *err);

    /* Write attributes of one row, if `expect` (or NULL) holds, all or nothing; the row's
     * other attributes stay. met may be NULL.
     * Blocks: yes. Returns: JOBQ_OK; CONFLICT: the condition failed, or the attribute
     * that it names is absent; LIMIT. Bill: one request, also for a failed condition. */
    int (*put)(struct jobq_store *s, int table, const struct jobq_item *item,
               const struct jobq_expect *expect, struct jobq_met *met,
               struct jobq_call_cost *cost, struct jobq_error *err);
    /* Write 1..batch_max rows as put does, all or nothing, without a condition. Bill: one
     * request. */
    int (*put_batch)(struct jobq_store *s, int table, const struct jobq_item *item,
                     int item_count, struct jobq_call_cost *cost, struct jobq_error *err);

    /* Read a row: all its attributes, or those named. A row that is not there is JOBQ_OK
     * with attr_count 0. consistent false may be a second old.
     * Owner: out->attr lives in arena. Bill: one request. */
    int (*get)(struct jobq_store *s, int table, struct jobq_str row,
               const struct jobq_str *name, int name_count, bool consistent,
               struct arena *arena, struct jobq_item *out, struct jobq_call_cost *cost,
               struct jobq_error *err);

    /* Delete a row. Returns: as put; JOBQ_OK if there is none and expect allows it. Bill:
     * one request. */
    int (*remove)(struct jobq_store *s, int table, struct jobq_str row,
                  const struct jobq_expect *expect, struct jobq_call_cost *cost,
                  struct jobq_error *err);

    /* A page of the rows that `filter` lets through, all their attributes or those named;
     * next_token as in list, and only good for the same question.
     * Returns: 0..cap rows (0 is a page too). Owner: rows and token live in arena. Bill:
     * one request. */
    int (*page)(struct jobq_store *s, int table, const struct jobq_filter *filter,
                const struct jobq_str *name, int name_count, bool consistent,
                struct jobq_str *next_token, struct arena *arena, struct jobq_item *out,
                int cap, struct jobq_call_cost *cost, struct jobq_error *err);
    /* What reading so many rows by pages takes, by the service's documentation: requests
     * are left 0. Blocks: no. */
    void (*page_cost)(struct jobq_store *s, int64_t rows, struct jobq_call_cost *out);
};
struct jobq_store {
    const struct jobq_store_ops *ops;
    int64_t keep_ns; /* a store that drops row by row does so this long after the row was
                        last written; 0: never. jobq_store_keep sets it */
};

/* ---- fleet ---------------------------------------------------------------------- */

struct jobq_tag {
    struct jobq_str key, value;
};

enum jobq_box_state {
    JOBQ_BOX_PENDING,
    JOBQ_BOX_RUNNING,
    JOBQ_BOX_STOPPING,
    JOBQ_BOX_ENDED
};

struct jobq_launch {
    const char *type;  /* "t4g.nano" */
    const char *image; /* "ami-..."; "": the template's */
    const char
        *profile; /* an instance profile's name or ARN: the role; NULL: none, or the
                             template's */
    const char *launch_template; /* its name or id, of which the default version is taken;
                                    NULL: none */
    struct jobq_str user_data;
    const struct jobq_tag *tag;
    int tag_count;
    int count; /* 1.. */
    bool spot;
    const char *client_token; /* the same token launches once; NULL: none */
};

struct jobq_box {
    struct jobq_str id, type, zone;
    enum jobq_box_state state;
    bool spot;
    int64_t launched_wall_ns;
    const struct jobq_tag *tag;
    int tag_count;
};

#define JOBQ_BOXES_PAGE 1000 /* boxes of one describe at most */

/* This box, as it sees itself (instance metadata); empty strings off AWS. */
struct jobq_self {
    char id[24], type[24], zone[32], region[32], image[32];
    char profile[192]; /* the ARN of its instance profile; "": it has none */
    bool spot;
};

/* A warning that this box will be taken away. */
struct jobq_notice {
    bool due;       /* true: the box goes at at_wall_ns */
    bool rebalance; /* true: more at risk than usual */
    int64_t at_wall_ns;
};

struct jobq_fleet;
struct jobq_fleet_ops {
    const char *name;
    /* Start count boxes, all or none. Blocks: yes. Returns: how many ids were written to
     * out (strings live in arena); LIMIT: account or capacity. Bill: one request; each
     * box bills its time from RUNNING on. */
    int (*launch)(struct jobq_fleet *f, const struct jobq_launch *launch,
                  struct arena *arena, struct jobq_str *out, int cap,
                  struct jobq_call_cost *cost, struct jobq_error *err);
    int (*terminate)(struct jobq_fleet *f, const struct jobq_str *id, int count,
                     struct jobq_call_cost *cost, struct jobq_error *err);
    /* A page of the boxes not yet ended that carry the tag; next_token as in a store's list. out has room
     * for JOBQ_BOXES_PAGE. Returns: how many. Owner: strings live in arena. Bill: one request.
     */
    int (*describe)(struct jobq_fleet *f, struct jobq_tag tag,
                    struct jobq_str *next_token, struct arena *arena,
                    struct jobq_box *out, struct jobq_call_cost *cost,
                    struct jobq_error *err);
    int (*tag)(struct jobq_fleet *f, const struct jobq_str *id, int id_count,
               const struct jobq_tag *tag, int tag_count, struct jobq_call_cost *cost,
               struct jobq_error *err);
    /* Metadata of this box. Blocks: yes. Bill: none. NOT_FOUND: not on a box. */
    int (*self)(struct jobq_fleet *f, struct jobq_self *out, struct jobq_error *err);
    int (*notice)(struct jobq_fleet *f, struct jobq_notice *out, struct jobq_error *err);
};
struct jobq_fleet {
    const struct jobq_fleet_ops *ops;
};

/* ---- child: where a job's own work is done -------------------------------------- */

enum jobq_work_kind { JOBQ_WORK_SLEEP, JOBQ_WORK_PRIMES, JOBQ_WORK_EXEC };

struct jobq_work {
    enum jobq_work_kind kind;
    int64_t sleep_ns;        /* SLEEP */
    int64_t primes_below;    /* PRIMES */
    struct jobq_str payload; /* EXEC: standard input of the operator's command */
    struct jobq_str job_id, queue_name;
    int32_t attempt;
};

#define JOBQ_OUTPUT_TAIL 4096

struct jobq_work_result {
    int32_t exit_code; /* 0: done. EXEC: the command's; 128 + n: killed by signal n */
    bool killed;       /* by stop(), not by itself */
    int64_t wall_ns;   /* how long it ran */
    int64_t cpu_ns;    /* CPU time it used */
    int32_t progress_percent; /* last "progress N%" line; -1: none */
    int64_t primes;           /* PRIMES */
    int64_t printed_bytes; /* EXEC: all its output, of which the tail is the last part */
    int32_t tail_bytes;
    char *tail; /* where to copy the last output bytes, JOBQ_OUTPUT_TAIL of them;
                   the caller sets it, NULL: not wanted */
};

struct jobq_child;
struct jobq_child_ops {
    const char *name;
    /* Begin; the work proceeds while the fiber does other things. Blocks: no.
     * Returns: a handle >= 0; UNAVAILABLE: no process or thread to be had. */
    int (*start)(struct jobq_child *c, const struct jobq_work *work,
                 struct jobq_error *err);
    /* Wait for its end, at most until until_ns. Returns: JOBQ_OK, *out is the result and
     * the handle is gone; TIMEOUT: still running (out->progress_percent is fresh). */
    int (*wait)(struct jobq_child *c, int handle, int64_t until_ns,
                struct jobq_work_result *out, struct jobq_error *err);
    /* Ask it to end (TERM to its group), and make it (KILL) after grace_ns. A wait is
     * still needed, and then returns soon. Blocks: no. */
    void (*stop)(struct jobq_child *c, int handle, int64_t grace_ns);
};
struct jobq_child {
    const struct jobq_child_ops *ops;
};

/* ---- board: where the status page is put ------------------------------------------ */

/* What a reader asks for that was not posted: a page of one job, or an action. */
struct jobq_question {
    int64_t handle; /* for the answer */
    bool action;    /* a POST, of somebody whom the world has let in; else a GET, which
                             must change nothing */
    struct jobq_str path; /* "/jobs/q-0...", as sent */
    struct jobq_str
        form; /* "NAME=VALUE&...", as sent: the query of a GET, a POST's body */
    struct jobq_str from; /* who asks, for the log: an address */
};
struct jobq_answer {
    int status; /* as HTTP has them: 200, 303, 404, ... */
    const char *content_type;
    const char *location; /* of a 303: where to look next; else NULL */
    struct jobq_str bytes;
};

struct jobq_board;
struct jobq_board_ops {
    const char *name;
    /* Publish bytes under a path ("/", "/status.json") with the status that readers get
     * (200; 503 for "/readyz" of who takes no work); copied. Readers get the last ones. What
     * is posted under "/events", one line, also goes to each reader that follows it. Blocks:
     * no. */
    void (*post)(struct jobq_board *b, const char *path, int status,
                 const char *content_type, struct jobq_str bytes);
    /* Wait for a request for something that is not posted. Blocks: yes. Returns: JOBQ_OK;
     * CANCELLED: there will be none. Owner: strings live in arena. Bill: none. */
    int (*take)(struct jobq_board *b, struct arena *arena, struct jobq_question *out,
                struct jobq_error *err);
    /* Answer it, once; copied. A reader that has gone by then gets nothing. Blocks: no. */
    void (*answer)(struct jobq_board *b, int64_t handle,
                   const struct jobq_answer *answer);
};
struct jobq_board {
    const struct jobq_board_ops *ops;
};

/* ---- the bundle ------------------------------------------------------------------- */

/* Looks at each call before it is made (phase 0) and after (phase 1). A non-zero answer
 * replaces the call's outcome with that code: before, the call is not made; after, its
 * reply is lost. Used by torture runs and tests in either world. */
enum jobq_fault_phase { JOBQ_FAULT_BEFORE, JOBQ_FAULT_AFTER };
typedef int jobq_fault_fn(void *ctx, enum jobq_action action,
                          enum jobq_fault_phase phase);

/* One finished call, for `--record` and the tests. Strings die with the call. */
struct jobq_trace_call {
    enum jobq_action action;
    int64_t started_ns, ended_ns; /* on the clock's now */
    int entries;
    int code;
    struct jobq_call_cost cost;
};
typedef void jobq_trace_fn(void *ctx, const struct jobq_trace_call *call);

/* Is called for each call that fails (code < 0, text in the service's own words), of each
 * batch with an entry that fails, and of the first call of an action that is answered after
 * such a failure (code JOBQ_OK, text ""). A batch counts as its single action. NOT_FOUND,
 * CONFLICT and CANCELLED are answers, not failures. text dies with the call. */
typedef void jobq_outcome_fn(void *ctx, enum jobq_action action, int code,
                             const char *text);

/* What one process of the product holds of its world. Made by the world, owned by it. */
struct jobq_backend {
    struct jobq_clock *clock;
    struct jobq_dice *dice;
    struct jobq_queue *queue;
    struct jobq_store *store; /* NULL: --store none */
    struct jobq_fleet *fleet;
    struct jobq_child *child;
    struct jobq_board *board;
    struct fiber_sched *sched;  /* the fibers of this world */
    struct fiber_proc *proc;    /* the process that the product's fibers belong to */
    struct jobq_ledger *ledger; /* every wrapper adds to it */
    jobq_fault_fn *fault;       /* NULL: none */
    void *fault_ctx;
    jobq_trace_fn *trace; /* NULL: none */
    void *trace_ctx;
    jobq_outcome_fn *outcome; /* NULL: none; src/fleet/port/health.h is one */
    void *outcome_ctx;
    uint64_t failing; /* the wrappers' own: a bit an action whose last call failed */
};

/* The wrappers. Each does what the table's function of the same name does, through the
 * meter. See the tables for the contracts. */
int64_t jobq_now(struct jobq_backend *b);
int64_t jobq_wall(struct jobq_backend *b);
uint64_t jobq_bits(struct jobq_backend *b);
double jobq_uniform(struct jobq_backend *b); /* in (0,1) */

int jobq_queue_create(struct jobq_backend *b, const char *name,
                      const struct jobq_queue_options *options, int *out_queue,
                      struct jobq_error *err);
int jobq_queue_open(struct jobq_backend *b, const char *name, int *out_queue,
                    struct jobq_error *err);
int jobq_queue_set_options(struct jobq_backend *b, int queue,
                           const struct jobq_queue_options *options,
                           struct jobq_error *err);
int jobq_queue_depth(struct jobq_backend *b, int queue, struct jobq_queue_depth *out,
                     struct jobq_error *err);
int jobq_queue_send(struct jobq_backend *b, int queue, const struct jobq_outgoing *in,
                    int count, struct jobq_entry_result *result, struct jobq_error *err);
int jobq_queue_receive(struct jobq_backend *b, int queue,
                       const struct jobq_receive *options, struct arena *arena,
                       struct jobq_message *out, struct jobq_error *err);
int jobq_queue_remove(struct jobq_backend *b, int queue, const struct jobq_str *receipt,
                      int count, struct jobq_entry_result *result,
                      struct jobq_error *err);
int jobq_queue_set_visibility(struct jobq_backend *b, int queue,
                              const struct jobq_visibility_change *change, int count,
                              struct jobq_entry_result *result, struct jobq_error *err);
int jobq_queue_purge(struct jobq_backend *b, int queue, struct jobq_error *err);
void jobq_queue_abort_receives(struct jobq_backend *b);

int jobq_store_open(struct jobq_backend *b, const struct jobq_table *table,
                    int *out_table, struct jobq_error *err);
int jobq_store_make(struct jobq_backend *b, int table, struct jobq_error *err);
int jobq_store_drop(struct jobq_backend *b, int table, struct jobq_error *err);
int jobq_store_list(struct jobq_backend *b, struct jobq_str queue,
                    struct jobq_str *next_token, struct arena *arena,
                    struct jobq_table *out, int cap, int *out_all,
                    struct jobq_error *err);
int jobq_store_count(struct jobq_backend *b, int table, int64_t *out_rows,
                     struct jobq_error *err);
int jobq_store_put(struct jobq_backend *b, int table, const struct jobq_item *item,
                   const struct jobq_expect *expect, struct jobq_met *met,
                   struct jobq_error *err);
int jobq_store_put_batch(struct jobq_backend *b, int table, const struct jobq_item *item,
                         int item_count, struct jobq_error *err);
int jobq_store_get(struct jobq_backend *b, int table, struct jobq_str row,
                   const struct jobq_str *name, int name_count, bool consistent,
                   struct arena *arena, struct jobq_item *out, struct jobq_error *err);
int jobq_store_remove(struct jobq_backend *b, int table, struct jobq_str row,
                      const struct jobq_expect *expect, struct jobq_error *err);
int jobq_store_page(struct jobq_backend *b, int table, const struct jobq_filter *filter,
                    const struct jobq_str *name, int name_count, bool consistent,
                    struct jobq_str *next_token, struct arena *arena,
                    struct jobq_item *out, int cap, struct jobq_error *err);
/* How long rows are kept behind their last write, where the store drops each by itself. */
void jobq_store_keep(struct jobq_backend *b, int64_t keep_ns);
void jobq_store_page_cost(struct jobq_backend *b, int64_t rows,
                          struct jobq_call_cost *out);

int jobq_fleet_launch(struct jobq_backend *b, const struct jobq_launch *launch,
                      struct arena *arena, struct jobq_str *out, int cap,
                      struct jobq_error *err);
int jobq_fleet_terminate(struct jobq_backend *b, const struct jobq_str *id, int count,
                         struct jobq_error *err);
int jobq_fleet_describe(struct jobq_backend *b, struct jobq_tag tag,
                        struct jobq_str *next_token, struct arena *arena,
                        struct jobq_box *out, struct jobq_error *err);
int jobq_fleet_tag(struct jobq_backend *b, const struct jobq_str *id, int id_count,
                   const struct jobq_tag *tag, int tag_count, struct jobq_error *err);
int jobq_fleet_self(struct jobq_backend *b, struct jobq_self *out,
                    struct jobq_error *err);
int jobq_fleet_notice(struct jobq_backend *b, struct jobq_notice *out,
                      struct jobq_error *err);

int jobq_child_start(struct jobq_backend *b, const struct jobq_work *work,
                     struct jobq_error *err);
int jobq_child_wait(struct jobq_backend *b, int handle, int64_t until_ns,
                    struct jobq_work_result *out, struct jobq_error *err);
void jobq_child_stop(struct jobq_backend *b, int handle, int64_t grace_ns);

void jobq_board_post(struct jobq_backend *b, const char *path, int status,
                     const char *content_type, struct jobq_str bytes);
int jobq_board_take(struct jobq_backend *b, struct arena *arena,
                    struct jobq_question *out, struct jobq_error *err);
void jobq_board_answer(struct jobq_backend *b, int64_t handle,
                       const struct jobq_answer *answer);

#endif
