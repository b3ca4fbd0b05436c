/* items.c - DynamoDB's actions on items.
 *
 * Room:     sim/mock.
 * Callers:  as handlers.h.
 * Knows nothing of: how tables are made. */
#include "sim/mock/dynamodb/handlers.h"

#include "sim/mock/dynamodb/legacy.h"
#include "sim/mock/state/state.h"

#include <stdio.h>
#include <string.h>

enum { BATCH_WRITES_MAX = 25, BATCH_GETS_MAX = 100, TRANSACTION_MAX = 100 };
enum returned {
    RETURN_NONE,
    RETURN_ALL_OLD,
    RETURN_UPDATED_OLD,
    RETURN_ALL_NEW,
    RETURN_UPDATED_NEW
};

static bool item_option(struct request *r, json_t *of, const char *name,
                        const char *words, int *out)
{
    *out = RETURN_NONE;
    return request_choice(r, of, name, words, out);
}

/* ---- single writes ------------------------------------------------------------------ */

static void item_show_failed(struct request *r, const struct dynamodb_item *before)
{
    struct text more = {0};
    text_puts(&more, "\"Item\":");
    json_write_item(before, &more);
    r->call->error.more = arena_str(r->arena, text_str(&more)).ptr;
    text_release(&more);
}

/* Makes the write and replies with what ReturnValues asks for. */
static bool item_write(struct request *r, const struct dynamodb_write *w,
                       const char *words)
{
    struct dynamodb_item before = {NULL, 0}, after = {NULL, 0};
    struct dynamodb_reply reply;
    struct jobq_error err;
    int wanted, on_failure, unused;
    if (!item_option(r, r->in, "ReturnValues", words, &wanted) ||
        !item_option(r, r->in, "ReturnValuesOnConditionCheckFailure", "NONE|ALL_OLD",
                     &on_failure) ||
        !request_choice(r, r->in, "ReturnConsumedCapacity", "INDEXES|TOTAL|NONE",
                        &unused))
        return false;
    int code = dynamodb_write(r->model, r->call->now_ns, w, r->arena, &before, &after,
                              &reply, &err);
    r->call->write_units += reply.write_units;
    if (code < 0) {
        request_refused(r, &reply, &err);
        if (reply.fault == DYNAMODB_FAULT_CONDITION && on_failure && before.count > 0)
            item_show_failed(r, &before);
        return false;
    }
    state_item(r->call->mock->state, r->call->region, w->table, &w->item);
    request_use(r, w->table, reply.write_units);
    if (wanted == RETURN_ALL_OLD && before.count > 0)
        request_write_item(r, "Attributes", &before);
    if (wanted == RETURN_ALL_NEW)
        request_write_item(r, "Attributes", &after);
    if ((wanted == RETURN_UPDATED_OLD || wanted == RETURN_UPDATED_NEW) && w->update) {
        struct expression_path *path =
            arena_alloc(r->arena, (size_t)w->update->count * sizeof *path + 1);
        for (int i = 0; i < w->update->count; i++)
            path[i] = w->update->action[i].path;
        struct dynamodb_item part =
            expression_pick(path, w->update->count,
                            wanted == RETURN_UPDATED_OLD ? &before : &after, r->arena);
        if (part.count > 0)
            request_write_item(r, "Attributes", &part);
    }
    return request_consumed(r, false);
}

/* The parts that all three writes share: table, item or key, condition. */
static bool item_begin(struct request *r, enum dynamodb_verb verb,
                       struct dynamodb_write *w)
{
    *w = (struct dynamodb_write){.verb = verb};
    if (!request_table(r, r->in, &w->table) || !legacy_alone(r) ||
        !request_item(r, r->in, verb == DYNAMODB_PUT ? "Item" : "Key", &w->item) ||
        !request_placeholders(r, r->in) ||
        !request_condition(r, r->in, "ConditionExpression", &w->condition) ||
        !legacy_conditions(r, "Expected", &w->condition))
        return false;
    if (verb == DYNAMODB_UPDATE &&
        (!request_update(r, r->in, &w->update) || !legacy_updates(r, &w->update)))
        return false;
    return request_all_used(r);
}

