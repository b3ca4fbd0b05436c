/* formula_text.c - the formula as a person writes it, and how well it predicts.
 *
 * Room: src/cost, jobqcost's command line; does I/O. */
#include "cost/fit/fit.h"
#include "cost/cmd/report/report.h"
#include "cost/bill/sweep_price.h"
#include "cost/fit/basis.h"

#include "base/arena.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- the formula -------------------------------------------------------------------------- */

static void row(struct report *r, const char *line, int term, double coefficient,
                double half, double closed, bool strays)
{
    text_puts(&r->page, "<tr>");
    report_cell(r, false, "%s", line);
    report_cell(r, false, "%s", terms_at(term)->text);
    if (half > 0)
        report_cell(r, true, "%.5g \xc2\xb1 %.2g", coefficient, half);
    else
        report_cell(r, true, "%.5g", coefficient);
    if (isnan(closed))
        report_cell(r, true, "none");
    else
        report_cell(r, true, "%.5g", closed);
    report_cell(r, false, "%s", strays ? "leaves the closed form" : "");
    text_puts(&r->page, "</tr>\n");
}

static void fitted_rows(struct report *r, const struct formula *f)
{
    for (int i = 0; i < f->line_count; i++) {
        const struct formula_line *line = &f->line[i];
        double t = formula_t95(line->dof);
        char name[120];
        snprintf(name, sizeof name, "%s, %s (R\xc2\xb2 %.5f)",
                 usage_line_name(line->line), usage_line_unit(line->line), line->r2);
        for (int k = 0; k < line->term_count; k++)
            row(r, k ? "" : name, line->term[k], line->coefficient[k],
                t * sqrt(line->covariance[k][k]), line->closed[k], fit_strays(line, k));
    }
}

static void closed_rows(struct report *r)
{
    for (int l = 0; l < USAGE_LINE_COUNT; l++) {
        int term[TERMS_LINE_MAX];
        double coefficient[TERMS_LINE_MAX];
        int count = terms_closed((enum usage_line)l, term, coefficient);
        char name[120];
        snprintf(name, sizeof name, "%s, %s", usage_line_name((enum usage_line)l),
                 usage_line_unit((enum usage_line)l));
        for (int k = 0; k < count; k++)
            row(r, k ? "" : name, term[k], coefficient[k], 0, coefficient[k], false);
    }
}

int report_formula(struct report *r, struct jobq_error *err)
{
    const struct formula *f = r->context.formula;
    (void)err;
    text_puts(&r->page, "<section id=\"formula\"><h2>The formula</h2>\n");
    report_say(r, "",
               "Each line of a job's usage is the sum of coefficient x term; dollars "
               "are the lines at the sheet's prices.%s",
               f ? " \xc2\xb1 is the 95 % interval." : "");
    if (f)
        report_say(r, "note",
                   "Fitted to %.0f points of %.0f jobs, era %s; model %s, seed %.0f.",
                   f->points, f->jobs_per_point, f->era, f->model_hash, f->seed);
    else
        report_say(r, "note",
                   "No fitted formula was given: this is the closed form, whose "
                   "coefficients are exact and have no interval.");
    text_puts(&r->page, "<div class=\"wide\"><table><tr><th>a job's</th><th>term</th>"
                        "<th>coefficient</th><th>closed form</th><th></th></tr>\n");
    if (f)
        fitted_rows(r, f);
    else
        closed_rows(r);
    text_puts(&r->page, "</table></div></section>\n");
    return JOBQ_OK;
}

/* ---- predicted against simulated --------------------------------------------------- */

struct check {
    double *error; /* |residual| of the set at hand */
    size_t points, covered;
};

