/* libjobq_page.c - the status page for applications that serve HTTP themselves.
 *
 * Room:     live; the client library. Callers: applications, by jobq/jobq.h.
 * Knows nothing of: what the page shows, WSGI.
 *
 * A thread runs the page's fibers as jobq serve does. A caller gets one end of a socket pair;
 * the board serves the other, by the same parser and the same guard as a port. */
#include "jobq/jobq.h"

#include "base/arena.h"
#include "fiber/fiber.h"
#include "fleet/operate/operate.h"
#include "fleet/status/page.h"
#include "jobq/units.h"
#include "live/page/board.h"
#include "live/page/peers.h"
#include "live/world/live.h"
#include "scenario/fleet.h"
#include "scenario/settings.h"

#include <event2/event.h>

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#define STOP_WITHIN_NS (110 * JOBQ_NS_PER_S) /* as jobq seppuku's */

/* An end that the board is to serve. */
struct end {
    struct end *next;
    int fd;
};

struct jobq_page {
    struct live live;
    char queue[JOBQ_QUEUE_NAME_MAX + 1];
    struct scenario scenario;
    struct guard guard;
    char *allowed;
    void (*log)(void *ctx, const char *line);
    void *log_ctx;
    pid_t pid; /* whose thread it is */
    pthread_mutex_t lock;
    pthread_t thread;
    bool started, stop;
    struct end *end;
    int wake_fd;
    struct event *woken; /* the loop's thread only, as all below */
    struct peers *peers;
};

/* ---- the loop's thread -------------------------------------------------------------------- */

static int page_tell(void *ctx, enum operate_word word, int64_t number,
                     struct jobq_str job_id)
{
    struct jobq_page *page = ctx;
    return page->peers ? peers_tell(page->peers, (int)word, number, job_id) : 0;
}

static int page_left(void *ctx)
{
    struct jobq_page *page = ctx;
    return page->peers ? peers_left(page->peers) : 0;
}

static void page_audit(void *ctx, const char *line)
{
    struct jobq_page *page = ctx;
    if (page->log)
        page->log(page->log_ctx, line);
}

static void page_refused(void *ctx, const char *from, struct jobq_str path,
                         const char *why)
{
    struct text line = {0};
    text_printf(&line, "audit: %s asked for ", from);
    text_put_escaped(&line, path.ptr, (size_t)path.len);
    text_printf(&line, ", refused: %.*s", (int)strcspn(why, "\n"), why);
    page_audit(ctx, line.ptr);
    text_release(&line);
}

static int64_t health_ns(const struct jobq_page *page)
{
    return 3 * page->scenario.refresh_ns + 60 * JOBQ_NS_PER_S;
}

static void adopt_ends(struct jobq_page *page)
{
    pthread_mutex_lock(&page->lock);
    struct end *end = page->end;
    page->end = NULL;
    pthread_mutex_unlock(&page->lock);
    while (end) {
        struct end *next = end->next;
        board_adopt(page->live.backend.board, end->fd, health_ns(page));
        free(end);
        end = next;
    }
}

static void page_woken(evutil_socket_t fd, short what, void *arg)
{
    struct jobq_page *page = arg;
    eventfd_t ignored;
    (void)what;
    eventfd_read(fd, &ignored);
    pthread_mutex_lock(&page->lock);
    bool stop = page->stop;
    pthread_mutex_unlock(&page->lock);
    if (stop)
        live_end(&page->live);
    else
        adopt_ends(page);
}

/* Until the queue can be read the page says why not. */
static struct status *open_status(struct jobq_page *page)
{
    struct jobq_backend *b = &page->live.backend;
    struct status *status;
    for (;;) {
        struct jobq_error err;
        struct text says = {0};
        if (status_new(b, page->queue, &status, &err) == JOBQ_OK)
            return status;
        text_printf(&says, "%s\n", err.text);
        jobq_board_post(b, "/", 503, "text/plain; charset=utf-8", text_str(&says));
        text_release(&says);
        fiber_sleep_until(b->sched, jobq_now(b) + page->scenario.refresh_ns);
    }
}

static void page_fiber(void *arg)
{
    struct jobq_page *page = arg;
    struct jobq_backend *b = &page->live.backend;
    struct jobq_error err;
    struct jobq_self self;
    struct status *status = open_status(page);
    live_self(&page->live, &self);
    page->peers = peers_new(page->live.loop, page->queue, self.id);
    const struct operate_options acts = {.queue = page->queue,
                                         .stop_within_ns = STOP_WITHIN_NS,
                                         .tell = page_tell,
                                         .left = page_left,
                                         .audit = page_audit,
                                         .ctx = page};
    struct page_options options = {.refresh_ns = page->scenario.refresh_ns,
                                   .asks = true,
                                   .peers = peers_list,
                                   .peers_ctx = &page->peers};
    if (page->guard.token.needed && !page->guard.read_only)
        options.operate = operate_new(b, &acts);
    peers_ask(page->peers);
    if (page_start(b, status, &options, &err) < 0)
        page_audit(page, err.text);
}

