/* monitor.c - what does a drainer look at now and then?
 *
 * Room:     src/fleet, private to the drainer.
 *
 * A spot notice, every few seconds; cancelled rows of running jobs, if asked for; how far
 * running jobs say they are; and its own statistics row, one attribute, written when
 * something has changed, so that the status view has progress for one small put a minute
 * and never counts rows.
 *
 * The row: "WALL_MS BOX SLOTS ..." (fleet/status/status.h). The time comes first, so that
 * the rows changed since a time are found by comparing. */
#include "base/text.h"
#include "fleet/drain/parts.h"
#include "fleet/status/status.h"
#include "jobq/units.h"

#include <stdio.h>
#include <string.h>

bool watch_rest(struct drainer *d, int64_t ns)
{
    if (!d->ended)
        fiber_cond_wait(d->b->sched, &d->watch, jobq_now(d->b) + ns);
    return !d->ended;
}

/* ---- statistics ---------------------------------------------------------------------- */

static int64_t progress_sum(const struct drainer *d)
{
    const struct drainer_counters *c = &d->counters;
    return 1 + c->attempts + c->done + c->failed + c->dead + c->cancelled + c->gave_back;
}

static int put_stats(struct drainer *d, struct jobq_error *err)
{
    char value[STATUS_ROW_MAX];
    struct drainer_view view;
    drainer_view(d, &view);
    struct status_drainer me = status_drainer_of(&view, jobq_wall(d->b));
    me.held = d->held_count;
    struct jobq_str line = {value, status_drainer_write(&me, value)};
    return rows_drainer_put(&(struct rows){.b = d->b}, d->queue_name, str_of(d->id), line,
                            err);
}

void watch_write_stats(struct drainer *d)
{
    struct jobq_error err;
    int64_t sum = progress_sum(d);
    if (!d->b->store || d->options.stats_ns == JOBQ_FOREVER || sum == d->stats_written)
        return;
    /* A missed one is made good by the next: no retry. */
    if (put_stats(d, &err) == JOBQ_OK)
        d->stats_written = sum;
}

static void stats(void *arg)
{
    struct drainer *d = arg;
    while (watch_rest(d, d->options.stats_ns))
        watch_write_stats(d);
}

/* ---- the spot notice ----------------------------------------------------------------- */

static void notices(void *arg)
{
    struct drainer *d = arg;
    struct jobq_notice notice;
    struct jobq_error err;
    do {
        notice = (struct jobq_notice){0};
        int code = jobq_fleet_notice(d->b, &notice, &err);
        if (code == JOBQ_OK && notice.due && d->notice_wall_ns == 0) {
            int64_t left_ns =
                notice.at_wall_ns - jobq_wall(d->b) - d->options.notice_margin_ns;
            d->notice_wall_ns = notice.at_wall_ns;
            drainer_stop(d, jobq_now(d->b) + (left_ns > 0 ? left_ns : 0));
        }
    } while (d->notice_wall_ns == 0 && watch_rest(d, d->options.notice_ns));
}

/* ---- cancelled rows ------------------------------------------------------------------ */

static bool is_cancelled(struct held *h, struct arena *scratch)
{
    struct jobq_item item;
    struct job_row row;
    struct jobq_error err;
    int64_t now_ns = jobq_now(h->d->b); /* once: the next look is soon enough */
    struct rows rows = {h->d->b, &now_ns, NULL};
    return rows_read(&rows, h->table, h->body.id, ROWS_CLAIM, scratch, &item, &row,
                     &err) == JOBQ_OK &&
           row.exists && row.state == JOB_CANCELLED;
}

/* The list of running attempts changes while the store is asked: its members are taken
 * first, pinned, into scratch. */
static struct held **running(struct drainer *d, struct arena *scratch, int *count)
{
    arena_reset(scratch);
    *count = 0;
    struct held **held =
        arena_alloc(scratch, (size_t)d->busy * sizeof(struct held *) + 1);
    for (struct held *h = d->run_first; h; h = h->run_next)
        if (h->child >= 0) {
            h->calls++;
            held[(*count)++] = h;
        }
    return held;
}

static bool runs_still(const struct held *h)
{
    return h->place == HELD_RUNNING && !h->released;
}

