/* report.c - jobqcost report: one page of what a job costs and why.
 *
 * Room: src/cost, jobqcost's command line; does I/O.
 *
 * Everything is made in a staging folder inside DIR and moved into place at the end, the
 * page last: a run that fails leaves DIR as it was. */
#include "cost/cmd/report/report.h"

#include "base/arena.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PAGE_MAX_BYTES 1000000

static const char HELP[] =
    "  jobqcost report -o out\n"
    "  jobqcost report -o out --job-time 2s --concurrency 8 --instance c7g.large\n"
    "  jobqcost report -o out --formula formula.json --sweep sweep.csv \\\n"
    "                  --check fresh.csv \\\n"
    "                  --jobs-csv seed1.csv --jobs-csv seed2.csv\n\n"
    "Writes DIR/report.html (one file, pictures inside, under 1 MB), each picture as\n"
    "PNG of 1600 x 900 and its data as CSV, and report.json (schema jobq.report/1).\n"
    "Needs gnuplot. A section whose input is not given says so.\n";
static const struct option_def OPTIONS[] = {
    {"out", 'o', "DIR", "the folder to write; created if missing"},
    {"sweep", 0, "S.csv", "a sweep of jobqsim, to compare predicted with simulated"},
    {"check", 0, "C.csv", "a sweep that the formula was not fitted to"},
    {"assumed", 0, "T.csv",
     "param,status,value,low,high,usd_swing,p95_swing; swings are shares (0.05 is 5 %)"},
    {"ledger", 0, "NAME=FILE",
     "a run of these jobs, such as simulated=run.json or live=drain.jsonl; may be "
     "repeated"},
    {"jobs-csv", 0, "A.csv",
     "a file of jobqsim run --jobs-csv, once for each replication: queue over time"},
    {NULL, 0, NULL, NULL}};

int report_point(struct report *r, const struct predict_scenario *scenario,
                 double *out_usd, double out_component[BILL_COMPONENT_COUNT],
                 struct predict_state *out_state, struct jobq_error *err)
{
    return evaluate_point(&r->context, scenario, r->scratch, out_usd, out_component,
                          out_state, err);
}

/* ---- provenance ------------------------------------------------------------------------------ */

static void source_prices(struct report *r, const struct bill *bill)
{
    report_fold(r, "Every price, with its source");
    report_table(r, "price|#USD a unit|date|confidence|source");
    for (int i = 0; i < bill->count; i++) {
        const struct bill_item *item = &bill->item[i];
        bool seen = false;
        for (int j = 0; j < i && !seen; j++)
            seen = strcmp(item->service, bill->item[j].service) == 0 &&
                   strcmp(item->item, bill->item[j].item) == 0;
        if (seen)
            continue;
        report_row(r);
        report_cell(r, "%s.%s", item->service, item->item);
        if (item->usd_per_unit < 1e-3)
            report_cell(r, "%.6g a million", item->usd_per_unit * 1e6);
        else
            report_cell(r, "%.6g", item->usd_per_unit);
        report_cell(r, "%s", item->date);
        report_cell(r, "%c%s%s", item->confidence,
                    item->assumed ? ", borrowed from " : "",
                    item->assumed ? item->region : "");
        report_cell(r, "%s", item->source);
    }
    report_table_end(r);
    report_unfold(r);
}

/* The command as a shell would take it. */
static void source_command(struct report *r)
{
    struct text line = {0};
    text_puts(&line, "jobqcost report");
    for (int i = 0; i < r->cli->word_count; i++) {
        text_puts(&line, " '");
        for (const char *p = r->cli->word[i]; *p; p++)
            if (*p == '\'')
                text_puts(&line, "'\\''");
            else
                text_putc(&line, *p);
        text_putc(&line, '\'');
    }
    text_puts(&r->page, "<pre>");
    report_escape(&r->page, line.ptr);
    text_puts(&r->page, "</pre>\n");
    text_release(&line);
}

