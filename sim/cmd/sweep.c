/* sweep.c - `jobqsim sweep` and `jobqsim merge`: a scenario at many points.
 *
 * Room:     sim, the command line. */
#include "sim/cmd/subcommand.h"

#include "base/text.h"
#include "jobq/units.h"
#include "sim/sweep/rowfile.h"
#include "sim/sweep/sweep.h"
#include "sim/sweep/wide.h"

#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const char SWEEP_HEAD[] =
    "Usage: jobqsim sweep -o FILE.csv [OPTION=VALUES...]\n"
    "Run a scenario at every point of a grid or of a design that fills ranges\n"
    "evenly, and write what each job used there.\n\n"
    "  jobqsim sweep -o s.csv --payload 64,1k,64k --concurrency 1,2,4,8,16,32 \\\n"
    "                --job-time 10ms..100s:log:9 --jobs 2000\n"
    "  jobqsim sweep -o s.csv --design lhs:10k --payload 64..64k:log \\\n"
    "                --job-time 10ms..100s:log --concurrency 1..32:log\n"
    "  jobqsim sweep -o s.csv --job-time exp:1s,exp:10s --precision 1%\n"
    "  jobqsim sweep -o s2.csv --shard 2/8 ...\n"
    "  jobqsim merge -o s.csv s?.csv\n\n"
    "A setting takes one value, a list (64,1k,64k), or a range (LOW..HIGH:log:9 or\n"
    ":lin:9; without a count it is sampled by --design lhs).\n\n"
    "Options, with their ranges and (defaults):\n";
static const char SWEEP_TAIL[] =
    "\n"
    "Exit codes: 0 ok, 1 failure, 2 usage, 130 interrupted (finished points are\n"
    "kept).\n"
    "API calls: none; nothing leaves this machine.\n";

enum { OUT, DESIGN, DOMAIN, PRECISION, CONTROL, SHARD, QUIET };
static const struct option_def SWEEP_OPTIONS[] = {
    {"out", 'o', "FILE",
     "the CSV to write (FILE.part until done); the same command resumes"},
    {"design", 0, "grid|lhs:N|sobol:N|random:N",
     "every combination, or N points: a Latin hypercube or a scrambled Sobol sequence, "
     "which fill the ranges evenly, or independent ones (grid)"},
    {"domain", 0, "wide",
     "vary all that is not given over the range in which the formulas are checked"},
    {"precision", 0, "P",
     "replicate until requests, makespan and mean sojourn are known to this share (95 "
     "%), "
     "10 to 1000 times"},
    {"control", 0, NULL,
     "use control variates: fewer jobs for the same precision of instance time"},
    {"shard", 0, "I/N|auto",
     "every N-th point, from the I-th on; auto: of an array job of AWS Batch or Slurm"},
    {"quiet", 'q', NULL, "no progress"},
    {NULL, 0, NULL, NULL}};

static const char MERGE_HEAD[] =
    "Usage: jobqsim merge -o FILE.csv SHARD.csv...\n"
    "Join the finished shards of one sweep into the file that an unsharded sweep\n"
    "gives.\n"
    "\n"
    "  jobqsim merge -o s.csv s1.csv s2.csv s3.csv s4.csv\n"
    "\n"
    "Options:\n";
static const char MERGE_TAIL[] = "\nExit codes: 0 ok, 1 failure, 2 usage.\n";
static const struct option_def MERGE_OPTIONS[] = {{"out", 'o', "FILE", "the result"},
                                                  {NULL, 0, NULL, NULL}};

static volatile sig_atomic_t stop_asked;

static void sweep_ask_stop(int signal)
{
    (void)signal;
    if (stop_asked)
        _exit(130);
    stop_asked = 1;
}

struct arguments {
    struct scenario base;
    struct design *design;
    struct sweep_options options;
    enum design_fill fill;
    int64_t points;
    bool wide, quiet;
};

/* ---- arguments ---------------------------------------------------------------------- */