static void cancels(void *arg)
{
    struct drainer *d = arg;
    struct arena scratch;
    arena_init_within(&scratch, d->memory, 4096);
    while (watch_rest(d, d->options.cancel_check_ns)) {
        int count;
        struct held **held = running(d, &scratch, &count);
        for (int i = 0; i < count; i++) {
            struct held *h = held[i];
            if (runs_still(h) && is_cancelled(h, &scratch) && runs_still(h)) {
                h->cancelled = true;
                attempt_end_child(h, d->options.kill_grace_ns);
            }
            held_unpin(h);
        }
    }
}

/* ---- jobs of over 12 hours ----------------------------------------------------------- */

#define FINAL_PUT_NS (10 * JOBQ_NS_PER_S) /* with room for a few tries */

/* Once its message can be hidden no longer, another drainer runs the job beside this one. */
static int64_t limit_at(const struct held *h)
{
    return h->received_at_ns + DRAIN_HIDDEN_MAX_NS - h->d->options.kill_grace_ns -
           FINAL_PUT_NS;
}

static void limits(void *arg)
{
    struct drainer *d = arg;
    int64_t next_ns;
    do {
        next_ns = JOBQ_FOREVER;
        int64_t now_ns = jobq_now(d->b);
        for (struct held *h = d->run_first; h; h = h->run_next) {
            if (!h->at_limit || h->timed_out)
                continue;
            if (now_ns >= limit_at(h)) {
                h->timed_out = h->too_long = true;
                attempt_end_child(h, d->options.kill_grace_ns);
            } else if (limit_at(h) < next_ns) {
                next_ns = limit_at(h);
            }
        }
    } while (next_ns < JOBQ_FOREVER && watch_rest(d, next_ns - jobq_now(d->b)));
    d->limits_watched = false;
}

void watch_limit(struct held *h)
{
    struct drainer *d = h->d;
    if (d->limits_watched)
        return; /* it sleeps until an earlier limit: they ascend as receives do */
    d->limits_watched = true;
    fiber_spawn(d->b->proc, limits, d);
}

/* ---- progress ------------------------------------------------------------------------ */

static void store_progress(struct held *h)
{
    struct drainer *d = h->d;
    struct jobq_error err;
    int64_t now_ns = jobq_now(d->b);
    int percent = h->progress;
    if (percent < 0 || percent == h->progress_stored ||
        now_ns - h->progress_at_ns < d->progress_ns)
        return;
    h->progress_at_ns = now_ns;
    /* A missed one is made good by the next: no retry. */
    if (progress_put(h, &err) == JOBQ_OK)
        h->progress_stored = percent;
}

static void progress(void *arg)
{
    struct drainer *d = arg;
    struct arena scratch;
    arena_init_within(&scratch, d->memory, 4096);
    do {
        int count;
        struct held **held = running(d, &scratch, &count);
        for (int i = 0; i < count; i++) {
            if (runs_still(held[i]))
                store_progress(held[i]);
            held_unpin(held[i]);
        }
    } while (watch_rest(d, d->progress_ns / 4) && d->busy > 0);
    d->progress_told = false;
}

void watch_progress(struct held *h, int percent)
{
    struct drainer *d = h->d;
    if (h->progress < 0) {
        h->progress_stored = -1;
        h->progress_at_ns = h->started_at_ns;
    }
    h->progress = percent;
    if (percent < 0 || d->progress_told || !d->b->store ||
        d->options.rows == JOB_ROWS_END || d->progress_ns == JOBQ_FOREVER)
        return;
    d->progress_told = true;
    fiber_spawn(d->b->proc, progress, d);
}

/* ---- all of them --------------------------------------------------------------------- */

void watch_start(struct drainer *d)
{
    if (d->b->store && d->options.stats_ns < JOBQ_FOREVER)
        fiber_spawn(d->b->proc, stats, d);
    house_start(d);
    if (d->b->fleet && d->options.notice_ns < JOBQ_FOREVER)
        fiber_spawn(d->b->proc, notices, d);
    if (d->b->store && d->options.cancel_check_ns < JOBQ_FOREVER)
        fiber_spawn(d->b->proc, cancels, d);
}
