/* solve.c - jobqcost solve and optimise: which settings, for which cost.
 *
 * Room:     src/cost, jobqcost's command line; does I/O. */
#include "cost/cmd/shared.h"
#include "cost/search/search.h"

#include "base/arena.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SHOWN_MAX 50

static const char SOLVE_HELP[] =
    "  jobqcost solve --target 1.00\n"
    "  jobqcost solve --target 1.00 --free batch,store,instance --job-time 10ms\n"
    "  jobqcost solve --target 1 --free job-time=1ms..10s --instance t4g.nano \\\n"
    "                 --store none\n"
    "  jobqcost solve --target 5 --free concurrency,instance=t4g.nano+c7g.medium\n\n"
    "What gets a million jobs to --target dollars: the settings that reach it,\n"
    "cheapest first, or the component that binds and the least cost that is\n"
    "reachable. For a range of a numeric variable alone also the exact point where\n"
    "the cost crosses the target.\n\n"
    "More than 60,000 combinations are searched by coordinate descent, and the output\n"
    "says so.\n";
static const struct option_def SOLVE_OPTIONS[] = {
    {"target", 0, "USD", "per million jobs"},
    {"free", 0, "LIST",
     "variables to choose, separated by commas: NAME takes its usual values, NAME=V1+V2 "
     "those, NAME=LOW..HIGH 16 of that range; any setting may be free "
     "(batch, prefetch, concurrency, wait, visibility, instance, spot; without the last "
     "two if "
     "--instance is none)"},
    {"top", 0, "N", "rows to show; 1 to 50 (10)"},
    {NULL, 0, NULL, NULL}};

static const char OPTIMISE_HELP[] =
    "  jobqcost optimise --arrivals 50/s --job-time exp:200ms --p95-wait 2s\n"
    "  jobqcost optimise --jobs 1M --job-time 1s --cpu-share 1 --deadline 1h\n"
    "  jobqcost optimise --jobs 100k --deadline 30min \\\n"
    "                    --free boxes,instance=all,concurrency\n\n"
    "The least cost under a limit, over instance type, concurrency, boxes, batch,\n"
    "prefetch, wait, visibility and spot (or the variables of --free).\n\n"
    "Spot prices are looked up in the sheet: types without one are not considered as\n"
    "spot (--price ec2-spot.TYPE=USD gives one).\n";
static const struct option_def OPTIMISE_OPTIONS[] = {
    {"p95-wait", 0, "T",
     "95 of 100 jobs start within T of their enqueue; needs --arrivals"},
    {"deadline", 0, "T", "the run of --jobs N is done, boot included; needs --jobs"},
    {"free", 0, "LIST",
     "variables to choose, separated by commas: NAME takes its usual values, NAME=V1+V2 "
     "those, NAME=LOW..HIGH 16 of that range; any setting may be free "
     "(instance, concurrency, boxes, batch, prefetch, wait, visibility, spot)"},
    {"top", 0, "N", "rows to show; 1 to 50 (10)"},
    {NULL, 0, NULL, NULL}};

struct plan {
    struct cost *cli;
    struct sheet *sheet;
    struct search_axis axis[SEARCH_AXES_MAX];
    int axes;
    struct search_limits limits;
    struct search_result result[SHOWN_MAX];
    int count, shown;
    struct search_summary summary;
};

static void plan_release(struct plan *plan)
{
    for (int i = 0; i < plan->axes; i++)
        search_axis_release(&plan->axis[i]);
}

/* "a,b=1+2,c=1..9": values of one variable are joined by '+', since ',' parts variables. */
static int read_free(struct plan *plan, const char *list, struct jobq_error *err)
{
    for (const char *p = list;; p++) {
        char one[200];
        size_t len = strcspn(p, ",");
        if (len >= sizeof one)
            return jobq_fail(err, JOBQ_INVALID, "--free is too long at '%.20s'", p);
        memcpy(one, p, len);
        one[len] = '\0';
        for (char *plus = strchr(one, '='); plus && *plus; plus++)
            if (*plus == '+')
                *plus = ',';
        if (plan->axes == SEARCH_AXES_MAX)
            return jobq_fail(err, JOBQ_LIMIT, "more than %d free variables",
                             SEARCH_AXES_MAX);
        int code = search_axis_parse(one, &plan->cli->scenario, plan->sheet,
                                     &plan->axis[plan->axes], err);
        if (code)
            return jobq_wrap(err, "--free");
        plan->axes++;
        p += len;
        if (!*p)
            return JOBQ_OK;
    }
}

