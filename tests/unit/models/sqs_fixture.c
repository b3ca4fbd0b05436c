/* sqs_fixture.c - see sqs_fixture.h.
 *
 * Room:     tests.
 * Callers:  test_sqs*.c. */
#include "tests/unit/models/sqs_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

void open_model(struct fixture *f, const char *model)
{
    *f = (struct fixture){0};
    assert_int_equal(sqs_params_load(model, &f->params, &f->err), JOBQ_OK);
    f->s = sqs_new(&f->params);
    struct sqs_settings none = {0};
    assert_int_equal(sqs_create(f->s, 0, STR("q"), &none, &f->q, &f->err), SQS_OK);
}

int queue(struct fixture *f, const char *name, struct sqs_settings settings)
{
    int q = -1;
    enum sqs_fault fault = sqs_create(f->s, 0, str_of(name), &settings, &q, &f->err);
    if (fault != SQS_OK)
        fail_msg("create '%s': %s", name, f->err.text);
    return q;
}

uint64_t send_to(struct fixture *f, int q, int64_t now, const char *body)
{
    struct sqs_outgoing out = {.body = str_of(body), .delay_ns = SQS_DEFAULT};
    struct sqs_sent sent;
    enum sqs_fault fault = sqs_send(f->s, now, q, false, &out, 1, &sent, &f->err);
    if (fault != SQS_OK)
        fail_msg("send: %s", f->err.text);
    return sent.id;
}

uint64_t send_group(struct fixture *f, int q, int64_t now, const char *group,
                    const char *dedup, bool *duplicate)
{
    struct sqs_outgoing out = {.body = STR("body"),
                               .delay_ns = SQS_DEFAULT,
                               .group = str_of(group),
                               .dedup = str_of(dedup)};
    struct sqs_sent sent;
    enum sqs_fault fault = sqs_send(f->s, now, q, false, &out, 1, &sent, &f->err);
    if (fault != SQS_OK)
        fail_msg("send: %s", f->err.text);
    if (duplicate)
        *duplicate = sent.duplicate;
    return sent.id;
}

int receive_hide(struct fixture *f, int q, int64_t now, int max, int64_t hide)
{
    struct sqs_receive r = {.max = max, .wait_ns = 0, .visibility_ns = hide};
    enum sqs_fault fault = sqs_receive(f->s, now, U, q, &r, &f->got, &f->err);
    return fault == SQS_OK ? f->got.count : -(int)fault;
}

int receive_from(struct fixture *f, int q, int64_t now, int max)
{
    return receive_hide(f, q, now, max, SQS_DEFAULT);
}

bool wait_at(struct fixture *f, int q, int64_t now, int64_t wait, uint64_t cookie,
             int max)
{
    struct sqs_receive r = {
        .max = max, .wait_ns = wait, .visibility_ns = SQS_DEFAULT, .cookie = cookie};
    assert_int_equal(sqs_receive(f->s, now, U, q, &r, &f->got, &f->err), SQS_OK);
    return f->got.waiting;
}

enum sqs_fault delete_at(struct fixture *f, int q, int64_t now,
                         struct sqs_receipt receipt)
{
    enum sqs_fault result;
    assert_int_equal(sqs_delete(f->s, now, U, q, &receipt, 1, &result, &f->err), SQS_OK);
    return result;
}

enum sqs_fault hide_at(struct fixture *f, int q, int64_t now, struct sqs_receipt receipt,
                       int64_t hide)
{
    enum sqs_fault result;
    struct sqs_change change = {receipt, hide};
    assert_int_equal(sqs_change_visibility(f->s, now, q, &change, 1, &result, &f->err),
                     SQS_OK);
    return result;
}

struct sqs_queue_info info(struct fixture *f, int q, int64_t now)
{
    struct sqs_queue_info i;
    assert_int_equal(sqs_info(f->s, now, q, &i, &f->err), SQS_OK);
    return i;
}

struct sqs_stats stats(struct fixture *f, int q, int64_t now)
{
    struct sqs_stats st;
    assert_int_equal(sqs_stats(f->s, now, q, &st), SQS_OK);
    struct sqs_queue_info i = info(f, q, now);
    assert_int_equal(st.sent + st.moved_in, st.deleted + st.expired + st.purged +
                                                st.moved_out + i.visible + i.in_flight +
                                                i.delayed);
    return st;
}

void close_model(struct fixture *f)
{
    sqs_free(f->s);
}
