/* test_import.c - AWS offer files: what becomes a row, in either form, by any piece size. */
#include "pricing/import.h"
#include "pricing/json_stream.h"
#include "pricing/sheet.h"

#include "base/arena.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* A text handed out in pieces of at most `piece` bytes. */
struct pieces {
    const char *text;
    size_t len, at, piece;
    int rewinds;
};

static int read_pieces(void *ctx, char *out, size_t cap, size_t *got,
                       struct jobq_error *err)
{
    struct pieces *p = ctx;
    (void)err;
    size_t n = p->len - p->at;
    n = n < p->piece ? n : p->piece;
    n = n < cap ? n : cap;
    memcpy(out, p->text + p->at, n);
    p->at += n;
    *got = n;
    return JOBQ_OK;
}

static int rewind_pieces(void *ctx, struct jobq_error *err)
{
    struct pieces *p = ctx;
    (void)err;
    p->at = 0;
    p->rewinds++;
    return JOBQ_OK;
}

static int import(const char *text, size_t piece, const char *region, struct sheet **out,
                  struct import_counts *counts, struct jobq_error *err)
{
    struct pieces p = {text, strlen(text), 0, piece, 0};
    struct import_source source = {&p, read_pieces, rewind_pieces};
    memset(counts, 0, sizeof *counts);
    *out = sheet_new(region, "2026-11");
    int code = import_offer(&source, "offer", *out, counts, err);
    if (!code)
        code = sheet_finish(*out, "offer", err);
    return code;
}

#define PRODUCT(sku, family, attributes)                                                 \
    "\"" sku "\":{\"sku\":\"" sku "\",\"productFamily\":\"" family                       \
    "\",\"attributes\":{" attributes "}}"
#define PRICE(sku, rate, from, to, usd)                                                  \
    "\"" sku ".T." rate "\":{\"unit\":\"x\",\"beginRange\":\"" from                      \
    "\",\"endRange\":\"" to                                                              \
    "\",\"description\":\"a \\\"quoted\\\" \\u20ac text\",\"appliesTo\":[],"             \
    "\"pricePerUnit\":{\"USD\":\"" usd "\"}}"
#define TERM(sku, prices)                                                                \
    "\"" sku "\":{\"" sku ".T\":{\"effectiveDate\":\"2026-09-01T00:00:00Z\","            \
    "\"priceDimensions\":{" prices "},\"termAttributes\":{}}}"

#define HEAD                                                                             \
    "{\"formatVersion\":\"v1.0\",\"offerCode\":\"AWSQueueService\","                     \
    "\"version\":\"20260911124607\",\"publicationDate\":\"2026-09-11T12:46:07Z\","
#define PRODUCTS                                                                                                                                                                                                            \
    "\"products\":{" PRODUCT(                                                                                                                                                                                               \
        "A1", "API Request",                                                                                                                                                                                                \
        "\"servicecode\":\"AWSQueueService\",\"regionCode\":"                                                                                                                                                               \
        "\"us-east-1\",\"queueType\":\"Standard\"") "," PRODUCT("A2", "API Request",                                                                                                                                        \
                                                                "\"servicecode\":"                                                                                                                                          \
                                                                "\"AWSQueueService\","                                                                                                                                      \
                                                                "\"regionCode\":"                                                                                                                                           \
                                                                "\"eu-west-1\","                                                                                                                                            \
                                                                "\"queueType\":"                                                                                                                                            \
                                                                "\"Standard\"") "," PRODUCT("A3",                                                                                                                           \
                                                                                            "Compute Instance",                                                                                                             \
                                                                                            "\"servicecode\":\"AmazonEC2\",\"regionCode\":"                                                                                 \
                                                                                            "\"us-east-1\",\"operatingSystem\":\"Linux\",\"tenancy\":\"Shared\","                                                           \
                                                                                            "\"preInstalledSw\":\"NA\",\"capacitystatus\":\"Used\",\"operation\":"                                                          \
                                                                                            "\"RunInstances\",\"usagetype\":\"BoxUsage:c7g.large\",\"instanceType\":"                                                       \
                                                                                            "\"c7g.large\"") "," PRODUCT("A4",                                                                                              \
                                                                                                                         "Compute Instance",                                                                                \
                                                                                                                         "\"servicecode\":\"AmazonEC2\",\"regionCode\":"                                                    \
                                                                                                                         "\"us-east-1\",\"operatingSystem\":\"Windows\",\"tenancy\":\"Shared\","                            \
                                                                                                                         "\"instanceType\":\"c7g.large\"") "," PRODUCT("A5",                                                \
                                                                                                                                                                       "Database Storage",                                  \
                                                                                                                                                                       "\"servicecode\":\"AmazonDynamoDB\",\"regionCode\":" \
                                                                                                                                                                       "\"us-east-1\",\"usagetype\":\"TimedStorage-ByteHrs\"") "}"
