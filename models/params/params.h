/* params.h - parameter sets: the numbers of the models, each with where it comes from.
 *
 * Room:     models, facts.
 * Callers:  each model's loader (sqs_params_load and its like); reports that list what
 * was assumed; sensitivity runs, which change one number at a time. Knows nothing of:
 * what the numbers mean. Each model brings its own table of fields.
 *
 * A set is an ini text, models/params/NAME.ini, built into the program. A section a
 * service, and a line a number:
 *
 *     in_flight_max = 120000 | documented | 2026-11 | SQS developer guide, quotas
 *     KEY = VALUE | STATUS | DATE | SOURCE
 *
 * A line without the three is an error, as is a key that the model does not know, one
 * that is there twice and one that is missing. STATUS: measured (a published
 * measurement), documented (stated by AWS), derived (arithmetic on those), assumed (our
 * guess: any result that depends on it must say so), defined (a choice of the set, not a
 * claim about AWS). DATE: YYYY or YYYY-MM, when it was measured or read. */
#ifndef JOBQ_MODELS_PARAMS_PARAMS_H
#define JOBQ_MODELS_PARAMS_PARAMS_H

#include "jobq/error.h"

#include <stddef.h>

enum param_kind {
    PARAM_COUNT,        /* int64_t, as jobq_parse_count */
    PARAM_COUNT32,      /* int32_t */
    PARAM_BYTES,        /* int64_t, as jobq_parse_size */
    PARAM_NS,           /* int64_t, as jobq_parse_duration */
    PARAM_NUMBER,       /* double, as jobq_parse_number ("5%" is 0.05) */
    PARAM_FLAG,         /* bool: yes or no */
    PARAM_DISTRIBUTION, /* struct distribution, as distribution_parse */
    PARAM_CUSTOM        /* parse() below */
};

/* One parameter of a model's struct. */
struct param_field {
    const char *key;
    enum param_kind kind;
    size_t offset;
    double min, max; /* of the numeric kinds (nanoseconds, bytes); both 0: 0 or more */
    /* CUSTOM: reads value into the field at `at`; INVALID or LIMIT with the fault
     * alone. */
    int (*parse)(const char *value, void *at, struct jobq_error *err);
};

enum param_status {
    PARAM_MEASURED,
    PARAM_DOCUMENTED,
    PARAM_DERIVED,
    PARAM_ASSUMED,
    PARAM_DEFINED
};

/* One line of a set. Views: good while the callback runs. */
struct param_note {
    const char *section, *key, *value, *date, *source;
    enum param_status status;
    int line;
};
typedef int param_note_fn(void *ctx, const struct param_note *note,
                          struct jobq_error *err);

/* The index-th name of a built-in set, NULL after the last. */
const char *params_name(int index);
/* The text of a built-in set; NULL: no such set. */
const char *params_text(const char *model);

/* Calls fn for each line of the set, in order, until it returns other than JOBQ_OK.
 * NOT_FOUND: no such set, naming those there are; INVALID: a malformed line. */
int params_each(const char *model, param_note_fn *fn, void *ctx, struct jobq_error *err);

/* Fills *out, by the table, from one section of a set. Every field exactly once. */
int params_load(const char *model, const char *section, const struct param_field *field,
                int count, void *out, struct jobq_error *err);
/* The same from a text that the caller read (name stands for it in errors): the hook for
 * parameter files of one's own. */
int params_load_text(const char *text, const char *name, const char *section,
                     const struct param_field *field, int count, void *out,
                     struct jobq_error *err);
/* Changes one field. INVALID: no such key, or a malformed value; LIMIT: out of range. */
int params_set(const struct param_field *field, int count, void *out, const char *key,
               const char *value, struct jobq_error *err);

#endif
