/* run.c - plays the replications of a scenario, on as many threads as wanted. See run.h.
 *
 * Room:     sim. */
#include "sim/play/run.h"

#include "base/arena.h"
#include "fleet/job/job.h"
#include "scenario/scaled.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* ---- parameters ------------------------------------------------------------------- */

static int apply_sets(const char *sets, struct world_params *params,
                      struct jobq_error *err)
{
    char one[256];
    while (sets && *sets) {
        size_t len = strcspn(sets, ";");
        if (len >= sizeof one)
            return jobq_fail(err, JOBQ_LIMIT, "--set: an assignment is over %zu bytes",
                             sizeof one - 1);
        memcpy(one, sets, len);
        one[len] = '\0';
        if (world_params_set(params, one, err) != JOBQ_OK)
            return jobq_wrap(err, "--set");
        sets += len + (sets[len] == ';');
    }
    return JOBQ_OK;
}

/* The whole job as it will be encoded, against the limits of row and message. */
static int check_payload(const struct scenario *s, const struct world_params *p,
                         struct jobq_error *err)
{
    struct job_pair pair[3] = {{STR("kind"), STR("sleep")},
                               {STR("seconds"), STR("1")},
                               {STR("payload"), {NULL, s->payload_bytes}}};
    struct job_pair payload[3];
    struct job_spec spec;
    if (job_spec_read(pair, s->payload_bytes > 0 ? 3 : 2, payload, &spec, err) < 0)
        return jobq_wrap(err, "--payload");
    int64_t phantom, bytes = job_encoded_bytes(&spec, &phantom);
    bool stored =
        scenario_store(s) != SCENARIO_STORE_NONE && s->rows == SCENARIO_ROWS_ALL;
    if (stored && bytes > JOB_ROW_BYTES_MAX)
        return jobq_fail(
            err, JOBQ_LIMIT,
            "--payload: a job of %lld bytes exceeds the store's limit of %lld "
            "bytes a row",
            (long long)bytes, (long long)JOB_ROW_BYTES_MAX);
    int64_t most = p->sqs.message_bytes_max;
    if ((!stored || s->payload_in == SCENARIO_PAYLOAD_MESSAGE) && most > 0 &&
        bytes + JOB_ID_SUFFIX + (int64_t)sizeof REPLICATION_QUEUE > most)
        return jobq_fail(
            err, JOBQ_LIMIT,
            "--payload: a job of %lld bytes exceeds the queue's limit of %lld "
            "bytes a message",
            (long long)bytes, (long long)most);
    return JOBQ_OK;
}

/* Refuses a workload that no fleet of this size can finish within the longest run. Where
 * messages expire, the run ends by itself. */
static int check_length(const struct scenario *s, const struct world_params *p,
                        struct jobq_error *err)
{
    if (p->sqs.retention)
        return JOBQ_OK;
    double work_s = distribution_mean(&s->job_time) / 1e9 * (double)s->jobs;
    if (s->trace.arrival_ns) {
        work_s = 0;
        for (int64_t i = 0; i < s->jobs && i < s->trace.count; i++)
            work_s += (double)s->trace.job_ns[i] / 1e9;
    }
    double slots = (double)s->boxes * (double)s->concurrency;
    double most_s = (double)REPLICATION_MAX_NS / 1e9, year_s = 365 * 86400.0;
    if (work_s / slots <= most_s)
        return JOBQ_OK;
    return jobq_fail(err, JOBQ_LIMIT,
                     "%lld jobs take %.3g years on %.0f slots: a run is at most %.0f "
                     "years long",
                     (long long)s->jobs, work_s / slots / year_s, slots, most_s / year_s);
}

struct world_params *run_params(const struct scenario *s, struct jobq_error *err)
{
    struct world_params *p = xcalloc(1, sizeof *p);
    struct ec2_type type;
    char safe[40];
    text_escape(s->instance, (int64_t)strlen(s->instance), safe, sizeof safe);
    int code = world_params_load(s->model, p, err);
    if (code != JOBQ_OK)
        jobq_wrap(err, "--model");
    if (code == JOBQ_OK)
        code = apply_sets(s->sets, p, err);
    if (code == JOBQ_OK && !ec2_type_find(str_of(s->instance), &type))
        code =
            jobq_fail(err, JOBQ_INVALID, "--instance: unknown instance type '%s'", safe);
    if (code == JOBQ_OK)
        code = check_payload(s, p, err);
    if (code == JOBQ_OK)
        code = check_length(s, p, err);
    if (code == JOBQ_OK)
        return p;
    free(p);
    return NULL;
}

/* ---- replications ------------------------------------------------------------------- */

struct crew {
    const struct scenario *scenario;
    const struct world_params *params;
    const struct run_options *options;
    struct run_result *result;
    struct jobq_error *errors; /* reps long; code JOBQ_OK: none */
    _Atomic int64_t next;
    _Atomic int failed; /* no more replications are begun */
};

