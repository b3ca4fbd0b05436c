/* test_transport.c - HTTP calls of fibers against a server that refuses, resets, trickles,
 * overflows, hangs up between requests, and never answers. */
#include "jobq/units.h"
#include "live/aws/transport.h"
#include "tests/unit/live/script.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

/* ---- one call ----------------------------------------------------------------------------- */

struct got {
    const char *url;
    int64_t timeout_ns, reply_max, took_ns;
    bool poll;
    int code, status, tries;
    char body[4096];
    struct jobq_error err;
};

static int build(void *ctx, struct request *request, struct query *query,
                 struct jobq_error *err)
{
    (void)ctx;
    (void)query;
    (void)err;
    text_puts(&request->head, "X-Test: 1\r\n");
    text_puts(&request->body, "hello");
    return JOBQ_OK;
}

static int read_reply(void *ctx, const struct transport_call *call, struct jobq_str body,
                      struct jobq_error *err)
{
    struct got *got = ctx;
    (void)call;
    (void)err;
    snprintf(got->body, sizeof got->body, "%.*s", (int)body.len, body.ptr);
    return JOBQ_OK;
}

static void ask(struct live *live, void *ctx)
{
    struct got *got = ctx;
    char url[100];
    snprintf(url, sizeof url, "%s/", got->url);
    struct transport_call call = {.method = "POST",
                                  .url = url,
                                  .timeout_ns = got->timeout_ns ? got->timeout_ns
                                                                : 5 * JOBQ_NS_PER_S,
                                  .reply_max = got->reply_max ? got->reply_max : 1000,
                                  .poll = got->poll,
                                  .build = build,
                                  .read = read_reply,
                                  .ctx = got};
    int64_t begun_ns = loop_now_ns();
    got->code = transport_run(live->transport, &call, &got->err);
    got->took_ns = loop_now_ns() - begun_ns;
    got->status = call.status;
    got->tries = call.tries;
}

static struct got ask_once(void (*serve)(struct script *, int, int), struct got how)
{
    struct script script;
    script_start(&script, serve);
    how.url = script.url;
    script_live(ask, &how);
    script_stop(&script);
    return how;
}

/* ---- servers ------------------------------------------------------------------------------ */

static char request[8192];

static void answers(struct script *s, int fd, int nth)
{
    char own[8192];
    (void)nth;
    while (script_read(s, fd, own, sizeof own))
        script_reply(fd, "200 OK", "fine");
}

static void resets_in_mid_reply(struct script *s, int fd, int nth)
{
    (void)nth;
    script_read(s, fd, request, sizeof request);
    script_say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n0123456789");
    usleep(50000);
    script_reset(fd);
}

/* What libcurl makes of it is status 400 and an empty body. */
static void closes_in_its_head(struct script *s, int fd, int nth)
{
    (void)nth;
    script_read(s, fd, request, sizeof request);
    script_say(fd, "HTTP/1.1 400 Bad Request\r\nX-Amzn-RequestId: 1\r\nContent-Le");
}
static void refuses_without_a_word(struct script *s, int fd, int nth)
{
    (void)nth;
    script_read(s, fd, request, sizeof request);
    script_reply(fd, "400 Bad Request", "");
}

static void trickles_its_head(struct script *s, int fd, int nth)
{
    char byte[2] = "x";
    (void)nth;
    script_read(s, fd, request, sizeof request);
    script_say(fd, "HTTP/1.1 200 OK\r\nX: ");
    for (int i = 0; i < 40 && send(fd, byte, 1, MSG_NOSIGNAL) == 1; i++)
        usleep(50000);
}

