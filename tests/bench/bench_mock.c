/* bench_mock.c - requests a second of a server on loopback, over kept-alive connections.
 *
 *   bench_mock URL          a running SQS server: JSON and Query sends, receive 10 + delete
 *   bench_mock evhttp|net   an empty handler of libevent's evhttp or of src/net, the same
 *                           JSON requests
 *
 * One thread sends a request on each connection, then reads each reply whole; the server has
 * a core of its own where there are two. Options: -c connections (8), -s seconds (2), -m
 * messages queued first (0), -p PID of the server, whose memory is then told. */
#include "base/arena.h"
#include "base/text.h"
#include "net/http_server.h"

#include <arpa/inet.h>
#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/http.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CONNECTIONS_MAX = 64, REPLY_MAX = 256 * 1024 };

static int port, connections = 8, fd[CONNECTIONS_MAX];
static double seconds = 2;
static char reply[CONNECTIONS_MAX][REPLY_MAX];

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static void open_connections(void)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int one = 1;
    for (int i = 0; i < connections; i++) {
        fd[i] = socket(AF_INET, SOCK_STREAM, 0);
        for (int tries = 0; connect(fd[i], (struct sockaddr *)&to, sizeof to) < 0;
             tries++) {
            if (tries == 50)
                die("connect");
            usleep(100000);
        }
        setsockopt(fd[i], IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    }
}

static void send_all(int which, const char *bytes, size_t len)
{
    while (len > 0) {
        ssize_t sent = write(fd[which], bytes, len);
        if (sent <= 0)
            die("write");
        bytes += sent;
        len -= (size_t)sent;
    }
}

/* The body of the reply, terminated; dies unless its status is 200. */
static const char *read_reply(int which)
{
    char *at = reply[which];
    size_t len = 0, want = 0;
    do {
        ssize_t got = read(fd[which], at + len, REPLY_MAX - 1 - len);
        if (got <= 0)
            die("read");
        len += (size_t)got;
        at[len] = '\0';
        const char *end = strstr(at, "\r\n\r\n");
        const char *length = strcasestr(at, "\r\ncontent-length:");
        if (end && length)
            want = (size_t)(end + 4 - at) + strtoul(length + 17, NULL, 10);
    } while (want == 0 || len < want);
    if (strncmp(at, "HTTP/1.1 200", 12) != 0) {
        fprintf(stderr, "refused: %s\n", at);
        exit(1);
    }
    return strstr(at, "\r\n\r\n") + 4;
}

static void put_json(struct text *out, const char *action, const char *body)
{
    text_printf(
        out,
        "POST / HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nContent-Type: "
        "application/x-amz-json-1.0\r\nX-Amz-Target: AmazonSQS.%s\r\n"
        "Authorization: AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261124/us-east-1/"
        "sqs/aws4_request, SignedHeaders=host;x-amz-date;x-amz-target, Signature="
        "0000000000000000000000000000000000000000000000000000000000000000\r\n"
        "Content-Length: %d\r\n\r\n%s",
        port, action, (int)strlen(body), body);
}

static void put_query(struct text *out, const char *body)
{
    text_printf(
        out,
        "POST / HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nContent-Type: "
        "application/x-www-form-urlencoded\r\n"
        "Authorization: AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261124/us-east-1/"
        "sqs/aws4_request, SignedHeaders=host;x-amz-date, Signature="
        "0000000000000000000000000000000000000000000000000000000000000000\r\n"
        "Content-Length: %d\r\n\r\n%s",
        port, (int)strlen(body), body);
}

/* The same request on all connections for the time; returns requests a second. */
static double repeat(const struct text *request)
{
    int64_t start_ns = loop_now_ns(), took_ns, count = 0;
    do {
        for (int i = 0; i < connections; i++)
            send_all(i, request->ptr, request->len);
        for (int i = 0; i < connections; i++)
            read_reply(i);
        count += connections;
        took_ns = loop_now_ns() - start_ns;
    } while ((double)took_ns < seconds * 1e9);
    return (double)count * 1e9 / (double)took_ns;
}

/* The receipt of the next message at *at, which moves behind it; NULL: no more. */
static const char *next_receipt(char **at)
{
    char *receipt = *at ? strstr(*at, "\"ReceiptHandle\":\"") : NULL;
    if (!receipt)
        return *at = NULL;
    receipt += 17;
    char *end = strchr(receipt, '"');
    *end = '\0';
    *at = end + 1;
    return receipt;
}

