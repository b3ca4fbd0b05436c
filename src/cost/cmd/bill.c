/* bill.c - jobqcost bill: prices a ledger, or bare quantities.
 *
 * Room:     src/cost, jobqcost's command line; does I/O. */
#include "cost/cmd/shared.h"
#include "cost/fit/fit.h"
#include "cost/ledger/ledger_json.h"
#include "cost/bill/sweep_price.h"
#include "cost/fit/table.h"

#include "base/arena.h"
#include "jobq/units.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char HELP[] =
    "  jobqcost bill --requests sqs.standard=6.3M --date 2026 --free-tier none\n"
    "  jobqcost bill ledger.json --region us-east-1\n"
    "  jobq drain QUEUE --record drain.jsonl ...; jobqcost bill drain.jsonl\n"
    "  jobqcost bill --sweep sweep.csv --region eu-west-1 --csv\n"
    "  jobqcost bill --requests lambda.request=1M --requests lambda.gb-second=200k\n\n"
    "Prices a ledger (schema jobq.ledger/2, or an object with a member 'ledger';\n"
    "several are added up) and bare quantities SERVICE.ITEM=COUNT in the price's unit\n"
    "(jobqcost prices show lists them; hours of ec2.TYPE are one run). Each price's\n"
    "own grain, tiers and, if asked for, free amounts are applied.\n";
static const struct option_def OPTIONS[] = {
    {"requests", 0, "S.ITEM=COUNT", "any number of times"},
    {"usage", 0, "S.ITEM=COUNT", "the same"},
    {"sweep", 0, "FILE",
     "a file of jobqsim sweep: dollars per million jobs of each point"},
    {"no-instances", 0, NULL, "with --sweep: as if instance time were free"},
    {"exact-time", 0, NULL, "do not round instance time"},
    {NULL, 0, NULL, NULL}};

static int add_quantity(const char *text, const struct sheet *sheet,
                        const struct bill_options *options, struct bill *bill,
                        struct jobq_error *err)
{
    char name[96];
    double quantity;
    int64_t count;
    const char *equals = strchr(text, '=');
    size_t len = equals ? (size_t)(equals - text) : 0;
    if (!equals || len == 0 || len >= sizeof name)
        return jobq_fail(err, JOBQ_INVALID, "'%.60s' is not SERVICE.ITEM=COUNT", text);
    memcpy(name, text, len);
    name[len] = '\0';
    if (jobq_parse_count(equals + 1, &count, err) == JOBQ_OK)
        quantity = (double)count;
    else if (jobq_parse_number(equals + 1, &quantity, err))
        return err->code;
    if (quantity < 0)
        return jobq_fail(err, JOBQ_INVALID, "'%.60s' is less than nothing", text);
    return bill_quantity(bill, name, quantity, sheet, options, err);
}

static int read_ledgers(struct cost *cli, struct jobq_ledger *ledger,
                        struct jobq_error *err)
{
    for (int i = 0; i < cli->argument_count; i++) {
        char *text;
        size_t len;
        int code = cost_read(cli->argument[i], &text, &len, err);
        if (code)
            return code;
        code = ledger_parse(text, len, cli->argument[i], ledger, err);
        free(text);
        if (code)
            return code;
    }
    return JOBQ_OK;
}

static json_t *jobs_json(const struct jobq_ledger *ledger)
{
    json_t *jobs = json_object();
    for (int i = 0; i < JOBQ_JOB_END_COUNT; i++)
        json_object_set_new(jobs, jobq_job_end_name((enum jobq_job_end)i),
                            json_integer(ledger->jobs[i]));
    return jobs;
}

static json_t *bill_json(const struct bill *bill, const struct sheet *sheet,
                         const struct jobq_ledger *ledger)
{
    json_t *root = json_object(), *components = json_object();
    struct cost_table *items = cost_items(bill, 1);
    json_object_set_new(root, "schema", json_string("jobq.bill/1"));
    json_object_set_new(root, "usd", json_real(bill->usd));
    int64_t jobs = jobq_ledger_finished(ledger);
    json_object_set_new(root, "jobs", jobs_json(ledger));
    if (jobs > 0)
        json_object_set_new(root, "per_million_usd",
                            json_real(bill->usd / (double)jobs * 1e6));
    for (int i = 0; i < BILL_COMPONENT_COUNT; i++)
        json_object_set_new(components, bill_component_name((enum bill_component)i),
                            json_real(bill->component_usd[i]));
    json_object_set_new(root, "components", components);
    json_object_set_new(root, "items", cost_table_json(items));
    json_object_set_new(root, "sheet", cost_sheet_json(sheet));
    cost_table_free(items);
    return root;
}

