/* delay.h - answers that wait their time before they are sent.
 *
 * Room:     sim/mock.
 * Callers:  sim/mock/server/respond.c.
 * Knows nothing of: why they wait. */
#ifndef JOBQ_SIM_MOCK_SERVER_DELAY_H
#define JOBQ_SIM_MOCK_SERVER_DELAY_H

#include "net/http_server.h"

struct mock_delays;

struct mock_delays *delay_new(struct loop *loop);
/* What still waits is forgotten: free the server first. */
void delay_free(struct mock_delays *delays);
/* Send the reply (copied) after wait_ns of the loop's clock. A client that half-closes
 * meanwhile still gets it. */
void delay_reply(struct mock_delays *delays, struct http_exchange *x,
                 const struct http_reply *reply, int64_t wait_ns);

#endif
