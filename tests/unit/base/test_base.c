/* test_base.c - facts about errors, texts, units, dice, arenas, INI and ledgers. */
#include "base/arena.h"
#include "base/date.h"
#include "base/dice.h"
#include "base/hash.h"
#include "base/ini.h"
#include "base/text.h"
#include "jobq/ledger.h"
#include "jobq/units.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static void error_keeps_the_innermost_fault(void **state)
{
    (void)state;
    struct jobq_error err = {0};
    assert_int_equal(jobq_fail(&err, JOBQ_LIMIT, "batch of %d", 11), JOBQ_LIMIT);
    assert_int_equal(jobq_wrap(&err, "queue '%s'", "q"), JOBQ_LIMIT);
    assert_string_equal(err.text, "queue 'q': batch of 11");
    for (int i = 0; i < 100; i++)
        jobq_wrap(&err, "a rather long context, number %d", i);
    assert_true(strlen(err.text) < sizeof err.text);
    assert_memory_equal(err.text, "a rather long context, number 99", 32);
}

static void durations_are_exact(void **state)
{
    (void)state;
    struct jobq_error err;
    static const struct {
        const char *text;
        int64_t ns;
    } good[] = {{"250ms", 250000000},
                {"2s", 2000000000},
                {"90", INT64_C(90000000000)},
                {"1.5h", INT64_C(5400000000000)},
                {"0.000000001", 1},
                {"0", 0},
                {"12h", INT64_C(43200000000000)},
                {"1e3ms", 1000000000},
                {"1e-9s", 1},
                {"0.1", 100000000}};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        int64_t ns = -1;
        assert_int_equal(jobq_parse_duration(good[i].text, &ns, &err), JOBQ_OK);
        assert_int_equal(ns, good[i].ns);
    }
    static const char *const bad[] = {"",    "s",  "-1s",  "1x",  "1 s", "1..2s",
                                      "nan", "1e", "0x10", "1s ", "\x01"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        int64_t ns = 7;
        assert_int_equal(jobq_parse_duration(bad[i], &ns, &err), JOBQ_INVALID);
        assert_int_equal(ns, 7);
    }
    int64_t ns;
    assert_int_equal(jobq_parse_duration("300000d", &ns, &err), JOBQ_LIMIT);
    assert_int_equal(jobq_parse_duration("1e40", &ns, &err), JOBQ_LIMIT);
    jobq_parse_duration("\x01\x02", &ns, &err);
    assert_string_equal(
        err.text,
        "malformed duration '\\x01\\x02', want such as 250ms, 90s, 5min, 1.5h or 2d");
}

static void sizes_and_counts(void **state)
{
    (void)state;
    struct jobq_error err;
    int64_t v;
    assert_int_equal(jobq_parse_size("64KiB", &v, &err), 0);
    assert_int_equal(v, 65536);
    assert_int_equal(jobq_parse_size("1.5k", &v, &err), 0);
    assert_int_equal(v, 1536);
    assert_int_equal(jobq_parse_size("1KB", &v, &err), 0);
    assert_int_equal(v, 1000);
    assert_int_equal(jobq_parse_size("0.3", &v, &err), JOBQ_INVALID);
    assert_int_equal(jobq_parse_count("6.3M", &v, &err), 0);
    assert_int_equal(v, 6300000);
    assert_int_equal(jobq_parse_count("1e6", &v, &err), 0);
    assert_int_equal(v, 1000000);
    double d;
    assert_int_equal(jobq_parse_number("5%", &d, &err), 0);
    assert_true(fabs(d - 0.05) < 1e-15);
    assert_int_equal(jobq_parse_number("inf", &d, &err), JOBQ_INVALID);
}

static void formats_read_back(void **state)
{
    (void)state;
    struct jobq_error err;
    static const int64_t ns[] = {0,
                                 1,
                                 999,
                                 1500,
                                 250000000,
                                 90000000000,
                                 86400000000000,
                                 123456789,
                                 5400000000000};
    for (size_t i = 0; i < sizeof ns / sizeof *ns; i++) {
        char out[40];
        int64_t back = -1;
        jobq_format_duration(ns[i], out, sizeof out);
        assert_int_equal(jobq_parse_duration(out, &back, &err), 0);
        assert_int_equal(back, ns[i]);
        jobq_format_size(ns[i], out, sizeof out);
        assert_int_equal(jobq_parse_size(out, &back, &err), 0);
        assert_int_equal(back, ns[i]);
    }
}

