/* test_status.c - facts about the status view, the page and the dead letters. */
#include "stage.h"

#include "base/arena.h"
#include "base/text.h"
#include "fleet/dead/dead_letters.h"
#include "fleet/status/page.h"
#include "fleet/status/page_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef TEST_NO_JANSSON
#include <jansson.h>
#endif

/* ---- the page's JSON, as jansson reads it --------------------------------------------- */

#ifdef TEST_NO_JANSSON
static void check_page_json(struct jobq_str json, int drainers, int running)
{
    (void)drainers, (void)running;
    assert_non_null(json.ptr);
}
#else
/* -1: not looked at. */
static void check_page_json(struct jobq_str json, int drainers, int running)
{
    json_error_t fault;
    json_t *root = json_loadb(json.ptr, (size_t)json.len, 0, &fault);
    if (!root)
        fail_msg("%s at %d", fault.text, fault.position);
    assert_string_equal(json_string_value(json_object_get(root, "schema")),
                        "jobq.status/1");
    if (drainers >= 0)
        assert_int_equal(json_array_size(json_object_get(root, "drainers")), drainers);
    json_t *process = json_object_get(root, "process");
    if (running >= 0) {
        assert_int_equal(json_integer_value(json_object_get(process, "busy")), running);
        assert_int_equal(json_array_size(json_object_get(process, "running")), running);
    }
    json_decref(root);
}
#endif

/* ---- the view --------------------------------------------------------------------------- */

struct reading {
    struct stage *st;
    struct status *status;
    struct status_view view;
    int code;
    struct jobq_error err;
};

static void read_status(void *ctx)
{
    struct reading *r = ctx;
    if (!r->status &&
        (r->code = status_new(r->st->b, STAGE_QUEUE, &r->status, &r->err)) < 0)
        return;
    r->code = status_read(r->status, &r->view, &r->err);
}

static void the_view_sums_what_drainers_wrote(void **state)
{
    (void)state;
    struct stage *st = stage_new("aws-2026", 30 * S);
    struct reading *r = xcalloc(1, sizeof *r);
    r->st = st;
    stage_enqueue(st, 100, "1");
    stage_do(st, read_status, r);
    assert_int_equal(r->code, JOBQ_OK);
    assert_int_equal(r->view.depth.visible, 100);
    assert_int_equal(r->view.depth.visibility_ns, 30 * S);
    assert_int_equal(r->view.dead_letters, 0);
    assert_int_equal(r->view.done, 0);
    char why[160];
    status_why(&r->view, why, sizeof why);
    assert_non_null(strstr(why, "Nothing drains"));

    for (int i = 0; i < 2; i++) {
        struct stage_drainer *sd = stage_drain(st, 10);
        sd->options.stats_ns = 60 * S;
        sd->options.box = i ? "i-1" : "i-0";
        stage_run_for(st, S);
    }
    stage_run_for(st, 130 * S);
    int64_t selects = st->ledger.action[JOBQ_ACT_SDB_SELECT].requests;
    stage_do(st, read_status, r);
    assert_int_equal(r->code, JOBQ_OK);
    assert_int_equal(r->view.done, 100);
    assert_int_equal(r->view.attempts, 100);
    assert_int_equal(r->view.drainer_count, 2);
    assert_int_equal(r->view.drainer[0].slots, 10);
    assert_int_equal(st->ledger.action[JOBQ_ACT_SDB_SELECT].requests - selects, 1);
    /* One put a minute when something changed, none when nothing did. */
    int64_t puts = stage_requests(st, JOBQ_ACT_SDB_PUT);
    stage_run_for(st, 600 * S);
    assert_int_equal(stage_requests(st, JOBQ_ACT_SDB_PUT), puts);
    /* A reading after that pays for no row that it knows. */
    int64_t rows = st->ledger.action[JOBQ_ACT_SDB_SELECT].entries;
    stage_do(st, read_status, r);
    assert_true(st->ledger.action[JOBQ_ACT_SDB_SELECT].entries - rows <= 2);
    assert_int_equal(r->view.done, 100);
    free(r);
    stage_free(st);
}

static void a_drainer_leaves_its_sums_behind(void **state)
{
    (void)state;
    struct stage *st = stage_new("aws-2026", 30 * S);
    struct reading *r = xcalloc(1, sizeof *r);
    r->st = st;
    stage_enqueue(st, 20, "0.1");
    struct stage_drainer *sd = stage_drain(st, 20);
    sd->options.stats_ns = 60 * S;
    sd->options.idle_exit_ns = 0;
    stage_run_for(st, 30 * S);
    assert_true(sd->returned);
    stage_do(st, read_status, r);
    assert_int_equal(r->view.done, 20);
    free(r);
    stage_free(st);
}

/* ---- single jobs and lists ------------------------------------------------------------------ */

struct asking {
    struct stage *st;
    const char *id;
    struct status_job job;
    int code;
    int64_t listed[JOB_STATE_COUNT + 1], pages;
    int64_t faults;
    char fault[2][160];
    struct jobq_error err;
};

