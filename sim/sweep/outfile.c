/* outfile.c - see outfile.h.
 *
 * Room:     sim. */
#include "sim/sweep/outfile.h"

#include "base/arena.h"
#include "base/text.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* For the signal handler: paths not yet in place. A slot is set before its file exists and
 * cleared after it is gone. */
static char *volatile unfinished[OUTFILES_MAX];

static int denied(const char *path, struct jobq_error *err)
{
    char safe[120];
    int why = errno;
    text_escape(path, (int64_t)strlen(path), safe, sizeof safe);
    return jobq_fail(err, JOBQ_DENIED, "cannot write '%s': %s", safe, strerror(why));
}

int outfile_open(const char *path, struct outfile *out, struct jobq_error *err)
{
    int slot = 0;
    while (slot < OUTFILES_MAX && unfinished[slot])
        slot++;
    if (slot == OUTFILES_MAX)
        return jobq_fail(err, JOBQ_LIMIT, "more than %d output files", OUTFILES_MAX);
    struct text temporary = {0};
    text_printf(&temporary, "%s.tmp-%ld", path, (long)getpid());
    *out =
        (struct outfile){.path = xstrdup(path), .temporary = temporary.ptr, .slot = slot};
    unfinished[slot] = out->temporary;
    out->file = fopen(out->temporary, "w");
    if (out->file)
        return JOBQ_OK;
    denied(path, err);
    outfile_abandon(out);
    return err->code;
}

static void forget(struct outfile *out)
{
    if (out->temporary)
        unfinished[out->slot] = NULL;
    free(out->path);
    free(out->temporary);
    *out = (struct outfile){0};
}

int outfile_commit(struct outfile *out, struct jobq_error *err)
{
    int failed =
        ferror(out->file) || fflush(out->file) != 0 || fsync(fileno(out->file)) != 0;
    failed |= fclose(out->file) != 0;
    out->file = NULL;
    if (!failed && rename(out->temporary, out->path) == 0) {
        forget(out);
        return JOBQ_OK;
    }
    denied(out->path, err);
    outfile_abandon(out);
    return err->code;
}

void outfile_abandon(struct outfile *out)
{
    if (out->file)
        fclose(out->file);
    if (out->temporary)
        unlink(out->temporary);
    forget(out);
}

void outfile_unlink_all(void)
{
    for (int i = 0; i < OUTFILES_MAX; i++)
        if (unfinished[i])
            unlink(unfinished[i]);
}
