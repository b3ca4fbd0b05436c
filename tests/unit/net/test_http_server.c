/* test_http_server.c - the server against clients that trickle, shout, pipeline, do not read
 * and hang up. The server runs on a thread of its own, with limits of a fraction of a second;
 * its sweep comes once a second, so that a wait ends within its limit and 1 s. */
#include "net/http_server.h"

#include "base/arena.h"
#include "base/text.h"
#include "jobq/units.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

enum { LATER_MS = 100, BIG_BYTES = 256 * 1024, LATER_MAX = 16, CONNECTIONS = 8 };

static struct served {
    struct loop *loop;
    struct http_server *server;
    struct loop_timer *timer;
    struct http_exchange *later[LATER_MAX];
    int later_count, port;
    pthread_t thread;
    atomic_int requests, gone;
} served;

static void reply(struct http_exchange *x, struct jobq_str body)
{
    struct http_reply out = {.status = 200, .body = body};
    http_reply(x, &out);
}

static bool answer_comes(void *ctx)
{
    (void)ctx;
    served.gone++;
    return true;
}

static void answer_later(void *ctx)
{
    (void)ctx;
    while (served.later_count > 0)
        reply(served.later[--served.later_count], STR("later"));
}

/* /big is a long answer, /later one that comes after LATER_MS, /stop ends the server; any
 * other path is its own answer. */
static void handle(void *ctx, struct http_exchange *x, const struct http_request *request)
{
    (void)ctx;
    served.requests++;
    if (str_is(request->path, "/big")) {
        static char big[BIG_BYTES];
        reply(x, (struct jobq_str){big, sizeof big});
    } else if (str_is(request->path, "/later")) {
        http_on_gone(x, answer_comes, NULL);
        served.later[served.later_count++] = x;
        loop_timer_set(served.timer, loop_now_ns() + LATER_MS * JOBQ_NS_PER_MS);
    } else if (str_is(request->path, "/stop")) {
        loop_stop(served.loop);
        reply(x, request->path);
    } else {
        reply(x, request->path);
    }
}

static void *run(void *ctx)
{
    struct jobq_error err;
    (void)ctx;
    loop_run(served.loop, &err);
    return NULL;
}

static int start_with(bool newest_first)
{
    struct jobq_error err;
    struct http_limits limits = {.head_bytes = 1024,
                                 .body_bytes = 1024,
                                 .pipeline_bytes = 1024,
                                 .request_ns = 300 * JOBQ_NS_PER_MS,
                                 .idle_ns = 700 * JOBQ_NS_PER_MS,
                                 .write_ns = 300 * JOBQ_NS_PER_MS,
                                 .connections = CONNECTIONS,
                                 .newest_first = newest_first};
    loop_ignore_pipe();
    served = (struct served){.loop = loop_new(&err)};
    served.server = http_server_new(served.loop, &limits, handle, NULL);
    served.timer = loop_timer_new(served.loop, answer_later, NULL);
    served.port = http_server_listen(served.server, "127.0.0.1", 0, &err);
    return served.port > 0 ? pthread_create(&served.thread, NULL, run, NULL) : -1;
}

static int start(void **context)
{
    (void)context;
    return start_with(false);
}

static int start_newest_first(void **context)
{
    (void)context;
    return start_with(true);
}

/* ---- clients ------------------------------------------------------------------------------ */

static int open_client(void)
{
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)served.port)};
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    struct timeval limit = {.tv_sec = 10};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
    return fd;
}

static void say(int fd, const char *bytes)
{
    assert_int_equal(send(fd, bytes, strlen(bytes), MSG_NOSIGNAL),
                     (ssize_t)strlen(bytes));
}

static void ask(int fd, const char *path)
{
    char request[128];
    snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: x\r\n\r\n", path);
    say(fd, request);
}

/* Reads until `text` has come as the end of what came, or the connection ends. */
static bool receives(int fd, const char *text)
{
    char got[8192];
    size_t len = 0, want = strlen(text);
    while (len < sizeof got) {
        ssize_t more = recv(fd, got + len, sizeof got - len, 0);
        if (more <= 0)
            return false;
        len += (size_t)more;
        if (len >= want && memcmp(got + len - want, text, want) == 0)
            return true;
    }
    return false;
}

static bool is_served(void)
{
    int fd = open_client();
    ask(fd, "/ok");
    bool answered = receives(fd, "/ok");
    close(fd);
    return answered;
}

/* The bytes that came before the server closed, or -1: it did not within 10 s. */
static int64_t read_to_end(int fd)
{
    static char got[65536];
    int64_t len = 0;
    for (;;) {
        ssize_t more = recv(fd, got, sizeof got, 0);
        if (more == 0 || (more < 0 && errno == ECONNRESET))
            return len;
        if (more < 0)
            return -1;
        len += more;
    }
}

/* Ends by a reset. */
static void slam(int fd)
{
    struct linger now = {.l_onoff = 1, .l_linger = 0};
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    close(fd);
}

static int stop(void **context)
{
    (void)context;
    int fd = open_client();
    ask(fd, "/stop");
    pthread_join(served.thread, NULL);
    close(fd);
    http_server_free(served.server);
    loop_timer_free(served.timer);
    loop_free(served.loop);
    return 0;
}

