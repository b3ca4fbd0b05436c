/* torture.c - plays a run with faults and checks it. See torture.h.
 *
 * Room:     sim. */
#include "sim/torture/torture.h"

#include "sim/torture/internal.h"

#include "sim/world/late.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- what all files use --------------------------------------------------------------- */

bool torture_time(const struct torture *t)
{
    int64_t now_ns = world_now(t->world);
    return now_ns >= t->from_ns && now_ns < t->until_ns;
}

void torture_strike(struct torture *t, enum torture_fault fault, int action)
{
    t->out->fired[fault]++;
    if (t->hooks && t->hooks->fault)
        t->hooks->fault(t->hooks->ctx, world_now(t->world), fault, action);
}

bool torture_draws(struct torture *t, enum torture_fault fault, int action)
{
    if (t->p[fault] <= 0 || dice_u(torture_dice(t, fault)) >= t->p[fault])
        return false;
    torture_strike(t, fault, action);
    return true;
}

void torture_branch(struct torture *t, enum torture_branch branch)
{
    t->out->branch[branch]++;
}

void torture_find(struct torture *t, const char *check, const char *format, ...)
{
    if (t->out->check)
        return;
    t->out->check = check;
    va_list args;
    va_start(args, format);
    vsnprintf(t->out->finding, sizeof t->out->finding, format, args);
    va_end(args);
}

/* ---- the client's journal ------------------------------------------------------------- */

/* An append that fails leaves the file as it was, as the live one does. */
static int journal_append(void *ctx, const struct jobq_str *record, int count,
                          struct jobq_error *err)
{
    struct torture *t = ctx;
    if (torture_time(t) && torture_draws(t, TORTURE_DISK_FULL, -1))
        return jobq_fail(err, JOBQ_LIMIT, "no space left on device");
    for (int i = 0; i < count; i++) {
        text_put_str(&t->lines, record[i]);
        text_putc(&t->lines, '\n');
    }
    return JOBQ_OK;
}

static int journal_load(void *ctx, int (*each)(void *each_ctx, struct jobq_str record),
                        void *each_ctx, struct jobq_error *err)
{
    struct torture *t = ctx;
    (void)err;
    if (t->lines.len > 0)
        torture_branch(t, TORTURE_BRANCH_RECOVERED);
    for (size_t at = 0; at < t->lines.len;) {
        const char *line = t->lines.ptr + at;
        const char *end = memchr(line, '\n', t->lines.len - at);
        if (each(each_ctx, (struct jobq_str){line, end - line}))
            break;
        at += (size_t)(end - line) + 1;
    }
    return JOBQ_OK;
}

/* ---- hooks of the replication --------------------------------------------------------- */

static void on_process(void *ctx, struct world *w, struct jobq_backend *b,
                       struct world_box *box)
{
    struct torture *t = ctx;
    if (!t->world) {
        t->world = w;
        world_watch(w, &t->watch);
    }
    if (t->run->faults)
        inject_process(t, box ? inject_place(t, box) : &t->client, b);
    if (t->hooks && t->hooks->decorate)
        t->hooks->decorate(t->hooks->ctx, w, b, box);
}

static void on_drainer(void *ctx, struct world_box *box, struct drainer_options *o)
{
    struct torture *t = ctx;
    (void)box;
    o->idle_exit_ns = t->idle_exit_ns;
    o->housekeeping_ns = t->housekeeping_ns;
    o->retry_base_ns = JOBQ_NS_PER_S;
    o->retry_cap_ns = 20 * JOBQ_NS_PER_S;
}

static void on_drained(void *ctx, struct world_box *box, int code)
{
    struct torture *t = ctx;
    monitor_exit(t, code);
    /* What is denied ends it, whatever else it was about to do. */
    if (t->run->faults && inject_place(t, box)->denied && code == JOBQ_OK)
        torture_find(t, "denied",
                     "a drainer was denied a call and ended as if all were well");
}

static void on_event(void *ctx, const struct drainer_event *event)
{
    struct torture *t = ctx;
    monitor_event(t, event);
    if (t->hooks && t->hooks->event)
        t->hooks->event(t->hooks->ctx, world_now(t->world), event);
}

/* Some jobs are bad ones, known by the last digits of their time. */
static void on_job(void *ctx, int64_t *job_ns)
{
    struct torture *t = ctx;
    bool fails = t->p[TORTURE_POISON] > 0 &&
                 dice_u(torture_dice(t, TORTURE_POISON)) < t->p[TORTURE_POISON];
    bool crashes = t->p[TORTURE_CRASHER] > 0 &&
                   dice_u(torture_dice(t, TORTURE_CRASHER)) < t->p[TORTURE_CRASHER];
    *job_ns = *job_ns / 1000 * 1000 + (fails     ? JOB_FAILS_NS
                                       : crashes ? JOB_CRASHES_NS
                                                 : 0);
    keyed_job(t, *job_ns);
}

static int on_key(void *ctx, int64_t index, char *out)
{
    return keyed_on(ctx) ? keyed_write(index, out) : 0;
}

static void on_origin(void *ctx, struct world *w)
{
    struct torture *t = ctx;
    t->origin_ns = world_now(w);
    t->started = true;
    t->from_ns = t->origin_ns + t->run->from_ns;
    t->until_ns = t->origin_ns + t->run->until_ns;
    if (t->run->faults == 0)
        return;
    inject_start(t);
    operate_start(t);
}

