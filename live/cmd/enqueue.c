/* enqueue.c - jobq enqueue: one job from the command line, or many from lines.
 *
 * Room:     live, jobq's program. Callers: jobq_main.c. */
#include "live/cmd/cmd.h"

#include "base/arena.h"
#include "fleet/enqueue/enqueuer.h"
#include "jobq/units.h"
#include "scenario/fleet.h"
#include "live/work/batchline.h"
#include "live/lib/journal.h"
#include "live/cmd/record.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BATCH, JOURNAL, KEY, RECORD };
static const struct option_def options[] = {
    {"batch", 'b', "FILE", "one job a line from FILE, '-' for stdin"},
    {"journal", 0, "FILE", "record progress in FILE (FILE.journal of a batch)"},
    {"key", 0, "KEY",
     "enqueue once: a second enqueue with this key, within the retention, gets the "
     "first's id"},
    {"record", 0, "FILE", "write a trace of all calls to FILE"},
    {NULL, 0, NULL, NULL}};

enum {
    CHUNK_JOBS = 1000,
    COMPLAINTS_MAX = 20, /* lines that are printed; all are counted */
    READ_BYTES = 64 << 10,
    LINE_MAX_BYTES = 4 << 20 /* a line is refused past it, before it is in memory twice */
};

/* What is known of a line of an earlier run. */
enum line_done { LINE_OPEN, LINE_ACKNOWLEDGED, LINE_SHOWN };

struct line_job {
    int64_t number;
    int code;
    char text[160]; /* why it was refused */
};

struct enqueue {
    struct cli *cli;
    struct enqueuer *enqueuer;
    struct enqueuer_options options;
    struct enqueuer_job like; /* what every job says of itself */
    int fd, read_errno;       /* of the batch; -1: none */
    struct journal journal;
    bool journals;
    struct record *record;
    struct text unread; /* bytes of the batch not yet taken */
    size_t taken;
    int64_t line;       /* lines taken so far */
    bool eof, overlong; /* overlong: the beginning of the line was dropped */
    char *done;         /* by line number, for lines of an earlier run: enum line_done */
    int64_t done_cap;
    /* a chunk */
    struct arena arena;
    char bytes[READ_BYTES];
    struct enqueuer_job job[CHUNK_JOBS], good[CHUNK_JOBS];
    int good_index[CHUNK_JOBS];
    struct line_job source[CHUNK_JOBS];
    struct job_pair *pair[CHUNK_JOBS];
    int count;
    int64_t added, refused, failed, skipped, shown; /* shown: ids on stdout */
    int worst;                                      /* the first code that was not OK */
    struct jobq_error why;
    struct text out;
    int64_t told_ns;
};

static void mark_done(void *ctx, int64_t tag)
{
    struct enqueue *e = ctx;
    if (tag < 0 || tag > INT64_C(1) << 40)
        return;
    if (tag >= e->done_cap) {
        int64_t cap = e->done_cap ? e->done_cap : 1024;
        while (cap <= tag)
            cap *= 2;
        e->done = xrealloc(e->done, (size_t)cap * sizeof *e->done);
        memset(e->done + e->done_cap, 0, (size_t)(cap - e->done_cap) * sizeof *e->done);
        e->done_cap = cap;
    }
    e->done[tag] = LINE_ACKNOWLEDGED;
}

static void put_id(struct enqueue *e, struct jobq_str id)
{
    if (e->cli->json) {
        text_puts(&e->out, e->shown ? "," : "");
        text_put_json(&e->out, id);
    } else {
        text_put_str(&e->out, id);
        text_putc(&e->out, '\n');
    }
    e->shown++;
}

/* "s ID LINE": jobs that earlier runs put on the queue, perhaps without reporting it
 * because they were killed. */
static int show_earlier(void *ctx, struct jobq_str text)
{
    struct enqueue *e = ctx;
    struct enqueuer_record record;
    if (!enqueuer_record_read(text, &record) || record.what != 's' || record.tag < 0 ||
        record.tag >= e->done_cap || e->done[record.tag] != LINE_ACKNOWLEDGED)
        return 0;
    e->done[record.tag] = LINE_SHOWN;
    put_id(e, record.id);
    if (e->out.len > READ_BYTES)
        cli_flush(e->cli, &e->out);
    return 0;
}

