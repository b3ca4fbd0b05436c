/* explain.c - jobq explain-cost: which AWS requests a command line will make, and the
 * price, by the closed form; nothing is called.
 *
 * Room:     live, jobq's program. Callers: jobq_main.c.
 *
 * enqueue and drain split the closed form of a job (src/cost/predict/predict.h) between them: what
 * puts a job there, and what takes it away. */
#include "live/cmd/cmd.h"

#include "base/arena.h"
#include "cost/bill/bill.h"
#include "cost/predict/predict.h"
#include "jobq/units.h"
#include "pricing/sheet.h"
#include "wire/dynamodb/ddb_bodies.h"

#include <math.h>
#include <stdlib.h>

static const struct option_def options[] = {{NULL, 0, NULL, NULL}};

struct explain {
    struct cli *cli;
    struct sheet *sheet;
    struct predict_scenario scenario;
    struct jobq_ledger ledger;
    double jobs;
    const char *unit; /* what the figures are of */
    char note[300];
};

/* ---- requests of a subcommand ------------------------------------------------------------ */

static void add(struct explain *x, enum jobq_action action, double requests,
                double box_hours)
{
    struct jobq_usage *u = &x->ledger.action[action];
    u->requests += (int64_t)ceil(requests - 1e-9);
    u->box_usage_e10h += (int64_t)llround(box_hours * 1e10);
}

/* SQS prices chunks of payload: each request of so many bytes. */
static void add_sqs(struct explain *x, enum jobq_action action, double requests,
                    double bytes)
{
    int64_t count = (int64_t)ceil(requests - 1e-9);
    add(x, action, requests, 0);
    if (action == JOBQ_ACT_SQS_SEND || action == JOBQ_ACT_SQS_SEND_BATCH)
        x->ledger.send_kib[jobq_payload_bucket((int64_t)bytes)] += count;
    else if (action == JOBQ_ACT_SQS_RECEIVE)
        x->ledger.receive_kib[jobq_payload_bucket((int64_t)bytes)] += count;
}

/* BoxUsage of a put of n values: the fitted formula of facts (0.0000219907 + 2e-10 n^3). */
static double put_hours(double n)
{
    return 0.0000219907 + 2e-10 * n * n * n;
}

static const char *value_of(const struct cli *sub, const char *name)
{
    for (int i = 0; sub->command->option[i].name; i++)
        if (strcmp(sub->command->option[i].name, name) == 0)
            return sub->value[i];
    return NULL;
}

/* Lines and their mean length. */
static int count_lines(const char *path, double *jobs, double *bytes,
                       struct jobq_error *err)
{
    char *line = NULL;
    size_t cap = 0;
    FILE *file = strcmp(path, "-") ? fopen(path, "re") : NULL;
    char shown[100];
    text_escape(path, (int64_t)strlen(path), shown, sizeof shown);
    if (!file)
        return jobq_fail(err, JOBQ_INVALID, "'%s' cannot be read to count its jobs",
                         shown);
    *jobs = *bytes = 0;
    for (ssize_t len; (len = getline(&line, &cap, file)) > 0;)
        if (line[0] != '#' && line[0] != '\n') {
            *jobs += 1;
            *bytes += (double)len;
        }
    free(line);
    fclose(file);
    if (*jobs > 0)
        *bytes /= *jobs;
    return JOBQ_OK;
}

/* ---- rows, by store: machine hours in SimpleDB, units in DynamoDB ------------------------- */

static enum scenario_store store_of(const struct cli *sub)
{
    return sub->command->takes ? scenario_store(&sub->scenario) : SCENARIO_STORE_SIMPLEDB;
}

/* Reads of small rows. */
static void add_reads(struct explain *x, const struct cli *sub, double rows)
{
    if (store_of(sub) == SCENARIO_STORE_SIMPLEDB) {
        /* GetAttributes: facts of boxusage, 0.0000093202 for a small row. */
        add(x, JOBQ_ACT_SDB_GET, rows, rows * 0.0000093202);
    } else if (store_of(sub) == SCENARIO_STORE_DYNAMODB) {
        add(x, JOBQ_ACT_DDB_GET, rows, 0);
        x->ledger.read_units += rows;
    }
}

