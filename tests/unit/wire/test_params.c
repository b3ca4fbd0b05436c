/* tests/unit/models/test_param_sets.c - one tree whichever protocol a request spoke; what is written for clients is
 * read back by others' parsers (jansson); base64 undone is the same bytes. */
#include "wire/text/params.h"

#include "base/arena.h"
#include "base/dice.h"
#include "base/text.h"
#include "wire/text/base64.h"
#include "wire/text/emit.h"
#include "tests/seed.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

static int open_arena(void **context)
{
    static struct arena arena;
    arena_init(&arena, 4096);
    *context = &arena;
    return 0;
}

static int close_arena(void **context)
{
    arena_release(*context);
    return 0;
}

static void reads_both_protocols(void **context)
{
    struct jobq_error err;
    struct tree *json, *query;
    assert_int_equal(tree_from_json(STR("{\"Q\":\"\\u00fc \\ud83d\\ude00\",\"N\":-12,"
                                        "\"B\":true,\"Z\":null,\"E\":[{\"Id\":\"a\"},"
                                        "{\"Id\":\"b\"}]}"),
                                    *context, &json, &err),
                     JOBQ_OK);
    assert_int_equal(tree_from_query(&STR("Q=%C3%BC+%F0%9F%98%80&N=-12&B=true&E.10.Id=b&"
                                          "E.9.Id=a&&N=13"),
                                     1, *context, &query, &err),
                     JOBQ_OK);
    struct tree *both[] = {json, query};
    for (int i = 0; i < 2; i++) {
        assert_true(str_is(tree_text(both[i], "Q"), "\xc3\xbc \xf0\x9f\x98\x80"));
        assert_true(str_is(tree_text(both[i], "N"), "-12"));
        assert_true(str_is(tree_text(both[i], "B"), "true"));
        const struct tree *entries = tree_get(both[i], "E");
        assert_int_equal(entries->count, 2);
        assert_true(str_is(tree_text(entries->first, "Id"), "a"));
        assert_true(str_is(tree_text(entries->first->next, "Id"), "b"));
    }
    assert_int_equal(tree_get(json, "Z")->kind, TREE_NULL);
    assert_null(tree_get(json, "none"));
    assert_null(tree_get(NULL, "none"));
}

static void refuses_broken_ones(void **context)
{
    static const char *const json[] = {"",        "[]",           "{",
                                       "{\"a\"}", "{\"a\":1}x",   "{\"a\":\"\\ud800\"}",
                                       "\"a\"",   "{\"a\":\xff}", "{\"a\":01}"};
    static const char *const query[] = {"a=%", "a=%1", "a=%zz", "=a"};
    struct jobq_error err;
    struct tree *tree;
    for (size_t i = 0; i < sizeof json / sizeof json[0]; i++)
        assert_int_equal(tree_from_json(str_of(json[i]), *context, &tree, &err),
                         JOBQ_INVALID);
    for (size_t i = 0; i < sizeof query / sizeof query[0]; i++)
        assert_int_equal(
            tree_from_query(&(struct jobq_str){query[i], (int64_t)strlen(query[i])}, 1,
                            *context, &tree, &err),
            JOBQ_INVALID);
    char deep[200] = "";
    for (int i = 0; i < 20; i++)
        strcat(deep, "{\"a\":");
    assert_true(tree_from_json(str_of(deep), *context, &tree, &err) < 0);
    assert_int_equal(tree_from_query(&STR("a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a=1"), 1,
                                     *context, &tree, &err),
                     JOBQ_LIMIT);
}

/* Values are counted before they are made; those within a text are none. */
static void bounds_the_values(void **context)
{
    struct jobq_error err;
    struct tree *tree;
    struct text json = {0};
    for (int more = 0; more < 2; more++) {
        text_clear(&json);
        text_puts(&json, "{\"text\":\"");
        for (int i = 0; i < TREE_PARAMS_MAX; i++)
            text_puts(&json, ",\\\"[");
        text_puts(&json, "\",\"list\":[1");
        for (int i = 0; i < TREE_PARAMS_MAX - 4 + more; i++)
            text_puts(&json, ",1");
        text_puts(&json, "]}");
        assert_int_equal(tree_from_json(text_str(&json), *context, &tree, &err),
                         more ? JOBQ_LIMIT : JOBQ_OK);
    }
    text_release(&json);
}

