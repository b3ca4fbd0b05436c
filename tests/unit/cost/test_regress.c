/* test_regress.c - least squares against certified answers. */
#include "cost/fit/regress.h"

#include "base/dice.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <gsl/gsl_errno.h>
#include <gsl/gsl_cdf.h>
#include <math.h>

static void near_to(double got, double want, double relative)
{
    if (fabs(got - want) > relative * fabs(want))
        fail_msg("got %.15g, want %.15g", got, want);
}

/* Longley, J. W., JASA 62, 1967; certified values of NIST StRD: the classic of ill
 * conditioned data (condition number about 5e9). */
static void longley_is_met(void **state)
{
    (void)state;
    static const double y[16] = {60323, 61122, 60171, 61187, 63221, 63639, 64989, 63761,
                                 66019, 67857, 68169, 66513, 68655, 69564, 69331, 70551};
    static const double x[16][7] = {{1, 83.0, 234289, 2356, 1590, 107608, 1947},
                                    {1, 88.5, 259426, 2325, 1456, 108632, 1948},
                                    {1, 88.2, 258054, 3682, 1616, 109773, 1949},
                                    {1, 89.5, 284599, 3351, 1650, 110929, 1950},
                                    {1, 96.2, 328975, 2099, 3099, 112075, 1951},
                                    {1, 98.1, 346999, 1932, 3594, 113270, 1952},
                                    {1, 99.0, 365385, 1870, 3547, 115094, 1953},
                                    {1, 100.0, 363112, 3578, 3350, 116219, 1954},
                                    {1, 101.2, 397469, 2904, 3048, 117388, 1955},
                                    {1, 104.6, 419180, 2822, 2857, 118734, 1956},
                                    {1, 108.4, 442769, 2936, 2798, 120445, 1957},
                                    {1, 110.8, 444546, 4681, 2637, 121950, 1958},
                                    {1, 112.6, 482704, 3813, 2552, 123366, 1959},
                                    {1, 114.2, 502601, 3931, 2514, 125368, 1960},
                                    {1, 115.7, 518173, 4806, 2572, 127852, 1961},
                                    {1, 116.9, 554894, 4007, 2827, 130081, 1962}};
    static const double b[7] = {-3482258.63459582,     15.0618722713733,
                                -0.358191792925910e-1, -2.02022980381683,
                                -1.03322686717359,     -0.511041056535807e-1,
                                1829.15146461355};
    static const double sd[7] = {
        890420.383607373,  84.9149257747669,  0.334910077722432e-1, 0.488399681651699,
        0.214274163161675, 0.226073200069370, 455.478499142212};
    struct regress_result fit;
    struct jobq_error err;
    struct regress_data data = {16, 7, &x[0][0], y, NULL};
    assert_int_equal(regress_fit(&data, false, &fit, &err), 0);
    assert_int_equal(fit.rank, 7);
    for (int i = 0; i < 7; i++) {
        near_to(fit.coefficient[i], b[i], 1e-6);
        near_to(sqrt(fit.covariance[i][i]), sd[i], 1e-6);
    }
    near_to(sqrt(fit.sigma2), 304.854073561965, 1e-9);
    near_to(fit.r2, 0.995479004577296, 1e-10);
}

static void robust_is_not_pulled_by_outliers(void **state)
{
    (void)state;
    enum { N = 200 };
    double x[N][2], y[N];
    struct dice dice;
    dice_init(&dice, 5, "robust", 0);
    for (int i = 0; i < N; i++) {
        x[i][0] = 1;
        x[i][1] = i / 10.0;
        y[i] = 3 + 2 * x[i][1] + 0.01 * gsl_cdf_ugaussian_Pinv(dice_u(&dice));
        if (i % 20 == 7)
            y[i] += 50;
    }
    struct regress_result plain, robust;
    struct jobq_error err;
    struct regress_data data = {N, 2, &x[0][0], y, NULL};
    assert_int_equal(regress_fit(&data, false, &plain, &err), 0);
    assert_int_equal(regress_fit(&data, true, &robust, &err), 0);
    assert_true(fabs(plain.coefficient[0] - 3) > 0.5);
    assert_true(fabs(robust.coefficient[0] - 3) < 0.01);
    assert_int_equal(robust.outliers, N / 20);
}

