/* torture.c - plans a run with faults from a seed, plays it and checks what is left. See
 * torture.h.
 *
 * Room:     sim. */
#include "sim/torture/torture.h"

#include "base/arena.h"
#include "fleet/job/job.h"
#include "fleet/port/scratch.h"
#include "fleet/status/status.h"
#include "sim/play/run.h"
#include "sim/world/late.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* After its caller asked for it, a late call takes effect. The live client waits 30 s. */
enum { LATE_MIN_S = 30, LATE_MAX_S = 120 };

struct torture {
    const struct torture_options *options;
    struct torture_result *out;
    struct scenario scenario;
    struct world_params *params, *calm; /* calm: from the quiet phase on */
    struct dice dice;                   /* of the plan: sizes, moments */
    struct dice fault_dice;
    struct world *world;
    int64_t quiet_at_ns;
    double refuse_p, lose_p;         /* of a call, of a reply */
    double late_p;                   /* of a call that changes something */
    int64_t late_timeout_ns;         /* what its caller waits */
    const struct jobrec_table *jobs; /* what the client and the drainers reported */
    int64_t cancels;
    struct world_proc *canceller;
    struct jobq_ledger ledger; /* the canceller's */
};

/* ---- the plan ---------------------------------------------------------------------- */

static int64_t between(struct torture *t, int64_t low, int64_t high)
{
    return low + (int64_t)dice_below(&t->dice, (uint64_t)(high - low + 1));
}

static double chance(struct torture *t, double most)
{
    /* A quarter of the runs has none of each fault, so that faults are also seen alone. */
    return dice_u(&t->dice) < 0.25 ? 0 : most * dice_u(&t->dice);
}

static int set(struct torture *t, struct jobq_error *err, const char *name,
               const char *format, ...) __attribute__((format(printf, 4, 5)));
static int set(struct torture *t, struct jobq_error *err, const char *name,
               const char *format, ...)
{
    char value[100];
    va_list args;
    va_start(args, format);
    vsnprintf(value, sizeof value, format, args);
    va_end(args);
    return scenario_set(&t->scenario, name, value, err);
}

static int plan_scenario(struct torture *t, struct jobq_error *err)
{
    bool gentle = t->options->gentle;
    int64_t jobs = t->options->jobs > 0 ? t->options->jobs : between(t, 20, 200);
    static const char *const times[] = {"exp:4s", "uniform:0s..20s",
                                        "lognormal:mean=6s,cv=2", "15s", "200ms"};
    static const char *const arrivals[] = {"at-once", "poisson:4/s", "every:300ms",
                                           "lognormal:mean=500ms,cv=4"};
    int code = set(t, err, "jobs", "%lld", (long long)jobs);
    code = code ? code : set(t, err, "job-time", "%s", times[between(t, 0, 4)]);
    code = code ? code : set(t, err, "arrivals", "%s", arrivals[between(t, 0, 3)]);
    code = code ? code : set(t, err, "boxes", "%lld", (long long)between(t, 1, 4));
    code = code ? code : set(t, err, "concurrency", "%lld", (long long)between(t, 1, 12));
    code = code ? code : set(t, err, "visibility", "%llds", (long long)between(t, 4, 20));
    code = code ? code : set(t, err, "wait", "%llds", (long long)between(t, 0, 20));
    code = code ? code : set(t, err, "batch", "%lld", (long long)between(t, 1, 10));
    code = code ? code : set(t, err, "domains", "%lld", (long long)between(t, 1, 4));
    code = code ? code : set(t, err, "payload", "%lld", (long long)between(t, 0, 3000));
    code = code ? code : set(t, err, "clients", "%lld", (long long)between(t, 1, 8));
    code = code ? code : set(t, err, "attempts", "1000");
    code =
        code ? code : set(t, err, "seed", "%llu", (unsigned long long)t->options->seed);
    if (!code && between(t, 0, 2) > 0)
        code = set(t, err, "prefetch", "%lld", (long long)between(t, 0, 20));
    if (!code && !gentle && between(t, 0, 2) == 0)
        code = set(t, err, "spot", "yes");
    if (!code && between(t, 0, 3) == 0)
        code = set(t, err, "payload-in", "store");
    return code ? code : scenario_finish(&t->scenario, err);
}

