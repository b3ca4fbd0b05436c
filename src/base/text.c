#include "base/text.h"

#include "base/arena.h"

#include <assert.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static void text_reserve(struct text *text, size_t more)
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
    assert(bytes || len == 0);
    text_reserve(text, len);
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
    assert(s.len >= 0);
    if (s.ptr) {
        text_put(text, s.ptr, (size_t)s.len);
        return;
    }
    text_reserve(text, (size_t)s.len);
    memset(text->ptr + text->len, 'x', (size_t)s.len);
    text->len += (size_t)s.len;
    text->ptr[text->len] = '\0';
}

/* Digits of value; 1 of 0. */
static int count_digits(uint64_t value)
{
    int count = 1;
    for (; value >= 10000; value /= 10000)
        count += 4;
    return count + (value >= 10) + (value >= 100) + (value >= 1000);
}

int text_write_int(char *out, int64_t value)
{
    static const char PAIR[] = "0001020304050607080910111213141516171819"
                               "2021222324252627282930313233343536373839"
                               "4041424344454647484950515253545556575859"
                               "6061626364656667686970717273747576777879"
                               "8081828384858687888990919293949596979899";
    uint64_t rest = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    int len = (value < 0) + count_digits(rest);
    char *p = out + len;
    *out = '-';
    for (; rest >= 10; rest /= 100)
        memcpy(p -= 2, PAIR + 2 * (rest % 100), 2);
    if (p > out + (value < 0))
        p[-1] = (char)('0' + rest);
    return len;
}

int text_int_bytes(int64_t value)
{
    return (value < 0) + count_digits(value < 0 ? 0 - (uint64_t)value : (uint64_t)value);
}

void text_write_hex64(char *out, uint64_t value)
{
    for (int i = 15; i >= 0; i--, value >>= 4)
        out[i] = "0123456789abcdef"[value & 15];
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
        text_reserve(text, (size_t)len);
        vsnprintf(text->ptr + text->len, (size_t)len + 1, format, again);
        text->len += (size_t)len;
    }
    va_end(again);
}

static int text_escape_byte(unsigned char c, char out[4])
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
        text_put(text, one, (size_t)text_escape_byte((unsigned char)bytes[i], one));
    }
}

char *text_escape(const char *bytes, int64_t len, char *out, int cap)
{
    assert(bytes || len == 0);
    char one[4];
    int64_t whole = 0;
    for (int64_t i = 0; i < len && whole < cap; i++)
        whole += text_escape_byte((unsigned char)bytes[i], one);
    bool cut = whole >= cap;
    int at = 0, room = cut ? cap - 4 : cap - 1;
    for (int64_t i = 0; i < len; i++) {
        int n = text_escape_byte((unsigned char)bytes[i], one);
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

char *text_escape_ends(const char *bytes, int64_t len, char *out, int cap)
{
    assert(cap >= 16);
    char one[4];
    int64_t whole = 0, from = len;
    int tail = 0;
    for (int64_t i = 0; i < len && whole < cap; i++)
        whole += text_escape_byte((unsigned char)bytes[i], one);
    if (whole < cap)
        return text_escape(bytes, len, out, cap);
    for (; from > 0; from--) {
        int n = text_escape_byte((unsigned char)bytes[from - 1], one);
        if (tail + n > cap / 2)
            break;
        tail += n;
    }
    text_escape(bytes, from, out, cap - tail);
    size_t head = strlen(out);
    text_escape(bytes + from, len - from, out + head, cap - (int)head);
    return out;
}

/* ---- UTF-8 and JSON ---------------------------------------------------------------------- */

int text_utf8_bytes(const char *bytes, int64_t left)
{
    const unsigned char *p = (const unsigned char *)bytes;
    assert(left > 0);
    if (p[0] < 0x80)
        return 1;
    int need = p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : 2;
    if (p[0] < 0xc2 || p[0] > 0xf4 || left < need)
        return 0;
    for (int i = 1; i < need; i++)
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    /* Overlong forms, surrogates, and what is past U+10FFFF. */
    if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) ||
        (p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] > 0x8f))
        return 0;
    return need;
}

/* How the first character of s is written: 0: as it is; else the length of the escape in
 * out. *step: how many bytes of s it takes. */
