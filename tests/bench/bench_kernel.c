/* bench_kernel.c - what an event, a timer and a switch cost, beside reference loops.
 *
 * Prints a table of medians in CPU time. "Events a second" means nothing between engines,
 * so M/M/1 is given in seconds per million customers, and each figure stands beside a
 * hand-written loop that ran in the same minute on the same machine. Figures and what was
 * tried: README.md beside this file. */
#include "base/arena.h"
#include "jobq/units.h"
#include "sim/kernel/kernel.h"
#include "mm1.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { ROUNDS_MAX = 99 };

static double cpu_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *sample, int count)
{
    qsort(sample, (size_t)count, sizeof *sample, compare_doubles);
    return sample[count / 2];
}

/* ---- M/M/1 on fibers: a source and a server ------------------------------------------- */

struct station {
    struct kernel *k;
    struct fiber_cond some;
    struct dice gaps, services;
    int64_t wait;
};

static void source(void *arg)
{
    struct station *s = arg;
    int64_t now = 0;
    for (int i = 0; i < CUSTOMERS; i++) {
        now += mm1_draw_ns(&s->gaps, MEAN_GAP_NS);
        kernel_sleep_until(s->k, now);
        ring_put(&ring, now);
        fiber_cond_signal(&s->some);
    }
}

static void server(void *arg)
{
    struct station *s = arg;
    struct fiber_sched *sched = kernel_fibers(s->k);
    for (int i = 0; i < CUSTOMERS; i++) {
        while (ring.count == 0)
            fiber_cond_wait(sched, &s->some, JOBQ_FOREVER);
        int64_t now = kernel_now(s->k);
        s->wait += now - ring_get(&ring);
        kernel_sleep_until(s->k, now + mm1_draw_ns(&s->services, MEAN_SERVICE_NS));
    }
}

static double mm1_fibers(struct kernel *k, uint64_t seed)
{
    kernel_reset(k);
    struct station s = {.k = k};
    dice_init(&s.gaps, seed, "gap", 0);
    dice_init(&s.services, seed, "service", 0);
    ring.first = ring.count = 0;
    struct fiber_proc *p = fiber_proc_new(kernel_fibers(k), "station");
    fiber_spawn(p, source, &s);
    fiber_spawn(p, server, &s);
    kernel_run(k, JOBQ_FOREVER);
    return (double)s.wait / CUSTOMERS;
}

/* A fiber is born for each customer and ends with it. */
struct customer_world {
    struct station s;
    bool busy;
    struct fiber_proc *proc;
};

static void customer(void *arg)
{
    struct customer_world *w = arg;
    int64_t arrived = kernel_now(w->s.k);
    if (w->busy)
        fiber_cond_wait(kernel_fibers(w->s.k), &w->s.some,
                        JOBQ_FOREVER); /* the server is handed over */
    w->busy = true;
    int64_t now = kernel_now(w->s.k);
    w->s.wait += now - arrived;
    kernel_sleep_until(w->s.k, now + mm1_draw_ns(&w->s.services, MEAN_SERVICE_NS));
    if (!fiber_cond_signal(&w->s.some))
        w->busy = false;
}

static void customer_source(void *arg)
{
    struct customer_world *w = arg;
    int64_t now = 0;
    for (int i = 0; i < CUSTOMERS; i++) {
        now += mm1_draw_ns(&w->s.gaps, MEAN_GAP_NS);
        kernel_sleep_until(w->s.k, now);
        fiber_spawn(w->proc, customer, w);
    }
}

static double mm1_customers(struct kernel *k, uint64_t seed)
{
    kernel_reset(k);
    struct customer_world w = {.s.k = k};
    dice_init(&w.s.gaps, seed, "gap", 0);
    dice_init(&w.s.services, seed, "service", 0);
    w.proc = fiber_proc_new(kernel_fibers(k), "bank");
    fiber_spawn(w.proc, customer_source, &w);
    kernel_run(k, JOBQ_FOREVER);
    return (double)w.s.wait / CUSTOMERS;
}

