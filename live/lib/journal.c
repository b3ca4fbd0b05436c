#include "live/lib/journal.h"

#include "base/arena.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static int append(void *ctx, const struct jobq_str *record, int count,
                  struct jobq_error *err)
{
    struct journal *j = ctx;
    text_clear(&j->buffer);
    for (int i = 0; i < count; i++) {
        text_put_str(&j->buffer, record[i]);
        text_putc(&j->buffer, '\n');
    }
    for (size_t at = 0; at < j->buffer.len;) {
        ssize_t put = write(j->fd, j->buffer.ptr + at, j->buffer.len - at);
        if (put < 0 && errno != EINTR)
            return jobq_fail(err, JOBQ_UNAVAILABLE, "journal cannot be written: %s",
                             strerror(errno));
        at += put > 0 ? (size_t)put : 0;
    }
    if (fdatasync(j->fd) < 0)
        return jobq_fail(err, JOBQ_UNAVAILABLE, "journal cannot be made last: %s",
                         strerror(errno));
    return JOBQ_OK;
}

/* A line without its newline was torn by a crash: it was never acknowledged. */
static int load(void *ctx, int (*each)(void *each_ctx, struct jobq_str record),
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

/* What follows a torn line must begin on a line of its own. */
static void mend(struct journal *j)
{
    char last = '\n';
    off_t size = lseek(j->fd, 0, SEEK_END);
    if (size > 0 && pread(j->fd, &last, 1, size - 1) == 1 && last != '\n' &&
        write(j->fd, "\n", 1) != 1)
        last = '\n'; /* the next append fails too, and says so */
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
    j->port = (struct enqueuer_journal){.ctx = j, .append = append, .load = load};
    mend(j);
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
