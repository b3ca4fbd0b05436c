/* test_ec2.c - EC2 as documented, and its own clockwork. */
#include "models/ec2/ec2.h"

#include "base/arena.h"
#include "base/dice.h"
#include "base/text.h"
#include "jobq/units.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define S JOBQ_NS_PER_S

struct world {
    struct ec2 *model;
    struct ec2_params params;
    struct arena arena;
    struct ec2_reply reply;
    struct jobq_error err;
    int32_t first;
};

static void world_init(struct world *w, const char *set)
{
    *w = (struct world){0};
    assert_int_equal(ec2_params_load(set, &w->params, &w->err), JOBQ_OK);
    arena_init(&w->arena, 0);
    w->model = ec2_new(&w->params, "us-east-1a");
}

static void world_release(struct world *w)
{
    ec2_free(w->model);
    arena_release(&w->arena);
}

static const struct ec2_run basic = {
    .image = {"ami-9c78c0f5", 12},
    .type = {"t4g.nano", 8},
    .min_count = 1,
    .max_count = 1,
};

static int run(struct world *w, int64_t now_ns, double u, const struct ec2_run *run)
{
    return ec2_run(w->model, now_ns, u, run, &w->first, &w->reply, &w->err);
}

static void refused(const struct world *w, int code, enum jobq_code want,
                    const char *name, int status)
{
    assert_int_equal(code, want);
    assert_string_equal(ec2_fault_name(w->reply.fault), name);
    assert_int_equal(w->reply.http_status, status);
}

static struct jobq_str id_of(const struct world *w, int32_t index)
{
    return str_of(ec2_instance_at(w->model, index)->id);
}

static void a_life(void **state)
{
    (void)state;
    struct world w;
    world_init(&w, "ideal");
    w.params.pending = distribution_constant(20e9);
    w.params.boot = distribution_constant(10e9);
    w.params.stopping = distribution_constant(30e9);
    ec2_set_params(w.model, &w.params);
    struct ec2_run two = basic;
    two.max_count = two.min_count = 2;
    assert_int_equal(run(&w, 100 * S, 0.5, &two), 2);
    const struct ec2_instance *box = ec2_instance_at(w.model, w.first);
    assert_int_equal(box->state, EC2_PENDING);
    assert_int_equal(strlen(box->id), 19);
    assert_string_equal(ec2_state_name(box->state), "pending");
    assert_int_equal(ec2_ready_at(w.model, w.first), EC2_NEVER);
    assert_string_equal(box->reservation,
                        ec2_instance_at(w.model, w.first + 1)->reservation);
    assert_int_equal(ec2_next_at(w.model), 120 * S);
    struct ec2_change change[4];
    assert_int_equal(ec2_advance(w.model, 119 * S, change, 4), 0);
    assert_int_equal(ec2_advance(w.model, 121 * S, change, 4), 2);
    assert_int_equal(change[0].kind, EC2_CAME_UP);
    assert_int_equal(change[0].at_ns, 120 * S);
    assert_int_equal(change[1].instance, w.first + 1);
    assert_int_equal(box->running_at_ns, 120 * S);
    assert_int_equal(ec2_ready_at(w.model, w.first), 130 * S);
    assert_int_equal(ec2_next_at(w.model), EC2_NEVER);
    struct jobq_str id = id_of(&w, w.first);
    struct ec2_transition moved;
    assert_int_equal(
        ec2_terminate(w.model, 200 * S, 0.5, &id, 1, false, &moved, &w.reply, &w.err),
        JOBQ_OK);
    assert_int_equal(moved.before, EC2_RUNNING);
    assert_int_equal(moved.after, EC2_SHUTTING_DOWN);
    assert_int_equal(box->ended_at_ns, 200 * S);
    assert_string_equal(ec2_reason_code(box->reason), "Client.UserInitiatedShutdown");
    assert_int_equal(ec2_advance(w.model, 240 * S, change, 4), 2);
    assert_int_equal(change[0].kind, EC2_WENT_DOWN);
    assert_int_equal(change[1].kind, EC2_GONE);
    assert_int_equal(change[1].at_ns, 230 * S);
    /* Again: a success that changes nothing. */
    assert_int_equal(
        ec2_terminate(w.model, 250 * S, 0.5, &id, 1, false, &moved, &w.reply, &w.err),
        JOBQ_OK);
    assert_int_equal(moved.before, EC2_TERMINATED);
    /* A box that dies, and one that is ended before it is up: never billed. */
    ec2_guest_shutdown(w.model, 260 * S, 0.5, w.first + 1);
    assert_string_equal(ec2_reason_code(ec2_instance_at(w.model, w.first + 1)->reason),
                        "Client.InstanceInitiatedShutdown");
    assert_int_equal(run(&w, 300 * S, 0.5, &basic), 1);
    id = id_of(&w, w.first);
    ec2_terminate(w.model, 301 * S, 0.5, &id, 1, false, &moved, &w.reply, &w.err);
    ec2_advance(w.model, 400 * S, change, 4);
    assert_int_equal(ec2_instance_at(w.model, w.first)->running_at_ns, EC2_NEVER);
    assert_int_equal(ec2_instance_at(w.model, w.first)->state, EC2_TERMINATED);
    world_release(&w);
}

