#include "wire/text/awsconfig.h"

#include "base/text.h"

#include <assert.h>

enum { LINE_MAX_BYTES = 16 << 10, KEY_MAX = 128 };

static bool awsconfig_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

static struct jobq_str awsconfig_trim(const char *at, const char *end)
{
    while (at < end && awsconfig_blank(*at))
        at++;
    while (end > at && awsconfig_blank(end[-1]))
        end--;
    return (struct jobq_str){at, end - at};
}

/* A comment may follow a value after a blank. */
static struct jobq_str without_comment(struct jobq_str line)
{
    for (int64_t i = 0; i < line.len; i++)
        if ((line.ptr[i] == '#' || line.ptr[i] == ';') &&
            (i == 0 || awsconfig_blank(line.ptr[i - 1])))
            return awsconfig_trim(line.ptr, line.ptr + i);
    return line;
}

struct state {
    struct jobq_str section,
        parent; /* parent: the key that indented lines belong to; len 0: none */
    awsconfig_fn *fn;
    void *ctx;
};

static int one_line(struct state *s, struct jobq_str raw, struct jobq_error *err)
{
    struct jobq_str line = without_comment(awsconfig_trim(raw.ptr, raw.ptr + raw.len));
    bool nested = raw.len && awsconfig_blank(raw.ptr[0]) && s->parent.len;
    if (!line.len)
        return JOBQ_OK;
    if (line.ptr[0] == '[') {
        if (line.ptr[line.len - 1] != ']')
            return jobq_fail(err, JOBQ_INVALID, "section has no ']'");
        s->section = awsconfig_trim(line.ptr + 1, line.ptr + line.len - 1);
        s->parent = (struct jobq_str){0};
        return JOBQ_OK;
    }
    const char *equals = memchr(line.ptr, '=', (size_t)line.len);
    if (!equals)
        return jobq_fail(err, JOBQ_INVALID, "malformed line, want 'key = value'");
    struct jobq_str key = awsconfig_trim(line.ptr, equals);
    struct jobq_str value = awsconfig_trim(equals + 1, line.ptr + line.len);
    if (!key.len || key.len + s->parent.len + 2 > KEY_MAX)
        return jobq_fail(err, JOBQ_INVALID, "key is empty or longer than '%d'", KEY_MAX);
    if (!nested) {
        s->parent = value.len ? (struct jobq_str){0} : key;
        return s->fn(s->ctx, s->section, key, value, err);
    }
    char whole[KEY_MAX];
    memcpy(whole, s->parent.ptr, (size_t)s->parent.len);
    whole[s->parent.len] = '.';
    memcpy(whole + s->parent.len + 1, key.ptr, (size_t)key.len);
    return s->fn(s->ctx, s->section,
                 (struct jobq_str){whole, s->parent.len + 1 + key.len}, value, err);
}

int awsconfig_read(struct jobq_str text, const char *name, awsconfig_fn *fn, void *ctx,
                   struct jobq_error *err)
{
    assert(name && fn && err);
    struct state s = {.section = STR(""), .fn = fn, .ctx = ctx};
    const char *at = text.ptr, *end = text.ptr + text.len;
    for (int line = 1; at < end; line++) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        const char *stop = newline ? newline : end;
        int rc = stop - at > LINE_MAX_BYTES
                     ? jobq_fail(err, JOBQ_INVALID, "line is longer than '%d' bytes",
                                 LINE_MAX_BYTES)
                     : one_line(&s, (struct jobq_str){at, stop - at}, err);
        if (rc < 0)
            return jobq_wrap(err, "%s:%d", name, line);
        at = stop + 1;
    }
    return JOBQ_OK;
}