static void take_line(struct enqueue *e, struct jobq_str line)
{
    int64_t number = ++e->line;
    if (number < e->done_cap && e->done[number]) {
        e->skipped++;
        return;
    }
    struct jobq_error err;
    struct job_pair *pair = arena_alloc(&e->arena, JOB_PAIRS_MAX * sizeof *pair);
    int got = e->overlong || line.len > LINE_MAX_BYTES
                  ? jobq_fail(&err, JOBQ_LIMIT, "line is longer than '4 MiB'")
                  : batchline_read(line, &e->arena, pair, JOB_PAIRS_MAX, &err);
    /* The enqueuer checks this too, but keeps one error a call; here each line gets its
     * own. */
    struct job_spec spec;
    struct job_pair *payload = arena_alloc(&e->arena, JOB_PAIRS_MAX * sizeof *payload);
    if (got > 0 && job_spec_read(pair, got, payload, &spec, &err) < 0)
        got = err.code;
    if (got == 0)
        return;
    int i = e->count++;
    e->source[i] = (struct line_job){.number = number, .code = got < 0 ? got : JOBQ_OK};
    e->pair[i] = pair;
    if (got < 0) {
        memcpy(e->source[i].text, err.text, sizeof e->source[i].text - 1);
        return;
    }
    e->job[i] = e->like;
    e->job[i].pair = pair;
    e->job[i].pair_count = got;
    e->job[i].tag = number;
}

/* Takes the lines that are there and waits only when there are none: a slow producer's
 * jobs are sent as they come. On the loop's stack; nothing else is under way. */
static void read_chunk(void *ctx)
{
    struct enqueue *e = ctx;
    arena_reset(&e->arena);
    e->count = 0;
    for (;;) {
        char *from = e->unread.ptr + e->taken;
        size_t left = e->unread.len - e->taken;
        char *end = left ? memchr(from, '\n', left) : NULL;
        if (end || (e->eof && (left || e->overlong))) {
            size_t len = end ? (size_t)(end - from) : left;
            take_line(e, (struct jobq_str){from, (int64_t)len});
            e->taken += len + (end != NULL);
            e->overlong = false;
            if (e->count == CHUNK_JOBS)
                return;
            continue;
        }
        if (e->count || e->eof)
            return;
        if (left > LINE_MAX_BYTES) {
            e->overlong = true;
            text_clear(&e->unread);
            e->taken = 0;
        } else if (e->taken) {
            memmove(e->unread.ptr, from, left);
            e->unread.len = left;
            e->taken = 0;
        }
        ssize_t got = read(e->fd, e->bytes, sizeof e->bytes);
        if (got > 0)
            text_put(&e->unread, e->bytes, (size_t)got);
        else if (got == 0 || errno != EINTR)
            e->eof = true;
        if (got < 0 && errno != EINTR)
            e->read_errno = errno;
    }
}

static void note_failure(struct enqueue *e, int code, const char *text)
{
    if (e->worst == JOBQ_OK) {
        e->worst = code;
        e->why.code = (enum jobq_code)code;
        snprintf(e->why.text, sizeof e->why.text, "%s", text);
    }
}

static void complain_of_line(struct enqueue *e, int64_t number, const char *how,
                             const char *why)
{
    int64_t told = e->refused + e->failed;
    if (told < COMPLAINTS_MAX)
        cli_complain(e->cli, "line %lld: %s%s", (long long)number, how, why);
    else if (told == COMPLAINTS_MAX)
        cli_complain(e->cli, "more lines like these are counted but not shown");
}

static void report_chunk(struct enqueue *e, const struct jobq_error *err)
{
    struct cli *cli = e->cli;
    for (int i = 0; i < e->count; i++) {
        int code = e->source[i].code < 0 ? e->source[i].code : e->job[i].code;
        if (code == JOBQ_OK) {
            put_id(e, str_of(e->job[i].id));
            e->added++;
            continue;
        }
        const char *text = e->source[i].code < 0 ? e->source[i].text : err->text;
        bool refused = code == JOBQ_INVALID || code == JOBQ_LIMIT;
        complain_of_line(e, e->source[i].number, refused ? "" : "not acknowledged: ",
                         refused && e->source[i].code == JOBQ_OK && text[0] == '\0'
                             ? "refused"
                             : text);
        note_failure(e, code, text);
        *(refused ? &e->refused : &e->failed) += 1;
    }
    cli_flush(cli, &e->out);
    if (!cli->quiet && !cli->json && isatty(STDERR_FILENO) &&
        loop_now_ns() > e->told_ns + JOBQ_NS_PER_S) {
        e->told_ns = loop_now_ns();
        fprintf(cli->err, "\r%lld enqueued ", (long long)e->added);
    }
}

