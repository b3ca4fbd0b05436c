/* enqueuer.c - who does the next batch, and who waits for it? See enqueuer.h.
 *
 * Room:     src/fleet, the product.
 *
 * A caller whose batch may begin at once does it on its own fiber, no matter whose jobs
 * it takes; it leaves when its own jobs are done and, if others' are left, starts a
 * helper in its place. So a lone caller costs no switch to another fiber, and no fiber
 * idles. */
#include "fleet/enqueue/enqueuer.h"

#include "base/text.h"
#include "fleet/enqueue/parts.h"
#include "fleet/enqueue/queues.h"
#include "fleet/housekeeping/housekeeping.h"
#include "jobq/units.h"

#include <assert.h>
#include <string.h>

enum { SHARDS_DEFAULT = 4, PIPELINE_MAX = 1024 };

struct enqueuer_options enqueuer_defaults(const char *queue)
{
    return (struct enqueuer_options){.queue = queue, .visibility_ns = -1, .create = true};
}

static void fill_defaults(struct enqueuer_options *o)
{
    o->shards = o->shards ? o->shards : SHARDS_DEFAULT;
    o->keep_ns = o->keep_ns ? o->keep_ns : HOUSEKEEPING_KEEP_NS;
    o->message_max_bytes = o->message_max_bytes ? o->message_max_bytes : JOBQ_MIB;
    o->longest_ns = o->longest_ns ? o->longest_ns : JOB_VISIBILITY_MAX_NS;
    o->batch = o->batch ? o->batch : JOBQ_BATCH_MAX;
    o->pipeline = o->pipeline ? o->pipeline : 1;
    o->max_receive_count =
        o->max_receive_count ? o->max_receive_count : QUEUES_RECEIVES_DEFAULT;
    o->retry_for_ns = o->retry_for_ns ? o->retry_for_ns : 2 * JOBQ_NS_PER_MIN;
}

static int enqueuer_check_options(const struct enqueuer_options *o,
                                  struct jobq_error *err)
{
    if (job_queue_name_check(o->queue, err) < 0)
        return err->code;
    if (o->visibility_ns >= 0 && job_visibility_check(o->visibility_ns, err) < 0)
        return err->code;
    if (o->retention_ns != 0 &&
        (o->retention_ns < JOBQ_NS_PER_MIN || o->retention_ns > 14 * JOBQ_NS_PER_DAY))
        return jobq_fail(err, JOBQ_LIMIT, "retention is not in '1min'..'14d'");
    if (o->shards < 1 || o->shards > JOB_SHARDS_MAX)
        return jobq_fail(err, JOBQ_LIMIT, "%d shards are not in 1..%d", o->shards,
                         JOB_SHARDS_MAX);
    if (o->batch < 1 || o->batch > JOBQ_BATCH_MAX)
        return jobq_fail(err, JOBQ_LIMIT, "a batch of %d is not in 1..%d", o->batch,
                         JOBQ_BATCH_MAX);
    if (o->pipeline < 1 || o->pipeline > PIPELINE_MAX)
        return jobq_fail(err, JOBQ_LIMIT, "a pipeline of %d is not in 1..%d", o->pipeline,
                         PIPELINE_MAX);
    return JOBQ_OK;
}

/* The house is kept even where only clients are alive. */
static int enqueuer_make_room(void *ctx, struct jobq_error *err)
{
    struct enqueuer *e = ctx;
    while (e->room.under_way)
        fiber_cond_wait(e->b->sched, &e->room.ended, JOBQ_FOREVER);
    int64_t now_ns = jobq_now(e->b);
    int code = JOBQ_OK;
    if (!e->room.tried || now_ns - e->room.at_ns >= HOUSEKEEPING_EVERY_NS) {
        struct housekeeping_done done = {0};
        struct jobq_queue_depth depth;
        e->room.under_way = e->room.tried = true;
        e->room.at_ns = now_ns;
        code = jobq_queue_depth(e->b, e->queue, &depth, err);
        if (code == JOBQ_OK) {
            struct housekeeping h = {.b = e->b,
                                     .queue_name = e->queue_name,
                                     .queue = e->queue,
                                     .keep_ns = e->options.keep_ns,
                                     .retention_ns = depth.retention_ns,
                                     .visibility_ns = depth.visibility_ns};
            code = housekeeping_make_room(&h, &done, err);
        }
        e->room.left = done.dropped;
        e->room.under_way = false;
        fiber_cond_broadcast(&e->room.ended);
    }
    if (e->room.left > 0) {
        e->room.left--;
        return 1;
    }
    return code;
}

int enqueuer_new(struct jobq_backend *b, const struct enqueuer_options *options,
                 struct enqueuer **out, struct jobq_error *err)
{
    assert(b && options && options->queue && out && err);
    struct enqueuer_options filled = *options;
    fill_defaults(&filled);
    int row_calls = b->store ? b->store->ops->batch_max : JOBQ_STORE_BATCH_MAX;
    if (enqueuer_check_options(&filled, err) < 0)
        return err->code;
    struct arena *memory = fiber_proc_arena(b->proc);
    struct enqueuer *e = arena_zalloc(memory, sizeof *e);
    e->b = b;
    e->memory = memory;
    e->options = filled;
    e->writes_rows = b->store && filled.rows == JOB_ROWS_ALL;
    e->rows_a_call = filled.batch == JOBQ_BATCH_MAX || row_calls < filled.batch
                         ? row_calls
                         : filled.batch;
    e->options.queue = arena_cstr(memory, options->queue);
    e->queue_name = str_of(e->options.queue);
    e->queue = e->dead_queue = -1;
    rows_adder_init(&e->adder, b, e->queue_name, filled.create);
    e->adder.make_room = enqueuer_make_room;
    e->adder.room_ctx = e;
    job_ids_init(&e->ids, e->queue_name, jobq_bits(b));
    housekeeping_keep_rows(b, filled.keep_ns);
    /* Processes that start together should not all begin on one shard. */
    e->next_shard = (int)(jobq_bits(b) % (uint64_t)filled.shards);

