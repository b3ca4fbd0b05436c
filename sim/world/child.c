/* child.c - the child port: a job's own work, as time that passes.
 *
 * sleep: the job's time; of it the world's cpu_share is computed on the box, which shares
 *        its vCPUs among those that compute (models/ec2/vcpu.h).
 * primes: counts them, and computes for PRIMES_NS a number (assumed).
 * exec: there is no command in a simulated world; it ends at once with exit code 0.
 *
 * Room:     sim; see world.h. */
#include "sim/world/internal.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* What a sieve takes for a number on a core of today. Assumed. */
#define PRIMES_NS 3
#define PRIMES_MAX 100000000

/* No larger than a line of the cache. */
struct world_child {
    int64_t started_at_ns, end_at_ns, cpu_ns;
    union {
        int64_t primes;
        struct world_child *next_free; /* while not used */
    };
    struct fiber_ticket waiter;
    int handle;
    int32_t part;
    bool used, ended, killed, waits;
    bool on_cpu; /* the box's model computes when it ends; else end_at_ns is known */
};

static struct world_proc *proc_of(struct jobq_child *port)
{
    return ((struct world_port_child *)port)->proc;
}

static struct world_child *child_take(struct world_proc *p)
{
    struct world_child *c = p->free_children;
    if (c) {
        p->free_children = c->next_free;
    } else {
        struct arena *arena = fiber_proc_arena(p->fibers);
        if (p->children_count == p->children_cap) {
            int cap = p->children_cap ? 2 * p->children_cap : 16;
            struct world_child **grown = arena_alloc(arena, (size_t)cap * sizeof(void *));
            if (p->children_count > 0)
                memcpy(grown, p->children, (size_t)p->children_count * sizeof(void *));
            p->children = grown;
            p->children_cap = cap;
        }
        c = arena_alloc(arena, sizeof *c);
        c->handle = p->children_count;
        p->children[p->children_count++] = c;
    }
    c->used = true;
    c->ended = c->killed = c->waits = c->on_cpu = false;
    return c;
}

/* ---- the box's processors ----------------------------------------------------------- */

/* Tells those whose jobs have ended by now. */
static void cpu_advance(struct world_box *b)
{
    struct world *w = b->world;
    struct box_end end[16];
    int count;
    do {
        count = box_advance(&b->cpu, kernel_now(w->kernel), end, 16);
        for (int i = 0; i < count; i++) {
            struct world_child *c = end[i].tag;
            c->ended = true;
            c->on_cpu = false;
            c->end_at_ns = end[i].at_ns;
            if (c->waits)
                fiber_wake(c->waiter);
        }
    } while (count == 16);
}

static void cpu_due(void *ctx, uint64_t arg);

/* As with SQS: the armed event may be early, never late. */
static void cpu_arm(struct world_box *b)
{
    int64_t next_ns = box_next_at(&b->cpu);
    if (next_ns >= b->armed_at_ns)
        return;
    struct kernel *k = b->world->kernel;
    if (b->armed_at_ns != JOBQ_FOREVER)
        kernel_cancel(k, b->armed);
    b->armed_at_ns = next_ns < kernel_now(k) ? kernel_now(k) : next_ns;
    b->armed = kernel_at(k, b->armed_at_ns, cpu_due, b, 0);
}

static void cpu_due(void *ctx, uint64_t arg)
{
    (void)arg;
    struct world_box *b = ctx;
    b->armed_at_ns = JOBQ_FOREVER;
    cpu_advance(b);
    cpu_arm(b);
}

void world_box_stop_cpu(struct world_box *b)
{
    if (b->armed_at_ns != JOBQ_FOREVER)
        kernel_cancel(b->world->kernel, b->armed);
    b->armed_at_ns = JOBQ_FOREVER;
    box_reset(&b->cpu, b->cpu.vcpus, kernel_now(b->world->kernel));
}

void world_child_kill_all(struct world_proc *p)
{
    for (int i = 0; i < p->children_count; i++) {
        struct world_child *c = p->children[i];
        if (c->used && c->on_cpu)
            box_remove(&p->box->cpu, kernel_now(p->world->kernel), c->part);
    }
}

static void start_on_box(struct world_proc *p, struct world_child *c, int64_t total_ns,
                         double share)
{
    struct world_box *b = p->box;
    struct world *w = b->world;
    struct box_job job = box_split(total_ns, share, dice_u(&p->call), c);
    /* What ends now is reported before anything begins. */
    if (box_next_at(&b->cpu) <= kernel_now(w->kernel))
        cpu_advance(b);
    c->on_cpu = true;
    c->cpu_ns = job.cpu_ns;
    c->part = box_add(&b->cpu, kernel_now(w->kernel), &job);
    cpu_arm(b);
}

/* ---- the port ----------------------------------------------------------------------- */