struct worker {
    struct crew *crew;
    pthread_t thread;
    bool started;
};

static void play_one(struct worker *w, struct replication *replication, int64_t rep)
{
    struct crew *c = w->crew;
    struct jobq_error *err = &c->errors[rep];
    struct replication_options options = {.replication = (uint64_t)rep,
                                          .keep_ids = rep == 0 && c->options->keep_ids,
                                          .page = rep == 0 && c->options->page,
                                          .progress = c->options->progress,
                                          .hooks = c->options->hooks};
    run_autoscaled(c->scenario, c->options->sheet, &options);
    replication_result_init(&c->result->rep[rep]);
    int code = replication_play(replication, c->scenario, c->params, &options,
                                &c->result->rep[rep], err);
    struct jobq_error unpriced;
    if (code == JOBQ_OK && c->options->sheet)
        run_price(c->options->sheet, &c->result->rep[rep], &unpriced);
    if (code == JOBQ_OK && rep == 0 && c->options->first)
        code = c->options->first(c->options->ctx, replication, err);
    if (code != JOBQ_OK) {
        err->code = (enum jobq_code)code;
        atomic_store(&c->failed, 1);
    }
}

void run_autoscaled(const struct scenario *s, const struct sheet *sheet,
                    struct replication_options *options)
{
    options->until_no_box =
        s->autoscale && s->boxes_min == 0 && scenario_idle_exit_ns(s) < JOBQ_FOREVER;
    options->box_hour_usd = sheet ? bill_box_hour(sheet, s->instance, s->spot) : 0;
}

int run_price(const struct sheet *sheet, struct replication_result *r,
              struct jobq_error *err)
{
    const struct bill_options options = {0};
    struct bill bill;
    bill_init(&bill);
    int code = bill_ledger(&bill, r->ledger, sheet, &options, err);
    r->usd = code == JOBQ_OK ? bill.usd : (double)NAN;
    bill_by_service(&bill, r->usd_service);
    bill_release(&bill);
    return code;
}

static void *work(void *arg)
{
    struct worker *w = arg;
    struct crew *c = w->crew;
    struct replication *replication = replication_new();
    int64_t rep;
    while (!atomic_load(&c->failed) &&
           (rep = atomic_fetch_add(&c->next, 1)) < c->result->reps)
        play_one(w, replication, rep);
    replication_free(replication);
    return NULL;
}

static double real_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

int run_scenario(const struct scenario *scenario, const struct world_params *params,
                 const struct run_options *options, struct run_result *out,
                 struct jobq_error *err)
{
    int64_t reps = scenario->reps, threads = options->threads;
    if (threads <= 0) {
        long cores = sysconf(_SC_NPROCESSORS_ONLN);
        threads = cores > 0 ? cores : 1;
    }
    threads = threads < reps ? threads : reps;
    *out =
        (struct run_result){.reps = reps, .rep = xcalloc((size_t)reps, sizeof *out->rep)};
    struct crew crew = {.scenario = scenario,
                        .params = params,
                        .options = options,
                        .result = out,
                        .errors = xcalloc((size_t)reps, sizeof *crew.errors)};
    double started_s = real_s();
    struct worker *worker = xcalloc((size_t)threads, sizeof *worker);
    for (int64_t i = 0; i < threads; i++) {
        worker[i].crew = &crew;
        /* The calling thread is the last worker, and the only one where none can be had. */
        if (i + 1 < threads)
            worker[i].started =
                pthread_create(&worker[i].thread, NULL, work, &worker[i]) == 0;
    }
    work(&worker[threads - 1]);
    for (int64_t i = 0; i + 1 < threads; i++)
        if (worker[i].started)
            pthread_join(worker[i].thread, NULL);
    out->wall_s = real_s() - started_s;
    int code = JOBQ_OK;
    for (int64_t i = 0; i < reps && code == JOBQ_OK; i++)
        if (crew.errors[i].code != JOBQ_OK) {
            *err = crew.errors[i];
            code = err->code;
        }
    free(worker);
    free(crew.errors);
    return code;
}

void run_result_release(struct run_result *result)
{
    for (int64_t i = 0; i < result->reps; i++)
        replication_result_release(&result->rep[i]);
    free(result->rep);
    *result = (struct run_result){0};
}

/* ---- metrics ---------------------------------------------------------------------- */

struct list {
    struct run_metric *out;
    int count;
};

static void put(struct list *l, const char *group, const char *name, double value,
                bool whole)
{
    if (l->count < RUN_METRICS_MAX)
        l->out[l->count++] = (struct run_metric){group, name, value, whole};
}

