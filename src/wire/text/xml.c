#include "wire/text/xml.h"

#include "base/arena.h"
#include "base/text.h"

#include <assert.h>
#include <libxml/parser.h>
#include <libxml/tree.h>
#include <limits.h>
#include <stdlib.h>

struct xml_text {
    struct xml_text *next;
    xmlChar *bytes;
};

static const xmlNode *as_node(const struct xml_node *node)
{
    return (const xmlNode *)(const void *)node;
}

static const struct xml_node *of_node(const xmlNode *node)
{
    return (const struct xml_node *)(const void *)node;
}

int xml_parse(struct xml_doc *doc, struct jobq_str bytes, struct jobq_error *err)
{
    assert(doc && err);
    if (bytes.len <= 0 || bytes.len > INT_MAX)
        return jobq_fail(err, JOBQ_CORRUPT, "reply is empty, not XML");
    xmlDocPtr d =
        xmlReadMemory(bytes.ptr, (int)bytes.len, NULL, NULL,
                      XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING |
                          XML_PARSE_NOCDATA | XML_PARSE_COMPACT);
    if (!d)
        return jobq_fail(err, JOBQ_CORRUPT, "reply is not well-formed XML");
    if (d->intSubset || d->extSubset || !xmlDocGetRootElement(d)) {
        xmlFreeDoc(d);
        return jobq_fail(err, JOBQ_CORRUPT, "reply's XML has a DTD or no element");
    }
    *doc = (struct xml_doc){.doc = d};
    return JOBQ_OK;
}

void xml_release(struct xml_doc *doc)
{
    for (struct xml_text *t = doc->text; t;) {
        struct xml_text *next = t->next;
        xmlFree(t->bytes);
        free(t);
        t = next;
    }
    xmlFreeDoc(doc->doc);
    *doc = (struct xml_doc){0};
}

const struct xml_node *xml_root(const struct xml_doc *doc)
{
    return of_node(xmlDocGetRootElement(doc->doc));
}

static const struct xml_node *first_from(const xmlNode *n, const char *name)
{
    for (; n; n = n->next)
        if (n->type == XML_ELEMENT_NODE &&
            (!name || strcmp((const char *)n->name, name) == 0))
            break;
    return of_node(n);
}

const struct xml_node *xml_child(const struct xml_node *node, const char *name)
{
    return node ? first_from(as_node(node)->children, name) : NULL;
}

const struct xml_node *xml_next(const struct xml_node *node, const char *name)
{
    return node ? first_from(as_node(node)->next, name) : NULL;
}

static struct jobq_str xml_keep(struct xml_doc *doc, xmlChar *bytes)
{
    struct xml_text *t = xmalloc(sizeof *t);
    *t = (struct xml_text){.next = doc->text, .bytes = bytes};
    doc->text = t;
    return str_of((const char *)bytes);
}

struct jobq_str xml_text(struct xml_doc *doc, const struct xml_node *node)
{
    const xmlNode *n = node ? as_node(node)->children : NULL;
    if (!n)
        return STR("");
    /* The usual case, a single text node, is returned as a view. */
    if (!n->next && n->type == XML_TEXT_NODE)
        return str_of((const char *)n->content);
    xmlChar *whole = xmlNodeGetContent(as_node(node));
    return whole ? xml_keep(doc, whole) : STR("");
}

struct jobq_str xml_attribute(struct xml_doc *doc, const struct xml_node *node,
                              const char *name)
{
    xmlChar *value = node ? xmlGetNoNsProp(as_node(node), (const xmlChar *)name) : NULL;
    return value ? xml_keep(doc, value) : (struct jobq_str){NULL, 0};
}
