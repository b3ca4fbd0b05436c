/* eval.c - jobqcost eval: what a job costs under these settings.
 *
 * Room:     src/cost, jobqcost's command line; does I/O. */
#include "cost/cmd/shared.h"

#include <math.h>
#include <string.h>

static const char HELP[] =
    "  jobqcost eval --payload 100 --job-time 0s --concurrency 1 --batch 1 \\\n"
    "                --instance none --date 2012-10\n"
    "  jobqcost eval --payload 4KiB --job-time 2s --concurrency 8 \\\n"
    "                --instance c7g.large\n"
    "  jobqcost eval --jobs 100k --boxes 4 --job-time 250ms \\\n"
    "                --instance t4g.small --json\n"
    "  jobqcost eval --job-time 1s --assume-from us-east-1 --region us-west-2\n\n"
    "Dollars per job and per million jobs with a 95 % prediction interval, by\n"
    "component and by line item. With --jobs and --boxes: that run, with boot, tail\n"
    "and each instance's own rounding. Without: the marginal cost of one more job,\n"
    "for a fleet at --utilisation (default 1: every slot busy); --jobs is then the\n"
    "run that the interval is of (default 10,000).\n\n"
    "A GiB of root volume and an IPv4 address are counted only when asked for.\n"
    "--json has schema jobq.cost/1.\n";

static const struct option_def OPTIONS[] = {{NULL, 0, NULL, NULL}};

static void print_text(struct cost *cli, const struct sheet *sheet,
                       const struct predict_scenario *sc, const struct evaluation *e)
{
    char a[40], b[40], c[40], title[120];
    const struct predict_state *state = &e->value.state;
    printf("%s per million jobs  (95 %%: %s .. %s)   %s a job\n",
           cost_usd(e->usd_per_million, a, 40), cost_usd(e->low_per_million, b, 40),
           cost_usd(e->high_per_million, c, 40), cost_usd(e->usd_per_job, title, 40));
    cost_print_scenario(sc, stdout);
    printf("prices %s; free tier %s\n", cost_sheet_title(sheet, title, sizeof title),
           cli->bill.free == 0               ? "none"
           : cli->bill.free == BILL_FREE_ALL ? "all"
                                             : "some");
    printf("formula %s", cli->formula_name);
    if (e->value.fitted && e->value.outside > 0)
        printf("; outside its domain in %s", e->value.outside_of);
    if (isfinite(state->rate_per_s))
        printf("; %.4g jobs/s, bound by %s", state->rate_per_s,
               predict_binding_name(state->binding));
    if (sc->jobs > 0)
        printf("; %.4g s, %s in all", state->makespan_s, cost_usd(e->bill.usd, a, 40));
    fputs("\n\n", stdout);
    struct cost_table *table = cost_components(e->bill.component_usd, 1e6 / e->jobs);
    cost_table_print(table, stdout);
    cost_table_free(table);
    fputs("\nper million jobs:\n", stdout);
    table = cost_items(&e->bill, 1e6 / e->jobs);
    cost_table_print(table, stdout);
    cost_table_free(table);
}

static int run(struct cost *cli)
{
    struct jobq_error err;
    struct sheet *sheet;
    struct evaluation e;
    int code = cost_parse(cli, NULL);
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
    if (cli->wait_cut)
        cost_warn(cli, "there was no long poll at %s: wait is 0", sheet_date(sheet));
    if (e.value.fitted && e.value.outside > 0)
        cost_warn(cli, "outside the formula's domain (%s): the interval is widened",
                  e.value.outside_of);
    cost_warn_prices(cli, sheet, &e.bill);
    if (cli->json) {
        cost_print_json(cost_cost_json(cli, sheet, &cli->scenario, &e));
    } else if (cli->csv) {
        struct cost_table *table = cost_items(&e.bill, 1e6 / e.jobs);
        cost_table_print_csv(table, stdout);
        cost_table_free(table);
    } else {
        print_text(cli, sheet, &cli->scenario, &e);
    }
    evaluation_release(&e);
    return COST_OK;
}

const struct cost_command cost_eval = {
    "eval",  "dollars a job, by component and item",    HELP, run,
    OPTIONS, COST_SCENARIO | COST_PRICES | COST_FORMULA};
