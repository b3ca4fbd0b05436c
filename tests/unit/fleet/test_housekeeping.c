/* test_housekeeping.c - facts about what keeps a fleet alive for years: old days go, lost
 * messages are sent, and one drainer does it. */
#include "stage.h"

#include "base/text.h"
#include "fleet/enqueue/queues.h"
#include "fleet/housekeeping/housekeeping.h"
#include "fleet/rows/rows.h"
#include "models/simpledb/simpledb.h"
#include "wire/simpledb/sdb_rows.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#define DAY JOBQ_NS_PER_DAY
#define HOUR JOBQ_NS_PER_HOUR

struct tables {
    int count, first_day, last_day;
};

/* Of days, as the store has them. */
static struct tables tables_now(struct stage *st)
{
    struct simpledb *db = world_simpledb(st->w);
    struct tables out = {0};
    for (int i = 0; i < simpledb_domain_count(db); i++) {
        struct jobq_table t;
        if (!simpledb_domain_exists(db, i) ||
            !sdb_domain_read(simpledb_domain_name(db, i), STR(STAGE_QUEUE), &t))
            continue;
        if (out.count == 0 || t.day < out.first_day)
            out.first_day = t.day;
        if (t.day > out.last_day)
            out.last_day = t.day;
        out.count++;
    }
    return out;
}

static struct housekeeping house_of(struct stage *st)
{
    return (struct housekeeping){.b = st->b,
                                 .queue_name = STR(STAGE_QUEUE),
                                 .queue = enqueuer_queue(st->e),
                                 .keep_ns = HOUSEKEEPING_KEEP_NS,
                                 .retention_ns = QUEUES_RETENTION_NS,
                                 .visibility_ns = 30 * S};
}

/* The unit that a long run is made of: a poll that waits its 20 s is most of the work. */
static struct stage_drainer *drain_slowly(struct stage *st)
{
    struct stage_drainer *sd = stage_drain(st, 10);
    sd->options.receives = 1;
    return sd;
}

static void a_drainer_drops_old_days(void **state)
{
    (void)state;
    struct stage *st = stage_new("aws-2026", 30 * S);
    struct stage_drainer *sd = drain_slowly(st);
    for (int day = 0; day < 40; day++) {
        stage_enqueue(st, 30, "0");
        stage_run_for(st, DAY);
        struct tables tables = tables_now(st);
        /* 21 days and today; the round after midnight may be an hour and a half away. */
        assert_true(tables.count <= 2 * 23);
        assert_true(tables.last_day - tables.first_day <= 22);
    }
    assert_true(tables_now(st).last_day - tables_now(st).first_day >= 20);
    assert_int_equal(sd->ended, 40 * 30);
    int64_t drops = stage_requests(st, JOBQ_ACT_SDB_DELETE_DOMAIN);
    assert_true(drops >= 2 * 17);
    stage_free(st);
}

struct work {
    struct stage *st;
    struct housekeeping h;
    struct housekeeping_done done;
    int code;
    struct jobq_error err;
};

static void prune(void *ctx)
{
    struct work *w = ctx;
    w->done = (struct housekeeping_done){0};
    w->code = housekeeping_prune(&w->h, &w->done, &w->err);
}

static void a_day_with_a_live_row_stays(void **state)
{
    (void)state;
    struct stage *st = stage_new("aws-2026", 30 * S);
    struct work w = {.st = st, .h = house_of(st)};
    stage_enqueue(st, 1, "0"); /* nobody drains */
    struct stage_drainer *sd = stage_drain(st, 1);
    sd->options.housekeeping_ns = JOBQ_FOREVER;
    stage_run_for(st, 60 * S);
    stage_kill(sd);
    stage_enqueue(st, 1, "0");
    assert_int_equal(tables_now(st).count, 2);
    stage_run_for(st, 21 * DAY); /* the day itself is not over 21 days ago */
    stage_do(st, prune, &w);
    assert_int_equal(w.done.dropped, 0);
    assert_int_equal(w.done.kept, 0);
    stage_run_for(st, DAY);
    w.h.dry_run = true;
    stage_do(st, prune, &w);
    assert_int_equal(w.code, JOBQ_OK);
    assert_int_equal(w.done.dropped, 1);
    assert_int_equal(w.done.kept, 1);
    assert_int_equal(tables_now(st).count, 2);
    w.h.dry_run = false;
    stage_do(st, prune, &w);
    assert_int_equal(w.done.dropped, 1);
    assert_int_equal(tables_now(st).count, 1);
    assert_true(stage_row(st, st->id[1]).exists);
    /* No message of it can exist any more: retention and 12 h later. */
    stage_run_for(st, 14 * DAY);
    stage_do(st, prune, &w);
    assert_int_equal(w.done.kept, 1);
    stage_run_for(st, 12 * HOUR);
    stage_do(st, prune, &w);
    assert_int_equal(w.done.kept, 0);
    assert_int_equal(w.done.dropped, 1);
    assert_int_equal(tables_now(st).count, 0);
    stage_free(st);
}

