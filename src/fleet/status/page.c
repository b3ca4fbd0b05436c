/* page.c - the fibers that post the status page. See page.h.
 *
 * Room:     src/fleet, the product.
 *
 * Two rates: the services are asked every refresh_ns, since each asking costs requests; what
 * this process knows by itself is shown every redraw_ns. */
#include "fleet/status/page.h"

#include "base/arena.h"
#include "fiber/fiber.h"
#include "fleet/operate/operate.h"
#include "fleet/status/page_ask.h"
#include "fleet/status/page_text.h"
#include "jobq/units.h"

#include <assert.h>
#include <string.h>

#define REFRESH_NS (15 * JOBQ_NS_PER_S)
#define REDRAW_NS (2 * JOBQ_NS_PER_S)
#define REPORTING_NS (100 * JOBQ_NS_PER_MS)
#define VERSION_NS (5 * JOBQ_NS_PER_S) /* a reader's script reads "/" no more often */
enum { PEERS_MAX = 32 };

struct page {
    struct jobq_backend *b;
    struct status *status;
    struct page_options options;
    struct status_view view;
    struct page_local local;
    struct page_money money;
    struct status_drainer peer[PEERS_MAX];
    int boxes_posted; /* pages of boxes, also of a time when there were more */
    int64_t version, version_at_ns, seen; /* seen: a sum of what changes "/" */
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

void page_note(struct page_failures *failures, const struct drainer_event *event,
               int64_t wall_ns)
{
    assert(failures && event);
    if (event->kind != DRAINER_ENDED ||
        (event->state != JOB_FAILED && event->state != JOB_DEAD))
        return;
    struct page_failure *one = &failures->of[failures->count++ % PAGE_FAILURES];
    *one = (struct page_failure){.state = event->state,
                                 .at_wall_ns = wall_ns,
                                 .took_ns = event->ended_at_ns - event->started_at_ns,
                                 .attempt = event->attempt};
    int64_t id = event->job_id.len <= JOB_ID_MAX ? event->job_id.len : JOB_ID_MAX;
    memcpy(one->id, event->job_id.ptr, (size_t)id);
    size_t why = event->text ? strlen(event->text) : 0;
    if (why >= sizeof one->why)
        why = sizeof one->why - 1;
    if (why)
        memcpy(one->why, event->text, why);
    if (!event->result)
        return;
    one->exit_code = event->result->exit_code;
    int tail = event->result->tail ? event->result->tail_bytes : 0;
    int shown = tail < PAGE_FAILURE_TAIL ? tail : PAGE_FAILURE_TAIL;
    if (shown)
        memcpy(one->tail, event->result->tail + tail - shown, (size_t)shown);
}

/* ---- one drawing --------------------------------------------------------------------- */

static const struct page_local *look_here(struct page *page)
{
    if (!page->options.drainer)
        return NULL;
    drainer_view(page->options.drainer, &page->local.view);
    page->local.slot_count =
        drainer_slots(page->options.drainer, page->local.slot, PAGE_SLOTS_SHOWN);
    page->local.now_ns = jobq_now(page->b);
    page->local.failures = page->options.failures;
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

bool page_spawns(const struct page_options *options)
{
    return options->operate && operate_options_of(options->operate)->user_data;
}

static struct page_look look_of(struct page *page)
{
    struct page_look look = {.view = &page->view,
                             .refresh_s = (int)(page->options.refresh_ns / JOBQ_NS_PER_S),
                             .alone = page->options.alone,
                             .asks = page->options.asks,
                             .acts = page->options.operate != NULL,
                             .spawns = page_spawns(&page->options)};
    if (page->options.money) {
        page->options.money(page->options.money_ctx, &page->view, &page->money);
        look.money = &page->money;
    }
    return look;
}

/* Ready for work: a drainer of this process takes some, or without one the queue answers. */
static void post_ready(struct page *page, const struct page_local *local)
{
    struct text text = {0};
    bool ready = local ? local->view.mode == DRAINER_RUNNING
                       : !status_is_stale(&page->view) && page->view.depth_known;
    text_puts(&text, ready ? "ready\n" : "not ready: ");
    if (!ready)
        text_puts(&text,
                  local ? page_mode_name(local->view.mode) : "the queue does not answer");
    text_puts(&text, ready ? "" : "\n");
    jobq_board_post(page->b, "/readyz", ready ? 200 : 503, "text/plain", text_str(&text));
    text_release(&text);
}

/* A new version of "/" is announced when something else than its clock has changed. */
static void renew_version(struct page *page, const struct page_local *local)
{
    int64_t now_ns = jobq_now(page->b);
    int64_t seen = page->view.read_wall_ns;
    if (local)
        seen += local->view.counters.attempts + (int64_t)local->view.mode * 1000003 +
                (int64_t)local->view.slots * 7919 + local->view.counters.failed;
    if (seen == page->seen || now_ns - page->version_at_ns < VERSION_NS)
        return;
    page->seen = seen;
    page->version_at_ns = now_ns;
    page->version++;
}

/* Nothing parks between reading the drainers and the post, because the slots' ids are
 * views and all parts of the page must agree. The memory of the texts is on the heap. */
static void page_show(struct page *page)
{
    struct text html = {0}, json = {0}, plain = {0}, metrics = {0}, event = {0};
    ask_drainers(page);
    status_count(page->status, &page->view);
    const struct page_local *local = look_here(page);
    struct page_look look = look_of(page);
    look.local = local;
    renew_version(page, local);
    page_html(&look, &html);
    page_json(&look, &json);
    page_plain(&look, &plain);
    page_metrics(&page->view, page->b->ledger, health_of(page->b), jobq_now(page->b),
                 &metrics);
    page_event(&look, page->version, &event);
    jobq_board_post(page->b, "/", 200, "text/html; charset=utf-8", text_str(&html));
    jobq_board_post(page->b, "/status.json", 200, "application/json", text_str(&json));
    jobq_board_post(page->b, "/status.txt", 200, "text/plain; charset=utf-8",
                    text_str(&plain));
    jobq_board_post(page->b, "/metrics", 200, PAGE_METRICS_TYPE, text_str(&metrics));
    post_ready(page, local);
    jobq_board_post(page->b, "/events", 200, "application/json", text_str(&event));
    text_release(&event);
    text_release(&metrics);
    text_release(&html);
    text_release(&json);
    text_release(&plain);
}

static void post_boxes(struct page *page)
{
    int pages = page_boxes_pages(&page->view);
    struct text html = {0};
    struct page_look look = look_of(page);
    if (page->boxes_posted < pages)
        page->boxes_posted = pages;
    for (int i = 1; i <= page->boxes_posted; i++) {
        char path[32] = "/boxes/";
        path[7 + text_write_int(path + 7, i)] = '\0';
        text_clear(&html);
        page_boxes_html(&look, i, &html);
        jobq_board_post(page->b, path, 200, "text/html; charset=utf-8", text_str(&html));
    }
    text_release(&html);
}

static void post_style(struct page *page)
{
    jobq_board_post(page->b, "/page.css", 200, "text/css; charset=utf-8",
                    str_of(page_style));
    jobq_board_post(page->b, "/page.js", 200, "text/javascript; charset=utf-8",
                    str_of(page_script));
}

static void post(struct page *page)
{
    struct jobq_error err;
    status_read(page->status, &page->view, &err); /* what failed is in the view */
    page_show(page);
    post_boxes(page);
    if (status_is_stale(&page->view))
        return;
    struct text healthy = {0};
    text_puts(&healthy, "ok, the queue answered ");
    page_put_time(&healthy, page->view.read_wall_ns);
    text_putc(&healthy, '\n');
    jobq_board_post(page->b, "/healthz", 200, "text/plain", text_str(&healthy));
    text_release(&healthy);
}

/* ---- the fiber ------------------------------------------------------------------------- */

static void page_fiber(void *arg)
{
    struct page *page = arg;
    post_style(page);
    for (int64_t at_ns = jobq_now(page->b);;) {
        post(page);
        /* A reading that took longer than a period skips one. */
        at_ns += page->options.refresh_ns;
        if (at_ns < jobq_now(page->b))
            at_ns = jobq_now(page->b) + page->options.refresh_ns;
        for (;;) {
            int64_t next_ns =
                jobq_now(page->b) +
                (page->view.unreported ? REPORTING_NS : page->options.redraw_ns);
            if (next_ns >= at_ns)
                break;
            fiber_sleep_until(page->b->sched, next_ns);
            page_show(page);
        }
        fiber_sleep_until(page->b->sched, at_ns);
    }
}

int page_start(struct jobq_backend *b, struct status *status,
               const struct page_options *options, struct jobq_error *err)
{
    assert(b && b->board && status && options && err);
    struct page_options filled = *options;
    filled.refresh_ns = filled.refresh_ns ? filled.refresh_ns : REFRESH_NS;
    filled.redraw_ns = filled.redraw_ns ? filled.redraw_ns : REDRAW_NS;
    if (filled.refresh_ns < 5 * JOBQ_NS_PER_S)
        return jobq_fail(err, JOBQ_LIMIT, "a page refreshed more often than every '5s'");
    struct page *page = page_new(b, status, &filled);
    fiber_spawn(b->proc, page_fiber, page);
    if (filled.asks)
        page_ask_start(b, &page->view, &page->options, &page->money);
    return JOBQ_OK;
}

void page_post(struct jobq_backend *b, struct status *status,
               const struct page_options *options)
{
    assert(b && b->board && status && options && options->refresh_ns >= JOBQ_NS_PER_S);
    struct page *page = page_new(b, status, options);
    post_style(page);
    post(page);
}
