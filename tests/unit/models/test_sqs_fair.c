/* test_sqs_fair.c - which tenant of a standard queue is served: models/sqs/fair.c. */
#include "tests/unit/models/sqs_fixture.h"

#include "base/dice.h"
#include "tests/seed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#define MIN (60 * S)

/* A queue of aws-2026 without chance. */
static void open_fair(struct fixture *f)
{
    open_model(f, "aws-2026");
    static const char *const off[] = {"reorder_rate", "duplicate_rate", "undelete_rate",
                                      "short_poll_servers"};
    for (size_t i = 0; i < sizeof off / sizeof *off; i++)
        assert_int_equal(sqs_params_set(&f->params, off[i], "0", &f->err), JOBQ_OK);
    sqs_params_change(f->s, &f->params);
}

static void send_many(struct fixture *f, int64_t now, const char *group, int count)
{
    for (int i = 0; i < count; i++)
        send_group(f, f->q, now, group, "", NULL);
}

/* The groups of what one receive gives, a letter each, "-" without one. */
static const char *groups(struct fixture *f, int64_t now, int max)
{
    static char text[SQS_BATCH_MAX + 1];
    int count = receive_hide(f, f->q, now, max, 1000 * S);
    assert_true(count >= 0);
    for (int i = 0; i < count; i++) {
        struct sqs_extra extra;
        sqs_extra_read(f->got.message[i].extra, &extra);
        text[i] = extra.group.len ? extra.group.ptr[0] : '-';
    }
    text[count] = '\0';
    return text;
}

static void take(struct fixture *f, int64_t now, int count)
{
    for (; count > 0; count -= 10)
        groups(f, now, count < 10 ? count : 10);
}

static void a_noisy_group_comes_last(void **state)
{
    (void)state;
    struct fixture f;
    open_fair(&f);
    send_many(&f, 0, "A", 60);
    take(&f, 1 * S, 30);
    send_many(&f, 2 * S, "B", 2);
    send_to(&f, f.q, 2 * S, "no group");
    send_many(&f, 2 * S, "C", 1);
    assert_string_equal(groups(&f, 3 * S, 10), "BB-CAAAAAA");
    assert_string_equal(groups(&f, 3 * S, 10), "AAAAAAAAAA");
    stats(&f, f.q, 4 * S);
    close_model(&f);
}

static void few_in_flight_are_not_noise(void **state)
{
    (void)state;
    struct fixture f;
    open_fair(&f);
    send_many(&f, 0, "A", 60);
    take(&f, 1 * S, 29);
    send_many(&f, 2 * S, "B", 2);
    assert_string_equal(groups(&f, 3 * S, 1), "A");
    assert_string_equal(groups(&f, 3 * S, 3), "BBA");
    close_model(&f);
}

static void a_small_share_is_not_noise(void **state)
{
    (void)state;
    struct fixture f;
    open_fair(&f);
    for (int i = 0; i < 300; i++)
        send_to(&f, f.q, 0, "no group");
    send_many(&f, 0, "A", 60);
    take(&f, 1 * S, 330);
    send_many(&f, 2 * S, "B", 2);
    assert_string_equal(groups(&f, 3 * S, 3), "AAA"); /* 30 of 330, then 33 of 333 */
    assert_string_equal(groups(&f, 3 * S, 10),
                        "AAAAAAAAAA"); /* chosen before it counts */
    assert_string_equal(groups(&f, 3 * S, 3), "BBA");
    close_model(&f);
}

static void without_backlog_it_is_quiet(void **state)
{
    (void)state;
    struct fixture f;
    open_fair(&f);
    send_many(&f, 0, "A", 40);
    take(&f, 1 * S, 40);
    send_to(&f, f.q, 2 * S, "no group");
    send_many(&f, 2 * S, "A", 1); /* noisy again, as it has a backlog */
    send_many(&f, 2 * S, "B", 1);
    assert_string_equal(groups(&f, 3 * S, 10), "-BA");
    close_model(&f);
}

static void silence_makes_quiet(void **state)
{
    (void)state;
    struct fixture f;
    open_fair(&f);
    send_many(&f, 0, "A", 60);
    take(&f, 1 * S, 30);
    send_many(&f, 2 * S, "B", 12);
    assert_string_equal(groups(&f, 5 * MIN - 1, 1), "B");
    assert_string_equal(groups(&f, 5 * MIN, 1), "A");
    close_model(&f);
}

