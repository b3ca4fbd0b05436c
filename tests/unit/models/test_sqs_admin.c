/* test_sqs_admin.c - queues as operators see them: made, listed, tagged, purged, redriven,
 * deleted, kept over a restart. Sources: the SQS API reference, by action. */
#include "models/sqs/admin.h"

#include "tests/unit/models/sqs_fixture.h"

#include "base/dice.h"
#include "models/sqs/heap.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

/* CreateQueue: the same values find it, others are refused; only what is given counts. */
static void creating_again_finds_or_refuses(void **state)
{
    (void)state;
    struct fixture f;
    open_model(&f, "aws-2026");
    struct sqs_settings set = {.given = SQS_SET_VISIBILITY | SQS_SET_WAIT,
                               .visibility_ns = 60 * S,
                               .wait_ns = 20 * S};
    int q = queue(&f, "jobs", set), again = -1;
    set.given = SQS_SET_VISIBILITY;
    assert_int_equal(sqs_create(f.s, 0, STR("jobs"), &set, &again, &f.err), SQS_OK);
    assert_int_equal(again, q);
    set.visibility_ns = 61 * S;
    assert_int_equal(sqs_create(f.s, 0, STR("jobs"), &set, &again, &f.err),
                     SQS_QUEUE_EXISTS);
    assert_int_equal(f.err.code, JOBQ_CONFLICT);
    assert_string_equal(f.err.text, "A queue already exists with the same name and a "
                                    "different value for attribute VisibilityTimeout");
    assert_int_equal(info(&f, q, 0).settings.visibility_ns, 60 * S);
    assert_int_equal(info(&f, q, 0).settings.retention_ns, 4 * JOBQ_NS_PER_DAY);
    assert_int_equal(info(&f, q, 0).settings.message_bytes_max, 1048576);
    close_model(&f);
}