static void ask(void *ctx)
{
    struct asking *a = ctx;
    a->code = status_job(a->st->b, str_of(a->id), &a->job, &a->err);
}

static void list_all(void *ctx)
{
    struct asking *a = ctx;
    struct arena arena;
    arena_init(&arena, 0);
    struct status_job *job = xcalloc(100, sizeof *job);
    struct status_list *list = xcalloc(1, sizeof *list);
    for (int state = -1; state < JOB_STATE_COUNT; state++) {
        if (status_list_start(a->st->b, STAGE_QUEUE, state, JOBQ_FOREVER, &arena, list,
                              &a->err) < 0)
            fail_msg("%s", a->err.text);
        int count;
        while ((count = status_list_next(list, &arena, job, 30, &a->err)) > 0) {
            a->pages++;
            for (int i = 0; i < count; i++) {
                if (job[i].fault[0]) {
                    if (state < 0 && a->faults < 2)
                        snprintf(a->fault[a->faults], sizeof a->fault[0], "%s %s",
                                 job[i].id, job[i].fault);
                    a->faults++;
                    continue;
                }
                a->listed[state + 1]++;
                assert_true(state < 0 || (int)job[i].state == state);
            }
        }
        if (count < 0)
            fail_msg("%s", a->err.text);
    }
    free(job);
    free(list);
    arena_release(&arena);
}

static void jobs_are_asked_for_and_listed(void **state)
{
    (void)state;
    struct stage *st = stage_new("aws-2026", 30 * S);
    stage_enqueue(st, 200, "0.1");
    struct stage_drainer *sd = stage_drain(st, 10);
    stage_run_for(st, 40 * S);
    stage_kill(sd);
    stage_enqueue(st, 90, "0.1");
    struct asking *a = xcalloc(1, sizeof *a);
    a->st = st;
    a->id = st->id[3];
    stage_do(st, ask, a);
    assert_int_equal(a->code, JOBQ_OK);
    assert_int_equal(a->job.state, JOB_DONE);
    assert_int_equal(a->job.wall_ns, S / 10);
    assert_string_equal(a->job.id, st->id[3]);
    /* A million questions must not grow the process. */
    size_t used = arena_used(fiber_proc_arena(world_fibers(st->client)));
    for (int i = 0; i < 200; i++)
        stage_do(st, ask, a);
    assert_int_equal(arena_used(fiber_proc_arena(world_fibers(st->client))), used);
    a->id = "q-000000000000000000000000";
    stage_do(st, ask, a);
    assert_int_equal(a->code, JOBQ_NOT_FOUND);
    a->id = "nonsense";
    stage_do(st, ask, a);
    assert_int_equal(a->code, JOBQ_INVALID);

    stage_do(st, list_all, a);
    assert_int_equal(a->listed[0], 290);
    assert_int_equal(a->listed[JOB_DONE + 1], 200);
    assert_int_equal(a->listed[JOB_QUEUED + 1], 90);
    assert_int_equal(a->listed[JOB_DEAD + 1], 0);
    assert_int_equal(a->faults, 0);

    /* What one row holds does not hide the others. */
    char want[160];
    stage_damage(st, st->id[3], "claim", "asleep 1/x");
    stage_damage(st, st->id[250], "t", "soon\n");
    memset(a->listed, 0, sizeof a->listed);
    stage_do(st, list_all, a);
    assert_int_equal(a->listed[0], 288);
    assert_int_equal(a->listed[JOB_DONE + 1], 199);
    assert_int_equal(a->listed[JOB_QUEUED + 1], 89);
    assert_int_equal(a->faults, 3); /* two of all, one of the queued ones */
    snprintf(want, sizeof want, "%s row attribute 'claim' is 'asleep 1/x'", st->id[3]);
    bool first = strcmp(a->fault[0], want) == 0;
    assert_string_equal(a->fault[first ? 0 : 1], want);
    snprintf(want, sizeof want, "%s row attribute 't' is 'soon\\x0a'", st->id[250]);
    assert_string_equal(a->fault[first ? 1 : 0], want);
    free(a);
    stage_free(st);
}

/* ---- dead letters ------------------------------------------------------------------------------ */

static int always_fails(void *ctx, struct jobq_str id, int attempt)
{
    (void)ctx;
    (void)id;
    (void)attempt;
    return 3;
}

struct dead {
    struct stage *st;
    int64_t read, sent, letters, unreadable;
    int64_t pause_ns; /* a letter */
    struct jobq_error err;
};

static int count_letter(void *ctx, const struct dead_letter *letter)
{
    struct dead *d = ctx;
    d->unreadable += letter->row_unreadable;
    assert_int_equal(letter->state, JOB_DEAD);
    assert_true(letter->row_exists || letter->row_unreadable);
    d->letters++;
    if (d->pause_ns)
        fiber_sleep_until(d->st->b->sched, jobq_now(d->st->b) + d->pause_ns);
    return d->letters == 100;
}