static void dice_known_answers(void **state)
{
    (void)state;
    struct dice dice = {{1, 2, 3, 4}};
    assert_true(dice_bits(&dice) == 41943041);
    assert_true(dice_bits(&dice) == 58720359);
    assert_true(dice_bits(&dice) == UINT64_C(3588806011781223));
    struct dice a, b, c;
    dice_init(&a, 1, "arrivals", 0);
    dice_init(&b, 1, "arrivals", 1);
    dice_init(&c, 1, "arrivals", 0);
    uint64_t first = dice_bits(&a);
    assert_true(first == dice_bits(&c));
    assert_true(first != dice_bits(&b));
    double sum = 0;
    for (int i = 0; i < 100000; i++)
        sum += dice_u(&a);
    assert_true(fabs(sum / 100000 - 0.5) < 0.005);
}

static void arena_gives_back_at_once(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena, 64);
    char *first = arena_alloc(&arena, 10);
    memset(first, 1, 10);
    char *big = arena_alloc(&arena, 100000);
    memset(big, 2, 100000);
    assert_int_equal(first[9], 1);
    assert_int_equal((uintptr_t)big % 16, 0);
    arena_reset(&arena);
    assert_true(arena_used(&arena) >= 100000);
    struct jobq_str phantom = arena_str(&arena, (struct jobq_str){NULL, 5});
    assert_null(phantom.ptr);
    assert_int_equal(phantom.len, 5);
    arena_release(&arena);
}

static void text_writes_and_escapes(void **state)
{
    (void)state;
    struct text text = {0};
    text_put_int(&text, INT64_MIN);
    text_putc(&text, ' ');
    text_put_double(&text, 0.1);
    text_put_str(&text, (struct jobq_str){NULL, 3});
    text_put_escaped(&text, "\n", 1);
    assert_string_equal(text.ptr, "-9223372036854775808 0.1xxx\\x0a");
    text_release(&text);
    char cut[8];
    assert_string_equal(text_escape("abcdefghij", 10, cut, sizeof cut), "abcd...");
    assert_string_equal(text_escape("abcdefg", 7, cut, sizeof cut), "abcdefg");
    char ends[16];
    assert_string_equal(text_escape_ends("abcdefghijklmno", 15, ends, sizeof ends),
                        "abcdefghijklmno");
    assert_string_equal(text_escape_ends("abcdefghijklmnop", 16, ends, sizeof ends),
                        "abcd...ijklmnop");
    assert_string_equal(text_escape_ends("abcdefghijklmnop\n", 17, ends, sizeof ends),
                        "abcd...mnop\\x0a");
    int64_t v;
    assert_true(str_to_int(STR("-9223372036854775808"), &v) && v == INT64_MIN);
    assert_false(str_to_int(STR("9223372036854775808"), &v));
    assert_false(str_to_int(STR("1a"), &v));
}

