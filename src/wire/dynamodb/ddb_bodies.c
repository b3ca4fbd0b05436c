#include "wire/dynamodb/ddb_bodies.h"

#include "wire/text/table_word.h"

#include <assert.h>
#include <string.h>

int ddb_table_write(const struct jobq_table *table, char *out)
{
    const char *word = table_word(table->day);
    struct jobq_str end = str_of(word ? word : "jobs");
    assert(table->queue.len <= JOBQ_QUEUE_NAME_MAX);
    memcpy(out, table->queue.ptr, (size_t)table->queue.len);
    char *p = out + table->queue.len;
    *p++ = '.';
    memcpy(p, end.ptr, (size_t)end.len + 1);
    return (int)(p + end.len - out);
}

void ddb_page_cost(int64_t rows, struct jobq_call_cost *out)
{
    enum { ROW_BYTES = 400, UNIT_BYTES = 4096 };
    out->read_units = 1 + (double)(rows * ROW_BYTES / UNIT_BYTES);
}

/* ---- a body that is written, or only counted ---------------------------------------------- */

struct sink {
    struct text *out; /* NULL: count */
    int64_t bytes;
};

static void put(struct sink *s, struct jobq_str text)
{
    s->bytes += text.len;
    if (s->out)
        text_put(s->out, text.ptr, (size_t)text.len);
}
#define PUT(s, literal) put(s, STR(literal))

/* A JSON string, with its quotes. */
static void put_json(struct sink *s, struct jobq_str text)
{
    if (s->out)
        text_put_json(s->out, text);
    s->bytes += 2 + text_json_bytes(text);
}

static void put_int(struct sink *s, int64_t value)
{
    char digits[24];
    put(s, (struct jobq_str){digits, text_write_int(digits, value)});
}

static void put_string_value(struct sink *s, struct jobq_str value)
{
    PUT(s, "{\"S\":");
    put_json(s, value);
    PUT(s, "}");
}

/* #0 or :0. */
static void put_place(struct sink *s, char mark, int index)
{
    char place[24] = {mark};
    put(s, (struct jobq_str){place, 1 + text_write_int(place + 1, index)});
}

static void put_table(struct sink *s, struct jobq_str table)
{
    PUT(s, "{\"TableName\":");
    put_json(s, table);
}

static void put_key(struct sink *s, struct jobq_str id)
{
    PUT(s, ",\"Key\":{\"" DDB_KEY "\":");
    put_string_value(s, id);
    PUT(s, "}");
}

static void put_condition(struct sink *s, const struct jobq_expect *expect)
{
    if (!expect)
        return;
    if (expect->exists)
        PUT(s, ",\"ConditionExpression\":\"#c=:c\"");
    else
        PUT(s, ",\"ConditionExpression\":\"attribute_not_exists(#c)\"");
}

/* The members of names and values for a condition, each with a comma before it. */
static void put_condition_name(struct sink *s, const struct jobq_expect *expect)
{
    PUT(s, "\"#c\":");
    put_json(s, expect->name);
}

static void put_condition_value(struct sink *s, const struct jobq_expect *expect)
{
    PUT(s, "\":c\":");
    put_string_value(s, expect->value);
}

static int64_t put_end(struct sink *s, bool conditional)
{
    PUT(s, ",\"ReturnConsumedCapacity\":\"TOTAL\"");
    if (conditional)
        PUT(s, ",\"ReturnValuesOnConditionCheckFailure\":\"ALL_OLD\"");
    PUT(s, "}");
    return s->bytes;
}

/* ---- requests ---------------------------------------------------------------------------- */

static void put_names(struct sink *s, const struct jobq_item *item, int64_t ttl_s,
                      const struct jobq_expect *expect)
{
    PUT(s, ",\"ExpressionAttributeNames\":{");
    for (int i = 0; i < item->attr_count; i++) {
        PUT(s, "\"");
        put_place(s, '#', i);
        PUT(s, "\":");
        put_json(s, item->attr[i].name);
        if (i + 1 < item->attr_count)
            PUT(s, ",");
    }
    if (ttl_s)
        PUT(s, ",\"#x\":\"" DDB_TTL "\"");
    if (expect) {
        PUT(s, ",");
        put_condition_name(s, expect);
    }
    PUT(s, "}");
}

