#include "sim/play/replication.h"

#include "scenario/fleet.h"
#include "sim/play/internal.h"

#include "base/arena.h"
#include "fleet/job/job.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* How often the end is looked for where no event tells it (messages that expire). */
#define LOOK_NS (5 * JOBQ_NS_PER_MIN)
/* Heard nothing for so long: the rows are asked. */
#define QUIET_NS (60 * JOBQ_NS_PER_S)
/* Nothing has arrived, run or ended for so long: nothing will. */
#define GIVE_UP_NS (15 * JOBQ_NS_PER_DAY)
/* What a drainer may take to flush its deletes once told to stop. */
#define STOP_NS (10 * JOBQ_NS_PER_MIN)

uint64_t scene_seed(uint64_t seed, uint64_t replication)
{
    struct dice dice;
    dice_init(&dice, seed, "replication", replication);
    return dice_bits(&dice);
}

/* ---- the end ------------------------------------------------------------------------ */

static void stop_drainers(struct scene *s)
{
    int64_t now_ns = world_now(s->world);
    for (int64_t i = 0; i < world_box_count(s->world); i++) {
        struct scene_box *b = scene_box_of(s, world_box_at(s->world, i));
        if (b->drainer && b->running)
            drainer_stop(b->drainer, now_ns + STOP_NS);
    }
}

static int64_t expired(struct scene *s)
{
    struct sqs_stats stats;
    int queue = sqs_find(world_sqs(s->world), STR(SCENE_QUEUE));
    if (queue < 0 ||
        sqs_stats(world_sqs(s->world), world_now(s->world), queue, &stats) != SQS_OK)
        return 0;
    return stats.expired;
}

static bool queue_is_empty(struct scene *s)
{
    struct sqs_queue_info info;
    struct jobq_error err;
    int queue = sqs_find(world_sqs(s->world), STR(SCENE_QUEUE));
    return sqs_info(world_sqs(s->world), world_now(s->world), queue, &info, &err) !=
               SQS_OK ||
           info.oldest_sent_at_ns == INT64_MAX;
}

/* One drainer fewer: its program has ended, or its box went down under it. The last one ends
 * a run that is over. */
static void drainer_gone(struct scene_box *b)
{
    struct scene *s = b->scene;
    if (!b->running)
        return;
    b->running = false;
    if (--s->drainers == 0 && s->finishing)
        kernel_stop(world_kernel(s->world));
}

void scene_see_end(struct scene *s)
{
    scene_hear(s);
    if (s->finishing || !s->fed || s->open > 0)
        return;
    const struct scene_hooks *hooks = s->options.hooks;
    if ((s->options.until_empty && !queue_is_empty(s)) ||
        (hooks && hooks->pending && hooks->pending(hooks->ctx)))
        return; /* look() comes again */
    s->finishing = true;
    stop_drainers(s);
    if (s->drainers == 0)
        kernel_stop(world_kernel(s->world));
}

/* The final state that a job's row holds, or JOBREC_OPEN. */
static enum jobrec_state state_of_row(struct scene *s, struct jobq_str id,
                                      struct arena *arena)
{
    struct simpledb *db = world_simpledb(s->world);
    struct job_id_parts parts;
    struct jobq_item item;
    struct job_row row;
    struct simpledb_reply reply;
    struct jobq_error err;
    char name[JOB_DOMAIN_MAX + 1];
    if (job_id_parse(id, &parts, &err) < 0)
        return JOBREC_OPEN;
    job_domain_name(parts.queue, parts.day, parts.shard, name);
    int domain = simpledb_domain_find(db, str_of(name));
    if (domain < 0 ||
        simpledb_get(db, world_now(s->world), 0.5, domain, id, NULL, 0, true, arena,
                     &item, &reply, &err) < 0 ||
        job_row_read(&item, &row, &err) < 0 || !row.exists)
        return JOBREC_OPEN;
    return row.state == JOB_DONE        ? JOBREC_DONE
           : row.state == JOB_DEAD      ? JOBREC_DEAD
           : row.state == JOB_CANCELLED ? JOBREC_CANCELLED
                                        : JOBREC_OPEN;
}