static void scan_letters(void *ctx)
{
    struct dead *d = ctx;
    d->read = dead_scan(d->st->b, STAGE_QUEUE, count_letter, d, &d->err);
}

static void redrive(void *ctx)
{
    struct dead *d = ctx;
    d->sent = dead_redrive(d->st->b, STAGE_QUEUE, JOBQ_FOREVER, NULL, NULL, &d->err);
}

/* A world in which so many jobs have failed at their only attempt. */
static struct stage *stage_of_dead(int jobs)
{
    struct stage *st = stage_new("aws-2026", 30 * S);
    st->script = always_fails;
    stage_enqueue(st, jobs, "0.1");
    stage_drain(st, 13)->options.max_attempts = 1;
    stage_run_for(st, 20 * S);
    return st;
}

static void dead_letters_get_another_chance(void **state)
{
    (void)state;
    struct stage *st = stage_of_dead(13);
    assert_int_equal(stage_count(st, JOB_DEAD), 13);
    struct dead d = {.st = st};
    stage_do(st, scan_letters, &d);
    assert_int_equal(d.read, 13);
    assert_int_equal(d.letters, 13);
    stage_run_for(st, S);
    assert_int_equal(stage_depth(st, STAGE_QUEUE "-dead").visible, 13);
    st->script = NULL;
    stage_do(st, redrive, &d);
    assert_int_equal(d.sent, 13);
    stage_run_for(st, 20 * S);
    assert_int_equal(stage_count(st, JOB_DONE), 13);
    assert_int_equal(stage_depth(st, STAGE_QUEUE "-dead").visible, 0);
    assert_int_equal(stage_depth(st, STAGE_QUEUE).visible, 0);
    stage_free(st);
}

static void mark_letters(void *ctx)
{
    struct dead *d = ctx;
    d->read = dead_scan(d->st->b, STAGE_QUEUE, NULL, NULL, &d->err);
}

/* A second letter of the first job, as a delete that fails leaves one. */
static void copy_letter(void *ctx)
{
    struct stage *st = ctx;
    int dead;
    struct jobq_entry_result result;
    struct jobq_error err;
    char body[JOB_ID_MAX + 40];
    snprintf(body, sizeof body, "%s sleep 100000000", st->id[0]);
    struct jobq_outgoing message = {.body = str_of(body)};
    assert_int_equal(jobq_queue_open(st->b, STAGE_QUEUE "-dead", &dead, &err), JOBQ_OK);
    assert_int_equal(jobq_queue_send(st->b, dead, &message, 1, &result, &err), JOBQ_OK);
}

/* A job that was sent again waits for its message: an old letter of it, which stayed behind, does
 * not make it dead. */
static void an_old_letter_does_not_end_a_job(void **state)
{
    (void)state;
    struct stage *st = stage_of_dead(1);
    assert_int_equal(stage_state(st, 0), JOB_DEAD);
    stage_kill(&st->drainer[0]);
    stage_do(st, copy_letter, st);
    struct dead d = {.st = st};
    stage_do(st, redrive, &d);
    assert_int_equal(d.sent, 1);
    assert_int_equal(stage_state(st, 0), JOB_QUEUED);
    stage_run_for(st, 70 * S);
    stage_do(st, mark_letters, &d);
    assert_int_equal(d.read, 1);
    assert_int_equal(stage_state(st, 0), JOB_QUEUED);
    stage_free(st);
}

/* Jobs that fail faster than letters are looked at come back while the call goes on: each is sent
 * once, and the call ends. */
static void a_redrive_sends_each_job_once(void **state)
{
    (void)state;
    struct stage *st = stage_of_dead(33);
    struct dead d = {.st = st};
    stage_do(st, redrive, &d);
    assert_int_equal(d.sent, 33);
    stage_run_for(st, 60 * S);
    assert_int_equal(stage_count(st, JOB_DEAD), 33);
    assert_int_equal(stage_depth(st, STAGE_QUEUE "-dead").visible, 33);
    stage_free(st);
}

/* Longer than letters stay hidden: each is told once, and the scan ends. */
static void a_long_scan_tells_each_letter_once(void **state)
{
    (void)state;
    struct stage *st = stage_of_dead(33);
    struct dead d = {.st = st, .pause_ns = 7 * S};
    stage_do(st, scan_letters, &d);
    assert_int_equal(d.read, 33);
    assert_int_equal(d.letters, 33);
    stage_run_for(st, S);
    assert_int_equal(stage_depth(st, STAGE_QUEUE "-dead").visible, 33);
    stage_free(st);
}

/* Its letter stays, and the others are sent. */
static void a_row_that_cannot_be_read_keeps_its_letter(void **state)
{
    (void)state;
    struct stage *st = stage_of_dead(13);
    stage_damage(st, st->id[5], "claim", "mine");
    struct dead d = {.st = st};
    stage_do(st, scan_letters, &d);
    assert_int_equal(d.read, 13);
    assert_int_equal(d.unreadable, 1);
    stage_run_for(st, S);
    st->script = NULL;
    stage_do(st, redrive, &d);
    assert_int_equal(d.sent, 12);
    stage_run_for(st, S); /* not hidden any more */
    assert_int_equal(stage_depth(st, STAGE_QUEUE "-dead").visible, 1);
    stage_free(st);
}

