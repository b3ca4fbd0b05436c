/* jobrec.h - what became of each job of a run.
 *
 * Room:     sim, the virtual-time world.
 * Callers:  replication, torture, tests.
 * Knows nothing of: queues, stores, who reports.
 * Units:    instants in ns on the world's clock.
 *
 * A table by job id. Ids of one client ascend, so their records lie side by side in the
 * order of enqueueing, which is about the order in which a fleet drains. */
#ifndef JOBQ_SIM_PLAY_JOBREC_H
#define JOBQ_SIM_PLAY_JOBREC_H

#include "jobq/ports.h"

#include <stdbool.h>
#include <stdint.h>

enum jobrec_state {
    JOBREC_OPEN, /* not ended */
    JOBREC_DONE,
    JOBREC_DEAD,
    JOBREC_CANCELLED,
    JOBREC_EXPIRED
};

struct jobrec {
    uint64_t key;
    int64_t enqueued_at_ns; /* when the client asked; -1: the client has no reply yet */
    int64_t started_at_ns;  /* the first attempt; -1: never */
    int64_t ended_at_ns;    /* the final state's; -1 */
    int64_t index;          /* in the workload; -1: not known yet */
    int32_t box;            /* of the last attempt; -1: none */
    int16_t attempts;
    uint8_t state;   /* enum jobrec_state */
    uint8_t results; /* how often a final state was stored: more than 1 is a fault */
    int64_t work_ns; /* the job's own time, as the workload says */
};

#define JOBREC_ID_BYTES 48 /* of an id that is kept; longer ones are cut */

struct jobrec_table {
    struct jobrec *rec; /* count long; owner: the table */
    int64_t count, cap;
    char (*id)[JOBREC_ID_BYTES]; /* beside rec, if keep_ids; else NULL */
    int64_t id_cap;
    int32_t *slot; /* slot_cap long, a power of two; -1: free */
    int64_t slot_cap;
    bool keep_ids;
};

/* Zero it first; expected may be exceeded. Keeps its memory from one run to the next. */
void jobrec_reset(struct jobrec_table *table, int64_t expected, bool keep_ids);
void jobrec_release(struct jobrec_table *table);
/* The record of an id, made when it is not there. Valid until the next call. */
struct jobrec *jobrec_of(struct jobrec_table *table, struct jobq_str id);
/* NULL when it is not there. */
struct jobrec *jobrec_find(struct jobrec_table *table, struct jobq_str id);

const char *jobrec_state_name(enum jobrec_state state);

#endif
