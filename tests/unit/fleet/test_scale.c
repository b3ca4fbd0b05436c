/* test_scale.c - how many boxes are wanted: Little's law, bounds, caps, and the measured job
 * time. */
#include "fleet/scale/decide.h"

#include "base/dice.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static const struct scale_policy PLAIN = {.target_s = 100,
                                          .boot_s = 0,
                                          .slots = 4,
                                          .boxes_max = 1000000,
                                          .hour_usd_max = HUGE_VAL};

static struct scale_decision decide(const struct scale_policy *p, int64_t waiting,
                                    int64_t running, double job_s, int64_t boxes)
{
    const struct scale_seen seen = {
        .waiting = waiting, .running = running, .job_s = job_s, .boxes = boxes};
    struct scale_decision d;
    scale_decide(p, &seen, &d);
    return d;
}

/* L jobs of S seconds within T take L S / T slots: 1,000 of 2 s in 100 s take 20, 5 boxes. */
static void littles_law(void **state)
{
    (void)state;
    assert_int_equal(decide(&PLAIN, 1000, 0, 2, 0).wanted, 5);
    assert_int_equal(decide(&PLAIN, 980, 20, 2, 0).wanted, 5);
    assert_int_equal(decide(&PLAIN, 980, 20, 2, 5).launch, 0);
    assert_int_equal(decide(&PLAIN, 0, 0, 2, 0).wanted, 0);
    assert_int_equal(decide(&PLAIN, 1, 0, 2, 0).wanted, 1);
}

/* Fed with 7 jobs a second for long, the fleet settles where a job is in the system for T on
 * the average, within the tolerance: L = 7 T. */
static void steady_load_settles_at_the_target(void **state)
{
    (void)state;
    const double rate = 7, job_s = 3, dt_s = 5;
    double jobs = 0, sum = 0;
    int64_t boxes = 0, looks = 0;
    for (double t_s = 0; t_s < 20000; t_s += dt_s) {
        boxes = decide(&PLAIN, (int64_t)jobs, 0, job_s, boxes).wanted;
        double most = fmin((double)(boxes * PLAIN.slots), jobs) / job_s * dt_s;
        jobs += rate * dt_s - most;
        if (t_s >= 10000) {
            sum += jobs;
            looks++;
        }
    }
    /* It needs 21 slots: 6 boxes. It may have more for a short while at the start only. */
    assert_true(boxes >= 6 && boxes <= 7);
    assert_true(sum / (double)looks <= 1.1 * rate * PLAIN.target_s + rate * dt_s);
}

/* More jobs, longer ones or less time never want fewer boxes; there are never more slots than
 * jobs but for those of the last box; and boxes that are there are never wanted away. */
static void monotone_and_bounded(void **state)
{
    (void)state;
    struct dice dice;
    dice_init(&dice, 1, "scale", 0);
    for (int i = 0; i < 200000; i++) {
        struct scale_policy p = PLAIN;
        p.target_s = exp(dice_u(&dice) * 9);
        p.boot_s = dice_u(&dice) * 100;
        p.slots = 1 + (int64_t)dice_below(&dice, 20);
        int64_t jobs = (int64_t)exp(dice_u(&dice) * 12),
                boxes = (int64_t)dice_below(&dice, 50);
        double job_s = exp(dice_u(&dice) * 12 - 4);
        struct scale_decision d = decide(&p, jobs, 0, job_s, boxes);
        assert_true(d.wanted >= boxes);
        assert_int_equal(d.launch, d.wanted - boxes);
        assert_true(d.launch == 0 || d.wanted * p.slots < jobs + p.slots);
        assert_true(decide(&p, jobs + 1, 0, job_s, boxes).wanted >= d.wanted);
        assert_true(decide(&p, jobs, 1, job_s, boxes).wanted >= d.wanted);
        assert_true(decide(&p, jobs, 0, job_s * 1.3, boxes).wanted >= d.wanted);
        /* Enough for the target without a boot: the work of all jobs in the slots' time. */
        double slots = (double)(d.wanted * p.slots);
        assert_true(slots >= (double)jobs * (1 - 1e-9) ||
                    slots * p.target_s * 1.1 >= (double)jobs * job_s * (1 - 1e-9));
        struct scale_policy sooner = p;
        sooner.target_s /= 2;
        sooner.boot_s = p.boot_s = 0;
        assert_true(decide(&sooner, jobs, 0, job_s, 0).wanted >=
                    decide(&p, jobs, 0, job_s, 0).wanted);
    }
}

/* What a launch was made for is not launched for again while it boots. */
static void a_second_look_launches_nothing(void **state)
{
    (void)state;
    struct dice dice;
    dice_init(&dice, 2, "scale", 0);
    for (int i = 0; i < 100000; i++) {
        struct scale_policy p = PLAIN;
        p.target_s = exp(dice_u(&dice) * 9);
        p.boot_s = dice_u(&dice) * 100;
        int64_t jobs = (int64_t)exp(dice_u(&dice) * 12),
                boxes = (int64_t)dice_below(&dice, 50);
        double job_s = exp(dice_u(&dice) * 12 - 4);
        int64_t wanted = decide(&p, jobs, 0, job_s, boxes).wanted;
        assert_int_equal(decide(&p, jobs, 0, job_s, wanted).launch, 0);
    }
}