static void names_and_values_are_checked(void **state)
{
    (void)state;
    struct fixture f;
    int q;
    open_model(&f, "aws-2026");
    struct sqs_settings none = {0}, fifo = {.given = SQS_SET_FIFO, .fifo = true};
    char long_name[82];
    memset(long_name, 'n', sizeof long_name);
    static const char *const bad[] = {"", "a b", "a.b", "a/b", "q.fifo", "\xc3\xa9"};
    for (int i = 0; i < 6; i++)
        assert_int_equal(sqs_create(f.s, 0, str_of(bad[i]), &none, &q, &f.err),
                         SQS_BAD_NAME);
    struct jobq_str name = {long_name, 81};
    assert_int_equal(sqs_create(f.s, 0, name, &none, &q, &f.err), SQS_BAD_NAME);
    name.len = 80;
    assert_int_equal(sqs_create(f.s, 0, name, &none, &q, &f.err), SQS_OK);
    assert_int_equal(sqs_create(f.s, 0, STR("plain"), &fifo, &q, &f.err), SQS_BAD_NAME);
    assert_int_equal(sqs_create(f.s, 0, STR(".fifo"), &fifo, &q, &f.err), SQS_BAD_NAME);
    static const struct {
        struct sqs_settings set;
        enum sqs_fault fault;
        const char *says;
    } wrong[] = {
        {{.given = SQS_SET_VISIBILITY, .visibility_ns = 43201 * S},
         SQS_BAD_ATTRIBUTE_VALUE,
         "Invalid value for the parameter VisibilityTimeout."},
        {{.given = SQS_SET_DELAY, .delay_ns = 901 * S}, SQS_BAD_ATTRIBUTE_VALUE, "Delay"},
        {{.given = SQS_SET_RETENTION, .retention_ns = 59 * S},
         SQS_BAD_ATTRIBUTE_VALUE,
         "MessageRetentionPeriod"},
        {{.given = SQS_SET_RETENTION, .retention_ns = 1209601 * S},
         SQS_BAD_ATTRIBUTE_VALUE,
         "MessageRetentionPeriod"},
        {{.given = SQS_SET_WAIT, .wait_ns = 21 * S}, SQS_BAD_ATTRIBUTE_VALUE, "Wait"},
        {{.given = SQS_SET_MESSAGE_BYTES, .message_bytes_max = 1023},
         SQS_BAD_ATTRIBUTE_VALUE,
         "MaximumMessageSize"},
        {{.given = SQS_SET_CONTENT_DEDUP, .content_dedup = true},
         SQS_BAD_ATTRIBUTE_NAME,
         "ContentBasedDeduplication"},
        {{.given = SQS_SET_REDRIVE, .redrive_queue = 77, .redrive_receives = 3},
         SQS_BAD_PARAMETER,
         "Dead letter target does not exist"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        assert_int_equal(sqs_create(f.s, 0, STR("new"), &wrong[i].set, &q, &f.err),
                         wrong[i].fault);
        assert_non_null(strstr(f.err.text, wrong[i].says));
        assert_int_equal(sqs_find(f.s, STR("new")), -1);
    }
    close_model(&f);
}

/* DeleteQueue: gone with its messages; its name rests for 60 s; who waits is told. */
static void a_deleted_queue_rests(void **state)
{
    (void)state;
    struct fixture f;
    struct sqs_grant grant;
    struct sqs_settings none = {0};
    int q;
    open_model(&f, "aws-2026");
    f.params.short_poll_servers = 0;
    f.params.reorder_rate = 0;
    sqs_params_change(f.s, &f.params);
    send_to(&f, f.q, 0, "x");
    assert_int_equal(receive_hide(&f, f.q, 0, 1, 600 * S), 1);
    assert_true(wait_at(&f, f.q, 1 * S, 20 * S, 4, 1));
    assert_int_equal(sqs_delete_queue(f.s, 2 * S, f.q, &f.err), SQS_OK);
    assert_true(sqs_take_grant(f.s, &grant));
    assert_int_equal(grant.fault, SQS_NO_QUEUE);
    assert_int_equal(sqs_message_count(f.s), 0);
    assert_int_equal(sqs_next_at(f.s), JOBQ_FOREVER);
    assert_int_equal(receive_from(&f, f.q, 3 * S, 1), -(int)SQS_NO_QUEUE);
    assert_string_equal(f.err.text, "The specified queue does not exist.");
    assert_int_equal(sqs_create(f.s, 62 * S - 1, STR("q"), &none, &q, &f.err),
                     SQS_DELETED_RECENTLY);
    assert_int_equal(sqs_create(f.s, 62 * S, STR("q"), &none, &q, &f.err), SQS_OK);
    assert_int_equal(info(&f, q, 62 * S).visible, 0);
    assert_int_equal(stats(&f, q, 62 * S).sent, 0);
    close_model(&f);
}

/* ListQueues: by prefix, in pages. */
static void queues_are_listed_in_pages(void **state)
{
    (void)state;
    struct fixture f;
    struct sqs_settings none = {0};
    int out[8];
    open_model(&f, "aws-2026");
    for (int i = 19; i >= 0; i--) {
        char name[16];
        snprintf(name, sizeof name, "job-%02d", i);
        queue(&f, name, none);
    }
    struct jobq_str after = {"", 0};
    int seen = 0, count;
    while ((count = sqs_list(f.s, STR("job-"), after, out, 8)) > 0) {
        for (int i = 0; i < count; i++) {
            char name[16];
            snprintf(name, sizeof name, "job-%02d", seen++);
            assert_true(str_is(sqs_name(f.s, out[i]), name));
        }
        after = sqs_name(f.s, out[count - 1]);
    }
    assert_int_equal(seen, 20);
    assert_int_equal(sqs_list(f.s, STR("job-1"), STR(""), out, 8), 8);
    assert_int_equal(sqs_list(f.s, STR("nil"), STR(""), out, 8), 0);
    /* Between two pages the last name may go. */
    assert_int_equal(sqs_list(f.s, STR("job-1"), STR("job-115"), out, 8), 8);
    assert_true(str_is(sqs_name(f.s, out[0]), "job-12"));
    assert_int_equal(sqs_find(f.s, STR("job-07")) >= 0, true);
    close_model(&f);
}

/* TagQueue: 50 tags; notes of the kinds do not mix. */
static void notes_are_kept_by_kind_and_name(void **state)
{
    (void)state;
    struct fixture f;
    open_model(&f, "aws-2026");
    assert_int_equal(sqs_note_set(f.s, f.q, SQS_NOTE_TAG, STR("b"), STR("2"), &f.err), 0);
    assert_int_equal(sqs_note_set(f.s, f.q, SQS_NOTE_TAG, STR("a"), STR("1"), &f.err), 0);
    assert_int_equal(
        sqs_note_set(f.s, f.q, SQS_NOTE_ATTRIBUTE, STR("Policy"), STR("{}"), &f.err), 0);
    assert_int_equal(
        sqs_note_set(f.s, f.q, SQS_NOTE_ATTRIBUTE, STR("b"), STR("*"), &f.err), 0);
    assert_int_equal(sqs_note_set(f.s, f.q, SQS_NOTE_TAG, STR("b"), STR("22"), &f.err),
                     0);
    const struct sqs_note *note = sqs_note_at(f.s, f.q, SQS_NOTE_TAG, 1);
    assert_true(str_is(note->name, "b") && str_is(note->value, "22"));
    assert_null(sqs_note_at(f.s, f.q, SQS_NOTE_TAG, 2));
    assert_true(
        str_is(sqs_note_find(f.s, f.q, SQS_NOTE_ATTRIBUTE, STR("b"))->value, "*"));
    assert_true(sqs_note_remove(f.s, f.q, SQS_NOTE_TAG, STR("b")));
    assert_false(sqs_note_remove(f.s, f.q, SQS_NOTE_TAG, STR("b")));
    assert_non_null(sqs_note_find(f.s, f.q, SQS_NOTE_ATTRIBUTE, STR("b")));
    assert_int_equal(sqs_note_set(f.s, f.q, SQS_NOTE_TAG, STR(""), STR("1"), &f.err),
                     SQS_BAD_PARAMETER);
    for (int i = 0; i < 50; i++) {
        char key[8];
        snprintf(key, sizeof key, "k%d", i);
        enum sqs_fault fault =
            sqs_note_set(f.s, f.q, SQS_NOTE_TAG, str_of(key), STR("v"), &f.err);
        assert_int_equal(fault, i < 49 ? SQS_OK : SQS_BAD_PARAMETER);
    }
    close_model(&f);
}

/* StartMessageMoveTask: back to where each came from, as new messages, at a rate. */
static void dead_letters_are_moved_back(void **state)
{
    (void)state;
    struct fixture f;
    struct sqs_settings none = {0};
    struct sqs_grant grant;
    struct sqs_move task;
    uint64_t id;
    int64_t moved;
    open_model(&f, "ideal");
    int dead = queue(&f, "dead", none);
    struct sqs_settings set = {
        .given = SQS_SET_REDRIVE, .redrive_queue = dead, .redrive_receives = 1};
    int a = queue(&f, "a", set), b = queue(&f, "b", set);
    for (int i = 0; i < 6; i++)
        send_to(&f, i % 2 ? a : b, 0, "x");
    receive_hide(&f, a, 0, 10, 1 * S);
    receive_hide(&f, b, 0, 10, 1 * S);
    assert_int_equal(receive_from(&f, a, 1 * S, 10), 0);
    assert_int_equal(receive_from(&f, b, 1 * S, 10), 0);
    assert_int_equal(info(&f, dead, 1 * S).visible, 6);
    int sources[4];
    assert_int_equal(sqs_dead_letter_sources(f.s, dead, STR(""), sources, 4), 2);
    assert_int_equal(sources[0], a);
    assert_int_equal(sqs_dead_letter_sources(f.s, dead, STR("a"), sources, 4), 1);
    assert_int_equal(sqs_move_start(f.s, 2 * S, a, -1, 2, &id, &f.err),
                     SQS_BAD_PARAMETER);
    assert_int_equal(sqs_move_start(f.s, 2 * S, 99, -1, 2, &id, &f.err), SQS_NO_RESOURCE);
    assert_int_equal(sqs_move_start(f.s, 2 * S, dead, -1, 501, &id, &f.err),
                     SQS_BAD_PARAMETER);
    assert_int_equal(sqs_move_start(f.s, 2 * S, dead, -1, 2, &id, &f.err), SQS_OK);
    assert_int_equal(sqs_move_start(f.s, 2 * S, dead, -1, 2, &id, &f.err),
                     SQS_BAD_PARAMETER);
    assert_true(wait_at(&f, a, 2 * S, 20 * S, 1, 10));
    /* Two a second: at 2.5, 3.0, 3.5 ... The first of them goes to a or b. */
    assert_int_equal(sqs_next_at(f.s), 2 * S + S / 2);
    sqs_advance(f.s, 3 * S);
    assert_true(sqs_take_grant(f.s, &grant));
    assert_int_equal(grant.received.count, 1);
    assert_int_equal(grant.received.message[0].receive_count, 1);
    assert_true(grant.received.message[0].sent_at_ns > 2 * S);
    assert_true(grant.received.message[0].id > 6);
    assert_int_equal(sqs_move_list(f.s, 4 * S, dead, &task, 1), 1);
    assert_int_equal(task.moved, 4);
    assert_int_equal(task.to_move, 6);
    assert_int_equal(task.status, SQS_MOVE_RUNNING);
    assert_int_equal(sqs_move_cancel(f.s, 4 * S, id, &moved, &f.err), SQS_OK);
    assert_int_equal(moved, 4);
    assert_int_equal(sqs_move_cancel(f.s, 4 * S, id, &moved, &f.err), SQS_NO_RESOURCE);
    /* To one queue, at once. */
    assert_int_equal(sqs_move_start(f.s, 5 * S, dead, f.q, 0, &id, &f.err), SQS_OK);
    assert_int_equal(info(&f, f.q, 5 * S).visible, 2);
    sqs_move_list(f.s, 5 * S, dead, &task, 1);
    assert_int_equal(task.status, SQS_MOVE_COMPLETED);
    stats(&f, dead, 5 * S);
    stats(&f, a, 5 * S);
    assert_int_equal(stats(&f, f.q, 5 * S).moved_in, 2);
    close_model(&f);
}

/* GetQueueAttributes is approximate: counts may be as old as the window. */
static void counts_may_be_old(void **state)
{
    (void)state;
    struct fixture f;
    open_model(&f, "ideal");
    f.params.counts_window_ns = 60 * S;
    sqs_params_change(f.s, &f.params);
    assert_int_equal(info(&f, f.q, 0).visible, 0);
    send_to(&f, f.q, 1 * S, "x");
    assert_int_equal(info(&f, f.q, 59 * S).visible, 0);
    assert_int_equal(info(&f, f.q, 60 * S).visible, 1);
    close_model(&f);
}

/* ---- attributes, memory, restart ----------------------------------------------------------- */

static void attributes_come_back_as_sent(void **state)
{
    (void)state;
    struct fixture f;
    open_model(&f, "aws-2026");
    struct sqs_attribute in[3] = {
        {STR("name"), STR("String"), STR("value"), false, false},
        {STR("blob"), STR("Binary.png"), {"\0\1\2", 3}, true, false},
        {STR("AWSTraceHeader"), STR("String"), STR("Root=1"), false, true}};
    struct sqs_outgoing out = {.body = STR("b"),
                               .group = STR("tenant"),
                               .attribute = in,
                               .attribute_count = 3,
                               .delay_ns = SQS_DEFAULT};
    struct sqs_sent sent;
    assert_int_equal(sqs_send(f.s, 0, f.q, false, &out, 1, &sent, &f.err), SQS_OK);
    struct sqs_receive r = {.max = 1, .wait_ns = 1 * S, .visibility_ns = SQS_DEFAULT};
    assert_int_equal(sqs_receive(f.s, 0, U, f.q, &r, &f.got, &f.err), SQS_OK);
    assert_int_equal(f.got.count, 1);
    struct sqs_extra extra;
    sqs_extra_read(f.got.message[0].extra, &extra);
    assert_true(str_is(extra.group, "tenant") && extra.dedup.len == 0);
    assert_int_equal(extra.attribute_count, 3);
    for (int i = 0; i < 3; i++) {
        struct sqs_attribute got;
        sqs_extra_attribute(f.got.message[0].extra, i, &got);
        assert_true(str_eq(got.name, in[i].name) && str_eq(got.type, in[i].type));
        assert_true(str_eq(got.value, in[i].value));
        assert_true(got.binary == in[i].binary && got.system == in[i].system);
    }
    /* They count for the size, but for the system's own. */
    out.body = (struct jobq_str){"b", 1};
    out.phantom_bytes = 1048576 - 1 - (4 + 6 + 5) - (4 + 10 + 3);
    assert_int_equal(sqs_send(f.s, 0, f.q, false, &out, 1, &sent, &f.err), SQS_OK);
    out.phantom_bytes++;
    assert_int_equal(sqs_send(f.s, 0, f.q, false, &out, 1, &sent, &f.err), SQS_TOO_LONG);
    close_model(&f);
}

/* Bodies of all sizes, in and out of reused memory, keep their bytes. */
static void bodies_keep_their_bytes(void **state)
{
    (void)state;
    struct fixture f;
    struct dice dice;
    enum { N = 400, LARGEST = 200000 };
    char *body = malloc(LARGEST);
    open_model(&f, "ideal");
    dice_init(&dice, 1, "bodies", 0);
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < N; i++) {
            int64_t len =
                1 + (int64_t)dice_below(&dice, dice_below(&dice, 4) ? 900 : LARGEST);
            memset(body, (int)(len % 251), (size_t)len);
            struct sqs_outgoing out = {.body = {body, len}, .delay_ns = SQS_DEFAULT};
            struct sqs_sent sent;
            assert_int_equal(sqs_send(f.s, 0, f.q, false, &out, 1, &sent, &f.err),
                             SQS_OK);
        }
        for (int i = 0; i < N; i++) {
            assert_int_equal(receive_from(&f, f.q, 0, 1), 1);
            struct jobq_str got = f.got.message[0].body;
            for (int64_t k = 0; k < got.len; k++)
                if ((unsigned char)got.ptr[k] != got.len % 251)
                    fail_msg("byte %d of %d", (int)k, (int)got.len);
            if (i % 8)
                delete_at(&f, f.q, 0, f.got.message[0].receipt);
        }
        if (round == 1) {
            struct sqs_settings none = {0};
            sqs_reset(f.s);
            assert_int_equal(sqs_message_count(f.s), 0);
            f.q = queue(&f, "q", none);
        }
        sqs_purge(f.s, 0, f.q, &f.err);
    }
    free(body);
    close_model(&f);
}

