/* libjobq.c - the client library: calls of any thread, done by one thread's fibers.
 *
 * Room:     live; the library's own main, so to speak. Callers: applications, by jobq/jobq.h.
 * Knows nothing of: what jobs do.
 *
 * A caller puts a struct jobq_call on a list, wakes the loop by an eventfd and waits on a
 * condition, until its deadline at most. The loop's thread starts a fiber for each call; fibers
 * of one enqueuer share its batches. Nothing is shared between enqueuers.
 *
 * A call owns copies of what it was given, for its caller may leave before its fiber does: at
 * its deadline, or interrupted. Such a call is dropped: its fiber goes on, and frees it, or
 * the thread that ends the loop does.
 *
 * Closing turns away calls that come after it, waits for those that came before until they are
 * over or dropped or their time is, and then ends the loop, whatever its fibers still do. The
 * memory stays until the free, which also waits until each caller is out of the lock that it
 * lies in. */
#include "jobq/jobq.h"

#include "base/arena.h"
#include "fleet/enqueue/enqueuer.h"
#include "fleet/port/retry.h"
#include "fleet/status/status.h"
#include "jobq/units.h"
#include "live/world/live.h"
#include "scenario/fleet.h"
#include "scenario/settings.h"

#include <event2/event.h>

#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#define TIMEOUT_S 120.0
#define TIMEOUT_MAX_S 86400.0

struct jobq_call {
    enum jobq_request_kind kind;
    struct jobq_enqueuer *owner;
    struct arena arena;       /* of job and its words */
    struct enqueuer_job *job; /* ENQUEUE: those that were not refused at once */
    int64_t *index;           /* which of the request's jobs each is */
    int *code;                /* of all the request's jobs */
    int64_t count, asked;     /* of job; of the request */
    char id[JOBQ_ID_MAX];     /* STATUS, CANCEL, RESULT; cut is no id of ours */
    struct status_job *status;
    int64_t timeout_ns, deadline_ns;
    int64_t wait_ns; /* RESULT */
    int64_t rc;
    struct jobq_error err, refusal;
    bool done, dropped;
    pthread_cond_t ended;
    struct jobq_call *next;        /* in the list of the loop's thread */
    struct jobq_call *after, **at; /* in the list of all */
};

struct jobq_enqueuer {
    struct live live;
    char queue[JOBQ_QUEUE_NAME_MAX + 1];
    struct enqueuer_options options;
    int64_t timeout_ns;
    struct scenario settings; /* of jobs that do not have their own */
    enum scenario_store store;
    struct enqueuer *enqueuer;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_condattr_t monotonic;
    pthread_cond_t
        changed;  /* for who closes: a call is done or dropped, the last caller has
                               gone out, the loop's thread has ended */
    pid_t pid;    /* whose threads these are */
    bool closing; /* nothing is taken any more */
    bool stop;    /* the loop is to end now */
    bool closed;  /* the loop's thread has ended */
    int inside;   /* callers between the lock's first taking and its last leaving */
    int code;     /* of the start */
    struct jobq_error err;
    struct jobq_call *first, **last; /* not yet begun */
    struct jobq_call *all;
    int wake_fd;
    struct event *woken;
    bool ready; /* the queue is open; the loop's thread only */
};

/* ---- calls ---------------------------------------------------------------------------------- */

static void call_free(struct jobq_call *call)
{
    *call->at = call->after;
    if (call->after)
        call->after->at = call->at;
    pthread_cond_destroy(&call->ended);
    arena_release(&call->arena);
    free(call->job);
    free(call->index);
    free(call->code);
    free(call->status);
    free(call);
}

/* With the lock. */
static void call_done(struct jobq_call *call)
{
    struct jobq_enqueuer *e = call->owner;
    call->done = true;
    pthread_cond_broadcast(&call->ended);
    if (call->dropped)
        call_free(call);
    pthread_cond_broadcast(&e->changed);
}

/* ---- the loop's thread -------------------------------------------------------------------- */