static void note_jobs(struct enqueue *e)
{
    for (int i = 0; e->record && i < e->count; i++) {
        const struct enqueuer_job *job = &e->job[i];
        int64_t bytes = 0;
        if (e->source[i].code < 0)
            continue;
        for (int k = 0; k < job->pair_count; k++)
            bytes += job->pair[k].name.len + job->pair[k].value.len;
        record_enqueued(e->record, str_of(job->id), job->code, bytes);
    }
}

/* Lines that could not be read are left out of what the enqueuer gets. */
static void send_chunk(struct enqueue *e)
{
    struct jobq_error err = {0};
    int count = 0;
    for (int i = 0; i < e->count; i++)
        if (e->source[i].code == JOBQ_OK) {
            e->good[count] = e->job[i];
            e->good_index[count++] = i;
        }
    if (count)
        enqueuer_add_many(e->enqueuer, e->good, count, &err);
    for (int i = 0; i < count; i++)
        e->job[e->good_index[i]] = e->good[i];
    note_jobs(e);
    report_chunk(e, &err);
}

static int run_batch(struct enqueue *e, struct jobq_error *err)
{
    if (e->journals && journal_resumes(&e->journal)) {
        int64_t sent = enqueuer_recover(e->enqueuer, mark_done, e, err);
        if (sent < 0)
            return (int)sent;
        cli_say(e->cli, "resuming from the journal; %lld messages were still to be sent",
                (long long)sent);
    }
    if (e->cli->json)
        text_puts(&e->out, "{\"schema\":\"jobq.enqueue/1\",\"ids\":[");
    /* Prints their ids again, so that the output of a resumed command is complete. */
    struct jobq_error ignored;
    if (e->done_cap)
        e->journal.port.load(e->journal.port.ctx, show_earlier, e, &ignored);
    while (!e->eof || e->taken < e->unread.len) {
        transport_on_loop(e->cli->live->transport, read_chunk, e);
        if (e->count)
            send_chunk(e);
    }
    if (e->read_errno) {
        cli_complain(e->cli, "cannot read the rest of the batch: %s",
                     strerror(e->read_errno));
        note_failure(e, JOBQ_CORRUPT, "cannot read the rest of the batch");
    }
    return JOBQ_OK;
}

static int run_one(struct enqueue *e, struct jobq_error *err)
{
    struct cli *cli = e->cli;
    struct job_pair *pair = arena_alloc(&e->arena, JOB_PAIRS_MAX * sizeof *pair);
    int count = cli->arg_count - 1;
    if (count > JOB_PAIRS_MAX)
        return jobq_fail(err, JOBQ_LIMIT, "job has more than '%d' pairs", JOB_PAIRS_MAX);
    for (int i = 0; i < count; i++) {
        int rc = batchline_word(cli->arg[i + 1], &pair[i], err);
        if (rc < 0)
            return rc;
    }
    e->count = 1;
    e->job[0] = e->like;
    e->job[0].pair = pair;
    e->job[0].pair_count = count;
    e->job[0].tag = 1;
    if (cli_given(cli, KEY))
        e->job[0].key = str_of(cli->value[KEY]);
    enqueuer_add_many(e->enqueuer, e->job, 1, err);
    note_jobs(e);
    if (e->job[0].code < 0)
        return e->job[0].code;
    e->added = 1;
    if (cli->json)
        text_puts(&e->out, "{\"schema\":\"jobq.enqueue/1\",\"ids\":[");
    put_id(e, str_of(e->job[0].id));
    return JOBQ_OK;
}

static int enqueue_work(struct cli *cli, void *ctx, struct jobq_error *err)
{
    struct enqueue *e = ctx;
    struct jobq_backend *b = &cli->live->backend;
    if (cli_given(cli, RECORD)) {
        e->record = record_open(cli->value[RECORD], b, err);
        if (!e->record)
            return err->code;
    }
    int rc = enqueuer_new(b, &e->options, &e->enqueuer, err);
    if (rc == JOBQ_OK)
        rc = e->fd >= 0 ? run_batch(e, err) : run_one(e, err);
    if (e->record)
        record_close(e->record, cli->live->transport);
    if (rc < 0)
        return rc;
    if (cli->json)
        text_printf(&e->out, "],\"refused\":%lld,\"failed\":%lld,\"resumed\":%lld}\n",
                    (long long)e->refused, (long long)e->failed, (long long)e->skipped);
    cli_flush(cli, &e->out);
    if (e->fd >= 0)
        cli_say(cli,
                "%lld enqueued, %lld refused, %lld not acknowledged, %lld were there "
                "before",
                (long long)e->added, (long long)e->refused, (long long)e->failed,
                (long long)e->skipped);
    cli_say(cli, "next: jobq drain %s -n 10", e->options.queue);
    return cli_exit_of(e->worst);
}

