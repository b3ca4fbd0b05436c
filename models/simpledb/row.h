/* row.h - how a row is kept: its bytes, its place in the index, its past.
 *
 * Room:     models, the facts; internal to the SimpleDB model.
 * Callers:  simpledb_*.c.
 * Knows nothing of: limits, faults, BoxUsage.
 *
 * A row is one blob:
 *   u32 bytes, u16 name length, u16 pairs | flags
 *   [ROW_DATED: i64 written_ns, u32 older, u32 0]
 *   the name
 *   for each pair: u16 name id (ROW_LONG_ID: 15 high bits, then u16 low bits),
 *                  u16 length (ROW_PHANTOM: no bytes follow), bytes
 * so that a queued job's row costs its own bytes, 8, and 4 an attribute.
 *
 * The index of a domain is one flat array of 8-byte slots (32 bits of hash, blob), kept
 * sorted by (hash, name): linear probing from hash >> shift, in which rows are moved on to
 * keep order. A search ends at the first greater hash; growing is one sequential merge;
 * and the order of rows does not depend on history. The three low bits of the hash are
 * those of one character of the name, the others mix all the rest, so that neighbouring ids
 * share a cache line. Which character, as its distance `tail` from the name's end, is
 * taken from the first two names of the domain: the last in which they differ.
 *
 * While reads may be stale, a row that is written keeps its older version in a chain
 * (newest first) for as long as the window lasts. `past` owns the older versions, oldest
 * first, and frees them; the links are left as they are, for past the window every read is
 * fresh and follows none. A deleted row is a version with ROW_GONE until then. */
#ifndef JOBQ_MODELS_SIMPLEDB_ROW_H
#define JOBQ_MODELS_SIMPLEDB_ROW_H

#include "base/arena.h"
#include "models/simpledb/query.h"
#include "models/simpledb/simpledb.h"
#include "models/memory/blob.h"

#include <string.h>

enum {
    ROW_DATED = 0x8000,
    ROW_GONE = 0x4000,
    ROW_PAIRS = 0x01ff,
    ROW_LONG_ID = 0x8000,
    ROW_PHANTOM = 0x8000,
    ROW_HEAD_BYTES = 8,
    ROW_DATE_BYTES = 16,
    ROW_PAIRS_MAX = 256,
    ROW_STRING_MAX = 1024,
    OVERHEAD_BYTES = 45 /* billed for each item, attribute name and value */
};

/* ---- names ------------------------------------------------------------------------ */

struct name_slot {
    uint64_t word; /* all of a short name, else its hash */
    int32_t len;
    int32_t id; /* + 1; 0: empty */
};

/* Strings that are given small numbers; never forgotten before reset. */
struct names {
    struct jobq_str *str; /* by id, in arena */
    int32_t count, cap;
    struct name_slot *slot; /* a power of two of them; never NULL */
    uint32_t slots;
    uint32_t shift; /* of a product, to one of them */
    struct arena arena;
};

uint64_t row_hash_bytes(const char *ptr, int64_t len);

/* Up to 8 bytes as a number; different bytes of one length give different numbers. */
static inline uint64_t row_word(const char *ptr, int64_t len)
{
    if (len >= 4) {
        uint32_t low, high;
        memcpy(&low, ptr, 4);
        memcpy(&high, ptr + len - 4, 4);
        return low | (uint64_t)high << 32;
    }
    if (len >= 2) {
        uint16_t low, high;
        memcpy(&low, ptr, 2);
        memcpy(&high, ptr + len - 2, 2);
        return low | (uint64_t)high << 16;
    }
    return len ? (unsigned char)*ptr : 0;
}

void names_init(struct names *names);
void names_release(struct names *names);
void names_reset(struct names *names);
int32_t names_find(const struct names *names, struct jobq_str str); /* -1: unknown */
int32_t names_intern(struct names *names, struct jobq_str str);
int64_t names_memory(const struct names *names);

/* The slot that a probe for a name begins at: of the highest bits of a product, which depend
 * on all of the word. */
