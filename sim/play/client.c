/* client.c - the client: puts the workload on the queue and launches boxes.
 *
 * Room:     sim; see sim/play/replication.h. */
#include "sim/play/internal.h"

#include "scenario/fleet.h"
#include "scenario/scaled.h"
#include "fleet/port/retry.h"
#include "fleet/port/scratch.h"

#include <assert.h>
#include <string.h>

/* Jobs a feeder hands over at once: two calls of rows (25) and five of messages (10). */
#define CHUNK_MAX 50
#define OPERATOR_CHUNK 50
#define OPERATOR_IMAGE "ami-0123456789abcdef0"
struct feeder {
    struct replication *rep;
    int count; /* jobs that it holds */
    struct enqueuer_job job[CHUNK_MAX];
    struct job_pair pair[CHUNK_MAX][3];
    char seconds[CHUNK_MAX][24];
    char key[CHUNK_MAX][REPLICATION_KEY_MAX];
    struct workload_job work[CHUNK_MAX];
};

/* 1500000000 -> "1.5", exact. */
static int64_t write_seconds(int64_t ns, char *out)
{
    int len = text_write_int(out, ns / JOBQ_NS_PER_S);
    int64_t rest = ns % JOBQ_NS_PER_S;
    if (rest) {
        out[len++] = '.';
        for (int64_t scale = JOBQ_NS_PER_S / 10; rest; scale /= 10) {
            out[len++] = (char)('0' + rest / scale);
            rest %= scale;
        }
    }
    return len;
}

static void set_job(struct feeder *f, int at, const struct workload_job *work,
                    int64_t index)
{
    struct replication *rep = f->rep;
    struct enqueuer_job *job = &f->job[at];
    struct job_pair *pair = f->pair[at];
    f->work[at].arrival_ns = work->arrival_ns;
    f->work[at].job_ns = work->job_ns;
    int64_t job_ns = work->job_ns < JOB_SLEEP_MAX_NS ? work->job_ns : JOB_SLEEP_MAX_NS;
    pair[0] = (struct job_pair){STR("kind"), STR("sleep")};
    pair[1].name = STR("seconds");
    pair[1].value =
        (struct jobq_str){f->seconds[at], write_seconds(job_ns, f->seconds[at])};
    pair[2].name = STR("payload");
    pair[2].value = (struct jobq_str){NULL, rep->scenario->payload_bytes};
    /* Field by field: its id's bytes, most of it, need not be zero. */
    job->pair = pair;
    job->pair_count = rep->scenario->payload_bytes > 0 ? 3 : 2;
    job->delay_ns = 0;
    job->limits = (struct job_limits){0};
    job->key = (struct jobq_str){NULL, 0};
    job->tag = index;
    const struct replication_hooks *hooks = rep->options.hooks;
    int key_bytes = hooks && hooks->key ? hooks->key(hooks->ctx, index, f->key[at]) : 0;
    if (key_bytes > 0)
        job->key = (struct jobq_str){f->key[at], key_bytes};
}

/* The jobs that have come by now, at least one; waits for it. 0: no more. One feeder at a
 * time, so that jobs are taken in their order. */
static int take(struct feeder *f, int cap)
{
    struct replication *rep = f->rep;
    struct fiber_sched *sched = kernel_fibers(world_kernel(rep->world));
    while (rep->taking)
        fiber_cond_wait(sched, &rep->turn, JOBQ_FOREVER);
    int count = 0;
    while (count < cap && rep->again_count > 0) {
        const struct client_job *again = &rep->again[--rep->again_count];
        set_job(f, count++, &again->work, again->index);
    }
    if (count > 0 || !rep->has_ahead)
        return count;
    rep->taking = true;
    if (rep->origin_ns + rep->ahead.arrival_ns > world_now(rep->world))
        kernel_sleep_until(world_kernel(rep->world),
                           rep->origin_ns + rep->ahead.arrival_ns);
    while (count < cap && rep->has_ahead &&
           rep->origin_ns + rep->ahead.arrival_ns <= world_now(rep->world)) {
        const struct replication_hooks *hooks = rep->options.hooks;
        if (hooks && hooks->job)
            hooks->job(hooks->ctx, &rep->ahead.job_ns);
        set_job(f, count++, &rep->ahead, rep->next_index++);
        rep->has_ahead = workload_next(&rep->workload, &rep->ahead);
    }
    rep->taking = false;
    if (rep->has_ahead)
        fiber_cond_signal(&rep->turn);
    else
        fiber_cond_broadcast(&rep->turn);
    return count;
}