/* Received too often, a message is moved by SQS itself: its row says dead once somebody
 * looks. */
static void rows_of_messages_that_sqs_moved_are_marked(void **state)
{
    (void)state;
    struct stage *st = stage_new("aws-2026", 30 * S);
    struct jobq_queue_depth depth = stage_depth(st, STAGE_QUEUE);
    assert_true(depth.max_receive_count >= 10); /* well above any attempt limit */
    stage_enqueue(st, 1, "1");
    for (int i = 0; i <= depth.max_receive_count; i++) {
        /* Drainers that take it and die before they claim. */
        struct stage_drainer *sd = &st->drainer[0];
        st->drainer_count = 0;
        memset(sd, 0, sizeof *sd);
        sd = stage_drain(st, 1);
        stage_fail(sd, JOBQ_ACT_SDB_PUT, JOBQ_FAULT_BEFORE, 1, 1000, JOBQ_THROTTLED);
        stage_fail(sd, JOBQ_ACT_SDB_GET, JOBQ_FAULT_BEFORE, 1, 1000, JOBQ_THROTTLED);
        stage_run_for(st, 2 * S);
        stage_kill(sd);
        stage_run_for(st, 30 * S);
    }
    struct stage_drainer *sd = stage_drain(st, 1);
    stage_run_for(st, 30 * S);
    assert_int_equal(sd->started, 0);
    assert_int_equal(stage_depth(st, STAGE_QUEUE "-dead").visible, 1);
    assert_int_equal(stage_state(st, 0), JOB_QUEUED);
    struct dead d = {.st = st};
    stage_do(st, scan_letters, &d);
    assert_int_equal(d.read, 1);
    assert_int_equal(stage_state(st, 0), JOB_DEAD);
    stage_free(st);
}

/* ---- the page ------------------------------------------------------------------------------------ */

static void fill_with(struct status_view *view, struct page_local *local,
                      const char *evil)
{
    memset(view, 0, sizeof *view);
    memset(local, 0, sizeof *local);
    memset(view->queue, 'q', JOBQ_QUEUE_NAME_MAX);
    view->depth_known = true;
    view->depth = (struct jobq_queue_depth){
        .visible = INT64_C(123456789012), .in_flight = 119999, .delayed = 5};
    view->taken_wall_ns = view->read_wall_ns = INT64_C(1795493106) * S;
    view->jobs_per_s = 12.5;
    view->drainer_count = STATUS_DRAINERS_MAX;
    static struct status_box box[STATUS_BOXES_MAX];
    view->box = box;
    view->box_count = STATUS_BOXES_MAX;
    view->boxes_known = true;
    snprintf(view->problem, sizeof view->problem, "%s", evil);
    for (int i = 0; i < STATUS_DRAINERS_MAX; i++) {
        snprintf(view->drainer[i].id, 24, "%s", evil);
        snprintf(view->drainer[i].box, 24, "%s", evil);
        view->drainer[i].done = INT64_C(999999999);
    }
    for (int i = 0; i < STATUS_BOXES_MAX; i++) {
        snprintf(box[i].id, 24, "%s", evil);
        snprintf(box[i].zone, 32, "%s", evil);
    }
    local->slot_count = PAGE_SLOTS_SHOWN;
    for (int i = 0; i < PAGE_SLOTS_SHOWN; i++)
        local->slot[i] =
            (struct drainer_slot){.job_id = str_of(evil), .progress_percent = 50};
    local->view.busy = 5000;
}

static void the_page_escapes_and_stays_small(void **state)
{
    (void)state;
    static const char *const evil[] = {"<script>alert(1)//", "\"'&<>\\\x01\xff\n\r",
                                       "jobs-0123456789abcdefghijklmnopqrstuvwxyz"};
    struct status_view *view = xcalloc(1, sizeof *view);
    struct page_local *local = xcalloc(1, sizeof *local);
    for (int i = 0; i < 3; i++) {
        struct text html = {0}, json = {0};
        fill_with(view, local, evil[i]);
        page_html(&(struct page_look){.view = view, .local = local, .refresh_s = 15},
                  &html);
        page_json(&(struct page_look){.view = view, .local = local}, &json);
        /* Nothing runs or is loaded but what is ours. */
        const char *script = strstr(html.ptr, "<script");
        assert_non_null(script);
        assert_int_equal(strncmp(script, "<script src=\"/page.js\" defer></script>", 38),
                         0);
        assert_null(strstr(script + 1, "<script"));
        assert_null(strstr(html.ptr, " style="));
        assert_null(strstr(script + 12, "src="));
        assert_non_null(strstr(html.ptr, "<th scope=row>"));
        assert_non_null(strstr(html.ptr, "http-equiv=refresh"));
        assert_true(html.len <= PAGE_BYTES_MAX || i != 2);
        if (i == 2)
            print_message("a full page has %zu bytes\n", html.len);
        check_page_json(str_of(json.ptr), STATUS_DRAINERS_MAX, -1);
        text_release(&html);
        text_release(&json);
    }
    free(view);
    free(local);
}

