/* table.h - a CSV of numbers with a commented header, read strictly.
 *
 * Room:     src/cost, the money.
 * Callers:  fit, the report, reconcile of sweeps.
 * Knows nothing of: what the columns mean. No I/O: text in.
 *
 * The form is what `jobqsim sweep` writes (schema jobq.sweep/1):
 *
 *     # key=value                      any number of these, first
 *     point,payload,in.payload[B],sqs_send[requests/job]     names; [unit] is optional
 *     0,64KiB,65536,0.1                one row a line; no quotes, no empty line
 *
 * A cell that is not a number (an option's text such as "64KiB") reads as NAN and keeps
 * its text. */
#ifndef JOBQ_COST_FIT_TABLE_H
#define JOBQ_COST_FIT_TABLE_H

#include "jobq/error.h"
#include "jobq/ports.h"

#include <stddef.h>

#define TABLE_COLUMNS_MAX 512

struct table;

/* Returns JOBQ_OK and a table for table_free; INVALID: "NAME:LINE: ..."; LIMIT. */
int table_parse(const char *text, size_t len, const char *name, struct table **out,
                struct jobq_error *err);
void table_free(struct table *table);

/* The value of a "# key=value" line, or NULL. */
const char *table_key(const struct table *table, const char *key);
size_t table_rows(const struct table *table);
int table_columns(const struct table *table);
const char *table_unit(const struct table *table, int column); /* "" without one */
/* The column of that name, or -1. */
int table_find(const struct table *table, const char *name);
double table_number(const struct table *table, size_t row, int column);
struct jobq_str table_text(const struct table *table, size_t row, int column);
/* The line of the file a row stands in, for messages. */
size_t table_line(const struct table *table, size_t row);

#endif
