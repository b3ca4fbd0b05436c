#include "live/cmd/page.h"

#include "live/page/board.h"

#include "jobq/units.h"

#include <ctype.h>
#include <math.h>
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

bool cmd_page_acts(const struct cmd_page *page)
{
    return page->guard.token.needed && !page->guard.read_only;
}

void cmd_page_url(const struct cmd_page *page, int port, struct text *out)
{
    const char *colon = strrchr(page->listen, ':');
    text_printf(out, "http://%.*s:%d/", (int)(colon - page->listen), page->listen, port);
}

/* ---- actions ------------------------------------------------------------------------- */

static int kit_tell(void *ctx, enum operate_word word, int64_t number,
                    struct jobq_str job_id)
{
    struct operator_kit *kit = ctx;
    return *kit->peers ? peers_tell(*kit->peers, (int)word, number, job_id) : 0;
}

static int kit_left(void *ctx)
{
    struct operator_kit *kit = ctx;
    return *kit->peers ? peers_left(*kit->peers) : 0;
}

static double kit_hour(void *ctx, const char *type, bool spot)
{
    struct operator_kit *kit = ctx;
    return kit->money ? money_hour(kit->money, type, spot) : (double)NAN;
}

static void kit_audit(void *ctx, const char *line)
{
    struct operator_kit *kit = ctx;
    cli_complain(kit->cli, "%s", line);
}

struct peers *operator_peers(struct cli *cli, const char *queue)
{
    struct jobq_self self;
    live_self(cli->live, &self);
    return peers_new(cli->live->loop, queue, self.id);
}

/* All that the operator gave of what a drainer takes; how a box is bought is not its drainer's. */
static void put_settings(const struct scenario *s, uint32_t takes, bool stays,
                         struct text *out)
{
    for (int i = 0; i < setting_count(); i++) {
        const struct setting *st = setting_at(i);
        bool always = strcmp(st->name, "concurrency") == 0;
        if (!(st->takers & TAKER_DRAIN) || !(st->takers & takes) ||
            strcmp(st->name, "instance") == 0 || strcmp(st->name, "spot") == 0 ||
            !(always || scenario_given(s, st->name)) ||
            (stays && strcmp(st->name, "idle-exit") == 0))
            continue;
        text_puts(out, "JOBQ_");
        for (const char *c = st->name; *c; c++)
            text_putc(out, *c == '-' ? '_' : (char)toupper((unsigned char)*c));
        text_putc(out, '=');
        scenario_put_value(s, i, out);
        text_putc(out, '\n');
    }
}

static int kit_user_data(void *ctx, bool stays, struct text *out, struct jobq_error *err)
{
    struct operator_kit *kit = ctx;
    struct aws *aws = &kit->cli->live->aws;
    int rc = aws_find_region(aws, err);
    if (rc < 0)
        return rc;
    text_clear(&kit->settings);
    put_settings(&kit->cli->scenario, kit->cli->command->takes, stays, &kit->settings);
    kit->params.region = aws->region;
    kit->params.settings = kit->settings.ptr ? kit->settings.ptr : "";
    return user_data_make(&kit->params, out, err);
}

void operator_kit_read(struct operator_kit *kit, struct cli *cli,
                       const struct operator_index *at, bool *bad)
{
    kit->boxes_max =
        (int)cli_count(cli, at->max_boxes, OPERATOR_BOXES_MAX, 1, STATUS_BOXES_MAX, bad);
}

void operator_kit_fill(struct operator_kit *kit, struct cli *cli, const char *queue,
                       struct peers **peers, const struct operator_index *at,
                       struct operate_options *out)
{
    const struct scenario *s = &cli->scenario;
    kit->cli = cli;
    kit->peers = peers;
    kit->money = money_new(s, cli->live->aws.region);
    kit->params =
        (struct user_data){.queue = queue, .exec = at ? cli->value[at->exec] : NULL};
    *out = (struct operate_options){.queue = queue,
                                    .stop_within_ns = s->drain_timeout_ns,
                                    .tell = kit_tell,
                                    .left = kit_left,
                                    .user_data = kit_user_data,
                                    .hour_usd = kit_hour,
                                    .audit = kit_audit,
                                    .boxes_max = kit->boxes_max,
                                    .ctx = kit};
    if (!at)
        return;
    out->image = cli->value[at->image];
    out->profile = cli->value[at->profile];
    out->launch_template = cli->value[at->launch_template];
}

void operator_kit_release(struct operator_kit *kit)
{
    money_free(kit->money);
    kit->money = NULL;
    text_release(&kit->settings);
}

void operator_obey(void *ctx, int word, int64_t number, const char *job_id)
{
    struct drainer *d = *(struct drainer **)ctx;
    struct drainer_view view;
    if (!d)
        return;
    switch ((enum operate_word)word) {
    case OPERATE_QUIET:
    case OPERATE_RESUME:
        drainer_quiet(d, word == OPERATE_QUIET);
        return;
    case OPERATE_SLOTS:
        drainer_view(d, &view);
        if (number >= -1000 && number <= 1000)
            drainer_resize(d, view.slots + (int)number);
        return;
    case OPERATE_STOP:
        drainer_stop(d, loop_now_ns() + (number > 0 ? number : 0));
        return;
    case OPERATE_CANCEL:
        drainer_cancel(d, str_of(job_id));
        return;
    case OPERATE_WORD_COUNT:
        return;
    }
}
