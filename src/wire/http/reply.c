#include "wire/http/reply.h"

#include "base/text.h"
#include "jobq/units.h"
#include "wire/text/awstime.h"

#include <stdio.h>
#include <strings.h>

#define SKEW_MIN_NS JOBQ_NS_PER_MIN

static bool header_is(struct jobq_str line, const char *name, struct jobq_str *value)
{
    int64_t name_len = (int64_t)strlen(name);
    if (line.len <= name_len || line.ptr[name_len] != ':' ||
        strncasecmp(line.ptr, name, (size_t)name_len))
        return false;
    const char *at = line.ptr + name_len + 1, *end = line.ptr + line.len;
    while (at < end && (*at == ' ' || *at == '\t'))
        at++;
    while (end > at &&
           (end[-1] == '\r' || end[-1] == '\n' || end[-1] == ' ' || end[-1] == '\t'))
        end--;
    *value = (struct jobq_str){at, end - at};
    return true;
}

void reply_head_line(struct reply_head *head, struct jobq_str line)
{
    struct jobq_str value;
    if (line.len >= 5 && memcmp(line.ptr, "HTTP/", 5) == 0)
        *head = (struct reply_head){0};
    else if (line.len > 0 && (line.ptr[0] == '\r' || line.ptr[0] == '\n'))
        head->ended = true;
    else if (header_is(line, "date", &value))
        awstime_parse_http(value, &head->date_wall_ns);
    else if (header_is(line, "x-amzn-requestid", &value) ||
             header_is(line, "x-amz-request-id", &value))
        text_escape(value.ptr, value.len, head->request_id, sizeof head->request_id);
}

static bool correct_skew(const struct reply_refusal *refusal, int64_t *skew_ns,
                         int64_t *off_ns)
{
    if (!refusal->head->date_wall_ns)
        return false;
    int64_t ahead_ns = refusal->head->date_wall_ns - refusal->now_wall_ns;
    if (ahead_ns > REPLY_SKEW_MAX_NS || ahead_ns < -REPLY_SKEW_MAX_NS)
        return false;
    *off_ns = ahead_ns - *skew_ns;
    if (*off_ns <= SKEW_MIN_NS && *off_ns >= -SKEW_MIN_NS)
        return false;
    *skew_ns = ahead_ns;
    return true;
}

int reply_refused(const struct reply_refusal *refusal, int64_t *skew_ns,
                  struct aws_error *out, struct jobq_error *err)
{
    enum { CODE_MAX = 50, MESSAGE_MAX = 320 };
    int64_t off_ns = 0;
    char end[96]; /* " (HTTP 400, request ...)" */
    aws_error_read(refusal->body, out);
    const char *id = out->request_id[0] ? out->request_id : refusal->head->request_id;
    snprintf(end, sizeof end, " (HTTP %d, request %s)", refusal->status,
             id[0] ? id : "-");
    if (refusal->status >= 300 && refusal->status < 400)
        return jobq_fail(err, JOBQ_DENIED, "%s: redirected, which is refused%s",
                         refusal->action, end);
    int code = aws_error_code(out->code, refusal->status);
    if (aws_error_is_skew(out->code) && correct_skew(refusal, skew_ns, &off_ns))
        return jobq_fail(err, JOBQ_UNAVAILABLE,
                         "%s: this machine's clock is off by %lld s; corrected%s",
                         refusal->action, (long long)(off_ns / JOBQ_NS_PER_S), end);
    /* The message is cut first, so that status and request id always fit. */
    const char *name = out->code[0] ? out->code : "error";
    size_t name_len = strnlen(name, CODE_MAX);
    size_t taken = strlen(refusal->action) + 2 + name_len + 2 + strlen(end) + 1;
    size_t left = taken < sizeof err->text ? sizeof err->text - taken : 0;
    return jobq_fail(err, (enum jobq_code)code, "%s: %.*s: %.*s%s", refusal->action,
                     (int)name_len, name, (int)(left < MESSAGE_MAX ? left : MESSAGE_MAX),
                     out->message, end);
}
