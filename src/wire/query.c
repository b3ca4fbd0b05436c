#include "wire/query.h"

#include "base/arena.h"
#include "base/lanes.h"

#include <stdlib.h>

/* 2 for the bytes that become %XX, 0 for the unreserved ones of RFC 3986: letters, digits,
 * '-', '.', '_', '~'. A table, because the simulator measures every row this way. */
#define E 2
static const unsigned char EXTRA[256] = {
    E, E, E, E, E, E, E, E, E, E, E, E, E, E, E, E, E, E, E, E, E, E, E, E, E, E, E, E, E,
    E, E, E, E, E, E, E, E, E, E, E, E, E, E, E, E, 0, 0, E, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    E, E, E, E, E, E, E, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    0, 0, 0, 0, E, E, E, E, 0, E, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, E, E, E, 0, E, E, E, E, E, E, E, E, E, E, E, E, E, E, E, E, E, E,
    E, E, E, E, E, E, E, E, E, E, E, E, E, E, E, E, E, E, E, E, E, E, E, E, E, E, E, E, E,
    E, E, E, E, E, E, E, E, E, E, E, E, E, E, E, E, E, E, E, E, E, E, E, E, E, E, E, E, E,
    E, E, E, E, E, E, E, E, E, E, E, E, E, E, E, E, E, E, E, E, E, E, E, E, E, E, E, E, E,
    E, E, E, E, E, E, E, E, E, E, E, E, E, E, E, E, E, E, E, E, E, E, E, E};
#undef E

static bool unreserved(unsigned char c)
{
    return EXTRA[c] == 0;
}

void query_release(struct query *query)
{
    text_release(&query->bytes);
    free(query->param);
    *query = (struct query){0};
}

void query_clear(struct query *query)
{
    text_clear(&query->bytes);
    query->count = 0;
}

void query_encode(struct text *out, struct jobq_str value)
{
    if (!value.ptr) {
        text_put_str(out, value);
        return;
    }
    int64_t run = 0;
    for (int64_t i = 0; i < value.len; i++) {
        unsigned char c = (unsigned char)value.ptr[i];
        if (unreserved(c))
            continue;
        char hex[3] = {'%', "0123456789ABCDEF"[c >> 4], "0123456789ABCDEF"[c & 15]};
        text_put(out, value.ptr + run, (size_t)(i - run));
        text_put(out, hex, 3);
        run = i + 1;
    }
    text_put(out, value.ptr + run, (size_t)(value.len - run));
}

/* All ones in every lane whose byte stands for itself; zero is none of them. */
static inline lanes16 plain(lanes16 v)
{
    lanes16 letter = lanes16_within(v | 0x20, 'a', 'z');
    lanes16 digit = lanes16_within(v, '-', '9') & ~(lanes16)(v == '/');
    return letter | digit | (lanes16)(v == '_') | (lanes16)(v == '~');
}

/* How many of 16 bytes or more are plain. A lane counts to 255. */
enum { LANES_LONGEST = 255 * 16 };
static inline int64_t plain_in_long(const char *p, int64_t len)
{
    lanes16 count = -(plain(lanes16_load(p + len - 16)) & lanes16_last(len & 15));
    for (; len >= 16; len -= 16, p += 16)
        count -= plain(lanes16_load(p));
    return lanes16_sum(count);
}

static __attribute__((noinline)) int64_t plain_in_any(const char *p, int64_t len)
{
    const int64_t part = LANES_LONGEST / 2; /* leaves more than 16 */
    int64_t count = 0;
    for (; len > LANES_LONGEST; len -= part, p += part)
        count += plain_in_long(p, part);
    return count + plain_in_long(p, len);
}

static inline bool is_lower_word(struct jobq_str s)
{
    return s.ptr && (uint64_t)(s.len - 4) <= 4 && lanes8_is_lower(s.ptr, s.len);
}

static int64_t encoded_bytes(struct jobq_str value)
{
    const char *p = value.ptr;
    int64_t len = value.len;
    if (!p)
        return len;
    if (len < 8) {
        int64_t bytes = len;
        for (int64_t at = 0; at < len; at++)
            bytes += EXTRA[(unsigned char)p[at]];
        return bytes;
    }
    if (len < 16)
        return 3 * len - 2 * lanes16_sum(plain(lanes16_short(p, len)) & 1);
    if (len <= LANES_LONGEST)
        return 3 * len - 2 * plain_in_long(p, len);
    return 3 * len - 2 * plain_in_any(p, len);
}

