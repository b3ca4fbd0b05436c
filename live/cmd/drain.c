/* drain.c - jobq drain: takes jobs from queues and runs n of them at a time.
 *
 * Room:     live, jobq's program. Callers: jobq_main.c. */
#include "live/cmd/cmd.h"
#include "live/cmd/page.h"

#include "base/arena.h"
#include "fleet/drain/drainer.h"
#include "fleet/status/page.h"
#include "fleet/status/status.h"
#include "jobq/units.h"
#include "scenario/fleet.h"
#include "live/work/hooks.h"
#include "live/world/notify.h"
#include "live/page/peers.h"
#include "live/cmd/record.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    EXEC,
    PASS_ENV,
    ON_START,
    ON_END,
    HOOK_LIMIT,
    ONCE,
    SERVE,
    LISTEN,
    TOKEN_FILE,
    ALLOW_HOST,
    READ_ONLY,
    RECORD,
    CREATE,
    LEAVE_FILE,
    BOX,
    IMAGE,
    PROFILE,
    TEMPLATE,
    MAX_BOXES
};
static const struct option_def options[] = {
    {"exec", 0, "CMD", "the command that exec jobs run; payload on its stdin"},
    {"pass-env", 0, "NAMES", "pass these withheld variables to the command"},
    {"on-start", 0, "CMD", "run CMD beside each attempt that starts"},
    {"on-end", 0, "CMD", "run CMD after each attempt has ended; JOBQ_STATE says how"},
    {"hook-limit", 0, "T", "end those commands after T (30s)"},
    {"once", 0, NULL, "run the jobs that are there, then end"},
    {"serve", 0, NULL, "serve the status page"},
    {"listen", 0, "A:P", "serve the page at this address (127.0.0.1:8080)"},
    {"token-file", 0, "FILE", "token for readers, on line 1; required beyond 127.*"},
    {"allow-host", 0, "NAMES", "host names that a proxy may request the page by"},
    {"read-only", 0, NULL, "refuse every action of the page"},
    {"record", 0, "FILE", "write a trace of all calls and jobs to FILE"},
    {"create", 0, NULL, "create the queue if it is missing"},
    {"leave-file", 0, "FILE", "make FILE at an idle end: the box may go"},
    {"box", 0, "NAME", "how rows name this box (the instance's id, or the host's name)"},
    {"image", 0, "AMI", "the image of boxes that the page starts (this box's)"},
    OPERATOR_PROFILE,
    OPERATOR_TEMPLATE,
    {"max-boxes", 0, "N", "the page starts no box beyond so many in all (20)"},
    {NULL, 0, NULL, NULL}};
static const struct operator_index starts = {.image = IMAGE,
                                             .profile = PROFILE,
                                             .launch_template = TEMPLATE,
                                             .exec = EXEC,
                                             .max_boxes = MAX_BOXES};

enum { DRAIN_QUEUES_MAX = 16 };

struct drain_queue {
    struct drain *drain;
    char *name; /* in the arguments */
    int64_t weight;
    struct jobq_backend b; /* for the outcome hook of its own */
    struct drainer *drainer;
    struct peers *peers;
    bool ended;
    int code;
    struct jobq_error err;
};

struct drain {
    struct cli *cli;
    struct drain_queue queue[DRAIN_QUEUES_MAX]; /* the page shows the first */
    int queues;
    struct fiber_cond queue_ended;
    struct drainer_options options;
    int64_t drain_timeout_ns;
    bool serve;
    struct cmd_page page;
    struct record *record;
    struct hooks *hooks;
    int64_t hook_limit_ns;
    struct page_failures failures;
    struct operator_kit kit;
    struct operate *operate; /* NULL: nobody may act */
    struct text line;
    struct loop_timer *tick;
    int64_t watchdog_ns, next_status_ns;
    int64_t began_ns, ready_ns; /* the process; its first receive */
};

/* ---- one line a job ------------------------------------------------------------------------ */

/* Messages that an operator must see: printed with --quiet too, and not among the lines
 * of jobs. */
