/* fuzz_auth.c - any bytes as a request whose signature jobqmock checks, version 2 or 4, in a
 * header or among the parameters (presigned).
 *
 * Refused with a service's own code, or accepted: then it says what one of the seeds says, for
 * nobody else has signed anything. botocore signed the seeds (HmacSHA1, which it does not
 * know, by the guide's recipe), at the instant at which time stands still here. */
#include "cost_driver.h"

#include "sim/mock/server/auth.h"
#include "sim/mock/ec2/imds.h"
#include "wire/text/awstime.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { SEEDS_MAX = 16 };

/* clang-format off */
const char *const fuzz_seeds[] = {
    "POST / HTTP/1.1\r\n"
    "Host: 127.0.0.1:4566\r\n"
    "Content-Type: application/x-www-form-urlencoded\r\n"
    "X-Amz-Date: 20261124T034500Z\r\n"
    "X-Amz-Security-Token: roletoken\r\n"
    "Authorization: AWS4-HMAC-SHA256 Credential=ASIAJOBQMOCKROLE0001/20261124/us-ea"
    "st-1/sts/aws4_request, SignedHeaders=content-type;host;x-amz-date;x-amz-securi"
    "ty-token, Signature=26b65fa31df51ff8b24eabd3c59ae382ddb3b10a0546d5095ad14bcf4b"
    "9a7ead\r\n"
    "Content-Length: 43\r\n"
    "\r\n"
    "Action=GetCallerIdentity&Version=2011-06-15",
    "POST / HTTP/1.1\r\n"
    "Host: 127.0.0.1:4566\r\n"
    "Content-Type: application/x-www-form-urlencoded\r\n"
    "X-Amz-Date: 20261124T034500Z\r\n"
    "Authorization: AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261124/us-east-1/sqs/"
    "aws4_request, SignedHeaders=content-type;host;x-amz-date, Signature=dd5659e863"
    "af1397e9308bcd9429a50d32dbf1ab57da9f0b669b287a194bcc3f\r\n"
    "Content-Length: 36\r\n"
    "\r\n"
    "Action=ListQueues&Version=2012-11-05",
    "GET /123456789012/q?Action=ReceiveMessage&Version=2012-11-05&A=%C3%BC%20~&B=2&"
    "B=1 HTTP/1.1\r\n"
    "Host: 127.0.0.1:4566\r\n"
    "X-Amz-Date: 20261124T034500Z\r\n"
    "Authorization: AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261124/us-east-1/sqs/"
    "aws4_request, SignedHeaders=host;x-amz-date, Signature=0f3841a3744451a5f7b4a0c"
    "546a8c06d53cfcea4f3f23ea8224b89c89da22b02\r\n"
    "Content-Length: 0\r\n"
    "\r\n",
    "POST / HTTP/1.1\r\n"
    "Host: 127.0.0.1:4566\r\n"
    "Content-Type: application/x-amz-json-1.0\r\n"
    "X-Amz-Target: AmazonSQS.CreateQueue\r\n"
    "X-Amz-Date: 20261124T034500Z\r\n"
    "Authorization: AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261124/us-east-1/sqs/"
    "aws4_request, SignedHeaders=content-type;host;x-amz-date;x-amz-target, Signatu"
    "re=918e8b70b0055483f8a65250a8bbcc2759c369f7e4d150b986697b8aec4bfa16\r\n"
    "Content-Length: 17\r\n"
    "\r\n"
    "{\"QueueName\":\"q\"}",
    "POST / HTTP/1.1\r\n"
    "Host: 127.0.0.1:4566\r\n"
    "Content-Type: application/x-www-form-urlencoded\r\n"
    "X-Amz-Date: 20261124T034500Z\r\n"
    "Authorization: AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261124/us-east-1/ec2/"
    "aws4_request, SignedHeaders=content-type;host;x-amz-date, Signature=d730ace955"
    "35e5d4db98c2bccb7f3e875732cff4d16c98066c584c70f866b8f2\r\n"
    "Content-Length: 43\r\n"
    "\r\n"
    "Action=DescribeInstances&Version=2016-11-15",
    "POST / HTTP/1.1\r\n"
    "Host: 127.0.0.1:4566\r\n"
    "Content-Length: 282\r\n"
    "\r\n"
    "Action=PutAttributes&Version=2009-04-15&DomainName=d&ItemName=a%20b%2B%2A~&Att"
    "ribute.1.Name=n&Attribute.1.Value=v&SignatureVersion=2&SignatureMethod=HmacSHA"
    "256&Timestamp=2026-11-24T03%3A45%3A00Z&AWSAccessKeyId=AKIDEXAMPLE&Signature=qr"
    "wkF0mSZbwRnS%2FugZ7hDSwzl%2FcxhJfafmF9uwCAzJ8%3D",
    "GET /?AWSAccessKeyId=AKIDEXAMPLE&Action=ListDomains&SignatureMethod=HmacSHA1&S"
    "ignatureVersion=2&Timestamp=2026-11-24T03%3A45%3A00Z&Version=2009-04-15&Signat"
    "ure=icWyONBN5%2FHqilxgK%2FVko1%2F27L0%3D HTTP/1.1\r\n"
    "Host: 127.0.0.1:4566\r\n"
    "\r\n",
    "GET /?Action=ListQueues&Version=2012-11-05&X-Amz-Algorithm=AWS4-HMAC-S"
    "HA256&X-Amz-Credential=AKIDEXAMPLE%2F20261124%2Fus-east-1%2Fsqs%2Faws4"
    "_request&X-Amz-Date=20261124T034500Z&X-Amz-Expires=60&X-Amz-SignedHead"
    "ers=host&X-Amz-Signature=d0b5c285a7f3e66cc1ed0070e4186c68055509b4d3f75"
    "c9f0f9bc177b7c49019 HTTP/1.1\r\n"
    "Host: 127.0.0.1:4566\r\n"
    "\r\n",
    NULL};
