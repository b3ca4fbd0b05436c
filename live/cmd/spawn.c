/* spawn.c - jobq spawn and autoscale: start boxes that drain a queue, by hand and by its
 * backlog.
 *
 * Room:     live, jobq's program. Callers: jobq_main.c. */
#include "live/cmd/cmd.h"
#include "live/cmd/job.h"
#include "live/cmd/page.h"

#include "fleet/status/page_text.h"
#include "jobq/units.h"
#include "live/world/notify.h"
#include "scenario/scaled.h"
#include "scenario/settings.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { COUNT, IMAGE, PROFILE, TEMPLATE, MAX_BOXES, EXEC, DRY_RUN, CONFIRM };
static const struct option_def options[] = {
    {"count", 0, "N", "how many, all or none (1)"},
    {"image", 0, "AMI", "the image that carries jobq"},
    OPERATOR_PROFILE,
    OPERATOR_TEMPLATE,
    {"max-boxes", 0, "N", "start no box beyond so many in all (20)"},
    {"exec", 0, "CMD", "the command of exec jobs on each box (none)"},
    {"dry-run", 0, NULL, "say what would be started, and what it costs"},
    {"confirm", 0, "QUEUE", "the queue's name again; required for 10 boxes or more"},
    {NULL, 0, NULL, NULL}};
static const struct operator_index starts = {.image = IMAGE,
                                             .profile = PROFILE,
                                             .launch_template = TEMPLATE,
                                             .exec = EXEC,
                                             .max_boxes = MAX_BOXES};

/* From this count on, boxes must be confirmed: a mistake is expensive. */
enum { MANY = 10 };

struct spawn {
    struct operator_kit kit;
    struct operate_spawn what;
    struct text user_data, ids, said;
};

static void spawn_show(struct cli *cli, const struct spawn *s, double hour_usd)
{
    struct text out = {0};
    bool dry = cli_given(cli, DRY_RUN);
    if (!cli->json) {
        text_put_str(&out, text_str(dry ? &s->user_data : &s->ids));
        cli_flush(cli, &out);
        text_release(&out);
        return;
    }
    text_puts(&out, "{\"schema\":\"jobq.spawn/1\",\"queue\":");
    cli_json_cstr(&out, cli->arg[0]);
    text_puts(&out, ",\"type\":");
    cli_json_cstr(&out, s->what.type);
    text_printf(&out, ",\"count\":%lld,\"spot\":%s,\"dry_run\":%s,\"hour_usd\":",
                (long long)s->what.count, s->what.spot ? "true" : "false",
                dry ? "true" : "false");
    if (isnan(hour_usd))
        text_puts(&out, "null");
    else
        text_put_double(&out, hour_usd);
    text_puts(&out, ",\"ids\":[");
    for (const char *at = s->ids.ptr; at && *at; at = strchr(at, '\n') + 1) {
        text_puts(&out, at == s->ids.ptr ? "" : ",");
        text_put_json(&out, (struct jobq_str){at, strchr(at, '\n') - at});
    }
    text_puts(&out, "],\"user_data\":");
    text_put_json(&out, text_str(&s->user_data));
    text_puts(&out, "}\n");
    cli_flush(cli, &out);
    text_release(&out);
}

/* Dollars come first: before anything is asked or started. */
static void say_price(struct cli *cli, const struct spawn *s, double hour_usd)
{
    struct text usd = {0};
    if (isnan(hour_usd))
        text_puts(&usd, "an unknown amount");
    else
        page_put_usd(&usd, hour_usd);
    cli_say(cli, "%lld %s%s: %s an hour, until %s", (long long)s->what.count,
            s->what.type, s->what.spot ? " (spot)" : "", usd.ptr,
            s->what.count == 1 ? "it ends" : "they end");
    text_release(&usd);
}

static int start_boxes(struct cli *cli, struct spawn *s, struct operate *o,
                       struct jobq_error *err)
{
    struct jobq_backend *b = &cli->live->backend;
    int queue;
    if (s->what.count >= MANY &&
        !cli_confirm(cli, cli->value[CONFIRM], cli->arg[0], "starting so many boxes"))
        return CLI_USAGE;
    /* Boxes for a name that was mistyped would cost money and drain nothing. */
    int rc = cmd_queue_open(b, cli->arg[0], &queue, err);
    if (rc < 0)
        return rc;
    text_write_hex64(s->what.once, jobq_bits(b));
    s->what.once[16] = '\0';
    s->what.ids = &s->ids;
    return operate_spawn(o, &s->what, &s->said, err);
}

static int spawn_work(struct cli *cli, void *ctx, struct jobq_error *err)
{
    struct spawn *s = ctx;
    struct operate_options about;
    struct peers *none = NULL;
    double hour_usd;
    bool dry = cli_given(cli, DRY_RUN);
    int rc = aws_find_region(&cli->live->aws, err);
    if (rc < 0)
        return rc;
    operator_kit_fill(&s->kit, cli, cli->arg[0], &none, &starts, &about);
    if (dry && !about.image)
        about.image = "not given"; /* nothing is started from it */
    struct operate *o = operate_new(&cli->live->backend, &about);
    rc = about.user_data(about.ctx, false, &s->user_data, err);
    if (rc == JOBQ_OK)
        rc = operate_spawn_check(o, &s->what, &hour_usd, err);
    if (rc < 0)
        return rc;
    say_price(cli, s, hour_usd);
    if (!cli_given(cli, EXEC))
        cli_say(cli, "without --exec these boxes leave exec jobs to others");
    if (!dry) {
        rc = start_boxes(cli, s, o, err);
        if (rc != JOBQ_OK)
            return rc;
    }
    spawn_show(cli, s, hour_usd);
    if (dry)
        cli_say(cli, "nothing was started; next: the same without --dry-run");
    else
        cli_say(cli, "started %lld %s; next: jobq top %s", (long long)s->what.count,
                s->what.count == 1 ? "box" : "boxes", cli->arg[0]);
    return JOBQ_OK;
}

