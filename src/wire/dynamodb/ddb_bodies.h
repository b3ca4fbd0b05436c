/* ddb_bodies.h - the store port's calls as DynamoDB's JSON bodies, both ways.
 *
 * Room:     src/wire, a tool.
 * Callers:  the store ports of both worlds, tests.
 * Knows nothing of: sockets, signatures, what the rows mean.
 *
 * AWS JSON protocol 1.0 of DynamoDB (2012-08-10). A queue's jobs of all days and shards are in
 * one table, QUEUE.jobs, by the id as partition key: a hash spreads them, and no write is for
 * a day or a state. A row goes by itself when `ttl` (epoch seconds) is over. Rows are written
 * by UpdateItem alone, one a call: BatchWriteItem replaces whole items and takes no condition,
 * so that one which arrives late would undo a claim, and it saves no units. A condition that
 * fails is answered with the item that it met (ReturnValuesOnConditionCheckFailure).
 *
 * Writers append to out; with out NULL they only count. Each returns the body's bytes, so that
 * a simulated call is as long as a live one. */
#ifndef JOBQ_WIRE_DYNAMODB_DDB_BODIES_H
#define JOBQ_WIRE_DYNAMODB_DDB_BODIES_H

#include "base/text.h"
#include "jobq/ports.h"

#define DDB_TABLE_MAX (JOBQ_QUEUE_NAME_MAX + 12)
#define DDB_KEY "id"
#define DDB_TTL "ttl"
/* Rows that one call of a filtered page looks at. */
enum { DDB_SCAN_ROWS = 1000 };

/* An initialiser of jobq_store_ops.action. */
#define DDB_STORE_ACTIONS                                                                \
    {                                                                                    \
        [JOBQ_STORE_MAKE] = JOBQ_ACT_DDB_CREATE_TABLE,                                   \
        [JOBQ_STORE_DROP] = JOBQ_ACT_DDB_DELETE_TABLE,                                   \
        [JOBQ_STORE_LIST] = JOBQ_ACT_DDB_DESCRIBE_TABLE,                                 \
        [JOBQ_STORE_COUNT] = JOBQ_ACT_DDB_DESCRIBE_TABLE,                                \
        [JOBQ_STORE_PUT] = JOBQ_ACT_DDB_UPDATE,                                          \
        [JOBQ_STORE_PUT_BATCH] = JOBQ_ACT_DDB_UPDATE,                                    \
        [JOBQ_STORE_GET] = JOBQ_ACT_DDB_GET, [JOBQ_STORE_REMOVE] = JOBQ_ACT_DDB_DELETE,  \
        [JOBQ_STORE_PAGE] = JOBQ_ACT_DDB_SCAN                                            \
    }

/* QUEUE.jobs, QUEUE.drainers or QUEUE.keys. out holds DDB_TABLE_MAX + 1. Returns its length. */
int ddb_table_write(const struct jobq_table *table, char *out);
/* Units that reading so many rows by pages takes: rows of about 400 bytes, consistently. */
void ddb_page_cost(int64_t rows, struct jobq_call_cost *out);

/* ---- requests ---------------------------------------------------------------------------- */

/* SET of the attributes and of ttl (0: not). expect NULL: no condition. */
int64_t ddb_wire_update(struct text *out, struct jobq_str table,
                        const struct jobq_item *item, int64_t ttl_s,
                        const struct jobq_expect *expect);
int64_t ddb_wire_get(struct text *out, struct jobq_str table, struct jobq_str id,
                     const struct jobq_str *name, int name_count, bool consistent);
int64_t ddb_wire_delete(struct text *out, struct jobq_str table, struct jobq_str id,
                        const struct jobq_expect *expect);
/* after: the id behind which it goes on; len 0: the start. cap: of the port's call. */
int64_t ddb_wire_scan(struct text *out, struct jobq_str table,
                      const struct jobq_filter *filter, const struct jobq_str *name,
                      int name_count, bool consistent, struct jobq_str after, int cap);
int64_t ddb_wire_create(struct text *out, struct jobq_str table);
int64_t ddb_wire_set_ttl(struct text *out, struct jobq_str table);
/* Of DescribeTable and DeleteTable. */
int64_t ddb_wire_table(struct text *out, struct jobq_str table);

/* ---- replies ------------------------------------------------------------------------------ */

/* Each fills cost's units and returns JOBQ_OK, a count, or CORRUPT. Strings live in arena. */
int ddb_wire_read_write(struct jobq_str reply, struct jobq_call_cost *cost,
                        struct jobq_error *err);
/* No item: attr_count 0. The key and ttl are not shown as attributes. */
int ddb_wire_read_get(struct jobq_str reply, struct jobq_str id, struct arena *arena,
                      struct jobq_item *out, struct jobq_call_cost *cost,
                      struct jobq_error *err);
/* What a refused condition met. False: the reply does not say. */
bool ddb_wire_read_met(struct jobq_str reply, struct arena *arena, struct jobq_item *out);
/* 0..cap rows; *next the id to go on behind, len 0: no more. More rows than cap are left to
 * the next page. */
int ddb_wire_read_scan(struct jobq_str reply, struct arena *arena, struct jobq_item *out,
                       int cap, struct jobq_str *next, struct jobq_call_cost *cost,
                       struct jobq_error *err);
/* DescribeTable's ItemCount, up to six hours old. */
int ddb_wire_read_count(struct jobq_str reply, int64_t *out_rows, struct jobq_error *err);

/* Bytes of the replies' bodies. units: as the reply says them. */
int64_t ddb_reply_write(struct jobq_str table, double units);
int64_t ddb_reply_get(struct jobq_str table, double units, struct jobq_str id,
                      const struct jobq_item *item, int64_t ttl_s);
int64_t ddb_reply_met(struct jobq_str id, const struct jobq_item *item, int64_t ttl_s);
int64_t ddb_reply_scan(struct jobq_str table, double units, const struct jobq_item *item,
                       int count, int64_t scanned, struct jobq_str next);

#endif
