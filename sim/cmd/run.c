/* run.c - `jobqsim run`: one scenario, played and told.
 *
 * Room:     sim, the command line. */
#include "sim/cmd/subcommand.h"

#include "sim/sweep/outfile.h"
#include "sim/play/run.h"
#include "sim/cmd/run_report.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char HELP_HEAD[] =
    "Usage: jobqsim run [OPTION...]\n"
    "Drain a workload with a simulated fleet and say what happened.\n"
    "\n"
    "  jobqsim run --jobs 10k --boxes 4 --concurrency 16 --job-time exp:2s\n"
    "  jobqsim run --trace month.swf --boxes 8 --json\n"
    "  jobqsim run --model ideal --arrivals poisson:9/s --job-time exp:1s \\\n"
    "              --concurrency 10 --reps 20\n"
    "  jobqsim run --scenario fleet.ini --jobs-csv jobs.csv\n"
    "\n"
    "Durations: 250ms, 2s, 1.5h; a bare number is seconds. Sizes: 64KiB, 1M.\n"
    "Distributions: 2s exp:2s uniform:1s..3s lognormal:mean=2s,cv=1.5 gamma: weibull:\n"
    "pareto: (mean=,cv= or their own) empirical:FILE (one duration a line).\n"
    "\n"
    "Options (--name value or --name=value), with their defaults:\n";

static const char HELP_TAIL[] =
    "  --scenario FILE            read options from an INI file first, same names\n"
    "  --help                     this\n"
    "\n"
    "Exit codes: 0 ok, 1 failure, 2 usage, 130 interrupted.\n"
    "API calls: none; nothing leaves this machine.\n";

static void help(void)
{
    struct scenario defaults;
    struct text value = {0};
    scenario_init(&defaults);
    fputs(HELP_HEAD, stdout);
    for (int i = 0; i < scenario_option_count(); i++) {
        const struct scenario_option *o = scenario_option_at(i);
        char left[64];
        snprintf(left, sizeof left, "--%s%s%s", o->name, o->metavar ? " " : "",
                 o->metavar ? o->metavar : "");
        text_clear(&value);
        scenario_put_option(&defaults, i, &value);
        printf("  %-26s %s\n", left, o->help);
        if (o->metavar && value.len > 0 && strcmp(value.ptr, "none") != 0)
            printf("  %-26s   default %s\n", "", value.ptr);
    }
    fputs(HELP_TAIL, stdout);
    text_release(&value);
    scenario_release(&defaults);
}

/* ---- arguments ---------------------------------------------------------------------- */

static int bad_argument(const char *argument, struct jobq_error *err)
{
    char safe[80];
    text_escape(argument, (int64_t)strlen(argument), safe, sizeof safe);
    return jobq_fail(err, JOBQ_INVALID, "unexpected argument '%s', see --help", safe);
}

/* Splits --name=value; *value is NULL where there is none. */
static void split(const char *argument, char name[64], const char **value)
{
    const char *start = argument + 2, *equals = strchr(start, '=');
    size_t len = equals ? (size_t)(equals - start) : strlen(start);
    len = len < 63 ? len : 63;
    memcpy(name, start, len);
    name[len] = '\0';
    *value = equals ? equals + 1 : NULL;
}

static int unknown(const char *name, struct jobq_error *err)
{
    char safe[70];
    const char *nearest = scenario_option_nearest(name);
    text_escape(name, (int64_t)strlen(name), safe, sizeof safe);
    if (nearest)
        return jobq_fail(err, JOBQ_INVALID, "unknown option '--%s', did you mean '--%s'?",
                         safe, nearest);
    return jobq_fail(err, JOBQ_INVALID, "unknown option '--%s', see --help", safe);
}

/* One option from argv[*at] on; moves *at past it. files: only --scenario is looked at;
 * else only the others. */
static int take_option(struct scenario *s, int argc, char **argv, int *at, bool files,
                       struct jobq_error *err)
{
    char name[64];
    const char *value;
    if (strncmp(argv[*at], "--", 2) != 0 || argv[*at][2] == '\0')
        return bad_argument(argv[*at], err);
    split(argv[*at], name, &value);
    (*at)++;
    bool is_file = strcmp(name, "scenario") == 0;
    int index = scenario_option_find(name);
    if (!is_file && index < 0)
        return unknown(name, err);
    bool flag = !is_file && !scenario_option_at(index)->metavar;
    if (flag && !value)
        value = "yes";
    if (!value && *at < argc)
        value = argv[(*at)++];
    if (!value)
        return jobq_fail(err, JOBQ_INVALID, "option '--%s' needs a value", name);
    if (is_file != files)
        return JOBQ_OK;
    return is_file ? scenario_read_file(s, value, err)
                   : scenario_set(s, name, value, err);
}