static int plan(struct torture *t, struct jobq_error *err)
{
    int code = plan_scenario(t, err);
    if (code != JOBQ_OK)
        return code;
    t->calm = run_params(&t->scenario, err);
    if (!t->calm)
        return err->code;
    /* Boxes come up soon, or little would happen before the quiet phase. */
    t->calm->ec2.pending = distribution_uniform(1e9, 5e9);
    t->calm->ec2.boot = distribution_uniform(1e9, 5e9);
    t->calm->sqs.duplicate_rate = t->calm->sqs.undelete_rate = 0;
    t->params = xmalloc(sizeof *t->params);
    *t->params = *t->calm;
    if (t->options->gentle)
        return JOBQ_OK;
    t->params->sqs.duplicate_rate = chance(t, 0.1);
    t->params->sqs.undelete_rate = chance(t, 0.1);
    t->params->sqs.reorder_rate = chance(t, 0.3);
    t->params->simpledb.writes_per_s = between(t, 0, 2) ? 70 : (double)between(t, 10, 30);
    t->params->ec2.capacity_failure_p = chance(t, 0.7);
    t->params->ec2.spot_capacity_failure_p = chance(t, 0.7);
    t->params->ec2.spot_hazard_per_hour = chance(t, 60);
    t->params->ec2.spot_notice_ns = between(t, 0, 1) ? 120 * JOBQ_NS_PER_S : 0;
    t->refuse_p = chance(t, 0.15);
    t->lose_p = chance(t, 0.15);
    t->late_p = chance(t, 0.06);
    t->late_timeout_ns = between(t, 1, LATE_MIN_S) * JOBQ_NS_PER_S;
    return JOBQ_OK;
}

/* ---- faults ------------------------------------------------------------------------ */

static int fault(void *ctx, enum jobq_action action, enum jobq_fault_phase phase)
{
    struct torture *t = ctx;
    (void)action;
    if (world_now(t->world) >= t->quiet_at_ns)
        return 0;
    bool before = phase == JOBQ_FAULT_BEFORE;
    if (dice_u(&t->fault_dice) >= (before ? t->refuse_p : t->lose_p))
        return 0;
    static const int codes[2][3] = {{JOBQ_THROTTLED, JOBQ_UNAVAILABLE, JOBQ_TIMEOUT},
                                    {JOBQ_UNAVAILABLE, JOBQ_TIMEOUT, JOBQ_TIMEOUT}};
    t->out->faults++;
    return codes[before ? 0 : 1][dice_below(&t->fault_dice, 3)];
}

/* After how long a call takes effect that its caller has given up. */
static int64_t draw_late(void *ctx, enum jobq_action action)
{
    struct torture *t = ctx;
    (void)action;
    if (world_now(t->world) >= t->quiet_at_ns || dice_u(&t->fault_dice) >= t->late_p)
        return -1;
    t->out->late++;
    return (int64_t)((LATE_MIN_S + dice_u(&t->fault_dice) * (LATE_MAX_S - LATE_MIN_S)) *
                     1e9);
}

static bool is_pending(void *ctx)
{
    struct torture *t = ctx;
    return late_pending(t->world) > 0;
}

static void on_process(void *ctx, struct world *w, struct jobq_backend *b,
                       struct world_box *box)
{
    struct torture *t = ctx;
    t->world = w;
    struct late_options late = {
        .draw = draw_late, .ctx = t, .timeout_ns = t->late_timeout_ns};
    if (!t->options->gentle)
        late_install(b, &late);
    if (t->options->decorate)
        t->options->decorate(t->options->ctx, w, b, box);
    if (t->options->gentle)
        return;
    b->fault = fault;
    b->fault_ctx = t;
}

static void kill_a_box(void *ctx, uint64_t arg)
{
    struct torture *t = ctx;
    struct world *w = t->world;
    int64_t count = world_box_count(w),
            from = count > 0 ? (int64_t)(arg % (uint64_t)count) : 0;
    for (int64_t i = 0; i < count; i++) {
        struct world_box *box = world_box_at(w, (from + i) % count);
        if (!world_box_up(box))
            continue;
        t->out->boxes_lost++;
        world_box_die(box);
        return;
    }
}

static void calm_down(void *ctx, uint64_t arg)
{
    (void)arg;
    struct torture *t = ctx;
    sqs_params_change(world_sqs(t->world), &t->calm->sqs);
    simpledb_set_params(world_simpledb(t->world), &t->calm->simpledb);
    ec2_set_params(world_ec2(t->world), &t->calm->ec2);
}

/* ---- cancelling ----------------------------------------------------------------------- */

