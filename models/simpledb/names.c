/* names.c - strings to small numbers.
 *
 * Room:     models, the facts; internal to the SimpleDB model. */
#include "models/simpledb/row.h"

#include "base/text.h"
#include "base/wide.h"

#include <stdlib.h>

static inline uint64_t names_fold(uint64_t a, uint64_t b)
{
    wide_u128 product = (wide_u128)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/* Multiply and fold, 8 bytes a step, in the manner of wyhash (Wang Yi); the constants are
 * odd and otherwise arbitrary. Rows are ordered by it and tokens carry it: a change makes
 * old tokens invalid. */
static const uint64_t k0 = UINT64_C(0xa0761d6478bd642f);
static const uint64_t k1 = UINT64_C(0xe7037ed1a0b428db);

static inline uint64_t mix_bytes(uint64_t h, const char *ptr, int64_t len)
{
    while (len > 8) {
        uint64_t word;
        memcpy(&word, ptr, 8);
        h = names_fold(word ^ k1, h);
        ptr += 8;
        len -= 8;
    }
    return names_fold(row_word(ptr, len) ^ k1, h);
}

uint64_t row_hash_bytes(const char *ptr, int64_t len)
{
    return names_fold(mix_bytes((uint64_t)len ^ k0, ptr, len) ^ k0, k1);
}

uint32_t row_hash(const struct row_domain *domain, struct jobq_str name)
{
    int64_t behind = name.len > domain->tail ? domain->tail : 0;
    const char *count = name.ptr + name.len - 1 - behind;
    uint32_t digit = (unsigned char)*count;
    uint64_t h = mix_bytes((uint64_t)name.len ^ k0, name.ptr, count - name.ptr);
    if (behind)
        h = mix_bytes(h ^ k0, count + 1, behind);
    h = names_fold(h ^ (digit >> 3), k1);
    return ((uint32_t)(h >> 32) & ~7u) | (digit & 7u);
}

/* What stands for a name: all of a short one, else its hash. */
static inline uint64_t name_word(struct jobq_str str)
{
    return str.len <= 8 ? row_word(str.ptr, str.len) : row_hash_bytes(str.ptr, str.len);
}

/* The slot that holds str, or the empty one where it belongs. */
static inline __attribute__((always_inline)) struct name_slot *
names_probe(const struct names *names, struct jobq_str str, uint64_t word)
{
    uint32_t mask = names->slots - 1;
    for (uint32_t at = names_home(names, word, str.len);; at = (at + 1) & mask) {
        struct name_slot *slot = &names->slot[at];
        if (slot->id == 0)
            return slot;
        if (slot->word == word && slot->len == str.len &&
            (str.len <= 8 ||
             memcmp(names->str[slot->id - 1].ptr, str.ptr, (size_t)str.len) == 0))
            return slot;
    }
}

static void names_grow(struct names *names)
{
    names->slots = names->slots ? 2 * names->slots : 256;
    names->shift = (uint32_t)__builtin_clzll(names->slots) + 1;
    names->cap = (int32_t)(names->slots / 2);
    free(names->slot);
    names->slot = xcalloc(names->slots, sizeof *names->slot);
    names->str = xrealloc(names->str, (size_t)names->cap * sizeof *names->str);
    for (int32_t id = 0; id < names->count; id++) {
        struct jobq_str str = names->str[id];
        uint64_t word = name_word(str);
        *names_probe(names, str, word) =
            (struct name_slot){word, (int32_t)str.len, id + 1};
    }
}

void names_init(struct names *names)
{
    *names = (struct names){0};
    arena_init(&names->arena, 0);
    names_grow(names);
}

void names_release(struct names *names)
{
    free(names->str);
    free(names->slot);
    arena_release(&names->arena);
}

void names_reset(struct names *names)
{
    names->count = 0;
    memset(names->slot, 0, names->slots * sizeof *names->slot);
    arena_reset(&names->arena);
}

int32_t names_find(const struct names *names, struct jobq_str str)
{
    return names_probe(names, str, name_word(str))->id - 1;
}

int32_t names_intern(struct names *names, struct jobq_str str)
{
    if (names->count == names->cap)
        names_grow(names);
    uint64_t word = name_word(str);
    struct name_slot *slot = names_probe(names, str, word);
    if (slot->id)
        return slot->id - 1;
    int32_t id = names->count++;
    names->str[id] = arena_str(&names->arena, str);
    *slot = (struct name_slot){word, (int32_t)str.len, id + 1};
    return id;
}

int64_t names_memory(const struct names *names)
{
    return (int64_t)(names->slots * sizeof *names->slot) +
           names->cap * (int64_t)sizeof *names->str + (int64_t)arena_used(&names->arena);
}
