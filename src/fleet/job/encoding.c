/* encoding.c - a job as bytes that SQS, every store and XML carry unharmed. See job.h.
 *
 * Room:     src/fleet, the product. Pure.
 * Callers:  as job.h.
 * Knows nothing of: ports.
 *
 * SQS takes #x9 | #xA | #xD | #x20-#xD7FF | #xE000-#xFFFD | #x10000-#x10FFFF in UTF-8
 * (SendMessage, API reference), XML 1.0 the same and turns #xD into #xA; so everything
 * below 0x20 is escaped, and the line feeds left are our own. */
#include "base/arena.h"
#include "base/text.h"
#include "fleet/job/job.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

/* Length of the UTF-8 character at p (>= 0x80) if SQS takes it, else 0. */
static int encoding_utf8_bytes(const char *p, int64_t left)
{
    int bytes = text_utf8_bytes(p, left);
    if (bytes == 3 && memcmp(p, "\xef\xbf", 2) == 0 && (unsigned char)p[2] >= 0xbe)
        return 0; /* U+FFFE, U+FFFF */
    return bytes;
}

static bool is_plain(unsigned char c, bool in_name)
{
    return c >= 0x20 && c < 0x7f && c != '%' && !(in_name && c == '=');
}

int64_t job_escape(struct jobq_str raw, bool in_name, char *out)
{
    static const char HEX[] = "0123456789ABCDEF";
    const unsigned char *p = (const unsigned char *)raw.ptr;
    int64_t plain = 0;
    while (plain < raw.len && is_plain(p[plain], in_name))
        plain++;
    if (out && plain > 0)
        memcpy(out, p, (size_t)plain);
    int64_t written = plain;
    for (int64_t i = plain; i < raw.len;) {
        int take = is_plain(p[i], in_name) ? 1 : 0;
        if (!take && p[i] >= 0x80)
            take = encoding_utf8_bytes(raw.ptr + i, raw.len - i);
        if (take) {
            if (out)
                memcpy(out + written, p + i, (size_t)take);
            written += take;
            i += take;
            continue;
        }
        if (out) {
            out[written] = '%';
            out[written + 1] = HEX[p[i] >> 4];
            out[written + 2] = HEX[p[i] & 15];
        }
        written += 3;
        i++;
    }
    return written;
}

static int hex_value(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
                                  : -1;
}

int64_t job_unescape(struct jobq_str raw, char *out)
{
    int64_t written = 0;
    for (int64_t i = 0; i < raw.len; i++) {
        char c = raw.ptr[i];
        if (c == '%' && i + 2 < raw.len) {
            int high = hex_value(raw.ptr[i + 1]), low = hex_value(raw.ptr[i + 2]);
            if (high >= 0 && low >= 0) {
                c = (char)(high << 4 | low);
                i += 2;
            }
        }
        out[written++] = c;
    }
    return written;
}

/* ---- writing ------------------------------------------------------------------------- */

/* The words of a job's own limits, and where each is kept. */
static const struct limit_word {
    struct jobq_str word;
    size_t at;
} LIMITS[] = {
    {{"attempts=", 9}, offsetof(struct job_limits, attempts)},
    {{"limit=", 6}, offsetof(struct job_limits, time_limit_ns)},
    {{"backoff=", 8}, offsetof(struct job_limits, backoff_ns)},
};
enum { LIMIT_WORDS = sizeof LIMITS / sizeof LIMITS[0] };

static int64_t *limit_at(struct job_limits *limits, int word)
{
    return (int64_t *)((char *)limits + LIMITS[word].at);
}

static char *write_limits(struct job_limits limits, char *p)
{
    for (int i = 0; i < LIMIT_WORDS; i++) {
        int64_t *value = limit_at(&limits, i);
        if (value == &limits.backoff_ns ? !limits.has_backoff : *value == 0)
            continue;
        *p++ = ' ';
        memcpy(p, LIMITS[i].word.ptr, (size_t)LIMITS[i].word.len);
        p += LIMITS[i].word.len;
        p += text_write_int(p, *value);
    }
    return p;
}

