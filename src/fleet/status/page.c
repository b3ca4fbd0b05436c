/* page.c - the status page as HTML, and the fiber that posts it. See page.h.
 *
 * Room:     src/fleet, the product.
 *
 * One <style> element, no style attribute, no script: a server may forbid everything but
 * that one style by its Content-Security-Policy. Colours never stand alone: each has its
 * label. */
#include "fleet/status/page.h"

#include "base/arena.h"
#include "fiber/fiber.h"
#include "fleet/status/page_text.h"
#include "jobq/units.h"

#include <assert.h>
#include <string.h>

#define REFRESH_NS (15 * JOBQ_NS_PER_S)
#define STALE_NS (3 * JOBQ_NS_PER_MIN)
#define REPORTING_NS (100 * JOBQ_NS_PER_MS)
/* LINES_MAX: of drainers and of boxes, keeps the page small. */
enum { LINES_MAX = 32, PEERS_MAX = 32 };

static const char STYLE[] =
    ":root{color-scheme:light "
    "dark;--b:#fff;--f:#1b1f24;--m:#57606a;--l:#d0d7de;--c:#f6f8fa;"
    "--w:#0072b2;--r:#009e73;--y:#e69f00;--k:#cc79a7;--x:#cc3311}"
    "@media(prefers-color-scheme:dark){:root{--b:#0d1117;--f:#e6edf3;--m:#9da7b1;--l:#"
    "30363d;"
    "--c:#161b22;--w:#56b4e9;--r:#2bc4a0;--y:#f0c040;--k:#e0a3c8;--x:#ff7b66}}"
    "body{margin:0 auto;max-width:70rem;padding:1rem;font:16px/1.45 system-ui,sans-serif;"
    "background:var(--b);color:var(--f)}"
    "h1{font-size:1.4rem;margin:0;overflow-wrap:anywhere}h2{font-size:1.1rem;margin:1."
    "6rem 0 "
    ".4rem}"
    "p{margin:.3rem 0}.m{color:var(--m)}.n{display:grid;gap:.5rem;"
    "grid-template-columns:repeat(auto-fit,minmax(7rem,1fr));margin:1rem 0}"
    ".n div{background:var(--c);border:1px solid "
    "var(--l);border-radius:6px;padding:.5rem "
    ".7rem}.n b{display:block;font-size:1.5rem;font-variant-numeric:tabular-nums}"
    ".t{overflow-x:auto}table{border-collapse:collapse;width:100%;font-size:.9rem}"
    "th,td{text-align:left;padding:.3rem .6rem;border-bottom:1px solid "
    "var(--l);white-space:nowrap}"
    ".d{text-align:right;font-variant-numeric:tabular-nums}"
    "svg{display:block;width:100%;height:1.2rem;border-radius:4px;background:var(--l)}"
    ".w{fill:var(--w)}.r{fill:var(--r)}.y{fill:var(--y)}.k{fill:var(--k)}.x{fill:var(--x)"
    "}.m{fill:var(--m)"
    "}"
    "i{display:inline-block;width:.8em;height:.8em;margin:0 .3em 0 "
    ".6em;border-radius:2px}"
    "i.w{background:var(--w)}i.r{background:var(--r)}i.y{background:var(--y)}"
    "i.k{background:var(--k)}"
    "i.x{background:var(--x)}i.m{background:var(--m)}"
    ".p{border-left:4px solid var(--x);padding-left:.6rem}"
    ".h{border-left:4px solid var(--y);padding-left:.6rem}";

/* ---- pieces -------------------------------------------------------------------------- */

static void number(struct text *out, const char *label, int64_t value)
{
    text_puts(out, "<div><b>");
    if (value < 0)
        text_puts(out, "&ndash;");
    else
        text_put_int(out, value);
    text_puts(out, "</b>");
    text_puts(out, label);
    text_puts(out, "</div>");
}

static void cell_text(struct text *out, const char *value)
{
    text_puts(out, "<td>");
    page_put_html(out, str_of(value));
    text_puts(out, "</td>");
}