/* RunInstances: ClientToken, DryRun, what is malformed. EC2 API reference, "Error codes". */
static void run_is_checked(void **state)
{
    (void)state;
    struct world w;
    world_init(&w, "ideal");
    struct ec2_run r = basic;
    r.client_token = STR("once");
    r.max_count = 3;
    r.min_count = 3;
    assert_int_equal(run(&w, 0, 0.1, &r), 3);
    int32_t first = w.first;
    assert_int_equal(run(&w, 10 * S, 0.9, &r), 3);
    assert_int_equal(w.first, first);
    assert_int_equal(ec2_instance_count(w.model), 3);
    r.type = STR("c7g.large");
    refused(&w, run(&w, 10 * S, 0.9, &r), JOBQ_INVALID, "IdempotentParameterMismatch",
            400);
    r = basic;
    r.dry_run = true;
    refused(&w, run(&w, 0, 0.5, &r), JOBQ_CONFLICT, "DryRunOperation", 412);
    r = basic;
    r.image = STR("ami-xyz");
    refused(&w, run(&w, 0, 0.5, &r), JOBQ_INVALID, "InvalidAMIID.Malformed", 400);
    r.image = (struct jobq_str){0};
    refused(&w, run(&w, 0, 0.5, &r), JOBQ_INVALID, "MissingParameter", 400);
    r = basic;
    r.type = STR("t99.huge");
    refused(&w, run(&w, 0, 0.5, &r), JOBQ_INVALID, "InvalidParameterValue", 400);
    r = basic;
    r.min_count = 2;
    refused(&w, run(&w, 0, 0.5, &r), JOBQ_INVALID, "InvalidParameterCombination", 400);
    r = basic;
    r.user_data = (struct jobq_str){calloc(1, 16385), 16385};
    refused(&w, run(&w, 0, 0.5, &r), JOBQ_INVALID, "InvalidParameterValue", 400);
    char *data;
    memcpy(&data, &r.user_data.ptr, sizeof data);
    free(data);
    struct jobq_tag tag = {STR("aws:x"), STR("1")};
    r = basic;
    r.tag = &tag;
    r.tag_count = 1;
    refused(&w, run(&w, 0, 0.5, &r), JOBQ_INVALID, "InvalidParameterValue", 400);
    assert_int_equal(ec2_instance_count(w.model), 3);
    struct ec2_transition moved;
    struct jobq_str bad[] = {STR("i-1"), STR("i-00000000000000000"), STR("x")};
    static const char *const name[] = {"InvalidInstanceID.Malformed",
                                       "InvalidInstanceID.NotFound",
                                       "InvalidInstanceID.Malformed"};
    for (int i = 0; i < 3; i++)
        refused(
            &w,
            ec2_terminate(w.model, 0, 0.5, &bad[i], 1, false, &moved, &w.reply, &w.err),
            i == 1 ? JOBQ_NOT_FOUND : JOBQ_INVALID, name[i], 400);
    /* All or none. */
    struct jobq_str both[] = {id_of(&w, 0), bad[1]};
    struct ec2_transition moves[2];
    refused(&w, ec2_terminate(w.model, 0, 0.5, both, 2, false, moves, &w.reply, &w.err),
            JOBQ_NOT_FOUND, "InvalidInstanceID.NotFound", 400);
    assert_int_equal(ec2_instance_at(w.model, 0)->state, EC2_RUNNING);
    world_release(&w);
}

