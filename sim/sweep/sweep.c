/* sweep.c - plays the points of a sweep and writes a row each. See sweep.h.
 *
 * Room:     sim. */
#include "sim/sweep/sweep.h"

#include "sim/sweep/control.h"
#include "sim/sweep/rowfile.h"
#include "sim/play/run.h"
#include "sim/play/replication.h"
#include "sim/play/steady.h"

#include "scenario/settings.h"
#include "base/arena.h"
#include "base/hash.h"
#include "base/text.h"
#include "models/params/params.h"

#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { REPS_FIRST = 10, WORKERS_MAX = 256 };
/* With control variates: replications at first, and for a coefficient of their own; jobs and
 * requests of a point at most, and jobs for the controls' own means. */
enum { CONTROLLED_FIRST = 4, REPS_OF_SLOPE = 6 };
#define CONTROLLED_WORK_MAX 150e3
#define CONTROL_MEAN_JOBS 100e3

/* What a point puts out beside the usage lines. */
enum output {
    OUT_WAIT,
    OUT_WAIT_P95,
    OUT_WAIT_STEADY, /* after the warm-up is cut off */
    OUT_SOJOURN,
    OUT_SOJOURN_P95,
    OUT_MAKESPAN,
    OUT_THROUGHPUT,
    OUT_UTILISATION,
    OUT_USD, /* per million finished jobs */
    OUT_DONE,
    OUT_DEAD,
    OUT_EXPIRED,
    OUT_ATTEMPTS,
    OUT_DUPLICATES,
    OUT_GAIN, /* how many times the jobs it takes without control variates */
    OUT_BINDING,
    OUT_COUNT
};
static const char *const OUTPUTS[OUT_COUNT] = {"wait[s]",
                                               "wait_p95[s]",
                                               "wait_steady[s]",
                                               "sojourn[s]",
                                               "sojourn_p95[s]",
                                               "makespan[s]",
                                               "throughput[job/s]",
                                               "utilisation",
                                               "usd_per_million[$]",
                                               "done[jobs]",
                                               "dead[jobs]",
                                               "expired[jobs]",
                                               "attempts[/job]",
                                               "duplicates",
                                               "control_gain",
                                               "binding"};

struct sweep {
    const struct scenario *base;
    const struct design *design;
    const struct sweep_options *options;
    struct rowfile *rows;
    bool models_vary; /* over the points */
    int64_t points;
    _Atomic int64_t next;
    _Atomic bool failed;
    pthread_mutex_t lock; /* of error */
    struct jobq_error error;
    double jobs, jobs_plain; /* simulated, and what it takes without control variates */
};

/* One thread's own memory, used again from point to point. */
struct worker {
    struct sweep *sweep;
    pthread_t thread;
    struct replication *replication;
    struct world_params *params; /* of the last point */
    struct sheet *sheet;         /* its prices */
    struct replication_result result;
    double *rep_line[USAGE_LINE_COUNT]; /* values of each replication */
    double *rep_out[OUT_COUNT];
    double *rep_requests, *rep_instance;
    double *rep_control[CONTROL_LINES]; /* less their means */
    double plain_spread; /* of a replication's instance time, relative, before controls */
    double control_error[USAGE_LINE_COUNT]; /* standard errors that those means add */
    int64_t reps_cap;
    double *waits;
    int64_t waits_cap;
    struct text row;
};

int sweep_axis_kind(const char *option, enum design_kind *out, struct jobq_error *err)
{
    int index = setting_find(option);
    if (index < 0)
        return setting_unknown(option, err);
    if (setting_at(index)->same || !(setting_at(index)->takers & TAKER_SWEEP))
        return jobq_fail(err, JOBQ_INVALID, "'--%s' cannot be swept", option);
    switch (setting_at(index)->kind) {
    case SETTING_COUNT:
        *out = DESIGN_COUNT;
        break;
    case SETTING_SIZE:
        *out = DESIGN_SIZE;
        break;
    case SETTING_DURATION:
    case SETTING_DIST:
        *out = DESIGN_DURATION;
        break;
    case SETTING_NUMBER:
        *out = DESIGN_NUMBER;
        break;
    case SETTING_ARRIVALS:
    case SETTING_NAME:
    case SETTING_PATH:
    case SETTING_MODEL:
    case SETTING_FLAG:
    case SETTING_CHOICE:
    case SETTING_SEED:
        *out = DESIGN_TEXT;
        break;
    }
    return JOBQ_OK;
}

