/* tables.c - DynamoDB's actions on tables.
 *
 * Room:     sim/mock.
 * Callers:  as handlers.h.
 * Knows nothing of: items. */
#include "sim/mock/dynamodb/handlers.h"

#include "sim/mock/state/state.h"

#include <stdio.h>
#include <string.h>

static void table_write(struct request *r, const char *member, int table, bool dying)
{
    const struct dynamodb_table *t = dynamodb_table(r->model, table);
    struct text *out = r->out;
    char id[MOCK_UUID_BYTES];
    request_member(r, member);
    text_puts(out, "{\"AttributeDefinitions\":[");
    const struct dynamodb_key *key[2] = {&t->partition, &t->sort};
    int keys = 1 + (t->sort.name[0] != '\0');
    for (int i = 0; i < keys; i++) {
        text_puts(out, i ? ",{\"AttributeName\":" : "{\"AttributeName\":");
        text_put_json(out, str_of(key[i]->name));
        text_printf(out, ",\"AttributeType\":\"%s\"}", dynamodb_type_name(key[i]->type));
    }
    text_puts(out, "],\"TableName\":");
    text_put_json(out, str_of(t->name));
    text_puts(out, ",\"KeySchema\":[");
    for (int i = 0; i < keys; i++) {
        text_puts(out, i ? ",{\"AttributeName\":" : "{\"AttributeName\":");
        text_put_json(out, str_of(key[i]->name));
        text_printf(out, ",\"KeyType\":\"%s\"}", i ? "RANGE" : "HASH");
    }
    bool creating = r->call->now_ns < t->active_at_ns;
    text_printf(out, "],\"TableStatus\":\"%s\",\"CreationDateTime\":%lld.%03lld",
                dying      ? "DELETING"
                : creating ? "CREATING"
                           : "ACTIVE",
                (long long)(t->created_at_ns / JOBQ_NS_PER_S),
                (long long)(t->created_at_ns / JOBQ_NS_PER_MS % 1000));
    text_printf(out,
                ",\"ProvisionedThroughput\":{\"NumberOfDecreasesToday\":0,"
                "\"ReadCapacityUnits\":%lld,\"WriteCapacityUnits\":%lld}",
                (long long)t->read_capacity, (long long)t->write_capacity);
    text_printf(out, ",\"TableSizeBytes\":%lld,\"ItemCount\":%lld", (long long)t->bytes,
                (long long)t->items);
    text_printf(out, ",\"TableArn\":\"arn:aws:dynamodb:%s:%s:table/%s\"",
                r->call->region->name, r->call->mock->options->account, t->name);
    mock_uuid_of(r->call->mock, 0x7461626c65, (uint64_t)table, id);
    text_printf(out, ",\"TableId\":\"%s\"", id);
    if (t->on_demand)
        text_puts(out, ",\"BillingModeSummary\":{\"BillingMode\":\"PAY_PER_REQUEST\"}");
    text_puts(out, ",\"DeletionProtectionEnabled\":false}");
}

/* ---- CreateTable -------------------------------------------------------------------- */

static bool table_key(struct request *r, const char *name, struct dynamodb_key *key)
{
    json_t *definitions = json_object_get(r->in, "AttributeDefinitions"), *one;
    size_t i;
    json_array_foreach(definitions, i, one)
    {
        struct jobq_str defined = {NULL, 0};
        int type = -1;
        if (!request_text(r, one, "AttributeName", &defined) ||
            !request_choice(r, one, "AttributeType", "S|N|B", &type))
            return false;
        if (!defined.ptr || !str_is(defined, name) || type < 0)
            continue;
        snprintf(key->name, sizeof key->name, "%s", name);
        key->type = type == 0 ? DYNAMODB_S : type == 1 ? DYNAMODB_N : DYNAMODB_B;
        return true;
    }
    return request_invalid(
        r,
        "One or more parameter values were invalid: Some index key "
        "attributes are not defined in AttributeDefinitions. Keys: [%s]",
        name);
}

