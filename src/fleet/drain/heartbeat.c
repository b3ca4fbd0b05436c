/* heartbeat.c - which messages need more time, and when?
 *
 * Room:     src/fleet, private to the drainer.
 *
 * From its receive to the end of its attempt every message is covered: at half its
 * visibility, jittered, it is hidden for a whole one again, ten a call, buffered messages
 * included. A message that leaves before that costs nothing. A refusal means that the message
 * was deleted or, where the service says so, received again: the attempt is lost. SQS says
 * success to the receipt of a message that was received again, so that nothing here proves
 * that the message is still ours: what keeps a late attempt from storing or deleting anything
 * is the claim.
 *
 * One ticker a process sleeps until the first of these, and of the lingering deletes, is due;
 * calls run on fibers of their own so that a slow one delays nobody. */
#include "fleet/drain/parts.h"
#include "jobq/units.h"

enum { BEAT_CALLS_MAX = 16 };

struct beat_call {
    struct held *held[JOBQ_BATCH_MAX];
    struct drain_batch *batch[JOBQ_BATCH_MAX];
    struct jobq_visibility_change change[JOBQ_BATCH_MAX];
    struct jobq_entry_result result[JOBQ_BATCH_MAX];
    int count;
    int64_t made_at_ns;
};

static void new_interval(struct drainer *d)
{
    int64_t half_ns = d->visibility_ns / 2;
    if (half_ns < JOBQ_NS_PER_S)
        half_ns = JOBQ_NS_PER_S;
    d->beat_interval_ns = half_ns - (int64_t)(0.1 * jobq_uniform(d->b) * (double)half_ns);
}

void tick_by(struct drainer *d, int64_t at_ns)
{
    if (at_ns < d->tick_until_ns)
        fiber_cond_signal(&d->tick);
}

/* Takes the due messages, and those due soon to fill the call. The next interval starts at
 * the call, not at its reply: the service's clock starts in between. */
static void heartbeat_gather(struct drainer *d, struct beat_call *call, int64_t now_ns)
{
    int64_t soon_ns = now_ns - d->beat_interval_ns / 2;
    call->count = 0;
    call->made_at_ns = now_ns;
    while (call->count < d->options.batch && d->beat_first &&
           d->beat_first->covered_at_ns <= soon_ns) {
        struct held *h = d->beat_first;
        int64_t left_ns = h->received_at_ns + DRAIN_HIDDEN_MAX_NS - now_ns;
        beat_remove(h);
        if (!h->at_limit) {
            left_ns = d->visibility_ns;
            beat_append(h, now_ns);
        } else if (left_ns <= 0) {
            continue;
        }
        int i = call->count++;
        h->calls++;
        h->receipt_batch->users++;
        call->held[i] = h;
        call->batch[i] = h->receipt_batch;
        call->change[i] = (struct jobq_visibility_change){h->message.receipt, left_ns};
    }
}

static void lose(struct held *h)
{
    h->lost = "a heartbeat was refused";
    beat_remove(h);
    if (h->place == HELD_RUNNING)
        attempt_end_child(h, h->d->options.kill_grace_ns);
}

/* What the service says of one message. */
static void take_result(struct beat_call *call, int i, int code)
{
    struct held *h = call->held[i];
    bool newest = h->message.receipt.ptr == call->change[i].receipt.ptr;
    bool covered = h->place == HELD_BUFFERED || h->place == HELD_RUNNING;
    if (h->released || !newest || !covered)
        return;
    /* One that is confirmed when its message may have been received again proves nothing. */
    if (code == JOBQ_OK && jobq_now(h->d->b) < h->sure_until_ns)
        h->sure_until_ns = call->made_at_ns + call->change[i].visibility_ns;
    else if (code == JOBQ_NOT_FOUND || code == JOBQ_INVALID)
        lose(h);
    else if (code == JOBQ_LIMIT && !h->at_limit) {
        /* 12 h in all: what is left of them is asked for, and its attempt ends before. */
        h->at_limit = true;
        beat_remove(h);
        beat_soon(h);
        watch_limit(h);
    }
}

static void beat(void *arg)
{
    struct drainer *d = arg;
    struct beat_call call;
    struct jobq_error err;
    int64_t now_ns = jobq_now(d->b);
    heartbeat_gather(d, &call, now_ns);
    if (call.count > 0) {
        /* Later than this it is no use: the other half of the visibility is over. */
        int64_t deadline_ns = now_ns + d->visibility_ns - d->beat_interval_ns;
        struct retry r;
        retry_init(&r, d->b, &RETRY_CALLS, &deadline_ns);
        int code;
        do {
            d->counters.beat_calls++;
            code = jobq_queue_set_visibility(d->b, d->queue, call.change, call.count,
                                             call.result, &err);
        } while (code < 0 && retry_again(&r, code));
        d->counters.retries += r.tries;
        d->counters.beats += call.count;
        refusal_check(d, code, &err);
        refusal_check_entries(d, call.result, code < 0 ? 0 : call.count);
        for (int i = 0; i < call.count; i++) {
            take_result(&call, i, code < 0 ? code : call.result[i].code);
            batch_put(d, call.batch[i]);
            held_unpin(call.held[i]);
        }
    }
    d->beat_calls--;
    fiber_cond_broadcast(&d->beaten);
    tick_by(d, 0);
}

static int64_t next_due(const struct drainer *d)
{
    int64_t due_ns = JOBQ_FOREVER;
    if (d->beat_first && d->beat_calls < BEAT_CALLS_MAX)
        due_ns = d->beat_first->covered_at_ns + d->beat_interval_ns;
    /* A call that is starting tells when the next is due, once it has its messages. */
    if (d->deletes.first && d->deletes_starting == 0 &&
        d->delete_calls < d->options.deletes && d->deletes.first->delete_by_ns < due_ns)
        due_ns = d->deletes.first->delete_by_ns;
    return due_ns;
}

static void ticker(void *arg)
{
    struct drainer *d = arg;
    while (!d->ended) {
        int64_t now_ns = jobq_now(d->b);
        if (deleter_due(d, now_ns))
            deleter_start(d);
        /* Each starts with a call's worth, so as many as there are calls' worths. */
        int64_t due_ns = now_ns - d->beat_interval_ns;
        struct held *h = d->beat_first;
        if (h && h->covered_at_ns <= due_ns) {
            while (h && h->covered_at_ns <= due_ns && d->beat_calls < BEAT_CALLS_MAX) {
                d->beat_calls++;
                fiber_spawn(d->b->proc, beat, d);
                for (int i = 0; h && i < d->options.batch; i++)
                    h = h->beat_next;
            }
            fiber_yield(d->b->sched); /* they take their messages */
            new_interval(d);
        }
        d->tick_until_ns = next_due(d);
        if (d->tick_until_ns > jobq_now(d->b))
            fiber_cond_wait(d->b->sched, &d->tick, d->tick_until_ns);
        d->tick_until_ns = 0;
    }
}

void beat_start(struct drainer *d)
{
    new_interval(d);
    fiber_spawn(d->b->proc, ticker, d);
}
