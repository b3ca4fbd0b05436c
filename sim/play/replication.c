/* replication.c - plays one replication: runs boxes and drainers until the end.
 *
 * Room:     sim; see replication.h. */
#include "sim/play/replication.h"

#include "scenario/fleet.h"
#include "scenario/scaled.h"
#include "sim/play/internal.h"

#include "base/arena.h"
#include "fleet/housekeeping/housekeeping.h"
#include "fleet/job/job.h"
#include "fleet/rows/rows.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* How often to check for an end that no drainer reports (messages that expire). */
#define LOOK_NS (5 * JOBQ_NS_PER_MIN)
/* When no job's end has been reported for so long, the rows are read. */
#define QUIET_NS (60 * JOBQ_NS_PER_S)
/* When nothing has arrived, run or ended for so long, the run is stuck. */
#define GIVE_UP_NS (15 * JOBQ_NS_PER_DAY)
/* How long a fleet may take to be gone once it is idle for as long as it stays. */
#define EMPTY_NS (30 * JOBQ_NS_PER_MIN)
/* How long a drainer may take to flush its deletes when asked to stop. */
#define STOP_NS (10 * JOBQ_NS_PER_MIN)

uint64_t replication_seed(uint64_t seed, uint64_t replication)
{
    struct dice dice;
    dice_init(&dice, seed, "replication", replication);
    return dice_bits(&dice);
}

/* ---- the end ------------------------------------------------------------------------ */

static void stop_drainers(struct replication *rep)
{
    int64_t now_ns = world_now(rep->world);
    for (int64_t i = 0; i < world_box_count(rep->world); i++) {
        struct replication_box *b = replication_box_of(rep, world_box_at(rep->world, i));
        if (b->drainer && b->running)
            drainer_stop(b->drainer, now_ns + STOP_NS);
    }
}

static int64_t expired(struct replication *rep)
{
    struct sqs_stats stats;
    int queue = sqs_find(world_sqs(rep->world), STR(REPLICATION_QUEUE));
    if (queue < 0 ||
        sqs_stats(world_sqs(rep->world), world_now(rep->world), queue, &stats) != SQS_OK)
        return 0;
    return stats.expired;
}

static bool queue_is_empty(struct replication *rep)
{
    struct sqs_queue_info info;
    struct jobq_error err;
    int queue = sqs_find(world_sqs(rep->world), STR(REPLICATION_QUEUE));
    return sqs_info(world_sqs(rep->world), world_now(rep->world), queue, &info, &err) !=
               SQS_OK ||
           info.oldest_sent_at_ns == INT64_MAX;
}

/* A run that is over ends with its last drainer, or with its last box. */
static void check_finished(struct replication *rep)
{
    if (rep->finishing && rep->drainers == 0 &&
        (!rep->options.until_no_box || client_boxes_alive(rep) == 0))
        kernel_stop(world_kernel(rep->world));
}

/* One drainer fewer: its program ended, or its box failed. */
static void drainer_gone(struct replication_box *b)
{
    struct replication *rep = b->rep;
    if (!b->running)
        return;
    b->running = false;
    rep->drainers--;
    check_finished(rep);
}

static void too_long(void *ctx, uint64_t arg)
{
    (void)arg;
    struct replication *rep = ctx;
    rep->drainers_at_give_up = rep->drainers;
    rep->not_empty = true;
    kernel_stop(world_kernel(rep->world));
}

/* How long an idle fleet may take to be gone. */
static int64_t empty_ns(const struct replication *rep)
{
    return EMPTY_NS +
           (rep->scenario->autoscale ? scenario_idle_exit_ns(rep->scenario) : 0);
}

void replication_check_end(struct replication *rep)
{
    if (rep->finishing || !rep->fed || rep->open > 0)
        return;
    const struct replication_hooks *hooks = rep->options.hooks;
    if ((rep->options.until_empty && !queue_is_empty(rep)) ||
        (hooks && hooks->pending && hooks->pending(hooks->ctx)))
        return; /* look() comes again */
    rep->finishing = true;
    if (rep->scale)
        scale_stop(rep->scale);
    if (rep->options.until_no_box)
        kernel_at(world_kernel(rep->world), world_now(rep->world) + empty_ns(rep),
                  too_long, rep, 0);
    else
        stop_drainers(rep);
    check_finished(rep);
}

