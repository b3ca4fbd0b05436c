/* test_page.c - facts about the pages that are made when somebody asks, and about what is drawn
 * from what came from outside. */
#include "stage.h"

#include "base/arena.h"
#include "base/text.h"
#include "fleet/operate/operate.h"
#include "fleet/status/page.h"
#include "fleet/status/page_ask.h"
#include "fleet/status/page_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- a page that answers ----------------------------------------------------------------- */

struct paging {
    struct stage *st;
    struct stage_drainer *sd;
    struct page_options options;
};

static void start_page(void *ctx)
{
    struct paging *p = ctx;
    struct status *status;
    struct jobq_error err;
    p->options.drainer = p->sd->d;
    p->options.asks = true;
    if (status_new(p->sd->b, STAGE_QUEUE, &status, &err) < 0 ||
        page_start(p->sd->b, status, &p->options, &err) < 0)
        fail_msg("%s", err.text);
}

/* Asks and runs the world until the answer is there; the caller releases question->body. */
static void ask(struct paging *p, const char *path, const char *form,
                struct world_question *question)
{
    memset(question, 0, sizeof *question);
    question->path = path;
    question->form = form;
    question->from = "127.0.0.1";
    world_board_ask(p->sd->proc, question);
    for (int i = 0; i < 100 && !question->answered; i++)
        stage_run_for(p->st, S / 10);
    assert_true(question->answered);
}

static void wants(struct paging *p, const char *path, const char *form, int status,
                  const char *text)
{
    struct world_question question;
    ask(p, path, form, &question);
    if (question.status != status || !strstr(question.body.ptr, text))
        fail_msg("%s?%s: %d '%s', want %d '%s'", path, form, question.status,
                 question.body.ptr, status, text);
    text_release(&question.body);
}

static int always_fails(void *ctx, struct jobq_str id, int attempt)
{
    (void)ctx, (void)id, (void)attempt;
    return 3;
}

static void a_job_has_a_page(void **state)
{
    (void)state;
    struct stage *st = stage_new("aws-2026", 30 * S);
    st->script = always_fails;
    stage_enqueue(st, 3, "0.5");
    struct stage_drainer *sd = stage_drain(st, 4);
    sd->options.max_attempts = 1;
    stage_run_for(st, S);
    struct paging p = {.st = st, .sd = sd};
    stage_do_in(st, sd->proc, start_page, &p);
    stage_run_for(st, 10 * S);
    char path[200], form[200];
    snprintf(path, sizeof path, "/jobs/%s", st->id[0]);
    wants(&p, path, "", 200, "It is <b>dead</b>");
    wants(&p, path, "", 200, "<dt>sleeps for</dt>");
    wants(&p, path, "", 200, "<dt>exit</dt><dd>3</dd>");
    snprintf(path, sizeof path, "/jobs/%s.json", st->id[0]);
    wants(&p, path, "", 200, "{\"schema\":\"jobq.job/1\",\"id\":\"q-");
    wants(&p, path, "", 200, "\"state\":\"dead\",\"attempt\":1,");
    /* A search leads to it; what is no id leads nowhere. */
    struct world_question question;
    snprintf(form, sizeof form, "id=+%s%%20", st->id[0]);
    ask(&p, "/jobs", form, &question);
    snprintf(path, sizeof path, "/jobs/%s", st->id[0]);
    assert_int_equal(question.status, 303);
    assert_string_equal(question.location, path);
    text_release(&question.body);
    wants(&p, "/jobs", "id=%3Cscript%3E", 404, "That is no job&#39;s id.");
    wants(&p, "/jobs", "id=%0d%0aX: y", 404, "no job");
    wants(&p, "/jobs", "id=%", 400, "did not work");
    wants(&p, "/jobs/<script>", "", 400, "&lt;script&gt;");
    wants(&p, "/jobs/q-000000000000000000000000", "", 404, "not started or unknown");
    wants(&p, "/failures", "", 200,
          "0 failed jobs, which will be tried again, and 3 dead");
    wants(&p, "/failures", "", 200, st->id[2]);
    wants(&p, "/elsewhere", "", 404, "There is no such page.");
    /* A page that is not read costs nothing more: only the refreshes ask. */
    int64_t reads = sd->ledger.action[JOBQ_ACT_SDB_GET].requests;
    stage_run_for(st, 60 * S);
    assert_int_equal(sd->ledger.action[JOBQ_ACT_SDB_GET].requests, reads);
    stage_free(st);
}