#define TERMS                                                                                                                                                        \
    "\"terms\":{\"Reserved\":{\"A3\":{\"x\":[1,2.5e3,null,true]}},\"OnDemand\":{" TERM(                                                                              \
        "A1",                                                                                                                                                        \
        PRICE("A1", "b", "100000000000", "Inf", "0.0000003000") "," PRICE(                                                                                           \
            "A1", "a", "0", "100000000000",                                                                                                                          \
            "0.0000004000")) "," TERM("A2",                                                                                                                          \
                                      PRICE(                                                                                                                         \
                                          "A2", "a", "0", "Inf",                                                                                                     \
                                          "0.5")) "," TERM("A3",                                                                                                     \
                                                           PRICE(                                                                                                    \
                                                               "A3", "a", "0", "Inf",                                                                                \
                                                               "0.0725000000")) "," TERM("A4",                                                                       \
                                                                                         PRICE(                                                                      \
                                                                                             "A4",                                                                   \
                                                                                             "a",                                                                    \
                                                                                             "0",                                                                    \
                                                                                             "Inf",                                                                  \
                                                                                             "9.9")) "," TERM("A5",                                                  \
                                                                                                              PRICE("A5", "a", "0", "25", "0.0000000000") "," PRICE( \
                                                                                                                  "A5",                                              \
                                                                                                                  "b",                                               \
                                                                                                                  "25",                                              \
                                                                                                                  "Inf",                                             \
                                                                                                                  "0.2500000000")) "}}"

static void check_rows(struct sheet *sheet)
{
    struct sheet_price price;
    struct jobq_error err;
    assert_int_equal(sheet_find(sheet, "sqs", "standard", &price, &err), JOBQ_OK);
    assert_int_equal(price.tier_count, 2);
    assert_true(price.tier[0].usd == 4e-7 && price.tier[0].to == 1e11);
    assert_true(price.tier[1].usd == 3e-7);
    assert_int_equal(price.tier[0].grain, 65536);
    assert_string_equal(price.tier[0].date, "2026-09-01");
    assert_int_equal(sheet_find(sheet, "ec2", "c7g.large", &price, &err), JOBQ_OK);
    assert_true(price.tier[0].usd == 0.0725);
    assert_int_equal(price.tier[0].minimum, 60);
    assert_int_equal(sheet_find(sheet, "dynamodb", "storage", &price, &err), JOBQ_OK);
    assert_int_equal(price.tier_count, 1);
    assert_true(price.tier[0].usd == 0.25 && price.tier[0].from == 0);
    assert_true(sheet_free_units(sheet, "dynamodb", "storage") == 25);
}

static void json_offers_become_rows(void **state)
{
    (void)state;
    static const size_t piece[] = {1, 7, 4096};
    for (size_t i = 0; i < 3; i++) {
        struct jobq_error err = {0};
        struct import_counts counts;
        struct sheet *sheet;
        if (import(HEAD PRODUCTS "," TERMS "}", piece[i], "us-east-1", &sheet, &counts,
                   &err))
            fail_msg("%s", err.text);
        check_rows(sheet);
        assert_int_equal(counts.products, 5);
        assert_int_equal(counts.rows, 5);
        assert_int_equal(counts.unused, 1);
        assert_int_equal(counts.other_regions, 1);
        assert_string_equal(sheet_property(sheet, "offer_code"), "AWSQueueService");
        assert_string_equal(sheet_property(sheet, "offer_version"), "20260911124607");
        assert_string_equal(sheet_property(sheet, "publication_date"),
                            "2026-09-11T12:46:07Z");
        sheet_free(sheet);
    }
}

