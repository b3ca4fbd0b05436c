/* test_bill.c - the bill gives the figures that other people published.
 *
 * Each row is one published cost that is marked exact, or one of the derived check values,
 * held to the printed digits. Sources: celery/kombu#96 (2012-01-26), harish11g
 * (2013-04-05), waynerobinson (2015), shoryuken#604 and #304 (2020), deepakkarkala. */
#include "cost/bill/bill.h"
#include "cost/ledger/usage.h"

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

static struct sheet *open_sheet(const char *date)
{
    const char *name[64];
    struct jobq_error err;
    struct sheet *sheet;
    for (int i = 0; i < sheet_file_count; i++)
        name[i] = sheet_files[i].name;
    int at = sheet_pick(name, sheet_file_count, "us-east-1", date, &err);
    assert_true(at >= 0);
    assert_int_equal(sheet_parse((const char *)sheet_files[at].bytes, sheet_files[at].len,
                                 name[at], &sheet, &err),
                     JOBQ_OK);
    return sheet;
}

static double quantities(const char *date, unsigned free_mask, const char *const *what,
                         const double *quantity, int count)
{
    struct jobq_error err;
    struct sheet *sheet = open_sheet(date);
    struct bill bill;
    struct bill_options options = {.free = free_mask, .exact_time = true};
    bill_init(&bill);
    for (int i = 0; i < count; i++)
        if (bill_quantity(&bill, what[i], quantity[i], sheet, &options, &err))
            fail_msg("%s", err.text);
    double usd = bill.usd;
    bill_release(&bill);
    sheet_free(sheet);
    return usd;
}

static void shows(double usd, const char *expect)
{
    char text[40];
    int decimals = strchr(expect, '.') ? (int)strlen(strchr(expect, '.') + 1) : 0;
    snprintf(text, sizeof text, "%.*f", decimals, usd);
    assert_string_equal(text, expect);
}

static void published_costs_marked_exact(void **state)
{
    (void)state;
    static const char *const sqs[] = {"sqs.standard"};
    static const char *const lambda[] = {"lambda.request", "lambda.gb-second"};
    /* 1: an idle worker of Celery, 500 empty receives a minute, dollars an hour */
    shows(quantities("2012-10", 0, sqs, (double[]){500 * 60}, 1), "0.03");
    /* 3: 10 M messages a day, 4 requests each; a day, and thirty */
    shows(quantities("2013-04", 0, sqs, (double[]){40e6}, 1), "20");
    shows(quantities("2013-04", 0, sqs, (double[]){30 * 40e6}, 1), "600");
    /* 4: one empty queue polled each second of a month */
    shows(quantities("2013-04", 0, sqs, (double[]){30 * 86400}, 1), "1.30");
    /* 5: four receives a second */
    shows(quantities("2026", 0, sqs, (double[]){4 * 30 * 86400}, 1), "4.15");
    /* 9: Lambda, a million invocations */
    shows(quantities("2026", 0, lambda, (double[]){1e6, 1e6 * .5 * .2}, 2), "1.87");
    shows(quantities("2026", 0, lambda, (double[]){1e6, 1e6 * 1 * .2}, 2), "3.53");
    shows(quantities("2026", 0, lambda, (double[]){1e6, 1e6 * 1 * 1}, 2), "16.87");
}

/* ---- ledgers ---------------------------------------------------------------------- */

static void set_calls(struct jobq_ledger *l, enum jobq_action action, double requests,
                      double box_hours_each)
{
    l->action[action].requests = (int64_t)requests;
    l->action[action].box_usage_e10h = (int64_t)(requests * box_hours_each * 1e10 + .5);
}

static double bill_of(const struct jobq_ledger *l, const char *date,
                      const struct bill_options *options, struct bill *keep)
{
    static struct bill bill;
    struct jobq_error err;
    struct sheet *sheet = open_sheet(date);
    bill_init(&bill);
    if (bill_ledger(&bill, l, sheet, options, &err))
        fail_msg("%s", err.text);
    double usd = bill.usd, sum = 0, parts = 0;
    for (int i = 0; i < bill.count; i++)
        sum += bill.item[i].usd;
    for (int i = 0; i < BILL_COMPONENT_COUNT; i++)
        parts += bill.component_usd[i];
    near(sum, usd, 1e-9 * usd);
    near(parts, usd, 1e-9 * usd);
    if (keep)
        memcpy(keep->component_usd, bill.component_usd, sizeof bill.component_usd);
    bill_release(&bill);
    sheet_free(sheet);
    return usd;
}

