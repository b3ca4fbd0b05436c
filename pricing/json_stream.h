/* json_stream.h - JSON of any size, token by token, in constant memory.
 *
 * Room:     pricing, facts.
 * Callers:  import_json.c, its fuzzer.
 * Knows nothing of: what the document means. Reads through a function; no I/O of its own.
 *
 * The whole grammar of RFC 8259 is checked as it goes by: a malformed document fails at the
 * first wrong byte, with its line. Memory is one buffer of 64 KiB for reading, one for the
 * longest string, and one bit a level of nesting. */
#ifndef JOBQ_PRICING_JSON_STREAM_H
#define JOBQ_PRICING_JSON_STREAM_H

#include "jobq/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define JSON_STREAM_BUFFER 65536
#define JSON_STREAM_TEXT_MAX 65536 /* of a string or a number */
#define JSON_STREAM_DEPTH_MAX 64

enum json_token {
    JSON_STREAM_END, /* of the document; nothing but blanks follow */
    JSON_STREAM_OBJECT,
    JSON_STREAM_OBJECT_END,
    JSON_STREAM_ARRAY,
    JSON_STREAM_ARRAY_END,
    JSON_STREAM_KEY,    /* text */
    JSON_STREAM_STRING, /* text */
    JSON_STREAM_NUMBER, /* text, as written */
    JSON_STREAM_WORD    /* text: true, false, null */
};

/* Fills out with up to cap bytes; *got 0 is the end. */
typedef int json_stream_read_fn(void *ctx, char *out, size_t cap, size_t *got,
                                struct jobq_error *err);

struct json_stream;

/* name stands for the document in errors ("NAME:LINE: ..."). Owner: the caller frees. */
struct json_stream *json_stream_new(json_stream_read_fn *read, void *ctx,
                                    const char *name);
void json_stream_free(struct json_stream *stream);

/* The next token. Returns the token (>= 0), or INVALID (malformed), LIMIT (a string or the
 * nesting too large), or what read failed with. */
int json_stream_next(struct json_stream *stream, struct jobq_error *err);
/* Text of the last KEY, STRING, NUMBER or WORD: terminated, escapes undone, good until the
 * next call. A string may hold zero bytes: they end it here. */
const char *json_stream_text(const struct json_stream *stream);
/* Reads to the end of the value that begins with the next token. */
int json_stream_skip(struct json_stream *stream, struct jobq_error *err);
int64_t json_stream_line(const struct json_stream *stream);
/* "NAME:LINE: text" as INVALID, for faults of meaning at this place. */
int json_stream_fail(const struct json_stream *stream, const char *what,
                     struct jobq_error *err);

#endif