bool dynamodb_put_item(struct request *r)
{
    struct dynamodb_write w;
    r->call->entries = 1;
    return item_begin(r, DYNAMODB_PUT, &w) && item_write(r, &w, "NONE|ALL_OLD");
}

bool dynamodb_delete_item(struct request *r)
{
    struct dynamodb_write w;
    r->call->entries = 1;
    return item_begin(r, DYNAMODB_DELETE, &w) && item_write(r, &w, "NONE|ALL_OLD");
}

bool dynamodb_update_item(struct request *r)
{
    struct dynamodb_write w;
    r->call->entries = 1;
    return item_begin(r, DYNAMODB_UPDATE, &w) &&
           item_write(r, &w, "NONE|ALL_OLD|UPDATED_OLD|ALL_NEW|UPDATED_NEW");
}

/* ---- single reads ------------------------------------------------------------------- */

static bool item_get(struct request *r, int table, const struct dynamodb_item *key,
                     bool consistent, const struct expression_projection *projection,
                     struct dynamodb_item *out)
{
    struct dynamodb_reply reply;
    struct jobq_error err;
    int code = dynamodb_get(r->model, r->call->now_ns, mock_u(r->call->mock), table, key,
                            consistent, r->arena, out, &reply, &err);
    r->call->read_units += reply.read_units;
    if (code < 0)
        return request_refused(r, &reply, &err);
    request_use(r, table, reply.read_units);
    if (projection->count > 0 && out->count > 0)
        *out = expression_pick(projection->path, projection->count, out, r->arena);
    return true;
}

bool dynamodb_get_item(struct request *r)
{
    struct dynamodb_item key, item;
    struct expression_projection projection;
    bool consistent = false;
    int table, unused;
    r->call->entries = 1;
    if (!request_table(r, r->in, &table) || !legacy_alone(r) ||
        !request_item(r, r->in, "Key", &key) ||
        !request_flag(r, r->in, "ConsistentRead", &consistent) ||
        !request_choice(r, r->in, "ReturnConsumedCapacity", "INDEXES|TOTAL|NONE",
                        &unused) ||
        !request_placeholders(r, r->in) || !request_projection(r, r->in, &projection) ||
        !legacy_projection(r, r->in, &projection) || !request_all_used(r) ||
        !item_get(r, table, &key, consistent, &projection, &item))
        return false;
    if (item.count > 0)
        request_write_item(r, "Item", &item);
    return request_consumed(r, false);
}

/* ---- pages -------------------------------------------------------------------------- */

static bool page_reply(struct request *r, int table,
                       const struct dynamodb_page_options *o,
                       const struct expression_projection *projection, bool count_only)
{
    struct dynamodb_page page;
    struct dynamodb_reply reply;
    struct jobq_error err;
    int code = dynamodb_page(r->model, r->call->now_ns, mock_u(r->call->mock), table, o,
                             r->arena, &page, &reply, &err);
    r->call->read_units += reply.read_units;
    if (code < 0)
        return request_refused(r, &reply, &err);
    r->call->entries = page.count;
    request_use(r, table, reply.read_units);
    request_member(r, "Count");
    text_put_int(r->out, page.count);
    request_member(r, "ScannedCount");
    text_put_int(r->out, page.scanned);
    if (!count_only) {
        request_member(r, "Items");
        text_putc(r->out, '[');
        for (int i = 0; i < page.count; i++) {
            struct dynamodb_item item = page.item[i];
            if (projection->count > 0)
                item =
                    expression_pick(projection->path, projection->count, &item, r->arena);
            if (i)
                text_putc(r->out, ',');
            json_write_item(&item, r->out);
        }
        text_putc(r->out, ']');
    }
    if (page.last.count > 0)
        request_write_item(r, "LastEvaluatedKey", &page.last);
    return request_consumed(r, false);
}

