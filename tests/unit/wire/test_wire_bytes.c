/* test_wire_bytes.c - the bytes that wire/http/wire_bytes.h predicts are the bytes that request.h builds, and
 * the replies it expects are those that the readers accept. */
#include "base/arena.h"
#include "base/dice.h"
#include "jobq/units.h"
#include "wire/ec2/ec2_calls.h"
#include "wire/http/request.h"
#include "wire/simpledb/simpledb_calls.h"
#include "wire/http/wire_bytes.h"
#include "wire/sqs/sqs_bodies.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>
#include <cmocka.h>

#define AT_NS INT64_C(1795492800000000000)

struct world {
    struct digest digest;
    struct sigv4_day sqs_day, ec2_day;
    struct request request;
    struct query query;
    struct wire_keys keys;
    struct size_client client;
    char token[900], hosts[3][80], url[160];
    struct request_place sqs, sdb, ec2;
};

static void world_open(struct world *w, const char *region, int64_t token_bytes)
{
    *w = (struct world){0};
    digest_init(&w->digest);
    memset(w->token, 'T', sizeof w->token);
    w->keys = (struct wire_keys){.access = STR("AKIAIOSFODNN7EXAMPLE"),
                                 .secret = STR("secret"),
                                 .token = {w->token, token_bytes}};
    size_client_init(&w->client, region, token_bytes);
    w->client.token_encoded = token_bytes; /* all of it unreserved here */
    w->client.receipt = 120;
    size_client_update(&w->client);
    snprintf(w->hosts[0], 80, "sqs.%s.amazonaws.com", region);
    if (strcmp(region, "us-east-1") == 0)
        snprintf(w->hosts[1], 80, "sdb.amazonaws.com");
    else
        snprintf(w->hosts[1], 80, "sdb.%s.amazonaws.com", region);
    snprintf(w->hosts[2], 80, "ec2.%s.amazonaws.com", region);
    snprintf(w->url, sizeof w->url, "https://%s/123456789012/render", w->hosts[0]);
    w->sqs = (struct request_place){str_of(w->hosts[0]), STR("/"), str_of(region)};
    w->sdb = (struct request_place){str_of(w->hosts[1]), STR("/"), str_of(region)};
    w->ec2 = (struct request_place){str_of(w->hosts[2]), STR("/"), str_of(region)};
}

static void world_close(struct world *w)
{
    request_release(&w->request);
    query_release(&w->query);
    digest_release(&w->digest);
}

static void sqs_is(struct world *w, const char *action, struct size_call want)
{
    request_sqs(&w->request, &w->digest, &w->sqs, &w->keys, &w->sqs_day, action, AT_NS);
    assert_int_equal(request_bytes(&w->request, &w->sqs), want.out);
    text_clear(&w->request.body);
}

/* The signature's own percent-encoding varies; wire/http/wire_bytes.h counts its mean. */
static void sdb_is(struct world *w, struct size_call want)
{
    request_sdb(&w->request, &w->digest, &w->sdb, &w->keys, &w->query, AT_NS);
    const char *signature = strstr(w->request.body.ptr, "&Signature=");
    assert_non_null(signature);
    int64_t length = (int64_t)strlen(signature + sizeof "&Signature=" - 1);
    int64_t body = (int64_t)w->request.body.len;
    int64_t mean = body - length + SIZE_SIGV2_SIGNATURE;
    int64_t bytes = request_bytes(&w->request, &w->sdb) - length + SIZE_SIGV2_SIGNATURE;
    bytes += size_digits(mean) - size_digits(body);
    assert_int_equal(bytes, want.out);
    query_clear(&w->query);
}

static void ec2_is(struct world *w, struct size_call want)
{
    request_ec2(&w->request, &w->digest, &w->ec2, &w->keys, &w->ec2_day, &w->query,
                AT_NS);
    assert_int_equal(request_bytes(&w->request, &w->ec2), want.out);
    query_clear(&w->query);
}