static void without_a_store_no_job_is_looked_up(void **state)
{
    (void)state;
    struct stage *st = stage_new("ideal", 30 * S);
    struct stage_drainer *sd = stage_drain(st, 4);
    stage_run_for(st, S);
    struct paging p = {.st = st, .sd = sd};
    sd->b->store = NULL;
    stage_do_in(st, sd->proc, start_page, &p);
    stage_run_for(st, S);
    wants(&p, "/jobs/q-000000000000000000000000", "", 404, "There is no store");
    wants(&p, "/failures", "", 404, "There is no store");
    stage_free(st);
}

static void readyz_follows_the_drainer(void **state)
{
    (void)state;
    struct stage *st = stage_new("aws-2026", 30 * S);
    struct stage_drainer *sd = stage_drain(st, 4);
    stage_run_for(st, S);
    struct paging p = {.st = st, .sd = sd};
    stage_do_in(st, sd->proc, start_page, &p);
    stage_run_for(st, 8 * S);
    assert_int_equal(world_board_status(sd->proc, "/readyz"), 200);
    drainer_quiet(sd->d, true);
    stage_run_for(st, 3 * S);
    assert_int_equal(world_board_status(sd->proc, "/readyz"), 503);
    drainer_quiet(sd->d, false);
    stage_run_for(st, 3 * S);
    assert_int_equal(world_board_status(sd->proc, "/readyz"), 200);
    stage_free(st);
}

/* ---- actions ---------------------------------------------------------------------------- */

struct told {
    char audit[4096];
};

static void keep_audit(void *ctx, const char *line)
{
    struct told *told = ctx;
    size_t len = strlen(told->audit);
    snprintf(told->audit + len, sizeof told->audit - len, "%s\n", line);
}

static int no_user_data(void *ctx, bool stays, struct text *out, struct jobq_error *err)
{
    (void)ctx, (void)stays, (void)err;
    text_puts(out, "#cloud-config\n");
    return JOBQ_OK;
}

static void act(struct paging *p, const char *path, const char *form, int status,
                const char *text)
{
    struct world_question question = {
        .path = path, .form = form, .from = "10.0.0.9", .action = true};
    world_board_ask(p->sd->proc, &question);
    for (int i = 0; i < 100 && !question.answered; i++)
        stage_run_for(p->st, S / 10);
    assert_true(question.answered);
    if (question.status != status || !strstr(question.body.ptr, text))
        fail_msg("%s %s: %d '%s', want %d '%s'", path, form, question.status,
                 question.body.ptr, status, text);
    text_release(&question.body);
}