static void run_call(void *arg)
{
    struct jobq_call *call = arg;
    struct jobq_enqueuer *e = call->owner;
    struct jobq_backend *b = &e->live.backend;
    enum job_state state;
    switch (call->kind) {
    case JOBQ_REQUEST_ENQUEUE:
        call->rc = enqueuer_add_many(e->enqueuer, call->job, call->count, &call->err);
        break;
    case JOBQ_REQUEST_STATUS:
        call->rc = status_job_until(b, str_of(call->id), call->deadline_ns, call->status,
                                    &call->err);
        break;
    case JOBQ_REQUEST_RESULT:
        call->rc =
            status_result(b, str_of(call->id), call->wait_ns,
                          e->options.rows != JOB_ROWS_ALL, call->status, &call->err);
        break;
    case JOBQ_REQUEST_CANCEL:
        call->rc = status_cancel(b, str_of(call->id), &state, &call->err);
        break;
    case JOBQ_REQUEST_OPEN:
    default:
        break;
    }
    pthread_mutex_lock(&e->lock);
    call_done(call);
    pthread_mutex_unlock(&e->lock);
}

static void begin_calls(struct jobq_enqueuer *e)
{
    pthread_mutex_lock(&e->lock);
    struct jobq_call *call = e->first;
    e->first = NULL;
    e->last = &e->first;
    pthread_mutex_unlock(&e->lock);
    while (call) {
        struct jobq_call *next = call->next;
        fiber_spawn(e->live.backend.proc, run_call, call);
        call = next;
    }
}

static void on_wake(evutil_socket_t fd, short what, void *arg)
{
    struct jobq_enqueuer *e = arg;
    eventfd_t ignored;
    (void)what;
    eventfd_read(fd, &ignored);
    pthread_mutex_lock(&e->lock);
    bool stop = e->stop;
    pthread_mutex_unlock(&e->lock);
    if (stop)
        live_end(&e->live);
    else if (e->ready)
        begin_calls(e);
}

static void start_fiber(void *arg)
{
    struct jobq_enqueuer *e = arg;
    e->code = enqueuer_new(&e->live.backend, &e->options, &e->enqueuer, &e->err);
    e->ready = e->code == JOBQ_OK;
    if (e->ready)
        begin_calls(e);
    else
        live_end(&e->live);
}

/* No fiber lives any more. */
static void end_calls(struct jobq_enqueuer *e)
{
    pthread_mutex_lock(&e->lock);
    e->closing = true;
    for (struct jobq_call *call = e->all, *after; call; call = after) {
        after = call->after;
        if (call->done)
            continue;
        call->rc = e->code < 0
                       ? e->code
                       : jobq_fail(&call->err, JOBQ_CANCELLED, "enqueuer is closed");
        if (e->code < 0)
            call->err = e->err;
        call_done(call);
    }
    pthread_mutex_unlock(&e->lock);
}