static void check_sqs(struct world *w)
{
    struct text *body = &w->request.body;
    struct jobq_str url = str_of(w->url);
    int64_t name = (int64_t)sizeof "render" - 1;
    char receipt_text[120];
    memset(receipt_text, 'r', sizeof receipt_text);
    for (int n = 1; n <= 10; n++) {
        struct jobq_outgoing in[10];
        struct jobq_str receipt[10];
        struct jobq_visibility_change change[10];
        int64_t bytes = 0, delay_digits = 0, digits = 0;
        int delayed = 0;
        for (int i = 0; i < n; i++) {
            int64_t delay = i % 3 * 50;
            in[i] = (struct jobq_outgoing){.body = STR("{\"id\":7}"),
                                           .phantom_bytes = 100 * i,
                                           .delay_ns = delay * JOBQ_NS_PER_S};
            bytes += text_json_bytes(in[i].body) + in[i].phantom_bytes;
            delayed += delay > 0;
            delay_digits += delay ? size_digits(delay) : 0;
            receipt[i] = (struct jobq_str){receipt_text, sizeof receipt_text};
            change[i] =
                (struct jobq_visibility_change){receipt[i], i * 40 * JOBQ_NS_PER_S};
            digits += size_digits(i * 40);
        }
        sqs_wire_send(body, url, in, n);
        sqs_is(w, n == 1 ? "SendMessage" : "SendMessageBatch",
               size_send(&w->client, name, n, bytes, delayed, delay_digits));
        sqs_wire_remove(body, url, receipt, n);
        sqs_is(w, n == 1 ? "DeleteMessage" : "DeleteMessageBatch",
               size_remove(&w->client, name, n));
        sqs_wire_set_visibility(body, url, change, n);
        sqs_is(w, n == 1 ? "ChangeMessageVisibility" : "ChangeMessageVisibilityBatch",
               size_set_visibility(&w->client, name, n, digits));
        struct jobq_receive receive = {n, n * JOBQ_NS_PER_S,
                                       (n % 2 ? -1 : 30) * JOBQ_NS_PER_S};
        sqs_wire_receive(body, url, &receive);
        sqs_is(w, "ReceiveMessage",
               size_receive(&w->client, name, n, n, n % 2 ? -1 : 30, 0, 0, 0));
    }
    struct jobq_queue_options options = {.visibility_ns = 90 * JOBQ_NS_PER_S,
                                         .receive_wait_ns = 20 * JOBQ_NS_PER_S};
    sqs_wire_create(body, "render", &options, NULL);
    sqs_is(w, "CreateQueue", size_create_queue(&w->client, name, &options, 0));
    options.retention_ns = JOBQ_NS_PER_DAY;
    options.max_receive_count = 12;
    struct text arn = {0};
    assert_true(
        sqs_wire_arn(STR("https://h/123456789012/render-dead"), w->sqs.region, &arn));
    sqs_wire_set_options(body, url, &options, arn.ptr);
    sqs_is(w, "SetQueueAttributes",
           size_set_options(&w->client, name, &options, name + 5));
    sqs_wire_create(body, "render", &options, arn.ptr);
    sqs_is(w, "CreateQueue", size_create_queue(&w->client, name, &options, name + 5));
    text_release(&arn);
    sqs_wire_get_url(body, "render");
    sqs_is(w, "GetQueueUrl", size_open_queue(&w->client, name));
    struct jobq_queue_depth depth = {0};
    sqs_wire_depth(body, url);
    sqs_is(w, "GetQueueAttributes", size_depth(&w->client, name, &depth, 0));
    sqs_wire_purge(body, url);
    sqs_is(w, "PurgeQueue", size_purge(&w->client, name));
}

static void check_sdb_writes(struct world *w)
{
    struct jobq_str domain = STR("jobq-render-0");
    struct jobq_attr attr[12];
    struct jobq_item item[11];
    struct size_attrs put = {0}, batch = {0};
    for (int i = 0; i < 12; i++) {
        attr[i] = (struct jobq_attr){STR("payload.01"), {NULL, 90 * i}, i % 2 == 0};
        size_attr(&put, 10, 90 * i, i % 2 == 0);
    }
    sdb_wire_put(&w->query, domain, STR("render-1"), attr, 12, NULL);
    sdb_is(w, size_put(&w->client, domain.len, 8, &put, -1, 0));
    struct jobq_expect expect = {STR("claim"), STR("1/abc"), true};
    sdb_wire_put(&w->query, domain, STR("render-1"), attr, 12, &expect);
    sdb_is(w, size_put(&w->client, domain.len, 8, &put, 5, 5 + 2)); /* '/' is %2F */
    expect.exists = false;
    sdb_wire_put(&w->query, domain, STR("render-1"), attr, 12, &expect);
    sdb_is(w, size_put(&w->client, domain.len, 8, &put, 5, -1));
    for (int count = 1; count <= 12; count++)
        for (int i = 0; i < 3; i++) { /* no condition, none of that name, a value */
            struct jobq_item one = {STR("render/1"), attr, count};
            expect.exists = i == 2;
            const struct jobq_expect *condition = i ? &expect : NULL;
            sdb_wire_put(&w->query, domain, one.name, attr, count, condition);
            sdb_is(w, size_put_item(&w->client, domain.len,
                                    query_encoded_put(&one, condition), &one, condition));
        }
    expect.exists = false;
    for (int k = 0; k < 11; k++) {
        item[k] = (struct jobq_item){STR("render-12"), attr, 11};
        size_item(&batch, 9);
        for (int i = 0; i < 11; i++)
            size_attr(&batch, 10, 90 * i, i % 2 == 0);
    }
    sdb_wire_put_batch(&w->query, domain, item, 11);
    sdb_is(w, size_put_batch(&w->client, domain.len, &batch));
    sdb_wire_remove(&w->query, domain, STR("render-1"), NULL, 0, &expect);
    sdb_is(w, size_delete_item(&w->client, domain.len, 8, NULL, 5, -1));
}

