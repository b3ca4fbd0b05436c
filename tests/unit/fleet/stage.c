/* stage.c - a small stage for tests of the product. See stage.h. */
#include "stage.h"

#include "base/arena.h"
#include "base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- fibers -------------------------------------------------------------------------- */

struct errand {
    struct kernel *k;
    void (*fn)(void *ctx);
    void *ctx;
    bool done;
};

static void run_errand(void *arg)
{
    struct errand *errand = arg;
    errand->fn(errand->ctx);
    errand->done = true;
    kernel_stop(errand->k);
}

void stage_do_in(struct stage *st, struct world_proc *proc, void (*fn)(void *ctx),
                 void *ctx)
{
    struct errand errand = {.k = st->k, .fn = fn, .ctx = ctx};
    fiber_spawn(world_fibers(proc), run_errand, &errand);
    while (!errand.done)
        assert_int_not_equal(kernel_run(st->k, JOBQ_FOREVER - 1), KERNEL_DRY);
}

void stage_do(struct stage *st, void (*fn)(void *ctx), void *ctx)
{
    stage_do_in(st, st->client, fn, ctx);
}

static void nothing(void *ctx, uint64_t arg)
{
    (void)ctx;
    (void)arg;
}

/* Time passes also where nothing happens. */
void stage_run_for(struct stage *st, int64_t ns)
{
    int64_t until_ns = kernel_now(st->k) + ns;
    kernel_at(st->k, until_ns, nothing, NULL, 0);
    while (kernel_run(st->k, until_ns) == KERNEL_STOPPED)
        ;
}

/* ---- the stage ----------------------------------------------------------------------- */

static void make_queue(void *ctx)
{
    struct stage *st = ctx;
    struct jobq_error err;
    if (enqueuer_new(st->b, &st->enqueue, &st->e, &err) != JOBQ_OK)
        fail_msg("%s", err.text);
}

struct stage *stage_new(const char *model, int64_t visibility_ns)
{
    struct stage *st = xcalloc(1, sizeof *st);
    struct jobq_error err;
    st->params = xcalloc(1, sizeof *st->params);
    if (world_params_load(model, st->params, &err) != JOBQ_OK)
        fail_msg("%s", err.text);
    struct world_options options = {.seed = 1, .paint_stacks = true};
    st->w = world_new(st->params, &options);
    st->k = world_kernel(st->w);
    st->client = world_proc_new(st->w, "client", 0, NULL, &st->ledger, 0);
    st->reader = world_proc_new(st->w, "reader", 0, NULL, &st->reader_ledger, 0);
    st->b = world_backend(st->client);
    st->enqueue = enqueuer_defaults(STAGE_QUEUE);
    st->enqueue.visibility_ns = visibility_ns;
    st->enqueue.shards = 2;
    stage_do(st, make_queue, st);
    return st;
}

