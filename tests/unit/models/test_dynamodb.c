/* Tables, writes, reads, capacity and time to live of the DynamoDB model. */
#include "models/dynamodb/dynamodb.h"

#include "base/dice.h"
#include "base/text.h"
#include "jobq/units.h"
#include "tests/seed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static struct arena arena;
static struct jobq_error err;
static struct dynamodb_reply reply;

static struct dynamodb *make(const char *set, bool sorted, int *table)
{
    struct dynamodb_params params;
    assert_int_equal(dynamodb_params_load(set, &params, &err), JOBQ_OK);
    params.create_ns = 0;
    struct dynamodb *m = dynamodb_new(&params);
    struct dynamodb_table t = {.name = "jobs", .on_demand = true};
    t.partition = (struct dynamodb_key){"pk", DYNAMODB_S};
    if (sorted)
        t.sort = (struct dynamodb_key){"sk", DYNAMODB_N};
    assert_int_equal(dynamodb_create_table(m, 0, &t, table, &reply, &err), JOBQ_OK);
    return m;
}

static struct dynamodb_attr attr(const char *name, struct dynamodb_value v)
{
    return (struct dynamodb_attr){str_of(name), v};
}

static struct dynamodb_value string(const char *text)
{
    return dynamodb_string(arena_str(&arena, str_of(text)));
}

static struct dynamodb_item item(int count, ...)
{
    struct dynamodb_attr *all = arena_alloc(&arena, (size_t)count * sizeof *all);
    va_list args;
    va_start(args, count);
    for (int i = 0; i < count; i++)
        all[i] = va_arg(args, struct dynamodb_attr);
    va_end(args);
    return (struct dynamodb_item){all, count};
}

static int put(struct dynamodb *m, int64_t now_ns, int table, struct dynamodb_item it)
{
    struct dynamodb_write w = {.verb = DYNAMODB_PUT, .table = table, .item = it};
    return dynamodb_write(m, now_ns, &w, &arena, NULL, NULL, &reply, &err);
}

static struct dynamodb_item get(struct dynamodb *m, int64_t now_ns, double u, int table,
                                struct dynamodb_item key, bool consistent)
{
    struct dynamodb_item out;
    assert_int_equal(
        dynamodb_get(m, now_ns, u, table, &key, consistent, &arena, &out, &reply, &err),
        JOBQ_OK);
    return out;
}

static const struct expression_node *condition(const char *text, const char *placeholder,
                                               struct dynamodb_value v)
{
    struct expression_context *c = arena_zalloc(&arena, sizeof *c);
    c->arena = &arena;
    c->value = arena_zalloc(&arena, sizeof *c->value);
    c->value[0].placeholder = str_of(placeholder);
    c->value[0].value = v;
    c->value_count = 1;
    const struct expression_node *node;
    assert_int_equal(expression_condition(str_of(text), c, &node, &err), JOBQ_OK);
    return node;
}

/* ---- units -------------------------------------------------------------------------- */

static struct dynamodb_item sized(const char *key, int64_t bytes)
{
    /* pk + key + v + the rest */
    return item(2, attr("pk", string(key)),
                attr("v", dynamodb_string((struct jobq_str){
                              NULL, bytes - 2 - (int64_t)strlen(key) - 1})));
}

static void units_are_rounded_as_documented(void **state)
{
    (void)state;
    int t;
    struct dynamodb *m = make("ideal", false, &t);
    struct dynamodb_item key = item(1, attr("pk", string("a")));
    put(m, 0, t, sized("a", 1024));
    assert_true(reply.write_units == 1);
    put(m, 0, t, sized("a", 1025));
    assert_true(reply.write_units == 2);
    put(m, 0, t, sized("a", 10)); /* by the larger, the one before */
    assert_true(reply.write_units == 2);
    put(m, 0, t, sized("a", 4096));
    get(m, 0, 0.5, t, key, true);
    assert_true(reply.read_units == 1);
    put(m, 0, t, sized("a", 4097));
    get(m, 0, 0.5, t, key, true);
    assert_true(reply.read_units == 2);
    get(m, 0, 0.5, t, key, false);
    assert_true(reply.read_units == 1);
    struct dynamodb_write del = {.verb = DYNAMODB_DELETE, .table = t, .item = key};
    dynamodb_write(m, 0, &del, &arena, NULL, NULL, &reply, &err);
    assert_true(reply.write_units == 5);
    dynamodb_write(m, 0, &del, &arena, NULL, NULL, &reply, &err);
    assert_true(reply.write_units == 1);
    assert_int_equal(get(m, 0, 0.5, t, key, false).count, 0);
    assert_true(reply.read_units == 0.5);
    assert_int_equal(put(m, 0, t, sized("a", 409600)), JOBQ_OK);
    assert_int_equal(put(m, 0, t, sized("a", 409601)), JOBQ_INVALID);
    assert_true(reply.write_units == 0);
    dynamodb_free(m);
}

