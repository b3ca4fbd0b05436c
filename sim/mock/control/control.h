/* control.h - what is not AWS: /_jobq/ and /metrics.
 *
 * Room:     sim/mock.
 * Callers:  route.c.
 * Knows nothing of: the wire protocols of the services.
 *
 *   GET  /_jobq/healthz                   {"status":"ok"}
 *   GET  /_jobq/ledger[?region=R&date=D]  usage as jobq.ledger/2 and its bill by the sheet
 *                                         of that region and date (us-east-1, the latest)
 *   GET  /_jobq/faults                    the settings that hold, one a line (faults.h)
 *   POST /_jobq/faults                    body: a spec; DELETE: as "off"
 *   GET  /_jobq/clock                     {"now":..., "now_ns":..., "speed":...}
 *   POST /_jobq/clock                     advance=12h and/or speed=60, in the query or body
 *   POST /_jobq/reset                     no queues, domains, boxes; an empty ledger
 *   GET  /metrics                         Prometheus text
 *
 * Only for clients on a loopback address, and not for web pages (no Origin header). */
#ifndef JOBQ_SIM_MOCK_CONTROL_CONTROL_H
#define JOBQ_SIM_MOCK_CONTROL_CONTROL_H

#include "sim/mock/server/mock.h"

/* True: the path is one of these, and the request was answered. */
bool control_request(struct mock *mock, struct http_exchange *x,
                     const struct http_request *request);

#endif
