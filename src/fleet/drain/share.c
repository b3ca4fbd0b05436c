/* share.c - whose is the next slot, when one process drains several queues?
 *
 * Room:     src/fleet, private to the drainer.
 * Blocks:   never.
 *
 * Start-time fair queueing (Goyal, Vin and Cheng 1996) over slot time. A drainer's turn is the
 * slot time that its attempts took, divided by its weight; the drainer with the least turn
 * starts the next of its messages. An attempt is charged at its start with the mean of its
 * queue, for many may start before the first ends, and corrected when it leaves its slot. A
 * queue that had nothing claims no slots for the time when others used them: its turn goes on
 * from that of the attempt that started last.
 *
 * What a drainer receives is bounded by its part of the slots, so that no messages are held
 * here that another box could run; but one more may wait for a slot that others still hold.
 * Queues that are known to be empty have no part: theirs goes to the others. A poll that has
 * been out for EMPTY_AFTER_NS is known to have found none.
 *
 * A drainer by itself is a share with one member, and has all slots. */
#include "fleet/drain/parts.h"
#include "jobq/units.h"

#include <assert.h>

#define EMPTY_AFTER_NS JOBQ_NS_PER_S

struct drainer_share *drainer_share_new(struct jobq_backend *b, int slots)
{
    struct drainer_share *s = arena_zalloc(fiber_proc_arena(b->proc), sizeof *s);
    s->slots = slots;
    return s;
}

void share_join(struct drainer *d, struct drainer_share *share)
{
    struct drainer **at = &share->first;
    while (*at)
        at = &(*at)->share_next;
    *at = d;
    d->share = share;
}

void share_leave(struct drainer *d)
{
    struct drainer **at = &d->share->first;
    while (*at != d)
        at = &(*at)->share_next;
    *at = d->share_next;
}

/* Its queue has nothing for slots that it might have. */
static bool share_is_empty(const struct drainer *d)
{
    return d->mode != DRAINER_RUNNING || d->fatal.code != JOBQ_OK || d->idle ||
           (d->buffer.count == 0 &&
            (d->found_nothing ||
             (d->receiving > 0 && jobq_now(d->b) - d->asked_at_ns >= EMPTY_AFTER_NS)));
}

int share_slots(const struct drainer *d)
{
    int64_t weight = d->options.weight, all = weight;
    for (const struct drainer *m = d->share->first; m; m = m->share_next)
        if (m != d && !share_is_empty(m))
            all += m->options.weight;
    /* Rounded up: a slot too few would stay idle. */
    return (int)((d->share->slots * weight + all - 1) / all);
}

int share_room(const struct drainer *d)
{
    int own = share_slots(d) - d->busy, free = d->share->slots - d->share->busy;
    int most = free > 1 ? free : 1;
    return own < most ? own : most;
}

int64_t share_look_at_ns(const struct drainer *d)
{
    int64_t at_ns = JOBQ_FOREVER, now_ns = jobq_now(d->b);
    for (const struct drainer *m = d->share->first; m; m = m->share_next) {
        int64_t empty_at_ns = m->asked_at_ns + EMPTY_AFTER_NS;
        if (m != d && m->receiving > 0 && empty_at_ns > now_ns && empty_at_ns < at_ns)
            at_ns = empty_at_ns;
    }
    return at_ns;
}

struct drainer *share_next(const struct drainer_share *share)
{
    struct drainer *next = NULL;
    if (share->busy >= share->slots)
        return NULL;
    for (struct drainer *d = share->first; d; d = d->share_next)
        if (d->begun && d->buffer.count > 0 && d->mode != DRAINER_STOPPING &&
            (!next || d->turn_ns < next->turn_ns))
            next = d;
    return next;
}

void share_take(struct held *h)
{
    struct drainer *d = h->d;
    /* Without a mean, a guess: it is corrected. */
    h->charged_ns = d->mean_job_ns > 0 ? d->mean_job_ns : JOBQ_NS_PER_S;
    d->share->turn_ns = d->turn_ns;
    d->turn_ns += h->charged_ns / d->options.weight;
    d->share->busy++;
    d->busy++;
}

void share_give(struct held *h, int64_t took_ns)
{
    struct drainer *d = h->d;
    d->turn_ns += (took_ns - h->charged_ns) / d->options.weight;
    d->share->busy--;
    d->busy--;
}

void share_note_receive(struct drainer *d, int count, int64_t asked_at_ns)
{
    bool was_empty = d->found_nothing || jobq_now(d->b) - asked_at_ns >= EMPTY_AFTER_NS;
    d->found_nothing = count == 0;
    if (count > 0 && was_empty && d->turn_ns < d->share->turn_ns)
        d->turn_ns = d->share->turn_ns;
}

static bool quiet_for_long(const struct drainer *d)
{
    return d->idle || (d->quiet_since_ns >= 0 &&
                       jobq_now(d->b) - d->quiet_since_ns >= d->options.idle_exit_ns);
}

bool share_is_quiet(const struct drainer_share *share)
{
    const struct drainer *d = share->first;
    while (d && quiet_for_long(d))
        d = d->share_next;
    return !d;
}

void share_end_if_quiet(struct drainer *d)
{
    struct drainer_share *share = d->share;
    if (!share_is_quiet(share))
        return;
    for (struct drainer *m = share->first; m; m = m->share_next) {
        m->idle = true;
        fiber_cond_signal(&m->changed);
    }
}