/* Each twice; what is asked wrongly is refused, and each leaves a line. */
static void actions_are_done_and_kept_in_mind(void **state)
{
    (void)state;
    struct stage *st = stage_new("aws-2026", 30 * S);
    struct told *told = xcalloc(1, sizeof *told);
    st->script = always_fails;
    stage_enqueue(st, 1, "0.5");
    struct stage_drainer *sd = stage_drain(st, 4);
    sd->options.max_attempts = 1;
    stage_run_for(st, 10 * S);
    st->script = NULL;
    const struct operate_options options = {.queue = STAGE_QUEUE,
                                            .drainer = sd->d,
                                            .stop_within_ns = 10 * S,
                                            .image = "ami-0123456789abcdef0",
                                            .type = "t4g.nano",
                                            .boxes_max = 3,
                                            .user_data = no_user_data,
                                            .audit = keep_audit,
                                            .ctx = told};
    struct paging p = {.st = st, .sd = sd};
    p.options.operate = operate_new(sd->b, &options);
    stage_do_in(st, sd->proc, start_page, &p);
    stage_run_for(st, 5 * S);
    char form[200];
    for (int i = 0; i < 2; i++)
        act(&p, "/quiet", "", 200, "1 drainer takes no more work");
    for (int i = 0; i < 2; i++)
        act(&p, "/resume", "", 200, "1 drainer takes work again");
    act(&p, "/slots", "by=3", 200, "3 slots more");
    act(&p, "/slots", "by=x", 400, "not 0");
    act(&p, "/slots", "by=-1000", 200, "fewer");
    snprintf(form, sizeof form, "id=%s", st->id[0]);
    act(&p, "/retry", form, 200, "on the queue again");
    stage_run_for(st, 10 * S);
    assert_int_equal(stage_state(st, 0), JOB_DONE);
    act(&p, "/retry", form, 409, "the job is &#39;done&#39;");
    act(&p, "/cancel", form, 409, "done");
    act(&p, "/cancel", "id=nonsense", 400, "not work");
    /* A running job is stopped at once. */
    stage_enqueue(st, 1, "600");
    stage_run_for(st, 2 * S);
    assert_int_equal(stage_state(st, 1), JOB_RUNNING);
    snprintf(form, sizeof form, "id=%s", st->id[1]);
    act(&p, "/cancel", form, 200, "it ran here and is being stopped");
    act(&p, "/cancel", form, 200, "Cancelled");
    stage_run_for(st, 10 * S);
    assert_int_equal(stage_state(st, 1), JOB_CANCELLED);
    assert_int_equal(stage_depth(st, STAGE_QUEUE).in_flight, 0);
    /* Boxes: the number typed again, a limit, a token that launches once. */
    act(&p, "/spawn", "count=2&once=abc", 400, "typed again");
    act(&p, "/spawn", "count=2&confirm=2", 400, "a token of its own");
    act(&p, "/spawn", "count=9&confirm=9&once=abc", 400, "allows 3 in all");
    act(&p, "/spawn", "count=x&confirm=x&once=abc", 400, "1 to 500 boxes");
    act(&p, "/spawn", "count=2&confirm=2&once=abc&type=t4g%2Fx", 400, "instance type");
    act(&p, "/spawn", "count=2&confirm=2&once=abc", 200, "Started 2 t4g.nano: i-");
    act(&p, "/spawn", "count=2&confirm=2&once=abc", 200, "Started 2 t4g.nano: i-");
    act(&p, "/spawn", "count=1&confirm=1&once=abd", 400, "less than 5 s ago");
    stage_run_for(st, 10 * S);
    act(&p, "/spawn", "count=2&confirm=2&once=abe", 400, "there are 2 boxes");
    act(&p, "/seppuku", "", 400, "this is no box");
    act(&p, "/else", "", 404, "no such action");
    wants(&p, "/spawn", "count=2", 200, "cost <b>an unknown amount</b> an hour");
    assert_non_null(strstr(told->audit, "audit: 10.0.0.9 asked for /quiet: 1 drainer"));
    assert_non_null(strstr(told->audit, "asked for /seppuku, refused: this is no box"));
    stage_free(st);
    free(told);
}

/* ---- what came from outside ------------------------------------------------------------- */

static const char *const EVIL[] = {"<script>alert(1)</script>",
                                   "\"><img src=x onerror=alert(1)>", "'&<>\\\x01\xff\r",
                                   "</pre></dd><form action=//evil method=post>"};

/* No byte of it is read as anything but text. */
static void check_tame(const struct text *html)
{
    assert_null(strstr(html->ptr, "<script>"));
    assert_null(strstr(html->ptr, "<img"));
    assert_null(strstr(html->ptr, "<form action=//"));
    assert_null(strchr(html->ptr, '\x01'));
    assert_null(strchr(html->ptr, '\xff'));
    assert_null(strchr(html->ptr, '\r'));
}

/* Nothing in it drives a terminal, and no line is wider than one. */
static void check_plain(const struct text *plain)
{
    int width = 0;
    for (const char *c = plain->ptr; *c; c++) {
        width = *c == '\n' ? 0 : width + 1;
        assert_true(*c == '\n' || (*c >= 0x20 && *c < 0x7f));
        assert_true(width <= PAGE_PLAIN_WIDTH);
    }
}

