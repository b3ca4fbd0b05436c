#include "sim/mock/dynamodb/actions.h"

#include "sim/mock/dynamodb/handlers.h"
#include "sim/mock/server/respond.h"

#include <string.h>

static const struct {
    const char *name;
    dynamodb_action_fn *fn;
} ACTION[] = {
    {"PutItem", dynamodb_put_item},
    {"UpdateItem", dynamodb_update_item},
    {"GetItem", dynamodb_get_item},
    {"DeleteItem", dynamodb_delete_item},
    {"BatchWriteItem", dynamodb_batch_write},
    {"BatchGetItem", dynamodb_batch_get},
    {"Query", dynamodb_query},
    {"Scan", dynamodb_scan},
    {"TransactWriteItems", dynamodb_transact_write},
    {"CreateTable", dynamodb_create},
    {"DescribeTable", dynamodb_describe},
    {"ListTables", dynamodb_list},
    {"DeleteTable", dynamodb_delete},
    {"UpdateTable", dynamodb_update_table},
    {"UpdateTimeToLive", dynamodb_update_ttl},
    {"DescribeTimeToLive", dynamodb_describe_ttl},
};

void mock_dynamodb(struct call *call)
{
    json_error_t fault;
    struct request r = {
        .call = call, .model = call->region->dynamodb, .arena = &call->mock->arena};
    size_t i = 0;
    while (i < sizeof ACTION / sizeof *ACTION &&
           strcmp(ACTION[i].name, call->action) != 0)
        i++;
    if (i == sizeof ACTION / sizeof *ACTION) {
        mock_fail(call, 400, "UnknownOperationException",
                  "com.amazon.coral.service#UnknownOperationException", "%s", "");
        answer_end(call, CALL_FAILED, true);
        return;
    }
    r.in = json_loadb(call->body.ptr, (size_t)call->body.len, 0, &fault);
    if (!json_is_object(r.in)) {
        json_decref(r.in);
        mock_fail(call, 400, "SerializationException",
                  "com.amazon.coral.service#SerializationException", "%s", "");
        answer_end(call, CALL_FAILED, true);
        return;
    }
    answer_open(call, true);
    r.out = call->out.out;
    bool good = ACTION[i].fn(&r);
    /* Strings of the request are read until the reply is written. */
    answer_end(call, good ? CALL_DONE : CALL_FAILED, true);
    json_decref(r.in);
}
