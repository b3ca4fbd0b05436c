/* test_vcpu.c - processor sharing: exact where it can be, theory elsewhere. */
#include "models/ec2/vcpu.h"

#include "base/dice.h"
#include "jobq/units.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <gsl/gsl_cdf.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static int64_t run_out(struct box *box, int64_t *end_ns)
{
    struct box_end end[4];
    int64_t last_ns = -1, next_ns;
    while ((next_ns = box_next_at(box)) != INT64_MAX) {
        int count;
        do {
            count = box_advance(box, next_ns, end, 4);
            for (int i = 0; i < count; i++) {
                assert_true(end[i].at_ns >= last_ns);
                last_ns = end[i].at_ns;
                if (end_ns)
                    end_ns[(intptr_t)end[i].tag] = end[i].at_ns;
            }
        } while (count == 4);
    }
    return last_ns;
}

static void *tag(int64_t index)
{
    return (void *)(intptr_t)index;
}

static void jobs_share_evenly(void **state)
{
    (void)state;
    struct box box;
    int64_t end[8];
    box_init(&box, 2, 0);
    /* Two vCPUs, three jobs of 6 s: each at 2/3, all end at 9 s. */
    for (int i = 0; i < 3; i++)
        box_add(&box, 0, &(struct box_job){.cpu_ns = 6 * JOBQ_NS_PER_S, .tag = tag(i)});
    assert_int_equal(run_out(&box, end), 9 * JOBQ_NS_PER_S);
    assert_int_equal(end[0], end[2]);
    assert_int_equal(box_busy_ns(&box, 20 * JOBQ_NS_PER_S), 18 * JOBQ_NS_PER_S);
    /* One vCPU: 3 s, joined at 1 s by 1 s. The second ends at 3, the first at 4. */
    box_reset(&box, 1, 0);
    box_add(&box, 0, &(struct box_job){.cpu_ns = 3 * JOBQ_NS_PER_S, .tag = tag(0)});
    box_add(&box, JOBQ_NS_PER_S,
            &(struct box_job){.cpu_ns = JOBQ_NS_PER_S, .tag = tag(1)});
    run_out(&box, end);
    assert_int_equal(end[1], 3 * JOBQ_NS_PER_S);
    assert_int_equal(end[0], 4 * JOBQ_NS_PER_S);
    /* Taken away half way: the other speeds up. */
    box_reset(&box, 1, 0);
    box_add(&box, 0, &(struct box_job){.cpu_ns = 3 * JOBQ_NS_PER_S, .tag = tag(0)});
    int32_t gone =
        box_add(&box, 0, &(struct box_job){.cpu_ns = 9 * JOBQ_NS_PER_S, .tag = tag(1)});
    assert_true(box_remove(&box, 2 * JOBQ_NS_PER_S, gone));
    assert_false(box_remove(&box, 2 * JOBQ_NS_PER_S, gone));
    assert_int_equal(run_out(&box, end), 4 * JOBQ_NS_PER_S);
    box_release(&box);
}

/* Whatever its neighbours, a sleeper ends to the nanosecond; so does anyone while there are
 * vCPUs for all. */
