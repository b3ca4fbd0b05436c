#include "oracle.h"

#include <stdlib.h>

/* free_ns is a binary heap of the instants at which the servers are free. */
static void sink(int64_t *free_ns, int servers)
{
    int at = 0;
    for (;;) {
        int least = at;
        for (int child = 2 * at + 1; child <= 2 * at + 2 && child < servers; child++)
            if (free_ns[child] < free_ns[least])
                least = child;
        if (least == at)
            return;
        int64_t swap = free_ns[at];
        free_ns[at] = free_ns[least];
        free_ns[least] = swap;
        at = least;
    }
}

void oracle_starts(const int64_t *arrival_ns, const int64_t *job_ns, int64_t count,
                   int servers, int64_t *start_ns)
{
    int64_t *free_ns = calloc((size_t)servers, sizeof *free_ns);
    for (int64_t i = 0; i < count; i++) {
        start_ns[i] = arrival_ns[i] > free_ns[0] ? arrival_ns[i] : free_ns[0];
        free_ns[0] = start_ns[i] + job_ns[i];
        sink(free_ns, servers);
    }
    free(free_ns);
}
