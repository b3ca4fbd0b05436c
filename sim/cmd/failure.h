/* failure.h - shows a torture run that fails: made small, and what happened in it.
 *
 * Room:     sim/cmd, a program.
 * Callers:  jobqsim torture. */
#ifndef JOBQ_SIM_CMD_FAILURE_H
#define JOBQ_SIM_CMD_FAILURE_H

#include "sim/torture/torture.h"

struct failure_options {
    bool shrink; /* make it small first */
    const char
        *file; /* write the timeline there, as SVG if its name ends so; NULL: print it */
};

/* Prints the run's finding again if it was made small, the command that plays it, and what
 * happened in it. Progress goes to standard error, if that is a terminal. */
int failure_show(const struct failure_options *options, const struct torture_run *run,
                 struct jobq_error *err);

#endif
