/* inject.c - how do the faults of a run reach its processes?
 *
 * Room:     sim.
 * Blocks:   the fault hook parks the calling fiber, where a process is paused or its network
 *           is slow; everything else does not.
 *
 * Three ways. A call passes the fault hook before and after it is made; what holds up, refuses
 * or loses calls sits there. A process that is stopped (SIGSTOP) is stopped at its calls: between two
 * of them it takes no time. What strikes boxes and processes as a whole is an event of the
 * kernel, planned at the origin. What the services do wrong by themselves are parameters of
 * their models (plan.c). */
#include "sim/torture/internal.h"

#include "sim/world/late.h"

#include <string.h>

/* After its caller asked for it, a late call takes effect. The live client waits 30 s. */
enum { LATE_MIN_S = 30, LATE_MAX_S = 120, CLIENT_TIMEOUT_S = 30 };

/* ---- calls ---------------------------------------------------------------------------- */

static void hold_until(struct torture *t, int64_t until_ns)
{
    if (until_ns > t->until_ns)
        until_ns = t->until_ns;
    if (until_ns > world_now(t->world))
        fiber_sleep_until(kernel_fibers(world_kernel(t->world)), until_ns);
}

static void await_resume(struct torture_process *p)
{
    while (p->place->paused_until_ns > world_now(p->t->world) && torture_time(p->t))
        hold_until(p->t, p->place->paused_until_ns);
}

static bool is_open(const struct torture *t, enum torture_fault fault)
{
    return t->windows & torture_bit(fault);
}

/* A drainer makes it for its jobs only. */
static bool is_vital(enum jobq_action action)
{
    return action == JOBQ_ACT_SQS_DELETE || action == JOBQ_ACT_SQS_DELETE_BATCH ||
           action == JOBQ_ACT_SQS_VISIBILITY || action == JOBQ_ACT_SQS_VISIBILITY_BATCH;
}

/* The service is down, gone, or does not allow it. */
static int out_of_service(struct torture_process *p, enum jobq_action action)
{
    struct torture *t = p->t;
    enum jobq_service service = jobq_action_service(action);
    bool sqs = service == JOBQ_SQS, ec2 = service == JOBQ_EC2;
    bool makes =
        action == JOBQ_ACT_SQS_CREATE_QUEUE || action == JOBQ_ACT_SDB_CREATE_DOMAIN ||
        action == JOBQ_ACT_SDB_LIST_DOMAINS || action == JOBQ_ACT_DDB_CREATE_TABLE ||
        action == JOBQ_ACT_DDB_DESCRIBE_TABLE;
    const struct {
        enum torture_fault fault;
        bool strikes;
        int code;
    } outage[] = {
        {TORTURE_DENIED, t->denied & UINT64_C(1) << action, JOBQ_DENIED},
        {TORTURE_QUEUE_DOWN, sqs, JOBQ_UNAVAILABLE},
        {TORTURE_STORE_DOWN, !sqs && !ec2, JOBQ_UNAVAILABLE},
        {TORTURE_QUEUE_GONE, sqs && !makes, JOBQ_NOT_FOUND},
        {TORTURE_TABLE_GONE, !sqs && !ec2 && !makes, JOBQ_NOT_FOUND},
    };
    for (size_t i = 0; i < sizeof outage / sizeof outage[0]; i++) {
        if (!outage[i].strikes || !is_open(t, outage[i].fault))
            continue;
        torture_strike(t, outage[i].fault, (int)action);
        p->place->denied |= outage[i].code == JOBQ_DENIED && is_vital(action);
        return outage[i].code;
    }
    return 0;
}

static void crash_client(void *ctx, uint64_t after_ns)
{
    struct torture *t = ctx;
    replication_kill_client(t->replication, (int64_t)after_ns);
}

/* The client dies here, and its fiber goes no further. */
static void crash(struct torture *t)
{
    struct kernel *k = world_kernel(t->world);
    int64_t after_ns = torture_seconds(torture_dice(t, TORTURE_CLIENT_CRASH), 0.1, 20);
    kernel_at(k, kernel_now(k), crash_client, t, (uint64_t)after_ns);
    fiber_ticket(kernel_fibers(k));
    fiber_park(kernel_fibers(k), JOBQ_FOREVER);
}

/* Its set-up, before the first job, is not killed: nothing is lost then. */
static bool may_crash(const struct torture_process *p)
{
    return p->t->started && p->place == &p->t->client;
}

static bool is_half_dead(const struct torture_process *p, bool hears)
{
    return p->place->half_dead_until_ns > world_now(p->t->world) &&
           p->place->half_dead_hears == hears;
}

