/* test_rowfile.c - rows survive a kill and come out sorted, once each. */
#include "sim/sweep/rowfile.h"

#include "base/dice.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const char HEADER[] = "# schema=test\n# seed=1\nrow,value\n";
enum { ROWS = 200 };

static char dir[] = "/tmp/rowfile-XXXXXX";

static const char *in_dir(const char *name)
{
    static char path[8][128];
    static int turn;
    turn = (turn + 1) % 8;
    snprintf(path[turn], sizeof path[turn], "%s/%s", dir, name);
    return path[turn];
}

static char *slurp(const char *path)
{
    static char text[2][65536];
    static int turn;
    turn = !turn;
    FILE *in = fopen(path, "r");
    assert_non_null(in);
    size_t len = fread(text[turn], 1, sizeof text[turn] - 1, in);
    text[turn][len] = '\0';
    fclose(in);
    return text[turn];
}

static void put(struct rowfile *file, int64_t number)
{
    struct jobq_error err;
    char line[64];
    int len = snprintf(line, sizeof line, "%lld,%lld", (long long)number,
                       (long long)(number * number));
    assert_int_equal(rowfile_put(file, number, line, (size_t)len, &err), 0);
}

static void expect_all(const char *path)
{
    char want[65536];
    size_t at = (size_t)snprintf(want, sizeof want, "%s", HEADER);
    for (int i = 0; i < ROWS; i++)
        at += (size_t)snprintf(want + at, sizeof want - at, "%d,%d\n", i, i * i);
    assert_string_equal(slurp(path), want);
}

static void rows_come_out_sorted(void **state)
{
    (void)state;
    struct jobq_error err;
    struct rowfile *file;
    const char *path = in_dir("sorted.csv");
    assert_int_equal(rowfile_open(path, HEADER, ROWS, 0, 1, &file, &err), 0);
    for (int64_t i = ROWS - 1; i >= 0; i--)
        put(file, i);
    assert_int_equal(rowfile_close(file, &err), 0);
    expect_all(path);
    /* Opening it again finds nothing to do and changes nothing. */
    assert_int_equal(rowfile_open(path, HEADER, ROWS, 0, 1, &file, &err), 0);
    assert_int_equal(rowfile_done(file), ROWS);
    assert_false(rowfile_wants(file, 3));
    assert_int_equal(rowfile_close(file, &err), 0);
    expect_all(path);
}

/* A writer that dies at a random byte of its part file, again and again. */
static void a_kill_loses_no_row_and_repeats_none(void **state)
{
    (void)state;
    struct jobq_error err;
    struct dice dice;
    dice_init(&dice, 11, "kills", 0);
    const char *path = in_dir("killed.csv");
    char part[160];
    snprintf(part, sizeof part, "%s.part", path);
    for (int round = 0;; round++) {
        struct rowfile *file;
        assert_true(round < 1000);
        assert_int_equal(rowfile_open(path, HEADER, ROWS, 0, 1, &file, &err), 0);
        int64_t before = rowfile_done(file), quota = (int64_t)dice_below(&dice, 12);
        for (int64_t i = 0; i < ROWS && quota > 0; i++) {
            int64_t number = i * 77 % ROWS;
            if (rowfile_wants(file, number)) {
                put(file, number);
                quota--;
            }
        }
        int64_t done = rowfile_done(file);
        assert_true(done >= before);
        assert_int_equal(rowfile_close(file, &err), 0);
        if (done == ROWS)
            break;
        FILE *f = fopen(part, "r+");
        fseek(f, 0, SEEK_END);
        long size = ftell(f);
        fclose(f);
        if (dice_below(&dice, 2)) /* half a line, or half a header, at the end */
            assert_int_equal(truncate(part, size - (long)dice_below(&dice, 5)), 0);
    }
    expect_all(path);
    assert_int_equal(access(part, F_OK), -1);
}

static void another_sweeps_file_is_left_alone(void **state)
{
    (void)state;
    struct jobq_error err;
    struct rowfile *file;
    const char *path = in_dir("other.csv");
    FILE *out = fopen(path, "w");
    fputs("something else\n1,2\n", out);
    fclose(out);
    assert_int_equal(rowfile_open(path, HEADER, ROWS, 0, 1, &file, &err), JOBQ_CONFLICT);
    assert_string_equal(slurp(path), "something else\n1,2\n");
    const char *two = in_dir("two.csv");
    struct rowfile *second;
    assert_int_equal(rowfile_open(two, HEADER, ROWS, 0, 1, &file, &err), 0);
    assert_int_equal(rowfile_open(two, HEADER, ROWS, 0, 1, &second, &err), JOBQ_CONFLICT);
    assert_int_equal(rowfile_close(file, &err), 0);
    const char *bad = in_dir("bad.csv");
    char part[160];
    snprintf(part, sizeof part, "%s.part", bad);
    out = fopen(part, "w");
    fprintf(out, "%s5,25\n5,25\n", HEADER);
    fclose(out);
    assert_int_equal(rowfile_open(bad, HEADER, ROWS, 0, 1, &file, &err), JOBQ_CORRUPT);
    assert_non_null(strstr(err.text, "bad.csv.part:5"));
    assert_int_equal(rowfile_open("/nonexistent/x.csv", HEADER, 1, 0, 1, &file, &err),
                     JOBQ_DENIED);
}

static void shards_merge_into_the_whole(void **state)
{
    (void)state;
    struct jobq_error err;
    const char *path[3];
    char name[3][128];
    for (int64_t s = 0; s < 3; s++) {
        char header[128];
        snprintf(header, sizeof header,
                 "# schema=test\n# seed=1\n# shard=%d/3\nrow,value\n", (int)s + 1);
        snprintf(name[s], sizeof name[s], "%s/shard%d.csv", dir, (int)s);
        path[s] = name[s];
        struct rowfile *file;
        assert_int_equal(rowfile_open(path[s], header, ROWS, s, 3, &file, &err), 0);
        for (int64_t i = 0; i < ROWS; i++)
            if (rowfile_wants(file, i))
                put(file, i);
        assert_int_equal(rowfile_close(file, &err), 0);
    }
    const char *whole = in_dir("whole.csv");
    assert_int_equal(rowfile_merge(path, 3, whole, &err), 0);
    expect_all(whole);
    assert_int_equal(rowfile_merge(path, 2, in_dir("less.csv"), &err), JOBQ_CONFLICT);
    assert_non_null(strstr(err.text, "row 2 is missing"));
    assert_int_equal(access(in_dir("less.csv"), F_OK), -1);
    path[2] = path[0];
    assert_int_equal(rowfile_merge(path, 3, in_dir("less.csv"), &err), JOBQ_CONFLICT);
}

static int set_up(void **state)
{
    (void)state;
    return mkdtemp(dir) ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", dir);
    return system(command);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_come_out_sorted),
        cmocka_unit_test(a_kill_loses_no_row_and_repeats_none),
        cmocka_unit_test(another_sweeps_file_is_left_alone),
        cmocka_unit_test(shards_merge_into_the_whole),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