void sweep_predict(const struct scenario *s, struct predict_scenario *out)
{
    predict_from_scenario(s, out);
    out->vcpus = predict_vcpus(out);
}

/* The scenario of a point, finished. Release it in any case. */
static int make_point(const struct sweep *sweep, int64_t point, struct scenario *out,
                      struct jobq_error *err)
{
    scenario_copy(out, sweep->base);
    int code = JOBQ_OK;
    for (int a = 0; a < design_axes(sweep->design) && code == JOBQ_OK; a++) {
        char value[DESIGN_VALUE_CAP];
        design_value(sweep->design, point, a, value);
        code = scenario_set(out, design_option(sweep->design, a), value, err);
    }
    if (code == JOBQ_OK)
        code = scenario_finish(out, err);
    return code == JOBQ_OK ? code : jobq_wrap(err, "point %lld", (long long)point);
}

/* ---- the header ------------------------------------------------------------------- */

static bool is_axis(const struct design *design, const char *option)
{
    for (int a = 0; a < design_axes(design); a++)
        if (strcmp(design_option(design, a), option) == 0)
            return true;
    return false;
}

static const char *input_unit(enum predict_input input)
{
    static const char kinds[] = {
#define INPUT_KIND(id, field, option, kind) #kind[0],
        PREDICT_INPUTS(INPUT_KIND)
#undef INPUT_KIND
    };
    return kinds[input] == 'S' ? "[s]" : kinds[input] == 'B' ? "[B]" : "";
}

static int put_header(const struct sweep *sweep, struct text *out, struct jobq_error *err)
{
    struct scenario first;
    int code = make_point(sweep, 0, &first, err);
    struct predict_scenario view;
    if (code == JOBQ_OK)
        sweep_predict(&first, &view);
    if (code != JOBQ_OK) {
        scenario_release(&first);
        return code;
    }
    text_printf(out, "# schema=jobq.sweep/1\n# version=%s\n# seed=%llu\n", JOBQ_VERSION,
                (unsigned long long)first.seed);
    const char *model = params_text(first.model);
    text_printf(
        out, "# model=%s\n# model_hash=%016llx\n", first.model,
        (unsigned long long)(model ? hash_add(HASH_START, model, strlen(model)) : 0));
    text_printf(out, "# points=%lld\n", (long long)sweep->points);
    if (sweep->options->shards > 1)
        text_printf(out, "# shard=%lld/%lld\n", (long long)sweep->options->shard + 1,
                    (long long)sweep->options->shards);
    if (sweep->options->precision > 0) {
        text_puts(out, "# precision=");
        text_put_double(out, sweep->options->precision);
        text_putc(out, '\n');
    }
    if (sweep->options->control)
        text_puts(out, "# control=yes\n");
    for (int a = 0; a < design_axes(sweep->design); a++)
        text_printf(out, "# axis=%s %s\n", design_option(sweep->design, a),
                    design_text(sweep->design, a));
    text_puts(out, "# fixed=");
    bool space = false;
    for (int i = 0; i < setting_count(); i++) {
        const struct setting *option = setting_at(i);
        if (option->same || !(option->takers & TAKER_SWEEP) ||
            is_axis(sweep->design, option->name))
            continue;
        if (space)
            text_putc(out, ' ');
        space = true;
        text_printf(out, "%s=", option->name);
        scenario_put_value(&first, i, out);
    }
    text_printf(out, "\n# files=%016llx",
                (unsigned long long)scenario_files_hash(&first));
    text_printf(out,
                "\n# predict.era=%s\n# predict.instance=%s\n# predict.store=%s\n"
                "# predict.rows=%s\n# predict.client=%s\n# predict.payload-in=%s\n# "
                "predict.spot=%s\n"
                "# predict.public-ip=%s\n",
                view.era, view.instance, predict_store_name(view.asked_store),
                predict_rows_name(view.rows),
                view.client_internet ? "internet" : "in-region",
                view.payload_in == PREDICT_IN_MESSAGE ? "message"
                : view.payload_in == PREDICT_IN_STORE ? "store"
                                                      : "auto",
                view.spot ? "yes" : "no", view.public_ip ? "yes" : "no");
    int job_time = setting_find("job-time");
    if (!is_axis(sweep->design, "job-time") && !first.trace_path) {
        text_puts(out, "# predict.job-time=");
        scenario_put_value(&first, job_time, out);
        text_putc(out, '\n');
    }
    scenario_release(&first);
    text_puts(out, "point");
    for (int a = 0; a < design_axes(sweep->design); a++)
        text_printf(out, ",axis.%s", design_option(sweep->design, a));
    text_puts(out, ",reps");
    for (int i = 0; i < PREDICT_INPUT_COUNT; i++)
        text_printf(out, ",in.%s%s", predict_input_name((enum predict_input)i),
                    input_unit((enum predict_input)i));
    for (int l = 0; l < USAGE_LINE_COUNT; l++)
        text_printf(out, ",%s[%s/job]", usage_line_name((enum usage_line)l),
                    usage_line_unit((enum usage_line)l));
    for (int l = 0; l < USAGE_LINE_COUNT; l++)
        text_printf(out, ",se.%s", usage_line_name((enum usage_line)l));
    for (int o = 0; o < OUT_COUNT; o++)
        text_printf(out, ",%s", OUTPUTS[o]);
    text_putc(out, '\n');
    return JOBQ_OK;
}