static void bill_print(struct cost *cli, const struct bill *bill,
                       const struct sheet *sheet, const struct jobq_ledger *ledger)
{
    char usd[40], title[120], others[120];
    int64_t jobs = jobq_ledger_finished(ledger);
    if (cli->json) {
        cost_print_json(bill_json(bill, sheet, ledger));
        return;
    }
    struct cost_table *items = cost_items(bill, 1);
    if (cli->csv) {
        cost_table_print_csv(items, stdout);
    } else {
        printf("%s", cost_usd(bill->usd, usd, 40));
        if (jobs > 0)
            printf(" for %lld finished jobs, %s per million", (long long)jobs,
                   cost_usd(bill->usd / (double)jobs * 1e6, usd, 40));
        if (jobq_ledger_unfinished(ledger))
            printf("\n%s did not finish: %s",
                   jobs > 0 ? "jobs that" : "no job finished; those that",
                   jobq_ledger_others_text(ledger, others, sizeof others));
        printf("\nprices %s; free tier %s\n\n",
               cost_sheet_title(sheet, title, sizeof title),
               cli->bill.free == 0               ? "none"
               : cli->bill.free == BILL_FREE_ALL ? "all"
                                                 : "some");
        cost_table_print(items, stdout);
    }
    cost_table_free(items);
}

/* ---- a sweep, point by point --------------------------------------------------------------- */

static int sweep_rows(struct cost *cli, const struct table *sweep, bool no_instances,
                      const struct sheet *sheet, struct cost_table *out,
                      struct jobq_error *err)
{
    int code = JOBQ_OK;
    for (size_t row = 0; row < table_rows(sweep) && !code; row++) {
        struct jobq_ledger *ledger = xcalloc(1, sizeof *ledger);
        struct bill bill;
        char shown[40];
        bill_init(&bill);
        code =
            sweep_price(sweep, row, no_instances, sheet, &cli->bill, ledger, &bill, err);
        if (!code) {
            cost_table_number(out, (double)row, NULL);
            cost_table_number(out, bill.usd, cost_usd_cell(bill.usd, shown, 40));
            for (int i = 0; i < BILL_COMPONENT_COUNT; i++)
                cost_table_number(out, bill.component_usd[i],
                                  cost_usd_cell(bill.component_usd[i], shown, 40));
        }
        bill_release(&bill);
        jobq_ledger_release(ledger);
        free(ledger);
    }
    return code;
}

static int run_sweep(struct cost *cli, const char *path, bool no_instances,
                     const struct sheet *sheet)
{
    static const char *const head[] = {"#point",     "#$/million", "#bytes in",
                                       "#bytes out", "#calls",     "#storage",
                                       "#cpu",       "#boot",      "#idle"};
    static const char *const key[] = {
        "point",         "usd_per_million", "bandwidth_in", "bandwidth_out",
        "service_calls", "storage",         "cpu",          "boot",
        "idle"};
    struct jobq_error err;
    struct table *sweep = NULL;
    char *text;
    size_t len;
    int code = cost_read(path, &text, &len, &err);
    if (code)
        return cost_fail(cli, &err);
    code = table_parse(text, len, path, &sweep, &err);
    free(text);
    if (code)
        return cost_fail(cli, &err);
    struct cost_table *out = cost_table_new(head, key, 9);
    code = sweep_rows(cli, sweep, no_instances, sheet, out, &err);
    if (code)
        jobq_wrap(&err, "%s", path);
    else if (cli->json) {
        json_t *root = json_object();
        json_object_set_new(root, "schema", json_string("jobq.bill.sweep/1"));
        json_object_set_new(root, "points", cost_table_json(out));
        json_object_set_new(root, "sheet", cost_sheet_json(sheet));
        cost_print_json(root);
    } else if (cli->csv) {
        cost_table_print_csv(out, stdout);
    } else {
        cost_table_print(out, stdout);
    }
    cost_table_free(out);
    table_free(sweep);
    return code ? cost_fail(cli, &err) : COST_OK;
}

static int bill_run(struct cost *cli)
{
    struct cost_many requests = {0};
    const char *sweep = NULL;
    bool no_instances = false;
    struct cost_target options[] = {{COST_MANY, &requests},
                                    {COST_MANY, &requests},
                                    {COST_TEXT, &sweep},
                                    {COST_FLAG, &no_instances},
                                    {COST_FLAG, &cli->bill.exact_time}};
    struct jobq_error err;
    struct sheet *sheet;
    struct bill bill;
    int code = cost_parse(cli, options);
    if (code >= 0)
        return code;
    if (!cli->argument_count && !requests.count && !sweep)
        return cost_usage(cli, "give a ledger's file or --requests SERVICE.ITEM=COUNT");
    if (cost_sheet(cli, cli->region, cli->date, &sheet, &err))
        return cost_fail(cli, &err);
    if (sweep)
        return run_sweep(cli, sweep, no_instances, sheet);
    struct jobq_ledger *ledger = xcalloc(1, sizeof *ledger);
    bill_init(&bill);
    code = read_ledgers(cli, ledger, &err);
    if (!code)
        code = bill_ledger(&bill, ledger, sheet, &cli->bill, &err);
    for (int i = 0; i < requests.count && !code; i++)
        code = add_quantity(requests.text[i], sheet, &cli->bill, &bill, &err);
    if (!code) {
        cost_warn_prices(cli, sheet, &bill);
        bill_print(cli, &bill, sheet, ledger);
    }
    bill_release(&bill);
    jobq_ledger_release(ledger);
    free(ledger);
    return code ? cost_fail(cli, &err) : COST_OK;
}

const struct cost_command cost_bill = {
    "bill", "prices a ledger or bare quantities", HELP, bill_run, OPTIONS, COST_PRICES};
