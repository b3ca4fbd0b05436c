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
struct transfer {
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
    struct transfer *next, *prev;
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
    struct transfer *active, *idle;
    int calls, polls; /* active ones */
    int sockets;
    bool woke; /* a fiber was made ready */
};

/* ---- one transfer's ends ------------------------------------------------------------------ */

static size_t on_body(char *bytes, size_t size, size_t count, void *arg)
{
    struct transfer *transfer = arg;
    size_t len = size * count;
    if ((int64_t)(transfer->reply.len + len) > transfer->call->reply_max) {
        transfer->too_large = true;
        return 0;
    }
    text_put(&transfer->reply, bytes, len);
    return len;
}

static size_t on_header(char *bytes, size_t size, size_t count, void *arg)
{
    struct transfer *transfer = arg;
    size_t len = size * count;
    reply_head_line(&transfer->call->head, (struct jobq_str){bytes, (int64_t)len});
    return len;
}

/* Called for each request just before it is written, also when libcurl replaces a dead
 * connection. */
static int before_request(void *arg, char *to, char *from, int to_port, int from_port)
{
    struct transfer *transfer = arg;
    (void)to;
    (void)from;
    (void)to_port;
    (void)from_port;
    if (transfer->aborted || transfer->call->tries == TRIES_MAX)
        return CURL_PREREQFUNC_ABORT;
    transfer->call->tries++;
    return CURL_PREREQFUNC_OK;
}

static struct transfer *transfer_new(struct transport *transport)
{
    struct transfer *transfer = xcalloc(1, sizeof *transfer);
    CURL *easy = curl_easy_init();
    if (!easy)
        abort(); /* out of memory, as everywhere */
    transfer->transport = transport;
    transfer->easy = easy;
    curl_easy_setopt(easy, CURLOPT_PRIVATE, transfer);
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
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, transfer);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, transfer);
    curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, before_request);
    curl_easy_setopt(easy, CURLOPT_PREREQDATA, transfer);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, transfer->error);
    return transfer;
}

static void transfer_free(struct transfer *transfer)
{
    curl_easy_cleanup(transfer->easy);
    request_release(&transfer->request);
    query_release(&transfer->query);
    text_release(&transfer->head);
    text_release(&transfer->reply);
    free(transfer);
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

static void transfer_put_back(struct transport *transport, struct transfer *transfer)
{
    if (transfer->prev)
        transfer->prev->next = transfer->next;
    else
        transport->active = transfer->next;
    if (transfer->next)
        transfer->next->prev = transfer->prev;
    shrink(&transfer->request.body);
    shrink(&transfer->request.head);
    shrink(&transfer->request.scratch);
    shrink(&transfer->reply);
    query_clear(&transfer->query);
    transfer->call = NULL;
    transfer->prev = NULL;
    transfer->next = transport->idle;
    transport->idle = transfer;
}

static struct transfer *transfer_take(struct transport *transport,
                                      struct transport_call *call)
{
    struct transfer *transfer = transport->idle;
    if (transfer)
        transport->idle = transfer->next;
    else
        transfer = transfer_new(transport);
    transfer->call = call;
    transfer->socket = CURL_SOCKET_BAD;
    transfer->aborted = transfer->too_large = false;
    transfer->error[0] = '\0';
    transfer->prev = NULL;
    transfer->next = transport->active;
    if (transfer->next)
        transfer->next->prev = transfer;
    transport->active = transfer;
    return transfer;
}

/* ---- starting ------------------------------------------------------------------------- */

/* Cuts "Name: value\r\n" lines into libcurl's list without an allocation a line. */
static void set_head(struct transfer *transfer)
{
    int count = 0;
    text_clear(&transfer->head);
    text_put(&transfer->head,
             transfer->request.head.ptr ? transfer->request.head.ptr : "",
             transfer->request.head.len);
    /* libcurl would add these two of its own accord. */
    text_puts(&transfer->head, "Accept:\r\nExpect:\r\n");
    for (char *at = transfer->head.ptr; *at;) {
        char *end = strstr(at, "\r\n");
        assert(end && count < HEAD_LINES_MAX);
        *end = '\0';
        transfer->line[count++].data = at;
        at = end + 2;
    }
    for (int i = 0; i < count; i++)
        transfer->line[i].next = i + 1 < count ? &transfer->line[i + 1] : NULL;
    curl_easy_setopt(transfer->easy, CURLOPT_HTTPHEADER, transfer->line);
}

static void finish(struct transport_call *call, int code)
{
    call->code = code;
    /* Nobody else holds the ticket: one that is spent means that the fiber was killed, and
     * then the pin is given up here. */
    if (!fiber_wake(call->ticket))
        fiber_proc_unpin(call->proc);
}

static int64_t expected_bytes(const struct transfer *transfer)
{
    const char *host = strstr(transfer->call->url, "://");
    host = host ? host + 3 : transfer->call->url;
    const char *path = strchr(host, '/');
    struct request_place place = {
        .host = {host, path ? path - host : (int64_t)strlen(host)},
        .path = path ? str_of(path) : STR("/")};
    return request_bytes(&transfer->request, &place);
}

static void start(struct transport *transport, struct transport_call *call)
{
    struct transfer *transfer = transfer_take(transport, call);
    int rc = call->build(call->ctx, &transfer->request, &transfer->query, call->err);
    if (rc < 0) {
        transfer_put_back(transport, transfer);
        finish(call, rc);
        transport->woke = true;
        return;
    }
    CURL *easy = transfer->easy;
    set_head(transfer);
    curl_easy_setopt(easy, CURLOPT_URL, call->url);
    if (strcmp(call->method, "GET") == 0) {
        curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L);
        curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, NULL);
    } else {
        curl_easy_setopt(easy, CURLOPT_POSTFIELDS,
                         transfer->request.body.ptr ? transfer->request.body.ptr : "");
        curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE,
                         (curl_off_t)transfer->request.body.len);
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