static void cell_int(struct text *out, int64_t value)
{
    text_puts(out, "<td class=d>");
    text_put_int(out, value);
    text_puts(out, "</td>");
}

/* The row's first cell names it. */
static void row_head(struct text *out, struct jobq_str value, bool here)
{
    text_puts(out, "<tr><th scope=row>");
    page_put_html(out, value);
    if (here)
        text_puts(out, " (this box)");
    text_puts(out, "</th>");
}

/* heads: names separated by '|', or by '#' before one of a column of numbers. */
static void table_head(struct text *out, const char *caption, const char *heads)
{
    text_puts(out, "<h2>");
    text_puts(out, caption);
    text_puts(out, "</h2><div class=t><table><thead><tr><th scope=col>");
    for (const char *p = heads; *p; p++)
        if (*p == '|')
            text_puts(out, "</th><th scope=col>");
        else if (*p == '#')
            text_puts(out, "</th><th scope=col class=d>");
        else
            text_putc(out, *p);
    text_puts(out, "</th></tr></thead><tbody>");
}

static void table_end(struct text *out)
{
    text_puts(out, "</tbody></table></div>");
}

static void age_cell(struct text *out, int64_t ns)
{
    text_puts(out, "<td class=d>");
    page_put_age(out, ns);
    text_puts(out, "</td>");
}

struct page_here page_here(const struct status_view *view)
{
    struct page_here here = {0};
    for (int i = 0; i < view->drainer_count; i++) {
        const struct status_drainer *one = &view->drainer[i];
        if (!one->here || view->taken_wall_ns - one->seen_wall_ns >= STALE_NS)
            continue;
        here.drainers++;
        here.slots += one->slots;
        here.busy += one->busy;
    }
    return here;
}

/* ---- the parts of the page ----------------------------------------------------------- */

static void page_head(const struct status_view *view, int refresh_s, struct text *out)
{
    text_puts(out, "<!doctype html><html lang=en><head><meta charset=utf-8>"
                   "<meta name=viewport content=\"width=device-width,initial-scale=1\">"
                   "<meta http-equiv=refresh content=");
    text_put_int(out, refresh_s);
    text_puts(out, "><title>");
    page_put_html(out, str_of(view->queue));
    text_puts(out, " - jobq</title><style>");
    text_puts(out, STYLE);
    text_puts(out, "</style></head><body><header><h1>Queue ");
    page_put_html(out, str_of(view->queue));
    text_puts(out, "</h1><p class=m>");
    if (view->self.id[0]) {
        text_puts(out, "Box ");
        page_put_html(out, str_of(view->self.id));
        text_puts(out, ", ");
        page_put_html(out, str_of(view->self.type));
        text_puts(out, " in ");
        page_put_html(out, str_of(view->self.zone));
        text_puts(out, view->self.spot ? ", spot. " : ", on demand. ");
    }
    text_puts(out, "Updated ");
    page_put_time(out, view->taken_wall_ns);
    text_puts(out, ", again every ");
    text_put_int(out, refresh_s);
    text_puts(
        out, " s. <a href=\"/status.json\">JSON</a></p></header><main aria-live=polite>");
}

static void segment(struct text *out, const char *class, int64_t value, int64_t total,
                    int64_t *at)
{
    int64_t width = total > 0 ? value * 1000 / total : 0;
    if (width <= 0)
        return;
    text_puts(out, "<rect class=");
    text_puts(out, class);
    text_puts(out, " x=");
    text_put_int(out, *at);
    text_puts(out, " y=0 height=10 width=");
    text_put_int(out, width);
    text_puts(out, " />");
    *at += width;
}

