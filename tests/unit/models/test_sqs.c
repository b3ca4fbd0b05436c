/* test_sqs.c - the documented semantics of SQS, one by one, with their sources. */
#include "tests/unit/models/sqs_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

/* ---- visibility --------------------------------------------------------------------------- */

/* Developer guide, visibility timeout: default 30 s, hidden while in flight, back after. */
static void a_message_hides_and_comes_back(void **state)
{
    (void)state;
    struct fixture f;
    open_model(&f, "ideal");
    uint64_t id = send_to(&f, f.q, 0, "a");
    assert_int_equal(receive_from(&f, f.q, 1 * S, 10), 1);
    assert_true(f.got.message[0].id == id);
    assert_true(str_is(f.got.message[0].body, "a"));
    assert_int_equal(f.got.message[0].receive_count, 1);
    assert_int_equal(f.got.message[0].first_received_at_ns, 1 * S);
    struct sqs_receipt first = f.got.message[0].receipt;
    assert_int_equal(receive_from(&f, f.q, 31 * S - 1, 10), 0);
    assert_int_equal(info(&f, f.q, 31 * S - 1).in_flight, 1);
    assert_int_equal(info(&f, f.q, 31 * S).visible, 1);
    assert_int_equal(receive_from(&f, f.q, 31 * S, 10), 1);
    assert_int_equal(f.got.message[0].receive_count, 2);
    assert_int_equal(f.got.message[0].first_received_at_ns, 1 * S);
    /* A new receipt for each receive. */
    assert_true(f.got.message[0].receipt.bits != first.bits);
    close_model(&f);
}

/* A driver's mark is its message's: not that of whoever had the memory before. */
static void a_mark_comes_with_each_receive(void **state)
{
    (void)state;
    struct fixture f;
    open_model(&f, "ideal");
    struct sqs_outgoing out = {.body = STR("a"), .delay_ns = SQS_DEFAULT, .mark = 255};
    struct sqs_sent sent;
    assert_int_equal(sqs_send(f.s, 0, f.q, false, &out, 1, &sent, &f.err), SQS_OK);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(receive_from(&f, f.q, 31 * i * S, 10), 1);
        assert_int_equal(f.got.message[0].mark, 255);
    }
    delete_at(&f, f.q, 32 * S, f.got.message[0].receipt);
    send_to(&f, f.q, 33 * S, "a");
    assert_int_equal(receive_from(&f, f.q, 33 * S, 10), 1);
    assert_int_equal(f.got.message[0].mark, 0);
    close_model(&f);
}

/* DeleteMessage reference; JustSaying#1584: an old receipt says success, deletes nothing.
 * ChangeMessageVisibility with it is refused (taskq#29). */
static void an_old_receipt_owns_nothing(void **state)
{
    (void)state;
    struct fixture f;
    open_model(&f, "ideal");
    send_to(&f, f.q, 0, "a");
    receive_from(&f, f.q, 0, 1);
    struct sqs_receipt old = f.got.message[0].receipt;
    receive_from(&f, f.q, 30 * S, 1);
    struct sqs_receipt new = f.got.message[0].receipt;
    assert_int_equal(delete_at(&f, f.q, 31 * S, old), SQS_OK);
    assert_int_equal(stats(&f, f.q, 31 * S).silent_deletes, 1);
    assert_int_equal(info(&f, f.q, 31 * S).in_flight, 1);
    /* A superseded receipt: success, and nothing changes. */
    assert_int_equal(hide_at(&f, f.q, 31 * S, old, 0), SQS_OK);
    assert_int_equal(info(&f, f.q, 31 * S).in_flight, 1);
    assert_int_equal(stats(&f, f.q, 31 * S).silent_changes, 1);
    f.params.stale_change_fails = true;
    sqs_params_change(f.s, &f.params);
    assert_int_equal(hide_at(&f, f.q, 31 * S, old, 60 * S), SQS_NOT_AVAILABLE);
    f.params.stale_change_fails = false;
    sqs_params_change(f.s, &f.params);
    assert_int_equal(hide_at(&f, f.q, 31 * S, new, 60 * S), SQS_OK);
    assert_int_equal(delete_at(&f, f.q, 32 * S, new), SQS_OK);
    assert_int_equal(stats(&f, f.q, 32 * S).deleted, 1);
    assert_int_equal(hide_at(&f, f.q, 33 * S, new, 60 * S), SQS_NOT_AVAILABLE);
    assert_int_equal(delete_at(&f, f.q, 33 * S, new), SQS_OK);
    /* Receipts of a deleted message stay refused, also when its slot holds another one. */
    send_to(&f, f.q, 34 * S, "b");
    receive_from(&f, f.q, 34 * S, 1);
    assert_int_equal(hide_at(&f, f.q, 34 * S, old, 60 * S), SQS_NOT_AVAILABLE);
    assert_int_equal(hide_at(&f, f.q, 34 * S, new, 60 * S), SQS_NOT_AVAILABLE);
    assert_int_equal(hide_at(&f, f.q, 34 * S, f.got.message[0].receipt, 60 * S), SQS_OK);
    close_model(&f);
}

