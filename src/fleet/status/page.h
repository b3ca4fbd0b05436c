/* page.h - the status page's bytes.
 *
 * Room:     src/fleet, the product.
 * Callers:  the page fiber here; tests and --page, which want the bytes alone.
 * Knows nothing of: HTTP, prices. The board port's world serves what was posted and says who
 *           may ask; money and what the rest of this box does come through page_options.
 *
 * "/" is HTML that needs no script: without one it refreshes itself, with one ("/page.js")
 * it follows "/events". It fits 360 px and stays under 50 KB; "/boxes/1" and on list all
 * boxes, when there are more than fit there. "/status.json" is one object, schema
 * jobq.status/1; "/status.txt" is the page for a terminal; "/metrics" is for Prometheus. Pages that are made when somebody asks, from
 * one or a few rows: page_ask.h. Everything that came from outside is escaped. */
#ifndef JOBQ_FLEET_STATUS_PAGE_H
#define JOBQ_FLEET_STATUS_PAGE_H

#include "base/text.h"
#include "fleet/drain/drainer.h"
#include "fleet/port/health.h"
#include "fleet/status/status.h"

#define PAGE_BYTES_MAX 50000
#define PAGE_SLOTS_SHOWN 48

/* ---- what went wrong here lately ------------------------------------------------------- */

#define PAGE_FAILURES 16
#define PAGE_FAILURE_TAIL 400
struct page_failure {
    char id[JOB_ID_MAX + 1];
    enum job_state state; /* failed or dead */
    int64_t at_wall_ns, took_ns;
    int32_t attempt, exit_code;
    char why[120];                    /* "" or why it was ended */
    char tail[PAGE_FAILURE_TAIL + 1]; /* last output; may hold any bytes */
};
/* The last PAGE_FAILURES attempts of a process that failed. Zero it to init. */
struct page_failures {
    struct page_failure of[PAGE_FAILURES];
    int64_t count; /* so far */
};
/* From a drainer's on_event; other events than failures are ignored. */
void page_note(struct page_failures *failures, const struct drainer_event *event,
               int64_t wall_ns);

/* ---- the pages --------------------------------------------------------------------------- */

/* What the queue costs, by a price list that the page's owner has. Dollars; NAN: not
 * known. */
struct page_money {
    double so_far_usd;     /* requests of all drainers, and boxes as long as seen */
    double requests_a_job; /* of drainers, to the queue and the store */
    double job_usd;        /* so_far a job that ended */
    double hour_usd;       /* of all boxes that run now */
    double idle_day_usd;   /* of one drainer that finds nothing to do, its box apart */
    double predicted_usd;  /* a job, by the closed form */
    char prices[48];       /* "us-east-1 2026-10" */
};

/* local: the drainer of this process, its view and its slots; NULL: none. Appends. */
struct page_local {
    struct drainer_view view;
    struct drainer_slot slot[PAGE_SLOTS_SHOWN];
    int slot_count;
    int64_t now_ns;                       /* on jobq_now, for the slots' ages */
    const struct page_failures *failures; /* NULL: not kept */
};
/* How the bytes of "/" are wanted. */
struct page_look {
    const struct status_view *view;
    const struct page_local *local; /* NULL: none */
    const struct page_money *money; /* NULL: no prices */
    int refresh_s;
    bool alone;  /* one file: its style within, no script, no links to other pages */
    bool asks;   /* links to the pages of jobs are answered */
    bool acts;   /* the forms of actions are shown */
    bool spawns; /* with them, that of starting boxes */
};
void page_html(const struct page_look *look, struct text *out);
/* All boxes are on pages of their own when there are more than "/" shows: how many pages (0), and
 * one of them, from 1. */
#define PAGE_BOXES_SHOWN 100
int page_boxes_pages(const struct status_view *view);
void page_boxes_html(const struct page_look *look, int number, struct text *out);
void page_json(const struct page_look *look, struct text *out);
/* Lines of printable ASCII, of at most so many characters. What an operator looks at first is
 * above the first empty line; then come lists. */
#define PAGE_PLAIN_WIDTH 80
void page_plain(const struct page_look *look, struct text *out);
/* One line: what "/events" sends. version: changes when "/" is worth reading again. */
void page_event(const struct page_look *look, int64_t version, struct text *out);
/* "/page.css" and "/page.js". Static storage. */
extern const char page_style[], page_script[];

/* The same for Prometheus, text format 0.0.4, with the requests that ledger counts and the calls
 * that fail. health: NULL: nobody looks. now_ns: on the clock that health goes by. What is not
 * known has no sample. Appends. */
#define PAGE_METRICS_TYPE "text/plain; version=0.0.4; charset=utf-8"
void page_metrics(const struct status_view *view, const struct jobq_ledger *ledger,
                  const struct health *health, int64_t now_ns, struct text *out);

/* ---- posting ----------------------------------------------------------------------------- */

struct operate;
struct page_options {
    int64_t refresh_ns;      /* how often the services are asked; 5 s..; 0: 15 s */
    int64_t redraw_ns;       /* how often what this process knows is shown; 0: 2 s */
    struct drainer *drainer; /* shown as this process; NULL: none */
    const struct page_failures *failures; /* its own; NULL: not kept */
    /* Fills in at most cap other drainers of this box, found without the services;
     * returns how many. *waiting: one that was asked is yet to answer; not for longer than
     * a second or so. NULL: there are none. */
    int (*peers)(void *ctx, struct status_drainer *out, int cap, bool *waiting);
    void *peers_ctx;
    /* Fills in what is known of money. NULL: no prices. */
    void (*money)(void *ctx, const struct status_view *view, struct page_money *out);
    void *money_ctx;
    bool alone;              /* as page_look's */
    bool asks;               /* answer requests for pages of jobs (page_ask.h) */
    struct operate *operate; /* carry out actions; NULL: none */
};
/* Starts a fiber that reads the status every refresh_ns and posts "/", "/status.json",
 * "/status.txt", "/metrics", "/events" and "/readyz" to b->board, now and every redraw_ns, until the process
 * ends. Three to five requests each reading. A reading in which the queue answered posts
 * "/healthz" too. */
int page_start(struct jobq_backend *b, struct status *status,
               const struct page_options *options, struct jobq_error *err);
/* The same once, on the calling fiber. */
void page_post(struct jobq_backend *b, struct status *status,
               const struct page_options *options);

#endif
