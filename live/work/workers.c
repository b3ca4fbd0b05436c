#include "live/work/workers.h"

#include "base/arena.h"
#include "jobq/units.h"
#include "live/work/primes.h"

#include <stdlib.h>
#include <string.h>

struct worker {
    struct workers *workers;
    enum jobq_work_kind kind;
    bool used, ended, stopped, abandoned;
    int64_t started_ns, ends_ns; /* ends_ns: SLEEP */
    int64_t burn_ns, after_ns; /* a sleep that computes: for so long from ends_ns on, and
                                    sleeps again; burn_ns 0: it has computed */
    bool burns;
    int64_t wall_ns;           /* once ended */
    struct command *command;   /* EXEC */
    struct primes_task primes; /* PRIMES */
    struct fiber_cond done;
    int next_free;
};

struct workers {
    struct jobq_child port; /* first */
    struct loop *loop;
    struct fiber_sched *sched;
    struct command_host *host; /* NULL until the first command */
    struct command_options options;
    double cpu_share;
    char *command;
    struct primes_pool *primes; /* NULL until the first count */
    struct worker **worker;     /* pointers: tasks on threads must not move */
    int count, cap, free_first, running;
};

static struct workers *self(const struct jobq_child *c)
{
    return (struct workers *)(uintptr_t)c;
}

static int take(struct workers *w)
{
    if (w->free_first >= 0) {
        int handle = w->free_first;
        w->free_first = w->worker[handle]->next_free;
        return handle;
    }
    if (w->count == w->cap) {
        w->cap = w->cap ? w->cap * 2 : 16;
        w->worker = xrealloc(w->worker, (size_t)w->cap * sizeof *w->worker);
    }
    w->worker[w->count] = xmalloc(sizeof **w->worker);
    return w->count++;
}

static void put_back(struct workers *w, int handle)
{
    struct worker *k = w->worker[handle];
    if (k->command)
        command_free(k->command);
    k->command = NULL;
    k->used = false;
    k->next_free = w->free_first;
    w->free_first = handle;
    w->running--;
}

static void end(struct worker *k)
{
    k->ended = true;
    k->wall_ns = loop_now_ns() - k->started_ns;
    fiber_cond_broadcast(&k->done);
}

static void command_ended(void *ctx)
{
    end(ctx);
}

static void primes_ended(struct primes_task *task)
{
    struct worker *k =
        (struct worker *)(void *)((char *)task - offsetof(struct worker, primes));
    if (k->kind == JOBQ_WORK_SLEEP) {
        k->burns = false;
        k->ends_ns = loop_now_ns() + k->after_ns;
        fiber_cond_broadcast(&k->done);
        return;
    }
    end(k);
}

/* Splits a sleep into a sleep, computing, and a sleep. */
static void begin_sleep(struct workers *w, struct worker *k, int64_t sleep_ns)
{
    k->burn_ns = (int64_t)((double)sleep_ns * w->cpu_share);
    int64_t before_ns = (int64_t)((double)(sleep_ns - k->burn_ns) * drand48());
    k->after_ns = sleep_ns - k->burn_ns - before_ns;
    k->ends_ns = k->started_ns + (k->burn_ns > 0 ? before_ns : sleep_ns);
}

static int begin_burn(struct worker *k)
{
    struct jobq_error ignored;
    struct workers *w = k->workers;
    if (!w->primes)
        w->primes = primes_pool_new(w->loop);
    k->primes.burn_ns = k->burn_ns;
    k->primes.done = primes_ended;
    k->burn_ns = 0;
    k->ends_ns = JOBQ_FOREVER;
    k->burns = true;
    return primes_start(w->primes, &k->primes, &ignored);
}

static int begin(struct workers *w, struct worker *k, const struct jobq_work *work,
                 struct jobq_error *err)
{
    switch (work->kind) {
    case JOBQ_WORK_SLEEP:
        if (work->sleep_ns > JOBQ_FOREVER - k->started_ns)
            k->ends_ns = JOBQ_FOREVER;
        else
            begin_sleep(w, k, work->sleep_ns);
        return JOBQ_OK;
    case JOBQ_WORK_PRIMES:
        if (!w->primes)
            w->primes = primes_pool_new(w->loop);
        k->primes.below = work->primes_below;
        k->primes.done = primes_ended;
        return primes_start(w->primes, &k->primes, err);
    case JOBQ_WORK_EXEC:
        if (!w->command || !*w->command)
            return jobq_fail(err, JOBQ_INVALID,
                             "job wants a command, and none was given with --exec");
        if (!w->host)
            w->host = command_host_new(w->loop, &w->options);
        return command_start(w->host, work, command_ended, k, &k->command, err);
    default:
        return jobq_fail(err, JOBQ_INVALID, "no such kind of work");
    }
}

