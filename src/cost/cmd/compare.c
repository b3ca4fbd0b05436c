/* compare.c - jobqcost compare and check: costs side by side, and the gate of a build.
 *
 * Room:     src/cost, jobqcost's command line; does I/O. */
#include "cost/bill/engine.h"
#include "cost/cmd/shared.h"
#include "cost/search/search.h"

#include "base/arena.h"
#include "base/text.h"
#include "jobq/units.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define AXES_MAX 6
#define ROWS_MAX 200

static const char COMPARE_HELP[] =
    "  jobqcost compare --over date=2012-10,2012-12,2026 --instance m1.small\n"
    "  jobqcost compare --over store=simpledb,dynamodb,none --over batch=1,10\n"
    "  jobqcost compare --store dynamodb --over rows=all,claim,end,none\n"
    "  jobqcost compare --over region=us-east-1,eu-west-1 --assume-from us-east-1\n"
    "  jobqcost compare --over instance=t4g.nano,c7g.large \\\n"
    "                   --break-even job-time=1ms..1h\n"
    "  jobqcost compare --engine ec2,fargate,lambda --job-time 2s --cpu-share 0.5 \\\n"
    "                   --break-even job-time=10ms..10min\n\n"
    "Costs side by side: every combination of the values of --over (at most 200),\n"
    "where a name is region, date or any setting below. --break-even NAME=LOW..HIGH\n"
    "finds, for every two of them, the values of a numeric option at which one\n"
    "becomes cheaper than the other. --engine compares what runs the jobs; queue and\n"
    "rows are the same. A Fargate task runs as many slots as a box, on the size\n"
    "that holds them and costs least (a minute at least); a Lambda function runs up\n"
    "to --batch jobs one after the other, for 15 minutes at most.\n";
static const struct option_def COMPARE_OPTIONS[] = {
    {"over", 0, "NAME=V1,V2,...", "any number of times"},
    {"break-even", 0, "NAME=LOW..HIGH", "once"},
    {"engine", 0, "LIST", "what runs the jobs: some of ec2, fargate, lambda"},
    {"engine-memory", 0, "SIZE", "memory of a job, for fargate and lambda (512MiB)"},
    {NULL, 0, NULL, NULL}};

struct over {
    char name[24];
    const char *list;
    const char *value[32];
    int length[32];
    int count;
};

struct row {
    char label[AXES_MAX][32];
    struct predict_scenario scenario;
    struct sheet *sheet;
    enum engine engine;
    bool refused; /* it cannot run there: `why`, and no e */
    struct jobq_error why;
    struct evaluation e;
};

#define MEMORY_DEFAULT_BYTES (512.0 * 1024 * 1024)

static int read_over(struct over *over, const char *text, struct jobq_error *err)
{
    const char *equals = strchr(text, '=');
    size_t len = equals ? (size_t)(equals - text) : 0;
    if (!equals || len == 0 || len >= sizeof over->name)
        return jobq_fail(err, JOBQ_INVALID, "--over is NAME=V1,V2,..., not '%.60s'",
                         text);
    memcpy(over->name, text, len);
    over->name[len] = '\0';
    for (const char *p = equals + 1;; p++) {
        size_t value = strcspn(p, ",");
        if (value == 0 || value >= 32 || over->count == 32)
            return jobq_fail(err, JOBQ_INVALID,
                             "--over %s: 1..32 values of at most 31 bytes", over->name);
        over->value[over->count] = p;
        over->length[over->count++] = (int)value;
        p += value;
        if (!*p)
            return JOBQ_OK;
    }
}

