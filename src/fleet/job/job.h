/* job.h - what a job looks like: its id, its message, its row and its states.
 *
 * Room:     src/fleet, the product. Pure: bytes in, bytes out.
 * Callers:  the product, the programs, tests that read rows; the JOB_*_N numbers also by
 *           the closed form that predicts a bill.
 * Knows nothing of: ports, time, who sends or stores the bytes.
 *
 * Id. QUEUE-MMMMMMMMMSSSSDDDHHPPPPPP: the queue's name, a dash, and 24 characters of base
 * 32 (0-9a-v, so that bytes sort as numbers do): M  9  milliseconds since 1970 S  4  a
 * counter of the process: + 1 each job, not reset; when it wraps, M moves on D  3  the
 * day (since 1970) on which its tables were begun; 0: tables that never rotate H  2 the
 * shard, 0..1023: which of the day's tables holds the row P  6  the process, 30 random
 * bits Ids of one process are unique and ascending (M and S are one number), ids of
 * several are in time order to the millisecond. Day and shard say the
 * table: all that status(id) needs.
 *
 * Message. One line "ID KIND NUMBER[ attempts=N][ limit=NS][ backoff=NS][ store]" (NUMBER:
 * nanoseconds of sleep, the bound of primes, 0 for exec; the next three: the job's own limits),
 * then for each pair a line "NAME=VALUE", no newline at the end.
 * Bytes that SQS or XML would not carry, or that mean something here (below 0x20, '%',
 * 0x7f, malformed UTF-8, U+FFFE, U+FFFF, and '=' in a name) are %XX. " store" says that
 * the pairs are in the row only. At most one pair is phantom; it goes last, as phantom
 * bytes.
 *
 * Row. Item name: the id. Attributes, by who writes them:
 *   enqueuer:  t=ENQUEUED_MS, p0, p1, ...: the message behind "ID ", cut in pieces of at
 *              most 1,024 bytes at character boundaries. Never `claim`.
 *   claim:     claim="running ATTEMPT/TOKEN", run="STARTED_MS BOX MESSAGE_ID"
 *   progress:  progress="ATTEMPT/TOKEN PERCENT", if the work reports any; void unless that
 *              claim runs
 *   end:       claim="done ATTEMPT/TOKEN" (or failed, dead), end="FINISHED_MS EXIT
 *              WALL_NS CPU_NS", tail0..tail3 (output, if any: its last bytes; " PRINTED"
 *              behind CPU_NS, the bytes of all of it, says that there was more)
 *   give back: claim="queued ATTEMPT-1/TOKEN": the attempt does not count
 *   cancel:    claim="cancelled ATTEMPT/TOKEN" of the claim that it replaces, "0/-" if
 *              there was none: a queued job cannot start and a running one cannot report
 *   redrive:   claim="queued 0/TOKEN", from dead
 *   repair:    claim="queued ATTEMPT/TOKEN", from running, when the message is gone
 *
 * The claim is the state. A row without one is queued; else its first word says how the
 * job stands, and no other attribute does. Who reads by state asks for that word.
 *
 * Why it is safe. Each write of `claim` is a put on condition that the claim is exactly
 * the value that its writer has read (the first one: that there is none), and each value
 * is written once in a row's life: a claim has a token of its own, and its give back and
 * end, which keep the token, have another first word. So
 * - of two writers that read the same value one wins, and the other reads again;
 * - a put that the network delivers minutes late finds another value and is refused, or
 *   nothing has happened meanwhile and it is as good as in time. The enqueuer's put has no
 *   condition, but writes only what never changes: late or twice, it undoes nothing;
 * - an attempt that was taken over cannot report: its claim is gone;
 * - a reply that was lost is settled by reading: one's own value there means success.
 * A takeover, after the visibility timeout ran out, is attempt + 1 over the claim that was
 * read. SQS's own duplicates read "running" with another message's id and leave the job
 * alone, or an end, and delete their message. */
#ifndef JOBQ_FLEET_JOB_JOB_H
#define JOBQ_FLEET_JOB_JOB_H

#include "jobq/ports.h"
#include "jobq/units.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- numbers ------------------------------------------------------------------------ ---- */

