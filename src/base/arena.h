/* arena.h - memory that is given back all at once.
 *
 * Room:     src/base, a tool.
 * Callers:  anyone.
 * Knows nothing of: what is kept in it.
 *
 * Bump allocation from growing blocks; a large request gets a block of its own. Running
 * out of memory aborts: a job is redelivered, so dying is safe. */
#ifndef JOBQ_BASE_ARENA_H
#define JOBQ_BASE_ARENA_H

#include "jobq/ports.h"

#include <stddef.h>

struct arena {
    struct arena_block *block; /* newest first */
    char *at, *end;            /* free space of the newest block */
    size_t next_bytes;         /* size of the next block */
    struct arena *parent;      /* where blocks come from; NULL: the heap */
};

/* No memory is taken before the first allocation. first_bytes 0: 4 KiB. */
void arena_init(struct arena *arena, size_t first_bytes);
/* An arena whose blocks live in another one, for memory that is reused many times within
 * the life of a process and goes with it: nothing to release. Blocks that a reset does not
 * keep stay with the parent, unused; they double, so that is less than what is kept. */
void arena_init_within(struct arena *arena, struct arena *parent, size_t first_bytes);
void arena_release(struct arena *arena);
/* Empties the arena; keeps the largest block for reuse. */
void arena_reset(struct arena *arena);

/* 16-byte aligned, not zeroed. Never NULL. */
void *arena_alloc(struct arena *arena, size_t bytes);
void *arena_zalloc(struct arena *arena, size_t bytes);
/* A copy with a NUL behind it. A phantom (a length without bytes) stays one. */
struct jobq_str arena_str(struct arena *arena, struct jobq_str text);
char *arena_cstr(struct arena *arena, const char *text);
size_t arena_used(const struct arena *arena); /* bytes in blocks */

/* malloc and realloc that abort instead of failing; free() what they return. */
void *xmalloc(size_t bytes);
void *xcalloc(size_t count, size_t bytes);
void *xrealloc(void *old, size_t bytes);
char *xstrdup(const char *text);

/* Memory for large tables that live long, on huge pages where the kernel has them: page
 * faults of 4 KiB otherwise cost more than what is done with the pages. Rounds up to 2 MiB;
 * smaller requests are plain malloc. free() what they return. */
void *xmalloc_huge(size_t bytes);
/* Grows such a table to new_bytes by copying its old_bytes; old may be NULL. */
void *xgrow_huge(void *old, size_t old_bytes, size_t new_bytes);

#endif