/* One combination: its sheet, scenario and cost. */
static int fill(struct cost *cli, const struct over *over, int axes, int index,
                double memory_bytes, struct row *row, struct jobq_error *err)
{
    const char *region = cli->region, *date = cli->date;
    row->scenario = cli->scenario;
    for (int i = axes - 1; i >= 0; i--) {
        int at = index % over[i].count;
        index /= over[i].count;
        memcpy(row->label[i], over[i].value[at], (size_t)over[i].length[at]);
        row->label[i][over[i].length[at]] = '\0';
        if (strcmp(over[i].name, "region") == 0)
            region = row->label[i];
        else if (strcmp(over[i].name, "date") == 0)
            date = row->label[i];
        else if (strcmp(over[i].name, "engine") == 0) {
            int engine = engine_find(row->label[i]);
            if (engine < 0)
                return jobq_fail(err, JOBQ_INVALID,
                                 "--engine: '%s' is not ec2, fargate or lambda",
                                 row->label[i]);
            row->engine = (enum engine)engine;
        } else if (predict_set(&row->scenario, over[i].name, row->label[i], err)) {
            if (err->code == JOBQ_NOT_FOUND)
                err->code = JOBQ_INVALID;
            return jobq_wrap(err, "--over");
        }
    }
    int code = cost_sheet(cli, region, date, &row->sheet, err);
    if (code)
        return code;
    cost_era(cli, row->sheet, &row->scenario);
    code = cost_formula(cli, row->scenario.era, err);
    if (!code) {
        const struct predict_scenario *sc = &row->scenario;
        struct evaluate_context context = {row->sheet, &cli->bill, cli->formula};
        code =
            engine_evaluate(&context, sc, row->engine, memory_bytes,
                            sc->jobs > 0 ? sc->jobs : cli->interval_jobs, &row->e, err);
    }
    if (code == JOBQ_LIMIT && row->engine != ENGINE_EC2) {
        row->refused = true;
        row->why = *err;
        return JOBQ_OK;
    }
    return code
               ? jobq_wrap(err, "%s %s", sheet_region(row->sheet), sheet_date(row->sheet))
               : JOBQ_OK;
}

static struct cost_table *rows_table(const struct over *over, int axes,
                                     const struct row *rows, int count)
{
    static const char *head[AXES_MAX + 7], *key[AXES_MAX + 7];
    static const char *const tail_head[] = {"#$/million", "#95 %% from", "#to",
                                            "#calls",     "#storage",    "#cpu"};
    static const char *const tail_key[] = {"usd_per_million", "low",     "high",
                                           "service_calls",   "storage", "cpu"};
    char shown[40];
    for (int i = 0; i < axes; i++)
        head[i] = key[i] = over[i].name;
    for (int i = 0; i < 6; i++) {
        head[axes + i] = i == 1 ? "#95% from" : tail_head[i];
        key[axes + i] = tail_key[i];
    }
    struct cost_table *table = cost_table_new(head, key, axes + 6);
    for (int i = 0; i < count; i++) {
        const struct evaluation *e = &rows[i].e;
        for (int j = 0; j < axes; j++)
            cost_table_text(table, rows[i].label[j]);
        for (int j = 0; j < 6 && rows[i].refused; j++)
            cost_table_number(table, (double)NAN, "-");
        if (rows[i].refused)
            continue;
        double scale = 1e6 / e->jobs;
        const double *part = e->bill.component_usd;
        double low, high;
        evaluation_interval(e, &low, &high);
        double value[] = {e->usd_per_million,
                          low,
                          high,
                          part[BILL_SERVICE_CALLS] * scale,
                          part[BILL_STORAGE] * scale,
                          (part[BILL_CPU] + part[BILL_BOOT] + part[BILL_IDLE]) * scale};
        for (int j = 0; j < 6; j++)
            cost_table_number(table, value[j],
                              cost_usd_cell(value[j], shown, sizeof shown));
    }
    return table;
}

/* ---- break-even ---------------------------------------------------------------------------- */