/* Attribute-values in each of a job's three puts, which is what BoxUsage goes by
 * (0.0000219907 h + 2e-10 N^3). A small job: 2, 2, 2; sum of cubes 24. */
#define JOB_ROW_N(pieces) (1 + (pieces))
#define JOB_CLAIM_N 2
#define JOB_FINAL_N(tail_pieces) (2 + (tail_pieces))
/* Distinct names of a row that has ended: what a whole GetAttributes returns. */
#define JOB_GET_N(pieces, tail_pieces) (4 + (pieces) + (tail_pieces))

#define JOB_PIECE_BYTES 1024 /* of an attribute: what any store takes */
#define JOB_TAIL_PIECES 4
#define JOB_OTHER_ATTRS 12 /* t, claim, run, end, progress, tails and room */
#define JOB_PIECES_MAX (256 - JOB_OTHER_ATTRS)
/* The most that a row can hold of an encoded job, its id left out: 244 KiB. */
#define JOB_ROW_BYTES_MAX (JOB_PIECES_MAX * (int64_t)JOB_PIECE_BYTES)
#define JOB_PAIRS_MAX 256
#define JOB_NAME_BYTES_MAX 255 /* of a pair's name, before encoding */
#define JOB_KEY_BYTES_MAX 255  /* of a client's key, before encoding */

#define JOB_ID_SUFFIX 25 /* the dash and 24 characters */
/* "QUEUE-dead" must be a queue's name too. */
#define JOB_QUEUE_NAME_MAX (JOBQ_QUEUE_NAME_MAX - 5)
#define JOB_ID_MAX (JOBQ_QUEUE_NAME_MAX + JOB_ID_SUFFIX)
#define JOB_SHARDS_MAX 250 /* tables a day: what any store's account has room for */
#define JOB_TOKEN_MAX 32   /* of a claim */
#define JOB_CLAIM_MAX 64   /* "cancelled ATTEMPT/TOKEN" */
#define JOB_SLEEP_MAX_NS (INT64_C(100) * 365 * 86400 * 1000000000)

/* ---- which rows are written --------------------------------------------------------------- */

/* What a job's row is wanted for, which is how many writes it costs. Without a store there is
 * none. */
enum job_rows {
    JOB_ROWS_ALL,   /* at enqueue, claim and end */
    JOB_ROWS_CLAIM, /* at claim and end: a job that waits has no row, and cannot be listed,
                       repaired or cancelled */
    JOB_ROWS_END /* at the end alone: also, two drainers may run a job at once, and a second
                       message of it (a copy, a resent one) runs it again; the result that
                       comes first stands */
};

/* ---- states and kinds --------------------------------------------------------------- ---- */

enum job_state {
    JOB_QUEUED,
    JOB_RUNNING,
    JOB_DONE,
    JOB_FAILED, /* will be tried again */
    JOB_DEAD,
    JOB_CANCELLED,
    JOB_STATE_COUNT
};

/* "queued", ...; never NULL. */
const char *job_state_name(enum job_state state);
bool job_state_parse(struct jobq_str text, enum job_state *out);
/* done, dead or cancelled: nothing will run it again. */
bool job_state_is_final(enum job_state state);

/* Writes a claim's value, "STATE ATTEMPT/TOKEN", at out (JOB_CLAIM_MAX bytes, not
 * terminated); returns its length. token: 1..JOB_TOKEN_MAX bytes without blanks. */
int job_claim_write(enum job_state state, int64_t attempt, struct jobq_str token,
                    char *out);

/* "sleep", "primes", "exec". */
const char *job_kind_name(enum jobq_work_kind kind);
struct jobq_str job_kind_str(enum jobq_work_kind kind);
bool job_kind_parse(struct jobq_str text, enum jobq_work_kind *out);

/* ---- queue names ----------------------------------------------------------- ---- */

/* INVALID or LIMIT unless 1..JOB_QUEUE_NAME_MAX letters, digits, '-' and '_' (".fifo" may
 * end it). */
int job_queue_name_check(const char *queue, struct jobq_error *err);

/* ---- visibility timeouts ------------------------------------------------------------ */