/* One delete on each connection that has messages left. Returns how many. */
static int delete_next(const char *url, char **at, struct text *body,
                       struct text *request)
{
    bool asked[CONNECTIONS_MAX];
    int count = 0;
    for (int i = 0; i < connections; i++) {
        const char *receipt = next_receipt(&at[i]);
        asked[i] = receipt != NULL;
        if (!receipt)
            continue;
        text_clear(body);
        text_clear(request);
        text_printf(body, "{\"QueueUrl\":\"%s\",\"ReceiptHandle\":\"%s\"}", url, receipt);
        put_json(request, "DeleteMessage", body->ptr);
        send_all(i, request->ptr, request->len);
    }
    for (int i = 0; i < connections; i++)
        if (asked[i]) {
            read_reply(i);
            count++;
        }
    return count;
}

/* Each connection receives ten messages and deletes them one by one, all of them at work at
 * once; returns messages a second. */
static double receive_and_delete(const char *url)
{
    struct text receive = {0}, one = {0}, body = {0};
    char *all[CONNECTIONS_MAX], *at[CONNECTIONS_MAX];
    int64_t start_ns = loop_now_ns(), took_ns, count = 0;
    text_printf(&body, "{\"QueueUrl\":\"%s\",\"MaxNumberOfMessages\":10}", url);
    put_json(&receive, "ReceiveMessage", body.ptr);
    do {
        for (int i = 0; i < connections; i++)
            send_all(i, receive.ptr, receive.len);
        for (int i = 0; i < connections; i++)
            at[i] = all[i] = strdup(read_reply(i));
        int64_t before = count;
        for (int deleted; (deleted = delete_next(url, at, &body, &one)) > 0;)
            count += deleted;
        for (int i = 0; i < connections; i++)
            free(all[i]);
        took_ns = loop_now_ns() - start_ns;
        if (count == before)
            break; /* the queue is empty */
    } while ((double)took_ns < seconds * 1e9);
    text_release(&receive);
    text_release(&one);
    text_release(&body);
    return (double)count * 1e9 / (double)took_ns;
}

static long rss_kib(const char *pid)
{
    char path[64], line[256];
    long kib = 0;
    snprintf(path, sizeof path, "/proc/%s/status", pid);
    FILE *file = fopen(path, "r");
    while (file && fgets(line, sizeof line, file))
        if (strncmp(line, "VmRSS:", 6) == 0)
            kib = strtol(line + 6, NULL, 10);
    if (file)
        fclose(file);
    return kib;
}

static void fill(const char *url, long messages, const char *hundred)
{
    struct text request = {0}, body = {0};
    text_printf(&body, "{\"QueueUrl\":\"%s\",\"Entries\":[", url);
    for (int i = 0; i < 10; i++)
        text_printf(&body, "%s{\"Id\":\"%d\",\"MessageBody\":\"%s\"}", i ? "," : "", i,
                    hundred);
    text_puts(&body, "]}");
    put_json(&request, "SendMessageBatch", body.ptr);
    for (long sent = 0; sent < messages; sent += 10L * connections) {
        for (int i = 0; i < connections; i++)
            send_all(i, request.ptr, request.len);
        for (int i = 0; i < connections; i++)
            read_reply(i);
    }
    text_release(&request);
    text_release(&body);
}

static void bench_sqs(long messages, const char *pid)
{
    char hundred[101], url[200];
    struct text request = {0}, body = {0};
    memset(hundred, 'x', 100);
    hundred[100] = '\0';
    open_connections();
    put_json(&request, "CreateQueue", "{\"QueueName\":\"bench\"}");
    send_all(0, request.ptr, request.len);
    sscanf(strstr(read_reply(0), "http"), "%199[^\"]", url);
    long before_kib = pid ? rss_kib(pid) : 0;
    fill(url, messages, hundred);
    if (pid && messages > 0)
        printf("memory a queued message     %8.0f bytes beyond its body\n",
               (double)(rss_kib(pid) - before_kib) * 1024 / (double)messages - 100);
    if (messages > 0)
        printf("receive 10, delete singly   %8.0f messages/s (%ld queued)\n",
               receive_and_delete(url), messages);
    text_clear(&request);
    text_printf(&body, "{\"QueueUrl\":\"%s\",\"MessageBody\":\"%s\"}", url, hundred);
    put_json(&request, "SendMessage", body.ptr);
    printf("JSON SendMessage            %8.0f requests/s\n", repeat(&request));
    if (messages == 0)
        printf("receive 10, delete singly   %8.0f messages/s\n", receive_and_delete(url));
    if (!pid)
        return; /* fauxqs speaks JSON only */
    text_clear(&request);
    text_clear(&body);
    text_printf(&body, "Action=SendMessage&Version=2012-11-05&QueueUrl=%s&MessageBody=%s",
                url, hundred);
    put_query(&request, body.ptr);
    printf("Query SendMessage           %8.0f requests/s\n", repeat(&request));
}

