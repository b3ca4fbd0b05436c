#include "live/cmd/page.h"

#include "live/page/board.h"

#include <stdio.h>

void cmd_page_options(struct cli *cli, int listen, int token_file, int allow,
                      struct cmd_page *out, bool *bad)
{
    struct jobq_error err;
    *out = (struct cmd_page){.listen = cli_given(cli, listen) ? cli->value[listen]
                                                              : "127.0.0.1:8080",
                             .allow = cli->value[allow]};
    if (cli_given(cli, token_file) &&
        page_token_read(&out->token, cli->value[token_file], &err) < 0) {
        cli_bad_value(cli, token_file, err.text, bad);
        return;
    }
    if (board_check(out->listen, &out->local, &err) < 0) {
        cli_bad_value(cli, listen, err.text, bad);
        return;
    }
    if (out->token.needed || out->local)
        return;
    char why[200];
    snprintf(why, sizeof why,
             "'%s' can be reached by other machines: give --token-file, or use 127.0.0.1 "
             "and ssh -L",
             out->listen);
    cli_bad_value(cli, listen, why, bad);
}

int cmd_page_listen(struct cli *cli, const struct cmd_page *page, int64_t health_ns,
                    struct jobq_error *err)
{
    struct jobq_board *board = cli->live->backend.board;
    board_guard(board, &page->token);
    board_allow(board, page->allow);
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
