#include "fiber/stack_pool.h"

#include "fiber/sanitize.h"

#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { LINE = 64, FIRST_SLICES = 16, SLICES_MAX = 1024, PAINT = 0xa5 };

struct stack_block {
    struct stack_block *next;
    char *map;
    size_t map_bytes;
    char *first; /* slice */
    size_t slices;
    unsigned *checker_id; /* one a slice, for valgrind */
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
                     bool guard_each, bool paint)
{
    assert(stack_bytes >= 4096 && stack_bytes % LINE == 0);
    size_t record = round_up(record_bytes, LINE);
    if ((stack_bytes + record) / LINE % 2 == 0)
        record += LINE;
    *pool = (struct stack_pool){.stack_bytes = stack_bytes,
                                .record_bytes = record,
                                .stride = stack_bytes + record,
                                .block_slices = FIRST_SLICES,
                                .guard_each = guard_each,
                                .paint = paint};
    if (guard_each)
        pool->stride = page_bytes() + round_up(stack_bytes + record, page_bytes());
}

static void out_of_stacks(size_t bytes)
{
    fprintf(stderr, "jobq: out of memory for %zu bytes of stacks\n", bytes);
    abort();
}

/* With guard_each the slice's first page is its guard and the rest is padded to pages,
 * the padding being below the stack. */
static char *record_of(const struct stack_pool *pool, char *slice)
{
    return slice + pool->stride - pool->record_bytes;
}

static void add_block(struct stack_pool *pool)
{
    size_t page = page_bytes();
    size_t slices = pool->block_slices;
    if (pool->block_slices < SLICES_MAX)
        pool->block_slices *= 2;
    struct stack_block *b = calloc(1, sizeof *b);
    size_t bytes = page + round_up(slices * pool->stride, page);
    char *map = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (!b || map == MAP_FAILED || mprotect(map, page, PROT_NONE) != 0) {
        out_of_stacks(bytes);
        return;
    }
    *b = (struct stack_block){.next = pool->block,
                              .map = map,
                              .map_bytes = bytes,
                              .first = map + page,
                              .slices = slices,
                              .checker_id = calloc(slices, sizeof *b->checker_id)};
    if (!b->checker_id)
        out_of_stacks(bytes);
    pool->block = b;
    pool->next = b->first;
    pool->end = b->first + slices * pool->stride;
    for (size_t i = 0; i < slices; i++) {
        char *slice = b->first + i * pool->stride;
        if (pool->guard_each && mprotect(slice, page, PROT_NONE) != 0)
            out_of_stacks(bytes);
        char *record = record_of(pool, slice);
        if (pool->paint)
            memset(record - pool->stack_bytes, PAINT, pool->stack_bytes);
        b->checker_id[i] =
            sanitize_register_stack(record - pool->stack_bytes, pool->stack_bytes);
    }
    sanitize_mapped(b->first, slices * pool->stride);
}

void *stack_pool_take(struct stack_pool *pool)
{
    struct stack_slice *slice = pool->free;
    if (slice) {
        pool->free = slice->next_free;
    } else {
        if (pool->next == pool->end)
            add_block(pool);
        slice = (struct stack_slice *)(void *)record_of(pool, pool->next);
        pool->next += pool->stride;
    }
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
    for (const struct stack_block *b = pool->block; b; b = b->next)
        for (size_t i = 0; i < b->slices; i++) {
            const char *top = record_of(pool, b->first + i * pool->stride);
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
    for (struct stack_block *b = pool->block; b;) {
        struct stack_block *next = b->next;
        for (size_t i = 0; i < b->slices; i++)
            sanitize_deregister_stack(b->checker_id[i]);
        sanitize_unmapped(b->first, b->slices * pool->stride);
        munmap(b->map, b->map_bytes);
        free(b->checker_id);
        free(b);
        b = next;
    }
    pool->block = NULL;
    pool->free = NULL;
    pool->next = pool->end = NULL;
}
