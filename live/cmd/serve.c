/* serve.c - jobq serve: the status page of a queue.
 *
 * Room:     live, jobq's program. Callers: jobq_main.c. */
#include "live/cmd/cmd.h"
#include "live/cmd/page.h"

#include "fleet/status/page.h"
#include "fleet/status/status.h"
#include "jobq/units.h"
#include "live/world/notify.h"
#include "live/page/peers.h"

enum {
    LISTEN,
    TOKEN_FILE,
    ALLOW_HOST,
    READ_ONLY,
    IMAGE,
    PROFILE,
    TEMPLATE,
    MAX_BOXES,
    EXEC
};
static const struct option_def options[] = {
    {"listen", 0, "A:P", "serve the page at this address (127.0.0.1:8080)"},
    {"token-file", 0, "FILE", "token for readers, on line 1; required beyond 127.*"},
    {"allow-host", 0, "NAMES", "host names that a proxy may request the page by"},
    {"read-only", 0, NULL, "refuse every action"},
    {"image", 0, "AMI", "the image of boxes that the page starts (this box's)"},
    OPERATOR_PROFILE,
    OPERATOR_TEMPLATE,
    {"max-boxes", 0, "N", "start no box beyond so many in all (20)"},
    {"exec", 0, "CMD", "the command of exec jobs on boxes that the page starts"},
    {NULL, 0, NULL, NULL}};

static const struct operator_index starts = {.image = IMAGE,
                                             .profile = PROFILE,
                                             .launch_template = TEMPLATE,
                                             .exec = EXEC,
                                             .max_boxes = MAX_BOXES};

struct serving {
    struct cmd_page page;
    int64_t refresh_ns;
    bool stop;
    struct peers *peers;
    struct operator_kit kit;
    struct fiber_cond stopped;
};

static void serve_on_signal(struct cli *cli, int number)
{
    struct serving *s = cli->on_signal_ctx;
    (void)number;
    s->stop = true;
    fiber_cond_broadcast(&s->stopped);
}

static void serve_on(struct cli *cli, struct serving *s, int port)
{
    struct jobq_backend *b = &cli->live->backend;
    struct text out = {0};
    if (cli->json)
        text_printf(&out, "{\"schema\":\"jobq.serve/1\",\"port\":%d}\n", port);
    else
        cmd_page_url(&s->page, port, &out);
    text_puts(&out, cli->json ? "" : "\n");
    cli_flush(cli, &out);
    text_release(&out);
    notify_send("READY=1\nSTATUS=serving");
    while (!s->stop)
        fiber_cond_wait(b->sched, &s->stopped, JOBQ_FOREVER);
    notify_send("STOPPING=1");
}

static int serve_work(struct cli *cli, void *ctx, struct jobq_error *err)
{
    struct serving *s = ctx;
    struct jobq_backend *b = &cli->live->backend;
    struct status *status;
    int port =
        cmd_page_listen(cli, &s->page, 3 * s->refresh_ns + 60 * JOBQ_NS_PER_S, err);
    if (port < 0)
        return port;
    int rc = status_new(b, cli->arg[0], &status, err);
    if (rc < 0)
        return rc;
    s->peers = operator_peers(cli, cli->arg[0]);
    struct operate_options operate;
    operator_kit_fill(&s->kit, cli, cli->arg[0], &s->peers, &starts, &operate);
    struct page_options page = {.refresh_ns = s->refresh_ns,
                                .asks = true,
                                .peers = peers_list,
                                .peers_ctx = &s->peers,
                                .money = s->kit.money ? money_fill : NULL,
                                .money_ctx = s->kit.money};
    if (cmd_page_acts(&s->page))
        page.operate = operate_new(b, &operate);
    peers_ask(s->peers);
    rc = page_start(b, status, &page, err);
    if (rc == JOBQ_OK)
        serve_on(cli, s, port);
    peers_free(s->peers);
    s->peers = NULL;
    return rc;
}

static int serve_run(struct cli *cli)
{
    bool bad = false;
    struct serving s = {.refresh_ns = cli->scenario.refresh_ns};
    cmd_page_options(cli,
                     &(struct cmd_page_index){LISTEN, TOKEN_FILE, ALLOW_HOST, READ_ONLY},
                     &s.page, &bad);
    operator_kit_read(&s.kit, cli, &starts, &bad);
    struct live_options live = {0};
    cli->goes_on = true;
    cli->on_signal = serve_on_signal;
    cli->on_signal_ctx = &s;
    int rc = bad ? CLI_USAGE : cli_run(cli, &live, serve_work, &s);
    cli->on_signal = NULL;
    cli->on_signal_ctx = NULL;
    operator_kit_release(&s.kit); /* the page's fiber asked it for prices to its end */
    return rc;
}

const struct cli_command cmd_serve = {
    .name = "serve",
    .synopsis = "QUEUE [--listen A:P] [--token-file FILE]",
    .summary = "serves the status page of a queue",
    .examples = "  jobq serve render\n"
                "  jobq serve render --listen 127.0.0.1:0\n"
                "  jobq serve render --listen 0.0.0.0:8080 --token-file token\n",
    .calls =
        "  each refresh: 1 or 2 GetQueueAttributes, 1 Select over the drainers' rows, 1\n"
        "  DescribeInstances; a page view costs nothing.\n",
    .option = options,
    .takes = TAKER_SERVE,
    .run = serve_run,
    .min_args = 1,
    .max_args = 1};
