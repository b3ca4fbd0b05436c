/* evaluate.c - does a condition hold of an item, and what does an update make of it?
 *
 * Room:     models, the facts.
 * Callers:  as expression.h.
 * Knows nothing of: how expressions are written. */
#include "models/dynamodb/expression.h"

#include "base/text.h"
#include "models/dynamodb/number.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* ---- reading ------------------------------------------------------------------------ */

static const struct dynamodb_value *value_step(const struct dynamodb_value *at,
                                               const struct expression_step *step)
{
    if (step->index >= 0)
        return at->type == DYNAMODB_L && step->index < at->count
                   ? &at->of.element[step->index]
                   : NULL;
    struct dynamodb_item members = {at->of.member, at->count};
    return at->type == DYNAMODB_M ? dynamodb_find(&members, step->name) : NULL;
}

static const struct dynamodb_value *value_at_path(const struct expression_path *path,
                                                  const struct dynamodb_item *item)
{
    const struct dynamodb_value *at = dynamodb_find(item, path->step[0].name);
    for (int i = 1; at && i < path->count; i++)
        at = value_step(at, &path->step[i]);
    return at;
}

/* What size() counts: bytes of strings and binary, entries of the others; false: none. */
static bool value_count(const struct dynamodb_value *v, int64_t *out)
{
    if (v->type == DYNAMODB_N || v->type == DYNAMODB_BOOL || v->type == DYNAMODB_NULL)
        return false;
    *out = v->type == DYNAMODB_S || v->type == DYNAMODB_B ? v->of.text.len : v->count;
    return true;
}

/* An operand's value in a condition, in *room where it is computed; NULL: there is none. */
struct condition_room {
    struct dynamodb_value value;
    char digits[24];
};
static const struct dynamodb_value *condition_operand(const struct expression_node *node,
                                                      const struct dynamodb_item *item,
                                                      struct condition_room *room)
{
    if (node->kind == EXPRESSION_VALUE)
        return node->value;
    if (node->kind == EXPRESSION_PATH)
        return value_at_path(&node->path, item);
    assert(node->kind == EXPRESSION_SIZE);
    struct condition_room inner;
    const struct dynamodb_value *of = condition_operand(node->arg[0], item, &inner);
    int64_t count;
    if (!of || !value_count(of, &count))
        return NULL;
    int len = text_write_int(room->digits, count);
    room->value =
        (struct dynamodb_value){.type = DYNAMODB_N, .of.text = {room->digits, len}};
    return &room->value;
}

static bool text_has(struct jobq_str whole, struct jobq_str part)
{
    if (!whole.ptr || !part.ptr)
        return false;
    for (int64_t i = 0; i + part.len <= whole.len; i++)
        if (memcmp(whole.ptr + i, part.ptr, (size_t)part.len) == 0)
            return true;
    return false;
}

static bool condition_contains(const struct dynamodb_value *whole,
                               const struct dynamodb_value *part)
{
    if (whole->type == DYNAMODB_S || whole->type == DYNAMODB_B)
        return whole->type == part->type && text_has(whole->of.text, part->of.text);
    if (whole->type != DYNAMODB_L && whole->type != DYNAMODB_SS &&
        whole->type != DYNAMODB_NS && whole->type != DYNAMODB_BS)
        return false;
    for (int32_t i = 0; i < whole->count; i++)
        if (dynamodb_equal(&whole->of.element[i], part))
            return true;
    return false;
}

static bool condition_begins(const struct dynamodb_value *whole,
                             const struct dynamodb_value *part)
{
    return whole->type == part->type &&
           (whole->type == DYNAMODB_S || whole->type == DYNAMODB_B) &&
           whole->of.text.ptr && part->of.text.ptr &&
           part->of.text.len <= whole->of.text.len &&
           memcmp(whole->of.text.ptr, part->of.text.ptr, (size_t)part->of.text.len) == 0;
}

