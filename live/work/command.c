#include "live/work/command.h"

#include "base/arena.h"
#include "base/text.h"
#include "jobq/units.h"
#include "live/work/keeper.h"

#include <event2/event.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { WORDS_MAX = 64, READ_BYTES = 4 << 10, READS_A_TURN = 64 };

struct command {
    struct command_host *host;
    int out_fd;
    struct event *readable;
    struct loop_timer *killer;
    int64_t kill_at_ns, started_ns;
    struct command_end end;
    loop_fn *ended;
    void *ctx;
    char tail[JOBQ_OUTPUT_TAIL]; /* a ring */
    int64_t written;             /* bytes of output in all */
    struct command_lines lines;
    struct command *next, **at; /* in the host's list */
};

struct command_host {
    struct loop *loop;
    char *command, *word[WORDS_MAX + 1];
    struct keeper_rules rules;
    struct keeper keeper;
    struct event *replies;
    struct command *first; /* those that run */
    int running;
    struct keeper_reply *early; /* came while a start was waited for */
    int early_count, early_cap;
    bool lost; /* the keeper is gone, to be dealt with in the loop's next turn */
};

/* ---- output ---------------------------------------------------------------------------- */

int command_lines_feed(struct command_lines *s, const char *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        char c = bytes[i];
        if (c != '\n' && c != '\r') {
            if (s->len == (int)sizeof s->line - 1)
                s->skip = true;
            else
                s->line[s->len++] = c;
            continue;
        }
        s->line[s->len] = '\0';
        int percent, used = 0;
        if (!s->skip && sscanf(s->line, "progress %3d%%%n", &percent, &used) == 1 &&
            used == s->len && percent >= 0 && percent <= 100)
            s->percent = percent + 1;
        s->len = 0;
        s->skip = false;
    }
    return s->percent - 1;
}

static void keep_output(struct command *p, const char *bytes, size_t len)
{
    command_lines_feed(&p->lines, bytes, len);
    for (size_t i = len > JOBQ_OUTPUT_TAIL ? len - JOBQ_OUTPUT_TAIL : 0; i < len; i++)
        p->tail[(p->written + (int64_t)i) % JOBQ_OUTPUT_TAIL] = bytes[i];
    p->written += (int64_t)len;
}

static void close_output(struct command *p)
{
    if (p->readable)
        event_free(p->readable);
    p->readable = NULL;
    if (p->out_fd >= 0)
        close(p->out_fd);
    p->out_fd = -1;
}

/* A bounded number of reads, so that a command that prints without end does not keep the
 * loop. */
static void read_output(struct command *p)
{
    char bytes[READ_BYTES];
    for (int i = 0; i < READS_A_TURN && p->out_fd >= 0; i++) {
        ssize_t got = read(p->out_fd, bytes, sizeof bytes);
        if (got > 0)
            keep_output(p, bytes, (size_t)got);
        else if (got == 0 || (errno != EAGAIN && errno != EINTR))
            close_output(p);
        else
            break;
    }
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    read_output(arg);
}

int command_tail(const struct command *p, char *out)
{
    int64_t len = p->written < JOBQ_OUTPUT_TAIL ? p->written : JOBQ_OUTPUT_TAIL;
    for (int64_t i = 0; i < len; i++)
        out[i] = p->tail[(p->written - len + i) % JOBQ_OUTPUT_TAIL];
    return (int)len;
}

int64_t command_printed(const struct command *p)
{
    return p->written;
}

int command_percent(const struct command *p)
{
    return p->lines.percent - 1;
}

/* ---- ends ------------------------------------------------------------------------------- */

static void command_finish(struct command *p, int status, int64_t cpu_ns)
{
    *p->at = p->next;
    if (p->next)
        p->next->at = p->at;
    p->host->running--;
    read_output(p);
    close_output(p);
    loop_timer_free(p->killer);
    p->killer = NULL;
    p->end.exit_code = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
    p->end.cpu_ns = cpu_ns;
    p->end.wall_ns = loop_now_ns() - p->started_ns;
    p->ended(p->ctx);
}

/* It was killed, and with it every command; another one serves the next. */
static void command_lose_keeper(struct command_host *host)
{
    static const char why[] = "jobq: the keeper of this command was killed\n";
    event_free(host->replies);
    host->replies = NULL;
    keeper_free(&host->keeper);
    while (host->first) {
        struct command *p = host->first;
        read_output(p);
        keep_output(p, why, sizeof why - 1);
        command_finish(p, SIGKILL, 0);
    }
}