/* ---- conditions, transactions --------------------------------------------------------- */

static void a_failed_condition_costs_and_shows(void **state)
{
    (void)state;
    int t;
    struct dynamodb *m = make("ideal", false, &t);
    struct dynamodb_item first =
        item(2, attr("pk", string("a")), attr("claim", string("running 1/x")));
    struct dynamodb_item before;
    put(m, 0, t, first);
    struct dynamodb_write w = {.verb = DYNAMODB_PUT, .table = t, .item = first};
    w.condition = condition("claim = :c", ":c", string("running 2/y"));
    assert_int_equal(dynamodb_write(m, 0, &w, &arena, &before, NULL, &reply, &err),
                     JOBQ_CONFLICT);
    assert_int_equal(reply.fault, DYNAMODB_FAULT_CONDITION);
    assert_true(reply.write_units == 1);
    assert_true(str_is(dynamodb_find(&before, STR("claim"))->of.text, "running 1/x"));
    w.condition = condition("attribute_not_exists(pk)", ":c", string(""));
    assert_int_equal(dynamodb_write(m, 0, &w, &arena, &before, NULL, &reply, &err),
                     JOBQ_CONFLICT);
    w.item = item(1, attr("pk", string("b")));
    assert_int_equal(dynamodb_write(m, 0, &w, &arena, &before, NULL, &reply, &err),
                     JOBQ_OK);
    assert_int_equal(before.count, 0);
    dynamodb_free(m);
}

static void transactions_are_all_or_nothing(void **state)
{
    (void)state;
    int t;
    struct dynamodb *m = make("ideal", false, &t);
    struct dynamodb_item a = item(1, attr("pk", string("a"))),
                         b = item(1, attr("pk", string("b")));
    put(m, 0, t, a);
    struct dynamodb_write w[2] = {{.verb = DYNAMODB_PUT, .table = t, .item = b},
                                  {.verb = DYNAMODB_CHECK, .table = t, .item = a}};
    struct dynamodb_item before[2];
    enum dynamodb_fault cancel[2];
    w[1].condition = condition("attribute_exists(q)", ":c", string(""));
    assert_int_equal(dynamodb_transact(m, 0, w, 2, &arena, before, cancel, &reply, &err),
                     JOBQ_CONFLICT);
    assert_int_equal(reply.fault, DYNAMODB_FAULT_CANCELED);
    assert_int_equal(cancel[0], DYNAMODB_FAULT_NONE);
    assert_int_equal(cancel[1], DYNAMODB_FAULT_CONDITION);
    assert_int_equal(get(m, 0, 0.5, t, b, true).count, 0);
    w[1].condition = NULL;
    assert_int_equal(dynamodb_transact(m, 0, w, 2, &arena, before, cancel, &reply, &err),
                     JOBQ_OK);
    assert_true(reply.write_units == 4);
    assert_int_equal(get(m, 0, 0.5, t, b, true).count, 1);
    w[1].item = b;
    assert_int_equal(dynamodb_transact(m, 0, w, 2, &arena, before, cancel, &reply, &err),
                     JOBQ_INVALID);
    dynamodb_free(m);
}

/* ---- keys ------------------------------------------------------------------------------ */