static void check_numbers(const struct status_view *view, const char *const *want)
{
    struct text html = {0};
    page_html(&(struct page_look){.view = view, .refresh_s = 15}, &html);
    for (; *want; want++)
        if (!strstr(html.ptr, *want))
            fail_msg("'%s' is not in %s", *want, strstr(html.ptr, "<main"));
    text_release(&html);
}

/* Counts of different moments, and drainers that have not told of themselves yet. */
static void the_page_does_not_contradict_itself(void **state)
{
    (void)state;
    struct status_view *view = xcalloc(1, sizeof *view);
    struct text json = {0};
    view->depth_known = true;
    view->depth = (struct jobq_queue_depth){.visible = 9, .in_flight = 4};
    view->taken_wall_ns = view->read_wall_ns = INT64_C(1795493106) * S;
    view->dead_letters = -1;
    view->unreported = true;
    check_numbers(view, (const char *const[]){"&ndash;</b>running", "<b>4</b>in flight",
                                              "&ndash;</b>drainers", "&ndash;</b>slots<",
                                              "The drainers on this box: not yet known.",
                                              NULL});
    page_json(&(struct page_look){.view = view}, &json);
    assert_non_null(strstr(json.ptr, "\"here\":{\"drainers\":null,\"slots\":null,"
                                     "\"busy\":null},\"why\":\"\""));
    text_release(&json);
    /* All of this box have answered, and a drainer elsewhere has written no row. */
    view->unreported = false;
    check_numbers(view, (const char *const[]){
                            "&ndash;</b>running", "<b>4</b>in flight", "<b>0</b>drainers",
                            "&ndash;</b>slots<",
                            "How many of those in flight run is not yet known", NULL});
    /* Received after the depth was read: no longer waiting. */
    view->depth.in_flight = 0;
    view->drainer_count = 1;
    view->drainer[0] = (struct status_drainer){
        .slots = 5, .busy = 3, .here = true, .seen_wall_ns = view->taken_wall_ns};
    view->fresh = (struct status_fresh){1, 5, 3, 0};
    check_numbers(view, (const char *const[]){"<b>6</b>waiting", "<b>3</b>running",
                                              "<b>3</b>in flight", "<b>5</b>slots<",
                                              "1 drainer, 5 slots, 3 busy", NULL});
    /* What a row said minutes ago is no reason to doubt the queue. */
    view->drainer[0].seen_wall_ns -= 60 * S;
    check_numbers(view,
                  (const char *const[]){"<b>9</b>waiting", "<b>0</b>running", NULL});
    /* Prefetched messages and deletes that wait are in flight and do not run. */
    view->depth.in_flight = 50;
    check_numbers(view, (const char *const[]){"<b>9</b>waiting", "<b>3</b>running",
                                              "<b>50</b>in flight", NULL});
    page_json(&(struct page_look){.view = view}, &json);
    assert_non_null(strstr(json.ptr, "\"in_flight\":50,\"running\":3,"));
    text_release(&json);
    free(view);
}

/* Every box is on some page, once. */
static void every_box_is_listed(void **state)
{
    (void)state;
    enum { BOXES = 250 };
    static struct status_box box[BOXES];
    struct status_view *view = xcalloc(1, sizeof *view);
    struct text html = {0};
    view->taken_wall_ns = view->read_wall_ns = INT64_C(1795493106) * S;
    view->boxes_known = true;
    assert_int_equal(page_boxes_pages(view), 0);
    page_html(&(struct page_look){.view = view, .refresh_s = 15}, &html);
    assert_non_null(strstr(html.ptr, "<b>0</b>boxes"));
    view->box = box;
    view->box_count = BOXES;
    for (int i = 0; i < BOXES; i++)
        snprintf(box[i].id, sizeof box[i].id, "i-%d.", i);
    text_clear(&html);
    page_html(&(struct page_look){.view = view, .refresh_s = 15}, &html);
    assert_non_null(strstr(html.ptr, "<b>250</b>boxes"));
    assert_non_null(strstr(html.ptr, "<a href=\"/boxes/1\">All 250 boxes</a>"));
    assert_int_equal(page_boxes_pages(view), 3);
    text_clear(&html);
    for (int i = 1; i <= 3; i++)
        page_boxes_html(&(struct page_look){.view = view, .refresh_s = 15}, i, &html);
    for (int i = 0; i < BOXES; i++) {
        char want[24];
        snprintf(want, sizeof want, ">i-%d.<", i);
        const char *at = strstr(html.ptr, want);
        assert_non_null(at);
        assert_null(strstr(at + 1, want));
    }
    assert_non_null(strstr(html.ptr, "201 to 250 of 250 boxes."));
    text_clear(&html);
    page_boxes_html(&(struct page_look){.view = view, .refresh_s = 15}, 4,
                    &html); /* of a time when there were more */
    assert_non_null(strstr(html.ptr, "There are fewer boxes now."));
    /* Not known is not none. */
    view->boxes_known = false;
    view->box_count = 0;
    text_clear(&html);
    page_html(&(struct page_look){.view = view, .refresh_s = 15}, &html);
    assert_non_null(strstr(html.ptr, "&ndash;</b>boxes"));
    text_release(&html);
    free(view);
}

