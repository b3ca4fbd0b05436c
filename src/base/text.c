#include "base/text.h"

#include "base/arena.h"
#include "base/lanes.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static void reserve(struct text *text, size_t more)
{
    size_t need = text->len + more + 1;
    if (need <= text->cap)
        return;
    if (need > TEXT_MAX) {
        fprintf(stderr, "jobq: a text grew past %zu bytes\n", TEXT_MAX);
        abort();
    }
    size_t cap = text->cap ? text->cap * 2 : 64;
    while (cap < need)
        cap *= 2;
    text->ptr = xrealloc(text->ptr, cap);
    text->cap = cap;
}

void text_release(struct text *text)
{
    free(text->ptr);
    *text = (struct text){0};
}

void text_clear(struct text *text)
{
    text->len = 0;
    if (text->ptr)
        text->ptr[0] = '\0';
}

void text_put(struct text *text, const char *bytes, size_t len)
{
    reserve(text, len);
    if (len)
        memcpy(text->ptr + text->len, bytes, len);
    text->len += len;
    text->ptr[text->len] = '\0';
}

void text_puts(struct text *text, const char *cstr)
{
    text_put(text, cstr, strlen(cstr));
}

void text_putc(struct text *text, char c)
{
    text_put(text, &c, 1);
}

void text_put_str(struct text *text, struct jobq_str s)
{
    if (s.ptr) {
        text_put(text, s.ptr, (size_t)s.len);
        return;
    }
    reserve(text, (size_t)s.len);
    memset(text->ptr + text->len, 'x', (size_t)s.len);
    text->len += (size_t)s.len;
    text->ptr[text->len] = '\0';
}

/* Eight decimal digits of value < 10^8, the first in the lowest lane: halves, then pairs,
 * then single digits, all lanes at once (the divisions are multiplications by rounded
 * inverses, exact for these ranges: Paul Khuong, "How to print integers really fast"). */
static inline __attribute__((always_inline)) uint64_t eight_digits(uint32_t value)
{
    uint64_t halves = value / 10000 | (uint64_t)(value % 10000) << 32;
    uint64_t top = (halves * 10486 >> 20) & UINT64_C(0x0000007f0000007f);
    uint64_t pairs = top | (halves - 100 * top) << 16;
    uint64_t tens = (pairs * 103 >> 10) & UINT64_C(0x000f000f000f000f);
    return tens | (pairs - 10 * tens) << 8;
}

#define ZEROS UINT64_C(0x3030303030303030) /* eight times '0' */

/* Writes 1 to 8 bytes that begin in the lowest lane. */
static void write_some(char *out, uint64_t bytes, int count)
{
    if (count == 8) {
        lanes8_store(out, bytes);
        return;
    }
    char some[8];
    lanes8_store(some, bytes);
    if (count >= 4) { /* the two may overlap */
        memcpy(out, some, 4);
        lanes8_store(some, bytes >> (8 * (count - 4)));
        memcpy(out + count - 4, some, 4);
        return;
    }
    out[0] = some[0];
    out[count / 2] = some[count / 2];
    out[count - 1] = some[count - 1];
}

/* Writes a value < 100. */
static inline char *write_two(char *out, uint32_t value)
{
    uint32_t tens = value * 103 >> 10;
    *out = (char)('0' + tens);
    out += value >= 10;
    *out = (char)('0' + (value - 10 * tens));
    return out + 1;
}

/* Writes a value < 10^8 without leading zeros. */
static char *write_small(char *out, uint32_t value)
{
    if (value < 100)
        return write_two(out, value);
    uint64_t digits = eight_digits(value);
    int zeros = __builtin_ctzll(digits) / 8;
    write_some(out, (digits | ZEROS) >> (8 * zeros), 8 - zeros);
    return out + 8 - zeros;
}

/* The same of 10^8 to 10^16 - 1. The lower eight digits come to lie over the end of the word
 * with what there is of the higher ones; those of some seconds in nanoseconds are two. */
