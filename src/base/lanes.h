/* lanes.h - many bytes of a string at once.
 *
 * Room:     src/base, a tool, low-level.
 * Callers:  whoever counts or reads characters in the simulator's inner loop.
 * Knows nothing of: what the bytes mean.
 *
 * Sixteen lanes are vectors of gcc and clang, which become SSE2 or NEON; eight lanes are one
 * word, the first byte of the string in the lowest. Inline, since a call would cost more
 * than what it does. */
#ifndef JOBQ_BASE_LANES_H
#define JOBQ_BASE_LANES_H

#include <stdint.h>
#include <string.h>

typedef uint8_t lanes16 __attribute__((vector_size(16)));

static inline lanes16 lanes16_load(const char *p)
{
    lanes16 v;
    memcpy(&v, p, 16);
    return v;
}

static inline uint64_t lanes8_order(uint64_t word)
{
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    word = __builtin_bswap64(word);
#endif
    return word;
}

static inline uint64_t lanes8_load(const char *p)
{
    uint64_t word;
    memcpy(&word, p, 8);
    return lanes8_order(word);
}

static inline void lanes8_store(char *p, uint64_t word)
{
    word = lanes8_order(word);
    memcpy(p, &word, 8);
}

/* The sum of sixteen lanes that hold at most 7 each. */
static inline int64_t lanes16_sum(lanes16 v)
{
    uint64_t half[2];
    memcpy(half, &v, 16);
    return (int64_t)((half[0] + half[1]) * UINT64_C(0x0101010101010101) >> 56);
}

/* A string of 8 to 16 bytes with zeros behind it. */
static inline lanes16 lanes16_short(const char *p, int64_t len)
{
    uint64_t half[2];
    half[0] = lanes8_load(p);
    half[1] = len > 8 ? lanes8_load(p + len - 8) >> (8 * (16 - len)) : 0;
    lanes16 v;
    half[0] = lanes8_order(half[0]);
    half[1] = lanes8_order(half[1]);
    memcpy(&v, half, 16);
    return v;
}

/* The last `count` (0..16) lanes all ones, the others zero: for the end of a string, which
 * is read together with bytes before it that have been counted. */
static inline lanes16 lanes16_last(int64_t count)
{
    static const char edge[32] =
        "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
        "\377\377\377\377\377\377\377\377\377\377\377\377\377\377\377\377";
    return lanes16_load(edge + count);
}

/* Eight lanes of five bits as one number, the first lane's bits the highest. */
static inline uint64_t lanes8_pack5(uint64_t digit)
{
    const uint64_t even = UINT64_C(0x00ff00ff00ff00ff);
    const uint64_t low = UINT64_C(0x0000ffff0000ffff);
    uint64_t pair = (digit & even) << 5 | (digit >> 8 & even);
    uint64_t four = (pair & low) << 10 | (pair >> 16 & low);
    return (four & UINT32_MAX) << 20 | four >> 32;
}

/* The same of four bits. */
static inline uint64_t lanes8_pack4(uint64_t digit)
{
    const uint64_t even = UINT64_C(0x00ff00ff00ff00ff);
    const uint64_t low = UINT64_C(0x0000ffff0000ffff);
    uint64_t pair = (digit & even) << 4 | (digit >> 8 & even);
    uint64_t four = (pair & low) << 8 | (pair >> 16 & low);
    return (four & UINT32_MAX) << 16 | four >> 32;
}

#endif
