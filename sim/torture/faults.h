/* faults.h - the classes of faults that a torture run may inject.
 *
 * Room:     sim, the virtual-time world.
 * Callers:  torture, its command line, tests.
 * Knows nothing of: how a fault is injected.
 *
 * One table: a class has a name for the command line, and a text that says what it does. */
#ifndef JOBQ_SIM_TORTURE_FAULTS_H
#define JOBQ_SIM_TORTURE_FAULTS_H

#include "base/text.h"
#include "jobq/error.h"

#include <stdint.h>

/* X(enumerator, name, what it does) */
#define TORTURE_FAULTS(X)                                                                \
    X(REFUSED, "refused", "a call fails before it reaches the service")                  \
    X(THROTTLED, "throttled", "a call is turned away by a rate limit")                   \
    X(LOST_REPLY, "lost-reply", "a call is applied and its reply is lost")               \
    X(LATE, "late", "a call times out and is applied 30 to 120 s later")                 \
    X(REDELIVERED, "redelivered", "a received message stays visible to others")          \
    X(UNDELETED, "undeleted", "a delete says success and deletes nothing")               \
    X(REORDERED, "reordered", "a receive passes messages over")                          \
    X(SLOW_STORE, "slow-store", "a domain takes 10 to 30 writes a second")               \
    X(BOX_DIED, "box-died", "a box is gone without notice")                              \
    X(SPOT, "spot", "spot boxes are taken back, with and without notice")                \
    X(NO_CAPACITY, "no-capacity", "RunInstances finds no capacity")                      \
    X(CANCEL, "cancel", "an operator cancels jobs at random")

enum torture_fault {
#define TORTURE_FAULT_ENUM(id, name, text) TORTURE_##id,
    TORTURE_FAULTS(TORTURE_FAULT_ENUM)
#undef TORTURE_FAULT_ENUM
        TORTURE_FAULT_COUNT
};

/* A set of classes: bit number `fault` of a uint64_t. */
#define TORTURE_ALL ((UINT64_C(1) << TORTURE_FAULT_COUNT) - 1)
static inline uint64_t torture_bit(enum torture_fault fault)
{
    return UINT64_C(1) << fault;
}

/* Static storage. */
const char *torture_fault_name(enum torture_fault fault);
const char *torture_fault_text(enum torture_fault fault);
/* Reads names separated by commas: "late,box-died", "all", "none", "all,-late". INVALID: the text
 * names the word and what it may be. */
int torture_faults_read(const char *list, uint64_t *out, struct jobq_error *err);
/* Writes what torture_faults_read reads. */
void torture_faults_put(uint64_t faults, struct text *out);

#endif
