#include "sim/mock/server/process.h"

#include "sim/mock/server/auth.h"
#include "sim/mock/ec2/boxes.h"
#include "sim/mock/ec2/resource.h"
#include "sim/mock/server/delay.h"
#include "sim/mock/control/faults.h"
#include "sim/mock/control/late.h"
#include "sim/mock/control/meter.h"
#include "sim/mock/sqs/receive.h"
#include "sim/mock/server/route.h"
#include "sim/mock/state/state.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/resource.h>

/* A message of 1 MiB whose every byte is escaped, and the rest of its request. */
static struct http_limits limits_of(const struct mock_options *options)
{
    return (struct http_limits){.head_bytes = 64 * JOBQ_KIB,
                                .body_bytes = 8 * JOBQ_MIB,
                                .pipeline_bytes = 64 * JOBQ_KIB,
                                .request_ns = 30 * JOBQ_NS_PER_S,
                                .idle_ns = 120 * JOBQ_NS_PER_S,
                                .write_ns = 30 * JOBQ_NS_PER_S,
                                .connections = (int)options->max_connections,
                                .total_bytes = options->max_buffer_bytes};
}

/* ---- the models' timer ------------------------------------------------------------- */

/* When the loop's clock will show this time of the models, rounded up;
 * JOBQ_FOREVER: not in this clock's life. */
static int64_t loop_time_ns(const struct mock *mock, int64_t model_ns)
{
    if (model_ns <= mock->model_base_ns)
        return mock->loop_base_ns;
    double ahead_ns = (double)(model_ns - mock->model_base_ns) / mock->speed;
    if (!(ahead_ns < (double)(JOBQ_FOREVER - mock->loop_base_ns)))
        return JOBQ_FOREVER;
    return mock->loop_base_ns + (int64_t)ahead_ns + 1;
}

static void advance_models(void *ctx)
{
    struct mock *mock = ctx;
    int64_t now_ns = mock_now_ns(mock);
    mock->timer_at_ns = JOBQ_FOREVER;
    late_apply(mock->late, now_ns);
    for (int i = 0; i < mock->region_count; i++) {
        struct mock_region *region = mock->region[i];
        arena_reset(&mock->arena);
        if (boxes_next_at(mock, region) <= now_ns)
            boxes_follow(mock, region);
        if (sqs_next_at(region->sqs) > now_ns)
            continue;
        sqs_advance(region->sqs, now_ns);
        mock_wait_drain(mock, region);
    }
}

/* Behind each turn: the one timer stands at the earliest thing that any model waits for. */
static void process_set_timer(void *ctx)
{
    struct mock *mock = ctx;
    int64_t next_ns = late_next_at(mock->late);
    for (int i = 0; i < mock->region_count; i++) {
        int64_t at_ns = sqs_next_at(mock->region[i]->sqs);
        int64_t box_at_ns = boxes_next_at(mock, mock->region[i]);
        if (at_ns < next_ns)
            next_ns = at_ns;
        if (box_at_ns < next_ns)
            next_ns = box_at_ns;
    }
    if (next_ns == mock->timer_at_ns)
        return;
    mock->timer_at_ns = next_ns;
    loop_timer_set(mock->model_timer, loop_time_ns(mock, next_ns));
}

/* ---- from options to a mock ---------------------------------------------------------- */

/* What a test that uses a mock does not expect: it is left off until --faults or --latency
 * switches it on. */
static void calm_down(struct mock_models *models, bool latency)
{
    struct sqs_params *sqs = &models->sqs;
    struct ec2_params *ec2 = &models->ec2;
    sqs->short_poll_servers = 0;
    sqs->duplicate_rate = sqs->undelete_rate = sqs->reorder_rate = 0;
    sqs->counts_window_ns = 0;
    sqs->throttle_per_s = sqs->fifo_throttle_per_s = 0;
    models->sdb.writes_per_s = 0;
    models->sdb.window.points = 0;
    struct dynamodb_params *dynamodb = &models->dynamodb;
    dynamodb->throttle = false;
    dynamodb->stale_ns = 0;
    ec2->request_bucket = ec2->resource_bucket = 0;
    ec2->capacity_failure_p = ec2->spot_capacity_failure_p = 0;
    ec2->spot_hazard_per_hour = 0;
    ec2->visible_after_ns = 0;
    if (!latency)
        dynamodb->create_ns = 0;
    if (!latency)
        ec2->pending = ec2->boot = ec2->stopping = distribution_constant(0);
}

/* The semantics of the parameter set. */
static int load_params(struct mock *mock, struct jobq_error *err)
{
    const char *model = mock->options->model;
    struct mock_models *whole = &mock->whole;
    int code = sqs_params_load(model, &whole->sqs, err);
    if (code == JOBQ_OK)
        code = simpledb_params_load(model, &whole->sdb, err);
    if (code == JOBQ_OK)
        code = dynamodb_params_load(model, &whole->dynamodb, err);
    if (code == JOBQ_OK)
        code = ec2_params_load(model, &whole->ec2, err);
    if (code < 0)
        return code;
    mock->calm = *whole;
    calm_down(&mock->calm, mock->options->latency_model);
    mock->models = mock->calm;
    if (!mock->options->faults)
        return JOBQ_OK;
    code = faults_set(mock, str_of(mock->options->faults), err);
    return code < 0 ? jobq_wrap(err, "--faults") : JOBQ_OK;
}

