/* page.h - where serve and drain --serve put the page, who may read it, and what its actions
 * and the operator's subcommands share.
 *
 * Room:     live, jobq's program.
 * Callers:  live/cmd/serve.c, live/cmd/drain.c, live/cmd/act.c.
 * Knows nothing of: what the page shows. */
#ifndef JOBQ_LIVE_CMD_PAGE_H
#define JOBQ_LIVE_CMD_PAGE_H

#include "fleet/operate/operate.h"
#include "live/aws/user_data.h"
#include "live/cmd/cli.h"
#include "live/page/guard.h"
#include "live/page/money.h"
#include "live/page/peers.h"

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
/* Whether anybody may act: there is a token, and the page is not read-only. */
bool cmd_page_acts(const struct cmd_page *page);
/* Appends "http://ADDRESS:PORT/". */
void cmd_page_url(const struct cmd_page *page, int port, struct text *out);

/* ---- actions: the box's other drainers, what a new box is told, and prices -------------- */

/* Options of boxes that are started, by index among the command's own. */
struct operator_index {
    int image, profile, launch_template, exec, max_boxes;
};
#define OPERATOR_PROFILE                                                                 \
    {                                                                                    \
        "instance-profile", 0, "NAME", "the boxes' role: a name or an ARN (this box's)"  \
    }
#define OPERATOR_TEMPLATE                                                                \
    {                                                                                    \
        "launch-template", 0, "NAME",                                                    \
            "start boxes from this template: network, disks, role"                       \
    }
struct operator_kit {
    struct cli *cli;
    int boxes_max;
    struct text settings; /* what drainers of new boxes are told */
    struct peers **peers; /* NULL in it once they are freed */
    struct user_data params;
    struct money *money;
};
/* The drainers of a queue on this box; makes a call to the instance metadata, if there is one. */
struct peers *operator_peers(struct cli *cli, const char *queue);
/* Reads --max-boxes; complains and makes *bad true if it is none. Before the others. */
void operator_kit_read(struct operator_kit *kit, struct cli *cli,
                       const struct operator_index *at, bool *bad);
/* Fills in *out but for drainer and type; kit lives as long as that. at: NULL: the command starts
 * no boxes. */
void operator_kit_fill(struct operator_kit *kit, struct cli *cli, const char *queue,
                       struct peers **peers, const struct operator_index *at,
                       struct operate_options *out);
void operator_kit_release(struct operator_kit *kit);
/* peers_told_fn, ctx: a struct drainer **: does what the word says. */
void operator_obey(void *ctx, int word, int64_t number, const char *job_id);

#define OPERATOR_BOXES_MAX 20 /* --max-boxes, unless it is given */

#endif
