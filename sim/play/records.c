/* records.c - what the drainers tell of their jobs, written into the jobs' records.
 *
 * Room:     sim; see sim/play/replication.h.
 *
 * A job is heard of again when a thousand others have been: its record has left the cache. So
 * news waits until there is some of it, and the records it concerns are then asked for all
 * at once. Nobody may see that it waited: who looks at the records, or at the counts that
 * follow from them, calls scene_hear first, and it never waits when it could be the last. */
#include "sim/play/internal.h"

#include <stdlib.h>

void scene_end_job(struct scene *s, struct jobrec *rec, enum jobrec_state state,
                   int64_t at_ns)
{
    rec->state = (uint8_t)state;
    rec->ended_at_ns = at_ns;
    s->ended++;
    s->cancelled += state == JOBREC_CANCELLED;
    s->last_end_ns = s->last_progress_ns = at_ns;
    if (s->options.progress && s->ended % 64 == 0)
        atomic_fetch_add_explicit(s->options.progress, 64, memory_order_relaxed);
    if (rec->index >= 0)
        s->open--;
    if (s->options.page && s->ended == (s->scenario->jobs + 1) / 2)
        scene_page_start(s);
}

static void started(struct jobrec *rec, const struct scene_news *n)
{
    if (rec->started_at_ns < 0)
        rec->started_at_ns = n->at_ns;
    rec->box = n->box;
    if (rec->attempts < INT16_MAX)
        rec->attempts++;
}

static void ended(struct scene *s, struct jobrec *rec, const struct scene_news *n)
{
    if (n->kind == SCENE_STORED && rec->results < UINT8_MAX)
        rec->results++;
    if (rec->ended_at_ns < 0) {
        scene_end_job(s, rec, (enum jobrec_state)n->state, n->at_ns);
        if (s->open == 0)
            scene_see_end(s);
    }
}

static void write_down(struct scene *s, struct jobrec *rec, const struct scene_news *n)
{
    if (n->kind == SCENE_STARTED)
        started(rec, n);
    else
        ended(s, rec, n);
}

void scene_hear(struct scene *s)
{
    int count = s->news_count;
    s->news_count = 0;
    jobrec_ask_for(&s->jobs, s->news_key, count);
    for (int i = 0; i < count; i++)
        write_down(s, jobrec_of_key(&s->jobs, s->news_key[i]), &s->news[i]);
}

static void tell(struct scene *s, struct jobq_str id, struct scene_news n)
{
    /* The id of a new record must be at hand, and the page is due in the middle. */
    if (s->jobs.keep_ids || s->options.page) {
        write_down(s, jobrec_of(&s->jobs, id), &n);
        return;
    }
    int at = s->news_count++;
    s->news_key[at] = jobrec_key(id);
    s->news[at] = n;
    if (at + 1 == SCENE_NEWS || (s->fed && at + 1 >= s->open))
        scene_hear(s);
}

static void started_one(struct scene_box *b, const struct drainer_event *e)
{
    b->scene->attempts++;
    tell(b->scene, e->job_id,
         (struct scene_news){
             .kind = SCENE_STARTED, .at_ns = e->started_at_ns, .box = b->index});
}

static void ended_one(struct scene *s, const struct drainer_event *e,
                      enum scene_news_kind kind, enum jobrec_state state)
{
    tell(s, e->job_id,
         (struct scene_news){
             .kind = (uint8_t)kind, .state = (uint8_t)state, .at_ns = e->ended_at_ns});
}

void scene_on_event(void *ctx, const struct drainer_event *e)
{
    struct scene_box *b = ctx;
    struct scene *s = b->scene;
    if (s->options.hooks && s->options.hooks->event)
        s->options.hooks->event(s->options.hooks->ctx, e);
    if (e->kind == DRAINER_STARTED)
        started_one(b, e);
    else if (e->kind == DRAINER_ENDED && e->state == JOB_DONE)
        ended_one(s, e, SCENE_STORED, JOBREC_DONE);
    else if (e->kind == DRAINER_ENDED && e->state == JOB_DEAD)
        ended_one(s, e, SCENE_STORED, JOBREC_DEAD);
    else if (e->kind == DRAINER_ENDED)
        s->failed_attempts += e->state == JOB_FAILED;
    else if (e->kind == DRAINER_SKIPPED && e->state == JOB_CANCELLED && e->job_id.len > 0)
        ended_one(s, e, SCENE_FOUND, JOBREC_CANCELLED);
    else if (e->kind == DRAINER_SKIPPED && e->state == JOB_DEAD && e->job_id.len > 0)
        ended_one(s, e, SCENE_FOUND, JOBREC_DEAD); /* its attempts were used up */
}
