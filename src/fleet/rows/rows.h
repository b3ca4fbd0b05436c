/* rows.h - where the rows of jobs are, and every way to read, write, list and drop them.
 *
 * A job's id says its day and shard, which name the table (jobq/ports.h) that its row is in,
 * so that a row is found without a search. A day that is past its keep goes with its tables;
 * a store that keeps all days in one place drops each row by itself. What the drainers say of
 * themselves is in one more table a queue.
 *
 * Room:     src/fleet, the product. The only folder of it that calls the store.
 * Callers:  the enqueuer, the drainer, housekeeping, status, dead letters; jobq's commands.
 * Knows nothing of: messages, who may claim (the caller decides over what it read).
 * Blocks:   at store calls. */
#ifndef JOBQ_FLEET_ROWS_ROWS_H
#define JOBQ_FLEET_ROWS_ROWS_H

#include "fiber/fiber.h"
#include "fleet/job/job.h"
#include "jobq/ports.h"

#include <stdbool.h>

/* Whose calls, and how long they are tried again. Small: made where it is needed. */
struct rows {
    struct jobq_backend *b;
    const int64_t *deadline_at_ns; /* on jobq_now, read anew each time; NULL: no limit */
    int64_t *retries;              /* added to; NULL: not counted */
};

/* ---- one row ------------------------------------------------------------------------- */

/* The table that an id's row is in: a handle, good as long as the process. Costs nothing and
 * does not look. Returns it, or the port's error. */
int rows_table(struct jobq_backend *b, const struct job_id_parts *id,
               struct jobq_error *err);

/* Makes that table, or finds it made; not tried again. */
int rows_make_table(struct jobq_backend *b, const struct job_id_parts *id,
                    struct jobq_error *err);

/* The tables used last, of one queue; for who asks for every job. Embed and init. */
#define ROWS_DAYS 2
struct rows_tables {
    struct jobq_str queue; /* outlives it */
    int next;
    struct {
        int day; /* -1: unused */
        int table[JOB_SHARDS_MAX];
    } of[ROWS_DAYS];
};
void rows_tables_init(struct rows_tables *tables, struct jobq_str queue);
/* As rows_table. */
int rows_tables_find(struct rows_tables *tables, struct jobq_backend *b,
                     const struct job_id_parts *id, struct jobq_error *err);

enum rows_what {
    ROWS_WHOLE,
    ROWS_SHOWN, /* all but the payload, which may be a quarter of a megabyte */
    ROWS_CLAIM  /* time enqueued and claim */
};
/* Reads a row, consistently, tried again. Returns: JOBQ_OK, with row->exists false if there
 * is none; NOT_FOUND: not even its table, and row->exists is false; CORRUPT; or the port's
 * error. Owner: item's strings, which row
 * views, live in arena. Bill: one read. */
int rows_read(const struct rows *rows, int table, struct jobq_str id, enum rows_what what,
              struct arena *arena, struct jobq_item *item, struct job_row *row,
              struct jobq_error *err);

/* A change of a row's claim (job.h). */
struct rows_claim {
    struct jobq_str over; /* the whole claim that was read; len 0: there must be none */
    enum job_state state;
    int64_t attempt;
    struct jobq_str token;
    const struct jobq_attr *attr; /* written with it */
    int attr_count;               /* 0..ROWS_CLAIM_ATTRS */
    struct jobq_met
        *met; /* what a claim that stands there was seen to be; NULL: not asked */
};
#define ROWS_CLAIM_ATTRS (1 + JOB_TAIL_PIECES)
/* One conditional write, not tried again: what a failure means is the caller's to find out
 * by reading. Returns: JOBQ_OK; CONFLICT: another claim stands there, perhaps of an earlier
 * try; NOT_FOUND: no such table. Bill: one write. */
int rows_claim(const struct rows *rows, int table, struct jobq_str id,
               const struct rows_claim *claim, struct jobq_error *err);
/* Writes one attribute while the claim is `claim`; not tried again. */
int rows_note(const struct rows *rows, int table, struct jobq_str id,
              struct jobq_str claim, const struct jobq_attr *attr,
              struct jobq_error *err);
/* Deletes a row that was never claimed, tried again. */
int rows_remove_unclaimed(const struct rows *rows, int table, struct jobq_str id,
                          struct jobq_error *err);

/* ---- new rows ------------------------------------------------------------------------- */

/* What is known of one of the day's tables. */
struct rows_made {
    int table;      /* -1: not opened */
    bool asked_now; /* a first write, or its making, is under way: the others wait */
    bool answered;  /* a write was answered: nobody waits */
    int makings;
};

/* Adds rows, and makes tables that are missing. Embed and init; shared by the fibers of a
 * process. */
struct rows_adder {
    struct jobq_backend *b;
    struct jobq_str queue; /* outlives it */
    bool create;           /* else a missing table is NOT_FOUND */
    int day;               /* of made[] */
    struct rows_made made[JOB_SHARDS_MAX];
    struct fiber_cond answered;
    int64_t calls, retries;
    /* May drop tables when the account has no room for one more. Returns: 1, try again; 0,
     * nothing was dropped; or an error, and err says why not. NULL: nobody makes room.
     * Blocks: at store calls. */
    int (*make_room)(void *ctx, struct jobq_error *err);
    void *room_ctx;
};
void rows_adder_init(struct rows_adder *adder, struct jobq_backend *b,
                     struct jobq_str queue, bool create);
/* Writes 1..JOBQ_STORE_BATCH_MAX rows, all or none, until they are there, refused or out of
 * time. deadline_at_ns: on jobq_now, not NULL. Bill: one write; for who begins a table two
 * and its making. */
