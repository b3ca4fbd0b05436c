/* torture.c - `jobqsim torture`: many seeded runs with faults, each checked.
 *
 * Room:     sim, the command line. */
#include "sim/cmd/subcommand.h"

#include "base/arena.h"
#include "base/text.h"
#include "jobq/units.h"
#include "sim/cmd/failure.h"
#include "sim/torture/torture.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char HELP_HEAD[] =
    "Usage: jobqsim torture [OPTION...]\n"
    "Run small fleets with everything that can go wrong for a job queue, each from a\n"
    "seed. Then check rows and queue: no job lost, none forgotten, one result each.\n"
    "\n"
    "  jobqsim torture --seeds 1000\n"
    "  jobqsim torture --seed 4711                 repeat one seed\n"
    "  jobqsim torture --seed 4711 --faults late --jobs 10 --until 30s\n"
    "\n"
    "Options:\n";
static const char HELP_TAIL[] =
    "\n"
    "Exit codes: 0 no violation, 1 a violation, 2 usage, 130 interrupted.\n"
    "API calls: none; nothing leaves this machine.\n";

enum {
    SEEDS,
    FIRST,
    SEED,
    FAULTS,
    GENTLE,
    JOBS,
    BOXES,
    CONCURRENCY,
    FROM,
    UNTIL,
    SHRINK,
    TIMELINE
};
static const struct option_def OPTIONS[] = {
    {"seeds", 0, "N", "how many runs (100)"},
    {"first", 0, "S", "the first seed (1)"},
    {"seed", 0, "S", "this seed alone"},
    {"faults", 0, "LIST",
     "only these faults: all, none, names, all,-NAME (as the seed draws)"},
    {"gentle", 0, NULL, "no faults"},
    {"jobs", 0, "N", "jobs a run; 1 to 100k (20 to 200, by the seed)"},
    {"boxes", 0, "N", "boxes a run; 1 to 100 (1 to 4, by the seed)"},
    {"concurrency", 0, "N", "slots a box; 1 to 1000 (1 to 12, by the seed)"},
    {"from", 0, "T", "no faults before (0s)"},
    {"until", 0, "T", "no faults after; up to 1h (20s to 2min, by the seed)"},
    {"shrink", 0, NULL, "make the first failing run small, and print what happens in it"},
    {"timeline", 0, "FILE", "write that to FILE, drawn if it is called *.svg"},
    {NULL, 0, NULL, NULL}};

struct crew {
    struct torture_run
        given; /* what replaces what the seed draws; negative: nothing does */
    bool faults_given;
    int64_t first, seeds, threads;
    _Atomic int64_t next, findings, jobs;
    _Atomic int64_t fired[TORTURE_FAULT_COUNT], branch[TORTURE_BRANCH_COUNT];
    pthread_mutex_t print;
    struct failure_options failure;
    struct torture_run failed; /* of those that fail, that with the lowest seed */
    bool any_failed;
};

static int64_t given(int64_t value, int64_t drawn)
{
    return value < 0 ? drawn : value;
}

/* The run of a seed, with what was given on the command line. */
static struct torture_run run_of(const struct crew *c, uint64_t seed)
{
    struct torture_run run;
    torture_draw(seed, TORTURE_ALL, &run);
    if (c->faults_given)
        run.faults = c->given.faults;
    run.jobs = given(c->given.jobs, run.jobs);
    run.boxes = given(c->given.boxes, run.boxes);
    run.slots = given(c->given.slots, run.slots);
    run.from_ns = given(c->given.from_ns, run.from_ns);
    run.until_ns = given(c->given.until_ns, run.until_ns);
    return run;
}

static void print_finding(struct crew *c, const struct torture_run *run,
                          const char *check, const char *what)
{
    struct text command = {0};
    torture_command(run, &command);
    pthread_mutex_lock(&c->print);
    printf("seed=%llu: %s: %s\n  %s  # " JOBQ_VERSION "\n", (unsigned long long)run->seed,
           check, what, command.ptr);
    fflush(stdout);
    if (!c->any_failed || run->seed < c->failed.seed)
        c->failed = *run;
    c->any_failed = true;
    pthread_mutex_unlock(&c->print);
    text_release(&command);
}

static void play_one(struct crew *c, struct torture *torture, int64_t index)
{
    struct torture_run run = run_of(c, (uint64_t)(c->first + index));
    struct torture_result result;
    struct jobq_error err = {0};
    int code = torture_play(torture, &run, NULL, &result, &err);
    atomic_fetch_add(&c->jobs, result.enqueued);
    for (int i = 0; i < TORTURE_FAULT_COUNT; i++)
        atomic_fetch_add(&c->fired[i], result.fired[i]);
    for (int i = 0; i < TORTURE_BRANCH_COUNT; i++)
        atomic_fetch_add(&c->branch[i], result.branch[i]);
    if (code == JOBQ_OK && !result.check)
        return;
    atomic_fetch_add(&c->findings, 1);
    if (code == JOBQ_OK)
        print_finding(c, &run, result.check, result.finding);
    else
        print_finding(c, &run, "not played", err.text);
}