static void put_times(struct list *l, const char *group,
                      const struct replication_times *t)
{
    put(l, group, "mean", t->mean, false);
    put(l, group, "p50", t->p50, false);
    put(l, group, "p95", t->p95, false);
    put(l, group, "p99", t->p99, false);
    put(l, group, "max", t->max, false);
}

static void put_jobs(struct list *l, const struct replication_result *r)
{
    const struct {
        const char *name;
        int64_t value;
    } counts[] = {{"enqueued", r->enqueued}, {"done", r->done},
                  {"failed", r->failed},     {"dead", r->dead},
                  {"expired", r->expired},   {"duplicates", r->duplicates},
                  {"attempts", r->attempts}, {"cancelled", r->cancelled},
                  {"queued", r->queued},     {"refused", r->refused},
                  {"lost", r->lost}};
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++)
        put(l, "jobs", counts[i].name, (double)counts[i].value, true);
}

/* Payload in chunks of 64 KiB, the grain of every price of SQS so far. */
static double chunks(const int64_t *kib)
{
    int64_t sum = kib[0];
    for (int i = 1; i < JOBQ_PAYLOAD_BUCKETS; i++)
        sum += kib[i] * ((i + 63) / 64);
    return (double)sum;
}

static void put_usage(struct list *l, const struct replication_result *r)
{
    const struct jobq_ledger *g = r->ledger;
    double out = 0, in = 0, box = 0, instance = 0, boot = 0, busy = 0, cpu = 0;
    for (int i = 0; i < JOBQ_ACTION_COUNT; i++) {
        out += (double)g->action[i].bytes_out;
        in += (double)g->action[i].bytes_in;
        box += (double)g->action[i].box_usage_e10h * 1e-10;
    }
    for (int64_t i = 0; i < g->instance_count; i++) {
        const struct jobq_instance_use *u = &g->instance[i];
        instance += (double)(u->ended_at_ns - u->running_at_ns) / 1e9;
        boot += (double)(u->ready_at_ns - u->running_at_ns) / 1e9;
        busy += (double)u->busy_slot_ns / 1e9;
        cpu += (double)u->cpu_ns / 1e9;
    }
    const struct jobq_usage *receive = &g->action[JOBQ_ACT_SQS_RECEIVE];
    put(l, "usage", "bytes_out", out, true);
    put(l, "usage", "bytes_in", in, true);
    put(l, "usage", "internet_in_bytes", (double)g->internet_in_bytes, true);
    put(l, "usage", "internet_out_bytes", (double)g->internet_out_bytes, true);
    put(l, "usage", "sqs_send_chunks", chunks(g->send_kib), true);
    put(l, "usage", "sqs_receive_chunks", chunks(g->receive_kib), true);
    put(l, "usage", "sqs_empty_receives", (double)receive->empty, true);
    put(l, "usage", "box_usage_hours", box, false);
    put(l, "usage", "store_byte_hours", g->store_byte_hours, false);
    put(l, "usage", "instances", (double)g->instance_count, true);
    put(l, "usage", "instance_s", instance, false);
    put(l, "usage", "boot_s", boot, false);
    put(l, "usage", "busy_slot_s", busy, false);
    put(l, "usage", "cpu_s", cpu, false);
    put(l, "usage", "volume_gib_hours", g->volume_gib_hours, false);
    put(l, "usage", "ipv4_hours", g->ipv4_hours, false);
}

int run_metrics(const struct replication_result *r, struct run_metric *out)
{
    struct list l = {out, 0};
    put_jobs(&l, r);
    put_times(&l, "wait_s", &r->wait_s);
    put_times(&l, "sojourn_s", &r->sojourn_s);
    put(&l, NULL, "makespan_s", r->makespan_s, false);
    put(&l, NULL, "throughput_per_s", r->throughput_per_s, false);
    put(&l, NULL, "utilisation", r->utilisation, false);
    for (int i = 0; i < JOBQ_ACTION_COUNT; i++)
        put(&l, "requests", jobq_action_name((enum jobq_action)i),
            (double)r->ledger->action[i].requests, true);
    int64_t finished = jobq_ledger_finished(r->ledger);
    double jobs = finished > 0 ? (double)finished : 1;
    for (int i = 0; i < JOBQ_DYNAMODB; i++)
        put(&l, "requests_per_job", jobq_service_name((enum jobq_service)i),
            (double)r->requests_per_job[i] / jobs, false);
    put(&l, NULL, "usd", r->usd, false);
    put(&l, NULL, "usd_per_million", finished > 0 ? r->usd / jobs * 1e6 : (double)NAN,
        false);
    for (int i = 0; i < BILL_SERVICE_COUNT; i++)
        put(&l, "usd_by_service", bill_service_name((enum bill_service)i),
            r->usd_service[i], false);
    put_usage(&l, r);
    put(&l, NULL, "events", (double)r->events, true);
    put(&l, NULL, "switches", (double)r->switches, true);
    return l.count;
}
