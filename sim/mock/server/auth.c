#include "sim/mock/server/auth.h"

#include <string.h>

/* Takes the bytes up to the separator off *rest. */
static struct jobq_str auth_take(struct jobq_str *rest, char separator)
{
    const char *at =
        rest->len > 0 ? memchr(rest->ptr, separator, (size_t)rest->len) : NULL;
    struct jobq_str part = {rest->ptr, at ? at - rest->ptr : rest->len};
    int64_t used = part.len + (at ? 1 : 0);
    rest->ptr += used;
    rest->len -= used;
    return part;
}

static void auth_trim(struct jobq_str *s)
{
    while (s->len > 0 && s->ptr[0] == ' ')
        s->ptr++, s->len--;
    while (s->len > 0 && s->ptr[s->len - 1] == ' ')
        s->len--;
}

/* AKID/20260101/us-east-1/sqs/aws4_request */
static void read_scope(struct jobq_str scope, struct auth_claim *out)
{
    out->access_key = auth_take(&scope, '/');
    out->date = auth_take(&scope, '/');
    out->region = auth_take(&scope, '/');
    out->service = auth_take(&scope, '/');
    if (!str_is(scope, "aws4_request"))
        out->region = out->service = out->date = (struct jobq_str){"", 0};
}

static void read_header(struct jobq_str rest, struct auth_claim *out)
{
    while (rest.len > 0) {
        struct jobq_str part = auth_take(&rest, ',');
        auth_trim(&part);
        struct jobq_str name = auth_take(&part, '=');
        if (str_is(name, "Credential"))
            read_scope(part, out);
        else if (str_is(name, "SignedHeaders"))
            out->signed_headers = part;
        else if (str_is(name, "Signature"))
            out->signature = part;
    }
}

/* "AWS Signature Version 4, adding the signature to the query string", IAM user guide. */
static void read_presigned(const struct tree *params, struct auth_claim *out)
{
    out->kind = AUTH_V4;
    out->presigned = true;
    out->signed_headers = tree_text(params, "X-Amz-SignedHeaders");
    out->signature = tree_text(params, "X-Amz-Signature");
    out->stamp = tree_text(params, "X-Amz-Date");
    out->expires = tree_text(params, "X-Amz-Expires");
    out->token = tree_text(params, "X-Amz-Security-Token");
    read_scope(tree_text(params, "X-Amz-Credential"), out);
}

void auth_claim(const struct http_request *request, const struct tree *params,
                struct auth_claim *out)
{
    static const char v4[] = "AWS4-HMAC-SHA256 ";
    struct jobq_str header = http_header(request, "authorization");
    *out = (struct auth_claim){0};
    if (header.len > (int64_t)sizeof v4 - 1 &&
        memcmp(header.ptr, v4, sizeof v4 - 1) == 0) {
        out->kind = AUTH_V4;
        out->authorization = header;
        header.ptr += sizeof v4 - 1;
        header.len -= (int64_t)sizeof v4 - 1;
        read_header(header, out);
        return;
    }
    if (str_is(tree_text(params, "X-Amz-Algorithm"), "AWS4-HMAC-SHA256")) {
        read_presigned(params, out);
        return;
    }
    struct jobq_str key = tree_text(params, "AWSAccessKeyId");
    if (key.ptr) {
        out->kind = AUTH_V2;
        out->access_key = key;
        out->signature = tree_text(params, "Signature");
    }
}
