#include "sim/mock/server/delay.h"

#include "base/arena.h"
#include "jobq/units.h"

#include <stdlib.h>
#include <string.h>

struct delayed {
    int64_t at_ns;
    uint64_t order; /* first come, first served at one instant */
    struct http_exchange *x;
    struct http_reply reply; /* its strings lie behind this struct */
};

/* A binary heap by (at_ns, order). */
struct mock_delays {
    struct loop_timer *timer;
    struct delayed **heap;
    int count, cap;
    uint64_t next_order;
};

static bool before(const struct delayed *a, const struct delayed *b)
{
    return a->at_ns != b->at_ns ? a->at_ns < b->at_ns : a->order < b->order;
}

static struct delayed *pop(struct mock_delays *delays)
{
    struct delayed **heap = delays->heap, *top = heap[0];
    struct delayed *last = heap[--delays->count];
    int at = 0;
    for (;;) {
        int child = 2 * at + 1;
        if (child + 1 < delays->count && before(heap[child + 1], heap[child]))
            child++;
        if (child >= delays->count || !before(heap[child], last))
            break;
        heap[at] = heap[child];
        at = child;
    }
    heap[at] = last;
    return top;
}

static void push(struct mock_delays *delays, struct delayed *one)
{
    if (delays->count == delays->cap) {
        delays->cap = delays->cap ? 2 * delays->cap : 64;
        delays->heap = xrealloc(delays->heap, (size_t)delays->cap * sizeof *delays->heap);
    }
    int at = delays->count++;
    while (at > 0 && before(one, delays->heap[(at - 1) / 2])) {
        delays->heap[at] = delays->heap[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    delays->heap[at] = one;
}

static void delay_set_timer(struct mock_delays *delays)
{
    loop_timer_set(delays->timer,
                   delays->count > 0 ? delays->heap[0]->at_ns : JOBQ_FOREVER);
}

static void send_due(void *ctx)
{
    struct mock_delays *delays = ctx;
    int64_t now_ns = loop_now_ns();
    while (delays->count > 0 && delays->heap[0]->at_ns <= now_ns) {
        struct delayed *one = pop(delays);
        http_reply(one->x, &one->reply);
        free(one);
    }
    delay_set_timer(delays);
}

struct mock_delays *delay_new(struct loop *loop)
{
    struct mock_delays *delays = xcalloc(1, sizeof *delays);
    delays->timer = loop_timer_new(loop, send_due, delays);
    return delays;
}

void delay_free(struct mock_delays *delays)
{
    if (!delays)
        return;
    for (int i = 0; i < delays->count; i++)
        free(delays->heap[i]);
    free(delays->heap);
    loop_timer_free(delays->timer);
    free(delays);
}

static struct jobq_str pack(char **at, struct jobq_str s)
{
    struct jobq_str packed = {*at, s.len};
    if (s.len > 0)
        memcpy(*at, s.ptr, (size_t)s.len);
    *at += s.len;
    return packed;
}

static bool answer_comes(void *ctx)
{
    (void)ctx;
    return true;
}

void delay_reply(struct mock_delays *delays, struct http_exchange *x,
                 const struct http_reply *reply, int64_t wait_ns)
{
    int64_t bytes = reply->content_type.len + reply->headers.len + reply->body.len;
    struct delayed *one = xmalloc(sizeof *one + (size_t)bytes);
    char *at = (char *)(one + 1);
    one->at_ns = loop_now_ns() + wait_ns;
    one->order = delays->next_order++;
    one->x = x;
    one->reply = *reply;
    one->reply.content_type = pack(&at, reply->content_type);
    one->reply.headers = pack(&at, reply->headers);
    one->reply.body = pack(&at, reply->body);
    http_on_gone(x, answer_comes, NULL);
    push(delays, one);
    delay_set_timer(delays);
}
