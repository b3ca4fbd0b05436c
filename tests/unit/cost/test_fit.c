/* test_fit.c - a fit finds what made the data, and its intervals cover. */
#include "cost/fit/fit.h"

#include "base/dice.h"
#include "base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <gsl/gsl_errno.h>
#include <gsl/gsl_cdf.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { POINTS = 300, FRESH = 400 };
#define NOISE 0.01

static double between(struct dice *dice, double low, double high)
{
    return exp(log(low) + dice_u(dice) * (log(high) - log(low)));
}

static void draw(struct dice *dice, struct predict_scenario *s)
{
    predict_defaults(s);
    strcpy(s->instance, "c7g.medium");
    s->payload_bytes = floor(between(dice, 64, 65536));
    s->job_s = between(dice, 0.01, 100);
    s->slots = floor(between(dice, 1, 33));
    s->batch = floor(between(dice, 1, 11));
    s->jobs = 2000;
    /* None is refused: how many would be is decided by receive_s too, which is not fitted. */
    s->domains = 32;
}

/* The truth: the closed form with other times, and a scatter on what a run decides. */
static void truth(struct dice *dice, const struct predict_scenario *s, struct usage *out)
{
    struct predict_params params;
    struct jobq_error err;
    assert_int_equal(predict_params_for(s->era, &params, &err), 0);
    params.put_s = 0.055;
    params.linger_s = 4;
    assert_int_equal(predict_usage(s, &params, out, NULL, &err), 0);
    static const enum usage_line scattered[] = {USAGE_RECEIVE, USAGE_DELETE, USAGE_BUSY,
                                                USAGE_IDLE};
    for (size_t i = 0; i < sizeof scattered / sizeof *scattered; i++)
        out->line[scattered[i]] *= 1 + NOISE * gsl_cdf_ugaussian_Pinv(dice_u(dice));
}

static void write_sweep(struct dice *dice, struct text *out)
{
    text_puts(out, "# schema=jobq.sweep/1\n# seed=1\n# predict.era=aws-2026\n"
                   "# predict.instance=c7g.medium\npoint,reps");
    for (int i = 0; i < PREDICT_INPUT_COUNT; i++)
        text_printf(out, ",in.%s", predict_input_name((enum predict_input)i));
    for (int l = 0; l < USAGE_LINE_COUNT; l++)
        text_printf(out, ",%s", usage_line_name((enum usage_line)l));
    text_putc(out, '\n');
    for (int p = 0; p < POINTS; p++) {
        struct predict_scenario s;
        struct usage usage;
        draw(dice, &s);
        truth(dice, &s, &usage);
        text_printf(out, "%d,1", p);
        for (int i = 0; i < PREDICT_INPUT_COUNT; i++)
            text_printf(out, ",%.12g", predict_get(&s, (enum predict_input)i));
        for (int l = 0; l < USAGE_LINE_COUNT; l++)
            text_printf(out, ",%.12g", usage.line[l]);
        text_putc(out, '\n');
    }
}

static struct formula *fitted(struct dice *dice, struct fit_report *report)
{
    struct text text = {0};
    struct table *table;
    struct formula *formula = NULL;
    struct jobq_error err = {0};
    write_sweep(dice, &text);
    assert_int_equal(table_parse(text.ptr, text.len, "sweep.csv", &table, &err), 0);
    int code =
        fit_run(table, &(struct fit_options){.name = "test"}, &formula, report, &err);
    if (code)
        fail_msg("%s", err.text);
    table_free(table);
    text_release(&text);
    return formula;
}

static void a_fit_finds_what_made_the_data(void **state)
{
    (void)state;
    struct dice dice;
    struct fit_report report;
    dice_init(&dice, 21, "fit", 0);
    struct formula *f = fitted(&dice, &report);
    assert_true(fabs(f->params.put_s - 0.055) < 0.003);
    int strays = 0, terms = 0;
    for (int l = 0; l < f->line_count; l++)
        for (int t = 0; t < f->line[l].term_count; t++) {
            terms++;
            strays += fit_strays(&f->line[l], t);
        }
    assert_true(terms > 15);
    assert_true(strays <= 2); /* 95 % intervals: one in twenty may */
    for (int l = 0; l < report.line_count; l++)
        if (report.line[l].error_p50 > 0.02)
            fail_msg("%s is off by %g", usage_line_name(report.line[l].line),
                     report.line[l].error_p50);
    free(f);
}

static void prediction_intervals_cover_fresh_points(void **state)
{
    (void)state;
    struct dice dice;
    struct fit_report report;
    dice_init(&dice, 22, "cover", 0);
    struct formula *f = fitted(&dice, &report);
    static const enum usage_line judged[] = {USAGE_RECEIVE, USAGE_DELETE, USAGE_BUSY};
    int covered[3] = {0};
    for (int i = 0; i < FRESH; i++) {
        struct predict_scenario s;
        struct usage seen;
        struct formula_value value;
        struct jobq_error err;
        draw(&dice, &s);
        truth(&dice, &s, &seen);
        assert_int_equal(formula_eval(f, &s, s.jobs, &value, &err), 0);
        for (int j = 0; j < 3; j++) {
            double half = formula_t95(value.dof) * sqrt(value.variance[judged[j]]);
            covered[j] +=
                fabs(value.usage.line[judged[j]] - seen.line[judged[j]]) <= half;
        }
    }
    for (int j = 0; j < 3; j++)
        if (covered[j] < FRESH * 90 / 100 || covered[j] > FRESH * 99 / 100)
            fail_msg("%s: %d of %d covered", usage_line_name(judged[j]), covered[j],
                     FRESH);
    free(f);
}

static void what_is_no_sweep_is_refused(void **state)
{
    (void)state;
    struct dice dice;
    dice_init(&dice, 23, "bad", 0);
    struct text text = {0};
    write_sweep(&dice, &text);
    struct jobq_error err;
    struct table *table;
    struct formula *f;
    struct fit_report report;
    /* A cell of row 3 that is no number. */
    char *row = strstr(text.ptr, "\n3,1,");
    assert_non_null(row);
    row[5] = 'x';
    assert_int_equal(table_parse(text.ptr, text.len, "sweep.csv", &table, &err), 0);
    assert_int_equal(fit_run(table, &(struct fit_options){0}, &f, &report, &err),
                     JOBQ_INVALID);
    assert_non_null(strstr(err.text, "line 9"));
    table_free(table);
    static const char other[] = "# schema=other/1\na,b\n1,2\n";
    assert_int_equal(table_parse(other, sizeof other - 1, "other.csv", &table, &err), 0);
    assert_int_equal(fit_run(table, &(struct fit_options){0}, &f, &report, &err),
                     JOBQ_INVALID);
    table_free(table);
    text_release(&text);
}

int main(void)
{
    gsl_set_error_handler_off();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_fit_finds_what_made_the_data),
        cmocka_unit_test(prediction_intervals_cover_fresh_points),
        cmocka_unit_test(what_is_no_sweep_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
