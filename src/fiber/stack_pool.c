/* madvise is not POSIX. */
#define _DEFAULT_SOURCE

#include "fiber/stack_pool.h"

#include "fiber/sanitize.h"

#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { LINE = 64, PAINT = 0xa5, HUGE_PAGE = 2 << 20 };

struct stack_block {
    char *map;
    size_t map_bytes;
    unsigned checker_id[STACK_POOL_SLICES]; /* for valgrind */
};

static size_t page_bytes(void)
{
    return (size_t)sysconf(_SC_PAGESIZE);
}

static size_t round_up(size_t n, size_t to)
{
    return (n + to - 1) / to * to;
}

void stack_pool_init(struct stack_pool *pool, size_t stack_bytes, size_t record_bytes,
                     bool guard_each, bool paint, bool huge)
{
    assert(stack_bytes >= 4096 && stack_bytes % LINE == 0);
    size_t record = round_up(record_bytes, LINE);
    if ((stack_bytes + record) / LINE % 2 == 0)
        record += LINE;
    *pool = (struct stack_pool){.stack_bytes = stack_bytes,
                                .record_bytes = record,
                                .stride = stack_bytes + record,
                                .guard_each = guard_each,
                                .paint = paint,
                                .huge = huge && !guard_each};
    if (guard_each)
        pool->stride = page_bytes() + round_up(stack_bytes + record, page_bytes());
}

static void out_of_stacks(size_t bytes)
{
    fprintf(stderr, "jobq: out of memory for %zu bytes of stacks\n", bytes);
    abort();
}

static size_t block_bytes(const struct stack_pool *pool)
{
    return round_up(STACK_POOL_SLICES * pool->stride, page_bytes());
}

static void *grow(void *array, size_t bytes)
{
    void *grown = realloc(array, bytes);
    if (!grown)
        out_of_stacks(bytes);
    return grown;
}

static void add_block(struct stack_pool *pool)
{
    /* The first block is left as it is: a small world does not need 4 MiB of memory. */
    bool huge = pool->huge && pool->blocks > 0;
    size_t page = page_bytes(), align = huge ? HUGE_PAGE : page;
    size_t bytes = align + block_bytes(pool), count = pool->blocks + 1;
    char *map = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (map == MAP_FAILED)
        out_of_stacks(bytes);
    char *first = map + align - (uintptr_t)map % align;
    if (mprotect(first - page, page, PROT_NONE) != 0)
        out_of_stacks(bytes);
#ifdef MADV_HUGEPAGE
    if (huge)
        (void)madvise(first, block_bytes(pool), MADV_HUGEPAGE); /* a wish */
#endif
    if ((pool->blocks & count) == 0) { /* count is a power of two */
        pool->first = grow(pool->first, 2 * count * sizeof *pool->first);
        pool->block = grow(pool->block, 2 * count * sizeof *pool->block);
    }
    pool->first[pool->blocks] = first + pool->stride - pool->record_bytes;
    pool->block[pool->blocks].map = map;
    pool->block[pool->blocks].map_bytes = bytes;
    pool->blocks = count;
    sanitize_mapped(first, block_bytes(pool));
}

/* A slice that was never used. With guard_each its first page is its guard and the rest is
 * padded to pages, the padding being below the stack. */
static void *take_fresh(struct stack_pool *pool)
{
    size_t index = pool->used++, block = index / STACK_POOL_SLICES;
    if (block == pool->blocks)
        add_block(pool);
    char *record = stack_pool_at(pool, index), *low = record - pool->stack_bytes;
    if (pool->guard_each && mprotect(record + pool->record_bytes - pool->stride,
                                     page_bytes(), PROT_NONE) != 0)
        out_of_stacks(pool->stride);
    if (pool->paint)
        memset(low, PAINT, pool->stack_bytes);
    pool->block[block].checker_id[index % STACK_POOL_SLICES] =
        sanitize_register_stack(low, pool->stack_bytes);
    return record;
}

void *stack_pool_take(struct stack_pool *pool)
{
    struct stack_slice *slice = pool->free;
    if (slice)
        pool->free = slice->next_free;
    else
        slice = take_fresh(pool);
    sanitize_fresh(stack_pool_low(pool, slice), pool->stack_bytes);
    return slice;
}

void stack_pool_put(struct stack_pool *pool, void *record)
{
    struct stack_slice *slice = record;
    slice->next_free = pool->free;
    pool->free = slice;
}

void *stack_pool_low(const struct stack_pool *pool, void *record)
{
    return (char *)record - pool->stack_bytes;
}

FIBER_NO_ASAN size_t stack_pool_used_max(const struct stack_pool *pool)
{
    size_t most = 0;
    if (!pool->paint)
        return 0;
    for (size_t i = 0; i < pool->used; i++) {
        const char *top = stack_pool_at(pool, i);
        const char *p = top - pool->stack_bytes;
        sanitize_look(p, pool->stack_bytes);
        while (p < top && (unsigned char)*p == PAINT)
            p++;
        size_t used = (size_t)(top - p);
        if (used > most)
            most = used;
    }
    return most;
}

void stack_pool_release(struct stack_pool *pool)
{
    for (size_t i = 0; i < pool->used; i++) {
        const struct stack_block *b = &pool->block[i / STACK_POOL_SLICES];
        sanitize_deregister_stack(b->checker_id[i % STACK_POOL_SLICES]);
    }
    for (size_t i = 0; i < pool->blocks; i++) {
        sanitize_unmapped(pool->first[i] + pool->record_bytes - pool->stride,
                          block_bytes(pool));
        munmap(pool->block[i].map, pool->block[i].map_bytes);
    }
    free(pool->first);
    free(pool->block);
    pool->first = NULL;
    pool->block = NULL;
    pool->blocks = pool->used = 0;
    pool->free = NULL;
}
