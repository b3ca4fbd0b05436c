/* test_drain_options.c - an option of the drainer means what it says, 0 included.
 *
 * Room:     tests/unit. The product on the simulated ports; stage.h. */
#include "stage.h"

#include "base/text.h"
#include "fiber/fiber.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <string.h>

/* Work that ends only when it is killed, and notes when TERM and KILL come. */
struct stubborn {
    struct jobq_child port; /* first */
    struct stage_drainer *sd;
    int64_t term_at_ns, kill_at_ns;
};

static int stubborn_start(struct jobq_child *port, const struct jobq_work *work,
                          struct jobq_error *err)
{
    (void)port;
    (void)work;
    (void)err;
    return 0;
}

static int stubborn_wait(struct jobq_child *port, int handle, int64_t until_ns,
                         struct jobq_work_result *out, struct jobq_error *err)
{
    struct stubborn *child = (struct stubborn *)port;
    struct jobq_backend *b = child->sd->b;
    (void)handle;
    while (jobq_now(b) < child->kill_at_ns) {
        if (jobq_now(b) >= until_ns)
            return jobq_fail(err, JOBQ_TIMEOUT, "still running");
        fiber_sleep_until(b->sched, jobq_now(b) + S / 10);
    }
    *out = (struct jobq_work_result){
        .exit_code = 137, .killed = true, .progress_percent = -1};
    return JOBQ_OK;
}

static void stubborn_stop(struct jobq_child *port, int handle, int64_t grace_ns)
{
    struct stubborn *child = (struct stubborn *)port;
    (void)handle;
    if (child->term_at_ns)
        return;
    child->term_at_ns = jobq_now(child->sd->b);
    child->kill_at_ns = child->term_at_ns + grace_ns;
}

static const struct jobq_child_ops STUBBORN = {.name = "stubborn",
                                               .start = stubborn_start,
                                               .wait = stubborn_wait,
                                               .stop = stubborn_stop};

/* Starts a stubborn job and stops its drainer. Checks that all was given back in time. */
static struct stubborn stop_it(int64_t timeout_ns, int64_t grace_ns, int64_t *stop_at_ns)
{
    struct stage *st = stage_new("aws-2026", 30 * S);
    stage_enqueue(st, 1, "1000");
    struct stage_drainer *sd = stage_drain(st, 1);
    struct stubborn child = {.port.ops = &STUBBORN, .sd = sd, .kill_at_ns = JOBQ_FOREVER};
    sd->options.kill_grace_ns = grace_ns;
    sd->b->child = &child.port;
    stage_run_for(st, 5 * S);
    assert_int_equal(sd->started, 1);
    *stop_at_ns = kernel_now(st->k);
    drainer_stop(sd->d, *stop_at_ns + timeout_ns);
    stage_run_for(st, timeout_ns);
    assert_true(sd->returned);
    assert_int_equal(sd->code, JOBQ_OK);
    assert_int_equal(stage_state(st, 0), JOB_QUEUED);
    assert_int_equal(stage_depth(st, STAGE_QUEUE).visible, 1);
    stage_free(st);
    return child;
}

static void a_job_has_its_whole_grace_before_the_deadline(void **state)
{
    (void)state;
    int64_t stop_at_ns;
    struct stubborn child = stop_it(10 * S, 5 * S, &stop_at_ns);
    assert_int_equal(child.kill_at_ns - child.term_at_ns, 5 * S);
    /* The last quarter is for giving back. */
    assert_int_equal(child.kill_at_ns - stop_at_ns, 15 * S / 2);
}

static void a_grace_that_does_not_fit_begins_at_once(void **state)
{
    (void)state;
    int64_t stop_at_ns;
    struct stubborn child = stop_it(10 * S, 60 * S, &stop_at_ns);
    assert_int_equal(child.term_at_ns, stop_at_ns);
    assert_int_equal(child.kill_at_ns - stop_at_ns, 15 * S / 2);
}

