/* retry.h - when to try a call again, and when to stop.
 *
 * The only place of back-off in the project: both worlds' ports fail at once, and this
 * decides. Delays double from base_ns to cap_ns and each is drawn uniformly from
 * (0, delay] ("full jitter"), so that many clients turned away together do not come back
 * together.
 *
 * Room:     src/fleet, the product.
 * Callers:  everything in src/fleet that makes a call worth repeating.
 * Knows nothing of: what the call was.
 *
 *     struct retry r;
 *     retry_init(&r, b, &RETRY_CALLS, &deadline_at_ns);
 *     do
 *         code = jobq_store_put(...);
 *     while (code < 0 && retry_again(&r, code));
 *     if (code == JOBQ_CONFLICT && r.ambiguous) ... the put may be our own: read back */
#ifndef JOBQ_FLEET_PORT_RETRY_H
#define JOBQ_FLEET_PORT_RETRY_H

#include "jobq/ports.h"

#include <stdbool.h>

struct retry_policy {
    int64_t base_ns;   /* the first delay's upper end */
    int64_t cap_ns;    /* the last one's */
    int32_t tries_max; /* 0: as many as the deadline allows */
};

/* Of service calls: 250 ms doubling to 20 s (back-off advised by AWS for 503s: 250,
 * 500, 1000, 2000 ms). */
extern const struct retry_policy RETRY_CALLS;

struct retry {
    struct jobq_backend *b;
    const struct retry_policy *policy;
    const int64_t
        *deadline_at_ns; /* read anew each time, so that a stop can shorten it */
    int32_t tries;       /* failures seen */
    bool ambiguous; /* a failure seen may have been applied: TIMEOUT or UNAVAILABLE */
};

/* deadline_at_ns is on jobq_now's clock, stays the caller's, and outlives the retry;
 * NULL: none. */
void retry_init(struct retry *r, struct jobq_backend *b,
                const struct retry_policy *policy, const int64_t *deadline_at_ns);
/* Call after a failure. True, after having slept: try again. False: the code is not
 * retryable, or the tries or the time are used up. Blocks: yes. */
bool retry_again(struct retry *r, int code);
/* The delay before attempt number `attempt` + 1 of a job (attempt >= 1), jittered; 0 if
 * base_ns is. */
int64_t retry_delay_ns(struct jobq_backend *b, const struct retry_policy *policy,
                       int attempt);

#endif
