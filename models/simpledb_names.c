/* simpledb_names.c - strings to small numbers.
 *
 * Room:     models, the facts; internal to the SimpleDB model. */
#include "models/simpledb_row.h"

#include "base/text.h"
#include "base/wide.h"

#include <stdlib.h>

static inline uint64_t fold(uint64_t a, uint64_t b)
{
    wide_u128 product = (wide_u128)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static inline uint64_t load(const char *ptr, int64_t len)
{
    uint64_t word = 0;
    memcpy(&word, ptr, (size_t)len);
    return word;
}

/* Multiply and fold, 8 bytes a step, in the manner of wyhash (Wang Yi); the constants are
 * odd and otherwise arbitrary. Rows are ordered by it, so it must never change. */
uint64_t row_hash_bytes(const char *ptr, int64_t len)
{
    const uint64_t k0 = UINT64_C(0xa0761d6478bd642f), k1 = UINT64_C(0xe7037ed1a0b428db);
    uint64_t h = (uint64_t)len ^ k0;
    while (len > 8) {
        uint64_t word;
        memcpy(&word, ptr, 8);
        h = fold(word ^ k1, h);
        ptr += 8;
        len -= 8;
    }
    h = fold(load(ptr, len) ^ k1, h);
    return fold(h ^ k0, k1);
}

uint32_t row_hash(struct jobq_str name)
{
    uint32_t last = (unsigned char)name.ptr[name.len - 1];
    uint64_t h = row_hash_bytes(name.ptr, name.len - 1);
    h = fold(h ^ (last >> 3), UINT64_C(0x9e3779b97f4a7c15));
    return ((uint32_t)(h >> 32) & ~7u) | (last & 7u);
}

void names_init(struct names *names)
{
    *names = (struct names){0};
    arena_init(&names->arena, 0);
}

void names_release(struct names *names)
{
    free(names->str);
    free(names->hash);
    free(names->slot);
    arena_release(&names->arena);
}

void names_reset(struct names *names)
{
    names->count = 0;
    if (names->slot)
        memset(names->slot, 0, names->slots * sizeof *names->slot);
    arena_reset(&names->arena);
}

/* The slot that holds str, or the empty one where it belongs. */
static uint32_t names_probe(const struct names *names, struct jobq_str str, uint32_t hash)
{
    uint32_t mask = names->slots - 1;
    for (uint32_t at = hash & mask;; at = (at + 1) & mask) {
        int32_t id = names->slot[at] - 1;
        if (id < 0 || (names->hash[id] == hash && names->str[id].len == str.len &&
                       memcmp(names->str[id].ptr, str.ptr, (size_t)str.len) == 0))
            return at;
    }
}

int32_t names_find(const struct names *names, struct jobq_str str)
{
    if (names->count == 0)
        return -1;
    uint32_t hash = (uint32_t)row_hash_bytes(str.ptr, str.len);
    return names->slot[names_probe(names, str, hash)] - 1;
}

static void names_grow(struct names *names)
{
    names->slots = names->slots ? 2 * names->slots : 64;
    names->cap = (int32_t)(names->slots / 2);
    free(names->slot);
    names->slot = xcalloc(names->slots, sizeof *names->slot);
    names->str = xrealloc(names->str, (size_t)names->cap * sizeof *names->str);
    names->hash = xrealloc(names->hash, (size_t)names->cap * sizeof *names->hash);
    for (int32_t id = 0; id < names->count; id++)
        names->slot[names_probe(names, names->str[id], names->hash[id])] = id + 1;
}

int32_t names_intern(struct names *names, struct jobq_str str)
{
    if (names->count == names->cap)
        names_grow(names);
    uint32_t hash = (uint32_t)row_hash_bytes(str.ptr, str.len);
    uint32_t at = names_probe(names, str, hash);
    if (names->slot[at])
        return names->slot[at] - 1;
    int32_t id = names->count++;
    names->str[id] = arena_str(&names->arena, str);
    names->hash[id] = hash;
    names->slot[at] = id + 1;
    return id;
}

int64_t names_memory(const struct names *names)
{
    return (int64_t)(names->slots * sizeof *names->slot) +
           names->cap * (int64_t)(sizeof *names->str + sizeof *names->hash) +
           (int64_t)arena_used(&names->arena);
}
