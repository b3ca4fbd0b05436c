/* test_ddb_bodies.c - a simulated call of DynamoDB is as long as the bytes of a live one. */
#include "wire/dynamodb/ddb_bodies.h"

#include "base/arena.h"
#include "base/dice.h"
#include "tests/seed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

/* A text of up to 40 bytes, a third of them with some that JSON escapes. */
static struct jobq_str any_text(struct dice *dice, struct arena *arena)
{
    static const char odd[] = "\"\\\n\t\x01\x1f\x7f\xc3\xa4\xff";
    int64_t len = (int64_t)(dice_u(dice) * 41);
    bool plain = dice_u(dice) < 0.67;
    char *text = arena_alloc(arena, 41);
    for (int64_t i = 0; i < len; i++) {
        text[i] = (char)(' ' + (int)(dice_u(dice) * 95));
        if (plain && (text[i] == '"' || text[i] == '\\'))
            text[i] = 'x';
        if (!plain && dice_u(dice) < 0.2)
            text[i] = odd[(int)(dice_u(dice) * (double)(sizeof odd - 1))];
    }
    return (struct jobq_str){text, len};
}

static void an_update_is_as_long_as_its_text(void **state)
{
    (void)state;
    struct seeds seeds = seeds_of(1, 3000);
    struct arena arena;
    arena_init(&arena, 0);
    for (uint64_t seed = seeds.from; seed < seeds.to; seed++) {
        struct dice dice;
        struct jobq_attr attr[120];
        struct text out = {0};
        dice_init(&dice, seed, "update bytes", 0);
        int count = 1 + (int)(dice_u(&dice) * (dice_u(&dice) < 0.1 ? 119 : 14));
        for (int i = 0; i < count; i++)
            attr[i] = (struct jobq_attr){any_text(&dice, &arena), any_text(&dice, &arena),
                                         true};
        struct jobq_item item = {any_text(&dice, &arena), attr, count};
        struct jobq_expect expect = {any_text(&dice, &arena), any_text(&dice, &arena),
                                     dice_u(&dice) < 0.5};
        const struct jobq_expect *asked = dice_u(&dice) < 0.5 ? &expect : NULL;
        int64_t ttl_s = dice_u(&dice) < 0.5 ? 0 : 1 + (int64_t)(dice_u(&dice) * 3e9);
        struct jobq_str table = any_text(&dice, &arena);
        int64_t counted = ddb_wire_update(NULL, table, &item, ttl_s, asked);
        int64_t written = ddb_wire_update(&out, table, &item, ttl_s, asked);
        assert_int_equal(counted, out.len);
        assert_int_equal(counted, written);
        text_release(&out);
        arena_reset(&arena);
    }
    arena_release(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_update_is_as_long_as_its_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