/* A box that dies between the store of a job's end and the news of it leaves a job that has
 * ended unseen. Its row tells. Looked at when nothing was heard for a while. */
static void reconcile(struct scene *s)
{
    struct arena arena;
    arena_init(&arena, 0);
    for (int64_t i = 0; i < s->jobs.count && s->open > 0; i++) {
        struct jobrec *rec = &s->jobs.rec[i];
        if (rec->index < 0 || rec->ended_at_ns >= 0 || !s->jobs.id)
            continue;
        arena_reset(&arena);
        enum jobrec_state state = state_of_row(s, str_of(s->jobs.id[i]), &arena);
        if (state != JOBREC_OPEN)
            scene_end_job(s, rec, state, world_now(s->world));
    }
    arena_release(&arena);
}

static int64_t look_ns(const struct scene *s)
{
    return s->options.until_empty ? JOBQ_NS_PER_S : LOOK_NS;
}

static bool any_job_runs(struct scene *s)
{
    for (int64_t i = 0; i < world_box_count(s->world); i++) {
        struct scene_box *b = scene_box_of(s, world_box_at(s->world, i));
        struct drainer_view view;
        if (!b->drainer || !b->running)
            continue;
        drainer_view(b->drainer, &view);
        if (view.busy > 0)
            return true;
    }
    return false;
}

static void look(void *ctx, uint64_t arg)
{
    (void)arg;
    struct scene *s = ctx;
    if (s->finishing)
        return;
    scene_hear(s);
    int64_t now_ns = world_now(s->world);
    if (s->fed && s->open > 0 && now_ns - s->last_progress_ns >= QUIET_NS &&
        now_ns >= s->reconcile_at_ns) {
        /* In vain it is tried ever less often: it looks at every open job. */
        int64_t quiet_ns = now_ns - s->last_progress_ns;
        reconcile(s);
        s->reconcile_at_ns = now_ns + quiet_ns;
    }
    scene_see_end(s);
    if (s->finishing)
        return;
    int64_t give_up_ns = s->options.give_up_ns > 0 ? s->options.give_up_ns : GIVE_UP_NS;
    if (!s->fed || any_job_runs(s))
        s->last_activity_ns = now_ns;
    if (s->last_activity_ns < s->last_progress_ns)
        s->last_activity_ns = s->last_progress_ns;
    bool over = s->fed && s->open > 0 && s->open <= expired(s);
    if (over || now_ns - s->last_activity_ns > give_up_ns) {
        s->finishing = true;
        s->gave_up = !over;
        if (!over && !s->options.until_empty && queue_is_empty(s)) {
            /* Nothing is left that could end them: a row was dropped while its job ran, or
             * the message went to the dead letters and its attempt ended with its box. */
            s->gave_up = false;
            s->lost = s->open - expired(s);
        }
        s->drainers_at_give_up = s->drainers;
        stop_drainers(s);
        if (s->drainers == 0)
            kernel_stop(world_kernel(s->world));
        return;
    }
    kernel_at(world_kernel(s->world), now_ns + look_ns(s), look, s, 0);
}

/* ---- drainers ----------------------------------------------------------------------- */

struct scene_box *scene_box_of(struct scene *s, struct world_box *box)
{
    int64_t index = world_box_index(box);
    if (index >= s->boxes_cap) {
        int64_t cap = s->boxes_cap ? s->boxes_cap : 64;
        while (cap <= index)
            cap *= 2;
        struct scene_box **grown = arena_zalloc(&s->arena, (size_t)cap * sizeof(void *));
        if (s->boxes_cap > 0)
            memcpy(grown, s->boxes, (size_t)s->boxes_cap * sizeof(void *));
        s->boxes = grown;
        s->boxes_cap = cap;
    }
    if (!s->boxes[index]) {
        struct scene_box *b = arena_zalloc(&s->arena, sizeof *b);
        b->scene = s;
        b->box = box;
        b->index = (int32_t)index;
        s->boxes[index] = b;
    }
    return s->boxes[index];
}