/* IndexName, if there is one. */
static bool page_index(struct request *r, int table, struct dynamodb_page_options *o)
{
    struct jobq_str name = {NULL, 0};
    const struct dynamodb_table *t = dynamodb_table(r->model, table);
    if (!request_text(r, r->in, "IndexName", &name))
        return false;
    if (!name.ptr || !t)
        return true;
    for (int i = 0; i < t->index_count; i++)
        if (str_is(name, t->index[i].name))
            o->index = &t->index[i];
    if (!o->index)
        return request_invalid(r, "The table does not have the specified index: %.*s",
                               (int)name.len, name.ptr);
    return !(o->index->global && o->consistent) ||
           request_invalid(
               r, "Consistent reads are not supported on global secondary indexes");
}

/* What Query and Scan share. */
static bool page_begin(struct request *r, int *table, struct dynamodb_page_options *o,
                       struct expression_projection *projection, bool *count_only)
{
    int select = 0, unused;
    struct dynamodb_item *after = arena_zalloc(r->arena, sizeof *after);
    *o = (struct dynamodb_page_options){0};
    if (!request_table(r, r->in, table) || !legacy_alone(r) ||
        !request_count(r, r->in, "Limit", 1, &o->limit) ||
        !request_flag(r, r->in, "ConsistentRead", &o->consistent) ||
        !request_choice(
            r, r->in, "Select",
            "ALL_ATTRIBUTES|ALL_PROJECTED_ATTRIBUTES|SPECIFIC_ATTRIBUTES|COUNT",
            &select) ||
        !request_choice(r, r->in, "ReturnConsumedCapacity", "INDEXES|TOTAL|NONE",
                        &unused))
        return false;
    if (!page_index(r, *table, o))
        return false;
    if (json_is_object(json_object_get(r->in, "ExclusiveStartKey"))) {
        if (!request_item(r, r->in, "ExclusiveStartKey", after))
            return false;
        o->after = after;
    }
    *count_only = select == 3;
    return request_placeholders(r, r->in) &&
           request_condition(r, r->in, "FilterExpression", &o->filter) &&
           legacy_conditions(r, "QueryFilter", &o->filter) &&
           legacy_conditions(r, "ScanFilter", &o->filter) &&
           request_projection(r, r->in, projection) &&
           legacy_projection(r, r->in, projection);
}

/* The one step of a path, if it is that key; NULL: it is not. */
static bool key_is(const struct expression_node *node, const char *name)
{
    return node->kind == EXPRESSION_PATH && node->path.count == 1 && name[0] &&
           str_is(node->path.step[0].name, name);
}

/* Takes "partition = :v" and, if any, the condition on the sort key out of what is read. */
static bool query_take(struct request *r, const struct dynamodb_key *partition,
                       const struct dynamodb_key *sort,
                       const struct expression_node *node,
                       struct dynamodb_page_options *o)
{
    if (node->kind == EXPRESSION_AND)
        return query_take(r, partition, sort, node->arg[0], o) &&
               query_take(r, partition, sort, node->arg[1], o);
    if (node->kind == EXPRESSION_EQUAL && key_is(node->arg[0], partition->name) &&
        node->arg[1]->kind == EXPRESSION_VALUE && !o->partition) {
        o->partition = node->arg[1]->value;
        return o->partition->type == partition->type ||
               request_invalid(r, "One or more parameter values were invalid: Condition "
                                  "parameter type does not match schema type");
    }
    bool comparison =
        node->kind == EXPRESSION_EQUAL || node->kind == EXPRESSION_LESS ||
        node->kind == EXPRESSION_LESS_EQUAL || node->kind == EXPRESSION_MORE ||
        node->kind == EXPRESSION_MORE_EQUAL || node->kind == EXPRESSION_BETWEEN ||
        node->kind == EXPRESSION_BEGINS_WITH;
    if (!comparison)
        return request_invalid(r, "Invalid operator used in KeyConditionExpression: %s",
                               node->kind == EXPRESSION_OR          ? "OR"
                               : node->kind == EXPRESSION_NOT       ? "NOT"
                               : node->kind == EXPRESSION_IN        ? "IN"
                               : node->kind == EXPRESSION_DIFFERENT ? "<>"
                               : node->kind == EXPRESSION_CONTAINS  ? "contains"
                               : node->kind == EXPRESSION_EXISTS
                                   ? "attribute_exists"
                                   : "attribute_not_exists");
    if (!key_is(node->arg[0], sort->name) || o->sort_condition)
        return request_invalid(r, "Query condition missed key schema element: %s",
                               o->partition && sort->name[0] ? sort->name
                                                             : partition->name);
    o->sort_condition = node;
    return true;
}