static int network_code(const struct transfer *transfer, CURLcode rc,
                        struct jobq_error *err)
{
    const char *why = transfer->error[0] ? transfer->error : curl_easy_strerror(rc);
    char shown[160];
    text_escape(why, (int64_t)strlen(why), shown, sizeof shown);
    if (transfer->aborted)
        return jobq_fail(err, JOBQ_CANCELLED, "poll was ended");
    if (transfer->too_large)
        return jobq_fail(err, JOBQ_CORRUPT, "reply exceeds '%lld' bytes",
                         (long long)transfer->call->reply_max);
    switch ((int)rc) {
    case CURLE_OK:
        return jobq_fail(err, JOBQ_UNAVAILABLE,
                         "network: the connection ended within the reply's head");
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

static void end(struct transport *transport, struct transfer *transfer, CURLcode rc)
{
    struct transport_call *call = transfer->call;
    long status = 0, head = 0;
    curl_off_t body = 0;
    curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(transfer->easy, CURLINFO_HEADER_SIZE, &head);
    curl_easy_getinfo(transfer->easy, CURLINFO_SIZE_DOWNLOAD_T, &body);
    call->bytes_in = head + (int64_t)body;
    call->bytes_out = call->tries * expected_bytes(transfer);
    curl_multi_remove_handle(transport->multi, transfer->easy);
    *(call->poll ? &transport->polls : &transport->calls) -= 1;
    int code;
    /* libcurl takes a connection's end for a head's: it knows the status then, and nobody knows
     * what the service said. */
    if (rc == CURLE_OK && call->head.ended) {
        call->status = (int)status;
        code = call->read(call->ctx, call, text_str(&transfer->reply), call->err);
    } else {
        code = network_code(transfer, rc, call->err);
    }
    transfer_put_back(transport, transfer);
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
        char *transfer;
        CURLcode rc = message->data.result;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &transfer);
        end(transport, (struct transfer *)(void *)transfer, rc);
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
    char *transfer;
    if (what == CURL_POLL_REMOVE) {
        if (watch) {
            event_free(watch->event);
            free(watch);
            transport->sockets--;
            curl_multi_assign(transport->multi, s, NULL);
        }
        return 0;
    }
    if (curl_easy_getinfo(easy, CURLINFO_PRIVATE, &transfer) == CURLE_OK && transfer)
        ((struct transfer *)(void *)transfer)->socket = s;
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
    for (struct transfer *transfer = transport->active, *next; transfer;
         transfer = next) {
        next = transfer->next;
        if (transfer->aborted)
            end(transport, transfer, CURLE_ABORTED_BY_CALLBACK);
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
    for (struct transfer *transfer = transport->idle, *next; transfer; transfer = next) {
        next = transfer->next;
        transfer_free(transfer);
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
    for (struct transfer *transfer = transport->active; transfer;
         transfer = transfer->next) {
        if (!transfer->call->poll || transfer->aborted)
            continue;
        transfer->aborted = any = true;
        if (transfer->socket != CURL_SOCKET_BAD && transfer->call->tries)
            shutdown(transfer->socket, SHUT_WR);
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
        struct transfer *transfer = transport->active;
        struct transport_call *call = transfer->call;
        curl_multi_remove_handle(transport->multi, transfer->easy);
        transfer_put_back(transport, transfer);
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