static void keep(struct replication *rep, const struct workload_job *work, int64_t index)
{
    if (rep->again_count == rep->again_cap) {
        rep->again_cap = rep->again_cap ? 2 * rep->again_cap : 64;
        rep->again = xrealloc(rep->again, (size_t)rep->again_cap * sizeof *rep->again);
    }
    rep->again[rep->again_count++] = (struct client_job){*work, index};
}

/* The client has been told that this job is on the queue. */
static void acknowledge(struct replication *rep, struct jobq_str id,
                        const struct workload_job *work, int64_t index)
{
    struct jobrec *rec = jobrec_of(&rep->jobs, id);
    rec->index = index;
    rec->work_ns = work->job_ns;
    rec->enqueued_at_ns = rep->origin_ns + work->arrival_ns;
    rep->acked++;
    if (rec->ended_at_ns < 0)
        rep->open++;
}

/* Returns how many were refused and are kept for another time. */
static int note(struct feeder *f, int count)
{
    struct replication *rep = f->rep;
    int kept = 0;
    for (int i = 0; i < count; i++) {
        const struct enqueuer_job *job = &f->job[i];
        if (job->code == JOBQ_OK) {
            acknowledge(rep, (struct jobq_str){job->id, job->id_bytes}, &f->work[i],
                        job->tag);
        } else if (rep->options.restart_ns > 0) {
            keep(rep, &f->work[i], job->tag);
            kept++;
        } else {
            rep->refused++;
        }
    }
    f->count = 0;
    return kept;
}

static void feed(void *arg)
{
    struct feeder *f = arg;
    struct replication *rep = f->rep;
    int cap =
        rep->scenario->batch >= JOBQ_BATCH_MAX ? CHUNK_MAX : (int)rep->scenario->batch;
    while ((f->count = take(f, cap)) > 0) {
        struct jobq_error err;
        enqueuer_add_many(rep->enqueuer, f->job, f->count, &err);
        if (note(f, f->count) > 0)
            kernel_sleep_until(world_kernel(rep->world),
                               world_now(rep->world) + rep->options.restart_ns);
    }
    if (--rep->feeders == 0) {
        rep->fed = true;
        replication_check_end(rep);
    }
}

/* ---- a client that was killed -------------------------------------------------------- */

void client_lost(struct replication *rep)
{
    int64_t clients = rep->feeder ? rep->scenario->clients : 0;
    for (int64_t i = 0; i < clients; i++) {
        struct feeder *f = rep->feeder[i];
        for (int k = 0; f && k < f->count; k++)
            keep(rep, &f->work[k], f->job[k].tag);
    }
    rep->feeder = NULL;
    rep->taking = false;
}

/* A record of the journal that says which id with a row a job was given. */
struct lookup {
    struct replication *rep;
    int64_t tag;
    char id[JOB_ID_MAX];
    int64_t id_bytes;
};

static int look_up(void *ctx, struct jobq_str text)
{
    struct lookup *l = ctx;
    struct enqueuer_record record;
    /* Without a row at enqueue, that its message was sent is all that there is. */
    bool by_message = l->rep->scenario->rows != SCENARIO_ROWS_ALL;
    if (enqueuer_record_read(text, &record) && record.tag == l->tag &&
        ((by_message && record.what == 's') ||
         replication_row_exists(l->rep, record.id))) {
        memcpy(l->id, record.id.ptr, (size_t)record.id.len);
        l->id_bytes = record.id.len;
    }
    return 0;
}

/* The journal knows that it is on the queue. */
static void recovered(void *ctx, int64_t tag)
{
    struct replication *rep = ctx;
    const struct enqueuer_journal *journal = rep->options.hooks->journal;
    struct lookup l = {.rep = rep, .tag = tag};
    struct jobq_error err;
    for (int64_t i = 0; i < rep->again_count; i++) {
        if (rep->again[i].index != tag)
            continue;
        journal->load(journal->ctx, look_up, &l, &err);
        acknowledge(rep, (struct jobq_str){l.id, l.id_bytes}, &rep->again[i].work, tag);
        rep->again[i] = rep->again[--rep->again_count];
        return;
    }
}