/* ---- one point --------------------------------------------------------------------- */

static void reserve_reps(struct worker *w, int64_t reps)
{
    if (reps <= w->reps_cap)
        return;
    size_t bytes = (size_t)reps * sizeof(double);
    for (int l = 0; l < USAGE_LINE_COUNT; l++)
        w->rep_line[l] = xrealloc(w->rep_line[l], bytes);
    for (int o = 0; o < OUT_COUNT; o++)
        w->rep_out[o] = xrealloc(w->rep_out[o], bytes);
    w->rep_requests = xrealloc(w->rep_requests, bytes);
    w->rep_instance = xrealloc(w->rep_instance, bytes);
    for (int c = 0; c < CONTROL_LINES; c++)
        w->rep_control[c] = xrealloc(w->rep_control[c], bytes);
    w->reps_cap = reps;
}

/* Waiting times in the order in which jobs came, without the warm-up. */
static double steady_wait_s(struct worker *w, const struct scenario *s)
{
    const struct jobrec_table *jobs = replication_jobs(w->replication);
    if (s->arrivals.kind == ARRIVALS_AT_ONCE && !s->trace_path)
        return w->result.wait_s.mean;
    if (jobs->count > w->waits_cap) {
        w->waits_cap = jobs->count;
        w->waits = xrealloc(w->waits, (size_t)w->waits_cap * sizeof *w->waits);
    }
    size_t count = 0;
    for (int64_t i = 0; i < jobs->count; i++)
        if (jobs->rec[i].enqueued_at_ns >= 0 && jobs->rec[i].started_at_ns >= 0)
            w->waits[count++] =
                (double)(jobs->rec[i].started_at_ns - jobs->rec[i].enqueued_at_ns) / 1e9;
    return count ? steady_mean(w->waits, count).mean : 0;
}

static void note_replication(struct worker *w, const struct scenario *s, int64_t rep)
{
    const struct replication_result *r = &w->result;
    struct usage usage;
    usage_from_ledger(r->ledger, &usage);
    for (int l = 0; l < USAGE_LINE_COUNT; l++)
        w->rep_line[l][rep] = usage.line[l];
    double jobs = (double)r->enqueued > 0 ? (double)r->enqueued : 1;
    double out[OUT_COUNT] = {[OUT_WAIT] = r->wait_s.mean,
                             [OUT_WAIT_P95] = r->wait_s.p95,
                             [OUT_WAIT_STEADY] = steady_wait_s(w, s),
                             [OUT_SOJOURN] = r->sojourn_s.mean,
                             [OUT_SOJOURN_P95] = r->sojourn_s.p95,
                             [OUT_MAKESPAN] = r->makespan_s,
                             [OUT_THROUGHPUT] = r->throughput_per_s,
                             [OUT_UTILISATION] = r->utilisation,
                             [OUT_USD] = r->usd / (double)r->done * 1e6,
                             [OUT_DONE] = (double)r->done,
                             [OUT_DEAD] = (double)r->dead,
                             [OUT_EXPIRED] = (double)(r->expired + r->lost),
                             [OUT_ATTEMPTS] = (double)r->attempts / jobs,
                             [OUT_DUPLICATES] = (double)r->duplicates,
                             [OUT_GAIN] = 1,
                             [OUT_BINDING] = (double)r->capacity.binding};
    for (int o = 0; o < OUT_COUNT; o++)
        w->rep_out[o][rep] = out[o];
    w->rep_requests[rep] =
        (double)(r->requests_per_job[JOBQ_SQS] + r->requests_per_job[JOBQ_SIMPLEDB]) /
        jobs;
}

