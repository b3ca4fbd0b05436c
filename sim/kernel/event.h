/* event.h - what a pending event is made of: its key and, of most calls, its record.
 *
 * Room:     sim, low-level; private to the kernel.
 * Callers:  kernel.c, ahead.h.
 * Knows nothing of: what an event does. */
#ifndef JOBQ_SIM_KERNEL_EVENT_H
#define JOBQ_SIM_KERNEL_EVENT_H

#include "sim/kernel/agenda.h"
#include "sim/kernel/kernel.h"

/* A key is time (64 bits), sequence (38), kind (2), slot (24). Sequences are distinct, so
 * kind and slot never decide an order; they say what the key belongs to. A call has a
 * record in a slot. A deadline, and the first wake that a fiber has pending, need none: the
 * slot is the fiber's index, and the fiber says whether the key still counts. */
#define SLOT_BITS 24
#define SLOT_MASK (((uint64_t)1 << SLOT_BITS) - 1)
#define KIND_BITS 2
#define SEQUENCE_SHIFT AGENDA_SEQUENCE_SHIFT
_Static_assert(SEQUENCE_SHIFT == SLOT_BITS + KIND_BITS, "the parts of a key");
#define SEQUENCE_END ((uint64_t)1 << (64 - SEQUENCE_SHIFT))
enum key_kind { KEY_RECORD, KEY_DEADLINE, KEY_WAKE };

static inline enum key_kind kind_of(uint64_t low)
{
    return (enum key_kind)(low >> SLOT_BITS & ((1 << KIND_BITS) - 1));
}

enum event_kind { EVENT_FREE, EVENT_CALL, EVENT_WAKE, EVENT_CANCELLED };

struct event {
    kernel_event_fn *fn; /* CALL; else NULL */
    void *target;        /* CALL: ctx; WAKE, DEADLINE: the fiber */
    uint64_t arg; /* WAKE, DEADLINE: the ticket's generation; FREE: next free slot */
    uint32_t generation; /* of the ids; moves on when the event is over */
    uint32_t kind : 8;   /* enum event_kind */
    uint32_t asker : 24; /* CALL: index of the fiber that scheduled it, if one did */
};

#endif
