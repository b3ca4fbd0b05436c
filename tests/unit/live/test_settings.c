/* test_settings.c - what the environment and ~/.aws say, and which of them counts. */
#include "live/aws/settings.h"
#include "tests/unit/live/script.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#define SECRET "wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY"

static void write_file(const char *name, const char *text)
{
    char path[200];
    snprintf(path, sizeof path, "%s/.aws", script_home());
    mkdir(path, 0700);
    snprintf(path, sizeof path, "%s/.aws/%s", script_home(), name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void remove_files(void)
{
    static const char *const name[] = {"config", "credentials", "other", ""};
    for (size_t i = 0; i < sizeof name / sizeof *name; i++) {
        char path[200];
        snprintf(path, sizeof path, "%s/.aws/%s", script_home(), name[i]);
        remove(path);
    }
}

static int clean(void **state)
{
    (void)state;
    script_clear_environment();
    remove_files();
    return 0;
}

static struct settings read_all(void)
{
    struct settings s;
    struct jobq_error err;
    if (settings_read(&s, &err) != JOBQ_OK)
        fail_msg("%s", err.text);
    return s;
}

static void assert_refused(const char *want)
{
    struct settings s;
    struct jobq_error err;
    assert_int_equal(settings_read(&s, &err), JOBQ_INVALID);
    if (!strstr(err.text, want) || strstr(err.text, SECRET))
        fail_msg("'%s', not '%s'", err.text, want);
}

static void nothing_is_said(void **state)
{
    (void)state;
    struct settings s = read_all();
    assert_string_equal(s.profile, "default");
    assert_string_equal(s.region, "");
    assert_null(s.access);
    assert_null(s.keys_from);
    assert_null(s.endpoint[JOBQ_SQS]);
    assert_string_equal(s.imds_url, "http://169.254.169.254");
    assert_string_equal(s.missing, "");
    settings_release(&s);
}

static void the_environment_is_before_the_files(void **state)
{
    (void)state;
    write_file("credentials", "[default]\naws_access_key_id = FILEKEY\n"
                              "aws_secret_access_key = filesecret\n");
    write_file("config", "[default]\nregion = eu-west-1\nendpoint_url = http://f:1\n"
                         "ca_bundle = /file.pem\n");
    struct settings s = read_all();
    assert_string_equal(s.access, "FILEKEY");
    assert_string_equal(s.keys_from, "credentials file");
    assert_string_equal(s.region, "eu-west-1");
    assert_string_equal(s.endpoint[JOBQ_EC2], "http://f:1");
    assert_string_equal(s.ca_bundle, "/file.pem");
    settings_release(&s);
    setenv("AWS_ACCESS_KEY_ID", "ENVKEY", 1);
    setenv("AWS_SECRET_ACCESS_KEY", "envsecret", 1);
    setenv("AWS_SESSION_TOKEN", "envtoken", 1);
    setenv("AWS_DEFAULT_REGION", "us-west-1", 1);
    setenv("AWS_ENDPOINT_URL", "http://e:1", 1);
    setenv("AWS_ENDPOINT_URL_SQS", "http://e:2", 1);
    setenv("AWS_CA_BUNDLE", "/env.pem", 1);
    s = read_all();
    assert_string_equal(s.access, "ENVKEY");
    assert_string_equal(s.secret, "envsecret");
    assert_string_equal(s.token, "envtoken");
    assert_string_equal(s.keys_from, "environment");
    assert_string_equal(s.region, "us-west-1");
    assert_string_equal(s.endpoint[JOBQ_SQS], "http://e:2");
    assert_string_equal(s.endpoint[JOBQ_SIMPLEDB], "http://e:1");
    assert_string_equal(s.ca_bundle, "/env.pem");
    settings_release(&s);
    setenv("AWS_REGION", "us-east-2", 1); /* before AWS_DEFAULT_REGION */
    s = read_all();
    assert_string_equal(s.region, "us-east-2");
    settings_release(&s);
}

static void a_profile_has_its_own(void **state)
{
    (void)state;
    write_file("credentials", "[default]\naws_access_key_id = A\n"
                              "aws_secret_access_key = a\n[work]\n"
                              "aws_access_key_id = B\naws_secret_access_key = b\n");
    write_file("config", "[default]\nregion = eu-west-1\n[profile work]\n"
                         "region = eu-west-2\nservices = local\n[services local]\n"
                         "sqs =\n  endpoint_url = http://q:1\nec2 =\n"
                         "  endpoint_url = http://b:1\n");
    setenv("AWS_PROFILE", "work", 1);
    struct settings s = read_all();
    assert_string_equal(s.access, "B");
    assert_string_equal(s.region, "eu-west-2");
    assert_string_equal(s.endpoint[JOBQ_SQS], "http://q:1");
    assert_null(s.endpoint[JOBQ_SIMPLEDB]);
    assert_string_equal(s.endpoint[JOBQ_EC2], "http://b:1");
    settings_release(&s);
    setenv("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true", 1);
    s = read_all();
    assert_null(s.endpoint[JOBQ_SQS]);
    settings_release(&s);
    setenv("AWS_PROFILE", "nowhere", 1);
    s = read_all();
    assert_string_equal(s.missing, "profile 'nowhere' is in no file of ~/.aws");
    settings_release(&s);
    /* Other files by their variables. */
    char path[200];
    snprintf(path, sizeof path, "%s/.aws/other", script_home());
    write_file("other", "[nowhere]\naws_access_key_id = C\naws_secret_access_key = c\n");
    setenv("AWS_SHARED_CREDENTIALS_FILE", path, 1);
    s = read_all();
    assert_string_equal(s.access, "C");
    assert_string_equal(s.missing, "");
    settings_release(&s);
}

static void half_a_pair_and_other_ways_are_noted(void **state)
{
    (void)state;
    setenv("AWS_ACCESS_KEY_ID", "ENVKEY", 1);
    struct settings s = read_all();
    assert_string_equal(s.missing, "the environment has an access key id alone");
    assert_null(s.access);
    settings_release(&s);
    unsetenv("AWS_ACCESS_KEY_ID");
    setenv("AWS_WEB_IDENTITY_TOKEN_FILE", "/token", 1);
    s = read_all();
    assert_string_equal(s.unsupported, "AWS_WEB_IDENTITY_TOKEN_FILE");
    settings_release(&s);
    unsetenv("AWS_WEB_IDENTITY_TOKEN_FILE");
    /* A role to be assumed counts before the keys beside it, but not before the
     * environment's. */
    write_file("config", "[default]\nrole_arn = arn:aws:iam::1:role/r\n"
                         "aws_access_key_id = A\naws_secret_access_key = a\n");
    s = read_all();
    assert_string_equal(s.unsupported, "role_arn");
    settings_release(&s);
    setenv("AWS_ACCESS_KEY_ID", "E", 1);
    setenv("AWS_SECRET_ACCESS_KEY", "e", 1);
    s = read_all();
    assert_null(s.unsupported);
    assert_string_equal(s.access, "E");
    settings_release(&s);
}

static void metadata_is_off_by_true_alone(void **state)
{
    (void)state;
    static const struct {
        const char *value;
        bool off;
    } cases[] = {{"true", true},   {"TRUE", true}, {"false", false},
                 {"False", false}, {"0", false},   {"", false}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        setenv("AWS_EC2_METADATA_DISABLED", cases[i].value, 1);
        struct settings s = read_all();
        if ((s.imds_url == NULL) != cases[i].off)
            fail_msg("'%s'", cases[i].value);
        settings_release(&s);
    }
    setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://127.0.0.1:9", 1);
    struct settings s = read_all();
    assert_string_equal(s.imds_url, "http://127.0.0.1:9");
    settings_release(&s);
}

static void bad_values_are_named_and_not_quoted(void **state)
{
    (void)state;
    static const struct {
        const char *name, *value, *says;
    } bad[] = {
        {"AWS_REGION", "US EAST", "AWS_REGION: region holds other characters"},
        {"AWS_REGION", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "longer than '32'"},
        {"AWS_ENDPOINT_URL", "ftp://x", "AWS_ENDPOINT_URL is no http or https URL"},
        {"AWS_ENDPOINT_URL_SQS", "http://u@x", "has no host, or a user in it"},
        {"AWS_ACCESS_KEY_ID", SECRET " ", "AWS_ACCESS_KEY_ID holds a blank"},
        {"AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://127.0.0.1:x@elsewhere/",
         "neither https nor local"},
        {"AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://elsewhere/",
         "neither https nor local"}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        script_clear_environment();
        setenv(bad[i].name, bad[i].value, 1);
        assert_refused(bad[i].says);
    }
    script_clear_environment();
    write_file("credentials", "[default]\naws_access_key_id = A\n" SECRET "\n");
    assert_refused("/.aws/credentials:3:");
    write_file("credentials", "[default]\naws_access_key_id = \t" SECRET " x\n");
    assert_refused("/.aws/credentials:2:");
}

static void container_urls(void **state)
{
    (void)state;
    setenv("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/v2/x", 1);
    struct settings s = read_all();
    assert_string_equal(s.container_url, "http://169.254.170.2/v2/x");
    settings_release(&s);
    unsetenv("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
    static const char *const good[] = {"https://anywhere/x", "http://127.0.0.1:8080/x",
                                       "http://localhost/x", "http://[::1]:9/x",
                                       "http://169.254.170.23/v1/credentials"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", good[i], 1);
        s = read_all();
        assert_string_equal(s.container_url, good[i]);
        settings_release(&s);
    }
}

static void urls_of_aws(void **state)
{
    (void)state;
    static const struct {
        enum jobq_service service;
        const char *region, *url;
    } cases[] = {{JOBQ_SQS, "eu-west-1", "https://sqs.eu-west-1.amazonaws.com"},
                 {JOBQ_SIMPLEDB, "us-east-1", "https://sdb.amazonaws.com"},
                 {JOBQ_SIMPLEDB, "eu-west-1", "https://sdb.eu-west-1.amazonaws.com"},
                 {JOBQ_EC2, "cn-north-1", "https://ec2.cn-north-1.amazonaws.com.cn"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char url[100];
        settings_default_url(cases[i].service, cases[i].region, url, sizeof url);
        assert_string_equal(url, cases[i].url);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(nothing_is_said, clean),
        cmocka_unit_test_setup(the_environment_is_before_the_files, clean),
        cmocka_unit_test_setup(a_profile_has_its_own, clean),
        cmocka_unit_test_setup(half_a_pair_and_other_ways_are_noted, clean),
        cmocka_unit_test_setup(metadata_is_off_by_true_alone, clean),
        cmocka_unit_test_setup(bad_values_are_named_and_not_quoted, clean),
        cmocka_unit_test_setup(container_urls, clean),
        cmocka_unit_test_setup(urls_of_aws, clean),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    remove_files();
    rmdir(script_home());
    return failed;
}