static void keys_are_checked(void **state)
{
    (void)state;
    int t;
    struct dynamodb *m = make("aws-2026", true, &t);
    struct dynamodb_value one = dynamodb_integer(1, &arena);
    assert_int_equal(put(m, 0, t, item(1, attr("pk", string("a")))), JOBQ_INVALID);
    assert_non_null(strstr(err.text, "Missing the key sk in the item"));
    assert_int_equal(put(m, 0, t, item(2, attr("pk", one), attr("sk", one))),
                     JOBQ_INVALID);
    assert_non_null(strstr(err.text, "Type mismatch for key pk expected: S actual: N"));
    assert_int_equal(put(m, 0, t, item(2, attr("pk", string("")), attr("sk", one))),
                     JOBQ_INVALID);
    struct dynamodb_item whole =
        item(3, attr("pk", string("a")), attr("sk", one), attr("x", one));
    assert_int_equal(put(m, 0, t, whole), JOBQ_OK);
    struct dynamodb_item out;
    assert_int_equal(dynamodb_get(m, 0, 0.5, t, &whole, true, &arena, &out, &reply, &err),
                     JOBQ_INVALID);
    assert_string_equal(err.text, "The provided key element does not match the schema");
    assert_int_equal(put(m, 0, 7, whole), JOBQ_NOT_FOUND);
    dynamodb_free(m);
}

/* ---- order and pages, against a plain array ------------------------------------------ */

enum { PARTITIONS = 40, SORTS = 60 };

static struct dynamodb_item key_of(int p, int s)
{
    char name[16];
    snprintf(name, sizeof name, "p%d", p);
    return item(2, attr("pk", string(name)), attr("sk", dynamodb_integer(s, &arena)));
}

static int number_of(const struct dynamodb_item *it, const char *name)
{
    struct jobq_str text = dynamodb_find(it, str_of(name))->of.text;
    return atoi(arena_str(&arena, text).ptr + (text.ptr[0] == 'p'));
}

static void scans_and_queries_give_what_is_there(void **state)
{
    (void)state;
    int t;
    struct dynamodb *m = make("ideal", true, &t);
    struct dice dice;
    static bool there[PARTITIONS][SORTS], seen[PARTITIONS][SORTS];
    uint64_t seed = getenv("SEED") ? strtoull(getenv("SEED"), NULL, 0) : 1;
    print_message("SEED=%llu\n", (unsigned long long)seed);
    dice_init(&dice, seed, "dynamodb", 0);
    memset(there, 0, sizeof there);
    for (int i = 0; i < 6000; i++) {
        int p = (int)(dice_bits(&dice) % PARTITIONS), s = (int)(dice_bits(&dice) % SORTS);
        bool add = dice_u(&dice) < 0.6;
        struct dynamodb_write w = {.verb = add ? DYNAMODB_PUT : DYNAMODB_DELETE,
                                   .table = t,
                                   .item = key_of(p, s)};
        assert_int_equal(dynamodb_write(m, i, &w, &arena, NULL, NULL, &reply, &err),
                         JOBQ_OK);
        there[p][s] = add;
        if (i % 500 == 0)
            arena_reset(&arena);
    }
    int64_t total = 0;
    for (int p = 0; p < PARTITIONS; p++)
        for (int s = 0; s < SORTS; s++)
            total += there[p][s];
    assert_int_equal(dynamodb_table(m, t)->items, total);
    for (int segments = 1; segments <= 5; segments += 2) {
        int64_t found = 0;
        memset(seen, 0, sizeof seen);
        for (int segment = 0; segment < segments; segment++) {
            struct dynamodb_page page = {0};
            do {
                struct dynamodb_item last = page.last;
                struct dynamodb_page_options o = {.after = last.count ? &last : NULL,
                                                  .limit = 7,
                                                  .segment = segment,
                                                  .segments = segments,
                                                  .consistent = true};
                assert_int_equal(
                    dynamodb_page(m, 9000, 0.5, t, &o, &arena, &page, &reply, &err),
                    JOBQ_OK);
                for (int i = 0; i < page.count; i++, found++) {
                    int p = number_of(&page.item[i], "pk"),
                        s = number_of(&page.item[i], "sk");
                    assert_true(there[p][s] && !seen[p][s]);
                    seen[p][s] = true;
                }
            } while (page.last.count);
        }
        assert_int_equal(found, total);
    }
    for (int p = 0; p < PARTITIONS; p++)
        for (int backward = 0; backward < 2; backward++) {
            struct dynamodb_page page = {0};
            int at = backward ? SORTS - 1 : 0, step = backward ? -1 : 1;
            struct dynamodb_value pk = key_of(p, 0).attr[0].value;
            do {
                struct dynamodb_item last = page.last;
                struct dynamodb_page_options o = {.partition = &pk,
                                                  .after = last.count ? &last : NULL,
                                                  .limit = 4,
                                                  .backward = backward};
                assert_int_equal(
                    dynamodb_page(m, 9000, 0.5, t, &o, &arena, &page, &reply, &err),
                    JOBQ_OK);
                for (int i = 0; i < page.count; i++, at += step) {
                    while (!there[p][at])
                        at += step;
                    assert_int_equal(number_of(&page.item[i], "sk"), at);
                }
            } while (page.last.count);
            for (; at >= 0 && at < SORTS; at += step)
                assert_false(there[p][at]);
        }
    dynamodb_free(m);
}

