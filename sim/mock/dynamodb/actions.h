/* actions.h - DynamoDB as jobqmock serves it: its actions by name, JSON 1.0.
 *
 * Room:     sim/mock.
 * Callers:  sim/mock/server/route.c.
 * Knows nothing of: how a reply leaves. */
#ifndef JOBQ_SIM_MOCK_DYNAMODB_ACTIONS_H
#define JOBQ_SIM_MOCK_DYNAMODB_ACTIONS_H

#include "sim/mock/server/mock.h"

/* Serves call->action with call->body. */
void mock_dynamodb(struct call *call);

#endif
