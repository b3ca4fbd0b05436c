/* page_metrics.c - the status for Prometheus. See page.h.
 *
 * Room:     src/fleet, the product. Pure.
 *
 * Text exposition format 0.0.4 (prometheus.io/docs/instrumenting/exposition_formats): a family's
 * HELP and TYPE, then its samples, each with the queue as its first label. Families and labels
 * are only ever added. */
#include "fleet/status/page.h"
#include "jobq/units.h"

#include <assert.h>

struct metrics {
    struct text *out;
    const char *queue;
    const char *family; /* of the samples that follow */
};

/* In quotes; what is not printable ASCII becomes '?', as on the page. */
static void metrics_label(struct metrics *m, const char *name, const char *value)
{
    text_puts(m->out, name);
    text_puts(m->out, "=\"");
    for (; *value; value++) {
        if (*value == '"' || *value == '\\')
            text_putc(m->out, '\\');
        text_putc(m->out, *value >= 0x20 && *value < 0x7f ? *value : '?');
    }
    text_putc(m->out, '"');
}

static void metrics_family(struct metrics *m, const char *name, const char *type,
                           const char *help)
{
    m->family = name;
    text_printf(m->out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

struct metrics_label {
    const char *name, *value;
};
enum { LABELS_MAX = 3 };

static void metrics_start(struct metrics *m, const struct metrics_label *label)
{
    text_puts(m->out, m->family);
    text_putc(m->out, '{');
    metrics_label(m, "queue", m->queue);
    for (int i = 0; label && i < LABELS_MAX && label[i].name; i++) {
        text_putc(m->out, ',');
        metrics_label(m, label[i].name, label[i].value);
    }
    text_puts(m->out, "} ");
}

static void metrics_int(struct metrics *m, const char *label, const char *of,
                        int64_t value)
{
    metrics_start(m, (const struct metrics_label[LABELS_MAX]){{label, of}});
    text_put_int(m->out, value);
    text_putc(m->out, '\n');
}

static void metrics_seconds(struct metrics *m, const char *label, const char *of,
                            int64_t ns)
{
    metrics_start(m, (const struct metrics_label[LABELS_MAX]){{label, of}});
    text_put_double(m->out, jobq_seconds_from_ns(ns));
    text_putc(m->out, '\n');
}

static void metrics_queue(struct metrics *m, const struct status_view *view)
{
    struct jobq_queue_depth depth = status_depth(view);
    metrics_family(m, "jobq_queue_messages", "gauge",
                   "Messages on the queue, as SQS counts them (approximately).");
    if (view->depth_known) {
        metrics_int(m, "state", "visible", depth.visible);
        metrics_int(m, "state", "in_flight", depth.in_flight);
        metrics_int(m, "state", "delayed", depth.delayed);
    }
    metrics_family(m, "jobq_queue_read_timestamp_seconds", "gauge",
                   "When the queue last answered, in seconds since 1970.");
    if (view->depth_known)
        metrics_seconds(m, NULL, NULL, view->read_wall_ns);
    metrics_family(m, "jobq_dead_letters", "gauge", "Messages on the dead-letter queue.");
    if (view->dead_letters >= 0)
        metrics_int(m, NULL, NULL, view->dead_letters);
}

static void metrics_drainers(struct metrics *m, const struct status_view *view)
{
    int64_t running = status_running(view);
    /* Messages in flight that no drainer has reported: the sums are too low. */
    bool known = !view->unreported && (!view->depth_known || running >= 0);
    metrics_family(m, "jobq_running", "gauge", "Attempts that run now.");
    if (view->depth_known && running >= 0)
        metrics_int(m, NULL, NULL, running);
    metrics_family(m, "jobq_attempts_total", "counter",
                   "Attempts that ended, by the drainers' statistics.");
    metrics_int(m, "outcome", "done", view->done);
    metrics_int(m, "outcome", "failed", view->failed);
    metrics_int(m, "outcome", "dead", view->dead);
    metrics_family(m, "jobq_drainers", "gauge",
                   "Drainers that were seen in the last 3 minutes.");
    if (known)
        metrics_int(m, NULL, NULL, view->fresh.drainers);
    metrics_family(m, "jobq_slots", "gauge", "Slots of those drainers.");
    if (known)
        metrics_int(m, NULL, NULL, view->fresh.slots);
    metrics_family(m, "jobq_slots_busy", "gauge", "Of the slots: those with an attempt.");
    if (known)
        metrics_int(m, NULL, NULL, view->fresh.busy);
}

static void metrics_usage(struct metrics *m, const struct jobq_ledger *ledger,
                          bool failed)
{
    for (int i = 0; i < JOBQ_ACTION_COUNT; i++) {
        enum jobq_action action = (enum jobq_action)i;
        const struct jobq_usage *usage = &ledger->action[i];
        if (usage->requests == 0)
            continue;
        metrics_start(m, (const struct metrics_label[LABELS_MAX]){
                             {"service", jobq_service_name(jobq_action_service(action))},
                             {"action", jobq_action_name(action)}});
        text_put_int(m->out, failed ? usage->failed : usage->requests);
        text_putc(m->out, '\n');
    }
}

/* AWS's text is a label of a family of its own: it may hold the id of a request, and a series
 * that others count on must not begin anew with each. */
static void metrics_trouble(struct metrics *m, const struct health *health,
                            int64_t now_ns)
{
    static const struct {
        const char *name, *help;
    } family[] = {
        {"jobq_calls_failing",
         "1 while calls of the action fail: longer than retries take, or refused."},
        {"jobq_calls_failing_seconds", "Since the first failure without a success."},
        {"jobq_calls_failing_info", "What the service said of the last failure."}};
    for (int f = 0; f < 3; f++) {
        metrics_family(m, family[f].name, "gauge", family[f].help);
        for (int i = 0; health && i < JOBQ_ACTION_COUNT; i++) {
            enum jobq_action action = (enum jobq_action)i;
            const struct health_trouble *t = health_trouble(health, action, now_ns);
            const char *name = jobq_action_name(action);
            if (!t)
                continue;
            if (f == 0) {
                metrics_int(m, "action", name, 1);
            } else if (f == 1) {
                metrics_seconds(m, "action", name, now_ns - t->first_at_ns);
            } else {
                metrics_start(m, (const struct metrics_label[LABELS_MAX]){
                                     {"action", name},
                                     {"code", jobq_code_name((enum jobq_code)t->code)},
                                     {"text", t->text}});
                text_puts(m->out, "1\n");
            }
        }
    }
}

void page_metrics(const struct status_view *view, const struct jobq_ledger *ledger,
                  const struct health *health, int64_t now_ns, struct text *out)
{
    assert(view && ledger && out);
    struct metrics m = {.out = out, .queue = view->queue};
    metrics_queue(&m, view);
    metrics_drainers(&m, view);
    metrics_family(&m, "jobq_requests_total", "counter",
                   "Requests that this process made.");
    metrics_usage(&m, ledger, false);
    metrics_family(&m, "jobq_requests_failed_total", "counter",
                   "Of those: answered with an error.");
    metrics_usage(&m, ledger, true);
    metrics_trouble(&m, health, now_ns);
}
