/* page_json.c - the status as JSON. See page.h.
 *
 * Room:     src/fleet, the product. Pure.
 *
 * Schema jobq.status/1. Fields are only ever added. Times are milliseconds since 1970 or
 * seconds; what is not known is null. */
#include "fleet/status/page.h"
#include "fleet/status/page_text.h"
#include "jobq/units.h"

#include <assert.h>
#include <math.h>

static void key(struct text *out, const char *name)
{
    if (out->len > 0 && out->ptr[out->len - 1] != '{')
        text_putc(out, ',');
    text_putc(out, '"');
    text_puts(out, name);
    text_puts(out, "\":");
}

static void put_int(struct text *out, const char *name, int64_t value)
{
    key(out, name);
    text_put_int(out, value);
}

static void put_known(struct text *out, const char *name, bool known, int64_t value)
{
    key(out, name);
    if (known)
        text_put_int(out, value);
    else
        text_puts(out, "null");
}

static void put_text(struct text *out, const char *name, const char *value)
{
    key(out, name);
    text_put_json(out, str_of(value));
}

static void put_bool(struct text *out, const char *name, bool value)
{
    key(out, name);
    text_puts(out, value ? "true" : "false");
}

static void item_start(struct text *out, int index)
{
    text_puts(out, index ? ",{" : "{");
}

/* The last first; null: they are not kept. */
static void json_failures(const struct page_failures *failures, struct text *out)
{
    key(out, "failures");
    if (!failures) {
        text_puts(out, "null");
        return;
    }
    text_putc(out, '[');
    int index = 0;
    for (int64_t i = failures->count - 1; i >= 0 && i >= failures->count - PAGE_FAILURES;
         i--) {
        const struct page_failure *one = &failures->of[i % PAGE_FAILURES];
        item_start(out, index++);
        put_text(out, "id", one->id);
        put_text(out, "state", job_state_name(one->state));
        put_int(out, "attempt", one->attempt);
        put_int(out, "exit", one->exit_code);
        put_int(out, "took_ms", one->took_ns / JOBQ_NS_PER_MS);
        put_int(out, "at_ms", one->at_wall_ns / JOBQ_NS_PER_MS);
        put_text(out, "why", one->why);
        put_text(out, "tail", one->tail);
        text_putc(out, '}');
    }
    text_putc(out, ']');
}

static void json_process(const struct page_local *local, struct text *out)
{
    const struct drainer_view *v = &local->view;
    const struct drainer_counters *c = &v->counters;
    const struct {
        const char *name;
        int64_t value;
    } count[] = {{"slots", v->slots},
                 {"busy", v->busy},
                 {"buffered", v->held},
                 {"deletes_waiting", v->deletes_waiting},
                 {"prefetch", v->prefetch},
                 {"received", c->received},
                 {"receives", c->receives},
                 {"empty_receives", c->empty_receives},
                 {"duplicates", c->duplicates},
                 {"attempts", c->attempts},
                 {"takeovers", c->takeovers},
                 {"done", c->done},
                 {"failed", c->failed},
                 {"dead", c->dead},
                 {"cancelled", c->cancelled},
                 {"gave_back", c->gave_back},
                 {"lost", c->lost},
                 {"corrupt", c->corrupt},
                 {"deletes", c->deletes},
                 {"delete_calls", c->delete_calls},
                 {"beats", c->beats},
                 {"beat_calls", c->beat_calls},
                 {"retries", c->retries},
                 {"stale_writes", c->stale_writes}};
    put_text(out, "id", v->id);
    put_text(out, "mode", page_mode_name(v->mode));
    put_text(out, "trouble", v->trouble); /* "": no call fails */
    for (size_t i = 0; i < sizeof count / sizeof count[0]; i++)
        put_int(out, count[i].name, count[i].value);
    put_int(out, "started_ms", v->started_wall_ns / JOBQ_NS_PER_MS);
    put_known(out, "last_receive_s", v->last_receive_at_ns > 0,
              (local->now_ns - v->last_receive_at_ns) / JOBQ_NS_PER_S);
    put_known(out, "waited_s", v->last_receive_at_ns > 0, v->waited_ns / JOBQ_NS_PER_S);
    put_known(out, "notice_ms", v->notice_wall_ns > 0,
              v->notice_wall_ns / JOBQ_NS_PER_MS);
    key(out, "running");
    text_putc(out, '[');
    for (int i = 0; i < local->slot_count; i++) {
        const struct drainer_slot *slot = &local->slot[i];
        item_start(out, i);
        key(out, "id");
        text_put_json(out, slot->job_id);
        put_text(out, "kind", job_kind_name(slot->kind));
        put_int(out, "attempt", slot->attempt);
        put_int(out, "running_s", (local->now_ns - slot->started_at_ns) / JOBQ_NS_PER_S);
        put_int(out, "visible_in_s",
                (slot->visible_at_ns - local->now_ns) / JOBQ_NS_PER_S);
        put_known(out, "progress_percent", slot->progress_percent >= 0,
                  slot->progress_percent);
        text_putc(out, '}');
    }
    text_putc(out, ']');
    json_failures(local->failures, out);
}

