/* formula_text.c - the formula as a person writes it, and how well it predicts.
 *
 * Room: src/cost, jobqcost's command line; does I/O. */
#include "cost/fit/fit.h"
#include "cost/cmd/report/report.h"
#include "cost/bill/sweep_price.h"
#include "cost/fit/basis.h"
#include "cost/ledger/ledger_json.h"

#include "base/arena.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- the formula -------------------------------------------------------------------------- */

/* What an item is in the formula: its quantity in words. */
static void formula_put_quantity(const struct bill_item *item, double quantity,
                                 struct text *out)
{
    char count[40];
    cost_count(quantity, count, 40);
    if (quantity < 1000)
        snprintf(count, sizeof count, "%.3g", quantity);
    if (strcmp(item->service, "sqs") == 0)
        text_printf(out, "%s SQS requests", count);
    else if (item->unit == SHEET_BOX_HOUR)
        text_printf(out, "%s SimpleDB machine hours", count);
    else if (strncmp(item->service, "ec2", 3) == 0)
        text_printf(out, "%s hours of %s%s", count, item->item,
                    strcmp(item->service, "ec2-spot") == 0 ? " spot" : "");
    else
        text_printf(out, "%s %s of %s.%s", count, sheet_unit_name(item->unit),
                    item->service, item->item);
}

/* Dollars are quantities times prices: a term for each price that is 0.1 % of the whole. */
static void formula_line(struct report *r)
{
    struct text line = {0};
    const struct bill *bill = &r->e.bill;
    double scale = 1e6 / r->e.jobs, rest = 0;
    char usd[40];
    int terms = 0;
    text_puts(&line, "A million jobs = ");
    for (int i = 0; i < bill->count; i++) {
        const struct bill_item *item = &bill->item[i];
        double quantity = 0, dollars = 0;
        bool seen = false;
        for (int j = 0; j < bill->count && !seen; j++) {
            const struct bill_item *other = &bill->item[j];
            if (strcmp(other->service, item->service) != 0 ||
                strcmp(other->item, item->item) != 0)
                continue;
            seen = j < i;
            quantity += other->quantity * scale;
            dollars += other->usd * scale;
        }
        if (seen)
            continue;
        if (dollars < 1e-3 * r->e.usd_per_million) {
            rest += dollars;
            continue;
        }
        text_puts(&line, terms++ ? " + " : "");
        formula_put_quantity(item, quantity, &line);
        bool tiny = item->usd_per_unit < 1e-3;
        double price = item->usd_per_unit * (tiny ? 1e6 : 1);
        bool cents = fabs(price * 100 - round(price * 100)) < 1e-6;
        text_printf(&line, cents ? " \xc3\x97 $%.2f%s" : " \xc3\x97 $%.6g%s", price,
                    tiny ? " a million" : "");
    }
    if (rest > 5e-5 * r->e.usd_per_million)
        text_printf(&line, " + %s for the rest", cost_money(rest, usd, 40));
    text_printf(&line, " = %s", cost_money(r->e.usd_per_million, usd, 40));
    report_say(r, "formula", "%s", line.ptr);
    json_object_set_new(r->facts, "formula", json_string(line.ptr));
    text_release(&line);
}

static void row(struct report *r, const char *line, int term, double coefficient,
                double half, double closed, bool strays)
{
    report_row(r);
    report_cell(r, "%s", line);
    report_cell(r, "%s", terms_at(term)->text);
    if (half > 0)
        report_cell(r, "%.5g \xc2\xb1 %.2g", coefficient, half);
    else
        report_cell(r, "%.5g", coefficient);
    if (isnan(closed))
        report_cell(r, "none");
    else
        report_cell(r, "%.5g%s", closed, strays ? ", left" : "");
}

