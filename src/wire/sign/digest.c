#include "wire/sign/digest.h"

#include <assert.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK = 64 };

static _Noreturn void no_crypto(const char *what)
{
    fprintf(stderr, "jobq: OpenSSL does not provide %s\n", what);
    abort();
}

void digest_init(struct digest *digest)
{
    digest->sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
    digest->md5 = EVP_MD_fetch(NULL, "MD5", NULL);
    digest->ctx = EVP_MD_CTX_new();
    if (!digest->sha256 || !digest->md5 || !digest->ctx)
        no_crypto("SHA-256 and MD5");
}

void digest_release(struct digest *digest)
{
    EVP_MD_free(digest->sha256);
    EVP_MD_free(digest->md5);
    EVP_MD_CTX_free(digest->ctx);
    *digest = (struct digest){0};
}

static void digest_two(struct digest *digest, const EVP_MD *md, const void *head,
                       size_t head_len, const void *bytes, size_t len, unsigned char *out)
{
    if (!EVP_DigestInit_ex2(digest->ctx, md, NULL) ||
        (head_len && !EVP_DigestUpdate(digest->ctx, head, head_len)) ||
        (len && !EVP_DigestUpdate(digest->ctx, bytes, len)) ||
        !EVP_DigestFinal_ex(digest->ctx, out, NULL))
        no_crypto("a digest");
}

void digest_sha256(struct digest *digest, const void *bytes, size_t len,
                   unsigned char out[DIGEST_SHA256_BYTES])
{
    assert(digest->ctx && (bytes || len == 0));
    digest_two(digest, digest->sha256, NULL, 0, bytes, len, out);
}

void digest_md5(struct digest *digest, const void *bytes, size_t len,
                unsigned char out[DIGEST_MD5_BYTES])
{
    assert(digest->ctx && (bytes || len == 0));
    digest_two(digest, digest->md5, NULL, 0, bytes, len, out);
}

void digest_hmac_sha256(struct digest *digest, const void *key, size_t key_len,
                        const void *bytes, size_t len,
                        unsigned char out[DIGEST_SHA256_BYTES])
{
    assert(digest->ctx && (bytes || len == 0));
    unsigned char pad[BLOCK] = {0}, inner[DIGEST_SHA256_BYTES];
    if (key_len > BLOCK)
        digest_sha256(digest, key, key_len, pad);
    else if (key_len)
        memcpy(pad, key, key_len);
    for (int i = 0; i < BLOCK; i++)
        pad[i] ^= 0x36;
    digest_two(digest, digest->sha256, pad, BLOCK, bytes, len, inner);
    for (int i = 0; i < BLOCK; i++)
        pad[i] ^= 0x36 ^ 0x5c;
    digest_two(digest, digest->sha256, pad, BLOCK, inner, sizeof inner, out);
    OPENSSL_cleanse(pad, sizeof pad); /* the key, XORed with a constant */
}

void digest_hex(const unsigned char *bytes, size_t len, char *out)
{
    for (size_t i = 0; i < len; i++) {
        *out++ = "0123456789abcdef"[bytes[i] >> 4];
        *out++ = "0123456789abcdef"[bytes[i] & 15];
    }
    *out = '\0';
}

void digest_base64(const unsigned char *bytes, size_t len, char *out)
{
    static const char letter[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < len; i += 3) {
        unsigned b0 = bytes[i];
        unsigned b1 = i + 1 < len ? bytes[i + 1] : 0;
        unsigned b2 = i + 2 < len ? bytes[i + 2] : 0;
        *out++ = letter[b0 >> 2];
        *out++ = letter[(b0 & 3) << 4 | b1 >> 4];
        *out++ = i + 1 < len ? letter[(b1 & 15) << 2 | b2 >> 6] : '=';
        *out++ = i + 2 < len ? letter[b2 & 63] : '=';
    }
    *out = '\0';
}
