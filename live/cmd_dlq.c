/* cmd_dlq.c - jobq dlq ls and redrive, and jobq purge.
 *
 * Room:     live, jobq's program. Callers: jobq_main.c.
 *
 * Redrive. A dead job's row says `dead`, and a message for it would only be deleted. So the
 * row goes first, back to `queued` with a claim of attempt 0, on the condition that its
 * claim is still the one that was read; then the message is sent to the queue, then deleted
 * from the dead-letter queue. A crash between two steps leaves a message too many, never
 * one too few: rows are claimed once. */
#include "live/cmd.h"
#include "live/cmd_job.h"

#include "base/arena.h"
#include "fleet/job.h"
#include "jobq/units.h"

#include <stdlib.h>

enum { LIMIT };
static const struct cli_option dlq_options[] = {{"limit", 0, "N", "at most N jobs (all)"},
                                                {NULL, 0, NULL, NULL}};

/* How long what was looked at stays hidden from the next look. */
#define LOOK_NS (30 * JOBQ_NS_PER_S)

struct dead {
    bool redrive;
    int64_t limit, count;
    int dead_queue, queue;
    char name[JOBQ_QUEUE_NAME_MAX + 1];
    struct arena arena, keep;
    struct text out;
    struct jobq_visibility_change *seen; /* to be given back by ls */
    int64_t seen_count, seen_cap;
};

static int open_queues(struct cli *cli, struct dead *d, struct jobq_error *err)
{
    struct jobq_backend *b = &cli->live->backend;
    int rc = cmd_queue_open(b, cli->arg[1], &d->queue, err);
    if (rc < 0)
        return rc;
    job_dead_queue_name(cli->arg[1], d->name);
    return cmd_queue_open(b, d->name, &d->dead_queue, err);
}

static void show(struct cli *cli, struct dead *d, const struct jobq_message *m,
                 struct jobq_str id)
{
    if (cli->json) {
        text_puts(&d->out, d->count ? "," : "");
        text_puts(&d->out, "{\"id\":");
        cli_json_string(&d->out, id);
        text_puts(&d->out, ",\"message_id\":");
        cli_json_string(&d->out, m->id);
        text_printf(&d->out, ",\"sent_ms\":%lld,\"bytes\":%lld}",
                    (long long)(m->sent_wall_ns / JOBQ_NS_PER_MS),
                    (long long)m->body.len);
    } else {
        text_put_escaped(&d->out, id.ptr, (size_t)id.len);
        text_printf(&d->out, "\t%lld bytes\n", (long long)m->body.len);
    }
}

static int reset_row(struct jobq_backend *b, struct dead *d, struct jobq_str id,
                     struct jobq_error *err)
{
    struct job_id_parts parts;
    struct jobq_item item;
    struct job_row row;
    char domain_name[JOB_DOMAIN_MAX + 1];
    int domain;
    int rc = job_id_parse(id, &parts, err);
    if (rc < 0)
        return rc;
    job_domain_name(parts.queue, parts.day, parts.shard, domain_name);
    rc = jobq_store_open(b, domain_name, &domain, err);
    if (rc == JOBQ_OK)
        rc = jobq_store_get(b, domain, id, NULL, 0, true, &d->arena, &item, err);
    if (rc == JOBQ_OK)
        rc = job_row_read(&item, &row, err);
    if (rc < 0)
        return rc;
    if (!row.exists)
        return jobq_fail(err, JOBQ_NOT_FOUND, "row is gone");
    if (row.state != JOB_DEAD && row.state != JOB_QUEUED)
        return jobq_fail(err, JOBQ_CONFLICT, "job is '%s', not dead",
                         job_state_name(row.state));
    const struct jobq_attr attr[] = {{STR("state"), STR("queued"), true},
                                     {STR("claim"), STR("0/redriven"), true}};
    const struct jobq_expect expect = {STR("claim"), row.claim, row.claim.len > 0};
    return jobq_store_put(b, domain, id, attr, 2, &expect, err);
}

static int redrive_one(struct cli *cli, struct dead *d, const struct jobq_message *m,
                       struct jobq_str id, struct jobq_error *err)
{
    struct jobq_backend *b = &cli->live->backend;
    struct jobq_outgoing out = {.body = m->body, .phantom_bytes = m->phantom_bytes};
    struct jobq_entry_result result = {0};
    int rc = b->store ? reset_row(b, d, id, err) : JOBQ_OK;
    if (rc == JOBQ_OK)
        rc = jobq_queue_send(b, d->queue, &out, 1, &result, err);
    if (rc == JOBQ_OK)
        rc = jobq_queue_remove(b, d->dead_queue, &m->receipt, 1, &result, err);
    return rc;
}

