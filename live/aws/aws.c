#include "live/aws/aws.h"

#include "base/arena.h"
#include "jobq/units.h"
#include "live/aws/secret.h"
#include "wire/ec2/metadata.h"
#include "wire/http/reply.h"

#include <stdio.h>
#include <stdlib.h>

/* Splits an endpoint into what is signed. The default port of the scheme is not sent. */
static int set_place(struct aws *aws, enum jobq_service service, const char *endpoint,
                     struct jobq_error *err)
{
    struct aws_place *at = &aws->at[service];
    bool tls = strncmp(endpoint, "https://", 8) == 0;
    const char *host = endpoint + (tls ? 8 : 7), *path = host + strcspn(host, "/?#");
    const char *port = tls ? ":443" : ":80";
    int64_t host_len = path - host, port_len = (int64_t)strlen(port);
    if (host_len > port_len && strncmp(path - port_len, port, (size_t)port_len) == 0)
        host_len -= port_len;
    if (host_len == 0 || memchr(host, '@', (size_t)host_len))
        return jobq_fail(err, JOBQ_INVALID, "endpoint of %s has no host, or a user in it",
                         jobq_service_name(service));
    struct text url = {0};
    text_puts(&url, tls ? "https://" : "http://");
    size_t host_at = url.len;
    for (int64_t i = 0; i < host_len; i++)
        text_putc(&url,
                  (char)(host[i] >= 'A' && host[i] <= 'Z' ? host[i] | 0x20 : host[i]));
    size_t path_at = url.len;
    text_put(&url, path, strcspn(path, "?#"));
    if (url.len == path_at)
        text_putc(&url, '/');
    at->url = url.ptr;
    at->place =
        (struct request_place){.host = {url.ptr + host_at, host_len},
                               .path = {url.ptr + path_at, (int64_t)(url.len - path_at)},
                               .region = str_of(aws->region)};
    return JOBQ_OK;
}

static int set_places(struct aws *aws, struct jobq_error *err)
{
    for (int i = 0; i < SETTINGS_SERVICES; i++) {
        char url[128];
        const char *given = aws->settings->endpoint[i];
        if (aws->at[i].url || (!given && !aws->region[0]))
            continue;
        settings_default_url((enum jobq_service)i, aws->region, url, sizeof url);
        int rc = set_place(aws, (enum jobq_service)i, given ? given : url, err);
        if (rc < 0)
            return rc;
    }
    return JOBQ_OK;
}

static int no_region(struct jobq_error *err)
{
    return jobq_fail(err, JOBQ_INVALID,
                     "no region; set AWS_REGION, or region in ~/.aws/config");
}

int aws_init(struct aws *aws, const struct settings *settings,
             struct transport *transport, struct credentials *credentials,
             struct jobq_error *err)
{
    *aws = (struct aws){
        .transport = transport, .credentials = credentials, .settings = settings};
    bool all_given = true;
    for (int i = 0; i < SETTINGS_SERVICES; i++)
        all_given = all_given && settings->endpoint[i];
    if (!settings->region[0] && !all_given && !settings->imds_url)
        return no_region(err);
    snprintf(aws->region, sizeof aws->region, "%s",
             settings->region[0] ? settings->region
             : all_given         ? "us-east-1"
                                 : "");
    digest_init(&aws->digest);
    aws->days = secret_alloc(SETTINGS_SERVICES * sizeof *aws->days);
    for (int i = 0; i < SETTINGS_SERVICES; i++)
        aws->at[i].day = &aws->days[i];
    int rc = set_places(aws, err);
    if (rc < 0)
        aws_release(aws);
    return rc;
}

int aws_find_region(struct aws *aws, struct jobq_error *err)
{
    struct text told = {0};
    if (aws->region[0])
        return JOBQ_OK;
    int rc = imds_get(aws->credentials->imds, "meta-data/placement/region", &told, err);
    bool good = rc == JOBQ_OK && metadata_is_region(text_str(&told), sizeof aws->region);
    /* Another fiber may have been faster; places may not change under its requests. */
    if (good && !aws->region[0]) {
        memcpy(aws->region, told.ptr, told.len + 1);
        for (int i = 0; i < SETTINGS_SERVICES; i++)
            aws->at[i].place.region = str_of(aws->region);
    }
    text_release(&told);
    if (!good && !aws->region[0])
        return no_region(err);
    return set_places(aws, err);
}

