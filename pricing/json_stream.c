#include "pricing/json_stream.h"

#include "base/arena.h"

#include <stdlib.h>
#include <string.h>

/* What the grammar allows next. */
enum expect {
    EXPECT_VALUE,       /* a value */
    EXPECT_FIRST_VALUE, /* a value or ] */
    EXPECT_FIRST_KEY,   /* a key or } */
    EXPECT_KEY,         /* a key */
    EXPECT_COMMA,       /* a comma or the end of what is open */
    EXPECT_NOTHING      /* blanks until the end */
};

struct json_stream {
    json_stream_read_fn *read;
    void *ctx;
    const char *name;
    int64_t line;
    enum expect expect;
    int depth;
    bool in_object[JSON_STREAM_DEPTH_MAX];
    bool ended; /* read gave its end */
    size_t at, len, text_len;
    char buffer[JSON_STREAM_BUFFER];
    char text[JSON_STREAM_TEXT_MAX + 8];
};

struct json_stream *json_stream_new(json_stream_read_fn *read, void *ctx,
                                    const char *name)
{
    struct json_stream *s = xcalloc(1, sizeof *s);
    s->read = read;
    s->ctx = ctx;
    s->name = name;
    s->line = 1;
    return s;
}

void json_stream_free(struct json_stream *stream)
{
    free(stream);
}

const char *json_stream_text(const struct json_stream *s)
{
    return s->text;
}

int64_t json_stream_line(const struct json_stream *s)
{
    return s->line;
}

int json_stream_fail(const struct json_stream *s, const char *what,
                     struct jobq_error *err)
{
    return jobq_fail(err, JOBQ_INVALID, "%s:%lld: %s", s->name, (long long)s->line, what);
}

/* ---- bytes --------------------------------------------------------------------------- */

#define AT_END (-1)
#define READ_FAILED (-2)

/* The next byte without taking it. */
static int peek(struct json_stream *s, struct jobq_error *err)
{
    if (s->at < s->len)
        return (unsigned char)s->buffer[s->at];
    if (s->ended)
        return AT_END;
    s->at = s->len = 0;
    if (s->read(s->ctx, s->buffer, sizeof s->buffer, &s->len, err)) {
        s->ended = true;
        jobq_wrap(err, "%s", s->name);
        return READ_FAILED;
    }
    if (s->len == 0) {
        s->ended = true;
        return AT_END;
    }
    return (unsigned char)s->buffer[0];
}

static int take(struct json_stream *s, struct jobq_error *err)
{
    int c = peek(s, err);
    if (c >= 0)
        s->at++;
    if (c == '\n')
        s->line++;
    return c;
}

/* A byte that the grammar does not allow here, or the end, or a failed read. */
static int wrong(const struct json_stream *s, int c, struct jobq_error *err)
{
    if (c == READ_FAILED)
        return err->code;
    if (c == AT_END)
        return json_stream_fail(s, "the document ends too early", err);
    if (c > 0x20 && c < 0x7f)
        return jobq_fail(err, JOBQ_INVALID, "%s:%lld: unexpected '%c'", s->name,
                         (long long)s->line, c);
    return jobq_fail(err, JOBQ_INVALID, "%s:%lld: unexpected byte 0x%02x", s->name,
                     (long long)s->line, (unsigned)c);
}

static int put(struct json_stream *s, int c, struct jobq_error *err)
{
    if (s->text_len >= JSON_STREAM_TEXT_MAX)
        return jobq_fail(err, JOBQ_LIMIT, "%s:%lld: a string or number over %d bytes",
                         s->name, (long long)s->line, JSON_STREAM_TEXT_MAX);
    s->text[s->text_len++] = (char)c;
    return JOBQ_OK;
}

/* ---- strings, numbers, words ----------------------------------------------------------- */

static int hex4(struct json_stream *s, unsigned *out, struct jobq_error *err)
{
    *out = 0;
    for (int i = 0; i < 4; i++) {
        int c = take(s, err);
        int digit = c >= '0' && c <= '9'   ? c - '0'
                    : c >= 'a' && c <= 'f' ? c - 'a' + 10
                    : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                           : -1;
        if (digit < 0)
            return wrong(s, c, err);
        *out = *out * 16 + (unsigned)digit;
    }
    return JOBQ_OK;
}

