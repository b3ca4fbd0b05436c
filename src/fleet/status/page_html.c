/* page_html.c - the status page "/" as HTML, and its boxes. See page.h.
 *
 * Room:     src/fleet, the product. Pure. */
#include "fleet/status/page.h"

#include "fleet/status/page_text.h"
#include "jobq/units.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>

/* Of drainers and of boxes, keeps the page small. */
enum { LINES_MAX = 32, FAILURES_SHOWN = 6 };

struct page_here page_here(const struct status_view *view)
{
    struct page_here here = {0};
    for (int i = 0; i < view->drainer_count; i++) {
        const struct status_drainer *one = &view->drainer[i];
        if (!one->here || view->taken_wall_ns - one->seen_wall_ns >= PAGE_STALE_NS)
            continue;
        here.drainers++;
        here.slots += one->slots;
        here.busy += one->busy;
    }
    return here;
}

/* ---- the numbers on top ---------------------------------------------------------------- */

struct tiles {
    struct page_tile *of;
    int count;
};

static struct text *tile(struct tiles *t, struct text *value, const char *label)
{
    t->of[t->count++] = (struct page_tile){.label = label};
    text_clear(value);
    return value;
}

static void tile_end(struct tiles *t, struct text *value)
{
    snprintf(t->of[t->count - 1].value, sizeof t->of[0].value, "%s",
             value->len ? value->ptr : "");
}

static void tile_int(struct tiles *t, const char *label, int64_t number)
{
    t->of[t->count] = (struct page_tile){.label = label};
    if (number >= 0)
        snprintf(t->of[t->count].value, sizeof t->of[0].value, "%lld", (long long)number);
    t->count++;
}

static void tile_age(struct tiles *t, struct text *value, const char *label, int64_t ns)
{
    tile(t, value, label);
    if (ns >= 0)
        page_put_age(value, ns);
    tile_end(t, value);
}

static void tile_usd(struct tiles *t, struct text *value, const char *label, double usd)
{
    tile(t, value, label);
    if (!isnan(usd))
        page_put_usd(value, usd);
    tile_end(t, value);
}

static void money_tiles(const struct page_money *money, struct tiles *t,
                        struct text *value)
{
    tile(t, value, "requests a job");
    if (!isnan(money->requests_a_job)) {
        int64_t hundredths = (int64_t)(money->requests_a_job * 100 + 0.5);
        text_printf(value, "%lld.%02lld", (long long)(hundredths / 100),
                    (long long)(hundredths % 100));
    }
    tile_end(t, value);
    tile_usd(t, value, "so far", money->so_far_usd);
    tile_usd(t, value, "a million jobs", money->job_usd * 1e6);
    tile_usd(t, value, "predicted a million", money->predicted_usd * 1e6);
    tile_usd(t, value, "boxes, an hour", money->hour_usd);
    tile_usd(t, value, "an idle day", money->idle_day_usd);
}

int page_tiles(const struct page_look *look, struct page_tile out[PAGE_TILES_MAX])
{
    const struct status_view *view = look->view;
    struct tiles t = {out, 0};
    struct text value = {0};
    struct jobq_queue_depth depth = status_depth(view);
    bool known = view->depth_known;
    int64_t running = known ? status_running(view) : -1;
    bool untold = known && running < 0;
    tile_int(&t, "waiting", known ? depth.visible : -1);
    tile_int(&t, "running", running);
    tile_int(&t, "in flight", known ? depth.in_flight : -1);
    tile_int(&t, "delayed", known ? depth.delayed : -1);
    tile_int(&t, "done", view->done);
    tile_int(&t, "failed attempts", view->failed);
    tile_int(&t, "dead letters", view->dead_letters);
    tile_age(&t, &value, "oldest wait", view->waited_ns);
    tile_int(&t, "jobs a minute",
             view->jobs_per_s >= 0 ? (int64_t)(view->jobs_per_s * 60 + 0.5) : -1);
    tile_age(&t, &value, "empty in about", status_eta_ns(view));
    tile_int(&t, "boxes", view->boxes_known ? view->box_count : -1);
    tile_int(&t, "drainers", view->unreported ? -1 : view->fresh.drainers);
    tile_int(&t, "slots",
             view->unreported || (untold && view->fresh.slots == 0) ? -1
                                                                    : view->fresh.slots);
    if (look->money)
        money_tiles(look->money, &t, &value);
    text_release(&value);
    assert(t.count <= PAGE_TILES_MAX);
    return t.count;
}

