/* housekeeping.h - what a fleet must do to live for years: drop old days, send what has no
 * message.
 *
 * Room:     src/fleet, the product.
 * Callers:  the drainer (one of a queue's, about once an hour); jobq prune and repair.
 * Knows nothing of: what the store calls its tables (fleet/rows/rows.h).
 * Blocks:   at port calls; a repair for a visibility timeout and more.
 *
 * The rule of the days. A row of day D is written by the end of D, and its message is sent
 * after it and lives for the queue's retention; an attempt that began at the last moment
 * holds it for 12 h more (SQS's limit). So a row cannot be live any more at the end of D +
 * retention + 12 h, and `keep` must be longer than that. A repair sends a message anew, and
 * only for days that are not past their keep: therefore a day past its keep is dropped if
 * none of its rows is live, and at the end of D + keep + retention + 12 h in any case, when
 * the last message that a repair could have sent is gone too. Where messages never expire
 * (retention 0) a day with a live row is never dropped. */
#ifndef JOBQ_FLEET_HOUSEKEEPING_HOUSEKEEPING_H
#define JOBQ_FLEET_HOUSEKEEPING_HOUSEKEEPING_H

#include "jobq/flow.h"
#include "jobq/ports.h"
#include "jobq/units.h"

#include <stdbool.h>

/* The defaults. */
#define HOUSEKEEPING_KEEP_NS (21 * JOBQ_NS_PER_DAY)
#define HOUSEKEEPING_KEEP_TEXT "21d"
#define HOUSEKEEPING_EVERY_NS JOBQ_NS_PER_HOUR
#define HOUSEKEEPING_EVERY_TEXT "1h"
#define HOUSEKEEPING_HELD_NS (JOBQ_FLOW_HELD_S * JOBQ_NS_PER_S)

struct housekeeping {
    struct jobq_backend *b;     /* with a store */
    struct jobq_str queue_name; /* outlives it */
    int queue;                  /* its handle */
    int64_t keep_ns;
    int64_t retention_ns;  /* of the queue; 0: messages do not expire */
    int64_t visibility_ns; /* of the queue */
    bool dry_run;          /* only look */
    bool brief;            /* the process is about to end: wait for nothing */
    int64_t empty_for_ns;  /* the queue has been seen empty for so long; 0: not known */
    const bool *stop;      /* true: end soon; NULL: never */
};

struct housekeeping_done {
    int64_t tables, all_tables; /* of the queue, of the account; before */
    int64_t dropped;            /* tables of old days; with dry_run: would be */
    int64_t kept;               /* tables past their keep with a live row */
    int64_t forgotten;          /* lines of drainers that were not seen for `keep` */
    int64_t freed;              /* clients' keys of jobs older than the retention */
    int64_t waiting;            /* rows that have not ended, which a repair looked at */
    int64_t sent;               /* of these, messages sent again; dry_run: would be */
    int64_t unreadable;         /* rows that nobody can read, left alone */
};

/* INVALID: keep is not longer than the queue's retention and 12 h; the text says both. */
int housekeeping_check_keep(int64_t keep_ns, int64_t retention_ns,
                            struct jobq_error *err);

/* Tells a store that drops row by row how long: keep_ns behind the last write, or more where
 * that is not longer than a message can live and be held. */
void housekeeping_keep_rows(struct jobq_backend *b, int64_t keep_ns);

/* Clients' keys that one prune frees; each is a delete of 3 micro-dollars. */
#define HOUSEKEEPING_KEYS_MAX 20000
/* Drops the tables of days past their keep, the lines of drainers as old, and the keys of jobs
 * older than the retention, which their clients take for free by then. Bill: one
 * request per 100 tables of the account; for each table past its keep one look and one drop
 * (780 micro-dollars); one look for keys, and one delete each. */
int housekeeping_prune(const struct housekeeping *h, struct housekeeping_done *done,
                       struct jobq_error *err);

/* Sends the messages of rows that wait for one that cannot exist: the queue has shown empty
 * for a whole visibility timeout, in which every message that exists would have been
 * visible, in flight or delayed; or the row's day is older than any message gets. If brief,
 * an empty queue is enough for rows older than any message can be held. A row that says
 * running has lost its message too (to a purge, say): its attempt is over. A message
 * too many is harmless, because a row is claimed once. Looks at tables of days from
 * from_day on (0: all not past their keep). The emptiness must begin by until_ns (on
 * jobq_now): else TIMEOUT, with the old days done. Bill: one look
 * a table and 1.3 micro-dollars a waiting row. */
int housekeeping_repair(const struct housekeeping *h, int from_day, int64_t until_ns,
                        struct housekeeping_done *done, struct jobq_error *err);

/* Both, if it is this drainer's turn: the queue's note in the store says when the last round
 * began, and only one of those that read it can replace it. A queue without a note, where no
 * round has been, has its first when a drainer has lived for half of every_ns, or if it has a
 * table of an earlier day. Returns: 1 it was, 0 it was not, or an error of one of the steps.
 * *next_ns: wait so long before asking again. Bill: one read; without a note, one list more;
 * then that of the steps. */
int housekeeping_round(const struct housekeeping *h, int64_t every_ns, int64_t lived_ns,
                       struct jobq_str drainer, int64_t *next_ns,
                       struct housekeeping_done *done, struct jobq_error *err);

/* A prune by a process that is no drainer and finds the account full. Leaves all as it is
 * while drainers keep house, because they know the keep that they were given: a round of
 * theirs began in the last day. Bill: one read, then that of a prune. */
int housekeeping_make_room(const struct housekeeping *h, struct housekeeping_done *done,
                           struct jobq_error *err);
/* "dropped 4 tables of old days, sent 2 missing messages"; "" if nothing was done. */
void housekeeping_say(const struct housekeeping_done *done, bool dry_run, char *out,
                      int cap);

#endif
