/* sqs.h - how SQS behaves: queues, messages, visibility, waiting, and the ends of a
 * message.
 *
 * Room:     models, facts. A pure state machine: (state, call, now, u) -> reply.
 * Callers:  its two drivers, the simulator's queue port (virtual time) and jobqmock (wall
 *           clock), and the tests.
 * Knows nothing of: clocks, random generators, protocols, latency (a driver adds it),
 * money. Units:    instants and durations are nanoseconds of the driver's own time line;
 * sizes are bytes. Instants never go back: a `now_ns` before the latest one counts as
 * that.
 *
 * How a driver uses it
 *   Calls apply at now_ns and fill a reply. Everything due by then has happened before.
 *   A receive that may wait becomes a waiter under the driver's cookie; later the model
 *   grants it. After each call, and whenever sqs_next_at() has come (then call
 *   sqs_advance()), take the finished waits with sqs_take_grant() until there is none.
 *
 *       sqs_receive(...) -> 0..10 messages, or waiting
 *       sqs_send / sqs_advance / ... ; while (sqs_take_grant(s, &grant))
 * wake(grant.cookie)
 *
 * Randomness is an argument. A call that may need more draws than one u splits it with
 * sqs_split(u, k). With the parameters of `ideal` no u is looked at.
 *
 * Errors: a call returns enum sqs_fault, SQS_OK when all is well; otherwise err->code is
 * sqs_fault_info(fault)->code and err->text is AWS's text. err is untouched on success.
 * Calls on several entries return the fault of the whole call, and each entry's own in
 * its result.
 *
 * Memory: one model holds all queues of an account in a region. A queued message takes 64
 * bytes, a block of 40 bytes and its body bytes (phantom bytes are only a number),
 * rounded up to 16, and 4 KiB-sized pages of slack in all. Views in replies are good
 * until the next call that changes the model. */
#ifndef JOBQ_MODELS_SQS_SQS_H
#define JOBQ_MODELS_SQS_SQS_H

#include "jobq/ports.h"
#include "base/distribution.h"
#include "models/sqs/fault.h"

enum {
    SQS_BATCH_MAX = 10,
    SQS_NAME_MAX = 80,
    SQS_ID_MAX = 128,       /* MessageGroupId, MessageDeduplicationId */
    SQS_QUEUES_MAX = 65535, /* of one model; AWS has no such limit */
    SQS_ALLOW_MAX = 10      /* source queues in a RedriveAllowPolicy */
};
#define SQS_DEFAULT INT64_MIN /* "as the queue says" where a duration is asked for */

/* ---- parameters ---- */

/* From [sqs] of a parameter set (models/params/); 0 means "no limit" where not said
 * otherwise. Rates are probabilities unless "per_s". */
struct sqs_params {
    int64_t message_bytes_max; /* largest MaximumMessageSize; also its default */
    int64_t batch_bytes_max;
    int64_t visibility_default_ns, visibility_max_ns;
    int64_t visibility_total_max_ns; /* since the receive, however often it is extended */
    int64_t delay_max_ns;
    int64_t retention_default_ns, retention_min_ns, retention_max_ns;
    bool retention;           /* false: messages never expire */
    int64_t long_poll_max_ns; /* 0: the era knows no long poll, every receive is short */
    int64_t in_flight_max, fifo_in_flight_max;
    int64_t attributes_max;
    /* Short polls ask a random subset of the servers, unless the queue holds many. */
    int64_t short_poll_servers; /* <= 64; 0: they ask all */
    double short_poll_sample;   /* share of them that is asked */
    int64_t short_poll_full_at; /* visible messages from which on nothing is missed */
    bool
        any_waiter; /* of several long polls any is as likely to get what comes next; false:
                        the one that came first */
    double duplicate_rate;          /* a delivery that leaves the message visible */
    double undelete_rate;           /* a delete that says success and is lost */
    double reorder_rate;            /* a message passed over by one receive */
    int64_t back_of_queue_receives; /* received so often: rejoins at the end; 0: never */
    bool stale_change_fails; /* ChangeMessageVisibility in a standard queue with a receipt
                                that a later receive superseded: refused, or a success
                                that changes nothing */
    /* Fair queues: a group of a standard queue is noisy with more than fair_share (0: off)
     * of the messages in flight and at least fair_in_flight, or with more than
     * fair_time_share of the time that consumers held messages lately, which is one to two
     * times fair_recent; quiet again when nothing was sent for fair_quiet_after. */
    double fair_share, fair_time_share;
    int64_t fair_in_flight, fair_quiet_after_ns, fair_recent_ns;
    int64_t counts_window_ns; /* GetQueueAttributes may be so old */
    int64_t purge_interval_ns, recreate_interval_ns;
    int64_t dedup_window_ns;
    double throttle_per_s; /* calls a queue, 0: off */
    double throttle_burst;
    double fifo_throttle_per_s; /* calls an action of a FIFO queue, 0: off */
    double move_per_s;          /* message-move tasks, when the caller names no rate */
    /* Latencies of the service as its client in the region sees them; drivers use
     * them. */
    struct distribution send_latency, receive_latency, delete_latency, other_latency;
};

