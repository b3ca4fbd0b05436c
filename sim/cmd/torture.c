/* torture.c - `jobqsim torture`: many seeded runs with faults, each checked.
 *
 * Room:     sim, the command line. */
#include "sim/cmd/subcommand.h"

#include "base/arena.h"
#include "base/text.h"
#include "jobq/units.h"
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
    "Run small fleets with all the faults that a job queue must\n"
    "survive: refused, throttled and timed-out calls, calls that take effect minutes\n"
    "later, lost replies, duplicates, lost deletes, stale reads, expired visibility,\n"
    "dead boxes, spot, no capacity, cancelled jobs. Then check rows and queue: no job\n"
    "lost, none forgotten, one result each.\n"
    "\n"
    "  jobqsim torture --seeds 1000\n"
    "  jobqsim torture --first 4711 --seeds 1      repeat one seed\n"
    "\n"
    "Options:\n";
static const char HELP_TAIL[] =
    "\n"
    "Exit codes: 0 no violation, 1 a violation, 2 usage, 130 interrupted.\n"
    "API calls: none; nothing leaves this machine.\n";

enum { SEEDS, FIRST, GENTLE, JOBS };
static const struct option_def OPTIONS[] = {
    {"seeds", 0, "N", "how many runs (100)"},
    {"first", 0, "S", "the first seed (1)"},
    {"gentle", 0, NULL, "no faults"},
    {"jobs", 0, "N", "jobs a run; 1 to 100k (20 to 200, by the seed)"},
    {NULL, 0, NULL, NULL}};

struct crew {
    struct torture_options options;
    int64_t first, seeds, threads;
    _Atomic int64_t next, findings, jobs, faults, late, boxes;
    pthread_mutex_t print;
};

static void play_one(struct crew *c, int64_t index)
{
    struct torture_options options = c->options;
    struct torture_result result;
    struct jobq_error err = {0};
    options.seed = (uint64_t)(c->first + index);
    int code = torture_play(&options, &result, &err);
    atomic_fetch_add(&c->jobs, result.enqueued);
    atomic_fetch_add(&c->faults, result.faults);
    atomic_fetch_add(&c->late, result.late);
    atomic_fetch_add(&c->boxes, result.boxes_lost);
    if (code == JOBQ_OK && !result.finding[0])
        return;
    atomic_fetch_add(&c->findings, 1);
    pthread_mutex_lock(&c->print);
    printf("seed=%lld: %s\n", (long long)options.seed,
           code == JOBQ_OK ? result.finding : err.text);
    fflush(stdout);
    pthread_mutex_unlock(&c->print);
}

static void *work(void *arg)
{
    struct crew *c = arg;
    int64_t index;
    while ((index = atomic_fetch_add(&c->next, 1)) < c->seeds)
        play_one(c, index);
    return NULL;
}

static int read_options(struct crew *c, const struct options *read,
                        const struct scenario *scenario, struct jobq_error *err)
{
    c->options.gentle = options_item(read, GENTLE);
    int code = cmd_count(read, SEEDS, 1, 1000000000, &c->seeds, err);
    if (code == JOBQ_OK)
        code = cmd_count(read, FIRST, 0, INT64_MAX / 2, &c->first, err);
    if (code == JOBQ_OK)
        code = cmd_count(read, JOBS, 1, 100000, &c->options.jobs, err);
    c->threads =
        scenario->threads < 0 ? sysconf(_SC_NPROCESSORS_ONLN) : scenario->threads;
    return code;
}

static int torture(struct crew *crew);

const struct subcommand sub_torture = {"torture", HELP_HEAD,     HELP_TAIL,
                                       OPTIONS,   TAKER_TORTURE, false};

int cmd_torture(int argc, char **argv)
{
    struct crew crew = {.first = 1, .seeds = 100};
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
    printf(
        "%lld runs, %lld jobs, %lld injected faults, %lld calls applied late, %lld boxes "
        "lost: %lld findings\n",
        (long long)crew->seeds, (long long)atomic_load(&crew->jobs),
        (long long)atomic_load(&crew->faults), (long long)atomic_load(&crew->late),
        (long long)atomic_load(&crew->boxes), (long long)findings);
    return findings ? CMD_FAILURE : CMD_OK;
}