static void log_notice(struct drain_queue *q, const char *text)
{
    struct drain *d = q->drain;
    if (!d->cli->json) {
        if (d->queues > 1)
            cli_complain(d->cli, "queue '%s': %s", q->name, text);
        else
            cli_complain(d->cli, "%s", text);
        return;
    }
    text_puts(&d->line, "{\"event\":\"notice\",");
    if (d->queues > 1) {
        text_puts(&d->line, "\"queue\":");
        cli_json_cstr(&d->line, q->name);
        text_putc(&d->line, ',');
    }
    text_puts(&d->line, "\"text\":");
    cli_json_cstr(&d->line, text);
    text_puts(&d->line, "}\n");
    cli_flush(d->cli, &d->line);
}

static void log_json(struct drain *d, const struct drainer_event *e, const char *what)
{
    struct text *t = &d->line;
    text_puts(t, "{\"event\":");
    cli_json_cstr(t, what);
    text_puts(t, ",\"id\":");
    text_put_json(t, e->job_id);
    text_printf(t, ",\"attempt\":%d", e->attempt);
    if (e->kind != DRAINER_STARTED)
        text_printf(t, ",\"ms\":%lld",
                    (long long)((e->ended_at_ns - e->started_at_ns) / JOBQ_NS_PER_MS));
    if (e->result)
        text_printf(t, ",\"exit\":%d,\"cpu_ms\":%lld", e->result->exit_code,
                    (long long)(e->result->cpu_ns / JOBQ_NS_PER_MS));
    if (e->text && e->text[0]) {
        text_puts(t, ",\"text\":");
        cli_json_cstr(t, e->text);
    }
    text_puts(t, "}\n");
}

static void log_plain(struct drain *d, const struct drainer_event *e, const char *what)
{
    struct text *t = &d->line;
    text_put_escaped(t, e->job_id.ptr, (size_t)e->job_id.len);
    text_printf(t, " %s attempt %d", what, e->attempt);
    if (e->kind == DRAINER_ENDED) {
        char took[32];
        text_printf(
            t, " in %s",
            jobq_format_duration((e->ended_at_ns - e->started_at_ns) / 1000000 * 1000000,
                                 took, sizeof took));
        if (e->result && e->result->exit_code)
            text_printf(t, ", exit %d", e->result->exit_code);
        if (e->result && e->result->primes)
            text_printf(t, ", %lld primes", (long long)e->result->primes);
    }
    if (e->text && e->text[0])
        text_printf(t, ": %s", e->text);
    text_putc(t, '\n');
}

static void run_hook(struct drain_queue *q, const struct drainer_event *e)
{
    const char *state = e->kind == DRAINER_STARTED     ? "running"
                        : e->kind == DRAINER_ENDED     ? job_state_name(e->state)
                        : e->kind == DRAINER_GAVE_BACK ? job_state_name(JOB_QUEUED)
                        : e->state == JOB_CANCELLED    ? job_state_name(e->state)
                                                       : "lost";
    /* What is skipped was not started. */
    if (!q->drain->hooks || e->kind == DRAINER_SKIPPED)
        return;
    hooks_run(
        q->drain->hooks,
        &(struct hook_call){.kind = e->kind == DRAINER_STARTED ? HOOK_START : HOOK_END,
                            .job_id = e->job_id,
                            .queue_name = str_of(q->name),
                            .attempt = e->attempt,
                            .state = state,
                            .has_exit = e->result != NULL,
                            .exit_code = e->result ? e->result->exit_code : 0});
}

static void on_event(void *ctx, const struct drainer_event *e)
{
    struct drain_queue *q = ctx;
    struct drain *d = q->drain;
    if (d->record)
        record_job(d->record, e);
    if (q == &d->queue[0])
        page_note(&d->failures, e, loop_wall_ns());
    if (e->kind == DRAINER_NOTICE) {
        log_notice(q, e->text);
        return;
    }
    run_hook(q, e);
    if (d->cli->quiet || (e->kind == DRAINER_STARTED && !d->cli->verbose))
        return;
    const char *what = e->kind == DRAINER_STARTED     ? "started"
                       : e->kind == DRAINER_GAVE_BACK ? "given back"
                       : e->kind == DRAINER_LOST      ? "lost"
                       : e->kind == DRAINER_SKIPPED   ? "skipped"
                                                      : job_state_name(e->state);
    if (d->cli->json)
        log_json(d, e, what);
    else
        log_plain(d, e, what);
    cli_flush(d->cli, &d->line);
}

/* ---- stopping ------------------------------------------------------------------------------- */

