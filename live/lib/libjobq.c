/* libjobq.c - the client library: blocking calls of any thread, done by one thread's fibers.
 *
 * Room:     live; the library's own main, so to speak. Callers: applications, by jobq/jobq.h.
 * Knows nothing of: what jobs do.
 *
 * A caller puts a struct call on a list, wakes the loop by an eventfd and waits on a
 * condition. The loop's thread starts a fiber for each call; fibers of one enqueuer share its
 * batches. Nothing is shared between enqueuers.
 *
 * Closing turns away calls that come after it and lets the loop end behind those that came
 * before; the memory stays until the free, which also waits until each caller is out of the
 * lock that it lies in. */
#include "jobq/jobq.h"

#include "base/arena.h"
#include "fleet/enqueue/enqueuer.h"
#include "fleet/port/retry.h"
#include "fleet/status/status.h"
#include "jobq/units.h"
#include "live/world/live.h"

#include <event2/event.h>

#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum call_kind { CALL_ENQUEUE, CALL_STATUS, CALL_CANCEL };

struct call {
    enum call_kind kind;
    struct jobq_enqueuer *owner;
    struct enqueuer_job *job; /* ENQUEUE */
    int64_t count;
    const char *id; /* STATUS, CANCEL */
    struct status_job *status;
    int64_t rc;
    struct jobq_error err;
    bool done;
    pthread_cond_t ended;
    struct call *next;
};

struct jobq_enqueuer {
    struct live live;
    char queue[JOBQ_QUEUE_NAME_MAX + 1];
    struct enqueuer_options options;
    struct enqueuer *enqueuer;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t started;
    pid_t pid; /* whose threads these are */
    bool ready;
    bool closing;        /* nothing is taken any more */
    bool closed;         /* the loop's thread has ended */
    pthread_cond_t left; /* closed, or inside has become 0 */
    int inside; /* callers between the lock's first taking and its last leaving */
    int code;   /* of the start */
    struct jobq_error err;
    struct call *first, **last;
    int wake_fd;
    struct event *woken;
    int under_way; /* calls on fibers; this and stopping: the loop's thread only */
    bool stopping;
};

/* ---- the loop's thread -------------------------------------------------------------------- */

static void finish(struct call *call)
{
    struct jobq_enqueuer *e = call->owner;
    pthread_mutex_lock(&e->lock);
    call->done = true;
    pthread_cond_signal(&call->ended);
    pthread_mutex_unlock(&e->lock);
}

static int read_status(struct jobq_backend *b, struct call *call)
{
    int64_t until_ns = jobq_now(b) + 2 * JOBQ_NS_PER_MIN;
    struct retry retry;
    int rc;
    retry_init(&retry, b, &RETRY_CALLS, &until_ns);
    do
        rc = status_job(b, str_of(call->id), call->status, &call->err);
    while (rc < 0 && retry_again(&retry, rc));
    return rc;
}

static void run_call(void *arg)
{
    struct call *call = arg;
    struct jobq_enqueuer *e = call->owner;
    struct jobq_backend *b = &e->live.backend;
    enum job_state state;
    switch (call->kind) {
    case CALL_ENQUEUE:
        call->rc = enqueuer_add_many(e->enqueuer, call->job, call->count, &call->err);
        break;
    case CALL_STATUS:
        call->rc = read_status(b, call);
        break;
    case CALL_CANCEL:
        call->rc = status_cancel(b, str_of(call->id), &state, &call->err);
        break;
    default:
        break;
    }
    e->under_way--;
    finish(call);
    if (e->stopping && !e->under_way)
        live_end(&e->live);
}

static void on_wake(evutil_socket_t fd, short what, void *arg)
{
    struct jobq_enqueuer *e = arg;
    eventfd_t ignored;
    (void)what;
    eventfd_read(fd, &ignored);
    pthread_mutex_lock(&e->lock);
    struct call *call = e->first;
    e->first = NULL;
    e->last = &e->first;
    e->stopping = e->closing;
    pthread_mutex_unlock(&e->lock);
    while (call) {
        struct call *next = call->next;
        e->under_way++;
        fiber_spawn(e->live.backend.proc, run_call, call);
        call = next;
    }
    if (e->stopping && !e->under_way)
        live_end(&e->live);
}