static inline uint32_t names_home(const struct names *names, uint64_t word, int64_t len)
{
    return (uint32_t)((word + (uint64_t)len) * UINT64_C(0x9e3779b97f4a7c15) >>
                      names->shift);
}

struct row_draft; /* models/simpledb/draft.h */

/* ---- the model ----------------------------------------------------------------------- */

/* An empty slot has the greatest hash and no blob, and more of them stand behind the last, so
 * that a search looks at the hash alone, and at several at once. */
struct row_slot {
    uint32_t hash;
    uint32_t blob; /* 0: empty */
};
enum { ROW_SLOTS_BEHIND = 8 };
#define ROW_SLOT_EMPTY ((struct row_slot){UINT32_MAX, 0})

struct row_past {
    int64_t written_ns;   /* of the version that `older` came before */
    uint32_t older;       /* freed when nobody can see it any more */
    uint32_t older_bytes; /* kept here, so that freeing need not read it */
    uint32_t gone;        /* the newer version, if it says that the row is gone; else 0 */
    uint32_t zero;
};

struct row_domain {
    bool exists;
    struct row_slot *slot;
    uint32_t bits;  /* 2^bits homes */
    uint32_t slots; /* homes and room to run over; ROW_SLOTS_BEHIND more are allocated */
    uint32_t used;  /* slots taken, gone rows included */
    int32_t tail;   /* bytes of a name behind its counting character */
    struct simpledb_stats stats;
    int32_t *name_values; /* how many values each name has here */
    int32_t name_cap;
    double tokens; /* of the write throttle */
    int64_t tokens_at_ns;
    struct row_past *past; /* a ring */
    uint32_t past_head, past_count, past_cap;
};

/* What one call has to know about a name. */
struct name_mark {
    uint32_t seen;    /* == serial: named in this call */
    uint32_t replace; /* == serial: its old values go */
};

/* One pair that a write adds to its row or takes from it. */
struct row_change {
    int32_t name;
    int32_t sign; /* 1, -1 */
};

/* A match that waits to be sorted. */
struct select_found {
    struct jobq_str key;
    const char *row;
};

struct simpledb {
    struct simpledb_params params;
    uint64_t plain_bytes; /* a power of two that is no more than a name may have */
    struct names domain_names, names;
    struct row_domain *domain; /* by id of domain_names */
    int32_t domain_cap;
    int32_t *listed; /* existing domains in order of name */
    int32_t listed_count, listed_cap;
    struct blobs blobs;
    struct name_mark *mark; /* by id of names */
    int32_t mark_cap;
    uint32_t serial;
    /* Of the call at hand; see models/simpledb/draft.h. */
    int32_t *id; /* of the names of its pairs */
    uint32_t id_count, id_cap;
    char *scratch; /* images of its rows */
    uint32_t scratch_used, scratch_bytes;
    struct row_change *change; /* what those differ in from the rows that are there */
    uint32_t change_count, change_cap;
    int64_t billed_bytes;
    double byte_ns; /* integral of billed_bytes until account_at_ns */
    int64_t account_at_ns;
    struct select_value value[ROW_PAIRS_MAX]; /* of the row that select looks at */
    struct select_found *found;               /* rows to be sorted */
    int64_t found_cap;
};

/* ---- rows ---------------------------------------------------------------------------- */

struct row_head {
    uint32_t bytes;
    uint16_t name_len;
    uint16_t pairs; /* and flags */
};

static inline struct row_head row_head(const char *row)
{
    struct row_head head;
    memcpy(&head, row, sizeof head);
    return head;
}

static inline const char *row_name(const char *row)
{
    return row + ROW_HEAD_BYTES + (row_head(row).pairs & ROW_DATED ? ROW_DATE_BYTES : 0);
}

/* The next pair at *at, whose id and length are in one word if neither is special: then its
 * bytes follow the word. */
static inline uint32_t row_pair_word(const char *at)
{
    uint16_t half[2];
    memcpy(half, at, sizeof half);
    return half[0] | (uint32_t)half[1] << 16;
}
#define ROW_SPECIAL (ROW_LONG_ID | (uint32_t)ROW_PHANTOM << 16)

