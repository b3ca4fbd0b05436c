/* units.h - time, sizes and counts as people write them.
 *
 * Time is int64_t nanoseconds (292 years); seconds as double exist only inside
 * models and reports and are converted here alone. Bytes are int64_t. */
#ifndef JOBQ_UNITS_H
#define JOBQ_UNITS_H

#include "jobq/error.h"

#include <stdint.h>

#define JOBQ_NS_PER_US INT64_C(1000)
#define JOBQ_NS_PER_MS INT64_C(1000000)
#define JOBQ_NS_PER_S INT64_C(1000000000)
#define JOBQ_NS_PER_MIN (60 * JOBQ_NS_PER_S)
#define JOBQ_NS_PER_HOUR (3600 * JOBQ_NS_PER_S)
#define JOBQ_NS_PER_DAY (24 * JOBQ_NS_PER_HOUR)
#define JOBQ_FOREVER INT64_MAX /* a deadline that never comes */

#define JOBQ_KIB INT64_C(1024)
#define JOBQ_MIB (1024 * JOBQ_KIB)
#define JOBQ_GIB (1024 * JOBQ_MIB)

/* Rounds to the nearest nanosecond, ties away from zero; saturates at +-292 years. */
int64_t jobq_ns_from_seconds(double seconds);
double jobq_seconds_from_ns(int64_t ns);

/* Parsers read the whole NUL-terminated text, or fail with INVALID (malformed) or
 * LIMIT (does not fit), naming the text with unprintable bytes escaped.
 *   duration: "250ms", "2s", "1.5h", "90" (a bare number is seconds); units ns us
 *             ms s m min h d; >= 0; exact for up to 9 decimals.
 *   size:     "64", "64k", "64KiB", "1.5MiB", "2GB"; k, M, G and KiB, MiB, GiB are
 *             powers of 1024, KB, MB and GB powers of 1000, in letters of either case; >= 0.
 *   count:    "10", "6.3M", "1e6", "25k"; k, M, G are powers of 1000; must be whole.
 *   number:   a finite double; "5%" is 0.05.
 *   rate:     "100/s", "300/h", "5M/day" (/s /min /h /day; bare: a second); a second, >= 0.
 * Digits may stand in groups of three: "1,000,000". */
int jobq_parse_duration(const char *text, int64_t *out_ns, struct jobq_error *err);
int jobq_parse_size(const char *text, int64_t *out_bytes, struct jobq_error *err);
int jobq_parse_count(const char *text, int64_t *out, struct jobq_error *err);
int jobq_parse_number(const char *text, double *out, struct jobq_error *err);
int jobq_parse_rate(const char *text, double *out_per_s, struct jobq_error *err);

/* Shortest exact form for a person: "250ms", "1.5h", "64KiB", "6.3M". Terminated,
 * cut at cap; returns out. */
char *jobq_format_duration(int64_t ns, char *out, int cap);
char *jobq_format_size(int64_t bytes, char *out, int cap);

#endif