static void *work(void *arg)
{
    struct crew *c = arg;
    int64_t index;
    struct torture *torture = torture_new();
    while ((index = atomic_fetch_add(&c->next, 1)) < c->seeds)
        play_one(c, torture, index);
    torture_free(torture);
    return NULL;
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
    if (options_item(read, SEEDS) || options_item(read, FIRST))
        return jobq_fail(err, JOBQ_INVALID,
                         "--seed is one seed: not with --seeds or --first");
    c->seeds = 1;
    return cmd_count(read, SEED, 0, INT64_MAX / 2, &c->first, err);
}

static int read_faults(struct crew *c, const struct options *read, struct jobq_error *err)
{
    const struct options_item *item = options_item(read, FAULTS);
    bool gentle = options_item(read, GENTLE);
    if (item && gentle)
        return jobq_fail(err, JOBQ_INVALID, "--gentle is --faults none: not both");
    c->faults_given = item || gentle;
    if (item && torture_faults_read(item->text, &c->given.faults, err) != JOBQ_OK)
        return options_blame(read, item, err);
    return JOBQ_OK;
}

static int read_options(struct crew *c, const struct options *read,
                        const struct scenario *scenario, struct jobq_error *err)
{
    int code = cmd_count(read, SEEDS, 1, 1000000000, &c->seeds, err);
    if (code == JOBQ_OK)
        code = cmd_count(read, FIRST, 0, INT64_MAX / 2, &c->first, err);
    code = code ? code : read_seed(c, read, err);
    code = code ? code : read_faults(c, read, err);
    code = code ? code : cmd_count(read, JOBS, 1, 100000, &c->given.jobs, err);
    code = code ? code : cmd_count(read, BOXES, 1, 100, &c->given.boxes, err);
    code = code ? code : cmd_count(read, CONCURRENCY, 1, 1000, &c->given.slots, err);
    code = code ? code : read_time(read, FROM, JOBQ_NS_PER_HOUR, &c->given.from_ns, err);
    code =
        code ? code : read_time(read, UNTIL, JOBQ_NS_PER_HOUR, &c->given.until_ns, err);
    const struct options_item *timeline = options_item(read, TIMELINE);
    c->failure.shrink = options_item(read, SHRINK);
    c->failure.file = timeline ? timeline->text : NULL;
    c->threads =
        scenario->threads < 0 ? sysconf(_SC_NPROCESSORS_ONLN) : scenario->threads;
    return code;
}

static int torture(struct crew *crew);

const struct subcommand sub_torture = {"torture",     HELP_HEAD, HELP_TAIL, OPTIONS,
                                       TAKER_TORTURE, false,     false};

int cmd_torture(int argc, char **argv)
{
    struct crew crew = {
        .given = {.jobs = -1, .boxes = -1, .slots = -1, .from_ns = -1, .until_ns = -1},
        .first = 1,
        .seeds = 100};
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

static int torture(struct crew *crew)
{
    cmd_catch_signals();
    pthread_mutex_init(&crew->print, NULL);
    pthread_t *thread = xcalloc((size_t)crew->threads, sizeof *thread);
    int64_t started = 0;
    while (started + 1 < crew->threads &&
           pthread_create(&thread[started], NULL, work, crew) == 0)
        started++;
    work(crew);
    for (int64_t i = 0; i < started; i++)
        pthread_join(thread[i], NULL);
    free(thread);
    pthread_mutex_destroy(&crew->print);
    int64_t findings = atomic_load(&crew->findings);
    printf("%lld runs, %lld jobs, %lld findings\nfaults:", (long long)crew->seeds,
           (long long)atomic_load(&crew->jobs), (long long)findings);
    for (int i = 0; i < TORTURE_FAULT_COUNT; i++)
        printf(" %s %lld", torture_fault_name((enum torture_fault)i),
               (long long)atomic_load(&crew->fired[i]));
    printf("\nbranches:");
    for (int i = 0; i < TORTURE_BRANCH_COUNT; i++)
        printf("%s %s %lld", i ? "," : "", torture_branch_name((enum torture_branch)i),
               (long long)atomic_load(&crew->branch[i]));
    printf("\n");
    struct jobq_error err;
    if (crew->any_failed && (crew->failure.shrink || crew->failure.file) &&
        failure_show(&crew->failure, &crew->failed, &err) != JOBQ_OK)
        return cmd_fail("torture", &err);
    return findings ? CMD_FAILURE : CMD_OK;
}
