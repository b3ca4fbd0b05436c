/* fuzz_select.c - any bytes as a Select expression and as its next token.
 *
 * With libFuzzer: LLVMFuzzerTestOneInput. Without: a main that runs the files it is given, or,
 * with none, changes of its own seeds for as long as FUZZ_SECONDS says (argument -t SECONDS).
 *
 * The first line is the expression, what follows the first newline the next token. Besides not
 * crashing: a page never holds more than its limit, and asking again gives the same. */
#include "models/simpledb/simpledb.h"

#include "base/arena.h"
#include "base/dice.h"
#include "base/text.h"
#include "tests/seed.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct simpledb *filled(void)
{
    struct simpledb_params params;
    struct jobq_error err;
    if (simpledb_params_load("ideal", &params, &err))
        abort();
    struct simpledb *model = simpledb_new(&params);
    struct simpledb_reply reply;
    int domain = simpledb_domain(model, STR("mydomain"));
    simpledb_create_domain(model, 0, domain, &reply, &err);
    for (int i = 0; i < 150; i++) {
        char item[16], value[16];
        snprintf(item, sizeof item, "i%03d", i);
        snprintf(value, sizeof value, "%d", i % 13);
        struct jobq_attr attr[3] = {{STR("a"), str_of(value), true},
                                    {STR("b"), {NULL, i}, true},
                                    {STR("a"), STR("z"), false}};
        simpledb_put(model, 0, domain, str_of(item), attr, 1 + i % 3, NULL, &reply, &err);
    }
    return model;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct simpledb *model;
    if (!model)
        model = filled();
    const char *text = (const char *)data;
    const char *line = size ? memchr(text, '\n', size) : NULL;
    size_t len = line ? (size_t)(line - text) : size;
    struct jobq_str expression = {size ? text : "", (int64_t)len};
    struct jobq_str token = {0};
    if (line)
        token = (struct jobq_str){line + 1, (int64_t)(size - len - 1)};
    struct arena arena;
    arena_init(&arena, 0);
    struct simpledb_page page, again;
    struct simpledb_reply reply;
    struct jobq_error err;
    int first = simpledb_select(model, 0, 0.5, expression, token, true, &arena, &page,
                                &reply, &err);
    if (first > 2500 || (first >= 0) != (reply.fault == SIMPLEDB_FAULT_NONE))
        abort();
    if (first < 0 && err.text[0] == '\0')
        abort();
    int second = simpledb_select(model, 0, 0.5, expression, token, true, &arena, &again,
                                 &reply, &err);
    if (first != second)
        abort();
    /* The token that came back is good. */
    if (first >= 0 && page.next_token.len > 0 &&
        simpledb_select(model, 0, 0.5, expression, page.next_token, true, &arena, &again,
                        &reply, &err) < 0)
        abort();
    arena_release(&arena);
    return 0;
}

#ifndef FUZZ_LIBFUZZER
static const char *const seeds[] = {
    "select * from mydomain where (a > '1' and a < '3') or b like 'x%' or a = '7' limit "
    "3",
    "select count(*) from `mydomain` where every(a) in ('1',\"z\") intersection not b is "
    "null",
    "select itemName() from mydomain where itemName() between 'i1' and 'i9' order by "
    "itemName() desc limit 7",
    "select a, b from mydomain where b is not null and a not like '%\\%' order by "
    "b\n7500",
};

static int run_file(const char *path)
{
    static uint8_t data[1 << 16];
    FILE *file = fopen(path, "rb");
    if (!file) {
        fprintf(stderr, "fuzz_select: cannot open '%s'\n", path);
        return 2;
    }
    size_t size = fread(data, 1, sizeof data, file);
    fclose(file);
    return LLVMFuzzerTestOneInput(data, size);
}

static size_t change(struct dice *dice, char *text, size_t len, size_t cap)
{
    static const char *const bits[] = {
        " and ", " or ",     " not ",   "(", ")",          "'", "`",           "every(",
        "in (",  " is null", "limit 9", "%", "order by a", ",", "intersection"};
    size_t at = dice_below(dice, len + 1);
    switch (dice_below(dice, 4)) {
    case 0:
        if (at < len)
            text[at] = (char)dice_bits(dice);
        return len;
    case 1:
        return at ? at : len;
    case 2:
        if (at < len) {
            size_t gone = 1 + dice_below(dice, len - at);
            memmove(text + at, text + at + gone, len - at - gone);
            return len - gone;
        }
        return len;
    default: {
        const char *bit = bits[dice_below(dice, sizeof bits / sizeof *bits)];
        size_t more = strlen(bit);
        if (len + more > cap)
            return len;
        memmove(text + at + more, text + at, len - at);
        memcpy(text + at, bit, more);
        return len + more;
    }
    }
}

int main(int argc, char **argv)
{
    int seconds = 2, code = 0;
    if (argc > 2 && strcmp(argv[1], "-t") == 0)
        seconds = atoi(argv[2]);
    else if (argc > 1) {
        for (int i = 1; i < argc && code == 0; i++)
            code = run_file(argv[i]);
        return code;
    }
    struct dice dice;
    dice_init(&dice, seeds_of(1, 2).from, "fuzz_select", 0);
    time_t until = time(NULL) + seconds;
    long runs = 0;
    while (time(NULL) < until) {
        for (int i = 0; i < 1000; i++, runs++) {
            char text[600];
            const char *seed = seeds[dice_below(&dice, sizeof seeds / sizeof *seeds)];
            size_t len = strlen(seed);
            memcpy(text, seed, len);
            for (uint64_t k = 1 + dice_below(&dice, 6); k > 0; k--)
                len = change(&dice, text, len, sizeof text);
            LLVMFuzzerTestOneInput((const uint8_t *)text, len);
        }
    }
    printf("fuzz_select: %ld inputs in %d s\n", runs, seconds);
    return 0;
}
#endif