static void remember(struct dead *d, const struct jobq_message *m)
{
    if (d->seen_count == d->seen_cap) {
        d->seen_cap = d->seen_cap ? d->seen_cap * 2 : 64;
        d->seen = xrealloc(d->seen, (size_t)d->seen_cap * sizeof *d->seen);
    }
    d->seen[d->seen_count++] =
        (struct jobq_visibility_change){arena_str(&d->keep, m->receipt), 0};
}

static void give_back(struct jobq_backend *b, struct dead *d)
{
    struct jobq_entry_result result[JOBQ_BATCH_MAX];
    struct jobq_error ignored;
    for (int64_t i = 0; i < d->seen_count; i += JOBQ_BATCH_MAX) {
        int64_t left = d->seen_count - i;
        jobq_queue_set_visibility(b, d->dead_queue, d->seen + i,
                                  (int)(left < JOBQ_BATCH_MAX ? left : JOBQ_BATCH_MAX),
                                  result, &ignored);
    }
}

static int work(struct cli *cli, void *ctx, struct jobq_error *err)
{
    struct dead *d = ctx;
    struct jobq_backend *b = &cli->live->backend;
    int rc = open_queues(cli, d, err), worst = CLI_OK;
    if (rc < 0)
        return rc;
    if (cli->json)
        text_printf(&d->out, "{\"schema\":\"jobq.dlq/1\",\"%s\":[",
                    d->redrive ? "redriven" : "jobs");
    while (d->count < d->limit && rc >= 0) {
        struct jobq_message m[JOBQ_BATCH_MAX];
        struct jobq_receive how = {JOBQ_BATCH_MAX, JOBQ_NS_PER_S, LOOK_NS};
        if (d->limit - d->count < how.max)
            how.max = (int)(d->limit - d->count);
        arena_reset(&d->arena);
        int got = jobq_queue_receive(b, d->dead_queue, &how, &d->arena, m, err);
        if (got <= 0) {
            rc = got;
            break;
        }
        for (int i = 0; i < got; i++) {
            struct job_body body;
            struct jobq_str id = STR("?");
            if (job_body_read(m[i].body, m[i].phantom_bytes, &body, err) == JOBQ_OK)
                id = body.id;
            if (d->redrive && redrive_one(cli, d, &m[i], id, err) < 0) {
                char shown[160];
                text_escape(id.ptr, id.len, shown, sizeof shown);
                worst = cli_fail(cli, shown, err);
                continue;
            }
            if (!d->redrive)
                remember(d, &m[i]);
            show(cli, d, &m[i], id);
            d->count++;
        }
        if (!cli->json)
            cli_flush(cli, &d->out);
    }
    give_back(b, d);
    if (cli->json)
        text_puts(&d->out, "]}\n");
    cli_flush(cli, &d->out);
    if (rc < 0)
        return rc;
    if (d->count == 0)
        cli_say(cli, "no dead letters");
    else
        cli_say(cli, "%lld %s; next: jobq %s %s%s", (long long)d->count,
                d->redrive ? "redriven" : "dead", d->redrive ? "drain" : "dlq redrive",
                cli->arg[1], d->redrive ? " -n 10" : "");
    return worst;
}

static int run_dlq(struct cli *cli)
{
    bool bad = false;
    struct live_options live = {0};
    struct dead *d = xcalloc(1, sizeof *d);
    d->redrive = strcmp(cli->arg[0], "redrive") == 0;
    d->limit = cli_count(cli, LIMIT, JOBQ_FOREVER, 1, JOBQ_FOREVER - 1, &bad);
    if (!d->redrive && strcmp(cli->arg[0], "ls") != 0) {
        cli_complain(cli, "want: jobq dlq ls|redrive QUEUE");
        bad = true;
    }
    arena_init(&d->arena, 0);
    arena_init(&d->keep, 0);
    int rc = bad ? CLI_USAGE : cli_run(cli, &live, work, d);
    arena_release(&d->arena);
    arena_release(&d->keep);
    text_release(&d->out);
    free(d->seen);
    free(d);
    return rc;
}

const struct cli_command cmd_dlq = {
    .name = "dlq",
    .synopsis = "ls|redrive QUEUE [--limit N]",
    .summary = "shows the dead letters of a queue, or puts them back",
    .examples = "  jobq dlq ls render\n"
                "  jobq dlq redrive render --limit 10\n",
    .calls =
        "  2 to open; per 10 jobs 1 ReceiveMessage and, ls, 1\n"
        "  ChangeMessageVisibilityBatch; redrive: 1 GetAttributes, 1 PutAttributes,\n"
        "  1 SendMessage and 1 DeleteMessage a job.\n",
    .option = dlq_options,
    .run = run_dlq,
    .min_args = 2,
    .max_args = 2};

/* ---- purge ------------------------------------------------------------------------------------ */

