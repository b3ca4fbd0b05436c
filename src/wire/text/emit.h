/* emit.h - a reply's members, as JSON or as AWS's flattened XML.
 *
 * Room:     src/wire, a tool.
 * Callers:  sim/mock/, tests.
 * Knows nothing of: actions, sockets.
 *
 * Code that answers an SQS action writes its reply once; the flags choose the protocol.
 * XML puts no element around a list (flattened lists, Query protocol), JSON puts
 * brackets. The older JSON, which Query answers in when Accept asks for it, writes a map
 * as a list of names and values, as XML does. */
#ifndef JOBQ_WIRE_TEXT_EMIT_H
#define JOBQ_WIRE_TEXT_EMIT_H

#include "base/text.h"

struct emit {
    struct text *out;
    bool json;
    bool pairs; /* JSON: maps are lists of {"Name":...,"Value":...} */
    bool comma; /* JSON: the next member needs a comma */
};

/* Text between tags, escaped as XML needs it; CR too, which a reader would turn into LF.
 * The bytes are not checked. */
void emit_xml_text(struct text *out, struct jobq_str value);
/* <name>value</name> */
void emit_xml(struct text *out, const char *name, struct jobq_str value);
void emit_text(struct emit *e, const char *name, struct jobq_str value);
void emit_int(struct emit *e, const char *name, int64_t value);
void emit_bool(struct emit *e, const char *name, bool value);
/* A list: "name":[...] in JSON, nothing in XML. */
void emit_list(struct emit *e, const char *json_name);
void emit_list_end(struct emit *e);
/* An object: an element of a list (json_name NULL) or a member. */
void emit_object(struct emit *e, const char *json_name, const char *xml_name);
void emit_object_end(struct emit *e, const char *xml_name);
/* A string of a list. */
void emit_item(struct emit *e, const char *xml_name, struct jobq_str value);
/* A map of strings: JSON "name":{...}; XML <xml_name><KEY>k</KEY><VALUE>v</VALUE>...: the
 * entries say so themselves. */
void emit_map(struct emit *e, const char *json_name);
void emit_map_put(struct emit *e, const char *xml_name, const char *xml_key,
                  struct jobq_str key, struct jobq_str value);
void emit_map_end(struct emit *e);

#endif