static void json_drainers(const struct status_view *view, struct text *out)
{
    for (int i = 0; i < view->drainer_count; i++) {
        const struct status_drainer *one = &view->drainer[i];
        item_start(out, i);
        put_text(out, "id", one->id);
        put_text(out, "box", one->box);
        put_bool(out, "here", one->here);
        put_int(out, "slots", one->slots);
        put_int(out, "busy", one->busy);
        put_int(out, "held", one->held);
        put_int(out, "attempts", one->attempts);
        put_int(out, "done", one->done);
        put_int(out, "failed", one->failed);
        put_int(out, "dead", one->dead);
        put_int(out, "seen_ms", one->seen_wall_ns / JOBQ_NS_PER_MS);
        put_bool(out, "quiet", one->quiet);
        put_int(out, "waited_s", one->waited_ns / JOBQ_NS_PER_S);
        text_putc(out, '}');
    }
}

static void json_boxes(const struct status_view *view, struct text *out)
{
    for (int i = 0; i < view->box_count; i++) {
        const struct status_box *one = &view->box[i];
        item_start(out, i);
        put_text(out, "id", one->id);
        put_text(out, "type", one->type);
        put_text(out, "zone", one->zone);
        put_bool(out, "spot", one->spot);
        put_bool(out, "here", one->here);
        put_text(out, "state", page_box_state_name(one->state));
        put_int(out, "launched_ms", one->launched_wall_ns / JOBQ_NS_PER_MS);
        put_int(out, "drainers", one->drainers);
        put_int(out, "slots", one->slots);
        put_int(out, "busy", one->busy);
        put_int(out, "done", one->done);
        put_known(out, "seen_ms", one->seen_wall_ns > 0,
                  one->seen_wall_ns / JOBQ_NS_PER_MS);
        put_known(out, "notice_ms", one->notice_wall_ns > 0,
                  one->notice_wall_ns / JOBQ_NS_PER_MS);
        text_putc(out, '}');
    }
}

static void json_counts(const struct status_view *view, struct text *out)
{
    const struct jobq_queue_depth *depth = &view->depth;
    bool known = view->depth_known;
    key(out, "depth");
    text_putc(out, '{');
    put_known(out, "visible", known, depth->visible);
    put_known(out, "in_flight", known, depth->in_flight);
    put_known(out, "running", known && status_running(view) >= 0, status_running(view));
    put_known(out, "delayed", known, depth->delayed);
    put_known(out, "dead_letters", view->dead_letters >= 0, view->dead_letters);
    put_known(out, "visibility_s", known, depth->visibility_ns / JOBQ_NS_PER_S);
    put_known(out, "retention_s", known, depth->retention_ns / JOBQ_NS_PER_S);
    text_puts(out, "}");
    key(out, "progress");
    text_putc(out, '{');
    put_int(out, "done", view->done);
    put_int(out, "failed", view->failed);
    put_int(out, "dead", view->dead);
    put_int(out, "attempts", view->attempts);
    put_int(out, "drainers_counted", view->rows);
    put_text(out, "counted_from", view->rows_stored ? "statistics rows" : "this box");
    key(out, "jobs_per_s");
    if (view->jobs_per_s < 0)
        text_puts(out, "null");
    else
        text_put_double(out, view->jobs_per_s);
    text_puts(out, "}");
}

static void put_usd(struct text *out, const char *name, double usd)
{
    key(out, name);
    if (isnan(usd))
        text_puts(out, "null");
    else
        text_put_double(out, usd);
}