#define PUT(n) (0.0000219907 + 2e-10 * (n) * (n) * (n))

static void derived_check_values(void **state)
{
    (void)state;
    const double million = 1e6;
    const struct bill_options none = {0};
    struct jobq_ledger *l = xcalloc(1, sizeof *l);
    set_calls(l, JOBQ_ACT_SQS_SEND, million, 0);
    set_calls(l, JOBQ_ACT_SQS_RECEIVE, million, 0);
    set_calls(l, JOBQ_ACT_SQS_DELETE, million, 0);
    shows(bill_of(l, "2012-10", &none, NULL), "3.00");
    shows(bill_of(l, "2026", &none, NULL), "1.20");
    set_calls(l, JOBQ_ACT_SDB_PUT, 3 * million, PUT(1));
    shows(bill_of(l, "2012-10", &none, NULL), "12.24");
    shows(bill_of(l, "2026", &none, NULL), "10.44");
    shows(bill_of(l, "2012-10", &none, NULL) - 3, "9.2362");
    set_calls(l, JOBQ_ACT_SDB_GET, million, 0.0000093522);
    set_calls(l, JOBQ_ACT_SDB_DELETE, million, 0.0000219907);
    shows(bill_of(l, "2012-10", &none, NULL), "16.62");
    shows(bill_of(l, "2026", &none, NULL), "14.82");

    memset(l, 0, sizeof *l);
    set_calls(l, JOBQ_ACT_SQS_SEND_BATCH, million / 10, 0);
    set_calls(l, JOBQ_ACT_SQS_RECEIVE, million / 10, 0);
    set_calls(l, JOBQ_ACT_SQS_DELETE_BATCH, million / 10, 0);
    shows(bill_of(l, "2012-10", &none, NULL), "0.30");
    shows(bill_of(l, "2026", &none, NULL), "0.12");
    memset(l, 0, sizeof *l);
    set_calls(l, JOBQ_ACT_SDB_PUT_BATCH, 3 * million / 25, 0.7 * 25 * PUT(3));
    shows(bill_of(l, "2026", &none, NULL), "6.4669");
    memset(l, 0, sizeof *l);
    l->write_units = 3 * million;
    l->read_units = million;
    shows(bill_of(l, "2026", &none, NULL), "2.00");
    set_calls(l, JOBQ_ACT_SQS_SEND, 3 * million, 0);
    shows(bill_of(l, "2026", &none, NULL), "3.20");

    memset(l, 0, sizeof *l);
    l->internet_out_bytes = 1000 * (int64_t)million;
    l->internet_in_bytes = 1000 * (int64_t)million;
    shows(bill_of(l, "2012-10", &none, NULL), "0.12");
    shows(bill_of(l, "2026", &none, NULL), "0.09");
    shows(bill_of(l, "2026", &(struct bill_options){.free = BILL_FREE_TRANSFER}, NULL),
          "0.00");

    /* 1 KiB rows with 5 values of 45 bytes each and a name, kept a month of 730 hours */
    memset(l, 0, sizeof *l);
    l->store_byte_hours = (1096 + 45 * 5) * million * 730;
    shows(bill_of(l, "2026", &none, NULL), "0.31");
    free(l);
}

static void box_time_per_million_job_seconds(void **state)
{
    (void)state;
    static const struct {
        const char *date, *type, *expect;
    } row[] = {
        {"2012-10", "m1.small", "22.22"}, {"2012-12", "m1.small", "18.06"},
        {"2012-10", "t1.micro", "5.56"},  {"2012-10", "c1.medium", "45.83"},
        {"2026", "t4g.nano", "1.17"},     {"2026", "t3.micro", "2.89"},
        {"2026", "c8g.medium", "11.08"},  {"2026", "c7i.large", "24.79"},
    };
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        char what[40];
        snprintf(what, sizeof what, "ec2.%s", row[i].type);
        shows(quantities(row[i].date, 0, (const char *const[]){what},
                         (double[]){1e6 / 3600}, 1),
              row[i].expect);
    }
}

