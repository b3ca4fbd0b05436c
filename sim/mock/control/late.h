/* late.h - calls that are held back and take effect after their client has given up.
 *
 * Room:     sim/mock.
 * Callers:  route.c keeps and applies them, faults.c says which, process.c waits for them.
 * Knows nothing of: what an action does.
 *
 * It is what a network does that delivers a request minutes after the sender's timeout: the
 * client saw its connection close (or a 503), has sent the call again or gone on, and then
 * the first one arrives. Time is the models', so that advancing the clock brings it on. A
 * call that is held when the process ends is lost; --state does not keep it. */
#ifndef JOBQ_SIM_MOCK_CONTROL_LATE_H
#define JOBQ_SIM_MOCK_CONTROL_LATE_H

#include "sim/mock/server/mock.h"

/* How the client is put off: a 503 at once, or a connection that closes after hold_ns. */
struct late_rule {
    int64_t after_ns, before_ns; /* it takes effect in this range, even over it */
    bool unavailable;
    int64_t hold_ns;
};

enum { LATE_MAX = 10000 }; /* held at a time; beyond, calls are applied at once */

struct mock_late *late_new(struct mock *mock);
void late_free(struct mock_late *late); /* NULL: nothing. Before the HTTP server. */

/* Does the action change anything? ReceiveMessage does not count: nobody would be there to
 * take what it hides. */
bool late_changes(const struct call *call);
/* Keeps a copy of the call and puts the client off. False: too many are held. */
bool late_keep(struct call *call, const struct http_request *request,
               const struct late_rule *rule, double u);
/* When the next takes effect, in the models' time; JOBQ_FOREVER: none is held. */
int64_t late_next_at(const struct mock_late *late);
/* Applies those that are due. */
void late_apply(struct mock_late *late, int64_t now_ns);
/* Forgets all. */
void late_drop(struct mock_late *late);
int late_count(const struct mock_late *late);

#endif