static int read_arguments(struct scenario *s, int argc, char **argv,
                          struct jobq_error *err)
{
    for (int files = 1; files >= 0; files--)
        for (int at = 0; at < argc;) {
            int code = take_option(s, argc, argv, &at, files, err);
            if (code != JOBQ_OK)
                return code;
        }
    return scenario_finish(s, err);
}

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
    struct outfile jobs, page;
};

static int first_played(void *ctx, const struct scene *scene, struct jobq_error *err)
{
    struct outputs *o = ctx;
    if (o->jobs.file && run_report_jobs(scene, o->jobs.file) != 0)
        return jobq_fail(err, JOBQ_DENIED, "cannot write the jobs' file");
    struct jobq_str page = scene_page(scene);
    if (o->page.file && page.ptr)
        fwrite(page.ptr, 1, (size_t)page.len, o->page.file);
    return JOBQ_OK;
}

static int open_outputs(const struct scenario *s, struct outputs *o,
                        struct jobq_error *err)
{
    int code = JOBQ_OK;
    if (s->jobs_csv)
        code = outfile_open(s->jobs_csv, &o->jobs, err);
    if (code == JOBQ_OK && s->page)
        code = outfile_open(s->page, &o->page, err);
    return code;
}

static int commit_outputs(struct outputs *o, struct jobq_error *err)
{
    int code = JOBQ_OK;
    if (o->jobs.file)
        code = outfile_commit(&o->jobs, err);
    if (code == JOBQ_OK && o->page.file)
        code = outfile_commit(&o->page, err);
    return code;
}

static int print(const struct scenario *s, const struct world_params *params,
                 const struct run_result *result, struct jobq_error *err)
{
    struct text out = {0};
    if (s->json)
        run_report_json(s, result, &out);
    else
        run_report_text(s, params, result, &out);
    size_t written = fwrite(out.ptr, 1, out.len, stdout);
    bool failed = written != out.len || fflush(stdout) != 0;
    text_release(&out);
    return failed ? jobq_fail(err, JOBQ_UNAVAILABLE, "cannot write to standard output")
                  : JOBQ_OK;
}

static int play(const struct scenario *s, const struct world_params *params,
                struct outputs *outputs, struct jobq_error *err)
{
    struct progress progress = {.jobs = s->jobs * s->reps};
    struct run_options options = {.threads = s->threads,
                                  .keep_ids = s->jobs_csv != NULL,
                                  .page = s->page != NULL,
                                  .progress = &progress.ended,
                                  .first = first_played,
                                  .ctx = outputs};
    if (isatty(STDERR_FILENO))
        progress.running =
            pthread_create(&progress.thread, NULL, show_progress, &progress) == 0;
    struct run_result result;
    int code = run_scenario(s, params, &options, &result, err);
    atomic_store(&progress.done, 1);
    if (progress.running)
        pthread_join(progress.thread, NULL);
    if (code == JOBQ_OK)
        code = commit_outputs(outputs, err);
    if (code == JOBQ_OK)
        code = print(s, params, &result, err);
    run_result_release(&result);
    return code;
}

int cmd_run(int argc, char **argv)
{
    for (int i = 0; i < argc; i++)
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            help();
            return CMD_OK;
        }
    struct jobq_error err = {0};
    struct scenario scenario;
    struct outputs outputs = {0};
    struct world_params *params = NULL;
    scenario_init(&scenario);
    int code = read_arguments(&scenario, argc, argv, &err);
    if (code == JOBQ_OK) {
        params = run_params(&scenario, &err);
        code = params ? JOBQ_OK : err.code;
    }
    cmd_catch_signals();
    if (code == JOBQ_OK)
        code = open_outputs(&scenario, &outputs, &err);
    if (code == JOBQ_OK)
        code = play(&scenario, params, &outputs, &err);
    outfile_abandon(&outputs.jobs);
    outfile_abandon(&outputs.page);
    free(params);
    scenario_release(&scenario);
    return code == JOBQ_OK ? CMD_OK : cmd_fail("run", &err);
}