/* Writes of `values` values to small rows. */
static void add_writes(struct explain *x, const struct cli *sub, double rows,
                       double values)
{
    if (store_of(sub) == SCENARIO_STORE_SIMPLEDB) {
        add(x, JOBQ_ACT_SDB_PUT, rows, rows * put_hours(values));
    } else if (store_of(sub) == SCENARIO_STORE_DYNAMODB) {
        add(x, JOBQ_ACT_DDB_UPDATE, rows, 0);
        x->ledger.write_units += rows;
    }
}

/* The queue's tables, and pages of so many rows. */
static void add_lists(struct explain *x, const struct cli *sub)
{
    if (store_of(sub) == SCENARIO_STORE_SIMPLEDB)
        add(x, JOBQ_ACT_SDB_LIST_DOMAINS, 1, 0.0000071759);
    else if (store_of(sub) == SCENARIO_STORE_DYNAMODB)
        add(x, JOBQ_ACT_DDB_DESCRIBE_TABLE, 1, 0);
}

static void add_pages(struct explain *x, const struct cli *sub, double pages, double rows)
{
    if (store_of(sub) == SCENARIO_STORE_SIMPLEDB) {
        add(x, JOBQ_ACT_SDB_SELECT, pages, pages * 0.00001372 + rows * 0.00000914165);
    } else if (store_of(sub) == SCENARIO_STORE_DYNAMODB) {
        struct jobq_call_cost page = {0};
        ddb_page_cost((int64_t)ceil(rows / pages), &page);
        add(x, JOBQ_ACT_DDB_SCAN, pages, 0);
        x->ledger.read_units += pages * page.read_units;
    }
}

/* The row that names the job. When it is freed, SimpleDB is billed for a delete. */
static void explain_key(struct explain *x)
{
    if (x->scenario.store == PREDICT_SIMPLEDB) {
        add(x, JOBQ_ACT_SDB_PUT, 1, put_hours(1));
        add(x, JOBQ_ACT_SDB_DELETE, 1, put_hours(1));
    } else if (x->scenario.store == PREDICT_DYNAMODB) {
        add(x, JOBQ_ACT_DDB_UPDATE, 1, 0);
        x->ledger.write_units += 1;
    }
}

static int enqueue(struct explain *x, struct cli *sub, struct jobq_error *err)
{
    const char *batch = value_of(sub, "batch");
    double bytes = 0;
    x->jobs = 1;
    if (batch) {
        int rc = count_lines(batch, &x->jobs, &bytes, err);
        if (rc < 0)
            return rc;
    }
    for (int i = 1; i < sub->arg_count && !batch; i++)
        bytes += (double)strlen(sub->arg[i]) + 1;
    /* Neither jobs nor a file of them: the scenario's. */
    if (!batch && sub->arg_count < 2) {
        bytes = x->scenario.payload_bytes;
        if (scenario_given(&sub->scenario, "jobs"))
            x->jobs = (double)sub->scenario.jobs;
    }
    bool many = x->jobs > 1;
    struct predict_state state;
    struct usage u;
    x->scenario.payload_bytes = bytes;
    if (!many && !batch)
        x->scenario.batch = 1;
    int rc = predict_usage(&x->scenario, NULL, &u, &state, err);
    if (rc < 0)
        return rc;
    double each = x->scenario.batch;
    if (each > 1)
        add_sqs(x, JOBQ_ACT_SQS_SEND_BATCH, ceil(x->jobs / each),
                state.body_bytes * each);
    else
        add_sqs(x, JOBQ_ACT_SQS_SEND, x->jobs, state.body_bytes);
    add(x, JOBQ_ACT_SQS_GET_URL, 1, 0);
    if (scenario_given(&sub->scenario, "visibility"))
        add(x, JOBQ_ACT_SQS_SET_ATTRIBUTES, 1, 0);
    bool puts = x->scenario.store == PREDICT_SIMPLEDB && state.enqueue_row > 0;
    if (puts && each > 1)
        add(x, JOBQ_ACT_SDB_PUT_BATCH, ceil(x->jobs / (each < 10 ? each : 25)),
            x->jobs * u.line[USAGE_BOX_PUT_BATCH]);
    else if (puts)
        add(x, JOBQ_ACT_SDB_PUT, x->jobs, x->jobs * put_hours(state.row_attrs));
    if (x->scenario.store == PREDICT_DYNAMODB && state.enqueue_row > 0) {
        add(x, JOBQ_ACT_DDB_UPDATE, x->jobs, 0);
        x->ledger.write_units += x->jobs * state.enqueue_units;
    }
    if (value_of(sub, "key"))
        explain_key(x);
    x->unit = "this enqueue";
    snprintf(x->note, sizeof x->note,
             "%.0f jobs of %.0f bytes; a queue that is missing costs 2 requests more%s",
             x->jobs, bytes,
             x->scenario.store == PREDICT_SIMPLEDB && state.enqueue_row > 0
                 ? ", a domain that is missing 0.0056 machine hours"
                 : "");
    return JOBQ_OK;
}