static void shut_down(void *ctx, uint64_t arg)
{
    (void)arg;
    struct scene_box *b = ctx;
    world_box_shutdown(b->box);
}

static struct drainer_options drainer_settings(struct scene_box *b)
{
    const struct scenario *sc = b->scene->scenario;
    struct drainer_options o = drainer_defaults(SCENE_QUEUE, (int)sc->concurrency);
    scenario_drainer_options(sc, &o);
    o.visibility_ns = -1; /* the client has set the queue's */
    o.notice_ns = sc->spot ? 5 * JOBQ_NS_PER_S : 0;
    o.stats_ns = 0;
    o.cancel_check_ns = 0;
    o.idle_exit_ns = -1;
    o.create = false;
    o.on_event = scene_on_event;
    o.event_ctx = b;
    return o;
}

static void drainer_main(void *arg)
{
    struct scene_box *b = arg;
    struct scene *s = b->scene;
    struct drainer_options o = drainer_settings(b);
    struct jobq_error err;
    int code = drainer_new(world_backend(b->proc), &o, &b->drainer, &err);
    if (code == JOBQ_OK && s->finishing)
        drainer_stop(b->drainer, world_now(s->world) + STOP_NS);
    if (code == JOBQ_OK)
        code = drainer_run(b->drainer, &err);
    if (code < 0 && !s->finishing && !jobq_code_is_retryable(code)) {
        /* Refused for good: every other drainer would be, too. */
        s->setup_code = code;
        s->setup_error = err;
        kernel_stop(world_kernel(s->world));
        return;
    }
    /* It was stopped, or a spot notice has made it give back what it held, or the services
     * did not answer for too long: then another box will be wanted. */
    kernel_at(world_kernel(s->world), world_now(s->world), shut_down, b, 0);
}

static void box_up(void *ctx, struct world_box *box)
{
    struct scene *s = ctx;
    struct scene_box *b = scene_box_of(s, box);
    if (s->finishing) {
        kernel_at(world_kernel(s->world), world_now(s->world), shut_down, b, 0);
        return;
    }
    b->proc = world_proc_new(s->world, "drainer", (uint64_t)world_box_index(box), box,
                             s->ledger, 0);
    struct jobq_backend *backend = world_backend(b->proc);
    if (s->scenario->store == SCENARIO_STORE_NONE)
        backend->store = NULL;
    if (s->options.hooks && s->options.hooks->process)
        s->options.hooks->process(s->options.hooks->ctx, s->world, backend, box);
    b->running = true;
    s->drainers++;
    fiber_spawn(world_fibers(b->proc), drainer_main, b);
}

void scene_close_box(struct scene *s, struct scene_box *b)
{
    (void)s;
    if (b->drainer) {
        struct drainer_view view;
        drainer_view(b->drainer, &view);
        b->counters = view.counters;
        b->busy_slot_ns = view.counters.busy_slot_ns;
        b->drainer = NULL;
    }
    b->cpu_ns = world_box_cpu_ns(b->box);
}

static void box_down(void *ctx, struct world_box *box)
{
    struct scene *s = ctx;
    struct scene_box *b = scene_box_of(s, box);
    scene_close_box(s, b);
    drainer_gone(b);
    if (s->finishing)
        return;
    if (s->scenario->boot == SCENARIO_BOOT_MODEL) {
        scene_client_want_box(s);
        return;
    }
    struct jobq_error err;
    world_boxes_running(s->world, s->scenario->instance, 1, false, &err);
}

void scene_origin(struct scene *s)
{
    const struct scenario *sc = s->scenario;
    s->origin_ns = s->last_progress_ns = s->last_activity_ns = world_now(s->world);
    if (s->options.hooks && s->options.hooks->origin)
        s->options.hooks->origin(s->options.hooks->ctx, s->world);
    workload_init(&s->workload, &sc->arrivals, &sc->job_time,
                  sc->trace.arrival_ns ? &sc->trace : NULL, sc->jobs,
                  scene_seed(sc->seed, s->options.replication));
    s->has_ahead = workload_next(&s->workload, &s->ahead);
    kernel_at(world_kernel(s->world), s->origin_ns + look_ns(s), look, s, 0);
    if (sc->boot != SCENARIO_BOOT_NONE)
        return;
    s->setup_code =
        world_boxes_running(s->world, sc->instance, sc->boxes, false, &s->setup_error);
    if (s->setup_code != JOBQ_OK)
        kernel_stop(world_kernel(s->world));
}