enum { FLEET = 1234 };
struct fleet_reading {
    struct status_view view;
    struct stage *st;
};

static void read_fleet(void *ctx)
{
    struct fleet_reading *r = ctx;
    struct jobq_backend *b = r->st->b;
    struct jobq_error err;
    struct status *status;
    struct arena arena;
    const struct jobq_tag tag = {STR(STATUS_TAG), STR(STAGE_QUEUE)};
    arena_init(&arena, 0);
    struct jobq_str *id = arena_alloc(&arena, FLEET * sizeof *id);
    const struct jobq_launch launch = {.type = "t4g.nano",
                                       .image = "ami-0123456789abcdef0",
                                       .tag = &tag,
                                       .tag_count = 1,
                                       .count = FLEET};
    if (jobq_fleet_launch(b, &launch, &arena, id, FLEET, &err) != FLEET)
        fail_msg("%s", err.text);
    fiber_sleep_until(b->sched, jobq_now(b) + 20 * S);
    if (status_new(b, STAGE_QUEUE, &status, &err) != JOBQ_OK ||
        status_read(status, &r->view, &err) != JOBQ_OK)
        fail_msg("%s", err.text);
    assert_int_equal(r->view.box_count, FLEET);
    for (int i = 0; i < FLEET; i++)
        assert_true(str_is(id[i], r->view.box[i].id));
    arena_release(&arena);
}

/* More than one DescribeInstances tells of. */
static void a_large_fleet_is_read_whole(void **state)
{
    (void)state;
    struct fleet_reading *r = xcalloc(1, sizeof *r);
    r->st = stage_new("ideal", 30 * S);
    stage_do(r->st, read_fleet, r);
    stage_free(r->st);
    free(r);
}

static void texts_of_the_page(void **state)
{
    (void)state;
    struct text out = {0};
    page_put_time(&out, INT64_C(20781) * JOBQ_NS_PER_DAY + 3661 * S);
    assert_string_equal(out.ptr, "2026-11-24 01:01:01 UTC");
    static const struct {
        int64_t ns;
        const char *text;
    } age[] = {{-5, "0 s"},       {12 * S, "12 s"},        {200 * S, "3 min 20 s"},
               {3600 * S, "1 h"}, {3660 * S, "1 h 1 min"}, {220 * 3600 * S, "9 d 4 h"},
               {86401 * S, "1 d"}};
    for (size_t i = 0; i < sizeof age / sizeof age[0]; i++) {
        text_clear(&out);
        page_put_age(&out, age[i].ns);
        assert_string_equal(out.ptr, age[i].text);
    }
    text_release(&out);
}

static void the_page_counts_in_words_that_fit(void **state)
{
    (void)state;
    struct status_view *view = xcalloc(1, sizeof *view);
    static const struct {
        bool stored;
        int rows;
        const char *text;
    } said[] = {{true, 1, "the sum of 1 statistics row,"},
                {true, 2, "the sum of 2 statistics rows,"},
                {false, 1, "reported by 1 drainer on this box;"},
                {false, 3, "reported by 3 drainers on this box;"}};
    for (size_t i = 0; i < sizeof said / sizeof said[0]; i++) {
        struct text html = {0};
        view->rows_stored = said[i].stored;
        view->rows = said[i].rows;
        page_html(&(struct page_look){.view = view, .refresh_s = 15}, &html);
        assert_non_null(strstr(html.ptr, said[i].text));
        text_release(&html);
    }
    free(view);
}

struct posting {
    struct stage *st;
    struct stage_drainer *sd;
};

static void start_page(void *ctx)
{
    struct posting *p = ctx;
    struct status *status;
    struct jobq_error err;
    struct page_options options = {.refresh_ns = 10 * S, .drainer = p->sd->d};
    if (status_new(p->sd->b, STAGE_QUEUE, &status, &err) < 0 ||
        page_start(p->sd->b, status, &options, &err) < 0)
        fail_msg("%s", err.text);
}