static void no_grace_is_none(void **state)
{
    (void)state;
    int64_t stop_at_ns;
    struct stubborn child = stop_it(10 * S, 0, &stop_at_ns);
    assert_int_equal(child.kill_at_ns, child.term_at_ns);
}

static int fails_once(void *ctx, struct jobq_str job_id, int attempt)
{
    (void)ctx;
    (void)job_id;
    return attempt == 1;
}

static void no_retry_delay_is_none(void **state)
{
    (void)state;
    struct stage *st = stage_new("aws-2026", 30 * S);
    st->script = fails_once;
    stage_enqueue(st, 1, "1");
    struct stage_drainer *sd = stage_drain(st, 1);
    sd->options.retry_base_ns = 0;
    stage_run_for(st, 4 * S);
    assert_int_equal(stage_state(st, 0), JOB_DONE);
    assert_int_equal(stage_row(st, st->id[0]).attempt, 2);
    stage_free(st);
}

static void idle_exit_ends_a_drainer_when_it_says(void **state)
{
    (void)state;
    for (int jobs = 0; jobs < 2; jobs++) {
        struct stage *st = stage_new("aws-2026", 30 * S);
        if (jobs)
            stage_enqueue(st, 1, "1");
        struct stage_drainer *sd = stage_drain(st, 1);
        sd->options.idle_exit_ns = 5 * S;
        stage_run_for(st, 4 * S);
        assert_false(sd->returned);
        /* With a job: its second, a look of a second while its delete waits, the delete. */
        stage_run_for(st, jobs ? 5 * S : 2 * S);
        assert_true(sd->returned);
        assert_int_equal(sd->code, JOBQ_OK);
        stage_free(st);
    }
}

/* ---- exec jobs where there is no command ---------------------------------------------- */

static void enqueue_exec(void *ctx)
{
    struct stage *st = ctx;
    struct jobq_error err;
    const struct job_pair pair = {STR("kind"), STR("exec")};
    if (enqueuer_add(st->e, &pair, 1, st->id[st->jobs++], &err) != JOBQ_OK)
        fail_msg("%s", err.text);
}

static void exec_jobs_are_left_for_those_who_have_a_command(void **state)
{
    (void)state;
    struct stage *st = stage_new("aws-2026", 10 * S);
    for (int i = 0; i < 3; i++)
        stage_do(st, enqueue_exec, st);
    stage_enqueue(st, 2, "1");
    struct stage_drainer *sd = stage_drain(st, 1);
    sd->options.exec = false;
    stage_run_for(st, 60 * S);
    assert_false(sd->returned);
    assert_int_equal(stage_count(st, JOB_QUEUED), 3);
    assert_int_equal(stage_count(st, JOB_DONE), 2);
    assert_int_equal(sd->notices, 1);
    assert_non_null(strstr(sd->notice, "--exec"));
    assert_int_equal(stage_depth(st, STAGE_QUEUE "-dead").visible, 0);
    /* Hidden for longer each time: no spin. */
    assert_true(sd->ledger.action[JOBQ_ACT_SQS_RECEIVE].entries < 5 + 3 * 5);
    stage_kill(sd);
    stage_drain(st, 3);
    stage_run_for(st, 300 * S);
    assert_int_equal(stage_count(st, JOB_DONE), 5);
    assert_int_equal(stage_row(st, st->id[0]).attempt, 1);
    stage_free(st);
}

static void a_drainer_that_finds_nothing_but_exec_jobs_refuses(void **state)
{
    (void)state;
    struct stage *st = stage_new("aws-2026", 30 * S);
    for (int i = 0; i < 3; i++)
        stage_do(st, enqueue_exec, st);
    stage_enqueue(st, 2, "1");
    struct stage_drainer *sd = stage_drain(st, 1);
    sd->options.exec = false;
    sd->options.idle_exit_ns = 0;
    stage_run_for(st, 60 * S);
    assert_true(sd->returned);
    assert_int_equal(sd->code, JOBQ_INVALID);
    assert_non_null(strstr(sd->err.text, "3 exec jobs"));
    assert_int_equal(stage_count(st, JOB_QUEUED), 3);
    assert_int_equal(stage_count(st, JOB_DONE), 2);
    stage_free(st);
}

