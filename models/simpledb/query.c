/* query.c - does a row match?
 *
 * Room:     models, the facts; pure. */
#include "models/simpledb/query.h"

#include "base/text.h"

#include <string.h>

static bool query_like(const struct select_pattern *pattern, struct jobq_str value)
{
    const struct jobq_str *piece = pattern->piece;
    int32_t last = pattern->count - 1;
    int64_t at = 0, end = value.len;
    if (last == 0)
        return str_eq(piece[0], value);
    if (piece[0].len + piece[last].len > value.len ||
        memcmp(value.ptr, piece[0].ptr, (size_t)piece[0].len) != 0)
        return false;
    at = piece[0].len;
    end -= piece[last].len;
    if (memcmp(value.ptr + end, piece[last].ptr, (size_t)piece[last].len) != 0)
        return false;
    /* The leftmost place for each piece in between leaves the most room for the others. */
    for (int32_t i = 1; i < last; i++) {
        while (at + piece[i].len <= end &&
               memcmp(value.ptr + at, piece[i].ptr, (size_t)piece[i].len) != 0)
            at++;
        if (at + piece[i].len > end)
            return false;
        at += piece[i].len;
    }
    return true;
}

static bool query_holds(const struct select_test *test, struct jobq_str value)
{
    switch (test->op) {
    case SELECT_EQ:
        return str_cmp(value, test->value[0]) == 0;
    case SELECT_NE:
        return str_cmp(value, test->value[0]) != 0;
    case SELECT_LT:
        return str_cmp(value, test->value[0]) < 0;
    case SELECT_LE:
        return str_cmp(value, test->value[0]) <= 0;
    case SELECT_GT:
        return str_cmp(value, test->value[0]) > 0;
    case SELECT_GE:
        return str_cmp(value, test->value[0]) >= 0;
    case SELECT_LIKE:
        return query_like(&test->like, value);
    case SELECT_NOT_LIKE:
        return !query_like(&test->like, value);
    case SELECT_BETWEEN:
        return str_cmp(value, test->value[0]) >= 0 && str_cmp(value, test->value[1]) <= 0;
    case SELECT_IN:
        for (int32_t i = 0; i < test->value_count; i++) {
            if (str_cmp(value, test->value[i]) == 0)
                return true;
        }
        return false;
    case SELECT_IS_NULL:
        return false;
    case SELECT_IS_NOT_NULL:
        return true;
    }
    return false;
}

/* A pure subtree, of one value. */
static bool value_matches(const struct select_query *query, int32_t root,
                          struct jobq_str value)
{
    bool is[SELECT_NODES_MAX];
    for (int32_t i = query->node[root].first; i <= root; i++) {
        const struct select_node *node = &query->node[i];
        switch (node->kind) {
        case SELECT_TEST:
            is[i] = query_holds(&query->test[node->test], value);
            break;
        case SELECT_AND:
            is[i] = is[node->left] && is[node->right];
            break;
        case SELECT_OR:
            is[i] = is[node->left] || is[node->right];
            break;
        case SELECT_NOT:
            is[i] = false; /* of a double not, which nobody refers to */
            break;
        }
    }
    return is[root];
}

/* Is there one value for which this conjunct and all its mates hold? */
static bool group_matches(const struct select_query *query, int32_t first,
                          struct jobq_str item, const struct select_value *value,
                          int value_count)
{
    int32_t pure = query->node[first].pure;
    int32_t id = pure == SELECT_ITEM ? 0 : query->attr[pure].id;
    if (id < 0)
        return false;
    for (int i = 0; i < (pure == SELECT_ITEM ? 1 : value_count); i++) {
        if (pure != SELECT_ITEM && value[i].name != id)
            continue;
        struct jobq_str one = pure == SELECT_ITEM ? item : value[i].value;
        int32_t root = first;
        while (root >= 0 && value_matches(query, root, one))
            root = query->node[root].mate;
        if (root < 0)
            return true;
    }
    return false;
}

/* is null and every(): of all values at once. */
static bool row_test(const struct select_query *query, const struct select_test *test,
                     struct jobq_str item, const struct select_value *value,
                     int value_count)
{
    if (test->attr == SELECT_ITEM)
        return query_holds(test, item);
    int32_t id = query->attr[test->attr].id;
    bool any = false;
    for (int i = 0; i < value_count; i++) {
        if (id < 0 || value[i].name != id)
            continue;
        any = true;
        if (test->every && test->op < SELECT_IS_NULL &&
            !query_holds(test, value[i].value))
            return false;
    }
    return test->op == SELECT_IS_NULL ? !any : any;
}

static bool chain_matches(const struct select_query *query, const bool *is, int32_t top,
                          struct jobq_str item, const struct select_value *value,
                          int value_count)
{
    for (int32_t group = query->node[top].group; group >= 0;
         group = query->node[group].next_group) {
        bool matches = query->node[group].pure == SELECT_NONE
                           ? is[group]
                           : group_matches(query, group, item, value, value_count);
        if (!matches)
            return false;
    }
    return true;
}

bool select_match(const struct select_query *query, struct jobq_str item,
                  const struct select_value *value, int value_count)
{
    bool is[SELECT_NODES_MAX];
    if (query->node_count == 0)
        return true;
    for (int32_t i = 0; i <= query->root; i++) {
        const struct select_node *node = &query->node[i];
        if (!node->asked)
            continue;
        if (node->pure != SELECT_NONE)
            is[i] = group_matches(query, i, item, value, value_count);
        else if (node->kind == SELECT_TEST)
            is[i] = row_test(query, &query->test[node->test], item, value, value_count);
        else if (node->kind == SELECT_NOT)
            is[i] = !is[node->left];
        else if (node->kind == SELECT_OR)
            is[i] = is[node->left] || is[node->right];
        else if (node->joins)
            is[i] = chain_matches(query, is, i, item, value, value_count);
        else
            is[i] = is[node->left] && is[node->right];
    }
    return is[query->root];
}
