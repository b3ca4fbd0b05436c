/* test_http_parse.c - requests as RFC 9112 writes them are read, ambiguous ones refused, and
 * no bytes whatever lead outside the buffer. The random changes are reproducible: a
 * failure prints its seed. */
#include "net/http_parse.h"

#include "base/dice.h"
#include "base/text.h"
#include "tests/seed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static int parse(const char *head, struct http_request *out)
{
    return http_parse_head(head, (int64_t)strlen(head), out);
}

static void reads_a_request(void **context)
{
    struct http_request r;
    (void)context;
    assert_int_equal(
        parse("POST /a/b?c=d&e HTTP/1.1\r\nHost: x:4566\r\n"
              "Content-Length: 12\r\nX-Amz-Target:  AmazonSQS.SendMessage \t\r\n"
              "Empty:\r\n\r\n",
              &r),
        0);
    assert_true(str_is(r.method, "POST"));
    assert_true(str_is(r.target, "/a/b?c=d&e"));
    assert_true(str_is(r.path, "/a/b"));
    assert_true(str_is(r.query, "c=d&e"));
    assert_int_equal(r.content_length, 12);
    assert_int_equal(r.header_count, 4);
    assert_true(r.keep_alive && !r.chunked && !r.expects_continue);
    assert_true(str_is(http_header(&r, "x-amz-target"), "AmazonSQS.SendMessage"));
    assert_int_equal(http_header(&r, "empty").len, 0);
    assert_null(http_header(&r, "none").ptr);
}

static void knows_when_to_close(void **context)
{
    static const struct {
        const char *head;
        bool keep;
    } cases[] = {
        {"GET / HTTP/1.1\r\nHost: x\r\n\r\n", true},
        {"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", false},
        {"GET / HTTP/1.1\r\nHost: x\r\nConnection: Close\r\n\r\n", false},
        {"GET / HTTP/1.0\r\nHost: x\r\n\r\n", false},
    };
    (void)context;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct http_request r;
        assert_int_equal(parse(cases[i].head, &r), 0);
        assert_int_equal(r.keep_alive, cases[i].keep);
    }
}

static void refuses_what_is_ambiguous(void **context)
{
    static const struct {
        const char *head;
        int status;
    } cases[] = {
        {"GET / HTTP/1.1\nHost: x\n\n\r\n\r\n", 400},
        {"GET  / HTTP/1.1\r\nHost: x\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nHost: x\r\n folded\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nHost : x\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\n: x\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nHost\r\n\r\n", 400},
        {"GET / HTTP/2.0\r\nHost: x\r\n\r\n", 505},
        {"GET / JTTP/1.1\r\nHost: x\r\n\r\n", 400},
        {"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
         400},
        {"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", 400},
        {"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1x\r\n\r\n", 400},
        {"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\n",
         400},
        {"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n"
         "Transfer-Encoding: chunked\r\n\r\n",
         400},
        {"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n", 501},
        {"\r\n\r\n", 400},
    };
    (void)context;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct http_request r;
        int status = parse(cases[i].head, &r);
        if (status != cases[i].status)
            print_error("case %zu: %d\n", i, status);
        assert_int_equal(status, cases[i].status);
    }
}

static void bounds_the_headers(void **context)
{
    struct text head = {0};
    struct http_request r;
    (void)context;
    text_puts(&head, "GET / HTTP/1.1\r\n");
    for (int i = 0; i <= HTTP_HEADERS_MAX; i++)
        text_printf(&head, "h%d: v\r\n", i);
    text_puts(&head, "\r\n");
    assert_int_equal(parse(head.ptr, &r), 431);
    text_release(&head);
}

static int unwrap(const char *bytes, int64_t max, char out[64], int64_t *len,
                  int64_t *used)
{
    strcpy(out, bytes);
    return http_parse_chunked(out, (int64_t)strlen(bytes), max, &(struct http_chunks){0},
                              len, used);
}

