/* test_sheet.c - facts about price sheets: what is read, refused and answered. */
#include "pricing/csv.h"
#include "pricing/sheet.h"

#include "base/arena.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void near(double value, double expect, double tolerance)
{
    if (!(fabs(value - expect) <= tolerance))
        fail_msg("%.12g is not %.12g", value, expect);
}

static struct sheet *open_sheet(const char *region, const char *date)
{
    const char *name[64];
    struct jobq_error err;
    struct sheet *sheet;
    for (int i = 0; i < sheet_file_count; i++)
        name[i] = sheet_files[i].name;
    int at = sheet_pick(name, sheet_file_count, region, date, &err);
    assert_true(at >= 0);
    assert_int_equal(sheet_parse((const char *)sheet_files[at].bytes, sheet_files[at].len,
                                 name[at], &sheet, &err),
                     JOBQ_OK);
    return sheet;
}

static void every_shipped_sheet_reads_and_writes_back(void **state)
{
    (void)state;
    assert_true(sheet_file_count >= 12);
    for (int i = 0; i < sheet_file_count; i++) {
        struct jobq_error err = {0};
        struct sheet *sheet, *again;
        char *text, *text2;
        size_t len, len2;
        if (sheet_parse((const char *)sheet_files[i].bytes, sheet_files[i].len,
                        sheet_files[i].name, &sheet, &err))
            fail_msg("%s", err.text);
        char region[32], date[16];
        assert_true(sheet_name_split(sheet_files[i].name, region, 32, date, 16));
        assert_string_equal(region, sheet_region(sheet));
        assert_string_equal(date, sheet_date(sheet));
        sheet_write(sheet, &text, &len);
        assert_int_equal(sheet_parse(text, len, "again", &again, &err), JOBQ_OK);
        assert_int_equal(sheet_row_count(again), sheet_row_count(sheet));
        sheet_write(again, &text2, &len2);
        assert_int_equal(len, len2);
        assert_memory_equal(text, text2, len);
        free(text);
        free(text2);
        sheet_free(again);
        sheet_free(sheet);
    }
}

/* Figures typed in from AWS's own files, read independently of the sheets' generator. */
static void known_prices(void **state)
{
    (void)state;
    static const struct {
        const char *region, *date, *service, *item;
        double usd;
    } known[] = {
        {"us-east-1", "2012-10", "ec2", "m1.small", .080},
        {"us-east-1", "2012-12", "ec2", "m1.small", .065},
        {"us-west-2", "2012-10", "ec2", "m1.small", .080},
        {"us-west-2", "2012-12", "ec2", "m1.small", .065},
        {"eu-west-1", "2012-10", "ec2", "m1.small", .085},
        {"eu-west-1", "2012-12", "ec2", "m1.small", .085},
        {"ap-northeast-1", "2012-10", "ec2", "c1.xlarge", .760},
        {"us-east-1", "2012-12", "ec2", "m3.xlarge", .580},
        {"us-east-1", "2012-10", "ec2-spot", "m1.small", .007},
        {"ap-northeast-1", "2012-10", "ec2-spot", "t1.micro", .007},
        {"us-east-1", "2026", "ec2", "c7g.medium", .0363},
        {"us-east-1", "2026", "ec2", "t4g.nano", .0042},
        {"us-east-1", "2026", "ec2", "c7i.large", .08925},
        {"us-east-1", "2026", "sqs", "standard", 4e-7},
        {"us-east-1", "2012-10", "sqs", "standard", 1e-6},
        {"us-east-1", "2026", "dynamodb", "write", 6.25e-7},
        {"eu-west-1", "2012-10", "simpledb", "box", .154},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        struct sheet *sheet = open_sheet(known[i].region, known[i].date);
        struct sheet_price price;
        struct jobq_error err;
        if (sheet_find(sheet, known[i].service, known[i].item, &price, &err))
            fail_msg("%s", err.text);
        assert_true(price.tier[0].usd == known[i].usd);
        sheet_free(sheet);
    }
}

