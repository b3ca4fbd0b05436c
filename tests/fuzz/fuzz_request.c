/* fuzz_request.c - any bytes as what clients send to a whole jobqmock: HTTP, routing, decoding,
 * models, replies, over a socketpair, with the clock standing still.
 *
 * An input is segments that 0x1e separates; each is sent when the one before it was answered,
 * over a new connection where the last was closed. Within a segment "$KEM" stands for
 * something of the replies so far (request_reply.h): K says what, E 'q' percent-encodes it, M
 * other than '.' changes it; "$C.." for the bytes behind the segment's first empty line. An
 * input that begins with '!' meets a mock that checks signatures.
 *
 * Promised of each: every reply is well-formed and of bounded size; none is an internal error
 * unless faults were asked for; a long poll ends; the next client is served; and cut into
 * other pieces, the same bytes get the same answers. */
#include "cost_driver.h"
#include "request_reply.h"

#include "base/arena.h"
#include "sim/mock/server/mock.h"
#include "sim/mock/sqs/receive.h"
#include "sim/mock/server/process.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define EPOCH_NS (1764000000 * JOBQ_NS_PER_S)

enum { SEGMENT = 0x1e, LONGEST_POLL_S = 20, PIPELINED_MAX = 1000 };

struct session {
    struct mock *mock;
    int fd, served_fd; /* -1: none */
    struct reply_reader reader;
};

static void stop_clock(struct mock *mock, int64_t at_ns)
{
    mock_set_clock(mock, at_ns, 0);
}

/* Lists are bounded by their pages and a launch by its limit, but the list of all boxes only
 * by those that were launched: before the segment, or in it. */
static int64_t longest_body(const struct session *s, struct jobq_str segment)
{
    int64_t boxes = 0, requests = 1;
    for (int i = 0; i < s->mock->region_count; i++)
        boxes += ec2_instance_count(s->mock->region[i]->ec2);
    for (int64_t i = 0; i < segment.len; i++)
        requests +=
            segment.ptr[i] == '\r' && i + 2 < segment.len && segment.ptr[i + 2] == '\r';
    return requests * 4 * JOBQ_MIB + boxes * 4 * JOBQ_KIB;
}

static void connect_session(struct session *s)
{
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair) != 0)
        fuzz_fail("no socket pair");
    s->fd = pair[0];
    s->served_fd = pair[1];
    http_server_adopt(s->mock->server, pair[1]);
}

static void disconnect_session(struct session *s)
{
    if (s->fd >= 0)
        close(s->fd);
    s->fd = -1;
}

/* True if bytes came. False: none, or the end, which closes. */
static bool listen_once(struct session *s)
{
    char bytes[16384];
    bool any = false;
    while (s->fd >= 0) {
        ssize_t got = read(s->fd, bytes, sizeof bytes);
        if (got < 0 && errno == EAGAIN)
            break;
        if (got <= 0) {
            disconnect_session(s);
            break;
        }
        text_put(&s->reader.got, bytes, (size_t)got);
        any = true;
    }
    return any;
}

/* Turn the loop until the mock has taken all and has no more to say. */
static void settle(struct session *s)
{
    struct jobq_error err;
    int unread = -1;
    for (int idle = 0; idle < 2;) {
        int left = 0;
        if (loop_turn(s->mock->loop, false, &err) < 0)
            fuzz_fail(err.text);
        bool any = listen_once(s);
        if (s->fd >= 0)
            ioctl(s->served_fd, FIONREAD, &left);
        idle = any || left != unread ? 0 : idle + 1;
        unread = left;
    }
}

/* step: bytes a time. What the mock does not take is left out. */
static void say(struct session *s, const char *bytes, size_t len, size_t step)
{
    for (size_t at = 0; at < len && s->fd >= 0;) {
        size_t piece = len - at < step ? len - at : step;
        ssize_t put = send(s->fd, bytes + at, piece, MSG_NOSIGNAL);
        settle(s);
        if (put <= 0)
            return;
        at += (size_t)put;
    }
}

