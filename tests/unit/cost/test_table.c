/* test_table.c - a sweep's CSV is read strictly, and its faults are named by line. */
#include "cost/fit/table.h"

#include "base/dice.h"
#include "base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <math.h>
#include <string.h>

static const char GOOD[] = "# schema=jobq.sweep/1\n# a comment\n# seed=7\n"
                           "point,payload,in.payload[B],sqs_send[requests/job]\n"
                           "0,64KiB,65536,0.1\n"
                           "1,64,64,1e-1\n";

static void cells_keys_and_units(void **state)
{
    (void)state;
    struct table *t;
    struct jobq_error err;
    assert_int_equal(table_parse(GOOD, sizeof GOOD - 1, "f.csv", &t, &err), 0);
    assert_string_equal(table_key(t, "seed"), "7");
    assert_null(table_key(t, "none"));
    assert_int_equal(table_rows(t), 2);
    int c = table_find(t, "sqs_send");
    assert_int_equal(c, 3);
    assert_string_equal(table_unit(t, c), "requests/job");
    assert_true(table_number(t, 1, c) == 0.1);
    assert_true(isnan(table_number(t, 0, 1)));
    assert_true(str_is(table_text(t, 0, 1), "64KiB"));
    assert_int_equal(table_line(t, 1), 6);
    table_free(t);
}

static void faults_are_named_by_line(void **state)
{
    (void)state;
    static const char *const bad[][2] = {
        {"", "f.csv: has no line of column names"},
        {"# only=this\n", "f.csv: has no line of column names"},
        {"a,b\n1,2\n1,2,3\n", "f.csv:3: more cells than the 2 columns"},
        {"a,b\n1\n", "f.csv:2: fewer cells than the 2 columns"},
        {"a,b\n1,2", "f.csv:2: the last line is cut short"},
        {"a,a\n", "f.csv:1: column 'a' appears twice"},
        {"a,b[s\n", "f.csv:1: column 2 has an invalid name"},
        {"a,\n", "f.csv:1: column 2 has an invalid name"},
        {"a\n\n", NULL}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct table *t;
        struct jobq_error err;
        int code = table_parse(bad[i][0], strlen(bad[i][0]), "f.csv", &t, &err);
        if (!bad[i][1]) { /* an empty cell is a text, not a fault */
            assert_int_equal(code, 0);
            table_free(t);
            continue;
        }
        assert_true(code < 0);
        assert_string_equal(err.text, bad[i][1]);
    }
}

/* Any bytes either parse or give an error with a text; nothing crashes or hangs. */
static void any_bytes_are_safe(void **state)
{
    (void)state;
    struct dice dice;
    dice_init(&dice, 9, "bytes", 0);
    for (int round = 0; round < 20000; round++) {
        char text[sizeof GOOD];
        memcpy(text, GOOD, sizeof GOOD);
        size_t len = sizeof GOOD - 1 - (size_t)dice_below(&dice, 20);
        for (uint64_t n = dice_below(&dice, 6); n > 0; n--)
            text[dice_below(&dice, len)] = "\n,#=[]\0a1.\xff"[dice_below(&dice, 11)];
        struct table *t;
        struct jobq_error err = {0};
        if (table_parse(text, len, "f.csv", &t, &err) == JOBQ_OK) {
            for (size_t r = 0; r < table_rows(t); r++)
                for (int c = 0; c < table_columns(t); c++)
                    assert_true(table_text(t, r, c).len >= 0);
            table_free(t);
        } else {
            assert_true(strlen(err.text) > 7);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cells_keys_and_units),
        cmocka_unit_test(faults_are_named_by_line),
        cmocka_unit_test(any_bytes_are_safe),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
