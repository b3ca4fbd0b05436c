/* dynamodb.h - how DynamoDB behaves and what each of its calls consumes.
 *
 * Room:     models, the facts.
 * Callers:  sim/mock/dynamodb; tests.
 * Knows nothing of: jobs, JSON, requests, the clock. Pure: (state, call, now, u) -> reply.
 *
 * Tables of items by a partition key and perhaps a sort key; conditional writes, one by one
 * or as a transaction; reads that may be a moment old; time to live; on-demand and
 * provisioned capacity with the limit of each partition. Units are rounded as documented
 * (developer guide, read and write operations): a write is a unit for each started 1,024
 * bytes of the larger of the item before and after, a read one for each started 4,096 bytes,
 * half of it when it may be old. A refused condition consumes the write; a throttled or
 * malformed call consumes nothing.
 *
 * Items are in the order of a hash of their partition key, then of the sort key, which is
 * the order of Scan; AWS's hash is not known, and neither is the order of its scans. */
#ifndef JOBQ_MODELS_DYNAMODB_DYNAMODB_H
#define JOBQ_MODELS_DYNAMODB_DYNAMODB_H

#include "jobq/error.h"
#include "models/dynamodb/expression.h"
#include "models/dynamodb/value.h"
#include "base/distribution.h"

struct dynamodb;

/* X(enumerator, name on the wire, HTTP status, code). */
#define DYNAMODB_FAULTS(X)                                                               \
    X(VALIDATION, "ValidationException", 400, JOBQ_INVALID)                              \
    X(CONDITION, "ConditionalCheckFailedException", 400, JOBQ_CONFLICT)                  \
    X(NO_TABLE, "ResourceNotFoundException", 400, JOBQ_NOT_FOUND)                        \
    X(IN_USE, "ResourceInUseException", 400, JOBQ_CONFLICT)                              \
    X(LIMIT, "LimitExceededException", 400, JOBQ_LIMIT)                                  \
    X(THROUGHPUT, "ProvisionedThroughputExceededException", 400, JOBQ_THROTTLED)         \
    X(CANCELED, "TransactionCanceledException", 400, JOBQ_CONFLICT)                      \
    X(INTERNAL, "InternalServerError", 500, JOBQ_UNAVAILABLE)

enum dynamodb_fault {
    DYNAMODB_FAULT_NONE,
#define DYNAMODB_FAULT_ENUM(id, name, status, code) DYNAMODB_FAULT_##id,
    DYNAMODB_FAULTS(DYNAMODB_FAULT_ENUM)
#undef DYNAMODB_FAULT_ENUM
        DYNAMODB_FAULT_COUNT
};
const char *dynamodb_fault_name(enum dynamodb_fault fault);
int dynamodb_fault_status(enum dynamodb_fault fault);

/* ---- parameters ------------------------------------------------------------------- */

/* Each number has its source in models/params/, section [dynamodb]. */
struct dynamodb_params {
    int64_t item_bytes_max;          /* 400 KB, names included */
    int64_t partition_key_bytes_max; /* 2,048 */
    int64_t sort_key_bytes_max;      /* 1,024 */
    int64_t page_bytes_max;          /* of a Query or Scan: 1 MB */
    bool throttle;                   /* false: capacity limits nobody */
    int64_t tables_max;              /* a region: 2,500 */
    double partition_writes_per_s, partition_reads_per_s; /* units: 1,000, 3,000 */
    double new_table_writes_per_s, new_table_reads_per_s; /* on demand: 4,000, 12,000 */
    int64_t growth_ns;    /* how soon on-demand capacity follows a peak: 30 min */
    int64_t burst_ns;     /* unused provisioned capacity that is kept: 300 s */
    int64_t create_ns;    /* CREATING until then */
    int64_t ttl_sweep_ns; /* expired items go when so much time is over again */
    int64_t stale_ns;     /* an eventual read may miss a write so young */
    double stale_p;       /* and does with this probability */
    struct distribution read_latency, write_latency, scan_latency; /* for the driver */
};
int dynamodb_params_load(const char *model, struct dynamodb_params *out,
                         struct jobq_error *err);