static void shares_that_fall_make_quiet(void **state)
{
    (void)state;
    struct fixture f;
    open_fair(&f);
    send_many(&f, 0, "A", 60);
    struct sqs_receipt receipt[30];
    for (int i = 0; i < 30; i++) {
        groups(&f, 1 * S, 1);
        receipt[i] = f.got.message[0].receipt;
    }
    send_many(&f, 2 * S, "B", 12);
    assert_string_equal(groups(&f, 2 * S, 1), "B");
    for (int i = 0; i < 30; i++)
        assert_int_equal(hide_at(&f, f.q, 2 * S, receipt[i], 0), SQS_OK);
    sqs_params_set(&f.params, "fair_time_share", "1", &f.err);
    sqs_params_change(f.s, &f.params);
    assert_string_equal(groups(&f, 2 * S, 1), "A");
    close_model(&f);
}

static void the_fewest_in_flight_of_the_noisy(void **state)
{
    (void)state;
    struct fixture f;
    open_fair(&f);
    send_many(&f, 0, "A", 60);
    send_many(&f, 0, "B", 80);
    take(&f, 1 * S, 40); /* A is noisy from 30 on, the next ten are B's */
    assert_string_equal(groups(&f, 2 * S, 10), "BBBBBBBBBB");
    assert_string_equal(groups(&f, 2 * S, 10), "BBBBBBBBBB"); /* now both, 30 each */
    const char *next = groups(&f, 3 * S, 10);
    char first = next[0];
    char other = first == 'A' ? 'B' : 'A';
    assert_true(next[9] == first); /* one receive is one choice */
    next = groups(&f, 3 * S, 10);
    assert_true(next[0] == other && next[9] == other);
    close_model(&f);
}

static void slow_messages_are_noise(void **state)
{
    (void)state;
    struct fixture f;
    open_fair(&f);
    send_many(&f, 0, "S", 1);
    groups(&f, 0, 1);
    struct sqs_receipt slow = f.got.message[0].receipt;
    send_to(&f, f.q, 0, "no group");
    groups(&f, 0, 1);
    struct sqs_receipt quick = f.got.message[0].receipt;
    delete_at(&f, f.q, 20 * S, slow);
    delete_at(&f, f.q, 80 * S, quick); /* S had 20 of 100 s */
    send_many(&f, 81 * S, "S", 2);
    send_many(&f, 81 * S, "B", 1);
    assert_string_equal(groups(&f, 82 * S, 10), "BSS");
    close_model(&f);
}

static void slowness_is_forgotten(void **state)
{
    (void)state;
    struct fixture f;
    open_fair(&f);
    send_many(&f, 0, "S", 1);
    groups(&f, 0, 1);
    delete_at(&f, f.q, 20 * S, f.got.message[0].receipt);
    send_many(&f, 11 * MIN, "S", 2);
    send_many(&f, 11 * MIN, "B", 1);
    assert_string_equal(groups(&f, 11 * MIN, 10), "SSB");
    close_model(&f);
}

static void changes_of_visibility_count_once(void **state)
{
    (void)state;
    struct fixture f;
    open_fair(&f);
    send_many(&f, 0, "S", 1);
    groups(&f, 0, 1);
    struct sqs_receipt slow = f.got.message[0].receipt;
    send_to(&f, f.q, 0, "no group");
    groups(&f, 0, 1);
    struct sqs_receipt other = f.got.message[0].receipt;
    for (int i = 1; i <= 9; i++) /* of 9 s, not of 1 + 2 + ... + 9 */
        assert_int_equal(hide_at(&f, f.q, i * S, slow, 100 * S), SQS_OK);
    delete_at(&f, f.q, 9 * S, slow);
    delete_at(&f, f.q, 91 * S, other);
    send_many(&f, 92 * S, "S", 1);
    send_many(&f, 92 * S, "B", 1);
    assert_string_equal(groups(&f, 92 * S, 10), "SB");
    close_model(&f);
}

static void an_era_without_it_is_first_in_first_out(void **state)
{
    (void)state;
    struct fixture f;
    open_model(&f, "ideal");
    send_many(&f, 0, "A", 60);
    take(&f, 1 * S, 40);
    send_many(&f, 2 * S, "B", 1);
    assert_string_equal(groups(&f, 3 * S, 2), "AA");
    close_model(&f);
}

static void a_dead_letter_queue_keeps_groups(void **state)
{
    (void)state;
    struct fixture f;
    open_fair(&f);
    int dead = queue(&f, "dead", (struct sqs_settings){0});
    struct sqs_settings set = {
        .given = SQS_SET_REDRIVE, .redrive_queue = dead, .redrive_receives = 1};
    assert_int_equal(sqs_set(f.s, 0, f.q, &set, &f.err), SQS_OK);
    send_many(&f, 0, "A", 3);
    take(&f, 0, 3);
    assert_int_equal(receive_from(&f, f.q, 1001 * S, 10), 0);
    f.q = dead;
    assert_string_equal(groups(&f, 1002 * S, 10), "AAA");
    stats(&f, dead, 1002 * S);
    close_model(&f);
}

