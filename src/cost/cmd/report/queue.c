/* queue.c - the report's queue over time, and its capacity.
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

static int queue_by_value(const void *a, const void *b)
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
        qsort(out->at_ns[c], out->jobs, sizeof(double), queue_by_value);
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
            qsort(value, (size_t)count, sizeof *value, queue_by_value);
            text_printf(csv, ",%.6g,%.6g,%.6g", sum / count, quantile(value, count, 0.1),
                        quantile(value, count, 0.9));
        }
        text_puts(csv, "\n");
    }
}

/* Where a column of queue.csv is highest, for its label. */
static void queue_peak(const struct text *csv, int column, double *out_x, double *out_y)
{
    const char *line = strchr(csv->ptr, '\n');
    *out_x = *out_y = 0;
    while (line && line[1]) {
        const char *p = line + 1;
        double x = strtod(p, NULL), y;
        for (int i = 0; i < column && p; i++) {
            p = strchr(p, ',');
            p = p ? p + 1 : NULL;
        }
        y = p ? strtod(p, NULL) : 0;
        if (y > *out_y) {
            *out_x = x;
            *out_y = y;
        }
        line = strchr(line + 1, '\n');
    }
}

int report_queue(struct report *r, struct jobq_error *err)
{
    int count = r->jobs_csv->count, code = JOBQ_OK;
    if (!count) {
        report_open(r, "queue", "The queue over time", "No run was given to show");
        report_say(r, "note", "Not shown: no --jobs-csv was given.");
        report_close(r);
        return JOBQ_OK;
    }
    struct replica *replica = xcalloc((size_t)count, sizeof *replica);
    struct text csv = {0};
    char alt[300], settings[200], jobs[40];
    double x[2], y[2];
    for (int k = 0; k < count && !code; k++)
        code = read_replica(r->jobs_csv->text[k], &replica[k], err);
    if (!code) {
        queue_csv(replica, count, &csv);
        code = report_keep(r, "queue.csv", csv.ptr, csv.len, err);
    }
    if (!code) {
        queue_peak(&csv, 1, &x[0], &y[0]);
        queue_peak(&csv, 4, &x[1], &y[1]);
        snprintf(settings, sizeof settings,
                 "WAIT_X = %.6g\nWAIT_Y = %.6g\nRUN_X = %.6g\nRUN_Y = %.6g\n", x[0], y[0],
                 x[1], y[1]);
        snprintf(alt, sizeof alt,
                 "%s jobs a run, waiting and running, mean of %d simulated run%s%s These "
                 "runs are those of --jobs-csv, and need not be the scenario above.",
                 cost_count((double)replica[0].jobs, jobs, 40), count,
                 count > 1 ? "s" : "",
                 count > 1 ? "; the bands hold 80 of 100." : ", which has no band.");
        report_open(r, "queue", "The queue over time",
                    "At most %.0f jobs wait and %.0f run at once", y[0], y[1]);
        struct report_picture picture = {"queue", "queue.gp", settings, alt, 380, 320};
        code = report_plot(r, &picture, err);
        report_close(r);
    }
    for (int k = 0; k < count; k++)
        for (int c = 0; c < 3; c++)
            free(replica[k].at_ns[c]);
    free(replica);
    text_release(&csv);
    return code;
}

/* ---- capacity ------------------------------------------------------------------------------- */

static const char *capacity_words(enum predict_binding binding)
{
    switch (binding) {
    case PREDICT_BOUND_VCPU:
        return "processors";
    case PREDICT_BOUND_DOMAINS:
        return "writes to SimpleDB's domains";
    case PREDICT_BOUND_TABLE:
        return "writes to DynamoDB's table";
    case PREDICT_BOUND_IN_FLIGHT:
        return "messages in flight";
    case PREDICT_BOUND_LAUNCH:
        return "how fast boxes start";
    case PREDICT_BOUND_SLOTS:
    case PREDICT_BOUND_COUNT:
        break;
    }
    return predict_binding_name(binding);
}

int report_capacity(struct report *r, struct jobq_error *err)
{
    const struct predict_state *state = &r->e.value.state;
    const char *binding = capacity_words(state->binding);
    char rate[40];
    (void)err;
    if (!isfinite(state->rate_per_s)) {
        report_open(r, "capacity", "Capacity", "No resource sets a limit here");
        report_close(r);
        return JOBQ_OK;
    }
    report_open(r, "capacity", "Capacity", "%.0f box%s do%s %s at most; the limit is %s",
                r->base.boxes, r->base.boxes > 1 ? "es" : "",
                r->base.boxes > 1 ? "" : "es", cost_rate(state->rate_per_s, rate, 40),
                binding);
    report_table(r, "resource|#jobs at most|");
    for (int i = 0; i < PREDICT_BOUND_COUNT; i++) {
        double ceiling = state->ceiling_per_s[i];
        if (!isfinite(ceiling) || !(ceiling > 0))
            continue;
        report_row(r);
        report_cell(r, "%s", capacity_words((enum predict_binding)i));
        report_cell(r, "%s", cost_rate(ceiling, rate, 40));
        report_cell(r, "%s",
                    state->binding == (enum predict_binding)i ? "the limit" : "");
    }
    report_table_end(r);
    report_close(r);
    return JOBQ_OK;
}