void dynamodb_params_default(struct dynamodb_params *params);
int dynamodb_params_set(struct dynamodb_params *params, const char *key,
                        const char *value, struct jobq_error *err);

/* ---- life ------------------------------------------------------------------------- */

struct dynamodb *dynamodb_new(const struct dynamodb_params *params);
void dynamodb_free(struct dynamodb *model);
/* Bytes that it holds for items. */
int64_t dynamodb_memory(const struct dynamodb *model);
/* Forget all tables and integrals. params NULL: as before. */
void dynamodb_reset(struct dynamodb *model, const struct dynamodb_params *params);
/* Change parameters while it runs. Items are kept. */
void dynamodb_set_params(struct dynamodb *model, const struct dynamodb_params *params);

/* ---- tables ------------------------------------------------------------------------- */

enum { DYNAMODB_NAME_MAX = 255 };

struct dynamodb_key {
    char name[DYNAMODB_NAME_MAX + 1]; /* "": there is no such key */
    enum dynamodb_type type;          /* S, N or B */
};

enum { DYNAMODB_INDEXES_MAX = 25, DYNAMODB_NON_KEYS_MAX = 20 };
enum dynamodb_projection { DYNAMODB_ALL, DYNAMODB_KEYS_ONLY, DYNAMODB_INCLUDE };

/* A secondary index: local (the table's partition key, another sort key) or global. */
struct dynamodb_index {
    char name[DYNAMODB_NAME_MAX + 1];
    bool global;
    struct dynamodb_key partition, sort;
    enum dynamodb_projection projection;
    const char *const *non_key; /* INCLUDE: further attributes, by name */
    int non_key_count;
    int64_t write_capacity, read_capacity; /* global, provisioned; not enforced */
};

struct dynamodb_table {
    char name[DYNAMODB_NAME_MAX + 1];
    struct dynamodb_key partition, sort;
    bool on_demand;
    int64_t write_capacity, read_capacity; /* units a second; 0 on demand */
    char ttl_name[DYNAMODB_NAME_MAX + 1];  /* "": time to live is off */
    const struct dynamodb_index *index;    /* copied when the table is made */
    int index_count;
    /* As described: not to be set. */
    int64_t created_at_ns, active_at_ns; /* CREATING before the latter */
    int64_t items, bytes;                /* now, exactly; AWS's are up to six hours old */
    int64_t billed_bytes;                /* 100 more an item */
};

/* What every call fills, also when it fails. */
struct dynamodb_reply {
    enum dynamodb_fault fault;
    double write_units, read_units;
    const char *throttle; /* with THROUGHPUT: AWS's reason, "TableWriteKeyRange..." */
};

/* Each returns JOBQ_OK or a negative code, with err and reply filled. */
int dynamodb_create_table(struct dynamodb *model, int64_t now_ns,
                          const struct dynamodb_table *options, int *out_table,
                          struct dynamodb_reply *reply, struct jobq_error *err);
int dynamodb_delete_table(struct dynamodb *model, int64_t now_ns, int table,
                          struct dynamodb_reply *reply, struct jobq_error *err);
/* "" turns it off. */
int dynamodb_set_ttl(struct dynamodb *model, int64_t now_ns, int table, const char *name,
                     struct dynamodb_reply *reply, struct jobq_error *err);
/* Throughput of a provisioned table, or on_demand. */
int dynamodb_set_capacity(struct dynamodb *model, int64_t now_ns, int table,
                          const struct dynamodb_table *options,
                          struct dynamodb_reply *reply, struct jobq_error *err);
/* The id of an existing table, >= 0 and good until it is deleted; -1: none has this name. */
int dynamodb_find_table(const struct dynamodb *model, struct jobq_str name);
/* NULL: it does not exist (also for -1). Valid until the next call that changes tables. */
const struct dynamodb_table *dynamodb_table(const struct dynamodb *model, int table);
/* Ids are 0..count-1; not all exist. */
int dynamodb_table_count(const struct dynamodb *model);

/* ---- items -------------------------------------------------------------------------- */

enum dynamodb_verb { DYNAMODB_PUT, DYNAMODB_UPDATE, DYNAMODB_DELETE, DYNAMODB_CHECK };

