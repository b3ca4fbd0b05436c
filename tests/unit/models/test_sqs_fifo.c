/* test_sqs_fifo.c - FIFO queues: groups, deduplication, their dead letters. Sources: SQS
 * developer guide, FIFO delivery logic and exactly-once processing. */
#include "tests/unit/models/sqs_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdio.h>

static int fifo_queue(struct fixture *f, const char *name, struct sqs_settings settings)
{
    settings.given |= SQS_SET_FIFO;
    settings.fifo = true;
    return queue(f, name, settings);
}

/* A message waits while an earlier one of its group is in flight, other groups do not; a
 * receive takes as many of a group as it can, in order. */
static void a_group_is_locked_in_order(void **state)
{
    (void)state;
    struct fixture f;
    open_model(&f, "aws-2026");
    int q = fifo_queue(&f, "q.fifo", (struct sqs_settings){0});
    uint64_t a1 = send_group(&f, q, 0, "a", "1", NULL);
    uint64_t a2 = send_group(&f, q, 0, "a", "2", NULL);
    uint64_t b1 = send_group(&f, q, 0, "b", "3", NULL);
    uint64_t a3 = send_group(&f, q, 0, "a", "4", NULL);
    assert_int_equal(receive_from(&f, q, 1 * S, 2), 2);
    assert_true(f.got.message[0].id == a1 && f.got.message[1].id == a2);
    struct sqs_receipt r1 = f.got.message[0].receipt, r2 = f.got.message[1].receipt;
    assert_int_equal(receive_from(&f, q, 1 * S, 10), 1);
    assert_true(f.got.message[0].id == b1);
    assert_int_equal(delete_at(&f, q, 2 * S, r1), SQS_OK);
    assert_int_equal(receive_from(&f, q, 2 * S, 10), 0);
    /* Given back: the group is free again, and in order. */
    assert_int_equal(hide_at(&f, q, 3 * S, r2, 0), SQS_OK);
    assert_int_equal(receive_from(&f, q, 3 * S, 10), 2);
    assert_true(f.got.message[0].id == a2 && f.got.message[1].id == a3);
    close_model(&f);
}

/* Recorded from AWS (localstack, test_fifo_group_visibility_extends_with_change_message_
 * visibility): of three in flight, that one is extended which `extended` says; when the
 * others' time is out, those before it come again. */
static void a_later_message_does_not_hold_an_earlier(void **state)
{
    (void)state;
    for (int extended = 0; extended < 3; extended++) {
        struct fixture f;
        uint64_t id[3];
        open_model(&f, "aws-2026");
        int q = fifo_queue(&f, "q.fifo", (struct sqs_settings){0});
        for (int i = 0; i < 3; i++)
            id[i] = send_group(&f, q, 0, "a", (const char *[]){"1", "2", "3"}[i], NULL);
        assert_int_equal(receive_hide(&f, q, 0, 10, 1 * S), 3);
        struct sqs_receipt receipt = f.got.message[extended].receipt;
        assert_int_equal(hide_at(&f, q, 0, receipt, 4 * S), SQS_OK);
        assert_int_equal(receive_from(&f, q, 2 * S, 10), extended);
        for (int i = 0; i < extended; i++)
            assert_true(f.got.message[i].id == id[i]);
        close_model(&f);
    }
}

/* The same suite, test_fifo_receive_message_with_zero_visibility_timeout: groups that were
 * received from come behind the others, though nothing was hidden. */
static void groups_take_turns(void **state)
{
    (void)state;
    static const char *const group[] = {"1", "2", "2", "3", "1"};
    static const int want[] = {3, 0, 4, 1, 2};
    struct fixture f;
    uint64_t id[5];
    open_model(&f, "aws-2026");
    int q = fifo_queue(&f, "q.fifo", (struct sqs_settings){0});
    for (int i = 0; i < 5; i++)
        id[i] = send_group(&f, q, 0, group[i],
                           (const char *[]){"a", "b", "c", "d", "e"}[i], NULL);
    assert_int_equal(receive_hide(&f, q, 0, 3, 0), 3);
    assert_int_equal(receive_hide(&f, q, 0, 10, 0), 5);
    for (int i = 0; i < 5; i++)
        assert_true(f.got.message[i].id == id[want[i]]);
    close_model(&f);
}