/* queues: how many are drained together. */
static int drain(struct explain *x, int queues, struct jobq_error *err)
{
    struct usage u;
    struct predict_state state;
    int rc = predict_usage(&x->scenario, NULL, &u, &state, err);
    if (rc < 0)
        return rc;
    x->jobs = 1e6;
    double receive = u.line[USAGE_RECEIVE] * x->jobs,
           beats = u.line[USAGE_VISIBILITY] * x->jobs;
    add_sqs(x, JOBQ_ACT_SQS_RECEIVE, receive, state.body_bytes * state.receive_batch);
    add(x, state.delete_batch > 1 ? JOBQ_ACT_SQS_DELETE_BATCH : JOBQ_ACT_SQS_DELETE,
        u.line[USAGE_DELETE] * x->jobs, 0);
    add(x, JOBQ_ACT_SQS_VISIBILITY_BATCH, beats, 0);
    if (x->scenario.store == PREDICT_SIMPLEDB)
        add(x, JOBQ_ACT_SDB_PUT, state.job_puts * x->jobs,
            x->jobs * (put_hours(2) + (state.job_puts - 1) * put_hours(3)));
    if (x->scenario.store == PREDICT_DYNAMODB) {
        add(x, JOBQ_ACT_DDB_UPDATE, state.job_puts * x->jobs, 0);
        x->ledger.write_units +=
            x->jobs * (u.line[USAGE_WRITE_UNITS] - state.enqueue_units);
    }
    x->unit = "a million jobs";
    double polls = queues * 86400 / (x->scenario.wait_s > 0 ? x->scenario.wait_s : 1);
    snprintf(
        x->note, sizeof x->note,
        "busy slots and the job time of the scenario are assumed (jobqcost eval asks for "
        "more); an idle "
        "drainer makes %.0f receives a day, and 1 statistics put a minute while it "
        "works; "
        "output that rows keep: %s",
        polls,
        x->scenario.store == PREDICT_SIMPLEDB ? "4 KiB are 4e-8 machine hours a job"
                                              : "1 write unit a KiB, none without rows");
    return JOBQ_OK;
}

/* So many readings of the status: queue and dead letters, drainers' rows, boxes. */
static void explain_looks(struct explain *x, struct cli *sub, double looks)
{
    add(x, JOBQ_ACT_SQS_GET_ATTRIBUTES, 2 * looks, 0);
    add_pages(x, sub, looks, looks); /* of drainers: one row */
    add(x, JOBQ_ACT_EC2_DESCRIBE, looks, 0);
}

