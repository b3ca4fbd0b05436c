/* doctor.c - jobq doctor: why a queue does not work, or will not work well.
 *
 * Room:     live, jobq's program. Callers: jobq_main.c. */
#include "live/cmd/cmd.h"

#include "base/arena.h"
#include "fleet/job/job.h"
#include "fleet/rows/rows.h"
#include "fleet/status/status.h"
#include "jobq/units.h"

#include <math.h>
#include <stdarg.h>
#include <stdlib.h>

static const struct option_def options[] = {{NULL, 0, NULL, NULL}};

/* A domain takes about 70 writes a second, and a job's claim and final put are one each
 * (DESIGN.md; models/params has the number with its source). */
enum { JOBS_A_DOMAIN = 35 };
/* SimpleDB refuses another (developer guide, limits). */
enum { DOMAINS_LIMIT = 250, DOMAINS_WARN = 200 };
/* Services refuse a signature further off than this: SQS 15 min; SimpleDB's and EC2's is not
 * published and taken to be the same. Past a minute it is reported. */
#define SKEW_LIMIT_NS (15 * JOBQ_NS_PER_MIN)

enum finding { FINE, WARN, BAD };

struct doctor {
    struct cli *cli;
    struct text out;
    int count, warnings, faults;
    int64_t job_ns, rate;
    int64_t retention_ns; /* of the queue; 0: not known */
    int domains;
};

static void doctor_find(struct doctor *d, enum finding how, const char *what,
                        const char *format, ...) __attribute__((format(printf, 4, 5)));

static void doctor_find(struct doctor *d, enum finding how, const char *what,
                        const char *format, ...)
{
    static const char *const word[] = {"ok", "warning", "fault"};
    char text[300];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    d->warnings += how == WARN;
    d->faults += how == BAD;
    if (d->cli->json) {
        text_puts(&d->out, d->count++ ? ",{\"check\":" : "{\"check\":");
        cli_json_cstr(&d->out, what);
        text_printf(&d->out, ",\"finding\":\"%s\",\"text\":", word[how]);
        cli_json_cstr(&d->out, text);
        text_putc(&d->out, '}');
        return;
    }
    text_printf(&d->out, "%-8s %-12s %s\n", word[how], what, text);
    cli_flush(d->cli, &d->out);
}

static void check_skew(struct doctor *d)
{
    int64_t skew = d->cli->live->aws.skew_seen_ns;
    int64_t off = skew < 0 ? -skew : skew;
    long long s = (long long)(off / JOBQ_NS_PER_S);
    const char *how = skew < 0 ? "ahead" : "behind";
    if (off >= SKEW_LIMIT_NS)
        doctor_find(
            d, BAD, "clock",
            "this clock is %lld s %s; past 900 s requests are refused (jobq corrects its "
            "own)",
            s, how);
    else if (off >= JOBQ_NS_PER_MIN)
        doctor_find(d, WARN, "clock", "this clock is %lld s %s", s, how);
    else
        doctor_find(d, FINE, "clock", "within a minute of the service's");
}

static void check_visibility(struct doctor *d, const struct jobq_queue_depth *depth)
{
    char text[32], job[32];
    jobq_format_duration(depth->visibility_ns, text, sizeof text);
    jobq_format_duration(d->job_ns, job, sizeof job);
    if (depth->visibility_ns < 2 * JOBQ_NS_PER_S)
        doctor_find(d, WARN, "visibility",
                    "%s is short: heartbeats are sent at most once a second", text);
    else if (d->job_ns >= 12 * JOBQ_NS_PER_HOUR)
        doctor_find(
            d, BAD, "visibility",
            "jobs of %s cannot end: a queue hides a message for 12 h at most, and the "
            "drainer ends an attempt before that; cut the jobs",
            job);
    else if (d->job_ns > 0 && depth->visibility_ns < 2 * d->job_ns)
        doctor_find(d, FINE, "visibility",
                    "%s for jobs of %s: heartbeats carry them, %lld a job", text, job,
                    (long long)(2 * d->job_ns / depth->visibility_ns));
    else if (d->job_ns > 0 && depth->visibility_ns > 20 * d->job_ns &&
             depth->visibility_ns > 10 * JOBQ_NS_PER_MIN)
        doctor_find(d, WARN, "visibility",
                    "%s for jobs of %s: a job of a lost box waits that long", text, job);
    else
        doctor_find(d, FINE, "visibility", "%s", text);
}

