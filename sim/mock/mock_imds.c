#include "sim/mock/mock_imds.h"

#include "models/ec2.h"
#include "sim/mock/answer.h"
#include "sim/mock/mock_ec2.h"
#include "wire/awstime.h"

#include <stdio.h>
#include <string.h>

enum { TOKEN_BYTES = 32, TTL_MAX_S = 21600 };

/* One request of metadata. */
struct ask {
    struct mock *mock;
    struct http_exchange *x;
    struct mock_region *region; /* NULL: no box */
    int32_t instance;
    const struct ec2_instance *box;
    struct jobq_str path; /* behind "/latest/" */
};

void mock_imds_secret(const struct mock *mock, char secret[41], char token[49])
{
    for (int i = 0; i < 5; i++) {
        char hex[16];
        text_write_hex64(hex, mock_mix(mock->seed + 1000 + (uint64_t)i));
        if (i < 2)
            memcpy(secret + 16 * i, hex, 16);
        else
            memcpy(token + 16 * (i - 2), hex, 16);
        if (i == 2)
            memcpy(secret + 32, hex, 8);
    }
    secret[40] = token[48] = '\0';
}

static void plain(struct ask *ask, int status, struct jobq_str body)
{
    answer_plain(ask->mock, ask->x, status, STR("text/plain"), body);
}

/* ---- tokens ------------------------------------------------------------------------- */

static void write_token(const struct mock *mock, int64_t ends_s, char out[TOKEN_BYTES])
{
    text_write_hex64(out, (uint64_t)ends_s);
    text_write_hex64(out + 16, mock_mix(mock->seed ^ mock_mix((uint64_t)ends_s)));
}

static bool token_ok(const struct mock *mock, struct jobq_str token)
{
    char right[TOKEN_BYTES];
    uint64_t bits = 0;
    if (token.len != TOKEN_BYTES)
        return false;
    for (int i = 0; i < 16; i++) {
        const char *digits = "0123456789abcdef", *at = strchr(digits, token.ptr[i]);
        if (!at || !token.ptr[i])
            return false;
        bits = bits << 4 | (uint64_t)(at - digits);
    }
    int64_t ends_s = (int64_t)bits;
    write_token(mock, ends_s, right);
    return memcmp(right, token.ptr, TOKEN_BYTES) == 0 &&
           ends_s > mock_now_ns(mock) / JOBQ_NS_PER_S;
}

static void give_token(struct ask *ask, const struct http_request *request)
{
    struct jobq_str ttl = http_header(request, "x-aws-ec2-metadata-token-ttl-seconds");
    char token[TOKEN_BYTES], head[80];
    int64_t seconds;
    if (!str_to_int(ttl, &seconds) || seconds < 1 || seconds > TTL_MAX_S) {
        plain(ask, 400, STR("Bad Request"));
        return;
    }
    write_token(ask->mock, mock_now_ns(ask->mock) / JOBQ_NS_PER_S + seconds, token);
    snprintf(head, sizeof head, "X-Aws-Ec2-Metadata-Token-Ttl-Seconds: %d\r\n",
             (int)seconds);
    struct http_reply reply = {.status = 200,
                               .content_type = STR("text/plain"),
                               .headers = str_of(head),
                               .body = {token, TOKEN_BYTES}};
    http_reply(ask->x, &reply);
}

/* ---- entries -------------------------------------------------------------------------- */

static void put_document(struct ask *ask, struct text *out)
{
    char time[32];
    text_puts(out, "{\"accountId\":\"");
    text_puts(out, ask->mock->options->account);
    text_puts(out, "\",\"architecture\":\"");
    text_puts(out, ask->box->type.arch);
    text_puts(out, "\",\"availabilityZone\":\"");
    text_puts(out, ask->region->name);
    text_puts(out, "a\",\"imageId\":\"");
    text_put_str(out, ask->box->image);
    text_puts(out, "\",\"instanceId\":\"");
    text_puts(out, ask->box->id);
    text_puts(out, "\",\"instanceType\":\"");
    text_puts(out, ask->box->type.name);
    text_puts(out, "\",\"pendingTime\":\"");
    awstime_iso(ask->box->launched_at_ns, time);
    text_puts(out, time);
    text_puts(out, "\",\"privateIp\":\"");
    text_puts(out, ask->box->private_ip);
    text_puts(out, "\",\"region\":\"");
    text_puts(out, ask->region->name);
    text_puts(out, "\",\"version\":\"2017-09-30\"}");
}

