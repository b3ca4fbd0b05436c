#include "sim/mock/dynamodb/request.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* ---- refusals ----------------------------------------------------------------------- */

static bool request_refuse(struct request *r, int status, const char *shape,
                           const char *text)
{
    if (!r->failed)
        mock_fail(r->call, status, strchr(shape, '#') + 1, shape, "%s", text);
    r->failed = true;
    return false;
}

bool request_invalid(struct request *r, const char *format, ...)
{
    char text[500];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return request_refuse(r, 400, "com.amazon.coral.validate#ValidationException", text);
}

bool request_malformed(struct request *r, const char *text)
{
    return request_refuse(r, 400, "com.amazon.coral.service#SerializationException",
                          text);
}

bool request_fault(struct request *r, const struct json_fault *fault)
{
    return fault->shape ? request_malformed(r, fault->text)
                        : request_invalid(r, "%s", fault->text);
}

bool request_refused(struct request *r, const struct dynamodb_reply *reply,
                     const struct jobq_error *err)
{
    char shape[120];
    if (reply->fault == DYNAMODB_FAULT_VALIDATION)
        return request_invalid(r, "%s", err->text);
    snprintf(shape, sizeof shape, "com.amazonaws.dynamodb.v20120810#%s",
             dynamodb_fault_name(reply->fault));
    const char *kept = arena_cstr(r->arena, shape);
    request_refuse(r, dynamodb_fault_status(reply->fault), kept, err->text);
    if (reply->fault == DYNAMODB_FAULT_THROUGHPUT) {
        char more[200];
        snprintf(more, sizeof more, "\"ThrottlingReasons\":[{\"reason\":\"%s\"}]",
                 reply->throttle);
        r->call->error.more = arena_cstr(r->arena, more);
    }
    return false;
}

/* ---- members ------------------------------------------------------------------------ */

static json_t *request_find(json_t *of, const char *name)
{
    json_t *member = json_object_get(of, name);
    return json_is_null(member) ? NULL : member;
}

static bool request_wrong_type(struct request *r, json_t *member, const char *type)
{
    char text[120];
    if (json_is_object(member))
        return request_malformed(r, "Start of structure or map found where not expected");
    if (json_is_array(member))
        snprintf(text, sizeof text, "Unrecognized collection type class java.lang.%s",
                 type);
    else
        snprintf(text, sizeof text, "%s cannot be converted to %s",
                 json_is_string(member)    ? "STRING_VALUE"
                 : json_is_true(member)    ? "TRUE_VALUE"
                 : json_is_false(member)   ? "FALSE_VALUE"
                 : json_is_integer(member) ? "NUMBER_VALUE"
                                           : "DECIMAL_VALUE",
                 type);
    return request_malformed(r, text);
}

bool request_text(struct request *r, json_t *of, const char *name, struct jobq_str *out)
{
    json_t *member = request_find(of, name);
    if (!member)
        return true;
    if (!json_is_string(member))
        return request_wrong_type(r, member, "String");
    *out =
        (struct jobq_str){json_string_value(member), (int64_t)json_string_length(member)};
    return true;
}

bool request_flag(struct request *r, json_t *of, const char *name, bool *out)
{
    json_t *member = request_find(of, name);
    if (!member)
        return true;
    if (!json_is_boolean(member))
        return json_is_string(member)
                   ? request_malformed(r, "Unexpected token received from parser")
                   : request_wrong_type(r, member, "Boolean");
    *out = json_is_true(member);
    return true;
}

bool request_count(struct request *r, json_t *of, const char *name, int64_t low,
                   int64_t *out)
{
    json_t *member = request_find(of, name);
    if (!member)
        return true;
    if (!json_is_number(member))
        return request_wrong_type(r, member, "Integer");
    *out = (int64_t)json_number_value(member);
    return *out >= low ||
           request_invalid(
               r,
               "1 validation error detected: Value '%lld' at '%c%s' failed to "
               "satisfy constraint: Member must have value greater than or equal "
               "to %lld",
               (long long)*out, name[0] | 0x20, name + 1, (long long)low);
}

bool request_choice(struct request *r, json_t *of, const char *name, const char *words,
                    int *out)
{
    struct jobq_str text = {NULL, 0};
    char listed[120];
    size_t at = 0;
    if (!request_text(r, of, name, &text))
        return false;
    if (!text.ptr)
        return true;
    const char *word = words;
    for (int i = 0; *word; i++) {
        size_t len = strcspn(word, "|");
        if ((size_t)text.len == len && memcmp(text.ptr, word, len) == 0) {
            *out = i;
            return true;
        }
        at += (size_t)snprintf(listed + at, sizeof listed - at, "%s%.*s", i ? ", " : "",
                               (int)len, word);
        word += len;
        word += *word == '|';
    }
    return request_invalid(
        r,
        "1 validation error detected: Value '%.*s' at '%c%s' failed to "
        "satisfy constraint: Member must satisfy enum value set: [%s]",
        (int)text.len, text.ptr, name[0] | 0x20, name + 1, listed);
}

