/* outfile.h - output files that are whole or not there.
 *
 * Room:     sim, command lines only.
 * Callers:  the jobqsim commands.
 * Knows nothing of: what is written.
 * Blocks:   as files do.
 *
 * What is written goes to PATH.tmp-PID beside the target, which it replaces when all is
 * written. A signal may end the program at any time: outfile_unlink_all, which a handler may
 * call, takes away what is not finished. */
#ifndef JOBQ_SIM_SWEEP_OUTFILE_H
#define JOBQ_SIM_SWEEP_OUTFILE_H

#include "jobq/error.h"

#include <stdio.h>

struct outfile {
    FILE *file;
    char *path, *temporary;
    int slot;
};

#define OUTFILES_MAX 8

/* DENIED: cannot be written there. out is closed by commit or abandon. */
int outfile_open(const char *path, struct outfile *out, struct jobq_error *err);
/* Makes it last and puts it in place. On an error nothing is left and the target is as it
 * was. */
int outfile_commit(struct outfile *out, struct jobq_error *err);
/* Harmless on a zeroed or committed one. */
void outfile_abandon(struct outfile *out);
void outfile_unlink_all(void);

#endif
