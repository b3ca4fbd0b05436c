/* test_import.c - AWS offer files in their CSV form: what becomes a row, what is refused. */
#include "pricing/import.h"
#include "pricing/sheet.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static int import(const char *text, struct sheet **out, struct import_counts *counts,
                  struct jobq_error *err)
{
    FILE *file = fmemopen((void *)(uintptr_t)text, strlen(text), "rb");
    memset(counts, 0, sizeof *counts);
    *out = sheet_new("us-east-1", "2026-11");
    int code = import_offer(file, "offer", *out, counts, err);
    if (!code)
        code = sheet_finish(*out, "offer", err);
    fclose(file);
    return code;
}

#define META                                                                             \
    "\"FormatVersion\",\"v1.0\"\n\"Disclaimer\",\"This is, they say, "                   \
    "\"\"informational\"\"\"\n"                                                          \
    "\"Publication Date\",\"2026-09-11T12:46:07Z\"\r\n\"Version\",\"20260911124607\"\n"  \
    "\"OfferCode\",\"AWSQueueService\"\n"
#define HEADER                                                                           \
    "\"SKU\",\"TermType\",\"EffectiveDate\",\"StartingRange\",\"EndingRange\","          \
    "\"PricePerUnit\",\"Currency\",\"Product Family\",\"serviceCode\",\"Region Code\","  \
    "\"queueType\",\"Operating System\",\"Tenancy\",\"Pre Installed S/W\","              \
    "\"CapacityStatus\",\"operation\",\"usageType\",\"Instance Type\"\n"
/* One price line: SKU, term, tier and price; family, service and region; the rest. */
#define SQS(sku, region, from, to, usd)                                                  \
    sku ",OnDemand,2026-09-01," from "," to "," usd                                      \
        ",USD,API Request,AWSQueueService," region ",Standard,,,,,,,\n"
#define BOX(sku, term, os, usd)                                                          \
    sku "," term ",2026-09-01,0,Inf," usd                                                \
        ",USD,Compute Instance,AmazonEC2,us-east-1,," os                                 \
        ",Shared,NA,Used,RunInstances,BoxUsage:c7g.large,c7g.large\n"
#define TABLE(sku, from, to, usd)                                                        \
    sku ",OnDemand,2026-09-01," from "," to "," usd                                      \
        ",USD,Database Storage,AmazonDynamoDB,us-east-1,,,,,,,TimedStorage-ByteHrs,\n"

static const char CSV[] = META HEADER
    /* Tiers in any order; another region; a second SKU and a reserved term of one item. */
    SQS("A1", "us-east-1", "100000000000", "Inf", "0.0000003000")
        SQS("A1", "us-east-1", "0", "100000000000", "0.0000004000")
            SQS("A2", "eu-west-1", "0", "Inf", "0.5")
                BOX("A3", "OnDemand", "Linux", "0.0725000000")
                    BOX("A6", "OnDemand", "Linux", "0.0999000000")
                        BOX("A3", "Reserved", "Linux", "100")
                            BOX("A4", "OnDemand", "Windows", "9.9")
                                TABLE("A5", "0", "25", "0.0000000000")
                                    TABLE("A5", "25", "Inf", "0.2500000000");

static void offers_become_rows(void **state)
{
    (void)state;
    struct jobq_error err = {0};
    struct import_counts counts;
    struct sheet *sheet;
    struct sheet_price price;
    if (import(CSV, &sheet, &counts, &err))
        fail_msg("%s", err.text);
    assert_int_equal(counts.products, 9);
    assert_int_equal(counts.prices, 5);
    assert_int_equal(counts.rows, 5);
    assert_int_equal(counts.unused, 3);
    assert_int_equal(counts.other_regions, 1);
    assert_string_equal(sheet_property(sheet, "offer_code"), "AWSQueueService");
    assert_string_equal(sheet_property(sheet, "offer_version"), "20260911124607");
    assert_string_equal(sheet_property(sheet, "publication_date"),
                        "2026-09-11T12:46:07Z");
    assert_int_equal(sheet_find(sheet, "sqs", "standard", &price, &err), JOBQ_OK);
    assert_int_equal(price.tier_count, 2);
    assert_true(price.tier[0].usd == 4e-7 && price.tier[0].to == 1e11);
    assert_true(price.tier[1].usd == 3e-7);
    assert_int_equal(price.tier[0].grain, 65536);
    assert_string_equal(price.tier[0].date, "2026-09-01");
    assert_int_equal(sheet_find(sheet, "ec2", "c7g.large", &price, &err), JOBQ_OK);
    assert_int_equal(price.tier_count, 1);
    assert_true(price.tier[0].usd == 0.0725);
    assert_int_equal(price.tier[0].minimum, 60);
    assert_int_equal(sheet_find(sheet, "dynamodb", "storage", &price, &err), JOBQ_OK);
    assert_int_equal(price.tier_count, 1);
    assert_true(price.tier[0].usd == 0.25 && price.tier[0].from == 0);
    assert_true(sheet_free_units(sheet, "dynamodb", "storage") == 25);
    sheet_free(sheet);
}

static void malformed_offers_name_the_line(void **state)
{
    (void)state;
    static const struct {
        const char *text, *expect;
    } bad[] = {
        {"x", "offer:2: no header line"},
        {"\n{\"formatVersion\":\"v1.0\"",
         "offer:2: this is JSON: jobq reads the CSV form"},
        {"\"a\",\"b\n", "offer:1: malformed quoting"},
        {"SKU,TermType\nA1\n", "offer:2: not as many fields"},
        {META HEADER SQS("A1", "us-east-1", "0", "Inf", "x"),
         "offer:7: sqs.standard: malformed number 'x'"},
        {META HEADER SQS("A1", "us-east-1", "5", "Inf", "1"), "does not start at 0"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct jobq_error err = {0};
        struct import_counts counts;
        struct sheet *sheet;
        assert_int_equal(import(bad[i].text, &sheet, &counts, &err), JOBQ_INVALID);
        if (!strstr(err.text, bad[i].expect))
            fail_msg("%zu: '%s' has no '%s'", i, err.text, bad[i].expect);
        sheet_free(sheet);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(offers_become_rows),
        cmocka_unit_test(malformed_offers_name_the_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
