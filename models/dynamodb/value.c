#include "models/dynamodb/value.h"

#include "base/text.h"
#include "models/dynamodb/number.h"

#include <assert.h>
#include <string.h>

const char *dynamodb_type_name(enum dynamodb_type type)
{
    static const char *const name[DYNAMODB_TYPE_COUNT] = {
#define TYPE_NAME(id, text) [id] = text,
        DYNAMODB_TYPES(TYPE_NAME)
#undef TYPE_NAME
    };
    assert((unsigned)type < DYNAMODB_TYPE_COUNT);
    return name[type];
}

struct dynamodb_value dynamodb_string(struct jobq_str text)
{
    return (struct dynamodb_value){.type = DYNAMODB_S, .of.text = text};
}

struct dynamodb_value dynamodb_integer(int64_t value, struct arena *arena)
{
    char *text = arena_alloc(arena, 24);
    int len = text_write_int(text, value);
    return (struct dynamodb_value){.type = DYNAMODB_N, .of.text = {text, len}};
}

const struct dynamodb_value *dynamodb_find(const struct dynamodb_item *item,
                                           struct jobq_str name)
{
    for (int i = 0; i < item->count; i++)
        if (str_eq(item->attr[i].name, name))
            return &item->attr[i].value;
    return NULL;
}

static bool value_is_set(enum dynamodb_type type)
{
    return type == DYNAMODB_SS || type == DYNAMODB_NS || type == DYNAMODB_BS;
}

static bool value_is_text(enum dynamodb_type type)
{
    return type == DYNAMODB_S || type == DYNAMODB_N || type == DYNAMODB_B;
}

/* ---- sizes ------------------------------------------------------------------------ */

int64_t dynamodb_value_bytes(const struct dynamodb_value *v)
{
    int64_t bytes = 0;
    if (v->type == DYNAMODB_N)
        return number_text_bytes(v->of.text);
    if (value_is_text(v->type))
        return v->of.text.len;
    if (v->type == DYNAMODB_BOOL || v->type == DYNAMODB_NULL)
        return 1;
    if (!value_is_set(v->type))
        bytes = 3 + v->count;
    for (int32_t i = 0; i < v->count; i++)
        bytes += v->type == DYNAMODB_M ? v->of.member[i].name.len +
                                             dynamodb_value_bytes(&v->of.member[i].value)
                                       : dynamodb_value_bytes(&v->of.element[i]);
    return bytes;
}

int64_t dynamodb_item_bytes(const struct dynamodb_item *item)
{
    int64_t bytes = 0;
    for (int i = 0; i < item->count; i++)
        bytes += item->attr[i].name.len + dynamodb_value_bytes(&item->attr[i].value);
    return bytes;
}

/* ---- equality and order ------------------------------------------------------------- */

static bool value_set_has(const struct dynamodb_value *set,
                          const struct dynamodb_value *v)
{
    for (int32_t i = 0; i < set->count; i++)
        if (str_eq(set->of.element[i].of.text, v->of.text))
            return true;
    return false;
}

static bool value_equal_members(const struct dynamodb_value *a,
                                const struct dynamodb_value *b)
{
    struct dynamodb_item other = {b->of.member, b->count};
    for (int32_t i = 0; i < a->count; i++) {
        const struct dynamodb_value *found = dynamodb_find(&other, a->of.member[i].name);
        if (!found || !dynamodb_equal(&a->of.member[i].value, found))
            return false;
    }
    return true;
}

bool dynamodb_equal(const struct dynamodb_value *a, const struct dynamodb_value *b)
{
    if (a->type != b->type)
        return false;
    if (value_is_text(a->type))
        return str_eq(a->of.text, b->of.text);
    if (a->type == DYNAMODB_BOOL)
        return a->truth == b->truth;
    if (a->type == DYNAMODB_NULL)
        return true;
    if (a->count != b->count)
        return false;
    if (a->type == DYNAMODB_M)
        return value_equal_members(a, b);
    for (int32_t i = 0; i < a->count; i++)
        if (value_is_set(a->type) ? !value_set_has(b, &a->of.element[i])
                                  : !dynamodb_equal(&a->of.element[i], &b->of.element[i]))
            return false;
    return true;
}

bool dynamodb_compare(const struct dynamodb_value *a, const struct dynamodb_value *b,
                      int *out)
{
    if (a->type != b->type || !value_is_text(a->type))
        return false;
    if (a->type == DYNAMODB_N) {
        struct number x, y;
        number_read(a->of.text, &x);
        number_read(b->of.text, &y);
        *out = number_compare(&x, &y);
        return true;
    }
    if (!a->of.text.ptr || !b->of.text.ptr)
        return false;
    *out = str_cmp(a->of.text, b->of.text);
    return true;
}

/* ---- copies ------------------------------------------------------------------------- */