static int solve_prepare(struct plan *plan, const char *free_list, struct jobq_error *err)
{
    struct cost *cli = plan->cli;
    if (cost_sheet(cli, cli->region, cli->date, &plan->sheet, err))
        return err->code;
    cost_era(cli, plan->sheet, &cli->scenario);
    int code = cost_formula(cli, cli->scenario.era, err);
    return code ? code : read_free(plan, free_list, err);
}

static int search(struct plan *plan, struct jobq_error *err)
{
    struct evaluate_context context = {plan->sheet, &plan->cli->bill, plan->cli->formula};
    plan->count =
        search_run(&context, &plan->cli->scenario, plan->axis, plan->axes, &plan->limits,
                   plan->result, plan->shown, &plan->summary, err);
    return plan->count;
}

/* ---- output -------------------------------------------------------------------------------- */

static enum bill_component largest(const struct search_result *result)
{
    int at = 0;
    for (int i = 1; i < BILL_COMPONENT_COUNT; i++)
        if (result->component[i] > result->component[at])
            at = i;
    return (enum bill_component)at;
}

/* When a job's status can be asked for. */
static const char *solve_status(const struct search_result *result)
{
    static const char *const when[] = {"always", "once claimed", "once ended", "never"};
    return when[result->store == PREDICT_NO_STORE ? PREDICT_ROWS_NONE : result->rows];
}

static struct cost_table *results_table(const struct plan *plan, int shown_rows)
{
    static const char *head[SEARCH_AXES_MAX + 4], *key[SEARCH_AXES_MAX + 4];
    int columns = 0;
    char shown[40];
    head[columns] = "#$/million";
    key[columns++] = "usd_per_million";
    for (int i = 0; i < plan->axes; i++) {
        head[columns] = plan->axis[i].option;
        key[columns++] = plan->axis[i].option;
    }
    head[columns] = "largest part";
    key[columns++] = "largest_component";
    bool rows = false;
    for (int i = 0; i < plan->axes; i++)
        rows |= strcmp(plan->axis[i].option, "store") == 0 ||
                strcmp(plan->axis[i].option, "rows") == 0;
    if (rows) {
        head[columns] = "status";
        key[columns++] = "status";
    }
    bool waits = isfinite(plan->result[0].p95_wait_s);
    bool runs = isfinite(plan->result[0].makespan_s);
    if (waits || runs) {
        head[columns] = waits ? "#p95 wait s" : "#done in s";
        key[columns++] = waits ? "p95_wait_s" : "makespan_s";
    }
    struct cost_table *table = cost_table_new(head, key, columns);
    for (int i = 0; i < shown_rows; i++) {
        const struct search_result *result = &plan->result[i];
        cost_table_number(table, result->per_million,
                          cost_usd_cell(result->per_million, shown, sizeof shown));
        for (int j = 0; j < plan->axes; j++)
            cost_table_text(table, plan->axis[j].text[result->choice[j]]);
        cost_table_text(table, bill_component_name(largest(result)));
        if (rows)
            cost_table_text(table, solve_status(result));
        if (waits || runs) {
            double value = waits ? result->p95_wait_s : result->makespan_s;
            cost_table_number(table, value, cost_si(value, shown, sizeof shown));
        }
    }
    return table;
}

static json_t *plan_json(const struct plan *plan, const char *schema, int rows)
{
    json_t *root = json_object();
    struct cost_table *table = results_table(plan, rows);
    json_object_set_new(root, "schema", json_string(schema));
    json_object_set_new(root, "results", cost_table_json(table));
    json_object_set_new(root, "combinations", json_real(plan->summary.combinations));
    json_object_set_new(root, "evaluated", json_integer(plan->summary.evaluated));
    json_object_set_new(root, "refused", json_integer(plan->summary.refused));
    json_object_set_new(root, "over_limit", json_integer(plan->summary.over_limit));
    json_object_set_new(root, "whole_grid", json_boolean(plan->summary.whole));
    json_object_set_new(root, "sheet", cost_sheet_json(plan->sheet));
    json_object_set_new(root, "formula", json_string(plan->cli->formula_name));
    cost_table_free(table);
    return root;
}