/* One exec job comes back again and again while another drainer works: its looks are not jobs. */
static void looks_at_one_exec_job_are_not_counted_as_jobs(void **state)
{
    (void)state;
    struct stage *st = stage_new("aws-2026", 10 * S);
    stage_enqueue(st, 4, "400");
    struct stage_drainer *busy = stage_drain(st, 4);
    busy->options.prefetch = 0;
    stage_run_for(st, 20 * S);
    stage_do(st, enqueue_exec, st);
    struct stage_drainer *sd = stage_drain(st, 1);
    sd->options.exec = false;
    sd->options.idle_exit_ns = 0;
    stage_run_for(st, 360 * S); /* looks after 0, 10, 30, 70, 150 and 310 s */
    assert_false(sd->returned);
    stage_run_for(st, 700 * S);
    assert_true(sd->returned || stage_count(st, JOB_DONE) == 5);
    stage_free(st);
}

/* ---- jobs of over 12 hours ------------------------------------------------------------ */

/* SQS hides a message for 12 hours in all; a job that is still running then would run twice
 * at once. */
static void a_job_ends_before_its_message_can_be_hidden_no_longer(void **state)
{
    (void)state;
    struct stage *st = stage_new("aws-2026", 3600 * S);
    stage_do(st, enqueue_exec, st);
    struct stage_drainer *sd = stage_drain(st, 1);
    struct stubborn child = {.port.ops = &STUBBORN, .sd = sd, .kill_at_ns = JOBQ_FOREVER};
    sd->b->child = &child.port;
    sd->options.max_attempts = 1;
    stage_run_for(st, 11 * 3600 * S);
    assert_int_equal(child.term_at_ns, 0);
    struct stage_drainer *other = stage_drain(st, 1);
    stage_run_for(st, 2 * 3600 * S);
    assert_in_range(child.term_at_ns, 12 * 3600 * S - 30 * S, 12 * 3600 * S);
    assert_int_equal(stage_state(st, 0), JOB_DEAD);
    assert_int_equal(sd->ended, 1);
    assert_int_equal(other->started, 0);
    assert_int_equal(sd->lost, 0);
    stage_free(st);
}

static void add_long(void *ctx)
{
    struct stage *st = ctx;
    struct jobq_error err;
    char id[JOB_ID_MAX + 1];
    const struct job_pair pair = {STR("seconds"), STR("43200")};
    assert_int_equal(enqueuer_add(st->e, &pair, 1, id, &err), JOBQ_LIMIT);
    assert_non_null(strstr(err.text, "12 h"));
}

static void a_sleep_that_no_drainer_could_end_is_refused(void **state)
{
    (void)state;
    struct stage *st = stage_new("aws-2026", 30 * S);
    stage_do(st, add_long, st);
    stage_free(st);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_job_has_its_whole_grace_before_the_deadline),
        cmocka_unit_test(a_grace_that_does_not_fit_begins_at_once),
        cmocka_unit_test(no_grace_is_none),
        cmocka_unit_test(no_retry_delay_is_none),
        cmocka_unit_test(idle_exit_ends_a_drainer_when_it_says),
        cmocka_unit_test(exec_jobs_are_left_for_those_who_have_a_command),
        cmocka_unit_test(a_job_ends_before_its_message_can_be_hidden_no_longer),
        cmocka_unit_test(a_sleep_that_no_drainer_could_end_is_refused),
        cmocka_unit_test(a_drainer_that_finds_nothing_but_exec_jobs_refuses),
        cmocka_unit_test(looks_at_one_exec_job_are_not_counted_as_jobs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
