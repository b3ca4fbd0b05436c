/* bench_fleet.c - how many jobs a second the whole simulated fleet does on one core, how many
 * customers of a hand-written M/M/1 loop a job costs, and what a queued job takes in memory.
 *
 * Usage: bench_fleet [ROUNDS [JOBS [speed]]]; `speed` leaves out the memory. CPU seconds of the
 * process, medians. The first round touches its memory for the first time; the later ones
 * reuse it, as replications do. Before each of them the loop runs, so that a job and a
 * customer are timed under the same neighbours. Exit 1: the ratio is over its bar. */
#include "sim/play/run.h"

#include "mm1.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#define ROUNDS_MAX 32
#define CUSTOMERS_A_JOB_MAX 100

static double cpu_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void die(const struct jobq_error *err)
{
    fprintf(stderr, "bench_fleet: %s\n", err->text);
    exit(1);
}

static struct world_params *prepare(struct scenario *s, const char *const (*option)[2])
{
    struct jobq_error err;
    scenario_init(s);
    for (; (*option)[0]; option++)
        if (scenario_set(s, (*option)[0], (*option)[1], &err) != JOBQ_OK)
            die(&err);
    struct world_params *params = NULL;
    if (scenario_finish(s, &err) != JOBQ_OK || !(params = run_params(s, &err)))
        die(&err);
    return params;
}

static int by_value(const void *a, const void *b)
{
    const double *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

/* 64 boxes of 16 slots, every call with its latency, 1 KiB of payload, no throttle. */
static bool speed(int rounds, const char *jobs)
{
    const char *const options[][2] = {{"jobs", jobs},
                                      {"boxes", "64"},
                                      {"concurrency", "16"},
                                      {"job-time", "1s"},
                                      {"boot", "none"},
                                      {"payload", "1KiB"},
                                      {"set", "simpledb.writes_per_s=0"},
                                      {NULL, NULL}};
    struct scenario s;
    struct world_params *params = prepare(&s, options);
    struct replication *replication = replication_new();
    double first_s = 0, spent_s[ROUNDS_MAX], ratio[ROUNDS_MAX];
    struct replication_result r;
    for (int round = 0; round <= rounds; round++) {
        struct replication_options play = {.replication = (uint64_t)round};
        struct jobq_error err;
        replication_result_init(&r);
        double loop_from_s = cpu_s();
        mm1_loop((uint64_t)round);
        double from_s = cpu_s(), customer_s = (from_s - loop_from_s) / CUSTOMERS;
        if (replication_play(replication, &s, params, &play, &r, &err) != JOBQ_OK)
            die(&err);
        if (round == 0)
            first_s = cpu_s() - from_s;
        else
            spent_s[round - 1] = cpu_s() - from_s;
        if (round > 0)
            ratio[round - 1] = spent_s[round - 1] / (double)s.jobs / customer_s;
        if (round < rounds)
            replication_result_release(&r);
    }
    qsort(spent_s, (size_t)rounds, sizeof *spent_s, by_value);
    qsort(ratio, (size_t)rounds, sizeof *ratio, by_value);
    double median_s = spent_s[rounds / 2], count = (double)s.jobs;
    bool met = ratio[rounds / 2] <= CUSTOMERS_A_JOB_MAX;
    printf("whole fleet, 64 boxes x 16 slots, %lld jobs of 1 KiB, CPU s per million:\n",
           (long long)s.jobs);
    printf("  first round        %6.3f  %9.0f jobs/s\n", first_s / count * 1e6,
           count / first_s);
    printf("  later, median      %6.3f  %9.0f jobs/s\n", median_s / count * 1e6,
           count / median_s);
    printf("  customers of the M/M/1 loop a job: %.1f (%.1f to %.1f), at most %d: %s\n",
           ratio[rounds / 2], ratio[0], ratio[rounds - 1], CUSTOMERS_A_JOB_MAX,
           met ? "met" : "NOT MET");
    printf("  events a job %.2f, switches a job %.2f\n", (double)r.events / count,
           (double)r.switches / count);
    replication_result_release(&r);
    replication_free(replication);
    free(params);
    scenario_release(&s);
    return met;
}

/* ---- memory ------------------------------------------------------------------------- */

struct measured {
    int64_t bytes, messages;
};

static void measure(void *ctx, uint64_t arg)
{
    struct measured *m = ctx;
    struct world *w = (struct world *)(uintptr_t)arg;
    m->bytes = world_memory(w);
    m->messages = sqs_message_count(world_sqs(w));
    kernel_stop(world_kernel(w));
}

static void at_origin(void *ctx, struct world *w)
{
    kernel_at(world_kernel(w), world_now(w) + 3000 * JOBQ_NS_PER_S, measure, ctx,
              (uint64_t)(uintptr_t)w);
}

/* All jobs queued and no box up yet. */
static void memory(const char *jobs, const char *payload)
{
    const char *const options[][2] = {{"jobs", jobs},
                                      {"payload", payload},
                                      {"job-time", "1s"},
                                      {"domains", "16"}, /* 10 GB each */
                                      {"set", "simpledb.writes_per_s=0"},
                                      {"set", "ec2.pending=const:100h"},
                                      {NULL, NULL}};
    struct scenario s;
    struct world_params *params = prepare(&s, options);
    struct replication *replication = replication_new();
    struct measured m = {0, 0};
    struct replication_hooks hooks = {.ctx = &m, .origin = at_origin};
    struct replication_options play = {.hooks = &hooks};
    struct replication_result r;
    struct jobq_error err;
    struct rusage usage;
    replication_result_init(&r);
    replication_play(replication, &s, params, &play, &r,
                     &err); /* stopped half-way: TIMEOUT */
    getrusage(RUSAGE_SELF, &usage);
    printf(
        "queued, %s payload: %lld jobs, %.0f bytes a job in the models; peak RSS so far "
        "%.2f GiB\n",
        payload, (long long)m.messages, (double)m.bytes / (double)m.messages,
        (double)usage.ru_maxrss / 1048576);
    replication_result_release(&r);
    replication_free(replication);
    free(params);
    scenario_release(&s);
}

int main(int argc, char **argv)
{
    int rounds = argc > 1 ? (int)strtol(argv[1], NULL, 10) : 3;
    const char *jobs = argc > 2 ? argv[2] : "1M";
    rounds = rounds < 1 ? 1 : rounds > ROUNDS_MAX ? ROUNDS_MAX : rounds;
    if (argc < 4) {
        memory(jobs, "1KiB");
        memory(jobs, "64KiB");
    }
    mm1_init();
    return speed(rounds, jobs) ? 0 : 1;
}
