/* credentials.h - the keys of the moment.
 *
 * Room:     live, the network world.
 * Callers:  live/aws/aws.c, jobq doctor.
 * Knows nothing of: requests, signatures.
 * Blocks:   credentials_get, when keys of a role must be fetched.
 *
 * In order: environment, ~/.aws/credentials, ~/.aws/config, container role, the box's role
 * (IMDSv2). Keys of a role are renewed five minutes before they end, by one fiber while
 * the others go on with the old ones; after a failed renewal the next is tried a minute
 * later, and old keys serve until their end. */
#ifndef JOBQ_LIVE_AWS_CREDENTIALS_H
#define JOBQ_LIVE_AWS_CREDENTIALS_H

#include "live/aws/imds.h"
#include "live/aws/settings.h"
#include "wire/sign/keys.h"

struct credentials {
    const struct settings *settings;
    struct imds *imds;
    struct transport *transport;
    struct fiber_sched *sched;
    char *access, *secret, *token; /* in pages of no dump (live/aws/secret.h) */
    const char
        *from; /* "environment", ..., "container role", "box role"; NULL: none yet */
    int64_t until_wall_ns; /* JOBQ_FOREVER: static */
    int64_t retry_at_ns;   /* no renewal before */
    bool renewing;
    struct fiber_cond renewed;
};

void credentials_init(struct credentials *c, const struct settings *settings,
                      struct imds *imds, struct transport *transport,
                      struct fiber_sched *sched);
void credentials_release(struct credentials *c);
/* Views, good until the fiber parks. Returns: JOBQ_OK; DENIED: none found, the text says
 * where was looked; else the network's error. */
int credentials_get(struct credentials *c, struct wire_keys *out, struct jobq_error *err);

#endif