int64_t query_encoded_bytes(struct jobq_str value)
{
    return is_lower_word(value) ? value.len : encoded_bytes(value);
}

int64_t query_encoded_attrs(const struct jobq_attr *attr, int count)
{
    int64_t bytes = 0;
    for (const struct jobq_attr *end = attr + count; attr < end; attr++) {
        bytes += is_lower_word(attr->name) ? attr->name.len : encoded_bytes(attr->name);
        bytes +=
            is_lower_word(attr->value) ? attr->value.len : encoded_bytes(attr->value);
    }
    return bytes;
}

static struct query_param *open_param(struct query *query)
{
    if (query->count == query->cap) {
        query->cap = query->cap ? query->cap * 2 : 32;
        query->param = xrealloc(query->param, (size_t)query->cap * sizeof *query->param);
    }
    struct query_param *p = &query->param[query->count++];
    p->key_at = query->bytes.len;
    return p;
}

static void close_param(struct query *query, struct query_param *p, struct jobq_str value)
{
    p->key_len = query->bytes.len - p->key_at;
    text_putc(&query->bytes, '=');
    size_t before = query->bytes.len;
    query_encode(&query->bytes, value);
    p->value_len = query->bytes.len - before;
}

void query_add(struct query *query, const char *key, struct jobq_str value)
{
    struct query_param *p = open_param(query);
    query_encode(&query->bytes, str_of(key));
    close_param(query, p, value);
}

void query_add_int(struct query *query, const char *key, int64_t value)
{
    char digits[24];
    int len = text_write_int(digits, value);
    query_add(query, key, (struct jobq_str){digits, len});
}

void query_add_indexed(struct query *query, const char *prefix, int index,
                       const char *suffix, struct jobq_str value)
{
    struct query_param *p = open_param(query);
    text_puts(&query->bytes, prefix);
    text_put_int(&query->bytes, index);
    text_puts(&query->bytes, suffix);
    close_param(query, p, value);
}

/* qsort has no context argument in C11, so the sort works on records that point. */
struct sortable {
    const char *key;
    size_t key_len, len; /* len: with "=value" */
};

static int compare_bytes(const char *a, size_t a_len, const char *b, size_t b_len)
{
    int order = memcmp(a, b, a_len < b_len ? a_len : b_len);
    return order ? order : (a_len > b_len) - (a_len < b_len);
}

/* By name, then by value: the order that both versions sign. */
static int by_key(const void *a, const void *b)
{
    const struct sortable *x = a, *y = b;
    int order = compare_bytes(x->key, x->key_len, y->key, y->key_len);
    return order ? order
                 : compare_bytes(x->key + x->key_len, x->len - x->key_len,
                                 y->key + y->key_len, y->len - y->key_len);
}

void query_join(struct query *query, struct text *out)
{
    struct sortable *s = xmalloc((size_t)query->count * sizeof *s);
    for (int i = 0; i < query->count; i++) {
        const struct query_param *p = &query->param[i];
        s[i] = (struct sortable){query->bytes.ptr + p->key_at, p->key_len,
                                 p->key_len + 1 + p->value_len};
    }
    if (query->count > 1)
        qsort(s, (size_t)query->count, sizeof *s, by_key);
    for (int i = 0; i < query->count; i++) {
        if (i)
            text_putc(out, '&');
        text_put(out, s[i].key, s[i].len);
    }
    free(s);
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

bool query_decode(struct text *out, struct jobq_str value)
{
    for (int64_t i = 0; i < value.len; i++) {
        char c = value.ptr[i];
        if (c == '+') {
            c = ' ';
        } else if (c == '%') {
            if (i + 2 >= value.len)
                return false;
            int high = hex_digit(value.ptr[i + 1]), low = hex_digit(value.ptr[i + 2]);
            if (high < 0 || low < 0)
                return false;
            c = (char)(high << 4 | low);
            i += 2;
        }
        text_putc(out, c);
    }
    return true;
}