/* EC2 API throttling: request bucket 5, refill 2/s; resource bucket 1,000, refill 2/s. */
static void launches_are_throttled(void **state)
{
    (void)state;
    struct world w;
    world_init(&w, "aws-2026");
    for (int i = 0; i < 5; i++)
        assert_int_equal(run(&w, 0, 0.5, &basic), 1);
    refused(&w, run(&w, 0, 0.5, &basic), JOBQ_THROTTLED, "RequestLimitExceeded", 503);
    assert_int_equal(run(&w, S / 2, 0.5, &basic), 1);
    refused(&w, run(&w, S / 2, 0.5, &basic), JOBQ_THROTTLED, "RequestLimitExceeded", 503);
    struct ec2_run many = basic;
    many.max_count = 2000;
    assert_int_equal(run(&w, 10 * S, 0.5, &many), 1000); /* refilled, to its depth */
    many.min_count = 3;
    refused(&w, run(&w, 11 * S, 0.5, &many), JOBQ_THROTTLED, "RequestLimitExceeded", 503);
    assert_int_equal(run(&w, 12 * S, 0.5, &many), 4);
    world_release(&w);
}

static void limits_and_capacity(void **state)
{
    (void)state;
    struct world w;
    world_init(&w, "ideal");
    w.params.vcpu_limit = 10;
    w.params.spot_vcpu_limit = 4;
    ec2_set_params(w.model, &w.params);
    struct ec2_run r = basic; /* 2 vCPUs */
    r.max_count = 9;
    assert_int_equal(run(&w, 0, 0.5, &r), 5);
    refused(&w, run(&w, 0, 0.5, &basic), JOBQ_LIMIT, "VcpuLimitExceeded", 400);
    r.spot = true;
    assert_int_equal(run(&w, 0, 0.5, &r), 2); /* a bucket of its own */
    refused(&w, run(&w, 0, 0.5, &r), JOBQ_LIMIT, "MaxSpotInstanceCountExceeded", 400);
    ec2_guest_shutdown(w.model, S, 0.5, 0);
    assert_int_equal(run(&w, S, 0.5, &basic), 1);
    ec2_reset(w.model, &w.params);
    w.params.vcpu_limit = w.params.spot_vcpu_limit = 0;
    w.params.instance_limit = 3;
    w.params.capacity_failure_p = 0.25;
    ec2_set_params(w.model, &w.params);
    r = basic;
    r.min_count = r.max_count = 4;
    refused(&w, run(&w, 0, 0.5, &r), JOBQ_LIMIT, "InstanceLimitExceeded", 400);
    w.params.instance_limit = 0;
    ec2_set_params(w.model, &w.params);
    struct dice dice;
    dice_init(&dice, 3, "capacity", 0);
    int failed = 0;
    for (int i = 0; i < 4000; i++) {
        int code = run(&w, i, dice_u(&dice), &basic);
        failed += code < 0;
        if (code < 0)
            refused(&w, code, JOBQ_LIMIT, "InsufficientInstanceCapacity", 500);
    }
    assert_in_range(failed, 1000 - 100, 1000 + 100); /* 3.7 standard deviations */
    r = basic;
    r.spot = true;
    r.spot_max_price_usd = 1e-9;
    refused(&w, run(&w, 0, 0.5, &r), JOBQ_INVALID, "SpotMaxPriceTooLow", 400);
    world_release(&w);
}

