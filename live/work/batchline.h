/* batchline.h - one job of a batch file: a line of key=value words, or a JSON object.
 *
 * Room:     live, jobq's program. Pure.
 * Callers:  live/cmd/enqueue.c, tests, fuzzers.
 * Knows nothing of: files.
 *
 *     kind=sleep seconds=2.5
 *     kind=exec frame=12 note='two words' path="a \"quoted\" one"
 *     {"kind": "exec", "frame": 12, "note": "two words"}
 *
 * Words are separated by blanks; quotes are the shell's: '...' as it stands, "..." with \\ and
 * \" , a backslash outside keeps the next byte. Nothing is expanded. JSON numbers and booleans
 * become their text; nested values are refused. A line that is empty or begins with '#' is
 * no job. */
#ifndef JOBQ_LIVE_WORK_BATCHLINE_H
#define JOBQ_LIVE_WORK_BATCHLINE_H

#include "fleet/job/job.h"

/* Splits one line (without its newline). Returns how many pairs were written (strings live
 * in arena), 0 for no job; INVALID: what is wrong; LIMIT: more than cap.
 * Uses jansson, so not on a fiber's stack. */
int batchline_read(struct jobq_str line, struct arena *arena, struct job_pair *out,
                   int cap, struct jobq_error *err);
/* "key=value" of a command line: the shell has done its part. */
int batchline_word(const char *word, struct job_pair *out, struct jobq_error *err);

#endif