/* The set called model: "aws-2026", "aws-2012", "ideal". NOT_FOUND names the known
 * ones. */
int sqs_params_load(const char *model, struct sqs_params *out, struct jobq_error *err);
/* One parameter by its key in the ini file, as text ("0.001", "30s"). */
int sqs_params_set(struct sqs_params *params, const char *key, const char *value,
                   struct jobq_error *err);

/* ---- the model ---- */

struct sqs;

struct sqs *sqs_new(const struct sqs_params *params); /* params are copied */
void sqs_free(struct sqs *s);                         /* NULL is fine */
/* No queues, no messages, time 0, ids from 1 again; memory is kept for reuse. */
void sqs_reset(struct sqs *s);
/* New parameters hold from now on; what exists stays as it is. */
void sqs_params_change(struct sqs *s, const struct sqs_params *params);

/* The k-th u derived from u: SplitMix64 over the 52 bits of u and k. Pure. */
double sqs_split(double u, uint32_t k);

/* ---- queues ---- */

enum sqs_allow { SQS_ALLOW_ALL, SQS_ALLOW_NONE, SQS_ALLOW_LISTED };

/* A queue's attributes. `given` says which of them a call sets or compares. */
enum sqs_setting {
    SQS_SET_VISIBILITY = 1 << 0,
    SQS_SET_DELAY = 1 << 1,
    SQS_SET_RETENTION = 1 << 2,
    SQS_SET_WAIT = 1 << 3,
    SQS_SET_MESSAGE_BYTES = 1 << 4,
    SQS_SET_REDRIVE = 1 << 5,
    SQS_SET_ALLOW = 1 << 6,
    SQS_SET_FIFO = 1 << 7, /* only when it is created; the name must end in ".fifo" */
    SQS_SET_CONTENT_DEDUP = 1 << 8,
    SQS_SET_DEDUP_SCOPE = 1 << 9,
    SQS_SET_THROUGHPUT = 1 << 10
};
struct sqs_settings {
    unsigned given;
    int64_t visibility_ns, delay_ns, retention_ns, wait_ns;
    int64_t message_bytes_max;
    int redrive_queue;        /* handle of the dead-letter queue; -1: none */
    int32_t redrive_receives; /* maxReceiveCount, 1..1000 */
    enum sqs_allow allow;
    int allow_count;                   /* LISTED */
    const struct jobq_str *allow_name; /* names of the source queues */
    bool fifo, content_dedup;
    bool dedup_by_group;      /* DeduplicationScope messageGroup */
    bool throughput_by_group; /* FifoThroughputLimit perMessageGroupId */
};

/* Makes a queue, or finds one of this name with the same values of what is given.
 * Faults: QUEUE_EXISTS, DELETED_RECENTLY, BAD_NAME, BAD_ATTRIBUTE_VALUE (text names
 * it). */
enum sqs_fault sqs_create(struct sqs *s, int64_t now_ns, struct jobq_str name,
                          const struct sqs_settings *settings, int *out_queue,
                          struct jobq_error *err);
/* Handle of a name, or -1. Handles of deleted queues are used again. */
int sqs_find(const struct sqs *s, struct jobq_str name);
bool sqs_exists(const struct sqs *s, int queue);
struct jobq_str sqs_name(const struct sqs *s, int queue);
enum sqs_fault sqs_set(struct sqs *s, int64_t now_ns, int queue,
                       const struct sqs_settings *settings, struct jobq_error *err);
/* Its messages are gone, its waiters are granted the fault NO_QUEUE. */
enum sqs_fault sqs_delete_queue(struct sqs *s, int64_t now_ns, int queue,
                                struct jobq_error *err);

struct sqs_queue_info {
    struct sqs_settings settings;        /* given: all bits; allow_name is the model's */
    int64_t visible, in_flight, delayed; /* approximate: up to counts_window old */
    int64_t created_at_ns, changed_at_ns;
    int64_t oldest_sent_at_ns; /* of what is left; INT64_MAX: empty. Exact */
    bool
        dedup_made_by_group; /* the DeduplicationScope that holds: the one at its making */
};
enum sqs_fault sqs_info(struct sqs *s, int64_t now_ns, int queue,
                        struct sqs_queue_info *out, struct jobq_error *err);