static void free_tiers_are_a_switch(void **state)
{
    (void)state;
    struct jobq_error err;
    unsigned mask;
    struct jobq_ledger *l = xcalloc(1, sizeof *l);
    set_calls(l, JOBQ_ACT_SQS_RECEIVE, 6.3e6, 0);
    shows(bill_of(l, "2026", &(struct bill_options){0}, NULL), "2.52");
    shows(bill_of(l, "2026", &(struct bill_options){.free = BILL_FREE_SQS}, NULL),
          "2.12");
    shows(bill_of(l, "2012-10", &(struct bill_options){.free = BILL_FREE_ALL}, NULL),
          "6.20");
    assert_int_equal(bill_free_parse("sqs,transfer", &mask, &err), JOBQ_OK);
    assert_int_equal(mask, BILL_FREE_SQS | BILL_FREE_TRANSFER);
    assert_int_equal(bill_free_parse("sqs,ec3", &mask, &err), JOBQ_INVALID);
    assert_non_null(strstr(err.text, "'ec3'"));
    free(l);
}

static void each_request_is_cut_into_chunks_by_itself(void **state)
{
    (void)state;
    struct jobq_ledger *l = xcalloc(1, sizeof *l);
    set_calls(l, JOBQ_ACT_SQS_SEND, 5e6, 0);
    l->send_kib[jobq_payload_bucket(0)] = 1000000;
    l->send_kib[jobq_payload_bucket(65536)] = 1000000;                     /* 1 chunk */
    l->send_kib[jobq_payload_bucket(65537)] = 1000000;                     /* 2 */
    l->send_kib[jobq_payload_bucket(256 * 1024)] = 1000000;                /* 4 */
    l->send_kib[jobq_payload_bucket(1 << 20)] = 1000000;                   /* 16 */
    shows(bill_of(l, "2026", &(struct bill_options){0}, NULL), "9.60");    /* 24 M */
    shows(bill_of(l, "2012-10", &(struct bill_options){0}, NULL), "5.00"); /* no chunks */
    shows(bill_of(l, "2026", &(struct bill_options){.queue_kind = "fair"}, NULL),
          "12.00");
    shows(bill_of(l, "2026", &(struct bill_options){.queue_kind = "fifo"}, NULL),
          "12.00");
    /* The same chunks by way of a usage a job. */
    struct usage usage;
    struct jobq_ledger *back = xcalloc(1, sizeof *back);
    l->jobs[JOBQ_JOBS_DONE] = 5000000;
    usage_from_ledger(l, &usage);
    near(usage.line[USAGE_SEND_CHUNKS], 24. / 5, 1e-12);
    usage_to_ledger(&usage, 5e6, &(struct usage_shape){.slots = 1, .instances = 1}, back);
    shows(bill_of(back, "2026", &(struct bill_options){0}, NULL), "9.60");
    jobq_ledger_release(back);
    free(back);
    free(l);
}

static void instances_are_billed_one_by_one(void **state)
{
    (void)state;
    struct jobq_ledger *l = xcalloc(1, sizeof *l);
    struct bill kept;
    /* Ten boxes for ten minutes each: ten hours in 2012, 100 minutes now. */
    for (int i = 0; i < 10; i++) {
        struct jobq_instance_use *use = jobq_ledger_instance(l);
        strcpy(use->type, "c1.medium");
        use->launched_at_ns = 0;
        use->running_at_ns = 30 * INT64_C(1000000000);
        use->ready_at_ns = 90 * INT64_C(1000000000);
        use->ended_at_ns = 630 * INT64_C(1000000000);
        use->slots = 4;
        use->busy_slot_ns = 4 * 240 * INT64_C(1000000000);
    }
    near(bill_of(l, "2012-10", &(struct bill_options){0}, &kept), 1.65, 1e-9);
    near(kept.component_usd[BILL_CPU], 1.65 * 240 / 3600, 1e-9);
    near(kept.component_usd[BILL_BOOT], 1.65 * 60 / 3600, 1e-9);
    near(kept.component_usd[BILL_IDLE], 1.65 * 3300 / 3600, 1e-9);
    near(bill_of(l, "2026", &(struct bill_options){0}, &kept), 10 * .13 / 6, 1e-9);
    near(kept.component_usd[BILL_IDLE], 10 * .13 / 12, 1e-9);
    /* Taken back by the spot market: the started hour is waived in 2012. */
    for (int i = 0; i < 10; i++) {
        l->instance[i].spot = 1;
        l->instance[i].ended_by = JOBQ_ENDED_BY_AWS;
        l->instance[i].ended_at_ns += 3600 * INT64_C(1000000000);
    }
    near(bill_of(l, "2012-10", &(struct bill_options){0}, NULL), .18, 1e-9);
    for (int i = 0; i < 10; i++)
        l->instance[i].ended_by = JOBQ_ENDED_BY_US;
    near(bill_of(l, "2012-10", &(struct bill_options){0}, NULL), .36, 1e-9);
    jobq_ledger_release(l);
    free(l);
}

