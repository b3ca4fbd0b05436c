/* client.c - the client: who puts the workload on the queue and asks for boxes.
 *
 * Room:     sim; see sim/play/replication.h. */
#include "sim/play/internal.h"

#include "scenario/fleet.h"
#include "fleet/port/retry.h"
#include "fleet/port/scratch.h"

#include <assert.h>
#include <string.h>

/* Jobs a feeder hands over at once: two calls of rows (25) and five of messages (10). */
#define CHUNK_MAX 50
#define OPERATOR_CHUNK 50
/* Rows are kept at least as long as the queue may still hold their messages. */
#define RETENTION_NS (5 * JOBQ_NS_PER_DAY)

struct feeder {
    struct scene *scene;
    struct enqueuer_job job[CHUNK_MAX];
    struct job_pair pair[CHUNK_MAX][3];
    char seconds[CHUNK_MAX][24];
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

static void set_job(struct feeder *f, int at, const struct workload_job *work)
{
    struct scene *s = f->scene;
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
    pair[2].value = (struct jobq_str){NULL, s->scenario->payload_bytes};
    /* Field by field: its id's bytes, most of it, need not be zero. */
    job->pair = pair;
    job->pair_count = s->scenario->payload_bytes > 0 ? 3 : 2;
    job->delay_ns = 0;
    job->tag = s->next_index++;
}

/* The jobs that have come by now, at least one; waits for it. 0: no more. One feeder at a
 * time, so that jobs are taken in their order. */
static int take(struct feeder *f, int cap)
{
    struct scene *s = f->scene;
    struct fiber_sched *sched = kernel_fibers(world_kernel(s->world));
    while (s->taking)
        fiber_cond_wait(sched, &s->turn, JOBQ_FOREVER);
    int count = 0;
    if (!s->has_ahead)
        return 0;
    s->taking = true;
    if (s->origin_ns + s->ahead.arrival_ns > world_now(s->world))
        fiber_sleep_until(sched, s->origin_ns + s->ahead.arrival_ns);
    while (count < cap && s->has_ahead &&
           s->origin_ns + s->ahead.arrival_ns <= world_now(s->world)) {
        set_job(f, count++, &s->ahead);
        s->has_ahead = workload_next(&s->workload, &s->ahead);
    }
    s->taking = false;
    if (s->has_ahead)
        fiber_cond_signal(&s->turn);
    else
        fiber_cond_broadcast(&s->turn);
    return count;
}

static void note(struct feeder *f, int count)
{
    struct scene *s = f->scene;
    scene_hear(s);
    for (int i = 0; i < count; i++) {
        if (f->job[i].code != JOBQ_OK) {
            s->refused++;
            continue;
        }
        struct jobrec *rec =
            jobrec_of(&s->jobs, (struct jobq_str){f->job[i].id, f->job[i].id_bytes});
        rec->index = f->job[i].tag;
        rec->work_ns = f->work[i].job_ns;
        rec->enqueued_at_ns = s->origin_ns + f->work[i].arrival_ns;
        s->acked++;
        if (rec->ended_at_ns < 0)
            s->open++;
    }
}

static void feed(void *arg)
{
    struct scene *s = arg;
    struct feeder *f = arena_alloc(fiber_proc_arena(world_fibers(s->client)), sizeof *f);
    f->scene = s;
    int cap = s->scenario->batch >= JOBQ_BATCH_MAX ? CHUNK_MAX : (int)s->scenario->batch;
    int count;
    while ((count = take(f, cap)) > 0) {
        struct jobq_error err;
        enqueuer_add_many(s->enqueuer, f->job, count, &err);
        note(f, count);
    }
    if (--s->feeders == 0) {
        s->fed = true;
        scene_see_end(s);
    }
}

/* ---- set-up ----------------------------------------------------------------------- */

static int set_up(struct scene *s, struct jobq_error *err)
{
    struct jobq_backend *b = world_backend(s->client);
    const struct scenario *sc = s->scenario;
    bool ideal = s->params->latency[WORLD_SQS_SEND].zero;
    struct enqueuer_options o = enqueuer_defaults(SCENE_QUEUE);
    scenario_enqueuer_options(sc, &o);
    o.rotate_days = 1;
    o.retry_for_ns =
        12 * JOBQ_NS_PER_HOUR; /* a patient client: a busy domain loses no job */
    if (s->params->sqs.message_bytes_max > 0)
        o.message_max_bytes = s->params->sqs.message_bytes_max;
    /* Without latency the order of calls must be the order of sends. */
    int64_t clients = ideal ? 1 : sc->clients;
    o.pipeline = (int)(clients < 1024 ? clients : 1024);
    int code = enqueuer_new(b, &o, &s->enqueuer, err);
    if (code == JOBQ_OK)
        code = enqueuer_make_domains(s->enqueuer, err);
    s->feeders = (int)clients;
    return code;
}

static void keep_house(void *arg)
{
    struct scene *s = arg;
    struct jobq_backend *b = world_backend(s->client);
    int64_t keep_ns =
        s->scenario->keep_ns > RETENTION_NS ? s->scenario->keep_ns : RETENTION_NS;
    for (;;) {
        fiber_sleep_until(b->sched, jobq_now(b) + JOBQ_NS_PER_DAY);
        struct jobq_error err;
        enqueuer_drop_old(s->enqueuer, keep_ns, &err);
    }
}

/* ---- the operator ------------------------------------------------------------------- */

static void launch(struct scene *s, struct jobq_backend *b, int64_t count,
                   struct retry *r)
{
    static const struct jobq_tag tag = {{"jobq:queue", 10},
                                        {SCENE_QUEUE, sizeof SCENE_QUEUE - 1}};
    struct scratch *scratch = scratch_take(b);
    struct jobq_str id[OPERATOR_CHUNK];
    struct jobq_launch what = {.type = s->scenario->instance,
                               .image = "ami-0123456789abcdef0",
                               .tag = &tag,
                               .tag_count = 1,
                               .count =
                                   (int)(count < OPERATOR_CHUNK ? count : OPERATOR_CHUNK),
                               .spot = s->scenario->spot};
    struct jobq_error err;
    int code = jobq_fleet_launch(b, &what, &scratch->arena, id, OPERATOR_CHUNK, &err);
    scratch_give(b, scratch);
    if (code > 0) {
        retry_init(r, b, &RETRY_CALLS, NULL);
    } else if (code != JOBQ_LIMIT || !retry_again(r, JOBQ_THROTTLED)) {
        /* No capacity is worth waiting for as much as a throttle is. */
        if (code == JOBQ_LIMIT || !retry_again(r, code)) {
            s->setup_code = code;
            s->setup_error = err;
            kernel_stop(world_kernel(s->world));
        }
    }
}

/* As EC2 knows them: a launch whose reply was lost counts, a box that died booting does not. */
static int64_t boxes_alive(struct scene *s)
{
    int64_t alive = 0;
    for (int32_t i = 0; i < ec2_instance_count(world_ec2(s->world)); i++)
        alive += ec2_instance_at(world_ec2(s->world), i)->state <= EC2_RUNNING;
    return alive;
}

static void operate(void *arg)
{
    struct scene *s = arg;
    struct jobq_backend *b = world_backend(s->client);
    struct retry r;
    retry_init(&r, b, &RETRY_CALLS, NULL);
    while (!s->finishing && s->setup_code == JOBQ_OK) {
        int64_t missing = s->scenario->boxes - boxes_alive(s);
        if (missing <= 0)
            fiber_cond_wait(b->sched, &s->wanted, JOBQ_FOREVER);
        else
            launch(s, b, missing, &r);
    }
}

void scene_client_want_box(struct scene *s)
{
    fiber_cond_signal(&s->wanted);
}

static void client_main(void *arg)
{
    struct scene *s = arg;
    struct fiber_proc *fibers = world_fibers(s->client);
    s->setup_code = set_up(s, &s->setup_error);
    if (s->setup_code != JOBQ_OK) {
        kernel_stop(world_kernel(s->world));
        return;
    }
    scene_origin(s);
    if (s->scenario->boot == SCENARIO_BOOT_MODEL)
        fiber_spawn(fibers, operate, s);
    /* Where messages never expire a row may be needed for ever. */
    if (world_backend(s->client)->store && s->params->sqs.retention)
        fiber_spawn(fibers, keep_house, s);
    for (int i = 0; i < s->feeders; i++)
        fiber_spawn(fibers, feed, s);
}

void scene_client_start(struct scene *s)
{
    int64_t rtt_ns =
        s->scenario->client == SCENARIO_CLIENT_INTERNET ? 40 * JOBQ_NS_PER_MS : 0;
    s->client = world_proc_new(s->world, "client", 0, NULL, s->ledger, rtt_ns);
    struct jobq_backend *b = world_backend(s->client);
    if (s->scenario->store == SCENARIO_STORE_NONE)
        b->store = NULL;
    if (s->options.hooks && s->options.hooks->process)
        s->options.hooks->process(s->options.hooks->ctx, s->world, b, NULL);
    fiber_spawn(world_fibers(s->client), client_main, s);
}
