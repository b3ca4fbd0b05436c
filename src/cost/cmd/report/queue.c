/* queue.c - the report's queue over time, capacity and assumptions.
 *
 * Room: src/cost, jobqcost's command line; does I/O. */
#include "cost/cmd/report/report.h"
#include "cost/fit/table.h"

#include "base/arena.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- queue over time ----------------------------------------------------------------------- */

#define QUEUE_POINTS 201

/* One replication: three instants a job, each column sorted by itself. */
struct replica {
    double *at_ns[3]; /* enqueued, started, finished; HUGE_VAL: never */
    size_t jobs;
};

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static int read_replica(const char *path, struct replica *out, struct jobq_error *err)
{
    static const char *const columns[] = {"enqueued_ns", "started_ns", "finished_ns"};
    char *text;
    size_t len;
    struct table *table;
    int code = cost_read(path, &text, &len, err);
    if (code)
        return code;
    code = table_parse(text, len, path, &table, err);
    free(text);
    if (code)
        return code;
    out->jobs = table_rows(table);
    for (int c = 0; c < 3 && !code; c++) {
        int column = table_find(table, columns[c]);
        if (column < 0) {
            code = jobq_fail(err, JOBQ_INVALID, "%s: no column '%s'", path, columns[c]);
            break;
        }
        out->at_ns[c] = xcalloc(out->jobs + 1, sizeof(double));
        for (size_t i = 0; i < out->jobs; i++) {
            double value = table_number(table, i, column);
            out->at_ns[c][i] = value >= 0 ? value : (double)HUGE_VAL;
        }
        qsort(out->at_ns[c], out->jobs, sizeof(double), by_value);
    }
    table_free(table);
    return code;
}

/* How many of a sorted column are at or before t. */
static double passed(const double *at_ns, size_t count, double t_ns)
{
    size_t low = 0;
    while (low < count) {
        size_t middle = low + (count - low) / 2;
        if (at_ns[middle] <= t_ns)
            low = middle + 1;
        else
            count = middle;
    }
    return (double)low;
}

/* Linear between the order statistics of a sorted array. */
static double quantile(const double *v, int count, double share)
{
    double at = share * (count - 1);
    int low = (int)at;
    return low + 1 < count ? v[low] + (at - low) * (v[low + 1] - v[low]) : v[count - 1];
}

static void queue_csv(const struct replica *replica, int count, struct text *csv)
{
    double end_ns = 0, value[COST_MANY_MAX];
    for (int k = 0; k < count; k++)
        for (size_t i = 0; i < replica[k].jobs; i++)
            if (isfinite(replica[k].at_ns[2][i]))
                end_ns = fmax(end_ns, replica[k].at_ns[2][i]);
    text_puts(csv,
              "seconds,waiting_mean,waiting_p10,waiting_p90,running_mean,running_p10,"
              "running_p90\n");
    for (int p = 0; p < QUEUE_POINTS; p++) {
        double t_ns = end_ns * p / (QUEUE_POINTS - 1);
        text_printf(csv, "%.6g", t_ns / 1e9);
        for (int c = 0; c < 2; c++) {
            double sum = 0;
            for (int k = 0; k < count; k++) {
                const struct replica *one = &replica[k];
                value[k] = passed(one->at_ns[c], one->jobs, t_ns) -
                           passed(one->at_ns[c + 1], one->jobs, t_ns);
                sum += value[k];
            }
            qsort(value, (size_t)count, sizeof *value, by_value);
            text_printf(csv, ",%.6g,%.6g,%.6g", sum / count, quantile(value, count, 0.1),
                        quantile(value, count, 0.9));
        }
        text_puts(csv, "\n");
    }
}

int report_queue(struct report *r, struct jobq_error *err)
{
    int count = r->jobs_csv->count, code = JOBQ_OK;
    text_puts(&r->page, "<section id=\"queue\"><h2>The queue over time</h2>\n");
    if (!count) {
        report_say(r, "note", "Not shown: no --jobs-csv was given.");
    } else {
        struct replica *replica = xcalloc((size_t)count, sizeof *replica);
        struct text csv = {0};
        char alt[200];
        for (int k = 0; k < count && !code; k++)
            code = read_replica(r->jobs_csv->text[k], &replica[k], err);
        if (!code) {
            queue_csv(replica, count, &csv);
            code = report_keep(r, "queue.csv", csv.ptr, csv.len, err);
        }
        snprintf(alt, sizeof alt, "Jobs waiting and running, mean of %d replication%s%s",
                 count, count > 1 ? "s" : "",
                 count > 1 ? " with the band between the 10th and 90th percentiles."
                           : "; one replication has no band.");
        if (!code)
            code = report_plot(r, "queue", "queue.gp", "", alt, err);
        for (int k = 0; k < count; k++)
            for (int c = 0; c < 3; c++)
                free(replica[k].at_ns[c]);
        free(replica);
        text_release(&csv);
    }
    text_puts(&r->page, "</section>\n");
    return code;
}

