/* result.c - the results of a replication: times, usage, and what limited it.
 *
 * Room:     sim; see sim/play/replication.h. */
#include "sim/play/internal.h"

#include "base/arena.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A resource that is used more than this binds. */
#define BINDS_AT 0.85

const char *replication_resource_name(enum replication_resource resource)
{
    static const char *const names[RESOURCE_COUNT] = {
        "arrivals",           "slots",      "vCPU", "SimpleDB domains",
        "messages in flight", "launch rate"};
    return names[resource];
}

const char *replication_resource_key(enum replication_resource resource)
{
    static const char *const keys[RESOURCE_COUNT] = {
        "arrivals", "slots", "vcpu", "domains", "in_flight", "launch_rate"};
    return keys[resource];
}

void replication_result_init(struct replication_result *r)
{
    *r = (struct replication_result){0};
    r->ledger = xcalloc(1, sizeof *r->ledger);
}

void replication_result_release(struct replication_result *r)
{
    if (r->ledger)
        jobq_ledger_release(r->ledger);
    free(r->ledger);
    r->ledger = NULL;
}

/* ---- times ------------------------------------------------------------------------ */

/* The k-th smallest (0-based) of v, which is reordered. Hoare's selection with the median
 * of three; ties do not make it slow. */
static int64_t kth(int64_t *v, int64_t count, int64_t k)
{
    int64_t low = 0, high = count - 1;
    while (low < high) {
        int64_t a = v[low], b = v[low + (high - low) / 2], c = v[high];
        int64_t pivot = a < b ? (b < c ? b : a < c ? c : a) : (a < c ? a : b < c ? c : b);
        int64_t i = low, j = high;
        while (i <= j) {
            while (v[i] < pivot)
                i++;
            while (v[j] > pivot)
                j--;
            if (i <= j) {
                int64_t swap = v[i];
                v[i++] = v[j];
                v[j--] = swap;
            }
        }
        if (k <= j)
            high = j;
        else if (k >= i)
            low = i;
        else
            break;
    }
    return v[k];
}

static double percentile_s(int64_t *v, int64_t count, double share)
{
    int64_t rank = (int64_t)ceil(share * (double)count) - 1;
    return (double)kth(v, count, rank < 0 ? 0 : rank) / 1e9;
}

static struct replication_times times_of(int64_t *v, int64_t count)
{
    struct replication_times t = {.count = count};
    if (count == 0)
        return t;
    int64_t max_ns = 0;
    double sum = 0;
    for (int64_t i = 0; i < count; i++) {
        sum += (double)v[i];
        max_ns = v[i] > max_ns ? v[i] : max_ns;
    }
    t.mean = sum / (double)count / 1e9;
    t.max = (double)max_ns / 1e9;
    t.p50 = percentile_s(v, count, 0.50);
    t.p95 = percentile_s(v, count, 0.95);
    t.p99 = percentile_s(v, count, 0.99);
    return t;
}

/* Sums over all jobs, made in one pass over their records. */
struct job_sums {
    int64_t *wait, *sojourn; /* ns; heap */
    int64_t waits, sojourns;
    int64_t first_ns, last_ns; /* the first arrival, the last end */
    double life_ns;            /* from arrival to end, or to now */
    double late_ns;            /* from end to now */
};

static void sum_job(struct job_sums *sums, const struct jobrec *rec, int64_t now_ns,
                    double keep_ns, struct replication_result *out)
{
    int64_t from_ns = rec->enqueued_at_ns, ended_ns = rec->ended_at_ns;
    if (from_ns >= 0 && rec->started_at_ns >= 0)
        sums->wait[sums->waits++] = rec->started_at_ns - from_ns;
    if (from_ns >= 0 && ended_ns >= 0)
        sums->sojourn[sums->sojourns++] = ended_ns - from_ns;
    if (rec->index < 0)
        return;
    out->done += rec->state == JOBREC_DONE;
    out->dead += rec->state == JOBREC_DEAD;
    out->cancelled += rec->state == JOBREC_CANCELLED;
    sums->first_ns = from_ns < sums->first_ns ? from_ns : sums->first_ns;
    sums->last_ns = ended_ns > sums->last_ns ? ended_ns : sums->last_ns;
    int64_t end_ns = ended_ns < 0 ? now_ns : ended_ns;
    sums->life_ns += (double)(end_ns - from_ns) + keep_ns;
    sums->late_ns += (double)(now_ns - end_ns) - keep_ns;
}