/* Drops all messages, in flight or not. Fault: PURGE_IN_PROGRESS within
 * purge_interval. */
enum sqs_fault sqs_purge(struct sqs *s, int64_t now_ns, int queue,
                         struct jobq_error *err);

/* ---- messages ---- */

/* A message attribute (or, with system set, AWSTraceHeader). */
struct sqs_attribute {
    struct jobq_str name, type, value; /* value: text or bytes as the type says */
    bool binary;
    bool system;
};

struct sqs_outgoing {
    struct jobq_str body;
    int64_t phantom_bytes; /* further body bytes that nobody looks at */
    int64_t delay_ns;      /* SQS_DEFAULT: the queue's */
    struct jobq_str group; /* empty: none */
    struct jobq_str
        dedup; /* empty: none; for content-based deduplication the driver gives
                  the hash that AWS shows, or leaves it to the model's own */
    const struct sqs_attribute *attribute;
    int attribute_count;
    uint8_t mark; /* the driver's own, kept with the message for its receives */
};

struct sqs_sent {
    enum sqs_fault fault;
    uint64_t id;    /* grows with each message sent; a duplicate gets the first one's */
    bool duplicate; /* FIFO: swallowed by deduplication */
    const char *reason; /* AWS's text where it is not the fault's own; NULL. Static */
};

/* Puts count messages (1..10) on the queue. batch: as SendMessageBatch, where single
 * entries may fail and the total is limited. */
enum sqs_fault sqs_send(struct sqs *s, int64_t now_ns, int queue, bool batch,
                        const struct sqs_outgoing *in, int count, struct sqs_sent *out,
                        struct jobq_error *err);

/* Names one delivery of one message: slot in the low half, serial number of the receive
 * in the high one. 0 is none. */
struct sqs_receipt {
    uint64_t bits;
};

enum sqs_state { SQS_DELAYED, SQS_VISIBLE, SQS_IN_FLIGHT };

struct sqs_message {
    uint64_t id;
    struct sqs_receipt receipt; /* of the latest delivery */
    struct jobq_str body;
    int64_t phantom_bytes;
    struct jobq_str extra; /* group, deduplication id and attributes, packed; see below */
    int64_t sent_at_ns;
    int64_t first_received_at_ns; /* to the millisecond; 0 when receive_count is 0 */
    int64_t received_at_ns;       /* latest */
    int64_t due_at_ns;            /* DELAYED, IN_FLIGHT: when it becomes visible */
    int32_t receive_count;
    int source_queue; /* the queue that it was redriven from; -1: none */
    enum sqs_state state;
    uint8_t mark; /* as it was sent with; 0 of one that was restored */
    bool
        leaked; /* VISIBLE although its latest receipt still holds: a duplicate to come */
};

struct sqs_receive {
    int max;               /* 1..10 */
    int64_t wait_ns;       /* SQS_DEFAULT: the queue's; 0: short poll */
    int64_t visibility_ns; /* SQS_DEFAULT: the queue's */
    uint64_t cookie;       /* names the waiter, if it comes to that */
};
struct sqs_received {
    bool waiting; /* nothing now; the answer will be a grant under the cookie */
    int count;
    struct sqs_message message[SQS_BATCH_MAX];
};
/* Faults: OVER_LIMIT (standard queues), BAD_PARAMETER. */
enum sqs_fault sqs_receive(struct sqs *s, int64_t now_ns, double u, int queue,
                           const struct sqs_receive *options, struct sqs_received *out,
                           struct jobq_error *err);

/* Deletes count messages (1..10) by receipt. An old receipt deletes nothing and says OK;
 * a FIFO queue says RECEIPT_EXPIRED. result[i] is each one's fault. */
enum sqs_fault sqs_delete(struct sqs *s, int64_t now_ns, double u, int queue,
                          const struct sqs_receipt *receipt, int count,
                          enum sqs_fault *result, struct jobq_error *err);

struct sqs_change {
    struct sqs_receipt receipt;
    int64_t visibility_ns; /* from now; 0 gives the message back */
};
enum sqs_fault sqs_change_visibility(struct sqs *s, int64_t now_ns, int queue,
                                     const struct sqs_change *change, int count,
                                     enum sqs_fault *result, struct jobq_error *err);

/* AWS's text for an entry's fault on this queue, where sqs_sent has no reason of its own; out
 * is terminated, cut at cap. Returns out. */
char *sqs_entry_text(const struct sqs *s, int queue, enum sqs_fault fault, char *out,
                     int cap);