static void bar(const struct status_view *view, struct text *out)
{
    struct jobq_queue_depth depth = status_depth(view);
    int64_t dead = view->dead_letters > 0 ? view->dead_letters : 0;
    int64_t total = depth.visible + depth.in_flight + depth.delayed + dead + view->done;
    int64_t running = status_running(view), at = 0;
    if (total <= 0)
        return;
    if (running < 0)
        running = 0;
    text_puts(out,
              "<svg viewBox=\"0 0 1000 10\" preserveAspectRatio=none role=img "
              "aria-label=\"waiting, running, otherwise in flight, delayed, dead and "
              "done, left to right\">");
    segment(out, "w", depth.visible, total, &at);
    segment(out, "y", running, total, &at);
    segment(out, "k", depth.in_flight - running, total, &at);
    segment(out, "m", depth.delayed, total, &at);
    segment(out, "x", dead, total, &at);
    segment(out, "r", view->done, total, &at);
    text_puts(out, "</svg><p class=m><i class=w></i>waiting<i class=y></i>running"
                   "<i class=k></i>otherwise in flight"
                   "<i class=m></i>delayed<i class=x></i>dead<i class=r></i>done</p>");
}

static void box_sums(const struct status_view *view, struct text *out)
{
    struct page_here here = page_here(view);
    if (view->unreported) {
        text_puts(out, "<p>The drainers on this box: not yet known.</p>");
        return;
    }
    if (here.drainers == 0) {
        text_puts(out, "<p>No drainer of this queue is on this box.</p>");
        return;
    }
    text_printf(out, "<p>On this box: %d drainer%s, %lld slots, %lld busy.</p>",
                here.drainers, here.drainers == 1 ? "" : "s", (long long)here.slots,
                (long long)here.busy);
}

static void what_is_counted(const struct status_view *view, struct text *out)
{
    text_puts(out,
              "<p class=m>In flight: received by a drainer and not yet deleted; what "
              "does not run waits for a slot or for its delete. Done and failed are ");
    if (view->rows_stored)
        text_printf(
            out,
            "the sum of %d statistics row%s, one a drainer, of ended drainers too; "
            "each is written once a minute.</p>",
            view->rows, view->rows == 1 ? "" : "s");
    else
        text_printf(out,
                    "reported by %d drainer%s on this box; there is no store, so jobs of "
                    "other drainers are not counted.</p>",
                    view->rows, view->rows == 1 ? "" : "s");
}

static void numbers(const struct status_view *view, struct text *out)
{
    struct jobq_queue_depth depth = status_depth(view);
    int64_t running = view->depth_known ? status_running(view) : -1;
    bool untold = view->depth_known && running < 0;
    text_puts(out, "<section class=n aria-label=Counts>");
    number(out, "waiting", view->depth_known ? depth.visible : -1);
    number(out, "running", running);
    number(out, "in flight", view->depth_known ? depth.in_flight : -1);
    number(out, "delayed", view->depth_known ? depth.delayed : -1);
    number(out, "done", view->done);
    number(out, "failed attempts", view->failed);
    number(out, "dead letters", view->dead_letters);
    number(out, "boxes", view->boxes_known ? view->box_count : -1);
    number(out, "drainers", view->unreported ? -1 : view->fresh.drainers);
    number(out, "slots",
           view->unreported || (untold && view->fresh.slots == 0) ? -1
                                                                  : view->fresh.slots);
    text_puts(out, "</section>");
    bar(view, out);
    box_sums(view, out);
    what_is_counted(view, out);
    if (untold && !view->unreported)
        text_puts(out,
                  "<p>How many of those in flight run is not yet known: a drainer on "
                  "another box reports once a minute, and not at all once it was "
                  "killed.</p>");
    if (view->jobs_per_s > 0 && view->depth_known) {
        text_puts(out, "<p>About ");
        text_printf(out, "%lld", (long long)(view->jobs_per_s * 60 + 0.5));
        text_puts(out, " jobs a minute; empty in about ");
        page_put_age(out, jobq_ns_from_seconds(
                              (double)(depth.visible + depth.in_flight + depth.delayed) /
                              view->jobs_per_s));
        text_puts(out, ".</p>");
    }
    char why[160];
    status_why(view, why, sizeof why);
    if (why[0]) {
        text_puts(out, "<p class=h><b>Why is nothing running?</b> ");
        page_put_html(out, str_of(why));
        text_puts(out, "</p>");
    }
    if (view->depth_known && status_is_stale(view)) {
        text_puts(out, "<p class=p><b>Stale:</b> the queue's counts are of ");
        page_put_time(out, view->read_wall_ns);
        text_puts(out, ", ");
        page_put_age(out, view->taken_wall_ns - view->read_wall_ns);
        text_puts(out, " before this page.</p>");
    }
    if (view->problem[0]) {
        text_puts(out, "<p class=p><b>Not everything could be read:</b> ");
        page_put_html(out, str_of(view->problem));
        text_puts(out, "</p>");
    }
}

