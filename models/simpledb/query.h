/* query.h - SimpleDB's query language: parsed once, asked of each row.
 *
 * Room:     models, the facts; pure.
 * Callers:  the SimpleDB model, tests, the fuzzer.
 * Knows nothing of: domains, pages, tokens, BoxUsage.
 *
 * Source: "Using Select" and its pages, Amazon SimpleDB Developer Guide 2009-04-15, read
 * 2026-11. The grammar, keywords in any case:
 *
 *   select OUTPUT from DOMAIN [where EXPR] [order by ATTR|itemName() [asc|desc]] [limit N]
 *   OUTPUT  * | itemName() | count(*) | ATTR, ATTR...
 *   EXPR    EXPR intersection EXPR | EXPR or EXPR | EXPR and EXPR | not EXPR | ( EXPR )
 *           | OPERAND = V | != | < | <= | > | >= V | [not] like V | between V and V
 *           | in ( V, V... ) | is [not] null
 *   OPERAND ATTR | itemName() | every(ATTR)
 *   V       '...' or "...", the quote doubled inside
 *   ATTR, DOMAIN  letters, digits, _ and $, not beginning with a digit and not a reserved
 *                 word; or anything in backticks, doubled inside
 *
 * What the guide says, and this does:
 * - Comparison is bytewise. like: % stands for any bytes; \% and \\ for themselves.
 * - A comparison holds for a row if any value of the attribute makes it true; with every(),
 *   if there is a value and each does.
 * - "Each value is evaluated individually against the predicate": comparisons of one attribute
 *   joined by and must hold for the same value. `k = 'a' and k = 'b'` finds nothing;
 *   `k = 'a' intersection k = 'b'` finds rows that have both.
 * - At most 20 comparisons, 20 values in in(), 20 unique attributes, limit 1..2500.
 * - The sort attribute must be in the where clause, without is null.
 *
 * What it does not say, and we assume: `not` binds tightest, then and, then or, then
 * intersection; not turns round the answer for the row (so a row without the attribute
 * passes not a = 'x'), and is null, every() and not are never joined with the comparisons
 * of one value; a row whose sort attribute is missing is left out; a row with several
 * values of it sorts by the least (asc) or greatest (desc). % may stand anywhere. */
#ifndef JOBQ_MODELS_SIMPLEDB_QUERY_H
#define JOBQ_MODELS_SIMPLEDB_QUERY_H

#include "jobq/error.h"
#include "jobq/ports.h"

#include <stdbool.h>
#include <stdint.h>

struct arena;

enum select_fault {
    SELECT_OK,
    SELECT_SYNTAX,     /* InvalidQueryExpression */
    SELECT_PREDICATES, /* InvalidNumberPredicates: too many comparisons */
    SELECT_VALUES,     /* InvalidNumberValueTests: too many values in in() */
    SELECT_ATTRIBUTES, /* TooManyRequestedAttributes */
    SELECT_SORT        /* InvalidSortExpression */
};

enum select_output { SELECT_ALL, SELECT_ITEM_NAME, SELECT_COUNT, SELECT_ATTRS };

enum select_op {
    SELECT_EQ,
    SELECT_NE,
    SELECT_LT,
    SELECT_LE,
    SELECT_GT,
    SELECT_GE,
    SELECT_LIKE,
    SELECT_NOT_LIKE,
    SELECT_BETWEEN,
    SELECT_IN,
    SELECT_IS_NULL,
    SELECT_IS_NOT_NULL
};

enum { SELECT_ITEM = -1, SELECT_NONE = -2 }; /* in place of an attribute's index */

/* like's pattern: the literal pieces between its %s. */
struct select_pattern {
    const struct jobq_str *piece;
    int32_t count;
};

struct select_test {
    int32_t attr; /* index into query.attr, or SELECT_ITEM */
    enum select_op op;
    bool every;
    const struct jobq_str *value; /* between: 2; in: value_count */
    int32_t value_count;
    struct select_pattern like;
};

enum select_kind { SELECT_TEST, SELECT_NOT, SELECT_AND, SELECT_OR };

/* Nodes come children first. intersection is an AND that does not join. */
struct select_node {
    enum select_kind kind;
    bool joins; /* AND written `and`: its comparisons of one attribute hold for one
                            value */
    bool asked; /* evaluated for the row as a whole */
    int32_t left, right; /* NOT has only left */
    int32_t first;       /* the lowest node of this subtree */
    int32_t pure; /* what lies below compares only this attribute's single values, by
                            and, or; else SELECT_NONE */
    int32_t test; /* TEST: index into query.test */
    /* The conjuncts of a chain of `and`, by attribute; -1 ends a list. */
    int32_t group;      /* top of the chain: the first group's first conjunct */
    int32_t next_group; /* first conjunct of a group: the next group's */
    int32_t mate;       /* conjunct: the next one of the same attribute */
};

enum { SELECT_NODES_MAX = 128, SELECT_TESTS_MAX = 32, SELECT_ATTRS_MAX = 32 };

struct select_attr {
    struct jobq_str name;
    int32_t id; /* the caller's number for it, set before evaluation; -1: no row has it */
};

struct select_query {
    enum select_output output;
    struct jobq_str domain;
    struct jobq_str rows; /* the text that says which rows in which order: from the domain
                             up to the limit; a view of the expression */
    int32_t *out_attr;    /* SELECT_ATTRS: indices into attr */
    int32_t out_count;
    struct select_attr *attr; /* unique */
    int32_t attr_count;
    struct select_test *test;
    int32_t test_count;
    struct select_node *node; /* node_count 0: no where */
    int32_t node_count;
    int32_t root;
    int32_t sort; /* index into attr, SELECT_ITEM or SELECT_NONE */
    bool descending;
    int64_t limit; /* 0: not given */
};

struct select_limits {
    int32_t comparisons; /* at most SELECT_TESTS_MAX */
    int32_t attributes;  /* at most SELECT_ATTRS_MAX */
    int32_t values;      /* in one in() */
    int64_t items;       /* of limit */
};

/* Reads the whole text. *out and all that it points to live in arena. On a fault, err->text
 * is AWS's. Stack: under 2 KiB, whatever the text; time: linear in it. */
enum select_fault select_parse(struct jobq_str text, const struct select_limits *limits,
                               struct arena *arena, struct select_query *out,
                               struct jobq_error *err);

/* One value of a row. ptr is not NULL. */
struct select_value {
    int32_t name; /* the caller's number */
    struct jobq_str value;
};

/* Does this row match? */
bool select_match(const struct select_query *query, struct jobq_str item,
                  const struct select_value *value, int value_count);

#endif
