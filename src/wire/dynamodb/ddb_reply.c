/* ddb_reply.c - reads what DynamoDB answers. See ddb_bodies.h.
 *
 * Room:     src/wire, a tool. */
#include "base/arena.h"
#include "wire/dynamodb/ddb_bodies.h"

#include <jansson.h>

/* NULL and err filled: no JSON object. */
static json_t *reply_parse(struct jobq_str reply, struct jobq_error *err)
{
    json_t *root = json_loadb(reply.ptr, (size_t)reply.len, 0, NULL);
    if (json_is_object(root))
        return root;
    json_decref(root);
    jobq_fail(err, JOBQ_CORRUPT, "the reply is no JSON object");
    return NULL;
}

static double reply_units(json_t *root)
{
    json_t *consumed = json_object_get(root, "ConsumedCapacity");
    return json_number_value(json_object_get(consumed, "CapacityUnits"));
}

static struct jobq_str reply_string(json_t *value, struct arena *arena)
{
    json_t *s = json_object_get(value, "S");
    if (!json_is_string(s))
        return (struct jobq_str){NULL, 0};
    return arena_str(
        arena, (struct jobq_str){json_string_value(s), (int64_t)json_string_length(s)});
}

/* Attributes that are strings; the key becomes the name. False: no item of ours. */
static bool reply_item(json_t *item, struct arena *arena, struct jobq_item *out)
{
    const char *name;
    json_t *value;
    if (!json_is_object(item))
        return false;
    struct jobq_attr *attr =
        arena_alloc(arena, json_object_size(item) * sizeof *attr + 1);
    out->attr = attr;
    out->attr_count = 0;
    json_object_foreach(item, name, value)
    {
        struct jobq_str text = reply_string(value, arena);
        if (str_is(str_of(name), DDB_KEY)) {
            out->name = text;
            continue;
        }
        if (text.ptr)
            attr[out->attr_count++] =
                (struct jobq_attr){arena_str(arena, str_of(name)), text, true};
    }
    return true;
}

int ddb_wire_read_write(struct jobq_str reply, struct jobq_call_cost *cost,
                        struct jobq_error *err)
{
    json_t *root = reply_parse(reply, err);
    if (!root)
        return err->code;
    cost->write_units = reply_units(root);
    json_decref(root);
    return JOBQ_OK;
}

int ddb_wire_read_get(struct jobq_str reply, struct jobq_str id, struct arena *arena,
                      struct jobq_item *out, struct jobq_call_cost *cost,
                      struct jobq_error *err)
{
    json_t *root = reply_parse(reply, err);
    if (!root)
        return err->code;
    json_t *item = json_object_get(root, "Item");
    bool good = !item || reply_item(item, arena, out);
    cost->read_units = reply_units(root);
    json_decref(root);
    if (!good)
        return jobq_fail(err, JOBQ_CORRUPT, "the reply's 'Item' is no object");
    if (!item)
        *out = (struct jobq_item){.attr_count = 0};
    out->name = id;
    return JOBQ_OK;
}

bool ddb_wire_read_met(struct jobq_str reply, struct arena *arena, struct jobq_item *out)
{
    struct jobq_error err;
    json_t *root = reply_parse(reply, &err);
    bool known = root && reply_item(json_object_get(root, "Item"), arena, out);
    json_decref(root);
    return known;
}

int ddb_wire_read_scan(struct jobq_str reply, struct arena *arena, struct jobq_item *out,
                       int cap, struct jobq_str *next, struct jobq_call_cost *cost,
                       struct jobq_error *err)
{
    json_t *root = reply_parse(reply, err);
    if (!root)
        return err->code;
    json_t *items = json_object_get(root, "Items"), *item;
    json_t *last = json_object_get(root, "LastEvaluatedKey");
    int count = 0;
    size_t at;
    bool good = json_is_array(items);
    cost->read_units = reply_units(root);
    *next = last ? reply_string(json_object_get(last, DDB_KEY), arena)
                 : (struct jobq_str){NULL, 0};
    json_array_foreach(items, at, item)
    {
        if (count == cap) { /* the page goes on behind what it has room for */
            *next = out[count - 1].name;
            break;
        }
        good = good && reply_item(item, arena, &out[count]) && out[count].name.ptr;
        if (!good)
            break;
        count++;
    }
    json_decref(root);
    return good ? count
                : jobq_fail(err, JOBQ_CORRUPT, "the reply's 'Items' are no items");
}

int ddb_wire_read_count(struct jobq_str reply, int64_t *out_rows, struct jobq_error *err)
{
    json_t *root = reply_parse(reply, err);
    if (!root)
        return err->code;
    json_t *count = json_object_get(json_object_get(root, "Table"), "ItemCount");
    *out_rows = json_integer_value(count);
    bool good = json_is_integer(count);
    json_decref(root);
    return good ? JOBQ_OK : jobq_fail(err, JOBQ_CORRUPT, "the reply has no 'ItemCount'");
}