static void slots(const struct page_local *local, struct text *out)
{
    const struct drainer_view *v = &local->view;
    const struct drainer_counters *c = &v->counters;
    table_head(out, "This drainer",
               "drainer|mode#slots#busy#buffered#deletes waiting#done#"
               "failed#dead#given back#lost#duplicates#retries");
    row_head(out, str_of(v->id), true);
    cell_text(out, page_mode_name(v->mode));
    const int64_t cells[] = {v->slots, v->busy,       v->held,   v->deletes_waiting,
                             c->done,  c->failed,     c->dead,   c->gave_back,
                             c->lost,  c->duplicates, c->retries};
    for (size_t i = 0; i < sizeof cells / sizeof cells[0]; i++)
        cell_int(out, cells[i]);
    text_puts(out, "</tr>");
    table_end(out);
    if (v->trouble[0]) {
        text_puts(out, "<p class=p><b>Trouble:</b> ");
        page_put_html(out, str_of(v->trouble));
        text_puts(out, "</p>");
    }
    if (v->notice_wall_ns) {
        text_puts(out, "<p class=p>Spot notice: this box goes at ");
        page_put_time(out, v->notice_wall_ns);
        text_puts(out, ".</p>");
    }
    if (local->slot_count == 0)
        return;
    table_head(out, "Running here",
               "job|kind#attempt#for#back in the queue in, without a heartbeat#progress");
    for (int i = 0; i < local->slot_count; i++) {
        const struct drainer_slot *slot = &local->slot[i];
        row_head(out, slot->job_id, false);
        cell_text(out, job_kind_name(slot->kind));
        cell_int(out, slot->attempt);
        age_cell(out, local->now_ns - slot->started_at_ns);
        age_cell(out, slot->visible_at_ns - local->now_ns);
        text_puts(out, "<td class=d>");
        if (slot->progress_percent >= 0)
            text_printf(out, "%d %%", slot->progress_percent);
        text_puts(out, "</td></tr>");
    }
    table_end(out);
    if (v->busy > local->slot_count)
        text_printf(out, "<p class=m>and %d more.</p>", v->busy - local->slot_count);
}

static void and_more(struct text *out, int count, int shown)
{
    if (count > shown)
        text_printf(out, "<p class=m>and %d more: see the JSON.</p>", count - shown);
}

static void drainers(const struct status_view *view, struct text *out)
{
    table_head(out, "Drainers, last seen first",
               "drainer|box#slots#busy#held#attempts#done#failed#dead#seen ago|state");
    for (int i = 0; i < view->drainer_count && i < LINES_MAX; i++) {
        const struct status_drainer *one = &view->drainer[i];
        int64_t ago_ns = view->taken_wall_ns - one->seen_wall_ns;
        row_head(out, str_of(one->id), one->here);
        cell_text(out, one->box);
        const int64_t cells[] = {one->slots, one->busy,   one->held, one->attempts,
                                 one->done,  one->failed, one->dead};
        for (size_t k = 0; k < sizeof cells / sizeof cells[0]; k++)
            cell_int(out, cells[k]);
        age_cell(out, ago_ns);
        cell_text(out, ago_ns < STALE_NS ? "fresh" : "quiet or gone");
        text_puts(out, "</tr>");
    }
    table_end(out);
    and_more(out, view->drainer_count, LINES_MAX);
}

static void box_rows(const struct status_view *view, int from, int count,
                     struct text *out)
{
    table_head(out, "Boxes of this queue", "box|type|zone|bought|state#age");
    for (int i = from; i < from + count && i < view->box_count; i++) {
        const struct status_box *one = &view->box[i];
        row_head(out, str_of(one->id), one->here);
        cell_text(out, one->type);
        cell_text(out, one->zone);
        cell_text(out, one->spot ? "spot" : "on demand");
        cell_text(out, page_box_state_name(one->state));
        age_cell(out, view->taken_wall_ns - one->launched_wall_ns);
        text_puts(out, "</tr>");
    }
    table_end(out);
}

