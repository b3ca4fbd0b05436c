/* sdb_rows.h - how the store port's tables and pages are said in SimpleDB's terms.
 *
 * Room:     src/wire, a tool; pure.
 * Callers:  the store ports of both worlds, what looks at the simulated service, tests.
 * Knows nothing of: what the rows mean.
 *
 * Each table is a domain: rows of a day are spread over a few (a domain takes some 70 writes
 * a second) and go with it when the day is past its keep, because deleting row by row would
 * cost more than the rows. */
#ifndef JOBQ_WIRE_SIMPLEDB_SDB_ROWS_H
#define JOBQ_WIRE_SIMPLEDB_SDB_ROWS_H

#include "jobq/ports.h"

#define SDB_DOMAIN_MAX (JOBQ_QUEUE_NAME_MAX + 12)
#define SDB_SELECT_MAX (SDB_DOMAIN_MAX + 512)
enum { SDB_LIST_PAGE = 100 };

/* An initialiser of jobq_store_ops.action. */
#define SDB_STORE_ACTIONS                                                                \
    {                                                                                    \
        [JOBQ_STORE_MAKE] = JOBQ_ACT_SDB_CREATE_DOMAIN,                                  \
        [JOBQ_STORE_DROP] = JOBQ_ACT_SDB_DELETE_DOMAIN,                                  \
        [JOBQ_STORE_LIST] = JOBQ_ACT_SDB_LIST_DOMAINS,                                   \
        [JOBQ_STORE_COUNT] = JOBQ_ACT_SDB_METADATA, [JOBQ_STORE_PUT] = JOBQ_ACT_SDB_PUT, \
        [JOBQ_STORE_PUT_BATCH] = JOBQ_ACT_SDB_PUT_BATCH,                                 \
        [JOBQ_STORE_GET] = JOBQ_ACT_SDB_GET, [JOBQ_STORE_REMOVE] = JOBQ_ACT_SDB_DELETE,  \
        [JOBQ_STORE_PAGE] = JOBQ_ACT_SDB_SELECT                                          \
    }

/* QUEUE.DDDSS (base 32), or QUEUE.drainers and the like (table_word). out holds SDB_DOMAIN_MAX + 1. Returns its
 * length. */
int sdb_domain_write(const struct jobq_table *table, char *out);
/* The reverse, for tables of jobs; false for any other name. out->queue is `queue`. */
bool sdb_domain_read(struct jobq_str name, struct jobq_str queue, struct jobq_table *out);
/* The Select that a page is, at out, which holds SDB_SELECT_MAX. */
struct jobq_str sdb_select_write(struct jobq_str domain, const struct jobq_filter *filter,
                                 const struct jobq_str *name, int name_count, int limit,
                                 char *out);
/* BoxUsage of Selects that return so many rows: 0.00001372 + 0.00000914165 a row (measured
 * 2014-09). */
void sdb_page_cost(int64_t rows, struct jobq_call_cost *out);

#endif