/* ---- capacity ------------------------------------------------------------------------------- */

int report_capacity(struct report *r, struct jobq_error *err)
{
    struct predict_state state;
    struct text csv = {0}, settings = {0}, names = {0};
    double usd, low = HUGE_VAL, high = 0;
    int rows = 0;
    text_puts(&r->page, "<section id=\"capacity\"><h2>Capacity</h2>\n");
    int code = report_point(r, &r->base, &usd, NULL, &state, err);
    if (code)
        return code;
    text_puts(&csv, "row,resource,ceiling_per_s,binds\n");
    for (int i = PREDICT_BOUND_COUNT - 1; i >= 0; i--) {
        double ceiling = state.ceiling_per_s[i];
        const char *name = predict_binding_name((enum predict_binding)i);
        if (!isfinite(ceiling) || !(ceiling > 0))
            continue;
        text_printf(&csv, "%d,%s,%.8g,%d\n", rows++, name, ceiling,
                    state.binding == (enum predict_binding)i);
        for (const char *p = name; *p; p++)
            text_putc(&names, *p == ' ' ? '_' : *p);
        text_putc(&names, ' ');
        low = fmin(low, ceiling);
        high = fmax(high, ceiling);
    }
    if (rows) {
        report_say(
            r, "",
            "These settings do %.4g jobs a second on %.0f box%s; what binds is: %s.",
            state.rate_per_s, r->base.boxes, r->base.boxes > 1 ? "es" : "",
            predict_binding_name(state.binding));
        text_printf(&settings, "ROWS = %d\nNAMES = \"%s\"\nXLO = %.6g\nXHI = %.6g\n",
                    rows, names.ptr, low / 10, high * 100);
        code = report_keep(r, "capacity.csv", csv.ptr, csv.len, err);
        if (!code)
            code = report_plot(r, "capacity", "capacity.gp", settings.ptr,
                               "The ceiling that each resource sets; red: the one that "
                               "binds. Resources without a ceiling here are left out.",
                               err);
    } else
        report_say(r, "note", "No resource sets a ceiling for these settings.");
    text_release(&csv);
    text_release(&settings);
    text_release(&names);
    text_puts(&r->page, "</section>\n");
    return code;
}

/* ---- assumed parameters ---------------------------------------------------------------------- */

#define SWING_SHOWN 0.01

static int assumed_table(struct report *r, const struct table *table,
                         struct jobq_error *err)
{
    static const char *const head[] = {"param", "status",    "value",    "low",
                                       "high",  "usd_swing", "p95_swing"};
    int column[7], shown = 0;
    for (int c = 0; c < 7; c++) {
        column[c] = table_find(table, head[c]);
        if (column[c] < 0)
            return jobq_fail(err, JOBQ_INVALID, "%s: no column '%s'", r->assumed_path,
                             head[c]);
    }
    text_puts(&r->page, "<div class=\"wide\"><table><tr><th>parameter</th><th>status</th>"
                        "<th>value</th><th>low</th><th>high</th><th>dollars</th>"
                        "<th>p95</th></tr>\n");
    for (size_t i = 0; i < table_rows(table); i++) {
        double usd = table_number(table, i, column[5]);
        double p95 = table_number(table, i, column[6]);
        if (!(fabs(usd) > SWING_SHOWN) && !(fabs(p95) > SWING_SHOWN))
            continue;
        text_puts(&r->page, "<tr>");
        for (int c = 0; c < 5; c++) {
            struct jobq_str cell = table_text(table, i, column[c]);
            report_cell(r, c > 1, "%.*s", (int)(cell.len < 200 ? cell.len : 200),
                        cell.ptr);
        }
        report_cell(r, true, "%.1f %%", 100 * usd);
        report_cell(r, true, "%.1f %%", 100 * p95);
        text_puts(&r->page, "</tr>\n");
        shown++;
    }
    text_puts(&r->page, "</table></div>\n");
    report_say(r, "note",
               "%d of %zu assumed parameters move dollars or p95 by more than 1 %%.",
               shown, table_rows(table));
    return JOBQ_OK;
}

int report_assumed(struct report *r, struct jobq_error *err)
{
    int code = JOBQ_OK;
    text_puts(&r->page, "<section id=\"assumed\"><h2>Assumed parameters</h2>\n");
    if (!r->assumed_path) {
        report_say(r, "note", "Not shown: no --assumed was given.");
    } else {
        char *text;
        size_t len;
        struct table *table;
        code = cost_read(r->assumed_path, &text, &len, err);
        if (code)
            return code;
        code = table_parse(text, len, r->assumed_path, &table, err);
        if (!code) {
            code = assumed_table(r, table, err);
            table_free(table);
        }
        if (!code)
            code = report_keep(r, "assumed.csv", text, len, err);
        free(text);
    }
    text_puts(&r->page, "</section>\n");
    return code;
}