static void the_page_is_posted_and_refreshed(void **state)
{
    (void)state;
    struct stage *st = stage_new("aws-2026", 30 * S);
    struct stage_drainer *sd = stage_drain(st, 4);
    stage_run_for(st, S);
    struct posting p = {st, sd};
    stage_do_in(st, sd->proc, start_page, &p);
    stage_run_for(st, S);
    stage_enqueue(st, 8, "100");
    stage_run_for(st, 15 * S);
    check_page_json(world_board(sd->proc, "/status.json"), -1, 4);
    assert_non_null(world_board(sd->proc, "/").ptr);
    /* The services are asked every 10 s, not by readers. */
    int64_t asked = sd->ledger.action[JOBQ_ACT_SQS_GET_ATTRIBUTES].requests;
    stage_run_for(st, 100 * S);
    assert_in_range(sd->ledger.action[JOBQ_ACT_SQS_GET_ATTRIBUTES].requests - asked, 18,
                    22);
    stage_free(st);
}

/* The queue does not answer: what was read before is shown with its age, and /healthz, whose
 * server goes by the age of its post, is not posted. */
static void an_outage_is_told(void **state)
{
    (void)state;
    struct stage *st = stage_new("aws-2026", 30 * S);
    stage_enqueue(st, 8, "100");
    struct stage_drainer *sd = stage_drain(st, 4);
    stage_run_for(st, S);
    struct posting p = {st, sd};
    stage_do_in(st, sd->proc, start_page, &p);
    stage_run_for(st, 5 * S);
    struct jobq_str page = world_board(sd->proc, "/");
    assert_null(memmem(page.ptr, (size_t)page.len, "Stale", 5));
    /* A drainer knows itself before it has written a row. */
    assert_null(memmem(page.ptr, (size_t)page.len, "Nothing drains", 14));
    assert_non_null(memmem(page.ptr, (size_t)page.len, "1 drainer, 4 slots, 4 busy", 26));
    struct jobq_str health = world_board(sd->proc, "/healthz");
    char before[100], after[100];
    snprintf(before, sizeof before, "%.*s", (int)health.len, health.ptr);
    assert_non_null(strstr(before, "ok, the queue answered 2"));
    stage_fail(sd, JOBQ_ACT_SQS_GET_ATTRIBUTES, JOBQ_FAULT_BEFORE, 1, 1000,
               JOBQ_UNAVAILABLE);
    stage_run_for(st, 30 * S);
    page = world_board(sd->proc, "/");
    assert_non_null(memmem(page.ptr, (size_t)page.len, "<b>Stale:</b>", 13));
    assert_non_null(memmem(page.ptr, (size_t)page.len, "<b>4</b>waiting", 15));
    check_page_json(world_board(sd->proc, "/status.json"), 1, 4);
    health = world_board(sd->proc, "/healthz");
    snprintf(after, sizeof after, "%.*s", (int)health.len, health.ptr);
    assert_string_equal(before, after);
    stage_free(st);
}

static bool metrics_hold(struct stage_drainer *sd, const char *text)
{
    struct jobq_str metrics = world_board(sd->proc, "/metrics");
    return metrics.ptr && memmem(metrics.ptr, (size_t)metrics.len, text, strlen(text));
}

static void metrics_tell_depth_requests_and_trouble(void **state)
{
    (void)state;
    struct stage *st = stage_new("aws-2026", 30 * S);
    stage_enqueue(st, 8, "100");
    struct stage_drainer *sd = stage_drain(st, 4);
    stage_run_for(st, S);
    struct posting p = {st, sd};
    stage_do_in(st, sd->proc, start_page, &p);
    stage_run_for(st, 5 * S);
    static const char *const want[] = {
        "# TYPE jobq_queue_messages gauge\n",
        "jobq_queue_messages{queue=\"" STAGE_QUEUE "\",state=\"visible\"} 4\n",
        "jobq_queue_messages{queue=\"" STAGE_QUEUE "\",state=\"in_flight\"} 4\n",
        "jobq_slots_busy{queue=\"" STAGE_QUEUE "\"} 4\n",
        "jobq_dead_letters{queue=\"" STAGE_QUEUE "\"} 0\n",
        "service=\"sqs\",action=\"ReceiveMessage\"} "};
    for (size_t i = 0; i < sizeof want / sizeof want[0]; i++)
        if (!metrics_hold(sd, want[i]))
            fail_msg("no '%s'", want[i]);
    assert_false(metrics_hold(sd, "\njobq_calls_failing{"));
    stage_fail(sd, JOBQ_ACT_SQS_GET_ATTRIBUTES, JOBQ_FAULT_BEFORE, 1, 1000,
               JOBQ_UNAVAILABLE);
    stage_run_for(st, 60 * S);
    assert_true(metrics_hold(sd, "\njobq_calls_failing{queue=\"" STAGE_QUEUE
                                 "\",action=\"GetQueueAttributes\"} 1\n"));
    assert_true(metrics_hold(sd, "code=\"unavailable\",text=\""));
    stage_free(st);
}

