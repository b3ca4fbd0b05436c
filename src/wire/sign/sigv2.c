#include "wire/sign/sigv2.h"

#include <assert.h>

void sigv2_string(struct jobq_str method, struct jobq_str host, struct jobq_str path,
                  struct jobq_str joined, struct text *out)
{
    text_put_str(out, method);
    text_putc(out, '\n');
    text_put_str(out, host);
    text_putc(out, '\n');
    text_put_str(out, path);
    text_putc(out, '\n');
    text_put_str(out, joined);
}

void sigv2_signature(struct digest *digest, const struct wire_keys *keys,
                     struct jobq_str string_to_sign, char out[45])
{
    unsigned char mac[DIGEST_SHA256_BYTES];
    digest_hmac_sha256(digest, keys->secret.ptr, (size_t)keys->secret.len,
                       string_to_sign.ptr, (size_t)string_to_sign.len, mac);
    digest_base64(mac, sizeof mac, out);
}

void sigv2_sign(struct digest *digest, const struct wire_keys *keys,
                struct jobq_str method, struct jobq_str host, struct jobq_str path,
                const char *iso_time, struct query *query, struct text *scratch,
                struct text *out)
{
    assert(iso_time && query->count > 0 && out->len == 0);
    char signature[45];
    query_add(query, "AWSAccessKeyId", keys->access);
    query_add(query, "SignatureMethod", STR("HmacSHA256"));
    query_add(query, "SignatureVersion", STR("2"));
    query_add(query, "Timestamp", str_of(iso_time));
    if (keys->token.len)
        query_add(query, "SecurityToken", keys->token);
    query_join(query, out);
    text_clear(scratch);
    sigv2_string(method, host, path, text_str(out), scratch);
    sigv2_signature(digest, keys, text_str(scratch), signature);
    text_puts(out, "&Signature=");
    query_encode(out, str_of(signature));
}