/* The hazard is per hour from running on, exponential; the notice comes two minutes ahead. */
static void spot_is_taken_back(void **state)
{
    (void)state;
    struct world w;
    world_init(&w, "ideal");
    w.params.spot_hazard_per_hour = 0.5;
    ec2_set_params(w.model, &w.params);
    struct ec2_run r = basic;
    r.spot = true;
    r.min_count = r.max_count = 4000;
    struct dice dice;
    dice_init(&dice, 5, "spot", 0);
    assert_int_equal(run(&w, 0, dice_u(&dice), &r), 4000);
    struct ec2_change change[64];
    int count, warned = 0, taken = 0;
    int64_t *warned_at = calloc(4000, sizeof *warned_at);
    int64_t last_ns = 0;
    double sum_h = 0, square = 0;
    while (ec2_next_at(w.model) != EC2_NEVER) {
        count = ec2_advance(w.model, ec2_next_at(w.model), change, 64);
        for (int i = 0; i < count; i++) {
            const struct ec2_change *c = &change[i];
            assert_true(c->at_ns >= last_ns);
            last_ns = c->at_ns;
            const struct ec2_instance *box = ec2_instance_at(w.model, c->instance);
            if (c->kind == EC2_WARNED) {
                warned++;
                warned_at[c->instance] = c->at_ns;
                assert_int_equal(box->take_at_ns, c->at_ns == box->running_at_ns &&
                                                          box->take_at_ns < 120 * S
                                                      ? box->take_at_ns
                                                      : c->at_ns + 120 * S);
            } else if (c->kind == EC2_WENT_DOWN) {
                taken++;
                double h = (double)(c->at_ns - box->running_at_ns) / 3600e9;
                sum_h += h;
                square += h * h;
                assert_string_equal(ec2_reason_code(box->reason),
                                    "Server.SpotInstanceTermination");
                assert_true(box->take_at_ns == c->at_ns);
            }
        }
    }
    assert_int_equal(warned, 4000);
    assert_int_equal(taken, 4000);
    double mean = sum_h / 4000, sd = sqrt(square / 4000 - mean * mean);
    assert_true(fabs(mean - 2) < 2.576 * 2 / sqrt(4000));
    assert_true(fabs(sd / mean - 1) < 0.1);
    free(warned_at);
    /* 2012: killed without a word. */
    w.params.spot_notice_ns = 0;
    ec2_reset(w.model, &w.params);
    r.min_count = r.max_count = 1;
    assert_int_equal(run(&w, 0, 0.3, &r), 1);
    count = ec2_advance(w.model, INT64_MAX / 8, change, 64);
    assert_int_equal(count, 3);
    assert_int_equal(change[0].kind, EC2_CAME_UP);
    assert_int_equal(change[1].kind, EC2_WENT_DOWN);
    assert_int_equal(ec2_instance_at(w.model, 0)->notice_at_ns, EC2_NEVER);
    /* Taken on purpose. */
    w.params.spot_notice_ns = 120 * S;
    w.params.spot_hazard_per_hour = 0;
    ec2_reset(w.model, &w.params);
    assert_int_equal(run(&w, 0, 0.3, &r), 1);
    assert_int_equal(ec2_advance(w.model, S, change, 64), 1);
    ec2_interrupt(w.model, 5 * S, 0);
    ec2_interrupt(w.model, 6 * S, 0);
    assert_int_equal(ec2_advance(w.model, 300 * S, change, 64), 3);
    assert_int_equal(change[0].kind, EC2_WARNED);
    assert_int_equal(change[1].at_ns, 125 * S);
    world_release(&w);
}

static struct ec2_filter filter(const char *name, const struct jobq_str *value)
{
    return (struct ec2_filter){str_of(name), value, 1};
}

static int count_by(struct world *w, int64_t now_ns, const char *name, const char *value)
{
    struct jobq_str text = str_of(value);
    struct ec2_filter f = filter(name, &text);
    struct ec2_query query = {.filter = &f, .filter_count = 1};
    struct ec2_found found;
    return ec2_describe(w->model, now_ns, &query, &w->arena, &found, &w->reply, &w->err);
}

