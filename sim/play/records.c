/* records.c - writes what drainers report of their jobs into the jobs' records.
 *
 * Room:     sim; see sim/play/replication.h. */
#include "sim/play/internal.h"

void records_end_job(struct replication *rep, struct jobrec *rec, enum jobrec_state state,
                     int64_t at_ns)
{
    rec->state = (uint8_t)state;
    rec->ended_at_ns = at_ns;
    rep->ended++;
    rep->cancelled += state == JOBREC_CANCELLED;
    rep->last_end_ns = rep->last_progress_ns = at_ns;
    if (rep->options.progress && rep->ended % 64 == 0)
        atomic_fetch_add_explicit(rep->options.progress, 64, memory_order_relaxed);
    if (rec->index >= 0)
        rep->open--;
    if (rep->options.page && rep->ended == (rep->scenario->jobs + 1) / 2)
        replication_publish_page(rep);
}

static void job_started(struct replication_box *b, const struct drainer_event *e)
{
    struct jobrec *rec = jobrec_of(&b->rep->jobs, e->job_id);
    b->rep->attempts++;
    if (rec->started_at_ns < 0)
        rec->started_at_ns = e->started_at_ns;
    rec->box = b->index;
    if (rec->attempts < INT16_MAX)
        rec->attempts++;
}

/* stored: written by the drainer that reports it; else the drainer found the row in that
 * state. */
static void job_ended(struct replication *rep, const struct drainer_event *e,
                      enum jobrec_state state, bool stored)
{
    struct jobrec *rec = jobrec_of(&rep->jobs, e->job_id);
    if (stored && rec->results < UINT8_MAX)
        rec->results++;
    if (rec->ended_at_ns >= 0)
        return;
    records_end_job(rep, rec, state, e->ended_at_ns);
    if (rep->open == 0)
        replication_check_end(rep);
}

void records_on_event(void *ctx, const struct drainer_event *e)
{
    struct replication_box *b = ctx;
    struct replication *rep = b->rep;
    if (rep->options.hooks && rep->options.hooks->event)
        rep->options.hooks->event(rep->options.hooks->ctx, e);
    if (e->kind == DRAINER_STARTED)
        job_started(b, e);
    else if (e->kind == DRAINER_ENDED && e->state == JOB_DONE)
        job_ended(rep, e, JOBREC_DONE, true);
    else if (e->kind == DRAINER_ENDED && e->state == JOB_DEAD)
        job_ended(rep, e, JOBREC_DEAD, true);
    else if (e->kind == DRAINER_ENDED)
        rep->failed_attempts += e->state == JOB_FAILED;
    else if (e->kind == DRAINER_SKIPPED && e->state == JOB_CANCELLED && e->job_id.len > 0)
        job_ended(rep, e, JOBREC_CANCELLED, false);
    else if (e->kind == DRAINER_SKIPPED && e->state == JOB_DEAD && e->job_id.len > 0)
        job_ended(rep, e, JOBREC_DEAD, false); /* its attempts were used up */
}