struct dynamodb_write {
    enum dynamodb_verb verb;
    int table;
    struct dynamodb_item item;               /* PUT: the item; else the key alone */
    const struct expression_node *condition; /* NULL: none */
    const struct expression_update *update;  /* UPDATE; NULL: nothing but the key */
    /* UPDATE without `update`, for who has no expression: attributes that are set as they
     * are. Names differ. One write alone, not of a transaction. */
    const struct dynamodb_attr *set;
    int set_count;
};

/* One write. before and after (either may be NULL) get copies in arena of the item as it was
 * and is, count 0 where there is none; before also when the condition failed. */
int dynamodb_write(struct dynamodb *model, int64_t now_ns,
                   const struct dynamodb_write *write, struct arena *arena,
                   struct dynamodb_item *before, struct dynamodb_item *after,
                   struct dynamodb_reply *reply, struct jobq_error *err);

/* For speed alone: where the item of a partition key is looked for, and a wish that it be in
 * the caches when it is. A place stays good; the wish may be for nothing. */
uint64_t dynamodb_place(int table, struct jobq_str partition_key);
void dynamodb_prefetch(const struct dynamodb *model, uint64_t place);

/* 1 to 100 writes of different items, all or none, at twice the units. On CANCELED
 * cancel[i] is what write i failed for (NONE if not by it), before[i] as above. */
int dynamodb_transact(struct dynamodb *model, int64_t now_ns,
                      const struct dynamodb_write *write, int count, struct arena *arena,
                      struct dynamodb_item *before, enum dynamodb_fault *cancel,
                      struct dynamodb_reply *reply, struct jobq_error *err);

/* The item of a key; count 0: none. u in (0,1) decides whether a read that is not consistent
 * misses a young write. Owner: out is in arena. */
int dynamodb_get(struct dynamodb *model, int64_t now_ns, double u, int table,
                 const struct dynamodb_item *key, bool consistent, struct arena *arena,
                 struct dynamodb_item *out, struct dynamodb_reply *reply,
                 struct jobq_error *err);

/* A page of Query (partition set) or Scan. */
struct dynamodb_page_options {
    const struct dynamodb_index *index;     /* of the table; NULL: the table itself */
    const struct dynamodb_value *partition; /* Query: its value; NULL: Scan */
    const struct expression_node *sort_condition; /* Query: on the sort key; NULL: all */
    const struct expression_node *filter;         /* NULL: all */
    const struct dynamodb_item *after;            /* ExclusiveStartKey; NULL: the start */
    int64_t limit;                                /* items looked at; 0: none */
    bool backward, consistent;
    int segment, segments; /* Scan; segments 0: the whole table */
};
/* Items are whole, or what the index holds of them. */
struct dynamodb_page {
    struct dynamodb_item *item;
    int count;
    int64_t scanned;           /* looked at, before the filter */
    struct dynamodb_item last; /* LastEvaluatedKey; count 0: the end */
};
int dynamodb_page(struct dynamodb *model, int64_t now_ns, double u, int table,
                  const struct dynamodb_page_options *options, struct arena *arena,
                  struct dynamodb_page *out, struct dynamodb_reply *reply,
                  struct jobq_error *err);

/* The item of a key (which may have more attributes) as a consistent read sees it; NULL: none.
 * Consumes nothing. Valid until the next write. */
const struct dynamodb_item *dynamodb_peek(const struct dynamodb *model, int table,
                                          const struct dynamodb_item *key);
/* Put back what was saved: no limits or capacity apply. The table is as described, its counts
 * apart; returns its id. */
int dynamodb_restore_table(struct dynamodb *model, int64_t now_ns,
                           const struct dynamodb_table *table);
void dynamodb_restore_item(struct dynamodb *model, int64_t now_ns, int table,
                           const struct dynamodb_item *item);

/* ---- accounts ----------------------------------------------------------------------- */

/* The integral of all tables' billed bytes since the start or the last reset. */
double dynamodb_byte_hours(struct dynamodb *model, int64_t now_ns);
/* Deletes what time to live says is over. Calls do so by themselves. */
void dynamodb_advance(struct dynamodb *model, int64_t now_ns);

#endif
