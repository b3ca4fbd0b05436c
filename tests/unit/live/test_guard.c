/* test_guard.c - who may read the status page, and who may act. */
#include "live/page/guard.h"

#include "base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdio.h>

#define TOKEN "correct-horse-battery"

/* What a request of these lines and this body gets; 0: it is let in. */
static int asked(const struct guard *guard, const char *method, const char *lines,
                 const char *body)
{
    char head[1000];
    struct http_request request;
    int len = snprintf(head, sizeof head, "%s / HTTP/1.1\r\n%s\r\n", method, lines);
    assert_in_range(len, 1, (int)sizeof head - 1);
    assert_int_equal(http_parse_head(head, len, &request), 0);
    request.body = str_of(body);
    struct guard_refusal refusal = guard_check(guard, &request);
    assert_true(refusal.status == 0 || refusal.text[0] != '\0');
    assert_int_equal(refusal.ask, refusal.status == 401);
    assert_int_equal(refusal.allow, refusal.status == 405);
    return refusal.status;
}

static struct guard with_token(void)
{
    struct guard guard = {0};
    struct jobq_error err;
    assert_int_equal(page_token_take(&guard.token, TOKEN, &err), JOBQ_OK);
    return guard;
}

#define HOST "Host: 127.0.0.1:8080\r\n"
#define BEARS HOST "Authorization: Bearer " TOKEN "\r\n"

static void without_a_token_only_names_of_this_machine_read(void **state)
{
    static const char *const ours[] = {"127.0.0.1",   "127.9.8.7:80", "localhost",
                                       "LocalHost:1", "[::1]",        "[::1]:8080"};
    static const char *const others[] = {"evil.example",
                                         "127.0.0.1.evil.example",
                                         "localhost.evil.example",
                                         "127.evil",
                                         "128.0.0.1",
                                         "[::2]",
                                         "10.0.0.1:8080",
                                         "a.example"};
    struct guard guard = {.allowed = "status.example, a.b.example"};
    char lines[200];
    (void)state;
    for (size_t i = 0; i < sizeof ours / sizeof ours[0]; i++) {
        snprintf(lines, sizeof lines, "Host: %s\r\n", ours[i]);
        assert_int_equal(asked(&guard, "GET", lines, ""), 0);
    }
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        snprintf(lines, sizeof lines, "Host: %s\r\n", others[i]);
        assert_int_equal(asked(&guard, "GET", lines, ""), 421);
        assert_int_equal(asked(&guard, "POST", lines, ""), 421);
    }
    assert_int_equal(asked(&guard, "HEAD", "Host: A.B.example:443\r\n", ""), 0);
    assert_int_equal(asked(&guard, "GET", "", ""), 421);
}

static void with_a_token_nobody_reads_without_it(void **state)
{
    struct guard guard = with_token();
    (void)state;
    assert_int_equal(asked(&guard, "GET", HOST, ""), 401);
    assert_int_equal(asked(&guard, "GET", HOST "Authorization: Bearer x\r\n", ""), 401);
    assert_int_equal(
        asked(&guard, "GET", HOST "Authorization: Bearer " TOKEN "x\r\n", ""), 401);
    assert_int_equal(asked(&guard, "GET", BEARS, ""), 0);
    assert_int_equal(
        asked(&guard, "GET", "Host: any\r\nAuthorization: bearer " TOKEN "\r\n", ""), 0);
    /* "x:correct-horse-battery" */
    assert_int_equal(
        asked(&guard, "GET",
              HOST "Authorization: Basic eDpjb3JyZWN0LWhvcnNlLWJhdHRlcnk=\r\n", ""),
        0);
    assert_int_equal(asked(&guard, "GET", HOST, "token=" TOKEN), 401);
    assert_int_equal(asked(&guard, "DELETE", BEARS, ""), 405);
    assert_int_equal(asked(&guard, "PUT", HOST, ""), 401);
}

static void an_action_comes_from_the_page_itself(void **state)
{
    static const char *const good[] = {
        "", "Sec-Fetch-Site: same-origin\r\n", "Sec-Fetch-Site: none\r\n",
        "Origin: http://127.0.0.1:8080\r\n", "Origin: https://127.0.0.1:8080\r\n"};
    static const char *const bad[] = {
        "Sec-Fetch-Site: cross-site\r\n",
        "Sec-Fetch-Site: same-site\r\n",
        "Sec-Fetch-Site: \r\n",
        "Sec-Fetch-Site: cross-site\r\nOrigin: http://127.0.0.1:8080\r\n",
        "Origin: http://evil.example\r\n",
        "Origin: http://127.0.0.1\r\n",
        "Origin: http://127.0.0.1:8080.evil.example\r\n",
        "Origin: ftp://127.0.0.1:8080\r\n",
        "Origin: null\r\n"};
    struct guard guard = with_token();
    char lines[300];
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        snprintf(lines, sizeof lines, BEARS "%s", good[i]);
        assert_int_equal(asked(&guard, "POST", lines, ""), 0);
        snprintf(lines, sizeof lines, HOST "%s", good[i]);
        assert_int_equal(asked(&guard, "POST", lines, "id=1&token=" TOKEN), 0);
        assert_int_equal(asked(&guard, "POST", lines, "xtoken=" TOKEN), 401);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        snprintf(lines, sizeof lines, BEARS "%s", bad[i]);
        assert_int_equal(asked(&guard, "POST", lines, ""), 403);
        assert_int_equal(asked(&guard, "GET", lines, ""), 0);
    }
}

static void read_only_and_no_token_take_no_action(void **state)
{
    struct guard guard = with_token(), open = {0};
    (void)state;
    guard.read_only = true;
    assert_int_equal(asked(&guard, "POST", BEARS, ""), 403);
    assert_int_equal(asked(&guard, "POST", HOST, ""), 401);
    assert_int_equal(asked(&guard, "GET", BEARS, ""), 0);
    assert_int_equal(asked(&open, "POST", HOST, ""), 403);
    assert_int_equal(asked(&open, "POST", HOST, "token=" TOKEN), 403);
}

static void a_field_is_found_by_its_whole_name(void **state)
{
    (void)state;
    assert_true(str_is(guard_field(STR("other=1&token=x"), "token"), "x"));
    assert_true(str_is(guard_field(STR("token=&a=1"), "token"), ""));
    assert_null(guard_field(STR("xtoken=1&tokens=2&token"), "token").ptr);
    assert_null(guard_field(STR(""), "token").ptr);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_token_only_names_of_this_machine_read),
        cmocka_unit_test(with_a_token_nobody_reads_without_it),
        cmocka_unit_test(an_action_comes_from_the_page_itself),
        cmocka_unit_test(read_only_and_no_token_take_no_action),
        cmocka_unit_test(a_field_is_found_by_its_whole_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
