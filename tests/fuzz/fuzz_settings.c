/* fuzz_settings.c - any bytes as ~/.aws/config, ~/.aws/credentials and jobq.conf, read by the
 * function that the programs call: what is taken can go into a URL, a header or a signature,
 * what is refused is told with file and line, and no error quotes a secret.
 *
 * The first byte says which file it is; the files are memory (memfd_create). */
#include "cost_driver.h"

#include "base/arena.h"
#include "base/ini.h"
#include "live/aws/settings.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define SECRET "wJalrXUtnFEMI"

const char *const fuzz_seeds[] = {
    "a[default]\nregion = eu-west-1 # c\naws_access_key_id=AKIDEXAMPLE\n"
    "aws_secret_access_key = " SECRET
    "/K7MDENG\nservices = local\n[services local]\nsqs =\n"
    "  endpoint_url = http://127.0.0.1:9\nsimpledb =\n  endpoint_url=https://x/\n",
    "a[profile default]\nendpoint_url = http://[::1]:4566\nca_bundle = /etc/ssl/c.pem\n"
    "role_arn = arn:aws:iam::1:role/r\nsource_profile = b\n; end\n[profile other]\nx=\n",
    "a[default]\nregion = US EAST 1\n",
    "a[default]\nendpoint_url = ftp://x\n",
    "a[default]\nregion = eu-west-1\n" SECRET "\n",
    "b[default]\naws_access_key_id = AKIDEXAMPLE\naws_secret_access_key = " SECRET
    "/K7MDENG\naws_session_token = IQoJb3JpZ2luX2VjEPT==\n",
    "b[default]\naws_access_key_id = AKID\texample\naws_secret_access_key = " SECRET "\n",
    "b[default]\naws_access_key_id = AKID\n[other\naws_secret_access_key = " SECRET "\n",
    "c; /etc/jobq.conf\nstore = simpledb\n[drain]\nexec = /opt/render/frame\n"
    "memory-limit = 2GiB\nidle-exit = 10m\n[spawn]\ntype = c7g.large\n",
    NULL};

static void fail(const char *what, const char *text)
{
    fprintf(stderr, "fuzz_settings: %s: %s\n", what, text);
    abort();
}

static void must_be_graphic(const char *text, const char *what)
{
    for (const char *c = text; c && *c; c++)
        if (!isgraph((unsigned char)*c))
            fail(what, text);
}

/* "NAME:LINE: ..."; for a file that is none but whole, the name alone. */
static void must_name_place(const struct jobq_error *err, const char *name)
{
    size_t len = strlen(name);
    if (strncmp(err->text, name, len) || err->text[len] != ':' ||
        !isdigit((unsigned char)err->text[len + 1]))
        fail("an error without file and line", err->text);
    if (strstr(err->text, SECRET))
        fail("an error with the secret in it", err->text);
    for (const char *c = err->text; *c; c++)
        if (!isprint((unsigned char)*c))
            fail("an error with an unprintable byte", err->text);
}

/* A file of these bytes, at a path that lives as long as the process. */
static void put_file(int fd, const char *bytes, size_t len)
{
    if (ftruncate(fd, 0) || pwrite(fd, bytes, len, 0) != (ssize_t)len)
        abort();
}

static void try_aws(char which, const char *bytes, size_t len)
{
    static int config, credentials;
    static char config_path[40], credentials_path[40];
    struct settings s;
    struct jobq_error err = {0};
    if (!config) {
        clearenv(); /* the one who runs it has keys and a profile, perhaps */
        config = memfd_create("config", MFD_CLOEXEC);
        credentials = memfd_create("credentials", MFD_CLOEXEC);
        snprintf(config_path, sizeof config_path, "/proc/self/fd/%d", config);
        snprintf(credentials_path, sizeof credentials_path, "/proc/self/fd/%d",
                 credentials);
        setenv("AWS_CONFIG_FILE", config_path, 1);
        setenv("AWS_SHARED_CREDENTIALS_FILE", credentials_path, 1);
    }
    put_file(config, bytes, which == 'a' ? len : 0);
    put_file(credentials, bytes, which == 'b' ? len : 0);
    if (settings_read(&s, &err) < 0) {
        must_name_place(&err, which == 'a' ? config_path : credentials_path);
        return;
    }
    for (const char *c = s.region; *c; c++)
        if (!(islower((unsigned char)*c) || isdigit((unsigned char)*c) || *c == '-'))
            fail("a region that is no part of a host name", s.region);
    for (int i = 0; i < SETTINGS_SERVICES; i++) {
        const char *url = s.endpoint[i];
        if (url && strncmp(url, "http://", 7) && strncmp(url, "https://", 8))
            fail("an endpoint that is no URL", url);
        must_be_graphic(url, "an endpoint for two headers");
    }
    must_be_graphic(s.access, "an access key id for two headers");
    must_be_graphic(s.token, "a token for two headers");
    if ((s.access != NULL) != (s.secret != NULL))
        fail("half a pair of keys", "");
    settings_release(&s);
}

static int on_key(void *ctx, const char *section, const char *key, const char *value,
                  int line, struct jobq_error *err)
{
    (void)ctx;
    if (line < 1 || strlen(key) > 200 || strlen(section) > 200 || strlen(value) > 200)
        fail("a key that is none", key);
    return strcmp(key, "exec") ? JOBQ_OK : jobq_fail(err, JOBQ_INVALID, "not this one");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct jobq_error err = {0};
    if (size < 1)
        return 0;
    char which = (char)('a' + (data[0] - 'a' + 3 * 256) % 3);
    /* A copy of its own, so that a read past its end is seen. */
    char *copy = xmalloc(size);
    memcpy(copy, data + 1, size - 1);
    copy[size - 1] = '\0';
    if (which != 'c')
        try_aws(which, copy, size - 1);
    else if (ini_read_text(copy, "jobq.conf", on_key, NULL, &err) < 0)
        must_name_place(&err, "jobq.conf");
    free(copy);
    return 0;
}
