/* test_command.c - commands and their keeper: what a job gets and gives, and that nothing of it
 * outlives its end, its drainer's or its keeper's. */
#include "live/work/command.h"

#include "base/text.h"
#include "jobq/units.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#define WAIT_NS (10 * JOBQ_NS_PER_S)
enum { PIDS_MAX = 32 };

/* A job of many processes, each of which notes its pid in $PIDS: a child, one that ignores TERM,
 * one in a session of its own, one that was forked twice, and one without our environment. The
 * last line keeps the job running. */
#define FAMILY                                                                           \
    "note='echo $$ >> \"$0\"; exec sleep 1000'; echo $$ >> $PIDS; "                      \
    "sh -c \"$note\" $PIDS & "                                                           \
    "sh -c \"trap '' TERM; $note\" $PIDS & "                                             \
    "setsid sh -c \"$note\" $PIDS & "                                                    \
    "(setsid sh -c \"trap '' TERM; $note\" $PIDS &) ; "                                  \
    "(env -i setsid /bin/sh -c \"$note\" $PIDS &) ; "                                    \
    "while [ $(wc -l < $PIDS) -lt 6 ]; do sleep 0.01; done; "
enum { FAMILY_SIZE = 6 };

static char dir[] = "/tmp/jobq-command-XXXXXX", pids_path[64];

/* ---- running ------------------------------------------------------------------------------ */

struct run {
    struct loop *loop;
    struct command_host *host;
    struct command *command;
    bool ended;
    struct command_end end;
    char tail[JOBQ_OUTPUT_TAIL + 1];
};

static void on_end(void *ctx)
{
    ((struct run *)ctx)->ended = true;
}

static void run_open(struct run *r, const char *command)
{
    struct jobq_error err;
    struct command_options options = {.command = command};
    *r = (struct run){.loop = loop_new(&err)};
    unlink(pids_path);
    r->host = command_host_new(r->loop, &options);
}

static void run_start(struct run *r, const char *payload)
{
    struct jobq_error err;
    struct jobq_work work = {.kind = JOBQ_WORK_EXEC,
                             .job_id = STR("q-1"),
                             .queue_name = STR("q"),
                             .attempt = 2,
                             .payload = str_of(payload)};
    r->ended = false;
    if (command_start(r->host, &work, on_end, r, &r->command, &err) != JOBQ_OK)
        fail_msg("%s", err.text);
}

static void turn(struct run *r)
{
    struct jobq_error err;
    loop_turn(r->loop, false, &err);
    poll(NULL, 0, 1);
}

static void run_to_end(struct run *r)
{
    int64_t until_ns = loop_now_ns() + WAIT_NS;
    while (!r->ended && loop_now_ns() < until_ns)
        turn(r);
    assert_true(r->ended);
    command_result(r->command, &r->end);
    r->tail[command_tail(r->command, r->tail)] = '\0';
    command_free(r->command);
}

static void run_close(struct run *r)
{
    command_host_free(r->host);
    loop_free(r->loop);
    /* No zombie, no adopted child. */
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    assert_int_equal(errno, ECHILD);
}

/* ---- who lives ---------------------------------------------------------------------------- */

static int read_pids(pid_t *out)
{
    int count = 0;
    long pid;
    FILE *file = fopen(pids_path, "r");
    while (file && count < PIDS_MAX && fscanf(file, "%ld", &pid) == 1)
        out[count++] = (pid_t)pid;
    if (file)
        fclose(file);
    return count;
}

static int living(void)
{
    pid_t pid[PIDS_MAX];
    int count = read_pids(pid), alive = 0;
    for (int i = 0; i < count; i++)
        alive += kill(pid[i], 0) == 0;
    return alive;
}

static void wait_for_family(struct run *r)
{
    int64_t until_ns = loop_now_ns() + WAIT_NS;
    while (living() < FAMILY_SIZE && loop_now_ns() < until_ns)
        turn(r);
    assert_int_equal(living(), FAMILY_SIZE);
}

static void assert_family_dies(void)
{
    int64_t until_ns = loop_now_ns() + WAIT_NS;
    while (living() > 0 && loop_now_ns() < until_ns)
        poll(NULL, 0, 1);
    assert_int_equal(living(), 0);
}