/* A timed-out message that nobody received again is still hidden and deleted by its last
 * receipt. */
static void a_lapsed_receipt_still_owns(void **state)
{
    (void)state;
    struct fixture f;
    open_model(&f, "ideal");
    send_to(&f, f.q, 0, "a");
    receive_from(&f, f.q, 0, 1);
    assert_int_equal(info(&f, f.q, 30 * S).visible, 1);
    assert_int_equal(hide_at(&f, f.q, 30 * S, f.got.message[0].receipt, 5 * S), SQS_OK);
    assert_int_equal(info(&f, f.q, 34 * S).in_flight, 1);
    assert_int_equal(info(&f, f.q, 35 * S).visible, 1);
    assert_int_equal(delete_at(&f, f.q, 40 * S, f.got.message[0].receipt), SQS_OK);
    assert_int_equal(info(&f, f.q, 40 * S).visible, 0);
    assert_int_equal(stats(&f, f.q, 40 * S).deleted, 1);
    close_model(&f);
}

/* ChangeMessageVisibility reference: 0 gives back, counts from now, 12 h in all. */
static void visibility_is_bounded_from_the_receive(void **state)
{
    (void)state;
    struct fixture f;
    open_model(&f, "aws-2026");
    f.params.reorder_rate = 0;
    f.params.short_poll_servers = 0;
    sqs_params_change(f.s, &f.params);
    send_to(&f, f.q, 0, "a");
    receive_from(&f, f.q, 0, 1);
    struct sqs_receipt r = f.got.message[0].receipt;
    assert_int_equal(hide_at(&f, f.q, 10 * S, r, 43200 * S + 1), SQS_BAD_PARAMETER);
    assert_int_equal(hide_at(&f, f.q, 10 * S, r, -1), SQS_BAD_PARAMETER);
    assert_int_equal(hide_at(&f, f.q, 10 * S, r, 43190 * S), SQS_OK);
    assert_int_equal(hide_at(&f, f.q, 20 * S, r, 43181 * S), SQS_VISIBILITY_TOTAL);
    assert_int_equal(hide_at(&f, f.q, 43199 * S, r, 1 * S), SQS_OK);
    assert_int_equal(info(&f, f.q, 43200 * S).visible, 1);
    assert_int_equal(receive_from(&f, f.q, 43200 * S, 1), 1);
    assert_int_equal(hide_at(&f, f.q, 43201 * S, f.got.message[0].receipt, 0), SQS_OK);
    assert_int_equal(info(&f, f.q, 43201 * S).visible, 1);
    close_model(&f);
}