bool request_table(struct request *r, json_t *of, int *out)
{
    struct jobq_str name = {NULL, 0};
    if (!request_text(r, of, "TableName", &name))
        return false;
    if (!name.ptr)
        return request_invalid(
            r,
            "The parameter 'TableName' is required but was not present in the request");
    if (name.len < 3 || name.len > DYNAMODB_NAME_MAX)
        return request_invalid(r, "TableName must be at least 3 characters long and at "
                                  "most 255 characters long");
    for (int64_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
              (c >= '0' && c <= '9') || c == '_' || c == '.' || c == '-'))
            return request_invalid(r,
                                   "1 validation error detected: Value '%.*s' at "
                                   "'tableName' failed to satisfy "
                                   "constraint: Member must satisfy regular expression "
                                   "pattern: [a-zA-Z0-9_.-]+",
                                   (int)name.len, name.ptr);
    }
    *out = dynamodb_find_table(r->model, name);
    return true;
}

bool request_item(struct request *r, json_t *of, const char *name,
                  struct dynamodb_item *out)
{
    struct json_fault fault;
    json_t *member = request_find(of, name);
    if (!member)
        return request_invalid(
            r,
            "1 validation error detected: Value null at '%c%s' failed to "
            "satisfy constraint: Member must not be null",
            name[0] | 0x20, name + 1);
    return json_read_item(member, r->arena, out, &fault) || request_fault(r, &fault);
}

/* ---- expressions -------------------------------------------------------------------- */

static bool request_names(struct request *r, json_t *of)
{
    const char *key;
    json_t *member, *names = request_find(of, "ExpressionAttributeNames");
    if (!names)
        return true;
    if (!json_is_object(names))
        return request_malformed(r, "Unexpected field type");
    if (json_object_size(names) == 0)
        return request_invalid(r, "ExpressionAttributeNames must not be empty");
    r->context.name =
        arena_zalloc(r->arena, json_object_size(names) * sizeof *r->context.name);
    json_object_foreach(names, key, member)
    {
        struct expression_name *name = &r->context.name[r->context.name_count++];
        if (!json_is_string(member))
            return request_wrong_type(r, member, "String");
        if (key[0] != '#' || key[1] == '\0')
            return request_invalid(
                r,
                "ExpressionAttributeNames contains invalid key: Syntax "
                "error; key: \"%.200s\"",
                key);
        name->placeholder = str_of(key);
        name->name = str_of(json_string_value(member));
    }
    return true;
}

static bool request_values(struct request *r, json_t *of)
{
    const char *key;
    json_t *member, *values = request_find(of, "ExpressionAttributeValues");
    struct json_fault fault;
    if (!values)
        return true;
    if (!json_is_object(values))
        return request_malformed(r, "Unexpected field type");
    if (json_object_size(values) == 0)
        return request_invalid(r, "ExpressionAttributeValues must not be empty");
    r->context.value =
        arena_zalloc(r->arena, json_object_size(values) * sizeof *r->context.value);
    json_object_foreach(values, key, member)
    {
        struct expression_value *value = &r->context.value[r->context.value_count++];
        if (key[0] != ':' || key[1] == '\0')
            return request_invalid(
                r,
                "ExpressionAttributeValues contains invalid key: Syntax "
                "error; key: \"%.200s\"",
                key);
        value->placeholder = str_of(key);
        if (!json_read_value(member, r->arena, &value->value, &fault))
            return fault.shape
                       ? request_malformed(r, fault.text)
                       : request_invalid(r,
                                         "ExpressionAttributeValues contains invalid "
                                         "value: %s for key %.100s",
                                         fault.text, key);
    }
    return true;
}

bool request_placeholders(struct request *r, json_t *of)
{
    static const char *const expressions[] = {
        "ConditionExpression", "UpdateExpression", "FilterExpression",
        "KeyConditionExpression", "ProjectionExpression"};
    r->context = (struct expression_context){.arena = r->arena};
    bool any = false;
    for (size_t i = 0; i < sizeof expressions / sizeof *expressions; i++)
        any |= request_find(of, expressions[i]) != NULL;
    for (int i = 0; i < 2 && !any; i++) {
        const char *name = i ? "ExpressionAttributeValues" : "ExpressionAttributeNames";
        if (request_find(of, name))
            return request_invalid(r, "%s can only be specified when using expressions",
                                   name);
    }
    return request_names(r, of) && request_values(r, of);
}