static void fitted_rows(struct report *r, const struct formula *f)
{
    for (int i = 0; i < f->line_count; i++) {
        const struct formula_line *line = &f->line[i];
        double t = formula_t95(line->dof);
        char name[120];
        int len = snprintf(name, sizeof name, "%s, %s", usage_line_name(line->line),
                           usage_line_unit(line->line));
        /* A line that does not vary has nothing for a term to explain. */
        if (line->r2 > 0.01)
            snprintf(name + len, sizeof name - (size_t)len, " (R\xc2\xb2 %.4f)",
                     line->r2);
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
    report_open(r, "formula", "The formula", "Quantities times prices, nothing else");
    formula_line(r);
    report_say(r, "note",
               "The quantities are what one job uses, line by line: each is a sum of "
               "coefficient times term, below. They hold when prices change.");
    if (f)
        report_say(r, "note",
                   "Fitted to %.0f points of %.0f jobs, era %s; model %s, seed %.0f.",
                   f->points, f->jobs_per_point, f->era, f->model_hash, f->seed);
    else
        report_say(r, "note",
                   "No fitted formula was given: this is the closed form, whose "
                   "coefficients are exact and have no interval.");
    report_fold(r, "Every line of it, with its coefficients");
    report_table(r, "a job's|term|#coefficient|#closed form");
    if (f)
        fitted_rows(r, f);
    else
        closed_rows(r);
    report_table_end(r);
    report_unfold(r);
    report_close(r);
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

static int formula_text_by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

struct check_result {
    size_t points;
    double p50, p95, covered;
};

static int check_set(struct report *r, const char *set, const char *path,
                     struct text *csv, struct check_result *out, struct jobq_error *err)
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
        qsort(check.error, rows, sizeof(double), formula_text_by_value);
        *out = (struct check_result){rows, check.error[(rows - 1) / 2],
                                     check.error[(rows - 1) * 95 / 100],
                                     (double)check.covered / (double)rows};
        json_object_set_new(r->facts, set,
                            json_pack("{s:I,s:f,s:f,s:f}", "points", (json_int_t)rows,
                                      "error_p50", out->p50, "error_p95", out->p95,
                                      "covered", out->covered));
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

static void check_say(struct report *r, const char *what, const struct check_result *c)
{
    if (c->points)
        report_say(
            r, "",
            "%s, %zu points: half are within %.2g %%, 95 of 100 within %.2g %%; the "
            "model's 95 %% interval holds %.0f %% of them.",
            what, c->points, 100 * c->p50, 100 * c->p95, 100 * c->covered);
}

/* A run's ledger: its dollars a million beside the prediction of this page's scenario. */
static int check_ledger(struct report *r, const char *arg, struct jobq_error *err)
{
    const char *equals = strchr(arg, '=');
    char *text, usd[40], name[40];
    size_t len;
    struct bill bill;
    if (!equals || equals == arg || equals - arg >= (int)sizeof name)
        return jobq_fail(err, JOBQ_INVALID, "--ledger is NAME=FILE, not '%.60s'", arg);
    snprintf(name, sizeof name, "%.*s", (int)(equals - arg), arg);
    int code = cost_read(equals + 1, &text, &len, err);
    if (code)
        return code;
    struct jobq_ledger *ledger = xcalloc(1, sizeof *ledger);
    jobq_ledger_init(ledger);
    bill_init(&bill);
    code = ledger_parse(text, len, equals + 1, ledger, err);
    free(text);
    double jobs = (double)jobq_ledger_finished(ledger);
    if (!code && !(jobs > 0))
        code =
            jobq_fail(err, JOBQ_INVALID, "%s: no job of the ledger was done", equals + 1);
    if (!code)
        code = bill_ledger(&bill, ledger, r->sheet, &r->cli->bill, err);
    if (!code) {
        double seen = bill.usd / jobs * 1e6;
        report_row(r);
        report_cell(r, "%s", name);
        report_cell(r, "%s", cost_count(jobs, usd, 40));
        report_cell(r, "%s", cost_money(seen, usd, 40));
        report_cell(r, "%+.1f %%", 100 * (seen / r->e.usd_per_million - 1));
        report_cell(r, "%s",
                    seen >= r->answer.low && seen <= r->answer.high
                        ? "inside the interval"
                        : "outside the interval");
    }
    bill_release(&bill);
    jobq_ledger_release(ledger);
    free(ledger);
    return code;
}

static int check_ledgers(struct report *r, struct jobq_error *err)
{
    char usd[40];
    int code = JOBQ_OK;
    if (!r->ledgers->count) {
        report_say(r, "note",
                   "No run of these jobs beside it: --ledger simulated=FILE and "
                   "--ledger live=FILE take what jobqsim and jobq have counted.");
        return JOBQ_OK;
    }
    report_table(r, "these jobs|#jobs|#USD a million|#off|");
    report_row(r);
    report_cell(r, "predicted");
    report_cell(r, "%s", r->base.jobs > 0 ? cost_count(r->base.jobs, usd, 40) : "any");
    report_cell(r, "%s", cost_money(r->e.usd_per_million, usd, 40));
    report_cell(r, "%s", "");
    report_cell(r, "%s", "");
    for (int i = 0; i < r->ledgers->count && !code; i++)
        code = check_ledger(r, r->ledgers->text[i], err);
    report_table_end(r);
    return code;
}

int report_check(struct report *r, struct jobq_error *err)
{
    struct text csv = {0};
    struct check_result sweep = {0}, fresh = {0};
    char settings[80];
    int code = JOBQ_OK;
    text_puts(&csv, "set,point,simulated_usd,predicted_usd,low_usd,high_usd,residual\n");
    if (r->sweep_path)
        code = check_set(r, "sweep", r->sweep_path, &csv, &sweep, err);
    if (!code && r->check_path)
        code = check_set(r, "check", r->check_path, &csv, &fresh, err);
    if (code)
        goto done;
    const struct check_result *best = fresh.points ? &fresh : &sweep;
    if (best->points)
        report_open(r, "check", "Predicted against simulated against live",
                    "The formula is within %.2g %% of the simulator at 19 of 20 %spoints",
                    100 * best->p95, fresh.points ? "fresh " : "");
    else
        report_open(r, "check", "Predicted against simulated against live",
                    "Not compared with the simulator on this page");
    code = check_ledgers(r, err);
    check_say(r, "Fresh points, which no fit has seen", &fresh);
    check_say(r, "The points it was fitted to", &sweep);
    if (!best->points) {
        report_say(r, "note",
                   "Not shown: no --sweep or --check was given; reports/formula.sh makes "
                   "both.");
    } else if (!code) {
        code = report_keep(r, "check.csv", csv.ptr, csv.len, err);
        snprintf(settings, sizeof settings, "SWEEP = %d\nCHECK = %d\n", !!sweep.points,
                 !!fresh.points);
        struct report_picture picture = {
            "check",
            "check.gp",
            settings,
            "Dollars by the formula against dollars by simulation, one point a scenario.",
            420,
            360};
        if (!code)
            code = report_plot(r, &picture, err);
    }
    report_close(r);
done:
    text_release(&csv);
    return code;
}
