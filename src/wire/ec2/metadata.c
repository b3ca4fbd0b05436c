#include "wire/ec2/metadata.h"

#include "base/arena.h"
#include "base/text.h"
#include "jobq/units.h"
#include "wire/text/awstime.h"

#include <assert.h>
#include <jansson.h>
#include <openssl/crypto.h>
#include <stdlib.h>

enum { ROLE_MAX = 128 };

static bool metadata_is_printable(const char *at, int64_t len)
{
    for (int64_t i = 0; i < len; i++)
        if (at[i] <= ' ' || at[i] > '~')
            return false;
    return true;
}

static void metadata_wipe(char **secret)
{
    if (*secret)
        OPENSSL_cleanse(*secret, strlen(*secret));
    free(*secret);
    *secret = NULL;
}

void metadata_forget(struct role_keys *keys)
{
    metadata_wipe(&keys->access);
    metadata_wipe(&keys->secret);
    metadata_wipe(&keys->token);
}

/* Reads a member that must be a string without blanks; null counts as absent. */
static int read_key(const json_t *root, const char *name, bool needed, char **out,
                    struct jobq_error *err)
{
    const json_t *member = json_object_get(root, name);
    const char *value = json_string_value(member);
    if (!needed && (!member || json_is_null(member)))
        return JOBQ_OK;
    if (!value || (needed && !*value))
        return jobq_fail(err, JOBQ_CORRUPT, "'%s' is %s", name,
                         member ? "empty or not a string" : "missing");
    if (!metadata_is_printable(value, (int64_t)strlen(value)))
        return jobq_fail(err, JOBQ_CORRUPT, "'%s' holds a blank or unprintable byte",
                         name);
    if (*value)
        *out = xstrdup(value);
    return JOBQ_OK;
}

static int read_until(const json_t *root, int64_t *out, struct jobq_error *err)
{
    const json_t *member = json_object_get(root, "Expiration");
    const char *value = json_string_value(member);
    if (!member || json_is_null(member))
        return JOBQ_OK;
    /* If the expiry time could not be read, the keys would be used after it. */
    if (!value || !awstime_parse_iso(str_of(value), out))
        return jobq_fail(err, JOBQ_CORRUPT, "'Expiration' is not an ISO 8601 time");
    return JOBQ_OK;
}

int metadata_read_keys(struct jobq_str body, struct role_keys *out,
                       struct jobq_error *err)
{
    assert(out && err);
    *out = (struct role_keys){.until_wall_ns = JOBQ_FOREVER};
    json_t *root = json_loadb(body.ptr ? body.ptr : "", (size_t)body.len, 0, NULL);
    int rc = json_is_object(root)
                 ? JOBQ_OK
                 : jobq_fail(err, JOBQ_CORRUPT, "reply is not a JSON object");
    if (rc == JOBQ_OK)
        rc = read_key(root, "AccessKeyId", true, &out->access, err);
    if (rc == JOBQ_OK)
        rc = read_key(root, "SecretAccessKey", true, &out->secret, err);
    if (rc == JOBQ_OK)
        rc = read_key(root, "Token", false, &out->token, err);
    if (rc == JOBQ_OK)
        rc = read_until(root, &out->until_wall_ns, err);
    if (rc < 0)
        metadata_forget(out);
    json_decref(root);
    return rc;
}

int metadata_check_token(struct jobq_str body, int64_t cap, struct jobq_error *err)
{
    assert(cap > 1 && err);
    if (body.len == 0 || body.len >= cap)
        return jobq_fail(err, JOBQ_CORRUPT, "metadata token has '%lld' bytes",
                         (long long)body.len);
    if (!metadata_is_printable(body.ptr, body.len))
        return jobq_fail(err, JOBQ_CORRUPT,
                         "metadata token holds a blank or unprintable byte");
    return JOBQ_OK;
}

static bool metadata_is_alnum(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool metadata_role(struct jobq_str body, struct jobq_str *out)
{
    assert(out);
    int64_t len = 0;
    while (len < body.len && body.ptr[len] != '\r' && body.ptr[len] != '\n') {
        char c = body.ptr[len++];
        if (len > ROLE_MAX || !c || !(metadata_is_alnum(c) || strchr("_+=,.@-", c)))
            return false;
    }
    *out = (struct jobq_str){body.ptr, len};
    return len > 0;
}

bool metadata_is_region(struct jobq_str body, int64_t cap)
{
    assert(cap > 1);
    for (int64_t i = 0; i < body.len; i++) {
        char c = body.ptr[i];
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'))
            return false;
    }
    return body.len > 0 && body.len < cap;
}

bool metadata_read_notice(struct jobq_str body, int64_t *out_wall_ns)
{
    json_t *root = json_loadb(body.ptr ? body.ptr : "", (size_t)body.len, 0, NULL);
    const char *at = json_string_value(json_object_get(root, "time"));
    bool good = at && awstime_parse_iso(str_of(at), out_wall_ns);
    json_decref(root);
    return good;
}

bool metadata_read_profile(struct jobq_str body, char *out, int64_t cap)
{
    json_t *root = json_loadb(body.ptr ? body.ptr : "", (size_t)body.len, 0, NULL);
    const char *arn = json_string_value(json_object_get(root, "InstanceProfileArn"));
    int64_t len = arn ? (int64_t)strlen(arn) : 0;
    bool good = len > 0 && len < cap && metadata_is_printable(arn, len);
    if (good)
        memcpy(out, arn, (size_t)len + 1);
    json_decref(root);
    return good;
}