static void sum_jobs(const struct replication *rep, struct job_sums *sums,
                     struct replication_result *out)
{
    const struct jobrec_table *t = &rep->jobs;
    size_t room = (size_t)(t->count > 0 ? t->count : 1) * sizeof(int64_t);
    *sums = (struct job_sums){
        .wait = xmalloc(room), .sojourn = xmalloc(room), .first_ns = INT64_MAX};
    int64_t now_ns = world_now(rep->world);
    double keep_ns = (double)rep->scenario->keep_ns;
    for (int64_t i = 0; i < t->count; i++)
        sum_job(sums, &t->rec[i], now_ns, keep_ns, out);
    out->wait_s = times_of(sums->wait, sums->waits);
    out->sojourn_s = times_of(sums->sojourn, sums->sojourns);
    free(sums->wait);
    free(sums->sojourn);
}

static void fill_jobs(struct replication *rep, const struct job_sums *sums,
                      struct replication_result *out)
{
    struct sqs_stats stats = {0};
    int queue = sqs_find(world_sqs(rep->world), STR(REPLICATION_QUEUE));
    if (queue >= 0)
        sqs_stats(world_sqs(rep->world), world_now(rep->world), queue, &stats);
    int64_t open = rep->acked - out->done - out->dead - out->cancelled;
    out->enqueued = rep->acked;
    out->refused = rep->refused;
    out->expired = stats.expired < open ? stats.expired : open;
    out->lost = rep->lost < open - out->expired ? rep->lost : open - out->expired;
    out->queued = open - out->expired - out->lost;
    out->failed = rep->failed_attempts;
    out->attempts = rep->attempts;
    if (sums->last_ns > sums->first_ns)
        out->makespan_s = (double)(sums->last_ns - sums->first_ns) / 1e9;
    out->ledger->span_ns = (int64_t)(out->makespan_s * 1e9);
    int64_t ended = out->done + out->dead + out->cancelled;
    out->throughput_per_s = out->makespan_s > 0 ? (double)ended / out->makespan_s : 0;
    int64_t *jobs = out->ledger->jobs;
    jobs[JOBQ_JOBS_DONE] = out->done;
    jobs[JOBQ_JOBS_DEAD] = out->dead;
    jobs[JOBQ_JOBS_CANCELLED] = out->cancelled;
    jobs[JOBQ_JOBS_EXPIRED] = out->expired;
    jobs[JOBQ_JOBS_GIVEN_UP] = out->lost + out->queued;
    out->ledger->attempts = rep->attempts;
    /* Those that are lost to retention, for the table of jobs. */
    for (int64_t i = 0; i < rep->jobs.count && out->expired > 0; i++)
        if (rep->jobs.rec[i].index >= 0 && rep->jobs.rec[i].state == JOBREC_OPEN)
            rep->jobs.rec[i].state = JOBREC_EXPIRED;
}

/* ---- usage ------------------------------------------------------------------------ */

static void fill_instances(struct replication *rep, struct replication_result *out)
{
    int64_t now_ns = world_now(rep->world);
    for (int64_t i = 0; i < world_box_count(rep->world); i++) {
        struct world_box *box = world_box_at(rep->world, i);
        struct replication_box *b = replication_box_of(rep, box);
        replication_close_box(rep, b);
        const struct ec2_instance *e = world_box_instance(box);
        out->duplicates += b->counters.duplicates;
        if (e->running_at_ns > now_ns)
            continue; /* never ran: never billed */
        struct jobq_instance_use *use = jobq_ledger_instance(out->ledger);
        memcpy(use->type, e->type.name, sizeof use->type);
        memcpy(use->id, e->id, sizeof use->id);
        int64_t ready_ns = world_box_ready_at(box);
        use->spot = e->spot;
        if (e->ended_at_ns <= now_ns)
            use->ended_by =
                e->reason == EC2_REASON_SPOT ? JOBQ_ENDED_BY_AWS : JOBQ_ENDED_BY_US;
        use->launched_at_ns = e->launched_at_ns;
        use->running_at_ns = e->running_at_ns;
        use->ended_at_ns = e->ended_at_ns < now_ns ? e->ended_at_ns : now_ns;
        use->ready_at_ns = ready_ns < 0 ? use->ended_at_ns : ready_ns;
        use->busy_slot_ns = b->busy_slot_ns;
        use->cpu_ns = b->cpu_ns;
        use->slots = rep->scenario->concurrency;
        double hours = (double)(use->ended_at_ns - use->running_at_ns) / JOBQ_NS_PER_HOUR;
        out->ledger->volume_gib_hours += rep->scenario->volume_gib * hours;
        out->ledger->ipv4_hours += rep->scenario->public_ip ? hours : 0;
    }
}

