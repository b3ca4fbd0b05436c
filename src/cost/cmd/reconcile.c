/* reconcile.c - jobqcost reconcile: a prediction against what a run really used.
 *
 * Room:     src/cost, jobqcost's command line; does I/O. */
#include "cost/cmd/shared.h"
#include "cost/ledger/cur.h"
#include "cost/ledger/ledger_json.h"
#include "cost/ledger/reconcile.h"

#include "base/arena.h"
#include "base/text.h"
#include "jobq/units.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char HELP[] =
    "  jobqcost predict fleet.ini -o predicted.json\n"
    "  jobqcost reconcile predicted.json simulated.json live.json\n"
    "  jobqcost reconcile predicted.json enqueue.jsonl drain-1.jsonl drain-2.jsonl\n"
    "  jobqcost reconcile predicted.json report.csv --jobs 25000\n"
    "  jobqcost reconcile simulated.json live.json --tolerance 2%\n\n"
    "Compares PREDICTED with what was observed line by line, a finished job, with the\n"
    "prediction's intervals, and in dollars; says which lines explain the difference,\n"
    "and exits 3 if a line that moves dollars, or the dollars, are outside.\n\n"
    "OBSERVED is a ledger (jobq.ledger/2, or an object with a member 'ledger'), each\n"
    "compared by itself; what --record wrote, all such files of a run together; or an\n"
    "AWS Cost and Usage Report (CSV), with --jobs, the jobs that its usage finished.\n"
    "PREDICTED is what jobqcost predict -o or eval --json wrote: the scenario is\n"
    "evaluated again and its 95 % intervals are for as many jobs as were observed; or\n"
    "a ledger: then --tolerance is the half-width.\n";
static const struct option_def OPTIONS[] = {
    {"tolerance", 0, "SHARE",
     "half-width for a ledger (5%), or the least one for a scenario (0)"},
    {"jobs", 0, "N", "finished jobs of a Cost and Usage Report"},
    {NULL, 0, NULL, NULL}};

enum { OBSERVED_MAX = 8 };

/* One observed run. */
struct observed {
    const char *name;
    struct jobq_ledger *ledger;
    bool traces;       /* the sum of what --record wrote */
    double billed_usd; /* by the report; NAN: priced by the sheet */
    double other_usd;  /* of them, of lines that a ledger does not have */
};

