#include "live/aws/transport.h"

#include "base/arena.h"
#include "jobq/units.h"

#include <curl/curl.h>
#include <event2/event.h>

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

enum {
    HEAD_LINES_MAX = 16,
    CONNECT_MS = 5000,
    LOCAL_CONNECT_MS = 1000,
    ABORT_WAIT_MS = 1000,
    CONNECTIONS_KEPT = 128,
    TRIES_MAX = 2
};

/* One transfer's libcurl handle and buffers; reused, because making one costs more than a
 * request does. */
struct lane {
    struct transport *transport;
    struct transport_call *call;
    CURL *easy;
    struct request request;
    struct query query;
    struct text head, reply; /* head: lines cut into strings for libcurl */
    struct curl_slist line[HEAD_LINES_MAX];
    char error[CURL_ERROR_SIZE];
    curl_socket_t socket;
    bool aborted;   /* by transport_abort_polls */
    bool too_large; /* the reply passed reply_max */
    struct lane *next, *prev;
};

/* One socket that libcurl watches. */
struct watch {
    struct transport *transport;
    struct event *event;
};

struct job {
    loop_fn *fn;
    void *ctx;
    struct fiber_ticket ticket;
    struct fiber_proc *proc;
    struct job *next;
};

struct transport {
    struct loop *loop;
    struct fiber_sched *sched;
    CURLM *multi;
    struct loop_timer *timer, *abort_timer;
    const char *ca_bundle;                /* NULL: the system's */
    struct transport_call *first, **last; /* queued */
    struct job *job_first, **job_last;
    struct lane *active, *idle;
    int calls, polls; /* active ones */
    int sockets;
    bool woke; /* a fiber was made ready */
};

/* ---- one lane's ends ------------------------------------------------------------------ */

static size_t on_body(char *bytes, size_t size, size_t count, void *arg)
{
    struct lane *lane = arg;
    size_t len = size * count;
    if ((int64_t)(lane->reply.len + len) > lane->call->reply_max) {
        lane->too_large = true;
        return 0;
    }
    text_put(&lane->reply, bytes, len);
    return len;
}

static size_t on_header(char *bytes, size_t size, size_t count, void *arg)
{
    struct lane *lane = arg;
    size_t len = size * count;
    reply_head_line(&lane->call->head, (struct jobq_str){bytes, (int64_t)len});
    return len;
}

/* Called for each request just before it is written, also when libcurl replaces a dead
 * connection. */
static int before_request(void *arg, char *to, char *from, int to_port, int from_port)
{
    struct lane *lane = arg;
    (void)to;
    (void)from;
    (void)to_port;
    (void)from_port;
    if (lane->aborted || lane->call->tries == TRIES_MAX)
        return CURL_PREREQFUNC_ABORT;
    lane->call->tries++;
    return CURL_PREREQFUNC_OK;
}

static struct lane *lane_new(struct transport *transport)
{
    struct lane *lane = xcalloc(1, sizeof *lane);
    CURL *easy = curl_easy_init();
    if (!easy)
        abort(); /* out of memory, as everywhere */
    lane->transport = transport;
    lane->easy = easy;
    curl_easy_setopt(easy, CURLOPT_PRIVATE, lane);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
    if (transport->ca_bundle)
        curl_easy_setopt(easy, CURLOPT_CAINFO, transport->ca_bundle);
    curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(easy, CURLOPT_TCP_KEEPIDLE, 30L);
    curl_easy_setopt(easy, CURLOPT_TCP_KEEPINTVL, 10L);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, lane);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, lane);
    curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, before_request);
    curl_easy_setopt(easy, CURLOPT_PREREQDATA, lane);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, lane->error);
    return lane;
}

static void lane_free(struct lane *lane)
{
    curl_easy_cleanup(lane->easy);
    request_release(&lane->request);
    query_release(&lane->query);
    text_release(&lane->head);
    text_release(&lane->reply);
    free(lane);
}

