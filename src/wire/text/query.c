#include "wire/text/query.h"

#include "base/arena.h"

#include <assert.h>
#include <stdlib.h>

/* 2 for the bytes that become %XX, 0 for the unreserved ones of RFC 3986: letters,
 * digits, '-', '.', '_', '~'. A table, because the simulator sizes every row with it. */
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

static bool query_unreserved(unsigned char c)
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
    assert(value.len >= 0);
    if (!value.ptr) {
        text_put_str(out, value);
        return;
    }
    int64_t run = 0;
    for (int64_t i = 0; i < value.len; i++) {
        unsigned char c = (unsigned char)value.ptr[i];
        if (query_unreserved(c))
            continue;
        char hex[3] = {'%', "0123456789ABCDEF"[c >> 4], "0123456789ABCDEF"[c & 15]};
        text_put(out, value.ptr + run, (size_t)(i - run));
        text_put(out, hex, 3);
        run = i + 1;
    }
    text_put(out, value.ptr + run, (size_t)(value.len - run));
}

int64_t query_encoded_bytes(struct jobq_str value)
{
    const unsigned char *p = (const unsigned char *)value.ptr;
    int64_t bytes = value.len, left = p ? value.len : 0;
    for (; left >= 4; left -= 4, p += 4)
        bytes += EXTRA[p[0]] + EXTRA[p[1]] + EXTRA[p[2]] + EXTRA[p[3]];
    for (; left > 0; left--)
        bytes += EXTRA[*p++];
    return bytes;
}

int64_t query_encoded_put(const struct jobq_item *item, const struct jobq_expect *expect)
{
    int64_t bytes = query_encoded_bytes(item->name);
    if (expect)
        bytes += query_encoded_bytes(expect->name) +
                 (expect->exists ? query_encoded_bytes(expect->value) : 0);
    for (int i = 0; i < item->attr_count; i++)
        bytes += query_encoded_bytes(item->attr[i].name) +
                 query_encoded_bytes(item->attr[i].value);
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
    assert(index >= 0);
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

/* By name, then by value, as both signature versions need it. */
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
    assert(out);
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

static int query_hex_digit(char c)
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
            int high = query_hex_digit(value.ptr[i + 1]),
                low = query_hex_digit(value.ptr[i + 2]);
            if (high < 0 || low < 0)
                return false;
            c = (char)(high << 4 | low);
            i += 2;
        }
        text_putc(out, c);
    }
    return true;
}
