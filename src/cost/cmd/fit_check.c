/* fit_check.c - predicted against simulated, point by point. See fit_check.h.
 *
 * Room:     src/cost, jobqcost's command line; does I/O.
 * Units:    shares of the simulated dollars. */
#include "cost/cmd/fit_check.h"

#include "base/arena.h"
#include "cost/bill/sweep_price.h"
#include "cost/fit/fit.h"
#include "cost/fit/table.h"

#include <gsl/gsl_sort.h>
#include <gsl/gsl_statistics.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { WORST = 20 };
#define NARROW 0.15 /* half width of an interval that is of use */

struct check_point {
    struct predict_scenario scenario;
    size_t row;
    double error; /* predicted over simulated, less 1 */
    double usd, seen;
    double half_width;
    bool covered, refused;
};

struct check {
    struct check_point *point;
    size_t count, priced; /* those that were not refused come first once sorted */
    double covered, narrow, p50, p95;
};

/* ---- one point ------------------------------------------------------------------------ */

static double check_number(const struct table *sweep, size_t row, const char *column)
{
    int index = table_find(sweep, column);
    return index < 0 ? 0 : table_number(sweep, row, index);
}

/* Half the 95 % interval of the simulated dollars: they are a mean over replications, which
 * differ by when the last job ends. */
static double check_seen_half(const struct table *sweep, size_t row,
                              const struct bill *bill)
{
    double instance_s = check_number(sweep, row, "instance_busy") +
                        check_number(sweep, row, "instance_idle") +
                        check_number(sweep, row, "instance_boot");
    double error_s = check_number(sweep, row, "se.instance_idle");
    double usd = bill->component_usd[BILL_CPU] + bill->component_usd[BILL_IDLE] +
                 bill->component_usd[BILL_BOOT];
    double reps = check_number(sweep, row, "reps");
    return instance_s > 0 && reps >= 2
               ? formula_t95(reps - 1) * error_s / instance_s * usd
               : 0;
}

static int check_point(struct cost *cli, const struct sheet *sheet,
                       const struct table *sweep, struct check_point *p,
                       struct jobq_ledger *ledger, struct jobq_error *err)
{
    struct bill bill;
    struct evaluation value;
    bill_init(&bill);
    jobq_ledger_init(ledger);
    int code = fit_scenario(sweep, p->row, &p->scenario, err);
    if (!code)
        code = sweep_price(sweep, p->row, false, sheet, &cli->bill, ledger, &bill, err);
    p->seen = bill.usd;
    double seen_half = check_seen_half(sweep, p->row, &bill);
    bill_release(&bill);
    jobq_ledger_release(ledger);
    if (code)
        return code;
    cli->interval_jobs = p->scenario.jobs;
    code = cost_evaluate(cli, sheet, &p->scenario, &value, err);
    if (code == JOBQ_LIMIT) {
        fprintf(stderr, "point %zu refused: %s\n", p->row, err->text);
        p->refused = true;
        return JOBQ_OK;
    }
    if (code)
        return code;
    p->usd = value.usd_per_million;
    p->error = p->usd / p->seen - 1;
    p->covered = fabs(p->usd - p->seen) <=
                 hypot((value.high_per_million - value.low_per_million) / 2, seen_half);
    p->half_width = (value.high_per_million - value.low_per_million) / 2 / p->usd;
    evaluation_release(&value);
    return JOBQ_OK;
}

/* ---- what points have in common --------------------------------------------------------- */