static int half_dead(struct torture_process *p, enum jobq_action action)
{
    torture_strike(p->t, TORTURE_HALF_DEAD, (int)action);
    hold_until(p->t, world_now(p->t->world) + CLIENT_TIMEOUT_S * JOBQ_NS_PER_S);
    return JOBQ_TIMEOUT;
}

static int before(struct torture_process *p, enum jobq_action action)
{
    struct torture *t = p->t;
    await_resume(p);
    if (may_crash(p) && torture_draws(t, TORTURE_CLIENT_CRASH, (int)action))
        crash(t);
    int code = t->windows ? out_of_service(p, action) : 0;
    if (code != 0)
        return code;
    if (is_half_dead(p, false))
        return half_dead(p, action);
    if (torture_draws(t, TORTURE_THROTTLED, (int)action))
        return JOBQ_THROTTLED;
    if (torture_draws(t, TORTURE_REFUSED, (int)action))
        return dice_below(torture_dice(t, TORTURE_REFUSED), 2) ? JOBQ_UNAVAILABLE
                                                               : JOBQ_TIMEOUT;
    return 0;
}

static int after(struct torture_process *p, enum jobq_action action)
{
    struct torture *t = p->t;
    int64_t replied_at_ns = world_now(t->world) - p->place->rtt_ns;
    const struct torture_brought brought = t->brought;
    if (is_half_dead(p, true))
        return half_dead(p, action);
    if (torture_draws(t, TORTURE_HELD_REPLY, (int)action)) {
        double u = dice_u(torture_dice(t, TORTURE_HELD_REPLY));
        hold_until(t, world_now(t->world) + (int64_t)(u * u * 25e9));
    }
    await_resume(p);
    if (action == JOBQ_ACT_SQS_RECEIVE && replied_at_ns < world_now(t->world))
        for (int i = 0; i < brought.count; i++)
            t->claim[brought.job[i]].misled = true;
    if (may_crash(p) && torture_draws(t, TORTURE_CLIENT_CRASH, (int)action))
        crash(t);
    if (torture_draws(t, TORTURE_LOST_REPLY, (int)action))
        return dice_below(torture_dice(t, TORTURE_LOST_REPLY), 3) ? JOBQ_TIMEOUT
                                                                  : JOBQ_UNAVAILABLE;
    return 0;
}

static int fault(void *ctx, enum jobq_action action, enum jobq_fault_phase phase)
{
    struct torture_process *p = ctx;
    struct torture *t = p->t;
    if (!torture_time(t))
        return 0;
    int code;
    if (phase == JOBQ_FAULT_BEFORE) {
        code = before(p, action);
    } else {
        enum world_latency_kind kind = world_kind_of(action);
        t->held[kind]++;
        code = after(p, action);
        t->held[kind]--;
    }
    t->injected_launches += code != 0 && action == JOBQ_ACT_EC2_RUN;
    return code;
}

/* After how long a call takes effect that its caller has given up, or that is made twice. */
static int64_t draw_late(void *ctx, enum jobq_action action, bool *twice)
{
    struct torture *t = ctx;
    if (!torture_time(t))
        return -1;
    if (torture_draws(t, TORTURE_LATE, (int)action))
        return torture_seconds(torture_dice(t, TORTURE_LATE), LATE_MIN_S, LATE_MAX_S);
    *twice = torture_draws(t, TORTURE_TWICE, (int)action);
    double u = *twice ? dice_u(torture_dice(t, TORTURE_TWICE)) : 0;
    return *twice ? (int64_t)(u * u * u * 2e9) : -1;
}

/* ---- jobs ----------------------------------------------------------------------------- */

static struct torture_process *child_of(struct jobq_child *port)
{
    return (struct torture_process *)((char *)port -
                                      offsetof(struct torture_process, child));
}

static void kill_box_drainer(void *ctx, uint64_t box)
{
    struct torture *t = ctx;
    if (!torture_time(t))
        return;
    torture_strike(t, TORTURE_CRASHER, -1);
    replication_kill_drainer(t->replication, world_box_at(t->world, (int64_t)box),
                             torture_seconds(torture_dice(t, TORTURE_CRASHER), 1, 5));
}