void aws_release(struct aws *aws)
{
    for (int i = 0; i < SETTINGS_SERVICES; i++)
        free(aws->at[i].url);
    secret_free(aws->days);
    aws->days = NULL;
    digest_release(&aws->digest);
}

struct running {
    struct aws *aws;
    struct aws_call *call;
    struct jobq_call_cost *cost;
};

static int build(void *ctx, struct request *request, struct query *query,
                 struct jobq_error *err)
{
    struct running *r = ctx;
    struct aws *aws = r->aws;
    struct aws_place *at = &aws->at[r->call->service];
    const struct credentials *c = aws->credentials;
    struct wire_keys keys = {str_of(c->access), str_of(c->secret),
                             str_of(c->token ? c->token : "")};
    int64_t wall_ns = loop_wall_ns() + aws->skew_ns;
    (void)err;
    r->call->write(r->call->args, &request->body, query);
    if (r->call->service == JOBQ_SQS)
        request_sqs(request, &aws->digest, &at->place, &keys, at->day, r->call->action,
                    wall_ns);
    else if (r->call->service == JOBQ_DYNAMODB)
        request_ddb(request, &aws->digest, &at->place, &keys, at->day, r->call->action,
                    wall_ns);
    else if (r->call->service == JOBQ_EC2)
        request_ec2(request, &aws->digest, &at->place, &keys, at->day, query, wall_ns);
    else
        request_sdb(request, &aws->digest, &at->place, &keys, query, wall_ns);
    return JOBQ_OK;
}

static int refused(struct running *r, const struct transport_call *call,
                   struct jobq_str body, struct jobq_error *err)
{
    struct aws_error e;
    const struct reply_refusal refusal = {.action = r->call->action,
                                          .status = call->status,
                                          .head = &call->head,
                                          .body = body,
                                          .now_wall_ns = loop_wall_ns()};
    int code = reply_refused(&refusal, &r->aws->skew_ns, &e, err);
    r->cost->box_usage_e10h = e.box_usage_e10h;
    snprintf(r->call->error_code, sizeof r->call->error_code, "%s", e.code);
    snprintf(r->call->error_message, sizeof r->call->error_message, "%s", e.message);
    if (r->call->read_refused)
        r->call->read_refused(r->call->out, body);
    return code;
}

static int read_reply(void *ctx, const struct transport_call *call, struct jobq_str body,
                      struct jobq_error *err)
{
    struct running *r = ctx;
    if (call->head.date_wall_ns)
        r->aws->skew_seen_ns = call->head.date_wall_ns - loop_wall_ns();
    if (call->status != 200)
        return refused(r, call, body, err);
    if (!r->call->read)
        return JOBQ_OK;
    int rc = r->call->read(r->call->out, body, r->cost, err);
    if (rc >= 0)
        return rc;
    /* A reply that makes no sense is not the service's, or was damaged on its way: the call
     * may have been applied, and may succeed when it is tried again. */
    if (rc == JOBQ_CORRUPT)
        err->code = JOBQ_UNAVAILABLE;
    return jobq_wrap(err, "%s (request %s)", r->call->action,
                     call->head.request_id[0] ? call->head.request_id : "-");
}

int aws_run(struct aws *aws, struct aws_call *call, struct jobq_call_cost *cost,
            struct jobq_error *err)
{
    struct running r = {aws, call, cost};
    struct wire_keys keys;
    *cost = (struct jobq_call_cost){0};
    int rc = aws_find_region(aws, err);
    if (rc == JOBQ_OK)
        rc = credentials_get(aws->credentials, &keys, err);
    if (rc < 0)
        return jobq_wrap(err, "%s", call->action);
    bool poll = call->wait_ns >= 0;
    struct transport_call t = {.method = "POST",
                               .url = aws->at[call->service].url,
                               .timeout_ns =
                                   poll ? call->wait_ns + AWS_POLL_SLACK_NS : AWS_CALL_NS,
                               .reply_max = AWS_REPLY_MAX,
                               .poll = poll,
                               .build = build,
                               .read = read_reply,
                               .ctx = &r};
    rc = transport_run(aws->transport, &t, err);
    cost->bytes_out = t.bytes_out;
    cost->bytes_in = t.bytes_in;
    cost->requests = t.tries;
    cost->http_status = t.status;
    if (rc < 0 && !t.status && rc != JOBQ_CANCELLED)
        jobq_wrap(err, "%s", call->action);
    return rc;
}
