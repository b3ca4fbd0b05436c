/* sigv4.h - AWS Signature Version 4 over a request's parts.
 *
 * Room:     src/wire, a tool.
 * Callers:  src/wire/http/request.c, live/, sim/mock/ (which verifies).
 * Knows nothing of: the time of day, sockets, headers that are not signed.
 *
 * Source: AWS General Reference, "Signature Version 4 signing process"; the steps have a
 * function each, so that a test can hold each against AWS's published example
 * (tests/unit/wire/test_sigv4.c). The key for a day costs four HMACs and is kept by the caller
 * in a struct sigv4_day, so that a request costs two SHA-256 and one HMAC. */
#ifndef JOBQ_WIRE_SIGN_SIGV4_H
#define JOBQ_WIRE_SIGN_SIGV4_H

#include "base/text.h"
#include "wire/sign/digest.h"
#include "wire/sign/keys.h"

struct sigv4_header {
    struct jobq_str name;  /* lower case; the caller sorts by name */
    struct jobq_str value; /* trimmed, inner blanks single */
};

struct sigv4_request {
    struct jobq_str method, path; /* path: encoded, "/" at least */
    struct jobq_str query; /* already canonical: encoded and sorted; may be empty */
    const struct sigv4_header *header;
    int header_count;
    struct jobq_str body;
};

struct sigv4_scope {
    const char *basic_time; /* "20150830T123600Z" (awstime_basic) */
    struct jobq_str region, service;
};

/* The signing key of one day, access key, region and service. Zero it to init. New keys
 * have a new access key id, so a stale key is never used. */
struct sigv4_day {
    unsigned char key[DIGEST_SHA256_BYTES];
    char access[132], region[32], service[16], day[9]; /* what the key was derived from */
};

/* Step 1: the canonical request. Appends. */
void sigv4_canonical(struct digest *digest, const struct sigv4_request *request,
                     struct text *out);
/* Step 2: the string to sign, of step 1's bytes. Appends. */
void sigv4_string(struct digest *digest, struct jobq_str canonical,
                  const struct sigv4_scope *scope, struct text *out);
/* Step 3: the signing key. */
void sigv4_key(struct digest *digest, const struct wire_keys *keys,
               const struct sigv4_scope *scope, struct sigv4_day *day);
/* Step 4: 64 hex digits and a NUL. */
void sigv4_signature(struct digest *digest, const struct sigv4_day *day,
                     struct jobq_str string_to_sign, char out[65]);
/* All of it: appends the value of the Authorization header. scratch is cleared. */
void sigv4_authorization(struct digest *digest, const struct sigv4_request *request,
                         const struct wire_keys *keys, const struct sigv4_scope *scope,
                         struct sigv4_day *day, struct text *scratch, struct text *out);

#endif
