/* act.c - jobq quiet, resume, slots, seppuku and retry: the actions of the status page, by
 * hand.
 *
 * Room:     live, jobq's program. Callers: jobq_main.c. */
#include "live/cmd/cmd.h"
#include "live/cmd/page.h"

#include "fleet/job/job.h"
#include "jobq/units.h"

#include <stdlib.h>

static const struct option_def none[] = {{NULL, 0, NULL, NULL}};
enum { CONFIRM, WITHIN };
static const struct option_def seppuku_options[] = {
    {"confirm", 0, "QUEUE", "the queue's name again; asked for at a terminal"},
    {"within", 0, "T", "running jobs may take so long to finish (110s)"},
    {NULL, 0, NULL, NULL}};

struct act {
    struct operator_kit kit;
    struct peers *peers;
    int (*fn)(struct act *act, struct operate *o, struct text *said,
              struct jobq_error *err);
    struct cli *cli;
    int64_t number;
    const char *queue;
};

static int act_work(struct cli *cli, void *ctx, struct jobq_error *err)
{
    struct act *act = ctx;
    struct text said = {0};
    struct operate_options options;
    act->peers = operator_peers(cli, act->queue);
    operator_kit_fill(&act->kit, cli, act->queue, &act->peers, NULL, &options);
    if (act->number && act->fn && cli->command == &cmd_seppuku)
        options.stop_within_ns = act->number;
    struct operate *o = operate_new(&cli->live->backend, &options);
    int rc = act->fn(act, o, &said, err);
    if (rc == JOBQ_OK && operate_is_ending(o))
        rc = operate_end(o, err);
    if (rc == JOBQ_OK)
        cli_say(cli, "%s", said.ptr);
    text_release(&said);
    operator_kit_release(&act->kit);
    peers_free(act->peers);
    act->peers = NULL;
    return rc;
}

static int act_run(struct cli *cli, struct act *act, bool no_store)
{
    struct live_options live = {.store = no_store ? SCENARIO_STORE_NONE
                                                  : SCENARIO_STORE_SIMPLEDB};
    act->cli = cli;
    if (!act->queue)
        act->queue = cli->arg[0];
    return cli_run(cli, &live, act_work, act);
}

/* ---- drainers of this box -------------------------------------------------------------- */

static int do_quiet(struct act *act, struct operate *o, struct text *said,
                    struct jobq_error *err)
{
    return operate_quiet(o, act->number != 0, said, err);
}

static int run_quiet(struct cli *cli)
{
    return act_run(cli, &(struct act){.fn = do_quiet, .number = 1}, true);
}

static int run_resume(struct cli *cli)
{
    return act_run(cli, &(struct act){.fn = do_quiet}, true);
}

static int do_slots(struct act *act, struct operate *o, struct text *said,
                    struct jobq_error *err)
{
    return operate_slots(o, act->number, said, err);
}

static int run_slots(struct cli *cli)
{
    struct act act = {.fn = do_slots};
    const char *by = cli->arg[1];
    struct jobq_str digits = str_of(by[0] == '+' ? by + 1 : by);
    if ((by[0] != '+' && by[0] != '-') || !str_to_int(digits, &act.number)) {
        cli_complain(cli, "want how many more or fewer, as +2 or -1");
        return CLI_USAGE;
    }
    return act_run(cli, &act, true);
}

static int do_seppuku(struct act *act, struct operate *o, struct text *said,
                      struct jobq_error *err)
{
    (void)act;
    return operate_seppuku(o, said, err);
}

static int run_seppuku(struct cli *cli)
{
    bool bad = false;
    struct act act = {.fn = do_seppuku};
    act.number = cli_duration(cli, WITHIN, 110 * JOBQ_NS_PER_S, &bad);
    if (bad || !cli_confirm(cli, cli->value[CONFIRM], cli->arg[0], "the end of this box"))
        return CLI_USAGE;
    return act_run(cli, &act, true);
}

/* ---- jobs ------------------------------------------------------------------------------ */

static int do_retry(struct act *act, struct operate *o, struct text *said,
                    struct jobq_error *err)
{
    for (int i = 0; i < act->cli->arg_count; i++) {
        int rc = operate_retry(o, str_of(act->cli->arg[i]), said, err);
        if (rc < 0)
            return rc;
    }
    text_clear(said);
    text_printf(said, "%d on the queue again", act->cli->arg_count);
    return JOBQ_OK;
}

static int run_retry(struct cli *cli)
{
    struct job_id_parts parts;
    struct jobq_error err;
    char queue[JOBQ_QUEUE_NAME_MAX + 1];
    if (job_id_parse(str_of(cli->arg[0]), &parts, &err) < 0)
        return cli_fail(cli, NULL, &err);
    memcpy(queue, parts.queue.ptr, (size_t)parts.queue.len);
    queue[parts.queue.len] = '\0';
    return act_run(cli, &(struct act){.fn = do_retry, .queue = queue}, false);
}

/* ---- the table ------------------------------------------------------------------------- */

const struct cli_command cmd_quiet = {
    .name = "quiet",
    .synopsis = "QUEUE",
    .summary = "has this box's drainers take no more work",
    .examples = "  jobq quiet render\n",
    .calls = "  none: the drainers of this user on this machine are told.\n",
    .option = none,
    .run = run_quiet,
    .min_args = 1,
    .max_args = 1};
const struct cli_command cmd_resume = {
    .name = "resume",
    .synopsis = "QUEUE",
    .summary = "has this box's drainers take work again",
    .examples = "  jobq resume render\n",
    .calls = "  none: the drainers of this user on this machine are told.\n",
    .option = none,
    .run = run_resume,
    .min_args = 1,
    .max_args = 1};
const struct cli_command cmd_slots = {
    .name = "slots",
    .synopsis = "QUEUE +N|-N",
    .summary = "gives each drainer of this box more slots or fewer",
    .examples = "  jobq slots render +2\n"
                "  jobq slots render -- -1\n",
    .calls = "  none: the drainers of this user on this machine are told.\n",
    .option = none,
    .run = run_slots,
    .min_args = 2,
    .max_args = 2};
const struct cli_command cmd_seppuku = {
    .name = "seppuku",
    .synopsis = "QUEUE [--within T] [--confirm QUEUE]",
    .summary = "drains this box gracefully, then terminates it",
    .examples = "  jobq seppuku render --confirm render\n",
    .calls = "  1 TerminateInstances; the drainers give back what they cannot finish.\n",
    .option = seppuku_options,
    .run = run_seppuku,
    .min_args = 1,
    .max_args = 1};
const struct cli_command cmd_retry = {
    .name = "retry",
    .synopsis = "ID...",
    .summary = "tries failed jobs now, and dead ones anew",
    .examples = "  jobq retry render-0h2k1p...\n",
    .calls = "  A job: 1 GetAttributes, for a dead one 1 PutAttributes, 1 SendMessage.\n",
    .option = none,
    .takes = TAKER_ROWS,
    .run = run_retry,
    .min_args = 1,
    .max_args = -1};
