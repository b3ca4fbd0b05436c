/* run.c - jobq run: a scenario for real. Enqueues its workload, drains it by processes on this
 * machine, one for each of its boxes, and says what it cost and what had been predicted.
 *
 * Room:     live, jobq's program. Callers: jobq_main.c. */
#include "live/cmd/cmd.h"

#include "base/arena.h"
#include "cost/bill/evaluate.h"
#include "cost/ledger/ledger_json.h"
#include "fleet/enqueue/feed.h"
#include "jobq/units.h"
#include "live/cmd/record.h"
#include "pricing/sheet.h"
#include "scenario/fleet.h"
#include "scenario/settings.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { OUT, QUEUE, BUDGET, KEEP_TRACES, RECORD };
static const struct option_def options[] = {
    {"out", 'o', "FILE", "write the ledger of the run, schema jobq.ledger/2"},
    {"queue", 0, "NAME", "the queue, which nobody else may use (a new one)"},
    {"budget", 0, "USD", "do not start if more is predicted; enqueue no more once spent"},
    {"keep-traces", 0, "DIR", "keep the drainers' traces in DIR"},
    {"record", 0, "FILE", "write a trace of the enqueuer's calls to FILE"},
    {NULL, 0, NULL, NULL}};

enum { BOXES_MAX = 64 };
/* How often the drainers' lines are read. */
#define RUN_LOOK_NS (10 * JOBQ_NS_PER_MS)

struct run_box {
    pid_t pid; /* 0: gone */
    int fd;
    char line[64]; /* the beginning of the present line */
    int line_len;
    char trace[300];
    int status;
};

struct run {
    struct cli *cli;
    struct scenario *scenario;
    struct sheet *sheet;
    struct workload workload;
    struct enqueuer *enqueuer;
    char queue[JOBQ_QUEUE_NAME_MAX + 1];
    char dir[256]; /* of traces and of the drainers' settings */
    char settings[300];
    bool keep;
    struct run_box box[BOXES_MAX];
    int boxes;
    struct fiber_cond changed;
    int64_t origin_ns, last_end_ns;
    int64_t acked, refused, done, dead;
    bool fed, over_budget, stopped;
    double budget_usd; /* INFINITY: none */
    double predicted_usd, low_usd, high_usd, predicted_s;
    double drain_usd; /* predicted, of a job: what drainers spend but for their boxes */
    double store_byte_hours; /* of a job's row, until it is dropped: mostly to come */
    struct jobq_ledger total;
};

/* ---- what it will cost ----------------------------------------------------------------- */

static int run_bill(const struct run *r, const struct jobq_ledger *ledger, double *out,
                    struct jobq_error *err)
{
    struct bill bill;
    const struct bill_options how = {0};
    bill_init(&bill);
    int rc = bill_ledger(&bill, ledger, r->sheet, &how, err);
    *out = bill.usd;
    bill_release(&bill);
    return rc;
}

static int run_predict(struct run *r, struct jobq_error *err)
{
    struct predict_scenario sc;
    const struct bill_options how = {0};
    struct evaluation e;
    predict_from_scenario(r->scenario, &sc);
    sc.no_boot = true;
    const struct evaluate_context context = {.sheet = r->sheet, .bill = &how};
    int rc = evaluate(&context, &sc, sc.jobs, &e, err);
    if (rc < 0)
        return rc;
    r->predicted_usd = e.bill.usd;
    r->low_usd = e.low_per_million * sc.jobs / 1e6;
    r->high_usd = e.high_per_million * sc.jobs / 1e6;
    r->predicted_s = e.value.state.makespan_s;
    struct usage usage = e.value.usage;
    r->store_byte_hours = usage.line[USAGE_STORE_BYTE_HOURS];
    evaluation_release(&e);
    static const enum usage_line others[] = {
        USAGE_SEND,      USAGE_SEND_CHUNKS, USAGE_PUT_BATCH, USAGE_BOX_PUT_BATCH,
        USAGE_BUSY,      USAGE_IDLE,        USAGE_BOOT,      USAGE_CPU,
        USAGE_IPV4,      USAGE_VOLUME,      USAGE_BOX_OTHER, USAGE_STORE_OTHER,
        USAGE_CLIENT_IN, USAGE_CLIENT_OUT};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        usage.line[others[i]] = 0;
    struct jobq_ledger *ledger = xcalloc(1, sizeof *ledger);
    predict_ledger(&sc, &usage, sc.jobs, ledger);
    rc = run_bill(r, ledger, &r->drain_usd, err);
    r->drain_usd /= sc.jobs;
    jobq_ledger_release(ledger);
    free(ledger);
    return rc;
}

