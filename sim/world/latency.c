/* latency.c - a table of a latency's quantiles. See latency.h.
 *
 * Room:     sim; see world.h. */
#include "sim/world/latency.h"

#define TABLE_LOW (1.0 / 64.0)
#define TABLE_HIGH (63.0 / 64.0)

void latency_compile(const struct distribution *from, struct latency *out)
{
    out->zero = from->kind == DISTRIBUTION_CONSTANT && from->a <= 0;
    out->exact = *from;
    for (int i = 0; i <= LATENCY_KNOTS; i++) {
        /* The outermost knots lie outside what is looked up; u must not be 0 or 1. */
        double u = i == 0               ? 0.5 / LATENCY_KNOTS
                   : i == LATENCY_KNOTS ? 1.0 - 0.5 / LATENCY_KNOTS
                                        : (double)i / LATENCY_KNOTS;
        out->knot[i] = (float)distribution_value(from, u);
    }
}

int64_t latency_ns(const struct latency *latency, double u)
{
    if (latency->zero)
        return 0;
    if (!(u >= TABLE_LOW && u <= TABLE_HIGH))
        return distribution_ns(&latency->exact, u);
    double at = u * LATENCY_KNOTS;
    int i = (int)at;
    double low = (double)latency->knot[i], high = (double)latency->knot[i + 1];
    return (int64_t)(low + (at - i) * (high - low) + 0.5);
}
