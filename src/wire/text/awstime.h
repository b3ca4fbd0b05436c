/* awstime.h - times in the formats AWS uses, independent of the C library's clock and
 * locale.
 *
 * Room:     src/wire, a tool.
 * Callers:  src/wire, live/, sim/mock/.
 * Knows nothing of: the current time.
 * Units:    nanoseconds since 1970-01-01T00:00:00Z; years 1970 to 2261. */
#ifndef JOBQ_WIRE_TEXT_AWSTIME_H
#define JOBQ_WIRE_TEXT_AWSTIME_H

#include "jobq/ports.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    AWSTIME_BASIC = 17, /* "20261124T034500Z" and a NUL */
    AWSTIME_ISO = 21,   /* "2026-11-24T03:45:00Z" and a NUL */
    AWSTIME_HTTP = 30   /* "Tue, 24 Nov 2026 03:45:00 GMT" and a NUL */
};

void awstime_basic(int64_t wall_ns, char out[AWSTIME_BASIC]);
void awstime_iso(int64_t wall_ns, char out[AWSTIME_ISO]);
void awstime_http(int64_t wall_ns, char out[AWSTIME_HTTP]);

/* "2026-11-24T03:45:00Z", with an optional fraction of a second (".123"). */
bool awstime_parse_iso(struct jobq_str text, int64_t *out_wall_ns);
/* The preferred form of RFC 9110 only ("Tue, 24 Nov 2026 03:45:00 GMT"). */
bool awstime_parse_http(struct jobq_str text, int64_t *out_wall_ns);

#endif