/* ---- control variates ------------------------------------------------------------------- */

static const struct {
    enum usage_line line;
    enum control_line control;
} CONTROLLED[] = {{USAGE_BUSY, CONTROL_BUSY},
                  {USAGE_IDLE, CONTROL_IDLE},
                  {USAGE_EMPTY, CONTROL_POLLS},
                  {USAGE_RECEIVE, CONTROL_POLLS},
                  {USAGE_RECEIVE_CHUNKS, CONTROL_POLLS}};
enum { CONTROLLED_LINES = sizeof CONTROLLED / sizeof *CONTROLLED };

/* Least squares of the line on its control; with few replications, what theory says: 1 where
 * jobs do not share processors. */
static double control_slope(const double *y, const double *x, int64_t reps, bool shared)
{
    double mx = 0, my = 0, xx = 0, xy = 0, n = (double)reps;
    if (reps < REPS_OF_SLOPE)
        return shared ? 0 : 1;
    for (int64_t i = 0; i < reps; i++) {
        mx += x[i] / n;
        my += y[i] / n;
    }
    for (int64_t i = 0; i < reps; i++) {
        xx += (x[i] - mx) * (x[i] - mx);
        xy += (x[i] - mx) * (y[i] - my);
    }
    double slope = xx > 0 ? xy / xx : 0;
    return slope < 0 ? 0 : slope > 1.5 ? 1.5 : slope;
}

static double variance_of(const double *y, int64_t reps)
{
    double mean = 0, sum = 0;
    for (int64_t i = 0; i < reps; i++)
        mean += y[i] / (double)reps;
    for (int64_t i = 0; i < reps; i++)
        sum += (y[i] - mean) * (y[i] - mean);
    return sum;
}

/* Lines of the replications, less what their controls explain (on: into them; off: back). */
static void control_lines(struct worker *w, int64_t reps, const double *slope,
                          double sign)
{
    for (int l = 0; l < CONTROLLED_LINES; l++)
        for (int64_t r = 0; r < reps; r++)
            w->rep_line[CONTROLLED[l].line][r] +=
                sign * slope[l] * w->rep_control[CONTROLLED[l].control][r];
}

static void sum_instance(struct worker *w, int64_t reps)
{
    for (int64_t r = 0; r < reps; r++)
        w->rep_instance[r] = w->rep_line[USAGE_BUSY][r] + w->rep_line[USAGE_IDLE][r] +
                             w->rep_line[USAGE_BOOT][r];
}

static void control_apply(struct worker *w, int64_t reps, bool shared,
                          double slope[CONTROLLED_LINES])
{
    for (int l = 0; l < CONTROLLED_LINES; l++)
        slope[l] = control_slope(w->rep_line[CONTROLLED[l].line],
                                 w->rep_control[CONTROLLED[l].control], reps, shared);
    sum_instance(w, reps);
    double plain = variance_of(w->rep_instance, reps);
    double mean = steady_replications(w->rep_instance, (size_t)reps).mean;
    w->plain_spread = reps > 1 && mean > 0 ? sqrt(plain / (double)(reps - 1)) / mean : 0;
    control_lines(w, reps, slope, -1);
    sum_instance(w, reps);
    double left = variance_of(w->rep_instance, reps);
    for (int64_t r = 0; r < reps; r++)
        w->rep_out[OUT_GAIN][r] = left > 0 ? plain / left : 1;
}

static bool is_close(const double *value, int64_t reps, double precision)
{
    struct steady_mean mean = steady_replications(value, (size_t)reps);
    return mean.half_width <= precision * fabs(mean.mean);
}