bool request_condition(struct request *r, json_t *of, const char *name,
                       const struct expression_node **out)
{
    struct jobq_error err;
    struct jobq_str text = {NULL, 0};
    *out = NULL;
    if (!request_text(r, of, name, &text))
        return false;
    if (!text.ptr)
        return true;
    return expression_condition(text, &r->context, out, &err) == JOBQ_OK ||
           request_invalid(r, "Invalid %s: %s", name, err.text);
}

bool request_update(struct request *r, json_t *of, const struct expression_update **out)
{
    struct jobq_error err;
    struct jobq_str text = {NULL, 0};
    *out = NULL;
    if (!request_text(r, of, "UpdateExpression", &text))
        return false;
    if (!text.ptr)
        return true;
    struct expression_update *update = arena_zalloc(r->arena, sizeof *update);
    *out = update;
    return expression_update(text, &r->context, update, &err) == JOBQ_OK ||
           request_invalid(r, "Invalid UpdateExpression: %s", err.text);
}

bool request_projection(struct request *r, json_t *of, struct expression_projection *out)
{
    struct jobq_error err;
    struct jobq_str text = {NULL, 0};
    *out = (struct expression_projection){0};
    if (!request_text(r, of, "ProjectionExpression", &text))
        return false;
    if (!text.ptr)
        return true;
    return expression_project(text, &r->context, out, &err) == JOBQ_OK ||
           request_invalid(r, "Invalid ProjectionExpression: %s", err.text);
}

bool request_all_used(struct request *r)
{
    for (int i = 0; i < r->context.name_count; i++)
        if (!r->context.name[i].used)
            return request_invalid(r,
                                   "Value provided in ExpressionAttributeNames unused in "
                                   "expressions: keys: {%.*s}",
                                   (int)r->context.name[i].placeholder.len,
                                   r->context.name[i].placeholder.ptr);
    for (int i = 0; i < r->context.value_count; i++)
        if (!r->context.value[i].used)
            return request_invalid(
                r,
                "Value provided in ExpressionAttributeValues unused in "
                "expressions: keys: {%.*s}",
                (int)r->context.value[i].placeholder.len,
                r->context.value[i].placeholder.ptr);
    return true;
}

/* ---- replies ------------------------------------------------------------------------ */

void request_member(struct request *r, const char *name)
{
    if (r->wrote)
        text_putc(r->out, ',');
    r->wrote = true;
    text_putc(r->out, '"');
    text_puts(r->out, name);
    text_puts(r->out, "\":");
}

void request_write_item(struct request *r, const char *name,
                        const struct dynamodb_item *item)
{
    request_member(r, name);
    json_write_item(item, r->out);
}

void request_use(struct request *r, int table, double units)
{
    int i = 0;
    while (i < r->used_count && r->used[i].table != table)
        i++;
    if (i == REQUEST_TABLES_MAX)
        return;
    if (i == r->used_count) {
        r->used[r->used_count].table = table;
        r->used[r->used_count++].units = 0;
    }
    r->used[i].units += units;
}

static void request_consumed_one(struct request *r, int i, bool indexes)
{
    text_puts(r->out, "{\"TableName\":");
    text_put_json(r->out, str_of(dynamodb_table(r->model, r->used[i].table)->name));
    text_puts(r->out, ",\"CapacityUnits\":");
    text_put_double(r->out, r->used[i].units);
    if (indexes) {
        text_puts(r->out, ",\"Table\":{\"CapacityUnits\":");
        text_put_double(r->out, r->used[i].units);
        text_putc(r->out, '}');
    }
    text_putc(r->out, '}');
}

bool request_consumed(struct request *r, bool list)
{
    int wanted = 2;
    if (!request_choice(r, r->in, "ReturnConsumedCapacity", "INDEXES|TOTAL|NONE",
                        &wanted))
        return false;
    if (wanted == 2 || r->used_count == 0)
        return true;
    request_member(r, "ConsumedCapacity");
    if (list)
        text_putc(r->out, '[');
    for (int i = 0; i < r->used_count; i++) {
        if (i)
            text_putc(r->out, ',');
        request_consumed_one(r, i, wanted == 0);
    }
    if (list)
        text_putc(r->out, ']');
    return true;
}