struct sides {
    struct usage predicted, observed;
    double half[USAGE_LINE_COUNT];
    double line_usd[USAGE_LINE_COUNT]; /* per million jobs: what observing the line as it
                                          was, and not as predicted, changes */
    struct jobq_ledger *predicted_ledger;
    struct observed run[OBSERVED_MAX];
    int runs;
    double predicted_usd, observed_usd, low_usd, high_usd; /* per million jobs */
    double predicted_s;                                    /* span; 0: not known */
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

static struct observed *observed_new(struct sides *s, const char *name,
                                     struct jobq_error *err)
{
    if (s->runs == OBSERVED_MAX) {
        jobq_fail(err, JOBQ_LIMIT, "more than %d runs to compare", OBSERVED_MAX);
        return NULL;
    }
    struct observed *run = &s->run[s->runs++];
    *run = (struct observed){.name = name,
                             .ledger = xcalloc(1, sizeof *run->ledger),
                             .billed_usd = (double)NAN};
    return run;
}

/* A file of its own, but that all traces are one run. */
static int read_observed(struct sides *s, const char *path, int64_t report_jobs,
                         struct jobq_error *err)
{
    static const char trace[] = "{\"schema\":\"jobq.trace/1\"";
    struct observed *run = NULL;
    char *text;
    size_t len;
    int code = cost_read(path, &text, &len, err);
    if (code)
        return code;
    bool is_trace = len >= sizeof trace && memcmp(text, trace, sizeof trace - 1) == 0;
    for (int i = 0; i < s->runs && is_trace; i++)
        if (s->run[i].traces)
            run = &s->run[i];
    if (!run)
        run = observed_new(s, path, err);
    code = run ? JOBQ_OK : err->code;
    if (run && cur_is(text, len)) {
        run->billed_usd = 0;
        code = cur_parse(text, len, path, run->ledger, &run->billed_usd, &run->other_usd,
                         err);
        run->ledger->jobs[JOBQ_JOBS_DONE] = report_jobs;
        if (!code && report_jobs < 1)
            code = jobq_fail(err, JOBQ_INVALID,
                             "%s: a report does not know jobs: give --jobs N", path);
    } else if (run) {
        run->traces = is_trace;
        code = ledger_parse(text, len, path, run->ledger, err);
    }
    free(text);
    return code;
}

/* The scenario of a jobq.cost/1; NOT_FOUND: the file is something else. */
static int read_scenario(struct cost *cli, const char *path, struct predict_scenario *out,
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
    out->public_ip = json_is_true(json_object_get(scenario, "public_ip"));
    out->no_boot = json_is_true(json_object_get(scenario, "no_boot"));
    /* By the closed form, if that is what predicted. */
    const json_t *formula = json_object_get(root, "formula");
    if (!cli->formula_path && json_is_false(json_object_get(formula, "fitted")))
        cli->formula_path = "closed";
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
    s->predicted_s = sc->jobs > 0 ? e.value.state.makespan_s : 0;
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
    s->predicted_s = (double)s->predicted_ledger->span_ns / 1e9;
    for (int i = 0; i < USAGE_LINE_COUNT; i++)
        s->half[i] = tolerance * s->predicted.line[i];
    s->low_usd = s->predicted_usd * (1 - tolerance);
    s->high_usd = s->predicted_usd * (1 + tolerance);
    return JOBQ_OK;
}

/* What each line's difference is worth: the prediction is priced with that line as observed. */
static int explain(struct cost *cli, const struct sheet *sheet, struct sides *s,
                   const struct jobq_ledger *observed, struct jobq_error *err)
{
    struct jobq_ledger *ledger = xcalloc(1, sizeof *ledger);
    const struct jobq_instance_use *box = observed->instance;
    struct usage_shape shape = {.batch_sends = 1,
                                .batch_deletes = 1,
                                .batch_beats = 1,
                                .instance = observed->instance_count ? box->type : NULL,
                                .spot = observed->instance_count ? box->spot : 0,
                                .slots = observed->instance_count ? box->slots : 1,
                                .instances = 1};
    double base = 0, usd = 0;
    int code = JOBQ_OK;
    for (int line = -1; line < USAGE_LINE_COUNT && !code; line++) {
        struct usage usage = s->predicted;
        if (line >= 0 && usage.line[line] == s->observed.line[line])
            continue;
        if (line >= 0)
            usage.line[line] = s->observed.line[line];
        jobq_ledger_release(ledger);
        jobq_ledger_init(ledger);
        usage_to_ledger(&usage, 1e6, &shape, ledger);
        code = price(cli, sheet, ledger, true, &usd, err);
        if (line < 0)
            base = usd;
        else
            s->line_usd[line] = usd - base;
    }
    jobq_ledger_release(ledger);
    free(ledger);
    return code;
}

static struct cost_table *lines_table(const struct reconcile *r, const struct sides *s)
{
    static const char *const head[] = {"line", "#predicted", "#observed",  "#from",
                                       "#to",  "#off",       "#$/million", ""};
    static const char *const key[] = {"line", "predicted", "observed", "low",
                                      "high", "relative",  "usd",      "verdict"};
    struct cost_table *table = cost_table_new(head, key, 8);
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
        snprintf(shown, sizeof shown, "%+.4f", s->line_usd[l->line]);
        cost_table_number(table, s->line_usd[l->line], shown);
        cost_table_text(table, l->inside   ? ""
                               : l->priced ? "OUTSIDE"
                                           : "outside, unpriced");
    }
    return table;
}