static char *write_large(char *out, uint64_t value)
{
    uint32_t high = (uint32_t)(value / 100000000);
    uint64_t low = eight_digits((uint32_t)(value % 100000000)) | ZEROS;
    if (high < 100) {
        out = write_two(out, high);
    } else {
        uint64_t digits = eight_digits(high);
        int zeros = __builtin_ctzll(digits) / 8;
        lanes8_store(out, (digits | ZEROS) >> (8 * zeros));
        out += 8 - zeros;
    }
    lanes8_store(out, low);
    return out + 8;
}

int text_write_number(char *out, int64_t value)
{
    const uint64_t eight = 100000000;
    char *p = out;
    uint64_t rest = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    if (value < 0)
        *p++ = '-';
    if (rest < eight)
        return (int)(write_small(p, (uint32_t)rest) - out);
    if (rest >= eight * eight) {
        p = write_small(p, (uint32_t)(rest / (eight * eight)));
        rest %= eight * eight;
        lanes8_store(p, eight_digits((uint32_t)(rest / eight)) | ZEROS);
        lanes8_store(p + 8, eight_digits((uint32_t)(rest % eight)) | ZEROS);
        return (int)(p + 16 - out);
    }
    return (int)(write_large(p, rest) - out);
}

int text_int_bytes(int64_t value)
{
    static const uint64_t power[] = {10,
                                     100,
                                     1000,
                                     10000,
                                     100000,
                                     1000000,
                                     10000000,
                                     100000000,
                                     1000000000,
                                     10000000000,
                                     100000000000,
                                     1000000000000,
                                     10000000000000,
                                     100000000000000,
                                     1000000000000000,
                                     10000000000000000,
                                     100000000000000000,
                                     1000000000000000000,
                                     UINT64_C(10000000000000000000)};
    uint64_t rest = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    /* 1233 / 4096 is a little over log10(2): what it says is right or one too few. */
    int least = (63 - __builtin_clzll(rest | 1)) * 1233 >> 12;
    return 1 + least + (rest >= power[least]) + (value < 0);
}

void text_write_hex64(char *out, uint64_t value)
{
    lanes16 bytes = lanes16_of(lanes8_order(__builtin_bswap64(value)), 0);
    lanes16 digit = lanes16_zip(bytes >> 4, bytes & 15);
    lanes16 letter = (lanes16)((lanes16_signed)digit > 9);
    lanes16 text = digit + '0' + (letter & ('a' - '0' - 10));
    memcpy(out, &text, 16);
}

void text_put_int(struct text *text, int64_t value)
{
    char digits[24];
    text_put(text, digits, (size_t)text_write_int(digits, value));
}

void text_put_double(struct text *text, double value)
{
    char buffer[40];
    if (!isfinite(value)) {
        text_puts(text, isnan(value) ? "nan" : value > 0 ? "inf" : "-inf");
        return;
    }
    /* %g would write 100 as 1e+02. */
    if (value > -1e15 && value < 1e15 && value == (double)(int64_t)value) {
        text_put_int(text, (int64_t)value);
        return;
    }
    for (int digits = 1; digits <= 17; digits++) {
        snprintf(buffer, sizeof buffer, "%.*g", digits, value);
        if (strtod(buffer, NULL) == value)
            break;
    }
    for (char *p = buffer; *p; p++)
        if (*p == ',')
            *p = '.';
    text_puts(text, buffer);
}

void text_printf(struct text *text, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int len = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (len > 0) {
        reserve(text, (size_t)len);
        vsnprintf(text->ptr + text->len, (size_t)len + 1, format, again);
        text->len += (size_t)len;
    }
    va_end(again);
}

static int escape_one(unsigned char c, char out[4])
{
    if (c >= 0x20 && c < 0x7f) {
        out[0] = (char)c;
        return 1;
    }
    out[0] = '\\';
    out[1] = 'x';
    out[2] = "0123456789abcdef"[c >> 4];
    out[3] = "0123456789abcdef"[c & 15];
    return 4;
}

void text_put_escaped(struct text *text, const char *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        char one[4];
        text_put(text, one, (size_t)escape_one((unsigned char)bytes[i], one));
    }
}