static void describe_filters_and_pages(void **state)
{
    (void)state;
    struct world w;
    world_init(&w, "ideal");
    w.params.stopping = distribution_constant(1e9);
    ec2_set_params(w.model, &w.params);
    struct jobq_tag tag[2] = {{STR("jobq:queue"), STR("jobs")},
                              {STR("Name"), STR("a*b")}};
    struct ec2_run r = basic;
    r.tag = tag;
    r.tag_count = 2;
    r.min_count = r.max_count = 12;
    assert_int_equal(run(&w, 0, 0.5, &r), 12);
    r.spot = true;
    r.type = STR("c7g.large");
    r.tag_count = 1;
    tag[0].value = STR("other");
    assert_int_equal(run(&w, 0, 0.6, &r), 12);
    ec2_guest_shutdown(w.model, 10 * S, 0.5, 3);
    assert_int_equal(count_by(&w, 10 * S, "tag:jobq:queue", "jobs"), 12);
    assert_int_equal(count_by(&w, 10 * S, "tag:jobq:queue", "*o*"), 24);
    assert_int_equal(count_by(&w, 10 * S, "tag:jobq:queue", "job?"), 12);
    assert_int_equal(count_by(&w, 10 * S, "tag:Name", "a\\*b"), 12);
    assert_int_equal(count_by(&w, 10 * S, "tag:Name", "a\\?b"), 0);
    assert_int_equal(count_by(&w, 10 * S, "tag:Name", "a\\*"), 0);
    assert_int_equal(count_by(&w, 10 * S, "tag-key", "Name"), 12);
    assert_int_equal(count_by(&w, 10 * S, "tag-value", "other"), 12);
    assert_int_equal(count_by(&w, 10 * S, "instance-lifecycle", "spot"), 12);
    assert_int_equal(count_by(&w, 10 * S, "instance-type", "c7g.*"), 12);
    assert_int_equal(count_by(&w, 10 * S, "instance-state-name", "shutting-down"), 1);
    assert_int_equal(count_by(&w, 10 * S, "instance-state-code", "16"), 23);
    assert_int_equal(count_by(&w, 10 * S, "availability-zone", "us-east-1a"), 24);
    assert_int_equal(count_by(&w, 10 * S, "architecture", "arm64"), 24);
    refused(&w, count_by(&w, 10 * S, "colour", "red"), JOBQ_INVALID,
            "InvalidParameterValue", 400);
    /* Terminated boxes are remembered for an hour. */
    assert_int_equal(count_by(&w, 3600 * S, "instance-state-name", "terminated"), 1);
    assert_int_equal(count_by(&w, 3612 * S, "instance-state-name", "terminated"), 0);
    struct jobq_str gone = id_of(&w, 3);
    struct ec2_query by_id = {.id = &gone, .id_count = 1};
    struct ec2_found found;
    refused(&w,
            ec2_describe(w.model, 3612 * S, &by_id, &w.arena, &found, &w.reply, &w.err),
            JOBQ_NOT_FOUND, "InvalidInstanceID.NotFound", 400);
    /* Pages of 5, 5, 5, 5, 3. */
    struct ec2_query page = {.max_results = 5};
    int pages = 0, total = 0, last = -1;
    do {
        int count =
            ec2_describe(w.model, 3612 * S, &page, &w.arena, &found, &w.reply, &w.err);
        for (int i = 0; i < count; i++) {
            assert_true(found.instance[i] > last);
            last = found.instance[i];
        }
        total += count;
        pages++;
        page.next_token = found.next_token;
    } while (found.next_token.len > 0);
    assert_int_equal(total, 23);
    assert_int_equal(pages, 5);
    page.next_token = STR("jq-x");
    refused(&w,
            ec2_describe(w.model, 3612 * S, &page, &w.arena, &found, &w.reply, &w.err),
            JOBQ_INVALID, "InvalidNextToken", 400);
    page = (struct ec2_query){.max_results = 4};
    refused(&w,
            ec2_describe(w.model, 3612 * S, &page, &w.arena, &found, &w.reply, &w.err),
            JOBQ_INVALID, "InvalidParameterValue", 400);
    struct jobq_str here = id_of(&w, 0);
    page = (struct ec2_query){.max_results = 5, .id = &here, .id_count = 1};
    refused(&w,
            ec2_describe(w.model, 3612 * S, &page, &w.arena, &found, &w.reply, &w.err),
            JOBQ_INVALID, "InvalidParameterCombination", 400);
    struct ec2_query none = {0};
    ec2_guest_shutdown(w.model, 3612 * S, 0.5, 0);
    assert_int_equal(
        ec2_describe_status(w.model, 3612 * S, &none, &w.arena, &found, &w.reply, &w.err),
        22);
    none.all_states = true;
    assert_int_equal(
        ec2_describe_status(w.model, 3612 * S, &none, &w.arena, &found, &w.reply, &w.err),
        23);
    world_release(&w);
}

