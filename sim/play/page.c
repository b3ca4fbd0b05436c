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

#include <stdlib.h>
#include <string.h>

struct page_actor {
    struct scene *scene;
    struct scene_box *box;
    struct world_proc *proc;
    struct jobq_ledger ledger; /* counted and thrown away */
};

static void publish(void *arg)
{
    struct page_actor *a = arg;
    struct scene *s = a->scene;
    struct jobq_backend *b = world_backend(a->proc);
    struct status *status;
    struct jobq_error err;
    if (status_new(b, SCENE_QUEUE, &status, &err) != JOBQ_OK)
        return;
    page_post(b, status, a->box->drainer, 15);
    struct jobq_str html = world_board(a->proc, "/");
    if (!html.ptr)
        return;
    if (html.len > s->page_cap) {
        s->page = xrealloc(s->page, (size_t)html.len);
        s->page_cap = html.len;
    }
    memcpy(s->page, html.ptr, (size_t)html.len);
    s->page_len = html.len;
}

void scene_page_start(struct scene *s)
{
    for (int64_t i = 0; i < world_box_count(s->world); i++) {
        struct scene_box *b = scene_box_of(s, world_box_at(s->world, i));
        if (!b->running || !b->drainer)
            continue;
        struct page_actor *a = arena_zalloc(&s->arena, sizeof *a);
        a->scene = s;
        a->box = b;
        a->proc = world_proc_new(s->world, "page", 0, b->box, &a->ledger, 0);
        if (s->scenario->store == SCENARIO_STORE_NONE)
            world_backend(a->proc)->store = NULL;
        fiber_spawn(world_fibers(a->proc), publish, a);
        return;
    }
}