/* The keeper of process `of`: its child of that name; 0: none. */
static pid_t keeper_of(pid_t of)
{
    char path[80], name[32] = "";
    long pid = 0;
    snprintf(path, sizeof path, "/proc/%ld/task/%ld/children", (long)of, (long)of);
    FILE *file = fopen(path, "r");
    while (file && fscanf(file, "%ld", &pid) == 1) {
        snprintf(path, sizeof path, "/proc/%ld/comm", pid);
        FILE *comm = fopen(path, "r");
        if (comm && fgets(name, sizeof name, comm) && strcmp(name, "jobq-keeper\n") != 0)
            pid = 0;
        if (comm)
            fclose(comm);
        if (pid)
            break;
    }
    if (file)
        fclose(file);
    return (pid_t)pid;
}

/* ---- tests ---------------------------------------------------------------------------------- */

static void a_job_gets_its_payload_and_gives_its_end(void **state)
{
    (void)state;
    struct run r;
    run_open(&r, "cat; echo err >&2; echo progress 40%; echo $JOBQ_JOB_ID $JOBQ_ATTEMPT "
                 "$JOBQ_QUEUE $AWS_PROFILE.; exit 3");
    setenv("AWS_PROFILE", "secret", 1);
    run_start(&r, "a=1\nb=2\n");
    int64_t until_ns = loop_now_ns() + WAIT_NS;
    while (!r.ended && loop_now_ns() < until_ns)
        turn(&r);
    assert_int_equal(command_percent(r.command), 40);
    run_to_end(&r);
    assert_string_equal(r.tail, "a=1\nb=2\nerr\nprogress 40%\nq-1 2 q .\n");
    assert_int_equal(r.end.exit_code, 3);
    assert_true(r.end.wall_ns > 0);
    run_start(&r, ""); /* no payload is an empty input, not a missing one */
    run_to_end(&r);
    assert_string_equal(r.tail, "err\nprogress 40%\nq-1 2 q .\n");
    run_close(&r);
    unsetenv("AWS_PROFILE");
}

static void a_signal_and_a_missing_program_are_told(void **state)
{
    (void)state;
    struct run r;
    run_open(&r, "kill -SEGV $$");
    run_start(&r, "");
    run_to_end(&r);
    assert_int_equal(r.end.exit_code, 128 + SIGSEGV);
    run_close(&r);
    run_open(&r, "/nowhere/at-all");
    run_start(&r, "");
    run_to_end(&r);
    assert_int_equal(r.end.exit_code, 127);
    assert_non_null(strstr(r.tail, "cannot be executed"));
    run_close(&r);
}

static void a_job_leaves_nothing_behind(void **state)
{
    (void)state;
    struct run r;
    run_open(&r, FAMILY "echo over");
    run_start(&r, "");
    run_to_end(&r);
    assert_int_equal(r.end.exit_code, 0);
    assert_string_equal(r.tail, "over\n");
    pid_t pid[PIDS_MAX];
    assert_int_equal(read_pids(pid), FAMILY_SIZE);
    assert_family_dies();
    run_close(&r);
}

/* What a running job forked away is its own until it ends, whoever ends beside it. */
static void a_running_jobs_orphans_live(void **state)
{
    (void)state;
    struct run r, other;
    run_open(&r, "read a; case $a in family) " FAMILY "sleep 1000;; esac");
    other = r;
    run_start(&r, "family\n");
    wait_for_family(&r);
    run_start(&other, "other\n");
    run_to_end(&other);
    assert_int_equal(living(), FAMILY_SIZE);
    command_stop(r.command, 100 * JOBQ_NS_PER_MS);
    run_to_end(&r);
    assert_family_dies();
    run_close(&r);
}

static void a_stop_is_term_and_then_kill(void **state)
{
    (void)state;
    struct run r;
    run_open(&r, "trap 'echo term' TERM; echo $$ >> $PIDS; while :; do sleep 0.01; done");
    run_start(&r, "");
    int64_t until_ns = loop_now_ns() + WAIT_NS;
    while (!living() && loop_now_ns() < until_ns)
        turn(&r);
    command_stop(r.command, 300 * JOBQ_NS_PER_MS);
    run_to_end(&r);
    assert_int_equal(r.end.exit_code, 128 + SIGKILL);
    assert_non_null(strstr(r.tail, "term"));
    assert_true(r.end.wall_ns >= 290 * JOBQ_NS_PER_MS); /* a timer may be a tick early */
    run_close(&r);
}

static void closing_ends_what_runs(void **state)
{
    (void)state;
    struct run r;
    run_open(&r, FAMILY "sleep 1000");
    run_start(&r, "");
    wait_for_family(&r);
    run_close(&r);
    assert_int_equal(living(), 0);
}

