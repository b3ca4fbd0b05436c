/* list.c - jobq list and jobq cancel.
 *
 * Room:     live, jobq's program. Callers: jobq_main.c. */
#include "live/cmd/cmd.h"
#include "live/cmd/job.h"

#include "base/arena.h"
#include "cost/bill/bill.h"
#include "fleet/port/retry.h"
#include "jobq/units.h"

#include <stdlib.h>

enum { STATE, LIMIT };
static const struct option_def list_options[] = {
    {"state", 0, "queued|running|done|failed|dead|cancelled",
     "only jobs in this state (all)"},
    {"limit", 0, "N", "at most N rows (all)"},
    {NULL, 0, NULL, NULL}};

/* UNREADABLE_MAX: so many of --json's "unreadable"; a line on stderr has each of them. */
enum { PAGE = 100, UNREADABLE_MAX = 10000 };

struct listing {
    struct status_list list;
    struct status_job page[PAGE];
    struct cmd_ages ages;
    struct arena arena, rows;
    int state;
    int64_t limit, shown, unreadable;
    struct text out;
    struct text unread; /* members of "unreadable" */
};

/* One cheap request (DomainMetadata a domain) says how many rows a listing would read. */
static void say_price(struct cli *cli, struct listing *l)
{
    int64_t rows = 0;
    struct jobq_error ignored;
    if (status_list_count(&l->list, &rows, &ignored) < 0)
        return;
    if (l->limit < rows && l->state < 0)
        rows = l->limit;
    double usd = cmd_pages_usd(&cli->live->backend, rows);
    if (usd > 0.01)
        cli_complain(cli, "this reads %lld rows and costs about $%.2f", (long long)rows,
                     usd);
}

/* A row that jobq did not write, or that is damaged. */
static void show_unreadable(struct cli *cli, struct listing *l,
                            const struct status_job *job)
{
    cli_complain(cli, "row '%s' cannot be read: %s", job->id, job->fault);
    if (++l->unreadable > UNREADABLE_MAX)
        return;
    text_puts(&l->unread, l->unreadable > 1 ? "," : "");
    text_puts(&l->unread, "{\"id\":");
    cli_json_cstr(&l->unread, job->id);
    text_puts(&l->unread, ",\"why\":");
    cli_json_cstr(&l->unread, job->fault);
    text_putc(&l->unread, '}');
}

static void show_page(struct cli *cli, struct listing *l, int count)
{
    for (int i = 0; i < count; i++) {
        if (l->page[i].fault[0]) {
            show_unreadable(cli, l, &l->page[i]);
            continue;
        }
        age_note(cli, &l->ages, &l->page[i]);
        if (cli->json) {
            text_puts(&l->out, l->shown ? "," : "");
            cmd_job_json(&l->out, &l->page[i], &l->ages);
        } else {
            cmd_job_plain(&l->out, &l->page[i], false);
        }
        l->shown++;
    }
    cli_flush(cli, &l->out);
}

/* The output is valid JSON even if it is incomplete, and then says so. */
static void end_json(struct cli *cli, struct listing *l, bool incomplete)
{
    if (cli->json) {
        text_putc(&l->out, ']');
        if (l->unread.len) {
            text_puts(&l->out, ",\"unreadable\":[");
            text_put_str(&l->out, text_str(&l->unread));
            text_putc(&l->out, ']');
        }
        text_puts(&l->out, incomplete ? ",\"incomplete\":true}\n" : "}\n");
    }
    cli_flush(cli, &l->out);
}

static int list_work(struct cli *cli, void *ctx, struct jobq_error *err)
{
    struct listing *l = ctx;
    struct jobq_backend *b = &cli->live->backend;
    int rc =
        status_list_start(b, cli->arg[0], l->state, l->limit, &l->arena, &l->list, err);
    if (rc < 0)
        return rc;
    /* Does the queue have no row yet, or was its name mistyped? */
    int queue;
    if (l->list.pages.table_count == 0 &&
        (rc = cmd_queue_open(b, cli->arg[0], &queue, err)) < 0)
        return rc;
    say_price(cli, l);
    age_ask(cli, &l->ages, cli->arg[0]);
    if (cli->json)
        text_puts(&l->out, "{\"schema\":\"jobq.jobs/1\",\"jobs\":[");
    struct retry retry;
    int64_t until_ns = jobq_now(b) + JOBQ_NS_PER_MIN;
    retry_init(&retry, b, &RETRY_CALLS, &until_ns);
    for (;;) {
        arena_reset(&l->rows);
        int got = status_list_next(&l->list, &l->rows, l->page, PAGE, err);
        if (got < 0 && retry_again(&retry, got))
            continue;
        if (got < 0) {
            end_json(cli, l, true);
            return got;
        }
        if (got == 0)
            break;
        until_ns = jobq_now(b) + JOBQ_NS_PER_MIN;
        retry_init(&retry, b, &RETRY_CALLS, &until_ns);
        show_page(cli, l, got);
    }
    end_json(cli, l, false);
    age_warn(cli, &l->ages);
    return l->unreadable ? CLI_FAILURE : JOBQ_OK;
}

