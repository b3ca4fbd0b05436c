/* auth_check.c - signatures, verified. See auth.h.
 *
 * Room:     sim/mock.
 * Callers:  route.c, with --auth check.
 * Knows nothing of: actions.
 *
 * Texts: as recorded from the services (moto's and boto's tests, the Common Errors pages of
 * the API references). */
#include "sim/mock/server/auth.h"

#include "base/ini.h"
#include "sim/mock/ec2/imds.h"
#include "wire/text/awstime.h"
#include "wire/text/query.h"
#include "wire/sign/sigv2.h"
#include "wire/sign/sigv4.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { KEYS_MAX = 256, HEADERS_SIGNED_MAX = HTTP_HEADERS_MAX };

struct known_key {
    char access[132], secret[132], token[4097]; /* AWS's are 1 to 2 KiB */
};

struct mock_keys {
    struct known_key *key;
    int count;
    struct sigv4_day day[MOCK_SERVICE_COUNT];
};

/* ---- known keys ---------------------------------------------------------------------- */

static struct known_key *find_key(struct mock_keys *keys, struct jobq_str access)
{
    for (int i = 0; i < keys->count; i++)
        if (str_is(access, keys->key[i].access))
            return &keys->key[i];
    return NULL;
}

static int take_key(void *ctx, const char *section, const char *key, const char *value,
                    int line, struct jobq_error *err)
{
    struct mock_keys *keys = ctx;
    struct known_key *known = find_key(keys, str_of(section));
    (void)line;
    if (!known) {
        if (keys->count == KEYS_MAX)
            return jobq_fail(err, JOBQ_LIMIT, "more than '%d' keys", KEYS_MAX);
        if (section[0] == '\0' || strlen(section) >= sizeof known->access)
            return jobq_fail(err, JOBQ_INVALID, "a key id must have 1 to 131 characters");
        known = &keys->key[keys->count++];
        strcpy(known->access, section);
    }
    bool secret = strcmp(key, "secret") == 0 || strcmp(key, "aws_secret_access_key") == 0;
    bool token = strcmp(key, "token") == 0 || strcmp(key, "aws_session_token") == 0;
    char *to = secret ? known->secret : known->token;
    size_t cap = secret ? sizeof known->secret : sizeof known->token;
    if (!secret && !token)
        return jobq_fail(err, JOBQ_INVALID, "'%.40s' is neither 'secret' nor 'token'",
                         key);
    if (strlen(value) >= cap)
        return jobq_fail(err, JOBQ_INVALID, "'%.40s' is longer than '%d' characters", key,
                         (int)cap - 1);
    strcpy(to, value);
    return JOBQ_OK;
}

struct mock_keys *auth_keys_new(const struct mock *mock, const char *file,
                                struct jobq_error *err)
{
    struct mock_keys *keys = xcalloc(1, sizeof *keys);
    keys->key = xcalloc(KEYS_MAX + 2, sizeof *keys->key);
    if (file && ini_read_file(file, take_key, keys, err) < 0) {
        auth_keys_free(keys);
        return NULL;
    }
    if (!file) {
        struct known_key *example = &keys->key[keys->count++];
        strcpy(example->access, "AKIDEXAMPLE");
        strcpy(example->secret, "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY");
    }
    struct known_key *role = &keys->key[keys->count++];
    strcpy(role->access, MOCK_IMDS_ACCESS);
    mock_imds_secret(mock, role->secret, role->token);
    return keys;
}

void auth_keys_free(struct mock_keys *keys)
{
    if (!keys)
        return;
    OPENSSL_cleanse(keys->key, (KEYS_MAX + 2) * sizeof *keys->key);
    free(keys->key);
    free(keys);
}

/* ---- what the services say ------------------------------------------------------------- */

static enum call_end no_signature(struct call *call)
{
    if (call->service == MOCK_EC2)
        return mock_fail(call, 401, "AuthFailure", NULL,
                         "AWS was not able to validate the provided access credentials");
    return mock_fail(call, 403, "MissingAuthenticationToken",
                     "com.amazon.coral.service#MissingAuthenticationTokenException",
                     "Request is missing Authentication Token");
}