static void put_values(struct sink *s, const struct jobq_item *item, int64_t ttl_s,
                       const struct jobq_expect *expect)
{
    PUT(s, ",\"ExpressionAttributeValues\":{");
    for (int i = 0; i < item->attr_count; i++) {
        PUT(s, "\"");
        put_place(s, ':', i);
        PUT(s, "\":");
        put_string_value(s, item->attr[i].value);
        if (i + 1 < item->attr_count)
            PUT(s, ",");
    }
    if (ttl_s) {
        PUT(s, ",\":x\":{\"N\":\"");
        put_int(s, ttl_s);
        PUT(s, "\"}");
    }
    if (expect && expect->exists) {
        PUT(s, ",");
        put_condition_value(s, expect);
    }
    PUT(s, "}");
}

#define LEN(literal) ((int64_t)sizeof(literal) - 1)

/* The length of what ddb_wire_update writes, without writing it: a simulated job has three
 * of them. */
static int64_t update_bytes(struct jobq_str table, const struct jobq_item *item,
                            int64_t ttl_s, const struct jobq_expect *expect)
{
    int64_t bytes =
        LEN("{'TableName':'','Key':{'" DDB_KEY "':{'S':''}},'UpdateExpression':'SET '"
            ",'ExpressionAttributeNames':{},'ExpressionAttributeValues':{}"
            ",'ReturnConsumedCapacity':'TOTAL'}") +
        text_json_bytes(table) + text_json_bytes(item->name);
    bytes += item->attr_count * LEN("#0=:0,"
                                    "'#0':'',"
                                    "':0':{'S':''},") -
             LEN(",,,");
    for (int i = 10; i < item->attr_count; i++) /* places of more than a digit */
        bytes += 4 * (text_int_bytes(i) - 1);
    for (int i = 0; i < item->attr_count; i++)
        bytes +=
            text_json_bytes(item->attr[i].name) + text_json_bytes(item->attr[i].value);
    if (ttl_s)
        bytes += LEN(",#x=:x"
                     ",'#x':'" DDB_TTL "'"
                     ",':x':{'N':''}") +
                 text_int_bytes(ttl_s);
    if (!expect)
        return bytes;
    bytes += LEN(",'ReturnValuesOnConditionCheckFailure':'ALL_OLD',"
                 "'ConditionExpression':''"
                 ",'#c':''") +
             text_json_bytes(expect->name);
    return bytes + (expect->exists ? LEN("#c=:c"
                                         ",':c':{'S':''}") +
                                         text_json_bytes(expect->value)
                                   : LEN("attribute_not_exists(#c)"));
}

int64_t ddb_wire_update(struct text *out, struct jobq_str table,
                        const struct jobq_item *item, int64_t ttl_s,
                        const struct jobq_expect *expect)
{
    assert(item->attr_count > 0);
    if (!out)
        return update_bytes(table, item, ttl_s, expect);
    struct sink s = {out, 0};
    put_table(&s, table);
    put_key(&s, item->name);
    PUT(&s, ",\"UpdateExpression\":\"SET ");
    for (int i = 0; i < item->attr_count; i++) {
        if (i > 0)
            PUT(&s, ",");
        put_place(&s, '#', i);
        PUT(&s, "=");
        put_place(&s, ':', i);
    }
    if (ttl_s)
        PUT(&s, ",#x=:x");
    PUT(&s, "\"");
    put_condition(&s, expect);
    put_names(&s, item, ttl_s, expect);
    put_values(&s, item, ttl_s, expect);
    return put_end(&s, expect != NULL);
}

/* The projection, and its names if no others follow; the key always, which a row needs. */
static void put_projection(struct sink *s, int name_count)
{
    PUT(s, ",\"ProjectionExpression\":\"" DDB_KEY);
    for (int i = 0; i < name_count; i++) {
        PUT(s, ",");
        put_place(s, '#', i);
    }
    PUT(s, "\"");
}

