#include "sim/mock/dynamodb/legacy.h"

#include <stdio.h>
#include <string.h>

static const char *const LEGACY[] = {
    "AttributesToGet", "AttributeUpdates", "Expected",           "QueryFilter",
    "ScanFilter",      "KeyConditions",    "ConditionalOperator"};
static const char *const EXPRESSION[] = {"UpdateExpression", "FilterExpression",
                                         "ConditionExpression", "ProjectionExpression",
                                         "KeyConditionExpression"};

/* "{A, B}" of those members that the request has; false: none. */
static bool legacy_list(const struct request *r, const char *const *name, size_t count,
                        char *out, size_t cap)
{
    size_t at = (size_t)snprintf(out, cap, "{");
    bool any = false;
    for (size_t i = 0; i < count; i++) {
        json_t *member = json_object_get(r->in, name[i]);
        if (!member || json_is_null(member))
            continue;
        at += (size_t)snprintf(out + at, cap - at, "%s%s", any ? ", " : "", name[i]);
        any = true;
    }
    snprintf(out + at, cap - at, "}");
    return any;
}

bool legacy_alone(struct request *r)
{
    char old[160], new[160];
    if (!legacy_list(r, LEGACY, sizeof LEGACY / sizeof *LEGACY, old, sizeof old) ||
        !legacy_list(r, EXPRESSION, sizeof EXPRESSION / sizeof *EXPRESSION, new,
                     sizeof new))
        return true;
    return request_invalid(
        r,
        "Can not use both expression and non-expression parameters in the "
        "same request: Non-expression parameters: %s Expression parameters: "
        "%s",
        old, new);
}

static struct expression_node *legacy_node(struct request *r, enum expression_kind kind,
                                           int count)
{
    struct expression_node *node = arena_zalloc(r->arena, sizeof *node);
    node->kind = kind;
    node->count = count;
    node->arg = arena_zalloc(r->arena, (size_t)(count + 1) * sizeof *node->arg);
    return node;
}

static struct expression_path legacy_path(struct request *r, const char *name)
{
    struct expression_step *step = arena_zalloc(r->arena, sizeof *step);
    *step = (struct expression_step){str_of(name), -1};
    return (struct expression_path){step, 1};
}

static struct expression_node *legacy_attribute(struct request *r, const char *name)
{
    struct expression_node *node = legacy_node(r, EXPRESSION_PATH, 0);
    node->path = legacy_path(r, name);
    return node;
}

static struct expression_node *legacy_value(struct request *r, json_t *json)
{
    struct json_fault fault;
    struct dynamodb_value *value = arena_zalloc(r->arena, sizeof *value);
    struct expression_node *node = legacy_node(r, EXPRESSION_VALUE, 0);
    node->value = value;
    if (json_read_value(json, r->arena, value, &fault))
        return node;
    request_fault(r, &fault);
    return NULL;
}

static const struct operator
{
    const char *name;
    enum expression_kind kind;
    bool negated;
    int low, high; /* how many values */
}
OPERATOR[] = {
    {"EQ", EXPRESSION_EQUAL, false, 1, 1},
    {"NE", EXPRESSION_DIFFERENT, false, 1, 1},
    {"LT", EXPRESSION_LESS, false, 1, 1},
    {"LE", EXPRESSION_LESS_EQUAL, false, 1, 1},
    {"GT", EXPRESSION_MORE, false, 1, 1},
    {"GE", EXPRESSION_MORE_EQUAL, false, 1, 1},
    {"BETWEEN", EXPRESSION_BETWEEN, false, 2, 2},
    {"IN", EXPRESSION_IN, false, 1, 100},
    {"NULL", EXPRESSION_NOT_EXISTS, false, 0, 0},
    {"NOT_NULL", EXPRESSION_EXISTS, false, 0, 0},
    {"CONTAINS", EXPRESSION_CONTAINS, false, 1, 1},
    {"NOT_CONTAINS", EXPRESSION_CONTAINS, true, 1, 1},
    {"BEGINS_WITH", EXPRESSION_BEGINS_WITH, false, 1, 1},
};

/* {"ComparisonOperator":"GE","AttributeValueList":[...]} */
static struct expression_node *legacy_compare(struct request *r, const char *name,
                                              json_t *of)
{
    const char *word = json_string_value(json_object_get(of, "ComparisonOperator"));
    json_t *values = json_object_get(of, "AttributeValueList");
    size_t count = json_array_size(values);
    const struct operator* op = NULL;
    for (size_t i = 0; i < sizeof OPERATOR / sizeof *OPERATOR && word; i++)
        if (strcmp(OPERATOR[i].name, word) == 0)
            op = &OPERATOR[i];
    if (!op) {
        request_invalid(
            r,
            "1 validation error detected: Value '%s' at 'comparisonOperator' failed "
            "to satisfy constraint: Member must satisfy enum value set: [IN, NULL, "
            "BETWEEN, LT, NOT_CONTAINS, EQ, GT, NOT_NULL, NE, LE, BEGINS_WITH, GE, "
            "CONTAINS]",
            word ? word : "null");
        return NULL;
    }
    if ((int)count < op->low || (int)count > op->high) {
        request_invalid(r,
                        "One or more parameter values were invalid: Invalid number of "
                        "argument(s) for the %s ComparisonOperator",
                        op->name);
        return NULL;
    }
    struct expression_node *node = legacy_node(r, op->kind, (int)count + 1);
    node->arg[0] = legacy_attribute(r, name);
    for (size_t i = 0; i < count; i++)
        if (!(node->arg[i + 1] = legacy_value(r, json_array_get(values, i))))
            return NULL;
    if (!op->negated)
        return node;
    struct expression_node *both = legacy_node(r, EXPRESSION_AND, 2);
    both->arg[0] = legacy_node(r, EXPRESSION_EXISTS, 1);
    both->arg[0]->arg[0] = node->arg[0];
    both->arg[1] = legacy_node(r, EXPRESSION_NOT, 1);
    both->arg[1]->arg[0] = node;
    return both;
}

