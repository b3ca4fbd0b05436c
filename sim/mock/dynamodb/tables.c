/* tables.c - DynamoDB's actions on tables.
 *
 * Room:     sim/mock.
 * Callers:  as handlers.h.
 * Knows nothing of: items. */
#include "sim/mock/dynamodb/handlers.h"

#include "sim/mock/state/state.h"

#include <stdio.h>
#include <string.h>

static void table_write_keys(struct text *out, const struct dynamodb_key *partition,
                             const struct dynamodb_key *sort)
{
    text_puts(out, "\"KeySchema\":[{\"AttributeName\":");
    text_put_json(out, str_of(partition->name));
    text_puts(out, ",\"KeyType\":\"HASH\"}");
    if (sort->name[0]) {
        text_puts(out, ",{\"AttributeName\":");
        text_put_json(out, str_of(sort->name));
        text_puts(out, ",\"KeyType\":\"RANGE\"}");
    }
    text_putc(out, ']');
}

/* All keys of table and indexes, each once. */
static void table_write_definitions(struct text *out, const struct dynamodb_table *t)
{
    const struct dynamodb_key *key[2 + 2 * DYNAMODB_INDEXES_MAX] = {&t->partition,
                                                                    &t->sort};
    int count = 2;
    bool first = true;
    for (int i = 0; i < t->index_count; i++) {
        key[count++] = &t->index[i].partition;
        key[count++] = &t->index[i].sort;
    }
    text_puts(out, "{\"AttributeDefinitions\":[");
    for (int i = 0; i < count; i++) {
        bool twice = !key[i]->name[0];
        for (int k = 0; k < i && !twice; k++)
            twice = strcmp(key[k]->name, key[i]->name) == 0;
        if (twice)
            continue;
        text_puts(out, first ? "{\"AttributeName\":" : ",{\"AttributeName\":");
        first = false;
        text_put_json(out, str_of(key[i]->name));
        text_printf(out, ",\"AttributeType\":\"%s\"}", dynamodb_type_name(key[i]->type));
    }
    text_putc(out, ']');
}

static void table_write_capacity(struct text *out, int64_t reads, int64_t writes)
{
    text_printf(out,
                ",\"ProvisionedThroughput\":{\"NumberOfDecreasesToday\":0,"
                "\"ReadCapacityUnits\":%lld,\"WriteCapacityUnits\":%lld}",
                (long long)reads, (long long)writes);
}

static void table_write_index(struct request *r, const struct dynamodb_table *t,
                              const struct dynamodb_index *index, const char *status)
{
    static const char *const kind[] = {"ALL", "KEYS_ONLY", "INCLUDE"};
    struct text *out = r->out;
    text_puts(out, "{\"IndexName\":");
    text_put_json(out, str_of(index->name));
    text_putc(out, ',');
    table_write_keys(out, &index->partition, &index->sort);
    text_printf(out, ",\"Projection\":{\"ProjectionType\":\"%s\"",
                kind[index->projection]);
    for (int i = 0; i < index->non_key_count; i++) {
        text_puts(out, i ? "," : ",\"NonKeyAttributes\":[");
        text_put_json(out, str_of(index->non_key[i]));
    }
    text_puts(out, index->non_key_count > 0 ? "]}" : "}");
    text_printf(
        out,
        ",\"IndexSizeBytes\":0,\"ItemCount\":0,\"IndexArn\":\"arn:aws:dynamodb:%s:%s:"
        "table/%s/index/%s\"",
        r->call->region->name, r->call->mock->options->account, t->name, index->name);
    if (index->global) {
        text_printf(out, ",\"IndexStatus\":\"%s\"", status);
        table_write_capacity(out, index->read_capacity, index->write_capacity);
    }
    text_putc(out, '}');
}

static void table_write_indexes(struct request *r, const struct dynamodb_table *t,
                                const char *status)
{
    for (int global = 0; global < 2; global++) {
        bool first = true;
        for (int i = 0; i < t->index_count; i++) {
            if (t->index[i].global != (global == 1))
                continue;
            if (first)
                text_printf(r->out, ",\"%sSecondaryIndexes\":[",
                            global ? "Global" : "Local");
            else
                text_putc(r->out, ',');
            first = false;
            table_write_index(r, t, &t->index[i], status);
        }
        if (!first)
            text_putc(r->out, ']');
    }
}