/* SQS takes 0 to 12 h, but 0 hides no message. As text too, for the table of settings. */
#define JOB_VISIBILITY_MIN_NS JOBQ_NS_PER_S
#define JOB_VISIBILITY_MAX_NS (12 * JOBQ_NS_PER_HOUR)
#define JOB_VISIBILITY_MIN_TEXT "1s"
#define JOB_VISIBILITY_MAX_TEXT "12h"
/* LIMIT: not within them. */
int job_visibility_check(int64_t visibility_ns, struct jobq_error *err);
/* QUEUE-dead (QUEUE-dead.fifo). out holds JOBQ_QUEUE_NAME_MAX + 1. */
void job_dead_queue_name(const char *queue, char *out);

/* ---- ids ------------------------------------------------------------------------------ ---- */

/* The ids of one process. Embed and init. */
struct job_ids {
    struct jobq_str queue; /* outlives it */
    uint64_t last;         /* milliseconds << 20 | counter */
    uint64_t process;      /* 30 bits */
};
/* bits: 64 random ones. */
void job_ids_init(struct job_ids *ids, struct jobq_str queue, uint64_t bits);
/* Writes the next id at out (JOB_ID_MAX + 1 bytes, terminated) and returns its length. */
int job_ids_next(struct job_ids *ids, int64_t wall_ns, int day, int shard, char *out);

struct job_id_parts {
    struct jobq_str queue; /* a view of the id */
    int64_t created_ms;
    int day, shard;
};
/* INVALID if it is no job id. */
int job_id_parse(struct jobq_str id, struct job_id_parts *out, struct jobq_error *err);
/* Writes what compares as no greater than any id made at this time or later, and as greater than
 * the earlier ones, at out (JOB_ID_MAX + 1 bytes, terminated); returns its length. */
int job_id_floor(struct jobq_str queue, int64_t wall_ns, char *out);
/* Days since 1970. */
int job_day(int64_t wall_ns);

/* ---- a job as its client says it ----------------------------------------------------- */

struct job_pair {
    struct jobq_str name;
    struct jobq_str value; /* any bytes; at most one phantom a job */
};

/* What a job asks of the drainers in place of their own settings. Zeroed: nothing. */
struct job_limits {
    int64_t attempts; /* 1..JOB_ATTEMPTS_MAX: dead after so many; 0: the drainer's own */
    int64_t time_limit_ns; /* 1 ms..12 h, of one attempt; 0: the drainer's own */
    int64_t backoff_ns; /* 0..15 min, before the second attempt; doubles with each further
                              one */
    bool has_backoff;   /* else the drainer's own */
};
#define JOB_ATTEMPTS_MAX 1000
#define JOB_TIME_LIMIT_MIN_NS JOBQ_NS_PER_MS
#define JOB_BACKOFF_MAX_NS (15 * JOBQ_NS_PER_MIN)
/* LIMIT: one of them is out of its range, and the text names it. */
int job_limits_check(const struct job_limits *limits, struct jobq_error *err);

struct job_spec {
    enum jobq_work_kind kind;
    int64_t number;              /* SLEEP: nanoseconds; PRIMES: the bound; EXEC: 0 */
    const struct job_pair *pair; /* payload only, reserved names taken out */
    int pair_count;
    struct job_limits limits; /* job_spec_read leaves them zeroed */
};

/* Sorts out kind, seconds and n; all others are payload. Without a kind: any payload means
 * exec, seconds alone sleep, n alone primes, nothing at all a sleep of 0 seconds, and
 * payload beside seconds or n is refused. The payload is compacted into payload[] (room for pair_count), which out->pair then views.
 * INVALID: unknown or doubtful kind, a number that is none, a name that is empty, reserved and not of
 * this kind, or given twice; LIMIT: the text names it. */
int job_spec_read(const struct job_pair *pair, int pair_count, struct job_pair *payload,
                  struct job_spec *out, struct jobq_error *err);