/* The target holds for who starts from nothing: what the boxes do in the time that the boot
 * leaves is all the work. */
static void boot_is_part_of_the_target(void **state)
{
    (void)state;
    struct scale_policy p = PLAIN;
    p.boot_s = 30;
    /* 70 s are left: 2,000 slot seconds take 28.6 slots, 8 boxes; beside 2 boxes that do 800,
     * 17.1 slots, 5 more. */
    assert_int_equal(decide(&p, 1000, 0, 2, 0).wanted, 8);
    assert_int_equal(decide(&p, 1000, 0, 2, 2).wanted, 7);
    /* A boot of more than half of it: half must do. */
    p.boot_s = 99;
    assert_int_equal(decide(&p, 1000, 0, 2, 0).wanted, 10);
}

static void long_jobs_get_a_slot_each(void **state)
{
    (void)state;
    assert_int_equal(decide(&PLAIN, 100, 0, 1e6, 0).wanted, 25);
    assert_int_equal(decide(&PLAIN, 2, 99, 1e6, 25).wanted, 26);
    assert_int_equal(decide(&PLAIN, 1, 99, 1e6, 25).launch, 0);
}

/* A tenth more than the target starts nothing; more does. */
static void noise_starts_nothing(void **state)
{
    (void)state;
    assert_int_equal(decide(&PLAIN, 219, 0, 2, 1).launch, 0);
    assert_int_equal(decide(&PLAIN, 221, 0, 2, 1).launch, 1);
}

static void bounds(void **state)
{
    (void)state;
    struct scale_policy p = PLAIN;
    p.boxes_min = 3;
    p.boxes_max = 8;
    struct scale_decision d = decide(&p, 0, 0, 1, 0);
    assert_int_equal(d.wanted, 3);
    assert_int_equal(d.bound, SCALE_MIN);
    d = decide(&p, 1000000, 0, 1, 2);
    assert_int_equal(d.launch, 6);
    assert_int_equal(d.bound, SCALE_MAX);
    d = decide(&p, 1000000, 0, 1, 9);
    assert_int_equal(d.wanted, 9);
    assert_int_equal(d.launch, 0);
    p.hour_usd_max = 0.3;
    p.box_hour_usd = 0.1;
    d = decide(&p, 1000000, 0, 1, 0);
    assert_int_equal(d.wanted, 3); /* 0.3 / 0.1 is a hair below 3 */
    assert_int_equal(d.bound, SCALE_DOLLARS);
    p.hour_usd_max = 0.19;
    assert_int_equal(decide(&p, 0, 0, 1, 0).wanted, 1); /* dollars before the least */
    p.hour_usd_max = 0.09;
    assert_int_equal(decide(&p, 1000000, 0, 1, 0).wanted, 0);
}

/* Boxes that never said a word are paid, count for the bounds, and do nothing. */
static void deaf_boxes_do_not_work(void **state)
{
    (void)state;
    struct scale_policy p = PLAIN;
    p.boxes_max = 7;
    const struct scale_seen seen = {.waiting = 1000, .job_s = 2, .boxes = 5, .deaf = 5};
    struct scale_decision d;
    scale_decide(&p, &seen, &d);
    assert_int_equal(d.launch, 2);
    assert_int_equal(d.bound, SCALE_MAX);
}

static void job_time_is_learnt(void **state)
{
    (void)state;
    struct scale_job_time t = {.guess_s = 1, .half_life_s = 100};
    assert_true(fabs(scale_job_time(&t, 0, 0, 0) - 1) < 1e-12);
    /* 99 jobs of 10 s, and the guess as one job more. */
    assert_true(fabs(scale_job_time(&t, 0, INT64_C(990000000000), 99) - 9.91) < 1e-9);
    /* Nothing ends for a half life, or for many: the mean stays as it was. */
    struct scale_job_time long_jobs = t;
    assert_true(fabs(scale_job_time(&t, 100, INT64_C(990000000000), 99) - 9.91) < 1e-9);
    assert_true(fabs(scale_job_time(&long_jobs, 1e6, INT64_C(990000000000), 99) - 9.91) <
                1e-9);
    /* Reports were dropped: the next sums are a new beginning. */
    double before = scale_job_time(&t, 0, INT64_C(990000000000), 99);
    assert_true(fabs(scale_job_time(&t, 0, 0, 0) - before) < 1e-12);
    /* The jobs change: after four half lives with as many, nine tenths are of the new ones. */
    int64_t held_ns = 0, ended = 0;
    double s = 0;
    for (int i = 0; i < 4; i++) {
        held_ns += INT64_C(99) * 100000000;
        ended += 99;
        s = scale_job_time(&t, 100, held_ns, ended);
    }
    assert_true(s > 0.1 && s < 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(littles_law),
        cmocka_unit_test(steady_load_settles_at_the_target),
        cmocka_unit_test(monotone_and_bounded),
        cmocka_unit_test(a_second_look_launches_nothing),
        cmocka_unit_test(boot_is_part_of_the_target),
        cmocka_unit_test(long_jobs_get_a_slot_each),
        cmocka_unit_test(noise_starts_nothing),
        cmocka_unit_test(bounds),
        cmocka_unit_test(deaf_boxes_do_not_work),
        cmocka_unit_test(job_time_is_learnt)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