static bool is_at_once(const struct predict_scenario *s)
{
    return s->arrivals_per_s <= 0;
}
static bool is_arrivals(const struct predict_scenario *s)
{
    return s->arrivals_per_s > 0;
}
static bool is_stored(const struct predict_scenario *s)
{
    return s->store == PREDICT_SIMPLEDB;
}
static bool is_storeless(const struct predict_scenario *s)
{
    return s->store == PREDICT_NO_STORE;
}
static bool is_short_poll(const struct predict_scenario *s)
{
    return s->wait_s < 1;
}
static bool is_constant(const struct predict_scenario *s)
{
    return s->job_cv <= 0;
}
static bool is_spread(const struct predict_scenario *s)
{
    return s->job_cv > 1.5;
}
static bool is_cpu_bound(const struct predict_scenario *s)
{
    return s->cpu_share * s->slots > predict_vcpus(s);
}
static bool is_prefetch_auto(const struct predict_scenario *s)
{
    return s->prefetch < 0;
}
static bool is_prefetch_none(const struct predict_scenario *s)
{
    return s->prefetch == 0;
}
static bool is_prefetch_some(const struct predict_scenario *s)
{
    return s->prefetch > 0;
}
static bool is_unbatched(const struct predict_scenario *s)
{
    return s->batch < 2;
}
static bool is_few_jobs(const struct predict_scenario *s)
{
    return s->jobs < 2 * s->slots * s->boxes;
}
static bool is_big(const struct predict_scenario *s)
{
    return s->boxes > 100;
}
static bool is_short_job(const struct predict_scenario *s)
{
    return s->job_s < 1;
}
static bool is_long_job(const struct predict_scenario *s)
{
    return s->job_s > s->visibility_s / 2;
}

static const struct {
    const char *name;
    bool (*has)(const struct predict_scenario *scenario);
} FEATURES[] = {{"jobs at once", is_at_once},
                {"arrivals", is_arrivals},
                {"SimpleDB rows", is_stored},
                {"no store", is_storeless},
                {"wait below 1 s", is_short_poll},
                {"constant job time", is_constant},
                {"cv above 1.5", is_spread},
                {"CPU: slots x share above the vCPUs", is_cpu_bound},
                {"prefetch auto", is_prefetch_auto},
                {"prefetch 0", is_prefetch_none},
                {"prefetch above 0", is_prefetch_some},
                {"batch 1", is_unbatched},
                {"fewer than 2 jobs a slot", is_few_jobs},
                {"more than 100 boxes", is_big},
                {"jobs below 1 s", is_short_job},
                {"jobs above half the visibility", is_long_job}};
enum { FEATURE_COUNT = sizeof FEATURES / sizeof *FEATURES };

static void print_common(const struct check *check, size_t worst)
{
    printf("  %-36s %9s %9s %13s\n", "what they have in common", "of these", "of all",
           "median error");
    for (int f = 0; f < FEATURE_COUNT; f++) {
        size_t here = 0, all = 0;
        double *error = xmalloc((check->priced + 1) * sizeof *error);
        for (size_t i = 0; i < check->priced; i++)
            if (FEATURES[f].has(&check->point[i].scenario)) {
                here += i < worst;
                error[all++] = fabs(check->point[i].error);
            }
        if (all > 0) {
            gsl_sort(error, 1, all);
            printf("  %-36s %7.0f %% %7.0f %% %11.2f %%\n", FEATURES[f].name,
                   100.0 * (double)here / (double)worst,
                   100.0 * (double)all / (double)check->priced,
                   100 * gsl_stats_median_from_sorted_data(error, 1, all));
        }
        free(error);
    }
}

static void print_point(const struct check_point *p)
{
    const struct predict_scenario *s = &p->scenario;
    char text[3][40];
    printf("  %+8.1f %% %10.4g %10.4g %s  point %zu: %s %s, %.0f x %s, %.0f slots, %.0f "
           "jobs, %s cv %.2f, cpu %.2f, batch %.0f, prefetch %s, wait %.3g s, visibility "
           "%.0f s, payload %.0f, domains %.0f, arrivals ",
           100 * p->error, p->usd, p->seen, p->covered ? " " : "!", p->row, s->era,
           s->store == PREDICT_NO_STORE ? "no store" : predict_store_name(s->store),
           s->boxes, s->instance, s->slots, s->jobs,
           predict_input_text(PREDICT_JOB_TIME, s->job_s, text[0], sizeof text[0]),
           s->job_cv, s->cpu_share, s->batch,
           predict_input_text(PREDICT_PREFETCH, s->prefetch, text[1], sizeof text[1]),
           s->wait_s, s->visibility_s, s->payload_bytes, s->domains);
    printf(s->arrivals_per_s > 0 ? "%.4g/s\n" : "at once\n", s->arrivals_per_s);
}