static void stop_all(struct drain *d)
{
    for (int i = 0; i < d->queues; i++)
        if (!d->queue[i].ended)
            drainer_stop(d->queue[i].drainer, loop_now_ns() + d->drain_timeout_ns);
}

static void drain_on_signal(struct cli *cli, int number)
{
    struct drain *d = cli->on_signal_ctx;
    /* Before it has found its queues it holds nothing, so a TERM needs no more. */
    if (!d->queue[d->queues - 1].drainer)
        _exit(number == SIGTERM ? CLI_OK : CLI_INTERRUPTED);
    if (cli->interrupted == 1)
        cli_say(cli,
                "stopping: no new jobs; running jobs finish or are given back; again to "
                "give back at once");
    notify_send("STOPPING=1");
    /* Fibers may not be run from here; the drainer only notes it. */
    stop_all(d);
}

/* ---- the service ---------------------------------------------------------------------------- */

/* Feeds the watchdog only while the poll loop is alive: a hung poll restarts the drainer. Polls
 * that fail are alive: a restart would end the jobs that run and mend no network. */
static bool alive(const struct drainer_view *view, int64_t wait_ns)
{
    int64_t limit_ns = wait_ns + 60 * JOBQ_NS_PER_S;
    return view->last_poll_at_ns == 0 || !view->polls || view->mode != DRAINER_RUNNING ||
           loop_now_ns() - view->last_poll_at_ns < limit_ns;
}

static void on_tick(void *ctx)
{
    struct drain *d = ctx;
    bool all_alive = true;
    struct drainer_view all = {0};
    char status[HEALTH_LINE_MAX + 200];
    if (d->record)
        record_flush(d->record);
    for (int i = 0; i < d->queues; i++) {
        struct drainer_view view;
        drainer_view(d->queue[i].drainer, &view);
        all_alive = all_alive && alive(&view, d->options.wait_ns);
        all.slots = view.slots; /* all share them */
        all.busy += view.busy;
        all.counters.done += view.counters.done;
        all.counters.dead += view.counters.dead;
        if (!all.trouble[0])
            memcpy(all.trouble, view.trouble, sizeof all.trouble);
    }
    if (loop_now_ns() >= d->next_status_ns) {
        d->next_status_ns = loop_now_ns() + 5 * JOBQ_NS_PER_S;
        snprintf(status, sizeof status,
                 "STATUS=%s%s%d of %d slots busy, %lld done, %lld dead", all.trouble,
                 all.trouble[0] ? "; " : "", all.busy, all.slots,
                 (long long)all.counters.done, (long long)all.counters.dead);
        notify_send(status);
    }
    if (d->watchdog_ns && all_alive)
        notify_send("WATCHDOG=1");
    int64_t next_ns = JOBQ_NS_PER_S;
    if (d->watchdog_ns && d->watchdog_ns < next_ns)
        next_ns = d->watchdog_ns;
    loop_timer_set(d->tick, loop_now_ns() + next_ns);
}

/* The tick is needed only with a record or a NOTIFY_SOCKET. */
static void start_tick(struct drain *d)
{
    d->watchdog_ns = notify_watchdog_ns();
    if (!d->record && !getenv("NOTIFY_SOCKET"))
        return;
    d->tick = loop_timer_new(d->cli->live->loop, on_tick, d);
    loop_timer_set(d->tick, loop_now_ns());
}

static void describe(void *ctx, struct status_drainer *out)
{
    struct drain_queue *q = ctx;
    struct drainer_view view;
    drainer_view(q->drainer, &view);
    *out = status_drainer_of(&view, loop_wall_ns());
}

static int start_page(struct drain *d, struct jobq_error *err)
{
    struct drain_queue *first = &d->queue[0];
    struct jobq_backend *b = &first->b;
    struct status *status;
    struct text url = {0};
    int port = cmd_page_listen(d->cli, &d->page, 90 * JOBQ_NS_PER_S, err);
    if (port < 0)
        return port;
    cmd_page_url(&d->page, port, &url);
    cli_say(d->cli, "status page at %s", url.ptr);
    text_release(&url);
    int rc = status_new(b, first->name, &status, err);
    struct operate_options operate;
    operator_kit_fill(&d->kit, d->cli, first->name, &first->peers, &starts, &operate);
    operate.drainer = first->drainer;
    if (cmd_page_acts(&d->page))
        d->operate = operate_new(b, &operate);
    struct page_options page = {.drainer = first->drainer,
                                .failures = &d->failures,
                                .asks = true,
                                .peers = peers_list,
                                .peers_ctx = &first->peers,
                                .money = d->kit.money ? money_fill : NULL,
                                .money_ctx = d->kit.money,
                                .operate = d->operate};
    peers_ask(first->peers);
    return rc < 0 ? rc : page_start(b, status, &page, err);
}

