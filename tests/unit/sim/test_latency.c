/* test_latency.c - the table of a latency against the exact quantiles. */
#include "sim/world/latency.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void the_table_is_close_to_exact(void **state)
{
    (void)state;
    static struct latency table;
    struct distribution d[3] = {distribution_lognormal_p99(9e6, 90e6),
                                distribution_exponential(5e6),
                                distribution_uniform(1e6, 3e6)};
    for (int k = 0; k < 3; k++) {
        latency_compile(&d[k], &table);
        assert_false(table.zero);
        double last = 0;
        for (int i = 1; i < 100000; i++) {
            double u = i / 100000.0, got = (double)latency_ns(&table, u);
            double want = distribution_value(&d[k], u);
            if (!(fabs(got - want) <= 3e-4 * want))
                fail_msg("at %g: %g, want %g", u, got, want);
            assert_true(got >= last * (1.0 - 1e-4));
            last = got;
        }
        assert_int_equal(latency_ns(&table, 0.999999), distribution_ns(&d[k], 0.999999));
    }
    struct distribution none = distribution_constant(0);
    latency_compile(&none, &table);
    assert_true(table.zero);
    assert_int_equal(latency_ns(&table, 0.5), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_table_is_close_to_exact)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
