/* refusal.c - what does a drainer do about calls that fail, and about those that are refused?
 *
 * Room:     src/fleet, private to the drainer.
 * Blocks:   never.
 *
 * Whatever fails is reported (fleet/port/health.h). What may pass is tried again by the
 * caller that made the call. A missing permission ends the drainer, whichever call of its
 * work needs it: one that may not extend, delete or write runs jobs twice, and a restart
 * by the service manager is the right pace for asking again. Calls that no job needs
 * (statistics, progress, the page) are only reported. */
#include "base/text.h"
#include "fleet/drain/parts.h"

#include <assert.h>
#include <string.h>

void drain_notice(struct drainer *d, const char *text)
{
    assert(text && text[0]);
    if (!d->options.on_event)
        return;
    struct drainer_event event = {
        .kind = DRAINER_NOTICE, .job_id = STR("-"), .text = text};
    event.started_at_ns = event.ended_at_ns = jobq_now(d->b);
    d->options.on_event(d->options.event_ctx, &event);
}

static void refusal_told(void *ctx, const struct health_report *report)
{
    char line[HEALTH_LINE_MAX];
    drain_notice(ctx, health_line(report, line));
}

void refusal_watch(struct drainer *d)
{
    health_init(&d->health, d->b, refusal_told, d);
}

/* Messages received equally often are hidden for equally long. So those that come before the
 * first of them is back are different messages, and all of them are still hidden. */
void refusal_no_command(struct drainer *d, int32_t receive_count, int64_t wait_ns)
{
    int look = receive_count < 1 ? 0 : receive_count - 1;
    struct drain_hidden *hidden =
        &d->exec_hidden[look < EXEC_LOOKS_MAX ? look : EXEC_LOOKS_MAX - 1];
    int64_t now_ns = jobq_now(d->b);
    if (!d->exec_told)
        drain_notice(d, "exec jobs are here and no command was given for them (--exec): "
                        "they are left for other drainers");
    d->exec_told = true;
    if (now_ns >= hidden->until_ns)
        *hidden = (struct drain_hidden){.until_ns = now_ns + wait_ns};
    hidden->count++;
}

int64_t refusal_exec_hidden(const struct drainer *d)
{
    int64_t now_ns = jobq_now(d->b), count = 0;
    for (int i = 0; i < EXEC_LOOKS_MAX; i++)
        count += now_ns < d->exec_hidden[i].until_ns ? d->exec_hidden[i].count : 0;
    return count;
}

void refusal_end(struct drainer *d, const struct jobq_error *err)
{
    assert(err->code < 0);
    if (d->fatal.code == JOBQ_OK)
        d->fatal = *err;
    fiber_cond_broadcast(&d->changed);
}

void refusal_check(struct drainer *d, int code, const struct jobq_error *err)
{
    if (code == JOBQ_DENIED)
        refusal_end(d, err);
}

void refusal_check_entries(struct drainer *d, const struct jobq_entry_result *result,
                           int count)
{
    for (int i = 0; i < count; i++)
        if (result[i].code == JOBQ_DENIED) {
            struct jobq_error err;
            jobq_fail(&err, JOBQ_DENIED, "%s", result[i].text);
            refusal_end(d, &err);
        }
}