bool dynamodb_query(struct request *r)
{
    struct dynamodb_page_options o;
    struct expression_projection projection;
    const struct expression_node *key;
    bool count_only, forward = true;
    int table;
    if (!page_begin(r, &table, &o, &projection, &count_only) ||
        !request_flag(r, r->in, "ScanIndexForward", &forward) ||
        !request_condition(r, r->in, "KeyConditionExpression", &key) ||
        !legacy_conditions(r, "KeyConditions", &key))
        return false;
    if (!key)
        return request_invalid(
            r, "Either the KeyConditions or KeyConditionExpression parameter "
               "must be specified in the request.");
    if (!request_all_used(r))
        return false;
    const struct dynamodb_table *t = dynamodb_table(r->model, table);
    o.backward = !forward;
    if (!t) /* which the model refuses */
        return page_reply(r, table, &o, &projection, count_only);
    const struct dynamodb_key *partition = o.index ? &o.index->partition : &t->partition;
    if (!query_take(r, partition, o.index ? &o.index->sort : &t->sort, key, &o))
        return false;
    if (!o.partition)
        return request_invalid(r, "Query condition missed key schema element: %s",
                               partition->name);
    return page_reply(r, table, &o, &projection, count_only);
}

bool dynamodb_scan(struct request *r)
{
    struct dynamodb_page_options o;
    struct expression_projection projection;
    bool count_only;
    int table;
    int64_t segment = -1, segments = 0;
    if (!page_begin(r, &table, &o, &projection, &count_only) ||
        !request_count(r, r->in, "Segment", 0, &segment) ||
        !request_count(r, r->in, "TotalSegments", 1, &segments) || !request_all_used(r))
        return false;
    if ((segment >= 0) != (segments > 0))
        return request_invalid(
            r, segment >= 0
                   ? "The TotalSegments parameter is required but was not present in "
                     "the request when Segment parameter is present"
                   : "The Segment parameter is required but was not present in the "
                     "request when parameter TotalSegments is present");
    if (segments > 1000000)
        return request_invalid(
            r,
            "1 validation error detected: Value '%lld' at 'totalSegments' "
            "failed to satisfy constraint: Member must have value less "
            "than or equal to 1000000",
            (long long)segments);
    if (segment >= segments && segments > 0)
        return request_invalid(
            r,
            "The Segment parameter is zero-based and must be less than "
            "parameter TotalSegments: Segment: %lld is not less than "
            "TotalSegments: %lld",
            (long long)segment, (long long)segments);
    o.segment = segment > 0 ? (int)segment : 0;
    o.segments = (int)segments;
    return page_reply(r, table, &o, &projection, count_only);
}

/* ---- batches ------------------------------------------------------------------------ */

/* A table by its name as a key of RequestItems. */
static bool batch_table(struct request *r, const char *name, int *out)
{
    struct dynamodb_reply reply = {.fault = DYNAMODB_FAULT_NO_TABLE};
    struct jobq_error err;
    *out = dynamodb_find_table(r->model, str_of(name));
    if (*out >= 0)
        return true;
    jobq_fail(&err, JOBQ_NOT_FOUND, "Requested resource not found");
    return request_refused(r, &reply, &err);
}

