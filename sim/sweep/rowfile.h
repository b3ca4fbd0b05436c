/* rowfile.h - a CSV that many threads fill, that survives a kill, and whose bytes do not
 * depend on who finished first.
 *
 * Room:     sim/, the virtual-time world.
 * Callers:  the sweep, jobqsim's merge subcommand, tests.
 * Knows nothing of: what a row holds beyond its number.
 *
 * A row is one line that starts with its number and a comma. While rows come in, in any
 * order, they are appended to PATH.part, each by one write; when all are there they are
 * sorted by number into PATH by way of a temporary file and a rename. Opening again after
 * a kill finds the rows that were wholly written, cuts off half a line, and continues with
 * the rest: nothing is done twice, and PATH holds what an uninterrupted run would give.
 *
 * The header is all lines before the first row: comments ("# ...") and the column names.
 * A part or a file with another header is refused, never overwritten. */
#ifndef JOBQ_SIM_SWEEP_ROWFILE_H
#define JOBQ_SIM_SWEEP_ROWFILE_H

#include "jobq/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rowfile;

/* Begin or resume PATH with rows 0 <= number < rows of which this process does those with
 * number % shards == shard. header ends with a newline.
 * Returns: JOBQ_OK; CONFLICT: PATH or PATH.part was made by something else, or another
 * process is writing it; CORRUPT: a row in it makes no sense (named by its line);
 * DENIED: cannot be written. Owner: close it. */
int rowfile_open(const char *path, const char *header, int64_t rows, int64_t shard,
                 int64_t shards, struct rowfile **out, struct jobq_error *err);

/* True if row number is this shard's and was not done when the file was opened. Any
 * thread. */
bool rowfile_wants(const struct rowfile *file, int64_t number);
int64_t rowfile_total(const struct rowfile *file); /* rows of this shard */
int64_t rowfile_done(struct rowfile *file);        /* of them; any thread */

/* Append row number: line starts with it, holds no newline. Any thread.
 * Returns: JOBQ_OK; DENIED: the disk refused it. */
int rowfile_put(struct rowfile *file, int64_t number, const char *line, size_t len,
                struct jobq_error *err);

/* Make PATH, if every row of the shard is there; else keep PATH.part for another time.
 * Frees file in any case. */
int rowfile_close(struct rowfile *file, struct jobq_error *err);

/* Merge the finished files of all shards into out_path. Their headers must be equal but
 * for a line "# shard=I/N", which the merged file does not have; together they must hold
 * the rows 0..n-1 once each. INVALID or CONFLICT names the file and the row. */
int rowfile_merge(const char *const *path, int count, const char *out_path,
                  struct jobq_error *err);

#endif
