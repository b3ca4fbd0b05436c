/* ini.h - reads INI files with errors that name the line.
 *
 * Room:     src/base, a tool. Wraps libinih.
 * Callers:  anyone that reads parameters, scenarios or configuration.
 * Knows nothing of: which keys mean what. */
#ifndef JOBQ_BASE_INI_H
#define JOBQ_BASE_INI_H

#include "jobq/error.h"

/* Bytes of a "key = value" line; of any other line, and of a key, 199. */
#define INI_LINE_MAX 6144

/* Called for each key. Strings die with the call. Returns JOBQ_OK or a code with err
 * filled; the first failure ends the reading. */
typedef int ini_key_fn(void *ctx, const char *section, const char *key, const char *value,
                       int line, struct jobq_error *err);

/* Returns JOBQ_OK; NOT_FOUND: no such file; INVALID: "FILE:LINE: ..." for a malformed
 * line or what fn said. */
int ini_read_file(const char *path, ini_key_fn *fn, void *ctx, struct jobq_error *err);
/* The same for text in memory; name stands for the file in errors. */
int ini_read_text(const char *text, const char *name, ini_key_fn *fn, void *ctx,
                  struct jobq_error *err);

#endif