static bool enough(struct worker *w, const struct scenario *s, int64_t reps, bool shared)
{
    const struct sweep_options *o = w->sweep->options;
    size_t count = (size_t)reps;
    if (reps >= SWEEP_REPS_MAX)
        return true;
    if (!o->control)
        return steady_is_precise(w->rep_requests, count, o->precision) &&
               steady_is_precise(w->rep_out[OUT_MAKESPAN], count, o->precision) &&
               steady_is_precise(w->rep_out[OUT_SOJOURN], count, o->precision);
    double jobs = (double)(reps * s->jobs), work = jobs * (1 + w->rep_requests[0]);
    if (1.5 * work > CONTROLLED_WORK_MAX)
        return true;
    double slope[CONTROLLED_LINES];
    control_apply(w, reps, shared, slope);
    bool yes = is_close(w->rep_instance, reps, o->precision) &&
               is_close(w->rep_requests, reps, o->precision);
    control_lines(w, reps, slope, 1);
    return yes;
}

static void put_number(struct text *row, double value)
{
    char shown[32];
    if (isnan(value)) { /* a price is missing, or no job finished */
        text_puts(row, ",nan");
        return;
    }
    /* Nine digits are more than a simulation knows, and stay the same everywhere. */
    int len = snprintf(shown, sizeof shown, "%.9g", value);
    text_putc(row, ',');
    text_put(row, shown, (size_t)len);
}

static void put_row(struct worker *w, const struct predict_scenario *view, int64_t point,
                    int64_t reps)
{
    const struct design *design = w->sweep->design;
    text_clear(&w->row);
    text_put_int(&w->row, point);
    for (int a = 0; a < design_axes(design); a++) {
        char value[DESIGN_VALUE_CAP];
        design_value(design, point, a, value);
        text_putc(&w->row, ',');
        /* A comma would be a column; distributions write theirs as ';'. */
        for (char *p = value; *p; p++)
            text_putc(&w->row, *p == ',' ? ';' : *p);
    }
    text_putc(&w->row, ',');
    text_put_int(&w->row, reps);
    for (int i = 0; i < PREDICT_INPUT_COUNT; i++)
        put_number(&w->row, predict_get(view, (enum predict_input)i));
    struct steady_mean mean[USAGE_LINE_COUNT];
    for (int l = 0; l < USAGE_LINE_COUNT; l++) {
        mean[l] = steady_replications(w->rep_line[l], (size_t)reps);
        put_number(&w->row, fmax(0, mean[l].mean));
    }
    for (int l = 0; l < USAGE_LINE_COUNT; l++)
        put_number(&w->row, reps < 2
                                ? 0
                                : hypot(mean[l].half_width / steady_t95((double)reps - 1),
                                        w->control_error[l]));
    for (int o = 0; o < OUT_BINDING; o++)
        put_number(&w->row, steady_replications(w->rep_out[o], (size_t)reps).mean);
    text_putc(&w->row, ',');
    text_puts(&w->row, replication_resource_name(
                           (enum replication_resource)w->rep_out[OUT_BINDING][0]));
}

/* What a run at full load would make of a job's time: the closed form's own. */
static struct control_plan *plan_new(const struct scenario *s,
                                     const struct predict_scenario *view, bool *shared)
{
    struct predict_params params;
    struct predict_state state = {.stretch = 1};
    struct jobq_error err;
    if (predict_params_for(view->era, &params, &err) == JOBQ_OK)
        predict_state(view, &params, &state);
    *shared = state.stretch > 1.05;
    double rest_s = state.hold_s - view->job_s * state.stretch;
    return control_new(s, state.stretch, rest_s > 0 ? rest_s : 0);
}

/* Jobs enough for the controls' means: the last end of jobs of great spread varies most; a
 * gamma's quantile is dear. */
static double control_jobs(const struct scenario *s)
{
    double jobs =
        distribution_cv(&s->job_time) > 1.5 ? 10 * CONTROL_MEAN_JOBS : CONTROL_MEAN_JOBS;
    return s->job_time.kind == DISTRIBUTION_GAMMA ? jobs / 20 : jobs;
}

