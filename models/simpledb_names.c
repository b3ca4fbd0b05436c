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

/* Up to 8 bytes as a number; different bytes of one length give different numbers. */
static inline uint64_t load(const char *ptr, int64_t len)
{
    if (len >= 4) {
        uint32_t low, high;
        memcpy(&low, ptr, 4);
        memcpy(&high, ptr + len - 4, 4);
        return low | (uint64_t)high << 32;
    }
    if (len >= 2) {
        uint16_t low, high;
        memcpy(&low, ptr, 2);
        memcpy(&high, ptr + len - 2, 2);
        return low | (uint64_t)high << 16;
    }
    return len ? (unsigned char)*ptr : 0;
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
        h = fold(word ^ k1, h);
        ptr += 8;
        len -= 8;
    }
    return fold(load(ptr, len) ^ k1, h);
}

uint64_t row_hash_bytes(const char *ptr, int64_t len)
{
    return fold(mix_bytes((uint64_t)len ^ k0, ptr, len) ^ k0, k1);
}

uint32_t row_hash(const struct row_domain *domain, struct jobq_str name)
{
    int64_t behind = name.len > domain->tail ? domain->tail : 0;
    const char *count = name.ptr + name.len - 1 - behind;
    uint32_t digit = (unsigned char)*count;
    uint64_t h = mix_bytes((uint64_t)name.len ^ k0, name.ptr, count - name.ptr);
    if (behind)
        h = mix_bytes(h ^ k0, count + 1, behind);
    h = fold(h ^ (digit >> 3), k1);
    return ((uint32_t)(h >> 32) & ~7u) | (digit & 7u);
}

void names_init(struct names *names)
{
    *names = (struct names){0};
    arena_init(&names->arena, 0);
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
    if (names->slot)
        memset(names->slot, 0, names->slots * sizeof *names->slot);
    arena_reset(&names->arena);
}

/* What stands for a name: all of a short one, else its hash. */
static inline uint64_t name_word(struct jobq_str str)
{
    return str.len <= 8 ? load(str.ptr, str.len) : row_hash_bytes(str.ptr, str.len);
}

/* The slot that holds str, or the empty one where it belongs. */
static inline __attribute__((always_inline)) struct name_slot *
names_probe(const struct names *names, struct jobq_str str, uint64_t word)
{
    uint32_t mask = names->slots - 1;
    uint64_t spread = (word + (uint64_t)str.len) * UINT64_C(0x9e3779b97f4a7c15);
    /* The highest bits, which depend on all of the word. */
    for (uint32_t at = (uint32_t)((spread >> 32) * names->slots >> 32);;
         at = (at + 1) & mask) {
        struct name_slot *slot = &names->slot[at];
        if (slot->id == 0)
            return slot;
        if (slot->word == word && slot->len == str.len &&
            (str.len <= 8 ||
             memcmp(names->str[slot->id - 1].ptr, str.ptr, (size_t)str.len) == 0))
            return slot;
    }
}

int32_t names_find(const struct names *names, struct jobq_str str)
{
    if (names->count == 0)
        return -1;
    return names_probe(names, str, name_word(str))->id - 1;
}

static void names_grow(struct names *names)
{
    names->slots = names->slots ? 2 * names->slots : 256;
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

/* Apart from names_intern, so that a short name that is known costs no more than it must. */
static __attribute__((noinline)) int32_t names_add(struct names *names,
                                                   struct jobq_str str)
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

int32_t names_intern(struct names *names, struct jobq_str str)
{
    if (str.len > 8 || names->slots == 0)
        return names_add(names, str);
    uint64_t word = load(str.ptr, str.len);
    int32_t id = names_probe(names, str, word)->id;
    return id ? id - 1 : names_add(names, str);
}

int64_t names_memory(const struct names *names)
{
    return (int64_t)(names->slots * sizeof *names->slot) +
           names->cap * (int64_t)sizeof *names->str + (int64_t)arena_used(&names->arena);
}
