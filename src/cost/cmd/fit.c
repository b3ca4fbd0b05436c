/* fit.c - jobqcost fit: a formula from a sweep, and how well it predicts another.
 *
 * Room:     src/cost, jobqcost's command line; does I/O. */
#include "cost/cmd/fit_check.h"
#include "cost/cmd/shared.h"
#include "cost/fit/fit.h"

#include "base/arena.h"
#include "base/text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char HELP[] =
    "  jobqcost fit sweep.csv -o formula.json\n"
    "  jobqcost fit sweep.csv -o formula.json --check fresh.csv\n"
    "  jobqcost fit --formula formula.json --check fresh.csv --region eu-west-1\n\n"
    "Regresses the usage a job of a sweep (jobqsim sweep), line by line, on physical\n"
    "terms, and prints the formula, each coefficient with its 95 % interval beside\n"
    "the closed form's. A coefficient whose interval leaves the closed form's value\n"
    "is marked '!'.\n";
static const struct option_def OPTIONS[] = {
    {"out", 'o', "FILE", "the formula as JSON (jobq.formula/1)"},
    {"name", 0, "NAME", "name of the formula (the model)"},
    {"check", 0, "FILE",
     "compare predicted with simulated dollars on a sweep that was not used"},
    {"folds", 0, "N", "folds of the cross-validation that chooses terms; 2 to 1000 (10)"},
    {NULL, 0, NULL, NULL}};

static int read_table(const char *path, struct table **out, struct jobq_error *err)
{
    char *text;
    size_t len;
    int code = cost_read(path, &text, &len, err);
    if (code)
        return code;
    code = table_parse(text, len, path, out, err);
    free(text);
    return code;
}

/* ---- the formula as a person writes it ------------------------------------------------ */

static void print_line(const struct formula_line *line, const struct fit_line_note *note)
{
    printf("\n%s (%s a job)\n", usage_line_name(line->line), usage_line_unit(line->line));
    printf("  R2 %.6f, off by %.2g %% (median), %.2g %% (95th)%s\n", line->r2,
           100 * note->error_p50, 100 * note->error_p95,
           note->robust ? ", bisquare" : "");
    double t = formula_t95(line->dof);
    for (int i = 0; i < line->term_count; i++) {
        const struct term *term = terms_at(line->term[i]);
        double half = t * sqrt(line->covariance[i][i]);
        char closed[40] = "-", interval[40] = "(kept)";
        if (isfinite(line->closed[i]))
            snprintf(closed, sizeof closed, "%.5g", line->closed[i]);
        if (half > 0)
            snprintf(interval, sizeof interval, "+- %.2g", half);
        printf("%s %10.5g %-10s %-10s x %s\n",
               half > 0 && fit_strays(line, i) ? "!" : " ", line->coefficient[i],
               interval, closed, term->text);
    }
}

static int print_formula(const struct formula *f, const struct fit_report *report)
{
    int strays = 0;
    printf("Usage a job, fitted to %zu points of %.0f jobs each (%s).\n", report->points,
           f->jobs_per_point, f->era);
    for (int i = 0; i < report->param_count; i++)
        printf("  %-10s %.4g s (%.4g to %.4g), before the fit %.4g s\n",
               report->param[i].name, report->param[i].value, report->param[i].low,
               report->param[i].high, report->param[i].before);
    printf("\n%12s %-10s %-10s x %s\n", "fitted", "95 %", "closed", "term");
    for (int i = 0; i < f->line_count; i++) {
        print_line(&f->line[i], &report->line[i]);
        for (int t = 0; t < f->line[i].term_count; t++)
            strays += fit_strays(&f->line[i], t);
    }
    return strays;
}

static int fit_sweep(struct cost *cli, const char *path, const char *name, double folds,
                     const char *out_path, struct jobq_error *err)
{
    struct table *table = NULL;
    struct formula *formula = NULL;
    struct fit_report *report = xcalloc(1, sizeof *report);
    const char *base = strrchr(path, '/');
    struct fit_options options = {
        .folds = (int)folds, .name = name, .sweep_name = base ? base + 1 : path};
    int code = read_table(path, &table, err);
    if (!code) {
        code = fit_run(table, &options, &formula, report, err);
        if (code)
            jobq_wrap(err, "%s", path);
    }
    table_free(table);
    if (!code) {
        char *text;
        size_t len;
        formula_write(formula, &text, &len);
        if (out_path)
            code = cost_write(out_path, text, len, err);
        if (!code && cli->json && !(out_path && strcmp(out_path, "-") == 0))
            fwrite(text, 1, len, stdout);
        free(text);
    }
    if (!code && !cli->json && !cli->quiet) {
        int strays = print_formula(formula, report);
        if (strays)
            cost_warn(cli, "%d coefficients leave the closed form's value (marked '!')",
                      strays);
    }
    free(report);
    if (code) {
        free(formula);
        return code;
    }
    free(cli->formula);
    cli->formula = formula;
    return JOBQ_OK;
}

static int fit_command(struct cost *cli)
{
    const char *out_path = NULL, *name = "", *check_path = NULL;
    double folds = 10;
    const struct cost_target own[] = {{COST_TEXT, &out_path},
                                      {COST_TEXT, &name},
                                      {COST_TEXT, &check_path},
                                      {COST_NUMBER, &folds}};
    int done = cost_parse(cli, own);
    if (done >= 0)
        return done;
    if (cli->argument_count > 1 || (cli->argument_count == 0 && !check_path))
        return cost_usage(cli, "name one sweep (jobqsim sweep -o FILE.csv)");
    if (folds < 2 || folds > 1000)
        return cost_usage(cli, "--folds wants 2 to 1000");
    struct jobq_error err;
    int code = JOBQ_OK;
    if (cli->argument_count == 1)
        code = fit_sweep(cli, cli->argument[0], name, folds, out_path, &err);
    else
        code = cost_formula(cli, "aws-2026", &err);
    struct table *seen = NULL;
    if (!code && check_path)
        code = read_table(check_path, &seen, &err);
    if (!code && check_path)
        code = fit_check(cli, seen, check_path, &err);
    table_free(seen);
    return code ? cost_fail(cli, &err) : COST_OK;
}

const struct cost_command cost_fit = {"fit",   "derive the formula from a sweep",
                                      HELP,    fit_command,
                                      OPTIONS, COST_PRICES | COST_FORMULA};