static void tell_started(struct jobq_enqueuer *e, int code)
{
    pthread_mutex_lock(&e->lock);
    e->ready = true;
    e->code = code;
    pthread_cond_signal(&e->started);
    pthread_mutex_unlock(&e->lock);
}

static void start_fiber(void *arg)
{
    struct jobq_enqueuer *e = arg;
    int rc = enqueuer_new(&e->live.backend, &e->options, &e->enqueuer, &e->err);
    if (rc < 0)
        live_end(&e->live);
    tell_started(e, rc);
}

static void *loop_thread(void *arg)
{
    struct jobq_enqueuer *e = arg;
    struct live_options options = {0};
    struct jobq_error err;
    int rc = live_open(&e->live, &options, &e->err);
    if (rc < 0) {
        tell_started(e, rc);
        return NULL;
    }
    e->woken =
        event_new(loop_base(e->live.loop), e->wake_fd, EV_READ | EV_PERSIST, on_wake, e);
    event_add(e->woken, NULL);
    live_run(&e->live, start_fiber, e, &err);
    event_free(e->woken);
    live_close(&e->live);
    return NULL;
}

/* ---- the caller's threads ------------------------------------------------------------------- */

static int report(int rc, const struct jobq_error *from, struct jobq_error *to)
{
    if (rc < 0 && to) {
        *to = *from;
        to->code = (enum jobq_code)rc;
    }
    return rc;
}

static void go_in(struct jobq_enqueuer *e)
{
    pthread_mutex_lock(&e->lock);
    e->inside++;
}

static void go_out(struct jobq_enqueuer *e)
{
    if (--e->inside == 0)
        pthread_cond_broadcast(&e->left);
    pthread_mutex_unlock(&e->lock);
}

/* Has the loop's thread do the call. CANCELLED: it does nothing any more. */
static void submit(struct jobq_enqueuer *e, struct call *call)
{
    call->owner = e;
    call->next = NULL;
    call->done = false;
    pthread_cond_init(&call->ended, NULL);
    go_in(e);
    if (e->closing) {
        call->rc = jobq_fail(&call->err, JOBQ_CANCELLED, "enqueuer is closed");
    } else {
        *e->last = call;
        e->last = &call->next;
        eventfd_write(e->wake_fd, 1);
        while (!call->done)
            pthread_cond_wait(&call->ended, &e->lock);
    }
    go_out(e);
    pthread_cond_destroy(&call->ended);
}

static int usable(const struct jobq_enqueuer *e, struct jobq_error *err)
{
    struct jobq_error why;
    if (e && e->pid == getpid())
        return JOBQ_OK;
    jobq_fail(&why, JOBQ_INVALID,
              e ? "enqueuer belongs to the process before the fork" : "enqueuer is NULL");
    return report(JOBQ_INVALID, &why, err);
}

const char *jobq_version(void)
{
    return JOBQ_VERSION;
}

static void release(struct jobq_enqueuer *e)
{
    if (e->wake_fd >= 0)
        close(e->wake_fd);
    pthread_cond_destroy(&e->left);
    pthread_cond_destroy(&e->started);
    pthread_mutex_destroy(&e->lock);
    free(e);
}

static int start(struct jobq_enqueuer *e)
{
    sigset_t all, before;
    pthread_mutex_init(&e->lock, NULL);
    pthread_cond_init(&e->started, NULL);
    pthread_cond_init(&e->left, NULL);
    e->last = &e->first;
    e->pid = getpid();
    e->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (e->wake_fd < 0)
        return jobq_fail(&e->err, JOBQ_UNAVAILABLE, "no descriptor for an enqueuer");
    /* The application's signals are the application's. */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int rc = pthread_create(&e->thread, NULL, loop_thread, e);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (rc)
        return jobq_fail(&e->err, JOBQ_UNAVAILABLE, "no thread for an enqueuer");
    pthread_mutex_lock(&e->lock);
    while (!e->ready)
        pthread_cond_wait(&e->started, &e->lock);
    pthread_mutex_unlock(&e->lock);
    if (e->code < 0)
        pthread_join(e->thread, NULL);
    return e->code;
}

