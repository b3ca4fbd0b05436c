/* fuzz_heads.c - any bytes as the head and body of a refusal, and as what a box's metadata
 * service and a container's role service answer: read or refused, and what is read can go into
 * a URL, a header or a line for a person.
 *
 * The first byte says which reader gets the rest. */
#include "cost_driver.h"

#include "base/arena.h"
#include "base/text.h"
#include "jobq/units.h"
#include "wire/ec2/metadata.h"
#include "wire/http/reply.h"

#include <ctype.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NOW_NS (INT64_C(1795492800) * JOBQ_NS_PER_S) /* 2026-11-24T00:00:00Z */

const char *const fuzz_seeds[] = {
    "aHTTP/1.1 403 Forbidden\r\nDate: Tue, 24 Nov 2026 01:00:00 GMT\r\nx-amzn-RequestId: "
    "0f3841a3-744451-a5f7\r\nContent-Length: 80\r\nContent-Type: "
    "application/x-amz-json-1.0\r\n\r\n{\"__type\":\"x#InvalidSignatureException\","
    "\"message\":\"Signature expired: 20261124T000000Z\"}",
    "aHTTP/1.1 100 Continue\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n\r\nHTTP/1.1 503 "
    "Slow\r\nRetry-After: 99999999999999999999\r\nLocation: "
    "http://169.254.169.254/latest\r\nx-amz-request-id: a\r\n b\r\n\tc\r\n\r\n<Response>"
    "<Errors><Error><Code>ServiceUnavailable</Code><Message>m</Message><BoxUsage>0.00002"
    "</BoxUsage></Error></Errors><RequestID>r</RequestID></Response>",
    "aHTTP/1.1 301 Moved\r\nLocation: \x01\xff\r\nContent-Length: -1\r\ndate:Fri, 31 Dec "
    "2261 23:59:60 GMT\r\nDATE : x\r\n\r\n",
    "aHTTP/1.1 400 Bad\r\nDate: Thu, 01 Jan 1970 00:00:01 "
    "GMT\r\n\r\n<ErrorResponse><Error>"
    "<Code>RequestExpired</Code><Message>"
    "mmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmm"
    "mmmm"
    "mmmmm</Message></"
    "Error><RequestId>rrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrr"
    "rrrrrrrrrrrrrrrrrrrrrr</RequestId></ErrorResponse>",
    "b{\"Code\":\"Success\",\"LastUpdated\":\"2026-11-24T00:00:00Z\",\"Type\":\"AWS-"
    "HMAC\","
    "\"AccessKeyId\":\"ASIAIOSFODNN7EXAMPLE\",\"SecretAccessKey\":\"wJalrXUtnFEMI/"
    "K7MDENG\","
    "\"Token\":\"IQoJb3JpZ2luX2VjEPT//////////wEaCXVz==\",\"Expiration\":"
    "\"2026-11-24T06:00:00Z\"}",
    "b{\"RoleArn\":\"arn:aws:iam::1:role/"
    "r\",\"AccessKeyId\":\"ASIA\",\"SecretAccessKey\":"
    "\"s\",\"Token\":null,\"Expiration\":null}",
    "b{\"AccessKeyId\":5,\"SecretAccessKey\":[],\"Token\":\"a\\r\\nX-Evil: "
    "1\",\"Expiration\":"
    "1e999}",
    "b{\"AccessKeyId\":\"ASIA\",\"SecretAccessKey\":\"s\",\"Expiration\":"
    "18446744073709551616}",
    "b{\"AccessKeyId\":\"ASIA\",\"SecretAccessKey\":\"s\",\"Expiration\":1795492800}",
    "b{\"Code\":\"AssumeRoleUnauthorizedAccess\",\"Message\":\"EC2 cannot assume the "
    "role\"}",
    "c{\"action\":\"terminate\",\"time\":\"2026-11-24T00:02:00Z\"}",
    "dAQAEAOqVk3MqYz0rXLqv5kGr7mMZsH0VYx8dWk2vZQ==",
    "ejobq-box\n",
    "fus-east-1",
    NULL};

static void fail(const char *what)
{
    fprintf(stderr, "fuzz_heads: %s\n", what);
    abort();
}

/* A copy of exactly that size, so that the sanitizers see a byte too far. */
static struct jobq_str copy_of(const char *bytes, size_t len)
{
    char *copy = xmalloc(len + !len);
    memcpy(copy, bytes, len);
    return (struct jobq_str){copy, (int64_t)len};
}

static void free_copy(struct jobq_str s)
{
    free((char *)(uintptr_t)s.ptr);
}

static void must_be_graphic(const char *text, const char *what)
{
    for (; text && *text; text++)
        if (!isgraph((unsigned char)*text))
            fail(what);
}

static void must_be_line(const struct jobq_error *err, int rc)
{
    if (rc >= 0 || err->code != (enum jobq_code)rc || !err->text[0])
        fail("a refusal without a reason");
    for (const char *c = err->text; *c; c++)
        if (!isprint((unsigned char)*c))
            fail("an error with an unprintable byte");
}

