/* xml.h - reads the XML of an untrusted reply.
 *
 * Room:     src/wire, a tool. Wraps libxml2.
 * Callers:  src/wire, live/, tests.
 * Knows nothing of: AWS.
 *
 * No network, no entity substitution, no DTD (a document with one is refused), no
 * "huge" mode: libxml2 then stops at 256 levels and 10 MB a text. Comments and processing
 * instructions are skipped. Name lookups ignore namespaces. */
#ifndef JOBQ_WIRE_TEXT_XML_H
#define JOBQ_WIRE_TEXT_XML_H

#include "jobq/error.h"
#include "jobq/ports.h"

struct xml_node; /* libxml2's, opaque here; lives as long as its document */

/* Owner: the caller; release what parsed. */
struct xml_doc {
    void *doc;
    struct xml_text *text; /* strings made of several text nodes */
};

/* CORRUPT: not a well-formed document. On failure there is nothing to release. */
int xml_parse(struct xml_doc *doc, struct jobq_str bytes, struct jobq_error *err);
void xml_release(struct xml_doc *doc);

/* All accept a NULL node, so that lookups can be chained. */
const struct xml_node *xml_root(const struct xml_doc *doc);
/* The first child element of that name; the next element of that name after node. name
 * NULL: any. */
const struct xml_node *xml_child(const struct xml_node *node, const char *name);
const struct xml_node *xml_next(const struct xml_node *node, const char *name);
/* All text in it; {"", 0} for NULL or none. Lives as long as doc. */
struct jobq_str xml_text(struct xml_doc *doc, const struct xml_node *node);
/* An attribute's value; {NULL, 0} if absent. Lives as long as doc. */
struct jobq_str xml_attribute(struct xml_doc *doc, const struct xml_node *node,
                              const char *name);

#endif