static void answers_in_chunks(struct script *s, int fd, int nth)
{
    (void)nth;
    script_read(s, fd, request, sizeof request);
    script_say(fd, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
    usleep(20000);
    script_say(fd, "2;x=y\r\nde\r\n0\r\nTrailer: t\r\n\r\n");
}

static void says_continue_first(struct script *s, int fd, int nth)
{
    (void)nth;
    script_read(s, fd, request, sizeof request);
    script_say(fd, "HTTP/1.1 100 Continue\r\nX-Amzn-RequestId: first\r\n\r\n");
    usleep(20000);
    script_reply(fd, "200 OK", "after");
}

static void answers_too_much(struct script *s, int fd, int nth)
{
    char much[2001];
    (void)nth;
    memset(much, 'x', 2000);
    much[2000] = '\0';
    script_read(s, fd, request, sizeof request);
    script_reply(fd, "200 OK", much);
}

static void answers_garbage(struct script *s, int fd, int nth)
{
    (void)nth;
    script_read(s, fd, request, sizeof request);
    script_say(fd, "SSH-2.0-OpenSSH_9.2\r\n\r\n");
}

static void never_answers(struct script *s, int fd, int nth)
{
    (void)nth;
    while (script_read(s, fd, request, sizeof request))
        ;
}

static void redirects(struct script *s, int fd, int nth)
{
    (void)nth;
    script_read(s, fd, request, sizeof request);
    script_say(fd, "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\n"
                   "Content-Length: 0\r\n\r\n");
}

/* ---- tests -------------------------------------------------------------------------------- */

static void a_reply_is_read(void **state)
{
    (void)state;
    struct got got = ask_once(answers, (struct got){0});
    assert_int_equal(got.code, JOBQ_OK);
    assert_int_equal(got.status, 200);
    assert_int_equal(got.tries, 1);
    assert_string_equal(got.body, "fine");
    got = ask_once(answers_in_chunks, (struct got){0});
    assert_string_equal(got.body, "abcde");
    assert_non_null(strstr(request, "X-Test: 1\r\n"));
    assert_non_null(strstr(request, "\r\n\r\nhello"));
    got = ask_once(says_continue_first, (struct got){0});
    assert_int_equal(got.status, 200);
    assert_string_equal(got.body, "after");
    got = ask_once(redirects, (struct got){0});
    assert_int_equal(got.code, JOBQ_OK);
    assert_int_equal(got.status, 302);
}

static void broken_ones_are_told_apart(void **state)
{
    (void)state;
    struct got got = ask_once(NULL, (struct got){0});
    assert_int_equal(got.code, JOBQ_UNAVAILABLE);
    assert_int_equal(got.tries, 0); /* nothing was sent, nothing is billed */
    got = ask_once(resets_in_mid_reply, (struct got){0});
    assert_int_equal(got.code, JOBQ_UNAVAILABLE);
    assert_int_equal(got.tries, 1);
    got = ask_once(closes_in_its_head, (struct got){0});
    assert_int_equal(got.code, JOBQ_UNAVAILABLE);
    assert_int_equal(got.status, 0); /* nobody may judge by half an answer */
    assert_int_equal(got.tries, 1);
    got = ask_once(refuses_without_a_word, (struct got){0});
    assert_int_equal(got.code, JOBQ_OK);
    assert_int_equal(got.status, 400);
    got = ask_once(answers_too_much, (struct got){0});
    assert_int_equal(got.code, JOBQ_CORRUPT);
    assert_non_null(strstr(got.err.text, "exceeds '1000' bytes"));
    got = ask_once(answers_garbage, (struct got){0});
    assert_int_equal(got.code, JOBQ_CORRUPT);
}

static void a_deadline_is_one(void **state)
{
    (void)state;
    static void (*const slow[])(struct script *, int, int) = {never_answers,
                                                              trickles_its_head};
    for (int i = 0; i < 2; i++) {
        struct got got =
            ask_once(slow[i], (struct got){.timeout_ns = 400 * JOBQ_NS_PER_MS});
        assert_int_equal(got.code, JOBQ_TIMEOUT);
        assert_int_equal(got.tries, 1);
        assert_in_range(got.took_ns / JOBQ_NS_PER_MS, 390, 1500);
    }
}

/* The first connection serves one request and ends: at once behind it, or only when the second
 * request has come, which libcurl then sends again. */
static void ends_between(struct script *s, int fd, int nth)
{
    if (script_read(s, fd, request, sizeof request))
        script_reply(fd, "200 OK", "one");
    if (nth > 0)
        answers(s, fd, nth);
}
static void ends_on_the_second(struct script *s, int fd, int nth)
{
    ends_between(s, fd, nth);
    if (nth == 0)
        script_read(s, fd, request, sizeof request);
}

static void ask_twice(struct live *live, void *ctx)
{
    struct got *got = ctx;
    ask(live, &got[0]);
    fiber_sleep_until(live->sched, loop_now_ns() + 50 * JOBQ_NS_PER_MS);
    ask(live, &got[1]);
}

static void a_connection_that_was_closed_is_replaced(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        struct script script;
        script_start(&script, i ? ends_on_the_second : ends_between);
        struct got got[2] = {{.url = script.url}, {.url = script.url}};
        script_live(ask_twice, got);
        script_stop(&script);
        assert_int_equal(got[0].code, JOBQ_OK);
        assert_int_equal(got[1].code, JOBQ_OK);
        assert_string_equal(got[1].body, "one");
        assert_int_equal(got[1].tries, i ? 2 : 1); /* and the bill says so */
        assert_int_equal(script.connections, 2);
    }
}