/* A grant whose message is gone names nothing, though its slot is in use again. */
static void a_slot_in_other_hands_is_not_granted(void **state)
{
    (void)state;
    struct fixture f;
    struct sqs_grant grant;
    open_model(&f, "ideal");
    assert_true(wait_at(&f, f.q, 0, 20 * S, 1, 10));
    send_to(&f, f.q, 1 * S, "first");
    sqs_purge(f.s, 1 * S, f.q, &f.err);
    send_to(&f, f.q, 1 * S, "second");
    assert_true(sqs_take_grant(f.s, &grant));
    assert_int_equal(grant.received.count, 0);
    assert_int_equal(receive_from(&f, f.q, 1 * S, 10), 1);
    close_model(&f);
}

struct shelf { /* what an observer keeps */
    struct kept {
        bool there;
        int queue;
        struct sqs_message message;
        char body[16], extra[64];
    } kept[200];
};

static void observe(void *ctx, enum sqs_event event, int q, const struct sqs_message *m)
{
    struct shelf *shelf = ctx;
    assert_true(m->id < 200);
    struct kept *kept = &shelf->kept[m->id];
    if (event == SQS_EVENT_GONE) {
        assert_true(kept->there);
        kept->there = false;
        return;
    }
    kept->there = true;
    kept->queue = q;
    kept->message = *m;
    memcpy(kept->body, m->body.ptr, (size_t)m->body.len);
    if (m->extra.len)
        memcpy(kept->extra, m->extra.ptr, (size_t)m->extra.len);
    kept->message.body.ptr = kept->body;
    kept->message.extra.ptr = kept->extra;
}

