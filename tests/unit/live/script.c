#include "tests/unit/live/script.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

struct connection {
    struct script *script;
    int fd, nth;
};

static void *serve_one(void *arg)
{
    struct connection c = *(struct connection *)arg;
    free(arg);
    int open = ++c.script->open;
    if (open > c.script->open_most)
        c.script->open_most = open;
    c.script->serve(c.script, c.fd, c.nth);
    close(c.fd);
    c.script->open--;
    return NULL;
}

static void *accept_all(void *arg)
{
    struct script *script = arg;
    for (int fd; (fd = accept(script->listener, NULL, NULL)) >= 0;) {
        struct connection *c = malloc(sizeof *c);
        pthread_t thread;
        *c = (struct connection){script, fd, script->connections++};
        pthread_create(&thread, NULL, serve_one, c);
        pthread_detach(thread);
    }
    return NULL;
}

void script_start(struct script *script,
                  void (*serve)(struct script *script, int fd, int nth))
{
    struct sockaddr_in at = {.sin_family = AF_INET};
    socklen_t len = sizeof at;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    *script = (struct script){.serve = serve,
                              .listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    assert_int_equal(bind(script->listener, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(getsockname(script->listener, (struct sockaddr *)&at, &len), 0);
    script->port = ntohs(at.sin_port);
    snprintf(script->url, sizeof script->url, "http://127.0.0.1:%d", script->port);
    if (!serve)
        return;
    assert_int_equal(listen(script->listener, 256), 0);
    assert_int_equal(pthread_create(&script->thread, NULL, accept_all, script), 0);
}

void script_stop(struct script *script)
{
    shutdown(script->listener, SHUT_RDWR);
    if (script->serve)
        pthread_join(script->thread, NULL);
    close(script->listener);
    /* A test that failed has left its connections open. */
    for (int i = 0; script->open && i < 3000; i++)
        usleep(1000);
}

bool script_read(struct script *script, int fd, char *out, size_t cap)
{
    size_t len = 0, want = 0;
    while (!want || len < want) {
        ssize_t got = recv(fd, out + len, cap - 1 - len, 0);
        if (got <= 0)
            return false;
        len += (size_t)got;
        out[len] = '\0';
        const char *end = strstr(out, "\r\n\r\n");
        const char *body = strcasestr(out, "\r\ncontent-length:");
        if (end && !want)
            want = (size_t)(end + 4 - out) + (body ? (size_t)atol(body + 17) : 0);
    }
    script->requests++;
    return true;
}

void script_say(int fd, const char *text)
{
    send(fd, text, strlen(text), MSG_NOSIGNAL);
}

void script_reply(int fd, const char *status, const char *body)
{
    char text[4096];
    snprintf(text, sizeof text, "HTTP/1.1 %s\r\nContent-Length: %zu\r\n\r\n%s", status,
             strlen(body), body);
    script_say(fd, text);
}

void script_reset(int fd)
{
    struct linger now = {.l_onoff = 1, .l_linger = 0};
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
}

const char *script_home(void)
{
    static char home[] = "/tmp/jobq-home-XXXXXX";
    static bool made;
    if (!made)
        made = mkdtemp(home) != NULL;
    return home;
}

void script_clear_environment(void)
{
    clearenv();
    setenv("PATH", "/usr/bin:/bin", 1);
    setenv("HOME", script_home(), 1);
}

struct on_fiber {
    struct live live;
    void (*fn)(struct live *live, void *ctx);
    void *ctx;
};

static void run_fiber(void *arg)
{
    struct on_fiber *o = arg;
    o->fn(&o->live, o->ctx);
    live_end(&o->live);
}

void script_live(void (*fn)(struct live *live, void *ctx), void *ctx)
{
    struct on_fiber *o = calloc(1, sizeof *o);
    struct live_options options = {.stack_bytes = 256 << 10}; /* cmocka's own needs */
    struct jobq_error err;
    o->fn = fn;
    o->ctx = ctx;
    loop_ignore_pipe();
    if (live_open(&o->live, &options, &err) < 0)
        fail_msg("%s", err.text);
    live_run(&o->live, run_fiber, o, &err);
    live_close(&o->live);
    free(o);
}