static int child_start(struct jobq_child *c, const struct jobq_work *work,
                       struct jobq_error *err)
{
    struct workers *w = self(c);
    int handle = take(w);
    struct worker *k = w->worker[handle];
    memset(k, 0, sizeof *k);
    k->workers = w;
    k->kind = work->kind;
    k->used = true;
    k->started_ns = loop_now_ns();
    w->running++;
    int rc = begin(w, k, work, err);
    if (rc < 0) {
        put_back(w, handle);
        return rc;
    }
    return handle;
}

static int percent(struct worker *k)
{
    if (k->command)
        return command_percent(k->command);
    return k->kind == JOBQ_WORK_PRIMES ? atomic_load(&k->primes.percent) : -1;
}

/* A sleep has nobody that would end it: it is over when its time is. */
static void look(struct worker *k)
{
    if (k->ended || k->kind != JOBQ_WORK_SLEEP || k->burns)
        return;
    if (k->burn_ns > 0 && !k->stopped && loop_now_ns() >= k->ends_ns) {
        if (begin_burn(k) == JOBQ_OK)
            return;
        k->burns = false; /* no thread: it sleeps instead */
        k->ends_ns = loop_now_ns() + k->primes.burn_ns + k->after_ns;
    }
    if (k->stopped || loop_now_ns() >= k->ends_ns)
        end(k);
}

static int child_wait(struct jobq_child *c, int handle, int64_t until_ns,
                      struct jobq_work_result *out, struct jobq_error *err)
{
    struct workers *w = self(c);
    struct worker *k = w->worker[handle];
    for (look(k); !k->ended; look(k)) {
        int64_t wake_ns = until_ns;
        if (k->kind == JOBQ_WORK_SLEEP && k->ends_ns < wake_ns)
            wake_ns = k->ends_ns;
        if (loop_now_ns() >= until_ns) {
            out->progress_percent = percent(k);
            return jobq_fail(err, JOBQ_TIMEOUT, "still running");
        }
        fiber_cond_wait(w->sched, &k->done, wake_ns);
    }
    char *tail = out->tail;
    *out = (struct jobq_work_result){.killed = k->stopped,
                                     .wall_ns = k->wall_ns,
                                     .progress_percent = percent(k),
                                     .tail = tail};
    if (k->kind == JOBQ_WORK_PRIMES) {
        out->primes = k->primes.count;
        out->cpu_ns = k->primes.cpu_ns;
        out->killed = k->primes.count < 0;
        out->exit_code = k->primes.count < 0 ? 143 : 0;
    } else if (k->command) {
        struct command_end e;
        command_result(k->command, &e);
        out->exit_code = e.exit_code;
        out->cpu_ns = e.cpu_ns;
        out->wall_ns = e.wall_ns;
        out->printed_bytes = command_printed(k->command);
        if (tail)
            out->tail_bytes = command_tail(k->command, tail);
    } else {
        out->cpu_ns = k->primes.cpu_ns;
        out->exit_code = k->stopped ? 143 : 0;
    }
    put_back(w, handle);
    return JOBQ_OK;
}

static void child_stop(struct jobq_child *c, int handle, int64_t grace_ns)
{
    struct worker *k = self(c)->worker[handle];
    if (k->ended)
        return;
    k->stopped = true;
    if (k->command)
        command_stop(k->command, grace_ns);
    else if (k->kind == JOBQ_WORK_PRIMES || k->burns)
        atomic_store(&k->primes.cancel, true);
    else
        fiber_cond_broadcast(&k->done);
}

static const struct jobq_child_ops ops = {
    .name = "workers", .start = child_start, .wait = child_wait, .stop = child_stop};

struct jobq_child *workers_new(struct loop *loop, struct fiber_sched *sched,
                               const struct command_options *options, double cpu_share)
{
    struct workers *w = xcalloc(1, sizeof *w);
    w->port.ops = &ops;
    w->loop = loop;
    w->sched = sched;
    w->options = *options;
    w->cpu_share = cpu_share;
    w->command = options->command ? xstrdup(options->command) : NULL;
    w->options.command = w->command;
    w->free_first = -1;
    return &w->port;
}

void workers_free(struct jobq_child *child)
{
    struct workers *w = self(child);
    if (w->primes) {
        for (int i = 0; i < w->count; i++)
            if (w->worker[i]->used)
                atomic_store(&w->worker[i]->primes.cancel, true);
        primes_pool_free(w->primes);
    }
    if (w->host)
        command_host_free(w->host);
    for (int i = 0; i < w->count; i++)
        free(w->worker[i]);
    free(w->worker);
    free(w->command);
    free(w);
}

int workers_running(const struct jobq_child *child)
{
    return self(child)->running;
}