static void put_credentials(struct ask *ask, struct text *out)
{
    char secret[41], token[49], now[AWSTIME_ISO], later[AWSTIME_ISO];
    int64_t now_ns = mock_now_ns(ask->mock);
    mock_imds_secret(ask->mock, secret, token);
    awstime_iso(now_ns, now);
    awstime_iso(now_ns + 6 * JOBQ_NS_PER_HOUR, later);
    text_printf(out,
                "{\"Code\":\"Success\",\"LastUpdated\":\"%s\",\"Type\":\"AWS-HMAC\","
                "\"AccessKeyId\":\"" MOCK_IMDS_ACCESS "\",\"SecretAccessKey\":\"%s\","
                "\"Token\":\"%s\",\"Expiration\":\"%s\"}",
                now, secret, token, later);
}

/* Tags of the box, if its launch allowed them to be seen. rest: behind "tags/instance". */
static bool put_tags(struct ask *ask, struct jobq_str rest, struct text *out)
{
    if (!mock_ec2_launch(ask->region, ask->instance)->metadata_tags)
        return false;
    if (rest.len > 0 && rest.ptr[0] == '/')
        rest.ptr++, rest.len--;
    for (int32_t i = 0; i < ask->box->tag_count; i++) {
        if (rest.len == 0) {
            if (i > 0)
                text_putc(out, '\n');
            text_put_str(out, ask->box->tag[i].key);
        } else if (str_eq(rest, ask->box->tag[i].key)) {
            text_put_str(out, ask->box->tag[i].value);
            return true;
        }
    }
    return rest.len == 0;
}

/* The notice of a spot box that will be taken back, once it is due. */
static bool put_notice(struct ask *ask, bool whole, struct text *out)
{
    char time[AWSTIME_ISO];
    if (ask->box->notice_at_ns > mock_now_ns(ask->mock))
        return false;
    awstime_iso(ask->box->take_at_ns, time);
    if (whole)
        text_printf(out, "{\"action\":\"terminate\",\"time\":\"%s\"}", time);
    else
        text_puts(out, time);
    return true;
}

static bool starts_with(struct jobq_str s, const char *prefix)
{
    size_t len = strlen(prefix);
    return (size_t)s.len >= len && memcmp(s.ptr, prefix, len) == 0;
}

/* Entries whose text is at hand. NULL: not one of them. */
static const char *simple_entry(struct ask *ask, struct jobq_str path, char *scratch,
                                size_t cap)
{
    const struct ec2_instance *box = ask->box;
    if (str_is(path, "instance-id"))
        return box->id;
    if (str_is(path, "instance-type"))
        return box->type.name;
    if (str_is(path, "instance-life-cycle"))
        return box->spot ? "spot" : "on-demand";
    if (str_is(path, "local-ipv4"))
        return box->private_ip;
    if (str_is(path, "reservation-id"))
        return box->reservation;
    if (str_is(path, "placement/region") || str_is(path, "services/region"))
        return ask->region->name;
    if (str_is(path, "services/domain"))
        return "amazonaws.com";
    if (str_is(path, "iam/security-credentials") ||
        str_is(path, "iam/security-credentials/"))
        return MOCK_IMDS_ROLE;
    if (str_is(path, "placement/availability-zone"))
        snprintf(scratch, cap, "%sa", ask->region->name);
    else if (str_is(path, "ami-launch-index"))
        snprintf(scratch, cap, "%d", (int)box->launch_index);
    else if (str_is(path, "hostname") || str_is(path, "local-hostname"))
        snprintf(scratch, cap, "%s.internal", box->id);
    else
        return NULL;
    return scratch;
}