static void command_ended(const struct keeper_reply *reply)
{
    command_finish((struct command *)(uintptr_t)reply->key, reply->status, reply->cpu_ns);
}

static void on_replies(evutil_socket_t fd, short what, void *arg)
{
    struct command_host *host = arg;
    struct keeper_reply reply;
    struct jobq_error err;
    int got = 1;
    (void)fd;
    (void)what;
    /* Those that came while another start was waited for. */
    for (int i = 0; i < host->early_count; i++)
        command_ended(&host->early[i]);
    host->early_count = 0;
    while (!host->lost && (got = keeper_next(&host->keeper, false, &reply, &err)) == 1)
        command_ended(&reply);
    if (got < 0 || host->lost)
        command_lose_keeper(host);
    host->lost = false;
}

void command_result(const struct command *p, struct command_end *out)
{
    *out = p->end;
}

void command_free(struct command *p)
{
    close_output(p);
    loop_timer_free(p->killer);
    free(p);
}

static void kill_now(void *ctx)
{
    struct command *p = ctx;
    keeper_signal(&p->host->keeper, (uintptr_t)p, SIGKILL);
}

void command_stop(struct command *p, int64_t grace_ns)
{
    int64_t at_ns = loop_now_ns() + grace_ns;
    if (!p->killer) {
        keeper_signal(&p->host->keeper, (uintptr_t)p, SIGTERM);
        p->killer = loop_timer_new(p->host->loop, kill_now, p);
        p->kill_at_ns = JOBQ_FOREVER;
    }
    if (at_ns < p->kill_at_ns) {
        p->kill_at_ns = at_ns;
        loop_timer_set(p->killer, at_ns);
    }
}

int command_running(const struct command_host *host)
{
    return host->running;
}

/* ---- starts ------------------------------------------------------------------------------- */

static int open_payload(struct jobq_str payload)
{
    if (payload.len == 0)
        return open("/dev/null", O_RDONLY | O_CLOEXEC);
    int fd = memfd_create("jobq-payload", MFD_CLOEXEC);
    struct text whole = {0};
    if (!payload.ptr) {
        text_put_str(&whole, payload);
        payload = text_str(&whole);
    }
    for (int64_t at = 0; fd >= 0 && at < payload.len;) {
        ssize_t put = write(fd, payload.ptr + at, (size_t)(payload.len - at));
        if (put <= 0) {
            close(fd);
            fd = -1;
        }
        at += put;
    }
    if (fd >= 0)
        lseek(fd, 0, SEEK_SET);
    text_release(&whole);
    return fd;
}

/* It ends with 127 as a shell would have it; the output says why. */
static void cannot_execute(struct command *p, int error)
{
    char text[200];
    int len = snprintf(text, sizeof text, "jobq: the command cannot be executed: %s\n",
                       strerror(error));
    keep_output(p, text, (size_t)len);
}

static void keep_early(struct command_host *host, const struct keeper_reply *reply)
{
    if (host->early_count == host->early_cap) {
        host->early_cap = host->early_cap ? 2 * host->early_cap : 16;
        host->early =
            xrealloc(host->early, (size_t)host->early_cap * sizeof *host->early);
    }
    host->early[host->early_count++] = *reply;
}

static int need_keeper(struct command_host *host, struct jobq_error *err)
{
    if (host->keeper.fd >= 0)
        return host->lost ? jobq_fail(err, JOBQ_UNAVAILABLE, "the keeper was killed")
                          : JOBQ_OK;
    int rc = keeper_new(&host->keeper, &host->rules, err);
    if (rc < 0)
        return rc;
    host->replies = event_new(loop_base(host->loop), host->keeper.fd,
                              EV_READ | EV_PERSIST, on_replies, host);
    event_add(host->replies, NULL);
    return JOBQ_OK;
}

static void copy_word(char *out, size_t cap, struct jobq_str word)
{
    snprintf(out, cap, "%.*s", (int)word.len, word.ptr);
}

/* Has the keeper start it. Ends of others that come meanwhile are dealt with in the loop's next
 * turn: their callers do not expect them here. */
