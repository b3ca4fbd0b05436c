/* empty_http.c - what a request costs when nothing is done for it.
 *
 * Room:     tests/bench.
 * Callers:  bench_mock.py. `empty_http evhttp|net` prints "ready URL" and answers every
 *           request with the same 150 bytes, by libevent's evhttp or by src/net. */
#include "base/text.h"
#include "jobq/units.h"
#include "net/http_server.h"

#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

static const char answer[] =
    "{\"MD5OfMessageBody\":\"0a77b0642718c3d9dd47090567d11e0d\",\"MessageId\":"
    "\"5fea7756-0ea4-451a-a703-a558b933e274\",\"Padding\":\"012345678901234567890123\"}";

static void evhttp_answer(struct evhttp_request *request, void *ctx)
{
    struct evbuffer *body = ctx;
    evhttp_add_header(evhttp_request_get_output_headers(request), "Content-Type",
                      "application/x-amz-json-1.0");
    evbuffer_add_reference(body, answer, sizeof answer - 1, NULL, NULL);
    evhttp_send_reply(request, 200, "OK", body);
}

static int run_evhttp(void)
{
    struct event_base *base = event_base_new();
    struct evhttp *http = evhttp_new(base);
    struct evhttp_bound_socket *bound =
        evhttp_bind_socket_with_handle(http, "127.0.0.1", 0);
    struct sockaddr_in address;
    socklen_t len = sizeof address;
    if (!bound)
        return 1;
    getsockname(evhttp_bound_socket_get_fd(bound), (struct sockaddr *)&address, &len);
    evhttp_set_gencb(http, evhttp_answer, evbuffer_new());
    printf("ready http://127.0.0.1:%d\n", ntohs(address.sin_port));
    fflush(stdout);
    return event_base_dispatch(base);
}

static void net_answer(void *ctx, struct http_exchange *x,
                       const struct http_request *request)
{
    (void)ctx;
    (void)request;
    struct http_reply reply = {.status = 200,
                               .content_type = STR("application/x-amz-json-1.0"),
                               .body = {answer, sizeof answer - 1}};
    http_reply(x, &reply);
}

static int run_net(void)
{
    struct jobq_error err;
    struct loop *loop = loop_new(&err);
    struct http_limits limits = {.body_bytes = JOBQ_MIB};
    struct http_server *server = http_server_new(loop, &limits, net_answer, NULL);
    int port = http_server_listen(server, "127.0.0.1", 0, &err);
    if (port < 0)
        return 1;
    printf("ready http://127.0.0.1:%d\n", port);
    fflush(stdout);
    return loop_run(loop, &err);
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "evhttp") == 0)
        return run_evhttp();
    if (argc == 2 && strcmp(argv[1], "net") == 0)
        return run_net();
    fprintf(stderr, "usage: empty_http evhttp|net\n");
    return 2;
}
