#include "sim/mock/control/late.h"

#include "sim/mock/server/respond.h"
#include "sim/mock/server/route.h"

#include <stdlib.h>
#include <string.h>

/* One held call: what serving it again needs, copied. */
struct held_call {
    struct mock_late *late;
    int64_t at_ns;           /* of the models */
    uint64_t order;          /* first come, first served at one instant */
    int64_t close_ns;        /* of the loop */
    struct http_exchange *x; /* NULL: the client is gone */
    struct call call;        /* its views lie behind this struct */
    struct jobq_str query, body, action;
};

struct mock_late {
    struct mock *mock;
    struct loop_timer *closer;
    struct held_call **held; /* in no order: there are few */
    int count, cap;
    uint64_t next_order;
    int64_t next_at_ns; /* the earliest of them; JOBQ_FOREVER: none */
};

static bool begins(const char *action, const char *word)
{
    return strncmp(action, word, strlen(word)) == 0;
}

bool late_changes(const struct call *call)
{
    static const char *const reads[] = {
        "Get",   "List", "Describe", "Select",     "DomainMetadata", "ReceiveMessage",
        "Query", "Scan", "BatchGet", "TransactGet"};
    if (call->service == MOCK_STS)
        return false;
    for (size_t i = 0; i < sizeof reads / sizeof reads[0]; i++)
        if (begins(call->action, reads[i]))
            return false;
    return true;
}

/* ---- connections that wait to be closed ---------------------------------------------- */

static void set_closer(struct mock_late *late)
{
    int64_t next_ns = JOBQ_FOREVER;
    for (int i = 0; i < late->count; i++)
        if (late->held[i]->x && late->held[i]->close_ns < next_ns)
            next_ns = late->held[i]->close_ns;
    loop_timer_set(late->closer, next_ns);
}

static void close_client(struct held_call *held)
{
    if (held->x)
        http_drop(held->x);
    held->x = NULL;
}

static void close_due(void *ctx)
{
    struct mock_late *late = ctx;
    int64_t now_ns = loop_now_ns();
    for (int i = 0; i < late->count; i++)
        if (late->held[i]->close_ns <= now_ns)
            close_client(late->held[i]);
    set_closer(late);
}

static bool client_left(void *ctx)
{
    struct held_call *held = ctx;
    held->x = NULL;
    return false;
}

/* ---- keeping --------------------------------------------------------------------------- */

struct mock_late *late_new(struct mock *mock)
{
    struct mock_late *late = xcalloc(1, sizeof *late);
    late->mock = mock;
    late->next_at_ns = JOBQ_FOREVER;
    late->closer = loop_timer_new(mock->loop, close_due, late);
    return late;
}

void late_drop(struct mock_late *late)
{
    for (int i = 0; i < late->count; i++) {
        close_client(late->held[i]);
        free(late->held[i]);
    }
    late->count = 0;
    late->next_at_ns = JOBQ_FOREVER;
    set_closer(late);
}

void late_free(struct mock_late *late)
{
    if (!late)
        return;
    late_drop(late);
    free(late->held);
    loop_timer_free(late->closer);
    free(late);
}

int late_count(const struct mock_late *late)
{
    return late->count;
}

static struct held_call *copy_call(const struct call *call,
                                   const struct http_request *request)
{
    const struct jobq_str from[] = {call->host,           call->trace,     call->path,
                                    call->version,        request->query,  request->body,
                                    str_of(call->action), call->access_key};
    size_t bytes = 1;
    for (size_t i = 0; i < sizeof from / sizeof from[0]; i++)
        bytes += (size_t)from[i].len;
    struct held_call *held = xmalloc(sizeof *held + bytes);
    *held = (struct held_call){.call = *call};
    char *at = (char *)(held + 1);
    struct jobq_str *const to[] = {
        &held->call.host, &held->call.trace, &held->call.path, &held->call.version,
        &held->query,     &held->body,       &held->action,    &held->call.access_key};
    for (size_t i = 0; i < sizeof from / sizeof from[0]; i++) {
        if (from[i].len > 0)
            memcpy(at, from[i].ptr, (size_t)from[i].len);
        *to[i] = (struct jobq_str){from[i].ptr ? at : NULL, from[i].len};
        at += from[i].len;
    }
    held->call.x = NULL;
    held->call.params = NULL;
    return held;
}

bool late_keep(struct call *call, const struct http_request *request,
               const struct late_rule *rule, double u)
{
    struct mock_late *late = call->mock->late;
    if (late->count == LATE_MAX)
        return false;
    if (late->count == late->cap) {
        late->cap = late->cap ? 2 * late->cap : 16;
        late->held = xrealloc(late->held, (size_t)late->cap * sizeof *late->held);
    }
    struct held_call *held = copy_call(call, request);
    late->held[late->count++] = held;
    held->late = late;
    held->order = late->next_order++;
    held->at_ns = call->now_ns + rule->after_ns +
                  (int64_t)(u * (double)(rule->before_ns - rule->after_ns));
    if (held->at_ns < late->next_at_ns)
        late->next_at_ns = held->at_ns;
    if (rule->unavailable) {
        call->unmetered = true;
        mock_fail(call, 503,
                  call->service == MOCK_EC2 ? "Unavailable" : "ServiceUnavailable", NULL,
                  "Service is currently unavailable. Please try again later");
        answer_end(call, CALL_FAILED, false);
        return true;
    }
    held->x = call->x;
    held->close_ns = loop_now_ns() + rule->hold_ns;
    http_on_gone(held->x, client_left, held);
    set_closer(late);
    return true;
}

/* ---- taking effect ----------------------------------------------------------------------- */

/* The next of the held ones, or -1. */
static int next_held(const struct mock_late *late)
{
    int next = -1;
    for (int i = 0; i < late->count; i++) {
        const struct held_call *one = late->held[i];
        const struct held_call *best = next < 0 ? NULL : late->held[next];
        if (!best || one->at_ns < best->at_ns ||
            (one->at_ns == best->at_ns && one->order < best->order))
            next = i;
    }
    return next;
}

int64_t late_next_at(const struct mock_late *late)
{
    return late->next_at_ns;
}

static void apply_held(struct held_call *held)
{
    struct mock *mock = held->late->mock;
    struct call call = held->call;
    const struct http_request request = {.query = held->query, .body = held->body};
    struct jobq_error err;
    close_client(held);
    arena_reset(&mock->arena);
    call.now_ns = mock_now_ns(mock);
    call.action = mock_quote(&call, held->action);
    if (route_read(&call, &request, &err) == JOBQ_OK) /* as it was read before */
        route_apply(&call);
}

void late_apply(struct mock_late *late, int64_t now_ns)
{
    while (late->next_at_ns <= now_ns) {
        int next = next_held(late);
        struct held_call *held = late->held[next];
        late->held[next] = late->held[--late->count];
        next = next_held(late);
        late->next_at_ns = next < 0 ? JOBQ_FOREVER : late->held[next]->at_ns;
        apply_held(held);
        free(held);
    }
}