static void others(struct explain *x, struct cli *sub)
{
    const char *name = sub->command->name;
    double n = sub->arg_count;
    x->unit = "this command";
    if (strcmp(name, "wait") == 0 && value_of(sub, "all")) {
        add(x, JOBQ_ACT_SQS_GET_ATTRIBUTES, 1, 0);
        x->unit = "each look of this wait";
        snprintf(x->note, sizeof x->note,
                 "a look that finds the queue empty asks the rows too: %s more",
                 store_of(sub) == SCENARIO_STORE_DYNAMODB
                     ? "1 DescribeTable and a Scan of the table"
                     : "1 ListDomains and 1 Select a domain");
    } else if (strcmp(name, "dlq") == 0) {
        bool redrive = n > 0 && strcmp(sub->arg[0], "redrive") == 0;
        add_sqs(x, JOBQ_ACT_SQS_RECEIVE, 1, 10 * 1024);
        add_reads(x, sub, 10);
        if (redrive) {
            add_writes(x, sub, 10, 2);
            add_sqs(x, JOBQ_ACT_SQS_SEND, 10, 1024);
            add(x, JOBQ_ACT_SQS_DELETE, 10, 0);
        } else {
            add(x, JOBQ_ACT_SQS_VISIBILITY_BATCH, 1, 0);
        }
        x->unit = "each ten dead letters of 1 KiB";
    } else if (strcmp(name, "purge") == 0) {
        double queues = value_of(sub, "dead") ? 2 : 1;
        add(x, JOBQ_ACT_SQS_GET_URL, queues, 0);
        add(x, JOBQ_ACT_SQS_GET_ATTRIBUTES, queues, 0);
        if (!value_of(sub, "dry-run"))
            add(x, JOBQ_ACT_SQS_PURGE, queues, 0);
        if (value_of(sub, "rows"))
            snprintf(x->note, sizeof x->note,
                     store_of(sub) == SCENARIO_STORE_DYNAMODB
                         ? "with --rows 1 DeleteTable more, which is free"
                         : "with --rows 0.0056 machine hours a domain more");
    } else if (strcmp(name, "status") == 0 || strcmp(name, "wait") == 0 ||
               strcmp(name, "result") == 0) {
        add_reads(x, sub, n);
        x->unit = strcmp(name, "status") == 0 ? x->unit : "each look of this command";
    } else if (strcmp(name, "cancel") == 0) {
        add_reads(x, sub, n);
        add_writes(x, sub, n, 2);
    } else if (strcmp(name, "serve") == 0) {
        double looks = (double)JOBQ_NS_PER_DAY / (double)sub->scenario.refresh_ns;
        explain_looks(x, sub, looks);
        x->unit = "a day of this page";
    } else if (strcmp(name, "autoscale") == 0) {
        double looks = (double)JOBQ_NS_PER_DAY / (double)sub->scenario.scale_every_ns;
        explain_looks(x, sub, looks);
        x->unit = "a day of decisions, without the boxes";
    } else if (strcmp(name, "doctor") == 0) {
        add(x, JOBQ_ACT_SQS_GET_URL, 2, 0);
        add(x, JOBQ_ACT_SQS_GET_ATTRIBUTES, 1, 0);
        add(x, JOBQ_ACT_SQS_VISIBILITY, 1, 0);
        add(x, JOBQ_ACT_SQS_DELETE, 1, 0);
        add_lists(x, sub);
        add_pages(x, sub, 1, 1);
        add_writes(x, sub, 1, 1);
        add(x, JOBQ_ACT_EC2_DESCRIBE, 1, 0);
    } else if (strcmp(name, "spawn") == 0) {
        if (!value_of(sub, "dry-run")) {
            add(x, JOBQ_ACT_SQS_GET_URL, 1, 0);
            add(x, JOBQ_ACT_EC2_DESCRIBE, 1, 0);
            add(x, JOBQ_ACT_EC2_RUN, 1, 0);
        }
        snprintf(x->note, sizeof x->note, "the boxes themselves: jobqcost prices show");
    } else if (strcmp(name, "list") == 0) {
        add_lists(x, sub);
        add_pages(x, sub, 10, 1000);
        x->unit = "each thousand rows of this list";
    } else {
        snprintf(x->note, sizeof x->note, "see jobq %s --help for its calls", name);
    }
}

/* ---- output -------------------------------------------------------------------------------- */

static int open_sheet(struct explain *x, struct jobq_error *err)
{
    const char *region = getenv("AWS_REGION");
    struct jobq_error unknown;
    if (region && sheet_open(region, NULL, NULL, &x->sheet, &unknown) == JOBQ_OK)
        return JOBQ_OK;
    return sheet_open("us-east-1", NULL, NULL, &x->sheet, err);
}