static int open_state(struct mock *mock, struct jobq_error *err)
{
    mock->state = state_open(mock, mock->options->state, err);
    if (!mock->state)
        return (int)err->code;
    http_server_on_commit(mock->server, state_commit, mock->state);
    return JOBQ_OK;
}

static void stop(void *ctx)
{
    struct mock *mock = ctx;
    loop_stop(mock->loop);
}

/* All that needs the loop. */
static int build(struct mock *mock, struct jobq_error *err)
{
    const struct mock_options *options = mock->options;
    mock->loop_base_ns = loop_now_ns();
    mock->model_base_ns = loop_wall_ns();
    dice_init(&mock->dice, options->seed, "jobqmock", 0);
    dice_init(&mock->id_dice, options->seed, "request", (uint64_t)mock->model_base_ns);
    digest_init(&mock->digest);
    arena_init(&mock->arena, 64 * 1024);
    mock->waits = mock_wait_new();
    mock->delays = delay_new(mock->loop);
    mock->late = late_new(mock);
    mock->meter = meter_new();
    if (options->boxes)
        mock->boxes = boxes_new(mock);
    mock->timer_at_ns = JOBQ_FOREVER;
    mock->model_timer = loop_timer_new(mock->loop, advance_models, mock);
    const struct http_limits limits = limits_of(options);
    mock->server = http_server_new(mock->loop, &limits, route_request, mock);
    loop_after_turn(mock->loop, process_set_timer, mock);
    return options->state ? open_state(mock, err) : JOBQ_OK;
}

struct mock *process_new(const struct mock_options *options, struct jobq_error *err)
{
    struct mock *mock = xcalloc(1, sizeof *mock);
    mock->options = options;
    mock->seed = options->seed;
    if (!options->seeded && getrandom(&mock->seed, sizeof mock->seed, 0) < 0)
        mock->seed = (uint64_t)loop_wall_ns();
    mock->seed &= INT64_MAX; /* what --seed takes */
    mock->speed = options->speed;
    mock->faults = faults_new();
    int code = load_params(mock, err);
    if (code == JOBQ_OK && options->auth_check) {
        mock->keys = auth_keys_new(mock, options->credentials, err);
        code = mock->keys ? JOBQ_OK : (int)err->code;
    }
    if (code == JOBQ_OK) {
        loop_ignore_pipe();
        mock->loop = loop_new(err);
        code = mock->loop ? build(mock, err) : (int)err->code;
    }
    if (code == JOBQ_OK)
        return mock;
    process_free(mock);
    return NULL;
}

static void free_region(struct mock_region *region)
{
    sqs_free(region->sqs);
    simpledb_free(region->sdb);
    dynamodb_free(region->dynamodb);
    ec2_free(region->ec2);
    free(region->launch);
    arena_release(&region->launches);
    resource_reset(region);
    free(region);
}

void process_free(struct mock *mock)
{
    if (!mock)
        return;
    if (mock->loop) {
        late_free(mock->late);
        http_server_free(mock->server);
        state_close(mock->state);
        mock->state = NULL;
        boxes_free(mock->boxes);
        for (int i = 0; i < mock->region_count; i++)
            free_region(mock->region[i]);
        mock_wait_free(mock->waits);
        delay_free(mock->delays);
        meter_free(mock->meter);
        loop_timer_free(mock->model_timer);
        text_release(&mock->body);
        text_release(&mock->head);
        arena_release(&mock->arena);
        digest_release(&mock->digest);
        loop_free(mock->loop);
    }
    auth_keys_free(mock->keys);
    faults_free(mock->faults);
    free(mock);
}

/* A descriptor a connection, and some. Where that is not allowed, the listener pauses at what
 * is. */
static void allow_descriptors(int64_t count)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= (rlim_t)count)
        return;
    limit.rlim_cur = limit.rlim_max < (rlim_t)count ? limit.rlim_max : (rlim_t)count;
    setrlimit(RLIMIT_NOFILE, &limit);
}

static int process_serve(struct mock *mock, struct jobq_error *err)
{
    const struct mock_options *options = mock->options;
    allow_descriptors(options->max_connections + 64);
    loop_on_signal(mock->loop, SIGTERM, stop, mock);
    loop_on_signal(mock->loop, SIGINT, stop, mock);
    int port = http_server_listen(mock->server, options->host, options->port, err);
    if (port < 0)
        return port;
    bool v6 = strchr(options->host, ':') != NULL;
    snprintf(mock->url, sizeof mock->url, "http://%s%s%s:%d", v6 ? "[" : "",
             options->host, v6 ? "]" : "", port);
    printf("jobqmock ready on %s\n", mock->url);
    fflush(stdout);
    return loop_run(mock->loop, err);
}

int process_run(const struct mock_options *options, struct jobq_error *err)
{
    struct mock *mock = process_new(options, err);
    if (!mock)
        return (int)err->code;
    int code = process_serve(mock, err);
    process_free(mock);
    return code;
}