static double cost_at(struct cost *cli, const struct row *row, enum predict_input input,
                      double value, double memory_bytes, struct jobq_ledger *scratch)
{
    struct evaluate_context context = {row->sheet, &cli->bill, cli->formula};
    struct predict_scenario sc = row->scenario;
    struct evaluation e;
    struct jobq_error err;
    double usd;
    predict_put(&sc, input, value);
    if (row->engine == ENGINE_EC2)
        return evaluate_point(&context, &sc, scratch, &usd, NULL, NULL, &err)
                   ? (double)NAN
                   : usd;
    if (engine_evaluate(&context, &sc, row->engine, memory_bytes, 1e4, &e, &err))
        return (double)NAN;
    usd = e.usd_per_million;
    evaluation_release(&e);
    return usd;
}

static void join_label(const struct row *row, int axes, char *out, size_t cap)
{
    size_t len = 0;
    out[0] = '\0';
    for (int i = 0; i < axes && len + 34 < cap; i++)
        len +=
            (size_t)snprintf(out + len, cap - len, "%s%s", i ? " " : "", row->label[i]);
}

/* Crossings of two cost curves on 96 steps of a log scale, each refined by bisection. */
static void cross_pair(struct cost *cli, const struct row *a, const struct row *b,
                       enum predict_input input, double low, double high, int axes,
                       double memory_bytes, struct jobq_ledger *scratch,
                       struct cost_table *table)
{
    double start = low > 0 ? low : high * 1e-6, before = 0, at_before = 0;
    char label[AXES_MAX * 34], shown[40];
    for (int i = 0; i <= 96; i++) {
        double at = start * pow(high / start, i / 96.0);
        double gap = cost_at(cli, a, input, at, memory_bytes, scratch) -
                     cost_at(cli, b, input, at, memory_bytes, scratch);
        if (i > 0 && isfinite(gap) && isfinite(before) && (gap > 0) != (before > 0) &&
            before != 0) {
            double x = at_before, y = at;
            for (int j = 0; j < 50; j++) {
                double mid = (x + y) / 2;
                double g = cost_at(cli, a, input, mid, memory_bytes, scratch) -
                           cost_at(cli, b, input, mid, memory_bytes, scratch);
                if ((g > 0) == (before > 0))
                    x = mid;
                else
                    y = mid;
            }
            join_label(before > 0 ? b : a, axes, label, sizeof label);
            cost_table_text(table, label);
            double unit = pow(10, floor(log10(y)) - 2); /* three digits */
            cost_table_number(
                table, y,
                predict_input_text(input, round(y / unit) * unit, shown, sizeof shown));
            join_label(before > 0 ? a : b, axes, label, sizeof label);
            cost_table_text(table, label);
            double usd = cost_at(cli, a, input, y, memory_bytes, scratch);
            cost_table_number(table, usd, cost_usd_cell(usd, shown, sizeof shown));
        }
        before = gap;
        at_before = at;
    }
}

static int break_even(struct cost *cli, const char *text, const struct row *rows,
                      int count, int axes, double memory_bytes, struct cost_table **out,
                      struct jobq_error *err)
{
    static const char *head[] = {"cheaper below", "#at", "cheaper above", "#$/million"};
    static const char *const key[] = {"below", "at", "above", "usd_per_million"};
    static char unit[40];
    char name[24], low_text[40];
    const char *equals = strchr(text, '='), *dots = equals ? strstr(equals, "..") : NULL;
    if (!dots || (size_t)(equals - text) >= sizeof name ||
        (size_t)(dots - equals - 1) >= sizeof low_text)
        return jobq_fail(err, JOBQ_INVALID, "--break-even is NAME=LOW..HIGH, not '%.60s'",
                         text);
    memcpy(name, text, (size_t)(equals - text));
    name[equals - text] = '\0';
    memcpy(low_text, equals + 1, (size_t)(dots - equals - 1));
    low_text[dots - equals - 1] = '\0';
    int input = predict_input_find(name);
    struct predict_scenario low = cli->scenario, high = low;
    if (input < 0)
        return jobq_fail(err, JOBQ_INVALID, "--break-even: '%s' is no numeric option",
                         name);
    if (predict_set(&low, name, low_text, err) || predict_set(&high, name, dots + 2, err))
        return err->code;
    double from = predict_get(&low, (enum predict_input)input);
    double to = predict_get(&high, (enum predict_input)input);
    if (!(from >= 0 && from < to))
        return jobq_fail(err, JOBQ_INVALID, "--break-even: '%.60s' is no range",
                         equals + 1);
    snprintf(unit, sizeof unit, "#%s", name);
    head[1] = unit;
    *out = cost_table_new(head, key, 4);
    struct jobq_ledger *scratch = xcalloc(1, sizeof *scratch);
    for (int i = 0; i < count && i < 20; i++)
        for (int j = i + 1; j < count && j < 20; j++)
            cross_pair(cli, &rows[i], &rows[j], (enum predict_input)input, from, to, axes,
                       memory_bytes, scratch, *out);
    jobq_ledger_release(scratch);
    free(scratch);
    return JOBQ_OK;
}