static void explain_show(struct explain *x, double usd)
{
    struct text out = {0};
    bool json = x->cli->json, first = true;
    if (json)
        text_puts(&out, "{\"schema\":\"jobq.explain/1\",\"of\":");
    if (json)
        cli_json_cstr(&out, x->unit);
    if (json)
        text_puts(&out, ",\"requests\":{");
    for (int a = 0; a < JOBQ_ACTION_COUNT; a++) {
        const struct jobq_usage *u = &x->ledger.action[a];
        if (!u->requests)
            continue;
        if (json)
            text_printf(&out, "%s\"%s\":%lld", first ? "" : ",",
                        jobq_action_name((enum jobq_action)a), (long long)u->requests);
        else
            text_printf(&out, "%-30s %12lld\n", jobq_action_name((enum jobq_action)a),
                        (long long)u->requests);
        first = false;
    }
    const double units[] = {x->ledger.write_units, x->ledger.read_units};
    for (int i = 0; i < 2 && !json; i++)
        if (units[i] > 0)
            text_printf(&out, "%-30s %12.0f\n", i ? "read units" : "write units",
                        units[i]);
    if (json) {
        text_printf(&out,
                    "},\"write_units\":%.17g,\"read_units\":%.17g,\"usd\":", units[0],
                    units[1]);
        text_put_double(&out, usd);
        text_puts(&out, ",\"sheet\":");
        text_printf(&out, "\"%s@%s\",\"note\":", sheet_region(x->sheet),
                    sheet_date(x->sheet));
        cli_json_cstr(&out, x->note);
        text_puts(&out, "}\n");
    } else {
        text_printf(&out, "$%.6f for %s, prices of %s %s, no free tier\n", usd, x->unit,
                    sheet_region(x->sheet), sheet_date(x->sheet));
        if (x->note[0])
            text_printf(&out, "%s\n", x->note);
    }
    cli_flush(x->cli, &out);
    text_release(&out);
}

static int price_and_show(struct explain *x, struct jobq_error *err)
{
    struct bill bill;
    struct bill_options how = {.exact_time = true};
    int rc = open_sheet(x, err);
    if (rc < 0)
        return rc;
    bill_init(&bill);
    rc = bill_ledger(&bill, &x->ledger, x->sheet, &how, err);
    if (rc == JOBQ_OK)
        explain_show(x, bill.usd);
    bill_release(&bill);
    sheet_free(x->sheet);
    return rc;
}

static int explain_run(struct cli *cli)
{
    const struct cli_command *command = NULL;
    struct jobq_error err;
    struct cli sub;
    for (int i = 0; cmd_table[i]; i++)
        if (strcmp(cmd_table[i]->name, cli->arg[0]) == 0)
            command = cmd_table[i];
    if (!command) {
        cli_complain(cli, "no such subcommand; see jobq help");
        return CLI_USAGE;
    }
    int rc = cli_parse(&sub, command, cli->arg_count, cli->arg);
    if (rc >= 0)
        return rc;
    struct explain *x = xcalloc(1, sizeof *x);
    x->cli = cli;
    cli->json = cli->json || sub.json;
    jobq_ledger_init(&x->ledger);
    predict_defaults(&x->scenario);
    rc = JOBQ_OK;
    if (command->takes) {
        rc = scenario_finish(&sub.scenario, &err);
        predict_from_scenario(&sub.scenario, &x->scenario);
        x->scenario.jobs = 0;
    }
    if (rc != JOBQ_OK)
        ;
    else if (strcmp(command->name, "enqueue") == 0)
        rc = enqueue(x, &sub, &err);
    else if (strcmp(command->name, "drain") == 0)
        rc = drain(x, sub.arg_count, &err);
    else
        others(x, &sub);
    if (rc == JOBQ_OK)
        rc = price_and_show(x, &err);
    jobq_ledger_release(&x->ledger);
    free(x);
    cli_release(&sub);
    return rc < 0 ? cli_fail(cli, NULL, &err) : CLI_OK;
}

const struct cli_command cmd_explain = {
    .name = "explain-cost",
    .synopsis = "SUBCOMMAND ...",
    .summary = "says which requests a command line will make, and their price",
    .examples = "  jobq explain-cost enqueue render --batch jobs.txt\n"
                "  jobq explain-cost --json drain render -n 32\n",
    .calls = "  none.\n",
    .option = options,
    .run = explain_run,
    .min_args = 1,
    .max_args = -1,
    .verbatim = true};