static void terms_before_products_need_a_second_pass(void **state)
{
    (void)state;
    struct jobq_error err = {0};
    struct import_counts counts = {0};
    const char *text = HEAD TERMS "," PRODUCTS "}";
    struct pieces p = {text, strlen(text), 0, 100, 0};
    struct import_source source = {&p, read_pieces, rewind_pieces};
    struct sheet *sheet = sheet_new("us-east-1", "2026-11");
    if (import_offer(&source, "offer", sheet, &counts, &err))
        fail_msg("%s", err.text);
    assert_int_equal(p.rewinds, 1);
    assert_int_equal(sheet_finish(sheet, "offer", &err), JOBQ_OK);
    check_rows(sheet);
    sheet_free(sheet);
}

static const char CSV[] =
    "\"FormatVersion\",\"v1.0\"\n\"Disclaimer\",\"This is, they say, "
    "\"\"informational\"\"\"\n"
    "\"Publication Date\",\"2026-09-11T12:46:07Z\"\r\n\"Version\",\"20260911124607\"\n"
    "\"OfferCode\",\"AWSQueueService\"\n"
    "\"SKU\",\"TermType\",\"EffectiveDate\",\"StartingRange\",\"EndingRange\","
    "\"PricePerUnit\","
    "\"Currency\",\"Product Family\",\"serviceCode\",\"Region Code\",\"queueType\","
    "\"Operating System\",\"Tenancy\",\"Pre Installed "
    "S/W\",\"CapacityStatus\",\"operation\","
    "\"usageType\",\"Instance Type\"\n"
    "A1,OnDemand,2026-09-01,0,100000000000,0.0000004000,USD,API Request,AWSQueueService,"
    "us-east-1,Standard,,,,,,,\n"
    "A1,OnDemand,2026-09-01,100000000000,Inf,0.0000003000,USD,API "
    "Request,AWSQueueService,"
    "us-east-1,Standard,,,,,,,\n"
    "A2,OnDemand,2026-09-01,0,Inf,0.5,USD,API Request,AWSQueueService,eu-west-1,Standard,"
    ",,,,,,\n"
    "A3,OnDemand,2026-09-01,0,Inf,0.0725000000,USD,Compute Instance,AmazonEC2,us-east-1,,"
    "Linux,Shared,NA,Used,RunInstances,BoxUsage:c7g.large,c7g.large\n"
    "A6,OnDemand,2026-09-01,0,Inf,0.0999000000,USD,Compute Instance,AmazonEC2,us-east-1,,"
    "Linux,Shared,NA,Used,RunInstances,BoxUsage:c7g.large,c7g.large\n"
    "A3,Reserved,2026-09-01,,,100,USD,Compute Instance,AmazonEC2,us-east-1,,"
    "Linux,Shared,NA,Used,RunInstances,BoxUsage:c7g.large,c7g.large\n";

static void of_several_terms_the_first_is_in_force(void **state)
{
    (void)state;
    struct jobq_error err = {0};
    struct import_counts counts;
    struct sheet *sheet;
    struct sheet_price price;
    const char *text =
        "{\"products\":{\"A\":{\"attributes\":{\"servicecode\":\"AmazonSimpleDB\","
        "\"usagetype\":\"BoxUsage\"}}},\"terms\":{\"OnDemand\":{\"A\":{\"A.1\":{"
        "\"priceDimensions\":{\"x\":{\"pricePerUnit\":{\"USD\":\"0.14\"}}}},\"A.2\":{"
        "\"priceDimensions\":{\"x\":{\"pricePerUnit\":{\"USD\":\"0.15\"}}}}}}}}";
    if (import(text, 100, "us-east-1", &sheet, &counts, &err))
        fail_msg("%s", err.text);
    assert_int_equal(sheet_find(sheet, "simpledb", "box", &price, &err), JOBQ_OK);
    assert_int_equal(price.tier_count, 1);
    assert_true(price.tier[0].usd == 0.14);
    sheet_free(sheet);
}

static void csv_offers_become_rows(void **state)
{
    (void)state;
    struct jobq_error err = {0};
    struct import_counts counts;
    struct sheet *sheet;
    struct sheet_price price;
    if (import(CSV, 50, "us-east-1", &sheet, &counts, &err))
        fail_msg("%s", err.text);
    assert_int_equal(counts.rows, 3);
    assert_int_equal(sheet_find(sheet, "sqs", "standard", &price, &err), JOBQ_OK);
    assert_int_equal(price.tier_count, 2);
    assert_int_equal(sheet_find(sheet, "ec2", "c7g.large", &price, &err), JOBQ_OK);
    assert_int_equal(price.tier_count, 1);
    assert_true(price.tier[0].usd == 0.0725);
    assert_string_equal(sheet_property(sheet, "publication_date"),
                        "2026-09-11T12:46:07Z");
    sheet_free(sheet);
}

