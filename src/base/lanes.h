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

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

typedef uint8_t lanes16 __attribute__((vector_size(16)));
typedef int8_t lanes16_signed __attribute__((vector_size(16)));

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

/* The sum of sixteen lanes. */
static inline int64_t lanes16_sum(lanes16 v)
{
#ifdef __SSE2__
    /* The one instruction that adds bytes; the vectors of the compilers do not have it. */
    __m128i halves = _mm_sad_epu8((__m128i)v, _mm_setzero_si128());
    return _mm_cvtsi128_si64(_mm_add_epi64(halves, _mm_unpackhi_epi64(halves, halves)));
#else
    const uint64_t even = UINT64_C(0x00ff00ff00ff00ff);
    uint64_t half[2];
    memcpy(half, &v, 16);
    uint64_t pairs = (half[0] & even) + (half[0] >> 8 & even) + (half[1] & even) +
                     (half[1] >> 8 & even);
    return (int64_t)(pairs * UINT64_C(0x0001000100010001) >> 48);
#endif
}

/* Is any bit of any lane set? */
static inline bool lanes16_any(lanes16 v)
{
    uint64_t half[2];
    memcpy(half, &v, 16);
    return (half[0] | half[1]) != 0;
}

/* All ones in the lanes that are low..high (high - low < 127), zero in the others. High is
 * moved to the largest signed number, so that one comparison tells both ends. */
static inline lanes16 lanes16_within(lanes16 v, uint8_t low, uint8_t high)
{
    lanes16_signed moved = (lanes16_signed)(v + (uint8_t)(127 - high));
    return (lanes16)(moved > (int8_t)(126 - (high - low)));
}

/* Two words side by side. In registers: a load that spans two stores would have to wait for
 * both. */
static inline lanes16 lanes16_of(uint64_t first, uint64_t second)
{
    typedef uint64_t halves __attribute__((vector_size(16)));
    return (lanes16)(halves){first, second};
}

/* The first eight lanes (which 0) or the last (1), the first of them the lowest. */
static inline uint64_t lanes16_half(lanes16 v, int which)
{
    typedef uint64_t halves __attribute__((vector_size(16)));
    return lanes8_order(((halves)v)[which]);
}

/* The first eight lanes of both in turn. */
static inline lanes16 lanes16_zip(lanes16 a, lanes16 b)
{
    return __builtin_shufflevector(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22,
                                   7, 23);
}

/* A string of 8 to 16 bytes with zeros behind it. */
static inline lanes16 lanes16_short(const char *p, int64_t len)
{
    uint64_t last = len > 8 ? lanes8_load(p + len - 8) >> (8 * (16 - len)) : 0;
    return lanes16_of(lanes8_order(lanes8_load(p)), lanes8_order(last));
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

/* The reverse of lanes8_pack5 for a number of 40 bits. */
static inline uint64_t lanes8_unpack5(uint64_t number)
{
    const uint64_t even = UINT64_C(0x00ff00ff00ff00ff);
    const uint64_t low = UINT64_C(0x0000ffff0000ffff);
    uint64_t four = number >> 20 | (number & 0xfffff) << 32;
    uint64_t pair = (four >> 10 & low) | (four & UINT64_C(0x000003ff000003ff)) << 16;
    return (pair >> 5 & even) | (pair & UINT64_C(0x001f001f001f001f)) << 8;
}

/* Are all of 4 to 8 bytes letters 'a' to 'z'? Most names are that. */
static inline bool lanes8_is_lower(const char *p, int64_t len)
{
    const uint64_t ones = UINT64_C(0x0101010101010101);
    uint32_t first, last;
    memcpy(&first, p, 4);
    memcpy(&last, p + len - 4, 4);
    /* Then every lane is below 26, and below 32 with 6 more. A borrow or a carry comes only
     * from a lane that fails by itself. */
    uint64_t from_a = ((uint64_t)last << 32 | first) - ones * 'a';
    return ((from_a | (from_a + ones * 6)) & ones * 0xe0) == 0;
}

#endif
