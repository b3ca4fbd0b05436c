#include "net/http_parse.h"

#include "base/text.h"

#include <assert.h>
#include <string.h>
#include <strings.h>

/* RFC 9110, 5.6.2: the characters of a token. */
static bool is_token_char(unsigned char c)
{
    if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'))
        return true;
    return c != '\0' && strchr("!#$%&'*+-.^_`|~", c) != NULL;
}

static bool http_is_token(struct jobq_str s)
{
    if (s.len == 0)
        return false;
    for (int64_t i = 0; i < s.len; i++)
        if (!is_token_char((unsigned char)s.ptr[i]))
            return false;
    return true;
}

static bool http_same_name(struct jobq_str a, const char *name)
{
    size_t len = strlen(name);
    return (size_t)a.len == len && strncasecmp(a.ptr, name, len) == 0;
}

struct jobq_str http_header(const struct http_request *request, const char *name)
{
    for (int i = 0; i < request->header_count; i++)
        if (http_same_name(request->header[i].name, name))
            return request->header[i].value;
    return (struct jobq_str){NULL, 0};
}

/* Takes the line up to the next "\r\n" off *rest. False: it contains a bare CR, LF or
 * NUL. */
static bool http_take_line(struct jobq_str *rest, struct jobq_str *line)
{
    const char *end = memchr(rest->ptr, '\r', (size_t)rest->len);
    if (!end || end + 1 >= rest->ptr + rest->len || end[1] != '\n')
        return false;
    *line = (struct jobq_str){rest->ptr, end - rest->ptr};
    if (memchr(line->ptr, '\n', (size_t)line->len) ||
        memchr(line->ptr, '\0', (size_t)line->len))
        return false;
    rest->len -= line->len + 2;
    rest->ptr = end + 2;
    return true;
}

