#include "base/ini.h"

#include "base/text.h"

#include <errno.h>
#include <ini.h>
#include <stdbool.h>
#include <stdio.h>

/* Debian's inih does not tell its handler the line, so the lines are counted where it
 * asks for them. */
struct reading {
    ini_key_fn *fn;
    void *ctx;
    const char *name;
    struct jobq_error *err;
    int code;
    int line;
    int long_line; /* first line that did not fit, 0: none */
    FILE *file;    /* or */
    const char *text;
};

static char *next_line(char *out, int cap, void *stream)
{
    struct reading *r = stream;
    if (r->long_line)
        return NULL;
    if (r->file) {
        if (!fgets(out, cap, r->file))
            return NULL;
    } else {
        if (!*r->text)
            return NULL;
        int len = 0;
        while (len < cap - 1 && r->text[len] && (len == 0 || r->text[len - 1] != '\n'))
            len++;
        memcpy(out, r->text, (size_t)len);
        out[len] = '\0';
        r->text += len;
    }
    r->line++;
    size_t len = strlen(out);
    if (len + 1 == (size_t)cap && out[len - 1] != '\n')
        r->long_line = r->line;
    return out;
}

static int on_key(void *user, const char *section, const char *key, const char *value)
{
    struct reading *r = user;
    if (r->code != JOBQ_OK || r->long_line)
        return 0;
    r->code = r->fn(r->ctx, section, key, value ? value : "", r->line, r->err);
    if (r->code == JOBQ_OK)
        return 1;
    jobq_wrap(r->err, "%s:%d", r->name, r->line);
    return 0;
}

static int run(struct reading *r)
{
    int line = ini_parse_stream(next_line, r, on_key, r);
    if (r->code != JOBQ_OK)
        return r->code;
    if (r->long_line)
        return jobq_fail(r->err, JOBQ_INVALID, "%s:%d: line is too long", r->name,
                         r->long_line);
    if (line > 0)
        return jobq_fail(r->err, JOBQ_INVALID,
                         "%s:%d: malformed line, want 'key = value'", r->name, line);
    if (line < 0)
        return jobq_fail(r->err, JOBQ_INVALID, "%s: cannot be read", r->name);
    return JOBQ_OK;
}

int ini_read_file(const char *path, ini_key_fn *fn, void *ctx, struct jobq_error *err)
{
    char shown[120];
    text_escape(path, (int64_t)strlen(path), shown, sizeof shown);
    FILE *file = fopen(path, "r");
    if (!file)
        return jobq_fail(err, errno == ENOENT ? JOBQ_NOT_FOUND : JOBQ_DENIED,
                         "cannot open '%s': %s", shown,
                         errno == ENOENT ? "no such file" : "not readable");
    struct reading r = {.fn = fn, .ctx = ctx, .name = shown, .err = err, .file = file};
    int code = run(&r);
    fclose(file);
    return code;
}

int ini_read_text(const char *text, const char *name, ini_key_fn *fn, void *ctx,
                  struct jobq_error *err)
{
    struct reading r = {.fn = fn, .ctx = ctx, .name = name, .err = err, .text = text};
    return run(&r);
}
