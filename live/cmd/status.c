/* status.c - jobq status, jobq wait and jobq result: what rows say of jobs.
 *
 * Room:     live, jobq's program. Callers: jobq_main.c. */
#include "live/cmd/cmd.h"
#include "live/cmd/job.h"

#include "base/arena.h"
#include "fleet/port/retry.h"
#include "fleet/rows/rows.h"
#include "jobq/units.h"

#include <stdlib.h>

/* ---- one job, written ------------------------------------------------------------------------ */

static void put_ms(struct text *out, const char *name, int64_t value)
{
    if (value)
        text_printf(out, ",\"%s\":%lld", name, (long long)value);
}

void cmd_job_json(struct text *out, const struct status_job *job,
                  const struct cmd_ages *ages)
{
    text_puts(out, "{\"id\":");
    cli_json_cstr(out, job->id);
    text_printf(out, ",\"state\":\"%s\",\"attempt\":%lld", job_state_name(job->state),
                (long long)job->attempt);
    put_ms(out, "enqueued_ms", job->enqueued_ms);
    put_ms(out, "started_ms", job->started_ms);
    put_ms(out, "finished_ms", job->finished_ms);
    if (ages) {
        put_ms(out, "message_until_ms", status_message_until_ms(job, ages->retention_ns));
        put_ms(out, "row_until_ms", status_row_until_ms(job, ages->keep_ns));
    }
    if (job->finished_ms)
        text_printf(out, ",\"exit\":%lld,\"wall_ns\":%lld,\"cpu_ns\":%lld",
                    (long long)job->exit_code, (long long)job->wall_ns,
                    (long long)job->cpu_ns);
    if (job->progress >= 0)
        text_printf(out, ",\"progress\":%d", job->progress);
    if (job->box[0]) {
        text_puts(out, ",\"box\":");
        cli_json_cstr(out, job->box);
    }
    if (job->tail_bytes) {
        text_puts(out, ",\"output\":");
        text_put_json(out, (struct jobq_str){job->tail, job->tail_bytes});
    }
    if (job->printed_bytes > job->tail_bytes)
        text_printf(out, ",\"printed_bytes\":%lld", (long long)job->printed_bytes);
    text_putc(out, '}');
}

void cmd_job_plain(struct text *out, const struct status_job *job, bool with_output)
{
    char took[32];
    text_printf(out, "%s\t%s\tattempt %lld", job->id, job_state_name(job->state),
                (long long)job->attempt);
    if (job->finished_ms)
        text_printf(out, "\texit %lld\t%s", (long long)job->exit_code,
                    jobq_format_duration(job->wall_ns / JOBQ_NS_PER_MS * JOBQ_NS_PER_MS,
                                         took, sizeof took));
    if (job->progress >= 0)
        text_printf(out, "\t%d%%", job->progress);
    if (job->box[0])
        text_printf(out, "\ton %s", job->box);
    text_putc(out, '\n');
    if (!with_output || !job->tail_bytes)
        return;
    text_puts(out, "  | ");
    for (int i = 0; i < job->tail_bytes; i++) {
        char c = job->tail[i];
        if (c == '\n')
            text_puts(out, i + 1 < job->tail_bytes ? "\n  | " : "");
        else
            text_put_escaped(out, &c, 1);
    }
    text_putc(out, '\n');
}

int cmd_job_read(struct jobq_backend *b, const char *id, struct status_job *out,
                 struct jobq_error *err)
{
    return status_job_until(b, str_of(id), jobq_now(b) + 30 * JOBQ_NS_PER_S, out, err);
}

int cmd_queue_open(struct jobq_backend *b, const char *name, int *queue,
                   struct jobq_error *err)
{
    int rc = job_queue_name_check(name, err);
    if (rc < 0)
        return rc;
    rc = jobq_queue_open(b, name, queue, err);
    return rc < 0 ? jobq_wrap(err, "queue '%s'", name) : JOBQ_OK;
}

/* ---- status --------------------------------------------------------------------------------- */

static const struct option_def status_options[] = {{NULL, 0, NULL, NULL}};