static void json_money(const struct page_money *money, struct text *out)
{
    key(out, "money");
    if (!money) {
        text_puts(out, "null");
        return;
    }
    text_putc(out, '{');
    put_usd(out, "so_far_usd", money->so_far_usd);
    put_usd(out, "job_usd", money->job_usd);
    put_usd(out, "predicted_job_usd", money->predicted_usd);
    put_usd(out, "hour_usd", money->hour_usd);
    put_usd(out, "idle_day_usd", money->idle_day_usd);
    put_usd(out, "requests_a_job", money->requests_a_job);
    put_text(out, "prices", money->prices);
    text_putc(out, '}');
}

/* Columns, not objects: 240 minutes are some 8 KB. */
static void json_samples(const struct status_view *view, struct text *out)
{
    key(out, "history");
    text_puts(out, "{\"columns\":[\"at_ms\",\"visible\",\"in_flight\",\"delayed\","
                   "\"ended\"],\"rows\":[");
    for (int i = 0; i < view->sample_count; i++) {
        const struct status_sample *s = &view->sample[i];
        text_printf(out, "%s[%lld,%lld,%lld,%lld,%lld]", i ? "," : "",
                    (long long)(s->wall_ns / JOBQ_NS_PER_MS), (long long)s->visible,
                    (long long)s->in_flight, (long long)s->delayed, (long long)s->ended);
    }
    text_puts(out, "]}");
}

void page_event(const struct page_look *look, int64_t version, struct text *out)
{
    struct page_tile tile[PAGE_TILES_MAX];
    struct text time = {0};
    int count = page_tiles(look, tile);
    page_put_time(&time, look->view->taken_wall_ns);
    text_printf(out, "{\"version\":%lld,\"texts\":{", (long long)version);
    put_text(out, "updated", time.ptr);
    for (int i = 0; i < count; i++)
        put_text(out, tile[i].label, tile[i].value[0] ? tile[i].value : "\xe2\x80\x93");
    text_puts(out, "}}");
    text_release(&time);
}

void page_json(const struct page_look *look, struct text *out)
{
    assert(look && look->view && out);
    const struct status_view *view = look->view;
    const struct page_local *local = look->local;
    char why[200];
    status_why(view, why, sizeof why);
    text_putc(out, '{');
    put_text(out, "schema", "jobq.status/1");
    put_text(out, "queue", view->queue);
    put_int(out, "taken_ms", view->taken_wall_ns / JOBQ_NS_PER_MS);
    key(out, "box");
    if (view->self.id[0]) {
        text_putc(out, '{');
        put_text(out, "id", view->self.id);
        put_text(out, "type", view->self.type);
        put_text(out, "zone", view->self.zone);
        put_text(out, "region", view->self.region);
        put_bool(out, "spot", view->self.spot);
        text_putc(out, '}');
    } else {
        text_puts(out, "null");
    }
    struct page_here here = page_here(view);
    json_counts(view, out);
    put_known(out, "read_ms", view->depth_known, view->read_wall_ns / JOBQ_NS_PER_MS);
    key(out, "here");
    text_putc(out, '{');
    put_known(out, "drainers", !view->unreported, here.drainers);
    put_known(out, "slots", !view->unreported, here.slots);
    put_known(out, "busy", !view->unreported, here.busy);
    text_putc(out, '}');
    put_text(out, "why", why);
    put_known(out, "oldest_wait_s", view->waited_ns >= 0,
              view->waited_ns / JOBQ_NS_PER_S);
    put_known(out, "eta_s", status_eta_ns(view) >= 0,
              status_eta_ns(view) / JOBQ_NS_PER_S);
    json_money(look->money, out);
    put_text(out, "problem", view->problem);
    key(out, "drainers");
    text_putc(out, '[');
    json_drainers(view, out);
    text_puts(out, "]");
    put_known(out, "box_count", view->boxes_known, view->box_count);
    key(out, "boxes");
    text_putc(out, '[');
    json_boxes(view, out);
    text_puts(out, "]");
    key(out, "process");
    if (local) {
        text_putc(out, '{');
        json_process(local, out);
        text_putc(out, '}');
    } else {
        text_puts(out, "null");
    }
    json_samples(view, out);
    text_puts(out, "}\n");
}
