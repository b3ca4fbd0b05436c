/* torture.c - plans a run with faults from a seed, plays it and checks what is left. See
 * torture.h.
 *
 * Room:     sim. */
#include "sim/torture/torture.h"

#include "base/arena.h"
#include "base/dice.h"
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
    const struct torture_run *run;
    const struct torture_hooks *hooks; /* NULL: none */
    struct torture_result *out;
    struct replication *replication;
    struct scenario scenario;
    struct world_params *params, *calm; /* calm: outside the time of faults */
    struct dice dice;                   /* of the plan: sizes */
    struct dice fault_dice[TORTURE_FAULT_COUNT];
    struct world *world;
    int64_t origin_ns, from_ns, until_ns;
    double p[TORTURE_FAULT_COUNT];   /* of a call, where the class strikes calls */
    int64_t late_timeout_ns;         /* what the caller of a late call waits */
    const struct jobrec_table *jobs; /* what the client and the drainers reported */
    int64_t cancels;
    struct world_proc *canceller;
    struct jobq_ledger ledger; /* the canceller's */
};

static bool is_on(const struct torture *t, enum torture_fault fault)
{
    return t->run->faults & torture_bit(fault);
}

static bool is_time(const struct torture *t)
{
    int64_t now_ns = world_now(t->world);
    return now_ns >= t->from_ns && now_ns < t->until_ns;
}

static void strike(struct torture *t, enum torture_fault fault, int action)
{
    t->out->fired[fault]++;
    if (t->hooks && t->hooks->fault)
        t->hooks->fault(t->hooks->ctx, world_now(t->world), fault, action);
}

/* ---- the plan ---------------------------------------------------------------------- */

static int64_t between(struct dice *dice, int64_t low, int64_t high)
{
    return low + (int64_t)dice_below(dice, (uint64_t)(high - low + 1));
}

static struct dice *dice_of(struct torture *t, enum torture_fault fault)
{
    return &t->fault_dice[fault];
}

/* A rate of a class that is on. */
static double chance(struct torture *t, enum torture_fault fault, double most)
{
    return is_on(t, fault) ? most * dice_u(dice_of(t, fault)) : 0;
}

void torture_draw(uint64_t seed, uint64_t among, struct torture_run *out)
{
    struct dice dice;
    dice_init(&dice, seed, "torture-run", 0);
    *out = (struct torture_run){.seed = seed};
    out->jobs = between(&dice, 20, 200);
    out->boxes = between(&dice, 1, 4);
    out->slots = between(&dice, 1, 12);
    out->until_ns = between(&dice, 20, 120) * JOBQ_NS_PER_S;
    /* A quarter of the runs has none of each class, so that each is also seen without the
     * others. */
    for (int i = 0; i < TORTURE_FAULT_COUNT; i++)
        if (dice_u(&dice) >= 0.25)
            out->faults |= UINT64_C(1) << i;
    out->faults &= among;
}