/* The same suite, test_purge_queue_clears_fifo_deduplication_cache. */
static void a_purge_forgets_what_was_sent(void **state)
{
    (void)state;
    struct fixture f;
    bool duplicate;
    open_model(&f, "aws-2026");
    int q = fifo_queue(&f, "q.fifo", (struct sqs_settings){0});
    int other = fifo_queue(&f, "other.fifo", (struct sqs_settings){0});
    send_group(&f, other, 0, "a", "x", NULL);
    send_group(&f, q, 0, "a", "x", NULL);
    send_group(&f, other, 0, "a", "y", NULL);
    assert_int_equal(sqs_purge(f.s, 0, q, &f.err), SQS_OK);
    send_group(&f, q, 0, "a", "x", &duplicate);
    assert_false(duplicate);
    send_group(&f, q, 0, "a", "x", &duplicate);
    assert_true(duplicate);
    send_group(&f, other, 0, "a", "y", &duplicate);
    assert_true(duplicate);
    close_model(&f);
}

/* A batch that lacks an id is refused whole (localstack, test_send_batch_missing_...). */
static void a_batch_without_ids_is_refused(void **state)
{
    (void)state;
    struct fixture f;
    open_model(&f, "aws-2026");
    int q = fifo_queue(&f, "q.fifo", (struct sqs_settings){0});
    struct sqs_outgoing out[2] = {
        {.body = STR("x"), .group = STR("g"), .dedup = STR("1"), .delay_ns = SQS_DEFAULT},
        {.body = STR("y"), .delay_ns = SQS_DEFAULT}};
    struct sqs_sent sent[2];
    assert_int_equal(sqs_send(f.s, 0, q, true, out, 2, sent, &f.err), SQS_BAD_PARAMETER);
    assert_string_equal(f.err.text,
                        "The request must contain the parameter MessageGroupId.");
    out[1].group = STR("g");
    assert_int_equal(sqs_send(f.s, 0, q, true, out, 2, sent, &f.err), SQS_BAD_PARAMETER);
    assert_int_equal(info(&f, q, 0).visible, 0);
    close_model(&f);
}

static void a_deleted_message_frees_its_group_for_a_waiter(void **state)
{
    (void)state;
    struct fixture f;
    struct sqs_grant grant;
    open_model(&f, "aws-2026");
    int q = fifo_queue(&f, "q.fifo", (struct sqs_settings){0});
    send_group(&f, q, 0, "a", "1", NULL);
    uint64_t next = send_group(&f, q, 0, "a", "2", NULL);
    assert_int_equal(receive_from(&f, q, 1 * S, 1), 1);
    assert_true(wait_at(&f, q, 1 * S, 20 * S, 9, 10));
    assert_int_equal(sqs_next_at(f.s), 21 * S);
    assert_false(sqs_take_grant(f.s, &grant));
    assert_int_equal(delete_at(&f, q, 2 * S, f.got.message[0].receipt), SQS_OK);
    assert_true(sqs_take_grant(f.s, &grant));
    assert_int_equal(grant.received.count, 1);
    assert_true(grant.received.message[0].id == next);
    close_model(&f);
}

