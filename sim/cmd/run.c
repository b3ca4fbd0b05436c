/* run.c - `jobqsim run`: runs one scenario and reports the result.
 *
 * Room:     sim, the command line. */
#include "sim/cmd/subcommand.h"

#include "fleet/port/trace_text.h"
#include "sim/sweep/outfile.h"
#include "sim/play/run.h"
#include "sim/cmd/run_report.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char HELP_HEAD[] =
    "Usage: jobqsim run [SCENARIO.ini] [OPTION...]\n"
    "Drain a workload with a simulated fleet; report the result and what it costs.\n"
    "\n"
    "  jobqsim run --jobs 10k --boxes 4 --concurrency 16 --job-time exp:2s\n"
    "  jobqsim run --trace month.swf --boxes 8 --json\n"
    "  jobqsim run --model ideal --arrivals 9/s --job-time exp:1s --reps 20\n"
    "  jobqsim run --scenario fleet.ini --jobs-csv jobs.csv\n"
    "  jobqsim run fleet.ini -o simulated.json     then: jobqcost bill simulated.json\n"
    "\n"
    "Durations: 250ms, 2s, 1.5h; a bare number is seconds. Sizes: 64KiB, 1M.\n"
    "Distributions: 2s exp:2s uniform:1s..3s lognormal:mean=2s,cv=1.5 gamma: weibull:\n"
    "pareto: (mean=,cv= or their own) empirical:FILE (one duration a line).\n"
    "\n"
    "Options (--name value or --name=value), with their ranges and (defaults):\n";

static const char HELP_TAIL[] = "\n"
                                "Exit codes: 0 ok, 1 failure, 2 usage, 130 interrupted.\n"
                                "API calls: none; nothing leaves this machine.\n";

enum { JSON, OUT, RECORD, TIMING, JOBS_CSV, PAGE };
static const struct option_def OPTIONS[] = {
    {"json", 0, NULL, "one JSON object on stdout, schema jobq.run/1"},
    {"out", 'o', "FILE", "write the ledger of all replications, schema jobq.ledger/2"},
    {"record", 0, "FILE", "write a trace of all calls (one replication), for calibrate"},
    {"timing", 0, NULL, "add wall time and events a second"},
    {"jobs-csv", 0, "FILE", "write one line a job (first replication)"},
    {"page", 0, "FILE", "write the status page as it stood at the end"},
    {NULL, 0, NULL, NULL}};

/* ---- progress ----------------------------------------------------------------------- */

struct progress {
    _Atomic int64_t ended;
    int64_t jobs;
    _Atomic int done;
    pthread_t thread;
    bool running;
};

static void *show_progress(void *arg)
{
    struct progress *p = arg;
    double spent_s = 0;
    while (!atomic_load(&p->done)) {
        usleep(200000);
        spent_s += 0.2;
        int64_t ended = atomic_load(&p->ended);
        double share = p->jobs > 0 ? (double)ended / (double)p->jobs : 0;
        if (spent_s < 0.5 || atomic_load(&p->done))
            continue;
        if (share > 0)
            fprintf(stderr, "\r\033[K%3.0f %%  %lld of %lld jobs, %.0f s left",
                    100 * share, (long long)ended, (long long)p->jobs,
                    spent_s * (1 - share) / share);
        else
            fprintf(stderr, "\r\033[K  0 %%  %lld jobs", (long long)p->jobs);
    }
    if (spent_s >= 0.5)
        fputs("\r\033[K", stderr);
    return NULL;
}

/* ---- running -------------------------------------------------------------------------- */

struct outputs {
    const struct options *read;
    struct sheet *sheet;
    struct outfile jobs, page, ledger, record;
    struct text lines; /* of the trace, not yet written */
};

static void on_call(void *ctx, const struct jobq_trace_call *call)
{
    struct outputs *o = ctx;
    trace_put_call(&o->lines, call, 0);
    if (o->lines.len > 1 << 16) {
        fwrite(o->lines.ptr, 1, o->lines.len, o->record.file);
        text_clear(&o->lines);
    }
}

static void record_process(void *ctx, struct world *w, struct jobq_backend *b,
                           struct world_box *box)
{
    (void)w;
    (void)box;
    b->trace = on_call;
    b->trace_ctx = ctx;
}

static int first_played(void *ctx, const struct replication *replication,
                        struct jobq_error *err)
{
    struct outputs *o = ctx;
    if (o->jobs.file && run_report_jobs(replication, o->jobs.file) != 0)
        return jobq_fail(err, JOBQ_DENIED, "cannot write the jobs' file");
    struct jobq_str page = replication_page(replication);
    if (o->page.file && page.ptr)
        fwrite(page.ptr, 1, (size_t)page.len, o->page.file);
    return JOBQ_OK;
}

