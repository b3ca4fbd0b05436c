/* impl.h - the inside of the SQS model: what a message and a queue are made of.
 *
 * Room:     models, facts; of the SQS model alone.
 * Callers:  sqs_*.c.
 * Knows nothing of: its drivers.
 *
 * A message is a slot of 64 bytes, one cache line, with all that the calls change, and a
 * block that is written once and holds its bytes. Slots are named by index; 0 is none.
 * A freed slot keeps its block: most messages are of one size, and a delete that hung the
 * block into a list would fetch from far away a line that nobody else needs.
 * A message of a queue is always in the queue's order of sending (older, newer), for
 * retention, and in one place by its state:
 *
 *     VISIBLE    READY: the ready list; if it has a group, that one's list
 *     IN_FLIGHT  STEADY: deadlines of the queue's own visibility timeout, which come in
 *                order by themselves; ODD: those of any other, as long as they do;
 *                HEAP: the rest
 *     DELAYED    LATE: in order; HEAP: the rest
 *
 * so that each transition is O(1) unless timeouts are mixed. Nothing happens by itself: a
 * queue without waiters is brought up to date when it is next looked at. */
#ifndef JOBQ_MODELS_SQS_IMPL_H
#define JOBQ_MODELS_SQS_IMPL_H

#include "jobq/units.h"
#include "models/sqs/sqs.h"
#include "models/sqs/admin.h"
#include "models/sqs/heap.h"
#include "models/sqs/keys.h"

enum sqs_place {
    SQS_PLACE_NONE, /* a free slot */
    SQS_PLACE_READY,
    SQS_PLACE_STEADY,
    SQS_PLACE_ODD,
    SQS_PLACE_LATE,
    SQS_PLACE_HEAP
};

/* Written once, but for the small counters at its head. */
struct sqs_block {
    uint64_t id;
    uint32_t body_bytes, phantom_bytes, extra_bytes;
    uint32_t first_ms;         /* from sending to the first receive */
    uint32_t earlier_receives; /* in queues that it was redriven from */
    uint32_t sent_serial;      /* of the latest receive of any message when it was sent */
    uint16_t source;           /* queue it was redriven from, + 1 */
    uint8_t size_class;
    uint8_t mark; /* the driver's */
    char data[];  /* body, then extra */
};

struct sqs_slot {
    int64_t sent_at, due_at, received_at;
    struct sqs_block *block;
    uint32_t prev, next;   /* in its place; prev is the position in HEAP */
    uint32_t older, newer; /* in order of sending */
    uint32_t serial;       /* of the latest receive; 0: none */
    int32_t receive_count;
    uint32_t group; /* 0: none, as all of a standard queue without group ids */
    uint16_t queue;
    uint8_t place : 7;
    uint8_t large : 1; /* so is its block */
    uint8_t flags;     /* an enum sqs_state, and SQS_LEAKED */
};

/* Durations without a limit still have this one. */
#define SQS_LONGEST_NS (100 * 365 * JOBQ_NS_PER_DAY)

enum { SQS_STATE_MASK = 3, SQS_LEAKED = 4 };

struct sqs_list {
    uint32_t head, tail;
    int64_t head_due, tail_due; /* of lists of deadlines; FOREVER and 0 when empty */
};

/* Time that consumers held messages, in this stretch of params.fair_recent_ns and in the
 * one before. */
struct sqs_busy {
    int64_t stretch, now_ns, before_ns;
};

/* A group as the tenant of a standard queue. */
struct sqs_tenant {
    int64_t sent_at; /* its newest message */
    int64_t idle_at; /* when its last message went */
    struct sqs_busy busy;
    uint32_t heap_at; /* position in the heap of the quiet or of the noisy */
    bool noisy, idle;
};

struct sqs_group {
    struct sqs_key key;
    uint32_t head, tail; /* its visible messages, in order of sending */
    /* FIFO: among the groups that can be received from. Standard: among the noisy, in
     * order of their newest message, or among the idle. */
    uint32_t prev, next;
    union {
        /* FIFO: those in flight, in no order. They come before all that are visible and
         * were not received, and a receive takes no message behind one of them: never
         * more than one receive's. */
        uint32_t flying[SQS_BATCH_MAX];
        struct sqs_tenant tenant;
    };
    uint32_t in_flight, total;
    bool listed; /* can be received from */
};

