#include "live/world/live.h"

#include "base/arena.h"
#include "jobq/units.h"
#include "live/page/board.h"
#include "live/world/park.h"
#include "live/work/workers.h"

#include <curl/curl.h>
#include <libxml/parser.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>

/* curl, OpenSSL and the parsers run on the loop's stack; what is left for fibers is the
 * product, and its formatting of numbers. */
enum { STACK_BYTES = 32 << 10 };

static int64_t clock_now(struct jobq_clock *clock)
{
    (void)clock;
    return loop_now_ns();
}

static int64_t clock_wall(struct jobq_clock *clock)
{
    (void)clock;
    return loop_wall_ns();
}

static const struct jobq_clock_ops clock_ops = {
    .name = "system", .now = clock_now, .wall = clock_wall};

static uint64_t dice_bits_live(struct jobq_dice *dice)
{
    uint64_t bits;
    (void)dice;
    if (getrandom(&bits, sizeof bits, 0) != (ssize_t)sizeof bits)
        abort(); /* a kernel without random numbers */
    return bits;
}

static const struct jobq_dice_ops dice_ops = {.name = "getrandom",
                                              .bits = dice_bits_live};

static void after_turn(void *ctx)
{
    struct live *live = ctx;
    do {
        park_fire(live->park);
        fiber_run_ready(live->sched);
    } while (transport_submit(live->transport));
    park_rearm(live->park);
}

void live_guard_secrets(void)
{
    struct rlimit none = {0, 0};
    prctl(PR_SET_DUMPABLE, 0L, 0L, 0L, 0L);
    setrlimit(RLIMIT_CORE, &none);
}

static struct jobq_store *store_new(struct aws *aws, enum scenario_store store)
{
    return store == SCENARIO_STORE_NONE       ? NULL
           : store == SCENARIO_STORE_DYNAMODB ? aws_dynamodb_new(aws)
                                              : aws_simpledb_new(aws);
}

static void store_free(struct live *live)
{
    if (live->store == SCENARIO_STORE_DYNAMODB)
        aws_dynamodb_free(live->backend.store);
    else if (live->store == SCENARIO_STORE_SIMPLEDB)
        aws_simpledb_free(live->backend.store);
}

int live_open(struct live *live, const struct live_options *options,
              struct jobq_error *err)
{
    *live = (struct live){0};
    int rc = settings_read(&live->settings, err);
    if (rc < 0)
        return rc;
    curl_global_init(CURL_GLOBAL_DEFAULT);
    xmlInitParser();
    rc = aws_init(&live->aws, &live->settings, NULL, &live->credentials, err);
    if (rc < 0) {
        settings_release(&live->settings);
        return rc;
    }
    live->loop = loop_new(err);
    if (!live->loop) {
        aws_release(&live->aws);
        settings_release(&live->settings);
        return err->code;
    }
    struct fiber_options fibers = {
        .stack_bytes = options->stack_bytes ? options->stack_bytes : STACK_BYTES};
    live->park = park_new(live->loop);
    live->sched = fiber_sched_new(&PARK_TIMERS, live->park, &fibers);
    live->transport = transport_new(live->loop, live->sched);
    live->aws.transport = live->transport;
    transport_trust(live->transport, live->settings.ca_bundle);
    live->imds =
        (struct imds){.transport = live->transport, .base = live->settings.imds_url};
    credentials_init(&live->credentials, &live->settings, &live->imds, live->transport,
                     live->sched);
    live->clock.ops = &clock_ops;
    live->dice.ops = &dice_ops;
    jobq_ledger_init(&live->ledger);
    live->store = options->store;
    live->backend = (struct jobq_backend){
        .clock = &live->clock,
        .dice = &live->dice,
        .queue = aws_queue_new(&live->aws),
        .store = store_new(&live->aws, options->store),
        .fleet = aws_fleet_new(&live->aws, &live->imds),
        .child = workers_new(live->loop, live->sched, &options->exec, options->cpu_share),
        .board = board_new(live->loop, live->sched),
        .sched = live->sched,
        .proc = fiber_proc_new(live->sched, "jobq"),
        .ledger = &live->ledger};
    loop_after_turn(live->loop, after_turn, live);
    return JOBQ_OK;
}

int live_run(struct live *live, fiber_fn *fn, void *arg, struct jobq_error *err)
{
    fiber_spawn(live->backend.proc, fn, arg);
    loop_hurry(live->loop);
    return loop_run(live->loop, err);
}

void live_self(struct live *live, struct jobq_self *out)
{
    struct jobq_error no_box;
    if (!live->settings.imds_url || jobq_fleet_self(&live->backend, out, &no_box) < 0)
        *out = (struct jobq_self){0};
}

void live_end(struct live *live)
{
    loop_stop(live->loop);
}

void live_close(struct live *live)
{
    fiber_proc_kill(live->backend.proc);
    transport_drop(live->transport);
    fiber_sched_free(live->sched);
    workers_free(live->backend.child);
    board_free(live->backend.board);
    aws_queue_free(live->backend.queue);
    store_free(live);
    aws_fleet_free(live->backend.fleet);
    transport_free(live->transport);
    park_free(live->park);
    credentials_release(&live->credentials);
    aws_release(&live->aws);
    settings_release(&live->settings);
    jobq_ledger_release(&live->ledger);
    loop_free(live->loop);
}
