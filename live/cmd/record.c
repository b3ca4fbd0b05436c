#include "live/cmd/record.h"

#include "base/arena.h"
#include "cost/ledger/ledger_json.h"
#include "fleet/port/trace_text.h"
#include "jobq/units.h"
#include "live/cmd/cli.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

enum { BUFFER_BYTES = 64 << 10 };

struct record {
    struct jobq_backend *b;
    int fd; /* -1: gave up */
    int64_t zero_ns, flushed_ns;
    struct text buffer;
};

void record_flush(struct record *r)
{
    size_t at = 0;
    while (r->fd >= 0 && at < r->buffer.len) {
        ssize_t put = write(r->fd, r->buffer.ptr + at, r->buffer.len - at);
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0) {
            fprintf(stderr, "jobq: cannot write more of the trace: %s\n",
                    strerror(errno));
            close(r->fd);
            r->fd = -1;
            break;
        }
        at += (size_t)put;
    }
    text_clear(&r->buffer);
    r->flushed_ns = loop_now_ns();
}

static void flush_if_due(struct record *r)
{
    if (r->buffer.len >= BUFFER_BYTES || loop_now_ns() - r->flushed_ns > JOBQ_NS_PER_S)
        record_flush(r);
}

static void line_done(struct record *r)
{
    text_puts(&r->buffer, "}\n");
    flush_if_due(r);
}

static void member(struct record *r, const char *name, int64_t value)
{
    text_puts(&r->buffer, ",\"");
    text_puts(&r->buffer, name);
    text_puts(&r->buffer, "\":");
    text_put_int(&r->buffer, value);
}

static void on_call(void *ctx, const struct jobq_trace_call *call)
{
    struct record *r = ctx;
    if (r->fd < 0)
        return;
    trace_put_call(&r->buffer, call, r->zero_ns);
    flush_if_due(r);
}

void record_job(struct record *r, const struct drainer_event *event)
{
    if (r->fd < 0 || event->kind != DRAINER_ENDED)
        return;
    text_puts(&r->buffer, "{\"job\":");
    text_put_json(&r->buffer, event->job_id);
    text_puts(&r->buffer, ",\"state\":\"");
    text_puts(&r->buffer, job_state_name(event->state));
    text_puts(&r->buffer, "\"");
    member(r, "attempt", event->attempt);
    member(r, "enqueued_wall_ns", event->enqueued_wall_ns);
    member(r, "start", event->started_at_ns - r->zero_ns);
    member(r, "ns", event->ended_at_ns - event->started_at_ns);
    member(r, "cpu_ns", event->result ? event->result->cpu_ns : 0);
    member(r, "bytes", event->payload_bytes);
    member(r, "output", event->result ? event->result->tail_bytes : 0);
    member(r, "exit", event->result ? event->result->exit_code : 0);
    line_done(r);
}

void record_enqueued(struct record *r, struct jobq_str id, int code, int64_t bytes)
{
    if (r->fd < 0)
        return;
    text_puts(&r->buffer, "{\"job\":");
    text_put_json(&r->buffer, id);
    text_puts(&r->buffer, ",\"state\":\"queued\",\"code\":\"");
    text_puts(&r->buffer, code < 0 ? jobq_code_name((enum jobq_code)code) : "ok");
    text_puts(&r->buffer, "\"");
    member(r, "end", loop_now_ns() - r->zero_ns);
    member(r, "bytes", bytes);
    line_done(r);
}

struct record *record_open(const char *path, struct jobq_backend *b,
                           struct jobq_error *err)
{
    char shown[120];
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0644);
    if (fd < 0) {
        text_escape(path, (int64_t)strlen(path), shown, sizeof shown);
        jobq_fail(err, JOBQ_INVALID, "trace '%s' cannot be written: %s", shown,
                  strerror(errno));
        return NULL;
    }
    struct record *r = xcalloc(1, sizeof *r);
    *r = (struct record){.b = b, .fd = fd, .zero_ns = loop_now_ns()};
    r->flushed_ns = r->zero_ns;
    text_puts(&r->buffer, "{\"schema\":\"jobq.trace/1\"");
    member(r, "started_wall_ns", loop_wall_ns());
    member(r, "pid", getpid());
    line_done(r);
    b->trace = on_call;
    b->trace_ctx = r;
    return r;
}

static void put_ledger(void *ctx)
{
    struct record *r = ctx;
    json_t *json = ledger_to_json(r->b->ledger);
    char *text = json_dumps(json, JSON_COMPACT);
    text_puts(&r->buffer, "{\"ledger\":");
    text_puts(&r->buffer, text ? text : "{}");
    line_done(r);
    free(text);
    json_decref(json);
}

void record_close(struct record *r, struct transport *transport)
{
    r->b->trace = NULL;
    if (r->fd >= 0)
        transport_on_loop(transport, put_ledger, r);
    record_flush(r);
    if (r->fd >= 0)
        close(r->fd);
    text_release(&r->buffer);
    free(r);
}