static void malformed_offers_name_the_line(void **state)
{
    (void)state;
    static const struct {
        const char *text, *expect;
        int code;
    } bad[] = {
        {"", "offer:1: no header line", JOBQ_INVALID},
        {"{", "offer:1: the document ends too early", JOBQ_INVALID},
        {"{\n\n\"a\" 1}", "offer:3: unexpected '1'", JOBQ_INVALID},
        {"{\"a\":01}", "offer:1: unexpected '1'", JOBQ_INVALID},
        {"{\"a\":tru}", "offer:1: unexpected '}'", JOBQ_INVALID},
        {"{\"a\":[1,]}", "offer:1: unexpected ']'", JOBQ_INVALID},
        {"{\"a\":1]", "offer:1: unexpected ']'", JOBQ_INVALID},
        {"{\"a\":\"\n\"}", "unexpected byte 0x0a", JOBQ_INVALID},
        {"{\"a\":\"\\ud800x\"}", "surrogate", JOBQ_INVALID},
        {"{\"a\":1} x", "offer:1: unexpected 'x'", JOBQ_INVALID},
        {"{\"a\":1}", "no products", JOBQ_INVALID},
        {"{\"products\":[]}", "an object is expected", JOBQ_INVALID},
        {HEAD PRODUCTS ",\"terms\":{\"OnDemand\":{\n" TERM(
             "A1", PRICE("A1", "a", "0", "Inf", "x")) "}}}",
         "offer:2: sqs.standard: malformed number 'x'", JOBQ_INVALID},
        {HEAD PRODUCTS ",\"terms\":{\"OnDemand\":{\n" TERM(
             "A1", PRICE("A1", "a", "5", "Inf", "1")) "}}}",
         "does not start at 0", JOBQ_INVALID},
        {"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[",
         "an object is expected", JOBQ_INVALID},
        {"\"a\",\"b\n", "offer:1: malformed quoting", JOBQ_INVALID},
        {"SKU,TermType\nA1\n", "offer:2: not as many fields", JOBQ_INVALID},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct jobq_error err = {0};
        struct import_counts counts;
        struct sheet *sheet;
        assert_int_equal(import(bad[i].text, 5, "us-east-1", &sheet, &counts, &err),
                         bad[i].code);
        if (!strstr(err.text, bad[i].expect))
            fail_msg("%zu: '%s' has no '%s'", i, err.text, bad[i].expect);
        sheet_free(sheet);
    }
}

static void tokens_carry_their_text(void **state)
{
    (void)state;
    const char *text = " {\"k\\u00e9\\ud83d\\ude00\" : [ -1.50e+2 , true, \"\\t\" ] } ";
    struct pieces p = {text, strlen(text), 0, 3, 0};
    struct jobq_error err = {0};
    struct json_stream *s = json_stream_new(read_pieces, &p, "t");
    static const struct {
        int token;
        const char *text;
    } expect[] = {
        {JSON_STREAM_OBJECT, NULL},    {JSON_STREAM_KEY, "k\xc3\xa9\xf0\x9f\x98\x80"},
        {JSON_STREAM_ARRAY, NULL},     {JSON_STREAM_NUMBER, "-1.50e+2"},
        {JSON_STREAM_WORD, "true"},    {JSON_STREAM_STRING, "\t"},
        {JSON_STREAM_ARRAY_END, NULL}, {JSON_STREAM_OBJECT_END, NULL},
        {JSON_STREAM_END, NULL}};
    for (size_t i = 0; i < sizeof expect / sizeof *expect; i++) {
        assert_int_equal(json_stream_next(s, &err), expect[i].token);
        if (expect[i].text)
            assert_string_equal(json_stream_text(s), expect[i].text);
    }
    json_stream_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(json_offers_become_rows),
        cmocka_unit_test(terms_before_products_need_a_second_pass),
        cmocka_unit_test(of_several_terms_the_first_is_in_force),
        cmocka_unit_test(csv_offers_become_rows),
        cmocka_unit_test(malformed_offers_name_the_line),
        cmocka_unit_test(tokens_carry_their_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