static bool condition_order(enum expression_kind kind, const struct dynamodb_value *a,
                            const struct dynamodb_value *b)
{
    int order;
    if (kind == EXPRESSION_EQUAL)
        return dynamodb_equal(a, b);
    if (kind == EXPRESSION_DIFFERENT)
        return !dynamodb_equal(a, b);
    if (!dynamodb_compare(a, b, &order))
        return false;
    return kind == EXPRESSION_LESS         ? order < 0
           : kind == EXPRESSION_LESS_EQUAL ? order <= 0
           : kind == EXPRESSION_MORE       ? order > 0
                                           : order >= 0;
}

/* A comparison of two operands; one that is missing makes it false, but for <>, which AWS
 * holds to be true. */
static bool condition_two(const struct expression_node *node,
                          const struct dynamodb_item *item)
{
    struct condition_room first, second;
    const struct dynamodb_value *a = condition_operand(node->arg[0], item, &first);
    const struct dynamodb_value *b = condition_operand(node->arg[1], item, &second);
    if (!a || !b)
        return node->kind == EXPRESSION_DIFFERENT;
    if (node->kind == EXPRESSION_TYPE_IS)
        return str_is(b->of.text, dynamodb_type_name(a->type));
    if (node->kind == EXPRESSION_BEGINS_WITH)
        return condition_begins(a, b);
    if (node->kind == EXPRESSION_CONTAINS)
        return condition_contains(a, b);
    return condition_order(node->kind, a, b);
}

static bool condition_many(const struct expression_node *node,
                           const struct dynamodb_item *item)
{
    struct condition_room first, second;
    const struct dynamodb_value *x = condition_operand(node->arg[0], item, &first);
    bool in = node->kind == EXPRESSION_IN;
    for (int i = 1; x && i < node->count; i++) {
        const struct dynamodb_value *y = condition_operand(node->arg[i], item, &second);
        if (in && y && dynamodb_equal(x, y))
            return true;
        int order;
        if (!in &&
            (!y || !dynamodb_compare(x, y, &order) || (i == 1 ? order < 0 : order > 0)))
            return false;
    }
    return x && !in;
}

bool expression_holds(const struct expression_node *node,
                      const struct dynamodb_item *item)
{
    switch ((int)node->kind) {
    case EXPRESSION_AND:
        return expression_holds(node->arg[0], item) &&
               expression_holds(node->arg[1], item);
    case EXPRESSION_OR:
        return expression_holds(node->arg[0], item) ||
               expression_holds(node->arg[1], item);
    case EXPRESSION_NOT:
        return !expression_holds(node->arg[0], item);
    case EXPRESSION_EXISTS:
        return value_at_path(&node->arg[0]->path, item) != NULL;
    case EXPRESSION_NOT_EXISTS:
        return value_at_path(&node->arg[0]->path, item) == NULL;
    case EXPRESSION_IN:
    case EXPRESSION_BETWEEN:
        return condition_many(node, item);
    default:
        return condition_two(node, item);
    }
}

/* ---- changing ----------------------------------------------------------------------- */

struct change {
    struct arena *arena;
    const struct dynamodb_item *before; /* what operands read */
    struct jobq_error *err;
    struct dynamodb_attr *attr; /* what becomes of it, with room for what is added */
    int count;
};

static const struct dynamodb_value *change_wrong(struct change *c, const char *text)
{
    jobq_fail(c->err, JOBQ_INVALID, "%s", text);
    return NULL;
}

static const struct dynamodb_value *change_type(struct change *c)
{
    return change_wrong(c,
                        "An operand in the update expression has an incorrect data type");
}

static const struct dynamodb_value *
change_number(struct change *c, const struct number *sum, enum number_fault fault)
{
    if (fault == NUMBER_OVERFLOW)
        return change_wrong(
            c, "Number overflow. Attempting to store a number with magnitude "
               "larger than supported range");
    if (fault == NUMBER_UNDERFLOW)
        return change_wrong(c, "Number underflow. Attempting to store a number with "
                               "magnitude smaller than supported range");
    if (fault != NUMBER_OK)
        return change_wrong(
            c, "Attempting to store more than 38 significant digits in a Number");
    struct dynamodb_value *out = arena_zalloc(c->arena, sizeof *out);
    char *text = arena_alloc(c->arena, NUMBER_TEXT_MAX);
    out->type = DYNAMODB_N;
    out->of.text = (struct jobq_str){text, number_write(sum, text)};
    return out;
}