/* One pair, and where the next begins. */
struct row_pair {
    int32_t name;
    bool phantom;
    uint32_t len;
    const char *bytes; /* meaningless for a phantom */
    const char *next;
};

static inline struct row_pair row_pair(const char *at)
{
    struct row_pair pair;
    uint16_t id, len;
    memcpy(&id, at, 2);
    at += 2;
    pair.name = id;
    if (id & ROW_LONG_ID) {
        uint16_t low;
        memcpy(&low, at, 2);
        at += 2;
        pair.name = (id & ~ROW_LONG_ID) << 16 | low;
    }
    memcpy(&len, at, 2);
    at += 2;
    pair.phantom = (len & ROW_PHANTOM) != 0;
    pair.len = len & (uint32_t)~ROW_PHANTOM;
    pair.bytes = at;
    pair.next = at + (pair.phantom ? 0 : pair.len);
    return pair;
}

/* len <= ROW_STRING_MAX bytes of 'x': what a phantom is. */
const char *row_phantom_bytes(void);

uint32_t row_hash(const struct row_domain *domain, struct jobq_str name);
/* Learn the tail from two names, in a domain of at most one row. */
void row_learn(struct simpledb *model, struct row_domain *domain, struct jobq_str a,
               struct jobq_str b);

/* The slot of a name, gone rows included; -1: none. */
int64_t row_find(const struct simpledb *model, const struct row_domain *domain,
                 struct jobq_str name, uint32_t hash);
/* Asks the processor for the slot of a hash. */
static inline void row_prefetch_slot(const struct row_domain *domain, uint32_t hash)
{
    if (domain->used == 0)
        return;
    const struct row_slot *slot = &domain->slot[hash >> (32 - domain->bits)];
    __builtin_prefetch(slot, 1);
    __builtin_prefetch(slot + ROW_SLOTS_BEHIND - 1, 1);
}
/* Asks the processor for the row of a hash. */
void row_prefetch(const struct simpledb *model, const struct row_domain *domain,
                  uint32_t hash);
/* The first slot at or after the place of (hash, name) that is taken and, if after is true,
 * greater than it; -1: none. */
int64_t row_seek(const struct simpledb *model, const struct row_domain *domain,
                 struct jobq_str name, uint32_t hash, bool after);
/* The next taken slot after `slot` (-1: the first); -1: none. */
int64_t row_next(const struct row_domain *domain, int64_t slot);

/* The version that a read sees: now (u < 0: the newest) or in the past; NULL: no row. */
const char *row_visible(const struct simpledb *model, uint32_t blob, int64_t now_ns,
                        double u);

/* The newest version; NULL: the row is gone. */
static inline const char *row_newest(const struct simpledb *model, uint32_t blob)
{
    const char *row = blobs_at(&model->blobs, blob);
    return row_head(row).pairs & ROW_GONE ? NULL : row;
}

/* Make the draft the newest version of its row, or, if it has no pairs, remove the row. slot: as
 * row_find said. */
void row_commit(struct simpledb *model, struct row_domain *domain, int64_t now_ns,
                int64_t slot, uint32_t hash, const struct row_draft *draft);

/* Drop what is older than the window. */
void row_forget(struct simpledb *model, struct row_domain *domain, int64_t now_ns);
/* Drop all older versions. */
void row_forget_all(struct simpledb *model, struct row_domain *domain);
/* As row_commit, without a date: for restoring a row that is not there. */
void row_restore(struct simpledb *model, struct row_domain *domain, int64_t now_ns,
                 uint32_t hash, const struct row_draft *draft);
/* Empty the domain for another run, whose blobs start anew; its arrays are kept. */
void row_reset(struct row_domain *domain);
/* Free every row of the domain, and its arrays. */
void row_drop_all(struct simpledb *model, struct row_domain *domain, int64_t now_ns);

/* Bring the integral of billed bytes to now. */
void row_account(struct simpledb *model, int64_t now_ns);

#endif