/* What has been spent by now: by this process's own ledger, by the time of the boxes, and for
 * the drainers' requests, whose ledgers come at the end, as predicted. */
static double run_spent_usd(struct run *r)
{
    struct jobq_error err;
    struct jobq_ledger *ledger = xcalloc(1, sizeof *ledger);
    double usd = 0;
    jobq_ledger_add(ledger, &r->cli->live->ledger);
    for (int i = 0; i < r->boxes; i++) {
        struct jobq_instance_use *use = jobq_ledger_instance(ledger);
        strcpy(use->type, r->scenario->instance);
        use->spot = r->scenario->spot;
        use->ended_at_ns = loop_now_ns() - r->origin_ns;
    }
    if (strcmp(r->scenario->instance, "none") == 0)
        ledger->instance_count = 0;
    int rc = run_bill(r, ledger, &usd, &err);
    jobq_ledger_release(ledger);
    free(ledger);
    return rc < 0 ? (double)INFINITY : usd + r->drain_usd * (double)(r->done + r->dead);
}

/* ---- the workload ------------------------------------------------------------------------ */

static bool run_next(void *ctx, struct feed_job *out)
{
    struct run *r = ctx;
    struct workload_job job;
    if (r->stopped || r->over_budget || !workload_next(&r->workload, &job))
        return false;
    if (isfinite(r->budget_usd) && run_spent_usd(r) >= r->budget_usd) {
        r->over_budget = true;
        return false;
    }
    *out = (struct feed_job){job.arrival_ns, job.job_ns};
    return true;
}

static void run_answered(void *ctx, const struct enqueuer_job *job,
                         const struct feed_job *what)
{
    struct run *r = ctx;
    (void)what;
    *(job->code == JOBQ_OK ? &r->acked : &r->refused) += 1;
}

static void run_fed(void *ctx)
{
    struct run *r = ctx;
    r->fed = true;
    fiber_cond_broadcast(&r->changed);
}

static int run_open_queue(struct run *r, struct jobq_error *err)
{
    struct jobq_backend *b = &r->cli->live->backend;
    struct enqueuer_options o = enqueuer_defaults(r->queue);
    scenario_enqueuer_options(r->scenario, &o);
    o.pipeline = (int)(r->scenario->clients < 1024 ? r->scenario->clients : 1024);
    int rc = enqueuer_new(b, &o, &r->enqueuer, err);
    return rc == JOBQ_OK && b->store ? enqueuer_make_tables(r->enqueuer, err) : rc;
}

/* ---- the drainers ------------------------------------------------------------------------ */

/* Their settings are the scenario's, in a file. A statistics row is written only if asked for:
 * neither the closed form nor the simulator has one. */
static int run_write_settings(struct run *r, struct jobq_error *err)
{
    struct text text = {0};
    scenario_put_file(r->scenario, TAKER_DRAIN, &text);
    if (!scenario_given(r->scenario, "stats"))
        text_puts(&text, "stats = never\n");
    FILE *file = fopen(r->settings, "w");
    bool whole = file && fwrite(text.ptr, 1, text.len, file) == text.len;
    if (file)
        whole = fclose(file) == 0 && whole;
    text_release(&text);
    return whole ? JOBQ_OK
                 : jobq_fail(err, JOBQ_UNAVAILABLE, "'%s' cannot be written: %s",
                             r->settings, strerror(errno));
}

static int run_start_box(struct run *r, int index, struct jobq_error *err)
{
    struct run_box *box = &r->box[index];
    char program[] = "/proc/self/exe", drain[] = "drain", json[] = "--json",
         scenario[] = "--scenario", record[] = "--record", box_option[] = "--box",
         name[24];
    char *argv[] = {program, drain,      r->queue,   json, scenario, r->settings,
                    record,  box->trace, box_option, name, NULL};
    /* As long as an instance's id, so that rows are as large as on boxes. */
    snprintf(name, sizeof name, "local-%013d", index + 1);
    posix_spawn_file_actions_t files;
    int ends[2];
    snprintf(box->trace, sizeof box->trace, "%s/drain-%d.jsonl", r->dir, index + 1);
    if (pipe2(ends, O_CLOEXEC) < 0)
        return jobq_fail(err, JOBQ_UNAVAILABLE, "no pipe: %s", strerror(errno));
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_adddup2(&files, ends[1], STDOUT_FILENO);
    int fault = posix_spawn(&box->pid, program, &files, NULL, argv, environ);
    posix_spawn_file_actions_destroy(&files);
    close(ends[1]);
    box->fd = ends[0];
    if (fault) {
        box->pid = 0;
        return jobq_fail(err, JOBQ_UNAVAILABLE, "no drainer can be started: %s",
                         strerror(fault));
    }
    r->boxes++;
    return JOBQ_OK;
}

