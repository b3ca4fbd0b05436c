/* park.h - fibers' deadlines on the event loop.
 *
 * Room:     live, the network world.
 * Callers:  live/world/live.c.
 * Knows nothing of: what the fibers wait for.
 * Blocks:   never.
 *
 * One loop timer stands for all deadlines, which are kept in a heap: thousands of sleeping
 * slots cost the loop one timer, and a deadline that is disarmed (nearly all are: a call
 * comes back before its deadline) costs O(log n) of memory work and no system call. */
#ifndef JOBQ_LIVE_WORLD_PARK_H
#define JOBQ_LIVE_WORLD_PARK_H

#include "fiber/fiber.h"
#include "net/loop.h"

struct park;

struct park *park_new(struct loop *loop);
void park_free(struct park *park); /* after the scheduler */

/* The table and the `world` argument for fiber_sched_new. */
extern const struct fiber_timer_ops PARK_TIMERS;

/* Fire what is due, then set the loop's timer for the next. Called behind each turn. */
void park_fire(struct park *park);
void park_rearm(struct park *park);

#endif