/* ---- set-up ----------------------------------------------------------------------- */

static int set_up(struct replication *rep, struct jobq_error *err)
{
    struct jobq_backend *b = world_backend(rep->client);
    const struct scenario *sc = rep->scenario;
    bool ideal = rep->params->latency[WORLD_SQS_SEND].zero;
    struct enqueuer_options o = enqueuer_defaults(REPLICATION_QUEUE);
    scenario_enqueuer_options(sc, &o);
    o.longest_ns = JOBQ_FOREVER; /* what becomes of such jobs can be simulated */
    o.retry_for_ns =
        12 * JOBQ_NS_PER_HOUR; /* tries for long: a busy domain loses no job */
    if (rep->params->sqs.message_bytes_max > 0)
        o.message_max_bytes = rep->params->sqs.message_bytes_max;
    /* Without latency the order of calls must be the order of sends. */
    int64_t clients = ideal ? 1 : sc->clients;
    o.pipeline = (int)(clients < 1024 ? clients : 1024);
    if (rep->options.hooks)
        o.journal = rep->options.hooks->journal;
    int code = enqueuer_new(b, &o, &rep->enqueuer, err);
    if (code == JOBQ_OK && !rep->client_ready)
        code = enqueuer_make_tables(rep->enqueuer, err);
    if (code == JOBQ_OK && o.journal && rep->client_ready &&
        enqueuer_recover(rep->enqueuer, recovered, rep, err) < 0)
        code = err->code;
    rep->feeders = (int)clients;
    return code;
}

/* ---- the operator ------------------------------------------------------------------- */

static void launch(struct replication *rep, struct jobq_backend *b, int64_t count,
                   struct retry *r)
{
    static const struct jobq_tag tag = {
        {"jobq:queue", 10}, {REPLICATION_QUEUE, sizeof REPLICATION_QUEUE - 1}};
    struct scratch *scratch = scratch_take(b);
    struct jobq_str id[OPERATOR_CHUNK];
    struct jobq_launch what = {.type = rep->scenario->instance,
                               .image = OPERATOR_IMAGE,
                               .tag = &tag,
                               .tag_count = 1,
                               .count =
                                   (int)(count < OPERATOR_CHUNK ? count : OPERATOR_CHUNK),
                               .spot = rep->scenario->spot};
    struct jobq_error err;
    int code = jobq_fleet_launch(b, &what, &scratch->arena, id, OPERATOR_CHUNK, &err);
    scratch_give(b, scratch);
    if (code > 0) {
        retry_init(r, b, &RETRY_CALLS, NULL);
    } else if (code != JOBQ_LIMIT || !retry_again(r, JOBQ_THROTTLED)) {
        /* "No capacity" is retried like a throttle. */
        if (rep->options.restart_ns > 0) {
            fiber_sleep_until(b->sched, jobq_now(b) + rep->options.restart_ns);
        } else if (code == JOBQ_LIMIT || !retry_again(r, code)) {
            rep->failure = code;
            rep->failure_error = err;
            kernel_stop(world_kernel(rep->world));
        }
    }
}

/* Counted by EC2: a launch whose reply was lost counts, a box that died while booting
 * does not. */
int64_t client_boxes_alive(struct replication *rep)
{
    int64_t alive = 0;
    for (int32_t i = 0; i < ec2_instance_count(world_ec2(rep->world)); i++)
        alive += ec2_instance_at(world_ec2(rep->world), i)->state <= EC2_RUNNING;
    return alive;
}

static void operate(void *arg)
{
    struct replication *rep = arg;
    struct jobq_backend *b = world_backend(rep->client);
    struct retry r;
    retry_init(&r, b, &RETRY_CALLS, NULL);
    while (!rep->finishing && rep->failure == JOBQ_OK) {
        int64_t missing = rep->wanted_boxes - client_boxes_alive(rep);
        if (missing <= 0)
            fiber_cond_wait(b->sched, &rep->wanted, JOBQ_FOREVER);
        else
            launch(rep, b, missing, &r);
    }
}

/* ---- the operator, autoscaled --------------------------------------------------------- */

