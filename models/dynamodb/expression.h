/* expression.h - DynamoDB's expressions: read once, asked of items.
 *
 * Room:     models, the facts.
 * Callers:  the DynamoDB model's drivers, its tests and fuzzer.
 * Knows nothing of: tables, capacity, JSON.
 *
 * Conditions (also filters and key conditions), updates and projections, whole: paths with
 * names, indexes and #placeholders, :values, comparisons, BETWEEN, IN, AND, OR, NOT, the six
 * functions, SET with if_not_exists, list_append, + and -, REMOVE, ADD, DELETE.
 *
 * What is wrong with an expression is said in AWS's words (developer guide, and what others
 * recorded of the service), in the order in which AWS looks: texts begin behind "Invalid
 * ConditionExpression: " and the like, which the caller puts before them. */
#ifndef JOBQ_MODELS_DYNAMODB_EXPRESSION_H
#define JOBQ_MODELS_DYNAMODB_EXPRESSION_H

#include "jobq/error.h"
#include "models/dynamodb/value.h"

enum {
    EXPRESSION_BYTES_MAX = 4096,
    EXPRESSION_DEPTH_MAX = 64, /* brackets within brackets: bounds the stack */
    EXPRESSION_STEPS_MAX = 32  /* of a path */
};

/* ExpressionAttributeNames and Values, and which of them an expression used: a call with
 * unused ones is refused. One context serves all expressions of a call. */
struct expression_name {
    struct jobq_str placeholder, name; /* "#s", "state" */
    bool used;
};
struct expression_value {
    struct jobq_str placeholder; /* ":s" */
    struct dynamodb_value value;
    bool used;
};
struct expression_context {
    struct arena *arena; /* of what is read */
    struct expression_name *name;
    int name_count;
    struct expression_value *value;
    int value_count;
};

struct expression_step {
    struct jobq_str name; /* of a member, if index is -1 */
    int32_t index;
};
struct expression_path {
    const struct expression_step *step;
    int count;
};

enum expression_kind {
    /* Operands. */
    EXPRESSION_PATH,
    EXPRESSION_VALUE,
    EXPRESSION_SIZE,
    EXPRESSION_IF_NOT_EXISTS,
    EXPRESSION_LIST_APPEND,
    EXPRESSION_PLUS,
    EXPRESSION_MINUS,
    /* Conditions. */
    EXPRESSION_EQUAL,
    EXPRESSION_DIFFERENT,
    EXPRESSION_LESS,
    EXPRESSION_LESS_EQUAL,
    EXPRESSION_MORE,
    EXPRESSION_MORE_EQUAL,
    EXPRESSION_BETWEEN,
    EXPRESSION_IN,
    EXPRESSION_EXISTS,
    EXPRESSION_NOT_EXISTS,
    EXPRESSION_TYPE_IS,
    EXPRESSION_BEGINS_WITH,
    EXPRESSION_CONTAINS,
    EXPRESSION_AND,
    EXPRESSION_OR,
    EXPRESSION_NOT
};

struct expression_node {
    enum expression_kind kind;
    int count; /* of arg */
    struct expression_node **arg;
    struct expression_path path;        /* PATH */
    const struct dynamodb_value *value; /* VALUE */
};

enum expression_verb {
    EXPRESSION_SET,
    EXPRESSION_REMOVE,
    EXPRESSION_ADD,
    EXPRESSION_DELETE
};
struct expression_action {
    enum expression_verb verb;
    struct expression_path path;
    const struct expression_node *operand; /* NULL: REMOVE */
};
struct expression_update {
    struct expression_action *action;
    int count;
};

struct expression_projection {
    struct expression_path *path;
    int count;
};

/* Each returns JOBQ_OK, or INVALID with the text. Owner: the context's arena; names and values
 * stay the caller's. */
int expression_condition(struct jobq_str text, struct expression_context *context,
                         const struct expression_node **out, struct jobq_error *err);
int expression_update(struct jobq_str text, struct expression_context *context,
                      struct expression_update *out, struct jobq_error *err);
int expression_project(struct jobq_str text, struct expression_context *context,
                       struct expression_projection *out, struct jobq_error *err);

/* ---- use (evaluate.c) ------------------------------------------------------------- */

/* Does it hold of the item (count 0: there is none)? */
bool expression_holds(const struct expression_node *condition,
                      const struct dynamodb_item *item);

/* The item after the update; `key` is what a new item starts with. INVALID: in AWS's words.
 * Owner: new nodes in arena, others shared with item, update and key. */
int expression_apply(const struct expression_update *update,
                     const struct dynamodb_item *item, struct arena *arena,
                     struct dynamodb_item *out, struct jobq_error *err);

/* The parts of the item that the paths name. Owner: as above. */
struct dynamodb_item expression_pick(const struct expression_path *path, int count,
                                     const struct dynamodb_item *item,
                                     struct arena *arena);

/* True for a word that may not stand for a name by itself (developer guide, reserved words). */
bool expression_is_reserved(struct jobq_str word);

#endif