/* clang-format on */

static struct mock mock;
static struct text known[SEEDS_MAX]; /* what the seeds say */
static int known_count;

static void fail(const char *what)
{
    fprintf(stderr, "fuzz_auth: %s\n", what);
    abort();
}

/* ---- what auth_check.c asks of the rest of the mock ---------------------------------- */

int64_t loop_wall_ns(void)
{
    int64_t at_ns = 0;
    awstime_parse_iso(STR("2026-11-24T03:45:00Z"), &at_ns);
    return at_ns;
}

void mock_imds_secret(const struct mock *of, char secret[41], char token[49])
{
    (void)of;
    strcpy(secret, "rolesecret");
    strcpy(token, "roletoken");
}

enum call_end mock_fail(struct call *call, int status, const char *code,
                        const char *shape, const char *format, ...)
{
    static char text[512];
    va_list args;
    (void)shape;
    call->error.status = status;
    call->error.code = code;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    call->error.text = text;
    va_end(args);
    return CALL_FAILED;
}

/* ---- what a request says ----------------------------------------------------------------- */

static void put_tree(struct text *out, const struct tree *tree)
{
    for (const struct tree *one = tree->first; one; one = one->next) {
        if (str_is(one->name, "Signature") || str_is(one->name, "X-Amz-Signature"))
            continue;
        text_put_escaped(out, one->name.ptr, (size_t)one->name.len);
        text_putc(out, '=');
        text_put_escaped(out, one->text.ptr ? one->text.ptr : "", (size_t)one->text.len);
        text_putc(out, '(');
        put_tree(out, one);
        text_putc(out, ')');
    }
}

static void put_lower(struct text *out, struct jobq_str s)
{
    for (int64_t i = 0; i < s.len; i++)
        text_putc(out,
                  s.ptr[i] >= 'A' && s.ptr[i] <= 'Z' ? (char)(s.ptr[i] + 32) : s.ptr[i]);
    text_putc(out, ' ');
}

static void essence(const struct call *call, const struct http_request *request,
                    const struct auth_claim *claim, const struct tree *params,
                    struct text *out)
{
    text_put_str(out, request->method);
    text_put_str(out, request->path);
    put_lower(out, call->host);
    if (call->json)
        put_lower(out, http_header(request, "x-amz-target"));
    if (claim->kind == AUTH_V4)
        text_put_escaped(out, request->body.ptr, (size_t)request->body.len);
    text_putc(out, '?');
    put_tree(out, params);
}

/* ---- one request -------------------------------------------------------------------------- */