static bool table_keys(struct request *r, struct dynamodb_table *t)
{
    json_t *schema = json_object_get(r->in, "KeySchema"), *one;
    json_t *definitions = json_object_get(r->in, "AttributeDefinitions");
    size_t i, count = json_array_size(schema);
    if (!json_is_array(schema) || !json_is_array(definitions))
        return request_invalid(
            r,
            "1 validation error detected: Value null at '%s' failed to "
            "satisfy constraint: Member must not be null",
            json_is_array(schema) ? "attributeDefinitions" : "keySchema");
    if (count < 1 || count > 2)
        return request_invalid(
            r,
            "1 validation error detected: Value '[]' at 'keySchema' failed "
            "to satisfy constraint: Member must have length %s than or "
            "equal to %d",
            count < 1 ? "greater" : "less", count < 1 ? 1 : 2);
    json_array_foreach(schema, i, one)
    {
        struct jobq_str name = {NULL, 0};
        int type = -1;
        if (!request_text(r, one, "AttributeName", &name) ||
            !request_choice(r, one, "KeyType", "HASH|RANGE", &type))
            return false;
        if (!name.ptr || name.len < 1 || name.len > DYNAMODB_NAME_MAX || type != (int)i)
            return request_invalid(
                r, i == 0 ? "Invalid KeySchema: The first KeySchemaElement is "
                            "not a HASH key type"
                          : "Invalid KeySchema: The second KeySchemaElement "
                            "is not a RANGE key type");
        if (!table_key(r, name.ptr, i == 0 ? &t->partition : &t->sort))
            return false;
    }
    if (count == 2 && strcmp(t->partition.name, t->sort.name) == 0)
        return request_invalid(
            r, "Both the Hash Key and the Range Key element in the KeySchema "
               "have the same name");
    if (json_array_size(definitions) != count &&
        !json_object_get(r->in, "GlobalSecondaryIndexes") &&
        !json_object_get(r->in, "LocalSecondaryIndexes"))
        return request_invalid(r,
                               "One or more parameter values were invalid: Number of "
                               "attributes in KeySchema does not exactly match number of "
                               "attributes defined in AttributeDefinitions");
    return true;
}

/* BillingMode and ProvisionedThroughput; present says whether either was there. */
static bool table_capacity(struct request *r, struct dynamodb_table *t, bool *present)
{
    int mode = 0;
    json_t *throughput = json_object_get(r->in, "ProvisionedThroughput");
    bool has_mode = json_is_string(json_object_get(r->in, "BillingMode"));
    if (!request_choice(r, r->in, "BillingMode", "PROVISIONED|PAY_PER_REQUEST", &mode))
        return false;
    *present = throughput || has_mode;
    t->on_demand = mode == 1;
    if (mode == 1)
        return !json_is_object(throughput) ||
               request_invalid(
                   r, "One or more parameter values were invalid: Neither "
                      "ReadCapacityUnits nor WriteCapacityUnits can be specified "
                      "when BillingMode is PAY_PER_REQUEST");
    if (!json_is_object(throughput))
        return !has_mode && t->write_capacity > 0
                   ? true
                   : request_invalid(r,
                                     "One or more parameter values were invalid: "
                                     "ReadCapacityUnits and WriteCapacityUnits must both "
                                     "be specified when BillingMode is PROVISIONED");
    t->read_capacity = t->write_capacity = 0;
    if (!request_count(r, throughput, "ReadCapacityUnits", 1, &t->read_capacity) ||
        !request_count(r, throughput, "WriteCapacityUnits", 1, &t->write_capacity))
        return false;
    return (t->read_capacity > 0 && t->write_capacity > 0) ||
           request_invalid(
               r,
               "1 validation error detected: Value null at "
               "'provisionedThroughput.%s' failed to satisfy constraint: Member "
               "must not be null",
               t->read_capacity > 0 ? "writeCapacityUnits" : "readCapacityUnits");
}

bool dynamodb_create(struct request *r)
{
    struct dynamodb_table t = {.name = ""};
    struct dynamodb_reply reply;
    struct jobq_error err;
    struct jobq_str name = {NULL, 0};
    bool present;
    int table;
    if (!request_table(r, r->in, &table) || !request_text(r, r->in, "TableName", &name) ||
        !table_keys(r, &t) || !table_capacity(r, &t, &present))
        return false;
    if (json_object_get(r->in, "GlobalSecondaryIndexes") ||
        json_object_get(r->in, "LocalSecondaryIndexes"))
        return request_invalid(r, "secondary indexes are not served here");
    memcpy(t.name, name.ptr, (size_t)name.len);
    if (dynamodb_create_table(r->model, r->call->now_ns, &t, &table, &reply, &err) < 0)
        return request_refused(r, &reply, &err);
    state_table(r->call->mock->state, r->call->region, name);
    table_write(r, "TableDescription", table, false);
    return true;
}

/* A table that must exist, whatever its state. */
static bool table_named(struct request *r, int *table)
{
    struct jobq_str name = {NULL, 0};
    struct dynamodb_reply reply = {.fault = DYNAMODB_FAULT_NO_TABLE};
    struct jobq_error err;
    if (!request_table(r, r->in, table))
        return false;
    if (*table >= 0)
        return true;
    request_text(r, r->in, "TableName", &name);
    jobq_fail(&err, JOBQ_NOT_FOUND, "Requested resource not found: Table: %.*s not found",
              (int)name.len, name.ptr);
    return request_refused(r, &reply, &err);
}

bool dynamodb_describe(struct request *r)
{
    int table;
    if (!table_named(r, &table))
        return false;
    table_write(r, "Table", table, false);
    return true;
}

