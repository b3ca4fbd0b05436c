/* csv.h - splits one line of RFC 4180 CSV into fields, in place.
 *
 * Room:     pricing, facts.
 * Callers:  sheet_file.c, import.c.
 * Knows nothing of: what the fields mean. No I/O. */
#ifndef JOBQ_PRICING_CSV_H
#define JOBQ_PRICING_CSV_H

#include <stddef.h>

/* Splits the line (NUL-terminated, without its newline, changed in place) into fields that
 * point into it; quotes are removed and doubled ones undone. A field cannot span lines.
 * Returns how many, or a negative one of: */
enum {
    CSV_QUOTE = -1 /* a quote that does not close, or text behind one */,
    CSV_FIELDS = -2 /* more than cap fields */
};
int csv_split(char *line, char **field, int cap);

#endif