/* All that a simulated box is told: whether it stays. */
static int scaled_user_data(void *ctx, bool stays, struct text *out,
                            struct jobq_error *err)
{
    (void)ctx;
    (void)err;
    text_puts(out, stays ? "stays" : "leaves");
    return JOBQ_OK;
}

bool client_box_stays(const struct world_box *box)
{
    return str_is(world_box_instance(box)->user_data, "stays");
}

static int autoscale_run(struct replication *rep, struct jobq_error *err)
{
    struct jobq_backend *b = world_backend(rep->client);
    const struct scenario *sc = rep->scenario;
    const struct operate_options how = {.queue = REPLICATION_QUEUE,
                                        .type = sc->instance,
                                        .image = OPERATOR_IMAGE,
                                        .boxes_max = (int)sc->boxes_max,
                                        .user_data = scaled_user_data};
    struct scale_options o = {.queue = REPLICATION_QUEUE};
    int code = scenario_scale_options(sc, rep->options.box_hour_usd, &o, err);
    if (code < 0)
        return code;
    o.operate = operate_new(b, &how);
    struct scale *scale;
    code = scale_new(b, &o, &scale, err);
    if (code < 0)
        return code;
    rep->scale = scale;
    code = scale_run(scale, err);
    rep->scale = NULL;
    return code;
}

/* One that was refused for good starts again, where the run says so. */
static void autoscale(void *arg)
{
    struct replication *rep = arg;
    struct jobq_backend *b = world_backend(rep->client);
    struct jobq_error err;
    while (!rep->finishing && rep->failure == JOBQ_OK) {
        int code = autoscale_run(rep, &err);
        if (code == JOBQ_OK)
            return;
        if (rep->options.restart_ns == 0) {
            rep->failure = code;
            rep->failure_error = err;
            kernel_stop(world_kernel(rep->world));
            return;
        }
        fiber_sleep_until(b->sched, jobq_now(b) + rep->options.restart_ns);
    }
}

void client_want_box(struct replication *rep)
{
    fiber_cond_signal(&rep->wanted);
}

static void start_feeders(struct replication *rep)
{
    struct fiber_proc *fibers = world_fibers(rep->client);
    size_t room = (size_t)rep->feeders * sizeof(struct feeder *);
    rep->feeder = arena_zalloc(&rep->arena, room);
    for (int i = 0; i < rep->feeders; i++) {
        struct feeder *f = arena_alloc(fiber_proc_arena(fibers), sizeof *f);
        f->rep = rep;
        f->count = 0;
        rep->feeder[i] = f;
        fiber_spawn(fibers, feed, f);
    }
}

static void client_main(void *arg)
{
    struct replication *rep = arg;
    struct fiber_proc *fibers = world_fibers(rep->client);
    bool first = !rep->client_ready;
    struct jobq_error err;
    int code;
    while ((code = set_up(rep, &err)) != JOBQ_OK && !first)
        kernel_sleep_until(world_kernel(rep->world),
                           world_now(rep->world) + rep->options.restart_ns);
    if (code != JOBQ_OK) {
        rep->failure = code;
        rep->failure_error = err;
        kernel_stop(world_kernel(rep->world));
        return;
    }
    rep->client_ready = true;
    if (first)
        replication_origin(rep);
    if (rep->scenario->boot == SCENARIO_BOOT_MODEL)
        fiber_spawn(fibers, rep->scenario->autoscale ? autoscale : operate, rep);
    if (!rep->fed)
        start_feeders(rep);
}

void client_start(void *replication, uint64_t arg)
{
    (void)arg;
    struct replication *rep = replication;
    int64_t rtt_ns =
        rep->scenario->client == SCENARIO_CLIENT_INTERNET ? 40 * JOBQ_NS_PER_MS : 0;
    rep->client = world_proc_new(rep->world, "client", rep->client_starts++, NULL,
                                 rep->ledger, rtt_ns);
    struct jobq_backend *b = world_backend(rep->client);
    if (scenario_store(rep->scenario) == SCENARIO_STORE_NONE)
        b->store = NULL;
    if (rep->options.hooks && rep->options.hooks->process)
        rep->options.hooks->process(rep->options.hooks->ctx, rep->world, b, NULL);
    fiber_spawn(world_fibers(rep->client), client_main, rep);
}
