#include "sim/mock/server/route.h"

#include "sim/mock/server/respond.h"
#include "sim/mock/server/auth.h"
#include "sim/mock/control/control.h"
#include "sim/mock/control/faults.h"
#include "sim/mock/control/late.h"
#include "sim/mock/dynamodb/actions.h"
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

/* Every version that EC2's API has had, by date, blank-separated. */
static const char ec2_versions[] =
    "2006-06-26 2006-10-01 2007-01-03 2007-01-19 2007-03-01 2007-08-29 2008-02-01 "
    "2008-05-05 2008-08-08 2008-12-01 2009-03-01 2009-04-04 2009-07-15 2009-08-15 "
    "2009-10-31 2009-11-30 2010-06-15 2010-08-31 2010-11-15 2011-02-28 2011-05-15 "
    "2011-07-15 2011-11-01 2011-12-01 2011-12-15 2012-03-01 2012-04-01 2012-05-01 "
    "2012-06-01 2012-06-15 2012-07-20 2012-08-15 2012-10-01 2012-12-01 2013-02-01 "
    "2013-06-15 2013-07-15 2013-08-15 2013-10-01 2013-10-15 2014-02-01 2014-05-01 "
    "2014-06-15 2014-09-01 2014-10-01 2015-03-01 2015-04-15 2015-10-01 2016-04-01 "
    "2016-09-15 2016-11-15";
static const char sqs_versions[] =
    "2007-05-01 2008-01-01 2009-02-01 2011-10-01 2012-11-05";
static const char sdb_versions[] = "2007-11-07 2009-04-15";

static bool is_version(struct jobq_str version, const char *known)
{
    const char *text = version.ptr;
    if (version.len != 10 || memchr(text, ' ', 10))
        return false;
    for (; *known; known += known[10] ? 11 : 10)
        if (memcmp(text, known, 10) == 0)
            return true;
    return false;
}

/* Query requests name their service by the API's version; where a client leaves that out,
 * or names one that is no service's, the credential scope or the action tells. */
static int find_service(const struct tree *params, const struct auth_claim *claim)
{
    static const struct {
        const char *versions, *scope;
        enum mock_service service;
    } known[] = {
        {sqs_versions, "sqs", MOCK_SQS},
        {sdb_versions, "sdb", MOCK_SDB},
        {ec2_versions, "ec2", MOCK_EC2},
        {"2011-06-15", "sts", MOCK_STS},
    };
    struct jobq_str version = tree_text(params, "Version");
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (is_version(version, known[i].versions))
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

int route_read(struct call *call, const struct http_request *request,
               struct jobq_error *err)
{
    struct tree *params = NULL;
    int code = JOBQ_OK;
    call->body = request->body.len > 0 ? request->body : STR("{}");
    if (call->service == MOCK_DYNAMODB) {
        /* Its values have types, which a tree of parameters does not keep. */
    } else if (call->json) {
        code = tree_from_json(call->body, &call->mock->arena, &params, err);
    } else {
        const struct jobq_str parts[2] = {request->query, request->body};
        code = tree_from_query(parts, 2, &call->mock->arena, &params, err);
    }
    if (code == JOBQ_OK)
        call->params = params;
    return code;
}

static void route_serve(struct call *call, const struct http_request *request)
{
    struct late_rule late;
    switch (faults_before(call, &late)) {
    case FAULTS_DROP:
        http_drop(call->x);
        return;
    case FAULTS_ERROR:
        answer_end(call, CALL_FAILED, false);
        return;
    case FAULTS_LATE:
        if (late_keep(call, request, &late, mock_u(call->mock)))
            return;
        break;
    case FAULTS_NONE:
        break;
    }
    route_apply(call);
}

void route_apply(struct call *call)
{
    switch (call->service) {
    case MOCK_SQS:
        mock_sqs(call);
        return;
    case MOCK_SDB:
        mock_sdb(call);
        return;
    case MOCK_DYNAMODB:
        mock_dynamodb(call);
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
 * version 2 names it; else us-east-1. */
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

/* `action`: the target behind its prefix. */
static void serve_json(struct call *call, const struct http_request *request,
                       enum mock_service service, struct jobq_str action)
{
    struct auth_claim claim;
    struct jobq_error err;
    call->json = true;
    call->service = service;
    call->action = arena_str(&call->mock->arena, action).ptr;
    auth_claim(request, NULL, &claim);
    if (!enter(call, request, &claim))
        return;
    if (route_read(call, request, &err) < 0) {
        mock_fail(call, 400, "SerializationException",
                  "com.amazon.coral.service#SerializationException", "%s", err.text);
        answer_end(call, CALL_FAILED, false);
        return;
    }
    route_serve(call, request);
}

/* A target of another service gets that protocol's error: it is none of a client of SQS, who
 * would take its XML for a reply that is broken. */
static void refuse_target(struct call *call, const struct http_request *request)
{
    struct jobq_str type = http_header(request, "content-type");
    answer_plain(
        call->mock, call->x, 400,
        has_prefix(type, "application/x-amz-json-1.") && type.len < 40
            ? type
            : STR("application/x-amz-json-1.0"),
        STR("{\"__type\":\"com.amazon.coral.service#UnknownOperationException\","
            "\"message\":\"Of the services that speak JSON, SQS and DynamoDB are "
            "served here.\"}"));
}

static void serve_query(struct call *call, const struct http_request *request)
{
    struct auth_claim claim;
    struct jobq_error err;
    if (route_read(call, request, &err) < 0) {
        call->service = MOCK_SQS;
        mock_fail(call, 400, "MalformedQueryString", NULL, "%s", err.text);
        answer_end(call, CALL_FAILED, false);
        return;
    }
    const struct tree *params = call->params;
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
    if (is_version(tree_text(params, "Version"), ec2_versions))
        call->version = tree_text(params, "Version");
    if (service < 0) {
        if (action.len == 0)
            mock_fail(call, 400, "MissingAction", NULL,
                      "The request must contain the parameter Action.");
        else
            mock_fail(call, 400, "InvalidAction", NULL,
                      "The action %s is not valid for this endpoint.", call->action);
        answer_end(call, CALL_FAILED, false);
        return;
    }
    /* As API gateways ask; EC2 and SimpleDB answer in XML whatever is asked. */
    call->query_json = call->service == MOCK_SQS &&
                       has_prefix(http_header(request, "accept"), "application/json");
    if (enter(call, request, &claim))
        route_serve(call, request);
}

void route_request(void *ctx, struct http_exchange *x, const struct http_request *request)
{
    struct mock *mock = ctx;
    if (late_next_at(mock->late) <= mock_now_ns(mock))
        late_apply(mock->late, mock_now_ns(mock));
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
        serve_json(&call, request, MOCK_SQS,
                   (struct jobq_str){target.ptr + 10, target.len - 10});
    else if (has_prefix(target, "DynamoDB_20120810.") && target.len < 80)
        serve_json(&call, request, MOCK_DYNAMODB,
                   (struct jobq_str){target.ptr + 18, target.len - 18});
    else if (target.len > 0)
        refuse_target(&call, request);
    else
        serve_query(&call, request);
}