/* A call's buffers may have grown to megabytes; do not keep that for ever. */
static void shrink(struct text *text)
{
    enum { KEPT = 64 << 10 };
    if (text->cap > KEPT)
        text_release(text);
    else
        text_clear(text);
}

static void lane_put_back(struct transport *transport, struct lane *lane)
{
    if (lane->prev)
        lane->prev->next = lane->next;
    else
        transport->active = lane->next;
    if (lane->next)
        lane->next->prev = lane->prev;
    shrink(&lane->request.body);
    shrink(&lane->request.head);
    shrink(&lane->request.scratch);
    shrink(&lane->reply);
    query_clear(&lane->query);
    lane->call = NULL;
    lane->prev = NULL;
    lane->next = transport->idle;
    transport->idle = lane;
}

static struct lane *lane_take(struct transport *transport, struct transport_call *call)
{
    struct lane *lane = transport->idle;
    if (lane)
        transport->idle = lane->next;
    else
        lane = lane_new(transport);
    lane->call = call;
    lane->socket = CURL_SOCKET_BAD;
    lane->aborted = lane->too_large = false;
    lane->error[0] = '\0';
    lane->prev = NULL;
    lane->next = transport->active;
    if (lane->next)
        lane->next->prev = lane;
    transport->active = lane;
    return lane;
}

/* ---- starting ------------------------------------------------------------------------- */

/* Cuts "Name: value\r\n" lines into libcurl's list without an allocation a line. */
static void set_head(struct lane *lane)
{
    int count = 0;
    text_clear(&lane->head);
    text_put(&lane->head, lane->request.head.ptr ? lane->request.head.ptr : "",
             lane->request.head.len);
    /* libcurl would add these two of its own accord. */
    text_puts(&lane->head, "Accept:\r\nExpect:\r\n");
    for (char *at = lane->head.ptr; *at;) {
        char *end = strstr(at, "\r\n");
        assert(end && count < HEAD_LINES_MAX);
        *end = '\0';
        lane->line[count++].data = at;
        at = end + 2;
    }
    for (int i = 0; i < count; i++)
        lane->line[i].next = i + 1 < count ? &lane->line[i + 1] : NULL;
    curl_easy_setopt(lane->easy, CURLOPT_HTTPHEADER, lane->line);
}

static void finish(struct transport_call *call, int code)
{
    call->code = code;
    /* Nobody else holds the ticket: one that is spent means that the fiber was killed, and
     * then the pin is given up here. */
    if (!fiber_wake(call->ticket))
        fiber_proc_unpin(call->proc);
}

static int64_t expected_bytes(const struct lane *lane)
{
    const char *host = strstr(lane->call->url, "://");
    host = host ? host + 3 : lane->call->url;
    const char *path = strchr(host, '/');
    struct request_place place = {
        .host = {host, path ? path - host : (int64_t)strlen(host)},
        .path = path ? str_of(path) : STR("/")};
    return request_bytes(&lane->request, &place);
}

static void start(struct transport *transport, struct transport_call *call)
{
    struct lane *lane = lane_take(transport, call);
    int rc = call->build(call->ctx, &lane->request, &lane->query, call->err);
    if (rc < 0) {
        lane_put_back(transport, lane);
        finish(call, rc);
        transport->woke = true;
        return;
    }
    CURL *easy = lane->easy;
    set_head(lane);
    curl_easy_setopt(easy, CURLOPT_URL, call->url);
    if (strcmp(call->method, "GET") == 0) {
        curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L);
        curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, NULL);
    } else {
        curl_easy_setopt(easy, CURLOPT_POSTFIELDS,
                         lane->request.body.ptr ? lane->request.body.ptr : "");
        curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE,
                         (curl_off_t)lane->request.body.len);
        curl_easy_setopt(easy, CURLOPT_POST, 1L);
        curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST,
                         strcmp(call->method, "POST") ? call->method : NULL);
    }
    curl_easy_setopt(easy, CURLOPT_NOPROXY, call->local ? "*" : NULL);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS,
                     (long)(call->local ? LOCAL_CONNECT_MS : CONNECT_MS));
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)(call->timeout_ns / JOBQ_NS_PER_MS));
    *(call->poll ? &transport->polls : &transport->calls) += 1;
    curl_multi_add_handle(transport->multi, easy);
}

