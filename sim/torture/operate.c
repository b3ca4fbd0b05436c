/* operate.c - what do operators do to a fleet, and who ends a run?
 *
 * Room:     sim.
 *
 * The operators share a process off AWS, whose calls have faults like all others. Each class
 * has a fiber that sleeps, acts and sleeps again. One more, the closer, waits for the quiet
 * phase and then does what an operator does who finds jobs that do not end: looks at the dead
 * letters, and has the missing messages sent. */
#include "sim/torture/internal.h"

#include "fleet/dead/dead_letters.h"
#include "fleet/enqueue/queues.h"
#include "fleet/housekeeping/housekeeping.h"
#include "fleet/port/scratch.h"
#include "fleet/status/status.h"
#include "sim/world/late.h"

#include <string.h>

static struct jobq_backend *operators(struct torture *t)
{
    return world_backend(t->operators);
}

/* The queue's handle; < 0: it could not be opened. */
static int open_queue(struct torture *t)
{
    struct jobq_error err;
    int queue;
    int code = jobq_queue_open(operators(t), REPLICATION_QUEUE, &queue, &err);
    return code < 0 ? code : queue;
}

/* ---- jobs and messages ---------------------------------------------------------------- */

/* Looks for a row that is there and asks to cancel its job. */
static void act_cancel(struct torture *t, struct dice *dice)
{
    struct jobq_backend *b = operators(t);
    if (t->rows.count == 0)
        return;
    int64_t i = (int64_t)dice_below(dice, (uint64_t)t->rows.count);
    if (!t->claim[i].exists)
        return;
    enum job_state state;
    struct jobq_error err;
    char id[JOBREC_ID_BYTES];
    memcpy(id, t->rows.id[i], sizeof id);
    if (status_cancel(b, str_of(id), &state, &err) == JOBQ_OK)
        torture_strike(t, TORTURE_CANCEL, -1);
}

static void act_purge(struct torture *t, struct dice *dice)
{
    struct jobq_error err;
    int queue = open_queue(t);
    (void)dice;
    if (queue >= 0 && jobq_queue_purge(operators(t), queue, &err) == JOBQ_OK)
        torture_strike(t, TORTURE_PURGE, -1);
}

static int see_letter(void *ctx, const struct dead_letter *letter)
{
    struct torture *t = ctx;
    t->redrove = true;
    if (letter->sent)
        torture_branch(t, TORTURE_BRANCH_REDRIVEN);
    return 0;
}

static void act_redrive(struct torture *t, struct dice *dice)
{
    struct jobq_backend *b = operators(t);
    struct jobq_error err;
    if (dice_below(dice, 3) == 0)
        dead_scan(b, REPLICATION_QUEUE, NULL, NULL, &err);
    else if (dead_redrive(b, REPLICATION_QUEUE, (int64_t)dice_below(dice, 20) + 1,
                          see_letter, t, &err) >= 0)
        torture_strike(t, TORTURE_REDRIVE, -1);
}

/* One that is no job at all, or a job that has no row. */
static void act_garbage(struct torture *t, struct dice *dice)
{
    struct jobq_backend *b = operators(t);
    struct jobq_outgoing message = {.body = STR("{\"Records\": []}")};
    struct jobq_entry_result result;
    struct jobq_error err;
    char body[JOB_ID_MAX + 32];
    int queue = open_queue(t);
    if (queue < 0)
        return;
    uint64_t jobs = (uint64_t)t->rows.count;
    uint64_t which = dice_below(dice, jobs > 0 ? jobs : 1);
    if (dice_below(dice, 2) && jobs > 0 && !t->claim[which].garbage) {
        /* The id of a job with another process's number: in its table, and without a row. */
        const char *id = t->rows.id[which];
        int len = (int)strlen(id);
        memcpy(body, id, (size_t)len);
        body[len - 1] = body[len - 1] == '0' ? '1' : '0';
        memcpy(body + len, " sleep 0", 8);
        monitor_claim(t, (struct jobq_str){body, len})->garbage = true;
        message.body = (struct jobq_str){body, len + 8};
    }
    if (jobq_queue_send(b, queue, &message, 1, &result, &err) == JOBQ_OK)
        torture_strike(t, TORTURE_GARBAGE, -1);
}

