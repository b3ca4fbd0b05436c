/* test_steady.c - warm-up, intervals and stopping. */
#include "sim/play/steady.h"

#include "base/dice.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <gsl/gsl_cdf.h>
#include <math.h>

static void t_is_the_textbook_s(void **state)
{
    (void)state;
    static const double known[][2] = {{1, 12.7062},  {2, 4.30265},  {3, 3.18245},
                                      {4, 2.77645},  {5, 2.57058},  {9, 2.26216},
                                      {10, 2.22814}, {30, 2.04227}, {1e6, 1.95996}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        assert_true(fabs(steady_t95(known[i][0]) - known[i][1]) < 1e-4);
}

static void warm_up_is_found(void **state)
{
    (void)state;
    enum { N = 2000 };
    double x[N];
    struct dice dice;
    dice_init(&dice, 3, "warm", 0);
    for (int i = 0; i < N; i++)
        x[i] = 10 + gsl_cdf_ugaussian_Pinv(dice_u(&dice)) +
               (i < 300 ? 20.0 * (300 - i) / 300 : 0);
    size_t cut = steady_warm_up(x, N);
    assert_in_range(cut, 250, 400);
    assert_true(fabs(steady_mean(x, N).mean - 10) < 0.15);
    for (int i = 0; i < N; i++)
        x[i] = 1;
    assert_int_equal(steady_warm_up(x, N), 0);
    assert_int_equal(steady_warm_up(x, 7), 0);
}

/* Batch means cover the mean of a correlated series as often as they say: AR(1) with
 * coefficient 0.7, whose naive interval would cover about 60 %. */
static void intervals_of_correlated_series_cover(void **state)
{
    (void)state;
    enum { N = 5000, TRIALS = 400 };
    static double x[N];
    struct dice dice;
    dice_init(&dice, 4, "ar1", 0);
    int covered = 0;
    for (int trial = 0; trial < TRIALS; trial++) {
        double v = gsl_cdf_ugaussian_Pinv(dice_u(&dice)) / sqrt(1 - 0.49);
        for (int i = 0; i < N; i++)
            x[i] = 5 + (v = 0.7 * v + gsl_cdf_ugaussian_Pinv(dice_u(&dice)));
        struct steady_mean m = steady_mean(x, N);
        covered += fabs(m.mean - 5) <= m.half_width;
    }
    assert_in_range(covered, 364, 396); /* 91 to 99 % */
}

static void stopping_waits_for_the_precision(void **state)
{
    (void)state;
    double x[200];
    struct dice dice;
    dice_init(&dice, 5, "stop", 0);
    for (int i = 0; i < 200; i++)
        x[i] = 100 + 5 * gsl_cdf_ugaussian_Pinv(dice_u(&dice));
    assert_false(steady_is_precise(x, 9, 0.5));
    assert_false(steady_is_precise(x, 12, 0.005));
    assert_true(steady_is_precise(x, 200, 0.01));
    double zero[10] = {0};
    assert_true(steady_is_precise(zero, 10, 0.01));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(t_is_the_textbook_s),
        cmocka_unit_test(warm_up_is_found),
        cmocka_unit_test(intervals_of_correlated_series_cover),
        cmocka_unit_test(stopping_waits_for_the_precision),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
