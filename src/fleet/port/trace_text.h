/* trace_text.h - a call as a line of a trace, schema jobq.trace/1.
 *
 * Room:     src/fleet, the product.
 * Callers:  jobq's --record, jobqsim run --record.
 * Knows nothing of: files. */
#ifndef JOBQ_FLEET_PORT_TRACE_TEXT_H
#define JOBQ_FLEET_PORT_TRACE_TEXT_H

#include "base/text.h"
#include "jobq/ports.h"

/* Appends {"call":...,"start":...,"ns":...,...} and a newline; start counts from zero_ns. */
void trace_put_call(struct text *out, const struct jobq_trace_call *call,
                    int64_t zero_ns);

#endif