static void sleepers_are_exact(void **state)
{
    (void)state;
    struct box box;
    struct dice dice;
    dice_init(&dice, 1, "sleepers", 0);
    box_init(&box, 3, 0);
    enum { N = 400 };
    int64_t end[2 * N], want[N], now_ns = 0;
    struct box_end out[8];
    int ended = 0;
    for (int i = 0; i < N; i++) {
        int64_t total_ns = 1 + (int64_t)dice_below(&dice, 3000000007);
        struct box_job sleeper = box_split(total_ns, 0, dice_u(&dice), tag(i));
        struct box_job worker =
            box_split(total_ns, dice_u(&dice), dice_u(&dice), tag(N + i));
        assert_int_equal(worker.before_ns + worker.cpu_ns + worker.after_ns, total_ns);
        box_add(&box, now_ns, &sleeper);
        box_add(&box, now_ns, &worker);
        want[i] = now_ns + total_ns;
        int64_t until_ns = now_ns + (int64_t)dice_below(&dice, 100000000);
        while (box_next_at(&box) <= until_ns) {
            int count = box_advance(&box, box_next_at(&box), out, 8);
            for (int k = 0; k < count; k++, ended++)
                end[(intptr_t)out[k].tag] = out[k].at_ns;
        }
        assert_int_equal(box_advance(&box, until_ns, out, 8), 0);
        now_ns = until_ns;
    }
    run_out(&box, end);
    for (int i = 0; i < N; i++) {
        assert_int_equal(end[i], want[i]);
        assert_true(end[N + i] >= want[i] - 1);
    }
    /* Three at once on three vCPUs. */
    box_reset(&box, 3, 17);
    for (int i = 0; i < 3; i++)
        box_add(&box, 17, &(struct box_job){1000003, 7000001 * (i + 1), 1, tag(i)});
    run_out(&box, end);
    for (int i = 0; i < 3; i++)
        assert_int_equal(end[i], 17 + 1000003 + 7000001 * (i + 1) + 1);
    /* A job of nothing ends at once. */
    box_reset(&box, 1, 5);
    box_add(&box, 5, &(struct box_job){.tag = tag(0)});
    assert_int_equal(box_next_at(&box), 5);
    assert_int_equal(run_out(&box, end), 5);
    box_release(&box);
}

/* Against the definition: remaining work of each job, stepped from change to change in long
 * double, without whole nanoseconds (worst difference seen: 6 ns). */
struct plain_job {
    long double start, before, cpu, after, end;
};

static void plain_run(struct plain_job *job, int n, int vcpus)
{
    long double now = 0;
    for (;;) {
        int k = 0;
        long double step = (long double)HUGE_VAL;
        for (int i = 0; i < n; i++)
            k += job[i].end < 0 && now >= job[i].start && job[i].before <= 0 &&
                 job[i].cpu > 0;
        long double rate = k > vcpus ? (long double)vcpus / k : 1;
        bool all = true;
        for (int i = 0; i < n; i++) {
            struct plain_job *j = &job[i];
            if (j->end >= 0)
                continue;
            all = false;
            long double left = now < j->start  ? j->start - now
                               : j->before > 0 ? j->before
                               : j->cpu > 0    ? j->cpu / rate
                                               : j->after;
            step = left < step ? left : step;
        }
        if (all)
            return;
        for (int i = 0; i < n; i++) {
            struct plain_job *j = &job[i];
            if (j->end >= 0 || now < j->start)
                continue;
            long double *left = j->before > 0 ? &j->before
                                : j->cpu > 0  ? &j->cpu
                                              : &j->after;
            *left -= step * (left == &j->cpu ? rate : 1);
            if (*left < 1e-7L)
                *left = 0;
            if (j->before <= 0 && j->cpu <= 0 && j->after <= 0)
                j->end = now + step;
        }
        now += step;
        for (int i = 0; i < n; i++)
            if (fabsl(now - job[i].start) < 1e-7L)
                now = job[i].start;
    }
}