static json_t *batch_items(struct request *r)
{
    json_t *items = json_object_get(r->in, "RequestItems");
    if (json_is_object(items) && json_object_size(items) > 0)
        return items;
    request_invalid(
        r,
        "1 validation error detected: Value %s at 'requestItems' failed to satisfy "
        "constraint: Member must %s",
        json_is_object(items) ? "'{}'" : "null",
        json_is_object(items) ? "have length greater than or equal to 1" : "not be null");
    return NULL;
}

static bool batch_twice(struct request *r, const struct dynamodb_write *w, int count)
{
    const struct dynamodb_table *t = dynamodb_table(r->model, w[count].table);
    struct jobq_str key[2] = {str_of(t->partition.name), str_of(t->sort.name)};
    for (int i = 0; i < count; i++) {
        bool same = w[i].table == w[count].table;
        for (int k = 0; k < 2 && same && key[k].len > 0; k++) {
            const struct dynamodb_value *a = dynamodb_find(&w[i].item, key[k]);
            const struct dynamodb_value *b = dynamodb_find(&w[count].item, key[k]);
            same = a && b && dynamodb_equal(a, b);
        }
        if (same)
            return true;
    }
    return false;
}

static bool batch_write_one(struct request *r, json_t *one, struct dynamodb_write *w)
{
    json_t *put = json_object_get(one, "PutRequest");
    json_t *del = json_object_get(one, "DeleteRequest");
    if (!json_is_object(put) == !json_is_object(del))
        return request_invalid(r,
                               "Supplied AttributeValue has more than one datatypes set, "
                               "must contain exactly one of the supported datatypes");
    w->verb = put ? DYNAMODB_PUT : DYNAMODB_DELETE;
    return request_item(r, put ? put : del, put ? "Item" : "Key", &w->item);
}

/* The writes that were turned away, as the request had them. */
static void batch_left(struct request *r, json_t *left, const char *member)
{
    char *text = json_dumps(left, JSON_COMPACT);
    request_member(r, member);
    text_puts(r->out, text);
    free(text);
}

static void batch_keep(json_t *left, const char *table, json_t *one)
{
    json_t *list = json_object_get(left, table);
    if (!list) {
        list = json_array();
        json_object_set_new(left, table, list);
    }
    json_array_append(list, one);
}

static bool batch_write_run(struct request *r, struct dynamodb_write *w,
                            json_t *const *from, int count, json_t *left)
{
    int throttled = 0;
    struct dynamodb_reply reply;
    struct jobq_error err;
    for (int i = 0; i < count; i++) {
        int code = dynamodb_write(r->model, r->call->now_ns, &w[i], r->arena, NULL, NULL,
                                  &reply, &err);
        r->call->write_units += reply.write_units;
        if (code == JOBQ_OK) {
            state_item(r->call->mock->state, r->call->region, w[i].table, &w[i].item);
            request_use(r, w[i].table, reply.write_units);
        } else if (reply.fault == DYNAMODB_FAULT_THROUGHPUT) {
            throttled++;
            batch_keep(left, dynamodb_table(r->model, w[i].table)->name, from[i]);
        } else {
            return request_refused(r, &reply, &err);
        }
    }
    return throttled < count || request_refused(r, &reply, &err);
}

