/* loop.h - one thread's event loop, its clock and its timers.
 *
 * Room:     src/net, a tool. Wraps libevent's event_base.
 * Callers:  live/ and sim/mock/.
 * Knows nothing of: HTTP, AWS, fibers.
 * Blocks:   loop_run, and loop_turn where it is told to.
 *
 * A turn is one wait for events and the callbacks of all that came. Work that should be
 * done once for everything a turn brought (make fibers run, commit a journal, write the
 * replies) hangs itself behind the turn with loop_after_turn. */
#ifndef JOBQ_NET_LOOP_H
#define JOBQ_NET_LOOP_H

#include "jobq/error.h"

#include <stdbool.h>
#include <stdint.h>

struct event_base;
struct loop;
struct loop_timer;

typedef void loop_fn(void *ctx);

/* For a program, before its first loop: makes a write to a closed peer fail with EPIPE
 * instead of raising SIGPIPE. A library leaves its host's signal handlers alone and
 * blocks the signal on its own thread. */
void loop_ignore_pipe(void);

/* A loop, or NULL with err filled. Free it with loop_free after everything that was made on
 * it. */
struct loop *loop_new(struct jobq_error *err);
void loop_free(struct loop *loop);

/* For libraries that use events of their own (curl_multi). */
struct event_base *loop_base(struct loop *loop);

/* CLOCK_MONOTONIC and CLOCK_REALTIME, nanoseconds; read at each call. */
int64_t loop_now_ns(void);
int64_t loop_wall_ns(void);

/* Runs turns until loop_stop. Returns JOBQ_OK; UNAVAILABLE: the kernel refused to
 * wait. */
int loop_run(struct loop *loop, struct jobq_error *err);
/* Runs one turn; wait: block until there is an event. Returns as loop_run. */
int loop_turn(struct loop *loop, bool wait, struct jobq_error *err);
/* Makes loop_run return after this turn and its after-turn calls. Safe in a callback. */
void loop_stop(struct loop *loop);

/* Calls fn(ctx) at the end of every turn, in the order of registration; at most 8. */
void loop_after_turn(struct loop *loop, loop_fn *fn, void *ctx);
/* The next turn does not wait: an after-turn call made more work. */
void loop_hurry(struct loop *loop);
/* True within an after-turn call. */
bool loop_is_after_turn(const struct loop *loop);

/* A one-shot timer, unset at first. It may fire up to a kernel tick (4 ms) early or
 * late: where that matters, look at the clock and set it again. */
struct loop_timer *loop_timer_new(struct loop *loop, loop_fn *fn, void *ctx);
void loop_timer_free(struct loop_timer *timer); /* NULL: nothing */
/* At at_ns on loop_now_ns's clock; one in the past fires in the next turn; JOBQ_FOREVER
 * clears it. Setting again replaces. */
void loop_timer_set(struct loop_timer *timer, int64_t at_ns);

/* Calls fn(ctx) in a turn after the signal arrived. The handler stays for the loop's
 * life; at most 8 signals. */
void loop_on_signal(struct loop *loop, int signal_number, loop_fn *fn, void *ctx);

#endif
