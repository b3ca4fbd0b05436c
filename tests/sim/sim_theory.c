/* sim_theory.c - the fleet under the ideal model against queueing theory: textbook means lie
 * inside the 99 % interval over replications. */
#include "sim/play/run.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define REPS 20
#define T99 2.8609 /* Student's t, two-sided 99 %, 19 degrees of freedom */

/* Erlang's C: the chance of waiting with c servers and an offered load of a. */
static double erlang_c(int c, double a)
{
    double b = 1;
    for (int k = 1; k <= c; k++)
        b = a * b / (k + a * b);
    return b / (1 - a / c * (1 - b));
}

static void check(const char *name, const char *options, bool sojourn, double theory_s)
{
    struct scenario s;
    struct jobq_error err = {0};
    char copy[400], *save;
    scenario_init(&s);
    snprintf(copy, sizeof copy, "model=ideal reps=20 jobs=50000 seed=20261124 %s",
             options);
    for (char *word = strtok_r(copy, " ", &save); word;
         word = strtok_r(NULL, " ", &save)) {
        char *value = strchr(word, '=');
        *value++ = '\0';
        if (scenario_set(&s, word, value, &err) != JOBQ_OK)
            fail_msg("%s", err.text);
    }
    if (scenario_finish(&s, &err) != JOBQ_OK)
        fail_msg("%s", err.text);
    struct world_params *params = run_params(&s, &err);
    if (!params)
        fail_msg("%s", err.text);
    struct run_options run = {.threads = 2};
    struct run_result r;
    if (run_scenario(&s, params, &run, &r, &err) != JOBQ_OK)
        fail_msg("%s", err.text);
    double sum = 0, square = 0;
    for (int i = 0; i < REPS; i++) {
        double mean = sojourn ? r.rep[i].sojourn_s.mean : r.rep[i].wait_s.mean;
        sum += mean / REPS;
        square += mean * mean / REPS;
    }
    double half = T99 * sqrt((square - sum * sum) / (REPS - 1));
    print_message("  %-28s %.4f +- %.4f, theory %.4f\n", name, sum, half, theory_s);
    if (fabs(sum - theory_s) > half)
        fail_msg("%s: %g +- %g, theory %g", name, sum, half, theory_s);
    if (half > 0.05 * theory_s)
        fail_msg("%s: an interval of +- %g says nothing about %g", name, half, theory_s);
    run_result_release(&r);
    free(params);
    scenario_release(&s);
}

/* Kleinrock, "Queueing Systems" vol. 1: M/M/1 and M/M/c; Pollaczek and Khinchine for M/G/1. */
static void waits(void **state)
{
    (void)state;
    check("M/M/1, load 0.7",
          "arrivals=poisson:0.7/s job-time=exp:1s boxes=1 concurrency=1", false,
          0.7 / 0.3);
    check("M/M/10, load 0.8",
          "arrivals=poisson:8/s job-time=exp:1s boxes=1 concurrency=10", false,
          erlang_c(10, 8) / 2);
    check("M/M/10 over five boxes",
          "arrivals=poisson:8/s job-time=exp:1s boxes=5 concurrency=2", false,
          erlang_c(10, 8) / 2);
    check("M/D/1, load 0.7", "arrivals=poisson:0.7/s job-time=1s boxes=1 concurrency=1",
          false, 0.7 / (2 * 0.3));
    check(
        "M/G/1, lognormal, cv 1.5",
        "arrivals=poisson:0.6/s job-time=lognormal:mean=1s,cv=1.5 boxes=1 concurrency=1",
        false, 0.6 * (1 + 1.5 * 1.5) / (2 * 0.4));
}

/* A processor-sharing queue with one processor has the mean sojourn s / (1 - load) whatever
 * the distribution; with c processors and exponential jobs, that of M/M/c. Jobs start in a
 * slot of their own. t2.micro has one vCPU, t4g.small two. */
static void sojourns_on_a_shared_box(void **state)
{
    (void)state;
    check("M/M/1-PS, load 0.7",
          "arrivals=poisson:0.7/s job-time=exp:1s cpu-share=1 boxes=1 concurrency=2000 "
          "instance=t2.micro",
          true, 1 / 0.3);
    check("M/G/1-PS, lognormal, cv 1.5",
          "arrivals=poisson:0.6/s job-time=lognormal:mean=1s,cv=1.5 cpu-share=1 boxes=1 "
          "concurrency=2000 instance=t2.micro",
          true, 1 / 0.4);
    check("M/M/2-PS, load 0.7",
          "arrivals=poisson:1.4/s job-time=exp:1s cpu-share=1 boxes=1 concurrency=2000 "
          "instance=t4g.small",
          true, 1 + erlang_c(2, 1.4) / 0.6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(waits),
                                       cmocka_unit_test(sojourns_on_a_shared_box)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
