/* test_simpledb.c - SimpleDB as it was documented and observed, and against a model of the
 * model. */
#include "models/simpledb/simpledb.h"
#include "models/simpledb/row.h"
#include "models/simpledb/box_usage.h"

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

struct world {
    struct simpledb *model;
    struct simpledb_params params;
    struct arena arena;
    struct simpledb_reply reply;
    struct jobq_error err;
    int domain;
    int64_t now_ns;
};

static void world_init(struct world *w)
{
    *w = (struct world){0};
    assert_int_equal(simpledb_params_load("ideal", &w->params, &w->err), JOBQ_OK);
    arena_init(&w->arena, 0);
    w->model = simpledb_new(&w->params);
    w->domain = simpledb_domain(w->model, STR("jobs"));
    assert_int_equal(simpledb_create_domain(w->model, 0, w->domain, &w->reply, &w->err),
                     JOBQ_OK);
}

static void world_release(struct world *w)
{
    simpledb_free(w->model);
    arena_release(&w->arena);
}

/* "name=value,name=value"; a leading '+' adds, else replaces. */
static int attrs(struct world *w, const char *text, struct jobq_attr *out)
{
    int count = 0;
    char *copy = arena_cstr(&w->arena, text);
    while (copy && *copy) {
        char *comma = strchr(copy, ',');
        if (comma)
            *comma++ = '\0';
        bool add = *copy == '+';
        char *equals = strchr(copy, '=');
        *equals = '\0';
        out[count++] = (struct jobq_attr){str_of(copy + add), str_of(equals + 1), !add};
        copy = comma;
    }
    return count;
}

static int put_if(struct world *w, const char *item, const char *text,
                  const struct jobq_expect *expect)
{
    struct jobq_attr attr[16];
    int count = attrs(w, text, attr);
    return simpledb_put(w->model, w->now_ns, w->domain, str_of(item), attr, count, expect,
                        &w->reply, &w->err);
}

static int put(struct world *w, const char *item, const char *text)
{
    return put_if(w, item, text, NULL);
}

