/* fiber.h - many blocking actors on one thread.
 *
 * A fiber is a function with a stack of its own that gives up the processor only where
 * it parks. Fibers belong to a process (struct fiber_proc), processes to a scheduler, one
 * scheduler to a thread. The scheduler knows no clock: the world behind it says what time
 * it is and calls fiber_timer_fired; so the same code parks in virtual time and on
 * libevent.
 *
 * Room:     src/fiber, a tool.
 * Callers:  anyone above: the product parks here, the worlds drive it.
 * Knows nothing of: queues, AWS, what a world is.
 *
 * Order. Ready fibers run first in, first out. A fiber made ready runs before the world
 * moves time: the world calls fiber_run_ready until nothing is ready, then its next
 * event.
 *
 * Waits have generations. To wait, a fiber takes a ticket (fiber_ticket), hands it to
 * the one that will wake it, and parks. The ticket is good for that one wait: waking with
 * an old one does nothing, so a waiter that timed out can never be woken by the grant it
 * gave up on. A wake that comes between the ticket and the park is kept, and the park
 * returns at once. struct fiber memory is reused but never returned while the scheduler
 * lives, so an old ticket may always be tried. */
#ifndef JOBQ_FIBER_FIBER_H
#define JOBQ_FIBER_FIBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;
struct fiber;
struct fiber_sched;
struct fiber_proc;

typedef void fiber_fn(void *arg);

/* The world's part: timers for parks with a deadline. Both are called on the scheduler's
 * thread, never from within each other. */
struct fiber_timer_ops {
    int64_t (*now)(void *world);
    /* Arrange that fiber_timer_fired(ticket) is called at until_ns or later. Returns a
     * key for disarm; worlds whose timers cannot be cancelled cheaply may ignore disarm,
     * for a ticket that is spent does nothing. */
    uint64_t (*arm)(void *world, int64_t until_ns, struct fiber *fiber,
                    uint32_t generation);
    void (*disarm)(void *world, uint64_t key);
};

struct fiber_options {
    size_t stack_bytes; /* per fiber, 192 for its record included; power of two
                           >= 8 KiB; 0: 16 KiB */
    bool guard_each;    /* a guard page a stack (debug: costs two mappings each); else one
                           a block of stacks */
    bool paint; /* fill stacks so that fiber_stack_used_max can measure the depth */
    bool huge;  /* wish for huge pages from the 256th stack on: for a crowd that is
                           visited in turn, which would wait for page tables. Costs memory:
                           all bytes of every stack */
};

/* ---- scheduler (worlds and tests) ------------------------------------------------- */

struct fiber_sched *fiber_sched_new(const struct fiber_timer_ops *timer, void *world,
                                    const struct fiber_options *options);
/* The world's clock is a variable: read it there instead of calling now. */
void fiber_sched_clock(struct fiber_sched *sched, const int64_t *now_ns);
/* Ends every process that is left, pinned or not, and frees all. Not from a fiber. */
void fiber_sched_free(struct fiber_sched *sched);
/* The same, but keeps stacks and memory for what comes next: the end of a replication.
 * Tickets from before it name nothing; process pointers are gone. */
void fiber_sched_reset(struct fiber_sched *sched);
/* Run ready fibers until none is. Returns how many switches into fibers were made. */
int64_t fiber_run_ready(struct fiber_sched *sched);
bool fiber_any_ready(const struct fiber_sched *sched);
void fiber_timer_fired(struct fiber *fiber, uint32_t generation);
int64_t fiber_switches(const struct fiber_sched *sched);
int64_t fiber_count(const struct fiber_sched *sched);         /* alive, parked or ready */
size_t fiber_stack_used_max(const struct fiber_sched *sched); /* with paint; else 0 */

/* ---- processes -------------------------------------------------------------------- */

struct fiber_proc *fiber_proc_new(struct fiber_sched *sched, const char *name);
/* Kill: its fibers never run again. Their stacks, and everything in fiber_proc_arena,
 * stay until the pins on the process are gone, then are reused. The caller must not be
 * one of its fibers, unless it is the last thing that fiber does (then this does not
 * return). */
void fiber_proc_kill(struct fiber_proc *proc);
bool fiber_proc_alive(const struct fiber_proc *proc);
/* Memory that lives as long as the process. Owner: the process. */
struct arena *fiber_proc_arena(struct fiber_proc *proc);
/* A pointer for the code that runs in the process; NULL at first, and lost when it
 * ends. */
void **fiber_proc_slot(struct fiber_proc *proc);
/* Something outside still reads the process's memory (a call in flight). unpin may free a
 * killed process: do not touch it afterwards. */
void fiber_proc_pin(struct fiber_proc *proc);
void fiber_proc_unpin(struct fiber_proc *proc);
/* A process whose fibers have all ended is still alive until it is killed. */
int64_t fiber_proc_fibers(const struct fiber_proc *proc);

/* ---- fibers ----------------------------------------------------------------------- */

/* Make a fiber, ready to run behind those that are ready now. arg is the caller's. */
struct fiber *fiber_spawn(struct fiber_proc *proc, fiber_fn *fn, void *arg);
struct fiber *fiber_self(struct fiber_sched *sched); /* NULL outside fibers */
struct fiber_proc *fiber_self_proc(struct fiber_sched *sched);
void fiber_yield(struct fiber_sched *sched); /* behind all that are ready */

struct fiber_ticket {
    struct fiber *fiber;
    uint32_t generation;
};

enum fiber_woken { FIBER_WOKEN, FIBER_TIMED_OUT };

/* Open a new wait of the running fiber; older tickets of it are dead from here on. */
struct fiber_ticket fiber_ticket(struct fiber_sched *sched);
/* Wait for that ticket's wake, or until until_ns on the world's clock (JOBQ_FOREVER: no
 * deadline; a deadline that has passed: only a wake that is already there counts). */
enum fiber_woken fiber_park(struct fiber_sched *sched, int64_t until_ns);
/* True if the ticket was still good: its fiber will return FIBER_WOKEN. */
bool fiber_wake(struct fiber_ticket ticket);
/* Park until until_ns; not woken by anything else. */
void fiber_sleep_until(struct fiber_sched *sched, int64_t until_ns);

/* ---- waiting for a condition ------------------------------------------------------- */

/* A list of fibers that wait for something. Zero it to init; nothing to release. All its
 * waiters must be of one scheduler. Waiters that are killed or time out leave it. */
struct fiber_cond {
    struct fiber_cond_waiter *first, *last;
};
/* Park until signalled or until_ns. As always with conditions, look again after it. */
enum fiber_woken fiber_cond_wait(struct fiber_sched *sched, struct fiber_cond *cond,
                                 int64_t until_ns);
/* Wake the longest waiting; false if there was none. */
bool fiber_cond_signal(struct fiber_cond *cond);
void fiber_cond_broadcast(struct fiber_cond *cond);

#endif
