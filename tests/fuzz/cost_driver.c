/* cost_driver.c - runs the money's fuzz targets where there is no libFuzzer: random changes
 * of their seeds, the same ones each time.
 *
 * Usage: fuzz_X [-n RUNS] [-s SEED, or of the environment] [FILE...]; a file is run as it is. fuzz_X -d DIR writes
 * the seeds there, for libFuzzer's corpus. */
#include "cost_driver.h"

#include "base/arena.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t state = 1;

static uint64_t bits(void)
{
    /* splitmix64 */
    uint64_t z = state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

/* A piece of another seed in between. */
static size_t graft(char *text, size_t at, size_t len, size_t cap)
{
    size_t seeds = 0;
    while (fuzz_seeds[seeds])
        seeds++;
    const char *seed = fuzz_seeds[bits() % seeds];
    size_t from = bits() % strlen(seed), n = 1 + bits() % (strlen(seed) - from);
    if (len + n > cap)
        return len;
    memmove(text + at + n, text + at, len - at);
    memcpy(text + at, seed + from, n);
    return len + n;
}

static size_t change(char *text, size_t len, size_t cap)
{
    size_t at = len ? bits() % len : 0, n = 1 + bits() % 8;
    switch (bits() % 7) {
    case 0: /* flip */
        if (len)
            text[at] = (char)(text[at] ^ (1 << bits() % 8));
        break;
    case 1: /* any byte */
        if (len)
            text[at] = (char)bits();
        break;
    case 2: /* drop */
        n = n < len - at ? n : len - at;
        memmove(text + at, text + at + n, len - at - n);
        return len - n;
    case 3: /* repeat a piece */
        n = n * 8 < len - at ? n * 8 : len - at;
        if (len + n > cap)
            break;
        memmove(text + at + n, text + at, len - at);
        return len + n;
    case 4: { /* a byte that means something */
        static const char sharp[] = "{}[]\",:\n\\-.0eE#@=/\r\t";
        if (len)
            text[at] = sharp[bits() % (sizeof sharp - 1)];
        break;
    }
    case 5:
        return graft(text, at, len, cap);
    default: /* cut */
        return bits() % 8 ? len : at;
    }
    return len;
}

static int run_file(const char *path)
{
    static char text[1 << 20];
    FILE *file = fopen(path, "rb");
    if (!file) {
        perror(path);
        return 1;
    }
    size_t len = fread(text, 1, sizeof text, file);
    fclose(file);
    LLVMFuzzerTestOneInput((const uint8_t *)text, len);
    return 0;
}

static int dump(const char *dir)
{
    for (int i = 0; fuzz_seeds[i]; i++) {
        char path[512];
        snprintf(path, sizeof path, "%s/seed-%d", dir, i);
        FILE *file = fopen(path, "wb");
        if (!file) {
            perror(path);
            return 1;
        }
        fputs(fuzz_seeds[i], file);
        fclose(file);
    }
    return 0;
}

int main(int argc, char **argv)
{
    long runs = 20000;
    const char *given = getenv("SEED");
    if (given && given[0])
        state = strtoull(given, NULL, 10);
    if (argc == 3 && strcmp(argv[1], "-d") == 0)
        return dump(argv[2]);
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "-n") == 0 && i + 1 < argc)
            runs = strtol(argv[++i], NULL, 10);
        else if (strcmp(argv[i], "-s") == 0 && i + 1 < argc)
            state = strtoull(argv[++i], NULL, 10);
        else
            return run_file(argv[i]);
    }
    printf("seed=%llu\n", (unsigned long long)state);
    int seeds = 0;
    while (fuzz_seeds[seeds])
        seeds++;
    for (int i = 0; i < seeds; i++)
        LLVMFuzzerTestOneInput((const uint8_t *)fuzz_seeds[i], strlen(fuzz_seeds[i]));
    size_t cap = 1 << 16;
    char *text = xmalloc(cap);
    for (long run = 0; run < runs; run++) {
        const char *seed = fuzz_seeds[bits() % (unsigned)seeds];
        size_t len = strlen(seed);
        memcpy(text, seed, len);
        for (uint64_t left = 1 + bits() % 6; left; left--)
            len = change(text, len, cap);
        /* A copy of its own size, so that the sanitizer sees a byte too far. */
        uint8_t *exact = xmalloc(len + !len);
        memcpy(exact, text, len);
        LLVMFuzzerTestOneInput(exact, len);
        free(exact);
    }
    free(text);
    printf("%ld runs over %d seeds\n", runs, seeds);
    return 0;
}