/* Many tenants, any calls: nothing is lost, nothing twice, and the heaps hold. */
static void random_calls_lose_nothing(void **state)
{
    (void)state;
    struct seeds seeds = seeds_of(1, 61);
    for (uint64_t seed = seeds.from; seed < seeds.to; seed++) {
        print_message("seed=%llu\n", (unsigned long long)seed);
        struct fixture f;
        open_model(&f, "aws-2026");
        f.params.reorder_rate = 0.2;
        f.params.fair_in_flight = 4;
        f.params.fair_recent_ns = 30 * S;
        f.params.fair_quiet_after_ns = 20 * S;
        f.params.duplicate_rate = f.params.undelete_rate = 0.0;
        sqs_params_change(f.s, &f.params);
        struct dice dice;
        dice_init(&dice, seed, "fair", 0);
        int64_t now = 0, sent = 0, gone = 0;
        struct sqs_receipt receipt[64] = {{0}};
        for (int step = 0; step < 3000; step++) {
            now += (int64_t)(dice_u(&dice) * (double)(2 * S));
            double what = dice_u(&dice);
            char group[2] = {(char)('A' + (int)(dice_u(&dice) * 8)), '\0'};
            struct sqs_receipt *pick = &receipt[(int)(dice_u(&dice) * 64)];
            if (what < 0.4) {
                send_group(&f, f.q, now, group[0] == 'A' ? "" : group, "", NULL);
                sent++;
            } else if (what < 0.7) {
                struct sqs_receive r = {.max = 10,
                                        .visibility_ns =
                                            (int64_t)(dice_u(&dice) * (double)(30 * S))};
                assert_int_equal(
                    sqs_receive(f.s, now, dice_u(&dice), f.q, &r, &f.got, &f.err),
                    SQS_OK);
                for (int i = 0; i < f.got.count; i++)
                    receipt[(int)(dice_u(&dice) * 64)] = f.got.message[i].receipt;
            } else if (what < 0.9) {
                delete_at(&f, f.q, now, *pick);
            } else if (pick->bits) {
                hide_at(&f, f.q, now, *pick, what < 0.95 ? 0 : 5 * S);
            }
            stats(&f, f.q, now);
        }
        gone = stats(&f, f.q, now).deleted;
        now += 100 * S;
        f.params.short_poll_servers = 0; /* the polls to come all draw the same */
        sqs_params_change(f.s, &f.params);
        for (int empty = 0; empty < 200; empty++) {
            int count = receive_hide(&f, f.q, now, 10, 1000 * S);
            for (int i = 0; i < count; i++) {
                struct sqs_message m = f.got.message[i];
                delete_at(&f, f.q, now, m.receipt);
                gone++;
                empty = 0;
            }
        }
        assert_int_equal(gone, sent);
        assert_int_equal(sqs_message_count(f.s), 0);
        close_model(&f);
    }
}

/* What tenants cost is theirs alone. */
static void without_groups_nothing_is_paid(void **state)
{
    (void)state;
    int64_t bytes[2];
    for (int i = 0; i < 2; i++) {
        struct fixture f;
        open_model(&f, i ? "aws-2026" : "ideal");
        for (int n = 0; n < 20000; n++)
            send_to(&f, f.q, 0, "x");
        bytes[i] = sqs_memory_bytes(f.s);
        close_model(&f);
    }
    assert_int_equal(bytes[0], bytes[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_noisy_group_comes_last),
        cmocka_unit_test(few_in_flight_are_not_noise),
        cmocka_unit_test(a_small_share_is_not_noise),
        cmocka_unit_test(without_backlog_it_is_quiet),
        cmocka_unit_test(silence_makes_quiet),
        cmocka_unit_test(shares_that_fall_make_quiet),
        cmocka_unit_test(the_fewest_in_flight_of_the_noisy),
        cmocka_unit_test(slow_messages_are_noise),
        cmocka_unit_test(slowness_is_forgotten),
        cmocka_unit_test(changes_of_visibility_count_once),
        cmocka_unit_test(an_era_without_it_is_first_in_first_out),
        cmocka_unit_test(a_dead_letter_queue_keeps_groups),
        cmocka_unit_test(random_calls_lose_nothing),
        cmocka_unit_test(without_groups_nothing_is_paid),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