static void print_summary(const struct plan *plan)
{
    const struct search_summary *s = &plan->summary;
    char title[120];
    printf("\n%.0f combinations, %s; %lld not possible, %lld over the limit\n"
           "prices %s; formula %s\n",
           s->combinations,
           s->whole ? "all tried" : "searched by coordinate descent: a local best",
           (long long)s->refused, (long long)s->over_limit,
           cost_sheet_title(plan->sheet, title, sizeof title), plan->cli->formula_name);
}

static void print_rows(const struct plan *plan, int rows)
{
    struct cost_table *table = results_table(plan, rows);
    if (plan->cli->csv)
        cost_table_print_csv(table, stdout);
    else
        cost_table_print(table, stdout);
    cost_table_free(table);
}

static void warn_best(struct plan *plan)
{
    struct predict_scenario best;
    struct evaluation e;
    struct jobq_error err;
    search_apply(&plan->cli->scenario, plan->axis, plan->axes, plan->result[0].choice,
                 &best);
    if (cost_evaluate(plan->cli, plan->sheet, &best, &e, &err))
        return;
    cost_warn_prices(plan->cli, plan->sheet, &e.bill);
    evaluation_release(&e);
}

/* ---- solve --------------------------------------------------------------------------------- */

/* A single numeric variable: where it crosses the target. */
static bool crossing(const struct plan *plan, double target, char *out, int cap)
{
    struct evaluate_context context = {plan->sheet, &plan->cli->bill, plan->cli->formula};
    int input = plan->axes == 1 ? predict_input_find(plan->axis[0].option) : -1;
    if (input < 0)
        return false;
    const struct search_axis *axis = &plan->axis[0];
    for (int i = 0; i + 1 < axis->count; i++) {
        struct predict_scenario low = plan->cli->scenario, high = low;
        struct jobq_error err;
        double value;
        predict_set(&low, axis->option, axis->text[i], &err);
        predict_set(&high, axis->option, axis->text[i + 1], &err);
        if (search_cross(&context, &low, (enum predict_input)input,
                         predict_get(&low, (enum predict_input)input),
                         predict_get(&high, (enum predict_input)input), target, &value)) {
            if (input == PREDICT_JOB_TIME && value > 1e-6) {
                /* Rounded to three digits: nine digits of a duration are no help. */
                double unit = pow(10, floor(log10(value)) - 3);
                value = floor(value / unit) * unit;
            }
            predict_input_text((enum predict_input)input, value, out, cap);
            return true;
        }
    }
    return false;
}

static int print_solution(struct plan *plan, double target)
{
    char a[40], b[40], at[40];
    int reach = 0;
    while (reach < plan->count && plan->result[reach].per_million <= target)
        reach++;
    bool crosses = crossing(plan, target, at, sizeof at);
    const struct search_result *best = &plan->result[0];
    if (plan->cli->json) {
        json_t *root = plan_json(plan, "jobq.solve/1", reach ? reach : 1);
        json_object_set_new(root, "target_per_million_usd", json_real(target));
        json_object_set_new(root, "reached", json_boolean(reach > 0));
        json_object_set_new(root, "least_per_million_usd", json_real(best->per_million));
        json_object_set_new(root, "binding_component",
                            json_string(bill_component_name(largest(best))));
        if (crosses) {
            json_object_set_new(root, "crosses_at", json_string(at));
        }
        cost_print_json(root);
        return COST_OK;
    }
    if (plan->cli->csv) {
        print_rows(plan, reach ? reach : 1);
        return COST_OK;
    }
    if (reach) {
        printf("%s per million is reached, cheapest first:\n\n", cost_usd(target, a, 40));
        print_rows(plan, reach);
    } else {
        printf("%s per million is out of reach; the least is %s, of which %s is %s:\n\n",
               cost_usd(target, a, 40), cost_usd(best->per_million, b, 40),
               bill_component_name(largest(best)),
               cost_usd(best->component[largest(best)], at, 40));
        print_rows(plan, 1);
        fputc('\n', stdout);
        struct cost_table *table = cost_components(best->component, 1);
        cost_table_print(table, stdout);
        cost_table_free(table);
    }
    if (crosses)
        printf("\nthe target is crossed at %s %s\n", plan->axis[0].option, at);
    print_summary(plan);
    return COST_OK;
}