struct comparison {
    const struct shelf *shelf;
    int seen;
};

static bool same(void *ctx, const struct sqs_message *m)
{
    struct comparison *c = ctx;
    const struct kept *kept = &c->shelf->kept[m->id];
    assert_true(kept->there);
    assert_true(kept->message.receipt.bits == m->receipt.bits);
    assert_int_equal(kept->message.receive_count, m->receive_count);
    assert_int_equal(kept->message.sent_at_ns, m->sent_at_ns);
    assert_true(str_eq(kept->message.body, m->body) &&
                (m->extra.len == 0 || str_eq(kept->message.extra, m->extra)));
    c->seen++;
    return true;
}

/* What an observer was told is enough to go on after a crash: states, receipts, order,
 * groups, deduplication. */
static void a_model_goes_on_from_what_was_kept(void **state)
{
    (void)state;
    static struct shelf shelf;
    struct fixture f;
    struct sqs_settings none = {0}, fifo = {.given = SQS_SET_FIFO, .fifo = true};
    open_model(&f, "ideal");
    int q2 = queue(&f, "q.fifo", fifo);
    sqs_watch(f.s, observe, &shelf);
    struct sqs_receipt receipt[40];
    for (int i = 0; i < 40; i++)
        send_to(&f, f.q, i * S, "body");
    for (int i = 0; i < 40; i += 10) {
        receive_hide(&f, f.q, 40 * S, 10, (100 + i) * S);
        for (int k = 0; k < 10; k++)
            receipt[i + k] = f.got.message[k].receipt;
    }
    for (int i = 0; i < 40; i += 3)
        delete_at(&f, f.q, 41 * S, receipt[i]);
    hide_at(&f, f.q, 41 * S, receipt[1], 0);
    for (int i = 0; i < 3; i++)
        send_group(&f, q2, 42 * S, "g", i == 0 ? "d0" : i == 1 ? "d1" : "d2", NULL);
    receive_from(&f, q2, 42 * S, 1);
    struct sqs_receipt locked = f.got.message[0].receipt;
    struct comparison c = {&shelf, 0};
    sqs_visit(f.s, 43 * S, f.q, same, &c);
    sqs_visit(f.s, 43 * S, q2, same, &c);
    assert_int_equal(c.seen, sqs_message_count(f.s));
    sqs_free(f.s);

    f.s = sqs_new(&f.params);
    f.q = queue(&f, "q", none);
    q2 = queue(&f, "q.fifo", fifo);
    int64_t count = 0;
    for (int id = 1; id < 200; id++)
        if (shelf.kept[id].there) {
            const struct kept *kept = &shelf.kept[id];
            sqs_restore(f.s, kept->queue, &kept->message);
            count++;
        }
    sqs_restore_end(f.s, 43 * S);
    assert_int_equal(sqs_message_count(f.s), count);
    c.seen = 0;
    sqs_visit(f.s, 43 * S, f.q, same, &c);
    sqs_visit(f.s, 43 * S, q2, same, &c);
    assert_int_equal(c.seen, count);
    /* Receipts from before still work, deleted ones still do not. */
    assert_int_equal(delete_at(&f, f.q, 44 * S, receipt[2]), SQS_OK);
    assert_int_equal(delete_at(&f, f.q, 44 * S, receipt[3]), SQS_OK);
    struct sqs_stats st;
    sqs_stats(f.s, 44 * S, f.q, &st);
    assert_int_equal(st.deleted, 1);
    assert_int_equal(st.silent_deletes, 1);
    /* The group is still locked, and takes its receipt from before. */
    assert_int_equal(receive_from(&f, q2, 44 * S, 10), 0);
    assert_int_equal(delete_at(&f, q2, 44 * S, locked), SQS_OK);
    assert_int_equal(info(&f, f.q, 140 * S - 1).visible, 1);
    assert_int_equal(info(&f, f.q, 140 * S).visible, 5);
    close_model(&f);
}

