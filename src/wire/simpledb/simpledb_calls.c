#include "wire/simpledb/simpledb_calls.h"

#include <assert.h>

static void sdb_begin(struct query *out, const char *action)
{
    query_add(out, "Action", str_of(action));
    query_add(out, "Version", STR("2009-04-15"));
}

void sdb_wire_domain(struct query *out, const char *action, struct jobq_str domain)
{
    sdb_begin(out, action);
    query_add(out, "DomainName", domain);
}

void sdb_wire_list(struct query *out, int cap, struct jobq_str token)
{
    assert(cap >= 1 && cap <= 100);
    sdb_begin(out, "ListDomains");
    query_add_int(out, "MaxNumberOfDomains", cap);
    if (token.len)
        query_add(out, "NextToken", token);
}

static void add_attrs(struct query *out, const char *prefix, const struct jobq_attr *attr,
                      int attr_count, bool deleting)
{
    for (int i = 0; i < attr_count; i++) {
        query_add_indexed(out, prefix, i + 1, ".Name", attr[i].name);
        if (!deleting || attr[i].value.len)
            query_add_indexed(out, prefix, i + 1, ".Value", attr[i].value);
        if (!deleting && attr[i].replace)
            query_add_indexed(out, prefix, i + 1, ".Replace", STR("true"));
    }
}

static void add_expect(struct query *out, const struct jobq_expect *expect)
{
    if (!expect)
        return;
    query_add(out, "Expected.Name", expect->name);
    if (expect->exists)
        query_add(out, "Expected.Value", expect->value);
    else
        query_add(out, "Expected.Exists", STR("false"));
}

void sdb_wire_put(struct query *out, struct jobq_str domain, struct jobq_str item,
                  const struct jobq_attr *attr, int attr_count,
                  const struct jobq_expect *expect)
{
    assert(attr && attr_count > 0);
    sdb_wire_domain(out, "PutAttributes", domain);
    query_add(out, "ItemName", item);
    add_attrs(out, "Attribute.", attr, attr_count, false);
    add_expect(out, expect);
}

void sdb_wire_put_batch(struct query *out, struct jobq_str domain,
                        const struct jobq_item *item, int item_count)
{
    assert(item && item_count > 0 && item_count <= JOBQ_STORE_BATCH_MAX);
    sdb_wire_domain(out, "BatchPutAttributes", domain);
    for (int i = 0; i < item_count; i++) {
        char prefix[40] = "Item.";
        int len = 5 + text_write_int(prefix + 5, i + 1);
        memcpy(prefix + len, ".Attribute.", sizeof ".Attribute.");
        query_add_indexed(out, "Item.", i + 1, ".ItemName", item[i].name);
        add_attrs(out, prefix, item[i].attr, item[i].attr_count, false);
    }
}

void sdb_wire_get(struct query *out, struct jobq_str domain, struct jobq_str item,
                  const struct jobq_str *name, int name_count, bool consistent)
{
    assert(name_count >= 0 && (name || name_count == 0));
    sdb_wire_domain(out, "GetAttributes", domain);
    query_add(out, "ItemName", item);
    for (int i = 0; i < name_count; i++)
        query_add_indexed(out, "AttributeName.", i + 1, "", name[i]);
    if (consistent)
        query_add(out, "ConsistentRead", STR("true"));
}

void sdb_wire_remove(struct query *out, struct jobq_str domain, struct jobq_str item,
                     const struct jobq_attr *attr, int attr_count,
                     const struct jobq_expect *expect)
{
    assert(attr_count >= 0 && (attr || attr_count == 0));
    sdb_wire_domain(out, "DeleteAttributes", domain);
    query_add(out, "ItemName", item);
    add_attrs(out, "Attribute.", attr, attr_count, true);
    add_expect(out, expect);
}

void sdb_wire_select(struct query *out, struct jobq_str expression, bool consistent,
                     struct jobq_str token)
{
    sdb_begin(out, "Select");
    query_add(out, "SelectExpression", expression);
    if (consistent)
        query_add(out, "ConsistentRead", STR("true"));
    if (token.len)
        query_add(out, "NextToken", token);
}
