/* receive.c - when is the next receive made, and for how many?
 *
 * Room:     src/fleet, private to the drainer.
 *
 * Without prefetch a receive is made as soon as a slot is free and not yet promised to
 * another receive: no threshold, no batch that must end first. One long poll waits at a
 * quiet queue; while receives come back full, more are made at once, up to options.receives,
 * since each is a round trip that free slots would sit through.
 *
 * With prefetch a receive is made when it can bring a whole batch, or when slots are free
 * and nothing is buffered. An empty long poll is followed by the next at once: backing off
 * there only adds latency. */
#include "fleet/drain/parts.h"
#include "jobq/units.h"

#include <assert.h>

enum { DELETE_BACKLOG_MAX = 500 };

/* Messages beyond the slots that pay for themselves: one batch, and what starts while the
 * next is on its way, as long as all of them start within an eighth of the visibility. None
 * for jobs of more than half of it. */
static int prefetch_auto(const struct drainer *d)
{
    int64_t mean_ns = d->mean_job_ns;
    if (mean_ns <= 0 || mean_ns > d->visibility_ns / 2)
        return 0;
    int slots = share_slots(d);
    int64_t in_time = slots * (d->visibility_ns / 8) / mean_ns;
    int64_t in_flight = 2 * slots * d->mean_receive_ns / mean_ns;
    int64_t want = d->options.batch + in_flight + 2;
    want = want < in_time ? want : in_time;
    return (int)(want < DRAINER_PREFETCH_MAX ? want : DRAINER_PREFETCH_MAX);
}

int receive_want(const struct drainer *d)
{
    if (d->mode != DRAINER_RUNNING || d->deletes_held > DELETE_BACKLOG_MAX)
        return 0;
    int most = 1 + d->full_receives / 2;
    most = most < d->options.receives ? most : d->options.receives;
    if (d->receiving >= most)
        return 0;
    int used = d->buffer.count + d->promised, slots = share_room(d);
    int room = slots + d->prefetch - used;
    int batch = d->options.batch;
    if (room >= batch)
        return batch;
    bool starving = slots - used > 0;
    return room > 0 && (d->prefetch == 0 || starving) ? room : 0;
}

/* ---- idle ---------------------------------------------------------------------------- */

/* Nothing is left to go with them. */
static void flush_deletes(struct drainer *d)
{
    for (struct held *h = d->deletes.first; h; h = h->next)
        h->delete_by_ns = jobq_now(d->b);
    if (deleter_due(d, jobq_now(d->b)))
        deleter_start(d);
}

/* After an empty receive that was asked for at asked_at_ns, while this process held nothing
 * if alone: has nothing been visible, delayed, in flight or held for long enough? */
static void look_if_idle(struct drainer *d, int64_t asked_at_ns, bool alone)
{
    struct jobq_queue_depth depth;
    struct jobq_error err;
    if (d->held_count > 0 && d->held_count == d->deletes_held)
        flush_deletes(d);
    if (d->held_count > 0 || d->receiving > 0) {
        d->quiet_since_ns = -1;
        return;
    }
    int code = jobq_queue_depth(d->b, d->queue, &depth, &err);
    refusal_check(d, code, &err);
    if (code < 0)
        return;
    int64_t now_ns = jobq_now(d->b);
    d->elsewhere = depth.visible > 0 ||
                   (!d->options.idle_alone && (depth.in_flight > 0 || depth.delayed > 0));
    if (d->elsewhere || d->held_count > 0)
        d->quiet_since_ns = -1;
    else if (d->quiet_since_ns < 0)
        d->quiet_since_ns = alone ? asked_at_ns : now_ns;
    /* What others hold may come back to us; exec jobs without a command are nothing to wait
     * for. */
    if (depth.in_flight > 0 && depth.visible == 0 && depth.delayed == 0 &&
        d->held_count == 0 && depth.in_flight <= refusal_exec_hidden(d)) {
        jobq_fail(&err, JOBQ_INVALID,
                  "%lld exec jobs are left in queue '%s', and no command was given for "
                  "them (--exec)",
                  (long long)depth.in_flight, d->options.queue);
        refusal_end(d, &err);
        return;
    }
    share_end_if_quiet(d);
}

/* A poll that ends in time for the next look. */
static int64_t poll_ns(const struct drainer *d)
{
    int64_t wait_ns = d->options.wait_ns;
    if (d->options.idle_exit_ns == JOBQ_FOREVER)
        return wait_ns;
    int64_t left_ns = d->options.idle_exit_ns;
    if (d->quiet_since_ns >= 0)
        left_ns -= jobq_now(d->b) - d->quiet_since_ns;
    if (d->quiet_since_ns >= 0 && left_ns <= 0 && !share_is_quiet(d->share))
        return wait_ns; /* the process goes on, for its other queues */
    /* Others are at work, or we are: the end is not yet, and asking all the time costs a
     * receive each. Deletes that wait for others are made once a poll was empty. */
    if (d->held_count > 0 && d->held_count == d->deletes_held)
        left_ns = JOBQ_NS_PER_S;
    else if ((d->elsewhere || d->held_count > 0) && left_ns < JOBQ_NS_PER_S)
        left_ns = JOBQ_NS_PER_S;
    left_ns = left_ns > 0 ? left_ns : 0;
    return left_ns < wait_ns ? left_ns : wait_ns;
}

/* ---- receiving ----------------------------------------------------------------------- */

