/* test_journal.c - the journal through a full disk and torn records. */
#include "live/lib/journal.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>
#include <cmocka.h>

static char path[] = "/tmp/jobq-journal-XXXXXX";

static void put_file(const char *bytes)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(bytes, file);
    fclose(file);
}

static int join(void *ctx, struct jobq_str record)
{
    text_put_str(ctx, record);
    text_putc(ctx, '|');
    return 0;
}

static void assert_records(struct journal *j, const char *want)
{
    struct text all = {0};
    struct jobq_error err;
    text_puts(&all, "");
    assert_int_equal(j->port.load(j->port.ctx, join, &all, &err), JOBQ_OK);
    assert_string_equal(all.ptr, want);
    text_release(&all);
}

static int add(struct journal *j, const char *a, const char *b)
{
    const struct jobq_str record[2] = {str_of(a), str_of(b)};
    struct jobq_error err;
    return j->port.append(j->port.ctx, record, 2, &err);
}

static void limit_file(rlim_t bytes)
{
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = bytes;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

/* The disk fills within a call's second record: neither stays, and after there is room again
 * the next call's records stand on lines of their own. */
static void a_full_disk_leaves_whole_records(void **state)
{
    (void)state;
    struct journal j;
    struct jobq_error err;
    put_file("");
    assert_int_equal(journal_open(&j, path, &err), JOBQ_OK);
    assert_int_equal(add(&j, "p id-1 1", "s id-1 1"), JOBQ_OK);
    limit_file(
        32); /* 18 are written; the 25th to 32nd byte are "s id-2 1" of "s id-2 123" */
    assert_int_equal(add(&j, "p i 2", "s id-2 123"), JOBQ_UNAVAILABLE);
    assert_records(&j, "p id-1 1|s id-1 1|");
    limit_file(RLIM_INFINITY);
    assert_int_equal(add(&j, "p id-3 3", "s id-3 3"), JOBQ_OK);
    assert_records(&j, "p id-1 1|s id-1 1|p id-3 3|s id-3 3|");
    journal_close(&j, false);
}

/* "s id-2 1" is the head of "s id-2 123": made a line by a newline it would tell of another
 * job, which then would never be sent. */
static void a_torn_record_is_no_record(void **state)
{
    (void)state;
    struct journal j;
    struct jobq_error err;
    put_file("p id-1 1\ns id-1 1\ns id-2 1");
    assert_int_equal(journal_open(&j, path, &err), JOBQ_OK);
    assert_true(journal_resumes(&j));
    assert_records(&j, "p id-1 1|s id-1 1|");
    assert_int_equal(add(&j, "p id-3 3", "s id-3 3"), JOBQ_OK);
    assert_records(&j, "p id-1 1|s id-1 1|p id-3 3|s id-3 3|");
    journal_close(&j, false);

    /* One that is longer than a piece that is looked at, and alone. */
    char *line = malloc(2001);
    memset(line, 'x', 2000);
    line[2000] = '\0';
    put_file(line);
    free(line);
    assert_int_equal(journal_open(&j, path, &err), JOBQ_OK);
    assert_false(journal_resumes(&j));
    journal_close(&j, false);
}

static void one_process_at_a_time(void **state)
{
    (void)state;
    struct journal j, other;
    struct jobq_error err;
    put_file("");
    assert_int_equal(journal_open(&j, path, &err), JOBQ_OK);
    assert_int_equal(journal_open(&other, path, &err), JOBQ_CONFLICT);
    journal_close(&j, true);
    assert_int_equal(access(path, F_OK), -1);
    assert_int_equal(journal_open(&j, "/nowhere/journal", &err), JOBQ_DENIED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_full_disk_leaves_whole_records),
        cmocka_unit_test(a_torn_record_is_no_record),
        cmocka_unit_test(one_process_at_a_time),
    };
    int fd = mkstemp(path);
    if (fd < 0)
        return 1;
    close(fd);
    signal(SIGXFSZ, SIG_IGN);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    unlink(path);
    return failed;
}
