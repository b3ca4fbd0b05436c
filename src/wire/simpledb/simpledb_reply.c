/* simpledb_reply.c - reads SimpleDB's XML replies (declared in wire/simpledb/simpledb_calls.h).
 *
 * Room:     src/wire. Callers: as wire/simpledb/simpledb_calls.h.
 * Knows nothing of: sockets. Every value is checked before it is used: a reply comes from
 * the network. */
#include "wire/simpledb/simpledb_calls.h"

#include "base/arena.h"
#include "wire/http/aws_error.h"
#include "wire/text/xml.h"

#include <assert.h>

/* A value that XML cannot carry is sent in base64, with an encoding attribute. */
static bool decode_base64(struct jobq_str in, struct arena *arena, struct jobq_str *out)
{
    unsigned char *at = arena_alloc(arena, (size_t)in.len / 4 * 3 + 4);
    unsigned bits = 0, have = 0;
    int64_t len = 0;
    for (int64_t i = 0; i < in.len; i++) {
        static const char letter[] =
            "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        char c = in.ptr[i];
        if (c == '=' || c == '\n' || c == '\r')
            continue;
        const char *found = c ? strchr(letter, c) : NULL;
        if (!found)
            return false;
        bits = bits << 6 | (unsigned)(found - letter);
        have += 6;
        if (have >= 8) {
            have -= 8;
            at[len++] = (unsigned char)(bits >> have);
        }
    }
    at[len] = '\0';
    *out = (struct jobq_str){(const char *)at, len};
    return true;
}

static bool text_in(struct xml_doc *doc, const struct xml_node *node, struct arena *arena,
                    struct jobq_str *out)
{
    struct jobq_str text = xml_text(doc, node);
    if (str_is(xml_attribute(doc, node, "encoding"), "base64"))
        return decode_base64(text, arena, out);
    *out = arena_str(arena, text);
    return true;
}

static int open_reply(struct xml_doc *doc, struct jobq_str reply, int64_t *box_usage,
                      struct jobq_error *err)
{
    int rc = xml_parse(doc, reply, err);
    if (rc < 0)
        return rc;
    const struct xml_node *meta = xml_child(xml_root(doc), "ResponseMetadata");
    if (!meta) {
        xml_release(doc);
        return jobq_fail(err, JOBQ_CORRUPT, "reply has no ResponseMetadata");
    }
    *box_usage = aws_error_box_usage(xml_text(doc, xml_child(meta, "BoxUsage")));
    return JOBQ_OK;
}

int sdb_wire_read_done(struct jobq_str reply, int64_t *box_usage, struct jobq_error *err)
{
    struct xml_doc doc;
    int rc = open_reply(&doc, reply, box_usage, err);
    if (rc == JOBQ_OK)
        xml_release(&doc);
    return rc;
}

/* The <Attribute> children of parent, into arena. */
static bool read_attrs(struct xml_doc *doc, const struct xml_node *parent,
                       struct arena *arena, struct jobq_item *out)
{
    int count = 0;
    for (const struct xml_node *n = xml_child(parent, "Attribute"); n;
         n = xml_next(n, "Attribute"))
        count++;
    struct jobq_attr *attr = arena_zalloc(arena, (size_t)count * sizeof *attr);
    int i = 0;
    for (const struct xml_node *n = xml_child(parent, "Attribute"); n;
         n = xml_next(n, "Attribute"), i++)
        if (!xml_child(n, "Name") ||
            !text_in(doc, xml_child(n, "Name"), arena, &attr[i].name) ||
            !text_in(doc, xml_child(n, "Value"), arena, &attr[i].value))
            return false;
    out->attr = attr;
    out->attr_count = count;
    return true;
}