static enum call_end unknown_key(struct call *call)
{
    switch (call->service) {
    case MOCK_EC2:
        return mock_fail(call, 401, "AuthFailure", NULL,
                         "AWS was not able to validate the provided access credentials");
    case MOCK_SDB:
        return mock_fail(
            call, 403, "InvalidClientTokenId", NULL,
            "The AWS Access Key Id you provided does not exist in our records.");
    case MOCK_DYNAMODB:
        return mock_fail(call, 400, "UnrecognizedClientException",
                         "com.amazon.coral.service#UnrecognizedClientException",
                         "The security token included in the request is invalid.");
    case MOCK_SQS:
    case MOCK_STS:
    case MOCK_SERVICE_COUNT:
        break;
    }
    return mock_fail(call, 403, "InvalidClientTokenId",
                     "com.amazon.coral.service#UnrecognizedClientException",
                     "The security token included in the request is invalid.");
}

static enum call_end wrong_signature(struct call *call)
{
    if (call->service == MOCK_EC2)
        return mock_fail(call, 401, "AuthFailure", NULL,
                         "AWS was not able to validate the provided access credentials");
    return mock_fail(call, 403, "SignatureDoesNotMatch",
                     "com.amazon.coral.service#InvalidSignatureException",
                     "The request signature we calculated does not match the signature "
                     "you provided. Check your AWS Secret Access Key and signing method. "
                     "Consult the service documentation for details.");
}

static enum call_end incomplete(struct call *call, const struct auth_claim *claim,
                                const char *what)
{
    if (claim->presigned)
        return mock_fail(
            call, 400, "IncompleteSignature",
            "com.amazon.coral.service#IncompleteSignatureException",
            "AWS query-string parameters must include '%s%s'. Re-examine the "
            "query-string parameters.",
            strncmp(what, "X-Amz-", 6) == 0 ? "" : "X-Amz-", what);
    return mock_fail(call, 400, "IncompleteSignature",
                     "com.amazon.coral.service#IncompleteSignatureException",
                     "Authorization header requires '%s' parameter.", what);
}

static enum call_end skewed(struct call *call, int64_t signed_ns, int64_t now_ns,
                            int64_t limit_ns)
{
    char at[AWSTIME_BASIC], now[AWSTIME_BASIC], bound[AWSTIME_BASIC];
    bool old = signed_ns < now_ns;
    awstime_basic(signed_ns, at);
    awstime_basic(now_ns, now);
    awstime_basic(old ? now_ns - limit_ns : now_ns + limit_ns, bound);
    if (call->service == MOCK_EC2)
        return mock_fail(call, 400, "RequestExpired", NULL, "Request has expired.");
    return mock_fail(call, 403, "SignatureDoesNotMatch",
                     "com.amazon.coral.service#InvalidSignatureException",
                     old ? "Signature expired: %s is now earlier than %s (%s - %d min.)"
                         : "Signature not yet current: %s is still later than %s (%s + "
                           "%d min.)",
                     at, bound, now, (int)(limit_ns / JOBQ_NS_PER_MIN));
}

static int64_t skew_limit_ns(const struct call *call)
{
    return (call->service == MOCK_EC2 ? 5 : 15) * JOBQ_NS_PER_MIN;
}

static bool same(struct jobq_str a, const char *b)
{
    return (size_t)a.len == strlen(b) && CRYPTO_memcmp(a.ptr, b, (size_t)a.len) == 0;
}

/* ---- version 4 ---------------------------------------------------------------------------- */

/* "20261124T034500Z" */
static bool parse_basic(struct jobq_str text, int64_t *out_ns)
{
    char iso[21];
    if (text.len != 16)
        return false;
    const char *t = text.ptr;
    snprintf(iso, sizeof iso, "%.4s-%.2s-%.2sT%.2s:%.2s:%.2sZ", t, t + 4, t + 6, t + 9,
             t + 11, t + 13);
    return t[8] == 'T' && t[15] == 'Z' && awstime_parse_iso(str_of(iso), out_ns);
}