void torture_command(const struct torture_run *run, struct text *out)
{
    struct torture_run drawn;
    char time[40];
    torture_draw(run->seed, TORTURE_ALL, &drawn);
    text_printf(out, "jobqsim torture --seed %llu", (unsigned long long)run->seed);
    if (run->faults != drawn.faults) {
        text_puts(out, " --faults ");
        torture_faults_put(run->faults, out);
    }
    if (run->jobs != drawn.jobs)
        text_printf(out, " --jobs %lld", (long long)run->jobs);
    if (run->boxes != drawn.boxes)
        text_printf(out, " --boxes %lld", (long long)run->boxes);
    if (run->slots != drawn.slots)
        text_printf(out, " --concurrency %lld", (long long)run->slots);
    if (run->from_ns != drawn.from_ns)
        text_printf(out, " --from %s",
                    jobq_format_duration(run->from_ns, time, sizeof time));
    if (run->until_ns != drawn.until_ns)
        text_printf(out, " --until %s",
                    jobq_format_duration(run->until_ns, time, sizeof time));
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

static int set_drawn(struct torture *t, const char *name, int64_t low, int64_t high,
                     const char *unit, struct jobq_error *err)
{
    return set(t, err, name, "%lld%s", (long long)between(&t->dice, low, high), unit);
}

static int plan_scenario(struct torture *t, struct jobq_error *err)
{
    static const char *const times[] = {"exp:4s", "uniform:0s..20s",
                                        "lognormal:mean=6s,cv=2", "15s", "200ms"};
    static const char *const arrivals[] = {"at-once", "poisson:4/s", "every:300ms",
                                           "lognormal:mean=500ms,cv=4"};
    int code = set(t, err, "jobs", "%lld", (long long)t->run->jobs);
    code = code ? code : set(t, err, "boxes", "%lld", (long long)t->run->boxes);
    code = code ? code : set(t, err, "concurrency", "%lld", (long long)t->run->slots);
    code = code ? code : set(t, err, "job-time", "%s", times[between(&t->dice, 0, 4)]);
    code = code ? code : set(t, err, "arrivals", "%s", arrivals[between(&t->dice, 0, 3)]);
    code = code ? code : set_drawn(t, "visibility", 4, 20, "s", err);
    code = code ? code : set_drawn(t, "wait", 0, 20, "s", err);
    code = code ? code : set_drawn(t, "batch", 1, 10, "", err);
    code = code ? code : set_drawn(t, "domains", 1, 4, "", err);
    code = code ? code : set_drawn(t, "payload", 0, 3000, "", err);
    code = code ? code : set_drawn(t, "clients", 1, 8, "", err);
    code = code ? code : set(t, err, "attempts", "1000");
    code = code ? code : set(t, err, "seed", "%llu", (unsigned long long)t->run->seed);
    if (!code && between(&t->dice, 0, 2) > 0)
        code = set_drawn(t, "prefetch", 0, 20, "", err);
    if (!code && between(&t->dice, 0, 3) == 0)
        code = set(t, err, "payload-in", "store");
    if (!code && is_on(t, TORTURE_SPOT))
        code = set(t, err, "spot", "yes");
    return code ? code : scenario_finish(&t->scenario, err);
}

static void plan_params(struct torture *t)
{
    /* Boxes come up soon, or little would happen before the quiet phase. */
    t->calm->ec2.pending = distribution_uniform(1e9, 5e9);
    t->calm->ec2.boot = distribution_uniform(1e9, 5e9);
    t->calm->sqs.duplicate_rate = t->calm->sqs.undelete_rate = 0;
    t->params = xmalloc(sizeof *t->params);
    *t->params = *t->calm;
    t->params->sqs.duplicate_rate = chance(t, TORTURE_REDELIVERED, 0.1);
    t->params->sqs.undelete_rate = chance(t, TORTURE_UNDELETED, 0.1);
    t->params->sqs.reorder_rate = chance(t, TORTURE_REORDERED, 0.3);
    if (is_on(t, TORTURE_SLOW_STORE))
        t->params->simpledb.writes_per_s =
            (double)between(dice_of(t, TORTURE_SLOW_STORE), 10, 30);
    t->params->ec2.capacity_failure_p = t->params->ec2.spot_capacity_failure_p =
        chance(t, TORTURE_NO_CAPACITY, 0.7);
    t->params->ec2.spot_hazard_per_hour = chance(t, TORTURE_SPOT, 60);
    t->params->ec2.spot_notice_ns =
        between(dice_of(t, TORTURE_SPOT), 0, 1) ? 120 * JOBQ_NS_PER_S : 0;
}

static int plan(struct torture *t, struct jobq_error *err)
{
    dice_init(&t->dice, t->run->seed, "torture", 0);
    for (int i = 0; i < TORTURE_FAULT_COUNT; i++)
        dice_init(&t->fault_dice[i], t->run->seed,
                  torture_fault_name((enum torture_fault)i), 0);
    int code = plan_scenario(t, err);
    if (code != JOBQ_OK)
        return code;
    t->calm = run_params(&t->scenario, err);
    if (!t->calm)
        return err->code;
    plan_params(t);
    t->p[TORTURE_REFUSED] = chance(t, TORTURE_REFUSED, 0.15);
    t->p[TORTURE_THROTTLED] = chance(t, TORTURE_THROTTLED, 0.1);
    t->p[TORTURE_LOST_REPLY] = chance(t, TORTURE_LOST_REPLY, 0.15);
    t->p[TORTURE_LATE] = chance(t, TORTURE_LATE, 0.06);
    t->late_timeout_ns = between(dice_of(t, TORTURE_LATE), 1, LATE_MIN_S) * JOBQ_NS_PER_S;
    return JOBQ_OK;
}

/* ---- faults ------------------------------------------------------------------------ */

static bool strikes(struct torture *t, enum torture_fault fault, int action)
{
    if (t->p[fault] <= 0 || dice_u(dice_of(t, fault)) >= t->p[fault])
        return false;
    strike(t, fault, action);
    return true;
}

static int fault(void *ctx, enum jobq_action action, enum jobq_fault_phase phase)
{
    struct torture *t = ctx;
    if (!is_time(t))
        return 0;
    if (phase == JOBQ_FAULT_AFTER)
        return strikes(t, TORTURE_LOST_REPLY, (int)action)
                   ? dice_below(dice_of(t, TORTURE_LOST_REPLY), 3) ? JOBQ_TIMEOUT
                                                                   : JOBQ_UNAVAILABLE
                   : 0;
    if (strikes(t, TORTURE_THROTTLED, (int)action))
        return JOBQ_THROTTLED;
    if (strikes(t, TORTURE_REFUSED, (int)action))
        return dice_below(dice_of(t, TORTURE_REFUSED), 2) ? JOBQ_UNAVAILABLE
                                                          : JOBQ_TIMEOUT;
    return 0;
}

/* After how long a call takes effect that its caller has given up. */
static int64_t draw_late(void *ctx, enum jobq_action action)
{
    struct torture *t = ctx;
    if (!is_time(t) || !strikes(t, TORTURE_LATE, (int)action))
        return -1;
    double u = dice_u(dice_of(t, TORTURE_LATE));
    return (int64_t)((LATE_MIN_S + u * (LATE_MAX_S - LATE_MIN_S)) * 1e9);
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
    if (is_on(t, TORTURE_LATE))
        late_install(b, &late);
    if (t->hooks && t->hooks->decorate)
        t->hooks->decorate(t->hooks->ctx, w, b, box);
    b->fault = fault;
    b->fault_ctx = t;
}

static void on_event(void *ctx, const struct drainer_event *event)
{
    struct torture *t = ctx;
    if (t->hooks && t->hooks->event)
        t->hooks->event(t->hooks->ctx, world_now(t->world), event);
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
        strike(t, TORTURE_BOX_DIED, -1);
        world_box_die(box);
        return;
    }
}

