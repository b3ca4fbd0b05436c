#include "net/loop.h"

#include "base/arena.h"
#include "jobq/units.h"

#include <event2/event.h>

#include <assert.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <time.h>

#define HOOKS_MAX 8

struct hook {
    loop_fn *fn;
    void *ctx;
};

struct loop {
    struct event_base *base;
    struct hook after[HOOKS_MAX];
    struct event *signal[HOOKS_MAX];
    struct hook on_signal[HOOKS_MAX];
    int after_count, signal_count;
    bool stop, hurry, after_turn;
};

struct loop_timer {
    struct loop *loop;
    struct event *event;
    struct hook hook;
};

void loop_ignore_pipe(void)
{
    signal(SIGPIPE, SIG_IGN);
}

struct loop *loop_new(struct jobq_error *err)
{
    struct event_base *base = event_base_new();
    if (!base) {
        jobq_fail(err, JOBQ_UNAVAILABLE, "cannot make an event loop");
        return NULL;
    }
    struct loop *loop = xcalloc(1, sizeof *loop);
    loop->base = base;
    return loop;
}

void loop_free(struct loop *loop)
{
    if (!loop)
        return;
    for (int i = 0; i < loop->signal_count; i++)
        event_free(loop->signal[i]);
    event_base_free(loop->base);
    free(loop);
}

struct event_base *loop_base(struct loop *loop)
{
    return loop->base;
}

static int64_t clock_ns(clockid_t id)
{
    struct timespec now;
    clock_gettime(id, &now);
    return (int64_t)now.tv_sec * JOBQ_NS_PER_S + now.tv_nsec;
}

int64_t loop_now_ns(void)
{
    return clock_ns(CLOCK_MONOTONIC);
}

int64_t loop_wall_ns(void)
{
    return clock_ns(CLOCK_REALTIME);
}

int loop_turn(struct loop *loop, bool wait, struct jobq_error *err)
{
    int flags = EVLOOP_ONCE | EVLOOP_NO_EXIT_ON_EMPTY;
    if (loop->hurry || !wait)
        flags |= EVLOOP_NONBLOCK;
    loop->hurry = false;
    if (event_base_loop(loop->base, flags) < 0)
        return jobq_fail(err, JOBQ_UNAVAILABLE, "the event loop cannot wait");
    loop->after_turn = true;
    for (int i = 0; i < loop->after_count; i++)
        loop->after[i].fn(loop->after[i].ctx);
    loop->after_turn = false;
    return JOBQ_OK;
}

int loop_run(struct loop *loop, struct jobq_error *err)
{
    assert(loop && err);
    int code = JOBQ_OK;
    loop->stop = false;
    while (!loop->stop && code == JOBQ_OK)
        code = loop_turn(loop, true, err);
    return code;
}

void loop_stop(struct loop *loop)
{
    loop->stop = true;
    event_base_loopbreak(loop->base);
}

void loop_after_turn(struct loop *loop, loop_fn *fn, void *ctx)
{
    assert(loop->after_count < HOOKS_MAX);
    loop->after[loop->after_count++] = (struct hook){fn, ctx};
}

void loop_hurry(struct loop *loop)
{
    loop->hurry = true;
}

bool loop_is_after_turn(const struct loop *loop)
{
    return loop->after_turn;
}

static void timer_fired(evutil_socket_t fd, short what, void *arg)
{
    struct loop_timer *timer = arg;
    (void)fd;
    (void)what;
    timer->hook.fn(timer->hook.ctx);
}

struct loop_timer *loop_timer_new(struct loop *loop, loop_fn *fn, void *ctx)
{
    struct loop_timer *timer = xcalloc(1, sizeof *timer);
    timer->loop = loop;
    timer->hook = (struct hook){fn, ctx};
    timer->event = event_new(loop->base, -1, 0, timer_fired, timer);
    assert(timer->event);
    return timer;
}

void loop_timer_free(struct loop_timer *timer)
{
    if (!timer)
        return;
    event_free(timer->event);
    free(timer);
}

void loop_timer_set(struct loop_timer *timer, int64_t at_ns)
{
    assert(timer);
    if (at_ns == JOBQ_FOREVER) {
        event_del(timer->event);
        return;
    }
    int64_t wait_ns = at_ns - loop_now_ns();
    if (wait_ns < 0)
        wait_ns = 0;
    /* Rounded up to a microsecond, so that a timer does not fire just before its time
     * again and again. */
    int64_t wait_us = (wait_ns + JOBQ_NS_PER_US - 1) / JOBQ_NS_PER_US;
    struct timeval wait = {.tv_sec = wait_us / 1000000, .tv_usec = wait_us % 1000000};
    event_add(timer->event, &wait);
}

static void signal_came(evutil_socket_t fd, short what, void *arg)
{
    struct hook *hook = arg;
    (void)fd;
    (void)what;
    hook->fn(hook->ctx);
}

void loop_on_signal(struct loop *loop, int signal_number, loop_fn *fn, void *ctx)
{
    assert(loop->signal_count < HOOKS_MAX);
    int i = loop->signal_count++;
    loop->on_signal[i] = (struct hook){fn, ctx};
    loop->signal[i] =
        evsignal_new(loop->base, signal_number, signal_came, &loop->on_signal[i]);
    assert(loop->signal[i]);
    event_add(loop->signal[i], NULL);
}