static int parse_precision(const char *text, double *out, struct jobq_error *err)
{
    int code = jobq_parse_number(text, out, err);
    if (code == JOBQ_OK && !(*out > 0 && *out < 1))
        code = jobq_fail(err, JOBQ_LIMIT, "'%.30s' is not between 0 and 100%%", text);
    return code == JOBQ_OK ? code : jobq_wrap(err, "--precision");
}

/* A scenario's option: one value is set, several become an axis. */
static int take_scenario_option(struct arguments *a, const char *name, const char *value,
                                struct jobq_error *err)
{
    enum design_kind kind;
    int code = sweep_axis_kind(name, &kind, err);
    if (code != JOBQ_OK)
        return code;
    struct design *alone = design_new();
    code = design_axis(alone, name, kind, value, err);
    bool varies = code == JOBQ_OK && design_points(alone) > 1;
    design_free(alone);
    if (code != JOBQ_OK)
        return code;
    for (int i = 0; i < design_axes(a->design) && varies; i++)
        if (strcmp(design_option(a->design, i), name) == 0)
            return jobq_fail(err, JOBQ_INVALID, "'--%s' is given twice", name);
    return varies ? design_axis(a->design, name, kind, value, err)
                  : scenario_set(&a->base, name, value, err);
}

static int read_own(struct arguments *a, const struct options *read,
                    struct jobq_error *err)
{
    const char *design = options_text(read, DESIGN), *shard = options_text(read, SHARD),
               *domain = options_text(read, DOMAIN),
               *precision = options_text(read, PRECISION);
    int code = JOBQ_OK;
    a->options.shards = 1;
    a->options.out_path = options_text(read, OUT);
    a->options.control = options_item(read, CONTROL);
    a->quiet = options_item(read, QUIET);
    if (!a->options.out_path)
        return jobq_fail(err, JOBQ_INVALID, "name the CSV with -o FILE");
    if (design)
        code = design_fill_parse(design, &a->fill, &a->points, err);
    if (code != JOBQ_OK)
        return jobq_wrap(err, "--design");
    if (domain && strcmp(domain, "wide") != 0)
        return jobq_fail(err, JOBQ_INVALID, "--domain wants wide, not '%.40s'", domain);
    a->wide = domain != NULL;
    if (a->wide && a->fill == DESIGN_GRID)
        return jobq_fail(err, JOBQ_INVALID,
                         "--domain wide needs --design lhs:N, sobol:N or random:N");
    if (code == JOBQ_OK && shard)
        code = cmd_shard(shard, &a->options.shard, &a->options.shards, err);
    if (code == JOBQ_OK && precision)
        code = parse_precision(precision, &a->options.precision, err);
    return code;
}

/* The settings that vary are axes; the file's are set before. */
static int read_arguments(struct arguments *a, const struct commandline *command,
                          const struct options *read, struct jobq_error *err)
{
    int code = read_own(a, read, err);
    int file = options_find(read->spec, "scenario");
    if (code == JOBQ_OK && options_text(read, file))
        code = scenario_read_file(&a->base, options_text(read, file), err);
    for (int i = 0; i < read->items && code == JOBQ_OK; i++) {
        const struct options_item *item = &read->item[i];
        const char *name = command->def[item->option].name;
        int index = item->option < command->own ? -1 : setting_find(name);
        if (index < 0)
            continue;
        code = setting_at(index)->same ? scenario_set(&a->base, name, item->text, err)
                                       : take_scenario_option(a, name, item->text, err);
        if (code != JOBQ_OK)
            options_blame(read, item, err);
    }
    a->options.threads = a->base.threads < 0 ? 0 : (int)a->base.threads;
    if (code == JOBQ_OK && a->wide)
        code = wide_design(&a->base, a->design, err);
    if (code == JOBQ_OK)
        code = design_fill(a->design, a->fill, a->points, a->base.seed, err);
    return code;
}

/* ---- progress ------------------------------------------------------------------------ */

static double sweep_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

struct progress {
    double started_s, shown_s;
    bool shown;
};

