/* run_report.c - the result of `jobqsim run`, as text, JSON and CSV. See run_report.h.
 *
 * Room:     programs. */
#include "sim/cmd/run_report.h"

#include "base/arena.h"
#include "cost/ledger/ledger_json.h"
#include "scenario/settings.h"
#include "sim/play/steady.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- statistics over replications ----------------------------------------------------- */

struct summary {
    struct run_metric metric; /* group, name, whole; value of the first replication */
    double mean, half_width;
};

/* Returns how many; out is RUN_METRICS_MAX long. */
static int summarise(const struct run_result *r, struct summary *out)
{
    struct run_metric *metric = xmalloc(RUN_METRICS_MAX * sizeof *metric);
    double *value = xmalloc((size_t)r->reps * RUN_METRICS_MAX * sizeof *value);
    int count = 0;
    for (int64_t rep = 0; rep < r->reps; rep++) {
        count = run_metrics(&r->rep[rep], metric);
        for (int i = 0; i < count; i++) {
            value[i * r->reps + rep] = metric[i].value;
            if (rep == 0)
                out[i].metric = metric[i];
        }
    }
    for (int i = 0; i < count; i++) {
        out[i].mean = value[i * r->reps];
        out[i].half_width = 0;
        if (r->reps > 1) {
            struct steady_mean m =
                steady_replications(&value[i * r->reps], (size_t)r->reps);
            out[i].mean = m.mean;
            out[i].half_width = m.half_width;
        }
    }
    free(metric);
    free(value);
    return count;
}

/* ---- JSON --------------------------------------------------------------------------- */

static json_t *number(double value, bool whole)
{
    if (!isfinite(value))
        return json_null();
    return whole && fabs(value) < 9e15 ? json_integer((json_int_t)value)
                                       : json_real(value);
}

static json_t *statistic(const struct summary *s, int64_t reps)
{
    if (reps == 1)
        return number(s->metric.value, s->metric.whole);
    json_t *object = json_object();
    json_object_set_new(object, "mean", number(s->mean, false));
    json_object_set_new(object, "low", number(s->mean - s->half_width, false));
    json_object_set_new(object, "high", number(s->mean + s->half_width, false));
    return object;
}

/* Requests of an action that nobody made in any replication are left out. */
static bool is_silent(const struct summary *s)
{
    return s->metric.group && strcmp(s->metric.group, "requests") == 0 && !(s->mean > 0);
}

static void put_statistics(json_t *root, const struct run_result *r)
{
    struct summary *s = xmalloc(RUN_METRICS_MAX * sizeof *s);
    int count = summarise(r, s);
    for (int i = 0; i < count; i++) {
        const char *group = s[i].metric.group;
        json_t *to = root;
        if (is_silent(&s[i]))
            continue;
        if (group) {
            to = json_object_get(root, group);
            if (!to) {
                to = json_object();
                json_object_set_new(root, group, to);
            }
        }
        json_object_set_new(to, s[i].metric.name, statistic(&s[i], r->reps));
    }
    free(s);
}

static json_t *capacity_of(const struct replication_capacity *c)
{
    json_t *object = json_object();
    for (int i = 1; i < RESOURCE_COUNT; i++) {
        json_t *one = json_object();
        json_object_set_new(one, "ceiling_per_s", number(c->ceiling_per_s[i], false));
        json_object_set_new(one, "used", number(c->used[i], false));
        json_object_set_new(object,
                            replication_resource_key((enum replication_resource)i), one);
    }
    json_object_set_new(object, "binding",
                        json_string(replication_resource_key(c->binding)));
    return object;
}

static json_t *ledger_of(const struct run_result *r)
{
    struct jobq_ledger *sum = xcalloc(1, sizeof *sum);
    for (int64_t i = 0; i < r->reps; i++)
        jobq_ledger_add(sum, r->rep[i].ledger);
    json_t *json = ledger_to_json(sum);
    jobq_ledger_release(sum);
    free(sum);
    return json;
}

