/* params.h - a request's parameters, whether they came as JSON or as a query string.
 *
 * Room:     src/wire, a tool.
 * Callers:  sim/mock/, tests and fuzzers.
 * Knows nothing of: actions, signatures, sockets.
 *
 * One shape for both protocols, so that an action is read once. A JSON document becomes
 * itself; a query string becomes the tree that its dotted keys spell: "Entry.2.Id=x" is
 * the member "Id" of the member "2" of the member "Entry", siblings in order of their
 * names, numbers in order of their value. All memory is the arena's; texts may point into
 * the input. */
#ifndef JOBQ_WIRE_TEXT_PARAMS_H
#define JOBQ_WIRE_TEXT_PARAMS_H

#include "jobq/ports.h"

#define TREE_DEPTH_MAX 16
#define TREE_PARAMS_MAX 32768 /* 25 items x 256 attributes x 3 fields, and a few more */

enum tree_kind { TREE_NULL, TREE_BOOL, TREE_NUMBER, TREE_TEXT, TREE_LIST, TREE_OBJECT };

struct text;
struct tree {
    enum tree_kind kind;
    bool from_query;      /* list entries may be unnumbered: see tree_list */
    int count;            /* of children */
    struct jobq_str name; /* of an object's member; empty in a list */
    struct jobq_str text; /* decoded; of a NUMBER its digits, of a BOOL "true"/"false" */
    struct tree *first, *last, *next;
};

/* Reads a JSON document (UTF-8, an object at the top). Returns JOBQ_OK; INVALID:
 * malformed; LIMIT: nested deeper than TREE_DEPTH_MAX, or more than TREE_PARAMS_MAX
 * values. */
int tree_from_json(struct jobq_str bytes, struct arena *arena, struct tree **out,
                   struct jobq_error *err);
/* Reads the `count` query strings and application/x-www-form-urlencoded bodies of one
 * request (its URL's query and its body) as one. A member may have both a text and
 * children. If a key is given twice, the first counts. Returns JOBQ_OK; INVALID: a
 * malformed %-escape or a key without a name; LIMIT. */
int tree_from_query(const struct jobq_str *part, int count, struct arena *arena,
                    struct tree **out, struct jobq_error *err);

/* The members of first, and those of second that first has none of. Views of both. */
const struct tree *tree_merge(const struct tree *first, const struct tree *second,
                              struct arena *arena);
/* Appends a tree of a query string to out as "a.1.b=x&..."; tree_from_query makes the same
 * tree of it. */
void tree_write_query(const struct tree *tree, struct text *out);

/* The member called name, or NULL; tree may be NULL. Linear in the members. */
const struct tree *tree_get(const struct tree *tree, const char *name);
/* The list called name: its children are the entries, in order; NULL: absent. A query string
 * numbers them ("Tag.2.Key=x"), but a list of one may go without ("AttributeName=All",
 * "Tag.Key=x&Tag.Value=y", as boto 2 and AWS's samples send it): what stands without a number
 * is one more entry, behind the others. An empty text alone ("AttributeName=") is the empty
 * list. A JSON list or object comes back as it is. */
const struct tree *tree_list(const struct tree *tree, const char *name,
                             struct arena *arena);
/* Its text, or {NULL, 0}. */
struct jobq_str tree_text(const struct tree *tree, const char *name);

#endif