static void numbers(const struct page_look *look, struct text *out)
{
    struct page_tile tile[PAGE_TILES_MAX];
    int count = page_tiles(look, tile);
    text_puts(out, "<section class=n aria-label=Counts aria-live=polite>");
    for (int i = 0; i < count; i++)
        text_printf(out, "<div data-n=\"%s\"><b>%s</b>%s</div>", tile[i].label,
                    tile[i].value[0] ? tile[i].value : "&ndash;", tile[i].label);
    text_puts(out, "</section>");
}

/* ---- the parts of the page ----------------------------------------------------------- */

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

static void why(const struct status_view *view, struct text *out)
{
    char text[200];
    status_why(view, text, sizeof text);
    if (text[0]) {
        text_puts(out, "<p class=h><b>Why do jobs wait?</b> ");
        page_put_html(out, str_of(text));
        text_puts(out, "</p>");
    }
    if (view->depth_known && status_running(view) < 0 && !view->unreported)
        text_puts(out,
                  "<p>How many of those in flight run is not yet known: a drainer on "
                  "another box reports once a minute, and not at all once it was "
                  "killed.</p>");
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

static void about_money(const struct page_money *money, struct text *out)
{
    text_printf(out,
                "<p class=m>Dollars at the prices of %s, no free tier: requests of "
                "the drainers, and boxes for as long as this page has seen them; what "
                "enqueuing costs is in the prediction only.</p>",
                money->prices);
}

/* How much of the visibility timeout is used up, as a bar and in words. */
static void deadline(int64_t visibility_ns, int64_t left_ns, struct text *out)
{
    int64_t used = visibility_ns > 0 ? 100 - left_ns * 100 / visibility_ns : 0;
    used = used < 0 ? 0 : used > 100 ? 100 : used;
    text_puts(out, "<td>");
    page_put_age(out, left_ns);
    text_printf(out,
                "<svg viewBox=\"0 0 100 4\" preserveAspectRatio=none aria-hidden=true>"
                "<rect class=%c width=%d height=4 /></svg></td>",
                used > 80 ? 'x' : 'y', (int)used);
}

static void slots(const struct page_look *look, struct text *out)
{
    const struct page_local *local = look->local;
    const struct drainer_view *v = &local->view;
    const struct drainer_counters *c = &v->counters;
    page_table(out, "This drainer",
               "drainer|mode#slots#busy#buffered#deletes waiting#done#"
               "failed#dead#given back#lost#duplicates#retries");
    page_row(out, str_of(v->id), true);
    page_cell(out, page_mode_name(v->mode));
    const int64_t cells[] = {v->slots, v->busy,       v->held,   v->deletes_waiting,
                             c->done,  c->failed,     c->dead,   c->gave_back,
                             c->lost,  c->duplicates, c->retries};
    for (size_t i = 0; i < sizeof cells / sizeof cells[0]; i++)
        page_cell_int(out, cells[i]);
    text_puts(out, "</tr>");
    page_table_end(out);
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
    page_table(out, "Running here",
               "job|kind#attempt#for|visibility, and back in the queue in, without a "
               "heartbeat#progress");
    for (int i = 0; i < local->slot_count; i++) {
        const struct drainer_slot *slot = &local->slot[i];
        page_row_job(look, out, slot->job_id);
        page_cell(out, job_kind_name(slot->kind));
        page_cell_int(out, slot->attempt);
        page_cell_age(out, local->now_ns - slot->started_at_ns);
        deadline(v->visibility_ns, slot->visible_at_ns - local->now_ns, out);
        text_puts(out, "<td class=d>");
        if (slot->progress_percent >= 0)
            text_printf(out, "%d %%", slot->progress_percent);
        text_puts(out, "</td></tr>");
    }
    page_table_end(out);
    if (v->busy > local->slot_count)
        text_printf(out, "<p class=m>and %d more.</p>", v->busy - local->slot_count);
}

static void failures(const struct page_look *look, struct text *out)
{
    const struct page_failures *f = look->local->failures;
    if (!f || f->count == 0)
        return;
    page_table(out, "Failed here lately, last first",
               "job|state#attempt#exit#took#ago|why|last output");
    for (int64_t i = f->count - 1; i >= 0 && i >= f->count - FAILURES_SHOWN; i--) {
        const struct page_failure *one = &f->of[i % PAGE_FAILURES];
        page_row_job(look, out, str_of(one->id));
        page_cell(out, job_state_name(one->state));
        page_cell_int(out, one->attempt);
        page_cell_int(out, one->exit_code);
        page_cell_age(out, one->took_ns);
        page_cell_age(out, look->view->taken_wall_ns - one->at_wall_ns);
        page_cell(out, one->why);
        text_puts(out, "<td class=o>");
        page_put_lines(out, str_of(one->tail));
        text_puts(out, "</td></tr>");
    }
    page_table_end(out);
}

static void and_more(struct text *out, int count, int shown)
{
    if (count > shown)
        text_printf(out, "<p class=m>and %d more: see the JSON.</p>", count - shown);
}

static void drainers(const struct status_view *view, struct text *out)
{
    page_table(out, "Drainers, last seen first",
               "drainer|box#slots#busy#held#attempts#done#failed#dead#seen ago|state");
    for (int i = 0; i < view->drainer_count && i < LINES_MAX; i++) {
        const struct status_drainer *one = &view->drainer[i];
        int64_t ago_ns = view->taken_wall_ns - one->seen_wall_ns;
        page_row(out, str_of(one->id), one->here);
        page_cell(out, one->box);
        const int64_t cells[] = {one->slots, one->busy,   one->held, one->attempts,
                                 one->done,  one->failed, one->dead};
        for (size_t k = 0; k < sizeof cells / sizeof cells[0]; k++)
            page_cell_int(out, cells[k]);
        page_cell_age(out, ago_ns);
        page_cell(out, ago_ns >= PAGE_STALE_NS ? "silent"
                       : one->quiet            ? "quiet"
                                               : "fresh");
        text_puts(out, "</tr>");
    }
    page_table_end(out);
    and_more(out, view->drainer_count, LINES_MAX);
}

static void box_rows(const struct status_view *view, int from, int count,
                     struct text *out)
{
    page_table(out, "Boxes of this queue",
               "box|type|zone|bought|state#up for#slots#busy#done#last word|note");
    for (int i = from; i < from + count && i < view->box_count; i++) {
        const struct status_box *one = &view->box[i];
        page_row(out, str_of(one->id), one->here);
        page_cell(out, one->type);
        page_cell(out, one->zone);
        page_cell(out, one->spot ? "spot" : "on demand");
        page_cell(out, page_box_state_name(one->state));
        page_cell_age(out, view->taken_wall_ns - one->launched_wall_ns);
        page_cell_int(out, one->slots);
        page_cell_int(out, one->busy);
        page_cell_int(out, one->done);
        text_puts(out, "<td class=d>");
        if (one->seen_wall_ns)
            page_put_age(out, view->taken_wall_ns - one->seen_wall_ns);
        else
            text_puts(out, "none");
        text_puts(out, "</td><td>");
        if (one->notice_wall_ns > view->taken_wall_ns) {
            text_puts(out, "spot notice: goes in ");
            page_put_age(out, one->notice_wall_ns - view->taken_wall_ns);
        } else if (one->seen_wall_ns &&
                   view->taken_wall_ns - one->seen_wall_ns >= PAGE_STALE_NS) {
            text_puts(out, "no word for 3 minutes");
        }
        text_puts(out, "</td></tr>");
    }
    page_table_end(out);
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

void page_html(const struct page_look *look, struct text *out)
{
    assert(look && look->view && out);
    const struct status_view *view = look->view;
    page_head(look, NULL, out);
    numbers(look, out);
    bar(view, out);
    box_sums(view, out);
    why(view, out);
    if (look->local)
        age_warning(view, look->local, out);
    page_chart(view, out);
    if (look->local) {
        slots(look, out);
        failures(look, out);
    }
    if (view->drainer_count > 0)
        drainers(view, out);
    if (view->box_count > 0)
        box_rows(view, 0, LINES_MAX, out);
    if (view->box_count > LINES_MAX)
        text_printf(out, "<p><a href=\"/boxes/1\">All %d boxes</a></p>", view->box_count);
    what_is_counted(view, out);
    if (look->money)
        about_money(look->money, out);
    text_puts(out, "</main>");
    if (look->acts)
        page_actions(look, out);
    text_puts(out, "</body></html>\n");
}

int page_boxes_pages(const struct status_view *view)
{
    return view->box_count > LINES_MAX
               ? (view->box_count + PAGE_BOXES_SHOWN - 1) / PAGE_BOXES_SHOWN
               : 0;
}

void page_boxes_html(const struct page_look *look, int number, struct text *out)
{
    assert(look && look->view && number >= 1 && out);
    const struct status_view *view = look->view;
    int from = (number - 1) * PAGE_BOXES_SHOWN, pages = page_boxes_pages(view);
    page_head(look, "boxes", out);
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
    page_foot(out);
}
