/* reconcile.c - jobqcost reconcile: a prediction against what a run really used.
 *
 * Room:     src/cost, jobqcost's command line; does I/O. */
#include "cost/cmd/shared.h"
#include "cost/ledger/ledger_json.h"
#include "cost/ledger/reconcile.h"

#include "base/arena.h"
#include "base/text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char HELP[] =
    "  jobqcost eval --jobs 10k --boxes 2 --json >predicted.json\n"
    "  jobqcost reconcile predicted.json observed.json\n"
    "  jobqcost reconcile predicted-ledger.json mock-ledger.json --tolerance 2%\n\n"
    "Compares PREDICTED with OBSERVED line by line, a job, with the prediction's\n"
    "intervals, and in dollars; exits 3 if a line that moves dollars, or the dollars,\n"
    "are outside.\n\n"
    "OBSERVED is a ledger (jobq.ledger/2, an object with a member 'ledger', or what\n"
    "--record wrote); of several files the sum, such as the enqueuer's and each\n"
    "drainer's.\n"
    "PREDICTED is either what jobqcost eval --json wrote: the scenario is evaluated\n"
    "again and its 95 % intervals are for as many jobs as were observed; or a ledger:\n"
    "then --tolerance is the half-width.\n";
static const struct option_def OPTIONS[] = {
    {"tolerance", 0, "SHARE",
     "half-width for a ledger (5%), or the least one for a scenario (0)"},
    {NULL, 0, NULL, NULL}};

struct sides {
    struct usage predicted, observed;
    double half[USAGE_LINE_COUNT];
    struct jobq_ledger *predicted_ledger, *observed_ledger;
    double predicted_usd, observed_usd, low_usd, high_usd; /* per million jobs */
    double jobs;
};

static int read_ledger(const char *path, struct jobq_ledger *ledger,
                       struct jobq_error *err)
{
    char *text;
    size_t len;
    int code = cost_read(path, &text, &len, err);
    if (code)
        return code;
    code = ledger_parse(text, len, path, ledger, err);
    free(text);
    return code;
}

/* The scenario of a jobq.cost/1; NOT_FOUND: the file is something else. */
static int read_scenario(const char *path, struct predict_scenario *out,
                         struct jobq_error *err)
{
    char *text;
    size_t len;
    json_error_t fault;
    int code = cost_read(path, &text, &len, err);
    if (code)
        return code;
    json_t *root = json_loadb(text, len, 0, &fault);
    free(text);
    if (!root) {
        char shown[120];
        text_escape(fault.text, (int64_t)strlen(fault.text), shown, sizeof shown);
        return jobq_fail(err, JOBQ_INVALID, "%s:%d: %s", path,
                         fault.line > 0 ? fault.line : 1, shown);
    }
    const char *schema = json_string_value(json_object_get(root, "schema"));
    const json_t *scenario = json_object_get(root, "scenario");
    if (!schema || strcmp(schema, "jobq.cost/1") != 0) {
        json_decref(root);
        return jobq_fail(err, JOBQ_NOT_FOUND, "%s: not a jobq.cost/1", path);
    }
    for (int i = 0; i < PREDICT_INPUT_COUNT && !code; i++) {
        const json_t *value =
            json_object_get(scenario, predict_input_name((enum predict_input)i));
        if (!json_is_number(value))
            code = jobq_fail(err, JOBQ_INVALID, "%s: scenario: '%s' is no number", path,
                             predict_input_name((enum predict_input)i));
        else
            predict_put(out, (enum predict_input)i, json_number_value(value));
    }
    static const char *const words[] = {"instance", "store", "client", "era"};
    for (size_t i = 0; i < 4 && !code; i++) {
        const char *word = json_string_value(json_object_get(scenario, words[i]));
        code = word ? predict_set(out, words[i], word, err)
                    : jobq_fail(err, JOBQ_INVALID, "%s: scenario: '%s' is missing", path,
                                words[i]);
    }
    out->spot = json_is_true(json_object_get(scenario, "spot"));
    json_decref(root);
    return code;
}

