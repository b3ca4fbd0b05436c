#include "models/memory/block.h"

#include "base/arena.h"

#include <assert.h>
#include <stdlib.h>

/* Before each block. */
struct block_head {
    uint32_t blob; /* 0: it is on the heap */
    uint32_t bytes;
};

void *blocks_take(struct blocks *blocks, size_t bytes)
{
    bytes += sizeof(struct block_head);
    struct block_head *head;
    if (bytes <= BLOB_BYTES_MAX - BLOB_UNIT * 64) {
        uint32_t blob = blobs_alloc(&blocks->blobs, (uint32_t)bytes);
        head = (struct block_head *)(void *)blobs_at(&blocks->blobs, blob);
        *head = (struct block_head){blob, (uint32_t)bytes};
    } else {
        head = xmalloc(bytes);
        *head = (struct block_head){0, 0};
        blocks->large++;
    }
    return head + 1;
}

void blocks_give(struct blocks *blocks, void *block)
{
    if (!block)
        return;
    struct block_head *head = (struct block_head *)block - 1;
    if (head->blob) {
        blobs_free(&blocks->blobs, head->blob, head->bytes);
        return;
    }
    blocks->large--;
    free(head);
}

void blocks_reset(struct blocks *blocks)
{
    assert(blocks->large == 0);
    blobs_reset(&blocks->blobs);
}

void blocks_release(struct blocks *blocks)
{
    assert(blocks->large == 0);
    blobs_release(&blocks->blobs);
}

int64_t blocks_memory(const struct blocks *blocks)
{
    return blobs_memory(&blocks->blobs);
}