static void an_unknown_price_is_named_and_can_be_borrowed(void **state)
{
    (void)state;
    struct jobq_error err;
    struct sheet_price price;
    struct sheet *ohio = open_sheet("us-east-2", "2026"); /* has no SimpleDB */
    struct sheet *virginia = open_sheet("us-east-1", NULL);
    assert_string_equal(sheet_date(virginia), "2026-10");
    assert_int_equal(sheet_find(ohio, "simpledb", "box", &price, &err), JOBQ_NOT_FOUND);
    assert_non_null(strstr(err.text, "simpledb.box"));
    assert_non_null(strstr(err.text, "us-east-2"));
    sheet_assume(ohio, virginia);
    assert_int_equal(sheet_find(ohio, "simpledb", "box", &price, &err), JOBQ_OK);
    assert_true(price.assumed);
    assert_string_equal(price.region, "us-east-1");
    assert_int_equal(sheet_find(ohio, "ec2", "t2.micro", &price, &err), JOBQ_OK);
    assert_false(price.assumed);
    sheet_free(ohio);
    sheet_free(virginia);
}

static void tiers_and_free_amounts(void **state)
{
    (void)state;
    struct jobq_error err;
    struct sheet_price price;
    struct sheet *sheet = open_sheet("us-east-1", "2026");
    assert_int_equal(sheet_find(sheet, "sqs", "standard", &price, &err), JOBQ_OK);
    assert_int_equal(price.tier_count, 3);
    near(sheet_cost(&price, 100e9, 0, 1), 40000, 1e-6);
    near(sheet_cost(&price, 250e9, 0, 1), 40000 + 30000 + 12000, 1e-6);
    near(sheet_cost(&price, 250e9, 0, 12), 100000, 1e-6);
    near(sheet_free_units(sheet, "sqs", "fifo"), 1e6, 0);
    near(sheet_cost(&price, 3e6, 1e6, 1), 0.8, 1e-9);
    near(sheet_cost(&price, 3e6, 1e6, 4), 0, 0);
    near(sheet_free_units(sheet, "transfer", "out"), 100, 0);
    near(sheet_free_units(sheet, "transfer", "in"), 0, 0);
    sheet_free(sheet);
}

static void instance_time_rounds_by_its_era(void **state)
{
    (void)state;
    struct sheet_row now = {.unit = SHEET_HOUR, .grain = 1, .minimum = 60};
    struct sheet_row then = {.unit = SHEET_HOUR, .grain = 3600};
    assert_true(sheet_billed_seconds(&now, 1) == 60);
    assert_true(sheet_billed_seconds(&now, 60) == 60);
    assert_true(sheet_billed_seconds(&now, 60.000001) == 61);
    assert_true(sheet_billed_seconds(&now, 61) == 61);
    assert_true(sheet_billed_seconds(&now, 0) == 0);
    assert_true(sheet_billed_seconds(&then, 1) == 3600);
    assert_true(sheet_billed_seconds(&then, 3600) == 3600);
    assert_true(sheet_billed_seconds(&then, 3600.000001) == 7200);
}

