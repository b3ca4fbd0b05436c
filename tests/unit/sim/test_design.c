/* test_design.c - which points a sweep visits. */
#include "sim/sweep/design.h"
#include "sim/sweep/wide.h"

#include "cost/predict/predict.h"
#include "jobq/units.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char *at(const struct design *design, int64_t point, int axis)
{
    static char out[4][DESIGN_VALUE_CAP];
    static int turn;
    turn = (turn + 1) % 4;
    design_value(design, point, axis, out[turn]);
    return out[turn];
}

static void a_grid_visits_every_combination(void **state)
{
    (void)state;
    struct jobq_error err;
    struct design *d = design_new();
    assert_int_equal(design_axis(d, "payload", DESIGN_SIZE, "64,1k,64k", &err), 0);
    assert_int_equal(
        design_axis(d, "job-time", DESIGN_DURATION, "10ms..100s:log:5", &err), 0);
    assert_int_equal(design_axis(d, "arrivals", DESIGN_TEXT, "at-once", &err), 0);
    assert_int_equal(design_points(d), 15);
    assert_string_equal(at(d, 0, 0), "64");
    assert_string_equal(at(d, 4, 0), "64");
    assert_string_equal(at(d, 5, 0), "1k");
    assert_string_equal(at(d, 0, 1), "10ms");
    assert_string_equal(at(d, 1, 1), "100ms");
    assert_string_equal(at(d, 4, 1), "100s");
    assert_string_equal(at(d, 14, 2), "at-once");
    design_free(d);
}

static void a_distribution_is_one_value(void **state)
{
    (void)state;
    struct jobq_error err;
    struct design *d = design_new();
    assert_int_equal(design_axis(d, "job-time", DESIGN_DURATION,
                                 "exp:2s,lognormal:mean=2s,cv=1.5,uniform:1s..3s", &err),
                     0);
    assert_int_equal(design_points(d), 3);
    assert_string_equal(at(d, 1, 0), "lognormal:mean=2s,cv=1.5");
    assert_string_equal(at(d, 2, 0), "uniform:1s..3s");
    design_free(d);
}

static void a_hypercube_fills_every_stratum_once(void **state)
{
    (void)state;
    struct jobq_error err;
    enum { N = 200 };
    struct design *d = design_new();
    assert_int_equal(design_axis(d, "job-time", DESIGN_DURATION, "1s..201s:lin", &err),
                     0);
    assert_int_equal(design_axis(d, "concurrency", DESIGN_COUNT, "1,2,4,8", &err), 0);
    assert_int_equal(design_fill(d, DESIGN_LHS, N, 7, &err), 0);
    int seen[N] = {0}, level[9] = {0};
    for (int p = 0; p < N; p++) {
        int64_t ns;
        assert_int_equal(jobq_parse_duration(at(d, p, 0), &ns, &err), 0);
        int64_t cell = (ns - JOBQ_NS_PER_S) / JOBQ_NS_PER_S;
        assert_in_range(cell, 0, N - 1);
        seen[cell]++;
        level[at(d, p, 1)[0] - '0']++;
    }
    for (int i = 0; i < N; i++)
        assert_int_equal(seen[i], 1);
    assert_int_equal(level[1], N / 4);
    assert_int_equal(level[8], N / 4);
    /* An axis added later leaves the others as they were. */
    struct design *more = design_new();
    assert_int_equal(design_axis(more, "wait", DESIGN_DURATION, "0s..20s", &err), 0);
    assert_int_equal(design_axis(more, "job-time", DESIGN_DURATION, "1s..201s:lin", &err),
                     0);
    assert_int_equal(design_fill(more, DESIGN_LHS, N, 7, &err), 0);
    for (int p = 0; p < N; p++)
        assert_string_equal(at(d, p, 0), at(more, p, 1));
    design_free(d);
    design_free(more);
}

/* The defining property of a scrambled Sobol sequence in base 2: of 2^m points each of the
 * 2^m equal cells of an axis holds one, and of two axes each cell of any 2^a x 2^(m-a) grid
 * about as many. */