static void tags(void **state)
{
    (void)state;
    struct world w;
    world_init(&w, "ideal");
    struct ec2_run two = basic;
    two.min_count = two.max_count = 2;
    run(&w, 0, 0.5, &two);
    struct jobq_str id[2] = {id_of(&w, 0), id_of(&w, 1)};
    struct jobq_tag tag[51];
    char key[51][8];
    for (int i = 0; i < 51; i++) {
        snprintf(key[i], sizeof key[i], "k%02d", i);
        tag[i] = (struct jobq_tag){str_of(key[i]), STR("v")};
    }
    assert_int_equal(ec2_create_tags(w.model, 0, id, 2, tag, 50, false, &w.reply, &w.err),
                     JOBQ_OK);
    refused(&w, ec2_create_tags(w.model, 0, id, 2, &tag[50], 1, false, &w.reply, &w.err),
            JOBQ_LIMIT, "TagLimitExceeded", 400);
    tag[7].value = STR("w");
    assert_int_equal(
        ec2_create_tags(w.model, 0, id, 1, &tag[7], 1, false, &w.reply, &w.err), JOBQ_OK);
    struct ec2_query query = {.max_results = 40};
    struct ec2_tag_row *row;
    struct jobq_str token;
    int total = 0;
    do {
        int count = ec2_describe_tags(w.model, 0, &query, &w.arena, &row, &token,
                                      &w.reply, &w.err);
        total += count;
        query.next_token = token;
    } while (token.len > 0);
    assert_int_equal(total, 100);
    struct jobq_str value = STR("w");
    struct ec2_filter f = filter("value", &value);
    query = (struct ec2_query){.filter = &f, .filter_count = 1};
    assert_int_equal(
        ec2_describe_tags(w.model, 0, &query, &w.arena, &row, &token, &w.reply, &w.err),
        1);
    assert_true(str_is(row[0].tag.key, "k07"));
    /* Only if the value is this one; whatever it is; all. */
    tag[7].value = STR("no");
    ec2_delete_tags(w.model, 0, id, 1, &tag[7], 1, false, &w.reply, &w.err);
    assert_int_equal(ec2_instance_at(w.model, 0)->tag_count, 50);
    tag[7].value = (struct jobq_str){0};
    ec2_delete_tags(w.model, 0, id, 1, &tag[7], 1, false, &w.reply, &w.err);
    assert_int_equal(ec2_instance_at(w.model, 0)->tag_count, 49);
    ec2_delete_tags(w.model, 0, id, 2, NULL, 0, false, &w.reply, &w.err);
    assert_int_equal(ec2_instance_at(w.model, 1)->tag_count, 0);
    struct jobq_str vpc = STR("vpc-1");
    refused(&w, ec2_create_tags(w.model, 0, &vpc, 1, tag, 1, false, &w.reply, &w.err),
            JOBQ_NOT_FOUND, "InvalidID", 400);
    world_release(&w);
}

static void types(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        int vcpus, mib;
        const char *arch;
    } known[] = {
        {"t4g.nano", 2, 512, "arm64"},       {"m1.small", 1, 1740, "x86_64"},
        {"c7g.medium", 1, 2048, "arm64"},    {"c7i.large", 2, 4096, "x86_64"},
        {"m7i.2xlarge", 8, 32768, "x86_64"}, {"r7g.16xlarge", 64, 524288, "arm64"},
        {"x8g.4xlarge", 16, 262144, "arm64"}};
    struct ec2_type type;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        assert_true(ec2_type_find(str_of(known[i].name), &type));
        assert_int_equal(type.vcpus, known[i].vcpus);
        assert_int_equal(type.memory_mib, known[i].mib);
        assert_string_equal(type.arch, known[i].arch);
        assert_string_equal(type.name, known[i].name);
    }
    static const char *const bad[] = {
        "",        ".",           "c7g",           "c7g.",    "c7g.tiny",
        "7.large", "c7g.0xlarge", "c7g.999xlarge", "c.large", "C7G.large"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(ec2_type_find(str_of(bad[i]), &type));
    for (int i = 0; i < ec2_type_count(); i++) {
        const struct ec2_type *t = ec2_type_at(i);
        assert_true(t->vcpus >= 1 && t->memory_mib >= 512);
        for (int k = 0; k < i; k++)
            assert_true(strcmp(t->name, ec2_type_at(k)->name) != 0);
    }
}

