/* cost_points.c - how far is the closed form from a sweep, point by point?
 *
 *     cost_points SWEEP.csv [MEDIAN P95]    shares; exit 1 when the dollars exceed them
 *     cost_points SWEEP.csv LINE            the points at which that line costs most error
 *
 * Room:     tests/e2e; `make check-cost-points`.
 * Units:    dollars a job on us-east-1's sheet of 2026, instances billed as a run's. An
 *           error of a line is what it adds to the bill when it alone is the closed form's,
 *           as a share of the simulated bill: so lines weigh what they cost. */
#include "cost/bill/bill.h"
#include "cost/fit/fit.h"
#include "cost/fit/table.h"
#include "pricing/sheet.h"

#include "base/arena.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct points {
    struct table *sweep;
    struct sheet *sheet;
    size_t count;
    struct usage *sim, *closed;
    struct predict_scenario *scenario;
    struct jobq_ledger *ledger; /* scratch: 18 KiB */
};

static void die(const char *what, const struct jobq_error *err)
{
    fprintf(stderr, "%s: %s\n", what, err->text);
    exit(2);
}

static struct sheet *open_sheet(void)
{
    struct jobq_error err;
    struct sheet *sheet;
    for (int i = 0; i < sheet_file_count; i++) {
        const struct sheet_file *f = &sheet_files[i];
        if (strncmp(f->name, "us-east-1@2026", 14) != 0)
            continue;
        if (sheet_parse((const char *)f->bytes, f->len, f->name, &sheet, &err))
            die(f->name, &err);
        return sheet;
    }
    fputs("no sheet of 2026\n", stderr);
    exit(2);
}

static char *read_file(const char *path, size_t *len)
{
    FILE *in = fopen(path, "rb");
    if (!in || fseek(in, 0, SEEK_END) != 0) {
        perror(path);
        exit(2);
    }
    *len = (size_t)ftell(in);
    rewind(in);
    char *text = xcalloc(*len + 1, 1);
    *len = fread(text, 1, *len, in);
    fclose(in);
    return text;
}

static double dollars(const struct points *p, size_t i, const struct usage *usage)
{
    struct jobq_error err;
    struct bill_options options = {0};
    struct bill bill;
    double jobs = p->scenario[i].jobs > 0 ? p->scenario[i].jobs : 1e6;
    memset(p->ledger, 0, sizeof *p->ledger);
    bill_init(&bill);
    predict_ledger(&p->scenario[i], usage, jobs, p->ledger);
    if (bill_ledger(&bill, p->ledger, p->sheet, &options, &err))
        die("bill", &err);
    double usd = bill.usd / jobs;
    bill_release(&bill);
    jobq_ledger_release(p->ledger);
    return usd;
}

