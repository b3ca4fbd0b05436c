/* health.h - which calls fail, since when, and was it reported?
 *
 * Room:     src/fleet, the product.
 * Callers:  the drainer, which makes events and its page's line of it; jobq's other
 *           commands, which say why they wait.
 * Knows nothing of: what is done about it. Retries are retry.c's, refusals the caller's.
 * Blocks:   never.
 *
 * It sits on a backend's outcome hook. A call that may succeed later (TIMEOUT, THROTTLED,
 * UNAVAILABLE, LIMIT) is reported when its action has failed for HEALTH_PATIENCE_NS without one
 * success, or at once if the failure was a TIMEOUT, which took long enough by itself. What
 * is refused for good is reported at once. Both are repeated at most once a minute for each
 * action, and the end of what was reported is reported once. */
#ifndef JOBQ_FLEET_PORT_HEALTH_H
#define JOBQ_FLEET_PORT_HEALTH_H

#include "jobq/ports.h"
#include "jobq/units.h"

#include <stdbool.h>

#define HEALTH_PATIENCE_NS (2 * JOBQ_NS_PER_S)
#define HEALTH_AGAIN_NS JOBQ_NS_PER_MIN

enum health_kind {
    HEALTH_FAILS,   /* it is tried again */
    HEALTH_REFUSED, /* trying again cannot help */
    HEALTH_OVER     /* the action is answered again */
};

/* Strings die with the call. */
struct health_report {
    enum health_kind kind;
    enum jobq_action action;
    bool refused; /* trying the last of its failures again could not help */
    int code;
    int64_t failures; /* in a row */
    int64_t for_ns;   /* since the first of them */
    const char *text; /* the service's words; "" when it is over */
};
typedef void health_fn(void *ctx, const struct health_report *report);

/* One action's failures in a row. */
struct health_trouble {
    int64_t failures;                            /* 0: all is well */
    int64_t first_at_ns, last_at_ns, told_at_ns; /* told_at_ns 0: not reported */
    int code;
    char text[400];
};

struct health {
    struct jobq_backend *b;
    health_fn *report;
    void *ctx;
    struct health_trouble action[JOBQ_ACTION_COUNT];
};

/* Takes the backend's outcome hook. health and b are the caller's and live until
 * health_release, which gives the hook back. */
void health_init(struct health *health, struct jobq_backend *b, health_fn *report,
                 void *ctx);
void health_release(struct health *health);
/* The one that sits on b's hook; NULL: none. */
const struct health *health_of(const struct jobq_backend *b);
/* The action's failures, if they were reported and it has failed again within HEALTH_AGAIN_NS;
 * NULL: it does not fail. */
const struct health_trouble *health_trouble(const struct health *health,
                                            enum jobq_action action, int64_t now_ns);
/* The action that has failed for longest of those that were reported and have failed again
 * within HEALTH_AGAIN_NS; NULL: none. *out_action is set with it. */
const struct health_trouble *health_worst(const struct health *health,
                                          enum jobq_action *out_action);

#define HEALTH_LINE_MAX 512
/* The report as a line for a person, cut to fit; returns out. */
char *health_line(const struct health_report *report, char out[static HEALTH_LINE_MAX]);

#endif