/* The lines that make most of the difference in dollars, largest first. */
static void print_reasons(const struct sides *s)
{
    bool told[USAGE_LINE_COUNT] = {false};
    const char *sep = "explained by ";
    for (int n = 0; n < 4; n++) {
        int most = -1;
        for (int i = 0; i < USAGE_LINE_COUNT; i++)
            if (!told[i] && (most < 0 || fabs(s->line_usd[i]) > fabs(s->line_usd[most])))
                most = i;
        if (!(fabs(s->line_usd[most]) >= 0.001 * s->predicted_usd))
            break;
        told[most] = true;
        printf("%s%s %+.4f", sep, usage_line_name((enum usage_line)most),
               s->line_usd[most]);
        sep = ", ";
    }
    puts(*sep == ',' ? "" : "no line differs by 0.1 % of the cost");
}

static json_t *run_json(const struct sides *s, const struct observed *run,
                        const struct reconcile *r, struct cost_table *table, bool inside)
{
    json_t *root = json_object();
    json_object_set_new(root, "observed", json_string(run->name));
    json_object_set_new(root, "reconciled", json_boolean(inside && !r->outside));
    json_object_set_new(root, "jobs", json_real(s->jobs));
    json_object_set_new(root, "unfinished",
                        json_integer(jobq_ledger_unfinished(run->ledger)));
    json_object_set_new(root, "predicted_per_million_usd", json_real(s->predicted_usd));
    json_object_set_new(root, "observed_per_million_usd", json_real(s->observed_usd));
    json_object_set_new(root, "interval95_per_million_usd",
                        json_pack("[f, f]", s->low_usd, s->high_usd));
    json_object_set_new(root, "predicted_span_s", json_real(s->predicted_s));
    json_object_set_new(root, "observed_span_s",
                        json_real((double)run->ledger->span_ns / 1e9));
    json_object_set_new(root, "mape", json_real(r->mape));
    json_object_set_new(root, "lines", cost_table_json(table));
    return root;
}

static void print_run(const struct sides *s, const struct observed *run,
                      const struct reconcile *r, struct cost_table *table, bool inside)
{
    char a[40], b[40], c[40], d[40], others[120];
    printf("predicted %s per million jobs  (95 %%: %s .. %s)\n"
           "observed  %s over %.0f finished jobs: %s\n",
           cost_usd(s->predicted_usd, a, 40), cost_usd(s->low_usd, b, 40),
           cost_usd(s->high_usd, c, 40), cost_usd(s->observed_usd, d, 40), s->jobs,
           inside ? "inside" : "OUTSIDE");
    if (jobq_ledger_unfinished(run->ledger))
        printf("did not finish: %s\n",
               jobq_ledger_others_text(run->ledger, others, sizeof others));
    if (s->predicted_s > 0 && run->ledger->span_ns > 0)
        printf("took      %.4g s, predicted %.4g s (%+.1f %%)\n",
               (double)run->ledger->span_ns / 1e9, s->predicted_s,
               100 * ((double)run->ledger->span_ns / 1e9 / s->predicted_s - 1));
    if (run->other_usd > 0)
        printf("%s of the report are of nothing that a ledger counts\n",
               cost_usd(run->other_usd, a, 40));
    printf("%d line%s outside, mean error %.2f %%\n", r->outside,
           r->outside == 1 ? "" : "s", 100 * r->mape);
    print_reasons(s);
    putchar('\n');
    cost_table_print(table, stdout);
}

static int predicted_side(struct cost *cli, const struct sheet *sheet, double tolerance,
                          struct sides *s, bool *marginal, struct jobq_error *err)
{
    struct predict_scenario sc;
    predict_defaults(&sc);
    int code = read_scenario(cli, cli->argument[0], &sc, err);
    *marginal = code == JOBQ_OK && !(sc.jobs > 0);
    if (code == JOBQ_OK)
        return from_scenario(cli, sheet, &sc, tolerance < 0 ? 0 : tolerance, s, err);
    if (code != JOBQ_NOT_FOUND)
        return code;
    return from_ledger(cli, sheet, cli->argument[0], tolerance < 0 ? 0.05 : tolerance, s,
                       err);
}

