#include "wire/sign/sigv4.h"

#include "base/arena.h"

#include <assert.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

static void signed_names(const struct sigv4_request *request, struct text *out)
{
    for (int i = 0; i < request->header_count; i++) {
        if (i)
            text_putc(out, ';');
        text_put_str(out, request->header[i].name);
    }
}

void sigv4_canonical(struct digest *digest, const struct sigv4_request *request,
                     struct text *out)
{
    assert(request->path.len > 0 && request->header_count > 0);
    unsigned char hash[DIGEST_SHA256_BYTES];
    char hex[2 * DIGEST_SHA256_BYTES + 1];
    text_put_str(out, request->method);
    text_putc(out, '\n');
    text_put_str(out, request->path);
    text_putc(out, '\n');
    text_put_str(out, request->query);
    text_putc(out, '\n');
    for (int i = 0; i < request->header_count; i++) {
        text_put_str(out, request->header[i].name);
        text_putc(out, ':');
        text_put_str(out, request->header[i].value);
        text_putc(out, '\n');
    }
    text_putc(out, '\n');
    signed_names(request, out);
    text_putc(out, '\n');
    digest_sha256(digest, request->body.ptr, (size_t)request->body.len, hash);
    digest_hex(hash, sizeof hash, hex);
    text_puts(out, hex);
}

static void put_scope(const struct sigv4_scope *scope, struct text *out)
{
    text_put(out, scope->basic_time, 8);
    text_putc(out, '/');
    text_put_str(out, scope->region);
    text_putc(out, '/');
    text_put_str(out, scope->service);
    text_puts(out, "/aws4_request");
}

void sigv4_string(struct digest *digest, struct jobq_str canonical,
                  const struct sigv4_scope *scope, struct text *out)
{
    unsigned char hash[DIGEST_SHA256_BYTES];
    char hex[2 * DIGEST_SHA256_BYTES + 1];
    text_puts(out, "AWS4-HMAC-SHA256\n");
    text_puts(out, scope->basic_time);
    text_putc(out, '\n');
    put_scope(scope, out);
    text_putc(out, '\n');
    digest_sha256(digest, canonical.ptr, (size_t)canonical.len, hash);
    digest_hex(hash, sizeof hash, hex);
    text_puts(out, hex);
}

static bool sigv4_is(const char *kept, size_t cap, struct jobq_str now)
{
    return (size_t)now.len < cap && memcmp(kept, now.ptr, (size_t)now.len) == 0 &&
           kept[now.len] == '\0';
}

/* If a name does not fit, the key is not cached but derived again for each request. */
static void sigv4_keep(char *kept, size_t cap, struct jobq_str now)
{
    size_t len = (size_t)now.len < cap ? (size_t)now.len : 0;
    memcpy(kept, now.ptr, len);
    kept[len] = '\0';
}

void sigv4_key(struct digest *digest, const struct wire_keys *keys,
               const struct sigv4_scope *scope, struct sigv4_day *day)
{
    assert(strlen(scope->basic_time) == 16);
    struct jobq_str date = {scope->basic_time, 8};
    if (sigv4_is(day->day, sizeof day->day, date) &&
        sigv4_is(day->access, sizeof day->access, keys->access) &&
        sigv4_is(day->region, sizeof day->region, scope->region) &&
        sigv4_is(day->service, sizeof day->service, scope->service))
        return;
    unsigned char k[DIGEST_SHA256_BYTES];
    /* Reserve its full size: a growing buffer would leave copies of it in freed
     * memory. */
    size_t len = 4 + (size_t)keys->secret.len;
    char *secret = xmalloc(len);
    memcpy(secret, "AWS4", 4);
    memcpy(secret + 4, keys->secret.ptr, (size_t)keys->secret.len);
    digest_hmac_sha256(digest, secret, len, date.ptr, 8, k);
    OPENSSL_cleanse(secret, len);
    free(secret);
    digest_hmac_sha256(digest, k, sizeof k, scope->region.ptr, (size_t)scope->region.len,
                       k);
    digest_hmac_sha256(digest, k, sizeof k, scope->service.ptr,
                       (size_t)scope->service.len, k);
    digest_hmac_sha256(digest, k, sizeof k, "aws4_request", 12, day->key);
    OPENSSL_cleanse(k, sizeof k);
    sigv4_keep(day->day, sizeof day->day, date);
    sigv4_keep(day->access, sizeof day->access, keys->access);
    sigv4_keep(day->region, sizeof day->region, scope->region);
    sigv4_keep(day->service, sizeof day->service, scope->service);
}

void sigv4_signature(struct digest *digest, const struct sigv4_day *day,
                     struct jobq_str string_to_sign, char out[65])
{
    unsigned char mac[DIGEST_SHA256_BYTES];
    digest_hmac_sha256(digest, day->key, sizeof day->key, string_to_sign.ptr,
                       (size_t)string_to_sign.len, mac);
    digest_hex(mac, sizeof mac, out);
}

void sigv4_authorization(struct digest *digest, const struct sigv4_request *request,
                         const struct wire_keys *keys, const struct sigv4_scope *scope,
                         struct sigv4_day *day, struct text *scratch, struct text *out)
{
    assert(strlen(scope->basic_time) == 16);
    char signature[65];
    text_clear(scratch);
    sigv4_canonical(digest, request, scratch);
    size_t canonical = scratch->len;
    struct text to_sign = {0};
    sigv4_string(digest, (struct jobq_str){scratch->ptr, (int64_t)canonical}, scope,
                 &to_sign);
    sigv4_key(digest, keys, scope, day);
    sigv4_signature(digest, day, text_str(&to_sign), signature);
    text_release(&to_sign);
    text_puts(out, "AWS4-HMAC-SHA256 Credential=");
    text_put_str(out, keys->access);
    text_putc(out, '/');
    put_scope(scope, out);
    text_puts(out, ", SignedHeaders=");
    signed_names(request, out);
    text_puts(out, ", Signature=");
    text_puts(out, signature);
}