static void malformed_sheets_name_the_line(void **state)
{
    (void)state;
#define HEAD                                                                             \
    "#: region = us-east-1\n#: date = 2026\nservice,item,unit,from,to,usd,source,"       \
    "date,confidence\n"
    static const struct {
        const char *text, *expect;
    } bad[] = {
        {"", "s.csv:0: no header"},
        {"service,item,unit,from,to,usd,source,date,confidence\n", "s.csv:1:"},
        {"#: region = us-east-1\nservice,item\n", "s.csv:2: the header"},
        {HEAD "sqs,standard,request,0,,1e-6,x,2012\n", "s.csv:4: fewer than 9 fields"},
        {HEAD "sqs,standard,request,0,,1e-6,x,2012,H,more\n", "s.csv:4: more than 9"},
        {HEAD "sqs,standard,litre,0,,1e-6,x,2012,H\n", "s.csv:4: unknown unit 'litre'"},
        {HEAD "sqs,standard,request/0KiB,0,,1e-6,x,2012,H\n", "s.csv:4: unknown unit"},
        {HEAD "sqs,standard,request,0,,-1,x,2012,H\n", "s.csv:4: malformed price '-1'"},
        {HEAD "sqs,standard,request,0,,nan,x,2012,H\n", "s.csv:4: malformed price"},
        {HEAD "sqs,standard,request,0,,1e-6,x,2012,Z\n", "s.csv:4: confidence"},
        {HEAD "sqs,standard,request,5,3,1e-6,x,2012,H\n", "s.csv:4: malformed upper"},
        {HEAD "sqs,standard,request,1,,1e-6,x,2012,H\n", "does not start at 0"},
        {HEAD "sqs,standard,request,0,5,1,x,2012,H\nsqs,standard,request,6,,1,x,2012,H\n",
         "s.csv:5: sqs.standard: its tier does not join"},
        {HEAD "sqs,standard,request,0,,1,x,2012,H\nsqs,standard,request,0,,1,x,2012,H\n",
         "s.csv:5:"},
        {HEAD "sqs,standard,request,0,,1,\"x,2012,H\n", "s.csv:4: malformed quoting"},
        {HEAD "sqs,\x01\x1b,request,0,,1,x,2012,H\n", "s.csv:4: malformed item '\\x01"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct jobq_error err = {0};
        struct sheet *sheet = NULL;
        assert_int_equal(
            sheet_parse(bad[i].text, strlen(bad[i].text), "s.csv", &sheet, &err),
            JOBQ_INVALID);
        if (!strstr(err.text, bad[i].expect))
            fail_msg("'%s' has no '%s'", err.text, bad[i].expect);
        assert_null(sheet);
    }
}

static void dates_are_picked_by_prefix_else_the_last_before(void **state)
{
    (void)state;
    static const char *const name[] = {"a@2012-12.csv", "a@2012-10.csv", "b@2026.csv",
                                       "not a sheet"};
    struct jobq_error err;
    assert_int_equal(sheet_pick(name, 4, "a", "2012-10", &err), 1);
    assert_int_equal(sheet_pick(name, 4, "a", "2012", &err), 0);
    assert_int_equal(sheet_pick(name, 4, "a", NULL, &err), 0);
    /* Between two sheets, or after the last: the earlier. */
    assert_int_equal(sheet_pick(name, 4, "a", "2013", &err), 0);
    assert_int_equal(sheet_pick(name, 4, "a", "2012-11", &err), 1);
    assert_int_equal(sheet_pick(name, 4, "a", "2012-11-30", &err), 1);
    assert_int_equal(sheet_pick(name, 4, "a", "2012-09", &err), JOBQ_NOT_FOUND);
    assert_non_null(strstr(err.text, "2012-12, 2012-10"));
    assert_int_equal(sheet_pick(name, 4, "a", "soon", &err), JOBQ_NOT_FOUND);
    assert_int_equal(sheet_pick(name, 4, "c", NULL, &err), JOBQ_NOT_FOUND);
    assert_non_null(strstr(err.text, "a, b"));
}

static void csv_fields(void **state)
{
    (void)state;
    char *field[4];
    char a[] = "x,\"y \"\"z\"\",\",,";
    assert_int_equal(csv_split(a, field, 4), 4);
    assert_string_equal(field[1], "y \"z\",");
    assert_string_equal(field[3], "");
    char b[] = "1,2,3,4,5";
    assert_int_equal(csv_split(b, field, 4), CSV_FIELDS);
    char c[] = "\"open";
    assert_int_equal(csv_split(c, field, 4), CSV_QUOTE);
    char d[] = "\"a\"b";
    assert_int_equal(csv_split(d, field, 4), CSV_QUOTE);
}

static void instance_names_tell_their_processors(void **state)
{
    (void)state;
    assert_int_equal(sheet_instance_vcpus("m1.small"), 1);
    assert_int_equal(sheet_instance_vcpus("t3.micro"), 2);
    assert_int_equal(sheet_instance_vcpus("c8g.medium"), 1);
    assert_int_equal(sheet_instance_vcpus("c7i.large"), 2);
    assert_int_equal(sheet_instance_vcpus("c6i.4xlarge"), 16);
    assert_int_equal(sheet_instance_vcpus("c5.metal"), 0);
    assert_true(sheet_instance_baseline("t3.micro") == 0.10);
    assert_true(sheet_instance_baseline("c7g.large") == 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_shipped_sheet_reads_and_writes_back),
        cmocka_unit_test(known_prices),
        cmocka_unit_test(an_unknown_price_is_named_and_can_be_borrowed),
        cmocka_unit_test(tiers_and_free_amounts),
        cmocka_unit_test(instance_time_rounds_by_its_era),
        cmocka_unit_test(malformed_sheets_name_the_line),
        cmocka_unit_test(dates_are_picked_by_prefix_else_the_last_before),
        cmocka_unit_test(csv_fields),
        cmocka_unit_test(instance_names_tell_their_processors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