static void say_counters(const struct drain_queue *q)
{
    struct drain *d = q->drain;
    struct drainer_view v;
    drainer_view(q->drainer, &v);
    cli_say(
        d->cli,
        "%s%s%lld done, %lld failed, %lld dead, %lld cancelled, %lld given back, %lld "
        "lost",
        d->queues > 1 ? q->name : "", d->queues > 1 ? ": " : "",
        (long long)v.counters.done, (long long)v.counters.failed,
        (long long)v.counters.dead, (long long)v.counters.cancelled,
        (long long)v.counters.gave_back, (long long)v.counters.lost);
    if (v.counters.dead)
        cli_say(d->cli, "next: jobq dlq ls %s", q->name);
}

/* The drainer ended by itself, and not by a signal: nobody wants the box any more. The unit
 * looks for the file and powers the box off, which the drainer itself has no right to. */
static int note_leave(struct cli *cli, struct jobq_error *err)
{
    const char *path = cli->value[LEAVE_FILE];
    if (!path || cli->interrupted)
        return JOBQ_OK;
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
    if (fd < 0)
        return jobq_fail(err, JOBQ_INVALID, "cannot make the leave file '%s': %s", path,
                         strerror(errno));
    close(fd);
    return JOBQ_OK;
}

/* The box in the ledger, if its type was given: it has run since this process began. */
static void note_box(struct drain *d)
{
    struct cli *cli = d->cli;
    struct drainer_view view;
    if (!scenario_given(&cli->scenario, "instance") ||
        strcmp(cli->scenario.instance, "none") == 0)
        return;
    struct jobq_instance_use *use = jobq_ledger_instance(&cli->live->ledger);
    strcpy(use->type, cli->scenario.instance);
    use->spot = cli->scenario.spot;
    use->ended_by = JOBQ_ENDED_BY_US;
    use->ready_at_ns = d->ready_ns - d->began_ns;
    use->ended_at_ns = loop_now_ns() - d->began_ns;
    use->slots = d->options.slots;
    for (int i = 0; i < d->queues; i++) {
        drainer_view(d->queue[i].drainer, &view);
        memcpy(use->id, view.box, sizeof use->id - 1);
        use->busy_slot_ns += view.counters.busy_slot_ns;
        use->cpu_ns += view.counters.cpu_ns;
    }
}

/* After seppuku. A role that may not terminate its box may still have a leave file. */
static void end_box(struct drain *d)
{
    struct jobq_error err;
    if (operate_end(d->operate, &err) < 0)
        cli_complain(d->cli, "this box could not be terminated: %s", err.text);
}

static int open_queues(struct drain *d, struct jobq_error *err)
{
    const struct jobq_backend *b = &d->cli->live->backend;
    int rc = JOBQ_OK;
    d->options.share = drainer_share_new(&d->cli->live->backend, d->options.slots);
    for (int i = 0; i < d->queues && rc == JOBQ_OK; i++) {
        struct drain_queue *q = &d->queue[i];
        struct drainer_options own = d->options;
        own.queue = q->name;
        own.weight = (int)q->weight;
        own.event_ctx = q;
        q->b = *b;
        rc = drainer_new(&q->b, &own, &q->drainer, err);
        if (rc < 0)
            return rc;
        q->peers = operator_peers(d->cli, q->name);
        peers_obey(q->peers, operator_obey, &q->drainer);
        peers_answer(q->peers, describe, q);
    }
    return rc;
}

static void say_draining(struct drain *d)
{
    struct text names = {0};
    for (int i = 0; i < d->queues; i++) {
        text_printf(&names, "%s'%s'", i ? ", " : "", d->queue[i].name);
        if (d->queues > 1)
            text_printf(&names, " with weight %lld", (long long)d->queue[i].weight);
    }
    cli_say(d->cli, "draining %s with %d slots", names.ptr, d->options.slots);
    text_release(&names);
}

/* One that was stopped (by the page, by an error) takes the others along; idle ends come
 * together, but for one whose queue got work again at the last moment. */
