/* torture.c - `jobqsim torture`: many seeded runs with faults, each checked.
 *
 * Room:     sim, the command line. */
#include "sim/cmd/subcommand.h"

#include "base/text.h"
#include "jobq/units.h"
#include "sim/cmd/failure.h"
#include "sim/torture/campaign.h"

#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char HELP_HEAD[] =
    "Usage: jobqsim torture [OPTION...]\n"
    "Run small fleets with everything that can go wrong for a job queue, each from a\n"
    "seed, and check what is left: no job lost, none forgotten, one result each;\n"
    "every claim and delete allowed, every call on the ledger, no box left behind.\n"
    "\n"
    "  jobqsim torture --seeds 10k\n"
    "  jobqsim torture --minutes 30 --first 1000000\n"
    "  jobqsim torture --seed 4711                 repeat one seed\n"
    "  jobqsim torture --seed 4711 --faults late --jobs 10 --until 30s\n"
    "\n"
    "Options:\n";
static const char HELP_TAIL[] =
    "\n"
    "Exit codes: 0 no violation, 1 a violation, 2 usage, 3 a fault or a branch of the\n"
    "drainer that never happened in 2,500 runs or more, 130 interrupted.\n"
    "API calls: none; nothing leaves this machine.\n";
#define CMD_NOT_COVERED 3

enum {
    SEEDS,
    MINUTES,
    FIRST,
    SEED,
    SHARD,
    FAULTS,
    GENTLE,
    JOBS,
    BOXES,
    CONCURRENCY,
    STORE,
    FROM,
    UNTIL,
    SHRINK,
    TIMELINE,
    LIST,
    QUIET
};
static const struct option_def OPTIONS[] = {
    {"seeds", 0, "N", "how many runs (100)"},
    {"minutes", 0, "M", "as many runs as begin within so many minutes"},
    {"first", 0, "S", "the first seed (1)"},
    {"seed", 0, "S", "this seed alone"},
    {"shard", 0, "I/N|auto",
     "every N-th seed, from the I-th on; auto: of an array job of AWS Batch or Slurm"},
    {"faults", 0, "LIST",
     "only these faults: all, none, names, all,-NAME (as the seed draws)"},
    {"gentle", 0, NULL, "no faults"},
    {"jobs", 0, "N", "jobs a run; 1 to 100k (20 to 200, by the seed)"},
    {"boxes", 0, "N", "boxes a run; 1 to 100 (1 to 4, by the seed)"},
    {"concurrency", 0, "N", "slots a box; 1 to 1000 (1 to 12, by the seed)"},
    {"store", 0, "simpledb|dynamodb", "where the rows are (as the seed draws)"},
    {"from", 0, "T", "no faults before (0s)"},
    {"until", 0, "T", "no faults after; up to 1h (30s to 4min, by the seed)"},
    {"shrink", 0, NULL, "make the first failing run small, and print what happens in it"},
    {"timeline", 0, "FILE", "write that to FILE, drawn if it is called *.svg"},
    {"list", 0, NULL, "print the names of all faults, and what they do"},
    {"quiet", 'q', NULL, "no progress, and no counts of faults and branches"},
    {NULL, 0, NULL, NULL}};

static volatile sig_atomic_t stop_asked;

static void torture_ask_stop(int signal)
{
    (void)signal;
    if (stop_asked)
        _exit(130);
    stop_asked = 1;
}

struct crew {
    struct campaign_options options;
    bool list, quiet, shown;
    struct failure_options failure;
    struct torture_run failed; /* of those that fail, that with the lowest seed */
    bool any_failed;
};

static uint64_t faults_among(const struct crew *c)
{
    return c->options.faults_given ? c->options.given.faults : TORTURE_ALL;
}

static void clear_line(struct crew *c)
{
    if (c->shown)
        fputs("\r\033[K", stderr);
    c->shown = false;
}

static void print_finding(void *ctx, const struct torture_run *run, const char *check,
                          const char *what)
{
    struct crew *c = ctx;
    struct text command = {0};
    torture_command(run, &command);
    clear_line(c);
    printf("seed=%llu: %s: %s\n  %s  # " JOBQ_VERSION "\n", (unsigned long long)run->seed,
           check, what, command.ptr);
    fflush(stdout);
    if (!c->any_failed || run->seed < c->failed.seed)
        c->failed = *run;
    c->any_failed = true;
    text_release(&command);
}

static void print_progress(void *ctx, const struct campaign *so_far)
{
    struct crew *c = ctx;
    const struct campaign_options *o = &c->options;
    uint64_t among = faults_among(c);
    double done = (double)so_far->runs, left_s = 0;
    if (o->seconds > 0)
        left_s = o->seconds - so_far->real_s;
    double runs_left_s =
        ((double)campaign_size(o) - done) * so_far->real_s / (done > 0 ? done : 1);
    if (o->seconds <= 0 || runs_left_s < left_s)
        left_s = runs_left_s;
    fprintf(stderr,
            "\r\033[K%lld runs, %lld findings, %d of %d faults and %d of %d branches "
            "seen, %.0f s left",
            (long long)so_far->runs, (long long)so_far->findings,
            campaign_faults_seen(so_far, among), __builtin_popcountll(among),
            campaign_branches_seen(so_far), TORTURE_BRANCH_COUNT,
            left_s > 0 ? left_s : 0);
    fflush(stderr);
    c->shown = true;
}