static int spawn_run(struct cli *cli)
{
    bool bad = false;
    struct live_options live = {.store = SCENARIO_STORE_NONE};
    struct spawn s = {
        .what = {.count = cli_count(cli, COUNT, 1, 1, OPERATE_BOXES_MAX, &bad),
                 .spot = cli->scenario.spot}};
    snprintf(s.what.type, sizeof s.what.type, "%s", cli->scenario.instance);
    operator_kit_read(&s.kit, cli, &starts, &bad);
    if (strcmp(cli->scenario.instance, "none") == 0) {
        cli_complain(cli, "--instance: no box is of type 'none'");
        bad = true;
    }
    if (!cli_given(cli, IMAGE) && !cli_given(cli, TEMPLATE) && !cli_given(cli, DRY_RUN)) {
        cli_complain(cli, "want --image (or JOBQ_IMAGE), or --launch-template");
        bad = true;
    }
    int rc = bad ? CLI_USAGE : cli_run(cli, &live, spawn_work, &s);
    operator_kit_release(&s.kit);
    text_release(&s.user_data);
    text_release(&s.ids);
    text_release(&s.said);
    return rc;
}

const struct cli_command cmd_spawn = {
    .name = "spawn",
    .synopsis = "QUEUE --image AMI [--instance TYPE] [--count N] [--dry-run]",
    .summary = "starts boxes that drain a queue",
    .examples =
        "  jobq spawn render --instance c7g.large --image ami-0abc --count 4 --spot\n"
        "  jobq spawn render --launch-template jobq-render --store dynamodb --rows end\n"
        "  jobq spawn render --instance t4g.nano --dry-run\n",
    .calls =
        "  1 GetQueueUrl, 1 DescribeInstances, 1 RunInstances. The boxes are billed by\n"
        "  EC2 as usual. Settings of jobq drain that are given are told to the boxes.\n",
    .option = options,
    .takes = TAKER_SPAWN,
    .run = spawn_run,
    .min_args = 1,
    .max_args = 1};

/* ---- by the backlog ---------------------------------------------------------------- */

enum {
    SCALE_IMAGE,
    SCALE_PROFILE,
    SCALE_TEMPLATE,
    SCALE_EXEC,
    SCALE_ONCE,
    SCALE_DRY_RUN
};
static const struct option_def autoscale_options[] = {
    {"image", 0, "AMI", "the image that carries jobq"},
    OPERATOR_PROFILE,
    OPERATOR_TEMPLATE,
    {"exec", 0, "CMD", "the command of exec jobs on each box (none)"},
    {"once", 0, NULL, "decide once, then end"},
    {"dry-run", 0, NULL, "say what is decided, and start nothing"},
    {NULL, 0, NULL, NULL}};
static const struct operator_index scaled = {.image = SCALE_IMAGE,
                                             .profile = SCALE_PROFILE,
                                             .launch_template = SCALE_TEMPLATE,
                                             .exec = SCALE_EXEC};

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

static void autoscale_put_json(struct text *t, const struct scale_report *r)
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

static void autoscale_put_plain(struct text *t, const struct scale_report *r)
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
    bool news = r->said[0] || cli->verbose || cli_given(cli, SCALE_ONCE) ||
                (cli_given(cli, SCALE_DRY_RUN) && r->decision.launch > 0);
    if (cli->json)
        autoscale_put_json(&a->line, r);
    else if (news && !cli->quiet)
        autoscale_put_plain(&a->line, r);
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
    struct scenario *s = &cli->scenario;
    struct operate_options how;
    struct scale_options o = {.queue = cli->arg[0],
                              .once = cli_given(cli, SCALE_ONCE),
                              .decided = autoscale_decided,
                              .ctx = a};
    int rc = aws_find_region(&cli->live->aws, err);
    if (rc < 0)
        return rc;
    /* The boxes are told with all that is given. */
    s->idle_exit_ns = scenario_idle_exit_ns(s);
    if (s->idle_exit_ns == JOBQ_FOREVER)
        s->idle_exit_ns = SCENARIO_NEVER;
    s->idle_alone = true;
    s->given[setting_find("idle-exit")] = s->given[setting_find("idle-alone")] = true;
    a->kit.boxes_max = (int)s->boxes_max;
    operator_kit_fill(&a->kit, cli, cli->arg[0], &a->peers, &scaled, &how);
    how.type = s->instance;
    double hour_usd = how.hour_usd(how.ctx, s->instance, s->spot);
    rc = scenario_scale_options(s, hour_usd, &o, err);
    if (!cli_given(cli, SCALE_DRY_RUN))
        o.operate = operate_new(&cli->live->backend, &how);
    if (rc == JOBQ_OK)
        rc = scale_new(&cli->live->backend, &o, &a->scale, err);
    if (rc == JOBQ_OK) {
        if (!cli_given(cli, SCALE_EXEC))
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
    if (!cli_given(cli, SCALE_IMAGE) && !cli_given(cli, SCALE_TEMPLATE) &&
        !cli_given(cli, SCALE_DRY_RUN)) {
        cli_complain(cli, "want --image (or JOBQ_IMAGE), or --launch-template");
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
    .option = autoscale_options,
    .takes = TAKER_SPAWN | TAKER_SCALE,
    .run = autoscale_run,
    .min_args = 1,
    .max_args = 1};