static int status_show(struct cli *cli, void *ctx, struct jobq_error *err)
{
    struct status_job *job = xmalloc(sizeof *job);
    struct text out = {0};
    struct cmd_ages ages = {0};
    int worst = CLI_OK, shown = 0;
    (void)ctx;
    if (cli->json)
        text_puts(&out, "{\"schema\":\"jobq.jobs/1\",\"jobs\":[");
    for (int i = 0; i < cli->arg_count; i++) {
        int rc = cmd_job_read(&cli->live->backend, cli->arg[i], job, err);
        if (rc < 0) {
            char id[160];
            text_escape(cli->arg[i], (int64_t)strlen(cli->arg[i]), id, sizeof id);
            worst = cli_fail(cli, id, err);
            continue;
        }
        age_ask_of(cli, &ages, job);
        age_note(cli, &ages, job);
        if (cli->json) {
            text_puts(&out, shown++ ? "," : "");
            cmd_job_json(&out, job, &ages);
        } else {
            cmd_job_plain(&out, job, cli->arg_count == 1);
        }
        if (!cli->json)
            cli_flush(cli, &out);
    }
    if (cli->json)
        text_puts(&out, "]}\n");
    cli_flush(cli, &out);
    age_warn(cli, &ages);
    text_release(&out);
    free(job);
    return worst;
}

static int run_status(struct cli *cli)
{
    struct live_options live = {0};
    return cli_run(cli, &live, status_show, NULL);
}

const struct cli_command cmd_status = {
    .name = "status",
    .synopsis = "ID...",
    .summary = "says how jobs stand",
    .examples = "  jobq status render-0a1b...\n"
                "  jobq status --json render-0a1b... | jq '.jobs[0].state'\n",
    .calls =
        "  1 GetAttributes a job; for one that has not ended within an hour, once a\n"
        "  queue 1 GetQueueUrl and 1 GetQueueAttributes.\n",
    .option = status_options,
    .takes = TAKER_STATUS,
    .run = run_status,
    .min_args = 1,
    .max_args = -1};

/* ---- wait ------------------------------------------------------------------------------------- */

enum { ALL, TIMEOUT, INTERVAL };
static const struct option_def wait_options[] = {
    {"all", 0, NULL, "wait until the queue named is empty and all its jobs have ended"},
    {"timeout", 0, "T", "give up after T (never)"},
    {"interval", 0, "T", "check every T (1s, growing to 15s)"},
    {NULL, 0, NULL, NULL}};

struct waiting {
    int64_t until_ns, interval_ns;
    bool fixed;
};

static bool pause_between(struct cli *cli, struct waiting *w)
{
    struct jobq_backend *b = &cli->live->backend;
    int64_t at_ns = jobq_now(b) + w->interval_ns;
    if (jobq_now(b) >= w->until_ns)
        return false;
    fiber_sleep_until(b->sched, at_ns < w->until_ns ? at_ns : w->until_ns);
    if (!w->fixed && w->interval_ns < 15 * JOBQ_NS_PER_S)
        w->interval_ns += w->interval_ns / 2;
    return true;
}

static void show_empty(struct cli *cli)
{
    struct text out = {0};
    if (cli->json) {
        text_puts(&out, "{\"schema\":\"jobq.wait/1\",\"queue\":");
        cli_json_cstr(&out, cli->arg[0]);
        text_puts(&out, ",\"left\":0}\n");
    }
    cli_flush(cli, &out);
    text_release(&out);
    cli_say(cli, "queue '%s' is empty; next: jobq list %s --state dead", cli->arg[0],
            cli->arg[0]);
}

/* The first row that has not ended, at out (JOB_ID_MAX + 1 bytes): an empty queue does not
 * say that, because a job whose message was never sent waits too. Returns: 1 there is one,
 * 0 none, or an error. */
static int wait_for_row(struct cli *cli, char *out, struct jobq_error *err)
{
    struct jobq_backend *b = &cli->live->backend;
    struct jobq_table *table;
    struct rows_pages pages;
    struct jobq_item item[1];
    struct arena arena;
    int64_t all, until_ns = jobq_now(b) + 30 * JOBQ_NS_PER_S;
    struct rows rows = {b, &until_ns, NULL};
    arena_init(&arena, 0);
    int count = rows_list_tables(&rows, str_of(cli->arg[0]), &arena, &table, &all, err);
    int got = count < 0 ? count : 0;
    if (count > 0) {
        rows_pages_init(&pages, table, count, ROWS_LIVE, ROWS_CLAIM, 1);
        while (got == 0 && !rows_pages_done(&pages))
            got = rows_pages_next(&rows, &pages, &arena, item, err);
    }
    if (got > 0)
        snprintf(out, JOB_ID_MAX + 1, "%.*s", (int)item[0].name.len, item[0].name.ptr);
    arena_release(&arena);
    return got;
}