/* Resuming reads rows: without a store there is no journal unless asked for. */
static int open_batch(struct cli *cli, struct enqueue *e, bool stores)
{
    struct jobq_error err;
    const char *path = cli->value[BATCH];
    bool from_stdin = path && strcmp(path, "-") == 0;
    char shown[120];
    if (!path)
        return CLI_OK;
    e->fd = from_stdin ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    if (e->fd < 0) {
        text_escape(path, (int64_t)strlen(path), shown, sizeof shown);
        cli_complain(cli, "'%s' cannot be read: %s", shown, strerror(errno));
        return CLI_USAGE;
    }
    struct stat st;
    if (fstat(e->fd, &st) == 0 && S_ISDIR(st.st_mode)) {
        cli_complain(cli, "the batch is a directory");
        return CLI_USAGE;
    }
    struct text name = {0};
    if (cli_given(cli, JOURNAL)) {
        text_puts(&name, cli->value[JOURNAL]);
    } else if (!from_stdin && stores) {
        text_puts(&name, path);
        text_puts(&name, ".journal");
    }
    int rc = CLI_OK;
    if (name.len && journal_open(&e->journal, name.ptr, &err) < 0)
        rc = cli_fail(cli, NULL, &err);
    else if (name.len) {
        e->journals = true;
        e->options.journal = &e->journal.port;
    }
    text_release(&name);
    return rc;
}

static int enqueue_run(struct cli *cli)
{
    if (!cli_given(cli, BATCH) && cli->arg_count < 1) {
        cli_complain(cli, "want key=value or --batch");
        return CLI_USAGE;
    }
    if (cli_given(cli, BATCH) && cli_given(cli, KEY)) {
        cli_complain(cli, "--key is of one job: it does not go with --batch");
        return CLI_USAGE;
    }
    struct enqueue *e = xcalloc(1, sizeof *e);
    e->cli = cli;
    e->fd = -1;
    e->options = enqueuer_defaults(cli->arg[0]);
    const struct scenario *settings = &cli->scenario;
    struct live_options live = {0};
    scenario_enqueuer_options(settings, &e->options);
    if (!scenario_given(settings, "visibility"))
        e->options.visibility_ns = -1; /* the queue's own */
    if (!scenario_given(settings, "retention"))
        e->options.retention_ns = 0; /* that of a queue that is there stays */
    if (!cli_given(cli, BATCH))
        e->options.pipeline = 1;
    scenario_job_options(settings, &e->like);
    int rc = open_batch(cli, e, scenario_store(settings) != SCENARIO_STORE_NONE);
    if (rc == CLI_OK) {
        arena_init(&e->arena, 0);
        rc = cli_run(cli, &live, enqueue_work, e);
        arena_release(&e->arena);
    }
    if (e->journals)
        journal_close(&e->journal, rc == CLI_OK);
    if (e->fd > STDIN_FILENO)
        close(e->fd);
    text_release(&e->unread);
    text_release(&e->out);
    free(e->done);
    free(e);
    return rc;
}

const struct cli_command cmd_enqueue = {
    .name = "enqueue",
    .synopsis = "QUEUE [options] key=value... | --batch FILE|-",
    .summary = "puts jobs on a queue; ids on stdout",
    .examples =
        "  jobq enqueue render kind=sleep seconds=2\n"
        "  jobq enqueue render kind=exec frame=12 note='two words'\n"
        "  jobq enqueue render --key invoice-4711 --attempts 3 kind=exec invoice=4711\n"
        "  jobq enqueue render --visibility 5m --batch jobs.txt\n",
    .calls =
        "  1 to 4 to find or make the queue and its dead-letter queue; then a job:\n"
        "  1 PutAttributes and 1 SendMessage, or by --batch 1/25 and 1/10 of a batch\n"
        "  call. With --key 1 PutAttributes more, or if the key is taken 1 that is\n"
        "  refused, 2 GetAttributes, and the message unless the job has begun.\n"
        "  Domains are made when first missed: 1 CreateDomain each.\n",
    .option = options,
    .takes = TAKER_ENQUEUE,
    .run = enqueue_run,
    .min_args = 1,
    .max_args = -1};
