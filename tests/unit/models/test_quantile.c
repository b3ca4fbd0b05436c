/* test_quantile.c - quantiles against textbook values and against themselves. */
#include "models/params/quantile.h"

#include "jobq/units.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

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
    struct quantile q = quantile_lognormal_p99(9e6, 90e6);
    near(quantile_value(&q, 0.5), 9e6, 1e-14);
    near(quantile_value(&q, 0.99), 90e6, 1e-13);
    q = quantile_lognormal_cv(2e9, 1.5);
    near(quantile_mean(&q), 2e9, 1e-14);
    /* sigma^2 = log(1 + 1.5^2) = 1.178654996341646; median = 2 exp(-sigma^2 / 2). */
    near(quantile_value(&q, 0.5), 1.1094003924504583e9, 1e-13);
    q = quantile_exponential(3.0);
    near(quantile_value(&q, 1.0 - 1.0 / M_E), 3.0, 1e-14);
    near(quantile_value(&q, 1e-12), 3e-12, 1e-11);
    q = quantile_uniform(1.0, 3.0);
    near(quantile_value(&q, 0.25), 1.5, 1e-15);
    q = (struct quantile){.kind = QUANTILE_WEIBULL, .a = 2.0, .b = 1.0};
    near(quantile_value(&q, 0.5), 2.0 * M_LN2, 1e-14);
    near(quantile_mean(&q), 2.0, 1e-14);
    q = (struct quantile){.kind = QUANTILE_PARETO, .a = 1.0, .b = 2.0};
    near(quantile_value(&q, 0.75), 2.0, 1e-14);
    near(quantile_mean(&q), 2.0, 1e-14);
    q = quantile_constant(7.0);
    assert_int_equal(quantile_ns(&q, 0.3), 7);
}

/* The mean of the quantile function over a fine grid of u is the mean. */
static void means_agree_with_the_quantiles(void **state)
{
    (void)state;
    struct quantile q[4] = {
        quantile_lognormal_cv(2e9, 1.5),
        quantile_exponential(5e6),
        {.kind = QUANTILE_WEIBULL, .a = 9e6, .b = 2.0},
        {.kind = QUANTILE_TABLE, .count = 3, .p = {0, 0.5, 1}, .v = {0, 9e6, 1e9}}};
    enum { N = 200000 };
    for (int k = 0; k < 4; k++) {
        double sum = 0.0;
        for (int i = 0; i < N; i++)
            sum += quantile_value(&q[k], (i + 0.5) / N);
        near(sum / N, quantile_mean(&q[k]), 2e-3);
    }
}

static void fast_is_close_to_exact(void **state)
{
    (void)state;
    static struct quantile_table table;
    struct quantile q[3] = {quantile_lognormal_p99(9e6, 90e6), quantile_exponential(5e6),
                            quantile_uniform(1e6, 3e6)};
    for (int k = 0; k < 3; k++) {
        quantile_compile(&q[k], &table);
        int64_t last = 0;
        for (int i = 1; i < 100000; i++) {
            double u = i / 100000.0;
            int64_t got = quantile_fast_ns(&table, u);
            near((double)got, quantile_value(&q[k], u), 3e-4);
            assert_true((double)got >= (double)last * (1.0 - 1e-4));
            last = got;
        }
        assert_int_equal(quantile_fast_ns(&table, 0.999999),
                         quantile_ns(&q[k], 0.999999));
    }
}

static void texts_are_read(void **state)
{
    (void)state;
    struct jobq_error err;
    struct quantile q;
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
        assert_int_equal(quantile_parse(good[i].text, &q, &err), JOBQ_OK);
        near(quantile_value(&q, good[i].u), good[i].value, 1e-12);
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
        struct quantile same = quantile_constant(42);
        if (quantile_parse(bad[i], &same, &err) == JOBQ_OK)
            fail_msg("'%s' was taken", bad[i]);
        near(same.a, 42, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_answers),
        cmocka_unit_test(means_agree_with_the_quantiles),
        cmocka_unit_test(fast_is_close_to_exact),
        cmocka_unit_test(texts_are_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