char *text_escape(const char *bytes, int64_t len, char *out, int cap)
{
    char one[4];
    int64_t whole = 0;
    for (int64_t i = 0; i < len && whole < cap; i++)
        whole += escape_one((unsigned char)bytes[i], one);
    bool cut = whole >= cap;
    int at = 0, room = cut ? cap - 4 : cap - 1;
    for (int64_t i = 0; i < len; i++) {
        int n = escape_one((unsigned char)bytes[i], one);
        if (at + n > room)
            break;
        memcpy(out + at, one, (size_t)n);
        at += n;
    }
    for (int dots = 0; cut && dots < 3 && at + 1 < cap; dots++)
        out[at++] = '.';
    if (cap > 0)
        out[at] = '\0';
    return out;
}

/* The bytes of the well-formed UTF-8 character at p, which is not ASCII; 0: there is none.
 * Unicode 15, table 3-7. */
static int text_utf8_bytes(const unsigned char *p, int64_t left)
{
    int need = p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : 2;
    if (p[0] < 0xc2 || p[0] > 0xf4 || left < need)
        return 0;
    for (int i = 1; i < need; i++)
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) ||
        (p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] > 0x8f))
        return 0;
    return need;
}

void text_put_json(struct text *text, struct jobq_str value)
{
    const unsigned char *p = (const unsigned char *)value.ptr;
    text_putc(text, '"');
    for (int64_t i = 0, step; p && i < value.len; i += step) {
        step = 1;
        if (p[i] == '"' || p[i] == '\\') {
            text_putc(text, '\\');
            text_putc(text, (char)p[i]);
        } else if (p[i] < 0x20 || p[i] == 0x7f) {
            text_printf(text, "\\u%04x", p[i]);
        } else if (p[i] < 0x7f) {
            text_putc(text, (char)p[i]);
        } else if ((step = text_utf8_bytes(p + i, value.len - i)) > 0) {
            text_put(text, value.ptr + i, (size_t)step);
        } else {
            text_puts(text, "\xef\xbf\xbd");
            step = 1;
        }
    }
    text_putc(text, '"');
}

struct jobq_str text_str(const struct text *text)
{
    return (struct jobq_str){text->ptr ? text->ptr : "", (int64_t)text->len};
}

int str_cmp(struct jobq_str a, struct jobq_str b)
{
    int64_t both = a.len < b.len ? a.len : b.len;
    int order = both && a.ptr && b.ptr ? memcmp(a.ptr, b.ptr, (size_t)both) : 0;
    if (order)
        return order;
    return (a.len > b.len) - (a.len < b.len);
}

/* Eight decimal digits, the first in the lowest lane, to pairs, to fours, to one number. */
static inline bool read_eight(const char *p, uint64_t *out)
{
    uint64_t v = lanes8_load(p) ^ ZEROS;
    if (((v + UINT64_C(0x7676767676767676)) | v) & UINT64_C(0x8080808080808080))
        return false; /* a lane is over 9 */
    v = (v * 10 + (v >> 8)) & UINT64_C(0x00ff00ff00ff00ff);
    v = (v * 100 + (v >> 16)) & UINT64_C(0x0000ffff0000ffff);
    *out = (v * 10000 + (v >> 32)) & UINT32_MAX;
    return true;
}

bool str_to_int(struct jobq_str s, int64_t *out)
{
    if (!s.ptr || s.len <= 0 || s.len > 20)
        return false;
    bool negative = s.ptr[0] == '-';
    int64_t i = negative ? 1 : 0;
    if (i == s.len)
        return false;
    if (s.len <= 18) { /* no overflow to look for */
        int64_t whole = 0;
        for (uint64_t eight; s.len - i >= 8; i += 8) {
            if (!read_eight(s.ptr + i, &eight))
                return false;
            whole = whole * 100000000 + (int64_t)eight;
        }
        for (; i < s.len; i++) {
            unsigned digit = (unsigned)(s.ptr[i] - '0');
            if (digit > 9)
                return false;
            whole = whole * 10 + digit;
        }
        *out = negative ? -whole : whole;
        return true;
    }
    uint64_t value = 0, limit = negative ? (uint64_t)1 << 63 : (uint64_t)INT64_MAX;
    for (; i < s.len; i++) {
        unsigned digit = (unsigned)(s.ptr[i] - '0');
        if (digit > 9 || value > (limit - digit) / 10)
            return false;
        value = value * 10 + digit;
    }
    *out = negative ? (int64_t)(0 - value) : (int64_t)value;
    return true;
}
