/* page_ask.c - answers what readers ask for that was not posted. See page_ask.h.
 *
 * Room:     src/fleet, the product.
 *
 * A few fibers take requests, so that one that waits for the store does not hold up the
 * others. Each answers every request that it takes, whatever becomes of its calls. */
#include "fleet/status/page_ask.h"

#include "fiber/fiber.h"
#include "fleet/status/page_text.h"
#include "jobq/units.h"
#include "wire/text/params.h"

#include <assert.h>
#include <string.h>

enum { TAKERS = 4, LIST_ROWS = 50, LIST_PAGE = 10 };

struct asking {
    struct jobq_backend *b;
    const struct status_view *view;
    const struct page_options *options;
    const struct page_money *money;
};

/* One request and what becomes of it. */
struct ask {
    const struct asking *of;
    struct jobq_backend *b;
    struct jobq_question request;
    const struct tree *form;
    struct arena *arena;
    struct page_look look;
    struct text body;
    struct jobq_answer answer;
};

static void ask_note(struct ask *a, int status, const char *title, const char *says)
{
    text_clear(&a->body);
    a->answer.status = status;
    page_note_html(&a->look, title, says, &a->body);
}

static void ask_failed(struct ask *a, const struct jobq_error *err)
{
    int status = err->code == JOBQ_NOT_FOUND                            ? 404
                 : err->code == JOBQ_INVALID || err->code == JOBQ_LIMIT ? 400
                 : err->code == JOBQ_CONFLICT                           ? 409
                                                                        : 502;
    char says[sizeof err->text + 64] = "That did not work: ";
    strncat(says, err->text, sizeof says - strlen(says) - 1);
    ask_note(a, status, "not done", says);
}

static bool ask_store(struct ask *a)
{
    if (a->b->store)
        return true;
    ask_note(a, 404, "no rows", "There is no store: single jobs cannot be looked up.");
    return false;
}

/* ---- jobs ------------------------------------------------------------------------------ */

static void ask_job(struct ask *a, struct jobq_str id)
{
    struct jobq_error err;
    struct jobq_str payload;
    bool json = id.len > 5 && memcmp(id.ptr + id.len - 5, ".json", 5) == 0;
    if (!ask_store(a))
        return;
    if (json)
        id.len -= 5;
    struct status_job *job = arena_zalloc(a->arena, sizeof *job);
    if (status_job_whole(a->b, id, a->arena, job, &payload, &err) < 0) {
        ask_failed(a, &err);
        return;
    }
    a->answer.status = 200;
    if (json) {
        a->answer.content_type = "application/json";
        page_job_json(job, payload, &a->body);
    } else {
        page_job_html(&a->look, job, payload, jobq_wall(a->b), a->arena, &a->body);
    }
}

/* The form of the search: a page of its own has the job's address. */
static void ask_search(struct ask *a)
{
    struct jobq_str id = tree_text(a->form, "id");
    struct job_id_parts parts;
    struct jobq_error err;
    while (id.len > 0 && id.ptr[0] == ' ')
        id = (struct jobq_str){id.ptr + 1, id.len - 1};
    while (id.len > 0 && id.ptr[id.len - 1] == ' ')
        id.len--;
    if (job_id_parse(id, &parts, &err) < 0) {
        ask_note(a, 404, "no job", "That is no job's id.");
        return;
    }
    char *location = arena_zalloc(a->arena, (size_t)id.len + 8);
    memcpy(location, "/jobs/", 6);
    memcpy(location + 6, id.ptr, (size_t)id.len);
    a->answer.status = 303;
    a->answer.location = location;
    text_puts(&a->body, "see there\n");
}

