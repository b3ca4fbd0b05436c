/* valid.c - what the figures were compared with, and what they were not.
 *
 * Room: src/cost, jobqcost's command line; does I/O. */
#include "cost/cmd/report/report.h"
#include "cost/fit/table.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- compared -------------------------------------------------------------------------- */

/* What the project's tests compare, with the bar that each holds. */
static const struct {
    const char *what, *with, *off, *command;
} COMPARED[] = {
    {"simulated waiting times", "queueing theory: fleets with a known result",
     "inside the simulation's 95 % interval", "make sim-theory"},
    {"simulated requests", "fleets whose requests can be counted by hand", "equal",
     "make sim-oracle"},
    {"simulated fleet", "the same fleet live, on jobqmock",
     "request counts equal; 10 % with random job times", "make live-sim"},
    {"a prediction", "the same scenario simulated and run live, on jobqmock",
     "line by line, inside the interval", "make live-demo"},
    {"live count of usage", "what jobqmock was asked", "equal", "make live-ledger"},
    {"bills", "costs that others have published, 2012 to 2026",
     "equal to their last digit", "make unit"},
    {"jobqmock", "AWS's own SDKs and command line, and error texts of AWS's references",
     "as the README lists", "make check-mock check-mock-npm check-mock-cli"},
};

/* What only an account can say. */
static const struct {
    const char *what, *now, *matters;
} NEVER[] = {
    {"the latency of SQS, SimpleDB and DynamoDB", "figures that others have published",
     "how long a slot is held, and so the EC2 part"},
    {"how many writes a second a SimpleDB domain takes", "about 70, as others have seen",
     "the jobs a second that --domains allow"},
    {"the time from RunInstances to the first receive",
     "documented and published boot times", "the EC2 part of short runs"},
    {"SimpleDB's price after 2022, and whether new accounts get it",
     "the price of 2008, unchanged in every later source", "all SimpleDB dollars"},
    {"today's spot prices and how often AWS takes boxes back",
     "AWS Spot Advisor's averages of June 2025", "--spot"},
};

/* What a run on AWS that would show it costs: ten thousand of these jobs. */
static void say_command(struct report *r)
{
    enum { JOBS = 10000 };
    char usd[40], time[40];
    double per_job = r->e.usd_per_job, rate = r->e.value.state.rate_per_s;
    double run_s = rate > 0 && isfinite(rate) ? JOBS / rate : 0;
    report_say(
        r, "",
        "Nothing here has been compared with AWS itself. A run of 10,000 of these jobs "
        "on an account would settle the first three and costs about %s%s%s:",
        cost_money(JOBS * per_job, usd, 40), run_s > 0 ? " and " : "",
        run_s > 0 ? cost_duration(run_s, time, 40) : "");
    char payload[40], job_time[40];
    predict_input_text(PREDICT_PAYLOAD, r->base.payload_bytes, payload, 40);
    predict_input_text(PREDICT_JOB_TIME, r->base.job_s, job_time, 40);
    text_printf(&r->page,
                "<pre>jobq run --jobs 10k --payload %s --job-time %s --concurrency %.0f "
                "--boxes 1 \\\n    --store %s --show-scenario &gt;fleet.ini\n"
                "jobqcost predict fleet.ini -o predicted.json\n"
                "jobq run fleet.ini --budget %.2f -o live.json\n"
                "jobqcost reconcile predicted.json live.json</pre>\n",
                payload, job_time, r->base.slots, predict_store_name(r->base.store),
                ceil(JOBS * per_job * 200) / 100);
}

