/* stop.c - how does a drainer end without leaving anything behind?
 *
 * Room:     src/fleet, private to the drainer.
 *
 * No new receive, the idle poll aborted, what is only buffered given back at once; what runs
 * may finish until shortly before the deadline, then it is ended, its row queued again on
 * condition of our claim, its message made visible. Lingering deletes go out at once. */
#include "fleet/drain/parts.h"
#include "jobq/units.h"

#define GIVE_BACK_NS (5 * JOBQ_NS_PER_S) /* two calls, tried again once or twice */

static void return_buffered(void *arg)
{
    struct drainer *d = arg;
    while (d->buffer.count > 0) {
        struct held *held[JOBQ_BATCH_MAX];
        int count = 0;
        while (count < d->options.batch && d->buffer.count > 0)
            held[count++] = held_pop(&d->buffer);
        deleter_give_back(d, held, count, 0);
        d->counters.gave_back += count;
    }
    d->after--;
    fiber_cond_broadcast(&d->changed);
}

static void return_running(struct drainer *d, int64_t grace_ns)
{
    for (struct held *h = d->run_first; h; h = h->run_next) {
        h->give_back = true;
        attempt_end_child(h, grace_ns);
    }
}

static void stop_begin(struct drainer *d)
{
    d->mode = DRAINER_STOPPING;
    d->give_up_at_ns = d->stop_at_ns;
    for (struct held *h = d->run_first; h; h = h->run_next)
        if (h->deadline_ns > d->stop_at_ns)
            h->deadline_ns = d->stop_at_ns;
    jobq_queue_abort_receives(d->b);
    fiber_cond_broadcast(&d->room);
    if (deleter_due(d, jobq_now(d->b)))
        deleter_start(d);
}

static bool all_settled(const struct drainer *d)
{
    return d->busy == 0 && d->after == 0 && d->deletes_held == 0 && d->receiving == 0 &&
           d->buffer.count == 0;
}

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

int stop_run(struct drainer *d, struct jobq_error *err)
{
    int64_t now_ns = jobq_now(d->b);
    stop_begin(d);
    /* TERM, the grace in full, KILL, and then the time to give back, if all that fits. */
    int64_t left_ns = d->stop_at_ns > now_ns ? d->stop_at_ns - now_ns : 0;
    int64_t give_back_ns = least(GIVE_BACK_NS, left_ns / 4);
    int64_t grace_ns = least(d->options.kill_grace_ns, left_ns - give_back_ns);
    int64_t return_at_ns = d->stop_at_ns - give_back_ns - grace_ns;
    bool hurried = false;
    while (!all_settled(d)) {
        now_ns = jobq_now(d->b);
        if (now_ns >= d->stop_at_ns)
            return jobq_fail(err, JOBQ_TIMEOUT,
                             "%d jobs and %d deletes were left at the deadline",
                             d->busy + d->after, d->deletes_held);
        if (d->buffer.count > 0) {
            d->after++;
            fiber_spawn(d->b->proc, return_buffered, d);
        }
        if (d->stop_again && !hurried) {
            hurried = d->giving_back = true;
            return_running(d, least(JOBQ_NS_PER_S, d->options.kill_grace_ns));
        } else if (now_ns >= return_at_ns && !d->giving_back) {
            d->giving_back = true;
            return_running(d, grace_ns);
        }
        fiber_cond_wait(d->b->sched, &d->changed,
                        d->giving_back ? d->stop_at_ns : return_at_ns);
    }
    return JOBQ_OK;
}
