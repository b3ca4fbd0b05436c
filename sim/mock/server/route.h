/* route.h - which service a request is for.
 *
 * Room:     sim/mock.
 * Callers:  mock.c gives it to the server.
 * Knows nothing of: what the actions do. */
#ifndef JOBQ_SIM_MOCK_SERVER_ROUTE_H
#define JOBQ_SIM_MOCK_SERVER_ROUTE_H

#include "sim/mock/server/mock.h"

/* The server's handler; ctx is the struct mock. */
void route_request(void *ctx, struct http_exchange *x,
                   const struct http_request *request);

#endif
