/* page_ask.c - answers what readers ask for that was not posted. See page_ask.h.
 *
 * Room:     src/fleet, the product.
 *
 * A few fibers take requests, so that one that waits for the store does not hold up the
 * others. Each answers every request that it takes, whatever becomes of its calls. */
#include "fleet/status/page_ask.h"

#include "fiber/fiber.h"
#include "fleet/operate/operate.h"
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
    struct text body, said, line;
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
                 : err->code == JOBQ_DENIED                             ? 403
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

/* ---- actions ----------------------------------------------------------------------------- */

static int64_t form_int(const struct ask *a, const char *name, int64_t missing)
{
    int64_t value;
    struct jobq_str text = tree_text(a->form, name);
    if (text.len == 0)
        return missing;
    return str_to_int(text, &value) ? value : INT64_MIN;
}

static void form_word(const struct ask *a, const char *name, char *out, size_t cap)
{
    struct jobq_str text = tree_text(a->form, name);
    size_t len = text.len < (int64_t)cap ? (size_t)text.len : cap - 1;
    if (len)
        memcpy(out, text.ptr, len);
    out[len] = '\0';
}

static struct operate_spawn spawn_of(const struct ask *a)
{
    struct operate_spawn spawn = {.count = form_int(a, "count", 1),
                                  .spot = tree_text(a->form, "spot").len > 0};
    form_word(a, "type", spawn.type, sizeof spawn.type);
    form_word(a, "once", spawn.once, sizeof spawn.once);
    return spawn;
}

static void confirm_start(struct ask *a, const char *title, const char *path)
{
    a->answer.status = 200;
    page_head(&a->look, title, &a->body);
    text_printf(&a->body, "<form action=\"%s\" method=post>", path);
}

static void confirm_end(struct ask *a, const char *label, const char *button)
{
    text_printf(&a->body,
                "<label>%s <input name=confirm autocomplete=off required></label>"
                "<button class=x>%s</button></form><p><a href=\"/\">No, back to the "
                "queue</a></p>",
                label, button);
    page_foot(&a->body);
}

/* Says what it costs, and wants the count typed again. */
static void confirm_spawn(struct ask *a)
{
    struct operate_spawn spawn = spawn_of(a);
    struct jobq_error err;
    double usd;
    char once[17];
    if (operate_spawn_check(a->of->options->operate, &spawn, &usd, &err) < 0) {
        ask_failed(a, &err);
        return;
    }
    text_write_hex64(once, jobq_bits(a->b));
    once[16] = '\0';
    confirm_start(a, "start boxes", "/spawn");
    text_printf(&a->body, "<p>%lld %s%s for this queue cost <b>", (long long)spawn.count,
                spawn.type, spawn.spot ? " (spot)" : "");
    if (usd >= 0)
        page_put_usd(&a->body, usd);
    else
        text_puts(&a->body, "an unknown amount");
    text_printf(&a->body,
                "</b> an hour, until they end.</p><input type=hidden name=once value=%s>"
                "<input type=hidden name=count value=%lld>"
                "<input type=hidden name=type value=\"%s\">",
                once, (long long)spawn.count, spawn.type);
    if (spawn.spot)
        text_puts(&a->body, "<input type=hidden name=spot value=1>");
    confirm_end(a, "Type the number of boxes:", "Start them");
}

static void confirm_seppuku(struct ask *a)
{
    const struct jobq_self *self = &a->of->view->self;
    if (!self->id[0]) {
        ask_note(a, 400, "no box", "This is no box: there is nothing to end.");
        return;
    }
    confirm_start(a, "end this box", "/seppuku");
    text_puts(&a->body, "<p>Box <b>");
    page_put_html(&a->body, str_of(self->id));
    text_puts(&a->body,
              "</b> takes no more work, finishes or gives back what it runs, and "
              "is then terminated.</p>");
    confirm_end(a, "Type the box's id:", "Seppuku");
}

static int act_spawn(struct ask *a, struct operate *o, struct text *said,
                     struct jobq_error *err)
{
    struct operate_spawn spawn = spawn_of(a);
    if (form_int(a, "confirm", -1) != spawn.count)
        return jobq_fail(err, JOBQ_INVALID,
                         "the number of boxes, typed again (confirm), is not %lld",
                         (long long)spawn.count);
    return operate_spawn(o, &spawn, said, err);
}

static int act_seppuku(struct ask *a, struct operate *o, struct text *said,
                       struct jobq_error *err)
{
    const char *id = a->of->view->self.id;
    if (id[0] && !str_is(tree_text(a->form, "confirm"), id))
        return jobq_fail(err, JOBQ_INVALID, "the box's id, typed (confirm), is not '%s'",
                         id);
    return operate_seppuku(o, said, err);
}

static int act(struct ask *a, struct operate *o, struct text *said,
               struct jobq_error *err)
{
    struct jobq_str path = a->request.path, id = tree_text(a->form, "id");
    if (str_is(path, "/quiet"))
        return operate_quiet(o, true, said, err);
    if (str_is(path, "/resume"))
        return operate_quiet(o, false, said, err);
    if (str_is(path, "/slots"))
        return operate_slots(o, form_int(a, "by", 0), said, err);
    if (str_is(path, "/cancel"))
        return operate_cancel(o, id, said, err);
    if (str_is(path, "/retry"))
        return operate_retry(o, id, said, err);
    if (str_is(path, "/spawn"))
        return act_spawn(a, o, said, err);
    if (str_is(path, "/seppuku"))
        return act_seppuku(a, o, said, err);
    return jobq_fail(err, JOBQ_NOT_FOUND, "there is no such action");
}

/* One line in the log for each action, whatever became of it. */
static void ask_act(struct ask *a)
{
    struct operate *o = a->of->options->operate;
    struct jobq_error err = {0};
    struct text *said = &a->said, *line = &a->line;
    if (!o) {
        ask_note(a, 404, "no actions", "This page takes no actions.");
        return;
    }
    int code = act(a, o, said, &err);
    const struct operate_options *options = operate_options_of(o);
    if (options->audit) {
        struct jobq_str id = tree_text(a->form, "id");
        text_puts(line, "audit: ");
        text_put_escaped(line, a->request.from.ptr, (size_t)a->request.from.len);
        text_puts(line, " asked for ");
        text_put_escaped(line, a->request.path.ptr, (size_t)a->request.path.len);
        if (id.len > 0) {
            text_putc(line, ' ');
            text_put_escaped(line, id.ptr, (size_t)id.len);
        }
        text_puts(line, code < 0 ? ", refused: " : ": ");
        text_puts(line, code < 0 ? err.text : said->ptr);
        options->audit(options->ctx, line->ptr);
    }
    if (code < 0)
        ask_failed(a, &err);
    else
        ask_note(a, 200, "done", said->ptr);
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
    else if (a->look.spawns && str_is(path, "/spawn"))
        confirm_spawn(a);
    else if (a->look.acts && str_is(path, "/seppuku"))
        confirm_seppuku(a);
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
                                 .acts = of->options->operate != NULL,
                                 .spawns = page_spawns(of->options)};
    a->answer = (struct jobq_answer){.content_type = "text/html; charset=utf-8"};
    if (tree_from_query(&a->request.form, 1, a->arena, &form, &err) < 0) {
        ask_failed(a, &err);
        return;
    }
    a->form = form;
    if (a->request.action)
        ask_act(a);
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
        text_release(&a->said);
        text_release(&a->line);
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