static void bench_mm1(int rounds)
{
    double loop[ROUNDS_MAX], fibers[ROUNDS_MAX], customers[ROUNDS_MAX];
    double ratio[ROUNDS_MAX], per_customer[ROUNDS_MAX];
    struct kernel *k = kernel_new(NULL);
    for (int i = 0; i < rounds; i++) {
        double t0 = cpu_s();
        double want = mm1_loop((uint64_t)i);
        double t1 = cpu_s();
        double have = mm1_fibers(k, (uint64_t)i);
        double t2 = cpu_s();
        double also = mm1_customers(k, (uint64_t)i);
        double t3 = cpu_s();
        if (want != have || want != also) {
            printf("M/M/1: mean waits differ: %.17g %.17g %.17g\n", want, have, also);
            exit(1);
        }
        loop[i] = t1 - t0;
        fibers[i] = t2 - t1;
        customers[i] = t3 - t2;
        ratio[i] = fibers[i] / loop[i];
        per_customer[i] = customers[i] / loop[i];
    }
    kernel_free(k);
    double r = median(ratio, rounds);
    printf("M/M/1 at 0.9, s per 1e6 customers (mean waits equal to the nanosecond)\n");
    printf("  4-ary heap loop by hand            %8.4f    1\n", median(loop, rounds));
    printf(
        "  fibers: source and server          %8.4f %6.2f    at most 2.1, aim 1.6: %s\n",
        median(fibers, rounds), r,
        r <= 1.6   ? "aim met"
        : r <= 2.1 ? "met"
                   : "NOT MET");
    printf("  fibers: one born a customer        %8.4f %6.2f\n",
           median(customers, rounds), median(per_customer, rounds));
}

/* ---- many timers ----------------------------------------------------------------------- */

enum { TIMERS_MAX = 1000000 };

struct timers {
    struct kernel *k;
    struct dice dice;
    bool mixed;
    uint64_t armed;
    struct kernel_event_id id[TIMERS_MAX];
};

static void timer_fires(void *ctx, uint64_t arg);

/* What a fleet mixes: calls, visibility or polls, and the ends of jobs. */
static void timer_arm(struct timers *t, uint64_t i)
{
    static const double mean_ns[] = {20e6, 30e9, 12 * 3600e9, 30e9};
    double mean = t->mixed ? mean_ns[dice_bits(&t->dice) >> 62] : 1e9;
    t->id[i] = kernel_at(t->k, kernel_now(t->k) + mm1_draw_ns(&t->dice, mean),
                         timer_fires, t, i);
}

static void timer_fires(void *ctx, uint64_t arg)
{
    timer_arm(ctx, arg);
}

/* ns an operation; an operation replaces a timer: fires or cancels one and arms another. */
static double timers_ns(struct timers *t, int pending, bool mixed, double cancels,
                        int ops)
{
    kernel_reset(t->k);
    t->mixed = mixed;
    dice_init(&t->dice, 1, "timers", 0);
    for (int i = 0; i < pending; i++)
        timer_arm(t, (uint64_t)i);
    uint64_t threshold = (uint64_t)(cancels * 0x1p32);
    for (int warm = 1; warm >= 0; warm--) {
        double t0 = cpu_s();
        for (int i = 0; i < ops; i++) {
            uint64_t bits = dice_bits(&t->dice);
            if (bits >> 32 < threshold) {
                uint64_t which = (bits & 0xffffffff) * (uint64_t)pending >> 32;
                kernel_cancel(t->k, t->id[which]);
                timer_arm(t, which);
            } else {
                kernel_step(t->k);
            }
        }
        if (!warm)
            return 1e9 * (cpu_s() - t0) / ops;
    }
    return 0;
}

static void bench_timers(int rounds)
{
    static const struct {
        int pending;
        bool mixed;
        double cancels;
    } cases[] = {{1000, false, 0},     {100000, false, 0},  {1000000, false, 0},
                 {100000, false, 0.5}, {100000, true, 0.5}, {100000, true, 0.9}};
    struct timers *t = xmalloc(sizeof *t);
    t->k = kernel_new(NULL);
    printf("\ntimers, ns an operation (one is fired or cancelled, and one armed)\n");
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        double ns[ROUNDS_MAX];
        for (int i = 0; i < rounds; i++)
            ns[i] =
                timers_ns(t, cases[c].pending, cases[c].mixed, cases[c].cancels, 300000);
        double m = median(ns, rounds);
        printf("  %7d pending, %s, %2.0f %% cancelled  %8.1f", cases[c].pending,
               cases[c].mixed ? "20 ms 30 s 12 h" : "one scale      ",
               cases[c].cancels * 100, m);
        if (cases[c].pending == 100000 && cases[c].cancels > 0)
            printf("           at most 200, aim 150: %s", m <= 150   ? "aim met"
                                                          : m <= 200 ? "met"
                                                                     : "NOT MET");
        printf("\n");
    }
    kernel_free(t->k);
    free(t);
}