/* Random calls against rules that must hold at all times. */
static void clockwork(void **state)
{
    (void)state;
    struct world w;
    world_init(&w, "aws-2026");
    w.params.spot_hazard_per_hour = 20;
    ec2_set_params(w.model, &w.params);
    struct dice dice;
    dice_init(&dice, 9, "clockwork", 0);
    int64_t now_ns = 0, told_ns = 0;
    int seen[4] = {0};
    for (int step = 0; step < 3000; step++) {
        now_ns += (int64_t)(-log(dice_u(&dice)) * 5e9);
        int32_t count = ec2_instance_count(w.model);
        int32_t any = count ? (int32_t)dice_below(&dice, (uint64_t)count) : 0;
        struct ec2_run r = basic;
        r.spot = dice_below(&dice, 2);
        switch (dice_below(&dice, 4)) {
        case 0:
            run(&w, now_ns, dice_u(&dice), &r);
            break;
        case 1:
            if (count) {
                struct jobq_str id = id_of(&w, any);
                struct ec2_transition moved;
                ec2_terminate(w.model, now_ns, dice_u(&dice), &id, 1, false, &moved,
                              &w.reply, &w.err);
            }
            break;
        case 2:
            if (count && dice_below(&dice, 2))
                ec2_interrupt(w.model, now_ns, any);
            break;
        default: {
            struct ec2_change change[3];
            int got;
            do {
                got = ec2_advance(w.model, now_ns, change, 3);
                for (int i = 0; i < got; i++) {
                    assert_true(change[i].at_ns >= told_ns && change[i].at_ns <= now_ns);
                    told_ns = change[i].at_ns;
                    seen[change[i].kind]++;
                }
            } while (got == 3);
            assert_true(ec2_next_at(w.model) > now_ns);
        }
        }
        for (int32_t i = 0; i < ec2_instance_count(w.model); i++) {
            const struct ec2_instance *box = ec2_instance_at(w.model, i);
            assert_true(box->launched_at_ns <= now_ns);
            assert_int_equal(box->state >= EC2_SHUTTING_DOWN,
                             box->ended_at_ns != EC2_NEVER);
            assert_int_equal(box->state == EC2_TERMINATED, box->gone_at_ns != EC2_NEVER);
            assert_true(box->state != EC2_RUNNING || box->running_at_ns <= now_ns);
            assert_true(box->spot || box->reason != EC2_REASON_SPOT);
        }
    }
    for (int i = 0; i < 4; i++)
        assert_true(seen[i] > 50);
    assert_true(seen[EC2_WENT_DOWN] >= seen[EC2_GONE]);
    world_release(&w);
}

/* A model restored box by box answers as the old one does. */
static void restoring(void **state)
{
    (void)state;
    struct world w, copy;
    world_init(&w, "ideal");
    world_init(&copy, "ideal");
    struct jobq_tag tag = {STR("q"), STR("jobs")};
    struct ec2_run r = basic;
    r.tag = &tag;
    r.tag_count = 1;
    r.client_token = STR("t");
    r.user_data = STR("#cloud-config");
    r.min_count = r.max_count = 3;
    run(&w, 0, 0.5, &r);
    ec2_guest_shutdown(w.model, S, 0.5, 1);
    for (int i = 0; i < 3; i++)
        assert_int_equal(ec2_restore(copy.model, 2 * S, ec2_instance_at(w.model, i)), i);
    for (int i = 0; i < 3; i++) {
        const struct ec2_instance *a = ec2_instance_at(w.model, i);
        const struct ec2_instance *b = ec2_instance_at(copy.model, i);
        assert_string_equal(a->id, b->id);
        assert_int_equal(a->state, b->state);
        assert_true(str_eq(a->user_data, b->user_data) &&
                    a->user_data.ptr != b->user_data.ptr);
        assert_true(str_eq(a->tag[0].value, b->tag[0].value));
    }
    assert_int_equal(count_by(&copy, 2 * S, "tag:q", "jobs"), 3);
    /* The token still launches once; new boxes get new ids. */
    assert_int_equal(run(&copy, 3 * S, 0.5, &r), 3);
    assert_int_equal(copy.first, 0);
    run(&copy, 3 * S, 0.5, &basic);
    for (int i = 0; i < 3; i++)
        assert_string_not_equal(ec2_instance_at(copy.model, 3)->id,
                                ec2_instance_at(copy.model, i)->id);
    world_release(&w);
    world_release(&copy);
}