/* True: all have ended. A caller that may not read rows is told that only the queue was
 * asked. */
static bool wait_rows_ended(struct cli *cli, char *live, int *rc, struct jobq_error *err)
{
    bool told = live[0] != '\0';
    *rc = wait_for_row(cli, live, err);
    if (*rc == JOBQ_DENIED) {
        cli_say(cli, "the queue alone was asked, its rows may not be read: %s",
                err->text);
        *rc = JOBQ_OK;
        return true;
    }
    if (*rc > 0 && !told)
        cli_say(cli,
                "queue '%s' is empty, but job '%s' has not ended; if its message is "
                "lost, jobq repair %s sends it again",
                cli->arg[0], live, cli->arg[0]);
    return *rc == 0;
}

static int wait_all(struct cli *cli, struct waiting *w, struct jobq_error *err)
{
    struct jobq_backend *b = &cli->live->backend;
    struct jobq_queue_depth depth;
    char live[JOB_ID_MAX + 1] = "";
    int queue, empty = 0;
    int rc;
    struct retry retry;
    retry_init(&retry, b, &RETRY_CALLS, &w->until_ns);
    do
        rc = cmd_queue_open(b, cli->arg[0], &queue, err);
    while (rc < 0 && retry_again(&retry, rc));
    if (rc < 0)
        return rc;
    /* Counts are approximate: the queue is empty when two counts in a row say so. */
    do {
        rc = jobq_queue_depth(b, queue, &depth, err);
        if (rc < 0 && !jobq_code_is_retryable(rc))
            return rc;
        if (rc == JOBQ_OK) {
            int64_t left = depth.visible + depth.in_flight + depth.delayed;
            empty = left ? 0 : empty + 1;
            if (empty >= 2 && wait_rows_ended(cli, live, &rc, err)) {
                show_empty(cli);
                return JOBQ_OK;
            }
            if (rc < 0 && !jobq_code_is_retryable(rc))
                return rc;
            if (cli->verbose)
                cli_say(cli, "%lld jobs left", (long long)left);
        }
    } while (pause_between(cli, w));
    if (empty >= 2 && live[0])
        return jobq_fail(err, JOBQ_TIMEOUT, "queue is empty, but job '%s' has not ended",
                         live);
    return jobq_fail(err, JOBQ_TIMEOUT, "queue is not empty yet");
}

static int wait_ids(struct cli *cli, struct waiting *w, struct jobq_error *err)
{
    struct jobq_backend *b = &cli->live->backend;
    struct status_job *job = xmalloc(sizeof *job);
    bool *ended = xcalloc((size_t)cli->arg_count, sizeof *ended);
    struct text out = {0};
    int left = cli->arg_count, worst = CLI_OK, unread = CLI_OK, shown = 0, rc = JOBQ_OK;
    if (cli->json)
        text_puts(&out, "{\"schema\":\"jobq.jobs/1\",\"jobs\":[");
    do {
        for (int i = 0; i < cli->arg_count && rc == JOBQ_OK; i++) {
            if (ended[i])
                continue;
            rc = cmd_job_read(b, cli->arg[i], job, err);
            if (rc == JOBQ_CORRUPT) {
                /* This row will not become readable; wait for the others. */
                unread = cli_fail(cli, cli->arg[i], err);
                ended[i] = true;
                left--;
                rc = JOBQ_OK;
                continue;
            }
            /* With fewer rows than all, a job that waits has none yet. */
            if (rc == JOBQ_NOT_FOUND && cli->scenario.rows != SCENARIO_ROWS_ALL) {
                rc = JOBQ_OK;
                continue;
            }
            if (rc < 0 || !job_state_is_final(job->state))
                continue;
            ended[i] = true;
            left--;
            if (job->state != JOB_DONE)
                worst = CLI_JOB_FAILED;
            if (cli->json) {
                text_puts(&out, shown++ ? "," : "");
                cmd_job_json(&out, job, NULL);
            } else {
                cmd_job_plain(&out, job, false);
                cli_flush(cli, &out);
            }
        }
    } while (rc == JOBQ_OK && left && pause_between(cli, w));
    if (cli->json)
        text_puts(&out, "]}\n");
    cli_flush(cli, &out);
    text_release(&out);
    free(ended);
    free(job);
    if (rc < 0)
        return rc;
    if (left)
        return jobq_fail(err, JOBQ_TIMEOUT, "'%d' jobs have not ended", left);
    return unread ? unread : worst;
}

