#include "sim/mock/server/route.h"

#include "sim/mock/server/respond.h"
#include "sim/mock/server/auth.h"
#include "sim/mock/control/control.h"
#include "sim/mock/control/faults.h"
#include "sim/mock/ec2/actions.h"
#include "sim/mock/ec2/imds.h"
#include "sim/mock/sqs/names.h"
#include "sim/mock/simpledb/actions.h"
#include "sim/mock/sqs/actions.h"

#include <string.h>

static bool has_prefix(struct jobq_str s, const char *prefix)
{
    size_t len = strlen(prefix);
    return (size_t)s.len >= len && memcmp(s.ptr, prefix, len) == 0;
}

/* Query requests name their service by the API's version; where a client leaves that out,
 * the credential scope or the action tells. */
static int find_service(const struct tree *params, const struct auth_claim *claim)
{
    static const struct {
        const char *version, *scope;
        enum mock_service service;
    } known[] = {
        {"2012-11-05", "sqs", MOCK_SQS},
        {"2009-04-15", "sdb", MOCK_SDB},
        {"2016-11-15", "ec2", MOCK_EC2},
        {"2011-06-15", "sts", MOCK_STS},
    };
    struct jobq_str version = tree_text(params, "Version");
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (str_is(version, known[i].version))
            return (int)known[i].service;
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (str_is(claim->service, known[i].scope))
            return (int)known[i].service;
    struct jobq_str action = tree_text(params, "Action");
    if (mock_sqs_knows(action))
        return MOCK_SQS;
    if (mock_sdb_knows(action))
        return MOCK_SDB;
    if (mock_ec2_knows(action))
        return MOCK_EC2;
    return -1;
}

static void serve(struct call *call)
{
    enum faults_strike strike = faults_before(call);
    if (strike == FAULTS_DROP) {
        http_drop(call->x);
        return;
    }
    if (strike == FAULTS_ERROR) {
        answer_end(call, CALL_FAILED, false);
        return;
    }
    switch (call->service) {
    case MOCK_SQS:
        mock_sqs(call);
        return;
    case MOCK_SDB:
        mock_sdb(call);
        return;
    case MOCK_EC2:
        mock_ec2(call);
        return;
    case MOCK_STS:
        mock_sts(call);
        return;
    case MOCK_SERVICE_COUNT:
        break;
    }
}

/* The region of "SERVICE.REGION.amazonaws.com[:port]", which is all that a signature of
 * version 2 tells of it; else us-east-1. */
static struct jobq_str region_of_host(struct jobq_str host)
{
    const char *first = host.len > 0 ? memchr(host.ptr, '.', (size_t)host.len) : NULL;
    if (!first)
        return STR("us-east-1");
    struct jobq_str rest = {first + 1, host.len - (first + 1 - host.ptr)};
    const char *second = rest.len > 0 ? memchr(rest.ptr, '.', (size_t)rest.len) : NULL;
    if (!second)
        return STR("us-east-1");
    struct jobq_str region = {rest.ptr, second - rest.ptr};
    struct jobq_str domain = {second, rest.len - region.len};
    return region.len > 0 && has_prefix(domain, ".amazonaws.com") ? region
                                                                  : STR("us-east-1");
}

/* The account and region's models that the claim names. False: refused and answered. */
static bool enter(struct call *call, const struct http_request *request,
                  const struct auth_claim *claim)
{
    if (call->mock->keys && auth_check(call, request, claim) != CALL_DONE) {
        answer_end(call, CALL_FAILED, false);
        return false;
    }
    struct jobq_str region =
        claim->region.len > 0 ? claim->region : region_of_host(call->host);
    call->access_key = claim->access_key;
    call->region = mock_region(call->mock, region);
    if (call->region)
        return true;
    mock_fail(call, 400, "InvalidClientTokenId",
              "com.amazon.coral.service#UnrecognizedClientException",
              "The region of the credential scope is not one that is served.");
    answer_end(call, CALL_FAILED, false);
    return false;
}

static void serve_json(struct call *call, const struct http_request *request,
                       struct jobq_str target)
{
    struct auth_claim claim;
    struct jobq_error err;
    struct tree *params;
    call->json = true;
    call->service = MOCK_SQS;
    struct jobq_str action = {target.ptr + 10, target.len - 10};
    call->action = arena_str(&call->mock->arena, action).ptr;
    auth_claim(request, NULL, &claim);
    if (!enter(call, request, &claim))
        return;
    struct jobq_str body = request->body.len > 0 ? request->body : STR("{}");
    if (tree_from_json(body, &call->mock->arena, &params, &err) < 0) {
        mock_fail(call, 400, "SerializationException",
                  "com.amazon.coral.service#SerializationException", "%s", err.text);
        answer_end(call, CALL_FAILED, false);
        return;
    }
    call->params = params;
    serve(call);
}

static void serve_query(struct call *call, const struct http_request *request)
{
    struct auth_claim claim;
    struct jobq_error err;
    struct tree *params;
    struct jobq_str parts[2] = {request->query, request->body};
    if (tree_from_queries(parts, 2, &call->mock->arena, &params, &err) < 0) {
        call->service = MOCK_SQS;
        mock_fail(call, 400, "MalformedQueryString", NULL, "%s", err.text);
        answer_end(call, CALL_FAILED, false);
        return;
    }
    call->params = params;
    auth_claim(request, params, &claim);
    struct jobq_str action = tree_text(params, "Action");
    call->action = arena_str(&call->mock->arena, action.ptr ? action : STR("")).ptr;
    if (action.len == 0 && mock_names_is_queue_path(call->path)) {
        answer_plain(call->mock, call->x, 404, STR("text/xml"),
                     STR("<UnknownOperationException/>\n"));
        return;
    }
    int service = find_service(params, &claim);
    call->service = service < 0 ? MOCK_SQS : (enum mock_service)service;
    if (service < 0) {
        if (action.len == 0)
            mock_fail(call, 400, "MissingAction", NULL,
                      "The request must contain the parameter Action.");
        else
            mock_fail(call, 400, "InvalidAction", NULL,
                      "The action %.80s is not valid for this endpoint.", call->action);
        answer_end(call, CALL_FAILED, false);
        return;
    }
    if (enter(call, request, &claim))
        serve(call);
}

void route_request(void *ctx, struct http_exchange *x, const struct http_request *request)
{
    struct mock *mock = ctx;
    arena_reset(&mock->arena);
    if (mock_imds(mock, x, request) || control_request(mock, x, request))
        return;
    struct jobq_str host = http_header(request, "host");
    struct call call = {.mock = mock,
                        .x = x,
                        .action = "",
                        .host = host.len > 0 ? host : STR("localhost"),
                        .path = request->path,
                        .trace = http_header(request, "x-amzn-trace-id"),
                        .now_ns = mock_now_ns(mock),
                        .request_bytes = request->wire_bytes};
    mock_uuid(mock, call.request_id);
    if (!str_is(request->method, "POST") && !str_is(request->method, "GET")) {
        answer_plain(mock, x, 405, STR("text/plain"), STR("Method Not Allowed"));
        return;
    }
    struct jobq_str target = http_header(request, "x-amz-target");
    if (has_prefix(target, "AmazonSQS.") && target.len < 80)
        serve_json(&call, request, target);
    else
        serve_query(&call, request);
}
