/* plan.c - what does a seed draw? See torture.h.
 *
 * Room:     sim. */
#include "sim/torture/internal.h"

#include <stdarg.h>
#include <stdio.h>

/* ---- the run of a seed --------------------------------------------------------------- */

void torture_draw(uint64_t seed, uint64_t among, struct torture_run *out)
{
    struct dice dice;
    dice_init(&dice, seed, "torture-run", 0);
    *out = (struct torture_run){.seed = seed};
    out->jobs = torture_between(&dice, 20, 200);
    out->boxes = torture_between(&dice, 1, 4);
    out->slots = torture_between(&dice, 1, 12);
    out->until_ns = torture_between(&dice, 30, 240) * JOBQ_NS_PER_S;
    /* Few classes, some, or most of them: a fault is seen with and without the others. */
    static const double share[] = {0.1, 0.25, 0.5, 0.8};
    double p = share[dice_below(&dice, 4)];
    for (int i = 0; i < TORTURE_FAULT_COUNT; i++)
        if (dice_u(&dice) < p)
            out->faults |= UINT64_C(1) << i;
    out->faults &= among;
    /* Streams of their own: what is drawn later leaves earlier draws as they are. */
    dice_init(&dice, seed, "torture-store", 0);
    out->store = dice_below(&dice, 2) ? SCENARIO_STORE_DYNAMODB : SCENARIO_STORE_SIMPLEDB;
}

void torture_command(const struct torture_run *run, struct text *out)
{
    struct torture_run drawn;
    char time[40];
    torture_draw(run->seed, TORTURE_ALL, &drawn);
    text_printf(out, "jobqsim torture --seed %llu", (unsigned long long)run->seed);
    if (run->faults != drawn.faults) {
        text_puts(out, " --faults ");
        torture_faults_put(run->faults, out);
    }
    if (run->jobs != drawn.jobs)
        text_printf(out, " --jobs %lld", (long long)run->jobs);
    if (run->boxes != drawn.boxes)
        text_printf(out, " --boxes %lld", (long long)run->boxes);
    if (run->slots != drawn.slots)
        text_printf(out, " --concurrency %lld", (long long)run->slots);
    if (run->store != drawn.store)
        text_printf(out, " --store %s",
                    run->store == SCENARIO_STORE_DYNAMODB ? "dynamodb" : "simpledb");
    if (run->rows != drawn.rows)
        text_printf(out, " --rows %s", run->rows == SCENARIO_ROWS_END ? "end" : "claim");
    if (run->from_ns != drawn.from_ns)
        text_printf(out, " --from %s",
                    jobq_format_duration(run->from_ns, time, sizeof time));
    if (run->until_ns != drawn.until_ns)
        text_printf(out, " --until %s",
                    jobq_format_duration(run->until_ns, time, sizeof time));
}

/* ---- its scenario -------------------------------------------------------------------- */

struct plan {
    struct torture *t;
    struct dice dice; /* of the sizes */
    struct jobq_error *err;
    int code;
};

