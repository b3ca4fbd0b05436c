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
/* The names of the attributes to read. Returns how many; 0: all. */
int rows_names(enum rows_what what, const struct jobq_str **out);

#endif