/* A header's value as it is signed: trimmed already, inner runs of blanks made one. */
static struct jobq_str single_blanks(struct arena *arena, struct jobq_str value)
{
    char *to = arena_alloc(arena, (size_t)value.len + 1);
    int64_t len = 0;
    for (int64_t i = 0; i < value.len; i++)
        if (value.ptr[i] != ' ' || len == 0 || to[len - 1] != ' ')
            to[len++] = value.ptr[i];
    return (struct jobq_str){to, len};
}

/* The headers that the claim says are signed. Returns how many, or -1: one is missing. */
static int signed_headers(const struct call *call, const struct http_request *request,
                          struct jobq_str names, struct sigv4_header *out)
{
    int count = 0;
    while (names.len > 0) {
        const char *end = memchr(names.ptr, ';', (size_t)names.len);
        struct jobq_str name = {names.ptr, end ? end - names.ptr : names.len};
        int64_t used = name.len + (end ? 1 : 0);
        names.ptr += used;
        names.len -= used;
        if (count == HEADERS_SIGNED_MAX)
            return -1;
        const char *text = arena_str(&call->mock->arena, name).ptr;
        struct jobq_str value = http_header(request, text);
        if (!value.ptr)
            return -1;
        out[count++] =
            (struct sigv4_header){name, single_blanks(&call->mock->arena, value)};
    }
    return count;
}

static bool is_signed(struct jobq_str name, const struct sigv4_header *header, int count)
{
    for (int i = 0; i < count; i++)
        if (header[i].name.len == name.len &&
            strncasecmp(header[i].name.ptr, name.ptr, (size_t)name.len) == 0)
            return true;
    return false;
}

/* "You must include the host header and any x-amz-* headers in the request" (IAM user guide,
 * create a signed request). {NULL, 0}: all are signed; else the one that is not. */
static struct jobq_str find_unsigned(const struct http_request *request,
                                     const struct sigv4_header *header, int count)
{
    if (!is_signed(STR("host"), header, count))
        return STR("host");
    for (int i = 0; i < request->header_count; i++) {
        struct jobq_str name = request->header[i].name;
        if (name.len > 6 && strncasecmp(name.ptr, "x-amz-", 6) == 0 &&
            !is_signed(name, header, count))
            return name;
    }
    return (struct jobq_str){NULL, 0};
}

static enum call_end not_signed(struct call *call, struct jobq_str name)
{
    bool host = str_is(name, "host");
    if (call->service == MOCK_EC2)
        return wrong_signature(call);
    return mock_fail(call, 403, "SignatureDoesNotMatch",
                     "com.amazon.coral.service#InvalidSignatureException",
                     "'%.80s'%s must be a 'SignedHeader' in the AWS Authorization.",
                     host ? "Host" : arena_str(&call->mock->arena, name).ptr,
                     host ? " or ':authority'" : "");
}

/* Is it too early or too late for the signature? A presigned one says how long it holds. STS
 * does not listen (aws-iam-authenticator: "valid for 15 minutes regardless of this
 * parameters value"). */
static enum call_end check_time(struct call *call, const struct auth_claim *claim,
                                int64_t at_ns)
{
    int64_t now_ns = loop_wall_ns(), limit_ns = skew_limit_ns(call), after_ns = limit_ns;
    if (claim->presigned && call->service != MOCK_STS) {
        int64_t seconds;
        if (!claim->expires.ptr)
            return incomplete(call, claim, "X-Amz-Expires");
        if (!str_to_int(claim->expires, &seconds) || seconds < 1 || seconds > 604800)
            return mock_fail(
                call, 400, "IncompleteSignature",
                "com.amazon.coral.service#IncompleteSignatureException",
                "X-Amz-Expires must be a number of seconds from 1 to 604800.");
        after_ns = seconds * JOBQ_NS_PER_S;
    }
    if (at_ns > now_ns + limit_ns)
        return skewed(call, at_ns, now_ns, limit_ns);
    return at_ns < now_ns - after_ns ? skewed(call, at_ns, now_ns, after_ns) : CALL_DONE;
}

/* Every parameter but `without`. False: one that cannot have been signed as it is read (a
 * broken escape, no name, a NUL in it). */