/* A job's row; false: it has none that can be read. */
static bool read_row(struct replication *rep, struct jobq_str id, struct arena *arena,
                     struct job_row *row)
{
    struct job_id_parts parts;
    struct jobq_item item;
    struct jobq_error err;
    if (job_id_parse(id, &parts, &err) < 0)
        return false;
    struct jobq_table table = {parts.queue, parts.day, parts.shard};
    return world_row(rep->world, &table, id, arena, &item) &&
           job_row_read(&item, row, &err) >= 0 && row->exists;
}

bool replication_row_exists(struct replication *rep, struct jobq_str id)
{
    struct arena arena;
    struct job_row row;
    arena_init(&arena, 0);
    bool exists = scenario_store(rep->scenario) == SCENARIO_STORE_NONE ||
                  read_row(rep, id, &arena, &row);
    arena_release(&arena);
    return exists;
}

/* The final state that a job's row holds, or JOBREC_OPEN. */
static enum jobrec_state state_of_row(struct replication *rep, struct jobq_str id,
                                      struct arena *arena)
{
    struct job_row row;
    if (!read_row(rep, id, arena, &row))
        return JOBREC_OPEN;
    return row.state == JOB_DONE        ? JOBREC_DONE
           : row.state == JOB_DEAD      ? JOBREC_DEAD
           : row.state == JOB_CANCELLED ? JOBREC_CANCELLED
                                        : JOBREC_OPEN;
}

/* A box can die after it stored a job's end and before it reported it: only the row says
 * that the job has ended. */
static void reconcile(struct replication *rep)
{
    struct arena arena;
    arena_init(&arena, 0);
    for (int64_t i = 0; i < rep->jobs.count && rep->open > 0; i++) {
        struct jobrec *rec = &rep->jobs.rec[i];
        if (rec->index < 0 || rec->ended_at_ns >= 0 || !rep->jobs.id)
            continue;
        arena_reset(&arena);
        enum jobrec_state state = state_of_row(rep, str_of(rep->jobs.id[i]), &arena);
        if (state != JOBREC_OPEN)
            records_end_job(rep, rec, state, world_now(rep->world));
    }
    arena_release(&arena);
}

static int64_t look_ns(const struct replication *rep)
{
    return rep->options.until_empty ? JOBQ_NS_PER_S : LOOK_NS;
}

