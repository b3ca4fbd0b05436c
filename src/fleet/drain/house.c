/* house.c - when does a drainer ask whether it is its turn to keep house?
 *
 * Room:     src/fleet, private to the drainer.
 *
 * Once in its first half hour, then about once an hour; when in it is drawn with its id, so
 * that a hundred that start together do not ask together. One that ends sooner because
 * nothing is left to do (--once, --idle-exit) asks before it ends, if it has done any job: a
 * fleet of such drainers keeps house too, for one read of 1.3 micro-dollars each. Of those
 * that found nothing to do one in 64 asks, so that a check every minute costs no more than a
 * drainer that stays. Boxes that are taken away meet the first half hour's draw. */
#include "base/text.h"
#include "fleet/drain/parts.h"
#include "fleet/housekeeping/housekeeping.h"
#include "jobq/units.h"

#include <stdio.h>

#define IDLE_ASKS (1.0 / 64)

static double house_draw(const struct drainer *d)
{
    return ((d->token[0] & 31) * 32 + (d->token[1] & 31)) / 1024.0;
}

/* *next_ns: wait so long before asking again. Returns how many messages were sent. */
static int64_t house_round(struct drainer *d, bool last, int64_t *next_ns)
{
    struct housekeeping h = {.b = d->b,
                             .queue_name = d->queue_name,
                             .queue = d->queue,
                             .keep_ns = d->options.keep_ns,
                             .retention_ns = d->retention_ns,
                             .visibility_ns = d->visibility_ns,
                             .brief = last,
                             .stop = last ? &d->stopping : &d->ended};
    struct housekeeping_done done;
    struct jobq_error err;
    char text[200];
    int64_t lived_ns = jobq_wall(d->b) - d->started_wall_ns;
    if (last && d->quiet_since_ns >= 0)
        h.empty_for_ns = jobq_now(d->b) - d->quiet_since_ns;
    d->house_asked = true;
    /* Calls that fail are reported by fleet/port/health.h. */
    housekeeping_round(&h, d->options.housekeeping_ns, lived_ns, str_of(d->id), next_ns,
                       &done, &err);
    char *done_text = text + snprintf(text, sizeof text, "housekeeping: ");
    housekeeping_say(&done, false, done_text, (int)(text + sizeof text - done_text));
    if (done_text[0] && !d->ended)
        drain_notice(d, text);
    return done.sent;
}

static void house(void *arg)
{
    struct drainer *d = arg;
    int64_t every_ns = d->options.housekeeping_ns;
    int64_t wait_ns = (int64_t)(house_draw(d) * (double)every_ns / 2);
    while (watch_rest(d, wait_ns)) {
        house_round(d, false, &wait_ns);
        /* A young queue was left alone: the drainers are as far apart as before. */
        if (wait_ns != every_ns / 2)
            wait_ns += (int64_t)(house_draw(d) * (double)every_ns / 8);
    }
}

static bool house_is_kept(const struct drainer *d)
{
    return d->b->store && d->options.housekeeping_ns < JOBQ_FOREVER;
}

void house_start(struct drainer *d)
{
    if (house_is_kept(d))
        fiber_spawn(d->b->proc, house, d);
}

bool house_before_end(struct drainer *d)
{
    int64_t next_ns;
    bool asks = d->counters.attempts > 0 || jobq_uniform(d->b) < IDLE_ASKS;
    return house_is_kept(d) && !d->house_asked && asks &&
           house_round(d, true, &next_ns) > 0;
}