/* The interval of a coefficient covers the truth as often as it says. */
static void intervals_cover(void **state)
{
    (void)state;
    enum { N = 40, TRIALS = 2000 };
    struct dice dice;
    dice_init(&dice, 6, "cover", 0);
    int covered = 0;
    for (int trial = 0; trial < TRIALS; trial++) {
        double x[N][2], y[N], w[N];
        for (int i = 0; i < N; i++) {
            double sigma = 1 + i % 5;
            x[i][0] = 1;
            x[i][1] = dice_u(&dice);
            y[i] = 1 + 4 * x[i][1] + sigma * gsl_cdf_ugaussian_Pinv(dice_u(&dice));
            w[i] = 1 / (sigma * sigma);
        }
        struct regress_result fit;
        struct jobq_error err;
        struct regress_data data = {N, 2, &x[0][0], y, w};
        assert_int_equal(regress_fit(&data, false, &fit, &err), 0);
        /* t(38), 0.975 */
        covered += fabs(fit.coefficient[1] - 4) <= 2.0244 * sqrt(fit.covariance[1][1]);
    }
    /* 95 % of 2,000, give or take 3.3 standard deviations. */
    assert_in_range(covered, 1868, 1932);
}

static void selection_finds_the_terms_that_matter(void **state)
{
    (void)state;
    enum { N = 300 };
    double x[N][6], y[N];
    struct dice dice;
    dice_init(&dice, 7, "select", 0);
    for (int i = 0; i < N; i++) {
        x[i][0] = 1;
        for (int t = 1; t < 6; t++)
            x[i][t] = dice_u(&dice);
        y[i] =
            1 + 2 * x[i][2] - 3 * x[i][4] + 0.1 * gsl_cdf_ugaussian_Pinv(dice_u(&dice));
    }
    bool keep[REGRESS_TERMS_MAX];
    struct jobq_error err;
    struct regress_data data = {N, 6, &x[0][0], y, NULL};
    assert_int_equal(regress_select(&data, 1, 10, 0.02, keep, &err), 3);
    assert_true(keep[0] && keep[2] && keep[4]);
}

static void twins_are_noticed_and_nonsense_refused(void **state)
{
    (void)state;
    double x[5][2] = {{1, 2}, {2, 4}, {3, 6}, {4, 8}, {5, 10}},
           y[5] = {5, 10, 15, 20, 25};
    struct regress_result fit;
    struct jobq_error err;
    assert_int_equal(
        regress_fit(&(struct regress_data){5, 2, &x[0][0], y, NULL}, false, &fit, &err),
        0);
    assert_int_equal(fit.rank, 1);
    assert_true(fabs(fit.coefficient[0] + 2 * fit.coefficient[1] - 5) < 1e-9);
    assert_int_equal(
        regress_fit(&(struct regress_data){2, 2, &x[0][0], y, NULL}, false, &fit, &err),
        JOBQ_INVALID);
    x[3][1] = (double)NAN;
    assert_int_equal(
        regress_fit(&(struct regress_data){5, 2, &x[0][0], y, NULL}, false, &fit, &err),
        JOBQ_INVALID);
}

int main(void)
{
    gsl_set_error_handler_off();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(longley_is_met),
        cmocka_unit_test(robust_is_not_pulled_by_outliers),
        cmocka_unit_test(intervals_cover),
        cmocka_unit_test(selection_finds_the_terms_that_matter),
        cmocka_unit_test(twins_are_noticed_and_nonsense_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
