/* digest.h - SHA-256, HMAC-SHA-256 and MD5 of bytes in memory.
 *
 * Room:     src/wire, a tool. Wraps OpenSSL's EVP.
 * Callers:  src/wire, live/, sim/mock/.
 * Knows nothing of: what is signed.
 *
 * The state keeps the algorithms and a reusable context, because fetching them for each
 * call costs more than hashing a small body. One state a thread. */
#ifndef JOBQ_WIRE_SIGN_DIGEST_H
#define JOBQ_WIRE_SIGN_DIGEST_H

#include <stddef.h>

enum { DIGEST_SHA256_BYTES = 32, DIGEST_MD5_BYTES = 16 };

struct digest {
    void *sha256, *md5, *ctx; /* OpenSSL's, opaque here */
};

/* Aborts if OpenSSL lacks SHA-256 or MD5: nothing could be signed or checked. */
void digest_init(struct digest *digest);
void digest_release(struct digest *digest);

void digest_sha256(struct digest *digest, const void *bytes, size_t len,
                   unsigned char out[DIGEST_SHA256_BYTES]);
void digest_md5(struct digest *digest, const void *bytes, size_t len,
                unsigned char out[DIGEST_MD5_BYTES]);
/* RFC 2104. */
void digest_hmac_sha256(struct digest *digest, const void *key, size_t key_len,
                        const void *bytes, size_t len,
                        unsigned char out[DIGEST_SHA256_BYTES]);

/* Writes 2 * len lower-case digits and a NUL at out. */
void digest_hex(const unsigned char *bytes, size_t len, char *out);
/* Writes base64 with padding and a NUL: 4 * ((len + 2) / 3) + 1 bytes. */
void digest_base64(const unsigned char *bytes, size_t len, char *out);

#endif
