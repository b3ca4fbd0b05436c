/* sanitize.h - notifies the memory and thread checkers of stack switches.
 *
 * Room:     src/fiber, low-level; private to it.
 * Callers:  fiber.c and stack_pool.c.
 *
 * AddressSanitizer must know the bounds of the stack that runs, and forget the red zones
 * that a killed fiber's frames left on its stack. LeakSanitizer must look for pointers on
 * parked stacks. ThreadSanitizer keeps a call stack and a clock of each fiber and is
 * notified at each switch whose it is; the fibers of a scheduler are ordered, as they take turns on
 * one thread. It counts fibers as threads, of which it bears 8,128 at once. valgrind takes
 * a large jump of the stack pointer for a new frame unless the stacks are registered. In
 * other builds, and where valgrind's header is missing, everything here is empty; without
 * the header valgrind still runs fibers, warning that the client is switching stacks.
 *
 * With detect_stack_use_after_return=1 the fake frames of a fiber that is killed while
 * parked are not returned before the program ends: only a fiber itself can give them up,
 * and a killed one never runs again. */
#ifndef JOBQ_FIBER_SANITIZE_H
#define JOBQ_FIBER_SANITIZE_H

#include <stdbool.h>
#include <stddef.h>

#if defined(__SANITIZE_ADDRESS__)
#define FIBER_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define FIBER_ASAN 1
#endif
#endif
#ifndef FIBER_ASAN
#define FIBER_ASAN 0
#endif

#if defined(__SANITIZE_THREAD__)
#define FIBER_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define FIBER_TSAN 1
#endif
#endif
#ifndef FIBER_TSAN
#define FIBER_TSAN 0
#endif

/* How much larger stacks must be: ThreadSanitizer's interceptors, and its report, run on the
 * fiber's. */
#define FIBER_STACK_TIMES (FIBER_TSAN ? 8 : 1)

/* For the one function that reads stacks as bytes, red zones and all. */
#if FIBER_ASAN
#define FIBER_NO_ASAN __attribute__((no_sanitize_address))
#else
#define FIBER_NO_ASAN
#endif

#if FIBER_ASAN
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#include <sanitizer/lsan_interface.h>
#endif
#if FIBER_TSAN
#include <sanitizer/tsan_interface.h>
#endif

#if defined(__has_include)
#if __has_include(<valgrind/memcheck.h>)
#include <valgrind/memcheck.h>
#define FIBER_VALGRIND 1
#endif
#endif
#ifndef FIBER_VALGRIND
#define FIBER_VALGRIND 0
#endif

/* A fiber begins, and ends: `kept` is a word beside it that is the sanitizer's. */
static inline void sanitize_born(void **kept)
{
#if FIBER_TSAN
    *kept = __tsan_create_fiber(0);
#else
    (void)kept;
#endif
}

static inline void sanitize_dead(void *kept)
{
#if FIBER_TSAN
    __tsan_destroy_fiber(kept);
#else
    (void)kept;
#endif
}

/* Before a switch: save is where the word of the leaving stack is kept (ASan: its fake
 * frames), NULL if it never runs again; low and bytes are the stack that is entered, and
 * entered its word. Inlined always: a call that one stack enters and another leaves would
 * unbalance what ThreadSanitizer knows of both. */
static inline __attribute__((always_inline)) void
sanitize_leave(void **save, const void *low, size_t bytes, void *entered)
{
#if FIBER_ASAN
    (void)entered;
    __sanitizer_start_switch_fiber(save, low, bytes);
#elif FIBER_TSAN
    (void)low, (void)bytes;
    if (save)
        *save = __tsan_get_current_fiber();
    __tsan_switch_to_fiber(entered, 0);
#else
    (void)save, (void)low, (void)bytes, (void)entered;
#endif
}

/* After a switch: saved as given to sanitize_leave by this stack, NULL on a fresh one.
 * The bounds of the stack that was left come back, for the thread's own is known only
 * so. */
static inline void sanitize_enter(void *saved, const void **left_low, size_t *left_bytes)
{
#if FIBER_ASAN
    __sanitizer_finish_switch_fiber(saved, left_low, left_bytes);
#else
    (void)saved, (void)left_low, (void)left_bytes;
#endif
}

/* A stack is about to be used anew: nothing on it is out of bounds, or defined. */
static inline void sanitize_fresh(void *low, size_t bytes)
{
#if FIBER_ASAN
    __asan_unpoison_memory_region(low, bytes);
#else
    (void)low, (void)bytes;
#endif
}

/* A stack is about to be looked at as bytes, dead frames included. */
static inline void sanitize_look(const void *low, size_t bytes)
{
#if FIBER_VALGRIND
    VALGRIND_MAKE_MEM_DEFINED(low, bytes);
#else
    (void)low, (void)bytes;
#endif
}

static inline void sanitize_mapped(void *low, size_t bytes)
{
#if FIBER_ASAN
    __lsan_register_root_region(low, bytes);
#else
    (void)low, (void)bytes;
#endif
}

static inline void sanitize_unmapped(void *low, size_t bytes)
{
#if FIBER_ASAN
    __lsan_unregister_root_region(low, bytes);
    __asan_unpoison_memory_region(low, bytes);
#else
    (void)low, (void)bytes;
#endif
}

static inline unsigned sanitize_register_stack(void *low, size_t bytes)
{
#if FIBER_VALGRIND
    if (RUNNING_ON_VALGRIND)
        return (unsigned)VALGRIND_STACK_REGISTER(low, (char *)low + bytes);
#endif
    (void)low, (void)bytes;
    return 0;
}

static inline void sanitize_deregister_stack(unsigned id)
{
#if FIBER_VALGRIND
    if (RUNNING_ON_VALGRIND)
        VALGRIND_STACK_DEREGISTER(id);
#endif
    (void)id;
}

#endif
