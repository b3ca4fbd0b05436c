/* respond.h - how a reply leaves: wrapped as its service does, metered, sent.
 *
 * Room:     sim/mock.
 * Callers:  sim/mock.
 * Knows nothing of: what the actions mean. */
#ifndef JOBQ_SIM_MOCK_SERVER_RESPOND_H
#define JOBQ_SIM_MOCK_SERVER_RESPOND_H

#include "sim/mock/server/mock.h"

/* Begin the reply of call->action in mock->body; call->out then takes its members.
 * has_result: the action has an output (an empty reply still carries its element). */
void answer_open(struct call *call, bool has_result);
/* End what answer_open began, or write the error, and send. CALL_WAITING: nothing. */
void answer_end(struct call *call, enum call_end end, bool has_result);
/* Any other reply (IMDS, control), unmetered. headers: lines, or empty. */
void answer_plain(struct mock *mock, struct http_exchange *x, int status,
                  struct jobq_str content_type, struct jobq_str body);
/* "0.0000219907". out: 32 bytes. Returns out. */
char *answer_box_usage(int64_t e10h, char *out);

#endif