/* The services as they are without faults, or with them. */
static void change_params(void *ctx, uint64_t with_faults)
{
    struct torture *t = ctx;
    const struct world_params *p = with_faults ? t->params : t->calm;
    sqs_params_change(world_sqs(t->world), &p->sqs);
    simpledb_set_params(world_simpledb(t->world), &p->simpledb);
    ec2_set_params(world_ec2(t->world), &p->ec2);
}

/* ---- cancelling ----------------------------------------------------------------------- */

/* Looks for a row that is there and asks to cancel its job, now and then. */
static void cancel_some(void *arg)
{
    struct torture *t = arg;
    struct jobq_backend *b = world_backend(t->canceller);
    struct dice *dice = dice_of(t, TORTURE_CANCEL);
    for (int64_t i = 0; i < t->cancels; i++) {
        fiber_sleep_until(b->sched, jobq_now(b) + (int64_t)(dice_u(dice) * 8e9));
        if (!is_time(t))
            continue;
        struct simpledb *db = world_simpledb(t->world);
        struct scratch *scratch = scratch_take(b);
        struct simpledb_cursor cursor = {0};
        struct jobq_item item;
        int domain = (int)dice_below(dice, (uint64_t)simpledb_domain_count(db));
        uint64_t skip = dice_below(dice, 20);
        bool found = false;
        while (simpledb_next_row(db, domain, &cursor, &scratch->arena, &item) &&
               !(found = skip-- == 0))
            ;
        if (found) {
            enum job_state state;
            struct jobq_error err;
            if (status_cancel(b, item.name, &state, &err) == JOBQ_OK)
                strike(t, TORTURE_CANCEL, -1);
        }
        scratch_give(b, scratch);
    }
}

