#include "base/ini.h"

#include "base/text.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <ini.h>
#include <stdbool.h>
#include <stdio.h>

/* Debian's inih does not pass its handler the line number, so lines are counted as it
 * reads them. It also limits lines to 200 bytes: of a longer "key = value" it is given
 * the key alone, and ini_on_key puts the value back. */
struct reading {
    ini_key_fn *fn;
    void *ctx;
    const char *name;
    struct jobq_error *err;
    int code;
    int line;
    int long_line;     /* first line that did not fit, 0: none */
    int long_limit;    /* the limit it did not fit */
    const char *value; /* of the line being read, in `whole`; NULL: take it from inih */
    FILE *file;        /* or */
    const char *text;
    char whole[INI_LINE_MAX + 2];
};

/* The next line with its newline, or as much of it as fits. False: end of input. */
static bool ini_take_line(struct reading *r)
{
    if (r->file)
        return fgets(r->whole, sizeof r->whole, r->file) != NULL;
    size_t len = 0;
    while (len < sizeof r->whole - 1 && r->text[len] &&
           (len == 0 || r->text[len - 1] != '\n'))
        len++;
    memcpy(r->whole, r->text, len);
    r->whole[len] = '\0';
    r->text += len;
    return len > 0;
}

/* A value ends at white space followed by a semicolon, as in inih. */
static char *trim_value(char *text)
{
    while (isspace((unsigned char)*text))
        text++;
    for (char *p = text; *p; p++)
        if (*p == ';' && p > text && isspace((unsigned char)p[-1]))
            *p = '\0';
    size_t len = strlen(text);
    while (len > 0 && isspace((unsigned char)text[len - 1]))
        text[--len] = '\0';
    return text;
}

static char *refuse_line(struct reading *r, int limit)
{
    r->long_line = r->line;
    r->long_limit = limit;
    return NULL;
}

static char *next_line(char *out, int cap, void *stream)
{
    struct reading *r = stream;
    r->value = NULL;
    if (r->long_line || !ini_take_line(r))
        return NULL;
    r->line++;
    size_t len = strlen(r->whole);
    if (len > INI_LINE_MAX && r->whole[len - 1] != '\n')
        return refuse_line(r, INI_LINE_MAX);
    if (len < (size_t)cap)
        return memcpy(out, r->whole, len + 1);
    size_t key = strcspn(r->whole, "=:");
    if (r->whole[0] == '#' || r->whole[0] == ';')
        return strcpy(out, "#\n");
    if (r->whole[0] == '[' || isspace((unsigned char)r->whole[0]) ||
        key + sizeof "=*\n" > (size_t)cap)
        return refuse_line(r, cap - 1);
    r->value = trim_value(r->whole + key + 1);
    memcpy(out, r->whole, key);
    strcpy(out + key, "=*\n");
    return out;
}

static int ini_on_key(void *user, const char *section, const char *key, const char *value)
{
    struct reading *r = user;
    if (r->code != JOBQ_OK || r->long_line)
        return 0;
    r->code = r->fn(r->ctx, section, key,
                    r->value ? r->value
                    : value  ? value
                             : "",
                    r->line, r->err);
    if (r->code == JOBQ_OK)
        return 1;
    jobq_wrap(r->err, "%s:%d", r->name, r->line);
    return 0;
}

static int ini_run(struct reading *r)
{
    int line = ini_parse_stream(next_line, r, ini_on_key, r);
    if (r->code != JOBQ_OK)
        return r->code;
    if (r->long_line)
        return jobq_fail(r->err, JOBQ_INVALID, "%s:%d: line is longer than '%d' bytes",
                         r->name, r->long_line, r->long_limit);
    if (line > 0)
        return jobq_fail(r->err, JOBQ_INVALID,
                         "%s:%d: malformed line, want 'key = value'", r->name, line);
    if (line < 0)
        return jobq_fail(r->err, JOBQ_INVALID, "%s: cannot be read", r->name);
    return JOBQ_OK;
}

int ini_read_file(const char *path, ini_key_fn *fn, void *ctx, struct jobq_error *err)
{
    assert(path && fn && err);
    char shown[120];
    text_escape(path, (int64_t)strlen(path), shown, sizeof shown);
    FILE *file = fopen(path, "r");
    if (!file)
        return jobq_fail(err, errno == ENOENT ? JOBQ_NOT_FOUND : JOBQ_DENIED,
                         "cannot open '%s': %s", shown,
                         errno == ENOENT ? "no such file" : "not readable");
    struct reading r = {.fn = fn, .ctx = ctx, .name = shown, .err = err, .file = file};
    int code = ini_run(&r);
    fclose(file);
    return code;
}

int ini_read_text(const char *text, const char *name, ini_key_fn *fn, void *ctx,
                  struct jobq_error *err)
{
    assert(text && name && fn && err);
    struct reading r = {.fn = fn, .ctx = ctx, .name = name, .err = err, .text = text};
    return ini_run(&r);
}