/* By the second, what AWS takes back within an hour is free, and all of it is billed after. */
static void a_first_hour_that_aws_ends_is_free(void **state)
{
    (void)state;
    const int64_t s = INT64_C(1000000000);
    struct jobq_error err;
    struct bill bill;
    struct sheet *sheet = open_sheet("2026");
    struct jobq_ledger *l = xcalloc(1, sizeof *l);
    struct jobq_instance_use *use = jobq_ledger_instance(l);
    assert_int_equal(sheet_override(sheet, "ec2-spot", "c7g.large", 0.036, "test", &err),
                     JOBQ_OK);
    strcpy(use->type, "c7g.large");
    use->spot = 1;
    use->ended_by = JOBQ_ENDED_BY_AWS;
    const struct {
        int64_t end_s;
        enum jobq_instance_end ended_by;
        double usd;
    } cases[] = {{3599, JOBQ_ENDED_BY_AWS, 0},
                 {3600, JOBQ_ENDED_BY_AWS, 0.036},
                 {3599, JOBQ_ENDED_BY_US, 0.036 * 3599 / 3600}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        use->ended_at_ns = cases[i].end_s * s;
        use->ended_by = (int32_t)cases[i].ended_by;
        bill_init(&bill);
        assert_int_equal(bill_ledger(&bill, l, sheet, &(struct bill_options){0}, &err),
                         JOBQ_OK);
        near(bill.usd, cases[i].usd, 1e-12);
        bill_release(&bill);
    }
    sheet_free(sheet);
    jobq_ledger_release(l);
    free(l);
}

/* A t4g.small may use 20 % of its two vCPUs: an hour at full use is 1.6 vCPU hours above. */
static void cpu_above_the_baseline_is_billed(void **state)
{
    (void)state;
    const int64_t hour = INT64_C(3600000000000);
    struct jobq_ledger *l = xcalloc(1, sizeof *l);
    struct jobq_instance_use *use = jobq_ledger_instance(l);
    strcpy(use->type, "t4g.small");
    use->ended_at_ns = hour;
    double quiet = bill_of(l, "2026", &(struct bill_options){0}, NULL);
    use->cpu_ns = hour * 2 / 5;
    near(bill_of(l, "2026", &(struct bill_options){0}, NULL), quiet, 1e-12);
    use->cpu_ns = 2 * hour;
    near(bill_of(l, "2026", &(struct bill_options){0}, NULL), quiet + 1.6 * 0.04, 1e-9);
    /* Each instance has credits of its own. */
    use = jobq_ledger_instance(l);
    strcpy(use->type, "t4g.small");
    use->ended_at_ns = hour;
    near(bill_of(l, "2026", &(struct bill_options){0}, NULL), 2 * quiet + 1.6 * 0.04,
         1e-9);
    jobq_ledger_release(l);
    free(l);
}

static void a_missing_price_is_named_and_leaves_the_bill_alone(void **state)
{
    (void)state;
    struct jobq_error err;
    struct bill bill;
    struct sheet *sheet = open_sheet("2013-04"); /* knows SQS only */
    struct jobq_ledger *l = xcalloc(1, sizeof *l);
    bill_init(&bill);
    set_calls(l, JOBQ_ACT_SQS_SEND, 1e6, 0);
    assert_int_equal(bill_ledger(&bill, l, sheet, &(struct bill_options){0}, &err),
                     JOBQ_OK);
    near(bill.usd, 0.5, 1e-12);
    set_calls(l, JOBQ_ACT_SDB_PUT, 1, PUT(1));
    assert_int_equal(bill_ledger(&bill, l, sheet, &(struct bill_options){0}, &err),
                     JOBQ_NOT_FOUND);
    assert_non_null(strstr(err.text, "'simpledb.box'"));
    assert_int_equal(bill.count, 1);
    near(bill.usd, 0.5, 1e-12);
    bill_release(&bill);
    sheet_free(sheet);
    free(l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(published_costs_marked_exact),
        cmocka_unit_test(derived_check_values),
        cmocka_unit_test(box_time_per_million_job_seconds),
        cmocka_unit_test(free_tiers_are_a_switch),
        cmocka_unit_test(each_request_is_cut_into_chunks_by_itself),
        cmocka_unit_test(instances_are_billed_one_by_one),
        cmocka_unit_test(a_first_hour_that_aws_ends_is_free),
        cmocka_unit_test(cpu_above_the_baseline_is_billed),
        cmocka_unit_test(a_missing_price_is_named_and_leaves_the_bill_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