static void drain_queue(void *arg)
{
    struct drain_queue *q = arg;
    struct drainer_view view;
    q->code = drainer_run(q->drainer, &q->err);
    q->ended = true;
    drainer_view(q->drainer, &view);
    if (!view.idle)
        stop_all(q->drain);
    fiber_cond_broadcast(&q->drain->queue_ended);
}

static void hook_trouble(void *ctx, const char *text)
{
    log_notice(ctx, text);
}

static void open_hooks(struct drain *d)
{
    struct cli *cli = d->cli;
    const struct hooks_options hooks = {
        .command = {cli->value[ON_START], cli->value[ON_END]},
        .pass_env = cli->value[PASS_ENV],
        .limit_ns = d->hook_limit_ns,
        .say = hook_trouble,
        .say_ctx = &d->queue[0]};
    if (hooks.command[HOOK_START] || hooks.command[HOOK_END])
        d->hooks = hooks_new(cli->live->loop, cli->live->backend.sched, &hooks);
}

/* Those of the last jobs have their time, too. */
static void close_hooks(struct drain *d)
{
    if (d->hooks)
        hooks_settle(d->hooks, loop_now_ns() + d->hook_limit_ns + 2 * JOBQ_NS_PER_S);
    hooks_free(d->hooks);
    d->hooks = NULL;
}

static int drain_queues(struct drain *d, struct jobq_error *err)
{
    int rc = JOBQ_OK;
    for (int i = 1; i < d->queues; i++)
        fiber_spawn(d->queue[i].b.proc, drain_queue, &d->queue[i]);
    drain_queue(&d->queue[0]);
    for (int i = 0; i < d->queues; i++) {
        while (!d->queue[i].ended)
            fiber_cond_wait(d->queue[i].b.sched, &d->queue_ended, JOBQ_FOREVER);
        say_counters(&d->queue[i]);
        if (rc == JOBQ_OK && d->queue[i].code < 0) {
            *err = d->queue[i].err;
            rc = d->queue[i].code;
        }
    }
    return rc;
}

static int drain_work(struct cli *cli, void *ctx, struct jobq_error *err)
{
    struct drain *d = ctx;
    struct jobq_backend *b = &cli->live->backend;
    char host[64] = "";
    /* Off EC2 a box is a host: rows then say where a job ran. */
    gethostname(host, sizeof host - 1);
    host[23] = '\0';
    if (cli_given(cli, BOX))
        d->options.box = cli->value[BOX];
    else if (!cli->live->settings.imds_url)
        d->options.box = host;
    if (cli_given(cli, RECORD)) {
        d->record = record_open(cli->value[RECORD], b, err);
        if (!d->record)
            return err->code;
    }
    int rc = open_queues(d, err);
    if (rc == JOBQ_OK && d->serve)
        rc = start_page(d, err);
    if (rc == JOBQ_OK) {
        start_tick(d);
        notify_send("READY=1\nSTATUS=draining");
        say_draining(d);
        d->ready_ns = loop_now_ns();
        open_hooks(d);
        rc = drain_queues(d, err);
        close_hooks(d);
        if (d->operate && operate_is_ending(d->operate))
            end_box(d);
        if (rc == JOBQ_OK)
            rc = note_leave(cli, err);
    }
    loop_timer_free(d->tick);
    d->tick = NULL;
    if (d->record) {
        transport_settle(cli->live->transport, 2 * JOBQ_NS_PER_S);
        if (d->queue[d->queues - 1].drainer)
            note_box(d);
        record_close(d->record, cli->live->transport);
    }
    for (int i = 0; i < d->queues; i++) {
        peers_free(d->queue[i].peers);
        d->queue[i].peers = NULL;
        d->queue[i].drainer = NULL;
    }
    return rc;
}

static int64_t none_is_zero(int64_t value)
{
    return value < 0 ? 0 : value;
}