static int read_time(const struct options *read, int option, int64_t most_ns,
                     int64_t *out_ns, struct jobq_error *err)
{
    const struct options_item *item = options_item(read, option);
    int64_t ns;
    if (!item)
        return JOBQ_OK;
    int code = jobq_parse_duration(item->text, &ns, err);
    if (code == JOBQ_OK && ns > most_ns)
        code = jobq_fail(err, JOBQ_LIMIT, "'%.40s' is more than 1h", item->text);
    if (code != JOBQ_OK)
        return options_blame(read, item, err);
    *out_ns = ns;
    return JOBQ_OK;
}

/* --seed S is --first S --seeds 1. */
static int read_seed(struct crew *c, const struct options *read, struct jobq_error *err)
{
    if (!options_item(read, SEED))
        return JOBQ_OK;
    static const int others[] = {SEEDS, FIRST, MINUTES, SHARD};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        if (options_item(read, others[i]))
            return jobq_fail(err, JOBQ_INVALID, "--seed is one seed: not with --%s",
                             OPTIONS[others[i]].name);
    c->options.seeds = 1;
    return cmd_count(read, SEED, 0, INT64_MAX / 2, &c->options.first, err);
}

/* --minutes alone: as many seeds as there is time for. */
static int read_minutes(struct crew *c, const struct options *read,
                        struct jobq_error *err)
{
    const struct options_item *item = options_item(read, MINUTES);
    double minutes;
    if (!item)
        return JOBQ_OK;
    int code = jobq_parse_number(item->text, &minutes, err);
    if (code == JOBQ_OK && !(minutes > 0 && minutes <= 100000))
        code = jobq_fail(err, JOBQ_LIMIT, "'%.40s' is out of range, want up to 100k",
                         item->text);
    if (code != JOBQ_OK)
        return options_blame(read, item, err);
    c->options.seconds = 60 * minutes;
    if (!options_item(read, SEEDS))
        c->options.seeds = INT64_MAX / 2;
    return JOBQ_OK;
}

static int read_store(struct crew *c, const struct options *read, struct jobq_error *err)
{
    const struct options_item *item = options_item(read, STORE);
    if (!item)
        return JOBQ_OK;
    bool dynamodb = strcmp(item->text, "dynamodb") == 0;
    if (!dynamodb && strcmp(item->text, "simpledb") != 0) {
        jobq_fail(err, JOBQ_INVALID, "'%.40s' is neither simpledb nor dynamodb",
                  item->text);
        return options_blame(read, item, err);
    }
    c->options.given.store = dynamodb ? SCENARIO_STORE_DYNAMODB : SCENARIO_STORE_SIMPLEDB;
    return JOBQ_OK;
}

static int read_faults(struct crew *c, const struct options *read, struct jobq_error *err)
{
    const struct options_item *item = options_item(read, FAULTS);
    bool gentle = options_item(read, GENTLE);
    if (item && gentle)
        return jobq_fail(err, JOBQ_INVALID, "--gentle is --faults none: not both");
    c->options.faults_given = item || gentle;
    if (item && torture_faults_read(item->text, &c->options.given.faults, err) != JOBQ_OK)
        return options_blame(read, item, err);
    return JOBQ_OK;
}

static int read_options(struct crew *c, const struct options *read,
                        const struct scenario *scenario, struct jobq_error *err)
{
    int code = cmd_count(read, SEEDS, 1, 1000000000, &c->options.seeds, err);
    if (code == JOBQ_OK)
        code = cmd_count(read, FIRST, 0, INT64_MAX / 2, &c->options.first, err);
    const char *shard = options_text(read, SHARD);
    c->options.shards = 1;
    if (code == JOBQ_OK && shard)
        code = cmd_shard(shard, &c->options.shard, &c->options.shards, err);
    code = code ? code : read_minutes(c, read, err);
    code = code ? code : read_seed(c, read, err);
    code = code ? code : read_faults(c, read, err);
    code = code ? code : read_store(c, read, err);
    code = code ? code : cmd_count(read, JOBS, 1, 100000, &c->options.given.jobs, err);
    code = code ? code : cmd_count(read, BOXES, 1, 100, &c->options.given.boxes, err);
    code =
        code ? code : cmd_count(read, CONCURRENCY, 1, 1000, &c->options.given.slots, err);
    code = code ? code
                : read_time(read, FROM, JOBQ_NS_PER_HOUR, &c->options.given.from_ns, err);
    code =
        code ? code
             : read_time(read, UNTIL, JOBQ_NS_PER_HOUR, &c->options.given.until_ns, err);
    const struct options_item *timeline = options_item(read, TIMELINE);
    c->failure.shrink = options_item(read, SHRINK);
    c->failure.file = timeline ? timeline->text : NULL;
    c->options.given.rows = (enum scenario_rows)scenario->rows;
    if (code == JOBQ_OK && scenario->rows == SCENARIO_ROWS_NONE)
        code = jobq_fail(err, JOBQ_INVALID, "--rows none: there is nothing to check");
    c->list = options_item(read, LIST);
    c->quiet = options_item(read, QUIET);
    c->options.threads =
        scenario->threads < 0 ? sysconf(_SC_NPROCESSORS_ONLN) : scenario->threads;
    return code;
}

