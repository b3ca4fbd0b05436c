#include "wire/http/request.h"

#include "wire/text/awstime.h"
#include "wire/sign/sigv2.h"

#include <assert.h>
#include <stdio.h>

#define FORM_TYPE "application/x-www-form-urlencoded; charset=utf-8"
#define JSON_TYPE "application/x-amz-json-1.0"

void request_release(struct request *request)
{
    text_release(&request->head);
    text_release(&request->body);
    text_release(&request->scratch);
}

static void request_put_line(struct text *head, const char *name, struct jobq_str value)
{
    text_puts(head, name);
    text_puts(head, ": ");
    text_put_str(head, value);
    text_puts(head, "\r\n");
}

static void request_begin(struct request *request, const char *content_type)
{
    text_clear(&request->head);
    request_put_line(&request->head, "User-Agent", STR(REQUEST_USER_AGENT));
    request_put_line(&request->head, "Content-Type", str_of(content_type));
}

static void request_sign_v4(struct request *request, struct digest *digest,
                            const struct request_place *place,
                            const struct wire_keys *keys, struct sigv4_day *day,
                            struct jobq_str service, struct jobq_str content_type,
                            struct jobq_str target, int64_t wall_ns)
{
    char now[AWSTIME_BASIC];
    struct sigv4_header header[5];
    int count = 0;
    awstime_basic(wall_ns, now);
    header[count++] = (struct sigv4_header){STR("content-type"), content_type};
    header[count++] = (struct sigv4_header){STR("host"), place->host};
    header[count++] = (struct sigv4_header){STR("x-amz-date"), str_of(now)};
    if (keys->token.len)
        header[count++] = (struct sigv4_header){STR("x-amz-security-token"), keys->token};
    if (target.len)
        header[count++] = (struct sigv4_header){STR("x-amz-target"), target};
    struct sigv4_request canonical = {.method = STR("POST"),
                                      .path = place->path,
                                      .query = STR(""),
                                      .header = header,
                                      .header_count = count,
                                      .body = text_str(&request->body)};
    struct sigv4_scope scope = {now, place->region, service};
    if (target.len)
        request_put_line(&request->head, "X-Amz-Target", target);
    request_put_line(&request->head, "X-Amz-Date", str_of(now));
    if (keys->token.len)
        request_put_line(&request->head, "X-Amz-Security-Token", keys->token);
    text_puts(&request->head, "Authorization: ");
    sigv4_authorization(digest, &canonical, keys, &scope, day, &request->scratch,
                        &request->head);
    text_puts(&request->head, "\r\n");
}

static void request_json(struct request *request, struct digest *digest,
                         const struct request_place *place, const struct wire_keys *keys,
                         struct sigv4_day *day, struct jobq_str service,
                         const char *prefix, const char *action, int64_t wall_ns)
{
    assert(request->body.len > 0 && place->path.len > 0 && wall_ns >= 0);
    char target[64];
    snprintf(target, sizeof target, "%s.%s", prefix, action);
    request_begin(request, JSON_TYPE);
    request_sign_v4(request, digest, place, keys, day, service, STR(JSON_TYPE),
                    str_of(target), wall_ns);
}

void request_sqs(struct request *request, struct digest *digest,
                 const struct request_place *place, const struct wire_keys *keys,
                 struct sigv4_day *day, const char *action, int64_t wall_ns)
{
    request_json(request, digest, place, keys, day, STR("sqs"), "AmazonSQS", action,
                 wall_ns);
}

void request_ddb(struct request *request, struct digest *digest,
                 const struct request_place *place, const struct wire_keys *keys,
                 struct sigv4_day *day, const char *action, int64_t wall_ns)
{
    request_json(request, digest, place, keys, day, STR("dynamodb"), "DynamoDB_20120810",
                 action, wall_ns);
}

void request_ec2(struct request *request, struct digest *digest,
                 const struct request_place *place, const struct wire_keys *keys,
                 struct sigv4_day *day, struct query *query, int64_t wall_ns)
{
    assert(place->path.len > 0 && query->count > 0 && wall_ns >= 0);
    request_begin(request, FORM_TYPE);
    text_clear(&request->body);
    query_join(query, &request->body);
    request_sign_v4(request, digest, place, keys, day, STR("ec2"), STR(FORM_TYPE),
                    STR(""), wall_ns);
}

void request_sdb(struct request *request, struct digest *digest,
                 const struct request_place *place, const struct wire_keys *keys,
                 struct query *query, int64_t wall_ns)
{
    assert(place->path.len > 0 && query->count > 0 && wall_ns >= 0);
    char now[AWSTIME_ISO];
    awstime_iso(wall_ns, now);
    request_begin(request, FORM_TYPE);
    text_clear(&request->body);
    sigv2_sign(digest, keys, STR("POST"), place->host, place->path, now, query,
               &request->scratch, &request->body);
}

int64_t request_bytes(const struct request *request, const struct request_place *place)
{
    char digits[24];
    int64_t fixed =
        (int64_t)(sizeof "POST  HTTP/1.1\r\nHost: \r\nContent-Length: \r\n\r\n" - 1);
    return fixed + place->path.len + place->host.len + (int64_t)request->head.len +
           text_write_int(digits, (int64_t)request->body.len) +
           (int64_t)request->body.len;
}
