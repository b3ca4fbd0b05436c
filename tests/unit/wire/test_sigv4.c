/* test_sigv4.c - signatures equal AWS's published examples at each step.
 *
 * The IAM ListUsers example is AWS General Reference's "Signature Version 4 signing
 * process" (complete example, 2015-08-30); get-vanilla and the POST with parameters are
 * of the signing test suite that AWS published beside it, and so is the POST with a session
 * token (post-sts-header-before); the SQS request with one has no published answer: botocore
 * 1.43.11's SigV4Auth gave its steps, and gives the published ones too; the SigV2 vector is the Elastic
 * MapReduce example of "Signature Version 2 signing process". */
#include "wire/text/awstime.h"
#include "wire/ec2/metadata.h"
#include "wire/http/reply.h"
#include "wire/http/request.h"
#include "wire/sign/sigv2.h"
#include "wire/sign/sigv4.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#define SECRET "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
#define AT_NS INT64_C(1440938160000000000) /* 2015-08-30T12:36:00Z */

static const struct wire_keys keys = {.access = {"AKIDEXAMPLE", 11},
                                      .secret = {SECRET, sizeof SECRET - 1},
                                      .token = {"", 0}};

static void hash_is(struct digest *d, struct jobq_str bytes, const char *hex)
{
    unsigned char hash[DIGEST_SHA256_BYTES];
    char text[65];
    digest_sha256(d, bytes.ptr, (size_t)bytes.len, hash);
    digest_hex(hash, sizeof hash, text);
    assert_string_equal(text, hex);
}

static void each_step_of_list_users(void **state)
{
    (void)state;
    struct digest d;
    struct text canonical = {0}, to_sign = {0}, authorization = {0}, scratch = {0};
    struct sigv4_day day = {0};
    char basic[AWSTIME_BASIC], hex[65];
    digest_init(&d);
    awstime_basic(AT_NS, basic);
    assert_string_equal(basic, "20150830T123600Z");
    const struct sigv4_header header[] = {
        {STR("content-type"), STR("application/x-www-form-urlencoded; charset=utf-8")},
        {STR("host"), STR("iam.amazonaws.com")},
        {STR("x-amz-date"), str_of(basic)}};
    const struct sigv4_request request = {
        STR("GET"), STR("/"), STR("Action=ListUsers&Version=2010-05-08"),
        header,     3,        STR("")};
    const struct sigv4_scope scope = {basic, STR("us-east-1"), STR("iam")};
    sigv4_canonical(&d, &request, &canonical);
    hash_is(&d, text_str(&canonical),
            "f536975d06c0309214f805bb90ccff089219ecd68b2577efef23edd43b7e1a59");
    sigv4_string(&d, text_str(&canonical), &scope, &to_sign);
    assert_string_equal(
        to_sign.ptr, "AWS4-HMAC-SHA256\n20150830T123600Z\n"
                     "20150830/us-east-1/iam/aws4_request\n"
                     "f536975d06c0309214f805bb90ccff089219ecd68b2577efef23edd43b7e1a59");
    sigv4_key(&d, &keys, &scope, &day);
    digest_hex(day.key, sizeof day.key, hex);
    assert_string_equal(
        hex, "c4afb1cc5771d871763a393e44b703571b55cc28424d1a5e86da6ed3c154a4b9");
    sigv4_signature(&d, &day, text_str(&to_sign), hex);
    assert_string_equal(
        hex, "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7");
    sigv4_authorization(&d, &request, &keys, &scope, &day, &scratch, &authorization);
    assert_string_equal(
        authorization.ptr,
        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/iam/"
        "aws4_request, SignedHeaders=content-type;host;x-amz-date, "
        "Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924"
        "a6f2b5d7");
    text_release(&canonical);
    text_release(&to_sign);
    text_release(&authorization);
    text_release(&scratch);
    digest_release(&d);
}

static void suite(struct digest *d, struct jobq_str method,
                  const struct sigv4_header *header, int header_count,
                  struct jobq_str body, const char *want)
{
    struct sigv4_day day = {0};
    struct text scratch = {0}, out = {0};
    const struct sigv4_request request = {method, STR("/"),     STR(""),
                                          header, header_count, body};
    const struct sigv4_scope scope = {"20150830T123600Z", STR("us-east-1"),
                                      STR("service")};
    sigv4_authorization(d, &request, &keys, &scope, &day, &scratch, &out);
    assert_string_equal(out.ptr + out.len - 64, want);
    text_release(&scratch);
    text_release(&out);
}