static void table_write(struct request *r, const char *member, int table, bool dying)
{
    const struct dynamodb_table *t = dynamodb_table(r->model, table);
    struct text *out = r->out;
    char id[MOCK_UUID_BYTES];
    const char *status = dying                               ? "DELETING"
                         : r->call->now_ns < t->active_at_ns ? "CREATING"
                                                             : "ACTIVE";
    request_member(r, member);
    table_write_definitions(out, t);
    text_puts(out, ",\"TableName\":");
    text_put_json(out, str_of(t->name));
    text_putc(out, ',');
    table_write_keys(out, &t->partition, &t->sort);
    text_printf(out, ",\"TableStatus\":\"%s\",\"CreationDateTime\":%lld.%03lld", status,
                (long long)(t->created_at_ns / JOBQ_NS_PER_S),
                (long long)(t->created_at_ns / JOBQ_NS_PER_MS % 1000));
    table_write_capacity(out, t->read_capacity, t->write_capacity);
    text_printf(out, ",\"TableSizeBytes\":%lld,\"ItemCount\":%lld", (long long)t->bytes,
                (long long)t->items);
    text_printf(out, ",\"TableArn\":\"arn:aws:dynamodb:%s:%s:table/%s\"",
                r->call->region->name, r->call->mock->options->account, t->name);
    mock_uuid_of(r->call->mock, 0x7461626c65, (uint64_t)table, id);
    text_printf(out, ",\"TableId\":\"%s\"", id);
    table_write_indexes(r, t, status);
    if (t->on_demand)
        text_puts(out, ",\"BillingModeSummary\":{\"BillingMode\":\"PAY_PER_REQUEST\"},"
                       "\"TableThroughputModeSummary\":{\"TableThroughputMode\":"
                       "\"PAY_PER_REQUEST\"}");
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

/* KeySchema of a table or an index. */
static bool table_schema(struct request *r, json_t *of, struct dynamodb_key *partition,
                         struct dynamodb_key *sort)
{
    json_t *schema = json_object_get(of, "KeySchema"), *one;
    size_t i, count = json_array_size(schema);
    if (!json_is_array(schema))
        return request_invalid(
            r, "1 validation error detected: Value null at 'keySchema' failed "
               "to satisfy constraint: Member must not be null");
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
        if (!table_key(r, name.ptr, i == 0 ? partition : sort))
            return false;
    }
    if (count == 2 && strcmp(partition->name, sort->name) == 0)
        return request_invalid(
            r, "Both the Hash Key and the Range Key element in the KeySchema "
               "have the same name");
    return true;
}

static bool table_projection(struct request *r, json_t *of, struct dynamodb_index *index)
{
    json_t *projection = json_object_get(of, "Projection"), *one;
    json_t *names = json_object_get(projection, "NonKeyAttributes");
    int kind = -1;
    size_t i;
    if (!request_choice(r, projection, "ProjectionType", "ALL|KEYS_ONLY|INCLUDE", &kind))
        return false;
    if (kind < 0)
        return request_invalid(r, "One or more parameter values were invalid: Unknown "
                                  "ProjectionType: null");
    index->projection = (enum dynamodb_projection)kind;
    if ((kind == DYNAMODB_INCLUDE) != (json_array_size(names) > 0))
        return kind == DYNAMODB_INCLUDE
                   ? request_invalid(r,
                                     "One or more parameter values were invalid: "
                                     "ProjectionType is INCLUDE, but NonKeyAttributes is "
                                     "not specified")
                   : request_invalid(
                         r,
                         "One or more parameter values were invalid: "
                         "ProjectionType is %s, but NonKeyAttributes is specified",
                         kind == DYNAMODB_ALL ? "ALL" : "KEYS_ONLY");
    if (json_array_size(names) > DYNAMODB_NON_KEYS_MAX)
        return request_invalid(
            r, "1 validation error detected: Value at 'nonKeyAttributes' "
               "failed to satisfy constraint: Member must have length less "
               "than or equal to 20");
    const char **non_key =
        arena_alloc(r->arena, (json_array_size(names) + 1) * sizeof *non_key);
    json_array_foreach(names, i, one)
    {
        if (!json_is_string(one) || json_string_length(one) > DYNAMODB_NAME_MAX)
            return request_malformed(r, "Unexpected field type");
        non_key[index->non_key_count++] = json_string_value(one);
    }
    index->non_key = non_key;
    return true;
}