/* ReceiveMessage reference: VisibilityTimeout 0..43200 of one receive. */
static void a_receive_chooses_its_own_timeout(void **state)
{
    (void)state;
    struct fixture f;
    open_model(&f, "ideal");
    static const int64_t hide[] = {50 * S, 10 * S, 30 * S, 20 * S, 0, 40 * S, 10 * S};
    for (int i = 0; i < 7; i++) {
        char body[2] = {(char)('a' + i), 0};
        send_to(&f, f.q, 0, body);
    }
    for (int i = 0; i < 7; i++) {
        /* The one with 0 comes again, first of all. */
        assert_int_equal(receive_hide(&f, f.q, 0, 1, i < 5 ? hide[i] : 60 * S), 1);
        assert_int_equal(f.got.message[0].body.ptr[0], i < 5 ? 'a' + i : 'a' + i - 1);
        if (i == 5)
            assert_int_equal(f.got.message[0].receive_count, 2);
    }
    assert_int_equal(info(&f, f.q, 10 * S).visible, 2); /* b and g */
    assert_int_equal(info(&f, f.q, 20 * S).visible, 3);
    assert_int_equal(info(&f, f.q, 30 * S).visible, 4);
    assert_int_equal(info(&f, f.q, 50 * S).visible, 5);
    assert_int_equal(info(&f, f.q, 60 * S).visible, 7);
    /* By age, whatever the order in which they came back. */
    assert_int_equal(receive_from(&f, f.q, 60 * S, 10), 7);
    for (int i = 0; i < 7; i++)
        assert_int_equal(f.got.message[i].body.ptr[0], 'a' + i);
    close_model(&f);
}

/* ---- waiting -------------------------------------------------------------------------------- */

/* Developer guide, long polling: ends as soon as a message is there, or empty in time. */
static void a_long_poll_wakes_on_arrival(void **state)
{
    (void)state;
    struct fixture f;
    struct sqs_grant grant;
    open_model(&f, "ideal");
    assert_true(wait_at(&f, f.q, 0, 20 * S, 7, 10));
    assert_true(wait_at(&f, f.q, 0, 5 * S, 8, 10));
    assert_int_equal(sqs_next_at(f.s), 5 * S);
    sqs_advance(f.s, 5 * S);
    assert_true(sqs_take_grant(f.s, &grant));
    assert_int_equal(grant.cookie, 8);
    assert_int_equal(grant.received.count, 0);
    assert_false(sqs_take_grant(f.s, &grant));
    send_to(&f, f.q, 6 * S, "a");
    assert_true(sqs_take_grant(f.s, &grant));
    assert_int_equal(grant.cookie, 7);
    assert_int_equal(grant.received.count, 1);
    assert_int_equal(grant.received.message[0].received_at_ns, 6 * S);
    assert_int_equal(sqs_next_at(f.s), JOBQ_FOREVER);
    /* Both calls ended, one of them empty. */
    assert_int_equal(stats(&f, f.q, 6 * S).receives, 2);
    assert_int_equal(stats(&f, f.q, 6 * S).empty_receives, 1);
    close_model(&f);
}

/* elasticmq#80: the end of a delay wakes a poll; so does the end of a visibility timeout.
 * Driven late, each poll still sees only what was there before its own end. */
static void time_alone_wakes_a_poll(void **state)
{
    (void)state;
    struct fixture f;
    struct sqs_grant grant;
    open_model(&f, "ideal");
    struct sqs_outgoing late = {.body = STR("late"), .delay_ns = 10 * S};
    struct sqs_sent sent;
    send_to(&f, f.q, 0, "first");
    assert_int_equal(receive_hide(&f, f.q, 0, 1, 4 * S), 1);
    assert_int_equal(sqs_send(f.s, 0, f.q, false, &late, 1, &sent, &f.err), SQS_OK);
    assert_true(wait_at(&f, f.q, 1 * S, 2 * S, 1, 10));  /* ends at 3 s, empty */
    assert_true(wait_at(&f, f.q, 1 * S, 20 * S, 2, 10)); /* gets "first" at 4 s */
    assert_true(wait_at(&f, f.q, 1 * S, 20 * S, 3, 10)); /* gets "late" at 10 s */
    assert_int_equal(info(&f, f.q, 1 * S).delayed, 1);
    sqs_advance(f.s, 15 * S);
    static const struct {
        uint64_t cookie;
        const char *body;
        int64_t at;
    } want[] = {{1, NULL, 0}, {2, "first", 4 * S}, {3, "late", 10 * S}};
    for (int i = 0; i < 3; i++) {
        assert_true(sqs_take_grant(f.s, &grant));
        assert_true(grant.cookie == want[i].cookie);
        assert_int_equal(grant.received.count, want[i].body ? 1 : 0);
        if (want[i].body) {
            assert_true(str_is(grant.received.message[0].body, want[i].body));
            assert_int_equal(grant.received.message[0].received_at_ns, want[i].at);
        }
    }
    assert_false(sqs_take_grant(f.s, &grant));
    close_model(&f);
}

