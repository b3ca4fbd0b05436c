/* sigv2.h - AWS Signature Version 2, which SimpleDB still asks for.
 *
 * Room:     src/wire, a tool.
 * Callers:  src/wire/http/request.c, live/, sim/mock/ (which verifies).
 * Knows nothing of: the time of day, sockets.
 *
 * Source: AWS General Reference, "Signature Version 2 signing process":
 * METHOD\nHOST[:port]\nPATH\nsorted k=v, HMAC-SHA256 by the secret, base64. The vector of
 * that page is in tests/unit/wire/test_sigv4.c. */
#ifndef JOBQ_WIRE_SIGN_SIGV2_H
#define JOBQ_WIRE_SIGN_SIGV2_H

#include "wire/sign/digest.h"
#include "wire/sign/keys.h"
#include "wire/text/query.h"

/* The string to sign, of parameters that query_join wrote. host: lower case, with the
 * port where it is not the scheme's own. Appends. */
void sigv2_string(struct jobq_str method, struct jobq_str host, struct jobq_str path,
                  struct jobq_str joined, struct text *out);
/* 44 base64 characters and a NUL. */
void sigv2_signature(struct digest *digest, const struct wire_keys *keys,
                     struct jobq_str string_to_sign, char out[45]);
/* Adds AWSAccessKeyId, SignatureMethod, SignatureVersion, Timestamp and, for temporary
 * keys, SecurityToken to query; then appends its joined bytes and the Signature to out,
 * which must be empty. */
void sigv2_sign(struct digest *digest, const struct wire_keys *keys,
                struct jobq_str method, struct jobq_str host, struct jobq_str path,
                const char *iso_time, struct query *query, struct text *scratch,
                struct text *out);

#endif