void run_report_ledger(const struct run_result *r, FILE *out)
{
    json_t *json = ledger_of(r);
    json_dumpf(json, out, JSON_INDENT(1) | JSON_PRESERVE_ORDER | JSON_REAL_PRECISION(17));
    fputc('\n', out);
    json_decref(json);
}

void run_report_json(const struct scenario *s, const struct run_result *r,
                     const struct sheet *sheet, bool timing, struct text *out)
{
    json_t *root = json_object();
    struct text normal = {0}, seed = {0};
    scenario_put_normal(s, TAKER_RUN, &normal);
    json_object_set_new(root, "schema", json_string("jobq.run/1"));
    json_object_set_new(root, "version", json_string(JOBQ_VERSION));
    json_object_set_new(root, "model", json_string(s->model));
    json_object_set_new(root, "seed", json_integer((json_int_t)s->seed));
    json_object_set_new(root, "reps", json_integer(r->reps));
    json_object_set_new(root, "scenario", json_string(normal.ptr));
    if (s->trace_path)
        json_object_set_new(
            root, "trace",
            json_pack("{s:s, s:I, s:I, s:I, s:I}", "format",
                      trace_format_name(s->trace.format), "jobs",
                      (json_int_t)s->trace.count, "skipped_run_time",
                      (json_int_t)s->trace.skipped_runtime, "skipped_arrival",
                      (json_int_t)s->trace.skipped_arrival, "skipped_malformed",
                      (json_int_t)s->trace.skipped_malformed));
    put_statistics(root, r);
    json_object_set_new(root, "prices",
                        json_sprintf("%s@%s", sheet_region(sheet), sheet_date(sheet)));
    json_object_set_new(root, "ledger", ledger_of(r));
    json_object_set_new(root, "capacity", capacity_of(&r->rep[0].capacity));
    if (timing) {
        double events = 0;
        for (int64_t i = 0; i < r->reps; i++)
            events += (double)r->rep[i].events;
        json_object_set_new(root, "wall_s", json_real(r->wall_s));
        json_object_set_new(root, "events_per_s",
                            json_real(events / fmax(r->wall_s, 1e-9)));
        json_object_set_new(
            root, "jobs_per_s",
            json_real((double)(s->jobs * r->reps) / fmax(r->wall_s, 1e-9)));
    }
    char *dump =
        json_dumps(root, JSON_INDENT(1) | JSON_PRESERVE_ORDER | JSON_REAL_PRECISION(15));
    text_puts(out, dump);
    text_putc(out, '\n');
    free(dump);
    json_decref(root);
    text_release(&normal);
    text_release(&seed);
}

/* ---- for people ----------------------------------------------------------------------- */

static const char *run_report_seconds(double s, char out[32])
{
    if (!isfinite(s))
        return "-";
    if (s >= 1e5)
        snprintf(out, 32, "%.4g h", s / 3600);
    else if (s >= 1 || s <= 0)
        snprintf(out, 32, "%.4g s", s);
    else if (s >= 1e-3)
        snprintf(out, 32, "%.4g ms", s * 1e3);
    else
        snprintf(out, 32, "%.4g us", s * 1e6);
    return out;
}

static const struct summary *find(const struct summary *s, int count, const char *group,
                                  const char *name)
{
    for (int i = 0; i < count; i++)
        if (strcmp(s[i].metric.name, name) == 0 &&
            (group == s[i].metric.group ||
             (group && s[i].metric.group && strcmp(group, s[i].metric.group) == 0)))
            return &s[i];
    return &s[0];
}

static void put_skipped(const struct trace *t, struct text *out)
{
    if (trace_skipped(t) == 0)
        return;
    text_printf(
        out,
        "skipped %lld lines: %lld run times of 0 or less, %lld arrivals unknown, %lld "
        "unreadable\n",
        (long long)trace_skipped(t), (long long)t->skipped_runtime,
        (long long)t->skipped_arrival, (long long)t->skipped_malformed);
    for (int i = 0; i < TRACE_NOTES && t->note[i][0]; i++)
        text_printf(out, "  %s\n", t->note[i]);
}

