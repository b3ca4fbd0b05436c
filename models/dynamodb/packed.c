#include "models/dynamodb/packed.h"

#include "base/text.h"

#include <string.h>

enum { PACK_SET_MAX = 32 }; /* attributes that one step sets */

static bool value_is_flat(const struct dynamodb_value *v)
{
    return v->type <= DYNAMODB_NULL;
}

static int64_t text_room(struct jobq_str text)
{
    return text.ptr ? (text.len + 7) & ~INT64_C(7) : 0;
}

static struct jobq_str value_text(const struct dynamodb_value *v)
{
    return v->type <= DYNAMODB_B ? v->of.text : (struct jobq_str){NULL, 0};
}

struct dynamodb_packed *dynamodb_pack(const struct dynamodb_item *item, int64_t bytes,
                                      struct blocks *blocks)
{
    struct dynamodb_packed *packed =
        blocks_take(blocks, sizeof *packed + (size_t)dynamodb_block_bytes(item));
    char *end = dynamodb_copy_block(item, (char *)(packed + 1), &packed->item);
    bool flat = true;
    for (int i = 0; i < item->count; i++)
        flat &= value_is_flat(&item->attr[i].value);
    packed->bytes = bytes;
    packed->text_bytes =
        flat ? (int32_t)(end - (const char *)(packed->item.attr + item->count)) : -1;
    packed->waste = 0;
    return packed;
}

static struct jobq_str pack_text(struct jobq_str text, char **at)
{
    if (!text.ptr || text.len == 0)
        return text.ptr ? STR("") : text;
    char *copy = memcpy(*at, text.ptr, (size_t)text.len);
    *at += text_room(text);
    return (struct jobq_str){copy, text.len};
}

static void move_text(struct jobq_str *text, const char *from, const char *to)
{
    if (text->ptr && text->len > 0)
        text->ptr = to + (text->ptr - from);
}

/* Where the attributes of set go in base, and what that takes. */
struct pack_plan {
    int place[PACK_SET_MAX];
    int count;           /* of the new item */
    int64_t text, waste; /* bytes more */
    int64_t bytes;       /* dynamodb_item_bytes more */
};

/* False: it takes another way. */
static bool pack_plan(struct pack_plan *plan, const struct dynamodb_packed *base,
                      const struct dynamodb_attr *set, int set_count)
{
    if (set_count > PACK_SET_MAX || base->text_bytes < 0)
        return false;
    const struct dynamodb_attr *attr = base->item.attr;
    int at = 0, old = base->item.count;
    plan->count = old;
    plan->text = plan->bytes = 0;
    plan->waste = base->waste;
    for (int i = 0; i < set_count; i++) {
        const struct dynamodb_value *v = &set[i].value;
        if (!value_is_flat(v))
            return false;
        int tried = 0; /* from behind the last one found: names keep their order */
        while (tried < old && !str_eq(attr[at].name, set[i].name)) {
            at = at + 1 < old ? at + 1 : 0;
            tried++;
        }
        plan->text += text_room(value_text(v));
        plan->bytes += dynamodb_value_bytes(v);
        if (tried < old) {
            plan->waste += text_room(value_text(&attr[at].value));
            plan->bytes -= dynamodb_value_bytes(&attr[at].value);
            plan->place[i] = at;
            at = at + 1 < old ? at + 1 : 0;
        } else {
            plan->text += text_room(set[i].name);
            plan->bytes += set[i].name.len;
            plan->place[i] = plan->count++;
        }
    }
    return 2 * plan->waste <= base->text_bytes + plan->text;
}

static struct dynamodb_packed *pack_next(const struct pack_plan *plan,
                                         const struct dynamodb_packed *base,
                                         const struct dynamodb_attr *set, int set_count,
                                         struct blocks *blocks)
{
    int old = base->item.count;
    struct dynamodb_packed *packed = blocks_take(
        blocks, sizeof *packed + (size_t)plan->count * sizeof(struct dynamodb_attr) +
                    (size_t)(base->text_bytes + plan->text));
    struct dynamodb_attr *attr = (struct dynamodb_attr *)(void *)(packed + 1);
    const char *from = (const char *)(base->item.attr + old);
    char *text = (char *)(attr + plan->count);
    memcpy(attr, base->item.attr, (size_t)old * sizeof *attr);
    memcpy(text, from, (size_t)base->text_bytes);
    for (int i = 0; i < old; i++) {
        move_text(&attr[i].name, from, text);
        if (attr[i].value.type <= DYNAMODB_B)
            move_text(&attr[i].value.of.text, from, text);
    }
    char *at = text + base->text_bytes;
    for (int i = 0; i < set_count; i++) {
        struct dynamodb_attr *to = &attr[plan->place[i]];
        if (plan->place[i] >= old)
            to->name = pack_text(set[i].name, &at);
        to->value = set[i].value;
        if (to->value.type <= DYNAMODB_B)
            to->value.of.text = pack_text(set[i].value.of.text, &at);
    }
    packed->item.attr = attr;
    packed->item.count = plan->count;
    packed->bytes = base->bytes + plan->bytes;
    packed->text_bytes = base->text_bytes + (int32_t)plan->text;
    packed->waste = (int32_t)plan->waste;
    return packed;
}

struct dynamodb_packed *dynamodb_pack_set(const struct dynamodb_packed *base,
                                          const struct dynamodb_item *key,
                                          const struct dynamodb_attr *set, int set_count,
                                          struct arena *arena, struct blocks *blocks)
{
    struct pack_plan plan;
    if (base && pack_plan(&plan, base, set, set_count))
        return pack_next(&plan, base, set, set_count, blocks);
    const struct dynamodb_item *from = base ? &base->item : key;
    struct dynamodb_attr *attr =
        arena_alloc(arena, (size_t)(from->count + set_count) * sizeof *attr);
    int count = from->count;
    memcpy(attr, from->attr, (size_t)count * sizeof *attr);
    for (int i = 0; i < set_count; i++) {
        int at = 0;
        while (at < from->count && !str_eq(attr[at].name, set[i].name))
            at++;
        if (at == from->count)
            at = count++;
        attr[at] = set[i];
    }
    struct dynamodb_item item = {attr, count};
    return dynamodb_pack(&item, dynamodb_item_bytes(&item), blocks);
}