static bool table_indexes(struct request *r, const char *member, bool global,
                          struct dynamodb_table *t, struct dynamodb_index *index)
{
    json_t *list = json_object_get(r->in, member), *one;
    size_t i;
    if (!list || json_is_null(list))
        return true;
    if (json_array_size(list) == 0)
        return request_invalid(r,
                               "One or more parameter values were invalid: List of %s is "
                               "empty",
                               member);
    json_array_foreach(list, i, one)
    {
        struct jobq_str name = {NULL, 0};
        struct dynamodb_index *x = &index[t->index_count];
        json_t *throughput = json_object_get(one, "ProvisionedThroughput");
        if (i == (global ? 20 : 5) || t->index_count == DYNAMODB_INDEXES_MAX)
            return request_invalid(r,
                                   "One or more parameter values were invalid: %s count "
                                   "exceeds the per-table limit of %d",
                                   global ? "GlobalSecondaryIndex"
                                          : "Number of "
                                            "LocalSecondaryIndexes",
                                   global ? 20 : 5);
        *x = (struct dynamodb_index){.global = global};
        if (!request_text(r, one, "IndexName", &name) ||
            !table_schema(r, one, &x->partition, &x->sort) ||
            !table_projection(r, one, x) ||
            !request_count(r, throughput, "ReadCapacityUnits", 1, &x->read_capacity) ||
            !request_count(r, throughput, "WriteCapacityUnits", 1, &x->write_capacity))
            return false;
        if (!name.ptr || name.len < 3 || name.len > DYNAMODB_NAME_MAX)
            return request_invalid(
                r, "IndexName must be at least 3 characters long and at most "
                   "255 characters long");
        memcpy(x->name, name.ptr, (size_t)name.len);
        for (int k = 0; k < t->index_count; k++)
            if (strcmp(index[k].name, x->name) == 0)
                return request_invalid(
                    r,
                    "One or more parameter values were invalid: Duplicate "
                    "index name: %s",
                    x->name);
        if (!global && strcmp(x->partition.name, t->partition.name) != 0)
            return request_invalid(
                r,
                "One or more parameter values were invalid: Index KeySchema "
                "does not have the same leading hash key as table "
                "KeySchema for index: %s. index hash key: %s, table hash "
                "key: %s",
                x->name, x->partition.name, t->partition.name);
        if (!global && !x->sort.name[0])
            return request_invalid(
                r,
                "One or more parameter values were invalid: Index KeySchema "
                "does not have a range key for index: %s",
                x->name);
        t->index_count++;
    }
    return true;
}

/* Each definition is some key's. */
static bool table_definitions_used(struct request *r, const struct dynamodb_table *t)
{
    json_t *definitions = json_object_get(r->in, "AttributeDefinitions"), *one;
    size_t i;
    json_array_foreach(definitions, i, one)
    {
        const char *name = json_string_value(json_object_get(one, "AttributeName"));
        bool used = name && (strcmp(name, t->partition.name) == 0 ||
                             strcmp(name, t->sort.name) == 0);
        for (int k = 0; k < t->index_count && name && !used; k++)
            used = strcmp(name, t->index[k].partition.name) == 0 ||
                   strcmp(name, t->index[k].sort.name) == 0;
        if (!used)
            return t->index_count == 0
                       ? request_invalid(
                             r, "One or more parameter values were invalid: Number "
                                "of attributes in KeySchema does not exactly match "
                                "number of attributes defined in "
                                "AttributeDefinitions")
                       : request_invalid(
                             r,
                             "One or more parameter values were invalid: Some "
                             "AttributeDefinitions are not used. "
                             "AttributeDefinitions: [%s]",
                             name ? name : "");
    }
    return true;
}

static bool table_keys(struct request *r, struct dynamodb_table *t)
{
    struct dynamodb_index *index =
        arena_alloc(r->arena, (DYNAMODB_INDEXES_MAX + 1) * sizeof *index);
    if (!json_is_array(json_object_get(r->in, "AttributeDefinitions")))
        return request_invalid(
            r, "1 validation error detected: Value null at "
               "'attributeDefinitions' failed to satisfy constraint: Member "
               "must not be null");
    t->index = index;
    return table_schema(r, r->in, &t->partition, &t->sort) &&
           table_indexes(r, "LocalSecondaryIndexes", false, t, index) &&
           table_indexes(r, "GlobalSecondaryIndexes", true, t, index) &&
           table_definitions_used(r, t);
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