void stage_free(struct stage *st)
{
    /* Stacks have 16 KiB. A sanitizer pads each frame, and a page behind the end tells of
     * one that it makes too long. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    size_t limit = 15 * 1024;
#else
    size_t limit = 12 * 1024;
#endif
    size_t used = world_stack_used_max(st->w);
    world_free(st->w);
    for (int i = 0; i < st->drainer_count; i++)
        jobq_ledger_release(&st->drainer[i].ledger);
    jobq_ledger_release(&st->ledger);
    free(st->params);
    free(st);
    assert_true(used <= limit);
}

struct batch {
    struct stage *st;
    int count;
    const char *seconds;
};

static void enqueue_batch(void *ctx)
{
    struct batch *batch = ctx;
    struct stage *st = batch->st;
    struct jobq_error err;
    struct job_pair pair[3] = {{STR("kind"), STR("sleep")},
                               {STR("seconds"), str_of(batch->seconds)},
                               {STR("payload"), {NULL, 100}}};
    struct enqueuer_job *job = xcalloc((size_t)batch->count, sizeof *job);
    for (int i = 0; i < batch->count; i++) {
        job[i].pair = pair;
        job[i].pair_count = 3;
        job[i].tag = i;
    }
    if (enqueuer_add_many(st->e, job, batch->count, &err) != batch->count)
        fail_msg("%s", err.text);
    for (int i = 0; i < batch->count; i++)
        memcpy(st->id[st->jobs++], job[i].id, sizeof job[i].id);
    free(job);
}

void stage_enqueue(struct stage *st, int count, const char *seconds)
{
    struct batch batch = {st, count, seconds};
    assert_true(st->jobs + count <= STAGE_JOBS_MAX);
    stage_do(st, enqueue_batch, &batch);
}

/* ---- drainers ------------------------------------------------------------------------ */

static int scripted_start(struct jobq_child *port, const struct jobq_work *work,
                          struct jobq_error *err)
{
    struct stage_drainer *sd =
        (struct stage_drainer *)((char *)port - offsetof(struct stage_drainer, child));
    int handle = sd->real_child->ops->start(sd->real_child, work, err);
    if (handle >= 0 && handle < 64) {
        memcpy(sd->ids[handle], work->job_id.ptr, (size_t)work->job_id.len + 1);
        sd->ids[handle][work->job_id.len] = '\0';
        sd->attempts[handle] = work->attempt;
    }
    return handle;
}

static int scripted_wait(struct jobq_child *port, int handle, int64_t until_ns,
                         struct jobq_work_result *out, struct jobq_error *err)
{
    struct stage_drainer *sd =
        (struct stage_drainer *)((char *)port - offsetof(struct stage_drainer, child));
    int code = sd->real_child->ops->wait(sd->real_child, handle, until_ns, out, err);
    if (code == JOBQ_OK && !out->killed && handle < 64 && sd->stage->script) {
        int scripted = sd->stage->script(sd->stage->script_ctx, str_of(sd->ids[handle]),
                                         sd->attempts[handle]);
        out->exit_code = scripted < 0 ? out->exit_code : scripted;
    }
    return code;
}

static void scripted_stop(struct jobq_child *port, int handle, int64_t grace_ns)
{
    struct stage_drainer *sd =
        (struct stage_drainer *)((char *)port - offsetof(struct stage_drainer, child));
    sd->real_child->ops->stop(sd->real_child, handle, grace_ns);
}

static const struct jobq_child_ops SCRIPTED = {.name = "scripted",
                                               .start = scripted_start,
                                               .wait = scripted_wait,
                                               .stop = scripted_stop};

static int fault(void *ctx, enum jobq_action action, enum jobq_fault_phase phase)
{
    struct stage_drainer *sd = ctx;
    for (int i = 0; i < sd->fault_count; i++) {
        struct stage_fault *f = &sd->fault[i];
        if (f->action != action || f->phase != phase)
            continue;
        f->seen++;
        if (f->seen >= f->at && f->seen < f->at + f->count)
            return f->code;
    }
    return 0;
}

void stage_fail(struct stage_drainer *sd, enum jobq_action action,
                enum jobq_fault_phase phase, int64_t at, int64_t count, int code)
{
    sd->fault[sd->fault_count++] = (struct stage_fault){
        .action = action, .phase = phase, .at = at, .count = count, .code = code};
}

static void on_event(void *ctx, const struct drainer_event *event)
{
    struct stage_drainer *sd = ctx;
    if (event->kind == DRAINER_NOTICE) {
        size_t used = strlen(sd->notice);
        sd->notices++;
        snprintf(sd->notice + used, sizeof sd->notice - used, "%s\n", event->text);
        return;
    }
    sd->last = *event;
    sd->started += event->kind == DRAINER_STARTED;
    sd->ended += event->kind == DRAINER_ENDED;
    sd->lost += event->kind == DRAINER_LOST;
    sd->skipped += event->kind == DRAINER_SKIPPED;
    sd->gave_back += event->kind == DRAINER_GAVE_BACK;
}

static void drain(void *arg)
{
    struct stage_drainer *sd = arg;
    sd->code = drainer_new(sd->b, &sd->options, &sd->d, &sd->err);
    if (sd->code == JOBQ_OK)
        sd->code = drainer_run(sd->d, &sd->err);
    sd->returned = true;
}

struct stage_drainer *stage_drain(struct stage *st, int slots)
{
    struct stage_drainer *sd = &st->drainer[st->drainer_count];
    sd->stage = st;
    sd->proc = world_proc_new(st->w, "drainer", (uint64_t)st->drainer_count++, NULL,
                              &sd->ledger, 0);
    sd->b = world_backend(sd->proc);
    sd->real_child = sd->b->child;
    sd->child.ops = &SCRIPTED;
    sd->b->child = &sd->child;
    sd->b->fault = fault;
    sd->b->fault_ctx = sd;
    sd->options = drainer_defaults(STAGE_QUEUE, slots);
    sd->options.stats_ns = JOBQ_FOREVER;
    sd->options.on_event = on_event;
    sd->options.event_ctx = sd;
    fiber_spawn(world_fibers(sd->proc), drain, sd);
    return sd;
}

void stage_kill(struct stage_drainer *sd)
{
    world_proc_kill(sd->proc);
    sd->d = NULL;
}

/* ---- looking ------------------------------------------------------------------------- */

struct look {
    struct stage *st;
    const char *name;
    struct job_row row;
    struct jobq_queue_depth depth;
};

static void look_at_row(void *ctx)
{
    struct look *look = ctx;
    struct jobq_backend *b = world_backend(look->st->reader);
    struct job_id_parts parts;
    struct jobq_item item;
    struct jobq_error err;
    struct rows rows = {.b = b};
    if (job_id_parse(str_of(look->name), &parts, &err) < 0)
        fail_msg("%s", err.text);
    int code = rows_table(b, &parts, &err);
    if (code >= 0)
        code = rows_read(&rows, code, str_of(look->name), ROWS_WHOLE,
                         fiber_proc_arena(world_fibers(look->st->reader)), &item,
                         &look->row, &err);
    if (code < 0)
        fail_msg("%s", err.text);
}

struct damage {
    struct stage *st;
    const char *id, *name, *value;
};

static void damage_row(void *ctx)
{
    struct damage *d = ctx;
    struct jobq_backend *b = world_backend(d->st->reader);
    struct job_id_parts parts;
    struct jobq_error err;
    const struct jobq_attr attr = {str_of(d->name), str_of(d->value), true};
    if (job_id_parse(str_of(d->id), &parts, &err) < 0)
        fail_msg("%s", err.text);
    int table = rows_table(b, &parts, &err);
    if (table < 0 ||
        jobq_store_put(b, table, &(struct jobq_item){str_of(d->id), &attr, 1}, NULL, NULL,
                       &err) < 0)
        fail_msg("%s", err.text);
}

void stage_damage(struct stage *st, const char *id, const char *name, const char *value)
{
    struct damage damage = {st, id, name, value};
    stage_do_in(st, st->reader, damage_row, &damage);
}

struct job_row stage_row(struct stage *st, const char *id)
{
    struct look look = {.st = st, .name = id};
    stage_do_in(st, st->reader, look_at_row, &look);
    return look.row;
}

enum job_state stage_state(struct stage *st, int job)
{
    struct job_row row = stage_row(st, st->id[job]);
    assert_true(row.exists);
    return row.state;
}

int stage_count(struct stage *st, enum job_state state)
{
    int count = 0;
    for (int i = 0; i < st->jobs; i++)
        count += stage_state(st, i) == state;
    return count;
}

static void look_at_queue(void *ctx)
{
    struct look *look = ctx;
    struct jobq_backend *b = world_backend(look->st->reader);
    struct jobq_error err;
    int queue;
    int code = jobq_queue_open(b, look->name, &queue, &err);
    if (code == JOBQ_OK)
        code = jobq_queue_depth(b, queue, &look->depth, &err);
    if (code < 0)
        fail_msg("%s", err.text);
}

struct jobq_queue_depth stage_depth(struct stage *st, const char *queue)
{
    struct look look = {.st = st, .name = queue};
    stage_do_in(st, st->reader, look_at_queue, &look);
    return look.depth;
}

int64_t stage_requests(const struct stage *st, enum jobq_action action)
{
    int64_t total = st->ledger.action[action].requests;
    for (int i = 0; i < st->drainer_count; i++)
        total += st->drainer[i].ledger.action[action].requests;
    return total;
}

int64_t stage_sqs_requests(const struct stage *st)
{
    int64_t total = 0;
    for (int i = 0; i < JOBQ_ACTION_COUNT; i++)
        if (jobq_action_service((enum jobq_action)i) == JOBQ_SQS)
            total += stage_requests(st, (enum jobq_action)i);
    return total;
}