static void check_sdb_reads(struct world *w)
{
    struct jobq_str domain = STR("jobq-render-0");
    struct jobq_str names[11];
    for (int i = 0; i < 11; i++)
        names[i] = STR("state");
    for (int n = 0; n <= 11; n++) {
        sdb_wire_get(&w->query, domain, STR("render-1"), names, n, n % 2);
        sdb_is(w, size_get(&w->client, domain.len, 8, n, 5 * n, n % 2, 0, 0));
    }
    struct jobq_str select = STR("select * from `d` where state = 'queued'");
    sdb_wire_select(&w->query, select, true, STR(""));
    sdb_is(w, size_select(&w->client, query_encoded_bytes(select), true, 0, 0, 0, 0, 0));
    sdb_wire_select(&w->query, select, false, STR("tok"));
    sdb_is(w, size_select(&w->client, query_encoded_bytes(select), false, 3, 0, 0, 0, 0));
    sdb_wire_domain(&w->query, "CreateDomain", domain);
    sdb_is(w, size_create_domain(&w->client, domain.len));
    sdb_wire_domain(&w->query, "DeleteDomain", domain);
    sdb_is(w, size_delete_domain(&w->client, domain.len));
    sdb_wire_domain(&w->query, "DomainMetadata", domain);
    sdb_is(w, size_domain_stats(&w->client, domain.len));
    sdb_wire_list(&w->query, 100, STR("tok"));
    sdb_is(w, size_list_domains(&w->client, 3, 100, 0, 0, 0));
}

static void check_ec2(struct world *w)
{
    struct jobq_tag tags[2] = {{STR("jobq.queue"), STR("render")},
                               {STR("Name"), STR("x")}};
    int64_t tag_bytes = 10 + 6 + 4 + 1;
    struct jobq_str ids[12];
    for (int i = 0; i < 12; i++)
        ids[i] = STR("i-0123456789abcdef0");
    struct jobq_launch launch = {.type = "t4g.nano",
                                 .image = "ami-1",
                                 .tag = tags,
                                 .tag_count = 2,
                                 .count = 12,
                                 .spot = true,
                                 .client_token = "abc"};
    ec2_wire_launch(&w->query, &launch);
    ec2_is(w, size_launch(&w->client, 8, 5, 0, 2, tag_bytes, 12, true, 3));
    ec2_wire_terminate(&w->query, ids, 12);
    ec2_is(w, size_terminate(&w->client, 12));
    ec2_wire_describe(&w->query, tags[0], STR(""));
    ec2_is(w, size_describe(&w->client, 10 + 6, 0));
    ec2_wire_tag(&w->query, ids, 12, tags, 2);
    ec2_is(w, size_tag(&w->client, 12, 2, tag_bytes));
}

static void requests_are_as_predicted(void **state)
{
    (void)state;
    static const char *const region[] = {"us-east-1", "ap-northeast-1"};
    for (int r = 0; r < 2; r++)
        for (int64_t token = 0; token <= 900; token += 900) {
            struct world w;
            world_open(&w, region[r], token);
            check_sqs(&w);
            check_sdb_writes(&w);
            check_sdb_reads(&w);
            check_ec2(&w);
            world_close(&w);
        }
}

/* ---- sizes of strings, against the encoders -------------------------------------------- */

enum { STRING_MAX = 12345 };

/* The last byte before a page that must not be read. */
static char *page_end(void)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE), bytes = STRING_MAX / page * page + page;
    char *at = mmap(NULL, bytes + page, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(at != MAP_FAILED);
    assert_int_equal(mprotect(at + bytes, page, PROT_NONE), 0);
    return at + bytes;
}

static void string_sizes_are(struct jobq_str s)
{
    struct text encoded = {0}, quoted = {0};
    query_encode(&encoded, s);
    text_put_json(&quoted, s);
    struct jobq_attr attr[20];
    for (int i = 0; i < 20; i++)
        attr[i] = (struct jobq_attr){.name = s, .value = s};
    const struct jobq_item item = {s, attr, 20}, bare = {s, attr, 0};
    struct jobq_expect expect = {.name = s, .value = s, .exists = true};
    int64_t bytes = (int64_t)encoded.len;
    assert_int_equal(query_encoded_bytes(s), bytes);
    assert_int_equal(query_encoded_put(&bare, NULL), bytes);
    assert_int_equal(query_encoded_put(&item, &expect), 43 * bytes);
    expect.exists = false;
    assert_int_equal(query_encoded_put(&item, &expect), 42 * bytes);
    assert_int_equal(text_json_bytes(s), (int64_t)quoted.len - 2);
    text_release(&encoded);
    text_release(&quoted);
}

