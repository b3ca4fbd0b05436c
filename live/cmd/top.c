/* top.c - jobq top: the status page in a terminal.
 *
 * Room:     live, jobq's program. Callers: jobq_main.c.
 *
 * It is one more board: what the product's page fiber posts is drawn instead of served. With
 * --page the same bytes come from a page that is served elsewhere. */
#include "live/cmd/cmd.h"
#include "live/cmd/page.h"
#include "live/page/screen.h"

#include "base/arena.h"
#include "fleet/status/page.h"
#include "fleet/status/status.h"
#include "jobq/units.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define KEYS "q quits; arrows scroll"
#define ASK_EVERY_NS (2 * JOBQ_NS_PER_S)
#define ASK_TIMEOUT_NS (5 * JOBQ_NS_PER_S)
#define PEERS_FOR_NS (JOBQ_NS_PER_S)
#define LOOK_NS (20 * JOBQ_NS_PER_MS)
enum { REPLY_MAX = 16 << 20 };

enum { PAGE, TOKEN_FILE };
static const struct option_def options[] = {
    {"page", 0, "URL", "read a page that is served there, such as http://127.0.0.1:8080"},
    {"token-file", 0, "FILE", "that page's token, on line 1"},
    {NULL, 0, NULL, NULL}};

struct top {
    struct jobq_board port; /* first */
    struct cli *cli;
    const char *wanted;    /* the path whose bytes are shown */
    struct screen *screen; /* NULL: they are printed once */
    struct text shown;
    struct text url, header; /* of --page */
    struct peers *peers;
    struct money *money;
    bool stop;
    struct fiber_cond stopped;
};

static void top_post(struct jobq_board *board, const char *path, int status,
                     const char *content_type, struct jobq_str bytes)
{
    struct top *top = (struct top *)board;
    (void)status;
    (void)content_type;
    if (strcmp(path, top->wanted) != 0)
        return;
    text_clear(&top->shown);
    text_put_str(&top->shown, bytes);
    if (top->screen)
        screen_show(top->screen, bytes, KEYS);
}

static const struct jobq_board_ops ops = {.name = "top", .post = top_post};

static void top_stop(void *ctx)
{
    struct top *top = ctx;
    top->stop = true;
    fiber_cond_broadcast(&top->stopped);
}

static void top_on_signal(struct cli *cli, int number)
{
    struct top *top = cli->on_signal_ctx;
    (void)number;
    screen_close(top->screen);
    _exit(CLI_INTERRUPTED);
}

static void top_wait(struct top *top)
{
    while (!top->stop)
        fiber_cond_wait(top->cli->live->backend.sched, &top->stopped, JOBQ_FOREVER);
}

/* ---- from a page ------------------------------------------------------------------------- */

static int page_build(void *ctx, struct request *request, struct query *query,
                      struct jobq_error *err)
{
    struct top *top = ctx;
    (void)query;
    (void)err;
    text_puts(&request->head, "User-Agent: " REQUEST_USER_AGENT "\r\n");
    text_put_str(&request->head, text_str(&top->header));
    return JOBQ_OK;
}

static int page_take(void *ctx, const struct transport_call *call, struct jobq_str body,
                     struct jobq_error *err)
{
    if (call->status == 200) {
        top_post(ctx, ((struct top *)ctx)->wanted, 200, "", body);
        return JOBQ_OK;
    }
    if (call->status == 401)
        return jobq_fail(err, JOBQ_DENIED, "page wants its token: see --token-file");
    if (call->status == 404)
        return jobq_fail(err, JOBQ_NOT_FOUND, "there is no status page at '%s'",
                         call->url);
    return jobq_fail(err, JOBQ_UNAVAILABLE, "page answered HTTP %d", call->status);
}

static int ask_page(struct top *top, struct jobq_error *err)
{
    struct transport_call call = {.method = "GET",
                                  .url = top->url.ptr,
                                  .timeout_ns = ASK_TIMEOUT_NS,
                                  .reply_max = REPLY_MAX,
                                  .build = page_build,
                                  .read = page_take,
                                  .ctx = top};
    return transport_run(top->cli->live->transport, &call, err);
}

/* What was read last stays on the screen while the page does not answer. */
static void page_asker(void *arg)
{
    struct top *top = arg;
    struct jobq_backend *b = &top->cli->live->backend;
    for (;;) {
        struct jobq_error err;
        char last[sizeof err.text + 64];
        fiber_sleep_until(b->sched, jobq_now(b) + ASK_EVERY_NS);
        if (ask_page(top, &err) == JOBQ_OK)
            continue;
        snprintf(last, sizeof last, KEYS "; not up to date: %s", err.text);
        screen_show(top->screen, text_str(&top->shown), last);
    }
}

static int top_page(struct top *top, struct jobq_error *err)
{
    int rc = ask_page(top, err);
    if (rc < 0 || !top->screen)
        return rc;
    fiber_spawn(top->cli->live->backend.proc, page_asker, top);
    top_wait(top);
    return JOBQ_OK;
}

