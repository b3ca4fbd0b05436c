/* trace.h - recorded workloads: when jobs came and how long they ran.
 *
 * Room:     sim, the virtual-time world.
 * Callers:  workload and the jobqsim commands.
 * Knows nothing of: scenarios, queues, the clock.
 * Blocks:   reads one file.
 * Units:    nanoseconds from the trace's own start.
 *
 * Formats, told apart by what the file holds, not by its name:
 *   SWF    the Standard Workload Format of the Parallel Workloads Archive: 18 fields
 *          separated by blanks, `;` starts a comment, -1 is "not known". Field 2 is the
 *          arrival, field 4 the run time, both in seconds. Further columns are ignored. A
 *          job whose run time is 0, negative or unknown is skipped and counted, one whose
 *          arrival is unknown too.
 *   Azure Functions 2021    app,func,end_timestamp,duration: arrival = end - duration. A
 *          duration of 0 is a job that took less than the trace's millisecond, and stays.
 *   Azure LLM inference 2023    TIMESTAMP,ContextTokens,GeneratedTokens: no durations, so
 * a job's time is modelled as context tokens x trace_options.context_token_ns + generated
 * tokens x trace_options.token_ns (assumed, not measured).
 *
 * Jobs are ordered by arrival, ties in the order of the file. Times that start more than
 * ten years after zero (Unix times) or before it are taken relative to the first. */
#ifndef JOBQ_SIM_PLAY_TRACE_H
#define JOBQ_SIM_PLAY_TRACE_H

#include "jobq/error.h"

#include <stdint.h>

#define TRACE_JOBS_MAX 100000000

enum trace_format { TRACE_SWF, TRACE_AZURE_FUNCTIONS, TRACE_AZURE_LLM };

struct trace_options {
    double time_scale; /* > 0: arrivals and job times are multiplied by it; 1: as is */
    int64_t limit;     /* only the first so many usable jobs; 0: all */
    int64_t context_token_ns; /* LLM: time a token of the prompt takes */
    int64_t token_ns;         /* LLM: time a generated token takes */
};

struct trace {
    enum trace_format format;
    int64_t count;           /* usable jobs, >= 1 */
    int64_t *arrival_ns;     /* count long, rising; owner: the trace */
    int64_t *job_ns;         /* count long, >= 0; owner: the trace */
    int64_t skipped_runtime; /* lines with a run time <= 0 or unknown */
    int64_t skipped_arrival; /* lines without an arrival */
};

/* Fills out; release it afterwards. NOT_FOUND: no such file; INVALID: "FILE:LINE: ..."
 * for a malformed, truncated or out-of-range line, or no usable job; LIMIT. out is
 * untouched on an error. */
int trace_read(const char *path, const struct trace_options *options, struct trace *out,
               struct jobq_error *err);
void trace_release(struct trace *trace);
/* "SWF", "Azure Functions CSV", "Azure LLM CSV". Static storage. */
const char *trace_format_name(enum trace_format format);

#endif