/* ---- time ------------------------------------------------------------------------------ */

static void eventual_reads_may_be_old_for_a_while(void **state)
{
    (void)state;
    int t;
    struct dynamodb *m = make("aws-2026", false, &t);
    int64_t s = JOBQ_NS_PER_S;
    struct dynamodb_item key = item(1, attr("pk", string("a")));
    put(m, 0, t,
        item(2, attr("pk", string("a")), attr("v", dynamodb_integer(1, &arena))));
    put(m, 5 * s, t,
        item(2, attr("pk", string("a")), attr("v", dynamodb_integer(2, &arena))));
    struct dynamodb_item old = get(m, 5 * s + 1, 0.1, t, key, false);
    assert_int_equal(number_of(&old, "v"), 1);
    struct dynamodb_item fresh = get(m, 5 * s + 1, 0.9, t, key, false);
    assert_int_equal(number_of(&fresh, "v"), 2);
    fresh = get(m, 5 * s + 1, 0.1, t, key, true);
    assert_int_equal(number_of(&fresh, "v"), 2);
    fresh = get(m, 6 * s, 0.1, t, key, false);
    assert_int_equal(number_of(&fresh, "v"), 2);
    struct dynamodb_write del = {.verb = DYNAMODB_DELETE, .table = t, .item = key};
    dynamodb_write(m, 10 * s, &del, &arena, NULL, NULL, &reply, &err);
    assert_int_equal(get(m, 10 * s + 1, 0.1, t, key, false).count, 2);
    assert_int_equal(get(m, 10 * s + 1, 0.1, t, key, true).count, 0);
    assert_int_equal(get(m, 12 * s, 0.1, t, key, false).count, 0);
    dynamodb_free(m);
}

static void expired_items_go_without_units(void **state)
{
    (void)state;
    int t;
    struct dynamodb *m = make("aws-2026", false, &t);
    int64_t hour = 3600 * JOBQ_NS_PER_S;
    assert_int_equal(dynamodb_set_ttl(m, 0, t, "ttl", &reply, &err), JOBQ_OK);
    assert_int_equal(dynamodb_set_ttl(m, 0, t, "ttl", &reply, &err), JOBQ_INVALID);
    put(m, 0, t,
        item(2, attr("pk", string("a")), attr("ttl", dynamodb_integer(7200, &arena))));
    put(m, 0, t, item(2, attr("pk", string("b")), attr("ttl", string("7200"))));
    put(m, 0, t, item(1, attr("pk", string("c"))));
    dynamodb_advance(m, 5 * hour);
    assert_int_equal(dynamodb_table(m, t)->items, 3); /* readable until it is swept */
    dynamodb_advance(m, 7 * hour);
    assert_int_equal(dynamodb_table(m, t)->items, 2);
    /* 3 x 100 and the bytes, two or three items, 7 hours and one more. */
    int64_t a = 2 + 1 + 3 + 2, b = 2 + 1 + 3 + 4, c = 2 + 1;
    double want = 7.0 * (double)(300 + a + b + c) + (double)(200 + b + c);
    assert_true(dynamodb_byte_hours(m, 8 * hour) == want);
    dynamodb_free(m);
}

