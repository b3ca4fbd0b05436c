/* http_parse.h - the head of an HTTP/1.1 request, and its body's length.
 *
 * Room:     src/net, a tool.
 * Callers:  http_server.c, tests and fuzzers.
 * Knows nothing of: sockets, AWS.
 * Blocks:   never.
 *
 * Pure: bytes in, views out. Written after RFC 9112; what is ambiguous there (bare LF
 * line ends, obsolete folding, a Content-Length beside a Transfer-Encoding, two lengths)
 * is refused, because it is what request smuggling is made of. */
#ifndef JOBQ_NET_HTTP_PARSE_H
#define JOBQ_NET_HTTP_PARSE_H

#include "jobq/ports.h"

#include <stdbool.h>

#define HTTP_HEADERS_MAX 64

struct http_header {
    struct jobq_str name;  /* as the client spelled it */
    struct jobq_str value; /* without white space around it */
};

struct http_request {
    struct jobq_str method; /* "GET" */
    struct jobq_str target; /* "/path?query", as sent */
    struct jobq_str path;   /* the part before '?', not decoded */
    struct jobq_str query;  /* the part behind it; empty if none */
    struct jobq_str body;
    int64_t wire_bytes; /* head and body as they came */
    int32_t header_count;
    bool keep_alive;
    bool chunked;           /* the body came in chunks */
    bool expects_continue;  /* waits for "100 Continue" */
    int64_t content_length; /* 0 if absent or chunked */
    struct http_header header[HTTP_HEADERS_MAX];
};

/* The value of a header, whose name is compared ignoring case; {NULL, 0} if absent. If
 * there are several, the first. */
struct jobq_str http_header(const struct http_request *request, const char *name);

/* Reads a head that ends in an empty line: bytes[0..len) with "\r\n\r\n" as its last
 * four. Returns 0 with *out filled (body empty, views into bytes), or the HTTP status to
 * refuse it with: 400, 431 (too many headers), 501 (a transfer coding), 505 (a
 * version). */
int http_parse_head(const char *bytes, int64_t len, struct http_request *out);

/* How far a chunked body has been read. Zero it for a new one. */
struct http_chunks {
    int64_t at;      /* chunks and trailer lines before this offset are complete */
    int64_t content; /* of those chunks */
    bool trailer;
};

/* Unwraps a chunked body in place, once it is whole. *used is how many of the bytes
 * belong to it. Returns 1 when it is whole (*body_len bytes of content at bytes), 0 when
 * more must come, else the status to refuse it with: 400, 413 (content past body_max).
 * While 0 no byte is changed; call again with the same bytes and more behind them, and
 * what *seen covers is not parsed again. */
int http_parse_chunked(char *bytes, int64_t len, int64_t body_max,
                       struct http_chunks *seen, int64_t *body_len, int64_t *used);

/* "OK", "Bad Request", ...; "Unknown" for others. Static storage. */
const char *http_status_text(int status);

#endif