static int check_row(struct report *r, const char *set, const struct table *table,
                     size_t at, struct check *check, struct text *csv,
                     struct jobq_error *err)
{
    struct predict_scenario sc;
    struct evaluation e;
    struct bill bill;
    int code = fit_scenario(table, at, &sc, err);
    if (code)
        return code;
    struct jobq_ledger *ledger = xcalloc(1, sizeof *ledger);
    bill_init(&bill);
    code = sweep_price(table, at, false, r->sheet, &r->cli->bill, ledger, &bill, err);
    double seen = bill.usd;
    bill_release(&bill);
    jobq_ledger_release(ledger);
    free(ledger);
    if (!code)
        code = evaluate(&r->context, &sc, sc.jobs > 0 ? sc.jobs : r->cli->interval_jobs,
                        &e, err);
    if (code)
        return code;
    double residual = seen > 0 ? e.usd_per_million / seen - 1 : 0;
    check->error[check->points++] = fabs(residual);
    check->covered += seen >= e.low_per_million && seen <= e.high_per_million;
    text_printf(csv, "%s,%zu,%.8g,%.8g,%.8g,%.8g,%.6g\n", set, at, seen,
                e.usd_per_million, e.low_per_million, e.high_per_million, residual);
    evaluation_release(&e);
    return JOBQ_OK;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static int check_set(struct report *r, const char *set, const char *path,
                     struct text *csv, struct jobq_error *err)
{
    char *text;
    size_t len;
    struct table *table;
    int code = cost_read(path, &text, &len, err);
    if (code)
        return code;
    code = table_parse(text, len, path, &table, err);
    free(text);
    if (code)
        return code;
    size_t rows = table_rows(table);
    struct check check = {xcalloc(rows + 1, sizeof(double)), 0, 0};
    for (size_t i = 0; i < rows && !code; i++)
        code = check_row(r, set, table, i, &check, csv, err);
    if (code)
        jobq_wrap(err, "%s", path);
    else if (rows) {
        qsort(check.error, rows, sizeof(double), by_value);
        double p50 = check.error[(rows - 1) / 2],
               p95 = check.error[(rows - 1) * 95 / 100];
        report_say(
            r, "",
            "%s, %zu points: median error %.2g %%, 95th percentile %.2g %%; "
            "the 95 %% interval holds %.1f %% of them.",
            strcmp(set, "check") == 0 ? "Fresh points that no fit has seen" : "The sweep",
            rows, 100 * p50, 100 * p95, 100 * (double)check.covered / (double)rows);
        json_object_set_new(r->facts, set,
                            json_pack("{s:I,s:f,s:f,s:f}", "points", (json_int_t)rows,
                                      "error_p50", p50, "error_p95", p95, "covered",
                                      (double)check.covered / (double)rows));
        static const char *const keys[] = {"version", "seed", "model", "model_hash"};
        json_t *from = json_object();
        for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
            if (table_key(table, keys[i]))
                json_object_set_new(from, keys[i],
                                    json_string(table_key(table, keys[i])));
        json_object_set_new(json_object_get(r->facts, "provenance"), set, from);
    }
    free(check.error);
    table_free(table);
    return code;
}

int report_check(struct report *r, struct jobq_error *err)
{
    struct text csv = {0};
    char settings[80];
    int code = JOBQ_OK;
    text_puts(&r->page, "<section id=\"check\"><h2>Predicted against simulated</h2>\n");
    if (!r->sweep_path && !r->check_path) {
        report_say(r, "note", "Not shown: no --sweep or --check was given.");
    } else {
        text_puts(&csv,
                  "set,point,simulated_usd,predicted_usd,low_usd,high_usd,residual\n");
        if (r->sweep_path)
            code = check_set(r, "sweep", r->sweep_path, &csv, err);
        if (!code && r->check_path)
            code = check_set(r, "check", r->check_path, &csv, err);
        if (!code)
            code = report_keep(r, "check.csv", csv.ptr, csv.len, err);
        snprintf(settings, sizeof settings, "SWEEP = %d\nCHECK = %d\n", !!r->sweep_path,
                 !!r->check_path);
        if (!code)
            code =
                report_plot(r, "check", "check.gp", settings,
                            "Left: dollars by the formula against dollars by simulation, "
                            "one point a scenario. Right: how far the formula is off.",
                            err);
    }
    text_release(&csv);
    text_puts(&r->page, "</section>\n");
    return code;
}
