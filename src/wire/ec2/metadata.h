/* metadata.h - what a box's metadata service and a container's role service answer.
 *
 * Room:     src/wire, a tool; pure.
 * Callers:  live/aws/imds.c, live/aws/credentials.c, live/aws/aws.c, live/aws/fleet.c, fuzzers.
 * Knows nothing of: sockets, the clock, the paths that were asked.
 *
 * Whatever is taken here goes into a URL, a header or a signature, so that each reader lets
 * printable bytes pass alone: a reply cannot add a header to a request. No text that it gives
 * quotes a reply, which may hold a secret. JSON needs a deep stack: not on a fiber's. */
#ifndef JOBQ_WIRE_EC2_METADATA_H
#define JOBQ_WIRE_EC2_METADATA_H

#include "jobq/error.h"
#include "jobq/ports.h"

#include <stdbool.h>

/* Keys of a role. Owner: the caller, who ends them with metadata_forget. */
struct role_keys {
    char *access, *secret;
    char *token;           /* NULL: none */
    int64_t until_wall_ns; /* Expiration; JOBQ_FOREVER: none */
};

/* {"AccessKeyId", "SecretAccessKey", "Token", "Expiration", ...}: the document of
 * iam/security-credentials/ROLE and of a container's role. CORRUPT: it is none, says why;
 * out is then empty. */
int metadata_read_keys(struct jobq_str body, struct role_keys *out,
                       struct jobq_error *err);
/* Zeroes the keys, then frees them. */
void metadata_forget(struct role_keys *keys);

/* A session token of 1..cap-1 printable bytes. CORRUPT: it is none. */
int metadata_check_token(struct jobq_str body, int64_t cap, struct jobq_error *err);
/* The first line of the list of roles, as a view. False: no name of a role (1..128 of
 * a-z, A-Z, 0-9 and "_+=,.@-"). */
bool metadata_role(struct jobq_str body, struct jobq_str *out);
/* "us-east-1": 1..cap-1 of a-z, 0-9 and '-'. */
bool metadata_is_region(struct jobq_str body, int64_t cap);
/* {"action": "terminate", "time": "..."} of spot/instance-action. False: no time in it. */
bool metadata_read_notice(struct jobq_str body, int64_t *out_wall_ns);

#endif
