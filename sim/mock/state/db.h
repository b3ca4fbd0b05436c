/* db.h - the file of --state: its tables, and statements with values.
 *
 * Room:     sim/mock.
 * Callers:  state.c (writes), sim/mock/state/load.c (reads).
 * Knows nothing of: when. */
#ifndef JOBQ_SIM_MOCK_STATE_DB_H
#define JOBQ_SIM_MOCK_STATE_DB_H

#include "sim/mock/server/mock.h"

#include <sqlite3.h>

enum state_sql {
    STATE_BEGIN,
    STATE_COMMIT,
    STATE_META,
    STATE_REGION,
    STATE_QUEUE,
    STATE_QUEUE_GONE,
    STATE_NOTE,
    STATE_NOTES_GONE,
    STATE_MESSAGE,
    STATE_MESSAGE_GONE,
    STATE_DEDUP,
    STATE_DEDUP_OLD,
    STATE_DEDUP_GONE,
    STATE_MOVE,
    STATE_MOVES_GONE,
    STATE_DOMAIN,
    STATE_DOMAIN_GONE,
    STATE_DOMAIN_ROWS_GONE,
    STATE_ROW,
    STATE_ROW_GONE,
    STATE_TABLE,
    STATE_TABLE_GONE,
    STATE_TABLE_ITEMS_GONE,
    STATE_ITEM,
    STATE_ITEM_GONE,
    STATE_BOX,
    STATE_RESOURCE,
    STATE_RESOURCE_GONE,
    STATE_SQL_COUNT
};

struct mock_state {
    struct mock *mock;
    sqlite3 *db;
    sqlite3_stmt *statement[STATE_SQL_COUNT];
    bool changed;     /* a transaction is open */
    int64_t sequence; /* of messages as they enter a queue */
    int deduped;      /* since old ones were thrown away */
    struct text scratch;
};

/* Values in order: 'i' an int64_t, 'd' a double, 's' a struct jobq_str. Opens the turn's
 * transaction if need be. A failure ends the process. */
void state_run(struct mock_state *state, enum state_sql which, const char *types, ...);

/* Pairs of strings as one image: each four bytes of length, big end first, then bytes. */
void state_put_string(struct text *out, struct jobq_str s);
/* The next string of an image; false: there is none. */
bool state_take_string(struct jobq_str *image, struct jobq_str *out);

/* What SQLite says went wrong; names of a broken file are escaped. Returns out. */
enum { STATE_SAID_BYTES = 160 };
const char *state_said(const struct mock_state *state, char out[STATE_SAID_BYTES]);

/* Fills the models from the file. */
int state_load(struct mock_state *state, struct jobq_error *err);

#endif
