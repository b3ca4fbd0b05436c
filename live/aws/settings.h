/* settings.h - what the environment and ~/.aws say about where and who.
 *
 * Room:     live, the network world.
 * Callers:  live/world/live.c, jobq doctor.
 * Knows nothing of: requests.
 * Blocks:   settings_read reads two files.
 *
 * As the SDKs read them: AWS_REGION, AWS_DEFAULT_REGION, the profile's region;
 * AWS_ENDPOINT_URL_SQS|SIMPLEDB|EC2, AWS_ENDPOINT_URL, the profile's services section and
 * endpoint_url (not with AWS_IGNORE_CONFIGURED_ENDPOINT_URLS=true); AWS_PROFILE,
 * AWS_CONFIG_FILE, AWS_SHARED_CREDENTIALS_FILE; AWS_CA_BUNDLE, the profile's ca_bundle.
 * Environment before files.
 *
 * Ways to keys that the SDKs know and jobq does not (a role to be assumed, a command, single
 * sign-on, a web identity) are noted where they would count, so that nobody works as somebody
 * else without a word. */
#ifndef JOBQ_LIVE_AWS_SETTINGS_H
#define JOBQ_LIVE_AWS_SETTINGS_H

#include "jobq/error.h"
#include "jobq/ledger.h"

#include <stdbool.h>

enum { SETTINGS_SERVICES = JOBQ_DYNAMODB + 1 }; /* SQS, SimpleDB, EC2, DynamoDB */

struct settings {
    char profile[129];
    char region[33];                   /* "" : not known yet (a box's metadata may say) */
    char *endpoint[SETTINGS_SERVICES]; /* NULL: AWS's own */
    /* Static keys, in pages of no dump (live/aws/secret.h); NULL: none. */
    char *access, *secret, *token;
    const char *keys_from; /* "environment", "credentials file", "config file"; or NULL */
    char *container_url, *container_auth; /* NULL: none */
    char *container_auth_file;
    char *imds_url;          /* NULL: disabled */
    char *ca_bundle;         /* file of certificates to trust; NULL: the system's */
    const char *unsupported; /* the setting that would give keys to an SDK; NULL: none */
    char missing[80];        /* what is half there, or named and not there; "": nothing */
};

/* INVALID: a malformed file or value; the text names the variable, or "FILE:LINE", and never
 * holds a secret. */
int settings_read(struct settings *settings, struct jobq_error *err);
void settings_release(struct settings *settings);
/* "https://sqs.REGION.amazonaws.com", for a service without an endpoint of its own. */
void settings_default_url(enum jobq_service service, const char *region, char *out,
                          int cap);

#endif