static bool add_pairs(struct query *query, struct jobq_str raw, const char *without)
{
    struct text key = {0}, value = {0};
    bool good = true;
    while (raw.len > 0 && good) {
        const char *amp = memchr(raw.ptr, '&', (size_t)raw.len);
        struct jobq_str part = {raw.ptr, amp ? amp - raw.ptr : raw.len};
        int64_t used = part.len + (amp ? 1 : 0);
        raw.ptr += used;
        raw.len -= used;
        if (part.len == 0)
            continue;
        const char *equals = memchr(part.ptr, '=', (size_t)part.len);
        struct jobq_str name = {part.ptr, equals ? equals - part.ptr : part.len};
        struct jobq_str rest = {equals ? equals + 1 : "",
                                equals ? part.len - name.len - 1 : 0};
        text_clear(&key);
        text_clear(&value);
        good = query_decode(&key, name) && query_decode(&value, rest) && key.len > 0 &&
               !memchr(key.ptr, '\0', key.len);
        if (good && strcmp(key.ptr, without) != 0)
            query_add(query, key.ptr, value.len > 0 ? text_str(&value) : STR(""));
    }
    text_release(&key);
    text_release(&value);
    return good;
}

/* The signature that the request should carry. False: none fits. */
static bool sign_v4(struct call *call, const struct http_request *request,
                    const struct auth_claim *claim, const struct known_key *known,
                    const struct sigv4_header *header, int header_count,
                    const char *basic_time, char out[65])
{
    struct mock *mock = call->mock;
    struct text canonical = {0}, to_sign = {0}, joined = {0};
    struct query query = {0};
    struct wire_keys keys = {str_of(known->access), str_of(known->secret),
                             str_of(known->token)};
    struct sigv4_scope scope = {basic_time, claim->region, claim->service};
    struct sigv4_day *day = &mock->keys->day[call->service];
    bool good =
        add_pairs(&query, request->query, claim->presigned ? "X-Amz-Signature" : "");
    query_join(&query, &joined);
    struct sigv4_request parts = {.method = request->method,
                                  .path = request->path,
                                  .query = joined.len > 0 ? text_str(&joined) : STR(""),
                                  .header = header,
                                  .header_count = header_count,
                                  .body = request->body};
    sigv4_canonical(&mock->digest, &parts, &canonical);
    sigv4_string(&mock->digest, text_str(&canonical), &scope, &to_sign);
    sigv4_key(&mock->digest, &keys, &scope, day);
    sigv4_signature(&mock->digest, day, text_str(&to_sign), out);
    text_release(&canonical);
    text_release(&to_sign);
    text_release(&joined);
    query_release(&query);
    return good;
}

static enum call_end check_v4(struct call *call, const struct http_request *request,
                              const struct auth_claim *claim)
{
    static const char *const scopes[MOCK_SERVICE_COUNT] = {"sqs", "sdb", "dynamodb",
                                                           "ec2", "sts"};
    struct sigv4_header header[HEADERS_SIGNED_MAX];
    struct jobq_str date =
        claim->presigned ? claim->stamp : http_header(request, "x-amz-date");
    struct jobq_str token =
        claim->presigned ? claim->token : http_header(request, "x-amz-security-token");
    char basic[17], right[65];
    int64_t at_ns;
    if (claim->region.len == 0)
        return incomplete(call, claim, "Credential");
    if (claim->signature.len == 0)
        return incomplete(call, claim, "Signature");
    if (claim->signed_headers.len == 0)
        return incomplete(call, claim, "SignedHeaders");
    struct known_key *known = find_key(call->mock->keys, claim->access_key);
    if (!known)
        return unknown_key(call);
    if (!parse_basic(date, &at_ns) || claim->date.len != 8 ||
        memcmp(claim->date.ptr, date.ptr, 8) != 0)
        return incomplete(call, claim, "X-Amz-Date");
    if (check_time(call, claim, at_ns) != CALL_DONE)
        return CALL_FAILED;
    if (!str_is(claim->service, scopes[call->service]))
        return mock_fail(call, 403, "SignatureDoesNotMatch",
                         "com.amazon.coral.service#InvalidSignatureException",
                         "Credential should be scoped to correct service: '%s'.",
                         scopes[call->service]);
    if (known->token[0] && !same(token, known->token))
        return unknown_key(call);
    int count = signed_headers(call, request, claim->signed_headers, header);
    if (count < 0)
        return wrong_signature(call);
    struct jobq_str open = find_unsigned(request, header, count);
    if (open.ptr)
        return not_signed(call, open);
    memcpy(basic, date.ptr, 16);
    basic[16] = '\0';
    bool good = sign_v4(call, request, claim, known, header, count, basic, right);
    return good && same(claim->signature, right) ? CALL_DONE : wrong_signature(call);
}