static void run_take_line(struct run *r, struct run_box *box)
{
    static const char done[] = "{\"event\":\"done\"", dead[] = "{\"event\":\"dead\"";
    box->line[box->line_len] = '\0';
    if (strncmp(box->line, done, sizeof done - 1) == 0)
        r->done++;
    else if (strncmp(box->line, dead, sizeof dead - 1) == 0)
        r->dead++;
    else
        return;
    r->last_end_ns = loop_now_ns();
}

/* Counts the jobs that drainers say have ended. */
static void run_read_boxes(struct run *r)
{
    char bytes[4096];
    ssize_t got;
    for (int i = 0; i < r->boxes; i++) {
        struct run_box *box = &r->box[i];
        while (box->fd >= 0 && (got = read(box->fd, bytes, sizeof bytes)) != 0) {
            if (got < 0)
                break;
            for (ssize_t k = 0; k < got; k++) {
                if (bytes[k] == '\n') {
                    run_take_line(r, box);
                    box->line_len = 0;
                } else if (box->line_len + 1 < (int)sizeof box->line) {
                    box->line[box->line_len++] = bytes[k];
                }
            }
        }
    }
}

/* Returns how many drainers run. */
static int run_reap(struct run *r)
{
    int running = 0;
    for (int i = 0; i < r->boxes; i++) {
        struct run_box *box = &r->box[i];
        if (box->pid && waitpid(box->pid, &box->status, WNOHANG) == box->pid)
            box->pid = 0;
        running += box->pid != 0;
    }
    return running;
}

static void run_signal(struct run *r, int number)
{
    for (int i = 0; i < r->boxes; i++)
        if (r->box[i].pid)
            kill(r->box[i].pid, number);
}

static int run_add_ledgers(struct run *r, struct jobq_error *err)
{
    jobq_ledger_add(&r->total, &r->cli->live->ledger);
    for (int i = 0; i < r->boxes; i++) {
        struct run_box *box = &r->box[i];
        struct text text = {0};
        char bytes[4096];
        size_t got;
        FILE *file = fopen(box->trace, "r");
        while (file && (got = fread(bytes, 1, sizeof bytes, file)) > 0)
            text_put(&text, bytes, got);
        if (file)
            fclose(file);
        int rc =
            ledger_parse(text.ptr ? text.ptr : "", text.len, box->trace, &r->total, err);
        text_release(&text);
        if (rc < 0)
            return rc;
    }
    int64_t left = r->acked - r->done - r->dead;
    r->total.jobs[JOBQ_JOBS_GIVEN_UP] = left > 0 ? left : 0;
    r->total.span_ns = r->last_end_ns - r->origin_ns;
    r->total.store_byte_hours = r->store_byte_hours * (double)r->acked;
    for (int64_t i = 0; i < r->total.instance_count; i++) {
        const struct jobq_instance_use *use = &r->total.instance[i];
        double hours = (double)use->ended_at_ns / JOBQ_NS_PER_HOUR;
        r->total.volume_gib_hours += r->scenario->volume_gib * hours;
        r->total.ipv4_hours += r->scenario->public_ip ? hours : 0;
    }
    return JOBQ_OK;
}

/* ---- the run ------------------------------------------------------------------------------ */

static void run_on_signal(struct cli *cli, int number)
{
    struct run *r = cli->on_signal_ctx;
    (void)number;
    if (r->stopped)
        run_signal(r, SIGKILL);
    r->stopped = true;
}

static int run_drain(struct run *r, struct jobq_error *err)
{
    struct fiber_sched *sched = r->cli->live->backend.sched;
    while (!r->stopped && (!r->fed || r->done + r->dead < r->acked)) {
        fiber_cond_wait(sched, &r->changed, loop_now_ns() + RUN_LOOK_NS);
        run_read_boxes(r);
        if (run_reap(r) < r->boxes) {
            r->stopped = true;
            run_read_boxes(r);
            jobq_fail(err, JOBQ_UNAVAILABLE, "a drainer ended before the jobs did");
        }
    }
    run_signal(r, SIGTERM);
    while (run_reap(r) > 0) {
        run_read_boxes(r);
        fiber_sleep_until(sched, loop_now_ns() + RUN_LOOK_NS);
    }
    return err->code;
}