/* "QUEUE" or "QUEUE=WEIGHT". */
static void read_queues(struct cli *cli, struct drain *d, bool *bad)
{
    d->queues = cli->arg_count;
    for (int i = 0; i < cli->arg_count; i++) {
        struct drain_queue *q = &d->queue[i];
        *q = (struct drain_queue){.drain = d, .name = cli->arg[i], .weight = 1};
        char *weight = strchr(q->name, '=');
        if (weight) {
            *weight++ = '\0';
            if (!str_to_int(str_of(weight), &q->weight) || q->weight < 1 ||
                q->weight > DRAINER_WEIGHT_MAX) {
                cli_complain(cli, "the weight '%s' of queue '%s' is not in 1..%d", weight,
                             q->name, DRAINER_WEIGHT_MAX);
                *bad = true;
            }
        }
        for (int j = 0; j < i; j++)
            if (strcmp(d->queue[j].name, q->name) == 0) {
                cli_complain(cli, "queue '%s' is given twice", q->name);
                *bad = true;
            }
    }
}

static void read_options(struct cli *cli, struct drain *d, struct live_options *live,
                         bool *bad)
{
    const struct scenario *s = &cli->scenario;
    struct drainer_options *o = &d->options;
    read_queues(cli, d, bad);
    *o = drainer_defaults(d->queue[0].name, (int)s->concurrency);
    scenario_drainer_options(s, o);
    if (!scenario_given(s, "visibility"))
        o->visibility_ns = DRAINER_AUTO; /* the queue's own */
    if (cli_given(cli, ONCE) && !scenario_given(s, "idle-exit"))
        o->idle_exit_ns = 0;
    o->exec = cli->value[EXEC] != NULL;
    o->create = cli_given(cli, CREATE);
    o->on_event = on_event;
    d->drain_timeout_ns = s->drain_timeout_ns;
    d->serve = cli_given(cli, SERVE) || cli_given(cli, LISTEN);
    if (d->serve)
        cmd_page_options(
            cli, &(struct cmd_page_index){LISTEN, TOKEN_FILE, ALLOW_HOST, READ_ONLY},
            &d->page, bad);
    live->cpu_share = s->cpu_share;
    d->hook_limit_ns = cli_duration(cli, HOOK_LIMIT, 30 * JOBQ_NS_PER_S, bad);
    if (d->hook_limit_ns == 0)
        cli_bad_value(cli, HOOK_LIMIT, "it is 0", bad);
    operator_kit_read(&d->kit, cli, &starts, bad);
    live->exec.command = cli->value[EXEC];
    live->exec.pass_env = cli->value[PASS_ENV];
    live->exec.memory_bytes = none_is_zero(s->memory_limit_bytes);
    live->exec.cpu_ns = none_is_zero(s->cpu_limit_ns);
    if (scenario_store(s) == SCENARIO_STORE_NONE)
        o->stats_ns = JOBQ_FOREVER;
}

static int drain_run(struct cli *cli)
{
    bool bad = false;
    struct live_options live = {0};
    struct drain *d = xcalloc(1, sizeof *d);
    d->cli = cli;
    d->began_ns = loop_now_ns();
    read_options(cli, d, &live, &bad);
    cli->on_signal = drain_on_signal;
    cli->on_signal_ctx = d;
    int rc = bad ? CLI_USAGE : cli_run(cli, &live, drain_work, d);
    cli->on_signal = NULL;
    cli->on_signal_ctx = NULL;
    operator_kit_release(&d->kit); /* the page's fiber asked it for prices to its end */
    text_release(&d->line);
    free(d);
    return rc;
}

const struct cli_command cmd_drain = {
    .name = "drain",
    .synopsis = "QUEUE[=WEIGHT]... -n N [options]",
    .summary = "takes jobs from queues and runs them",
    .examples = "  jobq drain render -n 32 --exec ./render-frame\n"
                "  jobq drain render -n 4 --idle-exit 10m --serve\n"
                "  jobq drain urgent=3 bulk=1 -n 8 --exec ./work\n"
                "  jobq drain render -n 1 --once --record trace.jsonl\n",
    .calls =
        "  A job, batched: 1/10 ReceiveMessage, 2 PutAttributes, 1/10\n"
        "  DeleteMessageBatch; unbatched: 1 receive, 2 puts, 1 delete. A heartbeat "
        "of all\n"
        "  that is held each half visibility timeout. Idle: 3 receives a minute, each\n"
        "  queue. A job's 'progress N%': at most 1 PutAttributes a --progress.\n"
        "  jobq explain-cost drain ... prices the rest.\n",
    .option = options,
    .takes = TAKER_DRAIN,
    .run = drain_run,
    .min_args = 1,
    .max_args = DRAIN_QUEUES_MAX};