/* Makes requests that cannot succeed: AWS checks permissions first and refuses who has
 * none. */
static void check_permissions(struct doctor *d, int queue)
{
    struct jobq_backend *b = &d->cli->live->backend;
    struct jobq_visibility_change change = {STR("doctor"), 0};
    struct jobq_entry_result result;
    struct jobq_error err;
    int faults = d->faults;
    if (jobq_queue_set_visibility(b, queue, &change, 1, &result, &err) == JOBQ_DENIED)
        doctor_find(d, BAD, "permissions", "no heartbeats: %s", err.text);
    if (jobq_queue_remove(b, queue, &change.receipt, 1, &result, &err) == JOBQ_DENIED)
        doctor_find(d, BAD, "permissions", "no deletes: %s", err.text);
    if (rows_may_write(b, str_of(d->cli->arg[0]), &err) == JOBQ_DENIED)
        doctor_find(d, BAD, "permissions", "no rows: %s", err.text);
    if (d->faults == faults)
        doctor_find(d, FINE, "permissions",
                    "heartbeats, deletes and rows; not tried: sends, "
                    "receives, boxes");
}

static void check_queue(struct doctor *d)
{
    struct jobq_backend *b = &d->cli->live->backend;
    struct jobq_queue_depth depth;
    struct jobq_error err;
    char dead[JOBQ_QUEUE_NAME_MAX + 1];
    int queue, dead_queue;
    int64_t from_ns = jobq_now(b);
    int rc = jobq_queue_open(b, d->cli->arg[0], &queue, &err);
    int64_t took_ns = jobq_now(b) - from_ns;
    /* A request that was refused for its time is signed with the right time on the second
     * try. */
    if (rc == JOBQ_UNAVAILABLE && d->cli->live->aws.skew_ns)
        rc = jobq_queue_open(b, d->cli->arg[0], &queue, &err);
    if (rc == JOBQ_OK || d->cli->live->aws.skew_seen_ns)
        check_skew(d);
    if (rc < 0) {
        doctor_find(d, BAD, rc == JOBQ_DENIED ? "permissions" : "queue", "%s", err.text);
        return;
    }
    doctor_find(d, took_ns > JOBQ_NS_PER_S ? WARN : FINE, "latency",
                "SQS answered in %lld ms", (long long)(took_ns / JOBQ_NS_PER_MS));
    rc = jobq_queue_depth(b, queue, &depth, &err);
    if (rc < 0) {
        doctor_find(d, BAD, "queue", "%s", err.text);
        return;
    }
    doctor_find(d, FINE, "queue", "%lld visible, %lld in flight, %lld delayed",
                (long long)depth.visible, (long long)depth.in_flight,
                (long long)depth.delayed);
    d->retention_ns = depth.retention_ns;
    check_visibility(d, &depth);
    job_dead_queue_name(d->cli->arg[0], dead);
    if (jobq_queue_open(b, dead, &dead_queue, &err) < 0)
        doctor_find(d, WARN, "dead letters",
                    "no queue '%s': dead jobs are kept in rows only", dead);
    else if (depth.max_receive_count == 0)
        doctor_find(d, WARN, "dead letters", "the queue has no redrive policy");
    else if (depth.max_receive_count < 10)
        doctor_find(
            d, WARN, "dead letters",
            "maxReceiveCount is %d: SQS may take a message before the drainers give up",
            depth.max_receive_count);
    else
        doctor_find(d, FINE, "dead letters", "after %d receives",
                    depth.max_receive_count);
    check_permissions(d, queue);
}