static int child_start(struct jobq_child *port, const struct jobq_work *work,
                       struct jobq_error *err)
{
    struct torture_process *p = child_of(port);
    struct torture *t = p->t;
    monitor_child(t, work);
    int handle = p->real_child->ops->start(p->real_child, work, err);
    if (handle < 0)
        return handle;
    int bits = (int)(sizeof p->failing * 8), at = handle % bits;
    p->failing[at / 64] &= ~(UINT64_C(1) << at % 64);
    if (torture_job_is(work->sleep_ns, JOB_FAILS_NS))
        p->failing[at / 64] |= UINT64_C(1) << at % 64;
    if (torture_job_is(work->sleep_ns, JOB_CRASHES_NS)) {
        struct kernel *k = world_kernel(t->world);
        double u = dice_u(torture_dice(t, TORTURE_CRASHER));
        int64_t after_ns = (int64_t)(u * (double)work->sleep_ns);
        kernel_at(k, kernel_now(k) + after_ns, kill_box_drainer, t,
                  (uint64_t)world_box_index(p->place->box));
    }
    return handle;
}

static int child_wait(struct jobq_child *port, int handle, int64_t until_ns,
                      struct jobq_work_result *out, struct jobq_error *err)
{
    struct torture_process *p = child_of(port);
    int code = p->real_child->ops->wait(p->real_child, handle, until_ns, out, err);
    int at = handle % (int)(sizeof p->failing * 8);
    if (code == JOBQ_OK && !out->killed && p->failing[at / 64] & UINT64_C(1) << at % 64) {
        torture_strike(p->t, TORTURE_POISON, -1);
        out->exit_code = 1;
    }
    return code;
}

static void child_stop(struct jobq_child *port, int handle, int64_t grace_ns)
{
    struct torture_process *p = child_of(port);
    p->real_child->ops->stop(p->real_child, handle, grace_ns);
}

/* ---- processes ------------------------------------------------------------------------ */

struct torture_place *inject_place(struct torture *t, struct world_box *box)
{
    int64_t index = world_box_index(box);
    if (index >= t->place_cap) {
        int64_t cap = t->place_cap ? t->place_cap : 32;
        while (cap <= index)
            cap *= 2;
        struct torture_place **grown =
            arena_zalloc(&t->arena, (size_t)cap * sizeof *grown);
        if (t->place_cap > 0)
            memcpy(grown, t->place, (size_t)t->place_cap * sizeof *grown);
        t->place = grown;
        t->place_cap = cap;
    }
    if (!t->place[index]) {
        struct torture_place *place = arena_zalloc(&t->arena, sizeof *place);
        place->t = t;
        place->box = box;
        t->place[index] = place;
    }
    return t->place[index];
}

/* The clock of a place that has none yet. */
static void set_clock(struct torture *t, struct torture_place *place)
{
    struct dice *dice = torture_dice(t, TORTURE_SKEWED);
    if (!torture_on(t, TORTURE_SKEWED) || place->used || dice_below(dice, 2))
        return;
    place->wall_offset_ns = torture_seconds(dice, -900, 900);
    torture_strike(t, TORTURE_SKEWED, -1);
}

void inject_process(struct torture *t, struct torture_place *place,
                    struct jobq_backend *b)
{
    struct torture_process *p = arena_zalloc(fiber_proc_arena(b->proc), sizeof *p);
    p->t = t;
    p->place = place;
    set_clock(t, place);
    place->used = true;
    place->denied = false;
    world_set_wall(b, place->wall_offset_ns);
    if (place->rtt_ns > 0)
        world_set_rtt(b, place->rtt_ns);
    world_set_metadata_down(b, is_open(t, TORTURE_METADATA_DOWN));
    struct late_options late = {
        .draw = draw_late, .ctx = t, .timeout_ns = t->late_timeout_ns};
    if (torture_on(t, TORTURE_LATE) || torture_on(t, TORTURE_TWICE))
        late_install(b, &late);
    t->child_ops =
        (struct jobq_child_ops){"torture", child_start, child_wait, child_stop};
    p->real_child = b->child;
    p->child.ops = &t->child_ops;
    b->child = &p->child;
    b->fault = fault;
    b->fault_ctx = p;
}

/* ---- what strikes by itself ----------------------------------------------------------- */

struct world_box *inject_a_box(struct torture *t, uint64_t draw)
{
    int64_t count = world_box_count(t->world),
            from = count > 0 ? (int64_t)(draw % (uint64_t)count) : 0;
    for (int64_t i = 0; i < count; i++) {
        struct world_box *box = world_box_at(t->world, (from + i) % count);
        if (world_box_up(box))
            return box;
    }
    return NULL;
}

/* A box, or now and then the client. */
static struct torture_place *a_place(struct torture *t, uint64_t draw)
{
    if (draw % 6 == 0)
        return &t->client;
    struct world_box *box = inject_a_box(t, draw / 6);
    return box ? inject_place(t, box) : NULL;
}

