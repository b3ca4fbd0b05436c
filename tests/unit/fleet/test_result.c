/* test_result.c - what a job gave: kept with its end, cut with a flag, read when it is there. */
#include "stage.h"

#include "base/arena.h"
#include "base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <string.h>

/* ---- jobs of other kinds -------------------------------------------------------------------- */

struct errand {
    struct stage *st;
    const char *kind, *n;
    char id[JOB_ID_MAX + 1];
};

static void add_one(void *ctx)
{
    struct errand *e = ctx;
    struct jobq_error err;
    struct job_pair pair[2] = {{STR("kind"), str_of(e->kind)}, {STR("n"), STR("")}};
    struct enqueuer_job job = {.pair = pair, .pair_count = e->n ? 2 : 1};
    if (e->n)
        pair[1].value = str_of(e->n);
    if (enqueuer_add_many(e->st->e, &job, 1, &err) != 1)
        fail_msg("%s", err.text);
    memcpy(e->id, job.id, sizeof job.id);
}

static struct errand enqueued(struct stage *st, const char *kind, const char *n)
{
    struct errand e = {.st = st, .kind = kind, .n = n};
    stage_do(st, add_one, &e);
    return e;
}

/* ---- a command that prints ------------------------------------------------------------------- */

struct printer {
    struct jobq_child port; /* first */
    struct jobq_child *real;
    char byte;
    int32_t tail_bytes;
    int64_t printed_bytes;
};

static int printer_start(struct jobq_child *port, const struct jobq_work *work,
                         struct jobq_error *err)
{
    struct jobq_child *real = ((struct printer *)port)->real;
    return real->ops->start(real, work, err);
}

static int printer_wait(struct jobq_child *port, int handle, int64_t until_ns,
                        struct jobq_work_result *out, struct jobq_error *err)
{
    struct printer *p = (struct printer *)port;
    int code = p->real->ops->wait(p->real, handle, until_ns, out, err);
    if (code == JOBQ_OK && out->tail) {
        memset(out->tail, p->byte, (size_t)p->tail_bytes);
        out->tail_bytes = p->tail_bytes;
        out->printed_bytes = p->printed_bytes;
    }
    return code;
}

static void printer_stop(struct jobq_child *port, int handle, int64_t grace_ns)
{
    struct jobq_child *real = ((struct printer *)port)->real;
    real->ops->stop(real, handle, grace_ns);
}

static const struct jobq_child_ops PRINTER = {.name = "printer",
                                              .start = printer_start,
                                              .wait = printer_wait,
                                              .stop = printer_stop};

struct reading {
    struct stage *st;
    const char *id;
    int64_t wait_ns;
    bool rows_late;
    struct status_job job;
    int code;
    struct jobq_error err;
};

static void read_result(void *ctx)
{
    struct reading *r = ctx;
    r->code = status_result(r->st->b, str_of(r->id), r->wait_ns, r->rows_late, &r->job,
                            &r->err);
}

static struct status_job printed(char byte, int32_t tail_bytes, int64_t printed_bytes)
{
    struct stage *st = stage_new("aws-2026", 30 * S);
    struct stage_drainer *sd = stage_drain(st, 1);
    struct printer p = {.port.ops = &PRINTER,
                        .real = sd->b->child,
                        .byte = byte,
                        .tail_bytes = tail_bytes,
                        .printed_bytes = printed_bytes};
    sd->b->child = &p.port;
    struct errand e = enqueued(st, "exec", NULL);
    struct reading r = {.st = st, .id = e.id, .wait_ns = 20 * S};
    stage_do(st, read_result, &r);
    assert_int_equal(r.code, JOBQ_OK);
    assert_int_equal(r.job.state, JOB_DONE);
    stage_free(st);
    return r.job;
}

static void output_that_fits_is_whole(void **state)
{
    (void)state;
    struct status_job job = printed('x', 4000, 4000);
    assert_int_equal(job.tail_bytes, 4000);
    assert_int_equal(job.printed_bytes, 4000);
}