/* How old the oldest waiting row is, by days from the oldest on: one Select a table until
 * one has any. Its message goes when the queue's retention is over. */
static void check_age(struct doctor *d, const struct rows *rows,
                      const struct jobq_table *table, int count, struct arena *arena)
{
    struct rows_pages pages;
    struct jobq_item item[1];
    struct job_id_parts id;
    struct jobq_error err;
    char age[32], retention[32];
    int got = 0;
    rows_pages_init(&pages, table, count, ROWS_WAITING, ROWS_CLAIM, 1);
    while (got == 0 && !rows_pages_done(&pages))
        got = rows_pages_next(rows, &pages, arena, item, &err);
    jobq_format_duration(d->retention_ns, retention, sizeof retention);
    if (got < 0) {
        doctor_find(d, WARN, "age", "%s", err.text);
        return;
    }
    if (got == 0 || job_id_parse(item[0].name, &id, &err) < 0) {
        doctor_find(d, FINE, "age", "nothing waits; messages are kept for %s", retention);
        return;
    }
    int64_t age_ns = jobq_wall(rows->b) - id.created_ms * JOBQ_NS_PER_MS;
    age_ns = age_ns < 0 ? 0 : age_ns / JOBQ_NS_PER_S * JOBQ_NS_PER_S;
    jobq_format_duration(age_ns, age, sizeof age);
    if (age_ns >= d->retention_ns)
        doctor_find(
            d, BAD, "age",
            "a job has waited for %s, longer than the %s that the queue keeps its "
            "message: "
            "jobq repair sends it again",
            age, retention);
    else
        doctor_find(d, age_ns > d->retention_ns / 2 ? WARN : FINE, "age",
                    "a job has waited for %s; its message is kept for %s", age,
                    retention);
    if (d->retention_ns < 7 * JOBQ_NS_PER_DAY)
        doctor_find(d, WARN, "retention",
                    "%s: a backlog of a long weekend or more is lost; 14d is the most",
                    retention);
}

static void check_store(struct doctor *d)
{
    struct jobq_backend *b = &d->cli->live->backend;
    struct jobq_table *table;
    struct jobq_error err;
    struct arena arena;
    int64_t all, until_ns = jobq_now(b) + 30 * JOBQ_NS_PER_S;
    struct rows rows = {b, &until_ns, NULL};
    arena_init(&arena, 0);
    int64_t from_ns = jobq_now(b);
    int mine =
        rows_list_tables(&rows, str_of(d->cli->arg[0]), &arena, &table, &all, &err);
    int64_t took_ns = jobq_now(b) - from_ns;
    if (mine < 0)
        doctor_find(d, BAD, mine == JOBQ_DENIED ? "permissions" : "rows", "%s", err.text);
    else if (d->cli->scenario.store == SCENARIO_STORE_DYNAMODB)
        doctor_find(d, FINE, "table", "%s",
                    mine ? "the queue's rows have one"
                         : "none yet: the first enqueue makes it");
    else
        doctor_find(d,
                    all >= DOMAINS_LIMIT ? BAD
                    : all > DOMAINS_WARN ? WARN
                                         : FINE,
                    "domains",
                    "%d of this queue, %lld in all of the %d of an account, in %lld ms%s",
                    mine, (long long)all, DOMAINS_LIMIT,
                    (long long)(took_ns / JOBQ_NS_PER_MS),
                    all > DOMAINS_WARN ? "; jobq prune drops old ones" : "");
    if (mine > 0 && d->retention_ns > 0)
        check_age(d, &rows, table, mine, &arena);
    bool dynamodb = d->cli->scenario.store == SCENARIO_STORE_DYNAMODB;
    if (!dynamodb && d->rate > 0 && d->rate > (int64_t)JOBS_A_DOMAIN * d->domains)
        doctor_find(d, BAD, "load", "%lld jobs a second need %lld domains; %d take %d",
                    (long long)d->rate,
                    (long long)((d->rate + JOBS_A_DOMAIN - 1) / JOBS_A_DOMAIN),
                    d->domains, d->domains * JOBS_A_DOMAIN);
    arena_release(&arena);
}