struct jobq_enqueuer *jobq_enqueuer_new(const char *queue, double visibility_timeout_s,
                                        struct jobq_error *err)
{
    struct jobq_error why;
    int rc = queue ? job_queue_name_check(queue, &why)
                   : jobq_fail(&why, JOBQ_INVALID, "queue is NULL");
    if (rc == JOBQ_OK && (isnan(visibility_timeout_s) || visibility_timeout_s > 43200))
        rc =
            jobq_fail(&why, JOBQ_LIMIT, "visibility timeout is not 0 to '43200' seconds");
    if (rc < 0) {
        report(rc, &why, err);
        return NULL;
    }
    struct jobq_enqueuer *e = xcalloc(1, sizeof *e);
    snprintf(e->queue, sizeof e->queue, "%s", queue);
    e->options = enqueuer_defaults(e->queue);
    e->options.pipeline = 8;
    e->options.visibility_ns =
        visibility_timeout_s < 0 ? -1 : jobq_ns_from_seconds(visibility_timeout_s);
    rc = start(e);
    if (rc < 0) {
        report(rc, &e->err, err);
        release(e);
        return NULL;
    }
    return e;
}

/* In a child of fork there is no thread to end, and the memory is a copy. */
static bool is_ours(const struct jobq_enqueuer *e)
{
    return e && e->pid == getpid();
}

void jobq_enqueuer_close(struct jobq_enqueuer *e)
{
    if (!is_ours(e))
        return;
    go_in(e);
    bool first = !e->closing;
    e->closing = true;
    if (first) {
        eventfd_write(e->wake_fd, 1);
        pthread_mutex_unlock(&e->lock);
        pthread_join(e->thread, NULL);
        pthread_mutex_lock(&e->lock);
        e->closed = true;
        pthread_cond_broadcast(&e->left);
    }
    while (!e->closed)
        pthread_cond_wait(&e->left, &e->lock);
    go_out(e);
}

void jobq_enqueuer_free(struct jobq_enqueuer *e)
{
    if (!is_ours(e))
        return;
    jobq_enqueuer_close(e);
    pthread_mutex_lock(&e->lock);
    while (e->inside)
        pthread_cond_wait(&e->left, &e->lock);
    pthread_mutex_unlock(&e->lock);
    release(e);
}

static int refuse(struct jobq_error *err, const char *what)
{
    struct jobq_error why;
    jobq_fail(&why, JOBQ_INVALID, "%s", what);
    return report(JOBQ_INVALID, &why, err);
}

static int fill_job(struct enqueuer_job *to, const struct jobq_dict *dict, int count,
                    double delay_s, struct arena *arena, struct jobq_error *err)
{
    if (count < 0 || count > JOB_PAIRS_MAX)
        return jobq_fail(err, JOBQ_LIMIT, "job of '%d' pairs is not 0 to %d", count,
                         JOB_PAIRS_MAX);
    if (count > 0 && !dict)
        return jobq_fail(err, JOBQ_INVALID, "a job's dict is NULL");
    if (!(delay_s >= 0 && delay_s <= 900))
        return jobq_fail(err, JOBQ_LIMIT, "delay is not 0 to '900' seconds");
    struct job_pair *pair = arena_alloc(arena, (size_t)count * sizeof *pair);
    for (int i = 0; i < count; i++) {
        if (!dict[i].name || !dict[i].value)
            return jobq_fail(err, JOBQ_INVALID, "a name or value is NULL");
        pair[i] = (struct job_pair){str_of(dict[i].name), str_of(dict[i].value)};
    }
    *to = (struct enqueuer_job){
        .pair = pair, .pair_count = count, .delay_ns = jobq_ns_from_seconds(delay_s)};
    return JOBQ_OK;
}

