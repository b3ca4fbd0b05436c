/* stack_pool.h - stacks carved from large mappings, the warmest reused first.
 *
 * Room:     src/fiber, low-level; private to it.
 * Callers:  fiber.c.
 * Knows nothing of: what runs on a stack; what is kept in its record.
 *
 * A slice is a stack and, above its top, a record (struct fiber): the words that a switch
 * reads lie beside the first frames, in the same page. A block is 256 slices, which at
 * 255 lines fill two huge pages: 100,000 stacks are some 400 mappings and as many guards, far
 * below vm.max_map_count (65,530), and the n-th slice is found without a table of them. A
 * slice's size is an odd number of cache lines, so the tops of neighbours fall into different
 * cache sets; with a power of two all would share one, and a switch among 1,000 fibers would
 * cost several times as much.
 *
 * Memory is never given back before stack_pool_release: a record may always be read. */
#ifndef JOBQ_FIBER_STACK_POOL_H
#define JOBQ_FIBER_STACK_POOL_H

#include <stdbool.h>
#include <stddef.h>

struct stack_block;

enum { STACK_POOL_SLICES = 256 }; /* a block */

struct stack_pool {
    char **first; /* by block: its first record */
    struct stack_block *block;
    size_t blocks;
    size_t used;              /* slices that were ever taken, in their order */
    struct stack_slice *free; /* given back, last in first out */
    size_t stack_bytes, record_bytes, stride;
    bool guard_each, paint, huge;
};

/* Stored in a free slice's record, over whatever the owner keeps behind this. */
struct stack_slice {
    struct stack_slice *next_free;
};

/* record_bytes is rounded up. No memory is taken yet. */
void stack_pool_init(struct stack_pool *pool, size_t stack_bytes, size_t record_bytes,
                     bool guard_each, bool paint, bool huge);
void stack_pool_release(struct stack_pool *pool);
/* A record; its stack lies below it, stack_bytes long, to the byte. The record starts
 * with a struct stack_slice, which is the owner's to use until the put; the rest of it is
 * as the last owner left it, zero at first. Out of memory aborts. */
void *stack_pool_take(struct stack_pool *pool);
void stack_pool_put(struct stack_pool *pool, void *record);
/* The record that was the index-th, from 0, to be taken for the first time. */
static inline void *stack_pool_at(const struct stack_pool *pool, size_t index)
{
    return pool->first[index / STACK_POOL_SLICES] +
           index % STACK_POOL_SLICES * pool->stride;
}
/* Low end of a record's stack. */
void *stack_pool_low(const struct stack_pool *pool, void *record);
/* The deepest use of any stack so far, in bytes; 0 without paint. */
size_t stack_pool_used_max(const struct stack_pool *pool);

#endif