int sdb_wire_read_get(struct jobq_str reply, struct jobq_str item, struct arena *arena,
                      struct jobq_item *out, int64_t *box_usage, struct jobq_error *err)
{
    assert(arena && out);
    struct xml_doc doc;
    int rc = open_reply(&doc, reply, box_usage, err);
    if (rc < 0)
        return rc;
    const struct xml_node *result = xml_child(xml_root(&doc), "GetAttributesResult");
    struct jobq_item row = {.name = arena_str(arena, item)};
    if (read_attrs(&doc, result, arena, &row))
        *out = row;
    else
        rc = jobq_fail(err, JOBQ_CORRUPT, "reply holds an attribute without a name");
    xml_release(&doc);
    return rc;
}

int sdb_wire_read_select(struct jobq_str reply, struct arena *arena,
                         struct jobq_item *out, int cap, struct jobq_str *next_token,
                         int64_t *box_usage, struct jobq_error *err)
{
    assert(arena && out && cap > 0 && next_token);
    struct xml_doc doc;
    int rc = open_reply(&doc, reply, box_usage, err), count = 0;
    if (rc < 0)
        return rc;
    const struct xml_node *result = xml_child(xml_root(&doc), "SelectResult");
    for (const struct xml_node *n = xml_child(result, "Item"); n && rc == JOBQ_OK;
         n = xml_next(n, "Item")) {
        if (count == cap)
            rc = jobq_fail(err, JOBQ_LIMIT,
                           "reply holds more than '%d' rows; "
                           "put a limit in the query",
                           cap);
        else if (!text_in(&doc, xml_child(n, "Name"), arena, &out[count].name) ||
                 !read_attrs(&doc, n, arena, &out[count]))
            rc = jobq_fail(err, JOBQ_CORRUPT, "reply holds an attribute without a name");
        else
            count++;
    }
    if (rc == JOBQ_OK)
        *next_token = arena_str(arena, xml_text(&doc, xml_child(result, "NextToken")));
    xml_release(&doc);
    return rc < 0 ? rc : count;
}

int sdb_wire_read_list(struct jobq_str reply, struct arena *arena, struct jobq_str *out,
                       int cap, struct jobq_str *next_token, int64_t *box_usage,
                       struct jobq_error *err)
{
    assert(arena && out && cap > 0 && next_token);
    struct xml_doc doc;
    int rc = open_reply(&doc, reply, box_usage, err), count = 0;
    if (rc < 0)
        return rc;
    const struct xml_node *result = xml_child(xml_root(&doc), "ListDomainsResult");
    for (const struct xml_node *n = xml_child(result, "DomainName"); n && count < cap;
         n = xml_next(n, "DomainName"))
        out[count++] = arena_str(arena, xml_text(&doc, n));
    *next_token = arena_str(arena, xml_text(&doc, xml_child(result, "NextToken")));
    xml_release(&doc);
    return count;
}

int sdb_wire_read_stats(struct jobq_str reply, struct sdb_stats *out, int64_t *box_usage,
                        struct jobq_error *err)
{
    struct xml_doc doc;
    int rc = open_reply(&doc, reply, box_usage, err);
    if (rc < 0)
        return rc;
    const struct xml_node *result = xml_child(xml_root(&doc), "DomainMetadataResult");
    struct sdb_stats s = {0};
    const struct {
        const char *name;
        int64_t *value;
    } field[] = {{"ItemCount", &s.items},
                 {"AttributeNameCount", &s.names},
                 {"AttributeValueCount", &s.values},
                 {"ItemNamesSizeBytes", &s.item_bytes},
                 {"AttributeNamesSizeBytes", &s.name_bytes},
                 {"AttributeValuesSizeBytes", &s.value_bytes}};
    for (size_t i = 0; i < sizeof field / sizeof *field && rc == JOBQ_OK; i++)
        if (!str_to_int(xml_text(&doc, xml_child(result, field[i].name)), field[i].value))
            rc = jobq_fail(err, JOBQ_CORRUPT, "reply's '%s' is not a number",
                           field[i].name);
    xml_release(&doc);
    if (rc == JOBQ_OK)
        *out = s;
    return rc;
}