    struct queues_options queues = {.name = e->options.queue,
                                    .visibility_ns = filled.visibility_ns,
                                    .retention_ns = filled.retention_ns,
                                    .max_receive_count = filled.max_receive_count,
                                    .create = filled.create};
    if (queues_open(b, &queues, jobq_now(b) + filled.retry_for_ns, &e->queue,
                    &e->dead_queue, err) < 0)
        return err->code;
    *out = e;
    return JOBQ_OK;
}

/* ---- who works ----------------------------------------------------------------------- */

struct enqueue_batch *enqueue_batch_take(struct enqueuer *e)
{
    struct enqueue_batch *batch = e->idle;
    if (batch) {
        e->idle = batch->next;
        arena_reset(&batch->scratch);
    } else {
        batch = arena_alloc(e->memory, sizeof *batch);
        arena_init_within(&batch->scratch, e->memory, 4096);
    }
    batch->next = NULL;
    batch->count = 0;
    return batch;
}

void enqueue_batch_give(struct enqueuer *e, struct enqueue_batch *batch)
{
    batch->next = e->idle;
    e->idle = batch;
}

static void enqueuer_finish(struct enqueuer *e, struct enqueue_batch *batch)
{
    for (int i = 0; i < batch->count; i++) {
        struct enqueue_request *request = batch->request[i];
        int code = batch->job[i]->code = batch->code[i];
        if (code == JOBQ_OK) {
            e->counters.added++;
            request->good++;
        } else if (code == JOBQ_INVALID || code == JOBQ_LIMIT) {
            e->counters.refused++;
        } else {
            e->counters.failed++;
        }
        if (++request->finished == request->count && request->waiting)
            fiber_wake(request->ticket);
    }
}

/* Works until own (NULL: everything) is done or nothing is left to take. */
static void work(struct enqueuer *e, const struct enqueue_request *own)
{
    while (e->untaken > 0 && !(own && own->finished == own->count)) {
        struct enqueue_batch *batch = enqueue_batch_take(e);
        enqueue_batch_run(e, batch);
        enqueuer_finish(e, batch);
        enqueue_batch_give(e, batch);
    }
}

static void helper(void *arg)
{
    struct enqueuer *e = arg;
    work(e, NULL);
    e->active--;
}

/* One helper for every batch that could begin now and has nobody. */
static void start_helpers(struct enqueuer *e, int64_t waiting)
{
    while (waiting > 0 && e->active < e->options.pipeline) {
        e->active++;
        fiber_spawn(e->b->proc, helper, e);
        waiting -= e->options.batch;
    }
}

int64_t enqueuer_add_many(struct enqueuer *e, struct enqueuer_job *job, int64_t count,
                          struct jobq_error *err)
{
    assert(e && (job || count == 0) && err);
    assert(count >= 0);
    if (count == 0)
        return 0;
    /* The caller's may hold the text of an earlier failure that was mended. */
    struct jobq_error first = {0};
    struct enqueue_request request = {.job = job, .count = count, .err = &first};
    if (e->last)
        e->last->next = &request;
    else
        e->first = &request;
    e->last = &request;
    e->untaken += count;

    if (e->active < e->options.pipeline) {
        e->active++;
        start_helpers(e, e->untaken - e->options.batch);
        work(e, &request);
        e->active--;
        start_helpers(e, e->untaken);
    }
    while (request.finished < request.count) {
        request.ticket = fiber_ticket(e->b->sched);
        request.waiting = true;
        fiber_park(e->b->sched, JOBQ_FOREVER);
    }
    if (request.good < count)
        *err = first;
    return request.good;
}

int enqueuer_add(struct enqueuer *e, const struct job_pair *pair, int pair_count,
                 char *id_out, struct jobq_error *err)
{
    assert(e && (pair || pair_count == 0) && pair_count >= 0 && id_out && err);
    struct enqueuer_job job = {.pair = pair, .pair_count = pair_count};
    if (enqueuer_add_many(e, &job, 1, err) == 1) {
        memcpy(id_out, job.id, (size_t)job.id_bytes + 1);
        return JOBQ_OK;
    }
    return job.code;
}

struct enqueuer_counters enqueuer_counters(const struct enqueuer *e)
{
    struct enqueuer_counters out = e->counters;
    out.row_calls = e->adder.calls;
    out.send_calls = e->sends.calls;
    out.retries = e->adder.retries + e->sends.retries;
    return out;
}

int enqueuer_make_tables(struct enqueuer *e, struct jobq_error *err)
{
    assert(e && err);
    int day = job_day(jobq_wall(e->b));
    return e->writes_rows ? rows_make_day(&e->adder, day, e->options.shards, err)
                          : JOBQ_OK;
}

int enqueuer_queue(const struct enqueuer *e)
{
    return e->queue;
}

int enqueuer_dead_queue(const struct enqueuer *e)
{
    return e->dead_queue;
}
