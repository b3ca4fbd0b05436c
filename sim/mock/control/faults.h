/* faults.h - what is made to go wrong, and how long answers take.
 *
 * Room:     sim/mock.
 * Callers:  route.c (before a call), sim/mock/server/respond.c (behind it), control.c (sets).
 * Knows nothing of: sockets, protocols.
 *
 * A spec is settings separated by ';' or line ends, each [SERVICE.[ACTION.]]KEY=VALUE, the
 * service one of sqs, sdb, ec2, sts; the most special setting counts:
 *
 *     error=P     an internal error, nothing applied
 *     throttle=P  turned away by the service's own throttling error, nothing applied
 *     drop=P      the connection closes, nothing applied
 *     lost=P      applied, then the connection closes without the reply
 *     late=P|Nx   the call is held and takes effect after its client gave up; Nx: the next N
 *                 calls. Only those that change something
 *     late_after=A..B  how much later, even over the range [30s..120s]; or A alone
 *     late_reply=D|503 what the client sees: its connection closes after D [1s], or a 503
 *     latency=Q   the reply waits: 20ms, exp:20ms, lognormal:median=9ms,p99=90ms, ...
 *                 (base/distribution.h)
 *
 * and of the models, without a service or an action: duplicate=P, undelete=P, reorder=P,
 * short_poll=on|off (sampled short polls), window=DURATION|off (SimpleDB reads that are not
 * consistent see a write with a probability that grows from 0 to 1 over it), and
 * sqs.model.KEY=VALUE, and likewise of sdb, dynamodb and ec2, for any other parameter of a
 * model (models/params/). "off" alone clears all. */
#ifndef JOBQ_SIM_MOCK_CONTROL_FAULTS_H
#define JOBQ_SIM_MOCK_CONTROL_FAULTS_H

#include "sim/mock/control/late.h"

struct mock_faults *faults_new(void);
void faults_free(struct mock_faults *faults);

/* Applies a spec to what is set and to the models. INVALID names the setting; then nothing
 * was changed. */
int faults_set(struct mock *mock, struct jobq_str spec, struct jobq_error *err);
/* The settings that hold, one a line. */
void faults_show(const struct mock *mock, struct text *out);

enum faults_strike { FAULTS_NONE, FAULTS_ERROR, FAULTS_DROP, FAULTS_LATE };
/* Before a call is applied. ERROR: call->error is filled. LATE: *late is. */
enum faults_strike faults_before(struct call *call, struct late_rule *late);
/* Behind it: true if its reply is to be lost. */
bool faults_lose(struct call *call);
/* How often a kind of fault (0, 1, ...) has struck, and its name; NULL: no such kind. */
const char *faults_struck(const struct mock *mock, int kind, int64_t *count);
/* How long its reply is to wait; 0: not. */
int64_t faults_latency_ns(struct call *call);

#endif