static void survives_random_changes(void **context)
{
    static const char *const seeds[] = {
        "{\"Q\":\"\\u00fc\\ud83d\\ude00\",\"N\":-1.5e3,\"E\":[{\"Id\":[null,true]}]}",
        "Q=%C3%BC+a&N=-12&E.10.Id=b&E.9.Id.1=a&E.9=x"};
    struct seeds range = seeds_of(0, 40000);
    for (uint64_t seed = range.from; seed < range.to; seed++) {
        static const char spice[] = "{}[]\",:\\u%&=.0129+-\xff\x01 ae";
        struct dice dice;
        struct jobq_error err = {0};
        struct tree *tree = NULL;
        char bytes[128];
        dice_init(&dice, seed, "tree", 0);
        strcpy(bytes, seeds[seed % 2]);
        size_t len = strlen(bytes);
        for (uint64_t n = dice_bits(&dice) % 4 + 1; n > 0; n--)
            bytes[dice_bits(&dice) % len] = spice[dice_bits(&dice) % (sizeof spice - 1)];
        struct jobq_str text = {bytes, (int64_t)len};
        int code = seed % 2 ? tree_from_query(&text, 1, *context, &tree, &err)
                            : tree_from_json(text, *context, &tree, &err);
        if (code != JOBQ_OK && (code != err.code || err.text[0] == '\0'))
            print_error("seed=%llu\n", (unsigned long long)seed);
        assert_true(code == JOBQ_OK ? tree != NULL
                                    : code == (int)err.code && err.text[0]);
        arena_reset(*context);
    }
}

static void writes_what_jansson_reads(void **context)
{
    struct text out = {0};
    struct emit e = {.out = &out, .json = true};
    char every[130];
    (void)context;
    for (int i = 1; i < 128; i++)
        every[i - 1] = (char)i;
    strcpy(every + 127, "\xc3\xbc");
    text_putc(&out, '{');
    emit_text(&e, "every", str_of(every));
    emit_int(&e, "int", INT64_MIN);
    emit_bool(&e, "bool", true);
    emit_list(&e, "list");
    emit_object(&e, NULL, "x");
    emit_text(&e, "a", STR("b"));
    emit_object_end(&e, "x");
    emit_item(&e, "x", STR("c"));
    emit_list_end(&e);
    emit_map(&e, "map");
    emit_map_put(&e, "x", "Name", STR("k\""), STR("v"));
    emit_map_end(&e);
    text_putc(&out, '}');
    json_t *json = json_loadb(out.ptr, out.len, 0, NULL);
    assert_non_null(json);
    assert_string_equal(json_string_value(json_object_get(json, "every")), every);
    assert_true(json_integer_value(json_object_get(json, "int")) == INT64_MIN);
    assert_true(json_is_true(json_object_get(json, "bool")));
    assert_int_equal(json_array_size(json_object_get(json, "list")), 2);
    assert_string_equal(
        json_string_value(json_object_get(json_object_get(json, "map"), "k\"")), "v");
    json_decref(json);
    text_clear(&out);
    emit_xml(&out, "a", STR("<&>\"'\r\n"));
    assert_null(strchr(out.ptr + 3, '\r'));
    assert_non_null(strstr(out.ptr, "&lt;&amp;&gt;"));
    text_release(&out);
}

