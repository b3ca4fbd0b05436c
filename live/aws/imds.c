#include "live/aws/imds.h"

#include "jobq/units.h"
#include "wire/ec2/metadata.h"

#include <stdio.h>

enum { REPLY_MAX = 64 << 10, TOKEN_S = 21600, URL_MAX = 512 };
#define ABSENT_NS (60 * JOBQ_NS_PER_S)
#define CALL_NS (2 * JOBQ_NS_PER_S)

struct ask {
    const char *header;
    struct text *out;
};

static int build(void *ctx, struct request *request, struct query *query,
                 struct jobq_error *err)
{
    const struct ask *ask = ctx;
    (void)query;
    (void)err;
    text_puts(&request->head, "User-Agent: " REQUEST_USER_AGENT "\r\n");
    if (ask->header)
        text_puts(&request->head, ask->header);
    return JOBQ_OK;
}

static int read_reply(void *ctx, const struct transport_call *call, struct jobq_str body,
                      struct jobq_error *err)
{
    const struct ask *ask = ctx;
    if (call->status == 200) {
        text_put_str(ask->out, body);
        return JOBQ_OK;
    }
    if (call->status == 404)
        return jobq_fail(err, JOBQ_NOT_FOUND, "metadata has no such entry");
    if (call->status == 401 || call->status == 403)
        return jobq_fail(err, JOBQ_DENIED, "metadata service refused (HTTP %d)",
                         call->status);
    return jobq_fail(err, JOBQ_UNAVAILABLE, "metadata service answered HTTP %d",
                     call->status);
}

int imds_fetch(struct transport *transport, const char *method, const char *url,
               const char *header, struct text *out, struct jobq_error *err)
{
    struct ask ask = {header, out};
    struct transport_call call = {.method = method,
                                  .url = url,
                                  .timeout_ns = CALL_NS,
                                  .reply_max = REPLY_MAX,
                                  .local = true,
                                  .build = build,
                                  .read = read_reply,
                                  .ctx = &ask};
    return transport_run(transport, &call, err);
}

static int renew(struct imds *imds, struct jobq_error *err)
{
    char url[URL_MAX];
    struct text token = {0};
    snprintf(url, sizeof url, "%s/latest/api/token", imds->base);
    int rc = imds_fetch(imds->transport, "PUT", url,
                        "X-aws-ec2-metadata-token-ttl-seconds: 21600\r\n", &token, err);
    if (rc == JOBQ_OK)
        rc = metadata_check_token(text_str(&token), sizeof imds->token, err);
    if (rc == JOBQ_OK) {
        memcpy(imds->token, token.ptr, token.len + 1);
        imds->token_until_ns = loop_now_ns() + (TOKEN_S - 300) * JOBQ_NS_PER_S;
    } else if (rc == JOBQ_UNAVAILABLE || rc == JOBQ_TIMEOUT) {
        imds->absent_until_ns = loop_now_ns() + ABSENT_NS;
    }
    text_release(&token);
    return rc;
}

int imds_get(struct imds *imds, const char *path, struct text *out,
             struct jobq_error *err)
{
    char url[URL_MAX], header[320];
    if (!imds->base)
        return jobq_fail(err, JOBQ_NOT_FOUND, "metadata service is disabled");
    if (loop_now_ns() < imds->absent_until_ns)
        return jobq_fail(err, JOBQ_NOT_FOUND, "no metadata service here");
    snprintf(url, sizeof url, "%s/latest/%s", imds->base, path);
    for (int round = 0;; round++) {
        int rc = JOBQ_OK;
        if (loop_now_ns() >= imds->token_until_ns)
            rc = renew(imds, err);
        if (rc == JOBQ_UNAVAILABLE || rc == JOBQ_TIMEOUT)
            return jobq_fail(err, JOBQ_NOT_FOUND, "no metadata service here");
        if (rc < 0)
            return rc;
        snprintf(header, sizeof header, "X-aws-ec2-metadata-token: %s\r\n", imds->token);
        rc = imds_fetch(imds->transport, "GET", url, header, out, err);
        if (rc != JOBQ_DENIED || round == 1)
            return rc;
        imds->token_until_ns = 0; /* the service forgot it; ask once more */
    }
}