static void a_live_row_stays_where_messages_never_expire(void **state)
{
    (void)state;
    struct stage *st = stage_new("ideal", 30 * S);
    struct work w = {.st = st, .h = house_of(st)};
    w.h.retention_ns = 0;
    stage_enqueue(st, 1, "0");
    stage_run_for(st, 400 * DAY);
    stage_do(st, prune, &w);
    assert_int_equal(w.done.kept, 1);
    assert_int_equal(tables_now(st).count, 1);
    stage_free(st);
}

static void purge(void *ctx)
{
    struct work *w = ctx;
    w->code = jobq_queue_purge(w->st->b, w->h.queue, &w->err);
}

static void a_drainer_sends_what_has_no_message(void **state)
{
    (void)state;
    struct stage *st = stage_new("aws-2026", 30 * S);
    struct work w = {.st = st, .h = house_of(st)};
    stage_enqueue(st, 1, "0");
    stage_do(st, purge, &w); /* its message is gone, as if it had never been sent */
    assert_int_equal(w.code, JOBQ_OK);
    stage_run_for(st, 2 * JOBQ_NS_PER_MIN);
    struct stage_drainer *sd = stage_drain(st, 1);
    stage_run_for(st, 20 * JOBQ_NS_PER_MIN);
    assert_int_equal(stage_state(st, 0), JOB_QUEUED);
    stage_run_for(st, 45 * JOBQ_NS_PER_MIN);
    assert_int_equal(stage_state(st, 0), JOB_DONE);
    assert_int_equal(sd->notices, 1);
    assert_string_equal(sd->notice, "housekeeping: sent 1 missing message\n");
    /* Once: the hours that follow have nothing to do. */
    stage_run_for(st, 5 * HOUR);
    assert_int_equal(sd->notices, 1);
    stage_free(st);
}

static void repair(void *ctx)
{
    struct work *w = ctx;
    w->done = (struct housekeeping_done){0};
    w->code = housekeeping_repair(&w->h, 0, jobq_now(w->h.b), &w->done, &w->err);
}

/* A purge takes the messages of running jobs as well. An attempt that loses its message and its
 * box leaves a row that says running, which nobody would ever take over. */
static void a_running_row_without_message_runs_again(void **state)
{
    (void)state;
    struct stage *st = stage_new("aws-2026", 30 * S);
    struct work w = {.st = st, .h = house_of(st)};
    stage_enqueue(st, 1, "100");
    struct stage_drainer *sd = stage_drain(st, 1);
    stage_run_for(st, 10 * S);
    assert_int_equal(sd->started, 1);
    stage_kill(sd);
    stage_do(st, repair, &w); /* its message is in flight: that will bring it */
    assert_int_equal(w.code, JOBQ_TIMEOUT);
    assert_int_equal(stage_row(st, st->id[0]).state, JOB_RUNNING);
    stage_do(st, purge, &w);
    stage_run_for(st, 2 * 60 * S); /* until the queue's counts say so */
    stage_do(st, repair, &w);
    assert_int_equal(w.code, JOBQ_OK);
    assert_int_equal(w.done.sent, 1);
    assert_int_equal(stage_row(st, st->id[0]).state, JOB_QUEUED);
    assert_int_equal(stage_row(st, st->id[0]).attempt, 1);
    sd = stage_drain(st, 1);
    stage_run_for(st, 200 * S);
    assert_int_equal(stage_row(st, st->id[0]).state, JOB_DONE);
    assert_int_equal(stage_row(st, st->id[0]).attempt, 2);
    stage_free(st);
}

static void one_of_many_drainers_keeps_house(void **state)
{
    (void)state;
    struct stage *st = stage_new("aws-2026", 30 * S);
    stage_enqueue(st, 10, "0");
    for (int i = 0; i < 8; i++)
        drain_slowly(st);
    int64_t before = stage_requests(st, JOBQ_ACT_SDB_LIST_DOMAINS);
    stage_run_for(st, 24 * HOUR + 30 * JOBQ_NS_PER_MIN);
    int64_t lists = stage_requests(st, JOBQ_ACT_SDB_LIST_DOMAINS) - before;
    /* Two lists a round, of prune and of repair, and about one round an hour; one of each
     * drainer in its first half hour, because the queue is young. */
    assert_in_range(lists, 8 + 2 * 18, 8 + 2 * 25);
    /* An ask of each drainer an hour, and that one. */
    int64_t gets = stage_requests(st, JOBQ_ACT_SDB_GET);
    assert_true(gets <= 8 * 27);
    stage_free(st);
}

