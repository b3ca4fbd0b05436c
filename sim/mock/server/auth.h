/* auth.h - who a request says it is from, and whether that is true.
 *
 * Room:     sim/mock.
 * Callers:  route.c.
 * Knows nothing of: actions.
 *
 * The claim is read from every request, because the region and the service stand in its
 * credential scope; it is verified only with --auth check. */
#ifndef JOBQ_SIM_MOCK_SERVER_AUTH_H
#define JOBQ_SIM_MOCK_SERVER_AUTH_H

#include "sim/mock/server/mock.h"

enum auth_kind { AUTH_NONE, AUTH_V4, AUTH_V2 };

/* Views into the request. */
struct auth_claim {
    enum auth_kind kind;
    struct jobq_str access_key;
    struct jobq_str date, region, service; /* V4: of the scope; empty if malformed */
    struct jobq_str signed_headers, signature;
    struct jobq_str authorization; /* V4: the whole header, for messages */
    /* V4 in the query string (presigned): what then stands there instead of in headers. */
    bool presigned;
    struct jobq_str stamp, expires, token;
};

/* params: of a Query request, or NULL. */
void auth_claim(const struct http_request *request, const struct tree *params,
                struct auth_claim *out);

/* ---- verification ------------------------------------------------------------------ */

struct mock_keys;

/* The keys of --credentials, or (file NULL) AWS's documentation's example pair; and the
 * role's of a box. NULL with err filled: no such file, or not one. */
struct mock_keys *auth_keys_new(const struct mock *mock, const char *file,
                                struct jobq_error *err);
void auth_keys_free(struct mock_keys *keys);

/* Is the request signed by a known key, over these bytes, not long ago? CALL_DONE: yes;
 * CALL_FAILED: call->error is what the service would say. Signatures of version 4 are taken
 * by all services, those of version 2 (HmacSHA256 and HmacSHA1) by SimpleDB. The time is
 * the machine's, not the models'. Limits: 15 minutes, EC2 5; a presigned request's own, at
 * most 7 days, but STS's 15 minutes whatever it says. */
enum call_end auth_check(struct call *call, const struct http_request *request,
                         const struct auth_claim *claim);

#endif