/* Within 5 minutes the first message's id answers; the window begins at the first. */
static void deduplication_lasts_five_minutes(void **state)
{
    (void)state;
    struct fixture f;
    bool duplicate;
    open_model(&f, "aws-2026");
    int q = fifo_queue(&f, "q.fifo", (struct sqs_settings){0});
    int other = fifo_queue(&f, "other.fifo", (struct sqs_settings){0});
    uint64_t id = send_group(&f, q, 0, "a", "x", &duplicate);
    assert_false(duplicate);
    assert_int_equal(receive_from(&f, q, 1 * S, 1), 1);
    assert_int_equal(delete_at(&f, q, 1 * S, f.got.message[0].receipt), SQS_OK);
    assert_true(send_group(&f, q, 2 * S, "b", "x", &duplicate) == id && duplicate);
    send_group(&f, other, 2 * S, "a", "x", &duplicate);
    assert_false(duplicate);
    assert_true(send_group(&f, q, 300 * S - 1, "a", "x", &duplicate) == id && duplicate);
    assert_true(send_group(&f, q, 300 * S, "a", "x", &duplicate) != id && !duplicate);
    assert_int_equal(stats(&f, q, 300 * S).swallowed, 2);
    assert_int_equal(stats(&f, q, 300 * S).sent, 2);
    close_model(&f);
}

/* DeduplicationScope messageGroup: the same id in another group is another message. */
static void deduplication_may_be_by_group(void **state)
{
    (void)state;
    struct fixture f;
    bool duplicate;
    open_model(&f, "aws-2026");
    int q = fifo_queue(
        &f, "q.fifo",
        (struct sqs_settings){.given = SQS_SET_DEDUP_SCOPE | SQS_SET_THROUGHPUT,
                              .dedup_by_group = true,
                              .throughput_by_group = true});
    send_group(&f, q, 0, "a", "x", NULL);
    send_group(&f, q, 0, "b", "x", &duplicate);
    assert_false(duplicate);
    send_group(&f, q, 0, "b", "x", &duplicate);
    assert_true(duplicate);
    /* The parts of a key do not run together. */
    send_group(&f, q, 0, "ab", "c", NULL);
    send_group(&f, q, 0, "a", "bc", &duplicate);
    assert_false(duplicate);
    close_model(&f);
}

/* A scope that is set later is shown, and the one that the queue was made with goes on. */
static void the_scope_of_the_making_holds(void **state)
{
    (void)state;
    struct fixture f;
    bool duplicate;
    open_model(&f, "aws-2026");
    struct sqs_settings by_group = {.given = SQS_SET_DEDUP_SCOPE | SQS_SET_THROUGHPUT,
                                    .dedup_by_group = true,
                                    .throughput_by_group = true};
    int q = fifo_queue(&f, "q.fifo", (struct sqs_settings){0});
    int g = fifo_queue(&f, "g.fifo", by_group);
    assert_int_equal(sqs_set(f.s, 0, q, &by_group, &f.err), SQS_OK);
    assert_true(info(&f, q, 0).settings.dedup_by_group);
    send_group(&f, q, 0, "a", "x", NULL);
    send_group(&f, q, 0, "b", "x", &duplicate);
    assert_true(duplicate);
    by_group.dedup_by_group = by_group.throughput_by_group = false;
    assert_int_equal(sqs_set(f.s, 0, g, &by_group, &f.err), SQS_OK);
    send_group(&f, g, 0, "a", "x", NULL);
    send_group(&f, g, 0, "b", "x", &duplicate);
    assert_false(duplicate);
    close_model(&f);
}

static enum sqs_fault send_fault(struct fixture *f, int q, struct sqs_outgoing out)
{
    struct sqs_sent sent;
    return sqs_send(f->s, 0, q, false, &out, 1, &sent, &f->err);
}