static void agrees_with_the_definition(void **state)
{
    (void)state;
    struct dice dice;
    dice_init(&dice, 2, "box", 0);
    for (int round = 0; round < 300; round++) {
        enum { N = 24 };
        struct plain_job job[N];
        int64_t start[N], end[N];
        struct box box;
        int vcpus = 1 + (int)dice_below(&dice, 4);
        box_init(&box, vcpus, 0);
        struct box_end out[4];
        int64_t now_ns = 0;
        for (int i = 0; i < N; i++) {
            now_ns +=
                (int64_t)dice_below(&dice, 3) * 500000 + (int64_t)dice_below(&dice, 9);
            int64_t next_ns;
            while ((next_ns = box_next_at(&box)) <= now_ns) {
                int count = box_advance(&box, next_ns, out, 4);
                for (int k = 0; k < count; k++)
                    end[(intptr_t)out[k].tag] = out[k].at_ns;
            }
            struct box_job add =
                box_split(1 + (int64_t)dice_below(&dice, 10000000),
                          round % 3 == 0 ? 1 : dice_u(&dice), dice_u(&dice), tag(i));
            start[i] = now_ns;
            box_add(&box, now_ns, &add);
            job[i] =
                (struct plain_job){now_ns, add.before_ns, add.cpu_ns, add.after_ns, -1};
        }
        run_out(&box, end);
        plain_run(job, N, vcpus);
        for (int i = 0; i < N; i++)
            assert_true(fabsl((long double)end[i] - job[i].end) < N &&
                        end[i] >= start[i]);
        box_release(&box);
    }
}

/* M/G/1 processor sharing: the mean sojourn is E[S] / (1 - rho), whatever the distribution
 * (Kleinrock, Queueing Systems II, 4.4). Batch means over one long run; 99 % interval. */
static void theory_of_sharing(void **state)
{
    (void)state;
    enum { BATCHES = 40, PER_BATCH = 4000, WARM_UP = 20000 };
    static const double t99 = 2.708; /* Student, 39 degrees of freedom */
    for (int kind = 0; kind < 3; kind++) {
        const double rho = 0.7, service_s = 1;
        struct dice dice;
        dice_init(&dice, 11, "sharing", (uint64_t)kind);
        struct box box;
        box_init(&box, 1, 0);
        struct box_end out[16];
        double sum = 0, sum2 = 0, batch = 0;
        int ended = -WARM_UP;
        int64_t now_ns = 0;
        while (ended < BATCHES * PER_BATCH) {
            int64_t arrival_ns =
                now_ns + jobq_ns_from_seconds(-log(dice_u(&dice)) * service_s / rho);
            int64_t next_ns;
            while ((next_ns = box_next_at(&box)) <= arrival_ns) {
                int count = box_advance(&box, next_ns, out, 16);
                for (int k = 0; k < count; k++) {
                    if (ended++ < 0)
                        continue;
                    batch += jobq_seconds_from_ns(out[k].at_ns -
                                                  (int64_t)(intptr_t)out[k].tag);
                    if (ended % PER_BATCH == 0) {
                        double mean = batch / PER_BATCH;
                        sum += mean;
                        sum2 += mean * mean;
                        batch = 0;
                    }
                }
            }
            now_ns = arrival_ns;
            double service = service_s;
            if (kind == 0)
                service *= -log(dice_u(&dice));
            else if (kind == 1) /* lognormal, cv 1.5 */
                service *= exp(sqrt(log(3.25)) * gsl_cdf_ugaussian_Pinv(dice_u(&dice)) -
                               log(3.25) / 2);
            box_add(&box, now_ns,
                    &(struct box_job){.cpu_ns = jobq_ns_from_seconds(service),
                                      .tag = tag(now_ns)});
        }
        double batches = BATCHES;
        double mean = sum / batches;
        double sd = sqrt((sum2 - batches * mean * mean) / (batches - 1));
        double want = service_s / (1 - rho);
        printf("  %s: mean sojourn %.4f s, theory %.4f, 99 %% interval +-%.4f\n",
               kind == 0   ? "M/M/1-PS"
               : kind == 1 ? "M/LN/1-PS"
                           : "M/D/1-PS",
               mean, want, t99 * sd / sqrt(batches));
        assert_true(fabs(mean - want) < t99 * sd / sqrt(batches));
        assert_true(t99 * sd / sqrt(batches) < 0.08 * want);
        box_release(&box);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(jobs_share_evenly),
        cmocka_unit_test(sleepers_are_exact),
        cmocka_unit_test(agrees_with_the_definition),
        cmocka_unit_test(theory_of_sharing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