int rows_add(struct rows_adder *adder, int day, int shard, const struct jobq_item *item,
             int count, const int64_t *deadline_at_ns, struct jobq_error *err);
/* One row, if it is not there. Returns: also CONFLICT, it is; after an ambiguous failure it may
 * be this one. */
int rows_add_new(struct rows_adder *adder, int day, int shard,
                 const struct jobq_item *item, const int64_t *deadline_at_ns,
                 struct jobq_error *err);
/* Makes the first `shards` tables of a day, tried again without end, for who knows that they
 * are missing. */
int rows_make_day(struct rows_adder *adder, int day, int shards, struct jobq_error *err);

/* ---- tables and pages ------------------------------------------------------------------ */

#define ROWS_PAGE 100
#define ROWS_TABLES_MAX (JOB_SHARDS_MAX * 4)

/* The queue's tables, oldest day first, into arena. Returns how many; *all_tables (may be
 * NULL): of the whole account, other queues' too; LIMIT: more than ROWS_TABLES_MAX.
 * Bill: one request per 100 tables of the account. */
int rows_list_tables(const struct rows *rows, struct jobq_str queue, struct arena *arena,
                     struct jobq_table **out, int64_t *all_tables,
                     struct jobq_error *err);
/* Rows of a table, by the store's own count. Bill: one request. */
int rows_count(const struct rows *rows, const struct jobq_table *table, int64_t *out_rows,
               struct jobq_error *err);
int rows_drop_table(const struct rows *rows, const struct jobq_table *table,
                    struct jobq_error *err);

enum {
    ROWS_ALL = -1,     /* of any state */
    ROWS_WAITING = -2, /* queued or failed: a message is to come */
    ROWS_LIVE = -3     /* these and running: not ended */
};
/* Rows by state, a page at a time, over tables. Embed; 2 KB. */
struct rows_pages {
    const struct jobq_table *table; /* outlive it */
    int table_count, table_at;
    int state; /* enum job_state, or one of the above */
    enum rows_what what;
    int page; /* rows a call, 1..ROWS_PAGE: the same in all, a token is its question's */
    int64_t token_bytes;
    char token[2048];
};
void rows_pages_init(struct rows_pages *pages, const struct jobq_table *table,
                     int table_count, int state, enum rows_what what, int page);
/* The next rows, consistently, tried again, with the table of each as pages->table[...]: one
 * page is of one table. Returns how many, at most pages->page; 0 is a page too. When
 * rows_pages_done there are no more. Owner: strings live in arena. Bill: one request a page
 * (jobq_store_page_cost). */
int rows_pages_next(const struct rows *rows, struct rows_pages *pages,
                    struct arena *arena, struct jobq_item *item, struct jobq_error *err);
bool rows_pages_done(const struct rows_pages *pages);
/* ---- what drainers say of themselves ---------------------------------------------------- */

/* Writes a drainer's line; makes the table if it is missing. Not tried again. */
int rows_drainer_put(const struct rows *rows, struct jobq_str queue,
                     struct jobq_str drainer, struct jobq_str line,
                     struct jobq_error *err);
/* Reads the lines that compare as greater than `after` (lines begin with their time, so:
 * those written later). each may keep nothing of its arguments. May be a second old.
 * Returns: JOBQ_OK, also if no drainer ever wrote. */
typedef void rows_side_fn(void *ctx, struct jobq_str row, struct jobq_str value);
int rows_drainers(const struct rows *rows, struct jobq_str queue, struct jobq_str after,
                  struct arena *arena, rows_side_fn *each, void *ctx,
                  struct jobq_error *err);
/* Deletes the lines that compare as less than `before`. Returns how many. */
int64_t rows_drainers_forget(const struct rows *rows, struct jobq_str queue,
                             struct jobq_str before, struct arena *arena,
                             struct jobq_error *err);

/* The queue's own note, which drainers take turns by: one value, "" at first, in the
 * drainers' table. Owner: in arena. */
int rows_turn_read(const struct rows *rows, struct jobq_str queue, struct arena *arena,
                   struct jobq_str *out, struct jobq_error *err);
/* Replaces the value that was read. Returns: JOBQ_OK, the turn is ours; CONFLICT: somebody
 * else's. Makes the table if it is missing. Not tried again. */
int rows_turn_take(const struct rows *rows, struct jobq_str queue, struct jobq_str before,
                   struct jobq_str after, struct jobq_error *err);

/* ---- keys --------------------------------------------------------------------------------- */

/* Which job a client's key stands for: its id, in a row named by the key (escaped). Both are
 * tried again by the caller.
 * Gives a key to a job. over: the id that was read there; len 0: the key must be free.
 * Returns: JOBQ_OK; CONFLICT: the key stands for another. Bill: one write. */
int rows_key_take(const struct rows *rows, struct jobq_str queue, struct jobq_str key,
                  struct jobq_str over, struct jobq_str id, struct jobq_error *err);
/* Whose it is, "" if nobody's. Owner: in arena. Bill: one read. */
int rows_key_read(const struct rows *rows, struct jobq_str queue, struct jobq_str key,
                  struct arena *arena, struct jobq_str *out_id, struct jobq_error *err);
/* Deletes the keys of jobs made before this time, about `most` at once. Returns how many. Bill:
 * one request a hundred, and one more each. */
int64_t rows_keys_forget(const struct rows *rows, struct jobq_str queue,
                         int64_t before_wall_ns, int64_t most, struct arena *arena,
                         struct jobq_error *err);

/* True if the store may be written by us: a write that cannot take place was refused for its
 * condition. DENIED and the like with err otherwise. */
int rows_may_write(struct jobq_backend *b, struct jobq_str queue, struct jobq_error *err);

#endif
