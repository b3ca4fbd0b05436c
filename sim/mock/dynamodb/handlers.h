/* handlers.h - the actions of DynamoDB, one function each.
 *
 * Room:     sim/mock.
 * Callers:  sim/mock/dynamodb/actions.c.
 * Knows nothing of: how a call came. False: r->call->error says why. */
#ifndef JOBQ_SIM_MOCK_DYNAMODB_HANDLERS_H
#define JOBQ_SIM_MOCK_DYNAMODB_HANDLERS_H

#include "sim/mock/dynamodb/request.h"

typedef bool dynamodb_action_fn(struct request *r);

/* items.c */
dynamodb_action_fn dynamodb_put_item, dynamodb_update_item, dynamodb_get_item,
    dynamodb_delete_item, dynamodb_batch_write, dynamodb_batch_get, dynamodb_query,
    dynamodb_scan, dynamodb_transact_write;
/* tables.c */
dynamodb_action_fn dynamodb_create, dynamodb_describe, dynamodb_list, dynamodb_delete,
    dynamodb_update_table, dynamodb_update_ttl, dynamodb_describe_ttl;

#endif