static int run_all(struct cli *cli, void *ctx, struct jobq_error *err)
{
    struct run *r = ctx;
    struct jobq_backend *b = &cli->live->backend;
    err->code = JOBQ_OK;
    struct record *record = NULL;
    if (cli_given(cli, RECORD)) {
        record = record_open(cli->value[RECORD], b, err);
        if (!record)
            return err->code;
    }
    int rc = run_open_queue(r, err);
    if (rc == JOBQ_OK)
        rc = run_write_settings(r, err);
    r->origin_ns = r->last_end_ns = loop_now_ns();
    for (int i = 0; i < r->scenario->boxes && rc == JOBQ_OK; i++)
        rc = run_start_box(r, i, err);
    if (rc < 0) {
        run_signal(r, SIGTERM);
        if (record)
            record_close(record, cli->live->transport);
        return rc;
    }
    const struct feed_options feed = {.feeders = (int)r->scenario->clients,
                                      .batch = (int)r->scenario->batch,
                                      .origin_ns = r->origin_ns,
                                      .payload_bytes = r->scenario->payload_bytes,
                                      .next = run_next,
                                      .answered = run_answered,
                                      .fed = run_fed,
                                      .ctx = r};
    feed_start(b, r->enqueuer, &feed);
    struct jobq_error early = {0};
    rc = run_drain(r, &early);
    if (record)
        record_close(record, cli->live->transport);
    int added = run_add_ledgers(r, err);
    if (rc < 0)
        *err = early;
    return rc < 0 ? rc : added;
}

/* ---- output -------------------------------------------------------------------------------- */

static int run_write_ledger(struct run *r, const char *path, struct jobq_error *err)
{
    char part[400];
    json_t *json = ledger_to_json(&r->total);
    snprintf(part, sizeof part, "%.390s.part", path);
    int bad = json_dump_file(json, part, JSON_INDENT(1) | JSON_REAL_PRECISION(17));
    json_decref(json);
    if (bad == 0 && rename(part, path) == 0)
        return JOBQ_OK;
    unlink(part);
    return jobq_fail(err, JOBQ_INVALID, "'%.200s' cannot be written: %s", path,
                     strerror(errno));
}

static void run_show(struct run *r)
{
    char usd[40], low[40], high[40], others[120];
    struct bill bill;
    struct jobq_error err;
    const struct bill_options how = {0};
    double spent = (double)NAN;
    int64_t finished = jobq_ledger_finished(&r->total);
    bill_init(&bill);
    if (bill_ledger(&bill, &r->total, r->sheet, &how, &err) == JOBQ_OK)
        spent = bill.usd;
    bill_release(&bill);
    if (r->cli->json) {
        json_t *root =
            json_pack("{s:s, s:f, s:f, s:f, s:f, s:o}", "schema", "jobq.run/1",
                      "predicted_usd", r->predicted_usd, "predicted_makespan_s",
                      r->predicted_s, "makespan_s", (double)r->total.span_ns / 1e9, "usd",
                      spent, "ledger", ledger_to_json(&r->total));
        json_dumpf(root, stdout, JSON_INDENT(1) | JSON_REAL_PRECISION(17));
        putchar('\n');
        json_decref(root);
        return;
    }
    printf("predicted  %s (95 %%: %s .. %s) in %.4g s\n",
           bill_usd_text(r->predicted_usd, usd, sizeof usd),
           bill_usd_text(r->low_usd, low, sizeof low),
           bill_usd_text(r->high_usd, high, sizeof high), r->predicted_s);
    printf("spent      %s in %.4g s: %lld of %lld jobs done",
           bill_usd_text(spent, usd, sizeof usd), (double)r->total.span_ns / 1e9,
           (long long)finished, (long long)r->scenario->jobs);
    if (jobq_ledger_unfinished(&r->total))
        printf(", %s", jobq_ledger_others_text(&r->total, others, sizeof others));
    if (finished > 0)
        printf("; %s a million finished jobs",
               bill_usd_text(spent / (double)finished * 1e6, usd, sizeof usd));
    printf("\nprices     %s %s, boxes as %s%s\n", sheet_region(r->sheet),
           sheet_date(r->sheet), r->scenario->instance, r->scenario->spot ? " spot" : "");
}

static int run_make_folder(struct run *r)
{
    const char *tmp = getenv("TMPDIR"), *given = r->cli->value[KEEP_TRACES];
    if (given) {
        r->keep = true;
        snprintf(r->dir, sizeof r->dir, "%.200s", given);
    } else {
        snprintf(r->dir, sizeof r->dir, "%.200s/jobq-run-XXXXXX", tmp ? tmp : "/tmp");
        if (!mkdtemp(r->dir)) {
            cli_complain(r->cli, "no folder for the traces: %s", strerror(errno));
            return CLI_FAILURE;
        }
    }
    snprintf(r->settings, sizeof r->settings, "%s/drain.ini", r->dir);
    return CLI_OK;
}