static int parse_request_line(struct jobq_str line, struct http_request *out)
{
    const char *space = memchr(line.ptr, ' ', (size_t)line.len);
    if (!space)
        return 400;
    out->method = (struct jobq_str){line.ptr, space - line.ptr};
    const char *target = space + 1, *end = line.ptr + line.len;
    const char *second = memchr(target, ' ', (size_t)(end - target));
    if (!second || !http_is_token(out->method))
        return 400;
    out->target = (struct jobq_str){target, second - target};
    struct jobq_str version = {second + 1, end - second - 1};
    for (int64_t i = 0; i < out->target.len; i++)
        if ((unsigned char)out->target.ptr[i] <= ' ' || out->target.ptr[i] == 0x7f)
            return 400;
    if (out->target.len == 0 || (out->target.ptr[0] != '/' && !str_is(out->target, "*")))
        return 400;
    if (str_is(version, "HTTP/1.1"))
        out->keep_alive = true;
    else if (!str_is(version, "HTTP/1.0"))
        return version.len == 8 && memcmp(version.ptr, "HTTP/", 5) == 0 ? 505 : 400;
    const char *question = memchr(out->target.ptr, '?', (size_t)out->target.len);
    out->path = out->target;
    out->query = (struct jobq_str){end, 0};
    if (question) {
        out->path.len = question - out->target.ptr;
        out->query = (struct jobq_str){question + 1, out->target.len - out->path.len - 1};
    }
    return 0;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* True if the comma-separated list contains the word, ignoring case. */
static bool has_word(struct jobq_str value, const char *word)
{
    while (value.len > 0) {
        const char *comma = memchr(value.ptr, ',', (size_t)value.len);
        struct jobq_str part = {value.ptr, comma ? comma - value.ptr : value.len};
        value.ptr += comma ? part.len + 1 : part.len;
        value.len -= comma ? part.len + 1 : part.len;
        while (part.len > 0 && is_blank(part.ptr[0]))
            part.ptr++, part.len--;
        while (part.len > 0 && is_blank(part.ptr[part.len - 1]))
            part.len--;
        if (http_same_name(part, word))
            return true;
    }
    return false;
}

static int parse_header(struct jobq_str line, struct http_header *out)
{
    const char *colon = memchr(line.ptr, ':', (size_t)line.len);
    if (!colon)
        return 400;
    out->name = (struct jobq_str){line.ptr, colon - line.ptr};
    if (!http_is_token(out->name))
        return 400;
    struct jobq_str value = {colon + 1, line.len - out->name.len - 1};
    while (value.len > 0 && is_blank(value.ptr[0]))
        value.ptr++, value.len--;
    while (value.len > 0 && is_blank(value.ptr[value.len - 1]))
        value.len--;
    out->value = value;
    return 0;
}

/* Reads the body's length from the headers. */
static int parse_framing(struct http_request *out)
{
    int lengths = 0, codings = 0;
    for (int i = 0; i < out->header_count; i++) {
        struct http_header *h = &out->header[i];
        if (http_same_name(h->name, "content-length")) {
            if (h->value.len == 0 || h->value.ptr[0] == '-' ||
                !str_to_int(h->value, &out->content_length) || out->content_length < 0)
                return 400;
            lengths++;
        } else if (http_same_name(h->name, "transfer-encoding")) {
            if (!http_same_name(h->value, "chunked"))
                return 501;
            out->chunked = true;
            codings++;
        } else if (http_same_name(h->name, "connection")) {
            if (has_word(h->value, "close"))
                out->keep_alive = false;
        } else if (http_same_name(h->name, "expect")) {
            out->expects_continue = http_same_name(h->value, "100-continue");
        }
    }
    return lengths + codings > 1 ? 400 : 0;
}

int http_parse_head(const char *bytes, int64_t len, struct http_request *out)
{
    assert(bytes && len > 0 && out);
    struct jobq_str rest = {bytes, len}, line;
    out->header_count = 0;
    out->keep_alive = out->chunked = out->expects_continue = false;
    out->content_length = 0;
    out->wire_bytes = len;
    if (!http_take_line(&rest, &line))
        return 400;
    int status = parse_request_line(line, out);
    if (status)
        return status;
    out->body = (struct jobq_str){bytes + len, 0};
    for (;;) {
        if (!http_take_line(&rest, &line))
            return 400;
        if (line.len == 0)
            break;
        if (out->header_count == HTTP_HEADERS_MAX)
            return 431;
        status = parse_header(line, &out->header[out->header_count]);
        if (status)
            return status;
        out->header_count++;
    }
    if (rest.len != 0)
        return 400;
    return parse_framing(out);
}

static int http_hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

/* One chunk's size line at bytes[at..len). Returns 1 with *size and *next set, 0 for more
 * bytes, or a status. Extensions are skipped. */
static int chunk_size(const char *bytes, int64_t at, int64_t len, int64_t *size,
                      int64_t *next)
{
    int64_t i = at, value = 0;
    for (; i < len && http_hex_digit(bytes[i]) >= 0; i++) {
        if (i - at >= 8)
            return 400;
        value = value * 16 + http_hex_digit(bytes[i]);
    }
    if (i == len)
        return 0;
    if (i == at || (bytes[i] != '\r' && bytes[i] != ';' && !is_blank(bytes[i])))
        return 400;
    const char *lf = memchr(bytes + i, '\n', (size_t)(len - i));
    if (!lf)
        return len - i > 1024 ? 400 : 0;
    if (lf[-1] != '\r')
        return 400;
    *size = value;
    *next = lf - bytes + 1;
    return 1;
}

/* The trailer after the last chunk: header lines, which are ignored, then an empty line.
 * *at advances past each line. */
static int chunk_trailer(const char *bytes, int64_t *at, int64_t len)
{
    for (;;) {
        const char *lf = memchr(bytes + *at, '\n', (size_t)(len - *at));
        if (!lf)
            return len - *at > 8192 ? 400 : 0;
        if (lf == bytes + *at || lf[-1] != '\r')
            return 400;
        int64_t line = lf - 1 - (bytes + *at);
        *at = lf - bytes + 1;
        if (line == 0)
            return 1;
    }
}

/* As http_parse_chunked, but leaves the bytes as they are. */
static int see_chunks(const char *bytes, int64_t len, int64_t body_max,
                      struct http_chunks *seen)
{
    while (!seen->trailer) {
        int64_t size, next;
        int status = chunk_size(bytes, seen->at, len, &size, &next);
        if (status != 1)
            return status;
        if (seen->content + size > body_max)
            return 413;
        if (size == 0) {
            seen->trailer = true;
            seen->at = next;
            break;
        }
        if (len - next < size + 2)
            return 0;
        if (bytes[next + size] != '\r' || bytes[next + size + 1] != '\n')
            return 400;
        seen->at = next + size + 2;
        seen->content += size;
    }
    return chunk_trailer(bytes, &seen->at, len);
}

int http_parse_chunked(char *bytes, int64_t len, int64_t body_max,
                       struct http_chunks *seen, int64_t *body_len, int64_t *used)
{
    assert(body_max >= 0 && seen && body_len && used);
    int64_t size, next, to = 0;
    int status = see_chunks(bytes, len, body_max, seen);
    if (status != 1)
        return status;
    for (int64_t at = 0; chunk_size(bytes, at, len, &size, &next) == 1 && size > 0;
         at = next + size + 2) {
        memmove(bytes + to, bytes + next, (size_t)size);
        to += size;
    }
    *body_len = to;
    *used = seen->at;
    return 1;
}

const char *http_status_text(int status)
{
    static const struct {
        int status;
        const char *text;
    } known[] = {
        {100, "Continue"},
        {200, "OK"},
        {202, "Accepted"},
        {204, "No Content"},
        {302, "Found"},
        {303, "See Other"},
        {304, "Not Modified"},
        {400, "Bad Request"},
        {401, "Unauthorized"},
        {403, "Forbidden"},
        {404, "Not Found"},
        {405, "Method Not Allowed"},
        {408, "Request Timeout"},
        {409, "Conflict"},
        {413, "Content Too Large"},
        {415, "Unsupported Media Type"},
        {421, "Misdirected Request"},
        {429, "Too Many Requests"},
        {431, "Request Header Fields Too Large"},
        {500, "Internal Server Error"},
        {501, "Not Implemented"},
        {503, "Service Unavailable"},
        {505, "HTTP Version Not Supported"},
    };
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (known[i].status == status)
            return known[i].text;
    return "Unknown";
}
