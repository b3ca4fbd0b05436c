/* zigexp.h - exponential draws at two nanoseconds each, for benches only.
 *
 * Room:     tests/bench.
 * Callers:  the kernel bench, on both sides of its comparison.
 *
 * Marsaglia and Tsang, "The Ziggurat Method for Generating Random Variables", Journal of
 * Statistical Software 5(8), 2000, with 56-bit numbers: 256 layers of area
 * v = 3.949659822581572e-3, the lowest one's right end at r = 7.69711747013104972. The
 * product draws by inversion (base/dice.h), which keeps common random numbers; a bench of
 * the kernel would then mostly measure log(). Known answer: mean 1, variance 1 (checked by
 * the bench before it starts). */
#ifndef JOBQ_BENCH_ZIGEXP_H
#define JOBQ_BENCH_ZIGEXP_H

#include "base/dice.h"

#include <math.h>

#define ZIGEXP_R 7.69711747013104972

struct zigexp {
    double width[256];    /* a layer's right end x, times 2^-56 */
    uint64_t inside[256]; /* draws below it need no second look */
    double density[256];  /* exp(-x) */
};

static inline void zigexp_init(struct zigexp *z)
{
    const double v = 3.949659822581572e-3, scale = 0x1p56;
    double x = ZIGEXP_R, q = v / exp(-x), right = x;
    z->inside[0] = (uint64_t)(x / q * scale);
    z->inside[1] = 0;
    z->width[0] = q / scale;
    z->width[255] = x / scale;
    z->density[0] = 1;
    z->density[255] = exp(-x);
    for (int i = 254; i >= 1; i--) {
        x = -log(v / x + exp(-x));
        z->inside[i + 1] = (uint64_t)(x / right * scale);
        z->width[i] = x / scale;
        z->density[i] = exp(-x);
        right = x;
    }
}

/* One draw in a hundred. The stream is passed and given back by value, so that it can stay
 * in registers on the fast path: by pointer a draw took 6.6 ns instead of 2. */
struct zigexp_draw {
    struct dice dice;
    double x;
};
static __attribute__((noinline)) struct zigexp_draw
zigexp_slow(const struct zigexp *z, struct dice dice, uint64_t bits)
{
    for (;;) {
        unsigned layer = bits & 255;
        double x = (double)(bits >> 8) * z->width[layer];
        if ((bits >> 8) < z->inside[layer])
            return (struct zigexp_draw){dice, x};
        if (layer == 0)
            return (struct zigexp_draw){dice, ZIGEXP_R - log(dice_u(&dice))};
        double low = z->density[layer], high = z->density[layer - 1];
        if (low + dice_u(&dice) * (high - low) < exp(-x))
            return (struct zigexp_draw){dice, x};
        bits = dice_bits(&dice);
    }
}

/* Mean 1. */
static inline double zigexp(const struct zigexp *z, struct dice *dice)
{
    uint64_t bits = dice_bits(dice);
    unsigned layer = bits & 255;
    if (__builtin_expect((bits >> 8) < z->inside[layer], 1))
        return (double)(bits >> 8) * z->width[layer];
    struct zigexp_draw slow = zigexp_slow(z, *dice, bits);
    *dice = slow.dice;
    return slow.x;
}

#endif