/* ---- from the queue ------------------------------------------------------------------------ */

/* Drainers of this box answer within milliseconds, those that hang do not. */
static void await_peers(struct top *top)
{
    struct jobq_backend *b = &top->cli->live->backend;
    struct status_drainer *peer = xcalloc(PEERS_LISTED_MAX, sizeof *peer);
    int64_t until_ns = jobq_now(b) + PEERS_FOR_NS;
    bool waiting = true;
    while (waiting && jobq_now(b) < until_ns) {
        waiting = false;
        peers_list(&top->peers, peer, PEERS_LISTED_MAX, &waiting);
        if (waiting)
            fiber_sleep_until(b->sched, jobq_now(b) + LOOK_NS);
    }
    free(peer);
}

static int top_queue(struct top *top, struct jobq_error *err)
{
    struct cli *cli = top->cli;
    struct jobq_backend *b = &cli->live->backend;
    struct jobq_board *served = b->board;
    struct status *status;
    int rc = status_new(b, cli->arg[0], &status, err);
    if (rc < 0)
        return rc;
    top->peers = operator_peers(cli, cli->arg[0]);
    top->money = money_new(&cli->scenario, cli->live->aws.region);
    struct page_options page = {.refresh_ns = cli->scenario.refresh_ns,
                                .peers = peers_list,
                                .peers_ctx = &top->peers,
                                .money = top->money ? money_fill : NULL,
                                .money_ctx = top->money};
    b->board = &top->port;
    peers_ask(top->peers);
    if (top->screen) {
        rc = page_start(b, status, &page, err);
        if (rc == JOBQ_OK)
            top_wait(top);
    } else {
        await_peers(top);
        page_post(b, status, &page);
    }
    b->board = served;
    peers_free(top->peers);
    top->peers = NULL;
    return rc;
}

static int top_work(struct cli *cli, void *ctx, struct jobq_error *err)
{
    struct top *top = ctx;
    if (!cli->json && screen_is_there())
        top->screen = screen_open(cli->live->loop, top_stop, top);
    int rc = top->url.len ? top_page(top, err) : top_queue(top, err);
    screen_close(top->screen);
    if (rc == JOBQ_OK && !top->screen)
        cli_flush(cli, &top->shown);
    return rc;
}

/* ---- the command --------------------------------------------------------------------------- */

static void read_page(struct cli *cli, struct top *top, bool *bad)
{
    const char *url = cli->value[PAGE];
    char token[PAGE_TOKEN_MAX + 1];
    struct jobq_error err;
    size_t len = strlen(url);
    if (strncmp(url, "http://", 7) != 0 && strncmp(url, "https://", 8) != 0) {
        cli_bad_value(cli, PAGE, "want an address that begins with http:// or https://",
                      bad);
        return;
    }
    while (len > 0 && url[len - 1] == '/')
        len--;
    text_put(&top->url, url, len);
    text_puts(&top->url, top->wanted);
    if (!cli_given(cli, TOKEN_FILE))
        return;
    if (page_token_line(cli->value[TOKEN_FILE], token, &err) < 0)
        cli_bad_value(cli, TOKEN_FILE, err.text, bad);
    else
        text_printf(&top->header, "Authorization: Bearer %s\r\n", token);
}

static int top_run(struct cli *cli)
{
    struct live_options live = {.store = cli_given(cli, PAGE) ? SCENARIO_STORE_NONE
                                                              : SCENARIO_STORE_SIMPLEDB};
    struct top *top = xcalloc(1, sizeof *top);
    bool bad = false;
    *top = (struct top){.port.ops = &ops,
                        .cli = cli,
                        .wanted = cli->json ? "/status.json" : "/status.txt"};
    if (cli_given(cli, PAGE) == (cli->arg_count > 0)) {
        cli_complain(cli, "want a queue, or --page URL");
        bad = true;
    } else if (cli_given(cli, PAGE)) {
        read_page(cli, top, &bad);
    }
    cli->goes_on = screen_is_there();
    cli->on_signal = top_on_signal;
    cli->on_signal_ctx = top;
    int rc = bad ? CLI_USAGE : cli_run(cli, &live, top_work, top);
    cli->on_signal = NULL;
    cli->on_signal_ctx = NULL;
    money_free(top->money);
    text_release(&top->shown);
    text_release(&top->url);
    text_release(&top->header);
    free(top->screen);
    free(top);
    return rc;
}

const struct cli_command cmd_top = {
    .name = "top",
    .synopsis = "QUEUE | --page URL [--token-file FILE]",
    .summary = "shows the status page of a queue in a terminal",
    .examples = "  jobq top render\n"
                "  jobq top --page http://127.0.0.1:8080\n"
                "  jobq top render >status.txt\n",
    .calls = "  each refresh as jobq serve; with --page none: the page has read them.\n",
    .option = options,
    .takes = TAKER_SERVE,
    .run = top_run,
    .min_args = 0,
    .max_args = 1};