static void a_wait_can_be_cancelled(void **state)
{
    (void)state;
    struct fixture f;
    struct sqs_grant grant;
    open_model(&f, "ideal");
    wait_at(&f, f.q, 0, 20 * S, 1, 10);
    wait_at(&f, f.q, 0, 20 * S, 2, 10);
    assert_int_equal(sqs_cancel(f.s, 1), SQS_CANCELLED);
    assert_int_equal(sqs_cancel(f.s, 1), SQS_UNKNOWN);
    send_to(&f, f.q, 1 * S, "a");
    assert_int_equal(sqs_cancel(f.s, 2), SQS_GRANTED);
    assert_true(sqs_take_grant(f.s, &grant));
    assert_int_equal(grant.cookie, 2);
    assert_int_equal(grant.received.count, 1);
    /* A message that is gone before its grant is taken is left out. */
    wait_at(&f, f.q, 1 * S, 20 * S, 3, 10);
    send_to(&f, f.q, 2 * S, "b");
    sqs_purge(f.s, 2 * S, f.q, &f.err);
    assert_true(sqs_take_grant(f.s, &grant));
    assert_int_equal(grant.received.count, 0);
    close_model(&f);
}

static void waiters_share_a_batch_in_their_order(void **state)
{
    (void)state;
    struct fixture f;
    struct sqs_grant grant;
    open_model(&f, "ideal");
    wait_at(&f, f.q, 0, 20 * S, 1, 2);
    wait_at(&f, f.q, 0, 20 * S, 2, 10);
    wait_at(&f, f.q, 0, 20 * S, 3, 10);
    struct sqs_outgoing out[5];
    struct sqs_sent sent[5];
    for (int i = 0; i < 5; i++)
        out[i] = (struct sqs_outgoing){.body = STR("x"), .delay_ns = SQS_DEFAULT};
    assert_int_equal(sqs_send(f.s, 1 * S, f.q, true, out, 5, sent, &f.err), SQS_OK);
    assert_true(sqs_take_grant(f.s, &grant));
    assert_int_equal(grant.received.count, 2);
    assert_true(grant.received.message[0].id == sent[0].id);
    assert_true(grant.received.message[1].id == sent[1].id);
    assert_true(sqs_take_grant(f.s, &grant));
    assert_int_equal(grant.cookie, 2);
    assert_int_equal(grant.received.count, 3);
    assert_true(grant.received.message[2].id == sent[4].id);
    assert_false(sqs_take_grant(f.s, &grant));
    close_model(&f);
}