static void set(struct plan *p, const char *name, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static void set(struct plan *p, const char *name, const char *format, ...)
{
    char value[100];
    va_list args;
    if (p->code != JOBQ_OK)
        return;
    va_start(args, format);
    vsnprintf(value, sizeof value, format, args);
    va_end(args);
    p->code = scenario_set(&p->t->scenario, name, value, p->err);
}

static void set_drawn(struct plan *p, const char *name, int64_t low, int64_t high,
                      const char *unit)
{
    set(p, name, "%lld%s", (long long)torture_between(&p->dice, low, high), unit);
}

/* At once, or spread over most of the time of faults. */
static void set_arrivals(struct plan *p)
{
    const struct torture_run *run = p->t->run;
    double gap_s = 0.7 * (double)run->until_ns / 1e9 / (double)run->jobs;
    long long gap_ms = (long long)(1000 * gap_s) + 1;
    switch (dice_below(&p->dice, 4)) {
    case 0:
        set(p, "arrivals", "at-once");
        break;
    case 1:
        set(p, "arrivals", "every:%lldms", gap_ms);
        break;
    case 2:
        set(p, "arrivals", "exp:%lldms", gap_ms);
        break;
    default:
        set(p, "arrivals", "lognormal:mean=%lldms,cv=4", gap_ms);
        break;
    }
}

static int plan_scenario(struct torture *t, struct jobq_error *err)
{
    static const char *const times[] = {"exp:4s", "uniform:0s..20s",
                                        "lognormal:mean=6s,cv=2", "15s", "200ms"};
    const struct torture_run *run = t->run;
    struct plan p = {.t = t, .err = err};
    dice_init(&p.dice, run->seed, "torture", 0);
    set(&p, "jobs", "%lld", (long long)run->jobs);
    set(&p, "boxes", "%lld", (long long)run->boxes);
    if (run->rows != SCENARIO_ROWS_ALL)
        set(&p, "rows", run->rows == SCENARIO_ROWS_END ? "end" : "claim");
    set(&p, "concurrency", "%lld", (long long)run->slots);
    if (run->store == SCENARIO_STORE_DYNAMODB)
        set(&p, "store", "dynamodb");
    set(&p, "job-time", "%s", times[dice_below(&p.dice, 5)]);
    set_arrivals(&p);
    t->visibility_ns = torture_between(&p.dice, 4, 20) * JOBQ_NS_PER_S;
    set(&p, "visibility", "%llds", (long long)(t->visibility_ns / JOBQ_NS_PER_S));
    /* Short polls of a fleet that is idle for minutes cost more than all the rest. */
    int64_t wait_s = torture_between(&p.dice, 0, 20);
    bool short_polls = run->until_ns <= JOBQ_NS_PER_MIN || run->seed % 4 == 0;
    set(&p, "wait", "%llds", (long long)(wait_s == 0 && !short_polls ? 1 : wait_s));
    set_drawn(&p, "batch", 1, 10, "");
    set_drawn(&p, "domains", 1, 4, "");
    set_drawn(&p, "payload", 0, 3000, "");
    set_drawn(&p, "clients", 1, 8, "");
    set(&p, "seed", "%llu", (unsigned long long)run->seed);
    int64_t prefetch = torture_between(&p.dice, -10, 20);
    if (prefetch >= 0)
        set(&p, "prefetch", "%lld", (long long)prefetch);
    if (dice_below(&p.dice, 4) == 0)
        set(&p, "payload-in", "store");
    /* Attempts are used up only by jobs that deserve it, or that share a box with one. */
    int64_t few = torture_between(&p.dice, 3, 8);
    bool bad_jobs = torture_on(t, TORTURE_POISON) || torture_on(t, TORTURE_CRASHER);
    t->attempts_max = bad_jobs ? few : 1000;
    set(&p, "attempts", "%lld", (long long)t->attempts_max);
    if (torture_on(t, TORTURE_SPOT))
        set(&p, "spot", "yes");
    /* Half of the fleets end by themselves, being idle. */
    int64_t idle_s = torture_between(&p.dice, 10, 60);
    t->idle_exit_ns = dice_below(&p.dice, 2) ? idle_s * JOBQ_NS_PER_S : JOBQ_FOREVER;
    int64_t house_s = torture_between(&p.dice, 30, 300);
    t->housekeeping_ns =
        dice_below(&p.dice, 2) ? house_s * JOBQ_NS_PER_S : JOBQ_NS_PER_HOUR;
    return p.code ? p.code : scenario_finish(&t->scenario, err);
}

/* ---- its faults ---------------------------------------------------------------------- */

/* A rate of a class that is on. */
static double chance(struct torture *t, enum torture_fault fault, double most)
{
    return torture_on(t, fault) ? most * dice_u(torture_dice(t, fault)) : 0;
}

static void plan_params(struct torture *t)
{
    /* Boxes come up soon, or little would happen before the quiet phase. */
    t->calm->ec2.pending = distribution_uniform(1e9, 5e9);
    t->calm->ec2.boot = distribution_uniform(1e9, 5e9);
    t->calm->sqs.duplicate_rate = t->calm->sqs.undelete_rate = 0;
    *t->params = *t->calm;
    struct world_params *params = t->params;
    params->sqs.duplicate_rate = chance(t, TORTURE_REDELIVERED, 0.1);
    params->sqs.undelete_rate = chance(t, TORTURE_UNDELETED, 0.1);
    params->sqs.reorder_rate = chance(t, TORTURE_REORDERED, 0.3);
    if (torture_on(t, TORTURE_SLOW_STORE))
        params->simpledb.writes_per_s = params->dynamodb.partition_writes_per_s =
            (double)torture_between(torture_dice(t, TORTURE_SLOW_STORE), 10, 30);
    params->ec2.capacity_failure_p = params->ec2.spot_capacity_failure_p =
        chance(t, TORTURE_NO_CAPACITY, 0.7);
    params->ec2.spot_hazard_per_hour = chance(t, TORTURE_SPOT, 60);
    params->ec2.spot_notice_ns =
        dice_below(torture_dice(t, TORTURE_SPOT), 2) ? 120 * JOBQ_NS_PER_S : 0;
    if (torture_on(t, TORTURE_SLOW_BOOT)) {
        params->ec2.pending = distribution_uniform(1e9, 120e9);
        params->ec2.boot = distribution_uniform(1e9, 120e9);
    }
}

int plan_make(struct torture *t, struct jobq_error *err)
{
    for (int i = 0; i < TORTURE_FAULT_COUNT; i++)
        dice_init(&t->fault_dice[i], t->run->seed,
                  torture_fault_name((enum torture_fault)i), 0);
    int code = plan_scenario(t, err);
    if (code != JOBQ_OK)
        return code;
    /* What the scenarios draw is far within what run_params checks. */
    if (!t->model)
        t->model = run_params(&t->scenario, err);
    if (!t->model)
        return err->code;
    *t->calm = *t->model;
    plan_params(t);
    static const struct {
        enum torture_fault fault;
        double most;
    } rates[] = {
        {TORTURE_REFUSED, 0.15},    {TORTURE_THROTTLED, 0.1},
        {TORTURE_LOST_REPLY, 0.15}, {TORTURE_LATE, 0.06},
        {TORTURE_TWICE, 0.1},       {TORTURE_HELD_REPLY, 0.1},
        {TORTURE_DISK_FULL, 0.3},   {TORTURE_CLIENT_CRASH, 0.05},
        {TORTURE_POISON, 0.2},      {TORTURE_CRASHER, 0.05},
    };
    for (size_t i = 0; i < sizeof rates / sizeof rates[0]; i++)
        t->p[rates[i].fault] = chance(t, rates[i].fault, rates[i].most);
    t->late_timeout_ns =
        torture_between(torture_dice(t, TORTURE_LATE), 1, 30) * JOBQ_NS_PER_S;
    return JOBQ_OK;
}