static void undoes_base64(void **context)
{
    static const char *const vectors[][2] = {/* RFC 4648, section 10 */
                                             {"", ""},
                                             {"f", "Zg=="},
                                             {"fo", "Zm8="},
                                             {"foo", "Zm9v"},
                                             {"foob", "Zm9vYg=="},
                                             {"fooba", "Zm9vYmE="},
                                             {"foobar", "Zm9vYmFy"}};
    struct jobq_str out;
    for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++) {
        out = base64_encode(str_of(vectors[i][0]), *context);
        assert_true(str_eq(out, str_of(vectors[i][1])));
        assert_true(base64_decode(str_of(vectors[i][1]), *context, &out));
        assert_true(str_eq(out, str_of(vectors[i][0])));
    }
    static const char *const bad[] = {
        "Z", "Zg", "Zg=", "Z===", "Zg==Zg==", "Z g==", "Zm9*"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(base64_decode(str_of(bad[i]), *context, &out));
}

/* A list of one may go without a number; with several, what has none comes last. */
static void lists_may_lack_numbers(void **context)
{
    struct arena *arena = *context;
    struct jobq_error err;
    struct tree *tree;
    static const struct {
        const char *query;
        int count;
        const char *name, *last; /* of the last entry: its "Name", or its text */
    } cases[] = {
        {"A.1=x&A.2=y", 2, NULL, "y"},
        {"A=x", 1, NULL, "x"},
        {"A=", 0, NULL, NULL},
        {"A.Name=x&A.Value=y", 1, "x", NULL},
        {"A.Name=x&A.2.Name=q&A.1.Name=p", 3, "x", NULL},
        {"A.1=x&A=y", 2, NULL, "y"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct jobq_str query = str_of(cases[i].query);
        assert_int_equal(tree_from_query(&query, 1, arena, &tree, &err), JOBQ_OK);
        const struct tree *list = tree_list(tree, "A", arena);
        assert_int_equal(list->count, cases[i].count);
        if (cases[i].name)
            assert_true(str_is(tree_text(list->last, "Name"), cases[i].name));
        if (cases[i].last)
            assert_true(str_is(list->last->text, cases[i].last));
    }
    assert_null(tree_list(tree, "B", arena));
}

static void merges_and_writes(void **context)
{
    struct arena *arena = *context;
    struct jobq_error err;
    struct tree *first, *second, *again;
    struct jobq_str a = STR("B.1.C=1%26&A=x+y&B.10=%C3%BC"), b = STR("A=z&B=0&D.E=%3D");
    assert_int_equal(tree_from_query(&a, 1, arena, &first, &err), JOBQ_OK);
    assert_int_equal(tree_from_query(&b, 1, arena, &second, &err), JOBQ_OK);
    const struct tree *merged = tree_merge(first, second, arena);
    assert_true(str_is(tree_text(merged, "A"), "x y"));
    assert_int_equal(tree_get(merged, "B")->count, 2);
    assert_true(str_is(tree_text(tree_get(merged, "D"), "E"), "="));
    struct text out = {0}, twice = {0};
    tree_write_query(merged, &out);
    assert_string_equal(out.ptr, "A=x%20y&B.1.C=1%26&B.10=%C3%BC&D.E=%3D");
    struct jobq_str text = text_str(&out);
    assert_int_equal(tree_from_query(&text, 1, arena, &again, &err), JOBQ_OK);
    tree_write_query(again, &twice);
    assert_string_equal(out.ptr, twice.ptr);
    text_release(&out);
    text_release(&twice);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(reads_both_protocols, open_arena, close_arena),
        cmocka_unit_test_setup_teardown(refuses_broken_ones, open_arena, close_arena),
        cmocka_unit_test_setup_teardown(bounds_the_values, open_arena, close_arena),
        cmocka_unit_test_setup_teardown(survives_random_changes, open_arena, close_arena),
        cmocka_unit_test_setup_teardown(writes_what_jansson_reads, open_arena,
                                        close_arena),
        cmocka_unit_test_setup_teardown(undoes_base64, open_arena, close_arena),
        cmocka_unit_test_setup_teardown(lists_may_lack_numbers, open_arena, close_arena),
        cmocka_unit_test_setup_teardown(merges_and_writes, open_arena, close_arena),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