static void put_projection_names(struct sink *s, const struct jobq_str *name,
                                 int name_count)
{
    for (int i = 0; i < name_count; i++) {
        if (i > 0)
            PUT(s, ",");
        PUT(s, "\"");
        put_place(s, '#', i);
        PUT(s, "\":");
        put_json(s, name[i]);
    }
}

int64_t ddb_wire_get(struct text *out, struct jobq_str table, struct jobq_str id,
                     const struct jobq_str *name, int name_count, bool consistent)
{
    struct sink s = {out, 0};
    put_table(&s, table);
    put_key(&s, id);
    if (name_count > 0) {
        put_projection(&s, name_count);
        PUT(&s, ",\"ExpressionAttributeNames\":{");
        put_projection_names(&s, name, name_count);
        PUT(&s, "}");
    }
    if (consistent)
        PUT(&s, ",\"ConsistentRead\":true");
    return put_end(&s, false);
}

int64_t ddb_wire_delete(struct text *out, struct jobq_str table, struct jobq_str id,
                        const struct jobq_expect *expect)
{
    struct sink s = {out, 0};
    put_table(&s, table);
    put_key(&s, id);
    put_condition(&s, expect);
    if (expect) {
        PUT(&s, ",\"ExpressionAttributeNames\":{");
        put_condition_name(&s, expect);
        PUT(&s, "}");
    }
    if (expect && expect->exists) {
        PUT(&s, ",\"ExpressionAttributeValues\":{");
        put_condition_value(&s, expect);
        PUT(&s, "}");
    }
    return put_end(&s, false);
}

static void put_or(struct sink *s, int *count)
{
    if ((*count)++ > 0)
        PUT(s, " OR ");
}

static void put_filter(struct sink *s, const struct jobq_filter *f)
{
    int count = 0;
    PUT(s, ",\"FilterExpression\":\"");
    if (f->absent) {
        put_or(s, &count);
        PUT(s, "attribute_not_exists(#f)");
    }
    for (int i = 0; i < f->prefix_count; i++) {
        put_or(s, &count);
        PUT(s, "begins_with(#f,");
        put_place(s, ':', i);
        PUT(s, ")");
    }
    if (f->above.len) {
        put_or(s, &count);
        PUT(s, "#f>:a");
    }
    if (f->below.len) {
        put_or(s, &count);
        PUT(s, "#f<:b");
    }
    PUT(s, "\"");
}

static void put_filter_values(struct sink *s, const struct jobq_filter *f)
{
    int count = 0;
    if (f->prefix_count == 0 && f->above.len == 0 && f->below.len == 0)
        return;
    PUT(s, ",\"ExpressionAttributeValues\":{");
    for (int i = 0; i < f->prefix_count; i++) {
        if (count++ > 0)
            PUT(s, ",");
        PUT(s, "\"");
        put_place(s, ':', i);
        PUT(s, "\":");
        put_string_value(s, f->prefix[i]);
    }
    if (f->above.len) {
        if (count++ > 0)
            PUT(s, ",");
        PUT(s, "\":a\":");
        put_string_value(s, f->above);
    }
    if (f->below.len) {
        if (count > 0)
            PUT(s, ",");
        PUT(s, "\":b\":");
        put_string_value(s, f->below);
    }
    PUT(s, "}");
}

int64_t ddb_wire_scan(struct text *out, struct jobq_str table,
                      const struct jobq_filter *filter, const struct jobq_str *name,
                      int name_count, bool consistent, struct jobq_str after, int cap)
{
    struct sink s = {out, 0};
    bool filtered = filter->name.len > 0;
    put_table(&s, table);
    if (filtered)
        put_filter(&s, filter);
    if (name_count > 0)
        put_projection(&s, name_count);
    if (filtered || name_count > 0) {
        PUT(&s, ",\"ExpressionAttributeNames\":{");
        put_projection_names(&s, name, name_count);
        if (filtered) {
            if (name_count > 0)
                PUT(&s, ",");
            PUT(&s, "\"#f\":");
            put_json(&s, filter->name);
        }
        PUT(&s, "}");
    }
    if (filtered)
        put_filter_values(&s, filter);
    PUT(&s, ",\"Limit\":");
    put_int(&s, filtered ? DDB_SCAN_ROWS : cap);
    if (consistent)
        PUT(&s, ",\"ConsistentRead\":true");
    if (after.len) {
        PUT(&s, ",\"ExclusiveStartKey\":{\"" DDB_KEY "\":");
        put_string_value(&s, after);
        PUT(&s, "}");
    }
    return put_end(&s, false);
}

