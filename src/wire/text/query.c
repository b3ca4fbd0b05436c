#include "wire/text/query.h"

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

/* Strings being counted together: encoded, each byte takes three but for the plain ones, which
 * are counted lane by lane and summed once. A lane counts to 255. */
struct tally {
    int64_t bytes;
    lanes16 plain;
};

static inline void tally_lanes(struct tally *t, lanes16 v)
{
    t->plain -= plain(v);
}

/* What stands in the lanes, as bytes; they are empty then. */
static inline void tally_sum(struct tally *t)
{
    t->bytes -= 2 * lanes16_sum(t->plain);
    t->plain = (lanes16){0};
}

/* Strings of up to SHORT_MAX bytes add so much to a lane at most. */
enum { SHORT_MAX = 256, SHORT_COUNTS = SHORT_MAX / 16 + 1 };

/* 16 bytes or more. */
static inline void tally_blocks(struct tally *t, const char *p, int64_t len)
{
    t->plain -= plain(lanes16_load(p + len - 16)) & lanes16_last(len & 15);
    for (; len >= 16; len -= 16, p += 16)
        tally_lanes(t, lanes16_load(p));
}

static __attribute__((noinline)) int64_t long_bytes(const char *p, int64_t len)
{
    struct tally t = {.bytes = 3 * len};
    const int64_t part = SHORT_MAX / 2; /* leaves 16 or more */
    for (; len > SHORT_MAX; len -= part, p += part) {
        tally_blocks(&t, p, part);
        tally_sum(&t);
    }
    tally_blocks(&t, p, len);
    tally_sum(&t);
    return t.bytes;
}

/* Adds at most SHORT_COUNTS to a lane. */
static inline __attribute__((always_inline)) void tally_str(struct tally *t,
                                                            struct jobq_str s)
{
    const char *p = s.ptr;
    int64_t len = s.len;
    if (len <= 8 && len >= 4 && p && lanes8_is_lower(p, len)) {
        t->bytes += len; /* a name, as a rule */
    } else if (!p) {
        t->bytes += len;
    } else if (len < 8) {
        t->bytes += len;
        for (int64_t at = 0; at < len; at++)
            t->bytes += EXTRA[(unsigned char)p[at]];
    } else if (len < 16) {
        t->bytes += 3 * len;
        tally_lanes(t, lanes16_short(p, len));
    } else if (len <= SHORT_MAX) {
        t->bytes += 3 * len;
        tally_blocks(t, p, len);
    } else {
        t->bytes += long_bytes(p, len);
    }
}

int64_t query_encoded_bytes(struct jobq_str value)
{
    struct tally t = {0};
    tally_str(&t, value);
    tally_sum(&t);
    return t.bytes;
}

int64_t query_encoded_put(const struct jobq_item *item, const struct jobq_expect *expect)
{
    struct tally t = {0};
    int room = 255 / SHORT_COUNTS - 3;
    tally_str(&t, item->name);
    if (expect) {
        tally_str(&t, expect->name);
        if (expect->exists)
            tally_str(&t, expect->value);
    }
    const struct jobq_attr *end = item->attr + item->attr_count;
    for (const struct jobq_attr *attr = item->attr; attr < end; attr++, room -= 2) {
        if (room < 2) {
            tally_sum(&t);
            room = 255 / SHORT_COUNTS;
        }
        tally_str(&t, attr->name);
        tally_str(&t, attr->value);
    }
    tally_sum(&t);
    return t.bytes;
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