static bool is_pending(void *ctx)
{
    struct torture *t = ctx;
    bool over = t->run->faults == 0 || world_now(t->world) >= t->until_ns;
    return !over || late_pending(t->world) > 0 || t->open_rows > 0 || t->acting > 0;
}

static void on_end(void *ctx, struct world *w, int queue)
{
    struct torture *t = ctx;
    check_end(t, queue);
    t->out->virtual_s = (double)world_now(w) / 1e9;
}

/* ---- playing -------------------------------------------------------------------------- */

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
        fired[TORTURE_REORDERED] += stats.passed_over;
    }
    if (torture_on(t, TORTURE_SLOW_STORE))
        fired[TORTURE_SLOW_STORE] += ledger->action[JOBQ_ACT_SDB_PUT].throttled +
                                     ledger->action[JOBQ_ACT_DDB_UPDATE].throttled +
                                     ledger->action[JOBQ_ACT_SDB_PUT_BATCH].throttled;
    int64_t launches_failed =
        ledger->action[JOBQ_ACT_EC2_RUN].failed - t->injected_launches;
    if (torture_on(t, TORTURE_NO_CAPACITY) && launches_failed > 0)
        fired[TORTURE_NO_CAPACITY] += launches_failed;
    int32_t boxes = ec2_instance_count(ec2);
    if (torture_on(t, TORTURE_SLOW_BOOT))
        fired[TORTURE_SLOW_BOOT] += boxes;
    for (int32_t i = 0; i < boxes; i++)
        fired[TORTURE_SPOT] += ec2_instance_at(ec2, i)->reason == EC2_REASON_SPOT;
}

struct torture *torture_new(void)
{
    struct torture *t = xcalloc(1, sizeof *t);
    t->replication = replication_new();
    t->params = xmalloc(sizeof *t->params);
    t->calm = xmalloc(sizeof *t->calm);
    arena_init(&t->arena, 0);
    return t;
}

void torture_free(struct torture *t)
{
    if (!t)
        return;
    replication_free(t->replication);
    arena_release(&t->arena);
    jobrec_release(&t->rows);
    text_release(&t->lines);
    free(t->claim);
    free(t->model);
    free(t->params);
    free(t->calm);
    free(t);
}

static void play(struct torture *t, struct jobq_error *err)
{
    bool faults = t->run->faults != 0;
    struct replication_hooks hooks = {.ctx = t,
                                      .process = on_process,
                                      .origin = on_origin,
                                      .end = on_end,
                                      .event = on_event,
                                      .pending = is_pending,
                                      .drainer = on_drainer,
                                      .drained = on_drained,
                                      .job = on_job,
                                      .key = on_key};
    if (torture_on(t, TORTURE_DISK_FULL) || (t->run->seed & 1)) {
        t->journal = (struct enqueuer_journal){t, journal_append, journal_load};
        hooks.journal = &t->journal;
    }
    struct replication_options options = {.keep_ids = true,
                                          .until_empty = true,
                                          .until_no_box = t->idle_exit_ns < JOBQ_FOREVER,
                                          .restart_ns = faults ? 5 * JOBQ_NS_PER_S : 0,
                                          .hooks = &hooks,
                                          .give_up_ns = 40 * JOBQ_NS_PER_HOUR};
    struct replication_result result;
    replication_result_init(&result);
    int code = replication_play(t->replication, &t->scenario,
                                t->run->from_ns > 0 ? t->calm : t->params, &options,
                                &result, err);
    if (code < 0)
        torture_find(t, code == JOBQ_TIMEOUT ? "no end" : "given up", "%s", err->text);
    if (code == JOBQ_OK || code == JOBQ_TIMEOUT) {
        count_services(t, result.ledger);
        check_calls(t, result.ledger);
        t->out->attempts = result.attempts;
        t->out->duplicates = result.duplicates;
    }
    if (result.refused > 0)
        torture_find(t, "not enqueued", "%lld jobs could not be enqueued",
                     (long long)result.refused);
    replication_result_release(&result);
}

/* What is kept from run to run is memory. */
static void start_over(struct torture *t)
{
    struct replication *replication = t->replication;
    struct arena arena = t->arena;
    struct jobrec_table rows = t->rows;
    struct torture_claim *claim = t->claim;
    int64_t claim_cap = t->claim_cap;
    struct text lines = t->lines;
    struct world_params *model = t->model, *params = t->params, *calm = t->calm;
    memset(t, 0, sizeof *t);
    t->replication = replication;
    t->jobs = replication_jobs(replication);
    t->arena = arena;
    t->rows = rows;
    t->claim = claim;
    t->claim_cap = claim_cap;
    t->lines = lines;
    t->model = model;
    t->params = params;
    t->calm = calm;
}

int torture_play(struct torture *t, const struct torture_run *run,
                 const struct torture_hooks *hooks, struct torture_result *out,
                 struct jobq_error *err)
{
    start_over(t);
    t->run = run;
    t->hooks = hooks;
    t->out = out;
    arena_reset(&t->arena);
    text_clear(&t->lines);
    *out = (struct torture_result){0};
    t->client.t = t;
    /* Until the origin is known: the set-up has faults too, if they begin at once. */
    t->until_ns = run->from_ns > 0 ? 0 : JOBQ_FOREVER;
    monitor_start(t);
    scenario_init(&t->scenario);
    int code = plan_make(t, err);
    if (code == JOBQ_OK)
        play(t, err);
    jobq_ledger_release(&t->ledger);
    scenario_release(&t->scenario);
    return code;
}