static void *loop_thread(void *arg)
{
    struct jobq_enqueuer *e = arg;
    struct live_options options = {.store = e->store};
    struct jobq_error err;
    e->code = live_open(&e->live, &options, &e->err);
    if (e->code == JOBQ_OK) {
        e->woken = event_new(loop_base(e->live.loop), e->wake_fd, EV_READ | EV_PERSIST,
                             on_wake, e);
        event_add(e->woken, NULL);
        live_run(&e->live, start_fiber, e, &err);
        event_free(e->woken);
        live_close(&e->live);
    }
    end_calls(e);
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

static int refuse(struct jobq_error *err, enum jobq_code code, const char *what)
{
    struct jobq_error why;
    jobq_fail(&why, code, "%s", what);
    return report(code, &why, err);
}

static void go_in(struct jobq_enqueuer *e)
{
    pthread_mutex_lock(&e->lock);
    e->inside++;
}

static void go_out(struct jobq_enqueuer *e)
{
    if (--e->inside == 0)
        pthread_cond_broadcast(&e->changed);
    pthread_mutex_unlock(&e->lock);
}

/* With the lock. */
static void wait_until(struct jobq_enqueuer *e, pthread_cond_t *what, int64_t until_ns)
{
    struct timespec at = {until_ns / JOBQ_NS_PER_S, until_ns % JOBQ_NS_PER_S};
    pthread_cond_timedwait(what, &e->lock, &at);
}

static int usable(const struct jobq_enqueuer *e, struct jobq_error *err)
{
    if (e && e->pid == getpid())
        return JOBQ_OK;
    return refuse(err, JOBQ_INVALID,
                  e ? "enqueuer belongs to the process before the fork"
                    : "enqueuer is NULL");
}

const char *jobq_version(void)
{
    return JOBQ_VERSION;
}

static void release(struct jobq_enqueuer *e)
{
    while (e->all)
        call_free(e->all);
    if (e->wake_fd >= 0)
        close(e->wake_fd);
    pthread_cond_destroy(&e->changed);
    pthread_condattr_destroy(&e->monotonic);
    pthread_mutex_destroy(&e->lock);
    free(e);
}

static int start_thread(struct jobq_enqueuer *e, struct jobq_error *why)
{
    sigset_t all, before;
    pthread_condattr_init(&e->monotonic);
    pthread_condattr_setclock(&e->monotonic, CLOCK_MONOTONIC);
    pthread_mutex_init(&e->lock, NULL);
    pthread_cond_init(&e->changed, &e->monotonic);
    e->last = &e->first;
    e->pid = getpid();
    e->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (e->wake_fd < 0)
        return jobq_fail(why, JOBQ_UNAVAILABLE, "no descriptor for an enqueuer");
    /* The application's signals are the application's. */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int rc = pthread_create(&e->thread, NULL, loop_thread, e);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return rc ? jobq_fail(why, JOBQ_UNAVAILABLE, "no thread for an enqueuer") : JOBQ_OK;
}

/* 0: missing_ns. */
static int read_timeout(double seconds, int64_t missing_ns, int64_t *out,
                        struct jobq_error *why)
{
    if (!(seconds >= 0 && seconds <= TIMEOUT_MAX_S))
        return jobq_fail(why, JOBQ_LIMIT, "timeout is not 0 to '86400' seconds");
    *out = seconds > 0 ? jobq_ns_from_seconds(seconds) : missing_ns;
    return JOBQ_OK;
}

static int take_settings(struct scenario *s, const struct jobq_dict *setting, int count,
                         struct jobq_error *why)
{
    setting_defaults(s, TAKER_LIBRARY);
    if (count < 0 || (count > 0 && !setting))
        return jobq_fail(why, JOBQ_INVALID, "the settings are NULL");
    for (int i = 0; i < count; i++) {
        if (!setting[i].name || !setting[i].value)
            return jobq_fail(why, JOBQ_INVALID, "a setting's name or value is NULL");
        if (setting_take(s, TAKER_LIBRARY, setting[i].name, setting[i].value, why) < 0)
            return why->code = why->code == JOBQ_NOT_FOUND ? JOBQ_INVALID : why->code;
    }
    return JOBQ_OK;
}

static struct jobq_enqueuer *start(const char *queue, const struct scenario *s,
                                   int64_t timeout_ns, struct jobq_error *why)
{
    struct jobq_enqueuer *e = xcalloc(1, sizeof *e);
    snprintf(e->queue, sizeof e->queue, "%s", queue);
    e->timeout_ns = timeout_ns;
    e->settings = *s;
    e->store = scenario_store(s);
    e->options = enqueuer_defaults(e->queue);
    scenario_enqueuer_options(s, &e->options);
    e->options.batch = JOBQ_BATCH_MAX;
    e->options.retry_for_ns = timeout_ns;
    if (!scenario_given(s, "visibility"))
        e->options.visibility_ns = -1;
    if (!scenario_given(s, "retention"))
        e->options.retention_ns = 0;
    if (start_thread(e, why) == JOBQ_OK)
        return e;
    release(e);
    return NULL;
}

struct jobq_enqueuer *jobq_enqueuer_open(const char *queue,
                                         const struct jobq_dict *setting, int count,
                                         double timeout_s, struct jobq_error *err)
{
    struct jobq_error why;
    struct scenario settings;
    struct jobq_enqueuer *e = NULL;
    int64_t timeout_ns = 0;
    int rc = queue ? job_queue_name_check(queue, &why)
                   : jobq_fail(&why, JOBQ_INVALID, "queue is NULL");
    if (rc == JOBQ_OK)
        rc = take_settings(&settings, setting, count, &why);
    if (rc == JOBQ_OK)
        rc = read_timeout(timeout_s, jobq_ns_from_seconds(TIMEOUT_S), &timeout_ns, &why);
    if (rc == JOBQ_OK)
        e = start(queue, &settings, timeout_ns, &why);
    if (!e)
        report(why.code, &why, err);
    return e;
}

struct jobq_enqueuer *jobq_enqueuer_start(const char *queue, double visibility_timeout_s,
                                          double timeout_s, struct jobq_error *err)
{
    char text[32];
    struct jobq_dict visibility = {"visibility", text};
    if (isnan(visibility_timeout_s)) {
        refuse(err, JOBQ_INVALID, "visibility timeout is not a number");
        return NULL;
    }
    jobq_format_duration(jobq_ns_from_seconds(visibility_timeout_s), text, sizeof text);
    return jobq_enqueuer_open(queue, &visibility, visibility_timeout_s >= 0, timeout_s,
                              err);
}

/* In a child of fork there is no thread to end, and the memory is a copy. */
static bool is_ours(const struct jobq_enqueuer *e)
{
    return e && e->pid == getpid();
}

/* When the last of the calls that somebody still waits for is over by its deadline; 0: there is
 * none. With the lock. */
static int64_t last_deadline_ns(const struct jobq_enqueuer *e)
{
    int64_t last_ns = 0;
    for (const struct jobq_call *call = e->all; call; call = call->after)
        if (!call->done && !call->dropped && call->deadline_ns > last_ns)
            last_ns = call->deadline_ns;
    return last_ns;
}

void jobq_enqueuer_close(struct jobq_enqueuer *e)
{
    if (!is_ours(e))
        return;
    go_in(e);
    e->closing = true;
    for (int64_t until_ns; !e->stop && (until_ns = last_deadline_ns(e)) > loop_now_ns();)
        wait_until(e, &e->changed, until_ns);
    bool first = !e->stop;
    e->stop = true;
    if (first) {
        eventfd_write(e->wake_fd, 1);
        pthread_mutex_unlock(&e->lock);
        pthread_join(e->thread, NULL);
        pthread_mutex_lock(&e->lock);
        e->closed = true;
        pthread_cond_broadcast(&e->changed);
    }
    while (!e->closed)
        pthread_cond_wait(&e->changed, &e->lock);
    go_out(e);
}

void jobq_enqueuer_free(struct jobq_enqueuer *e)
{
    if (!is_ours(e))
        return;
    jobq_enqueuer_close(e);
    pthread_mutex_lock(&e->lock);
    while (e->inside)
        pthread_cond_wait(&e->changed, &e->lock);
    pthread_mutex_unlock(&e->lock);
    release(e);
}

static struct jobq_str copy_word(const char *word, struct arena *arena)
{
    return str_of(arena_cstr(arena, word));
}

static int take_setting(struct scenario *one, const char *name, const char *value,
                        struct jobq_error *err)
{
    if (!name || !value)
        return jobq_fail(err, JOBQ_INVALID, "a setting's name or value is NULL");
    if (setting_take(one, TAKER_JOB, name, value, err) < 0)
        return err->code = err->code == JOBQ_NOT_FOUND ? JOBQ_INVALID : err->code;
    return JOBQ_OK;
}

/* The job's own settings, else the enqueuer's. */
static int read_options(const struct jobq_enqueuer *e, const struct jobq_job *job,
                        struct enqueuer_job *to, struct jobq_error *err)
{
    struct scenario one = e->settings;
    char text[32];
    if (isnan(job->delay_s) || job->delay_s < 0)
        return jobq_fail(err, JOBQ_LIMIT, "delay is not a number from 0 on");
    jobq_format_duration(jobq_ns_from_seconds(job->delay_s), text, sizeof text);
    if (job->delay_s > 0 && take_setting(&one, "delay", text, err) < 0)
        return err->code;
    if (job->settings < 0 || (job->settings > 0 && !job->setting))
        return jobq_fail(err, JOBQ_INVALID, "a job's settings are NULL");
    for (int i = 0; i < job->settings; i++)
        if (take_setting(&one, job->setting[i].name, job->setting[i].value, err) < 0)
            return err->code;
    scenario_job_options(&one, to);
    return JOBQ_OK;
}

static int fill_job(const struct jobq_enqueuer *e, struct enqueuer_job *to,
                    const struct jobq_job *job, struct arena *arena,
                    struct jobq_error *err)
{
    if (job->count < 0 || job->count > JOB_PAIRS_MAX)
        return jobq_fail(err, JOBQ_LIMIT, "job of '%d' pairs is not 0 to %d", job->count,
                         JOB_PAIRS_MAX);
    if (job->count > 0 && !job->dict)
        return jobq_fail(err, JOBQ_INVALID, "a job's dict is NULL");
    *to = (struct enqueuer_job){.pair_count = job->count};
    if (read_options(e, job, to, err) < 0)
        return err->code;
    if (job->key)
        to->key = copy_word(job->key, arena);
    struct job_pair *pair = arena_alloc(arena, (size_t)job->count * sizeof *pair);
    for (int i = 0; i < job->count; i++) {
        if (!job->dict[i].name || !job->dict[i].value)
            return jobq_fail(err, JOBQ_INVALID, "a name or value is NULL");
        pair[i] = (struct job_pair){copy_word(job->dict[i].name, arena),
                                    copy_word(job->dict[i].value, arena)};
    }
    to->pair = pair;
    return JOBQ_OK;
}

static void fill_jobs(struct jobq_call *call, const struct jobq_job *job, int64_t count)
{
    call->asked = count;
    call->job = xcalloc((size_t)count, sizeof *call->job);
    call->index = xcalloc((size_t)count, sizeof *call->index);
    call->code = xcalloc((size_t)count, sizeof *call->code);
    for (int64_t i = 0; i < count; i++) {
        struct jobq_error why;
        call->code[i] =
            fill_job(call->owner, &call->job[call->count], &job[i], &call->arena, &why);
        if (call->code[i] == JOBQ_OK)
            call->index[call->count++] = i;
        else if (call->refusal.code == JOBQ_OK)
            call->refusal = why;
    }
}

static int check_request(const struct jobq_enqueuer *e, const struct jobq_request *r,
                         struct jobq_error *err)
{
    bool reads = r->kind == JOBQ_REQUEST_STATUS || r->kind == JOBQ_REQUEST_CANCEL ||
                 r->kind == JOBQ_REQUEST_RESULT;
    if (r->kind == JOBQ_REQUEST_ENQUEUE && r->count < 0)
        return refuse(err, JOBQ_INVALID, "a batch of fewer than no jobs");
    if (r->kind == JOBQ_REQUEST_ENQUEUE && r->count > 0 && !r->job)
        return refuse(err, JOBQ_INVALID, "jobs are NULL");
    if (reads && !r->id)
        return refuse(err, JOBQ_INVALID, "id is NULL");
    if (reads && e->store == SCENARIO_STORE_NONE)
        return refuse(err, JOBQ_INVALID, "there are no rows to read: store is 'none'");
    if (r->kind < JOBQ_REQUEST_OPEN || r->kind > JOBQ_REQUEST_RESULT)
        return refuse(err, JOBQ_INVALID, "no such kind of request");
    return JOBQ_OK;
}

struct jobq_call *jobq_begin(struct jobq_enqueuer *e, const struct jobq_request *request,
                             struct jobq_error *err)
{
    struct jobq_error why;
    int64_t timeout_ns = 0, wait_ns = 0;
    if (usable(e, err) < 0 || check_request(e, request, err) < 0)
        return NULL;
    int rc = read_timeout(request->timeout_s, e->timeout_ns, &timeout_ns, &why);
    if (rc == JOBQ_OK && request->kind == JOBQ_REQUEST_RESULT)
        rc = read_timeout(request->wait_s, 0, &wait_ns, &why);
    if (rc < 0) {
        report(rc, &why, err);
        return NULL;
    }
    struct jobq_call *call = xcalloc(1, sizeof *call);
    call->kind = request->kind;
    call->owner = e;
    call->timeout_ns = timeout_ns;
    call->wait_ns = wait_ns;
    call->deadline_ns = loop_now_ns() + timeout_ns + wait_ns;
    pthread_cond_init(&call->ended, &e->monotonic);
    arena_init(&call->arena, 0);
    if (request->kind == JOBQ_REQUEST_ENQUEUE)
        fill_jobs(call, request->job, request->count);
    if (request->kind == JOBQ_REQUEST_STATUS || request->kind == JOBQ_REQUEST_RESULT)
        call->status = xcalloc(1, sizeof *call->status);
    if (request->id)
        snprintf(call->id, sizeof call->id, "%s", request->id);
    go_in(e);
    call->after = e->all;
    call->at = &e->all;
    if (call->after)
        call->after->at = &call->after;
    e->all = call;
    if (call->kind == JOBQ_REQUEST_ENQUEUE && call->count == 0) {
        call->done = true; /* nothing is left to ask for */
    } else if (e->closing) {
        call->rc = e->code < 0
                       ? report(e->code, &e->err, &call->err)
                       : jobq_fail(&call->err, JOBQ_CANCELLED, "enqueuer is closed");
        call->done = true;
    } else {
        *e->last = call;
        e->last = &call->next;
        eventfd_write(e->wake_fd, 1);
    }
    go_out(e);
    return call;
}

int jobq_wait(struct jobq_call *call, double seconds)
{
    struct jobq_enqueuer *e = call->owner;
    int64_t until_ns = call->deadline_ns;
    if (seconds >= 0 && seconds < TIMEOUT_MAX_S &&
        loop_now_ns() + jobq_ns_from_seconds(seconds) < until_ns)
        until_ns = loop_now_ns() + jobq_ns_from_seconds(seconds);
    go_in(e);
    while (!call->done && loop_now_ns() < until_ns)
        wait_until(e, &call->ended, until_ns);
    bool over = call->done || loop_now_ns() >= call->deadline_ns;
    go_out(e);
    return over;
}

static void fill_status(const struct status_job *status, struct jobq_status *out)
{
    *out = (struct jobq_status){.attempt = status->attempt,
                                .enqueued_ms = status->enqueued_ms,
                                .started_ms = status->started_ms,
                                .finished_ms = status->finished_ms,
                                .exit_code = status->exit_code,
                                .wall_s = jobq_seconds_from_ns(status->wall_ns),
                                .cpu_s = jobq_seconds_from_ns(status->cpu_ns),
                                .progress_percent = (int8_t)status->progress,
                                .output_cut = status->printed_bytes > status->tail_bytes,
                                .output_bytes = status->tail_bytes};
    snprintf(out->state, sizeof out->state, "%s", job_state_name(status->state));
    memcpy(out->box, status->box, sizeof out->box);
    memcpy(out->output, status->tail, (size_t)status->tail_bytes);
}

/* What came of it, of a call that is done or, if rc < 0, was not waited for. */
static int64_t call_result(const struct jobq_call *call, struct jobq_job *job,
                           struct jobq_status *status, struct jobq_error *err)
{
    if (call->status && call->rc == JOBQ_OK && status)
        fill_status(call->status, status);
    if (call->kind != JOBQ_REQUEST_ENQUEUE)
        return report((int)call->rc, &call->err, err);
    for (int64_t i = 0; job && i < call->asked; i++) {
        job[i].code = call->code[i];
        job[i].id[0] = '\0';
    }
    for (int64_t i = 0; job && i < call->count; i++) {
        struct jobq_job *one = &job[call->index[i]];
        one->code = call->rc < 0 ? (int)call->rc : call->job[i].code;
        if (call->done)
            memcpy(one->id, call->job[i].id, sizeof call->job[i].id);
    }
    if (call->rc < call->asked && err)
        *err = call->refusal.code == JOBQ_OK || call->rc < 0 ? call->err : call->refusal;
    return call->rc;
}

int64_t jobq_end(struct jobq_call *call, struct jobq_job *job, struct jobq_status *status,
                 struct jobq_error *err)
{
    struct jobq_enqueuer *e = call->owner;
    go_in(e);
    struct jobq_call given_up;
    struct jobq_call *of = call;
    if (!call->done) {
        /* Its fiber may still write to it. */
        given_up = *call;
        of = &given_up;
        of->rc = loop_now_ns() >= call->deadline_ns
                     ? jobq_fail(&of->err, JOBQ_TIMEOUT,
                                 "no answer within the call's timeout of %.3g s",
                                 jobq_seconds_from_ns(call->timeout_ns))
                     : jobq_fail(&of->err, JOBQ_CANCELLED, "call was given up");
    }
    int64_t rc = call_result(of, job, status, err);
    if (call->done) {
        call_free(call);
    } else {
        call->dropped = true;
        pthread_cond_broadcast(&e->changed);
    }
    go_out(e);
    return rc;
}

/* ---- the same, blocking --------------------------------------------------------------------- */

static int64_t call_through(struct jobq_enqueuer *e, const struct jobq_request *request,
                            struct jobq_job *job, struct jobq_status *status,
                            struct jobq_error *err)
{
    struct jobq_error why;
    struct jobq_call *call = jobq_begin(e, request, &why);
    if (!call)
        return report(why.code, &why, err);
    jobq_wait(call, -1);
    return jobq_end(call, job, status, err);
}

struct jobq_enqueuer *jobq_enqueuer_new(const char *queue, double visibility_timeout_s,
                                        struct jobq_error *err)
{
    struct jobq_enqueuer *e = jobq_enqueuer_start(queue, visibility_timeout_s, 0, err);
    struct jobq_request request = {.kind = JOBQ_REQUEST_OPEN};
    if (e && call_through(e, &request, NULL, NULL, err) < 0) {
        jobq_enqueuer_free(e);
        return NULL;
    }
    return e;
}

int64_t jobq_enqueue_batch(struct jobq_enqueuer *e, struct jobq_job *job, int64_t count,
                           struct jobq_error *err)
{
    struct jobq_request request = {
        .kind = JOBQ_REQUEST_ENQUEUE, .job = job, .count = count};
    return call_through(e, &request, job, NULL, err);
}

int jobq_enqueue(struct jobq_enqueuer *e, const struct jobq_dict *dict, int count,
                 char id_out[JOBQ_ID_MAX], struct jobq_error *err)
{
    struct jobq_job job = {.dict = dict, .count = count};
    if (!id_out)
        return refuse(err, JOBQ_INVALID, "the place for the id is NULL");
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
    struct jobq_request request = {.kind = JOBQ_REQUEST_STATUS, .id = id};
    if (usable(e, err) == JOBQ_OK && !out)
        return refuse(err, JOBQ_INVALID, "the place for the status is NULL");
    return (int)call_through(e, &request, NULL, out, err);
}

int jobq_result(struct jobq_enqueuer *e, const char *id, double wait_s,
                struct jobq_status *out, struct jobq_error *err)
{
    struct jobq_request request = {
        .kind = JOBQ_REQUEST_RESULT, .id = id, .wait_s = wait_s};
    if (usable(e, err) == JOBQ_OK && !out)
        return refuse(err, JOBQ_INVALID, "the place for the result is NULL");
    return (int)call_through(e, &request, NULL, out, err);
}

int jobq_cancel(struct jobq_enqueuer *e, const char *id, struct jobq_error *err)
{
    struct jobq_request request = {.kind = JOBQ_REQUEST_CANCEL, .id = id};
    return (int)call_through(e, &request, NULL, NULL, err);
}