/* The next message goes to any of those that wait, evenly, whether they came early or late. */
static void any_waiter_is_as_likely(void **state)
{
    (void)state;
    enum { POLLS = 5, ROUNDS = 4000 };
    int served[POLLS] = {0};
    struct fixture f;
    open_model(&f, "ideal");
    f.params.any_waiter = true;
    sqs_params_change(f.s, &f.params);
    for (int round = 0; round < ROUNDS; round++) {
        int64_t now = round * 100 * S;
        for (int i = 0; i < POLLS; i++) {
            struct sqs_receive poll = {.max = 1,
                                       .wait_ns = 20 * S,
                                       .visibility_ns = SQS_DEFAULT,
                                       .cookie = (uint64_t)i};
            double u = (round * POLLS + i + 0.5) / (ROUNDS * POLLS);
            assert_int_equal(sqs_receive(f.s, now + i, u, f.q, &poll, &f.got, &f.err),
                             SQS_OK);
            assert_true(f.got.waiting);
        }
        for (int i = 0; i < 2; i++) { /* the second of two goes to any of the rest */
            struct sqs_outgoing out = {.body = STR("x"), .delay_ns = SQS_DEFAULT};
            struct sqs_sent sent;
            struct sqs_grant grant;
            assert_int_equal(sqs_send(f.s, now + S, f.q, false, &out, 1, &sent, &f.err),
                             SQS_OK);
            assert_true(sqs_take_grant(f.s, &grant));
            served[grant.cookie] += i;
            delete_at(&f, f.q, now + S, grant.received.message[0].receipt);
        }
        for (int i = 0; i < POLLS; i++)
            sqs_cancel(f.s, (uint64_t)i);
    }
    double chi2 = 0, expected = (double)ROUNDS / POLLS;
    for (int i = 0; i < POLLS; i++)
        chi2 += (served[i] - expected) * (served[i] - expected) / expected;
    assert_true(chi2 < 18.5); /* 4 degrees of freedom: one in a thousand is above */
    close_model(&f);
}

/* ---- limits --------------------------------------------------------------------------------- */

/* Quotas: 1 MiB a message and a batch since 2025-08; 64 KiB in 2012. */
static void sizes_are_limited_by_era(void **state)
{
    (void)state;
    static const struct {
        const char *model;
        int64_t bytes;
    } era[] = {{"aws-2026", 1048576}, {"aws-2012", 65536}};
    for (int i = 0; i < 2; i++) {
        struct fixture f;
        open_model(&f, era[i].model);
        struct sqs_outgoing out[2] = {{.body = STR("x"),
                                       .phantom_bytes = era[i].bytes - 1,
                                       .delay_ns = SQS_DEFAULT},
                                      {.body = STR("x"), .delay_ns = SQS_DEFAULT}};
        struct sqs_sent sent[2];
        assert_int_equal(sqs_send(f.s, 0, f.q, false, out, 1, sent, &f.err), SQS_OK);
        assert_int_equal(sqs_send(f.s, 0, f.q, true, out, 2, sent, &f.err),
                         SQS_BATCH_TOO_LONG);
        out[0].phantom_bytes++;
        assert_int_equal(sqs_send(f.s, 0, f.q, false, out, 1, sent, &f.err),
                         SQS_TOO_LONG);
        assert_int_equal(f.err.code, JOBQ_LIMIT);
        if (i == 0)
            assert_string_equal(f.err.text,
                                "One or more parameters are invalid. Reason: "
                                "Message must be shorter than 1048576 bytes.");
        assert_int_equal(info(&f, f.q, 0).visible, 1);
        assert_int_equal(receive_from(&f, f.q, 0, 10) <= 1, true);
        close_model(&f);
    }
    struct fixture f;
    open_model(&f, "ideal");
    struct sqs_outgoing big = {.phantom_bytes = 1 << 30, .delay_ns = SQS_DEFAULT};
    struct sqs_sent sent;
    assert_int_equal(sqs_send(f.s, 0, f.q, false, &big, 1, &sent, &f.err), SQS_OK);
    close_model(&f);
}

/* SendMessageBatch reference: single entries fail; 1 to 10 of them. */
static void a_batch_fails_by_entry(void **state)
{
    (void)state;
    struct fixture f;
    open_model(&f, "aws-2026");
    struct sqs_outgoing out[11];
    struct sqs_sent sent[11];
    for (int i = 0; i < 11; i++)
        out[i] = (struct sqs_outgoing){.body = STR("x"), .delay_ns = SQS_DEFAULT};
    out[1].delay_ns = 901 * S;
    out[2].body.len = 0;
    out[3].dedup = STR("d");    /* not of a standard queue */
    out[4].group = STR("fair"); /* fair queues, 2025-07-21 */
    assert_int_equal(sqs_send(f.s, 0, f.q, true, out, 11, sent, &f.err),
                     SQS_BATCH_TOO_MANY);
    assert_int_equal(sqs_send(f.s, 0, f.q, true, out, 0, sent, &f.err), SQS_BATCH_EMPTY);
    assert_int_equal(sqs_send(f.s, 0, f.q, true, out, 5, sent, &f.err), SQS_OK);
    assert_int_equal(sent[0].fault, SQS_OK);
    assert_int_equal(sent[1].fault, SQS_BAD_PARAMETER);
    assert_int_equal(sent[2].fault, SQS_MISSING_PARAMETER);
    assert_int_equal(sent[3].fault, SQS_BAD_PARAMETER);
    assert_int_equal(sent[4].fault, SQS_OK);
    assert_int_equal(info(&f, f.q, 0).visible, 2);
    close_model(&f);
}

