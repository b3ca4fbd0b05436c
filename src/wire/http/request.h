/* request.h - one signed HTTP request, byte for byte as the live client sends it.
 *
 * Room:     src/wire, a tool.
 * Callers:  live/ (sends it), sim/mock/ and tests.
 * Knows nothing of: sockets, TLS, retries, what the reply means.
 *
 * The header set is minimal and fixed, so that wire/http/wire_bytes.h can say how many bytes a call costs
 * without building it:
 *
 *     POST PATH HTTP/1.1
 *     Host: HOST
 *     User-Agent: jobq/VERSION
 *     Content-Type: ...
 *     X-Amz-Target: AmazonSQS.ACTION          (SQS; DynamoDB_20120810.ACTION)
 *     X-Amz-Date: 20261124T034500Z            (all but SimpleDB)
 *     X-Amz-Security-Token: TOKEN             (the same, temporary keys)
 *     Authorization: AWS4-HMAC-SHA256 ...     (all but SimpleDB)
 *     Content-Length: N
 *
 * A test holds what libcurl sends equal to these lines. */
#ifndef JOBQ_WIRE_HTTP_REQUEST_H
#define JOBQ_WIRE_HTTP_REQUEST_H

#include "base/text.h"
#include "wire/sign/digest.h"
#include "wire/sign/keys.h"
#include "wire/text/query.h"
#include "wire/sign/sigv4.h"

#define REQUEST_USER_AGENT "jobq/" JOBQ_VERSION

/* Where a service is and how to sign for it. Views, owned by the caller. */
struct request_place {
    struct jobq_str host;   /* lower case, ":port" where not the scheme's own */
    struct jobq_str path;   /* "/" or the endpoint's own, encoded */
    struct jobq_str region; /* "us-east-1" */
};

/* Zero it to init; reuse it, for its buffers. */
struct request {
    struct text head; /* "Name: value\r\n" lines, without Host and Content-Length */
    struct text body;
    struct text scratch;
};

void request_release(struct request *request);

/* Each reads request->body (SQS, DynamoDB) or query (others) and fills head and body. wall_ns is
 * the time to sign with. */
void request_sqs(struct request *request, struct digest *digest,
                 const struct request_place *place, const struct wire_keys *keys,
                 struct sigv4_day *day, const char *action, int64_t wall_ns);
void request_ddb(struct request *request, struct digest *digest,
                 const struct request_place *place, const struct wire_keys *keys,
                 struct sigv4_day *day, const char *action, int64_t wall_ns);
void request_ec2(struct request *request, struct digest *digest,
                 const struct request_place *place, const struct wire_keys *keys,
                 struct sigv4_day *day, struct query *query, int64_t wall_ns);
void request_sdb(struct request *request, struct digest *digest,
                 const struct request_place *place, const struct wire_keys *keys,
                 struct query *query, int64_t wall_ns);

/* All bytes of the request, including request line and blank line. */
int64_t request_bytes(const struct request *request, const struct request_place *place);

#endif