/* SendMessage reference: what FIFO queues need and what they refuse. */
static void a_fifo_send_is_checked(void **state)
{
    (void)state;
    struct fixture f;
    open_model(&f, "aws-2026");
    int q = fifo_queue(&f, "q.fifo", (struct sqs_settings){0});
    struct sqs_outgoing out = {.body = STR("x"), .delay_ns = SQS_DEFAULT};
    assert_int_equal(send_fault(&f, q, out), SQS_MISSING_PARAMETER);
    assert_string_equal(f.err.text,
                        "The request must contain the parameter MessageGroupId.");
    out.group = STR("g");
    assert_int_equal(send_fault(&f, q, out), SQS_BAD_PARAMETER);
    assert_non_null(strstr(f.err.text, "ContentBasedDeduplication"));
    out.dedup = STR("d");
    assert_int_equal(send_fault(&f, q, out), SQS_OK);
    out.delay_ns = 5 * S;
    assert_int_equal(send_fault(&f, q, out), SQS_BAD_PARAMETER);
    out.delay_ns = SQS_DEFAULT;
    out.group = STR("two words");
    assert_int_equal(send_fault(&f, q, out), SQS_BAD_PARAMETER);
    char long_id[130];
    memset(long_id, 'x', sizeof long_id);
    out.group = (struct jobq_str){long_id, 129};
    assert_int_equal(send_fault(&f, q, out), SQS_BAD_PARAMETER);
    out.group.len = 128;
    out.dedup = STR("e");
    assert_int_equal(send_fault(&f, q, out), SQS_OK);
    assert_int_equal(receive_from(&f, q, 0, 10), 2);
    struct sqs_extra extra;
    sqs_extra_read(f.got.message[1].extra, &extra);
    assert_int_equal(extra.group.len, 128);
    assert_true(str_is(extra.dedup, "e"));
    close_model(&f);
}

/* Content-based deduplication; without the driver's hash the model makes its own. */
static void content_can_tell_duplicates(void **state)
{
    (void)state;
    struct fixture f;
    open_model(&f, "aws-2026");
    int q = fifo_queue(
        &f, "q.fifo",
        (struct sqs_settings){.given = SQS_SET_CONTENT_DEDUP, .content_dedup = true});
    struct sqs_outgoing out = {
        .body = STR("x"), .group = STR("g"), .delay_ns = SQS_DEFAULT};
    assert_int_equal(send_fault(&f, q, out), SQS_OK);
    assert_int_equal(send_fault(&f, q, out), SQS_OK);
    out.body = STR("y");
    assert_int_equal(send_fault(&f, q, out), SQS_OK);
    out.phantom_bytes = 5;
    assert_int_equal(send_fault(&f, q, out), SQS_OK);
    assert_int_equal(stats(&f, q, 0).sent, 3);
    close_model(&f);
}

/* A receipt that has run out deletes nothing in a FIFO queue, and says so; deleting twice
 * is fine. */
static void an_expired_receipt_is_refused(void **state)
{
    (void)state;
    struct fixture f;
    open_model(&f, "aws-2026");
    int q = fifo_queue(&f, "q.fifo", (struct sqs_settings){0});
    send_group(&f, q, 0, "a", "1", NULL);
    receive_from(&f, q, 0, 1);
    struct sqs_receipt r = f.got.message[0].receipt;
    assert_int_equal(delete_at(&f, q, 30 * S, r), SQS_RECEIPT_EXPIRED);
    assert_int_equal(info(&f, q, 30 * S).visible, 1);
    receive_from(&f, q, 30 * S, 1);
    r = f.got.message[0].receipt;
    assert_int_equal(delete_at(&f, q, 31 * S, r), SQS_OK);
    assert_int_equal(delete_at(&f, q, 31 * S, r), SQS_OK);
    close_model(&f);
}

/* Guide, dead-letter queue retention: in FIFO queues the time of sending starts anew. */
static void redrive_keeps_the_group(void **state)
{
    (void)state;
    struct fixture f;
    open_model(&f, "aws-2026");
    int dead = fifo_queue(&f, "dead.fifo", (struct sqs_settings){0});
    int q = fifo_queue(&f, "q.fifo",
                       (struct sqs_settings){.given = SQS_SET_REDRIVE,
                                             .redrive_queue = dead,
                                             .redrive_receives = 1});
    send_group(&f, q, 0, "a", "1", NULL);
    uint64_t second = send_group(&f, q, 0, "a", "2", NULL);
    assert_int_equal(receive_from(&f, q, 0, 1), 1);
    uint64_t first = f.got.message[0].id;
    assert_int_equal(receive_from(&f, q, 30 * S, 1), 1);
    assert_true(f.got.message[0].id == second);
    assert_int_equal(receive_from(&f, dead, 31 * S, 1), 1);
    assert_true(f.got.message[0].id == first);
    assert_int_equal(f.got.message[0].sent_at_ns, 30 * S);
    struct sqs_extra extra;
    sqs_extra_read(f.got.message[0].extra, &extra);
    assert_true(str_is(extra.group, "a"));
    stats(&f, q, 31 * S);
    close_model(&f);
}