static bool put_entry(struct ask *ask, struct jobq_str path, struct text *out)
{
    char scratch[64];
    const char *simple = simple_entry(ask, path, scratch, sizeof scratch);
    if (simple) {
        text_puts(out, simple);
        return true;
    }
    if (path.len == 0) {
        text_puts(out, "ami-id\nami-launch-index\nhostname\niam/\ninstance-id\n"
                       "instance-life-cycle\ninstance-type\nlocal-hostname\nlocal-ipv4\n"
                       "placement/\nreservation-id\nservices/");
        return true;
    }
    if (str_is(path, "ami-id")) {
        text_put_str(out, ask->box->image);
        return true;
    }
    if (str_is(path, "iam/security-credentials/" MOCK_IMDS_ROLE)) {
        put_credentials(ask, out);
        return true;
    }
    if (str_is(path, "spot/instance-action"))
        return put_notice(ask, true, out);
    if (str_is(path, "spot/termination-time"))
        return put_notice(ask, false, out);
    if (starts_with(path, "tags/instance"))
        return put_tags(ask, (struct jobq_str){path.ptr + 13, path.len - 13}, out);
    return false;
}

static void answer(struct ask *ask)
{
    struct text *out = &ask->mock->body;
    struct jobq_str path = ask->path;
    bool found = false;
    text_clear(out);
    if (starts_with(path, "meta-data")) {
        path.ptr += 9;
        path.len -= 9;
        if (path.len > 0 && path.ptr[0] == '/')
            path.ptr++, path.len--;
        found = put_entry(ask, path, out);
    } else if (str_is(path, "user-data")) {
        found = ask->box->user_data.len > 0;
        text_put_str(out, ask->box->user_data);
    } else if (str_is(path, "dynamic/instance-identity/document")) {
        found = true;
        put_document(ask, out);
    }
    if (found)
        plain(ask, 200, text_str(out));
    else
        plain(ask, 404, STR("Not Found"));
}

/* ---- whose ---------------------------------------------------------------------------- */

static void use_box(struct ask *ask, struct mock_region *region, int32_t instance)
{
    ask->region = region;
    ask->instance = instance;
    ask->box = ec2_instance_at(region->ec2, instance);
}

static void find_box(struct ask *ask, struct jobq_str id)
{
    struct mock *mock = ask->mock;
    for (int i = 0; i < mock->region_count; i++) {
        struct mock_region *region = mock->region[i];
        int32_t found = ec2_instance_find(region->ec2, id);
        if (id.len > 0 && found >= 0) {
            use_box(ask, region, found);
            return;
        }
        for (int32_t k = ec2_instance_count(region->ec2) - 1; id.len == 0 && k >= 0; k--)
            if (ec2_instance_at(region->ec2, k)->state <= EC2_RUNNING) {
                use_box(ask, region, k);
                return;
            }
    }
}

bool mock_imds(struct mock *mock, struct http_exchange *x,
               const struct http_request *request)
{
    static const char prefix[] = "/_jobq/box/";
    struct ask ask = {.mock = mock, .x = x};
    struct jobq_str path = request->path, id = {"", 0};
    if (starts_with(path, prefix)) {
        id = (struct jobq_str){path.ptr + sizeof prefix - 1,
                               path.len - (int64_t)sizeof prefix + 1};
        const char *slash = id.len > 0 ? memchr(id.ptr, '/', (size_t)id.len) : NULL;
        if (!slash)
            return false;
        path = (struct jobq_str){slash, id.len - (slash - id.ptr)};
        id.len = slash - id.ptr;
    }
    if (!starts_with(path, "/latest/"))
        return false;
    ask.path = (struct jobq_str){path.ptr + 8, path.len - 8};
    const char *peer = http_peer(x);
    if (strncmp(peer, "127.", 4) != 0 && strcmp(peer, "::1") != 0) {
        plain(&ask, 403, STR("metadata is for this machine"));
        return true;
    }
    find_box(&ask, id);
    if (!ask.box) {
        plain(&ask, 404, STR("no such box"));
        return true;
    }
    if (str_is(ask.path, "api/token")) {
        if (str_is(request->method, "PUT"))
            give_token(&ask, request);
        else
            plain(&ask, 405, STR("Method Not Allowed"));
        return true;
    }
    if (!token_ok(mock, http_header(request, "x-aws-ec2-metadata-token")))
        plain(&ask, 401, STR("Unauthorized"));
    else if (!str_is(request->method, "GET"))
        plain(&ask, 405, STR("Method Not Allowed"));
    else
        answer(&ask);
    return true;
}