static void check_fleet(struct doctor *d)
{
    struct jobq_backend *b = &d->cli->live->backend;
    struct jobq_tag tag = {STR(STATUS_TAG), str_of(d->cli->arg[0])};
    struct jobq_box *box = xcalloc(JOBQ_BOXES_PAGE, sizeof *box);
    struct jobq_str token = {0};
    struct jobq_error err;
    struct arena arena;
    arena_init(&arena, 0);
    int got, count = 0;
    do {
        got = jobq_fleet_describe(b, tag, &token, &arena, box, &err);
        count += got;
    } while (got >= 0 && token.len > 0);
    if (got < 0)
        doctor_find(d, WARN, "boxes", "%s", err.text);
    else
        doctor_find(d, FINE, "boxes", "%d tagged " STATUS_TAG "=%s", count,
                    d->cli->arg[0]);
    arena_release(&arena);
    free(box);
}

static int doctor_work(struct cli *cli, void *ctx, struct jobq_error *err)
{
    struct doctor *d = ctx;
    struct wire_keys keys;
    struct jobq_error why;
    int rc = job_queue_name_check(cli->arg[0], err);
    if (rc < 0)
        return rc;
    if (cli->json)
        text_puts(&d->out, "{\"schema\":\"jobq.doctor/1\",\"checks\":[");
    rc = aws_find_region(&cli->live->aws, &why);
    if (rc < 0)
        doctor_find(d, BAD, "region", "%s", why.text);
    else
        doctor_find(d, FINE, "region", "%s; SQS at %s", cli->live->aws.region,
                    cli->live->aws.at[JOBQ_SQS].url);
    int found = rc;
    rc = credentials_get(&cli->live->credentials, &keys, &why);
    if (rc < 0) {
        doctor_find(d, BAD, "credentials", "%s", why.text);
    } else {
        doctor_find(d, FINE, "credentials", "from the %s", cli->live->credentials.from);
        if (found == JOBQ_OK) {
            check_queue(d);
            check_store(d);
            check_fleet(d);
        }
    }
    if (cli->json)
        text_printf(&d->out, "],\"warnings\":%d,\"faults\":%d}\n", d->warnings,
                    d->faults);
    cli_flush(cli, &d->out);
    if (rc < 0)
        return cli_exit_of(rc);
    return d->faults ? CLI_FAILURE : CLI_OK;
}

static int doctor_run(struct cli *cli)
{
    const struct scenario *s = &cli->scenario;
    double rate = arrivals_rate_per_s(&s->arrivals);
    struct live_options live = {0};
    struct doctor d = {.cli = cli,
                       .job_ns = scenario_given(s, "job-time")
                                     ? (int64_t)distribution_mean(&s->job_time)
                                     : -1,
                       .rate = isfinite(rate) ? (int64_t)ceil(rate) : 0,
                       .domains = (int)s->domains};
    int rc = cli_run(cli, &live, doctor_work, &d);
    text_release(&d.out);
    return rc;
}

const struct cli_command cmd_doctor = {
    .name = "doctor",
    .synopsis = "QUEUE [--job-time T] [--arrivals R/s]",
    .summary = "checks credentials, clock, queue, domains and permissions",
    .examples = "  jobq doctor render\n"
                "  jobq doctor render --job-time 30s --arrivals 200/s --domains 8\n",
    .calls = "  2 GetQueueUrl, 1 GetQueueAttributes, 1 ListDomains (per 100), 1\n"
             "  Select a domain until one has a waiting job, 1 DescribeInstances; and\n"
             "  1 ChangeMessageVisibility, 1 DeleteMessage and 1 PutAttributes that "
             "have\n"
             "  no effect.\n",
    .option = options,
    .takes = TAKER_DOCTOR,
    .run = doctor_run,
    .min_args = 1,
    .max_args = 1};
