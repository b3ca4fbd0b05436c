#include "live/lib/journal.h"

#include "base/arena.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* Cuts off what stands behind the last newline: a record that a crash or a full disk tore was
 * never acknowledged. It may not stay, for the head of one record can read as another ("s ID
 * 12" of "s ID 123"), and what follows must begin on a line of its own. */
static int journal_mend(struct journal *j)
{
    char piece[512];
    off_t end = lseek(j->fd, 0, SEEK_END), whole = end;
    while (whole > 0) {
        off_t from = whole > (off_t)sizeof piece ? whole - (off_t)sizeof piece : 0;
        ssize_t got = pread(j->fd, piece, (size_t)(whole - from), from);
        if (got != whole - from)
            return -1;
        const char *newline = memrchr(piece, '\n', (size_t)got);
        whole = newline ? from + (newline - piece) + 1 : from;
        if (newline)
            break;
    }
    return end < 0 || (whole < end && ftruncate(j->fd, whole) < 0) ? -1 : 0;
}

static int journal_write(struct journal *j)
{
    for (size_t at = 0; at < j->buffer.len;) {
        ssize_t put = write(j->fd, j->buffer.ptr + at, j->buffer.len - at);
        if (put < 0 && errno != EINTR)
            return -1;
        at += put > 0 ? (size_t)put : 0;
    }
    return fdatasync(j->fd);
}

static int journal_append(void *ctx, const struct jobq_str *record, int count,
                          struct jobq_error *err)
{
    struct journal *j = ctx;
    text_clear(&j->buffer);
    for (int i = 0; i < count; i++) {
        text_put_str(&j->buffer, record[i]);
        text_putc(&j->buffer, '\n');
    }
    off_t before = lseek(j->fd, 0, SEEK_END);
    if (!j->torn && before >= 0 && journal_write(j) == 0)
        return JOBQ_OK;
    int why = errno;
    /* All records of a call or none. After a cut that failed too, nothing may be written
     * behind the torn record until one succeeds. */
    if (j->torn && journal_mend(j) == 0) {
        j->torn = false;
        return journal_append(ctx, record, count, err);
    }
    j->torn = j->torn || before < 0 || ftruncate(j->fd, before) < 0;
    return jobq_fail(err, JOBQ_UNAVAILABLE, "journal cannot be written: %s",
                     strerror(why));
}

/* A line without its newline was torn: it was never acknowledged. */
static int journal_load(void *ctx, int (*each)(void *each_ctx, struct jobq_str record),
                        void *each_ctx, struct jobq_error *err)
{
    struct journal *j = ctx;
    char *line = NULL;
    size_t cap = 0;
    FILE *file = fopen(j->path, "re");
    if (!file)
        return jobq_fail(err, JOBQ_DENIED, "journal cannot be read: %s", strerror(errno));
    for (ssize_t len; (len = getline(&line, &cap, file)) > 0;)
        if (line[len - 1] == '\n' && each(each_ctx, (struct jobq_str){line, len - 1}))
            break;
    free(line);
    fclose(file);
    return JOBQ_OK;
}

int journal_open(struct journal *j, const char *path, struct jobq_error *err)
{
    char shown[120];
    text_escape(path, (int64_t)strlen(path), shown, sizeof shown);
    *j =
        (struct journal){.fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600)};
    if (j->fd < 0)
        return jobq_fail(err, JOBQ_DENIED, "journal '%s': %s", shown, strerror(errno));
    if (flock(j->fd, LOCK_EX | LOCK_NB) < 0) {
        close(j->fd);
        return jobq_fail(err, JOBQ_CONFLICT, "journal '%s' is in use by another process",
                         shown);
    }
    j->path = xstrdup(path);
    j->port = (struct enqueuer_journal){
        .ctx = j, .append = journal_append, .load = journal_load};
    j->torn = journal_mend(j) < 0;
    return JOBQ_OK;
}

bool journal_resumes(const struct journal *j)
{
    struct stat st;
    return fstat(j->fd, &st) == 0 && st.st_size > 1;
}

void journal_close(struct journal *j, bool remove)
{
    if (remove)
        unlink(j->path);
    close(j->fd);
    free(j->path);
    text_release(&j->buffer);
}
