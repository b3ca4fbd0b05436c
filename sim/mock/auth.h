/* auth.h - who a request says it is from, and whether that is true.
 *
 * Room:     sim/mock.
 * Callers:  route.c.
 * Knows nothing of: actions.
 *
 * The claim is read from every request, because the region and the service stand in its
 * credential scope; it is verified only with --auth check. */
#ifndef JOBQ_MOCK_AUTH_H
#define JOBQ_MOCK_AUTH_H

#include "sim/mock/mock.h"

enum auth_kind { AUTH_NONE, AUTH_V4, AUTH_V2 };

/* Views into the request. */
struct auth_claim {
    enum auth_kind kind;
    struct jobq_str access_key;
    struct jobq_str date, region, service; /* V4: of the scope; empty if malformed */
    struct jobq_str signed_headers, signature;
    struct jobq_str authorization; /* V4: the whole header, for messages */
};

/* params: of a Query request, or NULL. */
void auth_claim(const struct http_request *request, const struct tree *params,
                struct auth_claim *out);

#endif
