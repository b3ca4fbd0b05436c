/* sim_oracle.c - with the ideal model every job starts when the Kiefer-Wolfowitz recursion
 * says, to the nanosecond: on generated workloads with many ties and on a recorded one, for
 * one box and for several. */
#include "oracle.h"

#include "sim/play/run.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void set(struct scenario *s, const char *name, const char *value)
{
    struct jobq_error err;
    if (scenario_set(s, name, value, &err) != JOBQ_OK)
        fail_msg("%s", err.text);
}

static int compare(void *ctx, const struct replication *replication,
                   struct jobq_error *err)
{
    const struct scenario *s = ctx;
    int64_t count = s->jobs;
    int64_t *arrival = malloc((size_t)count * 8), *job = malloc((size_t)count * 8),
            *start = malloc((size_t)count * 8);
    struct workload w;
    struct workload_job next;
    workload_init(&w, &s->arrivals, &s->job_time, s->trace.arrival_ns ? &s->trace : NULL,
                  count, replication_seed(s->seed, 0));
    for (int64_t i = 0; workload_next(&w, &next); i++) {
        arrival[i] = next.arrival_ns;
        job[i] = next.job_ns;
    }
    oracle_starts(arrival, job, count, (int)(s->boxes * s->concurrency), start);
    const struct jobrec_table *t = replication_jobs(replication);
    int64_t origin_ns = replication_origin_ns(replication), wrong = 0, seen = 0, ties = 0;
    for (int64_t i = 1; i < count; i++)
        ties += arrival[i] == arrival[i - 1];
    for (int64_t i = 0; i < t->count; i++) {
        const struct jobrec *rec = &t->rec[i];
        seen++;
        if (rec->started_at_ns - origin_ns != start[rec->index] ||
            rec->enqueued_at_ns - origin_ns != arrival[rec->index] ||
            rec->ended_at_ns - rec->started_at_ns != job[rec->index])
            if (wrong++ == 0)
                print_message(
                    "job %lld: enqueued %lld started %lld ended %lld, want %lld %lld\n",
                    (long long)rec->index, (long long)rec->enqueued_at_ns,
                    (long long)rec->started_at_ns, (long long)rec->ended_at_ns,
                    (long long)arrival[rec->index], (long long)start[rec->index]);
    }
    free(arrival);
    free(job);
    free(start);
    if (wrong || seen != count)
        return jobq_fail(err, JOBQ_CORRUPT, "%lld of %lld jobs are off", (long long)wrong,
                         (long long)seen);
    print_message("  %lld x %lld slots: %lld jobs, %lld ties, all exact\n",
                  (long long)s->boxes, (long long)s->concurrency, (long long)count,
                  (long long)ties);
    return JOBQ_OK;
}

static void play(struct scenario *s)
{
    struct jobq_error err = {0};
    set(s, "model", "ideal");
    if (scenario_finish(s, &err) != JOBQ_OK)
        fail_msg("%s", err.text);
    struct world_params *params = run_params(s, &err);
    if (!params)
        fail_msg("%s", err.text);
    struct run_options options = {.threads = 1, .first = compare, .ctx = s};
    struct run_result result;
    if (run_scenario(s, params, &options, &result, &err) != JOBQ_OK)
        fail_msg("%s x %lld: %s",
                 s->arrivals.kind == ARRIVALS_AT_ONCE ? "at once" : "spread",
                 (long long)s->concurrency, err.text);
    run_result_release(&result);
    free(params);
}

static const char *const FLEETS[][2] = {{"1", "1"},  {"1", "4"}, {"4", "1"}, {"2", "2"},
                                        {"1", "64"}, {"8", "8"}, {"64", "1"}};

/* Gaps that are 0 three times in four, and job times on a coarse grid, so that arrivals tie
 * with each other and with ends of jobs. */
static void generated(void **state)
{
    (void)state;
    char path[] = "/tmp/sim_oracle_XXXXXX";
    int fd = mkstemp(path);
    FILE *file = fdopen(fd, "w");
    fputs("0\n0\n0\n4s\n", file);
    fclose(file);
    char arrivals[80];
    snprintf(arrivals, sizeof arrivals, "empirical:%s", path);
    for (size_t i = 0; i < sizeof FLEETS / sizeof FLEETS[0]; i++) {
        struct scenario s;
        scenario_init(&s);
        set(&s, "jobs", "100000");
        set(&s, "arrivals", arrivals);
        long slots = strtol(FLEETS[i][0], NULL, 10) * strtol(FLEETS[i][1], NULL, 10);
        /* One job a second arrives: a little under what the slots can do. */
        char time[80];
        snprintf(time, sizeof time, "empirical:%s", path);
        if (slots == 1)
            set(&s, "job-time", "uniform:0s..1800ms");
        else if (slots == 4)
            set(&s, "job-time", "exp:3800ms");
        else
            set(&s, "job-time", "lognormal:mean=60s,cv=2");
        set(&s, "boxes", FLEETS[i][0]);
        set(&s, "concurrency", FLEETS[i][1]);
        play(&s);
        scenario_release(&s);
    }
    remove(path);
}

/* Whole seconds everywhere: nearly every event ties with another. */
static void all_ties(void **state)
{
    (void)state;
    char path[] = "/tmp/sim_oracle_XXXXXX";
    int fd = mkstemp(path);
    FILE *file = fdopen(fd, "w");
    fputs("1\n2\n3\n5\n8\n0\n", file);
    fclose(file);
    char time[80];
    snprintf(time, sizeof time, "empirical:%s", path);
    for (size_t i = 0; i < sizeof FLEETS / sizeof FLEETS[0]; i++) {
        struct scenario s;
        scenario_init(&s);
        set(&s, "jobs", "20000");
        set(&s, "arrivals", i % 2 ? "at-once" : "every:1s");
        set(&s, "job-time", time);
        set(&s, "boxes", FLEETS[i][0]);
        set(&s, "concurrency", FLEETS[i][1]);
        play(&s);
        scenario_release(&s);
    }
    remove(path);
}

static void recorded(void **state)
{
    (void)state;
    static const char path[] = "../shared/traces/NASA-iPSC-1993-3.1-cln.swf";
    FILE *file = fopen(path, "r");
    if (!file) {
        print_message("SKIPPED: no %s\n", path);
        skip();
    }
    fclose(file);
    static const char *const fleets[][2] = {
        {"1", "1"}, {"1", "4"}, {"2", "2"}, {"1", "64"}, {"8", "8"}};
    for (size_t i = 0; i < sizeof fleets / sizeof fleets[0]; i++) {
        struct scenario s;
        scenario_init(&s);
        set(&s, "trace", path);
        set(&s, "boxes", fleets[i][0]);
        set(&s, "concurrency", fleets[i][1]);
        play(&s);
        scenario_release(&s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(generated),
                                       cmocka_unit_test(all_ties),
                                       cmocka_unit_test(recorded)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
