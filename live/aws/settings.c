#include "live/aws/settings.h"

#include "base/arena.h"
#include "base/text.h"
#include "live/aws/secret.h"
#include "wire/text/awsconfig.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <unistd.h>

enum { FILE_MAX_BYTES = 1 << 20 };

static const char *env(const char *name)
{
    const char *value = getenv(name);
    return value && *value ? value : NULL;
}

static bool env_true(const char *name)
{
    const char *value = env(name);
    return value && strcasecmp(value, "true") == 0;
}

static char *copy(struct jobq_str value)
{
    char *out = xmalloc((size_t)value.len + 1);
    memcpy(out, value.ptr, (size_t)value.len);
    out[value.len] = '\0';
    return out;
}

static void set(char **where, struct jobq_str value)
{
    if (!*where && value.len)
        *where = copy(value);
}

static void set_env(char **where, const char *name)
{
    const char *value = env(name);
    if (value)
        set(where, str_of(value));
}

/* What is picked out of a file. The keys of one source stay together. */
struct pick {
    struct settings *settings;
    char *access, *secret, *token, *region, *endpoint_all, *services, *ca_bundle;
    const char *unsupported; /* the first of unsupported_keys that was there */
    bool seen;               /* the profile has a section */
    char *endpoint[SETTINGS_SERVICES];
    bool config;        /* ~/.aws/config: sections are called "profile NAME" */
    bool want_services; /* second pass: the [services NAME] section */
};

static const char *const service_key[SETTINGS_SERVICES] = {
    "sqs.endpoint_url", "simpledb.endpoint_url", "ec2.endpoint_url",
    "dynamodb.endpoint_url"};

/* The first one is a role to be assumed: an SDK prefers it to keys beside it. */
static const char *const unsupported_keys[] = {
    "role_arn",      "credential_process",      "sso_session",
    "sso_start_url", "web_identity_token_file", "login_session"};

/* What a value may be, whether a file or the environment has it. The caller says where; a
 * value is never quoted, since it may be a secret on the wrong line. */
static int check_region(struct jobq_str value, struct jobq_error *err)
{
    if (value.len >= (int64_t)sizeof((struct settings *)0)->region)
        return jobq_fail(err, JOBQ_INVALID, "region is longer than '32'");
    for (int64_t i = 0; i < value.len; i++) {
        char c = value.ptr[i];
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'))
            return jobq_fail(err, JOBQ_INVALID,
                             "region holds other characters than a-z, 0-9 and '-'");
    }
    return JOBQ_OK;
}

static int check_word(const char *what, struct jobq_str value, struct jobq_error *err)
{
    for (int64_t i = 0; i < value.len; i++)
        if (value.ptr[i] <= ' ' || value.ptr[i] > '~')
            return jobq_fail(err, JOBQ_INVALID, "%s holds a blank or unprintable byte",
                             what);
    return JOBQ_OK;
}

static bool begins(struct jobq_str value, const char *with)
{
    size_t len = strlen(with);
    return value.len >= (int64_t)len && memcmp(value.ptr, with, len) == 0;
}

static int check_endpoint(const char *what, struct jobq_str value, struct jobq_error *err)
{
    if (!begins(value, "http://") && !begins(value, "https://"))
        return jobq_fail(err, JOBQ_INVALID, "%s is no http or https URL", what);
    const char *host = memchr(value.ptr, '/', (size_t)value.len),
               *end = value.ptr + value.len;
    const char *at = host += 2;
    while (at < end && *at != '/' && *at != '?' && *at != '#' && *at != '@')
        at++;
    if (at == host || (at < end && *at == '@'))
        return jobq_fail(err, JOBQ_INVALID, "%s has no host, or a user in it", what);
    return check_word(what, value, err);
}

static bool is_section(const struct pick *p, struct jobq_str section)
{
    char want[160];
    const char *name = p->settings->profile;
    if (p->config && strcmp(name, "default") == 0 && str_is(section, "profile default"))
        return true;
    if (p->want_services)
        snprintf(want, sizeof want, "services %s", p->services ? p->services : "");
    else if (!p->config || strcmp(name, "default") == 0)
        snprintf(want, sizeof want, "%s", name);
    else
        snprintf(want, sizeof want, "profile %s", name);
    return str_is(section, want);
}

