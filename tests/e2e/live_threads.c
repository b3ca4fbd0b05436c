/* live_threads.c - a blocking application of many threads on libjobq, for a thread checker to
 * watch (live_tsan.py).
 *
 * Room:     tests, an application: it knows the library's headers only.
 *
 * usage: live_threads QUEUE. Prints the ids that were acknowledged; exit 1 with a line on
 * whatever a call should not have answered. */
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
    const char *queue;
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
        struct jobq_enqueuer *own = jobq_enqueuer_new(user->queue, -1, &err);
        want(own != NULL, "an enqueuer of its own", &err);
        one(own, 0);
        jobq_enqueuer_free(own);
    }
    return NULL;
}

int main(int argc, char **argv)
{
    struct jobq_error err = {0};
    struct user user[THREADS];
    if (argc != 2)
        return 2;
    struct jobq_enqueuer *shared = jobq_enqueuer_new(argv[1], 60, &err);
    want(shared != NULL, "an enqueuer", &err);
    for (int i = 0; i < THREADS; i++) {
        user[i] = (struct user){.shared = shared, .queue = argv[1]};
        if (pthread_create(&user[i].thread, NULL, use, &user[i]) != 0)
            return 1;
    }
    for (int i = 0; i < THREADS; i++)
        pthread_join(user[i].thread, NULL);
    jobq_enqueuer_free(shared);
    return 0;
}