/* A queue drops what waits longer than its retention: said when half of it is over, by what
 * this box has just received. */
static void age_warning(const struct status_view *view, const struct page_local *local,
                        struct text *out)
{
    if (!view->depth_known || view->depth.retention_ns <= 0 ||
        local->view.waited_ns <= view->depth.retention_ns / 2)
        return;
    text_puts(out, "<p class=p><b>Jobs wait for ");
    page_put_age(out, local->view.waited_ns);
    text_puts(out, ".</b> The queue drops a message after ");
    page_put_age(out, view->depth.retention_ns);
    text_puts(out, ": start more boxes before then.</p>");
}

void page_html(const struct status_view *view, const struct page_local *local,
               int refresh_s, struct text *out)
{
    assert(view && out);
    page_head(view, refresh_s, out);
    numbers(view, out);
    if (local) {
        age_warning(view, local, out);
        slots(local, out);
    }
    if (view->drainer_count > 0)
        drainers(view, out);
    if (view->box_count > 0)
        box_rows(view, 0, LINES_MAX, out);
    if (view->box_count > LINES_MAX)
        text_printf(out, "<p><a href=\"/boxes/1\">All %d boxes</a></p>", view->box_count);
    text_puts(out, "</main></body></html>\n");
}

int page_boxes_pages(const struct status_view *view)
{
    return view->box_count > LINES_MAX
               ? (view->box_count + PAGE_BOXES_SHOWN - 1) / PAGE_BOXES_SHOWN
               : 0;
}

void page_boxes_html(const struct status_view *view, int number, int refresh_s,
                     struct text *out)
{
    assert(view && number >= 1 && out);
    int from = (number - 1) * PAGE_BOXES_SHOWN, pages = page_boxes_pages(view);
    page_head(view, refresh_s, out);
    text_puts(out, "<p><a href=\"/\">The queue</a>");
    if (number > 1)
        text_printf(out, " <a href=\"/boxes/%d\">before</a>", number - 1);
    if (number < pages)
        text_printf(out, " <a href=\"/boxes/%d\">next</a>", number + 1);
    if (number > pages)
        text_puts(out, "</p><p>There are fewer boxes now.</p>");
    else
        text_printf(out, "</p><p>%d to %d of %d boxes.</p>", from + 1,
                    from + PAGE_BOXES_SHOWN < view->box_count ? from + PAGE_BOXES_SHOWN
                                                              : view->box_count,
                    view->box_count);
    if (number <= pages)
        box_rows(view, from, PAGE_BOXES_SHOWN, out);
    text_puts(out, "</main></body></html>\n");
}

/* ---- posting ------------------------------------------------------------------------- */

struct page {
    struct jobq_backend *b;
    struct status *status;
    struct page_options options;
    struct status_view view;
    struct page_local local;
    struct status_drainer peer[PEERS_MAX];
    int boxes_posted; /* pages of boxes, also of a time when there were more */
};

static struct page *page_new(struct jobq_backend *b, struct status *status,
                             const struct page_options *options)
{
    struct page *page = arena_zalloc(fiber_proc_arena(b->proc), sizeof *page);
    page->b = b;
    page->status = status;
    page->options = *options;
    return page;
}

static const struct page_local *look_here(struct page *page)
{
    if (!page->options.drainer)
        return NULL;
    drainer_view(page->options.drainer, &page->local.view);
    page->local.slot_count =
        drainer_slots(page->options.drainer, page->local.slot, PAGE_SLOTS_SHOWN);
    page->local.now_ns = jobq_now(page->b);
    return &page->local;
}

/* Asks the drainers of this box directly: rows are written once a minute, and not at all
 * by a drainer that does nothing. */
