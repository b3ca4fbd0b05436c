/* hash.h - FNV-1a, 64 bits: a hash of bytes that is the same on every machine.
 *
 * Room:     src/base, a tool.
 * Callers:  anyone who needs a fingerprint or a table of strings; not for secrets.
 *
 * Source: Fowler, Noll, Vo, http://www.isthe.com/chongo/tech/comp/fnv/.
 * Known answer: of "a", 0xaf63dc4c8601ec8c. */
#ifndef JOBQ_BASE_HASH_H
#define JOBQ_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

#define HASH_START UINT64_C(0xcbf29ce484222325)

/* Adds len bytes to a hash; begin with HASH_START. */
static inline uint64_t hash_add(uint64_t hash, const void *bytes, size_t len)
{
    const unsigned char *p = bytes;
    for (size_t i = 0; i < len; i++)
        hash = (hash ^ p[i]) * UINT64_C(0x100000001b3);
    return hash;
}

#endif