static void abort_soon(void *ctx)
{
    struct live *live = ctx;
    fiber_sleep_until(live->sched, loop_now_ns() + 100 * JOBQ_NS_PER_MS);
    transport_abort_polls(live->transport);
}

static void ask_and_abort(struct live *live, void *ctx)
{
    fiber_spawn(live->backend.proc, abort_soon, live);
    ask(live, ctx);
}

/* Sees the half-close, and still gives what it has granted. */
static void grants_at_the_end(struct script *s, int fd, int nth)
{
    char byte;
    (void)nth;
    script_read(s, fd, request, sizeof request);
    while (recv(fd, &byte, 1, 0) > 0)
        ;
    script_reply(fd, "200 OK", "granted");
}
/* Does not care that nobody waits. */
static void grants_nothing(struct script *s, int fd, int nth)
{
    (void)nth;
    script_read(s, fd, request, sizeof request);
    usleep(2500000);
}

static void an_aborted_poll_loses_no_grant(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        struct script script;
        script_start(&script, i ? grants_nothing : grants_at_the_end);
        struct got got = {
            .url = script.url, .poll = true, .timeout_ns = 20 * JOBQ_NS_PER_S};
        script_live(ask_and_abort, &got);
        script_stop(&script);
        assert_int_equal(got.code, i ? JOBQ_CANCELLED : JOBQ_OK);
        assert_string_equal(got.body, i ? "" : "granted");
        assert_true(got.took_ns < 2 * JOBQ_NS_PER_S);
    }
}

enum { CROWD = 150 };
struct crowd {
    struct got got[CROWD];
    struct live *live;
    int left;
    struct fiber_cond done;
};
static struct crowd crowd;

static void ask_in_crowd(void *arg)
{
    ask(crowd.live, arg);
    if (--crowd.left == 0)
        fiber_cond_broadcast(&crowd.done);
}

static void ask_all(struct live *live, void *ctx)
{
    crowd.live = live;
    crowd.left = CROWD;
    for (int i = 0; i < CROWD; i++) {
        crowd.got[i] = (struct got){.url = ctx};
        fiber_spawn(live->backend.proc, ask_in_crowd, &crowd.got[i]);
    }
    while (crowd.left)
        fiber_cond_wait(live->sched, &crowd.done, JOBQ_FOREVER);
}

static void answers_late(struct script *s, int fd, int nth)
{
    char own[8192];
    (void)nth;
    while (script_read(s, fd, own, sizeof own)) {
        usleep(20000);
        script_reply(fd, "200 OK", "fine");
    }
}

static void no_more_than_its_calls_are_under_way(void **state)
{
    (void)state;
    struct script script;
    script_start(&script, answers_late);
    script_live(ask_all, script.url);
    script_stop(&script);
    for (int i = 0; i < CROWD; i++)
        assert_int_equal(crowd.got[i].code, JOBQ_OK);
    assert_int_equal(script.requests, CROWD);
    assert_in_range(script.open_most, 2, TRANSPORT_CALLS_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_reply_is_read),
        cmocka_unit_test(broken_ones_are_told_apart),
        cmocka_unit_test(a_deadline_is_one),
        cmocka_unit_test(a_connection_that_was_closed_is_replaced),
        cmocka_unit_test(an_aborted_poll_loses_no_grant),
        cmocka_unit_test(no_more_than_its_calls_are_under_way),
    };
    script_clear_environment();
    setenv("AWS_REGION", "us-east-1", 1);
    setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE", 1);
    setenv("AWS_SECRET_ACCESS_KEY", "secret", 1);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    rmdir(script_home());
    return failed;
}
