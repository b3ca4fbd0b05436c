#include "scenario/settings.h"

#include "base/nearest.h"
#include "fleet/enqueue/queues.h"
#include "fleet/housekeeping/housekeeping.h"
#include "fleet/job/job.h"

#include <assert.h>
#include <string.h>

#define AT(field) offsetof(struct scenario, field)
#define T(taker) TAKER_##taker
#define FITS(field) .cap = sizeof((struct scenario *)0)->field

/* clang-format off */
static const struct setting SETTINGS[] = {
    /* The workload. */
    {"jobs", 0, "N", SETTING_COUNT, AT(jobs), "1000", "1", "1G", NULL,
     T(SIM) | T(TORTURE) | T(COST),
     .help = "how many jobs"},
    {"payload", 0, "SIZE", SETTING_SIZE, AT(payload_bytes), "1KiB", "0", "1MiB", NULL,
     T(SIM) | T(COST),
     .help = "bytes of each job's payload"},
    {"job-time", 0, "DIST", SETTING_DIST, AT(job_time), "1s", "0s", "3650d", NULL,
     T(SIM) | T(COST) | T(DOCTOR) | T(SCALE),
     .help = "how long a job runs, such as 2s, exp:2s or lognormal:mean=2s,cv=1.5"},
    {"job-cv", 0, "X", SETTING_NUMBER, AT(job_cv), "auto", "0", "1000", "auto",
     T(COST),
     .help = "coefficient of variation of the job time; auto: from --job-time"},
    {"cpu-share", 0, "X", SETTING_NUMBER, AT(cpu_share), "0", "0", "1", NULL,
     T(SIM) | T(COST) | T(BOX),
     .help = "share of a job's time that it uses a processor"},
    {"memory", 0, "SIZE", SETTING_SIZE, AT(memory_bytes), "0", "0", "16384GiB", NULL,
     T(COST),
     .help = "memory that a job needs; 0: not known, and not checked"},
    {"arrivals", 0, "SPEC", SETTING_ARRIVALS, AT(arrivals), "at-once", "1e-9/s", "1G/s", NULL,
     T(SIM) | T(COST) | T(DOCTOR),
     .help = "when jobs come: at-once, 100/s or poisson:100/s, every:2s, renewal:DIST"},
    {"trace", 0, "FILE", SETTING_PATH, AT(trace_path), "none", NULL, NULL, NULL,
     T(SIM) | T(COST),
     .help = "recorded workload: SWF or Azure CSV"},
    {"time-scale", 0, "X", SETTING_NUMBER, AT(trace_options.time_scale), "1", "1e-9", "1e6", NULL,
     T(SIM) | T(COST),
     .help = "multiply the trace's arrivals and job times"},
    {"limit", 0, "N", SETTING_COUNT, AT(trace_options.limit), "all", "1", "1G", "all",
     T(SIM) | T(COST),
     .help = "use only the trace's first N usable jobs"},
    {"context-token-time", 0, "T", SETTING_DURATION, AT(trace_options.context_token_ns), "200us", "0s", "1h", NULL,
     T(SIM) | T(COST),
     .help = "LLM trace: time of a prompt token (assumed)"},
    {"token-time", 0, "T", SETTING_DURATION, AT(trace_options.token_ns), "20ms", "0s", "1h", NULL,
     T(SIM) | T(COST),
     .help = "LLM trace: time of a generated token (assumed)"},
    {"delay", 0, "T", SETTING_DURATION, AT(delay_ns), "0s", "0s", "15min", NULL,
     T(ENQUEUE) | T(LIBRARY) | T(JOB),
     .help = "no drainer receives the job before T"},
    {"queued", 0, "T", SETTING_DURATION, AT(queued_ns), "0s", "0s", "3650d", NULL,
     T(COST),
     .help = "mean time in the queue, when nothing else gives it"},
    {"status", 0, "X", SETTING_NUMBER, AT(status_per_job), "0", "0", "1e9", NULL,
     T(COST),
     .help = "status reads a job"},
    {"cancel-checks", 0, "X", SETTING_NUMBER, AT(cancel_checks), "0", "0", "1e9", NULL,
     T(COST),
     .help = "reads a job that check for a cancel"},
    {"expansion", 0, "X", SETTING_NUMBER, AT(expansion), "1", "1", "6", NULL,
     T(COST),
     .help = "bytes sent for each payload byte"},
    {"failures", 0, "X", SETTING_NUMBER, AT(failure_share), "0", "0", "0.99", NULL,
     T(COST),
     .help = "share of attempts that fail"},
    /* The fleet. */
    {"concurrency", 'n', "N", SETTING_COUNT, AT(concurrency), "10", "1", "100k", NULL,
     T(SIM) | T(COST) | T(BOX),
     .help = "slots a box: jobs it runs at once"},
    {"boxes", 0, "N", SETTING_COUNT, AT(boxes), "1", "1", "10k", NULL,
     T(SIM) | T(COST),
     .help = "boxes that drain the queue"},
    {"autoscale", 0, NULL, SETTING_FLAG, AT(autoscale), "no", NULL, NULL, NULL,
     T(SIM),
     .help = "start boxes by the backlog, instead of --boxes; idle ones leave"},
    {"target-time", 0, "T", SETTING_DURATION, AT(target_ns), "5min", "1s", "30d", NULL,
     T(SIM) | T(SCALE),
     .help = "have boxes enough for the backlog to be gone within T"},
    {"min-boxes", 0, "N", SETTING_COUNT, AT(boxes_min), "0", "0", "10k", NULL,
     T(SIM) | T(SCALE),
     .help = "so many boxes stay when idle"},
    {"max-boxes", 0, "N", SETTING_COUNT, AT(boxes_max), "20", "1", "10k", NULL,
     T(SIM) | T(SCALE),
     .help = "never more than N boxes"},
    {"max-dollars-hour", 0, "X", SETTING_NUMBER, AT(hour_usd_max), "none", "0.0001", "1e6", "none",
     T(SIM) | T(SCALE),
     .help = "never more boxes than cost X an hour"},
    {"scale-every", 0, "T", SETTING_DURATION, AT(scale_every_ns), "30s", "2s", "1h", NULL,
     T(SIM) | T(SCALE),
     .help = "decide how many boxes are wanted every T"},
    {"instance", 0, "TYPE", SETTING_NAME, AT(instance), "t4g.small", NULL, NULL, NULL,
     T(SIM) | T(COST) | T(BOX),
     .help = "instance type of the boxes", FITS(instance)},
    {"spot", 0, NULL, SETTING_FLAG, AT(spot), "no", NULL, NULL, NULL,
     T(SIM) | T(COST) | T(BOX),
     .help = "boxes come from the spot market"},
    {"vcpus", 0, "X", SETTING_NUMBER, AT(vcpus), "auto", "0.001", "4096", "auto",
     T(COST),
     .help = "virtual processors of a box; auto: of its type"},
    {"utilisation", 0, "X", SETTING_NUMBER, AT(utilisation), "1", "1e-9", "1", NULL,
     T(COST),
     .help = "share of slot time spent in attempts, when no arrivals give it"},
    {"volume", 0, "GIB", SETTING_NUMBER, AT(volume_gib), "0", "0", "65536", NULL,
     T(SIM) | T(COST),
     .help = "root volume of a box"},
    {"public-ip", 0, NULL, SETTING_FLAG, AT(public_ip), "no", NULL, NULL, NULL,
     T(SIM) | T(COST),
     .help = "boxes have a public IPv4 address"},
    {"boot", 0, "auto|model|none", SETTING_CHOICE, AT(boot), "auto", NULL, NULL, "auto|model|none",
     T(SIM) | T(COST),
     .help = "whether boxes boot first or already run"},
    {"clients", 0, "N", SETTING_COUNT, AT(clients), "64", "1", "10k", NULL,
     T(SIM),
     .help = "enqueue calls kept going at once"},
    {"client", 0, "in-region|internet", SETTING_CHOICE, AT(client), "in-region", NULL, NULL, "in-region|internet",
     T(SIM) | T(COST),
     .help = "where the client is"},
    {"session-token", 0, NULL, SETTING_FLAG, AT(session_token), "no", NULL, NULL, NULL,
     T(COST),
     .help = "requests carry a session token"},
    /* The services. */
    {"model", 0, "NAME", SETTING_NAME, AT(model), "aws-2026", NULL, NULL, NULL,
     T(SIM) | T(COST) | T(MOCK),
     .help = "how the services behave: aws-2026, aws-2012 or ideal", FITS(model)},
    {"set", 0, "S.KEY=V", SETTING_MODEL, AT(sets), "none", NULL, NULL, NULL,
     T(SIM),
     .help = "change a parameter of the model; may be repeated"},
    {"region", 0, "R", SETTING_NAME, AT(region), "us-east-1", NULL, NULL, NULL,
     T(SIM),
     .help = "whose prices the run is billed by", FITS(region)},
    {"date", 0, "D", SETTING_NAME, AT(date), "latest", NULL, NULL, NULL,
     T(SIM),
     .help = "date of the prices, such as 2012-10; latest: of the model's year", FITS(date)},
    {"store", 0, "simpledb|none|dynamodb", SETTING_CHOICE, AT(store), "simpledb", NULL, NULL, "simpledb|none|dynamodb",
     T(SIM) | T(TORTURE) | T(COST) | T(ENQUEUE) | T(BOX) | T(SERVE) | T(DLQ) | T(DOCTOR) |
         T(PRUNE) | T(REPAIR) | T(STATUS) | T(LIST) | T(ROWS) | T(LIBRARY),
     .help = "where rows are kept; none: only the queue"},
    {"rows", 0, "all|claim|end|none", SETTING_CHOICE, AT(rows), "all", NULL, NULL, "all|claim|end|none",
     T(SIM) | T(TORTURE) | T(COST) | T(ENQUEUE) | T(BOX) | T(ROWS) | T(LIBRARY),
     .help = "when a job's row is written. all: at enqueue, claim and end. claim: not at "
             "enqueue; waiting jobs are not listed, repaired or cancelled. end: once; also, "
             "two drainers may run a job at once, and the first result stands. none: no "
             "row, no status"},
    {"visibility", 0, "T", SETTING_DURATION, AT(visibility_ns), "30s",
     JOB_VISIBILITY_MIN_TEXT, JOB_VISIBILITY_MAX_TEXT, NULL,
     T(SIM) | T(COST) | T(ENQUEUE) | T(BOX) | T(LIBRARY),
     .help = "visibility timeout; a live queue keeps its own unless this is given"},
    {"domains", 0, "N", SETTING_COUNT, AT(domains), "4", "1", "250", NULL,
     T(SIM) | T(COST) | T(ENQUEUE) | T(DOCTOR) | T(LIBRARY),
     .help = "SimpleDB domains that the rows are spread over"},
    {"retention", 0, "T", SETTING_DURATION, AT(retention_ns), QUEUES_RETENTION_TEXT, "1min", QUEUES_RETENTION_TEXT, NULL,
     T(SIM) | T(COST) | T(ENQUEUE) | T(LIBRARY),
     .help = "a new queue drops what waits longer than T"},
    {"keep", 0, "T", SETTING_DURATION, AT(keep_ns), HOUSEKEEPING_KEEP_TEXT, "0s", "36500d", NULL,
     T(SIM) | T(COST) | T(ENQUEUE) | T(BOX) | T(PRUNE) | T(REPAIR) | T(LIBRARY) | T(STATUS) |
         T(LIST),
     .help = "keep rows for T after the end of their day"},
    {"payload-in", 0, "auto|message|store", SETTING_CHOICE, AT(payload_in), "auto", NULL, NULL, "auto|message|store",
     T(SIM) | T(COST) | T(ENQUEUE) | T(LIBRARY),
     .help = "where the payload is sent"},
    {"pipeline", 0, "N", SETTING_COUNT, AT(pipeline), "16", "1", "1024", NULL,
     T(ENQUEUE) | T(LIBRARY),
     .help = "batches under way at once"},
    /* The drainer. */
    {"wait", 0, "T", SETTING_DURATION, AT(wait_ns), "20s", "0s", "20s", NULL,
     T(SIM) | T(COST) | T(BOX),
     .help = "how long a receive waits for messages; 0: short polls"},
    {"batch", 0, "N", SETTING_COUNT, AT(batch), "10", "1", "10", NULL,
     T(SIM) | T(COST) | T(BOX),
     .help = "at most N messages a request"},
    {"prefetch", 0, "P", SETTING_COUNT, AT(prefetch), "auto", "0", "1000", "auto",
     T(SIM) | T(COST) | T(BOX),
     .help = "messages held beyond the slots"},
    {"receives", 0, "N", SETTING_COUNT, AT(receives), "4", "1", "64", NULL,
     T(SIM) | T(BOX),
     .help = "receives under way at once"},
    {"attempts", 0, "N", SETTING_COUNT, AT(attempts), "5", "1", "1000", NULL,
     T(SIM) | T(BOX) | T(ENQUEUE) | T(LIBRARY) | T(JOB),
     .help = "a job is dead after N attempts; at enqueue: of these jobs, in place of the "
             "drainer's"},
    {"backoff", 0, "T", SETTING_DURATION, AT(backoff_ns), "10s", "0s", "15min", NULL,
     T(SIM) | T(BOX) | T(ENQUEUE) | T(LIBRARY) | T(JOB),
     .help = "first delay before another attempt, doubled by each; at enqueue: as attempts"},
    {"linger", 0, "T", SETTING_DURATION, AT(linger_ns), "5s", "0s", "12h", NULL,
     T(SIM) | T(BOX),
     .help = "how long a delete waits for others to share its request"},
    {"time-limit", 0, "T", SETTING_DURATION, AT(time_limit_ns), "none", "1ms", "12h", "none",
     T(BOX) | T(ENQUEUE) | T(LIBRARY) | T(JOB),
     .help = "end an attempt that runs longer than T, as failed; at enqueue: as attempts"},
    {"memory-limit", 0, "SIZE", SETTING_SIZE, AT(memory_limit_bytes), "none", "1MiB", "16384GiB", "none",
     T(BOX),
     .help = "limit of a command's address space"},
    {"cpu-limit", 0, "T", SETTING_DURATION, AT(cpu_limit_ns), "none", "1s", "3650d", "none",
     T(BOX),
     .help = "limit of a command's processor time"},
    {"kill-grace", 0, "T", SETTING_DURATION, AT(kill_grace_ns), "5s", "0s", "1h", NULL,
     T(BOX),
     .help = "time between TERM and KILL of a command"},
    {"drain-timeout", 0, "T", SETTING_DURATION, AT(drain_timeout_ns), "20s", "0s", "12h", NULL,
     T(BOX),
     .help = "on TERM, finish or give back within T"},
    {"cancel-check", 0, "T", SETTING_DURATION, AT(cancel_check_ns), "never", "1ms", "12h", "never",
     T(BOX),
     .help = "check running jobs for a cancel every T, one read each"},
    {"progress", 0, "T", SETTING_DURATION, AT(progress_ns), "auto", "1ms", "12h", "auto|never",
     T(BOX),
     .help = "write a job's \"progress N%\" to its row at most every T"},
    {"stats", 0, "T", SETTING_DURATION, AT(stats_ns), "1min", "1s", "1d", "never",
     T(BOX),
     .help = "write a statistics row at most every T"},
    {"housekeeping", 0, "T", SETTING_DURATION, AT(housekeeping_ns), HOUSEKEEPING_EVERY_TEXT, "1s", "1d", "never",
     T(SIM) | T(COST) | T(BOX),
     .help = "drop old days and resend lost messages every T"},
    {"notice", 0, "T", SETTING_DURATION, AT(notice_ns), "5s", "100ms", "1h", "never",
     T(BOX),
     .help = "check for a spot notice every T"},
    {"idle-exit", 0, "T", SETTING_DURATION, AT(idle_exit_ns), "never", "0s", "3650d", "never",
     T(SIM) | T(BOX),
     .help = "end after T without a job; autoscaled boxes: after a minute, unless given"},
    {"idle-alone", 0, NULL, SETTING_FLAG, AT(idle_alone), "no", NULL, NULL, NULL,
     T(BOX),
     .help = "for --idle-exit, do not wait for jobs that other drainers hold"},
    {"refresh", 0, "T", SETTING_DURATION, AT(refresh_ns), "15s", "5s", "1h", NULL,
     T(SERVE),
     .help = "read from the services every T"},
    /* The experiment. */
    {"seed", 0, "N", SETTING_SEED, AT(seed), "1", NULL, NULL, NULL,
     T(SIM) | T(MOCK),
     .help = "seed of all random numbers"},
    {"reps", 0, "N", SETTING_COUNT, AT(reps), "1", "1", "1M", NULL,
     T(SIM),
     .help = "number of replications; 2 or more give intervals"},
    {"threads", 0, "N", SETTING_COUNT, AT(threads), "auto", "1", "1024", "auto",
     T(SIM) | T(TORTURE),
     .help = "how many run at once; the result does not depend on it", .same = true},
};
/* clang-format on */
enum { SETTINGS_COUNT = sizeof SETTINGS / sizeof *SETTINGS };
_Static_assert(SETTINGS_COUNT <= SCENARIO_SETTINGS_MAX, "given has no room");

