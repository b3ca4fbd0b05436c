/* test_credentials.c - keys of the environment, of a container's role and of a box's role: when
 * they are asked for, renewed and given up. */
#include "live/aws/credentials.h"
#include "jobq/units.h"
#include "tests/unit/live/script.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

/* ---- the metadata service ----------------------------------------------------------------- */

static struct {
    int64_t lives_s; /* what keys have before them */
    const char *keys_status, *role, *garbled;
    atomic_int keys_asked, tokens_asked, refuse_tokens;
    char authorization[100];
} box;

static void give_keys(int fd)
{
    char body[500], until[40];
    time_t at = time(NULL) + box.lives_s;
    struct tm utc;
    strftime(until, sizeof until, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&at, &utc));
    snprintf(body, sizeof body,
             "{\"Code\":\"Success\",\"AccessKeyId\":\"ASIA%d\",\"SecretAccessKey\":\"s\","
             "\"Token\":\"t\",\"Expiration\":\"%s\"}",
             (int)++box.keys_asked, until);
    script_reply(fd, box.keys_status ? box.keys_status : "200 OK",
                 box.garbled ? box.garbled : body);
}

static void metadata(struct script *s, int fd, int nth)
{
    char request[8192];
    (void)nth;
    while (script_read(s, fd, request, sizeof request)) {
        const char *token = strstr(request, "X-aws-ec2-metadata-token: ");
        const char *auth = strstr(request, "Authorization: ");
        snprintf(box.authorization, sizeof box.authorization, "%.*s",
                 auth ? (int)strcspn(auth + 15, "\r") : 0, auth ? auth + 15 : "");
        if (strncmp(request, "PUT /latest/api/token ", 22) == 0) {
            char body[40];
            snprintf(body, sizeof body, "token-%d", (int)++box.tokens_asked);
            script_reply(fd, "200 OK", body);
        } else if (strncmp(request, "GET /creds ", 11) == 0) {
            give_keys(fd);
        } else if (!token || box.refuse_tokens-- > 0) {
            script_reply(fd, "401 Unauthorized", "");
        } else if (strstr(request, "/security-credentials/ ")) {
            script_reply(fd, box.role ? "200 OK" : "404 Not Found",
                         box.role ? box.role : "");
        } else if (strstr(request, "/security-credentials/the-role ")) {
            give_keys(fd);
        } else {
            script_reply(fd, "404 Not Found", "");
        }
    }
}

static struct script script;

static int start(void **state)
{
    (void)state;
    script_start(&script, metadata);
    memset(&box, 0, sizeof box);
    box.lives_s = 3600;
    box.role = "the-role";
    script_clear_environment();
    setenv("AWS_REGION", "us-east-1", 1);
    setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", script.url, 1);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    script_stop(&script);
    return 0;
}

static void assert_key(struct live *live, const char *want)
{
    struct wire_keys keys;
    struct jobq_error err;
    if (credentials_get(&live->credentials, &keys, &err) != JOBQ_OK)
        fail_msg("%s", err.text);
    if (!str_is(keys.access, want))
        fail_msg("key '%.*s', not '%s'", (int)keys.access.len, keys.access.ptr, want);
}

static void assert_none(struct live *live, int code, const char *says)
{
    struct wire_keys keys;
    struct jobq_error err;
    assert_int_equal(credentials_get(&live->credentials, &keys, &err), code);
    if (!strstr(err.text, says))
        fail_msg("'%s', not '%s'", err.text, says);
}

static void live_wants(void (*fn)(struct live *live, void *ctx), const char *want)
{
    script_live(fn, (void *)(uintptr_t)want);
}

/* ---- tests -------------------------------------------------------------------------------- */

static void use_static(struct live *live, void *ctx)
{
    (void)ctx;
    assert_key(live, "AKIDEXAMPLE");
    assert_string_equal(live->credentials.from, "environment");
    assert_int_equal(box.tokens_asked, 0);
}

static void keys_of_the_environment_ask_nobody(void **state)
{
    (void)state;
    setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE", 1);
    setenv("AWS_SECRET_ACCESS_KEY", "secret", 1);
    script_live(use_static, NULL);
}

static void get_in_crowd(void *arg)
{
    struct live *live = arg;
    assert_key(live, "ASIA1");
}

static void use_role(struct live *live, void *ctx)
{
    struct wire_keys keys;
    struct jobq_error err;
    (void)ctx;
    /* Many at once ask once. */
    for (int i = 0; i < 20; i++)
        fiber_spawn(live->backend.proc, get_in_crowd, live);
    assert_key(live, "ASIA1");
    assert_string_equal(live->credentials.from, "box role");
    assert_int_equal(credentials_get(&live->credentials, &keys, &err), JOBQ_OK);
    assert_true(str_is(keys.token, "t") && str_is(keys.secret, "s"));
    assert_int_equal(box.keys_asked, 1);
    assert_int_equal(box.tokens_asked, 1);
    /* Four minutes before their end they are renewed, and the old ones are given up. */
    live->credentials.until_wall_ns = loop_wall_ns() + 4 * JOBQ_NS_PER_MIN;
    assert_key(live, "ASIA2");
    assert_key(live, "ASIA2");
    assert_int_equal(box.keys_asked, 2);
    assert_int_equal(box.tokens_asked, 1);
}