static int torture(struct crew *crew);

const struct subcommand sub_torture = {"torture",     HELP_HEAD, HELP_TAIL, OPTIONS,
                                       TAKER_TORTURE, false,     false};

int cmd_torture(int argc, char **argv)
{
    struct crew crew = {.options = {.given = {.jobs = -1,
                                              .boxes = -1,
                                              .slots = -1,
                                              .store = -1,
                                              .from_ns = -1,
                                              .until_ns = -1},
                                    .first = 1,
                                    .seeds = 100}};
    struct jobq_error err;
    struct commandline command;
    struct options read;
    struct scenario scenario;
    scenario_init(&scenario);
    int done = cmd_read(&sub_torture, argc, argv, &command, &read, &scenario);
    if (done < 0 && read_options(&crew, &read, &scenario, &err) != JOBQ_OK)
        done = cmd_fail("torture", &err);
    scenario_release(&scenario);
    options_release(&read);
    commandline_release(&command);
    return done < 0 ? torture(&crew) : done;
}

static void print_list(void)
{
    for (int i = 0; i < TORTURE_FAULT_COUNT; i++)
        printf("%-14s %s\n", torture_fault_name((enum torture_fault)i),
               torture_fault_text((enum torture_fault)i));
}

static void print_sums(const struct crew *c, const struct campaign *sum)
{
    printf("%lld runs, %lld jobs, %lld findings; %.0f h simulated in %.1f s, %.0f times "
           "as fast as real time\n",
           (long long)sum->runs, (long long)sum->jobs, (long long)sum->findings,
           sum->virtual_s / 3600, sum->real_s,
           sum->real_s > 0 ? sum->virtual_s / sum->real_s : 0);
    if (c->quiet)
        return;
    printf("faults:");
    for (int i = 0; i < TORTURE_FAULT_COUNT; i++)
        printf(" %s %lld", torture_fault_name((enum torture_fault)i),
               (long long)sum->fired[i]);
    printf("\nbranches:");
    for (int i = 0; i < TORTURE_BRANCH_COUNT; i++)
        printf("%s %s %lld", i ? "," : "", torture_branch_name((enum torture_branch)i),
               (long long)sum->branch[i]);
    printf("\n");
}

/* Says what never happened; true: and there was every chance that it would. */
static bool is_uncovered(const struct crew *c, const struct campaign *sum)
{
    struct text missing = {0};
    campaign_put_missing(sum, faults_among(c), &missing);
    /* With fewer rows some things cannot happen. */
    bool whole = !c->options.faults_given && c->options.given.rows == SCENARIO_ROWS_ALL;
    bool enough = sum->runs >= CAMPAIGN_COVERS && whole;
    bool uncovered = missing.len > 0 && enough;
    if (uncovered)
        printf("never happened: %s\n", missing.ptr);
    else if (missing.len > 0 && sum->runs > 1 && whole && !c->quiet)
        printf("not seen, for which %lld runs may be too few: %s\n", (long long)sum->runs,
               missing.ptr);
    text_release(&missing);
    return uncovered;
}

static void catch_signals(void)
{
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = torture_ask_stop;
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

static int torture(struct crew *c)
{
    struct campaign sum;
    struct jobq_error err;
    if (c->list) {
        print_list();
        return CMD_OK;
    }
    catch_signals();
    c->options.stop = &stop_asked;
    c->options.finding = print_finding;
    if (!c->quiet && isatty(STDERR_FILENO))
        c->options.progress = print_progress;
    c->options.ctx = c;
    campaign_run(&c->options, &sum);
    clear_line(c);
    print_sums(c, &sum);
    bool uncovered = is_uncovered(c, &sum);
    if (c->any_failed && !stop_asked && (c->failure.shrink || c->failure.file) &&
        failure_show(&c->failure, &c->failed, &err) != JOBQ_OK)
        return cmd_fail("torture", &err);
    return stop_asked     ? 130
           : sum.findings ? CMD_FAILURE
           : uncovered    ? CMD_NOT_COVERED
                          : CMD_OK;
}