int report_valid(struct report *r, struct jobq_error *err)
{
    (void)err;
    report_open(
        r, "validity", "How far to trust it",
        "Compared with theory, counts and published bills; never with AWS itself");
    report_table(r, "what|compared with|how far off|by");
    const json_t *fresh = json_object_get(r->facts, "check");
    if (fresh) {
        report_row(r);
        report_cell(r, "the formula");
        report_cell(r, "the simulator, %lld fresh points",
                    (long long)json_integer_value(json_object_get(fresh, "points")));
        report_cell(r, "half within %.2g %%, 95 of 100 within %.2g %%",
                    100 * json_real_value(json_object_get(fresh, "error_p50")),
                    100 * json_real_value(json_object_get(fresh, "error_p95")));
        report_cell(r, "this page");
    }
    for (size_t i = 0; i < sizeof COMPARED / sizeof *COMPARED; i++) {
        report_row(r);
        report_cell(r, "%s", COMPARED[i].what);
        report_cell(r, "%s", COMPARED[i].with);
        report_cell(r, "%s", COMPARED[i].off);
        report_cell(r, "%s", COMPARED[i].command);
    }
    report_table_end(r);
    say_command(r);
    report_table(r, "not known from AWS itself|taken instead|it moves");
    for (size_t i = 0; i < sizeof NEVER / sizeof *NEVER; i++) {
        report_row(r);
        report_cell(r, "%s", NEVER[i].what);
        report_cell(r, "%s", NEVER[i].now);
        report_cell(r, "%s", NEVER[i].matters);
    }
    report_table_end(r);
    report_close(r);
    return JOBQ_OK;
}

/* ---- assumed parameters ---------------------------------------------------------------------- */

#define SWING_SHOWN 0.01

/* With a blank behind what parts a distribution, so that a line can end there. */
static void assumed_cell(struct jobq_str text, char out[200])
{
    int at = 0;
    for (int64_t i = 0; i < text.len && at < 197; i++) {
        out[at++] = text.ptr[i];
        if (text.ptr[i] == ';' || text.ptr[i] == ':')
            out[at++] = ' ';
    }
    out[at] = '\0';
}

static int assumed_rows(struct report *r, const struct table *table, bool write,
                        int *out_shown, double *out_most, struct jobq_error *err)
{
    static const char *const head[] = {"param", "status",    "value",    "low",
                                       "high",  "usd_swing", "p95_swing"};
    int column[7];
    *out_shown = 0;
    *out_most = 0;
    for (int c = 0; c < 7; c++) {
        column[c] = table_find(table, head[c]);
        if (column[c] < 0)
            return jobq_fail(err, JOBQ_INVALID, "%s: no column '%s'", r->assumed_path,
                             head[c]);
    }
    for (size_t i = 0; i < table_rows(table); i++) {
        double usd = table_number(table, i, column[5]);
        double p95 = table_number(table, i, column[6]);
        *out_most = fmax(*out_most, fabs(usd));
        if (!(fabs(usd) > SWING_SHOWN) && !(fabs(p95) > SWING_SHOWN))
            continue;
        (*out_shown)++;
        if (!write)
            continue;
        report_row(r);
        char cell[5][200];
        for (int c = 0; c < 5; c++)
            assumed_cell(table_text(table, i, column[c]), cell[c]);
        report_cell(r, "%s", cell[0]);
        report_cell(r, "%s", cell[2]);
        report_cell(r, "%s or %s", cell[3], cell[4]);
        report_cell(r, "%.1f %%", 100 * usd);
        report_cell(r, "%.1f %%", 100 * p95);
    }
    return JOBQ_OK;
}

static int assumed_section(struct report *r, const struct table *table,
                           struct jobq_error *err)
{
    int shown;
    double most;
    int code = assumed_rows(r, table, false, &shown, &most, err);
    if (code)
        return code;
    report_open(r, "assumed", "Assumed parameters",
                "No assumption moves the dollars by more than %.1f %%", 100 * most);
    if (shown) {
        report_table(r, "parameter|value|tried|#dollars|#p95");
        code = assumed_rows(r, table, true, &shown, &most, err);
        report_table_end(r);
    }
    report_say(
        r, "note",
        "Each was halved and doubled. %d of %zu move dollars or the 95th percentile "
        "of the time to the end by more than 1 %%.",
        shown, table_rows(table));
    report_close(r);
    return code;
}

int report_assumed(struct report *r, struct jobq_error *err)
{
    char *text;
    size_t len;
    struct table *table;
    if (!r->assumed_path) {
        report_open(r, "assumed", "Assumed parameters", "Not tried on this page");
        report_say(r, "note",
                   "Not shown: no --assumed was given; reports/assumed.py makes it.");
        report_close(r);
        return JOBQ_OK;
    }
    int code = cost_read(r->assumed_path, &text, &len, err);
    if (code)
        return code;
    code = table_parse(text, len, r->assumed_path, &table, err);
    if (!code) {
        code = assumed_section(r, table, err);
        table_free(table);
    }
    if (!code)
        code = report_keep(r, "assumed.csv", text, len, err);
    free(text);
    return code;
}
