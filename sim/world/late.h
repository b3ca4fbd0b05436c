/* late.h - calls that time out at their caller and take effect later all the same, and calls
 * that are applied twice.
 *
 * A network or a service may hold a request back for minutes. Its caller has given up by then,
 * and has most likely tried again: the call is applied twice, and out of order. Of the calls
 * that change something (send, delete, change visibility, put, put batch, delete attributes,
 * create and delete domain, launch, terminate) those that `draw` picks behave so. Receives are
 * not among them: what a lost receive does is a reply that is lost. A proxy that repeats a
 * request does the rest: the caller gets the reply of one of the two, perhaps of the second.
 *
 * Room:     sim, the virtual-time world.
 * Callers:  torture, tests.
 * Knows nothing of: why a call is late.
 * Bill:     the caller's meter counts one request and no bytes, as a live caller's does whose
 *           call timed out; what the late call does is nobody's to count. */
#ifndef JOBQ_SIM_WORLD_LATE_H
#define JOBQ_SIM_WORLD_LATE_H

#include "sim/world/world.h"

struct late_options {
    /* Asked for each of these calls: after how long it takes effect, more than timeout_ns;
     * or < 0: it is made as ever. With *twice set it is made as ever too, beside the one
     * that takes effect after that time. */
    int64_t (*draw)(void *ctx, enum jobq_action action, bool *twice);
    void *ctx;
    int64_t timeout_ns; /* how long the caller waits before it gives up */
};

/* From now on for the process whose ports these are; before its fibers run. options is
 * copied. */
void late_install(struct jobq_backend *b, const struct late_options *options);
/* Calls that have yet to take effect. */
int64_t late_pending(const struct world *w);

#endif
