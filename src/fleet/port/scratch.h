/* scratch.h - memory for the length of a call that has no struct of its own.
 *
 * Room:     src/fleet, the product.
 * Callers:  status, dead letters; the simulator's operator.
 * Knows nothing of: what it is used for.
 *
 * It hangs in the process's slot (fiber_proc_slot), which is the product's own. It comes from
 * the process's arena and is used again by the next caller, so that a process
 * that asks for a job's status a million times stays as it is, and one that is killed while
 * it asks leaks nothing. */
#ifndef JOBQ_FLEET_PORT_SCRATCH_H
#define JOBQ_FLEET_PORT_SCRATCH_H

#include "base/arena.h"
#include "jobq/ports.h"

struct scratch {
    struct scratch *next;
    struct arena arena;
};

/* Empty. Never NULL. */
struct scratch *scratch_take(struct jobq_backend *b);
void scratch_give(struct jobq_backend *b, struct scratch *scratch);

#endif