/* What jobq drain --once and --idle-exit are. */
static struct stage_drainer *drain_once(struct stage *st, int64_t idle_exit_ns)
{
    struct stage_drainer *sd = stage_drain(st, 10);
    sd->options.idle_exit_ns = idle_exit_ns;
    sd->options.stats_ns = JOBQ_FOREVER;
    stage_run_for(st, 10 * JOBQ_NS_PER_MIN);
    assert_true(sd->returned);
    assert_int_equal(sd->code, JOBQ_OK);
    return sd;
}

static void drainers_that_end_soon_keep_house(void **state)
{
    (void)state;
    struct stage *st = stage_new("aws-2026", 30 * S);
    stage_enqueue(st, 30, "0");
    drain_once(st, 0);
    /* A young queue: its tables are listed, no note is made. */
    assert_int_equal(stage_requests(st, JOBQ_ACT_SDB_LIST_DOMAINS), 1);
    assert_int_equal(stage_requests(st, JOBQ_ACT_SDB_CREATE_DOMAIN), 2);
    for (int day = 1; day <= 22; day += 21) {
        stage_run_for(st, (day == 1 ? 1 : 21) * DAY - 10 * JOBQ_NS_PER_MIN);
        stage_enqueue(st, 30, "0");
        int64_t lists = stage_requests(st, JOBQ_ACT_SDB_LIST_DOMAINS);
        drain_once(st, 0);
        /* Of prune and repair, and of the one that found no note. */
        lists = stage_requests(st, JOBQ_ACT_SDB_LIST_DOMAINS) - lists;
        assert_int_equal(lists, day == 1 ? 3 : 2);
    }
    struct tables tables = tables_now(st);
    assert_int_equal(tables.count, 2 * 2);
    assert_int_equal(tables.last_day - tables.first_day, 21);
    assert_int_equal(stage_requests(st, JOBQ_ACT_SDB_DELETE_DOMAIN), 2);
    /* Within the hour: a read and no more. With nothing to do, not even that. */
    struct jobq_ledger *ledger = &st->drainer[st->drainer_count - 1].ledger;
    for (int jobs = 30; jobs >= 0; jobs -= 30) {
        if (jobs)
            stage_enqueue(st, jobs, "0");
        ledger = &drain_once(st, 0)->ledger;
        assert_int_equal(ledger->action[JOBQ_ACT_SDB_GET].requests, jobs ? 1 : 0);
        assert_int_equal(ledger->action[JOBQ_ACT_SDB_LIST_DOMAINS].requests, 0);
        assert_int_equal(ledger->action[JOBQ_ACT_SDB_SELECT].requests, 0);
    }
    stage_free(st);
}

/* A row whose message was lost: sent by one that saw the queue empty for long enough, which
 * then runs it; by one that did not, if no message can be held for so long. */
static void drainers_that_end_soon_send_what_has_no_message(void **state)
{
    (void)state;
    static const struct {
        int64_t idle_exit_ns, age_ns;
        bool sent;
    } look[] = {
        {60 * S, 0, true}, {0, 13 * HOUR, true}, {0, 0, false}, {0, 2 * HOUR, false}};
    for (size_t i = 0; i < sizeof look / sizeof look[0]; i++) {
        struct stage *st = stage_new("aws-2026", 30 * S);
        struct work w = {.st = st, .h = house_of(st)};
        stage_enqueue(st, 1, "0");
        drain_once(st, 0);
        stage_run_for(st, DAY); /* now there is an earlier day */
        stage_enqueue(st, 1, "0");
        stage_do(st, purge, &w);
        stage_run_for(st, 2 * JOBQ_NS_PER_MIN + look[i].age_ns);
        stage_enqueue(st, 1, "0");
        struct stage_drainer *sd = drain_once(st, look[i].idle_exit_ns);
        assert_int_equal(stage_state(st, 1), look[i].sent ? JOB_DONE : JOB_QUEUED);
        assert_int_equal(sd->notices, look[i].sent ? 1 : 0);
        stage_free(st);
    }
}

static void a_store_that_does_not_answer_delays_the_end_little(void **state)
{
    (void)state;
    struct stage *st = stage_new("aws-2026", 30 * S);
    stage_enqueue(st, 1, "0");
    drain_once(st, 0);
    stage_run_for(st, DAY);
    stage_enqueue(st, 1, "0");
    struct stage_drainer *sd = stage_drain(st, 10);
    sd->options.idle_exit_ns = 0;
    stage_fail(sd, JOBQ_ACT_SDB_LIST_DOMAINS, JOBQ_FAULT_BEFORE, 1, 1000000,
               JOBQ_UNAVAILABLE);
    stage_run_for(st, 5 * S);
    assert_false(sd->returned);
    stage_run_for(st, 20 * S);
    assert_true(sd->returned);
    assert_int_equal(sd->code, JOBQ_OK);
    stage_free(st);
}