static void longer_output_is_cut_and_says_so(void **state)
{
    (void)state;
    struct status_job job = printed('x', JOBQ_OUTPUT_TAIL, 123456);
    assert_true(job.tail_bytes > 4000);
    assert_int_equal(job.printed_bytes, 123456);
    /* Also where the row's escapes take the room. */
    job = printed('%', 4000, 4000);
    assert_in_range(job.tail_bytes, 1300, 1400);
    for (int i = 0; i < job.tail_bytes; i++)
        assert_int_equal(job.tail[i], '%'); /* no escape is parted */
    assert_int_equal(job.printed_bytes, 4000);
}

static void a_count_of_primes_is_its_result(void **state)
{
    (void)state;
    struct stage *st = stage_new("aws-2026", 30 * S);
    stage_drain(st, 1);
    struct errand e = enqueued(st, "primes", "1000");
    struct reading r = {.st = st, .id = e.id, .wait_ns = 20 * S};
    stage_do(st, read_result, &r);
    assert_int_equal(r.code, JOBQ_OK);
    assert_string_equal(r.job.tail, "168\n");
    stage_free(st);
}

/* ---- waiting ----------------------------------------------------------------------------------- */

static void a_result_is_waited_for_with_few_looks(void **state)
{
    (void)state;
    struct stage *st = stage_new("aws-2026", 30 * S);
    stage_enqueue(st, 1, "100");
    stage_drain(st, 1);
    int64_t began_ns = kernel_now(st->k),
            reads = st->ledger.action[JOBQ_ACT_SDB_GET].requests;
    struct reading r = {.st = st, .id = st->id[0], .wait_ns = 600 * S};
    stage_do(st, read_result, &r);
    assert_int_equal(r.code, JOBQ_OK);
    assert_int_equal(r.job.state, JOB_DONE);
    int64_t took_ns = kernel_now(st->k) - began_ns;
    assert_true(took_ns >= 100 * S && took_ns < 117 * S);
    reads = st->ledger.action[JOBQ_ACT_SDB_GET].requests - reads;
    assert_in_range(reads, 8, 16);
    stage_free(st);
}

static void a_job_that_has_not_ended_has_no_result(void **state)
{
    (void)state;
    struct stage *st = stage_new("aws-2026", 30 * S);
    stage_enqueue(st, 1, "100");
    stage_drain(st, 1);
    stage_run_for(st, 5 * S);
    for (int waits = 0; waits < 2; waits++) {
        int64_t began_ns = kernel_now(st->k);
        struct reading r = {.st = st, .id = st->id[0], .wait_ns = waits * 3 * S};
        stage_do(st, read_result, &r);
        assert_int_equal(r.code, JOBQ_TIMEOUT);
        assert_string_equal(r.err.text, "job has not ended: it is running");
        int64_t took_ns = kernel_now(st->k) - began_ns;
        assert_true(took_ns >= waits * 3 * S && took_ns < (waits * 3 + 1) * S);
    }
    stage_free(st);
}

/* Where a claim or an end makes it. */
static void a_row_may_come_late(void **state)
{
    (void)state;
    struct stage *st = stage_new("aws-2026", 30 * S);
    stage_enqueue(st, 1, "1");
    char unknown[JOB_ID_MAX + 1];
    memcpy(unknown, st->id[0], sizeof unknown);
    char *last = unknown + strlen(unknown) - 1;
    *last = *last == '0' ? '1' : '0';
    for (int late = 0; late < 2; late++) {
        int64_t began_ns = kernel_now(st->k);
        struct reading r = {
            .st = st, .id = unknown, .wait_ns = 10 * S, .rows_late = late};
        stage_do(st, read_result, &r);
        assert_int_equal(r.code, JOBQ_NOT_FOUND);
        assert_int_equal((kernel_now(st->k) - began_ns) / (10 * S), late);
    }
    stage_free(st);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(output_that_fits_is_whole),
        cmocka_unit_test(longer_output_is_cut_and_says_so),
        cmocka_unit_test(a_count_of_primes_is_its_result),
        cmocka_unit_test(a_result_is_waited_for_with_few_looks),
        cmocka_unit_test(a_job_that_has_not_ended_has_no_result),
        cmocka_unit_test(a_row_may_come_late),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
