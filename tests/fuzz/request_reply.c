#include "request_reply.h"

#include <jansson.h>
#include <libxml/parser.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HEAD_MAX = 2000, IMDS_TOKEN = 32 };

static struct jobq_str now_read; /* for the message of a failure */

_Noreturn void fuzz_fail(const char *what)
{
    fprintf(stderr, "fuzz_request: %s\n%.*s\n", what,
            (int)(now_read.len < 3000 ? now_read.len : 3000), now_read.ptr);
    abort();
}

/* ---- what every reply must be ------------------------------------------------------------- */

static void check_xml(struct jobq_str body)
{
    xmlDocPtr doc =
        xmlReadMemory(body.ptr, (int)body.len, "reply", NULL,
                      XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
    if (!doc)
        fuzz_fail("a reply that is not XML");
    xmlFreeDoc(doc);
}

static void check_json(struct jobq_str body)
{
    json_t *json = json_loadb(body.ptr, (size_t)body.len, JSON_ALLOW_NUL, NULL);
    if (!json)
        fuzz_fail("a reply that is not JSON");
    json_decref(json);
}

static bool begins(struct jobq_str s, const char *start)
{
    size_t len = strlen(start);
    return (size_t)s.len >= len && memcmp(s.ptr, start, len) == 0;
}

/* The next line of a head, without its end. */
static struct jobq_str take_line(struct jobq_str *rest)
{
    const char *end = memmem(rest->ptr, (size_t)rest->len, "\r\n", 2);
    struct jobq_str line = {rest->ptr, end - rest->ptr};
    for (int64_t i = 0; i < line.len; i++)
        if ((unsigned char)line.ptr[i] < ' ' || (unsigned char)line.ptr[i] > '~')
            fuzz_fail("a head with control characters");
    rest->ptr += line.len + 2;
    rest->len -= line.len + 2;
    return line;
}

/* The length that the head tells; *type is its Content-Type. */
static int64_t read_head(struct jobq_str head, int64_t body_max, struct jobq_str *type)
{
    int64_t length = -1;
    *type = STR("");
    for (;;) {
        struct jobq_str line = take_line(&head);
        if (line.len == 0)
            break;
        const char *colon = memmem(line.ptr, (size_t)line.len, ": ", 2);
        if (!colon || colon == line.ptr ||
            memchr(line.ptr, ' ', (size_t)(colon - line.ptr)))
            fuzz_fail("a header line that is none");
        struct jobq_str value = {colon + 2, line.ptr + line.len - colon - 2};
        if (begins(line, "Content-Type: "))
            *type = value;
        if (!begins(line, "Content-Length: "))
            continue;
        if (length >= 0 || !str_to_int(value, &length) || length < 0)
            fuzz_fail("no one Content-Length");
    }
    if (length < 0)
        fuzz_fail("no Content-Length");
    if (length > body_max)
        fuzz_fail("an unbounded reply");
    return length;
}

static void check_body(int status, struct jobq_str type, struct jobq_str body)
{
    if (str_is(type, "text/xml"))
        check_xml(body);
    else if (str_is(type, "application/json") ||
             (str_is(type, "application/x-amz-json-1.0") &&
              (status != 200 || body.len > 0)))
        check_json(body);
    else if (!begins(type, "text/plain") && !str_is(type, "application/x-amz-json-1.0"))
        fuzz_fail("an unknown Content-Type");
}

/* ---- what later requests hand back -------------------------------------------------------- */

static void keep(struct text *out, struct jobq_str body, const char *before, char end)
{
    for (;;) {
        const char *at = memmem(body.ptr, (size_t)body.len, before, strlen(before));
        if (!at)
            return;
        at += strlen(before);
        body.len -= at - body.ptr;
        body.ptr = at;
        const char *stop = memchr(at, end, (size_t)body.len);
        if (!stop)
            return;
        text_clear(out);
        text_put(out, at, (size_t)(stop - at));
    }
}

static void keep_all(struct reply_reader *reader, struct jobq_str type,
                     struct jobq_str body)
{
    static const struct {
        enum reply_kept what;
        const char *json, *xml;
    } names[] = {{KEPT_RECEIPT, "\"ReceiptHandle\":\"", "<ReceiptHandle>"},
                 {KEPT_TOKEN, "\"NextToken\":\"", "<NextToken>"},
                 {KEPT_TOKEN, "\"NextToken\":\"", "<nextToken>"},
                 {KEPT_TASK, "\"TaskHandle\":\"", "<TaskHandle>"},
                 {KEPT_INSTANCE, "\"instance\":\"", "<instanceId>"}};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        keep(&reader->kept[names[i].what], body, names[i].json, '"');
        keep(&reader->kept[names[i].what], body, names[i].xml, '<');
    }
    if (begins(type, "text/plain") && body.len == IMDS_TOKEN) {
        text_clear(&reader->kept[KEPT_IMDS]);
        text_put_str(&reader->kept[KEPT_IMDS], body);
    }
}

