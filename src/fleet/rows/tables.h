/* tables.h - what the files of rows share.
 *
 * Room:     src/fleet/rows, private. */
#ifndef JOBQ_FLEET_ROWS_TABLES_H
#define JOBQ_FLEET_ROWS_TABLES_H

#include "base/arena.h"
#include "base/text.h"
#include "fleet/port/retry.h"
#include "fleet/rows/rows.h"

/* Begins and ends the tries of a call. */
void rows_retry(const struct rows *rows, struct retry *r);
void rows_retried(const struct rows *rows, const struct retry *r);

/* ---- side.c: tables of no day, JOBQ_DAY_DRAINERS and the like. Not tried again. ---------- */

int rows_side_open(const struct rows *rows, struct jobq_str queue, int day, int *table,
                   struct jobq_error *err);
/* As jobq_store_put; makes the table if it is missing. */
int rows_side_put(const struct rows *rows, struct jobq_str queue, int day,
                  const struct jobq_item *item, const struct jobq_expect *expect,
                  struct jobq_error *err);
/* One attribute of a row, consistently; "" if there is none. Owner: in arena. */
int rows_side_get(const struct rows *rows, struct jobq_str queue, int day,
                  struct jobq_str row, struct jobq_str name, struct arena *arena,
                  struct jobq_str *out, struct jobq_error *err);
/* Calls each for the rows that `filter` lets through, with the attribute that it names; ends
 * with the page that makes it `most`. */
int rows_side_pages(const struct rows *rows, struct jobq_str queue, int day,
                    const struct jobq_filter *filter, int64_t most, struct arena *arena,
                    rows_side_fn *each, void *ctx, struct jobq_error *err);
/* Deletes those rows. Returns how many. */
int64_t rows_side_forget(const struct rows *rows, struct jobq_str queue, int day,
                         const struct jobq_filter *filter, int64_t most,
                         struct arena *arena, struct jobq_error *err);

/* ------------------------------------------------------------------------------------------ */

/* The names of the attributes to read. Returns how many; 0: all. */
int rows_names(enum rows_what what, const struct jobq_str **out);

#endif