static struct mock *new_mock(bool checks)
{
    struct jobq_error err;
    static struct mock_options options[2];
    struct mock_options *o = &options[checks];
    *o = (struct mock_options){.host = "127.0.0.1",
                               .model = "aws-2026",
                               .account = "123456789012",
                               .seed = 1,
                               .seeded = true,
                               .speed = 1,
                               .max_connections = 100,
                               .max_buffer_bytes = 256 * JOBQ_MIB,
                               .auth_check = checks};
    struct mock *mock = process_new(o, &err);
    if (!mock)
        fuzz_fail(err.text);
    dice_init(&mock->id_dice, 1, "request", 0);
    mock->model_base_ns = EPOCH_NS;
    stop_clock(mock, EPOCH_NS);
    return mock;
}

/* Long polls end, and a client that did nothing wrong is served. */
static void check_end(struct session *s)
{
    struct mock *mock = s->mock;
    /* One connection may have pipelined many, which wait one after the other. */
    for (int i = 0; i < PIPELINED_MAX && mock_wait_count(mock->waits) > 0; i++) {
        stop_clock(mock, mock_now_ns(mock) + (LONGEST_POLL_S + 1) * JOBQ_NS_PER_S);
        settle(s);
    }
    if (mock_wait_count(mock->waits) > 0 && !s->reader.faults)
        fuzz_fail("a long poll that does not end");
    reply_read(&s->reader);
    disconnect_session(s);
    settle(s);
    struct text before = s->reader.log;
    s->reader.log = (struct text){0};
    static const char good[] = "GET /_jobq/healthz HTTP/1.1\r\nHost: x\r\n\r\n";
    connect_session(s);
    say(s, good, sizeof good - 1, sizeof good);
    reply_read(&s->reader);
    if (s->reader.log.len == 0 || !strstr(s->reader.log.ptr, "\"ok\""))
        fuzz_fail("the next client is not served");
    disconnect_session(s);
    text_release(&s->reader.log);
    s->reader.log = before;
}

/* Returns what was answered, without interim replies. */
static struct text run(const char *data, size_t size, size_t step, bool *comparable)
{
    bool checks = size > 0 && data[0] == '!';
    struct session s = {
        .mock = new_mock(checks), .fd = -1, .reader = {.body_max = 4 * JOBQ_MIB}};
    struct text segment = {0};
    for (size_t at = checks; at < size;) {
        const char *end = memchr(data + at, SEGMENT, size - at);
        size_t len = end ? (size_t)(end - data) - at : size - at;
        if (s.fd < 0) {
            reply_read(&s.reader);
            connect_session(&s);
        }
        reply_expand(&s.reader, data + at, len, &segment);
        reply_asked(&s.reader, text_str(&segment));
        s.reader.body_max = longest_body(&s, text_str(&segment));
        say(&s, segment.ptr, segment.len, step);
        reply_read(&s.reader);
        at += len + 1;
    }
    *comparable = !checks && s.mock->speed == 0 && !s.reader.faults && !s.reader.metrics;
    check_end(&s);
    process_free(s.mock);
    text_release(&segment);
    return reply_release(&s.reader);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    bool comparable, still;
    uint32_t hash = 2166136261u;
    for (size_t i = 0; i < size; i++)
        hash = (hash ^ data[i]) * 16777619u;
    struct text whole = run((const char *)data, size, SIZE_MAX, &comparable);
    if (comparable && hash % 8 == 0) {
        struct text cut = run((const char *)data, size, 1 + hash / 8 % 300, &still);
        if (cut.len != whole.len || (cut.len && memcmp(cut.ptr, whole.ptr, cut.len) != 0))
            fuzz_fail("cut into pieces, the bytes get other answers");
        text_release(&cut);
    }
    text_release(&whole);
    return 0;
}