static int put_utf8(struct json_stream *s, unsigned code, struct jobq_error *err)
{
    int failed;
    if (code < 0x80)
        return put(s, (int)code, err);
    if (code < 0x800) {
        failed = put(s, (int)(0xc0 | code >> 6), err);
    } else if (code < 0x10000) {
        failed = put(s, (int)(0xe0 | code >> 12), err);
        if (!failed)
            failed = put(s, (int)(0x80 | (code >> 6 & 0x3f)), err);
    } else {
        failed = put(s, (int)(0xf0 | code >> 18), err);
        if (!failed)
            failed = put(s, (int)(0x80 | (code >> 12 & 0x3f)), err);
        if (!failed)
            failed = put(s, (int)(0x80 | (code >> 6 & 0x3f)), err);
    }
    return failed ? failed : put(s, (int)(0x80 | (code & 0x3f)), err);
}

static int escape(struct json_stream *s, struct jobq_error *err)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    int c = take(s, err);
    const char *at = c > 0 ? strchr(from, c) : NULL;
    if (at)
        return put(s, to[at - from], err);
    if (c != 'u')
        return wrong(s, c, err);
    unsigned code, low;
    int failed = hex4(s, &code, err);
    if (failed)
        return failed;
    if (code >= 0xdc00 && code <= 0xdfff)
        return json_stream_fail(s, "half of a surrogate pair", err);
    if (code >= 0xd800 && code <= 0xdbff) {
        if (take(s, err) != '\\' || take(s, err) != 'u')
            return json_stream_fail(s, "half of a surrogate pair", err);
        failed = hex4(s, &low, err);
        if (failed)
            return failed;
        if (low < 0xdc00 || low > 0xdfff)
            return json_stream_fail(s, "half of a surrogate pair", err);
        code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
    }
    return put_utf8(s, code, err);
}

/* Behind the opening quote. */
static int string(struct json_stream *s, struct jobq_error *err)
{
    s->text_len = 0;
    for (;;) {
        int c = take(s, err), failed;
        if (c == '"')
            break;
        if (c < 0x20)
            return wrong(s, c, err);
        failed = c == '\\' ? escape(s, err) : put(s, c, err);
        if (failed)
            return failed;
    }
    s->text[s->text_len] = '\0';
    return JOBQ_OK;
}

static int digits(struct json_stream *s, struct jobq_error *err)
{
    int c = peek(s, err);
    if (c < '0' || c > '9')
        return wrong(s, c, err);
    while (c >= '0' && c <= '9') {
        int failed = put(s, take(s, err), err);
        if (failed)
            return failed;
        c = peek(s, err);
    }
    return c == READ_FAILED ? err->code : JOBQ_OK;
}

/* -?(0|[1-9][0-9]*)(.[0-9]+)?([eE][+-]?[0-9]+)? */
static int number(struct json_stream *s, struct jobq_error *err)
{
    int failed = JOBQ_OK;
    s->text_len = 0;
    if (peek(s, err) == '-')
        failed = put(s, take(s, err), err);
    if (!failed && peek(s, err) == '0')
        failed = put(s, take(s, err), err);
    else if (!failed)
        failed = digits(s, err);
    if (!failed && peek(s, err) == '.') {
        failed = put(s, take(s, err), err);
        if (!failed)
            failed = digits(s, err);
    }
    int c = failed ? 0 : peek(s, err);
    if (c == 'e' || c == 'E') {
        failed = put(s, take(s, err), err);
        c = peek(s, err);
        if (!failed && (c == '+' || c == '-'))
            failed = put(s, take(s, err), err);
        if (!failed)
            failed = digits(s, err);
    }
    s->text[s->text_len] = '\0';
    return failed;
}

static int word(struct json_stream *s, struct jobq_error *err)
{
    int c = peek(s, err), failed;
    const char *text = c == 't' ? "true" : c == 'f' ? "false" : "null";
    s->text_len = 0;
    for (const char *p = text; *p; p++) {
        c = take(s, err);
        if (c != *p)
            return wrong(s, c, err);
        failed = put(s, c, err);
        if (failed)
            return failed;
    }
    s->text[s->text_len] = '\0';
    return JOBQ_OK;
}

