/* test_distribution.c - quantiles and moments against textbook values and against each other;
 * texts that are read, and those that are not. */
#include "base/distribution.h"

#include "base/dice.h"
#include "jobq/units.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <gsl/gsl_errno.h>
#include <math.h>
#include <string.h>

static void near(double got, double want, double relative)
{
    if (!(fabs(got - want) <= relative * fabs(want)))
        fail_msg("got %.17g, want %.17g", got, want);
}

static void known_answers(void **state)
{
    (void)state;
    struct distribution q = distribution_lognormal_p99(9e6, 90e6);
    near(distribution_value(&q, 0.5), 9e6, 1e-14);
    near(distribution_value(&q, 0.99), 90e6, 1e-13);
    q = distribution_lognormal_cv(2e9, 1.5);
    near(distribution_mean(&q), 2e9, 1e-14);
    /* sigma^2 = log(1 + 1.5^2) = 1.178654996341646; median = 2 exp(-sigma^2 / 2). */
    near(distribution_value(&q, 0.5), 1.1094003924504583e9, 1e-13);
    q = distribution_exponential(3.0);
    near(distribution_value(&q, 1.0 - 1.0 / M_E), 3.0, 1e-14);
    near(distribution_value(&q, 1e-12), 3e-12, 1e-11);
    q = distribution_uniform(1.0, 3.0);
    near(distribution_value(&q, 0.25), 1.5, 1e-15);
    q = (struct distribution){.kind = DISTRIBUTION_WEIBULL, .a = 2.0, .b = 1.0};
    near(distribution_value(&q, 0.5), 2.0 * M_LN2, 1e-14);
    near(distribution_mean(&q), 2.0, 1e-14);
    q = (struct distribution){.kind = DISTRIBUTION_PARETO, .a = 1.0, .b = 2.0};
    near(distribution_value(&q, 0.75), 2.0, 1e-14);
    near(distribution_mean(&q), 2.0, 1e-14);
    /* The median of a gamma of shape 2 solves (1 + x) exp(-x) = 1/2: x = 1.678346990016661. */
    q = (struct distribution){.kind = DISTRIBUTION_GAMMA, .a = 3.0, .b = 2.0};
    near(distribution_value(&q, 0.5), 3 * 1.678346990016661, 1e-12);
    near(distribution_mean(&q), 6.0, 1e-14);
    near(distribution_cv(&q), sqrt(0.5), 1e-14);
    /* A gamma of shape 1 is exponential; one of shape 1/2 and scale 2 is chi-square of one
     * degree, the square of a normal: 1.959963984540054^2 at 0.95. */
    q = (struct distribution){.kind = DISTRIBUTION_GAMMA, .a = 5.0, .b = 1.0};
    near(distribution_value(&q, 1.0 - 1.0 / M_E), 5.0, 1e-12);
    q = (struct distribution){.kind = DISTRIBUTION_GAMMA, .a = 2.0, .b = 0.5};
    near(distribution_value(&q, 0.95), 1.959963984540054 * 1.959963984540054, 1e-12);
    q = distribution_constant(7.0);
    assert_int_equal(distribution_ns(&q, 0.3), 7);
}

/* The mean of the quantile function over a fine grid of u is the mean. */
static void means_agree_with_the_quantiles(void **state)
{
    (void)state;
    struct distribution q[4] = {
        distribution_lognormal_cv(2e9, 1.5),
        distribution_exponential(5e6),
        {.kind = DISTRIBUTION_WEIBULL, .a = 9e6, .b = 2.0},
        {.kind = DISTRIBUTION_TABLE, .count = 3, .p = {0, 0.5, 1}, .v = {0, 9e6, 1e9}}};
    enum { N = 200000 };
    for (int k = 0; k < 4; k++) {
        double sum = 0.0;
        for (int i = 0; i < N; i++)
            sum += distribution_value(&q[k], (i + 0.5) / N);
        near(sum / N, distribution_mean(&q[k]), 2e-3);
    }
}

static void texts_are_read(void **state)
{
    (void)state;
    struct jobq_error err;
    struct distribution q;
    static const struct {
        const char *text;
        double u, value;
    } good[] = {{"10ms", 0.1, 10e6},
                {"const:2s", 0.9, 2e9},
                {"exp:1s", 0.5, M_LN2 * 1e9},
                {"uniform:1s..3s", 0.5, 2e9},
                {"lognormal:median=9ms,p99=90ms", 0.99, 90e6},
                {"lognormal:mean=2s,cv=1.5", 0.5, 1.1094003924504583e9},
                {"weibull:scale=2s,shape=1", 0.5, 2e9 * M_LN2},
                {"pareto:min=1s,shape=2", 0.75, 2e9},
                {"table:0=0s,0.5=9ms,1=1s", 0.75, 504.5e6}};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        assert_int_equal(distribution_parse(good[i].text, &q, &err), JOBQ_OK);
        near(distribution_value(&q, good[i].u), good[i].value, 1e-12);
    }
    static const char *const bad[] = {"",
                                      "x",
                                      ":",
                                      "exp",
                                      "exp:",
                                      "exp:x",
                                      "gauss:1s",
                                      "uniform:3s..1s",
                                      "uniform:1s",
                                      "uniform:..2s",
                                      "lognormal:median=9ms",
                                      "lognormal:median=9ms,p99=1ms",
                                      "lognormal:mean=0s,cv=1",
                                      "lognormal:median=9ms,p99=90ms,x=1",
                                      "lognormal:",
                                      "weibull:scale=1s,shape=0",
                                      "table:0=0s",
                                      "table:0=1s,1=0s",
                                      "table:0.1=0s,1=1s",
                                      "table:0=0s,0.9=1s",
                                      "table:0=0s,0=1s,1=2s",
                                      "pareto:shape=1,min=1s"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct distribution same = distribution_constant(42);
        if (distribution_parse(bad[i], &same, &err) == JOBQ_OK)
            fail_msg("'%s' was taken", bad[i]);
        near(same.a, 42, 0);
    }
}