/* ---- the house ------------------------------------------------------------------------ */

static struct housekeeping house_of(struct torture *t, int queue)
{
    return (struct housekeeping){.b = operators(t),
                                 .queue_name = STR(REPLICATION_QUEUE),
                                 .queue = queue,
                                 .keep_ns = HOUSEKEEPING_KEEP_NS,
                                 .retention_ns = QUEUES_RETENTION_NS,
                                 .visibility_ns = t->visibility_ns,
                                 .stop = &t->ended};
}

static void act_prune(struct torture *t, struct dice *dice)
{
    int queue = open_queue(t);
    struct housekeeping h = house_of(t, queue);
    struct housekeeping_done done = {0};
    struct jobq_error err;
    (void)dice;
    if (queue < 0 || housekeeping_prune(&h, &done, &err) != JOBQ_OK)
        return;
    torture_strike(t, TORTURE_PRUNE, -1);
    if (done.dropped > 0)
        torture_find(t, "prune",
                     "a prune dropped %lld tables of a day that has not passed",
                     (long long)done.dropped);
}

static int repair(struct torture *t, int64_t within_ns, int64_t *sent)
{
    int queue = open_queue(t);
    struct housekeeping h = house_of(t, queue);
    struct housekeeping_done done = {0};
    struct jobq_error err;
    *sent = 0;
    if (queue < 0)
        return queue;
    int code = housekeeping_repair(&h, 0, world_now(t->world) + within_ns, &done, &err);
    for (int64_t i = 0; i < done.sent; i++)
        torture_branch(t, TORTURE_BRANCH_REPAIRED);
    *sent = done.sent;
    return code;
}

static void act_repair(struct torture *t, struct dice *dice)
{
    int64_t sent;
    (void)dice;
    if (repair(t, JOBQ_NS_PER_MIN, &sent) != JOBQ_UNAVAILABLE)
        torture_strike(t, TORTURE_REPAIR, -1);
}

/* ---- boxes ---------------------------------------------------------------------------- */

static void act_spawn(struct torture *t, struct dice *dice)
{
    replication_want_boxes(t->replication,
                           torture_between(dice, 1, t->scenario.boxes + 2));
    torture_strike(t, TORTURE_SPAWN, -1);
}

static void act_seppuku(struct torture *t, struct dice *dice)
{
    struct world_box *box = inject_a_box(t, dice_bits(dice) >> 1);
    if (!box || !replication_drainer(t->replication, box))
        return;
    torture_strike(t, TORTURE_SEPPUKU, -1);
    replication_stop_drainer(t->replication, box, torture_seconds(dice, 1, 60), -1);
}

static void act_quiet(struct torture *t, struct dice *dice)
{
    struct world_box *box = inject_a_box(t, dice_bits(dice) >> 1);
    struct drainer *d = box ? replication_drainer(t->replication, box) : NULL;
    int64_t for_ns = torture_seconds(dice, 1, 40);
    if (!d)
        return;
    torture_strike(t, TORTURE_QUIET, -1);
    drainer_quiet(d, true);
    fiber_sleep_until(operators(t)->sched, world_now(t->world) + for_ns);
    if (replication_drainer(t->replication, box) == d)
        drainer_quiet(d, false);
}

static void act_resize(struct torture *t, struct dice *dice)
{
    struct world_box *box = inject_a_box(t, dice_bits(dice) >> 1);
    struct drainer *d = box ? replication_drainer(t->replication, box) : NULL;
    if (!d)
        return;
    torture_strike(t, TORTURE_RESIZE, -1);
    drainer_resize(d, (int)torture_between(dice, 1, 2 * t->scenario.concurrency));
}

/* ---- all of them ---------------------------------------------------------------------- */

struct operator
{
    enum torture_fault fault;
    int most; /* times in a run; at least once */
    void (*act)(struct torture * t, struct dice * dice);
};
static const struct operator OPERATORS[] = {
    {TORTURE_CANCEL, 8, act_cancel},   {TORTURE_PURGE, 2, act_purge},
    {TORTURE_REDRIVE, 4, act_redrive}, {TORTURE_GARBAGE, 5, act_garbage},
    {TORTURE_PRUNE, 3, act_prune},     {TORTURE_REPAIR, 3, act_repair},
    {TORTURE_SPAWN, 4, act_spawn},     {TORTURE_SEPPUKU, 4, act_seppuku},
    {TORTURE_QUIET, 4, act_quiet},     {TORTURE_RESIZE, 4, act_resize},
};