static void published_suite(void **state)
{
    (void)state;
    struct digest d;
    digest_init(&d);
    const struct sigv4_header plain[] = {{STR("host"), STR("example.amazonaws.com")},
                                         {STR("x-amz-date"), STR("20150830T123600Z")}};
    const struct sigv4_header form[] = {
        {STR("content-type"), STR("application/x-www-form-urlencoded")},
        plain[0],
        plain[1]};
    suite(&d, STR("GET"), plain, 2, STR(""),
          "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31");
    suite(&d, STR("POST"), plain, 2, STR(""),
          "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b");
    suite(&d, STR("POST"), form, 3, STR("Param1=value1"),
          "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a");
    digest_release(&d);
}

/* The suite's own token, of AWS's AssumeRole examples. */
#define TOKEN                                                                            \
    "AQoDYXdzEPT//////////wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWLWsKWHGBuFqwAeM" \
    "icRXmxfpSPfIeoIYRqTflfKD8YUuwthAx7mSEI/qkPpKPi/kMcGdQrmGdeehM4IC1NtBmUpp2wUE8phUZa" \
    "mpKsburEDy0KPkyQDYwT7WZ0wq5VSXDvp75YU9HFvlRd8Tx6q6fE8YQcHNVXAkiY9q6d+xo0rKwT38xVqr" \
    "7ZD0u0iPPkUL64lIZbqBAz+scqKmlzm8FDrypNC9Yjc8fPOLn9FX9KSYvKTr4rvx3iSIlTJabIQwj2ICCR" \
    "/oLxBA=="
#define EMPTY_HASH "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

static const struct wire_keys role = {.access = {"AKIDEXAMPLE", 11},
                                      .secret = {SECRET, sizeof SECRET - 1},
                                      .token = {TOKEN, sizeof TOKEN - 1}};

static void each_step_with_a_session_token(void **state)
{
    (void)state;
    struct digest d;
    struct text canonical = {0}, to_sign = {0}, authorization = {0}, scratch = {0};
    struct sigv4_day day = {0};
    char hex[65];
    digest_init(&d);
    const struct sigv4_header header[] = {{STR("host"), STR("example.amazonaws.com")},
                                          {STR("x-amz-date"), STR("20150830T123600Z")},
                                          {STR("x-amz-security-token"), role.token}};
    const struct sigv4_request request = {STR("POST"), STR("/"), STR(""),
                                          header,      3,        STR("")};
    const struct sigv4_scope scope = {"20150830T123600Z", STR("us-east-1"),
                                      STR("service")};
    sigv4_canonical(&d, &request, &canonical);
    assert_string_equal(
        canonical.ptr,
        "POST\n/\n\nhost:example.amazonaws.com\nx-amz-date:20150830T123600Z\n"
        "x-amz-security-token:" TOKEN "\n\n"
        "host;x-amz-date;x-amz-security-token\n" EMPTY_HASH);
    sigv4_string(&d, text_str(&canonical), &scope, &to_sign);
    assert_string_equal(
        to_sign.ptr, "AWS4-HMAC-SHA256\n20150830T123600Z\n"
                     "20150830/us-east-1/service/aws4_request\n"
                     "c237e1b440d4c63c32ca95b5b99481081cb7b13c7e40434868e71567c1a882f6");
    sigv4_key(&d, &role, &scope, &day);
    sigv4_signature(&d, &day, text_str(&to_sign), hex);
    assert_string_equal(
        hex, "85d96828115b5dc0cfc3bd16ad9e210dd772bbebba041836c64533a82be05ead");
    sigv4_authorization(&d, &request, &role, &scope, &day, &scratch, &authorization);
    assert_string_equal(
        authorization.ptr,
        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/"
        "aws4_request, SignedHeaders=host;x-amz-date;x-amz-security-token, "
        "Signature=85d96828115b5dc0cfc3bd16ad9e210dd772bbebba041836c64533a82be05ead");
    /* The value that is told to the service beside the token does not hold it. */
    assert_null(strstr(authorization.ptr, "AQoDYXdz"));
    text_release(&canonical);
    text_release(&to_sign);
    text_release(&authorization);
    text_release(&scratch);
    digest_release(&d);
}

/* The request as the client makes it: the token is one of its headers, and signed. */
static void a_request_with_a_session_token(void **state)
{
    (void)state;
    struct digest d;
    struct request request = {0};
    struct sigv4_day day = {0};
    const struct request_place place = {.host = STR("sqs.us-east-1.amazonaws.com"),
                                        .path = STR("/"),
                                        .region = STR("us-east-1")};
    digest_init(&d);
    text_puts(&request.body, "{}");
    request_sqs(&request, &d, &place, &role, &day, "SendMessage", AT_NS);
    assert_non_null(strstr(request.head.ptr, "X-Amz-Security-Token: " TOKEN "\r\n"));
    assert_non_null(strstr(
        request.head.ptr,
        "Authorization: AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/"
        "sqs/aws4_request, SignedHeaders=content-type;host;x-amz-date;"
        "x-amz-security-token;x-amz-target, Signature="
        "28e619ae79724e3444a4fbc41ba00300036575e8451847f54afb76b4e0bdcb9f\r\n"));
    request_release(&request);
    digest_release(&d);
}