static void show(void *ctx, int64_t done, int64_t first, int64_t total)
{
    struct progress *p = ctx;
    double now = sweep_seconds(), spent = now - p->started_s;
    if (now - p->shown_s < 0.2 && done < total)
        return;
    p->shown_s = now;
    enum { WIDTH = 24 };
    char bar[WIDTH + 1];
    int filled = total ? (int)((double)WIDTH * (double)done / (double)total) : WIDTH;
    for (int i = 0; i < WIDTH; i++)
        bar[i] = i < filled ? '#' : '.';
    bar[WIDTH] = '\0';
    fprintf(stderr, "\r\033[K[%s] %lld of %lld points", bar, (long long)done,
            (long long)total);
    if (done > first && done < total)
        fprintf(stderr, ", %.0f s left",
                spent * (double)(total - done) / (double)(done - first));
    fflush(stderr);
    p->shown = true;
}

static int sweep_play(struct arguments *a, struct progress *progress,
                      struct jobq_error *err)
{
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = sweep_ask_stop;
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    a->options.stop = &stop_asked;
    if (!a->quiet && isatty(STDERR_FILENO)) {
        a->options.progress = show;
        a->options.progress_ctx = progress;
    }
    double jobs = 0, plain = 0;
    a->options.jobs = &jobs;
    a->options.jobs_plain = &plain;
    int code = sweep_run(&a->base, a->design, &a->options, err);
    if (progress->shown)
        fputs("\r\033[K", stderr);
    if (code == JOBQ_OK && a->options.control && a->options.precision > 0 && !a->quiet)
        fprintf(stderr,
                "%.4g jobs simulated; without control variates the same precision takes "
                "%.4g\n",
                jobs, plain);
    return code;
}

const struct subcommand sub_sweep = {"sweep",     SWEEP_HEAD, SWEEP_TAIL, SWEEP_OPTIONS,
                                     TAKER_SWEEP, false,      false};

int cmd_sweep(int argc, char **argv)
{
    struct jobq_error err = {0};
    struct commandline command;
    struct options read;
    struct arguments a = {.design = design_new()};
    struct progress progress = {.started_s = sweep_seconds()};
    scenario_init(&a.base);
    int done = cmd_read(&sub_sweep, argc, argv, &command, &read, NULL);
    if (done < 0) {
        int code = read_arguments(&a, &command, &read, &err);
        if (code == JOBQ_OK && commandline_wants_scenario(&read)) {
            commandline_show_scenario(&read, &a.base, stdout);
            done = CMD_OK;
        } else if (code == JOBQ_OK) {
            code = sweep_play(&a, &progress, &err);
        }
        if (code == JOBQ_CANCELLED) {
            fprintf(
                stderr,
                "jobqsim sweep: stopped; '%s.part' keeps the finished points, the same "
                "command goes on\n",
                a.options.out_path);
            done = 130;
        } else if (done < 0) {
            done = code == JOBQ_OK ? CMD_OK : cmd_fail("sweep", &err);
        }
    }
    design_free(a.design);
    scenario_release(&a.base);
    options_release(&read);
    commandline_release(&command);
    return done;
}

const struct subcommand sub_merge = {"merge", MERGE_HEAD, MERGE_TAIL, MERGE_OPTIONS,
                                     0,       true,       false};

int cmd_merge(int argc, char **argv)
{
    struct jobq_error err = {0};
    struct commandline command;
    struct options read;
    int done = cmd_read(&sub_merge, argc, argv, &command, &read, NULL);
    if (done < 0) {
        const char *out = options_text(&read, 0);
        int code =
            !out || read.args == 0
                ? jobq_fail(&err, JOBQ_INVALID, "name the result with -o, and the shards")
                : rowfile_merge((const char *const *)read.arg, read.args, out, &err);
        done = code == JOBQ_OK ? CMD_OK : cmd_fail("merge", &err);
    }
    options_release(&read);
    commandline_release(&command);
    return done;
}
