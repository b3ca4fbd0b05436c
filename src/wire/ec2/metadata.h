/* metadata.h - reads the replies of the EC2 instance metadata service and the container
 * credentials service.
 *
 * Room:     src/wire, a tool; pure.
 * Callers:  live/aws/imds.c, live/aws/credentials.c, live/aws/aws.c, live/aws/fleet.c, fuzzers.
 * Knows nothing of: sockets, the clock, the paths that were asked.
 *
 * What is read here goes into URLs, headers and signatures, so each reader accepts
 * printable bytes only: a reply cannot inject a header. Error texts never quote a reply,
 * which may hold a secret. The JSON parser needs a deep stack: do not call these on a
 * fiber. */
#ifndef JOBQ_WIRE_EC2_METADATA_H
#define JOBQ_WIRE_EC2_METADATA_H

#include "jobq/error.h"
#include "jobq/ports.h"

#include <stdbool.h>

/* Keys of a role. Owner: the caller, who releases them with metadata_forget. */
struct role_keys {
    char *access, *secret;
    char *token;           /* NULL: none */
    int64_t until_wall_ns; /* Expiration; JOBQ_FOREVER: none */
};

/* {"AccessKeyId", "SecretAccessKey", "Token", "Expiration", ...}: the document of
 * iam/security-credentials/ROLE and of a container's role. CORRUPT: malformed; out is
 * then empty. */
int metadata_read_keys(struct jobq_str body, struct role_keys *out,
                       struct jobq_error *err);
/* Zeroes the keys, then frees them. */
void metadata_forget(struct role_keys *keys);

/* Checks a session token: 1..cap-1 printable bytes, else CORRUPT. */
int metadata_check_token(struct jobq_str body, int64_t cap, struct jobq_error *err);
/* The first line of the list of roles, as a view. False: not a valid role name (1..128
 * of a-z, A-Z, 0-9 and "_+=,.@-"). */
bool metadata_role(struct jobq_str body, struct jobq_str *out);
/* "us-east-1": 1..cap-1 of a-z, 0-9 and '-'. */
bool metadata_is_region(struct jobq_str body, int64_t cap);
/* {"InstanceProfileArn": "arn:...", ...} of iam/info, into out of cap bytes. False: no ARN of
 * printable bytes that fits. */
bool metadata_read_profile(struct jobq_str body, char *out, int64_t cap);
/* {"action": "terminate", "time": "..."} of spot/instance-action. False: no time in it. */
bool metadata_read_notice(struct jobq_str body, int64_t *out_wall_ns);

#endif
