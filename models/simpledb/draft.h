/* draft.h - a row as it will be after a write: planned first, committed later.
 *
 * Room:     models, the facts; internal to the SimpleDB model.
 * Callers:  models/simpledb/write.c, which plans; models/simpledb/row.c, which commits.
 * Knows nothing of: limits, faults, the index.
 *
 * A draft says which pieces of the row that is there stay (runs of neighbouring pairs) and
 * which pairs come behind them, and is written once, into the memory where the row will
 * live. That serves what programs do nearly always: a few names, each once, replacing. Any
 * other write is made as an image in the model's scratch memory first, pair by pair, and is
 * then a draft of one run. */
#ifndef JOBQ_MODELS_SIMPLEDB_DRAFT_H
#define JOBQ_MODELS_SIMPLEDB_DRAFT_H

#include "models/simpledb/row.h"

enum { DRAFT_ATTRS = 8, DRAFT_RUNS = 8 };

struct row_run {
    const char *from; /* pairs of the old row, or of an image in scratch */
    uint32_t bytes;
};

struct row_draft {
    struct jobq_str name;
    const char *old; /* the newest version of the row; NULL: none, or gone */
    int32_t pairs;   /* 0: the row goes */
    uint32_t bytes;  /* of all pairs */
    bool nothing;    /* a delete that finds nothing: no write */

    int32_t run_count; /* -1: one run, at image_at in scratch, which may still move */
    uint32_t image_at;
    struct row_run run[DRAFT_RUNS];

    const struct jobq_attr *attr; /* the pairs that come, behind the runs */
    const int32_t *id;            /* their names, in the model's ids */
    int32_t attr_count;
    int16_t removed[DRAFT_ATTRS]; /* how many old values of attr[i].name go */

    int32_t value_bytes;              /* more (or less) than the old row's */
    uint32_t change_at, change_count; /* an image's accounts */
};

/* Forgets the drafts of the call before, and makes room for the names of this one. */
void draft_begin(struct simpledb *model, const struct jobq_item *item, int item_count);

/* What a row holds of one name; values 0: nothing, or there is no row. */
struct row_held {
    int32_t name; /* -1: a name that no row has */
    int32_t values;
    struct row_pair first;
};
void draft_look(const char *row, struct row_held *held);

/* The row after a put of item into old; *held is filled as by draft_look(old). The drafts
 * of one call stay good together, until the first of them is committed, and item as long. */
void draft_put(struct simpledb *model, const char *old, const struct jobq_item *item,
               struct row_held *held, struct row_draft *out);
/* The row after a delete. */
void draft_delete(struct simpledb *model, const char *old, const struct jobq_item *item,
                  struct row_draft *out);
/* Write name and pairs to out, which has room for name.len + bytes and does not lie in the
 * old row. */
void draft_fill(const struct simpledb *model, const struct row_draft *draft, char *out);

/* Are a pair and a value the same bytes, a phantom being so many 'x'? */
bool draft_same_value(const struct row_pair *pair, struct jobq_str value);

#endif