static int begin(struct cost *cli, struct plan *plan, const struct cost_target *options,
                 double *top)
{
    int code = cost_parse(cli, options);
    if (code >= 0)
        return code;
    if (cli->argument_count)
        return cost_usage(cli, "takes no argument '%.40s'", cli->argument[0]);
    if (!(*top >= 1 && *top <= SHOWN_MAX))
        return cost_usage(cli, "--top is 1..%d", SHOWN_MAX);
    plan->cli = cli;
    plan->shown = (int)*top;
    plan->limits.max_p95_wait_s = plan->limits.deadline_s = (double)INFINITY;
    return -1;
}

static int run_solve(struct cost *cli)
{
    double target = -1, top = 10;
    const char *free_list = NULL;
    struct cost_target options[] = {
        {COST_NUMBER, &target}, {COST_TEXT, &free_list}, {COST_NUMBER, &top}};
    struct jobq_error err;
    struct plan *plan = xcalloc(1, sizeof *plan);
    int code = begin(cli, plan, options, &top);
    if (code < 0 && !(target >= 0))
        code = cost_usage(cli, "--target USD is needed: dollars per million jobs");
    if (code < 0 && !free_list)
        free_list = strcmp(cli->scenario.instance, "none") == 0
                        ? "batch,prefetch,concurrency,wait,visibility"
                        : "batch,prefetch,concurrency,wait,visibility,instance,spot";
    if (code < 0) {
        if (solve_prepare(plan, free_list, &err) || search(plan, &err) < 0) {
            code = cost_fail(cli, &err);
        } else {
            warn_best(plan);
            code = print_solution(plan, target);
        }
    }
    plan_release(plan);
    free(plan);
    return code;
}

const struct cost_command cost_solve = {
    "solve",       "settings that reach a target cost",       SOLVE_HELP, run_solve,
    SOLVE_OPTIONS, COST_SCENARIO | COST_PRICES | COST_FORMULA};

/* ---- optimise -------------------------------------------------------------------------------- */

static int run_optimise(struct cost *cli)
{
    double top = 10, wait_s = -1, deadline_s = -1;
    const char *free_list =
        "instance,concurrency,boxes,batch,prefetch,wait,visibility,spot";
    struct cost_target options[] = {{COST_DURATION, &wait_s},
                                    {COST_DURATION, &deadline_s},
                                    {COST_TEXT, &free_list},
                                    {COST_NUMBER, &top}};
    struct jobq_error err;
    struct plan *plan = xcalloc(1, sizeof *plan);
    int code = begin(cli, plan, options, &top);
    if (code < 0 && wait_s < 0 && deadline_s < 0)
        code = cost_usage(cli, "--p95-wait T or --deadline T is needed");
    if (code < 0 && wait_s >= 0 && !(cli->scenario.arrivals_per_s > 0))
        code = cost_usage(cli, "--p95-wait needs --arrivals R/s");
    if (code < 0 && deadline_s >= 0 && !scenario_given(&cli->settings, "jobs"))
        code = cost_usage(cli, "--deadline needs --jobs N");
    if (code < 0) {
        if (wait_s >= 0)
            plan->limits.max_p95_wait_s = wait_s;
        if (deadline_s >= 0) {
            plan->limits.deadline_s = deadline_s;
            cli->scenario.jobs = cli->interval_jobs;
        }
        if (solve_prepare(plan, free_list, &err) || search(plan, &err) < 0) {
            code = cost_fail(cli, &err);
        } else {
            warn_best(plan);
            if (cli->json) {
                cost_print_json(plan_json(plan, "jobq.optimise/1", plan->count));
            } else {
                print_rows(plan, plan->count);
                if (!cli->csv)
                    print_summary(plan);
            }
            code = COST_OK;
        }
    }
    plan_release(plan);
    free(plan);
    return code;
}

const struct cost_command cost_optimise = {
    "optimise",       "the least cost under a limit",
    OPTIMISE_HELP,    run_optimise,
    OPTIMISE_OPTIONS, COST_SCENARIO | COST_PRICES | COST_FORMULA};