/* Without control variates: as many replications as the precision asks for, of that spread. */
static void note_effort(struct sweep *sweep, const struct scenario *s, int64_t reps,
                        double plain_spread)
{
    double precision = sweep->options->precision, plain = (double)reps;
    if (precision > 0) {
        double needed = 1.96 * plain_spread / precision;
        plain = fmax(fmin(plain, CONTROLLED_FIRST), needed * needed);
    }
    pthread_mutex_lock(&sweep->lock);
    sweep->jobs += (double)(reps * s->jobs);
    sweep->jobs_plain += plain * (double)s->jobs;
    pthread_mutex_unlock(&sweep->lock);
}

static int play_point(struct worker *w, int64_t point, struct jobq_error *err)
{
    struct scenario s;
    struct predict_scenario view;
    int code = make_point(w->sweep, point, &s, err);
    if (code == JOBQ_OK && (!w->params || w->sweep->models_vary)) {
        free(w->params);
        sheet_free(w->sheet);
        w->sheet = NULL;
        w->params = run_params(&s, err);
        code =
            w->params ? sheet_open(s.region, s.date, s.model, &w->sheet, err) : err->code;
    }
    if (code == JOBQ_OK)
        sweep_predict(&s, &view);
    const struct sweep_options *o = w->sweep->options;
    struct control_plan *plan = NULL;
    struct control mean, mean_error = {{0}}, one;
    bool shared = false;
    if (code == JOBQ_OK && o->control) {
        plan = plan_new(&s, &view, &shared);
        control_mean(plan, control_jobs(&s), &mean, &mean_error);
    }
    double queued_s = 0;
    int64_t reps = 0, want = !(o->precision > 0) ? s.reps
                             : o->control        ? CONTROLLED_FIRST
                                                 : REPS_FIRST;
    for (; code == JOBQ_OK && reps < want; reps++) {
        reserve_reps(w, want);
        struct replication_options options = {.replication = (uint64_t)reps};
        run_autoscaled(&s, w->sheet, &options);
        /* A replication adds to its result's ledger. */
        replication_result_release(&w->result);
        replication_result_init(&w->result);
        code = replication_play(w->replication, &s, w->params, &options, &w->result, err);
        struct jobq_error unpriced;
        if (code != JOBQ_OK)
            break;
        run_price(w->sheet, &w->result, &unpriced);
        note_replication(w, &s, reps);
        if (plan) {
            control_run(plan, replication_seed(s.seed, (uint64_t)reps), &one);
            for (int c = 0; c < CONTROL_LINES; c++)
                w->rep_control[c][reps] = one.line[c] - mean.line[c];
        }
        queued_s += w->result.wait_s.mean;
        if (o->precision > 0 && reps + 1 == want && !enough(w, &s, want, shared))
            want = want + want / 2 > SWEEP_REPS_MAX ? SWEEP_REPS_MAX : want + want / 2;
    }
    if (code == JOBQ_OK) {
        double slope[CONTROLLED_LINES];
        memset(w->control_error, 0, sizeof w->control_error);
        if (plan)
            control_apply(w, reps, shared, slope);
        for (int l = 0; l < CONTROLLED_LINES && plan; l++)
            w->control_error[CONTROLLED[l].line] =
                slope[l] * mean_error.line[CONTROLLED[l].control];
        note_effort(w->sweep, &s, reps, w->plain_spread);
        view.queued_s = queued_s / (double)reps;
        put_row(w, &view, point, reps);
        code = rowfile_put(w->sweep->rows, point, w->row.ptr, w->row.len, err);
    }
    control_free(plan);
    scenario_release(&s);
    return code;
}

/* ---- threads ------------------------------------------------------------------------ */

static bool stopping(struct sweep *sweep)
{
    return atomic_load(&sweep->failed) || (sweep->options->stop && *sweep->options->stop);
}

static void *work(void *arg)
{
    struct worker *w = arg;
    struct sweep *sweep = w->sweep;
    while (!stopping(sweep)) {
        int64_t point = atomic_fetch_add(&sweep->next, 1);
        if (point >= sweep->points)
            break;
        if (!rowfile_wants(sweep->rows, point))
            continue;
        struct jobq_error err;
        if (play_point(w, point, &err) == JOBQ_OK)
            continue;
        pthread_mutex_lock(&sweep->lock);
        if (!atomic_exchange(&sweep->failed, true))
            sweep->error = err;
        pthread_mutex_unlock(&sweep->lock);
    }
    return NULL;
}

