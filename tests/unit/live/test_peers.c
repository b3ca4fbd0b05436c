/* test_peers.c - how drainers of one box find each other, and whom the page believes. */
#include "live/page/peers.h"

#include "jobq/units.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

enum { NOBODY = 65534 };
static char queue[48]; /* of this run alone */

static void fill(void *ctx, struct status_drainer *out)
{
    *out = (struct status_drainer){.slots = 4, .busy = 3, .seen_wall_ns = loop_wall_ns()};
    snprintf(out->id, sizeof out->id, "%s", (const char *)ctx);
    snprintf(out->box, sizeof out->box, "box");
}

/* A drainer in a process of its own, as uid (or as ourselves: 0). Returns once it answers. */
static pid_t start_drainer(const char *name, uid_t uid)
{
    int ready[2];
    char byte;
    assert_int_equal(pipe(ready), 0);
    pid_t pid = fork();
    if (pid == 0) {
        struct jobq_error err;
        if (uid && setresuid(uid, uid, uid) != 0)
            _exit(1);
        prctl(PR_SET_PDEATHSIG, SIGKILL); /* behind the change of user, which clears it */
        struct loop *loop = loop_new(&err);
        struct peers *peers = peers_new(loop, queue, "");
        char own[24];
        snprintf(own, sizeof own, "%s", name);
        peers_answer(peers, fill, own);
        if (write(ready[1], "r", 1) != 1)
            _exit(1);
        loop_run(loop, &err);
        _exit(0);
    }
    close(ready[1]);
    assert_int_equal(read(ready[0], &byte, 1), 1);
    close(ready[0]);
    return pid;
}

static void end_drainer(pid_t pid)
{
    kill(pid, SIGKILL);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
}

/* Turns the loop until there are want of them, a second at most. Returns how many. */
static int wait_for_peers(struct loop *loop, struct peers **peers, int want,
                          struct status_drainer out[8])
{
    int64_t until_ns = loop_now_ns() + JOBQ_NS_PER_S;
    struct jobq_error err;
    bool waiting;
    int count;
    while ((count = peers_list(peers, out, 8, &waiting)) < want &&
           loop_now_ns() < until_ns)
        loop_turn(loop, false, &err);
    return count;
}

static void own_drainers_are_found(void **state)
{
    (void)state;
    struct jobq_error err;
    struct status_drainer out[8];
    pid_t a = start_drainer("drainer-a", 0), b = start_drainer("drainer-b", 0);
    struct loop *loop = loop_new(&err);
    struct peers *peers = peers_new(loop, queue, "");
    peers_ask(peers);
    assert_int_equal(wait_for_peers(loop, &peers, 2, out), 2);
    assert_int_equal(out[0].busy, 3);
    assert_string_equal(out[0].box, "box");
    peers_free(peers);
    loop_free(loop);
    end_drainer(a);
    end_drainer(b);
}

/* Another user answers first, under a name that the page asks; only ours is believed. */
static void another_users_answer_is_not_believed(void **state)
{
    (void)state;
    struct jobq_error err;
    struct status_drainer out[8];
    if (geteuid() != 0)
        skip(); /* nobody else can be played */
    pid_t other = start_drainer("false", NOBODY), own = start_drainer("true", 0);
    struct loop *loop = loop_new(&err);
    struct peers *peers = peers_new(loop, queue, "");
    peers_ask(peers);
    wait_for_peers(loop, &peers, 2, out); /* a whole second, in which both answer */
    bool waiting;
    assert_int_equal(peers_list(&peers, out, 8, &waiting), 1);
    assert_string_equal(out[0].id, "true");
    peers_free(peers);
    loop_free(loop);
    end_drainer(other);
    end_drainer(own);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(own_drainers_are_found),
        cmocka_unit_test(another_users_answer_is_not_believed),
    };
    snprintf(queue, sizeof queue, "test-peers-%ld", (long)getpid());
    return cmocka_run_group_tests(tests, NULL, NULL);
}