int64_t ddb_wire_create(struct text *out, struct jobq_str table)
{
    struct sink s = {out, 0};
    put_table(&s, table);
    PUT(&s, ",\"AttributeDefinitions\":[{\"AttributeName\":\"" DDB_KEY
            "\",\"AttributeType\":\"S\"}],\"KeySchema\":[{\"AttributeName\":\"" DDB_KEY
            "\",\"KeyType\":\"HASH\"}],\"BillingMode\":\"PAY_PER_REQUEST\"}");
    return s.bytes;
}

int64_t ddb_wire_set_ttl(struct text *out, struct jobq_str table)
{
    struct sink s = {out, 0};
    put_table(&s, table);
    PUT(&s, ",\"TimeToLiveSpecification\":{\"AttributeName\":\"" DDB_TTL
            "\",\"Enabled\":true}}");
    return s.bytes;
}

int64_t ddb_wire_table(struct text *out, struct jobq_str table)
{
    struct sink s = {out, 0};
    put_table(&s, table);
    PUT(&s, "}");
    return s.bytes;
}

/* ---- lengths of replies --------------------------------------------------------------------- */

/* Units are whole, or halves. */
static int64_t double_bytes(double value)
{
    int64_t whole = (int64_t)value;
    return text_int_bytes(whole) + (value > (double)whole ? STR(".5").len : 0);
}

static int64_t consumed_bytes(struct jobq_str table, double units)
{
    return STR("\"ConsumedCapacity\":{\"TableName\":\"\",\"CapacityUnits\":}").len +
           table.len + double_bytes(units);
}

static int64_t item_bytes(struct jobq_str id, const struct jobq_item *item, int64_t ttl_s)
{
    struct sink s = {NULL, 0};
    PUT(&s, "{\"" DDB_KEY "\":");
    put_string_value(&s, id);
    for (int i = 0; i < item->attr_count; i++) {
        PUT(&s, ",:");
        put_json(&s, item->attr[i].name);
        put_string_value(&s, item->attr[i].value);
    }
    if (ttl_s) {
        PUT(&s, ",\"" DDB_TTL "\":{\"N\":\"\"}");
        put_int(&s, ttl_s);
    }
    PUT(&s, "}");
    return s.bytes;
}

int64_t ddb_reply_write(struct jobq_str table, double units)
{
    return STR("{}").len + consumed_bytes(table, units);
}

int64_t ddb_reply_get(struct jobq_str table, double units, struct jobq_str id,
                      const struct jobq_item *item, int64_t ttl_s)
{
    return STR("{}").len + consumed_bytes(table, units) +
           (item->attr_count > 0 ? STR("\"Item\":,").len + item_bytes(id, item, ttl_s)
                                 : 0);
}

int64_t ddb_reply_met(struct jobq_str id, const struct jobq_item *item, int64_t ttl_s)
{
    return STR("{\"__type\":\"com.amazonaws.dynamodb.v20120810#"
               "ConditionalCheckFailedException\",\"message\":\"The conditional request "
               "failed\",\"Item\":}")
               .len +
           item_bytes(id, item, ttl_s);
}

int64_t ddb_reply_scan(struct jobq_str table, double units, const struct jobq_item *item,
                       int count, int64_t scanned, struct jobq_str next)
{
    int64_t bytes = STR("{\"Items\":[],\"Count\":,\"ScannedCount\":,}").len +
                    consumed_bytes(table, units) + double_bytes((double)count) +
                    double_bytes((double)scanned);
    for (int i = 0; i < count; i++)
        bytes += item_bytes(item[i].name, &item[i], 0) + (i > 0);
    if (next.len)
        bytes += STR(",\"LastEvaluatedKey\":{\"" DDB_KEY "\":{\"S\":\"\"}}").len +
                 text_json_bytes(next);
    return bytes;
}