/* The drainer is a process of its own, killed with -9. */
static void a_killed_drainer_leaves_no_orphan(void **state)
{
    (void)state;
    unlink(pids_path);
    pid_t drainer = fork();
    if (drainer == 0) {
        struct run r;
        run_open(&r, FAMILY "sleep 1000");
        run_start(&r, "");
        for (;;)
            turn(&r);
    }
    int64_t until_ns = loop_now_ns() + WAIT_NS;
    while (living() < FAMILY_SIZE && loop_now_ns() < until_ns)
        poll(NULL, 0, 1);
    assert_int_equal(living(), FAMILY_SIZE);
    assert_int_equal(kill(drainer, SIGKILL), 0);
    assert_int_equal(waitpid(drainer, NULL, 0), drainer);
    assert_family_dies();
    /* Its keeper comes to us, and has ended. */
    int status;
    assert_true(waitpid(-1, &status, 0) > 0);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
}

static void a_killed_keeper_takes_its_jobs_along(void **state)
{
    (void)state;
    struct run r;
    run_open(&r, FAMILY "sleep 1000");
    run_start(&r, "");
    wait_for_family(&r);
    pid_t keeper = keeper_of(getpid());
    assert_true(keeper > 0);
    /* It outlives what may be told to a whole session or service. */
    kill(keeper, SIGTERM);
    kill(keeper, SIGINT);
    kill(keeper, SIGHUP);
    assert_int_equal(living(), FAMILY_SIZE);
    kill(keeper, SIGKILL);
    run_to_end(&r);
    assert_int_equal(r.end.exit_code, 128 + SIGKILL);
    assert_non_null(strstr(r.tail, "keeper"));
    assert_family_dies();
    /* The next command gets another. */
    unlink(pids_path);
    run_start(&r, "");
    wait_for_family(&r);
    run_close(&r);
    assert_int_equal(living(), 0);
}

/* More than a socket holds in replies, ended while the loop does not turn, and stopped all at
 * once: neither side waits for the other. */
static void many_commands_at_once(void **state)
{
    (void)state;
    enum { MANY = 600 };
    struct run r[MANY];
    run_open(&r[0], "sleep 1000");
    for (int i = 0; i < MANY; i++) {
        r[i].loop = r[0].loop;
        r[i].host = r[0].host;
        run_start(&r[i], "");
    }
    assert_int_equal(command_running(r[0].host), MANY);
    for (int i = 0; i < MANY; i++)
        command_stop(r[i].command, 5 * JOBQ_NS_PER_S);
    for (int i = 0; i < MANY; i++) {
        run_to_end(&r[i]);
        assert_int_equal(r[i].end.exit_code, 128 + SIGTERM);
    }
    run_close(&r[0]);
}

static void progress_is_read_from_whole_lines(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int percent;
    } cases[] = {{"progress 5%\n", 5},
                 {"progress 100%\r", 100},
                 {"progress 101%\n", -1},
                 {"progress 5%", -1},
                 {"progress 5% \n", -1},
                 {"a progress 5%\n", -1},
                 {"progress -1%\n", -1},
                 {"progress 7%\nxx\n", 7},
                 {"progress 0000000000000000001%\n", -1}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct command_lines lines = {.len = 0};
        int got = -1;
        for (const char *c = cases[i].text; *c; c++)
            got = command_lines_feed(&lines, c, 1);
        if (got != cases[i].percent)
            fail_msg("case %zu: %d", i, got);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_job_gets_its_payload_and_gives_its_end),
        cmocka_unit_test(a_signal_and_a_missing_program_are_told),
        cmocka_unit_test(a_job_leaves_nothing_behind),
        cmocka_unit_test(a_running_jobs_orphans_live),
        cmocka_unit_test(a_stop_is_term_and_then_kill),
        cmocka_unit_test(closing_ends_what_runs),
        cmocka_unit_test(a_killed_drainer_leaves_no_orphan),
        cmocka_unit_test(a_killed_keeper_takes_its_jobs_along),
        cmocka_unit_test(many_commands_at_once),
        cmocka_unit_test(progress_is_read_from_whole_lines),
    };
    if (!mkdtemp(dir))
        return 1;
    snprintf(pids_path, sizeof pids_path, "%s/pids", dir);
    setenv("PIDS", pids_path, 1);
    prctl(PR_SET_CHILD_SUBREAPER, 1L, 0L, 0L, 0L);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    unlink(pids_path);
    rmdir(dir);
    return failed;
}
