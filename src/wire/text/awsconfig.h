/* awsconfig.h - reads the text of ~/.aws/config and ~/.aws/credentials.
 *
 * Room:     src/wire, a tool; pure.
 * Callers:  live/aws/settings.c, tests, fuzzers.
 * Knows nothing of: files, which keys mean what.
 *
 * The format is the SDKs': "[section]", "key = value", comments from '#' or ';' at the
 * start of a line or after a blank, and nested keys: an indented line after a key
 * without a value is read as "key.nested". Not base/ini.h, because a session token is
 * longer than inih's lines. */
#ifndef JOBQ_WIRE_TEXT_AWSCONFIG_H
#define JOBQ_WIRE_TEXT_AWSCONFIG_H

#include "jobq/ports.h"

/* Called for each key, views into the text. Returns JOBQ_OK or a code with err filled. */
typedef int awsconfig_fn(void *ctx, struct jobq_str section, struct jobq_str key,
                         struct jobq_str value, struct jobq_error *err);

/* INVALID: "NAME:LINE: ...", for a malformed line or one over 16 KiB. The line is never
 * quoted: it may hold a secret. */
int awsconfig_read(struct jobq_str text, const char *name, awsconfig_fn *fn, void *ctx,
                   struct jobq_error *err);

#endif