/* A stop ends the billed time and a start begins another; a stopped box takes no room of the
 * account's limits. */
static void stops_and_starts(void **state)
{
    (void)state;
    struct world w;
    world_init(&w, "ideal");
    w.params.pending = w.params.stopping = distribution_constant(10e9);
    w.params.vcpu_limit = 2;
    ec2_set_params(w.model, &w.params);
    struct ec2_run asked = basic;
    asked.stops = true;
    assert_int_equal(run(&w, 0, 0.5, &asked), 1);
    struct jobq_str id = str_of(ec2_instance_at(w.model, w.first)->id);
    struct ec2_transition moved;
    const struct ec2_instance *box = ec2_instance_at(w.model, w.first);
    assert_true(ec2_stop(w.model, 5 * S, 0.5, &id, 1, false, &moved, &w.reply, &w.err) <
                0);
    assert_int_equal(w.reply.fault, EC2_FAULT_STATE);
    assert_int_equal(
        ec2_stop(w.model, 60 * S, 0.5, &id, 1, false, &moved, &w.reply, &w.err), JOBQ_OK);
    assert_int_equal(moved.before, EC2_RUNNING);
    assert_int_equal(moved.after, EC2_STOPPING);
    assert_int_equal(box->ended_at_ns - box->running_at_ns, 50 * S);
    assert_true(ec2_start(w.model, 65 * S, 0.5, &id, 1, false, &moved, &w.reply, &w.err) <
                0);
    assert_int_equal(run(&w, 80 * S, 0.5, &asked), 1); /* there is room */
    assert_int_equal(box->state, EC2_STOPPED);
    assert_true(ec2_start(w.model, 90 * S, 0.5, &id, 1, false, &moved, &w.reply, &w.err) <
                0);
    assert_int_equal(w.reply.fault, EC2_FAULT_VCPU_LIMIT);
    ec2_guest_shutdown(w.model, 100 * S, 0.5, w.first); /* the second stops itself */
    assert_int_equal(ec2_instance_at(w.model, w.first)->state, EC2_STOPPING);
    assert_int_equal(
        ec2_start(w.model, 100 * S, 0.5, &id, 1, false, &moved, &w.reply, &w.err),
        JOBQ_OK);
    assert_int_equal(moved.after, EC2_PENDING);
    assert_int_equal(box->span_count, 1);
    assert_int_equal(box->span[0].ended_at_ns, 60 * S);
    assert_int_equal(ec2_reboot(w.model, 120 * S, &id, 1, false, &w.reply, &w.err),
                     JOBQ_OK);
    assert_int_equal(box->state, EC2_RUNNING);
    assert_int_equal(box->running_at_ns, 110 * S);
    ec2_terminate(w.model, 130 * S, 0.5, &id, 1, false, &moved, &w.reply, &w.err);
    assert_int_equal(box->ended_at_ns, 130 * S);
    world_release(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_life),
        cmocka_unit_test(run_is_checked),
        cmocka_unit_test(launches_are_throttled),
        cmocka_unit_test(limits_and_capacity),
        cmocka_unit_test(spot_is_taken_back),
        cmocka_unit_test(describe_filters_and_pages),
        cmocka_unit_test(tags),
        cmocka_unit_test(types),
        cmocka_unit_test(clockwork),
        cmocka_unit_test(restoring),
        cmocka_unit_test(stops_and_starts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