/* {"Exists":false} or {"Value":{...}}, which only Expected may have. */
static struct expression_node *legacy_expected(struct request *r, const char *name,
                                               json_t *of)
{
    json_t *value = json_object_get(of, "Value");
    bool exists = true, has_exists = json_object_get(of, "Exists") != NULL;
    if (!request_flag(r, of, "Exists", &exists))
        return NULL;
    if (!exists && value) {
        request_invalid(
            r,
            "One or more parameter values were invalid: Value cannot be used when "
            "Exists is false for Attribute: %s",
            name);
        return NULL;
    }
    if (exists && !value) {
        request_invalid(r,
                        "One or more parameter values were invalid: %s for Attribute: %s",
                        has_exists ? "Value must be provided when Exists is true"
                                   : "Value must be provided when Exists is null",
                        name);
        return NULL;
    }
    struct expression_node *node =
        legacy_node(r, exists ? EXPRESSION_EQUAL : EXPRESSION_NOT_EXISTS, exists ? 2 : 1);
    node->arg[0] = legacy_attribute(r, name);
    if (exists && !(node->arg[1] = legacy_value(r, value)))
        return NULL;
    return node;
}

bool legacy_conditions(struct request *r, const char *name,
                       const struct expression_node **out)
{
    json_t *of = json_object_get(r->in, name), *one;
    const char *key;
    int any = 0;
    struct expression_node *all = NULL;
    if (!of || json_is_null(of))
        return true;
    if (!json_is_object(of))
        return request_malformed(r, "Unexpected field type");
    if (!request_choice(r, r->in, "ConditionalOperator", "AND|OR", &any))
        return false;
    json_object_foreach(of, key, one)
    {
        struct expression_node *node = json_object_get(one, "ComparisonOperator")
                                           ? legacy_compare(r, key, one)
                                           : legacy_expected(r, key, one);
        if (!node)
            return false;
        if (all) {
            struct expression_node *both =
                legacy_node(r, any ? EXPRESSION_OR : EXPRESSION_AND, 2);
            both->arg[0] = all;
            both->arg[1] = node;
            node = both;
        }
        all = node;
    }
    if (all)
        *out = all;
    return true;
}

bool legacy_updates(struct request *r, const struct expression_update **out)
{
    json_t *of = json_object_get(r->in, "AttributeUpdates"), *one;
    const char *key;
    if (!of || json_is_null(of))
        return true;
    if (!json_is_object(of))
        return request_malformed(r, "Unexpected field type");
    struct expression_update *update = arena_zalloc(r->arena, sizeof *update);
    update->action =
        arena_zalloc(r->arena, (json_object_size(of) + 1) * sizeof *update->action);
    json_object_foreach(of, key, one)
    {
        struct expression_action *action = &update->action[update->count++];
        int word = 0;
        if (!request_choice(r, one, "Action", "PUT|ADD|DELETE", &word))
            return false;
        json_t *value = json_object_get(one, "Value");
        static const enum expression_verb verb[] = {EXPRESSION_SET, EXPRESSION_ADD,
                                                    EXPRESSION_DELETE};
        action->verb = word == 2 && !value ? EXPRESSION_REMOVE : verb[word];
        action->path = legacy_path(r, key);
        if (!value && action->verb != EXPRESSION_REMOVE)
            return request_invalid(
                r, "One or more parameter values were invalid: Only DELETE "
                   "action is allowed when no attribute value is specified");
        if (value && !(action->operand = legacy_value(r, value)))
            return false;
        const struct dynamodb_value *v = value ? action->operand->value : NULL;
        bool set = v && v->type >= DYNAMODB_SS;
        if (v && ((action->verb == EXPRESSION_DELETE && !set) ||
                  (action->verb == EXPRESSION_ADD && !set && v->type != DYNAMODB_N)))
            return request_invalid(
                r,
                "One or more parameter values were invalid: %s action is "
                "not supported for the type %s",
                action->verb == EXPRESSION_ADD ? "ADD" : "DELETE action with value",
                dynamodb_type_name(v->type));
    }
    *out = update;
    return true;
}

bool legacy_projection(struct request *r, json_t *of, struct expression_projection *out)
{
    json_t *list = json_object_get(of, "AttributesToGet"), *one;
    size_t i;
    if (!list || json_is_null(list))
        return true;
    if (!json_is_array(list))
        return request_malformed(r, "Unexpected field type");
    if (json_array_size(list) == 0)
        return request_invalid(
            r, "1 validation error detected: Value '[]' at 'attributesToGet' "
               "failed to satisfy constraint: Member must have length "
               "greater than or equal to 1");
    out->path = arena_zalloc(r->arena, json_array_size(list) * sizeof *out->path);
    json_array_foreach(list, i, one)
    {
        if (!json_is_string(one))
            return request_malformed(r, "Unexpected field type");
        for (int k = 0; k < out->count; k++)
            if (str_is(out->path[k].step[0].name, json_string_value(one)))
                return request_invalid(
                    r,
                    "One or more parameter values were invalid: Duplicate "
                    "value in attribute name: %s",
                    json_string_value(one));
        out->path[out->count++] = legacy_path(r, json_string_value(one));
    }
    return true;
}