static struct worker *worker_new(struct sweep *sweep)
{
    struct worker *w = xcalloc(1, sizeof *w);
    w->sweep = sweep;
    w->replication = replication_new();
    replication_result_init(&w->result);
    return w;
}

static void worker_free(struct worker *w)
{
    replication_free(w->replication);
    free(w->params);
    sheet_free(w->sheet);
    replication_result_release(&w->result);
    for (int l = 0; l < USAGE_LINE_COUNT; l++)
        free(w->rep_line[l]);
    for (int o = 0; o < OUT_COUNT; o++)
        free(w->rep_out[o]);
    free(w->rep_requests);
    free(w->rep_instance);
    for (int c = 0; c < CONTROL_LINES; c++)
        free(w->rep_control[c]);
    free(w->waits);
    text_release(&w->row);
    free(w);
}

static void watch(struct sweep *sweep, int64_t first)
{
    const struct sweep_options *o = sweep->options;
    const struct timespec pause = {0, 100000000};
    while (!stopping(sweep) && rowfile_done(sweep->rows) < rowfile_total(sweep->rows)) {
        if (o->progress)
            o->progress(o->progress_ctx, rowfile_done(sweep->rows), first,
                        rowfile_total(sweep->rows));
        nanosleep(&pause, NULL);
    }
    if (o->progress)
        o->progress(o->progress_ctx, rowfile_done(sweep->rows), first,
                    rowfile_total(sweep->rows));
}

static int check_points(const struct sweep *sweep, struct jobq_error *err)
{
    int code = JOBQ_OK;
    for (int64_t p = 0; p < sweep->points && code == JOBQ_OK; p++) {
        struct scenario s;
        code = make_point(sweep, p, &s, err);
        scenario_release(&s);
        if (sweep->options->stop && *sweep->options->stop)
            break;
    }
    return code;
}

int sweep_run(const struct scenario *base, const struct design *design,
              const struct sweep_options *options, struct jobq_error *err)
{
    struct sweep sweep = {.base = base,
                          .design = design,
                          .options = options,
                          .models_vary =
                              is_axis(design, "model") || is_axis(design, "set") ||
                              is_axis(design, "region") || is_axis(design, "date"),
                          .points = design_points(design)};
    struct text header = {0};
    int code = check_points(&sweep, err);
    if (code == JOBQ_OK)
        code = put_header(&sweep, &header, err);
    if (code == JOBQ_OK)
        code = rowfile_open(options->out_path, header.ptr, sweep.points, options->shard,
                            options->shards, &sweep.rows, err);
    text_release(&header);
    if (code != JOBQ_OK)
        return code;
    pthread_mutex_init(&sweep.lock, NULL);
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    int threads = options->threads > 0 ? options->threads : cores > 0 ? (int)cores : 1;
    threads = threads > WORKERS_MAX ? WORKERS_MAX : threads;
    int64_t first = rowfile_done(sweep.rows);
    struct worker *worker[WORKERS_MAX];
    int started = 0;
    for (; started < threads; started++) {
        worker[started] = worker_new(&sweep);
        if (pthread_create(&worker[started]->thread, NULL, work, worker[started]) != 0) {
            worker_free(worker[started]);
            break;
        }
    }
    if (started == 0)
        code = jobq_fail(err, JOBQ_UNAVAILABLE, "no thread can be started");
    else
        watch(&sweep, first);
    for (int i = 0; i < started; i++) {
        pthread_join(worker[i]->thread, NULL);
        worker_free(worker[i]);
    }
    if (atomic_load(&sweep.failed)) {
        *err = sweep.error;
        code = err->code;
    }
    if (options->jobs)
        *options->jobs = sweep.jobs;
    if (options->jobs_plain)
        *options->jobs_plain = sweep.jobs_plain;
    bool whole = rowfile_done(sweep.rows) == rowfile_total(sweep.rows);
    struct jobq_error closing;
    int closed = rowfile_close(sweep.rows, &closing);
    pthread_mutex_destroy(&sweep.lock);
    if (code == JOBQ_OK && closed != JOBQ_OK) {
        *err = closing;
        code = closed;
    }
    if (code == JOBQ_OK && !whole)
        code = jobq_fail(err, JOBQ_CANCELLED, "stopped; the same command continues");
    return code;
}
