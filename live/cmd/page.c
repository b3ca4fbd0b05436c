#include "live/cmd/page.h"

#include "live/page/board.h"

#include <stdio.h>

void cmd_page_options(struct cli *cli, const struct cmd_page_index *at,
                      struct cmd_page *out, bool *bad)
{
    struct jobq_error err;
    *out = (struct cmd_page){.listen = cli_given(cli, at->listen) ? cli->value[at->listen]
                                                                  : "127.0.0.1:8080",
                             .guard = {.allowed = cli->value[at->allow_host],
                                       .read_only = cli_given(cli, at->read_only)}};
    if (cli_given(cli, at->token_file) &&
        page_token_read(&out->guard.token, cli->value[at->token_file], &err) < 0) {
        cli_bad_value(cli, at->token_file, err.text, bad);
        return;
    }
    if (board_check(out->listen, &out->local, &err) < 0) {
        cli_bad_value(cli, at->listen, err.text, bad);
        return;
    }
    if (out->guard.token.needed || out->local)
        return;
    char why[200];
    snprintf(why, sizeof why,
             "'%s' can be reached by other machines: give --token-file, or use 127.0.0.1 "
             "and ssh -L",
             out->listen);
    cli_bad_value(cli, at->listen, why, bad);
}

/* One line in the log for each action that was not let in. */
static void page_refused(void *ctx, const char *from, struct jobq_str path,
                         const char *why)
{
    const struct cmd_page *page = ctx;
    char shown[100];
    cli_complain(page->cli, "audit: %s asked for %s, refused: %.*s", from,
                 text_escape(path.ptr, path.len, shown, sizeof shown),
                 (int)strcspn(why, "\n"), why);
}

int cmd_page_listen(struct cli *cli, struct cmd_page *page, int64_t health_ns,
                    struct jobq_error *err)
{
    struct jobq_board *board = cli->live->backend.board;
    page->cli = cli;
    board_guard(board, &page->guard, page_refused, page);
    int port = board_listen(board, page->listen, health_ns, err);
    if (port >= 0 && !page->local)
        cli_complain(
            cli,
            "readers of %s send the token in clear text: use it only on a network "
            "that you trust, or behind TLS",
            page->listen);
    return port;
}

void cmd_page_url(const struct cmd_page *page, int port, struct text *out)
{
    const char *colon = strrchr(page->listen, ':');
    text_printf(out, "http://%.*s:%d/", (int)(colon - page->listen), page->listen, port);
}