static int open_outputs(struct outputs *o, struct jobq_error *err)
{
    int code = JOBQ_OK;
    const char *jobs = options_text(o->read, JOBS_CSV),
               *page = options_text(o->read, PAGE), *out = options_text(o->read, OUT),
               *record = options_text(o->read, RECORD);
    if (out)
        code = outfile_open(out, &o->ledger, err);
    if (code == JOBQ_OK && record)
        code = outfile_open(record, &o->record, err);
    if (code == JOBQ_OK && record)
        fputs("{\"schema\":\"jobq.trace/1\"}\n", o->record.file);
    if (code == JOBQ_OK && jobs)
        code = outfile_open(jobs, &o->jobs, err);
    if (code == JOBQ_OK && page)
        code = outfile_open(page, &o->page, err);
    return code;
}

static int commit_outputs(struct outputs *o, struct jobq_error *err)
{
    int code = JOBQ_OK;
    if (o->ledger.file)
        code = outfile_commit(&o->ledger, err);
    if (code == JOBQ_OK && o->record.file) {
        fwrite(o->lines.ptr, 1, o->lines.len, o->record.file);
        code = outfile_commit(&o->record, err);
    }
    if (code == JOBQ_OK && o->jobs.file)
        code = outfile_commit(&o->jobs, err);
    if (code == JOBQ_OK && o->page.file)
        code = outfile_commit(&o->page, err);
    return code;
}

static int print(const struct scenario *s, const struct world_params *params,
                 const struct outputs *outputs, const struct run_result *result,
                 struct jobq_error *err)
{
    struct text out = {0};
    bool timing = options_item(outputs->read, TIMING) != NULL;
    if (options_item(outputs->read, JSON))
        run_report_json(s, result, outputs->sheet, timing, &out);
    else
        run_report_text(s, params, result, outputs->sheet, timing, &out);
    size_t written = fwrite(out.ptr, 1, out.len, stdout);
    bool failed = written != out.len || fflush(stdout) != 0;
    text_release(&out);
    return failed ? jobq_fail(err, JOBQ_UNAVAILABLE, "cannot write to standard output")
                  : JOBQ_OK;
}

static int run_play(const struct scenario *s, const struct world_params *params,
                    struct outputs *outputs, struct jobq_error *err)
{
    struct progress progress = {.jobs = s->jobs * s->reps};
    struct run_options options = {.threads = s->threads,
                                  .keep_ids = outputs->jobs.file != NULL,
                                  .page = outputs->page.file != NULL,
                                  .sheet = outputs->sheet,
                                  .progress = &progress.ended,
                                  .first = first_played,
                                  .ctx = outputs};
    const struct replication_hooks record = {.ctx = outputs, .process = record_process};
    if (outputs->record.file)
        options.hooks = &record;
    if (isatty(STDERR_FILENO))
        progress.running =
            pthread_create(&progress.thread, NULL, show_progress, &progress) == 0;
    struct run_result result;
    int code = run_scenario(s, params, &options, &result, err);
    atomic_store(&progress.done, 1);
    if (progress.running)
        pthread_join(progress.thread, NULL);
    if (code == JOBQ_OK && outputs->ledger.file)
        run_report_ledger(&result, outputs->ledger.file);
    if (code == JOBQ_OK)
        code = commit_outputs(outputs, err);
    if (code == JOBQ_OK)
        code = print(s, params, outputs, &result, err);
    run_result_release(&result);
    return code;
}

const struct subcommand sub_run = {"run",     HELP_HEAD, HELP_TAIL, OPTIONS,
                                   TAKER_RUN, false,     true};

int cmd_run(int argc, char **argv)
{
    struct jobq_error err = {0};
    struct commandline command;
    struct options read;
    struct scenario scenario;
    struct outputs outputs = {.read = &read};
    struct world_params *params = NULL;
    scenario_init(&scenario);
    int done = cmd_read(&sub_run, argc, argv, &command, &read, &scenario), code = JOBQ_OK;
    if (done < 0) {
        code = scenario_finish(&scenario, &err);
        if (code == JOBQ_OK) {
            params = run_params(&scenario, &err);
            code = params ? JOBQ_OK : err.code;
        }
        cmd_catch_signals();
        if (code == JOBQ_OK)
            code = sheet_open(scenario.region, scenario.date, scenario.model,
                              &outputs.sheet, &err);
        if (code == JOBQ_OK && options_item(&read, RECORD) && scenario.reps > 1)
            code = jobq_fail(&err, JOBQ_INVALID, "--record is of one replication");
        if (code == JOBQ_OK)
            code = open_outputs(&outputs, &err);
        if (code == JOBQ_OK)
            code = run_play(&scenario, params, &outputs, &err);
        outfile_abandon(&outputs.jobs);
        outfile_abandon(&outputs.page);
        outfile_abandon(&outputs.ledger);
        outfile_abandon(&outputs.record);
        text_release(&outputs.lines);
        done = code == JOBQ_OK ? CMD_OK : cmd_fail("run", &err);
    }
    sheet_free(outputs.sheet);
    free(params);
    scenario_release(&scenario);
    options_release(&read);
    commandline_release(&command);
    return done;
}