/* The moments that a text names are those of its distribution and of its draws. */
static void moments(const char *text, double mean_s, double cv)
{
    struct jobq_error err = {0};
    struct distribution dist;
    if (distribution_read(text, &dist, &err) != JOBQ_OK)
        fail_msg("%s: %s", text, err.text);
    if (fabs(distribution_mean(&dist) / 1e9 - mean_s) > 1e-6 * mean_s ||
        fabs(distribution_cv(&dist) - cv) > 1e-6)
        fail_msg("%s: mean %g cv %g", text, distribution_mean(&dist) / 1e9,
                 distribution_cv(&dist));
    struct dice dice;
    dice_init(&dice, 7, text, 0);
    int n = 200000;
    double sum = 0, square = 0;
    for (int i = 0; i < n; i++) {
        int64_t ns = distribution_ns(&dist, dice_u(&dice));
        assert_true(ns >= 0);
        sum += (double)ns / 1e9;
        square += (double)ns / 1e9 * (double)ns / 1e9;
    }
    double mean = sum / n, sd = sqrt(square / n - mean * mean);
    /* Four standard errors of the mean; the variance more loosely, for its own variance
     * is large where the tail is heavy. */
    if (fabs(mean - mean_s) > 4 * cv * mean_s / sqrt(n) + 1e-9)
        fail_msg("%s: drew mean %g", text, mean);
    if (fabs(sd - cv * mean_s) > 0.05 * cv * mean_s + 1e-9)
        fail_msg("%s: drew sd %g, want %g", text, sd, cv * mean_s);
    /* The normal form means the same. */
    struct text form = {0};
    distribution_format(&dist, &form);
    struct distribution again;
    if (distribution_read(form.ptr, &again, &err) != JOBQ_OK)
        fail_msg("%s -> %s: %s", text, form.ptr, err.text);
    assert_true(fabs(distribution_mean(&again) / 1e9 - mean_s) < 1e-6 * mean_s);
    text_release(&form);
    distribution_release(&dist);
    distribution_release(&again);
}

static void distributions(void **state)
{
    (void)state;
    moments("2s", 2, 0);
    moments("exp:2s", 2, 1);
    moments("uniform:1s..3s", 2, 1 / sqrt(12));
    moments("lognormal:mean=2s,cv=1.5", 2, 1.5);
    moments("lognormal:median=1s,sigma=0.5", exp(0.125), sqrt(expm1(0.25)));
    moments("gamma:mean=2s,cv=1.5", 2, 1.5);
    moments("gamma:shape=4,scale=500ms", 2, 0.5);
    moments("weibull:mean=2s,cv=1.5", 2, 1.5);
    moments("weibull:shape=1,scale=3s", 3, 1);
    moments("pareto:mean=2s,cv=0.3", 2, 0.3);
}

static void bad_distributions(void **state)
{
    (void)state;
    static const char *const texts[] = {"",
                                        "x",
                                        "exp:",
                                        "exp:-1s",
                                        "uniform:3s..1s",
                                        "uniform:1",
                                        "lognormal:",
                                        "gamma:mean=2s",
                                        "weibull:mean=2s,cv=0",
                                        "pareto:min=1s,alpha=1",
                                        "norm:1",
                                        "exp:1s,2s",
                                        "lognormal:mean=2s,cv=nan",
                                        "empirical:",
                                        "empirical:/no/such"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct jobq_error err;
        struct distribution dist;
        if (distribution_read(texts[i], &dist, &err) >= 0)
            fail_msg("'%s' was taken", texts[i]);
        assert_null(strchr(err.text, '\n'));
    }
}

/* Far in the tails and for the oddest shapes a value is a number, and does not fall as u rises. */
static void values_rise(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "gamma:mean=2s,cv=100",   "gamma:mean=2s,cv=10",
        "gamma:mean=2s,cv=3",     "gamma:mean=2s,cv=0.01",
        "weibull:mean=2s,cv=100", "lognormal:mean=2s,cv=100",
        "pareto:mean=2s,cv=100",  "exp:2s"};
    for (size_t k = 0; k < sizeof texts / sizeof *texts; k++) {
        struct distribution d;
        struct jobq_error err;
        assert_int_equal(distribution_read(texts[k], &d, &err), JOBQ_OK);
        double last = 0;
        for (int i = -52; i <= 52; i++) {
            double u = i < 0 ? ldexp(0.5, i + 1) : 1 - ldexp(0.5, -i);
            if (i == 52)
                u = 1 - 0x1p-53;
            double value = distribution_value(&d, u);
            if (!(value >= last * (1 - 1e-9)) || !isfinite(value))
                fail_msg("%s at %g: %g after %g", texts[k], u, value, last);
            last = value;
        }
    }
}

int main(void)
{
    gsl_set_error_handler_off();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_answers),
        cmocka_unit_test(means_agree_with_the_quantiles),
        cmocka_unit_test(texts_are_read),
        cmocka_unit_test(distributions),
        cmocka_unit_test(bad_distributions),
        cmocka_unit_test(values_rise),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