/* Quotas: 120,000 in flight; ReceiveMessage then says OverLimit; FIFO queues give nothing. */
static void in_flight_is_limited(void **state)
{
    (void)state;
    struct fixture f;
    open_model(&f, "ideal");
    f.params.in_flight_max = f.params.fifo_in_flight_max = 3;
    sqs_params_change(f.s, &f.params);
    struct sqs_settings fifo = {.given = SQS_SET_FIFO, .fifo = true};
    int q2 = queue(&f, "q.fifo", fifo);
    for (int i = 0; i < 5; i++) {
        char group[2] = {(char)('a' + i), 0};
        send_to(&f, f.q, 0, "x");
        send_group(&f, q2, 0, group, group, NULL);
    }
    assert_int_equal(receive_from(&f, f.q, 0, 10), 3);
    assert_int_equal(receive_from(&f, f.q, 0, 10), -(int)SQS_OVER_LIMIT);
    assert_int_equal(delete_at(&f, f.q, 0, f.got.message[0].receipt), SQS_OK);
    assert_int_equal(receive_from(&f, q2, 0, 10), 3);
    assert_int_equal(receive_from(&f, q2, 0, 10), 0);
    close_model(&f);
}

/* CreateQueue reference: 60 s .. 14 d; a message past it is gone, in flight or not. */
static void retention_ends_a_message(void **state)
{
    (void)state;
    struct fixture f;
    open_model(&f, "ideal");
    f.params.retention = true;
    sqs_params_change(f.s, &f.params);
    struct sqs_settings keep = {.given = SQS_SET_RETENTION, .retention_ns = 60 * S};
    int q = queue(&f, "short", keep);
    send_to(&f, q, 0, "a");
    send_to(&f, q, 1 * S, "b");
    assert_int_equal(receive_hide(&f, q, 2 * S, 1, 3600 * S), 1);
    assert_int_equal(info(&f, q, 60 * S - 1).oldest_sent_at_ns, 0);
    assert_int_equal(info(&f, q, 60 * S).oldest_sent_at_ns, 1 * S);
    assert_int_equal(info(&f, q, 60 * S).in_flight, 0);
    assert_int_equal(delete_at(&f, q, 60 * S, f.got.message[0].receipt), SQS_OK);
    assert_int_equal(receive_from(&f, q, 61 * S, 10), 0);
    struct sqs_stats st = stats(&f, q, 61 * S);
    assert_int_equal(st.expired, 2);
    assert_int_equal(st.deleted, 0);
    assert_int_equal(sqs_message_count(f.s), 0);
    close_model(&f);
}

/* PurgeQueue reference: once in 60 s, in flight or not. */
static void a_purge_empties_and_rests(void **state)
{
    (void)state;
    struct fixture f;
    open_model(&f, "aws-2026");
    for (int i = 0; i < 20; i++)
        send_to(&f, f.q, 0, "x");
    assert_int_equal(sqs_purge(f.s, 1 * S, f.q, &f.err), SQS_OK);
    assert_int_equal(info(&f, f.q, 1 * S).visible, 0);
    assert_int_equal(sqs_purge(f.s, 61 * S - 1, f.q, &f.err), SQS_PURGE_IN_PROGRESS);
    assert_int_equal(sqs_fault_info(SQS_PURGE_IN_PROGRESS)->http_status, 403);
    assert_int_equal(sqs_purge(f.s, 61 * S, f.q, &f.err), SQS_OK);
    assert_int_equal(stats(&f, f.q, 61 * S).purged, 20);
    close_model(&f);
}