static int price(struct cost *cli, const struct sheet *sheet,
                 const struct jobq_ledger *ledger, bool exact, double *out,
                 struct jobq_error *err)
{
    struct bill bill;
    struct bill_options options = cli->bill;
    options.exact_time = exact;
    bill_init(&bill);
    int code = bill_ledger(&bill, ledger, sheet, &options, err);
    *out = bill.usd / (double)jobq_ledger_finished(ledger) * 1e6;
    bill_release(&bill);
    return code;
}

static int from_scenario(struct cost *cli, const struct sheet *sheet,
                         struct predict_scenario *sc, double tolerance, struct sides *s,
                         struct jobq_error *err)
{
    struct evaluation e;
    int code = cost_formula(cli, sc->era, err);
    cli->interval_jobs = s->jobs;
    if (!code)
        code = cost_evaluate(cli, sheet, sc, &e, err);
    if (code)
        return code;
    double t = formula_t95(e.value.dof);
    s->predicted = e.value.usage;
    for (int i = 0; i < USAGE_LINE_COUNT; i++)
        s->half[i] =
            fmax(t * sqrt(e.value.variance[i]), tolerance * fabs(s->predicted.line[i]));
    s->predicted_usd = e.usd_per_million;
    double slack = tolerance * e.usd_per_million;
    s->low_usd = fmin(e.low_per_million, e.usd_per_million - slack);
    s->high_usd = fmax(e.high_per_million, e.usd_per_million + slack);
    evaluation_release(&e);
    return JOBQ_OK;
}

static int from_ledger(struct cost *cli, const struct sheet *sheet, const char *path,
                       double tolerance, struct sides *s, struct jobq_error *err)
{
    int code = read_ledger(path, s->predicted_ledger, err);
    if (!code && jobq_ledger_finished(s->predicted_ledger) <= 0)
        code = jobq_fail(err, JOBQ_INVALID, "%s: no job of the ledger was done", path);
    if (!code)
        code = price(cli, sheet, s->predicted_ledger, false, &s->predicted_usd, err);
    if (code)
        return code;
    usage_from_ledger(s->predicted_ledger, &s->predicted);
    for (int i = 0; i < USAGE_LINE_COUNT; i++)
        s->half[i] = tolerance * s->predicted.line[i];
    s->low_usd = s->predicted_usd * (1 - tolerance);
    s->high_usd = s->predicted_usd * (1 + tolerance);
    return JOBQ_OK;
}

static struct cost_table *lines_table(const struct reconcile *r)
{
    static const char *const head[] = {"line", "#predicted", "#observed", "#from",
                                       "#to",  "#off",       ""};
    static const char *const key[] = {"line", "predicted", "observed", "low",
                                      "high", "relative",  "verdict"};
    struct cost_table *table = cost_table_new(head, key, 7);
    char shown[40];
    for (int i = 0; i < r->count; i++) {
        const struct reconcile_line *l = &r->line[i];
        double value[] = {l->predicted, l->observed, l->low, l->high};
        double off = l->predicted > 0 ? l->observed / l->predicted - 1 : (double)INFINITY;
        cost_table_text(table, usage_line_name(l->line));
        for (int j = 0; j < 4; j++) {
            snprintf(shown, sizeof shown, "%.5g", value[j]);
            cost_table_number(table, value[j], shown);
        }
        snprintf(shown, sizeof shown, "%+.2f %%", 100 * off);
        cost_table_number(table, off, isfinite(off) ? shown : "new");
        cost_table_text(table, l->inside   ? ""
                               : l->priced ? "OUTSIDE"
                                           : "outside, unpriced");
    }
    return table;
}