/* One observed run against the prediction. all: where its JSON goes. */
static int compare(struct cost *cli, const struct sheet *sheet, double tolerance,
                   struct sides *s, const struct observed *run, json_t *all, bool *agree,
                   struct jobq_error *err)
{
    struct reconcile *r;
    bool marginal;
    if (jobq_ledger_finished(run->ledger) <= 0)
        return jobq_fail(err, JOBQ_INVALID, "%s: no job of the ledger was done",
                         run->name);
    s->jobs = (double)jobq_ledger_finished(run->ledger);
    memset(s->line_usd, 0, sizeof s->line_usd);
    jobq_ledger_release(s->predicted_ledger);
    jobq_ledger_init(s->predicted_ledger);
    usage_from_ledger(run->ledger, &s->observed);
    int code = predicted_side(cli, sheet, tolerance, s, &marginal, err);
    if (!code && isnan(run->billed_usd))
        code = price(cli, sheet, run->ledger, marginal, &s->observed_usd, err);
    else if (!code)
        s->observed_usd = run->billed_usd / s->jobs * 1e6;
    if (!code)
        code = explain(cli, sheet, s, run->ledger, err);
    if (code)
        return code;
    r = xcalloc(1, sizeof *r);
    reconcile_lines(&s->predicted, s->half, &s->observed, s->jobs, r);
    bool inside = s->observed_usd >= s->low_usd * (1 - 1e-9) &&
                  s->observed_usd <= s->high_usd * (1 + 1e-9);
    struct cost_table *table = lines_table(r, s);
    if (cli->json)
        json_array_append_new(all, run_json(s, run, r, table, inside));
    else if (cli->csv)
        cost_table_print_csv(table, stdout);
    else {
        if (s->runs > 1)
            printf("%s%s against %s\n", run == s->run ? "" : "\n", run->name,
                   cli->argument[0]);
        print_run(s, run, r, table, inside);
    }
    cost_table_free(table);
    *agree = *agree && inside && !r->outside;
    free(r);
    return JOBQ_OK;
}

static void print_all_json(json_t *all)
{
    json_t *root = json_object();
    /* One run's members stand at the top. */
    json_object_set_new(root, "schema", json_string("jobq.reconcile/1"));
    if (json_array_size(all) == 1)
        json_object_update(root, json_array_get(all, 0));
    else
        json_object_set(root, "runs", all);
    cost_print_json(root);
}

static int reconcile_run(struct cost *cli)
{
    double tolerance = -1;
    int64_t report_jobs = 0;
    const char *jobs_text = NULL;
    struct cost_target options[] = {{COST_NUMBER, &tolerance}, {COST_TEXT, &jobs_text}};
    struct jobq_error err;
    struct sheet *sheet;
    int code = cost_parse(cli, options);
    if (code >= 0)
        return code;
    if (cli->argument_count < 2)
        return cost_usage(cli, "needs two files: PREDICTED OBSERVED");
    if (jobs_text && jobq_parse_count(jobs_text, &report_jobs, &err)) {
        jobq_wrap(&err, "--jobs");
        return cost_fail(cli, &err);
    }
    if (cost_sheet(cli, cli->region, cli->date, &sheet, &err))
        return cost_fail(cli, &err);
    struct sides *s = xcalloc(1, sizeof *s);
    json_t *all = json_array();
    bool agree = true;
    s->predicted_ledger = xcalloc(1, sizeof *s->predicted_ledger);
    code = JOBQ_OK;
    for (int i = 1; i < cli->argument_count && !code; i++)
        code = read_observed(s, cli->argument[i], report_jobs, &err);
    for (int i = 0; i < s->runs && !code; i++)
        code = compare(cli, sheet, tolerance, s, &s->run[i], all, &agree, &err);
    if (code)
        code = cost_fail(cli, &err);
    else {
        if (cli->json)
            print_all_json(all);
        code = agree ? COST_OK : COST_GATE;
    }
    json_decref(all);
    jobq_ledger_release(s->predicted_ledger);
    free(s->predicted_ledger);
    for (int i = 0; i < s->runs; i++) {
        jobq_ledger_release(s->run[i].ledger);
        free(s->run[i].ledger);
    }
    free(s);
    return code;
}

const struct cost_command cost_reconcile = {
    "reconcile", "a prediction against ledgers, in dollars",
    HELP,        reconcile_run,
    OPTIONS,     COST_PRICES | COST_FORMULA};