static int text_json_escape(struct jobq_str s, char out[6], int *step)
{
    static const char named[] = "\"\"\\\\\bb\ff\nn\rr\tt";
    unsigned char c = (unsigned char)*s.ptr;
    *step = 1;
    if (c >= 0x20 && c < 0x80 && c != '"' && c != '\\')
        return 0;
    if (c >= 0x80) {
        int bytes = text_utf8_bytes(s.ptr, s.len);
        *step = bytes ? bytes : 1;
        memcpy(out, "\xef\xbf\xbd", 3); /* U+FFFD */
        return bytes ? 0 : 3;
    }
    out[0] = '\\';
    for (size_t i = 0; i < sizeof named - 1; i += 2)
        if (*s.ptr == named[i]) {
            out[1] = named[i + 1];
            return 2;
        }
    memcpy(out + 1, "u00", 3);
    out[4] = "0123456789abcdef"[c >> 4];
    out[5] = "0123456789abcdef"[c & 15];
    return 6;
}

void text_put_json(struct text *text, struct jobq_str s)
{
    char escape[6];
    text_putc(text, '"');
    if (!s.ptr)
        text_put_str(text, s);
    int64_t plain = 0, at = 0; /* plain: start of the bytes not yet written */
    for (int step; s.ptr && at < s.len; at += step) {
        struct jobq_str rest = {s.ptr + at, s.len - at};
        int len = text_json_escape(rest, escape, &step);
        if (!len)
            continue;
        text_put(text, s.ptr + plain, (size_t)(at - plain));
        text_put(text, escape, (size_t)len);
        plain = at + step;
    }
    if (at > plain)
        text_put(text, s.ptr + plain, (size_t)(at - plain));
    text_putc(text, '"');
}

/* True if none of the eight bytes is a control, '"', '\\' or past ASCII. */
static bool word_is_plain(uint64_t word)
{
    const uint64_t each = 0x0101010101010101u;
    uint64_t quote = word ^ (each * '"'), slash = word ^ (each * '\\');
    return ((word | (word - each * 0x20) | (quote - each) | (slash - each)) &
            each * 0x80) == 0;
}

/* True if s, of a byte or more, stands in JSON as it is. Words overlap rather than being cut. */
static bool json_is_plain(struct jobq_str s)
{
    const char *p = s.ptr, *last = s.ptr + s.len - 8;
    uint64_t word;
    if (s.len < 4)
        return word_is_plain(0x2020202020000000u | (uint64_t)(unsigned char)p[0] << 16 |
                             (uint64_t)(unsigned char)p[s.len / 2] << 8 |
                             (unsigned char)p[s.len - 1]);
    if (s.len < 8) {
        uint32_t low, high;
        memcpy(&low, p, 4);
        memcpy(&high, p + s.len - 4, 4);
        return word_is_plain(low | (uint64_t)high << 32);
    }
    for (; p < last; p += 8) {
        memcpy(&word, p, 8);
        if (!word_is_plain(word))
            return false;
    }
    memcpy(&word, last, 8);
    return word_is_plain(word);
}

int64_t text_json_bytes(struct jobq_str s)
{
    char escape[6];
    int64_t bytes = s.len;
    if (!s.ptr || s.len == 0 || json_is_plain(s))
        return bytes;
    for (int64_t at = 0, step = 1; at < s.len; at += step) {
        unsigned char c = (unsigned char)s.ptr[at];
        step = 1;
        if (c >= 0x20 && c < 0x80 && c != '"' && c != '\\')
            continue;
        int taken, len = text_json_escape((struct jobq_str){s.ptr + at, s.len - at},
                                          escape, &taken);
        bytes += len ? len - 1 : 0;
        step = taken;
    }
    return bytes;
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

void text_digits_write(char *out, uint64_t value, int digits)
{
    for (int i = digits - 1; i >= 0; i--) {
        out[i] = "0123456789abcdefghijklmnopqrstuv"[value & 31];
        value >>= 5;
    }
}

bool text_digits_read(const char *in, int digits, uint64_t *out)
{
    uint64_t value = 0;
    for (int i = 0; i < digits; i++) {
        char c = in[i];
        unsigned digit;
        if (c >= '0' && c <= '9')
            digit = (unsigned)(c - '0');
        else if (c >= 'a' && c <= 'v')
            digit = (unsigned)(c - 'a') + 10;
        else
            return false;
        value = value << 5 | digit;
    }
    *out = value;
    return true;
}
