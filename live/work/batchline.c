#include "live/work/batchline.h"

#include "base/arena.h"
#include "base/text.h"

#include <jansson.h>
#include <stdio.h>

static bool blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

static int split(struct jobq_str word, struct job_pair *out, struct jobq_error *err)
{
    char shown[80];
    const char *equals = word.len ? memchr(word.ptr, '=', (size_t)word.len) : NULL;
    if (!equals || equals == word.ptr) {
        text_escape(word.ptr, word.len, shown, sizeof shown);
        return jobq_fail(err, JOBQ_INVALID, "'%s' is not key=value", shown);
    }
    out->name = (struct jobq_str){word.ptr, equals - word.ptr};
    out->value = (struct jobq_str){equals + 1, word.ptr + word.len - equals - 1};
    return JOBQ_OK;
}

int batchline_word(const char *word, struct job_pair *out, struct jobq_error *err)
{
    return split(str_of(word), out, err);
}

/* One word from *at on, its quotes taken off, into out (which has room). */
static int take_word(struct jobq_str line, int64_t *at, char *out, int64_t *len,
                     struct jobq_error *err)
{
    int64_t i = *at, n = 0;
    char quote = 0;
    for (; i < line.len && (quote || !blank(line.ptr[i])); i++) {
        char c = line.ptr[i];
        if (quote == '\'' ? c == '\'' : c == '"' && quote) {
            quote = 0;
        } else if (!quote && (c == '\'' || c == '"')) {
            quote = c;
        } else if (c == '\\' && quote != '\'') {
            bool keeps = quote && i + 1 < line.len && line.ptr[i + 1] != '\\' &&
                         line.ptr[i + 1] != '"';
            if (i + 1 == line.len)
                return jobq_fail(err, JOBQ_INVALID, "line ends in a backslash");
            if (keeps)
                out[n++] = c;
            else
                out[n++] = line.ptr[++i];
        } else {
            out[n++] = c;
        }
    }
    if (quote)
        return jobq_fail(err, JOBQ_INVALID, "quote %c is not closed", quote);
    *at = i;
    *len = n;
    return JOBQ_OK;
}

static int read_words(struct jobq_str line, struct arena *arena, struct job_pair *out,
                      int cap, struct jobq_error *err)
{
    int count = 0;
    char *bytes = arena_alloc(arena, (size_t)line.len + 1);
    for (int64_t at = 0; at < line.len;) {
        if (blank(line.ptr[at])) {
            at++;
            continue;
        }
        int64_t len = 0;
        int rc = take_word(line, &at, bytes, &len, err);
        if (rc < 0)
            return rc;
        if (count == cap)
            return jobq_fail(err, JOBQ_LIMIT, "job has more than '%d' pairs", cap);
        rc = split((struct jobq_str){bytes, len}, &out[count++], err);
        if (rc < 0)
            return rc;
        bytes += len;
    }
    return count;
}

static int json_value(const json_t *value, const char *key, struct arena *arena,
                      struct jobq_str *out, struct jobq_error *err)
{
    char number[64], shown[80];
    switch (json_typeof(value)) {
    case JSON_STRING:
        *out = arena_str(arena, (struct jobq_str){json_string_value(value),
                                                  (int64_t)json_string_length(value)});
        return JOBQ_OK;
    case JSON_INTEGER:
        snprintf(number, sizeof number, "%lld", (long long)json_integer_value(value));
        *out = arena_str(arena, str_of(number));
        return JOBQ_OK;
    case JSON_REAL: {
        struct text text = {0};
        text_put_double(&text, json_real_value(value));
        *out = arena_str(arena, text_str(&text));
        text_release(&text);
        return JOBQ_OK;
    }
    case JSON_TRUE:
    case JSON_FALSE:
        *out = json_is_true(value) ? STR("true") : STR("false");
        return JOBQ_OK;
    case JSON_OBJECT:
    case JSON_ARRAY:
    case JSON_NULL:
    default:
        text_escape(key, (int64_t)strlen(key), shown, sizeof shown);
        return jobq_fail(err, JOBQ_INVALID,
                         "value of '%s' is no string, number or boolean", shown);
    }
}

static int read_json(struct jobq_str line, struct arena *arena, struct job_pair *out,
                     int cap, struct jobq_error *err)
{
    json_error_t e;
    json_t *root = json_loadb(line.ptr, (size_t)line.len,
                              JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &e);
    if (!root)
        return jobq_fail(err, JOBQ_INVALID, "no JSON object: %.120s", e.text);
    int count = 0, rc = JOBQ_OK;
    const char *key;
    json_t *value;
    json_object_foreach(root, key, value)
    {
        if (count == cap)
            rc = jobq_fail(err, JOBQ_LIMIT, "job has more than '%d' pairs", cap);
        if (rc == JOBQ_OK)
            rc = json_value(value, key, arena, &out[count].value, err);
        if (rc < 0)
            break;
        out[count++].name = arena_str(arena, str_of(key));
    }
    json_decref(root);
    return rc < 0 ? rc : count;
}

int batchline_read(struct jobq_str line, struct arena *arena, struct job_pair *out,
                   int cap, struct jobq_error *err)
{
    while (line.len && blank(line.ptr[0])) {
        line.ptr++;
        line.len--;
    }
    if (!line.len || line.ptr[0] == '#')
        return 0;
    return line.ptr[0] == '{' ? read_json(line, arena, out, cap, err)
                              : read_words(line, arena, out, cap, err);
}
