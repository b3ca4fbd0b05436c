/* query.h - parameters of AWS's Query protocol: encoded, sorted, joined.
 *
 * Room:     src/wire, a tool.
 * Callers:  src/wire, live/, sim/mock/.
 * Knows nothing of: actions, signatures.
 *
 * Encoding is RFC 3986's with the unreserved characters A-Z a-z 0-9 - . _ ~ left alone
 * and everything else as %XX in capitals, which both signature versions demand.
 * Parameters are sorted by the bytes of the encoded key, as SigV2's canonical string
 * needs; SigV4 signs the body as it is, so the same order serves both. */
#ifndef JOBQ_WIRE_TEXT_QUERY_H
#define JOBQ_WIRE_TEXT_QUERY_H

#include "base/text.h"
#include "jobq/error.h"

struct query_param {
    size_t key_at, key_len, value_len; /* encoded "key=value" in bytes */
};

/* Zero it to init. */
struct query {
    struct text bytes;
    struct query_param *param;
    int count, cap;
};

void query_release(struct query *query);
void query_clear(struct query *query); /* keeps the memory */
void query_add(struct query *query, const char *key, struct jobq_str value);
void query_add_int(struct query *query, const char *key, int64_t value);
/* key = PREFIX index SUFFIX, as "Attribute." 3 ".Name". */
void query_add_indexed(struct query *query, const char *prefix, int index,
                       const char *suffix, struct jobq_str value);
/* Sorts and appends "k=v&k=v" to out. */
void query_join(struct query *query, struct text *out);

void query_encode(struct text *out, struct jobq_str value);
/* How many bytes query_encode writes; a phantom counts as unreserved. */
int64_t query_encoded_bytes(struct jobq_str value);
/* The total for a put: the item's name, its attributes' names and values, and the
 * condition (NULL: none; its value counts if the attribute must exist). */
int64_t query_encoded_put(const struct jobq_item *item, const struct jobq_expect *expect);
/* Decodes %XX and '+' into out. False for a malformed escape. */
bool query_decode(struct text *out, struct jobq_str value);

#endif