/* The same of DynamoDB's tables, whose rows also stay to the end of the run, or until time to
 * live took them. */
static void fill_tables(struct replication *rep, const struct job_sums *sums,
                        struct replication_result *out)
{
    struct dynamodb *db = world_dynamodb(rep->world);
    int64_t items = 0, bytes = 0, wall_ns = WORLD_EPOCH_NS + world_now(rep->world);
    for (int i = 0; i < dynamodb_table_count(db); i++) {
        const struct dynamodb_table *table = dynamodb_table(db, i);
        items += table ? table->items : 0;
        bytes += table ? table->billed_bytes : 0;
    }
    if (items == 0)
        return;
    double row_bytes = (double)bytes / (double)items;
    double hours =
        dynamodb_byte_hours(db, wall_ns) - row_bytes * sums->late_ns / JOBQ_NS_PER_HOUR;
    out->ledger->table_byte_hours = hours > 0 ? hours : 0;
}

/* A row lives from its enqueueing until `keep` after its job's end. The model keeps all rows
 * to the end of the run; the excess is subtracted. */
static void fill_storage(struct replication *rep, const struct job_sums *sums,
                         struct replication_result *out)
{
    struct simpledb *db = world_simpledb(rep->world);
    int64_t rows = 0, now_ns = world_now(rep->world);
    if (rep->scenario->store == SCENARIO_STORE_DYNAMODB) {
        fill_tables(rep, sums, out);
        return;
    }
    for (int d = 0; d < simpledb_domain_count(db); d++) {
        struct simpledb_stats stats = {0};
        struct simpledb_reply reply;
        struct jobq_error err;
        if (simpledb_domain_exists(db, d) &&
            simpledb_metadata(db, now_ns, d, &stats, &reply, &err) == JOBQ_OK)
            rows += stats.items;
    }
    if (rows == 0)
        return;
    double row_bytes = (double)simpledb_billed_bytes(db) / (double)rows;
    bool dropped = out->ledger->action[JOBQ_ACT_SDB_DELETE_DOMAIN].requests > 0;
    double hours = dropped ? row_bytes * sums->life_ns / JOBQ_NS_PER_HOUR
                           : simpledb_byte_hours(db, now_ns) -
                                 row_bytes * sums->late_ns / JOBQ_NS_PER_HOUR;
    out->ledger->store_byte_hours = hours > 0 ? hours : 0;
}

/* Requests that come with queues, domains and boxes rather than with jobs. */
static bool is_setup(enum jobq_action action)
{
    switch ((int)action) {
    case JOBQ_ACT_SQS_CREATE_QUEUE:
    case JOBQ_ACT_SQS_DELETE_QUEUE:
    case JOBQ_ACT_SQS_GET_URL:
    case JOBQ_ACT_SQS_GET_ATTRIBUTES:
    case JOBQ_ACT_SQS_SET_ATTRIBUTES:
    case JOBQ_ACT_SQS_LIST_QUEUES:
    case JOBQ_ACT_SQS_PURGE:
    case JOBQ_ACT_SDB_CREATE_DOMAIN:
    case JOBQ_ACT_SDB_DELETE_DOMAIN:
    case JOBQ_ACT_SDB_LIST_DOMAINS:
    case JOBQ_ACT_SDB_METADATA:
    case JOBQ_ACT_DDB_CREATE_TABLE:
    case JOBQ_ACT_DDB_DELETE_TABLE:
    case JOBQ_ACT_DDB_DESCRIBE_TABLE:
        return true;
    default:
        return false;
    }
}

static void fill_requests(struct replication_result *out)
{
    for (int i = 0; i < JOBQ_ACTION_COUNT; i++) {
        enum jobq_action action = (enum jobq_action)i;
        if (!is_setup(action))
            out->requests_per_job[jobq_action_service(action)] +=
                out->ledger->action[i].requests;
    }
}

/* ---- capacity ----------------------------------------------------------------------- */