static int write_head(const struct job_spec *spec, char *out)
{
    struct jobq_str kind = job_kind_str(spec->kind);
    memcpy(out, kind.ptr, (size_t)kind.len);
    out[kind.len] = ' ';
    char *p = out + kind.len + 1;
    p += text_write_int(p, spec->number);
    return (int)(write_limits(spec->limits, p) - out);
}

int job_head_bytes(const struct job_spec *spec)
{
    char limits[JOB_HEAD_MAX];
    return (int)(job_kind_str(spec->kind).len + 1 + text_int_bytes(spec->number) +
                 (write_limits(spec->limits, limits) - limits));
}

int job_limits_check(const struct job_limits *limits, struct jobq_error *err)
{
    if (limits->attempts < 0 || limits->attempts > JOB_ATTEMPTS_MAX)
        return jobq_fail(err, JOBQ_LIMIT, "%lld attempts are not in 1..%d",
                         (long long)limits->attempts, JOB_ATTEMPTS_MAX);
    if (limits->time_limit_ns != 0 && (limits->time_limit_ns < JOB_TIME_LIMIT_MIN_NS ||
                                       limits->time_limit_ns > JOB_VISIBILITY_MAX_NS))
        return jobq_fail(err, JOBQ_LIMIT, "a job's time limit is not in '1ms'..'12h'");
    if (limits->backoff_ns < 0 || limits->backoff_ns > JOB_BACKOFF_MAX_NS)
        return jobq_fail(err, JOBQ_LIMIT, "a job's back-off is not in '0s'..'15min'");
    return JOBQ_OK;
}

int64_t job_encoded_bytes(const struct job_spec *spec, int64_t *out_phantom)
{
    int64_t bytes = job_head_bytes(spec);
    *out_phantom = 0;
    for (int i = 0; i < spec->pair_count; i++) {
        const struct job_pair *pair = &spec->pair[i];
        bytes += 2 + job_escape(pair->name, true, NULL);
        if (pair->value.ptr) {
            bytes += job_escape(pair->value, false, NULL);
        } else {
            *out_phantom += pair->value.len;
            bytes += pair->value.len;
        }
    }
    return bytes;
}

static char *write_pair(const struct job_pair *pair, char *out)
{
    *out++ = '\n';
    out += job_escape(pair->name, true, out);
    *out++ = '=';
    if (pair->value.ptr)
        out += job_escape(pair->value, false, out);
    return out;
}

int64_t job_encode(const struct job_spec *spec, char *out)
{
    char *p = out + write_head(spec, out);
    const struct job_pair *last = NULL;
    for (int i = 0; i < spec->pair_count; i++) {
        if (!spec->pair[i].value.ptr && spec->pair[i].value.len > 0)
            last = &spec->pair[i];
        else
            p = write_pair(&spec->pair[i], p);
    }
    if (last)
        p = write_pair(last, p);
    return p - out;
}

int job_encode_stored(const struct job_spec *spec, char *out)
{
    int len = write_head(spec, out);
    memcpy(out + len, " store", 6);
    return len + 6;
}

/* ---- reading ------------------------------------------------------------------------- */

/* Cuts the text up to `stop` (or the end) from the front of *rest. */
static struct jobq_str cut(struct jobq_str *rest, char stop)
{
    const char *at = memchr(rest->ptr, stop, (size_t)rest->len);
    struct jobq_str word = {rest->ptr, at ? at - rest->ptr : rest->len};
    int64_t taken = at ? word.len + 1 : word.len;
    rest->ptr += taken;
    rest->len -= taken;
    return word;
}

static int not_a_job(struct jobq_str body, struct jobq_error *err)
{
    char shown[80];
    text_escape(body.ptr, body.len, shown, sizeof shown);
    return jobq_fail(err, JOBQ_CORRUPT, "message '%s' is not a job", shown);
}

