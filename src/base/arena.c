/* madvise is not POSIX. */
#define _DEFAULT_SOURCE

#include "base/arena.h"

#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { FIRST_BYTES = 4096, ALIGN = 16, GROW_MAX = 1 << 20 };

struct arena_block {
    struct arena_block *next;
    size_t bytes; /* usable, behind this header */
    _Alignas(ALIGN) char data[];
};

static _Noreturn void out_of_memory(size_t bytes)
{
    fprintf(stderr, "jobq: out of memory for %zu bytes\n", bytes);
    abort();
}

void *xmalloc(size_t bytes)
{
    void *p = malloc(bytes ? bytes : 1);
    if (!p)
        out_of_memory(bytes);
    return p;
}

void *xcalloc(size_t count, size_t bytes)
{
    void *p = calloc(count ? count : 1, bytes ? bytes : 1);
    if (!p)
        out_of_memory(bytes);
    return p;
}

void *xrealloc(void *old, size_t bytes)
{
    void *p = realloc(old, bytes ? bytes : 1);
    if (!p)
        out_of_memory(bytes);
    return p;
}

char *xstrdup(const char *text)
{
    size_t bytes = strlen(text) + 1;
    return memcpy(xmalloc(bytes), text, bytes);
}

enum { HUGE_PAGE = 2 << 20 };

void *xmalloc_huge(size_t bytes)
{
    if (bytes < HUGE_PAGE)
        return xmalloc(bytes);
    bytes = (bytes + HUGE_PAGE - 1) & ~(size_t)(HUGE_PAGE - 1);
    void *p = aligned_alloc(HUGE_PAGE, bytes);
    if (!p)
        out_of_memory(bytes);
#ifdef MADV_HUGEPAGE
    (void)madvise(p, bytes, MADV_HUGEPAGE); /* only a hint: nothing depends on it */
#endif
    return p;
}

void *xgrow_huge(void *old, size_t old_bytes, size_t new_bytes)
{
    void *p = xmalloc_huge(new_bytes);
    if (old_bytes)
        memcpy(p, old, old_bytes);
    free(old);
    return p;
}

void arena_init(struct arena *arena, size_t first_bytes)
{
    *arena = (struct arena){.next_bytes = first_bytes ? first_bytes : FIRST_BYTES};
}

void arena_init_within(struct arena *arena, struct arena *parent, size_t first_bytes)
{
    arena_init(arena, first_bytes);
    arena->parent = parent;
}

static void drop_block(const struct arena *arena, struct arena_block *block)
{
    if (!arena->parent)
        free(block);
}

void arena_release(struct arena *arena)
{
    for (struct arena_block *b = arena->block; b;) {
        struct arena_block *next = b->next;
        drop_block(arena, b);
        b = next;
    }
    arena->block = NULL;
    arena->at = arena->end = NULL;
}

void arena_reset(struct arena *arena)
{
    struct arena_block *keep = NULL;
    for (struct arena_block *b = arena->block; b;) {
        struct arena_block *next = b->next;
        if (!keep || b->bytes > keep->bytes) {
            if (keep)
                drop_block(arena, keep);
            keep = b;
        } else {
            drop_block(arena, b);
        }
        b = next;
    }
    arena->block = keep;
    if (keep) {
        keep->next = NULL;
        arena->at = keep->data;
        arena->end = keep->data + keep->bytes;
    }
}

static void arena_grow(struct arena *arena, size_t bytes)
{
    size_t want = arena->next_bytes;
    if (want < bytes)
        want = bytes;
    else if (arena->next_bytes < GROW_MAX)
        arena->next_bytes *= 2;
    struct arena_block *b = arena->parent ? arena_alloc(arena->parent, sizeof *b + want)
                                          : xmalloc(sizeof *b + want);
    b->bytes = want;
    b->next = arena->block;
    arena->block = b;
    arena->at = b->data;
    arena->end = b->data + want;
}

void *arena_alloc(struct arena *arena, size_t bytes)
{
    assert(bytes < SIZE_MAX / 2);
    bytes = (bytes + ALIGN - 1) & ~(size_t)(ALIGN - 1);
    if ((size_t)(arena->end - arena->at) < bytes)
        arena_grow(arena, bytes);
    char *p = arena->at;
    arena->at += bytes;
    return p;
}

void *arena_zalloc(struct arena *arena, size_t bytes)
{
    return memset(arena_alloc(arena, bytes), 0, bytes);
}

struct jobq_str arena_str(struct arena *arena, struct jobq_str text)
{
    if (!text.ptr)
        return text;
    char *p = arena_alloc(arena, (size_t)text.len + 1);
    memcpy(p, text.ptr, (size_t)text.len);
    p[text.len] = '\0';
    return (struct jobq_str){p, text.len};
}

char *arena_cstr(struct arena *arena, const char *text)
{
    size_t bytes = strlen(text) + 1;
    return memcpy(arena_alloc(arena, bytes), text, bytes);
}

size_t arena_used(const struct arena *arena)
{
    size_t used = 0;
    for (const struct arena_block *b = arena->block; b; b = b->next)
        used += b->bytes;
    return used;
}