static void run_drop_folder(struct run *r)
{
    unlink(r->settings);
    for (int i = 0; i < r->boxes && !r->keep; i++)
        unlink(r->box[i].trace);
    if (!r->keep)
        rmdir(r->dir);
}

/* The exit code to end with, or CLI_OK. */
static int run_check(struct run *r, struct jobq_error *err)
{
    struct cli *cli = r->cli;
    struct scenario *s = r->scenario;
    char usd[40], budget[40];
    bool bad = false;
    r->budget_usd = (double)INFINITY;
    if (cli_given(cli, BUDGET) &&
        (jobq_parse_number(cli->value[BUDGET], &r->budget_usd, err) < 0 ||
         !(r->budget_usd >= 0)))
        cli_bad_value(cli, BUDGET, "want dollars, such as 0.50", &bad);
    if (s->boxes > BOXES_MAX) {
        cli_complain(cli, "--boxes: at most %d run as processes of one machine",
                     BOXES_MAX);
        bad = true;
    }
    if (bad)
        return CLI_USAGE;
    int rc = scenario_finish(s, err);
    if (rc == JOBQ_OK)
        rc = sheet_open(s->region, s->date, s->model, &r->sheet, err);
    if (rc == JOBQ_OK)
        rc = run_predict(r, err);
    if (rc < 0)
        return cli_fail(cli, NULL, err);
    if (r->predicted_usd <= r->budget_usd)
        return CLI_OK;
    cli_complain(cli, "predicted to cost %s, which exceeds the budget of %s",
                 bill_usd_text(r->predicted_usd, usd, sizeof usd),
                 bill_usd_text(r->budget_usd, budget, sizeof budget));
    return CLI_THRESHOLD;
}

static int run_scenario_live(struct run *r)
{
    struct cli *cli = r->cli;
    struct scenario *s = r->scenario;
    struct jobq_error err;
    struct live_options live = {0};
    if (cli_given(cli, QUEUE))
        snprintf(r->queue, sizeof r->queue, "%s", cli->value[QUEUE]);
    else
        snprintf(r->queue, sizeof r->queue, "run-%llx",
                 (unsigned long long)loop_wall_ns() / 1000);
    workload_init(&r->workload, &s->arrivals, &s->job_time,
                  s->trace.arrival_ns ? &s->trace : NULL, s->jobs, s->seed);
    cli->on_signal = run_on_signal;
    cli->on_signal_ctx = r;
    int rc = cli_run(cli, &live, run_all, r);
    cli->on_signal = NULL;
    if (rc != CLI_OK)
        return rc;
    run_show(r);
    if (cli_given(cli, OUT) && run_write_ledger(r, cli->value[OUT], &err) < 0)
        return cli_fail(cli, NULL, &err);
    if (r->over_budget) {
        cli_complain(cli, "the budget is spent: %lld of %lld jobs were enqueued",
                     (long long)r->acked, (long long)s->jobs);
        return CLI_THRESHOLD;
    }
    return r->stopped ? CLI_INTERRUPTED : CLI_OK;
}

static int run_run(struct cli *cli)
{
    struct jobq_error err = {0};
    struct run *r = xcalloc(1, sizeof *r);
    r->cli = cli;
    r->scenario = &cli->scenario;
    int rc = run_check(r, &err);
    if (rc == CLI_OK)
        rc = run_make_folder(r);
    if (rc == CLI_OK) {
        rc = run_scenario_live(r);
        run_drop_folder(r);
    }
    for (int i = 0; i < r->boxes; i++)
        close(r->box[i].fd);
    sheet_free(r->sheet);
    jobq_ledger_release(&r->total);
    free(r);
    return rc;
}

const struct cli_command cmd_run = {
    .name = "run",
    .synopsis = "[SCENARIO.ini] [options]",
    .summary = "enqueues a scenario's jobs, drains them, says the cost",
    .examples = "  jobq run fleet.ini --budget 0.50 -o live.json\n"
                "  jobq run --jobs 100 --job-time 2s --boxes 2 --concurrency 10\n"
                "  jobqcost predict fleet.ini -o predicted.json\n"
                "  jobqcost reconcile predicted.json live.json\n",
    .calls =
        "  Those of enqueuing and draining the scenario's jobs, which are its cost: "
        "it is\n  predicted first, and nothing is called if that exceeds --budget.\n",
    .option = options,
    .takes = TAKER_RUN | TAKER_ENQUEUE | TAKER_DRAIN,
    .run = run_run,
    .max_args = 1,
    .scenario_file = true};