static void metrics_escape_what_came_from_outside(void **state)
{
    (void)state;
    struct status_view *view = xcalloc(1, sizeof *view);
    struct jobq_ledger *ledger = xcalloc(1, sizeof *ledger);
    struct health *health = xcalloc(1, sizeof *health);
    struct health_trouble *t = &health->action[JOBQ_ACT_SQS_RECEIVE];
    struct text out = {0};
    *t = (struct health_trouble){.failures = 3,
                                 .first_at_ns = S,
                                 .last_at_ns = 90 * S,
                                 .told_at_ns = 3 * S,
                                 .code = JOBQ_DENIED,
                                 .text = "no \"x\\y\"\n\xff} 1"};
    view->dead_letters = -1;
    page_metrics(view, ledger, health, 91 * S, &out);
    assert_non_null(
        strstr(out.ptr, "code=\"denied\",text=\"no \\\"x\\\\y\\\"??} 1\"} 1\n"));
    assert_non_null(strstr(out.ptr, "jobq_calls_failing_seconds{queue=\"\",action="
                                    "\"ReceiveMessage\"} 90\n"));
    /* What is not known has no sample; what last failed over a minute ago is no trouble. */
    assert_null(strstr(out.ptr, "\njobq_queue_messages{"));
    assert_null(strstr(out.ptr, "\njobq_dead_letters{"));
    text_clear(&out);
    page_metrics(view, ledger, health, 151 * S, &out);
    assert_null(strstr(out.ptr, "ReceiveMessage"));
    text_release(&out);
    free(health);
    free(ledger);
    free(view);
}

static void list_without_a_store(void)
{
    struct jobq_backend b = {0};
    struct status_list list;
    struct jobq_error err;
    struct arena arena;
    arena_init(&arena, 4096);
    status_list_start(&b, STAGE_QUEUE, -1, 1, &arena, &list, &err);
}

static void redrive_less_than_none(void)
{
    struct jobq_backend b = {0};
    struct jobq_error err;
    dead_redrive(&b, STAGE_QUEUE, -1, NULL, NULL, &err);
}

static void page_before_the_first(void)
{
    static const struct status_view view;
    struct text out = {0};
    page_boxes_html(&(struct page_look){.view = &view}, 0, &out);
}

/* In a child, because an assert ends the process; its message is not the test's. */
static void a_broken_contract_aborts(void **state)
{
    (void)state;
    static void (*const broken[])(void) = {list_without_a_store, redrive_less_than_none,
                                           page_before_the_first};
    for (size_t i = 0; i < sizeof broken / sizeof broken[0]; i++) {
        int status = 0;
        pid_t pid = fork();
        if (pid == 0) {
            signal(SIGABRT, SIG_DFL);
            signal(SIGSEGV, SIG_DFL);
            close(2);
            broken[i]();
            _exit(0);
        }
        assert_true(pid > 0 && waitpid(pid, &status, 0) == pid);
        assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
    }
}

/* A backlog of a long weekend and more: the page says so before the queue drops it. */
static void a_long_wait_is_said_before_the_retention_is_over(void **state)
{
    (void)state;
    struct status_view *view = xcalloc(1, sizeof *view);
    struct page_local *local = xcalloc(1, sizeof *local);
    for (int i = 0; i < 3; i++) {
        struct text html = {0};
        memset(view, 0, sizeof *view);
        view->depth_known = true;
        view->depth.retention_ns = i == 2 ? 0 : 14 * JOBQ_NS_PER_DAY;
        local->view.waited_ns = i == 0 ? 7 * JOBQ_NS_PER_DAY : 8 * JOBQ_NS_PER_DAY;
        page_html(&(struct page_look){.view = view, .local = local, .refresh_s = 15},
                  &html);
        assert_true((strstr(html.ptr, "Jobs wait for") != NULL) == (i == 1));
        text_release(&html);
    }
    free(view);
    free(local);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_long_wait_is_said_before_the_retention_is_over),
        cmocka_unit_test(the_view_sums_what_drainers_wrote),
        cmocka_unit_test(a_drainer_leaves_its_sums_behind),
        cmocka_unit_test(jobs_are_asked_for_and_listed),
        cmocka_unit_test(dead_letters_get_another_chance),
        cmocka_unit_test(a_long_scan_tells_each_letter_once),
        cmocka_unit_test(a_redrive_sends_each_job_once),
        cmocka_unit_test(an_old_letter_does_not_end_a_job),
        cmocka_unit_test(a_row_that_cannot_be_read_keeps_its_letter),
        cmocka_unit_test(rows_of_messages_that_sqs_moved_are_marked),
        cmocka_unit_test(the_page_escapes_and_stays_small),
        cmocka_unit_test(the_page_does_not_contradict_itself),
        cmocka_unit_test(every_box_is_listed),
        cmocka_unit_test(a_large_fleet_is_read_whole),
        cmocka_unit_test(texts_of_the_page),
        cmocka_unit_test(the_page_counts_in_words_that_fit),
        cmocka_unit_test(the_page_is_posted_and_refreshed),
        cmocka_unit_test(an_outage_is_told),
        cmocka_unit_test(a_broken_contract_aborts),
        cmocka_unit_test(metrics_tell_depth_requests_and_trouble),
        cmocka_unit_test(metrics_escape_what_came_from_outside),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
