#include "sim/mock/mock.h"

#include "models/sqs_admin.h"
#include "sim/mock/auth.h"
#include "sim/mock/boxes.h"
#include "sim/mock/delay.h"
#include "sim/mock/faults.h"
#include "sim/mock/meter.h"
#include "sim/mock/process.h"
#include "sim/mock/route.h"
#include "sim/mock/state.h"
#include "sim/mock/mock_wait.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A message of 1 MiB whose every byte is escaped, and the rest of its request. */
static const struct http_limits limits = {.head_bytes = 64 * JOBQ_KIB,
                                          .body_bytes = 8 * JOBQ_MIB,
                                          .pipeline_bytes = 64 * JOBQ_KIB,
                                          .request_ns = 30 * JOBQ_NS_PER_S,
                                          .idle_ns = 120 * JOBQ_NS_PER_S,
                                          .write_ns = 30 * JOBQ_NS_PER_S,
                                          .connections = 4096};

uint64_t mock_mix(uint64_t bits)
{
    bits += UINT64_C(0x9e3779b97f4a7c15);
    bits = (bits ^ bits >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    bits = (bits ^ bits >> 27) * UINT64_C(0x94d049bb133111eb);
    return bits ^ bits >> 31;
}

static void write_uuid(uint64_t high, uint64_t low, char out[MOCK_UUID_BYTES])
{
    char hex[33];
    high = (high & ~UINT64_C(0xf000)) | 0x4000;
    low = (low & ~(UINT64_C(3) << 62)) | UINT64_C(2) << 62;
    text_write_hex64(hex, high);
    text_write_hex64(hex + 16, low);
    static const int from[] = {0, 8, 12, 16, 20}, len[] = {8, 4, 4, 4, 12};
    for (int i = 0, to = 0; i < 5; i++) {
        memcpy(out + to, hex + from[i], (size_t)len[i]);
        to += len[i];
        out[to++] = i < 4 ? '-' : '\0';
    }
}

void mock_uuid(struct mock *mock, char out[MOCK_UUID_BYTES])
{
    uint64_t high = dice_bits(&mock->id_dice);
    write_uuid(high, dice_bits(&mock->id_dice), out);
}

void mock_uuid_of(const struct mock *mock, uint64_t tag, uint64_t number,
                  char out[MOCK_UUID_BYTES])
{
    uint64_t high = mock_mix(mock->seed ^ mock_mix(tag) ^ number * 2);
    write_uuid(high, mock_mix(high ^ number), out);
}

double mock_u(struct mock *mock)
{
    return dice_u(&mock->dice);
}

const char *mock_quote(const struct call *call, struct jobq_str text)
{
    return arena_str(&call->mock->arena, text.ptr ? text : STR("")).ptr;
}

enum call_end mock_fail(struct call *call, int status, const char *code,
                        const char *shape, const char *format, ...)
{
    va_list args;
    call->error.status = status;
    call->error.code = code;
    call->error.shape = shape;
    call->error.receiver = status >= 500;
    va_start(args, format);
    vsnprintf(call->error.text, sizeof call->error.text, format, args);
    va_end(args);
    return CALL_FAILED;
}

/* ---- time ------------------------------------------------------------------------- */

int64_t mock_now_ns(const struct mock *mock)
{
    int64_t passed_ns = loop_now_ns() - mock->loop_base_ns;
    if (mock->speed == 1)
        return mock->model_base_ns + passed_ns;
    return mock->model_base_ns + (int64_t)((double)passed_ns * mock->speed);
}

/* When the loop's clock will show this time of the models, rounded up. */
static int64_t loop_time_ns(const struct mock *mock, int64_t model_ns)
{
    double ahead_ns = (double)(model_ns - mock->model_base_ns) / mock->speed;
    return mock->loop_base_ns + (int64_t)ahead_ns + 1;
}

static void advance_models(void *ctx)
{
    struct mock *mock = ctx;
    int64_t now_ns = mock_now_ns(mock);
    mock->timer_at_ns = JOBQ_FOREVER;
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
static void set_timer(void *ctx)
{
    struct mock *mock = ctx;
    int64_t next_ns = JOBQ_FOREVER;
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
    loop_timer_set(mock->model_timer,
                   next_ns == JOBQ_FOREVER ? next_ns : loop_time_ns(mock, next_ns));
}

void mock_set_clock(struct mock *mock, int64_t now_ns, double speed)
{
    mock->model_base_ns = now_ns;
    mock->loop_base_ns = loop_now_ns();
    mock->speed = speed;
    state_clock(mock->state);
    mock->timer_at_ns = 0; /* the loop's time of what is next has changed */
}

/* ---- regions ---------------------------------------------------------------------- */

static bool region_name_ok(struct jobq_str name)
{
    if (name.len < 1 || name.len > 31)
        return false;
    for (int64_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'))
            return false;
    }
    return true;
}

struct mock_region *mock_region(struct mock *mock, struct jobq_str name)
{
    for (int i = 0; i < mock->region_count; i++)
        if (str_is(name, mock->region[i]->name))
            return mock->region[i];
    if (mock->region_count == MOCK_REGIONS_MAX || !region_name_ok(name))
        return NULL;
    struct mock_region *region = xcalloc(1, sizeof *region);
    memcpy(region->name, name.ptr, (size_t)name.len);
    region->index = mock->region_count;
    region->sqs = sqs_new(&mock->models.sqs);
    region->sdb = simpledb_new(&mock->models.sdb);
    char zone[40];
    snprintf(zone, sizeof zone, "%sa", region->name);
    region->ec2 = ec2_new(&mock->models.ec2, zone);
    mock->region[mock->region_count++] = region;
    state_region(mock->state, region);
    return region;
}

void mock_reset(struct mock *mock)
{
    struct jobq_error err;
    int64_t now_ns = mock_now_ns(mock);
    for (int i = 0; i < mock->region_count; i++) {
        struct mock_region *region = mock->region[i];
        int queue;
        /* One by one first, so that those who wait are told. */
        while (sqs_list(region->sqs, STR(""), STR(""), &queue, 1) == 1) {
            if (sqs_delete_queue(region->sqs, now_ns, queue, &err) != SQS_OK)
                break;
        }
        mock_wait_drain(mock, region);
        sqs_reset(region->sqs);
        simpledb_reset(region->sdb, NULL);
        boxes_drop(mock, region);
        ec2_reset(region->ec2, NULL);
        region->launch_count = 0;
    }
    state_reset(mock->state);
    meter_reset(mock->meter);
}

static void free_region(struct mock_region *region)
{
    sqs_free(region->sqs);
    simpledb_free(region->sdb);
    ec2_free(region->ec2);
    free(region->launch);
    free(region);
}

/* ---- the process ------------------------------------------------------------------ */

static void stop(void *ctx)
{
    struct mock *mock = ctx;
    loop_stop(mock->loop);
}

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
    ec2->request_bucket = ec2->resource_bucket = 0;
    ec2->capacity_failure_p = ec2->spot_capacity_failure_p = 0;
    ec2->spot_hazard_per_hour = 0;
    ec2->visible_after_ns = 0;
    if (!latency)
        ec2->pending = ec2->boot = ec2->stopping = quantile_constant(0);
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

/* Everything between the making of the loop, which it takes, and the end. */
static int serve(struct mock *mock, struct jobq_error *err)
{
    const struct options *options = mock->options;
    int code = JOBQ_OK;
    mock->loop_base_ns = loop_now_ns();
    mock->model_base_ns = loop_wall_ns();
    dice_init(&mock->dice, options->seed, "jobqmock", 0);
    dice_init(&mock->id_dice, options->seed, "request", (uint64_t)mock->model_base_ns);
    digest_init(&mock->digest);
    arena_init(&mock->arena, 64 * 1024);
    mock->waits = mock_wait_new();
    mock->delays = delay_new(mock->loop);
    mock->meter = meter_new();
    if (options->boxes)
        mock->boxes = boxes_new(mock);
    mock->timer_at_ns = JOBQ_FOREVER;
    mock->model_timer = loop_timer_new(mock->loop, advance_models, mock);
    mock->server = http_server_new(mock->loop, &limits, route_request, mock);
    loop_after_turn(mock->loop, set_timer, mock);
    loop_on_signal(mock->loop, SIGTERM, stop, mock);
    loop_on_signal(mock->loop, SIGINT, stop, mock);
    int port = options->state ? open_state(mock, err) : JOBQ_OK;
    if (port >= 0)
        port = http_server_listen(mock->server, options->host, options->port, err);
    if (port >= 0) {
        bool v6 = strchr(options->host, ':') != NULL;
        snprintf(mock->url, sizeof mock->url, "http://%s%s%s:%d", v6 ? "[" : "",
                 options->host, v6 ? "]" : "", port);
        printf("jobqmock ready on %s\n", mock->url);
        fflush(stdout);
        code = loop_run(mock->loop, err);
    } else {
        code = port;
    }
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
    return code;
}

int process_run(const struct options *options, struct jobq_error *err)
{
    struct mock *mock = xcalloc(1, sizeof *mock);
    mock->options = options;
    mock->seed = options->seed;
    mock->speed = options->speed;
    mock->faults = faults_new();
    int code = load_params(mock, err);
    if (code == JOBQ_OK && options->auth_check) {
        mock->keys = auth_keys_new(mock, options->credentials, err);
        code = mock->keys ? JOBQ_OK : (int)err->code;
    }
    if (code == JOBQ_OK) {
        mock->loop = loop_new(err);
        code = mock->loop ? serve(mock, err) : (int)err->code;
    }
    auth_keys_free(mock->keys);
    faults_free(mock->faults);
    free(mock);
    return code;
}