/* ---- version 2 ---------------------------------------------------------------------------- */

static bool sign_v2(struct call *call, const struct http_request *request,
                    const struct known_key *known, bool sha1, char out[45])
{
    struct text joined = {0}, to_sign = {0}, host = {0};
    struct query query = {0};
    struct wire_keys keys = {str_of(known->access), str_of(known->secret), {NULL, 0}};
    bool good = add_pairs(&query, request->query, "Signature") &&
                add_pairs(&query, request->body, "Signature");
    query_join(&query, &joined);
    text_put_str(&host, call->host);
    for (size_t i = 0; i < host.len; i++)
        if (host.ptr[i] >= 'A' && host.ptr[i] <= 'Z')
            host.ptr[i] = (char)(host.ptr[i] + 32);
    sigv2_string(request->method, text_str(&host), request->path, text_str(&joined),
                 &to_sign);
    if (sha1) {
        unsigned char mac[20];
        unsigned len = sizeof mac;
        HMAC(EVP_sha1(), known->secret, (int)strlen(known->secret),
             (const unsigned char *)to_sign.ptr, to_sign.len, mac, &len);
        digest_base64(mac, len, out);
    } else {
        sigv2_signature(&call->mock->digest, &keys, text_str(&to_sign), out);
    }
    text_release(&joined);
    text_release(&to_sign);
    text_release(&host);
    query_release(&query);
    return good;
}

static enum call_end check_v2(struct call *call, const struct http_request *request,
                              const struct auth_claim *claim)
{
    struct jobq_str stamp = call_text(call, "Timestamp");
    struct jobq_str method = call_text(call, "SignatureMethod");
    struct jobq_str token = call_text(call, "SecurityToken");
    char right[45];
    int64_t at_ns, now_ns = loop_wall_ns(), limit_ns = skew_limit_ns(call);
    if (call->service != MOCK_SDB)
        return no_signature(call);
    struct known_key *known = find_key(call->mock->keys, claim->access_key);
    if (!known)
        return unknown_key(call);
    if (claim->signature.len == 0)
        return mock_fail(call, 400, "MissingParameter", NULL,
                         "The request must contain the parameter Signature.");
    if (!awstime_parse_iso(stamp, &at_ns))
        return mock_fail(call, 400, "InvalidParameterValue", NULL,
                         "Value (%.40s) for parameter Timestamp is invalid.",
                         stamp.ptr ? arena_str(&call->mock->arena, stamp).ptr : "");
    if (at_ns < now_ns - limit_ns || at_ns > now_ns + limit_ns)
        return mock_fail(call, 400, "RequestExpired", NULL,
                         "Request has expired. Timestamp date is %.40s.",
                         arena_str(&call->mock->arena, stamp).ptr);
    bool sha1 = str_is(method, "HmacSHA1");
    if ((!sha1 && !str_is(method, "HmacSHA256")) ||
        !str_is(call_text(call, "SignatureVersion"), "2"))
        return mock_fail(call, 400, "InvalidParameterValue", NULL,
                         "Value for parameter SignatureMethod or SignatureVersion is "
                         "invalid.");
    if (known->token[0] && !same(token, known->token))
        return unknown_key(call);
    bool good = sign_v2(call, request, known, sha1, right);
    return good && same(claim->signature, right) ? CALL_DONE : wrong_signature(call);
}

enum call_end auth_check(struct call *call, const struct http_request *request,
                         const struct auth_claim *claim)
{
    switch (claim->kind) {
    case AUTH_V4:
        return check_v4(call, request, claim);
    case AUTH_V2:
        return check_v2(call, request, claim);
    case AUTH_NONE:
        break;
    }
    return no_signature(call);
}