struct sqs_dedup {
    struct sqs_key key;
    uint64_t id;
    int64_t at;
    uint32_t newer;
};

struct sqs_bucket {
    double tokens;
    int64_t at;
};
enum {
    SQS_BUCKET_ALL,
    SQS_BUCKET_SEND,
    SQS_BUCKET_RECEIVE,
    SQS_BUCKET_DELETE,
    SQS_BUCKETS
};

struct sqs_queue {
    bool exists;
    uint16_t index;
    uint32_t uid; /* never used again, unlike the index */
    int name_len;
    char name[SQS_NAME_MAX + 1];
    struct sqs_settings settings; /* allow_name points to owned strings */
    bool dedup_by_group;          /* as it was made; what is set later has no effect */
    struct sqs_list ready, steady, odd, late;
    struct sqs_heap heap;
    uint32_t oldest, newest;
    int64_t oldest_sent; /* FOREVER when empty */
    int64_t visible, in_flight, delayed;
    bool grouped;                    /* FIFO, or a message of a group came */
    uint32_t group_head, group_tail; /* FIFO: to receive from. Standard: the noisy */
    uint32_t idle_head, idle_tail;   /* groups without messages, oldest first */
    struct sqs_heap quiet, noisy;    /* groups by their first message; by in flight */
    struct sqs_busy busy;            /* of all messages since grouped */
    uint32_t waiter_head, waiter_tail, waiter_count;
    int64_t alarm_at; /* its key in the heap of alarms, FOREVER: not in it */
    int64_t created_at, changed_at, purged_at;
    int64_t counted_at, counted[3]; /* what GetQueueAttributes last said */
    struct sqs_bucket bucket[SQS_BUCKETS];
    struct sqs_stats stats;
    struct sqs_note *note;
    int note_count, note_cap;
};

enum sqs_waiting { SQS_WAITER_FREE, SQS_WAITER_WAITS, SQS_WAITER_DONE };
struct sqs_waiter {
    uint64_t cookie;
    int64_t until, visibility_ns;
    double u;
    uint32_t prev, next;  /* in its queue; next also among the finished, and free ones */
    uint32_t patience_at; /* position in the heap of patience */
    uint8_t waiting, max, count;
    uint16_t queue;
    enum sqs_fault fault;
    /* What was granted, which may have been delivered again before the grant is taken. */
    uint32_t slot[SQS_BATCH_MAX], serial[SQS_BATCH_MAX];
    int32_t receive_count[SQS_BATCH_MAX];
    uint64_t id[SQS_BATCH_MAX];
    int64_t granted_at;
    uint32_t leaked; /* a bit each */
};

/* A name that may not be used again yet. */
struct sqs_buried {
    char name[SQS_NAME_MAX + 1];
    int name_len;
    int64_t until;
};

enum { SQS_CLASSES = 64, SQS_CHUNK_BYTES = 1 << 18 };

struct sqs {
    struct sqs_params params;
    int64_t now;
    uint64_t next_id;
    uint32_t serial;
    sqs_watch_fn *watch;
    void *watch_ctx;

    struct sqs_slot *slot;
    uint32_t slot_used, slot_cap, slot_free;
    int64_t message_count, large_bytes;
    char **chunk; /* the blocks are carved from them in turn */
    uint32_t chunk_count, chunk_cap, chunk_at;
    size_t chunk_used;
    void *block_free[SQS_CLASSES];

    struct sqs_queue **queue; /* allocated once each, reused */
    uint32_t queue_count, queue_cap;
    uint16_t *by_name; /* indices of those that exist, by name */
    uint32_t name_count, name_cap;
    uint32_t next_uid;
    struct sqs_buried *buried;
    uint32_t buried_count, buried_cap;

    struct sqs_heap alarms; /* of queues with waiters: when something becomes visible */
    uint32_t *alarm_place;  /* by queue index */
    uint32_t alarm_cap;
    struct sqs_heap patience; /* of waiters: when their time is out */
    struct sqs_waiter *waiter;
    uint32_t waiter_used, waiter_cap, waiter_free;
    uint32_t done_head, done_tail;