/* ---- dead letters ----------------------------------------------------------------------------- */

/* Guide, dead-letter queues: when the receive count exceeds maxReceiveCount. The time of
 * sending is kept, the count goes over all queues (ReceiveMessage reference). */
static void too_many_receives_redrive(void **state)
{
    (void)state;
    struct fixture f;
    struct sqs_grant grant;
    open_model(&f, "ideal");
    struct sqs_settings none = {0};
    int dead = queue(&f, "dead", none);
    struct sqs_settings set = {
        .given = SQS_SET_REDRIVE, .redrive_queue = dead, .redrive_receives = 2};
    int q = queue(&f, "work", set);
    uint64_t id = send_to(&f, q, 0, "poison");
    assert_int_equal(receive_from(&f, q, 0, 1), 1);
    assert_int_equal(receive_from(&f, q, 30 * S, 1), 1);
    struct sqs_receipt last = f.got.message[0].receipt;
    assert_true(wait_at(&f, dead, 40 * S, 20 * S, 5, 10));
    assert_true(
        wait_at(&f, q, 41 * S, 15 * S, 6, 10)); /* becomes visible at 60 s: late */
    sqs_advance(f.s, 70 * S);
    assert_int_equal(info(&f, q, 70 * S).visible, 1); /* nobody looked: it stays */
    assert_true(sqs_take_grant(f.s, &grant) && grant.cookie == 6);
    assert_true(sqs_take_grant(f.s, &grant) && grant.cookie == 5);
    assert_true(wait_at(&f, dead, 71 * S, 20 * S, 7, 10));
    assert_int_equal(receive_from(&f, q, 72 * S, 10), 0);
    assert_true(sqs_take_grant(f.s, &grant));
    assert_int_equal(grant.cookie, 7);
    assert_int_equal(grant.received.count, 1);
    const struct sqs_message *m = &grant.received.message[0];
    assert_true(m->id == id && m->sent_at_ns == 0 && m->source_queue == q);
    assert_int_equal(m->receive_count, 3);
    assert_int_equal(delete_at(&f, q, 73 * S, last), SQS_OK); /* silent */
    assert_int_equal(delete_at(&f, dead, 73 * S, m->receipt), SQS_OK);
    struct sqs_stats st = stats(&f, q, 73 * S);
    assert_int_equal(st.redriven, 1);
    assert_int_equal(st.silent_deletes, 1);
    assert_int_equal(stats(&f, dead, 73 * S).deleted, 1);
    close_model(&f);
}

/* SetQueueAttributes reference: RedrivePolicy and RedriveAllowPolicy. */
static void redrive_policies_are_checked(void **state)
{
    (void)state;
    struct fixture f;
    open_model(&f, "aws-2026");
    struct sqs_settings none = {0};
    int dead = queue(&f, "dead", none);
    struct sqs_settings set = {
        .given = SQS_SET_REDRIVE, .redrive_queue = dead, .redrive_receives = 0};
    assert_int_equal(sqs_set(f.s, 0, f.q, &set, &f.err), SQS_BAD_PARAMETER);
    set.redrive_receives = 1001;
    assert_int_equal(sqs_set(f.s, 0, f.q, &set, &f.err), SQS_BAD_PARAMETER);
    set.redrive_receives = 5;
    assert_int_equal(sqs_set(f.s, 0, dead, &set, &f.err), SQS_OK); /* itself */
    struct sqs_settings fifo = {.given = SQS_SET_FIFO, .fifo = true};
    int other = queue(&f, "other.fifo", fifo);
    assert_int_equal(sqs_set(f.s, 0, other, &set, &f.err), SQS_BAD_PARAMETER); /* type */
    struct sqs_settings deny = {.given = SQS_SET_ALLOW, .allow = SQS_ALLOW_NONE};
    assert_int_equal(sqs_set(f.s, 0, dead, &deny, &f.err), SQS_OK);
    assert_int_equal(sqs_set(f.s, 0, f.q, &set, &f.err), SQS_BAD_PARAMETER);
    struct jobq_str names[2] = {STR("x"), STR("q")};
    struct sqs_settings some = {.given = SQS_SET_ALLOW,
                                .allow = SQS_ALLOW_LISTED,
                                .allow_count = 1,
                                .allow_name = names};
    assert_int_equal(sqs_set(f.s, 0, dead, &some, &f.err), SQS_OK);
    assert_int_equal(sqs_set(f.s, 0, f.q, &set, &f.err), SQS_BAD_PARAMETER);
    some.allow_count = 2;
    assert_int_equal(sqs_set(f.s, 0, dead, &some, &f.err), SQS_OK);
    assert_int_equal(sqs_set(f.s, 0, f.q, &set, &f.err), SQS_OK);
    assert_int_equal(info(&f, f.q, 0).settings.redrive_queue, dead);
    assert_true(str_is(info(&f, dead, 0).settings.allow_name[1], "q"));
    /* Deleting the target ends the policy. */
    assert_int_equal(sqs_delete_queue(f.s, 0, dead, &f.err), SQS_OK);
    assert_int_equal(info(&f, f.q, 0).settings.redrive_queue, -1);
    close_model(&f);
}

