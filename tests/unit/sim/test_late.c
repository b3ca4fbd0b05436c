/* test_late.c - a call that is applied late: its caller sees a time-out, and minutes later it
 * takes effect, whatever its caller has done meanwhile. */
#include "sim/world/late.h"

#include "base/arena.h"
#include "jobq/units.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define S JOBQ_NS_PER_S

struct stand {
    struct world_params *params;
    struct world *w;
    struct world_proc *proc;
    struct jobq_backend *b;
    struct jobq_ledger ledger;
    enum jobq_action action; /* the next call of it is late, by 60 s */
    bool twice;              /* and made at once as well */
    int late_calls, domain, queue;
    char value[16]; /* what the caller writes; overwritten as soon as it has given up */
    int code;
    int64_t gave_up_at_ns;
};

static int64_t draw(void *ctx, enum jobq_action action, bool *twice)
{
    struct stand *st = ctx;
    if (action != st->action || st->late_calls == 0)
        return -1;
    st->late_calls--;
    *twice = st->twice;
    return 60 * S;
}

static struct stand *stand_new(enum jobq_action action)
{
    struct stand *st = calloc(1, sizeof *st);
    struct jobq_error err;
    st->params = calloc(1, sizeof *st->params);
    assert_int_equal(world_params_load("ideal", st->params, &err), JOBQ_OK);
    struct world_options options = {.seed = 1};
    st->w = world_new(st->params, &options);
    st->proc = world_proc_new(st->w, "caller", 0, NULL, &st->ledger, 0);
    st->b = world_backend(st->proc);
    st->action = action;
    st->late_calls = 1;
    struct late_options late = {.draw = draw, .ctx = st, .timeout_ns = 10 * S};
    late_install(st->b, &late);
    return st;
}

static void stand_free(struct stand *st)
{
    world_free(st->w);
    jobq_ledger_release(&st->ledger);
    free(st->params);
    free(st);
}

static int put(struct stand *st, const char *value)
{
    struct jobq_error err;
    strcpy(st->value, value);
    struct jobq_attr attr = {{"colour", 6}, {st->value, (int64_t)strlen(value)}, true};
    struct jobq_item item = {{"row", 3}, &attr, 1};
    int code = jobq_store_put(st->b, st->domain, &item, NULL, NULL, &err);
    memset(st->value, '?', sizeof st->value);
    return code;
}

static void read_colour(struct stand *st, char *out)
{
    struct arena arena;
    struct simpledb_cursor cursor = {0};
    struct jobq_item item;
    arena_init(&arena, 0);
    out[0] = '\0';
    if (simpledb_next_row(world_simpledb(st->w), st->domain, &cursor, &arena, &item) &&
        item.attr_count == 1) {
        memcpy(out, item.attr[0].value.ptr, (size_t)item.attr[0].value.len);
        out[item.attr[0].value.len] = '\0';
    }
    arena_release(&arena);
}

static void put_twice(void *arg)
{
    struct stand *st = arg;
    struct jobq_error err;
    struct jobq_table colours = {STR("colours"), 1, 0};
    assert_int_equal(jobq_store_open(st->b, &colours, &st->domain, &err), JOBQ_OK);
    assert_int_equal(jobq_store_make(st->b, st->domain, &err), JOBQ_OK);
    st->code = put(st, "red");
    st->gave_up_at_ns = jobq_now(st->b);
    assert_int_equal(put(st, "blue"), JOBQ_OK);
}

static void a_late_put_overwrites_what_came_after_it(void **state)
{
    (void)state;
    struct stand *st = stand_new(JOBQ_ACT_SDB_PUT);
    char colour[16];
    fiber_spawn(world_fibers(st->proc), put_twice, st);
    kernel_run(world_kernel(st->w), 59 * S);
    assert_int_equal(st->code, JOBQ_TIMEOUT);
    assert_int_equal(st->gave_up_at_ns, 10 * S);
    assert_int_equal(late_pending(st->w), 1);
    read_colour(st, colour);
    assert_string_equal(colour, "blue");
    /* Its process is gone by the time that it takes effect. */
    world_proc_kill(st->proc);
    kernel_run(world_kernel(st->w), 61 * S);
    read_colour(st, colour);
    assert_string_equal(colour, "red");
    assert_int_equal(late_pending(st->w), 0);
    /* Billed once for each call that was made, late or not. */
    assert_int_equal(st->ledger.action[JOBQ_ACT_SDB_PUT].requests, 2);
    assert_int_equal(st->ledger.action[JOBQ_ACT_SDB_PUT].failed, 1);
    stand_free(st);
}

static void send_one(void *arg)
{
    struct stand *st = arg;
    struct jobq_error err;
    struct jobq_queue_options options = {.visibility_ns = 30 * S,
                                         .retention_ns = JOBQ_NS_PER_DAY};
    struct jobq_outgoing out = {.body = {"hello", 5}, .phantom_bytes = 100};
    struct jobq_entry_result result;
    assert_int_equal(jobq_queue_create(st->b, "q", &options, &st->queue, &err), JOBQ_OK);
    st->code = jobq_queue_send(st->b, st->queue, &out, 1, &result, &err);
}

static void a_late_send_arrives_once(void **state)
{
    (void)state;
    struct stand *st = stand_new(JOBQ_ACT_SQS_SEND);
    struct sqs_queue_info info;
    struct jobq_error err;
    fiber_spawn(world_fibers(st->proc), send_one, st);
    kernel_run(world_kernel(st->w), 59 * S);
    assert_int_equal(st->code, JOBQ_TIMEOUT);
    sqs_info(world_sqs(st->w), world_now(st->w), st->queue, &info, &err);
    assert_int_equal(info.visible, 0);
    kernel_run(world_kernel(st->w), 61 * S);
    sqs_info(world_sqs(st->w), world_now(st->w), st->queue, &info, &err);
    assert_int_equal(info.visible, 1);
    stand_free(st);
}

static void launch_one(void *arg)
{
    struct stand *st = arg;
    struct arena *arena = fiber_proc_arena(world_fibers(st->proc));
    struct jobq_error err;
    char key[] = "jobq:queue", value[] = "q", type[] = "t4g.nano";
    struct jobq_tag tag = {{key, 10}, {value, 1}};
    struct jobq_launch launch = {.type = type,
                                 .image = "ami-0123456789abcdef0",
                                 .tag = &tag,
                                 .tag_count = 1,
                                 .count = 2};
    struct jobq_str id[2];
    st->code = jobq_fleet_launch(st->b, &launch, arena, id, 2, &err);
    memset(key, '?', sizeof key);
    memset(type, '?', sizeof type);
}

static void a_late_launch_starts_boxes(void **state)
{
    (void)state;
    struct stand *st = stand_new(JOBQ_ACT_EC2_RUN);
    fiber_spawn(world_fibers(st->proc), launch_one, st);
    kernel_run(world_kernel(st->w), 59 * S);
    assert_int_equal(st->code, JOBQ_TIMEOUT);
    assert_int_equal(world_box_count(st->w), 0);
    kernel_run(world_kernel(st->w), 61 * S);
    assert_int_equal(world_box_count(st->w), 2);
    assert_string_equal(world_box_instance(world_box_at(st->w, 0))->type.name,
                        "t4g.nano");
    stand_free(st);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_late_put_overwrites_what_came_after_it),
        cmocka_unit_test(a_late_send_arrives_once),
        cmocka_unit_test(a_late_launch_starts_boxes)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
