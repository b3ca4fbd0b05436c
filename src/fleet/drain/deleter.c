/* deleter.c - when are ended jobs' messages deleted, and how many at a time?
 *
 * Room:     src/fleet, private to the drainer.
 *
 * A delete waits for others as long as the visibility allows: ten share one request. The
 * heartbeat of a message stops when it comes here. What is deleted is the newest handle; if
 * a newer one came while the call was under way, the message is deleted again. A delete
 * that fails does no harm: the message comes back, finds its job ended and is only deleted.
 * One that may not be made ends the drainer (refusal.c). */
#include "fleet/drain/parts.h"
#include "jobq/units.h"

#include <assert.h>

/* A call that is started but has not yet taken its messages has them: jobs that end in the
 * same moment must not each start one. */
bool deleter_due(const struct drainer *d, int64_t now_ns)
{
    int left = d->deletes.count - d->deletes_starting * d->options.batch;
    if (left <= 0 || d->delete_calls >= d->options.deletes)
        return false;
    if (left >= d->options.batch || d->mode == DRAINER_STOPPING)
        return true;
    return d->deletes_starting == 0 && d->deletes.first->delete_by_ns <= now_ns;
}

/* The call's own copy of the handles: the held messages may get newer ones meanwhile. */
struct delete_call {
    struct held *held[JOBQ_BATCH_MAX];
    struct drain_batch *batch[JOBQ_BATCH_MAX];
    struct jobq_str receipt[JOBQ_BATCH_MAX];
    int code[JOBQ_BATCH_MAX];
    int count;
};

static void deleter_gather(struct drainer *d, struct delete_call *call)
{
    call->count = 0;
    while (call->count < d->options.batch && d->deletes.count > 0) {
        struct held *h = held_pop(&d->deletes);
        int i = call->count++;
        h->receipt_batch->users++;
        call->held[i] = h;
        call->batch[i] = h->receipt_batch;
        call->receipt[i] = h->message.receipt;
    }
}

/* Tries until every entry is deleted, refused or out of time. */
static void call_delete(struct drainer *d, struct delete_call *call)
{
    struct jobq_str receipt[JOBQ_BATCH_MAX];
    struct jobq_entry_result result[JOBQ_BATCH_MAX];
    struct jobq_error err;
    int64_t deadline_ns = jobq_now(d->b) + d->visibility_ns;
    if (deadline_ns > d->give_up_at_ns)
        deadline_ns = d->give_up_at_ns;
    struct retry r;
    retry_init(&r, d->b, &RETRY_CALLS, &deadline_ns);
    for (int i = 0; i < call->count; i++)
        call->code[i] = JOBQ_UNAVAILABLE;
    int code;
    do {
        int of[JOBQ_BATCH_MAX], count = 0;
        for (int i = 0; i < call->count; i++)
            if (jobq_code_is_retryable(call->code[i])) {
                receipt[count] = call->receipt[i];
                of[count++] = i;
            }
        d->counters.delete_calls++;
        code = jobq_queue_remove(d->b, d->queue, receipt, count, result, &err);
        for (int i = 0; i < count; i++)
            call->code[of[i]] = code < 0 ? code : result[i].code;
        refusal_check(d, code, &err);
        refusal_check_entries(d, result, code < 0 ? 0 : count);
        for (int i = 0; code == JOBQ_OK && i < count; i++)
            if (jobq_code_is_retryable(result[i].code))
                code = result[i].code;
    } while (code < 0 && retry_again(&r, code));
    d->counters.retries += r.tries;
}

static void delete_some(void *arg)
{
    struct drainer *d = arg;
    struct delete_call call;
    d->deletes_starting--;
    do {
        deleter_gather(d, &call);
        if (call.count == 0)
            break;
        if (d->deletes.first)
            tick_by(d, d->deletes.first->delete_by_ns);
        call_delete(d, &call);
        for (int i = 0; i < call.count; i++) {
            struct held *h = call.held[i];
            bool newer = h->message.receipt.ptr != call.receipt[i].ptr;
            batch_put(d, call.batch[i]);
            d->deletes_held--;
            if (newer) {
                deleter_add(h);
                continue;
            }
            d->counters.deletes += call.code[i] == JOBQ_OK;
            held_release(h);
        }
        /* Count this call as done while looking whether the next is due. */
        d->delete_calls--;
        bool more = deleter_due(d, jobq_now(d->b));
        d->delete_calls++;
        if (!more)
            break;
    } while (d->deletes.count > 0);
    d->delete_calls--;
    tick_by(d, d->deletes.first ? d->deletes.first->delete_by_ns : JOBQ_FOREVER);
    drain_pump(d);
    if (d->mode == DRAINER_STOPPING)
        fiber_cond_broadcast(&d->changed);
}

void deleter_start(struct drainer *d)
{
    d->delete_calls++;
    d->deletes_starting++;
    fiber_spawn(d->b->proc, delete_some, d);
}

void deleter_add(struct held *h)
{
    struct drainer *d = h->d;
    int64_t now_ns = jobq_now(d->b);
    beat_remove(h);
    h->place = HELD_DELETING;
    h->delete_by_ns = now_ns + d->linger_ns;
    held_push(&d->deletes, h);
    d->deletes_held++;
    if (deleter_due(d, now_ns))
        deleter_start(d);
    else if (d->deletes.count == 1)
        tick_by(d, h->delete_by_ns);
}

/* A heartbeat under way would hide again what was given back before it arrived. */
static void await_beats(struct drainer *d, struct held **held, int count,
                        int64_t until_ns)
{
    for (int i = 0; i < count; i++)
        while (held[i]->calls > 0 && jobq_now(d->b) < until_ns)
            fiber_cond_wait(d->b->sched, &d->beaten, until_ns);
}

void deleter_give_back(struct drainer *d, struct held **held, int count, int64_t delay_ns)
{
    struct jobq_visibility_change change[JOBQ_BATCH_MAX];
    struct jobq_entry_result result[JOBQ_BATCH_MAX];
    struct drain_batch *batch[JOBQ_BATCH_MAX];
    struct jobq_error err;
    assert(count >= 1 && count <= JOBQ_BATCH_MAX && delay_ns >= 0);
    int64_t deadline_ns = jobq_now(d->b) + d->visibility_ns;
    if (deadline_ns > d->give_up_at_ns)
        deadline_ns = d->give_up_at_ns;
    for (int i = 0; i < count; i++) {
        held[i]->place = HELD_AFTER;
        beat_remove(held[i]);
    }
    await_beats(d, held, count, (jobq_now(d->b) + deadline_ns) / 2);
    for (int i = 0; i < count; i++) {
        batch[i] = held[i]->receipt_batch;
        batch[i]->users++;
        change[i] = (struct jobq_visibility_change){held[i]->message.receipt, delay_ns};
    }
    struct retry r;
    retry_init(&r, d->b, &RETRY_CALLS, &deadline_ns);
    int code;
    do
        code = jobq_queue_set_visibility(d->b, d->queue, change, count, result, &err);
    while (code < 0 && retry_again(&r, code));
    d->counters.retries += r.tries;
    refusal_check(d, code, &err);
    refusal_check_entries(d, result, code < 0 ? 0 : count);
    for (int i = 0; i < count; i++) {
        /* NOT_FOUND: it has gone back by itself. */
        int outcome = code < 0 ? code : result[i].code;
        d->not_returned += outcome < 0 && outcome != JOBQ_NOT_FOUND;
        batch_put(d, batch[i]);
        held_release(held[i]);
    }
}