static void put_headline(const struct scenario *s, const struct run_result *r,
                         struct text *out)
{
    struct text work = {0};
    if (s->trace_path) {
        const char *slash = strrchr(s->trace_path, '/');
        text_printf(&work, "%lld jobs of ", (long long)s->jobs);
        text_put_escaped(&work, slash ? slash + 1 : s->trace_path,
                         strlen(slash ? slash + 1 : s->trace_path));
    } else {
        text_printf(&work, "%lld jobs, ", (long long)s->jobs);
        arrivals_format(&s->arrivals, &work);
        text_puts(&work, ", job time ");
        distribution_format(&s->job_time, &work);
    }
    text_printf(out, "%s\n", work.ptr);
    text_printf(out, "on %lld x %s, %lld slots each, model %s, seed %llu",
                (long long)s->boxes, s->instance, (long long)s->concurrency, s->model,
                (unsigned long long)s->seed);
    if (r->reps > 1)
        text_printf(out, ", %lld replications", (long long)r->reps);
    text_putc(out, '\n');
    if (s->trace_path)
        put_skipped(&s->trace, out);
    text_release(&work);
}

static void put_times(const struct summary *s, int count, const char *group,
                      const char *label, struct text *out)
{
    char mean[32], p50[32], p95[32], p99[32], max[32];
    text_printf(out, "%-11s %10s %10s %10s %10s %10s\n", label,
                run_report_seconds(find(s, count, group, "mean")->mean, mean),
                run_report_seconds(find(s, count, group, "p50")->mean, p50),
                run_report_seconds(find(s, count, group, "p95")->mean, p95),
                run_report_seconds(find(s, count, group, "p99")->mean, p99),
                run_report_seconds(find(s, count, group, "max")->mean, max));
}

static void put_interval(const struct run_result *r, const struct summary *s,
                         struct text *out)
{
    if (r->reps > 1)
        text_printf(out, " (+- %.2g)", s->half_width);
}

static void put_requests(const struct run_result *r, const struct summary *s, int count,
                         struct text *out)
{
    text_puts(out, "requests a job");
    static const char *const services[] = {"sqs", "simpledb", "ec2"};
    static const char *const names[] = {"SQS", "SimpleDB", "EC2"};
    for (int i = 0; i < 3; i++) {
        const struct summary *one = find(s, count, "requests_per_job", services[i]);
        text_printf(out, "%s %s %.4g", i ? "," : " ", names[i], one->mean);
        put_interval(r, one, out);
    }
    text_putc(out, '\n');
    const char *gap = "  ";
    int column = 0;
    for (int i = 0; i < count; i++) {
        if (!s[i].metric.group || strcmp(s[i].metric.group, "requests") != 0 ||
            is_silent(&s[i]))
            continue;
        char one[64];
        int len = snprintf(one, sizeof one, "%s %.0f", s[i].metric.name, s[i].mean);
        if (column + len + 2 > 78) {
            text_putc(out, '\n');
            column = 0;
        }
        text_puts(out, gap);
        text_puts(out, one);
        column += len + 2;
    }
    text_putc(out, '\n');
}