/* ---- compare --------------------------------------------------------------------------------- */

static void print_refusals(const struct row *row, int count, int axes)
{
    char label[AXES_MAX * 34];
    for (int i = 0; i < count; i++)
        if (row[i].refused) {
            join_label(&row[i], axes, label, sizeof label);
            printf("%s: %s\n", label, row[i].why.text);
        }
}

static void compare_print(struct cost *cli, struct cost_table *rows,
                          struct cost_table *even, const struct row *row, int count,
                          int axes)
{
    char label[AXES_MAX * 34];
    if (cli->json) {
        json_t *root = json_object();
        json_object_set_new(root, "schema", json_string("jobq.compare/1"));
        json_object_set_new(root, "rows", cost_table_json(rows));
        if (even)
            json_object_set_new(root, "break_even", cost_table_json(even));
        json_t *refused = json_object();
        for (int i = 0; i < count; i++)
            if (row[i].refused) {
                join_label(&row[i], axes, label, sizeof label);
                json_object_set_new(refused, label, json_string(row[i].why.text));
            }
        json_object_set_new(root, "refused", refused);
        json_object_set_new(root, "formula", json_string(cli->formula_name));
        cost_print_json(root);
    } else if (cli->csv) {
        cost_table_print_csv(even ? even : rows, stdout);
    } else {
        cost_table_print(rows, stdout);
        print_refusals(row, count, axes);
        if (even && cost_table_rows(even) > 0) {
            fputs("\nbreak-even:\n", stdout);
            cost_table_print(even, stdout);
        } else if (even) {
            fputs("\nbreak-even: none of these crosses another on that range\n", stdout);
        }
    }
}

