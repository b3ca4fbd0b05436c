/* eval.c - jobqcost eval: what a job costs under these settings.
 *
 * Room:     src/cost, jobqcost's command line; does I/O. */
#include "cost/cmd/answer.h"
#include "cost/cmd/shared.h"

#include <math.h>
#include <string.h>

static const char HELP[] =
    "  jobqcost eval --payload 100 --job-time 0s --concurrency 1 --batch 1 \\\n"
    "                --instance none --date 2012-10\n"
    "  jobqcost eval --payload 4KiB --job-time 2s --concurrency 8 \\\n"
    "                --instance c7g.large\n"
    "  jobqcost eval --arrivals 5M/day --boxes 8 --job-time 1s --concurrency 10\n"
    "  jobqcost eval --jobs 100k --boxes 4 --job-time 250ms \\\n"
    "                --instance t4g.small --json\n"
    "  jobqcost eval --job-time 1s --assume-from us-east-1 --region us-west-2\n\n"
    "The answer first: what a million of these jobs cost, what the money is for, the\n"
    "cost of a day and a month, the boxes needed, what would halve it, what reaches\n"
    "$1, and how sure that is. Then the details, by component and by line item.\n\n"
    "With --jobs and --boxes: that run, with boot, tail and each instance's own\n"
    "rounding. With --arrivals: jobs that keep coming to --boxes boxes. Without: one\n"
    "job more, for boxes at --utilisation (default 1: every slot busy); --jobs is\n"
    "then the run that the model's interval is of (default 10,000). The interval is\n"
    "of the model and of the prices: one of confidence M may be 10 % off, L 30 %.\n\n"
    "A GiB of root volume and an IPv4 address are counted only when asked for.\n"
    "--json has schema jobq.cost/1.\n";

static const struct option_def OPTIONS[] = {{"short", 0, NULL, "the answer alone"},
                                            {NULL, 0, NULL, NULL}};

static void print_text(struct cost *cli, const struct sheet *sheet,
                       const struct predict_scenario *sc, const struct evaluation *e,
                       const struct answer *answer)
{
    char a[40], title[120];
    const struct predict_state *state = &e->value.state;
    answer_print(answer, sc, stdout);
    fputs("\ncounted with\n", stdout);
    cost_print_scenario(sc, stdout);
    printf("prices %s; free tier %s\n", cost_sheet_title(sheet, title, sizeof title),
           cli->bill.free == 0               ? "none"
           : cli->bill.free == BILL_FREE_ALL ? "all"
                                             : "some");
    printf("formula %s", cli->formula_name);
    if (e->value.outside > 0)
        printf("; outside its domain in %s", e->value.outside_of);
    if (isfinite(state->rate_per_s) && strcmp(sc->instance, "none") != 0)
        printf("; %s by %.0f box%s, bound by %s", cost_rate(state->rate_per_s, a, 40),
               sc->boxes, sc->boxes > 1 ? "es" : "",
               predict_binding_name(state->binding));
    fputs("\n\n", stdout);
    struct cost_table *table = cost_components(e->bill.component_usd, 1e6 / e->jobs);
    cost_table_print(table, stdout);
    cost_table_free(table);
    fputs("\nper million jobs:\n", stdout);
    table = cost_items(&e->bill, 1e6 / e->jobs);
    cost_table_print(table, stdout);
    cost_table_free(table);
}

static int eval_run(struct cost *cli)
{
    struct jobq_error err;
    struct sheet *sheet;
    struct evaluation e;
    struct answer answer;
    bool brief = false;
    struct cost_target options[] = {{COST_FLAG, &brief}};
    int code = cost_parse(cli, options);
    if (code >= 0)
        return code;
    if (cli->argument_count)
        return cost_usage(cli, "takes no argument '%.40s'", cli->argument[0]);
    if (cost_sheet(cli, cli->region, cli->date, &sheet, &err))
        return cost_fail(cli, &err);
    cost_era(cli, sheet, &cli->scenario);
    if (cost_formula(cli, cli->scenario.era, &err) ||
        cost_evaluate(cli, sheet, &cli->scenario, &e, &err))
        return cost_fail(cli, &err);
    if (cli->scenario.job_s >= 12 * 3600.0)
        cost_warn(cli, "jobs of 12 h or more cannot end, for a queue hides a message for "
                       "12 h at most: no such job is finished at any cost");
    double waits_s =
        fmax(e.value.state.queued_s,
             cli->scenario.arrivals_per_s > 0 ? 0 : e.value.state.makespan_s);
    if (waits_s > cli->scenario.retention_s)
        cost_warn(cli,
                  "jobs wait for up to %.3g days, but the queue drops what waits "
                  "longer than %.3g: those are lost, and counted here as done",
                  waits_s / 86400, cli->scenario.retention_s / 86400);
    if (predict_fits(&cli->scenario, &err))
        cost_warn(cli, "%s", err.text);
    if (cli->wait_cut)
        cost_warn(cli, "there was no long poll at %s: wait is 0", sheet_date(sheet));
    if (e.value.outside > 0)
        cost_warn(cli, "outside the formula's domain (%s): the interval is widened",
                  e.value.outside_of);
    cli->told_stale = true; /* the answer says it, with what it may cost */
    cost_warn_prices(cli, sheet, &e.bill);
    answer_make(cli, sheet, &cli->scenario, &e, &answer);
    if (cli->json) {
        json_t *root = cost_cost_json(cli, sheet, &cli->scenario, &e);
        json_object_set_new(root, "answer", answer_json(&answer));
        cost_print_json(root);
    } else if (cli->csv) {
        struct cost_table *table = cost_items(&e.bill, 1e6 / e.jobs);
        cost_table_print_csv(table, stdout);
        cost_table_free(table);
    } else if (brief) {
        answer_print(&answer, &cli->scenario, stdout);
    } else {
        print_text(cli, sheet, &cli->scenario, &e, &answer);
    }
    evaluation_release(&e);
    return COST_OK;
}

const struct cost_command cost_eval = {
    "eval",  "dollars a job, by component and item",    HELP, eval_run,
    OPTIONS, COST_SCENARIO | COST_PRICES | COST_FORMULA};
