/* test_select.c - the Select language: the developer guide's own examples, every fault, pages,
 * and a naive evaluator on random expressions. */
#include "models/simpledb/query.h"
#include "models/simpledb/simpledb.h"

#include "base/arena.h"
#include "base/dice.h"
#include "base/text.h"
#include "tests/seed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

struct world {
    struct simpledb *model;
    struct simpledb_params params;
    struct arena arena;
    struct simpledb_reply reply;
    struct jobq_error err;
    struct simpledb_page page;
    int domain;
};

static void put(struct world *w, const char *item, const char *name, const char *value)
{
    struct jobq_attr attr = {str_of(name), str_of(value), false};
    assert_int_equal(simpledb_put(w->model, 0, w->domain, str_of(item), &attr, 1, NULL,
                                  &w->reply, &w->err),
                     JOBQ_OK);
}

/* The guide's "Sample Query Data Set" (Developer Guide, 2009-04-15, read 2026-11). */
static const char *const sample[][3] = {
    {"0385333498", "Title", "The Sirens of Titan"},
    {"0385333498", "Author", "Kurt Vonnegut"},
    {"0385333498", "Year", "1959"},
    {"0385333498", "Pages", "00336"},
    {"0385333498", "Keyword", "Book"},
    {"0385333498", "Keyword", "Paperback"},
    {"0385333498", "Rating", "*****"},
    {"0385333498", "Rating", "5 stars"},
    {"0385333498", "Rating", "Excellent"},
    {"0802131786", "Title", "Tropic of Cancer"},
    {"0802131786", "Author", "Henry Miller"},
    {"0802131786", "Year", "1934"},
    {"0802131786", "Pages", "00318"},
    {"0802131786", "Keyword", "Book"},
    {"0802131786", "Rating", "****"},
    {"1579124585", "Title", "The Right Stuff"},
    {"1579124585", "Author", "Tom Wolfe"},
    {"1579124585", "Year", "1979"},
    {"1579124585", "Pages", "00304"},
    {"1579124585", "Keyword", "Book"},
    {"1579124585", "Keyword", "Hardcover"},
    {"1579124585", "Keyword", "American"},
    {"1579124585", "Rating", "****"},
    {"1579124585", "Rating", "4 stars"},
    {"B000T9886K", "Title", "In Between"},
    {"B000T9886K", "Author", "Paul Van Dyk"},
    {"B000T9886K", "Year", "2007"},
    {"B000T9886K", "Keyword", "CD"},
    {"B000T9886K", "Keyword", "Trance"},
    {"B000T9886K", "Rating", "4 stars"},
    {"B00005JPLW", "Title", "300"},
    {"B00005JPLW", "Author", "Zack Snyder"},
    {"B00005JPLW", "Year", "2007"},
    {"B00005JPLW", "Keyword", "DVD"},
    {"B00005JPLW", "Keyword", "Action"},
    {"B00005JPLW", "Keyword", "Frank Miller"},
    {"B00005JPLW", "Rating", "***"},
    {"B00005JPLW", "Rating", "3 stars"},
    {"B00005JPLW", "Rating", "Not bad"},
    {"B000SF3NGK", "Title", "Heaven's Gonna Burn Your Eyes"},
    {"B000SF3NGK", "Author", "Thievery Corporation"},
    {"B000SF3NGK", "Year", "2002"},
    {"B000SF3NGK", "Rating", "*****"},
};

static void world_init(struct world *w)
{
    *w = (struct world){0};
    struct jobq_error err;
    if (simpledb_params_load("ideal", &w->params, &err))
        abort();
    arena_init(&w->arena, 0);
    w->model = simpledb_new(&w->params);
    w->domain = simpledb_domain(w->model, STR("mydomain"));
    simpledb_create_domain(w->model, 0, w->domain, &w->reply, &w->err);
    for (size_t i = 0; i < sizeof sample / sizeof *sample; i++)
        put(w, sample[i][0], sample[i][1], sample[i][2]);
}

static void world_release(struct world *w)
{
    simpledb_free(w->model);
    arena_release(&w->arena);
}

static int ask(struct world *w, const char *expression, struct jobq_str token)
{
    return simpledb_select(w->model, 0, 0.5, str_of(expression), token, true, &w->arena,
                           &w->page, &w->reply, &w->err);
}