static void print_check(const struct check *check, const char *path, bool json)
{
    double worst = check->priced ? fabs(check->point[0].error) : 0;
    if (json) {
        json_t *root = json_object();
        json_object_set_new(root, "schema", json_string("jobq.check/1"));
        json_object_set_new(root, "points", json_integer((json_int_t)check->count));
        json_object_set_new(root, "refused",
                            json_integer((json_int_t)(check->count - check->priced)));
        json_object_set_new(root, "error_median", json_real(check->p50));
        json_object_set_new(root, "error_p95", json_real(check->p95));
        json_object_set_new(root, "error_max", json_real(worst));
        json_object_set_new(root, "covered", json_real(check->covered));
        json_object_set_new(root, "narrow", json_real(check->narrow));
        cost_print_json(root);
        return;
    }
    printf("\n%zu points that the fit has not seen: %s\n"
           "  in dollars a job off by %.2f %% (median), %.2f %% (95th), %.2f %% (worst)\n"
           "  inside the 95 %% interval, but for the simulation's own: %.1f %%\n"
           "  intervals narrower than +-%.0f %%: %.1f %%\n",
           check->count, path, 100 * check->p50, 100 * check->p95, 100 * worst,
           100 * check->covered, 100 * NARROW, 100 * check->narrow);
    if (check->count > check->priced)
        printf("  refused: %zu\n", check->count - check->priced);
    size_t shown = check->priced < WORST ? check->priced : WORST;
    if (shown == 0)
        return;
    printf("\nThe worst %zu, in $/million ('!': outside the interval):\n"
           "  %10s %10s %10s\n",
           shown, "error", "predicted", "simulated");
    for (size_t i = 0; i < shown; i++)
        print_point(&check->point[i]);
    printf("\n");
    print_common(check, shown);
}

/* ---- all ---------------------------------------------------------------------------------- */

/* The worst first, refused ones last. */
static int by_error(const void *a, const void *b)
{
    const struct check_point *x = a, *y = b;
    double ex = x->refused ? -1 : fabs(x->error), ey = y->refused ? -1 : fabs(y->error);
    if (ex != ey)
        return ex < ey ? 1 : -1;
    return (x->row > y->row) - (x->row < y->row);
}

static void check_summarise(struct check *check)
{
    qsort(check->point, check->count, sizeof *check->point, by_error);
    double *error = xmalloc((check->count + 1) * sizeof *error);
    for (size_t i = 0; i < check->count; i++)
        if (!check->point[i].refused) {
            error[check->priced++] = fabs(check->point[i].error);
            check->covered += check->point[i].covered;
            check->narrow += check->point[i].half_width < NARROW;
        }
    double n = check->priced ? (double)check->priced : 1;
    check->covered /= n;
    check->narrow /= n;
    gsl_sort(error, 1, check->priced);
    if (check->priced) {
        check->p50 = gsl_stats_quantile_from_sorted_data(error, 1, check->priced, 0.5);
        check->p95 = gsl_stats_quantile_from_sorted_data(error, 1, check->priced, 0.95);
    }
    free(error);
}

int fit_check(struct cost *cli, const struct table *sweep, const char *path,
              struct jobq_error *err)
{
    struct sheet *sheet = NULL;
    struct check check = {.count = table_rows(sweep)};
    int code = cost_sheet(cli, cli->region, cli->date, &sheet, err);
    if (!code && check.count == 0)
        code = jobq_fail(err, JOBQ_INVALID, "%s: no points", path);
    check.point = xcalloc(check.count + 1, sizeof *check.point);
    struct jobq_ledger *ledger = xcalloc(1, sizeof *ledger);
    for (size_t i = 0; i < check.count && !code; i++) {
        check.point[i].row = i;
        code = check_point(cli, sheet, sweep, &check.point[i], ledger, err);
    }
    if (!code) {
        check_summarise(&check);
        print_check(&check, path, cli->json);
    }
    free(ledger);
    free(check.point);
    return code;
}