int setting_count(void)
{
    return SETTINGS_COUNT;
}

const struct setting *setting_at(int index)
{
    assert(index >= 0 && index < SETTINGS_COUNT);
    return &SETTINGS[index];
}

int setting_find(const char *name)
{
    for (int i = 0; i < SETTINGS_COUNT; i++)
        if (strcmp(SETTINGS[i].name, name) == 0)
            return i;
    return -1;
}

const char *setting_renamed(const char *name)
{
    static const struct {
        const char *other, *name;
    } names[] = {{"slots", "concurrency"},
                 {"type", "instance"},
                 {"instance-type", "instance"},
                 {"era", "model"},
                 {"output", "out"},
                 {"rate", "arrivals"},
                 {"utilization", "utilisation"},
                 {"vcpu", "vcpus"},
                 {"max-attempts", "attempts"},
                 {"retry-base", "backoff"},
                 {"visibility-timeout", "visibility"},
                 {"wait-time", "wait"}};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(names[i].other, name) == 0)
            return names[i].name;
    return NULL;
}

int setting_unknown(const char *name, struct jobq_error *err)
{
    return setting_refuse(name, "", UINT32_MAX, "", err);
}

int setting_refuse(const char *name, const char *dash, uint32_t takers, const char *who,
                   struct jobq_error *err)
{
    struct nearest best = {setting_renamed(name), 0};
    char shown[60], others[200] = "";
    int index = setting_find(name);
    for (int bit = 0; bit < TAKER_COUNT && index >= 0; bit++) {
        const char *other = setting_taker_name(1u << bit);
        if (SETTINGS[index].takers >> bit & 1 &&
            strlen(others) + strlen(other) + 3 < sizeof others) {
            strcat(others, *others ? ", " : "");
            strcat(others, other);
        }
    }
    if (index >= 0)
        return jobq_fail(err, JOBQ_INVALID, "'%s%s' is no setting of %s, only of %s",
                         dash, name, who, others);
    for (int i = 0; i < SETTINGS_COUNT; i++)
        if (SETTINGS[i].takers & takers)
            nearest_try(&best, name, SETTINGS[i].name);
    text_escape(name, (int64_t)strlen(name), shown, sizeof shown);
    if (best.word)
        return jobq_fail(err, JOBQ_NOT_FOUND,
                         "unknown setting '%s%s'; did you mean '%s%s'?", dash, shown,
                         dash, best.word);
    return jobq_fail(err, JOBQ_NOT_FOUND, "unknown setting '%s%s'", dash, shown);
}

const char *setting_taker_name(uint32_t taker)
{
    static const char *const names[TAKER_COUNT] = {
        "jobqsim run",  "jobqsim sweep",  "jobqsim torture", "jobqcost",
        "jobq enqueue", "jobq drain",     "jobq spawn",      "jobq serve",
        "jobq dlq",     "jobq doctor",    "jobq prune",      "jobq repair",
        "jobqmock",     "libjobq",        "jobq status",     "jobq list",
        "jobq wait",    "jobq autoscale", "a job of libjobq"};
    int bit = 0;
    while (bit < TAKER_COUNT - 1 && !(taker >> bit & 1))
        bit++;
    return names[bit];
}

enum scenario_store scenario_store(const struct scenario *s)
{
    return s->rows == SCENARIO_ROWS_NONE ? SCENARIO_STORE_NONE
                                         : (enum scenario_store)s->store;
}
