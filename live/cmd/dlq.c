/* dlq.c - jobq dlq ls and redrive, and jobq purge.
 *
 * Room:     live, jobq's program. Callers: jobq_main.c. */
#include "live/cmd/cmd.h"
#include "live/cmd/job.h"

#include "base/arena.h"
#include "fleet/dead/dead_letters.h"
#include "fleet/rows/rows.h"
#include "jobq/units.h"

#include <stdlib.h>

enum { LIMIT };
static const struct option_def dlq_options[] = {{"limit", 0, "N", "at most N jobs (all)"},
                                                {NULL, 0, NULL, NULL}};

struct dead {
    struct cli *cli;
    bool redrive;
    int64_t limit, shown, left; /* left: letters that a redrive could do nothing with */
    struct text out;
};

/* Says why a redrive did not send a dead letter. */
static void tell_unsent(struct dead *d, const struct dead_letter *letter)
{
    char id[160];
    text_escape(letter->job_id.ptr, letter->job_id.len, id, sizeof id);
    if (!letter->row_unreadable && letter->row_exists) {
        cli_say(d->cli, "job '%s' is %s: its dead letter was deleted, nothing was sent",
                id, job_state_name(letter->state));
        return;
    }
    d->left++;
    if (letter->row_unreadable) {
        cli_complain(d->cli, "row '%s' cannot be read: its dead letter stays", id);
        return;
    }
    text_escape(letter->message_id.ptr, letter->message_id.len, id, sizeof id);
    cli_complain(d->cli, "message '%s' is no job: it stays", id);
}

static int on_letter(void *ctx, const struct dead_letter *letter)
{
    struct dead *d = ctx;
    if (d->redrive && !letter->sent) {
        tell_unsent(d, letter);
        return 0;
    }
    if (d->cli->json) {
        text_puts(&d->out, d->shown ? "," : "");
        text_puts(&d->out, "{\"id\":");
        text_put_json(&d->out, letter->job_id);
        text_puts(&d->out, ",\"message_id\":");
        text_put_json(&d->out, letter->message_id);
        text_printf(&d->out, ",\"sent_ms\":%lld,\"bytes\":%lld}",
                    (long long)(letter->sent_wall_ns / JOBQ_NS_PER_MS),
                    (long long)letter->body_bytes);
    } else {
        text_put_escaped(&d->out, letter->job_id.ptr, (size_t)letter->job_id.len);
        text_printf(&d->out, "\t%lld bytes\n", (long long)letter->body_bytes);
    }
    d->shown++;
    cli_flush(d->cli, &d->out);
    return d->shown == d->limit;
}

static int dlq_work(struct cli *cli, void *ctx, struct jobq_error *err)
{
    struct dead *d = ctx;
    struct jobq_backend *b = &cli->live->backend;
    const char *queue = cli->arg[1];
    d->cli = cli;
    if (cli->json)
        text_printf(&d->out, "{\"schema\":\"jobq.dlq/1\",\"%s\":[",
                    d->redrive ? "redriven" : "jobs");
    int64_t rc = d->redrive ? dead_redrive(b, queue, d->limit, on_letter, d, err)
                            : dead_scan(b, queue, on_letter, d, err);
    int64_t hidden = rc < 0 ? 0 : dead_hidden(b, queue, err);
    if (cli->json && hidden > 0)
        text_printf(&d->out, "],\"hidden\":%lld}\n", (long long)hidden);
    else if (cli->json)
        text_puts(&d->out, rc < 0 ? "],\"incomplete\":true}\n" : "]}\n");
    cli_flush(cli, &d->out);
    if (rc < 0)
        return jobq_wrap(err, "queue '%s'", queue);
    if (hidden < 0)
        return jobq_wrap(err, "queue '%s'", queue);
    if (hidden > 0)
        cli_say(cli,
                "%lld more are hidden by another look at them, for a minute at most; try "
                "again then",
                (long long)hidden);
    if (d->shown == 0)
        cli_say(cli, d->left      ? "nothing was redriven"
                     : hidden > 0 ? "no dead letters that can be seen now"
                                  : "no dead letters");
    else
        cli_say(cli, "%lld %s; next: jobq %s %s%s", (long long)d->shown,
                d->redrive ? "redriven" : "dead", d->redrive ? "drain" : "dlq redrive",
                queue, d->redrive ? " -n 10" : "");
    return d->left ? CLI_FAILURE : CLI_OK;
}

static int run_dlq(struct cli *cli)
{
    bool bad = false;
    struct live_options live = {0};
    struct dead d = {.redrive = strcmp(cli->arg[0], "redrive") == 0,
                     .limit =
                         cli_count(cli, LIMIT, JOBQ_FOREVER, 1, JOBQ_FOREVER - 1, &bad)};
    if (!d.redrive && strcmp(cli->arg[0], "ls") != 0) {
        cli_complain(cli, "want: jobq dlq ls|redrive QUEUE");
        bad = true;
    }
    int rc = bad ? CLI_USAGE : cli_run(cli, &live, dlq_work, &d);
    text_release(&d.out);
    return rc;
}

