#include "fleet/port/trace_text.h"

#include <assert.h>

static void trace_member(struct text *out, const char *name, int64_t value)
{
    text_puts(out, ",\"");
    text_puts(out, name);
    text_puts(out, "\":");
    text_put_int(out, value);
}

void trace_put_call(struct text *out, const struct jobq_trace_call *call, int64_t zero_ns)
{
    assert(out && call && call->ended_ns >= call->started_ns);
    text_puts(out, "{\"call\":\"");
    text_puts(out, jobq_action_name(call->action));
    text_puts(out, "\"");
    trace_member(out, "start", call->started_ns - zero_ns);
    trace_member(out, "ns", call->ended_ns - call->started_ns);
    trace_member(out, "entries", call->entries);
    text_puts(out, ",\"code\":\"");
    text_puts(out, call->code >= 0 ? "ok" : jobq_code_name((enum jobq_code)call->code));
    text_puts(out, "\"");
    trace_member(out, "status", call->cost.http_status);
    trace_member(out, "out", call->cost.bytes_out);
    trace_member(out, "in", call->cost.bytes_in);
    trace_member(out, "requests", call->cost.requests);
    trace_member(out, "box_usage_e10h", call->cost.box_usage_e10h);
    text_puts(out, "}\n");
}