static int name_cmp(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The row as "a=1,b=2", sorted; "" if there is none. */
static const char *show(struct world *w, const struct jobq_item *item)
{
    char *pair[256];
    for (int i = 0; i < item->attr_count; i++) {
        struct text text = {0};
        text_put_str(&text, item->attr[i].name);
        text_putc(&text, '=');
        text_put_str(&text, item->attr[i].value);
        pair[i] = arena_cstr(&w->arena, text.ptr);
        text_release(&text);
    }
    qsort(pair, (size_t)item->attr_count, sizeof *pair, name_cmp);
    struct text text = {0};
    for (int i = 0; i < item->attr_count; i++) {
        if (i)
            text_putc(&text, ',');
        text_puts(&text, pair[i]);
    }
    const char *all = text.len ? arena_cstr(&w->arena, text.ptr) : "";
    text_release(&text);
    return all;
}

static const char *get_at(struct world *w, const char *item, double u, bool consistent)
{
    struct jobq_item out;
    assert_int_equal(simpledb_get(w->model, w->now_ns, u, w->domain, str_of(item), NULL,
                                  0, consistent, &w->arena, &out, &w->reply, &w->err),
                     JOBQ_OK);
    return show(w, &out);
}

static const char *get(struct world *w, const char *item)
{
    return get_at(w, item, 0.5, true);
}

static void refused(const struct world *w, int code, enum jobq_code want,
                    enum simpledb_fault fault, const char *name, int status)
{
    assert_int_equal(code, want);
    assert_int_equal(w->err.code, want);
    assert_int_equal(w->reply.fault, fault);
    assert_string_equal(simpledb_fault_name(w->reply.fault), name);
    assert_int_equal(w->reply.http_status, status);
    assert_int_equal(w->reply.box_usage_e10h, 219907);
}

/* ---- BoxUsage ------------------------------------------------------------------------ */

/* The recorded replies. D: daemonology.net 2008-06-25; P: php-sdb2 test data, 2011-10-07; B:
 * boto tests/unit/test_exception.py; L: a public log of 2014-09-13. */
static void usage_is_as_observed(void **state)
{
    (void)state;
    struct simpledb_params p;
    struct jobq_error err;
    for (int set = 0; set < 3; set++) {
        static const char *const name[] = {"aws-2026", "aws-2012", "ideal"};
        assert_int_equal(simpledb_params_load(name[set], &p, &err), JOBQ_OK);
        assert_int_equal(simpledb_usage_domain(&p), 55590278); /* D P B; twice */
        assert_int_equal(simpledb_usage_list(&p), 71759);      /* D P; P */
        assert_int_equal(simpledb_usage_write(&p, 1), 219909); /* D P */
        assert_int_equal(simpledb_usage_write(&p, 2), 219923); /* D P */
        assert_int_equal(simpledb_usage_write(&p, 3), 219961); /* P */
        assert_int_equal(simpledb_usage_write(&p, 4), 220035); /* P */
        assert_int_equal(simpledb_usage_write(&p, 9), 221365); /* P */
        assert_int_equal(simpledb_usage_write(&p, 0), 219907); /* P, five rows */
        assert_int_equal(simpledb_usage_get(&p, 1), 93222);    /* P, 5 values */
        assert_int_equal(simpledb_usage_get(&p, 4), 93522);    /* P, 10 values */
        int64_t term = simpledb_usage_batch_term(&p, 3);
        assert_int_equal(simpledb_usage_batch_put(&p, 3 * term), 461918);   /* P */
        assert_int_equal(simpledb_usage_batch_put(&p, 25 * term), 3849317); /* P */
        assert_int_equal(simpledb_usage_select_names(&p, 100), 148000);     /* P */
        assert_int_equal(simpledb_usage_select_names(&p, 125), 150000);     /* P */
        assert_int_equal(simpledb_usage_select_names(&p, 2500), 340000);    /* P */
        assert_int_equal(simpledb_usage_select_rows(&p, 0), 137200);        /* L */
        assert_int_equal(simpledb_usage_select_rows(&p, 1), 228616);        /* L, twice */
        assert_int_equal(simpledb_usage_select_rows(&p, 2), 320033);        /* L */
        assert_int_equal(simpledb_usage_select_count(&p, 2625), 434338);    /* P */
    }
    /* The largest batch stays exact. */
    int64_t term = simpledb_usage_batch_term(&p, 256);
    assert_int_equal(simpledb_usage_batch_put(&p, 25 * term),
                     (25 * (219907 + INT64_C(2) * 256 * 256 * 256)) * 7 / 10);
}

/* The same figures out of the calls that they were seen in. */
static void calls_carry_their_usage(void **state)
{
    (void)state;
    struct world w;
    world_init(&w);
    assert_int_equal(w.reply.box_usage_e10h, 55590278);
    assert_int_equal(put(&w, "i1", "a1=1"), JOBQ_OK);
    assert_int_equal(w.reply.box_usage_e10h, 219909);
    put(&w, "i1", "a=1,b=2,c=3,d=4");
    assert_int_equal(w.reply.box_usage_e10h, 220035);
    put(&w, "i2", "+a=1,+a=2,+a=3,+a=4,+a=5,+a=6,+a=7,+a=8,+a=9");
    assert_int_equal(w.reply.box_usage_e10h, 221365);
    /* Five values of one name: one name. */
    put(&w, "i3", "+a=1,+a=2,+a=3,+a=4,+a=5");
    get(&w, "i3");
    assert_int_equal(w.reply.box_usage_e10h, 93222);
    /* A successful condition costs nothing more, a failed one the constant. */
    struct jobq_expect expect = {STR("a1"), STR("1"), true};
    assert_int_equal(put_if(&w, "i1", "x=1", &expect), JOBQ_OK);
    assert_int_equal(w.reply.box_usage_e10h, 219909);
    expect.value = STR("2");
    assert_int_equal(put_if(&w, "i1", "x=1", &expect), JOBQ_CONFLICT);
    assert_int_equal(w.reply.box_usage_e10h, 219907);
    struct jobq_attr name[2] = {{.name = STR("a")}, {.name = STR("b")}};
    simpledb_delete(w.model, 0, w.domain, STR("i1"), name, 2, NULL, &w.reply, &w.err);
    assert_int_equal(w.reply.box_usage_e10h, 219923);
    simpledb_delete(w.model, 0, w.domain, STR("i1"), NULL, 0, NULL, &w.reply, &w.err);
    assert_int_equal(w.reply.box_usage_e10h, 219907);
    struct simpledb_stats stats;
    simpledb_metadata(w.model, 0, w.domain, &stats, &w.reply, &w.err);
    assert_int_equal(w.reply.box_usage_e10h, 71759);
    /* 2,625 rows: count(*), and pages of itemName(). */
    simpledb_delete_domain(w.model, 0, w.domain, &w.reply, &w.err);
    simpledb_create_domain(w.model, 0, w.domain, &w.reply, &w.err);
    for (int i = 0; i < 2625; i++) {
        char item[16];
        snprintf(item, sizeof item, "item%05d", i);
        put(&w, item, "a=1,b=2,c=3");
    }
    struct simpledb_page page;
    simpledb_select(w.model, 0, 0.5, STR("select count(*) from jobs"),
                    (struct jobq_str){0}, true, &w.arena, &page, &w.reply, &w.err);
    assert_int_equal(w.reply.box_usage_e10h, 434338);
    assert_true(str_is(page.item[0].attr[0].value, "2625"));
    assert_int_equal(page.next_token.len, 0);
    struct jobq_str all = STR("select itemName() from jobs limit 2500");
    assert_int_equal(simpledb_select(w.model, 0, 0.5, all, (struct jobq_str){0}, true,
                                     &w.arena, &page, &w.reply, &w.err),
                     2500);
    assert_int_equal(w.reply.box_usage_e10h, 340000);
    assert_int_equal(simpledb_select(w.model, 0, 0.5, all, page.next_token, true,
                                     &w.arena, &page, &w.reply, &w.err),
                     125);
    assert_int_equal(w.reply.box_usage_e10h, 150000);
    assert_int_equal(page.next_token.len, 0);
    /* A count's token leads any select of the same rows past those it counted. */
    simpledb_select(w.model, 0, 0.5, STR("select count(*) from jobs limit 2000"),
                    (struct jobq_str){0}, true, &w.arena, &page, &w.reply, &w.err);
    struct jobq_str counted = page.next_token;
    assert_int_equal(simpledb_select(w.model, 0, 0.5, STR("select * from jobs\n limit 2"),
                                     counted, true, &w.arena, &page, &w.reply, &w.err),
                     2);
    assert_int_equal(simpledb_select(w.model, 0, 0.5,
                                     STR("select a from jobs limit 2500"), counted, true,
                                     &w.arena, &page, &w.reply, &w.err),
                     625);
    assert_true(simpledb_select(w.model, 0, 0.5, STR("select * from jobs where a='1'"),
                                counted, true, &w.arena, &page, &w.reply, &w.err) < 0);
    assert_int_equal(w.reply.fault, SIMPLEDB_FAULT_NEXT_TOKEN);
    world_release(&w);
}

static void batches_carry_their_usage(void **state)
{
    (void)state;
    struct world w;
    world_init(&w);
    struct jobq_attr attr[3];
    attrs(&w, "a=1,b=2,c=3", attr);
    struct jobq_item item[26];
    char name[26][8];
    for (int i = 0; i < 26; i++) {
        snprintf(name[i], sizeof name[i], "r%02d", i);
        item[i] = (struct jobq_item){str_of(name[i]), attr, 3};
    }
    simpledb_put_batch(w.model, 0, w.domain, item, 3, &w.reply, &w.err);
    assert_int_equal(w.reply.box_usage_e10h, 461918);
    simpledb_put_batch(w.model, 0, w.domain, item, 25, &w.reply, &w.err);
    assert_int_equal(w.reply.box_usage_e10h, 3849317);
    int code = simpledb_put_batch(w.model, 0, w.domain, item, 26, &w.reply, &w.err);
    refused(&w, code, JOBQ_LIMIT, SIMPLEDB_FAULT_SUBMITTED_ITEMS,
            "NumberSubmittedItemsExceeded", 409);
    item[1].name = item[0].name;
    code = simpledb_put_batch(w.model, 0, w.domain, item, 2, &w.reply, &w.err);
    refused(&w, code, JOBQ_INVALID, SIMPLEDB_FAULT_DUPLICATE_ITEM, "DuplicateItemName",
            400);
    code = simpledb_put_batch(w.model, 0, w.domain, item, 0, &w.reply, &w.err);
    refused(&w, code, JOBQ_INVALID, SIMPLEDB_FAULT_MISSING, "MissingParameter", 400);
    item[1] = (struct jobq_item){STR("r01"), NULL, 0};
    assert_int_equal(
        simpledb_delete_batch(w.model, 0, w.domain, item, 2, &w.reply, &w.err), JOBQ_OK);
    /* Row 0: three pairs deleted one by one, row 1 whole. */
    assert_string_equal(get(&w, "r00"), "");
    assert_string_equal(get(&w, "r01"), "");
    assert_string_equal(get(&w, "r02"), "a=1,b=2,c=3");
    world_release(&w);
}

/* ---- values -------------------------------------------------------------------------- */

static void rows_are_sets_of_pairs(void **state)
{
    (void)state;
    struct world w;
    world_init(&w);
    assert_string_equal(get(&w, "i"), "");
    put(&w, "i", "+color=red,+color=blue,+size=1");
    assert_string_equal(get(&w, "i"), "color=blue,color=red,size=1");
    put(&w, "i", "+color=red"); /* already there */
    assert_string_equal(get(&w, "i"), "color=blue,color=red,size=1");
    put(&w, "i", "color=green");
    assert_string_equal(get(&w, "i"), "color=green,size=1");
    put(&w, "i", "color=a,color=b"); /* one call may replace by several */
    assert_string_equal(get(&w, "i"), "color=a,color=b,size=1");
    struct jobq_attr one = {STR("color"), STR("a"), false};
    simpledb_delete(w.model, 0, w.domain, STR("i"), &one, 1, NULL, &w.reply, &w.err);
    assert_string_equal(get(&w, "i"), "color=b,size=1");
    one.value = (struct jobq_str){0};
    simpledb_delete(w.model, 0, w.domain, STR("i"), &one, 1, NULL, &w.reply, &w.err);
    assert_string_equal(get(&w, "i"), "size=1");
    one.name = STR("size");
    simpledb_delete(w.model, 0, w.domain, STR("i"), &one, 1, NULL, &w.reply, &w.err);
    assert_string_equal(get(&w, "i"), "");
    struct simpledb_stats stats;
    simpledb_metadata(w.model, 0, w.domain, &stats, &w.reply, &w.err);
    assert_int_equal(stats.items + stats.names + stats.values + stats.item_bytes +
                         stats.name_bytes + stats.value_bytes,
                     0);
    /* Deleting what is not there succeeds. */
    assert_int_equal(
        simpledb_delete(w.model, 0, w.domain, STR("i"), &one, 1, NULL, &w.reply, &w.err),
        JOBQ_OK);
    /* Some attributes by name. */
    put(&w, "j", "a=1,b=2,+c=3,+c=4,d=5");
    struct jobq_str want[] = {STR("c"), STR("a"), STR("never")};
    struct jobq_item out;
    simpledb_get(w.model, 0, 0.5, w.domain, STR("j"), want, 3, true, &w.arena, &out,
                 &w.reply, &w.err);
    assert_string_equal(show(&w, &out), "a=1,c=3,c=4");
    assert_int_equal(w.reply.box_usage_e10h, 93202 + 20 * 4);
    world_release(&w);
}

static void phantoms_are_counted_not_kept(void **state)
{
    (void)state;
    struct world w;
    world_init(&w);
    struct jobq_attr attr[2] = {{STR("p0"), {NULL, 1024}, true},
                                {STR("state"), STR("queued"), true}};
    assert_int_equal(
        simpledb_put(w.model, 0, w.domain, STR("i"), attr, 2, NULL, &w.reply, &w.err),
        JOBQ_OK);
    struct jobq_item out;
    simpledb_get(w.model, 0, 0.5, w.domain, STR("i"), NULL, 0, true, &w.arena, &out,
                 &w.reply, &w.err);
    assert_int_equal(out.attr_count, 2);
    assert_null(out.attr[0].value.ptr);
    assert_int_equal(out.attr[0].value.len, 1024);
    /* They are so many 'x'. */
    struct jobq_attr real = {STR("p0"), STR("xxx"), false};
    struct jobq_attr phantom = {STR("p0"), {NULL, 3}, false};
    simpledb_put(w.model, 0, w.domain, STR("j"), &real, 1, NULL, &w.reply, &w.err);
    simpledb_put(w.model, 0, w.domain, STR("j"), &phantom, 1, NULL, &w.reply, &w.err);
    assert_string_equal(get(&w, "j"), "p0=xxx");
    struct simpledb_page page;
    assert_int_equal(
        simpledb_select(w.model, 0, 0.5, STR("select * from jobs where p0 > 'xxxx'"),
                        (struct jobq_str){0}, true, &w.arena, &page, &w.reply, &w.err),
        1);
    assert_true(str_is(page.item[0].name, "i"));
    struct simpledb_stats stats;
    simpledb_metadata(w.model, 0, w.domain, &stats, &w.reply, &w.err);
    assert_int_equal(stats.value_bytes, 1024 + 6 + 3);
    world_release(&w);
}

static void metadata_and_billed_bytes(void **state)
{
    (void)state;
    struct world w;
    world_init(&w);
    put(&w, "item1", "color=red,size=10");
    put(&w, "item22", "color=blue");
    struct simpledb_stats s;
    simpledb_metadata(w.model, 0, w.domain, &s, &w.reply, &w.err);
    assert_int_equal(s.items, 2);
    assert_int_equal(s.item_bytes, 11);
    assert_int_equal(s.names, 2); /* unique in the domain */
    assert_int_equal(s.name_bytes, 9);
    assert_int_equal(s.values, 3);
    assert_int_equal(s.value_bytes, 9);
    /* Raw bytes, and 45 for each item, name and value. */
    assert_int_equal(simpledb_billed_bytes(w.model), 11 + 9 + 9 + 45 * (2 + 2 + 3));
    /* An hour of it, then an hour of nothing. */
    double bytes = (double)simpledb_billed_bytes(w.model);
    w.now_ns = JOBQ_NS_PER_HOUR;
    simpledb_delete_domain(w.model, w.now_ns, w.domain, &w.reply, &w.err);
    assert_int_equal(simpledb_billed_bytes(w.model), 0);
    double hours = simpledb_byte_hours(w.model, 2 * JOBQ_NS_PER_HOUR);
    assert_true(fabs(hours - bytes) < 1e-9 * bytes);
    world_release(&w);
}

/* ---- conditions ---------------------------------------------------------------------- */

static void conditions(void **state)
{
    (void)state;
    struct world w;
    world_init(&w);
    struct jobq_expect absent = {.name = STR("claim"), .exists = false};
    struct jobq_expect is_one = {STR("claim"), STR("1"), true};
    /* Developer Guide, conditional put; texts from "API error codes". */
    refused(&w, put_if(&w, "i", "x=1", &is_one), JOBQ_CONFLICT,
            SIMPLEDB_FAULT_NO_ATTRIBUTE, "AttributeDoesNotExist", 404);
    assert_string_equal(w.err.text, "Attribute (claim) does not exist");
    assert_int_equal(put_if(&w, "i", "claim=1", &absent), JOBQ_OK);
    refused(&w, put_if(&w, "i", "claim=2", &absent), JOBQ_CONFLICT,
            SIMPLEDB_FAULT_CONDITION, "ConditionalCheckFailed", 409);
    assert_string_equal(w.err.text,
                        "Conditional check failed. Attribute (claim) value exists");
    assert_int_equal(put_if(&w, "i", "claim=2", &is_one), JOBQ_OK);
    refused(&w, put_if(&w, "i", "claim=3", &is_one), JOBQ_CONFLICT,
            SIMPLEDB_FAULT_CONDITION, "ConditionalCheckFailed", 409);
    /* As recorded 2011-10-07 (php-sdb2). */
    assert_string_equal(w.err.text,
                        "Conditional check failed. Attribute (claim) value is "
                        "(2) but was expected (1)");
    put(&w, "i", "+claim=9");
    refused(&w, put_if(&w, "i", "claim=3", &is_one), JOBQ_CONFLICT,
            SIMPLEDB_FAULT_MULTI_VALUED, "MultiValuedAttribute", 409);
    assert_string_equal(get(&w, "i"), "claim=2,claim=9");
    /* Deletes take conditions too. */
    int code = simpledb_delete(w.model, 0, w.domain, STR("i"), NULL, 0, &absent, &w.reply,
                               &w.err);
    refused(&w, code, JOBQ_CONFLICT, SIMPLEDB_FAULT_CONDITION, "ConditionalCheckFailed",
            409);
    put(&w, "i", "claim=1");
    assert_int_equal(simpledb_delete(w.model, 0, w.domain, STR("i"), NULL, 0, &is_one,
                                     &w.reply, &w.err),
                     JOBQ_OK);
    assert_string_equal(get(&w, "i"), "");
    world_release(&w);
}

/* ---- limits -------------------------------------------------------------------------- */

static void limits(void **state)
{
    (void)state;
    struct world w;
    world_init(&w);
    char big[1026];
    memset(big, 'y', 1025);
    big[1025] = '\0';
    struct jobq_str fits = {big, 1024}, over = {big, 1025};
    struct jobq_attr attr = {fits, fits, true};
    assert_int_equal(
        simpledb_put(w.model, 0, w.domain, fits, &attr, 1, NULL, &w.reply, &w.err),
        JOBQ_OK);
    for (int which = 0; which < 3; which++) {
        struct jobq_str item = which == 0 ? over : fits;
        attr =
            (struct jobq_attr){which == 1 ? over : fits, which == 2 ? over : fits, true};
        int code =
            simpledb_put(w.model, 0, w.domain, item, &attr, 1, NULL, &w.reply, &w.err);
        refused(&w, code, JOBQ_INVALID, SIMPLEDB_FAULT_PARAMETER, "InvalidParameterValue",
                400);
    }
    assert_non_null(strstr(w.err.text, "Value exceeds maximum length of 1024."));
    attr = (struct jobq_attr){STR(""), STR("v"), true};
    int code =
        simpledb_put(w.model, 0, w.domain, STR("i"), &attr, 1, NULL, &w.reply, &w.err);
    refused(&w, code, JOBQ_INVALID, SIMPLEDB_FAULT_PARAMETER, "InvalidParameterValue",
            400);
    assert_string_equal(w.err.text, "Value () for parameter Name is invalid. The empty "
                                    "string is an illegal attribute name");
    code = simpledb_put(w.model, 0, w.domain, STR("i"), NULL, 0, NULL, &w.reply, &w.err);
    refused(&w, code, JOBQ_INVALID, SIMPLEDB_FAULT_MISSING, "MissingParameter", 400);
    assert_string_equal(w.err.text, "No attributes for item ='i'.");
    /* 256 pairs a put, and an item; nothing half-written. */
    struct jobq_attr many[257];
    char value[257][8];
    for (int i = 0; i < 257; i++) {
        snprintf(value[i], sizeof value[i], "%d", i);
        many[i] = (struct jobq_attr){STR("n"), str_of(value[i]), false};
    }
    code =
        simpledb_put(w.model, 0, w.domain, STR("i"), many, 257, NULL, &w.reply, &w.err);
    refused(&w, code, JOBQ_LIMIT, SIMPLEDB_FAULT_SUBMITTED_ATTRIBUTES,
            "NumberSubmittedAttributesExceeded", 409);
    assert_int_equal(
        simpledb_put(w.model, 0, w.domain, STR("i"), many, 256, NULL, &w.reply, &w.err),
        JOBQ_OK);
    assert_int_equal(
        simpledb_put(w.model, 0, w.domain, STR("i"), many, 256, NULL, &w.reply, &w.err),
        JOBQ_OK); /* the same again adds nothing */
    code = simpledb_put(w.model, 0, w.domain, STR("i"), &many[256], 1, NULL, &w.reply,
                        &w.err);
    refused(&w, code, JOBQ_LIMIT, SIMPLEDB_FAULT_ITEM_ATTRIBUTES,
            "NumberItemAttributesExceeded", 409);
    struct jobq_item batch[2] = {{STR("j"), many, 1}, {STR("i"), &many[256], 1}};
    code = simpledb_put_batch(w.model, 0, w.domain, batch, 2, &w.reply, &w.err);
    refused(&w, code, JOBQ_LIMIT, SIMPLEDB_FAULT_ITEM_ATTRIBUTES,
            "NumberItemAttributesExceeded", 409);
    assert_string_equal(get(&w, "j"), "");
    /* 1 MB a batch. */
    for (int i = 0; i < 256; i++)
        many[i].value = (struct jobq_str){NULL, 1000 + i % 24};
    struct jobq_item large[5];
    char name[5][2] = {"a", "b", "c", "d", "e"};
    for (int i = 0; i < 5; i++)
        large[i] = (struct jobq_item){{name[i], 1}, many, 256};
    code = simpledb_put_batch(w.model, 0, w.domain, large, 5, &w.reply, &w.err);
    refused(&w, code, JOBQ_INVALID, SIMPLEDB_FAULT_PARAMETER, "InvalidParameterValue",
            400);
    world_release(&w);
}

static void domain_limits(void **state)
{
    (void)state;
    struct world w;
    world_init(&w);
    w.params.domains_max = 250;
    w.params.domain_pairs_max = 4;
    w.params.domain_bytes_max = 100;
    simpledb_set_params(w.model, &w.params);
    for (int i = 1; i < 250; i++) {
        char name[16];
        snprintf(name, sizeof name, "d-%03d", i);
        int id = simpledb_domain(w.model, str_of(name));
        assert_int_equal(simpledb_create_domain(w.model, 0, id, &w.reply, &w.err),
                         JOBQ_OK);
        /* Idempotent. */
        assert_int_equal(simpledb_create_domain(w.model, 0, id, &w.reply, &w.err),
                         JOBQ_OK);
    }
    int id = simpledb_domain(w.model, STR("one.too_many"));
    int code = simpledb_create_domain(w.model, 0, id, &w.reply, &w.err);
    refused(&w, code, JOBQ_LIMIT, SIMPLEDB_FAULT_DOMAINS, "NumberDomainsExceeded", 409);
    /* ListDomains: 100 a page, in order. */
    struct jobq_str name[100], token = {0};
    int pages = 0, total = 0;
    do {
        int count =
            simpledb_list_domains(w.model, 0, token, 0, name, &token, &w.reply, &w.err);
        for (int i = 1; i < count; i++)
            assert_true(str_cmp(name[i - 1], name[i]) < 0);
        total += count;
        pages++;
    } while (token.len);
    assert_int_equal(total, 250);
    assert_int_equal(pages, 3);
    code = simpledb_list_domains(w.model, 0, token, 101, name, &token, &w.reply, &w.err);
    refused(&w, code, JOBQ_INVALID, SIMPLEDB_FAULT_PARAMETER, "InvalidParameterValue",
            400);
    /* 3..255 of [a-zA-Z0-9_.-]. */
    char longest[257];
    memset(longest, 'a', 256);
    assert_int_equal(simpledb_domain(w.model, STR("ab")), -1);
    assert_int_equal(simpledb_domain(w.model, STR("a b")), -1);
    assert_true(simpledb_domain(w.model, (struct jobq_str){longest, 255}) >= 0);
    assert_int_equal(simpledb_domain(w.model, (struct jobq_str){longest, 256}), -1);
    assert_int_equal(simpledb_domain_find(w.model, STR("never-made")), -2);
    code =
        simpledb_put(w.model, 0, -2, STR("i"), &(struct jobq_attr){STR("a"), STR("1"), 1},
                     1, NULL, &w.reply, &w.err);
    refused(&w, code, JOBQ_NOT_FOUND, SIMPLEDB_FAULT_NO_SUCH_DOMAIN, "NoSuchDomain", 400);
    assert_string_equal(w.err.text, "The specified domain does not exist.");
    code = simpledb_create_domain(w.model, 0, -1, &w.reply, &w.err);
    refused(&w, code, JOBQ_INVALID, SIMPLEDB_FAULT_PARAMETER, "InvalidParameterValue",
            400);
    /* A full domain. */
    assert_int_equal(put(&w, "i", "a=1,b=2,c=3,d=4"), JOBQ_OK);
    refused(&w, put(&w, "i", "e=5"), JOBQ_LIMIT, SIMPLEDB_FAULT_DOMAIN_ATTRIBUTES,
            "NumberDomainAttributesExceeded", 409);
    assert_int_equal(put(&w, "i", "a=2"), JOBQ_OK); /* replacing needs no room */
    char big[101];
    memset(big, 'z', 100);
    struct jobq_attr attr = {STR("a"), {big, 100}, true};
    code = simpledb_put(w.model, 0, w.domain, STR("i"), &attr, 1, NULL, &w.reply, &w.err);
    refused(&w, code, JOBQ_LIMIT, SIMPLEDB_FAULT_DOMAIN_BYTES,
            "NumberDomainBytesExceeded", 409);
    world_release(&w);
}

/* About 70 puts a second a domain, then 503 (Anand, Netflix; harish11g 2012-02-14). */
static void throttle(void **state)
{
    (void)state;
    struct world w;
    world_init(&w);
    w.params.writes_per_s = 70;
    w.params.write_burst = 1;
    simpledb_set_params(w.model, &w.params);
    int other = simpledb_domain(w.model, STR("other"));
    simpledb_create_domain(w.model, 0, other, &w.reply, &w.err);
    int taken = 0;
    for (int ms = 0; ms < 10000; ms++) {
        w.now_ns = ms * JOBQ_NS_PER_MS;
        int code = put(&w, "i", "a=1");
        taken += code == JOBQ_OK;
        if (code != JOBQ_OK) {
            assert_int_equal(code, JOBQ_THROTTLED);
            assert_int_equal(w.reply.http_status, 503);
            assert_string_equal(simpledb_fault_name(w.reply.fault), "ServiceUnavailable");
        }
    }
    /* Offered each ms, tokens every 14.28 ms: taken at the next whole ms. */
    assert_in_range(taken, 660, 701);
    /* Another domain has its own. */
    struct jobq_attr attr = {STR("a"), STR("1"), true};
    assert_int_equal(simpledb_put(w.model, w.now_ns, other, STR("i"), &attr, 1, NULL,
                                  &w.reply, &w.err),
                     JOBQ_OK);
    /* A batch is one write, or one a row. */
    struct jobq_item item[25];
    char name[25][4];
    for (int i = 0; i < 25; i++) {
        snprintf(name[i], sizeof name[i], "%d", i);
        item[i] = (struct jobq_item){str_of(name[i]), &attr, 1};
    }
    for (int each = 0; each < 2; each++) {
        w.params.batch_row_writes = each;
        simpledb_set_params(w.model, &w.params);
        int batches = 0;
        for (int ms = 0; ms < 10000; ms += 2) {
            w.now_ns += 2 * JOBQ_NS_PER_MS;
            batches += simpledb_put_batch(w.model, w.now_ns, w.domain, item, 25, &w.reply,
                                          &w.err) == JOBQ_OK;
        }
        assert_in_range(batches, each ? 27 : 600, each ? 30 : 701);
    }
    world_release(&w);
}

/* ---- stale reads --------------------------------------------------------------------- */

/* Wada et al., CIDR 2011: reads up to 450 ms after a write are fresh with p = 0.334, at 507
 * ms 0.98, up to 1 s 0.9978; then always. */
static void eventual_reads(void **state)
{
    (void)state;
    struct world w;
    world_init(&w);
    struct simpledb_params real;
    assert_int_equal(simpledb_params_load("aws-2026", &real, &w.err), JOBQ_OK);
    w.params.window = real.window;
    simpledb_set_params(w.model, &w.params);
    w.now_ns = 10 * JOBQ_NS_PER_S;
    put(&w, "i", "a=1");
    int64_t first_ns = w.now_ns;
    w.now_ns += 300 * JOBQ_NS_PER_MS;
    put(&w, "i", "a=2,b=1");
    assert_string_equal(get(&w, "i"), "a=2,b=1");
    assert_string_equal(get_at(&w, "i", 0.333, false), "a=2,b=1");
    assert_string_equal(get_at(&w, "i", 0.335, false), ""); /* neither has arrived */
    w.now_ns = first_ns + 520 * JOBQ_NS_PER_MS;
    assert_string_equal(get_at(&w, "i", 0.9, false), "a=1");
    assert_string_equal(get_at(&w, "i", 0.3, false), "a=2,b=1");
    w.now_ns = first_ns + 300 * JOBQ_NS_PER_MS + 1000 * JOBQ_NS_PER_MS;
    assert_string_equal(get_at(&w, "i", 0.999999, false), "a=2,b=1");
    /* The middle of the rise: 478.5 ms is halfway from 0.334 to 0.98. */
    int64_t written_ns = w.now_ns;
    put(&w, "i", "a=3");
    w.now_ns = written_ns + 478500 * JOBQ_NS_PER_US;
    assert_string_equal(get_at(&w, "i", 0.6569, false), "a=3,b=1");
    assert_string_equal(get_at(&w, "i", 0.6571, false), "a=2,b=1");
    /* A deleted row is still seen by some, and select reads the same replica. */
    w.now_ns += 10 * JOBQ_NS_PER_S;
    simpledb_delete(w.model, w.now_ns, w.domain, STR("i"), NULL, 0, NULL, &w.reply,
                    &w.err);
    struct simpledb_page page;
    for (int fresh = 0; fresh < 2; fresh++) {
        double u = fresh ? 0.1 : 0.9;
        assert_string_equal(get_at(&w, "i", u, false), fresh ? "" : "a=3,b=1");
        assert_int_equal(simpledb_select(w.model, w.now_ns, u, STR("select * from jobs"),
                                         (struct jobq_str){0}, false, &w.arena, &page,
                                         &w.reply, &w.err),
                         1 - fresh);
    }
    assert_string_equal(get(&w, "i"), "");
    /* Conditions always look at the newest. */
    struct jobq_expect absent = {.name = STR("a"), .exists = false};
    assert_int_equal(put_if(&w, "i", "a=4", &absent), JOBQ_OK);
    assert_string_equal(get_at(&w, "i", 0.9, false), "a=3,b=1");
    /* Counts follow what is stored. */
    struct simpledb_stats stats;
    simpledb_metadata(w.model, w.now_ns, w.domain, &stats, &w.reply, &w.err);
    assert_int_equal(stats.items, 1);
    assert_int_equal(stats.values, 1);
    /* Switched off while it runs: everything is fresh at once. */
    w.params.window.points = 0;
    simpledb_set_params(w.model, &w.params);
    assert_string_equal(get_at(&w, "i", 0.9, false), "a=4");
    put(&w, "i", "a=5");
    assert_string_equal(get_at(&w, "i", 0.9, false), "a=5");
    /* And on again, and longer: what was forgotten does not come back. */
    w.params.window = real.window;
    simpledb_set_params(w.model, &w.params);
    put(&w, "i", "a=6");
    assert_string_equal(get_at(&w, "i", 0.9, false), "a=5");
    w.now_ns += JOBQ_NS_PER_S;
    put(&w, "j", "a=1"); /* lets go of a=5 */
    assert_int_equal(simpledb_params_set(&w.params, "window", "0s=0,1h=0,1h=1", &w.err),
                     JOBQ_OK);
    simpledb_set_params(w.model, &w.params);
    assert_string_equal(get(&w, "i"), "a=6");
    assert_string_equal(get_at(&w, "i", 0.9, false), "");
    w.now_ns += JOBQ_NS_PER_HOUR;
    assert_string_equal(get_at(&w, "i", 0.9, false), "a=6");
    world_release(&w);
}

/* Older versions and deleted rows are kept for the window and no longer, and their memory is
 * used again. */
static void the_past_is_forgotten(void **state)
{
    (void)state;
    struct world w;
    world_init(&w);
    simpledb_params_set(&w.params, "window", "0s=0,1s=0,1s=1", &w.err);
    simpledb_set_params(w.model, &w.params);
    const struct row_domain *domain = &w.model->domain[w.domain];
    int64_t memory = 0;
    for (int round = 0; round < 50; round++) {
        for (int i = 0; i < 1000; i++) {
            char item[16];
            snprintf(item, sizeof item, "i%04d", i);
            put(&w, item, "a=1");
            put(&w, item, "a=22,b=3");
            simpledb_delete(w.model, w.now_ns, w.domain, str_of(item), NULL, 0, NULL,
                            &w.reply, &w.err);
        }
        assert_int_equal(domain->used, 1000 + (round > 0));
        assert_int_equal(domain->past_count, 2000 + (round > 1));
        w.now_ns += 2 * JOBQ_NS_PER_S;
        put(&w, "last", round % 2 ? "a=1" : "a=2");
        assert_int_equal(domain->used, 1);
        assert_int_equal(domain->past_count, round > 0);
        if (round == 1)
            memory = simpledb_memory(w.model);
    }
    assert_int_equal(simpledb_memory(w.model), memory);
    world_release(&w);
}

/* ---- against a plain model ----------------------------------------------------------- */

/* Rows as a table of flags: ITEMS items, each a set of pairs (name, value), and the history
 * of each as whole copies. */
enum { ITEMS = 60, NAMES = 4, VALUES = 3, STEPS = 6000, PAST = 400 };

struct plain_row {
    bool has[NAMES][VALUES];
};

struct plain {
    struct plain_row row[ITEMS];
    struct {
        int64_t at_ns;
        struct plain_row row;
    } past[ITEMS][PAST];
    int past_count[ITEMS];
};

static char plain_item[ITEMS][12];
static const char *const plain_name[NAMES] = {"a", "bb", "ccc", "dddd"};
static const char *const plain_value[VALUES] = {"", "1", "xx"};

static const char *plain_show(struct world *w, const struct plain_row *row)
{
    struct jobq_attr attr[NAMES * VALUES];
    struct jobq_item item = {.attr = attr};
    for (int n = 0; n < NAMES; n++)
        for (int v = 0; v < VALUES; v++)
            if (row->has[n][v])
                attr[item.attr_count++] = (struct jobq_attr){
                    str_of(plain_name[n]), str_of(plain_value[v]), false};
    return show(w, &item);
}

static double plain_p(int64_t age_ns)
{
    double ms = (double)age_ns / 1e6;
    if (ms < 450)
        return 0.334;
    if (ms < 507)
        return 0.334 + (ms - 450) / 57 * (0.98 - 0.334);
    return ms < 1000 ? 0.9978 : 1;
}

static const struct plain_row *plain_read(const struct plain *p, int item, int64_t now_ns,
                                          double u)
{
    static const struct plain_row none;
    for (int i = p->past_count[item] - 1; i >= 0; i--) {
        if (u < plain_p(now_ns - p->past[item][i].at_ns))
            return &p->past[item][i].row;
    }
    return &none;
}

static void plain_write(struct plain *p, int item, int64_t now_ns,
                        const struct plain_row *row)
{
    if (memcmp(row, &p->row[item], sizeof *row) == 0)
        return;
    p->row[item] = *row;
    if (p->past_count[item] == PAST) {
        memmove(&p->past[item][0], &p->past[item][1], (PAST - 1) * sizeof p->past[0][0]);
        p->past_count[item]--;
    }
    p->past[item][p->past_count[item]].at_ns = now_ns;
    p->past[item][p->past_count[item]++].row = *row;
}

/* One random put or delete on both; returns the attributes. */
static int plain_change(struct dice *dice, struct plain_row *row, struct jobq_attr *attr,
                        bool deletes)
{
    int count = deletes && dice_below(dice, 3) == 0 ? 0 : 1 + (int)dice_below(dice, 5);
    if (deletes && count == 0)
        *row = (struct plain_row){0};
    struct plain_row put = *row;
    int name[8], value[8];
    for (int i = 0; i < count; i++) {
        name[i] = (int)dice_below(dice, NAMES);
        value[i] = (int)dice_below(dice, VALUES);
        attr[i] = (struct jobq_attr){str_of(plain_name[name[i]]),
                                     str_of(plain_value[value[i]]), dice_below(dice, 2)};
        if (deletes) {
            for (int v = 0; v < VALUES; v++)
                put.has[name[i]][v] =
                    put.has[name[i]][v] && value[i] != 0 && v != value[i];
        } else if (attr[i].replace) {
            memset(put.has[name[i]], 0, sizeof put.has[name[i]]);
        }
    }
    for (int i = 0; i < count && !deletes; i++)
        put.has[name[i]][value[i]] = true;
    *row = put;
    return count;
}

static void plain_check_counts(struct world *w, const struct plain *p)
{
    struct simpledb_stats want = {0}, got;
    bool named[NAMES] = {0};
    for (int i = 0; i < ITEMS; i++) {
        int64_t values = 0;
        for (int n = 0; n < NAMES; n++)
            for (int v = 0; v < VALUES; v++)
                if (p->row[i].has[n][v]) {
                    values++;
                    want.value_bytes += (int64_t)strlen(plain_value[v]);
                    named[n] = true;
                }
        want.values += values;
        want.items += values > 0;
        want.item_bytes += values > 0 ? (int64_t)strlen(plain_item[i]) : 0;
    }
    for (int n = 0; n < NAMES; n++) {
        want.names += named[n];
        want.name_bytes += named[n] ? (int64_t)strlen(plain_name[n]) : 0;
    }
    simpledb_metadata(w->model, w->now_ns, w->domain, &got, &w->reply, &w->err);
    assert_memory_equal(&got, &want, sizeof want);
    assert_int_equal(simpledb_billed_bytes(w->model),
                     want.item_bytes + want.name_bytes + want.value_bytes +
                         45 * (want.items + want.names + want.values));
}

/* Every row that the iterator gives, once each, as the plain model has it. */
static void plain_check_rows(struct world *w, const struct plain *p)
{
    bool seen[ITEMS] = {0};
    struct simpledb_cursor cursor = {0};
    struct jobq_item out;
    int count = 0;
    while (simpledb_next_row(w->model, w->domain, &cursor, &w->arena, &out)) {
        int64_t item = 0;
        assert_true(
            str_to_int((struct jobq_str){out.name.ptr + 3, out.name.len - 3}, &item));
        assert_false(seen[item]);
        seen[item] = true;
        count++;
        assert_string_equal(show(w, &out), plain_show(w, &p->row[item]));
    }
    static const struct plain_row none;
    for (int i = 0; i < ITEMS; i++)
        assert_int_equal(seen[i], memcmp(&p->row[i], &none, sizeof none) != 0);
}

static void plain_step(struct world *w, struct plain *p, struct dice *dice)
{
    struct jobq_attr attr[8];
    int item = (int)dice_below(dice, ITEMS);
    bool deletes = dice_below(dice, 3) == 0;
    struct plain_row row = p->row[item];
    int count = plain_change(dice, &row, attr, deletes);
    struct jobq_expect expect = {str_of(plain_name[dice_below(dice, NAMES)]),
                                 str_of(plain_value[dice_below(dice, VALUES)]),
                                 dice_below(dice, 2)};
    bool conditional = dice_below(dice, 3) == 0, holds = true;
    if (conditional) {
        int name = 0, values = 0, is = -1;
        while (!str_is(expect.name, plain_name[name]))
            name++;
        for (int v = 0; v < VALUES; v++)
            if (p->row[item].has[name][v]) {
                values++;
                is = v;
            }
        holds = expect.exists ? values == 1 && str_is(expect.value, plain_value[is])
                              : values == 0;
    }
    struct jobq_str name = str_of(plain_item[item]);
    const struct jobq_expect *condition = conditional ? &expect : NULL;
    int code = deletes ? simpledb_delete(w->model, w->now_ns, w->domain, name, attr,
                                         count, condition, &w->reply, &w->err)
                       : simpledb_put(w->model, w->now_ns, w->domain, name, attr, count,
                                      condition, &w->reply, &w->err);
    assert_int_equal(code, holds ? JOBQ_OK : JOBQ_CONFLICT);
    if (holds)
        plain_write(p, item, w->now_ns, &row);
    int read = (int)dice_below(dice, ITEMS);
    double u = dice_u(dice);
    assert_string_equal(get(w, plain_item[read]), plain_show(w, &p->row[read]));
    const struct plain_row *stale =
        w->params.window.points ? plain_read(p, read, w->now_ns, u) : &p->row[read];
    assert_string_equal(get_at(w, plain_item[read], u, false), plain_show(w, stale));
}

/* The plain model keeps no version for a write that changes nothing. That cannot be told
 * from one that does: whoever sees the later of two equal versions also sees the earlier. */
static void agrees_with_a_plain_model(void **state)
{
    (void)state;
    struct plain *p = malloc(sizeof *p);
    for (int i = 0; i < ITEMS; i++)
        snprintf(plain_item[i], sizeof plain_item[i], "it-%d", i);
    for (int windowed = 0; windowed < 2; windowed++) {
        struct world w;
        world_init(&w);
        if (windowed)
            assert_int_equal(simpledb_params_set(&w.params, "window",
                                                 "0s=0.334,450ms=0.334,507ms=0.98,"
                                                 "507ms=0.9978,1s=0.9978,1s=1",
                                                 &w.err),
                             JOBQ_OK);
        for (int round = 0; round < 2; round++) {
            /* The second round reuses the memory of the first. */
            simpledb_reset(w.model, &w.params);
            w.domain = simpledb_domain(w.model, STR("jobs"));
            w.now_ns = 0;
            simpledb_create_domain(w.model, 0, w.domain, &w.reply, &w.err);
            memset(p, 0, sizeof *p);
            struct dice dice;
            dice_init(&dice, 7, "simpledb", (uint64_t)(2 * windowed + round));
            for (int i = 0; i < STEPS; i++) {
                w.now_ns += (int64_t)dice_below(&dice, 30) * JOBQ_NS_PER_MS;
                plain_step(&w, p, &dice);
                if (i % 500 == 0) {
                    plain_check_counts(&w, p);
                    plain_check_rows(&w, p);
                    arena_reset(&w.arena);
                }
            }
        }
        world_release(&w);
    }
    free(p);
}

/* Many names, so that the index grows, clusters and shrinks; order does not depend on how it
 * came about, and cursors survive it. */
static void the_index_keeps_its_order(void **state)
{
    (void)state;
    struct world w;
    world_init(&w);
    enum { N = 5000 };
    for (int i = 0; i < N; i++) {
        char item[24];
        snprintf(item, sizeof item, "queue-%08x", i * 7);
        put(&w, item, "state=queued");
    }
    char first[N][16];
    struct simpledb_cursor cursor = {0};
    struct jobq_item out;
    int count = 0;
    while (simpledb_next_row(w.model, w.domain, &cursor, &w.arena, &out)) {
        assert_true(count < N);
        memcpy(first[count], out.name.ptr, (size_t)out.name.len);
        first[count++][out.name.len] = '\0';
    }
    assert_int_equal(count, N);
    /* Again, in another order, with others in between that are deleted; half way through
     * the table grows. */
    simpledb_reset(w.model, NULL);
    w.domain = simpledb_domain(w.model, STR("jobs"));
    simpledb_create_domain(w.model, 0, w.domain, &w.reply, &w.err);
    for (int i = N - 1; i >= 0; i--) {
        char item[24];
        snprintf(item, sizeof item, "queue-%08x", i * 7);
        put(&w, item, "state=queued");
        snprintf(item, sizeof item, "other-%08x", i);
        put(&w, item, "state=queued");
    }
    for (int i = 0; i < N; i++) {
        char item[24];
        snprintf(item, sizeof item, "other-%08x", i);
        simpledb_delete(w.model, 0, w.domain, str_of(item), NULL, 0, NULL, &w.reply,
                        &w.err);
    }
    cursor = (struct simpledb_cursor){0};
    for (count = 0; simpledb_next_row(w.model, w.domain, &cursor, &w.arena, &out);
         count++) {
        assert_true(count < N && str_is(out.name, first[count]));
        if (count == N / 2) {
            for (int i = 0; i < 3 * N; i++) {
                char item[24];
                snprintf(item, sizeof item, "third-%08x", i);
                put(&w, item, "state=queued");
            }
            for (int i = 0; i < 3 * N; i++) {
                char item[24];
                snprintf(item, sizeof item, "third-%08x", i);
                simpledb_delete(w.model, 0, w.domain, str_of(item), NULL, 0, NULL,
                                &w.reply, &w.err);
            }
        }
    }
    assert_int_equal(count, N);
    world_release(&w);
}

static void restoring_gives_the_same_domain(void **state)
{
    (void)state;
    struct world w, copy;
    world_init(&w);
    for (int i = 0; i < 300; i++) {
        char item[16], text[64];
        snprintf(item, sizeof item, "r%d", i);
        snprintf(text, sizeof text, "n%d=%d,+m=1,+m=2,+m=%d", i % 40, i, i);
        put(&w, item, text);
    }
    world_init(&copy);
    struct simpledb_cursor cursor = {0}, other = {0};
    struct jobq_item out, again;
    simpledb_restore_domain(copy.model, 0, copy.domain);
    while (simpledb_next_row(w.model, w.domain, &cursor, &w.arena, &out))
        simpledb_restore_row(copy.model, 0, copy.domain, &out);
    cursor = (struct simpledb_cursor){0};
    while (simpledb_next_row(w.model, w.domain, &cursor, &w.arena, &out)) {
        assert_true(
            simpledb_next_row(copy.model, copy.domain, &other, &copy.arena, &again));
        assert_true(str_eq(out.name, again.name));
        assert_string_equal(show(&w, &out), show(&copy, &again));
    }
    assert_int_equal(simpledb_billed_bytes(w.model), simpledb_billed_bytes(copy.model));
    world_release(&w);
    world_release(&copy);
}

static void parameters_are_checked(void **state)
{
    (void)state;
    struct simpledb_params p;
    struct jobq_error err;
    assert_int_equal(simpledb_params_load("aws-2026", &p, &err), JOBQ_OK);
    assert_int_equal(p.usage_write_e14h, 2199070000);
    assert_int_equal(p.usage_write_cubic_e14h, 20000);
    assert_int_equal(p.usage_domain_e14h, 555902780000);
    assert_int_equal(p.usage_select_counted_e14h, 1121288);
    assert_int_equal(p.window.points, 6);
    assert_true(p.writes_per_s > 69.9 && p.writes_per_s < 70.1);
    static const char *const bad[] = {
        "0s", "0s=2", "1s=0.5", "=", "0s=0.9,1s=0.5", "1s=0.5,0s=1", "0s=1,,", "x=1"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_true(simpledb_params_set(&p, "window", bad[i], &err) < 0);
    assert_int_equal(p.window.points, 6);
    assert_int_equal(simpledb_params_set(&p, "window", "none", &err), JOBQ_OK);
    assert_int_equal(p.window.points, 0);
    assert_true(simpledb_params_set(&p, "usage_write", "2", &err) < 0);
    assert_true(simpledb_params_set(&p, "item_pairs_max", "257", &err) < 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(usage_is_as_observed),
        cmocka_unit_test(calls_carry_their_usage),
        cmocka_unit_test(batches_carry_their_usage),
        cmocka_unit_test(rows_are_sets_of_pairs),
        cmocka_unit_test(phantoms_are_counted_not_kept),
        cmocka_unit_test(metadata_and_billed_bytes),
        cmocka_unit_test(conditions),
        cmocka_unit_test(limits),
        cmocka_unit_test(domain_limits),
        cmocka_unit_test(throttle),
        cmocka_unit_test(eventual_reads),
        cmocka_unit_test(the_past_is_forgotten),
        cmocka_unit_test(agrees_with_a_plain_model),
        cmocka_unit_test(the_index_keeps_its_order),
        cmocka_unit_test(restoring_gives_the_same_domain),
        cmocka_unit_test(parameters_are_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