static void put_capacity(const struct scenario *s, const struct world_params *p,
                         const struct replication_result *r, struct text *out)
{
    const struct replication_capacity *c = &r->capacity;
    text_puts(out, "ceilings (used), jobs a second\n");
    for (int i = 1; i < RESOURCE_COUNT; i++) {
        if (i == RESOURCE_LAUNCH || !isfinite(c->ceiling_per_s[i]))
            continue;
        text_printf(out, "  %-18s %8.4g (%.3g %%)\n",
                    replication_resource_name((enum replication_resource)i),
                    c->ceiling_per_s[i], 100 * c->used[i]);
    }
    switch (c->binding) {
    case RESOURCE_DOMAINS:
        text_printf(
            out,
            "bound by SimpleDB domains: %lld x %.3g writes a second, and a job's claim "
            "and\nfinal put make at most %.3g jobs a second a domain\n",
            (long long)s->domains, p->simpledb.writes_per_s,
            p->simpledb.writes_per_s / 2);
        break;
    case RESOURCE_SLOTS:
        text_printf(out, "bound by slots: all %lld are busy %.0f %% of the time\n",
                    (long long)(s->boxes * s->concurrency),
                    100 * c->used[RESOURCE_SLOTS]);
        break;
    case RESOURCE_VCPU:
        text_printf(out, "bound by vCPU: busy %.0f %% of the time\n",
                    100 * c->used[RESOURCE_VCPU]);
        break;
    case RESOURCE_IN_FLIGHT:
        text_printf(out, "bound by messages in flight: at most %lld at once\n",
                    (long long)p->sqs.in_flight_max);
        break;
    case RESOURCE_LAUNCH:
        text_printf(out,
                    "bound by launch rate: boxes came up during %.0f %% of the run\n",
                    100 * c->used[RESOURCE_LAUNCH]);
        break;
    case RESOURCE_ARRIVALS:
    case RESOURCE_COUNT:
        text_puts(out, "bound by arrivals: no resource is used to the full\n");
        break;
    }
}

/* What the run costs; and, where jobs did not finish, that its cost is of the others. */
static void put_cost(const struct run_result *r, const struct sheet *sheet,
                     const struct summary *s, int count, struct text *out)
{
    const struct summary *usd = find(s, count, NULL, "usd"),
                         *million = find(s, count, NULL, "usd_per_million");
    char shown[40], half[40];
    if (!isfinite(usd->mean)) {
        struct jobq_error why;
        struct replication_result first = r->rep[0];
        run_price(sheet, &first, &why);
        text_printf(out, "cost        not known: %s\n", why.text);
        return;
    }
    text_printf(out, "cost        %s", bill_usd_text(usd->mean, shown, sizeof shown));
    const char *sep = ": ";
    for (int i = 0; i < BILL_SERVICE_COUNT; i++) {
        const char *name = bill_service_name((enum bill_service)i);
        double part = find(s, count, "usd_by_service", name)->mean;
        if (part > 0) {
            text_printf(out, "%s%s %s", sep, name,
                        bill_usd_text(part, shown, sizeof shown));
            sep = ", ";
        }
    }
    text_puts(out, "\n            ");
    if (isfinite(million->mean))
        text_printf(out, "%s a million finished jobs",
                    bill_usd_text(million->mean, shown, sizeof shown));
    else
        text_puts(out, "no job finished");
    if (r->reps > 1 && million->half_width > 0)
        text_printf(out, " (+- %s)",
                    bill_usd_text(million->half_width, half, sizeof half));
    text_printf(out, "%sprices of %s %s\n", r->reps > 1 ? ",\n            " : ", ",
                sheet_region(sheet), sheet_date(sheet));
    double enqueued = find(s, count, "jobs", "enqueued")->mean,
           done = find(s, count, "jobs", "done")->mean;
    if (done < enqueued)
        text_printf(out,
                    "            %.10g of %.10g jobs did not finish; what they used "
                    "is in it\n",
                    enqueued - done, enqueued);
}

