/* simpledb_calls.h - SimpleDB's Query parameters and XML replies.
 *
 * Room:     src/wire, a tool.
 * Callers:  live/, tests.
 * Knows nothing of: sockets, signatures.
 *
 * API version 2009-04-15. Writers add to a query; sigv2_sign adds the rest. */
#ifndef JOBQ_WIRE_SIMPLEDB_SIMPLEDB_CALLS_H
#define JOBQ_WIRE_SIMPLEDB_SIMPLEDB_CALLS_H

#include "jobq/ports.h"
#include "wire/text/query.h"

/* "CreateDomain", "DeleteDomain" and "DomainMetadata" need no other parameters. */
void sdb_wire_domain(struct query *out, const char *action, struct jobq_str domain);
/* cap 1..100; token may be empty. */
void sdb_wire_list(struct query *out, int cap, struct jobq_str token);
void sdb_wire_put(struct query *out, struct jobq_str domain, struct jobq_str item,
                  const struct jobq_attr *attr, int attr_count,
                  const struct jobq_expect *expect);
void sdb_wire_put_batch(struct query *out, struct jobq_str domain,
                        const struct jobq_item *item, int item_count);
void sdb_wire_get(struct query *out, struct jobq_str domain, struct jobq_str item,
                  const struct jobq_str *name, int name_count, bool consistent);
void sdb_wire_remove(struct query *out, struct jobq_str domain, struct jobq_str item,
                     const struct jobq_attr *attr, int attr_count,
                     const struct jobq_expect *expect);
void sdb_wire_select(struct query *out, struct jobq_str expression, bool consistent,
                     struct jobq_str token);

/* What DomainMetadata counts. */
struct sdb_stats {
    int64_t items, names, values;                /* counts */
    int64_t item_bytes, name_bytes, value_bytes; /* their sizes */
};

/* Readers. Each returns JOBQ_OK or a count, or CORRUPT; *box_usage is the reply's
 * BoxUsage in 1e-10 hours, if it has one. Strings live in arena. */
int sdb_wire_read_done(struct jobq_str reply, int64_t *box_usage, struct jobq_error *err);
int sdb_wire_read_get(struct jobq_str reply, struct jobq_str item, struct arena *arena,
                      struct jobq_item *out, int64_t *box_usage, struct jobq_error *err);
int sdb_wire_read_select(struct jobq_str reply, struct arena *arena,
                         struct jobq_item *out, int cap, struct jobq_str *next_token,
                         int64_t *box_usage, struct jobq_error *err);
int sdb_wire_read_list(struct jobq_str reply, struct arena *arena, struct jobq_str *out,
                       int cap, struct jobq_str *next_token, int64_t *box_usage,
                       struct jobq_error *err);
int sdb_wire_read_stats(struct jobq_str reply, struct sdb_stats *out, int64_t *box_usage,
                        struct jobq_error *err);

#endif