/* ---- tests -------------------------------------------------------------------------------- */

/* A byte every 20 ms; returns after how long the server closed, in ms, or -1. */
static int64_t trickle(const char *begin)
{
    int fd = open_client();
    int64_t start_ns = loop_now_ns();
    say(fd, begin);
    for (;;) {
        int64_t passed_ms = (loop_now_ns() - start_ns) / JOBQ_NS_PER_MS;
        struct pollfd ready = {.fd = fd, .events = POLLIN};
        if (poll(&ready, 1, 20) > 0 || send(fd, "x", 1, MSG_NOSIGNAL) != 1) {
            close(fd);
            return passed_ms;
        }
        if (passed_ms > 8000)
            return -1;
    }
}

static void closes_on_who_trickles(void **context)
{
    (void)context;
    static const char *const begin[] = {
        "GET /",
        "GET / HTTP/1.1\r\nX: ", "POST / HTTP/1.1\r\nContent-Length: 900\r\n\r\n",
        "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n384\r\n"};
    for (size_t i = 0; i < sizeof begin / sizeof begin[0]; i++) {
        int64_t ms = trickle(begin[i]);
        assert_in_range(ms, 300, 3000);
        assert_true(is_served());
    }
    assert_int_equal(served.requests, 4); /* is_served's own */
}

static void closes_on_who_says_nothing(void **context)
{
    (void)context;
    int fresh = open_client(), served_once = open_client();
    int64_t start_ns = loop_now_ns();
    ask(served_once, "/a");
    assert_true(receives(served_once, "/a"));
    assert_int_equal(read_to_end(fresh), 0);
    assert_int_equal(read_to_end(served_once), 0);
    assert_in_range((loop_now_ns() - start_ns) / JOBQ_NS_PER_MS, 700, 4000);
    close(fresh);
    close(served_once);
}

static void refused_by(const char *request, const char *status)
{
    int fd = open_client();
    char got[2048];
    say(fd, request);
    size_t len = 0;
    ssize_t more;
    while ((more = recv(fd, got + len, sizeof got - len - 1, 0)) > 0)
        len += (size_t)more;
    got[len] = '\0';
    assert_memory_equal(got + 9, status, 3);
    assert_non_null(strstr(got, "\r\nConnection: close\r\n"));
    close(fd);
}

static void refuses_what_is_too_much(void **context)
{
    (void)context;
    char much[4096], *at = much;
    for (at += sprintf(at, "GET / HTTP/1.1\r\n"); at < much + 900;)
        at += sprintf(at, "A:\r\n"); /* more headers than HTTP_HEADERS_MAX */
    strcpy(at, "\r\n");
    refused_by(much, "431");
    memset(much, 'x', 1100);
    memcpy(much, "GET /", 5); /* a head without an end */
    much[1100] = '\0';
    refused_by(much, "431");
    refused_by("POST / HTTP/1.1\r\nContent-Length: 1025\r\n\r\n", "413");
    refused_by("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n401\r\n", "413");
    assert_int_equal(served.requests, 0);
    assert_true(is_served());
}