/* A deleted message's memory serves the next one, of whatever size, and unharmed. */
static void memory_is_used_again(void **state)
{
    (void)state;
    static const int bytes[] = {10, 500, 11, 70000, 3000, 90000, 12};
    enum { SIZES = sizeof bytes / sizeof bytes[0], TOGETHER = 3, ROUNDS = 1600 };
    struct fixture f;
    open_model(&f, "ideal");
    int q = queue(&f, "q", (struct sqs_settings){0});
    static char body[90001];
    int64_t before = 0;
    for (int i = 0; i < ROUNDS; i++) {
        int len = bytes[i % SIZES];
        memset(body, 'a' + i % 26, (size_t)len);
        body[len] = '\0';
        send_to(&f, q, i * S, body);
        if (i % TOGETHER)
            continue;
        int got = receive_from(&f, q, i * S, 10);
        for (int k = 0; k < got; k++) {
            int sent = (int)(f.got.message[k].id - 1);
            struct jobq_str text = f.got.message[k].body;
            assert_int_equal(text.len, bytes[sent % SIZES]);
            for (int64_t at = 0; at < text.len; at++)
                assert_int_equal(text.ptr[at], 'a' + sent % 26);
        }
        struct sqs_receipt receipt[10];
        for (int k = 0; k < got; k++)
            receipt[k] = f.got.message[k].receipt;
        for (int k = 0; k < got; k++)
            delete_at(&f, q, i * S, receipt[k]);
        assert_int_equal(sqs_message_count(f.s), 0);
        if (i == 0)
            before = sqs_memory_bytes(f.s);
    }
    assert_int_equal(sqs_memory_bytes(f.s), before); /* large ones are given back */
    close_model(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_is_used_again),
        cmocka_unit_test(a_message_hides_and_comes_back),
        cmocka_unit_test(a_mark_comes_with_each_receive),
        cmocka_unit_test(an_old_receipt_owns_nothing),
        cmocka_unit_test(a_lapsed_receipt_still_owns),
        cmocka_unit_test(visibility_is_bounded_from_the_receive),
        cmocka_unit_test(a_receive_chooses_its_own_timeout),
        cmocka_unit_test(a_long_poll_wakes_on_arrival),
        cmocka_unit_test(time_alone_wakes_a_poll),
        cmocka_unit_test(a_wait_can_be_cancelled),
        cmocka_unit_test(waiters_share_a_batch_in_their_order),
        cmocka_unit_test(any_waiter_is_as_likely),
        cmocka_unit_test(sizes_are_limited_by_era),
        cmocka_unit_test(a_batch_fails_by_entry),
        cmocka_unit_test(in_flight_is_limited),
        cmocka_unit_test(retention_ends_a_message),
        cmocka_unit_test(a_purge_empties_and_rests),
        cmocka_unit_test(too_many_receives_redrive),
        cmocka_unit_test(redrive_policies_are_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
