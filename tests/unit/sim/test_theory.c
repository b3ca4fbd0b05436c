/* test_theory.c - queues on fibers and virtual time agree with the textbook.
 *
 * A source and c servers, each a fiber, around one first-come-first-served queue. Two facts
 * for each of M/M/1, M/M/10, M/D/1 and M/G/1 (lognormal): every wait is, to the
 * nanosecond, what the recursion of Kiefer and Wolfowitz gives for the same draws; and the
 * mean wait is inside the 99 % interval around the textbook value, the interval being
 * narrow enough to see an error of 2 %.
 *
 * Interval: Student's t over independent replications, each of which drops its first
 * customers. Textbook: Kleinrock, "Queueing Systems" I, 1975: 3.2 (M/M/1), 3.5 (Erlang C),
 * 5.7 (Pollaczek-Khinchine). */
#include "base/arena.h"
#include "base/dice.h"
#include "sim/kernel/kernel.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <gsl/gsl_cdf.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#if defined(__has_include)
#if __has_include(<valgrind/valgrind.h>)
#include <valgrind/valgrind.h>
#endif
#endif
#ifndef RUNNING_ON_VALGRIND
#define RUNNING_ON_VALGRIND 0
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(FIBER_UCONTEXT) || defined(TEST_SLOW_MACHINE)
#define SLOW_MACHINE 1
#else
#define SLOW_MACHINE 0
#endif

enum { REPLICATIONS = 30, SERVERS_MAX = 10, DROPPED = 5000 };
static const double T_995_29 =
    2.7564; /* Student's t, 29 degrees of freedom, two-sided 1 % */

enum service { EXPONENTIAL, CONSTANT, LOGNORMAL };

struct system {
    enum service service;
    int servers;
    double load;       /* of each server */
    double cv;         /* LOGNORMAL */
    double expected_s; /* mean wait */
};

struct station {
    const struct system *system;
    struct kernel *k;
    struct fiber_cond some;
    struct dice gaps, services;
    int customers, arrived, begun;
    int64_t *arrived_at, *wait_ns, *service_ns; /* by customer */
};

/* Mean 1 s. */
static int64_t draw_service_ns(struct station *s)
{
    double x = 1;
    if (s->system->service == EXPONENTIAL) {
        x = -log(dice_u(&s->services));
    } else if (s->system->service == LOGNORMAL) {
        double variance = log(1 + s->system->cv * s->system->cv);
        x = exp(sqrt(variance) * gsl_cdf_ugaussian_Pinv(dice_u(&s->services)) -
                variance / 2);
    }
    return jobq_ns_from_seconds(x);
}

static void source(void *arg)
{
    struct station *s = arg;
    struct fiber_sched *sched = kernel_fibers(s->k);
    double rate = s->system->load * s->system->servers;
    while (s->arrived < s->customers) {
        int64_t gap_ns = jobq_ns_from_seconds(-log(dice_u(&s->gaps)) / rate);
        fiber_sleep_until(sched, kernel_now(s->k) + gap_ns);
        s->arrived_at[s->arrived++] = kernel_now(s->k);
        fiber_cond_signal(&s->some);
    }
}

static void server(void *arg)
{
    struct station *s = arg;
    struct fiber_sched *sched = kernel_fibers(s->k);
    for (;;) {
        while (s->begun == s->arrived)
            fiber_cond_wait(sched, &s->some, JOBQ_FOREVER);
        int i = s->begun++;
        s->wait_ns[i] = kernel_now(s->k) - s->arrived_at[i];
        s->service_ns[i] = draw_service_ns(s);
        fiber_sleep_until(sched, kernel_now(s->k) + s->service_ns[i]);
    }
}

static void simulate(struct station *s, uint64_t replication)
{
    kernel_reset(s->k);
    s->some = (struct fiber_cond){0};
    s->arrived = s->begun = 0;
    dice_init(&s->gaps, 1, "gaps", replication);
    dice_init(&s->services, 1, "services", replication);
    struct fiber_proc *p = fiber_proc_new(kernel_fibers(s->k), "station");
    fiber_spawn(p, source, s);
    for (int i = 0; i < s->system->servers; i++)
        fiber_spawn(p, server, s);
    kernel_run(s->k, JOBQ_FOREVER);
    assert_int_equal(s->begun, s->customers);
}