/* ---- ending --------------------------------------------------------------------------- */

static int network_code(const struct lane *lane, CURLcode rc, struct jobq_error *err)
{
    const char *why = lane->error[0] ? lane->error : curl_easy_strerror(rc);
    char shown[160];
    text_escape(why, (int64_t)strlen(why), shown, sizeof shown);
    if (lane->aborted)
        return jobq_fail(err, JOBQ_CANCELLED, "poll was ended");
    if (lane->too_large)
        return jobq_fail(err, JOBQ_CORRUPT, "reply exceeds '%lld' bytes",
                         (long long)lane->call->reply_max);
    switch ((int)rc) {
    case CURLE_OPERATION_TIMEDOUT:
        return jobq_fail(err, JOBQ_TIMEOUT, "no reply in time: %s", shown);
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_ISSUER_ERROR:
        return jobq_fail(err, JOBQ_DENIED, "TLS certificate is not trusted: %s", shown);
    case CURLE_URL_MALFORMAT:
        return jobq_fail(err, JOBQ_INVALID, "endpoint is no http or https URL: %s",
                         shown);
    case CURLE_OUT_OF_MEMORY: /* libcurl 7.88's word for a head past its 300 KB */
        return jobq_fail(err, JOBQ_CORRUPT, "reply's head is too large");
    case CURLE_UNSUPPORTED_PROTOCOL: /* a reply that is no HTTP: the URL's scheme was checked */
    case CURLE_WEIRD_SERVER_REPLY:
        return jobq_fail(err, JOBQ_CORRUPT, "reply makes no sense: %s", shown);
    default:
        return jobq_fail(err, JOBQ_UNAVAILABLE, "network: %s", shown);
    }
}

static void end(struct transport *transport, struct lane *lane, CURLcode rc)
{
    struct transport_call *call = lane->call;
    long status = 0, head = 0;
    curl_off_t body = 0;
    curl_easy_getinfo(lane->easy, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(lane->easy, CURLINFO_HEADER_SIZE, &head);
    curl_easy_getinfo(lane->easy, CURLINFO_SIZE_DOWNLOAD_T, &body);
    call->bytes_in = head + (int64_t)body;
    call->bytes_out = call->tries * expected_bytes(lane);
    curl_multi_remove_handle(transport->multi, lane->easy);
    *(call->poll ? &transport->polls : &transport->calls) -= 1;
    int code;
    if (rc == CURLE_OK) {
        call->status = (int)status;
        code = call->read(call->ctx, call, text_str(&lane->reply), call->err);
    } else {
        code = network_code(lane, rc, call->err);
    }
    lane_put_back(transport, lane);
    finish(call, code);
    transport->woke = true;
}

static void collect(struct transport *transport)
{
    CURLMsg *message;
    int left;
    while ((message = curl_multi_info_read(transport->multi, &left))) {
        if (message->msg != CURLMSG_DONE)
            continue;
        char *lane;
        CURLcode rc = message->data.result;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &lane);
        end(transport, (struct lane *)(void *)lane, rc);
    }
}

/* ---- curl_multi on the loop ------------------------------------------------------------- */

static void kick(struct transport *transport, curl_socket_t s, int what)
{
    int running;
    curl_multi_socket_action(transport->multi, s, what, &running);
    collect(transport);
}

static void socket_ready(evutil_socket_t fd, short what, void *arg)
{
    struct watch *watch = arg;
    kick(watch->transport, fd,
         (what & EV_READ ? CURL_CSELECT_IN : 0) |
             (what & EV_WRITE ? CURL_CSELECT_OUT : 0));
}

