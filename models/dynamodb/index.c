#include "models/dynamodb/index.h"

#include "base/text.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct dynamodb_index *index_copy(const struct dynamodb_index *index, int count)
{
    size_t names = 0, bytes = 0;
    for (int i = 0; i < count; i++)
        for (int k = 0; k < index[i].non_key_count; k++, names++)
            bytes += strlen(index[i].non_key[k]) + 1;
    struct dynamodb_index *copy =
        xmalloc((size_t)count * sizeof *copy + names * sizeof(char *) + bytes + 1);
    const char **name = (const char **)(void *)(copy + count);
    char *text = (char *)(void *)(name + names);
    for (int i = 0; i < count; i++) {
        copy[i] = index[i];
        copy[i].non_key = name;
        for (int k = 0; k < index[i].non_key_count; k++) {
            size_t len = strlen(index[i].non_key[k]) + 1;
            memcpy(text, index[i].non_key[k], len);
            *name++ = text;
            text += len;
        }
    }
    return copy;
}

static bool index_has_key(const struct dynamodb_key *key,
                          const struct dynamodb_item *item)
{
    const struct dynamodb_value *v =
        key->name[0] ? dynamodb_find(item, str_of(key->name)) : NULL;
    return !key->name[0] || (v && v->type == key->type);
}

bool index_has(const struct dynamodb_index *index, const struct dynamodb_item *item)
{
    return index_has_key(&index->partition, item) && index_has_key(&index->sort, item);
}

static bool index_holds(const struct dynamodb_table *t,
                        const struct dynamodb_index *index, struct jobq_str name)
{
    if (index->projection == DYNAMODB_ALL || str_is(name, t->partition.name) ||
        str_is(name, t->sort.name) || str_is(name, index->partition.name) ||
        str_is(name, index->sort.name))
        return true;
    for (int i = 0; i < index->non_key_count; i++)
        if (str_is(name, index->non_key[i]))
            return true;
    return false;
}

struct dynamodb_item index_project(const struct dynamodb_table *t,
                                   const struct dynamodb_index *index,
                                   const struct dynamodb_item *item, struct arena *arena)
{
    if (index->projection == DYNAMODB_ALL)
        return *item;
    struct dynamodb_attr *attr =
        arena_alloc(arena, (size_t)item->count * sizeof *attr + 1);
    int count = 0;
    for (int i = 0; i < item->count; i++)
        if (index_holds(t, index, item->attr[i].name))
            attr[count++] = item->attr[i];
    return (struct dynamodb_item){attr, count};
}

static double index_item_units(const struct dynamodb_item *item)
{
    int64_t bytes = dynamodb_item_bytes(item);
    return bytes <= 1024 ? 1 : (double)((bytes + 1023) / 1024);
}

static bool index_same_key(const struct dynamodb_key *key, const struct dynamodb_item *a,
                           const struct dynamodb_item *b)
{
    return !key->name[0] || dynamodb_equal(dynamodb_find(a, str_of(key->name)),
                                           dynamodb_find(b, str_of(key->name)));
}

double index_units(const struct dynamodb_table *t, const struct dynamodb_index *index,
                   const struct dynamodb_item *before, const struct dynamodb_item *after,
                   struct arena *arena)
{
    bool was = before->count > 0 && index_has(index, before);
    bool is = after->count > 0 && index_has(index, after);
    struct dynamodb_item old = {0}, new = {0};
    if (was)
        old = index_project(t, index, before, arena);
    if (is)
        new = index_project(t, index, after, arena);
    if (!was || !is)
        return was ? index_item_units(&old) : is ? index_item_units(&new) : 0;
    if (!index_same_key(&index->partition, before, after) ||
        !index_same_key(&index->sort, before, after))
        return index_item_units(&old) + index_item_units(&new);
    struct dynamodb_value x = {
        .type = DYNAMODB_M, .count = old.count, .of.member = old.attr};
    struct dynamodb_value y = {
        .type = DYNAMODB_M, .count = new.count, .of.member = new.attr};
    double a = index_item_units(&old), b = index_item_units(&new);
    return dynamodb_equal(&x, &y) ? 0 : a > b ? a : b;
}

static int index_order_key(const struct dynamodb_key *key, const struct dynamodb_item *a,
                           const struct dynamodb_item *b)
{
    int order = 0;
    if (key->name[0])
        dynamodb_compare(dynamodb_find(a, str_of(key->name)),
                         dynamodb_find(b, str_of(key->name)), &order);
    return order;
}

int index_order(const struct dynamodb_table *t, const struct dynamodb_index *index,
                const struct dynamodb_item *a, const struct dynamodb_item *b)
{
    struct jobq_str name = str_of(index->partition.name);
    uint64_t x = items_hash(dynamodb_find(a, name)),
             y = items_hash(dynamodb_find(b, name));
    if (x != y)
        return x < y ? -1 : 1;
    int order = index_order_key(&index->partition, a, b);
    order = order ? order : index_order_key(&index->sort, a, b);
    order = order ? order : index_order_key(&t->partition, a, b);
    return order ? order : index_order_key(&t->sort, a, b);
}