/* The ports of the process that is there now; NULL: none is. */
static struct jobq_backend *ports_of(const struct torture_place *place)
{
    return replication_backend(place->t->replication, place->box);
}

static void strike_killed(struct torture *t, uint64_t draw)
{
    struct world_box *box = inject_a_box(t, draw);
    if (!box || !replication_drainer(t->replication, box))
        return;
    torture_strike(t, TORTURE_KILLED, -1);
    replication_kill_drainer(t->replication, box,
                             torture_seconds(torture_dice(t, TORTURE_KILLED), 0.5, 10));
}

static void strike_restarted(struct torture *t, uint64_t draw)
{
    struct dice *dice = torture_dice(t, TORTURE_RESTARTED);
    struct world_box *box = inject_a_box(t, draw);
    int64_t within_ns = torture_seconds(dice, 0.5, 40);
    if (!box || !replication_drainer(t->replication, box))
        return;
    torture_strike(t, TORTURE_RESTARTED, -1);
    replication_stop_drainer(t->replication, box, within_ns,
                             torture_seconds(dice, 0.5, 5));
}

static void strike_paused(struct torture *t, uint64_t draw)
{
    struct torture_place *place = a_place(t, draw);
    double times = 1.2 + 3 * dice_u(torture_dice(t, TORTURE_PAUSED));
    if (!place)
        return;
    torture_strike(t, TORTURE_PAUSED, -1);
    place->paused_until_ns =
        world_now(t->world) + (int64_t)(times * (double)t->visibility_ns);
}

static void strike_box_died(struct torture *t, uint64_t draw)
{
    struct world_box *box = inject_a_box(t, draw);
    if (!box)
        return;
    torture_strike(t, TORTURE_BOX_DIED, -1);
    world_box_die(box);
}

static void strike_stepped(struct torture *t, uint64_t draw)
{
    struct dice *dice = torture_dice(t, TORTURE_STEPPED);
    struct torture_place *place = a_place(t, draw);
    double u = dice_u(dice);
    int64_t step_ns = (int64_t)(u * u * 7200e9) * (dice_below(dice, 2) ? 1 : -1);
    if (!place || !ports_of(place))
        return;
    torture_strike(t, TORTURE_STEPPED, -1);
    place->wall_offset_ns += step_ns;
    world_set_wall(ports_of(place), place->wall_offset_ns);
}

static void mend_net(void *ctx, uint64_t arg)
{
    (void)arg;
    struct torture_place *place = ctx;
    place->rtt_ns = 0;
    if (ports_of(place))
        world_set_rtt(ports_of(place), 0);
}

static int64_t end_of(const struct torture *t, int64_t at_ns)
{
    return at_ns < t->until_ns ? at_ns : t->until_ns;
}

static void strike_slow_net(struct torture *t, uint64_t draw)
{
    struct dice *dice = torture_dice(t, TORTURE_SLOW_NET);
    struct torture_place *place = a_place(t, draw);
    double u = dice_u(dice);
    int64_t until_ns = world_now(t->world) + torture_seconds(dice, 20, 90);
    if (!place || !ports_of(place) || place->rtt_ns > 0)
        return;
    torture_strike(t, TORTURE_SLOW_NET, -1);
    place->rtt_ns = (int64_t)(0.2e9 + u * u * 15e9);
    world_set_rtt(ports_of(place), place->rtt_ns);
    kernel_at(world_kernel(t->world), end_of(t, until_ns), mend_net, place, 0);
}

static void strike_half_dead(struct torture *t, uint64_t draw)
{
    struct dice *dice = torture_dice(t, TORTURE_HALF_DEAD);
    struct torture_place *place = a_place(t, draw);
    int64_t for_ns = torture_seconds(dice, 20, 90);
    bool hears = dice_below(dice, 2);
    if (!place)
        return;
    place->half_dead_until_ns = world_now(t->world) + for_ns;
    place->half_dead_hears = hears;
}

/* ---- windows, in which a service is out of order -------------------------------------- */

static void set_metadata(struct torture *t, bool down)
{
    for (int64_t i = 0; i < t->place_cap; i++) {
        struct torture_place *place = t->place[i];
        if (!place || !ports_of(place))
            continue;
        world_set_metadata_down(ports_of(place), down);
        if (down)
            torture_strike(t, TORTURE_METADATA_DOWN, -1);
    }
}