/* Looks for a row that is there and asks to cancel its job, now and then. */
static void cancel_some(void *arg)
{
    struct torture *t = arg;
    struct jobq_backend *b = world_backend(t->canceller);
    for (int64_t i = 0; i < t->cancels; i++) {
        fiber_sleep_until(b->sched,
                          jobq_now(b) + (int64_t)(dice_u(&t->fault_dice) * 8e9));
        struct simpledb *db = world_simpledb(t->world);
        struct scratch *scratch = scratch_take(b);
        struct simpledb_cursor cursor = {0};
        struct jobq_item item;
        int domain = (int)dice_below(&t->fault_dice, (uint64_t)simpledb_domain_count(db));
        uint64_t skip = dice_below(&t->fault_dice, 20);
        bool found = false;
        while (simpledb_next_row(db, domain, &cursor, &scratch->arena, &item) &&
               !(found = skip-- == 0))
            ;
        if (found) {
            enum job_state state;
            struct jobq_error err;
            status_cancel(b, item.name, &state, &err);
        }
        scratch_give(b, scratch);
    }
}

static void on_origin(void *ctx, struct world *w)
{
    struct torture *t = ctx;
    t->world = w;
    struct kernel *k = world_kernel(w);
    int64_t origin_ns = world_now(w);
    t->quiet_at_ns = origin_ns + between(t, 20, 120) * JOBQ_NS_PER_S;
    kernel_at(k, t->quiet_at_ns, calm_down, t, 0);
    if (t->options->gentle)
        return;
    int64_t kills = between(t, 0, 6);
    for (int64_t i = 0; i < kills; i++)
        kernel_at(k,
                  origin_ns + between(t, 1, (t->quiet_at_ns - origin_ns) / 1000) * 1000,
                  kill_a_box, t, dice_bits(&t->dice) >> 1);
    t->cancels = between(t, 0, 1) ? between(t, 1, 8) : 0;
    t->canceller = world_proc_new(w, "canceller", 0, NULL, &t->ledger, 0);
    fiber_spawn(world_fibers(t->canceller), cancel_some, t);
}

/* ---- checking ---------------------------------------------------------------------- */