/* SimpleDB's: the token is one of the parameters, and signed. botocore's SigV2Auth gave it. */
static void a_query_with_a_session_token(void **state)
{
    (void)state;
    struct digest d;
    struct request request = {0};
    struct query q = {0};
    const struct request_place place = {
        .host = STR("sdb.amazonaws.com"), .path = STR("/"), .region = STR("us-east-1")};
    digest_init(&d);
    query_add(&q, "Action", STR("ListDomains"));
    query_add(&q, "Version", STR("2009-04-15"));
    request_sdb(&request, &d, &place, &role, &q, AT_NS);
    assert_non_null(strstr(request.body.ptr, "SecurityToken=AQoDYXdzEPT%2F%2F"));
    assert_non_null(
        strstr(request.body.ptr,
               "Signature=H8psUVuaRIj5sNbn3RkPxZc%2BFO%2B5hXJtP6VbM7vSBuI%3D"));
    query_release(&q);
    request_release(&request);
    digest_release(&d);
}

/* Whoever repeats a token or a secret, it goes no further. */
static void no_error_tells_the_token(void **state)
{
    (void)state;
    struct aws_error said;
    struct jobq_error err = {0};
    struct role_keys read;
    int64_t skew_ns = 0;
    struct reply_head head = {0};
    reply_head_line(&head, STR("X-Amz-Security-Token: " TOKEN "\r\n"));
    reply_head_line(&head, STR("x-amzn-RequestId: 12ab\r\n"));
    /* Behind the first line AWS repeats the request as it should have been signed. */
    static const char *const refused[] = {
        "{\"__type\":\"x#SignatureDoesNotMatch\",\"message\":\"The signature does not "
        "match.\\n\\nThe Canonical String for this request should have been\\n'POST\\n/"
        "\\nx-amz-security-token:" TOKEN "'\"}",
        "<Response><Errors><Error><Code>SignatureDoesNotMatch</Code><Message>The "
        "signature "
        "does not match.\n\nx-amz-security-token:" TOKEN "</Message></Error></Errors>"
        "</Response>"};
    for (int i = 0; i < 2; i++) {
        const struct reply_refusal refusal = {"SendMessage", 403, &head,
                                              str_of(refused[i]), AT_NS};
        assert_int_equal(reply_refused(&refusal, &skew_ns, &said, &err), JOBQ_DENIED);
        assert_string_equal(err.text, "SendMessage: SignatureDoesNotMatch: The signature "
                                      "does not match. (HTTP 403, request 12ab)");
        assert_null(strstr(said.message, "AQoDYXdz"));
    }
    /* A role's document that breaks off behind its keys, or has one that is no header. */
    static const char *const broken[] = {
        "{\"AccessKeyId\":\"AKIDEXAMPLE\",\"SecretAccessKey\":\"" SECRET
        "\",\"Token\":\"" TOKEN "\",\"Expiration\":\"tomorrow\"}",
        "{\"AccessKeyId\":\"AKIDEXAMPLE\",\"SecretAccessKey\":\"" SECRET
        "\",\"Token\":\"" TOKEN "\\r\\nX: y\"}",
        "{\"SecretAccessKey\":\"" SECRET "\",\"Token\":\"" TOKEN "\"}",
        "{\"AccessKeyId\":\"AKIDEXAMPLE\",\"SecretAccessKey\":\"" SECRET
        "\",\"Token\":\"" TOKEN};
    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
        assert_int_equal(metadata_read_keys(str_of(broken[i]), &read, &err),
                         JOBQ_CORRUPT);
        assert_null(strstr(err.text, "AQoDYXdz"));
        assert_null(strstr(err.text, "wJalrXUt"));
        assert_null(read.secret);
        assert_null(read.token);
    }
}

static void day_key_follows_its_inputs(void **state)
{
    (void)state;
    struct digest d;
    struct sigv4_day kept = {0};
    digest_init(&d);
    const struct sigv4_scope scopes[] = {
        {"20150830T123600Z", STR("us-east-1"), STR("iam")},
        {"20150831T123600Z", STR("us-east-1"), STR("iam")},
        {"20150831T123600Z", STR("eu-west-1"), STR("iam")},
        {"20150831T123600Z", STR("eu-west-1"), STR("sqs")}};
    const struct wire_keys others = {
        .access = STR("ASIAOTHER"), .secret = STR("another"), .token = STR("t")};
    for (int i = 0; i < 8; i++) {
        const struct wire_keys *k = i < 4 ? &keys : &others;
        struct sigv4_day fresh = {0};
        sigv4_key(&d, k, &scopes[i % 4], &kept);
        sigv4_key(&d, k, &scopes[i % 4], &fresh);
        assert_memory_equal(kept.key, fresh.key, sizeof fresh.key);
    }
    digest_release(&d);
}

