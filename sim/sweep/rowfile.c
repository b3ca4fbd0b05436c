/* rowfile.c - a CSV of rows that is written from the start or resumed. See rowfile.h.
 *
 * Room:     sim. */
#include "sim/sweep/rowfile.h"

#include "base/arena.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

struct rowfile {
    char *path, *part;
    char *header;
    int64_t rows, shard, shards;
    int64_t total, done;
    unsigned char *have; /* a bit a row */
    int fd;              /* of part; -1: PATH is already complete */
    pthread_mutex_t lock;
};

/* A whole file, terminated; NULL with errno if it cannot be read. */
static char *read_whole(const char *path, size_t *out_len)
{
    FILE *in = fopen(path, "rb");
    if (!in)
        return NULL;
    struct text text = {0};
    char block[4096];
    size_t got;
    while ((got = fread(block, 1, sizeof block, in)) > 0)
        text_put(&text, block, got);
    fclose(in);
    text_put(&text, "", 0);
    *out_len = text.len;
    return text.ptr;
}

static bool has(const struct rowfile *file, int64_t number)
{
    return file->have[number >> 3] >> (number & 7) & 1;
}

/* The number a row starts with, or -1. */
static int64_t row_number(const char *line, size_t len)
{
    const char *comma = memchr(line, ',', len);
    int64_t number;
    if (!comma || !str_to_int((struct jobq_str){line, comma - line}, &number))
        return -1;
    return number;
}

/* Notes the rows of text that follow the header. *out_whole: bytes up to the end of the
 * last whole line. */
static int take_rows(struct rowfile *file, const char *name, const char *text, size_t len,
                     size_t *out_whole, struct jobq_error *err)
{
    size_t head = strlen(file->header);
    if (len < head || memcmp(text, file->header, head) != 0)
        return jobq_fail(err, JOBQ_CONFLICT,
                         "'%s' holds rows of another sweep (its header differs); move it "
                         "away or name another file",
                         name);
    size_t at = head, line = 1;
    for (const char *p = text; p < text + head; p++)
        line += *p == '\n';
    for (const char *end; at < len && (end = memchr(text + at, '\n', len - at));
         at = (size_t)(end - text) + 1, line++) {
        int64_t number = row_number(text + at, (size_t)(end - text) - at);
        if (number < 0 || number >= file->rows || number % file->shards != file->shard ||
            has(file, number))
            return jobq_fail(err, JOBQ_CORRUPT, "%s:%zu: not a row of this sweep", name,
                             line);
        file->have[number >> 3] |= (unsigned char)(1 << (number & 7));
        file->done++;
    }
    *out_whole = at;
    return JOBQ_OK;
}

static void release(struct rowfile *file)
{
    if (file->fd >= 0)
        close(file->fd);
    pthread_mutex_destroy(&file->lock);
    free(file->path);
    free(file->part);
    free(file->header);
    free(file->have);
    free(file);
}

static bool put_all(int fd, const char *bytes, size_t len)
{
    while (len > 0) {
        ssize_t put = write(fd, bytes, len);
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return false;
        bytes += put;
        len -= (size_t)put;
    }
    return true;
}