static int run_compare(struct cost *cli)
{
    struct cost_many many = {0};
    const char *even_text = NULL;
    const char *engines = NULL, *memory = NULL;
    double memory_bytes = MEMORY_DEFAULT_BYTES;
    struct cost_target options[] = {{COST_MANY, &many},
                                    {COST_TEXT, &even_text},
                                    {COST_TEXT, &engines},
                                    {COST_TEXT, &memory}};
    char engine_axis[120];
    struct over over[AXES_MAX] = {0};
    struct jobq_error err;
    int code = cost_parse(cli, options);
    if (code >= 0)
        return code;
    if (memory) {
        int64_t bytes;
        if (jobq_parse_size(memory, &bytes, &err))
            return jobq_wrap(&err, "--engine-memory"), cost_fail(cli, &err);
        if (bytes < 1)
            return cost_usage(cli, "--engine-memory must be more than 0");
        memory_bytes = (double)bytes;
    }
    if (engines && many.count < COST_MANY_MAX) {
        snprintf(engine_axis, sizeof engine_axis, "engine=%s", engines);
        many.text[many.count++] = engine_axis;
    }
    if (many.count == 0 || many.count > AXES_MAX)
        return cost_usage(cli,
                          "give --engine LIST, or --over NAME=V1,V2,... one to %d times",
                          AXES_MAX);
    int count = 1, filled = 0, axes = many.count;
    for (int i = 0; i < axes; i++) {
        if (read_over(&over[i], many.text[i], &err))
            return cost_fail(cli, &err);
        count *= over[i].count;
        cli->instance_given |= strcmp(over[i].name, "instance") == 0;
        if (count > ROWS_MAX)
            return cost_usage(cli, "more than %d combinations", ROWS_MAX);
    }
    struct row *rows = xcalloc((size_t)count, sizeof *rows);
    struct cost_table *even = NULL;
    code = JOBQ_OK;
    while (filled < count && !code) {
        code = fill(cli, over, axes, filled, memory_bytes, &rows[filled], &err);
        if (!code && !rows[filled].refused)
            cost_warn_prices(cli, rows[filled].sheet, &rows[filled].e.bill);
        filled += !code;
    }
    if (!code && even_text)
        code = break_even(cli, even_text, rows, count, axes, memory_bytes, &even, &err);
    if (!code) {
        struct cost_table *table = rows_table(over, axes, rows, count);
        compare_print(cli, table, even, rows, count, axes);
        cost_table_free(table);
    }
    if (even)
        cost_table_free(even);
    for (int i = 0; i < filled; i++)
        if (!rows[i].refused)
            evaluation_release(&rows[i].e);
    free(rows);
    return code ? cost_fail(cli, &err) : COST_OK;
}

const struct cost_command cost_compare = {
    "compare",       "regions, dates, types, stores side by side",
    COMPARE_HELP,    run_compare,
    COMPARE_OPTIONS, COST_SCENARIO | COST_PRICES | COST_FORMULA};

/* ---- check ------------------------------------------------------------------------------------ */

static const char CHECK_HELP[] =
    "  jobqcost check --max-per-million 12 --job-time 1s --instance t4g.nano\n"
    "  jobqcost eval --json ... >base.json; jobqcost check --max-increase 5% \\\n"
    "      --baseline base.json ...\n\n"
    "Reports the cost, then exits 3 if it is over a limit (0 if not): a gate for a\n"
    "build.\n";
static const struct option_def CHECK_OPTIONS[] = {
    {"max-per-million", 0, "USD", "of a million jobs"},
    {"max-total", 0, "USD", "limit for the run of --jobs on --boxes"},
    {"max-increase", 0, "SHARE",
     "limit of the increase over the baseline's per_million_usd, such as 5%"},
    {"baseline", 0, "FILE", "a file of jobqcost eval --json"},
    {"markdown", 0, NULL, "write a Markdown table, for a pull request"},
    {NULL, 0, NULL, NULL}};

struct gate {
    const char *name;
    double value, limit;
};

static int baseline_usd(const char *path, double *out, struct jobq_error *err)
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
    const json_t *usd = json_object_get(root, "per_million_usd");
    if (!schema || strcmp(schema, "jobq.cost/1") != 0 || !json_is_number(usd) ||
        !(json_number_value(usd) > 0))
        code = jobq_fail(err, JOBQ_INVALID, "%s: not a jobq.cost/1 with per_million_usd",
                         path);
    else
        *out = json_number_value(usd);
    json_decref(root);
    return code;
}