static void a_keep_that_is_too_short_is_refused(void **state)
{
    (void)state;
    struct stage *st = stage_new("aws-2026", 30 * S);
    struct stage_drainer *sd = stage_drain(st, 1);
    sd->options.keep_ns = 14 * DAY + 12 * HOUR;
    stage_run_for(st, S);
    assert_int_equal(sd->code, JOBQ_INVALID);
    assert_non_null(strstr(sd->err.text, "14.5d"));
    sd = stage_drain(st, 1);
    sd->options.keep_ns = 14 * DAY + 13 * HOUR;
    stage_run_for(st, S);
    assert_int_equal(sd->code, JOBQ_OK);
    stage_free(st);
}

static void remake(void *ctx)
{
    struct stage *st = ctx;
    struct jobq_error err;
    if (enqueuer_new(st->b, &st->enqueue, &st->e, &err) != JOBQ_OK)
        fail_msg("%s", err.text);
}

/* Messages that nobody receives expire, their rows go with their days. */
static void clients_alone_make_room(void **state)
{
    (void)state;
    static const int keep_days[] = {0, 60}; /* 0: the default, 21 */
    for (int i = 0; i < 2; i++) {
        struct stage *st = stage_new("aws-2026", 30 * S);
        st->enqueue.keep_ns = keep_days[i] * DAY;
        stage_do(st, remake, st);
        /* 125 days of two domains fill the account's 250. */
        for (int day = 0; day < 130; day++) {
            stage_enqueue(st, 30, "0"); /* asserts that all are acknowledged */
            stage_run_for(st, DAY);
        }
        assert_true(tables_now(st).count <= 250);
        /* 14.5 days more, because the rows are waiting, and those since the prune. */
        int days = tables_now(st).last_day - tables_now(st).first_day;
        assert_in_range(days, i ? 60 : 21, i ? 85 : 45);
        /* Only when it is full, and not for each domain. */
        assert_in_range(stage_requests(st, JOBQ_ACT_SDB_LIST_DOMAINS), 1, 6);
        stage_free(st);
    }
}

struct lines {
    struct stage *st;
    int count;
};

static void count_line(void *ctx, struct jobq_str drainer, struct jobq_str line)
{
    (void)drainer;
    (void)line;
    ((struct lines *)ctx)->count++;
}

static void count_lines(void *ctx)
{
    struct lines *l = ctx;
    struct jobq_error err;
    struct rows rows = {.b = l->st->b};
    l->count = 0;
    assert_int_equal(rows_drainers(&rows, STR(STAGE_QUEUE), STR("0"),
                                   fiber_proc_arena(world_fibers(l->st->client)),
                                   count_line, l, &err),
                     JOBQ_OK);
}

static void lines_of_drainers_long_gone_are_forgotten(void **state)
{
    (void)state;
    struct stage *st = stage_new("aws-2026", 30 * S);
    struct lines lines = {.st = st};
    for (int i = 0; i < 3; i++) {
        struct stage_drainer *sd = stage_drain(st, 1);
        sd->options.stats_ns = JOBQ_NS_PER_MIN;
        stage_enqueue(st, 1, "0");
        stage_run_for(st, 3 * JOBQ_NS_PER_MIN);
        stage_kill(sd);
    }
    stage_do(st, count_lines, &lines);
    assert_int_equal(lines.count, 3);
    stage_run_for(st, 22 * DAY);
    struct stage_drainer *sd = stage_drain(st, 1);
    sd->options.stats_ns = JOBQ_NS_PER_MIN;
    stage_enqueue(st, 1, "0");
    stage_run_for(st, 2 * HOUR);
    stage_do(st, count_lines, &lines);
    assert_int_equal(lines.count, 1);
    stage_free(st);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_drainer_drops_old_days),
        cmocka_unit_test(a_day_with_a_live_row_stays),
        cmocka_unit_test(a_live_row_stays_where_messages_never_expire),
        cmocka_unit_test(a_drainer_sends_what_has_no_message),
        cmocka_unit_test(a_running_row_without_message_runs_again),
        cmocka_unit_test(one_of_many_drainers_keeps_house),
        cmocka_unit_test(drainers_that_end_soon_keep_house),
        cmocka_unit_test(drainers_that_end_soon_send_what_has_no_message),
        cmocka_unit_test(a_store_that_does_not_answer_delays_the_end_little),
        cmocka_unit_test(a_keep_that_is_too_short_is_refused),
        cmocka_unit_test(clients_alone_make_room),
        cmocka_unit_test(lines_of_drainers_long_gone_are_forgotten),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
