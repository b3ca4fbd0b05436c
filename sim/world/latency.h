/* latency.h - how long a call of a service takes, drawn once or twice for every call of a run.
 *
 * Room:     sim, the virtual-time world.
 * Callers:  world.
 * Knows nothing of: which call it is.
 * Units:    nanoseconds.
 *
 * A table, for speed: drawn exactly, by an exp and a rational function a call, a simulated job
 * costs an eighth to a quarter more (tests/bench/README.md). Straight lines between
 * 1,024 exact points for u in [1/64, 63/64], the exact function outside. For a lognormal
 * whose 99th percentile is ten medians the relative error is below 3e-4. 4 KiB; built once
 * and shared. */
#ifndef JOBQ_SIM_WORLD_LATENCY_H
#define JOBQ_SIM_WORLD_LATENCY_H

#include "base/distribution.h"

enum { LATENCY_KNOTS = 1024 };

struct latency {
    bool zero; /* always 0: the call is applied at once */
    struct distribution exact;
    float knot[LATENCY_KNOTS + 1];
};

void latency_compile(const struct distribution *from, struct latency *out);
/* u in (0,1), ends excluded. */
int64_t latency_ns(const struct latency *latency, double u);

#endif
