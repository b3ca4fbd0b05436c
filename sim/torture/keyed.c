/* keyed.c - is a job that several clients enqueue under one key enqueued once?
 *
 * Room:     sim.
 *
 * With the class on, the client gives each job a key. Other clients, each an enqueuer of its own
 * in the operators' process, enqueue some of the same jobs in the same moments or a while later,
 * through all faults, and give up when they like. The client itself enqueues again what it has
 * no answer of, also after a crash at any of its calls. */
#include "sim/torture/internal.h"

#include "scenario/fleet.h"

#include <stdio.h>
#include <string.h>

#define TWIN_CHANCE 0.4

/* Another client, and what it was told. */
struct torture_twin {
    struct torture_twin *next;
    struct torture *t;
    int64_t index, work_ns, after_ns;
    char id[JOB_ID_MAX + 1]; /* "": nothing yet */
};

bool keyed_on(const struct torture *t)
{
    return torture_on(t, TORTURE_KEYED) && t->run->rows != SCENARIO_ROWS_END;
}

int keyed_write(int64_t index, char *out)
{
    return snprintf(out, KEYED_BYTES, "job %lld", (long long)index);
}

static void twin_add(struct torture_twin *twin, struct enqueuer *e)
{
    char seconds[32], key[KEYED_BYTES];
    struct jobq_error err;
    int len = snprintf(seconds, sizeof seconds, "%lld.%09lld",
                       (long long)(twin->work_ns / JOBQ_NS_PER_S),
                       (long long)(twin->work_ns % JOBQ_NS_PER_S));
    const struct job_pair pair[] = {
        {STR("kind"), STR("sleep")},
        {STR("seconds"), {seconds, len}},
        {STR("payload"), {NULL, twin->t->scenario.payload_bytes}}};
    struct enqueuer_job job = {.pair = pair,
                               .pair_count = twin->t->scenario.payload_bytes > 0 ? 3 : 2,
                               .key = {key, keyed_write(twin->index, key)}};
    if (enqueuer_add_many(e, &job, 1, &err) == 1)
        memcpy(twin->id, job.id, sizeof job.id);
}

static void twin_main(void *arg)
{
    struct torture_twin *twin = arg;
    struct torture *t = twin->t;
    struct jobq_backend *b = world_backend(t->operators);
    struct enqueuer_options o = enqueuer_defaults(REPLICATION_QUEUE);
    struct enqueuer *e;
    struct jobq_error err;
    scenario_enqueuer_options(&t->scenario, &o);
    o.longest_ns = JOBQ_FOREVER;
    fiber_sleep_until(b->sched, world_now(t->world) + twin->after_ns);
    if (t->ended || !torture_time(t) || enqueuer_new(b, &o, &e, &err) != JOBQ_OK)
        return;
    torture_strike(t, TORTURE_KEYED, -1);
    twin_add(twin, e);
}

void keyed_job(struct torture *t, int64_t work_ns)
{
    int64_t index = t->keyed_jobs++;
    struct dice *dice = torture_dice(t, TORTURE_KEYED);
    if (!keyed_on(t) || !t->operators || !torture_time(t) || dice_u(dice) >= TWIN_CHANCE)
        return;
    struct torture_twin *twin = arena_zalloc(&t->arena, sizeof *twin);
    double u = dice_u(dice);
    *twin = (struct torture_twin){.next = t->twins,
                                  .t = t,
                                  .index = index,
                                  .work_ns = work_ns,
                                  .after_ns = (int64_t)(u * u * u * 20e9)};
    t->twins = twin;
    fiber_spawn(world_fibers(t->operators), twin_main, twin);
}

void keyed_check_end(struct torture *t, struct jobrec_table *rows)
{
    const struct jobrec_table *jobs = t->jobs;
    if (!keyed_on(t))
        return;
    const char **id = arena_zalloc(&t->arena, (size_t)t->run->jobs * sizeof *id);
    for (int64_t i = 0; i < jobs->count; i++) {
        int64_t index = jobs->rec[i].index;
        if (index < 0)
            continue;
        if (id[index])
            torture_find(t, "keyed twice", "key %lld stands for %s and for %s",
                         (long long)index, id[index], jobs->id[i]);
        id[index] = jobs->id[i];
        struct jobrec *row = jobrec_find(rows, str_of(jobs->id[i]));
        if (row)
            row->index = index;
    }
    for (const struct torture_twin *twin = t->twins; twin; twin = twin->next)
        if (twin->id[0] && id[twin->index] && strcmp(twin->id, id[twin->index]) != 0)
            torture_find(t, "keyed twice", "key %lld stands for %s and for %s",
                         (long long)twin->index, id[twin->index], twin->id);
    /* A row that no client was told of is a second job of a key. */
    for (int64_t i = 0; i < rows->count; i++)
        if (rows->rec[i].index < 0 && !monitor_claim(t, str_of(rows->id[i]))->garbage)
            torture_find(t, "keyed twice", "job %s has a row, and no client has its id",
                         rows->id[i]);
}