bool dynamodb_batch_write(struct request *r)
{
    struct dynamodb_write w[BATCH_WRITES_MAX];
    json_t *from[BATCH_WRITES_MAX], *list, *one, *items = batch_items(r);
    const char *name;
    size_t i;
    int count = 0, unused;
    if (!items || !request_choice(r, r->in, "ReturnConsumedCapacity",
                                  "INDEXES|TOTAL|NONE", &unused))
        return false;
    json_object_foreach(items, name, list)
    {
        json_array_foreach(list, i, one)
        {
            if (count == BATCH_WRITES_MAX)
                return request_invalid(r,
                                       "Too many items requested for the BatchWriteItem "
                                       "call");
            w[count] = (struct dynamodb_write){0};
            from[count] = one;
            if (!batch_table(r, name, &w[count].table) ||
                !batch_write_one(r, one, &w[count]))
                return false;
            if (batch_twice(r, w, count))
                return request_invalid(r,
                                       "Provided list of item keys contains duplicates");
            count++;
        }
    }
    if (count == 0)
        return request_invalid(
            r, "The batch write request list for a table cannot be null or "
               "empty");
    r->call->entries = count;
    json_t *left = json_object();
    bool good = batch_write_run(r, w, from, count, left);
    if (good)
        batch_left(r, left, "UnprocessedItems");
    json_decref(left);
    return good && request_consumed(r, true);
}

/* The keys of one table, answered as "table":[item,...]. */
static bool batch_get_table(struct request *r, const char *name, json_t *of, int *count,
                            struct text *out)
{
    struct expression_projection projection;
    bool consistent = false, first = true;
    json_t *keys = json_object_get(of, "Keys"), *one;
    size_t i;
    int table;
    if (!batch_table(r, name, &table) ||
        !request_flag(r, of, "ConsistentRead", &consistent) ||
        !request_placeholders(r, of) || !request_projection(r, of, &projection) ||
        !legacy_projection(r, of, &projection) || !request_all_used(r))
        return false;
    text_put_json(out, str_of(name));
    text_puts(out, ":[");
    json_array_foreach(keys, i, one)
    {
        struct dynamodb_item key, item;
        struct json_fault fault;
        if (++*count > BATCH_GETS_MAX)
            return request_invalid(r,
                                   "Too many items requested for the BatchGetItem call");
        if (!json_read_item(one, r->arena, &key, &fault))
            return request_fault(r, &fault);
        if (!item_get(r, table, &key, consistent, &projection, &item))
            return false;
        if (item.count == 0)
            continue;
        if (!first)
            text_putc(out, ',');
        first = false;
        json_write_item(&item, out);
    }
    text_putc(out, ']');
    return true;
}

bool dynamodb_batch_get(struct request *r)
{
    json_t *of, *items = batch_items(r);
    const char *name;
    struct text out = {0};
    int count = 0, unused;
    bool good = items && request_choice(r, r->in, "ReturnConsumedCapacity",
                                        "INDEXES|TOTAL|NONE", &unused);
    json_object_foreach(good ? items : NULL, name, of)
    {
        if (out.len > 0)
            text_putc(&out, ',');
        if (!batch_get_table(r, name, of, &count, &out)) {
            good = false;
            break;
        }
    }
    r->call->entries = count;
    if (good) {
        request_member(r, "Responses");
        text_putc(r->out, '{');
        text_put_str(r->out, text_str(&out));
        text_putc(r->out, '}');
        request_member(r, "UnprocessedKeys");
        text_puts(r->out, "{}");
    }
    text_release(&out);
    return good && request_consumed(r, true);
}

/* ---- transactions ------------------------------------------------------------------- */

static bool transact_read(struct request *r, json_t *one, struct dynamodb_write *w,
                          int *on_failure)
{
    static const struct {
        const char *name;
        enum dynamodb_verb verb;
    } kinds[] = {{"Put", DYNAMODB_PUT},
                 {"Update", DYNAMODB_UPDATE},
                 {"Delete", DYNAMODB_DELETE},
                 {"ConditionCheck", DYNAMODB_CHECK}};
    json_t *of = NULL;
    *w = (struct dynamodb_write){0};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds && !of; i++) {
        of = json_object_get(one, kinds[i].name);
        w->verb = kinds[i].verb;
    }
    if (!json_is_object(of))
        return request_invalid(
            r, "Invalid Request: TransactWriteRequest should contain Delete "
               "or Put or Update request");
    return request_table(r, of, &w->table) &&
           request_item(r, of, w->verb == DYNAMODB_PUT ? "Item" : "Key", &w->item) &&
           request_placeholders(r, of) &&
           request_condition(r, of, "ConditionExpression", &w->condition) &&
           (w->verb != DYNAMODB_UPDATE || request_update(r, of, &w->update)) &&
           request_all_used(r) &&
           item_option(r, of, "ReturnValuesOnConditionCheckFailure", "NONE|ALL_OLD",
                       on_failure);
}

