/* dice.h - reproducible random streams.
 *
 * Room:     src/base, a tool.
 * Callers: worlds, tests, reports. Never models (they take u) nor the product (it asks
 * the dice port). Knows nothing of: what the numbers are for.
 *
 * xoshiro256++ 1.0 (Blackman and Vigna, "Scrambled linear pseudorandom number
 * generators", ACM TOMS 47(4), 2021), seeded by SplitMix64 over (seed, name), so that a
 * stream depends only on its seed and its name. Known answer: with the state {1,2,3,4}
 * the first outputs are 41943041, 58720359, 3588806011781223. */
#ifndef JOBQ_BASE_DICE_H
#define JOBQ_BASE_DICE_H

#include <stdint.h>

struct dice {
    uint64_t s[4];
};

/* The stream called name of this seed; index tells apart many of one name. */
void dice_init(struct dice *dice, uint64_t seed, const char *name, uint64_t index);

static inline uint64_t dice_bits(struct dice *dice)
{
    uint64_t *s = dice->s;
    uint64_t sum = s[0] + s[3];
    uint64_t result = ((sum << 23) | (sum >> 41)) + s[0];
    uint64_t t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = (s[3] << 45) | (s[3] >> 19);
    return result;
}

/* Uniform in the open interval (0,1): 52 random bits plus half a step. */
static inline double dice_u(struct dice *dice)
{
    return ((double)(dice_bits(dice) >> 12) + 0.5) * 0x1p-52;
}

/* Uniform in 0..n-1, n >= 1, with negligible bias (n << 2^64). */
uint64_t dice_below(struct dice *dice, uint64_t n);

#endif