static void load(struct points *p, const char *path)
{
    struct jobq_error err;
    size_t len;
    char *text = read_file(path, &len);
    if (table_parse(text, len, path, &p->sweep, &err))
        die(path, &err);
    free(text);
    p->count = table_rows(p->sweep);
    p->sim = xcalloc(p->count, sizeof *p->sim);
    p->closed = xcalloc(p->count, sizeof *p->closed);
    p->scenario = xcalloc(p->count, sizeof *p->scenario);
    p->ledger = xcalloc(1, sizeof *p->ledger);
    p->sheet = open_sheet();
    for (size_t i = 0; i < p->count; i++) {
        if (fit_scenario(p->sweep, i, &p->scenario[i], &err) ||
            predict_usage(&p->scenario[i], NULL, &p->closed[i], NULL, &err))
            die(path, &err);
        for (int l = 0; l < USAGE_LINE_COUNT; l++) {
            int column = table_find(p->sweep, usage_line_name((enum usage_line)l));
            p->sim[i].line[l] = column < 0 ? 0 : table_number(p->sweep, i, column);
        }
    }
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The value below which `share` of them lie. Sorts. */
static double quantile(double *value, size_t count, double share)
{
    qsort(value, count, sizeof *value, by_value);
    size_t at = (size_t)ceil(share * (double)count);
    return count ? value[at > 0 ? at - 1 : 0] : 0;
}

static double relative(double closed, double sim)
{
    return fabs(closed - sim) <= 1e-12 ? 0 : fabs(closed - sim) / fmax(fabs(sim), 1e-12);
}

/* The dollars' own error of a point, or those of one line put in alone. */
static double weighed(const struct points *p, size_t i, int line, double usd)
{
    struct usage usage = p->sim[i];
    usage.line[line] = p->closed[i].line[line];
    return fabs(dollars(p, i, &usage) / usd - 1);
}

static void scenario_print(const struct points *p, size_t i)
{
    const struct predict_scenario *s = &p->scenario[i];
    printf(
        "  point %zu: payload %.0f job %.4g s slots %.0f boxes %.0f batch %.0f prefetch "
        "%.0f domains %.0f jobs %.0f arrivals %.4g queued %.4g\n",
        i, s->payload_bytes, s->job_s, s->slots, s->boxes, s->batch, s->prefetch,
        s->domains, s->jobs, s->arrivals_per_s, s->queued_s);
}

static void worst(const struct points *p, int line)
{
    double *error = xcalloc(p->count, sizeof *error);
    for (size_t i = 0; i < p->count; i++)
        error[i] = weighed(p, i, line, dollars(p, i, &p->sim[i]));
    for (int n = 0; n < 15 && n < (int)p->count; n++) {
        size_t at = 0;
        for (size_t i = 0; i < p->count; i++)
            at = error[i] > error[at] ? i : at;
        struct predict_state state;
        struct usage usage;
        struct jobq_error err;
        predict_usage(&p->scenario[at], NULL, &usage, &state, &err);
        printf("%.2f %% of the bill: %.5g in closed form, %.5g simulated (%s)\n",
               100 * error[at], p->closed[at].line[line], p->sim[at].line[line],
               predict_binding_name(state.binding));
        scenario_print(p, at);
        error[at] = -1;
    }
    free(error);
}

static void lines(const struct points *p)
{
    double *error = xcalloc(p->count, sizeof *error);
    double *cost = xcalloc(p->count, sizeof *cost);
    printf("%-20s %18s %24s\n", "", "relative error", "share of the bill");
    printf("%-20s %8s %9s %8s %7s %7s\n", "line", "median", "95th", "median", "95th",
           "max");
    for (int l = 0; l < USAGE_LINE_COUNT; l++) {
        bool any = false;
        for (size_t i = 0; i < p->count; i++) {
            error[i] = relative(p->closed[i].line[l], p->sim[i].line[l]);
            cost[i] = weighed(p, i, l, dollars(p, i, &p->sim[i]));
            any |= p->sim[i].line[l] > 0 || p->closed[i].line[l] > 0;
        }
        if (!any)
            continue;
        printf("%-20s %7.2f%% %8.2f%% ", usage_line_name((enum usage_line)l),
               100 * quantile(error, p->count, 0.5),
               100 * quantile(error, p->count, 0.95));
        printf("%7.3f%% %6.2f%% %6.2f%%\n", 100 * quantile(cost, p->count, 0.5),
               100 * quantile(cost, p->count, 0.95), 100 * quantile(cost, p->count, 1));
    }
    free(error);
    free(cost);
}

static int whole(const struct points *p, double median_max, double p95_max)
{
    double *error = xcalloc(p->count, sizeof *error);
    for (size_t i = 0; i < p->count; i++)
        error[i] = fabs(dollars(p, i, &p->closed[i]) / dollars(p, i, &p->sim[i]) - 1);
    double p50 = quantile(error, p->count, 0.5), p95 = quantile(error, p->count, 0.95);
    printf("dollars a job, %zu points: median error %.3f %%, 95th percentile %.2f %%, "
           "largest %.2f %%\n",
           p->count, 100 * p50, 100 * p95, 100 * quantile(error, p->count, 1));
    free(error);
    if (p50 <= median_max && p95 <= p95_max)
        return 0;
    printf("FAIL: at most %.3g %% and %.3g %%\n", 100 * median_max, 100 * p95_max);
    return 1;
}

int main(int argc, char **argv)
{
    struct points p = {0};
    int line = argc == 3 ? usage_line_find(argv[2]) : -1;
    if (argc < 2 || argc > 4 || (argc == 3 && line < 0)) {
        fputs("cost_points SWEEP.csv [LINE | MEDIAN P95]\n", stderr);
        return 2;
    }
    load(&p, argv[1]);
    int code = 0;
    if (line >= 0) {
        worst(&p, line);
    } else {
        lines(&p);
        code = whole(&p, argc == 4 ? strtod(argv[2], NULL) : HUGE_VAL,
                     argc == 4 ? strtod(argv[3], NULL) : HUGE_VAL);
    }
    free(p.sim);
    free(p.closed);
    free(p.scenario);
    free(p.ledger);
    sheet_free(p.sheet);
    table_free(p.sweep);
    return code;
}