    struct sqs_keys groups, dedups;
    uint32_t dedup_head, dedup_tail;

    struct sqs_move *move; /* message-move tasks, oldest first */
    int move_count, move_cap;
};

/* ---- models/sqs/message.c --------------------------------------------------------------------- */

void sqs_slot_grow(struct sqs *s); /* doubles the room */
/* A free slot has the block of its last message, or NULL. */
uint32_t sqs_slot_new(struct sqs *s);
void sqs_slot_free(struct sqs *s, uint32_t slot);
/* A block with room, which is `left`, the slot's, if that has the right size. */
struct sqs_block *sqs_block_new(struct sqs *s, struct sqs_block *left, size_t data_bytes);
bool sqs_block_is_large(const struct sqs_block *block);
void sqs_memory_reset(struct sqs *s); /* after the last large block was freed */
void sqs_memory_release(struct sqs *s);

/* ---- models/sqs/order.c: places ---------------------------------------------------------------- */

enum sqs_rejoin {
    SQS_REJOIN_END,  /* newly sent: behind all others */
    SQS_REJOIN_BACK, /* given back or timed out: by its age, which is near the head */
    SQS_REJOIN_LATE  /* its delay is over: by its age, which is near the end */
};

/* Enters a slot whose sent_at, queue and block are set into the order of sending. */
void sqs_enter(struct sqs *s, struct sqs_queue *q, uint32_t slot);
/* Makes it visible; it must be in no place. */
void sqs_show(struct sqs *s, struct sqs_queue *q, uint32_t slot, enum sqs_rejoin rejoin);
/* Hides it until due, duration after now; it must be in no place. */
void sqs_hide(struct sqs *s, struct sqs_queue *q, uint32_t slot, enum sqs_state state,
              int64_t due, int64_t duration);
/* Sends its FIFO group behind the others that can be received from. */
void sqs_rotate(struct sqs *s, struct sqs_queue *q, uint32_t slot);
/* True: a message of its FIFO group that was sent before it is in flight. */
bool sqs_is_blocked(const struct sqs *s, uint32_t slot);
/* Takes it out of its place. */
void sqs_lift(struct sqs *s, struct sqs_queue *q, uint32_t slot);
/* The same and frees it, after telling the observer. */
void sqs_drop(struct sqs *s, struct sqs_queue *q, uint32_t slot);
/* Moves it to another queue, visible there. */
void sqs_move_to(struct sqs *s, struct sqs_queue *from, struct sqs_queue *to,
                 uint32_t slot, bool as_new);
/* The earliest deadline of the queue; FOREVER. */
int64_t sqs_next_due(const struct sqs_queue *q);
/* Applies what time alone has done to the queue by now. */
void sqs_settle(struct sqs *s, struct sqs_queue *q, int64_t now);

/* Puts slot behind prev (0: in front) in a list linked by prev and next; takes it out. */
void sqs_link(struct sqs *s, uint32_t *head, uint32_t *tail, uint32_t slot,
              uint32_t prev);
void sqs_unlink(struct sqs *s, uint32_t *head, uint32_t *tail, uint32_t slot);
/* The list that a visible message of a standard queue is in, and its other end. */
void sqs_ready_list(struct sqs *s, struct sqs_queue *q, uint32_t slot, uint32_t **head,
                    uint32_t **tail);

/* ---- models/sqs/fair.c: tenants of a standard queue, whose messages have a group ---------------- */

/* A message of the group (an index of s->groups) enters, and the last one has left. */
void sqs_fair_enter(struct sqs *s, struct sqs_queue *q, uint32_t group, int64_t sent_at);
void sqs_fair_idle(struct sqs *s, struct sqs_queue *q, uint32_t group);
/* Its list of visible messages has changed: one has joined, or left. */
void sqs_fair_shown(struct sqs *s, struct sqs_queue *q, uint32_t group);
void sqs_fair_lifted(struct sqs *s, struct sqs_queue *q, uint32_t group);
/* A message, with group or without, went in flight, and is no longer; q->in_flight has
 * been changed. */
