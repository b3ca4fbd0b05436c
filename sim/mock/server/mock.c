#include "sim/mock/server/mock.h"

#include "models/sqs/admin.h"
#include "sim/mock/ec2/boxes.h"
#include "sim/mock/ec2/launch.h"
#include "sim/mock/ec2/resource.h"
#include "sim/mock/control/late.h"
#include "sim/mock/control/meter.h"
#include "sim/mock/sqs/receive.h"
#include "sim/mock/state/state.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

__attribute__((format(printf, 2, 0))) static char *
format_text(const struct call *call, const char *format, va_list args)
{
    va_list again;
    va_copy(again, args);
    int len = vsnprintf(NULL, 0, format, again);
    va_end(again);
    char *text = arena_alloc(&call->mock->arena, (size_t)len + 1);
    vsnprintf(text, (size_t)len + 1, format, args);
    return text;
}

char *mock_format(const struct call *call, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *text = format_text(call, format, args);
    va_end(args);
    return text;
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
    call->error.text = format_text(call, format, args);
    va_end(args);
    return CALL_FAILED;
}

/* ---- time ------------------------------------------------------------------------- */

int64_t mock_now_ns(const struct mock *mock)
{
    int64_t passed_ns = loop_now_ns() - mock->loop_base_ns;
    if (mock->speed == 1)
        return mock->model_base_ns + passed_ns;
    double ahead_ns = (double)passed_ns * mock->speed;
    if (ahead_ns >= (double)(MOCK_END_NS - mock->model_base_ns))
        return MOCK_END_NS;
    return mock->model_base_ns + (int64_t)ahead_ns;
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
    region->dynamodb = dynamodb_new(&mock->models.dynamodb);
    char zone[40];
    snprintf(zone, sizeof zone, "%sa", region->name);
    region->ec2 = ec2_new(&mock->models.ec2, zone);
    ec2_salt_ids(region->ec2, mock_mix(mock->seed ^ mock_mix((uint64_t)region->index)));
    arena_init(&region->launches, 0);
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
        dynamodb_reset(region->dynamodb, NULL);
        boxes_drop(mock, region);
        ec2_reset(region->ec2, NULL);
        launch_reset(region);
        resource_reset(region);
    }
    late_drop(mock->late);
    state_reset(mock->state);
    meter_reset(mock->meter);
}
