/* blob.h - memory for rows: many small pieces of changing size, named by 32 bits.
 *
 * Room:     models, the facts; internal to the models of stores.
 * Callers:  the rows of SimpleDB, block.h.
 * Knows nothing of: what is in a piece.
 *
 * Pieces are cut from 2 MiB chunks in units of 8 bytes (so 32 GiB in all, past which it
 * aborts) and go back to a free list of their size class, last in, first out: a row that is
 * rewritten finds the warm memory of the row rewritten before it. Classes are every 8
 * bytes up to 512 and 8 a doubling above. Chunks are never returned before release: a reset
 * makes them the next run's, because clearing new pages cost 17 % of a prototype's time. */
#ifndef JOBQ_MODELS_MEMORY_BLOB_H
#define JOBQ_MODELS_MEMORY_BLOB_H

#include <stdint.h>

enum {
    BLOB_UNIT = 8,
    BLOB_CHUNK_SHIFT = 18, /* units a chunk: 2 MiB */
    BLOB_CLASSES = 64 + 8 * 11,
    BLOB_BYTES_MAX = 1 << 20
};

struct blobs {
    char **chunk;
    int32_t chunk_count, chunk_cap;
    int32_t chunk_at;            /* the chunk being cut */
    uint32_t unit_at;            /* its next free unit */
    uint32_t free[BLOB_CLASSES]; /* heads; 0: none */
};

/* Zero it to init. */
void blobs_release(struct blobs *blobs);
void blobs_reset(struct blobs *blobs);
/* 1..BLOB_BYTES_MAX bytes, 8-byte aligned, not zeroed; never 0. */
uint32_t blobs_alloc(struct blobs *blobs, uint32_t bytes);
/* bytes: as it was allocated. */
void blobs_free(struct blobs *blobs, uint32_t blob, uint32_t bytes);
int64_t blobs_memory(const struct blobs *blobs);

static inline char *blobs_at(const struct blobs *blobs, uint32_t blob)
{
    return blobs->chunk[blob >> BLOB_CHUNK_SHIFT] +
           (blob & ((1u << BLOB_CHUNK_SHIFT) - 1)) * (uint32_t)BLOB_UNIT;
}

#endif
