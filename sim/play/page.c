/* page.c - the status page of a simulated fleet, for --page.
 *
 * Room:     sim; see sim/play/replication.h.
 *
 * When half of the jobs have ended, a process on one of the boxes reads the status and
 * publishes the page once, as `jobq drain --serve` does all the time. Its requests are kept
 * out of the run's ledger and its draws come from its own stream, so that asking for the page
 * does not change what the run says. */
#include "sim/play/internal.h"

#include "fleet/status/page.h"
#include "jobq/units.h"

#include <stdlib.h>
#include <string.h>

struct page_actor {
    struct replication *rep;
    struct replication_box *box;
    struct world_proc *proc;
    struct jobq_ledger ledger; /* counted and thrown away */
};

static void publish(void *arg)
{
    struct page_actor *a = arg;
    struct replication *rep = a->rep;
    struct jobq_backend *b = world_backend(a->proc);
    struct status *status;
    struct jobq_error err;
    if (status_new(b, REPLICATION_QUEUE, &status, &err) != JOBQ_OK)
        return;
    const struct page_options options = {
        .refresh_ns = 15 * JOBQ_NS_PER_S, .drainer = a->box->drainer, .alone = true};
    page_post(b, status, &options);
    struct jobq_str html = world_board(a->proc, "/");
    if (!html.ptr)
        return;
    if (html.len > rep->page_cap) {
        rep->page = xrealloc(rep->page, (size_t)html.len);
        rep->page_cap = html.len;
    }
    memcpy(rep->page, html.ptr, (size_t)html.len);
    rep->page_len = html.len;
}

void replication_publish_page(struct replication *rep)
{
    for (int64_t i = 0; i < world_box_count(rep->world); i++) {
        struct replication_box *b = replication_box_of(rep, world_box_at(rep->world, i));
        if (!b->running || !b->drainer)
            continue;
        struct page_actor *a = arena_zalloc(&rep->arena, sizeof *a);
        a->rep = rep;
        a->box = b;
        a->proc = world_proc_new(rep->world, "page", 0, b->box, &a->ledger, 0);
        if (scenario_store(rep->scenario) == SCENARIO_STORE_NONE)
            world_backend(a->proc)->store = NULL;
        fiber_spawn(world_fibers(a->proc), publish, a);
        return;
    }
}
