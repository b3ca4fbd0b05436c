/* spawn.c - jobq spawn: starts boxes that drain a queue.
 *
 * Room:     live, jobq's program. Callers: jobq_main.c. */
#include "live/cmd/cmd.h"
#include "live/cmd/job.h"

#include "base/arena.h"
#include "fleet/status/status.h"
#include "jobq/units.h"
#include "live/aws/user_data.h"

enum { COUNT, IMAGE, EXEC, DRY_RUN, CONFIRM };
static const struct option_def options[] = {
    {"count", 0, "N", "how many, all or none (1)"},
    {"image", 0, "AMI", "the image that carries jobq"},
    {"exec", 0, "CMD", "the command of exec jobs on each box (none)"},
    {"dry-run", 0, NULL, "say what would be started"},
    {"confirm", 0, "QUEUE", "the queue's name again; required for 10 boxes or more"},
    {NULL, 0, NULL, NULL}};

/* From this count on, boxes must be confirmed: a mistake is expensive. */
enum { MANY = 10, COUNT_MAX = 500 };

struct spawn {
    struct jobq_launch launch;
    struct user_data params;
    struct text user_data;
};

static void spawn_show(struct cli *cli, const struct spawn *s, const struct jobq_str *id,
                       int count)
{
    struct text out = {0};
    if (cli->json) {
        text_puts(&out, "{\"schema\":\"jobq.spawn/1\",\"queue\":");
        cli_json_cstr(&out, s->params.queue);
        text_puts(&out, ",\"type\":");
        cli_json_cstr(&out, s->launch.type);
        text_printf(&out, ",\"count\":%d,\"spot\":%s,\"dry_run\":%s,\"ids\":[",
                    s->launch.count, s->launch.spot ? "true" : "false",
                    cli_given(cli, DRY_RUN) ? "true" : "false");
        for (int i = 0; i < count; i++) {
            text_puts(&out, i ? "," : "");
            text_put_json(&out, id[i]);
        }
        text_puts(&out, "],\"user_data\":");
        text_put_json(&out, text_str(&s->user_data));
        text_puts(&out, "}\n");
    } else if (cli_given(cli, DRY_RUN)) {
        text_put_str(&out, text_str(&s->user_data));
    }
    for (int i = 0; i < count && !cli->json; i++) {
        text_put_escaped(&out, id[i].ptr, (size_t)id[i].len);
        text_putc(&out, '\n');
    }
    cli_flush(cli, &out);
    text_release(&out);
}

static int spawn_work(struct cli *cli, void *ctx, struct jobq_error *err)
{
    struct spawn *s = ctx;
    struct jobq_backend *b = &cli->live->backend;
    struct jobq_tag tag[] = {{STR(STATUS_TAG), str_of(s->params.queue)},
                             {STR("Name"), str_of(s->params.queue)}};
    char token[17];
    struct arena arena;
    int rc = aws_find_region(&cli->live->aws, err);
    if (rc < 0)
        return rc;
    s->params.region = cli->live->aws.region;
    rc = user_data_make(&s->params, &s->user_data, err);
    if (rc < 0)
        return rc;
    if (!s->params.exec)
        cli_say(cli, "without --exec these boxes leave exec jobs to others");
    if (cli_given(cli, DRY_RUN)) {
        spawn_show(cli, s, NULL, 0);
        cli_say(cli,
                "would start %d %s%s for queue '%s'; next: the same without --dry-run",
                s->launch.count, s->launch.type, s->launch.spot ? " (spot)" : "",
                s->params.queue);
        return JOBQ_OK;
    }
    /* Boxes for a name that was mistyped would cost money and drain nothing. */
    int queue;
    rc = cmd_queue_open(b, s->params.queue, &queue, err);
    if (rc < 0)
        return rc;
    text_write_hex64(token, jobq_bits(b));
    token[16] = '\0';
    s->launch.client_token = token;
    s->launch.user_data = text_str(&s->user_data);
    s->launch.tag = tag;
    s->launch.tag_count = 2;
    arena_init(&arena, 0);
    struct jobq_str *id = arena_zalloc(&arena, (size_t)s->launch.count * sizeof *id);
    rc = jobq_fleet_launch(b, &s->launch, &arena, id, s->launch.count, err);
    if (rc >= 0) {
        spawn_show(cli, s, id, rc);
        cli_say(cli, "started %d %s; next: jobq serve %s", rc, rc == 1 ? "box" : "boxes",
                s->params.queue);
        rc = JOBQ_OK;
    }
    arena_release(&arena);
    return rc;
}

static int spawn_run(struct cli *cli)
{
    bool bad = false;
    struct live_options live = {.store = SCENARIO_STORE_NONE};
    struct spawn s = {
        .launch = {.type = cli->scenario.instance,
                   .image = cli->value[IMAGE],
                   .count = (int)cli_count(cli, COUNT, 1, 1, COUNT_MAX, &bad),
                   .spot = cli->scenario.spot},
        .params = {.queue = cli->arg[0],
                   .slots = (int)cli->scenario.concurrency,
                   .idle_exit_ns = cli->scenario.idle_exit_ns,
                   .exec = cli->value[EXEC]}};
    if (strcmp(cli->scenario.instance, "none") == 0) {
        cli_complain(cli, "--instance: no box is of type 'none'");
        bad = true;
    }
    if (!cli_given(cli, IMAGE) && !cli_given(cli, DRY_RUN)) {
        cli_complain(cli, "want --image (or JOBQ_IMAGE)");
        bad = true;
    }
    if (!bad && s.launch.count >= MANY && !cli_given(cli, DRY_RUN) &&
        !cli_confirm(cli, cli->value[CONFIRM], cli->arg[0], "starting so many boxes"))
        bad = true;
    int rc = bad ? CLI_USAGE : cli_run(cli, &live, spawn_work, &s);
    text_release(&s.user_data);
    return rc;
}

const struct cli_command cmd_spawn = {
    .name = "spawn",
    .synopsis = "QUEUE --image AMI [--instance TYPE] [--count N] [--dry-run]",
    .summary = "starts boxes that drain a queue",
    .examples =
        "  jobq spawn render --instance c7g.large --image ami-0abc --count 4 --spot\n"
        "  jobq spawn render --instance t4g.nano --dry-run\n",
    .calls = "  1 GetQueueUrl, 1 RunInstances. The boxes are billed by EC2 as usual.\n",
    .option = options,
    .takes = TAKER_SPAWN,
    .run = spawn_run,
    .min_args = 1,
    .max_args = 1};