bool dynamodb_list(struct request *r)
{
    int64_t limit = 100;
    struct jobq_str after = {NULL, 0}, last = {NULL, 0};
    if (!request_count(r, r->in, "Limit", 1, &limit) ||
        !request_text(r, r->in, "ExclusiveStartTableName", &after))
        return false;
    if (limit > 100)
        return request_invalid(
            r,
            "1 validation error detected: Value '%lld' at 'limit' failed to "
            "satisfy constraint: Member must have value less than or equal "
            "to 100",
            (long long)limit);
    request_member(r, "TableNames");
    text_putc(r->out, '[');
    bool more = false;
    for (int64_t count = 0;; count++) {
        /* The least name behind the last one given. */
        const char *next = NULL;
        for (int i = 0; i < dynamodb_table_count(r->model); i++) {
            const struct dynamodb_table *t = dynamodb_table(r->model, i);
            if (t && (!after.ptr || str_cmp(str_of(t->name), after) > 0) &&
                (!next || strcmp(t->name, next) < 0))
                next = t->name;
        }
        more = next && count == limit;
        if (!next || more)
            break;
        if (count)
            text_putc(r->out, ',');
        after = last = str_of(next);
        text_put_json(r->out, after);
    }
    text_putc(r->out, ']');
    if (more) {
        request_member(r, "LastEvaluatedTableName");
        text_put_json(r->out, last);
    }
    return true;
}

bool dynamodb_delete(struct request *r)
{
    struct dynamodb_reply reply;
    struct jobq_error err;
    int table;
    if (!table_named(r, &table))
        return false;
    struct jobq_str name =
        arena_str(r->arena, str_of(dynamodb_table(r->model, table)->name));
    table_write(r, "TableDescription", table, true);
    if (dynamodb_delete_table(r->model, r->call->now_ns, table, &reply, &err) < 0)
        return request_refused(r, &reply, &err);
    state_table(r->call->mock->state, r->call->region, name);
    return true;
}

bool dynamodb_update_table(struct request *r)
{
    struct dynamodb_reply reply;
    struct jobq_error err;
    bool present;
    int table;
    if (!table_named(r, &table))
        return false;
    struct dynamodb_table t = *dynamodb_table(r->model, table);
    if (!table_capacity(r, &t, &present))
        return false;
    if (!present)
        return request_invalid(r, "At least one of ProvisionedThroughput, BillingMode, "
                                  "UpdateStreamEnabled, GlobalSecondaryIndexUpdates or "
                                  "SSESpecification or ReplicaUpdates is required");
    if (dynamodb_set_capacity(r->model, r->call->now_ns, table, &t, &reply, &err) < 0)
        return request_refused(r, &reply, &err);
    state_table(r->call->mock->state, r->call->region, str_of(t.name));
    table_write(r, "TableDescription", table, false);
    return true;
}

/* ---- time to live ------------------------------------------------------------------- */

bool dynamodb_update_ttl(struct request *r)
{
    struct dynamodb_reply reply;
    struct jobq_error err;
    json_t *wanted = json_object_get(r->in, "TimeToLiveSpecification");
    struct jobq_str name = {NULL, 0};
    bool enabled = false;
    int table;
    if (!table_named(r, &table))
        return false;
    if (!request_flag(r, wanted, "Enabled", &enabled) ||
        !request_text(r, wanted, "AttributeName", &name))
        return false;
    if (!json_is_object(wanted) || !name.ptr || name.len < 1 ||
        name.len > DYNAMODB_NAME_MAX)
        return request_invalid(r,
                               "1 validation error detected: Value null at "
                               "'timeToLiveSpecification' failed to satisfy constraint: "
                               "Member must not be null");
    char kept[DYNAMODB_NAME_MAX + 1] = "";
    memcpy(kept, name.ptr, (size_t)name.len);
    if (dynamodb_set_ttl(r->model, r->call->now_ns, table, enabled ? kept : "", &reply,
                         &err) < 0)
        return request_refused(r, &reply, &err);
    state_table(r->call->mock->state, r->call->region,
                str_of(dynamodb_table(r->model, table)->name));
    request_member(r, "TimeToLiveSpecification");
    text_puts(r->out, "{\"AttributeName\":");
    text_put_json(r->out, name);
    text_printf(r->out, ",\"Enabled\":%s}", enabled ? "true" : "false");
    return true;
}

bool dynamodb_describe_ttl(struct request *r)
{
    int table;
    if (!table_named(r, &table))
        return false;
    const struct dynamodb_table *t = dynamodb_table(r->model, table);
    request_member(r, "TimeToLiveDescription");
    text_printf(r->out, "{\"TimeToLiveStatus\":\"%s\"",
                t->ttl_name[0] ? "ENABLED" : "DISABLED");
    if (t->ttl_name[0]) {
        text_puts(r->out, ",\"AttributeName\":");
        text_put_json(r->out, str_of(t->ttl_name));
    }
    text_putc(r->out, '}');
    return true;
}