static void hostile_words_of_jobs_stay_text(void **state)
{
    (void)state;
    struct status_view *view = xcalloc(1, sizeof *view);
    struct page_local *local = xcalloc(1, sizeof *local);
    struct page_failures *failures = xcalloc(1, sizeof *failures);
    struct status_job *job = xcalloc(1, sizeof *job);
    struct arena arena;
    arena_init(&arena, 0);
    local->failures = failures;
    for (size_t i = 0; i < sizeof EVIL / sizeof EVIL[0]; i++) {
        struct text html = {0}, json = {0}, plain = {0};
        char evil[JOBQ_OUTPUT_TAIL], payload[200];
        int bytes = snprintf(evil, sizeof evil, "%s", EVIL[i]);
        struct jobq_work_result result = {
            .exit_code = 1, .tail = evil, .tail_bytes = bytes};
        struct drainer_event event = {.kind = DRAINER_ENDED,
                                      .state = JOB_FAILED,
                                      .job_id = str_of(evil),
                                      .text = evil,
                                      .result = &result};
        page_note(failures, &event, 5 * S);
        struct page_look look = {
            .view = view, .local = local, .refresh_s = 15, .asks = true, .acts = true};
        page_html(&look, &html);
        page_json(&look, &json);
        view->drainer_count = 1;
        snprintf(view->drainer[0].id, sizeof view->drainer[0].id, "%s", evil);
        snprintf(view->problem, sizeof view->problem, "%s\033[2J %s", evil, evil);
        page_plain(&look, &plain);
        check_plain(&plain);
        view->drainer_count = 0;
        view->problem[0] = '\0';
        check_tame(&html);
        assert_null(strstr(html.ptr, "/jobs/<"));
        text_clear(&html);
        *job = (struct status_job){.state = JOB_DEAD, .finished_ms = 1, .progress = -1};
        snprintf(job->id, sizeof job->id, "%s", evil);
        snprintf(job->box, sizeof job->box, "%s", evil);
        snprintf(job->tail, sizeof job->tail, "%s", evil);
        job->tail_bytes = bytes;
        snprintf(payload, sizeof payload, "exec 0\n%s=%s", "name", EVIL[i]);
        page_job_html(&look, job, str_of(payload), 9 * S, &arena, &html);
        page_job_row(&look, job, &html);
        page_note_html(&look, "job", evil, &html);
        check_tame(&html);
        text_release(&html);
        text_release(&json);
        text_release(&plain);
    }
    arena_release(&arena);
    free(job);
    free(failures);
    free(local);
    free(view);
}

/* The last ones, last first, and no event but a failure. */
static void failures_are_kept_and_shown(void **state)
{
    (void)state;
    struct page_failures *failures = xcalloc(1, sizeof *failures);
    struct page_local *local = xcalloc(1, sizeof *local);
    struct status_view *view = xcalloc(1, sizeof *view);
    struct text html = {0};
    char id[40];
    struct drainer_event event = {.kind = DRAINER_STARTED, .job_id = STR("q-x")};
    page_note(failures, &event, S);
    event.kind = DRAINER_ENDED;
    event.state = JOB_DONE;
    page_note(failures, &event, S);
    assert_int_equal(failures->count, 0);
    event.state = JOB_FAILED;
    for (int i = 0; i < 40; i++) {
        snprintf(id, sizeof id, "job-%d.", i);
        event.job_id = str_of(id);
        page_note(failures, &event, S);
    }
    local->failures = failures;
    page_html(&(struct page_look){.view = view, .local = local}, &html);
    assert_non_null(strstr(html.ptr, ">job-39.<"));
    assert_non_null(strstr(html.ptr, ">job-34.<"));
    assert_null(strstr(html.ptr, ">job-33.<"));
    assert_true(strstr(html.ptr, ">job-39.<") < strstr(html.ptr, ">job-38.<"));
    text_release(&html);
    free(view);
    free(local);
    free(failures);
}

/* ---- the view's new words ---------------------------------------------------------------- */

static void a_row_carries_what_an_older_reader_skips(void **state)
{
    (void)state;
    char line[STATUS_ROW_MAX + 1];
    struct status_drainer read, one = {.box = "i-0123456789abcdef0",
                                       .slots = INT64_MAX / 2,
                                       .busy = 1,
                                       .done = INT64_MAX / 2,
                                       .attempts = INT64_MAX / 2,
                                       .seen_wall_ns = INT64_C(1795493106) * S,
                                       .queue_calls = INT64_MAX / 2,
                                       .work_ns = INT64_MAX / 2,
                                       .waited_ns = 14 * JOBQ_NS_PER_DAY,
                                       .notice_wall_ns = INT64_C(1795493200) * S,
                                       .quiet = true};
    int len = status_drainer_write(&one, line);
    assert_true(len <= STATUS_ROW_MAX);
    assert_true(status_drainer_read(STR("d"), (struct jobq_str){line, len}, &read));
    assert_int_equal(read.queue_calls, one.queue_calls);
    assert_int_equal(read.waited_ns, one.waited_ns);
    assert_int_equal(read.notice_wall_ns, one.notice_wall_ns);
    assert_true(read.quiet);
    /* Of an older drainer, of a newer one, and of nobody. */
    assert_true(
        status_drainer_read(STR("d"), STR("1795493106000 box 4 3 3 2 1 0 5"), &read));
    assert_int_equal(read.attempts, 5);
    assert_int_equal(read.queue_calls, 0);
    assert_true(status_drainer_read(
        STR("d"), STR("1795493106000 box 4 3 3 2 1 0 5 z=9 c= c=x c=-1 = q=2 c=7"),
        &read));
    assert_int_equal(read.queue_calls, 7);
    assert_false(read.quiet);
    assert_false(status_drainer_read(STR("d"), STR("1795493106000 box 4 3"), &read));
}