static void answers_in_order(void **context)
{
    (void)context;
    int fd = open_client();
    struct text all = {0}, want = {0};
    for (int i = 0; i < 200; i++)
        text_printf(&all, "GET /%s%d HTTP/1.1\r\n\r\n", i % 50 == 7 ? "later" : "n", i);
    /* "/later7" is answered at once; the real one holds up all behind it. */
    text_printf(&all, "GET /later HTTP/1.1\r\n\r\nGET /last HTTP/1.1\r\n\r\n");
    say(fd, all.ptr);
    for (int i = 0; i < 200; i++)
        text_printf(&want, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n/%s%d",
                    (i % 50 == 7 ? 6 : 2) + (i < 10    ? 1
                                             : i < 100 ? 2
                                                       : 3),
                    i % 50 == 7 ? "later" : "n", i);
    text_puts(&want, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nlater");
    text_puts(&want, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n/last");
    char *got = xmalloc(want.len);
    for (size_t len = 0; len < want.len;) {
        ssize_t more = recv(fd, got + len, want.len - len, 0);
        assert_true(more > 0);
        len += (size_t)more;
    }
    assert_memory_equal(got, want.ptr, want.len);
    free(got);
    text_release(&all);
    text_release(&want);
    close(fd);
}

/* Sends until the kernel takes no more; returns how many bytes it took. */
static int64_t stuff(int fd, const char *request)
{
    int64_t took = 0;
    for (int tries = 0; tries < 20;) {
        ssize_t sent = send(fd, request, strlen(request), MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent > 0) {
            took += sent;
            tries = 0;
        } else if (errno == EAGAIN) {
            tries++;
            usleep(5000);
        } else {
            break;
        }
    }
    return took;
}

static void stops_serving_who_does_not_read(void **context)
{
    (void)context;
    int fd = open_client(), small = 4096;
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    stuff(fd, "GET /big HTTP/1.1\r\n\r\n");
    /* 4 MiB of answers wait at most, one more that passed the mark, and what the kernel
     * holds. */
    assert_in_range(served.requests, 2, (4 * 1024 * 1024 + 4194304) / BIG_BYTES + 2);
    assert_true(is_served());
    int before = served.requests;
    usleep(2000000); /* nothing is taken for write_ns, and a sweep comes */
    assert_int_equal(served.requests, before);
    assert_int_equal(http_server_connections(served.server), 0);
    close(fd);
}

/* The client is gone while two answers are on their way: one that it does not read, one that
 * is not made yet. */
static void outlives_who_hangs_up(void **context)
{
    (void)context;
    for (int i = 0; i < 8; i++) {
        int fd = open_client(), small = 4096;
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
        for (int k = 0; k < 12; k++)
            ask(fd, "/big");
        ask(fd, "/later");
        while (served.requests < 13 * (i + 1))
            usleep(1000);
        slam(fd);
    }
    usleep(2 * LATER_MS * 1000);
    assert_true(is_served());
    assert_int_equal(served.later_count, 0);
    usleep(50000);
    assert_in_range(http_server_connections(served.server), 0, 1);
}

static void holds_no_more_than_its_connections(void **context)
{
    (void)context;
    int fd[CONNECTIONS];
    for (int i = 0; i < CONNECTIONS; i++) {
        fd[i] = open_client();
        ask(fd[i], "/a");
        assert_true(receives(fd[i], "/a"));
    }
    int one_more = open_client(); /* the kernel takes it, nobody else */
    ask(one_more, "/b");
    struct pollfd ready = {.fd = one_more, .events = POLLIN};
    assert_int_equal(poll(&ready, 1, 100), 0);
    close(fd[0]);
    assert_true(receives(one_more, "/b"));
    for (int i = 1; i < CONNECTIONS; i++)
        close(fd[i]);
    close(one_more);
}

/* Many that never finish their requests: whoever comes is served at once, and no more than the
 * limit are held. */
static void serves_past_any_number_of_half_open_ones(void **context)
{
    (void)context;
    enum { MANY = 20 * CONNECTIONS };
    static int fd[MANY];
    for (int i = 0; i < MANY; i++) {
        fd[i] = open_client();
        send(fd[i], "GET / HTTP/1.1\r\nX: ", 19, MSG_NOSIGNAL);
    }
    int64_t begun_ns = loop_now_ns();
    assert_true(is_served());
    /* Before any of their times is over. */
    assert_true(loop_now_ns() - begun_ns < 250 * JOBQ_NS_PER_MS);
    assert_in_range(http_server_connections(served.server), 0, CONNECTIONS + 64);
    for (int i = 0; i < MANY; i++)
        close(fd[i]);
}

/* The server's socket of this client: both ends are this process's. */
static int other_end(int fd)
{
    struct sockaddr_in mine, peer;
    socklen_t len = sizeof mine;
    getsockname(fd, (struct sockaddr *)&mine, &len);
    for (int other = 3; other < 256; other++) {
        len = sizeof peer;
        if (other != fd && getpeername(other, (struct sockaddr *)&peer, &len) == 0 &&
            peer.sin_port == mine.sin_port)
            return other;
    }
    return -1;
}

static void writes_each_answer_once_and_at_once(void **context)
{
    (void)context;
    int fd = open_client(), nodelay = 0;
    struct tcp_info info;
    for (int i = 0; i < 50; i++) {
        ask(fd, "/a");
        assert_true(receives(fd, "/a"));
    }
    socklen_t len = sizeof info;
    assert_int_equal(getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len), 0);
    assert_int_equal(info.tcpi_data_segs_in, 50);
    len = sizeof nodelay;
    getsockopt(other_end(fd), IPPROTO_TCP, TCP_NODELAY, &nodelay, &len);
    assert_true(nodelay);
    close(fd);
}

/* Content-Length tells of the body that GET would get; the next answer follows the head. */
static void answers_head_without_a_body(void **context)
{
    (void)context;
    int fd = open_client();
    say(fd, "HEAD /long HTTP/1.1\r\n\r\nGET /b HTTP/1.1\r\n\r\n");
    assert_true(receives(fd, "Content-Length: 5\r\n\r\n"
                             "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n/b"));
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(closes_on_who_trickles, start, stop),
        cmocka_unit_test_setup_teardown(closes_on_who_says_nothing, start, stop),
        cmocka_unit_test_setup_teardown(refuses_what_is_too_much, start, stop),
        cmocka_unit_test_setup_teardown(answers_in_order, start, stop),
        cmocka_unit_test_setup_teardown(stops_serving_who_does_not_read, start, stop),
        cmocka_unit_test_setup_teardown(outlives_who_hangs_up, start, stop),
        cmocka_unit_test_setup_teardown(holds_no_more_than_its_connections, start, stop),
        cmocka_unit_test_setup_teardown(serves_past_any_number_of_half_open_ones,
                                        start_newest_first, stop),
        cmocka_unit_test_setup_teardown(writes_each_answer_once_and_at_once, start, stop),
        cmocka_unit_test_setup_teardown(answers_head_without_a_body, start, stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