void sqs_fair_fly(struct sqs *s, struct sqs_queue *q, uint32_t slot);
void sqs_fair_land(struct sqs *s, struct sqs_queue *q, uint32_t slot);
/* The visible message whose turn it is; 0: none. Those of noisy groups come last. */
uint32_t sqs_fair_first(struct sqs *s, struct sqs_queue *q);
/* Takes a visible message out of its list, so that sqs_fair_first finds the next, and puts
 * it back in front, the last one taken first. It stays in its place for all else. */
void sqs_fair_pass(struct sqs *s, struct sqs_queue *q, uint32_t slot);
void sqs_fair_return(struct sqs *s, struct sqs_queue *q, uint32_t slot);
/* Groups whose time as noisy is over become quiet. */
void sqs_fair_calm(struct sqs *s, struct sqs_queue *q);
/* Forgets all groups of a queue without messages. */
void sqs_fair_clear(struct sqs *s, struct sqs_queue *q);

/* ---- models/sqs/receive.c: waiting ------------------------------------------------------------- */

/* Begins a call: brings the model up to now_ns and returns the instant that counts. */
int64_t sqs_begin(struct sqs *s, int64_t now_ns);
/* Begins a call on a queue, which is then settled; NULL and err filled: no such queue. */
struct sqs_queue *sqs_begin_queue(struct sqs *s, int64_t *now_ns, int queue,
                                  struct jobq_error *err);
/* Ends a call that may have made something visible: grants it to waiters. */
void sqs_wake(struct sqs *s, struct sqs_queue *q, int64_t now);
/* Ends all waits of a queue with a fault. */
void sqs_dismiss(struct sqs *s, struct sqs_queue *q, enum sqs_fault fault);
/* Takes a token; false: throttled, counted. */
bool sqs_admit(struct sqs *s, struct sqs_queue *q, int64_t now, int bucket);

/* ---- others ------------------------------------------------------------------------------- */

struct sqs_queue *sqs_queue_at(const struct sqs *s, int queue); /* NULL: not there */
/* Position of the first name that is not before this one, in by_name. */
uint32_t sqs_name_lower(const struct sqs *s, struct jobq_str name);
struct jobq_str sqs_name_of(const struct sqs_queue *q);
/* Drops all messages, waiters and notes of the queue. */
void sqs_queue_clear(struct sqs *s, struct sqs_queue *q);
void sqs_queue_release(struct sqs *s, struct sqs_queue *q);
enum sqs_fault sqs_fail(struct jobq_error *err, enum sqs_fault fault, const char *text);
/* The slot that a receipt names in this queue; 0: none. */
uint32_t sqs_slot_of(const struct sqs *s, const struct sqs_queue *q,
                     struct sqs_receipt receipt);
void sqs_fill(const struct sqs *s, uint32_t slot, struct sqs_message *out);
void sqs_tell(struct sqs *s, uint32_t slot); /* the observer: PUT */
/* Bytes of the packed form, and the packing; out has room for them. */
size_t sqs_extra_bytes(const struct sqs_outgoing *in);
void sqs_extra_write(const struct sqs_outgoing *in, char *out);
/* The id that a FIFO queue has for this deduplication id within the window, 0: none. */
uint64_t sqs_dedup_find(struct sqs *s, const struct sqs_queue *q, struct jobq_str group,
                        struct jobq_str dedup, int64_t now);
void sqs_dedup_add(struct sqs *s, const struct sqs_queue *q, struct jobq_str group,
                   struct jobq_str dedup, uint64_t id, int64_t at);
/* Forgets all of the queue's. */
void sqs_dedup_purge(struct sqs *s, const struct sqs_queue *q);
/* Puts what was added out of order into that of time, in which it is forgotten. */
void sqs_dedup_sort(struct sqs *s);
/* Message-move tasks: the next step's instant, and the steps due at now. */
int64_t sqs_move_next_at(const struct sqs *s);
void sqs_move_step(struct sqs *s, int64_t now);
/* Ends the tasks that read from or write to a queue that is going away. */
void sqs_move_orphan(struct sqs *s, const struct sqs_queue *q);

#endif