static void why_says_what_holds_jobs_up(void **state)
{
    (void)state;
    struct status_view *view = xcalloc(1, sizeof *view);
    char why[200];
    view->depth_known = view->boxes_known = true;
    view->taken_wall_ns = view->read_wall_ns = INT64_C(1795493106) * S;
    view->depth = (struct jobq_queue_depth){.visible = 9, .in_flight = 4};
    status_why(view, why, sizeof why);
    assert_non_null(strstr(why, "4 messages are in flight, but no drainer was seen"));
    view->drainer_count = 1;
    view->drainer[0] = (struct status_drainer){
        .slots = 4, .busy = 4, .seen_wall_ns = view->taken_wall_ns, .here = true};
    view->fresh = (struct status_fresh){1, 4, 4, 0};
    status_why(view, why, sizeof why);
    assert_non_null(strstr(why, "All 4 slots are busy"));
    view->fresh.quiet = 1;
    status_why(view, why, sizeof why);
    assert_non_null(strstr(why, "told to take no more work"));
    view->fresh = (struct status_fresh){1, 5, 4, 0};
    status_why(view, why, sizeof why);
    assert_string_equal(why, "");
    free(view);
}

static void dollars_have_sensible_digits(void **state)
{
    (void)state;
    static const struct {
        double usd;
        const char *text;
    } of[] = {{0, "$0.00"},           {1234.5678, "$1234.57"},
              {0.25, "$0.2500"},      {0.0017, "$0.0017"},
              {0.00017, "$0.000170"}, {-2, "-$2.00"},
              {(double)NAN, "-"},     {1e300, "-"},
              {0.999999, "$1.0000"}};
    for (size_t i = 0; i < sizeof of / sizeof of[0]; i++) {
        struct text out = {0};
        page_put_usd(&out, of[i].usd);
        assert_string_equal(out.ptr, of[i].text);
        text_release(&out);
    }
}

static void a_full_page_stays_small(void **state)
{
    (void)state;
    static struct status_sample sample[STATUS_SAMPLES];
    struct status_view *view = xcalloc(1, sizeof *view);
    struct page_money money = {
        1234.5, 2.34, 1e-6, 12.5, 0.0017, 2e-6, "us-east-1 2026-10"};
    struct text html = {0}, event = {0};
    for (int i = 0; i < STATUS_SAMPLES; i++)
        sample[i] = (struct status_sample){.wall_ns = i * 60 * S,
                                           .visible = (i * 7919) % 100000,
                                           .in_flight = 5000,
                                           .ended = i * INT64_C(60000)};
    view->sample = sample;
    view->sample_count = STATUS_SAMPLES;
    view->depth_known = true;
    view->jobs_per_s = 1000;
    struct page_look look = {.view = view, .money = &money, .asks = true, .acts = true};
    page_html(&look, &html);
    assert_non_null(strstr(html.ptr, "<h2>The last 3 h 59 min</h2>"));
    assert_non_null(strstr(html.ptr, "Jobs a minute: at most 60000"));
    assert_non_null(strstr(html.ptr, "<b>$1234.50</b>so far"));
    page_event(&look, 7, &event);
    assert_null(strchr(event.ptr, '\n'));
    assert_non_null(strstr(event.ptr, "{\"version\":7,\"texts\":{\"updated\":\""));
    print_message("a chart of four hours: a page of %zu bytes\n", html.len);
    assert_true(html.len < 15000);
    text_release(&html);
    text_release(&event);
    free(view);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_job_has_a_page),
        cmocka_unit_test(without_a_store_no_job_is_looked_up),
        cmocka_unit_test(readyz_follows_the_drainer),
        cmocka_unit_test(actions_are_done_and_kept_in_mind),
        cmocka_unit_test(hostile_words_of_jobs_stay_text),
        cmocka_unit_test(failures_are_kept_and_shown),
        cmocka_unit_test(a_row_carries_what_an_older_reader_skips),
        cmocka_unit_test(why_says_what_holds_jobs_up),
        cmocka_unit_test(dollars_have_sensible_digits),
        cmocka_unit_test(a_full_page_stays_small),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