static void a_sobol_design_fills_cells_evenly(void **state)
{
    (void)state;
    struct jobq_error err;
    enum { N = 256 };
    struct design *d = design_new();
    assert_int_equal(design_axis(d, "a", DESIGN_NUMBER, "0..1", &err), 0);
    assert_int_equal(design_axis(d, "b", DESIGN_NUMBER, "0..1", &err), 0);
    assert_int_equal(design_fill(d, DESIGN_SOBOL, N, 7, &err), 0);
    int cell[2][N] = {{0}}, square[16][16] = {{0}}, moved = 0;
    for (int p = 0; p < N; p++) {
        double u = strtod(at(d, p, 0), NULL), v = strtod(at(d, p, 1), NULL);
        cell[0][(int)(u * N)]++;
        cell[1][(int)(v * N)]++;
        square[(int)(u * 16)][(int)(v * 16)]++;
        moved += fabs(u - (double)p / N) > 1e-3;
    }
    for (int i = 0; i < N; i++) {
        assert_int_equal(cell[0][i], 1);
        assert_int_equal(cell[1][i], 1);
        assert_int_equal(square[i / 16][i % 16], 1);
    }
    assert_true(moved > N / 2);
    design_free(d);
}

static void points_of_the_wide_domain_can_be_run(void **state)
{
    (void)state;
    struct jobq_error err = {0};
    struct scenario base;
    static const char *const models[] = {"aws-2026", "aws-2012"};
    for (int m = 0; m < 2; m++) {
        scenario_init(&base);
        assert_int_equal(scenario_set(&base, "model", models[m], &err), 0);
        assert_int_equal(scenario_set(&base, "batch", "10", &err), 0);
        struct design *d = design_new();
        assert_int_equal(wide_design(&base, d, &err), 0);
        assert_int_equal(design_fill(d, DESIGN_RANDOM, 300, 7, &err), 0);
        int at_once = 0, stored = 0;
        for (int p = 0; p < 300; p++) {
            struct scenario s;
            struct predict_scenario view;
            struct predict_params params;
            scenario_copy(&s, &base);
            for (int a = 0; a < design_axes(d); a++) {
                assert_string_not_equal(design_option(d, a), "batch");
                if (scenario_set(&s, design_option(d, a), at(d, p, a), &err) != 0)
                    fail_msg("%s %s: %s", design_option(d, a), at(d, p, a), err.text);
            }
            assert_int_equal(scenario_finish(&s, &err), 0);
            predict_from_scenario(&s, &view);
            assert_int_equal(predict_params_for(view.era, &params, &err), 0);
            if (predict_check(&view, &params, &err) != 0)
                fail_msg("point %d: %s", p, err.text);
            at_once += view.arrivals_per_s <= 0;
            stored += view.store == PREDICT_SIMPLEDB;
            scenario_release(&s);
        }
        assert_in_range(at_once, 100, 200);
        assert_in_range(stored, 100, 200);
        design_free(d);
        scenario_release(&base);
    }
}

static void malformed_axes_are_named(void **state)
{
    (void)state;
    static const struct {
        enum design_kind kind;
        const char *text;
        int code;
    } bad[] = {{DESIGN_SIZE, "64,,1k", JOBQ_INVALID},
               {DESIGN_SIZE, "", JOBQ_INVALID},
               {DESIGN_DURATION, "1s..", JOBQ_INVALID},
               {DESIGN_DURATION, "2s..1s:log:3", JOBQ_INVALID},
               {DESIGN_DURATION, "0s..1s:log:3", JOBQ_INVALID},
               {DESIGN_DURATION, "1s..2s:cubic:3", JOBQ_INVALID},
               {DESIGN_COUNT, "1..9:lin:1", JOBQ_LIMIT},
               {DESIGN_COUNT, "1..9:lin:1000000", JOBQ_LIMIT}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct jobq_error err = {0};
        struct design *d = design_new();
        assert_int_equal(design_axis(d, "x", bad[i].kind, bad[i].text, &err),
                         bad[i].code);
        assert_memory_equal(err.text, "--x: ", 5);
        design_free(d);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_grid_visits_every_combination),
        cmocka_unit_test(a_distribution_is_one_value),
        cmocka_unit_test(a_hypercube_fills_every_stratum_once),
        cmocka_unit_test(a_sobol_design_fills_cells_evenly),
        cmocka_unit_test(points_of_the_wide_domain_can_be_run),
        cmocka_unit_test(malformed_axes_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