static void print_gates(struct cost *cli, const struct evaluation *e,
                        const struct gate *gate, int gates, bool markdown, bool over)
{
    char a[40], b[40], c[40];
    double low, high;
    evaluation_interval(e, &low, &high);
    if (cli->json) {
        json_t *root = json_object(), *list = json_array();
        json_object_set_new(root, "schema", json_string("jobq.check/1"));
        json_object_set_new(root, "per_million_usd", json_real(e->usd_per_million));
        for (int i = 0; i < gates; i++) {
            json_t *one = json_object();
            json_object_set_new(one, "gate", json_string(gate[i].name));
            json_object_set_new(one, "value", json_real(gate[i].value));
            json_object_set_new(one, "limit", json_real(gate[i].limit));
            json_object_set_new(one, "passed",
                                json_boolean(gate[i].value <= gate[i].limit));
            json_array_append_new(list, one);
        }
        json_object_set_new(root, "gates", list);
        json_object_set_new(root, "passed", json_boolean(!over));
        cost_print_json(root);
        return;
    }
    if (markdown)
        fputs("| gate | value | limit | |\n|---|---|---|---|\n", stdout);
    else
        printf("%s per million jobs  (95 %%: %s .. %s)\n",
               cost_usd(e->usd_per_million, a, 40), cost_usd(low, b, 40),
               cost_usd(high, c, 40));
    for (int i = 0; i < gates; i++) {
        bool share = strcmp(gate[i].name, "increase") == 0, ok;
        ok = gate[i].value <= gate[i].limit;
        if (share) {
            snprintf(a, sizeof a, "%+.2f %%", 100 * gate[i].value);
            snprintf(b, sizeof b, "%.2f %%", 100 * gate[i].limit);
        } else {
            cost_usd(gate[i].value, a, 40);
            cost_usd(gate[i].limit, b, 40);
        }
        printf(markdown ? "| %s | %s | %s | %s |\n" : "%-12s %12s  limit %12s  %s\n",
               gate[i].name, a, b, ok ? "passed" : "EXCEEDED");
    }
}

static int run_check(struct cost *cli)
{
    double per_million = (double)NAN, total = (double)NAN, increase = (double)NAN,
           base = 0;
    const char *baseline = NULL;
    bool markdown = false, over = false;
    struct cost_target options[] = {{COST_NUMBER, &per_million},
                                    {COST_NUMBER, &total},
                                    {COST_NUMBER, &increase},
                                    {COST_TEXT, &baseline},
                                    {COST_FLAG, &markdown}};
    struct jobq_error err;
    struct sheet *sheet;
    struct evaluation e;
    struct gate gate[3];
    int gates = 0;
    int code = cost_parse(cli, options);
    if (code >= 0)
        return code;
    if (isnan(per_million) && isnan(total) && isnan(increase))
        return cost_usage(cli, "give --max-per-million, --max-total or --max-increase");
    if (!isnan(increase) != (baseline != NULL))
        return cost_usage(cli, "--max-increase and --baseline go together");
    if (!isnan(total) && !(cli->scenario.jobs > 0))
        return cost_usage(cli, "--max-total needs --jobs and --boxes");
    if ((baseline && baseline_usd(baseline, &base, &err)) ||
        cost_sheet(cli, cli->region, cli->date, &sheet, &err))
        return cost_fail(cli, &err);
    cost_era(cli, sheet, &cli->scenario);
    if (cost_formula(cli, cli->scenario.era, &err) ||
        cost_evaluate(cli, sheet, &cli->scenario, &e, &err))
        return cost_fail(cli, &err);
    if (!isnan(per_million))
        gate[gates++] = (struct gate){"per million", e.usd_per_million, per_million};
    if (!isnan(total))
        gate[gates++] = (struct gate){"total", e.bill.usd, total};
    if (!isnan(increase))
        gate[gates++] = (struct gate){"increase", e.usd_per_million / base - 1, increase};
    for (int i = 0; i < gates; i++)
        over |= !(gate[i].value <= gate[i].limit);
    cost_warn_prices(cli, sheet, &e.bill);
    print_gates(cli, &e, gate, gates, markdown, over);
    evaluation_release(&e);
    if (over) {
        fflush(stdout);
        fprintf(stderr, "jobqcost check: over the limit\n");
    }
    return over ? COST_GATE : COST_OK;
}

const struct cost_command cost_check = {
    "check",       "exit 3 when a job costs too much",        CHECK_HELP, run_check,
    CHECK_OPTIONS, COST_SCENARIO | COST_PRICES | COST_FORMULA};
