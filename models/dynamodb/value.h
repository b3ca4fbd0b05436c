/* value.h - what an attribute of DynamoDB holds: its ten types, sizes, equality, order.
 *
 * Room:     models, the facts.
 * Callers:  the DynamoDB model, its drivers, tests.
 * Knows nothing of: tables, JSON.
 *
 * A value is a tree of constant nodes; a change builds a new tree that shares
 * what stays. Strings may be phantoms (jobq/ports.h): their length counts. */
#ifndef JOBQ_MODELS_DYNAMODB_VALUE_H
#define JOBQ_MODELS_DYNAMODB_VALUE_H

#include "base/arena.h"

#include <stdbool.h>
#include <stdint.h>

/* X(enumerator, name on the wire). */
#define DYNAMODB_TYPES(X)                                                                \
    X(DYNAMODB_S, "S")                                                                   \
    X(DYNAMODB_N, "N")                                                                   \
    X(DYNAMODB_B, "B")                                                                   \
    X(DYNAMODB_BOOL, "BOOL")                                                             \
    X(DYNAMODB_NULL, "NULL")                                                             \
    X(DYNAMODB_L, "L")                                                                   \
    X(DYNAMODB_M, "M")                                                                   \
    X(DYNAMODB_SS, "SS")                                                                 \
    X(DYNAMODB_NS, "NS")                                                                 \
    X(DYNAMODB_BS, "BS")

enum dynamodb_type {
#define DYNAMODB_TYPE_ENUM(id, name) id,
    DYNAMODB_TYPES(DYNAMODB_TYPE_ENUM)
#undef DYNAMODB_TYPE_ENUM
        DYNAMODB_TYPE_COUNT
};
const char *dynamodb_type_name(enum dynamodb_type type); /* "S" */

struct dynamodb_value {
    enum dynamodb_type type;
    bool truth;    /* BOOL */
    int32_t count; /* of L, M and the sets */
    union {
        struct jobq_str text;                 /* S; B: the bytes; N: in number.h's text */
        const struct dynamodb_value *element; /* L; SS, NS, BS: nodes of S, N, B */
        const struct dynamodb_attr *member;   /* M: names differ, order as given */
    } of;
};

struct dynamodb_attr {
    struct jobq_str name;
    struct dynamodb_value value;
};

/* A row: its attributes by different names. */
struct dynamodb_item {
    const struct dynamodb_attr *attr;
    int count;
};

struct dynamodb_value dynamodb_string(struct jobq_str text);
/* Decimal; text lives in arena. */
struct dynamodb_value dynamodb_integer(int64_t value, struct arena *arena);

/* NULL: no attribute of that name. */
const struct dynamodb_value *dynamodb_find(const struct dynamodb_item *item,
                                           struct jobq_str name);

/* Bytes that a value, or an item with its names, counts for (developer guide, item sizes):
 * UTF-8 and binary by length, numbers by number_bytes, BOOL and NULL 1, documents 3 and 1
 * for each of their entries. */
int64_t dynamodb_value_bytes(const struct dynamodb_value *value);
int64_t dynamodb_item_bytes(const struct dynamodb_item *item);

/* Sets are equal in any order. A phantom equals nothing. */
bool dynamodb_equal(const struct dynamodb_value *a, const struct dynamodb_value *b);
/* True if a and b are of one type that has an order (S, N, B); *out is below, at or above
 * 0. */
bool dynamodb_compare(const struct dynamodb_value *a, const struct dynamodb_value *b,
                      int *out);

/* Deep copies, all of it in arena. */
struct dynamodb_value dynamodb_copy(const struct dynamodb_value *value,
                                    struct arena *arena);
struct dynamodb_item dynamodb_copy_item(const struct dynamodb_item *item,
                                        struct arena *arena);
/* The same into a block of dynamodb_block_bytes, from `block` on. Returns its end. */
int64_t dynamodb_block_bytes(const struct dynamodb_item *item);
char *dynamodb_copy_block(const struct dynamodb_item *item, char *block,
                          struct dynamodb_item *out);

#endif
