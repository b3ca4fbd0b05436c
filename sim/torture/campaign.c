/* campaign.c - plays many runs of torture. See campaign.h.
 *
 * Room:     sim. */
#include "sim/torture/campaign.h"

#include "base/arena.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#define SHOW_S 0.5

struct crew {
    const struct campaign_options *options;
    struct campaign *sum;
    int64_t size;
    double started_s, shown_s;
    _Atomic int64_t next;
    pthread_mutex_t lock; /* of sum, shown_s and the options' callbacks */
};

static double campaign_clock_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

int64_t campaign_size(const struct campaign_options *o)
{
    return (o->seeds - o->shard + o->shards - 1) / o->shards;
}

static int64_t given(int64_t value, int64_t drawn)
{
    return value < 0 ? drawn : value;
}

static struct torture_run run_of(const struct campaign_options *o, int64_t index)
{
    struct torture_run run;
    torture_draw((uint64_t)(o->first + o->shard + index * o->shards), TORTURE_ALL, &run);
    if (o->faults_given)
        run.faults = o->given.faults;
    run.jobs = given(o->given.jobs, run.jobs);
    run.boxes = given(o->given.boxes, run.boxes);
    run.slots = given(o->given.slots, run.slots);
    run.store = given(o->given.store, run.store);
    run.rows = o->given.rows;
    if (run.rows != SCENARIO_ROWS_ALL) /* what has no row cannot be sent again */
        run.faults &= ~(torture_bit(TORTURE_PURGE) | torture_bit(TORTURE_CANCEL) |
                        torture_bit(TORTURE_REDRIVE));
    run.from_ns = given(o->given.from_ns, run.from_ns);
    run.until_ns = given(o->given.until_ns, run.until_ns);
    return run;
}

static void add_run(struct campaign *sum, const struct torture_result *result)
{
    sum->runs++;
    sum->jobs += result->enqueued;
    sum->virtual_s += result->virtual_s;
    for (int i = 0; i < TORTURE_FAULT_COUNT; i++)
        sum->fired[i] += result->fired[i];
    for (int i = 0; i < TORTURE_BRANCH_COUNT; i++)
        sum->branch[i] += result->branch[i];
}

static void play_one(struct crew *c, struct torture *torture, int64_t index)
{
    const struct campaign_options *o = c->options;
    struct torture_run run = run_of(o, index);
    struct torture_result result;
    struct jobq_error err = {0};
    int code = torture_play(torture, &run, NULL, &result, &err);
    pthread_mutex_lock(&c->lock);
    add_run(c->sum, &result);
    if (code != JOBQ_OK || result.check) {
        c->sum->findings++;
        if (o->finding)
            o->finding(o->ctx, &run, code == JOBQ_OK ? result.check : "not played",
                       code == JOBQ_OK ? result.finding : err.text);
    }
    double now_s = campaign_clock_s();
    c->sum->real_s = now_s - c->started_s;
    if (o->progress && now_s - c->shown_s > SHOW_S) {
        c->shown_s = now_s;
        o->progress(o->ctx, c->sum);
    }
    pthread_mutex_unlock(&c->lock);
}

static bool is_over(const struct crew *c)
{
    const struct campaign_options *o = c->options;
    return (o->stop && *o->stop) ||
           (o->seconds > 0 && campaign_clock_s() - c->started_s >= o->seconds);
}

static void *campaign_work(void *arg)
{
    struct crew *c = arg;
    int64_t index;
    struct torture *torture = torture_new();
    while (!is_over(c) && (index = atomic_fetch_add(&c->next, 1)) < c->size)
        play_one(c, torture, index);
    torture_free(torture);
    return NULL;
}

void campaign_run(const struct campaign_options *options, struct campaign *out)
{
    *out = (struct campaign){0};
    struct crew crew = {.options = options,
                        .sum = out,
                        .size = campaign_size(options),
                        .started_s = campaign_clock_s()};
    crew.shown_s = crew.started_s;
    pthread_mutex_init(&crew.lock, NULL);
    pthread_t *thread = xcalloc((size_t)options->threads, sizeof *thread);
    int64_t started = 0;
    while (started + 1 < options->threads &&
           pthread_create(&thread[started], NULL, campaign_work, &crew) == 0)
        started++;
    campaign_work(&crew);
    for (int64_t i = 0; i < started; i++)
        pthread_join(thread[i], NULL);
    free(thread);
    pthread_mutex_destroy(&crew.lock);
    out->real_s = campaign_clock_s() - crew.started_s;
}

/* ---- coverage ------------------------------------------------------------------------- */

int campaign_faults_seen(const struct campaign *c, uint64_t faults)
{
    int seen = 0;
    for (int i = 0; i < TORTURE_FAULT_COUNT; i++)
        seen += (faults & UINT64_C(1) << i) && c->fired[i] > 0;
    return seen;
}

int campaign_branches_seen(const struct campaign *c)
{
    int seen = 0;
    for (int i = 0; i < TORTURE_BRANCH_COUNT; i++)
        seen += c->branch[i] > 0;
    return seen;
}

void campaign_put_missing(const struct campaign *c, uint64_t faults, struct text *out)
{
    const char *comma = "";
    for (int i = 0; i < TORTURE_FAULT_COUNT; i++)
        if ((faults & UINT64_C(1) << i) && c->fired[i] == 0) {
            text_printf(out, "%s%s", comma, torture_fault_name((enum torture_fault)i));
            comma = ", ";
        }
    for (int i = 0; i < TORTURE_BRANCH_COUNT; i++)
        if (c->branch[i] == 0) {
            text_printf(out, "%s'%s'", comma,
                        torture_branch_name((enum torture_branch)i));
            comma = ", ";
        }
}
