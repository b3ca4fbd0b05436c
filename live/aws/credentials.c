#include "live/aws/credentials.h"

#include "base/arena.h"
#include "jobq/units.h"
#include "live/aws/secret.h"
#include "wire/ec2/metadata.h"

#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RENEW_BEFORE_NS (5 * JOBQ_NS_PER_MIN)

void credentials_init(struct credentials *c, const struct settings *settings,
                      struct imds *imds, struct transport *transport,
                      struct fiber_sched *sched)
{
    *c = (struct credentials){
        .settings = settings, .imds = imds, .transport = transport, .sched = sched};
}

void credentials_release(struct credentials *c)
{
    secret_free(c->access);
    secret_free(c->secret);
    secret_free(c->token);
    c->access = c->secret = c->token = NULL;
}

/* jansson runs on the loop's stack (transport_on_loop), so what it needs and gives is here. */
struct reading {
    struct jobq_str reply;
    struct role_keys keys;
    struct jobq_error *err;
    int rc;
};

static void read_role(void *ctx)
{
    struct reading *r = ctx;
    r->rc = metadata_read_keys(r->reply, &r->keys, r->err);
}

static int take(struct credentials *c, struct text *reply, const char *from,
                struct jobq_error *err)
{
    struct reading r = {.reply = text_str(reply), .err = err};
    transport_on_loop(c->transport, read_role, &r);
    if (r.rc < 0)
        return jobq_wrap(err, "%s gave no keys that could be read", from);
    credentials_release(c);
    c->access = secret_copy(str_of(r.keys.access));
    c->secret = secret_copy(str_of(r.keys.secret));
    c->token = r.keys.token ? secret_copy(str_of(r.keys.token)) : NULL;
    c->until_wall_ns = r.keys.until_wall_ns;
    metadata_forget(&r.keys);
    c->from = from;
    return JOBQ_OK;
}

static int from_container(struct credentials *c, struct text *reply,
                          struct jobq_error *err)
{
    struct text header = {0};
    char line[2048] = "";
    const char *auth = c->settings->container_auth;
    if (c->settings->container_auth_file) {
        FILE *file = fopen(c->settings->container_auth_file, "re");
        if (!file)
            return jobq_fail(err, JOBQ_DENIED,
                             "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE cannot be read");
        auth = fgets(line, sizeof line, file) ? line : "";
        line[strcspn(line, "\r\n")] = '\0';
        fclose(file);
    }
    if (auth && !strpbrk(auth, "\r\n"))
        text_printf(&header, "Authorization: %s\r\n", auth);
    int rc = imds_fetch(c->transport, "GET", c->settings->container_url, header.ptr,
                        reply, err);
    text_release(&header);
    return rc;
}

static int from_box(struct credentials *c, struct text *reply, struct jobq_error *err)
{
    struct text role = {0};
    struct jobq_str name;
    char path[256];
    int rc = imds_get(c->imds, "meta-data/iam/security-credentials/", &role, err);
    if (rc == JOBQ_OK) {
        if (!metadata_role(text_str(&role), &name))
            rc = jobq_fail(err, JOBQ_NOT_FOUND, "box has no role");
        else
            snprintf(path, sizeof path, "meta-data/iam/security-credentials/%.*s",
                     (int)name.len, name.ptr);
    }
    if (rc == JOBQ_OK)
        rc = imds_get(c->imds, path, reply, err);
    text_release(&role);
    return rc;
}

static int renew(struct credentials *c, struct jobq_error *err)
{
    struct text reply = {0};
    int rc;
    if (c->settings->unsupported)
        return jobq_fail(err, JOBQ_DENIED,
                         "profile '%.40s' takes its keys by '%s', which jobq cannot: set "
                         "AWS_ACCESS_KEY_ID and so on, as 'aws configure "
                         "export-credentials' prints them",
                         c->settings->profile, c->settings->unsupported);
    /* Half a pair of keys, or a profile that is not there, is a slip: to go on as another
     * would be worse than to stop. */
    if (c->settings->missing[0] &&
        (!c->settings->keys_from || strcmp(c->settings->keys_from, "environment")))
        return jobq_fail(err, JOBQ_DENIED, "%s", c->settings->missing);
    if (c->settings->access) {
        const struct settings *s = c->settings;
        c->access = secret_copy(str_of(s->access));
        c->secret = secret_copy(str_of(s->secret));
        c->token = s->token ? secret_copy(str_of(s->token)) : NULL;
        c->until_wall_ns = JOBQ_FOREVER;
        c->from = s->keys_from;
        return JOBQ_OK;
    }
    bool container = c->settings->container_url != NULL;
    rc = container ? from_container(c, &reply, err) : from_box(c, &reply, err);
    if (rc == JOBQ_OK)
        rc = take(c, &reply, container ? "container role" : "box role", err);
    if (reply.ptr)
        OPENSSL_cleanse(reply.ptr, reply.len);
    text_release(&reply);
    if (rc == JOBQ_NOT_FOUND)
        rc = jobq_fail(err, JOBQ_DENIED,
                       "no credentials: looked in the environment, profile '%.60s' of "
                       "~/.aws, the container's role and the box's role",
                       c->settings->profile);
    return rc;
}

int credentials_get(struct credentials *c, struct wire_keys *out, struct jobq_error *err)
{
    while (!c->from || c->until_wall_ns != JOBQ_FOREVER) {
        bool usable = c->from && loop_wall_ns() < c->until_wall_ns;
        bool due = !c->from || loop_wall_ns() >= c->until_wall_ns - RENEW_BEFORE_NS;
        if (usable && (!due || c->renewing || loop_now_ns() < c->retry_at_ns))
            break;
        if (c->renewing) {
            fiber_cond_wait(c->sched, &c->renewed, JOBQ_FOREVER);
            continue;
        }
        struct jobq_error why = {0};
        c->renewing = true;
        int rc = renew(c, &why);
        c->renewing = false;
        fiber_cond_broadcast(&c->renewed);
        /* Also for keys that end within five minutes as they come: each call would ask. */
        if (rc < 0 || loop_wall_ns() >= c->until_wall_ns - RENEW_BEFORE_NS)
            c->retry_at_ns = loop_now_ns() + JOBQ_NS_PER_MIN;
        if (rc == JOBQ_OK)
            break;
        if (!usable) {
            *err = why;
            return rc;
        }
    }
    *out = (struct wire_keys){.access = str_of(c->access),
                              .secret = str_of(c->secret),
                              .token = str_of(c->token ? c->token : "")};
    return JOBQ_OK;
}