static void find(struct torture *t, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static void find(struct torture *t, const char *format, ...)
{
    if (t->out->finding[0])
        return;
    va_list args;
    va_start(args, format);
    vsnprintf(t->out->finding, sizeof t->out->finding, format, args);
    va_end(args);
}

/* Rows by id, as a consistent reader sees them. */
static void read_rows(struct torture *t, struct jobrec_table *rows)
{
    struct simpledb *db = world_simpledb(t->world);
    struct arena arena;
    arena_init(&arena, 0);
    for (int d = 0; d < simpledb_domain_count(db); d++) {
        struct jobq_str name = simpledb_domain_name(db, d);
        int day, shard;
        if (!simpledb_domain_exists(db, d) ||
            !rows_table_read(name, STR(REPLICATION_QUEUE), &day, &shard))
            continue;
        struct simpledb_cursor cursor = {0};
        struct jobq_item item;
        while (simpledb_next_row(db, d, &cursor, &arena, &item)) {
            struct job_row row;
            struct jobq_error err;
            if (job_row_read(&item, &row, &err) < 0) {
                find(t, "row '%.*s': %.100s", (int)item.name.len, item.name.ptr,
                     err.text);
                continue;
            }
            struct jobrec *rec = jobrec_of(rows, item.name);
            rec->state = row.state == JOB_DONE        ? JOBREC_DONE
                         : row.state == JOB_DEAD      ? JOBREC_DEAD
                         : row.state == JOB_CANCELLED ? JOBREC_CANCELLED
                                                      : JOBREC_OPEN;
            rec->work_ns = row.wall_ns;
        }
    }
    arena_release(&arena);
}

struct seen {
    struct torture *torture;
    struct jobrec_table *rows;
    int64_t messages;
};

static bool see_message(void *ctx, const struct sqs_message *message)
{
    struct seen *s = ctx;
    struct job_body body;
    struct jobq_error err;
    s->messages++;
    if (job_body_read(message->body, message->phantom_bytes, &body, &err) < 0) {
        find(s->torture, "a message on the queue cannot be read");
        return true;
    }
    struct jobrec *rec = jobrec_find(s->rows, body.id);
    if (rec)
        rec->attempts = 1; /* it is on the queue */
    return true;
}

static void check_job(struct torture *t, const struct jobrec *job,
                      struct jobrec_table *rows, const char *id)
{
    struct jobrec *row = jobrec_find(rows, str_of(id));
    struct torture_result *out = t->out;
    out->enqueued++;
    if (!row) {
        find(t, "job %s is enqueued and has no row", id);
        return;
    }
    switch ((enum jobrec_state)row->state) {
    case JOBREC_DONE:
        out->done++;
        if (row->work_ns < job->work_ns)
            find(t, "job %s is done after %lld ns of its %lld", id,
                 (long long)row->work_ns, (long long)job->work_ns);
        break;
    case JOBREC_DEAD:
        out->dead++;
        find(t, "job %s is dead, and never failed", id);
        break;
    case JOBREC_CANCELLED:
        out->cancelled++;
        break;
    case JOBREC_EXPIRED:
    case JOBREC_OPEN:
        out->queued += row->attempts > 0;
        if (row->attempts == 0)
            find(t, "job %s is lost: its row is not final and no message is left", id);
        break;
    }
    if (t->options->gentle && job->attempts != 1)
        find(t, "job %s took %d attempts, and nothing had gone wrong", id, job->attempts);
    if (job->results > 1)
        find(t, "job %s has %d results", id, job->results);
}

static void on_end(void *ctx, struct world *w, int queue)
{
    struct torture *t = ctx;
    struct jobrec_table rows = {0};
    jobrec_reset(&rows, t->scenario.jobs, false);
    read_rows(t, &rows);
    struct seen seen = {t, &rows, 0};
    sqs_visit(world_sqs(w), world_now(w), queue, see_message, &seen);
    char name[JOBQ_QUEUE_NAME_MAX + 1];
    struct seen dead = {t, &rows, 0};
    job_dead_queue_name(REPLICATION_QUEUE, name);
    int dead_queue = sqs_find(world_sqs(w), str_of(name));
    if (dead_queue >= 0)
        sqs_visit(world_sqs(w), world_now(w), dead_queue, see_message, &dead);
    if (dead.messages > 0)
        find(t, "%lld messages were never deleted and went to the dead letters",
             (long long)dead.messages);
    const struct jobrec_table *jobs = t->jobs;
    for (int64_t i = 0; i < jobs->count; i++)
        if (jobs->rec[i].index >= 0)
            check_job(t, &jobs->rec[i], &rows, jobs->id[i]);
    if (seen.messages > 0)
        find(t, "%lld messages are left on the queue", (long long)seen.messages);
    t->out->virtual_s = (double)world_now(w) / 1e9;
    jobrec_release(&rows);
}

int torture_play(const struct torture_options *options, struct torture_result *out,
                 struct jobq_error *err)
{
    struct torture *t = xcalloc(1, sizeof *t);
    *out = (struct torture_result){0};
    t->options = options;
    t->out = out;
    scenario_init(&t->scenario);
    dice_init(&t->dice, options->seed, "torture", 0);
    dice_init(&t->fault_dice, options->seed, "torture-faults", 0);
    int code = plan(t, err);
    struct replication_hooks hooks = {.ctx = t,
                                      .process = on_process,
                                      .origin = on_origin,
                                      .end = on_end,
                                      .pending = is_pending};
    struct replication_options replication_options = {.keep_ids = true,
                                                      .until_empty = true,
                                                      .hooks = &hooks,
                                                      .give_up_ns = 2 * JOBQ_NS_PER_HOUR};
    struct replication_result result = {0};
    if (code == JOBQ_OK) {
        struct replication *replication = replication_new();
        t->jobs = replication_jobs(replication);
        replication_result_init(&result);
        code = replication_play(replication, &t->scenario, t->params,
                                &replication_options, &result, err);
        if (code == JOBQ_TIMEOUT) {
            if (!out->finding[0])
                memcpy(out->finding, err->text, sizeof out->finding);
            code = JOBQ_OK;
        }
        out->attempts = result.attempts;
        out->duplicates = result.duplicates;
        if (code == JOBQ_OK && result.refused > 0)
            find(t, "%lld jobs could not be enqueued", (long long)result.refused);
        if (code == JOBQ_OK && out->queued > 0)
            find(t, "%lld jobs are still queued after the quiet phase",
                 (long long)out->queued);
        replication_result_release(&result);
        replication_free(replication);
    }
    jobq_ledger_release(&t->ledger);
    scenario_release(&t->scenario);
    free(t->params);
    free(t->calm);
    free(t);
    return code;
}