static int open_part(struct rowfile *file, struct jobq_error *err)
{
    file->fd = open(file->part, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    if (file->fd < 0)
        return jobq_fail(err, JOBQ_DENIED, "cannot write '%s': %s", file->part,
                         strerror(errno));
    if (flock(file->fd, LOCK_EX | LOCK_NB) != 0)
        return jobq_fail(err, JOBQ_CONFLICT, "'%s' is being written by another process",
                         file->part);
    size_t len = 0, whole = 0;
    char *text = read_whole(file->part, &len);
    if (!text)
        return jobq_fail(err, JOBQ_DENIED, "cannot read '%s'", file->part);
    int code = JOBQ_OK;
    /* A kill may have come within the header. */
    bool torn = len < strlen(file->header) && memcmp(text, file->header, len) == 0;
    if (!torn)
        code = take_rows(file, file->part, text, len, &whole, err);
    free(text);
    if (code != JOBQ_OK)
        return code;
    if (ftruncate(file->fd, (off_t)whole) != 0 ||
        (torn && !put_all(file->fd, file->header, strlen(file->header))))
        return jobq_fail(err, JOBQ_DENIED, "cannot write '%s': %s", file->part,
                         strerror(errno));
    return JOBQ_OK;
}

int rowfile_open(const char *path, const char *header, int64_t rows, int64_t shard,
                 int64_t shards, struct rowfile **out, struct jobq_error *err)
{
    struct rowfile *file = xcalloc(1, sizeof *file);
    struct text part = {0};
    text_puts(&part, path);
    text_puts(&part, ".part");
    *file = (struct rowfile){.path = xstrdup(path),
                             .part = part.ptr,
                             .header = xstrdup(header),
                             .rows = rows,
                             .shard = shard,
                             .shards = shards,
                             .fd = -1};
    pthread_mutex_init(&file->lock, NULL);
    file->have = xcalloc((size_t)rows / 8 + 1, 1);
    for (int64_t n = shard; n < rows; n += shards)
        file->total++;
    size_t len = 0, whole = 0;
    char *text = read_whole(path, &len);
    int code = JOBQ_OK;
    if (text) {
        code = take_rows(file, path, text, len, &whole, err);
        if (code == JOBQ_OK && (file->done != file->total || whole != len))
            code = jobq_fail(err, JOBQ_CORRUPT, "'%s' is not whole", path);
        free(text);
    } else {
        code = open_part(file, err);
    }
    if (code != JOBQ_OK) {
        release(file);
        return code;
    }
    *out = file;
    return JOBQ_OK;
}

bool rowfile_wants(const struct rowfile *file, int64_t number)
{
    return number % file->shards == file->shard && !has(file, number);
}

int64_t rowfile_total(const struct rowfile *file)
{
    return file->total;
}

int64_t rowfile_done(struct rowfile *file)
{
    pthread_mutex_lock(&file->lock);
    int64_t done = file->done;
    pthread_mutex_unlock(&file->lock);
    return done;
}

int rowfile_put(struct rowfile *file, int64_t number, const char *line, size_t len,
                struct jobq_error *err)
{
    char *copy = xmalloc(len + 1);
    memcpy(copy, line, len);
    copy[len] = '\n';
    pthread_mutex_lock(&file->lock);
    bool good = put_all(file->fd, copy, len + 1);
    int saved = errno;
    if (good)
        file->done++;
    pthread_mutex_unlock(&file->lock);
    free(copy);
    if (!good)
        return jobq_fail(err, JOBQ_DENIED, "cannot write '%s': row %lld: %s", file->part,
                         (long long)number, strerror(saved));
    return JOBQ_OK;
}

struct row {
    int64_t number;
    struct jobq_str line; /* with its newline */
};

static int by_number(const void *a, const void *b)
{
    int64_t x = ((const struct row *)a)->number, y = ((const struct row *)b)->number;
    return (x > y) - (x < y);
}

/* Header and rows, sorted, to path by way of a rename. */
static int write_sorted(const char *path, const char *header, size_t header_len,
                        struct row *row, int64_t count, struct jobq_error *err)
{
    if (count)
        qsort(row, (size_t)count, sizeof *row, by_number);
    struct text temporary = {0};
    text_puts(&temporary, path);
    text_puts(&temporary, ".tmp");
    FILE *out = fopen(temporary.ptr, "wb");
    bool good = out != NULL;
    if (good) {
        good = fwrite(header, 1, header_len, out) == header_len;
        for (int64_t i = 0; i < count && good; i++)
            good = fwrite(row[i].line.ptr, 1, (size_t)row[i].line.len, out) ==
                   (size_t)row[i].line.len;
        good = fflush(out) == 0 && fsync(fileno(out)) == 0 && good;
        good = fclose(out) == 0 && good;
    }
    if (good)
        good = rename(temporary.ptr, path) == 0;
    int saved = errno;
    if (!good)
        unlink(temporary.ptr);
    text_release(&temporary);
    if (!good)
        return jobq_fail(err, JOBQ_DENIED, "cannot write '%s': %s", path,
                         strerror(saved));
    return JOBQ_OK;
}

/* The lines of text from at on, appended to *row. */
static int64_t split_rows(const char *text, size_t at, size_t len, struct row **row,
                          int64_t count)
{
    int64_t cap = count;
    for (const char *end; at < len && (end = memchr(text + at, '\n', len - at));
         at = (size_t)(end - text) + 1) {
        if (count == cap) {
            cap = cap ? 2 * cap : 1024;
            *row = xrealloc(*row, (size_t)cap * sizeof **row);
        }
        size_t line = (size_t)(end - text) - at;
        (*row)[count++] =
            (struct row){row_number(text + at, line), {text + at, (int64_t)line + 1}};
    }
    return count;
}

int rowfile_close(struct rowfile *file, struct jobq_error *err)
{
    int code = JOBQ_OK;
    if (file->fd >= 0 && file->done == file->total) {
        size_t len = 0;
        char *text = read_whole(file->part, &len);
        if (!text) {
            code = jobq_fail(err, JOBQ_DENIED, "cannot read '%s'", file->part);
        } else {
            struct row *row = NULL;
            size_t head = strlen(file->header);
            int64_t count = split_rows(text, head, len, &row, 0);
            code = write_sorted(file->path, text, head, row, count, err);
            if (code == JOBQ_OK)
                unlink(file->part);
            free(row);
            free(text);
        }
    }
    release(file);
    return code;
}

/* Length of the header; *out is it without the shard's line. False: no column names. */
static bool read_header(const char *text, struct text *out, size_t *out_len)
{
    const char *p = text;
    for (const char *end; *p == '#' && (end = strchr(p, '\n')); p = end + 1)
        if (strncmp(p, "# shard=", 8) != 0)
            text_put(out, p, (size_t)(end + 1 - p));
    const char *end = strchr(p, '\n');
    if (!end || *p == '#')
        return false;
    text_put(out, p, (size_t)(end + 1 - p));
    *out_len = (size_t)(end + 1 - text);
    return true;
}

int rowfile_merge(const char *const *path, int count, const char *out_path,
                  struct jobq_error *err)
{
    struct text header = {0};
    struct row *row = NULL;
    int64_t rows = 0;
    char **text = xcalloc((size_t)count, sizeof *text);
    int code = JOBQ_OK;
    for (int i = 0; i < count && code == JOBQ_OK; i++) {
        size_t len = 0, head = 0;
        struct text mine = {0};
        text[i] = read_whole(path[i], &len);
        if (!text[i])
            code = jobq_fail(err, JOBQ_NOT_FOUND, "cannot read '%s': %s", path[i],
                             strerror(errno));
        else if (!read_header(text[i], &mine, &head))
            code = jobq_fail(err, JOBQ_INVALID, "'%s' has no header", path[i]);
        else if (len > 0 && text[i][len - 1] != '\n')
            code = jobq_fail(err, JOBQ_INVALID, "'%s' ends in half a line", path[i]);
        else if (i > 0 && !str_eq(text_str(&mine), text_str(&header)))
            code = jobq_fail(err, JOBQ_CONFLICT, "'%s' and '%s' are of different sweeps",
                             path[0], path[i]);
        if (code == JOBQ_OK) {
            if (i == 0)
                text_put(&header, mine.ptr, mine.len);
            rows = split_rows(text[i], head, len, &row, rows);
        }
        text_release(&mine);
    }
    if (code == JOBQ_OK && rows)
        qsort(row, (size_t)rows, sizeof *row, by_number);
    for (int64_t i = 0; i < rows && code == JOBQ_OK; i++)
        if (row[i].number != i)
            code = jobq_fail(err, JOBQ_CONFLICT, "row %lld is %s", (long long)i,
                             row[i].number < i ? "there twice or malformed" : "missing");
    if (code == JOBQ_OK)
        code = write_sorted(out_path, header.ptr, header.len, row, rows, err);
    for (int i = 0; i < count; i++)
        free(text[i]);
    free(text);
    free(row);
    text_release(&header);
    return code;
}