int report_source(struct report *r, struct jobq_error *err)
{
    char title[120], size[40], time[40];
    const struct formula *f = r->context.formula;
    (void)err;
    report_open(r, "provenance", "Where this comes from", "jobq %s, prices of %s",
                JOBQ_VERSION, cost_sheet_title(r->sheet, title, sizeof title));
    report_say(r, "",
               "%s payload, %s a job, %.3g of it processor time; %.0f x %s, %.0f slots "
               "each; store %s, batch %.0f, wait %s; free tier %s; formula %s.",
               cost_size(r->base.payload_bytes, size, 40),
               cost_duration(r->base.job_s, time, 40), r->base.cpu_share, r->base.boxes,
               r->base.instance, r->base.slots, predict_store_name(r->base.store),
               r->base.batch, cost_duration(r->base.wait_s, title, 40),
               r->cli->bill.free == 0               ? "none"
               : r->cli->bill.free == BILL_FREE_ALL ? "all"
                                                    : "some",
               r->cli->formula_name);
    if (f)
        report_say(r, "", "Formula from %s: seed %.0f, model hash %s, version %s.",
                   f->sweep, f->seed, f->model_hash, f->version);
    json_t *from = json_object_get(r->facts, "provenance");
    static const char *const sets[] = {"sweep", "check"};
    for (int i = 0; i < 2; i++) {
        json_t *set = json_object_get(from, sets[i]);
        const char *seed = json_string_value(json_object_get(set, "seed"));
        const char *hash = json_string_value(json_object_get(set, "model_hash"));
        if (set)
            report_say(r, "", "The %s: seed %s, model hash %s.", sets[i],
                       seed ? seed : "unknown", hash ? hash : "unknown");
    }
    if (!f && !json_object_get(from, "sweep") && !json_object_get(from, "check"))
        report_say(r, "note",
                   "No seed and no model hash: nothing on this page was simulated.");
    source_prices(r, &r->e.bill);
    source_command(r);
    report_close(r);
    json_object_set_new(from, "version", json_string(JOBQ_VERSION));
    json_object_set_new(from, "sheet", cost_sheet_json(r->sheet));
    json_object_set_new(from, "formula", json_string(r->cli->formula_name));
    return JOBQ_OK;
}

/* ---- the page -------------------------------------------------------------------------------- */

static void open_page(struct report *r)
{
    text_puts(&r->page,
              "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
              "<meta name=\"viewport\" content=\"width=device-width, "
              "initial-scale=1\">\n<title>What a job costs</title>\n<style>\n");
    for (int i = 0; i < report_file_count; i++)
        if (strcmp(report_files[i].name, "page.css") == 0)
            text_put(&r->page, (const char *)report_files[i].bytes, report_files[i].len);
    text_puts(&r->page, "</style></head><body>\n");
}

static int build(struct report *r, struct jobq_error *err)
{
    static int (*const section[])(struct report *, struct jobq_error *) = {
        report_answer, report_services, report_maps,  report_tornado, report_pareto,
        report_even,   report_formula,  report_check, report_queue,   report_capacity,
        report_valid,  report_assumed,  report_source};
    int code = JOBQ_OK;
    open_page(r);
    for (size_t i = 0; i < sizeof section / sizeof *section && !code; i++)
        code = section[i](r, err);
    if (code)
        return code;
    text_puts(&r->page, "</body></html>\n");
    if (r->page.len >= PAGE_MAX_BYTES)
        return jobq_fail(err, JOBQ_UNAVAILABLE, "the page has %zu bytes, over %d",
                         r->page.len, PAGE_MAX_BYTES);
    char *json = json_dumps(r->facts, JSON_INDENT(2) | JSON_REAL_PRECISION(10));
    code = report_keep(r, "report.json", json, strlen(json), err);
    free(json);
    return code ? code : report_keep(r, "report.html", r->page.ptr, r->page.len, err);
}

/* Moves the files into DIR in the order they were made, the page last. */
static int publish(struct report *r, const char *folder, struct jobq_error *err)
{
    struct text from = {0}, to = {0};
    int code = JOBQ_OK;
    for (int i = 0; i < r->files && !code; i++) {
        text_clear(&from);
        text_clear(&to);
        text_printf(&from, "%s/%s", r->stage, r->file[i]);
        text_printf(&to, "%s/%s", folder, r->file[i]);
        if (rename(from.ptr, to.ptr))
            code = jobq_fail(err, JOBQ_DENIED, "cannot write '%s': %s", to.ptr,
                             strerror(errno));
    }
    text_release(&from);
    text_release(&to);
    return code;
}