static void capacity_is_limited_by_table_and_partition(void **state)
{
    (void)state;
    int t;
    struct dynamodb *m = make("aws-2026", false, &t);
    int64_t now = 1000 * JOBQ_NS_PER_S;
    int taken = 0, hot = 0;
    /* One key gets a partition's 1,000 units, many keys the table's 4,000. */
    while (put(m, now, t, sized("hot", 1000)) == JOBQ_OK)
        hot++;
    assert_int_equal(reply.fault, DYNAMODB_FAULT_THROUGHPUT);
    assert_string_equal(reply.throttle, "TableWriteKeyRangeThroughputExceeded");
    assert_true(reply.write_units == 0);
    assert_int_equal(hot, 1000);
    for (int i = 0; i < 8000; i++) {
        char name[16];
        snprintf(name, sizeof name, "k%d", i);
        taken += put(m, now, t, sized(name, 1000)) == JOBQ_OK;
        arena_reset(&arena);
    }
    assert_int_equal(taken + hot, 4000);
    /* A second later there is as much again. */
    now += JOBQ_NS_PER_S;
    for (hot = 0; put(m, now, t, sized("hot", 1000)) == JOBQ_OK; hot++)
        ;
    assert_in_range(hot, 999, 1001);
    dynamodb_free(m);
}

static void provisioned_capacity_has_a_burst(void **state)
{
    (void)state;
    int t;
    struct dynamodb *m = make("aws-2026", false, &t);
    struct dynamodb_table ten = {.write_capacity = 2, .read_capacity = 5};
    assert_int_equal(dynamodb_set_capacity(m, 0, t, &ten, &reply, &err), JOBQ_OK);
    int taken = 0;
    while (put(m, 0, t, sized("a", 1000)) == JOBQ_OK)
        taken++;
    assert_int_equal(taken, 600); /* 300 s of 2 units */
    assert_string_equal(reply.throttle, "TableWriteProvisionedThroughputExceeded");
    for (taken = 0; put(m, 10 * JOBQ_NS_PER_S, t, sized("a", 1000)) == JOBQ_OK; taken++)
        ;
    assert_int_equal(taken, 20);
    dynamodb_free(m);
}

static void tables_are_made_found_and_dropped(void **state)
{
    (void)state;
    int t, other;
    struct dynamodb *m = make("ideal", false, &t);
    struct dynamodb_table again = {.name = "jobs", .partition = {"pk", DYNAMODB_S}};
    assert_int_equal(dynamodb_create_table(m, 0, &again, &other, &reply, &err),
                     JOBQ_CONFLICT);
    assert_string_equal(dynamodb_fault_name(reply.fault), "ResourceInUseException");
    assert_int_equal(dynamodb_find_table(m, STR("jobs")), t);
    put(m, 0, t, sized("a", 100));
    assert_int_equal(dynamodb_delete_table(m, 0, t, &reply, &err), JOBQ_OK);
    assert_int_equal(dynamodb_find_table(m, STR("jobs")), -1);
    assert_null(dynamodb_table(m, t));
    assert_int_equal(put(m, 0, t, sized("a", 100)), JOBQ_NOT_FOUND);
    assert_true(dynamodb_byte_hours(m, 3600 * JOBQ_NS_PER_S) == 0);
    assert_int_equal(dynamodb_create_table(m, 0, &again, &other, &reply, &err), JOBQ_OK);
    assert_int_not_equal(other, t);
    dynamodb_free(m);
}

/* A value of any kind that a row of ours may have, and of some that it has not. */
static struct dynamodb_value any_value(struct dice *dice)
{
    static const char text[] =
        "a text of some length, of which a part is taken, or all of it";
    int kind = (int)(dice_u(dice) * 6);
    if (kind == 0)
        return dynamodb_integer((int64_t)(dice_u(dice) * 1e6) - 1000, &arena);
    if (kind == 1)
        return (struct dynamodb_value){.type = DYNAMODB_BOOL, .truth = true};
    if (kind == 2 && dice_u(dice) < 0.2) {
        struct dynamodb_value *one = arena_alloc(&arena, sizeof *one);
        *one = string("element");
        return (struct dynamodb_value){.type = DYNAMODB_L, .count = 1, .of.element = one};
    }
    if (kind == 3)
        return dynamodb_string((struct jobq_str){NULL, 2000});
    int64_t len = (int64_t)(dice_u(dice) * (double)sizeof text);
    return dynamodb_string(arena_str(&arena, (struct jobq_str){text, len}));
}

