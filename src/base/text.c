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
static uint64_t eight_digits(uint32_t value)
{
    uint64_t halves = value / 10000 | (uint64_t)(value % 10000) << 32;
    uint64_t top = (halves * 10486 >> 20) & UINT64_C(0x0000007f0000007f);
    uint64_t pairs = top | (halves - 100 * top) << 16;
    uint64_t tens = (pairs * 103 >> 10) & UINT64_C(0x000f000f000f000f);
    return tens | (pairs - 10 * tens) << 8;
}

/* Writes a value < 10^8 without leading zeros. */
static char *write_small(char *out, uint32_t value)
{
    if (value < 10) {
        *out = (char)('0' + value);
        return out + 1;
    }
    uint64_t digits = eight_digits(value);
    int zeros = __builtin_ctzll(digits) / 8;
    digits = (digits | UINT64_C(0x3030303030303030)) >> (8 * zeros);
    int count = 8 - zeros;
    if (count == 8) {
        lanes8_store(out, digits);
        return out + 8;
    }
    char bytes[8];
    lanes8_store(bytes, digits);
    char *end = out + count;
    if (count & 4) {
        memcpy(out, bytes, 4);
        out += 4;
        digits >>= 32;
    }
    if (count & 2) {
        *out++ = (char)digits;
        *out++ = (char)(digits >> 8);
        digits >>= 16;
    }
    if (count & 1)
        *out = (char)digits;
    return end;
}

int text_write_int(char *out, int64_t value)
{
    const uint64_t eight = 100000000;
    char *p = out;
    uint64_t rest = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    if (value < 0)
        *p++ = '-';
    if (rest < eight)
        return (int)(write_small(p, (uint32_t)rest) - out);
    uint64_t high = rest / eight;
    if (high < eight) {
        p = write_small(p, (uint32_t)high);
    } else {
        p = write_small(p, (uint32_t)(high / eight));
        lanes8_store(p, eight_digits((uint32_t)(high % eight)) |
                            UINT64_C(0x3030303030303030));
        p += 8;
    }
    lanes8_store(p,
                 eight_digits((uint32_t)(rest % eight)) | UINT64_C(0x3030303030303030));
    return (int)(p + 8 - out);
}

/* Eight hex digits, the highest nibble in the lowest lane. */
static uint64_t eight_hex(uint32_t value)
{
    uint64_t v = __builtin_bswap32(value);
    v = (v | v << 16) & UINT64_C(0x0000ffff0000ffff);
    v = (v | v << 8) & UINT64_C(0x00ff00ff00ff00ff);
    v = (v >> 4 | v << 8) & UINT64_C(0x0f0f0f0f0f0f0f0f);
    uint64_t letter =
        (v + UINT64_C(0x0606060606060606)) >> 4 & UINT64_C(0x0101010101010101);
    return v + UINT64_C(0x3030303030303030) + letter * ('a' - '0' - 10);
}

void text_write_hex64(char *out, uint64_t value)
{
    lanes8_store(out, eight_hex((uint32_t)(value >> 32)));
    lanes8_store(out + 8, eight_hex((uint32_t)value));
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