static void fill_capacity(struct replication *rep, struct replication_result *out)
{
    const struct scenario *sc = rep->scenario;
    const struct jobq_ledger *l = out->ledger;
    struct replication_capacity *c = &out->capacity;
    double busy_ns = 0, slot_ns = 0, cpu_ns = 0, vcpu_ns = 0, boot_ns = 0;
    double end_ns = (double)world_now(rep->world);
    for (int64_t i = 0; i < world_box_count(rep->world); i++) {
        struct world_box *box = world_box_at(rep->world, i);
        const struct ec2_instance *e = world_box_instance(box);
        double from_ns = (double)world_box_ready_at(box);
        if (from_ns < 0)
            continue;
        /* Until the last job's end: flushing afterwards is no slot time. */
        double to_ns = fmin((double)e->ended_at_ns, (double)rep->last_end_ns);
        busy_ns += (double)rep->boxes[i]->busy_slot_ns;
        cpu_ns += (double)rep->boxes[i]->cpu_ns;
        slot_ns += fmax(0, to_ns - from_ns) * (double)sc->concurrency;
        vcpu_ns += fmax(0, to_ns - from_ns) * e->type.vcpus;
        boot_ns = fmax(boot_ns, from_ns - (double)(sc->autoscale ? e->launched_at_ns
                                                                 : rep->origin_ns));
    }
    out->utilisation = slot_ns > 0 ? busy_ns / slot_ns : 0;
    for (int i = 0; i < RESOURCE_COUNT; i++)
        c->ceiling_per_s[i] = HUGE_VAL;
    double jobs = (double)(out->done + out->dead), rate = out->throughput_per_s;
    if (jobs <= 0 || end_ns <= 0)
        return;
    const struct jobq_usage *put = &l->action[JOBQ_ACT_SDB_PUT],
                            *rows = &l->action[JOBQ_ACT_SDB_PUT_BATCH];
    /* A batch of rows counts as so many writes; throttled ones do not count. */
    double row_writes =
        fmax((double)(rows->requests - rows->throttled),
             (double)out->enqueued * rep->params->simpledb.batch_row_writes);
    double writes = (double)(put->requests - put->throttled) + row_writes;
    double per_s = rep->params->simpledb.writes_per_s * (double)sc->domains;
    if (per_s > 0 && writes > 0)
        c->ceiling_per_s[RESOURCE_DOMAINS] = per_s / (writes / jobs);
    if (busy_ns > 0)
        c->ceiling_per_s[RESOURCE_SLOTS] =
            (double)(sc->boxes * sc->concurrency) / (busy_ns / 1e9 / jobs);
    if (cpu_ns > 0 && world_box_count(rep->world) > 0)
        c->ceiling_per_s[RESOURCE_VCPU] = (double)sc->boxes *
                                          world_box_vcpus(world_box_at(rep->world, 0)) /
                                          (cpu_ns / 1e9 / jobs);
    if (rep->params->sqs.in_flight_max > 0 && busy_ns > 0)
        c->ceiling_per_s[RESOURCE_IN_FLIGHT] =
            (double)rep->params->sqs.in_flight_max / (busy_ns / 1e9 / jobs);
    for (int i = 0; i < RESOURCE_COUNT; i++)
        c->used[i] = isfinite(c->ceiling_per_s[i]) ? rate / c->ceiling_per_s[i] : 0;
    c->used[RESOURCE_SLOTS] = out->utilisation;
    c->used[RESOURCE_VCPU] = vcpu_ns > 0 ? cpu_ns / vcpu_ns : 0;
    double span_ns = (double)(rep->last_end_ns - rep->origin_ns);
    c->used[RESOURCE_LAUNCH] = span_ns > 0 ? boot_ns / span_ns : 0;
    /* Slots are also full while they wait for something else, so the others are looked at
     * first. */
    const struct jobq_usage *receive = &l->action[JOBQ_ACT_SQS_RECEIVE];
    bool over_limit = receive->failed - receive->throttled > receive->requests / 50;
    bool throttled =
        put->throttled + rows->throttled > (put->requests + rows->requests) / 20;
    c->binding = over_limit                             ? RESOURCE_IN_FLIGHT
                 : throttled                            ? RESOURCE_DOMAINS
                 : c->used[RESOURCE_DOMAINS] > BINDS_AT ? RESOURCE_DOMAINS
                 : c->used[RESOURCE_VCPU] > BINDS_AT    ? RESOURCE_VCPU
                 : c->used[RESOURCE_LAUNCH] > 0.5       ? RESOURCE_LAUNCH
                 : c->used[RESOURCE_SLOTS] > BINDS_AT   ? RESOURCE_SLOTS
                                                        : RESOURCE_ARRIVALS;
}

void result_fill(struct replication *rep, struct replication_result *out)
{
    out->peak_bytes = world_memory(rep->world);
    struct job_sums sums;
    sum_jobs(rep, &sums, out);
    fill_jobs(rep, &sums, out);
    fill_instances(rep, out);
    fill_storage(rep, &sums, out);
    fill_requests(out);
    fill_capacity(rep, out);
    out->events = kernel_events(world_kernel(rep->world));
    out->switches = kernel_switches(world_kernel(rep->world));
}