/* What is packed in extra. Views into it. */
struct sqs_extra {
    struct jobq_str group, dedup;
    int attribute_count;
};
void sqs_extra_read(struct jobq_str extra, struct sqs_extra *out);
/* The index-th attribute. */
void sqs_extra_attribute(struct jobq_str extra, int index, struct sqs_attribute *out);

/* ---- time and waiting ---- */

/* The earliest instant at which time alone changes something that somebody waits for:
 * a message becomes visible to a waiter, a waiter's time is out, a move task moves on.
 * JOBQ_FOREVER: never. What nobody waits for happens at the next call, as of its own
 * time. */
int64_t sqs_next_at(const struct sqs *s);
/* Applies everything due up to now_ns, in order of time. */
void sqs_advance(struct sqs *s, int64_t now_ns);

struct sqs_grant {
    uint64_t cookie;
    int queue;
    enum sqs_fault fault;         /* SQS_OK; NO_QUEUE: the queue was deleted */
    struct sqs_received received; /* count 0: its time is out */
};
/* The next finished wait, in the order in which they finished; false: none. A message
 * that was deleted, purged or expired between its grant and this call is left out. */
bool sqs_take_grant(struct sqs *s, struct sqs_grant *out);

enum sqs_cancel {
    SQS_CANCELLED, /* it was waiting; no grant will come */
    SQS_GRANTED,   /* already finished; its grant can still be taken */
    SQS_UNKNOWN    /* no such waiter */
};
enum sqs_cancel sqs_cancel(struct sqs *s, uint64_t cookie);

/* ---- counters, looking, keeping ---- */

/* Since the queue was made. At any instant, after sqs_advance:
 *   sent + moved_in = deleted + expired + purged + moved_out + what is there. */
struct sqs_stats {
    int64_t sent, moved_in;
    int64_t deleted, expired, purged, moved_out; /* moved: by redrive or a move task */
    int64_t redriven; /* of moved_out: to the dead-letter queue, by receive count */
    int64_t received; /* deliveries */
    int64_t receives, empty_receives; /* calls that ended, and those with nothing */
    int64_t duplicates;     /* deliveries while an earlier one still held the message */
    int64_t passed_over;    /* messages that a receive left out of turn (reorder_rate) */
    int64_t undeleted;      /* deletes that were lost */
    int64_t silent_deletes; /* with an old receipt: success, nothing deleted */
    int64_t silent_changes; /* the same of visibility */
    int64_t swallowed;      /* by FIFO deduplication */
    int64_t throttled;
};
/* Brings the queue up to now_ns and copies its counters. Returns NO_QUEUE or OK. */
enum sqs_fault sqs_stats(struct sqs *s, int64_t now_ns, int queue, struct sqs_stats *out);

/* Calls fn for each message of the queue as of now_ns, oldest first, until it returns
 * false. fn must not call the model. */
typedef bool sqs_visit_fn(void *ctx, const struct sqs_message *message);
void sqs_visit(struct sqs *s, int64_t now_ns, int queue, sqs_visit_fn *fn, void *ctx);
/* The message that a receipt names, whatever its state; false: there is none, or the
 * receipt is not its newest. */
bool sqs_lookup(const struct sqs *s, int queue, struct sqs_receipt receipt,
                struct sqs_message *out);

/* Tells an observer of each change that a store would have to keep: a message that is new
 * or changed (message is its state after the change), or gone (only id and receipt are
 * set). Called inside the calls that make the change; it must not call the model. NULL
 * stops it. */
enum sqs_event { SQS_EVENT_PUT, SQS_EVENT_GONE };
typedef void sqs_watch_fn(void *ctx, enum sqs_event event, int queue,
                          const struct sqs_message *message);
void sqs_watch(struct sqs *s, sqs_watch_fn *fn, void *ctx);

/* Puts a message back as a visit or an observer showed it, receipt included, into a queue
 * that was made anew with sqs_create. Messages come in the order of their visit. After
 * the last one call sqs_restore_end, which sets the time and moves the counters of ids
 * and receipts past all that were seen, with room for those that were not. */
void sqs_restore(struct sqs *s, int queue, const struct sqs_message *message);
/* The same for a message that was deleted: only what a FIFO queue remembers of it, by id,
 * sent_at_ns and extra. */
void sqs_restore_gone(struct sqs *s, int queue, const struct sqs_message *message);
void sqs_restore_end(struct sqs *s, int64_t now_ns);
/* When a queue that was made again had last been changed, and the scope it was made with. */
void sqs_restore_changed(struct sqs *s, int queue, int64_t changed_at_ns,
                         bool dedup_made_by_group);

/* Bytes of memory that the model holds, and messages in it, for reports. */
int64_t sqs_memory_bytes(const struct sqs *s);
int64_t sqs_message_count(const struct sqs *s);

#endif
