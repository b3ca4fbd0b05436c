/* trace.h - recorded workloads: when jobs came and how long they ran.
 *
 * Room:     src/scenario, the product: what is asked of a fleet.
 * Callers:  workload.h, scenario.h, jobqsim's reports.
 * Knows nothing of: scenarios, queues, the clock.
 * Blocks:   reads one file.
 * Units:    nanoseconds from the trace's own start.
 *
 * Formats, recognised by the content of the file, not by its name:
 *   SWF    the Standard Workload Format of the Parallel Workloads Archive: 18 fields
 *          separated by blanks, `;` starts a comment, -1 is "not known". Field 2 is the
 *          arrival, field 4 the run time, both in seconds. Further columns are ignored.
 *   Azure Functions 2021    CSV with a header that names end_timestamp and duration:
 *          arrival = end - duration. A duration of 0 is a job that took less than the
 *          trace's millisecond, and stays.
 *   Azure LLM inference 2023    CSV with TIMESTAMP, ContextTokens and GeneratedTokens: no
 *          durations, so a job's time is modelled as context tokens x
 *          trace_options.context_token_ns + generated tokens x trace_options.token_ns
 *          (assumed, not measured).
 * A header's columns may come in any order, in any case, in quotes, among others.
 *
 * Real archives hold lines that are no use. They are skipped and counted by why, and the
 * first few are named: a run time that is 0, negative or unknown; an arrival that is
 * negative or unknown; a line that cannot be read (too few fields, no number, a time of more
 * than 100 years, a NUL byte, more than 4,094 bytes).
 *
 * Jobs are ordered by arrival, ties in the order of the file. Times that start more than
 * ten years after zero (Unix times) or before it are taken relative to the first. */
#ifndef JOBQ_SCENARIO_TRACE_H
#define JOBQ_SCENARIO_TRACE_H

#include "jobq/error.h"

#include <stdint.h>

#define TRACE_JOBS_MAX 100000000
enum { TRACE_NOTES = 3, TRACE_NOTE_BYTES = 100 };

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
    int64_t skipped_malformed;
    /* "line 7: 3 of 18 fields", the first TRACE_NOTES lines skipped for whatever reason; ""
     * behind the last. */
    char note[TRACE_NOTES][TRACE_NOTE_BYTES];
};

int64_t trace_skipped(const struct trace *trace);

/* Fills out; release it afterwards. NOT_FOUND: no such file; INVALID: it is empty, or no line
 * of it is usable (with the first reason); LIMIT: too many jobs, or time_scale takes its times
 * past 100 years. out is untouched on an error. */
int trace_read(const char *path, const struct trace_options *options, struct trace *out,
               struct jobq_error *err);
void trace_release(struct trace *trace);
/* "SWF", "Azure Functions CSV", "Azure LLM CSV". Static storage. */
const char *trace_format_name(enum trace_format format);

#endif