static int command_launch(struct command_host *host, const struct jobq_work *work,
                          const struct command_state *state, uint64_t key, int in,
                          int out, struct keeper_reply *reply, struct jobq_error *err)
{
    struct keeper_start start = {
        .key = key, .in = in, .out = out, .attempt = work->attempt};
    copy_word(start.job_id, sizeof start.job_id, work->job_id);
    copy_word(start.queue, sizeof start.queue, work->queue_name);
    if (state) {
        copy_word(start.state, sizeof start.state, str_of(state->state));
        start.has_exit = state->has_exit;
        start.exit_code = state->exit_code;
    }
    int rc = need_keeper(host, err);
    if (rc < 0)
        return rc;
    rc = keeper_start(&host->keeper, &start, err);
    while (rc >= 0 && (rc = keeper_next(&host->keeper, true, reply, err)) == 1 &&
           reply->what == KEEPER_ENDED)
        keep_early(host, reply);
    host->lost = rc < 0;
    if (host->lost || host->early_count)
        event_active(host->replies, EV_READ, 0);
    if (rc >= 0 && reply->no_process)
        return jobq_fail(err, JOBQ_UNAVAILABLE, "no process to be had: %s",
                         strerror(reply->error));
    return rc < 0 ? rc : JOBQ_OK;
}

int command_start(struct command_host *host, const struct jobq_work *work, loop_fn *ended,
                  void *ctx, struct command **out, struct jobq_error *err)
{
    return command_start_hook(host, work, NULL, ended, ctx, out, err);
}

int command_start_hook(struct command_host *host, const struct jobq_work *work,
                       const struct command_state *state, loop_fn *ended, void *ctx,
                       struct command **out, struct jobq_error *err)
{
    int in = open_payload(work->payload), pipe_fd[2] = {-1, -1};
    struct keeper_reply reply;
    if (in < 0 || pipe2(pipe_fd, O_CLOEXEC) < 0) {
        if (in >= 0)
            close(in);
        return jobq_fail(err, JOBQ_UNAVAILABLE, "no descriptor for a command: %s",
                         strerror(errno));
    }
    fcntl(pipe_fd[0], F_SETFL, O_NONBLOCK);
    struct command *p = xcalloc(1, sizeof *p);
    int rc = command_launch(host, work, state, (uintptr_t)p, in, pipe_fd[1], &reply, err);
    close(in);
    close(pipe_fd[1]);
    if (rc < 0) {
        close(pipe_fd[0]);
        free(p);
        return rc;
    }
    p->host = host;
    p->ended = ended;
    p->ctx = ctx;
    p->out_fd = pipe_fd[0];
    p->started_ns = loop_now_ns();
    *out = p;
    p->next = host->first;
    p->at = &host->first;
    if (p->next)
        p->next->at = &p->next;
    host->first = p;
    host->running++;
    p->readable =
        event_new(loop_base(host->loop), p->out_fd, EV_READ | EV_PERSIST, on_readable, p);
    event_add(p->readable, NULL);
    if (reply.error)
        cannot_execute(p, reply.error);
    return JOBQ_OK;
}

/* ---- the host ---------------------------------------------------------------------------- */

static bool plain_words(const char *command)
{
    for (const char *c = command; *c; c++)
        if (!((*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') ||
              (*c >= '0' && *c <= '9') || strchr(" _./:,@%+-", *c)))
            return false;
    return true;
}

static void cut_command(struct command_host *host)
{
    int count = 0;
    if (!plain_words(host->command)) {
        static char sh[] = "/bin/sh", c[] = "-c";
        host->word[0] = sh;
        host->word[1] = c;
        host->word[2] = host->command;
        return;
    }
    char *rest = NULL;
    for (char *word = strtok_r(host->command, " ", &rest); word && count < WORDS_MAX;
         word = strtok_r(NULL, " ", &rest))
        host->word[count++] = word;
}

struct command_host *command_host_new(struct loop *loop,
                                      const struct command_options *options)
{
    struct command_host *host = xcalloc(1, sizeof *host);
    host->loop = loop;
    host->command = xstrdup(options->command ? options->command : "");
    host->rules = (struct keeper_rules){
        .word = host->word,
        .pass_env = options->pass_env ? xstrdup(options->pass_env) : NULL,
        .memory_bytes = options->memory_bytes,
        .cpu_ns = options->cpu_ns};
    host->keeper.fd = -1;
    cut_command(host);
    return host;
}

void command_host_free(struct command_host *host)
{
    for (struct command *p = host->first, *next; p; p = next) {
        next = p->next;
        command_free(p);
    }
    if (host->replies)
        event_free(host->replies);
    keeper_free(&host->keeper);
    free(host->early);
    free(host->command);
    free((char *)(uintptr_t)host->rules.pass_env);
    free(host);
}
