/* predict.c - jobqcost predict: what a run of a scenario will use and cost, before it runs.
 *
 * Room:     src/cost, jobqcost's command line; does I/O. */
#include "cost/cmd/shared.h"
#include "cost/ledger/ledger_json.h"

#include "base/arena.h"

#include <stdlib.h>
#include <string.h>

static const char HELP[] =
    "  jobqcost predict fleet.ini -o predicted.json\n"
    "  jobqsim run fleet.ini -o simulated.json\n"
    "  jobq run fleet.ini -o live.json\n"
    "  jobqcost reconcile predicted.json simulated.json live.json\n\n"
    "Predicts the run of a scenario: all its jobs on all its boxes, by the closed\n"
    "form and by the fitted formula, each with its 95 % interval. -o writes the\n"
    "fitted one (or the one that --formula names): schema jobq.cost/1, with the\n"
    "ledger that jobqcost bill prices and with what jobqcost reconcile needs.\n";
static const struct option_def OPTIONS[] = {
    {"out", 'o', "FILE", "write the prediction, '-' for standard output"},
    {NULL, 0, NULL, NULL}};

static int predict_write(struct cost *cli, const struct sheet *sheet,
                         const struct evaluation *e, const char *path,
                         struct jobq_error *err)
{
    struct jobq_ledger *ledger = xcalloc(1, sizeof *ledger);
    predict_ledger(&cli->scenario, &e->value.usage, e->jobs, ledger);
    ledger->span_ns = (int64_t)(e->value.state.makespan_s * 1e9);
    json_t *root = cost_cost_json(cli, sheet, &cli->scenario, e);
    json_object_set_new(root, "ledger", ledger_to_json(ledger));
    char *text = json_dumps(root, JSON_INDENT(2) | JSON_REAL_PRECISION(15));
    int code = cost_write(path, text, strlen(text), err);
    free(text);
    json_decref(root);
    jobq_ledger_release(ledger);
    free(ledger);
    return code;
}

static void predict_print(const char *name, const struct evaluation *e)
{
    char usd[40], million[40], low_text[40], high_text[40];
    double low, high, scale = e->jobs / 1e6;
    evaluation_interval(e, &low, &high);
    printf("%-12s %s (95 %%: %s .. %s) in %.4g s, %s a million jobs\n", name,
           cost_usd(e->bill.usd, usd, 40), cost_usd(low * scale, low_text, 40),
           cost_usd(high * scale, high_text, 40), e->value.state.makespan_s,
           cost_usd(e->usd_per_million, million, 40));
}

static void predict_print_services(const struct evaluation *e)
{
    double usd[BILL_SERVICE_COUNT];
    char shown[40];
    bill_by_service(&e->bill, usd);
    fputs("of which    ", stdout);
    for (int i = 0; i < BILL_SERVICE_COUNT; i++)
        if (usd[i] > 0)
            printf(" %s %s", bill_service_name((enum bill_service)i),
                   cost_usd(usd[i], shown, 40));
    putchar('\n');
}

static int predict_run(struct cost *cli)
{
    const char *out = NULL;
    struct cost_target options[] = {{COST_TEXT, &out}};
    struct jobq_error err;
    struct sheet *sheet;
    struct evaluation closed, e;
    char title[120];
    int code = cost_parse(cli, options);
    if (code >= 0)
        return code;
    predict_from_scenario(&cli->settings, &cli->scenario);
    if (cost_sheet(cli, cli->region, cli->date, &sheet, &err))
        return cost_fail(cli, &err);
    cost_era(cli, sheet, &cli->scenario);
    if (cost_formula(cli, cli->scenario.era, &err))
        return cost_fail(cli, &err);
    const struct evaluate_context form = {.sheet = sheet, .bill = &cli->bill};
    if (evaluate(&form, &cli->scenario, cli->scenario.jobs, &closed, &err))
        return cost_fail(cli, &err);
    cli->interval_jobs = cli->scenario.jobs;
    if (cost_evaluate(cli, sheet, &cli->scenario, &e, &err)) {
        evaluation_release(&closed);
        return cost_fail(cli, &err);
    }
    cost_warn_prices(cli, sheet, &e.bill);
    code = out ? predict_write(cli, sheet, &e, out, &err) : JOBQ_OK;
    if (!code && cli->json) {
        cost_print_json(cost_cost_json(cli, sheet, &cli->scenario, &e));
    } else if (!code && !(out && strcmp(out, "-") == 0)) {
        cost_print_scenario(&cli->scenario, stdout);
        printf("prices %s\n\n", cost_sheet_title(sheet, title, sizeof title));
        predict_print("closed form", &closed);
        if (e.value.fitted)
            predict_print("fitted", &e);
        predict_print_services(&e);
        if (e.value.fitted && e.value.outside > 0)
            printf("the fit does not cover this scenario's %s: its interval is widened\n",
                   e.value.outside_of);
    }
    evaluation_release(&closed);
    evaluation_release(&e);
    return code ? cost_fail(cli, &err) : COST_OK;
}

const struct cost_command cost_predict = {
    "predict", "what the run of a scenario will use and cost",        HELP, predict_run,
    OPTIONS,   COST_SCENARIO | COST_PRICES | COST_FORMULA | COST_FILE};
