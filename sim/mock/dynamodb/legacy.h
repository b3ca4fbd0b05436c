/* legacy.h - what DynamoDB's interface before expressions says, as expressions.
 *
 * Room:     sim/mock.
 * Callers:  sim/mock/dynamodb/items.c.
 * Knows nothing of: what is done with them.
 *
 * Expected, QueryFilter, ScanFilter and KeyConditions with ConditionalOperator,
 * AttributeUpdates and AttributesToGet. They may not stand beside expressions. */
#ifndef JOBQ_SIM_MOCK_DYNAMODB_LEGACY_H
#define JOBQ_SIM_MOCK_DYNAMODB_LEGACY_H

#include "sim/mock/dynamodb/request.h"

/* Refuses a request that mixes both. */
bool legacy_alone(struct request *r);
/* The conditions of that member; *out as it was if there is none. */
bool legacy_conditions(struct request *r, const char *name,
                       const struct expression_node **out);
bool legacy_updates(struct request *r, const struct expression_update **out);
bool legacy_projection(struct request *r, json_t *of, struct expression_projection *out);

#endif
