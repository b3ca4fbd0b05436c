/* imds.h - the instance metadata service, version 2.
 *
 * Room:     live, the network world.
 * Callers:  live/aws/credentials.c, live/aws/fleet.c.
 * Knows nothing of: what the paths mean.
 * Blocks:   imds_get, on the calling fiber.
 *
 * Session tokens (PUT /latest/api/token) are asked for six hours and renewed on a 401 or
 * five minutes before their end. A machine that is no EC2 instance answers nothing: after
 * a failed connection the service counts as absent for a minute, so that asking is cheap. */
#ifndef JOBQ_LIVE_AWS_IMDS_H
#define JOBQ_LIVE_AWS_IMDS_H

#include "base/text.h"
#include "live/aws/transport.h"

struct imds {
    struct transport *transport;
    const char *base; /* "http://169.254.169.254"; NULL: disabled */
    char token[256];
    int64_t token_until_ns, absent_until_ns; /* on loop_now_ns */
};

/* GET base/latest/PATH ("meta-data/instance-id"). Appends the body to out, at most 64 KiB.
 * Returns: JOBQ_OK; NOT_FOUND: 404, or no such service here; else the network's error. */
int imds_get(struct imds *imds, const char *path, struct text *out,
             struct jobq_error *err);

/* A GET of any local URL (container roles): header is NULL or whole "Name: value\r\n" lines.
 * Returns as imds_get; DENIED: 401 or 403. */
int imds_fetch(struct transport *transport, const char *method, const char *url,
               const char *header, struct text *out, struct jobq_error *err);

#endif