static void sigv2_published(void **state)
{
    (void)state;
    struct digest d;
    struct query q = {0};
    struct text joined = {0}, to_sign = {0};
    const struct wire_keys k = {.access = STR("AKIAIOSFODNN7EXAMPLE"),
                                .secret = STR("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
                                .token = STR("")};
    char signature[45];
    digest_init(&d);
    query_add(&q, "Version", STR("2009-03-31"));
    query_add(&q, "Action", STR("DescribeJobFlows"));
    query_add(&q, "Timestamp", STR("2011-10-03T15:19:30"));
    query_add(&q, "SignatureMethod", STR("HmacSHA256"));
    query_add(&q, "SignatureVersion", STR("2"));
    query_add(&q, "AWSAccessKeyId", k.access);
    query_join(&q, &joined);
    sigv2_string(STR("GET"), STR("elasticmapreduce.amazonaws.com"), STR("/"),
                 text_str(&joined), &to_sign);
    assert_string_equal(
        to_sign.ptr,
        "GET\nelasticmapreduce.amazonaws.com\n/\nAWSAccessKeyId=AKIAIOSFODNN7EXAMPLE&"
        "Action=DescribeJobFlows&SignatureMethod=HmacSHA256&SignatureVersion=2&"
        "Timestamp=2011-10-03T15%3A19%3A30&Version=2009-03-31");
    sigv2_signature(&d, &k, text_str(&to_sign), signature);
    assert_string_equal(signature, "i91nKc4PWAt0JJIdXwz9HxZCJDdiy6cf/Mj6vPxyYIs=");
    query_release(&q);
    text_release(&joined);
    text_release(&to_sign);
    digest_release(&d);
}

static void times(void **state)
{
    (void)state;
    char iso[AWSTIME_ISO], http[AWSTIME_HTTP];
    int64_t back;
    static const struct {
        int64_t s;
        const char *iso, *http;
    } known[] = {{0, "1970-01-01T00:00:00Z", "Thu, 01 Jan 1970 00:00:00 GMT"},
                 {951868799, "2000-02-29T23:59:59Z", "Tue, 29 Feb 2000 23:59:59 GMT"},
                 {951868800, "2000-03-01T00:00:00Z", "Wed, 01 Mar 2000 00:00:00 GMT"},
                 {784111777, "1994-11-06T08:49:37Z", "Sun, 06 Nov 1994 08:49:37 GMT"},
                 {4107542400, "2100-03-01T00:00:00Z", "Mon, 01 Mar 2100 00:00:00 GMT"}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        awstime_iso(known[i].s * 1000000000, iso);
        awstime_http(known[i].s * 1000000000, http);
        assert_string_equal(iso, known[i].iso);
        assert_string_equal(http, known[i].http);
        assert_true(awstime_parse_iso(str_of(iso), &back));
        assert_int_equal(back, known[i].s * 1000000000);
        assert_true(awstime_parse_http(str_of(http), &back));
        assert_int_equal(back, known[i].s * 1000000000);
    }
    assert_true(awstime_parse_iso(STR("1970-01-01T00:00:00.250Z"), &back));
    assert_int_equal(back, 250000000);
    assert_false(awstime_parse_iso(STR("1970-13-01T00:00:00Z"), &back));
    assert_false(awstime_parse_http(STR("Thu, 01 Jax 1970 00:00:00 GMT"), &back));
}

static void hmac_of_long_keys(void **state)
{
    (void)state;
    /* RFC 4231, test case 6: a key longer than a block. */
    struct digest d;
    unsigned char key[131], mac[DIGEST_SHA256_BYTES];
    char hex[65];
    memset(key, 0xaa, sizeof key);
    digest_init(&d);
    digest_hmac_sha256(&d, key, sizeof key,
                       "Test Using Larger Than Block-Size Key - Hash Key First", 54, mac);
    digest_hex(mac, sizeof mac, hex);
    assert_string_equal(
        hex, "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
    digest_release(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(each_step_of_list_users),
                                       cmocka_unit_test(published_suite),
                                       cmocka_unit_test(each_step_with_a_session_token),
                                       cmocka_unit_test(a_request_with_a_session_token),
                                       cmocka_unit_test(a_query_with_a_session_token),
                                       cmocka_unit_test(no_error_tells_the_token),
                                       cmocka_unit_test(day_key_follows_its_inputs),
                                       cmocka_unit_test(sigv2_published),
                                       cmocka_unit_test(times),
                                       cmocka_unit_test(hmac_of_long_keys)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