/* Where a copy's memory comes from: an arena, or one block that has room for all. */
struct value_room {
    struct arena *arena;
    char *at;
};

static inline void *value_take(struct value_room *room, size_t bytes)
{
    if (room->arena)
        return arena_alloc(room->arena, bytes);
    void *taken = room->at;
    room->at += (bytes + 7) & ~(size_t)7;
    return taken;
}

/* memcpy without the call, which takes longer than most names and values. */
static inline void value_copy_bytes(char *to, const char *from, size_t len)
{
    if (len > 64) {
        memcpy(to, from, len);
        return;
    }
    for (; len >= 8; len -= 8, to += 8, from += 8)
        memcpy(to, from, 8);
    if (len & 4) {
        memcpy(to, from, 4);
        to += 4;
        from += 4;
    }
    if (len & 2) {
        memcpy(to, from, 2);
        to += 2;
        from += 2;
    }
    if (len & 1)
        *to = *from;
}

static inline struct jobq_str value_copy_text(struct jobq_str text,
                                              struct value_room *room)
{
    if (!text.ptr || text.len == 0)
        return text.ptr ? STR("") : text;
    char *copy = value_take(room, (size_t)text.len);
    value_copy_bytes(copy, text.ptr, (size_t)text.len);
    return (struct jobq_str){copy, text.len};
}

static struct dynamodb_value value_copy(const struct dynamodb_value *v,
                                        struct value_room *room);

static const struct dynamodb_attr *
value_copy_attrs(const struct dynamodb_attr *attr, int32_t count, struct value_room *room)
{
    struct dynamodb_attr *copy = value_take(room, (size_t)count * sizeof *copy);
    for (int32_t i = 0; i < count; i++) {
        const struct dynamodb_value *v = &attr[i].value;
        copy[i].name = value_copy_text(attr[i].name, room);
        if (value_is_text(v->type)) {
            copy[i].value.type = v->type;
            copy[i].value.truth = false;
            copy[i].value.count = 0;
            copy[i].value.of.text = value_copy_text(v->of.text, room);
        } else {
            copy[i].value = value_copy(v, room);
        }
    }
    return copy;
}

static struct dynamodb_value value_copy(const struct dynamodb_value *v,
                                        struct value_room *room)
{
    struct dynamodb_value copy = *v;
    if (value_is_text(v->type)) {
        copy.of.text = value_copy_text(v->of.text, room);
    } else if (v->type == DYNAMODB_M) {
        copy.of.member = value_copy_attrs(v->of.member, v->count, room);
    } else if (v->type != DYNAMODB_BOOL && v->type != DYNAMODB_NULL) {
        struct dynamodb_value *element =
            value_take(room, (size_t)v->count * sizeof *element);
        for (int32_t i = 0; i < v->count; i++)
            element[i] = value_copy(&v->of.element[i], room);
        copy.of.element = element;
    }
    return copy;
}

static size_t value_padded(int64_t bytes)
{
    return ((size_t)bytes + 7) & ~(size_t)7;
}

/* Bytes of the block that value_copy takes without an arena. */
static size_t value_block_bytes(const struct dynamodb_value *v)
{
    size_t bytes = 0;
    if (value_is_text(v->type))
        return v->of.text.ptr ? value_padded(v->of.text.len) : 0;
    if (v->type == DYNAMODB_BOOL || v->type == DYNAMODB_NULL)
        return 0;
    for (int32_t i = 0; i < v->count; i++)
        bytes +=
            v->type == DYNAMODB_M
                ? sizeof(struct dynamodb_attr) + value_padded(v->of.member[i].name.len) +
                      value_block_bytes(&v->of.member[i].value)
                : sizeof(struct dynamodb_value) + value_block_bytes(&v->of.element[i]);
    return bytes;
}

struct dynamodb_value dynamodb_copy(const struct dynamodb_value *value,
                                    struct arena *arena)
{
    return value_copy(value, &(struct value_room){.arena = arena});
}

struct dynamodb_item dynamodb_copy_item(const struct dynamodb_item *item,
                                        struct arena *arena)
{
    struct value_room room = {.arena = arena};
    return (struct dynamodb_item){value_copy_attrs(item->attr, item->count, &room),
                                  item->count};
}

int64_t dynamodb_block_bytes(const struct dynamodb_item *item)
{
    struct dynamodb_value whole = {
        .type = DYNAMODB_M, .count = item->count, .of.member = item->attr};
    return (int64_t)value_block_bytes(&whole);
}

char *dynamodb_copy_block(const struct dynamodb_item *item, char *block,
                          struct dynamodb_item *out)
{
    struct value_room room = {.at = block};
    *out = (struct dynamodb_item){value_copy_attrs(item->attr, item->count, &room),
                                  item->count};
    return room.at;
}