static bool any_job_runs(struct replication *rep)
{
    for (int64_t i = 0; i < world_box_count(rep->world); i++) {
        struct replication_box *b = replication_box_of(rep, world_box_at(rep->world, i));
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
    struct replication *rep = ctx;
    if (rep->finishing)
        return;
    int64_t now_ns = world_now(rep->world);
    if (rep->fed && rep->open > 0 && now_ns - rep->last_progress_ns >= QUIET_NS &&
        now_ns >= rep->reconcile_at_ns) {
        /* It reads the row of every open job: the longer nothing ends, the less often. */
        int64_t quiet_ns = now_ns - rep->last_progress_ns;
        reconcile(rep);
        rep->reconcile_at_ns = now_ns + quiet_ns;
    }
    replication_check_end(rep);
    if (rep->finishing)
        return;
    int64_t give_up_ns =
        rep->options.give_up_ns > 0 ? rep->options.give_up_ns : GIVE_UP_NS;
    if (!rep->fed || any_job_runs(rep))
        rep->last_activity_ns = now_ns;
    if (rep->last_activity_ns < rep->last_progress_ns)
        rep->last_activity_ns = rep->last_progress_ns;
    bool over = rep->fed && rep->open > 0 && rep->open <= expired(rep);
    if (over || now_ns - rep->last_activity_ns > give_up_ns) {
        rep->finishing = true;
        rep->gave_up = !over;
        if (!over && !rep->options.until_empty && queue_is_empty(rep)) {
            /* Nothing is left that could end them: a row was dropped while its job ran, or
             * the message went to the dead letters and its attempt ended with its box. */
            rep->gave_up = false;
            rep->lost = rep->open - expired(rep);
        }
        rep->drainers_at_give_up = rep->drainers;
        stop_drainers(rep);
        if (rep->drainers == 0)
            kernel_stop(world_kernel(rep->world));
        return;
    }
    kernel_at(world_kernel(rep->world), now_ns + look_ns(rep), look, rep, 0);
}

/* ---- drainers ----------------------------------------------------------------------- */

struct replication_box *replication_box_of(struct replication *rep, struct world_box *box)
{
    int64_t index = world_box_index(box);
    if (index >= rep->boxes_cap) {
        int64_t cap = rep->boxes_cap ? rep->boxes_cap : 64;
        while (cap <= index)
            cap *= 2;
        struct replication_box **grown =
            arena_zalloc(&rep->arena, (size_t)cap * sizeof(void *));
        if (rep->boxes_cap > 0)
            memcpy(grown, rep->boxes, (size_t)rep->boxes_cap * sizeof(void *));
        rep->boxes = grown;
        rep->boxes_cap = cap;
    }
    if (!rep->boxes[index]) {
        struct replication_box *b = arena_zalloc(&rep->arena, sizeof *b);
        b->rep = rep;
        b->box = box;
        b->index = (int32_t)index;
        rep->boxes[index] = b;
    }
    return rep->boxes[index];
}

static void shut_down(void *ctx, uint64_t arg)
{
    (void)arg;
    struct replication_box *b = ctx;
    world_box_shutdown(b->box);
}

static struct drainer_options drainer_settings(struct replication_box *b)
{
    const struct scenario *sc = b->rep->scenario;
    struct drainer_options o = drainer_defaults(REPLICATION_QUEUE, (int)sc->concurrency);
    scenario_drainer_options(sc, &o);
    o.visibility_ns = DRAINER_AUTO; /* the client has set the queue's */
    o.notice_ns = sc->spot ? 5 * JOBQ_NS_PER_S : JOBQ_FOREVER;
    o.cancel_check_ns = JOBQ_FOREVER;
    o.idle_exit_ns = JOBQ_FOREVER;
    if (!sc->autoscale)
        o.stats_ns = JOBQ_FOREVER;
    else if (!client_box_stays(b->box))
        o.idle_exit_ns = scenario_idle_exit_ns(sc);
    o.idle_alone = sc->autoscale;
    o.create = false;
    o.on_event = records_on_event;
    o.event_ctx = b;
    return o;
}

static void start_drainer(void *ctx, uint64_t arg);

/* The process has ended, or is to end now: the next one starts after after_ns. */
static void end_process(struct replication_box *b, int64_t after_ns)
{
    struct replication *rep = b->rep;
    replication_close_box(rep, b);
    world_proc_kill(b->proc);
    b->proc = NULL;
    kernel_at(world_kernel(rep->world), world_now(rep->world) + after_ns, start_drainer,
              b, 0);
    drainer_gone(b);
}

static void restart(void *ctx, uint64_t after_ns)
{
    struct replication_box *b = ctx;
    if (b->proc && b->running)
        end_process(b, (int64_t)after_ns);
}

static void drainer_main(void *arg)
{
    struct replication_box *b = arg;
    struct replication *rep = b->rep;
    struct drainer_options o = drainer_settings(b);
    struct jobq_error err;
    if (rep->options.hooks && rep->options.hooks->drainer)
        rep->options.hooks->drainer(rep->options.hooks->ctx, b->box, &o);
    int code = drainer_new(world_backend(b->proc), &o, &b->drainer, &err);
    if (code == JOBQ_OK && rep->finishing)
        drainer_stop(b->drainer, world_now(rep->world) + STOP_NS);
    if (code == JOBQ_OK)
        code = drainer_run(b->drainer, &err);
    if (rep->options.hooks && rep->options.hooks->drained)
        rep->options.hooks->drained(rep->options.hooks->ctx, b->box, code);
    bool again = b->restart_ns >= 0 || (code < 0 && rep->options.restart_ns > 0);
    if (again && !rep->finishing) {
        int64_t after_ns = b->restart_ns >= 0 ? b->restart_ns : rep->options.restart_ns;
        kernel_at(world_kernel(rep->world), world_now(rep->world), restart, b,
                  (uint64_t)after_ns);
        return;
    }
    if (code < 0 && !rep->finishing && !jobq_code_is_retryable(code)) {
        /* Refused permanently: every other drainer would be refused, too. */
        rep->failure = code;
        rep->failure_error = err;
        kernel_stop(world_kernel(rep->world));
        return;
    }
    /* It was stopped, or a spot notice has made it give back what it held, or the services
     * did not answer for too long: then another box will be wanted. */
    kernel_at(world_kernel(rep->world), world_now(rep->world), shut_down, b, 0);
}

/* On a box that is up. */
static void start_drainer(void *ctx, uint64_t arg)
{
    (void)arg;
    struct replication_box *b = ctx;
    struct replication *rep = b->rep;
    struct world_box *box = b->box;
    if (!world_box_up(box))
        return;
    if (rep->finishing) {
        kernel_at(world_kernel(rep->world), world_now(rep->world), shut_down, b, 0);
        return;
    }
    uint64_t stream = (uint64_t)world_box_index(box) | b->starts++ << 32;
    b->proc = world_proc_new(rep->world, "drainer", stream, box, rep->ledger, 0);
    b->restart_ns = -1;
    struct jobq_backend *backend = world_backend(b->proc);
    if (scenario_store(rep->scenario) == SCENARIO_STORE_NONE)
        backend->store = NULL;
    if (rep->options.hooks && rep->options.hooks->process)
        rep->options.hooks->process(rep->options.hooks->ctx, rep->world, backend, box);
    b->running = true;
    rep->drainers++;
    fiber_spawn(world_fibers(b->proc), drainer_main, b);
}

static void box_up(void *ctx, struct world_box *box)
{
    start_drainer(replication_box_of(ctx, box), 0);
}

/* Of one process of a box more. */
static void add_counters(struct drainer_counters *to, const struct drainer_counters *from)
{
    int64_t *sum = (int64_t *)to;
    const int64_t *more = (const int64_t *)from;
    for (size_t i = 0; i < sizeof *to / sizeof *sum; i++)
        sum[i] += more[i];
}

void replication_close_box(struct replication *rep, struct replication_box *b)
{
    (void)rep;
    if (b->drainer) {
        struct drainer_view view;
        drainer_view(b->drainer, &view);
        add_counters(&b->counters, &view.counters);
        b->busy_slot_ns += view.counters.busy_slot_ns;
        b->drainer = NULL;
    }
    b->cpu_ns = world_box_cpu_ns(b->box);
}

static void box_down(void *ctx, struct world_box *box)
{
    struct replication *rep = ctx;
    struct replication_box *b = replication_box_of(rep, box);
    replication_close_box(rep, b);
    b->proc = NULL;
    drainer_gone(b);
    check_finished(rep);
    if (rep->finishing)
        return;
    if (rep->scenario->boot == SCENARIO_BOOT_MODEL) {
        client_want_box(rep);
        return;
    }
    struct jobq_error err;
    world_boxes_running(rep->world, rep->scenario->instance, 1, rep->scenario->spot,
                        &err);
}

struct drainer *replication_drainer(struct replication *rep, struct world_box *box)
{
    struct replication_box *b = replication_box_of(rep, box);
    return b->running ? b->drainer : NULL;
}

struct jobq_backend *replication_backend(struct replication *rep, struct world_box *box)
{
    struct world_proc *proc = box ? replication_box_of(rep, box)->proc : rep->client;
    return proc ? world_backend(proc) : NULL;
}

void replication_kill_drainer(struct replication *rep, struct world_box *box,
                              int64_t after_ns)
{
    struct replication_box *b = replication_box_of(rep, box);
    if (b->running && b->proc)
        end_process(b, after_ns);
}

void replication_stop_drainer(struct replication *rep, struct world_box *box,
                              int64_t within_ns, int64_t after_ns)
{
    struct replication_box *b = replication_box_of(rep, box);
    if (!b->running || !b->drainer)
        return;
    b->restart_ns = after_ns;
    drainer_stop(b->drainer, world_now(rep->world) + within_ns);
}

void replication_kill_client(struct replication *rep, int64_t after_ns)
{
    if (!rep->client || !rep->client_ready)
        return;
    client_lost(rep);
    rep->scale = NULL;
    world_proc_kill(rep->client);
    rep->client = NULL;
    kernel_at(world_kernel(rep->world), world_now(rep->world) + after_ns, client_start,
              rep, 0);
}

void replication_want_boxes(struct replication *rep, int64_t boxes)
{
    rep->wanted_boxes = boxes;
    client_want_box(rep);
}

void replication_origin(struct replication *rep)
{
    const struct scenario *sc = rep->scenario;
    rep->wanted_boxes = sc->boxes;
    rep->origin_ns = rep->last_progress_ns = rep->last_activity_ns =
        world_now(rep->world);
    if (rep->options.hooks && rep->options.hooks->origin)
        rep->options.hooks->origin(rep->options.hooks->ctx, rep->world);
    workload_init(&rep->workload, &sc->arrivals, &sc->job_time,
                  sc->trace.arrival_ns ? &sc->trace : NULL, sc->jobs,
                  replication_seed(sc->seed, rep->options.replication));
    rep->has_ahead = workload_next(&rep->workload, &rep->ahead);
    kernel_at(world_kernel(rep->world), rep->origin_ns + look_ns(rep), look, rep, 0);
    if (sc->boot != SCENARIO_BOOT_NONE)
        return;
    rep->failure = world_boxes_running(rep->world, sc->instance, sc->boxes, sc->spot,
                                       &rep->failure_error);
    if (rep->failure != JOBQ_OK)
        kernel_stop(world_kernel(rep->world));
}

/* ---- playing ------------------------------------------------------------------------ */

struct replication *replication_new(void)
{
    struct replication *rep = xcalloc(1, sizeof *rep);
    arena_init(&rep->arena, 64 * 1024);
    return rep;
}

void replication_free(struct replication *rep)
{
    if (!rep)
        return;
    world_free(rep->world);
    jobrec_release(&rep->jobs);
    arena_release(&rep->arena);
    free(rep->page);
    free(rep->again);
    free(rep);
}

/* Clears everything that is not kept from one replication to the next. */
static void start_over(struct replication *rep)
{
    struct replication kept = *rep;
    *rep = (struct replication){.world = kept.world,
                                .jobs = kept.jobs,
                                .arena = kept.arena,
                                .again = kept.again,
                                .again_cap = kept.again_cap,
                                .page = kept.page,
                                .page_cap = kept.page_cap};
    arena_reset(&rep->arena);
}

/* Why a run did not end, and what is left. */
static int no_end(struct replication *rep, bool time_is_up, struct jobq_error *err)
{
    struct sqs_queue_info info = {0};
    struct jobq_error none;
    int queue = sqs_find(world_sqs(rep->world), STR(REPLICATION_QUEUE));
    if (queue >= 0)
        sqs_info(world_sqs(rep->world), world_now(rep->world), queue, &info, &none);
    return jobq_fail(err, JOBQ_TIMEOUT,
                     "%lld of %lld jobs did not end %s: %lld messages are visible, "
                     "%lld in flight, %lld delayed, and %lld drainers run",
                     (long long)rep->open, (long long)rep->acked,
                     time_is_up ? "in 100 years" : "and none runs",
                     (long long)info.visible, (long long)info.in_flight,
                     (long long)info.delayed, (long long)rep->drainers_at_give_up);
}

int replication_play(struct replication *rep, const struct scenario *scenario,
                     const struct world_params *params,
                     const struct replication_options *options,
                     struct replication_result *out, struct jobq_error *err)
{
    start_over(rep);
    rep->scenario = scenario;
    rep->params = params;
    rep->options = *options;
    rep->ledger = out->ledger;
    struct world_options world = {
        .seed = replication_seed(scenario->seed, options->replication),
        .cpu_share = scenario->cpu_share,
        .dynamodb = scenario->store == SCENARIO_STORE_DYNAMODB,
        .paint_stacks = options->paint_stacks};
    if (rep->world)
        world_reset(rep->world, params, &world);
    else
        rep->world = world_new(params, &world);
    /* Ids are needed where boxes may die, to find rows that ended unseen. */
    jobrec_reset(&rep->jobs, scenario->jobs,
                 options->keep_ids || scenario->spot || options->hooks);
    world_on_boot(rep->world, box_up, box_down, rep);
    client_start(rep, 0);
    enum kernel_end end = kernel_run(world_kernel(rep->world), REPLICATION_MAX_NS);
    if (rep->failure != JOBQ_OK) {
        *err = rep->failure_error;
        return rep->failure;
    }
    if (options->hooks && options->hooks->end)
        options->hooks->end(options->hooks->ctx, rep->world,
                            sqs_find(world_sqs(rep->world), STR(REPLICATION_QUEUE)));
    result_fill(rep, out);
    if (options->progress)
        atomic_fetch_add_explicit(options->progress, rep->ended % 64,
                                  memory_order_relaxed);
    if (rep->not_empty)
        return jobq_fail(err, JOBQ_TIMEOUT,
                         "the queue is empty, and %lld boxes and %lld drainers are left",
                         (long long)client_boxes_alive(rep),
                         (long long)rep->drainers_at_give_up);
    if (!rep->finishing || rep->gave_up || end == KERNEL_UNTIL)
        return no_end(rep, end == KERNEL_UNTIL, err);
    return JOBQ_OK;
}

const struct jobrec_table *replication_jobs(const struct replication *rep)
{
    return &rep->jobs;
}

int64_t replication_origin_ns(const struct replication *rep)
{
    return rep->origin_ns;
}

struct world *replication_world(struct replication *rep)
{
    return rep->world;
}

struct jobq_str replication_page(const struct replication *rep)
{
    return (struct jobq_str){rep->page_len > 0 ? rep->page : NULL, rep->page_len};
}
