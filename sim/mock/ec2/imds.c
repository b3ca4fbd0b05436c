#include "sim/mock/ec2/imds.h"

#include "models/ec2/ec2.h"
#include "sim/mock/server/respond.h"
#include "sim/mock/ec2/imds_tree.h"
#include "wire/text/awstime.h"

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

static bool imds_starts_with(struct jobq_str s, const char *prefix)
{
    size_t len = strlen(prefix);
    return (size_t)s.len >= len && memcmp(s.ptr, prefix, len) == 0;
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
    /* AWS gives no token to what came through a proxy. */
    if (http_header(request, "x-forwarded-for").ptr) {
        plain(ask, 403, STR("Forbidden"));
        return;
    }
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

/* ---- answers -------------------------------------------------------------------------- */

/* What lies behind "/latest/": api is not listed. */
static bool put_top(struct ask *ask, struct text *out)
{
    struct jobq_str path = ask->path;
    if (path.len == 0) {
        text_puts(out, "dynamic\nmeta-data\nuser-data");
        return true;
    }
    if (str_is(path, "user-data")) {
        text_put_str(out, ask->box->user_data);
        return ask->box->user_data.len > 0;
    }
    if (imds_starts_with(path, "meta-data"))
        return imds_entry(ask->mock, ask->region, ask->instance,
                          (struct jobq_str){path.ptr + 9, path.len - 9}, out);
    return imds_starts_with(path, "dynamic") &&
           imds_dynamic(ask->mock, ask->region, ask->instance,
                        (struct jobq_str){path.ptr + 7, path.len - 7}, out);
}

static void answer(struct ask *ask)
{
    struct text *out = &ask->mock->body;
    text_clear(out);
    if (put_top(ask, out))
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

static void imds_find_box(struct ask *ask, struct jobq_str id)
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

/* Takes "/latest/" or "/2021-07-15/" off; false: the path is no metadata. */
static bool take_version(struct jobq_str *path)
{
    static const char form[] = "/dddd-dd-dd/";
    int64_t len = imds_starts_with(*path, "/latest/") ? 8 : sizeof form - 1;
    for (int64_t i = 0; len > 8 && i < len; i++)
        if (i >= path->len || (form[i] == 'd' ? path->ptr[i] < '0' || path->ptr[i] > '9'
                                              : path->ptr[i] != form[i]))
            return false;
    path->ptr += len;
    path->len -= len;
    return true;
}

bool mock_imds(struct mock *mock, struct http_exchange *x,
               const struct http_request *request)
{
    static const char prefix[] = "/_jobq/box/";
    struct ask ask = {.mock = mock, .x = x};
    struct jobq_str path = request->path, id = {"", 0};
    if (imds_starts_with(path, prefix)) {
        id = (struct jobq_str){path.ptr + sizeof prefix - 1,
                               path.len - (int64_t)sizeof prefix + 1};
        const char *slash = id.len > 0 ? memchr(id.ptr, '/', (size_t)id.len) : NULL;
        if (!slash)
            return false;
        path = (struct jobq_str){slash, id.len - (slash - id.ptr)};
        id.len = slash - id.ptr;
    }
    if (!take_version(&path))
        return false;
    ask.path = path;
    if (!http_is_local(x)) {
        plain(&ask, 403, STR("metadata is for this machine"));
        return true;
    }
    imds_find_box(&ask, id);
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
