#include "fleet/scale/scale.h"

#include "base/arena.h"
#include "base/hash.h"
#include "fiber/fiber.h"
#include "fleet/status/status.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

struct scale {
    struct jobq_backend *b;
    struct scale_options options;
    struct status *status;
    struct status_view *view;
    struct scale_job_time job_time;
    struct scale_report report;
    int64_t looked_at_ns; /* 0: not yet */
    int64_t most;         /* boxes of the next launch: fewer after EC2 had no room */
    bool stopped;
    struct fiber_cond stop;
};

int scale_new(struct jobq_backend *b, const struct scale_options *options,
              struct scale **out, struct jobq_error *err)
{
    assert(b && options->every_ns > 0 && options->job_s > 0);
    struct arena *memory = fiber_proc_arena(b->proc);
    struct scale *s = arena_zalloc(memory, sizeof *s);
    s->b = b;
    s->options = *options;
    s->view = arena_alloc(memory, sizeof *s->view);
    s->job_time.guess_s = options->job_s;
    s->job_time.half_life_s = options->policy.target_s;
    s->most = OPERATE_BOXES_MAX;
    int code = status_new(b, options->queue, &s->status, err);
    *out = s;
    return code;
}

/* ---- looking --------------------------------------------------------------------------- */

static void count_boxes(const struct status_view *view, struct scale_seen *seen)
{
    seen->boxes = seen->deaf = 0;
    for (int i = 0; i < view->box_count; i++) {
        const struct status_box *box = &view->box[i];
        bool runs = box->state == JOBQ_BOX_RUNNING;
        seen->boxes += runs || box->state == JOBQ_BOX_PENDING;
        seen->deaf += runs && view->rows_stored && box->seen_wall_ns == 0 &&
                      view->taken_wall_ns - box->launched_wall_ns > SCALE_DEAF_NS;
    }
}

/* Rows that cannot be read only leave the job time as it was. */
static int scale_look(struct scale *s, struct jobq_error *err)
{
    struct status_view *view = s->view;
    int code = status_read(s->status, view, err);
    if (code < 0 && (status_is_stale(view) || !view->boxes_known))
        return code;
    int64_t now_ns = jobq_now(s->b);
    double dt_s = jobq_seconds_from_ns(s->looked_at_ns ? now_ns - s->looked_at_ns : 0);
    struct jobq_queue_depth depth = status_depth(view);
    /* Drainers of an older version report only their commands' time. */
    int64_t held_ns = view->slot_ns > view->work_ns ? view->slot_ns : view->work_ns;
    s->looked_at_ns = now_ns;
    s->report.seen.waiting = depth.visible;
    s->report.seen.running = depth.in_flight;
    s->report.seen.job_s = scale_job_time(&s->job_time, dt_s, held_ns,
                                          view->done + view->failed + view->dead);
    count_boxes(view, &s->report.seen);
    s->report.wall_ns = view->taken_wall_ns;
    s->report.problem = view->problem;
    return JOBQ_OK;
}

/* ---- starting -------------------------------------------------------------------------- */

static void put_token(const struct scale *s, int64_t instant, char out[33])
{
    const char *queue = s->options.queue;
    snprintf(out, 33, "s%016llx%llx",
             (unsigned long long)hash_add(HASH_START, queue, strlen(queue)),
             (unsigned long long)instant);
}

/* Returns: JOBQ_OK, also if there was no room or another one decided; else the error. */
static int start_boxes(struct scale *s, int64_t instant, struct text *said,
                       struct jobq_error *err)
{
    const struct scale_decision *d = &s->report.decision;
    int64_t below_min = s->options.policy.boxes_min - s->report.seen.boxes;
    struct operate_spawn spawn = {.count = d->launch, .spot = s->options.spot};
    if (below_min > 0) {
        spawn.stays = true;
        spawn.count = below_min < d->launch ? below_min : d->launch;
    }
    spawn.count = spawn.count < s->most ? spawn.count : s->most;
    put_token(s, instant, spawn.once);
    int code = operate_spawn(s->options.operate, &spawn, said, err);
    if (code == JOBQ_OK && s->most < OPERATE_BOXES_MAX)
        s->most *= 2;
    if (code == JOBQ_LIMIT)
        s->most = spawn.count > 1 ? spawn.count / 2 : 1;
    if (code == JOBQ_CONFLICT)
        return jobq_fail(err, JOBQ_UNAVAILABLE,
                         "another autoscaler has started boxes for this instant");
    return code;
}

static bool may_pass(int code)
{
    return jobq_code_is_retryable(code) || code == JOBQ_LIMIT;
}

static int scale_step(struct scale *s, int64_t instant, struct jobq_error *err)
{
    struct text said = {0};
    int code = scale_look(s, err);
    if (code == JOBQ_OK) {
        scale_decide(&s->options.policy, &s->report.seen, &s->report.decision);
        if (s->report.decision.launch > 0 && s->options.operate)
            code = start_boxes(s, instant, &said, err);
    }
    if (code < 0)
        s->report.problem = err->text;
    s->report.said = said.len > 0 ? said.ptr : "";
    if (s->options.decided)
        s->options.decided(s->options.ctx, &s->report);
    text_release(&said);
    return code;
}

int scale_run(struct scale *s, struct jobq_error *err)
{
    int64_t every_ns = s->options.every_ns;
    int code = JOBQ_OK;
    while (!s->stopped) {
        int64_t wall_ns = jobq_wall(s->b), instant = wall_ns / every_ns + 1;
        int64_t at_ns = jobq_now(s->b) + instant * every_ns - wall_ns;
        while (!s->stopped && jobq_now(s->b) < at_ns)
            fiber_cond_wait(s->b->sched, &s->stop, at_ns);
        if (s->stopped)
            break;
        code = scale_step(s, instant, err);
        if (s->options.once || (code < 0 && !may_pass(code)))
            return code;
    }
    return JOBQ_OK;
}

void scale_stop(struct scale *s)
{
    s->stopped = true;
    fiber_cond_broadcast(&s->stop);
}
