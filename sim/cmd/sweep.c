/* sweep.c - `jobqsim sweep` and `jobqsim merge`: a scenario at many points.
 *
 * Room:     sim, the command line. */
#include "sim/cmd/subcommand.h"

#include "base/text.h"
#include "jobq/units.h"
#include "sim/sweep/rowfile.h"
#include "sim/sweep/sweep.h"

#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const char SWEEP_HELP[] =
    "Usage: jobqsim sweep -o FILE.csv [OPTION=VALUES...]\n"
    "Play a scenario at every point of a grid or a Latin hypercube, and write what each\n"
    "job used there.\n"
    "\n"
    "  jobqsim sweep -o s.csv --payload 64,1k,64k --concurrency 1,2,4,8,16,32 \\\n"
    "                --job-time 10ms..100s:log:9 --jobs 2000\n"
    "  jobqsim sweep -o s.csv --design lhs:10k --payload 64..64k:log \\\n"
    "                --job-time 10ms..100s:log --concurrency 1..32:log\n"
    "  jobqsim sweep -o s.csv --job-time exp:1s,exp:10s --precision 1%\n"
    "  jobqsim sweep -o s2.csv --shard 2/8 ...       then: jobqsim merge -o s.csv "
    "s?.csv\n"
    "\n"
    "Any option of `jobqsim run` that can change a result takes one value, a list\n"
    "(64,1k,64k), or a range (LOW..HIGH:log:9 or :lin:9; without a count it is sampled\n"
    "by --design lhs).\n"
    "\n"
    "  -o, --out FILE       the CSV; FILE.part meanwhile. The same command resumes\n"
    "  --design grid|lhs:N  every combination, or N points that fill the ranges evenly\n"
    "  --reps N             replications of each point (1), the same streams at each\n"
    "  --precision P        replicate until requests, makespan and mean sojourn are\n"
    "                       known to this share (95 %), 10 to 1000 times\n"
    "  --shard I/N          every N-th point, from the I-th on\n"
    "  --threads N|auto     points at once; the bytes do not depend on it\n"
    "  --scenario FILE      read options from an INI file first\n"
    "  --quiet              no progress\n"
    "  --help               this\n"
    "\n"
    "Exit codes: 0 ok, 1 failure, 2 usage, 130 interrupted (what is done is kept).\n"
    "API calls: none; nothing leaves this machine.\n";

static const char MERGE_HELP[] =
    "Usage: jobqsim merge -o FILE.csv SHARD.csv...\n"
    "Join the finished shards of one sweep into the file that an unsharded sweep gives.\n"
    "\n"
    "  jobqsim merge -o s.csv s1.csv s2.csv s3.csv s4.csv\n"
    "\n"
    "Exit codes: 0 ok, 1 failure, 2 usage.\n";

static volatile sig_atomic_t stop_asked;

static void ask_stop(int signal)
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
    int64_t lhs_points;
    bool quiet;
};

/* ---- arguments ---------------------------------------------------------------------- */

static int parse_shard(const char *text, struct sweep_options *o, struct jobq_error *err)
{
    const char *slash = strchr(text, '/');
    int64_t shard = 0, shards = 0;
    if (!slash || !str_to_int((struct jobq_str){text, slash - text}, &shard) ||
        !str_to_int(str_of(slash + 1), &shards) || shard < 1 || shards < shard ||
        shards > 100000) {
        char shown[40];
        text_escape(text, (int64_t)strlen(text), shown, sizeof shown);
        return jobq_fail(err, JOBQ_INVALID,
                         "--shard wants I/N with 1 <= I <= N, not '%s'", shown);
    }
    o->shard = shard - 1;
    o->shards = shards;
    return JOBQ_OK;
}

static int parse_design(const char *text, int64_t *out, struct jobq_error *err)
{
    if (strcmp(text, "grid") == 0) {
        *out = 0;
        return JOBQ_OK;
    }
    if (strncmp(text, "lhs:", 4) == 0) {
        int code = jobq_parse_count(text + 4, out, err);
        if (code == JOBQ_OK && *out < 1)
            code = jobq_fail(err, JOBQ_INVALID, "a hypercube of no points");
        return code == JOBQ_OK ? code : jobq_wrap(err, "--design");
    }
    char shown[40];
    text_escape(text, (int64_t)strlen(text), shown, sizeof shown);
    return jobq_fail(err, JOBQ_INVALID, "--design wants grid or lhs:N, not '%s'", shown);
}

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

