/* page.h - the status page's bytes.
 *
 * Room:     src/fleet, the product.
 * Callers:  the page fiber here; tests and --page, which want the bytes alone.
 * Knows nothing of: HTTP. The board port's world serves what was posted.
 *
 * "/" is HTML that needs no script, refreshes itself, fits 400 px and stays under 50 KB;
 * "/boxes/1" and on list all boxes, when there are more than fit there;
 * "/status.json" is one object, schema jobq.status/1; "/metrics" is for Prometheus. Everything that came from outside
 * is escaped. */
#ifndef JOBQ_FLEET_STATUS_PAGE_H
#define JOBQ_FLEET_STATUS_PAGE_H

#include "base/text.h"
#include "fleet/drain/drainer.h"
#include "fleet/port/health.h"
#include "fleet/status/status.h"

#define PAGE_BYTES_MAX 50000
#define PAGE_SLOTS_SHOWN 48

/* local: the drainer of this process, its view and its slots; NULL: none. Appends. */
struct page_local {
    struct drainer_view view;
    struct drainer_slot slot[PAGE_SLOTS_SHOWN];
    int slot_count;
    int64_t now_ns; /* on jobq_now, for the slots' ages */
};
void page_html(const struct status_view *view, const struct page_local *local,
               int refresh_s, struct text *out);
/* All boxes are on pages of their own when there are more than "/" shows: how many pages (0), and
 * one of them, from 1. */
#define PAGE_BOXES_SHOWN 100
int page_boxes_pages(const struct status_view *view);
void page_boxes_html(const struct status_view *view, int number, int refresh_s,
                     struct text *out);
void page_json(const struct status_view *view, const struct page_local *local,
               struct text *out);

/* The same for Prometheus, text format 0.0.4, with the requests that ledger counts and the calls
 * that fail. health: NULL: nobody looks. now_ns: on the clock that health goes by. What is not
 * known has no sample. Appends. */
#define PAGE_METRICS_TYPE "text/plain; version=0.0.4; charset=utf-8"
void page_metrics(const struct status_view *view, const struct jobq_ledger *ledger,
                  const struct health *health, int64_t now_ns, struct text *out);

struct page_options {
    int64_t refresh_ns;      /* how often the services are asked; 5 s..; 0: 15 s */
    struct drainer *drainer; /* shown as this process; NULL: none */
    /* Fills in at most cap other drainers of this box, found without the services;
     * returns how many. *waiting: one that was asked is yet to answer; not for longer than
     * a second or so. NULL: there are none. */
    int (*peers)(void *ctx, struct status_drainer *out, int cap, bool *waiting);
    void *peers_ctx;
};
/* Starts a fiber that reads the status and posts "/", "/status.json" and "/metrics" to
 * b->board, now and every refresh_ns, until the process ends. Three to five requests each time. A
 * reading in which the queue answered posts "/healthz" too. */
int page_start(struct jobq_backend *b, struct status *status,
               const struct page_options *options, struct jobq_error *err);
/* The same once, on the calling fiber. */
void page_post(struct jobq_backend *b, struct status *status, struct drainer *drainer,
               int refresh_s);

#endif