static int64_t count_primes(int64_t below)
{
    if (below <= 2)
        return 0;
    int64_t odds = below / 2, count = 1; /* 2; index i stands for 2 i + 1 */
    char *composite = xcalloc((size_t)odds + 1, 1);
    for (int64_t i = 1; i < odds; i++) {
        if (composite[i])
            continue;
        count++;
        for (int64_t j = 2 * i * (i + 1); j < odds; j += 2 * i + 1)
            composite[j] = 1;
    }
    free(composite);
    return count;
}

static int child_start(struct jobq_child *port, const struct jobq_work *work,
                       struct jobq_error *err)
{
    struct world_proc *p = proc_of(port);
    struct world *w = p->world;
    int64_t total_ns = 0, primes = 0;
    double share = 0;
    if (work->kind == JOBQ_WORK_SLEEP) {
        total_ns = work->sleep_ns;
        share = w->options.cpu_share;
    } else if (work->kind == JOBQ_WORK_PRIMES) {
        if (work->primes_below > PRIMES_MAX)
            return jobq_fail(err, JOBQ_LIMIT,
                             "primes below '%lld' exceed the limit of %d",
                             (long long)work->primes_below, PRIMES_MAX);
        primes = count_primes(work->primes_below);
        total_ns = work->primes_below > 0 ? PRIMES_NS * work->primes_below : 0;
        share = 1;
    }
    struct world_child *c = child_take(p);
    c->primes = primes;
    c->started_at_ns = kernel_now(w->kernel);
    int64_t room_ns = JOBQ_FOREVER - 1 - c->started_at_ns;
    if (p->box && share > 0 && total_ns > 0) {
        start_on_box(p, c, total_ns, share);
    } else {
        c->end_at_ns = c->started_at_ns + (total_ns < room_ns ? total_ns : room_ns);
        c->cpu_ns = (int64_t)((double)total_ns * share);
    }
    return c->handle;
}

/* Field by field: gcc clears a struct of this size by `rep stos`, which starts slowly. */
static void child_result(const struct world_child *c, struct jobq_work_result *out)
{
    int64_t ran_ns = c->end_at_ns - c->started_at_ns;
    out->exit_code = c->killed ? 128 + 15 : 0;
    out->killed = c->killed;
    out->wall_ns = ran_ns;
    out->cpu_ns = c->cpu_ns < ran_ns ? c->cpu_ns : ran_ns;
    out->progress_percent = -1;
    out->primes = c->primes;
    out->tail_bytes = 0;
}

static void child_free(struct world_proc *p, struct world_child *c)
{
    c->used = false;
    c->next_free = p->free_children;
    p->free_children = c;
}

static int child_wait(struct jobq_child *port, int handle, int64_t until_ns,
                      struct jobq_work_result *out, struct jobq_error *err)
{
    struct world_proc *p = proc_of(port);
    struct world *w = p->world;
    assert(handle >= 0 && handle < p->children_count && p->children[handle]->used);
    struct world_child *c = p->children[handle];
    while (!c->ended) {
        int64_t now_ns = kernel_now(w->kernel);
        if (!c->on_cpu && c->end_at_ns <= now_ns) {
            c->ended = true;
            break;
        }
        if (until_ns <= now_ns) {
            out->progress_percent = -1;
            return jobq_fail(err, JOBQ_TIMEOUT, "still running");
        }
        bool by_itself = !c->on_cpu && c->end_at_ns <= until_ns;
        if (by_itself)
            child_result(c, out); /* as it will be, unless it is stopped */
        c->waiter = fiber_ticket(w->sched);
        c->waits = true;
        enum fiber_woken woken =
            fiber_park(w->sched, by_itself ? c->end_at_ns : until_ns);
        c->waits = false;
        if (by_itself && woken == FIBER_TIMED_OUT) {
            /* Nobody uses it any more. */
            child_free(p, c);
            return JOBQ_OK;
        }
    }
    child_result(c, out);
    child_free(p, c);
    return JOBQ_OK;
}

static void child_stop(struct jobq_child *port, int handle, int64_t grace_ns)
{
    (void)grace_ns; /* a simulated job obeys at once */
    struct world_proc *p = proc_of(port);
    struct world *w = p->world;
    struct world_child *c = p->children[handle];
    int64_t now_ns = kernel_now(w->kernel);
    if (!c->used || c->ended || (!c->on_cpu && c->end_at_ns <= now_ns))
        return;
    if (c->on_cpu) {
        box_remove(&p->box->cpu, now_ns, c->part);
        c->on_cpu = false;
    }
    c->killed = c->ended = true;
    c->end_at_ns = now_ns;
    if (c->waits)
        fiber_wake(c->waiter);
}

const struct jobq_child_ops world_child_ops = {"sim", child_start, child_wait,
                                               child_stop};
