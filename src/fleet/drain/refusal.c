/* refusal.c - what does a drainer do about calls that fail, and about those that are refused?
 *
 * Room:     src/fleet, private to the drainer.
 * Blocks:   never.
 *
 * Whatever fails is told (fleet/port/health.h). What may pass is tried again by whoever made
 * the call. A missing permission ends the drainer, whichever call of its work needs it: one
 * that may not extend, delete or write runs jobs twice, and a restart by the service
 * manager is the right pace for asking again. Calls that no job needs (statistics,
 * progress, the page) are only told. */
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

void refusal_no_command(struct drainer *d)
{
    if (d->exec_left++ == 0)
        drain_notice(d, "exec jobs are here and no command was given for them (--exec): "
                        "they are left for other drainers");
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
