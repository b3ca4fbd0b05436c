/* text.h - building and reading bytes.
 *
 * Room:     src/base, a tool.
 * Callers:  anyone.
 * Knows nothing of: encodings of AWS (src/wire).
 *
 * The number writers do not use printf, which depends on the locale and is slower. */
#ifndef JOBQ_BASE_TEXT_H
#define JOBQ_BASE_TEXT_H

#include "jobq/ports.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* A growing buffer; always terminated once something was put. Zero it to init. Past
 * TEXT_MAX it aborts: check the length of untrusted input first. */
struct text {
    char *ptr;
    size_t len, cap;
};
#define TEXT_MAX ((size_t)1 << 31)

void text_release(struct text *text);
void text_clear(struct text *text); /* keeps the memory */
void text_put(struct text *text, const char *bytes, size_t len);
void text_puts(struct text *text, const char *cstr);
void text_putc(struct text *text, char c);
void text_put_str(struct text *text, struct jobq_str s); /* a phantom puts 'x's */
void text_put_int(struct text *text, int64_t value);
/* Shortest decimal that reads back as the same double; "." whatever the locale. */
void text_put_double(struct text *text, double value);
/* As printf. Avoid %f, %g and %e: they depend on the locale. */
void text_printf(struct text *text, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Appends the bytes with unprintable ones as \xHH, for messages. */
void text_put_escaped(struct text *text, const char *bytes, size_t len);

/* The bytes of the UTF-8 character that starts at `bytes` (1 to 4), or 0 if it is malformed.
 * left: how many bytes there are, at least 1. */
int text_utf8_bytes(const char *bytes, int64_t left);
/* A JSON string, quotes included: UTF-8 stays as it is, and each byte that is none becomes
 * U+FFFD, since a reader refuses anything else. A phantom puts 'x's. */
void text_put_json(struct text *text, struct jobq_str s);
/* How many bytes that puts between the quotes. */
int64_t text_json_bytes(struct jobq_str s);

struct jobq_str text_str(const struct text *text);

/* The same escape into a fixed array; terminated, cut with "..." at cap. Returns out. */
char *text_escape(const char *bytes, int64_t len, char *out, int cap);
/* The same, but what does not fit is cut in the middle: both ends are kept. cap >= 16. */
char *text_escape_ends(const char *bytes, int64_t len, char *out, int cap);

/* Writes value in decimal at out (no terminator, nothing behind it is touched); returns how
 * many bytes (<= 20). */
int text_write_int(char *out, int64_t value);
/* How many bytes that would be. */
int text_int_bytes(int64_t value);
/* Writes 16 lower-case hex digits. */
void text_write_hex64(char *out, uint64_t value);

/* Base 32, digits 0-9a-v, so that bytes sort as numbers do. No terminator. read: false if one
 * is no digit. */
void text_digits_write(char *out, uint64_t value, int digits);
bool text_digits_read(const char *in, int digits, uint64_t *out);

/* Inline, so that the length and bytes of a literal are known where it is compared. */
static inline struct jobq_str str_of(const char *cstr)
{
    return (struct jobq_str){cstr, (int64_t)strlen(cstr)};
}

/* Phantoms equal nothing. */
static inline bool str_eq(struct jobq_str a, struct jobq_str b)
{
    return a.len == b.len && a.ptr && b.ptr && memcmp(a.ptr, b.ptr, (size_t)a.len) == 0;
}

static inline bool str_is(struct jobq_str a, const char *cstr)
{
    return str_eq(a, str_of(cstr));
}
int str_cmp(struct jobq_str a, struct jobq_str b); /* bytewise, then by length */
/* Reads a decimal integer: digits and an optional leading '-', nothing else. False for
 * anything else, or if it does not fit. */
static inline bool str_starts(struct jobq_str s, struct jobq_str start)
{
    return s.len >= start.len && memcmp(s.ptr, start.ptr, (size_t)start.len) == 0;
}
bool str_to_int(struct jobq_str s, int64_t *out);

/* A string literal as a jobq_str. */
#define STR(literal) ((struct jobq_str){"" literal, (int64_t)sizeof(literal) - 1})

#endif