static int on_key(void *ctx, struct jobq_str section, struct jobq_str key,
                  struct jobq_str value, struct jobq_error *err)
{
    struct pick *p = ctx;
    if (!is_section(p, section))
        return JOBQ_OK;
    if (p->want_services) {
        for (int i = 0; i < SETTINGS_SERVICES; i++) {
            if (!str_is(key, service_key[i]) || !value.len)
                continue;
            if (check_endpoint(service_key[i], value, err) < 0)
                return err->code;
            set(&p->endpoint[i], value);
        }
        return JOBQ_OK;
    }
    p->seen = true;
    for (size_t i = 0; i < sizeof unsupported_keys / sizeof *unsupported_keys; i++)
        if (str_is(key, unsupported_keys[i]) && (!p->unsupported || i == 0))
            p->unsupported = unsupported_keys[i];
    const struct {
        const char *name;
        char **where;
    } known[] = {
        {"aws_access_key_id", &p->access},  {"aws_secret_access_key", &p->secret},
        {"aws_session_token", &p->token},   {"region", &p->region},
        {"endpoint_url", &p->endpoint_all}, {"services", &p->services},
        {"ca_bundle", &p->ca_bundle}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (str_is(key, known[i].name))
            set(known[i].where, value);
    if (str_is(key, "region"))
        return check_region(value, err);
    if (str_is(key, "endpoint_url") && value.len)
        return check_endpoint("endpoint_url", value, err);
    if (str_is(key, "aws_access_key_id"))
        return check_word("aws_access_key_id", value, err);
    if (str_is(key, "aws_session_token"))
        return check_word("aws_session_token", value, err);
    return JOBQ_OK;
}

/* The file's bytes, on pages of no dump: a stream would leave them in its buffer. *out is NULL
 * when there is no such file, else the caller's: secret_free. */
static int load(const char *path, char **out, size_t *len, struct jobq_error *err)
{
    char shown[160];
    size_t cap = 16 << 10;
    ssize_t got;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    text_escape(path, (int64_t)strlen(path), shown, sizeof shown);
    *out = NULL;
    *len = 0;
    if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
        return JOBQ_OK;
    if (fd < 0)
        return jobq_fail(err, JOBQ_DENIED, "'%s' cannot be read", shown);
    *out = secret_alloc(cap);
    while ((got = read(fd, *out + *len, cap - *len)) > 0 && *len <= FILE_MAX_BYTES) {
        *len += (size_t)got;
        if (*len < cap)
            continue;
        char *larger = secret_alloc(2 * cap);
        memcpy(larger, *out, *len);
        secret_free(*out);
        *out = larger;
        cap *= 2;
    }
    close(fd);
    if (*len > FILE_MAX_BYTES)
        return jobq_fail(err, JOBQ_LIMIT, "'%s' is larger than 1 MiB", shown);
    return JOBQ_OK;
}

static void forget(char **secret)
{
    if (*secret)
        OPENSSL_cleanse(*secret, strlen(*secret));
    free(*secret);
    *secret = NULL;
}

static void take_keys(struct pick *p, const char *from)
{
    struct settings *s = p->settings;
    bool in_env = s->keys_from && strcmp(s->keys_from, "environment") == 0;
    bool is_role = p->unsupported == unsupported_keys[0];
    if (!s->access && (p->access != NULL) != (p->secret != NULL) && !s->missing[0])
        snprintf(s->missing, sizeof s->missing, "the %s has an access key %s alone", from,
                 p->access ? "id" : "secret");
    if (p->unsupported && !in_env && (is_role || (!s->access && !p->access)))
        s->unsupported = p->unsupported;
    if (!s->access && p->access && p->secret) {
        s->access = secret_copy(str_of(p->access));
        s->secret = secret_copy(str_of(p->secret));
        s->token = p->token ? secret_copy(str_of(p->token)) : NULL;
        s->keys_from = from;
    }
}

static void take_places(struct pick *p)
{
    struct settings *s = p->settings;
    if (!s->region[0] && p->region)
        snprintf(s->region, sizeof s->region, "%s", p->region);
    if (p->ca_bundle)
        set(&s->ca_bundle, str_of(p->ca_bundle));
    if (env_true("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"))
        return;
    for (int i = 0; i < SETTINGS_SERVICES; i++) {
        const char *url = p->endpoint[i] ? p->endpoint[i] : p->endpoint_all;
        if (url)
            set(&s->endpoint[i], str_of(url));
    }
}

static int read_file(struct settings *s, const char *path, bool config, bool *seen,
                     struct jobq_error *err)
{
    char *bytes;
    size_t len;
    struct pick p = {.settings = s, .config = config};
    char shown[160];
    text_escape(path, (int64_t)strlen(path), shown, sizeof shown);
    int rc = load(path, &bytes, &len, err);
    if (rc == JOBQ_OK && len) {
        struct jobq_str text = {bytes, (int64_t)len};
        rc = awsconfig_read(text, shown, on_key, &p, err);
        p.want_services = true;
        if (rc == JOBQ_OK && config && p.services)
            rc = awsconfig_read(text, shown, on_key, &p, err);
    }
    *seen = *seen || p.seen;
    if (rc == JOBQ_OK) {
        take_keys(&p, config ? "config file" : "credentials file");
        if (config)
            take_places(&p);
    }
    secret_free(bytes);
    forget(&p.access);
    forget(&p.secret);
    forget(&p.token);
    free(p.region);
    free(p.endpoint_all);
    free(p.services);
    free(p.ca_bundle);
    for (int i = 0; i < SETTINGS_SERVICES; i++)
        free(p.endpoint[i]);
    return rc;
}

static void home_path(const char *variable, const char *name, char *out, int cap)
{
    const char *path = env(variable), *home = env("HOME");
    if (!home) {
        const struct passwd *me = getpwuid(getuid());
        home = me ? me->pw_dir : "/";
    }
    if (path && strncmp(path, "~/", 2) != 0)
        snprintf(out, (size_t)cap, "%s", path);
    else if (path)
        snprintf(out, (size_t)cap, "%s/%s", home, path + 2);
    else
        snprintf(out, (size_t)cap, "%s/.aws/%s", home, name);
}

/* The token and the keys of a role pass over this URL: plain http only on this machine or
 * its own link, as the SDKs have it. */
static int check_container_url(const char *url, struct jobq_error *err)
{
    static const char *const plain[] = {"http://127.0.0.1",      "http://localhost",
                                        "http://[::1]",          "http://169.254.170.2",
                                        "http://169.254.170.23", "http://[fd00:ec2::23]"};
    if (strncmp(url, "https://", 8) == 0)
        return JOBQ_OK;
    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++) {
        size_t len = strlen(plain[i]);
        if (strncmp(url, plain[i], len))
            continue;
        /* Behind it the port alone: "http://127.0.0.1:x@elsewhere/" is elsewhere. */
        if (url[len] == ':')
            len += 1 + strspn(url + len + 1, "0123456789");
        if (url[len] == '/' || !url[len])
            return JOBQ_OK;
    }
    return jobq_fail(err, JOBQ_INVALID,
                     "AWS_CONTAINER_CREDENTIALS_FULL_URI is neither https nor local");
}