/* Returns how many rows were read into job, which has room for LIST_ROWS; or the error. */
static int ask_list(struct ask *a, enum job_state state, struct status_job *job,
                    struct jobq_error *err)
{
    struct status_list *list = arena_zalloc(a->arena, sizeof *list);
    int total = 0, count = status_list_start(a->b, a->of->view->queue, (int)state,
                                             LIST_ROWS, a->arena, list, err);
    if (count < 0)
        return count;
    while (total + LIST_PAGE <= LIST_ROWS &&
           (count = status_list_next(list, a->arena, job + total, LIST_PAGE, err)) > 0)
        total += count;
    return count < 0 ? count : total;
}

static void ask_failures(struct ask *a)
{
    struct jobq_error err;
    if (!ask_store(a))
        return;
    struct status_job *job = arena_zalloc(a->arena, 2 * LIST_ROWS * sizeof *job);
    int failed = ask_list(a, JOB_FAILED, job, &err);
    int dead = failed < 0 ? failed : ask_list(a, JOB_DEAD, job + failed, &err);
    if (dead < 0) {
        ask_failed(a, &err);
        return;
    }
    a->answer.status = 200;
    page_head(&a->look, "failed and dead jobs", &a->body);
    text_printf(&a->body,
                "<p>%d failed jobs, which will be tried again, and %d dead ones, the "
                "oldest first, at most %d of each; jobq list shows all.</p>",
                failed, dead, LIST_ROWS);
    page_table(&a->body, "Failed and dead jobs", PAGE_JOB_COLUMNS);
    for (int i = 0; i < failed + dead; i++)
        page_job_row(&a->look, &job[i], &a->body);
    page_table_end(&a->body);
    page_foot(&a->body);
}

/* ---- all of them ------------------------------------------------------------------------- */

static void ask_get(struct ask *a)
{
    struct jobq_str path = a->request.path;
    if (str_is(path, "/jobs"))
        ask_search(a);
    else if (path.len > 6 && memcmp(path.ptr, "/jobs/", 6) == 0)
        ask_job(a, (struct jobq_str){path.ptr + 6, path.len - 6});
    else if (str_is(path, "/failures"))
        ask_failures(a);
    else
        ask_note(a, 404, "no such page", "There is no such page.");
}

static void ask_one(struct ask *a)
{
    struct jobq_error err;
    struct tree *form;
    const struct asking *of = a->of;
    a->look = (struct page_look){.view = of->view,
                                 .money = of->options->money ? of->money : NULL,
                                 .asks = true,
                                 .acts = of->options->operate != NULL};
    a->answer = (struct jobq_answer){.content_type = "text/html; charset=utf-8"};
    if (tree_from_query(&a->request.form, 1, a->arena, &form, &err) < 0) {
        ask_failed(a, &err);
        return;
    }
    a->form = form;
    if (a->request.action)
        ask_note(a, 404, "no such action", "There is no such action.");
    else
        ask_get(a);
}

static void ask_fiber(void *arg)
{
    const struct asking *of = arg;
    struct arena arena;
    struct jobq_error err;
    arena_init_within(&arena, fiber_proc_arena(of->b->proc), 8192);
    struct ask *a = arena_zalloc(fiber_proc_arena(of->b->proc), sizeof *a);
    for (;;) {
        arena_reset(&arena);
        *a = (struct ask){.of = of, .b = of->b, .arena = &arena};
        if (jobq_board_take(of->b, &arena, &a->request, &err) < 0)
            return;
        ask_one(a);
        a->answer.bytes = text_str(&a->body);
        jobq_board_answer(of->b, a->request.handle, &a->answer);
        text_release(&a->body);
    }
}

void page_ask_start(struct jobq_backend *b, const struct status_view *view,
                    const struct page_options *options, const struct page_money *money)
{
    assert(b && b->board && view && options && money);
    struct asking *of = arena_zalloc(fiber_proc_arena(b->proc), sizeof *of);
    *of = (struct asking){.b = b, .view = view, .options = options, .money = money};
    for (int i = 0; i < TAKERS; i++)
        fiber_spawn(b->proc, ask_fiber, of);
}