/* ---- heads ---------------------------------------------------------------------------- */

/* Line by line, as libcurl gives them; returns where the body begins. */
static size_t take_head(const char *in, size_t len, struct reply_head *head, int *status)
{
    size_t at = 0;
    while (at < len) {
        const char *newline = memchr(in + at, '\n', len - at);
        size_t line = newline ? (size_t)(newline - in) + 1 - at : len - at;
        if (line >= 12 && memcmp(in + at, "HTTP/1.1 ", 9) == 0)
            *status = atoi((char[4]){in[at + 9], in[at + 10], in[at + 11], 0});
        struct jobq_str copy = copy_of(in + at, line);
        reply_head_line(head, copy);
        free_copy(copy);
        bool last = line == 2 && memcmp(in + at, "\r\n", 2) == 0 && *status >= 200;
        at += line;
        if (last)
            break;
    }
    return at;
}

static void try_head(const char *in, size_t len)
{
    struct reply_head head = {0};
    struct aws_error said;
    struct jobq_error err = {0};
    int status = 0;
    int64_t skew_ns = 0;
    size_t at = take_head(in, len, &head, &status);
    struct jobq_str body = copy_of(in + at, len - at);
    if (head.date_wall_ns < 0)
        fail("a Date before 1970");
    const struct reply_refusal refusal = {"ChangeMessageVisibilityBatch", status, &head,
                                          body, NOW_NS};
    for (int round = 0; round < 2; round++) {
        int64_t before_ns = skew_ns;
        int rc = reply_refused(&refusal, &skew_ns, &said, &err);
        must_be_line(&err, rc);
        size_t text_len = strlen(err.text);
        if (!strstr(err.text, ", request ") || err.text[text_len - 1] != ')')
            fail("an error without its request id");
        if (skew_ns > REPLY_SKEW_MAX_NS || skew_ns < -REPLY_SKEW_MAX_NS)
            fail("a clock that is a century off");
        if (skew_ns != before_ns && (round || rc != JOBQ_UNAVAILABLE))
            fail("a clock that was set twice, or without a word");
    }
    free_copy(body);
}

/* ---- metadata ----------------------------------------------------------------------------- */

static void try_keys(struct jobq_str in)
{
    struct role_keys keys;
    struct jobq_error err = {0};
    int rc = metadata_read_keys(in, &keys, &err);
    if (rc < 0) {
        must_be_line(&err, rc);
        if (keys.access || keys.secret || keys.token)
            fail("keys beside an error");
        return;
    }
    if (!keys.access || !keys.secret || !*keys.access || !*keys.secret)
        fail("half a pair of keys");
    must_be_graphic(keys.access, "an access key id for two headers");
    must_be_graphic(keys.secret, "a secret with a blank");
    must_be_graphic(keys.token, "a token for two headers");
    json_t *root = json_loadb(in.ptr, (size_t)in.len, 0, NULL);
    const json_t *until = json_object_get(root, "Expiration");
    if (keys.until_wall_ns < 0 ||
        (keys.until_wall_ns == JOBQ_FOREVER && until && !json_is_null(until)))
        fail("keys that never end");
    json_decref(root);
    metadata_forget(&keys);
}

static void try_words(char which, struct jobq_str in)
{
    struct jobq_error err = {0};
    struct jobq_str role;
    int64_t wall_ns = 0;
    if (which == 'c' && metadata_read_notice(in, &wall_ns) && wall_ns < 0)
        fail("a notice before 1970");
    if (which == 'd') {
        int rc = metadata_check_token(in, 256, &err);
        if (rc < 0)
            must_be_line(&err, rc);
        else if (in.len < 1 || in.len > 255)
            fail("a token of another length");
        for (int64_t i = 0; rc == JOBQ_OK && i < in.len; i++)
            if (!isgraph((unsigned char)in.ptr[i]))
                fail("a token for two headers");
    }
    if (which == 'e' && metadata_role(in, &role)) {
        if (role.ptr != in.ptr || role.len < 1 || role.len > 128 || role.len > in.len)
            fail("a role that is not in the reply");
        for (int64_t i = 0; i < role.len; i++)
            if (!isgraph((unsigned char)role.ptr[i]) || strchr("/?#%&", role.ptr[i]))
                fail("a role that changes the path");
    }
    if (which == 'f' && metadata_is_region(in, 33))
        for (int64_t i = 0; i < in.len; i++)
            if (in.len > 32 || !(islower((unsigned char)in.ptr[i]) ||
                                 isdigit((unsigned char)in.ptr[i]) || in.ptr[i] == '-'))
                fail("a region that is no part of a host name");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    char which = (char)('a' + (data[0] - 'a' + 26 * 6) % 6);
    struct jobq_str in = copy_of((const char *)data + 1, size - 1);
    if (which == 'a')
        try_head(in.ptr, size - 1);
    else if (which == 'b')
        try_keys(in);
    else
        try_words(which, in);
    free_copy(in);
    return 0;
}