/* The same as SET of an expression. */
static struct expression_update as_expression(const struct dynamodb_attr *set, int count)
{
    struct expression_action *action =
        arena_alloc(&arena, (size_t)count * sizeof *action + 1);
    for (int i = 0; i < count; i++) {
        struct expression_step *step = arena_alloc(&arena, sizeof *step);
        struct expression_node *node = arena_zalloc(&arena, sizeof *node);
        *step = (struct expression_step){set[i].name, -1};
        node->kind = EXPRESSION_VALUE;
        node->value = &set[i].value;
        action[i] = (struct expression_action){EXPRESSION_SET, {step, 1}, node};
    }
    return (struct expression_update){action, count};
}

static void assert_same(const struct dynamodb_item *a, const struct dynamodb_item *b)
{
    assert_int_equal(a->count, b->count);
    for (int i = 0; i < a->count; i++) {
        const struct dynamodb_value *x = &a->attr[i].value, *y = &b->attr[i].value;
        assert_true(str_eq(a->attr[i].name, b->attr[i].name));
        assert_int_equal(x->type, y->type);
        if (x->type == DYNAMODB_S && !x->of.text.ptr)
            assert_true(!y->of.text.ptr && x->of.text.len == y->of.text.len);
        else
            assert_true(dynamodb_equal(x, y));
    }
}

/* Attributes set as they are give the item, the units and the errors that an expression
 * gives, whatever was stored before. */
static void set_is_an_update(void **state)
{
    (void)state;
    static const char *const name[] = {"s",  "state", "claim", "payload",
                                       "at", "pk",    "ttl"};
    struct seeds seeds = seeds_of(1, 300);
    for (uint64_t seed = seeds.from; seed < seeds.to; seed++) {
        struct dice dice;
        int one, two;
        struct dynamodb *m = make("aws-2026", false, &one);
        struct dynamodb *n = make("aws-2026", false, &two);
        dice_init(&dice, seed, "set is an update", 0);
        for (int step = 0; step < 40; step++) {
            struct dynamodb_attr key =
                attr("pk", string(dice_u(&dice) < 0.5 ? "x" : "y"));
            struct dynamodb_attr set[7];
            struct dynamodb_item before[2], after[2];
            struct dynamodb_reply other;
            int count = 0;
            for (int i = 0; i < 7; i++)
                if (dice_u(&dice) < (i == 5 ? 0.02 : 0.5))
                    set[count++] = attr(name[i], any_value(&dice));
            struct expression_update update = as_expression(set, count);
            struct dynamodb_write w = {.verb = DYNAMODB_UPDATE,
                                       .table = one,
                                       .item = {&key, 1},
                                       .set = set,
                                       .set_count = count};
            int64_t now_ns = step * JOBQ_NS_PER_S;
            int code = dynamodb_write(m, now_ns, &w, &arena, &before[0], &after[0],
                                      &reply, &err);
            w.set_count = 0;
            w.update = &update;
            w.table = two;
            assert_int_equal(dynamodb_write(n, now_ns, &w, &arena, &before[1], &after[1],
                                            &other, &err),
                             code);
            assert_true(reply.write_units == other.write_units);
            assert_int_equal(reply.fault, other.fault);
            if (code < 0)
                continue;
            assert_same(&before[0], &before[1]);
            assert_same(&after[0], &after[1]);
            struct dynamodb_item whole = {&key, 1};
            assert_same(dynamodb_peek(m, one, &whole), &after[1]);
            assert_int_equal(dynamodb_table(m, one)->bytes,
                             dynamodb_table(n, two)->bytes);
        }
        dynamodb_free(m);
        dynamodb_free(n);
        arena_reset(&arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(units_are_rounded_as_documented),
        cmocka_unit_test(a_failed_condition_costs_and_shows),
        cmocka_unit_test(transactions_are_all_or_nothing),
        cmocka_unit_test(keys_are_checked),
        cmocka_unit_test(scans_and_queries_give_what_is_there),
        cmocka_unit_test(eventual_reads_may_be_old_for_a_while),
        cmocka_unit_test(expired_items_go_without_units),
        cmocka_unit_test(capacity_is_limited_by_table_and_partition),
        cmocka_unit_test(provisioned_capacity_has_a_burst),
        cmocka_unit_test(tables_are_made_found_and_dropped),
        cmocka_unit_test(set_is_an_update),
    };
    arena_init(&arena, 0);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    arena_release(&arena);
    return failed;
}