static void drop_stage(struct report *r, const char *name_of_plot)
{
    struct text path = {0};
    for (int i = 0; i < r->files; i++) {
        text_clear(&path);
        text_printf(&path, "%s/%s", r->stage, r->file[i]);
        remove(path.ptr);
    }
    /* Files that gnuplot began and did not finish. */
    static const char *const plots[] = {"services", "heat",  "heat-none", "tornado",
                                        "pareto",   "check", "breakeven", "queue"};
    static const char *const ends[] = {".png", ".svg", "-narrow.svg"};
    for (size_t i = 0; i < 3 * (sizeof plots / sizeof *plots) && name_of_plot; i++) {
        text_clear(&path);
        text_printf(&path, "%s/%s%s", r->stage, plots[i / 3], ends[i % 3]);
        remove(path.ptr);
    }
    rmdir(r->stage);
    text_release(&path);
}

static int make(struct report *r, const char *folder, struct jobq_error *err)
{
    struct text stage = {0};
    bool made = mkdir(folder, 0777) == 0;
    if (!made && errno != EEXIST)
        return jobq_fail(err, JOBQ_DENIED, "cannot make '%s': %s", folder,
                         strerror(errno));
    text_printf(&stage, "%s/.report-XXXXXX", folder);
    if (!mkdtemp(stage.ptr)) {
        int code = jobq_fail(err, JOBQ_DENIED, "cannot write in '%s': %s", folder,
                             strerror(errno));
        text_release(&stage);
        return code;
    }
    r->stage = stage.ptr;
    int code = build(r, err);
    if (!code)
        code = publish(r, folder, err);
    drop_stage(r, code ? "any" : NULL);
    if (code && made)
        rmdir(folder);
    text_release(&stage);
    return code;
}

/* ---- the command ------------------------------------------------------------------------------ */

static int report_prepare(struct report *r, struct jobq_error *err)
{
    struct cost *cli = r->cli;
    struct sheet *sheet;
    int code = cost_sheet(cli, cli->region, cli->date, &sheet, err);
    if (code)
        return code;
    cost_era(cli, sheet, &cli->scenario);
    code = cost_formula(cli, cli->scenario.era, err);
    r->sheet = sheet;
    r->base = cli->scenario;
    r->context = (struct evaluate_context){sheet, &cli->bill, cli->formula};
    if (!code)
        code = cost_evaluate(cli, sheet, &r->base, &r->e, err);
    if (!code)
        answer_make(cli, sheet, &r->base, &r->e, &r->answer);
    return code;
}

static int report_run(struct cost *cli)
{
    struct report r = {.cli = cli};
    struct cost_many jobs_csv = {0}, ledgers = {0};
    struct jobq_error err;
    const char *folder = NULL;
    struct cost_target options[] = {
        {COST_TEXT, &folder},       {COST_TEXT, &r.sweep_path},
        {COST_TEXT, &r.check_path}, {COST_TEXT, &r.assumed_path},
        {COST_MANY, &ledgers},      {COST_MANY, &jobs_csv}};
    int code = cost_parse(cli, options);
    if (code >= 0)
        return code;
    if (cli->argument_count)
        return cost_usage(cli, "takes no argument '%.40s'", cli->argument[0]);
    if (!folder || !*folder)
        return cost_usage(cli, "needs -o DIR");
    r.jobs_csv = &jobs_csv;
    r.ledgers = &ledgers;
    if (report_prepare(&r, &err))
        return cost_fail(cli, &err);
    r.scratch = xcalloc(1, sizeof *r.scratch);
    r.facts =
        json_pack("{s:s,s:{},s:{}}", "schema", "jobq.report/2", "choices", "provenance");
    code = make(&r, folder, &err);
    if (!code && cli->json)
        cost_print_json(json_incref(r.facts));
    else if (!code && !cli->quiet)
        printf("%s/report.html\n", folder);
    json_decref(r.facts);
    jobq_ledger_release(r.scratch);
    free(r.scratch);
    text_release(&r.page);
    evaluation_release(&r.e);
    return code ? cost_fail(cli, &err) : COST_OK;
}

const struct cost_command cost_report = {
    "report", "one page: the answer, why, and pictures", HELP, report_run,
    OPTIONS,  COST_SCENARIO | COST_PRICES | COST_FORMULA};
