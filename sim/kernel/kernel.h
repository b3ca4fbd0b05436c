/* kernel.h - virtual time: what happens next, and when.
 *
 * A kernel is one world's clock and its list of pending events. An event is a call of a
 * function, or the wake of a fiber, at an instant. Nothing takes time but what waits for
 * an event: code runs at one instant, and the clock moves only when there is nothing left
 * to run at it. Every world has a kernel of its own and stays on one thread; kernels
 * share nothing, so that replications run on as many threads as there are cores.
 *
 * Room:     sim, the virtual world.
 * Callers:  the simulated ports, replications, torture; tests and benches.
 * Knows nothing of: queues, boxes, models, the product.
 * Blocks:   never; fibers that park are resumed from within kernel_run.
 * Units:    nanoseconds since the start of the replication, >= 0.
 *
 * One step of virtual time:
 *   1. Run the ready fibers, first in, first out, those made ready meanwhile included,
 *      until none is ready. (An endless loop of fibers that wake each other without
 *      waiting for time would stay in this instant.)
 *   2. Take the pending event that is least in (time, sequence). The sequence number is
 *      given when an event is scheduled and is unique in its world: of two events of one
 *      instant the one scheduled first happens first. No pointer is ever compared, and
 *      neither the memory's layout nor the number of threads has an influence.
 *   3. Move the clock to its time. It never moves back: an event of the present instant
 *      may be scheduled during it, one of the past may not (asserted).
 *   4. Do it: call its function, or make its fiber ready. A fiber whose deadline comes in
 *      the same instant as its wake gets whichever was scheduled first; the other is spent.
 *   5. Go to 1, so that what one event made ready runs before the next event of the same
 *      instant.
 *
 * Cost. Schedule and take: some ten instructions each for events within a second among many,
 * else O(log n) on a 4-ary heap of 16-byte keys (agenda.h); cancel: O(1), amortised (a
 * cancelled key stays where it is, and when half of all are cancelled they are swept out).
 * The pools keep their memory over kernel_reset. */
#ifndef JOBQ_SIM_KERNEL_KERNEL_H
#define JOBQ_SIM_KERNEL_KERNEL_H

#include "fiber/fiber.h"
#include "jobq/units.h"

#include <stdbool.h>
#include <stdint.h>

struct kernel;

/* What an event calls, at its time, on the kernel's own stack: it must not park. It may
 * schedule, cancel, wake and spawn. */
typedef void kernel_event_fn(void *ctx, uint64_t arg);

/* Names a scheduled event for kernel_cancel. Ids are never confused: one whose event has
 * happened or was cancelled names nothing (its slot's generation has moved on; a slot
 * repeats an id after 2^32 uses). {0, 0} never names an event. */
struct kernel_event_id {
    uint32_t slot;
    uint32_t generation;
};

/* Limits: 2^24 - 1 calls pending (cancelled ones not yet swept included), 2^24 fibers, and
 * 2^38 events scheduled between two resets. Passing one aborts with a line that says so. */
#define KERNEL_PENDING_MAX ((1 << 24) - 1)

/* Starts at time 0 with nothing pending. options may be NULL: the defaults of fiber.h.
 * Owner: the caller, who frees it. */
struct kernel *kernel_new(const struct fiber_options *options);
/* Frees all, processes that are still alive included; pins no longer count. */
void kernel_free(struct kernel *k);
/* Back to the state after kernel_new, keeping the memory: pending events are dropped
 * without being called, every process is killed whatever its pins, the counts are 0. Ids
 * and tickets from before name nothing. Not from within kernel_run. */
void kernel_reset(struct kernel *k);

int64_t kernel_now(const struct kernel *k);

/* Calls fn(ctx, arg) at at_ns, which is now..JOBQ_FOREVER - 1. Owner: ctx is the caller's
 * and must live until the event has happened or was cancelled. */
struct kernel_event_id kernel_at(struct kernel *k, int64_t at_ns, kernel_event_fn *fn,
                                 void *ctx, uint64_t arg);
/* fiber_wake(ticket) at at_ns: the cheapest event there is, for it needs no record and no
 * indirect call. It cannot be cancelled; if the ticket is spent by then, nothing happens
 * but that time passes. */
void kernel_wake_at(struct kernel *k, int64_t at_ns, struct fiber_ticket ticket);
/* True if the event was pending and now is not. Anything else is harmless and false. */
bool kernel_cancel(struct kernel *k, struct kernel_event_id id);

/* For speed in a world of many fibers (ahead.h): before a call of fn, prefetch(ctx, arg) is
 * called with the call's own arg so that it can ask for the memory that the call will touch.
 * It may be called several times or never, and must change nothing; the call's own ctx is not
 * to be read. At most four functions; kept over kernel_reset. */
void kernel_prefetch_for(struct kernel *k, kernel_event_fn *fn, kernel_event_fn *prefetch,
                         void *ctx);

/* The fibers of this world: their clock is kernel_now, their deadlines are events. */
struct fiber_sched *kernel_fibers(struct kernel *k);

/* fiber_sleep_until for a fiber of this world: the same, in one call instead of two. */
void kernel_sleep_until(struct kernel *k, int64_t at_ns);

enum kernel_end {
    KERNEL_DRY,    /* nothing is ready or pending; now is the last event's time */
    KERNEL_UNTIL,  /* the next event is after until_ns; now is until_ns */
    KERNEL_STOPPED /* kernel_stop was called; the rest is still pending */
};
/* Steps until one of these. Events at until_ns itself happen. until_ns >= now. May be
 * called again to go on. Not from within an event or a fiber. */
enum kernel_end kernel_run(struct kernel *k, int64_t until_ns);
/* From an event or a fiber: kernel_run returns when the present event, and the fibers
 * that are ready at its end, have run. */
void kernel_stop(struct kernel *k);
/* One event with the fibers ready before and after it; false: there was none. */
bool kernel_step(struct kernel *k);

/* JOBQ_FOREVER if nothing is pending. */
int64_t kernel_next_at_ns(struct kernel *k);
int64_t kernel_pending(const struct kernel *k);  /* cancelled ones not counted */
int64_t kernel_events(const struct kernel *k);   /* that happened, deadlines included */
int64_t kernel_switches(const struct kernel *k); /* into fibers */
/* Bytes that the event pools hold; does not grow over equal replications. */
int64_t kernel_pool_bytes(const struct kernel *k);

#endif