static const struct dynamodb_value *change_sum(struct change *c,
                                               const struct dynamodb_value *a,
                                               const struct dynamodb_value *b, bool minus)
{
    struct number x, y, sum;
    if (a->type != DYNAMODB_N || b->type != DYNAMODB_N)
        return change_type(c);
    number_read(a->of.text, &x);
    number_read(b->of.text, &y);
    enum number_fault fault = number_add(&x, &y, minus, &sum);
    return change_number(c, &sum, fault);
}

static const struct dynamodb_value *change_join(struct change *c,
                                                const struct dynamodb_value *a,
                                                const struct dynamodb_value *b)
{
    if (a->type != DYNAMODB_L || b->type != DYNAMODB_L)
        return change_type(c);
    struct dynamodb_value *out = arena_zalloc(c->arena, sizeof *out);
    struct dynamodb_value *element =
        arena_alloc(c->arena, (size_t)(a->count + b->count) * sizeof *element + 1);
    memcpy(element, a->of.element, (size_t)a->count * sizeof *element);
    memcpy(element + a->count, b->of.element, (size_t)b->count * sizeof *element);
    out->type = DYNAMODB_L;
    out->count = a->count + b->count;
    out->of.element = element;
    return out;
}

/* What SET assigns; NULL: c->err says why. */
static const struct dynamodb_value *change_operand(struct change *c,
                                                   const struct expression_node *node)
{
    const struct dynamodb_value *a, *b;
    switch ((int)node->kind) {
    case EXPRESSION_VALUE:
        return node->value;
    case EXPRESSION_PATH:
        a = value_at_path(&node->path, c->before);
        return a ? a
                 : change_wrong(
                       c, "The provided expression refers to an attribute that does "
                          "not exist in the item");
    case EXPRESSION_IF_NOT_EXISTS:
        a = value_at_path(&node->arg[0]->path, c->before);
        return a ? a : change_operand(c, node->arg[1]);
    default:
        a = change_operand(c, node->arg[0]);
        b = a ? change_operand(c, node->arg[1]) : NULL;
        if (!b)
            return NULL;
        return node->kind == EXPRESSION_LIST_APPEND
                   ? change_join(c, a, b)
                   : change_sum(c, a, b, node->kind == EXPRESSION_MINUS);
    }
}

static const struct dynamodb_value *change_no_path(struct change *c)
{
    return change_wrong(
        c, "The document path provided in the update expression is invalid for update");
}

/* One attribute of the item set, or taken out (value NULL). */
static void change_attr(struct change *c, struct jobq_str name,
                        const struct dynamodb_value *value)
{
    int at = 0;
    while (at < c->count && !str_eq(c->attr[at].name, name))
        at++;
    if (value) {
        c->attr[at].name = name;
        c->attr[at].value = *value;
        c->count += at == c->count;
    } else if (at < c->count) {
        c->count--;
        memmove(&c->attr[at], &c->attr[at + 1],
                (size_t)(c->count - at) * sizeof *c->attr);
    }
}

/* A map with one member set, or taken out (value NULL). */
static struct dynamodb_value change_member(struct change *c,
                                           const struct dynamodb_value *map,
                                           struct jobq_str name,
                                           const struct dynamodb_value *value)
{
    struct dynamodb_value out = *map;
    struct dynamodb_attr *member =
        arena_alloc(c->arena, (size_t)(map->count + 1) * sizeof *member);
    int32_t at = 0;
    bool there = false;
    for (int32_t i = 0; i < map->count; i++) {
        bool it = str_eq(map->of.member[i].name, name);
        there |= it;
        if (it && !value)
            continue;
        member[at] = map->of.member[i];
        if (it)
            member[at].value = *value;
        at++;
    }
    if (!there && value)
        member[at++] = (struct dynamodb_attr){name, *value};
    out.of.member = member;
    out.count = at;
    return out;
}