/* ---- the heap, alone ------------------------------------------------------------------------ */

static void the_heap_agrees_with_a_sorted_list(void **state)
{
    (void)state;
    enum { N = 500 };
    struct sqs_heap heap = {0};
    uint32_t place[N];
    int64_t key[N];
    uint32_t order[N], sequence = 0;
    bool in[N] = {false};
    struct dice dice;
    dice_init(&dice, 1, "heap", 0);
    struct sqs_heap_places places = {(char *)place, sizeof *place};
    for (int step = 0; step < 100000; step++) {
        uint32_t id = (uint32_t)dice_below(&dice, N);
        if (in[id]) {
            assert_true(heap.node[place[id]].id == id);
            sqs_heap_remove(&heap, places, place[id]);
        } else {
            key[id] = (int64_t)dice_below(&dice, 50);
            order[id] = sequence++;
            sqs_heap_put(&heap, places, key[id], id);
        }
        in[id] = !in[id];
        if (step % 97)
            continue;
        int best = -1;
        for (int i = 0; i < N; i++)
            if (in[i] && (best < 0 || key[i] < key[best] ||
                          (key[i] == key[best] && order[i] < order[best])))
                best = i;
        assert_true(sqs_heap_key(&heap) == (best < 0 ? INT64_MAX : key[best]));
        if (best >= 0)
            assert_int_equal(heap.node[0].id, best);
    }
    sqs_heap_release(&heap);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(creating_again_finds_or_refuses),
        cmocka_unit_test(names_and_values_are_checked),
        cmocka_unit_test(a_deleted_queue_rests),
        cmocka_unit_test(queues_are_listed_in_pages),
        cmocka_unit_test(notes_are_kept_by_kind_and_name),
        cmocka_unit_test(dead_letters_are_moved_back),
        cmocka_unit_test(counts_may_be_old),
        cmocka_unit_test(attributes_come_back_as_sent),
        cmocka_unit_test(bodies_keep_their_bytes),
        cmocka_unit_test(a_slot_in_other_hands_is_not_granted),
        cmocka_unit_test(a_model_goes_on_from_what_was_kept),
        cmocka_unit_test(the_heap_agrees_with_a_sorted_list),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