/* A group lives as long as its messages: a million different ones take no more memory. */
static void groups_are_used_again(void **state)
{
    (void)state;
    struct fixture f;
    open_model(&f, "ideal");
    int q = fifo_queue(&f, "q.fifo", (struct sqs_settings){0});
    int64_t before = 0;
    for (int i = 0; i < 20000; i++) {
        char id[16];
        int64_t now = i * S; /* so that deduplication forgets too */
        snprintf(id, sizeof id, "%d", i);
        send_group(&f, q, now, id, id, NULL);
        assert_int_equal(receive_from(&f, q, now, 1), 1);
        delete_at(&f, q, now, f.got.message[0].receipt);
        if (i == 1000)
            before = sqs_memory_bytes(f.s);
    }
    assert_int_equal(sqs_memory_bytes(f.s), before);
    close_model(&f);
}

/* Quotas: 300 calls a second an action; high throughput (perMessageGroupId) lifts it. */
static void fifo_calls_are_throttled(void **state)
{
    (void)state;
    struct fixture f;
    open_model(&f, "aws-2026");
    f.params.fifo_throttle_per_s = 300;
    sqs_params_change(f.s, &f.params);
    int q = fifo_queue(&f, "q.fifo", (struct sqs_settings){0});
    int fast = fifo_queue(
        &f, "fast.fifo",
        (struct sqs_settings){.given = SQS_SET_DEDUP_SCOPE | SQS_SET_THROUGHPUT,
                              .dedup_by_group = true,
                              .throughput_by_group = true});
    struct sqs_outgoing out = {
        .body = STR("x"), .group = STR("g"), .dedup = STR("d"), .delay_ns = SQS_DEFAULT};
    struct sqs_sent sent;
    int taken[2] = {0, 0};
    for (int i = 0; i < 1000; i++) {
        int64_t now = i * JOBQ_NS_PER_MS;
        taken[0] += sqs_send(f.s, now, q, false, &out, 1, &sent, &f.err) == SQS_OK;
        taken[1] += sqs_send(f.s, now, fast, false, &out, 1, &sent, &f.err) == SQS_OK;
    }
    assert_int_equal(f.err.code, JOBQ_THROTTLED);
    /* The bucket's 300 and what came in during 0.999 s. */
    assert_int_equal(taken[0], 599);
    assert_int_equal(taken[1], 1000);
    assert_int_equal(stats(&f, q, S).throttled, 401);
    close_model(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_group_is_locked_in_order),
        cmocka_unit_test(a_later_message_does_not_hold_an_earlier),
        cmocka_unit_test(groups_take_turns),
        cmocka_unit_test(a_purge_forgets_what_was_sent),
        cmocka_unit_test(a_batch_without_ids_is_refused),
        cmocka_unit_test(a_deleted_message_frees_its_group_for_a_waiter),
        cmocka_unit_test(deduplication_lasts_five_minutes),
        cmocka_unit_test(deduplication_may_be_by_group),
        cmocka_unit_test(the_scope_of_the_making_holds),
        cmocka_unit_test(a_fifo_send_is_checked),
        cmocka_unit_test(content_can_tell_duplicates),
        cmocka_unit_test(an_expired_receipt_is_refused),
        cmocka_unit_test(redrive_keeps_the_group),
        cmocka_unit_test(groups_are_used_again),
        cmocka_unit_test(fifo_calls_are_throttled),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