static void *page_thread(void *arg)
{
    struct jobq_page *page = arg;
    const struct live_options options = {.store = scenario_store(&page->scenario)};
    struct jobq_error err;
    if (live_open(&page->live, &options, &err) == JOBQ_OK) {
        board_guard(page->live.backend.board, &page->guard, page_refused, page);
        page->woken = event_new(loop_base(page->live.loop), page->wake_fd,
                                EV_READ | EV_PERSIST, page_woken, page);
        event_add(page->woken, NULL);
        adopt_ends(page);
        live_run(&page->live, page_fiber, page, &err);
        event_free(page->woken);
        peers_free(page->peers);
        page->peers = NULL;
        live_close(&page->live);
    } else {
        page_audit(page, err.text);
    }
    /* Who connects from now on, or has and was not served, finds the other end closed. */
    pthread_mutex_lock(&page->lock);
    page->stop = true;
    while (page->end) {
        struct end *next = page->end->next;
        close(page->end->fd);
        free(page->end);
        page->end = next;
    }
    pthread_mutex_unlock(&page->lock);
    return NULL;
}

/* ---- the caller's threads ------------------------------------------------------------------- */

static int page_refuse(struct jobq_error *err, const struct jobq_error *why)
{
    if (err)
        *err = *why;
    return why->code;
}

static int read_options(struct jobq_page *page, const char *queue,
                        const struct jobq_page_options *o, struct jobq_error *why)
{
    int rc = queue ? job_queue_name_check(queue, why)
                   : jobq_fail(why, JOBQ_INVALID, "queue is NULL");
    setting_defaults(&page->scenario, TAKER_SERVE);
    for (int i = 0; o && rc == JOBQ_OK && i < o->setting_count; i++) {
        rc = setting_take(&page->scenario, TAKER_SERVE, o->setting[i].name,
                          o->setting[i].value, why);
        if (rc == JOBQ_NOT_FOUND)
            rc = why->code = JOBQ_INVALID;
    }
    if (rc == JOBQ_OK && o && o->token)
        rc = page_token_take(&page->guard.token, o->token, why);
    if (rc < 0)
        return rc;
    snprintf(page->queue, sizeof page->queue, "%s", queue);
    if (!o)
        return JOBQ_OK;
    page->allowed = o->allow_host ? xstrdup(o->allow_host) : NULL;
    page->guard.allowed = page->allowed;
    page->guard.read_only = o->read_only != 0;
    page->log = o->log;
    page->log_ctx = o->log_ctx;
    return JOBQ_OK;
}

struct jobq_page *jobq_page_open(const char *queue,
                                 const struct jobq_page_options *options,
                                 struct jobq_error *err)
{
    struct jobq_error why;
    struct jobq_page *page = xcalloc(1, sizeof *page);
    page->wake_fd = -1;
    page->pid = getpid();
    if (read_options(page, queue, options, &why) < 0) {
        free(page);
        page_refuse(err, &why);
        return NULL;
    }
    pthread_mutex_init(&page->lock, NULL);
    return page;
}

/* With the lock. */
static int start_thread(struct jobq_page *page, struct jobq_error *why)
{
    sigset_t all, before;
    page->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (page->wake_fd < 0)
        return jobq_fail(why, JOBQ_UNAVAILABLE, "no descriptor for a page");
    /* The application's signals are the application's. */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int rc = pthread_create(&page->thread, NULL, page_thread, page);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (rc) {
        close(page->wake_fd);
        page->wake_fd = -1;
        return jobq_fail(why, JOBQ_UNAVAILABLE, "no thread for a page");
    }
    page->started = true;
    return JOBQ_OK;
}

/* With the lock. */
static int hand_over(struct jobq_page *page, int fd, struct jobq_error *why)
{
    if (page->stop)
        return jobq_fail(why, JOBQ_UNAVAILABLE, "the page's thread has ended");
    if (!page->started && start_thread(page, why) < 0)
        return why->code;
    struct end *end = xcalloc(1, sizeof *end), **at = &page->end;
    end->fd = fd;
    while (*at)
        at = &(*at)->next;
    *at = end;
    eventfd_write(page->wake_fd, 1);
    return JOBQ_OK;
}

int jobq_page_connect(struct jobq_page *page, struct jobq_error *err)
{
    struct jobq_error why;
    int pair[2];
    if (!page || page->pid != getpid()) {
        jobq_fail(&why, JOBQ_INVALID,
                  page ? "page belongs to the process before the fork" : "page is NULL");
        return page_refuse(err, &why);
    }
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0) {
        jobq_fail(&why, JOBQ_UNAVAILABLE, "no descriptors for a request of the page");
        return page_refuse(err, &why);
    }
    pthread_mutex_lock(&page->lock);
    int rc = hand_over(page, pair[1], &why);
    pthread_mutex_unlock(&page->lock);
    if (rc == JOBQ_OK)
        return pair[0];
    close(pair[0]);
    close(pair[1]);
    return page_refuse(err, &why);
}

void jobq_page_close(struct jobq_page *page)
{
    /* In a child of fork there is no thread to end, and the memory is a copy. */
    if (!page || page->pid != getpid())
        return;
    pthread_mutex_lock(&page->lock);
    page->stop = true;
    bool started = page->started;
    pthread_mutex_unlock(&page->lock);
    if (started) {
        eventfd_write(page->wake_fd, 1);
        pthread_join(page->thread, NULL);
        close(page->wake_fd);
    }
    pthread_mutex_destroy(&page->lock);
    free(page->allowed);
    free(page);
}