static int on_socket(CURL *easy, curl_socket_t s, int what, void *arg, void *known)
{
    struct transport *transport = arg;
    struct watch *watch = known;
    char *lane;
    if (what == CURL_POLL_REMOVE) {
        if (watch) {
            event_free(watch->event);
            free(watch);
            transport->sockets--;
            curl_multi_assign(transport->multi, s, NULL);
        }
        return 0;
    }
    if (curl_easy_getinfo(easy, CURLINFO_PRIVATE, &lane) == CURLE_OK && lane)
        ((struct lane *)(void *)lane)->socket = s;
    short want = EV_PERSIST;
    if (what & CURL_POLL_IN)
        want |= EV_READ;
    if (what & CURL_POLL_OUT)
        want |= EV_WRITE;
    struct event_base *base = loop_base(transport->loop);
    if (!watch) {
        watch = xcalloc(1, sizeof *watch);
        watch->transport = transport;
        watch->event = event_new(base, s, want, socket_ready, watch);
        transport->sockets++;
        curl_multi_assign(transport->multi, s, watch);
    } else {
        event_del(watch->event);
        event_assign(watch->event, base, s, want, socket_ready, watch);
    }
    event_add(watch->event, NULL);
    return 0;
}

static int on_timer(CURLM *multi, long wait_ms, void *arg)
{
    struct transport *transport = arg;
    (void)multi;
    loop_timer_set(transport->timer,
                   wait_ms < 0 ? JOBQ_FOREVER : loop_now_ns() + wait_ms * JOBQ_NS_PER_MS);
    return 0;
}

static void timer_came(void *ctx)
{
    kick(ctx, CURL_SOCKET_TIMEOUT, 0);
}

static void abort_wait_over(void *ctx)
{
    struct transport *transport = ctx;
    for (struct lane *lane = transport->active, *next; lane; lane = next) {
        next = lane->next;
        if (lane->aborted)
            end(transport, lane, CURLE_ABORTED_BY_CALLBACK);
    }
}

/* ---- outside ------------------------------------------------------------------------------ */

