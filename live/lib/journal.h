/* journal.h - a client's note of what it began, in a file.
 *
 * Room:     live, jobq's program and libjobq.
 * Callers:  live/cmd/enqueue.c.
 * Knows nothing of: what the records say (fleet/enqueuer.h).
 * Blocks:   journal appends are written and fsynced, a batch of records at a time.
 *
 * An append that fails (a full disk) leaves the file as it was before, and the next one works
 * once there is room. */
#ifndef JOBQ_LIVE_LIB_JOURNAL_H
#define JOBQ_LIVE_LIB_JOURNAL_H

#include "base/text.h"
#include "fleet/enqueue/enqueuer.h"

struct journal {
    struct enqueuer_journal port; /* what the enqueuer takes */
    char *path;
    int fd;
    bool torn; /* the last record is not whole, and could not be cut off */
    struct text buffer;
};

/* Opens or makes the file and takes a lock on it. CONFLICT: another process has it; DENIED:
 * it cannot be opened. */
int journal_open(struct journal *journal, const char *path, struct jobq_error *err);
/* remove: the work is whole, the file is not needed any more. */
void journal_close(struct journal *journal, bool remove);
/* True if the file held records when it was opened. */
bool journal_resumes(const struct journal *journal);

#endif