static bool read_request(char *bytes, int64_t len, struct http_request *out)
{
    char *end = memmem(bytes, (size_t)len, "\r\n\r\n", 4);
    if (!end || http_parse_head(bytes, end + 4 - bytes, out) != 0)
        return false;
    out->body = (struct jobq_str){end + 4, bytes + len - (end + 4)};
    return true;
}

/* True: accepted. *said is then what it says. */
static bool verify(char *bytes, int64_t len, struct text *said)
{
    static struct http_request request;
    struct jobq_error err;
    struct auth_claim claim;
    struct tree *params;
    arena_reset(&mock.arena);
    if (!read_request(bytes, len, &request))
        return false;
    struct call call = {.mock = &mock, .service = MOCK_SQS};
    struct jobq_str target = http_header(&request, "x-amz-target");
    struct jobq_str parts[2] = {request.query, request.body};
    call.json = target.len > 10 && memcmp(target.ptr, "AmazonSQS.", 10) == 0;
    if (tree_from_query(parts, call.json ? 1 : 2, &mock.arena, &params, &err) < 0) {
        if (!call.json)
            return false; /* route.c answers this one */
        params = NULL;
    }
    struct jobq_str version = tree_text(params, "Version");
    if (str_is(version, "2009-04-15"))
        call.service = MOCK_SDB;
    else if (str_is(version, "2016-11-15"))
        call.service = MOCK_EC2;
    else if (str_is(version, "2011-06-15"))
        call.service = MOCK_STS;
    call.params = call.json ? NULL : params;
    call.host = http_header(&request, "host");
    auth_claim(&request, call.params, &claim);
    if (auth_check(&call, &request, &claim) == CALL_DONE) {
        if (!params)
            fail("accepted, with a query string that is none");
        essence(&call, &request, &claim, params, said);
        return true;
    }
    if (call.error.status < 400 || call.error.status > 403 || !call.error.code ||
        call.error.text[0] == '\0')
        fail("a refusal without a reason");
    return false;
}

static void check(const char *data, size_t size)
{
    struct text said = {0};
    bool is_known = false;
    char *bytes = malloc(size + 1);
    memcpy(bytes, data, size);
    bytes[size] = '\0';
    if (verify(bytes, (int64_t)size, &said)) {
        for (int i = 0; i < known_count; i++)
            is_known = is_known || str_eq(text_str(&said), text_str(&known[i]));
        if (!is_known) {
            fprintf(stderr, "%s\n%s\n", bytes, said.ptr);
            fail("accepted what nobody signed");
        }
    }
    text_release(&said);
    free(bytes);
}

/* Each byte of a seed replaced by, and each place filled with, what means something to one of
 * the parsers on the way. */
static void change_everywhere(const char *seed)
{
    static const char *const pieces[] = {
        "%00", "%00x", "&=x", "&a=b", "&%", "+",  "%20",  " ", "\t", "a",
        ";",   "/",    ",",   "=",    "&",  "\"", "\r\n", ".", "%",  "\x80"};
    size_t len = strlen(seed);
    char changed[4096];
    for (size_t at = 0; at <= len; at++)
        for (size_t i = 0; i < sizeof pieces / sizeof pieces[0]; i++)
            for (size_t replaced = 0; replaced <= (at < len); replaced++) {
                int size = snprintf(changed, sizeof changed, "%.*s%s%s", (int)at, seed,
                                    pieces[i], seed + at + replaced);
                check(changed, (size_t)size);
            }
}

static void start(void)
{
    struct jobq_error err;
    digest_init(&mock.digest);
    arena_init(&mock.arena, 4096);
    mock.keys = auth_keys_new(&mock, NULL, &err);
    for (int i = 0; fuzz_seeds[i]; i++) {
        char *copy = strdup(fuzz_seeds[i]);
        if (!verify(copy, (int64_t)strlen(copy), &known[known_count++])) {
            fprintf(stderr, "seed %d:\n%s\n", i, copy);
            fail("botocore's signature is refused");
        }
        free(copy);
    }
    for (int i = 0; fuzz_seeds[i]; i++)
        change_everywhere(fuzz_seeds[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!mock.keys)
        start();
    check((const char *)data, size);
    return 0;
}
