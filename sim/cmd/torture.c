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

static const char HELP[] =
    "Usage: jobqsim torture [OPTION...]\n"
    "Play small fleets with everything going wrong that a queue of jobs must survive:\n"
    "refused, throttled and timed-out calls, calls that take effect minutes later, lost\n"
    "replies, duplicates, lost deletes, stale reads, expired visibility, dead boxes, "
    "spot,\n"
    "no capacity, cancelled jobs. Then check rows and queue: no job lost, none "
    "forgotten,\n"
    "one result each.\n"
    "\n"
    "  jobqsim torture --seeds 1000\n"
    "  jobqsim torture --first 4711 --seeds 1      replay one seed\n"
    "\n"
    "  --seeds N     how many runs (100)\n"
    "  --first S     the first seed (1)\n"
    "  --jobs N      jobs a run (20 to 200, by the seed)\n"
    "  --gentle      no faults\n"
    "  --threads N   runs at once (as many as there are cores)\n"
    "  --help        this\n"
    "\n"
    "Exit codes: 0 all is well, 1 a finding, 2 usage, 130 interrupted.\n"
    "API calls: none; nothing leaves this machine.\n";

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

static int read_option(struct crew *c, int argc, char **argv, int *at,
                       struct jobq_error *err)
{
    const char *name = argv[(*at)++];
    if (strcmp(name, "--gentle") == 0) {
        c->options.gentle = true;
        return JOBQ_OK;
    }
    const struct {
        const char *name;
        int64_t *to, low, high;
    } counts[] = {{"--seeds", &c->seeds, 1, 1000000000},
                  {"--first", &c->first, 0, INT64_MAX / 2},
                  {"--jobs", &c->options.jobs, 1, 100000},
                  {"--threads", &c->threads, 1, 1024}};
    for (int i = 0; i < 4; i++) {
        if (strcmp(name, counts[i].name) != 0)
            continue;
        if (*at == argc)
            return jobq_fail(err, JOBQ_INVALID, "option '%s' needs a value", name);
        int64_t value;
        int code = jobq_parse_count(argv[(*at)++], &value, err);
        if (code == JOBQ_OK && (value < counts[i].low || value > counts[i].high))
            return jobq_fail(
                err, JOBQ_LIMIT, "%s: '%lld' is out of range, want %lld to %lld", name,
                (long long)value, (long long)counts[i].low, (long long)counts[i].high);
        *counts[i].to = value;
        return code == JOBQ_OK ? code : jobq_wrap(err, "%s", name);
    }
    char safe[80];
    text_escape(name, (int64_t)strlen(name), safe, sizeof safe);
    return jobq_fail(err, JOBQ_INVALID, "unknown option '%s', see --help", safe);
}

int cmd_torture(int argc, char **argv)
{
    struct crew crew = {.first = 1, .seeds = 100};
    struct jobq_error err;
    for (int at = 0; at < argc;) {
        if (strcmp(argv[at], "--help") == 0 || strcmp(argv[at], "-h") == 0) {
            fputs(HELP, stdout);
            return CMD_OK;
        }
        if (read_option(&crew, argc, argv, &at, &err) != JOBQ_OK)
            return cmd_fail("torture", &err);
    }
    cmd_catch_signals();
    if (crew.threads == 0)
        crew.threads = sysconf(_SC_NPROCESSORS_ONLN);
    pthread_mutex_init(&crew.print, NULL);
    pthread_t *thread = xcalloc((size_t)crew.threads, sizeof *thread);
    int64_t started = 0;
    while (started + 1 < crew.threads &&
           pthread_create(&thread[started], NULL, work, &crew) == 0)
        started++;
    work(&crew);
    for (int64_t i = 0; i < started; i++)
        pthread_join(thread[i], NULL);
    free(thread);
    pthread_mutex_destroy(&crew.print);
    int64_t findings = atomic_load(&crew.findings);
    printf(
        "%lld runs, %lld jobs, %lld injected faults, %lld calls applied late, %lld boxes "
        "lost: %lld findings\n",
        (long long)crew.seeds, (long long)atomic_load(&crew.jobs),
        (long long)atomic_load(&crew.faults), (long long)atomic_load(&crew.late),
        (long long)atomic_load(&crew.boxes), (long long)findings);
    return findings ? CMD_FAILURE : CMD_OK;
}
