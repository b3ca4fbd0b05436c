/* page.h - where serve and drain --serve put the page, and who may read it.
 *
 * Room:     live, jobq's program.
 * Callers:  live/cmd/serve.c, live/cmd/drain.c.
 * Knows nothing of: what the page shows. */
#ifndef JOBQ_LIVE_CMD_PAGE_H
#define JOBQ_LIVE_CMD_PAGE_H

#include "live/cmd/cli.h"
#include "live/page/guard.h"

#include <stdbool.h>

struct cmd_page {
    const char *listen; /* "127.0.0.1:8080" */
    bool local;         /* only this machine reaches it */
    struct guard guard; /* who may read, and act */
    struct cli *cli;    /* set by cmd_page_listen */
};

/* Reads the options of those indices. An address that others than this machine reach wants a
 * token: complains and makes *bad true without one. */
struct cmd_page_index {
    int listen, token_file, allow_host, read_only;
};
void cmd_page_options(struct cli *cli, const struct cmd_page_index *at,
                      struct cmd_page *out, bool *bad);
/* Listens, and says on stderr what a person must know of it. Returns the port, or the
 * error of board_listen. */
int cmd_page_listen(struct cli *cli, struct cmd_page *page, int64_t health_ns,
                    struct jobq_error *err);
/* Appends "http://ADDRESS:PORT/". */
void cmd_page_url(const struct cmd_page *page, int port, struct text *out);

#endif