struct worker {
    struct torture *t;
    const struct operator* operator;
};

static void work(void *arg)
{
    struct worker *w = arg;
    struct torture *t = w->t;
    struct dice *dice = torture_dice(t, w->operator->fault);
    struct fiber_sched *sched = operators(t)->sched;
    int64_t times = torture_between(dice, 1, w->operator->most);
    double gap_s = 2 * (double)(t->until_ns - t->origin_ns) / 1e9 / (double)(times + 1);
    while (times-- > 0) {
        fiber_sleep_until(sched, world_now(t->world) + torture_seconds(dice, 0, gap_s));
        if (world_now(t->world) >= t->until_ns)
            return;
        if (!torture_time(t))
            continue;
        t->acting++;
        w->operator->act(t, dice);
        t->acting--;
    }
}

/* ---- the end -------------------------------------------------------------------------- */

/* No drainer is told to be quiet any more, and as many boxes are wanted as at first. */
static void calm(struct torture *t)
{
    replication_want_boxes(t->replication, t->scenario.boxes);
    for (int64_t i = 0; i < world_box_count(t->world); i++) {
        struct drainer *d =
            replication_drainer(t->replication, world_box_at(t->world, i));
        if (d)
            drainer_quiet(d, false);
    }
}

/* A repair sends what was purged, and what a client began and never told of: it was killed, or
 * refused for good. In all other runs a row that waits for a message has lost it. */
static void check_repair(struct torture *t, int64_t sent)
{
    static const enum torture_fault lossy[] = {TORTURE_PURGE,      TORTURE_CLIENT_CRASH,
                                               TORTURE_DENIED,     TORTURE_QUEUE_GONE,
                                               TORTURE_TABLE_GONE, TORTURE_DISK_FULL};
    int64_t told = 0;
    for (size_t i = 0; i < sizeof lossy / sizeof lossy[0]; i++)
        if (torture_on(t, lossy[i]))
            return;
    for (int64_t i = 0; i < t->jobs->count; i++)
        told += t->jobs->rec[i].index >= 0;
    if (told == t->run->jobs && sent > 0)
        torture_find(t, "lost", "%lld jobs had no message, and none was purged",
                     (long long)sent);
}

static void close_run(void *arg)
{
    struct torture *t = arg;
    struct jobq_backend *b = operators(t);
    fiber_sleep_until(b->sched, t->until_ns);
    calm(t);
    int redrives = 2; /* jobs that fail each time come back to the dead letters */
    while (!t->ended) {
        struct jobq_error err;
        fiber_sleep_until(b->sched, world_now(t->world) + 20 * JOBQ_NS_PER_S);
        if (late_pending(t->world) > 0 || t->open_rows == 0)
            continue;
        int64_t sent;
        t->acting++;
        repair(t, 10 * JOBQ_NS_PER_MIN, &sent);
        check_repair(t, sent);
        if (t->open_rows > 0 && redrives-- > 0)
            dead_redrive(b, REPLICATION_QUEUE, JOBQ_FOREVER, see_letter, t, &err);
        t->acting--;
    }
}

void operate_start(struct torture *t)
{
    t->operators = world_proc_new(t->world, "operators", 0, NULL, &t->ledger, 0);
    t->operators_place.t = t;
    inject_process(t, &t->operators_place, world_backend(t->operators));
    struct fiber_proc *fibers = world_fibers(t->operators);
    for (size_t i = 0; i < sizeof OPERATORS / sizeof OPERATORS[0]; i++) {
        if (!torture_on(t, OPERATORS[i].fault))
            continue;
        struct worker *w = arena_alloc(&t->arena, sizeof *w);
        *w = (struct worker){t, &OPERATORS[i]};
        fiber_spawn(fibers, work, w);
    }
    fiber_spawn(fibers, close_run, t);
}
