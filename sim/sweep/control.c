/* control.c - slots that take the next job. See control.h.
 *
 * Room:     sim. */
#include "sim/sweep/control.h"

#include "base/arena.h"
#include "scenario/workload.h"
#include "sim/play/replication.h"

#include <math.h>
#include <stdlib.h>

/* When boxes are ready and how long an empty poll takes beyond its wait: means of aws-2026. Only
 * differences count, so that their size hardly does. */
#define READY_S 29.3
#define RECEIVE_S 0.0147

struct control_plan {
    const struct scenario *scenario;
    double stretch, attempt_s;
    int64_t slots;  /* that can ever be used */
    double *free_s; /* a heap: when each slot is free, the earliest first */
};

struct control_plan *control_new(const struct scenario *s, double stretch,
                                 double attempt_s)
{
    struct control_plan *plan = xcalloc(1, sizeof *plan);
    plan->scenario = s;
    plan->stretch = stretch;
    plan->attempt_s = attempt_s;
    int64_t slots = s->boxes * s->concurrency;
    plan->slots = slots < s->jobs ? slots : s->jobs;
    plan->free_s = xmalloc((size_t)plan->slots * sizeof *plan->free_s);
    return plan;
}

void control_free(struct control_plan *plan)
{
    if (plan)
        free(plan->free_s);
    free(plan);
}

/* The earliest slot is free at `at` from now on. */
static void heap_replace(double *heap, int64_t count, double at)
{
    int64_t i = 0;
    for (;;) {
        int64_t child = 2 * i + 1;
        if (child >= count)
            break;
        if (child + 1 < count && heap[child + 1] < heap[child])
            child++;
        if (heap[child] >= at)
            break;
        heap[i] = heap[child];
        i = child;
    }
    heap[i] = at;
}

void control_run(struct control_plan *plan, uint64_t seed, struct control *out)
{
    const struct scenario *s = plan->scenario;
    struct workload workload;
    struct workload_job job;
    double busy_s = 0, end_s = READY_S, last_s = READY_S;
    for (int64_t i = 0; i < plan->slots; i++)
        plan->free_s[i] = READY_S;
    workload_init(&workload, &s->arrivals, &s->job_time,
                  s->trace.arrival_ns ? &s->trace : NULL, s->jobs, seed);
    while (workload_next(&workload, &job)) {
        double hold_s = (double)job.job_ns / 1e9 * plan->stretch + plan->attempt_s;
        double start_s = fmax(plan->free_s[0], (double)job.arrival_ns / 1e9);
        busy_s += hold_s;
        last_s = fmax(last_s, start_s);
        end_s = fmax(end_s, start_s + hold_s);
        heap_replace(plan->free_s, plan->slots, start_s + hold_s);
    }
    double jobs = (double)s->jobs, boxes = (double)s->boxes;
    out->line[CONTROL_BUSY] = busy_s / (double)s->concurrency / jobs;
    out->line[CONTROL_IDLE] = boxes * (end_s - READY_S) / jobs - out->line[CONTROL_BUSY];
    out->line[CONTROL_POLLS] =
        boxes * (end_s - last_s) / ((double)s->wait_ns / 1e9 + RECEIVE_S) / jobs;
}

void control_mean(struct control_plan *plan, double jobs, struct control *out,
                  struct control *out_error)
{
    int64_t runs = (int64_t)fmax(20, jobs / (double)plan->scenario->jobs);
    uint64_t other = plan->scenario->seed ^ 0x636f6e74726f6cu;
    double n = (double)runs;
    *out = *out_error = (struct control){{0}};
    for (int64_t r = 0; r < runs; r++) {
        struct control one;
        control_run(plan, replication_seed(other, (uint64_t)r), &one);
        for (int l = 0; l < CONTROL_LINES; l++) {
            out->line[l] += one.line[l] / n;
            out_error->line[l] += one.line[l] * one.line[l] / n;
        }
    }
    for (int l = 0; l < CONTROL_LINES; l++)
        out_error->line[l] =
            sqrt(fmax(0, out_error->line[l] - out->line[l] * out->line[l]) / n);
}