int64_t jobq_enqueue_batch(struct jobq_enqueuer *e, struct jobq_job *job, int64_t count,
                           struct jobq_error *err)
{
    struct jobq_error why = {0};
    struct arena arena;
    int64_t good = 0;
    int rc = usable(e, err);
    if (rc < 0)
        return rc;
    if (count < 0 || (count > 0 && !job))
        return refuse(err, count < 0 ? "a batch of fewer than no jobs" : "jobs are NULL");
    arena_init(&arena, 0);
    struct enqueuer_job *all = xcalloc((size_t)count, sizeof *all);
    int64_t *of = xcalloc((size_t)count, sizeof *of);
    for (int64_t i = 0; i < count; i++) {
        struct jobq_error one;
        job[i].id[0] = '\0';
        job[i].code =
            fill_job(&all[good], job[i].dict, job[i].count, job[i].delay_s, &arena, &one);
        if (job[i].code == JOBQ_OK)
            of[good++] = i;
        else if (why.code == JOBQ_OK)
            why = one;
    }
    struct call call = {.kind = CALL_ENQUEUE, .job = all, .count = good};
    if (good)
        submit(e, &call);
    for (int64_t i = 0; i < good; i++) {
        job[of[i]].code = call.rc < 0 ? (int)call.rc : all[i].code;
        memcpy(job[of[i]].id, all[i].id, sizeof all[i].id);
    }
    if (call.rc < count && err)
        *err = why.code == JOBQ_OK || call.rc < 0 ? call.err : why;
    free(all);
    free(of);
    arena_release(&arena);
    return call.rc;
}

int jobq_enqueue(struct jobq_enqueuer *e, const struct jobq_dict *dict, int count,
                 char id_out[JOBQ_ID_MAX], struct jobq_error *err)
{
    struct jobq_job job = {.dict = dict, .count = count};
    if (!id_out)
        return refuse(err, "the place for the id is NULL");
    id_out[0] = '\0';
    int64_t rc = jobq_enqueue_batch(e, &job, 1, err);
    if (rc < 0)
        return (int)rc;
    if (job.code < 0)
        return job.code;
    memcpy(id_out, job.id, sizeof job.id);
    return JOBQ_OK;
}

int jobq_status(struct jobq_enqueuer *e, const char *id, struct jobq_status *out,
                struct jobq_error *err)
{
    int rc = usable(e, err);
    if (rc < 0)
        return rc;
    if (!id || !out)
        return refuse(err, id ? "the place for the status is NULL" : "id is NULL");
    struct status_job *status = xcalloc(1, sizeof *status);
    struct call call = {.kind = CALL_STATUS, .id = id, .status = status};
    submit(e, &call);
    if (call.rc == JOBQ_OK) {
        *out = (struct jobq_status){.attempt = status->attempt,
                                    .enqueued_ms = status->enqueued_ms,
                                    .started_ms = status->started_ms,
                                    .finished_ms = status->finished_ms,
                                    .exit_code = status->exit_code,
                                    .wall_s = jobq_seconds_from_ns(status->wall_ns),
                                    .cpu_s = jobq_seconds_from_ns(status->cpu_ns),
                                    .progress_percent = (int8_t)status->progress,
                                    .output_bytes = status->tail_bytes};
        snprintf(out->state, sizeof out->state, "%s", job_state_name(status->state));
        memcpy(out->box, status->box, sizeof out->box);
        memcpy(out->output, status->tail, (size_t)status->tail_bytes);
    }
    free(status);
    return report((int)call.rc, &call.err, err);
}

int jobq_cancel(struct jobq_enqueuer *e, const char *id, struct jobq_error *err)
{
    int rc = usable(e, err);
    if (rc < 0)
        return rc;
    if (!id)
        return refuse(err, "id is NULL");
    struct call call = {.kind = CALL_CANCEL, .id = id};
    submit(e, &call);
    return report((int)call.rc, &call.err, err);
}