static int cmp(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The items' names, in order if sorted, else by name. */
static void expect(struct world *w, const char *expression, bool ordered,
                   const char *want)
{
    char got[512] = "", *name[32];
    int count = ask(w, expression, (struct jobq_str){0});
    if (count < 0)
        fail_msg("%s: %s", expression, w->err.text);
    for (int i = 0; i < count; i++)
        name[i] = arena_cstr(&w->arena, w->page.item[i].name.ptr);
    if (!ordered)
        qsort(name, (size_t)count, sizeof *name, cmp);
    for (int i = 0; i < count; i++) {
        if (i)
            strcat(got, " ");
        strcat(got, name[i]);
    }
    if (strcmp(got, want) != 0)
        fail_msg("%s: got '%s', want '%s'", expression, got, want);
}

/* Every example of the guide's pages on simple, range, multi-valued, multiple-attribute, sort
 * and count queries that names its result. */
static void the_guides_examples(void **state)
{
    (void)state;
    struct world w;
    world_init(&w);
    static const struct {
        const char *where, *want;
    } example[] = {
        {"Title = 'The Right Stuff'", "1579124585"},
        {"Year > '1985'", "B00005JPLW B000SF3NGK B000T9886K"},
        {"Rating like '****%'", "0385333498 0802131786 1579124585 B000SF3NGK"},
        {"Pages < '00320'", "0802131786 1579124585"},
        {"Year > '1975' and Year < '2008'",
         "1579124585 B00005JPLW B000SF3NGK B000T9886K"},
        {"Year between '1975' and '2008'", "1579124585 B00005JPLW B000SF3NGK B000T9886K"},
        {"Rating = '***' or Rating = '*****'", "0385333498 B00005JPLW B000SF3NGK"},
        {"(Year > '1950' and Year < '1960') or Year like '193%' or Year = '2007'",
         "0385333498 0802131786 B00005JPLW B000T9886K"},
        {"Rating = '4 stars' or Rating = '****'", "0802131786 1579124585 B000T9886K"},
        {"Keyword = 'Book' and Keyword = 'Hardcover'", ""},
        {"every(Keyword) in ('Book', 'Paperback')", "0385333498 0802131786"},
        {"Rating = '****'", "0802131786 1579124585"},
        {"every(Rating) = '****'", "0802131786"},
        {"Keyword = 'Book' intersection Keyword = 'Hardcover'", "1579124585"},
    };
    for (size_t i = 0; i < sizeof example / sizeof *example; i++) {
        char text[256];
        snprintf(text, sizeof text, "select * from mydomain where %s", example[i].where);
        expect(&w, text, false, example[i].want);
    }
    expect(&w, "select * from mydomain where Year < '1980' order by Year asc", true,
           "0802131786 0385333498 1579124585");
    expect(&w, "select * from mydomain where Year < '1980' order by Year", true,
           "0802131786 0385333498 1579124585");
    expect(&w,
           "select * from mydomain where Year = '2007' intersection Author is not null "
           "order "
           "by Author desc",
           true, "B00005JPLW B000T9886K");
    expect(&w, "select * from mydomain where Year < '1980' order by Year limit 2", true,
           "0802131786 0385333498");
    expect(&w,
           "select itemName() from mydomain where itemName() like 'B000%' order by "
           "itemName()",
           true, "B00005JPLW B000SF3NGK B000T9886K");
    ask(&w, "select count(*) from mydomain where Title = 'The Right Stuff'",
        (struct jobq_str){0});
    assert_true(str_is(w.page.item[0].name, "Domain"));
    assert_true(str_is(w.page.item[0].attr[0].name, "Count"));
    assert_true(str_is(w.page.item[0].attr[0].value, "1"));
    ask(&w, "select count(*) from mydomain where Year > '1985'", (struct jobq_str){0});
    assert_true(str_is(w.page.item[0].attr[0].value, "3"));
    ask(&w, "select count(*) from mydomain limit 5", (struct jobq_str){0});
    assert_true(str_is(w.page.item[0].attr[0].value, "5"));
    struct jobq_str token = w.page.next_token;
    ask(&w, "select count(*) from mydomain limit 5", token);
    assert_true(str_is(w.page.item[0].attr[0].value, "1"));
    assert_int_equal(w.page.next_token.len, 0);
    world_release(&w);
}

/* "Select Quoting Rules", and what else the grammar allows. */
static void quoting_and_operators(void **state)
{
    (void)state;
    struct world w;
    world_init(&w);
    put(&w, "q1", "attr1", "He said, \"That's the ticket!\"");
    put(&w, "q2", "timestamp-1", "1194393601");
    put(&w, "q3", "abc`123", "1");
    put(&w, "q4", "order", "100%");
    put(&w, "q5", "order", "a\\b%c");
    expect(&w, "select * from mydomain where attr1 = 'He said, \"That''s the ticket!\"'",
           false, "q1");
    expect(&w,
           "select * from mydomain where attr1 = \"He said, \"\"That's the ticket!\"\"\"",
           false, "q1");
    expect(&w, "select * from mydomain where `timestamp-1` > '1194393600'", false, "q2");
    expect(&w, "select * from mydomain where `abc``123` = '1'", false, "q3");
    expect(&w, "SELECT * FROM mydomain WHERE `order` LIKE '%\\%'", false, "q4");
    expect(&w, "select * from mydomain where `order` like 'a\\\\b%'", false, "q5");
    expect(&w, "select\t*\nfrom `mydomain`where`order`like'%\\%c'", false, "q5");
    expect(&w, "select * from mydomain where `order` like '%'", false, "q4 q5");
    expect(&w, "select * from mydomain where `order` not like '%b%'", false, "q4");
    expect(&w, "select * from mydomain where `order` like '%a%\\\\%b%\\%%c%'", false,
           "q5");
    expect(&w, "select * from mydomain where `order` like 'a%a\\\\b\\%c'", false, "");
    /* Pieces do not overlap. */
    expect(&w, "select * from mydomain where itemName() like 'q1%1%'", false, "");
    expect(&w, "select * from mydomain where itemName() like '%1%1'", false, "");
    expect(&w, "select * from mydomain where Title is null and `order` is null", false,
           "q1 q2 q3");
    expect(&w, "select * from mydomain where not Title is null and Year != '2007'", false,
           "0385333498 0802131786 1579124585 B000SF3NGK");
    /* != is of each value, every() of all, not of the row. */
    expect(&w, "select * from mydomain where Keyword != 'Book'", false,
           "0385333498 1579124585 B00005JPLW B000T9886K");
    expect(&w, "select * from mydomain where every(Keyword) != 'Book'", false,
           "B00005JPLW B000T9886K");
    expect(&w, "select * from mydomain where not Keyword = 'Book' and Year >= '0'", false,
           "B00005JPLW B000SF3NGK B000T9886K");
    expect(&w, "select * from mydomain where not not not Year >= '0'", false,
           "q1 q2 q3 q4 q5");
    expect(&w, "select * from mydomain where itemName() in ('q1', 'q5', 'q9')", false,
           "q1 q5");
    expect(&w, "select * from mydomain where itemname() between 'q2' and 'q4'", false,
           "q2 q3 q4");
    /* and binds tighter than or, both tighter than intersection. */
    expect(
        &w,
        "select * from mydomain where Year = '1934' or Year = '2007' and Title = '300'",
        false, "0802131786 B00005JPLW");
    expect(&w,
           "select * from mydomain where Year = '1934' or Year = '2007' intersection "
           "Title = "
           "'300'",
           false, "B00005JPLW");
    expect(
        &w,
        "select * from mydomain where Keyword = 'Book' and Title > '' and Keyword > 'H'",
        false, "");
    /* Joined across what stands between: one value would have to be both. */
    expect(&w,
           "select * from mydomain where Keyword > 'D' and Title > '' and Keyword < 'C'",
           false, "");
    expect(&w,
           "select * from mydomain where Keyword > 'B' and Title > '' and Keyword < 'C'",
           false, "0385333498 0802131786 1579124585");
    /* Attributes by name, and what the row lacks. */
    assert_int_equal(ask(&w,
                         "select Title, Year, nothing from mydomain where Year = '2007'",
                         (struct jobq_str){0}),
                     2);
    for (int i = 0; i < 2; i++)
        assert_int_equal(w.page.item[i].attr_count, 2);
    ask(&w, "select itemName() from mydomain", (struct jobq_str){0});
    assert_int_equal(w.page.item[0].attr_count, 0);
    world_release(&w);
}

static void faults(void **state)
{
    (void)state;
    struct world w;
    world_init(&w);
    static const char *const syntax[] = {
        "",
        "select",
        "select * from",
        "select * mydomain",
        "select * from mydomain where",
        "select * from mydomain where Year",
        "select * from mydomain where Year =",
        "select * from mydomain where Year = 1",
        "select * from mydomain where Year = '1",
        "select * from mydomain where 'Year' = '1'",
        "select * from mydomain where Year == '1'",
        "select * from mydomain where Year = '1' and",
        "select * from mydomain where (Year = '1'",
        "select * from mydomain where Year = '1')",
        "select * from mydomain where not",
        "select * from mydomain where ()",
        "select * from mydomain where Year between '1'",
        "select * from mydomain where Year between '1' or '2'",
        "select * from mydomain where Year in ()",
        "select * from mydomain where Year in ('1',)",
        "select * from mydomain where Year is '1'",
        "select * from mydomain where Year is not '1'",
        "select * from mydomain where Year not in ('1')",
        "select * from mydomain where every(Year = '1'",
        "select * from mydomain where order = '1'",
        "select * from mydomain where `` = '1'",
        "select * from mydomain where 1a = '1'",
        "select * from mydomain limit",
        "select * from mydomain limit 0",
        "select * from mydomain limit 2501",
        "select * from mydomain limit 99999999999999999999",
        "select * from mydomain limit -1",
        "select * from mydomain limit 5 limit 5",
        "select * from mydomain;",
        "select *, Year from mydomain",
        "select itemName(), Year from mydomain",
        "select Year, itemName() from mydomain",
        "select count(Year) from mydomain",
        "select Year Title from mydomain",
        "select * from mydomain order",
        "select * from mydomain where Year > '1' order by",
        "select * from mydomain where Year > '1' order by Year up",
        "select * from my-domain",
        "update mydomain set Year = '1'",
        "select * from mydomain where Year = '1' & Year = '2'",
    };
    for (size_t i = 0; i < sizeof syntax / sizeof *syntax; i++) {
        if (ask(&w, syntax[i], (struct jobq_str){0}) != JOBQ_INVALID ||
            w.reply.fault != SIMPLEDB_FAULT_QUERY)
            fail_msg("'%s' was not refused", syntax[i]);
        assert_string_equal(w.err.text,
                            "The specified query expression syntax is not valid.");
        assert_int_equal(w.reply.box_usage_e10h, 219907);
    }
    static const char *const sort[] = {
        "select * from mydomain order by Year",
        "select * from mydomain where Author is null order by Title",
        "select * from mydomain where Year is null order by Year",
        "select * from mydomain where Year > '1' order by Title",
        "select * from mydomain order by itemName()",
    };
    for (size_t i = 0; i < sizeof sort / sizeof *sort; i++) {
        assert_int_equal(ask(&w, sort[i], (struct jobq_str){0}), JOBQ_INVALID);
        assert_string_equal(simpledb_fault_name(w.reply.fault), "InvalidSortExpression");
    }
    ask(&w,
        "select * from mydomain where Author is null and Title is not null order by "
        "Title",
        (struct jobq_str){0});
    assert_int_equal(w.reply.fault, SIMPLEDB_FAULT_NONE);
    assert_int_equal(ask(&w, "select * from other", (struct jobq_str){0}),
                     JOBQ_NOT_FOUND);
    assert_string_equal(simpledb_fault_name(w.reply.fault), "NoSuchDomain");
    assert_int_equal(ask(&w, "select * from `a b`", (struct jobq_str){0}), JOBQ_INVALID);
    assert_string_equal(simpledb_fault_name(w.reply.fault), "InvalidParameterValue");
    world_release(&w);
}

/* 20 comparisons, 20 values in in(), 20 unique attributes. */
static void counts(void **state)
{
    (void)state;
    struct world w;
    world_init(&w);
    for (int over = 0; over < 2; over++) {
        struct text text = {0};
        text_puts(&text, "select * from mydomain where a = '0'");
        for (int i = 1; i < 20 + over; i++)
            text_printf(&text, " or a = '%d'", i);
        ask(&w, text.ptr, (struct jobq_str){0});
        assert_string_equal(simpledb_fault_name(w.reply.fault),
                            over ? "InvalidNumberPredicates" : "");
        text_clear(&text);
        text_puts(&text, "select * from mydomain where a in ('0'");
        for (int i = 1; i < 20 + over; i++)
            text_printf(&text, ", '%d'", i);
        text_puts(&text, ")");
        ask(&w, text.ptr, (struct jobq_str){0});
        assert_string_equal(simpledb_fault_name(w.reply.fault),
                            over ? "InvalidNumberValueTests" : "");
        text_clear(&text);
        text_puts(&text, "select a0");
        for (int i = 1; i < 20; i++)
            text_printf(&text, ", a%d, a1", i);
        text_printf(&text, " from mydomain where %s = '1'", over ? "b" : "a7");
        ask(&w, text.ptr, (struct jobq_str){0});
        assert_string_equal(simpledb_fault_name(w.reply.fault),
                            over ? "TooManyRequestedAttributes" : "");
        text_release(&text);
    }
    world_release(&w);
}

/* ---- pages --------------------------------------------------------------------------- */

static void pages(void **state)
{
    (void)state;
    struct world w;
    world_init(&w);
    simpledb_delete_domain(w.model, 0, w.domain, &w.reply, &w.err);
    simpledb_create_domain(w.model, 0, w.domain, &w.reply, &w.err);
    enum { N = 1234 };
    for (int i = 0; i < N; i++) {
        char item[16], value[16];
        snprintf(item, sizeof item, "i%05d", i);
        snprintf(value, sizeof value, "%03d", i * 7919 % 500);
        put(&w, item, "v", value);
    }
    static const struct {
        const char *expression;
        int pages, rows, order;
    } walk[] = {
        {"select * from mydomain", 13, N, 0}, /* 100 a page unless asked */
        {"select * from mydomain limit 2500", 1, N, 0},
        {"select v from mydomain where v < '250' limit 50", 13, 618, 0},
        {"select * from mydomain where v > '' order by v limit 100", 13, N, 1},
        {"select * from mydomain where v > '' order by v desc limit 97", 13, N, -1},
        {"select itemName() from mydomain where itemName() > '' order by itemName() desc",
         13, N, 0},
    };
    for (size_t i = 0; i < sizeof walk / sizeof *walk; i++) {
        bool seen[N] = {0};
        struct jobq_str token = {0}, last = {0};
        int count, got = 0, turns = 0;
        do {
            count = ask(&w, walk[i].expression, token);
            assert_true(count > 0);
            for (int k = 0; k < count; k++) {
                const struct jobq_item *item = &w.page.item[k];
                int64_t number = 0;
                str_to_int((struct jobq_str){item->name.ptr + 1, item->name.len - 1},
                           &number);
                assert_false(seen[number]);
                seen[number] = true;
                if (walk[i].order && last.ptr)
                    assert_true(walk[i].order * str_cmp(last, item->attr[0].value) <= 0);
                last = walk[i].order ? item->attr[0].value : last;
            }
            got += count;
            turns++;
            token = w.page.next_token;
            /* Writes in between are harmless. */
            put(&w, "i00000", "v", "000");
        } while (token.len > 0);
        assert_int_equal(got, walk[i].rows);
        assert_int_equal(turns, walk[i].pages);
    }
    /* A token belongs to the rows and their order, not to the limit or what is shown of them;
     * anything else is no token. */
    ask(&w, "select * from mydomain", (struct jobq_str){0});
    struct jobq_str token = w.page.next_token;
    static const char *const bad[] = {"x", "00", "zz", "7500", ""};
    assert_int_equal(ask(&w, "select v from mydomain limit 99", token), 99);
    assert_int_equal(ask(&w, "select * from mydomain where v > ''", token), JOBQ_INVALID);
    assert_string_equal(simpledb_fault_name(w.reply.fault), "InvalidNextToken");
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(ask(&w, "select * from mydomain", str_of(bad[i])), JOBQ_INVALID);
    for (int64_t cut = 1; cut < 24; cut++) {
        struct jobq_str part = {token.ptr, cut};
        int code = ask(&w, "select * from mydomain", part);
        assert_true(code == JOBQ_INVALID);
    }
    world_release(&w);
}

/* A response holds 1 MB: "even if you ask to retrieve 2500 items, but each individual item is
 * 10 KB in size, the system returns 100 items and an appropriate next token". */
static void a_page_holds_a_megabyte(void **state)
{
    (void)state;
    struct world w;
    world_init(&w);
    simpledb_delete_domain(w.model, 0, w.domain, &w.reply, &w.err);
    simpledb_create_domain(w.model, 0, w.domain, &w.reply, &w.err);
    for (int i = 0; i < 300; i++) {
        char item[16];
        snprintf(item, sizeof item, "big%05d", i);
        struct jobq_attr attr[10];
        char name[10][3];
        for (int k = 0; k < 10; k++) {
            snprintf(name[k], sizeof name[k], "p%d", k);
            attr[k] =
                (struct jobq_attr){str_of(name[k]), {NULL, 1022 - (k == 0) * 8}, true};
        }
        simpledb_put(w.model, 0, w.domain, str_of(item), attr, 10, NULL, &w.reply,
                     &w.err);
    }
    int count = ask(&w, "select * from mydomain limit 2500", (struct jobq_str){0});
    assert_int_equal(count, 102); /* 10 KiB each, 1 MiB in all */
    assert_true(w.page.next_token.len > 0);
    world_release(&w);
}

/* Five seconds, as so many rows: a partial page and a token, or a timeout if sorted. */
static void queries_time_out(void **state)
{
    (void)state;
    struct world w;
    world_init(&w);
    w.params.select_scan_max = 4;
    simpledb_set_params(w.model, &w.params);
    assert_int_equal(
        ask(&w, "select * from mydomain where Year = '1934'", (struct jobq_str){0}) +
            ask(&w, "select * from mydomain where Year = '1934'", w.page.next_token),
        1);
    assert_int_equal(w.page.next_token.len, 0);
    assert_int_equal(ask(&w, "select * from mydomain where Year > '' order by Year",
                         (struct jobq_str){0}),
                     JOBQ_TIMEOUT);
    assert_int_equal(w.reply.http_status, 408);
    world_release(&w);
}

/* ---- against a naive evaluator --------------------------------------------------------- */

enum { ATTRS = 3, VALUES = 4, ROWS = 40, DEPTH = 5 };
static const char *const attr_name[ATTRS] = {"a", "b", "c"};
static const char *const letters[VALUES] = {"", "p", "pq", "q"};

enum kind { TEST, NOT, AND, OR, INTERSECTION };

struct tree {
    enum kind kind;
    int left, right;
    int attr; /* ATTRS: itemName() */
    bool every;
    const char *op;
    int x, y;
};

struct naive {
    struct tree tree[64];
    int count, tests;
    bool has[ROWS][ATTRS][VALUES];
    char item[ROWS][4];
};

static const char *const ops[] = {"=",       "!=", "<",       "<=",
                                  ">",       ">=", "like",    "not like",
                                  "between", "in", "is null", "is not null"};

static bool naive_value(const struct tree *t, const char *v)
{
    const char *x = letters[t->x], *y = letters[t->y];
    int c = strcmp(v, x);
    if (!strcmp(t->op, "="))
        return c == 0;
    if (!strcmp(t->op, "!="))
        return c != 0;
    if (!strcmp(t->op, "<"))
        return c < 0;
    if (!strcmp(t->op, "<="))
        return c <= 0;
    if (!strcmp(t->op, ">"))
        return c > 0;
    if (!strcmp(t->op, ">="))
        return c >= 0;
    if (!strcmp(t->op, "like") || !strcmp(t->op, "not like")) /* 'x%y' */
        return (t->op[0] == 'l') ==
               (strlen(v) >= strlen(x) + strlen(y) && !strncmp(v, x, strlen(x)) &&
                !strcmp(v + strlen(v) - strlen(y), y));
    if (!strcmp(t->op, "between"))
        return c >= 0 && strcmp(v, y) <= 0;
    if (!strcmp(t->op, "in"))
        return c == 0 || strcmp(v, y) == 0;
    return t->op[3] == 'n' && t->op[4] == 'o';
}

/* The one attribute that everything below compares by value, or -1. */
static int naive_pure(const struct naive *n, int at)
{
    const struct tree *t = &n->tree[at];
    if (t->kind == TEST)
        return !t->every && strncmp(t->op, "is", 2) != 0 ? t->attr : -1;
    if (t->kind != AND && t->kind != OR)
        return -1;
    int left = naive_pure(n, t->left), right = naive_pure(n, t->right);
    return left == right ? left : -1;
}

static bool naive_on_value(const struct naive *n, int at, const char *v)
{
    const struct tree *t = &n->tree[at];
    if (t->kind == AND)
        return naive_on_value(n, t->left, v) && naive_on_value(n, t->right, v);
    if (t->kind == OR)
        return naive_on_value(n, t->left, v) || naive_on_value(n, t->right, v);
    return naive_value(t, v);
}

static void naive_conjuncts(const struct naive *n, int at, int *list, int *count)
{
    if (n->tree[at].kind == AND && naive_pure(n, at) < 0) {
        naive_conjuncts(n, n->tree[at].left, list, count);
        naive_conjuncts(n, n->tree[at].right, list, count);
    } else {
        list[(*count)++] = at;
    }
}

static bool naive_row(const struct naive *n, int at, int row);

/* Is there one value of attr for which all these hold? */
static bool naive_some(const struct naive *n, const int *list, int count, int attr,
                       int row)
{
    for (int v = 0; v < (attr == ATTRS ? 1 : VALUES); v++) {
        if (attr != ATTRS && !n->has[row][attr][v])
            continue;
        bool all = true;
        for (int i = 0; i < count; i++)
            if (naive_pure(n, list[i]) == attr)
                all = all && naive_on_value(n, list[i],
                                            attr == ATTRS ? n->item[row] : letters[v]);
        if (all)
            return true;
    }
    return false;
}

static bool naive_row(const struct naive *n, int at, int row)
{
    const struct tree *t = &n->tree[at];
    int pure = naive_pure(n, at);
    if (pure >= 0)
        return naive_some(n, &at, 1, pure, row);
    if (t->kind == TEST) {
        if (t->attr == ATTRS)
            return naive_value(t, n->item[row]);
        bool any = false, all = true;
        for (int v = 0; v < VALUES; v++)
            if (n->has[row][t->attr][v]) {
                any = true;
                all = all && naive_value(t, letters[v]);
            }
        return !strcmp(t->op, "is null") ? !any
                                         : any && (all || !strncmp(t->op, "is", 2));
    }
    if (t->kind == NOT)
        return !naive_row(n, t->left, row);
    if (t->kind == OR)
        return naive_row(n, t->left, row) || naive_row(n, t->right, row);
    if (t->kind == INTERSECTION)
        return naive_row(n, t->left, row) && naive_row(n, t->right, row);
    int list[64], count = 0;
    naive_conjuncts(n, at, list, &count);
    for (int attr = 0; attr <= ATTRS; attr++) {
        bool any = false;
        for (int i = 0; i < count; i++)
            any = any || naive_pure(n, list[i]) == attr;
        if (any && !naive_some(n, list, count, attr, row))
            return false;
    }
    for (int i = 0; i < count; i++)
        if (naive_pure(n, list[i]) < 0 && !naive_row(n, list[i], row))
            return false;
    return true;
}

static int grow(struct naive *n, struct dice *dice, int depth)
{
    struct tree t = {0};
    if (depth == 0 || n->tests > 14 || dice_below(dice, 4) == 0) {
        t = (struct tree){.kind = TEST,
                          .attr = (int)dice_below(dice, ATTRS + 1),
                          .every = dice_below(dice, 6) == 0,
                          .op = ops[dice_below(dice, sizeof ops / sizeof *ops)],
                          .x = (int)dice_below(dice, VALUES),
                          .y = (int)dice_below(dice, VALUES)};
        n->tests++;
    } else {
        t.kind = (enum kind)(1 + dice_below(dice, 4));
        t.left = grow(n, dice, depth - 1);
        if (t.kind != NOT)
            t.right = grow(n, dice, depth - 1);
    }
    n->tree[n->count] = t;
    return n->count++;
}

/* With the brackets that precedence asks for, and some more. */
static void print_tree(const struct naive *n, int at, int outer, struct dice *dice,
                       struct text *out)
{
    static const int binds[] = {5, 4, 3, 2, 1};
    static const char *const word[] = {"", "not ", " and ", " or ", " intersection "};
    const struct tree *t = &n->tree[at];
    bool brackets = binds[t->kind] < outer || dice_below(dice, 8) == 0;
    if (brackets)
        text_putc(out, '(');
    if (t->kind == TEST) {
        const char *name = t->attr == ATTRS ? "itemName()" : attr_name[t->attr];
        text_printf(out, t->every ? "every(%s) %s" : "%s %s", name, t->op);
        const char *x = letters[t->x], *y = letters[t->y];
        if (strstr(t->op, "like"))
            text_printf(out, " '%s%%%s'", x, y);
        else if (!strcmp(t->op, "between"))
            text_printf(out, " '%s' and \"%s\"", x, y);
        else if (!strcmp(t->op, "in"))
            text_printf(out, " ('%s','%s')", x, y);
        else if (strncmp(t->op, "is", 2))
            text_printf(out, " '%s'", x);
    } else if (t->kind == NOT) {
        text_puts(out, word[NOT]);
        print_tree(n, t->left, binds[NOT], dice, out);
    } else {
        print_tree(n, t->left, binds[t->kind], dice, out);
        text_puts(out, word[t->kind]);
        print_tree(n, t->right, binds[t->kind] + 1, dice, out);
    }
    if (brackets)
        text_putc(out, ')');
}

static void agrees_with_a_naive_evaluator(void **state)
{
    (void)state;
    struct world w;
    world_init(&w);
    struct naive *n = calloc(1, sizeof *n);
    struct dice dice;
    dice_init(&dice, 13, "select", 0);
    int matched = 0, asked = 0;
    for (int round = 0; round < 30; round++) {
        simpledb_delete_domain(w.model, 0, w.domain, &w.reply, &w.err);
        simpledb_create_domain(w.model, 0, w.domain, &w.reply, &w.err);
        bool exists[ROWS] = {0};
        for (int r = 0; r < ROWS; r++) {
            snprintf(n->item[r], sizeof n->item[r], "%c%02d", "pq"[r % 2], r);
            for (int a = 0; a < ATTRS; a++)
                for (int v = 0; v < VALUES; v++) {
                    n->has[r][a][v] = dice_below(&dice, 4) == 0;
                    if (n->has[r][a][v])
                        put(&w, n->item[r], attr_name[a], letters[v]);
                    exists[r] = exists[r] || n->has[r][a][v];
                }
        }
        for (int q = 0; q < 100; q++) {
            n->count = n->tests = 0;
            int root = grow(n, &dice, DEPTH);
            struct text text = {0};
            text_puts(&text, "select itemName() from mydomain where ");
            print_tree(n, root, 0, &dice, &text);
            int count = ask(&w, text.ptr, (struct jobq_str){0});
            if (n->tests > 20) {
                assert_int_equal(w.reply.fault, SIMPLEDB_FAULT_PREDICATES);
                text_release(&text);
                continue;
            }
            if (count < 0)
                fail_msg("%s: %s", text.ptr, w.err.text);
            bool got[ROWS] = {0};
            for (int i = 0; i < count; i++)
                for (int r = 0; r < ROWS; r++)
                    got[r] = got[r] || str_is(w.page.item[i].name, n->item[r]);
            for (int r = 0; r < ROWS; r++) {
                bool want = exists[r] && naive_row(n, root, r);
                if (got[r] != want)
                    fail_msg("%s: row %s %d, want %d", text.ptr, n->item[r], got[r],
                             want);
                matched += want;
                asked++;
            }
            text_release(&text);
            arena_reset(&w.arena);
        }
    }
    assert_true(matched > asked / 5 && matched < asked * 4 / 5);
    free(n);
    world_release(&w);
}

/* Any bytes: an answer or a refusal, never a crash. Cuts and changes of good queries go deepest;
 * tests/fuzz/fuzz_select.c does the same for as long as one likes. */
static void survives_noise(void **state)
{
    (void)state;
    struct world w;
    world_init(&w);
    static const char *const seed[] = {
        "select * from mydomain where (Year > '1950' and Year < '1960') or Year like "
        "'193%'",
        "select count(*) from `mydomain` where every(Rating) in ('a','b') intersection "
        "not c "
        "is null order by itemName() desc limit 7",
        "((((((((((not not not (((((((",
    };
    struct dice dice;
    dice_init(&dice, seeds_of(17, 18).from, "noise", 0);
    for (int i = 0; i < 20000; i++) {
        char text[200];
        const char *from = seed[dice_below(&dice, 3)];
        size_t len = strlen(from);
        memcpy(text, from, len);
        for (uint64_t k = dice_below(&dice, 4); k > 0; k--) {
            size_t at = dice_below(&dice, len), other = dice_below(&dice, len);
            if (dice_below(&dice, 2))
                text[at] = (char)dice_bits(&dice);
            else
                memmove(text + at, text + other, len - (at > other ? at : other));
        }
        if (dice_below(&dice, 3) == 0)
            len = dice_below(&dice, len) + 1;
        simpledb_select(w.model, 0, 0.5, (struct jobq_str){text, (int64_t)len},
                        (struct jobq_str){0}, true, &w.arena, &w.page, &w.reply, &w.err);
        arena_reset(&w.arena);
    }
    struct text deep = {0};
    text_puts(&deep, "select * from mydomain where ");
    for (int i = 0; i < 100000; i++)
        text_putc(&deep, '(');
    assert_int_equal(ask(&w, deep.ptr, (struct jobq_str){0}), JOBQ_INVALID);
    text_release(&deep);
    world_release(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_guides_examples),
        cmocka_unit_test(quoting_and_operators),
        cmocka_unit_test(faults),
        cmocka_unit_test(counts),
        cmocka_unit_test(pages),
        cmocka_unit_test(a_page_holds_a_megabyte),
        cmocka_unit_test(queries_time_out),
        cmocka_unit_test(agrees_with_a_naive_evaluator),
        cmocka_unit_test(survives_noise),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
