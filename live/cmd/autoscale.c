/* autoscale.c - jobq autoscale: starts boxes by a queue's backlog.
 *
 * Room:     live, jobq's program. Callers: jobq_main.c. */
#include "live/cmd/cmd.h"
#include "live/cmd/page.h"

#include "jobq/units.h"
#include "live/world/notify.h"
#include "scenario/scaled.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { IMAGE, EXEC, ONCE, DRY_RUN };
static const struct option_def options[] = {
    {"image", 0, "AMI", "the image that carries jobq"},
    {"exec", 0, "CMD", "the command of exec jobs on each box (none)"},
    {"once", 0, NULL, "decide once, then end"},
    {"dry-run", 0, NULL, "say what is decided, and start nothing"},
    {NULL, 0, NULL, NULL}};

struct autoscale {
    struct cli *cli;
    struct scale *scale; /* NULL: not yet */
    struct peers *peers; /* of nobody: the kit wants a place for them */
    struct operator_kit kit;
    struct text line;
    char problem[240]; /* the last one said */
};

static void autoscale_on_signal(struct cli *cli, int number)
{
    struct autoscale *a = cli->on_signal_ctx;
    (void)number;
    if (!a->scale)
        _exit(CLI_INTERRUPTED);
    notify_send("STOPPING=1");
    scale_stop(a->scale);
}

/* ---- one line a decision --------------------------------------------------------------- */

static const char *bound_name(enum scale_bound bound)
{
    return bound == SCALE_MIN       ? "min-boxes"
           : bound == SCALE_MAX     ? "max-boxes"
           : bound == SCALE_DOLLARS ? "max-dollars-hour"
                                    : "backlog";
}

static void put_json(struct text *t, const struct scale_report *r)
{
    const struct scale_seen *seen = &r->seen;
    text_printf(t,
                "{\"schema\":\"jobq.autoscale/1\",\"at_ms\":%lld,\"waiting\":%lld,"
                "\"running\":%lld,\"job_s\":",
                (long long)(r->wall_ns / JOBQ_NS_PER_MS), (long long)seen->waiting,
                (long long)seen->running);
    text_put_double(t, seen->job_s);
    text_printf(t,
                ",\"boxes\":%lld,\"deaf\":%lld,\"wanted\":%lld,\"launch\":%lld,"
                "\"bound\":\"%s\",\"said\":",
                (long long)seen->boxes, (long long)seen->deaf,
                (long long)r->decision.wanted, (long long)r->decision.launch,
                bound_name(r->decision.bound));
    cli_json_cstr(t, r->said);
    text_puts(t, ",\"problem\":");
    cli_json_cstr(t, r->problem);
    text_puts(t, "}\n");
}

static void put_plain(struct text *t, const struct scale_report *r)
{
    char job[32];
    int64_t job_ms = (int64_t)(r->seen.job_s * 1e3 + 0.5);
    text_printf(t,
                "%lld waiting, %lld running, %s each: %lld of %lld boxes are there (%s)",
                (long long)r->seen.waiting, (long long)r->seen.running,
                jobq_format_duration(job_ms * JOBQ_NS_PER_MS, job, sizeof job),
                (long long)r->seen.boxes, (long long)r->decision.wanted,
                bound_name(r->decision.bound));
    if (r->said[0])
        text_printf(t, ". %s", r->said);
    text_putc(t, '\n');
}

static void autoscale_decided(void *ctx, const struct scale_report *r)
{
    struct autoscale *a = ctx;
    struct cli *cli = a->cli;
    bool news = r->said[0] || cli->verbose || cli_given(cli, ONCE) ||
                (cli_given(cli, DRY_RUN) && r->decision.launch > 0);
    if (cli->json)
        put_json(&a->line, r);
    else if (news && !cli->quiet)
        put_plain(&a->line, r);
    cli_flush(cli, &a->line);
    /* What lasts is said once. */
    if (r->problem[0] && strcmp(a->problem, r->problem) != 0)
        cli_complain(cli, "%s", r->problem);
    snprintf(a->problem, sizeof a->problem, "%s", r->problem);
}

/* ---- running --------------------------------------------------------------------------- */

static int autoscale_work(struct cli *cli, void *ctx, struct jobq_error *err)
{
    struct autoscale *a = ctx;
    const struct scenario *s = &cli->scenario;
    struct operate_options how;
    struct scale_options o = {.queue = cli->arg[0],
                              .once = cli_given(cli, ONCE),
                              .decided = autoscale_decided,
                              .ctx = a};
    int64_t idle_ns = scenario_idle_exit_ns(s);
    int rc = aws_find_region(&cli->live->aws, err);
    if (rc < 0)
        return rc;
    operator_kit_fill(&a->kit, cli, &a->peers, cli->value[EXEC], &how);
    a->kit.params.idle_exit_ns = idle_ns < JOBQ_FOREVER ? idle_ns : -1;
    a->kit.params.idle_alone = true;
    how.type = s->instance;
    how.image = cli->value[IMAGE];
    how.boxes_max = (int)s->boxes_max;
    double hour_usd = how.hour_usd(how.ctx, s->instance, s->spot);
    rc = scenario_scale_options(s, hour_usd, &o, err);
    if (!cli_given(cli, DRY_RUN))
        o.operate = operate_new(&cli->live->backend, &how);
    if (rc == JOBQ_OK)
        rc = scale_new(&cli->live->backend, &o, &a->scale, err);
    if (rc == JOBQ_OK) {
        if (!cli_given(cli, EXEC))
            cli_say(cli, "without --exec these boxes leave exec jobs to others");
        notify_send("READY=1\nSTATUS=autoscaling");
        rc = scale_run(a->scale, err);
    }
    a->scale = NULL;
    operator_kit_release(&a->kit);
    text_release(&a->line);
    return rc;
}

static int autoscale_run(struct cli *cli)
{
    struct live_options live = {0};
    struct autoscale a = {.cli = cli};
    if (strcmp(cli->scenario.instance, "none") == 0) {
        cli_complain(cli, "--instance: no box is of type 'none'");
        return CLI_USAGE;
    }
    if (!cli_given(cli, IMAGE) && !cli_given(cli, DRY_RUN)) {
        cli_complain(cli, "want --image (or JOBQ_IMAGE)");
        return CLI_USAGE;
    }
    cli->goes_on = true;
    cli->on_signal = autoscale_on_signal;
    cli->on_signal_ctx = &a;
    int rc = cli_run(cli, &live, autoscale_work, &a);
    cli->on_signal = NULL;
    cli->on_signal_ctx = NULL;
    return rc;
}

const struct cli_command cmd_autoscale = {
    .name = "autoscale",
    .synopsis = "QUEUE --image AMI [--target-time T] [--max-boxes N]",
    .summary = "starts boxes by a queue's backlog; idle ones leave",
    .examples =
        "  jobq autoscale render --image ami-0abc --instance c7g.large --target-time "
        "10m\n"
        "  jobq autoscale render --image ami-0abc --max-boxes 50 --max-dollars-hour 2\n"
        "  jobq autoscale render --once --dry-run\n",
    .calls = "  each decision: 1 or 2 GetQueueAttributes, 1 Select over the drainers' "
             "rows, 1\n"
             "  DescribeInstances; to start boxes 1 DescribeInstances, 1 RunInstances.\n",
    .option = options,
    .takes = TAKER_SCALE,
    .run = autoscale_run,
    .min_args = 1,
    .max_args = 1};