/* ---- playing ------------------------------------------------------------------------ */

struct scene *scene_new(void)
{
    struct scene *s = xcalloc(1, sizeof *s);
    arena_init(&s->arena, 64 * 1024);
    return s;
}

void scene_free(struct scene *s)
{
    if (!s)
        return;
    world_free(s->world);
    jobrec_release(&s->jobs);
    arena_release(&s->arena);
    free(s->page);
    free(s);
}

/* Everything but what is kept from play to play. */
static void start_over(struct scene *s)
{
    struct scene kept = *s;
    *s = (struct scene){.world = kept.world,
                        .jobs = kept.jobs,
                        .arena = kept.arena,
                        .page = kept.page,
                        .page_cap = kept.page_cap};
    arena_reset(&s->arena);
}

/* Why a run has not come to its end, and what is left. */
static int no_end(struct scene *s, bool time_is_up, struct jobq_error *err)
{
    struct sqs_queue_info info = {0};
    struct jobq_error none;
    int queue = sqs_find(world_sqs(s->world), STR(SCENE_QUEUE));
    if (queue >= 0)
        sqs_info(world_sqs(s->world), world_now(s->world), queue, &info, &none);
    return jobq_fail(err, JOBQ_TIMEOUT,
                     "%lld of %lld jobs came to no end %s: %lld messages are visible, "
                     "%lld in flight, %lld delayed, and %lld drainers run",
                     (long long)s->open, (long long)s->acked,
                     time_is_up ? "in 100 years" : "and none runs",
                     (long long)info.visible, (long long)info.in_flight,
                     (long long)info.delayed, (long long)s->drainers_at_give_up);
}

int scene_play(struct scene *s, const struct scenario *scenario,
               const struct world_params *params, const struct scene_options *options,
               struct scene_result *out, struct jobq_error *err)
{
    start_over(s);
    s->scenario = scenario;
    s->params = params;
    s->options = *options;
    s->ledger = out->ledger;
    struct world_options world = {.seed =
                                      scene_seed(scenario->seed, options->replication),
                                  .cpu_share = scenario->cpu_share,
                                  .paint_stacks = options->paint_stacks};
    if (s->world)
        world_reset(s->world, params, &world);
    else
        s->world = world_new(params, &world);
    /* Ids are needed where boxes may die, to find rows that ended unseen. */
    jobrec_reset(&s->jobs, scenario->jobs,
                 options->keep_ids || scenario->spot || options->hooks);
    world_on_boot(s->world, box_up, box_down, s);
    scene_client_start(s);
    enum kernel_end end = kernel_run(world_kernel(s->world), SCENE_RUN_MAX_NS);
    scene_hear(s);
    if (s->setup_code != JOBQ_OK) {
        *err = s->setup_error;
        return s->setup_code;
    }
    if (options->hooks && options->hooks->end)
        options->hooks->end(options->hooks->ctx, s->world,
                            sqs_find(world_sqs(s->world), STR(SCENE_QUEUE)));
    scene_fill_result(s, out);
    if (options->progress)
        atomic_fetch_add_explicit(options->progress, s->ended % 64, memory_order_relaxed);
    if (!s->finishing || s->gave_up || end == KERNEL_UNTIL)
        return no_end(s, end == KERNEL_UNTIL, err);
    return JOBQ_OK;
}

const struct jobrec_table *scene_jobs(const struct scene *s)
{
    return &s->jobs;
}

int64_t scene_origin_ns(const struct scene *s)
{
    return s->origin_ns;
}

struct world *scene_world(struct scene *s)
{
    return s->world;
}

struct jobq_str scene_page(const struct scene *s)
{
    return (struct jobq_str){s->page_len > 0 ? s->page : NULL, s->page_len};
}