/* Who is next starts when it is there and the first server is free. */
static void check_against_recursion(const struct station *s)
{
    int64_t free_at[SERVERS_MAX] = {0};
    int servers = s->system->servers;
    for (int i = 0; i < s->customers; i++) {
        int first = 0;
        for (int j = 1; j < servers; j++)
            if (free_at[j] < free_at[first])
                first = j;
        int64_t start =
            free_at[first] > s->arrived_at[i] ? free_at[first] : s->arrived_at[i];
        if (s->wait_ns[i] != start - s->arrived_at[i])
            fail_msg("customer %d waited %lld ns instead of %lld", i,
                     (long long)s->wait_ns[i], (long long)(start - s->arrived_at[i]));
        free_at[first] = start + s->service_ns[i];
    }
}

static void check_system(const struct system *system)
{
    /* Under a memory checker or an emulator the recursion is what counts. */
    bool slow = RUNNING_ON_VALGRIND || SLOW_MACHINE;
    int customers = RUNNING_ON_VALGRIND ? 200 : DROPPED + (slow ? 10000 : 300000);
    size_t bytes = (size_t)customers * sizeof(int64_t);
    struct station s = {.system = system,
                        .k = kernel_new(NULL),
                        .customers = customers,
                        .arrived_at = xmalloc(bytes),
                        .wait_ns = xmalloc(bytes),
                        .service_ns = xmalloc(bytes)};
    double sum = 0, squares = 0;
    for (uint64_t r = 0; r < REPLICATIONS; r++) {
        simulate(&s, r);
        check_against_recursion(&s);
        double mean = 0;
        for (int i = DROPPED; i < customers; i++)
            mean += jobq_seconds_from_ns(s.wait_ns[i]);
        mean /= customers - DROPPED;
        sum += mean;
        squares += mean * mean;
    }
    double mean = sum / REPLICATIONS;
    double variance = (squares - sum * mean) / (REPLICATIONS - 1);
    double half = T_995_29 * sqrt(variance / REPLICATIONS);
    if (!slow) {
        print_message("mean wait %.4f s, 99 %% within %.4f; textbook %.4f\n", mean, half,
                      system->expected_s);
        assert_true(half < 0.02 * system->expected_s);
        assert_true(fabs(mean - system->expected_s) < half);
    }
    free(s.arrived_at);
    free(s.wait_ns);
    free(s.service_ns);
    kernel_free(s.k);
}

static void mm1(void **state)
{
    (void)state;
    double load = 0.8;
    check_system(&(struct system){EXPONENTIAL, 1, load, 0, load / (1 - load)});
}

static void mm10(void **state)
{
    (void)state;
    /* Erlang C by way of the recursion for Erlang B. */
    double load = 0.8, offered = load * 10, blocked = 1;
    for (int i = 1; i <= 10; i++)
        blocked = offered * blocked / (i + offered * blocked);
    double waits = blocked / (1 - load * (1 - blocked));
    assert_true(fabs(waits - 0.40918) < 1e-5); /* known answer: C(10, 8) */
    check_system(&(struct system){EXPONENTIAL, 10, load, 0, waits / (10 - offered)});
}

static void md1(void **state)
{
    (void)state;
    double load = 0.8;
    check_system(&(struct system){CONSTANT, 1, load, 0, load / (2 * (1 - load))});
}

static void mg1(void **state)
{
    (void)state;
    double load = 0.7, cv = 1.5;
    check_system(&(struct system){LOGNORMAL, 1, load, cv,
                                  load * (1 + cv * cv) / (2 * (1 - load))});
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mm1),
        cmocka_unit_test(mm10),
        cmocka_unit_test(md1),
        cmocka_unit_test(mg1),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