struct transport *transport_new(struct loop *loop, struct fiber_sched *sched)
{
    struct transport *transport = xcalloc(1, sizeof *transport);
    transport->loop = loop;
    transport->sched = sched;
    transport->last = &transport->first;
    transport->job_last = &transport->job_first;
    transport->multi = curl_multi_init();
    if (!transport->multi)
        abort();
    transport->timer = loop_timer_new(loop, timer_came, transport);
    transport->abort_timer = loop_timer_new(loop, abort_wait_over, transport);
    curl_multi_setopt(transport->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
    curl_multi_setopt(transport->multi, CURLMOPT_SOCKETDATA, transport);
    curl_multi_setopt(transport->multi, CURLMOPT_TIMERFUNCTION, on_timer);
    curl_multi_setopt(transport->multi, CURLMOPT_TIMERDATA, transport);
    curl_multi_setopt(transport->multi, CURLMOPT_MAXCONNECTS, (long)CONNECTIONS_KEPT);
    return transport;
}

void transport_trust(struct transport *transport, const char *path)
{
    transport->ca_bundle = path;
}

void transport_free(struct transport *transport)
{
    assert(!transport->active && !transport->first);
    for (struct lane *lane = transport->idle, *next; lane; lane = next) {
        next = lane->next;
        lane_free(lane);
    }
    curl_multi_cleanup(transport->multi);
    loop_timer_free(transport->timer);
    loop_timer_free(transport->abort_timer);
    free(transport);
}

int transport_run(struct transport *transport, struct transport_call *call,
                  struct jobq_error *err)
{
    call->err = err;
    call->next = NULL;
    call->status = call->tries = 0;
    call->bytes_out = call->bytes_in = 0;
    call->head = (struct reply_head){0};
    *transport->last = call;
    transport->last = &call->next;
    /* If the process is killed meanwhile, its memory stays until the transfer is over. */
    call->proc = fiber_self_proc(transport->sched);
    fiber_proc_pin(call->proc);
    call->ticket = fiber_ticket(transport->sched);
    fiber_park(transport->sched, JOBQ_FOREVER);
    fiber_proc_unpin(call->proc);
    return call->code;
}

void transport_on_loop(struct transport *transport, loop_fn *fn, void *ctx)
{
    struct job job = {.fn = fn, .ctx = ctx, .proc = fiber_self_proc(transport->sched)};
    *transport->job_last = &job;
    transport->job_last = &job.next;
    fiber_proc_pin(job.proc);
    job.ticket = fiber_ticket(transport->sched);
    fiber_park(transport->sched, JOBQ_FOREVER);
    fiber_proc_unpin(job.proc);
}

static void run_jobs(struct transport *transport)
{
    while (transport->job_first) {
        struct job *job = transport->job_first;
        transport->job_first = job->next;
        if (!transport->job_first)
            transport->job_last = &transport->job_first;
        job->fn(job->ctx);
        if (!fiber_wake(job->ticket))
            fiber_proc_unpin(job->proc);
        transport->woke = true;
    }
}

bool transport_submit(struct transport *transport)
{
    bool started = false;
    run_jobs(transport);
    for (struct transport_call **at = &transport->first; *at;) {
        struct transport_call *call = *at;
        if (!call->poll && transport->calls >= TRANSPORT_CALLS_MAX) {
            at = &call->next;
            continue;
        }
        *at = call->next;
        start(transport, call);
        started = true;
    }
    transport->last = &transport->first;
    while (*transport->last)
        transport->last = &(*transport->last)->next;
    if (started)
        kick(transport, CURL_SOCKET_TIMEOUT, 0);
    bool woke = transport->woke;
    transport->woke = false;
    return woke;
}

void transport_abort_polls(struct transport *transport)
{
    bool any = false;
    for (struct lane *lane = transport->active; lane; lane = lane->next) {
        if (!lane->call->poll || lane->aborted)
            continue;
        lane->aborted = any = true;
        if (lane->socket != CURL_SOCKET_BAD && lane->call->tries)
            shutdown(lane->socket, SHUT_WR);
    }
    /* Those still queued never start. */
    for (struct transport_call **at = &transport->first; *at;) {
        struct transport_call *call = *at;
        if (!call->poll) {
            at = &call->next;
            continue;
        }
        *at = call->next;
        finish(call, jobq_fail(call->err, JOBQ_CANCELLED, "poll was ended"));
        transport->woke = true;
    }
    transport->last = &transport->first;
    while (*transport->last)
        transport->last = &(*transport->last)->next;
    if (any)
        loop_timer_set(transport->abort_timer,
                       loop_now_ns() + ABORT_WAIT_MS * JOBQ_NS_PER_MS);
}

void transport_drop(struct transport *transport)
{
    while (transport->first) {
        struct transport_call *call = transport->first;
        transport->first = call->next;
        finish(call, JOBQ_CANCELLED);
    }
    transport->last = &transport->first;
    while (transport->active) {
        struct lane *lane = transport->active;
        struct transport_call *call = lane->call;
        curl_multi_remove_handle(transport->multi, lane->easy);
        lane_put_back(transport, lane);
        finish(call, JOBQ_CANCELLED);
    }
    transport->calls = transport->polls = 0;
    while (transport->job_first) {
        struct job *job = transport->job_first;
        transport->job_first = job->next;
        if (!fiber_wake(job->ticket))
            fiber_proc_unpin(job->proc);
    }
    transport->job_last = &transport->job_first;
}

void transport_settle(struct transport *transport, int64_t wait_ns)
{
    int64_t until_ns = loop_now_ns() + wait_ns;
    while ((transport->active || transport->first) && loop_now_ns() < until_ns)
        fiber_sleep_until(transport->sched, loop_now_ns() + JOBQ_NS_PER_MS);
}

int transport_sockets(const struct transport *transport)
{
    return transport->sockets;
}