static void a_boxs_role_is_asked_once_and_renewed(void **state)
{
    (void)state;
    script_live(use_role, NULL);
}

static void fail_renewal(struct live *live, void *ctx)
{
    (void)ctx;
    assert_key(live, "ASIA1");
    box.keys_status = "500 Internal Server Error";
    live->credentials.until_wall_ns = loop_wall_ns() + 4 * JOBQ_NS_PER_MIN;
    assert_key(live, "ASIA1"); /* the old ones still hold */
    int asked = box.keys_asked;
    assert_key(live, "ASIA1");
    assert_int_equal(box.keys_asked, asked); /* not again within a minute */
    live->credentials.retry_at_ns = 0;
    assert_key(live, "ASIA1");
    assert_int_equal(box.keys_asked, asked + 1);
    live->credentials.until_wall_ns = loop_wall_ns() - 1;
    live->credentials.retry_at_ns = 0;
    assert_none(live, JOBQ_UNAVAILABLE, "HTTP 500");
    box.keys_status = NULL;
    live->credentials.retry_at_ns = 0;
    assert_true(box.keys_asked > 0);
    struct wire_keys keys;
    struct jobq_error err;
    assert_int_equal(credentials_get(&live->credentials, &keys, &err), JOBQ_OK);
}

static void old_keys_serve_until_their_end(void **state)
{
    (void)state;
    script_live(fail_renewal, NULL);
}

static void forget_token(struct live *live, void *ctx)
{
    (void)ctx;
    assert_key(live, "ASIA1");
    box.refuse_tokens = 1; /* the service forgot our token: ask for another, once */
    live->credentials.until_wall_ns = loop_wall_ns();
    assert_key(live, "ASIA2");
    assert_int_equal(box.tokens_asked, 2);
    box.refuse_tokens = 1000;
    live->credentials.until_wall_ns = loop_wall_ns();
    live->credentials.retry_at_ns = 0;
    assert_none(live, JOBQ_DENIED, "HTTP 401");
}

static void a_forgotten_token_is_renewed_once(void **state)
{
    (void)state;
    script_live(forget_token, NULL);
}

static void expect_none(struct live *live, void *ctx)
{
    assert_none(live, JOBQ_DENIED, ctx);
}

static void without_any_the_text_says_where_was_looked(void **state)
{
    (void)state;
    box.role = NULL;
    live_wants(expect_none, "no credentials: looked in the environment, profile "
                            "'default' of ~/.aws, the container's role and the box's");
    setenv("AWS_EC2_METADATA_DISABLED", "true", 1);
    live_wants(expect_none, "no credentials");
    setenv("AWS_PROFILE", "nowhere", 1);
    live_wants(expect_none, "profile 'nowhere' is in no file");
    unsetenv("AWS_PROFILE");
    setenv("AWS_WEB_IDENTITY_TOKEN_FILE", "/token", 1);
    live_wants(expect_none, "which jobq cannot");
}

static void garbled(struct live *live, void *ctx)
{
    struct wire_keys keys;
    struct jobq_error err;
    (void)ctx;
    static const char line_end_in_key[] =
        "{\"Code\":\"Success\",\"AccessKeyId\":\"A\\n\","
        "\"SecretAccessKey\":\"s\",\"Expiration\":\"x\"}";
    static const char *const bad[] = {"<html>", "{}", "[1]", line_end_in_key};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        box.garbled = bad[i];
        live->credentials.retry_at_ns = 0;
        if (credentials_get(&live->credentials, &keys, &err) >= 0)
            fail_msg("accepted %s", bad[i]);
        assert_non_null(strstr(err.text, "gave no keys that could be read"));
    }
}

static void keys_that_make_no_sense_are_refused(void **state)
{
    (void)state;
    script_live(garbled, NULL);
}

static void use_container(struct live *live, void *ctx)
{
    assert_key(live, "ASIA1");
    assert_string_equal(live->credentials.from, "container role");
    assert_string_equal(box.authorization, ctx);
}

static void a_containers_role_gets_its_token(void **state)
{
    (void)state;
    char url[100], path[200];
    snprintf(url, sizeof url, "%s/creds", script.url);
    setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", url, 1);
    setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN", "of-the-environment", 1);
    live_wants(use_container, "of-the-environment");
    assert_int_equal(box.tokens_asked, 0);
    /* The file's is read at each asking, and counts before the other. */
    snprintf(path, sizeof path, "%s/token", script_home());
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs("of-the-file\n", file);
    fclose(file);
    setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", path, 1);
    box.keys_asked = 0;
    live_wants(use_container, "of-the-file");
    unlink(path);
    live_wants(expect_none, "TOKEN_FILE cannot be read");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(keys_of_the_environment_ask_nobody, start, stop),
        cmocka_unit_test_setup_teardown(a_boxs_role_is_asked_once_and_renewed, start,
                                        stop),
        cmocka_unit_test_setup_teardown(old_keys_serve_until_their_end, start, stop),
        cmocka_unit_test_setup_teardown(a_forgotten_token_is_renewed_once, start, stop),
        cmocka_unit_test_setup_teardown(without_any_the_text_says_where_was_looked, start,
                                        stop),
        cmocka_unit_test_setup_teardown(keys_that_make_no_sense_are_refused, start, stop),
        cmocka_unit_test_setup_teardown(a_containers_role_gets_its_token, start, stop),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    rmdir(script_home());
    return failed;
}
