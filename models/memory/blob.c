#include "models/memory/blob.h"

#include "base/arena.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CHUNK_UNITS = 1 << BLOB_CHUNK_SHIFT, CHUNK_COUNT_MAX = 1 << 14 };

/* The size class; pieces of one class may hold each other's contents. */
static int blobs_class(uint32_t bytes)
{
    if (bytes <= 512)
        return (int)((bytes + 7) / 8) - 1;
    /* 2^k < bytes <= 2^(k+1), in eighths of 2^k above 2^k. */
    int k = 31 - __builtin_clz(bytes - 1);
    uint32_t eighth = (bytes - 1 - (1u << k)) >> (k - 3);
    return 64 + (k - 9) * 8 + (int)eighth;
}

static uint32_t class_units(int class)
{
    if (class < 64)
        return (uint32_t) class + 1;
    int k = 9 + (class - 64) / 8;
    uint32_t eighth = (uint32_t)(class - 64) % 8;
    return ((1u << k) + ((eighth + 1) << (k - 3))) / BLOB_UNIT;
}

void blobs_release(struct blobs *blobs)
{
    for (int32_t i = 0; i < blobs->chunk_count; i++)
        free(blobs->chunk[i]);
    free(blobs->chunk);
    *blobs = (struct blobs){0};
}

void blobs_reset(struct blobs *blobs)
{
    memset(blobs->free, 0, sizeof blobs->free);
    blobs->chunk_at = 0;
    blobs->unit_at = 1; /* unit 0 of chunk 0 is never given: 0 means none */
}

static void next_chunk(struct blobs *blobs)
{
    if (blobs->chunk_count == 0) {
        blobs->chunk_at = 0;
        blobs->unit_at = 1;
    } else {
        blobs->chunk_at++;
        blobs->unit_at = 0;
    }
    if (blobs->chunk_at < blobs->chunk_count)
        return;
    if (blobs->chunk_count == CHUNK_COUNT_MAX) {
        fprintf(stderr, "jobq: rows of a model exceed 32 GiB\n");
        abort();
    }
    if (blobs->chunk_count == blobs->chunk_cap) {
        blobs->chunk_cap = blobs->chunk_cap ? 2 * blobs->chunk_cap : 8;
        blobs->chunk =
            xrealloc(blobs->chunk, (size_t)blobs->chunk_cap * sizeof *blobs->chunk);
    }
    /* The first one by ordinary pages, which a small world does not use up. */
    size_t bytes = (size_t)CHUNK_UNITS * BLOB_UNIT;
    blobs->chunk[blobs->chunk_count] =
        blobs->chunk_count == 0 ? xmalloc(bytes) : xmalloc_huge(bytes);
    blobs->chunk_count++;
}

uint32_t blobs_alloc(struct blobs *blobs, uint32_t bytes)
{
    assert(bytes > 0 && bytes <= BLOB_BYTES_MAX - BLOB_UNIT * 64);
    int class = blobs_class(bytes);
    uint32_t blob = blobs->free[class];
    if (blob) {
        memcpy(&blobs->free[class], blobs_at(blobs, blob), sizeof blob);
        return blob;
    }
    uint32_t units = class_units(class);
    if (blobs->chunk_count == 0 || blobs->unit_at + units > CHUNK_UNITS)
        next_chunk(blobs);
    blob = ((uint32_t)blobs->chunk_at << BLOB_CHUNK_SHIFT) | blobs->unit_at;
    blobs->unit_at += units;
    return blob;
}

void blobs_free(struct blobs *blobs, uint32_t blob, uint32_t bytes)
{
    int class = blobs_class(bytes);
    memcpy(blobs_at(blobs, blob), &blobs->free[class], sizeof blob);
    blobs->free[class] = blob;
}

int64_t blobs_memory(const struct blobs *blobs)
{
    return (int64_t)blobs->chunk_count * CHUNK_UNITS * BLOB_UNIT +
           (int64_t)blobs->chunk_cap * (int64_t)sizeof *blobs->chunk;
}