static void print(struct cost *cli, const struct sides *s, const struct reconcile *r,
                  bool usd_inside)
{
    char a[40], b[40], c[40], d[40];
    struct cost_table *table = lines_table(r);
    if (cli->json) {
        json_t *root = json_object();
        json_object_set_new(root, "schema", json_string("jobq.reconcile/1"));
        json_object_set_new(root, "reconciled", json_boolean(usd_inside && !r->outside));
        json_object_set_new(root, "jobs", json_real(s->jobs));
        json_object_set_new(root, "predicted_per_million_usd",
                            json_real(s->predicted_usd));
        json_object_set_new(root, "observed_per_million_usd", json_real(s->observed_usd));
        json_object_set_new(root, "interval95_per_million_usd",
                            json_pack("[f, f]", s->low_usd, s->high_usd));
        json_object_set_new(root, "mape", json_real(r->mape));
        json_object_set_new(root, "lines", cost_table_json(table));
        cost_print_json(root);
    } else if (cli->csv) {
        cost_table_print_csv(table, stdout);
    } else {
        printf("predicted %s per million jobs  (95 %%: %s .. %s)\n"
               "observed  %s over %.0f jobs: %s\n"
               "%d line%s outside, mean error %.2f %%\n\n",
               cost_usd(s->predicted_usd, a, 40), cost_usd(s->low_usd, b, 40),
               cost_usd(s->high_usd, c, 40), cost_usd(s->observed_usd, d, 40), s->jobs,
               usd_inside ? "inside" : "OUTSIDE", r->outside, r->outside == 1 ? "" : "s",
               100 * r->mape);
        cost_table_print(table, stdout);
    }
    cost_table_free(table);
}

static int compare(struct cost *cli, const struct sheet *sheet, double tolerance,
                   struct sides *s, struct jobq_error *err)
{
    struct predict_scenario sc;
    predict_defaults(&sc);
    int code = JOBQ_OK;
    for (int i = 1; i < cli->argument_count && !code; i++)
        code = read_ledger(cli->argument[i], s->observed_ledger, err);
    if (!code && jobq_ledger_finished(s->observed_ledger) <= 0)
        code = jobq_fail(err, JOBQ_INVALID, "%s: no job of the ledger was done",
                         cli->argument[1]);
    if (code)
        return code;
    s->jobs = (double)jobq_ledger_finished(s->observed_ledger);
    usage_from_ledger(s->observed_ledger, &s->observed);
    code = read_scenario(cli->argument[0], &sc, err);
    bool marginal = code == JOBQ_OK && !(sc.jobs > 0);
    if (code == JOBQ_OK)
        code = from_scenario(cli, sheet, &sc, tolerance < 0 ? 0 : tolerance, s, err);
    else if (code == JOBQ_NOT_FOUND)
        code = from_ledger(cli, sheet, cli->argument[0], tolerance < 0 ? 0.05 : tolerance,
                           s, err);
    return code ? code
                : price(cli, sheet, s->observed_ledger, marginal, &s->observed_usd, err);
}

static int run(struct cost *cli)
{
    double tolerance = -1;
    struct cost_target options[] = {{COST_NUMBER, &tolerance}};
    struct jobq_error err;
    struct sheet *sheet;
    int code = cost_parse(cli, options);
    if (code >= 0)
        return code;
    if (cli->argument_count < 2)
        return cost_usage(cli, "needs two files: PREDICTED OBSERVED");
    if (cost_sheet(cli, cli->region, cli->date, &sheet, &err))
        return cost_fail(cli, &err);
    struct sides *s = xcalloc(1, sizeof *s);
    struct reconcile *r = xcalloc(1, sizeof *r);
    s->predicted_ledger = xcalloc(1, sizeof *s->predicted_ledger);
    s->observed_ledger = xcalloc(1, sizeof *s->observed_ledger);
    if (compare(cli, sheet, tolerance, s, &err)) {
        code = cost_fail(cli, &err);
    } else {
        reconcile_lines(&s->predicted, s->half, &s->observed, s->jobs, r);
        bool inside = s->observed_usd >= s->low_usd * (1 - 1e-9) &&
                      s->observed_usd <= s->high_usd * (1 + 1e-9);
        print(cli, s, r, inside);
        code = inside && !r->outside ? COST_OK : COST_GATE;
    }
    jobq_ledger_release(s->predicted_ledger);
    jobq_ledger_release(s->observed_ledger);
    free(s->predicted_ledger);
    free(s->observed_ledger);
    free(s);
    free(r);
    return code;
}

const struct cost_command cost_reconcile = {
    "reconcile", "a prediction against a ledger, in dollars",
    HELP,        run,
    OPTIONS,     COST_PRICES | COST_FORMULA};