static void unwraps_chunks(void **context)
{
    static const char whole[] = "3\r\nabc\r\nA;x=y\r\n0123456789\r\n0\r\nT: v\r\n\r\n";
    char out[64];
    int64_t len, used;
    (void)context;
    assert_int_equal(unwrap(whole, 13, out, &len, &used), 1);
    assert_int_equal(len, 13);
    assert_int_equal(used, strlen(whole));
    assert_memory_equal(out, "abc0123456789", 13);
    assert_int_equal(unwrap(whole, 12, out, &len, &used), 413);
    /* Every beginning of it waits for more and is left alone; looked at from where the last
     * look ended, the end is the same. */
    struct http_chunks seen = {0};
    char grown[64];
    memcpy(grown, whole, strlen(whole));
    for (size_t cut = 0; cut < strlen(whole); cut++) {
        char part[64], before[64];
        struct http_chunks fresh = {0};
        memcpy(part, whole, cut);
        memcpy(before, whole, cut);
        assert_int_equal(http_parse_chunked(part, (int64_t)cut, 100, &fresh, &len, &used),
                         0);
        assert_memory_equal(part, before, cut);
        assert_int_equal(http_parse_chunked(grown, (int64_t)cut, 100, &seen, &len, &used),
                         0);
        assert_int_equal(seen.at, fresh.at);
        assert_int_equal(seen.content, fresh.content);
    }
    assert_int_equal(
        http_parse_chunked(grown, (int64_t)strlen(whole), 100, &seen, &len, &used), 1);
    assert_int_equal(len, 13);
    assert_int_equal(used, strlen(whole));
    assert_memory_equal(grown, "abc0123456789", 13);
    static const char *const bad[] = {"x\r\n", "3\r\nabcd\r\n0\r\n\r\n", "3\nabc\r\n",
                                      "123456789\r\n", "\r\n"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(unwrap(bad[i], 100, out, &len, &used), 400);
}

static bool within(struct jobq_str view, const char *bytes, int64_t len)
{
    return view.len == 0 || (view.ptr >= bytes && view.ptr + view.len <= bytes + len);
}

/* The verdict when the bytes come seven at a time. */
static int feed(const char *bytes, int64_t len)
{
    struct http_chunks seen = {0};
    int64_t body, used;
    int status = 0;
    char *copy = malloc((size_t)len + 1);
    memcpy(copy, bytes, (size_t)len);
    for (int64_t cut = 0; cut < len && status == 0; cut += 7)
        status = http_parse_chunked(copy, cut, 1000, &seen, &body, &used);
    if (status == 0)
        status = http_parse_chunked(copy, len, 1000, &seen, &body, &used);
    free(copy);
    return status;
}

/* An exact copy on the heap, so that a sanitizer sees a step outside. */
static void try_bytes(const char *bytes, int64_t len, const char *what)
{
    struct http_request r;
    char *copy = malloc((size_t)len + 1);
    int64_t body, used;
    memcpy(copy, bytes, (size_t)len);
    int status = http_parse_head(copy, len, &r);
    bool fine =
        status == 0 || status == 400 || status == 431 || status == 501 || status == 505;
    if (status == 0) {
        fine = within(r.method, copy, len) && within(r.path, copy, len) &&
               within(r.query, copy, len) && r.content_length >= 0 &&
               !(r.chunked && r.content_length > 0);
        for (int i = 0; i < r.header_count; i++)
            fine = fine && within(r.header[i].name, copy, len) &&
                   within(r.header[i].value, copy, len) && r.header[i].name.len > 0;
    }
    struct http_chunks fresh = {0};
    int grown = feed(bytes, len);
    status = http_parse_chunked(copy, len, 1000, &fresh, &body, &used);
    fine = fine && grown == status;
    fine = fine && (status == 0 || status == 400 || status == 413 ||
                    (status == 1 && body >= 0 && body < used && used <= len));
    free(copy);
    if (!fine)
        print_error("%s\n", what);
    assert_true(fine);
}

static void survives_random_changes(void **context)
{
    static const char *const seeds[] = {
        ("POST /a?b=c HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nExpect: "
         "100-continue\r\n\r\n"),
        "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n",
        "3\r\nabc\r\nA;x=y\r\n0123456789\r\n0\r\nT: v\r\n\r\n"};
    (void)context;
    struct seeds range = seeds_of(0, 60000);
    for (uint64_t seed = range.from; seed < range.to; seed++) {
        struct dice dice;
        char bytes[256], what[40];
        dice_init(&dice, seed, "http", 0);
        const char *from = seeds[seed % 3];
        int64_t len = (int64_t)strlen(from);
        memcpy(bytes, from, (size_t)len);
        for (uint64_t n = dice_bits(&dice) % 4 + 1; n > 0; n--) {
            static const char spice[] = "\r\n\t :;,=?0123456789abcdefF\0\xff/";
            int64_t at = (int64_t)(dice_bits(&dice) % (uint64_t)len);
            char c = spice[dice_bits(&dice) % (sizeof spice - 1)];
            uint64_t kind = dice_bits(&dice) % 3;
            if (kind == 0) {
                bytes[at] = c;
            } else if (kind == 1 && len < 250) {
                memmove(bytes + at + 1, bytes + at, (size_t)(len - at));
                bytes[at] = c;
                len++;
            } else if (len > 1) {
                memmove(bytes + at, bytes + at + 1, (size_t)(len - at - 1));
                len--;
            }
        }
        snprintf(what, sizeof what, "seed=%llu", (unsigned long long)seed);
        try_bytes(bytes, len, what);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_a_request),
        cmocka_unit_test(knows_when_to_close),
        cmocka_unit_test(refuses_what_is_ambiguous),
        cmocka_unit_test(bounds_the_headers),
        cmocka_unit_test(unwraps_chunks),
        cmocka_unit_test(survives_random_changes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