static void on_origin(void *ctx, struct world *w)
{
    struct torture *t = ctx;
    t->world = w;
    struct kernel *k = world_kernel(w);
    t->origin_ns = world_now(w);
    t->from_ns = t->origin_ns + t->run->from_ns;
    t->until_ns = t->origin_ns + t->run->until_ns;
    if (t->run->from_ns > 0)
        kernel_at(k, t->from_ns, change_params, t, true);
    kernel_at(k, t->until_ns, change_params, t, false);
    if (is_on(t, TORTURE_BOX_DIED)) {
        struct dice *dice = dice_of(t, TORTURE_BOX_DIED);
        int64_t kills = between(dice, 1, 6), span_ns = t->until_ns - t->origin_ns;
        for (int64_t i = 0; i < kills; i++) {
            int64_t at_ns = t->origin_ns + between(dice, 1, span_ns / 1000) * 1000;
            uint64_t which = dice_bits(dice) >> 1;
            if (at_ns >= t->from_ns)
                kernel_at(k, at_ns, kill_a_box, t, which);
        }
    }
    if (!is_on(t, TORTURE_CANCEL))
        return;
    t->cancels = between(dice_of(t, TORTURE_CANCEL), 1, 8);
    t->canceller = world_proc_new(w, "canceller", 0, NULL, &t->ledger, 0);
    fiber_spawn(world_fibers(t->canceller), cancel_some, t);
}

/* ---- checking ---------------------------------------------------------------------- */