/* ---- switches ---------------------------------------------------------------------------- */

struct crowd {
    struct kernel *k;
    struct fiber_ticket *ticket;
    int index;
};

static void yields_counted(void *arg)
{
    struct crowd *c = arg;
    for (int i = 0; i < 1000000; i++)
        fiber_yield(kernel_fibers(c->k));
}

static void parks_for_ever(void *arg)
{
    struct crowd *c = arg;
    for (;;) {
        c->ticket[c->index] = fiber_ticket(kernel_fibers(c->k));
        fiber_park(kernel_fibers(c->k), JOBQ_FOREVER);
    }
}

/* Wake a random one of many, let it park again: into the fiber and back. */
static double resume_ns(struct kernel *k, int many)
{
    kernel_reset(k);
    struct crowd *crowd = xmalloc((size_t)many * sizeof *crowd);
    struct fiber_ticket *ticket = xmalloc((size_t)many * sizeof *ticket);
    struct fiber_proc *p = fiber_proc_new(kernel_fibers(k), "crowd");
    for (int i = 0; i < many; i++) {
        crowd[i] = (struct crowd){k, ticket, i};
        fiber_spawn(p, parks_for_ever, &crowd[i]);
    }
    fiber_run_ready(kernel_fibers(k));
    struct dice dice;
    dice_init(&dice, 1, "resume", 0);
    double t0 = 0;
    for (int warm = 1; warm >= 0; warm--) {
        t0 = cpu_s();
        for (int i = 0; i < 500000; i++) {
            fiber_wake(ticket[dice_below(&dice, (uint64_t)many)]);
            fiber_run_ready(kernel_fibers(k));
        }
    }
    double ns = 1e9 * (cpu_s() - t0) / 500000;
    free(crowd);
    free(ticket);
    return ns;
}

static void bench_switches(int rounds)
{
    static const int many[] = {1, 1000, 10000, 100000};
    double ns[ROUNDS_MAX];
    struct kernel *k = kernel_new(NULL);
    printf("\nfibers, ns\n");
    for (int i = 0; i < rounds; i++) {
        kernel_reset(k);
        struct crowd c = {.k = k};
        fiber_spawn(fiber_proc_new(kernel_fibers(k), "one"), yields_counted, &c);
        double t0 = cpu_s();
        fiber_run_ready(kernel_fibers(k));
        ns[i] = 1e9 * (cpu_s() - t0) / 1e6;
    }
    printf("  yield and back: two switches       %8.1f\n", median(ns, rounds));
    for (size_t m = 0; m < sizeof many / sizeof *many; m++) {
        for (int i = 0; i < rounds; i++)
            ns[i] = resume_ns(k, many[m]);
        printf("  wake and park, one of %-7d      %8.1f\n", many[m], median(ns, rounds));
    }
    kernel_free(k);
}

static void check_table(void)
{
    struct dice dice;
    dice_init(&dice, 1, "table", 0);
    double sum = 0, squares = 0;
    for (int i = 0; i < 1000000; i++) {
        double x = zigexp(&mm1_table, &dice);
        sum += x;
        squares += x * x;
    }
    if (fabs(sum / 1e6 - 1) > 0.005 || fabs(squares / 1e6 - 2) > 0.03) {
        printf("the exponential table is wrong: mean %g, second moment %g\n", sum / 1e6,
               squares / 1e6);
        exit(1);
    }
}

int main(int argc, char **argv)
{
    int rounds = argc > 1 ? atoi(argv[1]) : 9;
    const char *part = argc > 2 ? argv[2] : "";
    if (rounds < 1 || rounds > ROUNDS_MAX || argc > 3) {
        fprintf(stderr, "usage: bench_kernel [ROUNDS 1..%d [mm1 | timers | switches]]\n",
                ROUNDS_MAX);
        return 2;
    }
    mm1_init();
    check_table();
    printf("medians of %d, CPU time\n\n", rounds);
    if (!*part || strcmp(part, "mm1") == 0)
        bench_mm1(rounds);
    if (!*part || strcmp(part, "timers") == 0)
        bench_timers(rounds);
    if (!*part || strcmp(part, "switches") == 0)
        bench_switches(rounds);
    return 0;
}