/* Of one service, some or all actions. */
static void choose_denied(struct torture *t)
{
    struct dice *dice = torture_dice(t, TORTURE_DENIED);
    static const enum jobq_service services[] = {JOBQ_SQS, JOBQ_SIMPLEDB, JOBQ_DYNAMODB};
    enum jobq_service service = services[dice_below(dice, 2)];
    double share = dice_below(dice, 2) ? 1 : 0.2;
    t->denied = 0;
    for (int i = 0; i < JOBQ_ACTION_COUNT; i++) {
        enum jobq_service of = jobq_action_service((enum jobq_action)i);
        bool same = of == service || (of == JOBQ_DYNAMODB && service == JOBQ_SIMPLEDB);
        if (same && dice_u(dice) < share)
            t->denied |= UINT64_C(1) << i;
    }
}

static void close_window(void *ctx, uint64_t fault)
{
    struct torture *t = ctx;
    t->windows &= ~(UINT64_C(1) << fault);
    if (fault == TORTURE_METADATA_DOWN)
        set_metadata(t, false);
}

static void open_window(struct torture *t, enum torture_fault fault)
{
    struct kernel *k = world_kernel(t->world);
    int64_t until_ns = kernel_now(k) + torture_seconds(torture_dice(t, fault), 20, 180);
    if (is_open(t, fault))
        return;
    t->windows |= torture_bit(fault);
    if (fault == TORTURE_DENIED)
        choose_denied(t);
    if (fault == TORTURE_METADATA_DOWN)
        set_metadata(t, true);
    kernel_at(k, end_of(t, until_ns), close_window, t, (uint64_t)fault);
}

/* ---- the plan of events --------------------------------------------------------------- */

struct striker {
    enum torture_fault fault;
    int most;                                         /* times in a run; at least once */
    void (*strike)(struct torture *t, uint64_t draw); /* NULL: a window opens */
};
static const struct striker STRIKERS[] = {
    {TORTURE_QUEUE_DOWN, 2, NULL},
    {TORTURE_STORE_DOWN, 2, NULL},
    {TORTURE_QUEUE_GONE, 2, NULL},
    {TORTURE_TABLE_GONE, 2, NULL},
    {TORTURE_METADATA_DOWN, 2, NULL},
    {TORTURE_DENIED, 3, NULL},
    {TORTURE_KILLED, 6, strike_killed},
    {TORTURE_PAUSED, 6, strike_paused},
    {TORTURE_RESTARTED, 4, strike_restarted},
    {TORTURE_BOX_DIED, 6, strike_box_died},
    {TORTURE_STEPPED, 5, strike_stepped},
    {TORTURE_SLOW_NET, 4, strike_slow_net},
    {TORTURE_HALF_DEAD, 3, strike_half_dead},
};

struct event {
    struct torture *t;
    const struct striker *striker;
};

static void happen(void *ctx, uint64_t draw)
{
    struct event *e = ctx;
    if (e->striker->strike)
        e->striker->strike(e->t, draw);
    else
        open_window(e->t, e->striker->fault);
}

/* The services as they are without faults, or with them. */
static void change_params(void *ctx, uint64_t with_faults)
{
    struct torture *t = ctx;
    const struct world_params *p = with_faults ? t->params : t->calm;
    sqs_params_change(world_sqs(t->world), &p->sqs);
    simpledb_set_params(world_simpledb(t->world), &p->simpledb);
    dynamodb_set_params(world_dynamodb(t->world), &p->dynamodb);
    ec2_set_params(world_ec2(t->world), &p->ec2);
}

void inject_start(struct torture *t)
{
    struct kernel *k = world_kernel(t->world);
    int64_t span_ns = t->until_ns - t->origin_ns;
    if (t->run->from_ns > 0)
        kernel_at(k, t->from_ns, change_params, t, true);
    kernel_at(k, t->until_ns, change_params, t, false);
    for (size_t i = 0; i < sizeof STRIKERS / sizeof STRIKERS[0]; i++) {
        const struct striker *striker = &STRIKERS[i];
        if (!torture_on(t, striker->fault))
            continue;
        struct dice *dice = torture_dice(t, striker->fault);
        struct event *e = arena_alloc(&t->arena, sizeof *e);
        *e = (struct event){t, striker};
        int64_t times = torture_between(dice, 1, striker->most);
        for (int64_t n = 0; n < times; n++) {
            int64_t at_ns = t->origin_ns + (int64_t)(dice_u(dice) * (double)span_ns);
            uint64_t draw = dice_bits(dice) >> 1;
            if (at_ns >= t->from_ns && at_ns < t->until_ns)
                kernel_at(k, at_ns, happen, e, draw);
        }
    }
}
