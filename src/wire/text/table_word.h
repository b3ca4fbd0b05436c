/* table_word.h - what the store port's tables that are of no day are called.
 *
 * Room:     src/wire, a tool; pure.
 * Callers:  the stores' own names of tables. */
#ifndef JOBQ_WIRE_TEXT_TABLE_WORD_H
#define JOBQ_WIRE_TEXT_TABLE_WORD_H

/* "drainers" or "keys", of jobq_table.day; NULL: a table of jobs. Static storage. */
const char *table_word(int day);

#endif