static void average(int64_t *mean_ns, int64_t sample_ns)
{
    *mean_ns += *mean_ns ? (sample_ns - *mean_ns) / 8 : sample_ns;
}

/* How long new jobs wait in the queue, by what has just come out of it. */
static void note_wait(struct drainer *d, const struct jobq_message *message, int count)
{
    int64_t longest_ns = -1;
    for (int i = 0; i < count; i++) {
        int64_t waited_ns = jobq_wall(d->b) - message[i].sent_wall_ns;
        if (message[i].receive_count <= 1 && waited_ns > longest_ns)
            longest_ns = waited_ns;
    }
    if (longest_ns >= 0)
        d->waited_ns = longest_ns;
}

static int64_t earlier(int64_t a_ns, int64_t b_ns)
{
    return a_ns < b_ns ? a_ns : b_ns;
}

/* By when the queue had hidden what the poll brought: whenever its reply came (to a process
 * that was stopped, say), the poll was over then. It waits for whole seconds, rounded up. A
 * reply that was under way within that time cannot be told from one that was waited for. */
static int64_t hidden_at(const struct drainer *d, int64_t asked_at_ns, int64_t wait_ns)
{
    int64_t whole_s = (wait_ns + JOBQ_NS_PER_S - 1) / JOBQ_NS_PER_S;
    return earlier(asked_at_ns + whole_s * JOBQ_NS_PER_S, jobq_now(d->b));
}

static void take_in(struct drainer *d, struct drain_batch *batch,
                    const struct jobq_message *message, int count, int want,
                    int64_t asked_at_ns, int64_t hidden_at_ns)
{
    int64_t now_ns = jobq_now(d->b);
    d->counters.receives++;
    d->last_receive_at_ns = now_ns;
    if (count == want) {
        d->full_receives = d->full_receives < 1000 ? d->full_receives + 1 : 1000;
        average(&d->mean_receive_ns, now_ns - asked_at_ns);
    } else {
        d->full_receives = 0;
    }
    if (count == 0)
        d->counters.empty_receives++;
    else
        d->quiet_since_ns = -1;
    share_note_receive(d, count, asked_at_ns);
    note_wait(d, message, count);
    for (int i = 0; i < count; i++)
        held_receive(d, batch, &message[i], hidden_at_ns);
}

/* One receive. Returns its code. */
static int receive_once(struct drainer *d, int want, struct jobq_error *err)
{
    struct jobq_message message[JOBQ_BATCH_MAX];
    struct drain_batch *batch = batch_take(d);
    struct jobq_receive options = {
        .max = want, .wait_ns = poll_ns(d), .visibility_ns = d->options.visibility_ns};
    int64_t asked_at_ns = jobq_now(d->b);
    d->asked_at_ns = asked_at_ns;
    d->receiving++;
    d->promised += want;
    int count =
        jobq_queue_receive(d->b, d->queue, &options, &batch->strings, message, err);
    d->promised -= want;
    d->receiving--;
    d->last_poll_at_ns = jobq_now(d->b);
    if (count >= 0)
        take_in(d, batch, message, count, want, asked_at_ns,
                hidden_at(d, asked_at_ns, options.wait_ns));
    batch_put(d, batch);
    return count;
}

static void receiver(void *arg)
{
    struct drainer *d = arg;
    struct retry retry;
    struct jobq_error err;
    retry_init(&retry, d->b, &RETRY_CALLS, NULL);
    while (d->mode != DRAINER_STOPPING && d->fatal.code == JOBQ_OK && !d->idle) {
        int want = receive_want(d);
        if (want == 0) {
            fiber_cond_wait(d->b->sched, &d->room, share_look_at_ns(d));
            continue;
        }
        int64_t asked_at_ns = jobq_now(d->b);
        bool alone = d->held_count == 0 && !d->elsewhere;
        int count = receive_once(d, want, &err);
        if (count >= 0) {
            retry.tries = 0;
            drain_pump(d);
            if (count == 0 && d->options.idle_exit_ns < JOBQ_FOREVER)
                look_if_idle(d, asked_at_ns, alone);
        } else if (count == JOBQ_LIMIT || count == JOBQ_CORRUPT ||
                   jobq_code_is_retryable(count)) {
            /* LIMIT: too many in flight; some will be deleted. CORRUPT: what came made no
             * sense; it comes again when its visibility ends. */
            d->counters.retries++;
            d->full_receives = 0;
            retry_again(&retry, JOBQ_THROTTLED);
        } else if (count != JOBQ_CANCELLED) {
            refusal_end(d, &err);
        }
    }
    d->receivers--;
    fiber_cond_signal(&d->changed);
}

static void pump_receives(struct drainer *d)
{
    if (d->options.prefetch == DRAINER_AUTO)
        d->prefetch = prefetch_auto(d);
    if (receive_want(d) > 0 && !fiber_cond_signal(&d->room) &&
        d->receivers < d->options.receives) {
        d->receivers++;
        fiber_spawn(d->b->proc, receiver, d);
    }
}

void drain_pump(struct drainer *d)
{
    struct drainer *next;
    while ((next = share_next(d->share)) != NULL) {
        struct held *h = held_pop(&next->buffer);
        share_take(h);
        fiber_spawn(next->b->proc, attempt_main, h);
    }
    for (struct drainer *m = d->share->first; m; m = m->share_next)
        if (m->begun)
            pump_receives(m);
}
