/* seed.h - which seeds a random test plays: those that it names, or the one of the
 * environment's SEED. Says which, so that a failure can be repeated.
 *
 * Room:     tests. */
#ifndef JOBQ_TESTS_SEED_H
#define JOBQ_TESTS_SEED_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

struct seeds {
    uint64_t from, to; /* to: the first that is not played */
};

static inline struct seeds seeds_of(uint64_t from, uint64_t to)
{
    const char *text = getenv("SEED");
    if (text && text[0]) {
        from = strtoull(text, NULL, 10);
        to = from + 1;
    }
    printf("seed=%llu%s\n", (unsigned long long)from, to == from + 1 ? "" : " and on");
    return (struct seeds){from, to};
}

#endif
