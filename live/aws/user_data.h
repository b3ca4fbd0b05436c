/* user_data.h - what does a new box learn at its start? The queue that it drains.
 *
 * Room:     live, jobq's program.
 * Callers:  live/cmd/spawn.c.
 * Knows nothing of: EC2. */
#ifndef JOBQ_LIVE_AWS_USER_DATA_H
#define JOBQ_LIVE_AWS_USER_DATA_H

#include "base/text.h"
#include "jobq/error.h"

#include <stdint.h>

struct user_data {
    const char *queue, *region;
    const char *settings; /* of its drainer: lines "JOBQ_NAME=VALUE" of plain values */
    const char *exec;     /* the command of exec jobs on the box; NULL: none */
};

/* Appends live/image/user-data.yaml with its words filled in. INVALID: a queue or a region
 * with other characters than their names may have (they stand in a path and a command), or a
 * command with a character that an environment file would not give back as it is. */
int user_data_make(const struct user_data *params, struct text *out,
                   struct jobq_error *err);

#endif
