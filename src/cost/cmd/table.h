/* table.h - one table, three ways out: text of 80 columns, CSV, JSON.
 *
 * Room:     src/cost, jobqcost's command line.
 * Callers:  cli_*.c.
 * Knows nothing of: what the numbers mean. */
#ifndef JOBQ_COST_CMD_TABLE_H
#define JOBQ_COST_CMD_TABLE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

struct cost_table;

/* head: column names for people, as "text" columns (left), "#number" ones (right) or "!"
 * (not in the text form); key: the same for CSV and JSON. Both count long, strings outlive the table. */
struct cost_table *cost_table_new(const char *const *head, const char *const *key,
                                  int count);
void cost_table_free(struct cost_table *table);
int cost_table_rows(const struct cost_table *table);

/* Fill the next row cell by cell. */
void cost_table_text(struct cost_table *table, const char *text);
/* shown is what the text form prints (copied); NULL: the value in full. */
void cost_table_number(struct cost_table *table, double value, const char *shown);

/* Text: columns padded, the widest text column cut so that a line has at most 80. */
void cost_table_print(const struct cost_table *table, FILE *out);
void cost_table_print_csv(const struct cost_table *table, FILE *out);
/* A new array of objects. */
json_t *cost_table_json(const struct cost_table *table);

/* "$12.24", "$0.0123", "$0.00001224": two decimals from a dollar up, else four digits. */
char *cost_usd(double usd, char *out, int cap);
/* The same for a column: at most four decimals, "<$0.0001" below. */
char *cost_usd_cell(double usd, char *out, int cap);
/* In a sentence: "$1,630", "$8.94", "$0.51", "$0.00083". */
char *cost_money(double usd, char *out, int cap);
/* As people write them: "1,000,000"; "2 h 5 min"; "1 KiB"; "58 a second", "12 an hour". */
char *cost_count(double count, char *out, int cap);
char *cost_duration(double seconds, char *out, int cap);
char *cost_size(double bytes, char *out, int cap);
char *cost_rate(double per_s, char *out, int cap);
/* 1234567 -> "1.23M"; at most four digits. */
char *cost_si(double value, char *out, int cap);

#endif