/* ---- empty handlers ------------------------------------------------------------------- */

static const char empty_body[] =
    "{\"MessageId\":\"5fea7756-0ea4-451a-a703-a558b933e274\",\"MD5OfMessageBody\":"
    "\"fafb00f5732ab283681e124bf8747ed1\"}";

static void answer_ev(struct evhttp_request *request, void *ctx)
{
    struct evbuffer *out = evbuffer_new();
    (void)ctx;
    evbuffer_add(out, empty_body, sizeof empty_body - 1);
    evhttp_send_reply(request, 200, "OK", out);
    evbuffer_free(out);
}

static void answer_net(void *ctx, struct http_exchange *x, const struct http_request *r)
{
    (void)ctx;
    (void)r;
    struct http_reply out = {.status = 200,
                             .content_type = STR("application/x-amz-json-1.0"),
                             .body = STR("{\"MessageId\":\"5fea7756-0ea4-451a-a703-"
                                         "a558b933e274\",\"MD5OfMessageBody\":"
                                         "\"fafb00f5732ab283681e124bf8747ed1\"}")};
    http_reply(x, &out);
}

static void serve_empty(bool ev, int out)
{
    if (ev) {
        struct event_base *base = event_base_new();
        struct evhttp *http = evhttp_new(base);
        struct evhttp_bound_socket *bound =
            evhttp_bind_socket_with_handle(http, "127.0.0.1", 0);
        struct sockaddr_in at;
        socklen_t len = sizeof at;
        getsockname(evhttp_bound_socket_get_fd(bound), (struct sockaddr *)&at, &len);
        int given = ntohs(at.sin_port);
        evhttp_set_gencb(http, answer_ev, NULL);
        if (write(out, &given, sizeof given) < 0)
            die("pipe");
        event_base_dispatch(base);
    } else {
        struct jobq_error err;
        struct http_limits limits = {.body_bytes = 1 << 20};
        loop_ignore_pipe();
        struct loop *loop = loop_new(&err);
        struct http_server *server = http_server_new(loop, &limits, answer_net, NULL);
        int given = http_server_listen(server, "127.0.0.1", 0, &err);
        if (write(out, &given, sizeof given) < 0)
            die("pipe");
        loop_run(loop, &err);
    }
    exit(0);
}

static void bench_empty(bool ev)
{
    char hundred[101];
    int pipes[2];
    struct text request = {0}, body = {0};
    if (pipe(pipes) < 0)
        die("pipe");
    pid_t pid = fork();
    if (pid == 0)
        serve_empty(ev, pipes[1]);
    if (read(pipes[0], &port, sizeof port) != sizeof port)
        die("pipe");
    open_connections();
    memset(hundred, 'x', 100);
    hundred[100] = '\0';
    text_printf(&body,
                "{\"QueueUrl\":\"http://127.0.0.1:%d/123456789012/bench\","
                "\"MessageBody\":\"%s\"}",
                port, hundred);
    put_json(&request, "SendMessage", body.ptr);
    printf("empty handler, %-7s      %8.0f requests/s\n", ev ? "evhttp" : "src/net",
           repeat(&request));
    kill(pid, SIGKILL);
}

int main(int argc, char **argv)
{
    const char *pid = NULL;
    long messages = 0;
    int key;
    while ((key = getopt(argc, argv, "c:s:m:p:")) != -1) {
        if (key == 'c')
            connections = atoi(optarg);
        else if (key == 's')
            seconds = atof(optarg);
        else if (key == 'm')
            messages = atol(optarg);
        else if (key == 'p')
            pid = optarg;
        else
            return 2;
    }
    if (optind >= argc || connections < 1 || connections > CONNECTIONS_MAX)
        return 2;
    setvbuf(stdout, NULL, _IOLBF, 0);
    const char *colon = strrchr(argv[optind], ':');
    if (colon) {
        port = atoi(colon + 1);
        bench_sqs(messages, pid);
    } else {
        bench_empty(strcmp(argv[optind], "evhttp") == 0);
    }
    return 0;
}