static void json_strings_are_valid_whatever_the_bytes(void **state)
{
    (void)state;
    const struct {
        struct jobq_str in;
        const char *out;
    } cases[] = {
        {STR(""), "\"\""},
        {STR("a\"b\\c\n\t\x01\x7f"), "\"a\\\"b\\\\c\\n\\t\\u0001\x7f\""},
        {STR("z\0"), "\"z\\u0000\""},
        {STR("\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"),
         "\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\""},
        {STR("\xe9t\xc3"), "\"\xef\xbf\xbdt\xef\xbf\xbd\""}, /* Latin-1; cut short */
        {STR("\xc0\xaf"), "\"\xef\xbf\xbd\xef\xbf\xbd\""},   /* longer than need be */
        {STR("\xed\xa0\x80"),
         "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""}, /* a surrogate */
        {{NULL, 3}, "\"xxx\""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct text text = {0};
        text_put_json(&text, cases[i].in);
        assert_string_equal(text.ptr, cases[i].out);
        assert_int_equal(text_json_bytes(cases[i].in), (int64_t)text.len - 2);
        text_release(&text);
    }
}

static void hashes_and_dates_have_their_known_answers(void **state)
{
    (void)state;
    assert_true(hash_add(HASH_START, "a", 1) == UINT64_C(0xaf63dc4c8601ec8c));
    assert_true(hash_add(HASH_START, "foobar", 6) == UINT64_C(0x85944171f73967e8));
    assert_int_equal(date_days((struct date){1970, 1, 1}), 0);
    assert_int_equal(date_days((struct date){2000, 3, 1}), 11017);
    assert_int_equal(date_days((struct date){2026, 11, 24}), 20781);
    for (int64_t day = -719468; day < 2932896; day += 1 + (day & 7)) {
        struct date date = date_of_days(day);
        assert_true(date.month >= 1 && date.month <= 12 && date.day >= 1);
        if (date.year >= 0)
            assert_int_equal(date_days(date), day);
    }
    struct date leap = date_of_days(date_days((struct date){2024, 2, 28}) + 1);
    assert_true(leap.year == 2024 && leap.month == 2 && leap.day == 29);
}

static void number_is_written(int64_t value)
{
    char want[24], got[40];
    int len = snprintf(want, sizeof want, "%lld", (long long)value);
    memset(got, '#', sizeof got);
    assert_int_equal(text_write_int(got, value), len);
    assert_memory_equal(got, want, (size_t)len);
    for (size_t i = (size_t)len; i < sizeof got; i++)
        assert_int_equal(got[i], '#'); /* nothing behind it */
    assert_int_equal(text_int_bytes(value), len);
    int64_t back;
    assert_true(str_to_int((struct jobq_str){want, len}, &back));
    assert_int_equal(back, value);
    snprintf(want, sizeof want, "%016llx", (unsigned long long)value);
    memset(got, '#', sizeof got);
    text_write_hex64(got, (uint64_t)value);
    assert_memory_equal(got, want, 16);
    assert_int_equal(got[16], '#');
}

/* Any number of digits, the ends of each, and both signs, as printf writes them. */
static void numbers_are_written_as_printf_does(void **state)
{
    (void)state;
    struct dice dice;
    dice_init(&dice, 5, "numbers", 0);
    for (int64_t value = -20000; value <= 20000; value++)
        number_is_written(value);
    int64_t power = 1;
    for (int digits = 1; digits <= 18; digits++, power *= 10)
        for (int64_t near = -2; near <= 2; near++) {
            number_is_written(power + near);
            number_is_written(-power + near);
        }
    for (int round = 0; round < 50000; round++)
        number_is_written((int64_t)(dice_bits(&dice) >> dice_below(&dice, 64)));
    number_is_written(INT64_MAX);
    number_is_written(INT64_MIN);
}

/* One wrong byte anywhere, of any value, is seen. */
static void numbers_with_a_wrong_byte_are_refused(void **state)
{
    (void)state;
    for (int len = 1; len <= 20; len++)
        for (int at = 0; at < len; at++)
            for (int c = 0; c < 256; c++) {
                char text[20];
                int64_t value;
                memset(text, '1', sizeof text);
                text[at] = (char)c;
                bool good = (c >= '0' && c <= '9') || (c == '-' && at == 0 && len > 1);
                bool fits = len < 20 || (at == 0 && (c == '0' || c == '-'));
                assert_int_equal(str_to_int((struct jobq_str){text, len}, &value),
                                 good && fits);
            }
}

static int keep(void *ctx, const char *section, const char *key, const char *value,
                int line, struct jobq_error *err)
{
    if (strcmp(key, "bad") == 0)
        return jobq_fail(err, JOBQ_INVALID, "unknown key '%s'", key);
    text_printf(ctx, "[%s]%s=%s@%d;", section, key, value, line);
    return JOBQ_OK;
}

static void ini_names_the_line(void **state)
{
    (void)state;
    struct text seen = {0};
    struct jobq_error err;
    assert_int_equal(
        ini_read_text("a = 1\n# c\n[s]\nb = 2\n", "f.ini", keep, &seen, &err), 0);
    assert_string_equal(seen.ptr, "[]a=1@1;[s]b=2@4;");
    assert_int_equal(ini_read_text("a = 1\nbad = 2\n", "f.ini", keep, &seen, &err),
                     JOBQ_INVALID);
    assert_string_equal(err.text, "f.ini:2: unknown key 'bad'");
    assert_int_equal(ini_read_text("a = 1\nnonsense\n", "f.ini", keep, &seen, &err),
                     JOBQ_INVALID);
    assert_non_null(strstr(err.text, "f.ini:2: malformed"));
    text_clear(&seen);
    /* Long values, comments; and what is too long. */
    struct text file = {0}, want = {0};
    text_printf(&file, "a = 1\n# %0300d\n[s]\ntoken = %02000d= ; a comment\r\nb = 2\n", 0,
                7);
    text_printf(&want, "[]a=1@1;[s]token=%02000d=@4;[s]b=2@5;", 7);
    assert_int_equal(ini_read_text(file.ptr, "f.ini", keep, &seen, &err), 0);
    assert_string_equal(seen.ptr, want.ptr);
    text_clear(&file);
    text_printf(&file, "a = 1\nb = %0*d\n", INI_LINE_MAX, 0);
    assert_int_equal(ini_read_text(file.ptr, "f.ini", keep, &seen, &err), JOBQ_INVALID);
    assert_string_equal(err.text, "f.ini:2: line is longer than '6144' bytes");
    text_clear(&file);
    text_printf(&file, "[%0300d]\n", 0);
    assert_int_equal(ini_read_text(file.ptr, "f.ini", keep, &seen, &err), JOBQ_INVALID);
    assert_string_equal(err.text, "f.ini:1: line is longer than '199' bytes");
    text_release(&file);
    text_release(&want);
    assert_int_equal(ini_read_file("/nonexistent", keep, &seen, &err), JOBQ_NOT_FOUND);
    text_release(&seen);
}

static void ledgers_add_up(void **state)
{
    (void)state;
    struct jobq_ledger a, b;
    jobq_ledger_init(&a);
    jobq_ledger_init(&b);
    a.action[JOBQ_ACT_SQS_SEND].requests = 3;
    b.action[JOBQ_ACT_SQS_RECEIVE].requests = 4;
    b.action[JOBQ_ACT_SDB_PUT].box_usage_e10h = 219909;
    jobq_ledger_instance(&b)->slots = 8;
    jobq_ledger_add(&a, &b);
    assert_int_equal(jobq_ledger_requests(&a, JOBQ_SQS), 7);
    assert_int_equal(a.instance_count, 1);
    assert_int_equal(a.instance[0].slots, 8);
    assert_int_equal(jobq_payload_bucket(0), 0);
    assert_int_equal(jobq_payload_bucket(1), 1);
    assert_int_equal(jobq_payload_bucket(1024), 1);
    assert_int_equal(jobq_payload_bucket(1025), 2);
    assert_int_equal(jobq_payload_bucket(INT64_C(1) << 20), 1024);
    assert_string_equal(jobq_action_name(JOBQ_ACT_SDB_SELECT), "Select");
    jobq_ledger_release(&a);
    jobq_ledger_release(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(error_keeps_the_innermost_fault),
        cmocka_unit_test(durations_are_exact),
        cmocka_unit_test(sizes_and_counts),
        cmocka_unit_test(formats_read_back),
        cmocka_unit_test(dice_known_answers),
        cmocka_unit_test(arena_gives_back_at_once),
        cmocka_unit_test(text_writes_and_escapes),
        cmocka_unit_test(json_strings_are_valid_whatever_the_bytes),
        cmocka_unit_test(hashes_and_dates_have_their_known_answers),
        cmocka_unit_test(numbers_are_written_as_printf_does),
        cmocka_unit_test(numbers_with_a_wrong_byte_are_refused),
        cmocka_unit_test(ini_names_the_line),
        cmocka_unit_test(ledgers_add_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
