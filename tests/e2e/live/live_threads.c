/* live_threads.c - a blocking application of many threads on libjobq, for a thread checker to
 * watch (live_tsan.py).
 *
 * Room:     tests, an application: it knows the library's headers only.
 *
 * usage: live_threads QUEUE. Prints the ids that were acknowledged, then "freeing", and reads
 * two lines: behind the first its threads ask for a status each, behind the second it frees
 * the enqueuer that they ask. Exit 1 with a line on whatever a call should not have answered. */
#include "jobq/jobq.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { THREADS = 10, ROUNDS = 6, BATCH = 12 };

static void want(int good, const char *what, const struct jobq_error *err)
{
    if (good)
        return;
    fprintf(stderr, "%s: %s\n", what, err->text);
    exit(1);
}

struct user {
    struct jobq_enqueuer *shared;
    const char *text; /* the queue's name, or a job's id */
    pthread_t thread;
};

static const struct jobq_dict JOB[] = {{"kind", "sleep"}, {"seconds", "0"}};

static void one(struct jobq_enqueuer *q, int cancel)
{
    struct jobq_error err = {0};
    struct jobq_status status;
    char id[JOBQ_ID_MAX];
    want(jobq_enqueue(q, JOB, 2, id, &err) == 0, "enqueue", &err);
    want(jobq_status(q, id, &status, &err) == 0, "status", &err);
    want(strcmp(status.state, "queued") == 0, status.state, &err);
    if (cancel) {
        want(jobq_cancel(q, id, &err) == 0, "cancel", &err);
    } else {
        puts(id);
    }
}

static void many(struct jobq_enqueuer *q)
{
    struct jobq_error err = {0};
    struct jobq_job job[BATCH];
    for (int i = 0; i < BATCH; i++)
        job[i] = (struct jobq_job){.dict = JOB, .count = 2};
    want(jobq_enqueue_batch(q, job, BATCH, &err) == BATCH, "batch", &err);
    for (int i = 0; i < BATCH; i++)
        puts(job[i].id);
}

static void wrong(struct jobq_enqueuer *q)
{
    struct jobq_error err = {0};
    struct jobq_status status;
    want(jobq_status(q, "no-such-id", &status, &err) < 0, "wrong id", &err);
}

/* On the enqueuer that all share, and every second round on one of its own. */
static void *use(void *arg)
{
    struct user *user = arg;
    for (int i = 0; i < ROUNDS; i++) {
        one(user->shared, i % 2);
        many(user->shared);
        wrong(user->shared);
        if (i % 2)
            continue;
        struct jobq_error err = {0};
        struct jobq_enqueuer *own = jobq_enqueuer_new(user->text, -1, &err);
        want(own != NULL, "an enqueuer of its own", &err);
        one(own, 0);
        jobq_enqueuer_free(own);
    }
    return NULL;
}

static void start(struct user *user, void *(*fn)(void *), struct jobq_enqueuer *shared,
                  const char *text)
{
    for (int i = 0; i < THREADS; i++) {
        user[i] = (struct user){.shared = shared, .text = text};
        if (pthread_create(&user[i].thread, NULL, fn, &user[i]) != 0)
            exit(1);
    }
}

static void join(struct user *user)
{
    for (int i = 0; i < THREADS; i++)
        pthread_join(user[i].thread, NULL);
}

/* Until another thread closes what it uses. */
static void *use_until_closed(void *arg)
{
    struct user *user = arg;
    for (;;) {
        struct jobq_error err = {0};
        char id[JOBQ_ID_MAX];
        int rc = jobq_enqueue(user->shared, JOB, 2, id, &err);
        if (rc == JOBQ_CANCELLED)
            return NULL;
        want(rc == 0, "enqueue before the close", &err);
        puts(id);
    }
}

static void *close_it(void *arg)
{
    struct jobq_enqueuer *q = arg;
    jobq_enqueuer_close(q);
    return NULL;
}

static void close_while_used(const char *queue)
{
    struct jobq_error err = {0};
    struct user user[THREADS];
    pthread_t closer;
    struct jobq_enqueuer *shared = jobq_enqueuer_new(queue, -1, &err);
    want(shared != NULL, "an enqueuer to close", &err);
    start(user, use_until_closed, shared, NULL);
    one(shared, 0);
    if (pthread_create(&closer, NULL, close_it, shared) != 0)
        exit(1);
    jobq_enqueuer_close(shared);
    join(user);
    pthread_join(closer, NULL);
    jobq_enqueuer_free(shared);
}

static void *ask(void *arg)
{
    struct user *user = arg;
    struct jobq_error err = {0};
    struct jobq_status status;
    want(jobq_status(user->shared, user->text, &status, &err) == 0, "status while freed",
         &err);
    return NULL;
}

static void free_while_used(const char *queue)
{
    struct jobq_error err = {0};
    struct user user[THREADS];
    char id[JOBQ_ID_MAX], line[8];
    struct jobq_enqueuer *shared = jobq_enqueuer_new(queue, -1, &err);
    want(shared != NULL, "an enqueuer to free", &err);
    want(jobq_enqueue(shared, JOB, 2, id, &err) == 0, "enqueue", &err);
    puts(id);
    puts("freeing");
    fflush(stdout);
    if (!fgets(line, sizeof line, stdin))
        exit(2);
    start(user, ask, shared, id);
    if (!fgets(line, sizeof line, stdin))
        exit(2);
    jobq_enqueuer_free(shared);
    join(user);
}

int main(int argc, char **argv)
{
    struct jobq_error err = {0};
    struct user user[THREADS];
    if (argc != 2)
        return 2;
    struct jobq_enqueuer *shared = jobq_enqueuer_new(argv[1], 60, &err);
    want(shared != NULL, "an enqueuer", &err);
    start(user, use, shared, argv[1]);
    join(user);
    jobq_enqueuer_free(shared);
    close_while_used(argv[1]);
    free_while_used(argv[1]);
    return 0;
}