enum { CONFIRM, ROWS, DEAD, DRY_RUN };
static const struct cli_option purge_options[] = {
    {"confirm", 0, "QUEUE", "yes, that one"},
    {"rows", 0, NULL, "also drop the queue's domains, every row of it"},
    {"dead", 0, NULL, "also the dead-letter queue"},
    {"dry-run", 0, NULL, "say what would be done"},
    {NULL, 0, NULL, NULL}};

static int drop_domains(struct cli *cli, int64_t *dropped, struct jobq_error *err)
{
    struct jobq_backend *b = &cli->live->backend;
    struct jobq_str name[100];
    struct arena arena;
    char after[JOB_DOMAIN_MAX + 64] = "";
    int rc, got;
    arena_init(&arena, 0);
    do {
        arena_reset(&arena);
        rc = got =
            jobq_store_list_domains(b, after[0] ? after : NULL, &arena, name, 100, err);
        for (int i = 0; i < got && rc >= 0; i++) {
            int day, shard;
            snprintf(after, sizeof after, "%.*s", (int)name[i].len, name[i].ptr);
            if (!job_domain_parse(name[i], str_of(cli->arg[0]), &day, &shard))
                continue;
            *dropped += 1;
            if (!cli_given(cli, DRY_RUN))
                rc = jobq_store_delete_domain(b, after, err);
        }
    } while (got == 100 && rc >= 0);
    arena_release(&arena);
    return rc < 0 ? rc : JOBQ_OK;
}

static int purge_one(struct cli *cli, const char *name, struct jobq_queue_depth *depth,
                     struct jobq_error *err)
{
    struct jobq_backend *b = &cli->live->backend;
    int queue;
    int rc = cmd_queue_open(b, name, &queue, err);
    if (rc == JOBQ_OK)
        rc = jobq_queue_depth(b, queue, depth, err);
    if (rc == JOBQ_OK && !cli_given(cli, DRY_RUN))
        rc = jobq_queue_purge(b, queue, err);
    return rc;
}

static int purge_work(struct cli *cli, void *ctx, struct jobq_error *err)
{
    struct jobq_queue_depth depth = {0}, dead_depth = {0};
    char dead[JOBQ_QUEUE_NAME_MAX + 1];
    int64_t domains = 0;
    struct text out = {0};
    (void)ctx;
    int rc = job_queue_name_check(cli->arg[0], err);
    if (rc == JOBQ_OK)
        rc = purge_one(cli, cli->arg[0], &depth, err);
    if (rc == JOBQ_OK && cli_given(cli, DEAD)) {
        job_dead_queue_name(cli->arg[0], dead);
        rc = purge_one(cli, dead, &dead_depth, err);
    }
    if (rc == JOBQ_OK && cli_given(cli, ROWS))
        rc = drop_domains(cli, &domains, err);
    if (rc < 0)
        return rc;
    if (cli->json)
        text_printf(&out,
                    "{\"schema\":\"jobq.purge/1\",\"messages\":%lld,\"dead\":%lld,"
                    "\"domains\":%lld,\"dry_run\":%s}\n",
                    (long long)(depth.visible + depth.in_flight + depth.delayed),
                    (long long)dead_depth.visible, (long long)domains,
                    cli_given(cli, DRY_RUN) ? "true" : "false");
    cli_flush(cli, &out);
    text_release(&out);
    cli_say(cli, "%s about %lld messages, %lld dead ones, %lld domains%s",
            cli_given(cli, DRY_RUN) ? "would drop" : "dropped",
            (long long)(depth.visible + depth.in_flight + depth.delayed),
            (long long)dead_depth.visible, (long long)domains,
            cli_given(cli, ROWS) ? "" : "; rows stay, --rows drops them");
    if (cli_given(cli, DRY_RUN))
        cli_say(cli, "next: jobq purge %s --confirm=%s", cli->arg[0], cli->arg[0]);
    else
        cli_say(cli, "next: jobq doctor %s", cli->arg[0]);
    return JOBQ_OK;
}

static int run_purge(struct cli *cli)
{
    struct live_options live = {0};
    if (!cli_given(cli, DRY_RUN) && !cli_confirm(cli, cli->value[CONFIRM], cli->arg[0],
                                                 "this deletes every job waiting"))
        return CLI_USAGE;
    return cli_run(cli, &live, purge_work, NULL);
}

const struct cli_command cmd_purge = {
    .name = "purge",
    .synopsis = "QUEUE --confirm=QUEUE [--rows] [--dead] [--dry-run]",
    .summary = "deletes every message of a queue",
    .examples = "  jobq purge render --dry-run\n"
                "  jobq purge render --confirm=render --rows\n",
    .calls = "  3 a queue; with --rows 1 ListDomains per 100 domains and 1 DeleteDomain "
             "each.\n",
    .option = purge_options,
    .run = run_purge,
    .min_args = 1,
    .max_args = 1};