void run_report_text(const struct scenario *scenario, const struct world_params *params,
                     const struct run_result *r, const struct sheet *sheet, bool timing,
                     struct text *out)
{
    struct summary *s = xmalloc(RUN_METRICS_MAX * sizeof *s);
    int count = summarise(r, s);
    char span[32];
    put_headline(scenario, r, out);
    static const char *const states[] = {"done",   "dead",    "cancelled", "expired",
                                         "queued", "refused", "lost"};
    text_printf(out, "\njobs        %.10g enqueued",
                find(s, count, "jobs", "enqueued")->mean);
    for (size_t i = 0; i < sizeof states / sizeof states[0]; i++) {
        /* Zeros are left out, but for the first two. */
        double number = find(s, count, "jobs", states[i])->mean;
        if (i < 2 || number > 0)
            text_printf(out, ", %.10g %s", number, states[i]);
    }
    text_printf(out, "\nattempts    %.10g", find(s, count, "jobs", "attempts")->mean);
    text_printf(out, ", %.10g failed", find(s, count, "jobs", "failed")->mean);
    text_printf(out, ", %.10g duplicate deliveries\n\n",
                find(s, count, "jobs", "duplicates")->mean);
    text_printf(out, "%-11s %10s %10s %10s %10s %10s\n", "", "mean", "p50", "p95", "p99",
                "max");
    put_times(s, count, "wait_s", "wait", out);
    put_times(s, count, "sojourn_s", "sojourn", out);
    text_printf(out, "makespan    %s",
                run_report_seconds(find(s, count, NULL, "makespan_s")->mean, span));
    text_printf(out, ", %.4g jobs a second",
                find(s, count, NULL, "throughput_per_s")->mean);
    text_printf(out, ", slots busy %.3g %%\n\n",
                100 * find(s, count, NULL, "utilisation")->mean);
    put_requests(r, s, count, out);
    put_cost(r, sheet, s, count, out);
    put_capacity(scenario, params, &r->rep[0], out);
    if (timing) {
        double events = 0;
        for (int64_t i = 0; i < r->reps; i++)
            events += (double)r->rep[i].events;
        text_printf(out, "wall time   %s, %.3g jobs and %.3g events a second\n",
                    run_report_seconds(r->wall_s, span),
                    (double)(scenario->jobs * r->reps) / fmax(r->wall_s, 1e-9),
                    events / fmax(r->wall_s, 1e-9));
    }
    free(s);
}

/* ---- a line a job --------------------------------------------------------------------- */

static void put_instant(struct text *out, int64_t at_ns, int64_t origin_ns)
{
    text_putc(out, ',');
    if (at_ns >= 0)
        text_put_int(out, at_ns - origin_ns);
}

int run_report_jobs(const struct replication *replication, FILE *out)
{
    const struct jobrec_table *t = replication_jobs(replication);
    int64_t origin_ns = replication_origin_ns(replication), jobs = 0;
    for (int64_t i = 0; i < t->count; i++)
        if (t->rec[i].index >= jobs)
            jobs = t->rec[i].index + 1;
    /* Records are in the order in which ids were first seen; -1: refused. */
    int64_t *order = xmalloc((size_t)(jobs > 0 ? jobs : 1) * sizeof *order);
    memset(order, 0xff, (size_t)jobs * sizeof *order);
    for (int64_t i = 0; i < t->count; i++)
        if (t->rec[i].index >= 0)
            order[t->rec[i].index] = i;
    struct text line = {0};
    text_puts(&line, "id,enqueued_ns,started_ns,finished_ns,attempts,box,state\n");
    for (int64_t i = 0; i < jobs; i++) {
        if (order[i] < 0)
            continue;
        const struct jobrec *rec = &t->rec[order[i]];
        text_puts(&line, t->id ? t->id[order[i]] : "");
        put_instant(&line, rec->enqueued_at_ns, origin_ns);
        put_instant(&line, rec->started_at_ns, origin_ns);
        put_instant(&line, rec->ended_at_ns, origin_ns);
        text_putc(&line, ',');
        text_put_int(&line, rec->attempts);
        text_putc(&line, ',');
        if (rec->box >= 0)
            text_put_int(&line, rec->box);
        text_putc(&line, ',');
        text_puts(&line, jobrec_state_name((enum jobrec_state)rec->state));
        text_putc(&line, '\n');
        if (line.len > 60000) {
            fwrite(line.ptr, 1, line.len, out);
            text_clear(&line);
        }
    }
    fwrite(line.ptr, 1, line.len, out);
    text_release(&line);
    free(order);
    return ferror(out) ? -1 : 0;
}