static int take_option(struct arguments *a, const char *name, const char *value,
                       bool files, struct jobq_error *err)
{
    bool is_file = strcmp(name, "scenario") == 0;
    if (is_file != files)
        return JOBQ_OK;
    if (is_file)
        return scenario_read_file(&a->base, value, err);
    if (strcmp(name, "out") == 0) {
        a->options.out_path = value;
        return JOBQ_OK;
    }
    if (strcmp(name, "design") == 0)
        return parse_design(value, &a->lhs_points, err);
    if (strcmp(name, "shard") == 0)
        return parse_shard(value, &a->options, err);
    if (strcmp(name, "precision") == 0)
        return parse_precision(value, &a->options.precision, err);
    if (strcmp(name, "threads") == 0) {
        int code = scenario_set(&a->base, name, value, err);
        a->options.threads = (int)a->base.threads;
        return code;
    }
    return take_scenario_option(a, name, value, err);
}

static int read_pass(struct arguments *a, int argc, char **argv, bool files,
                     struct jobq_error *err)
{
    for (int at = 0; at < argc; at++) {
        const char *word = argv[at], *value = NULL;
        char name[64] = "out";
        if (strcmp(word, "--quiet") == 0) {
            a->quiet = true;
            continue;
        }
        if (strncmp(word, "--", 2) == 0 && word[2]) {
            const char *equals = strchr(word, '=');
            size_t len = equals ? (size_t)(equals - word - 2) : strlen(word + 2);
            snprintf(name, sizeof name, "%.*s", (int)(len < 63 ? len : 63), word + 2);
            value = equals ? equals + 1 : NULL;
        } else if (strcmp(word, "-o") != 0) {
            char shown[60];
            text_escape(word, (int64_t)strlen(word), shown, sizeof shown);
            return jobq_fail(err, JOBQ_INVALID, "unexpected argument '%s', see --help",
                             shown);
        }
        int index = scenario_option_find(name);
        if (!value && index >= 0 && !scenario_option_at(index)->metavar)
            value = "yes";
        if (!value && ++at < argc)
            value = argv[at];
        if (!value)
            return jobq_fail(err, JOBQ_INVALID, "option '%s' needs a value", word);
        int code = take_option(a, name, value, files, err);
        if (code != JOBQ_OK)
            return code;
    }
    return JOBQ_OK;
}

static int read_arguments(struct arguments *a, int argc, char **argv,
                          struct jobq_error *err)
{
    a->options.shards = 1;
    int code = read_pass(a, argc, argv, true, err);
    if (code == JOBQ_OK)
        code = read_pass(a, argc, argv, false, err);
    if (code == JOBQ_OK && !a->options.out_path)
        code = jobq_fail(err, JOBQ_INVALID, "name the CSV with -o FILE");
    if (code == JOBQ_OK && a->lhs_points)
        code = design_lhs(a->design, a->lhs_points, a->base.seed, err);
    return code;
}

/* ---- progress ------------------------------------------------------------------------ */

static double seconds(void)
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
    double now = seconds(), spent = now - p->started_s;
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

int cmd_sweep(int argc, char **argv)
{
    for (int i = 0; i < argc; i++)
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            fputs(SWEEP_HELP, stdout);
            return CMD_OK;
        }
    struct jobq_error err = {0};
    struct arguments a = {.design = design_new()};
    struct progress progress = {.started_s = seconds()};
    scenario_init(&a.base);
    int code = read_arguments(&a, argc, argv, &err);
    if (code == JOBQ_OK) {
        struct sigaction action;
        memset(&action, 0, sizeof action);
        action.sa_handler = ask_stop;
        sigemptyset(&action.sa_mask);
        sigaction(SIGINT, &action, NULL);
        sigaction(SIGTERM, &action, NULL);
        a.options.stop = &stop_asked;
        if (!a.quiet && isatty(STDERR_FILENO)) {
            a.options.progress = show;
            a.options.progress_ctx = &progress;
        }
        code = sweep_run(&a.base, a.design, &a.options, &err);
        if (progress.shown)
            fputs("\r\033[K", stderr);
    }
    int exit_code = CMD_OK;
    if (code == JOBQ_CANCELLED) {
        fprintf(stderr,
                "jobqsim sweep: stopped; '%s.part' keeps what is done, the same command "
                "goes on\n",
                a.options.out_path);
        exit_code = 130;
    } else if (code != JOBQ_OK) {
        exit_code = cmd_fail("sweep", &err);
    }
    design_free(a.design);
    scenario_release(&a.base);
    return exit_code;
}

int cmd_merge(int argc, char **argv)
{
    const char *out = NULL;
    int shards = 0;
    struct jobq_error err = {0};
    for (int i = 0; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            fputs(MERGE_HELP, stdout);
            return CMD_OK;
        }
        if ((strcmp(argv[i], "-o") == 0 || strcmp(argv[i], "--out") == 0) && i + 1 < argc)
            out = argv[++i];
        else
            argv[shards++] = argv[i];
    }
    int code =
        !out || shards == 0
            ? jobq_fail(&err, JOBQ_INVALID, "name the result with -o, and the shards")
            : rowfile_merge((const char *const *)argv, shards, out, &err);
    return code == JOBQ_OK ? CMD_OK : cmd_fail("merge", &err);
}
