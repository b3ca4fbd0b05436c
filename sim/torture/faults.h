/* faults.h - the classes of faults that a torture run may inject, and the branches of the
 * product that they should reach.
 *
 * Room:     sim, the virtual-time world.
 * Callers:  torture, its command line, tests.
 * Knows nothing of: how a fault is injected.
 *
 * Two tables: each class and each branch has a name for people, and a text that says what it
 * is. A campaign of many runs in which one of them never happened has tested nothing of it,
 * and fails. */
#ifndef JOBQ_SIM_TORTURE_FAULTS_H
#define JOBQ_SIM_TORTURE_FAULTS_H

#include "base/text.h"
#include "jobq/error.h"

#include <stdint.h>

/* X(enumerator, name, what it does) */
#define TORTURE_FAULTS(X)                                                                \
    X(REFUSED, "refused", "calls fail before they reach the service")                    \
    X(THROTTLED, "throttled", "calls are turned away by a rate limit")                   \
    X(LOST_REPLY, "lost-reply", "calls are applied and their replies are lost")          \
    X(LATE, "late", "calls time out and are applied 30 to 120 s later")                  \
    X(TWICE, "twice", "calls are applied twice; either reply comes back")                \
    X(HELD_REPLY, "held-reply", "replies come late, behind those of later calls")        \
    X(REDELIVERED, "redelivered", "received messages stay visible to others")            \
    X(UNDELETED, "undeleted", "deletes say success and delete nothing")                  \
    X(REORDERED, "reordered", "receives pass messages over")                             \
    X(SLOW_STORE, "slow-store", "a domain takes 10 to 30 writes a second")               \
    X(QUEUE_DOWN, "queue-down", "SQS does not answer for a minute or more")              \
    X(STORE_DOWN, "store-down", "the store does not answer for a minute or more")        \
    X(QUEUE_GONE, "queue-gone", "SQS says for a minute or more: no such queue")          \
    X(TABLE_GONE, "table-gone", "the store says for a minute or more: no such table")    \
    X(METADATA_DOWN, "metadata-down", "instance metadata does not answer")               \
    X(DENIED, "denied", "permissions vanish and return")                                 \
    X(KILLED, "killed", "drainers are killed and started again")                         \
    X(PAUSED, "paused", "processes are stopped for longer than the visibility timeout")  \
    X(RESTARTED, "restarted", "drainers are stopped in order and started again")         \
    X(CLIENT_CRASH, "client-crash", "the client dies at any of its calls")               \
    X(BOX_DIED, "box-died", "boxes are gone without notice")                             \
    X(SPOT, "spot", "spot boxes are taken back, with and without notice")                \
    X(NO_CAPACITY, "no-capacity", "RunInstances finds no capacity")                      \
    X(SLOW_BOOT, "slow-boot", "boxes take up to four minutes to come up")                \
    X(SKEWED, "skewed", "wall clocks are up to 15 minutes wrong")                        \
    X(STEPPED, "stepped", "wall clocks jump by up to two hours")                         \
    X(SLOW_NET, "slow-net", "a process's calls take up to 15 s more for a while")        \
    X(HALF_DEAD, "half-dead", "a process's requests, or their replies, get lost")        \
    X(DISK_FULL, "disk-full", "the client's journal cannot be written")                  \
    X(POISON, "poison", "some jobs fail each time")                                      \
    X(CRASHER, "crasher", "some jobs take their drainer down with them")                 \
    X(GARBAGE, "garbage", "messages that are no job, or whose job has no row")           \
    X(CANCEL, "cancel", "an operator cancels jobs")                                      \
    X(PURGE, "purge", "an operator purges the queue")                                    \
    X(REDRIVE, "redrive", "an operator sends dead letters again")                        \
    X(PRUNE, "prune", "an operator prunes old days")                                     \
    X(REPAIR, "repair", "an operator sends messages that are missing")                   \
    X(SPAWN, "spawn", "an operator starts boxes, or wants fewer")                        \
    X(SEPPUKU, "seppuku", "an operator drains boxes and ends them")                      \
    X(QUIET, "quiet", "an operator makes drainers take no work for a while")             \
    X(RESIZE, "resize", "an operator changes how many slots a drainer has")              \
    X(KEYED, "keyed", "jobs have keys, and several clients enqueue them")

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

/* X(enumerator, name). What a drainer reports, what a claim shows, how a drainer ended, what
 * operators' calls did. */
#define TORTURE_BRANCHES(X)                                                              \
    X(ENDED_DONE, "done")                                                                \
    X(ENDED_FAILED, "failed, tried again")                                               \
    X(ENDED_DEAD, "dead after its last attempt")                                         \
    X(EXHAUSTED, "dead, its attempts lost")                                              \
    X(TAKEN_OVER, "taken over")                                                          \
    X(GAVE_BACK, "given back")                                                           \
    X(LOST_BEAT, "lost: heartbeat refused")                                              \
    X(LOST_LATE, "lost: too late to start")                                              \
    X(LOST_CANCELLED, "lost: cancelled")                                                 \
    X(LOST_NEWER, "lost: a newer attempt has it")                                        \
    X(LOST_STORE, "lost: the store does not answer")                                     \
    X(SKIP_ENDED, "skipped: ended")                                                      \
    X(SKIP_DEAD, "skipped: attempts used up")                                            \
    X(SKIP_NO_ROW, "skipped: no row")                                                    \
    X(SKIP_ELSEWHERE, "skipped: runs elsewhere")                                         \
    X(SKIP_NO_TABLE, "skipped: no table")                                                \
    X(SKIP_UNREADABLE, "skipped: unreadable")                                            \
    X(SKIP_STORE, "skipped: the store does not answer")                                  \
    X(SKIP_LATE, "skipped: too late to claim")                                           \
    X(NOTICE_FAILS, "notice: calls fail")                                                \
    X(NOTICE_HOUSE, "notice: housekeeping")                                              \
    X(EXIT_OK, "exit: stopped or idle")                                                  \
    X(EXIT_DEADLINE, "exit: deadline of a stop")                                         \
    X(EXIT_DENIED, "exit: denied")                                                       \
    X(EXIT_NOT_FOUND, "exit: not found")                                                 \
    X(EXIT_UNAVAILABLE, "exit: no answer at the start")                                  \
    X(RECOVERED, "client recovered from its journal")                                    \
    X(REPAIRED, "repair sent a message")                                                 \
    X(REDRIVEN, "redrive sent a letter")                                                 \
    X(EMPTIED, "an empty queue drained to an empty fleet")

enum torture_branch {
#define TORTURE_BRANCH_ENUM(id, name) TORTURE_BRANCH_##id,
    TORTURE_BRANCHES(TORTURE_BRANCH_ENUM)
#undef TORTURE_BRANCH_ENUM
        TORTURE_BRANCH_COUNT
};
const char *torture_branch_name(enum torture_branch branch);

#endif
