#include "base/dice.h"

#include "base/hash.h"
#include "base/wide.h"

#include <assert.h>
#include <string.h>

static uint64_t dice_splitmix(uint64_t *state)
{
    uint64_t z = (*state += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

void dice_init(struct dice *dice, uint64_t seed, const char *name, uint64_t index)
{
    assert(dice && name);
    /* The name is folded in by FNV-1a, the index and the seed by SplitMix64 steps. */
    uint64_t hash = hash_add(HASH_START, name, strlen(name));
    uint64_t state = seed;
    state = dice_splitmix(&state) ^ hash;
    state = dice_splitmix(&state) ^ index;
    for (int i = 0; i < 4; i++)
        dice->s[i] = dice_splitmix(&state);
}

uint64_t dice_below(struct dice *dice, uint64_t n)
{
    assert(n > 0);
    return (uint64_t)(((wide_u128)dice_bits(dice) * n) >> 64);
}