static int run_list(struct cli *cli)
{
    bool bad = false;
    const char *names[JOB_STATE_COUNT + 1] = {NULL};
    for (int i = 0; i < JOB_STATE_COUNT; i++)
        names[i] = job_state_name((enum job_state)i);
    struct live_options live = {0};
    struct listing *l = xcalloc(1, sizeof *l);
    l->state = cli_choice(cli, STATE, names, -1, &bad);
    l->limit = cli_count(cli, LIMIT, JOBQ_FOREVER, 1, JOBQ_FOREVER - 1, &bad);
    arena_init(&l->arena, 0);
    arena_init(&l->rows, 0);
    int rc = bad ? CLI_USAGE : cli_run(cli, &live, list_work, l);
    arena_release(&l->arena);
    arena_release(&l->rows);
    text_release(&l->out);
    text_release(&l->unread);
    free(l);
    return rc;
}

const struct cli_command cmd_list = {
    .name = "list",
    .synopsis = "QUEUE [--state S] [--limit N]",
    .summary = "lists every row of a queue; 1 if one of them cannot be read",
    .examples = "  jobq list render --state dead\n"
                "  jobq list render --json | jq '.jobs | length'\n",
    .calls = "  1 GetQueueUrl, 1 GetQueueAttributes, 1 ListDomains per 100 domains, 1\n"
             "  DomainMetadata a domain, then 1 Select per 100 rows; about $1.3 a\n"
             "  million rows, said first when it is over a cent.\n",
    .option = list_options,
    .takes = TAKER_LIST,
    .run = run_list,
    .min_args = 1,
    .max_args = 1};

/* ---- cancel ----------------------------------------------------------------------------------- */

static const struct option_def cancel_options[] = {{NULL, 0, NULL, NULL}};

static int cancel_work(struct cli *cli, void *ctx, struct jobq_error *err)
{
    struct text out = {0};
    int worst = CLI_OK;
    (void)ctx;
    if (cli->json)
        text_puts(&out, "{\"schema\":\"jobq.cancel/1\",\"jobs\":[");
    for (int i = 0, shown = 0; i < cli->arg_count; i++) {
        enum job_state state = JOB_CANCELLED;
        struct jobq_backend *b = &cli->live->backend;
        int rc = status_cancel(b, str_of(cli->arg[i]), &state, err);
        if (rc < 0 && rc != JOBQ_CONFLICT) {
            char id[160];
            text_escape(cli->arg[i], (int64_t)strlen(cli->arg[i]), id, sizeof id);
            worst = cli_fail(cli, id, err);
            continue;
        }
        if (rc == JOBQ_CONFLICT)
            worst = CLI_FAILURE;
        if (cli->json) {
            text_puts(&out, shown++ ? "," : "");
            text_puts(&out, "{\"id\":");
            cli_json_cstr(&out, cli->arg[i]);
            text_printf(&out, ",\"cancelled\":%s,\"state\":\"%s\"}",
                        rc == JOBQ_OK ? "true" : "false", job_state_name(state));
        } else {
            text_printf(&out, "%s\t%s%s\n", cli->arg[i],
                        rc == JOBQ_OK ? "" : "not cancelled: ", job_state_name(state));
        }
    }
    if (cli->json)
        text_puts(&out, "]}\n");
    cli_flush(cli, &out);
    text_release(&out);
    if (worst == CLI_OK)
        cli_say(cli, "a running job is stopped at its drainer's next check "
                     "(drain --cancel-check), or its result is dropped");
    return worst;
}

static int run_cancel(struct cli *cli)
{
    struct live_options live = {0};
    return cli_run(cli, &live, cancel_work, NULL);
}

const struct cli_command cmd_cancel = {
    .name = "cancel",
    .synopsis = "ID...",
    .summary = "cancels jobs that have not ended",
    .examples = "  jobq cancel render-0a1b...\n",
    .calls = "  1 GetAttributes and 1 PutAttributes a job.\n",
    .option = cancel_options,
    .takes = TAKER_ROWS,
    .run = run_cancel,
    .min_args = 1,
    .max_args = -1};