static int wait_work(struct cli *cli, void *ctx, struct jobq_error *err)
{
    struct waiting *w = ctx;
    w->until_ns = w->until_ns == JOBQ_FOREVER
                      ? JOBQ_FOREVER
                      : jobq_now(&cli->live->backend) + w->until_ns;
    return cli_given(cli, ALL) ? wait_all(cli, w, err) : wait_ids(cli, w, err);
}

static int run_wait(struct cli *cli)
{
    bool bad = false;
    struct live_options live = {0};
    struct waiting w = {.until_ns = cli_duration(cli, TIMEOUT, JOBQ_FOREVER, &bad),
                        .interval_ns = cli_duration(cli, INTERVAL, JOBQ_NS_PER_S, &bad),
                        .fixed = cli_given(cli, INTERVAL)};
    if (cli_given(cli, ALL) && cli->arg_count != 1) {
        cli_complain(cli, "--all wants one queue");
        bad = true;
    }
    if (w.interval_ns < 10 * JOBQ_NS_PER_MS)
        w.interval_ns = 10 * JOBQ_NS_PER_MS;
    return bad ? CLI_USAGE : cli_run(cli, &live, wait_work, &w);
}

const struct cli_command cmd_wait = {
    .name = "wait",
    .synopsis = "ID... | --all QUEUE",
    .summary = "waits until jobs have ended; 5 if one is dead or cancelled",
    .examples = "  jobq wait $(jobq enqueue render frame=1 kind=exec)\n"
                "  jobq wait --all render --timeout 1h\n",
    .calls =
        "  1 GetAttributes a job each check; with --all 1 GetQueueAttributes,\n"
        "  and when the queue is empty 1 ListDomains and 1 Select a domain of the queue\n"
        "  (about 2 micro-dollars each).\n",
    .option = wait_options,
    .takes = TAKER_ROWS,
    .run = run_wait,
    .min_args = 1,
    .max_args = -1};

/* ---- result ----------------------------------------------------------------------------------- */

enum { RESULT_WAIT };
static const struct option_def result_options[] = {
    {"wait", 0, "T", "wait until the job has ended, T at most (0s)"},
    {NULL, 0, NULL, NULL}};

static void say_result(struct cli *cli, const struct status_job *job)
{
    if (job->state != JOB_DONE)
        cli_complain(cli, "job is %s, exit code %lld; what follows is its last output",
                     job_state_name(job->state), (long long)job->exit_code);
    if (job->printed_bytes > job->tail_bytes)
        cli_complain(cli, "cut: the last %d bytes of %lld", job->tail_bytes,
                     (long long)job->printed_bytes);
}

/* ctx: how long to wait. */
static int result_show(struct cli *cli, void *ctx, struct jobq_error *err)
{
    const int64_t *wait_ns = ctx;
    struct status_job *job = xmalloc(sizeof *job);
    struct text out = {0};
    int rc = status_result(&cli->live->backend, str_of(cli->arg[0]), *wait_ns,
                           cli->scenario.rows != SCENARIO_ROWS_ALL, job, err);
    if (rc == JOBQ_OK) {
        rc = job->state == JOB_DONE ? CLI_OK : CLI_JOB_FAILED;
        if (cli->json) {
            text_puts(&out, "{\"schema\":\"jobq.jobs/1\",\"jobs\":[");
            cmd_job_json(&out, job, NULL);
            text_puts(&out, "]}\n");
        } else {
            say_result(cli, job);
            text_put(&out, job->tail, (size_t)job->tail_bytes);
        }
        cli_flush(cli, &out);
    }
    text_release(&out);
    free(job);
    return rc;
}

static int run_result(struct cli *cli)
{
    bool bad = false;
    struct live_options live = {0};
    int64_t wait_ns = cli_duration(cli, RESULT_WAIT, 0, &bad);
    return bad ? CLI_USAGE : cli_run(cli, &live, result_show, &wait_ns);
}

const struct cli_command cmd_result = {
    .name = "result",
    .synopsis = "ID [--wait T]",
    .summary = "prints what a job gave: the last 4 KiB of its output",
    .examples = "  jobq result --wait 10m $(jobq enqueue render frame=1 kind=exec)\n",
    .calls =
        "  1 GetAttributes a look; with --wait after 1 s, then less often, up to every\n"
        "  15 s.\n",
    .option = result_options,
    .takes = TAKER_ROWS,
    .run = run_result,
    .min_args = 1,
    .max_args = 1};
