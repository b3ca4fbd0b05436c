/* route.h - which service a request is for.
 *
 * Room:     sim/mock.
 * Callers:  process.c gives it to the server; sim/mock/control/late.c.
 * Knows nothing of: what the actions do. */
#ifndef JOBQ_SIM_MOCK_SERVER_ROUTE_H
#define JOBQ_SIM_MOCK_SERVER_ROUTE_H

#include "sim/mock/server/mock.h"

/* The server's handler; ctx is the struct mock. */
void route_request(void *ctx, struct http_exchange *x,
                   const struct http_request *request);

/* In two steps, for a call that is applied later than it came: reads the request's
 * parameters into call->params (INVALID, LIMIT: err says why), then serves the call, faults
 * and signature behind it. */
int route_read(struct call *call, const struct http_request *request,
               struct jobq_error *err);
void route_apply(struct call *call);

#endif