static bool transact_cancelled(struct request *r, const enum dynamodb_fault *cancel,
                               const struct dynamodb_item *before, const int *on_failure,
                               int count)
{
    struct text more = {0}, text = {0};
    text_puts(&text,
              "Transaction cancelled, please refer cancellation reasons for specific "
              "reasons [");
    text_puts(&more, "\"CancellationReasons\":[");
    for (int i = 0; i < count; i++) {
        const char *code = cancel[i] == DYNAMODB_FAULT_CONDITION
                               ? "ConditionalCheckFailed"
                           : cancel[i] == DYNAMODB_FAULT_VALIDATION ? "ValidationError"
                                                                    : "None";
        text_printf(&text, "%s%s", i ? ", " : "", code);
        text_printf(&more, "%s{\"Code\":\"%s\"", i ? "," : "", code);
        if (cancel[i] == DYNAMODB_FAULT_CONDITION)
            text_puts(&more, ",\"Message\":\"The conditional request failed\"");
        if (on_failure[i] && before[i].count > 0) {
            text_puts(&more, ",\"Item\":");
            json_write_item(&before[i], &more);
        }
        text_putc(&more, '}');
    }
    text_puts(&text, "]");
    text_puts(&more, "]");
    struct dynamodb_reply reply = {.fault = DYNAMODB_FAULT_CANCELED};
    struct jobq_error err;
    jobq_fail(&err, JOBQ_CONFLICT, "%s", text.ptr);
    request_refused(r, &reply, &err);
    r->call->error.more = arena_str(r->arena, text_str(&more)).ptr;
    text_release(&more);
    text_release(&text);
    return false;
}

bool dynamodb_transact_write(struct request *r)
{
    struct dynamodb_write *w =
        arena_zalloc(r->arena, TRANSACTION_MAX * sizeof *w); /* too large for a stack */
    struct dynamodb_item before[TRANSACTION_MAX];
    enum dynamodb_fault cancel[TRANSACTION_MAX];
    int on_failure[TRANSACTION_MAX], unused;
    struct dynamodb_reply reply;
    struct jobq_error err;
    json_t *items = json_object_get(r->in, "TransactItems"), *one;
    size_t i, count = json_array_size(items);
    if (count < 1 || count > TRANSACTION_MAX)
        return request_invalid(
            r,
            "1 validation error detected: Value '[]' at 'transactItems' "
            "failed to satisfy constraint: Member must have length %s "
            "than or equal to %d",
            count ? "less" : "greater", count ? TRANSACTION_MAX : 1);
    if (!request_choice(r, r->in, "ReturnConsumedCapacity", "INDEXES|TOTAL|NONE",
                        &unused))
        return false;
    json_array_foreach(
        items, i, one) if (!transact_read(r, one, &w[i], &on_failure[i])) return false;
    r->call->entries = (int)count;
    int code = dynamodb_transact(r->model, r->call->now_ns, w, (int)count, r->arena,
                                 before, cancel, &reply, &err);
    r->call->write_units += reply.write_units;
    if (code < 0)
        return reply.fault == DYNAMODB_FAULT_CANCELED
                   ? transact_cancelled(r, cancel, before, on_failure, (int)count)
                   : request_refused(r, &reply, &err);
    for (i = 0; i < count; i++)
        state_item(r->call->mock->state, r->call->region, w[i].table, &w[i].item);
    for (i = 0; i < count; i++)
        if (i == 0 || w[i].table != w[i - 1].table)
            request_use(r, w[i].table, i == 0 ? reply.write_units : 0);
    return request_consumed(r, true);
}