const struct cli_command cmd_dlq = {
    .name = "dlq",
    .synopsis = "ls|redrive QUEUE [--limit N] [--store none]",
    .summary = "shows the dead letters of a queue, or puts them back",
    .examples = "  jobq dlq ls render\n"
                "  jobq dlq redrive render --limit 10\n",
    .calls =
        "  1 or 2 to open; per 10 jobs 1 ReceiveMessage and, ls, 1\n"
        "  ChangeMessageVisibilityBatch; 1 GetAttributes a job; redrive: 1 "
        "PutAttributes,\n"
        "  1 SendMessage and 1 DeleteMessage a job; ls: 1 PutAttributes for each "
        "that SQS\n"
        "  moved by itself, whose row it marks dead. With --store none SQS's alone.\n",
    .option = dlq_options,
    .takes = TAKER_DLQ,
    .run = run_dlq,
    .min_args = 2,
    .max_args = 2};

/* ---- purge ------------------------------------------------------------------------------------ */

enum { CONFIRM, ROWS, DEAD, DRY_RUN };
static const struct option_def purge_options[] = {
    {"confirm", 0, "QUEUE", "the queue's name again, to confirm"},
    {"rows", 0, NULL, "also drop the queue's tables or domains, with every row"},
    {"dead", 0, NULL, "also the dead-letter queue"},
    {"dry-run", 0, NULL, "say what would be done"},
    {NULL, 0, NULL, NULL}};

static int drop_tables(struct cli *cli, int64_t *dropped, struct jobq_error *err)
{
    struct jobq_table *table;
    struct arena arena;
    struct jobq_backend *b = &cli->live->backend;
    int64_t until_ns = jobq_now(b) + JOBQ_NS_PER_MIN;
    struct rows rows = {b, &until_ns, NULL};
    arena_init(&arena, 0);
    int count = rows_list_tables(&rows, str_of(cli->arg[0]), &arena, &table, NULL, err);
    int rc = count < 0 ? count : JOBQ_OK;
    for (int i = 0; i < count && rc == JOBQ_OK; i++) {
        *dropped += 1;
        if (!cli_given(cli, DRY_RUN))
            rc = rows_drop_table(&rows, &table[i], err);
    }
    arena_release(&arena);
    return rc;
}

static int purge_one(struct cli *cli, const char *name, struct jobq_queue_depth *depth,
                     struct jobq_error *err)
{
    struct jobq_backend *b = &cli->live->backend;
    int queue;
    int rc = cmd_queue_open(b, name, &queue, err);
    if (rc == JOBQ_OK)
        rc = jobq_queue_depth(b, queue, depth, err);
    if (rc == JOBQ_OK && !cli_given(cli, DRY_RUN))
        rc = jobq_queue_purge(b, queue, err);
    return rc;
}

static int purge_work(struct cli *cli, void *ctx, struct jobq_error *err)
{
    struct jobq_queue_depth depth = {0}, dead_depth = {0};
    char dead[JOBQ_QUEUE_NAME_MAX + 1];
    int64_t tables = 0;
    struct text out = {0};
    (void)ctx;
    int rc = job_queue_name_check(cli->arg[0], err);
    if (rc == JOBQ_OK)
        rc = purge_one(cli, cli->arg[0], &depth, err);
    if (rc == JOBQ_OK && cli_given(cli, DEAD)) {
        job_dead_queue_name(cli->arg[0], dead);
        rc = purge_one(cli, dead, &dead_depth, err);
    }
    if (rc == JOBQ_OK && cli_given(cli, ROWS))
        rc = drop_tables(cli, &tables, err);
    if (rc < 0)
        return rc;
    if (cli->json)
        text_printf(&out,
                    "{\"schema\":\"jobq.purge/1\",\"messages\":%lld,\"dead\":%lld,"
                    "\"domains\":%lld,\"dry_run\":%s}\n",
                    (long long)(depth.visible + depth.in_flight + depth.delayed),
                    (long long)dead_depth.visible, (long long)tables,
                    cli_given(cli, DRY_RUN) ? "true" : "false");
    cli_flush(cli, &out);
    text_release(&out);
    const char *word =
        cli->scenario.store == SCENARIO_STORE_DYNAMODB ? "table" : "domain";
    cli_say(cli, "%s about %lld messages, %lld dead ones, %lld %s%s%s",
            cli_given(cli, DRY_RUN) ? "would drop" : "dropped",
            (long long)(depth.visible + depth.in_flight + depth.delayed),
            (long long)dead_depth.visible, (long long)tables, word,
            tables == 1 ? "" : "s",
            cli_given(cli, ROWS) ? "" : "; rows stay, --rows drops them");
    if (cli_given(cli, DRY_RUN))
        cli_say(cli, "next: jobq purge %s --confirm=%s", cli->arg[0], cli->arg[0]);
    else
        cli_say(cli, "next: jobq doctor %s", cli->arg[0]);
    return JOBQ_OK;
}

static int run_purge(struct cli *cli)
{
    struct live_options live = {0};
    if (!cli_given(cli, DRY_RUN) && !cli_confirm(cli, cli->value[CONFIRM], cli->arg[0],
                                                 "this deletes every job waiting"))
        return CLI_USAGE;
    return cli_run(cli, &live, purge_work, NULL);
}

const struct cli_command cmd_purge = {
    .name = "purge",
    .synopsis = "QUEUE --confirm=QUEUE [--rows] [--dead] [--dry-run]",
    .summary = "deletes every message of a queue",
    .examples = "  jobq purge render --dry-run\n"
                "  jobq purge render --confirm=render --rows\n",
    .calls =
        "  3 a queue; with --rows 1 ListDomains per 100 domains and 1 DeleteDomain\n  "
        "each; in DynamoDB 1 DescribeTable and 1 DeleteTable.\n",
    .option = purge_options,
    .takes = TAKER_ROWS,
    .run = run_purge,
    .min_args = 1,
    .max_args = 1};