/* ---- the grammar ---------------------------------------------------------------------- */

static int after_value(struct json_stream *s)
{
    s->expect = s->depth ? EXPECT_COMMA : EXPECT_NOTHING;
    return JOBQ_OK;
}

static int open_level(struct json_stream *s, bool object, struct jobq_error *err)
{
    if (s->depth == JSON_STREAM_DEPTH_MAX)
        return jobq_fail(err, JOBQ_LIMIT, "%s:%lld: nested deeper than %d", s->name,
                         (long long)s->line, JSON_STREAM_DEPTH_MAX);
    s->in_object[s->depth++] = object;
    s->expect = object ? EXPECT_FIRST_KEY : EXPECT_FIRST_VALUE;
    return object ? JSON_STREAM_OBJECT : JSON_STREAM_ARRAY;
}

static int close_level(struct json_stream *s, int c, struct jobq_error *err)
{
    if (!s->depth || s->in_object[s->depth - 1] != (c == '}'))
        return wrong(s, c, err);
    s->depth--;
    after_value(s);
    return c == '}' ? JSON_STREAM_OBJECT_END : JSON_STREAM_ARRAY_END;
}

static int skip_blanks(struct json_stream *s, struct jobq_error *err)
{
    int c = peek(s, err);
    while (c == ' ' || c == '\n' || c == '\r' || c == '\t') {
        take(s, err);
        c = peek(s, err);
    }
    return c;
}

static int key(struct json_stream *s, int c, struct jobq_error *err)
{
    if (c != '"')
        return wrong(s, c, err);
    take(s, err);
    int failed = string(s, err);
    if (failed)
        return failed;
    c = skip_blanks(s, err);
    if (c != ':')
        return wrong(s, c, err);
    take(s, err);
    s->expect = EXPECT_VALUE;
    return JSON_STREAM_KEY;
}

static int value(struct json_stream *s, int c, struct jobq_error *err)
{
    int failed, token;
    if (c == '{' || c == '[') {
        take(s, err);
        return open_level(s, c == '{', err);
    }
    if (c == '"') {
        take(s, err);
        token = JSON_STREAM_STRING;
        failed = string(s, err);
    } else if (c == '-' || (c >= '0' && c <= '9')) {
        token = JSON_STREAM_NUMBER;
        failed = number(s, err);
    } else if (c == 't' || c == 'f' || c == 'n') {
        token = JSON_STREAM_WORD;
        failed = word(s, err);
    } else {
        return wrong(s, c, err);
    }
    after_value(s);
    return failed ? failed : token;
}

int json_stream_next(struct json_stream *s, struct jobq_error *err)
{
    int c = skip_blanks(s, err);
    if (c == READ_FAILED)
        return err->code;
    if (s->expect == EXPECT_NOTHING)
        return c == AT_END ? (int)JSON_STREAM_END : wrong(s, c, err);
    if (s->expect == EXPECT_COMMA) {
        if (c == '}' || c == ']') {
            take(s, err);
            return close_level(s, c, err);
        }
        if (c != ',')
            return wrong(s, c, err);
        take(s, err);
        s->expect = s->in_object[s->depth - 1] ? EXPECT_KEY : EXPECT_VALUE;
        c = skip_blanks(s, err);
    }
    if ((s->expect == EXPECT_FIRST_KEY && c == '}') ||
        (s->expect == EXPECT_FIRST_VALUE && c == ']')) {
        take(s, err);
        return close_level(s, c, err);
    }
    if (s->expect == EXPECT_FIRST_KEY || s->expect == EXPECT_KEY)
        return key(s, c, err);
    return value(s, c, err);
}

int json_stream_skip(struct json_stream *s, struct jobq_error *err)
{
    int depth = s->depth;
    do {
        int token = json_stream_next(s, err);
        if (token < 0)
            return token;
    } while (s->depth > depth || s->expect == EXPECT_VALUE);
    return JOBQ_OK;
}