static int read_roles(struct settings *s, struct jobq_error *err)
{
    const char *relative = env("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
    if (relative) {
        struct text url = {0};
        text_puts(&url, "http://169.254.170.2");
        text_puts(&url, relative);
        s->container_url = url.ptr;
    }
    set_env(&s->container_url, "AWS_CONTAINER_CREDENTIALS_FULL_URI");
    const char *auth = env("AWS_CONTAINER_AUTHORIZATION_TOKEN");
    s->container_auth = auth ? secret_copy(str_of(auth)) : NULL;
    set_env(&s->container_auth_file, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
    if (!env_true("AWS_EC2_METADATA_DISABLED")) {
        set_env(&s->imds_url, "AWS_EC2_METADATA_SERVICE_ENDPOINT");
        set(&s->imds_url, STR("http://169.254.169.254"));
    }
    return s->container_url ? check_container_url(s->container_url, err) : JOBQ_OK;
}

static int read_region(struct settings *s, struct jobq_error *err)
{
    static const char *const name[] = {"AWS_REGION", "AWS_DEFAULT_REGION"};
    for (int i = 0; i < 2 && !s->region[0]; i++) {
        const char *value = env(name[i]);
        if (!value)
            continue;
        if (check_region(str_of(value), err) < 0)
            return jobq_wrap(err, "%s", name[i]);
        snprintf(s->region, sizeof s->region, "%s", value);
    }
    return JOBQ_OK;
}

static int read_endpoints(struct settings *s, struct jobq_error *err)
{
    static const char *const own[SETTINGS_SERVICES] = {
        "AWS_ENDPOINT_URL_SQS", "AWS_ENDPOINT_URL_SIMPLEDB", "AWS_ENDPOINT_URL_EC2",
        "AWS_ENDPOINT_URL_DYNAMODB"};
    for (int i = 0; i < SETTINGS_SERVICES; i++) {
        const char *name = env(own[i]) ? own[i] : "AWS_ENDPOINT_URL";
        const char *value = env(name);
        if (value && check_endpoint(name, str_of(value), err) < 0)
            return err->code;
        set_env(&s->endpoint[i], name);
    }
    return JOBQ_OK;
}

static int read_keys(struct settings *s, struct jobq_error *err)
{
    struct pick p = {.settings = s};
    set_env(&p.access, "AWS_ACCESS_KEY_ID");
    set_env(&p.secret, "AWS_SECRET_ACCESS_KEY");
    set_env(&p.token, "AWS_SESSION_TOKEN");
    int rc = p.access ? check_word("AWS_ACCESS_KEY_ID", str_of(p.access), err) : JOBQ_OK;
    if (rc == JOBQ_OK && p.token)
        rc = check_word("AWS_SESSION_TOKEN", str_of(p.token), err);
    if (rc == JOBQ_OK)
        take_keys(&p, "environment");
    forget(&p.access);
    forget(&p.secret);
    forget(&p.token);
    return rc;
}

static int read_files(struct settings *s, bool *seen, struct jobq_error *err)
{
    char path[4096];
    home_path("AWS_SHARED_CREDENTIALS_FILE", "credentials", path, sizeof path);
    int rc = read_file(s, path, false, seen, err);
    if (rc < 0)
        return rc;
    home_path("AWS_CONFIG_FILE", "config", path, sizeof path);
    return read_file(s, path, true, seen, err);
}

int settings_read(struct settings *s, struct jobq_error *err)
{
    bool seen = false;
    *s = (struct settings){0};
    const char *profile = env("AWS_PROFILE");
    if (!profile)
        profile = env("AWS_DEFAULT_PROFILE");
    snprintf(s->profile, sizeof s->profile, "%s", profile ? profile : "default");
    set_env(&s->ca_bundle, "AWS_CA_BUNDLE");
    int rc = read_region(s, err);
    if (rc == JOBQ_OK)
        rc = read_endpoints(s, err);
    if (rc == JOBQ_OK)
        rc = read_keys(s, err);
    if (rc == JOBQ_OK)
        rc = read_files(s, &seen, err);
    if (profile && !seen && !s->missing[0])
        snprintf(s->missing, sizeof s->missing, "profile '%.40s' is in no file of ~/.aws",
                 profile);
    if (!s->access && !s->unsupported && env("AWS_WEB_IDENTITY_TOKEN_FILE"))
        s->unsupported = "AWS_WEB_IDENTITY_TOKEN_FILE";
    if (rc == JOBQ_OK)
        rc = read_roles(s, err);
    if (rc < 0)
        settings_release(s);
    return rc;
}

void settings_release(struct settings *s)
{
    secret_free(s->access);
    secret_free(s->secret);
    secret_free(s->token);
    secret_free(s->container_auth);
    for (int i = 0; i < SETTINGS_SERVICES; i++)
        free(s->endpoint[i]);
    free(s->container_url);
    free(s->container_auth_file);
    free(s->imds_url);
    free(s->ca_bundle);
    *s = (struct settings){0};
}

void settings_default_url(enum jobq_service service, const char *region, char *out,
                          int cap)
{
    const char *end = strncmp(region, "cn-", 3) == 0 ? ".cn" : "";
    static const char *const names[SETTINGS_SERVICES] = {[JOBQ_SQS] = "sqs",
                                                         [JOBQ_SIMPLEDB] = "sdb",
                                                         [JOBQ_EC2] = "ec2",
                                                         [JOBQ_DYNAMODB] = "dynamodb"};
    const char *name = names[service];
    if (service == JOBQ_SIMPLEDB && strcmp(region, "us-east-1") == 0)
        snprintf(out, (size_t)cap, "https://sdb.amazonaws.com");
    else
        snprintf(out, (size_t)cap, "https://%s.%s.amazonaws.com%s", name, region, end);
}