/* A list with one element set or taken out; past its end, one is added, or none. */
static struct dynamodb_value change_element(struct change *c,
                                            const struct dynamodb_value *list,
                                            int32_t index,
                                            const struct dynamodb_value *value)
{
    struct dynamodb_value out = *list;
    struct dynamodb_value *element =
        arena_alloc(c->arena, (size_t)(list->count + 1) * sizeof *element);
    int32_t at = 0;
    for (int32_t i = 0; i < list->count; i++) {
        if (i == index && !value)
            continue;
        element[at++] = i == index ? *value : list->of.element[i];
    }
    if (index >= list->count && value)
        element[at++] = *value;
    out.of.element = element;
    out.count = at;
    return out;
}

/* `at` with `value` (NULL: nothing) under the steps. False: c->err says why. */
static bool change_at(struct change *c, const struct dynamodb_value *at,
                      const struct expression_step *step, int steps,
                      const struct dynamodb_value *value, struct dynamodb_value *out)
{
    bool list = step->index >= 0;
    if (at->type != (list ? DYNAMODB_L : DYNAMODB_M)) {
        change_no_path(c);
        return false;
    }
    struct dynamodb_value inner;
    if (steps > 1) {
        const struct dynamodb_value *under = value_step(at, step);
        if (!under) {
            change_no_path(c);
            return false;
        }
        if (!change_at(c, under, step + 1, steps - 1, value, &inner))
            return false;
        value = &inner;
    }
    *out = list ? change_element(c, at, step->index, value)
                : change_member(c, at, step->name, value);
    return true;
}

/* ADD to a set: both; DELETE: what is only in the first. *out count 0: nothing is left. */
static void change_set(struct change *c, const struct dynamodb_value *old,
                       const struct dynamodb_value *v, bool add,
                       struct dynamodb_value *out)
{
    struct dynamodb_value *element =
        arena_alloc(c->arena, (size_t)(old->count + v->count) * sizeof *element + 1);
    int32_t count = 0;
    for (int32_t i = 0; i < old->count; i++)
        if (add || !condition_contains(v, &old->of.element[i]))
            element[count++] = old->of.element[i];
    for (int32_t i = 0; add && i < v->count; i++)
        if (!condition_contains(old, &v->of.element[i]))
            element[count++] = v->of.element[i];
    *out = *old;
    out->of.element = element;
    out->count = count;
}

/* What ADD and DELETE make of the value that is there (or NULL). *out NULL: nothing stays. */
static bool change_add(struct change *c, const struct dynamodb_value *old,
                       const struct dynamodb_value *v, bool add,
                       const struct dynamodb_value **out)
{
    *out = add ? v : NULL;
    if (!old)
        return true;
    if (old->type != v->type) {
        change_type(c);
        return false;
    }
    if (v->type == DYNAMODB_N)
        return (*out = change_sum(c, old, v, false)) != NULL;
    struct dynamodb_value *set = arena_alloc(c->arena, sizeof *set);
    change_set(c, old, v, add, set);
    *out = set->count > 0 ? set : NULL;
    return true;
}

/* From the back of lists to the front, since indexes mean the list as it was. */
static int change_order_removed(const void *x, const void *y)
{
    const struct expression_action *a = *(const struct expression_action *const *)x;
    const struct expression_action *b = *(const struct expression_action *const *)y;
    if (a->path.count == b->path.count) {
        int32_t i = a->path.step[a->path.count - 1].index;
        int32_t j = b->path.step[b->path.count - 1].index;
        if (i != j)
            return i > j ? -1 : 1;
    }
    return a < b ? -1 : a > b;
}

static bool change_apply(struct change *c, const struct expression_action *action)
{
    const struct dynamodb_value *value = NULL;
    const struct expression_path *path = &action->path;
    if (action->verb == EXPRESSION_SET) {
        value = change_operand(c, action->operand);
        if (!value)
            return false;
    } else if (action->verb != EXPRESSION_REMOVE &&
               !change_add(c, value_at_path(path, c->before), action->operand->value,
                           action->verb == EXPRESSION_ADD, &value)) {
        return false;
    }
    if (path->count > 1) {
        struct dynamodb_item now = {c->attr, c->count};
        const struct dynamodb_value *under = dynamodb_find(&now, path->step[0].name);
        struct dynamodb_value inner;
        if (!under) {
            change_no_path(c);
            return false;
        }
        if (!change_at(c, under, path->step + 1, path->count - 1, value, &inner))
            return false;
        change_attr(c, path->step[0].name, &inner);
        return true;
    }
    change_attr(c, path->step[0].name, value);
    return true;
}

