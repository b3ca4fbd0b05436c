/* scratch.c - memory for the length of a call. See scratch.h. */
#include "fleet/port/scratch.h"

#include "fiber/fiber.h"

struct scratch *scratch_take(struct jobq_backend *b)
{
    void **slot = fiber_proc_slot(b->proc);
    struct scratch *scratch = *slot;
    if (scratch) {
        *slot = scratch->next;
        arena_reset(&scratch->arena);
    } else {
        struct arena *memory = fiber_proc_arena(b->proc);
        scratch = arena_alloc(memory, sizeof *scratch);
        arena_init_within(&scratch->arena, memory, 4096);
    }
    scratch->next = NULL;
    return scratch;
}

void scratch_give(struct jobq_backend *b, struct scratch *scratch)
{
    void **slot = fiber_proc_slot(b->proc);
    scratch->next = *slot;
    *slot = scratch;
}
