/* house.c - jobq prune and jobq repair: the drainers' housekeeping, run by hand.
 *
 * Room:     live, jobq's program. Callers: jobq_main.c. */
#include "live/cmd/cmd.h"
#include "live/cmd/job.h"

#include "base/arena.h"
#include "fleet/housekeeping/housekeeping.h"
#include "fleet/rows/rows.h"
#include "jobq/units.h"

/* SimpleDB's machine hours (facts of boxusage) and their price, and DynamoDB's read unit on
 * demand (AWS price list, us-east-1): only for the word of what it costs, the bill is made elsewhere. */
#define BOX_HOUR_USD 0.14
#define READ_UNIT_USD 0.000000125
#define DROP_HOURS 0.0055590278

double cmd_pages_usd(struct jobq_backend *b, int64_t rows)
{
    struct jobq_call_cost cost;
    jobq_store_page_cost(b, rows, &cost);
    return (double)cost.box_usage_e10h * 1e-10 * BOX_HOUR_USD +
           cost.read_units * READ_UNIT_USD;
}

struct house {
    struct cli *cli;
    struct housekeeping keeping;
    struct housekeeping_done done;
    int64_t timeout_ns;
};

/* Fills in the queue's own attributes. */
static int open_house(struct house *h, struct jobq_error *err)
{
    struct jobq_backend *b = &h->cli->live->backend;
    struct jobq_queue_depth depth;
    int rc = cmd_queue_open(b, h->cli->arg[0], &h->keeping.queue, err);
    if (rc == JOBQ_OK)
        rc = jobq_queue_depth(b, h->keeping.queue, &depth, err);
    if (rc < 0)
        return rc;
    h->keeping.b = b;
    h->keeping.queue_name = str_of(h->cli->arg[0]);
    h->keeping.retention_ns = depth.retention_ns;
    h->keeping.visibility_ns = depth.visibility_ns;
    return housekeeping_check_keep(h->keeping.keep_ns, depth.retention_ns, err);
}

static void house_show(struct house *h, const char *nothing, double usd)
{
    struct cli *cli = h->cli;
    const struct housekeeping_done *done = &h->done;
    struct text out = {0};
    char said[200];
    housekeeping_say(done, h->keeping.dry_run, said, sizeof said);
    if (cli->json) {
        text_printf(&out,
                    "{\"schema\":\"jobq.house/1\",\"domains\":%lld,\"dropped\":%lld,"
                    "\"kept\":%lld,\"waiting\":%lld,\"sent\":%lld,\"unreadable\":%lld,"
                    "\"usd\":%.6f,\"dry_run\":%s}\n",
                    (long long)done->tables, (long long)done->dropped,
                    (long long)done->kept, (long long)done->waiting,
                    (long long)done->sent, (long long)done->unreadable, usd,
                    h->keeping.dry_run ? "true" : "false");
        cli_flush(cli, &out);
        text_release(&out);
    }
    cli_say(cli, "%s; about $%.6f", said[0] ? said : nothing, usd);
}

/* ---- prune ----------------------------------------------------------------------------- */

enum { PRUNE_DRY_RUN };
static const struct option_def prune_options[] = {
    {"dry-run", 0, NULL, "say what would be done"}, {NULL, 0, NULL, NULL}};

static int prune_work(struct cli *cli, void *ctx, struct jobq_error *err)
{
    struct house *h = ctx;
    h->cli = cli;
    int rc = open_house(h, err);
    if (rc == JOBQ_OK)
        rc = housekeeping_prune(&h->keeping, &h->done, err);
    if (rc < 0)
        return jobq_wrap(err, "queue '%s'", cli->arg[0]);
    house_show(h, "no day is past its keep",
               (double)h->done.dropped * DROP_HOURS * BOX_HOUR_USD);
    return CLI_OK;
}

static int run_prune(struct cli *cli)
{
    struct live_options live = {0};
    struct house h = {.keeping = {.keep_ns = cli->scenario.keep_ns,
                                  .dry_run = cli_given(cli, PRUNE_DRY_RUN)}};
    return cli_run(cli, &live, prune_work, &h);
}

const struct cli_command cmd_prune = {
    .name = "prune",
    .synopsis = "QUEUE [--keep T] [--dry-run]",
    .summary = "drops the rows of days older than --keep, as drainers do",
    .examples = "  jobq prune render --dry-run\n"
                "  jobq prune render --keep 30d\n",
    .calls = "  1 GetQueueUrl, 1 GetQueueAttributes, 1 ListDomains per 100 domains; for\n"
             "  each one older than --keep 1 Select and 1 DeleteDomain ($0.00078);\n"
             "  1 Select more.\n",
    .option = prune_options,
    .takes = TAKER_PRUNE,
    .run = run_prune,
    .min_args = 1,
    .max_args = 1};

/* ---- repair ---------------------------------------------------------------------------- */

enum { REPAIR_TIMEOUT, REPAIR_DRY_RUN };
static const struct option_def repair_options[] = {
    {"timeout", 0, "T", "wait up to T for the queue to be empty (0s)"},
    {"dry-run", 0, NULL, "say what would be done"},
    {NULL, 0, NULL, NULL}};

static int repair_work(struct cli *cli, void *ctx, struct jobq_error *err)
{
    struct house *h = ctx;
    h->cli = cli;
    int rc = open_house(h, err);
    if (rc == JOBQ_OK) {
        int64_t until_ns = jobq_now(h->keeping.b) + h->timeout_ns;
        rc = housekeeping_repair(&h->keeping, 0, until_ns, &h->done, err);
    }
    if (rc < 0 && rc != JOBQ_TIMEOUT)
        return jobq_wrap(err, "queue '%s'", cli->arg[0]);
    house_show(h, "no row lacks a message", cmd_pages_usd(h->keeping.b, h->done.waiting));
    if (rc == JOBQ_TIMEOUT) /* what waits there may have its message yet */
        return rc;
    return h->done.unreadable ? CLI_FAILURE : CLI_OK;
}

static int run_repair(struct cli *cli)
{
    bool bad = false;
    struct live_options live = {0};
    struct house h = {.keeping = {.keep_ns = cli->scenario.keep_ns,
                                  .dry_run = cli_given(cli, REPAIR_DRY_RUN)},
                      .timeout_ns = cli_duration(cli, REPAIR_TIMEOUT, 0, &bad)};
    return bad ? CLI_USAGE : cli_run(cli, &live, repair_work, &h);
}

const struct cli_command cmd_repair = {
    .name = "repair",
    .synopsis = "QUEUE [--timeout T] [--dry-run]",
    .summary = "resends waiting jobs whose message was lost",
    .examples = "  jobq repair render --dry-run\n"
                "  jobq repair render --timeout 10min\n",
    .calls =
        "  1 GetQueueUrl; GetQueueAttributes four times a visibility timeout, for one\n"
        "  that the queue is empty; 1 ListDomains per 100 domains, 1 Select per 100\n"
        "  waiting rows of a domain ($1.3 a million rows), 1 SendMessage a message.\n",
    .option = repair_options,
    .takes = TAKER_REPAIR,
    .run = run_repair,
    .min_args = 1,
    .max_args = 1};