static void ask_drainers(struct page *page)
{
    int64_t wall_ns = jobq_wall(page->b);
    page->view.unreported = false;
    if (page->options.drainer) {
        drainer_view(page->options.drainer, &page->local.view);
        struct status_drainer me = status_drainer_of(&page->local.view, wall_ns);
        status_add_drainer(page->status, &me);
    }
    if (!page->options.peers)
        return;
    int count = page->options.peers(page->options.peers_ctx, page->peer, PEERS_MAX,
                                    &page->view.unreported);
    for (int i = 0; i < count; i++)
        status_add_drainer(page->status, &page->peer[i]);
}

/* Nothing parks between reading the drainers and the post, because the slots' ids are
 * views and all parts of the page must agree. The memory of the texts is on the heap. */
static void show(struct page *page)
{
    struct text html = {0}, json = {0}, metrics = {0};
    ask_drainers(page);
    status_count(page->status, &page->view);
    const struct page_local *local = look_here(page);
    page_html(&page->view, local, (int)(page->options.refresh_ns / JOBQ_NS_PER_S), &html);
    page_json(&page->view, local, &json);
    jobq_board_post(page->b, "/", "text/html; charset=utf-8", text_str(&html));
    jobq_board_post(page->b, "/status.json", "application/json", text_str(&json));
    page_metrics(&page->view, page->b->ledger, health_of(page->b), jobq_now(page->b),
                 &metrics);
    jobq_board_post(page->b, "/metrics", PAGE_METRICS_TYPE, text_str(&metrics));
    text_release(&metrics);
    text_release(&html);
    text_release(&json);
}

static void post_boxes(struct page *page)
{
    int pages = page_boxes_pages(&page->view);
    struct text html = {0};
    if (page->boxes_posted < pages)
        page->boxes_posted = pages;
    for (int i = 1; i <= page->boxes_posted; i++) {
        char path[32] = "/boxes/";
        path[7 + text_write_int(path + 7, i)] = '\0';
        text_clear(&html);
        page_boxes_html(&page->view, i, (int)(page->options.refresh_ns / JOBQ_NS_PER_S),
                        &html);
        jobq_board_post(page->b, path, "text/html; charset=utf-8", text_str(&html));
    }
    text_release(&html);
}

static void post(struct page *page)
{
    struct jobq_error err;
    status_read(page->status, &page->view, &err); /* what failed is in the view */
    show(page);
    post_boxes(page);
    if (status_is_stale(&page->view))
        return;
    struct text healthy = {0};
    text_puts(&healthy, "ok, the queue answered ");
    page_put_time(&healthy, page->view.read_wall_ns);
    text_putc(&healthy, '\n');
    jobq_board_post(page->b, "/healthz", "text/plain", text_str(&healthy));
    text_release(&healthy);
}

static void page_fiber(void *arg)
{
    struct page *page = arg;
    for (int64_t at_ns = jobq_now(page->b);;) {
        post(page);
        while (page->view.unreported) {
            fiber_sleep_until(page->b->sched, jobq_now(page->b) + REPORTING_NS);
            show(page);
        }
        /* A reading that took longer than a period skips one. */
        at_ns += page->options.refresh_ns;
        if (at_ns < jobq_now(page->b))
            at_ns = jobq_now(page->b) + page->options.refresh_ns;
        fiber_sleep_until(page->b->sched, at_ns);
    }
}

int page_start(struct jobq_backend *b, struct status *status,
               const struct page_options *options, struct jobq_error *err)
{
    assert(b && b->board && status && options && err);
    struct page_options filled = *options;
    filled.refresh_ns = filled.refresh_ns ? filled.refresh_ns : REFRESH_NS;
    if (filled.refresh_ns < 5 * JOBQ_NS_PER_S)
        return jobq_fail(err, JOBQ_LIMIT, "a page refreshed more often than every '5s'");
    fiber_spawn(b->proc, page_fiber, page_new(b, status, &filled));
    return JOBQ_OK;
}

void page_post(struct jobq_backend *b, struct status *status, struct drainer *drainer,
               int refresh_s)
{
    struct page_options options = {.refresh_ns = refresh_s * JOBQ_NS_PER_S,
                                   .drainer = drainer};
    assert(refresh_s >= 1);
    post(page_new(b, status, &options));
}