/* ---- reading ------------------------------------------------------------------------------ */

void reply_asked(struct reply_reader *reader, struct jobq_str segment)
{
    size_t len = (size_t)segment.len;
    if (len == 0)
        return;
    reader->faults = reader->faults || memmem(segment.ptr, len, "/_jobq/faults", 13);
    reader->metrics = reader->metrics || memmem(segment.ptr, len, "/metrics", 8);
    reader->head = reader->head || memmem(segment.ptr, len, "HEAD ", 5);
}

/* One reply at the start of rest; how many bytes it took. */
static int64_t read_one(struct reply_reader *reader, struct jobq_str rest)
{
    const char *end = memmem(rest.ptr, (size_t)rest.len, "\r\n\r\n", 4);
    struct jobq_str type, status_text, head = rest;
    int64_t status, head_len = end ? end + 4 - rest.ptr : 0;
    if (!begins(rest, "HTTP/1.1 ") || !end || head_len > HEAD_MAX)
        fuzz_fail("no head of a reply");
    head.len = head_len;
    status_text = take_line(&head);
    status_text.ptr += 9;
    status_text.len = 3;
    if (!str_to_int(status_text, &status) || status < 100 || status > 599)
        fuzz_fail("no status");
    if (status == 100)
        return head_len;
    if (status >= 500 && status != 501 && status != 505 && !reader->faults)
        fuzz_fail("an error of the service's own");
    int64_t length = read_head(head, reader->body_max, &type);
    struct jobq_str body = {rest.ptr + head_len, rest.len - head_len};
    if (reader->head && (body.len == 0 || begins(body, "HTTP/1.1 "))) {
        length = 0; /* the answer to HEAD */
    } else {
        if (body.len < length)
            fuzz_fail("a body shorter than its Content-Length");
        body.len = length;
        check_body((int)status, type, body);
        keep_all(reader, type, body);
    }
    text_put(&reader->log, rest.ptr, (size_t)(head_len + length));
    return head_len + length;
}

void reply_read(struct reply_reader *reader)
{
    struct jobq_str rest = text_str(&reader->got);
    while (rest.len > 0) {
        now_read = rest;
        int64_t used = read_one(reader, rest);
        rest.ptr += used;
        rest.len -= used;
    }
    now_read = (struct jobq_str){NULL, 0};
    text_clear(&reader->got);
}

struct text reply_release(struct reply_reader *reader)
{
    text_release(&reader->got);
    for (int i = 0; i < KEPT_COUNT; i++)
        text_release(&reader->kept[i]);
    return reader->log;
}

/* ---- writing ------------------------------------------------------------------------------ */

/* '.': as it is; a lower-case letter: so many bytes short; a digit: one bit of the byte there
 * flipped; else that character in some place. */
static void put_changed(struct text *out, struct jobq_str kept, char how, bool percent)
{
    struct text changed = {0};
    text_put(&changed, "", 0);
    text_put_str(&changed, kept);
    size_t len = changed.len, at = len ? (unsigned char)how * 31u % len : 0;
    if (how >= 'a' && how <= 'z')
        changed.len = len > (size_t)(how - 'a') ? len - (size_t)(how - 'a') - 1 : 0;
    else if (how >= '0' && how <= '9' && len > 0)
        changed.ptr[at] = (char)(changed.ptr[at] ^ (1 << (how - '0') % 7));
    else if (how != '.' && len > 0)
        changed.ptr[at] = how;
    for (size_t i = 0; i < changed.len; i++) {
        if (percent)
            text_printf(out, "%%%02X", (unsigned char)changed.ptr[i]);
        else
            text_putc(out, changed.ptr[i]);
    }
    text_release(&changed);
}

static void put_length(struct text *out)
{
    char digits[24];
    const char *end = memmem(out->ptr, out->len, "\r\n\r\n", 4);
    char *mark = memmem(out->ptr, out->len, "$C..", 4);
    if (!end || !mark || mark > end)
        return;
    snprintf(digits, sizeof digits, "%4zu", out->len - (size_t)(end + 4 - out->ptr));
    if (strlen(digits) == 4)
        memcpy(mark, digits, 4); /* white space before a value is skipped */
}

void reply_expand(const struct reply_reader *reader, const char *segment, size_t len,
                  struct text *out)
{
    static const char letters[] = "RNTIM";
    text_clear(out);
    for (size_t i = 0; i < len; i++) {
        const char *letter = segment[i] == '$' && i + 3 < len && segment[i + 1]
                                 ? strchr(letters, segment[i + 1])
                                 : NULL;
        if (!letter) {
            text_putc(out, segment[i]);
            continue;
        }
        put_changed(out, text_str(&reader->kept[letter - letters]), segment[i + 3],
                    segment[i + 2] == 'q');
        i += 3;
    }
    if (out->len > 0)
        put_length(out);
}