/* Notes the first thing that is wrong: which check, and what it saw. */
static void find(struct torture *t, const char *check, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static void find(struct torture *t, const char *check, const char *format, ...)
{
    if (t->out->finding[0])
        return;
    t->out->check = check;
    va_list args;
    va_start(args, format);
    vsnprintf(t->out->finding, sizeof t->out->finding, format, args);
    va_end(args);
}

/* Rows by id, as a consistent reader sees them. */
static void read_rows(struct torture *t, struct jobrec_table *rows)
{
    struct world_rows at = {0};
    struct jobq_item item;
    struct arena arena;
    arena_init(&arena, 0);
    while (world_rows_next(t->world, STR(REPLICATION_QUEUE), &at, &arena, &item)) {
        struct job_row row;
        struct jobq_error err;
        if (job_row_read(&item, &row, &err) < 0) {
            find(t, "row unreadable", "row '%.*s': %.100s", (int)item.name.len,
                 item.name.ptr, err.text);
            continue;
        }
        struct jobrec *rec = jobrec_of(rows, item.name);
        rec->state = row.state == JOB_DONE        ? JOBREC_DONE
                     : row.state == JOB_DEAD      ? JOBREC_DEAD
                     : row.state == JOB_CANCELLED ? JOBREC_CANCELLED
                                                  : JOBREC_OPEN;
        rec->work_ns = row.wall_ns;
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
        find(s->torture, "message unreadable", "a message on the queue cannot be read");
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
        find(t, "row missing", "job %s is enqueued and has no row", id);
        return;
    }
    switch ((enum jobrec_state)row->state) {
    case JOBREC_DONE:
        out->done++;
        if (row->work_ns < job->work_ns)
            find(t, "ran too short", "job %s is done after %lld ns of its %lld", id,
                 (long long)row->work_ns, (long long)job->work_ns);
        break;
    case JOBREC_DEAD:
        out->dead++;
        find(t, "dead", "job %s is dead, and never failed", id);
        break;
    case JOBREC_CANCELLED:
        out->cancelled++;
        break;
    case JOBREC_EXPIRED:
    case JOBREC_OPEN:
        out->queued += row->attempts > 0;
        if (row->attempts == 0)
            find(t, "lost", "job %s is lost: its row is not final and no message is left",
                 id);
        break;
    }
    if (t->run->faults == 0 && job->attempts != 1)
        find(t, "attempts", "job %s took %d attempts, and nothing had gone wrong", id,
             job->attempts);
    if (job->results > 1)
        find(t, "results", "job %s has %d results", id, job->results);
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
        find(t, "dead letters",
             "%lld messages were never deleted and went to the dead letters",
             (long long)dead.messages);
    const struct jobrec_table *jobs = t->jobs;
    for (int64_t i = 0; i < jobs->count; i++)
        if (jobs->rec[i].index >= 0)
            check_job(t, &jobs->rec[i], &rows, jobs->id[i]);
    if (seen.messages > 0)
        find(t, "queue not empty", "%lld messages are left on the queue",
             (long long)seen.messages);
    t->out->virtual_s = (double)world_now(w) / 1e9;
    jobrec_release(&rows);
}

struct torture *torture_new(void)
{
    struct torture *t = xcalloc(1, sizeof *t);
    t->replication = replication_new();
    t->jobs = replication_jobs(t->replication);
    return t;
}

void torture_free(struct torture *t)
{
    if (!t)
        return;
    replication_free(t->replication);
    free(t);
}

/* How often the services' own faults struck, which they count themselves. */
static void count_services(struct torture *t, const struct jobq_ledger *ledger)
{
    struct ec2 *ec2 = world_ec2(t->world);
    struct sqs_stats stats;
    int64_t *fired = t->out->fired;
    int queue = sqs_find(world_sqs(t->world), STR(REPLICATION_QUEUE));
    if (queue >= 0 &&
        sqs_stats(world_sqs(t->world), world_now(t->world), queue, &stats) == SQS_OK) {
        fired[TORTURE_REDELIVERED] += stats.duplicates;
        fired[TORTURE_UNDELETED] += stats.undeleted;
    }
    if (is_on(t, TORTURE_SLOW_STORE))
        fired[TORTURE_SLOW_STORE] += ledger->action[JOBQ_ACT_SDB_PUT].throttled +
                                     ledger->action[JOBQ_ACT_SDB_PUT_BATCH].throttled;
    for (int32_t i = 0; i < ec2_instance_count(ec2); i++)
        fired[TORTURE_SPOT] += ec2_instance_at(ec2, i)->reason == EC2_REASON_SPOT;
}

static int play(struct torture *t, struct jobq_error *err)
{
    struct replication_hooks hooks = {.ctx = t,
                                      .process = on_process,
                                      .origin = on_origin,
                                      .end = on_end,
                                      .event = on_event,
                                      .pending = is_pending};
    struct replication_options options = {.keep_ids = true,
                                          .until_empty = true,
                                          .hooks = &hooks,
                                          .give_up_ns = 2 * JOBQ_NS_PER_HOUR};
    struct replication_result result;
    replication_result_init(&result);
    int code = replication_play(t->replication, &t->scenario,
                                t->run->from_ns > 0 ? t->calm : t->params, &options,
                                &result, err);
    if (code == JOBQ_TIMEOUT) {
        find(t, "no end", "%s", err->text);
        code = JOBQ_OK;
    }
    count_services(t, result.ledger);
    t->out->attempts = result.attempts;
    t->out->duplicates = result.duplicates;
    if (code == JOBQ_OK && result.refused > 0)
        find(t, "not enqueued", "%lld jobs could not be enqueued",
             (long long)result.refused);
    if (code == JOBQ_OK && t->out->queued > 0)
        find(t, "still queued", "%lld jobs are still queued after the quiet phase",
             (long long)t->out->queued);
    replication_result_release(&result);
    return code;
}

int torture_play(struct torture *t, const struct torture_run *run,
                 const struct torture_hooks *hooks, struct torture_result *out,
                 struct jobq_error *err)
{
    /* All but the replication is of one run. */
    *t = (struct torture){.replication = t->replication,
                          .jobs = t->jobs,
                          .run = run,
                          .hooks = hooks,
                          .out = out};
    *out = (struct torture_result){0};
    /* Until the origin is known: the set-up has faults too, if they begin at once. */
    t->until_ns = run->from_ns > 0 ? 0 : JOBQ_FOREVER;
    scenario_init(&t->scenario);
    int code = plan(t, err);
    if (code == JOBQ_OK)
        code = play(t, err);
    jobq_ledger_release(&t->ledger);
    scenario_release(&t->scenario);
    free(t->params);
    free(t->calm);
    return code;
}