static void sizes_of_strings_are_those_of_the_encoders(void **state)
{
    (void)state;
    static const char *const alphabet[] = {"az", "abcxyz019-_.~AZ", "a/ \"\\\n",
                                           "\n\r\b\x0b"};
    struct dice dice;
    dice_init(&dice, 11, "strings", 0);
    char *end = page_end();
    for (int64_t len = 0; len <= 100; len++)
        for (int c = 0; c < 256; c++) { /* each byte in a random place among letters */
            memset(end - len, c % 3 ? 'a' : 'z', (size_t)len);
            if (len > 0)
                end[-1 - (int64_t)dice_below(&dice, (uint64_t)len)] = (char)c;
            string_sizes_are((struct jobq_str){end - len, len});
        }
    for (int round = 0; round < 4000; round++) {
        int64_t most = round % 100 ? 100 : STRING_MAX;
        int64_t len = (int64_t)dice_below(&dice, (uint64_t)most + 1);
        const char *of = alphabet[round % 4];
        for (char *p = end - len; p < end; p++)
            *p = round % 5 ? of[dice_below(&dice, strlen(of))] : (char)dice_bits(&dice);
        string_sizes_are((struct jobq_str){end - len, len});
    }
    for (int i = 0; i < 2; i++) { /* nothing to escape, and nothing but */
        memset(end - STRING_MAX, "a\""[i], STRING_MAX);
        for (int64_t len = 4000; len <= STRING_MAX; len += len < 4200 ? 1 : 97)
            string_sizes_are((struct jobq_str){end - len, len});
    }
    string_sizes_are((struct jobq_str){NULL, 5});
    string_sizes_are((struct jobq_str){NULL, 1024});
}

/* A list's size is the sum of its attributes', whatever their indexes. */
static void lists_add_up(void **state)
{
    (void)state;
    struct jobq_attr attr[120];
    for (int i = 0; i < 120; i++)
        attr[i] = (struct jobq_attr){STR("name"), STR("a value"), i % 3 > 0};
    for (int count = 0; count <= 120; count++)
        for (int items = 0; items <= 12; items++) { /* 0: not a batch */
            struct size_attrs one = {0}, list = {0};
            for (int k = 0; k < (items ? items : 1); k++) {
                if (items) {
                    size_item(&one, 7);
                    size_item(&list, 7);
                }
                for (int i = 0; i < count; i++)
                    size_attr(&one, 0, 0, attr[i].replace);
                size_attr_list(&list, attr, count / 2);
                size_attr_list(&list, attr + count / 2, count - count / 2);
            }
            assert_memory_equal(&one, &list, sizeof one);
        }
}

static void digits_are_counted(void **state)
{
    (void)state;
    int64_t power = 1;
    for (int digits = 1; digits <= 18; digits++, power *= 10) {
        assert_int_equal(size_digits(power), digits);
        assert_int_equal(size_digits(power * 10 - 1), digits);
    }
    assert_int_equal(size_digits(0), 1);
    assert_int_equal(size_digits(INT64_MAX), 19);
}

/* SQS repeats the receipt, which has some 400 bytes, before it says what it has against it. */
static void a_long_receipt_does_not_hide_the_reason(void **state)
{
    (void)state;
    static const struct {
        const char *reason;
        int means;
    } said[] = {
        {"Message does not exist or is not available for visibility timeout change.",
         JOBQ_NOT_FOUND},
        {"The receipt handle has expired.", JOBQ_NOT_FOUND},
        {"Total VisibilityTimeout for the message is beyond the limit [43200 seconds]",
         JOBQ_LIMIT},
        {"Must be between 0 and 43200.", JOBQ_INVALID}};
    for (size_t i = 0; i < sizeof said / sizeof said[0]; i++) {
        char message[700];
        struct jobq_entry_result result;
        snprintf(message, sizeof message,
                 "Value %0420d for parameter ReceiptHandle is invalid. Reason: %s", 0,
                 said[i].reason);
        assert_int_equal(
            sqs_wire_entry_code(STR("InvalidParameterValue"), str_of(message)),
            said[i].means);
        sqs_wire_entry_text(STR("InvalidParameterValue"), str_of(message), &result);
        assert_non_null(
            strstr(result.text, said[i].reason + strlen(said[i].reason) - 20));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_long_receipt_does_not_hide_the_reason),
        cmocka_unit_test(requests_are_as_predicted),
        cmocka_unit_test(sizes_of_strings_are_those_of_the_encoders),
        cmocka_unit_test(lists_add_up),
        cmocka_unit_test(digits_are_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