/* Reads the words behind the number. False: one of them is none of ours. */
static bool read_words(struct jobq_str line, struct job_body *out)
{
    struct jobq_error ignored;
    out->limits = (struct job_limits){0};
    out->stored = false;
    while (line.len > 0) {
        struct jobq_str word = cut(&line, ' ');
        int i = 0;
        if (str_is(word, "store")) {
            out->stored = true;
            continue;
        }
        while (i < LIMIT_WORDS && !str_starts(word, LIMITS[i].word))
            i++;
        if (i == LIMIT_WORDS)
            return false;
        int64_t *value = limit_at(&out->limits, i), taken = LIMITS[i].word.len;
        if (!str_to_int((struct jobq_str){word.ptr + taken, word.len - taken}, value))
            return false;
        out->limits.has_backoff |= value == &out->limits.backoff_ns;
    }
    return job_limits_check(&out->limits, &ignored) == JOBQ_OK;
}

int job_encoded_read(struct jobq_str encoded, int64_t phantom_bytes, struct job_body *out,
                     struct jobq_error *err)
{
    if (!encoded.ptr)
        return jobq_fail(err, JOBQ_CORRUPT, "a job without bytes");
    struct jobq_str pairs = encoded;
    struct jobq_str line = cut(&pairs, '\n');
    struct jobq_str kind = cut(&line, ' ');
    struct jobq_str number = cut(&line, ' ');
    out->id = (struct jobq_str){NULL, 0};
    out->pairs = pairs;
    out->phantom_bytes = phantom_bytes;
    if (!job_kind_parse(kind, &out->kind) || !str_to_int(number, &out->number) ||
        out->number < 0 || !read_words(line, out))
        return not_a_job(encoded, err);
    return JOBQ_OK;
}

int job_body_read(struct jobq_str body, int64_t phantom_bytes, struct job_body *out,
                  struct jobq_error *err)
{
    if (!body.ptr || body.len == 0)
        return jobq_fail(err, JOBQ_CORRUPT, "empty message");
    struct jobq_str rest = body;
    struct jobq_str id = cut(&rest, ' ');
    struct jobq_error inner;
    if (job_id_parse(id, &out->id_parts, &inner) < 0 ||
        job_encoded_read(rest, phantom_bytes, out, &inner) < 0)
        return not_a_job(body, err);
    out->id = id;
    return JOBQ_OK;
}

static struct jobq_str unescaped(struct jobq_str raw, struct arena *arena)
{
    char *bytes = arena_alloc(arena, (size_t)raw.len + 1);
    int64_t len = job_unescape(raw, bytes);
    bytes[len] = '\0';
    return (struct jobq_str){bytes, len};
}

bool job_pair_next(const struct job_body *body, int64_t *at, struct arena *arena,
                   struct job_pair *out)
{
    if (*at >= body->pairs.len)
        return false;
    struct jobq_str rest = {body->pairs.ptr + *at, body->pairs.len - *at};
    int64_t before = rest.len;
    struct jobq_str line = cut(&rest, '\n');
    *at += before - rest.len;
    struct jobq_str name = cut(&line, '=');
    out->name = unescaped(name, arena);
    bool phantom = body->phantom_bytes > 0 && *at >= body->pairs.len;
    out->value =
        phantom ? (struct jobq_str){NULL, body->phantom_bytes} : unescaped(line, arena);
    return true;
}

struct jobq_str job_stdin(const struct job_body *body, struct arena *arena)
{
    if (body->phantom_bytes > 0)
        return (struct jobq_str){NULL, body->pairs.len + body->phantom_bytes};
    struct job_pair pair;
    int64_t at = 0;
    bool one = job_pair_next(body, &at, arena, &pair) && at >= body->pairs.len;
    return one && str_is(pair.name, "payload") ? pair.value : body->pairs;
}

int job_pieces(int64_t encoded_bytes)
{
    int64_t pieces = (encoded_bytes + JOB_PIECE_BYTES - 1) / JOB_PIECE_BYTES;
    return pieces < 1 ? 1 : (int)pieces;
}