int expression_apply(const struct expression_update *update,
                     const struct dynamodb_item *item, struct arena *arena,
                     struct dynamodb_item *out, struct jobq_error *err)
{
    size_t room = (size_t)(item->count + update->count);
    struct change c = {.arena = arena,
                       .before = item,
                       .err = err,
                       .attr = arena_alloc(arena, room * sizeof *c.attr + 1),
                       .count = item->count};
    const struct expression_action **removed = NULL;
    size_t removed_count = 0;
    if (item->count > 0)
        memcpy(c.attr, item->attr, (size_t)item->count * sizeof *c.attr);
    for (int i = 0; i < update->count; i++) {
        if (update->action[i].verb == EXPRESSION_REMOVE) {
            if (!removed)
                removed = arena_alloc(arena, (size_t)update->count * sizeof *removed);
            removed[removed_count++] = &update->action[i];
        } else if (!change_apply(&c, &update->action[i])) {
            return JOBQ_INVALID;
        }
    }
    if (removed_count > 1)
        qsort(removed, removed_count, sizeof *removed, change_order_removed);
    for (size_t i = 0; i < removed_count; i++)
        if (!change_apply(&c, removed[i]))
            return JOBQ_INVALID;
    *out = (struct dynamodb_item){c.attr, c.count};
    return JOBQ_OK;
}

/* ---- picking ------------------------------------------------------------------------ */

/* The parts of `from` that the paths name, `depth` steps down. Order is as in the whole. */
static struct dynamodb_value pick_from(const struct dynamodb_value *from,
                                       const struct expression_path *const *path,
                                       int count, int depth, struct arena *arena)
{
    struct dynamodb_value out = *from;
    const struct expression_path **under =
        arena_alloc(arena, (size_t)count * sizeof *under + 1);
    bool list = from->type == DYNAMODB_L;
    struct dynamodb_value *element = NULL;
    struct dynamodb_attr *member = NULL;
    if (list)
        element = arena_alloc(arena, (size_t)from->count * sizeof *element + 1);
    else
        member = arena_alloc(arena, (size_t)from->count * sizeof *member + 1);
    out.count = 0;
    for (int32_t i = 0; i < from->count; i++) {
        int found = 0;
        bool whole = false;
        const struct dynamodb_value *v =
            list ? &from->of.element[i] : &from->of.member[i].value;
        for (int j = 0; j < count; j++) {
            const struct expression_step *step = &path[j]->step[depth];
            if (list ? step->index != i
                     : step->index >= 0 || !str_eq(step->name, from->of.member[i].name))
                continue;
            under[found++] = path[j];
            whole |= path[j]->count == depth + 1;
        }
        if (found == 0)
            continue;
        struct dynamodb_value part = *v;
        if (!whole) {
            if (v->type != DYNAMODB_L && v->type != DYNAMODB_M)
                continue;
            part = pick_from(v, under, found, depth + 1, arena);
            if (part.count == 0)
                continue;
        }
        if (list)
            element[out.count++] = part;
        else
            member[out.count++] = (struct dynamodb_attr){from->of.member[i].name, part};
    }
    if (list)
        out.of.element = element;
    else
        out.of.member = member;
    return out;
}

struct dynamodb_item expression_pick(const struct expression_path *path, int count,
                                     const struct dynamodb_item *item,
                                     struct arena *arena)
{
    struct dynamodb_value whole = {
        .type = DYNAMODB_M, .count = item->count, .of.member = item->attr};
    const struct expression_path **all =
        arena_alloc(arena, (size_t)count * sizeof *all + 1);
    for (int i = 0; i < count; i++)
        all[i] = &path[i];
    struct dynamodb_value picked = pick_from(&whole, all, count, 0, arena);
    return (struct dynamodb_item){picked.of.member, picked.count};
}