/* Bytes of the encoded job behind "ID ", and how many of them are phantom. */
int64_t job_encoded_bytes(const struct job_spec *spec, int64_t *out_phantom);
/* Writes those bytes, all but the phantom ones, at out; returns how many. */
int64_t job_encode(const struct job_spec *spec, char *out);
/* Bytes of the first line alone ("KIND NUMBER ...", no newline). */
int job_head_bytes(const struct job_spec *spec);
/* Room for that line, " store" included. */
#define JOB_HEAD_MAX 128
/* Writes "KIND NUMBER ... store", the form of a message whose pairs are in the row. */
int job_encode_stored(const struct job_spec *spec, char *out);

/* A message or a row's pieces, read. Views of the bytes. */
struct job_body {
    struct jobq_str id;
    enum jobq_work_kind kind;
    bool stored; /* the pairs are in the row */
    int64_t number;
    struct job_limits limits;
    struct jobq_str pairs;        /* the lines behind the first; still encoded */
    int64_t phantom_bytes;        /* behind them */
    struct job_id_parts id_parts; /* meaningless without an id */
};
/* CORRUPT if the message was not made by job_encode. */
int job_body_read(struct jobq_str body, int64_t phantom_bytes, struct job_body *out,
                  struct jobq_error *err);
/* The same for the encoded job alone (a row's pieces joined): out->id is empty. */
int job_encoded_read(struct jobq_str encoded, int64_t phantom_bytes, struct job_body *out,
                     struct jobq_error *err);

/* The next pair. *at starts at 0. Name and value are decoded into arena (the last value
 * may be phantom). False at the end. */
bool job_pair_next(const struct job_body *body, int64_t *at, struct arena *arena,
                   struct job_pair *out);

/* What an exec job reads on its standard input: the value of a pair named "payload" if
 * that is the only pair, else the lines "NAME=VALUE" as encoded. Lives in arena. */
struct jobq_str job_stdin(const struct job_body *body, struct arena *arena);

/* How many pieces a row needs for so many encoded bytes of ASCII or phantom (1 at
 * least). */
int job_pieces(int64_t encoded_bytes);

/* Escapes for a message or an attribute: %XX as above; in_name escapes '=' too. Returns
 * the bytes written, or with out NULL the bytes it would. */
int64_t job_escape(struct jobq_str raw, bool in_name, char *out);
/* Undoes job_escape; out has room for raw.len, and may be raw.ptr. Returns the bytes. */
int64_t job_unescape(struct jobq_str raw, char *out);

/* ---- rows ---------------------------------------------------------------------------- */

/* A row, read. Views of the item's strings; lens 0 where an attribute is absent. */
struct job_row {
    bool exists;
    enum job_state state;  /* of the claim; queued without one */
    struct jobq_str claim; /* the whole value; "" before the first claim */
    int64_t attempt;       /* of the claim; 0 before the first */
    struct jobq_str token; /* of the claim */
    int64_t enqueued_ms;
    int64_t started_ms;              /* of the last claim; 0: never */
    struct jobq_str box, message_id; /* of the last claim */
    int64_t finished_ms;             /* of the last ended attempt; 0: none */
    int64_t exit_code, wall_ns, cpu_ns;
    int64_t printed_bytes; /* of all output, if not all of it is here; else 0 */
    int64_t progress;      /* percent that the running attempt has reported; -1: none */
    struct jobq_str tail[JOB_TAIL_PIECES]; /* encoded */
    int tail_count;
    int piece_count;
    int64_t piece_bytes; /* phantom ones included */
};
/* Why an item that has neither is no row of ours. */
#define JOB_ROW_IS_NONE "a row with neither 't' nor 'claim' is no job's"
/* Reads what GetAttributes gave. CORRUPT: a row that no part of jobq writes. An item
 * without attributes gives exists false. */
int job_row_read(const struct jobq_item *item, struct job_row *out,
                 struct jobq_error *err);
/* The encoded job of a row: its pieces, joined in arena; phantom bytes counted apart. */
struct jobq_str job_row_encoded(const struct jobq_item *item, struct arena *arena,
                                int64_t *out_phantom);
/* The message that the row's enqueuer would have sent: with the payload if it has at most
 * max_bytes. CORRUPT: the pieces are no job. Lives in arena. */
int job_row_message(const struct jobq_item *item, int64_t max_bytes, struct arena *arena,
                    struct jobq_outgoing *out, struct jobq_error *err);

#endif
