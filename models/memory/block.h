/* block.h - memory for a model's items: blob.h's pieces by pointer, of any size.
 *
 * Room:     models, the facts; internal to the models of stores.
 * Callers:  the DynamoDB model.
 * Knows nothing of: what is in a block.
 *
 * A word before each block says which piece it is, so that no caller keeps its size. What is
 * larger than a piece can be comes from the heap. */
#ifndef JOBQ_MODELS_MEMORY_BLOCK_H
#define JOBQ_MODELS_MEMORY_BLOCK_H

#include "models/memory/blob.h"

#include <stddef.h>

/* Zero it to init. */
struct blocks {
    struct blobs blobs;
    int64_t large; /* blocks on the heap */
};

/* 8-byte aligned, not zeroed; good until it is given back, or all of them are. */
void *blocks_take(struct blocks *blocks, size_t bytes);
/* block NULL: nothing happens. */
void blocks_give(struct blocks *blocks, void *block);
/* Ends all blocks at once and keeps their memory for the next ones. None may be large. */
void blocks_reset(struct blocks *blocks);
/* The same, and returns the memory. */
void blocks_release(struct blocks *blocks);
int64_t blocks_memory(const struct blocks *blocks);

#endif
